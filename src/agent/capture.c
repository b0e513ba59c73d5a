/* SPDX-License-Identifier: MIT */
/*
 * capture.c - runs capture programs: copies what a call's arguments point to.
 *
 * wire/capture.h says what a program is. It lies in memory that the target
 * can write, and so does the scratch page: every number is read once, and
 * compared before it is used (hence `volatile`). Memory of the program is read
 * by ring_copy alone, which never faults; nothing is written but records and
 * the scratch page of the thread's own ring.
 *
 * A piece goes straight into DATA records, in chunks that never cross a page:
 * what cannot be read ends at a page boundary. A chunk that finds no room
 * ends its piece, and is counted.
 *
 * What a pending call has yet to fill is noted, and copied by the thread that
 * finds it filled (wire/pending.h).
 */
#include "agent/agent.h"

#include "agent/teb.h"
#include "wire/pending.h"

#define CHUNK_MAX (RECORD_MAX - DATA_BYTES)
/* Of a string whose end has yet to be found. */
#define STRING_CHUNK 256u
/* Nobody's memory: NULL, and small numbers in place of a pointer. */
#define LEAST_ADDRESS 0x10000

/* No program is run with less stack than that above its reserved end: a page
 * that is never there, guard pages, and what the agent needs. */
#define STACK_LEFT 0x4000
/* More than a program, and the system calls it makes, use below RSP. */
#define STACK_NEEDED 0x800

#define STATUS_PENDING 0x103
#define STATUS_BUFFER_OVERFLOW 0x80000005
#define STATUS_INFO_LENGTH_MISMATCH 0xc0000004
#define STATUS_BUFFER_TOO_SMALL 0xc0000023

struct run {
    struct ring *ring;
    uint64_t rsp;
    uint64_t rax;     // at the return
    uint64_t time;    // at the return, of all records; else 0
    uint16_t number;  // of the service
    uint8_t flags;    // RECORD_AT_*, of DATA
    bool at_return;
    uint8_t result;  // enum capture_result
    uint8_t note;    // 1 + the place where a pending call is noted; 0: none
    uint8_t noted;   // used pieces there
    bool over;       // it is not pending any more
    uint16_t part;   // the element of an array that is followed
    uint16_t parts;  // elements that may still be followed
    uint16_t first;  // index of the half's first operation in the program
    uint16_t index;  // of the operation that runs, in its half
    uint32_t left;   // bytes that may still be copied
    uint32_t kept;   // used bytes of ring_scratch.kept
    struct known known;
};

/* True if the stack may have too little room left for a program: after a stack
 * overflow what there is belongs to the program's handler. Of a stack that the
 * TEB does not know, nothing is known to be there but the page of `rsp`. */
bool capture_near_end(uint64_t rsp)
{
    uint64_t end = teb_stack_end();

    if (end <= rsp && rsp < teb_stack_base()) {
        return rsp - end < STACK_LEFT;
    }
    return (rsp - STACK_NEEDED) / PAGE_SIZE != rsp / PAGE_SIZE;
}

static struct ring_scratch *scratch(const struct run *run)
{
    return (struct ring_scratch *)((char *)run->ring + RING_SCRATCH);
}

/* A number of 2, 4 or 8 bytes in a piece copied before. False: it is not
 * there. */
static bool field(const struct run *run, uint32_t from, uint64_t offset,
                  uint32_t size, uint64_t *value)
{
    uint32_t i = from - CAPTURE_PIECE;
    uint32_t at, kept;
    uint64_t v = 0;

    if (from < CAPTURE_PIECE || i >= run->index) {
        return false;
    }
    at = scratch(run)->piece[i].kept_at;
    kept = scratch(run)->piece[i].kept;
    if (at > CAPTURE_KEEP_ALL || kept > CAPTURE_KEEP_ALL - at ||
        offset + size > kept) {
        return false;
    }
    for (uint32_t k = size; k-- > 0;) {
        v = v << 8 | scratch(run)->kept[at + offset + k];
    }
    *value = v;
    return true;
}

/* Those of the call whose half runs. */
static const struct ring_args *args_of(const struct run *run)
{
    return ring_args_at(run->ring,
                        run->at_return ? RING_ARGS_TAKEN : RING_ARGS_NEWEST);
}

