/* SPDX-License-Identifier: MIT */
/*
 * agent_property - what the agent promises about the program it runs in,
 * tried on the very bytes that ship: build/windows/agent.bin.
 *
 *     agent_property IMAGE [--seed N] [--count N] [--only NAME] [--failures N]
 *     agent_property --list
 *
 * The image is mapped executable into this (Linux) process, filled in as
 * live/target.c does it, between a fake TEB under gs, a fake
 * KUSER_SHARED_DATA at 7FFE0000h, a fake section, fake stubs bent to thunks
 * (their `syscall` leads here), and a fake kernel behind the private stubs
 * that destroys every vector register and all that a call may destroy, and
 * goes back through the callback.
 *
 * Each path of the agent runs `count` times (default 1,000,000; those that
 * are no path of a running program, or need a second thread, fewer) with
 * random registers, flags (DF, AC, ID and the arithmetic ones), RSP of any
 * alignment, MXCSR, x87 and vector state. Each time the whole state is
 * compared after it, and: the record, field by field; the ring's words; the
 * stack above RSP; how much of the stack below RSP was written; and what was
 * asked of the kernel, in which order. Memory that may be read only through
 * the kernel is out of the agent's reach: a direct read of it is a fault.
 *
 * Stack: STACK_FAST below RSP for the paths of a running program. Paths that
 * go through C stay below STACK_SLOW as long as the agent makes no system call
 * of its own, else below STACK_KERNEL; and below STACK_NO_RING where it does so
 * before the thread has a ring, whose room for the vector state it lacks. (A
 * call that it would have made, had not the program the callback, counts.) A
 * capture program is one layer more: STACK_CAPTURES, or STACK_KERNEL as well.
 * Next to the end of a stack nothing is woken or waited for asleep, and
 * STACK_CRAMPED is enough.
 *
 * --failures ends it after so many paths that failed.
 *
 * Exit status 0; 1 if a property does not hold; 2 if the test cannot run.
 */
#include "agent_property.h"

#include "tables/amd64/frames.h"
#include "wire/image.h"
#include "wire/pending.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define STACK_FAST 256
#define STACK_CRAMPED 672
#define STACK_SLOW 768
#define STACK_CAPTURES 896
#define STACK_KERNEL 1280
#define STACK_NO_RING 1536

/* The layout of live/target.c. */
#define IMAGE_AT 0x180000000ull
#define IMAGE_ROOM 0xc000u
#define THUNKS_AT (IMAGE_AT + IMAGE_ROOM)
#define THUNKS_ROOM 0x4000u
#define NTDLL_AT (IMAGE_AT + 0x10000000ull)
#define NTDLL_ROOM 0x4000u
#define WHICH_AT (NTDLL_AT + NTDLL_ROOM) /* which stub's `syscall` it was */
#define LOADER_AT (NTDLL_AT + 0x10000)   /* a fake LdrInitializeThunk */
#define SHARED_DATA_AT 0x7ffe0000ull
#define SYSTEM_CALL 0x308 /* in it: stubs use `int 2eh` */

#define STUBS 128
#define STUB_ROOM 0x40
#define RINGS 4
#define RING_BYTES 0x10000u
#define STRIDE (RING_BYTES + RING_DATA + RING_SPILL)
#define OWN_AT (IMAGE_AT + IMAGE_TO_OWN) /* the agent's own pages */

#define STACK_BYTES 0x20000u
#define PAINT 0xc00u /* below RSP */
#define ABOVE 0x800u

/* Memory for capture programs: the agent has it through the kernel alone. */
#define DATA_PAGES 24u
#define DATA_ROOM (DATA_PAGES * 0x1000u)
#define DATA_AT (IMAGE_AT + 0x20000000ull) /* nothing next to it */

/* A second stack. Its upper half can be read through the kernel alone. */
#define FAR_BYTES 0x4000u
#define FAR_END 0x2000u

/* A small piece is read with what lies around it. */
#define AROUND 512

#define ROOM_HANDLE 0x44
#define TRACER_HANDLE 0x48
#define WAKE_HANDLE 0x4c
#define TSC_PER_MS 1000000000ull

#define FLAGS_ARITHMETIC 0x8d5u
#define FLAGS_DF 0x400u
#define FLAGS_AC 0x40000u
#define FLAGS_ID 0x200000u
#define FLAGS_ALL (FLAGS_ARITHMETIC | FLAGS_DF | FLAGS_AC | FLAGS_ID | 0x4100u)

/* --- state of the test --- */

struct fake_stub {
    uint64_t at;
    uint32_t number;
};

static struct image_head head;
static struct section *section;
static struct call_row *rows;  // writable; the agent's are not
static uint8_t *programs;      // likewise
static _Atomic uint32_t *states;
static struct ring *ring;        // of this thread
static struct ring *first_ring;  // ... which may be this
static uint8_t *teb;
static uint8_t *stack;
static uint8_t *far_stack;     // as the agent sees it
static uint8_t *far_alias;     // as the kernel does
static uint8_t *data;          // DATA_ROOM, as the agent sees it
static uint8_t *data_alias;    // as the kernel does
static uint8_t *loader_alias;  // the bytes at LOADER_AT, always writable
static uint8_t *image;
static struct image_config *config;  // writable; the agent's is not
static uint8_t *shared_data;
static struct fake_stub stubs[STUBS];
static size_t vector_bytes;  // used of struct vectors
static uint32_t mxcsr_mask;
static uint32_t pool[0x4000];  // random bytes

static uint64_t seed;
static const char *path_name;
static uint64_t path_round;
static unsigned path_bad;
static uint64_t path_fast;
static unsigned path_stack[2];  // most bytes of stack used: C paths, fast

/* --- telling --- */

__attribute__((format(printf, 1, 2))) static void bad(const char *format, ...)
{
    va_list args;

    if (path_bad++ >= 5) {
        return;
    }
    printf("%s, round %llu: ", path_name, (unsigned long long)path_round);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static void same(const char *what, uint64_t got, uint64_t want)
{
    if (got != want) {
        bad("%s is %#llx, not %#llx", what, (unsigned long long)got,
            (unsigned long long)want);
    }
}

static void die(const char *why)
{
    printf("agent_property: %s\n", why);
    exit(2);
}

/* --- chance --- */

static uint64_t random_state;

static uint64_t chance(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)((chance() >> 32) * n >> 32);
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

/* `size` random bytes, good until the next pool_stir. */
static const uint8_t *pool_bytes(size_t size)
{
    uint32_t room = (uint32_t)(sizeof(pool) - size);

    return (const uint8_t *)pool + below(room);
}

static void pool_stir(void)
{
    for (size_t i = 0; i < sizeof(pool) / sizeof(pool[0]); i++) {
        pool[i] = (uint32_t)chance();
    }
}

/* --- the CPU --- */

static uint64_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* AC comes along from the code that a signal has interrupted. */
static inline void clear_ac(void)
{
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                     "pushfq\n\t"
                     "andl %0, (%%rsp)\n\t"
                     "popfq\n\t"
                     "lea 128(%%rsp), %%rsp"
                     :
                     : "i"(~FLAGS_AC)
                     : "cc", "memory");
}

static void vectors_random(struct vectors *v)
{
    uint32_t mxcsr;
    uint64_t present = prop_mask;

    memcpy(v->bytes, pool_bytes(vector_bytes), vector_bytes);
    memcpy(&mxcsr, v->bytes + 24, 4);
    mxcsr &= mxcsr_mask;
    memcpy(v->bytes + 24, &mxcsr, 4);
    if (one_in(8)) {
        present &= chance();  // components in their initial state
    }
    memset(v->bytes + 464, 0, 112);
    memcpy(v->bytes + 512, &present, 8);
}

static void cpu_setup(void)
{
    uint32_t a, b, c, d, low, high;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0) {
        die("this CPU, or its system, has no XSAVE");
    }
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    prop_mask = low & 0xe7;  // as os_xsave_mask() of platform/win
    vector_bytes = 576;
    for (uint32_t i = 2; i < 8; i++) {
        if (prop_mask >> i & 1) {
            __cpuid_count(0xd, i, a, b, c, d);
            if (a + b > vector_bytes) {
                vector_bytes = a + b;
            }
        }
    }
    if (vector_bytes > VECTOR_ROOM) {
        die("vector state larger than expected");
    }
    __asm__ volatile("fxsave64 %0" : "=m"(prop_in_vectors.bytes));
    memcpy(&mxcsr_mask, prop_in_vectors.bytes + 28, 4);
    if (mxcsr_mask == 0) {
        mxcsr_mask = 0xffbf;
    }
}

static void compare_vectors(void)
{
    const uint8_t *had = prop_had_vectors.bytes;
    const uint8_t *got = prop_out_vectors.bytes;

    if (memcmp(had, got, 464) == 0 &&
        memcmp(had + 576, got + 576, vector_bytes - 576) == 0) {
        return;
    }
    for (size_t i = 0; i < vector_bytes; i++) {
        if ((i < 464 || i >= 576) && had[i] != got[i]) {
            bad("vector state differs, first at XSAVE byte %zu (%s)", i,
                i < 24    ? "x87 control"
                : i < 32  ? "MXCSR"
                : i < 160 ? "ST"
                : i < 416 ? "XMM"
                : i < 832 ? "YMM upper halves"
                          : "AVX-512");
            return;
        }
    }
}

/* Registers that may differ. */
#define LOSES_RAX 1
#define LOSES_R10 2
#define LOSES_R11 4
#define LOSES_ARITHMETIC 8

static void compare_machine(unsigned loses, uint64_t rsp)
{
    static const char names[][4] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                     "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                     "r12", "r13", "r14", "r15" };
    const uint64_t *in = &prop_in.rax;
    const uint64_t *out = &prop_out.rax;
    uint64_t flags = FLAGS_ALL;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || (i == 0 && loses & LOSES_RAX) ||
            (i == 10 && loses & LOSES_R10) || (i == 11 && loses & LOSES_R11)) {
            continue;
        }
        if (in[i] != out[i]) {
            same(names[i], out[i], in[i]);
        }
    }
    same("rsp", prop_out.rsp, rsp);
    if (loses & LOSES_ARITHMETIC) {
        flags &= ~(uint64_t)FLAGS_ARITHMETIC;
    }
    same("flags", prop_out.flags & flags, prop_in.flags & flags);
    compare_vectors();
}

static void machine_random(uint64_t rsp)
{
    uint64_t *in = &prop_in.rax;

    for (int i = 0; i < 16; i++) {
        in[i] = chance();
    }
    prop_in.rsp = rsp;
    prop_in.flags = 2 | (chance() & (FLAGS_ARITHMETIC | FLAGS_DF | FLAGS_ID));
    if (rsp % 8 == 0 && one_in(2)) {
        prop_in.flags |= FLAGS_AC;
    }
    vectors_random(&prop_in_vectors);
    if (one_in(64)) {
        vectors_random(&prop_garbage_vectors);
    }
}

/* --- the stack --- */

static const uint8_t *stack_was;  // PAINT bytes below RSP and ABOVE above

/* Some stack pointer: any alignment. */
static uint64_t stack_any(void)
{
    return (uint64_t)stack + 0x4000 + below(STACK_BYTES - 0x8000);
}

/* One with `bytes` above it on the same page. */
static uint64_t stack_on_page(uint32_t bytes)
{
    uint64_t page = stack_any() & ~0xfffull;

    return page + below(0x1000 - bytes + 1);
}

/* One with the end of a page fewer than `bytes` above, but beyond the first
 * 16. */
static uint64_t stack_over_end(uint32_t bytes)
{
    uint64_t page = stack_any() & ~0xfffull;

    return page + 0x1000 - 16 - below(bytes - 16);
}

/* One on the second stack, so. */
static uint64_t far_over_end(uint32_t bytes)
{
    return (uint64_t)far_stack + FAR_END - 16 - below(bytes - 16);
}

/* Where this test may read and write what stands at `at` on a stack. */
static uint8_t *seen(uint64_t at)
{
    if (at - (uint64_t)far_stack < FAR_BYTES) {
        return far_alias + (at - (uint64_t)far_stack);
    }
    if (at - (uint64_t)data < DATA_ROOM) {
        return data_alias + (at - (uint64_t)data);
    }
    return (uint8_t *)at;
}

static void stack_prepare(uint64_t s)
{
    stack_was = pool_bytes(PAINT + ABOVE);
    memcpy(seen(s - PAINT), stack_was, PAINT + ABOVE);
    memcpy(seen(s), &prop_places[AT_RETURN], 8);
}

/* Bytes below `s` that were written; checks those above. */
static unsigned stack_used(uint64_t s)
{
    const uint8_t *now = seen(s - PAINT);
    size_t i = 0;

    if (memcmp(now + PAINT + 8, stack_was + PAINT + 8, ABOVE - 8) != 0) {
        bad("the stack above RSP was changed");
    }
    same("the return address", *(const uint64_t *)s, prop_places[AT_RETURN]);
    while (i < PAINT && memcmp(now + i, stack_was + i, 64) == 0) {
        i += 64;
    }
    while (i < PAINT && now[i] == stack_was[i]) {
        i++;
    }
    return (unsigned)(PAINT - i);
}

/* Puts a word there, `offset` bytes above RSP, as if it had been painted so. */
static void stack_put(uint64_t s, uint32_t offset, uint64_t v)
{
    /* In `pool`, which is ours. */
    memcpy((uint8_t *)pool + (stack_was - (const uint8_t *)pool) + PAINT +
               offset,
           &v, 8);
    memcpy(seen(s) + offset, &v, 8);
}

/* What stood `offset` bytes above RSP. */
static uint64_t stack_word(uint32_t offset)
{
    uint64_t v;

    memcpy(&v, stack_was + PAINT + offset, 8);
    return v;
}

/* --- the fake kernel --- */

enum query_answer {
    QUERY_STACK,
    QUERY_GUARD,
    QUERY_NO_ACCESS,
    QUERY_EXECUTE,
    QUERY_RESERVED,
    QUERY_FAILS,
    QUERY_COUNT
};
enum read_answer {
    READ_COPIES,
    READ_REFUSES,
    READ_PARTIAL,
    READ_SHORT,  // a success of fewer bytes
    READ_COUNT
};
enum wait_answer {
    WAIT_EMPTIES,
    WAIT_ANSWERS,
    WAIT_AS_ASKED,  // one of these two, by what ring->waiting says
    WAIT_TRACER_GONE,
    WAIT_NOTHING  // it times out
};

/* No wait that ends by time is renewed as often in this test. */
#define WAITS_MOST 100000

static unsigned kernel_calls[PRIVATE_COUNT];
static atomic_uint kernel_count;  // of all, ever
static enum query_answer kernel_query;
static enum read_answer kernel_read;
static uint64_t kernel_split;  // where another region begins, or 0
/* Regions that were called readable, in this event, the newest of them; and
 * while `kernel_keeps`, for what they are known to be. */
#define SAID_MOST 256
static uint64_t kernel_said[SAID_MOST][2];
static unsigned kernel_said_count;
static bool kernel_keeps;       // they stay so from one event to the next
static uint64_t kernel_bottom;  // where their allocation begins; 0: with them
static uint32_t kernel_type = 0x20000;  // ... and its type: MEM_PRIVATE
static bool kernel_changes;             // another thread changes it meanwhile
static enum wait_answer kernel_wait;
static unsigned kernel_timeouts;    // waits that time out first
static uint32_t kernel_waiting;     // what ring->waiting should say
static void (*kernel_waits)(void);  // what happens at each wait
static uint32_t kernel_status;      // of NtSetInformationProcess
static bool kernel_starts;          // the callback comes with that
static unsigned kernel_no_memory;   // which commit fails; 0: none
static uint32_t kernel_protects;    // of the loader's page: 0, or NTSTATUS
static uint32_t kernel_was;         // ... its protection before
static uint32_t kernel_is;          // ... and now
static const uint8_t loader_bytes[LOADER_BYTES] = {
    0xff, 0x25, 2, 0, 0, 0, 0x66, 0x90  // jmp *LOADER_AT+8
};
static const uint8_t bent_bytes[LOADER_BYTES] = {
    0xff, 0x25, 10, 0, 0, 0, 0xcc, 0xcc  // jmp *LOADER_AT+10h
};

static uint64_t word_at(uint64_t address)
{
    uint64_t v;

    memcpy(&v, (const void *)address, 8);
    return v;
}

/* What the kernel says of a page of `data`, and what comes of a read. */
enum page {
    PAGE_THERE,
    PAGE_READ_ONLY,
    PAGE_GUARDED,
    PAGE_NO_ACCESS,
    PAGE_EXECUTE_ONLY,
    PAGE_RESERVED,
    PAGE_UNKNOWN,    // the query fails
    PAGE_GOES_AWAY,  // after the query
    PAGE_GOES_HALF,  // ... and the read is a success of fewer bytes
    PAGE_KINDS
};

static enum page data_page[DATA_PAGES];

static enum page page_of(uint64_t at)
{
    return data_page[(at - (uint64_t)data) / 0x1000];
}

/* Reads of one event. */
static uint64_t kernel_read_at[0x1000];
static uint64_t kernel_read_bytes[0x1000];
static unsigned kernel_read_count;
/* What was asked about last; no region that is good to read is asked about twice
 * in a row. (One that is large is remembered in parts.) */
static bool kernel_asks_once;
/* A stack that the TEB does not know may be what an argument has led to before. */
static bool kernel_asks_again;
static uint64_t kernel_asked;
static uint64_t kernel_asked_at;
/* Pointers of the program are followed, which may lead anywhere. */
static bool kernel_anywhere;

/* Rings are asked about as well. */
static bool kernel_rings;

/* The region that `at` lies in, as the kernel tells it. */
static bool region_of(uint64_t at, uint64_t region[2])
{
    if (at - (uint64_t)data < DATA_ROOM) {
        region[0] = at & ~0xfffull;
        region[1] = region[0] + 0x1000;
        while (region[0] > (uint64_t)data &&
               page_of(region[0] - 1) == page_of(at)) {
            region[0] -= 0x1000;
        }
        while (region[1] < (uint64_t)data + DATA_ROOM &&
               page_of(region[1]) == page_of(at)) {
            region[1] += 0x1000;
        }
        return true;
    }
    if (kernel_rings && at - (uint64_t)first_ring < STRIDE * RINGS) {
        region[0] = (uint64_t)first_ring;
        region[1] = region[0] + STRIDE * RINGS;
        return true;
    }
    if (at - (uint64_t)stack < STACK_BYTES) {
        region[0] = (uint64_t)stack;
        region[1] = (uint64_t)stack + STACK_BYTES;
    } else if (at - (uint64_t)far_stack < FAR_BYTES) {
        region[0] = (uint64_t)far_stack;
        region[1] = (uint64_t)far_stack + FAR_BYTES;
    } else {
        return false;
    }
    if (region[0] < kernel_split && kernel_split < region[1]) {
        region[at < kernel_split] = kernel_split;
    }
    return true;
}

static bool was_said(uint64_t at, uint64_t size)
{
    for (unsigned i = 0; i < kernel_said_count; i++) {
        if (kernel_said[i][0] <= at && at + size <= kernel_said[i][1]) {
            return true;
        }
    }
    return false;
}

static struct own_page *own_page(void)
{
    return (struct own_page *)OWN_AT;
}

static uint32_t answer_query(const struct kernel_call *c)
{
    /* clang-format off */
    static const uint32_t answers[QUERY_COUNT][2] = {  // state, protection
        [QUERY_STACK]     = { 0x1000, 0x04 },
        [QUERY_GUARD]     = { 0x1000, 0x104 },
        [QUERY_NO_ACCESS] = { 0x1000, 0x01 },
        [QUERY_EXECUTE]   = { 0x1000, 0x10 },
        [QUERY_RESERVED]  = { 0x2000, 0 },
    };
    /* clang-format on */
    /* clang-format off */
    static const uint32_t pages[PAGE_KINDS][2] = {
        [PAGE_THERE]        = { 0x1000, 0x04 },
        [PAGE_READ_ONLY]    = { 0x1000, 0x02 },
        [PAGE_GUARDED]      = { 0x1000, 0x104 },
        [PAGE_NO_ACCESS]    = { 0x1000, 0x01 },
        [PAGE_EXECUTE_ONLY] = { 0x1000, 0x10 },
        [PAGE_RESERVED]     = { 0x2000, 0 },
        [PAGE_GOES_AWAY]    = { 0x1000, 0x04 },
        [PAGE_GOES_HALF]    = { 0x1000, 0x20 },
    };
    /* clang-format on */
    const uint32_t *answer = answers[kernel_query];
    uint64_t m[6] = { 0 };
    uint64_t region[2];

    same("query of process", c->rcx, (uint64_t)-1);
    same("query class", (uint32_t)c->r8, 0);
    same("query length", word_at(c->rsp + 0x28), sizeof(m));
    if (kernel_query == QUERY_FAILS) {
        return 0xc0000141;
    }
    if (!region_of(c->rdx, region)) {
        /* A capture program may point anywhere. */
        kernel_asked = 0;
        if (!kernel_anywhere && (!kernel_asks_once || c->rdx < 0x10000)) {
            bad("asked about %#llx", (unsigned long long)c->rdx);
        }
        return 0xc0000141;
    }
    /* The own stack below RSP is not kept: between two pieces of it there may be
     * one of what is, about which nobody asks. */
    if (kernel_asks_once && !kernel_asks_again && !kernel_anywhere &&
        !(region[0] <= prop_in.rsp && prop_in.rsp < region[1]) &&
        kernel_asked == region[0] && was_said(c->rdx, 1) &&
        kernel_asked_at / 0x10000 == c->rdx / 0x10000) {
        bad("asked twice about %#llx", (unsigned long long)c->rdx);
    }
    own_page()->changes += kernel_changes;
    kernel_asked = region[0];
    kernel_asked_at = c->rdx;
    if (c->rdx - (uint64_t)data < DATA_ROOM) {
        if (page_of(c->rdx) == PAGE_UNKNOWN) {
            kernel_asked = c->rdx & ~0xfffull;
            return 0xc0000141;
        }
        answer = pages[page_of(c->rdx)];
    }
    m[0] = region[0];
    m[1] = kernel_bottom != 0 ? kernel_bottom : region[0];
    m[3] = region[1] - region[0];
    m[4] = answer[0] | (uint64_t)answer[1] << 32;
    m[5] = kernel_bottom != 0 ? kernel_type : 0;
    memcpy((void *)c->r9, m, sizeof(m));
    if (answer[0] == 0x1000 && answer[1] != 0x104 && answer[1] != 0x01 &&
        answer[1] != 0x10 && !was_said(region[0], region[1] - region[0])) {
        if (kernel_said_count == SAID_MOST) {
            die("too many regions");
        }
        memcpy(kernel_said[kernel_said_count++], region, sizeof(region));
    }
    return 0;
}

/* On the page of RSP, or the known part of the thread's stack above it: nobody
 * need be asked. */
static bool is_own_stack(uint64_t at, uint64_t size)
{
    return (at / 0x1000 == prop_in.rsp / 0x1000 &&
            (at + size - 1) / 0x1000 == at / 0x1000) ||
           (prop_in.rsp <= at && ring->stack_low <= at &&
            at + size <= ring->stack_high);
}

/* A read takes a guard away even if it fails: only what has been called readable
 * may be read. */
static uint32_t answer_read(const struct kernel_call *c)
{
    enum read_answer answer = kernel_read;
    uint64_t got;

    if (c->rdx - (uint64_t)data < DATA_ROOM) {
        answer = page_of(c->rdx) == PAGE_GOES_AWAY   ? READ_REFUSES
                 : page_of(c->rdx) == PAGE_GOES_HALF ? READ_SHORT
                                                     : READ_COPIES;
    }
    got = answer == READ_COPIES    ? c->r9
          : answer == READ_REFUSES ? 0
                                   : c->r9 / 2;
    if (kernel_asks_once && !kernel_anywhere &&
        c->rdx / 0x1000 != (c->rdx + c->r9 - 1) / 0x1000) {
        bad("read of %llu bytes over the end of a page",
            (unsigned long long)c->r9);
    }
    if (kernel_read_count < 0x1000) {
        kernel_read_bytes[kernel_read_count] = c->r9;
        kernel_read_at[kernel_read_count++] = c->rdx;
    }
    if (c->rdx - (uint64_t)data < DATA_ROOM &&
        page_of(c->rdx) == PAGE_GUARDED) {
        bad("the guard of %#llx is taken", (unsigned long long)c->rdx);
    }
    same("read from process", c->rcx, (uint64_t)-1);
    if (got != c->r9) {
        kernel_asked = 0;  // it may be asked about once more
    }
    if (!(was_said(c->rdx, c->r9) || is_own_stack(c->rdx, c->r9)) ||
        c->r9 > (kernel_asks_once ? RECORD_MAX : AROUND)) {
        bad("read of %llu bytes at %#llx", (unsigned long long)c->r9,
            (unsigned long long)c->rdx);
        return 0xc0000005;
    }
    memcpy((void *)c->r8, seen(c->rdx), got);
    memcpy((void *)word_at(c->rsp + 0x28), &got, 8);
    return answer == READ_REFUSES   ? 0xc0000005
           : answer == READ_PARTIAL ? 0x8000000d
                                    : 0;
}

/* First writable, with the bent bytes still there; then as it was, with the
 * loader's own. Never both writable and executable. */
static uint32_t answer_protect(const struct kernel_call *c)
{
    unsigned nth = kernel_calls[PRIVATE_NtProtectVirtualMemory];
    uint32_t to = (uint32_t)c->r9;

    same("protect in process", c->rcx, (uint64_t)-1);
    same("protected address", word_at(c->rdx), LOADER_AT);
    same("protected bytes", word_at(c->r8), LOADER_BYTES);
    same("protection", to, nth == 1 ? 0x04 : kernel_was);
    if (memcmp(loader_alias, nth == 1 ? bent_bytes : loader_bytes,
               LOADER_BYTES) != 0) {
        bad("the loader's bytes at protection %u", nth);
    }
    if (kernel_calls[PRIVATE_NtSetInformationProcess] != 0) {
        bad("the callback comes before the loader's bytes");
    }
    if (nth > 2 || kernel_protects != 0) {
        return kernel_protects;
    }
    if (mprotect((void *)LOADER_AT, 0x1000,
                 to == 0x04 ? PROT_READ | PROT_WRITE : PROT_READ | PROT_EXEC) !=
        0) {
        die("cannot protect");
    }
    memcpy((void *)word_at(c->rsp + 0x28), &kernel_is, 4);
    kernel_is = to;
    return 0;
}

static uint32_t answer_wait(const struct kernel_call *c)
{
    int64_t timeout = (int64_t)word_at(word_at(c->rsp + 0x28));
    bool rests = (uint32_t)c->rcx == 1;  // because a rule says so

    same("wait for", (uint32_t)c->rcx, rests ? 1 : 2);
    same("first handle", word_at(c->rdx), TRACER_HANDLE);
    same("wait type", (uint32_t)c->r8, 1);
    same("alertable", (uint8_t)c->r9, 0);
    if (timeout > 0 || timeout < -200000) {
        bad("a wait of %lld", (long long)timeout);
    }
    if (rests) {
        same("waiting", ring->waiting, RING_DELAYED);
        return kernel_wait == WAIT_TRACER_GONE ? 0 : 0x102;
    }
    same("second handle", word_at(c->rdx + 8), ROOM_HANDLE);
    if (kernel_waiting != RING_RUNS) {
        same("waiting", ring->waiting, kernel_waiting);
    }
    if (kernel_waits != NULL) {
        kernel_waits();
    }
    if (kernel_timeouts > 0) {
        kernel_timeouts--;
        return 0x102;
    }
    switch (kernel_wait) {
    case WAIT_EMPTIES:
        ring->tail = ring->head;
        break;
    case WAIT_ANSWERS:
        ring->answer = ring->ask;
        break;
    case WAIT_AS_ASKED:
        if (ring->waiting == RING_WAITS_ROOM) {
            ring->tail = ring->head;
        } else {
            same("waiting", ring->waiting, RING_WAITS_ANSWER);
            ring->answer = ring->ask;
        }
        break;
    case WAIT_TRACER_GONE:
        return 0;  // the first handle
    case WAIT_NOTHING:
        if (kernel_calls[PRIVATE_NtWaitForMultipleObjects] < WAITS_MOST) {
            return 0x102;
        }
        bad("waits for ever");
        return 0;
    }
    return 1;
}

static struct ring *teb_ring(void)
{
    struct ring *r;

    memcpy(&r, teb + TEB_RING, sizeof(r));
    return r;
}

static void teb_set_ring(struct ring *r)
{
    memcpy(teb + TEB_RING, &r, sizeof(r));
}

/* The page for the vector state of who has ring `index`. */
static uint8_t *own_save(uint64_t index)
{
    return (uint8_t *)(OWN_AT + OWN_PAGE * (1 + index));
}

static uint64_t ring_number(const struct ring *r)
{
    return ((uint64_t)r - (uint64_t)first_ring) / STRIDE;
}

/* The page for this thread's vector state is there, or is not. */
static void own_save_set(bool there)
{
    if (mprotect(own_save(ring_number(ring)), OWN_PAGE,
                 there ? PROT_READ | PROT_WRITE : PROT_NONE) != 0) {
        die("cannot protect the agent's own page");
    }
}

/* First the page for the vector state, then the ring that it belongs to: what
 * fails leaves no ring that cannot be used. */
static uint32_t answer_allocate(const struct kernel_call *c)
{
    unsigned nth = kernel_calls[PRIVATE_NtAllocateVirtualMemory];
    uint64_t base = word_at(c->rdx);

    same("allocate in process", c->rcx, (uint64_t)-1);
    same("zero bits", c->r8, 0);
    same("size", word_at(c->r9), nth == 1 ? OWN_PAGE : STRIDE);
    same("type", (uint32_t)word_at(c->rsp + 0x28), 0x1000);
    same("protection", (uint32_t)word_at(c->rsp + 0x30), 4);
    same("allocated", base,
         nth == 1 ? (uint64_t)own_save(ring_number(ring)) : (uint64_t)ring);
    if (path_bad != 0 || nth == kernel_no_memory) {
        return 0xc0000017;
    }
    if (nth == 1) {
        own_save_set(true);
    } else {
        memset(ring, 0, RING_DATA);
    }
    return 0;
}

