/* SPDX-License-Identifier: MIT */
/*
 * callback - CreateWindow calls the window procedure from inside the kernel
 * (WM_NCCREATE, WM_CREATE), and that makes system calls: the outer call is
 * split, what happened inside stands between its halves.
 */
#include "target.h"

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM w, LPARAM l)
{
    if (message == WM_NCCREATE) {
        CHECK(mark(0xcb01));
        CHECK(mark(0xcb02));
    } else if (message == WM_CREATE) {
        CHECK(mark(0xcb03));
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
    CHECK(mark(1));
    window = CreateWindowA("target", "target", 0, 0, 0, 10, 10, HWND_MESSAGE,
                           NULL, class.hInstance, NULL);
    CHECK(mark(2));
    CHECK(window != NULL);

    expect_mark("SEQ", tid, 1);
    expect("SEQ", tid, "NtUserCreateWindowEx(* <unfinished ...>");
    expect("SEQ", tid, "--- CALLBACK {*} ---");
    expect_mark("SEQ", tid, 0xcb01);
    expect_mark("NEXT", tid, 0xcb02);
    expect("SEQ", tid, "NtCallbackReturn(*) = ?");
    expect("SEQ", tid, "--- CALLBACK {*} ---");
    expect_mark("SEQ", tid, 0xcb03);
    expect("SEQ", tid, "NtCallbackReturn(*) = ?");
    expect("SEQ", tid, "<... NtUserCreateWindowEx resumed>*) = 0x%llx*",
           u64_of(window));
    expect_mark("SEQ", tid, 2);
    expect_all("NOT", "*DIRECT: *");
    return target_end();
}
