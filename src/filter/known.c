/* SPDX-License-Identifier: MIT */
/*
 * known.c - names that may stand in an expression, and the nearest of them.
 *
 * The names are taken from the rows of the tables once more, as bare lists:
 * only someone who mistyped a name needs to walk through all of them.
 */
#include "filter/known.h"

#include <string.h>

#include "base/banned.h"

/* clang-format off */
#define CALL(name_, ...) STR_INIT(#name_),
#define CALL0(name_, ...) STR_INIT(#name_),
#define COUNT(name_, count_) STR_INIT(#name_),
#define CHANGES(name_, ...) STR_INIT(#name_),
static const str calls[] = {
#include "tables/calls_nt.def"
#include "tables/calls_win32k.def"
#ifndef NO_LGPL_ROWS
#include "tables/calls_win32k_lgpl.def"
#include "tables/win32k_wine.def"
#endif
#include "tables/win32k_counts.def"
};

#define STATUS(value_, name_) STR_INIT(#name_),
#define ALIAS(value_, name_) STR_INIT(#name_),
static const str statuses[] = {
#include "tables/status.def"
#ifndef NO_LGPL_ROWS
#include "tables/status_wine.def"
#endif
};
/* clang-format on */

size_t known_call_count(void)
{
    return COUNT_OF(calls);
}

str known_call_at(size_t index)
{
    return calls[index];
}

size_t known_status_count(void)
{
    return COUNT_OF(statuses);
}

str known_status_at(size_t index)
{
    return statuses[index];
}

static bool find(str name, bool (*eq)(str, str), str *out)
{
    char other[NEAREST_BYTES_MAX];
    bool zw = name.size > 2 && name.size <= sizeof(other) &&
              eq(str_slice(name, 0, 2), STR("Zw"));

    for (int i = 0; i < 1 + zw; i++) {
        if (i == 1) {
            memcpy(other, name.p, name.size);
            memcpy(other, "Nt", 2);
            name.p = other;
        }
        for (size_t k = 0; k < COUNT_OF(calls); k++) {
            if (eq(calls[k], name)) {
                *out = calls[k];
                return true;
            }
        }
    }
    return false;
}

bool known_call_find(str name, str *out)
{
    return find(name, str_eq, out) || find(name, str_eq_nocase, out);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Edits between two names of at most NEAREST_BYTES_MAX bytes; two letters
 * swapped are one. Three rows of the usual table. */
static uint32_t distance(str a, str b)
{
    uint32_t rows[3][NEAREST_BYTES_MAX + 1];
    uint32_t *before = rows[0];
    uint32_t *last = rows[1];
    uint32_t *row = rows[2];

    for (uint32_t k = 0; k <= b.size; k++) {
        last[k] = k;
        before[k] = k;
    }
    for (uint32_t i = 1; i <= a.size; i++) {
        uint32_t *oldest = before;

        row[0] = i;
        for (uint32_t k = 1; k <= b.size; k++) {
            bool same = lower(a.p[i - 1]) == lower(b.p[k - 1]);
            uint32_t n = least(last[k], row[k - 1]) + 1;

            n = least(n, last[k - 1] + !same);
            if (i > 1 && k > 1 && lower(a.p[i - 1]) == lower(b.p[k - 2]) &&
                lower(a.p[i - 2]) == lower(b.p[k - 1])) {
                n = least(n, before[k - 2] + 1);
            }
            row[k] = n;
        }
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.size];
}

struct nearest nearest_to(str typed)
{
    /* A third of it may be wrong. */
    uint32_t within =
        typed.size > NEAREST_BYTES_MAX ? 0 : (uint32_t)typed.size / 3 + 1;

    return (struct nearest){ typed, STR(""), within };
}

void nearest_try(struct nearest *n, str name)
{
    size_t apart = name.size > n->typed.size ? name.size - n->typed.size
                                             : n->typed.size - name.size;
    uint32_t edits;

    if (name.size > NEAREST_BYTES_MAX || apart >= n->within) {
        return;
    }
    edits = distance(n->typed, name);
    if (edits < n->within) {
        n->within = edits;
        n->best = name;
    }
}

str nearest_call(str typed)
{
    char room[NEAREST_BYTES_MAX];
    struct buf nt = BUF_OVER(room);
    struct nearest n = nearest_to(typed);
    str found;

    /* CreateFileW, CreateFile: NtCreateFile. MessageBeep: NtUserMessageBeep. */
    for (size_t cut = 0; cut <= 1 && cut < typed.size; cut++) {
        str stem = str_slice(typed, 0, typed.size - cut);

        if (cut == 1 && !str_ends(typed, STR("W")) &&
            !str_ends(typed, STR("A"))) {
            break;
        }
        for (int user = 0; user < 2; user++) {
            nt.size = 0;
            nt.cut = false;
            buf_add(&nt, user ? STR("NtUser") : STR("Nt"));
            buf_add(&nt, stem);
            if (!nt.cut && find(buf_str(&nt), str_eq_nocase, &found)) {
                return found;
            }
        }
    }
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        nearest_try(&n, calls[i]);
    }
    return n.best;
}
