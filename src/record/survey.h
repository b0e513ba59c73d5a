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
#include "wire/journal.h"

#include <stdbool.h>
#include <stdint.h>

/* More processes are counted, but have no row. */
#define SURVEY_PROCESSES 1000
#define SURVEY_IMAGE 260
#define SURVEY_COMMAND 1000
#define SURVEY_WHY 200

/* One that is traced, or one that a traced one has started and that is not. */
struct survey_process {
    uint64_t number;
    uint32_t pid;
    uint32_t parent;      // 0: not known
    uint32_t parent_tid;  // the same
    bool traced;
    enum process_how how;
    enum child_fate fate;  // of one that is not traced
    bool ended;            // with `code`
    uint32_t code;
    uint64_t began;  // TSC
    uint64_t end;    // the same, if it has ended
    uint64_t late;   // microseconds that it ran before it was traced
    uint32_t image_size;
    uint32_t command_size;
    bool command_cut;
    char image[SURVEY_IMAGE];  // the end of it, if it is longer
    uint32_t why_size;
    char command[SURVEY_COMMAND];
    char why[SURVEY_WHY];  // of CHILD_FAILED
};

struct survey {
    struct replay file;  // its damage, INFO and END; nothing was replayed
    struct clock clock;
    uint64_t last;  // TSC of the youngest record; 0: there is none
    uint64_t process_count;
    uint64_t thread_count;
    uint64_t untraced;  // processes that were started and not traced
    struct losses losses;
    uint64_t chunks;
    uint64_t deflated;  // of them
    uint64_t stored;    // bytes of all chunks, without their heads
    uint64_t raw;       // the same, inflated
    struct survey_process *processes;  // owned, in the order they came
    size_t rows;
};

/* The row of the process that started this one, SIZE_MAX: there is none. */
size_t survey_parent(const struct survey *s, size_t row);

/* Opens the file. survey_close in any case. */
bool survey_open(struct survey *s, str path, struct err *e);
/* Reads all of it, and tells s->file.go_on between chunks. False: the system
 * failed, or no more was wanted; damage is no failure. */
bool survey_read(struct survey *s, struct err *e);
void survey_close(struct survey *s);

#endif
