/* SPDX-License-Identifier: MIT */
/*
 * test_filter - filter/filter.h: every form of an expression, what is wrong
 * with the others to the column, and what filters say of calls made by hand.
 */
#include "filter/filter.h"

#include "filter/path.h"
#include "unit/check.h"

#include "model/model.h"
#include "unit/journal.h"

#include <stdlib.h>
#include <string.h>

static struct filter *open_with(const char *expression)
{
    struct filter *f = filter_open();
    struct err e = { 0 };

    if (!f) {
        abort();
    }
    if (expression && !filter_add(f, str_of(expression), &e)) {
        printf("     %s\n", e.text);
        CHECK(false);
    }
    return f;
}

static void add(struct filter *f, const char *expression)
{
    struct err e = { 0 };

    if (!filter_add(f, str_of(expression), &e)) {
        printf("     %s\n", e.text);
        CHECK(false);
    }
}

static void add_path(struct filter *f, const char *path)
{
    struct err e = { 0 };

    if (!filter_add_path(f, str_of(path), &e)) {
        printf("     %s\n", e.text);
        CHECK(false);
    }
}

/* --- names ------------------------------------------------------------------ */

static bool wants_all(const struct filter *f, const char *names, bool want)
{
    str left = str_of(names);
    bool all = true;
    str name;

    while (left.size > 0) {
        str_cut(left, ' ', &name, &left);
        if (filter_wants_name(f, name, call_find(name)) != want ||
            filter_wants_name(f, name, NULL) != want) {
            printf("     %.*s: not %d\n", STR_ARGS(name), want);
            all = false;
        }
    }
    return all;
}

