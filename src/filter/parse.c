/* SPDX-License-Identifier: MIT */
/*
 * parse.c - expressions of -e, to lists of items; and what is wrong with them.
 *
 * A name that nothing is known of is most likely mistyped, and a filter that
 * can never match is a wrong answer that looks like a right one: so it is an
 * error, with the nearest name, unless a ? says that the user knows better.
 */
#include "filter/tests.h"

#include "base/caret.h"
#include "base/chars.h"
#include "base/glob.h"
#include "decode/decode.h"
#include "filter/known.h"
#include "tables/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* --- errors ------------------------------------------------------------------- */

bool parse_error(struct err *e, enum err_code code, str shown, size_t at,
                 const char *fmt, ...)
{
    char room[192];
    struct buf out = { e->text, 0, sizeof(e->text) - 1, false };
    va_list args;

    va_start(args, fmt);
    vsnprintf(room, sizeof(room), fmt, args);
    va_end(args);
    chars_add_visible(&out, str_of(room));
    caret_add(&out, shown, at);
    e->text[out.size] = '\0';
    e->code = code;
    e->os = 0;
    return false;
}

/* The user's word, of a length that a sentence bears. */
struct word {
    char z[72];
};

static struct word word(str s)
{
    struct word w;
    struct buf b = { w.z, 0, sizeof(w.z) - 1, false };
    str head = caret_first(s, 40);

    while (head.size > 60) {
        head = caret_first(head, caret_columns(head) - 1);
    }
    buf_add(&b, head);
    buf_add(&b, head.size < s.size ? STR("...") : STR(""));
    w.z[b.size] = '\0';
    return w;
}

/* --- what users of strace write --------------------------------------------- */

enum strace_kind {
    STRACE_INSTEAD,
    STRACE_CALL,
    STRACE_CLASS,
};

/* clang-format off */
#define INSTEAD(name_, words_) { STR_INIT(#name_), STRACE_INSTEAD, words_ },
#define CALL(name_, words_) { STR_INIT(#name_), STRACE_CALL, words_ },
#define CLASS(name_, words_) { STR_INIT(#name_), STRACE_CLASS, words_ },
/* clang-format on */

static const struct strace_word {
    str name;
    enum strace_kind kind;
    const char *words;
} strace_words[] = {
#include "filter/strace.def"
};

/* What to write instead of `name`, if it is a word of strace's and of this
 * kind; else NULL. */
static const char *strace_find(str name, enum strace_kind kind)
{
    for (size_t i = 0; i < COUNT_OF(strace_words); i++) {
        if (strace_words[i].kind == kind &&
            str_eq_nocase(name, strace_words[i].name)) {
            return strace_words[i].words;
        }
    }
    return NULL;
}

/* --- the reader ------------------------------------------------------------- */

struct parser {
    str text;
    str whole;  // for errors: `text`, and what is behind it
    size_t at;
    const struct call_set *own;  // the user's calls; NULL: none
    struct path_room *room;
    struct err *e;
};

#define BAD(p, at, ...) \
    parse_error((p)->e, ERR_USAGE, (p)->whole, (at), __VA_ARGS__)

static bool no_memory(struct parser *p)
{
    return parse_error(p->e, ERR_OS, p->whole, p->at,
                       "no memory for this filter");
}

static char peek(const struct parser *p)
{
    return p->at < p->text.size ? p->text.p[p->at] : '\0';
}

static str rest(const struct parser *p)
{
    return str_slice(p->text, p->at, p->text.size);
}

static void skip_blanks(struct parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\t') {
        p->at++;
    }
}

/* What stands before the next comma, without blanks at its ends; *at gets
 * where it begins. */
static str next_word(struct parser *p, size_t *at)
{
    str head;
    str tail;

    skip_blanks(p);
    *at = p->at;
    str_cut(rest(p), ',', &head, &tail);
    p->at += head.size;
    while (head.size > 0 &&
           (head.p[head.size - 1] == ' ' || head.p[head.size - 1] == '\t')) {
        head.size--;
    }
    return head;
}

static bool item_add(struct parser *p, struct list *l, struct item item)
{
    struct item *items = realloc(l->items, (l->count + 1) * sizeof(*items));

    if (!items) {
        free(item.text);
        regex_close(item.regex);
        path_pattern_close(&item.object);
        return no_memory(p);
    }
    items[l->count++] = item;
    l->items = items;
    return true;
}

