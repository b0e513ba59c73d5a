/* SPDX-License-Identifier: MIT */
/*
 * tampering.c - see tampering.h. What a call is about is read where its thread
 * is about to have it read by the kernel: the name in its OBJECT_ATTRIBUTES, and
 * the names of its handles, which are asked of the system, for the model is
 * behind; where it comes from, by its stack. Only reads, and no guard page, which
 * a read would take from the program: what lies elsewhere than on the call's own
 * stack its thread looks at first, as a chore. What cannot be found out holds for
 * no rule.
 */
#include "live/tampering.h"

#include "live/callers.h"
#include "live/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A handle's name may take so long: somebody may be at work on its file. */
#define NAME_MS 2000
/* OBJECT_ATTRIBUTES and UNICODE_STRING of x64. */
#define ATTRIBUTES_ROOT 8
#define ATTRIBUTES_NAME 16
#define STRING_BUFFER 8
#define NAME_BYTES 0x10000

#define MEM_COMMIT 0x1000u
#define PAGE_NOACCESS 0x01u
#define PAGE_GUARD 0x100u

/* A path, as it is put together. */
struct about {
    struct traced *t;
    struct judging *judging;
    uint64_t stack_low;  // the call's own stack, from where it was made on
    uint64_t stack_high;
    uint64_t wants;  // to be known of this address first; 0: nothing
    char text[3 * NAME_BYTES / 2];
    struct buf path;
    uint8_t units[NAME_BYTES];
};

/* How far it may be read from `at` on, as far as is known; `at` itself: no
 * further. */
static uint64_t readable_to(struct about *a, uint64_t at)
{
    const struct judging *j = a->judging;

    if (at >= a->stack_low && at < a->stack_high) {
        return a->stack_high;
    }
    for (uint32_t i = 0; i < j->count; i++) {
        if (at >= j->region[i].low && at < j->region[i].high) {
            return j->region[i].good ? j->region[i].high : at;
        }
    }
    a->wants = at;
    return at;
}

static bool read_there(struct about *a, uint64_t from, void *to, size_t size)
{
    uint64_t at = from, next;

    while (at - from < size) {
        next = readable_to(a, at);
        if (next <= at) {
            return false;
        }
        at = next;
    }
    return os_read(&a->t->target.os, from, to, size);
}

static void take_path(void *about, const struct os_handle *h)
{
    struct about *a = about;

    a->path.size = 0;
    buf_add(&a->path, h->path.size > 0 ? h->path : h->name);
}

static bool name_handle(struct about *a, uint64_t handle)
{
    struct err ignored;

    a->path = (struct buf){ a->text, 0, sizeof(a->text), false };
    if (handle == 0) {
        return false;
    }
    if (!os_handle_query(&a->t->target.os, handle, NAME_MS, take_path, a,
                         &ignored)) {
        a->t->session->names_missed++;
        return false;
    }
    return a->path.size > 0 && !a->path.cut;
}

/* The name in OBJECT_ATTRIBUTES, behind that of their root. */
static bool name_attributes(struct about *a, uint64_t at)
{
    uint64_t root = 0, string = 0, buffer = 0;
    uint16_t size = 0;

    if (!read_there(a, at + ATTRIBUTES_ROOT, &root, 8) ||
        !read_there(a, at + ATTRIBUTES_NAME, &string, 8) ||
        (string != 0 && (!read_there(a, string, &size, sizeof(size)) ||
                         !read_there(a, string + STRING_BUFFER, &buffer, 8) ||
                         !read_there(a, buffer, a->units, size)))) {
        return false;
    }
    a->path = (struct buf){ a->text, 0, sizeof(a->text), false };
    if (root != 0 && !name_handle(a, root)) {
        return false;
    }
    if (root != 0 && size > 1 && a->path.size > 0 &&
        a->path.p[a->path.size - 1] != '\\') {
        buf_add_char(&a->path, '\\');
    }
    os_to_utf8(
        &a->path,
        (struct str16){ (const uint16_t *)(const void *)a->units, size / 2u });
    return a->path.size > 0 && !a->path.cut;
}

/* The path that argument `i` of the call is about. */
static bool name_argument(struct about *a, const struct call_arg *arg,
                          uint64_t word)
{
    const struct type_row *type = arg->type;

    if ((arg->direction & ARG_IN) == 0) {
        return false;
    }
    if (type->class == CLASS_HANDLE) {
        return name_handle(a, word);
    }
    return type->class == CLASS_PTR && type->to_name &&
           strcmp(type->to_name, "OBJECT_ATTRIBUTES") == 0 && word != 0 &&
           name_attributes(a, word);
}

/* The call whose thread waits. */
struct asked {
    const struct ring *ring;
    const struct record_entry *entry;
    uint64_t args[4 + RECORD_MORE_MAX];
    uint32_t count;
    const struct call_facts *facts;  // NULL: not known
};

/* `record`: what is behind `entry` as well. */
static struct asked asked_by(const struct plan *p,
                             const struct record_entry *entry,
                             const uint8_t *record)
{
    struct asked q = {
        .entry = entry,
        .count = 4,
        .facts = p->services[entry->head.number & SERVICE_MASK].facts,
    };

    if ((entry->head.flags & RECORD_ARGS_LOST) == 0) {
        q.count += entry->head.flags & RECORD_MORE_MASK;
    }
    memcpy(q.args, record + ENTRY_ARGS, q.count * sizeof(q.args[0]));
    return q;
}

