/* SPDX-License-Identifier: MIT */
/*
 * filter.c - lists of items, held against calls.
 *
 * Names: what came out for a name is remembered in a small table, for regular
 * expressions are slow and there are few names. The answer may be that the
 * object of a call decides (%network): then the list is gone through again
 * for each such call.
 *
 * Paths: the names are read out of the memory that the agent copied, which is
 * the target's to fill with anything. Who reads them brings them into one
 * form (path.h) in a room that the filter owns.
 */
#include "filter/filter.h"

#include "base/glob.h"
#include "base/hash.h"
#include "filter/tests.h"
#include "nt/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MEMO_COUNT 1024u
#define MEMO_NAME_MAX 52

struct memo {
    const struct call_facts *facts;
    uint8_t size;  // 0: empty
    uint8_t verdict;
    char name[MEMO_NAME_MAX];
};

/* What was said of an open call when it was entered, where handles had to be
 * looked up for it: at its return they may be other ones. */
struct judged {
    uint64_t id;  // of the call; 0: free
    bool over;    // it has ended, another may take its place
    bool pass;
};

/* More open calls than these are looked up twice. */
#define JUDGED_COUNT 1024u
#define JUDGED_WINDOW 16u

/* What tests need and change. */
struct scratch {
    struct memo memos[MEMO_COUNT];
    struct judged judged[JUDGED_COUNT];
    struct path_room room;
    uint8_t bytes[0x10000];  // of a UNICODE_STRING
};

struct filter {
    struct list *traces;  // a trace=, and what trace=+ added; owned
    size_t trace_count;
    struct list status;
    struct list tid;
    struct list processes;
    struct list reads;
    struct list writes;
    struct list raw;
    struct list transitions;
    uint64_t *read_handles;  // owned
    uint64_t *write_handles;
    uint8_t how;  // enum how_test
    bool wants_objects;
    struct path_pattern *paths;  // owned
    size_t path_count;
    struct rule **rules;  // owned, and what they point to
    size_t rule_count;
    struct scratch *scratch;     // owned
    const struct call_set *own;  // the user's; NULL: none
};

/* --- life ----------------------------------------------------------------- */

struct filter *filter_open(void)
{
    struct filter *f = calloc(1, sizeof(*f));

    if (!f) {
        return NULL;
    }
    f->scratch = calloc(1, sizeof(*f->scratch));
    if (!f->scratch) {
        free(f);
        return NULL;
    }
    return f;
}

static void close_traces(struct filter *f)
{
    for (size_t i = 0; i < f->trace_count; i++) {
        list_close(&f->traces[i]);
    }
    free(f->traces);
    f->traces = NULL;
    f->trace_count = 0;
}

void filter_close(struct filter *f)
{
    if (!f) {
        return;
    }
    close_traces(f);
    list_close(&f->status);
    list_close(&f->tid);
    list_close(&f->processes);
    list_close(&f->reads);
    list_close(&f->writes);
    list_close(&f->raw);
    list_close(&f->transitions);
    for (size_t i = 0; i < f->path_count; i++) {
        path_pattern_close(&f->paths[i]);
    }
    free(f->paths);
    for (size_t i = 0; i < f->rule_count; i++) {
        rule_close(f->rules[i]);
    }
    free(f->rules);
    free(f->read_handles);
    free(f->write_handles);
    free(f->scratch);
    free(f);
}

/* --- adding --------------------------------------------------------------- */

static bool no_memory(str shown, struct err *e)
{
    return parse_error(e, ERR_OS, shown, 0, "no memory for this filter");
}

static bool add_trace(struct filter *f, struct parsed *parsed)
{
    size_t keep = parsed->added ? f->trace_count : 0;
    struct list *traces = malloc((keep + 1) * sizeof(*traces));

    if (!traces) {
        return false;
    }
    if (keep > 0) {
        memcpy(traces, f->traces, keep * sizeof(*traces));
        free(f->traces);
        f->traces = NULL;
        f->trace_count = 0;
    }
    close_traces(f);
    traces[keep] = parsed->list;
    f->traces = traces;
    f->trace_count = keep + 1;
    f->wants_objects = false;
    for (size_t i = 0; i < f->trace_count; i++) {
        for (size_t k = 0; k < traces[i].count; k++) {
            f->wants_objects |= traces[i].items[k].object.units != NULL;
        }
    }
    return true;
}

