/* SPDX-License-Identifier: MIT */
/*
 * native.c - loop.c for Linux: what strace costs such a program.
 *
 *   native CALLS ROUNDS
 *
 * In a round CALLS calls of getppid, the cheapest there are, after a tenth as
 * many that do not count. Prints a line a round, as loop.c does:
 *
 *   round 1 NS           nanoseconds a call
 *
 * Exit status 2 for a usage error.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double ns_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void make(uint64_t calls)
{
    for (uint64_t i = 0; i < calls; i++) {
        syscall(SYS_getppid);
    }
}

int main(int argc, char **argv)
{
    uint64_t calls = argc == 3 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t rounds = argc == 3 ? strtoull(argv[2], NULL, 0) : 0;

    if (calls == 0 || rounds == 0) {
        fprintf(stderr, "usage: native CALLS ROUNDS\n");
        return 2;
    }
    for (uint64_t i = 0; i < rounds; i++) {
        double from;

        make(calls / 10);
        from = ns_now();
        make(calls);
        printf("round 1 %.2f\n", (ns_now() - from) / (double)calls);
    }
    return 0;
}
