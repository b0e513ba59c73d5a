/* SPDX-License-Identifier: MIT */
/*
 * pair.c - from the records of a thread to calls.
 *
 * Each thread has a list of calls that were entered and have not returned.
 * What is told apart by what:
 *
 *   a call       by RSP at its entry, which its return shows again
 *   a stack      by gs:[8] at the entry: fibers switch it, and a call left
 *                open on one stack says nothing about those of another
 *
 * Rules:
 *   1. An entry at S ends the older calls of the same stack at S or below:
 *      their frames are gone.
 *   2. NtContinue(Ex), NtCallbackReturn and NtTerminateThread on oneself end
 *      as they begin. (If one returns after all, it is told again, as a call
 *      whose entry was not seen.)
 *   3. An APC that interrupts a call takes its return away: the call ends
 *      here if the frame says that it will go on behind that call's own
 *      `syscall`, and its result is what the frame has for RAX. An APC that
 *      was only waiting (NtContinue, a new thread) ends nothing.
 *   4. NtSetContextThread returns wherever it was told to. A call that was in
 *      the kernel when somebody else redirected its thread does so too; that
 *      the return is its own is believed if the kernel says so.
 *   5. KiRaiseUserExceptionDispatcher is a return: RSP tells of which call.
 *   6. NtRaiseException ends where its exception begins; where there is no
 *      callback, as it begins.
 *
 * Memory that was copied for a call comes right before its entry or return,
 * from the same thread, with the same RSP and number; for one that was pending,
 * before the record that it is over, from whichever thread found that out. Whatever else comes in
 * between, it is forgotten: rather an address is shown than what belongs to
 * another call.
 *
 * A return that nothing explains is DIRECT outside of all stubs, INDIRECT in
 * a patched one; it is never named after where it returned to.
 */
#include "model/world.h"
#include "tables/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* ProcessLoaderDetour, of NtSetInformationProcess. */
#define PROCESS_LOADER_DETOUR 0x5d

/* --- Memory ----------------------------------------------------------- */

static void drop_pieces(struct model_thread *t)
{
    t->pieces.count = 0;
    t->pieces.size = 0;
    t->pieces.any = false;
    t->pieces.stack = false;
}

static void free_pieces(struct model_thread *t)
{
    struct pieces *w = &t->pieces;

    t->model->memory -= w->room + w->list_room * sizeof(w->list[0]);
    free(w->bytes);
    free(w->list);
    *w = (struct pieces){ .rsp = 0 };
}

/* Forgets what waits. The room stays for the next ones unless it is much, or
 * there is little left for others. */
static void forget_pieces(struct model_thread *t)
{
    struct pieces *w = &t->pieces;

    drop_pieces(t);
    if (w->room > RECORD_MAX ||
        t->model->memory > t->model->config.memory_total / 2) {
        free_pieces(t);
    }
}

/* Makes room for `length` bytes more, of a piece of their own or not. */
static bool reserve_bytes(struct model_thread *t, uint32_t length, bool own)
{
    struct pieces *w = &t->pieces;
    struct model *m = t->model;
    size_t list = w->list_room;
    size_t room = w->room;
    size_t more;

    if ((own && w->count == PIECES_MAX) || w->size + length > PIECE_BYTES_MAX) {
        return false;
    }
    if (own && w->count == list) {
        list = list ? list * 2 : 16;
    }
    while (room - w->size < length) {
        room = room ? room * 2 : 1024;
    }
    more = room - w->room + (list - w->list_room) * sizeof(w->list[0]);
    if (more > 0 && m->memory + more > m->config.memory_total) {
        return false;
    }
    if (list > w->list_room) {
        struct memory_piece *bigger =
            realloc(w->list, list * sizeof(w->list[0]));

        if (!bigger) {
            return false;
        }
        m->memory += (list - w->list_room) * sizeof(w->list[0]);
        w->list = bigger;
        w->list_room = list;
    }
    if (room > w->room) {
        uint8_t *bigger = realloc(w->bytes, room);

        if (!bigger) {
            return false;
        }
        m->memory += room - w->room;
        w->bytes = bigger;
        w->room = room;
    }
    return true;
}

