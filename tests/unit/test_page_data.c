/* SPDX-License-Identifier: MIT */
/*
 * test_page_data - report/picks.c and tracks.c: which calls are in a page's list,
 * and what its timeline is drawn of.
 *
 * Calls are made by hand and told twice, as in the two passes of a page.
 */
#include "report/answers.h"
#include "report/picks.h"
#include "report/tally.h"
#include "report/tracks.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "unit/check.h"
#include "unit/written.h"

#define PID 32
#define MS 1000000ull

static struct answers *answers;
static struct tally tally;
static struct clock the_clock;
static struct picks *picks;
static struct tracks *tracks;
static struct html html;
static void begin(void)
{
    answers = answers_open(NULL, NULL);
    if (answers == NULL) {
        abort();
    }
    /* A tick is a nanosecond. */
    clock_init(&the_clock, 0, 1000000000, 0);
    answers_clock(answers, &the_clock);
    tally_init(&tally, answers_rows(answers)->names, &the_clock);
    written_size = 0;
    html.write = write_bytes;
}

static void end(void)
{
    picks_close(picks);
    tracks_close(tracks);
    picks = NULL;
    tracks = NULL;
    tally_close(&tally);
    answers_close(answers);
}

struct made {
    uint32_t tid;
    const char *name;
    uint64_t ns;
    uint64_t took;
    uint32_t status;
};

/* Tells it to whoever there is: the first pass, then the second. True: it is
 * wanted in the list. */
static bool tell(struct made m)
{
    const struct stub stub = { .name = str_of(m.name),
                               .facts = call_find(str_of(m.name)) };
    static struct call call;
    struct model_out out = answers_out(answers);
    bool wanted;

    call = (struct call){ .id = 1,
                          .pid = PID,
                          .tid = m.tid,
                          .entry_seen = true,
                          .returned = true,
                          .stub = &stub,
                          .entry_time = m.ns,
                          .return_time = m.ns + m.took,
                          .result = m.status };
    if (picks == NULL && tracks == NULL) {
        out.leave(out.ctx, &call);
        tally_leave(&tally, &call);
        return false;
    }
    if (tracks != NULL) {
        tracks_leave(tracks, &call);
        return false;
    }
    wanted = picks_wants(picks, &call);
    if (wanted) {
        picks_add(picks, &call, STR("() = 0"));
    }
    return wanted;
}

static void second_pass_of_list(void)
{
    picks = picks_open(answers_rows(answers), &tally, &the_clock);
    if (picks == NULL || !picks_begin(picks, &html)) {
        abort();
    }
}

static void second_pass_of_timeline(void)
{
    tracks = tracks_open(answers_rows(answers), &tally, &the_clock);
    if (tracks == NULL) {
        abort();
    }
}

/* --- the list ------------------------------------------------------------------- */

static void few_calls_are_all_in_the_list(void)
{
    size_t wanted = 0;

    begin();
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < 1000; i++) {
            wanted += tell((struct made){ 36 + i % 3, "NtClose", i * 10, 5,
                                          i % 7 == 0 ? 0xc0000008 : 0 });
        }
        if (pass == 0) {
            second_pass_of_list();
        }
    }
    CHECK_U64(wanted, 1000);
    CHECK_U64(picks_counts(picks).all, 1000);
    CHECK_U64(picks_counts(picks).kept, 1000);
    CHECK_U64(picks_counts(picks).failed, 0);
    end();
}

#define MANY 300000u

/* What call number i of many is: a large thread, two small ones; now and then one
 * that fails, or takes long. */
static struct made one_of_many(uint32_t i)
{
    return (struct made){
        .tid = i % 100 == 0    ? 40
               : i % 1000 == 1 ? 44
                               : 36,
        .name = "NtYieldExecution",
        .ns = i * 100ull,
        .took = i % 3000 == 7 ? 50000 : 10 + i % 5,
        .status = i % 2000 == 9 ? 0xc0000022 : 0,
    };
}

static void of_many_calls_the_list_has_those_that_matter(void)
{
    uint64_t small = 0, failed = 0, longest = 0, most_gap = 0, last = 0;

    begin();
    for (uint32_t i = 0; i < MANY; i++) {
        tell(one_of_many(i));
    }
    second_pass_of_list();
    for (uint32_t i = 0; i < MANY; i++) {
        struct made m = one_of_many(i);
        bool wanted = tell(m);

        small += wanted && m.tid != 36;
        failed += wanted && m.status != 0;
        longest += wanted && m.took > 1000;
        if (wanted) {
            most_gap = i - last > most_gap ? i - last : most_gap;
            last = i;
        }
    }
    /* Threads with less than their share are there with all of it. */
    CHECK_U64(small, MANY / 100 + MANY / 1000);
    CHECK_U64(failed, MANY / 2000);
    CHECK_U64(longest, MANY / 3000);
    /* The rest is an even sample. */
    CHECK(most_gap <= 3);
    CHECK_U64(picks_counts(picks).all, MANY);
    CHECK(picks_counts(picks).kept <= PICKS_MOST);
    CHECK(picks_counts(picks).kept > PICKS_MOST / 2);
    CHECK_U64(picks_counts(picks).failed, 0);
    end();
}

