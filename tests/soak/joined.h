/* SPDX-License-Identifier: MIT */
/*
 * joined.h - what joined.c and its driver, joiner.c, share.
 */
#ifndef SOAK_JOINED_H
#define SOAK_JOINED_H

#include <windows.h>

#include <stdint.h>

struct joined {
    volatile LONG ready;
    volatile LONG stop;
    volatile LONG asked;     // counts questions
    volatile LONG answered;  // the last one; then these hold:
    volatile LONG differs;   // bytes of code, and pages of it
    volatile LONG handles;   // that it has
    volatile LONG regions;   // allocations in its memory
    volatile LONG hold;      // the loader's lock, with way l
    volatile LONG calm;      // nobody is about to join: no haste
    volatile LONG wrong;     // at its end
    volatile LONG64 calls;
};

#endif
