/* SPDX-License-Identifier: MIT */
/*
 * traced.c - processes come into a session's list, and leave it.
 *
 * Fails for want of memory only.
 */
#include "live/traced.h"

#include "live/early.h"
#include "live/images.h"
#include "live/session.h"
#include "live/tampering.h"
#include "live/underway.h"

#include <stdlib.h>

#include "base/banned.h"

struct traced *traced_open(struct session *s)
{
    struct traced *t = calloc(1, sizeof(*t));
    struct traced **end = &s->traced;

    if (t == NULL) {
        return NULL;
    }
    t->rings = calloc(RING_MAX, sizeof(*t->rings));
    if (t->rings == NULL) {
        free(t);
        return NULL;
    }
    t->session = s;
    t->image = BUF_OVER(t->image_room);
    while (*end != NULL) {
        end = &(*end)->next;
    }
    t->first = s->traced == NULL;
    *end = t;
    return t;
}

void traced_stop(struct traced *t)
{
    for (uint32_t i = 0; i < t->ring_high; i++) {
        os_thread_close(t->rings[i].handle);
        free(t->rings[i].question);
    }
    early_close(t);
    underway_close(t);
    asker_close(t->asker);
    t->asker = NULL;
    t->ring_high = 0;
}

void traced_close(struct traced *t)
{
    struct traced **link = &t->session->traced;

    while (*link != t) {
        link = &(*link)->next;
    }
    *link = t->next;
    tampering_collect(t);
    traced_stop(t);
    images_close(t);
    target_close(&t->target);
    free(t->rings);
    free(t);
}
