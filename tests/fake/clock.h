/* SPDX-License-Identifier: MIT */
/*
 * clock.h - time on the system that does not exist (fake.h).
 *
 * It passes when everybody waits, and then at once: up to the first moment at
 * which one of them is to go on. (And by 1 us with each look at it, as looking
 * does take time; who polls sees it pass.) So a deadline costs nothing, and a
 * slow machine misses none.
 *
 * clock.c answers what platform/os.h has of clocks, of waiting and of threads
 * (--wrap); events are the real ones. For that to be right, whatever waits for
 * another thread has to wait by these, and never with a lock in its hands that
 * the other one takes.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include "platform/os.h"

/* os_thread_run as it is without fake.c, which may refuse it. */
bool clock_thread_run(void **thread, struct os_thread_start *start,
                      struct err *e);
/* Lets `us` pass. */
void clock_pass(uint32_t us);

#endif
