/* SPDX-License-Identifier: MIT */
/*
 * fuzz_report - the ops of a recording's STREAM, whatever they are, into all that
 * src/report makes: answers as text, the page, what other programs read, and two
 * runs that are compared.
 *
 * The first byte says how much of the STREAM the other run has, in 255ths; the
 * rest is the STREAM.
 */
#include "fuzz/replayed.h"
#include "report/answers.h"
#include "report/compare.h"
#include "report/diff_page.h"
#include "report/files.h"
#include "report/meta.h"
#include "report/page.h"
#include "report/picks.h"
#include "report/text.h"
#include "report/tracks.h"

#define KINDS 3

/* Who listens to a replay. */
struct listeners {
    struct model_out of[KINDS + 2];
    size_t count;
};

static struct {
    struct answers *answers;
    struct tally tally;
    struct picks *picks;
    struct tracks *tracks;
    struct flat *flats[KINDS];
    struct file_out *files[KINDS];
    struct compare *compare;
    struct html html;
    struct html_page page;
    struct text_page text;
    size_t lines;
    uint64_t calls;
} f;

/* --- all of them hear of it ------------------------------------------------------ */

static void on_enter(void *ctx, const struct call *call)
{
    struct listeners *l = ctx;

    for (size_t i = 0; i < l->count; i++) {
        if (l->of[i].enter != NULL) {
            l->of[i].enter(l->of[i].ctx, call);
        }
    }
}

static void on_leave(void *ctx, const struct call *call)
{
    struct listeners *l = ctx;

    f.calls++;
    for (size_t i = 0; i < l->count; i++) {
        if (l->of[i].leave != NULL) {
            l->of[i].leave(l->of[i].ctx, call);
        }
    }
}

static void on_transition(void *ctx, const struct transition_told *t)
{
    struct listeners *l = ctx;

    for (size_t i = 0; i < l->count; i++) {
        if (l->of[i].transition != NULL) {
            l->of[i].transition(l->of[i].ctx, t);
        }
    }
}

static void on_completion(void *ctx, const struct completion_told *c)
{
    struct listeners *l = ctx;

    for (size_t i = 0; i < l->count; i++) {
        if (l->of[i].completion != NULL) {
            l->of[i].completion(l->of[i].ctx, c);
        }
    }
}

static void on_module(void *ctx, const struct module_told *m)
{
    struct listeners *l = ctx;

    for (size_t i = 0; i < l->count; i++) {
        if (l->of[i].module != NULL) {
            l->of[i].module(l->of[i].ctx, m);
        }
    }
}

static void on_notice(void *ctx, const struct notice *n)
{
    struct listeners *l = ctx;

    for (size_t i = 0; i < l->count; i++) {
        if (l->of[i].notice != NULL) {
            l->of[i].notice(l->of[i].ctx, n);
        }
    }
}

static void listen_to(struct listeners *l, struct model_out out)
{
    l->of[l->count++] = out;
}

/* --- what they are told of -------------------------------------------------------- */

struct play {
    struct replay replay;
    struct model *m;
};

static void play_begin(struct play *p, struct listeners *l)
{
    struct model_out out = {
        l,         on_enter, on_leave, on_transition, on_completion,
        on_module, on_notice
    };
    struct model_config config;
    struct err e = { 0 };

    MUST(replay_open(&p->replay, STR("file"), &e));
    config = replay_config(&p->replay);
    p->m = model_open(&config, &out, &e);
    MUST(p->m != NULL && replay_clock(&p->replay, p->m));
}

static void play_end(struct play *p)
{
    struct err e = { 0 };

    MUST(replay_play(&p->replay, p->m, NULL, &e));
    model_close(p->m);
    replay_close(&p->replay);
}

