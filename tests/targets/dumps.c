/* SPDX-License-Identifier: MIT */
/*
 * dumps - what is read and written, as bytes behind the calls: the runner
 * traces it with -e read=all -e write=all. Nothing of it is cut by -s.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtFlushBuffersFile(HANDLE, struct nt_iosb *);

/* The lines of `size` bytes, expected right behind their call. */
static void expect_dump(DWORD tid, const uint8_t *bytes, size_t size)
{
    for (size_t from = 0; from < size; from += 16) {
        char hex[80], text[20];
        size_t at = 0, i;

        for (i = 0; i < 16; i++) {
            at += (size_t)snprintf(hex + at, sizeof hex - at,
                                   from + i < size ? "%s%02x " : "%s   ",
                                   i == 8 ? " " : "",
                                   from + i < size ? bytes[from + i] : 0);
            text[i] = ' ';
            if (from + i < size) {
                uint8_t c = bytes[from + i];

                text[i] = (char)(c >= 0x20 && c < 0x7f ? c : '.');
            }
        }
        text[i] = '\0';
        expect("NEXT", tid, "| %05zx  %s %s |", from, hex, text);
    }
}

/* More than is ever copied, and what ends where nobody can read on. */
static void cut(HANDLE file, DWORD tid)
{
    struct nt_iosb iosb;
    SIZE_T size = 300000;
    char *large =
        VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    char *pages = VirtualAlloc(NULL, 0x2000, MEM_RESERVE, PAGE_NOACCESS);
    NTSTATUS s;

    CHECK(large != NULL && pages != NULL);
    CHECK(VirtualAlloc(pages, 0x1000, MEM_COMMIT, PAGE_READWRITE) == pages);
    memset(pages, 'A', 0x1000);
    CHECK(NtWriteFile(file, NULL, NULL, NULL, &iosb, large, 300000, NULL,
                      NULL) == 0);
    expect("SEQ", tid, "NtWriteFile(*, Length=300000, *) = 0");
    expect("SEQ", tid, "| 3fff0  00 00 *");
    expect("NEXT", tid, "| ...");
    s = NtWriteFile(file, NULL, NULL, NULL, &iosb, pages + 0x1000 - 32, 64,
                    NULL, NULL);
    expect("NEXT", tid,
           "NtWriteFile(*, Buffer=b\"AAAA*\"..., Length=64, *) = %s",
           result_text(s));
    expect_dump(tid, (const uint8_t *)pages, 32);
    expect("NEXT", tid, "| ...");
}

int main(void)
{
    static const char text[] =
        "line one\r\n\t\"two\" \x01\xff 3, and then more "
        "than -s would show of it: fifty, sixty.";
    static const char *const sizes_name = "Length=%u, ByteOffset=NULL, "
                                          "Key=NULL) = 0";
    DWORD tid = GetCurrentThreadId();
    WCHAR temp[MAX_PATH], path[MAX_PATH + 40];
    struct nt_iosb iosb;
    LARGE_INTEGER at = { .QuadPart = 0 };
    uint8_t room[200];
    HANDLE file;
    char tail[80];

    target_begin();
    GetTempPathW(MAX_PATH, temp);
    _snwprintf(path, COUNT_OF(path), L"%sntstrace dumps.%lu", temp,
               (unsigned long)GetCurrentProcessId());
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                       CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    CHECK(NtWriteFile(file, NULL, NULL, NULL, &iosb, text, sizeof text, NULL,
                      NULL) == 0);
    snprintf(tail, sizeof tail, sizes_name, (unsigned)sizeof text);
    expect("SEQ", tid, "NtWriteFile(FileHandle=0x%llx<*>, *Buffer=b\"line*, %s",
           u64_of(file), tail);
    expect_dump(tid, (const uint8_t *)text, sizeof text);
    CHECK(NtReadFile(file, NULL, NULL, NULL, &iosb, room, sizeof room, &at,
                     NULL) == 0);
    CHECK(iosb.information == sizeof text);
    expect("NEXT", tid,
           "NtReadFile(FileHandle=0x%llx<*>, *Buffer=b\"line*) = 0",
           u64_of(file));
    expect_dump(tid, room, sizeof text);
    /* Nothing was transferred: nothing to show. */
    CHECK(NtReadFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, room, sizeof room,
                     NULL, NULL) == STATUS_BAD_HANDLE);
    expect("NEXT", tid, "NtReadFile(FileHandle=0xbad4, *");
    CHECK(NtFlushBuffersFile(file, &iosb) == 0);
    expect("NEXT", tid, "NtFlushBuffersFile(*");
    cut(file, tid);
    CHECK(NtClose(file) == 0);
    expect("NEXT", tid, "NtClose(*) = 0");
    return target_end();
}
