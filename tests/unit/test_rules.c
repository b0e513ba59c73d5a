/* SPDX-License-Identifier: MIT */
/*
 * test_rules.c - inject= and fault=: what they mean, and what is wrong with
 * those that mean nothing.
 */
#include "filter/filter.h"
#include "filter/rule.h"

#include "unit/check.h"

#include <stdio.h>
#include <stdlib.h>

static struct filter *f;
static struct err e;

/* The rule that `expression` is; NULL: `e` says why it is none. */
static const struct rule *rule(const char *expression)
{
    filter_close(f);
    f = filter_open();
    if (f == NULL) {
        abort();
    }
    return filter_add(f, str_of(expression), &e) ? filter_rule_at(f, 0) : NULL;
}

static struct rule_use use(const struct rule *r, const char *call)
{
    struct rule_use u = { .argument = 0xff };

    if (r == NULL || !rule_use(r, str_of(call), call_find(str_of(call)), &u)) {
        u = (struct rule_use){ .argument = 0xfe };
    }
    return u;
}

static bool is_about(const struct rule *r, const char *call)
{
    return use(r, call).argument != 0xfe;
}

static void results_are_those_of_the_call(void)
{
    static const struct {
        const char *expression;
        const char *call;
        uint64_t result;
    } cases[] = {
        { "inject=NtClose:status=ACCESS_DENIED", "NtClose", 0xc0000022 },
        { "inject=NtClose:status=STATUS_ACCESS_DENIED", "NtClose", 0xc0000022 },
        { "inject=NtClose:status=access_denied", "NtClose", 0xc0000022 },
        { "inject=NtClose:status=0xc0000022", "NtClose", 0xc0000022 },
        { "inject=NtClose:status=\"0xC0000022\"", "NtClose", 0xc0000022 },
        { "inject=NtClose:status=SUCCESS", "NtClose", 0 },
        { "inject=NtClose:retval=-1", "NtClose", UINT64_MAX },
        { "inject=NtUserGetDC:retval=0", "NtUserGetDC", 0 },
        { "inject=NtUserGetDC:retval=0x1234", "NtUserGetDC", 0x1234 },
        { "fault=NtClose", "NtClose", 0xc0000002 },
        { "fault=NtUserGetDC", "NtUserGetDC", 0 },
        { "fault=NtClose:status=DISK_FULL", "NtClose", 0xc000007f },
        { " fault=ZwClose", "NtClose", 0xc0000002 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rule_use u = use(rule(cases[i].expression), cases[i].call);

        CHECK(u.replaces && !u.changes && !u.asks);
        CHECK_U64(u.result, cases[i].result);
    }
    CHECK(use(rule("inject=NtClose:status=0:after"), "NtClose").changes);
    CHECK(!use(rule("inject=NtClose:status=0:after"), "NtClose").replaces);
    CHECK(!use(rule("inject=NtClose:delay_exit=1"), "NtClose").replaces);
    CHECK(use(rule("fault=NtTerminateProcess"), "NtTerminateProcess").not_self);
    CHECK(!use(rule("fault=NtClose"), "NtClose").not_self);
}

static void times_have_units(void)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } cases[] = {
        { "1", 1000 },
        { "250", 250000 },
        { "7ns", 7 },
        { "7us", 7000 },
        { "7ms", 7000000 },
        { "7s", 7000000000 },
        { "3600s", 3600000000000 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char room[80];
        const struct rule *r;

        snprintf(room, sizeof(room),
                 "inject=NtClose:delay_enter=%s:delay_exit=1", cases[i].text);
        r = rule(room);
        CHECK(r != NULL);
        if (r != NULL) {
            CHECK_U64(r->delay_enter, cases[i].ns);
            CHECK_U64(r->delay_exit, 1000);
        }
    }
}

