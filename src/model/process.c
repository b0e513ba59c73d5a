/* SPDX-License-Identifier: MIT */
/*
 * process.c - one traced process: its image, its system call functions and its
 * modules.
 *
 * Functions and modules are sorted by address, and more come as the session
 * finds them. Stubs stay until the model is closed, because calls point to
 * them.
 */
#include "model/world.h"

#include "base/array.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct model_process *process_by_pid(struct model *m, uint32_t pid)
{
    for (struct model_process *p = m->processes; p; p = p->next) {
        if (p->pid == pid) {
            return p;
        }
    }
    return NULL;
}

str process_name_keep(struct model_process *p, str name)
{
    struct model *m = p->model;
    str kept = { NULL, 0 };

    if (m->text_bytes + name.size <= TEXT_BYTES_MOST) {
        kept = str_keep(name);
    }
    m->text_bytes += kept.p ? kept.size : 0;
    return kept;
}

void process_name_drop(struct model_process *p, str name)
{
    if (name.p) {
        p->model->text_bytes -= name.size;
        str_drop(name);
    }
}

bool process_set_image(struct model_process *p, str image)
{
    str kept;

    if (image.size == 0) {
        return true;
    }
    kept = process_name_keep(p, str_slice(image, 0, OBJECT_NAME_MAX));
    if (!kept.p) {
        return false;
    }
    process_name_drop(p, p->image);
    p->image = kept;
    return true;
}

str model_process_image(const struct model_process *p)
{
    return p && p->image.p ? str_slice(str_file(p->image), 0, NAME_MAX_BYTES)
                           : STR("");
}

void process_names_drop(struct model_process *p)
{
    for (size_t i = 0; i < p->module_count; i++) {
        process_name_drop(p, p->modules[i].name);
        process_name_drop(p, p->modules[i].path);
    }
    p->module_count = 0;
    for (size_t i = 0; i < PLACES_KEPT; i++) {
        process_name_drop(p, p->places[i].name);
        p->places[i].name = (str){ NULL, 0 };
    }
    process_name_drop(p, p->image);
    p->image = (str){ NULL, 0 };
}

/* --- Modules ---------------------------------------------------------- */

uint32_t process_name_hash(str name)
{
    uint64_t h = HASH_START;

    for (size_t i = 0; i < name.size; i++) {
        char c = name.p[i];

        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        h = hash_add(h, &c, 1);
    }
    return hash_fold(h);
}

/* Index of the first module whose base is above `address`. */
static size_t module_above(const struct model_process *p, uint64_t address)
{
    return array_above(p->modules, p->module_count, sizeof(p->modules[0]),
                       address);
}

static void remove_at(struct model_process *p, size_t at)
{
    process_name_drop(p, p->modules[at].name);
    process_name_drop(p, p->modules[at].path);
    p->module_count--;
    memmove(&p->modules[at], &p->modules[at + 1],
            (p->module_count - at) * sizeof(p->modules[0]));
}

/* Is another module of this name there? File systems do not care for case. */
static bool has_name(const struct model_process *p, uint64_t base, str name,
                     uint32_t hash)
{
    for (size_t i = 0; i < p->module_count; i++) {
        if (p->modules[i].hash == hash && p->modules[i].base != base &&
            str_eq_nocase(p->modules[i].name, name)) {
            return true;
        }
    }
    return false;
}

bool process_module_add(struct model_process *p, uint64_t base, uint64_t size,
                        str name)
{
    size_t at = module_above(p, base);
    bool again = at > 0 && p->modules[at - 1].base == base &&
                 str_eq_nocase(p->modules[at - 1].name, name);
    uint32_t hash = process_name_hash(name);
    bool second =
        again ? p->modules[at - 1].second : has_name(p, base, name, hash);
    str kept = process_name_keep(p, str_slice(name, 0, NAME_MAX_BYTES));

    if (!kept.p || size == 0 || p->module_count >= MODULES_MOST ||
        !array_grow(&p->modules, &p->module_room, p->module_count,
                    sizeof(p->modules[0]))) {
        process_name_drop(p, kept);
        return false;
    }
    while (at > 0 && base - p->modules[at - 1].base < p->modules[at - 1].size) {
        remove_at(p, --at);
    }
    while (at < p->module_count && p->modules[at].base - base < size) {
        remove_at(p, at);
    }
    memmove(&p->modules[at + 1], &p->modules[at],
            (p->module_count - at) * sizeof(p->modules[0]));
    p->modules[at] = (struct module){
        .base = base, .size = size, .name = kept, .hash = hash, .second = second
    };
    p->module_count++;
    return true;
}

