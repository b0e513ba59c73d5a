/* SPDX-License-Identifier: MIT */
/*
 * prototypes.c - declarations of C to rows of calls, and back.
 *
 * One pass over the tokens, with one token of lookahead. The first thing that is
 * wrong ends it.
 */
#include "tables/prototypes.h"

#include "base/array.h"
#include "base/caret.h"
#include "base/chars.h"
#include "tables/classes.h"
#include "tables/ctokens.h"
#include "tables/cwords.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define NAME_MOST 200
#define SIZE_MOST 200
/* Columns of a file's name that a message has room for. */
#define FILE_COLUMNS 120

enum sal_size {
    SAL_NONE,
    SAL_BYTES,
    SAL_ELEMENTS,
    SAL_BYTES_TO,
    SAL_ELEMENTS_TO,
};

struct annotation {
    const char *name;
    uint8_t direction;  // enum arg_direction
    uint8_t size;       // enum sal_size
};

/* clang-format off */
static const struct annotation annotations[] = {
#define SAL(name_, direction_, size_) \
    { #name_, ARG_##direction_, SAL_##size_ },
#define PASSED(beginning_)
#include "tables/annotations.def"
#undef SAL
#undef PASSED
    /* As the DDK had it. */
    { "IN", ARG_IN, SAL_NONE },
    { "OUT", ARG_OUT, SAL_NONE },
};

static const char *const passed[] = {
#define SAL(name_, direction_, size_)
#define PASSED(beginning_) #beginning_,
#include "tables/annotations.def"
#undef SAL
#undef PASSED
};
/* clang-format on */

/* What stands before a function and says nothing of it. */
static const char *const specifiers[] = {
    "NTSYSCALLAPI",
    "NTSYSAPI",
    "NTAPI",
    "WINAPI",
    "WINBASEAPI",
    "WINUSERAPI",
    "WINGDIAPI",
    "W32KAPI",
    "APIENTRY",
    "CALLBACK",
    "CDECL",
    "EXTERN_C",
    "extern",
    "DECLSPEC_IMPORT",
    "DECLSPEC_NORETURN",
    "DECLSPEC_HOTPATCH",
    "DECLSPEC_ALLOCATOR",
    "NTOSAPI",
    "__cdecl",
    "__stdcall",
    "__fastcall",
    "__declspec",
    "__attribute__",
    "__kernel_entry",
    "SYSCALL_API",
    "const",
    "CONST",
    "volatile",
};

static const char *const inline_words[] = {
    "FORCEINLINE", "static", "inline", "__inline", "__forceinline",
};

/* What stands before a type and does not matter. */
static const char *const qualifiers[] = {
    "volatile",   "FAR",        "UNALIGNED", "__unaligned", "restrict",
    "__restrict", "POINTER_64", "register",  "OPTIONAL",
};

#define IN_LIST(list, text) in_list(list, COUNT_OF(list), text)

static bool in_list(const char *const *list, size_t count, str text)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is(text, list[i])) {
            return true;
        }
    }
    return false;
}

/* --- the reader --- */

struct made {
    struct call_facts *facts;
    size_t at;  // of its name
};

struct parser {
    struct ctokens in;
    struct ctoken token;  // the next one
    str file;
    struct err *e;
    struct cmemory memory;
    struct made *made;  // owned
    size_t count;
    size_t room;
    uint32_t passed_over;
    uint32_t braces;  // of extern "C" { that are open
};

/* Line and column of byte `at`, and the line, its tabs as blanks. */
static void add_line(struct buf *b, str text, size_t at, struct buf *shown,
                     size_t *in_line)
{
    size_t line = 1;
    size_t begin = 0;
    size_t end = at;
    size_t column = 1;
    size_t size;

    for (size_t i = 0; i < at; i++) {
        if (text.p[i] == '\n') {
            line++;
            begin = i + 1;
        }
    }
    while (end < text.size && text.p[end] != '\n') {
        end++;
    }
    if (end > begin && text.p[end - 1] == '\r') {
        end--;
    }
    for (size_t i = begin; i < at && i < end; i += size) {
        (void)chars_code_point(str_slice(text, i, end), &size);
        column++;
    }
    buf_addf(b, ":%zu:%zu: ", line, column);
    *in_line = at - begin;
    for (size_t i = begin; i < end; i++) {
        /* A line that is longer than can be shown begins near the mistake. */
        if (end - begin > shown->room && i + shown->room / 2 < at) {
            *in_line = at - i - 1;
            continue;
        }
        buf_add_char(shown, text.p[i] == '\t' ? ' ' : text.p[i]);
    }
}

