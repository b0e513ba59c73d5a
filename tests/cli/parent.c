/* SPDX-License-Identifier: MIT */
/*
 * parent TABLE NAME=VALUE... - runs raw command lines from a table and
 * compares what they leave with what the table wants. As a Windows program
 * it can do what a shell cannot: hand over any UTF-16 units, and read all 32
 * bits of an exit status.
 *
 * The table is UTF-8, a line each; `#` begins a comment line. Arguments for
 * the next case come first, the case's name last but its runs:
 *
 *   case NAME        begins a case; what is set below holds for it alone
 *   set NAME=VALUE   an environment variable; without = it is unset
 *   cd DIRECTORY     the directory to be in
 *   stdin TEXT       what stands on standard input, else nothing
 *   gone out|err     standard output or error is a pipe that nobody reads
 *   via cmd          handles are inherited as cmd.exe does it, by being the
 *                    parent's own, not named in STARTUPINFO
 *   detached         it is started without a console
 *   fields           STARTUPINFO has every field filled
 *   hold FILE        FILE is open, and shared with nobody
 *   pending FILE     FILE is deleted, but held open
 *   extra            CLI_HANDLE is an inheritable handle of a pipe with text
 *   extra FILE       ... of a file, opened for reading
 *   ctrl TIMES       once the target has printed something, Ctrl-C is sent
 *                    so often to all in the console, which is made for it
 *   ctrl-break TIMES the same with Ctrl-Break
 *   err-console      standard error is a console, made for it and cleared; what
 *                    it shows counts as what was printed there, and its mode
 *                    must be as it was
 *   needs NAME WHY   the case is skipped, and counted, where {NAME} is empty
 *   run LINE         starts LINE
 *   status NUMBER    its exit status, 0 if not told
 *   out LINE         what it printed, line by line
 *   err LINE         the same for standard error
 *   out-has TEXT, err-has TEXT   TEXT is somewhere there; the rest is free
 *   out-not TEXT, err-not TEXT   TEXT is nowhere there; the rest is free
 *   ran no           the target did not run (CLI_MARK was not created)
 *   with OPTIONS     of the tracer, for the next two; otherwise -o x
 *   more LINE        the traced run prints this line more, somewhere
 *   both-line LINE   runs LINE alone, and behind the tracer and a blank: the
 *                    same status and output
 *   bothARGS         the same for probe.exeARGS
 *
 * {NAME} stands for the VALUE, {dir} for the directory at the start, {drive}
 * for its root; {u XXXX} for a UTF-16 unit; {x N} for N
 * letters x; {error N} for the system's text for error N, as ntstrace writes
 * it. A `|` at a line's end is taken off: it shows blanks before it.
 *
 * Prints `FAILED NAME` with want and got for each case that is not as it
 * should be, `skipped NAME: WHY`, and at last `N passed, N failed, N skipped`.
 * Exit status 0: none failed; 2: the
 * table is wrong. A run that takes over a minute is ended and has failed.
 */
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_MAX 40000
#define LIMIT_MS 60000
#define TEXT_MAX (1 << 20)
#define HOLD_MAX 4

struct text {
    char bytes[TEXT_MAX];
    volatile size_t size;
};

/* What one program leaves. */
struct result {
    struct text out;
    struct text err;
    DWORD status;
    bool timeout;
    bool ran;
};

static struct {
    const char *name;
    const char *value;
} values[32];
static int value_count;

static struct {
    char name[100];
    bool active;
    bool gone_out;
    bool gone_err;
    bool via_cmd;
    bool fields;
    bool detached;
    bool extra;
    wchar_t extra_file[MAX_PATH];
    bool must_not_run;
    bool err_free;
    bool out_free;
    bool skipped;
    char why[200];
    int ctrl;
    bool ctrl_break;
    bool err_console;
    char with[200];
    char more[4][100];
    int more_count;
    DWORD status;
    wchar_t line[UNITS_MAX];
    char in[1000];
    struct {
        wchar_t name[64];
        wchar_t *before;  // malloc'ed; NULL: was not set
    } set[16];
    int set_count;
    HANDLE held[HOLD_MAX];
    int held_count;
    char has[8][300];
    bool has_in_err[8];
    bool has_not[8];
    int has_count;
} c;

