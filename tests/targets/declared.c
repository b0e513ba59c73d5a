/* SPDX-License-Identifier: MIT */
/*
 * declared - a call that the tables of ntstrace lack, shown as a file of
 * prototypes declares it, and one that they have, by the names of that file
 * (declared.prototypes).
 *
 * The first is Wine's own; on Windows it is not there.
 */
#define DECODED
#include "nt.h"

typedef NTSTATUS NTAPI unix_name(const struct nt_attributes *attributes,
                                 char *name, ULONG *size, UINT disposition);

static void ask_wine(DWORD tid, unix_name *call)
{
    static const struct nt_name path = NT_NAME(L"\\??\\C:\\windows");
    const struct nt_attributes attributes = NT_ATTRIBUTES(&path);
    char name[300];
    ULONG size = sizeof(name);

    CHECK(call(&attributes, name, &size, FILE_OPEN) == STATUS_OK);
    expect("SEQ", tid,
           "wine_nt_to_unix_file_name(attr={ObjectName=\"\\??\\C:\\windows\", "
           "Attributes=0}, "
           "name=b\"*, size=[300 => %lu], disposition=1) = 0",
           (unsigned long)size);
    size = 1;
    CHECK(call(&attributes, name, &size, FILE_OPEN) != STATUS_OK);
    expect("SEQ", tid,
           "wine_nt_to_unix_file_name(attr={ObjectName=\"\\??\\C:\\windows\", "
           "Attributes=0}, "
           "name=0x*, size=*, disposition=1) = 0x*");
}

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    const LARGE_INTEGER now = { .QuadPart = 0 };
    unix_name *call = (unix_name *)(void *)GetProcAddress(
        GetModuleHandleA("ntdll.dll"), "wine_nt_to_unix_file_name");

    target_begin();
    if (call != NULL) {
        ask_wine(tid, call);
    } else {
        printf("skipped: a call that is only Wine's\n");
    }
    CHECK(NtDelayExecution(FALSE, &now) == STATUS_OK);
    expect("SEQ", tid, "NtDelayExecution(MayBeAlerted=FALSE, HowLong=*) = 0");
    expect("NOT", tid, "NtDelayExecution(Alertable=*");
    return target_end();
}
