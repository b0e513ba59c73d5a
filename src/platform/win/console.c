/* SPDX-License-Identifier: MIT */
/*
 * console.c - Ctrl-C, Ctrl-Break and the closing window.
 *
 * The handler runs on a thread of the system's: it counts, sets the event, and
 * returns; only a close it holds back, for 4 s at most, until the main thread
 * is done, and then sees to it that the console's mode is what it was. Keeps
 * the one state of this folder, for there is one console.
 * Fails only while it is being set up.
 */
#include "platform/win/win.h"

#include <stdatomic.h>

#include "base/banned.h"

static _Atomic(HANDLE) wake;
static _Atomic int pending[4];
static HANDLE done;
/* The console whose mode we changed for whom; NULL: none. */
static _Atomic(HANDLE) changed[CONSOLE_USERS];

static BOOL WINAPI on_control(DWORD kind)
{
    enum os_interrupt which = OS_INTERRUPT_CLOSE;

    if (kind == CTRL_C_EVENT) {
        which = OS_INTERRUPT_CTRL_C;
    } else if (kind == CTRL_BREAK_EVENT) {
        which = OS_INTERRUPT_CTRL_BREAK;
    }
    atomic_fetch_add(&pending[which], 1);
    SetEvent(atomic_load(&wake));
    if (which == OS_INTERRUPT_CLOSE) {
        /* The system ends us when this returns. */
        WaitForSingleObject(done, 4000);
        for (int i = 0; i < CONSOLE_USERS; i++) {
            win_console_plain((enum win_console_user)i);
        }
    }
    return TRUE;
}

bool os_interrupt_watch(void *event, struct err *e)
{
    atomic_store(&wake, event);
    done = CreateEventW(NULL, TRUE, FALSE, NULL);
    /* A parent may have had Ctrl-C ignored; the target inherits that, so it
     * is left as it is. */
    if (done == NULL || !SetConsoleCtrlHandler(on_control, TRUE)) {
        return win_fail(e, "cannot watch for Ctrl-C");
    }
    return true;
}

enum os_interrupt os_interrupt_take(void)
{
    for (int i = OS_INTERRUPT_CTRL_C; i <= OS_INTERRUPT_CLOSE; i++) {
        if (atomic_load(&pending[i]) > 0) {
            atomic_fetch_sub(&pending[i], 1);
            return (enum os_interrupt)i;
        }
    }
    return OS_INTERRUPT_NONE;
}

void os_interrupt_done(void)
{
    atomic_store(&wake, NULL);
    if (done != NULL) {
        SetEvent(done);
    }
}

/* True if the console takes an escape sequence for one. Some take the mode
 * for it and show the sequences all the same. The one that is tried changes
 * nothing; where it shows, it is wiped out. */
static bool takes_sequences(HANDLE h)
{
    static const wchar_t ascii[] = L"\x1b(B";  // the character set in use
    CONSOLE_SCREEN_BUFFER_INFO before, after;
    DWORD size = COUNT_OF(ascii) - 1;
    DWORD put;

    if (!GetConsoleScreenBufferInfo(h, &before) ||
        !WriteConsoleW(h, ascii, size, &put, NULL) ||
        !GetConsoleScreenBufferInfo(h, &after)) {
        return false;
    }
    if (before.dwCursorPosition.X == after.dwCursorPosition.X &&
        before.dwCursorPosition.Y == after.dwCursorPosition.Y) {
        return true;
    }
    FillConsoleOutputCharacterW(h, L' ', size, before.dwCursorPosition, &put);
    SetConsoleCursorPosition(h, before.dwCursorPosition);
    return false;
}

bool os_is_terminal(const struct os_file *f)
{
    return f->console;
}

/* Only our own bit: the target may have changed others. */
static void take_back(HANDLE console)
{
    DWORD mode;

    if (GetConsoleMode(console, &mode)) {
        SetConsoleMode(console,
                       mode & ~(DWORD)ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
}

bool win_console_sequences(HANDLE console, enum win_console_user user)
{
    DWORD mode;

    if (!GetConsoleMode(console, &mode)) {
        return false;
    }
    if (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) {
        return takes_sequences(console);
    }
    if (!SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING)) {
        return false;
    }
    atomic_store(&changed[user], console);
    if (!takes_sequences(console)) {
        win_console_plain(user);
        return false;
    }
    return true;
}

void win_console_plain(enum win_console_user user)
{
    HANDLE h = atomic_exchange(&changed[user], NULL);

    if (h != NULL) {
        take_back(h);
    }
}

bool os_console_colours(const struct os_file *f)
{
    return f->console && win_console_sequences(f->handle, CONSOLE_COLOURS);
}

void os_console_restore(void)
{
    win_console_plain(CONSOLE_COLOURS);
}

bool os_variable_set(const char *name)
{
    return GetEnvironmentVariableA(name, NULL, 0) > 1;
}

bool os_shares_console(const struct os_process *p)
{
    DWORD some[256];
    DWORD count = GetConsoleProcessList(some, COUNT_OF(some));

    if (count == 0 || count > COUNT_OF(some)) {
        return true;  // not told: a program that we started has ours
    }
    for (DWORD i = 0; i < count; i++) {
        if (some[i] == p->pid) {
            return true;
        }
    }
    return false;
}
