/* SPDX-License-Identifier: MIT */
/*
 * test_prototypes - declarations of C as rows of calls: what is understood, what
 * is refused and where, and that ours come back as they were.
 */
#include "base/chars.h"
#include "tables/prototypes.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

static struct prototypes read_well(const char *text)
{
    struct prototypes p = { 0 };
    struct err e = { 0 };
    bool ok = prototypes_read(&p, str_of(text), STR("p.h"), &e);

    if (!ok) {
        printf("  %s\n  of: %s\n", e.text, text);
    }
    CHECK(ok);
    return p;
}

/* As "NtX: NTSTATUS(in HANDLE Handle, out ULONG* Out [*Size])". */
static str told(const struct call_facts *call, struct buf *b)
{
    static const char *const directions[] = { "?", "in", "out", "inout" };

    b->size = 0;
    b->cut = false;
    buf_addf(b, "%s: %s(", call->name, call->result->name);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const struct call_arg *arg = &call->args[i];

        buf_addf(b, "%s%s%s %s %s", i > 0 ? ", " : "",
                 directions[arg->direction & ARG_INOUT],
                 arg->direction & ARG_OPT ? "?" : "", arg->type->name,
                 arg->name);
        if (arg->size) {
            buf_addf(b, " {%s}", arg->size);
        }
    }
    buf_add(b, STR(")"));
    return buf_str(b);
}

/* What is printed of them is read as the same. */
static void check_printed(const struct prototypes *p)
{
    char room[4096];
    struct buf b = BUF_OVER(room);
    struct prototypes again = { 0 };
    struct err e = { 0 };

    for (size_t i = 0; i < p->set.count; i++) {
        prototype_print(&b, &p->set.rows[i]);
    }
    CHECK(prototypes_read(&again, buf_str(&b), STR("p.h"), &e));
    CHECK_U64(again.set.count, p->set.count);
    for (size_t i = 0; i < again.set.count; i++) {
        CHECK(prototype_same(&p->set.rows[i], &again.set.rows[i]));
    }
    prototypes_close(&again);
}

static void good_declarations_are_rows(void)
{
    static const struct {
        const char *text;
        const char *row;
    } rows[] = {
        { "NTSYSCALLAPI\nNTSTATUS\nNTAPI\nNtNewer(\n    _In_ HANDLE "
          "ProcessHandle,\n    _Out_opt_ PULONG Size\n    );\n",
          "NtNewer: NTSTATUS(in HANDLE ProcessHandle, out? PULONG Size)" },
        { "NTSTATUS NtNewer(VOID);", "NtNewer: NTSTATUS()" },
        { "extern \"C\" {\nvoid NtNewer(void);\n}\n", "NtNewer: VOID()" },
        { "// what it does\n#define X(a) \\\n  a\n/* ( */ NTSYSAPI ULONG "
          "__stdcall\tNtNewer(ULONG a, int /* the other */ b);",
          "NtNewer: ULONG(in ULONG a, in INT b)" },
        { "NTSTATUS NtNewer(_In_reads_bytes_(Length) PVOID Buffer, _In_ ULONG "
          "Length, _Out_writes_bytes_to_opt_(OutLength, * ReturnLength) PVOID "
          "Out, ULONG OutLength, _Out_ PULONG ReturnLength);",
          "NtNewer: NTSTATUS(in PVOID Buffer {Length}, in ULONG Length, out? "
          "PVOID Out {OutLength,*ReturnLength}, in ULONG OutLength, out PULONG "
          "ReturnLength)" },
        { "NTSTATUS NtNewer(_In_reads_(Count) const HANDLE *Handles, ULONG "
          "Count, _Inout_updates_to_(Count, return) ULONG Out[]);",
          "NtNewer: NTSTATUS(in HANDLE* Handles {[Count]}, in ULONG Count, "
          "inout ULONG* Out {[Count,return]})" },
        { "NTSTATUS NtNewer(_In_ POBJECT_ATTRIBUTES Object, struct _GUID *Id, "
          "const UNICODE_STRING *Name, _In_ enum _WHAT What, WIDGET ** Any);",
          "NtNewer: NTSTATUS(in POBJECT_ATTRIBUTES Object, inout GUID* Id, in "
          "UNICODE_STRING* Name, in _WHAT What, inout WIDGET** Any)" },
        { "_Must_inspect_result_ _IRQL_requires_max_(PASSIVE_LEVEL)\n"
          "__kernel_entry NTSYSCALLAPI unsigned long NTAPI NtNewer(_In_ "
          "_Strict_type_match_ unsigned long long Where, _Reserved_ ULONG) "
          "_Success_(return == 0);",
          "NtNewer: ULONG(in ULONGLONG Where, in ULONG arg2)" },
        { "NTSTATUS WINAPI __wine_new(IN OUT PVOID *Base OPTIONAL, OUT PULONG "
          "Old, IN ULONG Flags[3], POINT Where);",
          "__wine_new: NTSTATUS(inout? PVOID* Base, out PULONG Old, in ULONG* "
          "Flags {[3]}, in POINT Where)" },
        { "\xef\xbb\xbftypedef struct _X { int a; } X, *PX;\r\nstruct Y { int "
          "b; };\r\nULONG NtVariable;\r\nNTSTATUS RtlNone(THING x);\r\n"
          "FORCEINLINE VOID NtInline(THING x) { return; }\r\nHANDLE "
          "NtNewer();\r\n",
          "NtNewer: HANDLE()" },
    };
    char room[1024];
    struct buf b = BUF_OVER(room);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct prototypes p = read_well(rows[i].text);

        CHECK_U64(p.set.count, 1);
        if (p.set.count == 1) {
            CHECK_STR(told(&p.set.rows[0], &b), str_of(rows[i].row));
        }
        CHECK_U64(p.passed_over, i == COUNT_OF(rows) - 1 ? 5 : 0);
        check_printed(&p);
        prototypes_close(&p);
    }
}

