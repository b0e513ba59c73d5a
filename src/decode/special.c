/* SPDX-License-Identifier: MIT */
/*
 * special.c - who tells, and who has copied, what types alone do not say.
 *
 * Structures are found by name in one sorted table, calls by their category
 * first, so that the many calls nothing is special about cost next to
 * nothing. It touches nothing and cannot fail: what nobody knows is told by
 * its type.
 */
#include "decode/special.h"

#include <string.h>

#include "base/banned.h"

/* --- Structures ------------------------------------------------------- */

#define CREATE_BRIEF                                            \
    "State InitState.InitFlags InitState.AdditionalFileAccess " \
    "FailSection.FileHandle ExeFormat.DllCharacteristics "      \
    "ExeName.IFEOKey SuccessState.OutputFlags "                 \
    "SuccessState.FileHandle SuccessState.SectionHandle "       \
    "SuccessState.PebAddressNative"
#define DIRECTORY_BRIEF "EndOfFile FileAttributes FileName"
#define IMAGE_BRIEF "TransferAddress MaximumStackSize SubSystemType Machine"
#define PROCESS_BRIEF \
    "ImageName UniqueProcessId InheritedFromUniqueProcessId NumberOfThreads"

/* clang-format off */
#define PLAIN(name_)                                                        \
    { .name = STR_INIT(#name_) }
#define BRIEF(name_, brief_)                                                \
    { .name = STR_INIT(#name_), .brief = brief_ }
#define ENDS(name_, tail_, last_, length_)                                  \
    { .name = STR_INIT(#name_), .tail = TAIL_##tail_, .last = #last_,       \
      .length = length_ }
#define ENDS_AS(name_, layout_, tail_, last_, length_)                      \
    { .name = STR_INIT(#name_), .layout = #layout_, .tail = TAIL_##tail_,   \
      .last = #last_, .length = length_ }
#define ENTRY_OF(name_, brief_)                                             \
    { .name = STR_INIT(#name_), .tail = TAIL_NAME, .last = "FileName",      \
      .length = "FileNameLength", .brief = brief_ }
#define TOLD(name_, tell_)                                                  \
    { .name = STR_INIT(#name_), .tell = special_##tell_##_tell }
#define BUILT(name_, tell_)                                                 \
    { .name = STR_INIT(#name_), .tell = special_##tell_##_tell,             \
      .build = special_##tell_##_build }

static const struct special_type types[] = {
    BUILT(ACL, acl),
    ENDS(AFD_POLL_INFO, ARRAY, Handles, "NumberOfHandles"),
    ENDS(ATOM_BASIC_INFORMATION, NAME, Name, "NameLength"),
    TOLD(EXCEPTION_RECORD, exception),
    ENTRY_OF(FILE_BOTH_DIR_INFORMATION, DIRECTORY_BRIEF),
    ENTRY_OF(FILE_DIRECTORY_INFORMATION, DIRECTORY_BRIEF),
    ENDS(FILE_FS_ATTRIBUTE_INFORMATION, NAME, FileSystemName,
         "FileSystemNameLength"),
    ENDS(FILE_FS_LABEL_INFORMATION, NAME, VolumeLabel, "VolumeLabelLength"),
    ENDS(FILE_FS_VOLUME_INFORMATION, NAME, VolumeLabel, "VolumeLabelLength"),
    ENTRY_OF(FILE_FULL_DIR_INFORMATION, DIRECTORY_BRIEF),
    TOLD(FILE_FULL_EA_INFORMATION, ea),
    ENDS(FILE_GET_EA_INFORMATION, CHARS, EaName, "EaNameLength"),
    ENTRY_OF(FILE_ID_BOTH_DIR_INFORMATION, DIRECTORY_BRIEF),
    ENTRY_OF(FILE_ID_EXTD_DIR_INFORMATION, DIRECTORY_BRIEF),
    ENTRY_OF(FILE_ID_FULL_DIR_INFORMATION, DIRECTORY_BRIEF),
    ENTRY_OF(FILE_LINK_INFORMATION, NULL),
    ENTRY_OF(FILE_LINK_INFORMATION_EX, NULL),
    ENTRY_OF(FILE_NAMES_INFORMATION, NULL),
    ENTRY_OF(FILE_NAME_INFORMATION, NULL),
    ENDS_AS(FILE_NETWORK_PHYSICAL_NAME_INFORMATION, FILE_NAME_INFORMATION,
            NAME, FileName, "FileNameLength"),
    ENTRY_OF(FILE_NOTIFY_INFORMATION, NULL),
    BRIEF(FILE_OBJECTID_BUFFER, "ObjectId"),
    ENDS(FILE_PIPE_PEEK_BUFFER, REST, Data, NULL),
    ENDS(FILE_PIPE_WAIT_FOR_BUFFER, NAME, Name, "NameLength"),
    ENDS(FILE_PROCESS_IDS_USING_FILE_INFORMATION, ARRAY, ProcessIdList,
         "NumberOfProcessIdsInList"),
    ENTRY_OF(FILE_RENAME_INFORMATION, NULL),
    ENTRY_OF(FILE_RENAME_INFORMATION_EX, NULL),
    ENDS(FILE_STREAM_INFORMATION, NAME, StreamName, "StreamNameLength"),
    ENDS_AS(FILE_VOLUME_NAME_INFORMATION, FILE_NAME_INFORMATION, NAME,
            FileName, "FileNameLength"),
    ENDS(KEY_BASIC_INFORMATION, NAME, Name, "NameLength"),
    ENDS(KEY_FULL_INFORMATION, NAME, Class, "ClassLength"),
    ENDS(KEY_NAME_INFORMATION, NAME, Name, "NameLength"),
    ENDS(KEY_NODE_INFORMATION, NAME, Name, "NameLength"),
    TOLD(KEY_VALUE_BASIC_INFORMATION, value_basic),
    TOLD(KEY_VALUE_FULL_INFORMATION, value_full),
    TOLD(KEY_VALUE_PARTIAL_INFORMATION, value_partial),
    BUILT(LARGE_STRING, large_string),
    BUILT(LARGE_STRING_X, large_string),
    PLAIN(LUID_AND_ATTRIBUTES),
    BUILT(MENUITEMINFOW, menu_item),
    ENDS(MOUNTDEV_NAME, NAME, Name, "NameLength"),
    TOLD(MSG, msg),
    BRIEF(PAINTSTRUCT, "hdc fErase rcPaint"),
    BUILT(PORT_MESSAGE, message),
    ENDS(PRIVILEGE_SET, ARRAY, Privilege, "PrivilegeCount"),
    BUILT(PS_ATTRIBUTE_LIST, attributes),
    BRIEF(PS_CREATE_INFO, CREATE_BRIEF),
    TOLD(REPARSE_DATA_BUFFER, reparse),
    BUILT(RTL_USER_PROCESS_PARAMETERS, parameters),
    BRIEF(SECTION_IMAGE_INFORMATION, IMAGE_BRIEF),
    BUILT(SECURITY_DESCRIPTOR, descriptor),
    BUILT(SECURITY_DESCRIPTOR_RELATIVE, descriptor),
    { .name = STR_INIT("SE_TOKEN_USER"), .layout = "TOKEN_USER" },
    BUILT(SID, sid),
    PLAIN(SID_AND_ATTRIBUTES),
    { .name = STR_INIT("STORAGE_PROPERTY_QUERY"), .tail = TAIL_REST,
      .last = "AdditionalParameters", .brief = "PropertyId QueryType" },
    ENDS(SYSTEM_FIRMWARE_TABLE_INFORMATION, DATA, TableBuffer,
         "TableBufferLength"),
    { .name = STR_INIT("SYSTEM_HANDLE_INFORMATION_EX"), .tail = TAIL_ARRAY,
      .last = "Handles", .length = "NumberOfHandles",
      .brief = "NumberOfHandles Handles" },
    { .name = STR_INIT("SYSTEM_PROCESS_INFORMATION"), .tail = TAIL_ARRAY,
      .last = "Threads", .length = "NumberOfThreads", .brief = PROCESS_BRIEF },
    { .name = STR_INIT("TOKEN_APPCONTAINER_INFORMATION"),
      .layout = "TOKEN_OWNER" },
    PLAIN(TOKEN_DEFAULT_DACL),
    ENDS(TOKEN_GROUPS, ARRAY, Groups, "GroupCount"),
    PLAIN(TOKEN_MANDATORY_LABEL),
    PLAIN(TOKEN_OWNER),
    PLAIN(TOKEN_PRIMARY_GROUP),
    ENDS(TOKEN_PRIVILEGES, ARRAY, Privileges, "PrivilegeCount"),
    PLAIN(TOKEN_USER),
    BUILT(WNDCLASSEXW, class),
    BUILT(tagMENUITEMINFOW, menu_item),
    TOLD(tagMSG, msg),
    BUILT(tagWNDCLASSEXW, class),
};
/* clang-format on */

const struct special_type *special_type_of(str name)
{
    size_t low = 0;
    size_t high = COUNT_OF(types);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(types[middle].name, name);

        if (order == 0) {
            return &types[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

size_t special_type_count(void)
{
    return COUNT_OF(types);
}

const struct special_type *special_type_at(size_t index)
{
    return index < COUNT_OF(types) ? &types[index] : NULL;
}

/* --- Calls ------------------------------------------------------------ */

bool special_is(const struct call_facts *call, const char *name)
{
    return strcmp(call->name, name) == 0;
}

bool special_arg_is(const struct call_facts *call, uint32_t i, const char *name)
{
    return i < call->arg_count && strcmp(call->args[i].name, name) == 0;
}

/* Buffers whose type no information class tells, and no parameter's type. */
static const struct {
    const char *call;
    const char *parameter;
    const char *length;
    const char *written;  // NULL: by the IO_STATUS_BLOCK
    const char *type;
} buffers[] = {
    { "NtCreateFile", "EaBuffer", "EaLength", "", "FILE_FULL_EA_INFORMATION" },
    { "NtNotifyChangeDirectoryFile", "Buffer", "Length", NULL,
      "FILE_NOTIFY_INFORMATION" },
    { "NtQueryDirectoryObject", "Buffer", "Length", "ReturnLength",
      "OBJECT_DIRECTORY_INFORMATION" },
    { "NtQueryEaFile", "Buffer", "Length", NULL, "FILE_FULL_EA_INFORMATION" },
    { "NtQueryEaFile", "EaList", "EaListLength", "",
      "FILE_GET_EA_INFORMATION" },
    { "NtSetEaFile", "Buffer", "Length", "", "FILE_FULL_EA_INFORMATION" },
};

#define BUFFER_NONE COUNT_OF(buffers)
#define BUFFER_BYTES 4096u

static size_t buffer_of(const struct call_facts *call, uint32_t i)
{
    if (!call->args[i].size || (call->category != CATEGORY_FILE &&
                                call->category != CATEGORY_OBJECT)) {
        return BUFFER_NONE;
    }
    for (size_t k = 0; k < BUFFER_NONE; k++) {
        if (special_arg_is(call, i, buffers[k].parameter) &&
            special_is(call, buffers[k].call)) {
            return k;
        }
    }
    return BUFFER_NONE;
}

/* Names and types, until one without a name. */
static bool tell_objects(const struct tell *t, uint64_t address, uint64_t said)
{
    uint32_t size = nt_size(NT_OBJECT_DIRECTORY_INFORMATION, t->width);

    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t i = 0; said - size * i >= size; i++) {
        uint64_t at = address + size * i;
        struct nt_string name;

        if (!nt_string_read(t->memory, t->width, at, &name)) {
            t->sink->ops->more(t->sink);
            break;
        }
        if (name.buffer == 0) {
            break;
        }
        if (special_more(t, i)) {
            t->sink->ops->more(t->sink);
            break;
        }
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        special_open(t, "Name");
        tell_unicode_string(t, at);
        special_open(t, "TypeName");
        tell_unicode_string(
            t, tell_at(t, at, NT_OBJECT_DIRECTORY_INFORMATION_TypeName));
        t->sink->ops->end(t->sink, GROUP_STRUCT);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
    return true;
}

static bool tell_buffer(const struct tell *t, size_t k, uint64_t address)
{
    uint64_t said = special_said(t, buffers[k].length, buffers[k].written);

    if (said == 0 || !special_there(t, address)) {
        return false;
    }
    if (strcmp(buffers[k].type, "OBJECT_DIRECTORY_INFORMATION") == 0) {
        return tell_objects(t, address, said);
    }
    return special_tell_struct(t, str_of(buffers[k].type), address, said);
}

bool special_tell_pointee(const struct tell *t, const struct call_facts *call,
                          uint32_t i, uint64_t address)
{
    size_t k;

    switch (call->args[i].type) {
    case TYPE_PSID:
    case TYPE_PSECURITY_DESCRIPTOR:
        return special_security_tell(t, call, i, address);
    case TYPE_PPORT_MESSAGE:
        return special_there(t, address) &&
               special_message_tell(t, address, SPECIAL_ANY);
    default:
        break;
    }
    if (call->category == CATEGORY_REGISTRY) {
        return special_registry_tell(t, call, i, address);
    }
    if (call->category == CATEGORY_IO) {
        return special_io_tell(t, call, i, address);
    }
    if (call->category == CATEGORY_CLASS) {
        return special_class_name_tell(t, call, i, address);
    }
    if (call->category == CATEGORY_DESKTOP) {
        return special_desktop_tell(t, call, i, address);
    }
    k = buffer_of(call, i);
    return k != BUFFER_NONE && tell_buffer(t, k, address);
}

bool special_tell_value(const struct tell *t, const struct call_facts *call,
                        uint32_t i, uint64_t value)
{
    if (call->category == CATEGORY_IO) {
        return special_io_code(t, call, i, value);
    }
    if (call->category == CATEGORY_MESSAGE) {
        return special_win32k_value(t, call, i, value);
    }
    if (call->category == CATEGORY_WINDOW) {
        return special_window_value(t, call, i, value);
    }
    return false;
}

/* --- Building --------------------------------------------------------- */

static bool build_buffer(struct build *b, uint32_t i, size_t k)
{
    int length = build_arg(b, buffers[k].length);
    int status = build_arg(b, "IoStatusBlock");
    struct capture_op op;
    int block;

    if (length < 0) {
        return false;
    }
    op = special_op_arg(
        special_at_arg((int)i, b->at_return ? CAPTURE_FILLED : CAPTURE_ALWAYS),
        length, 1);
    op.most = BUFFER_BYTES;
    if (b->at_return && !buffers[k].written && status >= 0) {
        block =
            build_op(b, special_op(special_at_arg(status, CAPTURE_FILLED), 16));
        if (block != BUILD_FULL) {
            op.limit.unit = CAPTURE_FIELD64;
            op.limit.from = (uint8_t)(CAPTURE_PIECE + block);
            op.limit.offset = 8;
            op.limit.scale = 1;
        }
    }
    (void)build_op(b, op);
    return true;
}

/* The outputs that hang off an input are copied along with an output that
 * the call has in any case. */
static void build_late(struct build *b, uint32_t i)
{
    int list;

    if (special_arg_is(b->call, i, "ThreadHandle") && b->at_return) {
        list = build_arg(b, "AttributeList");
        if (list >= 0) {
            (void)special_attributes_build(
                b, special_at_arg(list, CAPTURE_FILLED));
        }
    }
}

bool special_build_pointee(struct build *b, uint32_t i)
{
    const struct call_facts *call = b->call;
    struct build_at at =
        special_at_arg((int)i, b->at_return ? CAPTURE_FILLED : CAPTURE_ALWAYS);
    size_t k = buffer_of(call, i);

    /* A socket gets its name by how it is made, bound and connected. */
    if (k != BUFFER_NONE && (!b->options->names_only || k == 0)) {
        return build_buffer(b, i, k);
    }
    if (call->category == CATEGORY_IO) {
        return special_io_build(b, i);
    }
    build_late(b, i);
    if (b->options->names_only) {
        /* Processes go by their image. */
        return call->args[i].type == TYPE_PPS_ATTRIBUTE_LIST
                   ? special_attributes_build(b, at) != BUILD_FULL
               : call->args[i].type == TYPE_PRTL_USER_PROCESS_PARAMETERS
                   ? special_parameters_build(b, at) != BUILD_FULL
                   : false;
    }
    switch (call->args[i].type) {
    case TYPE_PSID:
    case TYPE_PSECURITY_DESCRIPTOR:
        return special_security_build(b, i);
    case TYPE_PPORT_MESSAGE:
        (void)special_message_build(b, at);
        return true;
    case TYPE_PMEM_EXTENDED_PARAMETER:
        return special_extended_build(b, at);
    default:
        break;
    }
    if (call->category == CATEGORY_REGISTRY) {
        return special_registry_build(b, i);
    }
    if (call->category == CATEGORY_MESSAGE) {
        special_win32k_build(b, i);
    }
    if (call->category == CATEGORY_CLASS) {
        return special_class_name_build(b, i);
    }
    if (call->category == CATEGORY_DESKTOP) {
        return special_desktop_build(b, i);
    }
    return false;
}

bool special_build_type(struct build *b, str type, struct build_at at,
                        int *piece)
{
    const struct special_type *special = special_type_of(type);
    const struct struct_row *row;

    if (!special) {
        return false;
    }
    if (special->build) {
        *piece = special->build(b, at);
        return true;
    }
    row =
        ioctl_struct(special->layout ? str_of(special->layout) : special->name);
    if (!special->last || !row) {
        return false;
    }
    *piece = special_build_tail(b, special, row, at);
    return true;
}
