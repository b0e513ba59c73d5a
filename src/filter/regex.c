/* SPDX-License-Identifier: MIT */
/*
 * regex.c - regular expressions over short texts, in linear time.
 *
 * The expression becomes a tree (parse_*), the tree a program (emit), and the
 * program is run on all its paths at once: `now` holds the steps that wait
 * for the next byte, each once, so that a byte costs at most one visit of
 * each step. A repetition {n,m} is its body m times over, which is why the
 * program is bounded, and the work of making it too: a body may be empty.
 */
#include "filter/regex.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum node_kind {
    NODE_EMPTY,
    NODE_SET,     // one byte out of sets[a]
    NODE_BEGIN,   // ^
    NODE_END,     // $
    NODE_CAT,     // a, then b
    NODE_EITHER,  // a or b
    NODE_REPEAT,  // a, from..to times
};

#define NO_LIMIT UINT16_MAX

struct node {
    uint8_t kind;
    uint16_t a;
    uint16_t b;
    uint16_t from;
    uint16_t to;
};

struct set {
    uint8_t bits[32];
};

enum step_kind {
    STEP_SET,    // a byte out of sets[x], then the next step
    STEP_BEGIN,  // at the beginning
    STEP_END,
    STEP_GO,    // to x
    STEP_FORK,  // to x and to the next one
    STEP_MATCH,
};

struct step {
    uint8_t kind;
    uint16_t x;
};

/* A byte of the expression makes at most two nodes and one set. */
#define NODES_MAX (2 * REGEX_BYTES_MAX + 2)

struct regex {
    size_t step_count;
    struct step steps[REGEX_MOST];
    struct set sets[];
};

struct parser {
    str text;
    size_t at;
    bool nocase;
    uint32_t depth;
    uint16_t node_count;
    uint16_t set_count;
    struct node nodes[NODES_MAX];
    struct set sets[REGEX_BYTES_MAX];
    struct regex_error e;  // text NULL: none yet
    uint32_t work;         // emit's
    bool too_large;
};

static_assert(NODES_MAX < UINT16_MAX && REGEX_MOST < UINT16_MAX, "regex.c");

static bool set_has(const struct set *set, uint8_t byte)
{
    return set->bits[byte >> 3] >> (byte & 7) & 1;
}

static void set_add(struct set *set, uint8_t byte)
{
    set->bits[byte >> 3] |= (uint8_t)(1u << (byte & 7));
}

static void set_invert(struct set *set)
{
    for (size_t i = 0; i < sizeof(set->bits); i++) {
        set->bits[i] = (uint8_t)~set->bits[i];
    }
}

