/* SPDX-License-Identifier: MIT */
/*
 * test_live_session - live/session.h, and with it all of src/live, on a system
 * that does not exist (tests/fake/fake.h).
 *
 * Each story is a program that is traced from beginning to end. It is told
 * once, and looked at; then again and again, refusing the first request, the
 * second, and so on, each in every way that there is; and then once more with
 * every allocation. Whatever is refused: what is said names it, nothing is left
 * behind, and a program that runs is what it was, or it is said that it is not.
 */
#include "live/session.h"

#include "cmd/options.h"
#include "fake/fake.h"
#include "record/format.h"
#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

/* The exit status when a program was let go. */
#define LET_GO 130

struct story {
    const char *name;
    const char *line;  // our command line
    bool recorded;     // as `record` does it: the output is a recording
    bool attached;     // the program runs already: its status is not ours
    const struct watch *watch;  // looks at it; NULL: none
    struct fake_setup setup;
    /* What a run says in its lines and notes, if it says nothing else; and what
     * only one in which nothing is refused does. */
    const char *says[6];
    const char *says_more[6];
};

struct told {
    bool ok;
    uint32_t status;
    struct err e;
    char notes[4096];
    size_t notes_size;
};

static void full(size_t wanted)
{
    printf("arena full: %zu\n", wanted);
    abort();
}

static struct told run(const struct story *s, const struct fake_setup *setup)
{
    static char room[1 << 16];
    struct arena a = arena_over(room, sizeof(room), full);
    struct options *o = calloc(1, sizeof(*o));
    struct told t = { 0 };
    struct buf notes = BUF_OVER(t.notes);

    if (!options_parse(o, str_of(s->line), &a, &t.e)) {
        printf("%s: %s\n", s->name, t.e.text);
        abort();
    }
    if (s->recorded) {
        o->launch.record_only = true;
        o->view.output = STR("");
    }
    o->launch.watch = s->watch;
    fake_begin(setup);
    t.ok = session_run(&o->launch, &o->view, &t.status, &notes, &t.e);
    t.notes_size = notes.size;
    free(o);
    return t;
}

static bool contains(str s, const char *what)
{
    size_t size = strlen(what);

    for (size_t i = 0; i + size <= s.size; i++) {
        if (memcmp(s.p + i, what, size) == 0) {
            return true;
        }
    }
    return false;
}

static void bad(const struct story *s, const struct fake_setup *setup,
                const struct told *t, const char *what, str more)
{
    static const char *const ways[] = { "no memory", "denied", "gone" };

    printf("%s, request %u (%s) refused, %s: %s%.*s\n", s->name,
           setup->refuse + setup->refuse_memory, fake_refused(),
           setup->refuse > 0 ? ways[setup->way] : "no memory", what,
           STR_ARGS(more));
    printf("  %s, status %u, \"%s\"\n  notes: %.*s\n", t->ok ? "ok" : "failed",
           (unsigned)t->status, t->e.text, (int)t->notes_size, t->notes);
    check_bad++;
}

/* Nothing of the story is missing without a word about it. */
static void look_for(const struct story *s, const struct fake_setup *setup,
                     const struct told *t)
{
    str notes = { t->notes, t->notes_size };
    bool refused = setup->refuse + setup->refuse_memory > 0;
    /* What the program's memory says, and what the model keeps. */
    bool excused = !t->ok || fake_ended_early() || notes.size > 0 ||
                   strcmp(fake_refused(), "os_read") == 0 ||
                   setup->refuse_memory > 0;

    for (size_t i = 0; i < COUNT_OF(s->says) + COUNT_OF(s->says_more); i++) {
        bool more = i >= COUNT_OF(s->says);
        const char *what =
            more ? s->says_more[i - COUNT_OF(s->says)] : s->says[i];

        if (what != NULL && !contains(fake_output(), what) &&
            !contains(notes, what) && (!refused || !(more || excused))) {
            bad(s, setup, t, "not said: ", str_of(what));
            printf("%.*s\n", STR_ARGS(fake_output()));
        }
    }
}

/* A recording is whole up to its end, and says that it ended unless just that
 * could not be written (a SUMMARY comes before it): only one write is refused. */
