/* SPDX-License-Identifier: MIT */
/*
 * apc3000 [ROUNDS] - 1,000 times an alertable wait is interrupted by an APC
 * whose routine waits alertably and is interrupted by an APC whose routine
 * does it again. Each interrupted call gets its result before the APC's line,
 * and each APC leaves through NtContinue.
 */
#include "target.h"

#define DEPTH 3

static uint64_t arrived, interrupted;

static void CALLBACK apc(ULONG_PTR depth, ULONG_PTR round, ULONG_PTR unused);

static void wait_for_apc(ULONG_PTR depth, ULONG_PTR round)
{
    /* Ten seconds: a lost APC is a slow failure, not a hang. */
    LARGE_INTEGER delay = { .QuadPart = -10 * 10000000ll };

    NtQueueApcThread(THIS_THREAD, (void *)(uintptr_t)apc, (void *)depth,
                     (void *)round, NULL);
    interrupted += NtDelayExecution(TRUE, &delay) == STATUS_APC;
}

static void CALLBACK apc(ULONG_PTR depth, ULONG_PTR round, ULONG_PTR unused)
{
    (void)unused;
    arrived++;
    if (depth < DEPTH) {
        wait_for_apc(depth + 1, round);
    } else {
        CHECK(mark(round));
    }
}

int main(int argc, char **argv)
{
    uint64_t rounds = number_arg(argc, argv, 1, 1000);
    DWORD tid = GetCurrentThreadId();

    target_begin();
    for (uint64_t i = 1; i <= rounds; i++) {
        wait_for_apc(1, i);
    }
    CHECK(arrived == rounds * DEPTH);
    CHECK(interrupted == rounds * DEPTH);

    for (uint64_t i = 1; i <= rounds; i++) {
        for (unsigned depth = 1; depth <= DEPTH; depth++) {
            expect(i + depth == 2 ? "SEQ" : "NEXT", tid,
                   "NtQueueApcThread(0xfffffffffffffffe, 0x%llx, %u, 0x%llx,"
                   " 0) = 0",
                   u64_of((void *)(uintptr_t)apc), depth,
                   (unsigned long long)i);
            expect("NEXT", tid,
                   "NtDelayExecution(1, *) = 0xc0 STATUS_USER_APC");
            expect("NEXT", tid, "--- APC {*} ---");
        }
        expect_mark("NEXT", tid, i);
        for (unsigned depth = 1; depth <= DEPTH; depth++) {
            expect("NEXT", tid, "NtContinue*(*) = ?");
        }
    }
    printf("%d APCs\n", (int)arrived);
    return target_end();
}
