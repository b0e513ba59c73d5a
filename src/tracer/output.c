/* SPDX-License-Identifier: MIT */
/*
 * output.c - batches of lines, or line by line.
 */
#include "tracer/output.h"

#include <string.h>

#include "base/banned.h"

bool output_open(struct output *o, str path, struct err *e)
{
    if (path.size == 0) {
        o->file = os_stderr();
        o->each_line = true;
        return true;
    }
    return os_file_create(&o->file, path, e);
}

void output_flush(struct output *o)
{
    struct err e;

    if (o->size > 0 && !o->failed &&
        !os_file_write(&o->file, (str){ o->lines, o->size }, &e)) {
        o->failed = true;
        o->why = e;
    }
    o->size = 0;
}

void output_line(void *output, str line)
{
    struct output *o = output;

    if (o->size + line.size > sizeof(o->lines)) {
        output_flush(o);
    }
    /* No line is longer (TEXT_LINE_MAX). */
    if (line.size > sizeof(o->lines)) {
        line.size = sizeof(o->lines);
    }
    memcpy(o->lines + o->size, line.p, line.size);
    o->size += line.size;
    if (o->each_line) {
        output_flush(o);
    }
}