/* A file with so much of the STREAM. */
static void make_file(const uint8_t *bytes, size_t size)
{
    static const uint8_t info[] = "hold 1000\nbuild 19045\n";

    file_begin();
    file_chunk(CHUNK_INFO, 0, sizeof(info) - 1, 0, info, sizeof(info) - 1);
    file_chunk(CHUNK_STREAM, 0, (uint32_t)size, 1, bytes, size);
    file_chunk(CHUNK_END, 0, 0, 2, info, 0);
}

/* Callers with names of nobody's making. */
static void callers_of(void *ctx, const struct call *call,
                       struct sink_stack *out)
{
    static const struct sink_frame frames[] = {
        { .address = 0x1234, .place = { .kind = PLACE_UNKNOWN } },
        { .address = 0x5678,
          .place = { .kind = PLACE_MODULE,
                     .name = STR_INIT("a;b \n<script>.exe"),
                     .offset = 9 },
          .symbol = STR_INIT("main;\"& 1") },
    };

    (void)ctx;
    (void)call;
    *out = (struct sink_stack){ frames, 2, STR(""), STR("") };
}

/* --- what they write --------------------------------------------------------------- */

/* Bytes of Perfetto's are no text. */
static void take_bytes(void *ctx, str bytes)
{
    (void)ctx;
    if (bytes.size > 0) {
        touch(bytes);
    }
}

/* No name moves the cursor, or ends a line. */
static void take_text(void *ctx, str text)
{
    (void)ctx;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.p[i];

        MUST((c >= ' ' || c == '\n' || c == '\r') && c != 0x7f);
        f.lines += c == '\n';
    }
}

/* A stack is program, thread, the two callers and the call, whatever their names
 * are; what comes behind it is a number. */
static void take_folded(void *ctx, str piece)
{
    size_t parts = 0;

    take_text(ctx, piece);
    for (size_t i = 0; i < piece.size; i++) {
        parts += piece.p[i] == ';';
    }
    MUST(parts == 4 || (piece.p[0] == ' ' && parts == 0));
}

static const struct file_kind *const kinds[KINDS] = {
    &file_csv,
    &file_folded,
    &file_perfetto,
};

static void open_files(struct listeners *l)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct flat_options options = { .args = kinds[i]->args };
        struct flat_out out;

        if (kinds[i]->callers) {
            options.stack_of = callers_of;
        }
        f.files[i] = kinds[i]->open(kinds[i] == &file_perfetto ? take_bytes
                                    : kinds[i] == &file_folded ? take_folded
                                                               : take_text,
                                    NULL);
        MUST(f.files[i] != NULL);
        out = kinds[i]->out(f.files[i]);
        f.flats[i] = flat_open(&options, &out);
        MUST(f.flats[i] != NULL);
        listen_to(l, flat_model_out(f.flats[i]));
    }
}

static void close_files(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        kinds[i]->end(f.files[i]);
        kinds[i]->close(f.files[i]);
        flat_close(f.flats[i]);
    }
}

static struct model_out tally_out(void)
{
    return (struct model_out){ .ctx = &f.tally,
                               .leave = tally_leave,
                               .transition = tally_transition,
                               .module = tally_module };
}

static void first_pass(void)
{
    struct listeners l = { .count = 0 };
    struct play p;

    f.answers = answers_open(callers_of, NULL);
    MUST(f.answers != NULL);
    listen_to(&l, answers_out(f.answers));
    listen_to(&l, tally_out());
    open_files(&l);
    f.lines = f.calls = 0;
    play_begin(&p, &l);
    answers_clock(f.answers, model_clock(p.m));
    tally_init(&f.tally, answers_rows(f.answers)->names, model_clock(p.m));
    for (size_t i = 0; i < KINDS; i++) {
        MUST(flat_clock(f.flats[i], model_clock(p.m)));
        kinds[i]->begin(f.files[i], flat_wall_ns(f.flats[i]));
    }
    play_end(&p);
    MUST(f.lines == f.calls + 1); /* csv's; folded has not written yet */
    MUST(answers_rows(f.answers)->calls == f.calls);
    close_files();
}

