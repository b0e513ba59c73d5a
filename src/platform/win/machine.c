/* SPDX-License-Identifier: MIT */
/*
 * machine.c - what we run on, by name.
 *
 * Touches nothing; where the system does not tell, nothing is added.
 */
#include "platform/win/win.h"

#include "base/banned.h"

void os_machine_name(struct buf *b)
{
    wchar_t name[256];
    DWORD size = COUNT_OF(name);

    if (GetComputerNameExW(ComputerNameDnsHostname, name, &size)) {
        os_to_utf8(b, (struct str16){ (const uint16_t *)name, size });
    }
}

void os_system_name(struct buf *b)
{
    NTSTATUS(NTAPI * version)
    (OSVERSIONINFOW *) = (NTSTATUS(NTAPI *)(OSVERSIONINFOW *))(
        ULONG_PTR)os_own_ntdll("RtlGetVersion");
    const char *(*wine)(void) =
        (const char *(*)(void))(ULONG_PTR)os_own_ntdll("wine_get_version");
    OSVERSIONINFOW v = { .dwOSVersionInfoSize = sizeof(v) };

    if (version != NULL && version(&v) >= 0) {
        buf_addf(b, "Windows %u.%u build %u", (unsigned)v.dwMajorVersion,
                 (unsigned)v.dwMinorVersion, (unsigned)v.dwBuildNumber);
    }
    if (wine != NULL) {
        buf_addf(b, ", Wine %s", wine());
    }
}