/* Each is one more: of several, several may apply. */
static bool add_rule(struct filter *f, struct rule *rule)
{
    struct rule **rules =
        realloc(f->rules, (f->rule_count + 1) * sizeof(struct rule *));

    if (!rules) {
        rule_close(rule);
        return false;
    }
    rules[f->rule_count++] = rule;
    f->rules = rules;
    return true;
}

static void set_list(struct list *to, struct list list)
{
    list_close(to);
    *to = list;
}

static bool add_dumps(struct list *to, uint64_t **handles, struct list list)
{
    uint64_t *values = malloc(list.count * sizeof(*values) + 1);

    if (!values) {
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        values[i] = list.items[i].number;
    }
    free(*handles);
    *handles = values;
    set_list(to, list);
    return true;
}

/* Nothing that was said before counts. */
static void forget(struct filter *f)
{
    memset(f->scratch->memos, 0, sizeof(f->scratch->memos));
    memset(f->scratch->judged, 0, sizeof(f->scratch->judged));
}

static bool add(struct filter *f, struct parsed *parsed)
{
    switch ((enum test_kind)parsed->kind) {
    case TEST_TRACE:
        return add_trace(f, parsed);
    case TEST_STATUS:
        set_list(&f->status, parsed->list);
        return true;
    case TEST_TID:
        set_list(&f->tid, parsed->list);
        return true;
    case TEST_PROCESS:
        set_list(&f->processes, parsed->list);
        return true;
    case TEST_RAW:
        set_list(&f->raw, parsed->list);
        return true;
    case TEST_TRANSITION:
        set_list(&f->transitions, parsed->list);
        return true;
    case TEST_READ:
        return add_dumps(&f->reads, &f->read_handles, parsed->list);
    case TEST_WRITE:
        return add_dumps(&f->writes, &f->write_handles, parsed->list);
    case TEST_DIRECT:
        f->how = parsed->negated ? HOW_BY_STUBS : HOW_PAST_STUBS;
        return true;
    case TEST_INJECT:
    case TEST_FAULT:
        break;
    }
    return true;
}

void filter_know(struct filter *f, const struct call_set *own)
{
    f->own = own;
}

bool filter_add(struct filter *f, str expression, struct err *e)
{
    struct parsed parsed;

    if (!parse_expression(expression, f->own, &f->scratch->room, &parsed, e)) {
        return false;
    }
    if ((parsed.kind == TEST_INJECT || parsed.kind == TEST_FAULT) &&
        f->rule_count == RULES_MOST) {
        return parse_error(e, ERR_USAGE, expression, 0,
                           "there are %d rules already; a set may name many "
                           "calls",
                           RULES_MOST);
    }
    if (parsed.kind == TEST_INJECT || parsed.kind == TEST_FAULT) {
        struct rule *rule =
            rule_parse(expression, f->own, parsed.rule_at,
                       parsed.kind == TEST_FAULT, &f->scratch->room, e);

        return rule != NULL && (add_rule(f, rule) || no_memory(expression, e));
    }
    if (!add(f, &parsed)) {
        list_close(&parsed.list);
        return no_memory(expression, e);
    }
    forget(f);
    return true;
}

bool filter_add_path(struct filter *f, str path, struct err *e)
{
    struct path_pattern made[PATH_PATTERNS_MAX];
    struct path_pattern *paths;
    size_t count = 0;
    str root;

    switch (path_patterns(&f->scratch->room, path, made, &count)) {
    case PATH_OK:
        break;
    case PATH_NOT_ABSOLUTE:
        return parse_error(e, ERR_USAGE, path, 0,
                           "this path is not absolute: C:\\x, "
                           "\\\\server\\share\\x, HKLM\\x, or a name of NT's");
    case PATH_WILDCARD:
        return parse_error(
            e, ERR_USAGE, path, path_wildcard(path),
            "-P takes no patterns: name the file, or use several -P");
    case PATH_NO_ROOT:
        root = path_false_root(path);
        root = str_slice(root, 0, 20);
        return parse_error(e, ERR_USAGE, path, 0,
                           "no root of keys is called %.*s; there are HKLM, "
                           "HKCU, HKCR, HKU and HKCC (a file: .\\%.*s\\...)",
                           STR_ARGS(root), STR_ARGS(root));
    case PATH_TOO_LONG:
        return parse_error(e, ERR_USAGE, path, 0,
                           "this path is longer than any file's or key's");
    case PATH_NO_MEMORY:
        return no_memory(path, e);
    }
    paths = realloc(f->paths, (f->path_count + count) * sizeof(*paths));
    if (!paths) {
        for (size_t i = 0; i < count; i++) {
            path_pattern_close(&made[i]);
        }
        return no_memory(path, e);
    }
    memcpy(paths + f->path_count, made, count * sizeof(*made));
    f->paths = paths;
    f->path_count += count;
    forget(f);
    return true;
}

