/* SPDX-License-Identifier: MIT */
/*
 * witness.c - what the two witnesses do when the fast paths of entry.S and
 * callback.S do not suffice.
 *
 * The agent keeps the calls that are open on its thread only to know whether
 * a return needs the tracer's attention while the thread can still be asked
 * (an orphan, a rendezvous). What the trace says is decided by the tracer,
 * from the records (model/pair.c), by the same rules.
 */
#include "agent/agent.h"

#include "agent/teb.h"

/* NtMapViewOfSection, NtMapViewOfSectionEx: their arguments. */
#define MAP_PROCESS 1
#define MAP_BASE 2 /* where the address of the view stands */

/* A return inside the stub that begins at `stub`: after its `syscall` (14h)
 * or after its `int 2eh` (17h), docs/facts.md C9. */
static bool returns_into(uint64_t rip, uint64_t stub)
{
    return rip - stub - 0x14 <= 3;
}

static uint8_t row_flags(uint64_t row)
{
    return (uint8_t)(row >> 8);
}

/* Of call_row.more: how many arguments there are on the stack. */
static uint32_t row_more(uint64_t row)
{
    return row & ROW_MORE;
}

static bool row_makes(uint64_t row)
{
    return (row & ROW_MAKES) != 0;
}

static bool row_changes(uint64_t row)
{
    return (row & ROW_CHANGES) != 0;
}

static bool row_tampers(uint64_t row)
{
    return (row & ROW_TAMPERS) != 0;
}

static uint64_t row_of(uint64_t number)
{
    const uint64_t *rows =
        (const uint64_t *)((uint64_t)section_here() + SECTION_ROWS);

    return rows[number & SERVICE_MASK];
}

/* No records of such a call are wanted, and nobody waits for one. */
static bool is_filtered(uint64_t row)
{
    return (row_flags(row) & (ROW_FILTERED | ROW_SLOW_ENTRY | ROW_MAPS |
                              ROW_SETS_CALLBACK)) == ROW_FILTERED;
}

/* A call's row as its return is to see it, see ring.open_row. */
static uint64_t row_kept(uint64_t row)
{
    if (!is_filtered(row)) {
        row &= ~((uint64_t)ROW_FILTERED << 8);
    }
    if ((row_flags(row) & (ROW_CAPTURES | ROW_FILTERED)) == ROW_CAPTURES &&
        !capture_has_return(row)) {
        row &= ~((uint64_t)ROW_CAPTURES << 8);
    }
    return row;
}

/* --- the calls that are open --- */

/* The row's return wants the arguments. */
static bool keeps_args(uint64_t row)
{
    return (row_flags(row) & (ROW_CAPTURES | ROW_MAPS)) != 0 ||
           row_tampers(row);
}

/* The arguments in place `from` go to place `to`, if the row needs them. */
static void args_move(struct ring *ring, uint64_t row, uint32_t to,
                      uint32_t from)
{
    struct ring_args *t = ring_args_at(ring, to);
    const struct ring_args *f = ring_args_at(ring, from);

    if (!keeps_args(row) || to == from) {
        return;
    }
    t->count = f->count;
    t->marked = f->marked;
    t->child = f->child;
    t->tamper = f->tamper;
    for (uint32_t i = 0; i < f->count && i < 4 + RECORD_MORE_MAX; i++) {
        ((volatile uint64_t *)t->words)[i] = f->words[i];
    }
}

static void open_push(struct ring *ring)
{
    struct ring_open *o;

    if (ring->open_rsp == 0) {
        return;
    }
    if (ring->open_count >= RING_OPEN_MAX) {
        ring->open_missed++;
    } else {
        args_move(ring, ring->open_row, ring->open_count, RING_ARGS_NEWEST);
        o = &ring->open[ring->open_count++];
        o->rsp = ring->open_rsp;
        o->stub = ring->open_stub;
        o->row = ring->open_row;
        o->stack_base = ring->open_stack_base;
    }
    ring->open_rsp = 0;
}

/* Something at `rsp` of the stack with `base`: calls that were made there or
 * below will not come back. */
