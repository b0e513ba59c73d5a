/* SPDX-License-Identifier: MIT */
/*
 * coverage - calls every system call that the tables have a row for and this
 * system has a stub for, once, with arguments that harm nobody: handles that
 * are none, names that nobody has, buffers of zeros, and for each parameter
 * with a set a value of that set (choice.h). excluded.def says which calls are
 * not made, and why.
 *
 * Prints what it did, one call a line, for tests/coverage/check.c:
 *
 *   wine 0|1
 *   called NAME | excluded NAME WHY | missing NAME | norow NAME
 *
 * and exits with 0. It expects nothing of the results. With an argument it
 * makes that one call only; with COVERAGE_LOUD in the environment it says on
 * stderr what it is about to call.
 */
#include "coverage/choice.h"

#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SLOT 4096  // bytes of scratch memory a parameter

typedef uint64_t (*call_fn)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                            uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                            uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                            uint64_t, uint64_t);

struct string {
    uint16_t size;
    uint16_t room;
    const void *p;
};

struct large_string {
    uint32_t size;
    uint32_t room;
    const void *p;
};

struct attributes {
    uint32_t size;
    HANDLE root;
    struct string *name;
    uint32_t attributes;
    void *security;
    void *quality;
};

static const wchar_t name_text[] = L"" COVERAGE_NAME;
static struct string name = { sizeof(name_text) - 2, sizeof(name_text),
                              name_text };
static _Alignas(64) uint8_t scratch[CALL_ARGS_MAX + 1][SLOT];

/* A stub, also one whose first 8 bytes a tracer has patched. */
static bool is_stub(const uint8_t *code)
{
    static const uint8_t tail[] = { 0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f,
                                    0x01, 0x75, 0x03, 0x0f, 0x05, 0xc3 };

    return memcmp(code + 8, tail, sizeof(tail)) == 0;
}

/* What lies where a parameter points to. */
static uint64_t pointer(const struct call_facts *call, uint32_t i)
{
    const struct type_row *type = call->args[i].type;
    uint8_t *p = scratch[i];
    uint64_t value = coverage_value(call, i);
    bool elements;

    if (strcmp(type->to_name, "UNICODE_STRING") == 0) {
        memcpy(p, &name, sizeof(name));
    } else if (strcmp(type->to_name, "LARGE_STRING") == 0) {
        struct large_string text = { name.size, name.room, name.p };

        memcpy(p, &text, sizeof(text));
    } else if (strcmp(type->to_name, "OBJECT_ATTRIBUTES") == 0) {
        struct attributes a = { .size = sizeof(a),
                                .name = &name,
                                .attributes = 0x40 };

        memcpy(p, &a, sizeof(a));
    } else if (!(call->args[i].direction & ARG_IN)) {
        return (uint64_t)p;
    } else if (coverage_set(call, i) || coverage_is_size(call, i, &elements)) {
        memcpy(p, &value, type->to_size < 8 ? type->to_size : 8);
    } else if (strcmp(type->to_name, "HANDLE") == 0) {
        memcpy(p, &value, sizeof(value));
    }
    return (uint64_t)p;
}

static uint64_t argument(const struct call_facts *call, uint32_t i)
{
    const struct type_row *type = call->args[i].type;

    if (type->class == CLASS_PTR) {
        /* Without a size it is an address in some process, or a word. */
        bool read = type->to_class != CLASS_VOID || call->args[i].size;

        return read ? pointer(call, i) : 0;
    }
    if (type->class == CLASS_STRUCT) {
        return 0;  // of 8 bytes at most; larger ones go by address
    }
    return type->class == CLASS_FNPTR ? 0 : coverage_value(call, i);
}

static void make(const struct call_facts *call, call_fn f)
{
    uint64_t a[CALL_ARGS_MAX] = { 0 };

    memset(scratch, 0, sizeof(scratch));
    for (uint32_t i = 0; i < call->arg_count; i++) {
        a[i] = argument(call, i);
    }
    (void)f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10],
            a[11], a[12], a[13], a[14], a[15], a[16]);
}

/* All that is printed, written at the end: its calls are no part of what is
 * tested. */
static char out[1 << 18];
static int out_size;

static void tell(const char *what, const char *call, const char *why)
{
    out_size += snprintf(out + out_size, sizeof(out) - (size_t)out_size,
                         "%s %s%s%s\n", what, call, *why ? " " : "", why);
}

/* Stubs that no row knows. */
static void list_without_row(HMODULE module)
{
    const uint8_t *base = (const uint8_t *)module;
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)base;
    const IMAGE_NT_HEADERS *nt =
        (const IMAGE_NT_HEADERS *)(base + dos->e_lfanew);
    const IMAGE_EXPORT_DIRECTORY *exports =
        (const IMAGE_EXPORT_DIRECTORY
             *)(base + nt->OptionalHeader.DataDirectory[0].VirtualAddress);
    const uint32_t *names = (const uint32_t *)(base + exports->AddressOfNames);

    for (uint32_t i = 0; i < exports->NumberOfNames; i++) {
        const char *z = (const char *)(base + names[i]);
        const uint8_t *code =
            (const uint8_t *)(uintptr_t)GetProcAddress(module, z);

        if (strncmp(z, "Zw", 2) != 0 && code && is_stub(code) &&
            !call_find_on(str_of(z), (struct call_system){ .wine = true })) {
            tell("norow", z, "");
        }
    }
}

int main(int argc, char **argv)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    HMODULE win32u = LoadLibraryA("win32u.dll");
    bool wine = GetProcAddress(ntdll, "wine_get_version") != NULL;
    DWORD written;

    /* win32k's own connection comes first, not in the middle of a call. */
    LoadLibraryA("user32.dll");
    (void)GetDesktopWindow();
    tell("wine", wine ? "1" : "0", "");
    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *call = call_at(i);
        HMODULE module = call_is_win32k(call) ? win32u : ntdll;
        const uint8_t *code =
            (const uint8_t *)(uintptr_t)GetProcAddress(module, call->name);
        const char *why = coverage_why_not(call->name);

        if (wine) {
            call = call_find_on(str_of(call->name),
                                (struct call_system){ .wine = true });
        }
        if (!code || !is_stub(code)) {
            tell("missing", call->name, "");
        } else if (why) {
            tell("excluded", call->name, why);
        } else if (argc < 2 || strcmp(argv[1], call->name) == 0) {
            if (getenv("COVERAGE_LOUD")) {
                fprintf(stderr, "%s\n", call->name);
            }
            make(call, (call_fn)(uintptr_t)code);
            tell("called", call->name, "");
        }
    }
    list_without_row(ntdll);
    list_without_row(win32u);
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), out, (DWORD)out_size, &written,
              NULL);
    /* Not through what the calls may have left behind. */
    TerminateProcess(GetCurrentProcess(), 0);
    return 1;
}
