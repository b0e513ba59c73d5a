/* SPDX-License-Identifier: MIT */
/*
 * desk - calls of win32u by their families: menus, input, clipboard, hooks,
 * timers and messages, desktops and window stations, painting and drawing.
 * window.c is about windows themselves. Windows' and Wine's signatures of some
 * of the calls differ; the lines expected here hold what both have.
 */
#define DECODED
#include "nt.h"

static DWORD tid;
static HWND window;

static LRESULT CALLBACK on_message(HWND w, UINT message, WPARAM a, LPARAM b)
{
    return DefWindowProcW(w, message, a, b);
}

static LRESULT CALLBACK on_hook(int code, WPARAM w, LPARAM l)
{
    return CallNextHookEx(NULL, code, w, l);
}

static void menus(void)
{
    HMENU bar = CreateMenu(), menu = CreatePopupMenu();
    MENUITEMINFOW item = {
        .cbSize = sizeof item,
        .fMask = MIIM_ID | MIIM_STATE | MIIM_STRING,
        .fState = MFS_GRAYED,
        .wID = 77,
        .dwTypeData = (WCHAR[]){ L"an \"item\"" },
    };
    MENUINFO info = { .cbSize = sizeof info,
                      .fMask = MIM_STYLE,
                      .dwStyle = MNS_CHECKORBMP };
    RECT at;

    CHECK(bar != NULL && menu != NULL);
    CHECK(InsertMenuItemW(menu, 0, TRUE, &item));
    expect(
        "SEQ", tid,
        "NtUserThunkedMenuItemInfo(*0x%llx, *{fMask=*MIIM_STATE|MIIM_ID|*"
        "MIIM_STRING*fState=*, *wID=77, *dwTypeData=\"an ^\"item^\"\"}*) = 1",
        u64_of(menu));
    CHECK(AppendMenuW(bar, MF_POPUP, (UINT_PTR)menu, L"&File"));
    expect("SEQ", tid,
           "NtUserThunkedMenuItemInfo(*0x%llx, *hSubMenu=0x%llx*, "
           "*dwTypeData=\"&File\"}*) = 1",
           u64_of(bar), u64_of(menu));
    CHECK(EnableMenuItem(menu, 77, MF_BYCOMMAND | MF_ENABLED) != -1);
    expect("SEQ", tid, "NtUserEnableMenuItem(*=0x%llx, *=77, *) = *",
           u64_of(menu));
    CHECK(CheckMenuItem(menu, 77, MF_BYCOMMAND | MF_CHECKED) != (DWORD)-1);
    expect("SEQ", tid, "NtUserCheckMenuItem(*=0x%llx, *=77, *=MF_CHECKED) = *",
           u64_of(menu));
    CHECK(SetMenuInfo(bar, &info));
    expect("SEQ", tid,
           "NtUserThunkedMenuInfo(*=0x%llx, *={cbSize=40, fMask=*, dwStyle=*, "
           "*}) = 1",
           u64_of(bar));
    CHECK(SetMenu(window, bar));
    expect("SEQ", tid, "NtUserSetMenu(*0x%llx, *0x%llx*", u64_of(window),
           u64_of(bar));
    CHECK(GetMenuItemRect(window, bar, 0, &at));
    expect("SEQ", tid,
           "NtUserGetMenuItemRect(*=0x%llx, *=0x%llx, *=0, *={left=%ld, "
           "top=%ld, right=%ld, bottom=%ld}) = 1",
           u64_of(window), u64_of(bar), at.left, at.top, at.right, at.bottom);
    CHECK(DeleteMenu(menu, 77, MF_BYCOMMAND));
    expect("SEQ", tid, "NtUserDeleteMenu(*=0x%llx, *=77, *) = 1", u64_of(menu));
    CHECK(SetMenu(window, NULL));
    CHECK(DestroyMenu(bar));
    expect("SEQ", tid, "NtUserDestroyMenu(*=0x%llx) = 1", u64_of(bar));
}

