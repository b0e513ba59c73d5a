/* SPDX-License-Identifier: MIT */
/*
 * leftover.h - what a tracer has left in a process: stubs that lead to thunks
 * of ours, and the agent behind these.
 */
#ifndef LIVE_LEFTOVER_H
#define LIVE_LEFTOVER_H

#include "platform/target.h"

#include <stddef.h>
#include <stdint.h>

/* In `bytes`, a copy of the module at `base`: puts the heads of such stubs back,
 * with the numbers that stand in their thunks. Returns where the agent of one
 * of them is; 0: there were none. */
uint64_t leftover_mend(const struct os_process *p, uint64_t base,
                       uint8_t *bytes, size_t size);
#endif
