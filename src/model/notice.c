/* SPDX-License-Identifier: MIT */
/*
 * notice.c - what is told that is no call.
 */
#include "model/world.h"

#include "base/banned.h"

void tell_notice_by(struct model_process *p, uint32_t tid, struct notice *n,
                    uint64_t time)
{
    n->process = p;
    n->pid = p->pid;
    n->tid = tid;
    n->time = time;
    if (p->model->out.notice) {
        p->model->out.notice(p->model->out.ctx, n);
    }
}

void tell_notice(struct model_thread *t, struct notice *n, uint64_t time)
{
    tell_notice_by(t->process, t->is_self ? t->process->main_tid : t->tid, n,
                   time);
}

str child_reason(uint64_t fate)
{
    static const str reasons[CHILD_FATES] = {
        [CHILD_UNTRACED] = STR_INIT("without -f"),
        [CHILD_PASSED] = STR_INIT("not named by --follow"),
        [CHILD_32BIT] = STR_INIT("32-bit program"),
        [CHILD_FAILED] = STR_INIT("it could not be"),
        [CHILD_LATE] = STR_INIT(""),
    };

    return fate < CHILD_FATES ? reasons[fate] : STR("unknown");
}

str lost_reason(uint64_t why)
{
    static const str reasons[LOST_COUNT] = {
        [LOST_FULL] = STR_INIT("ring full"),
        [LOST_DATA] = STR_INIT("ring full"),
        [LOST_INSIDE] = STR_INIT("made while the agent was at work"),
        [LOST_NO_TRACER] = STR_INIT("ring full and no tracer"),
        [LOST_NO_RING] = STR_INIT("no ring"),
        [LOST_DAMAGED] = STR_INIT("damaged"),
        [LOST_NO_MEMORY] = STR_INIT("no memory"),
    };

    return why < LOST_COUNT ? reasons[why] : STR("unknown");
}
