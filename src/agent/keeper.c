/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - a thread of ours in the program, while the tracer stops it or
 * changes its code: at the beginning of being attached to, and at its end.
 *
 * It carries out orders (struct keeper_words): it stops the others, opens and
 * closes pages, takes and gives back the callback. What it has stopped and
 * opened it knows by itself, in memory that is not shared; and it undoes that
 * when the tracer dies, or does not say for KEEP_MS how to go on. So nobody
 * stays stopped, whoever is killed when. Between orders it sleeps.
 *
 * It is made suspended, and its id is in the section before it runs: it has no
 * ring and is not traced. Its orders are the program's to write: what they make
 * it do a thread of the program could do itself.
 *
 * It ends by returning, by way of the system's own code, and has to be waited
 * for before the agent is unmapped; but not while others are stopped, one of
 * which may have a lock that its end needs.
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define PAGE_READWRITE 0x04
#define PAGE_EXECUTE_READ 0x20
#define WAIT_ANY 1
#define STATUS_WAIT_0 0
#define STATUS_WAIT_1 1
#define STATUS_TIMEOUT 0x102
#define STATUS_UNSUCCESSFUL 0xc0000001
#define STATUS_INSUFFICIENT_RESOURCES 0xc000009a

#define OBJECT_HANDLE_FLAG 4

/* How long threads are stopped at most: much longer than any change takes. */
#define KEEP_MS 5000
#define LOOK_MS 100
/* Threads that run while others are being stopped may make new ones. */
#define PASSES_MOST 100

struct keeper {
    struct keeper_words *words;
    struct kept_thread *kept;
    uint32_t kept_count;
    bool stopped;
    uint64_t until;  // TSC: when they go on in any case
    struct opened opened;
    uint64_t handles[2];  // the tracer, the event
};

/* --- the threads of the program --- */

static bool is_kept(const struct keeper *k, uint64_t tid)
{
    for (uint32_t i = 0; i < k->kept_count; i++) {
        if (k->kept[i].tid == tid) {
            return true;
        }
    }
    return false;
}

/* Stops those that are not yet; *added: so many. The handle of each that was
 * is kept: an id may come back. */