static bool argument(const struct run *run, uint32_t from, uint64_t *value)
{
    const struct ring_args *args = args_of(run);

    if (from >= args->count || from >= 4 + RECORD_MORE_MAX) {
        return false;
    }
    *value = args->words[from];
    return true;
}

/* Bytes up to the end of the page that `address` is on, at most `most`. */
static uint32_t on_page(uint64_t address, uint32_t most)
{
    uint32_t here = PAGE_SIZE - (uint32_t)(address % PAGE_SIZE);

    return here < most ? here : most;
}

/* The number of `size` bytes at `address`. */
__attribute__((always_inline)) static inline bool
number_at(struct run *run, uint64_t address, uint32_t size, uint64_t *value)
{
    uint64_t v = 0;
    uint32_t here;

    if (address < LEAST_ADDRESS) {
        return false;
    }
    here = on_page(address, size);
    if (!ring_copy(run->ring, run->rsp, &run->known, &v, address, here) ||
        !ring_copy(run->ring, run->rsp, &run->known, (char *)&v + here,
                   address + here, size - here)) {
        return false;
    }
    *value = v;
    return true;
}

/* The same, as it is now: the kernel may be writing it, and what lies around it.
 */
__attribute__((always_inline)) static inline bool
number_now(struct run *run, uint64_t address, uint32_t size, uint64_t *value)
{
    bool there;

    run->ring->around_bytes = 0;
    there = number_at(run, address, size, value);
    run->ring->around_bytes = 0;
    return there;
}

/* The number of `size` bytes that argument `from` points to. */
static bool pointee(struct run *run, uint32_t from, uint32_t size,
                    uint64_t *value)
{
    uint64_t address;

    return argument(run, from, &address) &&
           number_at(run, address, size, value);
}

/* How many bytes `size` of `op` asks for; all there are for CAPTURE_ZERO_ENDED.
 * False: that cannot be told. */
static bool amount(struct run *run, const volatile struct capture_op *op,
                   const volatile struct capture_size *from, uint64_t *bytes)
{
    struct capture_size size = { from->unit, from->from, from->offset,
                                 from->scale };
    uint64_t offset = size.offset;
    uint64_t units = 0;
    bool known = true;

    if (run->part > 0 && size.from == op->base) {
        offset += (uint64_t)run->part * op->test_value;
    }
    switch ((enum capture_unit)size.unit) {
    case CAPTURE_NO_LIMIT:
    case CAPTURE_ZERO_ENDED:
        *bytes = UINT64_MAX;
        return true;
    case CAPTURE_ONE:
        units = 1;
        break;
    case CAPTURE_VALUE:
        known = argument(run, size.from, &units);
        units = (uint32_t)units;
        break;
    case CAPTURE_VALUE64:
        known = argument(run, size.from, &units);
        break;
    case CAPTURE_POINTEE32:
    case CAPTURE_POINTEE64:
        known = pointee(run, size.from, size.unit == CAPTURE_POINTEE32 ? 4 : 8,
                        &units);
        break;
    case CAPTURE_FIELD16:
    case CAPTURE_FIELD32:
    case CAPTURE_FIELD64:
        known = field(run, size.from, offset,
                      2u << (size.unit - CAPTURE_FIELD16), &units);
        break;
    case CAPTURE_RESULT:
        known = run->at_return;
        units = (uint32_t)run->rax;
        break;
    default:
        known = false;
        break;
    }
    if (known && __builtin_mul_overflow(units, size.scale, bytes)) {
        *bytes = UINT64_MAX;
    }
    return known;
}

/* Whether a call with this result has filled its outputs. */
static bool is_filled(const struct run *run)
{
    uint64_t rax = run->rax;

    switch ((enum capture_result)run->result) {
    case CAPTURE_RESULT_STATUS:
        return ((int32_t)rax >= 0 && (uint32_t)rax != STATUS_PENDING) ||
               (uint32_t)rax == STATUS_BUFFER_OVERFLOW;
    case CAPTURE_RESULT_BOOL:
        return (uint32_t)rax != 0;
    case CAPTURE_RESULT_WORD:
        return rax != 0;
    case CAPTURE_RESULT_ANY:
        return true;
    default:
        return false;
    }
}

