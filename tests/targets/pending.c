/* SPDX-License-Identifier: MIT */
/*
 * pending - calls that return STATUS_PENDING, and what they fill later: reads
 * of a pipe whose end is told by a completion port, by an event, by an APC and
 * by looking alone; a receive of a socket, a change in a directory, a read that
 * is cancelled, and two whose memory is gone when the data come. The trace
 * shows each with its data, once, and what is nobody's to read not at all.
 */
#define DECODED
#include <winsock2.h>

#include "nt.h"

#define PIPE_NAME "\\\\.\\pipe\\ntstrace-pending"

static DWORD tid;
static HANDLE server, client;

static void connect_pipe(void)
{
    server =
        CreateNamedPipeA(PIPE_NAME, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                         PIPE_TYPE_BYTE | PIPE_WAIT, 1, 4096, 4096, 0, NULL);
    client = CreateFileA(PIPE_NAME, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                         OPEN_EXISTING, 0, NULL);
    CHECK(server != INVALID_HANDLE_VALUE && client != INVALID_HANDLE_VALUE);
}

static void send_text(const char *text)
{
    DWORD got;

    CHECK(WriteFile(client, text, (DWORD)strlen(text), &got, NULL));
}

/* A read that has to wait. */
static void begin_read(void *buffer, DWORD size, OVERLAPPED *o)
{
    CHECK(!ReadFile(server, buffer, size, NULL, o) &&
          GetLastError() == ERROR_IO_PENDING);
    expect("SEQ", tid,
           "NtReadFile(FileHandle=0x%llx<*pending>, *IoStatusBlock=0x%llx, "
           "Buffer=0x%llx, *) = 0x103 STATUS_PENDING",
           u64_of(server), u64_of(o), u64_of(buffer));
}

static void expect_data(const char *what, const OVERLAPPED *o, const char *text)
{
    expect(what, tid,
           "--- COMPLETION STATUS_SUCCESS {Call=NtReadFile, "
           "FileHandle=0x%llx<*pending>, IoStatusBlock=0x%llx, "
           "Information=%zu, Buffer=b\"%s\"} ---",
           u64_of(server), u64_of(o), strlen(text), text);
}

static void by_event(void)
{
    OVERLAPPED o = { .hEvent = CreateEventA(NULL, TRUE, FALSE, NULL) };
    char buffer[64];
    DWORD got;

    begin_read(buffer, sizeof buffer, &o);
    send_text("by event");
    CHECK(WaitForSingleObject(o.hEvent, 10000) == WAIT_OBJECT_0);
    CHECK(GetOverlappedResult(server, &o, &got, TRUE) && got == 8);
    expect("SEQ", tid, "NtWaitFor*Object*(*0x%llx<Event>*) = 0",
           u64_of(o.hEvent));
    expect_data("NEXT", &o, "by event");
    CloseHandle(o.hEvent);
}

static void CALLBACK routine(DWORD error, DWORD got, OVERLAPPED *o)
{
    (void)o;
    CHECK(error == 0 && got == 6);
}

static void by_apc(void)
{
    OVERLAPPED o = { 0 };
    char buffer[64];

    CHECK(ReadFileEx(server, buffer, sizeof buffer, &o, routine));
    send_text("by apc");
    CHECK(SleepEx(10000, TRUE) == WAIT_IO_COMPLETION);
    expect_data("SEQ", &o, "by apc");
}

static void by_port(void)
{
    HANDLE port = CreateIoCompletionPort(server, NULL, 7, 0);
    OVERLAPPED o = { 0 }, *done = NULL;
    char buffer[64];
    ULONG_PTR key;
    DWORD got;

    begin_read(buffer, sizeof buffer, &o);
    send_text("by port");
    CHECK(GetQueuedCompletionStatus(port, &got, &key, &done, 10000) &&
          done == &o && got == 7);
    expect("SEQ", tid, "NtRemoveIoCompletion(*ApcContext=[0x%llx]*) = 0",
           u64_of(&o));
    expect_data("NEXT", &o, "by port");
    CloseHandle(port);
}

/* Nothing is called between the end of the first read and the second, which
 * has the same block: that shows the end of the first one. It is not by Win32,
 * which would put STATUS_PENDING into the block before. */
