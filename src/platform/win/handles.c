/* SPDX-License-Identifier: MIT */
/*
 * handles.c - which handles a process has, and what they refer to.
 *
 * The list comes from ProcessHandleInformation, where the system has that,
 * else from the list of all handles there are. Each handle is duplicated into
 * our process, asked for type and name, and closed.
 *
 * Asking a file for its name can wait as long as somebody's operation on the
 * same file object does. So only files on disks are asked; and because even
 * such a one may be in use like that (a directory that is watched), all of it
 * happens on a thread of its own, which is given up after a while. What it
 * has found by then counts. One that is not given up waits for the next
 * process: a build has many.
 *
 * Touches nothing of the process; fails if the list cannot be had.
 */
#include "platform/win/win.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define STATUS_LENGTH ((NTSTATUS)0xc0000004)
#define CLASS_PROCESS_HANDLES 51
#define CLASS_ALL_HANDLES 64
#define CLASS_OBJECT_NAME 1
#define CLASS_OBJECT_TYPE 2

/* Handles are read in pieces of this size, up to the most. */
#define LIST_FIRST (256u << 10)
#define LIST_MOST (64u << 20)
#define NAME_MOST 66000u
#define DRIVES 26
#define DRIVE_MOST 80

/* PROCESS_HANDLE_SNAPSHOT_INFORMATION and its rows. */
struct process_row {
    HANDLE handle;
    ULONG_PTR handles;
    ULONG_PTR pointers;
    ULONG access;
    ULONG type;
    ULONG attributes;
    ULONG reserved;
};
/* SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX; both lists begin with a count and a
 * reserved word. */
struct system_row {
    void *object;
    ULONG_PTR pid;
    ULONG_PTR handle;
    ULONG access;
    USHORT backtrace;
    USHORT type;
    ULONG attributes;
    ULONG reserved;
};
#define LIST_HEAD (2 * sizeof(ULONG_PTR))

/* One handle that was found; texts are behind each other in `text`. */
struct found {
    struct found *next;
    uint64_t value;
    uint32_t access;
    size_t type_size;
    size_t name_size;
    size_t path_size;
    char text[];
};

/* What the thread works on, and leaves. Belongs to two: who puts it down last
 * frees it. */
struct work {
    _Atomic int holders;
    HANDLE process;
    uint32_t pid;
    uint64_t only;                  // the one handle that is asked for; 0: all
    _Atomic(struct found *) found;  // newest first
    NTSTATUS status;
    bool drives_known;
    wchar_t drives[DRIVES][DRIVE_MOST];  // what C: is: \Device\HarddiskVolume3
};

/* --- lists --- */

typedef NTSTATUS (*ask_fn)(const struct work *w, void *to, ULONG size,
                           ULONG *need);

static NTSTATUS ask_process(const struct work *w, void *to, ULONG size,
                            ULONG *need)
{
    return NtQueryInformationProcess(
        w->process, (PROCESSINFOCLASS)CLASS_PROCESS_HANDLES, to, size, need);
}

static NTSTATUS ask_system(const struct work *w, void *to, ULONG size,
                           ULONG *need)
{
    (void)w;
    return NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)CLASS_ALL_HANDLES,
                                    to, size, need);
}

/* The thread, and its memory: both are used again. */
struct worker {
    _Atomic int state;  // enum worker_state
    HANDLE go;          // events: there is work ...
    HANDLE done;        // ... and it is done
    struct work *work;
    uint8_t *list;  // owned; `list_size` bytes
    ULONG list_size;
    uint8_t *room;  // owned, for names: 3 * NAME_MOST bytes
};
enum worker_state {
    WORKER_IDLE,
    WORKER_BUSY,
    WORKER_GIVEN_UP,  // it gives itself back
};

/* The whole list in the worker's memory; NULL: *status says why. */
static const uint8_t *list(struct worker *k, ask_fn ask, NTSTATUS *status)
{
    ULONG room = k->list_size != 0 ? k->list_size : LIST_FIRST;

    for (;;) {
        ULONG need = 0;

        if (room != k->list_size) {
            free(k->list);
            k->list = malloc(room);
            k->list_size = k->list != NULL ? room : 0;
        }
        if (k->list == NULL) {
            *status = (NTSTATUS)0xc0000017;  // STATUS_NO_MEMORY
            return NULL;
        }
        *status = ask(k->work, k->list, room, &need);
        if (*status >= 0) {
            return k->list;
        }
        if (*status != STATUS_LENGTH || room >= LIST_MOST) {
            return NULL;
        }
        room =
            need > room * 2 && need < LIST_MOST ? need + LIST_FIRST : room * 2;
    }
}

