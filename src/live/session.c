/* SPDX-License-Identifier: MIT */
/*
 * session.c - the loop: sleep, drain, tell, write; and how it begins and ends.
 *
 * Runs on the main thread. Touches the target only through target.c, drain.c,
 * rendezvous.c and handshake.c. Fails before the target has run: then it is
 * ended, and *e says why. Afterwards only if the callback could not be had
 * (the target is ended as well), or if the output could not be written: then
 * the target is let go, and runs to its end first.
 */
#include "live/session.h"

#include "live/attach.h"
#include "live/begin.h"
#include "live/children.h"
#include "live/detach.h"
#include "live/drain.h"
#include "live/handshake.h"
#include "live/journal.h"
#include "live/missing.h"
#include "live/recording.h"
#include "live/returns.h"
#include "live/rings.h"
#include "live/tampering.h"
#include "live/traced.h"
#include "view/declared.h"

#include <stdlib.h>

#include "base/banned.h"

/* The reader sleeps this long at most; that long if there was nothing for so
 * long: a look at the rings of many costs more than it is worth then. */
#define SLEEP_MS 10
#define SLEEP_IDLE_MS 25
#define IDLE_MS 200
/* ntstrace was told to stop by Ctrl-C; as strace and the shells have it. */
#define STATUS_INTERRUPTED 130
/* So long after Ctrl-C a target without our console is let go. */
#define DETACH_MS 500
/* No wait is for more handles. */
#define WAIT_MOST 64
/* The ends of processes are looked for so often at least. */
#define ENDS_MS 10
/* So often at the end nothing may come of what is still there. */
#define IDLE_MOST 20
/* Threads that wait are answered for so long before their process is let go. */
#define ANSWER_MS 200
/* A program that is ending has so long for that. */
#define END_MS 500

/* --- the loop --- */

/* `first`: whose system is everybody's. */
static bool open_model(struct session *s, const struct target *first,
                       struct err *e)
{
    struct model_config config = {
        .system = first->plan->system,
        .hold = 100 * s->timing.tsc_per_ms,
        /* Who does not see what closes a handle must not name it. */
        .no_handles = !first->patching || !begin_wants(s).handles,
    };
    /* Who records only looks at nothing now. */
    struct model_out out = s->options->record_only ? (struct model_out){ 0 }
                                                   : telling_out(&s->telling);
    struct telling_setting setting = {
        .wine = first->plan->system.wine,
        .utc_offset = os_utc_offset(),
    };
    struct journal_clock points[2];

    if (!recording_begin(s, &config, e)) {
        return false;
    }
    s->model = model_open(&config, &out, e);
    recording_model(s);
    if (s->model == NULL || !journal_open(s, e)) {
        return false;
    }
    timing_points(&s->timing, points);
    if (!put_clock(s, &points[0]) || !put_clock(s, &points[1])) {
        return err_set(e, ERR_OS, "out of memory");
    }
    setting.clock = model_clock(s->model);
    setting.colours = telling_colours(s->view, &s->output);
    return telling_open(&s->telling, &s->output, &setting, e);
}

/* True if Ctrl-C goes to a program as well: all sit on our console. */
static bool all_share_console(const struct session *s)
{
    for (const struct traced *t = s->traced; t != NULL; t = t->next) {
        if (!t->ended && !os_shares_console(&t->target.os)) {
            return false;
        }
    }
    return true;
}

/* What a user's Ctrl-C and the like ask for; true: detach. A target that
 * Ctrl-C ends leaves the console before it is gone: one that seems not to
 * share it gets a while for that. */
static bool interrupted(struct session *s)
{
    enum os_interrupt which;

    while ((which = os_interrupt_take()) != OS_INTERRUPT_NONE) {
        if (which == OS_INTERRUPT_CTRL_BREAK) {
            /* A program on our console has heard it too, and ends. */
            if (!all_share_console(s)) {
                telling_summary(&s->telling);
            }
            continue;
        }
        s->interrupts++;
        if (which == OS_INTERRUPT_CLOSE || s->interrupts > 1 ||
            s->options->attach.count > 0) {
            return true;
        }
        if (!all_share_console(s)) {
            s->detach_at = os_tsc() + DETACH_MS * s->timing.tsc_per_ms;
        }
    }
    return s->detach_at != 0 && os_tsc() >= s->detach_at;
}

