/* SPDX-License-Identifier: MIT */
/*
 * text.c - bytes and text out of memory.
 */
#include "decode/tell.h"

#include <string.h>

#include "base/banned.h"

/* No name of NT is longer. */
#define NAME_UNITS 0x8000

size_t tell_bytes(const struct tell *t, uint64_t address, uint64_t size,
                  const uint8_t **bytes)
{
    const struct memory *m = t->memory;
    size_t wanted = size > TELL_ROOM ? TELL_ROOM : (size_t)size;

    *bytes = t->room->bytes;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct memory_piece *p = &m->pieces[i];
        uint64_t skip = address - p->address;

        if (skip < p->size && p->size - skip >= wanted &&
            ((uintptr_t)(p->bytes + skip) & 1) == 0) {
            *bytes = p->bytes + skip;
            return wanted;
        }
    }
    return memory_read(m, address, t->room->bytes, wanted);
}

/* --- Bytes and text --------------------------------------------------- */

void tell_data(const struct tell *t, uint64_t address, uint64_t size)
{
    uint64_t shown =
        size < t->options->string_max ? size : t->options->string_max;
    const uint8_t *bytes;
    size_t have = tell_bytes(t, address, shown, &bytes);

    if (have == 0 && size > 0 && !tell_known(t, address)) {
        tell_pointer(t, address);
        return;
    }
    t->sink->ops->data(t->sink, bytes, have, have < size);
}

static void tell_units(const struct tell *t, uint64_t address, uint64_t size,
                       uint64_t most)
{
    uint64_t shown = size < most ? size : most;
    struct sink_text text = { .kind = TEXT_UTF16 };
    const uint8_t *bytes;
    size_t have = tell_bytes(t, address, shown, &bytes);

    if (have < 2 && size >= 2 && !tell_known(t, address)) {
        tell_pointer(t, address);
        return;
    }
    text.p = bytes;
    text.size = have / 2;
    text.cut = have / 2 < size / 2;
    t->sink->ops->text(t->sink, &text);
}

void tell_name(const struct tell *t, uint64_t address, uint64_t size)
{
    tell_units(t, address, size, TELL_ROOM);
}

void tell_text(const struct tell *t, uint64_t address, uint64_t size)
{
    tell_units(t, address, size, 2ull * t->options->string_max);
}

void tell_zero_ended(const struct tell *t, uint64_t address)
{
    struct sink_text text = { .kind = TEXT_UTF16 };
    const uint8_t *bytes;
    size_t have = memory_read(t->memory, address, NULL, TELL_ROOM);

    if (have < 2) {
        tell_pointer(t, address);
        return;
    }
    have = tell_bytes(t, address, have, &bytes);
    text.cut = true;
    for (; text.size < have / 2; text.size++) {
        if (bytes[2 * text.size] == 0 && bytes[2 * text.size + 1] == 0) {
            text.cut = false;
            break;
        }
    }
    text.p = bytes;
    t->sink->ops->text(t->sink, &text);
}

void tell_unicode_string(const struct tell *t, uint64_t address)
{
    struct nt_string s;

    if (!nt_string_read(t->memory, t->width, address, &s)) {
        tell_pointer(t, address);
    } else if (s.buffer < 0x10000) {
        tell_pointer(t, s.buffer); /* nothing, or an atom in place of a name */
    } else {
        tell_name(t, s.buffer, s.length);
    }
}

void tell_ansi_string(const struct tell *t, uint64_t address)
{
    const uint8_t *bytes;
    struct nt_string s;
    size_t have;

    if (!nt_string_read(t->memory, t->width, address, &s)) {
        tell_pointer(t, address);
        return;
    }
    if (s.buffer == 0) {
        t->sink->ops->null(t->sink);
        return;
    }
    have = tell_bytes(t, s.buffer, s.length, &bytes);
    if (have == 0 && s.length > 0) {
        tell_pointer(t, s.buffer);
        return;
    }
    t->sink->ops->data(t->sink, bytes, have, have < s.length);
}