static void judge_recording(const struct story *s,
                            const struct fake_setup *setup,
                            const struct told *t)
{
    str file = fake_output();
    struct chunk_head head = { .kind = 0 };
    size_t at = FILE_HEAD_SIZE;
    unsigned count = 0;

    for (; at < file.size; at += CHUNK_HEAD_SIZE + head.stored, count++) {
        if (file.size - at < CHUNK_HEAD_SIZE) {
            break;
        }
        memcpy(&head, file.p + at, sizeof(head));
        if (head.magic != CHUNK_MAGIC || head.number != count) {
            break;
        }
    }
    if (file.size >= FILE_HEAD_SIZE && at != file.size) {
        bad(s, setup, t, "the file is not whole", STR(""));
    }
    if (count > 0 && fake_launched() &&
        (t->ok || strcmp(fake_refused(), "os_file_write") == 0) &&
        head.kind != CHUNK_END && head.kind != CHUNK_SUMMARY) {
        bad(s, setup, t, "the file has no end", STR(""));
    }
    if (!t->ok && contains((str){ t->notes, t->notes_size }, t->e.text)) {
        bad(s, setup, t, "it is said twice", STR(""));
    }
}

/* Requests that give no reason, and what is said when one is refused. */
static const struct {
    const char *request;
    const char *text;
} texts[] = {
    { "os_thread_get_start", "cannot find ntdll in the program" },
    { "os_query", "cannot find ntdll in the program" },
    { "os_query", "no room for the agent within reach of ntdll" },
    { "os_read", "the image at 0x7ff8a0000000 cannot be read" },
    { "os_read", "the program's code cannot be read" },
    { "os_thread_set_start", "cannot redirect the first thread" },
    { "the keeper", "0xc0000022)" },
    { "a chore", "the program cannot change its pages (0xc0000017)" },
    { "a chore", "the program cannot change its pages (0xc0000022)" },
};

/* True if what is said names what was refused. */
static bool names_it(const struct fake_setup *setup, str text)
{
    if (setup->refuse_memory > 0) {
        return contains(text, "out of memory") ||
               contains(text, "no memory for ");
    }
    if (setup->way == FAKE_GONE) {
        return contains(text,
                        "it was ended before it could run (0x00000001)") ||
               contains(text, ": has ended");
    }
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (strcmp(texts[i].request, fake_refused()) == 0 &&
            contains(text, texts[i].text)) {
            return true;
        }
    }
    return contains(text, setup->way == FAKE_MEMORY ? ": out of memory"
                                                    : ": access denied");
}

/* What holds whatever was refused. */
static void judge(const struct story *s, const struct fake_setup *setup,
                  const struct told *t)
{
    str notes = { t->notes, t->notes_size };
    str left = fake_left();

    if (left.size > 0) {
        bad(s, setup, t, "left behind:", left);
    }
    if (fake_questions_while_waiting() > 0) {
        bad(s, setup, t, "a question while a thread waited", STR(""));
    }
    if (!t->ok && (t->e.code == ERR_NONE || fake_refused()[0] == 0 ||
                   !names_it(setup, str_of(t->e.text)))) {
        bad(s, setup, t, "another reason", STR(""));
    }
    if (!t->ok && setup->way != FAKE_GONE &&
        strncmp(fake_refused(), "os_file_", 8) == 0 &&
        strcmp(fake_refused(), "os_file_head") != 0 &&
        t->e.code != ERR_OUTPUT) {
        bad(s, setup, t, "not the output is to blame", STR(""));
    }
    if (t->ok && t->status != LET_GO &&
        t->status != (s->attached ? 0 : fake_code())) {
        bad(s, setup, t, "another exit status", STR(""));
    }
    if (t->ok && t->e.text[0] != 0) {
        bad(s, setup, t, "a reason, and no failure", STR(""));
    }
    if (t->ok && fake_killed()) {
        bad(s, setup, t, "the program was ended, and it is no failure",
            STR(""));
    }
    if (!t->ok && fake_launched() && !fake_resumed() && !fake_ended()) {
        bad(s, setup, t, "a program that was not let go is still there",
            STR(""));
    }
    if (s->recorded) {
        judge_recording(s, setup, t);
    }
    /* It runs on without us. */
    if (fake_resumed() && !fake_ended()) {
        str changed = fake_changed();

        if (changed.size > 0 && !contains(notes, "detaching: ")) {
            bad(s, setup, t, "it runs, and nothing is said of", changed);
        }
    }
    look_for(s, setup, t);
}

static void try(const struct story *s, const struct fake_setup *setup,
                struct fake_counts *counts)
{
    struct told t = run(s, setup);

    judge(s, setup, &t);
    *counts = fake_counts();
    fake_end();
}

/* Tells the story, and refuses what it asks for, one by one: all, or only what
 * is not asked for before the program runs. */
static void tell_from(const struct story *s, bool from_go)
{
    struct fake_setup setup = s->setup;
    struct fake_counts all, ignored;
    unsigned i;

    try(s, &setup, &all);
    printf("%s: %u requests (%u until it runs), %u allocations (%u)\n", s->name,
           all.requests, all.requests_at_go, all.memory, all.memory_at_go);
    for (i = from_go ? all.requests_at_go : 1; i <= all.requests; i++) {
        setup.refuse = i;
        for (int way = 0; way < FAKE_WAYS && check_bad < 10; way++) {
            setup.way = (enum fake_way)way;
            try(s, &setup, &ignored);
        }
    }
    setup.refuse = 0;
    for (i = from_go ? all.memory_at_go : 1; i <= all.memory; i++) {
        setup.refuse_memory = i;
        if (check_bad < 10) {
            try(s, &setup, &ignored);
        }
    }
}