bool filter_path_is_absolute(str path)
{
    return path_is_absolute(path);
}

/* Without memory the status stays as it was; an item is a few bytes. */
static void set_status(struct filter *f, enum item_kind kind)
{
    struct list list = { .said = true, .count = 1 };

    list.items = calloc(1, sizeof(*list.items));
    if (list.items) {
        list.items[0].kind = (uint8_t)kind;
        set_list(&f->status, list);
    }
}

void filter_successful(struct filter *f)
{
    set_status(f, ITEM_SUCCESSFUL);
}

void filter_failed(struct filter *f)
{
    set_status(f, ITEM_FAILED);
}

/* --- names ------------------------------------------------------------------ */

static bool works_on(const struct filter *f, const struct call *call,
                     const struct path_pattern *patterns, size_t count);

/* `call` NULL: objects are not known. */
static enum verdict list_name(const struct filter *f, const struct list *l,
                              str name, const struct call_facts *facts,
                              const struct call *call)
{
    enum verdict all = VERDICT_NO;

    for (size_t i = 0; i < l->count && all != VERDICT_YES; i++) {
        enum verdict one = list_item(&l->items[i], name, facts);

        if (one == VERDICT_OBJECT && call) {
            one = works_on(f, call, &l->items[i].object, 1) ? VERDICT_YES
                                                            : VERDICT_NO;
        }
        all = one == VERDICT_NO ? all : one;
    }
    if (all == VERDICT_OBJECT || !l->negated) {
        return all;
    }
    return all == VERDICT_YES ? VERDICT_NO : VERDICT_YES;
}

size_t filter_rule_count(const struct filter *f)
{
    return f->rule_count;
}

const struct rule *filter_rule_at(const struct filter *f, size_t index)
{
    return f->rules[index];
}

bool filter_rule_is_about(const struct filter *f, const struct rule *r,
                          str path)
{
    path_begin(&f->scratch->room);
    path_add(&f->scratch->room, path);
    path_done(&f->scratch->room);
    return r->glob != NULL &&
           path_matches_glob(r->glob, r->glob_size, &f->scratch->room);
}

/* The module's name without .exe or .dll. */
static str bare_name(str module)
{
    size_t bare = module.size > 4 ? module.size - 4 : 0;
    str end = str_slice(module, bare, module.size);

    return str_eq_nocase(end, STR(".exe")) || str_eq_nocase(end, STR(".dll"))
               ? str_slice(module, 0, bare)
               : module;
}

bool filter_rule_is_from(const struct rule *r, str module)
{
    str glob = str_of(r->caller);

    return glob_matches(glob, module, true) ||
           glob_matches(glob, bare_name(module), true);
}

static enum verdict judge_name(const struct filter *f, str name,
                               const struct call_facts *facts,
                               const struct call *call)
{
    enum verdict all = VERDICT_NO;

    if (f->trace_count == 0) {
        return VERDICT_YES;
    }
    for (size_t i = 0; i < f->trace_count && all != VERDICT_YES; i++) {
        enum verdict one = list_name(f, &f->traces[i], name, facts, call);

        all = one == VERDICT_NO ? all : one;
    }
    return all;
}

static struct memo *memo_of(const struct filter *f, str name)
{
    uint32_t hash = hash_fold(hash_add(HASH_START, name.p, name.size));

    return &f->scratch->memos[hash % MEMO_COUNT];
}

static enum verdict recall_name(const struct filter *f, str name,
                                const struct call_facts *facts)
{
    struct memo *m;

    if (f->trace_count == 0) {
        return VERDICT_YES;
    }
    if (name.size == 0 || name.size > MEMO_NAME_MAX) {
        return judge_name(f, name, facts, NULL);
    }
    m = memo_of(f, name);
    if (m->size != name.size || m->facts != facts ||
        memcmp(m->name, name.p, name.size) != 0) {
        m->verdict = (uint8_t)judge_name(f, name, facts, NULL);
        m->size = (uint8_t)name.size;
        m->facts = facts;
        memcpy(m->name, name.p, name.size);
    }
    return (enum verdict)m->verdict;
}

/* `facts`, or what else is known of the name. */
static const struct call_facts *facts_of(const struct filter *f, str name,
                                         const struct call_facts *facts)
{
    const struct call_facts *own = facts ? facts : call_set_find(f->own, name);

    return own ? own : call_find(name);
}

