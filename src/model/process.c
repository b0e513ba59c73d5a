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

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

bool grow(void *array, size_t *room, size_t count, size_t element)
{
    void *old;
    void *bigger;
    size_t wanted = *room ? *room * 2 : 16;

    if (count < *room) {
        return true;
    }
    memcpy(&old, array, sizeof(old));
    bigger = realloc(old, wanted * element);
    if (!bigger) {
        return false;
    }
    memcpy(array, &bigger, sizeof(bigger));
    *room = wanted;
    return true;
}

/* A copy that the caller owns, and gives back; p is NULL without memory. */
static str str_keep(str s)
{
    char *p = malloc(s.size + 1);

    if (p) {
        memcpy(p, s.p, s.size);
        p[s.size] = 0;
    }
    return (str){ p, s.size };
}

static void str_drop(str s)
{
    union {
        const char *p;
        char *mine;
    } owned = { s.p };

    free(owned.mine);
}

struct model_process *model_process_open(struct model *m, uint32_t pid,
                                         enum model_mode mode)
{
    struct model_process *p = calloc(1, sizeof(*p));

    if (!p) {
        return NULL;
    }
    p->self = calloc(1, sizeof(*p->self));
    if (!m->config.no_handles) {
        p->handles = handles_open(m);
    }
    if (!p->self || (!p->handles && !m->config.no_handles) ||
        !heap_reserve(m)) {
        handles_close(p->handles);
        free(p->self);
        free(p);
        return NULL;
    }
    p->model = m;
    p->pid = pid;
    p->mode = mode;
    p->self->model = m;
    p->self->process = p;
    p->self->is_self = true;
    p->self->order = m->thread_order++;
    p->self->answers_end = &p->self->answers;
    p->next = m->processes;
    m->processes = p;
    return p;
}

struct handles *model_process_handles(struct model_process *p)
{
    return p->handles;
}

bool model_process_image(struct model_process *p, str image)
{
    str kept = str_keep(str_slice(image, 0, OBJECT_NAME_MAX));

    if (!kept.p) {
        return false;
    }
    if (p->image.p) {
        str_drop(p->image);
    }
    p->image = kept;
    return true;
}

struct model_process *process_by_pid(struct model *m, uint32_t pid)
{
    for (struct model_process *p = m->processes; p; p = p->next) {
        if (p->pid == pid && !p->over) {
            return p;
        }
    }
    return NULL;
}

void process_close(struct model_process *p)
{
    for (size_t i = 0; i < p->stub_count; i++) {
        str_drop(p->stubs[i]->name);
        str_drop(p->stubs[i]->module);
        watch_drop(p->stubs[i]);
        free(p->stubs[i]);
    }
    for (size_t i = 0; i < p->module_count; i++) {
        str_drop(p->modules[i].name);
    }
    free(p->stubs);
    free(p->modules);
    handles_close(p->handles);
    if (p->image.p) {
        str_drop(p->image);
    }
    queue_close(p->self);
    free(p->self);
    free(p);
}

/* What a program tells of may be no module: there is an end to them. */
#define MODULES_MOST 8192
/* --- Stubs ------------------------------------------------------------ */

static enum special special_of(str name)
{
    static const struct {
        const char *name;
        enum special special;
    } rows[] = {
        { "NtContinue", SPECIAL_CONTINUE },
        { "NtContinueEx", SPECIAL_CONTINUE },
        { "NtCallbackReturn", SPECIAL_CALLBACK_RETURN },
        { "NtTerminateThread", SPECIAL_TERMINATE_THREAD },
        { "NtTerminateProcess", SPECIAL_TERMINATE_PROCESS },
        { "NtTerminateJobObject", SPECIAL_TERMINATE_JOB },
        { "NtSetContextThread", SPECIAL_SET_CONTEXT },
        { "NtRaiseException", SPECIAL_RAISE },
        { "NtSetInformationProcess", SPECIAL_SET_PROCESS },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_eq(name, str_of(rows[i].name))) {
            return rows[i].special;
        }
    }
    return SPECIAL_NONE;
}

static bool stub_has(const struct stub *stub, uint64_t rip)
{
    return rip - stub->address < STUB_SIZE;
}