static void tell(const struct story *s)
{
    tell_from(s, true);
}

/* Once, refusing nothing. */
static void tell_once(const struct story *s)
{
    struct fake_counts ignored;

    try(s, &s->setup, &ignored);
}

/* --- stories --- */

static uint32_t closes_three(void)
{
    if (fake_start()) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_call("NtClose", 0x14, 0, 0xc0000008);
        fake_call("NtSetEvent", 0x4, 0, 0);
        fake_entry("NtTerminateProcess", UINT64_MAX, 7);
    }
    return 7;
}

static void a_program_is_traced_from_beginning_to_end(void)
{
    static const struct story s = {
        .name = "short",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = closes_three },
        .says = { "NtClose(Handle=0x10) = 0",
                  "NtClose(Handle=0x14) = 0xc0000008", "NtTerminateProcess(",
                  "+++ exited with 7 +++" },
    };

    tell_from(&s, false);
}

static void a_recording_whose_disk_is_full_is_whole_as_far_as_it_goes(void)
{
    static const struct story s = {
        .name = "record",
        .line = "ntstrace record --compress=never -o out.nts app.exe",
        .recorded = true,
        .setup = { .run = closes_three },
        .says_more = { "ended the program's", "calls 4" },
    };

    tell_from(&s, false);
}

static uint32_t opens_windows(void)
{
    if (fake_start() && fake_map_win32u()) {
        if (fake_win32u_is_patched()) {
            fake_call("NtUserGetDC", 0, 0, 0x1001);
        }
        fake_unmap_win32u();
        fake_map_win32u();
        if (fake_win32u_is_patched()) {
            fake_call("NtUserReleaseDC", 0, 0x1001, 1);
        }
        fake_entry("NtTerminateProcess", UINT64_MAX, 3);
    }
    return 3;
}

static void win32u_is_patched_when_it_comes_and_when_it_comes_again(void)
{
    static const struct story s = {
        .name = "win32u",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = opens_windows },
        .says = { "NtUserGetDC(hWnd=NULL) = ", "NtUserReleaseDC(hdc=NULL) = 1",
                  "+++ exited with 3 +++" },
    };

    tell(&s);
}

static void a_program_that_may_not_change_its_code_is_patched_from_outside(void)
{
    struct story s = {
        .name = "",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = opens_windows, .keeps_loader = true },
        .says = { "NtUserGetDC(hWnd=NULL) = ", "NtUserReleaseDC(hdc=NULL) = 1",
                  "+++ exited with 3 +++" },
    };
    static const char *const names[] = { "its room stays closed",
                                         "its code stays closed",
                                         "its code stays open" };

    for (unsigned i = 0; i < 3; i++) {
        s.name = names[i];
        s.setup.acg_chore = i + 1;
        tell(&s);
    }
}

static uint32_t has_orphans(void)
{
    if (fake_start()) {
        fake_entry("NtSetEvent", 0x4, 0);
        fake_orphan(FAKE_PRIVATE + 0x1234);
        fake_orphan(FAKE_PRIVATE + 0x80000);
        fake_orphan(FAKE_PROGRAM + 0x1010);
        fake_orphan(fake_function("NtClose") + 0x14);
        fake_put_back("NtSetEvent");
        fake_orphan(fake_function("NtSetEvent") + 0x14);
    }
    return 0;
}

static void what_no_entry_explains_is_asked_for(void)
{
    static const struct story s = {
        .name = "orphans",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = has_orphans },
        .says = { "INDIRECT", "patches lost: 1 functions of ntdll.dll" },
        .says_more = { "DIRECT: private 0x21000000+0x1234",
                       "DIRECT: unmapped 0x21080000+0x0",
                       "DIRECT: x.exe+0x1010" },
    };
    static const struct story wine = {
        .name = "orphans under Wine",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = has_orphans, .wine = true },
        .says = { "INDIRECT", "patches lost: 1 functions of ntdll.dll" },
        .says_more = { "DIRECT: private 0x21000000+0x1234",
                       "DIRECT: unmapped 0x21080000+0x0",
                       "DIRECT: x.exe+0x1010" },
    };
    static const struct story plain = {
        .name = "unpatched",
        .line = "ntstrace -o out.txt --no-patch app.exe",
        .setup = { .run = has_orphans },
        .says_more = { "DIRECT: private 0x21000000+0x1234",
                       "DIRECT: x.exe+0x1010" },
    };

    tell(&s);
    tell(&wine);
    tell_from(&plain, false);
}

