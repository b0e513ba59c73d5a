/* SPDX-License-Identifier: MIT */
/*
 * rule.c - rules by which calls are changed: read, and held against calls.
 *
 * A rule that can never apply is an error, as a filter that can never match is:
 * who writes it waits for something that does not come.
 */
#include "filter/rule.h"

#include "decode/shape.h"
#include "filter/known.h"
#include "filter/tests.h"
#include "tables/roles.h"
#include "tables/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define STATUS_NOT_IMPLEMENTED 0xc0000002

enum rule_key {
    KEY_STATUS,
    KEY_RETVAL,
    KEY_WHEN,
    KEY_DELAY_ENTER,
    KEY_DELAY_EXIT,
    KEY_ARG,
    KEY_PATH,
    KEY_CALLER,
    KEY_AFTER,
    KEY_COUNT,
};

static const str keys[KEY_COUNT] = {
    [KEY_STATUS] = STR_INIT("status="),
    [KEY_RETVAL] = STR_INIT("retval="),
    [KEY_WHEN] = STR_INIT("when="),
    [KEY_DELAY_ENTER] = STR_INIT("delay_enter="),
    [KEY_DELAY_EXIT] = STR_INIT("delay_exit="),
    [KEY_ARG] = STR_INIT("arg="),
    [KEY_PATH] = STR_INIT("path="),
    [KEY_CALLER] = STR_INIT("caller="),
    [KEY_AFTER] = STR_INIT("after"),
};

/* strace's, and what there is instead. */
static const struct {
    str key;
    const char *words;
} others[] = {
    { STR_INIT("error="), "status=, or retval=" },
    { STR_INIT("signal="), "nothing: Windows has no signals" },
    { STR_INIT("syscall="), "nothing: a call is made, or not" },
    { STR_INIT("poke_enter="), "nothing: arguments are left alone" },
    { STR_INIT("poke_exit="), "nothing: what a call fills is left alone" },
};

/* One rule, being read. */
struct reader {
    str text;  // the expression
    struct err *e;
    struct rule *rule;
    const struct call_set *own;  // the user's calls; NULL: none
    struct path_room *room;
    uint32_t said;         // bit i: key i
    size_t at[KEY_COUNT];  // where its value begins
};

#define BAD(r, at, ...) \
    parse_error((r)->e, ERR_USAGE, (r)->text, (at), __VA_ARGS__)

/* What a sentence bears of the user's words, for "%.*s". */
#define WORD(s) (int)((s).size < 40 ? (s).size : 40), (s).p

static bool no_memory(struct reader *r)
{
    return parse_error(r->e, ERR_OS, r->text, 0, "no memory for this rule");
}

static bool has(const struct reader *r, enum rule_key key)
{
    return (r->said >> key & 1) != 0;
}

static char *copy(str s)
{
    char *z = malloc(s.size + 1);

    if (z != NULL) {
        memcpy(z, s.p, s.size);
        z[s.size] = '\0';
    }
    return z;
}

/* --- the parts of an expression --- */

/* The key that `s`, behind a colon, begins with; KEY_COUNT: none. */
static enum rule_key key_at(str s)
{
    for (int i = 0; i < KEY_COUNT; i++) {
        if (str_starts(s, keys[i]) &&
            (i != KEY_AFTER || s.size == keys[i].size ||
             s.p[keys[i].size] == ':')) {
            return (enum rule_key)i;
        }
    }
    return KEY_COUNT;
}

/* Where the part that begins at `from` ends: at a colon in front of a key. */
static size_t part_end(str text, size_t from)
{
    bool quoted = false;

    for (size_t i = from; i < text.size; i++) {
        quoted ^= text.p[i] == '"';
        if (!quoted && text.p[i] == ':' &&
            key_at(str_slice(text, i + 1, text.size)) != KEY_COUNT) {
            return i;
        }
    }
    return text.size;
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A colon in [from, to) that was to be in front of a key, as it looks. */
static bool check_colons(struct reader *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        size_t end = i + 1;
        str word;
        struct nearest n;

        if (r->text.p[i] != ':') {
            continue;
        }
        while (end < to && is_key_char(r->text.p[end])) {
            end++;
        }
        end += end < to && r->text.p[end] == '=';
        word = str_slice(r->text, i + 1, end);
        for (size_t k = 0; k < COUNT_OF(others); k++) {
            if (str_eq(word, others[k].key)) {
                return BAD(r, i + 1, "%.*s is strace's; here it is %s",
                           WORD(word), others[k].words);
            }
        }
        n = nearest_to(word);
        for (int k = 0; k < KEY_COUNT; k++) {
            nearest_try(&n, keys[k]);
        }
        if (n.best.size > 0) {
            return BAD(r, i + 1, "there is no %.*s; did you mean %.*s?",
                       WORD(word), STR_ARGS(n.best));
        }
        return BAD(r, i + 1,
                   "behind a : stands status=, retval=, after, delay_enter=, "
                   "delay_exit=, when=, arg=, path= or caller=");
    }
    return true;
}

