/* SPDX-License-Identifier: MIT */
/*
 * test_layout - nt/layout.c: one rule puts every field of the tables where x64
 * has it, and where a 32-bit compiler does (unit/layouts32.def); nt/read.c:
 * NT's structures by both widths.
 */
#include "nt/read.h"

#include "base/compiler.h"
#include "tables/ioctls.h"

#include <string.h>

#include "unit/check.h"

#define NOWHERE UINT32_MAX
#define AT 0x20000ull

static size_t layout_count(void)
{
    return struct_count() + ioctl_struct_count();
}

static const struct struct_row *layout_at(size_t i)
{
    return i < struct_count() ? struct_at(i)
                              : ioctl_struct_at(i - struct_count());
}

static void the_rule_puts_every_field_where_x64_has_it(void)
{
    CHECK(layout_count() > 250);
    for (size_t i = 0; i < layout_count(); i++) {
        const struct struct_row *row = layout_at(i);
        struct nt_layout l = { .size = 0 };

        if (!nt_layout_of(row, NT_64, &l) || l.size != row->size) {
            printf("%s: %u bytes\n", row->name, (unsigned)l.size);
            CHECK(false);
            continue;
        }
        for (uint32_t k = 0; k < row->field_count; k++) {
            const struct struct_field *field = &row->fields[k];

            if (l.fields[k].offset != field->offset ||
                (field->bits == 0 && l.fields[k].size != field->size)) {
                printf("%s.%s: %u bytes at %u\n", row->name, field->name,
                       (unsigned)l.fields[k].size,
                       (unsigned)l.fields[k].offset);
                CHECK(false);
            }
        }
    }
}

struct layout32 {
    const char *name;
    uint32_t size;
    const uint32_t *offsets;
    size_t count;
};

/* clang-format off */
#define LAYOUT(name_, size_, ...)                                           \
    { #name_, size_, (const uint32_t[]){ __VA_ARGS__ },                     \
      COUNT_OF(((const uint32_t[]){ __VA_ARGS__ })) },
static const struct layout32 compiled[] = {
#include "unit/layouts32.def"
};
/* clang-format on */

static void the_rule_puts_fields_where_a_32_bit_compiler_does(void)
{
    CHECK(COUNT_OF(compiled) > 200);
    for (size_t i = 0; i < COUNT_OF(compiled); i++) {
        const struct layout32 *want = &compiled[i];
        const struct struct_row *row = ioctl_struct(str_of(want->name));
        struct nt_layout l = { .size = 0 };

        if (!row || row->field_count != want->count ||
            !nt_layout_of(row, NT_32, &l) || l.size != want->size) {
            printf("%s: %u bytes\n", want->name, (unsigned)l.size);
            CHECK(false);
            continue;
        }
        for (uint32_t k = 0; k < row->field_count; k++) {
            bool there = l.fields[k].size > 0;

            if (there != (want->offsets[k] != NOWHERE) ||
                (there && l.fields[k].offset != want->offsets[k])) {
                printf("%s.%s: at %u\n", want->name, row->fields[k].name,
                       (unsigned)l.fields[k].offset);
                CHECK(false);
            }
        }
    }
}

static void well_known_structures_have_their_32_bit_form(void)
{
    CHECK_U64(nt_size(NT_OBJECT_ATTRIBUTES, NT_32), 24);
    CHECK_U64(nt_offset(NT_OBJECT_ATTRIBUTES_ObjectName, NT_32), 8);
    CHECK_U64(nt_size(NT_UNICODE_STRING, NT_32), 8);
    CHECK_U64(nt_offset(NT_UNICODE_STRING_Buffer, NT_32), 4);
    CHECK_U64(nt_size(NT_IO_STATUS_BLOCK, NT_32), 8);
    CHECK_U64(nt_size(NT_CLIENT_ID, NT_32), 8);
    CHECK_U64(nt_size(NT_PS_ATTRIBUTE, NT_32), 16);
    CHECK_U64(nt_offset(NT_RTL_USER_PROCESS_PARAMETERS_ImagePathName, NT_32),
              0x38);
    CHECK_U64(nt_offset(NT_RTL_USER_PROCESS_PARAMETERS_CommandLine, NT_32),
              0x40);
    CHECK_U64(nt_size(NT_PORT_MESSAGE, NT_32), 24);
    CHECK_U64(nt_size(NT_WSABUF, NT_32), 8);
    CHECK_U64(nt_size(NT_AFD_RECV_DATAGRAM_INFO, NT_32), 24);
    /* A LARGE_INTEGER stays on a multiple of 8. */
    CHECK_U64(nt_offset(NT_AFD_POLL_INFO_Handles, NT_32), 16);
    CHECK_U64(nt_size(NT_AFD_POLL_HANDLE_INFO, NT_32), 12);
}

