/* SPDX-License-Identifier: MIT */
/*
 * sequence.c - is a trace of `loop -n` whole?
 *
 *   sequence THREADS CALLS <TRACE
 *
 * Of each thread every numbered call must be there once, in order, with its
 * result; THREADS threads must have made CALLS each; nothing may be reported
 * lost. Prints one line, "N calls of N threads, N lost", or what is wrong
 * first. Exit status 0 if the trace is whole, 1 if not, 2 for a usage error.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 256
#define NAME "NtFlushInstructionCache"

struct thread {
    char name[32];  // PID.TID
    uint64_t last;  // the last number seen
    bool open;      // its result is still to come
};

static struct thread threads[THREADS_MAX];
static size_t thread_count;
static uint64_t line_number;

static void wrong(const char *what, const char *line)
{
    printf("line %llu: %s: %s", (unsigned long long)line_number, what, line);
    exit(1);
}

static struct thread *thread_of(const char *line, size_t size)
{
    struct thread *t = NULL;

    for (size_t i = 0; i < thread_count; i++) {
        t = &threads[i];
        if (strncmp(t->name, line, size) == 0 && t->name[size] == '\0') {
            return t;
        }
    }
    if (thread_count == THREADS_MAX || size >= sizeof(t->name)) {
        wrong("too many threads", line);
    }
    t = &threads[thread_count++];
    memcpy(t->name, line, size);
    return t;
}

static bool returned_0(const char *text)
{
    return strstr(text, ") = 0\n") != NULL;
}

/* `rest`: behind the opening parenthesis. */
static void call(struct thread *t, const char *rest, const char *line)
{
    const char *second = strchr(rest, ',');
    char *end;
    uint64_t number;

    if (second == NULL) {
        wrong("no second argument", line);
    }
    second += 2;
    if (strncmp(second, "BaseAddress=", 12) == 0) {
        second += 12;
    }
    number = strtoull(second, &end, 0);
    if (t->open || number != t->last + 1) {
        wrong("not the next one", line);
    }
    t->last = number;
    t->open = strstr(end, " <unfinished ...>\n") != NULL;
    if (!t->open && !returned_0(end)) {
        wrong("without its result", line);
    }
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    uint64_t calls = 0, lost = 0, want;
    size_t want_threads;

    if (argc != 3) {
        fprintf(stderr, "usage: sequence THREADS CALLS <TRACE\n");
        return 2;
    }
    want_threads = strtoul(argv[1], NULL, 0);
    want = strtoull(argv[2], NULL, 0);
    while (getline(&line, &room, stdin) > 0) {
        const char *space = strchr(line, ' ');
        const char *text = space == NULL ? line : space + 1;

        line_number++;
        if (strncmp(text, "+++ lost ", 9) == 0) {
            lost += strtoull(text + 9, NULL, 0);
        } else if (strncmp(text, NAME "(", strlen(NAME) + 1) == 0) {
            call(thread_of(line, (size_t)(space - line)),
                 text + strlen(NAME) + 1, line);
            calls++;
        } else if (strncmp(text, "<... " NAME " resumed>",
                           strlen("<... " NAME " resumed>")) == 0) {
            struct thread *t = thread_of(line, (size_t)(space - line));

            if (!t->open || !returned_0(text)) {
                wrong("a result of no call", line);
            }
            t->open = false;
        }
    }
    for (size_t i = 0; i < thread_count; i++) {
        if (threads[i].last != want || threads[i].open) {
            printf("thread %s: %llu of %llu calls\n", threads[i].name,
                   (unsigned long long)threads[i].last,
                   (unsigned long long)want);
            return 1;
        }
    }
    printf("%llu calls of %zu threads, %llu lost\n", (unsigned long long)calls,
           thread_count, (unsigned long long)lost);
    free(line);
    return lost != 0 || thread_count != want_threads;
}