/* Takes the quotes off; *at: where the value begins. */
static bool unquote(struct reader *r, str *value, size_t *at)
{
    str s = *value;

    if (s.size == 0 || s.p[0] != '"') {
        return true;
    }
    if (s.size < 2 || s.p[s.size - 1] != '"') {
        return BAD(r, *at, "this value lacks its other \"");
    }
    *value = str_slice(s, 1, s.size - 1);
    *at += 1;
    return true;
}

/* --- values --- */

static bool take_status(struct reader *r, str s, size_t at)
{
    struct nearest n = nearest_to(s);
    uint32_t status;

    r->rule->kind = RESULT_STATUS;
    if (s.size > 0 && s.p[0] >= '0' && s.p[0] <= '9') {
        return (str_to_u64(s, &r->rule->result) &&
                r->rule->result <= UINT32_MAX) ||
               BAD(r, at,
                   "%.*s is no NTSTATUS: a name, or 0x and up to eight "
                   "digits",
                   WORD(s));
    }
    if (status_find(s, &status)) {
        r->rule->result = status;
        return true;
    }
    for (size_t i = 0; i < known_status_count(); i++) {
        str whole = known_status_at(i);

        nearest_try(&n, whole);
        if (str_starts(whole, STR("STATUS_"))) {
            nearest_try(&n, str_slice(whole, 7, whole.size));
        }
    }
    if (s.size == 0 || n.best.size == 0) {
        return BAD(r, at, "there is no status %.*s: STATUS_..., or a number",
                   WORD(s));
    }
    return BAD(r, at, "there is no status %.*s; did you mean %.*s?", WORD(s),
               STR_ARGS(n.best));
}

static bool take_retval(struct reader *r, str s, size_t at)
{
    bool minus = s.size > 1 && s.p[0] == '-';

    if (!str_to_u64(str_slice(s, minus, s.size), &r->rule->result)) {
        return BAD(r, at, "%.*s is no number: decimal, or hexadecimal after 0x",
                   WORD(s));
    }
    r->rule->kind = RESULT_VALUE;
    if (minus) {
        r->rule->result = 0 - r->rule->result;
    }
    return true;
}

/* The number that *s begins with, cut off. */
static bool cut_number(str *s, uint64_t *out)
{
    size_t size = 0;
    bool ok;

    while (size < s->size && s->p[size] >= '0' && s->p[size] <= '9') {
        size++;
    }
    ok = str_to_u64(str_slice(*s, 0, size), out);
    *s = str_slice(*s, size, s->size);
    return ok;
}

static bool take_when(struct reader *r, str s, size_t at)
{
    struct rule *u = r->rule;
    str rest = s;
    bool ok = cut_number(&rest, &u->first);

    u->last = u->first;
    u->step = 1;
    if (ok && str_starts(rest, STR(".."))) {
        rest = str_slice(rest, 2, rest.size);
        ok = cut_number(&rest, &u->last);
    } else if (ok && rest.size > 0) {
        u->last = UINT64_MAX;
    }
    if (ok && rest.size > 0) {
        ok = rest.p[0] == '+';
        rest = str_slice(rest, 1, rest.size);
        ok = ok && (rest.size == 0 ||
                    (cut_number(&rest, &u->step) && rest.size == 0));
    }
    if (!ok) {
        return BAD(r, at,
                   "%.*s: when= is F, F+, F+S, F..L or F..L+S, such as 3 or "
                   "2..10+2",
                   WORD(s));
    }
    if (u->first == 0 || u->step == 0 || u->last < u->first) {
        return BAD(r, at, "%.*s: calls are counted from 1, and upward",
                   WORD(s));
    }
    return true;
}