static void good_expressions_choose_names(void)
{
    static const struct {
        const char *expression;
        const char *yes;
        const char *no;
    } cases[] = {
        /* clang-format off */
        { "trace=all",      "NtClose NtNobodyKnows", "" },
        { "trace=none",     "", "NtClose NtNobodyKnows" },
        { "trace=!all",     "", "NtClose NtNobodyKnows" },
        { "trace=!none",    "NtClose NtNobodyKnows", "" },
        { "trace=!!all",    "NtClose", "" },
        { "all",            "NtClose", "" },
        { "none",           "", "NtClose" },
        { "NtClose",        "NtClose", "NtOpenFile ntclose" },
        { "trace=NtClose",  "NtClose", "NtOpenFile" },
        { "t=NtClose",      "NtClose", "NtOpenFile" },
        { "TRACE=NtClose",  "NtClose", "NtOpenFile" },
        { "trace=ZwClose",  "NtClose", "NtOpenFile" },
        { "trace=ntclose",  "NtClose", "NtOpenFile" },
        { "trace=zwCLOSE",  "NtClose", "NtOpenFile" },
        { "NtClose,NtOpenFile",   "NtClose NtOpenFile", "NtOpenKey" },
        { "NtClose,NtClose",      "NtClose", "NtOpenKey" },
        { " NtClose , NtOpenFile ", "NtClose NtOpenFile", "NtOpenKey" },
        { "trace= NtClose",       "NtClose", "NtOpenKey" },
        { "!NtClose",             "NtOpenFile NtNobodyKnows", "NtClose" },
        { "trace=!NtClose,NtOpenFile", "NtOpenKey", "NtClose NtOpenFile" },
        { "!!NtClose",            "NtClose", "NtOpenFile" },
        { "NtClose,none",         "NtClose", "NtOpenFile" },
        { "NtClose,all",          "NtClose NtOpenFile", "" },
        { "NtUserGetMessage",     "NtUserGetMessage", "NtClose" },
        { "NtUserDispatchMessage", "NtUserDispatchMessage", "NtClose" },
        { "?NtNobodyKnows",       "NtNobodyKnows ntnobodyknows", "NtClose" },
        { "?ZwNobodyKnows",       "NtNobodyKnows", "ZwNobodyKnows" },
        { "??NtNobodyKnows",      "NtNobodyKnows", "NtClose" },
        { "?NtClose",             "NtClose", "ntclose" },
        { "?foo",                 "foo", "NtClose" },
        { "NtClose,?foo",         "NtClose foo", "NtOpenFile" },
        { "!?foo",                "NtClose", "foo" },
        { "Nt*File",              "NtOpenFile NtCreateFile", "NtOpenKey" },
        { "nt*file",              "NtOpenFile", "NtOpenKey" },
        { "Zw*File",              "NtOpenFile", "NtOpenKey" },
        { "*File*",               "NtOpenFile NtQueryAttributesFile",
                                  "NtOpenKey" },
        { "NtOpen?ile",           "NtOpenFile", "NtOpenKey" },
        { "NtOpenKey*",           "NtOpenKey NtOpenKeyEx", "NtOpenFile" },
        { "NtOpenKey?*",          "NtOpenKeyEx", "NtOpenKey" },
        { "?*ab*ba",              "abba abxba", "aba" },
        { "?NtNew*",              "NtNewThing ntnewthing", "NtClose" },
        { "*",                    "NtClose NtNobodyKnows", "" },
        { "!*Key*",               "NtClose", "NtOpenKey NtOpenKeyEx" },
        { "/File/",               "NtOpenFile NtNewFile", "NtOpenKey ntfile" },
        { "/file/i",              "NtOpenFile", "NtOpenKey" },
        { "/^Nt(Open|Create)Key$/", "NtOpenKey NtCreateKey", "NtOpenKeyEx" },
        { "trace=/^NtClose$/",    "NtClose", "NtOpenFile" },
        { "/File",                "NtOpenFile", "NtOpenKey" },
        { "/File,NtOpenKey",      "NtOpenFile NtOpenKey", "NtClose" },
        { "/File,/Key",           "NtOpenFile NtOpenKey", "NtClose" },
        { "/^Nt[A-Z][a-z]{3,4}File$/,NtClose",
                                  "NtOpenFile NtReadFile NtClose",
                                  "NtCreateFile" },
        { "!/^Nt/",               "foo", "NtClose" },
        { "?/NobodyKnows/",       "NtNobodyKnows", "NtClose" },
        { "NtClose,/File/i,NtOpenKey", "NtClose NtOpenFile NtOpenKey",
                                  "NtOpenKeyEx" },
        { "/File/ ,NtClose",      "NtOpenFile NtClose", "NtOpenKey" },
        { "/a\\/b|Close/",        "NtClose", "NtOpenKey" },
        { "/a=b|Close/",          "NtClose", "NtOpenKey" },
        { "%file",                "NtOpenFile NtReadFile", "NtOpenKey" },
        { "file",                 "NtOpenFile", "NtOpenKey" },
        { "trace=FILE",           "NtOpenFile", "NtOpenKey" },
        { "trace=%registry",      "NtOpenKey", "NtOpenFile" },
        { "file,registry",        "NtOpenFile NtOpenKey", "NtYieldExecution" },
        { "!file,registry",       "NtYieldExecution", "NtOpenFile NtOpenKey" },
        { "%file,NtYieldExecution", "NtOpenFile NtYieldExecution",
                                  "NtOpenKey" },
        { "?%nosuchclass",        "", "NtClose" },
        { "win32k",               "NtUserGetMessage", "NtClose" },
        { "%network",             "NtDeviceIoControlFile", "NtOpenKey" },
        { "!%network",            "NtDeviceIoControlFile NtOpenKey", "" },
        { "+NtClose",             "NtClose", "NtOpenKey" },
        { "trace=+NtClose",       "NtClose", "NtOpenKey" },
        { "trace=+!NtClose",      "NtOpenKey", "NtClose" },
        { "status=failed",        "NtClose NtNobodyKnows", "" },
        { "direct",               "NtClose", "" },
        { "tid=4",                "NtClose", "" },
        /* clang-format on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct filter *f = open_with(cases[i].expression);
        bool yes = wants_all(f, cases[i].yes, true);
        bool no = wants_all(f, cases[i].no, false);

        if (!yes || !no) {
            printf("     %s\n", cases[i].expression);
        }
        CHECK(yes && no);
        filter_close(f);
    }
    printf("     %zu good ones\n", COUNT_OF(cases));
}

static void bad_expressions_are_told_with_a_caret(void)
{
    static const struct {
        const char *expression;
        size_t column;
        const char *sentence;
    } cases[] = {
        /* clang-format off */
        { "NtOpnFile", 0, "there is no system call NtOpnFile; did you mean "
          "NtOpenFile?" },
        { "trace=NtOpnFile", 6, "there is no system call NtOpnFile; did you "
          "mean NtOpenFile?" },
        { "trace=NtClose,NtOpneFile", 14, "there is no system call NtOpneFile; "
          "did you mean NtOpenFile?" },
        { "!NtClose, NtClos", 10, "there is no system call NtClos; did you "
          "mean NtClose?" },
        { "CreateFile", 0, "there is no system call CreateFile; did you mean "
          "NtCreateFile?" },
        { "CreateFileW", 0, "there is no system call CreateFileW; did you "
          "mean NtCreateFile?" },
        { "createfilea", 0, "there is no system call createfilea; did you "
          "mean NtCreateFile?" },
        { "DispatchMessageW", 0, "there is no system call DispatchMessageW; "
          "did you mean NtUserDispatchMessage?" },
        { "regsitry", 0, "there is no system call regsitry; did you mean "
          "%registry?" },
        { "NtNobodyKnows", 0, "there is no system call NtNobodyKnows; "
          "`ntstrace list syscalls` shows all" },
        { "trace=qqqqqqqqqqqqqqqqqqqq", 6, "there is no system call "
          "qqqqqqqqqqqqqqqqqqqq; `ntstrace list syscalls` shows all" },
        { "%regsitry", 0, "there is no class %regsitry; did you mean "
          "%registry?" },
        { "trace=NtClose,%zzzzzzzz", 14, "there is no class %zzzzzzzz; "
          "`ntstrace list classes` shows all" },
        { "trace=%", 7, "the name of a class is missing here" },
        { "trace=%,NtClose", 7, "the name of a class is missing here" },
        { "", 0, "the name of a system call is missing here" },
        { "  ", 2, "the name of a system call is missing here" },
        { "trace=", 6, "the name of a system call is missing here" },
        { "trace=!", 7, "the name of a system call is missing here" },
        { "trace=+", 7, "the name of a system call is missing here" },
        { "trace=?", 7, "the name of a system call is missing here" },
        { ",", 0, "the name of a system call is missing here" },
        { "NtClose,", 8, "the name of a system call is missing here" },
        { "NtClose,,NtOpenFile", 8, "the name of a system call is missing "
          "here" },
        { "NtClose,!NtOpenFile", 8, "no name has a '!' in it" },
        { "NtClose;NtOpenFile", 7, "no name has a ';' in it; commas "
          "stand between names" },
        { "NtClose NtOpenFile", 7, "no name has a ' ' in it; commas "
          "stand between names" },
        { "'trace=file'", 0, "cmd does not take single quotes off; use "
          "double ones" },
        { "trace='NtClose'", 6, "cmd does not take single quotes off; use "
          "double ones" },
        { "cmd.exe", 3, "no name has a '.' in it; -e wants a value before the "
          "program's name" },
        { "C:\\x\\cmd.exe", 1, "no name has a ':' in it; -e wants a value "
          "before the program's name" },
        { "NtWriteFile:when=1", 11, "what to do with a call, and when, stands "
          "behind inject= or fault= only" },
        { "trace=NtClose:after", 13, "what to do with a call, and when, stands "
          "behind inject= or fault= only" },
        { ".\\cmd", 0, "no name has a '.' in it; -e wants a value before the "
          "program's name" },
        { "failed", 0, "there is no system call failed; did you mean "
          "status=failed?" },
        { "trace=NtClose,Pending", 14, "there is no system call Pending; did "
          "you mean status=Pending?" },
        { "unfinished", 0, "there is no system call unfinished; did you mean "
          "status=unfinished?" },
        { "!successful", 1, "there is no system call successful; did you mean "
          "status=successful?" },
        { "ACCESS_DENIED", 0, "there is no system call ACCESS_DENIED; did you "
          "mean status=ACCESS_DENIED?" },
        { "trace=Nt\303\244", 8, "no name has a '\303\244' in it" },
        { "\303\244,NtClose", 0, "no name has a '\303\244' in it" },
        { "trace=NtClose@64", 13, "no name has a '@' in it" },
        { "trace=trace=NtClose", 11, "no name has a '=' in it" },
        { "trace=52", 6, "service numbers differ from one Windows to the "
          "next: give the name of the call" },
        { "0x34", 0, "service numbers differ from one Windows to the next: "
          "give the name of the call" },
        { "Nt*Fiel", 0, "no system call matches Nt*Fiel; `ntstrace list "
          "syscalls` shows all" },
        { "NtClose,Nt?", 8, "no system call matches Nt?; `ntstrace list "
          "syscalls` shows all" },
        { "trace=/Fiell/", 6, "no system call matches /Fiell/; `ntstrace list "
          "syscalls` shows all" },
        { "trace=/^file/", 6, "no system call matches /^file/; `ntstrace list "
          "syscalls` shows all" },
        { "//", 1, "this regular expression is empty" },
        { "trace=/", 7, "this regular expression is empty" },
        { "NtClose,/,NtOpenFile", 9, "this regular expression is empty" },
        { "/File/g", 6, "only i may follow a regular expression's last /" },
        { "/File/ix", 7, "only i may follow a regular expression's last /" },
        { "/a/b/", 3, "only i may follow a regular expression's last /" },
        { "/(File/", 1, "this regular expression has a ( without its )" },
        { "trace=/File)/", 11, "this regular expression has a ) that was not "
          "opened" },
        { "trace=NtClose,/Fi[le/", 17, "this regular expression has a [ "
          "without its ]" },
        { "/a{1,2", 2, "this regular expression has a { without its }" },
        { "/*/", 1, "this regular expression has nothing to repeat here" },
        { "?/+/", 2, "this regular expression has nothing to repeat here" },
        { "/a{300}/", 3, "this regular expression repeats too often; 255 "
          "times is the most" },
        { "/(a{200}){200}/", 1, "this regular expression is too large" },
        { "/\\q/", 1, "this regular expression knows no such escape, only \\d "
          "\\w \\s \\D \\W \\S and punctuation" },
        { "/Fi\\", 3, "this regular expression ends in a backslash" },
        { "direct,NtClose", 0, "direct stands alone: -e direct -e trace=..." },
        { "trace=NtClose,direct", 14, "direct stands alone: -e direct -e "
          "trace=..." },
        { "direct=1", 6, "direct takes no value" },
        { "trance=NtClose", 0, "there is no filter trance=; did you mean "
          "trace=?" },
        { "stauts=failed", 0, "there is no filter stauts=; did you mean "
          "status=?" },
        { " tdi=4", 1, "there is no filter tdi=; did you mean tid=?" },
        { "bananas=4", 0, "there is no filter bananas=; there are trace=, "
          "status=, tid=, process=, direct, transition=, raw=, read=, write=, "
          "inject= and fault=" },
        { "=NtClose", 0, "there is no filter =; there are trace=, status=, "
          "tid=, process=, direct, transition=, raw=, read=, write=, inject= "
          "and fault=" },
        { "process=a,,b", 10, "the name of a program is missing here" },
        { "process=!C:\\a.exe", 11, "a program is named by its file here, "
          "without folders" },
        { "process=bin/a", 11, "a program is named by its file here, without "
          "folders" },
        { "abbrev=none", 0, "there is no filter abbrev=; see -v" },
        { "signal=none", 0, "there is no filter signal=; Windows has no "
          "signals; lines with --- are chosen by transition=, as in -e "
          "transition=none" },
        { " FAULT=open", 7, "there is no system call open; did you mean "
          "NtOpenFile, NtCreateFile or %file?" },
        { "decode-fds=all", 0, "there is no filter decode-fds=; see -y" },
        { "open", 0, "there is no system call open; did you mean NtOpenFile, "
          "NtCreateFile or %file?" },
        { "trace=NtClose,READ", 14, "there is no system call READ; did you "
          "mean NtReadFile?" },
        { "!close", 1, "there is no system call close; did you mean "
          "NtClose?" },
        { "execve", 0, "there is no system call execve; did you mean "
          "NtCreateUserProcess or %process?" },
        { "%stat", 0, "there is no class %stat; did you mean "
          "NtQueryAttributesFile, NtQueryInformationFile or %file?" },
        { "%%stat", 0, "there is no class %%stat; did you mean "
          "NtQueryAttributesFile, NtQueryInformationFile or %file?" },
        { "fd=3", 0, "there is no filter fd=; see -P" },
        { "quiet=all", 0, "there is no filter quiet=; see -q" },
        { "status=", 7, "a status is missing here" },
        { "status=!", 8, "a status is missing here" },
        { "status=failed,", 14, "a status is missing here" },
        { "status=faild", 7, "there is no status faild; did you mean "
          "failed?" },
        { "status=STATUS_ACESS_DENIED", 7, "there is no status "
          "STATUS_ACESS_DENIED; did you mean STATUS_ACCESS_DENIED?" },
        { "status=pending,ACCESS_DENIDE", 15, "there is no status "
          "ACCESS_DENIDE; did you mean ACCESS_DENIED?" },
        { "status=ENOENTXXYYZZ", 7, "there is no status ENOENTXXYYZZ: "
          "successful, failed, pending, unfinished, STATUS_... or a number" },
        { "status=0xc00g0034", 7, "0xc00g0034 is no number: decimal, or "
          "hexadecimal after 0x" },
        { "status=12a", 7, "12a is no number: decimal, or hexadecimal after "
          "0x" },
        { "status=99999999999999999999", 7, "99999999999999999999 is no "
          "number: decimal, or hexadecimal after 0x" },
        { "status=--1", 7, "there is no status --1: successful, failed, "
          "pending, unfinished, STATUS_... or a number" },
        { "status=+1", 7, "there is no status +1: successful, failed, "
          "pending, unfinished, STATUS_... or a number" },
        { "transition=", 11, "the name of a transition is missing here" },
        { "transition=!", 12, "the name of a transition is missing here" },
        { "transition=APC,,RAISE", 15, "the name of a transition is missing "
          "here" },
        { "transition=APC,EXCEPTOIN", 15, "there is no transition EXCEPTOIN; "
          "did you mean EXCEPTION?" },
        { "transition=SIGSEGV", 11, "there is no transition SIGSEGV: "
          "THREAD_START, APC, EXCEPTION, CALLBACK, RAISE, COMPLETION, "
          "MODULE, UNMODULE, all or none" },
        { "transition=1", 11, "there is no transition 1: THREAD_START, APC, "
          "EXCEPTION, CALLBACK, RAISE, COMPLETION, MODULE, UNMODULE, all or "
          "none" },
        { "transiton=APC", 0, "there is no filter transiton=; did you mean "
          "transition=?" },
        { "trace=NtClose,apc", 14, "there is no system call apc; did you mean "
          "transition=apc?" },
        { "tid=", 4, "a thread id is missing here" },
        { "tid=main", 4, "main is not a thread id: a number, decimal or "
          "hexadecimal after 0x" },
        { "tid=4,-8", 6, "-8 is not a thread id: a number, decimal or "
          "hexadecimal after 0x" },
        { "tid=0x100000000", 4, "0x100000000 is not a thread id: a number, "
          "decimal or hexadecimal after 0x" },
        { "tid=4,,8", 6, "a thread id is missing here" },
        { "tid=4 8", 4, "4 8 is not a thread id: a number, decimal or "
          "hexadecimal after 0x" },
        { "read=", 5, "a handle is missing here" },
        { "read=stdin", 5, "stdin is not a handle: a number, decimal or "
          "hexadecimal after 0x" },
        { "write=0x40,y", 11, "y is not a handle: a number, decimal or "
          "hexadecimal after 0x" },
        /* clang-format on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct filter *f = open_with("NtYieldExecution");
        struct err e = { 0 };
        char room[512];
        struct buf want = BUF_OVER(room);

        buf_addf(&want, "%s\n    %s\n    %*s^", cases[i].sentence,
                 cases[i].expression, (int)cases[i].column, "");
        CHECK(!filter_add(f, str_of(cases[i].expression), &e));
        CHECK_STR(str_of(e.text), buf_str(&want));
        CHECK(e.code == ERR_USAGE && e.os == 0);
        /* It is as it was. */
        CHECK(wants_all(f, "NtYieldExecution", true));
        CHECK(wants_all(f, "NtClose", false));
        CHECK(!filter_wants_result(f) && filter_pass_thread(f, 4, STR("")));
        filter_close(f);
    }
    printf("     %zu bad ones\n", COUNT_OF(cases));
}