static uint32_t has_apcs(void)
{
    if (fake_start()) {
        fake_apc(FAKE_PRIVATE + 0x20);
        fake_apc(FAKE_PRIVATE + 0x90000);
        fake_apc(fake_function("RtlUserThreadStart") + 1);
        fake_call("NtClose", 0x10, 0, 0);
        fake_wait_for("NtClose");
    }
    return 0;
}

static void what_is_at_an_address_is_asked_for_with_a_deadline(void)
{
    struct story s = {
        .name = "places",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = has_apcs },
        .says = { "NtClose(Handle=0x10) = 0", "ntdll.dll+0x1001" },
        .says_more = { "private 0x21000000+0x20" },
    };

    tell(&s);
    s.setup.wine = true;
    s.name = "places under Wine";
    tell(&s);
    s.says_more[0] = "Routine=0x21000020";
    s.setup.pace = FAKE_LATE;
    tell_once(&s);
    s.setup.pace = FAKE_NEVER;
    tell_once(&s);
}

static uint32_t makes_a_process(void)
{
    if (fake_start() && fake_make_process()) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_wait_for("NtClose");
        fake_interrupt(OS_INTERRUPT_CLOSE);
        while (!fake_left_alone()) {
            fake_rest(1);
        }
    }
    return 0;
}

/* What it is held for is not done, and it goes on all the same. */
static void what_is_held_and_not_taken_in_goes_on(void)
{
    struct story s = {
        .name = "a process whose handles say nothing",
        .line = "ntstrace -f -o out.txt app.exe",
        .setup = { .run = makes_a_process },
        .says = { "NtClose(Handle=0x10) = 0" },
    };

    tell(&s);
    s.name = "a process that may be anybody's";
    s.setup.child = FAKE_STRANGER;
    tell(&s);
}

static uint64_t waited;

static uint32_t makes_a_stuck_process(void)
{
    if (fake_start() && fake_make_process_directly(&waited)) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_wait_for("NtClose");
        fake_rest(300);
    }
    return 0;
}

static void nobody_waits_for_a_process_that_does_not_come_to_its_loader(void)
{
    struct story s = {
        .name = "stuck",
        .line = "ntstrace -f -o out.txt app.exe",
        .setup = { .run = makes_a_stuck_process, .child = FAKE_STUCK },
        .says = { "NtClose(Handle=0x10) = 0" },
        .says_more = { "process 80", "no such process" },
    };

    tell_once(&s);
    CHECK(waited < 50);
    tell(&s);
}

static uint32_t is_denied(void)
{
    fake_start();
    return 0;
}

/* The ends of functions must be known; an old Windows has others. */
static void a_program_without_callback_and_with_strange_ends_is_ended(void)
{
    static const struct story s = {
        .name = "no callback, strange ends",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = is_denied, .callback_denied = true, .old = true },
    };
    struct story again = {
        .name = "no callback, int 2Eh",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = is_denied, .interrupts = true },
    };
    struct told t = run(&s, &s.setup);

    CHECK(!t.ok && fake_killed());
    CHECK_STR(str_of(t.e.text),
              STR("app.exe: this system does not let a process watch its own "
                  "system calls (NtSetInformationProcess said 0xc0000022), and "
                  "the end of NtClose is of no form that is known"));
    CHECK_STR(fake_left(), STR(""));
    fake_end();
    again.setup.callback_denied = true;
    t = run(&again, &again.setup);
    CHECK(!t.ok && fake_killed());
    CHECK(contains(str_of(t.e.text), ", and its system calls go by int 2Eh"));
    fake_end();
}

static uint32_t runs_on(void)
{
    if (fake_start()) {
        fake_map_win32u();
        fake_call("NtClose", 0x10, 0, 0);
        fake_interrupt(OS_INTERRUPT_CLOSE);
        for (int i = 0; i < 20 && fake_call("NtSetEvent", 4, 0, 0); i++) {
            fake_rest(1);
        }
        while (!fake_left_alone()) {
            fake_rest(1);
        }
    }
    return 0;
}

static void a_program_that_is_let_go_is_what_it_was(void)
{
    struct story s = {
        .name = "detach",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = runs_on },
        .says = { "NtClose(Handle=0x10) = 0", "+++ detached +++" },
    };

    tell(&s);
    s.name = "detach, the callback stays";
    s.setup.callback_stays = true;
    s.says[2] = "detaching: its callback stays (0xc0000022)";
    tell(&s);
    s.name = "detach, a callback comes";
    s.setup.callback_stays = false;
    s.setup.callback_comes = true;
    s.says[2] = NULL;
    tell(&s);
    s.name = "detach, a callback is about to come";
    s.setup.callback_under_way = true;
    tell(&s);
}

