/* SPDX-License-Identifier: MIT */
/*
 * fake.h - a Windows that does not exist, for tests of src/live.
 *
 * fake.c answers platform/target.h, and the parts of platform/os.h that touch
 * the world, for one process in plain memory: an address space with a hand-made
 * ntdll, a thread, events. What the program in it does, and its agent, is a
 * function of the test's, on a thread of its own, that uses the second half of
 * this header. Nobody really waits (fake/clock.h).
 *
 * Whatever can fail is a request. They are counted, and one of them can be
 * refused. All the rest of a process that is "gone" is refused as well.
 *
 * A system begins with fake_begin and ends with fake_end. Not more than one at a
 * time.
 */
#ifndef FAKE_H
#define FAKE_H

#include "base/str.h"
#include "platform/target.h"
#include "wire/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_way {
    FAKE_MEMORY,  // there is none left
    FAKE_DENIED,
    FAKE_GONE,  // the process has just ended
    FAKE_WAYS,
};

/* How a question that has a deadline is answered: one that is not put by the
 * main thread. */
enum fake_pace {
    FAKE_AT_ONCE,
    FAKE_LATE,   // after 150 ms
    FAKE_NEVER,  // not before fake_end
};

/* The process that the program makes. */
enum fake_child {
    FAKE_UNKNOWN,   // its handles cannot be duplicated
    FAKE_STRANGER,  // it may be anybody's: no child of it, and old
    FAKE_STUCK,     // it has begun, and its loader has not, for ever
};

struct fake_setup {
    unsigned refuse;  // the request to refuse, from 1 on; 0: none
    enum fake_way way;
    unsigned refuse_memory;  // the same with malloc and its kin
    enum fake_pace pace;
    bool wine;
    bool old;         // its functions have another end
    bool interrupts;  // ... or go another way
    /* The program may not change its own code (ACG): this chore of it, from 1
     * on, fails so; 0: none. */
    unsigned acg_chore;
    bool keeps_loader;     // ... its agent cannot put the loader's bytes back
    bool callback_denied;  // it does not get its callback
    bool callback_stays;   // which it cannot give back
    /* Its thread is in the agent until the callback has gone; then a callback of
     * its own is registered, in place of which the kernel has ours; and the call
     * that does so is still under way. */
    bool callback_comes;
    bool callback_under_way;
    bool callback_there;  // somebody else has it
    bool callback_gone;   // nobody has it any more
    unsigned in_end;  // so many looks find its thread where an end is changed
    /* The program ends itself, our thread first, when that has carried out this
     * order: the one that asks for it goes on if somebody lets it. */
    bool keeper_falls;
    enum keeper_what falls_at;
    /* It has not run when it is opened. Its maker lets it run at this request,
     * from 1 on; 0: when the tracer has got in, or after a while. */
    bool is_new;
    /* The system still makes it: at the first looks it has neither begun nor
     * is it new, and would not bear to be stopped or asked for anything. */
    bool unmade;
    unsigned begins_at;
    enum fake_child child;  // what it makes
    /* The process that an agent found in it says its tracer is, 0: there is no
     * such agent; and the one that its handle is on, which lives, 0: none. */
    uint32_t traced_by;
    uint32_t handle_on;
    bool left_stopped;  // that tracer had just stopped its thread
    bool section_gone;  // ... had just unmapped its section
    /* What runs in it, once it is let go; its result is the exit status. It is
     * to return when fake_over says so. */
    uint32_t (*run)(void);
};

void fake_begin(const struct fake_setup *setup);
/* Waits for the program's thread, and gives all of it back. */
void fake_end(void);

/* Requests so far, and those before the program was let go. */
struct fake_counts {
    unsigned requests;
    unsigned requests_at_go;
    unsigned memory;
    unsigned memory_at_go;
};
struct fake_counts fake_counts(void);
/* The name of the one that was refused; "" if it was not reached. */
const char *fake_refused(void);

