/* SPDX-License-Identifier: MIT */
/*
 * keyed.c - numbers by sums of products with odd keys, of which the upper half is
 * taken (Dietzfelbinger's multiply-shift: two numbers fall together in 2^-n of all
 * keys for n bits); bytes by SipHash.
 */
#include "base/keyed.h"

#include <string.h>

#include "base/banned.h"

#define PRODUCTS 4

/* Digits of pi, until there is a seed. */
static uint64_t factors[PRODUCTS] = {
    UINT64_C(0x243f6a8885a308d3),
    UINT64_C(0x13198a2e03707345),
    UINT64_C(0xa4093822299f31d1),
    UINT64_C(0x082efa98ec4e6c89),
};
static uint64_t added = UINT64_C(0x452821e638d01377);
static uint64_t sip_key[2] = { UINT64_C(0xbe5466cf34e90c6c),
                               UINT64_C(0xc0ac29b7c97c50dd) };

/* Steele, Lea, Flood: SplitMix64. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void keyed_seed(uint64_t a, uint64_t b)
{
    uint64_t state = a;

    state = next(&state) ^ b;
    for (size_t i = 0; i < PRODUCTS; i++) {
        factors[i] = next(&state) | 1;
    }
    added = next(&state);
    sip_key[0] = next(&state);
    sip_key[1] = next(&state);
}

uint32_t keyed_pair(uint64_t a, uint64_t b)
{
    uint64_t sum = added + (uint32_t)a * factors[0] + (a >> 32) * factors[1] +
                   (uint32_t)b * factors[2] + (b >> 32) * factors[3];

    return (uint32_t)(sum >> 32);
}

static uint64_t turned(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turned(v[1], 13) ^ v[0];
    v[3] = turned(v[3], 16) ^ v[2];
    v[0] = turned(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turned(v[1], 17) ^ v[2];
    v[3] = turned(v[3], 21) ^ v[0];
    v[2] = turned(v[2], 32);
}

uint64_t keyed_bytes(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    uint64_t v[4] = {
        sip_key[0] ^ UINT64_C(0x736f6d6570736575),
        sip_key[1] ^ UINT64_C(0x646f72616e646f6d),
        sip_key[0] ^ UINT64_C(0x6c7967656e657261),
        sip_key[1] ^ UINT64_C(0x7465646279746573),
    };
    uint64_t word;
    size_t at = 0;

    for (; size - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, p + at, sizeof(word));
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; at + i < size; i++) {
        word |= (uint64_t)p[at + i] << (8 * i);
    }
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) {
        mix(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