/* Some argument is about what the rule's path= says. */
static bool is_about(struct about *a, const struct asked *q,
                     const struct rule *r)
{
    const struct filter *f = a->t->target.plan->wants.filter;
    uint32_t count = q->facts ? q->facts->arg_count : 0;

    for (uint32_t i = 0; i < count && i < q->count && a->wants == 0; i++) {
        if (name_argument(a, &q->facts->args[i], q->args[i]) &&
            filter_rule_is_about(f, r, buf_str(&a->path))) {
            return true;
        }
    }
    return false;
}

static bool is_from(struct traced *t, const struct asked *q,
                    const struct rule *r)
{
    str module;

    return callers_first(t, q->ring, q->entry, &module) &&
           filter_rule_is_from(r, module);
}

static uint64_t verdict_of(struct traced *t, struct about *a,
                           const struct ring *ring, const uint8_t *record)
{
    const struct plan *p = t->target.plan;
    const struct tamper_use *u;
    struct record_entry entry;
    struct asked q;
    uint64_t verdict = 0;

    memcpy(&entry, record, ENTRY_SIZE);
    q = asked_by(p, &entry, record);
    q.ring = ring;
    a->stack_low = entry.rsp;
    a->stack_high = entry.stack_base;
    u = plan_first_use(p, entry.head.number);
    for (int k = 0; u != NULL && k < TAMPER_RULES_MOST && a->wants == 0; k++) {
        const struct rule *r = filter_rule_at(p->wants.filter, u->rule);

        if ((u->flags & TAMPER_ASKS) != 0 &&
            (r->caller == NULL || is_from(t, &q, r)) &&
            (r->glob == NULL || is_about(a, &q, r))) {
            verdict |= UINT64_C(1) << k;
        }
        u = plan_next_use(p, u);
    }
    return verdict;
}

/* What the thread has found out, if it has looked. */
static void take_region(struct drained *d, uint64_t time)
{
    struct judging *j = &d->judging;
    struct ring_told told;

    if (j->time != time) {
        *j = (struct judging){ .time = time };
    }
    if (j->asked == 0 || j->count >= JUDGED_MOST) {
        return;
    }
    memcpy(&told, (const char *)d->ring + RING_SCRATCH,
           offsetof(struct ring_told, name_head));
    j->region[j->count++] =
        (int32_t)d->ring->chore_status >= 0 && told.base <= j->asked &&
                told.base + told.size > j->asked
            ? (struct judged_region){ told.base, told.base + told.size,
                                      told.state == MEM_COMMIT &&
                                          (told.protect &
                                           (PAGE_GUARD | PAGE_NOACCESS)) == 0 }
            : (struct judged_region){ j->asked, j->asked + 1, false };
    j->asked = 0;
}

bool tampering_judge(struct traced *t, struct drained *d, const uint8_t *record,
                     struct chore *c)
{
    struct about *a = malloc(sizeof(*a));
    struct record_head head;
    uint64_t wants;

    if (a == NULL) {
        d->ring->verdict = 0;
        return true;
    }
    a->t = t;
    a->judging = &d->judging;
    a->wants = 0;
    memcpy(&head, record, sizeof(head));
    take_region(d, head.time);
    d->ring->verdict = verdict_of(t, a, d->ring, record);
    wants = d->judging.count < JUDGED_MOST ? a->wants : 0;
    free(a);
    if (wants != 0) {
        d->judging.asked = wants;
        *c = (struct chore){ CHORE_QUERY, wants, 0 };
    }
    return wants == 0;
}

void tampering_collect(struct traced *t)
{
    const struct plan *p = t->target.plan;
    const struct tamper_use *uses;

    if (t->collected || t->target.section == NULL || p == NULL) {
        return;
    }
    t->collected = true;
    uses = (const struct tamper_use *)((const char *)t->target.section +
                                       SECTION_TAMPER + TAMPER_USES);
    for (uint32_t i = 0; i < p->use_count; i++) {
        /* Ours says which rule it is: theirs is theirs to write. */
        uint16_t rule = p->uses[i].rule;

        t->session->rules_met[rule] +=
            atomic_load_explicit(&uses[i].met, memory_order_relaxed);
        t->session->rules_fired[rule] +=
            atomic_load_explicit(&uses[i].fired, memory_order_relaxed);
    }
}

void tampering_tell(struct session *s)
{
    const struct filter *f = s->telling.filter;

    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        tampering_collect(t);
    }
    if (s->plan.uses_left_out > 0) {
        session_note(s,
                     "%u calls were not changed as the rules say: there is "
                     "room for %u rules and calls",
                     s->plan.uses_left_out, TAMPER_USES_MOST);
    }
    if (s->names_missed > 0) {
        session_note(s,
                     "%u times the name of a handle could not be had: no rule "
                     "with path= held for these calls",
                     s->names_missed);
    }
    for (size_t i = 0; i < filter_rule_count(f); i++) {
        const struct rule *r = filter_rule_at(f, i);

        if (s->rules_fired[i] == 0 && s->rules_met[i] == 0) {
            session_note(s, "%s never applied: no call met it", r->text);
        } else if (s->rules_fired[i] == 0) {
            session_note(s,
                         "%s never applied: it is about %llu calls, but not "
                         "those that it counts to, or another rule came first",
                         r->text, (unsigned long long)s->rules_met[i]);
        }
    }
}