/* Everything that the tracer should have given back. "": it has. */
str fake_left(void);
/* What can be said of the program. */
bool fake_launched(void);
bool fake_resumed(void);
bool fake_ended(void);     // by itself, or by us
uint32_t fake_code(void);  // its exit status
bool fake_killed(void);
bool fake_ended_early(void);  // as FAKE_GONE
/* What of the program is not as it was before it was traced, "": nothing. */
str fake_changed(void);
/* Questions put while a thread waited. */
unsigned fake_questions_while_waiting(void);

/* What was written to the file that was created, and to standard error. */
str fake_output(void);

/* The user presses Ctrl-C and the like. */
void fake_interrupt(enum os_interrupt which);
/* Does the program sit on our console? It does, to begin with. */
void fake_share_console(bool shares);

/* --- for the program; false, or 0, once it is over --- */

#define FAKE_NTDLL UINT64_C(0x7ff8a0000000)
#define FAKE_PROGRAM UINT64_C(0x140000000)
#define FAKE_WIN32U UINT64_C(0x7ff8b0000000)
#define FAKE_PRIVATE UINT64_C(0x21000000)  // memory of its own
#define FAKE_STACK UINT64_C(0x10010000)
#define FAKE_TID 0x44
#define FAKE_PID 0x40
#define FAKE_OTHER 0x50

/* True if it has been ended. */
bool fake_over(void);
/* True if that, or if the tracer has gone, and been judged; or if it cannot
 * write, and only waits for the end. */
bool fake_left_alone(void);
/* What the agent does first: puts the loader's bytes back (if it may), has a
 * ring, registers the callback, and waits for the tracer. */
bool fake_start(void);
/* It has not run yet (is_new): waits until its maker lets it. True: it is led
 * to the agent (fake_start is next); false: not, and its loader has begun. */
bool fake_begins(void);
/* It runs already: waits until a tracer has joined it, and has a ring. */
bool fake_joined(void);
/* The address of a function of ntdll or win32u. */
uint64_t fake_function(const char *name);
/* A call from entry to return, with two arguments. */
bool fake_call(const char *name, uint64_t a, uint64_t b, uint64_t result);
/* Makes a process, which its agent holds, and waits until it is not (-f). */
bool fake_make_process(void);
/* The same by a call of its own, which holds nobody: *ms: how long its thread has
 * waited for us. */
bool fake_make_process_directly(uint64_t *ms);
/* Its entry alone: it does not come back. */
bool fake_entry(const char *name, uint64_t a, uint64_t b);
/* Maps win32u at FAKE_WIN32U, and has the tracer told. */
bool fake_map_win32u(void);
bool fake_unmap_win32u(void);
/* True if the stubs of win32u lead to the agent, and can be run. */
bool fake_win32u_is_patched(void);
/* A return at `rip` that no entry explains: the tracer is asked. */
bool fake_orphan(uint64_t rip);
/* An APC, whose routine is at `routine`. */
bool fake_apc(uint64_t routine);
/* What the thread does from now on goes to another ring, as that of one that was
 * sent elsewhere while the agent is at work; and it is `ms` ahead of the tracer's
 * clock: it is done after a look at the rings has begun. */
bool fake_go_below(uint32_t ms);
/* The thread ends with `code`; it does nothing more. */
void fake_end_thread(uint32_t code);
/* Writes over what the tracer reads: records, positions, states, questions. */
void fake_scribble(void);
/* The program puts the bytes of one of its stubs back. */
void fake_put_back(const char *name);
/* The thread puts itself into the handshake engine's slot. */
bool fake_shake(const char *name, uint64_t result);
/* The callback is registered as the handshake engine's agent does. */
bool fake_start_late(void);
/* Waits until the tracer has written `text`, for a while. */
void fake_wait_for(const char *text);
/* `ms` for others. */
void fake_rest(uint32_t ms);

#endif
