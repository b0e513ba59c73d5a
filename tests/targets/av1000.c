/* SPDX-License-Identifier: MIT */
/*
 * av1000 [FAULTS] - 1,000 access violations, each handled by a vectored
 * handler that makes a system call and goes on behind the bad instruction.
 */
#include "target.h"

/* Writes to `where`; the byte after the instruction is `after_the_write`. */
void write_badly(uint64_t where);
extern const char after_the_write[];

__asm__(".text\n"
        ".globl write_badly, after_the_write\n"
        "write_badly:\n\t"
        "movb $1, (%rcx)\n"
        "after_the_write:\n\t"
        "ret\n");

static uint64_t handled;

static LONG CALLBACK handler(EXCEPTION_POINTERS *e)
{
    if (e->ExceptionRecord->ExceptionCode != STATUS_ACCESS_VIOLATION) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    handled++;
    CHECK(mark(handled));
    e->ContextRecord->Rip = (uintptr_t)after_the_write;
    return EXCEPTION_CONTINUE_EXECUTION;
}

int main(int argc, char **argv)
{
    uint64_t faults = number_arg(argc, argv, 1, 1000);
    DWORD tid = GetCurrentThreadId();

    target_begin();
    AddVectoredExceptionHandler(1, handler);
    for (uint64_t i = 1; i <= faults; i++) {
        write_badly(0x10);
    }
    CHECK(handled == faults);

    for (uint64_t i = 1; i <= faults; i++) {
        expect("SEQ", tid, "--- EXCEPTION STATUS_ACCESS_VIOLATION {*} ---");
        expect_mark("SEQ", tid, i);
        expect("SEQ", tid, "NtContinue*(*) = ?");
    }
    expect("COUNT", tid, "%llu --- EXCEPTION *", (unsigned long long)faults);
    expect_counter(tid, 1, faults);
    printf("%d access violations\n", (int)handled);
    return target_end();
}