/* Of a long expression the part with the mistake is shown; no line is too long
 * for struct err, and none has a control character in it. */
static void errors_fit(void)
{
    struct filter *f = open_with(NULL);
    char text[6000];
    struct buf b = BUF_OVER(text);
    struct err e = { 0 };

    for (int i = 0; i < 100; i++) {
        buf_add(&b, STR("NtClose,"));
    }
    buf_add(&b, STR("NtOpnFile,"));
    for (int i = 0; i < 100; i++) {
        buf_add(&b, STR("NtClose,"));
    }
    CHECK(!filter_add(f, buf_str(&b), &e));
    CHECK_STR(str_of(e.text),
              STR("there is no system call NtOpnFile; did you mean "
                  "NtOpenFile?\n"
                  "    ...Close,NtClose,NtClose,NtClose,NtOpnFile,NtClose,"
                  "NtClose,NtCl...\n"
                  "                                     ^"));

    /* Each character is one column, however many bytes it has. */
    CHECK(!filter_add(f, STR("status=\xf0\x9f\x98\x80\xc3\xa4,x\x1b\n"), &e));
    CHECK(strstr(e.text, "\n    status=\xf0\x9f\x98\x80\xc3\xa4,x^{1B}^{0A}\n"
                         "           ^") != NULL);
    /* What cannot be seen is shown, and the caret stands behind it. */
    CHECK(!filter_add(f, STR("NtClose,\xe2\x80\xae,x"), &e));
    CHECK_STR(str_of(e.text), STR("no name has a '^{202E}' in it\n"
                                  "    NtClose,^{202E},x\n"
                                  "            ^"));
    CHECK(!filter_add(f, STR("tid=1,\xe2\x81\xa6\xf3\xa0\x81\x81x,y"), &e));
    CHECK_STR(str_of(e.text),
              STR("^{2066}^{E0041}x is not a thread id: a number, decimal or "
                  "hexadecimal after 0x\n"
                  "    tid=1,^{2066}^{E0041}x,y\n"
                  "          ^"));
    CHECK(!filter_add_path(f, STR("x\\\xe2\x80\x8b.txt"), &e));
    CHECK(strstr(e.text, "\n    x\\^{200B}.txt\n    ^") != NULL);

    b.size = 0;
    buf_add(&b, STR("status="));
    for (int i = 0; i < 1000; i++) {
        buf_add(&b, STR("\xf0\x9f\x98\x80"));
    }
    CHECK(!filter_add(f, buf_str(&b), &e));
    CHECK(strlen(e.text) < sizeof(e.text) - 1);
    CHECK(strstr(e.text, "...\n           ^") != NULL);
    b.size = 0;
    for (int i = 0; i < 1000; i++) {
        buf_add(&b, STR("\x80\xff"));
    }
    CHECK(!filter_add(f, buf_str(&b), &e));
    CHECK(strlen(e.text) < sizeof(e.text) - 1);
    b.size = 0;
    buf_add(&b, STR("status="));
    for (int i = 0; i < 1000; i++) {
        buf_add(&b, STR("\xf4\x8f\xbf\xbf"));
    }
    buf_add(&b, STR(",x"));
    CHECK(!filter_add(f, buf_str(&b), &e));
    CHECK(strlen(e.text) < sizeof(e.text) - 1);
    CHECK(strstr(e.text, "^{10FFFF}...\n           ^") != NULL);
    filter_close(f);
}

static void later_ones_replace_earlier_ones_of_their_kind(void)
{
    struct filter *f = open_with("NtClose");

    add(f, "trace=NtOpenKey");
    CHECK(wants_all(f, "NtOpenKey", true) && wants_all(f, "NtClose", false));
    add(f, "trace=+NtClose");
    add(f, "+/File$/");
    CHECK(wants_all(f, "NtOpenKey NtClose NtOpenFile", true));
    CHECK(wants_all(f, "NtYieldExecution", false));
    add(f, "trace=+!/^Nt/");
    CHECK(wants_all(f, "NtOpenKey foo", true));
    CHECK(wants_all(f, "NtYieldExecution", false));
    add(f, "file");
    CHECK(wants_all(f, "NtOpenFile", true) && wants_all(f, "NtClose", false));
    add(f, "%network");
    CHECK(filter_wants_paths(f));
    add(f, "all");
    CHECK(!filter_wants_paths(f) && wants_all(f, "NtClose", true));

    add(f, "tid=4,0x8");
    CHECK(filter_pass_thread(f, 4, STR("")) &&
          filter_pass_thread(f, 8, STR("")));
    CHECK(!filter_pass_thread(f, 12, STR("")));
    add(f, "tid=!12");
    CHECK(filter_pass_thread(f, 4, STR("")) &&
          !filter_pass_thread(f, 12, STR("")));
    add(f, "tid=none");
    CHECK(!filter_pass_thread(f, 4, STR("")));
    add(f, "tid=all");
    CHECK(filter_pass_thread(f, 4, STR("")));
    filter_close(f);
}

