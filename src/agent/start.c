/* SPDX-License-Identifier: MIT */
/*
 * start.c - the agent registers the callback from inside, for which no
 * privilege is needed (docs/facts.md A1.8), and lets the thread go on.
 */
#include "agent/agent.h"

#include "agent/teb.h"

/* The layout that this image was compiled for; agent.ld puts it behind
 * image_head's offsets. */
__attribute__((section(".head.layout"), used)) static const uint64_t layout =
    WIRE_LAYOUT;

#define PAGE_READWRITE 0x04
#define PAGE_EXECUTE_READ 0x20

/* PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION; version and reserved are 0
 * on x64 (docs/facts.md A1.2, A1.5). */
struct callback_information {
    uint32_t version;
    uint32_t reserved;
    uint64_t callback;
};

static uint32_t set_callback(struct ring *ring, uint64_t callback)
{
    struct callback_information info = { 0, 0, callback };
    struct own_call c = { .stub = PRIVATE_NtSetInformationProcess,
                          .a = { CURRENT_PROCESS,
                                 PROCESS_INSTRUMENTATION_CALLBACK,
                                 (uint64_t)&info, sizeof(info) } };

    return own_call(ring, &c);
}

/* Wine only, see amd64/wine.S. */
static void record_calls(void)
{
    uint64_t *pointer = (uint64_t *)image_config_here()->wine_pointer;
    uint64_t ours = (uint64_t)image_head_here() + image_head_here()->wine;

    if (pointer != NULL && *pointer != ours) {
        own_page_here()->wine_dispatcher = *pointer;
        *pointer = ours;
    }
}

/* Another callback would leave our dispatcher where it is; none instead of one puts
 * Wine's back, and where there was none we do. */
static void record_no_calls(void)
{
    uint64_t *pointer = (uint64_t *)image_config_here()->wine_pointer;
    uint64_t ours = (uint64_t)image_head_here() + image_head_here()->wine;

    if (pointer != NULL && *pointer == ours) {
        *pointer = own_page_here()->wine_dispatcher;
    }
}

uint32_t callback_give_back(void)
{
    uint64_t program = chain_program();

    if ((section_here()->flags & SECTION_RETURNS) != 0) {
        record_no_calls();  // the callback is not ours to give
        return 0;
    }
    /* What changes puts it back; it may be another tracer's, which is dead. */
    if (image_config_here()->wine_pointer != 0) {
        set_callback(NULL, image_config_here()->callback);
        set_callback(NULL, 0);
    }
    return set_callback(NULL, program);
}

uint32_t callback_take(struct ring *ring)
{
    uint32_t flags = section_here()->flags;
    uint32_t status = (flags & SECTION_RETURNS) != 0 ? 0
                      : (flags & SECTION_NO_CALLBACK) != 0
                          ? STATUS_NOT_SUPPORTED
                          : set_callback(ring, image_config_here()->callback);

    /* Setting the callback has chosen another dispatcher, so this comes after
     * it. */
    if ((int32_t)status >= 0) {
        record_calls();
    }
    return status;
}

static void register_callback(struct ring *ring)
{
    struct section *s = section_here();
    uint32_t status = callback_take(ring);

    /* Release: the tracer sees a finished start. */
    atomic_store_explicit(&s->start_status, 1 + (uint64_t)status,
                          memory_order_release);
}

/* Puts back the bytes that brought us here. No other thread runs yet, and
 * nothing we need lies on that page. */
static void restore_loader(struct ring *ring)
{
    const struct image_config *config = image_config_here();
    uint32_t old = PAGE_EXECUTE_READ;

    if ((int32_t)own_protect(ring, config->resume, LOADER_BYTES, PAGE_READWRITE,
                             &old) < 0) {
        return;
    }
    for (int i = 0; i < LOADER_BYTES; i++) {
        ((volatile uint8_t *)config->resume)[i] = config->loader_bytes[i];
    }
    own_protect(ring, config->resume, LOADER_BYTES, old, &old);
}

void agent_start(struct return_frame *frame, uint64_t rsp)
{
    struct section *s = section_here();
    struct ring *ring = ring_enter(rsp);

    restore_loader(ring);
    if (atomic_load_explicit(&s->dead, memory_order_relaxed)) {
        /* Nobody follows this process any more: it starts as if we were not
         * there. */
        if (ring != NULL) {
            ring_leave(ring);
        }
        return;
    }
    register_callback(ring);
    if (ring != NULL) {
        /* The tracer ends a process whose callback could not be registered
         * before it answers. */
        witness_transition(ring, TRANSITION_THREAD_START, frame, rsp, true);
        ring_leave(ring);
    }
    if ((s->flags & SECTION_RETURNS) != 0) {
        callback_take(NULL);
    }
}

void agent_start_late(struct return_frame *frame, uint64_t rsp)
{
    (void)frame;
    (void)rsp;
    register_callback(NULL);
}
