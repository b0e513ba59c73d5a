/* SPDX-License-Identifier: MIT */
/*
 * choice.h - which value the coverage target passes for a parameter, so that
 * its checker can tell what the trace must say. All of it follows from the
 * rows of src/tables; nothing is random.
 */
#ifndef COVERAGE_CHOICE_H
#define COVERAGE_CHOICE_H

#include "tables/calls.h"
#include "tables/names.h"

#include <stdbool.h>
#include <string.h>

/* No process has such a handle: it would be the 268,000,000th. */
#define COVERAGE_HANDLE 0x3ffffff4u
/* The name that goes wherever one is asked for. Nothing has it. */
#define COVERAGE_NAME "\\ntstrace-coverage\\nothing"
/* Bytes, and elements, of every buffer. */
#define COVERAGE_BYTES 64
#define COVERAGE_ELEMENTS 1

struct coverage_exclusion {
    const char *call;
    const char *why;
};

static const struct coverage_exclusion coverage_excluded[] = {
#define EXCLUDED(call_, why_) { #call_, why_ },
#include "coverage/excluded.def"
#undef EXCLUDED
};

struct coverage_choice {
    const char *call;
    const char *parameter;
    uint64_t value;
};

static const struct coverage_choice coverage_chosen[] = {
#define EXCLUDED(call_, why_)
#define CHOSEN(call_, parameter_, value_) { #call_, #parameter_, value_ },
#include "coverage/chosen.def"
#undef CHOSEN
};

static inline const char *coverage_why_not(const char *call)
{
    for (size_t i = 0; i < COUNT_OF(coverage_excluded); i++) {
        if (strcmp(coverage_excluded[i].call, call) == 0) {
            return coverage_excluded[i].why;
        }
    }
    return NULL;
}

static inline const struct name_set *coverage_set(const struct call_facts *call,
                                                  uint32_t i)
{
    return names_of_parameter(str_of(call->name), str_of(call->args[i].name));
}

/* The set has a value, and it is passed as the parameter itself. */
static inline bool coverage_by_value(const struct call_facts *call, uint32_t i)
{
    enum type_class class = call->args[i].type->class;

    return class != CLASS_PTR && class != CLASS_STRUCT;
}

/* True if some buffer of the call has its size from parameter `i`; *elements:
 * as a count. */
static inline bool coverage_is_size(const struct call_facts *call, uint32_t i,
                                    bool *elements)
{
    str name = str_of(call->args[i].name);

    for (uint32_t k = 0; k < call->arg_count; k++) {
        str size = str_of(call->args[k].size);
        str head;
        str tail;

        (void)str_cut(size, ',', &head, &tail);
        *elements = str_starts(head, STR("["));
        if (*elements) {
            head = str_slice(head, 1, head.size - (tail.size == 0));
        }
        if (str_starts(head, STR("*"))) {
            head = str_slice(head, 1, head.size);
        }
        if (str_ends(head, STR("]"))) {
            head = str_slice(head, 0, head.size - 1);
        }
        if (size.size != 0 && str_eq(head, name)) {
            return true;
        }
    }
    *elements = false;
    return false;
}

/* What is passed for parameter `i` if it is no pointer, and lies in what it
 * points to if it is one. */
static inline uint64_t coverage_value(const struct call_facts *call, uint32_t i)
{
    const struct name_set *set = coverage_set(call, i);
    uint32_t size = call->args[i].type->size;
    bool elements;

    for (size_t k = 0; k < COUNT_OF(coverage_chosen); k++) {
        if (strcmp(coverage_chosen[k].call, call->name) == 0 &&
            strcmp(coverage_chosen[k].parameter, call->args[i].name) == 0) {
            return coverage_chosen[k].value;
        }
    }
    if (coverage_is_size(call, i, &elements)) {
        return elements ? COVERAGE_ELEMENTS : COVERAGE_BYTES;
    }
    if (call->args[i].type->class == CLASS_HANDLE) {
        return COVERAGE_HANDLE;
    }
    if (set) {
        uint64_t value = set->rows[0].value;

        return size < 8 ? value & ((1ull << size * 8) - 1) : value;
    }
    return 0;
}

#endif