PRINTF_LIKE(3, 4)
static bool bad(struct parser *p, size_t at, const char *fmt, ...)
{
    char words_room[192];
    char shown_room[256];
    struct buf shown = BUF_OVER(shown_room);
    struct buf out = { p->e->text, 0, sizeof(p->e->text) - 1, false };
    str file = caret_first(p->file, FILE_COLUMNS);
    size_t in_line;
    va_list args;

    va_start(args, fmt);
    vsnprintf(words_room, sizeof(words_room), fmt, args);
    va_end(args);
    chars_add_visible(&out, file.size > 0 ? file : STR("?"));
    add_line(&out, p->in.text, at, &shown, &in_line);
    chars_add_visible(&out, str_of(words_room));
    caret_add(&out, buf_str(&shown), in_line);
    p->e->text[out.size] = '\0';
    p->e->code = ERR_USAGE;
    p->e->os = 0;
    return false;
}

static bool no_memory(struct parser *p)
{
    return err_set(p->e, ERR_OS, "out of memory");
}

/* A word of the file's in a message. */
static str shown_word(str word)
{
    return caret_first(word, 40);
}

#define BAD_WORD(p, at, fmt, word) bad(p, at, fmt, STR_ARGS(shown_word(word)))

static bool advance(struct parser *p)
{
    p->token = ctokens_next(&p->in);
    if (p->token.kind == CTOKEN_BAD) {
        return bad(p, p->token.at, "%s", p->token.why);
    }
    return true;
}

static bool is(const struct parser *p, const char *z)
{
    return ctoken_is(&p->token, z);
}

static bool is_word(const struct parser *p)
{
    return p->token.kind == CTOKEN_WORD;
}

