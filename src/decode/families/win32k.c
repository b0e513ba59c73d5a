/* SPDX-License-Identifier: MIT */
/*
 * win32k.c - window messages, window classes, menus, input.
 *
 * What wParam and lParam are depends on the message: a few that people look
 * for are told, the rest are words.
 */
#include "decode/build.h"
#include "decode/families/families.h"
#include "decode/walk.h"
#include "tables/fields.h"

#include <string.h>

#include "base/banned.h"

#define WM_SETTEXT 0x000cu
#define WM_KEYFIRST 0x0100u
#define WM_SYSKEYUP 0x0105u
#define WM_CHAR 0x0102u
#define WM_DEADCHAR 0x0103u
#define WM_USER 0x0400u
#define WM_APP 0x8000u
#define MESSAGE_REGISTERED 0xc000u

/* Of a text that ends in a zero; titles and class names. */
#define TEXT_BYTES 2048u

/* A class by its atom, where a name could be. */
#define ATOM_MOST 0xffffu

/* --- Messages --------------------------------------------------------- */

static void tell_message(const struct tell *t, uint32_t message)
{
    const struct name_set *set = fields_names(STR("WINDOW_MESSAGE"));
    const char *name = set ? names_value(set, message) : NULL;
    char room[32];
    struct buf words = BUF_OVER(room);

    if (name) {
        tell_constant(t, message, set);
        return;
    }
    tell_hex(t, message);
    if (t->options->raw || message < WM_USER || message > 0xffff) {
        return;
    }
    if (message >= MESSAGE_REGISTERED) {
        buf_add(&words, STR("registered"));
    } else if (message >= WM_APP) {
        buf_add(&words, STR("WM_APP+"));
        buf_add_hex(&words, message - WM_APP);
    } else {
        buf_add(&words, STR("WM_USER+"));
        buf_add_hex(&words, message - WM_USER);
    }
    t->sink->ops->comment(t->sink, buf_str(&words));
}

static bool is_key(uint32_t message)
{
    return message >= WM_KEYFIRST && message <= WM_SYSKEYUP &&
           message != WM_CHAR && message != WM_DEADCHAR;
}

static void tell_wparam(const struct tell *t, uint32_t message, uint64_t value)
{
    if (is_key(message)) {
        tell_by_set(t, value, "VIRTUAL_KEY");
    } else {
        tell_hex(t, value);
    }
}

