/* SPDX-License-Identifier: MIT */
/*
 * test_html - report/html.c: what a page is written with.
 */
#include "report/html.h"

#include <stdlib.h>
#include <string.h>

#include "unit/check.h"

static struct html html;
static char written[1 << 16];
static size_t written_size;

static void write_bytes(void *ctx, str bytes)
{
    (void)ctx;
    if (written_size + bytes.size > sizeof(written)) {
        abort();
    }
    memcpy(written + written_size, bytes.p, bytes.size);
    written_size += bytes.size;
}

static void begin(void)
{
    html.write = write_bytes;
    written_size = 0;
}

static str got(void)
{
    str s = { written, written_size };

    written_size = 0;
    return s;
}

static void a_text_is_no_markup(void)
{
    begin();
    html_text(&html, STR("<script>alert('1')</script> & \"x\""));
    CHECK_STR(got(), STR("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; "
                         "&amp; &quot;x&quot;"));
    html_text(&html, STR("&lt;"));
    CHECK_STR(got(), STR("&amp;lt;"));
    html_text(&html, STR(""));
    CHECK_STR(got(), STR(""));
}

static void what_cannot_be_seen_is_a_number(void)
{
    begin();
    html_text(&html, STR("a\nb\x1b[31m\xe2\x80\xaegpj\xed\xa0\x80"));
    CHECK_STR(got(), STR("a^{0A}b^{1B}[31m^{202E}gpj^{D800}"));
}

static void json_ends_neither_its_text_nor_its_element(void)
{
    begin();
    html_json(&html, STR("\"\\</script><!--&\n"));
    CHECK_STR(got(), STR("\\\"\\\\\\u003c/script\\u003e\\u003c!--\\u0026"
                         "^{0A}"));
}

static void a_long_text_is_cut_between_characters(void)
{
    static char text[2 * HTML_TEXT_MOST];
    str s;

    begin();
    memset(text, '<', sizeof(text));
    html_text(&html, (str){ text, HTML_TEXT_MOST });
    CHECK_U64(got().size, 4 * HTML_TEXT_MOST);
    html_text(&html, (str){ text, HTML_TEXT_MOST + 1 });
    s = got();
    CHECK_U64(s.size, 4 * HTML_TEXT_MOST + 3);
    CHECK(str_ends(s, STR("&lt;...")));
    /* A character of three bytes over the edge is there as a whole. */
    memset(text, 'a', sizeof(text));
    memcpy(text + HTML_TEXT_MOST - 1, "\xe2\x82\xac", 3);
    html_text(&html, (str){ text, sizeof(text) });
    s = got();
    CHECK(str_ends(s, STR("a\xe2\x82\xac...")));
}

#define THIN "\xe2\x80\xaf"

static void numbers_and_times_have_their_units(void)
{
    begin();
    html_number(&html, 0);
    CHECK_STR(got(), STR("0"));
    html_number(&html, 1234);
    CHECK_STR(got(), STR("1234"));
    html_number(&html, 1234567);
    CHECK_STR(got(), STR("1" THIN "234" THIN "567"));
    html_number(&html, UINT64_MAX);
    CHECK_STR(got(), STR("18" THIN "446" THIN "744" THIN "073" THIN "709" THIN
                         "551" THIN "615"));
    html_digits(&html, STR("12345 <x>"));
    CHECK_STR(got(), STR("12" THIN "345 &lt;x&gt;"));
    html_ns(&html, -5);
    CHECK_STR(got(), STR("0" THIN "ns"));
    html_ns(&html, 1234567);
    CHECK_STR(got(), STR("1.23" THIN "ms"));
    html_ns(&html, INT64_MAX);
    CHECK_STR(got(), STR("9" THIN "223" THIN "372" THIN "036" THIN "s"));
    html_bytes(&html, 1536);
    CHECK_STR(got(), STR("1.50" THIN "KiB"));
    html_plain(&html, 1234567);
    CHECK_STR(got(), STR("1234567"));
}

/* RFC 4648, 10. */
static void base64_of_every_rest(void)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };

    begin();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        html_base64(&html, (const uint8_t *)rows[i][0], strlen(rows[i][0]));
        CHECK_STR(got(), str_of(rows[i][1]));
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_text_is_no_markup),
        TEST(what_cannot_be_seen_is_a_number),
        TEST(json_ends_neither_its_text_nor_its_element),
        TEST(a_long_text_is_cut_between_characters),
        TEST(numbers_and_times_have_their_units),
        TEST(base64_of_every_rest),
    };

    return check_run(tests, COUNT_OF(tests));
}
