/* SPDX-License-Identifier: MIT */
/*
 * table.c - rows in one block, found by open addressing. Fails only for want of
 * room.
 */
#include "report/table.h"

#include "base/array.h"
#include "base/keyed.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define SLOTS_FIRST ((size_t)256)

void table_init(struct table *t, size_t row_size, size_t most)
{
    *t = (struct table){ .row_size = row_size, .most = most };
}

void table_close(struct table *t)
{
    free(t->rows);
    free(t->slots);
    *t = (struct table){ 0 };
}

void *table_at(const struct table *t, size_t number)
{
    return (char *)t->rows + number * t->row_size;
}

static const struct table_key *key_at(const struct table *t, size_t number)
{
    return table_at(t, number);
}

static uint32_t *find(const struct table *t, struct table_key key)
{
    size_t at = keyed_pair(key.a, key.b) & (t->slot_count - 1);

    while (t->slots[at] != 0) {
        const struct table_key *other = key_at(t, t->slots[at] - 1);

        if (other->a == key.a && other->b == key.b) {
            break;
        }
        at = (at + 1) & (t->slot_count - 1);
    }
    return &t->slots[at];
}

static bool widen(struct table *t)
{
    size_t count = t->slot_count > 0 ? t->slot_count * 2 : SLOTS_FIRST;
    uint32_t *slots = calloc(count, sizeof(*slots));

    if (slots == NULL) {
        return false;
    }
    free(t->slots);
    t->slots = slots;
    t->slot_count = count;
    for (size_t i = 0; i < t->count; i++) {
        *find(t, *key_at(t, i)) = (uint32_t)i + 1;
    }
    return true;
}

void *table_find(const struct table *t, struct table_key key)
{
    const uint32_t *slot = t->slot_count > 0 ? find(t, key) : NULL;

    return slot != NULL && *slot != 0 ? table_at(t, *slot - 1) : NULL;
}

void *table_row(struct table *t, struct table_key key)
{
    void *row = table_find(t, key);

    if (row != NULL) {
        return row;
    }
    if (t->count >= t->most || (t->count >= t->slot_count / 2 && !widen(t)) ||
        !array_grow(&t->rows, &t->room, t->count, t->row_size)) {
        t->refused++;
        return NULL;
    }
    row = table_at(t, t->count);
    memset(row, 0, t->row_size);
    memcpy(row, &key, sizeof(key));
    *find(t, key) = (uint32_t)++t->count;
    return row;
}