/* While a thread with a ring is in the kernel, its vector state is in its own
 * page, and nowhere where others can write. */
static void check_saved(void)
{
    const uint8_t *had = prop_had_vectors.bytes;
    struct ring *r = teb_ring();
    const uint8_t *saved;

    if (r == NULL) {
        return;
    }
    saved = own_save(ring_number(r));
    if (memcmp(saved, had, 464) != 0 ||
        memcmp(saved + 576, had + 576, vector_bytes - 576) != 0) {
        bad("the vector state is not in its page");
    }
}

/* --- the fake kernel, for chores --- */

/* What the tracer has the thread do. */
struct chore {
    uint32_t chore;
    uint64_t address;
    uint64_t size;
};

/* Memory as the kernel tells it then: one region next to the other. */
struct region {
    uint64_t base;
    uint64_t size;
    uint64_t allocation;
    uint32_t state;
    uint32_t protect;
    uint32_t type;
    bool refused;
};

#define STATUS_NOT_SUPPORTED 0xc00000bb
#define CHORES_MOST 16
#define CHORES_ROOM 24
#define REGIONS_AT 0x7ff700000000ull
#define REGIONS_ROOM 400
#define REGIONS_MOST 256 /* looked at behind the first */

static bool kernel_chores;
static bool kernel_looks;  // at a view, as if the last chore said so
static struct chore chores[CHORES_ROOM];
static uint32_t chore_count;
static uint32_t chore_next;    // of them, to be put
static unsigned chore_calls;   // of the kernel, since the last was put
static uint32_t chore_said;    // ... what the first of those said
static bool chore_open;        // something is
static bool chore_over;        // it was closed without being told to
static struct chore chore_is;  // what is open: address and size are pages
static uint32_t chore_was;     // ... its protection before
static struct region regions[REGIONS_ROOM];
static uint32_t region_count;
static uint64_t regions_bytes;  // of all of them, and of what is behind
static uint16_t chore_name[0x1000];
static uint32_t chore_name_bytes;

static struct chore pages_of(uint64_t address, uint64_t size)
{
    uint64_t first = address & ~0xfffull;

    return (struct chore){ 0, first,
                           ((address + size + 0xfff) & ~0xfffull) - first };
}

/* When the last chore was put: something was open, the callback taken. */
static bool chore_found_open, chore_found_taken;

static const struct chore *chore_now(void)
{
    static const struct chore none = { 0 };

    return chore_next > 0 ? &chores[chore_next - 1] : &none;
}

/* Closes what is open: of all calls the one that is made in any case. */
static bool may_close(const struct kernel_call *c)
{
    return kernel_chores && chore_open &&
           c->index == PRIVATE_NtProtectVirtualMemory &&
           (uint32_t)c->r9 == chore_was;
}

static uint32_t chore_protect(const struct kernel_call *c)
{
    static const uint32_t protections[] = { 0x02, 0x10, 0x20, 0x40, 0x80 };
    const struct chore *now = chore_now();
    struct chore is = pages_of(word_at(c->rdx), word_at(c->r8));
    struct chore wanted = pages_of(now->address, now->size);
    uint32_t to = (uint32_t)c->r9, old = protections[below(5)];
    uint32_t status = one_in(8) ? 0xc0000045 : 0;
    bool first =
        chore_calls++ == 0 && (!chore_found_taken || now->chore == CHORE_CLOSE);

    same("protect in process", c->rcx, (uint64_t)-1);
    if (first) {
        chore_said = status;
    }
    if (first && now->chore == CHORE_SEAL) {
        same("sealed", to, 0x20);
    } else if (first && now->chore == CHORE_OPEN && !chore_open) {
        same("opened", to, 0x04);
        if (status == 0) {
            chore_open = true;
            chore_is = wanted;
            chore_was = old;
        }
    } else if (chore_open) {
        chore_over = !(first && now->chore == CHORE_CLOSE);
        chore_open = false;
        wanted = chore_is;
        same("closed", to, chore_was);
    } else {
        bad("protects for no chore");
    }
    same("protected address", is.address, wanted.address);
    same("protected bytes", is.size, wanted.size);
    if (status == 0) {
        /* As the kernel does. */
        memcpy((void *)c->rdx, &is.address, 8);
        memcpy((void *)c->r8, &is.size, 8);
        memcpy((void *)word_at(c->rsp + 0x28), &old, 4);
    }
    return status;
}

static const struct region *region_at(uint64_t address)
{
    for (uint32_t i = 0; i < region_count; i++) {
        if (address - regions[i].base < regions[i].size) {
            return regions[i].refused ? NULL : &regions[i];
        }
    }
    return NULL;
}

/* The words that a look goes by are anybody's: it asks about whatever address
 * they lead to, and then for the name of just that. */
static bool look_anywhere;

static uint32_t name_query(const struct kernel_call *c)
{
    uint64_t page = (uint64_t)ring + RING_SCRATCH;
    uint64_t room = word_at(c->rsp + 0x28);
    uint64_t said[2] = { 0, c->r9 + 16 };

    same("name of", c->rdx, chore_now()->address);
    if (c->r9 - page >= 0x1000 || c->r9 + room > page + 0x1000 ||
        room < 0xf00) {
        bad("a name at %#llx", (unsigned long long)c->r9);
        return 0xc0000005;
    }
    if (chore_name_bytes + 2 + sizeof(said) > room) {
        return 0xc0000004;
    }
    said[0] = chore_name_bytes | (uint64_t)(chore_name_bytes + 2) << 16;
    memcpy((void *)c->r9, said, sizeof(said));
    memcpy((void *)(c->r9 + 16), chore_name, chore_name_bytes);
    return 0;
}

static uint32_t chore_query(const struct kernel_call *c)
{
    const struct region *r = region_at(c->rdx);
    uint32_t status = r == NULL ? 0xc000000d : 0;
    uint64_t m[6] = { 0 };

    same("query of process", c->rcx, (uint64_t)-1);
    same("chore", chore_now()->chore, CHORE_QUERY);
    if (chore_calls++ == 0) {
        chore_said = status;
        if (look_anywhere) {
            chores[0].address = c->rdx;
        }
        same("asked about", c->rdx, chore_now()->address);
    }
    if ((uint32_t)c->r8 == 2) {
        return name_query(c);
    }
    same("query class", (uint32_t)c->r8, 0);
    same("query length", word_at(c->rsp + 0x28), sizeof(m));
    if (r != NULL) {
        m[0] = r->base;
        m[1] = r->allocation;
        m[3] = r->size;
        m[4] = r->state | (uint64_t)r->protect << 32;
        m[5] = r->type;
        memcpy((void *)c->r9, m, sizeof(m));
    }
    return status;
}

/* A question about the view, not about where its address stands. */
static bool is_look(const struct kernel_call *c)
{
    return kernel_looks &&
           ((uint32_t)c->r8 != 0 || c->rdx == chore_now()->address ||
            c->rdx - REGIONS_AT < regions_bytes);
}

/* --- a kernel for the keeper: threads that can be stopped --- */

#define KEPT_THREADS 12
#define KEPT_HANDLES 4096
#define ORDER_HANDLE 0x60
#define FIRST_HANDLE 0x1000
#define OPENED_AT 0x7ff600001000ull

static struct {
    bool on;
    struct {
        uint64_t tid;
        int stops;
        bool ends;  // it cannot be stopped
    } thread[KEPT_THREADS];
    uint32_t count;
    uint8_t handle[KEPT_HANDLES];  // thread and 1; 0: closed
    uint32_t handles;              // ever opened
    uint32_t closed_given;
    bool opened;
    uint32_t orders;
    bool stopped;  // the last order said so
    bool listens;
    enum {
        KEEPER_RUNS,
        KEEPER_DIES,
        KEEPER_ENDS,
        KEEPER_LEAVES
    } end;
} keeps;

static uint32_t handle_slot(uint64_t handle)
{
    uint64_t slot = (handle - FIRST_HANDLE) / 4;

    if (slot >= keeps.handles || keeps.handle[slot] == 0) {
        bad("handle 0x%llx is none", (unsigned long long)handle);
        return 0;
    }
    return (uint32_t)slot;
}

static bool is_running(uint32_t i)
{
    return keeps.thread[i].stops == 0 && !keeps.thread[i].ends;
}

/* A thread that runs may make another one. */
static void make_thread(void)
{
    if (keeps.count < KEPT_THREADS) {
        keeps.thread[keeps.count].tid = 100 + 4 * keeps.count;
        keeps.thread[keeps.count].stops = 0;
        keeps.thread[keeps.count].ends = one_in(6);
        keeps.count++;
    }
}

static uint32_t next_kept(const struct kernel_call *c)
{
    uint32_t i = c->rdx == 0 ? 0 : keeps.handle[handle_slot(c->rdx)];
    uint64_t handle = FIRST_HANDLE + 4 * keeps.handles;

    same("threads of", c->rcx, (uint64_t)-1);
    for (uint32_t k = 1; k < keeps.count; k++) {
        if (is_running(k) && one_in(20)) {
            make_thread();
            break;
        }
    }
    if (i >= keeps.count || keeps.handles == KEPT_HANDLES) {
        return 0x8000001a;
    }
    keeps.handle[keeps.handles++] = (uint8_t)(i + 1);
    memcpy((void *)word_at(c->rsp + 0x30), &handle, 8);
    return 0;
}

static void check_order(void)
{
    const struct keeper_words *w = &section->keeper;

    same("done", w->done, w->ordered);
    for (uint32_t i = 1; i < keeps.count; i++) {
        if (!keeps.thread[i].ends) {
            same("suspended", (uint64_t)keeps.thread[i].stops, keeps.stopped);
        }
    }
    same("our own thread", (uint64_t)keeps.thread[0].stops, 0);
}

/* What was ordered last has been done, if it could be. */
static void take_order(void)
{
    struct keeper_words *w = &section->keeper;
    bool ok = (int32_t)w->status >= 0;

    if (keeps.orders == 0) {
        return;
    }
    if (w->what == KEEPER_STOP && ok) {
        keeps.stopped = true;
    } else if (w->what == KEEPER_GO && ok) {
        keeps.stopped = false;
    }
}

static uint32_t give_order(const struct kernel_call *c)
{
    static const uint32_t likely[] = { KEEPER_STOP, KEEPER_STOP, KEEPER_OPEN,
                                       KEEPER_CLOSE, KEEPER_GO };
    struct keeper_words *w = &section->keeper;

    same("wait for", (uint32_t)c->rcx, 2);
    same("first handle", word_at(c->rdx), TRACER_HANDLE);
    same("second handle", word_at(c->rdx + 8), ORDER_HANDLE);
    if (*(const int64_t *)word_at(c->rsp + 0x28) == 0) {
        /* It makes a call to see who hears of it. */
        same("a call at once", w->what, KEEPER_WHO);
        return 0x102;
    }
    take_order();
    check_order();
    if (one_in(25) || keeps.orders == 40) {
        keeps.end = KEEPER_DIES;
        return 0;
    }
    if (one_in(4)) {
        return 0x102;
    }
    w->address = OPENED_AT;
    w->size = 0x2000;
    w->what = one_in(3) ? below(KEEPER_LEAVE + 3) : likely[below(5)];
    keeps.end = w->what == KEEPER_END     ? KEEPER_ENDS
                : w->what == KEEPER_LEAVE ? KEEPER_LEAVES
                                          : KEEPER_RUNS;
    keeps.orders++;
    w->ordered++;
    return 1;
}

static uint32_t protect_kept(const struct kernel_call *c)
{
    bool opens = (uint32_t)c->r9 == 0x04;

    same("pages", word_at(c->rdx), OPENED_AT);
    same("bytes", word_at(c->r8), 0x2000);
    same("protection", (uint32_t)c->r9, opens ? 0x04 : 0x20);
    if (opens && one_in(5)) {
        return 0xc0000604;
    }
    if (opens == keeps.opened) {
        bad("pages are opened, or closed, twice");
    }
    for (uint32_t i = 1; i < keeps.count; i++) {
        if (is_running(i)) {
            bad("pages are changed while a thread runs");
        }
    }
    keeps.opened = opens;
    /* What a dead tracer has opened counts as closed. */
    memcpy((void *)word_at(c->rsp + 0x28),
           &(uint32_t){ one_in(4) ? 0x04 : 0x20 }, 4);
    return 0;
}

static uint32_t answer_keeper(const struct kernel_call *c)
{
    uint32_t slot, i;

    switch (c->index) {
    case PRIVATE_NtGetNextThread:
        return next_kept(c);
    case PRIVATE_NtQueryInformationThread:
        slot = handle_slot(c->rcx);
        memcpy((void *)(c->r8 + 24), &keeps.thread[keeps.handle[slot] - 1u].tid,
               8);
        return 0;
    case PRIVATE_NtSuspendThread:
        i = keeps.handle[handle_slot(c->rcx)] - 1u;
        if (keeps.thread[i].ends) {
            return 0xc000004b;
        }
        keeps.thread[i].stops++;
        return 0;
    case PRIVATE_NtResumeThread:
        i = keeps.handle[handle_slot(c->rcx)] - 1u;
        if (keeps.opened) {
            bad("a thread goes on while pages are open");
        }
        keeps.thread[i].stops--;
        return 0;
    case PRIVATE_NtClose:
        if (c->rcx < FIRST_HANDLE || c->rcx == OPENED_AT) {
            keeps.closed_given++;
        } else {
            keeps.handle[handle_slot(c->rcx)] = 0;
        }
        return 0;
    case PRIVATE_NtSetInformationObject:
        return 0;
    case PRIVATE_NtProtectVirtualMemory:
        return protect_kept(c);
    case PRIVATE_NtSetInformationProcess:
        keeps.listens = word_at(c->r8 + 8) != 0;
        return 0;
    case PRIVATE_NtWaitForMultipleObjects:
        return give_order(c);
    default:
        bad("private call %llu of the keeper", (unsigned long long)c->index);
        return 0xc000001c;
    }
}

uint32_t prop_kernel(const struct kernel_call *c)
{
    if (c->index >= PRIVATE_COUNT) {
        bad("private stub %llu", (unsigned long long)c->index);
        return 0xc000001c;
    }
    kernel_calls[c->index]++;
    kernel_count++;
    same("alignment of rsp at a call", c->rsp % 16, 8);
    check_saved();
    if (section->callback_owner == CALLBACK_PROGRAMS && !may_close(c)) {
        bad("private call %llu, of which the program's callback hears",
            (unsigned long long)c->index);
    }
    if (ring->waiting == RING_SPINS) {
        bad("private call %llu of a thread that spins",
            (unsigned long long)c->index);
    }
    if (keeps.on) {
        return answer_keeper(c);
    }
    switch ((enum private_stub)c->index) {
    case PRIVATE_NtSetInformationProcess:
        same("set in process", c->rcx, (uint64_t)-1);
        same("class", (uint32_t)c->rdx, 40);
        same("alignment of the information", c->r8 % 8, 0);
        same("version", word_at(c->r8), 0);
        same("callback", word_at(c->r8 + 8), IMAGE_AT + head.callback);
        same("length", (uint32_t)c->r9, 16);
        if (memcmp(loader_alias, loader_bytes, LOADER_BYTES) != 0 &&
            kernel_protects == 0) {
            bad("the callback comes before the loader's bytes");
        }
        same("protection of the loader", kernel_is, kernel_was);
        if (kernel_starts && kernel_status == 0) {
            prop_kernel_callback = IMAGE_AT + head.callback;
        }
        return kernel_status;
    case PRIVATE_NtWaitForMultipleObjects:
        return answer_wait(c);
    case PRIVATE_NtSetEvent:
        same("event", c->rcx, WAKE_HANDLE);
        same("previous state", c->rdx, 0);
        return 0;
    case PRIVATE_NtAllocateVirtualMemory:
        return answer_allocate(c);
    case PRIVATE_NtQueryVirtualMemory:
        return kernel_chores || is_look(c) ? chore_query(c) : answer_query(c);
    case PRIVATE_NtReadVirtualMemory:
        return answer_read(c);
    case PRIVATE_NtProtectVirtualMemory:
        return kernel_chores ? chore_protect(c) : answer_protect(c);
    case PRIVATE_NtTerminateProcess:
        /* CHORE_CHILD, and then no answer. */
        if (kernel_chores) {
            return 0;
        }
        bad("a process is ended");
        break;
    case PRIVATE_NtResumeThread:
    case PRIVATE_NtGetNextThread:
    case PRIVATE_NtQueryInformationThread:
    case PRIVATE_NtSuspendThread:
    case PRIVATE_NtSetInformationObject:
    case PRIVATE_NtClose:
        bad("private call %llu, which none of this makes",
            (unsigned long long)c->index);
        break;
    case PRIVATE_COUNT:
        break;
    }
    return 0xc000001c;
}

static unsigned kernel_calls_sum(void)
{
    unsigned n = 0;

    for (int i = 0; i < PRIVATE_COUNT; i++) {
        n += kernel_calls[i];
    }
    return n;
}

/* --- the world around the agent --- */

static uint8_t *map_at(uint64_t at, size_t size)
{
    void *p =
        mmap((void *)at, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | (at != 0 ? MAP_FIXED_NOREPLACE : 0),
             -1, 0);

    if (p == MAP_FAILED || (at != 0 && (uint64_t)p != at)) {
        printf("agent_property: cannot map %#llx\n", (unsigned long long)at);
        exit(2);
    }
    return p;
}

static void put_u32(uint8_t *p, uint64_t v)
{
    uint32_t low = (uint32_t)v;

    memcpy(p, &low, 4);
}

/* The same memory twice: at `at`, or anywhere for 0, and, writable, at the
 * address that is returned. */
static uint8_t *map_twice(uint64_t at, size_t size, uint8_t **first)
{
    int file = memfd_create("agent_property", MFD_CLOEXEC);
    void *p, *q;

    if (file < 0 || ftruncate(file, (off_t)size) != 0) {
        die("no memory to map twice");
    }
    p = mmap((void *)at, size, PROT_READ | PROT_WRITE,
             MAP_SHARED | (at != 0 ? MAP_FIXED_NOREPLACE : 0), file, 0);
    q = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (p == MAP_FAILED || q == MAP_FAILED || (at != 0 && (uint64_t)p != at)) {
        die("cannot map memory twice");
    }
    *first = p;
    return q;
}

/* Wire/image.h's image, filled in as live/target.c does. */
static void image_setup(const char *path)
{
    uint64_t kernel = (uint64_t)prop_kernel_entry;
    int file = open(path, O_RDONLY);
    ssize_t size = -1;
    uint8_t *alias = map_twice(IMAGE_AT, IMAGE_ROOM + THUNKS_ROOM, &image);

    if (file >= 0) {
        size = read(file, image, IMAGE_ROOM);
        close(file);
    }
    memcpy(&head, image, sizeof(head));
    if (size < (ssize_t)sizeof(head) || head.magic != IMAGE_MAGIC ||
        head.layout != WIRE_LAYOUT || head.size > size) {
        printf("agent_property: %s is no agent image of this version\n", path);
        exit(2);
    }
    config = (struct image_config *)(void *)(alias + head.config);
    memset(config, 0, sizeof(*config));
    config->section = (uint64_t)section;
    config->base = IMAGE_AT;
    config->size = IMAGE_ROOM;
    config->resume = LOADER_AT;
    config->xsave_mask = prop_mask;
    config->own = OWN_AT;
    config->ring_mask = RING_BYTES - 1;
    config->ring_stride = STRIDE;
    config->ring_max = RING_MAX;
    config->room = ROOM_HANDLE;
    config->tracer = TRACER_HANDLE;
    config->wake = WAKE_HANDLE;
    config->tsc_per_ms = TSC_PER_MS;
    config->callback = IMAGE_AT + head.callback;
    memcpy(config->loader_bytes, loader_bytes, LOADER_BYTES);
    for (int i = 0; i < TRANSITION_COUNT; i++) {
        const struct frame_row *f = frame_row((enum frame_kind)i);
        struct transition_row *row = &config->transition[i];

        row->rip = prop_places[AT_DOOR + i];
        row->from_rcx = f->from_rcx;
        row->count = f->count;
        for (int k = 0; k < f->count; k++) {
            row->offset[k] = f->offset[k];
        }
    }
    for (uint32_t i = 0; i < PRIVATE_COUNT; i++) {
        uint8_t *p = image + head.stubs + i * PRIVATE_STUB_SIZE;

        memset(p, 0xcc, PRIVATE_STUB_SIZE);
        p[0] = 0xb8;  // mov eax, i
        put_u32(p + 1, i);
        memcpy(p + 5, "\xff\x25\x0d\0\0\0", 6);  // jmp *p[18h], aligned
        p[0x14] = 0xc3;  // where the kernel comes back to
        memcpy(p + 0x18, &kernel, 8);
    }
    prop_kernel_return = IMAGE_AT + head.stubs + 0x14;
}

/* One thunk, as image.h describes and live/target.c writes it. */
static void make_thunk(uint64_t at, const struct fake_stub *k)
{
    uint8_t *p = (uint8_t *)at;
    uint64_t entry = IMAGE_AT + head.entry;

    memcpy(p, "\x4c\x8d\x15....\xb8....\xe8....", 17);
    put_u32(p + 3, k->at - (at + 7));
    put_u32(p + 8, k->number & SERVICE_MASK);
    put_u32(p + 13, entry - (at + 17));
    memcpy(p + 17, "\x4d\x85\xd2\x74\x0d\x4c\x8b\xd1\xb8....\xe9....\xc3\xcc",
           20);
    put_u32(p + 26, k->number);
    put_u32(p + 31, k->at + 8 - (at + 35));
}

/* A stub of the form that Windows has had since 1511; its `syscall` and `int
 * 2eh` jump to code behind it that says which stub it was. */
static void make_stub(uint32_t i)
{
    struct fake_stub *k = &stubs[i];
    uint64_t thunk = THUNKS_AT + i * THUNK_SIZE;
    uint8_t *p;

    k->at = NTDLL_AT + i * STUB_ROOM;
    k->number = (i * 67 + (i & 1) * 0x1000) & SERVICE_MASK;
    p = (uint8_t *)k->at;
    memcpy(p, "\x4c\x8b\xd1\xb8....\xf6\x04\x25\x08\x03\xfe\x7f\x01\x75\x03",
           18);
    put_u32(p + 4, k->number);
    memcpy(p + 0x12, "\xeb\x0c\xc3\xeb\x09\xc3", 6);
    memcpy(p + 0x20, "\xc7\x05", 2);  // mov [WHICH_AT], i
    put_u32(p + 0x22, WHICH_AT - (k->at + 0x2a));
    put_u32(p + 0x26, i);
    memcpy(p + 0x2a, "\xff\x25\0\0\0\0", 6);
    memcpy(p + 0x30, &prop_places[AT_SYSCALL], 8);
    make_thunk(thunk, k);
    p[3] = 0xe9;
    put_u32(p + 4, thunk - (k->at + 8));
}

static void section_setup(void)
{
    uint8_t *at;
    uint8_t *alias = map_twice(0, SECTION_RINGS + STRIDE * RINGS, &at);

    section = (struct section *)(void *)at;
    rows = (struct call_row *)(void *)(alias + SECTION_ROWS);
    programs = alias + SECTION_PROGRAMS;
    states =
        (_Atomic uint32_t *)(void *)((uint8_t *)section + SECTION_RING_STATE);
    first_ring = (struct ring *)(void *)((uint8_t *)section + SECTION_RINGS);
    ring = first_ring;
    section->magic = SECTION_MAGIC;
    section->version = SECTION_VERSION;
    section->layout = WIRE_LAYOUT;
    /* Not the agent's to write. */
    if (mprotect(at + SECTION_ROWS, SECTION_TAMPER - SECTION_ROWS, PROT_READ) !=
        0) {
        die("cannot protect the section");
    }
}

/* A page of it for each ring that this test has. */
static void own_setup(void)
{
    map_at(OWN_AT, OWN_PAGE * (1 + RINGS));
    map_at(OWN_AT + OWN_KEPT, OWN_KEPT_BYTES);
    own_page()->wine_dispatcher = prop_places[AT_WINE];
}

static void stacks_setup(void)
{
    stack = map_at(0, STACK_BYTES);
    far_alias = map_twice(0, FAR_BYTES, &far_stack);
    if (mprotect(far_stack + FAR_END, FAR_BYTES - FAR_END, PROT_NONE) != 0) {
        die("cannot take memory away");
    }
    data_alias = map_twice(DATA_AT, DATA_ROOM, &data);
    if (mprotect(data, DATA_ROOM, PROT_NONE) != 0) {
        die("cannot take memory away");
    }
}

/* LdrInitializeThunk as it is, or bent to lead elsewhere. */
static void loader_set(bool bent)
{
    if (kernel_is != kernel_was &&
        mprotect((void *)LOADER_AT, 0x1000, PROT_READ | PROT_EXEC) != 0) {
        die("cannot make the loader executable");
    }
    kernel_is = kernel_was;
    memcpy(loader_alias, bent ? bent_bytes : loader_bytes, LOADER_BYTES);
}

static void loader_setup(void)
{
    uint8_t *at;

    loader_alias = map_twice(LOADER_AT, 0x1000, &at);
    memcpy(loader_alias + 8, &prop_places[AT_RESUME], 8);
    memcpy(loader_alias + 16, &prop_places[AT_ELSEWHERE], 8);
    kernel_was = 0x20;
    loader_set(false);
}

static void world_setup(const char *path)
{
    cpu_setup();
    section_setup();
    image_setup(path);
    own_setup();
    map_at(NTDLL_AT, NTDLL_ROOM + 0x1000);
    for (uint32_t i = 0; i < STUBS; i++) {
        make_stub(i);
    }
    if (mprotect((void *)IMAGE_AT, IMAGE_ROOM + THUNKS_ROOM,
                 PROT_READ | PROT_EXEC) != 0 ||
        mprotect((void *)NTDLL_AT, NTDLL_ROOM, PROT_READ | PROT_EXEC) != 0) {
        die("cannot make memory executable");
    }
    shared_data = map_at(SHARED_DATA_AT, 0x1000);
    stacks_setup();
    loader_setup();
    teb = map_at(0, 0x2000);
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, teb) != 0) {
        die("cannot set gs");
    }
    memcpy(teb + 0x30, &teb, 8);
    put_u32(teb + 0x48, 0x1234);
    prop_kernel_callback = IMAGE_AT + head.callback;
}

/* How fast the TSC counts, and whether this is Wine, says the image. */
static uint64_t wine_pointer;  // to its dispatcher
static bool on_wine;

static void config_set(uint64_t tsc_per_ms, bool wine)
{
    on_wine = wine;
    config->tsc_per_ms = tsc_per_ms;
    config->wine_pointer = wine ? (uint64_t)&wine_pointer : 0;
}

/* Now and then it is Wine, or is not any more. */
static bool any_system(void)
{
    return one_in(16) ? !on_wine : on_wine;
}

/* Wine's record of this thread's last call, as agent/amd64/wine.S has it. */
static uint64_t last_argument;
static uint32_t last_number;

static void last_call_any(void)
{
    last_argument = chance();
    last_number = (uint32_t)chance();
    memcpy(teb + 0x2e0, &last_argument, 8);
    memcpy(teb + 0x2e8, &last_number, 4);
}

/* --- one event --- */

static uint64_t time_before, time_after;
static struct ring ring_was;  // up to `open`
static bool had_ring;
static uint8_t canary[8];  // what stood behind the expected record
static uint64_t stack_base, stack_limit;  // gs:[8], gs:[10h]
static bool stack_words_set;

static uint64_t stack_end;  // gs:[1478h]
static bool stack_end_set;

/* For the next event; without it it is random. */
static void set_stack_end(uint64_t end)
{
    stack_end = end;
    stack_end_set = true;
}

/* The event at `s` comes where the stack has next to nothing left. */
static bool is_cramped(uint64_t s)
{
    return s - stack_end < 0x2000;
}

/* For the next event; without it they are random. */
static void set_stack_words(uint64_t base, uint64_t limit)
{
    stack_base = base;
    stack_limit = limit;
    stack_words_set = true;
}

/* What gs:[8] and gs:[10h] say of the stack [low, high) with `s` on it: the
 * truth, or something near. */
static void any_stack_words(uint64_t low, uint64_t high, uint64_t s, bool truth)
{
    uint64_t limit = low + below((uint32_t)(s - low + 1));

    switch (truth ? 0 : 1 + below(4)) {
    case 0:
        set_stack_words(high, limit);
        break;
    case 1:
        set_stack_words(chance(), limit);
        break;
    case 2:
        set_stack_words(high + 0x1000, limit);
        break;
    case 3:
        set_stack_words(high - 0x1000, limit);
        break;
    default:
        set_stack_words(s - below(0x100), limit);
        break;
    }
}

static void states_fill(uint32_t state)
{
    for (int i = 0; i < RING_MAX; i++) {
        atomic_store_explicit(&states[i], state, memory_order_relaxed);
    }
}

static void ring_use(uint32_t index)
{
    ring = (struct ring *)(void *)((uint8_t *)first_ring + index * STRIDE);
    states[index] = RING_LIVE;
    teb_set_ring(ring);
}

/* A live ring of this thread, empty, nothing open, at a random place. */
static void ring_fresh(void)
{
    uint32_t at = (uint32_t)chance() & ~7u;

    memset(ring, 0, offsetof(struct ring, open));
    ring->head = at;
    ring->tail = at;
    ring->limit = at;
    ring->given_up = 0;
    ring->tid = 0x1234;
    ring->teb = (uint64_t)teb;
    ring->serial = 7;
    states[ring_number(ring)] = RING_LIVE;
    section->ring_high = (uint32_t)ring_number(ring) + 1;
    section->dead = 0;
    section->flags = 0;
    /* With either, calls of the agent's own are made. */
    section->callback_owner = one_in(4) ? CALLBACK_NOBODYS : CALLBACK_OURS;
    /* What the program may have made of them is not to matter. */
    section->ring_bytes = (uint32_t)chance();
    section->ring_stride = (uint32_t)chance();
    section->ring_max = one_in(2) ? 0 : (uint32_t)chance();
    memset(section->plain, 0, sizeof(section->plain));
    teb_set_ring(ring);
}

static uint8_t *ring_byte(uint32_t at)
{
    return (uint8_t *)ring + RING_DATA + (at & (RING_BYTES - 1));
}

