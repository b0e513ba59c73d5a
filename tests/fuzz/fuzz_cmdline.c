/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cmdline - cmd/cmdline.h: any text splits, within the promised room.
 *
 * Words quoted again by the documented rule must split into themselves.
 */
#include "cmd/cmdline.h"

#include "fuzz/fuzz.h"

/* Appends `word`, quoted as Microsoft documents it. */
static void add_quoted(struct buf *b, str word)
{
    size_t slashes = 0;

    buf_add(b, STR(" \""));
    for (size_t i = 0; i <= word.size; i++) {
        char c = i < word.size ? word.p[i] : '"';

        for (; c == '"' && slashes > 0; slashes--) {
            buf_add_char(b, '\\');
        }
        slashes = c == '\\' ? slashes + 1 : 0;
        if (c == '"' && i < word.size) {
            buf_add_char(b, '\\');
        }
        buf_add_char(b, c);
    }
}

static char *room_for(size_t size)
{
    char *room = malloc(size ? size : 1);

    MUST(room != NULL);
    return room;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    str raw = { (const char *)bytes, size };
    char *room = room_for(2 * size);
    struct arena a = arena_over(room, 2 * size, fuzz_full);
    struct cmdline line = cmdline_over(raw);
    char *text = room_for(8 * size + 8);
    struct buf again = { text, 0, 8 * size + 8, false };
    struct cmdline second;
    struct arena b;
    struct word word;
    char *more;
    size_t count = 0;
    size_t last = 0;

    buf_add(&again, STR("x"));
    for (; cmdline_next(&line, &a, &word); count++) {
        touch(word.text);
        MUST(word.start <= size && word.text.size <= size - word.start);
        MUST(count == 0 ? word.start == 0
                        : word.start > last && (bytes[word.start - 1] == ' ' ||
                                                bytes[word.start - 1] == '\t'));
        MUST(cmdline_units(str_slice(raw, 0, word.start)) <= word.start * 2);
        last = word.start;
        add_quoted(&again, word.text);
    }
    MUST(count > 0 && !cmdline_next(&line, &a, &word) && !again.cut);

    /* All of it once more, from text of our own making. */
    more = room_for(2 * again.size);
    b = arena_over(more, 2 * again.size, fuzz_full);
    second = cmdline_over(buf_str(&again));
    MUST(cmdline_next(&second, &b, &word) && str_eq(word.text, STR("x")));
    a = arena_over(room, 2 * size, fuzz_full);
    line = cmdline_over(raw);
    while (cmdline_next(&line, &a, &word)) {
        struct word same;

        MUST(cmdline_next(&second, &b, &same));
        MUST(str_eq(same.text, word.text));
    }
    MUST(!cmdline_next(&second, &b, &word));
    free(more);
    free(text);
    free(room);
    return 0;
}
