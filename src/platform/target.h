/* SPDX-License-Identifier: MIT */
/*
 * target.h - what the tracer asks of the system about a process that it
 * traces: start it, read and write its memory, its threads, its handles. (And
 * the same about our own process, which has the same system's modules mapped.)
 *
 * platform/win/ answers for real; platform/posix/ says that it needs Windows;
 * tests/fake/ answers for a process that does not exist.
 *
 * Addresses of another process are uint64_t; pointers are ours. Failing is as
 * in os.h.
 */
#ifndef PLATFORM_TARGET_H
#define PLATFORM_TARGET_H

#include "base/err.h"
#include "base/str.h"
#include "platform/os.h"

#include <stdatomic.h>

/* --- process.c --- */

struct os_process {
    uint32_t pid;
    uint32_t tid;   // of the initial thread
    void *process;  // handle, owned
    void *thread;   // handle of the initial thread, owned
    /* Handle, owned: ends the process with us, until it runs; NULL: one that
     * we have not started. */
    void *job;
    /* Of its PEB, if os_process_learn has said so; 0: to be read. */
    uint64_t image;
    uint64_t parameters;
    /* Is a thread of the process waiting for us just now? NULL: none can.
     * Asked before every question that some systems have a thread of the
     * process answer: marked [asks] below. Those are refused while one waits,
     * and the refusal counted: to have asked at all is a fault of ours. */
    bool (*waited_for)(void *ctx);
    void *ctx;
    _Atomic uint32_t *refused;
};

/* True if a thread of `p` waits for us. */
bool os_waited_for(const struct os_process *p);
/* False, with *e (may be NULL) filled, if no question may be put to `p` now;
 * counted as our fault. */
bool os_may_ask(const struct os_process *p, struct err *e);

/* The build of Windows, as 19045: the kernel's, whatever compatibility settings
 * let programs see (docs/facts.md C10). Wine says one too. */
uint32_t os_windows_build(void);

/* What a shell would run for `name`: as a path, else in the current
 * directory, else along PATH; without an extension each of PATHEXT is tried.
 * The found path goes to *path (os_free). ERR_NOT_FOUND if there is none;
 * ERR_NOT_OURS if it is a directory. */
bool os_find_program(uint16_t **path, struct str16 name, struct err *e);

/* What a program has that is not to write where we do. */
struct os_apart {
    str output;  // for its output and errors: a file, made anew; empty: nowhere
    bool console;  // it has ours; else one of its own, that has no window
};

/* Starts `path` with `command_line` (both NUL-terminated; the latter is what
 * the program will see), its initial thread suspended, with our directory,
 * environment, standard handles and console, or as `apart` says: then it has
 * nothing to read. NULL: as we. The process is killed if it is
 * closed before os_process_resume, or if we end before that, however we do:
 * it is in a job, and stays in it, but the job is then without limits. */
bool os_process_launch(struct os_process *out, const uint16_t *path,
                       const uint16_t *command_line,
                       const struct os_apart *apart, struct err *e);
bool os_process_resume(struct os_process *p, struct err *e);
/* For us: the process that `process` is a handle on in `from`, and its thread
 * that `thread` is one on (0: none); all of it is the kernel's word, not that of
 * `from`. It is not killed when it is closed. */
bool os_process_borrow(struct os_process *out, const struct os_process *from,
                       uint64_t process, uint64_t thread, struct err *e);
/* The id of the process whose child the kernel says it is: as a rule that of
 * its maker, who may have named another one. 0: not known. */
uint32_t os_process_parent(const struct os_process *p);
void os_process_terminate(struct os_process *p, uint32_t code);
/* True once it has ended; *code is its exit status. */
bool os_process_ended(const struct os_process *p, uint32_t *code);
/* When it has ended, in 100 ns since 1601; 0: it has not, or is not known. */
uint64_t os_process_end_time(const struct os_process *p);
/* Where the program itself was mapped, by its PEB; 0: not known. */
uint64_t os_process_image(const struct os_process *p);
/* True if its loader has never run, by its PEB: no instruction of it has been
 * executed, or next to none. */
bool os_process_is_new(const struct os_process *p);
/* True if its loader has run, or runs. Neither: what it begins with is still to be
 * put there (Wine's own side of it makes it), or it is no more. */
bool os_process_has_begun(const struct os_process *p);
/* True if none of its threads runs, for somebody has suspended each. Asks the
 * kernel alone. */
