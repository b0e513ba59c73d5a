/* SPDX-License-Identifier: MIT */
/*
 * diff_page.c - the page's HTML: both runs side by side, then what compare_tell
 * tells. Touches nothing but what it writes to.
 */
#include "report/diff_page.h"

#include "base/banned.h"

static void add_side(struct html *h, const char *letter,
                     const struct page_about *about,
                     const struct compare_numbers *n)
{
    HTML(h, "<section>\n<h2>");
    html_add(h, str_of(letter));
    HTML(h, ": <bdi>");
    html_text(h, about->file);
    HTML(h, "</bdi></h2>\n<p class=\"command\"><bdi>");
    html_text(h, about->command.size > 0 ? about->command : about->program);
    HTML(h, "</bdi></p>\n<dl class=\"numbers\">\n");
    page_number(h, "calls", n->calls);
    page_number(h, "of them schedule", n->schedule);
    page_number(h, "processes", n->processes);
    page_number(h, "threads", n->threads);
    HTML(h, "</dl>\n<dl class=\"facts\">\n");
    page_facts(h, about);
    if (about->damage.size > 0) {
        HTML(h, "<p class=\"warning\">");
        html_text(h, about->damage);
        HTML(h, "</p>\n");
    }
    HTML(h, "</section>\n");
}

/* What both are runs of. */
static str title_of(const struct page_about *about)
{
    return about->program.size > 0 ? str_file(about->program) : about->file;
}

/* Links to what there is, with how much of it. */
static void add_contents(const struct html_page *p)
{
    struct html *h = p->html;

    HTML(h, "<nav>\n");
    for (size_t i = 0; i < p->section_count; i++) {
        HTML(h, "<a href=\"#");
        html_add(h, str_of(p->sections[i].id));
        HTML(h, "\">");
        html_add(h, str_of(p->sections[i].title));
        HTML(h, " <b>");
        html_number(h, p->sections[i].rows);
        HTML(h, "</b></a>\n");
    }
    HTML(h, "</nav>\n");
}

void diff_page_write(struct html_page *p, struct compare *c,
                     const struct page_about about[COMPARE_SIDES], size_t most)
{
    struct html *h = p->html;

    p->counting = true;
    compare_tell(c, most, &p->page);
    p->counting = false;
    p->section = 0;
    page_head(h, title_of(&about[COMPARE_A]), "ntstrace diff", false);
    HTML(h, "<header>\n<h1><bdi>");
    html_text(h, title_of(&about[COMPARE_A]));
    if (compare_differs(c)) {
        HTML(h, "</bdi>: two runs that are different</h1>\n</header>\n");
    } else if (compare_refused(c) > 0) {
        HTML(h, "</bdi>: two runs of which not all was compared</h1>\n"
                "</header>\n");
    } else {
        HTML(h, "</bdi>: two runs without a difference</h1>\n</header>\n");
    }
    add_contents(p);
    HTML(h, "<main>\n<div class=\"sides\">\n");
    for (int side = 0; side < COMPARE_SIDES; side++) {
        struct compare_numbers n = compare_numbers(c, (enum compare_side)side);

        add_side(h, side == COMPARE_A ? "A" : "B", &about[side], &n);
    }
    HTML(h, "</div>\n");
    compare_tell(c, most, &p->page);
    HTML(h, "</main>\n</body>\n</html>\n");
}