static uint32_t ring_to_end(uint32_t at)
{
    return RING_BYTES - (at & (RING_BYTES - 1));
}

/* The reader has read everything. */
static void ring_drain(void)
{
    ring->tail = ring->head;
}

static bool ring_has_room(uint32_t size)
{
    return ring->limit - ring->head >= size;
}

/* Runs what prop_in says. */
static void run(void)
{
    memcpy(&ring_was, ring, offsetof(struct ring, open));
    had_ring = teb_ring() != NULL;
    memset(kernel_calls, 0, sizeof(kernel_calls));
    kernel_read_count = 0;
    kernel_asked = 0;
    if (!kernel_keeps) {
        /* What memory was found to be may be otherwise now. */
        own_page()->changes++;
        kernel_said_count = 0;
    }
    if (!stack_words_set) {
        set_stack_words(chance(), chance());
    }
    stack_words_set = false;
    if (!stack_end_set) {
        stack_end = chance();
    }
    stack_end_set = false;
    memcpy(teb + 0x1478, &stack_end, 8);
    memcpy(teb + 8, &stack_base, 8);
    memcpy(teb + 0x10, &stack_limit, 8);
    prop_out.rip = 0;
    prop_garbage = chance();
    time_before = tsc();
    prop_run();
    time_after = tsc();
}

/* How much stack the event at `s` took, and whether that is allowed. */
static bool captures;  // the event ran a capture program

static void check_stack(uint64_t s, bool fast)
{
    unsigned used = stack_used(s);
    unsigned calls = kernel_calls_sum();

    if (used > path_stack[fast]) {
        path_stack[fast] = used;
    }
    if (used > (fast ? STACK_FAST
                : calls == 0 && section->callback_owner != CALLBACK_PROGRAMS
                    ? (is_cramped(s) ? STACK_CRAMPED
                       : captures    ? STACK_CAPTURES
                                     : STACK_SLOW)
                : had_ring ? STACK_KERNEL
                           : STACK_NO_RING)) {
        bad("%u bytes of stack below rsp (%u calls)", used, calls);
    }
    if (fast) {
        path_fast++;
        same("system calls on a fast path", calls, 0);
    }
}

/* The record of `size` that must have been written last, after a PAD where
 * it did not fit, and nothing else. */
static uint8_t *check_record(uint32_t size, uint8_t kind, uint8_t flags,
                             uint16_t number)
{
    uint32_t at = ring_was.head;
    uint32_t to_end = ring_to_end(at);
    struct record_head r;

    if (size > to_end) {
        memcpy(&r, ring_byte(at), 8);
        same("pad size", r.size, to_end);
        same("pad kind", r.kind, RECORD_PAD);
        same("pad flags", (uint64_t)r.flags << 16 | r.number, 0);
        at += to_end;
    }
    memcpy(&r, ring_byte(at), sizeof(r));
    same("head", ring->head, (uint32_t)(at + size));
    same("record size", r.size, size);
    same("record kind", r.kind, kind);
    same("record flags", r.flags, flags);
    same("record number", r.number, number);
    if (r.time < time_before || r.time > time_after) {
        bad("record time %#llx is not between %#llx and %#llx",
            (unsigned long long)r.time, (unsigned long long)time_before,
            (unsigned long long)time_after);
    }
    if (memcmp(canary, ring_byte(at + size), 8) != 0) {
        bad("written behind the record");
    }
    return ring_byte(at);
}

/* Before an event that writes a record of `size`. */
static void expect_record(uint32_t size)
{
    uint32_t at = ring->head;

    if (size > ring_to_end(at)) {
        at += ring_to_end(at);
    }
    memset(ring_byte(at), 0x5a, size);
    memcpy(canary, ring_byte(at + size), 8);
}

/* The thread's first ring; NULL: `ring` is. */
static struct ring *teb_has;

/* What holds for a ring whenever no agent code runs. */
static void check_ring(bool fast)
{
    uint32_t room = ring->limit - ring->head;

    same("inside", ring->inside, 0);
    same("waiting", ring->waiting, RING_RUNS);
    same("quiet", ring->quiet, 0);
    if (room > ring_to_end(ring->head) ||
        ring->limit - ring->tail > RING_BYTES) {
        bad("limit %#x with head %#x and tail %#x", ring->limit, ring->head,
            ring->tail);
    }
    if (fast) {
        same("limit", ring->limit, ring_was.limit);
    }
    same("given up", ring->given_up, 0);
    same("tid", ring->tid, 0x1234);
    same("teb", ring->teb, (uint64_t)teb);
    if (teb_ring() != (teb_has != NULL ? teb_has : ring)) {
        bad("another ring");
    }
}

static void check_lost(int reason, uint32_t count)
{
    for (int i = 0; i < RING_LOST_COUNT; i++) {
        same("lost", ring->lost[i],
             ring_was.lost[i] + (i == reason ? count : 0));
    }
}

static void check_open(uint64_t rsp, uint64_t stub, uint64_t row)
{
    same("open_rsp", ring->open_rsp, rsp);
    if (rsp != 0) {
        same("open_stub", ring->open_stub, stub);
        same("open_row", ring->open_row, row);
    }
}

static uint64_t row_word(struct call_row row)
{
    uint64_t w;

    memcpy(&w, &row, 8);
    return w;
}

/* What is to be seen of an event besides what always is. */
struct wish {
    bool fast;       // no C
    bool lost;       // no record
    uint8_t flags;   // of the record
    uint8_t more;    // stack arguments in the record
    uint8_t behind;  // so far behind it the thread goes on
};

static const struct fake_stub *any_stub(void)
{
    return &stubs[below(STUBS)];
}

static struct call_row row_for(const struct fake_stub *k, uint8_t more,
                               uint8_t flags)
{
    struct call_row row = { more, flags, (uint16_t)k->number, below(1000) };

    rows[k->number] = row;
    return row;
}

/* What an ENTRY says of the call at `s` that prop_in made. */
static void check_entry(const struct record_entry *r, uint64_t s, uint8_t more)
{
    same("record rsp", r->rsp, s);
    same("record stack base", r->stack_base, stack_base);
    same("record caller", r->caller, prop_places[AT_RETURN]);
    same("record arg 1", r->args[0], prop_in.rcx);
    same("record arg 2", r->args[1], prop_in.rdx);
    same("record arg 3", r->args[2], prop_in.r8);
    same("record arg 4", r->args[3], prop_in.r9);
    for (uint32_t i = 0; i < more; i++) {
        same("record stack arg", r->more[i], stack_word(0x28 + 8 * i));
    }
}

/* ... and a RETURN to `rip`. */
static void check_return(const struct record_return *r, uint64_t rip,
                         uint64_t s)
{
    same("record rip", r->rip, rip);
    same("record rsp", r->rsp, s);
    same("record rax", r->rax, prop_in.rax);
    same("record stack base", r->stack_base, stack_base);
}

/* The program has called stub `k` with its stack at `s`, and has come to its
 * `syscall`. */
static void check_in(const struct fake_stub *k, uint64_t s, bool fast)
{
    uint32_t which;

    memcpy(&which, (const void *)WHICH_AT, 4);
    same("out at", prop_out.rip, AT_SYSCALL);
    same("which stub", which, (uint64_t)(k - stubs));
    compare_machine(LOSES_RAX | LOSES_R10 | LOSES_R11 | LOSES_ARITHMETIC, s);
    same("r10", prop_out.r10, prop_in.rcx);
    same("rax", prop_out.rax, k->number);
    check_stack(s, fast);
}

/* The program is to call stub `k` with its stack at `s`. */
static void go_in(const struct fake_stub *k, uint64_t s)
{
    uint32_t which = 0xffffffff;

    stack_prepare(s);
    machine_random(s);
    prop_in.rip = k->at;
    shared_data[SYSTEM_CALL] = (uint8_t)(chance() & 1);
    memcpy((void *)WHICH_AT, &which, 4);
}

/* ... which prop_in says. */
static void enter_so(const struct fake_stub *k, uint64_t s, struct call_row row,
                     struct wish w)
{
    struct record_entry *r;
    uint32_t size = ENTRY_SIZE + 8u * w.more;

    if (!w.lost) {
        expect_record(size);
    }
    run();
    check_in(k, s, w.fast);
    if (w.lost) {
        return;
    }
    r = (struct record_entry *)(void *)check_record(
        size, RECORD_ENTRY, (uint8_t)(w.flags | w.more), (uint16_t)k->number);
    check_entry(r, s, w.more);
    check_ring(w.fast);
    if (row.flags & ROW_ENDS_ITSELF) {
        check_open(0, 0, 0);
    } else {
        check_open(s, k->at, row_word(row));
        same("open_stack_base", ring->open_stack_base, stack_base);
    }
}

/* The program calls stub `k` with its stack at `s`. */
static void enter(const struct fake_stub *k, uint64_t s, struct call_row row,
                  struct wish w)
{
    go_in(k, s);
    enter_so(k, s, row, w);
}

/* The kernel goes back to `rip`, a place or in a stub, with the stack at
 * `s`. */
static void go_back(uint64_t rip, uint64_t s, uint32_t record_size)
{
    stack_prepare(s);
    machine_random(s);
    prop_in.rip = IMAGE_AT + head.callback;
    prop_in.r10 = rip;
    if (record_size != 0) {
        expect_record(record_size);
    }
}

static void check_back(uint64_t place, uint64_t s, bool fast)
{
    same("out at", prop_out.rip, place);
    compare_machine(0, place == AT_RETURN ? s + 8 : s);
    check_stack(s, fast);
}

/* ... as prop_in says. */
static void leave_so(uint64_t place, uint64_t s, struct wish w)
{
    struct record_return *r;

    run();
    check_back(place, s, w.fast);
    if (w.lost) {
        return;
    }
    r = (struct record_return *)(void *)check_record(RETURN_SIZE, RECORD_RETURN,
                                                     w.flags, 0);
    check_return(r, prop_in.r10 - w.behind, s);
    check_ring(w.fast);
}

static void leave(uint64_t rip, uint64_t place, uint64_t s, struct wish w)
{
    go_back(rip, s, w.lost ? 0 : RETURN_SIZE);
    leave_so(place, s, w);
}

static uint64_t after_syscall(const struct fake_stub *k)
{
    return k->at + (one_in(2) ? 0x14 : 0x17);
}

/* Lets the ring take records quickly again: one slow event does. */
static void warm(void)
{
    ring_drain();
    if (one_in(256)) {
        ring_fresh();
    }
    if (!ring_has_room(ENTRY_SIZE + 8 * RECORD_MORE_MAX + RETURN_SIZE) &&
        ring_to_end(ring->head) >= 0x400) {
        ring->limit = ring->head + (ring_to_end(ring->head) < RING_BYTES / 2
                                        ? ring_to_end(ring->head)
                                        : RING_BYTES / 2);
    }
}

/* An entry and its return, both fast where the ring has room. */
static void call(uint64_t s, uint8_t more, bool readable)
{
    const struct fake_stub *k = any_stub();
    struct call_row row = row_for(k, more, 0);
    struct wish w = { .more = more };

    w.fast = readable && ring_has_room(ENTRY_SIZE + 8u * more);
    enter(k, s, row, w);
    w = (struct wish){ .fast = ring_has_room(RETURN_SIZE) };
    leave(after_syscall(k), AT_RETURN, s, w);
    check_open(0, 0, 0);
}

/* --- the paths --- */

static void path_call(void)
{
    warm();
    call(stack_any(), 0, true);
}

static void path_page(void)
{
    uint8_t more = (uint8_t)(1 + below(RECORD_MORE_MAX));

    warm();
    call(stack_on_page(0x28 + 8u * more), more, true);
}

/* Over a page's end, within what was found readable before. */
static void path_known(void)
{
    uint8_t more = (uint8_t)(1 + below(RECORD_MORE_MAX));
    uint64_t s = stack_over_end(0x28 + 8u * more);

    warm();
    ring->stack_low = (uint64_t)stack;
    ring->stack_high = (uint64_t)stack + STACK_BYTES;
    any_stack_words(ring->stack_low, ring->stack_high, s, true);
    call(s, more, true);
}

/* What the event that is to come is expected to remember, and to ask. */
static uint64_t expect_known[2];
static unsigned expect_queries, expect_reads;
static unsigned expect_looks;  // at a view

static bool on_page(uint64_t s, uint64_t from, uint64_t size)
{
    return from / 0x1000 == s / 0x1000 &&
           (from + size - 1) / 0x1000 == s / 0x1000;
}

/* Whether the agent, entered at `s`, gets at these bytes. */
static bool expect_copy(uint64_t s, uint64_t from, uint64_t size)
{
    uint64_t region[2];

    if (from + size < from) {
        return false;
    }
    if (on_page(s, from, size) ||
        (s <= from && expect_known[1] == stack_base &&
         expect_known[0] <= from && from + size <= expect_known[1])) {
        return true;
    }
    if (section->callback_owner == CALLBACK_PROGRAMS) {
        return false;
    }
    expect_queries++;
    if (kernel_query == QUERY_FAILS || !region_of(from, region)) {
        return false;
    }
    if (from - (uint64_t)data < DATA_ROOM) {
        enum page kind = page_of(from);

        if ((kind != PAGE_THERE && kind != PAGE_READ_ONLY &&
             kind != PAGE_GOES_AWAY && kind != PAGE_GOES_HALF) ||
            from + size > region[1]) {
            return false;
        }
        expect_reads++;
        return kind == PAGE_THERE || kind == PAGE_READ_ONLY;
    }
    if (kernel_query != QUERY_STACK) {
        return false;
    }
    if (region[0] <= s && s < region[1] && region[1] == stack_base &&
        stack_limit <= s) {
        memcpy(expect_known, region, sizeof(region));
    }
    if (from + size > region[1]) {
        return false;
    }
    expect_reads++;
    return kernel_read == READ_COPIES;
}

static void expect_nothing(void)
{
    expect_known[0] = ring->stack_low;
    expect_known[1] = ring->stack_high;
    expect_queries = 0;
    expect_reads = 0;
    expect_looks = 0;
}

static void check_asked(void)
{
    same("queries", kernel_calls[PRIVATE_NtQueryVirtualMemory],
         expect_queries + expect_looks);
    same("reads", kernel_calls[PRIVATE_NtReadVirtualMemory], expect_reads);
    same("stack_low", ring->stack_low, expect_known[0]);
    same("stack_high", ring->stack_high, expect_known[1]);
}

/* How the kernel answers; as before `s`'s page ends, another region may. */
static void kernel_any(uint64_t s)
{
    kernel_query =
        one_in(2) ? QUERY_STACK : (enum query_answer)below(QUERY_COUNT);
    kernel_read = one_in(2) ? READ_COPIES : (enum read_answer)below(READ_COUNT);
    kernel_split = one_in(4) ? (s & ~0xfffull) + 0x1000 : 0;
}

static void kernel_plain(void)
{
    kernel_query = QUERY_STACK;
    kernel_read = READ_COPIES;
    kernel_split = 0;
}

/* Over a page's end, to where only the kernel can read. */
static void path_asked(void)
{
    uint8_t more = (uint8_t)(1 + below(RECORD_MORE_MAX));
    uint64_t s = far_over_end(0x28 + 8u * more);
    uint64_t low = (uint64_t)far_stack;
    uint64_t high = low + FAR_BYTES;
    uint64_t here = low + FAR_END - s;  // up to the page's end
    const struct fake_stub *k = any_stub();
    struct call_row row = row_for(k, more, 0);
    struct wish w = { .more = more };

    for (uint32_t i = 0; path_round == 0 && i < RINGS; i++) {
        ring_use(i);
        ring_fresh();
    }
    ring_use(below(RINGS));
    warm();
    ring->open_rsp = 0;
    ring->stack_low = 0;
    ring->stack_high = 0;
    kernel_any(s);
    switch (below(5)) {
    case 0:  // known, but this thread is on another stack now
        ring->stack_low = low;
        ring->stack_high = high;
        any_stack_words(low, high, s, false);
        break;
    case 1:  // known up to where the arguments go on
        ring->stack_low = low;
        ring->stack_high = low + FAR_END;
        set_stack_words(low + FAR_END, low);
        break;
    case 2:  // known above
        ring->stack_low = low + FAR_END + 0x1000;
        ring->stack_high = high;
        set_stack_words(high, low);
        break;
    case 3:
        any_stack_words(low, high, s, true);
        if (one_in(2)) {
            stack_limit = s + 1 + below(0x1000);
        }
        break;
    default:
        any_stack_words(low, high, s, false);
        break;
    }
    expect_nothing();
    if (!expect_copy(s, s + 0x28, 8u * more)) {
        /* As many as the page of rsp holds. */
        w.more = (uint8_t)(here < 0x28 ? 0 : (here - 0x28) / 8);
        w.flags = RECORD_ARGS_LOST;
    }
    enter(k, s, row, w);
    check_asked();
    kernel_plain();
    w = (struct wish){ .fast = ring_has_room(RETURN_SIZE) };
    leave(after_syscall(k), AT_RETURN, s, w);
    ring_use(0);
}

/* The end of the ring is near. */
static void path_wrap(void)
{
    const struct fake_stub *k = any_stub();
    uint8_t more = (uint8_t)below(RECORD_MORE_MAX + 1);
    uint64_t s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
    struct call_row row = row_for(k, more, 0);
    struct wish w = { .more = more };
    uint32_t end = (uint32_t)chance() & ~(RING_BYTES - 1);

    ring->head = end - 8 - 8 * below(24);
    ring->tail = ring->head;
    ring->limit = ring->head + below(ring_to_end(ring->head) / 8 + 1) * 8;
    w.fast = ring_has_room(ENTRY_SIZE + 8u * more);
    enter(k, s, row, w);
    w = (struct wish){ .fast = ring_has_room(RETURN_SIZE) };
    leave(after_syscall(k), AT_RETURN, s, w);
}

/* Calls within calls, as in user callbacks: inner ones return first. */
static void path_nested(void)
{
    const struct fake_stub *k[3];
    struct call_row row[3];
    uint64_t s[3];
    uint64_t outer = stack_any();
    int depth = 2 + (int)below(2);

    warm();
    for (int i = 0; i < depth; i++) {
        s[i] = outer - (unsigned)i * (0x40 + below(0x100));
        if (s[i] >= outer && i > 0) {
            s[i] = s[i - 1] - 8;
        }
        outer = s[i];
        k[i] = any_stub();
        row[i] = row_for(k[i], 0, 0);
        enter(k[i], s[i], row[i],
              (struct wish){ .fast = i == 0 && ring_has_room(ENTRY_SIZE) });
        /* run() draws a stack base; nested calls share theirs. */
        if (i > 0) {
            ring->open_stack_base = ring->open[0].stack_base;
        }
    }
    same("open below", ring->open_count, (unsigned)depth - 1);
    for (int i = depth - 1; i >= 0; i--) {
        bool newest = i == depth - 1;
        struct wish w = { .fast = newest && ring_has_room(RETURN_SIZE) };

        leave(after_syscall(k[i]), AT_RETURN, s[i], w);
        same("open below", ring->open_count, (unsigned)i);
    }
    check_open(0, 0, 0);
}

/* --no-patch: no entry was seen, and none is missed. */
static void path_plain(void)
{
    const struct fake_stub *k = any_stub();
    int which = (int)below(2);

    warm();
    memset(section->plain, 0, sizeof(section->plain));
    section->plain[which] = (struct plain_range){ NTDLL_AT, STUBS * STUB_ROOM };
    leave(after_syscall(k), AT_RETURN, stack_any(),
          (struct wish){ .fast = ring_has_room(RETURN_SIZE) });
}

/* A return that nothing explains, with and without the question. */
static void path_orphan(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t place = one_in(2) ? AT_RETURN : AT_ELSEWHERE;
    uint64_t rip = place == AT_RETURN ? after_syscall(k) : prop_places[place];
    bool asks = one_in(2);
    bool by_end = one_in(4);  // of its function

    warm();
    section->reader_asleep = below(2);
    section->flags =
        (asks ? SECTION_ASK_ORPHANS : 0) | (by_end ? SECTION_RETURNS : 0);
    ring->answer = ring->ask + asks;  // the answer is there at once
    leave(rip, place, stack_any(),
          (struct wish){
              .flags = (uint8_t)(RECORD_ORPHAN | (asks ? RECORD_WAITS : 0)),
              .behind = by_end ? 3 : 0 });
    same("asked", ring->ask, ring_was.ask + asks);
    same("system calls", kernel_calls_sum(), 0);
    section->reader_asleep = 0;
    section->flags = 0;
}

/* The same, with the reader behind and a tracer that answers from another
 * thread. Until it has, this thread's last system call is the program's: with
 * room for the record it makes none of its own, even if the reader sleeps;
 * without, it must wait for room, and then does not pretend. */
static atomic_uint spins_answered;
static struct last_call spin_told;
static atomic_bool other_stops;

