/* SPDX-License-Identifier: MIT */
/*
 * listing - a folder and what is asked about it: listings by class, renaming,
 * links, deletion, the volume, control codes with and without a name.
 *
 * Which files a folder lists first is the file system's choice: what is
 * expected holds for each order.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE, struct nt_iosb *,
                                                     void *, ULONG, int);
NTSYSAPI NTSTATUS NTAPI NtSetInformationFile(HANDLE, struct nt_iosb *,
                                             const void *, ULONG, int);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationFile(HANDLE, struct nt_iosb *, void *,
                                               ULONG, int);
NTSYSAPI NTSTATUS NTAPI NtFsControlFile(HANDLE, HANDLE, void *, void *,
                                        struct nt_iosb *, ULONG, const void *,
                                        ULONG, void *, ULONG);
NTSYSAPI NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE, HANDLE, void *, void *,
                                              struct nt_iosb *, ULONG,
                                              const void *, ULONG, void *,
                                              ULONG);
NTSYSAPI NTSTATUS NTAPI NtDeleteFile(const struct nt_attributes *);

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define DIRECTORY_SYNCHRONOUS 0x21
#define SYNCHRONOUS 0x20

static struct nt_iosb iosb;
static char room[4096] __attribute__((aligned(8)));
static HANDLE folder;
static char folder_name[600];
static DWORD tid;

static struct nt_name name_of(const WCHAR *text)
{
    USHORT size = (USHORT)(wcslen(text) * sizeof *text);

    return (struct nt_name){ size, size, text };
}

static HANDLE opened(const WCHAR *leaf, ACCESS_MASK access, ULONG disposition)
{
    struct nt_name name = name_of(leaf);
    struct nt_attributes below = NT_ATTRIBUTES(&name);
    HANDLE file = NULL;

    below.root = folder;
    CHECK(NtCreateFile(&file, access | SYNCHRONIZE, &below, &iosb, NULL,
                       FILE_ATTRIBUTE_NORMAL, SHARE_ALL, disposition,
                       SYNCHRONOUS, NULL, 0) == 0);
    return file;
}

static void listings(void)
{
    static const struct {
        int number;
        const char *name;
        bool names_only;
    } classes[] = {
        { 1, "FileDirectoryInformation", false },
        { 2, "FileFullDirectoryInformation", false },
        { 3, "FileBothDirectoryInformation", false },
        { 12, "FileNamesInformation", true },
        { 37, "FileIdBothDirectoryInformation", false },
        { 38, "FileIdFullDirectoryInformation", false },
    };
    struct nt_name pattern = NT_NAME(L"caret*");
    NTSTATUS s;

    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        const char *folder_facts =
            "EndOfFile=0, FileAttributes=FILE_ATTRIBUTE_DIRECTORY, ";

        s = NtQueryDirectoryFile(folder, NULL, NULL, NULL, &iosb, room,
                                 sizeof room, classes[i].number, FALSE, NULL,
                                 TRUE);
        CHECK(s == 0);
        if (classes[i].names_only) {
            folder_facts = "";
        }
        expect("NEXT", tid,
               "NtQueryDirectoryFile(FileHandle=0x%llx<%s>, Event=NULL, "
               "ApcRoutine=NULL, ApcContext=NULL, IoStatusBlock={Status=0, "
               "Information=%u}, FileInformation=[{%sFileName=\".\"}, "
               "{%sFileName=\"..\"}, {%s*FileName=\"caret^^{1B}\"}*], "
               "Length=4096, FileInformationClass=%s, "
               "ReturnSingleEntry=FALSE, FileName=NULL, RestartScan=TRUE) = 0",
               u64_of(folder), folder_name, (unsigned)iosb.information,
               folder_facts, folder_facts,
               classes[i].names_only ? "" : "EndOfFile=*, FileAttributes=",
               classes[i].name);
    }
    s = NtQueryDirectoryFile(folder, NULL, NULL, NULL, &iosb, room, sizeof room,
                             12, TRUE, &pattern, TRUE);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtQueryDirectoryFile(FileHandle=0x%llx<%s>, *FileInformation=[{"
           "FileName=\"*\"}], Length=4096, "
           "FileInformationClass=FileNamesInformation, ReturnSingleEntry=TRUE, "
           "FileName=\"caret*\", RestartScan=TRUE) = 0",
           u64_of(folder), folder_name);
    while (NtQueryDirectoryFile(folder, NULL, NULL, NULL, &iosb, room,
                                sizeof room, 12, FALSE, NULL, FALSE) == 0) {
    }
    s = NtQueryDirectoryFile(folder, NULL, NULL, NULL, &iosb, room, sizeof room,
                             12, FALSE, NULL, FALSE);
    CHECK(s == (NTSTATUS)0x80000006);
    expect("SEQ", tid,
           "NtQueryDirectoryFile(FileHandle=0x%llx<%s>, Event=NULL, "
           "ApcRoutine=NULL, ApcContext=NULL, IoStatusBlock=0x%llx, "
           "FileInformation=0x%llx, Length=4096, "
           "FileInformationClass=FileNamesInformation, "
           "ReturnSingleEntry=FALSE, FileName=NULL, RestartScan=FALSE) = "
           "0x80000006 STATUS_NO_MORE_FILES",
           u64_of(folder), folder_name, u64_of(&iosb), u64_of(room));
}

static void volume(void)
{
    struct {
        LARGE_INTEGER total, available;
        ULONG sectors, bytes;
    } size;
    struct {
        ULONG type, characteristics;
    } device;
    struct {
        LARGE_INTEGER created;
        ULONG serial, label_length;
        BOOLEAN objects;
        WCHAR label[100];
    } label;
    NTSTATUS s;

    s = NtQueryVolumeInformationFile(folder, &iosb, &label, sizeof label, 1);
    CHECK(s == 0);
    expect("SEQ", tid,
           "NtQueryVolumeInformationFile(FileHandle=0x%llx<%s>, "
           "IoStatusBlock={Status=0, Information=%u}, "
           "FsInformation={VolumeCreationTime=*, VolumeSerialNumber=%lu, "
           "SupportsObjects=%s, VolumeLabel=\"%.*ls\"}, Length=%u, "
           "FsInformationClass=FileFsVolumeInformation) = 0",
           u64_of(folder), folder_name, (unsigned)iosb.information,
           (unsigned long)label.serial, label.objects ? "TRUE" : "FALSE",
           (int)(label.label_length / 2), label.label, (unsigned)sizeof label);

    s = NtQueryVolumeInformationFile(folder, &iosb, &size, sizeof size, 3);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtQueryVolumeInformationFile(FileHandle=0x%llx<%s>, "
           "IoStatusBlock={Status=0, Information=24}, "
           "FsInformation={TotalAllocationUnits=%llu, "
           "AvailableAllocationUnits=%llu, SectorsPerAllocationUnit=%lu, "
           "BytesPerSector=%lu}, Length=24, "
           "FsInformationClass=FileFsSizeInformation) = 0",
           u64_of(folder), folder_name, (unsigned long long)size.total.QuadPart,
           (unsigned long long)size.available.QuadPart,
           (unsigned long)size.sectors, (unsigned long)size.bytes);

    s = NtQueryVolumeInformationFile(folder, &iosb, &device, sizeof device, 4);
    CHECK(s == 0 && (device.type == 7 || device.type == 8));
    expect("NEXT", tid,
           "NtQueryVolumeInformationFile(FileHandle=0x%llx<%s>, "
           "IoStatusBlock={Status=0, Information=8}, "
           "FsInformation={DeviceType=%s, Characteristics=*}, Length=8, "
           "FsInformationClass=FileFsDeviceInformation) = 0",
           u64_of(folder), folder_name,
           device.type == 7 ? "FILE_DEVICE_DISK"
                            : "FILE_DEVICE_DISK_FILE_SYSTEM");

    s = NtQueryVolumeInformationFile(folder, &iosb, room, sizeof room, 5);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtQueryVolumeInformationFile(FileHandle=0x%llx<%s>, "
           "IoStatusBlock={Status=0, Information=%u}, "
           "FsInformation={FileSystemAttributes=*FILE_*, "
           "MaximumComponentNameLength=%lu, FileSystemName=\"%.*ls\"}, "
           "Length=4096, FsInformationClass=FileFsAttributeInformation) = 0",
           u64_of(folder), folder_name, (unsigned)iosb.information,
           (unsigned long)((ULONG *)(void *)room)[1],
           (int)(((ULONG *)(void *)room)[2] / 2), (WCHAR *)(void *)(room + 12));

    s = NtQueryVolumeInformationFile(folder, &iosb, room, sizeof room, 99);
    CHECK(s < 0);
    expect("NEXT", tid,
           "NtQueryVolumeInformationFile(FileHandle=0x%llx<%s>, "
           "IoStatusBlock=0x%llx, FsInformation=0x%llx, Length=4096, "
           "FsInformationClass=0x63) = %s",
           u64_of(folder), folder_name, u64_of(&iosb), u64_of(room),
           result_text(s));
}

/* FILE_RENAME_INFORMATION and FILE_LINK_INFORMATION */
struct new_name {
    ULONG flags;
    HANDLE root;
    ULONG length;
    WCHAR text[20];
};

