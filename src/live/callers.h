/* SPDX-License-Identifier: MIT */
/*
 * callers.h - which module a call comes from, while its thread waits in the agent:
 * by the unwind data of the images as they lie in the process.
 */
#ifndef LIVE_CALLERS_H
#define LIVE_CALLERS_H

#include "live/traced.h"

#include <stdbool.h>
#include <stdint.h>

/* The module of the first caller that is none through which everybody calls
 * (decode.h); the name lasts as long as the image. `ring` is that of its thread,
 * which waits with the call's entry. False: it is not known, or the code is in no
 * module. */
bool callers_first(struct traced *t, const struct ring *ring,
                   const struct record_entry *entry, str *module);
/* Gives back what was read of an image; NULL is fine. */
void callers_forget(struct image_file *file);

#endif