static void *spin_reader(void *unused)
{
    unsigned idle = 0;

    (void)unused;
    while (!other_stops) {
        uint32_t ask = ring->ask;

        if (ring->waiting == RING_SPINS && ring->answer != ask &&
            ring->head != ring->tail) {
            uint64_t argument = ring->last_argument;
            uint32_t number = ring->last_number;

            /* What was read belongs to this question only if it still
             * stands: this thread may have been held up since it looked. */
            if (ring->waiting != RING_SPINS || ring->ask != ask) {
                continue;
            }
            spin_told.argument = argument;
            spin_told.number = number;
            spins_answered++;
            atomic_store_explicit(&ring->answer, ask, memory_order_release);
        } else if (++idle % 64 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static void path_quiet(void)
{
    uint64_t s = stack_any();
    bool asleep = one_in(2);
    unsigned spins = spins_answered;
    bool first = one_in(4);             // this thread has no ring yet
    bool commits = first && one_in(2);  // for which a call of ours is made
    uint32_t used, needs;

    ring_fresh();
    if (one_in(2)) {
        ring->head = (ring->head & ~(RING_BYTES - 1)) - 8 * below(12);
    }
    used = one_in(3)   ? 8 * below(RING_BYTES / 8 + 1)
           : one_in(2) ? RING_BYTES - 8 * below(12)
                       : RING_BYTES / 2 - 8 * below(12);
    if (first) {
        teb_set_ring(NULL);
        states[0] = commits ? RING_UNCOMMITTED : RING_FREE;
        section->ring_high = 0;
        ring->head = commits ? 0 : ring->head;
        ring->quiet = 1;  // of a thread that died in a wait
        used = 0;
    }
    prop_kernel_keeps = commits ? prop_mask & 0xe4 : 0;
    if (commits) {
        own_save_set(false);
    }
    needs = RETURN_SIZE;
    if (ring_to_end(ring->head) < needs) {
        needs += ring_to_end(ring->head);
    }
    ring->tail = ring->head - used;
    ring->limit = ring->head;
    ring->answer = ring->ask;
    section->reader_asleep = asleep;
    section->flags = SECTION_ASK_ORPHANS;
    kernel_wait = WAIT_AS_ASKED;
    kernel_timeouts = below(3);
    config_set(TSC_PER_MS, any_system());
    last_call_any();
    ring->last_argument = 1;
    ring->last_number = 2;
    leave(prop_places[AT_ELSEWHERE], AT_ELSEWHERE, s,
          (struct wish){ .flags = RECORD_ORPHAN | RECORD_WAITS });
    same("asked", ring->ask, ring_was.ask + 1);
    check_lost(RING_LOST_COUNT, 0);
    prop_kernel_keeps = 0;
    if (commits) {
        same("answers to a spinning thread", spins_answered, spins);
        same("woken", kernel_calls[PRIVATE_NtSetEvent], asleep);
    } else if (used + needs <= RING_BYTES) {
        same("system calls", kernel_calls_sum(), 0);
        same("reader asleep", section->reader_asleep, asleep);
        same("answers to a spinning thread", spins_answered, spins + 1);
        same("last argument", spin_told.argument, on_wine ? last_argument : 1);
        same("last number", spin_told.number, on_wine ? last_number : 2);
    } else {
        same("answers to a spinning thread", spins_answered, spins);
        same("woken", kernel_calls[PRIVATE_NtSetEvent], asleep);
        if (kernel_calls[PRIVATE_NtWaitForMultipleObjects] < 2) {
            bad("did not wait for room, and for the answer");
        }
    }
    section->reader_asleep = 0;
    section->flags = 0;
}

/* --- views, and other memory that calls name --- */

static void any_pages(void)
{
    enum page kind = PAGE_THERE;

    for (uint32_t i = 0; i < DATA_PAGES; i++) {
        if (one_in(4)) {
            kind = one_in(2) ? PAGE_THERE : (enum page)below(PAGE_KINDS);
        }
        data_page[i] = kind;
    }
}

static void any_regions(void)
{
    static const uint32_t types[] = { 0x20000, 0x40000, 0x1000000, 0x1000000 };
    static const uint32_t states_of[] = { 0x1000, 0x1000, 0x2000, 0x10000 };
    uint64_t at = REGIONS_AT;
    uint64_t allocation = at;
    uint32_t type = types[below(4)];
    bool large = one_in(32);
    uint32_t same_for = 3;

    region_count = large ? REGIONS_ROOM : 4 + below(24);
    for (uint32_t i = 0; i < region_count; i++) {
        struct region *r = &regions[i];

        if (one_in(large ? 1000 : same_for)) {
            allocation = at;
            type = types[below(4)];
        }
        r->base = at;
        r->size = 0x1000 * (1 + below(4));
        r->allocation = allocation;
        r->state = states_of[below(large ? 3 : 4)];
        r->protect = (uint32_t)chance();
        r->type = type;
        r->refused = !large && one_in(16);
        at += r->size;
    }
    regions_bytes = at - REGIONS_AT + 1;
    chore_name_bytes = 2 * below(one_in(8) ? 0x1000 : 200);
    memcpy(chore_name, pool_bytes(sizeof(chore_name)), sizeof(chore_name));
}

static bool is_mapped(const struct region *r)
{
    return r->state != 0x10000 && r->type != 0x20000;
}

/* Where the allocation of `r` ends, and how many questions tell. */
static uint64_t end_behind(const struct region *r, unsigned *asked)
{
    uint64_t end = r->base + r->size;

    for (*asked = 0; *asked < REGIONS_MOST;) {
        const struct region *next = region_at(end);

        ++*asked;
        if (next == NULL || next->state == 0x10000 ||
            next->allocation != r->allocation) {
            break;
        }
        end += next->size;
    }
    return end;
}

/* What the thread has found out. */
static void check_told(uint64_t address)
{
    const struct ring_told *t =
        (const struct ring_told *)(void *)((uint8_t *)ring + RING_SCRATCH);
    const struct region *r = region_at(address);
    bool mapped;
    uint64_t end;
    unsigned asked;
    uint32_t bytes = 0;

    if (r == NULL) {
        return;
    }
    mapped = is_mapped(r);
    end = r->base + r->size;
    if (mapped) {
        end = end_behind(r, &asked);
    }
    if (mapped && chore_name_bytes + 2 <= sizeof(t->name)) {
        bytes = chore_name_bytes;
    }
    same("told base", t->base, r->base);
    same("told size", t->size, r->size);
    same("told allocation", t->allocation,
         r->state == 0x10000 ? 0 : r->allocation);
    same("told end", t->allocation_end, end);
    same("told state", t->state, r->state);
    same("told protection", t->protect, r->protect);
    same("told type", t->type, r->state == 0x10000 ? 0 : r->type);
    same("told bytes of the name", t->name_bytes, bytes);
    if (memcmp(t->name, chore_name, bytes) != 0) {
        bad("another name");
    }
}

/* Where a call of the program has a word or two: on the page of RSP, above, on
 * another stack, elsewhere, nowhere. */
static uint64_t any_pointer(uint64_t s)
{
    uint32_t page = 0x1000 - (uint32_t)s % 0x1000;

    switch (below(10)) {
    case 0:
    case 1:
        return s + 8 +
               below(page > 32 && page < ABOVE ? page - 31 : ABOVE - 31);
    case 2:
    case 3:
        return s + 8 + below(ABOVE - 31);
    case 4:
        return (uint64_t)far_stack + below(FAR_BYTES - 16);
    case 5:
    case 6:
        return (uint64_t)data + below(DATA_ROOM - 16);
    case 7:
        return (uint64_t)data + 0x1000 * (1 + below(DATA_PAGES)) - below(24);
    case 8:
        return chance();
    default:
        return one_in(2) ? 0 : UINT64_MAX - below(16);
    }
}

/* Such a word, for an event at `s` that stack_prepare() has seen; where there
 * is memory. */
static void put_word(uint64_t s, uint64_t at, uint64_t v)
{
    if (at - s <= ABOVE - 8) {
        stack_put(s, (uint32_t)(at - s), v);
    } else if (at - (uint64_t)data <= DATA_ROOM - 8 ||
               at - (uint64_t)far_stack <= FAR_BYTES - 8) {
        memcpy(seen(at), &v, 8);
    }
}

/* A call that maps a view, or looks like it. */
struct mapping {
    uint64_t process;
    uint64_t pointer;  // to where the base comes to stand
    uint64_t base;
};

static struct mapping any_mapping(uint64_t s)
{
    struct mapping m = { UINT64_MAX, any_pointer(s), REGIONS_AT };

    any_pages();
    any_regions();
    if (one_in(4)) {
        m.process = one_in(2) ? UINT32_MAX : one_in(2) ? chance() : 0;
    }
    if (m.pointer != 0) {
        m.base = one_in(2)   ? regions[below(region_count)].base
                 : one_in(2) ? REGIONS_AT + below(0x40000)
                 : one_in(2) ? REGIONS_AT
                 : one_in(2) ? chance()
                             : 0;
    }
    return m;
}

/* What comes of it at the return to `s`, with the result `rax`: true if the
 * thread waits for the tracer. */
static bool expect_look(const struct mapping *m, uint8_t flags, uint64_t s,
                        uint64_t rax)
{
    const struct region *r = region_at(m->base);
    unsigned asked = 0;

    chores[0] = (struct chore){ CHORE_QUERY, m->base, 0 };
    chore_next = 1;
    chore_calls = 0;
    kernel_looks = true;
    kernel_anywhere = true;
    if ((flags & ROW_MAPS) == 0 || (rax & 0x80000000) != 0 ||
        m->process != UINT64_MAX || !expect_copy(s, m->pointer, 8) ||
        section->callback_owner == CALLBACK_PROGRAMS) {
        return false;
    }
    expect_looks = 1;
    if (r != NULL && is_mapped(r)) {
        end_behind(r, &asked);
        expect_looks += asked + 1;
    }
    return r != NULL && r->state != 0x10000 && r->type == 0x1000000;
}

static void check_look(const struct mapping *m)
{
    same("looks at the view", chore_calls, expect_looks);
    if (expect_looks > 0) {
        check_told(m->base);
    }
    kernel_looks = false;
    kernel_anywhere = false;
}

/* The program calls stub `k`, which is to map `m`. */
static void enter_mapping(const struct fake_stub *k, const struct mapping *m,
                          uint64_t s, struct call_row row, struct wish w)
{
    go_in(k, s);
    prop_in.rdx = m->process;
    prop_in.r8 = m->pointer;
    enter_so(k, s, row, w);
}

/* ... which returns. */
static void leave_mapping(const struct fake_stub *k, const struct mapping *m,
                          uint64_t s, uint8_t flags)
{
    struct wish w = { 0 };

    if (one_in(2)) {
        ring->stack_low = (uint64_t)stack;
        ring->stack_high = (uint64_t)stack + STACK_BYTES;
    }
    kernel_any(s);
    if (!stack_words_set) {
        any_stack_words((uint64_t)stack, (uint64_t)stack + STACK_BYTES, s,
                        one_in(2));
    }
    w.fast = (flags & (ROW_MAPS | ROW_SETS_CALLBACK)) == 0 &&
             ring->open_rsp == s && ring_has_room(RETURN_SIZE);
    go_back(after_syscall(k), s, RETURN_SIZE);
    put_word(s, m->pointer, m->base);
    expect_nothing();
    w.flags = expect_look(m, flags, s, prop_in.rax) ? RECORD_WAITS : 0;
    leave_so(AT_RETURN, s, w);
    same("asked", ring->ask, ring_was.ask + (w.flags != 0));
    check_asked();
    check_look(m);
    kernel_plain();
}

/* The thread waits for the tracer at the entry, and at a return by which there
 * is an image. */
static void path_rendezvous(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
    uint8_t flags = (uint8_t)(1 + below(3));
    uint8_t more = (uint8_t)below(RECORD_MORE_MAX + 1);
    struct call_row row = row_for(k, more, flags);
    struct mapping m = any_mapping(s);
    struct wish w = { .more = more };

    warm();
    kernel_wait = WAIT_ANSWERS;
    kernel_waiting = RING_WAITS_ANSWER;
    kernel_timeouts = below(2);
    section->reader_asleep = below(2);
    w.flags = flags & ROW_SLOW_ENTRY ? RECORD_WAITS : 0;
    enter_mapping(k, &m, s, row, w);
    same("asked", ring->ask, ring_was.ask + (w.flags != 0));
    kernel_timeouts = below(2);
    if (one_in(8)) {
        /* First for room: what was found out stays. */
        ring->tail = ring->head - RING_BYTES;
        ring->limit = ring->head;
        kernel_waiting = RING_RUNS;
        kernel_wait = WAIT_AS_ASKED;
    }
    leave_mapping(k, &m, s, flags);
    check_open(0, 0, 0);
    section->reader_asleep = 0;
    kernel_waiting = RING_RUNS;
}

/* Several such calls open, on two stacks: each return has its own view. */
static void path_views_open(void)
{
    const struct fake_stub *k[4];
    struct mapping m[4];
    uint8_t flags[4];
    uint64_t s[4], base[4];
    uint64_t bases[2] = { chance(), chance() };
    uint64_t at = (uint64_t)stack + 0x8000;
    int depth = 2 + (int)below(3);
    bool back[4] = { 0 };

    ring_fresh();
    ring->answer = ring->ask;
    kernel_wait = WAIT_AS_ASKED;
    kernel_timeouts = 0;
    for (int i = 0; i < depth; i++) {
        /* On the page below, with its arguments. */
        at = ((at - 0x1000) & ~0xfffull) +
             below(0x1000 - 0x28 - 8 * RECORD_MORE_MAX);
        s[i] = at;
        k[i] = any_stub();
        m[i] = any_mapping(at);
        flags[i] = one_in(4) ? 0 : ROW_MAPS;
        base[i] = bases[below(2)];
        set_stack_words(base[i], (uint64_t)stack);
        enter_mapping(k[i], &m[i], at, row_for(k[i], 0, flags[i]),
                      (struct wish){ .fast = i == 0 && flags[i] == 0 &&
                                             ring_has_room(ENTRY_SIZE) });
    }
    same("open below", ring->open_count, (unsigned)depth - 1);
    for (int n = 0; n < depth; n++) {
        int i = (int)below((uint32_t)depth);

        if (back[i]) {
            continue;
        }
        set_stack_words(base[i], (uint64_t)stack);
        leave_mapping(k[i], &m[i], s[i], flags[i]);
        /* What was open below it on its stack will not come back. */
        for (int j = i; j < depth; j++) {
            back[j] = back[j] || j == i || base[j] == base[i];
        }
    }
    ring->open_count = 0;
    ring->open_rsp = 0;
}

/* NtContinue and its like: nothing stays open. */
static void path_ends_itself(void)
{
    const struct fake_stub *k = any_stub();

    warm();
    enter(k, stack_any(), row_for(k, 0, ROW_ENDS_ITSELF), (struct wish){ 0 });
}

static struct tamper_rule *rules_here(void)
{
    return (struct tamper_rule *)(void *)((uint8_t *)section + SECTION_TAMPER);
}

static struct tamper_use *uses_here(void)
{
    return (struct tamper_use *)(void *)((uint8_t *)rules_here() + TAMPER_USES);
}

/* A rule that changes what calls say, the first use of them. */
static uint64_t rule_for_all(uint64_t result)
{
    *rules_here() = (struct tamper_rule){ .step = 1 };
    *uses_here() =
        (struct tamper_use){ .flags = TAMPER_CHANGES, .result = result };
    return result;
}

/* The kernel enters user mode at one of its five doors. What it has put there
 * is read as it stands; nothing is asked. An exception, which may come with
 * next to no stack left, does not even wake the reader. */
static void path_transition(void)
{
    uint32_t which = below(TRANSITION_COUNT);
    const struct transition_row *row = &config->transition[which];
    uint64_t s = stack_any();
    uint64_t from = s;
    uint64_t words[TRANSITION_WORDS_MAX] = { 0 };
    uint32_t count = row->count;
    const struct fake_stub *k = any_stub();
    struct record_return *r;
    bool open = one_in(2);
    bool interrupted = false;
    bool behind = one_in(4);
    bool asleep = one_in(2);
    bool changes = open && which == TRANSITION_APC && one_in(2);
    uint8_t flags = 0;

    warm();
    ring->stack_low = 0;
    ring->stack_high = 0;
    if (open) {
        ring->open_rsp = s;
        ring->open_stub = k->at;
        ring->open_row = row_word(row_for(k, changes ? ROW_TAMPERS : 0, 0));
        ((struct ring_args *)(void *)((uint8_t *)ring +
                                      RING_ARGS))[RING_ARGS_NEWEST]
            .tamper = changes;
    }
    if (row->from_rcx) {
        from = s + 8 * below(0x40);
    }
    if (behind) {
        ring->tail = ring->head - RING_BYTES / 2;
        ring->limit = ring->head;
    }
    section->reader_asleep = asleep;
    go_back(row->rip, s, RETURN_SIZE + 8 * (count + changes));
    if (row->from_rcx) {
        prop_in.rcx = from;
    }
    if (changes || (which == TRANSITION_APC && one_in(2))) {
        /* It came in the middle of the open call. */
        uint64_t rip = k->at + 0x14;

        memcpy(seen(s + CONTEXT_AT_RIP), &rip, 8);
        interrupted = count > APC_CONTEXT_RIP;
    }
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&words[i], seen(from + row->offset[i]), 8);
    }
    if (changes) {
        /* ... and a rule changes it. */
        words[APC_KERNELS] = words[APC_CONTEXT_RAX];
        words[APC_CONTEXT_RAX] = rule_for_all(chance());
        flags = RECORD_INJECTED;
        count++;
    }
    run();
    same("out at", prop_out.rip, AT_DOOR + which);
    if (which == TRANSITION_APC) {
        uint64_t rax;

        memcpy(&rax, seen(s + CONTEXT_AT_RAX), 8);
        same("what the call says", rax, words[APC_CONTEXT_RAX]);
        /* stack_used() compares with what was painted: put that back. */
        memcpy(seen(s + CONTEXT_AT_RIP), stack_was + PAINT + CONTEXT_AT_RIP, 8);
        memcpy(seen(s + CONTEXT_AT_RAX), stack_was + PAINT + CONTEXT_AT_RAX, 8);
    }
    check_back(AT_DOOR + which, s, false);
    r = (struct record_return *)(void *)check_record(
        RETURN_SIZE + 8 * count, RECORD_TRANSITION, flags, (uint16_t)which);
    same("record rip", r->rip, row->rip);
    same("record rsp", r->rsp, s);
    same("record rax", r->rax, prop_in.rax);
    same("record stack base", r->stack_base, stack_base);
    for (uint32_t i = 0; i < count; i++) {
        same("record word", r->words[i], words[i]);
    }
    check_ring(false);
    asleep = behind && asleep && which != TRANSITION_EXCEPTION;
    same("woken", kernel_calls[PRIVATE_NtSetEvent], asleep);
    same("system calls", kernel_calls_sum(), asleep);
    section->reader_asleep = 0;
    if (open && which == TRANSITION_CALLBACK) {
        same("open below", ring->open_count, 1);
        same("open below rsp", ring->open[0].rsp, s);
        check_open(0, 0, 0);
    } else if (interrupted || which == TRANSITION_RAISE) {
        check_open(0, 0, 0);
    } else {
        check_open(open ? s : 0, k->at, ring->open_row);
    }
    ring->open_count = 0;
    ring->open_rsp = 0;
}

/* The agent's own system calls pass the callback unseen. */
static void path_own(void)
{
    uint64_t s = stack_any();
    uint64_t rip =
        prop_kernel_return + PRIVATE_STUB_SIZE * below(PRIVATE_COUNT);

    warm();
    if (one_in(2)) {
        teb_set_ring(NULL);
    } else {
        ring->inside = one_in(2) ? s + 8 * below(1000) : 0;
        ring->open_rsp = one_in(2) ? s : 0;
    }
    go_back(rip, s, 0);
    run();
    check_back(AT_RETURN, s, false);
    if (memcmp(ring, &ring_was, offsetof(struct ring, open)) != 0) {
        bad("the ring was touched");
    }
    ring->inside = 0;
    ring->open_rsp = 0;
    teb_set_ring(ring);
}

/* No ring beyond the thread's own is to be had. */
static void no_ring_below(bool none)
{
    config->ring_max = none ? (uint32_t)ring_number(ring) + 1 : RING_MAX;
}

/* Where the agent was entered that is at work; the event will be at `s`. Not
 * abandoned: on another stack, or above on this one. */
static uint64_t inside_for(uint64_t s, bool abandoned)
{
    uint64_t top = (uint64_t)stack + STACK_BYTES;
    bool known = one_in(2);  // the thread's stack is the one that it is on

    set_stack_words(known ? top : (uint64_t)stack - 0x100000,
                    (uint64_t)stack - (known ? 0 : 0x200000));
    if (abandoned) {
        return s - (s - (uint64_t)stack) / (1 + below(8)) * one_in(2);
    }
    if (one_in(2)) {
        return s + 1 + below((uint32_t)(top - s - 1));
    }
    return known ? (uint64_t)stack - 1 - below(0x100000)
                 : s - 0x200001 - below(0x10000);
}

/* The agent is at work already; or was, and never came back from it. */
static void path_guard(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    bool stale = one_in(2);
    bool entry = one_in(2);
    struct wish w = { .lost = !stale };

    warm();
    ring->quiet = stale;
    no_ring_below(true);
    ring->inside = inside_for(s, stale);
    if (entry) {
        enter(k, s, row_for(k, 0, 0), w);
    } else {
        w.flags = RECORD_ORPHAN;
        leave(after_syscall(k), AT_RETURN, s, w);
    }
    check_lost(stale ? RING_LOST_GUARD : RING_LOST_INSIDE, 1);
    if (!stale) {
        same("inside", ring->inside, ring_was.inside);
        same("head", ring->head, ring_was.head);
    }
    ring->inside = 0;
    ring->open_rsp = 0;
    no_ring_below(false);
}

/* A thread on which the agent is at work has been sent elsewhere: what it does
 * there goes to another ring, and leaves alone what was about to be written. */
static void path_elsewhere(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    bool entry = one_in(2), has = one_in(2), wrong = has && one_in(4);
    struct wish w = { .lost = wrong };
    struct ring *first, was;

    states_fill(RING_LIVE);
    ring_use(1);
    ring_fresh();
    ring->is_below = has;
    ring_use(0);
    ring_fresh();
    first = ring;
    section->ring_high = 2;
    first->inside = inside_for(s, false);
    first->below = has ? 2 : 0;
    if (wrong) {
        /* Whoever wrote that: one that is another's, itself, or none. */
        switch (below(3)) {
        case 0:
            first->below = 1;
            break;
        case 1:
            states[1] = RING_FREE;
            break;
        default:
            ring_use(1);
            ring->tid = 0x1238;
            ring_use(0);
            break;
        }
    }
    was = *first;
    ring_use(1);
    states[1] = has ? states[1] : RING_FREE;
    if (wrong && first->below == 2 && ring->tid == 0x1234) {
        states[1] = RING_FREE;
    }
    teb_set_ring(first);
    teb_has = first;
    if (entry) {
        enter(k, s, row_for(k, 0, 0), w);
    } else {
        w.flags = RECORD_ORPHAN;
        leave(after_syscall(k), AT_RETURN, s, w);
    }
    if (wrong) {
        same("lost", first->lost[RING_LOST_INSIDE], 1);
        first->lost[RING_LOST_INSIDE] = 0;
    } else {
        same("below", first->below, 2);
        same("is below", ring->is_below, 1);
        same("state", states[1], RING_LIVE);
        first->below = was.below;
    }
    if (memcmp(first, &was, sizeof(was)) != 0) {
        bad("the ring was touched that is in use");
    }
    teb_has = NULL;
    ring->open_rsp = 0;
    states_fill(RING_UNCOMMITTED);
    ring_use(0);
    ring_fresh();
}

/* No room: the thread waits, or with --lossy drops, or the tracer is gone. */
static void path_full(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    bool entry = one_in(2);
    uint32_t size = entry ? ENTRY_SIZE : RETURN_SIZE;
    uint32_t used = RING_BYTES - 8 * below(size / 8);
    uint32_t kind = below(8);
    bool asleep = one_in(2);
    struct wish w = { 0 };

    ring_fresh();
    ring->head = (uint32_t)chance() & ~7u;
    if (one_in(2)) {
        ring->head = (ring->head & ~(RING_BYTES - 1)) - 8 * below(20);
    }
    ring->tail = ring->head - used;
    ring->limit = ring->head + (RING_BYTES - used < ring_to_end(ring->head)
                                    ? RING_BYTES - used
                                    : ring_to_end(ring->head));
    section->reader_asleep = asleep;
    kernel_wait = kind == 0 ? WAIT_TRACER_GONE : WAIT_EMPTIES;
    kernel_waiting = RING_WAITS_ROOM;
    kernel_timeouts = below(3);
    section->flags = kind == 1 ? SECTION_LOSSY : 0;
    /* A ring that the tracer has taken back is one that nobody reads. */
    states[0] = kind == 2 ? RING_FREE : RING_LIVE;
    w.lost = kind < 3;
    if (w.lost && ring_to_end(ring->head) < size &&
        used + ring_to_end(ring->head) <= RING_BYTES) {
        /* There is room for the padding alone: elsewhere then. */
        ring->head -= 0x1000;
        ring->tail -= 0x1000;
        ring->limit = ring->head;
    }
    if (entry) {
        enter(k, s, row_for(k, 0, 0), w);
    } else {
        w.flags = RECORD_ORPHAN;
        leave(after_syscall(k), AT_RETURN, s, w);
    }
    if (w.lost) {
        same("head", ring->head, ring_was.head);
        same("inside", ring->inside, 0);
        same("waiting", ring->waiting, RING_RUNS);
        check_lost(kind == 1 ? RING_LOST_FULL : RING_LOST_NO_TRACER, 1);
        same("dead", section->dead, kind == 0);
    } else {
        check_lost(RING_LOST_COUNT, 0);
        if (kernel_calls[PRIVATE_NtWaitForMultipleObjects] == 0) {
            bad("did not wait for room");
        }
    }
    same("reader asleep", section->reader_asleep, 0);
    same("woken", kernel_calls[PRIVATE_NtSetEvent], asleep);
    section->reader_asleep = 0;
    section->dead = 0;
    section->flags = 0;
    states[0] = RING_LIVE;
    kernel_waiting = RING_RUNS;
    ring->open_rsp = 0;
}

/* The reader is behind, by any amount that leaves room. */
static void path_behind(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    bool asleep = one_in(2);
    bool entry = one_in(2);
    uint32_t size = entry ? ENTRY_SIZE : RETURN_SIZE;
    uint32_t used = 8 * below((RING_BYTES - 2 * ENTRY_SIZE) / 8);
    uint32_t to_end;
    struct wish w = { 0 };

    ring_fresh();
    if (one_in(4)) {
        ring->head = (ring->head & ~(RING_BYTES - 1)) - 8 * below(40);
    }
    ring->tail = ring->head - used;
    ring->limit = ring->head;
    to_end = ring_to_end(ring->head);
    section->reader_asleep = asleep;
    if (entry) {
        enter(k, s, row_for(k, 0, 0), w);
    } else {
        w.flags = RECORD_ORPHAN;
        leave(after_syscall(k), AT_RETURN, s, w);
    }
    check_lost(RING_LOST_COUNT, 0);
    used += size + (to_end < size ? to_end : 0);
    same("woken", kernel_calls[PRIVATE_NtSetEvent],
         asleep && used > RING_BYTES / 2);
    section->reader_asleep = 0;
    ring->open_rsp = 0;
}

/* The first event of a thread: it claims a ring. */
static void path_claim(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint32_t kind = below(5);  // free, to be committed, none, dead, no memory
    struct wish w = { .lost = kind >= 2 };
    uint32_t lost = section->lost_no_ring;
    bool entry = one_in(2);
    uint32_t max = below(4);
    uint32_t serial;
    uint32_t n = below(RINGS);  // of the ring that it gets

    states_fill(RING_UNCOMMITTED);
    for (uint32_t i = 0; i < n; i++) {
        states[i] = RING_LIVE;
    }
    ring_use(n);
    ring_fresh();
    teb_set_ring(NULL);
    ring->tid = 0x7777;
    ring->open_rsp = s;
    ring->open_count = 5;
    ring->lost[1] = 9;
    ring->lost_data = 9;
    ring->quiet = 1;  // as of a thread that died in a wait
    ring->chains = 1;
    ring->below = 1 + below(RINGS);
    ring->is_below = one_in(2);
    ring->given_up = 1;
    section->ring_high = n + below(2);
    states[n] = RING_FREE;
    prop_kernel_keeps = 0;
    switch (kind) {
    case 1:
        /* Whoever was about to commit it may be no more. */
        section->ring_high = n + below(2);
        states[n] = RING_UNCOMMITTED;
        /* Not yet a ring to save into: nt_call keeps x87 and SSE, and a
         * kernel leaves alone what it has no use for. */
        prop_kernel_keeps = prop_mask & 0xe4;
        own_save_set(false);
        break;
    case 2:
        /* All are taken for which there is room; one that is free beyond
         * is not there. */
        states_fill(RING_LIVE);
        if (max == 3) {
            max = RING_MAX;
            config->ring_max = max;
        } else {
            config->ring_max = max;
            states[max] = one_in(2) ? RING_FREE : RING_UNCOMMITTED;
        }
        section->ring_high = below(2) * max;
        break;
    case 3:
        section->dead = 1;
        break;
    case 0:
        if (one_in(4)) {
            /* Nobody has read what is in it: it waits, as any thread. */
            ring->tail = ring->head - RING_BYTES;
            kernel_wait = WAIT_EMPTIES;
            kernel_timeouts = 0;
        }
        break;
    case 4:
        section->ring_high = n;
        states[n] = RING_UNCOMMITTED;
        prop_kernel_keeps = prop_mask & 0xe4;
        kernel_no_memory = 1 + below(2);
        own_save_set(false);
        break;
    default:
        break;
    }
    serial = kind == 1 ? 0 : ring->serial;
    if (kind == 1) {
        /* Committed memory is zero. */
        ring->head = 0;
        ring->tail = 0;
    }
    if (entry) {
        enter(k, s, row_for(k, 0, 0), w);
    } else {
        w.flags = RECORD_ORPHAN;
        leave(after_syscall(k), AT_RETURN, s, w);
    }
    prop_kernel_keeps = 0;
    if (w.lost) {
        if (teb_ring() != NULL) {
            bad("a ring from nowhere");
        }
        same("lost_no_ring", section->lost_no_ring,
             lost + (kind == 2 || kind == 4));
        if (kind == 4) {
            same("commits", kernel_calls[PRIVATE_NtAllocateVirtualMemory],
                 kernel_no_memory);
            same("state", states[n], RING_UNCOMMITTED);
            kernel_no_memory = 0;
            own_save_set(true);
        }
    } else {
        same("state", states[n], RING_LIVE);
        same("ring_high", section->ring_high, n + 1);
        same("serial", ring->serial, serial + 1);
        same("open_count", ring->open_count, 0);
        same("lost", ring->lost[1], 0);
        same("lost data", ring->lost_data, 0);
        same("chains", ring->chains, 0);
        same("below", ring->below | ring->is_below, 0);
        same("committed", kernel_calls[PRIVATE_NtAllocateVirtualMemory],
             kind == 1 ? 2 : 0);
    }
    if (kind == 2) {
        same("ring_high", section->ring_high, max);
        states_fill(RING_UNCOMMITTED);
        config->ring_max = RING_MAX;
    }
    ring_use(0);
}

/* The agent's first instructions in a new process. */
static void path_start(void)
{
    static const uint32_t protections[] = { 0x10, 0x20, 0x40, 0x80 };
    uint64_t s = stack_any();
    uint32_t size = RETURN_SIZE + 16;
    bool late = one_in(4);
    bool dead = one_in(4);
    bool has_ring = !late && one_in(2);
    bool gets_ring = !late && !dead && !has_ring && one_in(2);
    bool protects = late || !one_in(8);
    bool told = has_ring ? !dead : gets_ring;
    uint64_t dispatcher = chance();
    uint32_t without = one_in(2)   ? 0
                       : one_in(2) ? SECTION_RETURNS
                                   : SECTION_NO_CALLBACK;
    uint32_t status;
    bool wraps;

    ring_fresh();
    config_set(TSC_PER_MS, any_system());
    wine_pointer = dispatcher;
    own_page()->wine_dispatcher = 0;
    if (ring_to_end(ring->head) < size) {
        ring->head -= 0x1000;
        ring->tail = ring->limit = ring->head;
    }
    states[0] = gets_ring ? RING_FREE : RING_LIVE;
    config->ring_max = 1;
    section->dead = dead;
    section->flags = without;
    section->start_status = 0;
    kernel_wait = WAIT_ANSWERS;
    kernel_status = one_in(2) ? 0 : 0xc00000bb;
    status = without == 0                 ? kernel_status
             : without == SECTION_RETURNS ? 0
                                          : 0xc00000bb;
    kernel_protects = protects ? 0 : 0xc0000604;
    kernel_was = protections[below(4)];
    kernel_is = kernel_was;
    loader_set(!late);
    /* Registering it brings it to life. */
    kernel_starts = !late;
    prop_kernel_callback = 0;
    prop_kernel_keeps = has_ring || gets_ring ? 0 : prop_mask & 0xe4;
    if (!has_ring) {
        teb_set_ring(NULL);
    }
    stack_prepare(s);
    machine_random(s);
    prop_in.rip = IMAGE_AT + (late ? head.start_late : head.start);
    prop_in.rcx = s + 0x28;
    any_stack_words((uint64_t)stack, (uint64_t)stack + STACK_BYTES, s,
                    one_in(2));
    expect_record(size);
    run();
    same("out at", prop_out.rip, protects ? AT_RESUME : AT_ELSEWHERE);
    compare_machine(LOSES_R10, s);
    check_stack(s, false);
    same("protected", kernel_calls[PRIVATE_NtProtectVirtualMemory],
         late       ? 0
         : protects ? 2
                    : 1);
    same("protection of the loader", kernel_is, kernel_was);
    if (memcmp(loader_alias, protects ? loader_bytes : bent_bytes,
               LOADER_BYTES) != 0) {
        bad("the loader's bytes");
    }
    if (dead && !late) {
        same("calls of a start that nobody follows", kernel_calls_sum(),
             protects ? 2 : 1);
        same("start_status", section->start_status, 0);
    } else {
        same("registered", kernel_calls[PRIVATE_NtSetInformationProcess],
             without == 0);
        same("start_status", section->start_status, 1 + (uint64_t)status);
    }
    wraps = on_wine && status == 0 && (late || !dead);
    same("Wine's dispatcher", wine_pointer,
         wraps ? IMAGE_AT + head.wine : dispatcher);
    same("wine_dispatcher", own_page()->wine_dispatcher,
         wraps ? dispatcher : 0);
    if (told) {
        struct record_return *r = (struct record_return *)(void *)check_record(
            size, RECORD_TRANSITION, RECORD_WAITS, TRANSITION_THREAD_START);

        same("record rip", r->rip, LOADER_AT);
        same("record rsp", r->rsp, s);
        same("record word", r->words[0], stack_word(0x28 + CONTEXT_AT_RCX));
        same("record word", r->words[1], stack_word(0x28 + CONTEXT_AT_RDX));
        check_ring(false);
    } else {
        same("head", ring->head, ring_was.head);
        same("inside", ring->inside, 0);
        same("waits", kernel_calls[PRIVATE_NtWaitForMultipleObjects], 0);
        same("a ring", teb_ring() != NULL, has_ring);
    }
    loader_set(false);
    own_page()->wine_dispatcher = prop_places[AT_WINE];
    section->dead = 0;
    config->ring_max = RING_MAX;
    kernel_starts = false;
    kernel_protects = 0;
    prop_kernel_callback = IMAGE_AT + head.callback;
    prop_kernel_keeps = 0;
}

/* Wine's dispatcher, wrapped. */
static void path_wine(void)
{
    uint64_t s = stack_any();

    stack_prepare(s);
    machine_random(s);
    prop_in.rip = IMAGE_AT + head.wine;
    run();
    same("out at", prop_out.rip, AT_WINE);
    compare_machine(LOSES_R11, s);
    check_stack(s, true);
    same("last call's argument", word_at((uint64_t)teb + 0x2e0), prop_in.r10);
    same("last call's number", (uint32_t)word_at((uint64_t)teb + 0x2e8),
         (uint32_t)prop_in.rax);
}

/* The handshake engine: a second thread is the tracer. */
enum tracer_speed {
    TRACER_FAST,
    TRACER_SLOW,  // answers once the thread has lost patience
    TRACER_AWAY,  // ... and lets it have the slot only then
    TRACER_GONE   // never answers
};

#define SOMEBODY 0x999 /* another thread, whose slot it is */

static _Atomic enum tracer_speed tracer_speed;
static struct handshake_slot told;
static atomic_uint told_count;
static atomic_uint patience_lost;  // kernel_count when it has been

static void *tracer(void *unused)
{
    struct handshake_slot *slot = &section->slot;
    unsigned idle = 0;

    (void)unused;
    while (!other_stops) {
        /* In this order: of what is told now, not of a round before. */
        bool is_told =
            atomic_load_explicit(&slot->told, memory_order_acquire) == 1;
        enum tracer_speed speed = tracer_speed;

        if (speed == TRACER_AWAY && slot->tid == SOMEBODY &&
            kernel_count >= patience_lost) {
            atomic_store_explicit(&slot->tid, 0, memory_order_release);
        }
        if (!is_told || speed == TRACER_GONE ||
            (speed == TRACER_SLOW && kernel_count < patience_lost)) {
            if (++idle % 64 == 0) {
                sched_yield();
            }
            continue;
        }
        told.tid = slot->tid;
        told.rip = slot->rip;
        told.rsp = slot->rsp;
        told.rax = slot->rax;
        told.time = slot->time;
        told.spoiled = slot->spoiled;
        told.last = slot->last;
        told_count++;
        atomic_store_explicit(&slot->told, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->tid, 0, memory_order_release);
    }
    return NULL;
}

/* The thread has the slot next, and from now on all patience: what it tells
 * of a call of its own is what it knew before. */
static void patience_back(void)
{
    if (tracer_speed == TRACER_AWAY && kernel_count >= patience_lost) {
        config_set(TSC_PER_MS, on_wine);
    }
}

static void path_handshake(void)
{
    static unsigned expected;
    uint64_t s = stack_any();
    uint64_t place = one_in(4) ? AT_DOOR + below(5) : AT_RETURN;
    uint64_t rip =
        place == AT_RETURN ? after_syscall(any_stub()) : prop_places[place];
    bool own = one_in(16);
    enum tracer_speed speed =
        own || one_in(2) ? TRACER_FAST : (enum tracer_speed)below(4);
    bool gone = speed == TRACER_GONE;
    uint32_t slot_of = gone && one_in(2) ? SOMEBODY : 0;

    if (own) {
        place = AT_RETURN;
        rip = prop_kernel_return + PRIVATE_STUB_SIZE * below(PRIVATE_COUNT);
    }
    go_back(rip, s, 0);
    prop_in.rip = IMAGE_AT + head.handshake;
    /* No ring to keep the vector state in, see path_claim. */
    teb_set_ring(NULL);
    prop_kernel_keeps = prop_mask & 0xe4;
    prop_kernel_callback = IMAGE_AT + head.handshake;
    /* Impatient: asks the kernel whether the tracer lives after a moment. */
    config_set(speed == TRACER_FAST ? TSC_PER_MS : 1, any_system());
    last_call_any();
    section->slot.last = (struct last_call){ 1, 2, 0 };
    kernel_wait = gone ? WAIT_TRACER_GONE : WAIT_EMPTIES;
    kernel_timeouts = gone ? below(3) : 1000000000;
    section->slot.tid = speed == TRACER_AWAY ? SOMEBODY : slot_of;
    section->slot.spoiled = below(2);
    patience_lost = kernel_count + 1 + below(2);
    tracer_speed = speed;
    kernel_waits = patience_back;
    run();
    kernel_waits = NULL;
    tracer_speed = TRACER_FAST;
    if (gone) {
        same("dead", section->dead, 1);
        section->dead = 0;
    }
    check_back(place, s, false);
    kernel_timeouts = 0;
    prop_kernel_keeps = 0;
    prop_kernel_callback = IMAGE_AT + head.callback;
    if (gone) {
        /* The second thread takes what was told, if anything was. */
        while (slot_of == 0 && told_count == expected) {
            sched_yield();
        }
        expected += slot_of == 0;
        if (slot_of != 0) {
            section->slot.tid = 0;
        }
    } else {
        expected += !own;
    }
    same("handshakes", told_count, expected);
    same("asked the kernel", kernel_calls_sum() != 0, speed != TRACER_FAST);
    if (!own && slot_of == 0) {
        same("told tid", told.tid, 0x1234);
        same("told rip", told.rip, rip);
        same("told rsp", told.rsp, s);
        same("told rax", told.rax, prop_in.rax);
        same("told spoiled", told.spoiled, speed != TRACER_FAST);
        same("told argument", told.last.argument, on_wine ? last_argument : 1);
        same("told number", told.last.number, on_wine ? last_number : 2);
        if (told.time < time_before || told.time > time_after) {
            bad("told time");
        }
    }
    while (section->slot.tid != 0) {
        sched_yield();
    }
}

/* --- calls that are filtered out --- */

static bool is_filtered(uint8_t flags)
{
    return (flags & (ROW_FILTERED | ROW_SLOW_ENTRY | ROW_MAPS)) == ROW_FILTERED;
}

/* Nothing was written, nothing counted. */
static void check_silent(bool fast)
{
    same("head", ring->head, ring_was.head);
    same("limit", ring->limit, ring_was.limit);
    check_lost(RING_LOST_COUNT, 0);
    check_ring(fast);
    same("system calls", kernel_calls_sum(), 0);
}

/* An entry that is filtered, and the return of a call that was. */
static void enter_filtered(const struct fake_stub *k, uint64_t s,
                           struct call_row row, bool fast)
{
    enter(k, s, row, (struct wish){ .fast = fast, .lost = true });
    check_silent(fast);
    if (row.flags & ROW_ENDS_ITSELF) {
        check_open(0, 0, 0);
    } else {
        check_open(s, k->at, row_word(row));
        same("open_stack_base", ring->open_stack_base, stack_base);
    }
}

static void leave_filtered(uint64_t rip, uint64_t place, uint64_t s, bool fast)
{
    leave(rip, place, s, (struct wish){ .fast = fast, .lost = true });
    check_silent(fast);
    check_open(0, 0, 0);
}

/* Whatever room there is, and whatever else the row says. */
static void path_filtered(void)
{
    static const uint8_t others[] = { 0,
                                      0,
                                      ROW_CAPTURES,
                                      ROW_SETS_CONTEXT,
                                      ROW_ENDS_ITSELF,
                                      ROW_SLOW_ENTRY,
                                      ROW_MAPS };
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint8_t flags = ROW_FILTERED | others[below(7)];
    uint8_t more = (uint8_t)below(RECORD_MORE_MAX + 1);
    struct call_row row = row_for(k, more, flags);
    uint64_t rip = after_syscall(k), place = AT_RETURN;
    struct mapping m;

    warm();
    section->flags = one_in(2) ? SECTION_ASK_ORPHANS : 0;
    if (!is_filtered(flags)) {
        /* The tracer needs it: it is recorded. */
        struct wish w = { .flags = flags & ROW_SLOW_ENTRY ? RECORD_WAITS : 0,
                          .more = more };
        struct call_row kept = row;

        kept.flags &= (uint8_t)~ROW_FILTERED;
        s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
        kernel_wait = WAIT_ANSWERS;
        kernel_timeouts = 0;
        m = any_mapping(s);
        enter_mapping(k, &m, s, kept, w);
        leave_mapping(k, &m, s, flags);
        check_open(0, 0, 0);
        section->flags = 0;
        return;
    }
    if (one_in(2)) {
        /* No room, and nobody who would make some. */
        ring->tail = ring->head - RING_BYTES;
        ring->limit = ring->head;
    }
    enter_filtered(k, s, row, (flags & ROW_ENDS_ITSELF) == 0);
    if (flags & ROW_SETS_CONTEXT && one_in(2)) {
        place = AT_ELSEWHERE;
        rip = prop_places[place];
        s = stack_any();
    }
    if ((flags & ROW_ENDS_ITSELF) == 0) {
        leave_filtered(rip, place, s, place == AT_RETURN);
    }
    section->flags = 0;
}

/* Calls within calls, some of them filtered. */
static void path_filtered_among(void)
{
    const struct fake_stub *k[4];
    bool filtered[4];
    uint64_t s[4];
    uint64_t outer = stack_any();
    uint64_t base = chance();
    int depth = 2 + (int)below(3);

    warm();
    for (int i = 0; i < depth; i++) {
        struct call_row row;

        s[i] = outer - 0x40 - 8 * below(0x20);
        outer = s[i];
        k[i] = any_stub();
        filtered[i] = one_in(2);
        row = row_for(k[i], 0, filtered[i] ? ROW_FILTERED : 0);
        set_stack_words(base, 0);
        if (filtered[i]) {
            enter_filtered(k[i], s[i], row, i == 0);
        } else {
            enter(k[i], s[i], row,
                  (struct wish){ .fast = i == 0 && ring_has_room(ENTRY_SIZE) });
        }
    }
    same("open below", ring->open_count, (unsigned)depth - 1);
    for (int i = depth - 1; i >= 0; i--) {
        bool newest = i == depth - 1;

        set_stack_words(base, 0);
        if (filtered[i]) {
            leave_filtered(after_syscall(k[i]), AT_RETURN, s[i], newest);
        } else {
            leave(
                after_syscall(k[i]), AT_RETURN, s[i],
                (struct wish){ .fast = newest && ring_has_room(RETURN_SIZE) });
        }
        same("open below", ring->open_count, (unsigned)i);
        if (i > 0 && one_in(8)) {
            /* The calls in between never come back. */
            int to = (int)below((uint32_t)i);

            i = to + 1;
        }
    }
    check_open(0, 0, 0);
}

/* An APC comes in the middle of a filtered call: it is recorded. */
static void path_filtered_transition(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint64_t rip = k->at + (one_in(2) ? 0x14 : 0x17);
    const struct transition_row *row = &config->transition[TRANSITION_APC];
    uint32_t size = RETURN_SIZE + 8u * row->count;
    uint64_t below_s = s - 0x600;

    warm();
    enter_filtered(k, s, row_for(k, 0, ROW_FILTERED), true);
    go_back(row->rip, below_s, size);
    memcpy(seen(below_s + CONTEXT_AT_RIP), &rip, 8);
    run();
    same("out at", prop_out.rip, AT_DOOR + TRANSITION_APC);
    check_record(size, RECORD_TRANSITION, 0, TRANSITION_APC);
    check_ring(false);
    check_open(0, 0, 0);
}

/* --- capture programs --- */

/* What the test expects of a piece. */
struct piece {
    uint64_t address;
    uint32_t length;
    uint32_t kept;
    uint8_t keep[CAPTURE_KEEP];
};

/* What a program sees of one half of a call. */
struct half {
    bool at_return;
    uint64_t args[4 + RECORD_MORE_MAX];
    uint32_t count;
    uint64_t rax;
};

static union {
    struct capture_program p;
    uint8_t bytes[sizeof(struct capture_program) +
                  CAPTURE_OPS_MAX * sizeof(struct capture_op)];
} program;  // as it stands in the section

static struct piece pieces[CAPTURE_OPS_MAX];
static uint32_t piece_count;  // operations that were run

/* What has to be copied, in order: a piece of each operation, or one for each
 * element that it follows. */
static struct {
    uint64_t address;
    uint32_t length;
    uint32_t op;
} wanted[CAPTURE_OPS_MAX + CAPTURE_EACH_MAX];
static uint32_t wanted_count;
static uint64_t wanted_left;  // of CAPTURE_BYTES_MAX
static uint32_t wanted_each;  // of CAPTURE_EACH_MAX
static uint64_t capture_s;    // RSP at the call
static bool end_is_close;     // of its stack: no program runs
/* A pointer of an earlier round led below RSP, where the agent is at work:
 * what it finds there is not known. */
static bool unclear;

static bool is_there(uint64_t at)
{
    if (at - (uint64_t)data < DATA_ROOM) {
        return page_of(at) == PAGE_THERE || page_of(at) == PAGE_READ_ONLY;
    }
    return at - (uint64_t)stack < STACK_BYTES ||
           at - (uint64_t)far_stack < FAR_BYTES;
}

static bool number_at(uint64_t at, uint32_t size, uint64_t *value)
{
    uint64_t v = 0;

    if (at < 0x10000) {
        return false;
    }
    for (uint32_t i = 0; i < size; i++) {
        if (!is_there(at + i)) {
            return false;
        }
        v |= (uint64_t)*seen(at + i) << 8 * i;
    }
    *value = v;
    return true;
}

static bool number_in(uint32_t from, uint64_t offset, uint32_t size,
                      uint64_t *value)
{
    const struct piece *p;

    if (from < CAPTURE_PIECE || from - CAPTURE_PIECE >= piece_count) {
        return false;
    }
    p = &pieces[from - CAPTURE_PIECE];
    *value = 0;
    memcpy(value, p->keep + (offset + size <= p->kept ? offset : 0), size);
    return offset + size <= p->kept;
}

/* capture.h, read once more: the bytes that a capture_size stands for, fields
 * being `shift` bytes further on. */
static bool bytes_of(const struct half *h, struct capture_size z,
                     uint64_t shift, uint64_t *n)
{
    uint64_t v = 1;
    bool is_argument = z.from < h->count;
    bool ok = false;

    if (z.unit == CAPTURE_NO_LIMIT || z.unit == CAPTURE_ZERO_ENDED) {
        *n = UINT64_MAX;
        return true;
    }
    if (z.unit == CAPTURE_ONE) {
        ok = true;
    } else if (z.unit == CAPTURE_RESULT) {
        ok = h->at_return;
        v = (uint32_t)h->rax;
    } else if (z.unit == CAPTURE_VALUE || z.unit == CAPTURE_VALUE64) {
        ok = is_argument;
        v = !ok                       ? 0
            : z.unit == CAPTURE_VALUE ? (uint32_t)h->args[z.from]
                                      : h->args[z.from];
    } else if (z.unit == CAPTURE_POINTEE32 || z.unit == CAPTURE_POINTEE64) {
        ok = is_argument && number_at(h->args[z.from],
                                      z.unit == CAPTURE_POINTEE32 ? 4 : 8, &v);
    } else if (z.unit >= CAPTURE_FIELD16 && z.unit <= CAPTURE_FIELD64) {
        ok = number_in(z.from, z.offset + shift,
                       2u << (z.unit - CAPTURE_FIELD16), &v);
    }
    *n = v != 0 && z.scale > UINT64_MAX / v ? UINT64_MAX : v * z.scale;
    return ok;
}

static bool runs(const struct half *h, const struct capture_op *o)
{
    uint32_t status = (uint32_t)h->rax;
    uint64_t v;
    bool filled;

    switch (program.p.result) {
    case CAPTURE_RESULT_STATUS:
        filled = (status < 0x80000000 && status != 0x103) ||
                 status == 0x80000005 ||
                 (o->when == CAPTURE_LENGTH &&
                  (status == 0xc0000004 || status == 0xc0000023));
        break;
    case CAPTURE_RESULT_BOOL:
        filled = status != 0;
        break;
    case CAPTURE_RESULT_WORD:
        filled = h->rax != 0;
        break;
    default:
        filled = program.p.result == CAPTURE_RESULT_ANY;
        break;
    }
    if (o->when != CAPTURE_ALWAYS &&
        (o->when > CAPTURE_COMPLETED || !h->at_return || !filled)) {
        return false;
    }
    switch (o->test) {
    case CAPTURE_UNTESTED:
    case CAPTURE_EACH:
        return true;
    case CAPTURE_IF_ARG:
        return o->test_from < h->count &&
               (uint32_t)h->args[o->test_from] == o->test_value;
    case CAPTURE_IF_FIELD:
        return number_in(o->test_from, o->test_offset, 4, &v) &&
               v == o->test_value;
    default:
        return false;
    }
}

/* How much of `size` bytes at `at` is there; with `unit` up to its zero. */
static uint32_t length_of(uint64_t at, uint64_t size, uint32_t unit)
{
    uint32_t n = 0;

    while (n < size) {
        if (!is_there(at + n)) {
            return n;
        }
        if (unit == 0 && (at + n) % 0x1000 == 0 && size - n >= 0x1000) {
            n += 0x1000;
            continue;
        }
        n++;
        if (unit != 0 && n % unit == 0 && *seen(at + n - 1) == 0 &&
            *seen(at + n - unit) == 0) {
            return n;
        }
    }
    return n;
}

/* The piece that `o` copies at `at`, for the element `k` bytes behind the first:
 * how long it is. */
static uint32_t expect_piece(const struct half *h, const struct capture_op *o,
                             uint32_t op, uint64_t at, uint64_t k)
{
    uint32_t unit = 0;
    uint64_t n, limit;
    uint32_t length;

    if (!bytes_of(h, o->size, o->size.from == o->base ? k : 0, &n)) {
        return 0;
    }
    if (o->size.unit == CAPTURE_ZERO_ENDED) {
        unit = o->size.scale;
        if (unit == 0 || unit > 2) {
            return 0;
        }
    }
    if (bytes_of(h, o->limit, o->limit.from == o->base ? k : 0, &limit) &&
        limit < n) {
        n = limit;
    }
    n = n < o->most ? n : o->most;
    n = n < wanted_left ? n : wanted_left;
    length = length_of(at, n, unit);
    unclear = unclear ||
              (at < capture_s && length > 0 && at + length > (uint64_t)stack);
    wanted_left -= length;
    wanted[wanted_count].address = at;
    wanted[wanted_count].length = length;
    wanted[wanted_count++].op = op;
    return length;
}

/* A piece for each pointer in the piece `o->base`. */
static void expect_each(const struct half *h, const struct capture_op *o,
                        uint32_t op)
{
    uint32_t i = o->base - CAPTURE_PIECE;
    uint32_t step = o->test_value;
    uint64_t end;

    if (o->base < CAPTURE_PIECE || i >= piece_count || step < 8) {
        return;
    }
    end = pieces[i].length;
    for (uint64_t k = 0; o->offset + k + 8 <= end && wanted_each > 0;
         k += step) {
        uint64_t from = pieces[i].address + o->offset + k;
        uint64_t at;

        wanted_each--;
        unclear = unclear || (from < capture_s && from + 8 > (uint64_t)stack);
        if (number_at(from, 8, &at) && at >= 0x10000) {
            (void)expect_piece(h, o, op << 16 | (uint32_t)(k / step), at, k);
        }
    }
}

/* Fills `pieces` and `wanted` with what a run of the program must copy. */
static void expect_pieces(const struct half *h)
{
    uint32_t first = h->at_return ? program.p.entry_count : 0;
    uint32_t count =
        h->at_return ? program.p.return_count : program.p.entry_count;
    uint32_t kept = 0;

    unclear = false;
    wanted_count = 0;
    wanted_left = CAPTURE_BYTES_MAX;
    wanted_each = CAPTURE_EACH_MAX;
    end_is_close = stack_end <= capture_s && capture_s < stack_base
                       ? capture_s - stack_end < 0x4000
                       : capture_s % 0x1000 < 0x800;
    if (end_is_close) {
        count = 0;
    }
    for (piece_count = 0; piece_count < count; piece_count++) {
        const struct capture_op *o = &program.p.ops[first + piece_count];
        struct piece *p = &pieces[piece_count];
        uint32_t op = first + piece_count;
        uint64_t at = 0;
        bool ok;

        p->length = 0;
        p->kept = 0;
        if (!runs(h, o)) {
            continue;
        }
        if (o->test == CAPTURE_EACH) {
            expect_each(h, o, op);
            continue;
        }
        if (o->base >= CAPTURE_PIECE) {
            ok = number_in(o->base, o->offset, 8, &at) && at >= 0x10000;
        } else {
            ok = o->base < h->count && h->args[o->base] >= 0x10000;
            at = ok ? h->args[o->base] + o->offset : 0;
        }
        if (!ok) {
            continue;
        }
        p->address = at;
        p->length = expect_piece(h, o, op << 16, at, 0);
        p->kept = p->length < CAPTURE_KEEP ? p->length : CAPTURE_KEEP;
        if (p->kept > CAPTURE_KEEP_ALL - kept) {
            p->kept = CAPTURE_KEEP_ALL - kept;
        }
        kept += p->kept;
        for (uint32_t i = 0; i < p->kept; i++) {
            p->keep[i] = *seen(at + i);
        }
    }
}

/* --- what was copied --- */

static struct {
    uint64_t address;
    uint32_t length;
    uint32_t op;
} got[0x4000];
static uint32_t got_count;
static uint32_t got_at;  // read up to here
static uint64_t got_time;
static uint16_t got_number;
static uint8_t got_flags;
static uint64_t stack_got;  // bytes of stack and registers
static uint8_t *got_last;   // the record that is no DATA
static bool collect_none;   // nobody reads: the tracer is gone

static bool was_read(uint64_t at, uint64_t size)
{
    for (unsigned i = 0; i < kernel_read_count; i++) {
        if (kernel_read_at[i] <= at &&
            at + size <= kernel_read_at[i] + kernel_read_bytes[i]) {
            return true;
        }
    }
    return false;
}

/* Registers and stack, behind all other pieces, from S on without a hole. */
static void got_stack(const struct record_data *r)
{
    const uint64_t registers[] = { prop_in.rbx, prop_in.rbp, prop_in.rsi,
                                   prop_in.rdi, prop_in.r12, prop_in.r13,
                                   prop_in.r14, prop_in.r15 };
    uint64_t skip = stack_got == 0 ? STACK_REGISTERS : 0;
    uint64_t from = r->address + skip;

    same("stack number", r->head.number, got_number);
    same("stack rsp", r->rsp, capture_s);
    same("stack op", r->op, STACK_OP);
    same("stack address", r->address, capture_s - STACK_REGISTERS + stack_got);
    same("stack size", r->head.size, DATA_BYTES + r->length);
    if (r->head.size > RECORD_MAX || r->length < skip || r->length == 0) {
        bad("%u bytes of stack", r->length);
        return;
    }
    if (skip > 0 && memcmp(r->bytes, registers, STACK_REGISTERS) != 0) {
        bad("other registers");
    }
    if (r->length > skip &&
        (!is_there(from) || !is_there(from + r->length - skip - 1) ||
         memcmp(r->bytes + skip, seen(from), r->length - skip) != 0)) {
        bad("other stack at %#llx", (unsigned long long)from);
    }
    if (r->head.time < got_time || r->head.time < time_before) {
        bad("stack before its time");
    }
    got_time = r->head.time;
    stack_got += r->length;
}

/* As much of it as was asked for, and no more than the TEB says that there is; of
 * a stack that the TEB does not know, as far as it can be read. */
static void check_got_stack(void)
{
    uint64_t asked = (uint64_t)program.p.stack * CAPTURE_STACK_UNIT;
    uint64_t most = asked < CAPTURE_STACK_MAX ? asked : CAPTURE_STACK_MAX;

    if (asked == 0 || end_is_close) {
        same("bytes of stack", stack_got, 0);
        return;
    }
    if (capture_s < stack_base && stack_base - capture_s < most) {
        most = stack_base - capture_s;
    }
    if (stack_got < STACK_REGISTERS || stack_got - STACK_REGISTERS > most) {
        bad("%u bytes of stack, not %u", (unsigned)stack_got,
            (unsigned)(STACK_REGISTERS + most));
    }
    if (ring->stack_low <= capture_s && capture_s + most <= ring->stack_high &&
        ring->stack_high == stack_base) {
        same("bytes of its own stack", stack_got,
             STACK_REGISTERS + (most & ~UINT64_C(7)));
    }
}

static void got_data(const struct record_data *r)
{
    uint64_t end = r->address + r->length;

    if (r->head.flags == RECORD_STACK && got_flags == 0) {
        got_stack(r);
        return;
    }
    if (stack_got > 0) {
        bad("data behind the stack");
    }
    same("data flags", r->head.flags, got_flags);
    same("data number", r->head.number, got_number);
    same("data rsp", r->rsp, capture_s);
    same("data size", r->head.size, DATA_BYTES + ((r->length + 7) & ~7u));
    if (r->head.size > RECORD_MAX || r->length == 0 ||
        r->address / 0x1000 != (end - 1) / 0x1000) {
        bad("data of %u bytes at %#llx", r->length,
            (unsigned long long)r->address);
        return;
    }
    if (!is_there(r->address)) {
        bad("data from %#llx", (unsigned long long)r->address);
        return;
    }
    if (r->head.time < got_time || r->head.time < time_before) {
        bad("data before its time");
    }
    if (!unclear && memcmp(r->bytes, seen(r->address), r->length) != 0) {
        bad("other data at %#llx", (unsigned long long)r->address);
    }
    if (r->length > 256 && !was_read(r->address, r->length)) {
        bad("%u bytes read directly", r->length);
    }
    got_time = r->head.time;
    if (got_count < sizeof(got) / sizeof(got[0])) {
        got[got_count].address = r->address;
        got[got_count].length = r->length;
        got[got_count++].op = r->op;
    }
}

/* The reader: takes all that is in the ring. */
static void collect(void)
{
    while (got_at != ring->head) {
        uint8_t *at = ring_byte(got_at);
        struct record_head h = { 0 };

        memcpy(&h, at, ring_to_end(got_at) < sizeof(h) ? 8 : sizeof(h));
        if (h.size < 8 || h.size % 8 != 0 || h.size > ring->head - got_at ||
            h.size > ring_to_end(got_at) || got_last != NULL) {
            bad("a record of %u bytes, kind %u", h.size, h.kind);
            got_at = ring->head;
            return;
        }
        got_at += h.size;
        if (h.kind == RECORD_PAD) {
            same("pad", got_at & (RING_BYTES - 1), 0);
        } else if (h.kind == RECORD_DATA) {
            got_data((const struct record_data *)(const void *)at);
        } else {
            got_last = at;
        }
    }
}

/* The records are those pieces, in order. */
static void check_pieces(void)
{
    uint32_t g = 0;

    if (unclear) {
        return;
    }
    for (uint32_t i = 0; i < wanted_count; i++) {
        uint64_t at = wanted[i].address;
        uint32_t done = 0;

        while (g < got_count && got[g].op == wanted[i].op &&
               got[g].address == at + done && done < wanted[i].length) {
            done += got[g++].length;
        }
        if (done != wanted[i].length) {
            bad("op %#x: %u bytes at %#llx, not %u", wanted[i].op, done,
                (unsigned long long)at, wanted[i].length);
            return;
        }
    }
    if (g < got_count) {
        bad("data of op %#x at %#llx", got[g].op,
            (unsigned long long)got[g].address);
    }
}

/* --- any program, any memory --- */

static uint64_t places[4];  // of structures

/* A number that a program may find. */
static uint64_t any_number(void)
{
    switch (below(12)) {
    case 0:
        return 0;
    case 1:
        return below(300);
    case 2:
        return 0xf00 + below(0x400);
    case 3:
        return chance();
    case 4:
        return one_in(2)   ? UINT64_C(0x2000000000000000) + below(40)
               : one_in(2) ? 0x100000000
                           : 0xffffffff;
    case 5:  // near a page's end
        return (uint64_t)data + 0x1000 * (1 + below(DATA_PAGES)) - below(40);
    case 6:
        return (uint64_t)data + 0x1000 * below(DATA_PAGES);
    case 7:
        return capture_s + 8 * below(ABOVE / 8);
    case 8:
        return (uint64_t)stack + STACK_BYTES - below(600);
    case 9:
        return (uint64_t)data + below(DATA_ROOM);
    default:
        return places[below(4)] + (one_in(4) ? below(64) : 0);
    }
}

static void any_memory(void)
{
    if (path_round % 64 == 0) {
        for (uint32_t i = 0; i < DATA_PAGES; i++) {
            memcpy(data_alias + i * 0x1000, pool_bytes(0x1000), 0x1000);
        }
        for (uint32_t i = 0; i < 400; i++) {
            memset(data_alias + below(DATA_ROOM - 2), 0, 2);
        }
    }
    any_pages();
    for (int i = 0; i < 4; i++) {
        places[i] = (uint64_t)data + below(DATA_ROOM - 0x100);
        for (int k = 0; k < 16; k++) {
            uint64_t v = any_number();

            memcpy(seen(places[i] + 8u * (unsigned)k), &v, 8);
        }
    }
}

static uint8_t any_from(uint32_t index, uint32_t args, bool piece)
{
    if (one_in(40)) {
        return (uint8_t)chance();
    }
    return (uint8_t)(piece && index > 0 ? CAPTURE_PIECE + below(index)
                                        : below(args));
}

static struct capture_size any_size(uint32_t index, uint32_t args)
{
    static const uint32_t scales[] = { 1, 1, 2, 8, 16, 48 };
    struct capture_size z = { 0 };

    z.unit = (uint8_t)(one_in(40) ? chance() : below(CAPTURE_ZERO_ENDED + 1));
    z.from = any_from(index, args,
                      z.unit >= CAPTURE_FIELD16 && z.unit <= CAPTURE_FIELD64);
    z.offset = (uint16_t)(one_in(40) ? chance() : 2 * below(64));
    z.scale = one_in(40)                     ? (uint32_t)chance()
              : z.unit == CAPTURE_ZERO_ENDED ? 1 + below(2)
                                             : scales[below(6)];
    return z;
}

static struct capture_op any_op(const struct half *h, uint32_t index)
{
    static const uint32_t mosts[] = { 8, 16, 100, 600, 5000 };
    uint32_t args = 4 + RECORD_MORE_MAX;
    struct capture_op o = { 0 };
    bool piece = one_in(2);

    o.when = (uint8_t)(one_in(40)  ? chance()
                       : one_in(2) ? CAPTURE_ALWAYS
                                   : below(CAPTURE_COMPLETED + 1));
    o.base = any_from(index, args, piece);
    o.offset = (uint16_t)(one_in(40) ? chance() : 8 * below(piece ? 12 : 4));
    o.test = (uint8_t)(one_in(4) ? below(4) : 0);
    o.test_from = any_from(index, args, o.test == 2);
    o.test_offset = (uint16_t)(4 * below(16));
    o.test_value = o.test == 1 && o.test_from < h->count && one_in(2)
                       ? (uint32_t)h->args[o.test_from]
                       : below(300);
    o.size = any_size(index, args);
    o.limit = any_size(index, args);
    if (o.test == CAPTURE_EACH) {
        o.base = any_from(index, args, true);
        o.offset = (uint16_t)(8 * below(3));
        o.test_value = one_in(8) ? below(12) : 8 + 8 * below(4);
        if (one_in(3)) {
            o.size.from = o.base;
        }
    }
    if (one_in(2)) {
        o.limit.unit = CAPTURE_NO_LIMIT;
    }
    o.most = path_round % 64 == 1 ? (uint32_t)chance() : mosts[below(5)];
    if (path_round % 8 == 3) {
        /* Many large pieces. */
        o.when = CAPTURE_ALWAYS;
        o.base = (uint8_t)below(args);
        o.test = 0;
        o.size = (struct capture_size){ CAPTURE_ONE, 0, 0, 700 };
        o.limit.unit = CAPTURE_NO_LIMIT;
        o.most = 700;
    }
    return o;
}

/* Puts a program into the section, tells the row, and leaves a copy in
 * `program`; with 0 operations where the agent finds none. */
static void any_program(const struct half *h, struct call_row *row,
                        uint32_t room_of_its_own)
{
    uint32_t count = one_in(8) ? CAPTURE_OPS_MAX : 1 + below(12);
    uint32_t at = SECTION_PROGRAMS + 0x1000 * room_of_its_own + 8 * below(0x80);
    bool none = false;

    memset(&program, 0, sizeof(program));
    program.p.entry_count = (uint8_t)below(count + 1);
    program.p.return_count = (uint8_t)(count - program.p.entry_count);
    program.p.result = (uint8_t)(one_in(40) ? chance() : below(4));
    program.p.stack = one_in(3) ? (uint16_t)below(200) : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t e = program.p.entry_count;

        program.p.ops[i] = any_op(h, i < e ? i : i - e);
    }
    switch (below(room_of_its_own != 0 ? 1 : 24)) {
    case 0:  // garbage
        if (room_of_its_own != 0 && !one_in(24)) {
            break;
        }
        memcpy(&program, pool_bytes(sizeof(program)), sizeof(program));
        if (one_in(2)) {
            program.p.entry_count &= 31;
            program.p.return_count &= 31;
        }
        /* Calls that may be pending: path_pending. */
        program.p.block = 0;
        program.p.notes = 0;
        program.p.stack %= 200; /* more than the ring: path_full's */
        none = program.p.entry_count + program.p.return_count > CAPTURE_OPS_MAX;
        break;
    case 1:  // at the very end, or over it
        at = SECTION_TAMPER -
             (uint32_t)(sizeof(program.p) + count * sizeof(struct capture_op));
        if (one_in(2)) {
            at += 8;
            none = true;
        }
        break;
    case 2:  // before the programs, behind them, or anywhere
        at = one_in(3)   ? SECTION_ROWS + 8u * row->number
             : one_in(2) ? SECTION_RINGS + 8 * below(0x1000)
                         : (uint32_t)chance() | 0x80000001;
        none = true;
        break;
    case 3:
        at += 1 + below(7);
        none = true;
        break;
    default:
        break;
    }
    row->program = at;
    rows[row->number] = *row;
    if (at >= SECTION_PROGRAMS && at < SECTION_TAMPER) {
        size_t room = SECTION_TAMPER - at;

        memcpy(programs + (at - SECTION_PROGRAMS), &program,
               room < sizeof(program) ? room : sizeof(program));
    }
    if (none) {
        memset(&program, 0, sizeof(program));
    }
}