static void open_settle(struct ring *ring, uint64_t rsp, uint64_t base)
{
    if (ring->open_rsp != 0 && ring->open_stack_base == base &&
        ring->open_rsp <= rsp) {
        ring->open_rsp = 0;
    }
    while (ring->open_count > 0 && ring->open_count <= RING_OPEN_MAX &&
           ring->open[ring->open_count - 1].stack_base == base &&
           ring->open[ring->open_count - 1].rsp <= rsp) {
        ring->open_count--;
    }
}

/* Finds the open call that returns to `rip` with `rsp` and forgets it, and
 * what was open below it. Its arguments are then in RING_ARGS_TAKEN. False:
 * there is none. */
static bool open_take(struct ring *ring, uint64_t rip, uint64_t rsp,
                      uint64_t base, uint64_t *row)
{
    uint32_t count = ring->open_count;

    if (ring->open_rsp != 0 &&
        ((ring->open_rsp == rsp && returns_into(rip, ring->open_stub)) ||
         (row_flags(ring->open_row) & ROW_SETS_CONTEXT) != 0)) {
        *row = ring->open_row;
        args_move(ring, *row, RING_ARGS_TAKEN, RING_ARGS_NEWEST);
        ring->open_rsp = 0;
        return true;
    }
    if (count > RING_OPEN_MAX) {
        count = RING_OPEN_MAX;
    }
    for (uint32_t i = count; i-- > 0;) {
        struct ring_open *o = &ring->open[i];
        uint32_t kept = i;

        if (o->rsp != rsp || !returns_into(rip, o->stub)) {
            continue;
        }
        *row = o->row;
        args_move(ring, *row, RING_ARGS_TAKEN, i);
        for (uint32_t k = i + 1; k < count; k++) {
            if (ring->open[k].stack_base != base || ring->open[k].rsp > rsp) {
                args_move(ring, ring->open[k].row, kept, k);
                ring->open[kept++] = ring->open[k];
            }
        }
        ring->open_count = kept;
        if (ring->open_stack_base == base && ring->open_rsp <= rsp) {
            ring->open_rsp = 0;
        }
        return true;
    }
    return false;
}

/* Makes a finished record of `size` bytes visible. With `waits` it is a
 * question, and the thread goes on when it is answered; with `spin` it makes
 * no system call until the tracer has asked for its last one. False: it was not
 * answered. */
static bool publish(struct ring *ring, uint32_t size, bool waits, bool spin)
{
    if (waits) {
        /* However long this thread may be stopped before it asks. Relaxed: seen
         * with the record. */
        atomic_store_explicit(&ring->waiting, RING_ABOUT_TO_ASK,
                              memory_order_relaxed);
    }
    ring_publish(ring, size);
    return !waits || wait_answer(ring, spin);
}

/* --- at the door --- */

/* Copies the stack arguments of the call at `rsp`; returns how many of `more`
 * could be read. */
static uint32_t copy_args(struct ring *ring, uint64_t rsp, uint64_t *to,
                          uint32_t more)
{
    uint64_t from = rsp + 0x28;
    uint32_t here = (uint32_t)((0x1000 - from % 0x1000) / 8);
    struct known known = { 0 };

    if (more > RECORD_MORE_MAX) {
        more = RECORD_MORE_MAX;
    }
    if (more > 0 && ring_copy(ring, rsp, &known, to, from, more * 8)) {
        return more;
    }
    /* Up to the end of the page at least. */
    if (here < more && here > 0 &&
        ring_copy(ring, rsp, &known, to, from, here * 8)) {
        return here;
    }
    return 0;
}

/* All arguments of the call that is being entered. Returns how many of `more`
 * on the stack could be read. Its own function, so that what follows does not
 * carry this frame. */
__attribute__((noinline)) static uint32_t
take_args(struct ring *ring, struct ring_args *args,
          const struct entry_frame *frame, uint64_t rsp, uint32_t more)
{
    for (int i = 0; i < 4; i++) {
        ((volatile uint64_t *)args->words)[i] = frame->args[i];
    }
    more = copy_args(ring, rsp, args->words + 4, more);
    args->count = 4 + more;
    args->marked = 0;
    args->tamper = 0;
    return more;
}