static void by_looking(void)
{
    static struct nt_iosb block;
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    volatile NTSTATUS *status = &block.status;
    char first[64], second[64];

    block.status = 0x103;
    CHECK(NtReadFile(server, event, NULL, NULL, &block, first, sizeof first,
                     NULL, NULL) == 0x103);
    send_text("one");
    for (int i = 0; i < 2000000000 && *status == 0x103; i++) {
        YieldProcessor();
    }
    CHECK(*status == 0);
    CHECK(NtReadFile(server, event, NULL, NULL, &block, second, sizeof second,
                     NULL, NULL) == 0x103);
    expect("SEQ", tid,
           "--- COMPLETION STATUS_SUCCESS {Call=NtReadFile, "
           "FileHandle=0x%llx<*pending>, IoStatusBlock=0x%llx, "
           "Information=3, Buffer=b\"one\"} ---",
           u64_of(server), u64_of(&block));
    expect("NEXT", tid,
           "NtReadFile(FileHandle=0x%llx<*pending>, *) = 0x103 STATUS_PENDING",
           u64_of(server));
    send_text("two");
    CHECK(WaitForSingleObject(event, 10000) == WAIT_OBJECT_0);
    CHECK(memcmp(second, "two", 3) == 0);
    CloseHandle(event);
}

static void cancelled(void)
{
    OVERLAPPED o = { .hEvent = CreateEventA(NULL, TRUE, FALSE, NULL) };
    char buffer[64] = "not to be seen";
    DWORD got;

    begin_read(buffer, sizeof buffer, &o);
    CHECK(CancelIoEx(server, &o));
    CHECK(!GetOverlappedResult(server, &o, &got, TRUE) &&
          GetLastError() == ERROR_OPERATION_ABORTED);
    expect("SEQ", tid,
           "--- COMPLETION STATUS_CANCELLED {Call=NtReadFile, "
           "FileHandle=0x%llx<*pending>, IoStatusBlock=0x%llx, "
           "Information=0} ---",
           u64_of(server), u64_of(&o));
    CloseHandle(o.hEvent);
}

/* The thread that is told is another one. */
static OVERLAPPED elsewhere;

static DWORD WINAPI wait_for_it(void *unused)
{
    (void)unused;
    return WaitForSingleObject(elsewhere.hEvent, 10000);
}

static void by_another_thread(void)
{
    char buffer[64];
    HANDLE thread;
    DWORD other;

    elsewhere.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    begin_read(buffer, sizeof buffer, &elsewhere);
    thread = CreateThread(NULL, 0, wait_for_it, NULL, 0, &other);
    Sleep(50);
    send_text("elsewhere");
    CHECK(WaitForSingleObject(thread, 10000) == WAIT_OBJECT_0);
    expect_all("COUNT",
               "1 --- COMPLETION STATUS_SUCCESS {Call=NtReadFile, "
               "FileHandle=0x%llx<*pending>, IoStatusBlock=0x%llx, "
               "Information=9, Buffer=b\"elsewhere\"} ---",
               u64_of(server), u64_of(&elsewhere));
    CloseHandle(thread);
    CloseHandle(elsewhere.hEvent);
}

static void *a_page(void)
{
    return VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
}

/* The page of the block is nobody's any more when a wait ends: nothing is
 * known of that call, and nothing happens to the program. */
static void without_block(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    OVERLAPPED *o = a_page();
    char buffer[64];
    DWORD was;

    o->hEvent = event;
    begin_read(buffer, sizeof buffer, o);
    CHECK(VirtualProtect(o, 4096, PAGE_NOACCESS, &was));
    CHECK(WaitForSingleObject(event, 1) == WAIT_TIMEOUT);
    CHECK(VirtualProtect(o, 4096, PAGE_READWRITE, &was));
    send_text("no block");
    CHECK(WaitForSingleObject(event, 10000) == WAIT_OBJECT_0);
    expect_all("COUNT", "0 --- COMPLETION *IoStatusBlock=0x%llx*", u64_of(o));
    VirtualFree(o, 0, MEM_RELEASE);
    CloseHandle(event);
}