/* Whoever watches has his turn; false: he has seen enough. */
static bool watched(struct session *s)
{
    const struct watch *watch = s->options->watch;
    const struct traced *first = s->traced;
    struct watch_turn now = { .image = STR("") };

    if (watch == NULL) {
        return true;
    }
    for (const struct traced *t = s->traced; t != NULL; t = t->next) {
        now.processes += !t->ended;
        first = t->first ? t : first;
    }
    if (first != NULL) {
        now.pid = first->target.os.pid;
        now.image = buf_str(&first->image);
    }
    return watch->turn(watch->ctx, &now);
}

/* --detach-after, or a watch: true once it is time. */
static bool had_enough(struct session *s)
{
    const struct launch_options *o = s->options;

    s->enough = (o->detach_calls > 0 &&
                 model_counts(s->model).calls >= o->detach_calls) ||
                (o->detach_ms > 0 && os_tsc() - s->followed_since >=
                                         o->detach_ms * s->timing.tsc_per_ms) ||
                !watched(s);
    return s->enough;
}

static size_t take(struct traced *t)
{
    return t->handshake != NULL ? handshake_drain(t, t->ended)
                                : drain_rings(t, t->ended);
}

static void tell(struct session *s)
{
    model_run(s->model, os_tsc());
    if (s->hidden != NULL) {
        model_run(s->hidden, os_tsc());
    }
    telling_write(&s->telling);
}

static void read_on(void *traced);

/* One round: whatever is there is told and written. Returns the bytes that
 * came in. */
static size_t round_trip(struct session *s)
{
    size_t taken = 0;

    drain_begin(s);
    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        if (!t->ended) {
            taken += take(t);
            returns_turn(t, &(struct meanwhile){ read_on, t });
            children_late(t, false);
            /* Now: the others' turns may take long. */
            rings_wake(t);
        }
    }
    if (taken > 0) {
        s->busy_at = os_tsc();
    }
    tell(s);
    return taken;
}

/* While it is changed or let go, its threads are not to wait for us. */
static void read_on(void *traced)
{
    struct traced *t = traced;

    round_trip(t->session);
    rings_wake(t);
}

/* Sleeps until something wakes us, or for `ms`. Of many processes the end of
 * the first ones wakes; that of the others is seen at the next look. True: a
 * thread has woken us, and whether anything else has happened is not known. */
static bool sleep_ms(struct session *s, uint32_t ms)
{
    void *handles[WAIT_MOST];
    int count = 0;

    handles[count++] = s->wake;
    handles[count++] = s->interrupt;
    for (const struct traced *t = s->traced; t != NULL && count < WAIT_MOST;
         t = t->next) {
        if (!t->ended) {
            handles[count++] = t->target.os.process;
        }
    }
    return os_wait(handles, count, ms) == 0;
}

static void say_asleep(const struct session *s, uint32_t asleep)
{
    for (const struct traced *t = s->traced; t != NULL; t = t->next) {
        atomic_store_explicit(&t->target.section->reader_asleep, asleep,
                              memory_order_relaxed);
    }
}

/* True: as sleep_ms. */
static bool doze(struct session *s)
{
    bool woken = false;
    bool waking = false;
    bool pressing = false;

    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        waking |= rings_wake(t);
    }
    if (os_tsc() < s->poll_until) {
        /* The thread that we poll for may want this very core. */
        os_yield();
        return false;
    }
    say_asleep(s, 1);
    /* Full fence: they see that we sleep, or we see what they wrote. Pairs
     * with the fence in wait_wake_reader (agent/wait.c). */
    atomic_thread_fence(memory_order_seq_cst);
    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        pressing |= rings_pressing(t);
    }
    if (!pressing || waking) {
        bool idle = os_tsc() - s->busy_at > IDLE_MS * s->timing.tsc_per_ms;

        woken = sleep_ms(s, waking ? 1 : idle ? SLEEP_IDLE_MS : SLEEP_MS);
    }
    say_asleep(s, 0);
    return woken;
}

