/* SPDX-License-Identifier: MIT */
/*
 * handles.h - what the handles of a traced process refer to, over time.
 *
 * Kept by watching the calls that make, copy and close handles (the rows of
 * tables/handles.def), in order of time, from what the agent copied of their
 * arguments; handles that were there before come from a query. What is not
 * known is not shown: a value that is closed, or used again, loses its name
 * at once. A close that races with another thread's open of the same value
 * takes away only the object that was there when it was entered.
 *
 * Objects are counted: whoever keeps one past the moment it was handed over
 * holds a reference. Memory is bounded by HANDLES_MAX a process; beyond it
 * new handles have no name.
 *
 * When records are lost, or a call is made that nobody can name, all that was
 * known is forgotten: one of them may have been a close.
 */
#ifndef MODEL_HANDLES_H
#define MODEL_HANDLES_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define HANDLES_MAX (1u << 18)
/* All objects of all processes together; beyond it new ones have no name. */
#define OBJECT_BYTES_MAX ((size_t)64 << 20)
/* And so much all tables of handles. */
#define SLOT_BYTES_MAX ((size_t)48 << 20)

/* What a handle refers to. It never changes: what is learned of it later is
 * another struct object. Strings are WTF-8 (surrogates as three bytes each)
 * and owned by the object. */
struct object {
    uint32_t references;
    bool access_known;
    uint32_t access;  // as asked for, or as the query told
    uint32_t pid;     // of a Process, of a Thread's; 0: neither, or not known
    str type;         // as NT calls it: "File", "Key", "Event", "Section" ...
    /* What is shown: "\??\C:\windows\win.ini", "\Registry\Machine\Software",
     * "1234 notepad.exe", "1234" (Process), "1234.1240", "1234.?" (Thread),
     * "TCP 127.0.0.1:80 peer 127.0.0.1:5000" (File of \Device\Afd), "pipe:[2]"
     * (both ends of the second anonymous pipe), "?\name" (below something
     * unknown). Empty: it has no name; show the type. */
    str name;
    /* For -P: the NT path of a file or key without \??\ in front, also of the
     * file behind a section. Empty: none. */
    str path;
};

struct handles;  // of one process

/* What `value` refers to now; NULL: not known. Borrowed: until the next event
 * is fed to the model. Pseudo-handles are the decoder's own business. */
const struct object *handles_find(const struct handles *h, uint64_t value);

/* The handle `value` was there at the start and refers to this; strings are
 * copied. Does not replace what is already known. False without memory. */
bool handles_add(struct handles *h, uint64_t value, str type, str name,
                 str path, bool access_known, uint32_t access);

#endif
