/* SPDX-License-Identifier: MIT */
/*
 * fuzz_filter - filter/filter.h and filter/regex.h: any expression and path
 * is taken, or refused with a caret and without a trace in the filter; and a
 * filter that is there says the same of a call each time, whatever the
 * target's memory holds.
 *
 * Bytes that begin with a slash are a regular expression up to the first line
 * feed, and then texts, a line each. All others are lines: expressions, or
 * paths behind a tab; what follows an empty line lies in the target's memory
 * at 10000h, where every argument of the calls points.
 */
#include "filter/filter.h"
#include "filter/regex.h"

#include "fuzz/fuzz.h"

#include "model/model.h"
#include "unit/journal.h"

#define MEMORY 0x10000ull

static const char *const names[] = {
    "NtClose",
    "NtOpenFile",
    "NtOpenKey",
    "NtReadFile",
    "NtUserDestroyWindow",
    "NtWaitForMultipleObjects",
    "NtNobody",
    "NtDeviceIoControlFile",
    "NtCreateUserProcess",
};

static void try_regex(str bytes)
{
    struct regex_error e = { NULL, 0 };
    str expression;
    str text;

    str_cut(bytes, '\n', &expression, &bytes);
    for (int nocase = 0; nocase < 2; nocase++) {
        struct regex *r = regex_open(expression, nocase, &e);
        str left = bytes;

        if (!r) {
            MUST(e.text != NULL && e.text[0] != '\0');
            MUST(e.at <= expression.size);
            continue;
        }
        while (left.size > 0) {
            bool matches;

            str_cut(left, '\n', &text, &left);
            matches = regex_match(r, text);
            MUST(matches == regex_match(r, text));
            fuzz_sum += matches;
        }
        regex_close(r);
    }
}

/* Characters, in which a caret counts. */
static size_t width(str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.size; i++) {
        count += ((uint8_t)s.p[i] & 0xc0) != 0x80;
    }
    return count;
}

static bool is_ascii(str s)
{
    for (size_t i = 0; i < s.size; i++) {
        if ((uint8_t)s.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static void check_error(const struct err *e)
{
    str text;
    str sentence;
    str shown;

    MUST(e->code == ERR_USAGE && e->os == 0);
    MUST(memchr(e->text, '\0', sizeof(e->text)) != NULL);
    text = str_of(e->text);
    MUST(str_cut(text, '\n', &sentence, &text) && sentence.size > 0);
    MUST(str_cut(text, '\n', &shown, &text));
    MUST(str_starts(shown, STR("    ")));
    MUST(str_starts(text, STR("    ")) && str_ends(text, STR("^")));
    for (size_t i = 0; i + 1 < text.size; i++) {
        MUST(text.p[i] == ' ');
    }
    /* Bytes that are no UTF-8 are counted one by one, unlike here. */
    if (is_ascii(shown)) {
        MUST(text.size <= width(shown) + 1);
    }
    MUST(width(shown) <= 4 + 3 + 60 + 3);
    for (const char *p = e->text; *p != '\0'; p++) {
        MUST(((unsigned char)*p >= ' ' && *p != 0x7f) || *p == '\n');
    }
}

/* What the filter says of some calls, as bits. */
static uint64_t ask(const struct filter *f, const struct memory *memory,
                    const struct handles *handles)
{
    static const uint64_t results[] = { 0, 1, 0x103, 0xc0000008 };
    uint64_t all = 0;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        str name = str_of(names[i]);
        struct stub stub = { .name = name, .facts = call_find(name) };
        struct call call = { .tid = 4 * (uint32_t)i,
                             .stub = &stub,
                             .returned = i != 0,
                             .arg_mask = (1u << CALL_ARGS_MAX) - 1,
                             .before = *memory,
                             .handles = handles,
                             .result = results[i % COUNT_OF(results)],
                             .how = i == 1 ? HOW_DIRECT : HOW_ORDINARY };
        bool wants = filter_wants_name(f, name, stub.facts);
        bool pass;

        for (size_t k = 0; k < CALL_ARGS_MAX; k++) {
            call.args[k] = k == 0 ? i : MEMORY;
        }
        call.objects[0] = handles_find(handles, 4 * i);
        pass = filter_pass(f, &call);
        MUST(pass == filter_pass(f, &call));
        MUST(pass ==
             (filter_pass_entry(f, &call) && filter_pass_result(f, &call)));
        MUST(wants || !pass);
        MUST(!pass || filter_pass_thread(f, call.tid, STR("")));
        all = all << 2 | (uint64_t)pass << 1 | wants;
    }
    return all;
}

static void try_lines(str bytes, const struct memory *memory,
                      const struct handles *handles)
{
    struct filter *f = filter_open();
    struct filter_dumps d;
    str line;

    MUST(f != NULL);
    while (bytes.size > 0) {
        uint64_t before = ask(f, memory, handles);
        struct err e;
        bool ok;

        memset(&e, 0x77, sizeof(e));
        str_cut(bytes, '\n', &line, &bytes);
        if (line.size == 0) {
            break;
        }
        if (line.p[0] == '\t') {
            str path = str_slice(line, 1, line.size);

            ok = filter_add_path(f, path, &e);
            MUST(!ok || filter_path_is_absolute(path));
            MUST(!ok || filter_wants_paths(f));
        } else {
            ok = filter_add(f, line, &e);
        }
        if (!ok) {
            check_error(&e);
            MUST(ask(f, memory, handles) == before);
        }
    }
    d = filter_reads(f);
    for (size_t i = 0; i < d.count; i++) {
        fuzz_sum += (unsigned)d.handles[i];
    }
    d = filter_writes(f);
    for (size_t i = 0; i < d.count; i++) {
        fuzz_sum += (unsigned)d.handles[i];
    }
    fuzz_sum += (unsigned)ask(f, memory, handles);
    filter_close(f);
}

static void told(void *ctx, const struct call *call)
{
    (void)ctx;
    (void)call;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct model *model;
    static struct handles *handles;
    str all = { (const char *)bytes, size };
    struct memory_piece piece = { MEMORY, 0, bytes };
    struct memory memory = { &piece, 1 };

    if (!model) {
        struct model_config config = { .hold = 1 };
        struct model_out out = { .enter = told, .leave = told };
        struct err e;

        model = model_open(&config, &out, &e);
        MUST(model != NULL);
        handles = open_process(model, 32, MODE_PATCHED)->handles;
        MUST(handles != NULL);
        handles_add(handles, 4, STR("File"), STR("x"),
                    STR("C:\\windows\\win.ini"), false, 0);
        handles_add(handles, 8, STR("Key"), STR("x"),
                    STR("\\Registry\\Machine\\Software"), false, 0);
        handles_add(handles, 28, STR("File"), STR("x"), STR("\\Device\\Afd"),
                    false, 0);
    }
    if (size > 0 && bytes[0] == '/') {
        try_regex(str_slice(all, 1, size));
        return 0;
    }
    for (size_t i = 0; i + 1 < size; i++) {
        if (bytes[i] == '\n' && bytes[i + 1] == '\n') {
            piece.bytes = bytes + i + 2;
            piece.size = (uint32_t)(size - i - 2);
            break;
        }
    }
    try_lines(all, &memory, handles);
    return 0;
}
