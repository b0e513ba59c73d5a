/* SPDX-License-Identifier: MIT */
/*
 * sync.c - events, waiting, our own threads, clocks.
 *
 * All events share one lock and one condition: whoever waits looks at its own
 * whenever any is set. Touches our own process only; fails without memory, or
 * if there can be no further thread.
 */
#include "platform/posix/posix.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "base/banned.h"

#define NS_PER_SECOND 1000000000

/* 100 ns between 1601 and 1970. */
#define UNIX_EPOCH UINT64_C(116444736000000000)

struct event {
    bool manual;  // stays set until it is reset
    bool set;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Waits count by the clock that nobody sets. */
static void begin(void)
{
    pthread_condattr_t by;

    pthread_condattr_init(&by);
    pthread_condattr_setclock(&by, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &by);
    pthread_condattr_destroy(&by);
}

void *os_event_open(bool manual, struct err *e)
{
    struct event *event = calloc(1, sizeof(*event));

    pthread_once(&once, begin);
    if (event == NULL) {
        err_set(e, ERR_OS, "cannot create an event: out of memory");
        return NULL;
    }
    event->manual = manual;
    return event;
}

static void put(struct event *event, bool set)
{
    pthread_mutex_lock(&lock);
    event->set = set;
    if (set) {
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
}

void os_event_set(void *event)
{
    put(event, true);
}

void os_event_reset(void *event)
{
    put(event, false);
}

void os_event_pulse(void *event)
{
    put(event, true);
    put(event, false);
}

void os_event_close(void *event)
{
    free(event);
}

/* The first of the events that is set, which is taken; -1: none. */
static int take(void *const *events, int count)
{
    for (int i = 0; i < count; i++) {
        struct event *event = events[i];

        if (event->set) {
            event->set = event->manual;
            return i;
        }
    }
    return -1;
}

static struct timespec in(uint32_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= NS_PER_SECOND) {
        t.tv_sec++;
        t.tv_nsec -= NS_PER_SECOND;
    }
    return t;
}

int os_wait(void *const *handles, int count, uint32_t ms)
{
    struct timespec until = in(ms);
    int taken;

    pthread_once(&once, begin);
    pthread_mutex_lock(&lock);
    while ((taken = take(handles, count)) < 0 && ms > 0 &&
           pthread_cond_timedwait(&changed, &lock, &until) != ETIMEDOUT) {
    }
    if (taken < 0) {
        taken = take(handles, count);
    }
    pthread_mutex_unlock(&lock);
    return taken;
}

void os_sleep(uint32_t ms)
{
    struct timespec until = in(ms);

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
           EINTR) {
    }
}

void os_relax(void)
{
    __builtin_ia32_pause();
}

void os_yield(void)
{
    sched_yield();
}

static void *run(void *arg)
{
    struct os_thread_start *start = arg;

    start->run(start->arg);
    return NULL;
}

bool os_thread_run(void **thread, struct os_thread_start *start, struct err *e)
{
    pthread_t *made = malloc(sizeof(*made));
    int why = made == NULL ? ENOMEM : pthread_create(made, NULL, run, start);

    if (why != 0) {
        free(made);
        errno = why;
        return posix_fail(e, "cannot start a thread");
    }
    *thread = made;
    return true;
}

void os_thread_join(void *thread)
{
    pthread_t *made = thread;

    if (made != NULL) {
        pthread_join(*made, NULL);
        free(made);
    }
}

void os_thread_leave(void *thread)
{
    pthread_t *made = thread;

    if (made != NULL) {
        pthread_detach(*made);
        free(made);
    }
}

uint64_t os_tsc(void)
{
    return __builtin_ia32_rdtsc();
}

static uint64_t counter(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

void os_clock_read(struct os_clock *out)
{
    uint64_t best = UINT64_MAX;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    out->wall = UNIX_EPOCH + (uint64_t)now.tv_sec * 10000000 +
                (uint64_t)now.tv_nsec / 100;
    /* The pair that was read with the least between. */
    for (int i = 0; i < 5; i++) {
        uint64_t a = counter();
        uint64_t t = os_tsc();
        uint64_t b = counter();

        if (b - a < best) {
            best = b - a;
            out->tsc = t;
            out->counter = a + (b - a) / 2;
        }
    }
}

uint64_t os_counter_frequency(void)
{
    return NS_PER_SECOND;
}

int32_t os_utc_offset(void)
{
    time_t now = time(NULL);
    struct tm local, utc;
    int days;

    tzset();
    if (localtime_r(&now, &local) == NULL || gmtime_r(&now, &utc) == NULL) {
        return 0;
    }
    days = local.tm_yday - utc.tm_yday;
    if (local.tm_year != utc.tm_year) {
        days = local.tm_year > utc.tm_year ? 1 : -1;
    }
    return ((days * 24 + local.tm_hour - utc.tm_hour) * 60 + local.tm_min -
            utc.tm_min) *
           60;
}