static uint32_t stop_new(struct keeper *k, uint32_t *added)
{
    uint64_t thread = 0, next;
    bool keep = false;

    *added = 0;
    while ((next = thread_next(NULL, thread)) != 0) {
        uint64_t tid = thread_id(NULL, next);

        if (thread != 0 && !keep) {
            thread_close(NULL, thread);
        }
        thread = next;
        keep = false;
        if (tid == teb_tid() || is_kept(k, tid)) {
            continue;
        }
        if (k->kept_count == KEPT_MOST) {
            thread_close(NULL, thread);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        /* One that is ending cannot be stopped, and need not be. */
        keep =
            (int32_t)thread_count(NULL, PRIVATE_NtSuspendThread, thread) >= 0;
        k->kept[k->kept_count].handle = keep ? thread : 0;
        k->kept[k->kept_count].tid = tid;
        k->kept_count++;
        (*added)++;
    }
    if (thread != 0 && !keep) {
        thread_close(NULL, thread);
    }
    return 0;
}

static void let_go(struct keeper *k)
{
    for (uint32_t i = k->kept_count; i-- > 0;) {
        if (k->kept[i].handle != 0) {
            thread_count(NULL, PRIVATE_NtResumeThread, k->kept[i].handle);
            thread_close(NULL, k->kept[i].handle);
        }
    }
    k->kept_count = 0;
    k->stopped = false;
}

static uint32_t stop(struct keeper *k)
{
    uint32_t added = 1, status = 0;

    if (k->stopped) {
        return STATUS_UNSUCCESSFUL;
    }
    k->stopped = true;
    k->until = tsc() + KEEP_MS * image_config_here()->tsc_per_ms;
    for (int i = 0; i < PASSES_MOST && added > 0 && status == 0; i++) {
        status = stop_new(k, &added);
    }
    if (status == 0 && added > 0) {
        status = STATUS_UNSUCCESSFUL;
    }
    if (status != 0) {
        let_go(k);
    }
    return status;
}

/* --- pages --- */

static uint32_t open_pages(struct keeper *k)
{
    uint64_t address = k->words->address;
    uint64_t size = k->words->size;
    uint64_t from = address, bytes = size;
    uint32_t was = PAGE_EXECUTE_READ;
    uint32_t status;
    /* Whoever has the callback hears of our calls in any case. */
    struct own_call c = { .stub = PRIVATE_NtProtectVirtualMemory,
                          .a = { CURRENT_PROCESS, (uint64_t)&from,
                                 (uint64_t)&bytes, PAGE_READWRITE,
                                 (uint64_t)&was } };

    if (!k->stopped || k->opened.size != 0 || size == 0) {
        return STATUS_UNSUCCESSFUL;
    }
    status = own_call_always(NULL, &c);
    if ((int32_t)status >= 0) {
        /* It is code. Another tracer has died just now, and its thread, which
         * we have stopped, has not closed these pages yet. */
        if (was == PAGE_READWRITE) {
            was = PAGE_EXECUTE_READ;
        }
        k->opened = (struct opened){ address, size, was };
    }
    return status;
}

static uint32_t close_pages(struct keeper *k)
{
    struct opened *o = &k->opened;
    uint32_t status = 0;

    if (o->size != 0) {
        status = own_protect_back(NULL, o->address, o->size, o->was);
        o->size = 0;
    }
    return status;
}

/* --- */

/* Undoes what must not stay: first the code is code, then it runs. */
static void put_right(struct keeper *k)
{
    close_pages(k);
    if (k->stopped) {
        let_go(k);
    }
}

/* They are protected from being closed, where the system does that. */
static void close_given(uint64_t handle)
{
    uint8_t flags[2] = { 0, 0 };  // not inherited, not protected
    struct own_call c = { .stub = PRIVATE_NtSetInformationObject,
                          .a = { handle, OBJECT_HANDLE_FLAG, (uint64_t)flags,
                                 sizeof(flags) } };

    own_call_always(NULL, &c);
    thread_close(NULL, handle);
}

static void close_all_given(const struct keeper *k)
{
    const struct image_config *config = image_config_here();

    close_given(config->room);
    close_given(config->wake);
    close_given(k->handles[1]);
    close_given(config->tracer);
}

/* Takes the callback, and says whether somebody else had it. */
static uint32_t listen(const struct keeper *k)
{
    const volatile uint32_t *heard = &k->words->heard;
    const uint32_t before = *heard;
    uint32_t status = callback_take(NULL);
    bool replaced = *heard != before;

    if ((int32_t)status >= 0 && image_config_here()->wine_pointer != 0) {
        /* The dispatcher may be that of an agent whose tracer is dead. */
        callback_give_back();
        status = callback_take(NULL);
    }
    return status == 0 && replaced ? KEEPER_REPLACED : status;
}

/* Who hears of the returns of our calls. It is ours if it has counted this one;
 * nobody's if RCX is what the CPU has put there, the address behind the call's
 * `syscall`: the kernel goes to a callback with another one (docs/facts.md A6.8). */
static uint32_t who_hears(const struct keeper *k)
{
    const volatile uint32_t *heard = &k->words->heard;
    const uint32_t before = *heard;
    const uint64_t stub = (uint64_t)image_head_here() +
                          image_head_here()->stubs +
                          PRIVATE_NtWaitForMultipleObjects * PRIVATE_STUB_SIZE;
    int64_t at_once = 0;
    struct own_call c = { .stub = PRIVATE_NtWaitForMultipleObjects,
                          .a = { 2, (uint64_t)k->handles, WAIT_ANY, 0,
                                 (uint64_t)&at_once, 0 } };

    own_call_always(NULL, &c);
    if (*heard != before) {
        return 1 + CALLBACK_OURS;
    }
    return 1 + (c.stub - stub < PRIVATE_STUB_SIZE ? CALLBACK_NOBODYS
                                                  : CALLBACK_PROGRAMS);
}

static uint32_t carry_out(struct keeper *k, uint32_t what)
{
    switch ((enum keeper_what)what) {
    case KEEPER_STOP:
        return stop(k);
    case KEEPER_GO:
        if (!k->stopped) {
            return STATUS_UNSUCCESSFUL;
        }
        put_right(k);
        return 0;
    case KEEPER_OPEN:
        return open_pages(k);
    case KEEPER_CLOSE:
        return k->opened.size != 0 ? close_pages(k) : STATUS_UNSUCCESSFUL;
    case KEEPER_LISTEN:
        return listen(k);
    case KEEPER_LISTEN_NO:
        return callback_give_back();
    case KEEPER_WHO:
        return who_hears(k);
    case KEEPER_SHUT:
        close_given(k->words->address);
        return 0;
    case KEEPER_END:
    case KEEPER_LEAVE:
        put_right(k);
        return 0;
    }
    return STATUS_NOT_SUPPORTED;
}

/* Sleeps until there may be an order. False: the tracer is gone. */
static bool sleep(const struct keeper *k)
{
    int64_t timeout = -(int64_t)LOOK_MS * 10000;
    struct own_call c = { .stub = PRIVATE_NtWaitForMultipleObjects,
                          .a = { 2, (uint64_t)k->handles, WAIT_ANY, 0,
                                 (uint64_t)&timeout, 0 } };
    uint32_t status = own_call_always(NULL, &c);

    if ((int32_t)status < 0) {
        pause();  // the handles are gone: there are looks still
    }
    return status != STATUS_WAIT_0;
}

uint32_t agent_keeper(void *unused)
{
    struct section *s = section_here();
    struct keeper k = {
        .words = &s->keeper,
        .kept = (struct kept_thread *)(image_config_here()->own + OWN_KEPT),
        .handles = { image_config_here()->tracer, s->keeper.event },
    };
    uint32_t done = 0;

    (void)unused;
    /* Release: it is here. Pairs with the acquire in wait_done
     * (live/keeper.c), as does the one below. */
    atomic_store_explicit(&k.words->done, 0, memory_order_release);
    for (;;) {
        /* Acquire: the order is there. Pairs with the release in keeper_order
         * (live/keeper.c). */
        uint32_t ordered =
            atomic_load_explicit(&k.words->ordered, memory_order_acquire);
        uint32_t what = k.words->what;

        if (ordered == done) {
            if (!sleep(&k)) {
                atomic_store_explicit(&s->dead, 1, memory_order_relaxed);
                put_right(&k);
                threads_wake_asked(NULL);
                return 0;
            }
            if (k.stopped && tsc() > k.until) {
                put_right(&k);
            }
            continue;
        }
        k.words->status = carry_out(&k, what);
        done = ordered;
        if (what == KEEPER_END) {
            close_all_given(&k);
        } else if (what == KEEPER_LEAVE) {
            close_given(k.handles[1]);
        }
        atomic_store_explicit(&k.words->done, done, memory_order_release);
        if (what == KEEPER_END || what == KEEPER_LEAVE) {
            return 0;
        }
    }
}