static void input(void)
{
    INPUT in[2] = {
        { .type = INPUT_KEYBOARD,
          .ki = { .wVk = VK_F24, .dwFlags = KEYEVENTF_KEYUP } },
        { .type = INPUT_MOUSE,
          .mi = { .dx = 0, .dy = -1, .dwFlags = MOUSEEVENTF_MOVE } },
    };
    UINT sent = SendInput(2, in, sizeof in[0]);

    expect("SEQ", tid,
           "NtUserSendInput(*=2, *=[{type=INPUT_KEYBOARD, ki={wVk=*, wScan=0, "
           "dwFlags=KEYEVENTF_KEYUP, time=0, dwExtraInfo=0}}, "
           "{type=INPUT_MOUSE, mi={dx=0, dy=-1, mouseData=0, "
           "dwFlags=MOUSEEVENTF_MOVE, time=0, dwExtraInfo=0}}], *=40) = %u",
           sent);
    GetAsyncKeyState(VK_SHIFT);
    expect("SEQ", tid, "NtUserGetAsyncKeyState(*=VK_SHIFT) = *");
    GetKeyState(VK_CONTROL);
    expect("SEQ", tid, "NtUserGetKeyState(*=VK_CONTROL) = *");
    CHECK(RegisterHotKey(window, 1, MOD_ALT | MOD_CONTROL, VK_F24));
    expect("SEQ", tid,
           "NtUserRegisterHotKey(*=0x%llx, *=1, *=MOD_ALT|"
           "MOD_CONTROL, *) = 1",
           u64_of(window));
    CHECK(UnregisterHotKey(window, 1));
    expect("SEQ", tid, "NtUserUnregisterHotKey(*=0x%llx, *=1) = 1",
           u64_of(window));
}

static void clipboard(void)
{
    HGLOBAL text = GlobalAlloc(GMEM_MOVEABLE, 20);

    wcscpy(GlobalLock(text), L"clip");
    GlobalUnlock(text);
    CHECK(OpenClipboard(window));
    expect("SEQ", tid, "NtUserOpenClipboard(*0x%llx*) = 1", u64_of(window));
    CHECK(EmptyClipboard());
    expect("SEQ", tid, "NtUserEmptyClipboard() = 1");
    CHECK(SetClipboardData(CF_UNICODETEXT, text) != NULL);
    expect("SEQ", tid, "NtUserSetClipboardData(*=CF_UNICODETEXT, *");
    CHECK(GetClipboardData(CF_UNICODETEXT) != NULL);
    expect("SEQ", tid, "NtUserGetClipboardData(*=CF_UNICODETEXT, *");
    CHECK(EnumClipboardFormats(0) == CF_UNICODETEXT);
    CHECK(CloseClipboard());
    expect("SEQ", tid, "NtUserCloseClipboard() = 1");
}