bool os_process_is_suspended(const struct os_process *p);
/* The same; where its image and its parameters are is not asked for again. */
bool os_process_learn(struct os_process *p);
/* The path of its program, as the system knows it; its command line, as it
 * stands in its own memory. WTF-8; nothing is added if it cannot be had. */
void os_process_path(const struct os_process *p, struct buf *path);
void os_process_command(const struct os_process *p, struct buf *line);
/* True if the process runs 32-bit x86 code. */
bool os_process_is_wow64(const struct os_process *p);
void os_process_close(struct os_process *p);

/* A handle on us with the right to wait, for `p`; and on an event. The
 * handle lives in `p`, is not inherited, and is protected from close where
 * the system does that. */
bool os_give_tracer(const struct os_process *p, uint64_t *handle,
                    struct err *e);
bool os_give_event(const struct os_process *p, void *event, bool may_set,
                   uint64_t *handle, struct err *e);
/* True if `p` sits on the console that we sit on. */
bool os_shares_console(const struct os_process *p);

/* --- running.c: a process that runs already --- */

/* Opens it with all rights that attaching needs. ERR_NOT_FOUND: there is none;
 * ERR_NOT_OURS: it is one that cannot be attached to; *e says which right is
 * missing. */
bool os_process_open(struct os_process *out, uint32_t pid, struct err *e);
/* The machine that its program is for, as its file says: 0x8664 is ours; 0: not
 * known. */
uint16_t os_process_machine(const struct os_process *p);
/* For how many milliseconds it has been there. */
uint64_t os_process_age(const struct os_process *p);
/* Adds one to the suspend counts of all threads of a process that has not run
 * yet, or takes it away. */
void os_process_hold(const struct os_process *p, bool hold);
/* Tells `each` of all processes: name of its file, in UTF-8. False: it cannot
 * be said. */
bool os_process_each(void (*each)(void *ctx, uint32_t pid, str name), void *ctx,
                     struct err *e);
/* Where its PEB is; 0: not known. */
uint64_t os_process_peb(const struct os_process *p);
/* True if the handle `value` of the process is on process `pid`, and that lives;
 * also if the system does not let us say which it is. */
bool os_handle_names(const struct os_process *p, uint64_t value, uint32_t pid);
/* Makes a thread at `start`, suspended, that no DLL hears of where the system
 * can do that; its handle is the caller's (os_thread_close). [asks] */
bool os_thread_make(const struct os_process *p, uint64_t start, void **thread,
                    uint32_t *tid, struct err *e);

/* A thread that is stopped. */
struct os_stopped {
    uint32_t tid;
    uint64_t teb;
    uint64_t rip;  // these are 0 if nobody could say
    uint64_t rsp;
    uint64_t rax;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t r8;
    uint64_t r9;
    /* Its last call (docs/facts.md B1); on a system that does not say, none. */
    bool last_known;
    uint16_t last_number;
    uint64_t last_argument;
};
/* What the threads of a process, but for `but`, look like, which were stopped:
 * asked for on a thread of our own, for some of them may not answer before they
 * run again. */
struct os_threads;
struct os_threads *os_threads_ask(const struct os_process *p, uint32_t but,
                                  struct err *e);
/* True: all have answered within `ms`. */
bool os_threads_answer(struct os_threads *t, uint32_t ms);
/* Of those, when they have; *count of them, as long as `t`. */
const struct os_stopped *os_threads_list(const struct os_threads *t,
                                         size_t *count);
/* If they had not answered: after they run again. NULL is fine. */
void os_threads_close(struct os_threads *t);

/* Takes memory back that os_reserve_at, or os_section_map, gave. [asks] */
bool os_release_at(const struct os_process *p, uint64_t at, struct err *e);
bool os_section_unmap(const struct os_process *p, uint64_t at, struct err *e);

/* --- handles.c --- */

/* Texts are WTF-8, and empty for what is not known. */
struct os_handle {
    uint64_t value;
    uint32_t access;
    str type;  // as NT calls it: "File", "Key"
    str name;  // as model/handles.h shows it
    str path;  // of a file or key, without \??\ in front
};
/* Tells `each` of the handles that `p` has. Takes at most `ms`: a handle whose
 * name cannot be had without waiting for somebody is given up, and the rest
 * with it; then false, but what was found has been told. */
/* Begins to find out what os_handles_query of the same process will tell, which
 * may come soon, or never. */
