/* SPDX-License-Identifier: MIT */
/*
 * callback_fiber - a window procedure that is called from inside the kernel
 * leaves by switching to another fiber, which makes calls on a stack of its
 * own and later switches back: the outer call must not be lost.
 */
#include "target.h"

#define CALLS 100

static void *main_fiber, *other_fiber;

static void WINAPI other(void *unused)
{
    (void)unused;
    for (uint64_t i = 0; i < CALLS; i++) {
        CHECK(mark(0xf100 + i));
    }
    SwitchToFiber(main_fiber);
    CHECK(mark(0xf200));
    SwitchToFiber(main_fiber);
}

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM w, LPARAM l)
{
    if (message == WM_NCCREATE) {
        CHECK(mark(0xcb01));
        SwitchToFiber(other_fiber);
        CHECK(mark(0xcb02));
    }
    return DefWindowProcA(window, message, w, l);
}

int main(void)
{
    WNDCLASSA class = { .lpfnWndProc = procedure, .lpszClassName = "target" };
    DWORD tid = GetCurrentThreadId();
    HWND window;

    target_begin();
    class.hInstance = GetModuleHandleA(NULL);
    CHECK(RegisterClassA(&class) != 0);
    main_fiber = ConvertThreadToFiber(NULL);
    other_fiber = CreateFiber(0, other, NULL);
    window = CreateWindowA("target", "target", 0, 0, 0, 10, 10, HWND_MESSAGE,
                           NULL, class.hInstance, NULL);
    SwitchToFiber(other_fiber);
    CHECK(mark(2));
    CHECK(window != NULL);

    expect("SEQ", tid, "NtUserCreateWindowEx(* <unfinished ...>");
    expect("SEQ", tid, "--- CALLBACK {*} ---");
    expect_mark("SEQ", tid, 0xcb01);
    for (uint64_t i = 0; i < CALLS; i++) {
        expect_mark("NEXT", tid, 0xf100 + i);
    }
    expect_mark("NEXT", tid, 0xcb02);
    expect("SEQ", tid, "NtCallbackReturn(*) = ?");
    expect("SEQ", tid, "<... NtUserCreateWindowEx resumed>*) = 0x%llx*",
           u64_of(window));
    expect_mark("SEQ", tid, 0xf200);
    expect_mark("NEXT", tid, 2);
    expect_all("NOT", "*DIRECT: *");
    return target_end();
}