/* From an opening bracket to behind the one that closes it. */
static bool skip_group(struct parser *p)
{
    size_t at = p->token.at;
    uint32_t depth = 0;

    do {
        if (p->token.kind == CTOKEN_END) {
            return bad(p, at, "what begins here is never closed");
        }
        depth += is(p, "(") || is(p, "{") || is(p, "[");
        depth -= is(p, ")") || is(p, "}") || is(p, "]");
        if (!advance(p)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

/* Behind the next ; that is in no brackets. */
static bool skip_statement(struct parser *p, size_t at)
{
    while (!is(p, ";")) {
        bool group = is(p, "(") || is(p, "{") || is(p, "[");

        if (p->token.kind == CTOKEN_END) {
            return bad(p, at, "what begins here has no ; at its end");
        }
        if (!(group ? skip_group(p) : advance(p))) {
            return false;
        }
    }
    return advance(p);
}

/* `word` is _Like_this_. */
static bool is_annotation(str word)
{
    return word.size > 2 && str_starts(word, STR("_")) &&
           str_ends(word, STR("_"));
}

static bool skip_word(struct parser *p)
{
    return advance(p) && (!is(p, "(") || skip_group(p));
}

/* --- parameters --- */

struct param {
    struct cspelled type;  // the name is its last word at first
    size_t at[6];          // where the words stand
    uint32_t before_star;  // words
    bool constant;
    bool optional;
    const struct annotation *sal;  // NULL: none
    str size;                      // as calls.h has it; empty: none
    bool is_array;
    str array;  // what stood in [ ]
    size_t begin;
};

/* A size as the tables have it, without blanks, up to the `)` or comma. */
static bool read_term(struct parser *p, struct buf *b)
{
    uint32_t depth = 0;
    bool word = false;

    while (depth > 0 || (!is(p, ")") && !is(p, ",") && !is(p, "]"))) {
        bool again = is_word(p) || p->token.kind == CTOKEN_NUMBER;

        if (p->token.kind == CTOKEN_END || is(p, ";")) {
            return bad(p, p->token.at, "this size has no end");
        }
        depth += is(p, "(");
        depth -= is(p, ")");
        buf_add(b, word && again ? STR(" ") : STR(""));
        buf_add(b, p->token.text);
        word = again;
        if (!advance(p)) {
            return false;
        }
    }
    return true;
}

/* "(Length)" or "(Length, *ReturnLength)" behind an annotation. */
static bool read_size(struct parser *p, struct param *out)
{
    const struct annotation *sal = out->sal;
    bool elements = sal->size == SAL_ELEMENTS || sal->size == SAL_ELEMENTS_TO;
    bool two = sal->size == SAL_BYTES_TO || sal->size == SAL_ELEMENTS_TO;
    char room[SIZE_MOST];
    struct buf b = BUF_OVER(room);
    size_t at = p->token.at;
    const char *kept;

    if (!is(p, "(")) {
        return bad(p, at, "%s needs a size behind it: (Length)", sal->name);
    }
    buf_add(&b, elements ? STR("[") : STR(""));
    for (int i = 0; i < 1 + two; i++) {
        size_t before = b.size;

        if (!advance(p)) {
            return false;
        }
        at = p->token.at;
        if (!read_term(p, &b)) {
            return false;
        }
        if (b.size == before) {
            return bad(p, at, "a size is missing here");
        }
        /* A row has two sizes with a comma between. */
        if (memchr(b.p + before, ',', b.size - before) != NULL) {
            return bad(p, at, "a size has no comma in it");
        }
        if (i < two) {
            if (!is(p, ",")) {
                return bad(p, p->token.at,
                           "%s has two sizes: how much there is, and how much "
                           "was written",
                           sal->name);
            }
            buf_add_char(&b, ',');
        }
    }
    if (!is(p, ")")) {
        return bad(p, p->token.at, "%s has one size%s", sal->name,
                   two ? " more" : "");
    }
    buf_add(&b, elements ? STR("]") : STR(""));
    if (b.cut) {
        return bad(p, at, "this size is too long");
    }
    kept = cmemory_text(&p->memory, buf_str(&b));
    if (kept == NULL) {
        return no_memory(p);
    }
    out->size = str_of(kept);
    return advance(p);
}

static const struct annotation *annotation_find(str word)
{
    for (size_t i = 0; i < COUNT_OF(annotations); i++) {
        if (str_is(word, annotations[i].name)) {
            return &annotations[i];
        }
    }
    return NULL;
}

static bool is_passed(str word)
{
    for (size_t i = 0; i < COUNT_OF(passed); i++) {
        if (str_starts(word, str_of(passed[i]))) {
            return true;
        }
    }
    return false;
}

static bool take_annotation(struct parser *p, const struct annotation *found,
                            struct param *out)
{
    static const struct annotation in_out = { "IN OUT", ARG_INOUT, SAL_NONE };
    size_t at = p->token.at;

    if (out->sal && str_is(STR("IN"), out->sal->name) &&
        str_is(STR("OUT"), found->name)) {
        found = &in_out;
    } else if (out->sal) {
        return bad(p, at, "%s stands there already", out->sal->name);
    }
    out->sal = found;
    if (!advance(p)) {
        return false;
    }
    if (found->size != SAL_NONE) {
        return read_size(p, out);
    }
    return !is(p, "(") || skip_group(p);
}

static bool take_param_word(struct parser *p, struct param *out)
{
    str word = p->token.text;
    const struct annotation *found = annotation_find(word);
    struct cspelled *type = &out->type;

    if (found) {
        return take_annotation(p, found, out);
    }
    if (is_annotation(word)) {
        return is_passed(word)
                   ? skip_word(p)
                   : BAD_WORD(p, p->token.at,
                              "%.*s is no annotation that is known", word);
    }
    if (str_is(word, "const") || str_is(word, "CONST")) {
        out->constant = true;
        return advance(p);
    }
    if (IN_LIST(qualifiers, word)) {
        out->optional |= str_is(word, "OPTIONAL");
        return advance(p);
    }
    if (type->count == 0 && (str_is(word, "struct") || str_is(word, "union") ||
                             str_is(word, "enum"))) {
        type->tag = str_is(word, "enum") ? CTAG_ENUM : CTAG_STRUCT;
        return advance(p);
    }
    if (type->count == COUNT_OF(type->words) ||
        (type->stars > 0 && type->count > out->before_star)) {
        return BAD_WORD(p, p->token.at, "a comma is missing before %.*s", word);
    }
    out->at[type->count] = p->token.at;
    type->words[type->count++] = word;
    return advance(p);
}

/* Name[3] */
static bool take_array(struct parser *p, struct param *out)
{
    char room[SIZE_MOST];
    struct buf b = BUF_OVER(room);
    size_t at = p->token.at;
    const char *kept;

    if (out->is_array) {
        return bad(p, at, "an array of arrays: write its elements as a *");
    }
    if (out->type.count < 2 && out->type.stars == 0) {
        return bad(p, at, "what is this an array of?");
    }
    if (!advance(p) || !read_term(p, &b)) {
        return false;
    }
    if (!is(p, "]") || b.cut) {
        return bad(p, at, "what begins here is never closed");
    }
    kept = cmemory_text(&p->memory, buf_str(&b));
    if (kept == NULL) {
        return no_memory(p);
    }
    out->is_array = true;
    out->array = str_of(kept);
    return advance(p);
}

/* All up to the comma or the ). */
static bool read_param(struct parser *p, struct param *out)
{
    *out = (struct param){ .size = STR(""),
                           .array = STR(""),
                           .begin = p->token.at };
    while (!is(p, ",") && !is(p, ")")) {
        bool ok;

        if (is_word(p)) {
            ok = take_param_word(p, out);
        } else if (is(p, "*") && out->type.count > 0) {
            if (out->type.stars > 0 && out->type.count > out->before_star) {
                return bad(p, p->token.at, "a comma is missing before this");
            }
            out->before_star = out->type.count;
            out->type.stars++;
            ok = advance(p);
        } else if (is(p, "[")) {
            ok = take_array(p, out);
        } else if (is(p, "(")) {
            ok = bad(p, p->token.at,
                     "a pointer to a function: write PVOID instead");
        } else if (is(p, "...")) {
            ok = bad(p, p->token.at,
                     "a system call has as many parameters as it has");
        } else if (p->token.kind == CTOKEN_END) {
            ok = bad(p, p->token.at, "the declaration has no end");
        } else {
            ok = BAD_WORD(p, p->token.at, "'%.*s' is not expected here",
                          p->token.text);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Takes the name off the words, if there is one; *at: where it stands. */
static str take_name(struct param *m, size_t *at)
{
    struct cspelled *type = &m->type;
    str name = STR("");

    *at = m->begin;
    if (type->stars > 0
            ? type->count > m->before_star
            : type->count > 1 &&
                  !cspelled_is_plain(type->words[type->count - 1])) {
        type->count--;
        name = type->words[type->count];
        *at = m->at[type->count];
    }
    return name;
}

/* The row of the words `type`, the first of which stands at `at`. */
static const struct type_row *
judge_type(struct parser *p, const struct cspelled *type, const size_t *at)
{
    const char *why;
    const struct type_row *row = cspelled_row(&p->memory, type, &why);

    if (row == NULL && p->memory.failed) {
        no_memory(p);
    } else if (row == NULL && type->count > 1 &&
               !cspelled_is_plain(type->words[0])) {
        /* The last word, which was taken for a name, is still there. */
        BAD_WORD(p, at[2], "a comma is missing before %.*s", type->words[2]);
    } else if (row == NULL) {
        bad(p, at[0], "%.*s %s", STR_ARGS(shown_word(type->words[0])), why);
    }
    return row;
}

/* PCWSTR and the like are const by themselves. */
static bool is_constant_type(str name)
{
    return str_ends(name, STR("WSTR"))
               ? str_starts(name, STR("PC")) || str_starts(name, STR("LPC"))
               : str_is(name, "PCUNICODE_STRING");
}

static bool judge_direction(struct parser *p, const struct param *m,
                            struct call_arg *arg)
{
    bool pointer = arg->type->class == CLASS_PTR;

    if (m->sal) {
        arg->direction = m->sal->direction;
    } else {
        arg->direction = pointer && !m->constant &&
                                 !is_constant_type(str_of(arg->type->name))
                             ? ARG_INOUT
                             : ARG_IN;
    }
    if (m->optional) {
        arg->direction |= ARG_OPT;
    }
    if ((arg->direction & ARG_OUT) && !pointer &&
        arg->type->class != CLASS_UNKNOWN) {
        return bad(p, m->begin, "the call cannot write to %s: it is no pointer",
                   arg->type->name);
    }
    if (m->size.size > 0 && !pointer) {
        return bad(p, m->begin, "%s is no pointer: it has no size",
                   arg->type->name);
    }
    return true;
}

static bool put_param(struct parser *p, struct param *m, uint32_t index,
                      struct call_arg *arg)
{
    char room[SIZE_MOST + 2];
    struct buf b = BUF_OVER(room);
    size_t at;
    str name = take_name(m, &at);

    if (m->type.count == 0) {
        return bad(p, p->token.at, "a parameter is missing here");
    }
    if (name.size == 0 && m->type.count == COUNT_OF(m->type.words)) {
        return bad(p, m->at[0], "no type has so many words");
    }
    m->type.stars += m->is_array;
    arg->type = judge_type(p, &m->type, m->at);
    if (arg->type == NULL) {
        return false;
    }
    if (arg->type->class == CLASS_VOID) {
        return bad(p, m->at[0], "no parameter is %s", arg->type->name);
    }
    if (name.size > NAME_MOST) {
        return bad(p, at, "this name is too long");
    }
    if (name.size == 0) {
        buf_addf(&b, "arg%u", index + 1);
        name = buf_str(&b);
    }
    arg->name = cmemory_text(&p->memory, name);
    if (m->size.size == 0 && m->array.size > 0) {
        b.size = 0;
        buf_addf(&b, "[%.*s]", STR_ARGS(m->array));
        m->size = str_of(cmemory_text(&p->memory, buf_str(&b)));
    }
    arg->size = m->size.size > 0 ? m->size.p : NULL;
    if (p->memory.failed) {
        return no_memory(p);
    }
    return judge_direction(p, m, arg);
}

/* A size that is one name, or * and one name, names a parameter. */
static bool judge_size(struct parser *p, const struct call_facts *call,
                       uint32_t index, size_t at)
{
    str size = str_of(call->args[index].size);
    str first;
    str second;

    if (str_starts(size, STR("["))) {
        size = str_slice(size, 1, size.size - 1);
    }
    str_cut(size, ',', &first, &second);
    for (int i = 0; i < 2; i++) {
        str word = i == 0 ? first : second;
        bool known = false;

        if (str_starts(word, STR("*"))) {
            word = str_slice(word, 1, word.size);
        }
        if (!str_is_identifier(word) || str_is(word, "return")) {
            continue;
        }
        for (uint32_t k = 0; k < call->arg_count && !known; k++) {
            known = str_is(word, call->args[k].name);
        }
        if (!known) {
            return BAD_WORD(p, at,
                            "the call has no parameter %.*s, which is to be a "
                            "size",
                            word);
        }
    }
    return true;
}

static bool judge_args(struct parser *p, const struct call_facts *call,
                       const size_t *at)
{
    for (uint32_t i = 0; i < call->arg_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(call->args[i].name, call->args[k].name) == 0) {
                return bad(p, at[i], "there are two parameters %s",
                           call->args[i].name);
            }
        }
        if (call->args[i].size && !judge_size(p, call, i, at[i])) {
            return false;
        }
    }
    return true;
}

static bool is_void(const struct param *m)
{
    return m->type.count == 1 && m->type.stars == 0 && !m->is_array &&
           (str_is(m->type.words[0], "void") ||
            str_is(m->type.words[0], "VOID"));
}

/* From behind the ( to behind the ). */
static bool read_params(struct parser *p, struct call_facts *call)
{
    struct call_arg args[CALL_ARGS_MAX] = { 0 };
    size_t at[CALL_ARGS_MAX];
    struct call_arg *kept;
    struct param m;

    if (is(p, ")")) {
        return advance(p);
    }
    for (;;) {
        if (!read_param(p, &m)) {
            return false;
        }
        if (call->arg_count == 0 && is(p, ")") && is_void(&m)) {
            return advance(p);
        }
        if (call->arg_count == CALL_ARGS_MAX) {
            return bad(p, m.begin, "no system call has more than %d parameters",
                       CALL_ARGS_MAX);
        }
        if (!put_param(p, &m, call->arg_count, &args[call->arg_count])) {
            return false;
        }
        at[call->arg_count++] = m.begin;
        if (is(p, ")")) {
            break;
        }
        if (!advance(p)) {
            return false;
        }
    }
    kept = cmemory_take(&p->memory, call->arg_count * sizeof(*kept));
    if (kept == NULL) {
        return no_memory(p);
    }
    memcpy(kept, args, call->arg_count * sizeof(*kept));
    call->args = kept;
    return judge_args(p, call, at) && advance(p);
}

/* --- declarations --- */

/* What stands before the ( of a function. */
struct head {
    struct cspelled type;
    size_t at[6];
    uint32_t before_star;
    bool is_inline;
    size_t begin;
};

static bool is_call_name(str name)
{
    return str_starts(name, STR("Nt")) || str_starts(name, STR("_")) ||
           (name.p[0] >= 'a' && name.p[0] <= 'z');
}

/* What fails: as in a row of ours, Windows' or Wine's, that has this name and
 * this result. */
static enum call_fails fails_of(const struct call_facts *call)
{
    str name = str_of(call->name);

    if (call->result->class == CLASS_STATUS) {
        return FAILS_STATUS;
    }
    for (int wine = 0; wine < 2; wine++) {
        const struct call_facts *ours =
            call_find_on(name, (struct call_system){ .wine = wine });

        if (ours && ours->result == call->result) {
            return (enum call_fails)ours->fails;
        }
    }
    return FAILS_NONE;
}

/* What a C declaration does not say. */
static void fill_rest(struct call_facts *call)
{
    str name = str_of(call->name);
    const struct call_facts *ours = call_find(name);

    call->fails = (uint8_t)fails_of(call);
    call->note = ours ? ours->note : CALL_PLAIN;
    call->own = true;
    call->win32k = ours ? call_is_win32k(ours)
                        : class_has(class_find(STR("win32k")), NULL, name);
    call->category = ours           ? ours->category
                     : call->win32k ? CATEGORY_USER
                                    : CATEGORY_SYSTEM;
}

static bool keep_call(struct parser *p, struct call_facts *call, size_t at)
{
    if (!array_grow(&p->made, &p->room, p->count, sizeof(p->made[0]))) {
        return no_memory(p);
    }
    fill_rest(call);
    p->made[p->count++] = (struct made){ call, at };
    return true;
}

/* Behind the ): up to the ; or over a body, which makes it none of ours. */
static bool read_end(struct parser *p, bool *body)
{
    *body = false;
    while (is_word(p) && (is_annotation(p->token.text) ||
                          IN_LIST(specifiers, p->token.text))) {
        if (!skip_word(p)) {
            return false;
        }
    }
    if (is(p, "{")) {
        *body = true;
        return skip_group(p);
    }
    if (!is(p, ";")) {
        return bad(p, p->token.at, "a ; is missing here");
    }
    return advance(p);
}

static bool read_function(struct parser *p, struct head *h)
{
    struct call_facts *call = cmemory_take(&p->memory, sizeof(*call));
    str name = h->type.words[h->type.count - 1];
    size_t at = h->at[h->type.count - 1];
    bool body;

    if (name.size > NAME_MOST) {
        return bad(p, at, "this name is too long");
    }
    if (h->type.stars > 0 ? h->type.count == h->before_star
                          : h->type.count < 2) {
        return BAD_WORD(p, at, "%.*s has no type of its result", name);
    }
    h->type.count--;
    if (call == NULL) {
        return no_memory(p);
    }
    call->name = cmemory_text(&p->memory, name);
    if (call->name == NULL) {
        return no_memory(p);
    }
    call->result = judge_type(p, &h->type, h->at);
    if (call->result == NULL) {
        return false;
    }
    if (call->result->class == CLASS_STRUCT ||
        call->result->class == CLASS_FLOAT) {
        return bad(p, h->at[0], "no system call returns %s",
                   call->result->name);
    }
    if (!advance(p) || !read_params(p, call) || !read_end(p, &body)) {
        return false;
    }
    if (body) {
        p->passed_over++;
        return true;
    }
    return keep_call(p, call, at);
}

/* A function that is none of ours: over its parameters, to the ; or body. */
static bool skip_function(struct parser *p)
{
    bool body;

    p->passed_over++;
    return skip_group(p) && read_end(p, &body);
}

static bool take_head_word(struct parser *p, struct head *h)
{
    str word = p->token.text;
    struct cspelled *type = &h->type;

    if (IN_LIST(inline_words, word)) {
        h->is_inline = true;
        return advance(p);
    }
    if (is_annotation(word) || IN_LIST(specifiers, word)) {
        return skip_word(p);
    }
    if (type->count == 0 && (str_is(word, "struct") || str_is(word, "union") ||
                             str_is(word, "enum"))) {
        type->tag = str_is(word, "enum") ? CTAG_ENUM : CTAG_STRUCT;
        return advance(p);
    }
    if (type->count == COUNT_OF(type->words)) {
        return BAD_WORD(p, p->token.at, "'%.*s' is not expected here", word);
    }
    h->at[type->count] = p->token.at;
    type->words[type->count++] = word;
    return advance(p);
}

/* extern "C" { */
static bool read_linkage(struct parser *p)
{
    if (!advance(p)) {
        return false;
    }
    if (is(p, "{")) {
        p->braces++;
        return advance(p);
    }
    return true;
}

static bool read_declaration(struct parser *p)
{
    struct head h = { .begin = p->token.at };

    for (;;) {
        bool ok;

        if (is_word(p)) {
            ok = take_head_word(p, &h);
        } else if (is(p, "*") && h.type.count > 0) {
            h.before_star = h.type.count;
            h.type.stars++;
            ok = advance(p);
        } else if (p->token.kind == CTOKEN_TEXT && h.type.count == 0 &&
                   p->token.at > h.begin) {
            return read_linkage(p);
        } else {
            break;
        }
        if (!ok) {
            return false;
        }
    }
    if (h.type.tag != CTAG_NONE && is(p, "{")) {
        p->passed_over++;
        return skip_statement(p, h.begin);
    }
    if (h.type.count > 0 &&
        (is(p, ";") || is(p, ",") || is(p, "=") || is(p, "["))) {
        p->passed_over++;
        return skip_statement(p, h.begin);
    }
    if (h.type.count == 0 || !is(p, "(")) {
        return p->token.kind == CTOKEN_END
                   ? bad(p, h.begin, "the declaration has no end")
                   : BAD_WORD(p, p->token.at, "'%.*s' is not expected here",
                              p->token.text);
    }
    if (h.is_inline || !is_call_name(h.type.words[h.type.count - 1])) {
        return skip_function(p);
    }
    return read_function(p, &h);
}

static bool read_all(struct parser *p)
{
    bool ok = advance(p);

    while (ok && p->token.kind != CTOKEN_END) {
        if (is(p, ";")) {
            ok = advance(p);
        } else if (is(p, "}") && p->braces > 0) {
            p->braces--;
            ok = advance(p);
        } else if (is(p, "typedef")) {
            p->passed_over++;
            ok = skip_statement(p, p->token.at);
        } else {
            ok = read_declaration(p);
        }
    }
    return ok;
}

/* --- the set --- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_type(const struct type_row *a, const struct type_row *b)
{
    return a == b || (strcmp(a->name, b->name) == 0 && a->class == b->class &&
                      a->size == b->size && same_text(a->to_name, b->to_name) &&
                      a->to_class == b->to_class && a->to_size == b->to_size);
}

bool prototype_same(const struct call_facts *a, const struct call_facts *b)
{
    bool same = a->arg_count == b->arg_count && a->fails == b->fails &&
                a->category == b->category && a->note == b->note &&
                same_type(a->result, b->result) &&
                strcmp(a->name, b->name) == 0;

    for (uint32_t i = 0; same && i < a->arg_count; i++) {
        const struct call_arg *x = &a->args[i];
        const struct call_arg *y = &b->args[i];

        same = strcmp(x->name, y->name) == 0 && same_type(x->type, y->type) &&
               x->direction == y->direction && same_text(x->size, y->size);
    }
    return same;
}

static int by_name(const void *a, const void *b)
{
    const struct made *x = a;
    const struct made *y = b;
    int order = strcmp(x->facts->name, y->facts->name);

    return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* Sorted, each once. */
static bool make_set(struct parser *p, struct prototypes *out)
{
    struct call_facts *rows =
        cmemory_take(&p->memory, (p->count + 1) * sizeof(*rows));
    size_t count = 0;

    if (rows == NULL) {
        return no_memory(p);
    }
    if (p->count > 0) {
        array_sort(p->made, p->count, sizeof(p->made[0]), by_name);
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct call_facts *call = p->made[i].facts;

        if (count > 0 && strcmp(rows[count - 1].name, call->name) == 0) {
            if (!prototype_same(&rows[count - 1], call)) {
                return BAD_WORD(p, p->made[i].at,
                                "%.*s was declared before, and otherwise",
                                str_of(call->name));
            }
            continue;
        }
        rows[count++] = *call;
    }
    out->set = (struct call_set){ rows, count };
    out->passed_over = p->passed_over;
    out->memory = p->memory.blocks;
    return true;
}

bool prototypes_read(struct prototypes *out, str text, str file, struct err *e)
{
    struct parser p = { .in = ctokens_over(text), .file = file, .e = e };
    bool ok;

    if (text.size > PROTOTYPES_BYTES_MAX) {
        return err_set(e, ERR_USAGE,
                       "%.*s: is too large to be prototypes: more than %u MiB",
                       STR_ARGS(caret_first(file, FILE_COLUMNS)),
                       (unsigned)(PROTOTYPES_BYTES_MAX >> 20));
    }
    ok = read_all(&p) && make_set(&p, out);
    free(p.made);
    if (!ok) {
        cmemory_free(p.memory.blocks);
    }
    return ok;
}

void prototypes_close(struct prototypes *p)
{
    cmemory_free(p->memory);
    *p = (struct prototypes){ 0 };
}

/* --- back to C --- */

/* "PVOID*" as "PVOID *", and what is of that type. */
static void print_typed(struct buf *b, const struct type_row *type, str what)
{
    str name = str_of(type->name);
    size_t stars = 0;

    while (stars < name.size && name.p[name.size - 1 - stars] == '*') {
        stars++;
    }
    buf_add(b, cspelled_needs_enum(type) ? STR("enum ") : STR(""));
    buf_add(b, str_slice(name, 0, name.size - stars));
    buf_add(b, stars > 0 || what.size > 0 ? STR(" ") : STR(""));
    buf_add(b, str_slice(name, name.size - stars, name.size));
    buf_add(b, what);
}

/* What its annotation says. */
static void print_annotation(struct buf *b, const struct call_arg *arg)
{
    static const char *const heads[] = { "_In_", "_In_", "_Out_", "_Inout_" };
    static const char *const sizes[] = { "", "reads_", "writes_", "updates_" };
    unsigned direction = arg->direction & ARG_INOUT;
    str size = str_of(arg->size);
    bool elements = str_starts(size, STR("["));
    str first = STR("");
    str second = STR("");

    buf_add(b, str_of(heads[direction]));
    if (arg->size) {
        size = elements ? str_slice(size, 1, size.size - 1) : size;
        buf_add(b, str_of(sizes[direction]));
        buf_add(b, elements ? STR("") : STR("bytes_"));
        buf_add(b, str_cut(size, ',', &first, &second) ? STR("to_") : STR(""));
    }
    buf_add(b, arg->direction & ARG_OPT ? STR("opt_") : STR(""));
    if (arg->size) {
        buf_add_char(b, '(');
        buf_add(b, first);
        if (second.size > 0) {
            buf_add(b, STR(", "));
            buf_add(b, second);
        }
        buf_add_char(b, ')');
    }
}

void prototype_print(struct buf *b, const struct call_facts *call)
{
    buf_add(b, STR("NTSYSCALLAPI\n"));
    print_typed(b, call->result, STR(""));
    buf_addf(b, "\nNTAPI\n%s(\n", call->name);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        buf_add(b, STR("    "));
        print_annotation(b, &call->args[i]);
        buf_add_char(b, ' ');
        print_typed(b, call->args[i].type, str_of(call->args[i].name));
        buf_add(b, i + 1 < call->arg_count ? STR(",\n") : STR("\n"));
    }
    buf_add(b,
            call->arg_count == 0 ? STR("    VOID\n    );\n") : STR("    );\n"));
}
