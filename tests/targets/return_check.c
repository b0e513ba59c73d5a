/* SPDX-License-Identifier: MIT */
/*
 * return_check - does a real return from the kernel reach the program with
 * every register as it was when the agent's callback was entered?
 *
 * Run under the tracer (ring engine). Puts a callback of its own in front of
 * the agent's: that one saves every register, all flags, and the vector, x87
 * and mask registers, lets the stub return to a checker, and goes on to the
 * agent's callback. The stub's `ret` leads to the checker, which compares,
 * then goes on where the call was made. (There is no way to ask which callback
 * is registered; the agent is found by the first bytes of its image.)
 *
 * Before each call the registers are filled with numbers of chance; flags as
 * well before the agent's callback, for at a stub's return they are few.
 *
 * Arguments: how many returns; default 100000. Prints `returns checked: N`,
 * exit status 0; what differs, 1; `no agent here`, 77.
 */
#include "target.h"

#include <cpuid.h>

NTSYSAPI NTSTATUS NTAPI NtSetInformationProcess(HANDLE process, int info_class,
                                                void *info, ULONG length);

#define PROCESS_INSTRUMENTATION_CALLBACK 40

/* The first words of the agent image, as src/wire/image.h has them. */
#define AGENT_MAGIC 0x746e656761734e54ull
struct agent_head {
    uint64_t magic;
    uint32_t size, config, stubs, entry, callback;
};

#define VECTOR_ROOM 4096

/* rax rcx rdx rbx rsp rbp rsi rdi r8-r15 flags */
struct registers {
    uint64_t r[17];
};

static const char *const names[17] = { "rax", "rcx",  "rdx", "rbx", "rsp",
                                       "rbp", "rsi",  "rdi", "r8",  "r9",
                                       "r10", "r11",  "r12", "r13", "r14",
                                       "r15", "flags" };

/* Shared with the assembly below; one thread is watched. */
__attribute__((used)) uint64_t watched_teb, watching, busy, goes_on, real, stub;
__attribute__((used)) uint64_t flags_then;  // for the agent's callback
__attribute__((used)) uint64_t own_rsp, vector_mask;
__attribute__((used)) struct registers saved, found, given;
__attribute__((used)) _Alignas(64) uint8_t saved_vectors[VECTOR_ROOM];
__attribute__((used)) _Alignas(64) uint8_t found_vectors[VECTOR_ROOM];
__attribute__((used)) _Alignas(64) uint8_t given_vectors[VECTOR_ROOM];
__attribute__((used)) _Alignas(64) uint8_t own_vectors[VECTOR_ROOM];
__attribute__((used)) _Alignas(64) uint8_t checker_stack[0x4000];

void front(void);
/* Fills the registers with `given`, calls `function` with (-1, `a2`, 0,
 * `a4`, 3, 0) and that direction flag, fills them with C's own again. */
NTSTATUS call_with(void *function, uint64_t a2, void *a4, uint64_t flags);