static struct text want_out, want_err;
static wchar_t home[MAX_PATH];
static const char *mark_file;
static int passed, failed, skipped, line_number;
static bool has_console;

static void stop(const char *what)
{
    printf("table line %d: %s (error %lu)\n", line_number, what,
           (unsigned long)GetLastError());
    exit(2);
}

static const char *value_of(const char *name)
{
    for (int i = 0; i < value_count; i++) {
        if (strcmp(values[i].name, name) == 0) {
            return values[i].value;
        }
    }
    stop(name);
    return NULL;
}

/* ---- the table's text ---------------------------------------------- */

static size_t add_utf8(wchar_t *to, const char *text, size_t size)
{
    if (size == 0) {
        return 0;
    }
    return (size_t)MultiByteToWideChar(CP_UTF8, 0, text, (int)size, to,
                                       UNITS_MAX);
}

/* The system's text, without the stop and blanks at its end. */
static size_t add_error(wchar_t *to, DWORD code)
{
    DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                  FORMAT_MESSAGE_MAX_WIDTH_MASK;
    DWORD size = FormatMessageW(flags, NULL, code, 0x409, to, 1000, NULL);

    if (size == 0) {
        size = FormatMessageW(flags, NULL, code, 0, to, 1000, NULL);
    }
    while (size > 0 && (to[size - 1] == ' ' || to[size - 1] == '.')) {
        size--;
    }
    return size;
}

/* Replaces what stands in braces. */
static void expand(wchar_t *to, const char *from)
{
    size_t size = 0;

    while (*from != 0) {
        const char *brace = strchr(from, '{');
        const char *end = brace == NULL ? NULL : strchr(brace, '}');
        char name[32] = "";

        if (brace == NULL) {
            size += add_utf8(to + size, from, strlen(from));
            break;
        }
        size += add_utf8(to + size, from, (size_t)(brace - from));
        if (end == NULL || end - brace - 1 >= (int)sizeof(name)) {
            stop("a brace without its other half");
        }
        memcpy(name, brace + 1, (size_t)(end - brace - 1));
        if (strncmp(name, "u ", 2) == 0) {
            to[size++] = (wchar_t)strtoul(name + 2, NULL, 16);
        } else if (strncmp(name, "x ", 2) == 0) {
            for (unsigned long n = strtoul(name + 2, NULL, 10); n > 0; n--) {
                to[size++] = 'x';
            }
        } else if (strncmp(name, "error ", 6) == 0) {
            size += add_error(to + size, strtoul(name + 6, NULL, 10));
        } else {
            const char *value = value_of(name);

            size += add_utf8(to + size, value, strlen(value));
        }
        from = end + 1;
    }
    to[size] = 0;
}

static const wchar_t *wide(const char *from)
{
    static wchar_t room[UNITS_MAX];

    expand(room, from);
    return room;
}

static void add_line(struct text *to, const char *line)
{
    char *at = to->bytes + to->size;
    int size = WideCharToMultiByte(CP_UTF8, 0, wide(line), -1, at,
                                   (int)(TEXT_MAX - to->size) - 2, NULL, NULL);

    to->size += (size_t)size - 1;
    to->bytes[to->size++] = '\n';
    to->bytes[to->size] = 0;
}

/* ---- running ------------------------------------------------------- */

struct reading {
    HANDLE from;
    struct text *to;
};

static DWORD WINAPI read_all(void *arg)
{
    struct reading *r = arg;
    char spill[512];
    DWORD got;

    r->to->size = 0;
    for (;;) {
        bool full = r->to->size + 1 >= TEXT_MAX;

        if (!ReadFile(r->from, full ? spill : r->to->bytes + r->to->size,
                      full ? (DWORD)sizeof(spill)
                           : (DWORD)(TEXT_MAX - 1 - r->to->size),
                      &got, NULL) ||
            got == 0) {
            break;
        }
        r->to->size += full ? 0 : got;
    }
    r->to->bytes[r->to->size] = 0;
    return 0;
}

/* A pipe of which a child inherits the named end alone. */
static void make_pipe(HANDLE *read, HANDLE *write, bool child_reads)
{
    SECURITY_ATTRIBUTES inherit = { sizeof(inherit), NULL, TRUE };

    if (!CreatePipe(read, write, &inherit, 1 << 16)) {
        stop("no pipe");
    }
    SetHandleInformation(child_reads ? *write : *read, HANDLE_FLAG_INHERIT, 0);
}