static void bad_declarations_are_refused_with_a_caret(void)
{
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        { "NTSTATUS NtNewer(HANDLE a", "p.h:1:26: the declaration has no end\n"
                                       "    NTSTATUS NtNewer(HANDLE a\n"
                                       "                             ^" },
        { "NTSTATUS NtNewer(HANDLE a)\nNTSTATUS NtOther(HANDLE a);",
          "p.h:2:1: a ; is missing here\n"
          "    NTSTATUS NtOther(HANDLE a);\n"
          "    ^" },
        { "NTSTATUS NtNewer(\n\tHANDEL Process);",
          "p.h:2:2: HANDEL is no type that is known: write what it is instead "
          "(ULONG, HANDLE, PVOID ...), enum before it, or a * behind it\n"
          "     HANDEL Process);\n"
          "     ^" },
        { "NtNewer(HANDLE a);", "p.h:1:1: NtNewer has no type of its result\n"
                                "    NtNewer(HANDLE a);\n"
                                "    ^" },
        { "NTSTATUS NtNewer(_Inn_ HANDLE a);",
          "p.h:1:18: _Inn_ is no annotation that is known\n"
          "    NTSTATUS NtNewer(_Inn_ HANDLE a);\n"
          "                     ^" },
        { "NTSTATUS NtNewer(_In_ _Out_ PVOID a);",
          "p.h:1:23: _In_ stands there already\n"
          "    NTSTATUS NtNewer(_In_ _Out_ PVOID a);\n"
          "                          ^" },
        { "NTSTATUS NtNewer(_In_reads_bytes_ PVOID a);",
          "p.h:1:35: _In_reads_bytes_ needs a size behind it: (Length)\n"
          "    NTSTATUS NtNewer(_In_reads_bytes_ PVOID a);\n"
          "                                      ^" },
        { "NTSTATUS NtNewer(_Out_writes_to_(a) PVOID b, ULONG a);",
          "p.h:1:35: _Out_writes_to_ has two sizes: how much there is, and how "
          "much was written\n"
          "    NTSTATUS NtNewer(_Out_writes_to_(a) PVOID b, ULONG a);\n"
          "                                      ^" },
        { "NTSTATUS NtNewer(_In_reads_(Lenght) PULONG b, ULONG Length);",
          "p.h:1:18: the call has no parameter Lenght, which is to be a size\n"
          "    NTSTATUS NtNewer(_In_reads_(Lenght) PULONG b, ULONG Length);\n"
          "                     ^" },
        { "NTSTATUS NtNewer(_Out_ ULONG a);",
          "p.h:1:18: the call cannot write to ULONG: it is no pointer\n"
          "    NTSTATUS NtNewer(_Out_ ULONG a);\n"
          "                     ^" },
        { "NTSTATUS NtNewer(ULONG a, HANDLE a);",
          "p.h:1:27: there are two parameters a\n"
          "    NTSTATUS NtNewer(ULONG a, HANDLE a);\n"
          "                              ^" },
        { "NTSTATUS NtNewer(ULONG a, ...);",
          "p.h:1:27: a system call has as many parameters as it has\n"
          "    NTSTATUS NtNewer(ULONG a, ...);\n"
          "                              ^" },
        { "NTSTATUS NtNewer(VOID (*Routine)(int));",
          "p.h:1:23: a pointer to a function: write PVOID instead\n"
          "    NTSTATUS NtNewer(VOID (*Routine)(int));\n"
          "                          ^" },
        { "NTSTATUS NtNewer(GUID Id);",
          "p.h:1:18: GUID is passed by its address: write a * behind it\n"
          "    NTSTATUS NtNewer(GUID Id);\n"
          "                     ^" },
        { "POINT NtNewer(VOID);", "p.h:1:1: no system call returns POINT\n"
                                  "    POINT NtNewer(VOID);\n"
                                  "    ^" },
        { "NTSTATUS NtNewer(ULONG a ULONG b);",
          "p.h:1:26: a comma is missing before ULONG\n"
          "    NTSTATUS NtNewer(ULONG a ULONG b);\n"
          "                             ^" },
        { "NTSTATUS NtNewer(PULONG *a ULONG b);",
          "p.h:1:28: a comma is missing before ULONG\n"
          "    NTSTATUS NtNewer(PULONG *a ULONG b);\n"
          "                               ^" },
        { "NTSTATUS NtNewer(ULONG a,, ULONG b);",
          "p.h:1:26: a parameter is missing here\n"
          "    NTSTATUS NtNewer(ULONG a,, ULONG b);\n"
          "                             ^" },
        { "NTSTATUS NtNewer(ULONG a, VOID b);",
          "p.h:1:27: no parameter is VOID\n"
          "    NTSTATUS NtNewer(ULONG a, VOID b);\n"
          "                              ^" },
        { "NTSTATUS NtNewer(int a, int b, int c, int d, int e, int f, int g, "
          "int h, int i, int j, int k, int l, int m, int n, int o, int p, int "
          "q, int r);",
          "p.h:1:137: no system call has more than 17 parameters\n"
          "    ..., int n, int o, int p, int q, int r);\n"
          "                                     ^" },
        { "NTSTATUS NtNewer(int a); /* b\n",
          "p.h:1:26: this comment has no end\n"
          "    NTSTATUS NtNewer(int a); /* b\n"
          "                             ^" },
        { "NTSTATUS NtNewer(int a);\nNTSTATUS NtNewer(int b);\n",
          "p.h:2:10: NtNewer was declared before, and otherwise\n"
          "    NTSTATUS NtNewer(int b);\n"
          "             ^" },
        { "class X { };", "p.h:1:9: '{' is not expected here\n"
                          "    class X { };\n"
                          "            ^" },
        { "typedef struct X { int a; } X\n",
          "p.h:1:1: what begins here has no ; at its end\n"
          "    typedef struct X { int a; } X\n"
          "    ^" },
        { "NTSTATUS NtNewer(int \"a);", "p.h:1:22: this text has no end\n"
                                        "    NTSTATUS NtNewer(int \"a);\n"
                                        "                         ^" },
        { "NTSTATUS NtN\xc3\xa4yer(int a);",
          "p.h:1:13: no declaration has this character\n"
          "    NTSTATUS NtN\xc3\xa4yer(int a);\n"
          "                ^" },
        { "NTSTATUS NtNewer(_In_reads_(2) ULONG a);",
          "p.h:1:18: ULONG is no pointer: it has no size\n"
          "    NTSTATUS NtNewer(_In_reads_(2) ULONG a);\n"
          "                     ^" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct prototypes p = { 0 };
        struct err e = { 0 };
        bool ok = prototypes_read(&p, str_of(rows[i].text), STR("p.h"), &e);

        CHECK(!ok);
        CHECK(e.code == ERR_USAGE);
        CHECK_STR(str_of(e.text), str_of(rows[i].error));
        CHECK(p.memory == NULL);
        prototypes_close(&p);
    }
}

