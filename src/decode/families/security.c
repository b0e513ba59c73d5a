/* SPDX-License-Identifier: MIT */
/*
 * security.c - SIDs as S-1-5-..., security descriptors with their
 * lists, in both forms: with pointers, and self-relative with offsets.
 */
#include "decode/build.h"
#include "decode/families/families.h"
#include "decode/walk.h"
#include "tables/fields.h"

#include <string.h>

#include "base/banned.h"

#define SID_HEAD 8
#define SID_PARTS_MAX 15
#define SID_SIZE_MAX (SID_HEAD + 4 * SID_PARTS_MAX)
#define ACE_LABEL 0x11

#define SE_DACL_PRESENT 0x0004u
#define SE_SACL_PRESENT 0x0010u
#define SE_SELF_RELATIVE 0x8000u

/* A descriptor whose size nothing tells is copied so far. */
#define DESCRIPTOR_BYTES 256u
/* ... and a list that far. */
#define ACL_BYTES 2048u

/* --- SIDs ------------------------------------------------------------- */

/* False: it is none, or not all of it is there. */
static bool spell_sid(const struct tell *t, uint64_t address, uint64_t said,
                      struct buf *out)
{
    uint8_t head[SID_HEAD];
    uint64_t authority = 0;

    if (said < SID_HEAD ||
        memory_read(t->memory, address, head, SID_HEAD) != SID_HEAD ||
        head[0] != 1 || head[1] > SID_PARTS_MAX ||
        said < SID_HEAD + 4u * head[1]) {
        return false;
    }
    for (uint32_t i = 2; i < SID_HEAD; i++) {
        authority = authority << 8 | head[i];
    }
    buf_add(out, STR("S-1-"));
    if (authority >> 32) {
        buf_add_hex(out, authority);
    } else {
        buf_add_dec(out, authority);
    }
    for (uint32_t i = 0; i < head[1]; i++) {
        uint32_t part;

        if (!memory_u32(t->memory, address + SID_HEAD + 4 * i, &part)) {
            return false;
        }
        buf_add_char(out, '-');
        buf_add_dec(out, part);
    }
    return true;
}

static bool sid_tell(const struct tell *t, uint64_t address, uint64_t said)
{
    char room[256];
    struct buf spelled = BUF_OVER(room);
    struct sink_text text = { .kind = TEXT_WTF8, .p = room };

    if (!address || !spell_sid(t, address, said, &spelled)) {
        return false;
    }
    text.size = spelled.size;
    t->sink->ops->text(t->sink, &text);
    return true;
}

static void tell_sid(const struct tell *t, uint64_t address, uint64_t said)
{
    if (!sid_tell(t, address, said)) {
        tell_pointer(t, address);
    }
}

static int sid_build(struct build *b, struct build_at at)
{
    return build_op(b, build_op_bytes(at, SID_SIZE_MAX));
}

/* --- Lists ------------------------------------------------------------ */

/* The kinds that are header, mask, SID and nothing else. */
static bool is_simple(uint32_t kind)
{
    return kind <= 2 || kind == ACE_LABEL;
}

/* Whose rights the masks of a list are: of what the call makes or opens, of
 * the object that it is put on or taken from; else those that all have. */
static void tell_mask(const struct tell *t, uint32_t kind, uint32_t mask)
{
    const struct call_facts *facts =
        t->call && t->call->stub ? t->call->stub->facts : NULL;
    const struct name_set *set = NULL;

    if (kind == ACE_LABEL) {
        tell_by_set(t, mask, "LABEL_POLICY");
        return;
    }
    if (facts && (strcmp(facts->name, "NtSetSecurityObject") == 0 ||
                  strcmp(facts->name, "NtQuerySecurityObject") == 0)) {
        const struct object *object = t->call->objects[0];

        set = object ? access_set_of(object->type) : NULL;
    } else if (facts && facts->category != CATEGORY_SECURITY) {
        set = names_of_parameter(str_of(facts->name), STR("DesiredAccess"));
    }
    tell_constant(t, mask, set ? set : fields_names(STR("ANY_ACCESS")));
}