__attribute__((noinline)) static bool
is_wanted(const struct run *run, const volatile struct capture_op *op)
{
    uint32_t status = (uint32_t)run->rax;
    uint64_t v;

    switch ((enum capture_when)op->when) {
    case CAPTURE_ALWAYS:
        break;
    case CAPTURE_FILLED:
        if (!run->at_return || !is_filled(run)) {
            return false;
        }
        break;
    case CAPTURE_LEADS:
    case CAPTURE_COMPLETED:
        if (!run->at_return || (run->note == 0 && !is_filled(run))) {
            return false;
        }
        break;
    case CAPTURE_LENGTH:
        if (!run->at_return ||
            (!is_filled(run) && (run->result != CAPTURE_RESULT_STATUS ||
                                 (status != STATUS_INFO_LENGTH_MISMATCH &&
                                  status != STATUS_BUFFER_TOO_SMALL)))) {
            return false;
        }
        break;
    default:
        return false;
    }
    switch ((enum capture_test)op->test) {
    case CAPTURE_UNTESTED:
    case CAPTURE_EACH:
        return true;
    case CAPTURE_IF_ARG:
        return argument(run, op->test_from, &v) &&
               (uint32_t)v == op->test_value;
    case CAPTURE_IF_FIELD:
        return field(run, op->test_from, op->test_offset, 4, &v) &&
               (uint32_t)v == op->test_value;
    default:
        return false;
    }
}

/* Where the pointer in the element at hand stands. False: the array has no
 * more of them. */
static bool part_at(const struct run *run, const volatile struct capture_op *op,
                    uint64_t *at)
{
    uint32_t i = op->base - CAPTURE_PIECE;
    uint64_t offset = op->offset + (uint64_t)run->part * op->test_value;

    if (i >= run->index || offset + 8 > scratch(run)->piece[i].length) {
        return false;
    }
    *at = scratch(run)->piece[i].address + offset;
    return true;
}

/* Where the piece begins. False: nowhere. Its own function, as the next ones,
 * so that copying has no frame for it. */
__attribute__((noinline)) static bool
address_of(struct run *run, const volatile struct capture_op *op,
           uint64_t *address)
{
    uint32_t base = op->base;
    uint32_t offset = op->offset;

    if (op->test == CAPTURE_EACH) {
        if (run->parts == 0 || op->test_value < 8 ||
            !part_at(run, op, address)) {
            return false;
        }
        run->parts--;
        return number_at(run, *address, 8, address) &&
               *address >= LEAST_ADDRESS;
    }
    if (base >= CAPTURE_PIECE) {
        return field(run, base, offset, 8, address) &&
               *address >= LEAST_ADDRESS;
    }
    if (!argument(run, base, address) || *address < LEAST_ADDRESS) {
        return false;
    }
    *address += offset;
    return true;
}

/* --- copying --- */

/* How many of the `size` bytes at `bytes`, which are the piece's from `done`
 * on, go up to and including its first zero of `unit` bytes; `size` if there
 * is none. `*before` is the byte before them. */
static uint32_t up_to_zero(const volatile uint8_t *bytes, uint32_t size,
                           uint32_t done, uint32_t unit, uint8_t *before,
                           bool *found)
{
    for (uint32_t i = 0; i < size; i++) {
        uint8_t b = bytes[i];

        if (b == 0 && (unit == 1 || ((done + i) % 2 == 1 && *before == 0))) {
            *found = true;
            return i + 1;
        }
        *before = b;
    }
    return size;
}

/* The first bytes of the piece, for the operations that follow. */
static void keep(struct run *run, struct ring_piece *piece,
                 const volatile uint8_t *bytes, uint32_t size)
{
    uint8_t *to = scratch(run)->kept;
    uint32_t have = run->kept - piece->kept_at;

    for (uint32_t i = 0;
         i < size && have < CAPTURE_KEEP && run->kept < CAPTURE_KEEP_ALL;
         i++, have++) {
        ((volatile uint8_t *)to)[run->kept++] = bytes[i];
    }
    piece->kept = (uint16_t)have;
}

