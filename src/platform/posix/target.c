/* SPDX-License-Identifier: MIT */
/*
 * target.c - processes that could be traced: here are none.
 *
 * Whatever would begin a trace, or look at a system's own modules, fails and
 * says what it needs; so nothing else of target.h is reached, and fails as for
 * a process that is gone. Touches nothing.
 */
#include "platform/target.h"

#include "base/banned.h"

#define NEEDS_WINDOWS                                            \
    " needs Windows (or Wine); here ntstrace has replay, info, " \
    "report, diff, export and merge for what was recorded, and " \
    "'list prototypes' and 'list classes'"

static bool refuse(struct err *e)
{
    return err_set(e, ERR_OS, "tracing a program" NEEDS_WINDOWS);
}

/* --- process.c --- */

bool os_waited_for(const struct os_process *p)
{
    return p->waited_for != NULL && p->waited_for(p->ctx);
}

bool os_may_ask(const struct os_process *p, struct err *e)
{
    (void)p;
    return e != NULL && refuse(e);
}

uint32_t os_windows_build(void)
{
    return 0;
}

bool os_find_program(uint16_t **path, struct str16 name, struct err *e)
{
    (void)path;
    (void)name;
    return refuse(e);
}

bool os_process_launch(struct os_process *out, const uint16_t *path,
                       const uint16_t *command_line,
                       const struct os_apart *apart, struct err *e)
{
    (void)out;
    (void)path;
    (void)command_line;
    (void)apart;
    return refuse(e);
}

bool os_process_resume(struct os_process *p, struct err *e)
{
    (void)p;
    return refuse(e);
}

bool os_process_borrow(struct os_process *out, const struct os_process *from,
                       uint64_t process, uint64_t thread, struct err *e)
{
    (void)out;
    (void)from;
    (void)process;
    (void)thread;
    return refuse(e);
}

uint32_t os_process_parent(const struct os_process *p)
{
    (void)p;
    return 0;
}

void os_process_terminate(struct os_process *p, uint32_t code)
{
    (void)p;
    (void)code;
}

bool os_process_ended(const struct os_process *p, uint32_t *code)
{
    (void)p;
    *code = 0;
    return true;
}

uint64_t os_process_end_time(const struct os_process *p)
{
    (void)p;
    return 0;
}

uint64_t os_process_image(const struct os_process *p)
{
    (void)p;
    return 0;
}

bool os_process_is_new(const struct os_process *p)
{
    (void)p;
    return false;
}

bool os_process_has_begun(const struct os_process *p)
{
    (void)p;
    return false;
}

bool os_process_is_suspended(const struct os_process *p)
{
    (void)p;
    return false;
}

bool os_process_learn(struct os_process *p)
{
    (void)p;
    return false;
}

void os_process_path(const struct os_process *p, struct buf *path)
{
    (void)p;
    (void)path;
}

void os_process_command(const struct os_process *p, struct buf *line)
{
    (void)p;
    (void)line;
}

bool os_process_is_wow64(const struct os_process *p)
{
    (void)p;
    return false;
}

void os_process_close(struct os_process *p)
{
    *p = (struct os_process){ 0 };
}

bool os_give_tracer(const struct os_process *p, uint64_t *handle, struct err *e)
{
    (void)p;
    (void)handle;
    return refuse(e);
}

bool os_give_event(const struct os_process *p, void *event, bool may_set,
                   uint64_t *handle, struct err *e)
{
    (void)p;
    (void)event;
    (void)may_set;
    (void)handle;
    return refuse(e);
}

bool os_shares_console(const struct os_process *p)
{
    (void)p;
    return false;
}

/* --- running.c --- */

bool os_process_open(struct os_process *out, uint32_t pid, struct err *e)
{
    (void)out;
    (void)pid;
    return refuse(e);
}

bool os_process_each(void (*each)(void *ctx, uint32_t pid, str name), void *ctx,
                     struct err *e)
{
    (void)each;
    (void)ctx;
    return refuse(e);
}

uint16_t os_process_machine(const struct os_process *p)
{
    (void)p;
    return 0;
}

uint64_t os_process_age(const struct os_process *p)
{
    (void)p;
    return 0;
}

void os_process_hold(const struct os_process *p, bool hold)
{
    (void)p;
    (void)hold;
}

uint64_t os_process_peb(const struct os_process *p)
{
    (void)p;
    return 0;
}

bool os_handle_names(const struct os_process *p, uint64_t value, uint32_t pid)
{
    (void)p;
    (void)value;
    (void)pid;
    return false;
}

bool os_thread_make(const struct os_process *p, uint64_t start, void **thread,
                    uint32_t *tid, struct err *e)
{
    (void)p;
    (void)start;
    (void)thread;
    (void)tid;
    return refuse(e);
}

struct os_threads *os_threads_ask(const struct os_process *p, uint32_t but,
                                  struct err *e)
{
    (void)p;
    (void)but;
    refuse(e);
    return NULL;
}

bool os_threads_answer(struct os_threads *t, uint32_t ms)
{
    (void)t;
    (void)ms;
    return false;
}

