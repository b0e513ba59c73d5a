/* SPDX-License-Identifier: MIT */
/*
 * pairs.c - those of the other run are sorted by how they begin. Which begin most
 * alike then stand next to where one would stand itself: it is looked for on both
 * sides, no farther than there are others as much alike. Who is chosen leaves the
 * list.
 *
 * Touches nothing but what it is given; fails for want of memory alone.
 */
#include "report/pairs.h"

#include "base/array.h"

#include <stdlib.h>

#include "base/banned.h"

struct place {
    const struct pairs_row *row;
    uint32_t number;
    uint32_t
        common;  // calls that it and the one before it in the list begin with
    size_t
        before;  // in the list, places from 1; of one that left it any before
    size_t behind;
    bool left;
};

/* Place 0 is the end of the list on both sides. */
struct list {
    struct place *places;  // owned
    size_t count;          // without that one
    uint64_t compared;
};

struct choice {
    size_t place;  // 0: none
    uint32_t common;
    bool start;
};

/* How many calls both begin with. */
static uint32_t common_of(const struct pairs_row *x, const struct pairs_row *y)
{
    uint32_t n = 0;

    while (n < PAIRS_PREFIX && n < x->count && n < y->count &&
           x->calls[n] == y->calls[n]) {
        n++;
    }
    return n;
}

static uint32_t count_common(struct list *l, const struct pairs_row *x,
                             const struct pairs_row *y)
{
    uint32_t common = common_of(x, y);

    l->compared += common + 1;
    return common;
}

/* In the order of how they begin, of which `n` calls are the same. */
static int by_rest(const struct pairs_row *x, const struct pairs_row *y,
                   uint32_t n)
{
    if (n == PAIRS_PREFIX || (n == x->count && n == y->count)) {
        return 0;
    }
    if (n == x->count || n == y->count) {
        return n == x->count ? -1 : 1;
    }
    return x->calls[n] < y->calls[n] ? -1 : 1;
}

static int by_beginning(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    int rest;

    if (x->row->group != y->row->group) {
        return x->row->group < y->row->group ? -1 : 1;
    }
    rest = by_rest(x->row, y->row, common_of(x->row, y->row));
    return rest != 0 ? rest : x->number < y->number ? -1 : 1;
}

static bool make_list(struct list *l, const struct pairs_row *b, size_t count)
{
    *l = (struct list){ calloc(count + 1, sizeof(*l->places)), count, 0 };
    if (l->places == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        l->places[i + 1].row = &b[i];
        l->places[i + 1].number = (uint32_t)i;
    }
    array_sort(l->places + 1, count, sizeof(*l->places), by_beginning);
    for (size_t i = 1; i <= count; i++) {
        struct place *p = &l->places[i];

        p->before = i - 1;
        p->behind = i < count ? i + 1 : 0;
        if (i > 1) {
            p->common = count_common(l, p[-1].row, p->row);
        }
    }
    l->places[0].behind = count > 0 ? 1 : 0;
    return true;
}

/* The last place in which one stands that comes before `a`; 0: none does. */
static size_t last_before(struct list *l, const struct pairs_row *a)
{
    size_t low = 0, high = l->count;

    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        const struct pairs_row *row = l->places[middle].row;
        bool before = row->group != a->group
                          ? row->group < a->group
                          : by_rest(row, a, count_common(l, row, a)) < 0;

        if (before) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

/* The next one before it, or itself, that is in the list still. */
static size_t still_there(struct list *l, size_t place)
{
    size_t there = place;

    while (there != 0 && l->places[there].left) {
        there = l->places[there].before;
    }
    while (place != there) {
        size_t next = l->places[place].before;

        l->places[place].before = there;
        place = next;
    }
    return there;
}

static void consider(const struct list *l, const struct pairs_row *a,
                     size_t place, uint32_t common, struct choice *best)
{
    const struct place *p = &l->places[place];
    bool start = p->row->start == a->start;
    bool better = best->place == 0         ? true
                  : common != best->common ? common > best->common
                  : start != best->start
                      ? start
                      : p->number < l->places[best->place].number;

    if (better) {
        *best = (struct choice){ place, common, start };
    }
}

/* From `place` on, which is the next to `a` on this side. */
static void look(struct list *l, const struct pairs_row *a, size_t place,
                 bool behind, struct choice *best)
{
    uint32_t common = PAIRS_PREFIX;
    bool first = true;

    while (place != 0 && l->places[place].row->group == a->group) {
        const struct place *p = &l->places[place];
        uint32_t same;

        if (first) {
            same = count_common(l, a, p->row);
        } else {
            same = behind ? p->common : l->places[p->behind].common;
        }
        first = false;
        common = same < common ? same : common;
        if (best->place != 0 && common < best->common) {
            return;
        }
        consider(l, a, place, common, best);
        place = behind ? p->behind : p->before;
    }
}

static void leave(struct list *l, size_t place)
{
    struct place *p = &l->places[place];
    struct place *next = &l->places[p->behind];

    p->left = true;
    l->places[p->before].behind = p->behind;
    if (p->behind != 0) {
        next->before = p->before;
        next->common = p->common < next->common ? p->common : next->common;
    }
}

bool pairs_choose(const struct pairs_row *a, size_t a_count,
                  const struct pairs_row *b, size_t b_count, uint32_t *chosen,
                  uint64_t *compared)
{
    struct list l;
    bool ok = make_list(&l, b, b_count);

    for (size_t i = 0; i < a_count; i++) {
        struct choice best = { 0, 0, false };

        chosen[i] = PAIRS_NONE;
        if (ok && a[i].group != PAIRS_NONE) {
            size_t before = still_there(&l, last_before(&l, &a[i]));

            look(&l, &a[i], before, false, &best);
            look(&l, &a[i], l.places[before].behind, true, &best);
        }
        if (best.place != 0) {
            chosen[i] = l.places[best.place].number;
            leave(&l, best.place);
        }
    }
    *compared = l.compared;
    free(l.places);
    return ok;
}
