/* SPDX-License-Identifier: MIT */
/*
 * place.h - what an address in a traced process is part of.
 */
#ifndef MODEL_PLACE_H
#define MODEL_PLACE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum place_kind {
    PLACE_UNKNOWN,   // nobody could tell
    PLACE_MODULE,    // `name` + offset
    PLACE_PRIVATE,   // the process's own memory
    PLACE_MAPPED,    // a view of the file `name`, not as an image
    PLACE_UNMAPPED,  // nothing is there (any more)
};

struct place {
    enum place_kind kind;
    str name;  // MODULE, MAPPED; who filled it in says for how long it lasts
    uint64_t base;    // PRIVATE: of the allocation; UNMAPPED: of the page;
                      // MODULE: where it begins
    uint64_t offset;  // address - base, or - where module or view begins
    bool second;      // MODULE: others of this name were there before it
};

#endif
