/* SPDX-License-Identifier: MIT */
/*
 * grammar.c - does every line of a trace keep to docs/output.md?
 *
 *   grammar [FILE ...]     checks the files, or standard input
 *   grammar --self-test    checks itself by lines known to be good and bad
 *
 * Says FILE:LINE:COLUMN of the first mistake of each bad line (at most
 * MISTAKES of them), then how many lines were checked. Exit status 0: all of
 * them are good, and there was at least one; 1: not so; 2: a file that cannot
 * be read.
 */
#include "grammar.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MISTAKES 20

struct totals {
    unsigned long lines;
    unsigned long bad;
};

static void check_line(struct totals *n, const char *file, unsigned long line,
                       const char *p, size_t size, bool ended)
{
    size_t column = ended ? grammar_mistake((str){ p, size }) : size + 1;

    n->lines++;
    if (column == 0) {
        return;
    }
    n->bad++;
    if (n->bad <= MISTAKES) {
        printf("%s:%lu:%zu: %s\n    %.*s\n", file, line, column,
               ended ? "not in the grammar" : "no newline at the end",
               (int)(size < 500 ? size : 500), p);
    }
}

static bool check_file(struct totals *n, const char *file, FILE *in)
{
    size_t room = 1 << 16;
    size_t size = 0;
    unsigned long line = 0;
    char *p = malloc(room);
    int c;

    while (p && (c = getc(in)) != EOF) {
        if (c == '\n') {
            check_line(n, file, ++line, p, size, true);
            size = 0;
            continue;
        }
        if (size == room) {
            char *bigger = realloc(p, room *= 2);

            if (!bigger) {
                free(p);
                return false;
            }
            p = bigger;
        }
        p[size++] = (char)c;
    }
    if (p && size > 0) {
        check_line(n, file, ++line, p, size, false);
    }
    free(p);
    return p && !ferror(in);
}

/* --- The self-test ---------------------------------------------------- */

static const char *const good[] = {
#define GOOD(line) line,
#define BAD(column, line)
#include "grammar_lines.def"
#undef GOOD
#undef BAD
};

static const struct {
    size_t column;
    const char *line;
} bad[] = {
#define GOOD(line)
#define BAD(column_, line_) { column_, line_ },
#include "grammar_lines.def"
#undef GOOD
#undef BAD
};

static int self_test(void)
{
    int wrong = 0;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        size_t column = grammar_mistake(str_of(good[i]));

        if (column != 0) {
            printf("good, but refused at %zu: %s\n", column, good[i]);
            wrong++;
        }
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        size_t column = grammar_mistake(str_of(bad[i].line));

        if (column != bad[i].column) {
            printf("bad at %zu, but %zu: %s\n", bad[i].column, column,
                   bad[i].line);
            wrong++;
        }
    }
    printf("grammar: %zu good and %zu bad lines, %d judged wrongly\n",
           COUNT_OF(good), COUNT_OF(bad), wrong);
    return wrong != 0;
}

int main(int argc, char **argv)
{
    struct totals n = { 0 };

    if (argc == 2 && strcmp(argv[1], "--self-test") == 0) {
        return self_test();
    }
    if (argc < 2 && !check_file(&n, "stdin", stdin)) {
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        FILE *in = fopen(argv[i], "rb");
        bool ok = in && check_file(&n, argv[i], in);

        if (in) {
            fclose(in);
        }
        if (!ok) {
            fprintf(stderr, "grammar: cannot read %s\n", argv[i]);
            return 2;
        }
    }
    printf("grammar: %lu lines checked, %lu bad\n", n.lines, n.bad);
    return n.bad > 0 || n.lines == 0;
}