static bool acl_tell(const struct tell *t, uint64_t address, uint64_t said)
{
    uint32_t head = nt_offset(NT_ACCESS_ALLOWED_ACE_SidStart, t->width);
    uint64_t at = nt_size(NT_ACL, t->width);
    uint16_t size;
    uint16_t count;

    if (!address || said < at ||
        !tell_read16(t, address, NT_ACL_AclSize, &size) ||
        !tell_read16(t, address, NT_ACL_AceCount, &count)) {
        return false;
    }
    if (size < said) {
        said = size;
    }
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint16_t i = 0; i < count; i++) {
        uint16_t kind;
        uint16_t length;
        uint32_t mask;

        if (tell_more(t, i) || at + head > said ||
            !tell_read16(t, address + at, NT_ACE_HEADER_AceType, &kind) ||
            !tell_read16(t, address + at, NT_ACE_HEADER_AceSize, &length) ||
            !tell_read32(t, address + at, NT_ACCESS_ALLOWED_ACE_Mask, &mask) ||
            length < head || length > said - at) {
            t->sink->ops->more(t->sink);
            break;
        }
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        tell_open(t, "AceType");
        tell_by_set(t, kind, "ACE_TYPE");
        if (is_simple(kind)) {
            tell_open(t, "Mask");
            tell_mask(t, kind, mask);
            tell_open(t, "Sid");
            tell_sid(t, address + at + head, length - head);
        } else {
            t->sink->ops->more(t->sink);
        }
        t->sink->ops->end(t->sink, GROUP_STRUCT);
        at += length;
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
    return true;
}

static int acl_build(struct build *b, struct build_at at)
{
    int head = build_op(b, build_op_bytes(at, build_size(b, NT_ACL)));

    if (head != BUILD_FULL) {
        struct capture_op op = build_op_field(
            at, CAPTURE_FIELD16, head, build_offset(b, NT_ACL_AclSize), 1);

        op.most = ACL_BYTES;
        (void)build_op(b, op);
    }
    return head;
}

/* --- Descriptors ------------------------------------------------------ */

enum part {
    PART_OWNER,
    PART_GROUP,
    PART_SACL,
    PART_DACL,
};

/* Both forms. */
static const struct {
    enum nt_field pointer;
    enum nt_field offset;
} parts[] = {
    [PART_OWNER] = { NT_SECURITY_DESCRIPTOR_Owner,
                     NT_SECURITY_DESCRIPTOR_RELATIVE_Owner },
    [PART_GROUP] = { NT_SECURITY_DESCRIPTOR_Group,
                     NT_SECURITY_DESCRIPTOR_RELATIVE_Group },
    [PART_SACL] = { NT_SECURITY_DESCRIPTOR_Sacl,
                    NT_SECURITY_DESCRIPTOR_RELATIVE_Sacl },
    [PART_DACL] = { NT_SECURITY_DESCRIPTOR_Dacl,
                    NT_SECURITY_DESCRIPTOR_RELATIVE_Dacl },
};

/* Where the part is; false: there is none, or nobody knows. */
static bool find_part(const struct tell *t, uint64_t address, bool relative,
                      enum part part, uint64_t said, uint64_t *at,
                      uint64_t *room)
{
    uint32_t offset;

    if (!relative) {
        *room = TELL_ANY;
        return tell_read(t, address, parts[part].pointer, at) && *at != 0;
    }
    if (!tell_read32(t, address, parts[part].offset, &offset) ||
        offset < nt_size(NT_SECURITY_DESCRIPTOR_RELATIVE, t->width) ||
        offset >= said) {
        return false;
    }
    *at = address + offset;
    *room = said == TELL_ANY ? said : said - offset;
    return true;
}

