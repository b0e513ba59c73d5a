/* SPDX-License-Identifier: MIT */
/*
 * test_plan.c - what is recorded of which call: rows by roles and wishes.
 */
#include "plan/plan.h"

#include "decode/shape.h"
#include "tables/roles.h"
#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

static struct plan plan;
static struct filter *filter;

/* A plan for what `expression` wants; "" for all. */
static void begin(const char *expression, bool arguments, bool handles)
{
    struct plan_wants wants = { .arguments = arguments, .handles = handles };
    struct err e = { 0 };

    filter = filter_open();
    if (filter == NULL ||
        (expression[0] != 0 && !filter_add(filter, str_of(expression), &e))) {
        abort();
    }
    wants.filter = filter;
    wants.capture.string_max = 32;
    plan_open(&plan, &wants, (struct call_system){ .wine = true }, true);
}

static void end(void)
{
    plan_close(&plan);
    filter_close(filter);
}

static struct call_row row(const char *name)
{
    return plan_row(&plan, str_of(name), 7);
}

static void roles_are_flags_of_rows(void)
{
    static const struct {
        const char *call;
        uint8_t flags;
    } rows[] = {
        { "NtContinue", ROW_ENDS_ITSELF },
        { "NtContinueEx", ROW_ENDS_ITSELF },
        { "NtCallbackReturn", ROW_ENDS_ITSELF },
        { "NtSetContextThread", ROW_SETS_CONTEXT },
        { "NtSetInformationProcess", ROW_SETS_CALLBACK },
        { "NtMapViewOfSection", ROW_MAPS },
        { "NtMapViewOfSectionEx", ROW_MAPS },
        { "NtRemoveIoCompletion", ROW_TELLS },
        { "NtRemoveIoCompletionEx", ROW_TELLS },
        { "NtWaitForSingleObject", ROW_TELLS },
        { "NtWaitForMultipleObjects", ROW_TELLS },
        { "NtSignalAndWaitForSingleObject", ROW_TELLS },
        { "NtDelayExecution", ROW_TELLS },
        { "NtCancelIoFileEx", ROW_TELLS },
        { "NtClose", ROW_TELLS },
        { "NtReadFile", 0 },
        { "NtOpenKey", 0 },
        { "NtNobodyKnows", 0 },
    };

    begin("", false, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_U64(row(rows[i].call).flags & ~ROW_CAPTURES, rows[i].flags);
    }
    CHECK_U64(row("NtReadFile").more, 5);
    CHECK_U64(row("NtNobodyKnows").more, 0);
    end();
}

/* Calls that can make a guard page, or make room for one. */
static void what_changes_memory_is_seen(void)
{
    static const char *const calls[] = {
        "NtAllocateVirtualMemory", "NtAllocateVirtualMemoryEx",
        "NtCreateThread",          "NtCreateThreadEx",
        "NtFreeVirtualMemory",     "NtMapViewOfSection",
        "NtMapViewOfSectionEx",    "NtProtectVirtualMemory",
        "NtSetInformationProcess", "NtSetInformationVirtualMemory",
        "NtUnmapViewOfSection",    "NtUnmapViewOfSectionEx",
        "NtWriteVirtualMemory",
    };

    /* Whatever is wanted: here nothing. */
    begin("trace=NtQueryTimer", false, false);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        CHECK(row(calls[i]).more & ROW_CHANGES);
    }
    CHECK(!(row("NtReadVirtualMemory").more & ROW_CHANGES));
    CHECK(row("NtProtectVirtualMemory").flags & ROW_FILTERED);
    end();
}

