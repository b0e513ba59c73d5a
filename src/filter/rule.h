/* SPDX-License-Identifier: MIT */
/*
 * rule.h - how calls are to be changed: -e inject= and -e fault=, as rules.
 *
 *   inject=SET[:KEY[=VALUE]]...    SET as in trace=. Keys, in any order:
 *     status=S       the call says so: an NTSTATUS by name or number
 *     retval=V       ... a number; for calls whose result is no NTSTATUS
 *     after          the call is made first; without it it is not made at all
 *     delay_enter=T  the thread waits so long before the call
 *     delay_exit=T   ... and after it; microseconds, or with ns, us, ms, s
 *     when=F[..L][+[S]]   of the calls that it is about the F-th, up to the
 *                    L-th, every S-th; F alone is that one, F+ all from it on
 *     arg=P&FLAGS    only calls whose parameter P has all these bits
 *     arg=P=VALUE    ... is this
 *     path=GLOB      ... that are about such a file or key
 *     caller=MODULE  ... that come from this module: of their callers the first
 *                    that is not ntdll, win32u, kernelbase or kernel32
 *   fault=SET[:...]  inject= with status=STATUS_NOT_IMPLEMENTED, or what says
 *                    that a call without NTSTATUS has failed
 *
 * A : separates only in front of a key; a value may be in double quotes. There
 * is at least one of status, retval, delay_enter, delay_exit.
 *
 * A call that is named has to be one that the rule can change; of what is named
 * by a class, a glob or a regular expression, others are left alone. Several
 * rules may be about one call: each counts the calls that meet its conditions,
 * and the first that names the number of a call applies.
 */
#ifndef FILTER_RULE_H
#define FILTER_RULE_H

#include "base/str.h"
#include "tables/calls.h"

#include <stdbool.h>
#include <stdint.h>

#define RULES_MOST 64

/* No rule waits for longer. */
#define RULE_DELAY_MOST_NS (UINT64_C(3600) * 1000000000)

enum rule_result {
    RESULT_AS_IS,
    RESULT_STATUS,
    RESULT_VALUE,
    RESULT_FAULT,  // what says that the call has failed
};

struct rule {
    struct list *calls;  // owned
    char *text;          // as it was written; owned, as all texts here
    uint8_t kind;        // enum rule_result
    bool after;
    uint64_t result;       // of STATUS and VALUE
    uint64_t delay_enter;  // ns; 0: none
    uint64_t delay_exit;
    uint64_t first;  // when=
    uint64_t last;
    uint64_t step;
    char *parameter;   // arg=; NULL: none
    bool bits;         // ... has all bits of `value`; else is it
    char *value;       // as it was written
    uint16_t *glob;    // path=, as names are compared (path.h); NULL: none
    size_t glob_size;  // units
    char *caller;      // NULL: none
};

/* What a rule does about one call. */
struct rule_use {
    bool replaces;     // it is not made, and says `result`
    bool changes;      // it is made, and says `result` then
    bool not_self;     // not if its first argument is a pseudo-handle
    bool asks;         // it is to be looked at what the call is about
    uint8_t argument;  // that a condition is about ...
    uint64_t mask;     // ... 0: there is none
    uint64_t value;
    uint64_t result;
};

/* True if the rule is about the call `name`, and can change it; `facts` may be
 * NULL. */
bool rule_use(const struct rule *r, str name, const struct call_facts *facts,
              struct rule_use *out);

#endif
