/* SPDX-License-Identifier: MIT */
/*
 * fuzz_reader - base/reader.h against a second reading of the same bytes.
 *
 * The first half of the input says what to read, a byte each: the operation
 * in the low three bits, a length or offset from the rest and the next byte,
 * such that all sizes come up, those just below SIZE_MAX too.
 * The second half is what is read.
 */
#include "base/reader.h"

#include "fuzz/fuzz.h"

/* The number that stands at `at`, or 0 if it is not all there. */
static uint64_t number(const uint8_t *data, size_t room, size_t at, size_t size)
{
    uint64_t n = 0;

    for (size_t i = 0; i < size && room - at >= size; i++) {
        n |= (uint64_t)data[at + i] << (8 * i);
    }
    return n;
}

static void read_text(struct reader *r, size_t max)
{
    struct reader before = *r;
    str s = reader_zstr(r, max);
    size_t left = reader_left(&before);

    touch(s);
    if (r->at == before.at) {
        MUST(r->bad && s.size == 0);
        MUST(memchr(r->p + r->at, 0, max < left ? max : left) == NULL);
    } else {
        MUST(s.p == (const char *)r->p + before.at && s.size < max);
        MUST(r->at == before.at + s.size + 1);
        MUST(s.p[s.size] == '\0' && memchr(s.p, 0, s.size) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    size_t half = size / 2;
    const uint8_t *data = bytes + half;
    size_t room = size - half;
    struct reader r = reader_over(room ? data : NULL, room);

    for (size_t i = 0; i + 1 < half; i++) {
        struct reader old = r;
        size_t high = bytes[i] >> 3;
        size_t shift = bytes[i + 1] & 63;
        size_t n = shift < 63 ? high << shift : SIZE_MAX - high;
        size_t width = 0;
        uint64_t got = 0;

        switch (bytes[i] & 7) {
        case 0:
            got = reader_u8(&r);
            width = 1;
            break;
        case 1:
            got = reader_u16(&r);
            width = 2;
            break;
        case 2:
            got = reader_u32(&r);
            width = 4;
            break;
        case 3:
            got = reader_u64(&r);
            width = 8;
            break;
        case 4:
            reader_seek(&r, n);
            MUST(r.at == (n > room ? room : n));
            MUST(r.bad == (old.bad || n > room));
            continue;
        case 5: {
            str s = reader_bytes(&r, n);

            touch(s);
            MUST(s.size == (n > reader_left(&old) ? 0 : n));
            MUST(s.size == 0 || s.p == (const char *)old.p + old.at);
            width = n;
            break;
        }
        default:
            read_text(&r, n);
            MUST(r.at <= room && r.bad >= old.bad);
            continue;
        }
        if ((bytes[i] & 7) < 4) {
            MUST(got == number(data, room, old.at, width));
        }
        MUST(r.at == (width > room - old.at ? old.at : old.at + width));
        MUST(r.bad == (old.bad || width > room - old.at));
    }
    return 0;
}