/* --- names --- */

/* The UNICODE_STRING at the head of what NtQueryObject gave. */
static struct str16 ask_object(HANDLE h, int class, void *room, ULONG size)
{
    const UNICODE_STRING *u = room;
    ULONG need = 0;
    struct str16 none = { (const uint16_t *)L"", 0 };

    if (NtQueryObject(h, (OBJECT_INFORMATION_CLASS) class, room, size, &need) <
            0 ||
        u->Buffer == NULL) {
        return none;
    }
    return (struct str16){ (const uint16_t *)u->Buffer,
                           u->Length / sizeof(wchar_t) };
}

/* What drives are is asked again after so long: 26 questions are many for each
 * of the processes that a build starts. */
#define DRIVES_MS 1000

static SRWLOCK drives_lock = SRWLOCK_INIT;
static wchar_t drives[DRIVES][DRIVE_MOST];
static uint64_t drives_time;  // GetTickCount64 when they were asked; 0: never

static void ask_drives(void)
{
    for (int i = 0; i < DRIVES; i++) {
        wchar_t drive[3] = { (wchar_t)(L'A' + i), L':', 0 };

        if (!QueryDosDeviceW(drive, drives[i], DRIVE_MOST)) {
            drives[i][0] = 0;
        }
    }
    drives_time = GetTickCount64();
}

static void learn_drives(struct work *w)
{
    w->drives_known = true;
    AcquireSRWLockExclusive(&drives_lock);
    if (drives_time == 0 || GetTickCount64() - drives_time > DRIVES_MS) {
        ask_drives();
    }
    memcpy(w->drives, drives, sizeof(drives));
    ReleaseSRWLockExclusive(&drives_lock);
}

/* \Device\HarddiskVolume3\x as \??\C:\x, as programs name files; all else as
 * it is. */
static void add_file_name(struct work *w, struct buf *b, struct str16 name)
{
    if (!w->drives_known && name.size > 0) {
        learn_drives(w);
    }
    for (int i = 0; i < DRIVES; i++) {
        size_t size = wcslen(w->drives[i]);

        if (size > 0 && name.size > size && name.p[size] == L'\\' &&
            _wcsnicmp((const wchar_t *)name.p, w->drives[i], size) == 0) {
            buf_add(b, STR("\\??\\"));
            buf_add_char(b, (char)('A' + i));
            buf_add_char(b, ':');
            name.p += size;
            name.size -= size;
            break;
        }
    }
    os_to_utf8(b, name);
}

static void add_process_name(struct buf *b, HANDLE h)
{
    wchar_t image[1024];
    DWORD size = COUNT_OF(image);
    DWORD pid = GetProcessId(h);

    if (pid == 0) {
        return;
    }
    buf_add_dec(b, pid);
    if (QueryFullProcessImageNameW(h, 0, image, &size)) {
        const wchar_t *slash = wcsrchr(image, L'\\');
        const wchar_t *file = slash != NULL ? slash + 1 : image;

        buf_add_char(b, ' ');
        os_to_utf8(b, (struct str16){ (const uint16_t *)file, wcslen(file) });
    }
}

static void add_thread_name(struct buf *b, HANDLE h)
{
    DWORD pid = GetProcessIdOfThread(h);
    DWORD tid = GetThreadId(h);

    if (pid != 0 && tid != 0) {
        buf_add_dec(b, pid);
        buf_add_char(b, '.');
        buf_add_dec(b, tid);
    }
}

/* The name of `h`, of type `type`, into `b`; true: it is a path. */
static bool add_name(struct work *w, struct buf *b, HANDLE h, str type,
                     void *room)
{
    if (str_eq(type, STR("Process"))) {
        add_process_name(b, h);
        return false;
    }
    if (str_eq(type, STR("Thread"))) {
        add_thread_name(b, h);
        return false;
    }
    if (str_eq(type, STR("File"))) {
        if (GetFileType(h) != FILE_TYPE_DISK) {
            return false;
        }
        add_file_name(w, b, ask_object(h, CLASS_OBJECT_NAME, room, NAME_MOST));
        return true;
    }
    os_to_utf8(b, ask_object(h, CLASS_OBJECT_NAME, room, NAME_MOST));
    return str_eq(type, STR("Key"));
}

/* --- the thread --- */

