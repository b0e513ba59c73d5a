/* SPDX-License-Identifier: MIT */
/*
 * target.h - one traced process: the agent in it, the memory shared with it.
 *
 * target_launch starts a program with the agent in place before its first
 * instruction. Whatever fails before target_go, nothing of the program has
 * run, and target_close ends it.
 */
#ifndef LIVE_TARGET_H
#define LIVE_TARGET_H

#include "base/err.h"
#include "live/module.h"
#include "live/options.h"
#include "live/patch.h"
#include "live/spare.h"
#include "live/timing.h"
#include "plan/plan.h"
#include "platform/target.h"
#include "wire/image.h"

#include <stdbool.h>
#include <stdint.h>

/* Room in the target for the agent: its image, then thunks for ntdll, then
 * thunks for win32u. */
#define AGENT_IMAGE_ROOM 0xc000u
#define AGENT_NT_ROOM 0xc000u
#define AGENT_WIN32U_ROOM 0x24000u
#define AGENT_ROOM IMAGE_TO_OWN
static_assert(AGENT_IMAGE_ROOM + AGENT_NT_ROOM + AGENT_WIN32U_ROOM <=
                  AGENT_ROOM,
              "target.h");

/* Pages of the target. */
struct target_pages {
    uint64_t at;
    uint64_t size;
};

/* Rings committed before the first thread asks for one; fewer large ones. */
#define RINGS_AT_FIRST 4u

/* An agent whose tracer is dead. */
struct dead_agent {
    uint64_t at;
    uint64_t section;     // where its section is mapped; 0: no more
    uint64_t handles[3];  // that it was given
};
#define DEAD_AGENTS_MOST 64

/* Our thread in the target, while it is there (keeper.h). */
struct keeper {
    void *thread;  // handle, owned; NULL: it is not there
    uint32_t tid;
    void *event;      // owned: there is an order
    uint32_t orders;  // given so far
    bool committed;   // its pages
    bool replaced;    // it has taken the callback from somebody else
    /* It was told to stop the others, to open these pages, and not to let them go
     * and to close them. */
    bool stopped;
    struct target_pages opened;  // size 0: none
};

struct target {
    struct os_process os;
    struct os_section shared;
    struct spares *spares;  // borrowed: where it comes from, and goes; or NULL
    struct section *section;  // our view of it
    uint64_t section_there;   // the target's
    uint64_t agent;           // base of the agent in the target
    uint64_t own;             // of its own pages (wire/image.h)
    struct transition_row doors[TRANSITION_COUNT];
    uint32_t ring_bytes;
    uint32_t ring_stride;
    uint32_t ring_max;   // rings that fit into the section
    uint32_t committed;  // ... of which we have committed so many
    /* Bit i % 8 of byte i / 8: ring i was found to be there. What is committed of
     * a section stays so; to ask is dear, for the answer covers all of it. */
    uint8_t rings_there[RING_MAX / 8];
    enum engine engine;
    bool patching;
    bool returns;       // come by the functions' ends (live/returns.h)
    bool hooked;        // its loader leads to the agent, or may
    bool wine_record;   // last calls are kept by the agent (wine.S)
    struct plan *plan;  // borrowed: what is recorded of which call
    struct module ntdll;
    struct target *like;   // borrowed, while it is taken in; NULL: none
    struct module win32u;  // zeroed until it is there
    struct patched nt_stubs;
    struct patched win32u_stubs;
    uint8_t *win32u_thunks;  // their bytes, owned
    bool win32u_sealed;      // the room of its thunks is executable
    struct keeper keeper;
    struct dead_agent dead[DEAD_AGENTS_MOST];
    size_t dead_count;
    bool dead_quiet;  // nobody is in any of them, nor comes back to it
    void *room;       // event: rings have room, or an answer is there
    void *wake;       // event, borrowed: wakes the reader
};

/* Starts `path` with `command_line` under the agent, suspended. `wake` is the
 * event that its threads set for us; it must live as long, and so must `spares`. `timing` has begun;
 * it is made ready on the way. `plan` gets its calls, and must live. */
bool target_launch(struct target *out, const uint16_t *path,
                   const uint16_t *command_line, const struct launch_options *o,
                   struct plan *plan, void *wake, struct spares *spares,
                   struct timing *timing, struct err *e);
/* The same for a process that a program has made, which has not run yet, and
 * and has no thread but that of `os`, if that has one. `os` is the target's if
 * it succeeds; if not, the process is as it was, or was ended. `like`: another
 * process, whose ntdll was read before it ran, and which has the agent where it
 * may have room here; NULL: none. */
bool target_take_in(struct target *out, const struct os_process *os,
                    struct target *like, const struct launch_options *o,
                    struct plan *plan, void *wake, struct spares *spares,
                    struct timing *timing, struct err *e);
/* It is let run by who has made it. */
void target_hand_back(struct target *t);
/* The same for a process that runs, in steps: all that needs no change of its
 * code, so that the bytes of ntdll's stubs are there to be put
 * (target.nt_stubs), and their thunks are in place; and those of
 * win32u, of which target_add_win32u was told. */
bool target_settle(struct target *t, const struct launch_options *o,
                   struct timing *timing, struct err *e);
