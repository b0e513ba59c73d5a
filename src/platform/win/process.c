/* SPDX-License-Identifier: MIT */
/*
 * process.c - finding, starting and ending the target.
 *
 * Touches the file system only to look for the program, and the one process
 * that it has started; ends that one if it is closed before it was resumed.
 * Fails with a reason for the user: ERR_NOT_FOUND and ERR_NOT_OURS if it is
 * the program, ERR_OS with the system's text else.
 */
#include "platform/win/win.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/banned.h"

#define OBJ_PROTECT_CLOSE 1

uint32_t os_windows_build(void)
{
    /* NtBuildNumber in KUSER_SHARED_DATA, docs/facts.md C10. */
    return *(const volatile uint32_t *)(uintptr_t)0x7ffe0260 & 0xffff;
}

struct str16 os_command_line(void)
{
    const wchar_t *line = GetCommandLineW();

    return (struct str16){ (const uint16_t *)line, wcslen(line) };
}

/* The next piece of a list separated by `;`, cut out in place; *list goes
 * behind it. NULL at the end. */
static wchar_t *next_of(wchar_t **list)
{
    wchar_t *piece = *list;
    wchar_t *end;

    if (piece == NULL || *piece == 0) {
        return NULL;
    }
    end = wcschr(piece, L';');
    if (end != NULL) {
        *end++ = 0;
    }
    *list = end;
    return piece;
}

/* The full path of `name`+`ext` if it is a file; NULL if not. Then *why is
 * the system's reason if something is there all the same, ERROR_DIRECTORY
 * for a directory; else it stays. */
static uint16_t *as_file(const wchar_t *name, const wchar_t *ext, DWORD *why)
{
    size_t room = wcslen(name) + wcslen(ext) + 1;
    wchar_t *joined = malloc(room * sizeof(*joined));
    wchar_t *full = NULL;
    DWORD attributes, need;

    if (joined == NULL) {
        return NULL;
    }
    wcscpy(joined, name);
    wcscat(joined, ext);
    attributes = GetFileAttributesW(joined);
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        DWORD code = GetLastError();

        if (code == ERROR_ACCESS_DENIED || code == ERROR_SHARING_VIOLATION) {
            *why = code;
        }
    } else if (attributes & FILE_ATTRIBUTE_DIRECTORY) {
        *why = ERROR_DIRECTORY;
    } else {
        need = GetFullPathNameW(joined, 0, NULL, NULL);
        full = need == 0 ? NULL : malloc(need * sizeof(*full));
        if (full != NULL && GetFullPathNameW(joined, need, full, NULL) == 0) {
            free(full);
            full = NULL;
        }
    }
    free(joined);
    return (uint16_t *)full;
}

/* An environment variable, malloc'ed; `otherwise` if it is not set. */
static wchar_t *variable(const wchar_t *name, const wchar_t *otherwise)
{
    DWORD need = GetEnvironmentVariableW(name, NULL, 0);
    wchar_t *v;

    if (need == 0) {
        return _wcsdup(otherwise);
    }
    v = malloc(need * sizeof(*v));
    if (v != NULL) {
        GetEnvironmentVariableW(name, v, need);
    }
    return v;
}

static bool has_extension(const wchar_t *name)
{
    const wchar_t *dot = wcsrchr(name, L'.');

    return dot != NULL && wcspbrk(dot, L"\\/") == NULL;
}

static bool is_batch(const wchar_t *path)
{
    const wchar_t *dot = wcsrchr(path, L'.');

    return dot != NULL &&
           (_wcsicmp(dot, L".bat") == 0 || _wcsicmp(dot, L".cmd") == 0);
}

/* `name` itself if it has an extension, else with each one of PATHEXT. */
static uint16_t *with_extensions(const wchar_t *name, DWORD *why)
{
    wchar_t *exts, *ext, *rest;
    uint16_t *found = NULL;

    if (has_extension(name)) {
        found = as_file(name, L"", why);
    }
    exts = variable(L"PATHEXT", L".COM;.EXE;.BAT;.CMD");
    rest = exts;
    while (found == NULL && (ext = next_of(&rest)) != NULL) {
        found = as_file(name, ext, why);
    }
    free(exts);
    /* A file without extension is an answer too, as for CreateProcess. */
    return found != NULL ? found : as_file(name, L"", why);
}

