/* SPDX-License-Identifier: MIT */
/*
 * survey.h - what is in a trace file, without a model: its chunks are read
 * once, what was recorded is counted, and nothing of it is kept but for a row
 * for each process.
 *
 * What the records mean is not judged: a file that is whole here may still make
 * no sense to a replay.
 */
#ifndef RECORD_SURVEY_H
#define RECORD_SURVEY_H

#include "model/clock.h"
#include "model/model.h"
#include "record/losses.h"
#include "record/replay.h"

#include <stdbool.h>
#include <stdint.h>

/* More processes are counted, but have no row. */
#define SURVEY_PROCESSES 1000
#define SURVEY_IMAGE 260

struct survey_process {
    uint64_t number;
    uint32_t pid;
    uint32_t code;
    bool ended;
    uint32_t image_size;
    char image[SURVEY_IMAGE];  // the end of it, if it is longer
};

struct survey {
    struct replay file;  // its damage, INFO and END; nothing was replayed
    struct clock clock;
    uint64_t last;  // TSC of the youngest record; 0: there is none
    uint64_t process_count;
    uint64_t thread_count;
    struct losses losses;
    uint64_t chunks;
    uint64_t deflated;  // of them
    uint64_t stored;    // bytes of all chunks, without their heads
    uint64_t raw;       // the same, inflated
    struct survey_process *processes;  // owned, in the order they came
    size_t rows;
};

/* Reads all of the file. survey_close in any case. False: it is none, or the
 * system failed; damage is no failure. */
bool survey_open(struct survey *s, str path, struct err *e);
void survey_close(struct survey *s);

#endif