/* Both cases of each letter in it. */
static void set_fold(struct set *set)
{
    for (uint8_t c = 'a'; c <= 'z'; c++) {
        uint8_t upper = (uint8_t)(c - 'a' + 'A');

        if (set_has(set, c) || set_has(set, upper)) {
            set_add(set, c);
            set_add(set, upper);
        }
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* --- text to tree: 0 is no node, but NODE_EMPTY that nobody looks at ------ */

static uint16_t fail(struct parser *p, const char *text, size_t at)
{
    if (!p->e.text) {
        p->e.text = text;
        p->e.at = at;
    }
    return 0;
}

static uint16_t node_new(struct parser *p, enum node_kind kind, uint16_t a,
                         uint16_t b)
{
    uint16_t i = p->node_count;

    if (i >= NODES_MAX) {
        return fail(p, "is too large", p->at);
    }
    p->node_count++;
    p->nodes[i] = (struct node){ .kind = (uint8_t)kind, .a = a, .b = b };
    return i;
}

static uint16_t node_set(struct parser *p, const struct set *set)
{
    uint16_t i = p->set_count;

    if (i >= REGEX_BYTES_MAX) {
        return fail(p, "is too large", p->at);
    }
    p->set_count++;
    p->sets[i] = *set;
    if (p->nocase) {
        set_fold(&p->sets[i]);
    }
    return node_new(p, NODE_SET, i, 0);
}

static bool more(const struct parser *p)
{
    return p->at < p->text.size && !p->e.text;
}

static char peek(const struct parser *p)
{
    return p->at < p->text.size ? p->text.p[p->at] : '\0';
}

/* What follows a backslash, the reader at it: one byte, or a class of them.
 * Returns the byte, -1 for a class or after an error. */
static int parse_escape(struct parser *p, struct set *set)
{
    bool (*is)(char) = NULL;
    size_t at = p->at++;
    char c;

    if (p->at >= p->text.size) {
        fail(p, "ends in a backslash", at);
        return -1;
    }
    c = p->text.p[p->at++];
    switch (c) {
    case 'd':
    case 'D':
        is = is_digit;
        break;
    case 'w':
    case 'W':
        is = is_word;
        break;
    case 's':
    case 'S':
        is = is_blank;
        break;
    default:
        if (is_word(c) && c != '_') {
            fail(p,
                 "knows no such escape, only \\d \\w \\s \\D \\W \\S and "
                 "punctuation",
                 at);
            return -1;
        }
        set_add(set, (uint8_t)c);
        return (uint8_t)c;
    }
    for (int i = 0; i < 256; i++) {
        if (is((char)i) == (c >= 'a')) {
            set_add(set, (uint8_t)i);
        }
    }
    return -1;
}

/* One byte of [...], or a class, which is added. -1: a class, or an error. */
static int parse_member(struct parser *p, struct set *set)
{
    struct set one = { { 0 } };
    int byte;

    if (peek(p) != '\\') {
        return (uint8_t)p->text.p[p->at++];
    }
    byte = parse_escape(p, &one);
    if (byte < 0) {
        for (size_t i = 0; i < sizeof(one.bits); i++) {
            set->bits[i] |= one.bits[i];
        }
    }
    return byte;
}

static uint16_t parse_brackets(struct parser *p)
{
    struct set set = { { 0 } };
    size_t open = p->at++;
    bool inverted = peek(p) == '^';
    bool first = true;

    p->at += inverted;
    for (; more(p) && (first || peek(p) != ']'); first = false) {
        size_t at = p->at;
        int from;
        int to;

        if (peek(p) == '[' && p->at + 1 < p->text.size &&
            strchr(":.=", p->text.p[p->at + 1])) {
            return fail(p,
                        "knows no [:names:] in brackets; \\d \\w \\s are "
                        "there",
                        at);
        }
        from = parse_member(p, &set);
        to = from;
        if (more(p) && peek(p) == '-' && p->at + 1 < p->text.size &&
            p->text.p[p->at + 1] != ']') {
            p->at++;
            to = parse_member(p, &set);
            if (!p->e.text && (from < 0 || to < 0)) {
                return fail(p, "has a class of letters at the end of a range",
                            at);
            }
            if (!p->e.text && from > to) {
                return fail(p, "has a range that runs backwards", at);
            }
        }
        for (int i = from; i >= 0 && i <= to; i++) {
            set_add(&set, (uint8_t)i);
        }
    }
    if (!more(p)) {
        return fail(p, "has a [ without its ]", open);
    }
    p->at++;
    if (p->nocase) {
        set_fold(&set);  // before it is inverted
    }
    if (inverted) {
        set_invert(&set);
    }
    return node_set(p, &set);
}

static uint16_t parse_either(struct parser *p);

static uint16_t parse_group(struct parser *p)
{
    size_t open = p->at++;
    uint16_t inner;

    if (str_starts(str_slice(p->text, p->at, p->text.size), STR("?:"))) {
        p->at += 2;
    }
    if (++p->depth > REGEX_DEPTH_MAX) {
        return fail(p, "has its groups too deep", open);
    }
    inner = parse_either(p);
    p->depth--;
    if (!p->e.text && peek(p) != ')') {
        return fail(p, "has a ( without its )", open);
    }
    p->at++;
    return inner;
}

static uint16_t parse_atom(struct parser *p)
{
    struct set set = { { 0 } };
    char c = peek(p);

    switch (c) {
    case '(':
        return parse_group(p);
    case '[':
        return parse_brackets(p);
    case '^':
        p->at++;
        return node_new(p, NODE_BEGIN, 0, 0);
    case '$':
        p->at++;
        return node_new(p, NODE_END, 0, 0);
    case '*':
    case '+':
    case '?':
    case '{':
        return fail(p, "has nothing to repeat here", p->at);
    case ']':
    case '}':
        return fail(p,
                    "has a bracket that was not opened; put \\ before it "
                    "if it is meant as such",
                    p->at);
    case '\\':
        parse_escape(p, &set);
        return node_set(p, &set);
    case '.':
        p->at++;
        set_invert(&set);
        return node_set(p, &set);
    default:
        p->at++;
        set_add(&set, (uint8_t)c);
        return node_set(p, &set);
    }
}

/* Digits, the reader at them. */
static bool parse_number(struct parser *p, uint16_t *out)
{
    size_t at = p->at;
    uint32_t n = 0;

    while (is_digit(peek(p))) {
        n = n * 10 + (uint32_t)(peek(p) - '0');
        p->at++;
        if (n > REGEX_REPEAT_MAX) {
            fail(p, "repeats too often; 255 times is the most", at);
            return false;
        }
    }
    *out = (uint16_t)n;
    return p->at > at;
}

/* {n} {n,} {n,m}, the reader at the brace. */
static void parse_braces(struct parser *p, uint16_t *from, uint16_t *to)
{
    size_t open = p->at++;

    if (!parse_number(p, from)) {
        fail(p, "needs a number after {; put \\ before it if a brace is meant",
             open);
        return;
    }
    *to = *from;
    if (peek(p) == ',') {
        p->at++;
        if (!parse_number(p, to)) {
            *to = NO_LIMIT;
        }
    }
    if (peek(p) != '}') {
        fail(p, "has a { without its }", open);
    } else if (*from > *to) {
        fail(p, "has a {n,m} with m below n", open);
    } else {
        p->at++;
    }
}

static uint16_t parse_repeat(struct parser *p)
{
    uint16_t node = parse_atom(p);

    while (more(p) && strchr("*+?{", peek(p)) && peek(p) != '\0') {
        uint16_t from = peek(p) == '+';
        uint16_t to = peek(p) == '?' ? 1 : NO_LIMIT;

        if (peek(p) == '{') {
            parse_braces(p, &from, &to);
        } else {
            p->at++;
        }
        node = node_new(p, NODE_REPEAT, node, 0);
        p->nodes[node].from = from;
        p->nodes[node].to = to;
    }
    return node;
}

/* A chain to the right, made without recursion. */
static uint16_t parse_chain(struct parser *p)
{
    uint16_t all = 0;
    uint16_t last = 0;

    while (more(p) && peek(p) != '|' && peek(p) != ')') {
        uint16_t node = parse_repeat(p);

        if (all == 0) {
            all = node;
        } else if (last == 0) {
            last = node_new(p, NODE_CAT, all, node);
            all = last;
        } else {
            uint16_t cat = node_new(p, NODE_CAT, p->nodes[last].b, node);

            p->nodes[last].b = cat;
            last = cat;
        }
    }
    return all;
}

static uint16_t parse_either(struct parser *p)
{
    uint16_t all = parse_chain(p);
    uint16_t last = 0;

    while (more(p) && peek(p) == '|') {
        uint16_t node;

        p->at++;
        node = parse_chain(p);
        if (last == 0) {
            last = node_new(p, NODE_EITHER, all, node);
            all = last;
        } else {
            uint16_t either = node_new(p, NODE_EITHER, p->nodes[last].b, node);

            p->nodes[last].b = either;
            last = either;
        }
    }
    return all;
}

/* --- tree to program -------------------------------------------------------- */

static size_t step_new(struct regex *r, struct parser *p, enum step_kind kind,
                       size_t x)
{
    if (r->step_count >= REGEX_MOST) {
        p->too_large = true;
        return 0;
    }
    r->steps[r->step_count] = (struct step){ (uint8_t)kind, (uint16_t)x };
    return r->step_count++;
}

static void emit(struct regex *r, struct parser *p, uint16_t node);

/* `from` copies, then a loop, or forks past what is left of `to`. */
static void emit_repeat(struct regex *r, struct parser *p,
                        const struct node *node)
{
    size_t last = 0;
    size_t first;
    size_t fork;

    for (uint32_t i = 0; i < node->from && !p->too_large; i++) {
        last = r->step_count;
        emit(r, p, node->a);
    }
    if (node->to == NO_LIMIT && node->from > 0) {
        step_new(r, p, STEP_FORK, last);  // once more, or on
        return;
    }
    if (node->to == NO_LIMIT) {
        fork = step_new(r, p, STEP_FORK, 0);  // into the body, or past it
        emit(r, p, node->a);
        step_new(r, p, STEP_GO, fork);
        r->steps[fork].x = (uint16_t)r->step_count;
        return;
    }
    first = r->step_count;
    for (uint32_t i = node->from; i < node->to && !p->too_large; i++) {
        step_new(r, p, STEP_FORK, UINT16_MAX);
        emit(r, p, node->a);
    }
    for (size_t i = first; i < r->step_count; i++) {
        if (r->steps[i].kind == STEP_FORK && r->steps[i].x == UINT16_MAX) {
            r->steps[i].x = (uint16_t)r->step_count;
        }
    }
}

/* As deep as groups and repetitions are: chains are walked. */
static void emit(struct regex *r, struct parser *p, uint16_t i)
{
    while (!p->too_large) {
        const struct node *node = &p->nodes[i];
        size_t fork;
        size_t go;

        if (++p->work > 16 * REGEX_MOST) {
            p->too_large = true;
            return;
        }
        switch ((enum node_kind)node->kind) {
        case NODE_EMPTY:
            return;
        case NODE_SET:
            step_new(r, p, STEP_SET, node->a);
            return;
        case NODE_BEGIN:
            step_new(r, p, STEP_BEGIN, 0);
            return;
        case NODE_END:
            step_new(r, p, STEP_END, 0);
            return;
        case NODE_REPEAT:
            emit_repeat(r, p, node);
            return;
        case NODE_CAT:
            emit(r, p, node->a);
            i = node->b;
            break;
        case NODE_EITHER:
            fork = step_new(r, p, STEP_FORK, 0);
            emit(r, p, node->a);
            go = step_new(r, p, STEP_GO, 0);
            r->steps[fork].x = (uint16_t)r->step_count;
            emit(r, p, node->b);
            r->steps[go].x = (uint16_t)r->step_count;
            return;
        }
    }
}

static struct regex *compile(struct parser *p, uint16_t tree)
{
    size_t sets = p->set_count * sizeof(struct set);
    struct regex *r = calloc(1, sizeof(*r) + sets);

    if (!r) {
        fail(p, "found no memory", 0);
        return NULL;
    }
    memcpy(r->sets, p->sets, sets);
    emit(r, p, tree);
    step_new(r, p, STEP_MATCH, 0);
    if (p->too_large) {
        fail(p, "is too large", 0);
        free(r);
        return NULL;
    }
    return r;
}

struct regex *regex_open(str expression, bool nocase, struct regex_error *e)
{
    struct parser *p;
    struct regex *r = NULL;
    uint16_t tree;

    if (expression.size > REGEX_BYTES_MAX) {
        *e = (struct regex_error){ "is too long", REGEX_BYTES_MAX };
        return NULL;
    }
    p = calloc(1, sizeof(*p));
    if (!p) {
        *e = (struct regex_error){ "found no memory", 0 };
        return NULL;
    }
    p->text = expression;
    p->nocase = nocase;
    p->node_count = 1;  // 0 is NODE_EMPTY
    tree = parse_either(p);
    if (!p->e.text && p->at < expression.size) {
        fail(p, "has a ) that was not opened", p->at);
    }
    if (!p->e.text) {
        r = compile(p, tree);
    }
    if (!r) {
        *e = p->e;
    }
    free(p);
    return r;
}

void regex_close(struct regex *r)
{
    free(r);
}

/* --- running it --------------------------------------------------------------- */

struct steps {
    uint16_t list[REGEX_MOST];  // STEP_SET ones that wait for a byte
    size_t count;
};

struct run {
    const struct regex *r;
    struct steps lists[2];
    uint16_t stack[REGEX_MOST];
    uint8_t seen[REGEX_MOST / 8];
    bool matched;
};

static bool see(struct run *run, size_t step)
{
    uint8_t bit = (uint8_t)(1u << (step & 7));
    bool seen = run->seen[step >> 3] & bit;

    run->seen[step >> 3] |= bit;
    return seen;
}

/* Adds what can be reached from `step` without a byte. Each step is put on
 * the stack at most once, when it is first seen. */
static void reach(struct run *run, struct steps *to, size_t step, bool begin,
                  bool end)
{
    size_t depth = 0;

    if (see(run, step)) {
        return;
    }
    run->stack[depth++] = (uint16_t)step;
    while (depth > 0) {
        size_t at = run->stack[--depth];
        const struct step *s = &run->r->steps[at];
        size_t next[2] = { at + 1, s->x };
        size_t count = 0;

        switch ((enum step_kind)s->kind) {
        case STEP_SET:
            to->list[to->count++] = (uint16_t)at;
            break;
        case STEP_MATCH:
            run->matched = true;
            return;
        case STEP_BEGIN:
            count = begin;
            break;
        case STEP_END:
            count = end;
            break;
        case STEP_GO:
            next[0] = s->x;
            count = 1;
            break;
        case STEP_FORK:
            count = 2;
            break;
        }
        for (size_t i = 0; i < count; i++) {
            if (!see(run, next[i])) {
                run->stack[depth++] = (uint16_t)next[i];
            }
        }
    }
}

bool regex_match(const struct regex *r, str text)
{
    struct run run;
    struct steps *now = &run.lists[0];
    struct steps *next = &run.lists[1];
    size_t seen = (r->step_count + 7) / 8;

    run.r = r;
    run.matched = false;
    now->count = 0;
    memset(run.seen, 0, seen);
    for (size_t i = 0;; i++) {
        struct steps *swap = now;

        /* A match may begin at each byte. */
        reach(&run, now, 0, i == 0, i == text.size);
        if (run.matched || i == text.size) {
            return run.matched;
        }
        next->count = 0;
        memset(run.seen, 0, seen);
        for (size_t k = 0; k < now->count; k++) {
            const struct step *s = &r->steps[now->list[k]];

            if (set_has(&r->sets[s->x], (uint8_t)text.p[i])) {
                reach(&run, next, now->list[k] + 1u, false, i + 1 == text.size);
            }
        }
        if (run.matched) {
            return true;
        }
        now = next;
        next = swap;
    }
}
