/* SPDX-License-Identifier: MIT */
/*
 * setcontext [ROUNDS] - NtSetContextThread on the calling thread, with a
 * thousand random contexts: the call ends wherever the context says, and
 * every register arrives that arrives untraced. R10 is left out: the kernel
 * itself uses it to tell an instrumentation callback where the thread goes
 * (docs/visibility.md), so that a traced thread never gets it back.
 */
#include "landing.h"

#define R10 10

int main(int argc, char **argv)
{
    uint64_t rounds = number_arg(argc, argv, 1, 1000);
    static CONTEXT context;
    /* What is below RSP is the kernel's to write on, and a tracer's. */
    char volatile lane[0x10000];
    DWORD tid = GetCurrentThreadId();
    uint64_t differs = 0;

    target_begin();
    RtlCaptureContext(&context);
    for (uint64_t i = 1; i <= rounds; i++) {
        uintptr_t rsp = ((uintptr_t)lane + 0xf000) & ~(uintptr_t)15;

        landing_fill(&context, (void *)rsp);
        CHECK(mark(i));
        CHECK(go_and_land((void *)(uintptr_t)NtSetContextThread, THIS_THREAD,
                          &context) == LANDED);
        differs |= landing_differs(&context);
    }
    landing_tell(differs, 1u << R10);

    for (uint64_t i = 1; i <= rounds; i++) {
        expect_mark(i == 1 ? "SEQ" : "NEXT", tid, i);
        expect("NEXT", tid,
               "NtSetContextThread(0xfffffffffffffffe, 0x%llx)"
               " = *",
               u64_of(&context));
    }
    expect_all("NOT", "*DIRECT: *");
    return target_end();
}
