/* SPDX-License-Identifier: MIT */
/*
 * make.h - for the programs that call NtCreateUserProcess themselves: maker,
 * hostile_child. By phnt's ntpsapi.h and ntrtl.h.
 */
#ifndef MAKE_H
#define MAKE_H

#include "nt.h"

/* PS_ATTRIBUTE_LIST, with as many as we need. */
struct attributes {
    SIZE_T size;
    struct {
        ULONG_PTR kind;
        SIZE_T size;
        const void *value;
        SIZE_T *got;
    } of[2];
};
#define IMAGE_NAME 0x20005
#define CLIENT_ID 0x10003

#define NORMALIZED 1 /* the parameters have addresses, not offsets */
#define SUSPENDED 1  /* THREAD_CREATE_FLAGS_CREATE_SUSPENDED */

NTSYSAPI NTSTATUS NTAPI RtlCreateProcessParametersEx(
    void **, const struct nt_name *, const struct nt_name *,
    const struct nt_name *, const struct nt_name *, void *,
    const struct nt_name *, const struct nt_name *, const struct nt_name *,
    const struct nt_name *, ULONG);

typedef NTSTATUS(NTAPI *create_user)(HANDLE *, HANDLE *, ACCESS_MASK,
                                     ACCESS_MASK, void *, void *, ULONG, ULONG,
                                     void *, void *, const struct attributes *);

#endif