/* Under Wine a call may have other facts than on Windows. */
static void what_is_remembered_of_a_name_is_of_its_facts(void)
{
    struct filter *f = open_with("%file");
    str name = STR("NtNobodyKnows");

    for (int i = 0; i < 2; i++) {
        CHECK(filter_wants_name(f, name, call_find(STR("NtOpenFile"))));
        CHECK(!filter_wants_name(f, name, call_find(STR("NtOpenKey"))));
        CHECK(!filter_wants_name(f, name, NULL));
    }
    filter_close(f);
}

static void dumps_are_chosen_by_handle(void)
{
    struct filter *f = open_with(NULL);
    struct filter_dumps d = filter_reads(f);

    CHECK(!d.all && d.count == 0);
    add(f, "read=0x40,68");
    add(f, "writes=all");
    d = filter_reads(f);
    CHECK(!d.all && d.count == 2 && d.handles[0] == 64 && d.handles[1] == 68);
    d = filter_writes(f);
    CHECK(d.all && d.count == 0);
    add(f, "r=!0x40");
    d = filter_reads(f);
    CHECK(d.all && d.count == 1 && d.handles[0] == 64);
    add(f, "w=none");
    CHECK(!filter_writes(f).all && filter_writes(f).count == 0);
    add(f, "write=!all");
    CHECK(!filter_writes(f).all && filter_writes(f).count == 0);
    add(f, "write=0x40,all");
    CHECK(filter_writes(f).all && filter_writes(f).count == 0);
    CHECK(!filter_wants_result(f) && !filter_wants_paths(f));
    CHECK(wants_all(f, "NtClose", true));
    filter_close(f);
}

static bool is_raw(const struct filter *f, const char *name)
{
    return filter_is_raw(f, str_of(name), call_find(str_of(name)));
}

static void raw_calls_are_chosen_by_name(void)
{
    struct filter *f = open_with(NULL);

    CHECK(!is_raw(f, "NtClose"));
    add(f, "raw=NtClose,%registry");
    CHECK(is_raw(f, "NtClose") && is_raw(f, "NtOpenKey"));
    CHECK(!is_raw(f, "NtOpenFile"));
    CHECK(wants_all(f, "NtOpenFile", true));
    add(f, "x=!NtClose");
    CHECK(!is_raw(f, "NtClose") && is_raw(f, "NtOpenFile"));
    add(f, "raw=all");
    CHECK(is_raw(f, "NtClose") && is_raw(f, "no such call"));
    add(f, "raw=none");
    CHECK(!is_raw(f, "NtClose"));
    filter_close(f);
}

/* --- calls ------------------------------------------------------------------ */

static struct call call_of(struct stub *stub, const char *name)
{
    *stub =
        (struct stub){ .name = str_of(name), .facts = call_find(str_of(name)) };
    return (struct call){ .pid = 32,
                          .tid = 36,
                          .entry_seen = true,
                          .stub = stub,
                          .arg_mask = (1u << CALL_ARGS_MAX) - 1 };
}

static bool passes_with(const char *expression, const char *name, bool returned,
                        uint64_t result)
{
    struct filter *f = open_with(expression);
    struct stub stub;
    struct call call = call_of(&stub, name);
    bool passes;

    call.returned = returned;
    call.ended = true;
    call.result = result;
    CHECK(filter_wants_result(f));
    CHECK(filter_pass_entry(f, &call));
    passes = filter_pass(f, &call);
    CHECK(passes == filter_pass_result(f, &call));
    filter_close(f);
    return passes;
}

static void statuses_are_held_against_results(void)
{
    static const struct {
        const char *expression;
        const char *name;
        uint64_t result;
        bool want;
    } cases[] = {
        /* clang-format off */
        { "status=successful", "NtClose", 0,          true },
        { "status=successful", "NtClose", 0x103,      true },
        { "status=successful", "NtClose", 0x80000005, true },
        { "status=successful", "NtClose", 0xc0000008, false },
        { "status=failed",     "NtClose", 0xc0000008, true },
        { "status=Failed",     "NtClose", 0xffffffffc0000008, true },
        { "status=failed",     "NtClose", 0,          false },
        { "status=!failed",    "NtClose", 0,          true },
        { "status=!failed",    "NtClose", 0xc0000008, false },
        { "status=pending",    "NtReadFile", 0x103,   true },
        { "status=pending",    "NtReadFile", 0,       false },
        { "status=unfinished", "NtReadFile", 0,       false },
        { "status=all",        "NtReadFile", 0,       true },
        { "status=none",       "NtReadFile", 0,       false },
        { "status=!none",      "NtReadFile", 0,       true },
        { "status=STATUS_INVALID_HANDLE", "NtClose", 0xc0000008, true },
        { "status=INVALID_HANDLE", "NtClose", 0xc0000008, true },
        { "status=invalid_handle", "NtClose", 0x77c0000022, false },
        { "status=invalid_handle", "NtClose", 0x77c0000008, true },
        { "status=INVALID_HANDLE", "NtClose", 0xc0000022, false },
        { "status=WAIT_0",     "NtClose", 0, true },
        { "status=ACCESS_DENIED,INVALID_HANDLE", "NtClose", 0xc0000008, true },
        { "status=!ACCESS_DENIED,INVALID_HANDLE", "NtClose", 0xc0000008, false },
        { "status=!ACCESS_DENIED,INVALID_HANDLE", "NtClose", 0, true },
        { "status=0xC0000008", "NtClose", 0xc0000008, true },
        { "status=3221225480", "NtClose", 0xc0000008, true },
        { "status=-1073741816", "NtClose", 0xc0000008, true },
        { "status=0xffffffffc0000008", "NtClose", 0xc0000008, false },
        { "status=-1073741815", "NtClose", 0xc0000008, false },
        { "status=-9999999999", "NtClose", 0xabf41c01, false },
        { "status=0",          "NtClose", 0,          true },
        { "status=0",          "NtClose", 0x1,        false },
        { "status=SUCCESS",    "NtClose", 0,          true },
        { "status=successful,0xc0000008", "NtClose", 0xc0000008, true },
        /* BOOL, 0 of which is a failure; the bits above it are rubbish. */
        { "status=failed",     "NtUserDestroyWindow", 0, true },
        { "status=failed",     "NtUserDestroyWindow", 1, false },
        { "status=failed",     "NtUserDestroyWindow", 0x7700000000, true },
        { "status=0",          "NtUserDestroyWindow", 0x7700000000, true },
        { "status=1",          "NtUserDestroyWindow", 0x7700000001, true },
        { "status=1",          "NtUserDestroyWindow", 0, false },
        { "status=SUCCESS",    "NtUserDestroyWindow", 0, false },
        { "status=pending",    "NtUserDestroyWindow", 0x103, false },
        /* Nothing is known of it. */
        { "status=successful", "NtNobodyKnows", 0xc0000008, true },
        { "status=failed",     "NtNobodyKnows", 0xc0000008, false },
        { "status=0xc0000008", "NtNobodyKnows", 0xc0000008, true },
        { "status=INVALID_HANDLE", "NtNobodyKnows", 0xc0000008, false },
        /* clang-format on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (passes_with(cases[i].expression, cases[i].name, true,
                        cases[i].result) != cases[i].want) {
            printf("     %s of %s = %#llx\n", cases[i].expression,
                   cases[i].name, (unsigned long long)cases[i].result);
            CHECK(false);
        }
    }
    CHECK(passes_with("status=unfinished", "NtClose", false, 0));
    CHECK(passes_with("status=!failed", "NtClose", false, 0));
    CHECK(passes_with("status=all", "NtClose", false, 0));
    CHECK(!passes_with("status=successful", "NtClose", false, 0));
    CHECK(!passes_with("status=failed", "NtClose", false, 0xc0000008));
    CHECK(!passes_with("status=0", "NtClose", false, 0));
}

static void z_is_a_status(void)
{
    struct filter *f = open_with("status=unfinished");
    struct stub stub;
    struct call good = call_of(&stub, "NtClose");
    struct call bad = good;

    good.returned = true;
    bad.returned = true;
    bad.result = 0xc0000008;
    filter_successful(f);
    CHECK(filter_pass(f, &good) && !filter_pass(f, &bad));
    filter_failed(f);
    CHECK(!filter_pass(f, &good) && filter_pass(f, &bad));
    add(f, "status=successful");
    CHECK(filter_pass(f, &good) && !filter_pass(f, &bad));
    filter_close(f);
}

static void all_kinds_must_hold(void)
{
    struct filter *f = open_with(NULL);
    struct stub stub;
    struct call call = call_of(&stub, "NtClose");

    call.returned = true;
    CHECK(filter_pass(f, &call));
    add(f, "tid=36");
    CHECK(filter_pass(f, &call));
    add(f, "tid=40");
    CHECK(!filter_pass(f, &call) && !filter_pass_entry(f, &call));
    add(f, "tid=36");
    add(f, "trace=NtOpenKey");
    CHECK(!filter_pass(f, &call) && !filter_pass_entry(f, &call));
    add(f, "trace=NtClose");
    add(f, "status=failed");
    CHECK(!filter_pass(f, &call) && filter_pass_entry(f, &call));
    add(f, "status=all");
    add(f, "direct");
    CHECK(!filter_pass(f, &call) && !filter_pass_entry(f, &call));
    call.how = HOW_DIRECT;
    CHECK(filter_pass(f, &call));
    call.how = HOW_INDIRECT;
    CHECK(filter_pass(f, &call));
    add(f, "!direct");
    CHECK(!filter_pass(f, &call));
    call.how = HOW_ORDINARY;
    CHECK(filter_pass(f, &call));
    filter_close(f);
}

/* Bit i: transition i is told. */
static unsigned told_transitions(const struct filter *f, uint32_t tid)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < TRANSITION_COUNT; i++) {
        bits |= (unsigned)filter_pass_transition(f, tid, STR(""),
                                                 (enum transition)i)
                << i;
    }
    return bits;
}