static void look_at(struct work *w, uint64_t value, uint32_t access,
                    uint8_t *room)
{
    static const struct str16 none;
    char type_room[64];
    struct buf type = BUF_OVER(type_room);
    char *name_room = (char *)room + NAME_MOST;
    struct buf name = { name_room, 0, 2 * NAME_MOST, false };
    str path = STR("");
    struct str16 kind = none;
    struct found *f;
    HANDLE h = NULL;

    if (NtDuplicateObject(w->process, (HANDLE)(ULONG_PTR)value,
                          GetCurrentProcess(), &h, 0, 0,
                          DUPLICATE_SAME_ACCESS) < 0) {
        return;
    }
    kind = ask_object(h, CLASS_OBJECT_TYPE, room, NAME_MOST);
    os_to_utf8(&type, kind);
    if (add_name(w, &name, h, buf_str(&type), room)) {
        path = buf_str(&name);
        if (str_starts(path, STR("\\??\\"))) {
            path = str_slice(path, 4, path.size);
        }
    }
    CloseHandle(h);
    f = malloc(sizeof(*f) + type.size + name.size + path.size);
    if (f == NULL) {
        return;
    }
    f->value = value;
    f->access = access;
    f->type_size = type.size;
    f->name_size = name.size;
    f->path_size = path.size;
    memcpy(f->text, type.p, type.size);
    memcpy(f->text + type.size, name.p, name.size);
    memcpy(f->text + type.size + name.size, path.p, path.size);
    /* Only we put something in; release: it is whole. */
    f->next = atomic_load_explicit(&w->found, memory_order_relaxed);
    atomic_store_explicit(&w->found, f, memory_order_release);
}

static bool look_at_own_list(struct worker *k)
{
    struct work *w = k->work;
    const uint8_t *p = list(k, ask_process, &w->status);
    ULONG_PTR count;

    if (p == NULL) {
        return false;
    }
    memcpy(&count, p, sizeof(count));
    for (ULONG_PTR i = 0;
         i < count &&
         LIST_HEAD + (i + 1) * sizeof(struct process_row) <= k->list_size;
         i++) {
        struct process_row row;

        memcpy(&row, p + LIST_HEAD + i * sizeof(row), sizeof(row));
        look_at(w, (uint64_t)(ULONG_PTR)row.handle, row.access, k->room);
    }
    return true;
}

static void look_at_all(struct worker *k)
{
    struct work *w = k->work;
    const uint8_t *p = list(k, ask_system, &w->status);
    ULONG_PTR count;

    if (p == NULL) {
        return;
    }
    memcpy(&count, p, sizeof(count));
    for (ULONG_PTR i = 0;
         i < count &&
         LIST_HEAD + (i + 1) * sizeof(struct system_row) <= k->list_size;
         i++) {
        struct system_row row;

        memcpy(&row, p + LIST_HEAD + i * sizeof(row), sizeof(row));
        if (row.pid == w->pid) {
            look_at(w, (uint64_t)row.handle, row.access, k->room);
        }
    }
}

static void put_down(struct work *w)
{
    struct found *f;

    if (atomic_fetch_sub(&w->holders, 1) > 1) {
        return;
    }
    f = atomic_load(&w->found);
    while (f != NULL) {
        struct found *next = f->next;

        free(f);
        f = next;
    }
    CloseHandle(w->process);
    free(w);
}

static void worker_free(struct worker *k)
{
    if (k->go != NULL) {
        CloseHandle(k->go);
    }
    if (k->done != NULL) {
        CloseHandle(k->done);
    }
    free(k->list);
    free(k->room);
    free(k);
}

static DWORD WINAPI run(void *arg)
{
    struct worker *k = arg;
    int busy = WORKER_BUSY;

    while (busy == WORKER_BUSY) {
        WaitForSingleObject(k->go, INFINITE);
        if (k->work->only != 0) {
            k->work->status = 0;
            look_at(k->work, k->work->only, 0, k->room);
        } else if (!look_at_own_list(k)) {
            look_at_all(k);
        }
        put_down(k->work);
        /* Release: it is ours no longer. */
        if (atomic_compare_exchange_strong(&k->state, &busy, WORKER_IDLE)) {
            SetEvent(k->done);
        }
    }
    worker_free(k);
    return 0;
}

/* The one that waits for work; NULL: there is none. And what it is at, if that
 * was asked for ahead. Of the main thread alone. */
static struct worker *idle;
static struct work *ahead;

