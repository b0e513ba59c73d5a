/* SPDX-License-Identifier: MIT */
/*
 * archive.c - numbers, texts and shared objects of an archive.
 *
 * Touches the archive alone, and what it is handed. Does not fail but by
 * setting `bad`.
 */
#include "model/archive.h"

#include "model/model.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* All that is allocated for the things that a checkpoint is loaded into: the
 * smallest of them take some twenty times as much there as in the bytes. */
#define TAKEN_MOST ((size_t)16 * CHECKPOINT_MAX)

#define VARINT_MOST 10

bool archive_insist(struct archive *a, bool that)
{
    a->bad |= !that;
    return that;
}

bool archive_take(struct archive *a, size_t size)
{
    if (a->bad || !archive_insist(a, size <= TAKEN_MOST - a->taken)) {
        return false;
    }
    a->taken += size;
    return true;
}

void *archive_new(struct archive *a, size_t size)
{
    void *p = NULL;

    if (archive_take(a, size)) {
        p = calloc(1, size > 0 ? size : 1);
        archive_insist(a, p != NULL);
    }
    return p;
}

/* --- bytes ---------------------------------------------------------------- */

/* Room for `size` bytes more. */
static bool reserve(struct archive *a, size_t size)
{
    size_t room = a->end > 0 ? a->end : 65536;
    uint8_t *bigger;

    if (a->bad || !archive_insist(a, size <= CHECKPOINT_MAX - a->at)) {
        return false;
    }
    if (size <= a->end - a->at) {
        return true;
    }
    while (room - a->at < size) {
        room *= 2;
    }
    bigger = realloc(a->to, room);
    if (archive_insist(a, bigger != NULL)) {
        a->to = bigger;
        a->end = room;
    }
    return !a->bad;
}

static void put_varint(struct archive *a, uint64_t n)
{
    if (!reserve(a, VARINT_MOST)) {
        return;
    }
    for (; n >= 0x80; n >>= 7) {
        a->to[a->at++] = (uint8_t)(n | 0x80);
    }
    a->to[a->at++] = (uint8_t)n;
}

/* In its shortest form alone, so that there is one way to write a thing. */
static uint64_t take_varint(struct archive *a)
{
    uint64_t n = 0;

    for (int shift = 0; !a->bad && a->at < a->end && shift < 64; shift += 7) {
        uint8_t byte = a->from[a->at++];

        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            archive_insist(a, (byte > 0 || shift == 0) &&
                                  (shift < 63 || byte == 1));
            return a->bad ? 0 : n;
        }
    }
    a->bad = true;
    return 0;
}

/* What is at most `most` on both sides. */
static uint64_t varint_upto(struct archive *a, uint64_t n, uint64_t most)
{
    if (a->saving) {
        archive_insist(a, n <= most);
        put_varint(a, n);
        return n;
    }
    n = take_varint(a);
    return archive_insist(a, n <= most) ? n : 0;
}

void archive_u64(struct archive *a, uint64_t *n)
{
    *n = varint_upto(a, *n, UINT64_MAX);
}

void archive_u32(struct archive *a, uint32_t *n)
{
    *n = (uint32_t)varint_upto(a, *n, UINT32_MAX);
}

void archive_u16(struct archive *a, uint16_t *n)
{
    *n = (uint16_t)varint_upto(a, *n, UINT16_MAX);
}

void archive_u8(struct archive *a, uint8_t *n)
{
    *n = (uint8_t)varint_upto(a, *n, UINT8_MAX);
}

void archive_bool(struct archive *a, bool *b)
{
    *b = varint_upto(a, *b, 1) != 0;
}

void archive_size(struct archive *a, size_t *n, size_t most)
{
    *n = (size_t)varint_upto(a, *n, most);
}

void archive_count(struct archive *a, size_t *n, size_t most, size_t least)
{
    archive_size(a, n, most);
    if (!a->saving && !archive_insist(a, *n <= (a->end - a->at) / least)) {
        *n = 0;
    }
}

void archive_same(struct archive *a, uint64_t n)
{
    uint64_t other = n;

    archive_u64(a, &other);
    archive_insist(a, other == n);
}

void archive_bytes(struct archive *a, void *bytes, size_t size)
{
    if (a->saving && size > 0 && reserve(a, size)) {
        memcpy(a->to + a->at, bytes, size);
        a->at += size;
    } else if (!a->saving && !a->bad && size > 0 &&
               archive_insist(a, size <= a->end - a->at)) {
        memcpy(bytes, a->from + a->at, size);
        a->at += size;
    }
}

str archive_text(struct archive *a, str s, size_t most)
{
    size_t size = s.size;

    archive_count(a, &size, most, 1);
    if (a->saving) {
        if (size > 0 && reserve(a, size)) {
            memcpy(a->to + a->at, s.p, size);
            a->at += size;
        }
        return s;
    }
    if (a->bad || size == 0) {
        return STR("");
    }
    s = (str){ (const char *)a->from + a->at, size };
    a->at += size;
    return s;
}