const struct os_stopped *os_threads_list(const struct os_threads *t,
                                         size_t *count)
{
    (void)t;
    *count = 0;
    return NULL;
}

void os_threads_close(struct os_threads *t)
{
    (void)t;
}

bool os_release_at(const struct os_process *p, uint64_t at, struct err *e)
{
    (void)p;
    (void)at;
    return refuse(e);
}

bool os_section_unmap(const struct os_process *p, uint64_t at, struct err *e)
{
    (void)p;
    (void)at;
    return refuse(e);
}

/* --- handles.c --- */

void os_handles_ahead(const struct os_process *p)
{
    (void)p;
}

bool os_handle_query(const struct os_process *p, uint64_t value, uint32_t ms,
                     void (*each)(void *ctx, const struct os_handle *h),
                     void *ctx, struct err *e)
{
    (void)p;
    (void)value;
    (void)ms;
    (void)each;
    (void)ctx;
    return refuse(e);
}

bool os_handles_query(const struct os_process *p, uint32_t ms,
                      void (*each)(void *ctx, const struct os_handle *h),
                      void *ctx, struct err *e)
{
    (void)p;
    (void)ms;
    (void)each;
    (void)ctx;
    return refuse(e);
}

/* --- memory.c --- */

bool os_read(const struct os_process *p, uint64_t from, void *to, size_t size)
{
    (void)p;
    (void)from;
    (void)to;
    (void)size;
    return false;
}

bool os_write(const struct os_process *p, uint64_t to, const void *from,
              size_t size, struct err *e)
{
    (void)p;
    (void)to;
    (void)from;
    (void)size;
    return refuse(e);
}

struct os_process os_self(void)
{
    return (struct os_process){ 0 };
}

bool os_write_pieces(const struct os_process *p, const struct os_piece *pieces,
                     size_t count, struct err *e)
{
    (void)p;
    (void)pieces;
    (void)count;
    return refuse(e);
}

bool os_write_code(const struct os_process *p, uint64_t to, const void *from,
                   size_t size, struct err *e)
{
    (void)p;
    (void)to;
    (void)from;
    (void)size;
    return refuse(e);
}

bool os_query(const struct os_process *p, uint64_t address,
              struct os_region *out)
{
    (void)p;
    (void)address;
    (void)out;
    return false;
}

bool os_reserve_at(const struct os_process *p, uint64_t at, size_t size,
                   struct err *e)
{
    (void)p;
    (void)at;
    (void)size;
    return refuse(e);
}

bool os_commit_at(const struct os_process *p, uint64_t at, size_t size,
                  struct err *e)
{
    (void)p;
    (void)at;
    (void)size;
    return refuse(e);
}

bool os_make_code(const struct os_process *p, uint64_t at, size_t size,
                  struct err *e)
{
    (void)p;
    (void)at;
    (void)size;
    return refuse(e);
}

bool os_mapped_file(const struct os_process *p, uint64_t address,
                    struct buf *name)
{
    (void)p;
    (void)address;
    (void)name;
    return false;
}

bool os_section_open(struct os_section *out, size_t size, struct err *e)
{
    (void)out;
    (void)size;
    return refuse(e);
}

bool os_section_commit(struct os_section *s, size_t offset, size_t size,
                       struct err *e)
{
    (void)s;
    (void)offset;
    (void)size;
    return refuse(e);
}

bool os_section_map(const struct os_section *s, const struct os_process *p,
                    uint64_t *at, struct err *e)
{
    (void)s;
    (void)p;
    (void)at;
    return refuse(e);
}

void os_section_close(struct os_section *s)
{
    *s = (struct os_section){ 0 };
}

uint64_t os_own_ntdll(const char *name)
{
    (void)name;
    return 0;
}

uint64_t os_own_module(const char *name, struct err *e)
{
    err_set(e, ERR_OS, "reading %s" NEEDS_WINDOWS, name);
    return 0;
}

/* --- thread.c --- */

enum os_thread os_thread_open(uint32_t pid, uint32_t tid, uint64_t teb,
                              void **thread)
{
    (void)pid;
    (void)tid;
    (void)teb;
    (void)thread;
    return OS_THREAD_GONE;
}

void os_thread_close(void *thread)
{
    (void)thread;
}

bool os_thread_ended(void *thread, uint32_t *code)
{
    (void)thread;
    *code = 0;
    return true;
}

bool os_thread_suspend(void *thread)
{
    (void)thread;
    return false;
}

void os_thread_resume(void *thread)
{
    (void)thread;
}

bool os_thread_get_start(void *thread, uint64_t *rip)
{
    (void)thread;
    (void)rip;
    return false;
}

bool os_thread_set_start(void *thread, uint64_t rip)
{
    (void)thread;
    (void)rip;
    return false;
}

bool os_thread_last_call(void *thread, uint16_t *number, uint64_t *argument,
                         uint32_t *status)
{
    (void)thread;
    (void)number;
    (void)argument;
    *status = 0;
    return false;
}

bool os_last_call_implemented(void)
{
    return false;
}

bool os_calls_by_interrupt(void)
{
    return false;
}

uint64_t os_xsave_mask(void)
{
    return 0;
}