static struct worker *worker_open(void)
{
    struct worker *k = calloc(1, sizeof(*k));
    HANDLE thread = NULL;

    if (k == NULL) {
        return NULL;
    }
    k->go = CreateEventW(NULL, FALSE, FALSE, NULL);
    k->done = CreateEventW(NULL, FALSE, FALSE, NULL);
    k->room = malloc(3 * (size_t)NAME_MOST);
    if (k->go != NULL && k->done != NULL && k->room != NULL) {
        thread = CreateThread(NULL, 0, run, k, 0, NULL);
    }
    if (thread == NULL) {
        worker_free(k);
        return NULL;
    }
    CloseHandle(thread);
    return k;
}

/* `k` is to do it; `only` as in struct work. NULL without memory. */
static struct work *worker_begin(struct worker *k, const struct os_process *p,
                                 uint64_t only)
{
    struct work *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        return NULL;
    }
    atomic_store(&w->holders, 2);
    w->pid = p->pid;
    w->only = only;
    w->status = (NTSTATUS)0xc0000017;  // STATUS_NO_MEMORY
    if (!DuplicateHandle(GetCurrentProcess(), p->process, GetCurrentProcess(),
                         &w->process, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        free(w);
        return NULL;
    }
    k->work = w;
    atomic_store(&k->state, WORKER_BUSY);
    SetEvent(k->go);
    return w;
}

/* True: it has done what it began within `ms`; false: it is given up. */
static bool worker_end(struct worker *k, uint32_t ms)
{
    int busy = WORKER_BUSY;

    if (WaitForSingleObject(k->done, ms) != WAIT_OBJECT_0) {
        if (atomic_compare_exchange_strong(&k->state, &busy, WORKER_GIVEN_UP)) {
            return false;
        }
        WaitForSingleObject(k->done, INFINITE);
    }
    return true;
}

/* What was asked for ahead, and nobody wants. */
static void drop_ahead(void)
{
    if (ahead == NULL) {
        return;
    }
    if (!worker_end(idle, 0)) {
        idle = NULL;
    }
    put_down(ahead);
    ahead = NULL;
}

static void begin_ahead(const struct os_process *p, uint64_t only)
{
    drop_ahead();
    if (idle == NULL) {
        idle = worker_open();
    }
    if (idle != NULL) {
        ahead = worker_begin(idle, p, only);
    }
}

void os_handles_ahead(const struct os_process *p)
{
    begin_ahead(p, 0);
}

static void tell_found(struct found *f,
                       void (*each)(void *ctx, const struct os_handle *h),
                       void *ctx)
{
    for (; f != NULL; f = f->next) {
        const char *at = f->text;
        struct os_handle h = { .value = f->value, .access = f->access };

        h.type = (str){ at, f->type_size };
        h.name = (str){ at + f->type_size, f->name_size };
        h.path = (str){ at + f->type_size + f->name_size, f->path_size };
        each(ctx, &h);
    }
}

/* `only`: as in struct work. */
static bool query(const struct os_process *p, uint64_t only, uint32_t ms,
                  void (*each)(void *ctx, const struct os_handle *h), void *ctx,
                  struct err *e)
{
    struct work *w;
    bool over;
    bool ok;

    if (ahead == NULL || ahead->pid != p->pid || ahead->only != only) {
        begin_ahead(p, only);
    }
    w = ahead;
    ahead = NULL;
    if (w == NULL) {
        return err_set(e, ERR_OS, "cannot ask for the program's handles");
    }
    over = worker_end(idle, ms);
    if (!over) {
        idle = NULL;
    }
    /* Acquire: each is whole. Pairs with the release in look_at. */
    tell_found(atomic_load_explicit(&w->found, memory_order_acquire), each,
               ctx);
    ok = over && w->status >= 0;
    if (!over) {
        err_set(e, ERR_OS,
                "one of the program's handles does not tell its "
                "name");
    } else if (!ok) {
        win_fail_status(e, "cannot ask for the program's handles",
                        (uint32_t)w->status);
    }
    put_down(w);
    return ok;
}

bool os_handles_query(const struct os_process *p, uint32_t ms,
                      void (*each)(void *ctx, const struct os_handle *h),
                      void *ctx, struct err *e)
{
    return query(p, 0, ms, each, ctx, e);
}

bool os_handle_query(const struct os_process *p, uint64_t value, uint32_t ms,
                     void (*each)(void *ctx, const struct os_handle *h),
                     void *ctx, struct err *e)
{
    return query(p, value, ms, each, ctx, e);
}