static void calls_are_counted(void)
{
    static const struct {
        const char *when;
        uint64_t first;
        uint64_t last;
        uint64_t step;
    } cases[] = {
        { "", 1, UINT64_MAX, 1 },         { ":when=3", 3, 3, 1 },
        { ":when=3+", 3, UINT64_MAX, 1 }, { ":when=3+2", 3, UINT64_MAX, 2 },
        { ":when=3..9", 3, 9, 1 },        { ":when=3..9+2", 3, 9, 2 },
        { ":when=3..9+", 3, 9, 1 },       { ":when=\"1..1\"", 1, 1, 1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char room[80];
        const struct rule *r;

        snprintf(room, sizeof(room), "fault=NtClose%s", cases[i].when);
        r = rule(room);
        CHECK(r != NULL);
        if (r != NULL) {
            CHECK_U64(r->first, cases[i].first);
            CHECK_U64(r->last, cases[i].last);
            CHECK_U64(r->step, cases[i].step);
        }
    }
}

static void arguments_are_compared_by_their_names(void)
{
    struct rule_use u;

    u = use(rule("fault=NtOpenFile:arg=DesiredAccess&GENERIC_WRITE"),
            "NtOpenFile");
    CHECK_U64(u.argument, 1);
    CHECK_U64(u.mask, 0x40000000);
    CHECK_U64(u.value, 0x40000000);
    u = use(rule("fault=NtOpenFile:arg=desiredaccess&file_write_data|DELETE"),
            "NtOpenFile");
    CHECK_U64(u.mask, 0x10002);
    CHECK_U64(u.value, 0x10002);
    u = use(rule("fault=NtWriteFile:arg=Length=512"), "NtWriteFile");
    CHECK_U64(u.argument, 6);
    CHECK_U64(u.mask, UINT32_MAX);
    CHECK_U64(u.value, 512);
    u = use(rule("fault=NtClose:arg=Handle=0x4c"), "NtClose");
    CHECK_U64(u.mask, UINT64_MAX);
    CHECK_U64(u.value, 0x4c);
    u = use(rule("fault=NtCreateFile:arg=CreateDisposition=FILE_CREATE"),
            "NtCreateFile");
    CHECK_U64(u.argument, 7);
    CHECK_U64(u.value, 2);
    u = use(rule("fault=NtClose"), "NtClose");
    CHECK_U64(u.mask, 0);
}

static void sets_are_those_of_trace(void)
{
    const struct rule *r = rule("fault=%file");

    CHECK(is_about(r, "NtOpenFile"));
    CHECK(is_about(r, "NtWriteFile"));
    CHECK(!is_about(r, "NtOpenKey"));
    r = rule("fault=/^Nt(Open|Create)Key$/,NtClose");
    CHECK(is_about(r, "NtOpenKey"));
    CHECK(is_about(r, "NtClose"));
    CHECK(!is_about(r, "NtOpenKeyEx"));
    /* What goes on elsewhere is left alone, and what the rule does not suit. */
    r = rule("fault=all");
    CHECK(is_about(r, "NtClose"));
    CHECK(!is_about(r, "NtContinue"));
    CHECK(!is_about(r, "NtRaiseException"));
    CHECK(!is_about(r, "NtCallbackReturn"));
    r = rule("inject=%win32k,NtClose:status=0");
    CHECK(is_about(r, "NtClose"));
    CHECK(!is_about(r, "NtUserGetDC"));
    r = rule("fault=!NtClose:arg=DesiredAccess&DELETE");
    CHECK(is_about(r, "NtOpenFile"));
    CHECK(!is_about(r, "NtClose"));
    CHECK(!is_about(r, "NtYieldExecution"));
}

static void paths_are_globs(void)
{
    static const struct {
        const char *glob;
        const char *yes;
        const char *no;
    } cases[] = {
        { "*.ini", "C:\\Windows\\win.INI", "C:\\a.ini\\b" },
        { "win.ini", "\\??\\C:\\Windows\\win.ini", "C:\\Windows\\xwin.ini" },
        { "C:\\temp\\*", "\\??\\c:\\TEMP\\a\\b", "C:\\temp" },
        { "c:/temp/?.txt", "C:\\temp\\a.txt", "C:\\temp\\ab.txt" },
        { "HKLM\\Software\\*", "\\Registry\\Machine\\SOFTWARE\\Wine",
          "\\Registry\\User\\Software\\Wine" },
        { "HKCU\\Software\\X", "\\Registry\\User\\S-1-5-21\\Software\\X",
          "\\Registry\\Machine\\Software\\X" },
        { "\\Device\\Afd*", "\\Device\\Afd\\Endpoint", "\\Device\\Null" },
        { "*", "C:\\x", "" },
    };
    const struct rule *none;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char room[120];
        const struct rule *r;

        snprintf(room, sizeof(room), "fault=NtOpenFile:path=%s:when=1",
                 cases[i].glob);
        r = rule(room);
        CHECK(r != NULL);
        if (r == NULL) {
            continue;
        }
        CHECK(use(r, "NtOpenFile").asks);
        CHECK_U64(r->last, 1);
        CHECK(filter_rule_is_about(f, r, str_of(cases[i].yes)));
        CHECK(cases[i].no[0] == 0 ||
              !filter_rule_is_about(f, r, str_of(cases[i].no)));
    }
    none = rule("fault=NtClose");
    CHECK(!filter_rule_is_about(f, none, STR("C:\\x")));
}