static uint32_t is_joined(void)
{
    if (fake_joined()) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_wait_for("NtClose");
        for (int i = 0; i < 20 && fake_call("NtSetEvent", 4, 0, 0); i++) {
            fake_rest(1);
        }
        while (!fake_left_alone()) {
            fake_rest(1);
        }
    }
    return 0;
}

static void a_program_without_callback_is_let_go_as_it_was(void)
{
    static const struct story s = {
        .name = "no callback",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = runs_on, .callback_denied = true },
        .says = { "+++ no callback: no transitions, no direct calls +++",
                  "NtClose(Handle=0x10) = 0", "+++ detached +++" },
    };
    static const struct story joined = {
        .name = "attach, no callback",
        .line = "ntstrace -o out.txt --detach-after=10 -p 64",
        .attached = true,
        .setup = { .run = is_joined, .callback_denied = true },
        .says = { "+++ attached +++",
                  "+++ no callback: no transitions, no direct calls +++",
                  "NtClose(Handle=0x10) = 0", "+++ detached +++" },
    };
    struct story waits;

    tell(&s);
    tell_from(&joined, false);
    waits = joined;
    waits.name = "attach, a thread stands there";
    waits.setup.in_end = 3;
    tell_once(&waits);
    waits = s;
    waits.name = "detach, a thread stands there";
    waits.setup.in_end = 5;
    tell_once(&waits);
    /* One that stays there: nothing can be put back, and it is said. */
    waits.setup.in_end = 1000;
    waits.says_more[0] = "detaching: a thread stays at the end of a function";
    tell_once(&waits);
}

/* What the tracer stops is let go again, whoever was to do that. */
static void a_program_that_ends_our_thread_runs_to_its_end(void)
{
    static const enum keeper_what orders[] = { KEEPER_STOP, KEEPER_OPEN };
    struct story s = {
        .name = "our thread falls",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = runs_on, .keeper_falls = true },
    };

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        struct told t;

        s.setup.falls_at = orders[i];
        t = run(&s, &s.setup);
        CHECK(t.ok && fake_resumed());
        CHECK_STR(fake_left(), STR(""));
        /* It is bent still, perhaps, but all of it is code. */
        CHECK(!contains(fake_changed(), " page "));
        fake_end();
    }
}

static uint32_t shakes(void)
{
    if (fake_start_late()) {
        fake_shake("NtClose", 0);
        fake_shake("NtSetEvent", 0);
        fake_shake("NtClose", 0xc0000008);
    }
    return 5;
}

static void the_other_engine_tells_calls_that_have_returned(void)
{
    static const struct story s = {
        .name = "handshake",
        .line = "ntstrace -o out.txt --engine=handshake app.exe",
        .setup = { .run = shakes },
        .says = { "+++ ended with 5 +++" },
        .says_more = { "NtClose(Handle=0x1234) = 0xc0000008", "NtSetEvent(" },
    };
    static const struct story wine = {
        .name = "handshake under Wine",
        .line = "ntstrace -o out.txt --engine=handshake app.exe",
        .setup = { .run = shakes, .wine = true },
        .says = { "+++ ended with 5 +++" },
        .says_more = { "NtClose(Handle=0x1234) = 0xc0000008", "NtSetEvent(" },
    };

    tell_from(&s, false);
    tell(&wine);
}

/* What a watch was told. */
static struct {
    unsigned opened;
    unsigned begun;
    unsigned closes;
    unsigned others;
    unsigned turns;
    uint32_t pid;
    uint32_t processes;
    bool refuses;  // to be opened
} watched;

static bool watch_open(void *ctx, struct err *e)
{
    (void)ctx;
    watched.opened++;
    return !watched.refuses || err_set(e, ERR_OUTPUT, "os_file_none to see");
}

static void watch_begin(void *ctx, const struct clock *clock)
{
    (void)ctx;
    (void)clock;
    watched.begun++;
}

static void watch_leave(void *ctx, const struct call *call)
{
    bool closes = call->stub != NULL && str_is(call->stub->name, "NtClose");

    (void)ctx;
    *(closes ? &watched.closes : &watched.others) += 1;
}

static void watch_notice(void *ctx, const struct notice *n)
{
    (void)ctx;
    (void)n;
}

/* One call is enough. */
static bool watch_turn(void *ctx, const struct watch_turn *now)
{
    (void)ctx;
    watched.turns++;
    watched.pid = now->pid;
    watched.processes = now->processes;
    return watched.closes == 0;
}