/* Index of the first stub whose address is above `address`. */
static size_t stub_above(const struct model_process *p, uint64_t address)
{
    size_t from = 0;
    size_t to = p->stub_count;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (p->stubs[mid]->address <= address) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

bool model_stub_add(struct model_process *p, uint64_t address, uint16_t number,
                    str name, str module, bool patched)
{
    size_t at = stub_above(p, address);
    struct stub *stub;
    bool is_new = at == 0 || p->stubs[at - 1]->address != address;
    str name_copy = str_keep(name);
    str module_copy = str_keep(module);

    if (is_new) {
        stub = calloc(1, sizeof(*stub));
    } else {
        stub = p->stubs[at - 1];
    }
    if (!name_copy.p || !module_copy.p || !stub ||
        (is_new &&
         !grow(&p->stubs, &p->stub_room, p->stub_count, sizeof(stub)))) {
        str_drop(name_copy);
        str_drop(module_copy);
        if (is_new) {
            free(stub);
        }
        return false;
    }
    if (is_new) {
        memmove(&p->stubs[at + 1], &p->stubs[at],
                (p->stub_count - at) * sizeof(stub));
        p->stubs[at] = stub;
        p->stub_count++;
    } else {
        if (p->by_number[stub->number & SERVICE_MASK] == stub) {
            p->by_number[stub->number & SERVICE_MASK] = NULL;
        }
        str_drop(stub->name);
        str_drop(stub->module);
    }
    stub->address = address;
    stub->number = number & SERVICE_MASK;
    stub->patched = patched;
    stub->special = (uint8_t)special_of(name);
    stub->name = name_copy;
    stub->module = module_copy;
    stub->facts = call_find_on(name, p->model->config.system);
    stub->arg_count = (int8_t)call_arg_count_on(name, p->model->config.system);
    watch_drop(stub);
    if (!watch_stub(stub)) {
        watch_drop(stub);
    }
    if (!p->by_number[stub->number]) {
        p->by_number[stub->number] = stub;
    }
    return true;
}

bool model_stub_unpatched(struct model_process *p, uint64_t address)
{
    size_t at = stub_above(p, address);

    if (at == 0 || p->stubs[at - 1]->address != address ||
        !p->stubs[at - 1]->patched) {
        return false;
    }
    p->stubs[at - 1]->patched = false;
    return true;
}

const struct stub *model_stub_by_number(const struct model_process *p,
                                        uint16_t number)
{
    return p->by_number[number & SERVICE_MASK];
}

const struct stub *model_stub_by_address(const struct model_process *p,
                                         uint64_t address)
{
    size_t at = stub_above(p, address);

    return at > 0 && stub_has(p->stubs[at - 1], address) ? p->stubs[at - 1]
                                                         : NULL;
}

/* --- Modules ---------------------------------------------------------- */

/* Index of the first module whose base is above `address`. */
static size_t module_above(const struct model_process *p, uint64_t address)
{
    size_t from = 0;
    size_t to = p->module_count;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (p->modules[mid].base <= address) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

static void remove_at(struct model_process *p, size_t at)
{
    str_drop(p->modules[at].name);
    p->module_count--;
    memmove(&p->modules[at], &p->modules[at + 1],
            (p->module_count - at) * sizeof(p->modules[0]));
}

/* Is another module of this name there? File systems do not care for case. */
static bool has_name(const struct model_process *p, uint64_t base, str name)
{
    for (size_t i = 0; i < p->module_count; i++) {
        if (p->modules[i].base != base &&
            str_eq_nocase(p->modules[i].name, name)) {
            return true;
        }
    }
    return false;
}

bool model_module_add(struct model_process *p, uint64_t base, uint64_t size,
                      str name)
{
    size_t at = module_above(p, base);
    bool again = at > 0 && p->modules[at - 1].base == base &&
                 str_eq_nocase(p->modules[at - 1].name, name);
    bool second = again ? p->modules[at - 1].second : has_name(p, base, name);
    str kept = str_keep(str_slice(name, 0, NAME_MAX_BYTES));

    if (!kept.p || p->module_count >= MODULES_MOST ||
        !grow(&p->modules, &p->module_room, p->module_count,
              sizeof(p->modules[0]))) {
        str_drop(kept);
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
    p->modules[at] = (struct module){ base, size, kept, second };
    p->module_count++;
    return true;
}

void model_module_remove(struct model_process *p, uint64_t base)
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

struct place model_place_known(const struct model_process *p, uint64_t address)
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

struct place model_place(struct model_process *p, uint64_t address)
{
    const struct model_out *out = &p->model->out;
    struct place place = model_place_known(p, address);

    if (place.kind != PLACE_UNKNOWN) {
        return place;
    }
    if (out->describe && out->describe(out->ctx, p, address, &place)) {
        place.second =
            place.kind == PLACE_MODULE && has_name(p, place.base, place.name);
        return place;
    }
    return (struct place){ .kind = PLACE_UNKNOWN, .name = STR("") };
}