/* Copies up to `size` bytes at `address` into records. With `unit`, a string
 * of units so long, up to its zero. Part of whoever calls it: a frame of its
 * own would be one more on the stack. */
__attribute__((always_inline)) static inline void
copy(struct run *run, uint64_t address, uint64_t size, uint32_t unit)
{
    struct ring_piece *piece = &scratch(run)->piece[run->index];
    struct ring_piece p = { address, 0, (uint16_t)run->kept, 0 };
    bool found = false;
    uint8_t before = 1;

    while (p.length < size && run->left > 0 && !found) {
        uint64_t from = address + p.length;
        uint64_t rest = size - p.length;
        uint32_t most = unit != 0 ? STRING_CHUNK : CHUNK_MAX;
        uint32_t chunk, bytes;
        struct record_data *r;

        if (rest > run->left) {
            rest = run->left;
        }
        chunk = on_page(from, rest < most ? (uint32_t)rest : most);
        r = ring_reserve_data(run->ring, DATA_BYTES + ((chunk + 7) & ~7u));
        if (r == NULL || !ring_copy(run->ring, run->rsp, &run->known, r->bytes,
                                    from, chunk)) {
            break;
        }
        if (unit != 0) {
            chunk =
                up_to_zero(r->bytes, chunk, p.length, unit, &before, &found);
        }
        keep(run, &p, r->bytes, chunk);
        bytes = DATA_BYTES + ((chunk + 7) & ~7u);
        r->head.size = bytes;
        r->head.kind = RECORD_DATA;
        r->head.flags = run->flags;
        r->head.number = run->number;
        r->head.time = run->time != 0 ? run->time : tsc();
        r->rsp = run->rsp;
        r->address = from;
        r->length = chunk;
        r->op = (uint32_t)(run->first + run->index) << 16 | run->part;
        ring_publish(run->ring, bytes);
        p.length += chunk;
        run->left -= chunk;
    }
    *piece = p;
}

static volatile struct pending *pending_at(uint32_t i)
{
    return (volatile struct pending *)((uint64_t)section_here() +
                                       SECTION_PENDING) +
           i;
}

static void run_op(struct run *run, const volatile struct capture_op *op)
{
    struct ring_piece *piece = &scratch(run)->piece[run->index];
    uint64_t address, size, limit;
    uint32_t unit = 0, most = op->most;

    piece->kept = 0;
    piece->length = 0;
    if (!is_wanted(run, op) || !address_of(run, op, &address) ||
        !amount(run, op, &op->size, &size)) {
        return;
    }
    if (op->size.unit == CAPTURE_ZERO_ENDED) {
        unit = op->size.scale;
        if (unit != 1 && unit != 2) {
            return;
        }
    }
    if (amount(run, op, &op->limit, &limit) && limit < size) {
        size = limit;
    }
    if (most < size) {
        size = most;
    }
    copy(run, address, size, unit);
}

/* True if the call is pending and this an output of it: where it will be is
 * noted, without a system call. Not in run_op, whose frame it would enlarge. */
__attribute__((noinline)) static bool
is_noted(struct run *run, const volatile struct capture_op *op)
{
    volatile struct pending_piece *piece;
    uint64_t address, size;
    uint32_t most = op->most, unit = op->size.unit;

    if (run->note == 0 || op->when != CAPTURE_COMPLETED) {
        return false;
    }
    scratch(run)->piece[run->index].kept = 0;
    scratch(run)->piece[run->index].length = 0;
    if (unit != CAPTURE_ZERO_ENDED && unit != CAPTURE_POINTEE32 &&
        unit != CAPTURE_POINTEE64 && op->test != CAPTURE_EACH &&
        run->noted < PENDING_PIECES && is_wanted(run, op) &&
        address_of(run, op, &address) && amount(run, op, &op->size, &size)) {
        piece = &pending_at(run->note - 1u)->piece[run->noted++];
        piece->address = address;
        piece->size = size < most ? (uint32_t)size : most;
        piece->op = (uint16_t)(run->first + run->index);
        piece->limited = op->limit.unit >= CAPTURE_FIELD16 &&
                         op->limit.unit <= CAPTURE_FIELD64;
    }
    return true;
}

/* Goes on to the next element of the operation's array, or the next operation.
 * Of an element nothing is kept. */
