/* SPDX-License-Identifier: MIT */
/*
 * console.c - Ctrl-C, Ctrl-\, the terminal that hangs up.
 *
 * The signals are blocked in all threads of ours and taken by one that does
 * nothing else: it counts, sets the event, and waits for the next. One that is
 * ignored, as by nohup, stays so. Keeps the one state of this folder, for there
 * is one terminal. Fails only while it is being set up.
 */
#include "platform/posix/posix.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *wake;  // NULL: nobody is interested any more
static _Atomic int pending[4];
static sigset_t watched;

static enum os_interrupt kind_of(int signal)
{
    switch (signal) {
    case SIGINT:
        return OS_INTERRUPT_CTRL_C;
    case SIGQUIT:
        return OS_INTERRUPT_CTRL_BREAK;
    default:
        return OS_INTERRUPT_CLOSE;
    }
}

static void *watch(void *unused)
{
    int signal;

    (void)unused;
    for (;;) {
        if (sigwait(&watched, &signal) == 0) {
            atomic_fetch_add(&pending[kind_of(signal)], 1);
            pthread_mutex_lock(&lock);
            if (wake != NULL) {
                os_event_set(wake);
            }
            pthread_mutex_unlock(&lock);
        }
    }
    return NULL;
}

bool os_interrupt_watch(void *event, struct err *e)
{
    static const int signals[] = { SIGINT, SIGQUIT, SIGHUP, SIGTERM };
    pthread_t thread;
    int why;

    wake = event;
    sigemptyset(&watched);
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        struct sigaction now;

        if (sigaction(signals[i], NULL, &now) == 0 &&
            now.sa_handler != SIG_IGN) {
            sigaddset(&watched, signals[i]);
        }
    }
    why = pthread_sigmask(SIG_BLOCK, &watched, NULL);
    if (why == 0) {
        why = pthread_create(&thread, NULL, watch, NULL);
    }
    if (why != 0) {
        errno = why;
        return posix_fail(e, "cannot watch for Ctrl-C");
    }
    pthread_detach(thread);
    return true;
}

enum os_interrupt os_interrupt_take(void)
{
    for (int i = OS_INTERRUPT_CTRL_C; i <= OS_INTERRUPT_CLOSE; i++) {
        if (atomic_load(&pending[i]) > 0) {
            atomic_fetch_sub(&pending[i], 1);
            return (enum os_interrupt)i;
        }
    }
    return OS_INTERRUPT_NONE;
}

void os_interrupt_done(void)
{
    pthread_mutex_lock(&lock);
    wake = NULL;
    pthread_mutex_unlock(&lock);
}

bool os_is_terminal(const struct os_file *f)
{
    const char *kind = getenv("TERM");

    return f->console && kind != NULL && strcmp(kind, "dumb") != 0;
}

bool os_console_colours(const struct os_file *f)
{
    return os_is_terminal(f);
}

void os_console_restore(void)
{
    /* Terminals need no mode for colours. */
}

bool os_variable_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != 0;
}