/* The C runtime's block for three files, and bytes behind it. */
static void fill_fields(STARTUPINFOW *s)
{
    static BYTE block[4 + 3 + 3 * 8];
    static wchar_t title[] = L"A title";

    memset(block, 0, sizeof(block));
    block[0] = 3;
    s->cbReserved2 = sizeof(block);
    s->lpReserved2 = block;
    s->lpTitle = title;
    s->dwX = 11;
    s->dwY = 12;
    s->dwXSize = 13;
    s->dwYSize = 14;
    s->dwXCountChars = 15;
    s->dwYCountChars = 16;
    s->dwFillAttribute = 7;
    s->wShowWindow = 2;
    s->dwFlags |= STARTF_USESHOWWINDOW | STARTF_USEPOSITION | STARTF_USESIZE |
                  STARTF_USECOUNTCHARS | STARTF_USEFILLATTRIBUTE;
}

/* 0, or why there is no process. */
static DWORD create(const wchar_t *line, HANDLE in, HANDLE out, HANDLE err,
                    PROCESS_INFORMATION *made)
{
    static wchar_t room[UNITS_MAX];
    STARTUPINFOW s = { .cb = sizeof(s) };
    HANDLE before[3] = { GetStdHandle(STD_INPUT_HANDLE),
                         GetStdHandle(STD_OUTPUT_HANDLE),
                         GetStdHandle(STD_ERROR_HANDLE) };
    DWORD error = 0;

    if (c.via_cmd) {
        SetStdHandle(STD_INPUT_HANDLE, in);
        SetStdHandle(STD_OUTPUT_HANDLE, out);
        SetStdHandle(STD_ERROR_HANDLE, err);
    } else {
        s.dwFlags = STARTF_USESTDHANDLES;
        s.hStdInput = in;
        s.hStdOutput = out;
        s.hStdError = err;
    }
    if (c.fields) {
        fill_fields(&s);
    }
    wcscpy(room, line);
    if (!CreateProcessW(NULL, room, NULL, NULL, TRUE,
                        c.detached ? DETACHED_PROCESS : 0, NULL, NULL, &s,
                        made)) {
        error = GetLastError();
    }
    SetStdHandle(STD_INPUT_HANDLE, before[0]);
    SetStdHandle(STD_OUTPUT_HANDLE, before[1]);
    SetStdHandle(STD_ERROR_HANDLE, before[2]);
    return error;
}

/* --- a console that can be read */

static HANDLE open_screen(void)
{
    SECURITY_ATTRIBUTES inherit = { sizeof(inherit), NULL, TRUE };
    HANDLE h = CreateFileA("CONOUT$", GENERIC_READ | GENERIC_WRITE,
                           FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                           OPEN_EXISTING, 0, NULL);

    if (h == INVALID_HANDLE_VALUE) {
        stop("no console output");
    }
    return h;
}

static DWORD screen_mode(void)
{
    HANDLE h = open_screen();
    DWORD mode = 0;

    GetConsoleMode(h, &mode);
    CloseHandle(h);
    return mode;
}

static void clear_screen(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    COORD home_of_cursor = { 0, 0 };
    HANDLE h = open_screen();
    DWORD done;

    if (!GetConsoleScreenBufferInfo(h, &info)) {
        stop("a console without a screen");
    }
    FillConsoleOutputCharacterW(h, L' ', (DWORD)(info.dwSize.X * info.dwSize.Y),
                                home_of_cursor, &done);
    SetConsoleCursorPosition(h, home_of_cursor);
    CloseHandle(h);
}

/* Its rows down to the cursor's, without the blanks at their ends. */
static void read_screen(struct text *to)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    HANDLE h = open_screen();
    static wchar_t row[1000];

    to->size = 0;
    GetConsoleScreenBufferInfo(h, &info);
    for (SHORT y = 0; y <= info.dwCursorPosition.Y; y++) {
        COORD at = { 0, y };
        DWORD size = 0;

        ReadConsoleOutputCharacterW(
            h, row, info.dwSize.X < 1000 ? (DWORD)info.dwSize.X : 999, at,
            &size);
        while (size > 0 && row[size - 1] == L' ') {
            size--;
        }
        to->size += (size_t)WideCharToMultiByte(
            CP_UTF8, 0, row, (int)size, to->bytes + to->size,
            (int)(TEXT_MAX - to->size) - 2, NULL, NULL);
        to->bytes[to->size++] = '\n';
    }
    to->bytes[to->size] = 0;
    CloseHandle(h);
}