/* clang-format off */
__asm__(
    "    .macro each_to where\n"
    "    movq %rax, \\where+0x00(%rip)\n"
    "    movq %rcx, \\where+0x08(%rip)\n"
    "    movq %rdx, \\where+0x10(%rip)\n"
    "    movq %rbx, \\where+0x18(%rip)\n"
    "    movq %rsp, \\where+0x20(%rip)\n"
    "    movq %rbp, \\where+0x28(%rip)\n"
    "    movq %rsi, \\where+0x30(%rip)\n"
    "    movq %rdi, \\where+0x38(%rip)\n"
    "    movq %r8, \\where+0x40(%rip)\n"
    "    movq %r9, \\where+0x48(%rip)\n"
    "    movq %r10, \\where+0x50(%rip)\n"
    "    movq %r11, \\where+0x58(%rip)\n"
    "    movq %r12, \\where+0x60(%rip)\n"
    "    movq %r13, \\where+0x68(%rip)\n"
    "    movq %r14, \\where+0x70(%rip)\n"
    "    movq %r15, \\where+0x78(%rip)\n"
    "    pushfq\n"
    "    popq \\where+0x80(%rip)\n"
    "    .endm\n"
    "    .macro each_from where\n"
    "    movq \\where+0x00(%rip), %rax\n"
    "    movq \\where+0x08(%rip), %rcx\n"
    "    movq \\where+0x10(%rip), %rdx\n"
    "    movq \\where+0x18(%rip), %rbx\n"
    "    movq \\where+0x20(%rip), %rsp\n"
    "    movq \\where+0x28(%rip), %rbp\n"
    "    movq \\where+0x30(%rip), %rsi\n"
    "    movq \\where+0x38(%rip), %rdi\n"
    "    movq \\where+0x40(%rip), %r8\n"
    "    movq \\where+0x48(%rip), %r9\n"
    "    movq \\where+0x50(%rip), %r10\n"
    "    movq \\where+0x58(%rip), %r11\n"
    "    movq \\where+0x60(%rip), %r12\n"
    "    movq \\where+0x68(%rip), %r13\n"
    "    movq \\where+0x70(%rip), %r14\n"
    "    movq \\where+0x78(%rip), %r15\n"
    "    .endm\n"
    "    .macro vectors instruction, where\n"
    "    movl vector_mask(%rip), %eax\n"
    "    movl vector_mask+4(%rip), %edx\n"
    "    \\instruction \\where(%rip)\n"
    "    .endm\n"
    "    .text\n"
    /* In: as the kernel enters a callback. Other threads, other ways into user
     * mode, and calls that the agent itself makes pass unseen. */
    "    .globl front\n"
    "front:\n"
    "    pushfq\n"
    "    pushq %rax\n"
    "    movq %gs:0x30, %rax\n"
    "    cmpq watched_teb(%rip), %rax\n"
    "    jne 1f\n"
    "    cmpq $0, watching(%rip)\n"
    "    je 1f\n"
    "    cmpq $0, busy(%rip)\n"
    "    jne 1f\n"
    /* Behind the stub's `syscall` or `int 2eh`? */
    "    movq %r10, %rax\n"
    "    subq stub(%rip), %rax\n"
    "    subq $0x14, %rax\n"
    "    cmpq $3, %rax\n"
    "    ja 1f\n"
    "    movq $1, busy(%rip)\n"
    "    popq %rax\n"
    "    addq $8, %rsp\n"
    "    pushq flags_then(%rip)\n"
    "    popfq\n"
    "    each_to saved\n"
    "    movq (%rsp), %rax\n"
    "    movq %rax, goes_on(%rip)\n"
    "    leaq checker(%rip), %rax\n"
    "    movq %rax, (%rsp)\n"
    "    vectors xsave64, saved_vectors\n"
    "    movq saved+0x00(%rip), %rax\n"
    "    movq saved+0x10(%rip), %rdx\n"
    "    jmp *real(%rip)\n"
    "1:\n"
    "    popq %rax\n"
    "    popfq\n"
    "    jmp *real(%rip)\n"
    /* The stub has returned to here. */
    "checker:\n"
    "    each_to found\n"
    "    vectors xsave64, found_vectors\n"
    "    leaq checker_stack+0x3fc0(%rip), %rsp\n"
    "    cld\n"
    "    fninit\n"
    "    call compare\n"
    "    vectors xrstor64, found_vectors\n"
    "    leaq found+0x80(%rip), %rsp\n"
    "    popfq\n"
    "    each_from found\n"
    "    movq $0, busy(%rip)\n"
    "    jmp *goes_on(%rip)\n"
    "    .globl call_with\n"
    "call_with:\n"
    "    pushq %rbx\n"
    "    pushq %rbp\n"
    "    pushq %rsi\n"
    "    pushq %rdi\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, own_rsp(%rip)\n"
    "    movq %rcx, %r10\n"
    "    movq %rdx, %rcx\n"
    "    movq %r9, %r11\n"
    "    movq %r8, %r9\n"
    "    vectors xsave64, own_vectors\n"
    "    vectors xrstor64, given_vectors\n"
    "    subq $0x48, %rsp\n"
    "    movq $3, 0x20(%rsp)\n"
    "    movq $0, 0x28(%rsp)\n"
    "    movq given+0x18(%rip), %rbx\n"
    "    movq given+0x28(%rip), %rbp\n"
    "    movq given+0x30(%rip), %rsi\n"
    "    movq given+0x38(%rip), %rdi\n"
    "    movq given+0x60(%rip), %r12\n"
    "    movq given+0x68(%rip), %r13\n"
    "    movq given+0x70(%rip), %r14\n"
    "    movq given+0x78(%rip), %r15\n"
    "    xorl %r8d, %r8d\n"
    "    movq %rcx, %rdx\n"
    "    movq $-1, %rcx\n"
    "    pushq %r11\n"
    "    popfq\n"
    "    call *%r10\n"
    "    cld\n"
    "    movq own_rsp(%rip), %rsp\n"
    "    movl %eax, %ebx\n"
    "    vectors xrstor64, own_vectors\n"
    "    movl %ebx, %eax\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rdi\n"
    "    popq %rsi\n"
    "    popq %rbp\n"
    "    popq %rbx\n"
    "    ret\n");
/* clang-format on */

static uint64_t checked;
static int bad_register = -1;  // the first that differed
static int bad_vector = -1;    // XSAVE byte