static bool any_pending(void)
{
    return atomic_load_explicit(&section_here()->pending_live,
                                memory_order_relaxed) != 0;
}

/* A call with an IO_STATUS_BLOCK that may be that of one that is pending. */
static void see_block(struct ring *ring, uint64_t row, uint64_t rsp)
{
    uint64_t block = any_pending() ? capture_block(ring, row) : 0;

    if (block != 0) {
        capture_given_anew(ring, rsp, block);
    }
}

/* With next to no stack left, nothing is called that does not have to be. */
static void run_entry(struct ring *ring, const struct entry_frame *frame,
                      uint64_t row, uint64_t rsp)
{
    see_block(ring, row, rsp);
    if (!capture_near_end(rsp)) {
        uint32_t stack = capture_stack_bytes(row);

        capture_mark(ring, row, rsp);
        capture_entry(ring, row, rsp);
        if (stack > 0) {
            stack_capture(ring, (uint16_t)frame->number, rsp, stack);
        }
    }
}

/* The thread is to wait for the tracer. */
static bool entry_waits(struct ring *ring, uint64_t row)
{
    return (row_flags(row) & ROW_SLOW_ENTRY) != 0 &&
           (!row_tampers(row) || tamper_asks(ring, row));
}

/* The ENTRY record, after what the row's program copies; ring.verdict is the
 * answer, 0 if there is none. False: there is no record. */
static bool write_entry(struct ring *ring, const struct entry_frame *frame,
                        uint64_t rsp, uint64_t row)
{
    uint32_t wanted = row_more(row);
    struct ring_args *args = ring_args_at(ring, RING_ARGS_NEWEST);
    uint32_t more = take_args(ring, args, frame, rsp, wanted);
    uint32_t size = ENTRY_SIZE + 8 * more;
    bool waits = entry_waits(ring, row);
    struct record_entry *r;

    if ((row_flags(row) & ROW_CAPTURES) != 0) {
        run_entry(ring, frame, row, rsp);
    }
    r = ring_reserve(ring, size);
    if (r == NULL) {
        return false;
    }
    r->head.size = size;
    r->head.kind = RECORD_ENTRY;
    r->head.flags = (uint8_t)(more | (more < wanted ? RECORD_ARGS_LOST : 0) |
                              (waits ? RECORD_WAITS : 0));
    r->head.number = (uint16_t)frame->number;
    r->rsp = rsp;
    r->stack_base = teb_stack_base();
    r->caller = *(const uint64_t *)rsp;
    for (int i = 0; i < 4; i++) {
        r->args[i] = frame->args[i];
    }
    for (uint32_t i = 0; i < more; i++) {
        r->more[i] = args->words[4 + i];
    }
    r->head.time = tsc();
    /* What was said of another call is no answer. */
    ring->verdict = 0;
    if (!publish(ring, size, waits, false)) {
        ring->verdict = 0;
    }
    return true;
}

/* The RETURN record of a call that is not made. False: there is no room. */
static bool write_replaced(struct ring *ring, const struct entry_frame *frame,
                           uint64_t rsp, uint64_t result, bool delayed)
{
    struct record_return *r = ring_reserve(ring, RETURN_SIZE);

    if (r == NULL) {
        return false;
    }
    r->head.size = RETURN_SIZE;
    r->head.kind = RECORD_RETURN;
    r->head.flags =
        RECORD_INJECTED | RECORD_REPLACED | (delayed ? RECORD_DELAYED : 0);
    r->head.number = 0;
    r->rip = frame->stub + 0x14;
    r->rsp = rsp;
    r->rax = result;
    r->stack_base = teb_stack_base();
    r->head.time = tsc();
    publish(ring, RETURN_SIZE, false, false);
    return true;
}

/* Rules end with the tracer, even while there is room in the ring. */
__attribute__((noinline)) static bool has_tracer(struct ring *ring,
                                                 uint64_t rsp)
{
    return atomic_load_explicit(&section_here()->dead, memory_order_relaxed) ==
               0 &&
           (!own_calls_allowed() || teb_is_cramped(rsp) ||
            !own_tracer_gone(ring));
}