static void transitions_are_chosen_by_their_kind(void)
{
    static const struct {
        const char *expressions;  // blanks between
        unsigned told;
    } cases[] = {
        { "", 31 },
        { "NtClose direct read=1", 31 },
        { "transition=all", 31 },
        { "transition=none", 0 },
        { "transition=!none", 31 },
        { "transition=!all", 0 },
        { "transition=THREAD_START", 1 << TRANSITION_THREAD_START },
        { "transition=apc,Raise", 1 << TRANSITION_APC | 1 << TRANSITION_RAISE },
        { "transitions=!CALLBACK", 31 & ~(1 << TRANSITION_CALLBACK) },
        { "transition=!CALLBACK,EXCEPTION",
          31 & ~(1 << TRANSITION_CALLBACK | 1 << TRANSITION_EXCEPTION) },
        { "transition=CALLBACK transition=APC", 1 << TRANSITION_APC },
        { "status=failed", 0 },
        { "status=all", 0 },
        { "status=failed transition=EXCEPTION", 1 << TRANSITION_EXCEPTION },
        { "transition=all status=failed", 31 },
        { "tid=4", 31 },
        { "tid=8", 0 },
        { "tid=8 transition=all", 0 },
    };
    struct filter *f;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        str left = str_of(cases[i].expressions);
        str one;
        struct err e;

        f = open_with(NULL);
        while (left.size > 0) {
            str_cut(left, ' ', &one, &left);
            CHECK(filter_add(f, one, &e));
        }
        CHECK_U64(told_transitions(f, 4), cases[i].told);
        filter_close(f);
    }
    /* What chooses calls alone leaves them out, unless they are asked for. */
    for (int i = 0; i < 3; i++) {
        f = open_with(NULL);
        if (i == 0) {
            filter_failed(f);
        } else if (i == 1) {
            filter_successful(f);
        } else {
            add_path(f, "C:\\x");
        }
        CHECK_U64(told_transitions(f, 4), 0);
        add(f, "transition=all");
        CHECK_U64(told_transitions(f, 4), 31);
        add(f, "transition=!all");
        CHECK_U64(told_transitions(f, 4), 0);
        filter_close(f);
    }
}

static void calls_without_a_name_match_no_name(void)
{
    static const char *const no[] = { "NtClose", "*",    "/.*/",
                                      "%file",   "none", "?x" };
    static const char *const yes[] = { "all", "!NtClose", "!/./", "direct" };
    struct call call = { .tid = 36, .returned = true, .how = HOW_DIRECT };

    for (size_t i = 0; i < COUNT_OF(no); i++) {
        struct filter *f = open_with(no[i]);

        CHECK(!filter_pass(f, &call));
        filter_close(f);
    }
    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        struct filter *f = open_with(yes[i]);

        CHECK(filter_pass(f, &call));
        filter_close(f);
    }
}

/* --- paths ------------------------------------------------------------------ */

/* What a target's memory holds, at 10000h. */
#define MEMORY 0x10000ull

struct target {
    uint8_t bytes[8192];
    size_t size;
    struct memory_piece piece;
    struct model *model;
    struct handles *handles;
};

static void told(void *ctx, const struct call *call)
{
    (void)ctx;
    (void)call;
}

static void target_open(struct target *t)
{
    struct model_config config = { .hold = 1 };
    struct model_out out = { .enter = told, .leave = told };
    struct err e = { 0 };
    struct model_process *p;

    memset(t, 0, sizeof(*t));
    t->model = model_open(&config, &out, &e);
    p = t->model ? open_process(t->model, 32, MODE_PATCHED) : NULL;
    t->handles = p ? p->handles : NULL;
    if (!t->handles) {
        printf("     no model\n");
        abort();
    }
}

static void target_close(struct target *t)
{
    model_close(t->model);
}

static uint64_t put(struct target *t, const void *bytes, size_t size)
{
    uint64_t at = MEMORY + t->size;

    memcpy(t->bytes + t->size, bytes, size);
    t->size += (size + 7) & ~(size_t)7;
    return at;
}

/* OBJECT_ATTRIBUTES of a name in ASCII, with ^ for U+00E4 and ~ for U+00C4. */
static uint64_t put_attributes(struct target *t, uint64_t root,
                               const char *name)
{
    uint16_t units[256];
    size_t size = strlen(name);
    uint64_t string[2] = { size * 2 | (size * 2 + 2) << 16, 0 };
    uint64_t attributes[6] = { 48, root, 0, 0x40, 0, 0 };

    for (size_t i = 0; i < size; i++) {
        units[i] = name[i] == '^'   ? 0xe4
                   : name[i] == '~' ? 0xc4
                                    : (uint8_t)name[i];
    }
    string[1] = put(t, units, size * 2);
    attributes[2] = put(t, string, sizeof(string));
    return put(t, attributes, sizeof(attributes));
}

static bool passes_in(struct target *t, const struct filter *f,
                      struct call *call)
{
    t->piece = (struct memory_piece){ MEMORY, (uint32_t)t->size, t->bytes };
    call->before = (struct memory){ &t->piece, 1 };
    call->handles = t->handles;
    return filter_pass(f, call);
}

/* A call that opens `name` below the handle `root`. */
static bool opens(struct target *t, const struct filter *f, uint64_t root,
                  const char *name)
{
    struct stub stub;
    struct call call = call_of(&stub, "NtOpenFile");

    call.args[2] = put_attributes(t, root, name);
    return passes_in(t, f, &call);
}