/* A call whose row has a program. */
struct captured {
    const struct fake_stub *k;
    struct call_row row;
    struct half h;  // of the entry
    uint64_t s;
    uint64_t base;     // gs:[8]
    struct mapping m;  // with ROW_MAPS
};

static void collect_from_here(const struct captured *c, bool at_return)
{
    got_count = 0;
    stack_got = 0;
    got_at = ring->head;
    got_time = 0;
    got_last = NULL;
    got_number = (uint16_t)c->k->number;
    got_flags = at_return ? RECORD_AT_RETURN : 0;
    capture_s = c->s;
    kernel_asks_once = true;
    kernel_asks_again = program.p.stack > 0;
    kernel_waits = collect;
    kernel_wait = collect_none ? WAIT_TRACER_GONE : WAIT_EMPTIES;
    kernel_timeouts = below(2);
}

static void collect_all(void)
{
    collect();
    kernel_waits = NULL;
    kernel_asks_once = false;
    kernel_timeouts = 0;
}

static uint64_t any_result(void)
{
    static const uint64_t results[] = { 0,          0x103,      0x80000005,
                                        0x80000006, 0xc0000004, 0xc0000023,
                                        0xc0000005, 1ull << 32, 7 };

    return one_in(8) ? chance() : results[below(9)];
}