static bool bad;
static void begin_failure(void);

static HANDLE open_shared(const wchar_t *path)
{
    SECURITY_ATTRIBUTES inherit = { sizeof(inherit), NULL, TRUE };
    HANDLE h = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, &inherit,
                           OPEN_EXISTING, 0, NULL);

    if (h == INVALID_HANDLE_VALUE) {
        stop("cannot open the file to hand on");
    }
    return h;
}

/* Runs `line` as the case has it. */
static void run(const wchar_t *line, struct result *r)
{
    PROCESS_INFORMATION made;
    HANDLE in[2], out[2], err[2], threads[2];
    HANDLE extra[2] = { NULL, NULL };
    struct reading readings[2];
    DWORD put, error, mode = 0;

    DeleteFileA(mark_file);
    make_pipe(&in[0], &in[1], true);
    make_pipe(&out[0], &out[1], false);
    make_pipe(&err[0], &err[1], false);
    WriteFile(in[1], c.in, (DWORD)strlen(c.in), &put, NULL);
    CloseHandle(in[1]);
    if (c.extra) {
        char value[24];

        make_pipe(&extra[0], &extra[1], true);
        WriteFile(extra[1], "from afar", 9, &put, NULL);
        if (c.extra_file[0] != 0) {
            CloseHandle(extra[0]);
            extra[0] = open_shared(c.extra_file);
        }
        snprintf(value, sizeof(value), "0x%llx",
                 (unsigned long long)(uintptr_t)extra[0]);
        SetEnvironmentVariableA("CLI_HANDLE", value);
    }
    r->out.size = r->err.size = 0;
    r->out.bytes[0] = r->err.bytes[0] = 0;
    readings[0] = (struct reading){ out[0], &r->out };
    readings[1] = (struct reading){ err[0], &r->err };
    for (int i = 0; i < 2; i++) {
        if (i == 0 ? c.gone_out : c.gone_err) {
            CloseHandle(readings[i].from);
            readings[i].from = NULL;
        }
    }
    if (c.err_console) {
        clear_screen();
        mode = screen_mode();
        CloseHandle(err[1]);
        err[1] = open_screen();
    }
    error = create(line, in[0], out[1], err[1], &made);
    CloseHandle(in[0]);
    CloseHandle(out[1]);
    CloseHandle(err[1]);
    if (c.extra) {
        CloseHandle(extra[0]);
        CloseHandle(extra[1]);
        SetEnvironmentVariableA("CLI_HANDLE", NULL);
    }
    if (error != 0) {
        SetLastError(error);
        stop("cannot start it");
    }
    for (int i = 0; i < 2; i++) {
        threads[i] = NULL;
        if (readings[i].from != NULL) {
            threads[i] = CreateThread(NULL, 0, read_all, &readings[i], 0, NULL);
        }
    }
    for (int i = 0; c.ctrl > 0 && i < 1000 && r->out.size == 0; i++) {
        Sleep(20);
    }
    for (int i = 0; i < c.ctrl; i++) {
        Sleep(300);
        GenerateConsoleCtrlEvent(c.ctrl_break ? CTRL_BREAK_EVENT : CTRL_C_EVENT,
                                 0);
    }
    r->timeout = WaitForSingleObject(made.hProcess, LIMIT_MS) == WAIT_TIMEOUT;
    if (r->timeout) {
        TerminateProcess(made.hProcess, 1);
        WaitForSingleObject(made.hProcess, 5000);
    }
    GetExitCodeProcess(made.hProcess, &r->status);
    for (int i = 0; i < 2; i++) {
        if (threads[i] != NULL) {
            WaitForSingleObject(threads[i], 5000);
            CloseHandle(threads[i]);
            CloseHandle(readings[i].from);
        }
    }
    if (c.err_console) {
        read_screen(&r->err);
        if (screen_mode() != mode) {
            begin_failure();
            printf("  console mode before 0x%lx, now 0x%lx\n", mode,
                   screen_mode());
        }
    }
    CloseHandle(made.hProcess);
    CloseHandle(made.hThread);
    r->ran = GetFileAttributesA(mark_file) != INVALID_FILE_ATTRIBUTES;
}