void pair_data(struct model_thread *t, const struct event *e)
{
    struct pieces *w = &t->pieces;
    uint64_t rsp = u64_at(e->bytes + DATA_RSP);
    uint64_t address = u64_at(e->bytes + DATA_ADDRESS);
    uint32_t length = u32_at(e->bytes + DATA_LENGTH);
    uint32_t op = u32_at(e->bytes + DATA_OP);
    uint8_t at = e->flags & (RECORD_AT_RETURN | RECORD_AT_COMPLETION);
    bool stack = at == 0 && (e->flags & RECORD_STACK) != 0;
    const struct memory_piece *last;
    bool goes_on;

    /* Operations run in their order: one that comes again belongs to another
     * call, and the record of the one before has been lost. */
    if (w->any &&
        (w->rsp != rsp || w->number != e->number || w->at != at || op < w->op ||
         (op == w->op && address != w->end) || (w->stack && !stack))) {
        drop_pieces(t);
    }
    if (stack && !w->stack &&
        (address != rsp - STACK_REGISTERS || length < STACK_REGISTERS)) {
        return;
    }
    w->any = true;
    w->rsp = rsp;
    w->number = e->number;
    w->at = at;
    w->op = op;
    w->end = address + length;
    if (length == 0) {
        return;
    }
    last = w->count > 0 ? &w->list[w->count - 1] : NULL;
    goes_on =
        last && last->address + last->size == address && w->stack == stack;
    if (!reserve_bytes(t, length, !goes_on)) {
        t->model->counts.data_lost++;
        return;
    }
    memcpy(w->bytes + w->size, e->bytes + DATA_BYTES, length);
    w->size += length;
    if (goes_on) {
        w->list[w->count - 1].size += length;
    } else {
        w->list[w->count].address = address;
        w->list[w->count].size = length;
        w->count++;
        w->stack = stack;
    }
}

/* True if what waits belongs to this record. */
static bool pieces_are_for(const struct model_thread *t, uint64_t rsp,
                           uint16_t number, uint8_t at)
{
    const struct pieces *w = &t->pieces;

    return w->count > 0 && w->rsp == rsp && w->at == at &&
           (w->number & SERVICE_MASK) == number;
}

static void place_pieces(struct memory_piece *list, size_t count,
                         const uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        list[i].bytes = bytes;
        bytes += list[i].size;
    }
}

/* Gives the open call what waits for it, in memory of its own. */
static void take_before(struct model_thread *t, struct open_call *open)
{
    struct model *m = t->model;
    const struct pieces *w = &t->pieces;
    size_t list_size = w->count * sizeof(w->list[0]);
    size_t size = list_size + w->size;
    struct memory_piece *list;
    uint8_t *bytes;

    if (m->memory + size > m->config.memory_total || !(list = malloc(size))) {
        m->counts.data_lost += w->count;
        return;
    }
    bytes = (uint8_t *)list + list_size;
    memcpy(list, w->list, list_size);
    memcpy(bytes, w->bytes, w->size);
    place_pieces(list, w->count, bytes);
    m->memory += size;
    open->memory = list;
    open->memory_size = size;
    open->call.before =
        (struct memory){ list, (uint32_t)(w->count - w->stack) };
    if (w->stack) {
        open->call.stack = list[w->count - 1];
    }
}

static void release(struct model_thread *t, struct open_call *open)
{
    watch_release(open);
    t->model->memory -= open->memory_size;
    free(open->memory);
    open->memory = NULL;
    open->memory_size = 0;
}

void pair_lost(struct model_thread *t)
{
    forget_pieces(t);
    /* One of the missing records may have been a close. */
    if (t->process->handles) {
        handles_clear(t->process->handles);
    }
}

static void free_open(struct model_thread *t)
{
    t->model->open_bytes -= t->open_room * sizeof(t->open[0]);
    free(t->open);
    t->open = NULL;
    t->open_count = 0;
    t->open_room = 0;
}

void pair_close(struct model_thread *t)
{
    for (size_t i = 0; i < t->open_count; i++) {
        release(t, &t->open[i]);
    }
    free_open(t);
    free_pieces(t);
}

/* --- Open calls ------------------------------------------------------- */

/* What the call has done counts, not what its caller was told of it. */
static void watch_done(struct model_thread *t, struct open_call *open,
                       uint64_t kernels)
{
    uint64_t told = open->call.result;

    if (!open->call.replaced) {
        open->call.result = kernels;
        watch_leave(t, open);
        open->call.result = told;
    }
}

