/* SPDX-License-Identifier: MIT */
/*
 * process.c - what processes and threads are made with, exceptions,
 * and messages of ports.
 */
#include "decode/build.h"
#include "decode/families/families.h"
#include "decode/walk.h"
#include "tables/fields.h"

#include <string.h>

#include "base/banned.h"

/* --- Attributes ------------------------------------------------------- */

/* So many are looked at; there are no more kinds that make sense together. */
#define ATTRIBUTES_MOST 15
/* ... and so many pointers in them are followed. */
#define ATTRIBUTES_FOLLOWED 8

enum attribute {
    ATTRIBUTE_PARENT = 0,
    ATTRIBUTE_DEBUG = 1,
    ATTRIBUTE_TOKEN = 2,
    ATTRIBUTE_CLIENT_ID = 3,
    ATTRIBUTE_TEB = 4,
    ATTRIBUTE_IMAGE_NAME = 5,
    ATTRIBUTE_IMAGE_INFO = 6,
    ATTRIBUTE_RESERVE = 7,
    ATTRIBUTE_PRIORITY = 8,
    ATTRIBUTE_ERROR_MODE = 9,
    ATTRIBUTE_STD_HANDLES = 10,
    ATTRIBUTE_HANDLES = 11,
    ATTRIBUTE_IDEAL_PROCESSOR = 14,
    ATTRIBUTE_MITIGATION = 16,
    ATTRIBUTE_JOBS = 19,
    ATTRIBUTE_CHILD_POLICY = 20,
};

static void tell_handle_value(const struct tell *t, uint64_t value)
{
    tell_handle(t, value,
                t->call && t->call->handles
                    ? handles_find(t->call->handles, value)
                    : NULL);
}

static void tell_handles(const struct tell *t, uint64_t address, uint64_t size)
{
    uint32_t each = nt_pointer_size(t->width);

    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t i = 0; i < size / each; i++) {
        uint64_t value;

        if (tell_more(t, i) ||
            !nt_pointer_read(t->memory, t->width, address + each * i, &value)) {
            t->sink->ops->more(t->sink);
            break;
        }
        tell_handle_value(t, value);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
}

/* A structure, or the address of it. */
static void tell_pointee(const struct tell *t, str type, uint64_t address,
                         uint64_t size)
{
    const struct struct_row *row = struct_find(type);

    if (!row || size < row->size || !tell_there(t, address)) {
        tell_pointer(t, address);
    } else {
        walk_type(t, type, address, row->size, NULL);
    }
}

/* What the call has written through the pointer, once it has returned. */
static void tell_output(const struct tell *t, uint32_t number, uint64_t value,
                        uint64_t size)
{
    struct tell late = *t;
    uint64_t word;

    if (!t->after && t->call && t->call->returned) {
        late.memory = &t->call->after;
        late.after = true;
    }
    if (!late.after || !tell_there(&late, value)) {
        tell_pointer(t, value);
        return;
    }
    t->sink->ops->begin(t->sink, GROUP_DEREF);
    if (number == ATTRIBUTE_CLIENT_ID) {
        tell_pointee(&late, STR("CLIENT_ID"), value, size);
    } else if (number == ATTRIBUTE_IMAGE_INFO) {
        tell_pointee(&late, STR("SECTION_IMAGE_INFORMATION"), value, size);
    } else if (nt_pointer_read(late.memory, t->width, value, &word)) {
        tell_pointer(t, word);
    } else {
        t->sink->ops->unknown(t->sink);
    }
    t->sink->ops->end(t->sink, GROUP_DEREF);
}