/* ---- comparing ------------------------------------------------------ */

static void begin_failure(void)
{
    if (!bad) {
        printf("FAILED %s\n", c.name);
        bad = true;
    }
}

static void show(const char *who, const char *what, const struct text *t)
{
    const int most = 1500;

    printf("  %s %s: %s%.*s%s", who, what, t->size > 60 ? "\n" : "",
           t->size > (size_t)most ? most : (int)t->size, t->bytes,
           t->size == 0 || t->bytes[t->size - 1] != '\n' ? "\n" : "");
}

static void same_text(const char *what, const struct text *want,
                      const struct text *got)
{
    if (want->size != got->size ||
        memcmp(want->bytes, got->bytes, want->size) != 0) {
        begin_failure();
        show("want", what, want);
        show("got ", what, got);
    }
}

static void same_number(const char *what, DWORD want, DWORD got)
{
    if (want != got) {
        begin_failure();
        printf("  want %s: 0x%lx (%lu)\n  got  %s: 0x%lx (%lu)\n", what,
               (unsigned long)want, (unsigned long)want, what,
               (unsigned long)got, (unsigned long)got);
    }
}

static void count(void)
{
    if (bad) {
        failed++;
    } else {
        passed++;
    }
    bad = false;
    fflush(stdout);
}

/* Is this case to be left out? Then says so. */
static bool leave_out(void)
{
    if (!c.skipped) {
        return false;
    }
    printf("skipped %s: %s\n", c.name, c.why);
    skipped++;
    return true;
}

/* Undoes what the case set. */
static void end_case(void)
{
    for (int i = 0; i < c.set_count; i++) {
        SetEnvironmentVariableW(c.set[i].name, c.set[i].before);
        free(c.set[i].before);
    }
    for (int i = 0; i < c.held_count; i++) {
        CloseHandle(c.held[i]);
    }
    SetCurrentDirectoryW(home);
    memset(&c, 0, sizeof(c));
    want_out.size = want_err.size = 0;
    want_out.bytes[0] = want_err.bytes[0] = 0;
}

/* The case whose lines have all been read. */
static void judge(void)
{
    static struct result r;

    if (!c.active) {
        return;
    }
    if (leave_out()) {
        end_case();
        return;
    }
    run(c.line, &r);
    same_number("timeout", 0, r.timeout);
    same_number("status", c.status, r.status);
    same_number("target ran", !c.must_not_run, r.ran);
    if (!c.gone_out && !c.out_free) {
        same_text("stdout", &want_out, &r.out);
    }
    if (!c.gone_err && !c.err_free) {
        same_text("stderr", &want_err, &r.err);
    }
    for (int i = 0; i < c.has_count; i++) {
        const struct text *in = c.has_in_err[i] ? &r.err : &r.out;

        if ((strstr(in->bytes, c.has[i]) == NULL) != c.has_not[i]) {
            begin_failure();
            printf("  want %s: %s\n", c.has_not[i] ? "not in it" : "in it",
                   c.has[i]);
            show("got", c.has_in_err[i] ? "stderr" : "stdout", in);
        }
    }
    count();
    end_case();
}

/* Takes the first line that is `line` out of `t`, if one is. */
static void take_out(struct text *t, const char *line)
{
    size_t size = strlen(line);

    for (char *p = t->bytes; *p != 0; p += strcspn(p, "\n") + 1) {
        if (strncmp(p, line, size) == 0 && p[size] == '\n') {
            memmove(p, p + size + 1, strlen(p + size + 1) + 1);
            t->size -= size + 1;
            return;
        }
    }
    begin_failure();
    printf("  want more: %s\n", line);
}

