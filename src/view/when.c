/* SPDX-License-Identifier: MIT */
/*
 * when.c - moments as users name them, and what lies between two of them.
 *
 * Touches nothing but what it is given. Fails on words that are no time.
 */
#include "view/when.h"

#include "base/banned.h"

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)

/* --- the user's words --- */

/* Takes 1 to `most` digits off *s. */
static bool take_number(str *s, size_t most, int64_t *out)
{
    int64_t n = 0;
    size_t i = 0;

    while (i < s->size && s->p[i] >= '0' && s->p[i] <= '9') {
        if (i == most) {
            return false;
        }
        n = n * 10 + (s->p[i] - '0');
        i++;
    }
    *s = str_slice(*s, i, s->size);
    *out = n;
    return i > 0;
}

static bool take_char(str *s, char c)
{
    if (s->size == 0 || s->p[0] != c) {
        return false;
    }
    *s = str_slice(*s, 1, s->size);
    return true;
}

/* Takes ".5" or nothing; as nanoseconds. */
static bool take_fraction(str *s, int64_t *out)
{
    size_t before;
    int64_t n = 0;

    *out = 0;
    if (!take_char(s, '.')) {
        return true;
    }
    before = s->size;
    if (!take_number(s, 9, &n)) {
        return false;
    }
    for (size_t digits = before - s->size; digits < 9; digits++) {
        n *= 10;
    }
    *out = n;
    return true;
}

static bool read_when(struct when *out, str s)
{
    int64_t n, minutes, seconds, ns;

    if (!take_number(&s, 9, &n)) {
        return false;
    }
    out->of_day = take_char(&s, ':');
    if (out->of_day) {
        if (!take_number(&s, 2, &minutes) || !take_char(&s, ':') ||
            !take_number(&s, 2, &seconds) || n > 23 || minutes > 59 ||
            seconds > 59) {
            return false;
        }
        n = (n * 60 + minutes) * 60 + seconds;
    }
    if (!take_fraction(&s, &ns)) {
        return false;
    }
    if (!out->of_day) {
        take_char(&s, 's');
    }
    out->ns = n * SECOND + ns;
    return s.size == 0;
}

bool when_parse(struct when *out, str text, const char *option, struct err *e)
{
    if (!read_when(out, text)) {
        return err_set(e, ERR_USAGE,
                       "%s: '%.*s' is no time; there are seconds from the "
                       "start, as in 12.5, and times of day, as in 14:03:07.5",
                       option, STR_ARGS(text));
    }
    return true;
}

int64_t when_ns(const struct when *w, int64_t wall_ns, int32_t utc_offset,
                int64_t last_ns)
{
    int64_t start, ns;

    if (!w->of_day) {
        return w->ns;
    }
    /* Files say what they like: the day first, so that nothing overflows. */
    start = wall_ns % DAY + utc_offset % 86400 * SECOND;
    ns = w->ns - (start % DAY + DAY) % DAY;
    return ns < 0 && ns + DAY <= last_ns ? ns + DAY : ns;
}

/* --- between two --- */

void when_range_set(struct when_range *r, int64_t from, int64_t to)
{
    *r = (struct when_range){
        .limited = true,
        .from = { .ns = from, .behind = UINT64_MAX },
        .end = { .ns = to < INT64_MAX ? to + 1 : to, .behind = UINT64_MAX },
    };
}

/* True if `tsc` is at `edge` or later. */
static bool is_behind(struct when_edge *edge, const struct clock *c,
                      uint64_t tsc)
{
    if (tsc <= edge->before && edge->before != 0) {
        return false;
    }
    if (tsc >= edge->behind) {
        return true;
    }
    if (clock_ns(c, tsc) < edge->ns) {
        edge->before = tsc;
        return false;
    }
    edge->behind = tsc;
    return true;
}

bool when_range_asked(struct when_range *r, const struct clock *c, uint64_t tsc)
{
    return is_behind(&r->from, c, tsc) && !is_behind(&r->end, c, tsc);
}
