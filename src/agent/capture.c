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
 */
#include "agent/agent.h"

#include "agent/teb.h"

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
    const struct ring_args *args;
    uint64_t rsp;
    uint64_t rax;     // at the return
    uint64_t time;    // at the return, of all records; else 0
    uint16_t number;  // of the service
    uint8_t at_return;
    uint8_t result;  // enum capture_result
    uint16_t part;   // the element of an array that is followed
    uint16_t parts;  // elements that may still be followed
    uint32_t first;  // index of the half's first operation in the program
    uint32_t index;  // of the operation that runs, in its half
    uint32_t left;   // bytes that may still be copied
    uint32_t kept;   // used bytes of ring_scratch.kept
    struct known known;
};

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

static bool argument(const struct run *run, uint32_t from, uint64_t *value)
{
    if (from >= run->args->count || from >= 4 + RECORD_MORE_MAX) {
        return false;
    }
    *value = run->args->words[from];
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
        known = field(run, size.from, offset, 2, &units);
        break;
    case CAPTURE_FIELD32:
        known = field(run, size.from, offset, 4, &units);
        break;
    case CAPTURE_FIELD64:
        known = field(run, size.from, offset, 8, &units);
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
 * of units so long, up to its zero. */
static void copy(struct run *run, uint64_t address, uint64_t size,
                 uint32_t unit)
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
        r->head.flags = run->at_return ? RECORD_AT_RETURN : 0;
        r->head.number = run->number;
        r->head.time = run->at_return ? run->time : tsc();
        r->rsp = run->rsp;
        r->address = from;
        r->length = chunk;
        r->op = (run->first + run->index) << 16 | run->part;
        ring_publish(run->ring, bytes);
        p.length += chunk;
        run->left -= chunk;
    }
    *piece = p;
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
        at + sizeof(*head) > SECTION_RINGS) {
        return NULL;
    }
    head->entry_count = once->entry_count;
    head->return_count = once->return_count;
    head->result = once->result;
    if (head->entry_count + head->return_count > CAPTURE_OPS_MAX ||
        at + sizeof(*head) +
                (uint64_t)(head->entry_count + head->return_count) *
                    sizeof(struct capture_op) >
            SECTION_RINGS) {
        return NULL;
    }
    return p;
}

bool capture_has_return(uint64_t row)
{
    struct capture_program head;

    return program_of(row, &head) != NULL && head.return_count != 0;
}

/* True if the stack may have too little room left for a program: after a stack
 * overflow what there is belongs to the program's handler. Of a stack that the
 * TEB does not know, nothing is known to be there but the page of `rsp`. */
static bool near_end(uint64_t rsp)
{
    uint64_t end = teb_stack_end();

    if (end <= rsp && rsp < teb_stack_base()) {
        return rsp - end < STACK_LEFT;
    }
    return (rsp - STACK_NEEDED) / PAGE_SIZE != rsp / PAGE_SIZE;
}

static void run_half(struct run *run, uint64_t row)
{
    struct capture_program head;
    const struct capture_program *p = program_of(row, &head);
    uint32_t count;

    if (p == NULL || near_end(run->rsp)) {
        return;
    }
    run->number = (uint16_t)(row >> 16);
    run->result = head.result;
    run->first = run->at_return ? head.entry_count : 0;
    run->left = CAPTURE_BYTES_MAX;
    run->parts = CAPTURE_EACH_MAX;
    count = run->at_return ? head.return_count : head.entry_count;
    while (run->index < count) {
        run_op(run, &p->ops[run->first + run->index]);
        go_on(run, &p->ops[run->first + run->index]);
    }
}

void capture_entry(struct ring *ring, uint64_t row, uint64_t rsp)
{
    struct run run = { .ring = ring,
                       .args = ring_args_at(ring, RING_ARGS_NEWEST),
                       .rsp = rsp };

    run_half(&run, row);
}

void capture_return(struct ring *ring, uint64_t row, uint64_t rsp, uint64_t rax,
                    uint64_t time)
{
    struct run run = { .ring = ring,
                       .args = ring_args_at(ring, RING_ARGS_TAKEN),
                       .rsp = rsp,
                       .rax = rax,
                       .time = time,
                       .at_return = true };

    run_half(&run, row);
}
