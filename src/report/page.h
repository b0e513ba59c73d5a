/* SPDX-License-Identifier: MIT */
/*
 * page.h - a report as one page that needs nothing else: answers and tables that
 * stand there without scripts; and, for its scripts, what the timeline and the
 * list of calls are made of.
 *
 *     page_begin
 *     answers, told to &p->page (tell.h)
 *     page_tables
 *     picks.h, tracks.h, meta.h: their data
 *     page_end
 *
 * What is shown was made up by whoever was traced: all of it goes through html.h,
 * and the page forbids itself (Content-Security-Policy) whatever is not ours.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/html.h"
#include "report/tally.h"
#include "report/tell.h"

#include <stdint.h>

/* Rows of each answer and table unless others are asked for. */
#define PAGE_ROWS ((size_t)500)
/* Sections of answers. */
#define PAGE_SECTIONS 16

/* Sentences on how it was recorded. */
#define PAGE_LACKS 2

/* What a page says of the recording, in WTF-8; empty: not known. */
struct page_about {
    str lacks[PAGE_LACKS];  // sentences: what is not in it
    str program;
    str command;
    str file;    // name of the recording
    str quoted;  // its path, for a command line
    str system;
    str machine;
    str started;   // when, in words
    str recorded;  // by which version
    str damage;    // lines: what is missing in the file
};

/* What came of the data for scripts. */
struct page_data {
    uint64_t all;     // calls
    uint64_t kept;    // in the list
    uint64_t failed;  // that failed, and are not in it
    uint64_t threads;
    uint64_t tracks;   // threads in the timeline
    uint64_t unnamed;  // calls of which it is not known what they were about
};

struct html_page {
    struct page page;  // first
    struct html *html;
    /* its own */
    bool counting;  // only what there is in each section
    struct {
        const char *id;
        const char *title;
        uint64_t rows;
    } sections[PAGE_SECTIONS];
    size_t section_count;
    size_t section;  // that is being told
    uint64_t rows;   // of it
    const struct column *columns;
    size_t count;
    bool any;    // there was a row
    bool table;  // it is open
};

void html_page_init(struct html_page *p, struct html *html);

/* To where its body begins. `what`: the kind of page. Without `scripted` it
 * allows itself no script. */
void page_head(struct html *h, str title, const char *what, bool scripted);
/* What is known, by its name, in a list that is open; no text is no fact. */
void page_fact(struct html *h, const char *what, str text);
void page_number(struct html *h, const char *what, uint64_t n);
/* When, where and by whom it was recorded; ends the list. Behind it is a warning
 * for each of `about->lacks`. */
void page_facts(struct html *h, const struct page_about *about);
/* Head, title and facts; counts the answers' rows for the list of contents. */
void page_begin(struct html_page *p, const struct page_about *about,
                const struct answers_rows *rows, const struct tally *t,
                size_t most);
/* Calls, things and modules; at most `most` rows of each, 0: all. */
void page_tables(struct html_page *p, const struct tally *t, size_t most);
void page_end(struct html_page *p, const struct page_about *about,
              const struct page_data *data);

#endif