/* Lets the rules have the call that has just been written down. Returns its row as
 * the return is to see it; with frame->stub 0 it is over, and `frame` has its
 * result. Nothing is changed that no record tells. Its own function, so that other
 * calls carry no frame for it. */
__attribute__((noinline)) static uint64_t
tamper(struct ring *ring, struct entry_frame *frame, uint64_t rsp, uint64_t row)
{
    uint32_t use = tamper_choose(ring, row, ring->verdict);
    bool delayed;
    uint64_t result;

    if (use != 0 && !has_tracer(ring, rsp)) {
        use = 0;
    }
    if (tamper_enter(ring, use, &result, &delayed) &&
        write_replaced(ring, frame, rsp, result, delayed)) {
        tamper_left(ring, use);
        frame->stub = 0;
        frame->number = result;
        return row;
    }
    if (!delayed && !tamper_has_return(use)) {
        return row & ~(uint64_t)ROW_TAMPERS;
    }
    ring_args_at(ring, RING_ARGS_NEWEST)->tamper =
        use | (delayed ? TAMPERED_DELAYED : 0);
    return row;
}

/* The callback that a call is about to set: the address stands in
 * PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION, or alone (docs/facts.md A1.2).
 * What cannot be read is not 0. */
static uint64_t callback_in(struct ring *ring, uint64_t rsp,
                            const uint64_t *args)
{
    uint64_t from = args[2] + ((uint32_t)args[3] >= 16 ? 8 : 0);
    uint64_t callback = 0;
    struct known known = { 0 };

    return ring_copy(ring, rsp, &known, &callback, from, sizeof(callback))
               ? callback
               : UINT64_MAX;
}

/* A call that is about to take the callback from us. Should it fail, its
 * return still comes to us: agent_return, to which the row says whether it is
 * one. (That of another call of the kind, on another thread, may come in the
 * meantime, and says nothing.) Returns the row so. From here on no call of
 * ours may follow. */
static uint64_t watch_callback(struct ring *ring, uint64_t row, uint64_t rsp,
                               uint64_t *args)
{
    uint32_t owner;

    if ((row_flags(row) & ROW_SETS_CALLBACK) == 0) {
        return row;
    }
    if (args[0] != UINT64_MAX ||
        (uint32_t)args[1] != PROCESS_INSTRUMENTATION_CALLBACK) {
        return row & ~((uint64_t)ROW_SETS_CALLBACK << 8);
    }
    if (chain_entry(ring, args, rsp)) {
        return row;
    }
    owner = callback_in(ring, rsp, args) == 0 ? CALLBACK_NOBODYS
                                              : CALLBACK_PROGRAMS;
    ring->owner_was = atomic_exchange_explicit(&section_here()->callback_owner,
                                               owner, memory_order_relaxed);
    return row;
}

/* It has returned `rax`. By the callback: then it is still ours. By the function's
 * end: then it is whose it was, or is to be. */
__attribute__((noinline)) static void
callback_watched(struct ring *ring, uint64_t rsp, uint64_t rax)
{
    struct section *s = section_here();

    if ((s->flags & SECTION_RETURNS) == 0) {
        atomic_store_explicit(&s->callback_owner, CALLBACK_OURS,
                              memory_order_relaxed);
        chain_return(ring, rsp, rax);
    } else if ((int32_t)rax < 0) {
        atomic_store_explicit(&s->callback_owner, ring->owner_was,
                              memory_order_relaxed);
    }
}

/* Whatever the thread of `ring` was in is over: it is here. */
static void end_change(struct ring *ring)
{
    if (ring->changing != 0) {
        regions_changed(ring);
    }
}

