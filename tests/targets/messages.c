/* SPDX-License-Identifier: MIT */
/*
 * messages - outputs of calls that cannot fail: a message that was found, one
 * that was not, and the one that ends a loop, whose result is FALSE.
 */
#define DECODED
#include "nt.h"

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    MSG message;
    POINT point;

    target_begin();
    memset(&message, 0x42, sizeof message);
    message.message = WM_LBUTTONUP;
    CHECK(!PeekMessageW(&message, NULL, WM_APP, WM_APP + 1, PM_NOREMOVE));
    expect("SEQ", tid, "NtUserPeekMessage(*=0x%llx, *) = 0", u64_of(&message));
    CHECK(PostThreadMessageW(tid, WM_APP, 5, 6));
    CHECK(PeekMessageW(&message, NULL, WM_APP, WM_APP, PM_REMOVE));
    expect("SEQ", tid,
           "NtUserPeekMessage(*={hwnd=NULL, message=*, wParam=0x5, "
           "lParam=0x6}, *) = 1");
    PostQuitMessage(3);
    CHECK(!GetMessageW(&message, NULL, 0, 0));
    expect("SEQ", tid,
           "NtUserGetMessage(*={hwnd=NULL, message=WM_QUIT, wParam=0x3, "
           "lParam=0}, *) = 0");
    expect("NOT", tid, "NtUserPeekMessage(*WM_LBUTTONUP*");
    CHECK(GetCursorPos(&point));
    return target_end();
}
