/* SPDX-License-Identifier: MIT */
/*
 * checkpoint.c - all that the model knows, to bytes and back.
 *
 * What is saved is what can change what is told later. What follows from the
 * rest is not: the facts of a stub from its name, the heap from the queues,
 * what is counted from what is there. A field that is added to world.h has its
 * line here, or is one of these.
 *
 * What is loaded has been judged as it would have been on its way: records by
 * wire/walk.h, the journal's by wire/journal.h, indices by what they are one
 * of, and whatever the other files rely on. It is linked into the model before
 * it is filled, so that model_forget gives it back wherever it ends.
 */
#include "model/model.h"

#include "model/archive.h"
#include "model/world.h"

#include "base/array.h"
#include "wire/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define CHECKPOINT_VERSION 4

/* System call functions of so many modules; each process has a few. */
#define TABLES_MOST 1024

/* Bytes that one of these comes to at least, rather less than that: they bound
 * what a count may say. */
#define TABLE_LEAST 40
#define PROCESS_LEAST 64
#define THREAD_LEAST 24
#define MODULE_LEAST 8
#define CALL_LEAST 12
#define ANSWER_LEAST 18
#define PIECE_LEAST 3

static void archive_i64(struct archive *a, int64_t *n)
{
    uint64_t bits = (uint64_t)*n;

    archive_u64(a, &bits);
    *n = (int64_t)bits;
}

/* --- The model itself --------------------------------------------------- */

static void config_archive(struct archive *a)
{
    const struct model_config *c = &a->m->config;

    archive_same(a, CHECKPOINT_VERSION);
    archive_same(a, c->system.wine);
    archive_same(a, c->system.build);
    archive_same(a, c->hold);
    archive_same(a, c->queue_bytes);
    archive_same(a, c->queue_total);
    archive_same(a, c->memory_total);
    archive_same(a, c->no_handles);
}

/* Of what is held just now the rest of them is made. */
static void counts_archive(struct archive *a, struct model_counts *c)
{
    archive_u64(a, &c->records);
    archive_u64(a, &c->calls);
    archive_u64(a, &c->late);
    archive_u64(a, &c->bad_times);
    archive_u64(a, &c->damaged);
    archive_u64(a, &c->dropped);
    archive_u64(a, &c->unanswered);
    archive_u64(a, &c->orphans);
    archive_u64(a, &c->data_lost);
}

static bool clock_is_sound(const struct clock *c)
{
    if (c->count > 0 && (c->hz == 0 || c->points[0].ns != 0)) {
        return false;
    }
    for (uint32_t i = 1; i < c->count; i++) {
        if (c->points[i].tsc <= c->points[i - 1].tsc ||
            c->points[i].ns <= c->points[i - 1].ns) {
            return false;
        }
    }
    return true;
}

static void clock_archive(struct archive *a, struct clock *c)
{
    size_t count = c->count;

    archive_size(a, &count, CLOCK_POINTS);
    c->count = (uint32_t)count;
    for (uint32_t i = 0; i < c->count; i++) {
        archive_u64(a, &c->points[i].tsc);
        archive_i64(a, &c->points[i].ns);
    }
    archive_u64(a, &c->hz);
    archive_i64(a, &c->wall_ns);
    archive_insist(a, clock_is_sound(c));
}

static void model_archive(struct archive *a)
{
    struct model *m = a->m;

    counts_archive(a, &m->counts);
    clock_archive(a, &m->clock);
    archive_u64(a, &m->thread_order);
    archive_u64(a, &m->call_id);
    archive_u64(a, &m->told);
    archive_u64(a, &m->now);
    archive_u64(a, &m->identities);
    archive_u64(a, &m->pipes);
}

/* --- System call functions ------------------------------------------------ */

/* The table as the STUBS that it was made of; owned, NULL without memory. */
static struct record_head *table_record(struct archive *a,
                                        const struct stub_table *table)
{
    struct journal_stub_row *rows = calloc(table->count + 1, sizeof(rows[0]));
    size_t size = sizeof(struct journal_stubs) + table->module.size + 8;
    struct buf b = { .cut = true };
    void *record;

    for (uint32_t i = 0; rows && i < table->count; i++) {
        const struct stub *stub = &table->stubs[i];

        rows[i] = (struct journal_stub_row){
            .rva = (uint32_t)(stub->address - table->base),
            .number = stub->number,
            .name = stub->name,
        };
        size += sizeof(struct journal_stub) + stub->name.size;
    }
    record = b.p = malloc(size);
    if (rows && record) {
        b.cut = false;
        b.room = size;
        journal_stubs(&b, 0, table->base, table->id, table->module, rows,
                      table->count);
    }
    free(rows);
    if (!archive_insist(a, !b.cut)) {
        free(record);
        return NULL;
    }
    return record;
}

