/* SPDX-License-Identifier: MIT */
/*
 * test_capture - decode/capture.c: what is copied for which call, and that no
 * row of the tables makes a program that the agent would have to refuse.
 */
#include "base/compiler.h"
#include "decode/build.h"
#include "decode/capture.h"
#include "decode/shape.h"
#include "tables/types.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

_Alignas(8) static uint8_t room[CAPTURE_PROGRAM_MAX + 64];
static const struct capture_program *program = (const void *)room;

static size_t compile(const char *name, struct capture_options options)
{
    const struct call_facts *facts = call_find(str_of(name));

    if (!facts) {
        printf("no call %s\n", name);
        abort();
    }
    memset(room, 0xee, sizeof(room));
    return capture_compile(facts, &options, room);
}

#define COMPILE(name_, ...) \
    compile((name_), (struct capture_options){ __VA_ARGS__ })

static const struct capture_op *entry_op(uint32_t i)
{
    return i < program->entry_count ? &program->ops[i] : NULL;
}

static const struct capture_op *return_op(uint32_t i)
{
    return i < program->return_count ? &program->ops[program->entry_count + i]
                                     : NULL;
}

/* The operation of a half that copies what argument `arg` points to. */
static const struct capture_op *op_of(bool at_return, uint32_t arg)
{
    const struct capture_op *op;

    for (uint32_t i = 0; (op = at_return ? return_op(i) : entry_op(i)) != NULL;
         i++) {
        if (op->base == arg) {
            return op;
        }
    }
    return NULL;
}

static bool is_size(const struct capture_op *op, enum capture_unit unit,
                    uint32_t from, uint32_t scale)
{
    return op && op->size.unit == unit && op->size.scale == scale &&
           (unit == CAPTURE_ONE || op->size.from == from);
}

static void a_call_of_plain_values_needs_no_program(void)
{
    CHECK_U64(COMPILE("NtClose", .string_max = 32), 0);
    CHECK_U64(COMPILE("NtYieldExecution", .string_max = 32), 0);
}

static void an_open_takes_its_name_whole_and_its_outputs_when_filled(void)
{
    size_t size = COMPILE("NtOpenFile", .string_max = 1);
    const struct capture_op *op;

    CHECK_U64(size, sizeof(*program) +
                        32ull * (program->entry_count + program->return_count));
    CHECK_U64(program->result, CAPTURE_RESULT_STATUS);
    CHECK(is_size(entry_op(0), CAPTURE_ONE, 0, 48));
    CHECK_U64(entry_op(0)->base, 2);
    CHECK(is_size(entry_op(1), CAPTURE_ONE, 0, 16));
    CHECK_U64(entry_op(1)->base, CAPTURE_PIECE);
    CHECK_U64(entry_op(1)->offset, 16);
    op = entry_op(2);
    CHECK(is_size(op, CAPTURE_FIELD16, CAPTURE_PIECE + 1, 1));
    CHECK_U64(op->base, CAPTURE_PIECE + 1);
    CHECK_U64(op->offset, 8);
    CHECK_U64(op->most, 65534);
    CHECK_U64(program->return_count, 2);
    CHECK(is_size(op_of(true, 0), CAPTURE_ONE, 0, 8));
    CHECK_U64(op_of(true, 0)->when, CAPTURE_FILLED);
    CHECK(is_size(op_of(true, 3), CAPTURE_ONE, 0, 16));
}

static void of_data_no_more_is_taken_than_is_shown(void)
{
    COMPILE("NtWriteFile", .string_max = 32);
    CHECK(is_size(op_of(false, 5), CAPTURE_VALUE, 6, 1));
    CHECK_U64(op_of(false, 5)->most, 32);
    CHECK(!op_of(true, 5));
    COMPILE("NtWriteFile", .string_max = 32, .dumps = true);
    CHECK_U64(op_of(false, 5)->most, CAPTURE_BYTES_MAX);
    COMPILE("NtWriteFile", .string_max = 0);
    CHECK(!op_of(false, 5));
}

static void a_read_is_bounded_by_what_was_read(void)
{
    const struct capture_op *op;
    uint32_t from;

    COMPILE("NtReadFile", .string_max = 32);
    CHECK(!op_of(false, 5));
    op = op_of(true, 5);
    CHECK(is_size(op, CAPTURE_VALUE, 6, 1));
    CHECK_U64(op->limit.unit, CAPTURE_FIELD64);
    CHECK_U64(op->limit.offset, 8);
    from = op->limit.from - CAPTURE_PIECE;
    CHECK(return_op(from) && return_op(from) < op);
    CHECK_U64(return_op(from)->base, 4);
}