static bool take_delay(struct reader *r, str s, size_t at, uint64_t *out)
{
    static const struct {
        str suffix;
        uint64_t ns;
    } units[] = {
        { STR_INIT("ns"), 1 },       { STR_INIT("us"), 1000 },
        { STR_INIT("ms"), 1000000 }, { STR_INIT("s"), 1000000000 },
        { STR_INIT(""), 1000 },
    };
    str rest = s;
    uint64_t n;

    if (!cut_number(&rest, &n)) {
        return BAD(r, at,
                   "%.*s is no time: microseconds, or a number with ns, "
                   "us, ms or s",
                   WORD(s));
    }
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (!str_eq(rest, units[i].suffix)) {
            continue;
        }
        if (n == 0 || n > RULE_DELAY_MOST_NS / units[i].ns) {
            return BAD(r, at, "a delay takes some time, and at most an hour");
        }
        *out = n * units[i].ns;
        return true;
    }
    return BAD(r, at, "there is no unit %.*s: ns, us, ms or s", WORD(rest));
}

static bool take_arg(struct reader *r, str s, size_t at)
{
    size_t size = 0;

    while (size < s.size && s.p[size] != '&' && s.p[size] != '=') {
        size++;
    }
    if (size == 0 || size + 1 >= s.size) {
        return BAD(r, at,
                   "arg= is a parameter with what it is to have: "
                   "DesiredAccess&GENERIC_WRITE, or Length=0");
    }
    r->rule->parameter = copy(str_slice(s, 0, size));
    r->rule->bits = s.p[size] == '&';
    r->rule->value = copy(str_slice(s, size + 1, s.size));
    return (r->rule->parameter != NULL && r->rule->value != NULL) ||
           no_memory(r);
}

static bool take_path(struct reader *r, str s, size_t at)
{
    if (s.size == 0) {
        return BAD(r, at, "the path is missing here");
    }
    path_add_glob(r->room, s);
    if (r->room->cut) {
        return BAD(r, at, "this path is longer than any that there is");
    }
    r->rule->glob_size = r->room->size - r->room->from;
    r->rule->glob = malloc(r->rule->glob_size * sizeof(uint16_t) + 1);
    if (r->rule->glob == NULL) {
        return no_memory(r);
    }
    memcpy(r->rule->glob, r->room->units + r->room->from,
           r->rule->glob_size * sizeof(uint16_t));
    return true;
}

static bool take_caller(struct reader *r, str s, size_t at)
{
    if (s.size == 0) {
        return BAD(r, at, "the name of a module is missing here");
    }
    for (size_t i = 0; i < s.size; i++) {
        if (s.p[i] == '\\' || s.p[i] == '/') {
            return BAD(r, at + i,
                       "a module is named by its file here, without folders");
        }
    }
    r->rule->caller = copy(s);
    return r->rule->caller != NULL || no_memory(r);
}

static bool take_value(struct reader *r, enum rule_key key, str s, size_t at)
{
    switch (key) {
    case KEY_STATUS:
        return take_status(r, s, at);
    case KEY_RETVAL:
        return take_retval(r, s, at);
    case KEY_WHEN:
        return take_when(r, s, at);
    case KEY_DELAY_ENTER:
        return take_delay(r, s, at, &r->rule->delay_enter);
    case KEY_DELAY_EXIT:
        return take_delay(r, s, at, &r->rule->delay_exit);
    case KEY_ARG:
        return take_arg(r, s, at);
    case KEY_PATH:
        return take_path(r, s, at);
    case KEY_AFTER:
        r->rule->after = true;
        return true;
    case KEY_CALLER:
        return take_caller(r, s, at);
    case KEY_COUNT:
        break;
    }
    return false;
}

/* One key with its value, in [from, to). */
static bool take_part(struct reader *r, size_t from, size_t to)
{
    enum rule_key key = key_at(str_slice(r->text, from, to));
    size_t at = from + keys[key].size;
    str value = str_slice(r->text, at, to);

    if (has(r, key)) {
        return BAD(r, from, "%.*s is there twice", STR_ARGS(keys[key]));
    }
    if (key == KEY_RETVAL ? has(r, KEY_STATUS)
                          : key == KEY_STATUS && has(r, KEY_RETVAL)) {
        return BAD(r, from, "a call has one result: status= or retval=");
    }
    if (key != KEY_PATH && key != KEY_ARG && !check_colons(r, at, to)) {
        return false;
    }
    r->said |= 1u << key;
    r->at[key] = at;
    return unquote(r, &value, &at) && take_value(r, key, value, at);
}

/* --- what a rule does about a call --- */

