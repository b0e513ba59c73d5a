/* SPDX-License-Identifier: MIT */
/*
 * points - calls from stacks of many forms, and what the system says of them.
 *
 * Point n calls NtClose with a handle that nobody has, POINT + 4 n, from a stack of
 * 20 functions of the program and more: plain ones, some with a frame register, with
 * large frames, with registers saved, below a sort's comparison, a callback of the
 * kernel, an exception's filter. Right behind it the same function asks
 * RtlCaptureStackBackTrace, and the program prints
 *
 *     POINT n ADDRESS ADDRESS ...
 *
 * without that function itself, for tests/check-stacks to compare. With an argument
 * it does no more than to make one such call from code that is in no module.
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINT 0x40000000
#define POINTS 1000
#define FRAMES 250
#define DEPTH 20

NTSYSAPI LONG NTAPI NtClose(HANDLE handle);

static unsigned point;
static volatile unsigned sink;
static unsigned seed = 12345;

static unsigned any(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % below;
}

static void print(void *const *frames, int count)
{
    char line[FRAMES * 19 + 32];
    int size = sprintf(line, "POINT %u", point++);

    for (int i = 0; i < count; i++) {
        size += sprintf(line + size, " %llx",
                        (unsigned long long)(ULONG_PTR)frames[i]);
    }
    puts(line);
}

__attribute__((noinline)) static void here(void)
{
    void *frames[FRAMES];

    NtClose((HANDLE)(ULONG_PTR)(POINT + 4 * point));
    print(frames, RtlCaptureStackBackTrace(1, FRAMES, frames, NULL));
}

/* The same, and its frame is told by a register that it has not saved. */
__attribute__((noinline)) static void here_framed(void)
{
    void **frames = __builtin_alloca(FRAMES * sizeof(void *) + any(300));

    NtClose((HANDLE)(ULONG_PTR)(POINT + 4 * point));
    print(frames, RtlCaptureStackBackTrace(1, FRAMES, frames, NULL));
}

/* A call with 0xb0b0..0xb0b7 in the registers that functions keep. */
void call_known(void);
__asm__(".globl call_known\n"
        "call_known:\n"
        "    push %rbx\n    push %rbp\n    push %rsi\n    push %rdi\n"
        "    push %r12\n    push %r13\n    push %r14\n    push %r15\n"
        "    sub $0x28, %rsp\n"
        "    mov $0xb0b0, %ebx\n    mov $0xb0b1, %ebp\n"
        "    mov $0xb0b2, %esi\n    mov $0xb0b3, %edi\n"
        "    mov $0xb0b4, %r12d\n    mov $0xb0b5, %r13d\n"
        "    mov $0xb0b6, %r14d\n    mov $0xb0b7, %r15d\n"
        "    mov $0x3ffffff8, %ecx\n"
        "    call *__imp_NtClose(%rip)\n"
        "    add $0x28, %rsp\n"
        "    pop %r15\n    pop %r14\n    pop %r13\n    pop %r12\n"
        "    pop %rdi\n    pop %rsi\n    pop %rbp\n    pop %rbx\n"
        "    ret\n");

static void down(unsigned depth);

__attribute__((noinline)) static void plain(unsigned depth)
{
    down(depth);
    sink++;
}

__attribute__((noinline)) static void framed(unsigned depth)
{
    char *room = __builtin_alloca(16 + any(300));

    room[0] = (char)depth;
    down(depth);
    sink += (unsigned)room[0];
}

__attribute__((noinline)) static void large(unsigned depth)
{
    volatile char room[300];

    room[any(300)] = 1;
    down(depth);
    sink += (unsigned)room[any(300)];
}

__attribute__((noinline)) static void saving(unsigned depth)
{
    unsigned a = any(9), b = any(9), c = any(9), d = any(9), e = any(9);

    down(depth);
    sink += a * b + c * d + e;
    down(0);
    sink += a + b + c + d + e;
}

__attribute__((noinline)) static void floats(unsigned depth)
{
    double a = any(9), b = any(9), c = any(7);

    down(depth);
    sink += (unsigned)(a * b + c);
}

static unsigned sorted_depth;

static int compare(const void *a, const void *b)
{
    unsigned depth = sorted_depth;

    sorted_depth = 0;
    down(depth);
    return *(const int *)a - *(const int *)b;
}

__attribute__((noinline)) static void sorting(unsigned depth)
{
    int two[2] = { 2, 1 };

    sorted_depth = depth;
    qsort(two, 2, sizeof(two[0]), compare);
    sink++;
}

/* `depth` functions more, and the point at the end of them; 0: neither. */
static void down(unsigned depth)
{
    static void (*const ways[])(unsigned) = { plain,  framed, large,
                                              saving, floats, sorting };

    if (depth == 1 && any(2)) {
        here();
    } else if (depth == 1) {
        here_framed();
    } else if (depth > 1) {
        ways[any(sizeof(ways) / sizeof(ways[0]))](depth - 1);
    }
}

static LONG CALLBACK filter(EXCEPTION_POINTERS *e)
{
    if (e->ExceptionRecord->ExceptionCode != 0xe0000001) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    down(DEPTH);
    return EXCEPTION_CONTINUE_EXECUTION;
}

static LRESULT CALLBACK window(HWND w, UINT message, WPARAM a, LPARAM b)
{
    if (message == WM_USER) {
        down(DEPTH);
        return 0;
    }
    return DefWindowProcA(w, message, a, b);
}

static DWORD WINAPI thread(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++) {
        down(DEPTH);
    }
    return 0;
}

/* sub rsp,28h; mov rax,here; call rax; add rsp,28h; ret: it has no unwind data. */
static void call_from_nowhere(void)
{
    static const unsigned char code[] = { 0x48, 0x83, 0xec, 0x28, 0x48, 0xb8,
                                          0,    0,    0,    0,    0,    0,
                                          0,    0,    0xff, 0xd0, 0x48, 0x83,
                                          0xc4, 0x28, 0xc3 };
    void (*to)(void) = here;
    unsigned char *p = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE,
                                    PAGE_EXECUTE_READWRITE);

    if (p != NULL) {
        memcpy(p, code, sizeof(code));
        memcpy(p + 6, &to, sizeof(to));
        ((void (*)(void))(void *)p)();
    }
}

int main(int argc, char **argv)
{
    WNDCLASSA class = { .lpfnWndProc = window, .lpszClassName = "stacks" };
    HANDLE t;
    HWND w;

    (void)argv;
    if (argc > 1) {
        call_from_nowhere();
        return 0;
    }
    AddVectoredExceptionHandler(1, filter);
    for (int i = 0; i < 10; i++) {
        RaiseException(0xe0000001, 0, 0, NULL);
    }
    RegisterClassA(&class);
    w = CreateWindowA("stacks", "", 0, 0, 0, 1, 1, HWND_MESSAGE, NULL, NULL,
                      NULL);
    for (int i = 0; i < 10 && w != NULL; i++) {
        SendMessageA(w, WM_USER, 0, 0);
    }
    t = CreateThread(NULL, 0, thread, NULL, 0, NULL);
    WaitForSingleObject(t, INFINITE);
    call_known();
    while (point < POINTS) {
        down(DEPTH);
    }
    return 0;
}