void agent_entry(struct entry_frame *frame, uint64_t rsp)
{
    struct ring *ring = ring_enter(rsp);
    uint64_t row = row_of(frame->number);
    uint64_t base = teb_stack_base();

    if (ring == NULL) {
        if (row_changes(row)) {
            regions_changing(NULL);
        }
        return;
    }
    end_change(ring);
    open_settle(ring, rsp, base);
    open_push(ring);
    if (!is_filtered(row)) {
        if (write_entry(ring, frame, rsp, row) && row_tampers(row)) {
            row = tamper(ring, frame, rsp, row);
        }
        if (frame->stub == 0) {
            ring_leave(ring);
            return;
        }
        if (row_makes(row)) {
            child_entry(ring, rsp);
        }
    } else if ((row_flags(row) & ROW_CAPTURES) != 0) {
        (void)take_args(ring, ring_args_at(ring, RING_ARGS_NEWEST), frame, rsp,
                        row_more(row));
        see_block(ring, row, rsp);
    }
    row = watch_callback(ring, row_kept(row), rsp, frame->args);
    if ((row_flags(row) & ROW_ENDS_ITSELF) == 0) {
        ring->open_rsp = rsp;
        ring->open_stub = frame->stub;
        ring->open_row = row;
        ring->open_stack_base = base;
    }
    if (row_changes(row)) {
        regions_changing(ring);
    }
    ring_leave(ring);
}

/* --- at the return --- */

/* The newest open call is over by the APC whose frame is at `at`: it got its
 * result there, in a CONTEXT, and will not be seen to return
 * (docs/facts.md A2.6). */
static bool is_over_by_apc(const struct ring *ring, uint64_t at,
                           const struct transition_row *row, uint32_t count)
{
    return count > APC_CONTEXT_RAX && count <= APC_KERNELS &&
           ring->open_rsp != 0 &&
           returns_into(*(const uint64_t *)(at + row->offset[APC_CONTEXT_RIP]),
                        ring->open_stub);
}

/* What a rule wants of the call that is over so, in its CONTEXT and in the record,
 * which has a word more for it. Its own function, so that others carry no frame
 * for it. */
__attribute__((noinline)) static void
tamper_context(struct ring *ring, uint64_t *rax, struct record_return *r)
{
    uint64_t result = *rax;

    r->words[APC_KERNELS] = result;
    r->head.flags |=
        tamper_return(ring_args_at(ring, RING_ARGS_NEWEST)->tamper, &result);
    r->words[APC_CONTEXT_RAX] = result;
    *rax = result;
}

void witness_transition(struct ring *ring, enum transition which,
                        const struct return_frame *frame, uint64_t rsp,
                        bool waits)
{
    const struct transition_row *row = &image_config_here()->transition[which];
    uint64_t at = row->from_rcx ? frame->rcx : rsp;
    uint64_t base = teb_stack_base();
    uint32_t count = row->count;
    uint32_t size, tamper = 0;
    struct record_return *r;
    bool over;

    if (count > TRANSITION_WORDS_MAX) {
        count = TRANSITION_WORDS_MAX;
    }
    over = which == TRANSITION_APC && is_over_by_apc(ring, at, row, count);
    if (over && row_tampers(ring->open_row)) {
        tamper = ring_args_at(ring, RING_ARGS_NEWEST)->tamper;
    }
    size = RETURN_SIZE + 8 * count + (tamper != 0 ? 8 : 0);
    ring->quiet = which == TRANSITION_EXCEPTION;
    r = ring_reserve(ring, size);
    ring->quiet = 0;
    if (r == NULL) {
        return;
    }
    r->head.size = size;
    r->head.kind = RECORD_TRANSITION;
    r->head.flags = waits ? RECORD_WAITS : 0;
    r->head.number = (uint16_t)which;
    r->rip = frame->rip;
    r->rsp = rsp;
    r->rax = frame->rax;
    r->stack_base = base;
    /* The kernel has just written them there, and the door's own code reads
     * them next. Nothing is asked for them, and they go to the record at once:
     * a stack overflow arrives here as well, with next to no stack left. */
    for (uint32_t i = 0; i < count; i++) {
        r->words[i] = *(const uint64_t *)(at + row->offset[i]);
    }
    if (tamper != 0) {
        tamper_context(ring, (uint64_t *)(at + row->offset[APC_CONTEXT_RAX]),
                       r);
    }
    switch (which) {
    case TRANSITION_APC:
        if (over) {
            ring->open_rsp = 0;
        }
        break;
    case TRANSITION_CALLBACK:
        open_push(ring);
        break;
    case TRANSITION_RAISE:
        if (ring->open_rsp == rsp) {
            ring->open_rsp = 0;
        }
        break;
    case TRANSITION_THREAD_START:
    case TRANSITION_EXCEPTION:
    case TRANSITION_COUNT:
        break;
    }
    r->head.time = tsc();
    publish(ring, size, waits, false);
    if (tamper != 0 && !teb_is_cramped(rsp)) {
        tamper_left(ring, tamper);
    }
}