static void paths_have_many_forms(void)
{
    static const struct {
        const char *path;
        const char *yes;  // names with | between them
        const char *no;
    } cases[] = {
        /* clang-format off */
        { "C:\\Windows\\win.ini",
          "\\??\\C:\\Windows\\win.ini|\\??\\c:\\WINDOWS\\Win.INI|"
          "\\DosDevices\\C:\\windows\\win.ini|\\dosdevices\\c:\\windows\\win.ini|"
          "\\GLOBAL??\\C:\\windows\\win.ini|C:\\windows\\win.ini",
          "\\??\\C:\\Windows|\\??\\C:\\Windows\\win.ini2|"
          "\\??\\D:\\Windows\\win.ini|\\??\\C:\\Windows\\win.ini\\x|win.ini|"
          "\\??\\C:\\Windows\\win.in|\\Windows\\win.ini" },
        { "c:/windows//win.ini", "\\??\\C:\\windows\\win.ini", "" },
        { "\\??\\C:\\windows\\win.ini", "\\??\\C:\\windows\\win.ini", "" },
        { "\\\\?\\C:\\windows\\win.ini", "\\??\\C:\\windows\\win.ini", "" },
        { "\\\\.\\C:\\windows\\win.ini", "\\??\\C:\\windows\\win.ini", "" },
        { "//?/C:\\windows\\win.ini", "\\??\\C:\\windows\\win.ini", "" },
        { "\\DosDevices\\C:\\windows", "\\??\\C:\\windows", "" },
        { "C:\\windows\\", "\\??\\C:\\windows|\\??\\C:\\windows\\", "" },
        { "C:\\", "\\??\\C:\\|\\??\\C:", "\\??\\D:\\" },
        { "C:", "\\??\\C:\\|\\??\\C:", "" },
        { "C:\\caf\xc3\xa4", "\\??\\C:\\CAF~|\\??\\c:\\caf^", "\\??\\C:\\cafa" },
        { "C:\\caf\xc3\x84", "\\??\\C:\\CAF~|\\??\\c:\\caf^", "\\??\\C:\\cafa" },
        { "\\\\server\\share\\x",
          "\\??\\UNC\\Server\\Share\\x|\\Device\\Mup\\server\\share\\x",
          "\\??\\server\\share\\x" },
        { "//server/share/x", "\\??\\UNC\\server\\share\\x", "" },
        { "\\\\?\\UNC\\server\\share\\x", "\\??\\UNC\\server\\share\\x", "" },
        { "\\\\.\\pipe\\demo",
          "\\??\\pipe\\demo|\\Device\\NamedPipe\\demo|\\??\\PIPE\\DEMO",
          "\\??\\pipe\\demo2|\\Device\\NamedPipe2\\demo" },
        { "\\Device\\NamedPipe\\demo", "\\??\\pipe\\demo", "" },
        { "\\Device\\HarddiskVolume2\\x",
          "\\Device\\HarddiskVolume2\\x|\\??\\GLOBALROOT\\Device\\"
          "HarddiskVolume2\\X", "\\Device\\HarddiskVolume1\\x|\\??\\C:\\x" },
        { "\\\\.\\NUL", "\\??\\nul", "\\Device\\Null" },
        { "HKLM\\Software\\Demo",
          "\\Registry\\Machine\\Software\\Demo|\\REGISTRY\\MACHINE\\"
          "SOFTWARE\\DEMO\\",
          "\\Registry\\Machine\\Software|\\Registry\\Machine\\Software\\Demo2|"
          "\\Registry\\User\\Software\\Demo" },
        { "hklm\\software\\demo", "\\Registry\\Machine\\Software\\Demo", "" },
        { "HKLM:\\software\\demo", "\\Registry\\Machine\\Software\\Demo", "" },
        { "HKEY_LOCAL_MACHINE\\software\\demo",
          "\\Registry\\Machine\\Software\\Demo", "" },
        { "Computer\\HKEY_LOCAL_MACHINE\\software",
          "\\Registry\\Machine\\Software", "" },
        { "HKLM", "\\Registry\\Machine", "\\Registry\\Machine\\Software" },
        { "HKLM\\", "\\Registry\\Machine", "" },
        { "\\Registry\\Machine\\Software", "\\Registry\\Machine\\Software", "" },
        { "HKU\\.Default\\x", "\\Registry\\User\\.DEFAULT\\x", "" },
        { "HKEY_USERS", "\\Registry\\User", "" },
        { "HKCR\\.txt",
          "\\Registry\\Machine\\Software\\Classes\\.txt|"
          "\\Registry\\User\\S-1-5-21-1-2-3-1000_Classes\\.txt",
          "\\Registry\\User\\S-1-5-21-1-2-3-1000\\.txt|"
          "\\Registry\\Machine\\Software\\Classes" },
        { "HKCR", "\\Registry\\Machine\\Software\\Classes", "" },
        { "HKCU\\Software\\Wine",
          "\\Registry\\User\\S-1-5-21-0-0-0-1000\\Software\\Wine|"
          "\\Registry\\User\\S-1-12-1-9\\Software\\Wine",
          "\\Registry\\User\\S-1-5-18\\Software\\Wine|"
          "\\Registry\\User\\.Default\\Software\\Wine|"
          "\\Registry\\User\\S-1-5-21-0_Classes\\Software\\Wine|"
          "\\Registry\\User\\S-1-5-21-0\\Software|\\Software\\Wine|"
          "\\Registry\\Machine\\Software\\Wine" },
        { "HKEY_CURRENT_USER\\x", "\\Registry\\User\\S-1-5-21-7\\X", "" },
        { "HKCU", "\\Registry\\User\\S-1-5-21-7|\\Registry\\User\\S-1-5-21-7\\",
          "\\Registry\\User\\S-1-5-21-7\\x|\\Registry\\User|"
          "\\Registry\\User\\S-1-5-21-7_Classes" },
        { "HKCU\\Software\\Classes\\.txt",
          "\\Registry\\User\\S-1-5-21-7\\Software\\Classes\\.txt|"
          "\\Registry\\User\\S-1-5-21-7_Classes\\.txt",
          "\\Registry\\User\\S-1-5-21-7_Classes" },
        { "HKCU\\Software\\Classes", "\\Registry\\User\\S-1-5-21-7_Classes",
          "\\Registry\\User\\S-1-5-21-7" },
        { "HKCC\\x", "\\Registry\\Machine\\System\\CurrentControlSet\\"
          "Hardware Profiles\\Current\\x", "" },
        /* clang-format on */
    };
    struct target t;

    target_open(&t);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct filter *f = open_with(NULL);

        add_path(f, cases[i].path);
        CHECK(filter_wants_paths(f));
        CHECK(filter_path_is_absolute(str_of(cases[i].path)));
        for (int want = 0; want < 2; want++) {
            str left = str_of(want ? cases[i].yes : cases[i].no);
            str name;

            while (left.size > 0) {
                char z[256];

                str_cut(left, '|', &name, &left);
                memcpy(z, name.p, name.size);
                z[name.size] = '\0';
                t.size = 0;
                if (opens(&t, f, 0, z) != want) {
                    printf("     -P %s: %s: not %d\n", cases[i].path, z, want);
                    CHECK(false);
                }
            }
        }
        filter_close(f);
    }
    target_close(&t);
}

static void a_path_is_read_by_the_width_of_its_process(void)
{
    static const uint16_t units[] = {
        '\\', '?', '?', '\\', 'C', ':', '\\', 'x'
    };
    uint32_t string[2] = { sizeof(units), 0 };
    uint32_t attributes[6] = { 24, 0, 0, 0x40, 0, 0 };
    struct filter *f = open_with(NULL);
    struct target t;
    struct stub stub;
    struct call call = call_of(&stub, "NtOpenFile");

    target_open(&t);
    add_path(f, "C:\\x");
    t.size = 0;
    string[1] = (uint32_t)put(&t, units, sizeof(units));
    attributes[2] = (uint32_t)put(&t, string, sizeof(string));
    call.args[2] = put(&t, attributes, sizeof(attributes));
    CHECK(!passes_in(&t, f, &call));
    call.width = NT_32;
    CHECK(passes_in(&t, f, &call));
    filter_close(f);
    target_close(&t);
}

static void bad_paths_are_told(void)
{
    static const char *const bad[] = { "win.ini",   "",         "\\",
                                       "C:win.ini", "HKLMx\\y", "dir\\x",
                                       "HK\\x",     "HKXX",     "HKX.c\\x" };
    static const struct {
        const char *path;
        const char *want;
    } refused[] = {
        /* clang-format off */
        { "C:\\windows\\*.ini",
          "-P takes no patterns: name the file, or use several -P\n"
          "    C:\\windows\\*.ini\n"
          "               ^" },
        { "c:/x?/y",
          "-P takes no patterns: name the file, or use several -P\n"
          "    c:/x?/y\n"
          "        ^" },
        { "\\\\?\\C:\\a*",
          "-P takes no patterns: name the file, or use several -P\n"
          "    \\\\?\\C:\\a*\n"
          "            ^" },
        { "\\??\\C:\\a?",
          "-P takes no patterns: name the file, or use several -P\n"
          "    \\??\\C:\\a?\n"
          "            ^" },
        { "\\\\server\\share\\*",
          "-P takes no patterns: name the file, or use several -P\n"
          "    \\\\server\\share\\*\n"
          "                   ^" },
        { "HKXX\\foo",
          "no root of keys is called HKXX; there are HKLM, HKCU, HKCR, HKU "
          "and HKCC (a file: .\\HKXX\\...)\n"
          "    HKXX\\foo\n"
          "    ^" },
        { "hkey_local_machin\\foo",
          "no root of keys is called hkey_local_machin; there are HKLM, HKCU, "
          "HKCR, HKU and HKCC (a file: .\\hkey_local_machin\\...)\n"
          "    hkey_local_machin\\foo\n"
          "    ^" },
        { "HKX:\\foo",
          "no root of keys is called HKX; there are HKLM, HKCU, HKCR, HKU "
          "and HKCC (a file: .\\HKX\\...)\n"
          "    HKX:\\foo\n"
          "    ^" },
        /* clang-format on */
    };
    struct filter *f = open_with(NULL);
    char longest[40000];
    struct err e = { 0 };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char room[512];
        struct buf want = BUF_OVER(room);

        buf_addf(&want,
                 "this path is not absolute: C:\\x, \\\\server\\share\\x, "
                 "HKLM\\x, or a name of NT's\n    %s\n    ^",
                 bad[i]);
        CHECK(!filter_add_path(f, str_of(bad[i]), &e));
        CHECK_STR(str_of(e.text), buf_str(&want));
        CHECK(!filter_path_is_absolute(str_of(bad[i])));
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        CHECK(filter_path_is_absolute(str_of(refused[i].path)));
        CHECK(!filter_add_path(f, str_of(refused[i].path), &e));
        CHECK_STR(str_of(e.text), str_of(refused[i].want));
    }
    /* Names of keys and of objects may have them. */
    CHECK(filter_add_path(f, STR("HKCR\\*\\shell"), &e));
    CHECK(filter_add_path(f, STR("\\BaseNamedObjects\\a*?"), &e));
    filter_close(f);
    f = open_with(NULL);
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "C:\\", 3);
    CHECK(!filter_add_path(f, (str){ longest, sizeof(longest) }, &e));
    CHECK(e.code == ERR_USAGE);
    CHECK(!filter_wants_paths(f));
    filter_close(f);
}