/* A program and arguments for the call at `s`, and the stack so. */
static struct captured any_captured(uint64_t s, uint8_t flags,
                                    uint32_t room_of_its_own)
{
    struct captured c = { .k = any_stub(), .s = s };
    uint8_t more = (uint8_t)below(RECORD_MORE_MAX + 1);

    capture_s = s;
    c.row = row_for(c.k, more, flags);
    c.h.count = 4u + more;
    for (uint32_t i = 0; i < c.h.count; i++) {
        c.h.args[i] = any_number();
    }
    any_program(&c.h, &c.row, room_of_its_own);
    return c;
}

/* How much stack the TEB says is left; no program is run with next to none,
 * nor near the end of RSP's page on a stack that the TEB does not know. (Where
 * nothing may be waited for asleep is path_cramped's.) */
static void any_stack_end(void)
{
    set_stack_end(one_in(2)   ? (uint64_t)stack
                  : one_in(2) ? capture_s - 0x4000 + 8 * below(3) - 8
                  : one_in(2) ? capture_s - 0x2000 - below(0x3000)
                              : chance());
    if (!one_in(4)) {
        set_stack_end(one_in(2) ? 0 : capture_s + 8 * (1 + below(0x100)));
    }
}

/* The call itself, up to where it is to be seen what came of it. */
static void go_in_captured(struct captured *c)
{
    uint32_t stack_args = c->h.count - 4;

    go_in(c->k, c->s);
    prop_in.rcx = c->h.args[0];
    prop_in.rdx = c->h.args[1];
    prop_in.r8 = c->h.args[2];
    prop_in.r9 = c->h.args[3];
    for (uint32_t i = 0; i < stack_args; i++) {
        stack_put(c->s, 0x28 + 8 * i, c->h.args[4 + i]);
    }
    set_stack_words(c->base, (uint64_t)stack);
    capture_s = c->s;
    any_stack_end();
    expect_pieces(&c->h);
    collect_from_here(c, false);
    run();
    collect_all();
}

static struct call_row kept_row(const struct captured *c)
{
    struct call_row row = c->row;

    if (program.p.return_count == 0) {
        row.flags &= (uint8_t)~ROW_CAPTURES;
    }
    return row;
}

static void enter_captured(struct captured *c)
{
    uint8_t more = (uint8_t)(c->h.count - 4);
    const struct record_entry *r;

    go_in_captured(c);
    captures = true;
    check_in(c->k, c->s, false);
    captures = false;
    check_pieces();
    check_got_stack();
    r = (const struct record_entry *)(const void *)got_last;
    if (r == NULL) {
        bad("no entry");
        return;
    }
    same("record kind", r->head.kind, RECORD_ENTRY);
    same("record size", r->head.size, ENTRY_SIZE + 8u * more);
    same("record flags", r->head.flags, more);
    same("record number", r->head.number, c->k->number);
    if (r->head.time < got_time || r->head.time > time_after) {
        bad("the entry is older than its data");
    }
    check_entry(r, c->s, more);
    check_ring(false);
    check_lost(RING_LOST_COUNT, 0);
    if (c->row.flags & ROW_ENDS_ITSELF) {
        check_open(0, 0, 0);
    } else {
        check_open(c->s, c->k->at, row_word(kept_row(c)));
    }
}

/* The program of the call goes where the view is, or is said to be. */
static bool follows(const struct mapping *m)
{
    for (uint32_t i = 0; i < piece_count; i++) {
        if (pieces[i].address == m->base ||
            pieces[i].address - REGIONS_AT < regions_bytes) {
            return true;
        }
    }
    /* Those of the elements of arrays are here alone. */
    for (uint32_t i = 0; i < wanted_count; i++) {
        if (wanted[i].address == m->base ||
            wanted[i].address - REGIONS_AT < regions_bytes) {
            return true;
        }
    }
    return false;
}

static void leave_captured(const struct captured *c)
{
    struct half h = c->h;
    const struct record_return *r;
    uint64_t rip = after_syscall(c->k);
    uint64_t was_time;
    bool waits = false;

    go_back(rip, c->s, 0);
    prop_in.rax = h.rax = any_result();
    h.at_return = true;
    set_stack_words(c->base, (uint64_t)stack);
    capture_s = c->s;
    any_stack_end();
    put_word(c->s, c->m.pointer, c->m.base);
    expect_pieces(&h);
    collect_from_here(c, true);
    if (c->row.flags & ROW_MAPS) {
        bool apart = !follows(&c->m);

        if (!apart) {
            /* Its questions are not to be told from looks: there are none. */
            prop_in.rax = h.rax = 0xc0000005;
            expect_pieces(&h);
        }
        expect_nothing();
        waits = expect_look(&c->m, c->row.flags, c->s, h.rax);
        kernel_looks = apart;
        kernel_wait = WAIT_AS_ASKED;
    }
    run();
    collect_all();
    if (c->row.flags & ROW_MAPS) {
        check_look(&c->m);
    }
    /* Without operations for the return it is fast, where there is room. */
    captures = true;
    check_back(AT_RETURN, c->s, false);
    captures = false;
    check_pieces();
    r = (const struct record_return *)(const void *)got_last;
    if (r == NULL) {
        bad("no return");
        return;
    }
    was_time = got_count > 0 ? got_time : r->head.time;
    same("record kind", r->head.kind, RECORD_RETURN);
    same("record size", r->head.size, RETURN_SIZE);
    same("record flags", r->head.flags, waits ? RECORD_WAITS : 0);
    same("data's time", was_time, r->head.time);
    check_return(r, rip, c->s);
    check_ring(false);
    check_lost(RING_LOST_COUNT, 0);
}

/* The reader is any amount behind. */
static void ring_behind(void)
{
    uint32_t room;

    ring_fresh();
    if (one_in(4)) {
        ring->head = (ring->head & ~(RING_BYTES - 1)) - 8 * below(800);
    }
    ring->tail = ring->head - 8 * below(RING_BYTES / 8 + 1);
    room = RING_BYTES - (ring->head - ring->tail);
    if (room > ring_to_end(ring->head)) {
        room = ring_to_end(ring->head);
    }
    ring->limit = ring->head + (one_in(2) ? room : 0);
    if (one_in(2)) {
        ring->stack_low = (uint64_t)stack;
        ring->stack_high = (uint64_t)stack + STACK_BYTES;
    }
}

static uint64_t any_base(void)
{
    return one_in(2) ? (uint64_t)stack + STACK_BYTES : chance();
}

/* Nothing else is open. */
static void path_capture(void)
{
    uint8_t flags = (uint8_t)(ROW_CAPTURES | (one_in(8)   ? ROW_ENDS_ITSELF
                                              : one_in(4) ? ROW_MAPS
                                                          : 0));
    uint64_t s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
    /* Of the first open calls; behind the scratch page. */
    uint8_t *args = (uint8_t *)ring + RING_ARGS;
    uint8_t was[0x400];
    struct captured c;

    ring_behind();
    capture_s = s;
    any_memory();
    c = any_captured(s, flags, 0);
    c.base = any_base();
    if (flags & ROW_MAPS) {
        c.m = any_mapping(s);
        c.h.args[1] = c.m.process;
        c.h.args[2] = c.m.pointer;
    }
    memcpy(args, pool_bytes(0x400), 0x400);
    memcpy(was, args, 0x400);
    kernel_anywhere = (flags & ROW_MAPS) != 0;
    enter_captured(&c);
    kernel_anywhere = false;
    if ((flags & ROW_ENDS_ITSELF) == 0) {
        leave_captured(&c);
        check_open(0, 0, 0);
    }
    if (memcmp(args, was, 0x400) != 0) {
        bad("written behind what is kept");
    }
}

/* --lossy, or a tracer that is gone: what finds no room is not there. */
static void path_capture_lost(void)
{
    uint64_t s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
    bool gone = one_in(4);
    struct captured c;
    uint32_t lost;

    ring_behind();
    capture_s = s;
    any_memory();
    c = any_captured(s, ROW_CAPTURES, 0);
    c.base = any_base();
    section->flags = gone ? 0 : SECTION_LOSSY;
    collect_none = gone;
    go_in_captured(&c);
    collect_none = false;
    captures = true;
    check_in(c.k, s, false);
    captures = false;
    if (ring->lost_data == ring_was.lost_data) {
        /* (A piece that is lost changes what comes of the others.) */
        check_pieces();
    }
    /* The entry alone counts as a record; pieces are counted apart. */
    lost = got_last == NULL;
    check_lost(gone ? RING_LOST_NO_TRACER : RING_LOST_FULL, lost);
    check_ring(false);
    check_open(s, c.k->at, row_word(kept_row(&c)));
    section->flags = 0;
    section->dead = 0;
    ring->open_rsp = 0;
}

/* Several calls open, on two stacks: each return has its own arguments. */
static void path_capture_open(void)
{
    struct captured c[4];
    static uint8_t was[4][sizeof(program)];
    uint64_t bases[2] = { chance(), chance() };
    uint64_t s = (uint64_t)stack + 0x8000;
    int depth = 2 + (int)below(3);
    bool back[4] = { 0 };

    ring_fresh();
    capture_s = s;
    any_memory();
    for (int i = 0; i < depth; i++) {
        /* On the page below, with its arguments. */
        s = ((s - 0x1000) & ~0xfffull) +
            below(0x1000 - 0x28 - 8 * RECORD_MORE_MAX);
        c[i] = any_captured(s, ROW_CAPTURES, 1 + (uint32_t)i);
        c[i].base = bases[below(2)];
        enter_captured(&c[i]);
        memcpy(was[i], &program, sizeof(program));
    }
    same("open below", ring->open_count, (unsigned)depth - 1);
    for (int n = 0; n < depth; n++) {
        int i = (int)below((uint32_t)depth);

        if (back[i]) {
            continue;
        }
        memcpy(&program, was[i], sizeof(program));
        leave_captured(&c[i]);
        /* What was open below it on its stack will not come back. */
        for (int k = i; k < depth; k++) {
            back[k] = back[k] || k == i || c[k].base == c[i].base;
        }
    }
    ring->open_count = 0;
    ring->open_rsp = 0;
}

/* --- waits that end by time --- */

/* What wait.c promises. */
#define SPIN_MS 2000u
#define ANSWER_MS 300000u
#define ROOM_MS 300000u
#define AWAKE_MS 100u
#define CRAMPED_MS 2000u

/* A wait may take longer for want of a CPU, but not each of so many. */
#define SAMPLES 20
#define SLACK 60000 /* TSC */

static struct waited {
    unsigned count;
    uint64_t least;  // more than it was to take
} waited[4];

/* A wait of `kind` that ended by time took so long; it was to take `ms`. */
static void check_waited(int kind, uint64_t took, uint64_t ms)
{
    struct waited *w = &waited[kind];
    uint64_t bound = ms * config->tsc_per_ms;

    if (took < bound) {
        bad("waited %llu, not %llu", (unsigned long long)took,
            (unsigned long long)bound);
    }
    if (w->count == 0 || took - bound < w->least) {
        w->least = took - bound;
    }
    w->count++;
}

/* At the end of a path. */
static void check_waits(void)
{
    for (int i = 0; i < 4; i++) {
        const struct waited *w = &waited[i];

        if (w->count >= SAMPLES && w->least > SLACK) {
            bad("waited %llu too long at least", (unsigned long long)w->least);
        }
    }
}

/* How a wait for an answer ends. */
enum wait_end {
    END_NEVER,       // by time
    END_SCRIBBLED,   // by time, over words that mean nothing
    END_ASKED,       // answered, while something else stands in `ask`
    END_STANDS,      // what stands there is answered
    END_GONE,        // the tracer is
    END_DEAD,        // ... as another thread found out
    END_TAKEN_BACK,  // the ring is
    END_COUNT,
    END_CALLBACK = END_COUNT  // the callback is the program's
};

static enum wait_end wait_end;
static uint32_t wait_turns;     // until then
static uint64_t wait_first_at;  // when it was first asleep
static uint64_t wait_end_at;    // when that came

/* Random, but `not`. */
static uint32_t other_than(uint32_t not )
{
    uint32_t v = (uint32_t)chance();

    return v == not ? v + 1 : v;
}

static void end_wait(void)
{
    uint32_t asked = ring_was.ask + 1;

    if (wait_first_at == 0) {
        wait_first_at = tsc();
    }
    if (wait_turns > 0) {
        wait_turns--;
        return;
    }
    wait_end_at = wait_end_at == 0 ? tsc() : wait_end_at;
    switch (wait_end) {
    case END_NEVER:
        break;
    case END_SCRIBBLED:
        ring->ask = (uint32_t)chance();
        ring->answer = other_than(asked);
        if (ring->answer == ring->ask) {
            ring->ask = asked;
        }
        ring->head = (uint32_t)chance();
        ring->tail = one_in(2) ? ring->head : (uint32_t)chance();
        ring->chore = (uint32_t)chance();
        break;
    case END_ASKED:
        ring->answer = asked;
        ring->ask = (uint32_t)chance();
        break;
    case END_STANDS:
        ring->ask = (uint32_t)chance();
        ring->answer = ring->ask;
        break;
    case END_GONE:
        kernel_wait = WAIT_TRACER_GONE;
        break;
    case END_DEAD:
        section->dead = 1;
        break;
    case END_TAKEN_BACK:
        states[0] = RING_FREE;
        break;
    case END_CALLBACK:
        section->callback_owner = CALLBACK_PROGRAMS;
        break;
    }
}

/* Nobody answers, or not as it should be. */
static void path_no_answer(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint32_t size;
    bool spins;
    bool timed;

    warm();
    wait_end = (enum wait_end)(one_in(2) ? below(2) : below(END_COUNT));
    timed = wait_end == END_NEVER || wait_end == END_SCRIBBLED;
    spins = one_in(2) && (timed || wait_end == END_DEAD);
    size = spins ? RETURN_SIZE : ENTRY_SIZE;
    if (ring_to_end(ring->head) < 0x400) {
        ring->head -= 0x1000;
        ring_drain();
    }
    ring->answer = ring->ask;
    ring->chore = CHORE_NONE;
    section->dead = spins && wait_end == END_DEAD;
    section->flags = spins ? SECTION_ASK_ORPHANS : 0;
    /* Of the long wait a tenth is enough; the short one is to be longer than
     * what else there is to do. */
    config_set(!timed ? TSC_PER_MS : spins && one_in(4) ? 10 : 1, on_wine);
    kernel_wait = WAIT_NOTHING;
    wait_turns = below(3);
    wait_first_at = 0;
    wait_end_at = 0;
    kernel_waits = end_wait;
    if (spins) {
        go_back(prop_places[AT_ELSEWHERE], s, size);
    } else {
        row_for(k, 0, ROW_SLOW_ENTRY);
        go_in(k, s);
        expect_record(size);
    }
    run();
    kernel_waits = NULL;
    if (wait_end == END_SCRIBBLED) {
        ring->head = ring_was.head + size;
        ring_drain();
        ring->limit = ring->head;
    }
    if (spins) {
        check_back(AT_ELSEWHERE, s, false);
        check_record(size, RECORD_RETURN, RECORD_ORPHAN | RECORD_WAITS, 0);
    } else {
        check_in(k, s, false);
        check_record(size, RECORD_ENTRY, RECORD_WAITS, (uint16_t)k->number);
    }
    check_ring(false);
    check_lost(RING_LOST_COUNT, 0);
    if (timed) {
        check_waited(0, time_after - time_before, ANSWER_MS);
        if (spins && wait_first_at != 0) {
            check_waited(1, wait_first_at - time_before, SPIN_MS);
        }
    } else if (spins) {
        same("calls of a dead tracer's thread", kernel_calls_sum(), 0);
    } else if (wait_turns != 0 || wait_end_at == 0) {
        bad("it ended too early");
    } else {
        same("dead", section->dead,
             wait_end == END_GONE || wait_end == END_DEAD);
    }
    ring_fresh();
    config_set(TSC_PER_MS, on_wine);
}

/* The reader takes nothing: the thread goes on in the end, and does not wait
 * again before it has. */
static void path_no_room(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    struct call_row row = row_for(k, 0, 0);
    bool scribbled = one_in(4);
    bool taken = one_in(4);

    ring_fresh();
    ring->tail =
        ring->head - RING_BYTES - (scribbled ? 8 + 8 * below(1000) : 0);
    ring->limit = ring->head;
    if (taken) {
        section->callback_owner = CALLBACK_PROGRAMS;
    }
    config_set(taken ? 1000 : 1, on_wine);
    kernel_wait = WAIT_NOTHING;
    kernel_waiting = RING_WAITS_ROOM;
    enter(k, s, row, (struct wish){ .lost = true });
    check_lost(RING_LOST_NO_TRACER, 1);
    check_waited(taken ? 1 : 0, time_after - time_before,
                 taken ? AWAKE_MS : ROOM_MS);
    same("head", ring->head, ring_was.head);
    same("given up", ring->given_up, 1);
    same("waiting", ring->waiting, RING_RUNS);
    same("dead", section->dead, 0);
    ring->open_rsp = 0;

    config_set(TSC_PER_MS, on_wine);
    enter(k, s, row, (struct wish){ .lost = true });
    check_lost(RING_LOST_NO_TRACER, 1);
    same("waits", kernel_calls[PRIVATE_NtWaitForMultipleObjects], 0);
    same("given up", ring->given_up, 1);
    ring->open_rsp = 0;
    kernel_waiting = RING_RUNS;

    ring->tail = ring->head - RING_BYTES + ENTRY_SIZE + 8 * below(0x100);
    if (ring_to_end(ring->head) < ENTRY_SIZE) {
        ring_drain();
    }
    enter(k, s, row, (struct wish){ 0 });
    check_lost(RING_LOST_COUNT, 0);
    ring_fresh();
}

/* Next to the end of a stack, as after a stack overflow: the reader is not
 * woken, and room is waited for without a call; somebody makes it, or nobody
 * does. That a signal comes and makes it, and no second thread, is because the
 * one that waits does not give way to anybody. */
static volatile sig_atomic_t room_wanted;

static void room_maker(int signal)
{
    clear_ac();
    (void)signal;
    atomic_store_explicit(&ring->tail, ring->head - RING_BYTES / 4,
                          memory_order_release);
    room_wanted = false;
}

static void want_room(void)
{
    const struct itimerval soon = { .it_value.tv_usec = 10 + below(30) };

    room_wanted = true;
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void path_cramped(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint32_t kind = below(3);  // an entry, a return, an exception
    bool full = one_in(2);
    bool never = full && one_in(2);
    bool asleep = one_in(2);
    struct wish w = { .lost = never };

    ring_fresh();
    if (ring_to_end(ring->head) < 0x100) {
        ring->head += 0x100;
    }
    ring->tail = ring->head - (full ? RING_BYTES : RING_BYTES - 0x400);
    ring->limit = ring->head;
    section->reader_asleep = asleep;
    if (never) {
        config_set(10, on_wine);
    }
    set_stack_end(s - below(0x2000));
    if (full && !never) {
        want_room();
    }
    switch (kind) {
    case 0:
        enter(k, s, row_for(k, 0, 0), w);
        break;
    case 1:
        w.flags = RECORD_ORPHAN;
        leave(after_syscall(k), AT_RETURN, s, w);
        break;
    default: {
        const struct transition_row *row =
            &config->transition[TRANSITION_EXCEPTION];

        go_back(row->rip, s, never ? 0 : RETURN_SIZE + 8u * row->count);
        run();
        check_back(AT_DOOR + TRANSITION_EXCEPTION, s, false);
        break;
    }
    }
    while (room_wanted) {
    }
    check_lost(never ? RING_LOST_NO_TRACER : RING_LOST_COUNT, never);
    if (never) {
        check_waited(0, time_after - time_before, CRAMPED_MS);
        same("given up", ring->given_up, 0);
    }
    same("system calls", kernel_calls_sum(), 0);
    same("reader asleep", section->reader_asleep, asleep);
    section->reader_asleep = 0;
    config_set(TSC_PER_MS, on_wine);
    ring_fresh();
}

/* Somebody has written over the ring's words: what comes of it stays in the
 * ring, and ends. (Not over what tells that the agent is at work, or that the
 * thread's stack can be read: those are the program's to lose. Nor while it
 * has its own accesses checked for alignment: records are where they were
 * put.) */
static void path_scribbled(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint8_t flags = one_in(2) ? 0 : ROW_SLOW_ENTRY;
    uint8_t *behind = (uint8_t *)ring + STRIDE;
    struct ring_args *args =
        (struct ring_args *)(void *)((uint8_t *)ring + RING_ARGS) +
        RING_ARGS_NEWEST;
    struct mapping m = any_mapping(s);
    uint8_t was[0x200];

    ring_fresh();
    if (one_in(2)) {
        ring->head = (uint32_t)chance();
    }
    if (one_in(2)) {
        ring->head = (ring->head | (RING_BYTES - 1)) - below(0x100);
    }
    ring->limit = ring->head + (one_in(2) ? below(0x1000) : (uint32_t)chance());
    ring->tail = one_in(2) ? ring->head : (uint32_t)chance();
    ring->open_rsp = one_in(4) ? s : one_in(2) ? chance() : 0;
    ring->open_stub = one_in(2) ? k->at : chance();
    ring->open_row = chance() & ~((uint64_t)ROW_CAPTURES << 8);
    ring->open_stack_base = chance();
    ring->open_count = one_in(2) ? (uint32_t)chance() : below(40);
    ring->open_missed = (uint32_t)chance();
    ring->waiting = (uint32_t)chance();
    ring->ask = (uint32_t)chance();
    ring->answer = one_in(2) ? (uint32_t)chance() : ring->ask + below(2);
    ring->chore = one_in(2) ? (uint32_t)chance() : 0;
    ring->quiet = below(2);
    ring->disturbed = (uint32_t)chance();
    ring->given_up = below(2);
    section->reader_asleep = (uint32_t)chance();
    section->flags = one_in(2) ? SECTION_ASK_ORPHANS : 0;
    memcpy(behind, pool_bytes(sizeof(was)), sizeof(was));
    memcpy(was, behind, sizeof(was));
    args->count = below(2 * STRIDE / 8);
    args->words[0] = chance();
    args->words[1] = one_in(2) ? UINT64_MAX : chance();
    args->words[2] = m.pointer;
    kernel_wait = WAIT_NOTHING;
    config_set(1, on_wine);
    if (one_in(2)) {
        row_for(k, 0, flags);
        go_in(k, s);
        prop_in.flags &= ~(uint64_t)FLAGS_AC;
        run();
        check_in(k, s, false);
    } else {
        go_back(after_syscall(k), s, 0);
        prop_in.flags &= ~(uint64_t)FLAGS_AC;
        put_word(s, m.pointer, m.base);
        expect_look(&m, 0, s, 0);
        look_anywhere = true;
        run();
        look_anywhere = false;
        kernel_looks = false;
        kernel_anywhere = false;
        check_back(AT_RETURN, s, false);
    }
    same("inside", ring->inside, 0);
    /* (To look at a view is not to wait.) */
    if (kernel_calls_sum() > kernel_calls[PRIVATE_NtQueryVirtualMemory] +
                                 kernel_calls[PRIVATE_NtReadVirtualMemory]) {
        same("waiting", ring->waiting, RING_RUNS);
    }
    if (memcmp(behind, was, sizeof(was)) != 0) {
        bad("the next ring was written to");
    }
    memset(behind, 0, sizeof(was));
    section->reader_asleep = 0;
    ring_fresh();
    ring->open_count = 0;
    config_set(TSC_PER_MS, on_wine);
}

/* --- calls that are pending --- */

static struct pending *pending_places(void)
{
    return (struct pending *)(void *)((uint8_t *)section + SECTION_PENDING);
}

/* COMPLETION records that came, and those that must. */
static struct record_completion ended[PENDING_MAX + 1];
static uint32_t ended_count;
static const uint8_t *pending_return;  // the RETURN, or ENTRY
static uint8_t pending_kind;           // of that
static uint32_t pending_data;          // pieces of DATA since the last of them

/* What the call at a place has filled goes before its end, from where it says,
 * and no more. */
static void pending_got_data(const struct record_data *r)
{
    got_number = r->head.number;
    got_flags = r->head.flags;
    got_data(r);
    if (got_flags == RECORD_AT_COMPLETION) {
        pending_data += r->length;
    } else {
        same("data flags", got_flags,
             pending_kind == RECORD_RETURN ? RECORD_AT_RETURN : 0);
    }
}

static void pending_got_end(const struct record_completion *r)
{
    const struct pending *p = pending_places();
    bool known = false;
    uint64_t most = 0;

    same("completion size", r->head.size, COMPLETION_SIZE);
    same("completion rsp", r->rsp, capture_s);
    for (uint32_t i = 0; i < PENDING_MAX; i++) {
        if (p[i].block == r->block && p[i].began == r->began &&
            p[i].tid == r->tid && p[i].number == r->head.number) {
            known = true;
            for (uint32_t k = 0; k < p[i].count && k < PENDING_PIECES; k++) {
                most += p[i].piece[k].size;
            }
        }
    }
    if (!known) {
        bad("the end of a call at %#llx that was not pending",
            (unsigned long long)r->block);
    }
    if (pending_data > most || (pending_data > 0 && r->status >= 0x80000000 &&
                                r->status != 0x80000005)) {
        bad("%u bytes of it", pending_data);
    }
    pending_data = 0;
    if (ended_count <= PENDING_MAX) {
        ended[ended_count++] = *r;
    }
}

static void pending_collect(void)
{
    while (got_at != ring->head) {
        uint8_t *at = ring_byte(got_at);
        struct record_head h = { 0 };

        memcpy(&h, at, ring_to_end(got_at) < sizeof(h) ? 8 : sizeof(h));
        if (h.size < 8 || h.size % 8 != 0 || h.size > ring->head - got_at ||
            h.size > ring_to_end(got_at)) {
            bad("a record of %u bytes, kind %u", h.size, h.kind);
            got_at = ring->head;
            return;
        }
        got_at += h.size;
        if (h.kind == RECORD_DATA) {
            pending_got_data((const struct record_data *)(const void *)at);
        } else if (h.kind == RECORD_COMPLETION) {
            pending_got_end((const struct record_completion *)(const void *)at);
        } else if (h.kind != RECORD_PAD && pending_return == NULL) {
            pending_return = at;
            same("record kind", h.kind, pending_kind);
        } else if (h.kind != RECORD_PAD) {
            bad("a record of kind %u", h.kind);
        }
    }
}

/* Somebody has written any words into the table; and calls that are pending,
 * or over. */
static void any_pending(void)
{
    struct pending *p = pending_places();

    memcpy(p, pool_bytes(PENDING_MAX * sizeof(*p)), PENDING_MAX * sizeof(*p));
    for (uint32_t i = 0; i < PENDING_MAX; i++) {
        uint32_t status = one_in(2)   ? 0x103
                          : one_in(2) ? 0
                                      : (uint32_t)any_result();

        if (one_in(8)) {
            continue;
        }
        p[i].block = any_number();
        p[i].count = (uint16_t)(one_in(8) ? chance() : below(6));
        /* And one that does not count; the others are any words. */
        for (uint32_t k = 0; k <= p[i].count && k < PENDING_PIECES; k++) {
            p[i].piece[k].address = any_number();
            p[i].piece[k].size = one_in(8) ? (uint32_t)chance() : below(600);
            p[i].piece[k].limited = (uint16_t)below(2);
        }
        if (p[i].block - (uint64_t)data < DATA_ROOM - 16 && !one_in(4)) {
            uint64_t information = any_number();

            memcpy(seen(p[i].block), &status, 4);
            memcpy(seen(p[i].block + 8), &information, 8);
        }
    }
}

/* The call at place `i` is over, by what its block says now; *gone: there is
 * no block. */
static bool is_over(uint32_t i, bool *gone)
{
    uint64_t block = pending_places()[i].block;
    uint64_t status, information;

    *gone =
        !number_at(block, 4, &status) ||
        ((uint32_t)status != 0x103 && !number_at(block + 8, 8, &information));
    return !*gone && (uint32_t)status != 0x103;
}

/* One half of a call, which leaves a record of that kind. */
static void pending_begin(uint8_t kind)
{
    pending_kind = kind;
    ended_count = 0;
    pending_return = NULL;
    pending_data = 0;
    got_count = 0;
    got_at = ring->head;
    got_time = 0;
    kernel_asks_once = true;
    kernel_anywhere = true;
    kernel_waits = pending_collect;
    kernel_wait = WAIT_EMPTIES;
    kernel_timeouts = below(2);
}

static void pending_end(void)
{
    pending_collect();
    kernel_asks_once = false;
    kernel_anywhere = false;
    kernel_waits = NULL;
    kernel_timeouts = 0;
    if (pending_return == NULL) {
        bad("no record of kind %u", pending_kind);
    }
    same("data of none", pending_data, 0);
}

/* The program of `c` is one of a call that may be pending, `i` its block. */
static void may_be_pending(struct captured *c, uint32_t i)
{
    uint32_t status = one_in(4) ? (uint32_t)chance() : 0x103;

    program.p.block = (uint8_t)(i + 1);
    program.p.notes = !one_in(4);
    program.p.signals = (uint8_t)below(i + 1);
    program.p.stack = 0; /* what is copied of it is path_capture's */
    program.p.result = CAPTURE_RESULT_STATUS;
    memcpy(programs + (c->row.program - SECTION_PROGRAMS), &program.p,
           sizeof(program.p));
    c->h.args[i] = (uint64_t)data + below(DATA_ROOM - 16);
    if (one_in(2)) {
        c->h.args[i] = pending_places()[below(PENDING_MAX)].block;
    }
    if (c->h.args[i] - (uint64_t)data < DATA_ROOM - 16) {
        memcpy(seen(c->h.args[i]), &status, 4);
    }
}

/* A call returns STATUS_PENDING: at most one more is noted, as it is; what
 * stands in the table does not matter. */
static void path_noted(void)
{
    uint64_t s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
    uint64_t live = one_in(4) ? chance() : chance() & chance() & chance();
    uint64_t base = any_base();
    uint64_t more;
    struct captured c;
    uint32_t i;

    ring_fresh();
    capture_s = s;
    any_memory();
    any_pending();
    /* With a place of its own, a program that can be run. */
    c = any_captured(s, ROW_CAPTURES, 1);
    i = below(c.h.count);
    if (program.p.entry_count + program.p.return_count == 0) {
        return;
    }
    may_be_pending(&c, i);
    section->pending_live = live;
    section->pending_used = live | (one_in(2) ? chance() : 0);
    go_in(c.k, s);
    prop_in.rcx = c.h.args[0];
    prop_in.rdx = c.h.args[1];
    prop_in.r8 = c.h.args[2];
    prop_in.r9 = c.h.args[3];
    for (uint32_t k = 4; k < c.h.count; k++) {
        stack_put(s, 0x28 + 8 * (k - 4), c.h.args[k]);
    }
    set_stack_words(base, (uint64_t)stack);
    any_stack_end();
    unclear = true;
    pending_begin(RECORD_ENTRY);
    run();
    pending_end();
    captures = true;
    check_in(c.k, s, false);
    if (section->pending_live & ~live) {
        bad("a call is pending that has not returned");
    }
    live = section->pending_live;
    go_back(after_syscall(c.k), s, 0);
    prop_in.rax = one_in(4) ? any_result() : 0x103;
    set_stack_words(base, (uint64_t)stack);
    any_stack_end();
    pending_begin(RECORD_RETURN);
    run();
    pending_end();
    /* Without anything to do at the return it is fast. */
    check_back(AT_RETURN, s, false);
    captures = false;
    more = section->pending_live & ~live;
    if (more & (more - 1) || (more && (uint32_t)prop_in.rax != 0x103)) {
        bad("calls that are pending now: %#llx", (unsigned long long)more);
    } else if (more && pending_return != NULL) {
        const struct pending *p =
            pending_places() + __builtin_ctzll((unsigned long long)more);
        const struct record_return *r = (const void *)pending_return;

        same("block", p->block, c.h.args[i]);
        same("its number", p->number, c.k->number);
        same("when it began", p->began, r->head.time);
        same("whose it is", p->tid, ring->tid);
        if (p->count > PENDING_PIECES) {
            bad("%u pieces", p->count);
        }
    }
    section->pending_live = 0;
    section->pending_used = 0;
    check_open(0, 0, 0);
}

/* A wait is over: whatever stands in the table, what is told is of calls in it
 * that are over, each once, with what can be read; the others stay. */
static void path_pending(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint64_t live = one_in(16) ? 0 : chance() & (one_in(2) ? chance() : ~0ull);
    uint64_t used = live | chance();
    uint64_t want_live = live, want_used = used;
    uint64_t base = any_base();
    uint32_t want = 0, e = 0;
    bool end_is_near;
    bool fits;
    bool gone;

    warm();
    capture_s = s;
    any_memory();
    any_pending();
    set_stack_words(base, 0);
    enter(k, s, row_for(k, 0, ROW_TELLS),
          (struct wish){ .fast = ring_has_room(ENTRY_SIZE) });
    fits = ring_has_room(RETURN_SIZE);
    go_back(after_syscall(k), s, 0);
    prop_in.rax = any_result();
    set_stack_words(base, 0);
    any_stack_end();
    section->pending_live = live;
    section->pending_used = used;
    end_is_near = stack_end <= s && s < stack_base ? s - stack_end < 0x4000
                                                   : s % 0x1000 < 0x800;
    for (uint32_t i = 0; i < PENDING_MAX && !end_is_near; i++) {
        if (live >> i & 1 && (is_over(i, &gone) || gone)) {
            want_live &= ~(1ull << i);
            want_used &= ~(1ull << i);
            want += !gone;
        }
    }
    unclear = false;
    pending_begin(RECORD_RETURN);
    run();
    pending_end();
    captures = true;
    check_back(AT_RETURN, s, fits && live == 0);
    captures = false;
    same("calls that are over", ended_count, want);
    for (uint32_t i = 0; i < PENDING_MAX && !end_is_near; i++) {
        if (live >> i & 1 && is_over(i, &gone) && e < ended_count) {
            same("which one", ended[e++].block, pending_places()[i].block);
        }
    }
    same("pending calls", section->pending_live, want_live);
    same("places in use", section->pending_used, want_used);
    section->pending_live = 0;
    section->pending_used = 0;
    check_open(0, 0, 0);
}

/* --- what memory was found to be --- */

static enum callback_owner heard;  // who hears of returns
static struct plain_range unseen;  // calls there are not seen to begin

/* A call of which `bytes` at `at`, on a page of `data`, are copied at its entry,
 * and which returns: how often the kernel must be asked for the region, how often
 * read from, and whether the bytes must be there. */
static void copy_of(uint64_t at, uint32_t bytes, unsigned queries,
                    unsigned reads, bool there)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_on_page(0x40);
    struct call_row row = row_for(k, 0, ROW_CAPTURES);
    bool fits;

    memset(&program, 0, sizeof(program));
    program.p.entry_count = 1;
    program.p.ops[0] =
        (struct capture_op){ .size = { CAPTURE_ONE, 0, 0, bytes },
                             .most = bytes };
    memcpy(programs, &program, sizeof(program));
    row.program = SECTION_PROGRAMS;
    rows[k->number] = row;
    warm();
    section->callback_owner = heard;
    section->plain[0] = unseen;
    go_in(k, s);
    prop_in.rcx = at;
    set_stack_words((uint64_t)stack + STACK_BYTES, (uint64_t)stack);
    set_stack_end((uint64_t)stack);
    got_count = 0;
    got_at = ring->head;
    got_time = 0;
    got_last = NULL;
    got_number = (uint16_t)k->number;
    got_flags = 0;
    capture_s = s;
    unclear = false;
    kernel_asks_once = true;
    kernel_anywhere = true;
    run();
    kernel_asks_once = false;
    kernel_anywhere = false;
    captures = true;
    check_in(k, s, false);
    captures = false;
    collect();
    same("queries", kernel_calls[PRIVATE_NtQueryVirtualMemory], queries);
    same("reads", kernel_calls[PRIVATE_NtReadVirtualMemory], reads);
    same("bytes copied", got_count > 0 ? got[0].length : 0, there ? bytes : 0);
    fits = ring_has_room(RETURN_SIZE);
    go_back(after_syscall(k), s, 0);
    run();
    check_back(AT_RETURN, s, fits);
}