/* One record of the journal; owned, NULL if it is bad. */
static struct record_head *record_load(struct archive *a, str bytes)
{
    struct record_head *r = NULL;

    if (archive_take(a, bytes.size)) {
        r = journal_copy(bytes.p, bytes.size);
        archive_insist(a, r != NULL);
    }
    return r;
}

static void table_save(struct archive *a, const struct stub_table *table)
{
    struct record_head *r = table_record(a, table);

    if (r) {
        archive_text(a, (str){ (const char *)r, r->size }, JOURNAL_MAX);
    }
    archive_take(a, table->count * 2 * sizeof(table->stubs[0]));
    free(r);
}

static void table_load(struct archive *a)
{
    struct record_head *r =
        record_load(a, archive_text(a, STR(""), JOURNAL_MAX));
    const void *record = r;
    const struct journal_stubs *stubs = record;
    struct stub_table *table = NULL;

    if (r && archive_insist(a, r->kind == JOURNAL_STUBS) &&
        archive_take(a, stubs->count * 2 * sizeof(table->stubs[0])) &&
        archive_insist(a, array_grow(&a->tables, &a->table_room, a->table_count,
                                     sizeof(a->tables[0])))) {
        table = stub_table_open(a->m, stubs);
        archive_insist(a, table != NULL);
    }
    if (table) {
        a->tables[a->table_count++] = table;
    }
    free(r);
}

/* The oldest first, as they are made. */
static void tables_archive(struct archive *a)
{
    size_t count = 0;

    for (struct stub_table *table = a->saving ? a->m->stub_tables : NULL; table;
         table = table->next) {
        if (archive_insist(a, array_grow(&a->tables, &a->table_room, count,
                                         sizeof(a->tables[0])))) {
            a->tables[count++] = table;
        }
    }
    archive_count(a, &count, TABLES_MOST, TABLE_LEAST);
    if (a->saving) {
        a->table_count = count;
    }
    for (size_t i = 0; i < count / 2 && a->saving; i++) {
        struct stub_table *other = a->tables[i];

        a->tables[i] = a->tables[count - 1 - i];
        a->tables[count - 1 - i] = other;
    }
    for (size_t i = 0; i < count && !a->bad; i++) {
        if (a->saving) {
            table_save(a, a->tables[i]);
        } else {
            table_load(a);
        }
    }
}

/* A stub of a table that the process has, or NULL. */
static void stub_archive(struct archive *a, const struct model_process *p,
                         const struct stub **stub)
{
    size_t at = 0;  // of its table, plus one
    size_t i = 0;

    while (a->saving && *stub && at < a->table_count &&
           a->tables[at++]->module.p != (*stub)->module.p) {
    }
    archive_size(a, &at, a->table_count);
    if (at == 0 || a->bad) {
        *stub = NULL;
        return;
    }
    if (a->saving) {
        i = (size_t)(*stub - a->tables[at - 1]->stubs);
    }
    archive_size(a, &i, UINT32_MAX);
    if (!a->saving) {
        bool there = archive_insist(a, i < a->tables[at - 1]->count &&
                                           stubs_mapped(p, a->tables[at - 1]));

        *stub = there ? &a->tables[at - 1]->stubs[i] : NULL;
    }
}

/* Which functions of the table are the ones of their number. */
static void numbers_archive(struct archive *a, struct model_process *p,
                            struct stub_table *table)
{
    for (uint32_t i = 0; i < table->count && !a->bad; i += 8) {
        uint8_t bits = 0;

        for (uint32_t k = i; k < table->count && k < i + 8; k++) {
            bits |= (uint8_t)((p->by_number[table->stubs[k].number] ==
                               &table->stubs[k])
                              << (k - i));
        }
        archive_bytes(a, &bits, 1);
        for (uint32_t k = i; !a->saving && k < table->count && k < i + 8; k++) {
            struct stub *stub = &table->stubs[k];

            if ((bits >> (k - i) & 1) &&
                archive_insist(a, !p->by_number[stub->number])) {
                p->by_number[stub->number] = stub;
            }
        }
    }
}