void list_close(struct list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->items[i].text);
        regex_close(l->items[i].regex);
        path_pattern_close(&l->items[i].object);
    }
    free(l->items);
    *l = (struct list){ 0 };
}

/* --- trace= ------------------------------------------------------------------ */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* An item with a copy of `text`, Nt for Zw. */
static bool text_item_add(struct parser *p, struct list *l, enum item_kind kind,
                          str text, bool nocase)
{
    struct item item = { .kind = (uint8_t)kind, .nocase = nocase };

    item.text = malloc(text.size + 1);
    if (!item.text) {
        return no_memory(p);
    }
    memcpy(item.text, text.p, text.size);
    item.size = text.size;
    if (text.size > 2 && str_eq_nocase(str_slice(text, 0, 2), STR("Zw"))) {
        memcpy(item.text, "Nt", 2);
    }
    return item_add(p, l, item);
}

static bool class_item_add(struct parser *p, struct list *l,
                           const struct class_row *class)
{
    struct item item = { .kind = ITEM_CLASS, .class = class };

    if (class->object) {
        struct path_pattern patterns[PATH_PATTERNS_MAX];
        size_t count = 0;

        if (path_patterns(p->room, str_of(class->object), patterns, &count) !=
            PATH_OK) {
            return no_memory(p);
        }
        item.object = patterns[0];  // an NT path is one pattern
        item.object.kind = PATH_BELOW;
    }
    return item_add(p, l, item);
}

static bool regex_knows(const struct regex *r)
{
    for (size_t i = 0; i < known_call_count(); i++) {
        if (regex_match(r, known_call_at(i))) {
            return true;
        }
    }
    return false;
}

/* The regular expression that follows, the reader behind its slash: up to the
 * slash that ends it (the first that is not escaped, before a comma or the
 * end, with an i between them or not); without one, as strace has it, up to
 * the next comma. */
static bool regex_body(struct parser *p, str *body, bool *nocase)
{
    size_t from = p->at;
    size_t i = from;
    str tail;

    *nocase = false;
    while (i < p->text.size && p->text.p[i] != '/') {
        i += p->text.p[i] == '\\' && i + 1 < p->text.size ? 2u : 1u;
    }
    if (i >= p->text.size || (i > from && p->text.p[i - 1] == ',')) {
        str_cut(rest(p), ',', body, &tail);
        p->at += body->size;
        return true;
    }
    *body = str_slice(p->text, from, i);
    p->at = i + 1;
    if (peek(p) == 'i') {
        *nocase = true;
        p->at++;
    }
    skip_blanks(p);
    if (p->at < p->text.size && peek(p) != ',') {
        return BAD(p, p->at, "only i may follow a regular expression's last /");
    }
    return true;
}

static bool parse_regex(struct parser *p, struct list *l, bool optional)
{
    struct item item = { .kind = ITEM_REGEX };
    struct regex_error why;
    size_t from = ++p->at;
    bool nocase;
    str body;

    if (!regex_body(p, &body, &nocase)) {
        return false;
    }
    if (body.size == 0) {
        return BAD(p, from, "this regular expression is empty");
    }
    item.regex = regex_open(body, nocase, &why);
    if (!item.regex) {
        return BAD(p, from + why.at, "this regular expression %s", why.text);
    }
    if (!optional && !regex_knows(item.regex)) {
        regex_close(item.regex);
        return BAD(p, from - 1,
                   "no system call matches /%s/; `ntstrace list syscalls` "
                   "shows all",
                   word(body).z);
    }
    return item_add(p, l, item);
}

static bool parse_glob(struct parser *p, struct list *l, str text, size_t at,
                       bool optional)
{
    struct word shown = word(text);
    char room[NEAREST_BYTES_MAX];

    /* Nt for Zw also while it is held against the known names. */
    if (text.size > 2 && text.size <= sizeof(room) &&
        str_eq_nocase(str_slice(text, 0, 2), STR("Zw"))) {
        memcpy(room, text.p, text.size);
        memcpy(room, "Nt", 2);
        text.p = room;
    }
    for (int nocase = 0; nocase < 2; nocase++) {
        for (size_t i = 0; i < known_call_count(); i++) {
            if (glob_matches(text, known_call_at(i), nocase)) {
                return text_item_add(p, l, ITEM_GLOB, text, nocase);
            }
        }
    }
    if (optional) {
        return text_item_add(p, l, ITEM_GLOB, text, true);
    }
    return BAD(p, at,
               "no system call matches %s; `ntstrace list syscalls` shows all",
               shown.z);
}

