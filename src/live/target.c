/* SPDX-License-Identifier: MIT */
/*
 * target.c - getting in: section, agent image, thunks, stubs.
 *
 * Only this file writes into a target's code. Image and thunks are written
 * while their pages are read-write and not yet executable; stubs are patched
 * while no thread of the target can be in them: in a process that has not
 * started, or, for win32u, before the call that mapped it has returned.
 */
#include "live/target.h"

#include "live/keeper.h"
#include "tables/amd64/frames.h"
#include "tables/amd64/stubs.h"
#include "tables/calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* The agent, embedded by agent_image.S. */
extern const uint8_t agent_image[];
extern const uint8_t agent_image_end[];

/* Never closer below ntdll than this: the gaps there belong to the system's
 * DLLs, which must keep their bases (docs/facts.md T1). */
#define NEAREST 0x10000000u
#define FARTHEST 0x60000000u
#define GRANULE 0x10000u

/* Every form of stub ends within so many bytes. */
#define STUB_BYTES 0x20

/* Shared memory to reserve: 8 GiB, or enough for a thousand large rings. What
 * is not used costs address space only. */
#define SECTION_BYTES ((uint64_t)8 << 30)
#define SECTION_RINGS_WANTED 1000
/* Rings committed before they are asked for take no more than this. */
#define FIRST_BYTES (64u << 20)

static const char *const private_names[PRIVATE_COUNT] = {
#define PRIVATE(name) #name,
#include "wire/private.def"
#undef PRIVATE
};

/* --- the section --- */

/* Rows of a module's calls, and the capture programs that are new. */
static void fill_rows(struct target *t, const struct module *m)
{
    struct call_row *rows =
        (struct call_row *)((char *)t->shared.at + SECTION_ROWS);
    struct plan *p = t->plan;

    for (size_t i = 0; i < m->syscalls.count; i++) {
        const struct syscall_entry *s = &m->syscalls.entries[i];

        rows[s->number & SERVICE_MASK] = plan_row(p, s->name, s->number);
        plan_put_uses(p, s->number, t->shared.at);
    }
    if (p->used > 0) {
        memcpy((char *)t->shared.at + SECTION_PROGRAMS, p->bytes, p->used);
    }
}

static void fill_transitions(struct target *t)
{
    for (int i = 0; i < TRANSITION_COUNT; i++) {
        const struct frame_row *f = frame_row((enum frame_kind)i);
        struct transition_row *row = &t->doors[i];

        row->rip = module_export(&t->ntdll, str_of(f->function));
        row->from_rcx = f->from_rcx;
        row->count = f->count;
        for (int k = 0; k < f->count; k++) {
            row->offset[k] = f->offset[k];
        }
    }
}

/* Where returns need no entry to explain them: from the first stub of the
 * module to the last, without any door of the kernel. A second stub that lies
 * elsewhere is named after its place by the tracer, which its thread waits
 * for. */
static struct plain_range plain_range_of(const struct target *t,
                                         const struct module *m)
{
    struct plain_range r = { 0, 0 };
    const struct syscalls *s = &m->syscalls;
    uint32_t from, to;
    uint64_t first;

    if (!syscalls_span(s, &from, &to)) {
        return r;
    }
    first = m->base + s->entries[0].rva;
    r.start = m->base + from;
    r.size = to - from;
    for (int i = 0; i < TRANSITION_COUNT; i++) {
        uint64_t door = t->doors[i].rip;

        if (door >= r.start && door < first) {
            r.size -= first - r.start;
            r.start = first;
        }
        if (door >= r.start && door - r.start < r.size) {
            r.size = door - r.start;
        }
    }
    return r;
}

static bool map_section(struct target *t, uint64_t size, struct err *e)
{
    if (!os_section_open(&t->shared, size, e)) {
        return false;
    }
    if (!os_section_map(&t->shared, &t->os, &t->section_there, e)) {
        os_section_close(&t->shared);
        return false;
    }
    return true;
}

/* What all sections with rings of that size begin with. */
static struct spare_kind kind_of(uint32_t ring_bytes)
{
    struct spare_kind kind = { .size = SECTION_BYTES,
                               .ring_bytes = ring_bytes,
                               .ring_stride =
                                   ring_bytes + RING_DATA + RING_SPILL,
                               .rings = FIRST_BYTES / ring_bytes };

    if (kind.size < (uint64_t)SECTION_RINGS_WANTED * kind.ring_stride) {
        kind.size = (uint64_t)SECTION_RINGS_WANTED * kind.ring_stride;
    }
    if (kind.rings > RINGS_AT_FIRST) {
        kind.rings = RINGS_AT_FIRST;
    }
    return kind;
}

/* One that another process has had; false: there is none, or no room for it. */
static bool map_spare(struct target *t, const struct spare_kind *kind)
{
    struct err ignored;

    if (!spare_take(t->spares, kind, &t->shared)) {
        return false;
    }
    if (!os_section_map(&t->shared, &t->os, &t->section_there, &ignored)) {
        os_section_close(&t->shared);
        return false;
    }
    return true;
}

/* A program may have less address space than we would like to share (2 GiB
 * without LARGEADDRESSAWARE): then fewer rings fit. */