static void mapped_archive(struct archive *a, struct model_process *p)
{
    size_t count = p->mapped_count;

    archive_count(a, &count, a->table_count, 1);
    for (size_t i = 0; i < count && !a->bad; i++) {
        struct mapped_stubs *mapped = a->saving ? &p->mapped[i] : NULL;
        size_t at = 0;

        while (a->saving && a->tables[at] != mapped->table) {
            at++;
        }
        archive_size(a, &at, a->table_count - 1);
        if (!a->saving && !a->bad &&
            archive_insist(a, !stubs_mapped(p, a->tables[at]))) {
            mapped = stubs_map(p, a->tables[at]);
            archive_insist(a, mapped != NULL);
        }
        if (mapped &&
            archive_take(a, mapped->table->count / 8 + 2 * sizeof(*mapped))) {
            archive_bytes(a, mapped->patched, (mapped->table->count + 7) / 8);
            numbers_archive(a, p, mapped->table);
        }
    }
}

/* --- What a process has ----------------------------------------------------- */

static void blame_archive(struct archive *a, struct blame *b)
{
    archive_bool(a, &b->any);
    archive_u32(a, &b->code);
}

/* A name that the process owns. */
static void name_archive(struct archive *a, struct model_process *p, str *s,
                         size_t most)
{
    str text = archive_text(a, *s, most);

    if (!a->saving && archive_take(a, text.size)) {
        *s = process_name_keep(p, text);
        archive_insist(a, s->p != NULL);
    }
}

static void module_archive(struct archive *a, struct model_process *p,
                           struct module *module)
{
    bool pathed = module->path.p != NULL;

    archive_u64(a, &module->base);
    archive_u64(a, &module->size);
    archive_bool(a, &module->second);
    name_archive(a, p, &module->name, NAME_MAX_BYTES);
    archive_u32(a, &module->build.timestamp);
    archive_u32(a, &module->build.checksum);
    archive_u32(a, &module->build.image_size);
    archive_bool(a, &pathed);
    if (pathed) {
        name_archive(a, p, &module->path, PATH_MAX_BYTES);
    }
    if (!a->bad) {
        module->hash = process_name_hash(module->name);
    }
}

static void modules_archive(struct archive *a, struct model_process *p)
{
    size_t count = p->module_count;

    archive_count(a, &count, MODULES_MOST, MODULE_LEAST);
    if (!a->saving && count > 0) {
        p->modules = archive_new(a, count * sizeof(p->modules[0]));
        p->module_room = p->modules ? count : 0;
    }
    for (size_t i = 0; i < count && !a->bad; i++) {
        struct module module = { .name = { NULL, 0 }, .path = { NULL, 0 } };
        const struct module *last = i > 0 ? &p->modules[i - 1] : NULL;

        if (a->saving) {
            module_archive(a, p, &p->modules[i]);
            continue;
        }
        module_archive(a, p, &module);
        archive_insist(a,
                       module.size > 0 &&
                           (!last || (module.base > last->base &&
                                      module.base - last->base >= last->size)));
        if (a->bad) {
            process_name_drop(p, module.name);
            process_name_drop(p, module.path);
            break;
        }
        p->modules[i] = module;
        p->module_count++;
    }
}

static void place_archive(struct archive *a, struct model_process *p,
                          struct known_place *place)
{
    size_t kind = place->kind;
    bool named = place->name.p != NULL;

    archive_u64(a, &place->order);
    if (place->order == 0) {
        return;
    }
    archive_u64(a, &place->base);
    archive_u64(a, &place->size);
    archive_u64(a, &place->origin);
    archive_size(a, &kind, PLACE_UNMAPPED);
    place->kind = (enum place_kind)kind;
    archive_bool(a, &named);
    if (named) {
        name_archive(a, p, &place->name, JOURNAL_MAX);
    }
}

static void places_archive(struct archive *a, struct model_process *p)
{
    archive_size(a, &p->places_next, PLACES_KEPT - 1);
    archive_u64(a, &p->places_told);
    for (size_t i = 0; i < PLACES_KEPT && !a->bad; i++) {
        place_archive(a, p, &p->places[i]);
        archive_insist(a, p->places[i].order <= p->places_told);
    }
}

static bool is_kept(const struct record_head *r)
{
    switch (r->kind) {
    case JOURNAL_MODULE:
    case JOURNAL_UNMODULE:
    case JOURNAL_STUBS:
    case JOURNAL_HANDLE:
    case JOURNAL_PLACE:
    case JOURNAL_LOST:
    case JOURNAL_NOTICE:
    case JOURNAL_CHILD:
    case JOURNAL_FILE:
        return true;
    case JOURNAL_PROCESS:
        return journal_is_start(r);
    default:
        return false;
    }
}

