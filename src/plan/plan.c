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

#include <assert.h>
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
    free(p->uses);
    p->bytes = NULL;
    p->at = NULL;
    p->uses = NULL;
    p->use_count = 0;
    p->use_room = 0;
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
    const uint32_t most = SECTION_TAMPER - SECTION_PROGRAMS;

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

/* --- rules that change calls --- */

static_assert(RULES_MOST <= TAMPER_RULES_MOST, "plan.c");

static struct tamper_use use_of(uint16_t rule, const struct rule_use *u)
{
    return (struct tamper_use){
        .rule = rule,
        .flags = (uint8_t)((u->replaces ? TAMPER_REPLACES : 0) |
                           (u->changes ? TAMPER_CHANGES : 0) |
                           (u->asks ? TAMPER_ASKS : 0) |
                           (u->not_self ? TAMPER_NOT_SELF : 0)),
        .argument = u->argument,
        .mask = u->mask,
        .value = u->value,
        .result = u->result,
    };
}

/* Adds what the rules do about a call; 1 + index of the first, 0: nothing.
 * *asks: one of them asks. */
static uint16_t add_uses(struct plan *p, str name,
                         const struct call_facts *facts, bool *asks)
{
    const struct filter *f = p->wants.filter;
    size_t rules = p->wants.nothing ? 0 : filter_rule_count(f);
    uint32_t first = p->use_count;

    for (size_t i = 0; i < rules; i++) {
        struct rule_use use;

        if (!rule_use(filter_rule_at(f, i), name, facts, &use)) {
            continue;
        }
        if (p->use_count >= TAMPER_USES_MOST ||
            !array_grow(&p->uses, &p->use_room, p->use_count,
                        sizeof(p->uses[0]))) {
            p->uses_left_out++;
            break;
        }
        p->uses[p->use_count] = use_of((uint16_t)i, &use);
        if (p->use_count > first) {
            p->uses[p->use_count - 1].next = (uint16_t)(p->use_count + 1);
        }
        p->use_count++;
        *asks |= use.asks;
    }
    return p->use_count > first ? (uint16_t)(first + 1) : 0;
}

const struct tamper_use *plan_first_use(const struct plan *p, uint16_t number)
{
    uint16_t use = p->services[number & SERVICE_MASK].use;

    return use != 0 ? &p->uses[use - 1] : NULL;
}

const struct tamper_use *plan_next_use(const struct plan *p,
                                       const struct tamper_use *use)
{
    return use->next != 0 ? &p->uses[use->next - 1] : NULL;
}

void plan_put_uses(const struct plan *p, uint16_t number, char *section)
{
    char *at = section + SECTION_TAMPER;
    uint16_t first = p->services[number & SERVICE_MASK].use;
    const struct tamper_use *u = plan_first_use(p, number);

    if (u == NULL) {
        return;
    }
    memcpy(at + TAMPER_FIRST + (number & SERVICE_MASK) * sizeof(first), &first,
           sizeof(first));
    for (; u != NULL; u = plan_next_use(p, u)) {
        memcpy(at + TAMPER_USES + (size_t)(u - p->uses) * sizeof(*u), u,
               offsetof(struct tamper_use, met));
    }
}

static uint64_t ticks_of(uint64_t ns, uint64_t ticks_per_ms)
{
    return ns / 1000000 * ticks_per_ms +
           (ns % 1000000 * ticks_per_ms + 999999) / 1000000;
}

void plan_put_rules(const struct plan *p, uint64_t ticks_per_ms, char *section)
{
    struct tamper_rule *to =
        (struct tamper_rule *)(void *)(section + SECTION_TAMPER);
    size_t rules = p->wants.nothing ? 0 : filter_rule_count(p->wants.filter);

    for (size_t i = 0; i < rules && i < TAMPER_RULES_MOST; i++) {
        const struct rule *r = filter_rule_at(p->wants.filter, i);

        to[i] = (struct tamper_rule){
            .delay_enter = ticks_of(r->delay_enter, ticks_per_ms),
            .delay_exit = ticks_of(r->delay_exit, ticks_per_ms),
            .first = r->first,
            .last = r->last,
            .step = r->step,
        };
    }
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

/* Rules may change it: then it is recorded, whoever wants to see it. */
static uint16_t let_tamper(struct plan *p, struct call_row *row, str name,
                           const struct call_facts *facts)
{
    bool asks = false;
    uint16_t use = add_uses(p, name, facts, &asks);

    if (use != 0) {
        row->more |= ROW_TAMPERS;
        row->flags &= (uint8_t)~ROW_FILTERED;
        row->flags |= asks ? ROW_SLOW_ENTRY : 0;
    }
    return use;
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
    uint16_t use = 0;

    if (p->entries) {
        choose_record(p, &row, name, facts, roles);
        use = let_tamper(p, &row, name, facts);
    }
    p->services[number & SERVICE_MASK] = (struct plan_service){
        .roles = roles,
        .code_args = facts != NULL ? call_code_args(facts) : 0,
        .facts = facts,
        .use = use,
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