static uint32_t goes_on(void)
{
    if (fake_start()) {
        fake_call("NtSetEvent", 4, 0, 0);
        fake_call("NtClose", 0x10, 0, 0);
        fake_rest(500);
        fake_call("NtClose", 0x14, 0, 0);
    }
    return 0;
}

/* It hears of the calls that the filter passes, nothing is written, and the program
 * is let go when it has had enough. */
static void who_watches_is_told_of_calls_and_says_when_it_is_enough(void)
{
    static const struct watch watch = {
        .open = watch_open,
        .begin = watch_begin,
        .leave = watch_leave,
        .notice = watch_notice,
        .turn = watch_turn,
    };
    static const struct story s = {
        .name = "watched",
        .line = "ntstrace -e NtClose app.exe",
        .watch = &watch,
        .setup = { .run = goes_on },
    };
    struct told t;

    memset(&watched, 0, sizeof(watched));
    t = run(&s, &s.setup);
    CHECK(t.ok && t.status == 0);
    CHECK(fake_resumed() && fake_changed().size == 0);
    CHECK_STR(fake_output(), STR(""));
    fake_end();
    CHECK_U64(watched.opened, 1);
    CHECK_U64(watched.begun, 1);
    CHECK_U64(watched.closes, 1);
    CHECK_U64(watched.others, 0);
    CHECK(watched.turns > 0 && watched.processes == 1);
    CHECK_U64(watched.pid, FAKE_PID);
    /* What it has to say when it cannot be had is what is said. */
    watched.refuses = true;
    t = run(&s, &s.setup);
    CHECK(!t.ok && t.e.code == ERR_OUTPUT && !fake_launched());
    fake_end();
    memset(&watched, 0, sizeof(watched));
    tell_once(&s);
}

/* Four threads' worth of calls for the smallest ring. */
static uint32_t is_busy(void)
{
    bool ok = fake_start();

    for (int i = 0; i < 1500 && ok; i++) {
        ok = fake_call("NtSetEvent", 4, 0, 0);
    }
    if (ok) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_entry("NtTerminateThread", UINT64_MAX - 1, 9);
        fake_end_thread(9);
        fake_wait_for("exited with 9");
    }
    return 0;
}

static void a_thread_that_finds_no_room_waits_and_its_end_is_told(void)
{
    static const struct story s = {
        .name = "busy",
        .line = "ntstrace -o out.txt --ring-size=64K -e NtClose,"
                "NtTerminateThread app.exe",
        .setup = { .run = is_busy },
        .says = { "NtClose(Handle=0x10) = 0",
                  "NtTerminateThread(ThreadHandle=NtCurrentThread" },
        .says_more = { "+++ thread exited with 9 +++", "+++ ended with 0 +++" },
    };

    tell(&s);
}

/* Is stopped in a call, sent to where it makes two others, and so to its end. */
static uint32_t is_sent_elsewhere(void)
{
    if (fake_start()) {
        fake_entry("NtSetEvent", 4, 0);
        fake_wait_for("NtSetEvent");
        fake_go_below(20);
        fake_call("NtClose", 0x10, 0, 0);
        fake_entry("NtTerminateThread", UINT64_MAX - 1, 9);
        fake_end_thread(9);
        fake_wait_for("exited with 9");
    }
    return 0;
}

static void what_a_thread_was_sent_away_from_ends_when_the_thread_does(void)
{
    static const struct story s = {
        .name = "elsewhere",
        .line = "ntstrace -o out.txt -e NtClose,NtSetEvent,NtTerminateThread "
                "app.exe",
        .setup = { .run = is_sent_elsewhere },
        .says = { "NtClose(Handle=0x10) = 0\n"
                  "64.68 NtTerminateThread(ThreadHandle=NtCurrentThread, "
                  "ExitStatus=9) = ?\n"
                  "64.68 <... NtSetEvent resumed>EventHandle=0x4<Event>) = ?\n"
                  "64.68 +++ thread exited with 9 +++\n" },
    };

    tell_once(&s);
}

static uint32_t scribbles(void)
{
    if (fake_start()) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_wait_for("NtClose");
        fake_scribble();
        for (int i = 0; i < 20; i++) {
            fake_entry("NtSetEvent", 4, 0);
        }
        fake_wait_for("callback lost");
    }
    return 0;
}

static void what_the_program_writes_over_is_counted(void)
{
    static const struct story s = {
        .name = "scribbles",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = scribbles, .callback_gone = true },
        .says = { "NtClose(Handle=0x10) = 0" },
        .says_more = { "records: damaged", "callback lost" },
    };

    tell_once(&s);
}

static uint32_t enters_only(void)
{
    if (fake_start()) {
        fake_call("NtClose", 0x10, 0, 0);
        for (int i = 0; i < 20; i++) {
            fake_entry("NtSetEvent", 4, 0);
        }
        fake_rest(300);
        fake_call("NtClose", 0x14, 0, 0);
    }
    return 0;
}