static bool parse_class(struct parser *p, struct list *l, str name, size_t at)
{
    const struct class_row *class = class_find(name);
    struct nearest n = nearest_to(name);
    const char *words = strace_find(name, STRACE_CLASS);

    if (class) {
        return class_item_add(p, l, class);
    }
    if (words) {
        return BAD(p, at, "there is no class %%%s; did you mean %s?",
                   word(name).z, words);
    }
    for (size_t i = 0; i < class_count(); i++) {
        nearest_try(&n, str_of(class_at(i)->name));
    }
    if (n.best.size > 0) {
        return BAD(p, at, "there is no class %%%s; did you mean %%%.*s?",
                   word(name).z, STR_ARGS(n.best));
    }
    return BAD(p, at,
               "there is no class %%%s; `ntstrace list classes` shows all",
               word(name).z);
}

/* How a call can end, as status= has it. */
static const struct outcome {
    str name;
    enum item_kind kind;
} outcomes[] = {
    { STR_INIT("successful"), ITEM_SUCCESSFUL },
    { STR_INIT("failed"), ITEM_FAILED },
    { STR_INIT("pending"), ITEM_PENDING },
    { STR_INIT("unfinished"), ITEM_UNFINISHED },
};

static bool outcome_find(str name, uint8_t *kind)
{
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        if (str_eq_nocase(name, outcomes[i].name)) {
            *kind = (uint8_t)outcomes[i].kind;
            return true;
        }
    }
    return false;
}

/* Index of the transition of this name; TRANSITION_KINDS: there is none. */
static uint32_t transition_find(str name)
{
    uint32_t i = 0;

    while (i < TRANSITION_KINDS &&
           !str_eq_nocase(name, decoder_transition_name((enum transition)i))) {
        i++;
    }
    return i;
}

/* The nearest call, of the user's own as well. */
static str nearest_of_all(const struct parser *p, str name)
{
    struct nearest n = nearest_to(name);
    str known = nearest_call(name);

    nearest_try(&n, known);
    for (size_t i = 0; p->own && i < p->own->count; i++) {
        nearest_try(&n, str_of(p->own->rows[i].name));
    }
    return n.best.size > 0 ? n.best : known;
}

static bool unknown_name(struct parser *p, str name, size_t at)
{
    struct nearest n = nearest_to(name);
    str best = nearest_of_all(p, name);
    const char *percent = "";
    const char *words = strace_find(name, STRACE_CALL);
    uint32_t status;
    uint8_t kind;

    if (str_eq_nocase(name, STR("direct"))) {
        return BAD(p, at, "direct stands alone: -e direct -e trace=...");
    }
    if (outcome_find(name, &kind) || status_find(name, &status)) {
        return BAD(p, at, "there is no system call %s; did you mean status=%s?",
                   word(name).z, word(name).z);
    }
    if (words) {
        return BAD(p, at, "there is no system call %s; did you mean %s?",
                   word(name).z, words);
    }
    if (transition_find(name) < TRANSITION_KINDS) {
        return BAD(p, at,
                   "there is no system call %s; did you mean transition=%s?",
                   word(name).z, word(name).z);
    }
    for (size_t i = 0; i < class_count(); i++) {
        nearest_try(&n, str_of(class_at(i)->name));
    }
    if (n.best.size > 0) {
        struct nearest call = nearest_to(name);

        nearest_try(&call, best);
        if (best.size == 0 || n.within < call.within) {
            best = n.best;
            percent = "%";
        }
    }
    if (best.size > 0) {
        return BAD(p, at, "there is no system call %s; did you mean %s%.*s?",
                   word(name).z, percent, STR_ARGS(best));
    }
    return BAD(p, at,
               "there is no system call %s; `ntstrace list syscalls` shows "
               "all",
               word(name).z);
}

/* As :when=1, or :after, behind a list of inject=; C:\x is no such thing. */
static bool is_key(str s)
{
    str name, value;

    return s.size > 0 && s.p[0] >= 'a' && s.p[0] <= 'z' &&
           (str_cut(s, '=', &name, &value) || str_is(s, "after"));
}

/* `c`, at `at` of the expression, is in no name. What people mean by the most
 * likely ones is known. */
