/* SPDX-License-Identifier: MIT */
/*
 * family.h - what types alone do not say, family by family: which structure
 * is told and copied how, and which parameter.
 *
 * A family is two tables of rows, in a file of its own in families/; all of
 * them are listed in registry.c, and nowhere else. Who walks structures or
 * builds programs is handed the registry, and finds a family's functions in
 * its rows.
 *
 * A function that tells returns false when it knows nothing better than the
 * type does, and has then told nothing. `said` is how many bytes the target
 * says are there, TELL_ANY if it does not say; what really is there is the
 * memory's to tell. No number from the target is added to before it is held
 * against `said`.
 */
#ifndef DECODE_FAMILY_H
#define DECODE_FAMILY_H

#include "base/compiler.h"
#include "base/str.h"
#include "decode/shape.h"
#include "tables/calls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct build;
struct build_at;
struct tell;

/* --- Structures ------------------------------------------------------- */

/* What a structure ends in. */
enum family_tail {
    TAIL_NONE,
    TAIL_NAME,   // UTF-16 of as many bytes as another field says: a name
    TAIL_CHARS,  // bytes that are a name
    TAIL_DATA,   // bytes that are data
    TAIL_REST,   // bytes that are data, up to what is said to be there
    TAIL_ARRAY,  // as many elements as another field says
};

struct family_type {
    str name;
    uint8_t tail;        // enum family_tail
    const char *layout;  // structure of tables/ that it is; NULL: `name`
    const char *last;    // field that is the tail
    const char *length;  // field that says how long it is
    const char *brief;   // fields shown without -v; NULL: all
    /* Instead of the fields; NULL: they are told. */
    bool (*tell)(const struct tell *t, uint64_t address, uint64_t said);
    /* What to copy beyond it; NULL: the tail. Returns the piece. */
    int (*build)(struct build *b, struct build_at at);
    /* Type of pointers to it, if nothing but itself says how large it is;
     * NULL: sizes are known. */
    const char *pointer;
    uint32_t most;  // bytes of the largest; 0: not known
};

#define TYPE_PLAIN(name_)        \
    {                            \
        .name = STR_INIT(#name_) \
    }
#define TYPE_BRIEF(name_, brief_)                 \
    {                                             \
        .name = STR_INIT(#name_), .brief = brief_ \
    }
#define TYPE_ENDS(name_, tail_, last_, length_)                         \
    {                                                                   \
        .name = STR_INIT(#name_), .tail = TAIL_##tail_, .last = #last_, \
        .length = length_                                               \
    }
#define TYPE_TOLD(name_, tell_)                 \
    {                                           \
        .name = STR_INIT(#name_), .tell = tell_ \
    }
#define TYPE_BUILT(name_, tell_, build_)                         \
    {                                                            \
        .name = STR_INIT(#name_), .tell = tell_, .build = build_ \
    }

/* --- Parameters ------------------------------------------------------- */

/* A parameter belongs to the row whose type it has; or whose category its call
 * is of, or whose call it is, and whose name it has. No two rows have the
 * same. */
struct family_param {
    const char *type;  // "PSID"; NULL: goes by the others
    uint8_t category;  // enum call_category; CATEGORY_COUNT: by `call`
    const char *call;
    const char *name;
    bool for_names;  // copied even if only handles' names and paths are wanted
    /* What argument `i` points to, without the brackets of an output; before
     * its type is looked at. */
    bool (*tell)(const struct tell *t, const struct family_param *row,
                 uint32_t i, uint64_t address);
    /* An argument that is no pointer. */
    bool (*value)(const struct tell *t, const struct family_param *row,
                  uint32_t i, uint64_t value);
    /* Copies what it points to. False: the type is to say what. */
    bool (*build)(struct build *b, const struct family_param *row, uint32_t i);
    /* Buffers, of walk_param and build_param: */
    const char *length;   // parameter that says how large it is
    const char *written;  // points to how much was; "": nothing does; NULL:
                          // the IO_STATUS_BLOCK says it
    const char *of;       // structure
};

#define PARAM_OF_TYPE(type_, ...)                              \
    {                                                          \
        .category = CATEGORY_COUNT, .type = type_, __VA_ARGS__ \
    }
#define PARAM_OF(category_, name_, ...)                              \
    {                                                                \
        .category = CATEGORY_##category_, .name = name_, __VA_ARGS__ \
    }
#define PARAM_OF_CALL(call_, name_, ...)                                      \
    {                                                                         \
        .category = CATEGORY_COUNT, .call = call_, .name = name_, __VA_ARGS__ \
    }

/* --- Families --------------------------------------------------------- */

struct family {
    const char *name;
    const struct family_type *types;  // by name, ascending
    size_t type_count;
    const struct family_param *params;
    size_t param_count;
};

struct registry {
    const struct family *const *families;
    size_t count;
};

/* NULL: nothing is special about it. */
const struct family_type *family_type_of(const struct registry *r, str name);
/* The structure that a pointer of type `type` leads to, if only itself says
 * how large it is; NULL. */
const struct family_type *family_pointed(const struct registry *r, str type);
/* Fills in `param` of the arguments. */
void family_params(const struct registry *r, struct shape *shape);

#endif