static void what_is_too_large_is_refused(void)
{
    char *many = calloc(1, PROTOTYPES_BYTES_MAX + 1);
    struct prototypes p = { 0 };
    struct err e = { 0 };

    CHECK(many != NULL);
    if (many == NULL) {
        return;
    }
    memset(many, '\n', PROTOTYPES_BYTES_MAX + 1);
    CHECK(prototypes_read(&p, (str){ many, PROTOTYPES_BYTES_MAX }, STR("p.h"),
                          &e));
    prototypes_close(&p);
    CHECK(!prototypes_read(&p, (str){ many, PROTOTYPES_BYTES_MAX + 1 },
                           STR("p.h"), &e));
    CHECK_STR(str_of(e.text),
              STR("p.h: is too large to be prototypes: more than 4 MiB"));
    free(many);
}

/* All rows as one text. */
static str print_all(struct call_system on, size_t *count)
{
    size_t most = PROTOTYPES_BYTES_MAX;
    struct buf b = { malloc(most), 0, most, false };

    *count = 0;
    for (size_t i = 0; b.p != NULL && i < call_count(); i++) {
        const struct call_facts *f = call_find_on(str_of(call_at(i)->name), on);

        if (f != NULL) {
            prototype_print(&b, f);
            ++*count;
        }
    }
    CHECK(!b.cut);
    return buf_str(&b);
}