/* The module that begins at `base`; NULL: none does. */
static struct module *module_at(struct model_process *p, uint64_t base)
{
    size_t at = module_above(p, base);

    return at > 0 && p->modules[at - 1].base == base ? &p->modules[at - 1]
                                                     : NULL;
}

void process_module_build(struct model_process *p, uint64_t base,
                          const struct module_build *build)
{
    struct module *m = module_at(p, base);

    if (m != NULL) {
        m->build = *build;
    }
}

void process_module_file(struct model_process *p, uint64_t base, str path)
{
    struct module *m = module_at(p, base);

    if (m != NULL && path.size > 0) {
        process_name_drop(p, m->path);
        m->path = process_name_keep(p, str_slice(path, 0, PATH_MAX_BYTES));
    }
}

bool model_module(const struct model_process *p, uint64_t address,
                  struct module_here *out)
{
    size_t at = module_above(p, address);
    const struct module *m = at > 0 ? &p->modules[at - 1] : NULL;

    if (m == NULL || address - m->base >= m->size) {
        return false;
    }
    *out = (struct module_here){ m->base, m->size, m->name,
                                 m->path.p ? m->path : STR(""), m->build };
    return true;
}

void process_module_remove(struct model_process *p, uint64_t base)
{
    size_t at = module_above(p, base);

    if (at > 0 && p->modules[at - 1].base == base) {
        remove_at(p, at - 1);
    }
}

bool process_one_module(const struct model_process *p, uint64_t a, uint64_t b)
{
    size_t at = module_above(p, a);

    return at > 0 && a - p->modules[at - 1].base < p->modules[at - 1].size &&
           b - p->modules[at - 1].base < p->modules[at - 1].size;
}

static struct place place_in_module(const struct model_process *p,
                                    uint64_t address)
{
    size_t at = module_above(p, address);
    struct place place = { .kind = PLACE_UNKNOWN, .name = STR("") };

    if (at > 0 && address - p->modules[at - 1].base < p->modules[at - 1].size) {
        place.kind = PLACE_MODULE;
        place.name = p->modules[at - 1].name;
        place.base = p->modules[at - 1].base;
        place.offset = address - place.base;
        place.second = p->modules[at - 1].second;
    }
    return place;
}

void process_place_add(struct model_process *p, const struct journal_place *r)
{
    struct known_place *to = &p->places[p->places_next];
    str name = journal_text(r, 0);

    for (size_t i = 0; i < PLACES_KEPT; i++) {
        struct known_place *known = &p->places[i];

        if (known->base == r->base && known->size == r->size) {
            to = known;
        }
    }
    if (to == &p->places[p->places_next]) {
        p->places_next = (p->places_next + 1) % PLACES_KEPT;
    }
    process_name_drop(p, to->name);
    *to = (struct known_place){ .base = r->base,
                                .size = r->size,
                                .origin = r->origin,
                                .kind = r->kind <= PLACE_UNMAPPED
                                            ? (enum place_kind)r->kind
                                            : PLACE_UNKNOWN,
                                .order = ++p->places_told };
    if (name.size > 0 && to->kind == PLACE_MAPPED) {
        to->name = process_name_keep(p, name);
    }
}

/* What was found out last of the pages around `address`. */
static struct place place_told(const struct model_process *p, uint64_t address)
{
    const struct known_place *best = NULL;
    struct place place = { .kind = PLACE_UNKNOWN, .name = STR("") };

    for (size_t i = 0; i < PLACES_KEPT; i++) {
        const struct known_place *known = &p->places[i];

        if (address - known->base < known->size &&
            (!best || known->order > best->order)) {
            best = known;
        }
    }
    if (!best) {
        return place;
    }
    place.kind = best->kind;
    place.base = best->kind == PLACE_UNMAPPED ? address & ~(uint64_t)0xfff
                                              : best->origin;
    place.offset = address - place.base;
    if (best->name.p) {
        place.name = best->name;
    }
    return place;
}

struct place model_place(const struct model_process *p, uint64_t address)
{
    struct place place = place_in_module(p, address);

    return place.kind != PLACE_UNKNOWN ? place : place_told(p, address);
}