/* --- things --------------------------------------------------------------- */

/* Where the index of `thing` is, or belongs; there is room. */
static uint32_t *index_of(const struct archive *a, const struct thing *thing)
{
    size_t at =
        (size_t)(((uint64_t)(uintptr_t)thing * 0x9e3779b97f4a7c15) >> 32) &
        (a->index_room - 1);

    while (a->thing_index[at] != 0 &&
           a->things[a->thing_index[at] - 1] != thing) {
        at = (at + 1) & (a->index_room - 1);
    }
    return &a->thing_index[at];
}

/* Room for one more in the index: half of it stays free. */
static bool grow_index(struct archive *a)
{
    size_t room = a->index_room > 0 ? a->index_room * 2 : 256;

    if (a->thing_count < a->index_room / 2) {
        return true;
    }
    free(a->thing_index);
    a->index_room = 0;
    a->thing_index = calloc(room, sizeof(a->thing_index[0]));
    if (!archive_insist(a, a->thing_index != NULL)) {
        return false;
    }
    a->index_room = room;
    for (size_t i = 0; i < a->thing_count; i++) {
        *index_of(a, a->things[i]) = (uint32_t)(i + 1);
    }
    return true;
}

/* It may be met again. */
static void remember(struct archive *a, struct thing *thing)
{
    if (a->bad || (a->saving && !grow_index(a)) ||
        !archive_insist(a, array_grow(&a->things, &a->thing_room,
                                      a->thing_count, sizeof(a->things[0])))) {
        return;
    }
    a->things[a->thing_count++] = thing;
    if (a->saving) {
        *index_of(a, thing) = (uint32_t)a->thing_count;
    }
}

/* A text that fills its room, or ends before that with a zero. */
static void socket_text(struct archive *a, char text[SOCKET_TEXT])
{
    str s =
        archive_text(a, a->saving ? str_of(text) : STR(""), SOCKET_TEXT - 1);

    if (!a->saving && archive_insist(a, !memchr(s.p, 0, s.size))) {
        memcpy(text, s.p, s.size);
        text[s.size] = 0;
    }
}

static void socket_archive(struct archive *a, struct socket *s)
{
    archive_u32(a, &s->type);
    archive_u32(a, &s->protocol);
    archive_bool(a, &s->unix_family);
    archive_bool(a, &s->connected);
    archive_bool(a, &s->begun);
    archive_u64(a, &s->context);
    archive_bool(a, &s->has_port);
    archive_u64(a, &s->key);
    archive_bool(a, &s->wildcard);
    socket_text(a, s->local);
    socket_text(a, s->peer);
    archive_u32(a, &s->waiting);
    socket_text(a, s->waiting_peer);
}

static void facts_archive(struct archive *a, struct thing_facts *facts,
                          struct socket *socket)
{
    bool is_socket = facts->socket != NULL;

    facts->type = archive_text(a, facts->type, JOURNAL_MAX);
    facts->name = archive_text(a, facts->name, OBJECT_NAME_MAX);
    facts->path = archive_text(a, facts->path, OBJECT_NAME_MAX);
    archive_bool(a, &facts->access_known);
    archive_u32(a, &facts->access);
    archive_u64(a, &facts->identity);
    archive_u32(a, &facts->pid);
    archive_u32(a, &facts->tid);
    archive_bool(a, &is_socket);
    if (is_socket && a->saving) {
        *socket = *facts->socket;
    }
    if (is_socket) {
        socket_archive(a, socket);
        facts->socket = socket;
    }
}

void archive_thing_first(struct archive *a, struct thing **thing)
{
    struct thing_facts facts = { .identity = 0 };
    struct socket socket = { .type = 0 };
    bool shared = false;

    if (a->saving) {
        facts = thing_facts(*thing);
        shared = (*thing)->object.references > 1;
    } else {
        *thing = NULL;
        facts.type = facts.name = facts.path = STR("");
    }
    archive_bool(a, &shared);
    facts_archive(a, &facts, &socket);
    archive_insist(a, facts.identity > 0 && facts.identity <= a->m->identities);
    /* What it takes with its texts; its handle comes to as much again. */
    if (!archive_take(a, sizeof(**thing) + facts.type.size + facts.name.size +
                             facts.path.size + sizeof(socket))) {
        return;
    }
    if (!a->saving) {
        *thing = thing_copy(a->m, &facts);
        archive_insist(a, *thing != NULL);
    }
    if (shared) {
        remember(a, *thing);
    }
}

void archive_thing(struct archive *a, struct thing **thing)
{
    /* 0: none. 1: one that was not met yet. Else an index. */
    size_t known = 0;

    if (a->saving && *thing) {
        uint32_t index = a->index_room > 0 ? *index_of(a, *thing) : 0;

        known = (size_t)index + 1;
    }
    archive_size(a, &known, a->thing_count + 1);
    if (known == 1) {
        archive_thing_first(a, thing);
    } else if (!a->saving) {
        *thing = known > 1 && !a->bad ? thing_hold(a->things[known - 2]) : NULL;
    }
}