bool filter_wants_name(const struct filter *f, str name,
                       const struct call_facts *facts)
{
    return recall_name(f, name, facts_of(f, name, facts)) != VERDICT_NO;
}

bool filter_is_raw(const struct filter *f, str name,
                   const struct call_facts *facts)
{
    return f->raw.said && list_name(f, &f->raw, name, facts_of(f, name, facts),
                                    NULL) == VERDICT_YES;
}

/* --- paths ------------------------------------------------------------------ */

#define PS_ATTRIBUTE_IMAGE_NAME 0x20005
/* No call takes as many. */
#define PS_ATTRIBUTES_MAX 32
/* MAXIMUM_WAIT_OBJECTS; NtRemoveIoCompletion's kin have no handles in theirs. */
#define HANDLES_IN_ARRAY_MAX 64

static bool room_matches(struct path_room *room,
                         const struct path_pattern *patterns, size_t count)
{
    path_done(room);
    for (size_t i = 0; i < count; i++) {
        if (path_matches(&patterns[i], room)) {
            return true;
        }
    }
    return false;
}

static bool object_matches(const struct filter *f, const struct object *o,
                           const struct path_pattern *patterns, size_t count)
{
    if (!o || o->path.size == 0) {
        return false;
    }
    path_begin(&f->scratch->room);
    path_add(&f->scratch->room, o->path);
    return room_matches(&f->scratch->room, patterns, count);
}

/* Adds `size` bytes of UTF-16 at `address`; false if they are not all there. */
static bool add_utf16(const struct filter *f, const struct memory *m,
                      uint64_t address, size_t size)
{
    uint8_t *bytes = f->scratch->bytes;

    size &= ~(size_t)1;
    if (size > sizeof(f->scratch->bytes) ||
        memory_read(m, address, bytes, size) != size) {
        return false;
    }
    for (size_t i = 0; i < size; i += 2) {
        path_add_unit(&f->scratch->room,
                      (uint16_t)(bytes[i] | bytes[i + 1] << 8));
    }
    return true;
}

/* The name that OBJECT_ATTRIBUTES at `address` say: below the object of their
 * root handle, or absolute. */
static bool attributes_match(const struct filter *f, const struct call *call,
                             uint64_t address,
                             const struct path_pattern *patterns, size_t count)
{
    const struct memory *m = &call->before;
    struct path_room *room = &f->scratch->room;
    struct nt_attributes said;
    uint16_t size;

    if (!nt_attributes_read(m, call->width, address, &said) ||
        !said.name_known) {
        return false;
    }
    size = said.name.length;
    path_begin(room);
    if (said.root != 0) {
        const struct object *o =
            call->handles ? handles_find(call->handles, said.root) : NULL;

        if (!o || o->path.size == 0) {
            return false;
        }
        path_add(room, o->path);
        if (size > 0 && o->path.p[o->path.size - 1] != '\\') {
            path_add_unit(room, '\\');
        }
    } else if (size == 0) {
        return false;
    }
    return (size == 0 || add_utf16(f, m, said.name.buffer, size)) &&
           room_matches(room, patterns, count);
}

/* The image that a PS_ATTRIBUTE_LIST names. */
static bool image_matches(const struct filter *f, const struct call *call,
                          uint64_t address, const struct path_pattern *patterns,
                          size_t count)
{
    const struct memory *m = &call->before;
    struct nt_attribute a;

    for (uint32_t i = 0; i < PS_ATTRIBUTES_MAX; i++) {
        if (!nt_attribute_read(m, call->width, address, i, &a)) {
            return false;
        }
        if (a.attribute == PS_ATTRIBUTE_IMAGE_NAME) {
            path_begin(&f->scratch->room);
            return a.size <= UINT16_MAX &&
                   add_utf16(f, m, a.value, (size_t)a.size) &&
                   room_matches(&f->scratch->room, patterns, count);
        }
    }
    return false;
}

