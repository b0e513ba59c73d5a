// timeline.js - processes and their threads over time, on a canvas: what of each
// moment was spent in calls and in those that wait, and marks. Far away it is drawn
// of the bins, which are of all calls; from near, of the calls of the list as well.

const MARKS = { 0: "thread starts", 1: "APC", 2: "exception", 4: "raised", 6: "mapped", 7: "unmapped" };
const MARK_COLOURS = { 0: "soft", 1: "apc", 2: "error", 4: "error", 6: "module", 7: "module" };

function make_timeline(section) {
    const ROW = 20, AXIS = 24;
    const last = Math.max(1, app.meta.last);
    const width = Math.floor(last / app.meta.bins) + 1;  // of a bin, as the writer has it
    const view = { from: 0, to: last };
    const lines = make_lines();
    const by_thread = calls_by_thread();
    let marked = -1, colours = {}, timer = 0, drag = null, queued = false;

    const canvas = element("canvas", {
        tabindex: "0", role: "img",
        "aria-label": "timeline; arrow keys move it, + and - zoom, 0 shows all",
    });
    const space = element("div");
    const frame = element("div", { class: "frame" }, canvas, space);
    const tip = element("div", { class: "tip", hidden: "" });
    const button = (text, title, onclick) => element("button", { type: "button", title, onclick }, text);
    section.append(
        element("p", { class: "what" },
            "Drag to move, Ctrl and wheel (or + and −) to zoom, click on a call to see it in the list, " +
            "on a name to see only that."),
        element("div", { class: "controls" },
            button("+", "nearer", () => zoom(0.5)), button("−", "further away", () => zoom(2)),
            button("all", "the whole time", () => show(0, last)), legend()),
        frame, tip);

    function legend() {
        const keys = [["work", "in calls"], ["wait", "waiting"], ["error", "failed, exceptions"],
            ["apc", "APCs"], ["module", "modules"]];
        return element("span", { class: "legend" }, ...keys.map(([colour, text]) =>
            element("span", {}, element("i", { class: "key-" + colour }), text)));
    }

    // A line for each process, then one for each of its threads; one for both where
    // there is but one.
    function make_lines() {
        const out = [], threads = new Map();
        app.meta.threads.forEach((t, number) => {
            if (number < app.tracks.length) {
                threads.set(t[0], (threads.get(t[0]) || []).concat(number));
            }
        });
        const children = new Map();
        app.meta.processes.forEach((p, number) => {
            children.set(p[1], (children.get(p[1]) || []).concat(number));
        });
        const stack = (children.get(-1) || []).slice().reverse().map(number => [number, 0]);
        while (stack.length > 0) {
            const [process, level] = stack.pop();
            const own = threads.get(process) || [];
            if (own.length === 1) {
                out.push({ process, thread: own[0], level, both: true });
            } else {
                out.push({ process, level });
                for (const thread of own) {
                    out.push({ process, thread, level });
                }
            }
            for (const child of (children.get(process) || []).slice().reverse()) {
                stack.push([child, Math.min(level + 1, 6)]);
            }
        }
        for (const thread of threads.get(-1) || []) {
            out.push({ process: -1, thread, level: 0 });
        }
        const marks = new Map();
        for (const m of app.marks) {
            const key = m.thread >= 0 ? "t" + m.thread : "p" + m.process;
            if (!marks.has(key)) marks.set(key, []);
            marks.get(key).push(m);
        }
        for (const line of out) {
            const of = key => marks.get(key) || [];
            line.marks = (line.thread !== undefined ? of("t" + line.thread) : [])
                .concat(names_process(line) ? of("p" + line.process) : []);
        }
        return out;
    }

    // It has the name of its process; else it is of a thread alone.
    function names_process(line) {
        return line.thread === undefined || line.both === true;
    }

    function calls_by_thread() {
        const out = new Map();
        for (const i of app.order) {
            const t = app.thread[i];
            if (!out.has(t)) out.set(t, []);
            out.get(t).push(i);
        }
        return out;
    }

    // --- where things are ---------------------------------------------------------------

    // How wide it was when it was drawn: to ask each time is slow.
    let wide = frame.clientWidth;
    const label_width = () => wide < 600 ? 92 : 190;
    const scale = () => (wide - label_width()) / (view.to - view.from);
    const x_of = ns => label_width() + (ns - view.from) * scale();
    const ns_at = x => view.from + (x - label_width()) / scale();

    function show(from, to) {
        const span = Math.min(Math.max(to - from, 1000), last);
        view.from = Math.max(0, Math.min(from, last - span));
        view.to = view.from + span;
        redraw();
        clearTimeout(timer);
        timer = setTimeout(() => {
            const all = view.from <= 0 && view.to >= last;
            const set = all ? { from: undefined, to: undefined } : { from: view.from, to: view.to };
            if (app.filter.from !== set.from || app.filter.to !== set.to) {
                filter_by(set);
            }
        }, 250);
    }

    function zoom(by, at) {
        const middle = at === undefined ? (view.from + view.to) / 2 : at;
        show(middle - (middle - view.from) * by, middle + (view.to - middle) * by);
    }

    // --- drawn -----------------------------------------------------------------------------

    function take_colours() {
        const style = getComputedStyle(document.documentElement);
        colours = {};
        for (const name of ["ink", "soft", "line", "faint", "paper", "work", "wait", "error", "apc",
            "module", "accent", "mark", "on-work", "on-wait"]) {
            colours[name] = style.getPropertyValue("--" + name).trim();
        }
    }

    function nice(span) {
        const unit = Math.pow(10, Math.floor(Math.log10(span)));
        return [1, 2, 5, 10].map(n => n * unit).find(n => n >= span);
    }

    function draw_axis(c, w) {
        const step = nice((view.to - view.from) / Math.max(2, (w - label_width()) / 110));
        const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step / 1e9))));
        c.fillStyle = colours.paper;
        c.fillRect(0, 0, w, AXIS);
        c.fillStyle = colours.soft;
        c.textAlign = "left";
        for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
            const x = Math.round(x_of(t)) + 0.5;
            c.fillRect(x, AXIS - 5, 1, 5);
            c.fillText((t / 1e9).toFixed(digits) + "\u202fs", x + 3, 12);
        }
        c.fillRect(0, AXIS - 1, w, 1);
    }

    // Bins as columns of a pixel: the mean of those that are there.
    function draw_bins(c, line, y, w) {
        const t = app.tracks[line.thread];
        const left = label_width(), columns = Math.max(0, Math.ceil(w - left));
        const work = new Float32Array(columns + 1), wait = new Float32Array(columns + 1);
        const bad = new Uint8Array(columns + 1);
        const per_pixel = 1 / scale() / width;  // bins
        let at = lower(t.bin, Math.floor(view.from / width));
        for (; at < t.bin.length && t.bin[at] * width <= view.to; at++) {
            const from = (t.bin[at] * width - view.from) * scale();
            const to = from + width * scale();
            const a = Math.max(0, Math.floor(from)), b = Math.min(columns, Math.max(a + 1, Math.ceil(to)));
            const share = per_pixel > 1 ? 1 / per_pixel : 1;
            for (let k = a; k < b; k++) {
                work[k] += t.work[at] / 255 * share;
                wait[k] += t.wait[at] / 255 * share;
                bad[k] |= t.failed[at] > 0 ? 1 : 0;
                if (t.calls[at] > 0 && work[k] < 0.08 && wait[k] < 0.08) {
                    work[k] = 0.08;  // few, but there
                }
            }
        }
        const high = ROW - 5;
        for (let k = 0; k < columns; k++) {
            if (wait[k] > 0) {
                c.fillStyle = colours.wait;
                const h = Math.max(1, Math.min(1, wait[k]) * high);
                c.fillRect(left + k, y + ROW - 2 - h, 1, h);
            }
            if (work[k] > 0) {
                c.fillStyle = colours.work;
                const h = Math.max(1, Math.min(1, work[k]) * high);
                c.fillRect(left + k, y + ROW - 2 - h, 1, h);
            }
            if (bad[k]) {
                c.fillStyle = colours.error;
                c.fillRect(left + k, y + 1, 1, 2);
            }
        }
    }

    // Single calls, where there is room for them.
    function draw_calls(c, line, y, chosen) {
        const calls = by_thread.get(line.thread) || [];
        const left = label_width();
        let at = Math.max(0, lower_call(calls, view.from) - 50);
        let drawn = 0;
        for (; at < calls.length && app.start[calls[at]] <= view.to && drawn < 4000; at++) {
            const i = calls[at];
            if (chosen && !chosen[i]) {
                continue;
            }
            const from = Math.max(left, x_of(app.start[i]));
            const to = x_of(app.start[i] + Math.max(0, app.took[i]));
            if (to < left) {
                continue;
            }
            drawn++;
            const waits = (app.flags[i] & WAITS) !== 0 && !chosen;
            c.fillStyle = chosen ? colours.accent : app.flags[i] & FAILED ? colours.error :
                waits ? colours.wait : colours.work;
            c.fillRect(from, y + 3, Math.max(1, to - from - 0.5), ROW - 6);
            if (to - from > 60) {
                c.save();
                c.beginPath();
                c.rect(from, y, to - from, ROW);
                c.clip();
                c.fillStyle = waits && !(app.flags[i] & FAILED) ? colours["on-wait"] : colours["on-work"];
                c.fillText(name_of(app.name[i]), from + 3, y + ROW / 2 + 4);
                c.restore();
            }
        }
    }

    function draw_marks(c, line, y) {
        for (const m of line.marks) {
            if (m.ns < view.from || m.ns > view.to) {
                continue;
            }
            const x = x_of(m.ns);
            c.fillStyle = colours[MARK_COLOURS[m.kind] || "soft"];
            c.beginPath();
            c.moveTo(x, y + 5);
            c.lineTo(x - 3, y);
            c.lineTo(x + 3, y);
            c.fill();
        }
    }

    // As much of it as there is room for.
    function fitting(c, text, room) {
        if (c.measureText(text).width <= room) {
            return text;
        }
        while (text.length > 1 && c.measureText(text + "\u2026").width > room) {
            text = text.slice(0, -1);
        }
        return text + "\u2026";
    }

    function draw_line(c, line, y, w, chosen) {
        const filter = app.filter;
        const process = app.meta.processes[line.process];
        const dimmed = (filter.thread !== undefined && filter.thread !== line.thread) ||
            (filter.process !== undefined && filter.process !== line.process);
        c.globalAlpha = dimmed ? 0.3 : 1;
        if (names_process(line)) {
            c.fillStyle = colours.faint;
            c.fillRect(0, y, w, ROW);
            const from = Math.max(label_width(), x_of(process[3]));
            const to = Math.min(w, x_of(process[4] < 0 ? last : process[4]));
            if (to > from) {
                c.fillStyle = colours.soft;
                c.fillRect(from, y + ROW - 2, to - from, 1);
            }
        }
        if (line.thread === undefined) {
            // It has lines of its own.
        } else if (chosen) {
            c.globalAlpha *= 0.3;
            draw_bins(c, line, y, w);
            c.globalAlpha = 1;
            draw_calls(c, line, y, chosen);
        } else {
            // Of bins that are wider than some pixels only calls say more.
            const near = width * scale() > 1;
            c.globalAlpha *= near ? 0.35 : 1;
            draw_bins(c, line, y, w);
            c.globalAlpha = dimmed ? 0.3 : 1;
            if (near) {
                draw_calls(c, line, y, null);
            }
        }
        draw_marks(c, line, y);
        c.fillStyle = names_process(line) ? colours.faint : colours.paper;
        c.globalAlpha = 1;
        c.fillRect(0, y, label_width(), ROW);
        c.globalAlpha = dimmed ? 0.4 : 1;
        c.save();
        c.beginPath();
        c.rect(0, y, label_width() - 6, ROW);
        c.clip();
        c.fillStyle = names_process(line) ? colours.ink : colours.soft;
        const text = names_process(line) ? process[2] + " " + process[0] :
            String(app.meta.threads[line.thread][1]);
        const indent = line.level * (wide < 600 ? 3 : 8);
        c.fillText(fitting(c, text, label_width() - 10 - indent),
            4 + indent + (names_process(line) ? 0 : 10), y + 14);
        c.restore();
        c.globalAlpha = 1;
    }

    // Calls that the filter leaves, if it is of more than time, process and thread.
    function chosen_calls() {
        const f = app.filter;
        if (!f.text && !f.failed && f.name === undefined && f.thing === undefined && f.status === undefined) {
            return null;
        }
        const chosen = new Uint8Array(app.count);
        for (const i of app.shown || []) {
            chosen[i] = 1;
        }
        return chosen;
    }

    function draw() {
        queued = false;
        const ratio = devicePixelRatio || 1;
        wide = frame.clientWidth;
        const w = wide, all = AXIS + lines.length * ROW + 4;
        const h = Math.min(all, 480);
        if (w <= label_width() + 10) {
            return;
        }
        if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
            canvas.width = Math.round(w * ratio);
            canvas.height = Math.round(h * ratio);
            canvas.style.width = w + "px";
            canvas.style.height = h + "px";
            frame.style.height = h + "px";
            space.style.height = all - h + "px";
        }
        const c = canvas.getContext("2d");
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        c.font = "11px system-ui, sans-serif";
        c.fillStyle = colours.paper;
        c.fillRect(0, 0, w, h);
        const chosen = chosen_calls();
        const first = Math.floor(frame.scrollTop / ROW);
        for (let k = first; k < lines.length && (k - first - 1) * ROW < h; k++) {
            draw_line(c, lines[k], AXIS + k * ROW - frame.scrollTop, w, chosen);
        }
        if (marked >= 0) {
            const x = x_of(app.start[marked]);
            if (x >= label_width()) {
                c.fillStyle = colours.ink;
                c.fillRect(x, AXIS, 1, h - AXIS);
            }
        }
        draw_axis(c, w);
    }

    function redraw() {
        if (!queued) {
            queued = true;
            requestAnimationFrame(draw);
        }
    }

    // The first of rising numbers that is not below `n`.
    function lower(list, n) {
        let a = 0, b = list.length;
        while (a < b) {
            const m = (a + b) >> 1;
            if (list[m] < n) a = m + 1; else b = m;
        }
        return a;
    }

    function lower_call(calls, ns) {
        let a = 0, b = calls.length;
        while (a < b) {
            const m = (a + b) >> 1;
            if (app.start[calls[m]] < ns) a = m + 1; else b = m;
        }
        return a;
    }

    // --- what is pointed at -------------------------------------------------------------------

    function line_at(y) {
        return y < AXIS ? undefined : lines[Math.floor((y - AXIS + frame.scrollTop) / ROW)];
    }

    // The innermost call there, or the nearest one within three pixels.
    function call_at(line, ns) {
        const calls = by_thread.get(line.thread) || [], slack = 3 / scale();
        let best = -1, distance = Infinity;
        const at = lower_call(calls, ns + slack);
        for (let k = at - 1; k >= 0 && k > at - 300; k--) {
            const i = calls[k], to = app.start[i] + Math.max(0, app.took[i]);
            const away = ns > to ? ns - to : ns < app.start[i] ? app.start[i] - ns : 0;
            if (away <= slack && away < distance) {
                best = i;
                distance = away;
            }
        }
        return best;
    }

    function mark_at(line, x) {
        return line.marks.find(m => Math.abs(x_of(m.ns) - x) <= 4);
    }

    function process_words(line) {
        const p = app.meta.processes[line.process];
        return [p[2] + " " + p[0], p[5]];
    }

    function words_at(line, x) {
        const ns = ns_at(x);
        if (x <= label_width()) {
            return names_process(line) ? process_words(line) : [];
        }
        const mark = mark_at(line, x);
        if (mark) {
            return [MARKS[mark.kind] || "mark", mark.status ? status_text(mark.status) : "",
                mark.name >= 0 ? name_of(mark.name) : "", "at " + seconds(mark.ns) + " s"];
        }
        if (line.thread === undefined) {
            return process_words(line);
        }
        const call = call_at(line, ns);
        if (call >= 0) {
            return [name_of(app.name[call]) + app.texts[call].slice(0, 300),
                "at " + seconds(app.start[call]) + " s" +
                (app.took[call] >= 0 ? ", " + duration(app.took[call]) : "")];
        }
        const t = app.tracks[line.thread], bin = Math.floor(ns / width), at = lower(t.bin, bin);
        if (t.bin[at] !== bin) {
            return names_process(line) ? process_words(line) : [];
        }
        const share = n => Math.round(n / 2.55) + "\u202f%";
        return [grouped(t.calls[at]) + " calls, " + grouped(t.failed[at]) + " failed",
            share(t.work[at]) + " in calls, " + share(t.wait[at]) + " waiting",
            "at " + seconds(bin * width) + " s, for " + duration(width)];
    }

    function on_move(event) {
        const box = canvas.getBoundingClientRect();
        const x = event.clientX - box.left, y = event.clientY - box.top;
        if (drag) {
            drag.moved = drag.moved || Math.abs(x - drag.x) > 3;
            if (drag.moved) {
                const by = (drag.x - x) / scale();
                show(drag.from + by, drag.to + by);
            }
            tip.hidden = true;
            return;
        }
        const line = line_at(y);
        const words = line ? words_at(line, x).filter(Boolean) : [];
        tip.hidden = words.length === 0;
        if (words.length > 0) {
            tip.replaceChildren(...words.map(w => element("div", {}, w)));
            const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
            tip.style.left = Math.max(8, Math.min(event.clientX + 14, room)) + "px";
            tip.style.top = event.clientY + 18 + "px";
        }
    }

    function on_click(x, y) {
        const line = line_at(y);
        if (!line) {
            return;
        }
        if (x < label_width() || line.thread === undefined) {
            const set = names_process(line) ? { process: line.process } : { thread: line.thread };
            const key = Object.keys(set)[0];
            filter_by(app.filter[key] === set[key] ? { [key]: undefined } : set);
            return;
        }
        const call = call_at(line, ns_at(x));
        if (call >= 0) {
            app.list.select(call);
        }
    }

    canvas.addEventListener("pointerdown", event => {
        const box = canvas.getBoundingClientRect();
        drag = { x: event.clientX - box.left, from: view.from, to: view.to, moved: false };
        canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", on_move);
    canvas.addEventListener("pointerup", event => {
        const box = canvas.getBoundingClientRect(), was = drag;
        drag = null;
        if (was && !was.moved) {
            on_click(event.clientX - box.left, event.clientY - box.top);
        }
    });
    canvas.addEventListener("pointercancel", () => { drag = null; });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
    canvas.addEventListener("dblclick", event =>
        zoom(0.25, ns_at(event.clientX - canvas.getBoundingClientRect().left)));
    canvas.addEventListener("wheel", event => {
        if (event.ctrlKey || event.metaKey) {
            event.preventDefault();
            zoom(event.deltaY > 0 ? 1.25 : 0.8, ns_at(event.clientX - canvas.getBoundingClientRect().left));
        } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
            event.preventDefault();
            const by = (event.deltaX || event.deltaY) / scale();
            show(view.from + by, view.to + by);
        }
    }, { passive: false });
    canvas.addEventListener("keydown", event => {
        const span = view.to - view.from;
        const keys = {
            ArrowLeft: () => show(view.from - span / 8, view.to - span / 8),
            ArrowRight: () => show(view.from + span / 8, view.to + span / 8),
            "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => show(0, last),
        };
        if (keys[event.key] && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            keys[event.key]();
        }
    });
    frame.addEventListener("scroll", redraw);
    addEventListener("resize", redraw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
        take_colours();
        redraw();
    });
    app.listeners.push(redraw);
    take_colours();
    redraw();
    return {
        show, view, lines,
        mark(i) {
            marked = i;
            redraw();
        },
    };
}

