/* SPDX-License-Identifier: MIT */
/*
 * file.c - directories, names and extended attributes of files.
 */
#include "decode/build.h"
#include "decode/families/families.h"
#include "decode/walk.h"
#include "tables/ioctls.h"

#include <string.h>

#include "base/banned.h"

/* --- Extended attributes ---------------------------------------------- */

/* One of a list; the socket that NtCreateFile is to open is one, too. */
static bool ea_tell(const struct tell *t, uint64_t address, uint64_t said)
{
    static const char afd[] = "AfdOpenPacketXX";
    uint32_t head = nt_offset(NT_FILE_FULL_EA_INFORMATION_EaName, t->width);
    uint16_t flags;
    uint16_t length;
    uint16_t size;
    char name[sizeof(afd)];
    uint64_t value;
    uint64_t room;

    if (said < head ||
        !tell_read16(t, address, NT_FILE_FULL_EA_INFORMATION_Flags, &flags) ||
        !tell_read16(t, address, NT_FILE_FULL_EA_INFORMATION_EaNameLength,
                     &length) ||
        !tell_read16(t, address, NT_FILE_FULL_EA_INFORMATION_EaValueLength,
                     &size)) {
        return false;
    }
    room = said - head;
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    if (flags) {
        tell_open(t, "Flags");
        tell_hex(t, flags);
    }
    tell_open(t, "EaName");
    tell_chars_in(t, address + head, length, room);
    tell_open(t, "EaValue");
    value = address + head + length + 1u;
    if (room <= length) {
        t->sink->ops->unknown(t->sink);
    } else {
        room -= length + 1u;
        if (length == sizeof(afd) - 1 && size >= 24 && room >= 24 &&
            memory_read(t->memory, address + head, name, length) == length &&
            memcmp(name, afd, length) == 0 && tell_there(t, value)) {
            walk_fields(t, ioctl_struct(STR("AFD_OPEN_PACKET")), NULL, value,
                        room);
        } else {
            tell_data_in(t, value, size, room);
        }
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

/* --- Rows ------------------------------------------------------------- */

#define DIRECTORY_BRIEF "EndOfFile FileAttributes FileName"
#define ENTRY(name_, brief_)                                             \
    {                                                                    \
        .name = STR_INIT(#name_), .tail = TAIL_NAME, .last = "FileName", \
        .length = "FileNameLength", .brief = brief_                      \
    }
#define IS_NAME(name_)                                                    \
    {                                                                     \
        .name = STR_INIT(#name_), .layout = "FILE_NAME_INFORMATION",      \
        .tail = TAIL_NAME, .last = "FileName", .length = "FileNameLength" \
    }

static const struct family_type types[] = {
    ENTRY(FILE_BOTH_DIR_INFORMATION, DIRECTORY_BRIEF),
    ENTRY(FILE_DIRECTORY_INFORMATION, DIRECTORY_BRIEF),
    TYPE_ENDS(FILE_FS_ATTRIBUTE_INFORMATION, NAME, FileSystemName,
              "FileSystemNameLength"),
    TYPE_ENDS(FILE_FS_LABEL_INFORMATION, NAME, VolumeLabel,
              "VolumeLabelLength"),
    TYPE_ENDS(FILE_FS_VOLUME_INFORMATION, NAME, VolumeLabel,
              "VolumeLabelLength"),
    ENTRY(FILE_FULL_DIR_INFORMATION, DIRECTORY_BRIEF),
    TYPE_TOLD(FILE_FULL_EA_INFORMATION, ea_tell),
    TYPE_ENDS(FILE_GET_EA_INFORMATION, CHARS, EaName, "EaNameLength"),
    ENTRY(FILE_ID_BOTH_DIR_INFORMATION, DIRECTORY_BRIEF),
    ENTRY(FILE_ID_EXTD_DIR_INFORMATION, DIRECTORY_BRIEF),
    ENTRY(FILE_ID_FULL_DIR_INFORMATION, DIRECTORY_BRIEF),
    ENTRY(FILE_LINK_INFORMATION, NULL),
    ENTRY(FILE_LINK_INFORMATION_EX, NULL),
    ENTRY(FILE_NAMES_INFORMATION, NULL),
    ENTRY(FILE_NAME_INFORMATION, NULL),
    IS_NAME(FILE_NETWORK_PHYSICAL_NAME_INFORMATION),
    ENTRY(FILE_NOTIFY_INFORMATION, NULL),
    TYPE_ENDS(FILE_PROCESS_IDS_USING_FILE_INFORMATION, ARRAY, ProcessIdList,
              "NumberOfProcessIdsInList"),
    ENTRY(FILE_RENAME_INFORMATION, NULL),
    ENTRY(FILE_RENAME_INFORMATION_EX, NULL),
    TYPE_ENDS(FILE_STREAM_INFORMATION, NAME, StreamName, "StreamNameLength"),
    IS_NAME(FILE_VOLUME_NAME_INFORMATION),
};

#define BUFFER(call_, name_, for_names_, length_, written_, of_)             \
    PARAM_OF_CALL(call_, name_, .for_names = for_names_, .tell = walk_param, \
                  .build = build_param, .length = length_,                   \
                  .written = written_, .of = of_)

static const struct family_param params[] = {
    /* A socket gets its name by how it is made. */
    BUFFER("NtCreateFile", "EaBuffer", true, "EaLength", "",
           "FILE_FULL_EA_INFORMATION"),
    BUFFER("NtNotifyChangeDirectoryFile", "Buffer", false, "Length", NULL,
           "FILE_NOTIFY_INFORMATION"),
    BUFFER("NtQueryEaFile", "Buffer", false, "Length", NULL,
           "FILE_FULL_EA_INFORMATION"),
    BUFFER("NtQueryEaFile", "EaList", false, "EaListLength", "",
           "FILE_GET_EA_INFORMATION"),
    BUFFER("NtSetEaFile", "Buffer", false, "Length", "",
           "FILE_FULL_EA_INFORMATION"),
};

const struct family family_file = {
    .name = "file",
    .types = types,
    .type_count = COUNT_OF(types),
    .params = params,
    .param_count = COUNT_OF(params),
};
