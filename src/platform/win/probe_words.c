/* SPDX-License-Identifier: MIT */
/*
 * probe_words.c - what probe_callback.S and probe.c tell each other.
 */
#include "platform/probe.h"

#include "base/banned.h"

extern volatile uint32_t probe_armed;
extern volatile uint32_t probe_count;
extern volatile uint64_t probe_only_teb;
extern volatile uint64_t probe_only_rip;
extern struct probe_event probe_events[PROBE_EVENTS];
extern const uint64_t probe_pattern[16][2];

volatile uint32_t probe_armed;
volatile uint32_t probe_count;
volatile uint64_t probe_only_teb;
volatile uint64_t probe_only_rip;
struct probe_event probe_events[PROBE_EVENTS];

#define PATTERN(n)                                             \
    {                                                          \
        UINT64_C(0x1122334455667788) + (n), ~UINT64_C(0) - (n) \
    }
const uint64_t probe_pattern[16][2] = {
    PATTERN(0),  PATTERN(1),  PATTERN(2),  PATTERN(3),
    PATTERN(4),  PATTERN(5),  PATTERN(6),  PATTERN(7),
    PATTERN(8),  PATTERN(9),  PATTERN(10), PATTERN(11),
    PATTERN(12), PATTERN(13), PATTERN(14), PATTERN(15),
};