static bool map_new(struct target *t, const struct spare_kind *kind,
                    struct err *e)
{
    uint64_t size = kind->size;
    uint64_t begin = SECTION_RINGS + (uint64_t)kind->rings * kind->ring_stride;
    struct err why;

    while (!map_section(t, size, &why)) {
        size /= 2;
        if (size < begin) {
            *e = why;
            return false;
        }
    }
    return os_section_commit(&t->shared, 0, begin, e);
}

static bool open_section(struct target *t, const struct launch_options *o,
                         struct err *e)
{
    const struct spare_kind kind = kind_of((uint32_t)o->ring_size);
    _Atomic uint32_t *states;
    struct section *s;

    t->ring_bytes = kind.ring_bytes;
    t->ring_stride = kind.ring_stride;
    t->committed = kind.rings;
    if (!map_spare(t, &kind) && !map_new(t, &kind, e)) {
        return false;
    }
    t->ring_max = (uint32_t)((t->shared.size - SECTION_RINGS) / t->ring_stride);
    if (t->ring_max > RING_MAX) {
        t->ring_max = RING_MAX;
    }
    s = t->shared.at;
    t->section = s;
    s->magic = SECTION_MAGIC;
    s->version = SECTION_VERSION;
    s->layout = WIRE_LAYOUT;
    s->ring_bytes = t->ring_bytes;
    s->ring_stride = t->ring_stride;
    s->ring_max = t->ring_max;
    s->flags = (o->lossy ? SECTION_LOSSY : 0) |
               (o->orphan_query ? SECTION_ASK_ORPHANS : 0) |
               (o->follow > 0 ? SECTION_FOLLOW : 0) |
               (o->honor_callback ? SECTION_HONOR : 0) |
               (o->callback ? 0 : SECTION_NO_CALLBACK);
    states = (_Atomic uint32_t *)((char *)t->shared.at + SECTION_RING_STATE);
    for (uint32_t i = 0; i < kind.rings; i++) {
        states[i] = RING_FREE;
    }
    return true;
}

/* --- the image --- */

/* What an agent says of its section may be out of date: whoever took it back
 * was killed between section and agent. Then anything may be mapped there by
 * now, even ours. */
static bool is_section_of(const struct target *t, uint64_t at, uint64_t agent)
{
    uint32_t magic;
    uint64_t whose;

    return os_read(&t->os, at + offsetof(struct section, magic), &magic,
                   sizeof(magic)) &&
           os_read(&t->os, at + offsetof(struct section, agent), &whose,
                   sizeof(whose)) &&
           magic == SECTION_MAGIC && whose == agent;
}

/* False if the tracer whose agent is at `agent` lives: *e says which it is, or
 * that it cannot be told. What stands there is the program's to write: believed
 * is the kernel, which says what its handles are. */
static bool note_agent(struct target *t, uint64_t agent, struct err *e)
{
    struct image_head head;
    struct image_config config;

    for (size_t i = 0; i < t->dead_count; i++) {
        if (t->dead[i].at == agent) {
            return true;
        }
    }
    if (!os_read(&t->os, agent, &head, sizeof(head)) ||
        head.magic != IMAGE_MAGIC || head.layout != WIRE_LAYOUT ||
        head.config > AGENT_IMAGE_ROOM ||
        !os_read(&t->os, agent + head.config, &config, sizeof(config))) {
        return err_set(e, ERR_NOT_OURS,
                       "is traced, or was, by another version of ntstrace");
    }
    if (config.tracer_pid != t->os.pid &&
        os_handle_names(&t->os, config.tracer, config.tracer_pid)) {
        return err_set(e, ERR_NOT_OURS, "is traced already, by process %u",
                       (unsigned)config.tracer_pid);
    }
    if (t->dead_count < DEAD_AGENTS_MOST) {
        t->dead[t->dead_count++] = (struct dead_agent){
            .at = agent,
            .section =
                is_section_of(t, config.section, agent) ? config.section : 0,
            .handles = { config.room, config.wake, config.tracer },
        };
    }
    return true;
}

/* An agent may lie there, which no stub leads to (any more). */
static bool look_for_agent(struct target *t, const struct os_region *r,
                           struct err *e)
{
    uint64_t magic = 0;

    return r->free || r->image || r->mapped ||
           !os_read(&t->os, r->allocation, &magic, sizeof(magic)) ||
           magic != IMAGE_MAGIC || note_agent(t, r->allocation, e);
}

/* True if there was room at `at`, which is ours now. */
static bool take_place(struct target *t, uint64_t at)
{
    struct err ignored;

    if (!os_reserve_at(&t->os, at, AGENT_ROOM + OWN_BYTES, &ignored)) {
        return false;
    }
    t->agent = at;
    t->own = at + AGENT_ROOM;
    return true;
}

/* A free place from the far end upwards: what is near below ntdll is where
 * the system puts its DLLs. Agents are looked for to the end: who was killed
 * while it took over from another has left two, of which one's code uses what the
 * other's section has. */