void tell_guid(const struct tell *t, uint64_t address)
{
    char room[48];
    struct buf b = BUF_OVER(room);
    uint8_t g[16];

    if (memory_read(t->memory, address, g, 16) != 16) {
        tell_pointer(t, address);
        return;
    }
    buf_addf(&b,
             "{%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x}",
             g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10],
             g[11], g[12], g[13], g[14], g[15]);
    t->sink->ops->text(
        t->sink,
        &(struct sink_text){ .kind = TEXT_WTF8, .p = b.p, .size = b.size });
}

/* --- In a structure of which so much is there ------------------------- */

/* What there is of a text that is longer than its room. */
static void tell_clipped(const struct tell *t, uint64_t address, uint64_t room,
                         uint64_t most)
{
    uint16_t units[NAME_UNITS];
    uint64_t size = room < most ? room : most;
    struct sink_text text = { .kind = TEXT_UTF16, .p = units, .cut = true };

    if (size > sizeof(units)) {
        size = sizeof(units);
    }
    text.size = memory_read(t->memory, address, units, (size_t)size) / 2;
    if (text.size == 0) {
        tell_pointer(t, address);
        return;
    }
    t->sink->ops->text(t->sink, &text);
}

/* A text in a structure that was not copied so far: nobody passed its
 * address, so it means nothing. True if that is told. */
static bool tell_missing(const struct tell *t, uint64_t address,
                         uint64_t length, uint64_t room)
{
    if (room == TELL_ANY || length == 0 ||
        (room > 0 && tell_there(t, address))) {
        return false;
    }
    t->sink->ops->unknown(t->sink);
    return true;
}

void tell_name_in(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room)
{
    if (tell_missing(t, address, length, room)) {
        return;
    }
    if (length > room) {
        tell_clipped(t, address, room, UINT64_MAX);
        return;
    }
    tell_name(t, address, length);
}

void tell_text_in(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room)
{
    if (tell_missing(t, address, length, room)) {
        return;
    }
    if (length > room) {
        tell_clipped(t, address, room, 2ull * t->options->string_max);
        return;
    }
    tell_text(t, address, length);
}

bool tell_zero_name(const struct tell *t, uint64_t address)
{
    uint16_t units[NAME_UNITS];
    size_t count = memory_read(t->memory, address, units, sizeof(units)) / 2;
    struct sink_text text = { .kind = TEXT_UTF16, .p = units, .cut = true };

    if (address == 0 || count == 0) {
        return false;
    }
    while (text.size < count && units[text.size] != 0) {
        text.size++;
    }
    text.cut = text.size == count;
    t->sink->ops->text(t->sink, &text);
    return true;
}

void tell_chars_in(const struct tell *t, uint64_t address, uint64_t length,
                   uint64_t room)
{
    uint8_t bytes[256];
    uint16_t units[sizeof(bytes)];
    uint64_t size = length < room ? length : room;
    struct sink_text text = { .kind = TEXT_UTF16, .p = units };

    if (tell_missing(t, address, length, room)) {
        return;
    }
    if (size > sizeof(bytes)) {
        size = sizeof(bytes);
    }
    text.size = memory_read(t->memory, address, bytes, (size_t)size);
    if (text.size == 0 && length > 0) {
        tell_pointer(t, address);
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        units[i] = bytes[i];
    }
    text.cut = text.size < length;
    t->sink->ops->text(t->sink, &text);
}

void tell_data_in(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room)
{
    uint8_t bytes[256];
    uint64_t size = room;

    if (tell_missing(t, address, length, room)) {
        return;
    }
    if (length <= room) {
        tell_data(t, address, length);
        return;
    }
    if (size > t->options->string_max) {
        size = t->options->string_max;
    }
    if (size > sizeof(bytes)) {
        size = sizeof(bytes);
    }
    size = memory_read(t->memory, address, bytes, (size_t)size);
    if (size == 0) {
        tell_pointer(t, address);
        return;
    }
    t->sink->ops->data(t->sink, bytes, (size_t)size, true);
}