void os_handles_ahead(const struct os_process *p);
bool os_handles_query(const struct os_process *p, uint32_t ms,
                      void (*each)(void *ctx, const struct os_handle *h),
                      void *ctx, struct err *e);

/* The same of the one handle `value`. */
bool os_handle_query(const struct os_process *p, uint64_t value, uint32_t ms,
                     void (*each)(void *ctx, const struct os_handle *h),
                     void *ctx, struct err *e);

/* --- memory.c --- */

struct os_region {
    uint64_t base;  // of the pages alike
    uint64_t size;
    uint64_t allocation;  // base of the allocation, 0 if free
    bool free;
    bool committed;
    bool image;
    bool mapped;
    bool executable;
};

bool os_read(const struct os_process *p, uint64_t from, void *to, size_t size);
/* Writes to pages that are writable; no question, the kernel does it. */
bool os_write(const struct os_process *p, uint64_t to, const void *from,
              size_t size, struct err *e);
/* The process we are, for reading its own memory. Not to be closed. */
struct os_process os_self(void);
/* Writes into code: pages read-write for the moment, then executable again,
 * never both. [asks] */
bool os_write_code(const struct os_process *p, uint64_t to, const void *from,
                   size_t size, struct err *e);
/* The same of `count` pieces, which rise; all pages from the first to the last
 * are protected alike. [asks] */
struct os_piece {
    uint64_t to;
    const void *from;
    size_t size;
};
bool os_write_pieces(const struct os_process *p, const struct os_piece *pieces,
                     size_t count, struct err *e);
/* [asks] */
bool os_query(const struct os_process *p, uint64_t address,
              struct os_region *out);
/* Reserves `size` bytes at exactly `at`; commits them, read-write. [asks] */
bool os_reserve_at(const struct os_process *p, uint64_t at, size_t size,
                   struct err *e);
bool os_commit_at(const struct os_process *p, uint64_t at, size_t size,
                  struct err *e);
/* [asks] */
bool os_make_code(const struct os_process *p, uint64_t at, size_t size,
                  struct err *e);
/* The file behind a mapping, as the NT path; false if there is none. [asks] */
bool os_mapped_file(const struct os_process *p, uint64_t address,
                    struct buf *name);

struct os_section {
    void *handle;  // owned
    void *at;      // our view
    size_t size;
};

/* `size` bytes reserved, none committed. */
bool os_section_open(struct os_section *out, size_t size, struct err *e);
bool os_section_commit(struct os_section *s, size_t offset, size_t size,
                       struct err *e);
/* Maps it into `p` as well. [asks] */
bool os_section_map(const struct os_section *s, const struct os_process *p,
                    uint64_t *at, struct err *e);

void os_section_close(struct os_section *s);

/* The address of one of our own ntdll's exports, 0 if there is none. */
uint64_t os_own_ntdll(const char *name);
/* Where a system DLL lies in our own process, loaded if need be; 0: not, and
 * *e says why. */
uint64_t os_own_module(const char *name, struct err *e);

/* --- thread.c --- */

enum os_thread {
    OS_THREAD_OPEN,
    OS_THREAD_GONE,    // there is no such thread (any more)
    OS_THREAD_DENIED,  // it is there, but not for us
};
/* Opens the thread of process `pid` that has `tid`, and TEB `teb` if that is
 * not 0: thread ids are reused at once, and whoever names one may lie. The
 * handle goes to *thread if it is open. */
enum os_thread os_thread_open(uint32_t pid, uint32_t tid, uint64_t teb,
                              void **thread);
void os_thread_close(void *thread);
/* True once it has ended; *code is its exit status. */
bool os_thread_ended(void *thread, uint32_t *code);
bool os_thread_suspend(void *thread);
void os_thread_resume(void *thread);
bool os_thread_get_start(void *thread, uint64_t *rip);
bool os_thread_set_start(void *thread, uint64_t rip);
/* ThreadLastSystemCall of a suspended thread (docs/facts.md B1). `status` is
 * the NTSTATUS. */
bool os_thread_last_call(void *thread, uint16_t *number, uint64_t *argument,
                         uint32_t *status);
/* The handle of the calling thread, for os_thread_last_call's probe. */
bool os_last_call_implemented(void);

/* True if the system's functions make their calls by `int 2Eh`
 * (KUSER_SHARED_DATA.SystemCall, docs/facts.md C9). Under Wine it says nothing. */
bool os_calls_by_interrupt(void);

/* Vector state to keep (XCR0) as XSAVE component bits. */
uint64_t os_xsave_mask(void);

#endif