static void a_buffer_with_an_information_class_is_taken_whole(void)
{
    COMPILE("NtQueryInformationFile", .string_max = 32);
    CHECK_U64(op_of(true, 2)->most, 4096);
    COMPILE("NtQueryInformationFile", .string_max = 32, .verbose = true);
    CHECK_U64(op_of(true, 2)->most, 65536);
    COMPILE("NtQueryInformationFile", .string_max = 10000);
    CHECK_U64(op_of(true, 2)->most, 10000);
}

static void a_length_is_taken_when_it_is_what_is_needed(void)
{
    COMPILE("NtQueryInformationProcess", .string_max = 32);
    CHECK_U64(op_of(true, 4)->when, CAPTURE_LENGTH);
    CHECK_U64(op_of(true, 2)->when, CAPTURE_FILLED);
    CHECK_U64(op_of(true, 2)->limit.unit, CAPTURE_POINTEE32);
    CHECK_U64(op_of(true, 2)->limit.from, 4);
}

static void what_goes_in_and_out_is_taken_twice(void)
{
    COMPILE("NtProtectVirtualMemory", .string_max = 32);
    CHECK(is_size(op_of(false, 1), CAPTURE_ONE, 0, 8));
    CHECK(is_size(op_of(true, 1), CAPTURE_ONE, 0, 8));
    CHECK(!op_of(false, 4));
    CHECK(is_size(op_of(true, 4), CAPTURE_ONE, 0, 4));
}

static void positions_in_files_are_one_kind(void)
{
    static struct shape shape;
    uint32_t positions = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *facts = call_at(i);

        shape_of(facts, &shape);
        for (uint32_t k = 0; k < facts->arg_count; k++) {
            const struct type_row *type = facts->args[k].type;

            if (str_ends(shape.args[k].name, STR("Offset")) &&
                str_eq(str_of(type->name), STR("PLARGE_INTEGER"))) {
                CHECK(shape.args[k].to_sort == SORT_OFFSET);
                positions++;
            }
        }
    }
    CHECK(positions >= 10);
    CHECK(sort_named(SORT_WORD, 4, STR("DebugInfoFileOffset")) == SORT_DEC);
    CHECK(sort_named(SORT_WORD, 4, STR("DataOffset")) == SORT_HEX);
}

static void an_array_is_counted_in_elements(void)
{
    COMPILE("NtWaitForMultipleObjects", .string_max = 32);
    CHECK(is_size(op_of(false, 1), CAPTURE_VALUE, 0, 8));
    CHECK_U64(op_of(false, 1)->most, 512);
}

static void for_names_alone_no_data_is_taken(void)
{
    COMPILE("NtOpenFile", .string_max = 32, .names_only = true);
    CHECK_U64(program->entry_count, 3);
    CHECK_U64(program->return_count, 1);
    CHECK_U64(COMPILE("NtWriteFile", .string_max = 32, .names_only = true), 0);
    CHECK(COMPILE("NtOpenProcess", .string_max = 32, .names_only = true) > 0);
    CHECK(op_of(false, 3) && op_of(true, 0));
}

static void for_names_alone_a_sockets_attributes_are_taken(void)
{
    /* EaBuffer says which socket it is; other buffers name nothing. */
    COMPILE("NtCreateFile", .string_max = 32, .names_only = true);
    CHECK(op_of(false, 9) != NULL);
    CHECK_U64(COMPILE("NtSetEaFile", .string_max = 32, .names_only = true), 0);
    CHECK_U64(
        COMPILE("NtQueryDirectoryObject", .string_max = 32, .names_only = true),
        0);
    COMPILE("NtCreateFile", .string_max = 32);
    CHECK(op_of(false, 9) != NULL);
    /* For its structures one is taken as far as they are told. */
    COMPILE("NtSetEaFile", .string_max = 32);
    CHECK_U64(op_of(false, 2) ? op_of(false, 2)->most : 0, 4096);
}

static void what_counts_as_filled_goes_by_the_result(void)
{
    COMPILE("NtUserGetCursorPos", .string_max = 32);
    CHECK(program->result == CAPTURE_RESULT_BOOL ||
          program->result == CAPTURE_RESULT_ANY);
    CHECK_U64(program->return_count, 1);
}

static void a_full_program_takes_no_more(void)
{
    struct capture_options options = { .string_max = 32 };
    struct build b = { .program = (struct capture_program *)(void *)room,
                       .call = call_find(STR("NtOpenFile")),
                       .options = &options };

    memset(room, 0, sizeof(room));
    room[CAPTURE_PROGRAM_MAX] = 0xee;
    for (int i = 0; i < CAPTURE_OPS_MAX; i++) {
        CHECK(build_op(&b, (struct capture_op){ .base = 2 }) == i);
    }
    CHECK(build_op(&b, (struct capture_op){ .base = 2 }) == BUILD_FULL);
    b.at_return = true;
    CHECK(build_op(&b, (struct capture_op){ .base = 2 }) == BUILD_FULL);
    CHECK_U64(program->entry_count, CAPTURE_OPS_MAX);
    CHECK_U64(program->return_count, 0);
    CHECK(room[CAPTURE_PROGRAM_MAX] == 0xee);
}

