/* SPDX-License-Identifier: MIT */
/*
 * putback - puts the first bytes of ntdll's system call functions back as they
 * are in the file, as programs do that want nobody to listen, and goes on. The
 * trace says so once; the calls after that keep name and result. With `again` it
 * does so twice, for a tracer with --repatch: a while later calls have their
 * arguments again, each time, and each time there is a line.
 */
#define DECODED
#include "nt.h"

#define CALLS 20
#define REST 500 /* ms: much longer than until it is found out */

static const uint8_t *file_image(void)
{
    char path[MAX_PATH];
    HANDLE file, mapping;

    GetModuleFileNameA(GetModuleHandleA("ntdll.dll"), path, sizeof path);
    file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                       0, NULL);
    mapping =
        CreateFileMappingA(file, NULL, PAGE_READONLY | SEC_IMAGE, 0, 0, NULL);
    return MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
}

/* How many functions were not as in the file. */
static int put_back(uint8_t *here, const uint8_t *there)
{
    const IMAGE_NT_HEADERS *nt =
        (const void *)(here + ((const IMAGE_DOS_HEADER *)here)->e_lfanew);
    const IMAGE_EXPORT_DIRECTORY *x =
        (const void *)(here +
                       nt->OptionalHeader.DataDirectory[0].VirtualAddress);
    const DWORD *names = (const DWORD *)(here + x->AddressOfNames);
    const DWORD *functions = (const DWORD *)(here + x->AddressOfFunctions);
    const WORD *ordinals = (const WORD *)(here + x->AddressOfNameOrdinals);
    DWORD old;
    int count = 0;

    VirtualProtect(here, nt->OptionalHeader.SizeOfImage, PAGE_EXECUTE_READWRITE,
                   &old);
    for (DWORD i = 0; i < x->NumberOfNames; i++) {
        DWORD at = functions[ordinals[i]];
        const char *name = (const char *)here + names[i];

        if ((name[0] == 'N' || name[0] == 'w') && here[at + 3] == 0xe9 &&
            memcmp(here + at, there + at, 8) != 0) {
            memcpy(here + at, there + at, 8);
            count++;
        }
    }
    return count;
}

static int open_events(ULONG access)
{
    struct nt_name name = NT_NAME(L"\\BaseNamedObjects\\ntstrace none");
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    HANDLE event;
    int right = 0;

    for (int i = 0; i < CALLS; i++) {
        right +=
            NtOpenEvent(&event, access, &attributes) == (NTSTATUS)0xc0000034;
    }
    return right;
}

/* Long after they were put back for the last time. */
static void expect_again(DWORD tid, const int *changed)
{
    for (int i = 0; i < 2; i++) {
        expect_all(
            "COUNT", "%d *+++ patched again: %d functions of ntdll.dll +++",
            changed[i] > 0 ? 1 + (changed[0] == changed[1]) : 0, changed[i]);
        expect("COUNT", tid, "%d NtOpenEvent(*, DesiredAccess=%s, *) = *",
               CALLS, i == 0 ? "EVENT_QUERY_STATE" : "EVENT_MODIFY_STATE");
    }
    expect_all("NOT", "+++ patches lost*");
}

int main(int argc, char **argv __attribute__((unused)))
{
    DWORD tid = GetCurrentThreadId();
    const int turns = argc > 1 ? 2 : 1;
    const uint8_t *there;
    int right = 0, changed[2] = { 0, 0 };

    target_begin();
    there = file_image();
    CHECK(there != NULL);
    if (there == NULL) {
        return 1;
    }
    for (int i = 0; i < turns; i++) {
        changed[i] = put_back((uint8_t *)GetModuleHandleA("ntdll.dll"), there);
        right += open_events(SYNCHRONIZE);
        if (turns > 1) {
            Sleep(REST);
            right += open_events(1u << i);
        }
    }
    CHECK(right == CALLS * (turns > 1 ? 4 : 1));
    printf("%d right\n", right);

    if (turns > 1) {
        expect_again(tid, changed);
    } else {
        expect_all("COUNT",
                   "%d +++ patches lost: %d functions of ntdll.dll +++",
                   changed[0] > 0, changed[0]);
        expect("COUNT", tid,
               "%d NtOpenEvent(*) = 0xc0000034 STATUS_OBJECT_NAME_NOT_FOUND",
               CALLS);
    }
    expect("NOT", tid, "*INDIRECT*");
    tell_expected();
    return target_bad != 0;
}
