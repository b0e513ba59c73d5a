/* SPDX-License-Identifier: MIT */
/*
 * nt.h - structures and calls of the native API for targets that are about
 * what arguments mean; what target.h does not declare already.
 */
#ifndef NT_H
#define NT_H

#include "target.h"

/* UNICODE_STRING; sizes in bytes. */
struct nt_name {
    USHORT length;
    USHORT room;
    const WCHAR *text;
};

/* OBJECT_ATTRIBUTES */
struct nt_attributes {
    ULONG size;
    HANDLE root;
    const struct nt_name *name;
    ULONG attributes;
    void *security;
    void *quality;
};

/* IO_STATUS_BLOCK */
struct nt_iosb {
    union {
        NTSTATUS status;
        void *pointer;
    };
    ULONG_PTR information;
};

#define NT_NAME(literal)                                            \
    {                                                               \
        sizeof(literal) - sizeof(WCHAR), sizeof(literal), (literal) \
    }
#define NT_ATTRIBUTES(name_)                                       \
    {                                                              \
        sizeof(struct nt_attributes), NULL, (name_), 0, NULL, NULL \
    }

#define BAD_HANDLE ((HANDLE)(uintptr_t)0xbad4)

NTSYSAPI NTSTATUS NTAPI NtOpenEvent(HANDLE *, ACCESS_MASK,
                                    const struct nt_attributes *);
NTSYSAPI NTSTATUS NTAPI NtCreateEvent(HANDLE *, ACCESS_MASK,
                                      const struct nt_attributes *, int,
                                      BOOLEAN);
NTSYSAPI NTSTATUS NTAPI NtOpenFile(HANDLE *, ACCESS_MASK,
                                   const struct nt_attributes *,
                                   struct nt_iosb *, ULONG, ULONG);
NTSYSAPI NTSTATUS NTAPI NtCreateFile(HANDLE *, ACCESS_MASK,
                                     const struct nt_attributes *,
                                     struct nt_iosb *, LARGE_INTEGER *, ULONG,
                                     ULONG, ULONG, ULONG, void *, ULONG);
NTSYSAPI NTSTATUS NTAPI NtReadFile(HANDLE, HANDLE, void *, void *,
                                   struct nt_iosb *, void *, ULONG,
                                   const LARGE_INTEGER *, const ULONG *);
NTSYSAPI NTSTATUS NTAPI NtWriteFile(HANDLE, HANDLE, void *, void *,
                                    struct nt_iosb *, const void *, ULONG,
                                    const LARGE_INTEGER *, const ULONG *);
NTSYSAPI NTSTATUS NTAPI NtSetValueKey(HANDLE, const struct nt_name *, ULONG,
                                      ULONG, const void *, ULONG);
NTSYSAPI NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG, const HANDLE *, int,
                                                 BOOLEAN,
                                                 const LARGE_INTEGER *);

/* A result as the trace shows it; good until the next call. */
static inline const char *result_text(NTSTATUS status)
{
    static char text[40];

    if (status == 0) {
        return "0";
    }
    snprintf(text, sizeof text, "0x%lx *", (unsigned long)status);
    return text;
}

#endif