__attribute__((noinline)) static void
go_on(struct run *run, const volatile struct capture_op *op)
{
    struct ring_piece *piece = &scratch(run)->piece[run->index];
    uint64_t at;

    if (op->test == CAPTURE_EACH) {
        run->kept -= piece->kept;
        piece->kept = 0;
        piece->length = 0;
        run->part++;
        /* The length of the array is anybody's to write, and who is not wanted
         * does not count in `parts`. */
        if (op->test_value >= 8 && run->parts > 0 &&
            run->part < CAPTURE_EACH_MAX && part_at(run, op, &at)) {
            return;
        }
    }
    run->part = 0;
    run->index++;
}

/* --- programs --- */

/* A row's program, its counts of operations and what they make of the result;
 * NULL: it has none that could be run. */
static const struct capture_program *program_of(uint64_t row,
                                                struct capture_program *head)
{
    uint64_t at = row >> 32;
    const struct capture_program *p =
        (const struct capture_program *)((uint64_t)section_here() + at);
    const volatile struct capture_program *once = p;

    if (at < SECTION_PROGRAMS || at % 8 != 0 ||
        at + sizeof(*head) > SECTION_TAMPER) {
        return NULL;
    }
    head->entry_count = once->entry_count;
    head->return_count = once->return_count;
    head->result = once->result;
    head->block = once->block;
    head->notes = once->notes;
    head->signals = once->signals;
    head->stack = once->stack;
    if (head->entry_count + head->return_count > CAPTURE_OPS_MAX ||
        at + sizeof(*head) +
                (uint64_t)(head->entry_count + head->return_count) *
                    sizeof(struct capture_op) >
            SECTION_TAMPER) {
        return NULL;
    }
    return p;
}

bool capture_has_return(uint64_t row)
{
    struct capture_program head;

    return program_of(row, &head) != NULL &&
           (head.return_count != 0 || head.notes != 0);
}

uint32_t capture_stack_bytes(uint64_t row)
{
    struct capture_program head;
    uint32_t bytes;

    if (program_of(row, &head) == NULL) {
        return 0;
    }
    bytes = (uint32_t)head.stack * CAPTURE_STACK_UNIT;
    return bytes < CAPTURE_STACK_MAX ? bytes : CAPTURE_STACK_MAX;
}

/* --- calls that are pending (wire/pending.h) --- */

/* True: place `i` was a live one, and is this thread's alone from now on. */
static bool pending_take(uint32_t i)
{
    uint64_t bit = (uint64_t)1 << i;

    /* Acquire: all of it is there. Pairs with the release in pending_show. */
    return (atomic_fetch_and_explicit(&section_here()->pending_live, ~bit,
                                      memory_order_acquire) &
            bit) != 0;
}

/* Others may take it from now on. */
static void pending_show(uint32_t i)
{
    /* Release: it is written. Pairs with the acquire in pending_take. */
    atomic_fetch_or_explicit(&section_here()->pending_live, (uint64_t)1 << i,
                             memory_order_release);
}

static void pending_free(uint32_t i)
{
    /* Release: we are done with it. Pairs with the acquire in pending_claim. */
    atomic_fetch_and_explicit(&section_here()->pending_used,
                              ~((uint64_t)1 << i), memory_order_release);
}

/* The place of the oldest call, which is given up; PENDING_MAX: none can be
 * had. */
static uint32_t pending_oldest(void)
{
    uint64_t live = atomic_load_explicit(&section_here()->pending_live,
                                         memory_order_relaxed);
    uint32_t oldest = PENDING_MAX;
    uint64_t began = 0;

    for (; live != 0; live &= live - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(live);

        if (oldest == PENDING_MAX || pending_at(i)->began < began) {
            oldest = i;
            began = pending_at(i)->began;
        }
    }
    return oldest != PENDING_MAX && pending_take(oldest) ? oldest : PENDING_MAX;
}