static bool search_place(struct target *t, struct err *e)
{
    const uint64_t room = AGENT_ROOM + OWN_BYTES;
    bool found = false;
    uint64_t end = t->ntdll.base - NEAREST - room;
    uint64_t from = t->ntdll.base - FARTHEST;
    struct os_region r;

    from -= from % GRANULE;
    while (from < end && os_query(&t->os, from, &r)) {
        if (!look_for_agent(t, &r, e)) {
            return false;
        }
        found = found || (r.free && r.base + r.size >= from + room &&
                          take_place(t, from));
        from = !found && r.free && r.base + r.size >= from + room
                   ? from + GRANULE
                   : r.base + r.size + GRANULE - 1;
        from -= from % GRANULE;
    }
    return found ||
           err_set(e, ERR_OS, "no room for the agent within reach of ntdll");
}

/* One that has not run has no agent of another tracer, and its room as a rule
 * where the other one had it, as far from ntdll. */
static bool find_place(struct target *t, struct err *e)
{
    bool as_there = t->like != NULL && t->like->agent != 0 &&
                    t->like->ntdll.base == t->ntdll.base &&
                    take_place(t, t->like->agent);

    if (!as_there && !search_place(t, e)) {
        return false;
    }
    t->section->agent = t->agent;
    return os_commit_at(&t->os, t->agent,
                        AGENT_ROOM + OWN_PAGE * (1 + RINGS_AT_FIRST), e);
}

static const struct image_head *image_of(const uint8_t *bytes)
{
    return (const struct image_head *)(const void *)bytes;
}

static bool private_stubs(struct target *t, uint8_t *image, struct err *e)
{
    for (int i = 0; i < PRIVATE_COUNT; i++) {
        const struct syscall_entry *s =
            module_syscall(&t->ntdll, str_of(private_names[i]));

        if (s == NULL || !s->stub) {
            return err_set(e, ERR_OS,
                           "ntdll's %s is not the function it should be; "
                           "is security software hooking it?",
                           private_names[i]);
        }
        memcpy(image + image_of(image)->stubs + i * PRIVATE_STUB_SIZE,
               t->ntdll.bytes + s->rva, PRIVATE_STUB_SIZE);
    }
    return true;
}

/* The agent for `t`, into AGENT_IMAGE_ROOM bytes of zeros. */
static bool make_image(struct target *t, const struct launch_options *o,
                       uint64_t tsc_per_ms, uint64_t resume, uint8_t *image,
                       struct err *e)
{
    size_t size = (size_t)(agent_image_end - agent_image);
    struct image_config config = { 0 };
    const struct image_head *head = image_of(image);

    if (size > AGENT_IMAGE_ROOM) {
        return err_set(e, ERR_LIMIT, "the agent image is too large");
    }
    memcpy(image, agent_image, size);
    if (head->magic != IMAGE_MAGIC || head->layout != WIRE_LAYOUT ||
        head->size > size) {
        return err_set(e, ERR_LIMIT, "the agent image is of another version");
    }
    config.section = t->section_there;
    config.base = t->agent;
    config.size = AGENT_IMAGE_ROOM;
    config.resume = resume;
    config.xsave_mask = os_xsave_mask();
    config.own = t->own;
    config.ring_mask = t->ring_bytes - 1;
    config.ring_stride = t->ring_stride;
    config.ring_max = t->ring_max;
    memcpy(config.transition, t->doors, sizeof(config.transition));
    config.tsc_per_ms = tsc_per_ms;
    if (o->engine == ENGINE_RING) {
        memcpy(config.loader_bytes, t->ntdll.bytes + (resume - t->ntdll.base),
               LOADER_BYTES);
    }
    config.callback =
        t->agent +
        (o->engine == ENGINE_HANDSHAKE ? head->handshake : head->callback);
    if (t->wine_record) {
        config.wine_pointer = 0x7ffe1000;
    }
    if (!os_give_event(&t->os, t->room, false, &config.room, e) ||
        !os_give_tracer(&t->os, &config.tracer, e) ||
        !os_give_event(&t->os, t->wake, true, &config.wake, e) ||
        !private_stubs(t, image, e)) {
        return false;
    }
    config.tracer_pid = os_self().pid;
    memcpy(image + head->config, &config, sizeof(config));
    return true;
}

/* --- stubs --- */

/* What is to be changed so that the stubs of `m` lead to thunks in `room`, the
 * bytes of which go to `thunks`. */
static bool bend_stubs(const struct target *t, const struct module *m,
                       struct target_pages room, struct patched *out,
                       uint8_t *thunks, struct err *e)
{
    struct patch_wanted wanted = {
        .base = m->base,
        .bytes = m->bytes,
        .size = m->size,
        .syscalls = &m->syscalls,
        .entry = t->agent + image_of(agent_image)->entry,
        .callback = t->agent + image_of(agent_image)->callback,
        .room_at = room.at,
        .room = (size_t)room.size,
    };

    return patch_make(out, &wanted, thunks, e) &&
           (!t->returns || patch_ends(out, &m->syscalls, m->base, e));
}

/* Thunks, from outside. */
static bool seal_thunks(const struct os_process *p, struct target_pages room,
                        const uint8_t *thunks, struct err *e)
{
    return os_write_code(p, room.at, thunks, (size_t)room.size, e) &&
           os_make_code(p, room.at, (size_t)room.size, e);
}

