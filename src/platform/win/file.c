/* SPDX-License-Identifier: MIT */
/*
 * file.c - what we write to and read from, and the system's error texts.
 *
 * Touches the files that it is told to open, the commands that it is told to
 * start, and the standard handles. Writes
 * all of the bytes or fails with the system's reason; an error that the
 * output is to blame for has the code ERR_OUTPUT, or ERR_UNREAD. What was
 * written before a failure stays written. A file that was read is not emptied.
 */
#include "platform/inputs.h"
#include "platform/win/win.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

static struct os_file standard(DWORD which)
{
    struct os_file f = { GetStdHandle(which), false, false };
    DWORD mode;

    f.console = f.handle != NULL && GetConsoleMode(f.handle, &mode);
    return f;
}

struct os_file os_stdout(void)
{
    return standard(STD_OUTPUT_HANDLE);
}

struct os_file os_stderr(void)
{
    return standard(STD_ERROR_HANDLE);
}

static bool is_directory(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);

    return attributes != INVALID_FILE_ATTRIBUTES &&
           (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* How a file is opened, and what it is called where that fails. */
struct way {
    DWORD access;
    DWORD share;
    DWORD how;
    const char *verb;
    enum err_code code;
};

static bool open_file(HANDLE *out, str path, const struct way *way,
                      struct err *e)
{
    uint16_t *wide = os_to_utf16(path);
    bool taken = false;  // by a directory
    char what[300];
    DWORD why;

    if (wide == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    *out = CreateFileW((const wchar_t *)wide, way->access, way->share, NULL,
                       way->how, FILE_ATTRIBUTE_NORMAL, NULL);
    why = GetLastError();
    if (*out == INVALID_HANDLE_VALUE) {
        taken = is_directory((const wchar_t *)wide);
    }
    os_free(wide);
    if (taken) {
        return err_set(e, way->code, "cannot %s %.*s: it is a directory",
                       way->verb, STR_ARGS(path));
    }
    if (*out == INVALID_HANDLE_VALUE) {
        snprintf(what, sizeof(what), "cannot %s %.*s", way->verb,
                 STR_ARGS(path));
        SetLastError(why);
        win_fail(e, what);
        e->code = way->code;
        return false;
    }
    return true;
}

/* False: it is none that could be taken for another. */
static bool find_identity(HANDLE h, struct file_identity *id)
{
    BY_HANDLE_FILE_INFORMATION about;

    if (GetFileType(h) != FILE_TYPE_DISK ||
        !GetFileInformationByHandle(h, &about)) {
        return false;
    }
    /* Some servers have no indices: then only those made at one time are taken
     * for each other. */
    *id = (struct file_identity){
        .volume = about.dwVolumeSerialNumber,
        .file = (uint64_t)about.nFileIndexHigh << 32 | about.nFileIndexLow,
        .born = (uint64_t)about.ftCreationTime.dwHighDateTime << 32 |
                about.ftCreationTime.dwLowDateTime,
    };
    return true;
}

static bool note_input(HANDLE h)
{
    struct file_identity id;

    return !find_identity(h, &id) || inputs_add(&id);
}

/* Empties what was opened, unless it is one that was read. */
static bool empty_file(HANDLE h, str path, struct err *e)
{
    struct file_identity id;

    if (!find_identity(h, &id)) {
        return true; /* a pipe, a console: nothing to lose */
    }
    if (!inputs_spare(&id, path, e)) {
        return false;
    }
    if (!SetEndOfFile(h)) {
        win_fail(e, "cannot empty the output");
        e->code = ERR_OUTPUT;
        return false;
    }
    return true;
}

bool os_file_create(struct os_file *out, str path, struct err *e)
{
    static const struct way way = { GENERIC_WRITE,
                                    FILE_SHARE_READ | FILE_SHARE_DELETE,
                                    OPEN_ALWAYS, "write to", ERR_OUTPUT };
    HANDLE h;

    if (!open_file(&h, path, &way, e)) {
        return false;
    }
    if (!empty_file(h, path, e)) {
        CloseHandle(h);
        return false;
    }
    *out = (struct os_file){ h, true, false };
    return true;
}

/* What runs command lines here: COMSPEC, or cmd.exe of the system. */
static bool find_interpreter(wchar_t *path, DWORD room)
{
    DWORD size = GetEnvironmentVariableW(L"COMSPEC", path, room);
    const wchar_t *name = L"\\cmd.exe";

    if (size > 0 && size < room) {
        return true;
    }
    size = GetSystemDirectoryW(path, room);
    if (size == 0 || size + wcslen(name) >= room) {
        return false;
    }
    wcscpy(path + size, name);
    return true;
}

/* "cmd.exe" /d /s /c "COMMAND": with /s only the outer quotes go. */
static wchar_t *interpreter_line(const wchar_t *path, str command)
{
    uint16_t *wide = os_to_utf16(command);
    size_t room;
    wchar_t *line;

    if (wide == NULL) {
        return NULL;
    }
    room = wcslen(path) + wcslen((const wchar_t *)wide) + 30;
    line = malloc(room * sizeof(*line));
    if (line != NULL) {
        wcscpy(line, L"\"");
        wcscat(line, path);
        wcscat(line, L"\" /d /s /c \"");
        wcscat(line, (const wchar_t *)wide);
        wcscat(line, L"\"");
    }
    os_free(wide);
    return line;
}

static bool start_reader(HANDLE from, str command, void **process)
{
    STARTUPINFOW startup = { .cb = sizeof(startup),
                             .dwFlags = STARTF_USESTDHANDLES,
                             .hStdInput = from,
                             .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                             .hStdError = GetStdHandle(STD_ERROR_HANDLE) };
    PROCESS_INFORMATION info;
    wchar_t path[MAX_PATH + 20];
    wchar_t *line;
    BOOL ok;
    DWORD why;

    if (!find_interpreter(path, COUNT_OF(path))) {
        return false;
    }
    line = interpreter_line(path, command);
    if (line == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return false;
    }
    /* A group of its own: Ctrl-C for the target is not to end who reads the
     * target's last lines. */
    ok = CreateProcessW(path, line, NULL, NULL, TRUE, CREATE_NEW_PROCESS_GROUP,
                        NULL, NULL, &startup, &info);
    why = GetLastError();
    free(line);
    SetLastError(why);
    if (!ok) {
        return false;
    }
    CloseHandle(info.hThread);
    *process = info.hProcess;
    return true;
}

bool os_pipe_into(struct os_file *out, void **process, str command,
                  struct err *e)
{
    HANDLE from = NULL;
    HANDLE to = NULL;
    bool ok =
        CreatePipe(&from, &to, NULL, 1 << 16) &&
        SetHandleInformation(from, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) &&
        start_reader(from, command, process);

    if (!ok) {
        char what[300];

        snprintf(what, sizeof(what), "cannot start '%.*s'", (int)command.size,
                 command.p);
        win_fail(e, what);
        e->code = ERR_OUTPUT;
        if (to != NULL) {
            CloseHandle(to);
        }
    } else {
        *out = (struct os_file){ to, true, false };
    }
    /* Ours, too, or the target inherits it and the pipe never breaks. */
    if (from != NULL) {
        CloseHandle(from);
    }
    return ok;
}

void os_pipe_wait(void *process)
{
    if (process != NULL) {
        WaitForSingleObject(process, INFINITE);
        CloseHandle(process);
    }
}

void os_full_path(struct buf *b, str path)
{
    uint16_t *wide = os_to_utf16(path);
    wchar_t *full = malloc(32768 * sizeof(*full));
    DWORD size = 0;

    if (wide != NULL && full != NULL) {
        size = GetFullPathNameW((const wchar_t *)wide, 32768, full, NULL);
    }
    if (size > 0 && size < 32768) {
        os_to_utf8(b, (struct str16){ (const uint16_t *)full, size });
    } else {
        buf_add(b, path);
    }
    free(full);
    os_free(wide);
}

static bool write_console(struct os_file *f, str bytes)
{
    uint16_t *wide = os_to_utf16(bytes);
    DWORD done, at = 0;
    DWORD size = 0;
    BOOL ok = TRUE;

    if (wide == NULL) {
        return false;
    }
    while (wide[size] != 0) {
        size++;
    }
    while (ok && at < size) {
        DWORD part = size - at < 8000 ? size - at : 8000;

        ok = WriteConsoleW(f->handle, wide + at, part, &done, NULL);
        at += part;
    }
    os_free(wide);
    return ok;
}

/* The other end of a pipe was closed: it says so in one of these ways. */
static bool reader_left(uint32_t error)
{
    return error == ERROR_BROKEN_PIPE || error == ERROR_NO_DATA ||
           error == ERROR_PIPE_NOT_CONNECTED;
}

bool os_file_write(struct os_file *f, str bytes, struct err *e)
{
    while (bytes.size > 0) {
        DWORD part = bytes.size > 1 << 20 ? 1 << 20 : (DWORD)bytes.size;
        DWORD put = 0;

        if (f->console) {
            if (!write_console(f, bytes)) {
                break;
            }
            return true;
        }
        if (!WriteFile(f->handle, bytes.p, part, &put, NULL) || put == 0) {
            break;
        }
        bytes.p += put;
        bytes.size -= put;
    }
    if (bytes.size == 0) {
        return true;
    }
    win_fail(e, "cannot write the output");
    e->code = reader_left(e->os) ? ERR_UNREAD : ERR_OUTPUT;
    return false;
}

bool os_file_close(struct os_file *f, struct err *e)
{
    bool ok = true;

    if (f->owned && !CloseHandle(f->handle)) {
        win_fail(e, "cannot finish the output");
        e->code = ERR_OUTPUT;
        ok = false;
    }
    *f = (struct os_file){ 0 };
    return ok;
}

bool os_file_open(struct os_file *out, str path, struct err *e)
{
    static const struct way way = { GENERIC_READ,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE |
                                        FILE_SHARE_DELETE,
                                    OPEN_EXISTING, "read", ERR_OS };
    HANDLE h;

    if (!open_file(&h, path, &way, e)) {
        return false;
    }
    if (GetFileType(h) != FILE_TYPE_DISK) {
        CloseHandle(h);
        return err_set(e, ERR_OS, "cannot read %.*s: it is no plain file",
                       STR_ARGS(path));
    }
    if (!note_input(h)) {
        CloseHandle(h);
        return err_set(e, ERR_OS, "out of memory");
    }
    *out = (struct os_file){ h, true, false };
    return true;
}

bool os_file_read_at(struct os_file *f, uint64_t offset, void *to, size_t size,
                     size_t *got, struct err *e)
{
    size_t done = 0;

    if (offset > INT64_MAX - size) {
        *got = 0;
        return true;
    }
    while (done < size) {
        DWORD part = size - done > 1 << 30 ? 1 << 30 : (DWORD)(size - done);
        OVERLAPPED at = { .Offset = (DWORD)(offset + done),
                          .OffsetHigh = (DWORD)((offset + done) >> 32) };
        DWORD put = 0;

        if (!ReadFile(f->handle, (char *)to + done, part, &put, &at) &&
            GetLastError() != ERROR_HANDLE_EOF) {
            return win_fail(e, "cannot read it");
        }
        if (put == 0) {
            break;
        }
        done += put;
    }
    *got = done;
    return true;
}

bool os_file_size(const struct os_file *f, uint64_t *size, struct err *e)
{
    LARGE_INTEGER whole;

    if (!GetFileSizeEx(f->handle, &whole)) {
        return win_fail(e, "cannot read it");
    }
    *size = (uint64_t)whole.QuadPart;
    return true;
}

bool os_file_truncate(struct os_file *f, uint64_t size, struct err *e)
{
    LARGE_INTEGER to = { .QuadPart = (LONGLONG)size };

    if (!SetFilePointerEx(f->handle, to, NULL, FILE_BEGIN) ||
        !SetEndOfFile(f->handle)) {
        win_fail(e, "cannot cut off the output");
        e->code = ERR_OUTPUT;
        return false;
    }
    return true;
}

bool os_file_head(const uint16_t *path, void *to, size_t room, size_t *size,
                  uint64_t *file_size, struct err *e)
{
    HANDLE h =
        CreateFileW((const wchar_t *)path, GENERIC_READ,
                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    LARGE_INTEGER whole;
    DWORD got = 0;
    BOOL ok;

    if (h == INVALID_HANDLE_VALUE) {
        return win_fail(e, "cannot read it");
    }
    ok = ReadFile(h, to, (DWORD)room, &got, NULL) && GetFileSizeEx(h, &whole);
    if (!ok) {
        win_fail(e, "cannot read it");
    } else if (!note_input(h)) {
        ok = err_set(e, ERR_OS, "out of memory");
    }
    CloseHandle(h);
    if (ok) {
        *size = got;
        *file_size = (uint64_t)whole.QuadPart;
    }
    return ok;
}

/* `name` is a file of `folder`, which ends in what parts it from names, if it
 * has one. Short names are found as well: its own must be `base` and a dot. */
static bool visit_one(str base, str folder, const wchar_t *name,
                      bool (*visit)(void *ctx, str path), void *ctx)
{
    size_t size = wcslen(name);
    size_t room = folder.size + 3 * size;
    struct buf path = { malloc(room), 0, room, false };
    bool goes_on = true;
    str own;

    if (path.p == NULL) {
        return true;
    }
    buf_add(&path, folder);
    os_to_utf8(&path, (struct str16){ (const uint16_t *)name, size });
    own = str_slice(buf_str(&path), folder.size, path.size);
    if (own.size > base.size && own.p[base.size] == '.' &&
        str_eq_nocase(str_slice(own, 0, base.size), base)) {
        goes_on = visit(ctx, buf_str(&path));
    }
    free(path.p);
    return goes_on;
}

/* `prefix` with ".*" behind it, for os_free. */
static uint16_t *pattern_of(str prefix)
{
    size_t room = prefix.size + 2;
    struct buf b = { malloc(room), 0, room, false };
    uint16_t *pattern = NULL;

    if (b.p != NULL) {
        buf_add(&b, prefix);
        buf_add(&b, STR(".*"));
        pattern = os_to_utf16(buf_str(&b));
        free(b.p);
    }
    return pattern;
}

bool os_files_beginning(str prefix, bool (*visit)(void *ctx, str path),
                        void *ctx, struct err *e)
{
    uint16_t *pattern = pattern_of(prefix);
    size_t folder = prefix.size;
    WIN32_FIND_DATAW found;
    HANDLE h;
    DWORD why;

    if (pattern == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    while (folder > 0 && prefix.p[folder - 1] != '\\' &&
           prefix.p[folder - 1] != '/' && prefix.p[folder - 1] != ':') {
        folder--;
    }
    h = FindFirstFileW((const wchar_t *)pattern, &found);
    why = GetLastError();
    os_free(pattern);
    if (h == INVALID_HANDLE_VALUE) {
        SetLastError(why);
        return why == ERROR_FILE_NOT_FOUND ||
               win_fail(e, "cannot look for files");
    }
    while (visit_one(str_slice(prefix, folder, prefix.size),
                     str_slice(prefix, 0, folder), found.cFileName, visit,
                     ctx) &&
           FindNextFileW(h, &found)) {
    }
    FindClose(h);
    return true;
}

/* The text for a Win32 error code or NTSTATUS, without newline. */
static void add_error_text(struct buf *b, uint32_t code)
{
    wchar_t text[256];
    DWORD size;

    if (code >= 0xc0000000) {
        code = RtlNtStatusToDosError((NTSTATUS)code);
    }
    size = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM |
                              FORMAT_MESSAGE_IGNORE_INSERTS |
                              FORMAT_MESSAGE_MAX_WIDTH_MASK,
                          NULL, code, 0x0409, text, COUNT_OF(text), NULL);
    if (size == 0) {
        size = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM |
                                  FORMAT_MESSAGE_IGNORE_INSERTS |
                                  FORMAT_MESSAGE_MAX_WIDTH_MASK,
                              NULL, code, 0, text, COUNT_OF(text), NULL);
    }
    while (size > 0 && (text[size - 1] == L' ' || text[size - 1] == L'.' ||
                        text[size - 1] == L'\r' || text[size - 1] == L'\n')) {
        size--;
    }
    os_to_utf8(b, (struct str16){ (const uint16_t *)text, size });
}

bool win_fail_status(struct err *e, const char *what, uint32_t status)
{
    char text[200];
    struct buf b = BUF_OVER(text);

    add_error_text(&b, status);
    err_set(e, ERR_OS, "%s: %.*s (0x%08x)", what, (int)b.size, b.p,
            (unsigned)status);
    e->os = status;
    return false;
}

bool win_fail(struct err *e, const char *what)
{
    char text[200];
    struct buf b = BUF_OVER(text);
    DWORD code = GetLastError();

    add_error_text(&b, code);
    err_set(e, ERR_OS, "%s: %.*s (%u)", what, (int)b.size, b.p, (unsigned)code);
    e->os = code;
    return false;
}