/* Why a rule cannot change a call. */
enum misfit {
    FITS,
    NO_RETURN,     // it does not come back
    NO_STATUS,     // its result is no NTSTATUS
    NO_RESULT,     // it has none
    NO_FAILURE,    // no result is known to mean failure
    NO_PARAMETER,  // has no such one ...
    NO_NUMBER,     // ... or it is no number
    NO_VALUE,      // ... or there is no such value of it
    NO_OBJECT,     // it is about no file or key
};

/* The value of the constant `word` of a set. */
static bool find_in_set(const struct name_set *set, str word, uint64_t *out)
{
    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        if (str_eq_nocase(str_of(set->rows[i].name), word)) {
            *out = set->rows[i].value;
            return true;
        }
    }
    return false;
}

static bool find_constant(const struct shape_arg *a, str word, uint64_t *out)
{
    bool minus = word.size > 1 && word.p[0] == '-';
    bool mask = a->set != NULL && a->set->kind == NAMES_MASK;

    if (str_to_u64(str_slice(word, minus, word.size), out)) {
        *out = minus ? 0 - *out : *out;
        return true;
    }
    return find_in_set(a->set, word, out) ||
           (mask &&
            (find_in_set(names_find(STR("GENERIC_ACCESS")), word, out) ||
             find_in_set(names_find(STR("STANDARD_ACCESS")), word, out)));
}

/* The names and numbers of `s`, which a | stands between, together. *bad: the
 * one that is none. */
static bool find_value(const struct shape_arg *a, str s, uint64_t *out,
                       str *bad)
{
    *out = 0;
    while (s.size > 0) {
        uint64_t one;
        str tail = STR("");

        if (!str_cut(s, '|', bad, &tail)) {
            *bad = s;
        }
        if (!find_constant(a, *bad, &one)) {
            return false;
        }
        *out |= one;
        s = tail;
    }
    return true;
}

static uint64_t mask_of(uint32_t size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

/* Index of the parameter; facts->arg_count: there is none. */
static uint8_t parameter_of(const struct call_facts *facts, str name)
{
    uint8_t i = 0;

    while (i < facts->arg_count &&
           !str_eq_nocase(str_of(facts->args[i].name), name)) {
        i++;
    }
    return i;
}

static enum misfit fit_arg(const struct rule *r, const struct call_facts *facts,
                           struct rule_use *out, str *bad)
{
    struct shape shape;
    const struct shape_arg *a;
    uint64_t value;
    uint8_t i = facts ? parameter_of(facts, str_of(r->parameter)) : 0;

    if (!facts || i == facts->arg_count) {
        return NO_PARAMETER;
    }
    shape_of(facts, &shape);
    a = &shape.args[i];
    if (a->sort == SORT_FLOAT) {
        return NO_NUMBER;
    }
    if (!find_value(a, str_of(r->value), &value, bad)) {
        return NO_VALUE;
    }
    out->argument = i;
    out->mask = r->bits ? value & mask_of(a->size) : mask_of(a->size);
    out->value = value & out->mask;
    return out->mask != 0 ? FITS : NO_VALUE;
}

/* The call names a file or key, or works on one. */
static bool has_object(const struct call_facts *facts)
{
    for (uint32_t i = 0; facts && i < facts->arg_count; i++) {
        const struct type_row *type = facts->args[i].type;

        if ((facts->args[i].direction & ARG_IN) == 0) {
            continue;
        }
        if (type->class == CLASS_HANDLE ||
            (type->class == CLASS_PTR && type->to_name &&
             strcmp(type->to_name, "OBJECT_ATTRIBUTES") == 0)) {
            return true;
        }
    }
    return false;
}

static enum misfit fit_result(const struct rule *r,
                              const struct call_facts *facts,
                              struct rule_use *out)
{
    enum type_class class = facts ? facts->result->class : CLASS_UNKNOWN;

    out->result = r->result;
    if (r->kind == RESULT_AS_IS) {
        return FITS;
    }
    out->replaces = !r->after;
    out->changes = r->after;
    if (class == CLASS_VOID) {
        return NO_RESULT;
    }
    if (r->kind == RESULT_STATUS && class != CLASS_STATUS) {
        return NO_STATUS;
    }
    if (r->kind == RESULT_FAULT && class == CLASS_STATUS) {
        out->result = STATUS_NOT_IMPLEMENTED;
    } else if (r->kind == RESULT_FAULT) {
        out->result = 0;
        return facts && facts->fails == FAILS_ZERO ? FITS : NO_FAILURE;
    }
    return FITS;
}

static enum misfit fit(const struct rule *r, str name,
                       const struct call_facts *facts, struct rule_use *out,
                       str *bad)
{
    uint32_t roles = call_roles(name);
    enum misfit misfit;

    *out = (struct rule_use){ 0 };
    *bad = STR("");
    if ((roles & (ROLE_CONTINUES | ROLE_LEAVES_CALLBACK | ROLE_RAISES |
                  ROLE_SETS_CONTEXT)) != 0) {
        return NO_RETURN;
    }
    if ((roles & (ROLE_ENDS_THREAD | ROLE_ENDS_PROCESS)) != 0) {
        out->not_self = true;
    }
    misfit = fit_result(r, facts, out);
    if (misfit != FITS) {
        return misfit;
    }
    if (r->glob != NULL && !has_object(facts)) {
        return NO_OBJECT;
    }
    out->asks = r->glob != NULL || r->caller != NULL;
    return r->parameter == NULL ? FITS : fit_arg(r, facts, out, bad);
}

bool rule_use(const struct rule *r, str name, const struct call_facts *facts,
              struct rule_use *out)
{
    str bad;

    return list_has_call(r->calls, name, facts) &&
           fit(r, name, facts, out, &bad) == FITS;
}

/* --- is there anything that it can change? --- */

static bool no_parameter(struct reader *r, str name,
                         const struct call_facts *facts)
{
    struct nearest n = nearest_to(str_of(r->rule->parameter));

    for (uint32_t i = 0; facts && i < facts->arg_count; i++) {
        nearest_try(&n, str_of(facts->args[i].name));
    }
    if (n.best.size > 0) {
        return BAD(r, r->at[KEY_ARG],
                   "%.*s has no parameter %.40s; did you mean %.*s?",
                   STR_ARGS(name), r->rule->parameter, STR_ARGS(n.best));
    }
    return BAD(r, r->at[KEY_ARG], "%.*s has no parameter %.40s", STR_ARGS(name),
               r->rule->parameter);
}

static void try_set(struct nearest *n, const struct name_set *set)
{
    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        nearest_try(n, str_of(set->rows[i].name));
    }
}