/* --summary-every: the table so far, if it is time for it. */
static void summarise(struct session *s)
{
    uint64_t now = os_tsc();
    uint64_t every = s->view->summary_every * 1000 * s->timing.tsc_per_ms;

    if (every > 0 && now >= s->summary_at) {
        if (s->summary_at > 0) {
            telling_summary(&s->telling);
        }
        s->summary_at = now + every;
    }
}

/* The agent of the first process could not start. */
static bool is_refused(const struct session *s)
{
    return s->traced != NULL && s->traced->first && s->traced->refused;
}

/* What is told goes nowhere: there is no use in going on. */
static bool is_deaf(const struct session *s)
{
    return s->output.failed || recording_failed(s);
}

/* Its threads are gone; what they wrote is still there. */
static void finish(struct traced *t)
{
    struct session *s = t->session;

    children_late(t, true);
    /* A look may bring nothing because a queue of the model was full. */
    for (int idle = 0; idle < IDLE_MOST && !is_deaf(s);) {
        idle = take(t) > 0 ? 0 : rings_left(t) ? idle + 1 : IDLE_MOST;
        tell(s);
        recording_turn(s, false);
    }
    drain_end(t, t->code);
    put_process_end(t, os_tsc(), t->code);
}

/* It is no more: what it left is told, and everything of it given back. The
 * first one stays, for what it was ended by. */
static void end_process(struct traced *t)
{
    struct session *s = t->session;

    t->ended = true;
    finish(t);
    s->questions_refused += t->questions_refused;
    t->questions_refused = 0;
    if (t->first) {
        s->first_code = t->code;
        return;
    }
    if (t->refused) {
        session_note(s, "process %u could not be traced, and was ended: %s",
                     (unsigned)t->target.os.pid, t->why.text);
    }
    children_forget(t);
    traced_close(t);
}

/* Notes which of `count` processes run no more; one wait says that there is none
 * behind the last one. */
static void note_over(struct traced **of, void **handles, int count)
{
    int at = count == 0 ? -1 : os_wait(handles, count, 0);

    while (at >= 0) {
        struct traced *t = of[at];

        t->over = os_process_ended(&t->target.os, &t->code);
        t->over_at = t->over ? os_process_end_time(&t->target.os) : 0;
        of += at + 1;
        handles += at + 1;
        count -= at + 1;
        at = count == 0 ? -1 : os_wait(handles, count, 0);
    }
}

/* Looks which processes run no more. */
static void look_for_ends(struct session *s)
{
    void *handles[WAIT_MOST];
    struct traced *of[WAIT_MOST];
    struct traced *t = s->traced;

    while (t != NULL) {
        int count = 0;

        for (; t != NULL && count < WAIT_MOST; t = t->next) {
            if (!t->ended && !t->over) {
                handles[count] = t->target.os.process;
                of[count++] = t;
            }
        }
        note_over(of, handles, count);
    }
}

/* One of those that run no more, the first one first; NULL: all live. */
static struct traced *next_ended(struct session *s)
{
    struct traced *first = NULL;

    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        if (!t->ended && t->over &&
            (first == NULL || t->over_at < first->over_at)) {
            first = t;
        }
    }
    return first;
}

/* Takes leave of those that are no more. True: none is left, or none is to be
 * followed. */
static bool end_processes(struct session *s)
{
    struct traced *t;

    s->ends_at = os_tsc() + ENDS_MS * s->timing.tsc_per_ms;
    look_for_ends(s);
    while ((t = next_ended(s)) != NULL) {
        bool last = t->first && s->options->exit_with_first;

        end_process(t);
        if (last) {
            return true;
        }
    }
    for (t = s->traced; t != NULL; t = t->next) {
        if (!t->ended) {
            return false;
        }
    }
    return true;
}

/* Follows the processes to their ends: true; false: detached from, or
 * refused. */
static bool follow(struct session *s)
{
    size_t busy = s->options->ring_size / 4;
    struct journal_clock point;

    s->followed_since = os_tsc();
    while (!is_refused(s) && !is_deaf(s)) {
        size_t taken = round_trip(s);
        bool woken = false;

        recording_turn(s, taken >= busy);
        if (timing_tick(&s->timing, &point)) {
            put_clock(s, &point);
        }
        summarise(s);
        if (interrupted(s) || had_enough(s)) {
            return false;
        }
        if (taken < busy) {
            woken = doze(s);
        } else {
            for (struct traced *t = s->traced; t != NULL; t = t->next) {
                rings_wake(t);
            }
        }
        /* Who is woken by threads that wait has no time to look at every turn. */
        if (((taken == 0 && !woken) || os_tsc() > s->ends_at) &&
            end_processes(s)) {
            return true;
        }
    }
    return false;
}

