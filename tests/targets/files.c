/* SPDX-License-Identifier: MIT */
/*
 * files - files from creation to deletion, and how the trace tells it: names
 * behind OBJECT_ATTRIBUTES, alone and below a root handle, access and sharing
 * by name, data written and read, times, information classes both ways, and
 * each handle with the name of its file.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtQueryInformationFile(HANDLE, struct nt_iosb *, void *,
                                               ULONG, int);
NTSYSAPI NTSTATUS NTAPI NtSetInformationFile(HANDLE, struct nt_iosb *,
                                             const void *, ULONG, int);
NTSYSAPI NTSTATUS NTAPI NtQueryAttributesFile(const struct nt_attributes *,
                                              void *);
NTSYSAPI NTSTATUS NTAPI NtDeleteFile(const struct nt_attributes *);
NTSYSAPI NTSTATUS NTAPI NtFlushBuffersFile(HANDLE, struct nt_iosb *);

#define OBJ_NOCASE 0x40
#define SYNCHRONOUS 0x20 /* FILE_SYNCHRONOUS_IO_NONALERT */

/* FILE_BASIC_INFORMATION */
struct basic {
    LARGE_INTEGER created, accessed, written, changed;
    ULONG attributes;
};

/* FILE_STANDARD_INFORMATION */
struct standard {
    LARGE_INTEGER allocated, end;
    ULONG links;
    BOOLEAN deleting, directory;
};

static WCHAR folder[MAX_PATH];
static char folder_text[MAX_PATH];

/* `text` of an NT path without \??\, below the folder for such things. */
static void find_folder(void)
{
    WCHAR temp[MAX_PATH - 40];
    DWORD size = GetTempPathW(COUNT_OF(temp), temp);

    CHECK(size > 3 && size < COUNT_OF(temp));
    _snwprintf(folder, COUNT_OF(folder), L"\\??\\%s", temp);
    folder[wcslen(folder) - 1] = 0;
    WideCharToMultiByte(CP_UTF8, 0, folder, -1, folder_text, sizeof folder_text,
                        NULL, NULL);
}

static const char *time_text(const LARGE_INTEGER *at, char room[40])
{
    FILETIME file = { at->LowPart, (DWORD)at->HighPart };
    SYSTEMTIME t;

    FileTimeToSystemTime(&file, &t);
    snprintf(room, 40, "%04u-%02u-%02uT%02u:%02u:%02u.%07uZ", t.wYear, t.wMonth,
             t.wDay, t.wHour, t.wMinute, t.wSecond,
             (unsigned)(at->QuadPart % 10000000));
    return room;
}

static struct nt_name name_of(const WCHAR *text)
{
    USHORT size = (USHORT)(wcslen(text) * sizeof(WCHAR));

    return (struct nt_name){ size, size, text };
}

