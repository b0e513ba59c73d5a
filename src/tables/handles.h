/* SPDX-License-Identifier: MIT */
/*
 * handles.h - which calls make, copy and close handles, and what of.
 *
 * The rows are handles.def, by our own judgement from what the calls are
 * documented to do; names of types are those that NT itself gives them.
 * Parameters are named as in the rows of calls_*.def; "_" means none.
 * Everything is constant; nothing fails.
 */
#ifndef TABLES_HANDLES_H
#define TABLES_HANDLES_H

#include "base/str.h"
#include "tables/calls.h"

#include <stddef.h>
#include <stdint.h>

enum handle_does {
    /* Writes a new handle through `output`, or returns it ("return"). */
    HANDLE_MAKES,
    /* The same, of what the handle `from` refers to; closes `from` if bit 0
     * of `second` is set, whatever its result is. */
    HANDLE_COPIES,
    /* Closes the handle `from`. */
    HANDLE_CLOSES,
    /* Says more of the object of the handle `from`. */
    HANDLE_LEARNS,
    /* Writes new handles into what `from` points to, as `naming` says. */
    HANDLE_HANDS,
    /* Returns a handle that the program may have had before. */
    HANDLE_SHOWS,
};

/* Where the name of the object comes from. */
enum handle_naming {
    NAMING_NONE,        // it has none, or it can not be known
    NAMING_ATTRIBUTES,  // OBJECT_ATTRIBUTES `from`
    NAMING_FILE,        // the same; `second` are options of the open
    NAMING_PIPE,        // the same; without a name it is an anonymous pipe
    NAMING_SECTION,     // OBJECT_ATTRIBUTES `from`, else the file `second`
    NAMING_STRING,      // UNICODE_STRING `from`
    NAMING_HANDLE,      // as the object of the handle `from`
    NAMING_CLIENT,      // CLIENT_ID `from`; a thread's process is `second`
    NAMING_PROCESS,     // PS_ATTRIBUTE_LIST `from`, parameters `second`
    NAMING_THREAD,      // PS_ATTRIBUTE_LIST `from`, process `second`
    NAMING_IMAGE,       // a process made of the section `from`
    NAMING_RESERVE,     // none; the kind `from` tells the type
    NAMING_SOCKET,      // LEARNS: device control code `second`
    NAMING_PROCESS_ID,  // LEARNS: information class `second`
    NAMING_THREAD_ID,
    NAMING_RENAME,
    NAMING_OBJECT_NAME,
    NAMING_PORT,
    NAMING_COMPLETION,   // LEARNS: what a completion port gives out
    NAMING_COMPLETIONS,  // the same, several
    NAMING_DEBUG_EVENT,  // HANDS: DBGUI_WAIT_STATE_CHANGE
    NAMING_CREATE_INFO,  // HANDS: PS_CREATE_INFO, of the image in `second`
    NAMING_DEBUG_PORT,   // HANDS: what information class `second` asks for
    NAMING_LINKED_TOKEN,
};

struct handle_rule {
    const char *call;
    const char *type;  // of the object; "": none
    const char *output;
    const char *from;
    const char *second;
    const char *access;  // the access mask that is asked for
    uint8_t does;        // enum handle_does
    uint8_t naming;      // enum handle_naming
};

/* The first of the `*count` rules of this call, which stand together. */
const struct handle_rule *handle_rules(str call, size_t *count);

size_t handle_rule_count(void);
const struct handle_rule *handle_rule_at(size_t index);

/* Index of the parameter of this name, -1 if there is none such. */
int call_parameter(const struct call_facts *call, const char *name);

/* Bit i: parameter i takes a handle of NT's, which can be looked up. Handles
 * of windows, menus and drawing objects are none. */
uint32_t handle_parameters(const struct call_facts *call);

#endif
