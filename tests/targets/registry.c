/* SPDX-License-Identifier: MIT */
/*
 * registry - keys and values from creation to deletion: names, data by its
 * type, information classes both ways, each handle with the name of its key.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtCreateKey(HANDLE *, ACCESS_MASK,
                                    const struct nt_attributes *, ULONG,
                                    const struct nt_name *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtOpenKey(HANDLE *, ACCESS_MASK,
                                  const struct nt_attributes *);
NTSYSAPI NTSTATUS NTAPI NtQueryValueKey(HANDLE, const struct nt_name *, int,
                                        void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtEnumerateValueKey(HANDLE, ULONG, int, void *, ULONG,
                                            ULONG *);
NTSYSAPI NTSTATUS NTAPI NtEnumerateKey(HANDLE, ULONG, int, void *, ULONG,
                                       ULONG *);
NTSYSAPI NTSTATUS NTAPI NtDeleteValueKey(HANDLE, const struct nt_name *);
NTSYSAPI NTSTATUS NTAPI NtDeleteKey(HANDLE);
NTSYSAPI NTSTATUS NTAPI RtlFormatCurrentUserKeyPath(struct nt_name *);

#define PARTIAL 2 /* KeyValuePartialInformation */
#define KEY_VALUES L"ntstrace test"

static HANDLE key;
static char key_name[600];

struct kind {
    ULONG type;
    const char *type_name;
    const void *data;
    ULONG size;
    const char *shown;
};

