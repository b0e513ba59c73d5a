/* SPDX-License-Identifier: MIT */
/*
 * stubs.h - what a system call function of ntdll.dll or win32u.dll looks like
 * on x64, and the service number that stands in it.
 *
 * All forms begin with the same 8 bytes, `mov r10, rcx` and `mov eax, number`,
 * and differ in how they go on. The bytes are those of a file or of a process
 * and may be anything: hooked by a security product, jumps of our own, or not
 * a stub at all. A stub is known by all of its bytes or not at all.
 */
#ifndef TABLES_AMD64_STUBS_H
#define TABLES_AMD64_STUBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUB_PATTERN_MAX 32

/* Bytes at the head of every form that can be moved elsewhere as they are. */
#define STUB_HEAD_SIZE 8
/* Where in it `mov eax, number` stands, five bytes of it. */
#define STUB_NUMBER_AT 3
#define STUB_NUMBER_OPCODE 0xb8

/* Tables 0 (ntdll) and 1 (win32k) in bits 12-13, index in bits 0-11. The
 * kernel ignores what lies above. */
#define STUB_NUMBER_MASK 0x3fffu

struct stub_form {
    const char *name;
    uint8_t size;            // bytes from one stub to the next, padding too
    uint8_t pattern_size;    // bytes of the pattern
    uint8_t syscall_return;  // where the call comes back to: after `syscall`
    uint8_t int_return;      // and after `int 2Eh`; 0: the form has none
    int16_t pattern[STUB_PATTERN_MAX];  // -1: the number's bytes
};

struct stub_match {
    const struct stub_form *form;  // constant
    uint32_t number;               // service number, masked
};

/* Recognises the stub that begins at `bytes`, of which `size` may be read.
 * False, *out untouched, if it is of no known form: foreign bytes, no stub,
 * or cut short. */
bool stub_decode(const uint8_t *bytes, size_t size, struct stub_match *out);

/* The second half of a stub, so bent that what the kernel returns to leads to
 * code elsewhere; whoever comes to its first byte, or stands between its test and
 * its jump, makes the call as before. STUB_TURN is where the jump to there stands:
 *
 *      +8   EB ..           jmp   to the call itself
 *      +0Ah E9 rel32        jmp   elsewhere
 *      +0Fh                 as it was
 *      +10h 75 ..           jne   to the call itself
 *      +12h 0F 05           syscall
 *      +14h EB F4           jmp   +0Ah, in place of `ret`
 *
 * A `ret` is left at STUB_LAST_RET. None of it serves a system whose calls go by
 * `int 2Eh`. */
#define STUB_END_AT 0x08
#define STUB_END_SIZE 14
#define STUB_TURN 0x0a
#define STUB_LAST_RET 0x17

/* Makes the STUB_END_SIZE bytes at STUB_END_AT of the stub that begins at `stub`,
 * of which `size` may be read; those of the distance are 0. False: it is of no
 * form that can be bent so. */
bool stub_bend_end(const uint8_t *stub, size_t size,
                   uint8_t end[STUB_END_SIZE]);
/* True if `end` is such an end, whatever the distance; what was there before it
 * goes to `was`. */
bool stub_mend_end(const uint8_t end[STUB_END_SIZE],
                   uint8_t was[STUB_END_SIZE]);

/* The known forms: index 0 .. STUB_FORMS - 1. */
#define STUB_FORMS 3
extern const struct stub_form stub_forms[STUB_FORMS];

#endif