static void names(void)
{
    static const struct {
        int number;
        const WCHAR *name;
        ULONG flags;
        const char *shown;
        const char *class_name;
        bool renames;
    } steps[] = {
        { 10, L"second.txt", 1, "ReplaceIfExists=TRUE", "FileRenameInformation",
          true },
        { 65, L"third.txt", 3,
          "Flags=FILE_RENAME_REPLACE_IF_EXISTS|FILE_RENAME_POSIX_SEMANTICS",
          "FileRenameInformationEx", true },
        { 11, L"link ^.txt", 0, "ReplaceIfExists=FALSE", "FileLinkInformation",
          false },
        { 72, L"link ^.txt", 1, "Flags=FILE_LINK_REPLACE_IF_EXISTS",
          "FileLinkInformationEx", false },
    };
    HANDLE file = opened(L"first.txt", GENERIC_READ | DELETE, 3);
    char shown[40];
    uint64_t id = 0;
    ULONG flags = 3;
    BOOLEAN yes = TRUE;
    NTSTATUS s;

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct new_name new = { steps[i].flags, folder, 0, L"" };
        unsigned size;
        const char *target = "link ^^.txt";

        new.length = (ULONG)(wcslen(steps[i].name) * sizeof(WCHAR));
        wcscpy(new.text, steps[i].name);
        size = (unsigned)(offsetof(struct new_name, text) + new.length);
        s = NtSetInformationFile(file, &iosb, &new, size, steps[i].number);
        CHECK(s == 0);
        if (steps[i].renames) {
            snprintf(shown, sizeof shown, "%ls", steps[i].name);
            target = shown;
        }
        /* Who watches the handle knows the file's new name from now on. */
        expect("SEQ", tid,
               "NtSetInformationFile(FileHandle=0x%llx<%s\\*>, "
               "IoStatusBlock={Status=0, Information=*}, FileInformation={%s, "
               "RootDirectory=0x%llx<%s>, FileName=\"%s\"}, Length=%u, "
               "FileInformationClass=%s) = 0",
               u64_of(file), folder_name, steps[i].shown, u64_of(folder),
               folder_name, target, size, steps[i].class_name);
    }

    s = NtQueryInformationFile(file, &iosb, &id, sizeof id, 6);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtQueryInformationFile(FileHandle=0x%llx<%s\\third.txt>, "
           "IoStatusBlock={Status=0, Information=8}, "
           "FileInformation={IndexNumber=%llu}, Length=8, "
           "FileInformationClass=FileInternalInformation) = 0",
           u64_of(file), folder_name, (unsigned long long)id);
    s = NtQueryInformationFile(file, &iosb, room, sizeof room, 9);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtQueryInformationFile(FileHandle=0x%llx<%s\\third.txt>, "
           "IoStatusBlock={Status=0, Information=%u}, "
           "FileInformation={FileName=\"*\\third.txt\"}, Length=4096, "
           "FileInformationClass=FileNameInformation) = 0",
           u64_of(file), folder_name, (unsigned)iosb.information);
    s = NtQueryInformationFile(file, &iosb, room, 4, 8);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtQueryInformationFile(FileHandle=0x%llx<%s\\third.txt>, "
           "IoStatusBlock={Status=0, Information=4}, "
           "FileInformation={AccessFlags=FILE_GENERIC_READ|DELETE}, Length=4, "
           "FileInformationClass=FileAccessInformation) = 0",
           u64_of(file), folder_name);

    s = NtSetInformationFile(file, &iosb, &flags, sizeof flags, 64);
    expect("NEXT", tid,
           "NtSetInformationFile(FileHandle=0x%llx<%s\\third.txt>, "
           "IoStatusBlock=*, FileInformation={Flags=FILE_DISPOSITION_DELETE|"
           "FILE_DISPOSITION_POSIX_SEMANTICS}, Length=4, "
           "FileInformationClass=FileDispositionInformationEx) = %s",
           u64_of(file), folder_name, result_text(s));
    s = NtSetInformationFile(file, &iosb, &yes, sizeof yes, 13);
    expect("NEXT", tid,
           "NtSetInformationFile(FileHandle=0x%llx<%s\\third.txt>, "
           "IoStatusBlock=*, FileInformation={DeleteFile=TRUE}, Length=1, "
           "FileInformationClass=FileDispositionInformation) = %s",
           u64_of(file), folder_name, result_text(s));
    CHECK(NtClose(file) == 0);
    expect("NEXT", tid, "NtClose(Handle=0x%llx<%s\\third.txt>) = 0",
           u64_of(file), folder_name);
}

