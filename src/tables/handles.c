/* SPDX-License-Identifier: MIT */
/*
 * handles.c - which calls make, copy and close handles.
 *
 * Constant tables and searches in them; touches nothing, cannot fail.
 */
#include "tables/handles.h"

#include <string.h>

#include "base/banned.h"

/* clang-format off */
static const struct handle_rule rules[] = {
#define MAKES(call_, output_, type_, naming_, from_, second_, access_) \
    { #call_, type_, #output_, #from_, #second_, #access_, HANDLE_MAKES, \
      NAMING_##naming_ },
#define COPIES(call_, output_, from_, options_, access_) \
    { #call_, "", #output_, #from_, #options_, #access_, HANDLE_COPIES, \
      NAMING_HANDLE },
#define CLOSES(call_, from_) \
    { #call_, "", "_", #from_, "_", "_", HANDLE_CLOSES, NAMING_NONE },
#define LEARNS(call_, from_, naming_, second_) \
    { #call_, "", "_", #from_, #second_, "_", HANDLE_LEARNS, \
      NAMING_##naming_ },
#define HANDS(call_, from_, naming_, second_) \
    { #call_, "", "_", #from_, #second_, "_", HANDLE_HANDS, \
      NAMING_##naming_ },
#define SHOWS(call_, type_) \
    { #call_, type_, "return", "_", "_", "_", HANDLE_SHOWS, NAMING_NONE },
#define TAKES(call_, parameter_)
#include "tables/handles.def"
#undef MAKES
#undef COPIES
#undef CLOSES
#undef LEARNS
#undef HANDS
#undef SHOWS
#undef TAKES
};

static const struct {
    const char *call;
    const char *parameter;
} takes[] = {
#define MAKES(call_, output_, type_, naming_, from_, second_, access_)
#define COPIES(call_, output_, from_, options_, access_)
#define CLOSES(call_, from_)
#define LEARNS(call_, from_, naming_, second_)
#define HANDS(call_, from_, naming_, second_)
#define SHOWS(call_, type_)
#define TAKES(call_, parameter_) { #call_, #parameter_ },
#include "tables/handles.def"
#undef MAKES
#undef COPIES
#undef CLOSES
#undef LEARNS
#undef HANDS
#undef SHOWS
#undef TAKES
};
/* clang-format on */

const struct handle_rule *handle_rules(str call, size_t *count)
{
    size_t from = 0;
    size_t to = COUNT_OF(rules);

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (str_cmp_z(call, rules[mid].call) > 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    *count = 0;
    while (from + *count < COUNT_OF(rules) &&
           str_is(call, rules[from + *count].call)) {
        ++*count;
    }
    return &rules[*count > 0 ? from : 0];
}

size_t handle_rule_count(void)
{
    return COUNT_OF(rules);
}

const struct handle_rule *handle_rule_at(size_t index)
{
    return &rules[index];
}

int call_parameter(const struct call_facts *call, const char *name)
{
    for (int i = 0; i < call->arg_count; i++) {
        if (strcmp(call->args[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

uint32_t handle_parameters(const struct call_facts *call)
{
    str name = str_of(call->name);
    bool win32k =
        str_starts(name, STR("NtUser")) || str_starts(name, STR("NtGdi"));
    uint32_t mask = 0;

    for (uint32_t i = 0; i < call->arg_count; i++) {
        const struct type_row *type = call->args[i].type;

        if (type == &type_rows[TYPE_HDESK] ||
            type == &type_rows[TYPE_HWINSTA] ||
            (type == &type_rows[TYPE_HANDLE] && !win32k)) {
            mask |= 1u << i;
        }
    }
    for (size_t i = 0; win32k && i < COUNT_OF(takes); i++) {
        if (str_is(name, takes[i].call)) {
            int at = call_parameter(call, takes[i].parameter);

            mask |= at >= 0 ? 1u << at : 0;
        }
    }
    return mask;
}
