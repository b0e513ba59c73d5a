/* SPDX-License-Identifier: MIT */
/*
 * places.h - addresses of code in records that lie in no known image: what
 * they are part of is found out before the record goes to the model, and told
 * as PLACE, or as MODULE.
 *
 * It is asked from outside (ask.h), and only while no thread of the target
 * waits for us. A record may be kept back for a while for that; then it goes
 * on, and its address stays bare.
 */
#ifndef LIVE_PLACES_H
#define LIVE_PLACES_H

#include "live/traced.h"

#include <stdbool.h>
#include <stdint.h>

/* A new look at the rings begins: what was found out before is old. */
void places_begin(struct traced *t);

/* Of `size` bytes of whole records of `d`, how many come before the first with
 * an address that has to be asked for. */
uint32_t places_known(struct traced *t, const uint8_t *bytes, uint32_t size);

/* Asks for the addresses of the first of these records, and tells what was
 * found. False: not now; the record is to be kept back. */
bool places_ask(struct traced *t, struct drained *d, const uint8_t *bytes,
                uint32_t size, uint64_t now);

/* What `address` is part of, asked here and now. */
void places_find(struct traced *t, uint64_t time, uint64_t address);
/* What a thread of the target, or we, found out: tells it. */
void places_tell(struct traced *t, uint64_t time, uint64_t address,
                 const struct region_told *told);

#endif