static bool bad_character(struct parser *p, str c, size_t at)
{
    if (c.p[0] == ':' && is_key(str_slice(p->text, at + 1, p->text.size))) {
        return BAD(p, at,
                   "what to do with a call, and when, stands behind inject= "
                   "or fault= only");
    }
    switch (c.p[0]) {
    case '\'':
        return BAD(p, at,
                   "cmd does not take single quotes off; use double ones");
    case ' ':
    case '\t':
    case ';':
        return BAD(p, at,
                   "no name has a '%.*s' in it; commas stand between names",
                   STR_ARGS(c));
    case '.':
    case ':':
    case '\\':
        return BAD(p, at,
                   "no name has a '%.*s' in it; -e wants a value before the "
                   "program's name",
                   STR_ARGS(c));
    default:
        return BAD(p, at, "no name has a '%.*s' in it", STR_ARGS(c));
    }
}

static bool parse_name(struct parser *p, struct list *l, bool optional)
{
    size_t at;
    str name = next_word(p, &at);
    const struct class_row *class;
    bool glob = false;
    str known;

    if (name.size > 0 && name.p[0] == '%') {
        if (name.size == 1) {
            return BAD(p, at + 1, "the name of a class is missing here");
        }
        name = str_slice(name, 1, name.size);
        if (optional && !class_find(name)) {
            return true;
        }
        return parse_class(p, l, name, at);
    }
    for (size_t i = 0; i < name.size; i++) {
        if (name.p[i] == '*' || name.p[i] == '?') {
            glob = true;
        } else if (!is_name_char(name.p[i])) {
            str c = str_slice(name, i, name.size);
            size_t size;

            chars_code_point(c, &size);
            return bad_character(p, str_slice(c, 0, size), at + i);
        }
    }
    if (name.size == 0) {
        return BAD(p, at, "the name of a system call is missing here");
    }
    if (is_digit(name.p[0])) {
        return BAD(p, at,
                   "service numbers differ from one Windows to the "
                   "next: give the name of the call");
    }
    if (glob) {
        return parse_glob(p, l, name, at, optional);
    }
    if (str_eq(name, STR("all"))) {
        return item_add(p, l, (struct item){ .kind = ITEM_ALL });
    }
    if (str_eq(name, STR("none"))) {
        return true;
    }
    if (call_set_find(p->own, name)) {
        return text_item_add(p, l, ITEM_NAME, name, false);
    }
    if (known_call_find(name, &known)) {
        return text_item_add(p, l, ITEM_NAME, known, false);
    }
    class = class_find(name);
    if (class) {
        return class_item_add(p, l, class);
    }
    if (optional) {
        return text_item_add(p, l, ITEM_NAME, name, true);
    }
    return unknown_name(p, name, at);
}

static bool parse_call(struct parser *p, struct list *l)
{
    bool optional = false;

    skip_blanks(p);
    while (peek(p) == '?') {
        optional = true;
        p->at++;
    }
    return peek(p) == '/' ? parse_regex(p, l, optional)
                          : parse_name(p, l, optional);
}

/* --- status= and numbers ------------------------------------------------------ */

static bool parse_status(struct parser *p, struct list *l)
{
    size_t at;
    str name = next_word(p, &at);
    bool minus = name.size > 1 && name.p[0] == '-';
    struct item item = { .kind = ITEM_NUMBER, .minus = minus };
    struct nearest n = nearest_to(name);
    uint32_t status;

    if (outcome_find(name, &item.kind)) {
        return item_add(p, l, item);
    }
    if (str_eq_nocase(name, STR("all"))) {
        return item_add(p, l, (struct item){ .kind = ITEM_ALL });
    }
    if (str_eq_nocase(name, STR("none"))) {
        return true;
    }
    if (str_to_u64(str_slice(name, minus, name.size), &item.number)) {
        if (minus) {
            item.number = 0 - item.number;
        }
        return item_add(p, l, item);
    }
    if (name.size == 0) {
        return BAD(p, at, "a status is missing here");
    }
    if (is_digit(name.p[minus])) {
        return BAD(p, at, "%s is no number: decimal, or hexadecimal after 0x",
                   word(name).z);
    }
    if (status_find(name, &status)) {
        item.kind = ITEM_STATUS;
        item.number = status;
        return item_add(p, l, item);
    }
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        nearest_try(&n, outcomes[i].name);
    }
    nearest_try(&n, STR("all"));
    for (size_t i = 0; i < known_status_count(); i++) {
        str whole = known_status_at(i);

        nearest_try(&n, whole);
        if (str_starts(whole, STR("STATUS_"))) {
            nearest_try(&n, str_slice(whole, 7, whole.size));
        }
    }
    if (n.best.size > 0) {
        return BAD(p, at, "there is no status %s; did you mean %.*s?",
                   word(name).z, STR_ARGS(n.best));
    }
    return BAD(p, at,
               "there is no status %s: successful, failed, pending, "
               "unfinished, STATUS_... or a number",
               word(name).z);
}

