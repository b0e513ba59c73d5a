/* SPDX-License-Identifier: MIT */
/*
 * fuzz_options - cmd/options.h: any command line is taken or refused, in
 * four times its size of room, and what is taken is in order.
 */
#include "cmd/options.h"

#include "fuzz/fuzz.h"

#include "cmd/cmdline.h"

static void check_taken(const struct options *o, str raw)
{
    uint64_t ring = o->launch.ring_size;
    size_t at = raw.size - o->launch.program_line.size;

    MUST(ring >= RING_SIZE_LEAST && ring <= RING_SIZE_MOST);
    MUST((ring & (ring - 1)) == 0);
    MUST(o->view.clock <= 3 && o->word_count <= OPTIONS_WORDS_MAX);
    MUST(o->launch.engine == ENGINE_RING ||
         o->launch.engine == ENGINE_HANDSHAKE);
    touch(o->view.output);
    touch(o->launch.program);
    touch(o->launch.program_line);
    for (size_t i = 0; i < o->word_count; i++) {
        touch(o->words[i]);
    }
    touch(o->launch.record);
    touch(o->view.from);
    touch(o->view.to);
    for (size_t i = 0; i < o->launch.attach.count; i++) {
        touch(o->launch.attach.at[i]);
    }
    touch(o->view.separate);
    if (o->launch.program.size > 0 ||
        (o->launch.attach.count == 0 &&
         (o->command == COMMAND_TRACE ||
          (o->command == COMMAND_RECORD && !o->help && !o->version)))) {
        MUST(o->launch.program.size > 0 && !o->nothing);
        MUST(o->launch.program_line.size <= raw.size);
        MUST(o->launch.program_line.p == raw.p + at);
        MUST(o->launch.program_unit == cmdline_units(str_slice(raw, 0, at)));
    } else {
        MUST(o->launch.program_line.size == 0 && o->launch.program.size == 0);
    }
    MUST(o->command != COMMAND_RECORD || o->help || o->version ||
         (o->launch.record.size > 0 && o->view.output.size == 0));
    MUST(o->command != COMMAND_NONE || o->help || o->version || o->nothing);
}

/* A refusal has the status of wrong usage, but 1 is an answer of `diff`: a
 * line with that word may be refused as trouble instead. */
static void check_refused(const struct err *e, str raw)
{
    struct cmdline line = cmdline_over(raw);
    char *room = malloc(raw.size ? 2 * raw.size : 1);
    struct arena a = arena_over(room, 2 * raw.size, fuzz_full);
    struct word w;
    bool diff = false;

    MUST(room != NULL);
    while (cmdline_next(&line, &a, &w)) {
        diff = diff || str_is(w.text, "diff");
    }
    MUST(e->code == ERR_USAGE || (e->code == ERR_TROUBLE && diff));
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    str raw = { (const char *)bytes, size };
    char *room = malloc(size ? 4 * size : 1);
    struct arena a = arena_over(room, 4 * size, fuzz_full);
    struct options o;
    struct err e;

    MUST(room != NULL);
    memset(&o, 0x77, sizeof(o));
    memset(&e, 0x77, sizeof(e));
    if (options_parse(&o, raw, &a, &e)) {
        check_taken(&o, raw);
    } else {
        check_refused(&e, raw);
        MUST(memchr(e.text, '\0', sizeof(e.text)) != NULL && e.text[0] != 0);
        for (const char *p = e.text; *p != '\0'; p++) {
            MUST((unsigned char)*p >= ' ' && *p != 0x7f);
        }
    }
    free(room);
    return 0;
}