/* What is missing in the lines without a line of its own. */
static void tell_losses(struct session *s)
{
    struct model_counts counts = model_counts(s->model);
    uint32_t questions = s->questions_refused;

    for (const struct traced *t = s->traced; t != NULL; t = t->next) {
        questions += t->questions_refused;
    }
    if (counts.data_lost > 0) {
        session_note(s,
                     "%llu pieces of what arguments point to were not kept, "
                     "for want of memory; they are shown as addresses",
                     (unsigned long long)counts.data_lost);
    }
    if (questions > 0) {
        session_note(s,
                     "a fault of ntstrace: %u questions were about to be put "
                     "to the program while it waited; please report this",
                     (unsigned)questions);
    }
}

/* The end of what is told. */
static void conclude_telling(struct session *s)
{
    model_flush(s->model);
    telling_flush(&s->telling);
    telling_summary(&s->telling);
}

/* Those that wait have their answers first: until then nothing may be asked of
 * their process (docs/decisions/0023-no-question-while-one-waits.md). */
static void answer_all(struct traced *t)
{
    const uint64_t until = os_tsc() + ANSWER_MS * t->session->timing.tsc_per_ms;

    while (os_tsc() < until && rings_waited_for(t)) {
        read_on(t);
        os_sleep(1);
    }
}

/* One that cannot be let go may be ending. */
static bool ends_soon(struct traced *t)
{
    return os_wait(&t->target.os.process, 1, END_MS) == 0;
}

/* Detaches. What does not work is a note: the program runs on either way. */
static void let_go(struct traced *t)
{
    const struct meanwhile meanwhile = { read_on, t };
    struct err e = { 0 };
    uint32_t code;

    if (t->ended || t->aside || os_process_ended(&t->target.os, &code)) {
        return;
    }
    answer_all(t);
    t->target.os.waited_for = NULL;
    if (!detach(&t->target, &meanwhile, &e) && !ends_soon(t)) {
        session_note(t->session,
                     "detaching: %s; the program goes on, but not as if we "
                     "had never been there",
                     e.text);
    }
    t->letting_go = true;
    round_trip(t->session);
    put_notice(t, os_tsc(), NOTICE_DETACHED);
}

static void let_all_go(struct session *s)
{
    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        let_go(t);
    }
}

/* Without -f: that there was something to follow. */
static void tell_children(struct session *s)
{
    if (s->options->follow == 0 && s->made > 0) {
        session_note(s,
                     s->made == 1
                         ? "%llu process was started, and not traced: -f "
                           "follows such"
                         : "%llu processes were started, and not traced: -f "
                           "follows such",
                     (unsigned long long)s->made);
    }
}

static bool any_runs(const struct session *s)
{
    uint32_t code;

    for (const struct traced *t = s->traced; t != NULL; t = t->next) {
        if (!t->ended && !os_process_ended(&t->target.os, &code)) {
            return true;
        }
    }
    return false;
}

/* Nobody reads the trace; the programs are not to suffer for it. */
static void wait_untraced(struct session *s)
{
    while (any_runs(s) && os_interrupt_take() == OS_INTERRUPT_NONE) {
        (void)sleep_ms(s, 1000);
    }
}

/* The end of a run whose target ran: *status, or the reason it failed. */
static bool conclude(struct session *s, uint32_t *status, struct err *e)
{
    bool to_the_end = follow(s);

    if (is_refused(s)) {
        *e = s->traced->why;
        return begin_about(s->options, e);
    }
    let_all_go(s);
    conclude_telling(s);
    if (to_the_end) {
        tell_losses(s);
    }
    tell_children(s);
    if (s->enough || (to_the_end && s->options->attach.count > 0)) {
        *status = 0;
    } else {
        *status = to_the_end ? s->first_code : STATUS_INTERRUPTED;
    }
    if (is_deaf(s)) {
        wait_untraced(s);
        *e = s->output.failed ? s->output.why : s->recorder->why;
        return false;
    }
    return true;
}