/* The calls of a page's list, without their texts. */
static void on_pick(void *ctx, const struct call *call)
{
    (void)ctx;
    tracks_leave(f.tracks, call);
    if (picks_wants(f.picks, call)) {
        picks_add(f.picks, call, STR("(Text=1) = 0"));
    }
}

static void on_mark(void *ctx, const struct transition_told *t)
{
    (void)ctx;
    tracks_transition(f.tracks, t);
}

static void on_mapped(void *ctx, const struct module_told *m)
{
    (void)ctx;
    tracks_module(f.tracks, m);
}

static void write_page(void)
{
    struct answers_rows *rows = answers_rows(f.answers);
    struct page_about about = { .program = STR("C:\\a<b>.exe"),
                                .command = STR("\"a\" & 'b'"),
                                .file = STR("a.nts"),
                                .quoted = STR("a.nts") };
    struct page_data data = { 0 };
    struct listeners l = { .count = 0 };
    struct model_out out = {
        NULL, NULL, on_pick, on_mark, NULL, on_mapped, NULL
    };
    struct play p;
    uint8_t *used;

    f.html.write = take_text;
    html_page_init(&f.page, &f.html);
    page_begin(&f.page, &about, rows, &f.tally, 0);
    answers_tell(rows, 0, &f.page.page);
    page_tables(&f.page, &f.tally, 0);
    listen_to(&l, out);
    f.calls = 0;
    play_begin(&p, &l);
    f.picks = picks_open(rows, &f.tally, model_clock(p.m));
    f.tracks = tracks_open(rows, &f.tally, model_clock(p.m));
    MUST(f.picks != NULL && f.tracks != NULL && picks_begin(f.picks, &f.html));
    play_end(&p);
    MUST(picks_counts(f.picks).all == f.calls);
    used = calloc(labels_count(rows->names) / 8 + 1, 1);
    MUST(used != NULL && picks_end(f.picks, used) &&
         tracks_write(f.tracks, &f.html, used));
    meta_write(&f.html, rows, &f.tally, tracks_bins(f.tracks), about.quoted,
               used);
    page_end(&f.page, &about, &data);
    free(used);
    picks_close(f.picks);
    tracks_close(f.tracks);
}

static void hear_side(enum compare_side side)
{
    struct flat_options options = { 0 };
    struct flat_out out = compare_out(f.compare, side);
    struct listeners l = { .count = 0 };
    struct flat *flat = flat_open(&options, &out);
    struct play p;

    MUST(flat != NULL);
    listen_to(&l, flat_model_out(flat));
    play_begin(&p, &l);
    MUST(flat_clock(flat, model_clock(p.m)));
    play_end(&p);
    flat_close(flat);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct page_about about[COMPARE_SIDES];
    size_t other;

    if (size < 1) {
        return 0;
    }
    other = bytes[0] * (size - 1) / 255;
    make_file(bytes + 1, size - 1);
    first_pass();
    text_page_init(&f.text, take_text, NULL);
    answers_tell(answers_rows(f.answers), 3, &f.text.page);
    write_page();
    tally_close(&f.tally);
    answers_close(f.answers);

    f.compare = compare_open(NULL, 0);
    MUST(f.compare != NULL);
    hear_side(COMPARE_A);
    make_file(bytes + 1, other);
    hear_side(COMPARE_B);
    MUST(compare_end(f.compare));
    MUST(other < size - 1 || !compare_differs(f.compare));
    compare_tell(f.compare, 3, &f.text.page);
    for (int i = 0; i < COMPARE_SIDES; i++) {
        about[i] = (struct page_about){
            STR("C:\\a<b>.exe"),
            STR("\"a\" & 'b'"),
            STR("a&.nts"),
            STR("a"),
            STR("system"),
            STR(""),
            STR(""),
            STR(""),
            STR("a line\nmore"),
        };
    }
    html_page_init(&f.page, &f.html);
    diff_page_write(&f.page, f.compare, about, 0);
    compare_close(f.compare);
    return 0;
}