/* By name, and by its parts if no table has it. Results are the file
 * system's business. */
static void codes(void)
{
    static const struct {
        ULONG code;
        const char *shown;
    } fs[] = {
        { 0x900a8, "FSCTL_GET_REPARSE_POINT" },
        { 0x9003c, "FSCTL_GET_COMPRESSION" },
        { 0x9c0c4, "0x9c0c4 /* FILE_DEVICE_FILE_SYSTEM, function 0x31, "
                   "METHOD_BUFFERED, FILE_READ_ACCESS|FILE_WRITE_ACCESS */" },
        { 0x81236517, "0x81236517 /* 0x8123, function 0x945, METHOD_NEITHER, "
                      "FILE_READ_ACCESS */" },
    };
    static const ULONG query[3];
    HANDLE file = opened(L"caret^{1B}", GENERIC_READ, 3);
    NTSTATUS s;

    for (size_t i = 0; i < COUNT_OF(fs); i++) {
        bool in = i >= 2;
        char input[40] = "NULL";

        s = NtFsControlFile(file, NULL, NULL, NULL, &iosb, fs[i].code,
                            in ? "abcd\xff" : NULL, in ? 5 : 0, room, 64);
        CHECK(s < 0);
        if (in) {
            strcpy(input, "b\"abcd\\xff\"");
        }
        expect(
            "SEQ", tid,
            "NtFsControlFile(FileHandle=0x%llx<%s\\caret^^{1B}>, Event=NULL, "
            "ApcRoutine=NULL, ApcContext=NULL, IoStatusBlock=0x%llx, "
            "FsControlCode=%s, InputBuffer=%s, InputBufferLength=%d, "
            "OutputBuffer=0x%llx, OutputBufferLength=64) = %s",
            u64_of(file), folder_name, u64_of(&iosb), fs[i].shown, input,
            in ? 5 : 0, u64_of(room), result_text(s));
    }
    s = NtDeviceIoControlFile(file, NULL, NULL, NULL, &iosb, 0x2d1400, query,
                              sizeof query, room, sizeof room);
    CHECK(s < 0);
    expect("NEXT", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<%s\\caret^^{1B}>, *"
           "IoControlCode=IOCTL_STORAGE_QUERY_PROPERTY, "
           "InputBuffer={PropertyId=StorageDeviceProperty, "
           "QueryType=PropertyStandardQuery}, InputBufferLength=12, "
           "OutputBuffer=0x%llx, OutputBufferLength=4096) = %s",
           u64_of(file), folder_name, u64_of(room), result_text(s));
    CHECK(NtClose(file) == 0);
}