static bool parse_transition(struct parser *p, struct list *l)
{
    struct item item = { .kind = ITEM_NUMBER };
    size_t at;
    str name = next_word(p, &at);
    struct nearest n = nearest_to(name);

    item.number = transition_find(name);
    if (item.number < TRANSITION_KINDS) {
        return item_add(p, l, item);
    }
    if (str_eq_nocase(name, STR("all"))) {
        item.kind = ITEM_ALL;
        return item_add(p, l, item);
    }
    if (str_eq_nocase(name, STR("none"))) {
        return true;
    }
    if (name.size == 0) {
        return BAD(p, at, "the name of a transition is missing here");
    }
    for (uint32_t i = 0; i < TRANSITION_KINDS; i++) {
        nearest_try(&n, decoder_transition_name((enum transition)i));
    }
    nearest_try(&n, STR("all"));
    nearest_try(&n, STR("none"));
    if (n.best.size > 0) {
        return BAD(p, at, "there is no transition %s; did you mean %.*s?",
                   word(name).z, STR_ARGS(n.best));
    }
    return BAD(p, at,
               "there is no transition %s: THREAD_START, APC, EXCEPTION, "
               "CALLBACK, RAISE, COMPLETION, MODULE, UNMODULE, all or none",
               word(name).z);
}

static bool parse_number(struct parser *p, struct list *l, uint64_t most,
                         const char *what)
{
    struct item item = { .kind = ITEM_NUMBER };
    size_t at;
    str name = next_word(p, &at);

    if (str_eq(name, STR("all"))) {
        item.kind = ITEM_ALL;
        return item_add(p, l, item);
    }
    if (str_eq(name, STR("none"))) {
        return true;
    }
    if (name.size == 0) {
        return BAD(p, at, "%s is missing here", what);
    }
    if (!str_to_u64(name, &item.number) || item.number > most) {
        return BAD(p, at,
                   "%s is not %s: a number, decimal or hexadecimal after 0x",
                   word(name).z, what);
    }
    return item_add(p, l, item);
}

/* The file of a program, which may have any name. */
static bool parse_process(struct parser *p, struct list *l)
{
    size_t at;
    str name = next_word(p, &at);

    if (str_eq(name, STR("all"))) {
        return item_add(p, l, (struct item){ .kind = ITEM_ALL });
    }
    if (str_eq(name, STR("none"))) {
        return true;
    }
    if (name.size == 0) {
        return BAD(p, at, "the name of a program is missing here");
    }
    for (size_t i = 0; i < name.size; i++) {
        if (name.p[i] == '\\' || name.p[i] == '/') {
            return BAD(p, at + i,
                       "a program is named by its file here, without folders");
        }
    }
    return text_item_add(p, l, ITEM_GLOB, name, true);
}

/* --- expressions -------------------------------------------------------------- */

static const struct kind_row {
    str key;
    enum test_kind kind;
} kind_rows[] = {
    { STR_INIT("trace"), TEST_TRACE },
    { STR_INIT("t"), TEST_TRACE },
    { STR_INIT("status"), TEST_STATUS },
    { STR_INIT("tid"), TEST_TID },
    { STR_INIT("process"), TEST_PROCESS },
    { STR_INIT("read"), TEST_READ },
    { STR_INIT("reads"), TEST_READ },
    { STR_INIT("r"), TEST_READ },
    { STR_INIT("write"), TEST_WRITE },
    { STR_INIT("writes"), TEST_WRITE },
    { STR_INIT("w"), TEST_WRITE },
    { STR_INIT("raw"), TEST_RAW },
    { STR_INIT("x"), TEST_RAW },
    { STR_INIT("transition"), TEST_TRANSITION },
    { STR_INIT("transitions"), TEST_TRANSITION },
    { STR_INIT("inject"), TEST_INJECT },
    { STR_INIT("fault"), TEST_FAULT },
};