/* Tells that the call is over, and lets go of what it held. `kernels`: its
 * result, as the kernel gave it. */
static void tell_left(struct model_thread *t, struct open_call *open,
                      uint64_t kernels)
{
    watch_done(t, open, kernels);
    if (t->model->out.leave) {
        t->model->out.leave(t->model->out.ctx, &open->call);
    }
    if (!open->call.injected) {
        pending_keep(t, open);
    }
    release(t, open);
}

static void tell_leave(struct model_thread *t, struct open_call *open)
{
    tell_left(t, open, open->call.result);
}

/* Room for one more: most threads have few, and there may be many threads. */
static bool reserve_open(struct model_thread *t)
{
    size_t room = t->open_room ? t->open_room * 2 : 2;
    size_t more = (room - t->open_room) * sizeof(t->open[0]);
    struct open_call *bigger;

    if (t->open_count < t->open_room) {
        return true;
    }
    if (t->model->open_bytes + more > OPEN_BYTES_MOST) {
        return false;
    }
    bigger = realloc(t->open, room * sizeof(t->open[0]));
    if (!bigger) {
        return false;
    }
    t->model->open_bytes += more;
    t->open = bigger;
    t->open_room = room;
    return true;
}

static void forget(struct model_thread *t, size_t i)
{
    t->open_count--;
    if (t->open_count == 0 && t->model->open_bytes > OPEN_BYTES_MOST / 2) {
        free_open(t);
    } else if (i < t->open_count) {
        memmove(&t->open[i], &t->open[i + 1],
                (t->open_count - i) * sizeof(t->open[0]));
    }
}

/* Open call `i` will not return. */
static void end_call(struct model_thread *t, size_t i, uint64_t time, bool late)
{
    struct call *call = &t->open[i].call;

    call->ended = true;
    call->return_time = time;
    call->late |= late;
    tell_leave(t, &t->open[i]);
    forget(t, i);
}

/* Ends the calls from index `from` on that lie on `stack_base` at or below
 * `rsp`, newest first. */
static void end_dead(struct model_thread *t, size_t from, uint64_t stack_base,
                     uint64_t rsp, uint64_t time, bool late)
{
    for (size_t i = t->open_count; i-- > from;) {
        const struct call *call = &t->open[i].call;

        if (call->stack_base == stack_base && call->rsp <= rsp) {
            end_call(t, i, time, late);
        }
    }
}

/* The newest open call, if nothing was seen of its thread since it began. */
static bool in_kernel(const struct model_thread *t)
{
    return t->open_count > 0 &&
           t->open[t->open_count - 1].call.id == t->in_kernel;
}

#define THIS_PROCESS UINT64_MAX
#define THIS_THREAD (UINT64_MAX - 1)

/* The id of the thread that NtTerminateThread is to end; 0: not known. */
static uint32_t thread_to_end(const struct call *call)
{
    const struct thing *thing = thing_of(call->objects[0]);

    if (!(call->arg_mask & 1)) {
        return 0;
    }
    if (call->args[0] == THIS_THREAD || call->args[0] == 0) {
        return call->tid;
    }
    return thing ? thing->tid : 0;
}

/* The same of NtTerminateProcess, whose NULL is not the whole process. */
static uint32_t process_to_end(const struct call *call)
{
    const struct thing *thing = thing_of(call->objects[0]);

    if (!(call->arg_mask & 1)) {
        return 0;
    }
    if (call->args[0] == THIS_PROCESS) {
        return call->pid;
    }
    return thing ? thing->object.pid : 0;
}

/* The first one counts: the second comes to what is over already. */
static void put_blame(struct blame *blame, bool any, uint32_t code)
{
    if (any && !blame->any) {
        *blame = (struct blame){ true, code };
    } else if (!any && blame->code == code) {
        blame->any = false;
    }
}

static bool has_role(const struct call *call, enum call_role role)
{
    return call->stub && (call->stub->roles & role) != 0;
}

/* Who is ended by NtTerminateThread or NtTerminateProcess may be gone before
 * the call has returned. So it is written down at the entry (`any`), and
 * taken back when the call fails. A thread that is not in a call of its own
 * may have ended already, by a call that nobody saw. */