static void paths_are_looked_for_in_all_arguments(void)
{
    struct filter *f = open_with(NULL);
    struct object file = { .path = STR("C:\\windows\\win.ini") };
    struct object other = { .path = STR("C:\\windows") };
    struct object nameless = { .path = STR("") };
    struct stub stub;
    struct call call;
    struct target t;

    target_open(&t);
    add_path(f, "HKLM\\Software");
    add_path(f, "C:\\windows\\WIN.INI");

    /* A handle, at any place. */
    call = call_of(&stub, "NtReadFile");
    CHECK(!passes_in(&t, f, &call));
    call.objects[0] = &other;
    CHECK(!passes_in(&t, f, &call));
    call.objects[1] = &nameless;
    CHECK(!passes_in(&t, f, &call));
    call.objects[2] = &file;
    CHECK(passes_in(&t, f, &call));
    CHECK(filter_pass_entry(f, &call));

    /* A root handle and a name below it, or none. */
    CHECK(handles_add(t.handles, 0x40, STR("File"), STR("dir"),
                      STR("C:\\windows"), false, 0));
    CHECK(handles_add(t.handles, 0x44, STR("File"), STR("file"),
                      STR("C:\\windows\\win.ini"), false, 0));
    CHECK(handles_add(t.handles, 0x48, STR("Event"), STR("x"), STR(""), false,
                      0));
    CHECK(handles_add(t.handles, 0x4c, STR("File"), STR("root"), STR("C:\\"),
                      false, 0));
    CHECK(opens(&t, f, 0x40, "Win.ini"));
    CHECK(opens(&t, f, 0x44, ""));
    CHECK(opens(&t, f, 0x4c, "Windows\\win.ini"));
    CHECK(!opens(&t, f, 0x40, ""));
    CHECK(!opens(&t, f, 0x40, "win.ini2"));
    CHECK(!opens(&t, f, 0x44, "x"));
    CHECK(!opens(&t, f, 0x48, "win.ini"));
    CHECK(!opens(&t, f, 0x50, "win.ini"));
    CHECK(!opens(&t, f, 0, ""));
    CHECK(opens(&t, f, 0, "\\Registry\\Machine\\SOFTWARE"));

    /* An array of handles. */
    {
        uint64_t handles[3] = { 0x48, 0x60, 0x44 };

        call = call_of(&stub, "NtWaitForMultipleObjects");
        call.args[0] = 3;
        call.args[1] = put(&t, handles, sizeof(handles));
        CHECK(passes_in(&t, f, &call));
        call.args[0] = 0xff00000002;  // not the third; 32 bits count
        CHECK(!passes_in(&t, f, &call));
        call.args[0] = 3;
        call.arg_mask = 1;
        CHECK(!passes_in(&t, f, &call));
        call.arg_mask = 2;
        CHECK(!passes_in(&t, f, &call));
    }
    /* The image of a process to be made. */
    {
        uint16_t name[] = { '\\', '?', '?', '\\', 'C', ':', '\\', 'x' };
        uint64_t list[9] = { 72, 0x10003, 16, 0x1234, 0, 0x20005, 16, 0, 0 };

        add_path(f, "c:\\X");
        call = call_of(&stub, "NtCreateUserProcess");
        list[7] = put(&t, name, sizeof(name));
        call.args[10] = put(&t, list, sizeof(list));
        CHECK(passes_in(&t, f, &call));
        list[0] = 40;
        call.args[10] = put(&t, list, sizeof(list));
        CHECK(!passes_in(&t, f, &call));
    }
    filter_close(f);
    target_close(&t);
}

/* While a call is in the kernel another thread may close its handles, and so
 * may a million of other calls come and go. */
static void says_the_same_at_the_return(void)
{
    struct filter *f = open_with(NULL);
    uint64_t handles[1] = { 0x44 };
    struct stub stub;
    struct call waits = call_of(&stub, "NtWaitForMultipleObjects");
    struct call late = waits;
    struct target t;
    struct target other;

    target_open(&t);
    target_open(&other);
    CHECK(handles_add(t.handles, 0x44, STR("File"), STR("x"), STR("C:\\x"),
                      false, 0));
    add_path(f, "C:\\x");
    waits.args[0] = 1;
    waits.args[1] = put(&t, handles, sizeof(handles));
    put(&other, handles, sizeof(handles));
    waits.id = 7;
    late = waits;
    late.id = 1024 + 7;
    CHECK(passes_in(&t, f, &waits));
    CHECK(!passes_in(&other, f, &late));
    for (uint64_t id = 2000; id < 20000; id++) {
        struct call call = waits;

        call.id = id;
        CHECK(passes_in(&t, f, &call) == true);
        call.returned = true;
        CHECK(passes_in(&other, f, &call) == true);
    }
    waits.returned = true;
    late.ended = true;
    CHECK(passes_in(&other, f, &waits));
    CHECK(passes_in(&other, f, &waits));
    CHECK(!passes_in(&t, f, &late));
    waits.id = 8;  // nobody asked at its entry
    CHECK(!passes_in(&other, f, &waits));
    CHECK(passes_in(&t, f, &waits));
    waits.id = 7;
    add(f, "trace=all");
    CHECK(!passes_in(&other, f, &waits));
    filter_close(f);
    target_close(&t);
    target_close(&other);
}

/* What the target says of itself may be wrong in any way. */
static void wrong_pointers_match_nothing(void)
{
    struct filter *f = open_with(NULL);
    struct stub stub;
    struct call call = call_of(&stub, "NtOpenFile");
    uint64_t string[2] = { 0xfffe | 0xfffeull << 16, 0 };
    uint64_t attributes[6] = { 48, 0, 0, 0, 0, 0 };
    struct target t;

    target_open(&t);
    add_path(f, "C:\\x");
    for (size_t i = 0; i < COUNT_OF(call.args); i++) {
        call.args[i] = UINT64_MAX - 8;
    }
    CHECK(!passes_in(&t, f, &call));
    call.args[2] = put(&t, attributes, sizeof(attributes));
    CHECK(!passes_in(&t, f, &call));
    attributes[2] = 0x55555555;
    call.args[2] = put(&t, attributes, sizeof(attributes));
    CHECK(!passes_in(&t, f, &call));
    string[1] = MEMORY;
    attributes[2] = put(&t, string, sizeof(string));
    call.args[2] = put(&t, attributes, sizeof(attributes));
    CHECK(!passes_in(&t, f, &call));
    /* The first half of a name is there, and is what is looked for; what was
     * read before would make it whole. */
    CHECK(!opens(&t, f, 0, "abcd\\\\\\\\"));
    call = call_of(&stub, "NtOpenFile");
    string[0] = 16 | 18 << 16;
    string[1] = MEMORY + t.size + sizeof(string) + sizeof(attributes);
    attributes[2] = put(&t, string, sizeof(string));
    call.args[2] = put(&t, attributes, sizeof(attributes));
    put(&t, u"C:\\x", 8);
    CHECK(!passes_in(&t, f, &call));
    string[0] = 8 | 10 << 16;
    memcpy(t.bytes + (attributes[2] - MEMORY), string, sizeof(string));
    CHECK(passes_in(&t, f, &call));
    call.arg_mask = 0;
    CHECK(!passes_in(&t, f, &call));
    call = call_of(&stub, "NtCreateUserProcess");
    call.args[10] = MEMORY;
    CHECK(!passes_in(&t, f, &call));
    filter_close(f);
    target_close(&t);
}