static void of_too_many_failures_it_has_an_even_part(void)
{
    uint64_t kept = 0, most_gap = 0, last = 0;

    begin();
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < MANY; i++) {
            bool wanted = tell((struct made){ 36, "NtYieldExecution", i * 100,
                                              10, 0xc0000022 });

            kept += wanted;
            if (wanted) {
                most_gap = i - last > most_gap ? i - last : most_gap;
                last = i;
            }
        }
        if (pass == 0) {
            second_pass_of_list();
        }
    }
    CHECK(kept >= PICKS_FAILED && kept <= PICKS_MOST);
    CHECK(most_gap <= 3);
    CHECK_U64(picks_counts(picks).failed, MANY - kept);
    end();
}

/* Told more calls in the second pass than in the first: a file that changed. */
static void more_calls_than_were_counted_find_no_room(void)
{
    size_t wanted = 0;

    begin();
    tell((struct made){ 36, "NtClose", 0, 5, 0 });
    second_pass_of_list();
    for (uint32_t i = 0; i < 100; i++) {
        wanted += tell((struct made){ 36 + i, "NtClose", i, 5, 0xc0000008 });
    }
    CHECK_U64(picks_counts(picks).all, 100);
    CHECK(picks_counts(picks).kept <= 2);
    CHECK(wanted <= 100);
    end();
}

/* --- the timeline ------------------------------------------------------------------ */

static uint32_t value_of(char c)
{
    const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);

    return at != NULL ? (uint32_t)(at - digits) : 0;
}

/* The bytes of the element `id`; static. */
static str element(const char *id)
{
    static uint8_t packed[1 << 20];
    static uint8_t bytes[1 << 22];
    char tag[80];
    struct buf b = BUF_OVER(tag);
    uLongf size = sizeof(bytes);
    size_t count = 0, at = 0;

    buf_addf(&b, "id=\"%s\">", id);
    while (at + b.size <= written_size &&
           memcmp(written + at, tag, b.size) != 0) {
        at++;
    }
    for (at += b.size; at + 4 <= written_size && written[at] != '<'; at += 4) {
        uint32_t n = value_of(written[at]) << 18 |
                     value_of(written[at + 1]) << 12 |
                     value_of(written[at + 2]) << 6 | value_of(written[at + 3]);

        packed[count++] = (uint8_t)(n >> 16);
        packed[count++] = (uint8_t)(n >> 8);
        packed[count++] = (uint8_t)n;
    }
    if (uncompress(bytes, &size, packed, count) != Z_OK) {
        return STR("");
    }
    return (str){ (const char *)bytes, size };
}

static uint64_t varint(str s, size_t *at)
{
    uint64_t n = 0;

    for (unsigned shift = 0; *at < s.size; shift += 7) {
        uint8_t byte = (uint8_t)s.p[(*at)++];

        n |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            break;
        }
    }
    return n;
}

/* A track's sums. */
struct track {
    uint64_t bins, calls, errors, full_work, full_wait, some_work, some_wait;
    uint64_t first, last;
};

static struct track next_track(str s, size_t *at)
{
    struct track t = { .first = UINT64_MAX };
    uint64_t bin = 0;

    for (uint64_t step = varint(s, at); step > 0; step = varint(s, at)) {
        uint8_t work, wait;

        bin += step;
        t.first = t.first == UINT64_MAX ? bin - 1 : t.first;
        t.last = bin - 1;
        t.bins++;
        t.calls += varint(s, at);
        t.errors += varint(s, at);
        work = *at < s.size ? (uint8_t)s.p[*at] : 0;
        wait = *at + 1 < s.size ? (uint8_t)s.p[*at + 1] : 0;
        *at += 2;
        t.full_work += work == 255;
        t.full_wait += wait == 255;
        t.some_work += work > 0;
        t.some_wait += wait > 0;
    }
    return t;
}

static void tell_three(void)
{
    /* Work for the first half of the time, a wait for the second. */
    tell((struct made){ 36, "NtReadFile", 0, 500 * MS, 0 });
    tell((struct made){ 40, "NtWaitForSingleObject", 500 * MS, 500 * MS, 0 });
    tell((struct made){ 36, "NtClose", 999 * MS, 1, 0xc0000008 });
}

static void a_call_fills_the_bins_that_it_spans(void)
{
    struct track a, b;
    uint64_t bins;
    size_t at = 0;
    str s;

    begin();
    tell_three();
    second_pass_of_timeline();
    tell_three();
    bins = tracks_bins(tracks);
    CHECK_U64(bins, BINS_MOST);
    CHECK(tracks_write(tracks, &html, NULL));
    s = element("tracks");
    a = next_track(s, &at);
    b = next_track(s, &at);
    CHECK_U64(at, s.size);

    CHECK_U64(a.calls, 2);
    CHECK_U64(a.errors, 1);
    CHECK_U64(a.first, 0);
    CHECK_U64(a.some_wait, 0);
    /* Half of the bins, but for what is rounded. */
    CHECK(a.full_work >= bins / 2 - 2 && a.full_work <= bins / 2 + 2);
    CHECK(a.some_work <= bins / 2 + 3);

    CHECK_U64(b.calls, 1);
    CHECK_U64(b.errors, 0);
    CHECK_U64(b.some_work, 0);
    CHECK(b.first >= bins / 2 - 2 && b.first <= bins / 2 + 2);
    CHECK(b.last < bins && b.last >= bins - 2);
    CHECK(b.full_wait >= bins / 2 - 2 && b.full_wait <= bins / 2 + 2);
    end();
}