/* Joins the processes that attach_open has found; of those that cannot be
 * joined a note is taken. False: none can be. */
static bool join_all(struct session *s, struct err *e)
{
    size_t joined = 0;

    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        struct err why;

        if (begin_go(t, false, &why) && attach_join(t, &why)) {
            joined++;
            continue;
        }
        t->aside = true;
        t->ended = true;
        *e = why;
        session_note(s, "%s", why.text);
    }
    if (joined == 0) {
        s->notes->size = 0;
    }
    return joined > 0;
}

/* Calls are changed by who stands in front of them. */
static bool may_tamper(struct session *s, struct err *e)
{
    const struct launch_options *o = s->options;

    if (filter_rule_count(s->telling.filter) == 0 ||
        (o->patch && o->engine == ENGINE_RING)) {
        return true;
    }
    return err_set(e, ERR_USAGE,
                   "-e inject= and -e fault= need the jumps in the program's "
                   "code: leave out %s",
                   o->patch ? "--engine=handshake" : "--no-patch");
}

static bool run(struct session *s, uint32_t *status, struct err *e)
{
    struct traced *t;

    s->identities = s->view->stacks || s->view->caller;
    s->telling.watch = s->options->watch;
    if (!telling_judge(&s->telling, s->view, e) || !may_tamper(s, e) ||
        !begin_follow(s, e)) {
        return false;
    }
    declared_note(s->notes, &s->telling.prototypes, s->view);
    missing_note(s);
    timing_begin(&s->timing);
    s->interrupt = os_event_open(false, e);
    s->wake = os_event_open(false, e);
    if (s->interrupt == NULL || s->wake == NULL ||
        !os_interrupt_watch(s->interrupt, e) ||
        !(s->options->attach.count > 0 ? attach_open(s, e)
                                       : begin_launch(s, e))) {
        return false;
    }
    t = s->traced;
    s->scratch = malloc(t->target.ring_bytes);
    if (s->scratch == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (!open_model(s, &t->target, e)) {
        return false;
    }
    if (s->options->attach.count > 0) {
        return join_all(s, e) && conclude(s, status, e);
    }
    if (!begin_process(t, s->options->program_line, e) ||
        (s->options->engine == ENGINE_HANDSHAKE &&
         (!handshake_start(s, e) || !handshake_open(t, e)))) {
        return false;
    }
    if (os_interrupt_take() != OS_INTERRUPT_NONE) {
        /* Ctrl-C before the target could hear of it: it does not start. */
        *status = STATUS_INTERRUPTED;
        return true;
    }
    return begin_go(t, true, e) && conclude(s, status, e);
}

bool session_run(const struct launch_options *o, const struct view_options *v,
                 uint32_t *status, struct buf *notes, struct err *e)
{
    struct session *s = calloc(1, sizeof(*s));
    struct err ignored;
    bool ok;

    if (s == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    s->options = o;
    s->view = v;
    s->notes = notes;
    ok = run(s, status, e);
    if (ok) {
        tampering_tell(s);
    }
    if (!recording_end(s,
                       !ok ? str_of(e->text)
                       : s->enough || *status == STATUS_INTERRUPTED
                           ? STR("let go")
                           : STR("the program's"),
                       *status, ok ? e : &ignored)) {
        ok = false;
    }
    os_console_restore();
    if (!output_close(&s->output, ok ? e : &ignored)) {
        ok = false;
    }
    handshake_stop(s);
    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        traced_stop(t);
    }
    model_close(s->model);
    model_close(s->hidden);
    telling_close(&s->telling);
    while (s->traced != NULL) {
        if (s->traced->attached && !s->traced->joined) {
            attach_leave(s->traced);
        }
        children_forget(s->traced);
        traced_close(s->traced);
    }
    spares_close(&s->spares);
    known_close(&s->known);
    os_interrupt_done();
    os_event_close(s->interrupt);
    os_event_close(s->wake);
    free(s->scratch);
    free(s->journal);
    plan_close(&s->plan);
    if (s->hidden_plan != NULL) {
        plan_close(s->hidden_plan);
    }
    free(s->hidden_plan);
    filter_close(s->follows);
    free(s);
    return ok;
}
