/* SPDX-License-Identifier: MIT */
/*
 * window - a window class, a window, messages by name, a clipboard format, a
 * hook, a desktop: the calls of win32u as the trace tells them. Windows' and
 * Wine's signatures of some of them differ; the lines expected here hold what
 * both have.
 */
#define DECODED
#include "nt.h"

static LRESULT CALLBACK on_message(HWND window, UINT message, WPARAM w,
                                   LPARAM l)
{
    if (message == WM_USER + 7) {
        return (LRESULT)(w + (WPARAM)l);
    }
    return DefWindowProcW(window, message, w, l);
}

static LRESULT CALLBACK on_key(int code, WPARAM w, LPARAM l)
{
    return CallNextHookEx(NULL, code, w, l);
}

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    WNDCLASSW class = { .lpfnWndProc = on_message,
                        .lpszClassName = L"ntstrace class" };
    HWND window;
    HHOOK hook;
    MSG message;
    UINT format;

    target_begin();
    class.hInstance = GetModuleHandleW(NULL);
    CHECK(RegisterClassW(&class) != 0);
    window =
        CreateWindowExW(0, L"ntstrace class", L"a \"title\"", WS_POPUP, 1, 2, 3,
                        4, HWND_MESSAGE, NULL, class.hInstance, NULL);
    CHECK(window != NULL);
    expect("SEQ", tid, "NtUserRegisterClassExWOW(*\"ntstrace class\"*");
    expect("SEQ", tid,
           "NtUserCreateWindowEx(*\"ntstrace class\"*\"a ^\"title^\"\"*");

    CHECK(PostMessageW(window, WM_USER + 7, 5, 6));
    expect("SEQ", tid,
           "NtUserPostMessage(*=0x%llx, *=0x407 /* WM_USER+0x7 */, wParam=0x5, "
           "lParam=0x6) = 1",
           u64_of(window));
    CHECK(PostMessageW(window, WM_NULL, 0, 0));
    expect("SEQ", tid, "NtUserPostMessage(*=0x%llx, *=WM_NULL, *) = 1",
           u64_of(window));
    CHECK(PeekMessageW(&message, window, WM_USER + 7, WM_USER + 7, PM_REMOVE));
    expect("SEQ", tid,
           "NtUserPeekMessage(*={hwnd=0x%llx, message=0x407 /* WM_USER+0x7 */, "
           "wParam=0x5, lParam=0x6}, *=PM_REMOVE*) = 1",
           u64_of(window));
    CHECK(SetWindowPos(window, HWND_TOP, 10, 20, 30, 40,
                       SWP_NOACTIVATE | SWP_NOZORDER));
    expect("SEQ", tid,
           "NtUserSetWindowPos(*0x%llx*SWP_NOZORDER|SWP_NOACTIVATE*",
           u64_of(window));
    hook = SetWindowsHookExW(WH_KEYBOARD, on_key, NULL, tid);
    CHECK(hook != NULL);
    expect("SEQ", tid, "NtUserSetWindowsHookEx(*WH_KEYBOARD*) = 0x%llx*",
           u64_of(hook));
    CHECK(UnhookWindowsHookEx(hook));
    format = RegisterClipboardFormatW(L"ntstrace format");
    CHECK(format != 0);
    CHECK(OpenClipboard(window));
    CHECK(!IsClipboardFormatAvailable(CF_RIFF));
    expect("SEQ", tid, "NtUserOpenClipboard(*0x%llx*) = 1*", u64_of(window));
    expect("SEQ", tid, "NtUserIsClipboardFormatAvailable(*CF_RIFF) = 0");
    CHECK(CloseClipboard());
    CHECK(DestroyWindow(window));
    expect("SEQ", tid, "NtUserDestroyWindow(*0x%llx*", u64_of(window));
    CHECK(UnregisterClassW(L"ntstrace class", class.hInstance));
    expect("SEQ", tid, "NtUserUnregisterClass(*\"ntstrace class\"*) = 1");
    return target_end();
}
