// SPDX-License-Identifier: MIT
//
// page.js - what the page's scripts share: its data, and what is asked for.
//
// Data lie in elements that hold no script, as deflated bytes in base64:
//   meta    JSON (report/meta.c)
//   rows    columns of all calls of the list, in the order in which they ended:
//           when they began (f64, ns), how long they took (f32, ns; -1: not
//           known), thread, name, thing, result (u32 each), flags (u8)
//   texts   what each is shown as, behind its name, a line each
//   tracks  for each thread bins that are not empty, up to a 0: distance from the
//           last one, calls, failed (varints), parts in work and in waits (u8,
//           of 255)
//   marks   kind + 1, ns, process + 1, thread + 1, name + 1, status (varints)
//
// All of it was made up by whoever was traced: it becomes text, never markup.

"use strict";

const NONE = 0xffffffff;
const FAILED = 1, WAITS = 2, PAST_STUB = 4, OPEN = 8;

const app = {
    filter: { text: "", failed: false },
    shown: null,        // indices of calls that the filter leaves, by time
    listeners: [],
};

// --- small things ----------------------------------------------------------------

function element(tag, attributes, ...children) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
        if (name.startsWith("on")) {
            e.addEventListener(name.slice(2), value);
        } else if (name === "class") {
            e.className = value;
        } else {
            e.setAttribute(name, value);
        }
    }
    e.append(...children);
    return e;
}

function grouped(n) {
    return String(n).replace(/\B(?=(\d{3})+$)/g, n > 9999 ? "\u202f" : "");
}

function duration(ns) {
    const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]];
    for (const [unit, name] of units) {
        if (ns >= unit) {
            return (ns / unit).toPrecision(ns >= 100 * unit ? String(Math.floor(ns / unit)).length : 3) +
                "\u202f" + name;
        }
    }
    return Math.max(0, Math.round(ns)) + "\u202fns";
}

function seconds(ns) {
    return (ns / 1e9).toFixed(6);
}

// --- data --------------------------------------------------------------------------

async function unpack(id) {
    const holder = document.getElementById(id);
    const text = atob(holder.textContent);
    const packed = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
        packed[i] = text.charCodeAt(i);
    }
    holder.remove();
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
}

function take_rows(buffer) {
    const n = Math.floor(buffer.byteLength / 29);
    app.count = n;
    app.start = new Float64Array(buffer, 0, n);
    app.took = new Float32Array(buffer, 8 * n, n);
    app.thread = new Uint32Array(buffer, 12 * n, n);
    app.name = new Uint32Array(buffer, 16 * n, n);
    app.thing = new Uint32Array(buffer, 20 * n, n);
    app.status = new Uint32Array(buffer, 24 * n, n);
    app.flags = new Uint8Array(buffer, 28 * n, n);
    app.order = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
        app.order[i] = i;
    }
    const start = app.start;
    app.order.sort((a, b) => start[a] - start[b] || a - b);
}

class Varints {
    constructor(buffer) {
        this.bytes = new Uint8Array(buffer);
        this.at = 0;
    }
    get more() {
        return this.at < this.bytes.length;
    }
    byte() {
        return this.bytes[this.at++];
    }
    next() {
        let n = 0, unit = 1, byte;
        do {
            byte = this.bytes[this.at++];
            n += (byte & 127) * unit;
            unit *= 128;
        } while (byte > 127);
        return n;
    }
}

function take_tracks(buffer) {
    const v = new Varints(buffer);
    app.tracks = [];
    while (v.more) {
        const t = { bin: [], calls: [], failed: [], work: [], wait: [] };
        let last = 0, step;
        while ((step = v.next()) > 0) {
            last += step;
            t.bin.push(last - 1);
            t.calls.push(v.next());
            t.failed.push(v.next());
            t.work.push(v.byte());
            t.wait.push(v.byte());
        }
        app.tracks.push(t);
    }
}

function take_marks(buffer) {
    const v = new Varints(buffer);
    app.marks = [];
    while (v.more) {
        app.marks.push({
            kind: v.next() - 1, ns: v.next(), process: v.next() - 1,
            thread: v.next() - 1, name: v.next() - 1, status: v.next(),
        });
    }
}

// Of a name by its number.
function name_of(number) {
    return app.names.get(number) || "";
}

function thread_of(i) {
    return app.meta.threads[app.thread[i]];
}

function pid_of(thread) {
    const process = thread && app.meta.processes[thread[0]];
    return process ? process[0] : "?";
}

function status_text(status) {
    return app.statuses.get(status) || "0x" + status.toString(16);
}

function take_meta(buffer) {
    app.meta = JSON.parse(new TextDecoder().decode(buffer));
    app.names = new Map();
    app.numbers = new Map();  // the other way
    for (const [number, text] of Object.entries(app.meta.names)) {
        app.names.set(Number(number), text);
        app.numbers.set(text, Number(number));
    }
    app.statuses = new Map();
    app.codes = new Map();
    for (const [status, text] of Object.entries(app.meta.statuses)) {
        app.statuses.set(Number(status), text);
        app.codes.set(text, Number(status));
    }
}

// --- what is asked for ----------------------------------------------------------------

