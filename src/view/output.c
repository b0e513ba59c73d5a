/* SPDX-License-Identifier: MIT */
/*
 * output.c - batches of lines, or line by line.
 */
#include "view/output.h"

#include <string.h>

#include "base/banned.h"

bool output_open(struct output *o, str path, bool to_stdout, struct err *e)
{
    if (path.size == 0) {
        o->file = to_stdout ? os_stdout() : os_stderr();
        o->each_line = !to_stdout;
        return true;
    }
    if (path.p[0] == '|') {
        return os_pipe_into(&o->file, &o->command,
                            str_slice(path, 1, path.size), e);
    }
    return output_create(o, path, e);
}

bool output_create(struct output *o, str path, struct err *e)
{
    return os_file_create(&o->file, path, e);
}

bool output_close(struct output *o, struct err *e)
{
    bool ok = os_file_close(&o->file, e);

    os_pipe_wait(o->command);
    o->command = NULL;
    return ok;
}

static void write_out(struct output *o, str bytes)
{
    struct err e;

    if (bytes.size > 0 && !o->failed && !os_file_write(&o->file, bytes, &e)) {
        o->failed = true;
        o->why = e;
    }
}

void output_flush(struct output *o)
{
    write_out(o, (str){ o->lines, o->size });
    o->size = 0;
}

void output_line(void *output, str line)
{
    struct output *o = output;

    if (o->each_line || o->size + line.size > sizeof(o->lines)) {
        output_flush(o);
    }
    if (o->each_line || line.size > sizeof(o->lines)) {
        write_out(o, line);
        return;
    }
    memcpy(o->lines + o->size, line.p, line.size);
    o->size += line.size;
}