/* `name` in `dir`, one piece of PATH, which may stand in quotes. */
static uint16_t *in_directory(const wchar_t *dir, const wchar_t *name)
{
    size_t size;
    wchar_t *joined;
    uint16_t *found;
    DWORD ignored = 0;

    dir += *dir == L'"';
    size = wcslen(dir);
    size -= size > 0 && dir[size - 1] == L'"';
    joined = malloc((size + wcslen(name) + 2) * sizeof(*joined));
    if (size == 0 || joined == NULL) {
        free(joined);
        return NULL;
    }
    wmemcpy(joined, dir, size);
    joined[size] = 0;
    if (dir[size - 1] != L'\\' && dir[size - 1] != L'/') {
        wcscat(joined, L"\\");
    }
    wcscat(joined, name);
    found = with_extensions(joined, &ignored);
    free(joined);
    return found;
}

static uint16_t *find(const wchar_t *name, DWORD *why)
{
    uint16_t *found = *name == 0 ? NULL : with_extensions(name, why);
    wchar_t *dirs, *dir, *rest;

    if (found != NULL || *name == 0 || wcspbrk(name, L"\\/:") != NULL) {
        return found;
    }
    dirs = variable(L"PATH", L"");
    rest = dirs;
    while (found == NULL && (dir = next_of(&rest)) != NULL) {
        found = in_directory(dir, name);
    }
    free(dirs);
    return found;
}

