/* SPDX-License-Identifier: MIT */
/*
 * output.h - whole lines of the trace on their way out.
 *
 * To a file of our own, into a command, and to standard output they go in
 * batches. On standard error, where the program writes too, one line is one
 * write. The first failure is kept;
 * from then on lines are dropped, and whoever looks at `failed` says so.
 */
#ifndef VIEW_OUTPUT_H
#define VIEW_OUTPUT_H

#include "base/err.h"
#include "base/str.h"
#include "platform/os.h"

struct output {
    struct os_file file;
    void *command;   // process that reads what we write; NULL: none
    bool each_line;  // one system call a line: others write there too
    bool failed;
    struct err why;  // if it failed
    size_t size;     // bytes waiting in `lines`
    char lines[1 << 16];
};

/* Opens what the user asked for. `path` is emptied; an empty one is standard
 * error, or with `to_stdout` standard output, "|COMMAND" a command. `o` is
 * zeroed. */
bool output_open(struct output *o, str path, bool to_stdout, struct err *e);
/* Opens a file, emptying it, whatever `path` begins with: a name that was made of
 * another file's is never a command. `o` is zeroed. */
bool output_create(struct output *o, str path, struct err *e);
/* Closes it, and waits for the command to have ended. False if the last of it
 * could not be written. */
bool output_close(struct output *o, struct err *e);
/* For sinks: takes a whole line. */
void output_line(void *output, str line);
void output_flush(struct output *o);

#endif