static int by_turn(const void *a, const void *b)
{
    const struct kept *x = a;
    const struct kept *y = b;

    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* In the order in which they will be told. */
static void journal_save(struct archive *a, const struct journal *j)
{
    struct kept *sorted = malloc((j->count + 1) * sizeof(*sorted));

    if (!archive_insist(a, sorted != NULL)) {
        return;
    }
    if (j->count > 0) {
        memcpy(sorted, j->at, j->count * sizeof(*sorted));
        array_sort(sorted, j->count, sizeof(*sorted), by_turn);
    }
    for (size_t i = 0; i < j->count; i++) {
        const struct record_head *r = sorted[i].record;

        archive_text(a, (str){ (const char *)r, r->size }, JOURNAL_MAX);
    }
    free(sorted);
}

static void journal_archive(struct archive *a, struct model_process *p)
{
    size_t count = p->journal.count;
    uint64_t last = 0;

    archive_count(a, &count, SIZE_MAX, RECORD_HEAD_SIZE);
    if (a->saving) {
        journal_save(a, &p->journal);
    }
    for (size_t i = 0; i < count && !a->saving && !a->bad; i++) {
        str bytes = archive_text(a, STR(""), JOURNAL_MAX);
        struct record_head *loaded;

        /* It is there twice for a moment, and in a list. */
        if (!archive_take(a, bytes.size + 2 * sizeof(struct kept))) {
            break;
        }
        loaded = record_load(a, bytes);
        if (loaded &&
            archive_insist(a, is_kept(loaded) && loaded->time >= last)) {
            last = loaded->time;
            archive_insist(a, journal_keep(p, loaded));
        }
        free(loaded);
    }
}

static void image_archive(struct archive *a, struct model_process *p)
{
    bool known = p->image.p != NULL;

    archive_bool(a, &known);
    if (known) {
        name_archive(a, p, &p->image, OBJECT_NAME_MAX);
    }
}

static struct model_process *process_new(struct archive *a,
                                         struct model_process **link)
{
    if (archive_take(a, sizeof(**link) + sizeof(*(*link)->self))) {
        *link = process_make(a->m);
        archive_insist(a, *link != NULL);
    }
    return *link;
}

static void process_archive(struct archive *a, struct model_process *p)
{
    size_t mode = p->mode;
    size_t width = p->width;

    archive_u64(a, &p->self->order);
    archive_u32(a, &p->pid);
    archive_u32(a, &p->main_tid);
    archive_size(a, &mode, MODE_ASKED);
    archive_size(a, &width, NT_WIDTH_COUNT - 1);
    p->mode = (enum model_mode)mode;
    p->width = (enum nt_width)width;
    mapped_archive(a, p);
    modules_archive(a, p);
    image_archive(a, p);
    places_archive(a, p);
    journal_archive(a, p);
    for (size_t i = 0; i < SOCKETS_BEGUN; i++) {
        archive_u64(a, &p->begun[i]);
    }
    archive_u32(a, &p->begun_next);
    archive_bool(a, &p->ending);
    archive_u32(a, &p->end_code);
    archive_u64(a, &p->end_at);
    blame_archive(a, &p->own_end);
    blame_archive(a, &p->foreign_end);
    archive_u32(a, &p->end_tid);
    archive_bool(a, &p->fault_known);
    archive_u32(a, &p->fault);
    archive_bool(a, &p->unheard);
    archive_bool(a, &p->self->ended);
    archive_u64(a, &p->self->end_at);
    if (p->handles) {
        handles_archive(a, p->handles);
    }
}

/* In the order of the list, where the newest stands first. */
static void processes_archive(struct archive *a)
{
    struct model_process **link = &a->m->processes;
    uint64_t above = a->m->thread_order;
    size_t count = 0;

    for (const struct model_process *p = *link; p; p = p->next) {
        count++;
    }
    archive_count(a, &count, SIZE_MAX, PROCESS_LEAST);
    for (size_t i = 0; i < count && !a->bad; i++) {
        struct model_process *p = *link;

        if (a->saving) {
            archive_take(a, sizeof(*p) + sizeof(*p->self));
        } else {
            p = process_new(a, link);
        }
        if (!p || !archive_insist(a, array_grow(&a->processes, &a->process_room,
                                                a->process_count,
                                                sizeof(a->processes[0])))) {
            break;
        }
        a->processes[a->process_count++] = p;
        process_archive(a, p);
        archive_insist(a, p->self->order < above);
        above = p->self->order;
        link = &p->next;
    }
}

/* --- Calls ---------------------------------------------------------------- */

/* Takes `size` bytes of what calls' memory may come to. */
static bool memory_take(struct archive *a, size_t size)
{
    struct model *m = a->m;

    return archive_take(a, size) &&
           (a->saving ||
            archive_insist(a, m->memory <= m->config.memory_total &&
                                  size <= m->config.memory_total - m->memory));
}

/* Where pieces lie: `count` of them, `size` bytes in all. */
static void pieces_list(struct archive *a, struct memory_piece *list,
                        size_t count, size_t size)
{
    for (size_t i = 0; i < count && !a->bad; i++) {
        archive_u64(a, &list[i].address);
        archive_u32(a, &list[i].size);
        if (archive_insist(a, list[i].size <= size)) {
            size -= list[i].size;
        }
    }
    archive_insist(a, size == 0);
}

/* Memory of a call, in a block of its own: the list, then the bytes. */
static void memory_save(struct archive *a, const struct memory *memory)
{
    size_t count = memory->count;
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        size += memory->pieces[i].size;
    }
    archive_count(a, &count, PIECES_MAX, PIECE_LEAST);
    archive_count(a, &size, PIECE_BYTES_MAX, 1);
    memory_take(a, count * sizeof(memory->pieces[0]) + size);
    for (size_t i = 0; i < count; i++) {
        struct memory_piece piece = memory->pieces[i];

        pieces_list(a, &piece, 1, piece.size);
    }
    for (size_t i = 0; i < count; i++) {
        archive_text(a,
                     (str){ (const char *)memory->pieces[i].bytes,
                            memory->pieces[i].size },
                     PIECE_BYTES_MAX);
    }
}