/* A call that changes memory is entered, and another time returns. */
static void change_begins(const struct fake_stub *k, uint64_t s)
{
    struct call_row row = row_for(k, ROW_CHANGES, one_in(2) ? ROW_FILTERED : 0);

    rows[row.number] = row;
    warm();
    go_in(k, s);
    run();
    check_in(k, s, false);
}

static void something_returns(uint64_t rip, uint64_t place, uint64_t s)
{
    warm();
    go_back(rip, s, RETURN_SIZE);
    run();
    check_back(place, s, false);
}

/* How often anybody has written one down. */
static uint64_t regions_written(void)
{
    uint64_t turns = 0;

    for (int i = 0; i < REGIONS_KEPT; i++) {
        turns += own_page()->region[i].turn;
    }
    return turns;
}

static void regions_age(uint64_t ms, uint64_t turns)
{
    for (int i = 0; i < REGIONS_KEPT; i++) {
        own_page()->region[i].since -= ms * TSC_PER_MS;
        own_page()->region[i].turn += turns;
    }
}

/* What can have happened to a region that was found good to read. */
enum happens {
    HAPPENS_NOTHING,
    HAPPENS_CHANGE,     // a call that changes it
    HAPPENS_ELSEWHERE,  // ... on another thread, and is under way
    HAPPENS_ABANDONED,  // ... and never came back
    HAPPENS_ENDED,      // ... nor did its thread
    HAPPENS_INSIDE,     // ... made while the agent was at work there
    HAPPENS_BACK,       // ... and back from it
    HAPPENS_ORPHAN,     // a call that nobody saw begin
    HAPPENS_THREAD,     // a new one
    HAPPENS_TIME,       // nothing, for long
    HAPPENS_UNHEARD,    // the callback is gone
    HAPPENS_UNPATCHED,  // ntdll is as it was: calls are seen at their return
    HAPPENS_WRITING,    // somebody was ended while writing it down
    HAPPENS_SCRIBBLED,  // somebody wrote over it
    HAPPENS_UNSEEN,     // it has gone
    HAPPENS_COUNT
};

static void happen(enum happens what, const struct fake_stub *k, uint64_t s)
{
    switch (what) {
    case HAPPENS_CHANGE:
        change_begins(k, s);
        something_returns(after_syscall(k), AT_RETURN, s);
        break;
    case HAPPENS_ELSEWHERE:
        ring_use(1);
        change_begins(k, s);
        ring_use(0);
        break;
    case HAPPENS_ABANDONED:
        change_begins(k, s);
        if (one_in(2)) {
            ring->open_rsp = 0;
            something_returns(prop_places[AT_ELSEWHERE], AT_ELSEWHERE, s);
        } else {
            go_in(k, s + 0x100);
            row_for(k, 0, 0);
            run();
            check_in(k, s + 0x100, false);
            ring->open_rsp = 0;
        }
        break;
    case HAPPENS_ENDED:
        ring_use(1);
        change_begins(k, s);
        states[1] = RING_FREE;
        section->ring_high = 2;
        states[0] = RING_LIVE;
        teb_set_ring(NULL);
        row_for(k, 0, 0);
        go_in(k, s);
        run();
        check_in(k, s, false);
        same("whose ring it is", (uint64_t)teb_ring(), (uint64_t)ring);
        ring_use(0);
        break;
    case HAPPENS_INSIDE:
        ring->inside = s + 0x1000;
        no_ring_below(true);
        change_begins(k, s);
        no_ring_below(false);
        ring->inside = 0;
        break;
    case HAPPENS_BACK:
        ring->inside = s + 0x1000;
        no_ring_below(true);
        something_returns(after_syscall(k), AT_RETURN, s);
        no_ring_below(false);
        ring->inside = 0;
        break;
    case HAPPENS_ORPHAN:
        something_returns(prop_places[AT_ELSEWHERE], AT_ELSEWHERE, s);
        break;
    case HAPPENS_THREAD:
        warm();
        go_back(config->transition[TRANSITION_THREAD_START].rip, s, 0);
        prop_in.rcx = s;
        run();
        check_back(AT_DOOR + TRANSITION_THREAD_START, s, false);
        break;
    case HAPPENS_TIME:
        regions_age(2, 0);
        break;
    case HAPPENS_UNHEARD:
        heard = CALLBACK_NOBODYS;
        break;
    case HAPPENS_UNPATCHED:
        unseen = (struct plain_range){ 0x1000, 0x1000 };
        break;
    case HAPPENS_WRITING:
        regions_age(0, 1);
        break;
    case HAPPENS_SCRIBBLED:
        for (int i = 0; i < REGIONS_KEPT; i++) {
            memcpy(&own_page()->region[i], pool_bytes(sizeof(*own_page())),
                   sizeof(own_page()->region[0]));
            own_page()->region[i].turn &= ~1ull;
        }
        break;
    case HAPPENS_NOTHING:
    case HAPPENS_UNSEEN:
    case HAPPENS_COUNT:
        break;
    }
}

/* What was found good to read is not asked for again, until there may be a guard
 * in it: then the guard stays. */
static void path_regions(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_on_page(0x200);
    uint32_t first = 1 + below(DATA_PAGES - 4), count = 1 + below(3);
    uint32_t page = first + below(count);
    uint32_t bytes = 1 + below(100);
    uint64_t at = (uint64_t)data + page * 0x1000u + below(0x1000 - 100);
    enum happens what = (enum happens)below(HAPPENS_COUNT);
    uint64_t written;
    bool known = what == HAPPENS_NOTHING;  // still
    bool stays = what == HAPPENS_ELSEWHERE || what == HAPPENS_UNHEARD ||
                 what == HAPPENS_WRITING || what == HAPPENS_UNPATCHED;

    ring_use(1);
    ring_fresh();
    ring_use(0);
    ring_fresh();
    section->ring_high = 2;
    heard = CALLBACK_OURS;
    unseen = (struct plain_range){ 0, 0 };
    memset(&own_page()->changes, 0,
           sizeof(*own_page()) - offsetof(struct own_page, changes));
    own_page()->changes = chance();
    for (uint32_t i = 0; i < DATA_PAGES; i++) {
        data_page[i] =
            i >= first && i < first + count ? PAGE_THERE : PAGE_RESERVED;
    }
    kernel_said_count = 0;
    kernel_keeps = true;
    if (one_in(4)) {
        /* What may be a stack is not kept. */
        bool guard = one_in(2);
        bool mapped = one_in(4);  // a file: that is none

        kernel_bottom = (uint64_t)data;
        kernel_type = mapped ? 0x40000 : 0x20000;
        data_page[first - 1] = guard ? PAGE_GUARDED : PAGE_UNKNOWN;
        if (mapped) {
            copy_of(at, bytes, 1, 1, true);
            copy_of(at, bytes, 0, 1, true);
        } else if (!guard && one_in(2)) {
            data_page[first - 1] = PAGE_RESERVED;
            copy_of(at, bytes, 2, 1, true);
            copy_of(at, bytes, 0, 1, true);
        } else {
            copy_of(at, bytes, 2, 1, true);
            copy_of(at, bytes, 2, 1, true);
        }
        kernel_bottom = 0;
        kernel_type = 0x20000;
        kernel_keeps = false;
        return;
    }
    /* The beginning of an allocation is none. */
    kernel_bottom = one_in(2) ? (uint64_t)data + first * 0x1000u : 0;
    kernel_changes = one_in(8);
    copy_of(at, bytes, 1, 1, true);
    if (kernel_changes) {
        kernel_changes = false;
        copy_of(at, bytes, 1, 1, true);
    }
    copy_of(at, bytes, 0, 1, true);
    happen(what, k, s);
    written = regions_written();
    if (what == HAPPENS_UNSEEN) {
        data_page[page] = PAGE_GOES_AWAY;
        kernel_bottom = 0;  // it is a region of its own now
        copy_of(at, bytes, 1, 2, false);
        data_page[page] = PAGE_THERE;
        known = true;
    } else if (!known) {
        data_page[page] = PAGE_GUARDED;
        kernel_said_count = 0;
        copy_of(at, bytes, 1, 0, false);
        data_page[page] = PAGE_THERE;
    }
    copy_of(at, bytes, !known, 1, true);
    copy_of(at, bytes, stays, 1, true);
    if (what == HAPPENS_WRITING) {
        same("turns", regions_written(), written);
    }
    if (what == HAPPENS_ELSEWHERE) {
        same("under way", own_page()->changing, 1);
        ring_use(1);
        something_returns(after_syscall(k), AT_RETURN, s);
        ring_use(0);
        data_page[page] = PAGE_GUARDED;
        kernel_said_count = 0;
        copy_of(at, bytes, 1, 0, false);
        data_page[page] = PAGE_THERE;
        copy_of(at, bytes, 1, 1, true);
        copy_of(at, bytes, 0, 1, true);
    }
    same("under way", own_page()->changing, 0);
    memset(&own_page()->changes, 0,
           sizeof(*own_page()) - offsetof(struct own_page, changes));
    kernel_keeps = false;
    kernel_bottom = 0;
    ring_fresh();
}

/* --- chores --- */

static enum wait_end chores_end;
static bool chore_scribbled;

static struct chore any_chore(void)
{
    struct chore c = { below(6), chance(), chance() };

    if (c.chore == CHORE_NONE) {
        c.chore = one_in(4) ? 5 + (uint32_t)chance() % 1000 : CHORE_OPEN;
    }
    c.address = REGIONS_AT + below(0x40000);
    c.size = one_in(16) ? 0 : 1 + below(0x4000);
    if (one_in(16)) {
        c.address = chance();
        c.size = one_in(2) ? c.size : chance();
    }
    return c;
}

/* The last chore is done: as its status says. */
static void check_chore(void)
{
    const struct chore *now = chore_now();
    bool calls =
        now->chore == CHORE_QUERY || now->chore == CHORE_SEAL ||
        (now->chore == CHORE_OPEN && !chore_found_open && now->size != 0) ||
        (now->chore == CHORE_CLOSE && chore_found_open);

    if (chore_next == 0) {
        return;
    }
    if (chore_found_taken && now->chore != CHORE_CLOSE) {
        calls = false;
    }
    same("calls for a chore", chore_calls != 0 || !calls, true);
    /* Nothing that it has made is held here. */
    same("chore status", ring->chore_status,
         calls ? chore_said : STATUS_NOT_SUPPORTED);
    if (calls && now->chore == CHORE_QUERY) {
        check_told(now->address);
    }
}

static void put_chore(uint32_t asked)
{
    const struct chore *c = &chores[chore_next++];

    if (chore_over) {
        bad("goes on after it has closed");
    }
    chore_calls = 0;
    chore_found_open = chore_open;
    chore_found_taken = section->callback_owner == CALLBACK_PROGRAMS;
    ((struct ring_args *)((char *)ring + RING_ARGS))[RING_ARGS_TAKEN].child = 0;
    ring->chore = c->chore;
    ring->chore_address = c->address;
    ring->chore_size = c->size;
    ring->chore_status = 0x12345678;
    ring->answer = asked;
}

/* The tracer, at each wait. */
static void give_chore(void)
{
    if (ring->answer == ring->ask || one_in(4)) {
        return;
    }
    check_chore();
    chore_scribbled = one_in(8);
    if (chore_scribbled) {
        ring->ask = other_than(ring->answer);
    }
    if (chore_next < chore_count) {
        put_chore(ring->ask);
        return;
    }
    switch (chores_end) {
    case END_NEVER:
    case END_SCRIBBLED:
        break;
    case END_GONE:
        kernel_wait = WAIT_TRACER_GONE;
        break;
    case END_DEAD:
        section->dead = 1;
        break;
    case END_TAKEN_BACK:
        states[0] = RING_FREE;
        break;
    case END_CALLBACK:
        section->callback_owner = CALLBACK_PROGRAMS;
        if (chore_count < CHORES_MOST && one_in(2)) {
            chores[chore_count++] = any_chore();
            put_chore(ring->ask);
        }
        break;
    case END_ASKED:
    case END_STANDS:
        ring->chore = CHORE_NONE;
        ring->answer = ring->ask;
        break;
    }
    kernel_waits = NULL;
}

/* The thread waits, and does what it is told, right or wrong; whatever ends
 * the wait, nothing stays open. */
static void path_chores(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint32_t most;
    bool orphan = one_in(4);  // it spins first
    bool timed;
    uint8_t *args = (uint8_t *)ring + RING_ARGS;
    uint8_t was[0x100];

    ring_fresh();
    any_regions();
    chores_end = (enum wait_end)below(END_CALLBACK + 1);
    timed = chores_end == END_NEVER || chores_end == END_SCRIBBLED ||
            chores_end == END_CALLBACK;
    chore_count = one_in(16) ? below(CHORES_ROOM) : below(8);
    if (chore_count == CHORES_ROOM) {
        chore_count--;
    }
    for (uint32_t i = 0; i < chore_count; i++) {
        chores[i] = any_chore();
    }
    chore_next = 0;
    chore_calls = 0;
    chore_open = false;
    chore_over = false;
    chore_scribbled = false;
    chore_found_taken = false;
    ring->answer = ring->ask;
    if (orphan) {
        if (chore_count == 0) {
            chore_count = 1;
            chores[0] = any_chore();
        }
        /* It is there at once. */
        put_chore(ring->ask + 1);
        section->flags = SECTION_ASK_ORPHANS;
    }
    memcpy(was, args, sizeof(was));
    kernel_chores = true;
    kernel_wait = WAIT_NOTHING;
    kernel_waits = give_chore;
    /* No longer than need be; but what comes while it waits awake is to be
     * seen, once the callback is another's. */
    config_set(chores_end == END_CALLBACK ? 10
               : timed                    ? 1
                                          : TSC_PER_MS,
               on_wine);
    if (orphan) {
        leave(prop_places[AT_ELSEWHERE], AT_ELSEWHERE, s,
              (struct wish){ .flags = RECORD_ORPHAN | RECORD_WAITS });
    } else {
        enter(k, s, row_for(k, 0, ROW_SLOW_ENTRY),
              (struct wish){ .flags = RECORD_WAITS });
    }
    kernel_waits = NULL;
    kernel_chores = false;
    check_chore();
    same("left open", chore_open, false);
    check_lost(RING_LOST_COUNT, 0);
    if (memcmp(args, was, sizeof(was)) != 0) {
        bad("written behind what was told");
    }
    most = chore_count < CHORES_MOST ? chore_count : CHORES_MOST;
    if (!timed) {
        same("chores", chore_next, most);
    }
    if (!timed && !chore_scribbled) {
        same("asked", ring->ask - ring_was.ask,
             chore_count < CHORES_MOST ? chore_count + 1 : CHORES_MOST);
    }
    if (chore_next > CHORES_MOST) {
        bad("%u chores", chore_next);
    }
    ring_fresh();
    config_set(TSC_PER_MS, on_wine);
}

/* --- the callback is the program's --- */

/* A call that takes the callback from us, or looks like it. */
static void path_callback(void)
{
    static const uint8_t others[] = { 0, 0, ROW_FILTERED, ROW_SLOW_ENTRY,
                                      ROW_MAPS };
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
    uint8_t flags = ROW_SETS_CALLBACK | others[below(5)];
    uint8_t more = (uint8_t)below(3);
    struct call_row row = row_for(k, more, flags);
    /* Another thread has taken it already? */
    uint32_t before = one_in(4)   ? CALLBACK_PROGRAMS
                      : one_in(4) ? CALLBACK_NOBODYS
                                  : CALLBACK_OURS;
    uint32_t owner = before;
    struct mapping m = any_mapping(s);
    struct wish w = { .more = more };
    bool takes;
    bool by_end = (flags & ROW_MAPS) == 0 && one_in(4);  // returns come so
    uint64_t from, callback = one_in(2) ? 0 : 1ull << below(64);
    uint32_t length = one_in(2)   ? 16
                      : one_in(2) ? 8
                      : one_in(2) ? below(40)
                                  : (uint32_t)chance();

    warm();
    if (ring_to_end(ring->head) < 0x400) {
        ring->head -= 0x1000;
        ring_drain();
        ring->limit = ring->head;
    }
    section->flags |= SECTION_HONOR | (by_end ? SECTION_RETURNS : 0);
    section->callback_owner = before;
    config_set(before == CALLBACK_PROGRAMS ? 10 : TSC_PER_MS, on_wine);
    ring->answer = ring->ask;
    kernel_wait = WAIT_ANSWERS;
    go_in(k, s);
    prop_in.rcx = one_in(4) ? chance() : UINT64_MAX;
    prop_in.rdx = one_in(2)   ? 40
                  : one_in(2) ? 0x28u | chance() << 32
                  : one_in(2) ? m.process
                              : chance();
    prop_in.r8 = m.pointer;
    prop_in.r9 = length | chance() << 32;
    from = m.pointer + (length >= 16 ? 8 : 0);
    put_word(s, m.pointer + (length >= 16 ? 0 : 8), one_in(2) ? 0 : chance());
    put_word(s, from, callback);
    kernel_any(s);
    any_stack_words((uint64_t)stack, (uint64_t)stack + STACK_BYTES, s,
                    one_in(2));
    expect_nothing();
    takes = prop_in.rcx == UINT64_MAX && (uint32_t)prop_in.rdx == 40;
    if (takes) {
        owner = expect_copy(s, from, 8) && callback == 0 ? CALLBACK_NOBODYS
                                                         : CALLBACK_PROGRAMS;
    }
    m.process = prop_in.rdx;
    row.flags &= (uint8_t)~ROW_FILTERED;
    if (!takes) {
        row.flags &= (uint8_t)~ROW_SETS_CALLBACK;
    }
    w.flags = flags & ROW_SLOW_ENTRY ? RECORD_WAITS : 0;
    kernel_anywhere = true;
    enter_so(k, s, row, w);
    kernel_anywhere = false;
    kernel_plain();
    check_asked();
    same("callback owner", section->callback_owner, owner);
    if (takes && one_in(2)) {
        /* It succeeds, and the return goes elsewhere. */
        ring_fresh();
        config_set(TSC_PER_MS, on_wine);
        return;
    }
    if (takes && !by_end) {
        /* That it returns to us says whose it is. */
        owner = CALLBACK_OURS;
    } else if (!takes && before == CALLBACK_OURS && one_in(2)) {
        owner = one_in(2) ? CALLBACK_PROGRAMS : CALLBACK_NOBODYS;
        section->callback_owner = owner;
        config_set(owner == CALLBACK_PROGRAMS ? 10 : TSC_PER_MS, on_wine);
    }
    if (owner == CALLBACK_PROGRAMS) {
        /* Not ours to be told of it, then. */
        kernel_wait = WAIT_NOTHING;
    }
    ring->answer = ring->ask;
    leave_mapping(k, &m, s, row.flags);
    check_open(0, 0, 0);
    if (takes && by_end && (int32_t)prop_in.rax < 0) {
        owner = before;  // it failed
    }
    same("callback owner", section->callback_owner, owner);
    ring_fresh();
    config_set(TSC_PER_MS, on_wine);
}

/* Whatever would need a call of our own goes without. */
static void path_taken(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    uint32_t kind = below(9);
    struct wish w = { 0 };
    uint32_t lost = section->lost_no_ring;
    struct mapping m;
    bool waits = false;

    ring_fresh();
    if (ring_to_end(ring->head) < 0x400) {
        ring->head -= 0x1000;
    }
    ring_drain();
    ring->limit = ring->head;
    ring->answer = ring->ask;
    section->callback_owner = CALLBACK_PROGRAMS;
    section->reader_asleep = below(2);
    config_set(1000, on_wine);
    switch (kind) {
    case 0:  // no answer
    case 1:
        waits = true;
        w.flags = RECORD_WAITS;
        enter(k, s, row_for(k, 0, ROW_SLOW_ENTRY), w);
        break;
    case 2:  // no answer while it spins
        waits = true;
        section->flags = SECTION_ASK_ORPHANS;
        w.flags = RECORD_ORPHAN | RECORD_WAITS;
        leave(prop_places[AT_ELSEWHERE], AT_ELSEWHERE, s, w);
        break;
    case 3:  // a chore
        chores[0] = any_chore();
        chore_next = 0;
        chore_open = false;
        chore_over = false;
        put_chore(ring->ask + 1);
        w.flags = RECORD_WAITS;
        waits = true;
        enter(k, s, row_for(k, 0, ROW_SLOW_ENTRY), w);
        same("chore status", ring->chore_status, STATUS_NOT_SUPPORTED);
        break;
    case 4:  // stack arguments over a page's end
        s = far_over_end(0x28 + 8u * 4);
        w.flags = RECORD_ARGS_LOST;
        w.more =
            (uint8_t)((uint64_t)far_stack + FAR_END - s < 0x28
                          ? 0
                          : ((uint64_t)far_stack + FAR_END - s - 0x28) / 8);
        enter(k, s, row_for(k, 4, 0), w);
        break;
    case 5:  // no ring, and no memory for one
        teb_set_ring(NULL);
        section->ring_high = 0;
        states[0] = RING_UNCOMMITTED;
        w.lost = true;
        enter(k, s, row_for(k, 0, 0), w);
        same("lost_no_ring", section->lost_no_ring, lost + 1);
        same("a ring", teb_ring() != NULL, false);
        break;
    case 6:  // the reader sleeps, and is behind
        ring->tail = ring->head - RING_BYTES / 2 - 8 * below(0x400);
        enter(k, s, row_for(k, 0, 0), w);
        break;
    case 7:  // a view
        s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
        m = any_mapping(s);
        enter_mapping(k, &m, s, row_for(k, 0, ROW_MAPS), w);
        leave_mapping(k, &m, s, ROW_MAPS);
        break;
    default:  // a program
        capture_s = stack_on_page(0x28 + 8 * RECORD_MORE_MAX);
        any_memory();
        {
            struct captured c = any_captured(capture_s, ROW_CAPTURES, 0);

            c.base = any_base();
            kernel_wait = WAIT_NOTHING;
            config_set(1, on_wine);
            go_in_captured(&c);
            captures = true;
            check_in(c.k, c.s, false);
            captures = false;
            kernel_wait = WAIT_EMPTIES;
        }
        break;
    }
    same("system calls", kernel_calls_sum(), 0);
    same("callback owner", section->callback_owner, CALLBACK_PROGRAMS);
    if (waits) {
        check_waited(kind == 2, time_after - time_before, AWAKE_MS);
    }
    section->reader_asleep = 0;
    ring_fresh();
    config_set(TSC_PER_MS, on_wine);
}