static void blame(struct model_thread *t, const struct call *call, bool any)
{
    struct model *m = t->model;
    uint32_t code = (uint32_t)call->args[1];
    bool ends_process = has_role(call, ROLE_ENDS_PROCESS);
    bool others = ends_process && call->args[0] == 0;
    uint32_t tid = has_role(call, ROLE_ENDS_THREAD) ? thread_to_end(call) : 0;
    struct model_process *p = NULL;

    if ((call->arg_mask & 3) != 3) {
        return;
    }
    for (struct model_thread *o = m->threads; (tid || others) && o;
         o = o->next) {
        /* A thread's id is nobody else's while there is a handle. */
        if (o != t && (!any || in_kernel(o)) &&
            (others ? o->process == t->process : o->tid == tid)) {
            put_blame(&o->foreign_end, any, code);
        }
    }
    if (ends_process && process_to_end(call) != 0) {
        p = process_by_pid(m, process_to_end(call));
    }
    if (p && p != t->process) {
        put_blame(&p->foreign_end, any, code);
    } else if (p) {
        put_blame(&p->own_end, any, code);
        p->end_tid = any ? t->tid : 0;
    }
}

/* NtTerminateProcess(NULL) ends the others; a process that is over before it has
 * returned, with its status, was ended by it: Windows' and Wine's loaders make
 * it first, and where the others end at that moment it may be the last. */
static void blame_others(struct model_thread *t, const struct call *call,
                         bool any)
{
    if (has_role(call, ROLE_ENDS_PROCESS) && (call->arg_mask & 3) == 3 &&
        call->args[0] == 0) {
        put_blame(&t->process->own_end, any, (uint32_t)call->args[1]);
        t->process->end_tid = any ? t->tid : 0;
    }
}

/* `result` as its caller was told, `kernels` as the kernel has. */
static void return_call(struct model_thread *t, size_t i, uint64_t time,
                        uint64_t rip, uint64_t result, uint64_t kernels,
                        bool late)
{
    struct call *call = &t->open[i].call;

    end_dead(t, i + 1, call->stack_base, call->rsp, time, late);
    call->returned = true;
    call->return_time = time;
    call->rip = rip;
    call->result = result;
    call->kernels = kernels;
    call->late |= late;
    if ((int32_t)kernels < 0 || call->replaced) {
        blame(t, call, false);
    }
    blame_others(t, call, false);
    tell_left(t, &t->open[i], kernels);
    forget(t, i);
}

static bool behind_syscall(const struct stub *stub, uint64_t rip)
{
    uint64_t offset = stub ? rip - stub->address : 0;

    return offset >= STUB_AFTER_SYSCALL && offset <= STUB_AFTER_INT;
}

/* The newest open call that returns to `rip` at `rsp`; open_count if none. */
static size_t find_open(const struct model_thread *t, uint64_t rip,
                        uint64_t rsp)
{
    for (size_t i = t->open_count; i-- > 0;) {
        const struct call *call = &t->open[i].call;

        if (call->rsp == rsp && behind_syscall(call->stub, rip)) {
            return i;
        }
    }
    return t->open_count;
}

/* Code above an exception's frame runs again: the exception is over. */
static void settle_exception(struct model_thread *t, uint64_t stack_base,
                             uint64_t rsp)
{
    if (t->exception && stack_base == t->exception_stack &&
        rsp > t->exception_rsp) {
        t->exception = false;
    }
}

/* What else a call that begins says about its thread; true if it ends
 * itself. */
static bool note_special(struct model_thread *t, const struct call *call)
{
    blame(t, call, true);
    blame_others(t, call, true);
    if (has_role(call, ROLE_CONTINUES)) {
        t->exception = false;
        return true;
    }
    if (has_role(call, ROLE_ENDS_THREAD) && thread_to_end(call) == t->tid) {
        t->own_end = (struct blame){ true, (uint32_t)call->args[1] };
        return true;
    }
    if (t->process->unheard && has_role(call, ROLE_RAISES)) {
        t->exception =
            nt_read32(&call->before, call->width, call->args[0],
                      NT_EXCEPTION_RECORD_ExceptionCode, &t->exception_status);
        t->exception_rsp = call->rsp;
        t->exception_stack = call->stack_base;
        return true;
    }
    return has_role(call, ROLE_LEAVES_CALLBACK);
}

/* Windows' loader compares functions that it depends on with what they were,
 * and tells the kernel where they are not the same (docs/facts.md C13): where
 * we have bent them, because of us alone. The same call from any other place
 * is the program's own. */