static bool msg_tell(const struct tell *t, uint64_t address, uint64_t said)
{
    const struct struct_row *row = struct_find(STR("MSG"));
    uint32_t message;
    uint64_t wparam;
    uint64_t lparam;

    if (!row ||
        said < nt_size(NT_MSG, t->width) - nt_size(NT_MSG_pt, t->width) ||
        !tell_read32(t, address, NT_MSG_message, &message) ||
        !tell_read(t, address, NT_MSG_wParam, &wparam) ||
        !tell_read(t, address, NT_MSG_lParam, &lparam)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    walk_field(t, row, &row->fields[0], address);
    tell_open(t, "message");
    tell_message(t, message);
    tell_open(t, "wParam");
    tell_wparam(t, message, wparam);
    tell_open(t, "lParam");
    tell_hex(t, lparam);
    for (uint32_t i = 4; t->options->verbose && i < row->field_count; i++) {
        walk_field(t, row, &row->fields[i], address);
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

/* The message that the call sends, by whichever name its row gives it. */
static bool message_of(const struct tell *t, uint32_t *message)
{
    uint64_t value;

    if (!tell_arg(t, "Msg", &value) && !tell_arg(t, "msg", &value)) {
        return false;
    }
    *message = (uint32_t)value;
    return true;
}

static bool is_ansi(const struct tell *t)
{
    uint64_t value;

    return (tell_arg(t, "Ansi", &value) || tell_arg(t, "ansi", &value)) &&
           (uint32_t)value != 0;
}

static bool tell_zero_bytes(const struct tell *t, uint64_t address)
{
    uint8_t bytes[256];
    size_t size = memory_read(t->memory, address, bytes, sizeof(bytes));
    size_t length = 0;

    while (length < size && bytes[length] != 0) {
        length++;
    }
    if (size == 0) {
        return false;
    }
    t->sink->ops->data(t->sink, bytes, length, length == size);
    return true;
}

static bool message_value(const struct tell *t, const struct family_param *row,
                          uint32_t i, uint64_t value)
{
    (void)row;
    (void)i;
    if (t->options->raw) {
        return false;
    }
    tell_message(t, (uint32_t)value);
    return true;
}

static bool wparam_value(const struct tell *t, const struct family_param *row,
                         uint32_t i, uint64_t value)
{
    uint32_t message;

    (void)row;
    (void)i;
    if (t->options->raw || !message_of(t, &message) || !is_key(message)) {
        return false;
    }
    tell_wparam(t, message, value);
    return true;
}

static bool lparam_value(const struct tell *t, const struct family_param *row,
                         uint32_t i, uint64_t value)
{
    uint32_t message;

    (void)row;
    (void)i;
    return !t->options->raw && message_of(t, &message) &&
           message == WM_SETTEXT && value != 0 &&
           (is_ansi(t) ? tell_zero_bytes(t, value) : tell_zero_name(t, value));
}

#define GWL_STYLE (-16)
#define GWL_EXSTYLE (-20)

/* NtUserSetWindowLong: which word it is says what it means. */
static bool window_value(const struct tell *t, const struct family_param *row,
                         uint32_t i, uint64_t value)
{
    uint64_t index;

    (void)row;
    (void)i;
    if (t->options->raw || !tell_arg(t, "nIndex", &index)) {
        return false;
    }
    switch ((int32_t)(uint32_t)index) {
    case GWL_STYLE:
        tell_by_set(t, value & UINT32_MAX, "WINDOW_STYLE");
        return true;
    case GWL_EXSTYLE:
        tell_by_set(t, value & UINT32_MAX, "WINDOW_EX_STYLE");
        return true;
    default:
        return false;
    }
}

/* The text that a message's lParam points to; it is no pointer by its type,
 * so it is copied along with the call's only one that is. */
static bool text_build(struct build *b, const struct family_param *row,
                       uint32_t i)
{
    int message = build_arg(b, "Msg");
    int lparam = build_arg(b, "lParam");
    struct capture_op op;

    (void)row;
    (void)i;
    if (message < 0 || lparam < 0 || b->at_return) {
        return false;
    }
    op = build_op_bytes(build_at_arg(lparam, CAPTURE_ALWAYS), 2);
    op.size.unit = CAPTURE_ZERO_ENDED;
    op.most = TEXT_BYTES;
    op.test = 1;
    op.test_from = (uint8_t)message;
    op.test_value = WM_SETTEXT;
    (void)build_op(b, op);
    return false;
}

/* --- Names of classes and desktops ------------------------------------ */

/* NtUserGetClassName fills the buffer of a UNICODE_STRING and returns the
 * number of characters; the structure's own length it leaves alone. */
static bool class_name_tell(const struct tell *t,
                            const struct family_param *row, uint32_t i,
                            uint64_t address)
{
    uint64_t buffer;

    (void)row;
    (void)i;
    if (!t->after ||
        !tell_read(t, address, NT_UNICODE_STRING_Buffer, &buffer)) {
        return false;
    }
    tell_name_in(t, buffer, 2ull * (uint32_t)t->call->result, TELL_ANY);
    return true;
}

static bool class_name_build(struct build *b, const struct family_param *row,
                             uint32_t i)
{
    struct capture_op op;
    int piece;

    (void)row;
    if (!b->at_return) {
        return false;
    }
    piece = build_op(b, build_op_bytes(build_at_arg((int)i, CAPTURE_FILLED),
                                       build_size(b, NT_UNICODE_STRING)));
    if (piece != BUILD_FULL) {
        op = build_op_bytes(
            build_at_piece(piece, build_offset(b, NT_UNICODE_STRING_Buffer),
                           CAPTURE_FILLED),
            2);
        op.size.unit = CAPTURE_RESULT;
        op.most = TEXT_BYTES;
        (void)build_op(b, op);
    }
    return true;
}

#define UOI_FLAGS 1u
#define UOI_NAME 2u
#define UOI_TYPE 3u

static bool desktop_tell(const struct tell *t, const struct family_param *row,
                         uint32_t i, uint64_t address)
{
    uint64_t index;

    (void)row;
    (void)i;
    if (!tell_arg(t, "Index", &index) || !tell_there(t, address)) {
        return false;
    }
    switch ((uint32_t)index) {
    case UOI_FLAGS:
        return walk_buffer(t, "USEROBJECTFLAGS", address,
                           tell_said(t, "Length", "LengthNeeded"));
    case UOI_NAME:
    case UOI_TYPE:
        return tell_zero_name(t, address);
    default:
        return false;
    }
}

static bool desktop_build(struct build *b, const struct family_param *row,
                          uint32_t i)
{
    int length = build_arg(b, "Length");
    int needed = build_arg(b, "LengthNeeded");
    struct capture_op op;

    (void)row;
    if (!b->at_return || length < 0 || needed < 0) {
        return false;
    }
    op = build_op_arg(build_at_arg((int)i, CAPTURE_FILLED), length, 1);
    op.limit.unit = CAPTURE_POINTEE32;
    op.limit.from = (uint8_t)needed;
    op.limit.scale = 1;
    op.most = TEXT_BYTES;
    (void)build_op(b, op);
    return true;
}

/* --- Strings ---------------------------------------------------------- */

#define LARGE_STRING_ANSI 0x80000000u

static bool large_string_tell(const struct tell *t, uint64_t address,
                              uint64_t said)
{
    uint32_t length;
    uint32_t most;
    uint64_t buffer;

    if (said < nt_size(NT_LARGE_STRING, t->width) ||
        !tell_read32(t, address, NT_LARGE_STRING_Length, &length) ||
        !tell_read32(t, address, NT_LARGE_STRING_MaximumLength, &most) ||
        !tell_read(t, address, NT_LARGE_STRING_Buffer, &buffer)) {
        return false;
    }
    if (buffer == 0) {
        t->sink->ops->null(t->sink);
    } else if (most & LARGE_STRING_ANSI) {
        tell_chars_in(t, buffer, length, TELL_ANY);
    } else {
        tell_name_in(t, buffer, length, TELL_ANY);
    }
    return true;
}

static int large_string_build(struct build *b, struct build_at at)
{
    int piece = build_op(b, build_op_bytes(at, build_size(b, NT_LARGE_STRING)));
    uint16_t buffer = build_offset(b, NT_LARGE_STRING_Buffer);
    struct capture_op op;

    if (piece != BUILD_FULL) {
        op = build_op_field(
            build_at_piece(piece, buffer, (enum capture_when)at.when),
            CAPTURE_FIELD32, piece, build_offset(b, NT_LARGE_STRING_Length), 1);
        op.most = 0x10000;
        (void)build_op(b, op);
    }
    return piece;
}

/* Text up to a zero, or an atom. */
static void tell_name_at(const struct tell *t, const char *name,
                         uint64_t address)
{
    uint64_t pointer;

    tell_open(t, name);
    if (!nt_pointer_read(t->memory, t->width, address, &pointer)) {
        t->sink->ops->unknown(t->sink);
    } else if (pointer == 0 || pointer <= ATOM_MOST ||
               !tell_zero_name(t, pointer)) {
        tell_pointer(t, pointer);
    }
}

static void build_name_at(struct build *b, int piece, uint16_t offset,
                          enum capture_when when)
{
    struct capture_op op =
        build_op_bytes(build_at_piece(piece, offset, when), 2);

    op.size.unit = CAPTURE_ZERO_ENDED;
    op.most = TEXT_BYTES;
    (void)build_op(b, op);
}

/* --- Window classes, menus, input ------------------------------------- */

static bool class_tell(const struct tell *t, uint64_t address, uint64_t said)
{
    const struct struct_row *row = struct_find(STR("WNDCLASSEXW"));

    if (!row || said < nt_size(NT_WNDCLASSEXW, t->width)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct struct_field *field = &row->fields[i];

        if (strcmp(field->name, "lpszMenuName") == 0) {
            tell_name_at(t, field->name,
                         tell_at(t, address, NT_WNDCLASSEXW_lpszMenuName));
        } else if (strcmp(field->name, "lpszClassName") == 0) {
            tell_name_at(t, field->name,
                         tell_at(t, address, NT_WNDCLASSEXW_lpszClassName));
        } else if (t->options->verbose || strcmp(field->name, "style") == 0 ||
                   strcmp(field->name, "lpfnWndProc") == 0) {
            walk_field(t, row, field, address);
        }
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static int class_build(struct build *b, struct build_at at)
{
    enum capture_when when = (enum capture_when)at.when;
    int piece = build_op(b, build_op_bytes(at, build_size(b, NT_WNDCLASSEXW)));

    if (piece != BUILD_FULL) {
        build_name_at(b, piece, build_offset(b, NT_WNDCLASSEXW_lpszMenuName),
                      when);
        build_name_at(b, piece, build_offset(b, NT_WNDCLASSEXW_lpszClassName),
                      when);
    }
    return piece;
}

#define MIIM_STRING 0x40u
#define MIIM_TYPE 0x10u

/* Which field counts depends on fMask. */
static bool menu_item_tell(const struct tell *t, uint64_t address,
                           uint64_t said)
{
    static const struct {
        const char *name;
        uint32_t mask;
    } fields[] = {
        { "fType", 0x110 },     { "fState", 0x1 },
        { "wID", 0x2 },         { "hSubMenu", 0x4 },
        { "hbmpChecked", 0x8 }, { "hbmpUnchecked", 0x8 },
        { "dwItemData", 0x20 }, { "hbmpItem", 0x80 },
    };
    const struct struct_row *row = struct_find(STR("MENUITEMINFOW"));
    uint32_t mask;

    if (!row || said < nt_size(NT_MENUITEMINFOW, t->width) ||
        !tell_read32(t, address, NT_MENUITEMINFOW_fMask, &mask)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_open(t, "fMask");
    tell_by_set(t, mask, "MENU_ITEM_MASK");
    for (uint32_t i = 0; i < row->field_count; i++) {
        for (size_t k = 0; k < COUNT_OF(fields); k++) {
            if (fields[k].mask & mask &&
                strcmp(row->fields[i].name, fields[k].name) == 0) {
                walk_field(t, row, &row->fields[i], address);
            }
        }
    }
    if (mask & (MIIM_STRING | MIIM_TYPE)) {
        tell_name_at(t, "dwTypeData",
                     tell_at(t, address, NT_MENUITEMINFOW_dwTypeData));
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static int menu_item_build(struct build *b, struct build_at at)
{
    int piece =
        build_op(b, build_op_bytes(at, build_size(b, NT_MENUITEMINFOW)));

    if (piece != BUILD_FULL) {
        build_name_at(b, piece, build_offset(b, NT_MENUITEMINFOW_dwTypeData),
                      (enum capture_when)at.when);
    }
    return piece;
}

/* --- Rows ------------------------------------------------------------- */

static const struct family_type types[] = {
    TYPE_BUILT(LARGE_STRING, large_string_tell, large_string_build),
    TYPE_BUILT(LARGE_STRING_X, large_string_tell, large_string_build),
    TYPE_BUILT(MENUITEMINFOW, menu_item_tell, menu_item_build),
    TYPE_TOLD(MSG, msg_tell),
    TYPE_BRIEF(PAINTSTRUCT, "hdc fErase rcPaint"),
    TYPE_BUILT(WNDCLASSEXW, class_tell, class_build),
    TYPE_BUILT(tagMENUITEMINFOW, menu_item_tell, menu_item_build),
    TYPE_TOLD(tagMSG, msg_tell),
    TYPE_BUILT(tagWNDCLASSEXW, class_tell, class_build),
};

static const struct family_param params[] = {
    PARAM_OF_CALL("NtUserGetClassName", "ClassName", .tell = class_name_tell,
                  .build = class_name_build),
    PARAM_OF_CALL("NtUserGetObjectInformation", "vInfo", .tell = desktop_tell,
                  .build = desktop_build),
    PARAM_OF(MESSAGE, "Data", .build = text_build),
    PARAM_OF(MESSAGE, "Msg", .value = message_value),
    PARAM_OF(MESSAGE, "lParam", .value = lparam_value),
    PARAM_OF(MESSAGE, "lparam", .value = lparam_value),
    PARAM_OF(MESSAGE, "msg", .value = message_value),
    PARAM_OF(MESSAGE, "wMsgFilterMax", .value = message_value),
    PARAM_OF(MESSAGE, "wMsgFilterMin", .value = message_value),
    PARAM_OF(MESSAGE, "wParam", .value = wparam_value),
    PARAM_OF(MESSAGE, "wparam", .value = wparam_value),
    PARAM_OF(WINDOW, "dwNewLong", .value = window_value),
};

const struct family family_win32k = {
    .name = "win32k",
    .types = types,
    .type_count = COUNT_OF(types),
    .params = params,
    .param_count = COUNT_OF(params),
};