static struct memory_piece *memory_load(struct archive *a,
                                        struct memory *memory, size_t *taken)
{
    struct memory_piece *list = NULL;
    size_t count = 0;
    size_t size = 0;
    size_t list_size;
    uint8_t *bytes;

    archive_count(a, &count, PIECES_MAX, PIECE_LEAST);
    archive_count(a, &size, PIECE_BYTES_MAX, 1);
    list_size = count * sizeof(list[0]);
    if (count == 0 || !memory_take(a, list_size + size) ||
        !(list = archive_new(a, list_size + size))) {
        archive_insist(a, size == 0);
        return NULL;
    }
    *taken = list_size + size;
    a->m->memory += *taken;
    bytes = (uint8_t *)list + list_size;
    pieces_list(a, list, count, size);
    for (size_t i = 0; i < count && !a->bad; i++) {
        str s = archive_text(a, STR(""), PIECE_BYTES_MAX);

        if (archive_insist(a, s.size == list[i].size) && s.size > 0) {
            memcpy(bytes, s.p, s.size);
        }
        list[i].bytes = bytes;
        bytes += list[i].size;
    }
    if (!a->bad) {
        *memory = (struct memory){ list, (uint32_t)count };
    }
    return list;
}

static void objects_archive(struct archive *a, struct call *call)
{
    uint32_t mask = 0;

    for (uint32_t i = 0; i < CALL_ARGS_MAX; i++) {
        mask |= (uint32_t)(call->objects[i] != NULL) << i;
    }
    archive_u32(a, &mask);
    archive_insist(a, mask >> CALL_ARGS_MAX == 0);
    for (uint32_t i = 0; i < CALL_ARGS_MAX && !a->bad; i++) {
        struct thing *thing = thing_of(call->objects[i]);

        if (mask >> i & 1) {
            archive_thing(a, &thing);
            call->objects[i] = thing ? &thing->object : NULL;
            archive_insist(a, thing != NULL);
        }
    }
}

/* What was copied at its entry: the stack is the last piece of it. */
static void before_archive(struct archive *a, struct open_call *open)
{
    struct call *call = &open->call;
    bool stack = call->stack.size > 0;
    struct memory all = call->before;

    archive_bool(a, &stack);
    if (a->saving) {
        all.count += stack;
        memory_save(a, &all);
        return;
    }
    open->memory = memory_load(a, &call->before, &open->memory_size);
    if (stack && archive_insist(a, call->before.count > 0)) {
        call->stack = call->before.pieces[--call->before.count];
        archive_insist(a, call->stack.size >= STACK_REGISTERS);
    }
}

/* A call that was entered; it is of `p`. What only calls have whose entry was
 * not seen, none of these has. */
static void call_archive(struct archive *a, struct model_process *p,
                         struct open_call *open)
{
    struct call *call = &open->call;

    archive_u64(a, &call->id);
    archive_u16(a, &call->number);
    archive_bool(a, &call->underway);
    archive_bool(a, &call->late);
    archive_bool(a, &call->caused);
    stub_archive(a, p, &call->stub);
    archive_u64(a, &call->entry_time);
    archive_u64(a, &call->caller);
    archive_u64(a, &call->rsp);
    archive_u64(a, &call->stack_base);
    archive_u32(a, &call->arg_mask);
    archive_insist(a, call->arg_mask >> CALL_ARGS_MAX == 0);
    for (uint32_t i = 0; i < CALL_ARGS_MAX; i++) {
        if (call->arg_mask >> i & 1) {
            archive_u64(a, &call->args[i]);
        }
    }
    archive_insist(a, call->id > 0 && call->id <= a->m->call_id &&
                          call->number <= SERVICE_MASK);
    before_archive(a, open);
    if (!a->saving) {
        call->entry_seen = true;
        call->number_known = true;
        call->pid = p->pid;
        call->width = p->width;
        call->handles = p->handles;
        call->process = p;
    }
    objects_archive(a, call);
    archive_thing(a, &open->root);
}

