/* SPDX-License-Identifier: MIT */
/*
 * family.c - whose a structure or a parameter is.
 */
#include "decode/family.h"

#include "tables/types.h"

#include <string.h>

#include "base/banned.h"

static const struct family_type *type_in(const struct family *f, str name)
{
    size_t low = 0;
    size_t high = f->type_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(f->types[middle].name, name);

        if (order == 0) {
            return &f->types[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct family_type *family_type_of(const struct registry *r, str name)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct family_type *type = type_in(r->families[i], name);

        if (type) {
            return type;
        }
    }
    return NULL;
}

const struct family_type *family_pointed(const struct registry *r, str type)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct family *f = r->families[i];

        for (size_t k = 0; k < f->type_count; k++) {
            if (f->types[k].pointer &&
                str_eq(str_of(f->types[k].pointer), type)) {
                return &f->types[k];
            }
        }
    }
    return NULL;
}

/* `type`: of the argument. */
static bool is_of(const struct family_param *row, const struct call_facts *call,
                  uint32_t i, const char *type)
{
    if (row->type) {
        return strcmp(type, row->type) == 0;
    }
    return (row->category == CATEGORY_COUNT ||
            row->category == call->category) &&
           strcmp(call->args[i].name, row->name) == 0 &&
           (!row->call || strcmp(call->name, row->call) == 0);
}

static const struct family_param *
param_of(const struct registry *r, const struct call_facts *call, uint32_t i)
{
    const struct type_row *row = type_row(call->args[i].type);
    const char *type = row ? row->name : "";

    for (size_t k = 0; k < r->count; k++) {
        const struct family *f = r->families[k];

        for (size_t n = 0; n < f->param_count; n++) {
            if (is_of(&f->params[n], call, i, type)) {
                return &f->params[n];
            }
        }
    }
    return NULL;
}

void family_params(const struct registry *r, struct shape *shape)
{
    for (uint32_t i = 0; i < shape->facts->arg_count; i++) {
        shape->args[i].param = param_of(r, shape->facts, i);
    }
}