/* The data came, and their page is gone before anybody could look. */
static void without_buffer(void)
{
    OVERLAPPED o = { .hEvent = CreateEventA(NULL, TRUE, FALSE, NULL) };
    volatile ULONG_PTR *status = &o.Internal;
    char *buffer = a_page();

    begin_read(buffer, 64, &o);
    send_text("no buffer");
    for (int i = 0; i < 2000000000 && *status == 0x103; i++) {
        YieldProcessor();
    }
    CHECK(VirtualFree(buffer, 0, MEM_RELEASE));
    CHECK(WaitForSingleObject(o.hEvent, 10000) == WAIT_OBJECT_0);
    expect("SEQ", tid,
           "--- COMPLETION STATUS_SUCCESS {Call=NtReadFile, "
           "FileHandle=0x%llx<*pending>, IoStatusBlock=0x%llx, "
           "Information=9} ---",
           u64_of(server), u64_of(&o));
    CloseHandle(o.hEvent);
}

static void receive(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    SOCKET listening = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    SOCKET here = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), there;
    WSAOVERLAPPED o = { .hEvent = CreateEventA(NULL, TRUE, FALSE, NULL) };
    char head[4], rest[64];
    WSABUF buffers[2] = { { sizeof head, head }, { sizeof rest, rest } };
    int size = sizeof at;
    DWORD flags = 0, got;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listening, (struct sockaddr *)&at, size) == 0);
    CHECK(getsockname(listening, (struct sockaddr *)&at, &size) == 0);
    CHECK(listen(listening, 1) == 0);
    CHECK(connect(here, (struct sockaddr *)&at, size) == 0);
    there = accept(listening, NULL, NULL);
    CHECK(there != INVALID_SOCKET);
    CHECK(WSARecv(here, buffers, 2, NULL, &flags, &o, NULL) == SOCKET_ERROR &&
          WSAGetLastError() == WSA_IO_PENDING);
    CHECK(send(there, "pending data", 12, 0) == 12);
    CHECK(WSAGetOverlappedResult(here, &o, &got, TRUE, &flags) && got == 12);
    expect("SEQ", tid,
           "--- COMPLETION STATUS_SUCCESS {Call=NtDeviceIoControlFile, "
           "FileHandle=0x%llx<TCP* 127.0.0.1:%u>, IoStatusBlock=0x%llx, "
           "Information=12, IoControlCode=IOCTL_AFD_*, "
           "InputBuffer={*[{len=4, buf=b\"pend\"}, {len=64, "
           "buf=b\"ing data\"}]*}} ---",
           (unsigned long long)here, (unsigned)ntohs(at.sin_port), u64_of(&o));
    closesocket(here);
    closesocket(there);
    closesocket(listening);
    CloseHandle(o.hEvent);
}

static void change(void)
{
    OVERLAPPED o = { .hEvent = CreateEventA(NULL, TRUE, FALSE, NULL) };
    char folder[MAX_PATH], file[MAX_PATH + 16];
    static DWORD buffer[256];
    HANDLE dir, made;
    DWORD got;

    GetTempPathA(sizeof folder, folder);
    snprintf(file, sizeof file, "%spending.new", folder);
    dir = CreateFileA(folder, FILE_LIST_DIRECTORY,
                      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                      NULL, OPEN_EXISTING,
                      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
    CHECK(dir != INVALID_HANDLE_VALUE);
    CHECK(ReadDirectoryChangesW(dir, buffer, sizeof buffer, FALSE,
                                FILE_NOTIFY_CHANGE_FILE_NAME, NULL, &o, NULL));
    made = CreateFileA(file, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                       FILE_FLAG_DELETE_ON_CLOSE, NULL);
    CHECK(made != INVALID_HANDLE_VALUE);
    CHECK(GetOverlappedResult(dir, &o, &got, TRUE));
    expect("SEQ", tid,
           "--- COMPLETION STATUS_* {Call=NtNotifyChangeDirectoryFile*, "
           "FileHandle=0x%llx<*>, IoStatusBlock=0x%llx, Information=*, "
           "Buffer=*pending.new*} ---",
           u64_of(dir), u64_of(&o));
    CloseHandle(made);
    CloseHandle(dir);
    CloseHandle(o.hEvent);
}

/* `alone`: no more than what is the same in each run. */
int main(int argc, char **argv)
{
    WSADATA data;

    (void)argv;
    target_begin();
    tid = GetCurrentThreadId();
    connect_pipe();
    by_event();
    by_apc();
    by_looking();
    cancelled();
    if (argc > 1) {
        return target_end();
    }
    CHECK(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    by_another_thread();
    without_block();
    without_buffer();
    receive();
    change();
    by_port();
    WSACleanup();
    return target_end();
}