static void callers_are_modules_by_their_files(void)
{
    const struct rule *r = rule("fault=NtClose:caller=App");

    CHECK(use(r, "NtClose").asks);
    CHECK(filter_rule_is_from(r, STR("app.exe")));
    CHECK(filter_rule_is_from(r, STR("APP.DLL")));
    CHECK(!filter_rule_is_from(r, STR("app2.exe")));
    CHECK(!filter_rule_is_from(r, STR("app.ocx")));
    r = rule("fault=NtClose:caller=ms*.dll");
    CHECK(filter_rule_is_from(r, STR("msvcrt.dll")));
    CHECK(!filter_rule_is_from(r, STR("ms.exe")));
}

/* A colon is what it is but in front of a key, and not in quotes. */
static void colons_separate_in_front_of_keys_only(void)
{
    const struct rule *r = rule("fault=NtOpenFile:path=C:\\x:y:when=2");

    CHECK(r != NULL && filter_rule_is_about(f, r, STR("C:\\x:y")));
    CHECK_U64(r != NULL ? r->first : 0, 2);
    r = rule("fault=NtOpenFile:path=\"C:\\a:when=2\"");
    CHECK(r != NULL && filter_rule_is_about(f, r, STR("C:\\a:when=2")));
    CHECK_U64(r != NULL ? r->first : 0, 1);
    r = rule("fault=/^(?:NtClose|NtOpenKey)$/:when=2");
    CHECK(is_about(r, "NtOpenKey"));
}

