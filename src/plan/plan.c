/* SPDX-License-Identifier: MIT */
/*
 * plan.c - rows and capture programs, from wishes and roles.
 *
 * Touches nothing but the plan. Fails for want of memory only: then calls are
 * recorded without what their arguments point to, and counted.
 */
#include "plan/plan.h"

#include "base/array.h"
#include "base/hash.h"
#include "tables/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

void plan_open(struct plan *p, const struct plan_wants *wants,
               struct call_system system, bool entries)
{
    memset(p, 0, sizeof(*p));
    p->wants = *wants;
    p->system = system;
    p->entries = entries;
}

void plan_close(struct plan *p)
{
    free(p->bytes);
    free(p->at);
    p->bytes = NULL;
    p->at = NULL;
    p->used = 0;
    p->count = 0;
    p->room = 0;
}

/* --- programs --- */

/* Where a program stands in the copy, and what tells most others apart. */
struct program_at {
    uint32_t hash;
    uint32_t at;
    uint32_t size;
};

/* Makes room for one more program of `size` bytes. */
static bool room_for_program(struct plan *p, size_t size)
{
    const uint32_t most = SECTION_RINGS - SECTION_PROGRAMS;

    if (p->bytes == NULL) {
        p->bytes = malloc(most);
    }
    return p->bytes != NULL && size <= most - p->used &&
           array_grow(&p->at, &p->room, p->count, sizeof(p->at[0]));
}

/* Puts a program into the section, once; its offset, 0 if there is no room.
 * What is there already is compared with our own copy: the section is the
 * target's to write. */
static uint32_t place_program(struct plan *p, const uint8_t *bytes, size_t size)
{
    uint32_t hash = hash_fold(hash_add(HASH_START, bytes, size));

    for (uint32_t i = 0; i < p->count; i++) {
        if (p->at[i].hash == hash && p->at[i].size == size &&
            memcmp(p->bytes + p->at[i].at, bytes, size) == 0) {
            return SECTION_PROGRAMS + p->at[i].at;
        }
    }
    if (!room_for_program(p, size)) {
        p->left_out++;
        return 0;
    }
    memcpy(p->bytes + p->used, bytes, size);
    p->at[p->count++] = (struct program_at){ hash, p->used, (uint32_t)size };
    p->used += (uint32_t)size;
    return SECTION_PROGRAMS + p->used - (uint32_t)size;
}

/* The program in `room`, of `size` bytes or none so far, copies the stack as
 * well; its size. */
static size_t add_stack(const struct plan *p, uint64_t *room, size_t size)
{
    struct capture_program head = { .stack = 0 };
    uint32_t bytes =
        p->wants.stack < CAPTURE_STACK_MAX ? p->wants.stack : CAPTURE_STACK_MAX;

    if (size > 0) {
        memcpy(&head, room, sizeof(head));
    } else {
        size = sizeof(head);
    }
    head.stack =
        (uint16_t)((bytes + CAPTURE_STACK_UNIT - 1) / CAPTURE_STACK_UNIT);
    memcpy(room, &head, sizeof(head));
    return size;
}

static uint32_t add_program(struct plan *p, const struct call_facts *facts,
                            bool names_only, bool stack)
{
    struct capture_options options = p->wants.capture;
    uint64_t room[CAPTURE_PROGRAM_MAX / sizeof(uint64_t) + 1];
    size_t size;

    options.wine = p->system.wine;
    options.names_only = names_only;
    size = capture_compile(facts, &options, room);
    if (stack) {
        size = add_stack(p, room, size);
    }
    return size == 0 ? 0 : place_program(p, (const uint8_t *)room, size);
}

/* A program for a call whose arguments are not copied: who gives it the
 * IO_STATUS_BLOCK of a pending call ends that one. `facts` NULL: none are
 * known. */
static uint32_t add_block(struct plan *p, const struct call_facts *facts,
                          bool stack)
{
    uint64_t room[sizeof(struct capture_program) / sizeof(uint64_t)];
    size_t size = facts != NULL && p->wants.arguments
                      ? capture_compile_block(facts, room)
                      : 0;

    if (stack) {
        size = add_stack(p, room, size);
    }
    return size == 0 ? 0 : place_program(p, (const uint8_t *)room, size);
}

/* --- rows --- */

static uint8_t flags_of(uint32_t roles)
{
    static const struct {
        uint32_t roles;
        uint8_t flag;
    } rows[] = {
        { ROLE_CONTINUES | ROLE_LEAVES_CALLBACK, ROW_ENDS_ITSELF },
        { ROLE_SETS_CONTEXT, ROW_SETS_CONTEXT },
        { ROLE_SETS_CALLBACK, ROW_SETS_CALLBACK },
        { ROLE_MAPS | ROLE_MAKES_PROCESS, ROW_MAPS },
        { ROLE_COMPLETES, ROW_TELLS },
    };
    uint8_t flags = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if ((roles & rows[i].roles) != 0) {
            flags |= rows[i].flag;
        }
    }
    return flags;
}

/* What is recorded of a call: all, what handles and paths need of it, its
 * bare words, or nothing. */
static void choose_record(struct plan *p, struct call_row *row, str name,
                          const struct call_facts *facts, uint32_t roles)
{
    const struct plan_wants *w = &p->wants;
    bool wanted = !w->nothing && filter_wants_name(w->filter, name, facts);
    bool handles = facts != NULL && (call_gives_handles(facts) ||
                                     (roles & ROLE_PASSES_HANDLES) != 0);
    bool watched = w->handles && handles;
    bool stack = wanted && w->stack > 0;
    bool shown =
        !w->nothing && w->arguments && !filter_is_raw(w->filter, name, facts);

    row->flags = flags_of(roles);
    if ((roles & ROLE_MAKES_PROCESS) != 0) {
        row->more |= ROW_MAKES;
    }
    if ((roles & ROLE_CHANGES_MEMORY) != 0) {
        row->more |= ROW_CHANGES;
    }
    if (facts != NULL && facts->note == CALL_WAITS) {
        row->flags |= ROW_TELLS;
    }
    if (facts != NULL && wanted && (shown || w->paths || watched)) {
        row->program = add_program(p, facts, !shown, stack);
    } else if (facts != NULL && watched) {
        row->program = add_program(p, facts, true, false);
    } else if (!wanted && !watched && (roles & ROLES_FOLLOWED) == 0) {
        row->flags |= ROW_FILTERED;
    }
    if (row->program == 0) {
        row->program = add_block(p, facts, stack);
    }
    if (row->program != 0) {
        row->flags |= ROW_CAPTURES;
    }
}

static uint64_t hash_of_name(str name)
{
    return hash_add(HASH_START, name.p, name.size) | 1;
}

static struct call_row make_row(struct plan *p, str name, uint16_t number)
{
    const struct call_facts *facts = call_find_on(name, p->system);
    int args = call_arg_count_on(name, p->system);
    uint32_t roles = call_roles(name);
    struct call_row row = {
        .number = number,
        .more = (uint8_t)(args < 0 ? 0 : call_stack_args((uint32_t)args)),
    };

    if (p->entries) {
        choose_record(p, &row, name, facts, roles);
    }
    p->services[number & SERVICE_MASK] = (struct plan_service){
        .roles = roles,
        .code_args = facts != NULL ? call_code_args(facts) : 0,
        .name_hash = hash_of_name(name),
        .row = row,
    };
    return row;
}

struct call_row plan_row(struct plan *p, str name, uint16_t number)
{
    const struct plan_service *made = &p->services[number & SERVICE_MASK];

    return made->name_hash == hash_of_name(name) ? made->row
                                                 : make_row(p, name, number);
}