static void messages(void)
{
    HHOOK hook = SetWindowsHookExW(WH_GETMESSAGE, on_hook, NULL, tid);
    MSG m;

    expect("SEQ", tid,
           "NtUserSetWindowsHookEx(*=%lu, *=WH_GETMESSAGE, *=desk.exe+@, *) = "
           "0x%llx",
           (unsigned long)tid, u64_of(hook));
    CHECK(UnhookWindowsHookEx(hook));
    expect("SEQ", tid, "NtUserUnhookWindowsHookEx(*=0x%llx) = 1", u64_of(hook));
    CHECK(SetTimer(window, 5, 10, NULL) == 5);
    expect("SEQ", tid, "NtUserSetTimer(*=0x%llx, *=5, *=10, *=NULL, *) = 0x5",
           u64_of(window));
    CHECK(GetMessageW(&m, window, WM_TIMER, WM_TIMER) == 1);
    expect("SEQ", tid,
           "NtUserGetMessage(lpMsg={hwnd=0x%llx, message=WM_TIMER, wParam=0x5, "
           "lParam=0}, *=0x%llx, *=WM_TIMER, *=WM_TIMER) = 1",
           u64_of(window), u64_of(window));
    DispatchMessageW(&m);
    CHECK(KillTimer(window, 5));
    expect("SEQ", tid, "NtUserKillTimer(*=0x%llx, *=5) = 1", u64_of(window));
    CHECK(PostMessageW(window, WM_KEYDOWN, VK_F5, 1));
    expect("SEQ", tid,
           "NtUserPostMessage(*=0x%llx, *=WM_KEYDOWN, *=VK_F5, *=0x1) = 1",
           u64_of(window));
    CHECK(GetMessageW(&m, window, WM_KEYFIRST, WM_KEYLAST) == 1);
    CHECK(TranslateMessage(&m));
    expect("SEQ", tid,
           "NtUserTranslateMessage(*={hwnd=0x%llx, message=WM_KEYDOWN, "
           "wParam=VK_F5, lParam=0x1}, *) = 1",
           u64_of(window));
    CHECK(PostThreadMessageW(tid, WM_APP + 3, 9, 8));
    expect("SEQ", tid,
           "NtUserPostThreadMessage(*=%lu, *=0x8003 /* WM_APP+0x3 */, *=0x9, "
           "*=0x8) = 1",
           (unsigned long)tid);
    CHECK(PeekMessageW(&m, NULL, WM_APP + 3, WM_APP + 3, PM_REMOVE));
    expect("SEQ", tid,
           "NtUserPeekMessage(*={hwnd=NULL, message=0x8003 /* WM_APP+0x3 */, "
           "wParam=0x9, lParam=0x8}, *=PM_REMOVE*) = 1");
    CHECK(SendMessageTimeoutW(window, WM_NULL, 1, 2, SMTO_BLOCK, 100, NULL));
    expect("SEQ", tid, "NtUserMessageCall(*=0x%llx, *=WM_NULL, *=0x1, *",
           u64_of(window));
}

static void desktops(void)
{
    HDESK desktop = GetThreadDesktop(tid), other;
    HWINSTA station = GetProcessWindowStation();
    USEROBJECTFLAGS flags;
    WCHAR name[100];
    DWORD need;

    expect("SEQ", tid, "NtUserGetThreadDesktop(*=%lu) = 0x%llx*",
           (unsigned long)tid, u64_of(desktop));
    expect("SEQ", tid, "NtUserGetProcessWindowStation() = 0x%llx*",
           u64_of(station));
    CHECK(
        GetUserObjectInformationW(desktop, UOI_NAME, name, sizeof name, &need));
    expect("SEQ", tid,
           "NtUserGetObjectInformation(*=0x%llx*, *=UOI_NAME, *=\"%ls\", "
           "*=200, *=[%lu]) = 1",
           u64_of(desktop), name, (unsigned long)need);
    CHECK(GetUserObjectInformationW(station, UOI_FLAGS, &flags, sizeof flags,
                                    &need));
    expect("SEQ", tid,
           "NtUserGetObjectInformation(*=0x%llx*, *=UOI_FLAGS, *={fInherit=*, "
           "fReserved=*, dwFlags=%lu}, *=12, *=[12]) = 1",
           u64_of(station), (unsigned long)flags.dwFlags);
    other =
        CreateDesktopW(L"ntstrace desktop", NULL, NULL, 0, GENERIC_ALL, NULL);
    CHECK(other != NULL);
    expect("SEQ", tid,
           "NtUserCreateDesktopEx(*ObjectName=\"ntstrace desktop\"*"
           "=GENERIC_ALL, *) = 0x%llx<*ntstrace desktop>",
           u64_of(other));
    CHECK(CloseDesktop(other));
    expect("SEQ", tid, "NtUserCloseDesktop(*=0x%llx<*ntstrace desktop>) = 1",
           u64_of(other));
    CHECK(OpenDesktopW(L"ntstrace nothing", 0, FALSE, DESKTOP_READOBJECTS) ==
          NULL);
    expect("SEQ", tid,
           "NtUserOpenDesktop(*={*ObjectName=\"ntstrace nothing\"*}, *=0, "
           "*=DESKTOP_READOBJECTS) = 0");
}