static bool is_caused(const struct model_thread *t, const struct call *call)
{
    const uint64_t *a = call->args;

    return t->process->mode == MODE_PATCHED &&
           has_role(call, ROLE_SETS_CALLBACK) && a[0] == UINT64_MAX &&
           (uint32_t)a[1] == PROCESS_LOADER_DETOUR && (uint32_t)a[3] == 4 &&
           process_one_module(t->process, call->stub->address, call->caller);
}

/* What handles referred to until now, they did while the thread was not in
 * the kernel. */
static void note_seen(struct model_thread *t)
{
    if (t->process->handles) {
        t->seen_generation = handles_generation(t->process->handles);
    }
}

static void init_call(struct model_thread *t, struct open_call *open, bool late)
{
    struct call *call = &open->call;

    memset(open, 0, sizeof(*open));
    call->handles = t->process->handles;
    call->process = t->process;
    call->id = ++t->model->call_id;
    call->width = t->process->width;
    call->pid = t->process->pid;
    call->tid = t->tid;
    call->late = late;
    t->model->counts.calls++;
}

void pair_entry(struct model_thread *t, const struct event *e, bool late)
{
    struct model *m = t->model;
    uint64_t rsp = u64_at(e->bytes + ENTRY_RSP);
    uint64_t stack_base = u64_at(e->bytes + ENTRY_STACK_BASE);
    struct open_call *open;
    struct call *call;
    uint32_t more;

    settle_exception(t, stack_base, rsp);
    end_dead(t, 0, stack_base, rsp, e->time, late);
    if (t->open_count >= OPEN_MAX) {
        /* The oldest quarter, so that moving the rest costs little. */
        for (size_t i = 0; i < OPEN_MAX / 4; i++) {
            t->open[i].call.ended = true;
            t->open[i].call.return_time = e->time;
            tell_leave(t, &t->open[i]);
            m->counts.dropped++;
        }
        t->open_count -= OPEN_MAX / 4;
        memmove(t->open, t->open + OPEN_MAX / 4,
                t->open_count * sizeof(t->open[0]));
    }
    if (!reserve_open(t)) {
        m->counts.dropped++;
        forget_pieces(t);
        return;
    }

    open = &t->open[t->open_count];
    init_call(t, open, late);
    call = &open->call;
    call->entry_seen = true;
    call->entry_time = e->time;
    call->number = e->number & SERVICE_MASK;
    call->number_known = true;
    call->stub = t->process->by_number[call->number];
    call->rsp = rsp;
    call->stack_base = stack_base;
    call->caller = u64_at(e->bytes + ENTRY_CALLER);
    more = e->flags & RECORD_ARGS_LOST ? 0 : e->flags & RECORD_MORE_MASK;
    call->arg_mask = (1u << (4 + more)) - 1;
    if (e->flags & RECORD_UNDERWAY) {
        call->underway = true;
        call->arg_mask &= (uint32_t)u64_at(e->bytes + ENTRY_MORE + 8 * more);
    }
    /* `more` lies behind `args`; what is not known is not kept either. */
    for (uint32_t i = 0; i < 4 + more; i++) {
        if (call->arg_mask >> i & 1) {
            call->args[i] = u64_at(e->bytes + ENTRY_ARGS + 8 * i);
        }
    }

    call->caused = is_caused(t, call);

    if (pieces_are_for(t, rsp, call->number, 0)) {
        take_before(t, open);
    }
    forget_pieces(t);
    watch_enter(t, open);
    note_seen(t);
    t->open_count++;
    t->in_kernel = call->id;
    t->gone_stub = NULL;
    tell_enter(m, call);
    if (note_special(t, call)) {
        t->in_kernel = 0;
        t->gone_stub = call->stub;
        t->gone_rsp = rsp;
        end_call(t, t->open_count - 1, e->time, late);
    }
}

/* Where an orphan was found; 0: nobody knows. */
static struct place place_of(const struct model_thread *t, uint64_t address)
{
    if (address == 0) {
        return (struct place){ .kind = PLACE_UNKNOWN, .name = STR("") };
    }
    return model_place(t->process, address);
}