bool target_bend_win32u(struct target *t, struct err *e);
/* For a process that has never run: as target_launch does. Nobody may let it run
 * meanwhile; and takes that back: no thread of it has begun. */
bool target_hook(struct target *t, struct err *e);
bool target_unhook(struct target *t, struct err *e);
/* Of the pages of `x` in `p`, what is to stand there when we are gone: what others have
 * written there since is theirs. NULL without memory, or if they cannot be read;
 * the caller frees. */
uint8_t *target_unbent(const struct os_process *p, const struct patched *x);
/* The same, as it is to be while we are here; what others have written is left
 * as it is. *heads: so many functions began as they had before us. */
uint8_t *target_bent(const struct os_process *p, const struct patched *x,
                     size_t *heads);
/* From now on returns come by the functions' ends, in the bytes that are to be put
 * (target.nt_stubs, win32u_stubs) and for the agent. False, nothing has changed:
 * they have an end that is not known. */
bool target_bend_ends(struct target *t, struct err *e);
/* Puts those of ntdll's, from outside, for a program that may not change its own
 * code (ACG); its thread waits. Not under Wine. */
bool target_put_stubs_outside(struct target *t, struct err *e);
/* True if `rip` is in the end of a function where an instruction begins only before
 * that is bent, or only afterwards. */
bool target_stands_in_end(const struct target *t, uint64_t rip);
/* The ring with this index, below ring_max; NULL: not all of it is there. Its state
 * is the target's to write. */
struct ring *target_ring(struct target *t, uint32_t index);
/* True if a call is under way that was given our callback in place of the
 * program's. */
bool target_is_chaining(struct target *t);
/* These threads of it, which are stopped, have no ring (any more). */
void target_clear_rings(const struct target *t, const struct os_stopped *s,
                        size_t count);
/* Lets it run. */
bool target_go(struct target *t, struct err *e);
/* Sees that the loader's first bytes are back, while the agent waits; puts
 * them there if the program may not change its own code (ACG). */
bool target_mend_loader(struct target *t, struct err *e);
/* win32u.dll is mapped at `base`: reads its system calls and tells the agent
 * about them. Its stubs are patched in steps, because the pages are protected
 * by the thread that has mapped it, which waits for us, and is the only one
 * that could be in a stub:
 *   target_prepare_win32u   then there are pages for the thunks, writable the
 *                           first time, executable (win32u_sealed) if it is
 *                           mapped once more, and those of the stubs
 *   target_write_thunks     into pages that are writable; afterwards they are
 *                           to be executable
 *   target_patch_win32u     bends the stubs, in pages that are writable;
 *                           afterwards they are to be as they were
 *   target_unprepare_win32u if one of these did not work */
bool target_add_win32u(struct target *t, uint64_t base, struct err *e);
bool target_prepare_win32u(struct target *t, struct err *e);
struct target_pages target_win32u_room(const struct target *t);
struct target_pages target_win32u_stubs(const struct target *t);
bool target_write_thunks(struct target *t, struct err *e);
bool target_patch_win32u(struct target *t, struct err *e);
void target_unprepare_win32u(struct target *t);
/* For a program that may not change its own code (ACG): does all that from
 * outside. Not under Wine, where the program itself would have to answer. */
bool target_patch_win32u_outside(struct target *t, struct err *e);
/* ... makes the pages of its stubs executable. */
bool target_close_win32u_outside(struct target *t, struct err *e);
/* The system call function that `address` is in a byte of; false: none. */
struct target_stub {
    uint64_t address;
    bool patched;
    bool win32u;  // else ntdll's
};
bool target_stub_at(const struct target *t, uint64_t address,
                    struct target_stub *out);
/* The service number of the one that begins at `stub`; false: it is none. */
bool target_stub_number(const struct target *t, uint64_t stub,
                        uint16_t *number);
/* How many arguments the call `number` has; -1: not known. */
int target_arg_count(const struct target *t, uint16_t number);
/* Forgets those stubs of the module that has one at `stub` whose bytes are no
 * longer what we had put there; returns how many there are. When no stub of it
 * is ours any more, their returns are ordinary ones for the agent. */
size_t target_forget_unpatched(struct target *t,
                               const struct target_stub *stub);
/* The same for a module. */
size_t target_forget_all_unpatched(struct target *t, bool win32u);
/* All stubs of it that can be are to be bent, as they were at first. */
bool target_bend_again(struct target *t, bool win32u, struct err *e);
/* True if the bytes of the stub at `stub` are those that we had put there. */
bool target_is_patched(const struct target *t, uint64_t stub);
/* It is about to be unmapped: nothing in it is ours any more. */
void target_forget_win32u(struct target *t);
/* True if `copy` has our code where `t` has it: it may be a copy of `t`. */
bool target_is_in(const struct target *t, const struct os_process *copy);
/* `clone` is a copy of `t`, made just now: takes the sense out of our code in
 * it, so that whatever leads there comes straight back, and puts its stubs
 * back. */
bool target_disarm(const struct target *t, const struct os_process *clone,
                   struct err *e);
/* Ends the target if it was not let go, gives everything back. */
void target_close(struct target *t);

#endif