static void drawing(void)
{
    PAINTSTRUCT paint;
    WCHAR name[40];
    GUITHREADINFO gui = { .cbSize = sizeof gui };
    HDC dc;

    CHECK(GetClassNameW(window, name, COUNT_OF(name)) == 13);
    expect("SEQ", tid,
           "NtUserGetClassName(*=0x%llx, *=FALSE, *=\"ntstrace desk\") = 13",
           u64_of(window));
    CHECK(GetGUIThreadInfo(tid, &gui));
    expect("SEQ", tid,
           "NtUserGetGUIThreadInfo(*=%lu, *={cbSize=72, *, "
           "rcCaret={left=0, *}}) = 1",
           (unsigned long)tid);
    CHECK(InvalidateRect(window, NULL, TRUE));
    expect("SEQ", tid, "NtUserInvalidateRect(*=0x%llx, *=NULL, *=TRUE) = 1",
           u64_of(window));
    dc = BeginPaint(window, &paint);
    CHECK(dc != NULL);
    expect("SEQ", tid,
           "NtUserBeginPaint(*=0x%llx, *={hdc=0x%llx, fErase=%s, "
           "rcPaint={left=%ld, top=%ld, right=%ld, bottom=%ld}}) = 0x%llx",
           u64_of(window), u64_of(dc), paint.fErase ? "TRUE" : "FALSE",
           paint.rcPaint.left, paint.rcPaint.top, paint.rcPaint.right,
           paint.rcPaint.bottom, u64_of(dc));
    CHECK(Rectangle(dc, 1, 2, 3, 4));
    expect("SEQ", tid, "NtGdiRectangle(*=0x%llx, *=1, *=2, *=3, *=4) = 1",
           u64_of(dc));
    CHECK(PatBlt(dc, 5, 6, 7, 8, BLACKNESS));
    expect("SEQ", tid,
           "NtGdiPatBlt(*=0x%llx, *=5, *=6, *=7, *=8, *=BLACKNESS) = 1",
           u64_of(dc));
    CHECK(BitBlt(dc, 0, 0, 7, 8, dc, 1, 1, SRCCOPY));
    expect("SEQ", tid,
           "NtGdiBitBlt(*=0x%llx, *=0, *=0, *=7, *=8, *=0x%llx, *=1, *=1, "
           "*=SRCCOPY, *) = 1",
           u64_of(dc), u64_of(dc));
    CHECK(TextOutW(dc, 1, 2, L"drawn", 5));
    expect("SEQ", tid,
           "NtGdiExtTextOutW(*=0x%llx, *=1, *=2, *=*, *=NULL, *=\"drawn\", "
           "*=5, *) = 1",
           u64_of(dc));
    EndPaint(window, &paint);
    expect("SEQ", tid, "NtUserEndPaint(*=0x%llx, *={hdc=0x%llx, *}) = 1",
           u64_of(window), u64_of(dc));
}

int main(void)
{
    WNDCLASSW class = { .lpfnWndProc = on_message,
                        .lpszClassName = L"ntstrace desk" };

    target_begin();
    tid = GetCurrentThreadId();
    class.hInstance = GetModuleHandleW(NULL);
    CHECK(RegisterClassW(&class) != 0);
    window = CreateWindowExW(0, L"ntstrace desk", L"desk", WS_OVERLAPPEDWINDOW,
                             1, 2, 300, 200, NULL, NULL, class.hInstance, NULL);
    CHECK(window != NULL);
    menus();
    input();
    clipboard();
    messages();
    desktops();
    drawing();
    CHECK(DestroyWindow(window));
    return target_end();
}