/* Names `call` by what was found out about it. */
static void name_by_answer(struct model_thread *t, struct call *call,
                           const struct journal_answer *answer)
{
    if (!answer || !answer->number_known) {
        return;
    }
    call->number = answer->number & SERVICE_MASK;
    call->number_known = true;
    call->stub = t->process->by_number[call->number];
    call->args[0] = answer->argument;
    call->arg_mask = 1;
    for (uint32_t i = 0; i < answer->more_count && i < RECORD_MORE_MAX; i++) {
        call->args[4 + i] = answer->more[i];
        call->arg_mask |= 1u << (4 + i);
    }
}

static void name_by_stub(struct call *call, const struct stub *stub)
{
    call->number = stub->number;
    call->number_known = true;
    call->stub = stub;
}

/* A return without an entry of ours: what is it? */
static void judge_unmatched(struct model_thread *t, struct call *call,
                            bool orphan, const struct journal_answer *answer)
{
    bool patched;
    const struct stub *in = stub_by_address(t->process, call->rip, &patched);
    enum model_mode mode = t->process->mode;
    bool indirect = false;

    if (t->gone_stub && in == t->gone_stub && call->rsp == t->gone_rsp) {
        /* It was to end itself, and has come back. */
        if ((in->roles & ROLE_ENDS_THREAD) != 0) {
            t->own_end.any = false;
        }
        name_by_stub(call, in);
        return;
    }
    switch (mode) {
    case MODE_PATCHED:
        indirect = in && patched && orphan;
        break;
    case MODE_ASKED:
        name_by_answer(t, call, answer);
        indirect = in && call->number_known && call->number != in->number;
        if (in && !indirect) {
            return;
        }
        break;
    case MODE_RETURNS:
        break;
    }
    if (in && !indirect) {
        name_by_stub(call, in);
        return;
    }
    name_by_answer(t, call, answer);
    if (mode != MODE_PATCHED && has_role(call, ROLE_SETS_CONTEXT)) {
        return;
    }
    t->model->counts.orphans++;
    if (indirect) {
        call->how = HOW_INDIRECT;
        call->through = in;
        call->offset = call->rip - in->address;
        call->at = place_of(t, answer ? answer->caller : 0);
    } else {
        call->how = HOW_DIRECT;
        call->at = place_of(t, call->rip);
    }
}

/* Rule 4. */
static bool lands_anywhere(const struct model_thread *t,
                           const struct journal_answer *answer)
{
    const struct call *newest;

    if (t->open_count == 0) {
        return false;
    }
    newest = &t->open[t->open_count - 1].call;
    if (has_role(newest, ROLE_SETS_CONTEXT)) {
        return true;
    }
    return in_kernel(t) && answer && answer->number_known &&
           (answer->number & SERVICE_MASK) == newest->number &&
           answer->argument == newest->args[0];
}

/* What rules of the user's have done to the call that returns. */
static void note_tampering(struct call *call, const struct event *e)
{
    call->injected = (e->flags & RECORD_INJECTED) != 0;
    call->replaced = call->injected && (e->flags & RECORD_REPLACED) != 0;
    call->delayed = (e->flags & RECORD_DELAYED) != 0;
}

static uint64_t kernels_result(const struct event *e)
{
    bool other =
        (e->flags & (RECORD_INJECTED | RECORD_REPLACED)) == RECORD_INJECTED;

    return u64_at(e->bytes + (other ? RETURN_KERNELS : RETURN_RAX));
}

void pair_return(struct model_thread *t, const struct event *e, bool late,
                 const struct journal_answer *answer)
{
    uint64_t rip = u64_at(e->bytes + RETURN_RIP);
    uint64_t rsp = u64_at(e->bytes + RETURN_RSP);
    uint64_t rax = u64_at(e->bytes + RETURN_RAX);
    uint64_t stack_base = u64_at(e->bytes + RETURN_STACK_BASE);
    size_t i;

    settle_exception(t, stack_base, rsp);
    i = find_open(t, rip, rsp);
    if (i == t->open_count && lands_anywhere(t, answer)) {
        i = t->open_count - 1;
    }
    if (i < t->open_count) {
        struct pieces *w = &t->pieces;

        if (pieces_are_for(t, rsp, t->open[i].call.number, RECORD_AT_RETURN)) {
            place_pieces(w->list, w->count, w->bytes);
            t->open[i].call.after =
                (struct memory){ w->list, (uint32_t)w->count };
        }
        note_tampering(&t->open[i].call, e);
        return_call(t, i, e->time, rip, rax, kernels_result(e), late);
    } else {
        struct open_call open;

        init_call(t, &open, late);
        open.call.returned = true;
        open.call.return_time = e->time;
        open.call.rip = rip;
        open.call.rsp = rsp;
        open.call.stack_base = stack_base;
        open.call.result = rax;
        open.call.kernels = rax;
        judge_unmatched(t, &open.call, e->flags & RECORD_ORPHAN, answer);
        watch_orphan(t, &open);
        tell_leave(t, &open);
    }
    forget_pieces(t);
    note_seen(t);
    t->in_kernel = 0;
    t->gone_stub = NULL;
}

