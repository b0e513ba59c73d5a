/* SPDX-License-Identifier: MIT */
/*
 * paths - calls on a few files and keys, through all sorts of handles.
 *
 *   paths start COMMAND...   makes the files, runs COMMAND with an inherited
 *                            handle to one of them, takes them away
 *   paths run                makes the calls; COMMAND comes to that
 *
 * `run` prints, in their order, the calls that are about one of the objects,
 * and of which (there may be more):
 *
 *   WANT NAME OBJECT...
 *
 * The objects: file (C:\ntstrace paths\watched.txt), folder, other (files
 * beside it whose names only look like its), machine and user (the keys
 * Software\ntstrace paths of HKEY_LOCAL_MACHINE and HKEY_CURRENT_USER). Their
 * handles have the same values one after the other.
 */
#include "launch.h"
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtCreateKey(HANDLE *, ACCESS_MASK,
                                    const struct nt_attributes *, ULONG,
                                    const struct nt_name *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtOpenKey(HANDLE *, ACCESS_MASK,
                                  const struct nt_attributes *);
NTSYSAPI NTSTATUS NTAPI NtOpenKeyEx(HANDLE *, ACCESS_MASK,
                                    const struct nt_attributes *, ULONG);
NTSYSAPI NTSTATUS NTAPI NtDeleteKey(HANDLE);
NTSYSAPI NTSTATUS NTAPI NtQueryValueKey(HANDLE, const struct nt_name *, int,
                                        void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtEnumerateKey(HANDLE, ULONG, int, void *, ULONG,
                                       ULONG *);
NTSYSAPI NTSTATUS NTAPI NtQueryAttributesFile(const struct nt_attributes *,
                                              void *);
NTSYSAPI NTSTATUS NTAPI NtQueryFullAttributesFile(const struct nt_attributes *,
                                                  void *);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationFile(HANDLE, struct nt_iosb *, void *,
                                               ULONG, int);
NTSYSAPI NTSTATUS NTAPI NtDuplicateObject(HANDLE, HANDLE, HANDLE, HANDLE *,
                                          ACCESS_MASK, ULONG, ULONG);
NTSYSAPI NTSTATUS NTAPI NtCreateSection(HANDLE *, ACCESS_MASK,
                                        const struct nt_attributes *,
                                        const LARGE_INTEGER *, ULONG, ULONG,
                                        HANDLE);
NTSYSAPI NTSTATUS NTAPI NtMapViewOfSection(HANDLE, HANDLE, void **, ULONG_PTR,
                                           SIZE_T, const LARGE_INTEGER *,
                                           SIZE_T *, int, ULONG, ULONG);
NTSYSAPI NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE, void *);
NTSYSAPI NTSTATUS NTAPI NtQuerySection(HANDLE, int, void *, SIZE_T, SIZE_T *);
NTSYSAPI NTSTATUS NTAPI RtlFormatCurrentUserKeyPath(struct nt_name *);

#define FOLDER L"C:\\ntstrace paths"
#define NT_FOLDER L"\\??\\" FOLDER
#define LEAF L"watched.txt"
#define KEY L"Software\\ntstrace paths"
#define VARIABLE L"NTSTRACE_PATHS_HANDLE"

#define READ (GENERIC_READ | SYNCHRONIZE)
#define SYNCHRONOUS 0x20
#define NOCASE 0x40
#define SAME_ACCESS 2
#define CLOSE_SOURCE 1

/* --- telling; nothing is printed before the end --- */

static char wanted[1 << 16];
static size_t wanted_size;

static void want(const char *call, const char *objects)
{
    wanted_size +=
        (size_t)snprintf(wanted + wanted_size, sizeof wanted - wanted_size,
                         "WANT %s %s\n", call, objects);
}

/* --- the calls --- */

static uint64_t room[64];

static HANDLE open_file(HANDLE root, const WCHAR *text, ULONG options,
                        const char *object)
{
    struct nt_name name = { (USHORT)(wcslen(text) * 2),
                            (USHORT)(wcslen(text) * 2), text };
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    struct nt_iosb iosb;
    HANDLE file = NULL;

    attributes.root = root;
    attributes.attributes = NOCASE;
    NtOpenFile(&file, READ, &attributes, &iosb, 7, options);
    want("NtOpenFile", object);
    return file;
}

static void read_file(HANDLE file, const char *object)
{
    static const LARGE_INTEGER start;
    struct nt_iosb iosb;

    CHECK(NtReadFile(file, NULL, NULL, NULL, &iosb, room, 4, &start, NULL) ==
          0);
    want("NtReadFile", object);
}

static void close_it(HANDLE handle, const char *object)
{
    CHECK(NtClose(handle) == 0);
    want("NtClose", object);
}

static HANDLE copy(HANDLE handle, ULONG options, const char *object)
{
    HANDLE made = NULL;

    CHECK(NtDuplicateObject(THIS_PROCESS, handle, THIS_PROCESS, &made, 0, 0,
                            options | SAME_ACCESS) == 0);
    want("NtDuplicateObject", object);
    return made;
}

static void inherited(void)
{
    WCHAR text[20] = L"";
    HANDLE file;

    GetEnvironmentVariableW(VARIABLE, text, COUNT_OF(text));
    file = (HANDLE)(uintptr_t)_wcstoui64(text, NULL, 10);
    read_file(file, "file");
    close_it(file, "file");
}

static void by_name(void)
{
    struct nt_name name = NT_NAME(L"\\??\\c:\\NTSTRACE PATHS\\Watched.TXT");
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    struct nt_iosb iosb;
    HANDLE file, other;

    attributes.attributes = NOCASE;
    CHECK(NtCreateFile(&file, READ, &attributes, &iosb, NULL, 0, 7, 1,
                       SYNCHRONOUS, NULL, 0) == 0);
    want("NtCreateFile", "file");
    read_file(file, "file");
    CHECK(NtQueryInformationFile(file, &iosb, room, 24, 5) == 0);
    want("NtQueryInformationFile", "file");
    CHECK(NtQueryAttributesFile(&attributes, room) == 0);
    want("NtQueryAttributesFile", "file");
    close_it(file, "file");

    /* The same handle, of another file. */
    other =
        open_file(NULL, NT_FOLDER L"\\watched.txt.bak", SYNCHRONOUS, "other");
    CHECK(other == file);
    read_file(other, "other");
    close_it(other, "other");
    other = open_file(NULL, NT_FOLDER L"\\atched.txt", SYNCHRONOUS, "other");
    read_file(other, "other");
    close_it(other, "other");

    /* Failed: it is no directory; it has no such thing below. */
    file = open_file(NULL, NT_FOLDER L"\\" LEAF, SYNCHRONOUS | 1, "file");
    CHECK(file == NULL);
    file = open_file(NULL, NT_FOLDER L"\\" LEAF L"\\none", SYNCHRONOUS, "none");
    CHECK(file == NULL);
}

static void below_a_root(void)
{
    struct nt_name name = NT_NAME(LEAF);
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    HANDLE folder = open_file(NULL, NT_FOLDER, SYNCHRONOUS | 1, "folder");
    HANDLE file = open_file(folder, LEAF, SYNCHRONOUS, "file");
    HANDLE other, again;

    attributes.root = folder;
    attributes.attributes = NOCASE;
    read_file(file, "file");
    other = open_file(folder, L"watched.txt.bak", SYNCHRONOUS, "other");
    read_file(other, "other");
    CHECK(open_file(folder, L"none", SYNCHRONOUS, "none") == NULL);
    again = open_file(folder, L"", SYNCHRONOUS | 1, "folder");
    close_it(again, "folder");
    /* Wine looks for it in the wrong place and fails; it is a call on it. */
    NtQueryFullAttributesFile(&attributes, room);
    want("NtQueryFullAttributesFile", "file");
    close_it(folder, "folder");
    close_it(file, "file");
    close_it(other, "other");
}

static void copied(void)
{
    HANDLE file = open_file(NULL, NT_FOLDER L"\\" LEAF, SYNCHRONOUS, "file");
    HANDLE second = copy(file, 0, "file"), third;

    close_it(file, "file");
    read_file(second, "file");
    third = copy(second, CLOSE_SOURCE, "file");
    read_file(third, "file");
    close_it(third, "file");
}

static void section(void)
{
    HANDLE file = open_file(NULL, NT_FOLDER L"\\" LEAF, SYNCHRONOUS, "file");
    HANDLE mapped = NULL, plain = NULL;
    void *view = NULL;
    SIZE_T size = 0;
    LARGE_INTEGER large = { .QuadPart = 65536 };

    CHECK(NtCreateSection(&mapped, SECTION_MAP_READ | SECTION_QUERY, NULL, NULL,
                          PAGE_READONLY, SEC_COMMIT, file) == 0);
    want("NtCreateSection", "file");
    close_it(file, "file");
    CHECK(NtMapViewOfSection(mapped, THIS_PROCESS, &view, 0, 0, NULL, &size, 1,
                             0, PAGE_READONLY) == 0);
    want("NtMapViewOfSection", "file");
    CHECK(memcmp(view, "0123", 4) == 0);
    CHECK(NtUnmapViewOfSection(THIS_PROCESS, view) == 0);
    CHECK(NtQuerySection(mapped, 0, room, 24, NULL) == 0);
    want("NtQuerySection", "file");
    close_it(mapped, "file");
    CHECK(NtCreateSection(&plain, SECTION_ALL_ACCESS, NULL, &large,
                          PAGE_READWRITE, SEC_COMMIT, NULL) == 0);
    CHECK(plain != NULL);
    close_it(plain, "none");
}

static DWORD WINAPI in_a_thread(void *file)
{
    read_file(file, "file");
    return 0;
}

static void waits(void)
{
    static const LARGE_INTEGER now = { .QuadPart = 0 };
    HANDLE file = open_file(NULL, NT_FOLDER L"\\" LEAF, SYNCHRONOUS, "file");
    HANDLE event = CreateEventW(NULL, TRUE, TRUE, NULL);
    HANDLE both[2] = { event, file };
    HANDLE thread;

    NtWaitForMultipleObjects(2, both, 1, FALSE, &now);
    want("NtWaitForMultipleObjects", "file");
    NtWaitForMultipleObjects(1, both, 1, FALSE, &now);
    NtWaitForSingleObject(file, FALSE, &now);
    want("NtWaitForSingleObject", "file");
    thread = CreateThread(NULL, 0, in_a_thread, file, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    close_it(file, "file");
}

static void key_at(HANDLE root, const WCHAR *text, size_t units,
                   const char *object)
{
    struct nt_name name = { (USHORT)(units * 2), (USHORT)(units * 2), text };
    struct nt_name below = NT_NAME(L"below"), value = NT_NAME(L"a value");
    struct nt_name empty = NT_NAME(L"");
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    HANDLE key, second, third;
    ULONG got = 0;

    attributes.root = root;
    attributes.attributes = NOCASE;
    CHECK(NtCreateKey(&key, KEY_ALL_ACCESS, &attributes, 0, NULL, 1, NULL) ==
          0);
    want("NtCreateKey", object);
    CHECK(NtSetValueKey(key, &value, 0, REG_DWORD, &got, 4) == 0);
    want("NtSetValueKey", object);
    attributes.root = key;
    attributes.name = &below;
    CHECK(NtCreateKey(&second, KEY_ALL_ACCESS, &attributes, 0, NULL, 1, NULL) ==
          0);
    want("NtCreateKey", "none");
    CHECK(NtEnumerateKey(key, 0, 0, room, sizeof room, &got) == 0);
    want("NtEnumerateKey", object);
    CHECK(NtDeleteKey(second) == 0);
    want("NtDeleteKey", "none");
    close_it(second, "none");
    attributes.name = &empty;
    CHECK(NtOpenKeyEx(&second, KEY_READ, &attributes, 0) == 0);
    want("NtOpenKeyEx", object);
    third = copy(second, CLOSE_SOURCE, object);
    CHECK(NtQueryValueKey(third, &value, 2, room, sizeof room, &got) == 0);
    want("NtQueryValueKey", object);
    close_it(third, object);
    CHECK(NtDeleteKey(key) == 0);
    want("NtDeleteKey", object);
    close_it(key, object);
    attributes.root = root;
    attributes.name = &name;
    CHECK(NtOpenKey(&key, KEY_READ, &attributes) != 0);
    want("NtOpenKey", object);
}

static void keys(void)
{
    static const WCHAR machine[] = L"\\Registry\\Machine\\" KEY;
    static const WCHAR upper[] = L"NTSTRACE PATHS";
    struct nt_name software = NT_NAME(L"\\Registry\\Machine\\Software");
    struct nt_attributes attributes = NT_ATTRIBUTES(&software);
    struct nt_name user;
    WCHAR text[300];
    HANDLE root;

    key_at(NULL, machine, wcslen(machine), "machine");
    key_at(NULL, L"\\Registry\\Machine\\" KEY L" 2", wcslen(machine) + 2,
           "none");
    attributes.attributes = NOCASE;
    CHECK(NtOpenKey(&root, KEY_ALL_ACCESS, &attributes) == 0);
    key_at(root, upper, wcslen(upper), "machine");
    close_it(root, "none");

    CHECK(RtlFormatCurrentUserKeyPath(&user) == 0);
    _snwprintf(text, COUNT_OF(text), L"%.*s\\" KEY, (int)(user.length / 2),
               user.text);
    key_at(NULL, text, wcslen(text), "user");
}

static int run(void)
{
    target_begin();
    inherited();
    by_name();
    below_a_root();
    copied();
    section();
    waits();
    keys();
    fwrite(wanted, 1, wanted_size, stdout);
    return target_bad != 0;
}

/* --- the files, and who hands one on --- */

static void make(const WCHAR *path)
{
    HANDLE file =
        CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    DWORD size = 0;

    if (!WriteFile(file, "0123456789", 10, &size, NULL)) {
        launch_fail("a file");
    }
    CloseHandle(file);
}

static int start(void)
{
    static const WCHAR *const names[] = { FOLDER L"\\" LEAF,
                                          FOLDER L"\\" LEAF L".bak",
                                          FOLDER L"\\atched.txt" };
    SECURITY_ATTRIBUTES inherit = { sizeof inherit, NULL, TRUE };
    PROCESS_INFORMATION child;
    HANDLE file;
    WCHAR text[20];
    DWORD status;

    CreateDirectoryW(FOLDER, NULL);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        make(names[i]);
    }
    file = CreateFileW(names[0], GENERIC_READ, 7, &inherit, OPEN_EXISTING, 0,
                       NULL);
    _snwprintf(text, COUNT_OF(text), L"%llu", u64_of(file));
    SetEnvironmentVariableW(VARIABLE, text);
    child = launch(launch_tail(2), NULL, NULL);
    status = launch_status(child);
    CloseHandle(file);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        DeleteFileW(names[i]);
    }
    RemoveDirectoryW(FOLDER);
    return (int)status;
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "run") == 0) {
        return run();
    }
    if (count > 2 && strcmp(words[1], "start") == 0) {
        return start();
    }
    fprintf(stderr, "usage: paths run | start COMMAND...\n");
    return 99;
}