static void bad_rules_are_told_with_a_caret(void)
{
    static const struct {
        const char *expression;
        size_t column;
        const char *sentence;
    } cases[] = {
        /* clang-format off */
        { "inject=NtClose", 14, "what is to be done? status=, retval=, "
          "delay_enter= or delay_exit=" },
        { "inject=NtClose:when=2", 21, "what is to be done? status=, retval=, "
          "delay_enter= or delay_exit=" },
        { "inject=NtClos:status=0", 7, "there is no system call NtClos; did "
          "you mean NtClose?" },
        { "inject=:status=0", 7, "the name of a system call is missing here" },
        { "inject=NtClose:stauts=0", 15, "there is no stauts=; did you mean "
          "status=?" },
        { "inject=NtClose:status=0:wehn=2", 24, "there is no wehn=; did you "
          "mean when=?" },
        { "inject=NtClose:xyzzyx=0", 15, "behind a : stands status=, retval=, "
          "after, delay_enter=, delay_exit=, when=, arg=, path= or caller=" },
        { "fault=NtClose:caller=", 21, "the name of a module is missing "
          "here" },
        { "fault=NtClose:caller=x\\y.dll", 22, "a module is named by its "
          "file here, without folders" },
        { "inject=NtClose:error=EIO", 15, "error= is strace's; here it is "
          "status=, or retval=" },
        { "inject=NtClose:signal=1", 15, "signal= is strace's; here it is "
          "nothing: Windows has no signals" },
        { "inject=NtClose:status=ACESS_DENIED", 22, "there is no status "
          "ACESS_DENIED; did you mean ACCESS_DENIED?" },
        { "inject=NtClose:status=", 22, "there is no status : STATUS_..., or "
          "a number" },
        { "inject=NtClose:status=0x100000000", 22, "0x100000000 is no "
          "NTSTATUS: a name, or 0x and up to eight digits" },
        { "inject=NtClose:status=0:status=1", 24, "status= is there twice" },
        { "inject=NtClose:status=0:retval=1", 24, "a call has one result: "
          "status= or retval=" },
        { "inject=NtUserGetDC:status=0", 26, "the result of NtUserGetDC is no "
          "NTSTATUS; use retval=" },
        { "inject=NtClose:retval=x", 22, "x is no number: decimal, or "
          "hexadecimal after 0x" },
        { "inject=NtClose:after:delay_exit=1", 15, "after says when status= "
          "or retval= comes; there is none" },
        { "inject=NtContinue:delay_enter=1", 7, "NtContinue goes on "
          "elsewhere: it cannot be changed" },
        { "fault=NtClose,NtRaiseException", 6, "NtRaiseException goes on "
          "elsewhere: it cannot be changed" },
        { "fault=NtClose:when=0", 19, "0: calls are counted from 1, and "
          "upward" },
        { "fault=NtClose:when=5..3", 19, "5..3: calls are counted from 1, and "
          "upward" },
        { "fault=NtClose:when=1+0", 19, "1+0: calls are counted from 1, and "
          "upward" },
        { "fault=NtClose:when=x", 19, "x: when= is F, F+, F+S, F..L or "
          "F..L+S, such as 3 or 2..10+2" },
        { "fault=NtClose:when=1+2+3", 19, "1+2+3: when= is F, F+, F+S, F..L "
          "or F..L+S, such as 3 or 2..10+2" },
        { "inject=NtClose:delay_exit=1m", 26, "there is no unit m: ns, us, ms "
          "or s" },
        { "inject=NtClose:delay_exit=soon", 26, "soon is no time: "
          "microseconds, or a number with ns, us, ms or s" },
        { "inject=NtClose:delay_exit=0", 26, "a delay takes some time, and at "
          "most an hour" },
        { "inject=NtClose:delay_exit=3601s", 26, "a delay takes some time, "
          "and at most an hour" },
        { "fault=NtOpenFile:arg=Desired&DELETE", 21, "NtOpenFile has no "
          "parameter Desired" },
        { "fault=NtOpenFile:arg=DesiredAcces&DELETE", 21, "NtOpenFile has no "
          "parameter DesiredAcces; did you mean DesiredAccess?" },
        { "fault=NtOpenFile:arg=DesiredAccess&DELET", 21, "DesiredAccess "
          "takes no DELET; did you mean DELETE?" },
        { "fault=NtOpenFile:arg=DesiredAccess", 21, "arg= is a parameter with "
          "what it is to have: DesiredAccess&GENERIC_WRITE, or Length=0" },
        { "fault=NtOpenFile:path=", 22, "the path is missing here" },
        { "fault=NtOpenFile:path=\"x", 22, "this value lacks its other \"" },
        { "fault=NtYieldExecution:path=x", 28, "NtYieldExecution is about no "
          "file or key" },
        { "fault=%network", 6, "%network goes by what a handle refers to; "
          "name calls, with path=" },
        { "fault=none", 6, "this rule is about no call" },
        /* clang-format on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char want[400];

        snprintf(want, sizeof(want), "%s\n    %s\n    %*s^", cases[i].sentence,
                 cases[i].expression, (int)cases[i].column, "");
        CHECK(rule(cases[i].expression) == NULL);
        CHECK_STR(str_of(e.text), str_of(want));
        CHECK_U64(e.code, ERR_USAGE);
    }
}

static void every_rule_counts_up_to_a_limit(void)
{
    CHECK(rule("fault=NtClose:when=1") != NULL);
    for (int i = 1; i < RULES_MOST; i++) {
        CHECK(filter_add(f, STR("fault=NtClose:when=2"), &e));
    }
    CHECK(!filter_add(f, STR("fault=NtClose"), &e));
    CHECK_U64(filter_rule_count(f), RULES_MOST);
    CHECK_U64(filter_rule_at(f, 0)->first, 1);
    CHECK_U64(filter_rule_at(f, RULES_MOST - 1)->first, 2);
    /* They say nothing of what is shown. */
    CHECK(filter_wants_name(f, STR("NtOpenFile"), NULL));
}

int main(void)
{
    const struct test tests[] = {
        TEST(results_are_those_of_the_call),
        TEST(times_have_units),
        TEST(calls_are_counted),
        TEST(arguments_are_compared_by_their_names),
        TEST(sets_are_those_of_trace),
        TEST(paths_are_globs),
        TEST(callers_are_modules_by_their_files),
        TEST(colons_separate_in_front_of_keys_only),
        TEST(bad_rules_are_told_with_a_caret),
        TEST(every_rule_counts_up_to_a_limit),
    };
    int status = check_run(tests, COUNT_OF(tests));

    filter_close(f);
    return status;
}
