/* SPDX-License-Identifier: MIT */
/*
 * recut FILE.nts OUT.nts BYTES - records a recording once more, with a
 * checkpoint after so many bytes of it, and never more than one run of the model
 * in a chunk: what of a large recording is hundreds of MiB apart is hundreds of
 * bytes apart in OUT. Prints how many checkpoints there are.
 *
 * Exit status 0, or 1 with what is wrong.
 */
#include "record/about.h"
#include "record/recorder.h"
#include "record/replay.h"

#include <stdio.h>
#include <stdlib.h>

struct recut {
    struct replay replay;
    struct recorder recorder;
    struct model_tap own;  // the recorder's, but for `ran`
    uint64_t now;
};

static struct recut r;

/* The recorder's own, and then more than a second has gone by. */
static void ran(void *recorder, uint64_t now)
{
    r.recorder.tap.ran(recorder, now);
    r.now += 2;
    recorder_turn(&r.recorder, r.now, false);
}

static int fail(const struct err *e)
{
    fprintf(stderr, "recut: %s\n", e->text);
    return 1;
}

int main(int argc, char **argv)
{
    const struct model_out out = { 0 };
    struct model_config config;
    struct err e = { 0 };
    struct model *m;
    uint64_t checkpoints = 0;
    struct segments segments;
    struct chunk_reader reader;

    if (argc != 4) {
        fprintf(stderr, "usage: recut FILE.nts OUT.nts BYTES\n");
        return 2;
    }
    if (!replay_open(&r.replay, str_of(argv[1]), &e) ||
        !recorder_begin(&r.recorder, str_of(argv[2]), COMPRESS_ALWAYS, 1,
                        (str){ r.replay.info, r.replay.info_size }, &e)) {
        return fail(&e);
    }
    r.recorder.checkpoint_every = strtoull(argv[3], NULL, 10);
    r.own = r.recorder.tap;
    r.own.ran = ran;
    config = replay_config(&r.replay);
    config.tap = &r.own;
    m = model_open(&config, &out, &e);
    if (m == NULL) {
        return fail(&e);
    }
    r.recorder.model = m;
    if (!replay_play(&r.replay, m, NULL, &e) ||
        !recorder_end(&r.recorder, (str){ r.replay.end, r.replay.end_size },
                      &e)) {
        return fail(&e);
    }
    model_flush(m);
    model_close(m);
    replay_close(&r.replay);
    if (!chunks_open(&reader, str_of(argv[2]), &e) ||
        !segments_find(&segments, &reader)) {
        return fail(&e);
    }
    checkpoints = segments.count - 1;
    segments_close(&segments);
    chunks_close(&reader);
    printf("%llu\n", (unsigned long long)checkpoints);
    return 0;
}