/* A place that is now this thread's to fill; PENDING_MAX: none. */
static uint32_t pending_claim(void)
{
    struct section *s = section_here();

    for (uint32_t turn = 0; turn < PENDING_MAX; turn++) {
        uint64_t free =
            ~atomic_load_explicit(&s->pending_used, memory_order_relaxed);
        uint64_t bit = free & -free;

        if (bit == 0) {
            return pending_oldest();
        }
        /* Acquire: pairs with the release in pending_free. */
        if ((atomic_fetch_or_explicit(&s->pending_used, bit,
                                      memory_order_acquire) &
             bit) == 0) {
            return (uint32_t)__builtin_ctzll(bit);
        }
    }
    return PENDING_MAX;
}

/* What an IO_STATUS_BLOCK says. The kernel writes the status last. */
static bool block_at(struct run *run, uint64_t block, uint32_t *status,
                     uint64_t *information)
{
    uint64_t word;

    if (!number_now(run, block, 4, &word)) {
        return false;
    }
    *status = (uint32_t)word;
    return *status == STATUS_PENDING ||
           number_now(run, block + 8, 8, information);
}

/* Copies what the call at place `i`, ours, has filled. */
static void copy_outputs(struct run *run, volatile struct pending *p,
                         uint64_t information)
{
    uint32_t count = p->count;

    run->left = CAPTURE_BYTES_MAX;
    for (uint32_t k = 0; k < count && k < PENDING_PIECES; k++) {
        volatile struct pending_piece *piece = &p->piece[k];
        uint64_t address = piece->address;
        uint64_t size = piece->size;

        if (piece->limited && information < size) {
            size = information;
        }
        run->first = piece->op;
        run->kept = 0;
        if (address >= LEAST_ADDRESS) {
            copy(run, address, size, 0);
        }
    }
}

static void tell_completion(struct run *run, volatile struct pending *p,
                            uint64_t information)
{
    struct record_completion *r =
        ring_reserve(run->ring, sizeof(struct record_completion));

    if (r == NULL) {
        return;
    }
    r->head.size = sizeof(*r);
    r->head.kind = RECORD_COMPLETION;
    r->head.flags = run->flags;
    r->head.number = run->number;
    r->rsp = run->rsp;
    r->began = p->began;
    r->block = p->block;
    r->information = information;
    r->status = (uint32_t)run->rax;
    r->tid = p->tid;
    r->head.time = tsc();
    ring_publish(run->ring, sizeof(*r));
}

/* Looks at the call at place `i`, which this thread has taken: is it over?
 * With `last` it is given up if not, and so is one whose block has gone. */
__attribute__((noinline)) static void look_at(struct run *run, uint32_t i,
                                              bool last)
{
    volatile struct pending *p = pending_at(i);
    uint32_t status;
    uint64_t information;
    bool there = !capture_near_end(run->rsp) &&
                 block_at(run, p->block, &status, &information);

    if (there && status == STATUS_PENDING && !last) {
        pending_show(i);
        return;
    }
    if (there && status != STATUS_PENDING) {
        run->rax = status;
        run->number = p->number;
        if (is_filled(run)) {
            copy_outputs(run, p, information);
        }
        tell_completion(run, p, information);
    }
    pending_free(i);
}

static bool says_pending(struct run *run, uint64_t block)
{
    uint64_t status;

    return number_now(run, block, 4, &status) &&
           (uint32_t)status == STATUS_PENDING;
}

static void begin_completions(struct run *run, struct ring *ring, uint64_t rsp)
{
    *run = (struct run){ .ring = ring,
                         .rsp = rsp,
                         .flags = RECORD_AT_COMPLETION,
                         .result = CAPTURE_RESULT_STATUS };
}

void capture_completions(struct ring *ring, uint64_t rsp)
{
    uint64_t live = atomic_load_explicit(&section_here()->pending_live,
                                         memory_order_relaxed);
    struct run run;

    if (!own_calls_allowed()) {
        return;
    }
    begin_completions(&run, ring, rsp);
    for (; live != 0; live &= live - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(live);

        /* Looked at before it is taken: one that is not over is there for
         * others all the time. */
        if (!says_pending(&run, pending_at(i)->block) && pending_take(i)) {
            look_at(&run, i, false);
        }
    }
}

void capture_given_anew(struct ring *ring, uint64_t rsp, uint64_t block)
{
    uint64_t live = atomic_load_explicit(&section_here()->pending_live,
                                         memory_order_relaxed);
    struct run run;

    begin_completions(&run, ring, rsp);
    for (; live != 0; live &= live - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(live);

        /* (If another thread has put another call there since, that one is
         * given up.) */
        if (pending_at(i)->block == block && pending_take(i)) {
            look_at(&run, i, true);
        }
    }
}