static void tell_attribute(const struct tell *t, const struct nt_attribute *a)
{
    uint32_t number = a->attribute & NT_ATTRIBUTE_NUMBER;
    uint64_t size = a->size;
    uint64_t value = a->value;
    uint64_t word;

    switch ((enum attribute)number) {
    case ATTRIBUTE_PARENT:
    case ATTRIBUTE_DEBUG:
    case ATTRIBUTE_TOKEN:
        tell_handle_value(t, value);
        return;
    case ATTRIBUTE_CLIENT_ID:
    case ATTRIBUTE_TEB:
    case ATTRIBUTE_IMAGE_INFO:
        tell_output(t, number, value, size);
        return;
    case ATTRIBUTE_IMAGE_NAME:
        tell_name_in(t, value, size, TELL_ANY);
        return;
    case ATTRIBUTE_RESERVE:
        tell_pointee(t, STR("PS_MEMORY_RESERVE"), value, size);
        return;
    case ATTRIBUTE_STD_HANDLES:
        tell_pointee(t, STR("PS_STD_HANDLE_INFO"), value, size);
        return;
    case ATTRIBUTE_IDEAL_PROCESSOR:
        tell_pointee(t, STR("PROCESSOR_NUMBER"), value, size);
        return;
    case ATTRIBUTE_HANDLES:
    case ATTRIBUTE_JOBS:
        if (tell_there(t, value)) {
            tell_handles(t, value, size);
        } else {
            tell_pointer(t, value);
        }
        return;
    case ATTRIBUTE_PRIORITY:
    case ATTRIBUTE_ERROR_MODE:
    case ATTRIBUTE_MITIGATION:
    case ATTRIBUTE_CHILD_POLICY:
    default:
        if (size <= 8 && tell_word(t, value, (uint32_t)size, &word)) {
            if (number == ATTRIBUTE_PRIORITY) {
                tell_by_set(t, word, "PROCESS_PRIORITY_CLASS");
            } else {
                tell_hex(t, word);
            }
        } else {
            tell_pointer(t, value);
        }
        return;
    }
}