static bool is_sized_arg(const struct call_facts *facts, uint32_t i)
{
    const struct type_row *type = facts->args[i].type;

    return type && type->class == CLASS_PTR;
}

static bool is_good_size(const struct call_facts *facts,
                         const struct capture_size *s, uint32_t index,
                         bool at_return)
{
    switch ((enum capture_unit)s->unit) {
    case CAPTURE_NO_LIMIT:
        return true;
    case CAPTURE_ONE:
        return s->scale > 0;
    case CAPTURE_VALUE:
    case CAPTURE_VALUE64:
        return s->scale > 0 && s->from < facts->arg_count;
    case CAPTURE_POINTEE32:
    case CAPTURE_POINTEE64:
        return s->scale > 0 && s->from < facts->arg_count &&
               is_sized_arg(facts, s->from);
    case CAPTURE_FIELD16:
    case CAPTURE_FIELD32:
    case CAPTURE_FIELD64:
        return s->scale > 0 && s->from >= CAPTURE_PIECE &&
               s->from - CAPTURE_PIECE < (int)index &&
               s->offset + 8u <= CAPTURE_KEEP;
    case CAPTURE_RESULT:
        return s->scale > 0 && at_return;
    case CAPTURE_ZERO_ENDED:
        return s->scale == 1 || s->scale == 2;
    }
    return false;
}

static bool is_good_op(const struct call_facts *facts,
                       const struct capture_op *op, uint32_t index,
                       bool at_return)
{
    /* (lParam is a pointer now and then, though not by its type.) */
    bool base =
        op->base < CAPTURE_PIECE
            ? op->base < facts->arg_count &&
                  (op->test == CAPTURE_IF_ARG || is_sized_arg(facts, op->base))
            : op->base - CAPTURE_PIECE < (int)index &&
                  op->offset + 8u <= CAPTURE_KEEP;

    if (op->test == CAPTURE_EACH &&
        (op->base < CAPTURE_PIECE || op->test_value < 8)) {
        return false;
    }
    return base && op->most > 0 && op->most <= CAPTURE_BYTES_MAX &&
           op->test <= CAPTURE_EACH && op->size.unit != CAPTURE_NO_LIMIT &&
           (at_return || op->when == CAPTURE_ALWAYS) &&
           op->when <= CAPTURE_COMPLETED &&
           is_good_size(facts, &op->size, index, at_return) &&
           is_good_size(facts, &op->limit, index, at_return);
}

static void no_row_makes_a_program_that_is_refused(void)
{
    uint32_t programs = 0;
    uint32_t ops = 0;
    uint32_t longest = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *facts = call_at(i);

        for (int k = 0; k < 8; k++) {
            struct capture_options options = { .string_max = 32,
                                               .verbose = (k & 1) != 0,
                                               .names_only = (k & 2) != 0,
                                               .dumps = (k & 4) != 0 };
            uint32_t count;
            size_t size;

            memset(room, 0xee, sizeof(room));
            size = capture_compile(facts, &options, room);
            CHECK(room[CAPTURE_PROGRAM_MAX] == 0xee);
            if (size == 0) {
                continue;
            }
            count = (uint32_t)program->entry_count + program->return_count;
            CHECK(count <= CAPTURE_OPS_MAX);
            CHECK_U64(size,
                      sizeof(*program) + count * sizeof(struct capture_op));
            for (uint32_t n = 0; n < count && size; n++) {
                bool at_return = n >= program->entry_count;
                uint32_t index = at_return ? n - program->entry_count : n;

                if (!is_good_op(facts, &program->ops[n], index, at_return)) {
                    printf("%s: operation %u\n", facts->name, n);
                    check_bad++;
                }
            }
            programs += k == 0;
            ops += k == 0 ? count : 0;
            longest = count > longest ? count : longest;
        }
    }
    printf("     %u programs of %zu calls, %u operations, at most %u\n",
           programs, call_count(), ops, longest);
    CHECK(programs > 500);
}

/* --- calls that may be pending --- */

/* Nothing begins in the piece of operation `index` of the return, or has its
 * size from there. */
static bool is_last(uint32_t index)
{
    uint8_t piece = (uint8_t)(CAPTURE_PIECE + index);

    for (uint32_t i = 0; i < program->return_count; i++) {
        const struct capture_op *op = return_op(i);

        if (op->base == piece || op->size.from == piece ||
            op->limit.from == piece) {
            return false;
        }
    }
    return true;
}