static bool no_value(struct reader *r, const struct call_facts *facts, str bad)
{
    struct shape shape;
    const struct shape_arg *a;
    struct nearest n = nearest_to(bad);

    shape_of(facts, &shape);
    a = &shape.args[parameter_of(facts, str_of(r->rule->parameter))];
    try_set(&n, a->set);
    if (a->set != NULL && a->set->kind == NAMES_MASK) {
        try_set(&n, names_find(STR("GENERIC_ACCESS")));
        try_set(&n, names_find(STR("STANDARD_ACCESS")));
    }
    if (n.best.size > 0) {
        return BAD(r, r->at[KEY_ARG], "%.40s takes no %.*s; did you mean %.*s?",
                   r->rule->parameter, WORD(bad), STR_ARGS(n.best));
    }
    return BAD(r, r->at[KEY_ARG],
               "%.40s takes no %.*s; a number is fine as well",
               r->rule->parameter, WORD(bad));
}

/* Says why the rule cannot change this call. */
static bool explain(struct reader *r, enum misfit why, str name,
                    const struct call_facts *facts, str bad, size_t at)
{
    switch (why) {
    case FITS:
        break;
    case NO_RETURN:
        return BAD(r, at, "%.*s goes on elsewhere: it cannot be changed",
                   STR_ARGS(name));
    case NO_STATUS:
        return BAD(
            r, r->at[KEY_STATUS],
            "the result of %.*s is no NTSTATUS; use retval=", STR_ARGS(name));
    case NO_RESULT:
        return BAD(r, at, "%.*s has no result", STR_ARGS(name));
    case NO_FAILURE:
        return BAD(r, at,
                   "no result of %.*s is known to mean failure; use "
                   "inject= with retval=",
                   STR_ARGS(name));
    case NO_PARAMETER:
        return no_parameter(r, name, facts);
    case NO_NUMBER:
        return BAD(r, r->at[KEY_ARG], "%.40s of %.*s is no whole number",
                   r->rule->parameter, STR_ARGS(name));
    case NO_VALUE:
        return no_value(r, facts, bad);
    case NO_OBJECT:
        return BAD(r, r->at[KEY_PATH], "%.*s is about no file or key",
                   STR_ARGS(name));
    }
    return false;
}