static void removed(const WCHAR *leaf)
{
    struct nt_name name = name_of(leaf);
    struct nt_attributes below = NT_ATTRIBUTES(&name);

    below.root = folder;
    NtDeleteFile(&below);
}

int main(void)
{
    static const WCHAR *const leaves[] = { L"caret^{1B}", L"first.txt",
                                           L"second.txt", L"third.txt",
                                           L"link ^.txt" };
    WCHAR temp[MAX_PATH], path[MAX_PATH + 40];
    struct nt_name name;
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);

    target_begin();
    tid = GetCurrentThreadId();
    GetTempPathW(MAX_PATH, temp);
    _snwprintf(path, COUNT_OF(path), L"\\??\\%sntstrace listing.%lu", temp,
               (unsigned long)GetCurrentProcessId());
    WideCharToMultiByte(CP_UTF8, 0, path, -1, folder_name, sizeof folder_name,
                        NULL, NULL);
    name = name_of(path);
    attributes.attributes = 0x40; /* OBJ_CASE_INSENSITIVE */
    CHECK(NtCreateFile(&folder, FILE_LIST_DIRECTORY | SYNCHRONIZE, &attributes,
                       &iosb, NULL, FILE_ATTRIBUTE_NORMAL, SHARE_ALL, 3,
                       DIRECTORY_SYNCHRONOUS, NULL, 0) == 0);
    CHECK(NtClose(opened(L"caret^{1B}", GENERIC_WRITE, 3)) == 0);
    expect("SEQ", tid, "NtClose(Handle=@<%s\\caret^^{1B}>) = 0", folder_name);

    listings();
    volume();
    names();
    codes();
    for (size_t i = 0; i < COUNT_OF(leaves); i++) {
        removed(leaves[i]);
    }
    NtClose(folder);
    NtDeleteFile(&attributes);
    return target_end();
}