static void pending_archive(struct archive *a, struct model_process *p,
                            struct pending_call *pending)
{
    struct call *call = &pending->open.call;

    call_archive(a, p, &pending->open);
    archive_u32(a, &call->tid);
    archive_u64(a, &call->return_time);
    archive_u64(a, &call->result);
    archive_u64(a, &call->kernels);
    archive_u64(a, &call->rip);
    if (a->saving) {
        memory_save(a, &call->after);
    } else {
        pending->after = memory_load(a, &call->after, &pending->after_size);
        call->returned = true;
    }
    archive_insist(a, pending_is(call));
}

static void pendings_archive(struct archive *a, struct model_process *p)
{
    struct pending_call **link = &p->pending;
    size_t count = p->pending_count;

    archive_count(a, &count, PENDING_CALLS_MAX, CALL_LEAST);
    for (size_t i = 0; i < count && !a->bad; i++) {
        if (a->saving) {
            archive_take(a, sizeof(**link));
        } else if ((*link = archive_new(a, sizeof(**link))) != NULL) {
            p->pending_count++;
            a->m->open_bytes += sizeof(**link);
        }
        if (*link) {
            pending_archive(a, p, *link);
            link = &(*link)->next;
        }
    }
}

/* The process by its place in the list; plus one, 0: NULL. */
static void process_ref(struct archive *a, struct model_process **p)
{
    size_t at = 0;

    while (a->saving && *p && at < a->process_count &&
           a->processes[at++] != *p) {
    }
    archive_size(a, &at, a->process_count);
    if (!a->saving) {
        *p = at > 0 ? a->processes[at - 1] : NULL;
    }
}

/* --- Threads ---------------------------------------------------------------- */

/* Whole records, and LOSTs, their times rising, `last` not before them. */
static bool records_are_sound(str records, uint64_t last)
{
    const uint8_t *p = (const uint8_t *)records.p;
    size_t left = records.size;
    uint64_t time = 0;

    while (left > 0) {
        struct walk w = walk_over(p, left);
        struct walked r;

        if (left >= sizeof(struct journal_lost) &&
            p[RECORD_KIND] == JOURNAL_LOST) {
            r.head.size = u32_at(p + RECORD_SIZE);
            r.head.time = u64_at(p + RECORD_TIME);
            if (r.head.size != sizeof(struct journal_lost)) {
                return false;
            }
        } else if (!walk_next(&w, &r) || r.head.kind == RECORD_PAD) {
            return false;
        }
        if (r.head.time < time || r.head.time > last) {
            return false;
        }
        time = r.head.time;
        p += r.head.size;
        left -= r.head.size;
    }
    return true;
}

static void queue_archive(struct archive *a, struct model_thread *t)
{
    struct queue *q = &t->queue;
    str records = STR("");
    size_t room;

    if (!queue_empty(q)) {
        records = (str){ (const char *)q->bytes + q->begin, q->end - q->begin };
    }
    archive_u64(a, &q->last);
    records = archive_text(a, records, CHECKPOINT_MAX);
    if (a->saving || records.size == 0 ||
        !archive_insist(a, records_are_sound(records, q->last))) {
        return;
    }
    /* No more room than it had, which goes by doubling; what is little has as
     * much as it takes. */
    room = records.size > RECORD_MAX ? RECORD_MAX : records.size;
    while (room < records.size) {
        room *= 2;
    }
    q->bytes = archive_new(a, room);
    if (q->bytes) {
        memcpy(q->bytes, records.p, records.size);
        q->room = room;
        q->end = records.size;
        a->m->room += room;
        a->m->counts.queued += records.size;
    }
}

static void answer_archive(struct archive *a, struct journal_answer *r)
{
    archive_u64(a, &r->argument);
    archive_u16(a, &r->number);
    archive_u8(a, &r->number_known);
    archive_u8(a, &r->more_count);
    archive_u64(a, &r->caller);
    for (size_t i = 0; i < RECORD_MORE_MAX; i++) {
        archive_u64(a, &r->more[i]);
    }
}