static void our_own_rows_come_back_as_they_were(void)
{
    static const struct call_system systems[] = {
        { .wine = false },
        { .wine = true },
        { .build = 10586 },
    };

    for (size_t k = 0; k < COUNT_OF(systems); k++) {
        size_t count;
        str all = print_all(systems[k], &count);
        struct prototypes p = { 0 };
        struct err e = { 0 };
        bool ok = prototypes_read(&p, all, STR("all.h"), &e);

        if (!ok) {
            printf("  %s\n", e.text);
        }
        CHECK(ok);
        CHECK(count > 1000);
        CHECK_U64(p.set.count, count);
        for (size_t i = 0; i < p.set.count; i++) {
            const struct call_facts *call = &p.set.rows[i];
            const struct call_facts *ours =
                call_find_on(str_of(call->name), systems[k]);
            bool same = ours && prototype_same(call, ours) &&
                        call_is_win32k(call) == call_is_win32k(ours);

            if (!same) {
                printf("  %s\n", call->name);
            }
            CHECK(same);
        }
        prototypes_close(&p);
        free((void *)(uintptr_t)all.p);
    }
}

static void rows_of_the_user_are_believed_before_ours(void)
{
    struct prototypes p = read_well("BOOL NtClose(ULONG a, ULONG b);\n"
                                    "NTSTATUS NtNewer(PVOID a);\n"
                                    "NTSTATUS NtUserNewer(PVOID a);\n"
                                    "HDC NtUserGetDC(HWND hwnd);\n");
    struct call_system windows = { .own = &p.set };
    struct call_system wine = { .wine = true, .own = &p.set };
    const struct call_facts *close = call_find_on(STR("NtClose"), windows);

    CHECK(close != NULL && close->own && close->arg_count == 2);
    CHECK(close != NULL && close->category == CATEGORY_OBJECT);
    CHECK(close != NULL && close->fails == FAILS_NONE);
    CHECK(call_find_on(STR("NtClose"), wine) == close);
    CHECK_U64(call_arg_count_on(STR("NtClose"), wine), 2);
    CHECK_U64(call_arg_count_on(STR("NtNewer"), windows), 1);
    CHECK(!call_is_win32k(call_find_on(STR("NtNewer"), windows)));
    CHECK(call_is_win32k(call_find_on(STR("NtUserNewer"), windows)));
    /* As ours fails: with a handle of 0. */
    CHECK(call_find_on(STR("NtUserGetDC"), windows)->fails == FAILS_ZERO);
    CHECK(call_find_on(STR("NtOpenFile"), windows) ==
          call_find(STR("NtOpenFile")));
    CHECK(call_set_find(NULL, STR("NtClose")) == NULL);
    prototypes_close(&p);
}

int main(void)
{
    const struct test tests[] = {
        TEST(good_declarations_are_rows),
        TEST(bad_declarations_are_refused_with_a_caret),
        TEST(what_is_too_large_is_refused),
        TEST(our_own_rows_come_back_as_they_were),
        TEST(rows_of_the_user_are_believed_before_ours),
    };

    return check_run(tests, COUNT_OF(tests));
}