/* The same line without and with the tracer. */
static void both(const char *start, const char *rest)
{
    static struct result plain, traced;
    static char line[UNITS_MAX * 3];

    if (c.name[0] == 0) {
        snprintf(c.name, sizeof(c.name), "line %d: %.60s%s", line_number, start,
                 rest);
    }
    if (leave_out()) {
        return;
    }
    snprintf(line, sizeof(line), "%s%s", start, rest);
    expand(c.line, line);
    run(c.line, &plain);
    snprintf(line, sizeof(line), "ntstrace.exe %s %s%s",
             c.with[0] != 0 ? c.with : "-o x", start, rest);
    expand(c.line, line);
    run(c.line, &traced);
    same_number("timeout", 0, plain.timeout | traced.timeout);
    same_number("status", plain.status, traced.status);
    same_number("target ran", true, plain.ran & traced.ran);
    same_number("said nothing", false, plain.out.size == 0);
    for (int i = 0; i < c.more_count; i++) {
        take_out(&traced.out, c.more[i]);
    }
    same_text("stdout", &plain.out, &traced.out);
    same_text("stderr", &plain.err, &traced.err);
    count();
}

/* ---- the table ------------------------------------------------------ */

static void set_variable(const char *rest)
{
    const wchar_t *text = wide(rest);
    const wchar_t *equals = wcschr(text, '=');
    size_t size = equals == NULL ? wcslen(text) : (size_t)(equals - text);
    wchar_t *name = c.set[c.set_count].name;
    DWORD room;

    if (size >= 64 || c.set_count == 15) {
        stop("too much set");
    }
    wcsncpy(name, text, size);
    name[size] = 0;
    room = GetEnvironmentVariableW(name, NULL, 0);
    if (room > 0) {
        c.set[c.set_count].before = malloc(room * sizeof(wchar_t));
        GetEnvironmentVariableW(name, c.set[c.set_count].before, room);
    }
    SetEnvironmentVariableW(name, equals == NULL ? NULL : equals + 1);
    c.set_count++;
}

static void hold(const char *rest, bool pending)
{
    FILE_DISPOSITION_INFO gone = { TRUE };
    HANDLE h = CreateFileW(
        wide(rest), pending ? DELETE : GENERIC_READ,
        pending ? FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE : 0,
        NULL, OPEN_EXISTING, 0, NULL);

    if (h == INVALID_HANDLE_VALUE ||
        (pending && !SetFileInformationByHandle(h, FileDispositionInfo, &gone,
                                                sizeof(gone)))) {
        stop("cannot hold the file");
    }
    c.held[c.held_count++] = h;
    if (pending) {
        h = CreateFileW(wide(rest), GENERIC_READ, FILE_SHARE_DELETE, NULL,
                        OPEN_EXISTING, 0, NULL);
        if (h != INVALID_HANDLE_VALUE) {
            CloseHandle(h);
            c.skipped = true;
            snprintf(c.why, sizeof(c.why),
                     "here a file being deleted can be opened");
        }
    }
}

static BOOL WINAPI survive(DWORD kind)
{
    (void)kind;
    return TRUE;
}

/* A console of our own, so that Ctrl-C reaches nobody else. */
static void need_console(void)
{
    if (!has_console) {
        FreeConsole();
        has_console = AllocConsole();
        SetConsoleCtrlHandler(survive, TRUE);
    }
    if (!has_console) {
        c.skipped = true;
        snprintf(c.why, sizeof(c.why), "no console can be made here");
    }
}

static void must_have(const char *text, bool in_err, bool not )
{
    if (c.has_count == 8) {
        stop("too much to have");
    }
    WideCharToMultiByte(CP_UTF8, 0, wide(text), -1, c.has[c.has_count],
                        sizeof(c.has[0]), NULL, NULL);
    c.has_not[c.has_count] = not ;
    c.has_in_err[c.has_count++] = in_err;
    *(in_err ? &c.err_free : &c.out_free) = true;
}