static void answers_archive(struct archive *a, struct model_thread *t)
{
    struct answer *next = t->answers;
    size_t count = 0;

    for (const struct answer *answer = next; answer; answer = answer->next) {
        count++;
    }
    archive_count(a, &count, SIZE_MAX, ANSWER_LEAST);
    for (size_t i = 0; i < count && !a->bad; i++) {
        struct answer *answer = next;

        if (a->saving) {
            archive_take(a, sizeof(*answer));
            next = next->next;
        } else if ((answer = archive_new(a, sizeof(*answer))) != NULL) {
            *t->answers_end = answer;
            t->answers_end = &answer->next;
            a->m->answers++;
        }
        if (answer) {
            answer_archive(a, &answer->told);
        }
    }
    archive_u32(a, &t->answers_owed);
}

/* The room counts: it is held against what all may have. */
static void pieces_room(struct archive *a, struct pieces *w)
{
    size_t room = w->room;
    size_t list_room = w->list_room;

    archive_size(a, &room, 2 * (size_t)PIECE_BYTES_MAX);
    archive_size(a, &list_room, (size_t)2 * PIECES_MAX);
    if (!memory_take(a, room + list_room * sizeof(w->list[0])) || a->saving) {
        return;
    }
    if (room > 0 && (w->bytes = archive_new(a, room)) != NULL) {
        w->room = room;
        a->m->memory += room;
    }
    if (list_room > 0 &&
        (w->list = archive_new(a, list_room * sizeof(w->list[0]))) != NULL) {
        w->list_room = list_room;
        a->m->memory += list_room * sizeof(w->list[0]);
    }
}

static void pieces_archive(struct archive *a, struct pieces *w)
{
    pieces_room(a, w);
    archive_bool(a, &w->any);
    if (!w->any) {
        return;
    }
    archive_u64(a, &w->rsp);
    archive_u16(a, &w->number);
    archive_u8(a, &w->at);
    archive_bool(a, &w->stack);
    archive_u32(a, &w->op);
    archive_u64(a, &w->end);
    archive_count(a, &w->count, PIECES_MAX, 2);
    archive_count(a, &w->size, PIECE_BYTES_MAX, 1);
    if (!archive_insist(a, w->count <= w->list_room && w->size <= w->room &&
                               (!w->stack || w->count > 0))) {
        w->count = 0;
        w->size = 0;
        w->stack = false;
        return;
    }
    pieces_list(a, w->list, w->count, w->size);
    archive_bytes(a, w->bytes, w->size);
}

static void opens_archive(struct archive *a, struct model_thread *t)
{
    size_t count = t->open_count;
    uint64_t last = 0;

    archive_count(a, &count, OPEN_MAX, CALL_LEAST);
    if (a->saving) {
        archive_take(a, count * sizeof(t->open[0]));
    } else if (count > 0) {
        t->open = archive_new(a, count * sizeof(t->open[0]));
        t->open_room = t->open ? count : 0;
        a->m->open_bytes += t->open_room * sizeof(t->open[0]);
    }
    for (size_t i = 0; i < count && !a->bad; i++) {
        struct open_call *open = &t->open[i];

        if (!a->saving) {
            t->open_count = i + 1;
        }
        call_archive(a, t->process, open);
        open->call.tid = t->tid;
        archive_u64(a, &open->generation);
        process_ref(a, &open->source);
        archive_insist(a, open->call.id > last);
        last = open->call.id;
    }
}

static void thread_archive(struct archive *a, struct model_thread *t)
{
    archive_u64(a, &t->order);
    archive_u32(a, &t->tid);
    archive_u32(a, &t->serial);
    archive_u64(a, &t->bound);
    queue_archive(a, t);
    archive_bool(a, &t->ended);
    archive_bool(a, &t->end_silent);
    archive_bool(a, &t->end_known);
    archive_u32(a, &t->end_code);
    archive_u64(a, &t->end_at);
    answers_archive(a, t);
    pieces_archive(a, &t->pieces);
    archive_u64(a, &t->seen_generation);
    opens_archive(a, t);
    archive_u64(a, &t->in_kernel);
    stub_archive(a, t->process, &t->gone_stub);
    archive_u64(a, &t->gone_rsp);
    blame_archive(a, &t->own_end);
    blame_archive(a, &t->foreign_end);
    archive_bool(a, &t->exception);
    archive_u32(a, &t->exception_status);
    archive_u64(a, &t->exception_rsp);
    archive_u64(a, &t->exception_stack);
}

/* Behind `previous`, which may be NULL. */
static struct model_thread *thread_new(struct archive *a,
                                       struct model_process *p,
                                       struct model_thread *previous)
{
    struct model_thread *t = NULL;