/* Where the thunks of ntdll go. */
static struct target_pages nt_room(const struct target *t)
{
    return (struct target_pages){ t->agent + AGENT_IMAGE_ROOM, AGENT_NT_ROOM };
}

/* The agent and the thunks of ntdll, which lie behind it, into pages that were
 * committed just now: writable, and not executable before all of it is there. */
static bool write_agent(struct target *t, const struct launch_options *o,
                        uint64_t tsc_per_ms, uint64_t resume, struct err *e)
{
    const struct target_pages room = nt_room(t);
    uint8_t *bytes = calloc(1, AGENT_IMAGE_ROOM + AGENT_NT_ROOM);
    size_t size = AGENT_IMAGE_ROOM;
    bool ok;

    if (bytes == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    ok = make_image(t, o, tsc_per_ms, resume, bytes, e) &&
         (!t->patching || bend_stubs(t, &t->ntdll, room, &t->nt_stubs,
                                     bytes + AGENT_IMAGE_ROOM, e));
    if (t->nt_stubs.count > 0) {
        size += AGENT_NT_ROOM;
    }
    ok = ok && os_write(&t->os, t->agent, bytes, size, e) &&
         os_make_code(&t->os, t->agent, size, e);
    free(bytes);
    return ok;
}

/* Where the kernel itself answers for a process, a thread of it that waits for
 * us is in nobody's way. */
static struct os_process unwatched(const struct target *t)
{
    struct os_process p = t->os;

    if (!t->plan->system.wine) {
        p.waited_for = NULL;
    }
    return p;
}

/* True if both lie in the same section of `m`, whose pages are all protected
 * alike until its process has run. */
static bool is_one_section(const struct module *m, const struct os_piece *a,
                           const struct os_piece *b)
{
    struct pe_section s;

    for (size_t i = 0; pe_section_at(&m->image, i, &s); i++) {
        uint64_t from = m->base + s.rva;

        if (a->to - from < s.size) {
            return b->to >= from && b->to + b->size <= from + s.size &&
                   a->to + a->size <= from + s.size;
        }
    }
    return false;
}

/* Bends LdrInitializeThunk to the agent, which knows its bytes
 * (image_config.loader_bytes) and puts them back; and the stubs. No thread of
 * the target runs yet. */
bool target_hook(struct target *t, struct err *e)
{
    const struct patched *x = &t->nt_stubs;
    uint64_t thunk = t->doors[TRANSITION_THREAD_START].rip;
    uint64_t start = t->agent + image_of(agent_image)->start;
    uint8_t jump[LOADER_BYTES];
    const struct os_piece loader = { thunk, jump, sizeof(jump) };
    const struct os_piece stubs = { x->from, x->is, x->size };
    bool behind = thunk >= x->from + x->size;
    const struct os_piece both[] = { behind ? stubs : loader,
                                     behind ? loader : stubs };

    t->hooked = true;
    memcpy(jump, t->ntdll.bytes + (thunk - t->ntdll.base), sizeof(jump));
    patch_jump(jump, thunk, start);
    if (x->count > 0 && (behind || thunk + sizeof(jump) <= x->from) &&
        is_one_section(&t->ntdll, &both[0], &both[1])) {
        return os_write_pieces(&t->os, both, COUNT_OF(both), e);
    }
    return (x->count == 0 || os_write_pieces(&t->os, &stubs, 1, e)) &&
           os_write_pieces(&t->os, &loader, 1, e);
}

bool target_put_stubs_outside(struct target *t, struct err *e)
{
    struct os_process p = unwatched(t);
    const struct patched *x = &t->nt_stubs;

    return os_write_code(&p, x->from, x->is, x->size, e);
}

bool target_mend_loader(struct target *t, struct err *e)
{
    uint64_t thunk = t->doors[TRANSITION_THREAD_START].rip;
    struct os_process p = unwatched(t);
    const uint8_t *right;
    uint8_t there[LOADER_BYTES];
    bool read = os_read(&t->os, thunk, there, sizeof(there));

    right = t->ntdll.bytes + (thunk - t->ntdll.base);
    if (read && memcmp(there, right, sizeof(there)) == 0) {
        return true;
    }
    if (!read && os_waited_for(&p)) {
        return err_set(e, ERR_OS, "the program's code cannot be read");
    }
    return os_write_code(&p, thunk, right, LOADER_BYTES, e);
}

uint8_t *target_unbent(const struct os_process *p, const struct patched *x)
{
    uint8_t *now = malloc(x->size);

    if (now == NULL || !os_read(p, x->from, now, x->size)) {
        free(now);
        return NULL;
    }
    for (size_t i = 0; i + STUB_HEAD_SIZE <= x->size; i++) {
        if (patch_begins(x, i) &&
            memcmp(now + i, x->is + i, STUB_HEAD_SIZE) == 0) {
            memcpy(now + i, x->was + i, STUB_HEAD_SIZE);
        }
        if (patch_has_end(x, i) &&
            memcmp(now + i + STUB_END_AT, x->is + i + STUB_END_AT,
                   STUB_END_SIZE) == 0) {
            memcpy(now + i + STUB_END_AT, x->was + i + STUB_END_AT,
                   STUB_END_SIZE);
        }
    }
    return now;
}

/* True if these bytes of `x` stand there as they were, or as we want them. */
static bool is_ours(const struct patched *x, const uint8_t *now, size_t at,
                    size_t size)
{
    return memcmp(now + at, x->was + at, size) == 0 ||
           memcmp(now + at, x->is + at, size) == 0;
}

uint8_t *target_bent(const struct os_process *p, const struct patched *x,
                     size_t *heads)
{
    uint8_t *now = malloc(x->size);

    *heads = 0;
    if (now == NULL || !os_read(p, x->from, now, x->size)) {
        free(now);
        return NULL;
    }
    for (size_t i = 0; i + STUB_HEAD_SIZE <= x->size; i++) {
        if (patch_begins(x, i) && is_ours(x, now, i, STUB_HEAD_SIZE)) {
            *heads += memcmp(now + i, x->is + i, STUB_HEAD_SIZE) != 0;
            memcpy(now + i, x->is + i, STUB_HEAD_SIZE);
        }
        if (patch_has_end(x, i) &&
            is_ours(x, now, i + STUB_END_AT, STUB_END_SIZE)) {
            memcpy(now + i + STUB_END_AT, x->is + i + STUB_END_AT,
                   STUB_END_SIZE);
        }
    }
    return now;
}

bool target_bend_ends(struct target *t, struct err *e)
{
    if (!t->plan->system.wine && os_calls_by_interrupt()) {
        return err_set(e, ERR_OS, "its system calls go by int 2Eh");
    }
    if (!patch_ends(&t->nt_stubs, &t->ntdll.syscalls, t->ntdll.base, e) ||
        (t->win32u_stubs.count > 0 &&
         !patch_ends(&t->win32u_stubs, &t->win32u.syscalls, t->win32u.base,
                     e))) {
        return false;
    }
    t->returns = true;
    t->section->flags |= SECTION_RETURNS;
    return true;
}

bool target_stands_in_end(const struct target *t, uint64_t rip)
{
    struct target_stub stub;

    /* Whoever's its beginning is by now. */
    return target_stub_at(t, rip, &stub) &&
           (rip - stub.address == STUB_TURN ||
            rip - stub.address == STUB_END_AT + STUB_END_SIZE - 1);
}

/* Puts back what is still as we have left it. */
static void unpatch(const struct os_process *p, const struct patched *x,
                    struct err *e)
{
    uint8_t *now;

    if (x->count == 0) {
        return;
    }
    now = target_unbent(p, x);
    if (now == NULL) {
        err_set(e, ERR_OS, "the program's code cannot be read");
    } else {
        os_write_code(p, x->from, now, x->size, e);
    }
    free(now);
}

struct ring *target_ring(struct target *t, uint32_t index)
{
    const struct os_process self = os_self();
    struct ring *r = (struct ring *)((char *)t->shared.at + SECTION_RINGS +
                                     (size_t)index * t->ring_stride);
    const uint64_t from = (uint64_t)(uintptr_t)r;
    uint8_t *there = &t->rings_there[index / 8];
    const uint8_t bit = (uint8_t)(1u << index % 8);
    struct os_region region;

    if (index >= t->committed && (*there & bit) == 0) {
        if (!os_query(&self, from, &region) || !region.committed ||
            region.base + region.size < from + t->ring_stride) {
            return NULL;
        }
        *there |= bit;
    }
    return r;
}

bool target_is_chaining(struct target *t)
{
    const _Atomic uint32_t *states =
        (const _Atomic uint32_t *)((const char *)t->shared.at +
                                   SECTION_RING_STATE);
    const uint32_t high =
        atomic_load_explicit(&t->section->ring_high, memory_order_relaxed);

    for (uint32_t i = 0; i < high && i < t->ring_max; i++) {
        const struct ring *r =
            atomic_load_explicit(&states[i], memory_order_relaxed) == RING_LIVE
                ? target_ring(t, i)
                : NULL;

        if (r != NULL && *(const volatile uint32_t *)&r->chains != 0) {
            return true;
        }
    }
    return false;
}

void target_clear_rings(const struct target *t, const struct os_stopped *s,
                        size_t count)
{
    const uint8_t none[TEB_LAST_CALL_BYTES] = { 0 };
    struct err ignored;

    for (size_t i = 0; i < count; i++) {
        os_write(&t->os, s[i].teb + TEB_RING, none, 8, &ignored);
        if (t->wine_record) {
            os_write(&t->os, s[i].teb + TEB_LAST_CALL, none, sizeof(none),
                     &ignored);
        }
    }
}

/* --- the way in --- */

/* It lies where ours does, in all processes of a boot. A process that is not
 * like another one, and has a
 * thread, which stands at RtlUserThreadStart, is asked all the same: *begins is
 * where. */
static bool find_ntdll(struct target *t, uint64_t *begins, struct err *e)
{
    struct os_region r;

    if (t->like != NULL && t->engine == ENGINE_RING &&
        module_share(&t->ntdll, &t->like->ntdll, &t->os, t->like->ntdll.base)) {
        return true;
    }
    *begins = os_own_ntdll("NtClose");
    if ((t->os.thread != NULL && !os_thread_get_start(t->os.thread, begins)) ||
        !os_query(&t->os, *begins, &r) || !r.image) {
        return err_set(e, ERR_OS, "cannot find ntdll in the program");
    }
    return module_open(&t->ntdll, &t->os, r.allocation, e);
}

bool target_settle(struct target *t, const struct launch_options *o,
                   struct timing *timing, struct err *e)
{
    uint64_t begins = 0, resume;

    if (os_process_is_wow64(&t->os)) {
        return err_set(e, ERR_NOT_OURS,
                       "is a 32-bit program; ntstrace follows 64-bit "
                       "programs only");
    }
    if (!find_ntdll(t, &begins, e) ||
        (t->ntdll.leftover != 0 && !note_agent(t, t->ntdll.leftover, e))) {
        return false;
    }
    t->wine_record = t->plan->system.wine && !os_last_call_implemented();
    t->room = os_event_open(true, e);
    if (t->room == NULL || !open_section(t, o, e)) {
        return false;
    }
    fill_rows(t, &t->ntdll);
    fill_transitions(t);
    if (!o->patch) {
        t->section->plain[0] = plain_range_of(t, &t->ntdll);
    }
    if (!find_place(t, e)) {
        return false;
    }
    resume = o->engine == ENGINE_HANDSHAKE
                 ? begins
                 : t->doors[TRANSITION_THREAD_START].rip;
    if (resume < t->ntdll.base ||
        resume - t->ntdll.base > t->ntdll.size - LOADER_BYTES) {
        return err_set(e, ERR_OS, "ntdll has no LdrInitializeThunk");
    }
    timing_ready(timing);
    plan_put_rules(t->plan, timing->tsc_per_ms, t->shared.at);
    return write_agent(t, o, timing->tsc_per_ms, resume, e);
}

bool target_unhook(struct target *t, struct err *e)
{
    struct err why = { 0 };

    if (!t->hooked) {
        return true;
    }
    unpatch(&t->os, &t->nt_stubs, &why);
    if (why.code != ERR_NONE) {
        *e = why;
        return false;
    }
    t->hooked = !target_mend_loader(t, e);
    return !t->hooked;
}

static bool get_in(struct target *t, const struct launch_options *o,
                   struct timing *timing, struct err *e)
{
    if (!target_settle(t, o, timing, e)) {
        return false;
    }
    if (o->engine == ENGINE_HANDSHAKE) {
        /* Its agent starts when the loader is done: no byte is changed. */
        if (!os_thread_set_start(
                t->os.thread, t->agent + image_of(agent_image)->start_late)) {
            return err_set(e, ERR_OS, "cannot redirect the first thread");
        }
        return true;
    }
    return target_hook(t, e);
}

/* Whatever could not be done to a process that is no more: that is why. */
static void blame_end(const struct target *t, struct err *e)
{
    uint32_t code;

    if (os_process_ended(&t->os, &code)) {
        err_set(e, ERR_OS, "it was ended before it could run (0x%08x)",
                (unsigned)code);
    }
}

static struct target target_for(const struct launch_options *o,
                                struct plan *plan, void *wake,
                                struct spares *spares)
{
    return (struct target){ .engine = o->engine,
                            .patching = o->patch && o->engine == ENGINE_RING,
                            .plan = plan,
                            .wake = wake,
                            .spares = spares };
}

bool target_launch(struct target *out, const uint16_t *path,
                   const uint16_t *command_line, const struct launch_options *o,
                   struct plan *plan, void *wake, struct spares *spares,
                   struct timing *timing, struct err *e)
{
    struct target t = target_for(o, plan, wake, spares);

    if (!os_process_launch(&t.os, path, command_line, o->apart, e)) {
        return false;
    }
    if (!get_in(&t, o, timing, e)) {
        blame_end(&t, e);
        target_close(&t);
        return false;
    }
    *out = t;
    return true;
}

bool target_take_in(struct target *out, const struct os_process *os,
                    struct target *like, const struct launch_options *o,
                    struct plan *plan, void *wake, struct spares *spares,
                    struct timing *timing, struct err *e)
{
    struct target t = target_for(o, plan, wake, spares);
    struct err ignored = { 0 };

    t.os = *os;
    t.like = like;
    if (!get_in(&t, o, timing, e)) {
        /* What leads to us must not stay there. */
        if (!target_unhook(&t, &ignored)) {
            os_process_terminate(&t.os, 1);
        }
        blame_end(&t, e);
        t.os = (struct os_process){ 0 };
        target_close(&t);
        return false;
    }
    t.like = NULL;
    *out = t;
    return true;
}

void target_hand_back(struct target *t)
{
    os_thread_close(t->os.thread);
    t->os.thread = NULL;
}

bool target_is_in(const struct target *t, const struct os_process *copy)
{
    struct image_head there;

    return os_read(copy, t->agent, &there, sizeof(there)) &&
           memcmp(&there, image_of(agent_image), sizeof(there)) == 0;
}

bool target_disarm(const struct target *t, const struct os_process *clone,
                   struct err *e)
{
    static const uint8_t back[] = { 0x41, 0xff, 0xe2 };  // jmp *%r10
    static const uint8_t ret[] = { 0xc3 };
    const struct image_head *head = image_of(agent_image);
    struct err why = { 0 };

    if (!os_write_code(clone, t->agent + head->entry, ret, sizeof(ret), e) ||
        !os_write_code(clone, t->agent + head->callback, back, sizeof(back),
                       e) ||
        !os_write_code(clone, t->agent + head->chained, back, sizeof(back),
                       e) ||
        !os_write_code(clone, t->agent + head->handshake, back, sizeof(back),
                       e)) {
        return false;
    }
    /* Now they lead nowhere; better still if they do not lead at all. */
    unpatch(clone, &t->nt_stubs, &why);
    unpatch(clone, &t->win32u_stubs, &why);
    return true;
}

bool target_go(struct target *t, struct err *e)
{
    if (!os_process_resume(&t->os, e)) {
        blame_end(t, e);
        return false;
    }
    return true;
}

bool target_add_win32u(struct target *t, uint64_t base, struct err *e)
{
    if (!module_open(&t->win32u, &t->os, base, e)) {
        return false;
    }
    fill_rows(t, &t->win32u);
    if (t->engine == ENGINE_RING && !t->patching) {
        t->section->plain[1] = plain_range_of(t, &t->win32u);
    }
    return true;
}

/* Where the thunks of win32u go. */
struct target_pages target_win32u_room(const struct target *t)
{
    return (struct target_pages){ t->agent + AGENT_IMAGE_ROOM + AGENT_NT_ROOM,
                                  AGENT_WIN32U_ROOM };
}

struct target_pages target_win32u_stubs(const struct target *t)
{
    return (struct target_pages){ t->win32u_stubs.from, t->win32u_stubs.size };
}

bool target_prepare_win32u(struct target *t, struct err *e)
{
    t->win32u_thunks = malloc(AGENT_WIN32U_ROOM);
    if (t->win32u_thunks == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (!bend_stubs(t, &t->win32u, target_win32u_room(t), &t->win32u_stubs,
                    t->win32u_thunks, e)) {
        target_unprepare_win32u(t);
        return false;
    }
    return true;
}

bool target_bend_win32u(struct target *t, struct err *e)
{
    if (!target_prepare_win32u(t, e)) {
        return false;
    }
    if (t->win32u_stubs.count > 0 &&
        !seal_thunks(&t->os, target_win32u_room(t), t->win32u_thunks, e)) {
        target_unprepare_win32u(t);
        return false;
    }
    t->win32u_sealed = true;
    return true;
}

bool target_write_thunks(struct target *t, struct err *e)
{
    struct target_pages room = target_win32u_room(t);

    return os_write(&t->os, room.at, t->win32u_thunks, (size_t)room.size, e);
}

bool target_patch_win32u(struct target *t, struct err *e)
{
    const struct patched *x = &t->win32u_stubs;

    return os_write(&t->os, x->from, x->is, x->size, e);
}

void target_unprepare_win32u(struct target *t)
{
    patch_close(&t->win32u_stubs);
    free(t->win32u_thunks);
    t->win32u_thunks = NULL;
}

bool target_patch_win32u_outside(struct target *t, struct err *e)
{
    struct os_process p = unwatched(t);
    const struct patched *x = &t->win32u_stubs;

    if (!seal_thunks(&p, target_win32u_room(t), t->win32u_thunks, e)) {
        return false;
    }
    t->win32u_sealed = true;
    return os_write_code(&p, x->from, x->is, x->size, e);
}

bool target_close_win32u_outside(struct target *t, struct err *e)
{
    struct os_process p = unwatched(t);
    struct target_pages stubs = target_win32u_stubs(t);

    if (os_waited_for(&p)) {
        return err_set(e, ERR_OS, "a thread of the program waits");
    }
    return os_make_code(&p, stubs.at, (size_t)stubs.size, e);
}

/* The module that has a patched stub at `stub`, and what was put there; NULL:
 * there is none. */
static const uint8_t *put_at(const struct target *t, uint64_t stub,
                             bool *win32u)
{
    const uint8_t *put = patch_bytes(&t->nt_stubs, stub);

    *win32u = put == NULL;
    return put != NULL ? put : patch_bytes(&t->win32u_stubs, stub);
}

/* True if `put` stands at `stub`, or nobody can say. */
static bool stands_at(const struct target *t, uint64_t stub, const uint8_t *put)
{
    uint8_t there[STUB_HEAD_SIZE];

    return !os_read(&t->os, stub, there, sizeof(there)) ||
           memcmp(there, put, sizeof(there)) == 0;
}

bool target_is_patched(const struct target *t, uint64_t stub)
{
    bool win32u;
    const uint8_t *put = put_at(t, stub, &win32u);

    return put == NULL || stands_at(t, stub, put);
}

/* Where the `i`th stub of `m` is, second ones behind the others. */
static uint64_t stub_at(const struct module *m, size_t i)
{
    return m->base + (i < m->syscalls.count
                          ? m->syscalls.entries[i].rva
                          : m->syscalls.seconds[i - m->syscalls.count].rva);
}

static size_t stub_count(const struct module *m)
{
    return m->syscalls.count + m->syscalls.second_count;
}

static bool stub_in(const struct module *m, const struct patched *x,
                    uint64_t address, struct target_stub *out)
{
    if (m->bytes == NULL || address - m->base >= m->size) {
        return false;
    }
    out->address = 0;
    for (size_t i = 0; i < stub_count(m); i++) {
        uint64_t at = stub_at(m, i);

        if (at <= address && at > out->address) {
            out->address = at;
        }
    }
    out->patched = patch_has(x, out->address);
    return out->address != 0 && address - out->address < STUB_BYTES;
}

bool target_stub_at(const struct target *t, uint64_t address,
                    struct target_stub *out)
{
    out->win32u = !stub_in(&t->ntdll, &t->nt_stubs, address, out);
    return !out->win32u || stub_in(&t->win32u, &t->win32u_stubs, address, out);
}

static bool number_in(const struct module *m, uint64_t stub, uint16_t *number)
{
    for (size_t i = 0; m->bytes != NULL && i < stub_count(m); i++) {
        if (stub_at(m, i) == stub) {
            size_t of = i < m->syscalls.count
                            ? i
                            : m->syscalls.seconds[i - m->syscalls.count].of;

            *number = m->syscalls.entries[of].number;
            return true;
        }
    }
    return false;
}

bool target_stub_number(const struct target *t, uint64_t stub, uint16_t *number)
{
    return number_in(&t->ntdll, stub, number) ||
           number_in(&t->win32u, stub, number);
}

static int args_in(const struct target *t, const struct module *m,
                   uint16_t number)
{
    for (size_t i = 0; i < m->syscalls.count; i++) {
        if (m->syscalls.entries[i].number == number) {
            return call_arg_count_on(m->syscalls.entries[i].name,
                                     t->plan->system);
        }
    }
    return -1;
}

int target_arg_count(const struct target *t, uint16_t number)
{
    int count = args_in(t, &t->ntdll, number);

    return count >= 0 ? count : args_in(t, &t->win32u, number);
}

size_t target_forget_all_unpatched(struct target *t, bool win32u)
{
    struct patched *x = win32u ? &t->win32u_stubs : &t->nt_stubs;
    const struct module *m = win32u ? &t->win32u : &t->ntdll;
    uint8_t *now = x->count > 0 ? malloc(x->size) : NULL;
    size_t count = 0, ours = 0;

    if (now == NULL || !os_read(&t->os, x->from, now, x->size)) {
        free(now);
        return 0;
    }
    for (size_t i = 0; i < stub_count(m); i++) {
        uint64_t at = stub_at(m, i);
        const uint8_t *put = patch_bytes(x, at);

        if (put == NULL) {
            continue;  // never was
        }
        if (memcmp(now + (at - x->from), put, STUB_HEAD_SIZE) == 0) {
            ours++;
        } else {
            patch_forget(x, at);
            count++;
        }
    }
    free(now);
    if (count > 0 && ours == 0) {
        t->section->plain[win32u ? 1 : 0] = plain_range_of(t, m);
    }
    return count;
}

size_t target_forget_unpatched(struct target *t, const struct target_stub *stub)
{
    return target_forget_all_unpatched(t, stub->win32u);
}

bool target_bend_again(struct target *t, bool win32u, struct err *e)
{
    struct patched *x = win32u ? &t->win32u_stubs : &t->nt_stubs;
    const struct module *m = win32u ? &t->win32u : &t->ntdll;
    const struct target_pages room =
        win32u ? target_win32u_room(t) : nt_room(t);
    uint8_t *thunks = malloc((size_t)room.size);
    struct patched again;
    bool ok;

    if (thunks == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    /* The thunks are there: these would be the same. */
    ok = bend_stubs(t, m, room, &again, thunks, e);
    free(thunks);
    patch_close(ok ? x : &again);
    if (ok) {
        *x = again;
        t->section->plain[win32u ? 1 : 0] = (struct plain_range){ 0, 0 };
    }
    return ok;
}

void target_forget_win32u(struct target *t)
{
    target_unprepare_win32u(t);
    module_close(&t->win32u);
}

/* One that a process may still write to is nobody else's. */
static void close_section(struct target *t)
{
    uint32_t code;

    if (t->spares != NULL && t->shared.at != NULL && t->os.process != NULL &&
        os_process_ended(&t->os, &code)) {
        const struct spare_kind kind = kind_of(t->ring_bytes);

        spare_keep(t->spares, &kind, &t->shared);
    } else {
        os_section_close(&t->shared);
    }
}

void target_close(struct target *t)
{
    keeper_close(t);
    close_section(t);
    os_process_close(&t->os);
    os_event_close(t->room);
    patch_close(&t->nt_stubs);
    target_unprepare_win32u(t);
    module_close(&t->ntdll);
    module_close(&t->win32u);
    *t = (struct target){ 0 };
}