static void obey(const char *word, const char *rest)
{
    if (strcmp(word, "case") == 0) {
        judge();
        snprintf(c.name, sizeof(c.name), "%s", rest);
    } else if (strcmp(word, "set") == 0) {
        set_variable(rest);
    } else if (strcmp(word, "cd") == 0) {
        if (!SetCurrentDirectoryW(wide(rest))) {
            stop("no such directory");
        }
    } else if (strcmp(word, "stdin") == 0) {
        snprintf(c.in, sizeof(c.in), "%s", rest);
    } else if (strcmp(word, "gone") == 0) {
        *(strcmp(rest, "out") == 0 ? &c.gone_out : &c.gone_err) = true;
    } else if (strcmp(word, "via") == 0) {
        c.via_cmd = true;
    } else if (strcmp(word, "fields") == 0) {
        c.fields = true;
    } else if (strcmp(word, "hold") == 0) {
        hold(rest, false);
    } else if (strcmp(word, "pending") == 0) {
        hold(rest, true);
    } else if (strcmp(word, "extra") == 0) {
        c.extra = true;
        if (rest[0] != 0) {
            expand(c.extra_file, rest);
        }
    } else if (strcmp(word, "ctrl") == 0 || strcmp(word, "ctrl-break") == 0) {
        c.ctrl_break = word[4] != 0;
        c.ctrl = atoi(rest);
        need_console();
    } else if (strcmp(word, "err-console") == 0) {
        c.err_console = true;
        need_console();
    } else if (strcmp(word, "needs") == 0) {
        size_t size = strcspn(rest, " ");
        char name[32] = "";

        memcpy(name, rest, size < sizeof(name) ? size : sizeof(name) - 1);
        if (value_of(name)[0] == 0) {
            c.skipped = true;
            snprintf(c.why, sizeof(c.why), "%s", rest + size + 1);
        }
    } else if (strcmp(word, "with") == 0) {
        snprintf(c.with, sizeof(c.with), "%s", rest);
    } else if (strcmp(word, "run") == 0) {
        expand(c.line, rest);
        c.active = true;
    } else if (strcmp(word, "status") == 0) {
        c.status = strtoul(rest, NULL, 0);
    } else if (strcmp(word, "out") == 0) {
        add_line(&want_out, rest);
    } else if (strcmp(word, "err") == 0) {
        add_line(&want_err, rest);
    } else if (strcmp(word, "more") == 0 && c.more_count < 4) {
        snprintf(c.more[c.more_count++], sizeof(c.more[0]), "%s", rest);
    } else if (strcmp(word, "detached") == 0) {
        c.detached = true;
    } else if (strcmp(word, "out-has") == 0 || strcmp(word, "err-has") == 0) {
        must_have(rest, word[0] == 'e', false);
    } else if (strcmp(word, "out-not") == 0 || strcmp(word, "err-not") == 0) {
        must_have(rest, word[0] == 'e', true);
    } else if (strcmp(word, "ran") == 0) {
        c.must_not_run = strcmp(rest, "no") == 0;
    } else if (strcmp(word, "both") == 0) {
        both("probe.exe", rest);
        end_case();
    } else if (strcmp(word, "both-line") == 0) {
        both("", rest);
        end_case();
    } else {
        stop(word);
    }
}

int main(int argc, char **argv)
{
    static char line[UNITS_MAX * 3];
    static char dir[MAX_PATH * 3], drive[4];
    FILE *table;

    _setmode(_fileno(stdout), _O_BINARY);
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    for (int i = 2; i < argc && value_count < 30; i++) {
        char *equals = strchr(argv[i], '=');

        if (equals != NULL) {
            *equals = 0;
            values[value_count].name = argv[i];
            values[value_count++].value = equals + 1;
        }
    }
    table = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (table == NULL) {
        stop("no table");
    }
    mark_file = value_of("mark");
    SetEnvironmentVariableA("CLI_MARK", mark_file);
    GetCurrentDirectoryW(MAX_PATH, home);
    WideCharToMultiByte(CP_UTF8, 0, home, -1, dir, sizeof(dir), NULL, NULL);
    memcpy(drive, dir, 3);
    values[value_count].name = "dir";
    values[value_count++].value = dir;
    values[value_count].name = "drive";
    values[value_count++].value = drive;
    while (fgets(line, sizeof(line), table) != NULL) {
        char *rest;
        size_t size = strcspn(line, "\r\n");

        line_number++;
        line[size] = 0;
        if (size > 0 && line[size - 1] == '|') {
            line[size - 1] = 0;
        }
        if (line[0] == '#' || line[0] == 0) {
            continue;
        }
        /* What follows `both` counts to the blank. */
        size = strcspn(line, " ");
        if (strncmp(line, "both", 4) == 0 && strncmp(line, "both-", 5) != 0) {
            judge();
            obey("both", line + 4);
            continue;
        }
        rest = line[size] == 0 ? line + size : line + size + 1;
        line[size] = 0;
        obey(line, rest);
    }
    judge();
    fclose(table);
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    fflush(stdout);
    return failed != 0;
}