/* Argument `index` is an array of handles whose count its row names. */
static bool array_matches(const struct filter *f, const struct call *call,
                          uint32_t index, const struct path_pattern *patterns,
                          size_t count)
{
    const struct call_facts *facts = call->stub->facts;
    str size = str_of(facts->args[index].size);
    uint64_t elements = 0;

    if (!call->handles || size.size < 3 || size.p[0] != '[') {
        return false;
    }
    size = str_slice(size, 1, size.size - 1);
    for (uint32_t i = 0; i < facts->arg_count; i++) {
        if (str_eq(size, str_of(facts->args[i].name)) &&
            (call->arg_mask >> i & 1)) {
            elements = (uint32_t)call->args[i];
        }
    }
    for (uint64_t i = 0; i < elements && i < HANDLES_IN_ARRAY_MAX; i++) {
        uint64_t handle;

        if (nt_pointer_read(&call->before, call->width,
                            call->args[index] +
                                i * nt_pointer_size(call->width),
                            &handle) &&
            object_matches(f, handles_find(call->handles, handle), patterns,
                           count)) {
            return true;
        }
    }
    return false;
}

static bool arg_matches(const struct filter *f, const struct call *call,
                        uint32_t index, const struct path_pattern *patterns,
                        size_t count)
{
    const struct call_arg *arg = &call->stub->facts->args[index];
    const struct type_row *type = arg->type;
    uint64_t address = call->args[index];

    if (!type || type->class != CLASS_PTR || !type->to_name ||
        !(call->arg_mask >> index & 1) || address == 0 ||
        !(arg->direction & ARG_IN)) {
        return false;
    }
    if (strcmp(type->to_name, "OBJECT_ATTRIBUTES") == 0) {
        return attributes_match(f, call, address, patterns, count);
    }
    if (strcmp(type->to_name, "PS_ATTRIBUTE_LIST") == 0) {
        return image_matches(f, call, address, patterns, count);
    }
    return type->to_class == CLASS_HANDLE &&
           array_matches(f, call, index, patterns, count);
}

/* Some argument names, or refers to, one of the patterns. */
static bool works_on(const struct filter *f, const struct call *call,
                     const struct path_pattern *patterns, size_t count)
{
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;

    for (uint32_t i = 0; i < CALL_ARGS_MAX; i++) {
        if (object_matches(f, call->objects[i], patterns, count)) {
            return true;
        }
    }
    for (uint32_t i = 0; facts && i < facts->arg_count; i++) {
        if (arg_matches(f, call, i, patterns, count)) {
            return true;
        }
    }
    return false;
}

/* --- the rest ----------------------------------------------------------------- */

static bool list_has(const struct list *l, uint64_t number)
{
    bool holds = false;

    if (!l->said) {
        return true;
    }
    for (size_t i = 0; i < l->count && !holds; i++) {
        holds = l->items[i].kind == ITEM_ALL || l->items[i].number == number;
    }
    return holds != l->negated;
}

/* `number` as written against a result of `size` bytes. */
static bool result_is(const struct item *item, uint64_t result, uint32_t size)
{
    uint64_t mask = size >= 8 ? ~0ull : (1ull << 8 * size) - 1;

    if (item->minus ? (~item->number & ~mask) != 0 : item->number > mask) {
        return false;  // more than fits
    }
    return ((item->number ^ result) & mask) == 0;
}

static bool item_status(const struct item *item, const struct call *call)
{
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;
    /* A result whose type no table knows is shown as a word. */
    enum type_class class = facts ? facts->result->class : CLASS_UNKNOWN;
    uint32_t size = facts ? facts->result->size : 8;
    bool status = class == CLASS_STATUS;

    if (item->kind == ITEM_ALL) {
        return true;
    }
    if (!call->returned) {
        return item->kind == ITEM_UNFINISHED;
    }
    switch ((enum item_kind)item->kind) {
    case ITEM_SUCCESSFUL:
        return !facts || !call_failed(facts, call->result);
    case ITEM_FAILED:
        return facts && call_failed(facts, call->result);
    case ITEM_PENDING:
        return status && (uint32_t)call->result == 0x103;
    case ITEM_STATUS:
        return status && (uint32_t)call->result == item->number;
    case ITEM_NUMBER:
        return class != CLASS_VOID && result_is(item, call->result, size);
    case ITEM_UNFINISHED:
    case ITEM_ALL:
    case ITEM_NAME:
    case ITEM_GLOB:
    case ITEM_REGEX:
    case ITEM_CLASS:
        break;
    }
    return false;
}

bool filter_wants_result(const struct filter *f)
{
    return f->status.said;
}

bool filter_wants_paths(const struct filter *f)
{
    return f->path_count > 0 || f->wants_objects;
}

bool filter_is_image(str glob, str path)
{
    str image = str_file(path);
    size_t bare = image.size - 4;

    return glob_matches(glob, image, true) ||
           (image.size > 4 &&
            str_eq_nocase(str_slice(image, bare, image.size), STR(".exe")) &&
            glob_matches(glob, str_slice(image, 0, bare), true));
}