static bool attributes_tell(const struct tell *t, uint64_t address,
                            uint64_t said)
{
    uint64_t end = nt_offset(NT_PS_ATTRIBUTE_LIST_Attributes, t->width);
    uint64_t count;

    if (!nt_attribute_count(t->memory, t->width, address, &count)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t i = 0; i < count; i++) {
        struct nt_attribute a;

        end += nt_size(NT_PS_ATTRIBUTE, t->width);
        /* They are few, and each matters: TELL_ELEMENTS does not apply. */
        if (i >= ATTRIBUTES_MOST || end > said ||
            !nt_attribute_read(t->memory, t->width, address, (uint32_t)i, &a)) {
            t->sink->ops->more(t->sink);
            break;
        }
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        tell_open(t, "Attribute");
        tell_by_set(t, a.attribute, "PS_ATTRIBUTE");
        tell_open(t, "Value");
        if (t->options->raw) {
            tell_hex(t, a.value);
        } else {
            tell_attribute(t, &a);
        }
        t->sink->ops->end(t->sink, GROUP_STRUCT);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
    return true;
}

static int build_attributes(struct build *b, struct build_at at, bool inputs)
{
    enum capture_when when = (enum capture_when)at.when;
    uint32_t first = build_offset(b, NT_PS_ATTRIBUTE_LIST_Attributes);
    uint32_t each = build_size(b, NT_PS_ATTRIBUTE);
    int head = build_op(b, build_op_bytes(at, first));
    struct capture_op op;
    int list;

    if (head == BUILD_FULL) {
        return head;
    }
    op = build_op_field(at, CAPTURE_FIELD64, head, 0, 1);
    op.most = first + ATTRIBUTES_MOST * each;
    list = build_op(b, op);
    for (uint32_t i = 0; list != BUILD_FULL && i < ATTRIBUTES_FOLLOWED; i++) {
        uint32_t at_value =
            first + i * each + build_offset(b, NT_PS_ATTRIBUTE_Value);
        uint32_t at_size =
            first + i * each + build_offset(b, NT_PS_ATTRIBUTE_Size);

        op = build_op_field(build_at_piece(list, (uint16_t)at_value, when),
                            CAPTURE_FIELD64, list, (uint16_t)at_size, 1);
        op.most = inputs ? 0x10000 : 64;
        (void)build_op(b, op);
    }
    return list;
}

static int attributes_build(struct build *b, struct build_at at)
{
    return build_attributes(b, at, !b->at_return);
}

/* --- RTL_USER_PROCESS_PARAMETERS -------------------------------------- */

#define PARAMETERS_NORMALIZED 1u
/* So much is copied: the strings, and a little of what follows. */
#define PARAMETERS_HEAD 0x108u

static const struct {
    const char *name;
    enum nt_field field;  // CURDIR begins with its path
    bool always;
} parameter_strings[] = {
    { "ImagePathName", NT_RTL_USER_PROCESS_PARAMETERS_ImagePathName, true },
    { "CommandLine", NT_RTL_USER_PROCESS_PARAMETERS_CommandLine, true },
    { "CurrentDirectory", NT_RTL_USER_PROCESS_PARAMETERS_CurrentDirectory,
      true },
    { "DllPath", NT_RTL_USER_PROCESS_PARAMETERS_DllPath, false },
    { "WindowTitle", NT_RTL_USER_PROCESS_PARAMETERS_WindowTitle, false },
    { "DesktopInfo", NT_RTL_USER_PROCESS_PARAMETERS_DesktopInfo, false },
    { "ShellInfo", NT_RTL_USER_PROCESS_PARAMETERS_ShellInfo, false },
};

static bool parameters_tell(const struct tell *t, uint64_t address,
                            uint64_t said)
{
    uint32_t flags;

    if (said < PARAMETERS_HEAD ||
        !tell_read32(t, address, NT_RTL_USER_PROCESS_PARAMETERS_Flags,
                     &flags)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    for (size_t i = 0; i < COUNT_OF(parameter_strings); i++) {
        uint64_t at = tell_at(t, address, parameter_strings[i].field);
        struct nt_string s;

        if (!parameter_strings[i].always && !t->options->verbose) {
            continue;
        }
        tell_open(t, parameter_strings[i].name);
        if (!nt_string_read(t->memory, t->width, at, &s)) {
            t->sink->ops->unknown(t->sink);
            continue;
        }
        /* Not yet normalised: pointers count from the structure. */
        if (!(flags & PARAMETERS_NORMALIZED) && s.buffer != 0) {
            s.buffer += address;
        }
        if (s.buffer == 0) {
            t->sink->ops->null(t->sink);
        } else {
            tell_name_in(t, s.buffer, s.length, TELL_ANY);
        }
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static int parameters_build(struct build *b, struct build_at at)
{
    enum capture_when when = (enum capture_when)at.when;
    int head = build_op(b, build_op_bytes(at, PARAMETERS_HEAD));
    struct capture_op op;

    if (head == BUILD_FULL) {
        return head;
    }
    /* As a rule all strings stand behind it. Where they do not, the pointers
     * to those that matter are good. */
    op = build_op_field(at, CAPTURE_FIELD32, head,
                        build_offset(b, NT_RTL_USER_PROCESS_PARAMETERS_Length),
                        1);
    op.most = 0x10000;
    (void)build_op(b, op);
    for (size_t i = 0; i < COUNT_OF(parameter_strings); i++) {
        uint16_t offset = build_offset(b, parameter_strings[i].field);
        uint16_t buffer = build_offset(b, NT_UNICODE_STRING_Buffer);

        if (!parameter_strings[i].always) {
            continue;
        }
        op = build_op_field(
            build_at_piece(head, (uint16_t)(offset + buffer), when),
            CAPTURE_FIELD16, head, offset, 1);
        (void)build_op(b, op);
    }
    return head;
}

/* --- MEM_EXTENDED_PARAMETER ------------------------------------------- */

#define EXTENDED_SIZE 16
#define REQUIREMENTS_SIZE 24

/* What each of them may point to is copied too: a number that is no address
 * leads nowhere. */
static bool extended_build(struct build *b, const struct family_param *row,
                           uint32_t i)
{
    int count = build_arg(b, "ExtendedParameterCount");
    struct build_at at = build_at_param(b, i);
    struct capture_op op;
    int list;

    (void)row;
    if (count < 0) {
        return false;
    }
    op = build_op_arg(at, count, EXTENDED_SIZE);
    op.most = TELL_ELEMENTS * EXTENDED_SIZE;
    list = build_op(b, op);
    for (uint32_t k = 0; list != BUILD_FULL && k < TELL_ELEMENTS; k++) {
        (void)build_op(
            b, build_op_bytes(build_at_piece(list,
                                             (uint16_t)(k * EXTENDED_SIZE + 8),
                                             (enum capture_when)at.when),
                              REQUIREMENTS_SIZE));
    }
    return true;
}

/* --- EXCEPTION_RECORD -------------------------------------------------- */

#define EXCEPTION_WORDS 15

static bool exception_tell(const struct tell *t, uint64_t address,
                           uint64_t said)
{
    uint32_t words =
        nt_offset(NT_EXCEPTION_RECORD_ExceptionInformation, t->width);
    uint32_t each = nt_pointer_size(t->width);
    uint32_t code;
    uint32_t flags;
    uint32_t count;
    uint64_t value;

    if (said < words ||
        !tell_read32(t, address, NT_EXCEPTION_RECORD_ExceptionCode, &code) ||
        !tell_read32(t, address, NT_EXCEPTION_RECORD_ExceptionFlags, &flags)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_open(t, "ExceptionCode");
    t->sink->ops->status(t->sink, code);
    tell_open(t, "ExceptionFlags");
    tell_by_set(t, flags, "EXCEPTION_FLAGS");
    if (tell_read(t, address, NT_EXCEPTION_RECORD_ExceptionRecord, &value) &&
        value != 0) {
        tell_open(t, "ExceptionRecord");
        tell_pointer(t, value);
    }
    tell_open(t, "ExceptionAddress");
    if (tell_read(t, address, NT_EXCEPTION_RECORD_ExceptionAddress, &value)) {
        tell_code(t, value);
    } else {
        t->sink->ops->unknown(t->sink);
    }
    if (tell_read32(t, address, NT_EXCEPTION_RECORD_NumberParameters, &count) &&
        count > 0) {
        tell_open(t, "ExceptionInformation");
        t->sink->ops->begin(t->sink, GROUP_ARRAY);
        for (uint32_t i = 0; i < count; i++) {
            if (i >= EXCEPTION_WORDS ||
                !nt_pointer_read(t->memory, t->width,
                                 address + words + each * i, &value)) {
                t->sink->ops->more(t->sink);
                break;
            }
            tell_hex(t, value);
        }
        t->sink->ops->end(t->sink, GROUP_ARRAY);
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

/* --- PORT_MESSAGE ----------------------------------------------------- */

/* The kind in the low bits, flags above. */
static void tell_message_type(const struct tell *t, uint32_t type)
{
    const struct name_set *kinds = fields_names(STR("LPC_MESSAGE_TYPE"));
    const struct name_set *flags = fields_names(STR("LPC_MESSAGE_TYPE_FLAGS"));
    const char *names[NAMES_SPLIT_MAX + 1];
    const char *kind = kinds ? names_value(kinds, type & 0xff) : NULL;
    struct sink_constant c = { .raw = type, .names = names };
    uint64_t rest = type & ~0xffu;

    if (!kind || t->options->raw) {
        tell_hex(t, type);
        return;
    }
    names[0] = kind;
    c.count = 1;
    if (flags && rest) {
        c.count += names_split(flags, rest, names + 1, &rest);
    }
    c.rest = rest;
    t->sink->ops->constant(t->sink, &c);
}

static bool message_tell(const struct tell *t, uint64_t address, uint64_t said)
{
    const struct struct_row *row = struct_find(STR("PORT_MESSAGE"));
    uint32_t head = nt_size(NT_PORT_MESSAGE, t->width);
    uint16_t length;
    uint16_t total;
    uint16_t type;
    uint32_t id;

    if (said < head ||
        !tell_read16(t, address, NT_PORT_MESSAGE_DataLength, &length) ||
        !tell_read16(t, address, NT_PORT_MESSAGE_TotalLength, &total) ||
        !tell_read16(t, address, NT_PORT_MESSAGE_Type, &type)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_open(t, "DataLength");
    tell_number(t, length);
    tell_open(t, "TotalLength");
    tell_number(t, total);
    /* Who sends a message leaves the rest to the kernel. */
    if (type != 0 || t->options->verbose) {
        tell_open(t, "Type");
        tell_message_type(t, type);
        tell_open(t, "ClientId");
        walk_type(t, STR("CLIENT_ID"),
                  tell_at(t, address, NT_PORT_MESSAGE_ClientId),
                  nt_size(NT_CLIENT_ID, t->width), NULL);
        tell_open(t, "MessageId");
        if (tell_read32(t, address, NT_PORT_MESSAGE_MessageId, &id)) {
            tell_number(t, id);
        } else {
            t->sink->ops->unknown(t->sink);
        }
        if (t->options->verbose && row) {
            walk_union(t, row, address);
        }
    }
    if (length > 0) {
        tell_open(t, "Data");
        tell_data_in(t, address + head, length, said - head);
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static int message_build(struct build *b, struct build_at at)
{
    uint32_t size = build_size(b, NT_PORT_MESSAGE);
    int head = build_op(b, build_op_bytes(at, size));
    struct capture_op op;

    if (head == BUILD_FULL) {
        return head;
    }
    op = build_op_field(at, CAPTURE_FIELD16, head,
                        build_offset(b, NT_PORT_MESSAGE_TotalLength), 1);
    op.most = size + b->bytes_most;
    (void)build_op(b, op);
    return head;
}

/* --- Parameters ------------------------------------------------------- */

static bool message_param_tell(const struct tell *t,
                               const struct family_param *row, uint32_t i,
                               uint64_t address)
{
    (void)row;
    (void)i;
    return tell_there(t, address) && message_tell(t, address, TELL_ANY);
}

static bool message_param_build(struct build *b, const struct family_param *row,
                                uint32_t i)
{
    (void)row;
    (void)message_build(b, build_at_param(b, i));
    return true;
}

static bool attributes_param_build(struct build *b,
                                   const struct family_param *row, uint32_t i)
{
    (void)row;
    return attributes_build(b, build_at_param(b, i)) != BUILD_FULL;
}

static bool parameters_param_build(struct build *b,
                                   const struct family_param *row, uint32_t i)
{
    (void)row;
    return parameters_build(b, build_at_param(b, i)) != BUILD_FULL;
}

/* The outputs that hang off an input, the attributes, are copied along with an
 * output that the call has in any case. */
static bool thread_build(struct build *b, const struct family_param *row,
                         uint32_t i)
{
    int list = build_arg(b, "AttributeList");

    (void)row;
    (void)i;
    if (b->at_return && list >= 0) {
        (void)attributes_build(b, build_at_arg(list, CAPTURE_FILLED));
    }
    return false;
}

/* --- Rows ------------------------------------------------------------- */

#define CREATE_BRIEF                                            \
    "State InitState.InitFlags InitState.AdditionalFileAccess " \
    "FailSection.FileHandle ExeFormat.DllCharacteristics "      \
    "ExeName.IFEOKey SuccessState.OutputFlags "                 \
    "SuccessState.FileHandle SuccessState.SectionHandle "       \
    "SuccessState.PebAddressNative"
#define IMAGE_BRIEF "TransferAddress MaximumStackSize SubSystemType Machine"
#define PROCESS_BRIEF \
    "ImageName UniqueProcessId InheritedFromUniqueProcessId NumberOfThreads"

static const struct family_type types[] = {
    TYPE_TOLD(EXCEPTION_RECORD, exception_tell),
    TYPE_BUILT(PORT_MESSAGE, message_tell, message_build),
    TYPE_BUILT(PS_ATTRIBUTE_LIST, attributes_tell, attributes_build),
    TYPE_BRIEF(PS_CREATE_INFO, CREATE_BRIEF),
    TYPE_BUILT(RTL_USER_PROCESS_PARAMETERS, parameters_tell, parameters_build),
    TYPE_BRIEF(SECTION_IMAGE_INFORMATION, IMAGE_BRIEF),
    { .name = STR_INIT("SYSTEM_PROCESS_INFORMATION"),
      .tail = TAIL_ARRAY,
      .last = "Threads",
      .length = "NumberOfThreads",
      .brief = PROCESS_BRIEF },
};

static const struct family_param params[] = {
    PARAM_OF_TYPE("PMEM_EXTENDED_PARAMETER", .build = extended_build),
    PARAM_OF_TYPE("PPORT_MESSAGE", .tell = message_param_tell,
                  .build = message_param_build),
    PARAM_OF_TYPE("PPS_ATTRIBUTE_LIST", .for_names = true,
                  .build = attributes_param_build),
    /* Processes go by their image. */
    PARAM_OF_TYPE("PRTL_USER_PROCESS_PARAMETERS", .for_names = true,
                  .build = parameters_param_build),
    PARAM_OF(PROCESS, "ThreadHandle", .for_names = true, .build = thread_build),
    PARAM_OF(THREAD, "ThreadHandle", .for_names = true, .build = thread_build),
};

const struct family family_process = {
    .name = "process",
    .types = types,
    .type_count = COUNT_OF(types),
    .params = params,
    .param_count = COUNT_OF(params),
};