/* The most of one completion: its own, and what led to them. */
#define COMPLETED_PIECES (1 + 2 * PIECES_MAX)

/* What a pending call has filled, before what was copied when it returned: that
 * is older. `block` is its IO_STATUS_BLOCK, the first of them. Returns how many
 * there are. */
static uint32_t gather_completed(struct model_thread *t,
                                 const struct call *call, uint64_t rsp,
                                 struct memory_piece *list,
                                 const struct memory_piece *block)
{
    struct pieces *w = &t->pieces;
    uint32_t count = 0;

    list[count++] = *block;
    if (pieces_are_for(t, rsp, call->number, RECORD_AT_COMPLETION)) {
        place_pieces(w->list, w->count, w->bytes);
        for (size_t i = 0; i < w->count; i++) {
            list[count++] = w->list[i];
        }
    }
    for (uint32_t i = 0; i < call->after.count && count < COMPLETED_PIECES;
         i++) {
        list[count++] = call->after.pieces[i];
    }
    return count;
}

static void complete(struct model_thread *t, const struct event *e, bool late,
                     struct pending_call *pending)
{
    struct memory_piece *list = malloc(COMPLETED_PIECES * sizeof(*list));
    struct call *call = &pending->open.call;
    uint8_t words[16] = { 0 };
    struct memory_piece block = { u64_at(e->bytes + COMPLETION_BLOCK),
                                  sizeof(words), words };
    struct completion_told told = { t->tid, late, e->time, call };

    if (!list) {
        t->model->counts.data_lost++;
        return;
    }
    memcpy(words, e->bytes + COMPLETION_STATUS, 4);
    memcpy(words + 8, e->bytes + COMPLETION_INFORMATION, 8);
    call->result = u32_at(e->bytes + COMPLETION_STATUS);
    call->after.count = gather_completed(
        t, call, u64_at(e->bytes + COMPLETION_RSP), list, &block);
    call->after.pieces = list;
    watch_completion(t, &pending->open);
    if (t->model->out.completion) {
        t->model->out.completion(t->model->out.ctx, &told);
    }
    free(list);
}

void pair_completion(struct model_thread *t, const struct event *e, bool late)
{
    struct pending_call *pending =
        pending_find(t->process, u32_at(e->bytes + COMPLETION_TID),
                     u64_at(e->bytes + COMPLETION_BEGAN));

    if (pending) {
        const struct call *call = &pending->open.call;
        int block = call_block(call->stub->facts);

        if ((call->arg_mask >> block & 1) &&
            call->number == (e->number & SERVICE_MASK) &&
            call->args[block] == u64_at(e->bytes + COMPLETION_BLOCK)) {
            complete(t, e, late, pending);
        }
        pending_release(t->model, pending);
    }
    forget_pieces(t);
}

static void begin_exception(struct model_thread *t,
                            struct transition_told *told, const struct event *e,
                            bool late)
{
    const struct stub *stub =
        in_kernel(t) ? t->open[t->open_count - 1].call.stub : NULL;

    if (stub && (stub->roles & ROLE_RAISES) != 0) {
        end_call(t, t->open_count - 1, e->time, late);
    }
    t->exception = told->status_known;
    t->exception_status = told->status;
    t->exception_rsp = u64_at(e->bytes + RETURN_RSP);
    t->exception_stack = u64_at(e->bytes + RETURN_STACK_BASE);
}