/* What we know of the process depends on some of them. */
static void what_nobody_wants_is_not_recorded(void)
{
    begin("trace=NtReadFile", true, false);
    CHECK(!(row("NtReadFile").flags & ROW_FILTERED));
    CHECK(row("NtReadFile").program != 0);
    CHECK(row("NtOpenKey").flags & ROW_FILTERED);
    CHECK(row("NtClose").flags & ROW_FILTERED);
    CHECK(row("NtNobodyKnows").flags & ROW_FILTERED);
    CHECK(!(row("NtMapViewOfSection").flags & ROW_FILTERED));
    CHECK(!(row("NtTerminateJobObject").flags & ROW_FILTERED));
    CHECK(!(row("NtCreateUserProcess").flags & ROW_FILTERED));
    end();
    begin("trace=NtReadFile", true, true);
    CHECK(!(row("NtOpenKey").flags & ROW_FILTERED));
    CHECK(row("NtOpenKey").flags & ROW_CAPTURES);
    CHECK(!(row("NtClose").flags & ROW_FILTERED));
    CHECK(row("NtQueryTimer").flags & ROW_FILTERED);
    end();
}

/* The program of a row that a plan for `expression` with 8 KiB of stack makes. */
static uint32_t stack_of(const char *expression, bool arguments,
                         const char *name)
{
    struct capture_program head = { .stack = 0 };
    struct call_row made;

    begin(expression, arguments, true);
    plan.wants.stack = 8192;
    made = row(name);
    if (made.program != 0) {
        memcpy(&head, plan.bytes + made.program - SECTION_PROGRAMS,
               sizeof(head));
        CHECK(made.flags & ROW_CAPTURES);
    }
    end();
    return (uint32_t)head.stack * CAPTURE_STACK_UNIT;
}

static void stacks_are_copied_of_what_is_shown(void)
{
    CHECK_U64(stack_of("trace=NtReadFile", true, "NtReadFile"), 8192);
    CHECK_U64(stack_of("trace=NtReadFile", false, "NtReadFile"), 8192);
    /* Plain words alone; a call that no table has. */
    CHECK_U64(stack_of("", true, "NtYieldExecution"), 8192);
    CHECK_U64(stack_of("", true, "NtNobodyKnows"), 8192);
    /* They are looked at for the sake of handles. */
    CHECK_U64(stack_of("trace=NtReadFile", true, "NtOpenKey"), 0);
    CHECK_U64(stack_of("trace=NtReadFile", true, "NtClose"), 0);
    CHECK_U64(stack_of("trace=NtReadFile", true, "NtQueryTimer"), 0);
}

static void a_program_is_there_once(void)
{
    uint32_t used;

    begin("", true, false);
    CHECK(row("NtOpenFile").program != 0);
    used = plan.used;
    CHECK(used > 0);
    CHECK_U64(row("NtOpenFile").program, row("NtOpenFile").program);
    CHECK_U64(plan.used, used);
    CHECK(row("NtOpenKey").program != row("NtOpenFile").program);
    CHECK(plan.used > used);
    end();
}

/* Another process with the same module has the same rows. */
static void a_row_is_made_once(void)
{
    struct call_row first;

    begin("", true, false);
    first = row("NtOpenFile");
    /* What would be made now would be another one. */
    plan.entries = false;
    CHECK_U64(row("NtOpenFile").program, first.program);
    CHECK_U64(row("NtOpenFile").flags, first.flags);
    CHECK_U64(row("NtOpenKey").program, 0);
    end();
}

static void services_are_known_by_number(void)
{
    begin("", true, false);
    plan_row(&plan, STR("NtCreateThreadEx"), 0x1234);
    CHECK_U64(plan.services[0x1234].roles,
              ROLE_MAKES_THREAD | ROLE_CHANGES_MEMORY);
    CHECK_U64(plan.services[0x1234].code_args, 1 << 4);
    plan_row(&plan, STR("NtReadFile"), 6);
    CHECK_U64(plan.services[6].code_args, 1 << 2);
    end();
}

/* Which arguments are code is told and looked for by the same rule. */
static void what_is_looked_for_is_what_is_told_as_code(void)
{
    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *facts = call_at(i);
        struct shape shape;
        uint32_t told = 0;

        shape_of(facts, &shape);
        for (uint32_t k = 0; k < facts->arg_count; k++) {
            told |= (uint32_t)(shape.args[k].sort == SORT_CODE) << k;
        }
        CHECK_U64(call_code_args(facts), told);
    }
}

