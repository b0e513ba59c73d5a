/* SPDX-License-Identifier: MIT */
/*
 * stubs.c - the system call functions of a module, shared by all processes
 * that have the same one at the same address; which of them are patched is
 * each process's own.
 *
 * A table is made once, looked up in the tables of calls, and lives as long as
 * a process that has it. Fails for want of memory only.
 */
#include "model/world.h"

#include "base/array.h"

#include "tables/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* What a function takes besides its row, its name and its watches: some bytes
 * for each block of memory. */
#define STUB_REST 64

/* --- tables --- */

static bool make_stub(struct model *m, struct stub *stub, uint64_t base,
                      const struct journal_stub_row *row, str module)
{
    str name = str_keep(row->name);

    if (!name.p) {
        return false;
    }
    stub->address = base + row->rva;
    stub->number = row->number & SERVICE_MASK;
    stub->roles = call_roles(name);
    stub->name = name;
    stub->module = module;
    stub->facts = call_find_on(name, m->config.system);
    stub->arg_count = (int8_t)call_arg_count_on(name, m->config.system);
    if (!watch_stub(stub)) {
        watch_drop(stub);
    }
    return true;
}

static void table_close(struct stub_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->stubs[i].name.p) {
            str_drop(table->stubs[i].name);
        }
        watch_drop(&table->stubs[i]);
    }
    str_drop(table->module);
    free(table);
}

struct stub_table *stub_table_open(struct model *m,
                                   const struct journal_stubs *r)
{
    struct stub_table *table;
    /* A function has its name, and what is watched of it, in blocks of their
     * own. */
    size_t bytes = sizeof(*table) +
                   r->count * (sizeof(table->stubs[0]) + STUB_REST) +
                   r->head.size;
    size_t names = 0;

    if (m->stub_bytes + bytes > STUB_BYTES_MOST ||
        !(table =
              calloc(1, sizeof(*table) + r->count * sizeof(table->stubs[0])))) {
        return NULL;
    }
    table->bytes = bytes;
    table->module = str_keep(journal_text(r, 0));
    if (!table->module.p) {
        free(table);
        return NULL;
    }
    table->id = r->id;
    table->base = r->base;
    table->count = r->count;
    for (uint32_t i = 0; i < r->count; i++) {
        struct journal_stub_row row = journal_stub_at(r, i, &names);

        if (!make_stub(m, &table->stubs[i], r->base, &row, table->module)) {
            table_close(table);
            return NULL;
        }
    }
    table->users = 1;
    m->stub_bytes += bytes;
    table->next = m->stub_tables;
    m->stub_tables = table;
    return table;
}

void stub_table_release(struct model *m, struct stub_table *table)
{
    struct stub_table **link = &m->stub_tables;

    if (--table->users > 0) {
        return;
    }
    while (*link != table) {
        link = &(*link)->next;
    }
    *link = table->next;
    m->stub_bytes -= table->bytes;
    table_close(table);
}

/* The same id, place and number of functions: the same table. It has a user
 * more. */
static struct stub_table *table_of(struct model *m,
                                   const struct journal_stubs *r)
{
    struct stub_table *table = m->stub_tables;

    while (table && (table->id != r->id || table->base != r->base ||
                     table->count != r->count)) {
        table = table->next;
    }
    if (table) {
        table->users++;
        return table;
    }
    return stub_table_open(m, r);
}

/* --- of a process --- */

struct mapped_stubs *stubs_mapped(const struct model_process *p,
                                  const struct stub_table *table)
{
    for (size_t i = 0; i < p->mapped_count; i++) {
        if (p->mapped[i].table == table) {
            return &p->mapped[i];
        }
    }
    return NULL;
}

struct mapped_stubs *stubs_map(struct model_process *p,
                               struct stub_table *table)
{
    struct mapped_stubs *mapped = stubs_mapped(p, table);
    struct mapped_stubs moved;
    size_t at;

    if (!mapped) {
        uint8_t *patched = NULL;

        if (p->mapped_count < MAPPED_MOST) {
            patched = calloc(table->count / 8 + 1, 1);
        }
        if (!patched || !array_grow(&p->mapped, &p->mapped_room,
                                    p->mapped_count, sizeof(p->mapped[0]))) {
            free(patched);
            return NULL;
        }
        table->users++;
        p->mapped[p->mapped_count++] = (struct mapped_stubs){ table, patched };
        return &p->mapped[p->mapped_count - 1];
    }
    moved = *mapped;
    at = (size_t)(mapped - p->mapped);
    memmove(mapped, mapped + 1, (p->mapped_count - at - 1) * sizeof(*mapped));
    p->mapped[p->mapped_count - 1] = moved;
    return &p->mapped[p->mapped_count - 1];
}

/* Row `i` of the table is `row`: is it patched, and the one of its number? */
static void tell_row(struct model_process *p, struct mapped_stubs *mapped,
                     uint32_t i, const struct journal_stub_row *row)
{
    struct stub *stub = &mapped->table->stubs[i];
    struct stub *known = p->by_number[stub->number];

    if (row->flags & JOURNAL_STUB_PATCHED) {
        mapped->patched[i / 8] |= (uint8_t)(1u << (i % 8));
    }
    /* Of those with a number the first one that is exported; what was mapped
     * before gives way. */
    if ((row->flags & JOURNAL_STUB_SECOND) == 0 &&
        (!known || known->module.p != stub->module.p)) {
        p->by_number[stub->number] = stub;
    }
}

bool stubs_tell(struct model_process *p, const struct journal_stubs *r)
{
    struct stub_table *table = table_of(p->model, r);
    struct mapped_stubs *mapped = table ? stubs_map(p, table) : NULL;
    size_t names = 0;

    if (table) {
        stub_table_release(p->model, table);
    }
    if (!mapped) {
        return false;
    }
    memset(mapped->patched, 0, table->count / 8 + 1);
    for (uint32_t i = 0; i < r->count; i++) {
        struct journal_stub_row row = journal_stub_at(r, i, &names);

        tell_row(p, mapped, i, &row);
    }
    return true;
}

void stubs_close(struct model_process *p)
{
    for (size_t i = 0; i < p->mapped_count; i++) {
        free(p->mapped[i].patched);
        stub_table_release(p->model, p->mapped[i].table);
    }
    free(p->mapped);
    p->mapped = NULL;
    p->mapped_count = 0;
}

/* Index behind the last stub of the table that begins at or before `address`. */
static uint32_t stub_above(const struct stub_table *table, uint64_t address)
{
    return (uint32_t)array_above(table->stubs, table->count,
                                 sizeof(table->stubs[0]), address);
}

const struct stub *stub_by_number(const struct model_process *p,
                                  uint16_t number)
{
    return p->by_number[number & SERVICE_MASK];
}

const struct stub *stub_by_address(const struct model_process *p,
                                   uint64_t address, bool *patched)
{
    /* Of what lay at the same place one after the other, the last one. */
    for (size_t i = p->mapped_count; i-- > 0;) {
        const struct mapped_stubs *mapped = &p->mapped[i];
        uint32_t at = stub_above(mapped->table, address);

        if (at > 0 &&
            address - mapped->table->stubs[at - 1].address < STUB_SIZE) {
            at--;
            *patched = (mapped->patched[at / 8] >> (at % 8) & 1) != 0;
            return &mapped->table->stubs[at];
        }
    }
    *patched = false;
    return NULL;
}
