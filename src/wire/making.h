/* SPDX-License-Identifier: MIT */
/*
 * making.h - the calls that make a process, as agent (child.c) and tracer
 * (children.c) look at them: which argument is what, by phnt's ntpsapi.h.
 */
#ifndef WIRE_MAKING_H
#define WIRE_MAKING_H

#include <stdint.h>

/* Arguments of NtCreateUserProcess, and of NtCreateProcess and NtCreateProcessEx,
 * which have fewer. */
#define USER_PROCESS_ARGS 11
#define ARG_PROCESS 0  // where the handles are put
#define ARG_THREAD 1   // of NtCreateUserProcess alone
#define ARG_SECTION 5  // not of that
#define ARG_THREAD_FLAGS 7
#define ARG_ATTRIBUTES 10

/* THREAD_CREATE_FLAGS_CREATE_SUSPENDED */
#define SUSPENDED 1u

/* PS_ATTRIBUTE_LIST: its length, bytes, then so many of these; no list has
 * more than the most. */
struct attribute {
    uint64_t attribute;
    uint64_t size;  // bytes
    uint64_t value;
    uint64_t return_length;
};
#define ATTRIBUTES_MOST 64
/* PsAttributeImageName, as input */
#define IMAGE_NAME 0x20005

#endif