static void rules_are_uses_of_their_calls_in_their_order(void)
{
    static char section[SECTION_RINGS];
    const char *at = section + SECTION_TAMPER;
    const struct tamper_use *u;
    struct call_row r;
    uint16_t first;

    begin("trace=none", false, false);
    CHECK(filter_add(filter, STR("fault=NtOpenKey"), &(struct err){ 0 }));
    CHECK(filter_add(filter,
                     STR("inject=NtYieldExecution,NtOpenKey:delay_enter=3ms:"
                         "when=2..9+3"),
                     &(struct err){ 0 }));
    CHECK(filter_add(filter, STR("inject=NtOpenKey:status=1:after:path=*x"),
                     &(struct err){ 0 }));
    plan_row(&plan, STR("NtYieldExecution"), 5);
    r = plan_row(&plan, STR("NtOpenKey"), 6);
    /* Recorded, though nobody wants to see it. */
    CHECK_U64(r.more, ROW_TAMPERS);
    CHECK_U64(r.flags, ROW_SLOW_ENTRY);
    CHECK_U64(plan_row(&plan, STR("NtYieldExecution"), 5).more, ROW_TAMPERS);
    CHECK_U64(row("NtQueryTimer").more & ROW_TAMPERS, 0);
    CHECK_U64(row("NtQueryTimer").flags, ROW_FILTERED);

    plan_put_rules(&plan, 1000, section);
    plan_put_uses(&plan, 6, section);
    memcpy(&first, at + TAMPER_FIRST + 2 * 6, 2);
    CHECK_U64(first, 2);
    u = (const struct tamper_use *)(const void *)(at + TAMPER_USES);
    CHECK_U64(u[1].rule, 0);
    CHECK_U64(u[1].flags, TAMPER_REPLACES);
    CHECK_U64(u[1].result, 0xc0000002);
    CHECK_U64(u[1].next, 3);
    CHECK_U64(u[2].rule, 1);
    CHECK_U64(u[2].flags, 0);
    CHECK_U64(u[2].next, 4);
    CHECK_U64(u[3].rule, 2);
    CHECK_U64(u[3].flags, TAMPER_CHANGES | TAMPER_ASKS);
    CHECK_U64(u[3].next, 0);
    /* A DLL that is loaded once more brings its calls again: counting goes on. */
    ((struct tamper_use *)(uintptr_t)&u[2])->met = 7;
    ((struct tamper_use *)(uintptr_t)&u[2])->fired = 2;
    plan_put_uses(&plan, 6, section);
    CHECK_U64(u[2].rule, 1);
    CHECK_U64(u[2].met, 7);
    CHECK_U64(u[2].fired, 2);
    /* That of the other call was not written. */
    CHECK_U64(u[0].rule, 0);
    CHECK_U64(plan_first_use(&plan, 5)->rule, 1);
    CHECK(plan_first_use(&plan, 7) == NULL);
    CHECK_U64(((const struct tamper_rule *)(const void *)at)[1].delay_enter,
              3000);
    CHECK_U64(((const struct tamper_rule *)(const void *)at)[1].last, 9);
    CHECK_U64(((const struct tamper_rule *)(const void *)at)[1].step, 3);
    end();
}

int main(void)
{
    const struct test tests[] = {
        TEST(roles_are_flags_of_rows),
        TEST(what_changes_memory_is_seen),
        TEST(what_nobody_wants_is_not_recorded),
        TEST(stacks_are_copied_of_what_is_shown),
        TEST(a_program_is_there_once),
        TEST(a_row_is_made_once),
        TEST(services_are_known_by_number),
        TEST(what_is_looked_for_is_what_is_told_as_code),
        TEST(rules_are_uses_of_their_calls_in_their_order),
    };

    return check_run(tests, COUNT_OF(tests));
}