uint64_t capture_block(struct ring *ring, uint64_t row)
{
    struct run run = { .ring = ring };
    struct capture_program head;
    uint64_t block = 0;

    if (program_of(row, &head) != NULL && head.block != 0) {
        (void)argument(&run, head.block - 1u, &block);
    }
    return block;
}

void capture_mark(struct ring *ring, uint64_t row, uint64_t rsp)
{
    struct run run = { .ring = ring, .rsp = rsp };
    struct capture_program head;
    uint64_t signal = 0, block;

    if (program_of(row, &head) == NULL || head.notes == 0) {
        return;
    }
    for (uint32_t i = head.signals; i + 1u < head.block && signal == 0; i++) {
        (void)argument(&run, i, &signal);
    }
    if (signal != 0 && argument(&run, head.block - 1u, &block)) {
        ring_args_at(ring, RING_ARGS_NEWEST)->marked =
            says_pending(&run, block);
    }
}

/* The call has returned STATUS_PENDING: finds a place to note it, if somebody
 * can tell when it is over. Not in run_half, whose frame it would enlarge. */
__attribute__((noinline)) static void begin_note(struct run *run, uint64_t row)
{
    struct capture_program head;
    volatile struct pending *p;
    uint64_t block;
    uint32_t i;

    if (program_of(row, &head) == NULL || head.notes == 0 || head.block == 0 ||
        head.result != CAPTURE_RESULT_STATUS ||
        !argument(run, head.block - 1u, &block) || block < LEAST_ADDRESS) {
        return;
    }
    run->over = !says_pending(run, block);
    if (run->over && args_of(run)->marked == 0) {
        return;
    }
    i = pending_claim();
    if (i == PENDING_MAX) {
        return;
    }
    p = pending_at(i);
    p->block = block;
    p->began = run->time;
    p->tid = teb_tid();
    p->number = (uint16_t)(row >> 16);
    run->note = (uint8_t)(i + 1);
}

/* True if the call was noted as pending, and is not. */
__attribute__((noinline)) static bool end_note(struct run *run)
{
    if (run->note == 0) {
        return false;
    }
    pending_at(run->note - 1u)->count = run->noted;
    pending_show(run->note - 1u);
    return run->over;
}

/* --- halves --- */

/* The operations of this half; *count of them. Its own function for the sake of
 * run_half's frame. */
__attribute__((noinline)) static const volatile struct capture_op *
begin_half(struct run *run, uint64_t row, uint32_t *count)
{
    struct capture_program head;
    const struct capture_program *p = program_of(row, &head);

    *count = 0;
    if (p == NULL) {
        return NULL;
    }
    run->number = (uint16_t)(row >> 16);
    run->result = head.result;
    run->first = run->at_return ? head.entry_count : 0;
    run->left = CAPTURE_BYTES_MAX;
    run->parts = CAPTURE_EACH_MAX;
    *count = run->at_return ? head.return_count : head.entry_count;
    return &p->ops[run->first];
}

static void run_half(struct run *run, uint64_t row)
{
    uint32_t count;
    const volatile struct capture_op *ops = begin_half(run, row, &count);

    while (run->index < count) {
        if (!is_noted(run, &ops[run->index])) {
            run_op(run, &ops[run->index]);
        }
        go_on(run, &ops[run->index]);
    }
}

void capture_entry(struct ring *ring, uint64_t row, uint64_t rsp)
{
    struct run run = { .ring = ring, .rsp = rsp };

    run_half(&run, row);
}

bool capture_return(struct ring *ring, uint64_t row, uint64_t rsp, uint64_t rax,
                    uint64_t time)
{
    struct run run = { .ring = ring,
                       .rsp = rsp,
                       .rax = rax,
                       .time = time,
                       .flags = RECORD_AT_RETURN,
                       .at_return = true };

    if ((uint32_t)rax == STATUS_PENDING) {
        begin_note(&run, row);
    }
    run_half(&run, row);
    return end_note(&run);
}
