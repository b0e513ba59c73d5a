/* SPDX-License-Identifier: MIT */
/*
 * shapes - calls of win32u that have other parameters on Windows than under
 * Wine: each line is told with all of them and with none beside them. What
 * differs between builds of Windows as well is held by name and result there.
 */
#define DECODED
#include "nt.h"

static DWORD tid;
static bool wine;

static void a_device_context(HWND window)
{
    HDC dc = GetDC(window);

    CHECK(dc != NULL);
    CHECK(ReleaseDC(window, dc));
    if (wine) {
        expect("SEQ", tid, "NtUserReleaseDC(hwnd=0x%llx, hdc=0x%llx) = 1",
               u64_of(window), u64_of(dc));
    } else {
        expect("SEQ", tid, "NtUserReleaseDC(hdc=0x%llx) = 1", u64_of(dc));
    }
}

static void a_message(HWND window)
{
    MSG m;

    CHECK(PostMessageW(window, WM_APP + 1, 2, 3));
    CHECK(PeekMessageW(&m, window, WM_APP, WM_APP + 4, PM_REMOVE));
    expect("SEQ", tid,
           "NtUserPeekMessage(lpMsg={hwnd=0x%llx, message=0x8001 /* WM_APP+0x1 "
           "*/, wParam=0x2, lParam=0x3}, hWnd=0x%llx, wMsgFilterMin=WM_APP, "
           "wMsgFilterMax=0x8004 /* WM_APP+0x4 */, wRemoveMsg=PM_REMOVE%s) = 1",
           u64_of(window), u64_of(window),
           wine ? "" : "*");  // one parameter more from build 17763 on
}

static void displays(void)
{
    DISPLAYCONFIG_PATH_INFO paths[8];
    DISPLAYCONFIG_MODE_INFO modes[16];
    UINT32 path_count = 0;
    UINT32 mode_count = 0;
    LONG result =
        GetDisplayConfigBufferSizes(QDC_ALL_PATHS, &path_count, &mode_count);

    if (wine) {
        expect("SEQ", tid,
               "NtUserGetDisplayConfigBufferSizes(flags=0x1, num_path_info=[*]"
               ", num_mode_info=[*]) = %ld",
               result);
    } else {
        expect("SEQ", tid, "NtUserGetDisplayConfigBufferSizes(*) = *");
    }
    path_count = 0;
    mode_count = 0;
    /* Nowhere to put any: it says that, or that there are none. */
    result = QueryDisplayConfig(QDC_ALL_PATHS, &path_count, paths, &mode_count,
                                modes, NULL);
    if (wine) {
        expect("SEQ", tid,
               "NtUserQueryDisplayConfig(flags=0x1, paths_count=[0*], paths=*, "
               "modes_count=[0*], modes=*, topology_id=NULL) = %ld",
               result);
    } else {
        expect("SEQ", tid, "NtUserQueryDisplayConfig(*) = *");
    }
    CHECK(ChangeDisplaySettingsExW(L"no such display", NULL, NULL, CDS_TEST,
                                   NULL) == DISP_CHANGE_BADPARAM);
    expect("SEQ", tid,
           "NtUserChangeDisplaySettings(devname=\"no such display\", "
           "devmode=NULL, %sflags=CDS_TEST, lparam=NULL) = -5",
           wine ? "hwnd=NULL, " : "");
}

int main(void)
{
    HWND window;

    tid = GetCurrentThreadId();
    wine = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") !=
           NULL;
    target_begin();
    window = CreateWindowExW(0, L"STATIC", L"a window", WS_POPUP, 1, 2, 3, 4,
                             HWND_MESSAGE, NULL, NULL, NULL);
    CHECK(window != NULL);
    if (wine) {
        expect("SEQ", tid,
               "NtUserCreateWindowEx(ex_style=0, class_name=\"STATIC\", "
               "version=*, window_name=\"a window\", style=*, x=1, y=2, cx=3, "
               "cy=4, parent=*, menu=NULL, instance=*, params=NULL, flags=*, "
               "client_instance=*, unk=*, ansi=FALSE <unfinished ...>");
    } else {
        expect("SEQ", tid,
               "NtUserCreateWindowEx(dwExStyle=0, ClassName=*, "
               "ClassVersion=*, WindowName=*, dwStyle=*, X=1, Y=2, nWidth=3, "
               "nHeight=4, hWndParent=*, hMenu=NULL, hInstance=*, "
               "lpParam=NULL, dwFlags=*, arg15=*, arg16=*, arg17=*");
    }
    a_device_context(window);
    a_message(window);
    displays();
    CHECK(DestroyWindow(window));
    return target_end();
}
