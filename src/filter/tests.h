/* SPDX-License-Identifier: MIT */
/*
 * tests.h - what the files of the filter share, and nobody else includes.
 *
 *   parse.c    an expression to lists of items
 *   list.c     items held against the name of a call
 *   rule.c     inject= and fault= to a rule
 *   filter.c   life cycle; lists of items held against a call
 *   known.c, path.c, regex.c   know nothing of filters
 */
#ifndef FILTER_TESTS_H
#define FILTER_TESTS_H

#include "base/err.h"
#include "base/str.h"
#include "filter/path.h"
#include "filter/regex.h"
#include "filter/rule.h"
#include "tables/classes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum item_kind {
    ITEM_ALL,
    /* trace=, process= */
    ITEM_GLOB,
    /* trace= */
    ITEM_NAME,
    ITEM_REGEX,
    ITEM_CLASS,
    /* status= */
    ITEM_SUCCESSFUL,
    ITEM_FAILED,
    ITEM_PENDING,
    ITEM_UNFINISHED,
    ITEM_STATUS,  // an NTSTATUS, by its name
    /* status=, tid=, read=, write=; transition=: enum transition */
    ITEM_NUMBER,
};

struct item {
    uint8_t kind;  // enum item_kind
    bool nocase;   // NAME, GLOB
    bool minus;    // NUMBER: was written with a -; `number` is negated
    char *text;    // NAME, GLOB: `size` bytes, owned
    size_t size;
    struct regex *regex;            // owned
    const struct class_row *class;  // constant
    struct path_pattern object;     // of a class that is about one
    uint64_t number;
};

/* One suffices; or, negated, none must hold. */
struct list {
    bool said;  // else nobody asked, and everything holds
    bool negated;
    struct item *items;  // owned
    size_t count;
};

enum how_test {
    HOW_ANY,
    HOW_PAST_STUBS,  // direct
    HOW_BY_STUBS,    // !direct
};

enum verdict {
    VERDICT_NO,
    VERDICT_YES,
    VERDICT_OBJECT,  // the object of the call decides
};

enum test_kind {
    TEST_TRACE,
    TEST_STATUS,
    TEST_TID,
    TEST_READ,
    TEST_WRITE,
    TEST_DIRECT,
    TEST_RAW,
    TEST_TRANSITION,
    TEST_PROCESS,
    TEST_INJECT,
    TEST_FAULT,
};

/* An expression, parsed. */
struct parsed {
    uint8_t kind;  // enum test_kind
    bool added;    // trace=+LIST
    bool negated;  // TEST_DIRECT
    struct list list;
    size_t rule_at;  // TEST_INJECT, TEST_FAULT: where the rule begins
};

/* On success the caller owns out->list. Of a rule only `rule_at` is found.
 * `room` is for names of objects. */
bool parse_expression(str expression, const struct call_set *own,
                      struct path_room *room, struct parsed *out,
                      struct err *e);
void list_close(struct list *l);
/* The same of bytes [from, to) of `expression`, which are a LIST as in trace=;
 * errors show all of it. */
bool parse_calls(str expression, const struct call_set *own, size_t from,
                 size_t to, struct path_room *room, struct list *out,
                 struct err *e);
/* What the name of a call says of an item of trace=; `facts` may be NULL. */
enum verdict list_item(const struct item *item, str name,
                       const struct call_facts *facts);
/* True if the list, as of trace=, has the call, whatever its object. */
bool list_has_call(const struct list *l, str name,
                   const struct call_facts *facts);

/* The rule of an inject= or fault= whose calls begin at `from`; NULL: *e says
 * why there is none. */
struct rule *rule_parse(str expression, const struct call_set *own, size_t from,
                        bool fault, struct path_room *room, struct err *e);
void rule_close(struct rule *r);  // NULL is fine

/* Fills *e: the printf sentence, `shown` behind four blanks, and a caret under
 * its byte `at`. Returns false. */
PRINTF_LIKE(5, 6)
bool parse_error(struct err *e, enum err_code code, str shown, size_t at,
                 const char *fmt, ...);

#endif
