/* SPDX-License-Identifier: MIT */
/*
 * losses.c - sums of LOSTs. Touches its arguments; reasons that it does not know
 * are damage.
 */
#include "record/losses.h"

#include "wire/journal.h"

#include <string.h>

#include "base/banned.h"

void losses_take(struct losses *l, const void *record)
{
    struct journal_lost lost;

    memcpy(&lost, record, sizeof(lost));
    l->count[lost.why < LOST_COUNT ? lost.why : LOST_DAMAGED] += lost.count;
}

uint64_t losses_records(const struct losses *l)
{
    uint64_t sum = 0;

    for (uint64_t why = 0; why < LOST_COUNT; why++) {
        sum += why == LOST_DATA ? 0 : l->count[why];
    }
    return sum;
}

bool losses_text(const struct losses *l, enum model_lost why, struct buf *b)
{
    if (l->count[why] == 0) {
        return false;
    }
    buf_addf(b, "%llu %s: %.*s", (unsigned long long)l->count[why],
             why == LOST_DATA ? "pieces of memory" : "records",
             STR_ARGS(lost_reason(why)));
    return true;
}