/* Another thread takes it in the middle of a wait, for room or an answer. */
static void path_taken_in_wait(void)
{
    const struct fake_stub *k = any_stub();
    uint64_t s = stack_any();
    bool room = one_in(2);
    struct wish w = { .lost = room, .flags = room ? 0 : RECORD_WAITS };

    ring_fresh();
    if (ring_to_end(ring->head) < 0x400) {
        ring->head -= 0x1000;
        ring_drain();
    }
    ring->tail = room ? ring->head - RING_BYTES : ring->head;
    ring->limit = ring->head;
    ring->answer = ring->ask;
    config_set(1000, on_wine);
    wait_end = END_CALLBACK;
    wait_turns = below(3);
    wait_first_at = 0;
    wait_end_at = 0;
    kernel_wait = WAIT_NOTHING;
    kernel_waits = end_wait;
    enter(k, s, row_for(k, 0, room ? 0 : ROW_SLOW_ENTRY), w);
    kernel_waits = NULL;
    if (wait_end_at - time_before <
        (ANSWER_MS - 2 * AWAKE_MS) * config->tsc_per_ms) {
        check_waited(room, time_after - wait_end_at, AWAKE_MS);
    }
    same("dead", section->dead, 0);
    if (room) {
        same("given up", ring->given_up, 1);
        check_lost(RING_LOST_NO_TRACER, 1);
    }
    ring_fresh();
    config_set(TSC_PER_MS, on_wine);
}

static uint32_t own_tid(void)
{
    uint32_t tid;

    memcpy(&tid, teb + 0x48, sizeof(tid));
    return tid;
}

/* Orders of any kind, in any order, to the end: nobody stays stopped, no page
 * open, no handle. */
static void path_keeper(void)
{
    uint64_t s = (stack_any() & ~15ull) + 8;
    uint32_t left = 0;

    memset(&keeps, 0, sizeof(keeps));
    memset(&section->keeper, 0, sizeof(section->keeper));
    section->dead = 0;
    keeps.on = true;
    make_thread();
    keeps.thread[0].tid = own_tid();
    keeps.thread[0].ends = false;
    for (uint32_t i = below(6); i > 0; i--) {
        make_thread();
    }
    section->keeper.event = ORDER_HANDLE;
    section->keeper.tid = own_tid();
    section->keeper.done = UINT32_MAX;
    teb_set_ring(NULL);
    stack_prepare(s);
    machine_random(s);
    prop_in.flags = 0x202;  // as each function begins
    prop_in.rip = IMAGE_AT + head.keeper;
    run();
    same("out at", prop_out.rip, AT_RETURN);
    for (uint32_t i = 0; i < keeps.count; i++) {
        same("suspended at the end", (uint64_t)keeps.thread[i].stops, 0);
    }
    for (uint32_t i = 0; i < keeps.handles; i++) {
        left += keeps.handle[i] != 0;
    }
    same("handles left", left, 0);
    same("pages open", keeps.opened, false);
    same("how it ended", keeps.end != KEEPER_RUNS, true);
    same("no tracer", section->dead, keeps.end == KEEPER_DIES);
    memset(&section->keeper, 0, sizeof(section->keeper));
    section->dead = 0;
    keeps.on = false;
}

/* --- a callback of the program's, behind ours --- */

/* A call is entered that registers `callback`; true if it leaves us ours, which
 * is then what the kernel is given, in a copy of all else. */
static bool enter_chain(const struct fake_stub *k, uint64_t s,
                        uint64_t callback, uint64_t length)
{
    uint64_t at =
        (uint64_t)data + 0x1000 * below(DATA_PAGES - 1) + below(0xe00);
    uint64_t word = length >= 16 ? 8 : 0;
    bool there = page_of(at) <= PAGE_READ_ONLY;
    bool sign = (uint64_t)((int64_t)(callback << 16) >> 16) == callback;
    bool chains = there && sign && length >= 8 && length <= 256 &&
                  (section->flags & SECTION_HONOR) == 0;
    uint64_t want;

    memcpy(seen(at + word), &callback, 8);
    row_for(k, 0, ROW_SETS_CALLBACK);
    go_in(k, s);
    prop_in.rcx = UINT64_MAX;
    prop_in.rdx = 40;
    prop_in.r8 = at;
    prop_in.r9 = length;
    kernel_anywhere = true;
    run();
    kernel_anywhere = false;
    if (chains) {
        const uint8_t *copy = (const uint8_t *)prop_out.r8;

        want = IMAGE_AT + (callback != 0 ? head.chained : head.callback);
        same("alignment", prop_out.r8 % 8, at % 8);
        if (memcmp(copy, seen(at), word) != 0 ||
            memcmp(copy + word, &want, 8) != 0 ||
            memcmp(copy + word + 8, seen(at + word + 8), length - word - 8) !=
                0) {
            bad("what the kernel is given");
        }
        if (memcmp(seen(at + word), &callback, 8) != 0) {
            bad("the program's own words are changed");
        }
        prop_out.r8 = prop_in.r8;
    }
    check_in(k, s, false);
    same("callback owner", section->callback_owner,
         chains                   ? CALLBACK_OURS
         : there && callback == 0 ? CALLBACK_NOBODYS
                                  : CALLBACK_PROGRAMS);
    return chains;
}

/* The kernel goes to `chained`, from a call that returns, or a door. */
static void come_to_chained(uint64_t rip, uint64_t s, uint64_t rax)
{
    ring_drain();
    go_back(rip, s, 0);
    prop_in.rip = IMAGE_AT + head.chained;
    prop_in.rax = rax;
    prop_kernel_callback = IMAGE_AT + head.chained;
    kernel_rings = true;
    run();
    kernel_rings = false;
    prop_kernel_callback = IMAGE_AT + head.callback;
}

static void path_chain(void)
{
    static const uint64_t lengths[] = { 8, 16, 16, 16, 40, 256, 257, 7, 0 };
    const struct fake_stub *k = any_stub(), *other = any_stub();
    uint64_t s = stack_on_page(0x80), far = stack_on_page(0x80);
    uint64_t theirs = prop_places[AT_ELSEWHERE];
    uint64_t callback = one_in(3)   ? 0
                        : one_in(4) ? theirs ^ 1ull << (48 + below(16))
                                    : theirs;
    uint64_t before = one_in(2) ? 0 : theirs;
    bool fails = one_in(3), blocked = one_in(2), chained, is_told;

    ring_use(1);
    ring_fresh();
    ring_use(0);
    ring_fresh();
    section->ring_high = 2;
    section->callback_owner = CALLBACK_OURS;
    section->flags = one_in(4) ? SECTION_HONOR : 0;
    any_pages();
    own_page()->chain = before;
    own_page()->unheard_count = 0;
    if (blocked) {
        ring_use(1);
        row_for(other, 0, 0);
        ring_drain();
        go_in(other, far);
        run();
        check_in(other, far, ring_was.limit - ring_was.head >= ENTRY_SIZE);
        ring_use(0);
    }
    ring_drain();
    if (!enter_chain(k, s, callback, lengths[below(9)])) {
        own_page()->chain = 0;
        ring_fresh();
        return;
    }
    /* Its own return: the kernel goes where it is told to from then on. */
    set_stack_words(chance(), 0);
    if (callback == 0 && !fails) {
        go_back(after_syscall(k), s, 0);
        prop_in.rax = 0;
        run();
        check_back(AT_RETURN, s, false);
    } else {
        come_to_chained(after_syscall(k), s, fails ? 0xc0000058 : 0);
        check_back(before != 0 ? AT_ELSEWHERE : AT_RETURN, s, false);
    }
    chained = fails ? before != 0 : callback != 0;
    is_told = chained && !(blocked && before == 0);
    if (blocked) {
        ring_use(1);
        come_to_chained(after_syscall(other), far, chance());
        check_back(is_told ? AT_ELSEWHERE : AT_RETURN, far, false);
        /* The next one, with the stack where it was. */
        row_for(other, 0, 0);
        ring_drain();
        go_in(other, far);
        run();
        check_in(other, far, ring_was.limit - ring_was.head >= ENTRY_SIZE);
        come_to_chained(after_syscall(other), far, chance());
        check_back(chained ? AT_ELSEWHERE : AT_RETURN, far, false);
        ring_use(0);
    }
    come_to_chained(prop_places[AT_DOOR + TRANSITION_APC], s, chance());
    check_back(chained ? AT_ELSEWHERE : AT_DOOR + TRANSITION_APC, s, false);
    /* What is the agent's own goes straight on. */
    come_to_chained(prop_kernel_return, s, chance());
    check_back(AT_RETURN, s, false);
    own_page()->chain = 0;
    own_page()->unheard_count = 0;
    ring_fresh();
}

/* --- rules that change calls --- */

#define USES_MOST 4u

/* Those of the call that is to come, how often their conditions held, and how
 * often they were the one that applies. */
static struct {
    struct tamper_use *use;
    uint64_t met;
    uint64_t fired;
} uses[USES_MOST];
static uint32_t use_count;
static uint64_t uses_verdict;  // the tracer's, should it be asked

static uint16_t *first_use(const struct fake_stub *k)
{
    return (uint16_t *)(void *)((uint8_t *)rules_here() + TAMPER_FIRST) +
           k->number;
}

static struct tamper_use *use_at(uint32_t use)
{
    return use >= 1 && use <= TAMPER_USES_MOST ? uses_here() + use - 1 : NULL;
}

static const struct tamper_rule *rule_of(const struct tamper_use *u)
{
    return rules_here() + u->rule % TAMPER_RULES_MOST;
}

static uint64_t any_delay(bool long_ones)
{
    return one_in(2)    ? 0
           : !long_ones ? 1 + below(3000)
           : one_in(2)  ? UINT64_MAX
                        : 1 + below(100000);
}

/* Rules for the calls of `k`, of which one with these arguments comes. The last
 * of them leads nowhere, or to one before. */
static void any_rules(const struct fake_stub *k, const struct half *h,
                      bool long_ones)
{
    const uint32_t apart = TAMPER_USES_MOST / USES_MOST;
    uint16_t *link = first_use(k);

    use_count = 1 + below(USES_MOST);
    for (uint32_t i = 0; i < use_count; i++) {
        uint32_t at = apart * i + (one_in(4) ? apart - 1 : below(apart));
        struct tamper_use *u = uses_here() + at;
        uint32_t rule = below(TAMPER_RULES_MOST);
        uint32_t argument = below(9);
        uint64_t mask = one_in(2) ? 0 : one_in(2) ? chance() : 1;
        uint64_t first = 1 + below(3);

        rules_here()[rule] = (struct tamper_rule){
            .delay_enter = any_delay(long_ones),
            .delay_exit = any_delay(long_ones),
            .first = first,
            .last = one_in(2) ? UINT64_MAX : first + below(4),
            .step = below(4),
        };
        *u = (struct tamper_use){
            .rule = (uint16_t)(rule + (one_in(16) ? TAMPER_RULES_MOST : 0)),
            .flags = (uint8_t)((one_in(4)   ? TAMPER_REPLACES
                                : one_in(2) ? TAMPER_CHANGES
                                            : 0) |
                               (one_in(3) ? TAMPER_ASKS : 0) |
                               (one_in(3) ? TAMPER_NOT_SELF : 0)),
            .argument = (uint8_t)argument,
            .mask = mask,
            .value =
                mask & (argument < h->count && !one_in(4) ? h->args[argument]
                                                          : chance()),
            .result = chance(),
            .met = below(5),
        };
        uses[i].use = u;
        uses[i].met = u->met;
        uses[i].fired = 0;
        *link = (uint16_t)(at + 1);
        link = &u->next;
    }
    *link = (uint16_t)(!one_in(8)  ? 0
                       : one_in(2) ? *first_use(k)
                                   : TAMPER_USES_MOST + 1 + below(0x1000));
}

/* tamper.h, read once more. */
static bool meets(const struct tamper_use *u, const struct half *h)
{
    bool is_self = h->args[0] + 2 <= 2;

    return !(is_self && (u->flags & TAMPER_NOT_SELF) != 0) &&
           (u->mask == 0 || (u->argument < h->count &&
                             (h->args[u->argument] & u->mask) == u->value));
}

static bool is_named(const struct tamper_rule *r, uint64_t n)
{
    uint64_t named = r->first;

    while (named < n) {
        named += r->step > 1 ? r->step : 1;
    }
    return named == n && n <= r->last;
}

/* Whether the tracer is asked about the call. */
static bool expect_asked(const struct fake_stub *k, const struct half *h)
{
    const struct tamper_use *u = use_at(*first_use(k));
    bool asked = false;

    for (int i = 0; u != NULL && i < TAMPER_RULES_MOST; i++) {
        asked = asked || ((u->flags & TAMPER_ASKS) != 0 && meets(u, h) &&
                          u->met < rule_of(u)->last);
        u = use_at(u->next);
    }
    return asked;
}

/* 1 + the index of the use that applies, 0: none; all are counted. */
static uint32_t expect_use(const struct fake_stub *k, const struct half *h,
                           uint64_t verdict)
{
    uint32_t use = *first_use(k), chosen = 0;
    const struct tamper_use *u = use_at(use);

    for (int i = 0; u != NULL && i < TAMPER_RULES_MOST; i++) {
        uint32_t at = 0;

        while (uses[at].use != u) {
            at++;
        }
        if (((u->flags & TAMPER_ASKS) == 0 || (verdict >> i & 1) != 0) &&
            meets(u, h)) {
            uses[at].met++;
            if (chosen == 0 && is_named(rule_of(u), uses[at].met)) {
                chosen = use;
                uses[at].fired++;
            }
        }
        use = u->next;
        u = use_at(use);
    }
    return chosen;
}

static void give_verdict(void)
{
    ring->verdict = uses_verdict;
}

/* The record of a call that is not made, behind its ENTRY of `size`, after which
 * nothing is checked any more. */
static void check_replaced(const struct fake_stub *k, uint64_t s, uint32_t size,
                           uint64_t result, bool delayed)
{
    struct record_return *r;

    same("out at", prop_out.rip, AT_RETURN);
    compare_machine(LOSES_RAX | LOSES_R10 | LOSES_R11 | LOSES_ARITHMETIC,
                    s + 8);
    same("rax", prop_out.rax, result);
    check_stack(s, false);
    ring_was.head += size;
    r = (struct record_return *)(void *)check_record(
        RETURN_SIZE, RECORD_RETURN,
        RECORD_INJECTED | RECORD_REPLACED | (delayed ? RECORD_DELAYED : 0), 0);
    ring_was.head -= size;
    same("record rip", r->rip, k->at + 0x14);
    same("record rsp", r->rsp, s);
    same("record rax", r->rax, result);
    same("record stack base", r->stack_base, stack_base);
}

static void check_delay(uint64_t ticks)
{
    uint64_t most = 3600000 * config->tsc_per_ms;
    uint64_t least = ticks < most ? ticks : most;

    if (time_after - time_before < least) {
        bad("a rest of %llu, not %llu",
            (unsigned long long)(time_after - time_before),
            (unsigned long long)least);
    }
}

/* A call that rules may change. */
struct ruled {
    const struct fake_stub *k;
    uint64_t s;
    struct call_row row;  // as its return is to see it
    uint32_t tamper;      // ring_args.tamper
    bool long_ones;       // a rest may take long
    bool gone, dead;      // the tracer is; and the agent knows
};

static struct ring_args *ruled_args(void)
{
    return (struct ring_args *)(void *)((uint8_t *)ring + RING_ARGS) +
           RING_ARGS_NEWEST;
}

/* It is entered, with the tracer there, or gone. False: it is not made. */
static bool enter_ruled(struct ruled *c)
{
    const struct fake_stub *k = c->k;
    uint64_t s = c->s;
    uint8_t more = (uint8_t)below(4);
    struct call_row row =
        row_for(k, more | ROW_TAMPERS, one_in(2) ? ROW_SLOW_ENTRY : 0);
    uint32_t size = ENTRY_SIZE + 8u * more;
    uint32_t room = one_in(8) ? below(2) : 2;  // records that find some
    bool gone = c->gone, dead = one_in(16);
    bool waits, replaces, delayed = false;
    unsigned calls = 0;
    uint32_t use = 0, tamper = 0;
    const struct tamper_use *u;
    uint64_t delay = 0;
    struct half h = { .count = 4u + more };
    const struct record_entry *e;

    ring_fresh();
    if (ring_to_end(ring->head) < 0x400) {
        ring->head -= 0x1000;
    }
    ring->tail = room == 0   ? ring->head - RING_BYTES + 8 * below(size / 8)
                 : room == 1 ? ring->head - RING_BYTES + size +
                                   8 * below(RETURN_SIZE / 8)
                             : ring->head;
    ring->limit = ring->head + (room == 2 && one_in(2) ? 0x400 : 0);
    ring->verdict = chance();
    section->flags = room < 2 ? SECTION_LOSSY : 0;
    section->dead = dead;
    config_set(c->long_ones ? 1 : TSC_PER_MS, on_wine);
    kernel_wait = gone ? WAIT_TRACER_GONE : WAIT_ANSWERS;
    kernel_timeouts = 0;
    kernel_waits = give_verdict;
    uses_verdict = chance();

    go_in(k, s);
    prop_in.rcx = one_in(2) ? chance() : one_in(2) ? 0 : UINT64_MAX - below(4);
    memcpy(h.args,
           (uint64_t[]){ prop_in.rcx, prop_in.rdx, prop_in.r8, prop_in.r9 },
           32);
    for (uint32_t i = 0; i < more; i++) {
        h.args[4 + i] = stack_word(0x28 + 8 * i);
    }
    any_rules(k, &h, c->long_ones);
    waits = row.flags != 0 && expect_asked(k, &h);
    if (!waits && one_in(8)) {
        set_stack_end(s - below(0x2000));
    } else {
        set_stack_end(s + 8);
    }
    if (room > 0) {
        calls = waits && !dead;
        dead = dead || (waits && gone);
        use = expect_use(k, &h, waits && !dead ? uses_verdict : 0);
        if (use != 0 && !dead && !is_cramped(s)) {
            calls++;
            dead = gone;
        }
        use = dead ? 0 : use;
        expect_record(room == 2 ? size + RETURN_SIZE : size);
    }
    u = use_at(use);
    replaces = u != NULL && (u->flags & TAMPER_REPLACES) != 0;
    if (u != NULL) {
        delayed = rule_of(u)->delay_enter != 0 ||
                  (replaces && rule_of(u)->delay_exit != 0);
        tamper = use | (delayed ? TAMPERED_DELAYED : 0);
        delay = rule_of(u)->delay_enter;
    }
    run();
    kernel_waits = NULL;
    check_lost(RING_LOST_FULL, room == 0 || (room == 1 && replaces));
    replaces = replaces && room == 2;
    check_delay(delay);
    if (!c->long_ones || is_cramped(s)) {
        same("system calls", kernel_calls_sum(), calls);
    }
    for (uint32_t i = 0; i < use_count; i++) {
        same("calls that met the conditions", uses[i].use->met, uses[i].met);
        same("calls that it applies to", uses[i].use->fired, uses[i].fired);
    }
    if (replaces) {
        check_delay(rule_of(u)->delay_exit);
        check_replaced(k, s, size, u->result, delayed);
        check_open(0, 0, 0);
    } else {
        check_in(k, s, false);
        same("head", ring->head, ring_was.head + (room > 0 ? size : 0));
        if (room > 0 && !delayed &&
            (u == NULL || ((u->flags & TAMPER_CHANGES) == 0 &&
                           rule_of(u)->delay_exit == 0))) {
            row.more &= (uint8_t)~ROW_TAMPERS;
        }
        check_open(s, k->at, row_word(row));
        if ((row.more & ROW_TAMPERS) != 0) {
            same("what changes it", ruled_args()->tamper, tamper);
        }
    }
    e = (const struct record_entry *)(const void *)ring_byte(ring_was.head);
    if (room > 0) {
        same("record kind", e->head.kind, RECORD_ENTRY);
        same("record size", e->head.size, size);
        same("record flags", e->head.flags, more | (waits ? RECORD_WAITS : 0));
        check_entry(e, s, more);
    }
    check_ring(false);
    section->flags = 0;
    ring_drain();
    c->row = row;
    c->tamper = (row.more & ROW_TAMPERS) != 0 ? tamper : 0;
    c->dead = dead;
    return !replaces;
}

/* ... and returns; the tracer may be gone by now. `nested`: it is not the newest
 * that is open. */
static void leave_ruled(const struct ruled *c, bool nested)
{
    bool gone = c->gone || one_in(4);
    const struct tamper_use *u = use_at(c->tamper & TAMPERED_USE);
    uint64_t rest = u != NULL ? rule_of(u)->delay_exit : 0;
    bool changes = u != NULL && (u->flags & TAMPER_CHANGES) != 0;
    bool rests = rest != 0 || (c->tamper & TAMPERED_DELAYED) != 0;
    uint32_t size = changes ? RETURN_SIZE_MOST : RETURN_SIZE;
    struct record_return *r;
    uint64_t kernels;
    unsigned calls;

    if (gone) {
        kernel_wait = WAIT_TRACER_GONE;
    }
    go_back(after_syscall(c->k), c->s, size);
    kernels = prop_in.rax;
    set_stack_end(c->s + 8);
    run();
    calls = kernel_calls_sum();
    if (gone ? calls > 1 : calls > 0 && !c->long_ones) {
        bad("%u system calls", calls);
    }
    same("dead", section->dead, c->dead || (gone && calls > 0));
    if (changes) {
        prop_in.rax = u->result;
    }
    check_back(AT_RETURN, c->s,
               !nested && (c->row.more & ROW_TAMPERS) == 0 &&
                   ring_was.limit - ring_was.head >= RETURN_SIZE);
    r = (struct record_return *)(void *)check_record(
        size, RECORD_RETURN,
        (uint8_t)((changes ? RECORD_INJECTED : 0) |
                  (rests ? RECORD_DELAYED : 0)),
        0);
    check_return(r, prop_in.r10, c->s);
    if (changes) {
        same("what the kernel said", r->words[0], kernels);
    }
    check_delay(gone || c->dead ? 0 : rest);
    check_ring(false);
    check_lost(RING_LOST_COUNT, 0);
    check_open(0, 0, 0);
}

static void path_rules(void)
{
    struct ruled c = { .k = any_stub(),
                       .s = stack_on_page(0x28 + 8 * 4),
                       .long_ones = one_in(64),
                       .gone = one_in(8) };
    const struct fake_stub *inner = any_stub();
    bool nested = !c.long_ones && one_in(4);

    if (enter_ruled(&c)) {
        if (nested) {
            enter(inner, c.s - 0x800, row_for(inner, 0, 0), (struct wish){ 0 });
            leave(after_syscall(inner), AT_RETURN, c.s - 0x800,
                  (struct wish){ .fast = ring_has_room(RETURN_SIZE) });
            ring_drain();
        } else if ((c.row.more & ROW_TAMPERS) != 0 && one_in(8)) {
            /* Somebody writes over it. */
            c.tamper = one_in(2) ? below(0x10000) << 16
                                 : TAMPER_USES_MOST + 1 + below(0x1000);
            ruled_args()->tamper = c.tamper;
        }
        leave_ruled(&c, nested);
    }
    *first_use(c.k) = 0;
    ring_fresh();
    config_set(TSC_PER_MS, on_wine);
}

/* --- all of them --- */

struct path {
    const char *name;
    void (*run)(void);
    uint32_t share;          // of `count`, one in so many
    void *(*other)(void *);  // a second thread's routine, until other_stops
};

/* Those that take longest come first: each may run on its own core. */
static const struct path paths[] = {
    { "calls that are pending", path_pending, 2, NULL },
    { "calls that are noted", path_noted, 2, NULL },
    { "chores", path_chores, 4, NULL },
    { "rules that change calls", path_rules, 2, NULL },
    { "keeper", path_keeper, 4, NULL },
    { "capture program, calls open", path_capture_open, 2, NULL },
    { "views mapped, calls open", path_views_open, 1, NULL },
    { "no answer", path_no_answer, 20, NULL },
    { "what memory was found to be", path_regions, 4, NULL },
    { "call", path_call, 1, NULL },
    { "stack arguments on the page", path_page, 1, NULL },
    { "stack arguments over its end, known", path_known, 1, NULL },
    { "stack arguments over its end, asked", path_asked, 1, NULL },
    { "end of the ring", path_wrap, 1, NULL },
    { "nested calls", path_nested, 1, NULL },
    { "--no-patch", path_plain, 1, NULL },
    { "orphan", path_orphan, 1, NULL },
    { "orphan, reader behind", path_quiet, 50, spin_reader },
    { "rendezvous", path_rendezvous, 1, NULL },
    { "entry that ends itself", path_ends_itself, 1, NULL },
    { "transition", path_transition, 1, NULL },
    { "own system call", path_own, 1, NULL },
    { "sent elsewhere", path_elsewhere, 1, NULL },
    { "guard", path_guard, 1, NULL },
    { "full ring", path_full, 1, NULL },
    { "reader behind", path_behind, 1, NULL },
    { "first event", path_claim, 10, NULL },
    { "start", path_start, 10, NULL },
    { "wine dispatcher", path_wine, 1, NULL },
    { "handshake", path_handshake, 200, tracer },
    { "filtered", path_filtered, 1, NULL },
    { "filtered, among others", path_filtered_among, 1, NULL },
    { "filtered, transition", path_filtered_transition, 1, NULL },
    { "capture program", path_capture, 2, NULL },
    { "capture program, no room", path_capture_lost, 2, NULL },
    { "no room, ever", path_no_room, 50, NULL },
    { "next to the end of a stack", path_cramped, 10, NULL },
    { "scribbled words", path_scribbled, 10, NULL },
    { "callback taken", path_callback, 1, NULL },
    { "callback of the program's, chained", path_chain, 4, NULL },
    { "callback taken, own calls", path_taken, 5, NULL },
    { "callback taken in a wait", path_taken_in_wait, 10, NULL },
};

static void path_run(const struct path *p, uint64_t count)
{
    pthread_t thread;
    struct timespec a, b;

    path_name = p->name;
    path_bad = 0;
    path_fast = 0;
    memset(path_stack, 0, sizeof(path_stack));
    random_state = seed;
    pool_stir();
    ring_fresh();
    states_fill(RING_UNCOMMITTED);
    states[0] = RING_LIVE;
    vectors_random(&prop_garbage_vectors);
    kernel_plain();
    kernel_timeouts = 0;
    config_set(TSC_PER_MS, false);
    memset(waited, 0, sizeof(waited));
    other_stops = false;
    if (p->other != NULL &&
        pthread_create(&thread, NULL, p->other, NULL) != 0) {
        die("no second thread");
    }
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (path_round = 0; path_round < count && path_bad == 0; path_round++) {
        if (path_round % 0x10000 == 0xffff) {
            pool_stir();
        }
        p->run();
    }
    if (path_bad == 0) {
        check_waits();
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    if (p->other != NULL) {
        other_stops = true;
        pthread_join(thread, NULL);
    }
    printf("%-4s  %-36s %8llu rounds, %8llu events fast; stack %2u fast, "
           "%4u in C; %.1f s\n",
           path_bad ? "FAIL" : "ok", p->name, (unsigned long long)path_round,
           (unsigned long long)path_fast, path_stack[1], path_stack[0],
           (double)(b.tv_sec - a.tv_sec) +
               (double)(b.tv_nsec - a.tv_nsec) / 1e9);
    fflush(stdout);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *c = context;
    char text[200];
    int n;

    clear_ac();
    n = snprintf(text, sizeof(text),
                 "%s, round %llu: signal %d at rip %#llx, address %p\n",
                 path_name, (unsigned long long)path_round, signal,
                 (unsigned long long)c->uc_mcontext.gregs[REG_RIP],
                 info->si_addr);

    if (write(STDOUT_FILENO, text, (size_t)n) != n) {
        _exit(3);
    }
    _exit(1);
}

static void faults_setup(void)
{
    static uint8_t room[0x10000];
    stack_t other = { .ss_sp = room, .ss_size = sizeof(room) };
    struct sigaction action = { .sa_sigaction = on_fault,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK };
    static const int signals[] = { SIGSEGV, SIGBUS,  SIGILL,
                                   SIGFPE,  SIGTRAP, SIGPROF };
    const struct sigaction makes_room = { .sa_handler = room_maker,
                                          .sa_flags = SA_RESTART | SA_ONSTACK };

    sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        sigaction(signals[i], &action, NULL);
    }
    sigaction(SIGALRM, &makes_room, NULL);
}

/* A path that does not come back is a failure, not a wait. What counts is the
 * time that it runs (nothing here sleeps): others may have the CPUs, and two
 * threads that take turns need two. */
static void limit_time(uint64_t seconds)
{
    const struct itimerval limit = { .it_value.tv_sec = (time_t)seconds };

    setitimer(ITIMER_PROF, &limit, NULL);
}

int main(int argc, char **argv)
{
    uint64_t count = 1000000;
    const char *only = NULL;
    uint64_t failures = UINT64_MAX;  // it ends after so many
    unsigned failed = 0, passed = 0;
    struct timespec now;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
            printf("%s\n", paths[i].name);
        }
        return 0;
    }

    clock_gettime(CLOCK_REALTIME, &now);
    seed = (uint64_t)now.tv_sec << 20 ^ (uint64_t)now.tv_nsec;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[i + 1], NULL, 0);
        } else if (strcmp(argv[i], "--count") == 0) {
            count = strtoull(argv[i + 1], NULL, 0);
        } else if (strcmp(argv[i], "--only") == 0) {
            only = argv[i + 1];
        } else if (strcmp(argv[i], "--failures") == 0) {
            failures = strtoull(argv[i + 1], NULL, 0);
        } else {
            argc = 0;
        }
    }
    if (argc < 2 || argc % 2 != 0) {
        printf("usage: agent_property IMAGE [--seed N] [--count N] "
               "[--only NAME] [--failures N]\n"
               "       agent_property --list\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    random_state = seed;
    pool_stir();
    world_setup(argv[1]);
    faults_setup();
    printf("seed %llu, XSAVE components %#llx\n", (unsigned long long)seed,
           (unsigned long long)prop_mask);
    for (size_t i = 0;
         i < sizeof(paths) / sizeof(paths[0]) && failed < failures; i++) {
        if (only != NULL && strcmp(only, paths[i].name) != 0) {
            continue;
        }
        limit_time(10 + count / (paths[i].other != NULL ? 2500 : 10000));
        path_run(&paths[i], count / paths[i].share);
        failed += path_bad != 0;
        passed += path_bad == 0;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
