/* SPDX-License-Identifier: MIT */
/*
 * os.h - what ntstrace asks of the system that it runs on itself: text, time,
 * files, a console, threads of its own. What it asks of a process that it
 * traces is in target.h.
 *
 * platform/win/ and platform/posix/ answer. Nothing outside platform/win
 * includes windows.h.
 *
 * Text that goes to the system and comes from it is UTF-16 where it must
 * survive unchanged (command lines, paths), UTF-8 elsewhere. Addresses of
 * another process are uint64_t; pointers are ours.
 *
 * A function that can fail returns false, or NULL where it opens a handle, and
 * fills `*e` (base/err.h) if it takes one; those that take none have nothing to
 * say but that it did not work. Every
 * os_*_close takes what the open gave, and also a zeroed struct or NULL, on
 * which it does nothing.
 */
#ifndef PLATFORM_OS_H
#define PLATFORM_OS_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-16 text, borrowed; `size` in units. Followed by a 0 unit where it was
 * made by this header's functions. */
struct str16 {
    const uint16_t *p;
    size_t size;
};

/* --- text.c --- */

/* WTF-8 of `s` into `b`: unpaired surrogates survive. */
void os_to_utf8(struct buf *b, struct str16 s);
/* UTF-16 of WTF-8 `s`, NUL-terminated, in memory that os_free takes back. */
uint16_t *os_to_utf16(str s);
void os_free(void *p);

/* Our own command line, as GetCommandLineW gives it. */
struct str16 os_command_line(void);

/* --- sync.c --- */

void *os_event_open(bool manual, struct err *e);
void os_event_set(void *event);
void os_event_reset(void *event);
/* Sets a manual one and resets it: who waits for it now is woken, who comes a
 * moment later is not. */
void os_event_pulse(void *event);
void os_event_close(void *event);
/* Waits until one of `count` (<= 64) handles is signalled; its index, or -1
 * after `ms`. */
int os_wait(void *const *handles, int count, uint32_t ms);
void os_sleep(uint32_t ms);
/* Lets others run for a moment, while polling: the other half of a core that
 * has two; whoever else wants this core. */
void os_relax(void);
void os_yield(void);

struct os_thread_start {
    void (*run)(void *arg);
    void *arg;
};
/* Runs start->run(start->arg) on a thread of ours; `start` must live. */
bool os_thread_run(void **thread, struct os_thread_start *start, struct err *e);
/* Waits for its end; or leaves it to itself. Both give the handle back. */
void os_thread_join(void *thread);
void os_thread_leave(void *thread);

struct os_clock {
    uint64_t tsc;      // read between the two others
    uint64_t counter;  // performance counter
    uint64_t wall;     // 100 ns since 1601, UTC
};
void os_clock_read(struct os_clock *out);
uint64_t os_counter_frequency(void);
/* Seconds that local time is ahead of UTC now. */
int32_t os_utc_offset(void);
uint64_t os_tsc(void);

/* --- console.c --- */

enum os_interrupt {
    OS_INTERRUPT_NONE,
    OS_INTERRUPT_CTRL_C,
    OS_INTERRUPT_CTRL_BREAK,
    OS_INTERRUPT_CLOSE,  // the window closes, the user logs off
};
/* From now on Ctrl-C and the like set `event` and are told, once each, by
 * os_interrupt_take; the process is not ended by them. A close waits until
 * os_interrupt_done, after which `event` is not set any more. */
bool os_interrupt_watch(void *event, struct err *e);
enum os_interrupt os_interrupt_take(void);
void os_interrupt_done(void);
/* True if the environment variable `name` is there and not empty. */
bool os_variable_set(const char *name);

/* --- screen.c --- */

/* A terminal as a screen, drawn by sequences, with keys that are told one by one.
 * It is standard output if that is a console which takes sequences; `forced`:
 * whatever it is, with keys from standard input, as for terminals that are pipes
 * to us. False: there is none. What is needed for it of the console's mode is put
 * back by os_screen_close. What is drawn, and that it is wiped out, is the affair
 * of who draws. */
bool os_screen_open(bool forced);
void os_screen_close(void);
/* Its size just now, or that of standard output where there is no screen; 80 by 24 if
 * that cannot be known. */
void os_screen_size(uint32_t *columns, uint32_t *rows);
/* The next key that was pressed, as a character of Unicode; 0: none was. */
uint32_t os_screen_key(void);

/* --- file.c --- */

struct os_file {
    void *handle;
    bool owned;
    bool console;
};
struct os_file os_stdout(void);
struct os_file os_stderr(void);
/* Has the console of `f` understand colours, until os_console_restore, which
 * every way out of the process comes by. False: `f` is no console, or its
 * console knows none. */
bool os_console_colours(const struct os_file *f);
void os_console_restore(void);
/* A line that is drawn again and again may be shown there. */
bool os_is_terminal(const struct os_file *f);
/* Creates or empties `path`; not inherited by the target. Fails, and leaves it as
 * it is, if it is a file that was read: by os_file_open, os_file_head. */
bool os_file_create(struct os_file *out, str path, struct err *e);
/* A pipe into a command, run by the command interpreter; with our other
 * standard handles. *process is its process, owned. */
bool os_pipe_into(struct os_file *out, void **process, str command,
                  struct err *e);
/* Waits until the process of a pipe that is closed has ended; NULL is fine. */
void os_pipe_wait(void *process);
/* `path`, one of Windows, as the system would open it from our directory, into
 * `b`; as it is if it is none, and where there is no Windows. */
void os_full_path(struct buf *b, str path);
/* All of `bytes`, or an error that names nothing but the reason; ERR_UNREAD: who
 * was to read them has left. On systems that end a process for that they end us,
 * where the file is not one of ours. */
bool os_file_write(struct os_file *f, str bytes, struct err *e);
bool os_file_close(struct os_file *f, struct err *e);
/* Opens the file `path` for reading, also while another process writes to it;
 * it must be one that has its bytes in places. The error names it. */
bool os_file_open(struct os_file *out, str path, struct err *e);
/* Reads up to `size` bytes from `offset`; *got is less only where the file
 * ends. The error names nothing but the reason. */
bool os_file_read_at(struct os_file *f, uint64_t offset, void *to, size_t size,
                     size_t *got, struct err *e);
bool os_file_size(const struct os_file *f, uint64_t *size, struct err *e);
/* Cuts off what lies behind `size` bytes of a file that was created; what is
 * written next goes there. */
bool os_file_truncate(struct os_file *f, uint64_t size, struct err *e);
/* Reads at most `room` bytes from the head of the file at `path`, and says
 * how large it is. */
bool os_file_head(const uint16_t *path, void *to, size_t room, size_t *size,
                  uint64_t *file_size, struct err *e);
/* Tells `visit` the path of each file PREFIX.*, of any kind, in no order, until
 * it says false. `prefix` may have folders, which are in the paths as they stand
 * there. False: they cannot be read. */
bool os_files_beginning(str prefix, bool (*visit)(void *ctx, str path),
                        void *ctx, struct err *e);

/* --- machine.c --- */

/* The name of this machine in its network. */
void os_machine_name(struct buf *b);
/* "Windows 10.0 build 19045", under Wine followed by ", Wine 10.0"; or what
 * else it is, "Linux 6.1.0 x86_64". */
void os_system_name(struct buf *b);

#endif
