/* SPDX-License-Identifier: MIT */
/*
 * asks.c - may the target be asked something that one of its threads may have
 * to answer? See docs/decisions/0023-no-question-while-one-waits.md.
 */
#include "platform/win/win.h"

#include "base/banned.h"

bool os_waited_for(const struct os_process *p)
{
    return p->waited_for != NULL && p->waited_for(p->ctx);
}

bool os_may_ask(const struct os_process *p, struct err *e)
{
    if (!os_waited_for(p)) {
        return true;
    }
    atomic_fetch_add_explicit(p->refused, 1, memory_order_relaxed);
    if (e != NULL) {
        err_set(e, ERR_OS, "a thread of the program waits for us");
    }
    return false;
}