static void classes_of_an_object_look_at_it(void)
{
    struct filter *f = open_with("trace=%network");
    struct filter *not = open_with("trace=!%network");
    struct object socket = { .path = STR("\\Device\\Afd\\Endpoint") };
    struct object file = { .path = STR("C:\\windows\\win.ini") };
    struct stub stub;
    struct call call = call_of(&stub, "NtDeviceIoControlFile");
    struct target t;

    target_open(&t);
    CHECK(filter_wants_paths(f) && filter_wants_paths(not ));
    for (int i = 0; i < 2; i++) {  // the second time out of its memory
        call.objects[0] = &socket;
        CHECK(passes_in(&t, f, &call) && !passes_in(&t, not, &call));
        call.objects[0] = &file;
        CHECK(!passes_in(&t, f, &call) && passes_in(&t, not, &call));
        call.objects[0] = NULL;
        CHECK(!passes_in(&t, f, &call) && passes_in(&t, not, &call));
    }
    CHECK(opens(&t, f, 0, "\\Device\\Afd\\Endpoint"));
    CHECK(opens(&t, f, 0, "\\Device\\Afd"));
    CHECK(!opens(&t, f, 0, "\\Device\\Afdx"));
    add(f, "trace=+NtDeviceIoControlFile");
    call.objects[0] = &file;
    CHECK(passes_in(&t, f, &call));
    filter_close(f);
    filter_close(not );
    target_close(&t);
}

/* Capital and small letter of a few of each rule of path.c. */
static void capitals_are_known(void)
{
    static const char *const pairs[][2] = {
        { "z", "Z" },
        { "\xc3\xa9", "\xc3\x89" },
        { "\xc3\xbf", "\xc5\xb8" },
        { "\xc4\x81", "\xc4\x80" },
        { "\xc4\xba", "\xc4\xb9" },
        { "\xc5\xbe", "\xc5\xbd" },
        { "\xce\xac", "\xce\x86" },
        { "\xce\xb1", "\xce\x91" },
        { "\xcf\x8c", "\xce\x8c" },
        { "\xcf\x8d", "\xce\x8e" },
        { "\xd0\xb6", "\xd0\x96" },
        { "\xd1\x91", "\xd0\x81" },
        { "\xd3\x82", "\xd3\x81" },
        { "\xd5\xa1", "\xd4\xb1" },
        { "\xe1\xb8\x81", "\xe1\xb8\x80" },
        { "\xef\xbd\x81", "\xef\xbc\xa1" },
    };
    static const char *const others[][2] = {
        { "\xc3\xb7", "\xc3\x97" },  // division and times
        { "\xc3\x9f", "S" },         // sharp s
        { "\xc4\xb1", "I" },         // dotless i
        { "`", "@" },
        { "{", "[" },
        { "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80" },  // beyond the BMP
        { "\xed\xa0\x80", "\xed\xa0\x81" },          // lone surrogates
    };
    static struct path_room a;
    static struct path_room b;

    for (size_t i = 0; i < COUNT_OF(pairs) + COUNT_OF(others); i++) {
        const char *const *pair =
            i < COUNT_OF(pairs) ? pairs[i] : others[i - COUNT_OF(pairs)];
        bool same;

        path_begin(&a);
        path_begin(&b);
        path_add(&a, str_of(pair[0]));
        path_add(&b, str_of(pair[1]));
        same = a.size == b.size && memcmp(a.units, b.units, 2 * a.size) == 0;
        CHECK(same == (i < COUNT_OF(pairs)));
    }
    CHECK_U64(a.size, 1);
    CHECK_U64(a.units[0], 0xd800);
}

static void a_program_is_named_by_its_file(void)
{
    static const struct {
        const char *glob;
        const char *path;
        bool is;
    } cases[] = {
        { "cl.exe", "C:\\x\\CL.EXE", true },
        { "cl", "C:\\x\\cl.exe", true },
        { "CL", "cl", true },
        { "cl", "C:\\cl\\link.exe", false },
        { "c*", "/opt/c++", true },
        { "p?thon*", "C:\\python3.12.exe", true },
        { "x.exe", "x", false },
        { "x", "x.exe.exe", false },
        { "*", "", true },
        { "?", "", false },
        { ".exe", ".exe", true },
        { "", ".exe", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK_U64(filter_is_image(str_of(cases[i].glob), str_of(cases[i].path)),
                  cases[i].is);
    }
}

static void processes_are_chosen(void)
{
    static const struct {
        const char *expression;
        bool cl;
        bool link;
        bool unknown;
    } cases[] = {
        { "process=cl", true, false, false },
        { "process=cl, LINK.EXE", true, true, false },
        { "process=!cl", false, true, true },
        { "process=!!cl", true, false, false },
        { "process=all", true, true, true },
        { "process=none", false, false, false },
        { "process=!none", true, true, true },
        { "process=*k*", false, true, false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct filter *f = filter_open();
        struct err e;

        CHECK(filter_add(f, STR("process=other"), &e));
        CHECK(filter_add(f, str_of(cases[i].expression), &e));
        CHECK_U64(filter_pass_process(f, STR("cl.exe")), cases[i].cl);
        CHECK_U64(filter_pass_process(f, STR("link.exe")), cases[i].link);
        CHECK_U64(filter_pass_process(f, STR("")), cases[i].unknown);
        CHECK_U64(filter_pass_thread(f, 4, STR("cl.exe")), cases[i].cl);
        CHECK_U64(filter_pass_transition(f, 4, STR("cl.exe"), TRANSITION_APC),
                  cases[i].cl);
        CHECK(filter_wants_name(f, STR("NtClose"), NULL));
        filter_close(f);
    }
}

static void modules_are_told_only_where_they_are_named(void)
{
    static const struct {
        const char *expression;
        bool mapped;
        bool unmapped;
        bool apc;
    } rows[] = {
        { "transition=all", false, false, true },
        { "transition=!apc", false, false, false },
        { "transition=all,module", true, false, true },
        { "transition=MODULE,UNMODULE", true, true, false },
        { "transition=!MODULE", false, false, true },
        { "transition=none", false, false, false },
    };
    struct filter *f = filter_open();
    struct err e = { 0 };

    CHECK(!filter_pass_transitions(f, TRANSITION_MODULE));
    CHECK(!filter_pass_transitions(f, TRANSITION_UNMODULE));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(filter_add(f, str_of(rows[i].expression), &e));
        CHECK(filter_pass_transitions(f, TRANSITION_MODULE) == rows[i].mapped);
        CHECK(filter_pass_transitions(f, TRANSITION_UNMODULE) ==
              rows[i].unmapped);
        CHECK(filter_pass_transitions(f, TRANSITION_APC) == rows[i].apc);
    }
    /* Also beside what chooses calls. */
    filter_failed(f);
    CHECK(filter_add(f, STR("transition=MODULE"), &e));
    CHECK(filter_pass_transitions(f, TRANSITION_MODULE));
    filter_close(f);
}

static void names_of_the_users_own_calls_are_known(void)
{
    static const struct call_facts rows[] = {
        { .name = "NtNewer", .result = &type_rows[TYPE_NTSTATUS] },
        { .name = "NtOlder", .result = &type_rows[TYPE_NTSTATUS] },
    };
    static const struct call_set own = { rows, COUNT_OF(rows) };
    struct filter *f = filter_open();
    struct err e = { 0 };

    CHECK(!filter_add(f, STR("NtNewer"), &e));
    filter_know(f, &own);
    CHECK(filter_add(f, STR("NtNewer"), &e));
    CHECK(filter_wants_name(f, STR("NtNewer"), NULL));
    CHECK(!filter_wants_name(f, STR("NtOlder"), &rows[1]));
    CHECK(filter_add(f, STR("trace=!NtOlder,NtClose"), &e));
    CHECK(!filter_wants_name(f, STR("NtOlder"), &rows[1]));
    CHECK(!filter_wants_name(f, STR("NtClose"), NULL));
    CHECK(!filter_add(f, STR("NtNewest"), &e));
    filter_close(f);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_program_is_named_by_its_file),
        TEST(processes_are_chosen),
        TEST(good_expressions_choose_names),
        TEST(bad_expressions_are_told_with_a_caret),
        TEST(errors_fit),
        TEST(later_ones_replace_earlier_ones_of_their_kind),
        TEST(what_is_remembered_of_a_name_is_of_its_facts),
        TEST(dumps_are_chosen_by_handle),
        TEST(raw_calls_are_chosen_by_name),
        TEST(statuses_are_held_against_results),
        TEST(z_is_a_status),
        TEST(all_kinds_must_hold),
        TEST(transitions_are_chosen_by_their_kind),
        TEST(calls_without_a_name_match_no_name),
        TEST(paths_have_many_forms),
        TEST(a_path_is_read_by_the_width_of_its_process),
        TEST(bad_paths_are_told),
        TEST(paths_are_looked_for_in_all_arguments),
        TEST(says_the_same_at_the_return),
        TEST(wrong_pointers_match_nothing),
        TEST(classes_of_an_object_look_at_it),
        TEST(capitals_are_known),
        TEST(names_of_the_users_own_calls_are_known),
        TEST(modules_are_told_only_where_they_are_named),
    };

    return check_run(tests, COUNT_OF(tests));
}