static bool descriptor_tell(const struct tell *t, uint64_t address,
                            uint64_t said)
{
    uint16_t control;
    bool relative;
    uint64_t at;
    uint64_t room;

    if (!address || said < nt_size(NT_SECURITY_DESCRIPTOR_RELATIVE, t->width) ||
        !tell_read16(t, address, NT_SECURITY_DESCRIPTOR_Control, &control)) {
        return false;
    }
    relative = control & SE_SELF_RELATIVE;
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_open(t, "Control");
    tell_by_set(t, control, "SE_CONTROL");
    if (find_part(t, address, relative, PART_OWNER, said, &at, &room)) {
        tell_open(t, "Owner");
        tell_sid(t, at, room);
    }
    if (find_part(t, address, relative, PART_GROUP, said, &at, &room)) {
        tell_open(t, "Group");
        tell_sid(t, at, room);
    }
    if (control & SE_SACL_PRESENT &&
        find_part(t, address, relative, PART_SACL, said, &at, &room)) {
        tell_open(t, "Sacl");
        if (!acl_tell(t, at, room)) {
            tell_pointer(t, at);
        }
    }
    if (control & SE_DACL_PRESENT) {
        tell_open(t, "Dacl");
        if (!find_part(t, address, relative, PART_DACL, said, &at, &room)) {
            t->sink->ops->null(t->sink); /* everybody may do everything */
        } else if (!acl_tell(t, at, room)) {
            tell_pointer(t, at);
        }
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static int descriptor_build(struct build *b, struct build_at at)
{
    enum capture_when when = (enum capture_when)at.when;
    int piece = build_op(b, build_op_bytes(at, DESCRIPTOR_BYTES));

    if (piece == BUILD_FULL) {
        return piece;
    }
    /* If it is self-relative these are no pointers, and copy nothing. */
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct build_at part =
            build_at_piece(piece, build_offset(b, parts[i].pointer), when);

        (void)(i == PART_OWNER || i == PART_GROUP ? sid_build(b, part)
                                                  : acl_build(b, part));
    }
    return piece;
}

/* --- Parameters whose type is a plain pointer -------------------------- */

static bool sid_param_tell(const struct tell *t, const struct family_param *row,
                           uint32_t i, uint64_t address)
{
    (void)row;
    (void)i;
    return tell_there(t, address) && sid_tell(t, address, TELL_ANY);
}

/* What of argument `i` is copied in this half; false: nothing. */
static bool at_of(const struct build *b, uint32_t i, struct build_at *at)
{
    bool out = b->call->args[i].direction & ARG_OUT;

    *at = build_at_arg((int)i, out ? CAPTURE_FILLED : CAPTURE_ALWAYS);
    return out == b->at_return;
}

static bool sid_param_build(struct build *b, const struct family_param *row,
                            uint32_t i)
{
    struct build_at at;

    (void)row;
    if (at_of(b, i, &at)) {
        (void)sid_build(b, at);
    }
    return true;
}

static bool descriptor_param_tell(const struct tell *t,
                                  const struct family_param *row, uint32_t i,
                                  uint64_t address)
{
    uint64_t said = TELL_ANY;

    (void)row;
    if (!tell_there(t, address)) {
        return false;
    }
    if (t->call->stub->facts->args[i].size) {
        said = tell_said(t, "Length", "LengthNeeded");
    }
    return descriptor_tell(t, address, said);
}

static bool descriptor_param_build(struct build *b,
                                   const struct family_param *row, uint32_t i)
{
    int length = build_arg(b, "Length");
    int needed = build_arg(b, "LengthNeeded");
    struct build_at at;
    struct capture_op op;

    (void)row;
    if (!at_of(b, i, &at)) {
        return true;
    }
    if (!b->call->args[i].size) {
        (void)descriptor_build(b, at);
    } else if (length >= 0) {
        op = build_op_arg(at, length, 1);
        if (needed >= 0) {
            op.limit.unit = CAPTURE_POINTEE32;
            op.limit.from = (uint8_t)needed;
            op.limit.scale = 1;
        }
        op.most = 4096;
        (void)build_op(b, op);
    }
    return true;
}

/* --- Rows ------------------------------------------------------------- */

static const struct family_type types[] = {
    { .name = STR_INIT("ACL"),
      .tell = acl_tell,
      .build = acl_build,
      .pointer = "PACL" },
    TYPE_PLAIN(LUID_AND_ATTRIBUTES),
    TYPE_ENDS(PRIVILEGE_SET, ARRAY, Privilege, "PrivilegeCount"),
    { .name = STR_INIT("SECURITY_DESCRIPTOR"),
      .tell = descriptor_tell,
      .build = descriptor_build,
      .pointer = "PSECURITY_DESCRIPTOR" },
    TYPE_BUILT(SECURITY_DESCRIPTOR_RELATIVE, descriptor_tell, descriptor_build),
    { .name = STR_INIT("SE_TOKEN_USER"), .layout = "TOKEN_USER" },
    { .name = STR_INIT("SID"),
      .tell = sid_tell,
      .build = sid_build,
      .pointer = "PSID",
      .most = SID_SIZE_MAX },
    TYPE_PLAIN(SID_AND_ATTRIBUTES),
    { .name = STR_INIT("TOKEN_APPCONTAINER_INFORMATION"),
      .layout = "TOKEN_OWNER" },
    TYPE_PLAIN(TOKEN_DEFAULT_DACL),
    TYPE_ENDS(TOKEN_GROUPS, ARRAY, Groups, "GroupCount"),
    TYPE_PLAIN(TOKEN_MANDATORY_LABEL),
    TYPE_PLAIN(TOKEN_OWNER),
    TYPE_PLAIN(TOKEN_PRIMARY_GROUP),
    TYPE_ENDS(TOKEN_PRIVILEGES, ARRAY, Privileges, "PrivilegeCount"),
    TYPE_PLAIN(TOKEN_USER),
};

static const struct family_param params[] = {
    PARAM_OF_TYPE("PSECURITY_DESCRIPTOR", .tell = descriptor_param_tell,
                  .build = descriptor_param_build),
    PARAM_OF_TYPE("PSID", .tell = sid_param_tell, .build = sid_param_build),
};

const struct family family_security = {
    .name = "security",
    .types = types,
    .type_count = COUNT_OF(types),
    .params = params,
    .param_count = COUNT_OF(params),
};