static void outputs_of_what_may_be_pending_are_noted(void)
{
    const struct capture_op *op;
    uint32_t leads = 0, noted = 0;

    COMPILE("NtReadFile", .string_max = 32);
    CHECK_U64(program->block, 5);
    CHECK_U64(program->notes, 1);
    CHECK_U64(program->signals, 1);
    op = op_of(true, 5);
    CHECK_U64(op->when, CAPTURE_COMPLETED);
    CHECK_U64(op_of(true, 4)->when, CAPTURE_FILLED);

    /* The WSABUFs of a receive lead to what it fills. */
    COMPILE("NtDeviceIoControlFile", .string_max = 32);
    CHECK_U64(program->block, 5);
    for (uint32_t i = 0; i < program->return_count; i++) {
        op = return_op(i);
        leads += op->when == CAPTURE_LEADS;
        noted += op->when == CAPTURE_COMPLETED;
        CHECK(op->when != CAPTURE_COMPLETED || is_last(i));
        CHECK(op->when != CAPTURE_LEADS || !is_last(i));
        CHECK(op->when != CAPTURE_LEADS || op->base == 6 ||
              op->base >= CAPTURE_PIECE);
    }
    CHECK(leads >= 2 && noted > leads);

    /* Nothing is copied, but its end is told. */
    COMPILE("NtWriteFile", .string_max = 32);
    CHECK_U64(program->notes, 1);
    COMPILE("NtReadFile", .string_max = 32, .names_only = true);
    CHECK_U64(program->notes, 0);
    /* Those are done when they return, and that one waits for others. */
    COMPILE("NtQueryInformationFile", .string_max = 32);
    CHECK_U64(program->block, 0);
    CHECK_U64(op_of(true, 2)->when, CAPTURE_FILLED);
    COMPILE("NtRemoveIoCompletion", .string_max = 32);
    CHECK_U64(program->block, 0);
}

static void a_block_that_is_used_again_is_seen(void)
{
    CHECK_U64(capture_compile_block(call_find(STR("NtWriteFile")), room), 8);
    CHECK_U64(program->block, 5);
    CHECK_U64(program->notes, 0);
    CHECK_U64((uint64_t)program->entry_count + program->return_count, 0);
    CHECK_U64(capture_compile_block(call_find(STR("NtClose")), room), 0);
}

/* As agent/capture.c has it. */
static bool agent_copies(uint8_t kind, uint64_t rax)
{
    switch ((enum capture_result)kind) {
    case CAPTURE_RESULT_STATUS:
        return ((int32_t)rax >= 0 && (uint32_t)rax != 0x103) ||
               (uint32_t)rax == 0x80000005;
    case CAPTURE_RESULT_BOOL:
        return (uint32_t)rax != 0;
    case CAPTURE_RESULT_WORD:
        return rax != 0;
    case CAPTURE_RESULT_ANY:
        return true;
    }
    return false;
}

/* The agent copies no less than the decoder shows. */
static void what_a_call_has_filled_is_copied(void)
{
    static const uint64_t results[] = { 0,          1,          0x102,
                                        0x103,      0x80000005, 0xc0000005,
                                        0xffffffff, 1ull << 32, UINT64_MAX };
    const struct capture_options options = { .string_max = 32 };
    size_t programs = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *facts = call_at(i);

        if (capture_compile(facts, &options, room) == 0) {
            continue;
        }
        programs++;
        for (size_t k = 0; k < COUNT_OF(results); k++) {
            if (call_filled(facts, call_fills(facts), results[k]) &&
                !agent_copies(program->result, results[k])) {
                printf("%s = %#llx\n", facts->name,
                       (unsigned long long)results[k]);
                CHECK(false);
            }
        }
    }
    CHECK(programs > 500);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_call_of_plain_values_needs_no_program),
        TEST(an_open_takes_its_name_whole_and_its_outputs_when_filled),
        TEST(of_data_no_more_is_taken_than_is_shown),
        TEST(a_read_is_bounded_by_what_was_read),
        TEST(a_buffer_with_an_information_class_is_taken_whole),
        TEST(a_length_is_taken_when_it_is_what_is_needed),
        TEST(what_goes_in_and_out_is_taken_twice),
        TEST(positions_in_files_are_one_kind),
        TEST(an_array_is_counted_in_elements),
        TEST(for_names_alone_no_data_is_taken),
        TEST(for_names_alone_a_sockets_attributes_are_taken),
        TEST(what_counts_as_filled_goes_by_the_result),
        TEST(what_a_call_has_filled_is_copied),
        TEST(a_full_program_takes_no_more),
        TEST(no_row_makes_a_program_that_is_refused),
        TEST(outputs_of_what_may_be_pending_are_noted),
        TEST(a_block_that_is_used_again_is_seen),
    };

    return check_run(tests, COUNT_OF(tests));
}