static enum transition transition_at(uint64_t rip)
{
    const struct image_config *config = image_config_here();

    for (int i = 0; i < TRANSITION_COUNT; i++) {
        if (config->transition[i].rip == rip) {
            return (enum transition)i;
        }
    }
    return TRANSITION_COUNT;
}

static bool in_plain_range(uint64_t rip)
{
    const struct section *s = section_here();

    return rip - s->plain[0].start < s->plain[0].size ||
           rip - s->plain[1].start < s->plain[1].size;
}

/* A call that maps views has returned: looks at what it has mapped into this
 * process. True: it is an image, which is then told of in struct ring_told. */
static bool has_mapped_image(struct ring *ring, uint64_t row, uint64_t rsp,
                             uint64_t rax)
{
    const struct ring_args *args = ring_args_at(ring, RING_ARGS_TAKEN);
    struct known known = { 0 };
    uint64_t base = 0;

    return (row_flags(row) & ROW_MAPS) != 0 && !row_makes(row) &&
           (int32_t)rax >= 0 && args->words[MAP_PROCESS] == CURRENT_PROCESS &&
           ring_copy(ring, rsp, &known, &base, args->words[MAP_BASE],
                     sizeof(base)) &&
           chore_is_image(ring, base);
}

/* The same: 0 if it is none, the number of a known image (chore_known_image), or
 * MAPPED_UNKNOWN. Its own function, so that other calls carry no frame for it. */
#define MAPPED_UNKNOWN 0x10000u
__attribute__((noinline)) static uint32_t
mapped_image(struct ring *ring, uint64_t row, uint64_t rsp, uint64_t rax)
{
    uint32_t known;

    if (!has_mapped_image(ring, row, rsp, rax)) {
        return 0;
    }
    known = chore_known_image(ring);
    return known != 0 ? known : MAPPED_UNKNOWN;
}

/* How long the RETURN of a call with this row is, whose arguments are in
 * RING_ARGS_TAKEN. */
__attribute__((noinline)) static uint32_t return_size(struct ring *ring,
                                                      uint64_t row)
{
    uint64_t rax;

    return row_tampers(row) &&
                   (tamper_return(ring_args_at(ring, RING_ARGS_TAKEN)->tamper,
                                  &rax) &
                    RECORD_INJECTED) != 0
               ? RETURN_SIZE_MOST
               : RETURN_SIZE;
}

/* What rules make of the call that returns, and of its record. Both functions are
 * their own, so that other calls carry no frame for them. */
__attribute__((noinline)) static void put_tampered(struct ring *ring,
                                                   struct return_frame *frame,
                                                   struct record_return *r)
{
    uint8_t flags =
        tamper_return(ring_args_at(ring, RING_ARGS_TAKEN)->tamper, &r->rax);

    /* What was not so a moment ago finds no room. */
    if (r->head.size == RETURN_SIZE && (flags & RECORD_INJECTED) != 0) {
        r->rax = frame->rax;
        flags &= (uint8_t)~RECORD_INJECTED;
    }
    if (r->head.size > RETURN_SIZE) {
        r->words[0] = frame->rax;
        frame->rax = r->rax;
    }
    r->head.flags |= flags;
}

/* Of an orphan, where the kernel has gone back to: by the end of a function we have
 * come from behind its `syscall`, and go on at its last `ret`. Its own function, as
 * those above. */
__attribute__((noinline)) static void correct_rip(struct record_return *r)
{
    if ((r->head.flags & RECORD_ORPHAN) != 0 &&
        (section_here()->flags & SECTION_RETURNS) != 0) {
        r->rip -= 3;
    }
}