bool filter_pass_process(const struct filter *f, str image)
{
    const struct list *l = &f->processes;
    bool holds = false;

    if (!l->said) {
        return true;
    }
    for (size_t i = 0; i < l->count && !holds; i++) {
        const struct item *item = &l->items[i];

        holds = item->kind == ITEM_ALL ||
                filter_is_image((str){ item->text, item->size }, image);
    }
    return holds != l->negated;
}

bool filter_pass_thread(const struct filter *f, uint32_t tid, str image)
{
    return list_has(&f->tid, tid) && filter_pass_process(f, image);
}

/* It stands there itself. */
static bool list_names(const struct list *l, uint64_t number)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i].kind == ITEM_NUMBER && l->items[i].number == number) {
            return !l->negated;
        }
    }
    return false;
}

bool filter_pass_transitions(const struct filter *f, enum transition kind)
{
    if (kind == TRANSITION_MODULE || kind == TRANSITION_UNMODULE) {
        return list_names(&f->transitions, kind);
    }
    if (!f->transitions.said && (f->status.said || f->path_count > 0)) {
        return false;
    }
    return list_has(&f->transitions, kind);
}

bool filter_pass_transition(const struct filter *f, uint32_t tid, str image,
                            enum transition kind)
{
    return filter_pass_transitions(f, kind) &&
           filter_pass_thread(f, tid, image);
}

bool filter_pass_completions(const struct filter *f)
{
    return list_has(&f->transitions, TRANSITION_COMPLETION);
}

/* The place of call `id`; else one that is free, or can be had; else NULL. */
static struct judged *judged_find(const struct filter *f, uint64_t id)
{
    struct judged *free_one = NULL;

    for (uint64_t i = 0; i < JUDGED_WINDOW; i++) {
        struct judged *j = &f->scratch->judged[(id + i) % JUDGED_COUNT];

        if (j->id == id) {
            return j;
        }
        if (!free_one && (j->id == 0 || j->over)) {
            free_one = j;
        }
    }
    return free_one;
}

static bool passes_objects(const struct filter *f, const struct call *call,
                           str name, const struct call_facts *facts)
{
    return judge_name(f, name, facts, call) == VERDICT_YES &&
           (f->path_count == 0 || works_on(f, call, f->paths, f->path_count));
}

bool filter_pass_entry(const struct filter *f, const struct call *call)
{
    str name = call->stub ? call->stub->name : STR("");
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;
    bool over = call->returned || call->ended;
    enum verdict verdict;
    struct judged *j;
    bool pass;

    if (f->how != HOW_ANY &&
        (call->how == HOW_ORDINARY) != (f->how == HOW_BY_STUBS)) {
        return false;
    }
    if (!list_has(&f->tid, call->tid) ||
        (f->processes.said &&
         !filter_pass_process(f, model_process_image(call->process)))) {
        return false;
    }
    verdict = recall_name(f, name, facts);
    if (verdict == VERDICT_NO ||
        (verdict == VERDICT_YES && f->path_count == 0)) {
        return verdict == VERDICT_YES;
    }
    j = call->id != 0 ? judged_find(f, call->id) : NULL;
    if (over && j && j->id == call->id) {
        j->over = true;
        return j->pass;
    }
    pass = passes_objects(f, call, name, facts);
    if (!over && j) {
        *j = (struct judged){ .id = call->id, .pass = pass };
    }
    return pass;
}

bool filter_pass_result(const struct filter *f, const struct call *call)
{
    bool holds = false;

    if (!f->status.said) {
        return true;
    }
    for (size_t i = 0; i < f->status.count && !holds; i++) {
        holds = item_status(&f->status.items[i], call);
    }
    return holds != f->status.negated;
}

bool filter_pass(const struct filter *f, const struct call *call)
{
    return filter_pass_result(f, call) && filter_pass_entry(f, call);
}

static struct filter_dumps dumps(const struct list *l, const uint64_t *handles)
{
    struct filter_dumps d = { .all = l->said && l->negated };

    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i].kind == ITEM_ALL) {
            return (struct filter_dumps){ .all = !l->negated };
        }
    }
    d.handles = handles;
    d.count = l->count;
    return d;
}

struct filter_dumps filter_reads(const struct filter *f)
{
    return dumps(&f->reads, f->read_handles);
}

struct filter_dumps filter_writes(const struct filter *f)
{
    return dumps(&f->writes, f->write_handles);
}