static bool parse_key(struct parser *p, str key, size_t at, uint8_t *kind)
{
    struct nearest n = nearest_to(key);
    const char *words;

    for (size_t i = 0; i < COUNT_OF(kind_rows); i++) {
        if (str_eq_nocase(key, kind_rows[i].key)) {
            *kind = (uint8_t)kind_rows[i].kind;
            return true;
        }
    }
    words = strace_find(key, STRACE_INSTEAD);
    if (words) {
        return BAD(p, at, "there is no filter %s=; %s", word(key).z, words);
    }
    if (str_eq_nocase(key, STR("direct"))) {
        return BAD(p, at + key.size, "direct takes no value");
    }
    for (size_t i = 0; i < COUNT_OF(kind_rows); i++) {
        if (kind_rows[i].key.size > 1) {
            nearest_try(&n, kind_rows[i].key);
        }
    }
    if (n.best.size > 0) {
        return BAD(p, at, "there is no filter %s=; did you mean %.*s=?",
                   word(key).z, STR_ARGS(n.best));
    }
    return BAD(p, at,
               "there is no filter %s=; there are trace=, status=, tid=, "
               "process=, direct, transition=, raw=, read=, write=, inject= "
               "and fault=",
               word(key).z);
}

/* The words before the first =, if they are such as keys have. */
static bool cut_key(struct parser *p, str *key)
{
    str tail;

    if (!str_cut(rest(p), '=', key, &tail)) {
        return false;
    }
    for (size_t i = 0; i < key->size; i++) {
        if (!is_name_char(key->p[i]) && key->p[i] != '-') {
            return false;
        }
    }
    return true;
}

static bool parse_item(struct parser *p, struct parsed *out)
{
    switch ((enum test_kind)out->kind) {
    case TEST_TRACE:
    case TEST_RAW:
        return parse_call(p, &out->list);
    case TEST_STATUS:
        return parse_status(p, &out->list);
    case TEST_TID:
        return parse_number(p, &out->list, UINT32_MAX, "a thread id");
    case TEST_PROCESS:
        return parse_process(p, &out->list);
    case TEST_TRANSITION:
        return parse_transition(p, &out->list);
    case TEST_READ:
    case TEST_WRITE:
        return parse_number(p, &out->list, UINT64_MAX, "a handle");
    case TEST_DIRECT:
    case TEST_INJECT:
    case TEST_FAULT:
        break;
    }
    return false;
}

static bool parse_list(struct parser *p, struct parsed *out)
{
    skip_blanks(p);
    if (out->kind == TEST_TRACE && peek(p) == '+') {
        out->added = true;
        p->at++;
    }
    while (peek(p) == '!') {
        out->list.negated = !out->list.negated;
        p->at++;
    }
    for (;;) {
        if (!parse_item(p, out)) {
            return false;
        }
        if (p->at >= p->text.size) {
            return true;
        }
        p->at++;  // the comma
    }
}

static bool parse_direct(struct parser *p, struct parsed *out)
{
    str s = rest(p);

    if (s.size > 0 && s.p[0] == '!') {
        s = str_slice(s, 1, s.size);
        out->negated = true;
    }
    if (!str_eq_nocase(s, STR("direct"))) {
        out->negated = false;
        return false;
    }
    out->kind = TEST_DIRECT;
    return true;
}

bool parse_calls(str expression, const struct call_set *own, size_t from,
                 size_t to, struct path_room *room, struct list *out,
                 struct err *e)
{
    struct parser p = { .text = str_slice(expression, 0, to),
                        .whole = expression,
                        .at = from,
                        .own = own,
                        .room = room,
                        .e = e };
    struct parsed made = { .kind = TEST_RAW, .list.said = true };

    if (!parse_list(&p, &made)) {
        list_close(&made.list);
        return false;
    }
    *out = made.list;
    return true;
}

bool parse_expression(str expression, const struct call_set *own,
                      struct path_room *room, struct parsed *out, struct err *e)
{
    struct parser p = { .text = expression,
                        .whole = expression,
                        .own = own,
                        .room = room,
                        .e = e };
    struct parsed made = { .kind = TEST_TRACE };
    size_t begin;
    str key;

    skip_blanks(&p);
    begin = p.at;
    if (!parse_direct(&p, &made)) {
        if (cut_key(&p, &key)) {
            if (!parse_key(&p, key, begin, &made.kind)) {
                return false;
            }
            p.at += key.size + 1;
        }
        made.list.said = true;
        if (made.kind == TEST_INJECT || made.kind == TEST_FAULT) {
            made.rule_at = p.at;
            *out = made;
            return true;
        }
        if (!parse_list(&p, &made)) {
            list_close(&made.list);
            return false;
        }
    }
    *out = made;
    return true;
}