/* The RETURN record, after what the program of its row copies; `orphan`: of no
 * call that is known, and `row` is 0. True: a call that was pending is over
 * already. */
static bool write_return(struct ring *ring, struct return_frame *frame,
                         uint64_t rsp, uint64_t row, uint64_t time, bool orphan)
{
    struct section *s = section_here();
    struct record_return *r;
    bool child = row_makes(row) && child_return(ring, rsp, frame->rax);
    bool spin, waits, look = false;
    uint32_t mapped, size;

    if ((row_flags(row) & ROW_CAPTURES) != 0 && !capture_near_end(rsp)) {
        look = capture_return(ring, row, rsp, frame->rax, time);
    }
    spin = orphan && (s->flags & SECTION_ASK_ORPHANS) != 0;
    mapped = mapped_image(ring, row, rsp, frame->rax);
    waits = spin || child || mapped == MAPPED_UNKNOWN;
    /* Until the tracer has asked for it, this thread's last call must stay
     * the program's. Where there is no room we must wait, and cannot ask. */
    ring->quiet = spin;
    size = return_size(ring, row);
    r = ring_reserve(ring, size);
    ring->quiet = 0;
    spin = spin && !ring->disturbed;
    if (r == NULL) {
        if (child) {
            child_abandoned(ring, true);
        }
        return look;
    }
    r->head.size = size;
    r->head.kind = RECORD_RETURN;
    r->head.flags =
        (uint8_t)((orphan ? RECORD_ORPHAN : 0) | (waits ? RECORD_WAITS : 0));
    r->head.number = (uint16_t)mapped;
    r->head.time = time;
    r->rip = frame->rip;
    r->rsp = rsp;
    r->rax = frame->rax;
    r->stack_base = teb_stack_base();
    correct_rip(r);
    if (row_tampers(row)) {
        put_tampered(ring, frame, r);
    }
    if (spin && image_config_here()->wine_pointer != 0) {
        ring->last_argument = teb_last_argument();
        ring->last_number = teb_last_number();
    }
    if (!publish(ring, size, waits, spin)) {
        child_abandoned(ring, child);
    }
    if (row_tampers(row)) {
        tamper_left(ring, ring_args_at(ring, RING_ARGS_TAKEN)->tamper);
    }
    return look;
}

static void look_at_pending(struct ring *ring, uint64_t rsp)
{
    if (any_pending() && !capture_near_end(rsp)) {
        capture_completions(ring, rsp);
    }
}

void agent_return(struct return_frame *frame, uint64_t rsp)
{
    struct ring *ring = ring_enter(rsp);
    enum transition which;
    uint64_t row = 0, time;
    bool unknown, orphan, look = false;

    if (ring == NULL) {
        regions_changed(NULL);
        return;
    }
    end_change(ring);
    time = tsc();
    which = transition_at(frame->rip);
    if (which != TRANSITION_COUNT) {
        if (which == TRANSITION_THREAD_START) {
            regions_changed(NULL);
        }
        witness_transition(ring, which, frame, rsp, false);
        if (which == TRANSITION_APC) {
            look_at_pending(ring, rsp);
        }
        ring_leave(ring);
        return;
    }
    unknown = !open_take(ring, frame->rip, rsp, teb_stack_base(), &row) &&
              !in_plain_range(frame->rip);
    orphan = unknown && ring->open_missed == 0;
    if (unknown) {
        regions_changed(NULL);
    }
    if ((row_flags(row) & ROW_SETS_CALLBACK) != 0) {
        callback_watched(ring, rsp, frame->rax);
    }
    /* Filtered: it was only to be known for what it is. */
    if ((row_flags(row) & ROW_FILTERED) == 0) {
        look = write_return(ring, frame, rsp, row, time, orphan);
    }
    if (look || (row_flags(row) & ROW_TELLS) != 0) {
        look_at_pending(ring, rsp);
    }
    ring_leave(ring);
}

uint32_t agent_chained(struct return_frame *frame, uint64_t rsp)
{
    /* Who was chained when the call began hears of its return, but by whoever
     * is chained then. */
    bool heard = chain_hears(rsp);

    agent_return(frame, rsp);
    return heard;
}
