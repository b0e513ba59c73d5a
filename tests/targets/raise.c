/* SPDX-License-Identifier: MIT */
/*
 * raise - NtRaiseException, a call that does not return but enters the
 * exception dispatcher; a vectored handler makes a call and continues.
 * RaiseException would not do: it dispatches without the kernel.
 */
#include "target.h"

#define CODE 0xe0001234
#define ROUNDS 100

static uint64_t handled;

static LONG CALLBACK handler(EXCEPTION_POINTERS *e)
{
    if (e->ExceptionRecord->ExceptionCode != CODE) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    handled++;
    CHECK(e->ExceptionRecord->NumberParameters == 1);
    CHECK(e->ExceptionRecord->ExceptionInformation[0] == handled);
    CHECK(mark(handled));
    return EXCEPTION_CONTINUE_EXECUTION;
}

int main(void)
{
    static EXCEPTION_RECORD record;
    static CONTEXT context;
    static uint64_t volatile raised;
    DWORD tid = GetCurrentThreadId();

    target_begin();
    AddVectoredExceptionHandler(1, handler);
    /* The handler continues behind this line, until all are raised. */
    RtlCaptureContext(&context);
    while (raised < ROUNDS) {
        raised++;
        record.ExceptionCode = CODE;
        record.NumberParameters = 1;
        record.ExceptionInformation[0] = raised;
        NtRaiseException(&record, &context, TRUE);
        CHECK(!"NtRaiseException came back");
    }
    CHECK(handled == ROUNDS);

    for (uint64_t i = 1; i <= ROUNDS; i++) {
        expect("SEQ", tid, "NtRaiseException(0x%llx, 0x%llx, 1) = ?",
               u64_of(&record), u64_of(&context));
        expect("NEXT", tid, "--- EXCEPTION 0xe0001234 {*} ---");
        expect_mark("SEQ", tid, i);
        expect("SEQ", tid, "NtContinue*(*) = ?");
    }
    printf("%d raised\n", (int)handled);
    return target_end();
}