int main(void)
{
    static const char text[] =
        "line one\r\n\t\"two\" \001\xff 3, and this is cut";
    DWORD tid = GetCurrentThreadId();
    WCHAR path[MAX_PATH];
    struct nt_name whole, leaf = NT_NAME(L"ntstrace files.tmp");
    struct nt_name missing = NT_NAME(L"ntstrace none.tmp");
    struct nt_attributes attributes = NT_ATTRIBUTES(&whole);
    struct nt_attributes below = NT_ATTRIBUTES(&leaf);
    HANDLE file, directory, again;
    struct nt_iosb iosb;
    LARGE_INTEGER at = { .QuadPart = 5 };
    struct basic basic;
    struct standard standard;
    char buffer[64], times[4][40];
    char name[MAX_PATH * 3];
    NTSTATUS s;

    target_begin();
    find_folder();
    _snwprintf(path, COUNT_OF(path), L"%s\\ntstrace files.tmp", folder);
    snprintf(name, sizeof name, "%s\\ntstrace files.tmp", folder_text);
    whole = name_of(path);
    attributes.attributes = OBJ_NOCASE;

    s = NtCreateFile(&file, GENERIC_READ | GENERIC_WRITE | DELETE | SYNCHRONIZE,
                     &attributes, &iosb, NULL, FILE_ATTRIBUTE_NORMAL,
                     FILE_SHARE_READ | FILE_SHARE_DELETE, 5 /* overwrite if */,
                     SYNCHRONOUS, NULL, 0);
    CHECK(s == 0);
    expect("SEQ", tid,
           "NtCreateFile(FileHandle=[0x%llx], "
           "DesiredAccess=GENERIC_READ|GENERIC_WRITE|DELETE|SYNCHRONIZE, "
           "ObjectAttributes={ObjectName=\"%s\", "
           "Attributes=OBJ_CASE_INSENSITIVE}, IoStatusBlock={Status=0, "
           "Information=%s}, AllocationSize=NULL, "
           "FileAttributes=FILE_ATTRIBUTE_NORMAL, "
           "ShareAccess=FILE_SHARE_READ|FILE_SHARE_DELETE, "
           "CreateDisposition=FILE_OVERWRITE_IF, "
           "CreateOptions=FILE_SYNCHRONOUS_IO_NONALERT, EaBuffer=NULL, "
           "EaLength=0) = 0",
           u64_of(file), name,
           iosb.information == 2 ? "FILE_CREATED" : "FILE_OVERWRITTEN");

    s = NtWriteFile(file, NULL, NULL, NULL, &iosb, text, sizeof text - 1, NULL,
                    NULL);
    CHECK(s == 0 && iosb.information == sizeof text - 1);
    expect(
        "NEXT", tid,
        "NtWriteFile(FileHandle=0x%llx<%s>, Event=NULL, ApcRoutine=NULL, "
        "ApcContext=NULL, IoStatusBlock={Status=0, Information=%u}, "
        "Buffer=b\"line one\\r\\n\\t\\\"two\\\" \\x01\\xff 3, and this \"..., "
        "Length=%u, ByteOffset=NULL, Key=NULL) = 0",
        u64_of(file), name, (unsigned)sizeof text - 1,
        (unsigned)sizeof text - 1);

    s = NtReadFile(file, NULL, NULL, NULL, &iosb, buffer, sizeof buffer, &at,
                   NULL);
    CHECK(s == 0 && iosb.information == sizeof text - 1 - 5);
    expect(
        "NEXT", tid,
        "NtReadFile(FileHandle=0x%llx<%s>, Event=NULL, ApcRoutine=NULL, "
        "ApcContext=NULL, IoStatusBlock={Status=0, Information=%u}, "
        "Buffer=b\"one\\r\\n\\t\\\"two\\\" \\x01\\xff 3, and this is cu\"..., "
        "Length=64, ByteOffset=*5*, Key=NULL) = 0",
        u64_of(file), name, (unsigned)sizeof text - 6);

    s = NtFlushBuffersFile(file, &iosb);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtFlushBuffersFile(FileHandle=0x%llx<%s>, "
           "IoStatusBlock={Status=0, Information=0}) = 0",
           u64_of(file), name);

    s = NtQueryInformationFile(file, &iosb, &basic, sizeof basic, 4);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtQueryInformationFile(FileHandle=0x%llx<%s>, "
           "IoStatusBlock={Status=0, Information=%u}, "
           "FileInformation={CreationTime=%s, LastAccessTime=%s, "
           "LastWriteTime=%s, ChangeTime=%s, "
           "FileAttributes=FILE_ATTRIBUTE_%s}, Length=40, "
           "FileInformationClass=FileBasicInformation) = 0",
           u64_of(file), name, (unsigned)iosb.information,
           time_text(&basic.created, times[0]),
           time_text(&basic.accessed, times[1]),
           time_text(&basic.written, times[2]),
           time_text(&basic.changed, times[3]),
           basic.attributes == FILE_ATTRIBUTE_ARCHIVE ? "ARCHIVE" : "NORMAL");

    s = NtQueryInformationFile(file, &iosb, &standard, sizeof standard, 5);
    CHECK(s == 0 && standard.end.QuadPart == sizeof text - 1);
    expect("NEXT", tid,
           "NtQueryInformationFile(FileHandle=0x%llx<%s>, "
           "IoStatusBlock={Status=0, Information=%u}, "
           "FileInformation={AllocationSize=%llu, EndOfFile=%u, "
           "NumberOfLinks=1, DeletePending=FALSE, Directory=FALSE}, Length=24, "
           "FileInformationClass=FileStandardInformation) = 0",
           u64_of(file), name, (unsigned)iosb.information,
           (unsigned long long)standard.allocated.QuadPart,
           (unsigned)sizeof text - 1);

    at.QuadPart = 3;
    s = NtSetInformationFile(file, &iosb, &at, sizeof at, 14);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtSetInformationFile(FileHandle=0x%llx<%s>, IoStatusBlock=*, "
           "FileInformation={CurrentByteOffset=3}, Length=8, "
           "FileInformationClass=FilePositionInformation) = 0",
           u64_of(file), name);

    /* Too small: what would have been filled is an address. */
    s = NtQueryInformationFile(file, &iosb, &basic, 8, 4);
    CHECK(s == STATUS_LENGTH);
    expect("NEXT", tid,
           "NtQueryInformationFile(FileHandle=0x%llx<%s>, IoStatusBlock=0x%llx,"
           " FileInformation=0x%llx, Length=8, "
           "FileInformationClass=FileBasicInformation) = 0xc0000004 "
           "STATUS_INFO_LENGTH_MISMATCH",
           u64_of(file), name, u64_of(&iosb), u64_of(&basic));

    /* Below a root handle. */
    whole = name_of(folder);
    s = NtOpenFile(&directory, FILE_LIST_DIRECTORY | SYNCHRONIZE, &attributes,
                   &iosb, FILE_SHARE_READ | FILE_SHARE_WRITE,
                   1 | SYNCHRONOUS /* FILE_DIRECTORY_FILE */);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtOpenFile(FileHandle=[0x%llx], DesiredAccess=*SYNCHRONIZE*, "
           "ObjectAttributes={ObjectName=\"%s\", "
           "Attributes=OBJ_CASE_INSENSITIVE}, IoStatusBlock={Status=0, "
           "Information=FILE_OPENED}, "
           "ShareAccess=FILE_SHARE_READ|FILE_SHARE_WRITE, "
           "OpenOptions=FILE_DIRECTORY_FILE|FILE_SYNCHRONOUS_IO_NONALERT) = 0",
           u64_of(directory), folder_text);
    below.root = directory;
    s = NtOpenFile(&again, FILE_READ_ATTRIBUTES, &below, &iosb,
                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, 0);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtOpenFile(FileHandle=[0x%llx], DesiredAccess=FILE_READ_ATTRIBUTES,"
           " ObjectAttributes={RootDirectory=0x%llx<%s>, "
           "ObjectName=\"ntstrace files.tmp\", Attributes=0}, "
           "IoStatusBlock={Status=0, Information=FILE_OPENED}, "
           "ShareAccess=FILE_SHARE_READ|FILE_SHARE_WRITE|FILE_SHARE_DELETE, "
           "OpenOptions=0) = 0",
           u64_of(again), u64_of(directory), folder_text);
    CHECK(NtClose(again) == 0);
    expect("NEXT", tid, "NtClose(Handle=0x%llx<%s>) = 0", u64_of(again), name);

    below.name = &missing;
    s = NtQueryAttributesFile(&below, &basic);
    CHECK(s == (NTSTATUS)0xc0000034);
    expect("NEXT", tid,
           "NtQueryAttributesFile(ObjectAttributes={RootDirectory=0x%llx<%s>, "
           "ObjectName=\"ntstrace none.tmp\", Attributes=0}, "
           "FileInformation=0x%llx) = 0xc0000034 STATUS_OBJECT_NAME_NOT_FOUND",
           u64_of(directory), folder_text, u64_of(&basic));

    CHECK(NtClose(file) == 0);
    expect("NEXT", tid, "NtClose(Handle=0x%llx<%s>) = 0", u64_of(file), name);
    /* A handle that is closed has no name any more. */
    CHECK(NtClose(file) == STATUS_BAD_HANDLE);
    expect("NEXT", tid,
           "NtClose(Handle=0x%llx) = 0xc0000008 STATUS_INVALID_HANDLE",
           u64_of(file));

    below.name = &leaf;
    s = NtDeleteFile(&below);
    CHECK(s == 0);
    expect("SEQ", tid,
           "NtDeleteFile(ObjectAttributes={RootDirectory=0x%llx<%s>, "
           "ObjectName=\"ntstrace files.tmp\", Attributes=0}) = 0",
           u64_of(directory), folder_text);
    CHECK(NtClose(directory) == 0);
    return target_end();
}