/* Where there is no layout the rule says so, and nothing is read. */
static void a_context_has_no_other_width(void)
{
    struct nt_layout l;

    CHECK(nt_layout_of(struct_find(STR("CONTEXT")), NT_64, &l));
    CHECK(!nt_layout_of(struct_find(STR("CONTEXT")), NT_32, &l));
}

static void every_field_that_is_read_is_in_the_tables(void)
{
    for (int w = 0; w < NT_WIDTH_COUNT; w++) {
        for (int f = 0; f < NT_FIELD_COUNT; f++) {
            CHECK(nt_size((enum nt_field)f, (enum nt_width)w) > 0);
        }
    }
}

/* What is read on x64 is read where rows say, and that is where the rule puts
 * it: a word for bits. */
static void what_is_read_on_x64_is_where_the_rule_puts_it(void)
{
    static const struct {
        enum nt_field id;
        const char *structure;
        const char *field;
    } fields[] = {
#define NT_STRUCT(structure_) { NT_##structure_, #structure_, NULL },
#define NT_FIELD(structure_, field_) \
    { NT_##structure_##_##field_, #structure_, #field_ },
#define NT_FIELD_AS(structure_, id_, name_) \
    { NT_##structure_##_##id_, #structure_, name_ },
#include "nt/fields.def"
#undef NT_STRUCT
#undef NT_FIELD
#undef NT_FIELD_AS
    };

    CHECK_U64(COUNT_OF(fields), NT_FIELD_COUNT);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct struct_row *row =
            ioctl_struct(str_of(fields[i].structure));
        struct nt_place want = { 0, 0 };
        struct nt_layout l = { .size = 0 };

        CHECK(nt_layout_of(row, NT_64, &l));
        want.size = l.size;
        for (uint32_t k = 0; fields[i].field && k < row->field_count; k++) {
            if (strcmp(row->fields[k].name, fields[i].field) == 0) {
                want = l.fields[k];
            }
        }
        CHECK_U64(nt_offset(fields[i].id, NT_64), want.offset);
        CHECK_U64(nt_size(fields[i].id, NT_64), want.size);
    }
}

static uint8_t bytes[512];
static const struct memory_piece piece = { AT, sizeof(bytes), bytes };
static const struct memory all = { &piece, 1 };

static void put(uint32_t at, uint32_t size, uint64_t n)
{
    for (uint32_t i = 0; i < size; i++) {
        bytes[at + i] = (uint8_t)(n >> (8 * i));
    }
}

static void attributes_are_read_by_both_widths(void)
{
    struct nt_attributes a;

    for (int i = 0; i < NT_WIDTH_COUNT; i++) {
        enum nt_width w = (enum nt_width)i;
        uint32_t word = nt_pointer_size(w);

        memset(bytes, 0xee, sizeof(bytes));
        put(word, word, 0x44);
        put(2 * word, word, AT + 0x80);
        put(0x80, 2, 10);
        put(0x80 + word, word, 0x1234);
        CHECK(nt_attributes_read(&all, w, AT, &a));
        CHECK_U64(a.root, 0x44);
        CHECK(a.named && a.name_known);
        CHECK_U64(a.name.length, 10);
        CHECK_U64(a.name.buffer, 0x1234);

        put(2 * word, word, 0x10);  // leads nowhere
        CHECK(nt_attributes_read(&all, w, AT, &a));
        CHECK(a.named && !a.name_known);
        CHECK_U64(a.name.length, 0);

        put(2 * word, word, 0);
        CHECK(nt_attributes_read(&all, w, AT, &a));
        CHECK(!a.named && a.name_known);
    }
}

static void what_is_not_all_there_is_not_read(void)
{
    uint64_t end = AT + sizeof(bytes);
    struct nt_attributes a = { .root = 7 };
    struct nt_string s = { 8, 9 };
    struct nt_client c = { 1, 2 };
    uint64_t n = 5;
    uint16_t half = 6;

    memset(bytes, 0, sizeof(bytes));
    CHECK(!nt_attributes_read(&all, NT_64, end - 23, &a));
    CHECK_U64(a.root, 7);
    CHECK(nt_attributes_read(&all, NT_32, end - 12, &a));
    CHECK(!nt_string_read(&all, NT_64, end - 15, &s));
    CHECK(!nt_string_read(&all, NT_32, end - 7, &s));
    CHECK_U64(s.buffer, 8);
    CHECK_U64(s.length, 9);
    CHECK(nt_string_read(&all, NT_32, end - 8, &s));
    CHECK(!nt_pointer_read(&all, NT_64, end - 7, &n));
    CHECK_U64(n, 5);
    CHECK(nt_pointer_read(&all, NT_32, end - 7, &n));
    CHECK(!nt_information_read(&all, NT_32, UINT64_MAX, &n));
    /* Of a CLIENT_ID what is there. */
    put(sizeof(bytes) - 8, 8, 0x111);
    CHECK(!nt_client_read(&all, NT_64, end - 8, &c));
    CHECK_U64(c.pid, 0x111);
    CHECK_U64(c.tid, 2);
    /* Nor what has no room where it is to go. */
    CHECK(!nt_read16(&all, NT_64, AT, NT_IO_STATUS_BLOCK_Status, &half));
    CHECK_U64(half, 6);
    CHECK(!nt_read(&all, NT_64, AT, NT_OBJECT_ATTRIBUTES, &n));
}

static void a_list_of_attributes_ends_where_it_says(void)
{
    struct nt_attribute a;
    uint64_t count;

    for (int i = 0; i < NT_WIDTH_COUNT; i++) {
        enum nt_width w = (enum nt_width)i;
        uint32_t word = nt_pointer_size(w);

        memset(bytes, 0, sizeof(bytes));
        put(0, word, word + 2 * 4 * word + 1);
        put(word + 4 * word, word, 0x20005);
        put(word + 5 * word, word, 34);
        put(word + 6 * word, word, 0x5678);
        CHECK(nt_attribute_count(&all, w, AT, &count));
        CHECK_U64(count, 2);
        CHECK(nt_attribute_read(&all, w, AT, 1, &a));
        CHECK_U64(a.attribute & NT_ATTRIBUTE_NUMBER, 5);
        CHECK_U64(a.size, 34);
        CHECK_U64(a.value, 0x5678);
        CHECK(!nt_attribute_read(&all, w, AT, 2, &a));
        put(0, word, 3);
        CHECK(nt_attribute_count(&all, w, AT, &count));
        CHECK_U64(count, 0);
        CHECK(!nt_attribute_read(&all, w, AT, 0, &a));
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(the_rule_puts_every_field_where_x64_has_it),
        TEST(the_rule_puts_fields_where_a_32_bit_compiler_does),
        TEST(well_known_structures_have_their_32_bit_form),
        TEST(a_context_has_no_other_width),
        TEST(every_field_that_is_read_is_in_the_tables),
        TEST(what_is_read_on_x64_is_where_the_rule_puts_it),
        TEST(attributes_are_read_by_both_widths),
        TEST(what_is_not_all_there_is_not_read),
        TEST(a_list_of_attributes_ends_where_it_says),
    };

    return check_run(tests, COUNT_OF(tests));
}