// Each part of a filter that is set, as words.
function filter_words() {
    const f = app.filter, words = [];
    const add = (key, text) => words.push({ key, text });
    if (f.text) add("text", "“" + f.text + "”");
    if (f.failed) add("failed", "failed");
    if (f.process !== undefined) {
        const p = app.meta.processes[f.process];
        add("process", "process " + p[0] + " " + p[2]);
    }
    if (f.thread !== undefined) {
        const t = app.meta.threads[f.thread];
        add("thread", "thread " + pid_of(t) + "." + t[1]);
    }
    if (f.name !== undefined) add("name", name_of(f.name));
    if (f.thing !== undefined) add("thing", name_of(f.thing));
    if (f.status !== undefined) add("status", status_text(f.status));
    if (f.from !== undefined) add("time", seconds(f.from) + " to " + seconds(f.to) + " s");
    return words;
}

function matching(text) {
    const pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
    const names = new Set();
    for (const [number, name] of app.names) {
        if (pattern.test(name)) {
            names.add(number);
        }
    }
    return i => names.has(app.name[i]) || names.has(app.thing[i]) || pattern.test(app.texts[i]);
}

function apply_filter() {
    const f = app.filter, out = new Uint32Array(app.count);
    const found = f.text ? matching(f.text) : null;
    let n = 0;
    for (const i of app.order) {
        if ((f.failed && !(app.flags[i] & FAILED)) ||
            (f.thread !== undefined && app.thread[i] !== f.thread) ||
            (f.process !== undefined && (thread_of(i) || [])[0] !== f.process) ||
            (f.name !== undefined && app.name[i] !== f.name) ||
            (f.thing !== undefined && app.thing[i] !== f.thing) ||
            (f.status !== undefined && app.status[i] !== f.status) ||
            (f.from !== undefined && (app.start[i] > f.to ||
                app.start[i] + Math.max(0, app.took[i]) < f.from)) ||
            (found && !found(i))) {
            continue;
        }
        out[n++] = i;
    }
    app.shown = out.subarray(0, n);
    for (const listener of app.listeners) {
        listener();
    }
}

// Sets what `change` has, and takes away what it has as undefined.
function filter_by(change) {
    Object.assign(app.filter, change);
    for (const key of Object.keys(app.filter)) {
        if (app.filter[key] === undefined) {
            delete app.filter[key];
        }
    }
    apply_filter();
}

function drop_filter(key) {
    const empty = { text: "", failed: false };
    if (key === "time") {
        app.timeline.show(0, app.meta.last);
        filter_by({ from: undefined, to: undefined });
    } else {
        filter_by({ [key]: empty[key] });
    }
}

function clear_filter() {
    app.filter = { text: "", failed: false };
    app.timeline.show(0, app.meta.last);
    apply_filter();
}

// --- tables that are clicked on ------------------------------------------------------------

function nearest_call(tid, ns) {
    let best = -1, distance = 2000;
    for (let i = 0; i < app.count; i++) {
        const away = Math.abs(app.start[i] - ns);
        const thread = thread_of(i);
        if (away < distance && thread && String(thread[1]) === tid) {
            best = i;
            distance = away;
        }
    }
    return best;
}

function on_cell(cell) {
    const text = cell.textContent.trim();
    const section = cell.closest("section").id;
    const when = /^(\d+)\.(\d+) at (\d+\.\d+)/.exec(text);
    if (section === "started") {
        const pid = Number(cell.parentElement.firstElementChild.textContent.replace(/\D/g, ""));
        const process = app.meta.processes.findIndex(p => p[0] === pid);
        if (process < 0) return;
        filter_by({ process });
    } else if (when) {
        const call = nearest_call(when[2], Math.round(Number(when[3]) * 1e9));
        if (call < 0) return;
        app.filter = { text: "", failed: false };
        apply_filter();
        app.list.select(call);
    } else if (app.numbers.has(text)) {
        const number = app.numbers.get(text);
        const is_call = app.call_names.has(number);
        filter_by(is_call ? { name: number } : { thing: number });
    } else if (app.codes.has(text)) {
        filter_by({ status: app.codes.get(text) });
    } else if (text && !cell.classList.contains("n")) {
        filter_by({ text: text.slice(0, 200) });
    } else {
        return;
    }
    document.getElementById("list").scrollIntoView();
}

async function begin() {
    const [meta, rows, texts, tracks, marks] =
        await Promise.all(["meta", "rows", "texts", "tracks", "marks"].map(unpack));
    take_meta(meta);
    take_rows(rows);
    app.texts = new TextDecoder().decode(texts).split("\n");
    app.call_names = new Set(app.name);
    take_tracks(tracks);
    take_marks(marks);
    for (const e of document.querySelectorAll(".scripted")) {
        e.hidden = false;
    }
    app.timeline = make_timeline(document.getElementById("timeline"));
    app.list = make_list(document.getElementById("list"));
    apply_filter();
    const main = document.querySelector("main");
    main.classList.add("live");
    main.addEventListener("click", event => {
        const cell = event.target.closest("td");
        if (cell && String(getSelection()) === "") {
            on_cell(cell);
        }
    });
    // When it has been drawn.
    requestAnimationFrame(() => setTimeout(() => {
        document.documentElement.dataset.ready = String(Math.round(performance.now()));
    }));
}

document.addEventListener("DOMContentLoaded", () => {
    begin().catch(error => {
        const note = element("p", { class: "warning" },
            "The timeline and the list of calls could not be shown: " + error.message);
        document.querySelector("main").prepend(note);
        throw error;
    });
});