static const struct call_facts *facts_of(const struct reader *r, str name)
{
    const struct call_facts *own = call_set_find(r->own, name);

    return own ? own : call_find(name);
}

/* True if the rule can change something, and all that it names by name. */
static bool check_calls(struct reader *r, size_t at)
{
    const struct list *l = r->rule->calls;
    enum misfit why = FITS;
    str of = STR("");
    str bad_of = STR("");
    bool any = false;

    for (size_t i = 0; i < l->count && !l->negated; i++) {
        str name = { l->items[i].text, l->items[i].size };
        const struct call_facts *facts = facts_of(r, name);
        struct rule_use use;
        enum misfit misfit;
        str bad;

        if (l->items[i].kind == ITEM_CLASS && l->items[i].object.units) {
            return BAD(r, at,
                       "%%%s goes by what a handle refers to; name calls, with "
                       "path=",
                       l->items[i].class->name);
        }
        if (l->items[i].kind != ITEM_NAME) {
            continue;
        }
        misfit = fit(r->rule, name, facts, &use, &bad);
        if (misfit != FITS) {
            return explain(r, misfit, name, facts, bad, at);
        }
        any = true;
    }
    for (size_t i = 0; i < known_call_count() && !any; i++) {
        str name = known_call_at(i);
        const struct call_facts *facts = facts_of(r, name);
        struct rule_use use;
        enum misfit misfit;
        str bad;

        if (list_has_call(l, name, facts)) {
            misfit = fit(r->rule, name, facts, &use, &bad);
            any = misfit == FITS;
            if (why == FITS) {
                why = misfit;
                of = name;
                bad_of = bad;
            }
        }
    }
    if (!any && why != FITS) {
        return explain(r, why, of, facts_of(r, of), bad_of, at);
    }
    return any || BAD(r, at, "this rule is about no call");
}

static bool check_keys(struct reader *r, bool fault, size_t end)
{
    struct rule *u = r->rule;

    if (fault && u->kind == RESULT_AS_IS) {
        u->kind = RESULT_FAULT;
    }
    if (u->kind == RESULT_AS_IS && u->delay_enter == 0 && u->delay_exit == 0) {
        return BAD(r, end,
                   "what is to be done? status=, retval=, delay_enter= or "
                   "delay_exit=");
    }
    if (u->after && u->kind == RESULT_AS_IS) {
        return BAD(r, r->at[KEY_AFTER] - keys[KEY_AFTER].size,
                   "after says when status= or retval= comes; there is none");
    }
    return true;
}

/* --- the whole --- */

static bool read_rule(struct reader *r, size_t from, bool fault)
{
    size_t end = part_end(r->text, from);
    size_t at = end;
    size_t regex = from;

    /* In a regular expression it may well stand. */
    while (regex < end && r->text.p[regex] != '/') {
        regex++;
    }
    if (!check_colons(r, from, regex) ||
        !parse_calls(r->text, r->own, from, end, r->room, r->rule->calls,
                     r->e)) {
        return false;
    }
    while (at < r->text.size) {
        size_t to = part_end(r->text, at + 1);

        if (!take_part(r, at + 1, to)) {
            return false;
        }
        at = to;
    }
    return check_keys(r, fault, r->text.size) && check_calls(r, from);
}

struct rule *rule_parse(str text, const struct call_set *own, size_t from,
                        bool fault, struct path_room *room, struct err *e)
{
    struct reader r = { .text = text, .own = own, .room = room, .e = e };

    r.rule = calloc(1, sizeof(*r.rule));
    if (r.rule != NULL) {
        r.rule->calls = calloc(1, sizeof(*r.rule->calls));
        r.rule->text = copy(text);
    }
    if (r.rule == NULL || r.rule->calls == NULL || r.rule->text == NULL) {
        no_memory(&r);
        rule_close(r.rule);
        return NULL;
    }
    r.rule->first = 1;
    r.rule->last = UINT64_MAX;
    r.rule->step = 1;
    if (!read_rule(&r, from, fault)) {
        rule_close(r.rule);
        return NULL;
    }
    return r.rule;
}

void rule_close(struct rule *r)
{
    if (r == NULL) {
        return;
    }
    if (r->calls != NULL) {
        list_close(r->calls);
    }
    free(r->calls);
    free(r->text);
    free(r->parameter);
    free(r->value);
    free(r->glob);
    free(r->caller);
    free(r);
}