/* Each type of data there and back. */
static void values(DWORD tid)
{
    static const WCHAR text[] = L"plain \"text\" \x2022 ^",
                       expand[] = L"%TEMP%";
    static const WCHAR multi[] = L"one\0two\0";
    static const ULONG number = 0xc0ffee;
    static const uint64_t large = 0x123456789abcdef0;
    static const uint8_t bytes[] = { 0, 1, 'a', 0xff };
    static const struct kind kinds[] = {
        { REG_SZ, "REG_SZ", text, sizeof text,
          "\"plain ^\"text^\" \xe2\x80\xa2 ^^\"" },
        { REG_EXPAND_SZ, "REG_EXPAND_SZ", expand, sizeof expand, "\"%TEMP%\"" },
        { REG_MULTI_SZ, "REG_MULTI_SZ", multi, sizeof multi,
          "[\"one\", \"two\"]" },
        { REG_DWORD, "REG_DWORD", &number, sizeof number, "0xc0ffee" },
        { REG_QWORD, "REG_QWORD", &large, sizeof large, "0x123456789abcdef0" },
        { REG_BINARY, "REG_BINARY", bytes, sizeof bytes,
          "b\"\\x00\\x01a\\xff\"" },
    };
    struct nt_name name = NT_NAME(L"a value");

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct kind *k = &kinds[i];
        ULONG room[64], got = 0;
        NTSTATUS s = NtSetValueKey(key, &name, 0, k->type, k->data, k->size);

        CHECK(s == 0);
        expect("NEXT", tid,
               "NtSetValueKey(KeyHandle=0x%llx<%s>, ValueName=\"a value\", "
               "TitleIndex=0, Type=%s, Data=%s, DataSize=%lu) = 0",
               u64_of(key), key_name, k->type_name, k->shown,
               (unsigned long)k->size);
        s = NtQueryValueKey(key, &name, PARTIAL, room, sizeof room, &got);
        CHECK(s == 0 && got == 12 + k->size);
        expect("NEXT", tid,
               "NtQueryValueKey(KeyHandle=0x%llx<%s>, ValueName=\"a value\", "
               "KeyValueInformationClass=KeyValuePartialInformation, "
               "KeyValueInformation={Type=%s, Data=%s}, Length=256, "
               "ResultLength=[%lu]) = 0",
               u64_of(key), key_name, k->type_name, k->shown,
               (unsigned long)got);
    }
}

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    struct nt_name user, path, leaf = NT_NAME(L"below");
    struct nt_name none = NT_NAME(L"no such value");
    WCHAR text[200];
    struct nt_attributes attributes = NT_ATTRIBUTES(&path);
    struct nt_attributes below = NT_ATTRIBUTES(&leaf);
    HANDLE child;
    ULONG room[64], disposition = 0, got = 0;
    NTSTATUS s;

    target_begin();
    CHECK(RtlFormatCurrentUserKeyPath(&user) == 0);
    _snwprintf(text, COUNT_OF(text), L"%.*s\\Software\\" KEY_VALUES,
               (int)(user.length / 2), user.text);
    path = (struct nt_name){ (USHORT)(wcslen(text) * 2),
                             (USHORT)(wcslen(text) * 2), text };
    WideCharToMultiByte(CP_UTF8, 0, text, -1, key_name, sizeof key_name, NULL,
                        NULL);

    s = NtCreateKey(&key, KEY_ALL_ACCESS, &attributes, 0, NULL,
                    REG_OPTION_VOLATILE, &disposition);
    CHECK(s == 0);
    expect("SEQ", tid,
           "NtCreateKey(KeyHandle=[0x%llx], DesiredAccess=KEY_ALL_ACCESS, "
           "ObjectAttributes={ObjectName=\"%s\", Attributes=0}, TitleIndex=0, "
           "Class=NULL, CreateOptions=REG_OPTION_VOLATILE, Disposition=[%s]) "
           "= 0",
           u64_of(key), key_name,
           disposition == 1 ? "REG_CREATED_NEW_KEY"
                            : "REG_OPENED_EXISTING_KEY");

    values(tid);

    s = NtQueryValueKey(key, &none, PARTIAL, room, sizeof room, &got);
    CHECK(s == (NTSTATUS)0xc0000034);
    expect("NEXT", tid,
           "NtQueryValueKey(KeyHandle=0x%llx<%s>, ValueName=\"no such value\", "
           "KeyValueInformationClass=KeyValuePartialInformation, "
           "KeyValueInformation=0x%llx, Length=256, ResultLength=0x%llx) = "
           "0xc0000034 STATUS_OBJECT_NAME_NOT_FOUND",
           u64_of(key), key_name, u64_of(room), u64_of(&got));

    s = NtQueryValueKey(key, &(struct nt_name)NT_NAME(L"a value"), PARTIAL,
                        room, 4, &got);
    CHECK(s == (NTSTATUS)0xc0000023 && got == 16);
    expect("NEXT", tid,
           "NtQueryValueKey(KeyHandle=0x%llx<%s>, ValueName=\"a value\", "
           "KeyValueInformationClass=KeyValuePartialInformation, "
           "KeyValueInformation=0x%llx, Length=4, ResultLength=[16]) = "
           "0xc0000023 STATUS_BUFFER_TOO_SMALL",
           u64_of(key), key_name, u64_of(room));

    s = NtEnumerateValueKey(key, 0, 0, room, sizeof room, &got);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtEnumerateValueKey(KeyHandle=0x%llx<%s>, Index=0, "
           "KeyValueInformationClass=KeyValueBasicInformation, "
           "KeyValueInformation={Type=REG_BINARY, Name=\"a value\"}, "
           "Length=256, ResultLength=[%lu]) = 0",
           u64_of(key), key_name, (unsigned long)got);

    below.root = key;
    s = NtCreateKey(&child, KEY_READ, &below, 0, NULL, REG_OPTION_VOLATILE,
                    NULL);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtCreateKey(KeyHandle=[0x%llx], DesiredAccess=KEY_READ, "
           "ObjectAttributes={RootDirectory=0x%llx<%s>, ObjectName=\"below\", "
           "Attributes=0}, TitleIndex=0, Class=NULL, "
           "CreateOptions=REG_OPTION_VOLATILE, Disposition=NULL) = 0",
           u64_of(child), u64_of(key), key_name);
    CHECK(NtClose(child) == 0);
    expect("NEXT", tid, "NtClose(Handle=0x%llx<%s\\below>) = 0", u64_of(child),
           key_name);

    s = NtEnumerateKey(key, 0, 0, room, sizeof room, &got);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtEnumerateKey(KeyHandle=0x%llx<%s>, Index=0, "
           "KeyInformationClass=KeyBasicInformation, "
           "KeyInformation={LastWriteTime=*Z, Name=\"below\"}, Length=256, "
           "ResultLength=[%lu]) = 0",
           u64_of(key), key_name, (unsigned long)got);
    s = NtEnumerateKey(key, 1, 0, room, sizeof room, &got);
    CHECK(s == (NTSTATUS)0x8000001a);
    expect("NEXT", tid,
           "NtEnumerateKey(KeyHandle=0x%llx<%s>, Index=1, "
           "KeyInformationClass=KeyBasicInformation, KeyInformation=0x%llx, "
           "Length=256, ResultLength=0x%llx) = 0x8000001a "
           "STATUS_NO_MORE_ENTRIES",
           u64_of(key), key_name, u64_of(room), u64_of(&got));

    s = NtOpenKey(&child, DELETE, &below);
    CHECK(s == 0);
    CHECK(NtDeleteKey(child) == 0);
    expect("SEQ", tid, "NtDeleteKey(KeyHandle=0x%llx<%s\\below>) = 0",
           u64_of(child), key_name);
    CHECK(NtClose(child) == 0);

    s = NtDeleteValueKey(key, &(struct nt_name)NT_NAME(L"a value"));
    CHECK(s == 0);
    expect("SEQ", tid,
           "NtDeleteValueKey(KeyHandle=0x%llx<%s>, ValueName=\"a value\") = 0",
           u64_of(key), key_name);
    CHECK(NtDeleteKey(key) == 0);
    CHECK(NtClose(key) == 0);
    return target_end();
}
