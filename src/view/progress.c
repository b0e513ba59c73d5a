/* SPDX-License-Identifier: MIT */
/*
 * progress.c - a line drawn over itself: a carriage return, the text, blanks
 * over what was longer. Touches standard error; what cannot be written there is
 * not.
 */
#include "view/progress.h"

#include "platform/os.h"

#include "base/banned.h"

#define COLUMNS 79
/* Of a bar. */
#define STEPS 40

static uint64_t counter_now(void)
{
    struct os_clock now;

    os_clock_read(&now);
    return now.counter;
}

void progress_begin(struct progress *p, uint32_t per_second, bool wanted)
{
    struct os_file to = os_stderr();

    *p = (struct progress){ .shown = wanted && os_is_terminal(&to) };
    if (p->shown) {
        p->every = os_counter_frequency() / per_second;
        p->start = counter_now();
        p->next = p->start + p->every;
    }
}

bool progress_due(struct progress *p, uint64_t *ms)
{
    uint64_t now;

    if (!p->shown) {
        return false;
    }
    now = counter_now();
    if (now < p->next) {
        return false;
    }
    p->next = now + p->every;
    *ms = (now - p->start) / (os_counter_frequency() / 1000);
    return true;
}

void progress_draw(struct progress *p, str text)
{
    char room[2 * COLUMNS + 2];
    struct buf b = BUF_OVER(room);
    struct os_file to = os_stderr();
    struct err ignored;
    size_t columns;

    if (!p->shown) {
        return;
    }
    text = str_slice(text, 0, COLUMNS);
    columns = text.size;
    buf_add_char(&b, '\r');
    buf_add(&b, text);
    while (columns++ < p->drawn) {
        buf_add_char(&b, ' ');
    }
    if (text.size == 0) {
        buf_add_char(&b, '\r');
    }
    p->drawn = text.size;
    os_file_write(&to, buf_str(&b), &ignored);
}

void progress_bar(struct progress *p, const char *what, uint64_t at,
                  uint64_t size)
{
    char room[120];
    struct buf b = BUF_OVER(room);
    uint64_t done = size > 0 ? at / ((size + STEPS - 1) / STEPS) : 0;
    uint64_t ms;

    if (!progress_due(p, &ms)) {
        return;
    }
    buf_addf(&b, "%s: [", what);
    for (uint64_t i = 0; i < STEPS; i++) {
        buf_add_char(&b, i < done ? '#' : '.');
    }
    buf_add(&b, STR("] "));
    progress_add_size(&b, at);
    buf_add(&b, STR(" of "));
    progress_add_size(&b, size);
    progress_draw(p, buf_str(&b));
}

void progress_clear(struct progress *p)
{
    if (p->drawn > 0) {
        progress_draw(p, STR(""));
    }
}

void progress_add_size(struct buf *b, uint64_t bytes)
{
    if (bytes < 10000) {
        buf_addf(b, "%llu bytes", (unsigned long long)bytes);
    } else if (bytes < 10000000) {
        buf_addf(b, "%llu KB", (unsigned long long)bytes / 1000);
    } else {
        buf_addf(b, "%llu MB", (unsigned long long)bytes / 1000000);
    }
}
