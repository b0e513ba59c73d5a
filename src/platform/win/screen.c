/* SPDX-License-Identifier: MIT */
/*
 * screen.c - a console as a screen, and keys typed on it; or a pipe that somebody
 * else has made a terminal of.
 *
 * Touches the mode of the console, one bit of it, and takes its input. That stays
 * as it is: what is typed is read as keys, so that nothing echoes it, and Ctrl-C is
 * the signal that it was. Keeps the one state of its kind, for there is one screen.
 * Cannot fail in a way that would matter to who draws.
 */
#include "platform/win/win.h"

#include <stdatomic.h>

#include "base/banned.h"

#define COLUMNS_USUAL 80u
#define ROWS_USUAL 24u

static HANDLE
    keys;  // input of the console; NULL: there is none, or `forced_open`
static bool forced_open;
/* A byte that came from standard input, and was not asked for yet; 0: none. */
static _Atomic uint32_t typed;

/* Reads standard input, of whatever kind, a byte at a time, for that is all that a
 * key is that means something. Ends with it, or with us. */
static void read_keys(void *input)
{
    DWORD got = 0;
    uint8_t byte;

    while (ReadFile(input, &byte, 1, &got, NULL) && got == 1) {
        while (atomic_load(&typed) != 0) {
            Sleep(1);
        }
        atomic_store(&typed, byte);
    }
}

bool os_screen_open(bool forced)
{
    struct os_file f = os_stdout();

    if (!forced &&
        (!f.console || !win_console_sequences(f.handle, CONSOLE_SCREEN))) {
        return false;
    }
    forced_open = forced;
    if (forced) {
        static struct os_thread_start start = { read_keys, NULL };
        void *thread;
        struct err ignored;

        start.arg = GetStdHandle(STD_INPUT_HANDLE);
        if (os_thread_run(&thread, &start, &ignored)) {
            os_thread_leave(thread);
        }
        return true;
    }
    /* The console's own, whatever standard input is. */
    keys = CreateFileW(L"CONIN$", GENERIC_READ | GENERIC_WRITE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                       0, NULL);
    keys = keys != INVALID_HANDLE_VALUE ? keys : NULL;
    return true;
}

void os_screen_close(void)
{
    win_console_plain(CONSOLE_SCREEN);
}

/* An environment variable that is a number; `otherwise` if it is none. */
static uint32_t number_of(const char *name, uint32_t otherwise)
{
    char room[16];
    DWORD size = GetEnvironmentVariableA(name, room, sizeof(room));
    uint64_t n = 0;

    return size > 0 && size < sizeof(room) &&
                   str_to_u64((str){ room, size }, &n) && n < 10000
               ? (uint32_t)n
               : otherwise;
}

void os_screen_size(uint32_t *columns, uint32_t *rows)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!forced_open &&
        GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &info)) {
        *columns = (uint32_t)(info.srWindow.Right - info.srWindow.Left + 1);
        *rows = (uint32_t)(info.srWindow.Bottom - info.srWindow.Top + 1);
        return;
    }
    *columns = number_of("COLUMNS", COLUMNS_USUAL);
    *rows = number_of("LINES", ROWS_USUAL);
}

uint32_t os_screen_key(void)
{
    INPUT_RECORD record;
    DWORD there = 0;
    DWORD got = 0;

    if (keys == NULL) {
        return atomic_exchange(&typed, 0);
    }
    /* What is no key (the mouse, the window's size) is taken as well, or it would
     * stand in front of the keys for ever. */
    while (GetNumberOfConsoleInputEvents(keys, &there) && there > 0 &&
           ReadConsoleInputW(keys, &record, 1, &got) && got == 1) {
        if (record.EventType == KEY_EVENT && record.Event.KeyEvent.bKeyDown &&
            record.Event.KeyEvent.uChar.UnicodeChar != 0) {
            return record.Event.KeyEvent.uChar.UnicodeChar;
        }
    }
    return 0;
}
