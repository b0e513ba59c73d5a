/* SPDX-License-Identifier: MIT */
/*
 * losses.h - what is missing in a recording, by reason: counted while it is
 * made, and when it is looked at.
 */
#ifndef RECORD_LOSSES_H
#define RECORD_LOSSES_H

#include "base/str.h"
#include "model/model.h"

#include <stdbool.h>
#include <stdint.h>

struct losses {
    uint64_t count[LOST_COUNT];  // records; of LOST_DATA pieces of memory
};

/* One more LOST of the journal, whole, of any alignment. */
void losses_take(struct losses *l, const void *record);
/* Records that are missing, whatever the reason. */
uint64_t losses_records(const struct losses *l);
/* "7 records: no ring", in `b`; nothing, and false, if nothing is missing for
 * that reason. */
bool losses_text(const struct losses *l, enum model_lost why, struct buf *b);

#endif