    if (archive_take(a, sizeof(*t))) {
        t = thread_make(p);
        archive_insist(a, t != NULL);
    }
    if (t) {
        t->previous = previous;
        *(previous ? &previous->next : &a->m->threads) = t;
    }
    return t;
}

static void threads_archive(struct archive *a)
{
    struct model_thread *next = a->m->threads;
    struct model_thread *last = NULL;
    uint64_t above = a->m->thread_order;
    size_t count = 0;

    for (const struct model_thread *t = next; t; t = t->next) {
        count++;
    }
    archive_count(a, &count, SIZE_MAX, THREAD_LEAST);
    for (size_t i = 0; i < count && !a->bad; i++) {
        struct model_thread *t = next;
        struct model_process *p = t ? t->process : NULL;

        process_ref(a, &p);
        if (a->saving) {
            archive_take(a, sizeof(*t));
            next = t->next;
        } else if (archive_insist(a, p != NULL)) {
            t = thread_new(a, p, last);
        }
        if (t) {
            thread_archive(a, t);
            archive_insist(a, t->order < above);
            above = t->order;
            last = t;
        }
    }
}

/* --- All of it ------------------------------------------------------------ */

/* Objects first in what may be closed, then in what still refers to them. */
static void archive_all(struct archive *a)
{
    config_archive(a);
    model_archive(a);
    tables_archive(a);
    processes_archive(a);
    for (size_t i = 0; i < a->process_count && !a->bad; i++) {
        pendings_archive(a, a->processes[i]);
    }
    threads_archive(a);
}

static void archive_close(struct archive *a)
{
    for (size_t i = 0; i < a->table_count && !a->saving; i++) {
        stub_table_release(a->m, a->tables[i]);
    }
    free(a->tables);
    free(a->processes);
    free(a->things);
    free(a->thing_index);
}

uint8_t *model_save(const struct model *m, size_t *size)
{
    /* What saves only looks; what loads is the same code. */
    union {
        const struct model *m;
        struct model *mine;
    } both = { m };
    struct archive a = { .m = both.mine, .saving = true };

    archive_all(&a);
    archive_close(&a);
    *size = a.at;
    if (a.bad) {
        free(a.to);
        return NULL;
    }
    return a.to;
}

/* Whoever has something to tell is in the heap; nobody is over before its
 * threads are. */
static void wake_all(struct archive *a)
{
    for (size_t i = 0; i < a->process_count && !a->bad; i++) {
        struct model_process *p = a->processes[i];

        if (archive_insist(a, !p->self->ended || p->open_threads == 0)) {
            announce(p->self);
        }
    }
    for (struct model_thread *t = a->m->threads; t && !a->bad; t = t->next) {
        announce(t);
        wait_for(t);
    }
}

bool model_load(struct model *m, const void *bytes, size_t size)
{
    struct archive a = { .m = m, .from = bytes, .end = size };

    model_forget(m);
    archive_insist(&a, size <= CHECKPOINT_MAX);
    archive_all(&a);
    archive_insist(&a, a.at == a.end);
    wake_all(&a);
    archive_close(&a);
    if (a.bad) {
        model_forget(m);
    }
    return !a.bad;
}

/* --- Who replays ------------------------------------------------------------ */

uint64_t model_process_order(const struct model_process *p)
{
    return p->self->order;
}

uint64_t model_thread_order(const struct model_thread *t)
{
    return t->order;
}

struct model_process *model_process_after(struct model *m,
                                          const struct model_process *p)
{
    return p ? p->next : m->processes;
}

struct model_thread *model_thread_after(struct model *m,
                                        const struct model_thread *t)
{
    return t ? t->next : m->threads;
}

struct model_process *model_thread_process(const struct model_thread *t)
{
    return t->process;
}

static int by_id(const void *a, const void *b)
{
    const struct call *const *one = a;
    const struct call *const *other = b;

    return ((*one)->id > (*other)->id) - ((*one)->id < (*other)->id);
}

bool model_tell_open(struct model *m)
{
    const struct call **calls;
    size_t count = 0;

    for (const struct model_thread *t = m->threads; t; t = t->next) {
        count += t->open_count;
    }
    calls = malloc((count + 1) * sizeof(const struct call *));
    if (!calls) {
        return false;
    }
    count = 0;
    for (const struct model_thread *t = m->threads; t; t = t->next) {
        for (size_t i = 0; i < t->open_count; i++) {
            calls[count++] = &t->open[i].call;
        }
    }
    array_sort(calls, count, sizeof(const struct call *), by_id);
    for (size_t i = 0; i < count; i++) {
        tell_enter(m, calls[i]);
    }
    free(calls);
    return true;
}