static void all_calls_are_in_the_bins(void)
{
    struct track sum = { 0 };
    size_t at = 0;
    str s;

    begin();
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < 50000; i++) {
            tell((struct made){ 36 + i % 5 * 4, "NtYieldExecution",
                                i * 777 % 1000003, i % 3000,
                                i % 10 == 0 ? 0xc0000022 : 0 });
        }
        if (pass == 0) {
            second_pass_of_timeline();
        }
    }
    CHECK(tracks_write(tracks, &html, NULL));
    s = element("tracks");
    for (int i = 0; i < 5; i++) {
        struct track t = next_track(s, &at);

        CHECK_U64(t.calls, 10000);
        sum.calls += t.calls;
        sum.errors += t.errors;
    }
    CHECK_U64(at, s.size);
    CHECK_U64(sum.calls, 50000);
    CHECK_U64(sum.errors, 5000);
    end();
}

/* All threads together have so many bins, however many there are. */
static void many_threads_have_fewer_bins(void)
{
    struct track t;
    size_t at = 0;

    begin();
    for (uint32_t i = 0; i < 3000; i++) {
        tell((struct made){ 4 * i, "NtYieldExecution", i, 1, 0 });
    }
    second_pass_of_timeline();
    CHECK_U64(tracks_bins(tracks), BINS_LEAST);
    for (uint32_t i = 0; i < 3000; i++) {
        tell((struct made){ 4 * i, "NtYieldExecution", i, 1, 0 });
    }
    /* What comes later than all that was heard of stays in the last bin. */
    tell((struct made){ 0, "NtYieldExecution", UINT64_C(1) << 40, 99, 0 });
    CHECK(tracks_write(tracks, &html, NULL));
    t = next_track(element("tracks"), &at);
    CHECK_U64(t.calls, 2);
    CHECK_U64(t.last, BINS_LEAST - 1);
    end();
}

static void tell_marks(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct transition_told t = {
            .pid = PID, .tid = 36, .kind = TRANSITION_APC, .time = i * 100
        };
        struct transition_told e = {
            .pid = PID, .tid = 36, .kind = TRANSITION_EXCEPTION, .time = i * 100
        };

        if (tracks == NULL) {
            tally_transition(&tally, &t);
        } else {
            tracks_transition(tracks, &t);
        }
        if (i % 1000 == 0 && tracks == NULL) {
            tally_transition(&tally, &e);
        } else if (i % 1000 == 0) {
            tracks_transition(tracks, &e);
        }
    }
}

static void marks_are_thinned_evenly_by_kind(void)
{
    uint64_t counts[TRANSITION_KINDS + 1] = { 0 };
    uint64_t last = 0, most_gap = 0;
    size_t at = 0;
    str s;

    begin();
    tell((struct made){ 36, "NtYieldExecution", 0, 1, 0 });
    tell_marks(10000);
    second_pass_of_timeline();
    tell_marks(10000);
    CHECK(tracks_write(tracks, &html, NULL));
    s = element("marks");
    while (at < s.size) {
        uint64_t kind = varint(s, &at) - 1;
        uint64_t ns = varint(s, &at);

        for (int i = 0; i < 4; i++) {
            varint(s, &at);
        }
        counts[kind < TRANSITION_KINDS ? kind : TRANSITION_KINDS]++;
        if (kind == TRANSITION_APC) {
            most_gap = ns - last > most_gap ? ns - last : most_gap;
            last = ns;
        }
    }
    CHECK(counts[TRANSITION_APC] <= MARKS_MOST);
    CHECK(counts[TRANSITION_APC] >= MARKS_MOST / 2);
    CHECK_U64(counts[TRANSITION_EXCEPTION], 10);
    CHECK_U64(counts[TRANSITION_KINDS], 0);
    CHECK(most_gap <= 400);
    end();
}

int main(void)
{
    const struct test tests[] = {
        TEST(few_calls_are_all_in_the_list),
        TEST(of_many_calls_the_list_has_those_that_matter),
        TEST(of_too_many_failures_it_has_an_even_part),
        TEST(more_calls_than_were_counted_find_no_room),
        TEST(a_call_fills_the_bins_that_it_spans),
        TEST(all_calls_are_in_the_bins),
        TEST(many_threads_have_fewer_bins),
        TEST(marks_are_thinned_evenly_by_kind),
    };
    int status = check_run(tests, COUNT_OF(tests));

    free(written);
    return status;
}