/* That a thread enters one call after the other is no proof that the callback is
 * gone. */
static void who_hears_of_returns_is_asked(void)
{
    struct story s = {
        .name = "enters",
        .line = "ntstrace -o out.txt app.exe",
        .setup = { .run = enters_only },
        .says_more = { "NtClose(Handle=0x14) = 0" },
    };
    struct told t = run(&s, &s.setup);

    CHECK(t.ok && contains(fake_output(), "NtClose(Handle=0x14) = 0"));
    CHECK(!contains(fake_output(), "callback"));
    fake_end();
    s.setup.callback_gone = true;
    s.says_more[1] = "+++ callback lost: no transitions, no direct calls from "
                     "here on +++";
    tell_once(&s);
    /* Left to the program. */
    s.line = "ntstrace --honor-callback -o out.txt app.exe";
    s.says_more[1] = "+++ callback lost +++";
    tell_once(&s);
}

static uint32_t is_joined_and_ends(void)
{
    if (fake_joined()) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_entry("NtTerminateProcess", UINT64_MAX, 0);
    }
    return 0;
}

static void a_program_that_runs_is_joined_and_let_go_as_it_was(void)
{
    static const struct story let_go = {
        .name = "attach",
        .line = "ntstrace -o out.txt --detach-after=10 -p 64",
        .attached = true,
        .setup = { .run = is_joined },
        .says = { "NtClose(Handle=0x10) = 0" },
        .says_more = { "+++ attached +++", "+++ detached +++" },
    };
    static const struct story ends = {
        .name = "attach by name, it ends",
        .line = "ntstrace -o out.txt -p x",
        .attached = true,
        .setup = { .run = is_joined_and_ends },
        .says_more = { "NtClose(Handle=0x10) = 0", "+++ attached +++",
                       "+++ exited with 0 +++" },
    };

    static const struct story other = {
        .name = "attach, the callback is another's",
        .line = "ntstrace -o out.txt --detach-after=10 -p 64",
        .attached = true,
        .setup = { .run = is_joined, .callback_there = true },
        .says_more = { "+++ attached +++",
                       "process 64: another owner of the callback was there" },
    };

    tell_from(&let_go, false);
    tell_from(&ends, false);
    tell_once(&other);
}

/* What an agent that is found in it says of its tracer is the program's to
 * write: a handle says which process it is on. */
static void who_says_to_be_traced_is_believed_if_the_system_says_so(void)
{
    static const struct {
        uint32_t traced_by;
        uint32_t handle_on;
        bool is;
    } rows[] = {
        { FAKE_OTHER, FAKE_OTHER, true },  // a tracer
        { FAKE_OTHER, 0, false },          // one that is dead
        { FAKE_OTHER, 0x60, false },       // another one has its number by now
        { FAKE_PID, FAKE_PID, false },     // the program itself
    };
    struct story s = {
        .name = "is traced, it says",
        .line = "ntstrace -o out.txt --detach-after=10 -p 64",
        .attached = true,
        .setup = { .run = is_joined },
        .says_more = { "+++ attached +++", "+++ detached +++" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct told t;

        s.setup.traced_by = rows[i].traced_by;
        s.setup.handle_on = rows[i].handle_on;
        if (!rows[i].is) {
            tell_once(&s);
            continue;
        }
        t = run(&s, &s.setup);
        CHECK(!t.ok);
        CHECK_STR(str_of(t.e.text),
                  STR("process 64 is traced already, by process 80"));
        CHECK_STR(fake_left(), STR(""));
        CHECK_STR(fake_changed(), STR(""));
        fake_end();
    }
}

static void a_thread_that_a_dead_tracer_had_stopped_goes_on(void)
{
    static const struct story s = {
        .name = "left stopped",
        .line = "ntstrace -o out.txt --detach-after=10 -p 64",
        .attached = true,
        .setup = { .run = is_joined,
                   .traced_by = FAKE_OTHER,
                   .left_stopped = true },
        .says = { "NtClose(Handle=0x10) = 0" },
        .says_more = { "+++ attached +++", "+++ detached +++" },
    };

    tell_once(&s);
}

/* Where the section of a dead one was, there is ours now. */
static void what_a_dead_tracer_had_given_back_is_not_taken_again(void)
{
    static const struct story s = {
        .name = "section gone",
        .line = "ntstrace -o out.txt --detach-after=10 -p 64",
        .attached = true,
        .setup = { .run = is_joined,
                   .traced_by = FAKE_OTHER,
                   .section_gone = true },
        .says = { "NtClose(Handle=0x10) = 0" },
        .says_more = { "+++ attached +++", "+++ detached +++" },
    };

    tell_once(&s);
}

static uint32_t is_joined_anew(void)
{
    if (fake_begins() ? fake_start() : fake_joined()) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_wait_for("NtClose");
        for (int i = 0; i < 20 && fake_call("NtSetEvent", 4, 0, 0); i++) {
            fake_rest(1);
        }
    }
    while (!fake_left_alone()) {
        fake_rest(1);
    }
    return 0;
}

