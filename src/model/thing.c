/* SPDX-License-Identifier: MIT */
/*
 * thing.c - objects that handles refer to.
 *
 * They are counted and lie in one block with their text. What they take is
 * counted for the whole model: beyond OBJECT_BYTES_MAX new ones have no
 * names, and well beyond it there are none. Fails only for want of memory.
 */
#include "model/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct thing *thing_of(const struct object *object)
{
    /* An object is the first member of its thing. */
    union {
        const struct object *object;
        struct thing *thing;
    } both = { object };

    return both.thing;
}

struct thing *thing_hold(struct thing *thing)
{
    if (thing) {
        thing->object.references++;
    }
    return thing;
}

void thing_release(struct thing *thing)
{
    if (thing && --thing->object.references == 0) {
        *thing->budget -= thing->bytes;
        free(thing->socket);
        free(thing);
    }
}

static str put_text(char **at, str s)
{
    str kept = { *at, s.size };

    if (s.size > 0) {
        memcpy(*at, s.p, s.size);
    }
    *at += s.size;
    return kept;
}

static size_t bytes_of(const struct thing_facts *facts)
{
    return sizeof(struct thing) + facts->type.size + facts->name.size +
           facts->path.size + (facts->socket ? sizeof(*facts->socket) : 0);
}

struct thing *thing_copy(struct model *m, const struct thing_facts *facts)
{
    struct thing *thing = calloc(1, sizeof(*thing) + facts->type.size +
                                        facts->name.size + facts->path.size);
    char *at;

    if (!thing) {
        return NULL;
    }
    if (facts->socket) {
        thing->socket = malloc(sizeof(*thing->socket));
        if (!thing->socket) {
            free(thing);
            return NULL;
        }
        *thing->socket = *facts->socket;
    }
    thing->budget = &m->object_bytes;
    thing->bytes = bytes_of(facts);
    m->object_bytes += thing->bytes;
    thing->identity = facts->identity ? facts->identity : ++m->identities;
    thing->object.pid = facts->pid;
    thing->tid = facts->tid;
    thing->object.references = 1;
    thing->object.access_known = facts->access_known;
    thing->object.access = facts->access;
    at = thing->text;
    thing->object.type = put_text(&at, facts->type);
    thing->object.name = put_text(&at, facts->name);
    thing->object.path = put_text(&at, facts->path);
    return thing;
}

struct thing *thing_new(struct model *m, const struct thing_facts *facts)
{
    struct thing_facts kept = *facts;

    if (kept.name.size > OBJECT_NAME_MAX) {
        kept.name = STR("");
    }
    if (kept.path.size > OBJECT_NAME_MAX) {
        kept.path = STR("");
    }
    if (m->object_bytes + bytes_of(&kept) > OBJECT_BYTES_MAX) {
        kept.name = STR("");
        kept.path = STR("");
    }
    if (m->object_bytes + bytes_of(&kept) >
        OBJECT_BYTES_MAX + OBJECT_BYTES_MAX / 4) {
        return NULL;
    }
    return thing_copy(m, &kept);
}

struct thing_facts thing_facts(const struct thing *thing)
{
    return (struct thing_facts){
        .type = thing->object.type,
        .name = thing->object.name,
        .path = thing->object.path,
        .access_known = thing->object.access_known,
        .access = thing->object.access,
        .identity = thing->identity,
        .pid = thing->object.pid,
        .tid = thing->tid,
        .socket = thing->socket,
    };
}