void pair_transition(struct model_thread *t, const struct event *e, bool late)
{
    struct transition_told told = {
        .pid = t->process->pid,
        .tid = t->tid,
        .process = t->process,
        .kind = (enum transition)e->number,
        .late = late,
        .time = e->time,
        .rip = u64_at(e->bytes + RETURN_RIP),
        .place = { .kind = PLACE_UNKNOWN, .name = STR("") },
    };
    uint64_t rsp = u64_at(e->bytes + RETURN_RSP);
    uint64_t rax = u64_at(e->bytes + RETURN_RAX);
    const uint64_t *words = told.words;
    uint32_t place = transition_place(told.kind);
    size_t i;

    forget_pieces(t);
    while (told.word_count < TRANSITION_WORDS_MAX &&
           TRANSITION_WORDS + 8 * (told.word_count + 1) <= e->size) {
        told.words[told.word_count] =
            u64_at(e->bytes + TRANSITION_WORDS + 8 * told.word_count);
        told.word_count++;
    }
    switch (told.kind) {
    case TRANSITION_APC:
        if (told.word_count > APC_CONTEXT_RAX) {
            i = find_open(t, words[APC_CONTEXT_RIP], words[APC_CONTEXT_RSP]);
            if (i < t->open_count) {
                uint64_t result = words[APC_CONTEXT_RAX];
                bool changed = (e->flags & RECORD_INJECTED) != 0 &&
                               told.word_count > APC_KERNELS;

                note_tampering(&t->open[i].call, e);
                return_call(t, i, e->time, words[APC_CONTEXT_RIP], result,
                            changed ? words[APC_KERNELS] : result, late);
            }
        }
        break;
    case TRANSITION_EXCEPTION:
        told.status_known = told.word_count > EXCEPTION_CODE_FLAGS;
        told.status = (uint32_t)words[EXCEPTION_CODE_FLAGS];
        begin_exception(t, &told, e, late);
        break;
    case TRANSITION_RAISE:
        told.status_known = true;
        told.status = (uint32_t)rax;
        for (i = t->open_count; i-- > 0;) {
            if (t->open[i].call.rsp == rsp) {
                return_call(t, i, e->time, told.rip, rax, rax, late);
                break;
            }
        }
        break;
    case TRANSITION_THREAD_START:
    case TRANSITION_CALLBACK:
    case TRANSITION_COUNT:
        break;
    }
    note_seen(t);
    t->in_kernel = 0;
    t->gone_stub = NULL;
    if (place < told.word_count) {
        told.place = model_place(t->process, words[place]);
    }
    if (t->model->out.transition) {
        t->model->out.transition(t->model->out.ctx, &told);
    }
}

/* Of a call that has not come back: is it the end of its own process? If it
 * is not known which one its handle means, it is. */
static bool ends_own_process(const struct model_process *p,
                             const struct call *call)
{
    uint32_t pid;

    if (!call->stub || !(call->arg_mask & 2)) {
        return false;
    }
    if (has_role(call, ROLE_ENDS_JOB)) {
        return true;
    }
    pid = process_to_end(call);
    return has_role(call, ROLE_ENDS_PROCESS) && call->args[0] != 0 &&
           (pid == p->pid || pid == 0);
}

/* The status that an open NtRaiseException raises could be `code`. */
static bool may_raise(const struct call *call, uint32_t code)
{
    uint32_t status;

    return has_role(call, ROLE_RAISES) &&
           (!nt_read32(&call->before, call->width, call->args[0],
                       NT_EXCEPTION_RECORD_ExceptionCode, &status) ||
            status == code);
}

void pair_end(struct model_thread *t, uint64_t time, bool late)
{
    struct model_process *p = t->process;
    const struct call *newest =
        t->open_count > 0 ? &t->open[t->open_count - 1].call : NULL;

    if (t->exception && (!t->end_known || t->exception_status == t->end_code)) {
        p->fault_known = true;
        p->fault = t->exception_status;
        p->end_tid = t->tid;
        t->end_silent = true;
    } else if (newest && t->end_known && may_raise(newest, t->end_code)) {
        p->fault_known = true;
        p->fault = t->end_code;
        p->end_tid = t->tid;
        t->end_silent = true;
    }
    for (size_t i = 0; i < t->open_count; i++) {
        const struct call *call = &t->open[i].call;

        if (t->end_known && ends_own_process(p, call) &&
            (uint32_t)call->args[1] == t->end_code) {
            p->own_end = (struct blame){ true, t->end_code };
            p->end_tid = t->tid;
            t->end_silent = true;
        }
    }
    while (t->open_count > 0) {
        end_call(t, t->open_count - 1, time, late);
    }
}