/* On a stack of its own: nothing here may call the system. */
__attribute__((used)) void compare(void)
{
    checked++;
    found.r[4] -= 8;  // the stub's `ret`
    for (int i = 0; i < 17; i++) {
        if (saved.r[i] != found.r[i] && bad_register < 0) {
            bad_register = i;
            given.r[0] = saved.r[i];
            given.r[1] = found.r[i];
        }
    }
    found.r[4] += 8;
    /* 464-575: room for software, and the header, which may say "initial"
     * or not for the same contents. */
    for (int i = 0; i < VECTOR_ROOM; i++) {
        if ((i < 464 || i >= 576) && saved_vectors[i] != found_vectors[i] &&
            bad_vector < 0) {
            bad_vector = i;
        }
    }
}

static uint64_t chance(void)
{
    static uint64_t z = 0x123456789;

    z ^= z << 13;
    z ^= z >> 7;
    z ^= z << 17;
    return z;
}

static uint64_t find_agent(void)
{
    MEMORY_BASIC_INFORMATION m;
    uint8_t *at = NULL;

    while (VirtualQuery(at, &m, sizeof m) == sizeof m) {
        const struct agent_head *head = m.BaseAddress;

        if (m.State == MEM_COMMIT && m.Type == MEM_PRIVATE &&
            m.Protect == PAGE_EXECUTE_READ &&
            m.BaseAddress == m.AllocationBase && head->magic == AGENT_MAGIC &&
            head->callback < head->size && head->size <= m.RegionSize) {
            return (uint64_t)(uintptr_t)head + head->callback;
        }
        at = (uint8_t *)m.BaseAddress + m.RegionSize;
    }
    return 0;
}

static bool set_callback(uint64_t callback)
{
    struct {
        uint32_t version, reserved;
        uint64_t callback;
    } info = { 0, 0, callback };

    return NtSetInformationProcess(THIS_PROCESS,
                                   PROCESS_INSTRUMENTATION_CALLBACK, &info,
                                   sizeof info) >= 0;
}

static void give(void)
{
    uint64_t word;

    for (int i = 0; i < 17; i++) {
        given.r[i] = chance();
    }
    for (size_t i = 0; i < sizeof given_vectors; i += 8) {
        word = chance();
        memcpy(given_vectors + i, &word, 8);
    }
    memset(given_vectors + 464, 0, 112);
    memcpy(given_vectors + 512, &vector_mask, 8);
    /* Control words that let the system compute. */
    word = 0x037f | (chance() & 0xc00);
    memcpy(given_vectors, &word, 4);  // x87 control and status
    word = 0x1f80 | (chance() & 0xe03f);
    memcpy(given_vectors + 24, &word, 4);  // MXCSR
}

int main(int argc, char **argv)
{
    uint64_t wanted = number_arg(argc, argv, 1, 100000);
    unsigned a, b, c = 0, d, low, high;

    target_begin();
    real = find_agent();
    if (real == 0) {
        printf("no agent here\n");
        return 77;
    }
    __get_cpuid(1, &a, &b, &c, &d);
    if ((c & bit_OSXSAVE) == 0) {
        printf("no XSAVE here\n");
        return 77;
    }
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    vector_mask = low & 0xe7;  // x87, SSE, AVX, AVX-512
    stub = (uint64_t)(uintptr_t)GetProcAddress(GetModuleHandleA("ntdll.dll"),
                                               "NtQueryVirtualMemory");
    watched_teb = (uint64_t)(uintptr_t)NtCurrentTeb();
    if (!set_callback((uint64_t)(uintptr_t)front)) {
        printf("the callback could not be set\n");
        return 1;
    }
    for (uint64_t i = 0; checked < wanted && i < wanted + 1000; i++) {
        give();
        flags_then = 0x202 | (chance() & 0xcd5);
        watching = 1;
        call_with((void *)(uintptr_t)stub, i, mark_room, chance() & 0x4d5);
        watching = 0;
        if (bad_register >= 0 || bad_vector >= 0) {
            break;
        }
    }
    set_callback(real);
    if (bad_register >= 0) {
        printf("return %llu: %s was %#llx, is %#llx\n",
               (unsigned long long)checked, names[bad_register],
               (unsigned long long)given.r[0], (unsigned long long)given.r[1]);
    }
    if (bad_vector >= 0) {
        printf("return %llu: vector state differs, first at XSAVE byte %d\n",
               (unsigned long long)checked, bad_vector);
    }
    printf("returns checked: %llu\n", (unsigned long long)checked);
    return bad_register >= 0 || bad_vector >= 0 || checked != wanted;
}
