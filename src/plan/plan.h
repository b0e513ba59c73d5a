/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what is recorded of each call, decided in one place: from what the
 * user wants to see (view), and from what we do about calls (tables/roles.h).
 *
 * The plan makes the rows and capture programs that the agent works by
 * (wire/section.h, wire/capture.h); who has a process to trace puts them into
 * its section. The same program is there once, whatever calls and processes
 * have it.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "decode/capture.h"
#include "filter/filter.h"
#include "tables/calls.h"
#include "wire/section.h"

#include <stdbool.h>
#include <stdint.h>

/* What is wanted of the calls: what is not is not recorded. */
struct plan_wants {
    const struct filter *filter;  // borrowed
    bool arguments;               // with what their arguments point to
    bool handles;                 // what handles refer to is kept
    bool paths;                   // the names that calls open are looked at
    struct capture_options capture;
    uint32_t stack;  // bytes of it that are copied of each such call
    bool nothing;    // but what we act on ourselves
};

/* What the tracer itself wants to know of a service, and the row that was made
 * for it: once, whatever processes have it. */
struct plan_service {
    uint32_t roles;                  // enum call_role
    uint32_t code_args;              // bit i: argument i is an address of code
    const struct call_facts *facts;  // as on the target's system; may be NULL
    uint16_t use;        // 1 + index of the first in plan.uses; 0: none
    uint64_t name_hash;  // 0: no row was made yet
    struct call_row row;
};

struct plan {
    struct plan_wants wants;
    struct call_system system;  // that the calls are made on
    bool entries;               // they are seen: else there is nothing to copy
    /* Capture programs, one behind the other: what is to stand in the section
     * from SECTION_PROGRAMS on. */
    uint8_t *bytes;  // owned
    uint32_t used;
    uint32_t left_out;      // calls whose program found no room
    struct program_at *at;  // owned, `count` of them
    uint32_t count;
    size_t room;
    /* What the rules do about the calls whose rows were made so far, as it is
     * to stand in the section (wire/tamper.h). */
    struct tamper_use *uses;  // owned
    uint32_t use_count;
    size_t use_room;
    uint32_t uses_left_out;                       // more than there is room for
    struct plan_service services[SERVICE_COUNT];  // by number; rows made so far
};

void plan_open(struct plan *p, const struct plan_wants *wants,
               struct call_system system, bool entries);
void plan_close(struct plan *p);

/* The row of the call `name`, which has `number`; its program, if it is a new
 * one, is at the end of p->bytes. Without memory it has none. */
struct call_row plan_row(struct plan *p, str name, uint16_t number);

/* What rules do about service `number`, in their order; NULL: nothing (more). */
const struct tamper_use *plan_first_use(const struct plan *p, uint16_t number);
const struct tamper_use *plan_next_use(const struct plan *p,
                                       const struct tamper_use *use);
/* Writes what rules do about service `number` to `section`, from
 * SECTION_TAMPER on, where all was 0 before the first time; what was counted there
 * since stays. */
void plan_put_uses(const struct plan *p, uint16_t number, char *section);
/* The same of the rules themselves, whose times are in ticks of a clock. */
void plan_put_rules(const struct plan *p, uint64_t ticks_per_ms, char *section);

#endif
