/* SPDX-License-Identifier: MIT */
/*
 * clock.c - see clock.h.
 *
 * One lock. Threads are counted while they run; who waits is in a list. Who
 * wakes another one counts it, so that between that and its going on no time
 * passes. A thread belongs to no story: one that nobody waits for may outlive
 * its own.
 */
#include "fake/clock.h"

#include <pthread.h>
#include <stdlib.h>

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define NS_PER_SECOND 1000000000u
/* The time at the beginning: of the day, 2020 (100 ns since 1601), and of a
 * machine that has run for a while. */
#define WALL UINT64_C(132223104000000000)
#define START UINT64_C(3600000000000)

int __real_os_wait(void *const *handles, int count, uint32_t ms);
void __real_os_event_set(void *event);
bool __real_os_thread_run(void **thread, struct os_thread_start *start,
                          struct err *e);
void __real_os_thread_join(void *thread);
void *__real_malloc(size_t size);
int __wrap_os_wait(void *const *handles, int count, uint32_t ms);
void __wrap_os_event_set(void *event);
void __wrap_os_thread_join(void *thread);
void __wrap_os_sleep(uint32_t ms);
void __wrap_os_yield(void);
void __wrap_os_relax(void);
uint64_t __wrap_os_tsc(void);
void __wrap_os_clock_read(struct os_clock *out);

struct sleeper {
    uint64_t until;
    bool awake;
    struct sleeper *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static uint64_t now = START;  // ns
static unsigned running = 1;  // the main thread
static struct sleeper *sleepers;

static void enter(void)
{
    pthread_mutex_lock(&lock);
}

static void leave(void)
{
    pthread_mutex_unlock(&lock);
}

/* Wakes those who wait for a moment up to `until`. */
static void wake(uint64_t until)
{
    struct sleeper **link = &sleepers;

    while (*link != NULL) {
        struct sleeper *s = *link;

        if (s->until > until) {
            link = &s->next;
            continue;
        }
        *link = s->next;
        s->awake = true;
        running++;
        pthread_cond_broadcast(&woken);
    }
}

/* A thread that ran does not. */
static void rest(void)
{
    uint64_t first = UINT64_MAX;

    if (--running > 0) {
        return;
    }
    for (const struct sleeper *s = sleepers; s != NULL; s = s->next) {
        first = s->until < first ? s->until : first;
    }
    if (sleepers != NULL) {
        now = first;
        wake(now);
    }
}

/* Until then, or until an event is set. */
static void wait_until(uint64_t until)
{
    struct sleeper s = { .until = until, .next = sleepers };

    sleepers = &s;
    rest();
    while (!s.awake) {
        pthread_cond_wait(&woken, &lock);
    }
}

static void pass(uint64_t ns)
{
    uint64_t until;

    enter();
    for (until = now + ns; now < until;) {
        wait_until(until);
    }
    leave();
}

void clock_pass(uint32_t us)
{
    pass((uint64_t)us * NS_PER_US);
}

void __wrap_os_sleep(uint32_t ms)
{
    pass((uint64_t)ms * NS_PER_MS);
}

/* Others run for a moment. */
void __wrap_os_yield(void)
{
    clock_pass(10);
}

void __wrap_os_relax(void)
{
    clock_pass(10);
}

/* --- clocks --- */

static uint64_t look(void)
{
    uint64_t t;

    enter();
    t = now += NS_PER_US;
    wake(t);
    leave();
    return t;
}

uint64_t __wrap_os_tsc(void)
{
    return look();
}

void __wrap_os_clock_read(struct os_clock *out)
{
    uint64_t t = look();

    /* Whose frequency is that of platform/posix/sync.c. */
    *out = (struct os_clock){ .tsc = t, .counter = t, .wall = WALL + t / 100 };
}

/* --- events --- */

int __wrap_os_wait(void *const *handles, int count, uint32_t ms)
{
    uint64_t until;
    int taken;

    enter();
    until = now + (uint64_t)ms * NS_PER_MS;
    while ((taken = __real_os_wait(handles, count, 0)) < 0 && now < until) {
        wait_until(until);
    }
    leave();
    return taken;
}

/* All look whether it was theirs. */
void __wrap_os_event_set(void *event)
{
    enter();
    __real_os_event_set(event);
    wake(UINT64_MAX);
    leave();
}

/* --- threads --- */

struct counted {
    struct os_thread_start start;  // ours
    struct os_thread_start *wanted;
};

static void run_counted(void *arg)
{
    struct counted *c = arg;

    c->wanted->run(c->wanted->arg);
    free(c);
    enter();
    rest();
    leave();
}

bool clock_thread_run(void **thread, struct os_thread_start *start,
                      struct err *e)
{
    struct counted *c = __real_malloc(sizeof(*c));
    bool ok;

    if (c == NULL) {
        abort();
    }
    *c = (struct counted){ { run_counted, c }, start };
    enter();
    running++;
    leave();
    ok = __real_os_thread_run(thread, &c->start, e);
    if (!ok) {
        enter();
        running--;
        leave();
        free(c);
    }
    return ok;
}

void __wrap_os_thread_join(void *thread)
{
    enter();
    rest();
    leave();
    __real_os_thread_join(thread);
    enter();
    running++;
    leave();
}