/* Its maker lets it run whenever it likes, and it finds all of the agent there,
 * or nothing of it. */
static void a_program_that_has_not_run_is_joined_whenever_it_begins(void)
{
    struct story s = {
        .name = "new",
        .line = "ntstrace -o out.txt --detach-after=10 -p 64",
        .attached = true,
        .setup = { .run = is_joined_anew, .is_new = true },
        .says = { "NtClose(Handle=0x10) = 0" },
        .says_more = { "+++ attached +++", "+++ detached +++" },
    };
    struct fake_counts all, ignored;

    try(&s, &s.setup, &all);
    for (unsigned i = 1; i <= all.requests && check_bad < 10; i++) {
        s.setup.begins_at = i;
        try(&s, &s.setup, &ignored);
    }
    s.setup.begins_at = 0;
    tell_from(&s, false);
}

static void a_program_that_is_being_made_is_left_alone(void)
{
    struct story s = {
        .name = "being made",
        .line = "ntstrace -o out.txt --detach-after=10 -p 64",
        .attached = true,
        .setup = { .run = is_joined_anew, .is_new = true, .unmade = true },
        .says = { "NtClose(Handle=0x10) = 0" },
        .says_more = { "+++ attached +++", "+++ detached +++" },
    };

    tell_once(&s);
    s.setup.is_new = false;
    s.setup.run = is_joined;
    tell_once(&s);
}

static uint32_t is_interrupted(void)
{
    if (fake_start()) {
        fake_call("NtClose", 0x10, 0, 0);
        fake_wait_for("NtClose");
        fake_interrupt(OS_INTERRUPT_CTRL_BREAK);
        fake_rest(5);
        fake_share_console(false);
        fake_interrupt(OS_INTERRUPT_CTRL_BREAK);
        fake_wait_for("total");
        fake_interrupt(OS_INTERRUPT_CTRL_C);
        while (!fake_left_alone()) {
            fake_rest(1);
        }
    }
    return 0;
}

static void a_program_without_our_console_is_let_go_after_a_while(void)
{
    static const struct story s = {
        .name = "interrupted",
        .line = "ntstrace -o out.txt -C app.exe",
        .setup = { .run = is_interrupted },
        .says = { "NtClose(Handle=0x10) = 0", "+++ detached +++", "total" },
    };

    tell_once(&s);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_program_is_traced_from_beginning_to_end),
        TEST(a_recording_whose_disk_is_full_is_whole_as_far_as_it_goes),
        TEST(win32u_is_patched_when_it_comes_and_when_it_comes_again),
        TEST(a_program_that_may_not_change_its_code_is_patched_from_outside),
        TEST(what_no_entry_explains_is_asked_for),
        TEST(what_is_at_an_address_is_asked_for_with_a_deadline),
        TEST(what_is_held_and_not_taken_in_goes_on),
        TEST(nobody_waits_for_a_process_that_does_not_come_to_its_loader),
        TEST(a_program_without_callback_and_with_strange_ends_is_ended),
        TEST(a_program_without_callback_is_let_go_as_it_was),
        TEST(a_program_that_is_let_go_is_what_it_was),
        TEST(a_program_that_ends_our_thread_runs_to_its_end),
        TEST(a_program_that_runs_is_joined_and_let_go_as_it_was),
        TEST(who_says_to_be_traced_is_believed_if_the_system_says_so),
        TEST(a_thread_that_a_dead_tracer_had_stopped_goes_on),
        TEST(what_a_dead_tracer_had_given_back_is_not_taken_again),
        TEST(a_program_that_has_not_run_is_joined_whenever_it_begins),
        TEST(a_program_that_is_being_made_is_left_alone),
        TEST(the_other_engine_tells_calls_that_have_returned),
        TEST(who_watches_is_told_of_calls_and_says_when_it_is_enough),
        TEST(a_thread_that_finds_no_room_waits_and_its_end_is_told),
        TEST(what_a_thread_was_sent_away_from_ends_when_the_thread_does),
        TEST(what_the_program_writes_over_is_counted),
        TEST(who_hears_of_returns_is_asked),
        TEST(a_program_without_our_console_is_let_go_after_a_while),
    };

    setvbuf(stdout, NULL, _IOLBF, 0);
    return check_run(tests, COUNT_OF(tests));
}
