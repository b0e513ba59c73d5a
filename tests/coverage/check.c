/* SPDX-License-Identifier: MIT */
/*
 * coverage_check TRACE CALLED - is everything that the tables know in the
 * trace of the coverage target?
 *
 * TRACE is the trace, as text; CALLED what the target printed. For each call
 * that was made there must be a line with all its parameters by name and in
 * order, in which each parameter with a set has the names of the value that
 * was passed (choice.h), and none is unknown. And in every line of the trace,
 * whoever made the call, no parameter with a set may be a bare number that
 * the set has a name for.
 *
 * Prints what is wrong, then
 *
 *   known K, implemented here I, excluded X, called C, decoded D
 *   N passed, M failed
 *
 * Status 0 if nothing failed. Files are read whole; both are our own.
 */
#include "coverage/choice.h"
#include "coverage/told.h"

#include <stdio.h>
#include <stdlib.h>

static bool wine;
static size_t passed;
static size_t failed;

static str read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t room = 1 << 20;
    size_t size = 0;
    char *p = malloc(room);

    while (f && p) {
        size_t got = fread(p + size, 1, room - size, f);

        size += got;
        if (got == 0) {
            fclose(f);
            return (str){ p, size };
        }
        if (size == room) {
            room *= 2;
            p = realloc(p, room);
        }
    }
    fprintf(stderr, "coverage_check: cannot read %s\n", path);
    exit(2);
}

static const struct call_facts *find(str name)
{
    return call_find_on(name, (struct call_system){ .wine = wine });
}

/* NULL if the line tells the call as the target made it, else what is wrong.*/
static const char *judge(const struct told_line *line,
                         const struct call_facts *call)
{
    static char room[8192];
    struct buf b = BUF_OVER(room);

    if (line->count != call->arg_count || line->more) {
        return "not all parameters, or too many";
    }
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const struct name_set *set = coverage_set(call, i);
        str value = line->args[i].value;
        size_t from = b.size;
        str want;

        if (!str_eq(line->args[i].name, str_of(call->args[i].name))) {
            return "a parameter without its name, or not in its place";
        }
        if (str_eq(value, STR("?"))) {
            return "a parameter is unknown";
        }
        if (!set) {
            continue;
        }
        want = line_words(set, coverage_value(call, i), &b);
        want = str_slice(want, from, want.size);
        if (coverage_by_value(call, i)           ? !str_eq(value, want)
            : (call->args[i].direction & ARG_IN) ? !line_contains(value, want)
                                                 : false) {
            buf_add(&b, STR(" is what "));
            buf_add(&b, str_of(call->args[i].name));
            buf_add(&b, STR(" should be"));
            buf_add_char(&b, '\0');
            return room + from;
        }
    }
    return NULL;
}

/* A number that its set has a name for. */
static bool bare(const struct name_set *set, str value, bool pointer)
{
    const char *names[NAMES_SPLIT_MAX];
    uint64_t number;
    uint64_t rest;

    if (pointer) {
        if (!str_starts(value, STR("["))) {
            return false;  // an address
        }
        value = str_slice(value, 1, value.size - 1);
    }
    return str_to_u64(value, &number) &&
           names_split(set, number, names, &rest) > 0;
}

static void check_bare(const struct told_line *line)
{
    const struct call_facts *call = find(line->name);

    for (uint32_t i = 0; call && i < line->count; i++) {
        for (uint32_t k = 0; k < call->arg_count; k++) {
            const struct name_set *set = coverage_set(call, k);

            if (set && str_eq(line->args[i].name, str_of(call->args[k].name)) &&
                bare(set, line->args[i].value, !coverage_by_value(call, k))) {
                printf("FAIL a bare number that %s has a name for, %s:\n"
                       "     %.*s\n",
                       set->name, call->args[k].name, STR_ARGS(line->text));
                failed++;
            }
        }
    }
}

static bool check_called(str name, const struct told_line *lines, size_t count)
{
    const struct call_facts *call = find(name);
    const struct told_line *best = NULL;
    const char *why = "it is not in the trace";

    for (size_t i = 0; call && i < count; i++) {
        if (str_eq(lines[i].name, name)) {
            const char *wrong = judge(&lines[i], call);

            if (!wrong) {
                return true;
            }
            best = &lines[i];
            why = wrong;
        }
    }
    /* The last line of that name is likely the target's. */
    printf("FAIL %.*s: ", STR_ARGS(name));
    if (best) {
        why = judge(best, call);
    }
    printf("%s\n", why);
    if (best) {
        printf("     %.*s\n", STR_ARGS(best->text));
    }
    return false;
}

int main(int argc, char **argv)
{
    str trace;
    str called;
    str text;
    struct told_line *lines;
    size_t count = 0;
    size_t lines_all = 1;
    size_t excluded = 0;
    size_t made = 0;
    size_t decoded = 0;
    size_t without_row = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: coverage_check TRACE CALLED\n");
        return 2;
    }
    trace = read_file(argv[1]);
    called = read_file(argv[2]);
    for (size_t i = 0; i < trace.size; i++) {
        lines_all += trace.p[i] == '\n';
    }
    lines = calloc(lines_all, sizeof(*lines));
    if (!lines) {
        return 2;
    }
    wine = str_starts(called, STR("wine 1"));
    while (str_cut(trace, '\n', &text, &trace)) {
        if (line_parse(text, &lines[count])) {
            check_bare(&lines[count]);
            count++;
        }
    }
    if (failed == 0) {
        passed++;
    }
    while (str_cut(called, '\n', &text, &called)) {
        str kind;
        str name;
        str rest;

        (void)str_cut(text, ' ', &kind, &name);
        (void)str_cut(name, ' ', &name, &rest);
        if (name.size > 0 && name.p[name.size - 1] == '\r') {
            name = str_slice(name, 0, name.size - 1);
        }
        excluded += str_eq(kind, STR("excluded"));
        without_row += str_eq(kind, STR("norow"));
        if (str_eq(kind, STR("called"))) {
            bool ok = check_called(name, lines, count);

            made++;
            decoded += ok;
            passed += ok;
            failed += !ok;
        } else if (str_eq(kind, STR("norow"))) {
            printf("no row: %.*s\n", STR_ARGS(name));
        } else if (str_eq(kind, STR("excluded"))) {
            printf("not called: %.*s: %.*s\n", STR_ARGS(name), STR_ARGS(rest));
        }
    }
    if (made == 0) {
        printf("FAIL the target called nothing\n");
        failed++;
    }
    printf("known %zu, implemented here %zu (%zu more without a row), "
           "excluded %zu, called %zu, decoded %zu\n",
           call_count(), made + excluded, without_row, excluded, made, decoded);
    printf("%zu passed, %zu failed\n", passed, failed);
    free(lines);
    return failed != 0;
}
