/* SPDX-License-Identifier: MIT */
/*
 * list.c - items of a list, held against the name of a call. Touches nothing.
 */
#include "filter/tests.h"

#include "base/glob.h"

#include "base/banned.h"

enum verdict list_item(const struct item *item, str name,
                       const struct call_facts *facts)
{
    str text = { item->text, item->size };
    bool holds = false;

    switch ((enum item_kind)item->kind) {
    case ITEM_ALL:
        return VERDICT_YES;
    case ITEM_NAME:
        holds = (item->nocase ? str_eq_nocase : str_eq)(text, name);
        break;
    case ITEM_GLOB:
        holds = name.size > 0 && glob_matches(text, name, item->nocase);
        break;
    case ITEM_REGEX:
        holds = name.size > 0 && regex_match(item->regex, name);
        break;
    case ITEM_CLASS:
        holds = name.size > 0 && class_has(item->class, facts, name);
        if (holds && item->object.units) {
            return VERDICT_OBJECT;
        }
        break;
    case ITEM_SUCCESSFUL:
    case ITEM_FAILED:
    case ITEM_PENDING:
    case ITEM_UNFINISHED:
    case ITEM_STATUS:
    case ITEM_NUMBER:
        break;
    }
    return holds ? VERDICT_YES : VERDICT_NO;
}

bool list_has_call(const struct list *l, str name,
                   const struct call_facts *facts)
{
    bool has = false;

    for (size_t i = 0; i < l->count && !has; i++) {
        has = list_item(&l->items[i], name, facts) != VERDICT_NO;
    }
    return has != l->negated;
}