/* True for what a user knows as a program and cmd.exe has built in. */
static bool is_built_in(const uint16_t *name)
{
    static const wchar_t *const names[] = {
        L"assoc", L"call",  L"cd",    L"chdir",  L"cls",    L"copy",  L"date",
        L"del",   L"dir",   L"echo",  L"erase",  L"exit",   L"for",   L"ftype",
        L"if",    L"md",    L"mkdir", L"mklink", L"move",   L"path",  L"pause",
        L"popd",  L"pushd", L"rd",    L"ren",    L"rename", L"rmdir", L"set",
        L"start", L"time",  L"title", L"type",   L"ver",    L"vol",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (_wcsicmp((const wchar_t *)name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool os_find_program(uint16_t **path, struct str16 name, struct err *e)
{
    wchar_t *wanted = calloc(name.size + 1, sizeof(*wanted));
    uint16_t *found;
    DWORD why = 0;
    char room[300];
    struct buf shown = BUF_OVER(room);
    bool built_in;

    if (wanted == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    memcpy(wanted, name.p, name.size * sizeof(*wanted));
    found = find(wanted, &why);
    built_in = found == NULL && is_built_in((const uint16_t *)wanted);
    free(wanted);
    os_to_utf8(&shown, name);
    if (found != NULL && is_batch((const wchar_t *)found)) {
        const char *quote =
            wmemchr((const wchar_t *)name.p, L' ', name.size) ? "\"" : "";

        free(found);
        return err_set(e, ERR_NOT_OURS,
                       "%.*s is a batch file; trace what runs it: "
                       "ntstrace cmd.exe /c %s%.*s%s",
                       (int)shown.size, shown.p, quote, (int)shown.size,
                       shown.p, quote);
    }
    if (found != NULL) {
        *path = found;
        return true;
    }
    if (why == ERROR_DIRECTORY) {
        return err_set(e, ERR_NOT_OURS, "%.*s is a directory", (int)shown.size,
                       shown.p);
    }
    if (why != 0) {
        char what[350];

        snprintf(what, sizeof(what), "%.*s: cannot look at it", (int)shown.size,
                 shown.p);
        SetLastError(why);
        win_fail(e, what);
        e->code = ERR_NOT_OURS;
        return false;
    }
    if (built_in) {
        return err_set(e, ERR_NOT_FOUND,
                       "%.*s is a command of cmd.exe, not a program; trace "
                       "what runs it: ntstrace cmd.exe /c %.*s",
                       (int)shown.size, shown.p, (int)shown.size, shown.p);
    }
    return err_set(e, ERR_NOT_FOUND, "%.*s: program not found", (int)shown.size,
                   shown.p);
}

/* Were we given no title of our own? Then the system took our file's name
 * for it, and is to take the target's for the target. */
static bool title_is_our_name(const wchar_t *title)
{
    wchar_t own[1024];
    DWORD size = GetModuleFileNameW(NULL, own, COUNT_OF(own));

    return title != NULL && size > 0 && size < COUNT_OF(own) &&
           _wcsicmp(title, own) == 0;
}

/* Have we no console because we were started so? A program that we start is
 * then to have none either: by itself the system would make a new one for it.
 * With that flag it hands on only those standard handles that STARTUPINFO
 * names. */
static bool was_detached(const STARTUPINFOW *startup)
{
    return GetConsoleCP() == 0 &&
           ((startup->dwFlags & STARTF_USESTDHANDLES) != 0 ||
            (GetStdHandle(STD_INPUT_HANDLE) == NULL &&
             GetStdHandle(STD_OUTPUT_HANDLE) == NULL &&
             GetStdHandle(STD_ERROR_HANDLE) == NULL));
}

/* The program's children are none of the job's business: they are outside it,
 * whether or not they ask for it. */
#define JOB_OPEN \
    (JOB_OBJECT_LIMIT_BREAKAWAY_OK | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK)

static bool limit_job(HANDLE job, DWORD flags, struct err *e)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { 0 };

    limits.BasicLimitInformation.LimitFlags = flags;
    return SetInformationJobObject(job, JobObjectExtendedLimitInformation,
                                   &limits, sizeof(limits)) ||
           win_fail(e, "cannot see to the program's end, should we be killed");
}

/* A job that ends what is in it when the last handle on it is closed: ours, by
 * whatever way we end. NULL on failure. */
static HANDLE open_job(struct err *e)
{
    HANDLE job = CreateJobObjectW(NULL, NULL);

    if (job == NULL) {
        win_fail(e, "cannot create a job");
    } else if (!limit_job(job, JOB_OPEN | JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
                          e)) {
        CloseHandle(job);
        job = NULL;
    }
    return job;
}

/* CreateProcessW, with the new process in `job` from the start. GetLastError
 * is as the call left it. */
static BOOL create_in_job(HANDLE *job, const wchar_t *path, wchar_t *line,
                          DWORD flags, STARTUPINFOEXW *startup,
                          PROCESS_INFORMATION *info)
{
    SIZE_T size = 0;
    DWORD code;
    BOOL ok;

    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup->lpAttributeList = malloc(size);
    if (startup->lpAttributeList == NULL ||
        !InitializeProcThreadAttributeList(startup->lpAttributeList, 1, 0,
                                           &size)) {
        free(startup->lpAttributeList);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return FALSE;
    }
    ok = UpdateProcThreadAttribute(startup->lpAttributeList, 0,
                                   PROC_THREAD_ATTRIBUTE_JOB_LIST, job,
                                   sizeof(*job), NULL, NULL) &&
         CreateProcessW(path, line, NULL, NULL, TRUE,
                        flags | EXTENDED_STARTUPINFO_PRESENT, NULL, NULL,
                        &startup->StartupInfo, info);
    code = GetLastError();
    DeleteProcThreadAttributeList(startup->lpAttributeList);
    free(startup->lpAttributeList);
    SetLastError(code);
    return ok;
}

/* Our standard handles, which a program that is set apart has nothing of: handed on
 * they would keep pipes open for as long as it runs. */
struct kept_handles {
    HANDLE at[3];
    DWORD flags[3];
};

static void keep_handles(struct kept_handles *k)
{
    static const DWORD which[] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
                                   STD_ERROR_HANDLE };

    for (size_t i = 0; i < COUNT_OF(which); i++) {
        k->at[i] = GetStdHandle(which[i]);
        k->flags[i] = 0;
        GetHandleInformation(k->at[i], &k->flags[i]);
        SetHandleInformation(k->at[i], HANDLE_FLAG_INHERIT, 0);
    }
}

/* Two of them may be one: in the order in which they were changed, backwards. */
static void release_handles(const struct kept_handles *k)
{
    for (size_t i = COUNT_OF(k->at); i-- > 0;) {
        SetHandleInformation(k->at[i], HANDLE_FLAG_INHERIT,
                             k->flags[i] & HANDLE_FLAG_INHERIT);
    }
}

/* Gives the program handles of its own, and a console if it is to have one;
 * true: they are open, and are to be closed once it has them. */
static bool set_apart(STARTUPINFOW *startup, const struct os_apart *apart,
                      DWORD *flags, struct err *e)
{
    SECURITY_ATTRIBUTES inherited = { .nLength = sizeof(inherited),
                                      .bInheritHandle = TRUE };
    struct os_file file = { .handle = NULL };
    HANDLE in, out;

    if (apart->output.size > 0) {
        if (!os_file_create(&file, apart->output, e)) {
            return false;
        }
        out = file.handle;
        SetHandleInformation(out, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    } else {
        out = CreateFileW(L"NUL", GENERIC_WRITE,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                          OPEN_EXISTING, 0, NULL);
    }
    in = CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE,
                     &inherited, OPEN_EXISTING, 0, NULL);
    if (in == INVALID_HANDLE_VALUE || out == INVALID_HANDLE_VALUE) {
        win_fail(e, "cannot open NUL");
        if (in != INVALID_HANDLE_VALUE) {
            CloseHandle(in);
        }
        if (out != INVALID_HANDLE_VALUE) {
            CloseHandle(out);
        }
        return false;
    }
    startup->dwFlags |= STARTF_USESTDHANDLES;
    startup->hStdInput = in;
    startup->hStdOutput = out;
    startup->hStdError = out;
    /* The C run-time library's own list of what it was handed. */
    startup->cbReserved2 = 0;
    startup->lpReserved2 = NULL;
    if (!apart->console && (*flags & DETACHED_PROCESS) == 0) {
        *flags |= CREATE_NO_WINDOW;
    }
    return true;
}

/* Why CreateProcess has failed; some reasons are the program's. False. */
static bool blame_start(DWORD why, struct err *e)
{
    SetLastError(why);
    win_fail(e, "cannot start");
    if (why == ERROR_ACCESS_DENIED || why == ERROR_BAD_EXE_FORMAT ||
        why == ERROR_EXE_MACHINE_TYPE_MISMATCH ||
        why == ERROR_ELEVATION_REQUIRED) {
        e->code = ERR_NOT_OURS;
    }
    return false;
}

bool os_process_launch(struct os_process *out, const uint16_t *path,
                       const uint16_t *command_line,
                       const struct os_apart *apart, struct err *e)
{
    STARTUPINFOEXW startup = { 0 };
    PROCESS_INFORMATION info;
    struct kept_handles kept;
    wchar_t *line = _wcsdup((const wchar_t *)command_line);
    HANDLE job = line == NULL ? NULL : open_job(e);
    DWORD flags = CREATE_SUSPENDED;
    DWORD why;
    BOOL ok;

    if (job == NULL) {
        free(line);
        return line != NULL ? false : err_set(e, ERR_OS, "out of memory");
    }
    /* What we were started with is what the target is to see: the same
     * standard handles, window state and reserved C run-time block. */
    GetStartupInfoW(&startup.StartupInfo);
    startup.StartupInfo.cb = sizeof(startup);
    if (title_is_our_name(startup.StartupInfo.lpTitle)) {
        startup.StartupInfo.lpTitle = NULL;
    }
    if (was_detached(&startup.StartupInfo)) {
        flags |= DETACHED_PROCESS;
    }
    if (apart != NULL && !set_apart(&startup.StartupInfo, apart, &flags, e)) {
        free(line);
        CloseHandle(job);
        return false;
    }
    if (apart != NULL) {
        keep_handles(&kept);
    }
    ok = create_in_job(&job, (const wchar_t *)path, line, flags, &startup,
                       &info);
    why = GetLastError();
    free(line);
    if (apart != NULL) {
        release_handles(&kept);
        CloseHandle(startup.StartupInfo.hStdInput);
        CloseHandle(startup.StartupInfo.hStdOutput);
    }
    if (!ok) {
        CloseHandle(job);
        return blame_start(why, e);
    }
    out->pid = info.dwProcessId;
    out->tid = info.dwThreadId;
    out->process = info.hProcess;
    out->thread = info.hThread;
    out->job = job;
    return true;
}

bool os_process_resume(struct os_process *p, struct err *e)
{
    if (ResumeThread(p->thread) == (DWORD)-1) {
        return win_fail(e, "cannot resume the program");
    }
    /* From here on it lives without us; not before, or one that was never
     * resumed would stay for ever. */
    if (p->job != NULL && !limit_job(p->job, JOB_OPEN, e)) {
        return false;
    }
    CloseHandle(p->thread);
    p->thread = NULL;
    if (p->job != NULL) {
        CloseHandle(p->job);
    }
    p->job = NULL;
    return true;
}

void os_process_terminate(struct os_process *p, uint32_t code)
{
    TerminateProcess(p->process, code);
    WaitForSingleObject(p->process, 5000);
}

bool os_process_ended(const struct os_process *p, uint32_t *code)
{
    DWORD c;

    if (WaitForSingleObject(p->process, 0) != WAIT_OBJECT_0 ||
        !GetExitCodeProcess(p->process, &c)) {
        return false;
    }
    *code = c;
    return true;
}

uint64_t os_process_end_time(const struct os_process *p)
{
    FILETIME began, ended = { 0, 0 }, kernel, user;

    return GetProcessTimes(p->process, &began, &ended, &kernel, &user)
               ? (uint64_t)ended.dwHighDateTime << 32 | ended.dwLowDateTime
               : 0;
}

/* Words of the PEB of x64, by phnt's ntpebteb.h. */
#define PEB_IMAGE_BASE 0x10
#define PEB_LDR 0x18
#define PEB_PARAMETERS 0x20
#define PEB_BYTES 0x28 /* up to there */
/* Of RTL_USER_PROCESS_PARAMETERS. */
#define PARAMETERS_FLAGS 0x08
#define PARAMETERS_COMMAND_LINE 0x70
#define PARAMETERS_BYTES 0x80 /* up to there */
#define PAGE 0x1000
#define PARAMETERS_NORMALIZED 1

static bool ask_basic(const struct os_process *p,
                      PROCESS_BASIC_INFORMATION *basic)
{
    return NtQueryInformationProcess(p->process, ProcessBasicInformation, basic,
                                     sizeof(*basic), NULL) >= 0;
}

uint64_t os_process_peb(const struct os_process *p)
{
    PROCESS_BASIC_INFORMATION basic;

    return ask_basic(p, &basic) ? (uint64_t)(ULONG_PTR)basic.PebBaseAddress : 0;
}

static uint64_t word_in(const uint8_t *bytes, size_t offset)
{
    uint64_t word;

    memcpy(&word, bytes + offset, sizeof(word));
    return word;
}

/* All that we want of its PEB, at once; zeros: it cannot be read. */
static void read_peb(const struct os_process *p, uint8_t peb[static PEB_BYTES])
{
    uint64_t at = os_process_peb(p);

    memset(peb, 0, PEB_BYTES);
    if (at != 0) {
        os_read(p, at, peb, PEB_BYTES);
    }
}

uint64_t os_process_image(const struct os_process *p)
{
    uint8_t peb[PEB_BYTES];

    if (p->image != 0) {
        return p->image;
    }
    read_peb(p, peb);
    return word_in(peb, PEB_IMAGE_BASE);
}

bool os_process_learn(struct os_process *p)
{
    uint8_t peb[PEB_BYTES];

    read_peb(p, peb);
    if (word_in(peb, PEB_LDR) != 0 || word_in(peb, PEB_IMAGE_BASE) == 0) {
        return false;
    }
    p->image = word_in(peb, PEB_IMAGE_BASE);
    p->parameters = word_in(peb, PEB_PARAMETERS);
    return true;
}

bool os_process_is_new(const struct os_process *p)
{
    struct os_process copy = *p;

    return os_process_learn(&copy);
}

bool os_process_has_begun(const struct os_process *p)
{
    uint8_t peb[PEB_BYTES];

    read_peb(p, peb);
    return word_in(peb, PEB_LDR) != 0;
}

void os_process_path(const struct os_process *p, struct buf *path)
{
    DWORD size = 0x8000;
    wchar_t *wide = malloc(size * sizeof(*wide));

    if (wide != NULL &&
        QueryFullProcessImageNameW(p->process, 0, wide, &size)) {
        os_to_utf8(path, (struct str16){ (const uint16_t *)wide, size });
    }
    free(wide);
}

void os_process_command(const struct os_process *p, struct buf *line)
{
    struct {
        uint16_t size;  // bytes
        uint16_t room;
        uint32_t pad;
        uint64_t at;
    } text;
    uint64_t parameters = p->parameters;
    uint8_t bytes[PAGE];
    size_t size;
    uint32_t flags;
    uint16_t *wide;

    if (parameters == 0) {
        uint8_t peb[PEB_BYTES];

        read_peb(p, peb);
        parameters = word_in(peb, PEB_PARAMETERS);
    }
    /* The text, as a rule, is on the same page. */
    size = PAGE - parameters % PAGE;
    if (size < PARAMETERS_BYTES) {
        size = PARAMETERS_BYTES;
    }
    if (parameters == 0 || !os_read(p, parameters, bytes, size)) {
        return;
    }
    memcpy(&flags, bytes + PARAMETERS_FLAGS, sizeof(flags));
    memcpy(&text, bytes + PARAMETERS_COMMAND_LINE, sizeof(text));
    if ((flags & PARAMETERS_NORMALIZED) == 0 && text.at < parameters) {
        text.at += parameters;
    }
    wide = malloc(text.size + 1u);
    if (wide != NULL && text.at - parameters < size &&
        text.size <= size - (text.at - parameters)) {
        memcpy(wide, bytes + (text.at - parameters), text.size);
        os_to_utf8(line, (struct str16){ wide, text.size / sizeof(*wide) });
    } else if (wide != NULL && os_read(p, text.at, wide, text.size)) {
        os_to_utf8(line, (struct str16){ wide, text.size / sizeof(*wide) });
    }
    free(wide);
}

/* True if `a` and `b` are handles on the same process. */
static bool same_process(HANDLE a, HANDLE b)
{
    DWORD id = GetProcessId(a);

    return id != 0 && id == GetProcessId(b);
}

/* One of ours on what `there` is in `from`, and its id; NULL: that is nothing
 * with an id. As a rule the kernel lets us have all rights (*full), which are
 * the first ones; else ours has the program's; where these do not suffice to ask
 * for the id, which is its affair, ours has the second ones, if it may. */
static HANDLE taken_from(const struct os_process *from, uint64_t there,
                         const ACCESS_MASK rights[2],
                         DWORD(WINAPI *id_of)(HANDLE), DWORD *id, bool *full)
{
    *id = 0;
    *full = false;
    for (int i = 0; i < 3 && there != 0; i++) {
        HANDLE own = NULL;

        if (NtDuplicateObject(from->process, (HANDLE)(ULONG_PTR)there,
                              GetCurrentProcess(), &own,
                              i == 1 ? 0 : rights[i / 2], 0,
                              i == 1 ? DUPLICATE_SAME_ACCESS : 0) < 0) {
            continue;
        }
        *id = id_of(own);
        if (*id != 0) {
            *full = i == 0;
            return own;
        }
        CloseHandle(own);
    }
    return NULL;
}

bool os_process_borrow(struct os_process *out, const struct os_process *from,
                       uint64_t process, uint64_t thread, struct err *e)
{
    static const ACCESS_MASK for_process[] = {
        PROCESS_ALL_ACCESS, PROCESS_QUERY_LIMITED_INFORMATION
    };
    static const ACCESS_MASK for_thread[] = {
        THREAD_ALL_ACCESS, THREAD_QUERY_LIMITED_INFORMATION
    };
    DWORD pid, tid;
    bool all, all_first;
    HANDLE theirs =
        taken_from(from, process, for_process, GetProcessId, &pid, &all);
    HANDLE first =
        taken_from(from, thread, for_thread, GetThreadId, &tid, &all_first);
    HANDLE full;

    if (pid == 0 || (first != NULL && GetProcessIdOfThread(first) != pid)) {
        if (theirs != NULL) {
            CloseHandle(theirs);
        }
        if (first != NULL) {
            CloseHandle(first);
        }
        return err_set(e, ERR_OS, "its handles are not those of a process");
    }
    /* What the program asked for may not suffice us. While `theirs` is open,
     * nobody else gets that id. */
    full = all ? NULL : OpenProcess(PROCESS_ALL_ACCESS, FALSE, pid);
    if (full != NULL && same_process(full, theirs)) {
        CloseHandle(theirs);
        theirs = full;
    } else if (full != NULL) {
        CloseHandle(full);
    }
    full = tid == 0 || all_first ? NULL
                                 : OpenThread(THREAD_ALL_ACCESS, FALSE, tid);
    if (full != NULL) {
        CloseHandle(first);
        first = full;
    }
    *out = (struct os_process){
        .pid = pid, .tid = tid, .process = theirs, .thread = first
    };
    return true;
}

uint32_t os_process_parent(const struct os_process *p)
{
    PROCESS_BASIC_INFORMATION basic;

    return ask_basic(p, &basic) ? (uint32_t)basic.InheritedFromUniqueProcessId
                                : 0;
}

bool os_process_is_wow64(const struct os_process *p)
{
    BOOL wow = FALSE;

    return IsWow64Process(p->process, &wow) && wow;
}

void os_process_close(struct os_process *p)
{
    if (p->job != NULL) {
        os_process_terminate(p, 1);
        CloseHandle(p->job);
    }
    if (p->thread != NULL) {
        CloseHandle(p->thread);
    }
    if (p->process != NULL) {
        CloseHandle(p->process);
    }
    *p = (struct os_process){ 0 };
}

static bool give(const struct os_process *p, HANDLE ours, ACCESS_MASK access,
                 uint64_t *handle, struct err *e)
{
    HANDLE theirs = NULL;
    NTSTATUS status = NtDuplicateObject(GetCurrentProcess(), ours, p->process,
                                        &theirs, access, OBJ_PROTECT_CLOSE, 0);

    if (status < 0) {
        return win_fail_status(e, "cannot give the program a handle",
                               (uint32_t)status);
    }
    *handle = (uint64_t)(ULONG_PTR)theirs;
    return true;
}

bool os_give_tracer(const struct os_process *p, uint64_t *handle, struct err *e)
{
    HANDLE self = OpenProcess(SYNCHRONIZE, FALSE, GetCurrentProcessId());
    bool ok;

    if (self == NULL) {
        return win_fail(e, "cannot open our own process");
    }
    ok = give(p, self, SYNCHRONIZE, handle, e);
    CloseHandle(self);
    return ok;
}

bool os_give_event(const struct os_process *p, void *event, bool may_set,
                   uint64_t *handle, struct err *e)
{
    return give(p, event, may_set ? EVENT_MODIFY_STATE : SYNCHRONIZE, handle,
                e);
}

struct os_process os_self(void)
{
    return (struct os_process){ .pid = GetCurrentProcessId(),
                                .tid = GetCurrentThreadId(),
                                .process = GetCurrentProcess() };
}
