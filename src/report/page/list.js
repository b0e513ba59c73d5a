// list.js - the list of calls: what the filter leaves, as many rows as are seen.

function make_list(section) {
    const ROW = 22;
    const search = element("input", {
        type: "search", placeholder: "search calls, names, arguments",
        "aria-label": "search", spellcheck: "false",
        oninput: () => later(() => filter_by({ text: search.value.trim() })),
    });
    const failed = element("input", {
        type: "checkbox", onchange: () => filter_by({ failed: failed.checked }),
    });
    const chips = element("div", { class: "chips" });
    const sum = element("p", { class: "sum", role: "status" });
    const rows = element("div", { class: "rows" });
    const space = element("div", { class: "space" }, rows);
    const frame = element("div", {
        class: "list", tabindex: "0", role: "region", "aria-label": "calls",
        onscroll: draw, onkeydown: on_key,
    }, space);
    const detail = element("div", { class: "detail", hidden: "" });
    let selected = -1;
    let timer = 0;

    section.append(
        element("div", { class: "controls" }, search,
            element("label", {}, failed, " only those that failed")),
        chips, sum,
        element("div", { class: "call head" }, element("span", {}, "at, s"),
            element("span", {}, "thread"), element("span", {}, "took"),
            element("span", {}, "call")),
        frame, detail);

    function later(what) {
        clearTimeout(timer);
        timer = setTimeout(what, 150);
    }

    function row(i) {
        const thread = thread_of(i);
        // What came of it is seen, however long the rest is.
        const text = app.texts[i], end = text.lastIndexOf(") = ") + 1 || text.length;
        const call = element("span", { class: "text" },
            element("span", { class: "args" },
                element("b", { "data-by": "name" }, name_of(app.name[i])), text.slice(0, end)),
            element("span", { class: "result" }, text.slice(end) ||
                (app.flags[i] & FAILED ? " = " + status_text(app.status[i]) : "")));
        const e = element("div", { class: "call" },
            element("span", {}, seconds(app.start[i])),
            element("span", { "data-by": "thread" }, thread ? pid_of(thread) + "." + thread[1] : "?"),
            element("span", {}, app.took[i] < 0 ? "" : duration(app.took[i])),
            call);
        const flags = app.flags[i];
        e.classList.toggle("failed", (flags & FAILED) !== 0);
        e.classList.toggle("waits", (flags & WAITS) !== 0);
        e.classList.toggle("past", (flags & PAST_STUB) !== 0);
        e.classList.toggle("selected", i === selected);
        e.dataset.call = i;
        return e;
    }

    function draw() {
        const first = Math.max(0, Math.floor(frame.scrollTop / ROW) - 5);
        const last = Math.min(app.shown.length, first + Math.ceil(frame.clientHeight / ROW) + 10);
        const made = [];
        for (let k = first; k < last; k++) {
            made.push(row(app.shown[k]));
        }
        rows.style.transform = "translateY(" + first * ROW + "px)";
        rows.replaceChildren(...made);
    }

    function show_detail() {
        detail.hidden = selected < 0;
        if (selected < 0) {
            return;
        }
        const i = selected, thread = thread_of(i), buttons = element("div", { class: "chips" });
        const add = (text, change) => buttons.append(
            element("button", { type: "button", onclick: () => filter_by(change) }, text));
        buttons.append("only ");
        if (thread) {
            if (thread[0] >= 0) {
                add("process " + pid_of(thread), { process: thread[0] });
            }
            add("thread " + thread[1], { thread: app.thread[i] });
        }
        add(name_of(app.name[i]), { name: app.name[i] });
        if (app.thing[i] !== NONE) {
            add(name_of(app.thing[i]), { thing: app.thing[i] });
        }
        if (app.flags[i] & FAILED) {
            add(status_text(app.status[i]), { status: app.status[i] });
        }
        const from = Math.max(0, app.start[i] - 1000), took = Math.max(0, app.took[i]);
        detail.replaceChildren(
            element("p", { class: "whole" }, element("b", {}, name_of(app.name[i])), app.texts[i]),
            element("p", {}, "At " + seconds(app.start[i]) + " s" +
                (app.took[i] >= 0 ? ", took " + duration(took) :
                    app.flags[i] & OPEN ? ", has not returned" : "") + ". All of it: ",
                element("code", {}, "ntstrace replay --from " + seconds(from) + " --to " +
                    seconds(app.start[i] + 1000) + " " + app.meta.recording)),
            buttons);
    }

    function on_key(event) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (!step) {
            return;
        }
        event.preventDefault();
        const at = app.shown.indexOf(selected) + step;
        if (at >= 0 && at < app.shown.length) {
            select(app.shown[at]);
        }
    }

    function select(i) {
        selected = i;
        const at = app.shown.indexOf(i);
        if (at >= 0 && (at * ROW < frame.scrollTop ||
            (at + 1) * ROW > frame.scrollTop + frame.clientHeight)) {
            frame.scrollTop = at * ROW - frame.clientHeight / 2;
        }
        app.timeline.mark(i);
        show_detail();
        draw();
    }

    rows.addEventListener("click", event => {
        const line = event.target.closest(".call");
        const by = event.target.dataset.by;
        if (!line || String(getSelection()) !== "") {
            return;
        }
        const i = Number(line.dataset.call);
        if (by === "name") {
            filter_by({ name: app.name[i] });
        } else if (by === "thread") {
            filter_by({ thread: app.thread[i] });
        } else {
            select(i === selected ? -1 : i);
        }
    });

    app.listeners.push(() => {
        const words = filter_words();
        let ns = 0, bad = 0;
        if (selected >= 0 && !app.shown.includes(selected)) {
            select(-1);
        }
        for (const i of app.shown) {
            ns += Math.max(0, app.took[i]);
            bad += app.flags[i] & FAILED;
        }
        if (document.activeElement !== search) {
            search.value = app.filter.text;
        }
        failed.checked = app.filter.failed;
        chips.replaceChildren(...words.map(w => element("button", {
            type: "button", title: "take this away", onclick: () => drop_filter(w.key),
        }, w.text + " ×")));
        if (words.length > 1) {
            chips.append(element("button", { type: "button", onclick: clear_filter }, "clear all"));
        }
        chips.hidden = words.length === 0;
        sum.replaceChildren(grouped(app.shown.length) + " of " + grouped(app.count) +
            " calls, " + grouped(bad) + " of which failed, " + duration(ns) +
            (app.count < app.meta.calls ? ". The list is a sample of " +
                grouped(app.meta.calls) + " calls." : "."));
        frame.classList.toggle("empty", app.shown.length === 0);
        space.style.height = app.shown.length * ROW + "px";
        frame.scrollTop = 0;
        draw();
    });
    addEventListener("resize", draw);
    return { select };
}
