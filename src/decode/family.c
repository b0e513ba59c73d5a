/* SPDX-License-Identifier: MIT */
/*
 * family.c - whose a structure or a parameter is.
 */
#include "decode/family.h"

#include "tables/types.h"

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
            if (f->types[k].pointer && str_is(type, f->types[k].pointer)) {
                return &f->types[k];
            }
        }
    }
    return NULL;
}

/* An argument that a row is looked for. */
struct wanted {
    str call;
    uint8_t category;
    str type;
    str name;
};

static bool is_of(const struct family_param *row, const struct wanted *w)
{
    if (row->type) {
        return str_is(w->type, row->type);
    }
    return (row->category == CATEGORY_COUNT || row->category == w->category) &&
           str_is(w->name, row->name) &&
           (!row->call || str_is(w->call, row->call));
}

static const struct family_param *
param_of(const struct registry *r, const struct call_facts *call, uint32_t i)
{
    const struct type_row *type = call->args[i].type;
    const struct wanted w = {
        .call = str_of(call->name),
        .category = call->category,
        .type = type ? str_of(type->name) : STR(""),
        .name = str_of(call->args[i].name),
    };

    for (size_t k = 0; k < r->count; k++) {
        const struct family *f = r->families[k];

        for (size_t n = 0; n < f->param_count; n++) {
            if (is_of(&f->params[n], &w)) {
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
