/* SPDX-License-Identifier: MIT */
/*
 * known - programs of which it is known what they do, for tests/check-report:
 *
 *   known later      looks for later.ini, then finds it in sub
 *   known never      looks for never.ini, which is nowhere
 *   known rename     writes 5 bytes into made.tmp, and renames it to made.txt
 *   known child      starts `known seven`, and waits for it; that one ends with 7
 *   known wait       waits 700 ms for an event
 *   known direct     closes an event by a copy of NtClose's function
 *   known registry   makes a key with two values, deletes one of them, then the key
 *   known denied     opens for writing what another handle does not share
 *   known asks       looks for asked.ini in its function ask_for_it
 *
 * Files are below the current folder. The exit status is 0 if all of it was done.
 */
#include "../targets/stub.h"

static HANDLE open_file(const char *name, DWORD access, DWORD how)
{
    return CreateFileA(name, access, 0, NULL, how, 0, NULL);
}

static int later(void)
{
    HANDLE found;

    if (open_file("later.ini", GENERIC_READ, OPEN_EXISTING) !=
        INVALID_HANDLE_VALUE) {
        return 2;
    }
    found = open_file("sub\\later.ini", GENERIC_READ, OPEN_EXISTING);
    return found == INVALID_HANDLE_VALUE || !CloseHandle(found);
}

static int never(void)
{
    return open_file("never.ini", GENERIC_READ, OPEN_EXISTING) !=
           INVALID_HANDLE_VALUE;
}

static int rename_it(void)
{
    HANDLE file = open_file("made.tmp", GENERIC_WRITE, CREATE_ALWAYS);
    DWORD written = 0;

    return !WriteFile(file, "hello", 5, &written, NULL) || written != 5 ||
           !CloseHandle(file) ||
           !MoveFileExA("made.tmp", "made.txt", MOVEFILE_REPLACE_EXISTING);
}

static int child(void)
{
    STARTUPINFOA start = { .cb = sizeof(start) };
    PROCESS_INFORMATION process;
    char path[MAX_PATH];
    char command[] = "known seven";
    DWORD code = 0;

    GetModuleFileNameA(NULL, path, sizeof(path));
    if (!CreateProcessA(path, command, NULL, NULL, FALSE, 0, NULL, NULL, &start,
                        &process)) {
        return 2;
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    return !GetExitCodeProcess(process.hProcess, &code) || code != 7;
}

static int wait_it(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "known-event");

    return WaitForSingleObject(event, 700) != WAIT_TIMEOUT;
}

static int direct(void)
{
    struct stub stub;
    NTSTATUS(NTAPI * close_copy)(HANDLE);
    uint8_t *code;
    DWORD old;

    if (!stub_read("NtClose", &stub)) {
        return 2;
    }
    code = VirtualAlloc(NULL, 0x1000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    memcpy(code, stub.bytes, STUB_SIZE);
    VirtualProtect(code, 0x1000, PAGE_EXECUTE_READ, &old);
    *(void **)&close_copy = code;
    return close_copy(CreateEventA(NULL, TRUE, FALSE, NULL)) != 0;
}

static int registry(void)
{
    HKEY key;

    return RegCreateKeyA(HKEY_CURRENT_USER, "Software\\ntstrace-known", &key) ||
           RegSetValueExA(key, "stays", 0, REG_SZ, (const BYTE *)"abc", 4) ||
           RegSetValueExA(key, "goes", 0, REG_SZ, (const BYTE *)"a", 2) ||
           RegDeleteValueA(key, "goes") || RegCloseKey(key) ||
           RegDeleteKeyA(HKEY_CURRENT_USER, "Software\\ntstrace-known");
}

static int denied(void)
{
    HANDLE first = open_file("locked.txt", GENERIC_WRITE, CREATE_ALWAYS);

    return open_file("locked.txt", GENERIC_WRITE, OPEN_EXISTING) !=
               INVALID_HANDLE_VALUE ||
           !CloseHandle(first);
}

/* Its name is among the symbols of the file; it does more than it calls. */
int ask_for_it(void);
__attribute__((noinline)) int ask_for_it(void)
{
    volatile DWORD attributes = GetFileAttributesA("asked.ini");

    return attributes != INVALID_FILE_ATTRIBUTES;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } rows[] = {
        { "later", later },       { "never", never },   { "rename", rename_it },
        { "child", child },       { "wait", wait_it },  { "direct", direct },
        { "registry", registry }, { "denied", denied }, { "asks", ask_for_it },
    };

    if (argc == 2 && strcmp(argv[1], "seven") == 0) {
        return 7;
    }
    for (size_t i = 0; argc == 2 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(argv[1], rows[i].name) == 0) {
            return rows[i].run();
        }
    }
    return 3;
}
