/* SPDX-License-Identifier: MIT */
/*
 * object.c - of the object manager and of the system: directories, handles,
 * atoms, tables.
 */
#include "decode/build.h"
#include "decode/families/families.h"
#include "decode/walk.h"

#include "base/banned.h"

/* --- Directories ------------------------------------------------------ */

/* Names and types, until one without a name. */
static bool objects_tell(const struct tell *t, const struct family_param *row,
                         uint32_t i, uint64_t address)
{
    uint64_t said = tell_said(t, row->length, row->written);
    uint32_t size = nt_size(NT_OBJECT_DIRECTORY_INFORMATION, t->width);

    (void)i;
    if (said == 0 || !tell_there(t, address)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t k = 0; said - size * k >= size; k++) {
        uint64_t at = address + size * k;
        struct nt_string name;

        if (!nt_string_read(t->memory, t->width, at, &name)) {
            t->sink->ops->more(t->sink);
            break;
        }
        if (name.buffer == 0) {
            break;
        }
        if (tell_more(t, k)) {
            t->sink->ops->more(t->sink);
            break;
        }
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        tell_open(t, "Name");
        tell_unicode_string(t, at);
        tell_open(t, "TypeName");
        tell_unicode_string(
            t, tell_at(t, at, NT_OBJECT_DIRECTORY_INFORMATION_TypeName));
        t->sink->ops->end(t->sink, GROUP_STRUCT);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
    return true;
}

/* --- Rows ------------------------------------------------------------- */

static const struct family_type types[] = {
    TYPE_ENDS(ATOM_BASIC_INFORMATION, NAME, Name, "NameLength"),
    TYPE_ENDS(SYSTEM_FIRMWARE_TABLE_INFORMATION, DATA, TableBuffer,
              "TableBufferLength"),
    { .name = STR_INIT("SYSTEM_HANDLE_INFORMATION_EX"),
      .tail = TAIL_ARRAY,
      .last = "Handles",
      .length = "NumberOfHandles",
      .brief = "NumberOfHandles Handles" },
};

static const struct family_param params[] = {
    PARAM_OF_CALL("NtQueryDirectoryObject", "Buffer", .tell = objects_tell,
                  .build = build_param, .length = "Length",
                  .written = "ReturnLength",
                  .of = "OBJECT_DIRECTORY_INFORMATION"),
};

const struct family family_object = {
    .name = "object",
    .types = types,
    .type_count = COUNT_OF(types),
    .params = params,
    .param_count = COUNT_OF(params),
};
