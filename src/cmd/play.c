/* SPDX-License-Identifier: MIT */
/*
 * play.c - replay without a view: a model, and whoever wants to hear it.
 *
 * Touches the file, and the terminal to say how far it has come.
 */
#include "cmd/play.h"

#include "cmd/cmdline.h"
#include "platform/os.h"
#include "record/about.h"
#include "view/declared.h"

#include "base/banned.h"

/* Of the tracer's command line: what Windows allows, each unit three bytes. */
#define LINE_MOST ((size_t)3 * 32768)

static bool goes_on(void *play, uint64_t at, uint64_t size)
{
    struct play *p = play;

    progress_bar(&p->progress, p->what, at, size);
    return p->go_on == NULL || p->go_on(p->go_on_ctx);
}

/* The first value of `key` in the INFO, in the arena; "": there is none. */
static str value_of(const struct play *p, str key, struct arena *a)
{
    str info = replay_info(&p->replay);
    struct buf b = { arena_alloc(a, 1, 1, info.size + 1), 0, info.size + 1,
                     false };

    return about_find(info, key, 0, &b) ? buf_str(&b) : STR("");
}

str play_program(const struct play *p, struct arena *a)
{
    return value_of(p, STR("program"), a);
}

str play_command(const struct play *p, struct arena *a)
{
    str program = play_program(p, a);
    str raw = str_slice(value_of(p, STR("command"), a), 0, LINE_MOST);
    struct cmdline c = cmdline_over(raw);
    struct word word;
    bool first = true;

    while (program.size > 0 && cmdline_next(&c, a, &word)) {
        if (!first && str_eq(word.text, program)) {
            return str_slice(raw, word.start, raw.size);
        }
        first = false;
    }
    return program;
}

bool play_open(struct play *p, str path, struct arena *a, struct err *e)
{
    p->view.prototypes = STR("");
    p->view.declared = STR("");
    if (!replay_open(&p->replay, path, e)) {
        return false;
    }
    p->view.declared = value_of(p, STR("prototypes"), a);
    p->declared = declared_open(&p->prototypes, &p->view, e);
    stacks_open(&p->stacks, &p->view.module_paths, STACK_LIMIT_DEFAULT);
    return p->declared;
}

bool play_begin(struct play *p, const struct model_out *out, struct err *e)
{
    struct model_config config = replay_config(&p->replay);

    config.system.own = p->prototypes.set.count > 0 ? &p->prototypes.set : NULL;
    p->model = model_open(&config, out, e);
    if (p->model == NULL) {
        return false;
    }
    return replay_clock(&p->replay, p->model) ||
           err_set(e, ERR_OS, "out of memory");
}

const struct clock *play_clock(const struct play *p)
{
    return model_clock(p->model);
}

bool play_wine(const struct play *p)
{
    return replay_config(&p->replay).system.wine;
}

bool play_has_stacks(const struct play *p)
{
    return about_number(replay_info(&p->replay), STR("stack"), 0) != 0;
}

bool play_all(struct play *p, struct err *e)
{
    bool ok;

    progress_begin(&p->progress, 4, !p->quiet);
    p->replay.go_on = goes_on;
    p->replay.go_on_ctx = p;
    ok = replay_play(&p->replay, p->model, NULL, e);
    progress_clear(&p->progress);
    if (ok) {
        model_flush(p->model);
    }
    return ok;
}

bool play_damage(const struct play *p, struct buf *notes)
{
    replay_damage(&p->replay, notes);
    return replay_is_damaged(&p->replay);
}

void play_close(struct play *p)
{
    if (p->declared) {
        prototypes_close(&p->prototypes);
    }
    stacks_close(&p->stacks);
    model_close(p->model);
    replay_close(&p->replay);
}
