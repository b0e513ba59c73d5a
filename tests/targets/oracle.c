/* SPDX-License-Identifier: MIT */
/*
 * oracle - opens, creates, asks for and deletes files and keys in all sorts of
 * ways, between two opens of a key whose name marks begin and end. What it got
 * back it prints afterwards, a line a call:
 *
 *   NUMBER STATUS opened|-
 *
 * tests/check-oracle holds this, Wine's own log and our trace against each
 * other; it has no expectation of its own. Names that stand in the list below
 * are the whole input: nothing depends on what was there before, if a run that
 * was broken off left something in its folder it is taken away first.
 */
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtCreateKey(HANDLE *, ACCESS_MASK,
                                    const struct nt_attributes *, ULONG,
                                    const struct nt_name *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtOpenKey(HANDLE *, ACCESS_MASK,
                                  const struct nt_attributes *);
NTSYSAPI NTSTATUS NTAPI NtOpenKeyEx(HANDLE *, ACCESS_MASK,
                                    const struct nt_attributes *, ULONG);
NTSYSAPI NTSTATUS NTAPI NtDeleteKey(HANDLE);
NTSYSAPI NTSTATUS NTAPI NtDeleteFile(const struct nt_attributes *);
NTSYSAPI NTSTATUS NTAPI NtQueryAttributesFile(const struct nt_attributes *,
                                              void *);
NTSYSAPI NTSTATUS NTAPI NtQueryFullAttributesFile(const struct nt_attributes *,
                                                  void *);

enum verb {
    OPEN_FILE,
    CREATE_FILE,
    QUERY_FILE,
    QUERY_FULL,
    DELETE_FILE,
    OPEN_KEY,
    OPEN_KEY_EX,
    CREATE_KEY,
    DELETE_KEY,  // `root` is the key
    CLOSE,       // `root` is the handle
};

/* Handles that later rows use, as root or to close. */
enum slot {
    NONE,
    FOLDER,
    HELD,
    SOFTWARE,
    OWN,
    BELOW,
    SLOTS,
    BAD
};

#define NOCASE 0x40u
#define CREATE 2u
#define OPEN_OR_CREATE 3u
#define OVERWRITE 4u
#define DIRECTORY 1u
#define NO_DIRECTORY 0x40u
#define READ (GENERIC_READ | SYNCHRONIZE)
#define WRITE (GENERIC_READ | GENERIC_WRITE | DELETE | SYNCHRONIZE)
#define VOLATILE 1u

struct row {
    enum verb verb;
    enum slot root;
    const WCHAR *name;  // NULL: no OBJECT_ATTRIBUTES
    ULONG attributes;
    ACCESS_MASK access;
    ULONG disposition;  // of files
    ULONG options;      // of files and new keys
    ULONG share;
    enum slot keep;  // where the handle goes; NONE: closed at once
};

#define HERE L"\\??\\C:\\ntstrace oracle"
#define MACHINE L"\\Registry\\Machine\\"
#define LONG_80                                                         \
    L"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
    L"0123456789abcdef"

/* Files: verb, root, name, attributes, access, disposition, options, share. */
static const struct row rows[] = {
    /* clang-format off */
    { OPEN_KEY, NONE, MACHINE L"ntstrace oracle begin", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows\\system32\\ntdll.dll", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"\\??\\c:\\WINDOWS\\System32\\NTDLL.DLL", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"\\SystemRoot\\system32\\ntdll.dll", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"\\DosDevices\\C:\\windows\\win.ini", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows\\no such file", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\no such folder\\file", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows\\system32\\ntdll.dll\\below", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"\\??\\Q:\\no such drive", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"C:\\windows\\win.ini", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"win.ini", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"", NOCASE, READ, 0, 0x20, 1, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\", NOCASE, FILE_LIST_DIRECTORY | SYNCHRONIZE, 0, DIRECTORY | 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows", NOCASE, READ, 0, NO_DIRECTORY | 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows\\system32\\ntdll.dll", NOCASE, READ, 0, DIRECTORY | 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows\\x*y", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows\\x?y", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows\\ESC \x1b quote \" caret ^", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\windows\\tab\there", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\??\\C:\\" LONG_80 L"\\" LONG_80 L"\\" LONG_80 L"\\" LONG_80, NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\Device\\Null", NOCASE, READ, 0, 0, 7, NONE },
    { OPEN_FILE, NONE, L"\\Device\\NamedPipe\\", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\??\\pipe\\ntstrace oracle none", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, NONE, L"\\Device\\no such device", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, NONE, NULL, 0, READ, 0, 0x20, 7, NONE },

    { CREATE_FILE, NONE, HERE, NOCASE, READ, CREATE, DIRECTORY | 0x20, 7, FOLDER },
    { CREATE_FILE, NONE, HERE, NOCASE, READ, CREATE, DIRECTORY | 0x20, 7, NONE },
    { CREATE_FILE, NONE, HERE L"\\one", NOCASE, WRITE, CREATE, 0x20, 0, HELD },
    { CREATE_FILE, NONE, HERE L"\\one", NOCASE, WRITE, CREATE, 0x20, 7, NONE },
    { CREATE_FILE, NONE, HERE L"\\one", NOCASE, WRITE, OPEN_OR_CREATE, 0x20, 7, NONE },
    { OPEN_FILE, FOLDER, L"one", NOCASE, READ, 0, 0x20, 7, NONE },
    { CLOSE, HELD, NULL, 0, 0, 0, 0, 0, NONE },
    { OPEN_FILE, FOLDER, L"one", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, FOLDER, L"ONE", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, FOLDER, L"two", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, FOLDER, L"none\\two", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, FOLDER, L"", NOCASE, READ, 0, 0x20, 7, NONE },
    { OPEN_FILE, FOLDER, L"\\??\\C:\\windows\\win.ini", NOCASE, READ, 0, 0x20, 7, NONE },
    { CREATE_FILE, FOLDER, L"two \xe9\x20ac\x4e2d", NOCASE, WRITE, CREATE, 0x20, 7, NONE },
    { CREATE_FILE, FOLDER, L"half \xd83d.", NOCASE, WRITE, CREATE, 0x20, 7, NONE },
    { CREATE_FILE, FOLDER, L"one", NOCASE, WRITE, OVERWRITE, 0x20, 7, NONE },
    { CREATE_FILE, FOLDER, L"none", NOCASE, WRITE, OVERWRITE, 0x20, 7, NONE },
    { CREATE_FILE, FOLDER, L"none", NOCASE, WRITE, 77, 0x20, 7, NONE },
    { OPEN_FILE, BAD, L"one", NOCASE, READ, 0, 0x20, 7, NONE },
    { QUERY_FILE, FOLDER, L"one", NOCASE, 0, 0, 0, 0, NONE },
    { QUERY_FILE, NONE, L"\\??\\C:\\windows\\win.ini", NOCASE, 0, 0, 0, 0, NONE },
    { QUERY_FILE, NONE, L"\\??\\C:\\windows\\no such file", NOCASE, 0, 0, 0, 0, NONE },
    { QUERY_FILE, NONE, L"\\??\\C:\\no such folder\\x", NOCASE, 0, 0, 0, 0, NONE },
    { QUERY_FULL, NONE, L"\\??\\C:\\windows", NOCASE, 0, 0, 0, 0, NONE },
    { QUERY_FULL, NONE, L"\\??\\C:\\windows\\no such file", NOCASE, 0, 0, 0, 0, NONE },
    { DELETE_FILE, FOLDER, L"one", NOCASE, 0, 0, 0, 0, NONE },
    { DELETE_FILE, FOLDER, L"one", NOCASE, 0, 0, 0, 0, NONE },
    { DELETE_FILE, FOLDER, L"two \xe9\x20ac\x4e2d", NOCASE, 0, 0, 0, 0, NONE },
    { DELETE_FILE, FOLDER, L"half \xd83d.", NOCASE, 0, 0, 0, 0, NONE },

    /* Keys: disposition is not used. */
    { OPEN_KEY, NONE, MACHINE L"Software", NOCASE, KEY_READ, 0, 0, 0, SOFTWARE },
    { OPEN_KEY, NONE, L"\\REGISTRY\\machine\\SOFTWARE\\microsoft", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, NONE, MACHINE L"Software\\no such key", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY_EX, NONE, MACHINE L"no such key\\below it", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY_EX, NONE, MACHINE L"Software", NOCASE, KEY_ALL_ACCESS, 0, 4, 0, NONE },
    { OPEN_KEY, NONE, L"Software", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, NONE, L"", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, NONE, L"\\Registry\\no such hive", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, NONE, MACHINE L"Software\\", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, NONE, NULL, 0, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, SOFTWARE, L"Microsoft\\Windows", NOCASE, KEY_QUERY_VALUE, 0, 0, 0, NONE },
    { OPEN_KEY, SOFTWARE, L"no such key", NOCASE, KEY_QUERY_VALUE, 0, 0, 0, NONE },
    { OPEN_KEY, SOFTWARE, L"\\Registry\\Machine", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, SOFTWARE, L"", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, BAD, L"Microsoft", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, FOLDER, L"Microsoft", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_FILE, SOFTWARE, L"Microsoft", NOCASE, READ, 0, 0x20, 7, NONE },
    { CREATE_KEY, SOFTWARE, L"ntstrace oracle", NOCASE, KEY_ALL_ACCESS, 0, VOLATILE, 0, OWN },
    { CREATE_KEY, SOFTWARE, L"Ntstrace Oracle", NOCASE, KEY_ALL_ACCESS, 0, VOLATILE, 0, NONE },
    { CREATE_KEY, OWN, L"quote \" caret ^ tab \t ESC \x1b \xe9\x20ac", NOCASE, KEY_ALL_ACCESS, 0, VOLATILE, 0, BELOW },
    { OPEN_KEY, OWN, L"quote \" caret ^ tab \t ESC \x1b \xe9\x20ac", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { CREATE_KEY, OWN, L"deep\\er", NOCASE, KEY_ALL_ACCESS, 0, VOLATILE, 0, NONE },
    { CREATE_KEY, OWN, L"not volatile", NOCASE, KEY_ALL_ACCESS, 0, 0, 0, NONE },
    { CREATE_KEY, OWN, LONG_80 LONG_80 LONG_80 LONG_80, NOCASE, KEY_ALL_ACCESS, 0, VOLATILE, 0, NONE },
    { DELETE_KEY, BELOW, NULL, 0, 0, 0, 0, 0, NONE },
    { OPEN_KEY, BELOW, L"", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { OPEN_KEY, BELOW, L"x", NOCASE, KEY_READ, 0, 0, 0, NONE },
    { CLOSE, BELOW, NULL, 0, 0, 0, 0, 0, NONE },
    { DELETE_KEY, OWN, NULL, 0, 0, 0, 0, 0, NONE },
    { CLOSE, OWN, NULL, 0, 0, 0, 0, 0, NONE },
    { CLOSE, SOFTWARE, NULL, 0, 0, 0, 0, 0, NONE },
    { CLOSE, FOLDER, NULL, 0, 0, 0, 0, 0, NONE },
    { OPEN_KEY, NONE, MACHINE L"ntstrace oracle end", NOCASE, KEY_READ, 0, 0, 0, NONE },
    /* clang-format on */
};

struct got {
    NTSTATUS status;
    bool opened;
};

static HANDLE slots[SLOTS];

static HANDLE handle_of(enum slot slot)
{
    return slot == BAD ? BAD_HANDLE : slots[slot];
}

static struct got run(const struct row *r)
{
    struct nt_name name = { 0, 0, r->name };
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    const struct nt_attributes *given = r->name != NULL ? &attributes : NULL;
    struct nt_iosb iosb;
    HANDLE out = NULL;
    uint64_t room[16];
    ULONG disposition;
    struct got got = { 0 };

    if (r->name != NULL) {
        name.length = name.room = (USHORT)(wcslen(r->name) * sizeof(WCHAR));
    }
    attributes.attributes = r->attributes;
    attributes.root = handle_of(r->root);
    switch (r->verb) {
    case OPEN_FILE:
        got.status =
            NtOpenFile(&out, r->access, given, &iosb, r->share, r->options);
        break;
    case CREATE_FILE:
        got.status = NtCreateFile(&out, r->access, given, &iosb, NULL,
                                  FILE_ATTRIBUTE_NORMAL, r->share,
                                  r->disposition, r->options, NULL, 0);
        break;
    case QUERY_FILE:
        got.status = NtQueryAttributesFile(given, room);
        break;
    case QUERY_FULL:
        got.status = NtQueryFullAttributesFile(given, room);
        break;
    case DELETE_FILE:
        got.status = NtDeleteFile(given);
        break;
    case OPEN_KEY:
        got.status = NtOpenKey(&out, r->access, given);
        break;
    case OPEN_KEY_EX:
        got.status = NtOpenKeyEx(&out, r->access, given, r->options);
        break;
    case CREATE_KEY:
        got.status = NtCreateKey(&out, r->access, given, 0, NULL, r->options,
                                 &disposition);
        break;
    case DELETE_KEY:
        got.status = NtDeleteKey(handle_of(r->root));
        break;
    case CLOSE:
        got.status = NtClose(handle_of(r->root));
        slots[r->root] = NULL;
        break;
    }
    if (out != NULL) {
        got.opened = true;
        if (r->keep != NONE) {
            slots[r->keep] = out;
        } else {
            NtClose(out);
        }
    }
    return got;
}

int main(void)
{
    static struct got got[COUNT_OF(rows)];

    target_begin();
    DeleteFileW(L"C:\\ntstrace oracle\\one");
    DeleteFileW(L"C:\\ntstrace oracle\\two \xe9\x20ac\x4e2d");
    DeleteFileW(L"C:\\ntstrace oracle\\half \xd83d.");
    RemoveDirectoryW(L"C:\\ntstrace oracle");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        got[i] = run(&rows[i]);
    }
    RemoveDirectoryW(L"C:\\ntstrace oracle");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        printf("%u 0x%lx %s\n", (unsigned)i, (unsigned long)got[i].status,
               got[i].opened ? "opened" : "-");
    }
    return 0;
}
