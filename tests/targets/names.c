/* SPDX-License-Identifier: MIT */
/*
 * names - file names that would hurt a screen or a parser: escape sequences,
 * line ends, quotes, carets, bidirectional overrides, unpaired surrogates,
 * zeros, the longest there is. Each is asked for and, where that works,
 * created; the trace has one line with nothing but printable text, from which
 * the name can be read back.
 *
 * The expected text is written here a second time, by another hand than the
 * tracer's: a table of names and of what they look like.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtQueryAttributesFile(const struct nt_attributes *,
                                              void *);
NTSYSAPI NTSTATUS NTAPI NtDeleteFile(const struct nt_attributes *);

/* clang-format off */
static const struct {
    const WCHAR *name;
    USHORT units;
    const char *shown;
} names[] = {
#define ONE(name, shown) { name, sizeof(name) / sizeof(WCHAR) - 1, shown }
    ONE(L"plain", "plain"),
    ONE(L"\x1b[31mred\x1b[0m", "^{1B}[31mred^{1B}[0m"),
    ONE(L"\x1b]0;title\a", "^{1B}]0;title^{07}"),
    ONE(L"two\nlines\r\n\tand a tab", "two^{0A}lines^{0D}^{0A}^{09}and a tab"),
    ONE(L"a \"quoted\" 'name'", "a ^\"quoted^\" 'name'"),
    ONE(L"car^et ^{1B} ^^ ^\" ^>", "car^^et ^^{1B} ^^^^ ^^^\" ^^>"),
    ONE(L"\x202egnp.exe\x202c \x2066x\x2069", "^{202E}gnp.exe^{202C} ^{2066}x^{2069}"),
    ONE(L"high \xd800 low \xdc00 end \xdbff", "high ^{D800} low ^{DC00} end ^{DBFF}"),
    ONE(L"swapped \xdc00\xd800 ", "swapped ^{DC00}^{D800} "),
    ONE(L"pair \xd83d\xde00 ok", "pair \xf0\x9f\x98\x80 ok"),
    ONE(L"zero\0inside", "zero^{00}inside"),
    ONE(L"line\x2028para\x2029next\x85 del\x7f", "line^{2028}para^{2029}next^{85} del^{7F}"),
    ONE(L"zwj \x200d bom \xfeff soft \xad", "zwj ^{200D} bom ^{FEFF} soft ^{AD}"),
    ONE(L"non \xfffe\xffff char", "non ^{FFFE}^{FFFF} char"),
    ONE(L"\x65e5\x672c \x00e9\x0301 \x0bb7", "\xe6\x97\xa5\xe6\x9c\xac \xc3\xa9\xcc\x81 \xe0\xae\xb7"),
    ONE(L"1.2 NtClose(Handle=0x4) = 0\n3.4 +++ exited with 0 +++", "1.2 NtClose(Handle=0x4) = 0^{0A}3.4 +++ exited with 0 +++"),
    ONE(L"<brackets> {braces} [more], a=b", "<brackets> {braces} [more], a=b"),
    ONE(L"", ""),
#undef ONE
};
/* clang-format on */

/* Of a UNICODE_STRING: 65,534 bytes. */
#define LONGEST 32767

static WCHAR longest[LONGEST];
static char longest_shown[2 * LONGEST];
static WCHAR temp[MAX_PATH];
static HANDLE folder;
static char folder_name[600];
static DWORD tid;

static void asked(const WCHAR *text, USHORT units, const char *shown)
{
    static uint64_t info[8];
    struct nt_name name = { (USHORT)(units * 2), (USHORT)(units * 2), text };
    struct nt_attributes a = NT_ATTRIBUTES(&name);
    NTSTATUS s;

    a.root = folder;
    s = NtQueryAttributesFile(&a, info);
    say("EXPECT SEQ %lu.%lu NtQueryAttributesFile(ObjectAttributes={"
        "RootDirectory=0x%llx<%s>, ObjectName=\"%s\", Attributes=0}, "
        "FileInformation=*) = %s\n",
        (unsigned long)GetCurrentProcessId(), (unsigned long)tid,
        u64_of(folder), folder_name, shown, result_text(s));
}

/* The handle's name is escaped another way: quotes are themselves there. */
static void created(const WCHAR *text, USHORT units, const char *shown)
{
    struct nt_name name = { (USHORT)(units * 2), (USHORT)(units * 2), text };
    struct nt_attributes a = NT_ATTRIBUTES(&name);
    struct nt_iosb iosb;
    HANDLE file;
    char object[200];
    size_t at = 0;
    NTSTATUS s;

    a.root = folder;
    s = NtCreateFile(&file, GENERIC_WRITE | DELETE | SYNCHRONIZE, &a, &iosb,
                     NULL, FILE_ATTRIBUTE_NORMAL, 7, 3 /* FILE_OPEN_IF */,
                     0x1020 /* synchronous, delete on close */, NULL, 0);
    if (s < 0) {
        expect("NEXT", tid, "NtCreateFile(*, ObjectName=\"%s\", *) = %s", shown,
               result_text(s));
        return;
    }
    expect("NEXT", tid,
           "NtCreateFile(FileHandle=[0x%llx], *, ObjectAttributes={"
           "RootDirectory=0x%llx<%s>, ObjectName=\"%s\", Attributes=0}, *) = 0",
           u64_of(file), u64_of(folder), folder_name, shown);
    for (const char *p = shown; *p != '\0' && at + 3 < sizeof object; p++) {
        if (*p == '^' && p[1] == '"') {
            continue;
        }
        if (*p == '^' && p[1] == '^') {
            object[at++] = *p++;
        }
        if (*p == '>') {
            object[at++] = '^';
        }
        object[at++] = *p;
    }
    object[at] = '\0';
    CHECK(NtClose(file) == 0);
    expect("NEXT", tid, "NtClose(Handle=0x%llx<%s\\%s>) = 0", u64_of(file),
           folder_name, object);
}

int main(void)
{
    struct nt_name name;
    struct nt_attributes a = NT_ATTRIBUTES(&name);
    struct nt_iosb iosb;
    WCHAR path[MAX_PATH + 40];
    char *to = longest_shown;

    target_begin();
    tid = GetCurrentThreadId();
    GetTempPathW(MAX_PATH, temp);
    _snwprintf(path, COUNT_OF(path), L"\\??\\%sntstrace names.%lu", temp,
               (unsigned long)GetCurrentProcessId());
    WideCharToMultiByte(CP_UTF8, 0, path, -1, folder_name, sizeof folder_name,
                        NULL, NULL);
    name = (struct nt_name){ (USHORT)(wcslen(path) * 2),
                             (USHORT)(wcslen(path) * 2), path };
    a.attributes = 0x40; /* OBJ_CASE_INSENSITIVE */
    CHECK(NtCreateFile(&folder, FILE_LIST_DIRECTORY | SYNCHRONIZE, &a, &iosb,
                       NULL, FILE_ATTRIBUTE_NORMAL, 7, 3, 0x21, NULL, 0) == 0);

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        asked(names[i].name, names[i].units, names[i].shown);
        if (names[i].units > 0) {
            created(names[i].name, names[i].units, names[i].shown);
        }
    }
    for (size_t i = 0; i < LONGEST; i++) {
        longest[i] = i % 1000 == 999 ? L'^' : (WCHAR)(L'a' + i % 26);
        if (longest[i] == L'^') {
            *to++ = '^';
        }
        *to++ = (char)longest[i];
    }
    *to = '\0';
    asked(longest, LONGEST, longest_shown);
    NtClose(folder);
    NtDeleteFile(&a);
    return target_end();
}
