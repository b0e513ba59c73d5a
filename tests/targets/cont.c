/* SPDX-License-Identifier: MIT */
/*
 * cont - NtContinue into a context with a thousand random contents: every
 * register arrives as it does untraced. The call never returns.
 */
#include "landing.h"

#define ROUNDS 1000

int main(void)
{
    static CONTEXT context;
    /* What is below RSP is the kernel's to write on, and a tracer's. */
    char volatile lane[0x10000];
    DWORD tid = GetCurrentThreadId();
    uint64_t differs = 0;

    target_begin();
    RtlCaptureContext(&context);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uintptr_t rsp = ((uintptr_t)lane + 0xf000) & ~(uintptr_t)15;

        landing_fill(&context, (void *)rsp);
        CHECK(mark(i));
        CHECK(go_and_land((void *)(uintptr_t)NtContinue, &context, NULL) ==
              LANDED);
        differs |= landing_differs(&context);
    }
    landing_tell(differs, 0);

    for (uint64_t i = 1; i <= ROUNDS; i++) {
        expect_mark(i == 1 ? "SEQ" : "NEXT", tid, i);
        expect("NEXT", tid, "NtContinue(0x%llx, 0) = ?", u64_of(&context));
    }
    expect_all("NOT", "*DIRECT: *");
    return target_end();
}
