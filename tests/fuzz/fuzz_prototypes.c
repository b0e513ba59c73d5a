/* SPDX-License-Identifier: MIT */
/*
 * fuzz_prototypes - tables/prototypes.h: any text is rows or refused, with a
 * place in it and a caret; what became rows can be printed and read again, and
 * is the same; and a call of such a row is planned and told, whatever it takes.
 *
 * All bytes are the text.
 */
#include "decode/capture.h"
#include "decode/shape.h"
#include "tables/handles.h"
#include "tables/prototypes.h"

#include "fuzz/fuzz.h"

static void check_error(const struct err *e, str text)
{
    str said = str_of(e->text);
    str part;
    uint64_t number;
    uint64_t lines = 1;

    MUST(e->code == ERR_USAGE && e->os == 0);
    MUST(memchr(e->text, '\0', sizeof(e->text)) != NULL);
    for (size_t i = 0; i < text.size; i++) {
        lines += text.p[i] == '\n';
    }
    MUST(str_cut(said, ':', &part, &said) && str_eq(part, STR("f.h")));
    MUST(str_cut(said, ':', &part, &said) && str_to_u64(part, &number));
    MUST(number >= 1 && number <= lines);
    MUST(str_cut(said, ':', &part, &said) && str_to_u64(part, &number));
    MUST(number >= 1 && number <= text.size + 1);
    MUST(str_starts(said, STR(" ")) && str_cut(said, '\n', &part, &said));
    MUST(str_cut(said, '\n', &part, &said) && str_starts(part, STR("    ")));
    MUST(str_starts(said, STR("    ")) && str_ends(said, STR("^")));
}

static void use(const struct call_facts *call)
{
    static struct shape shape;
    uint64_t room[CAPTURE_PROGRAM_MAX / sizeof(uint64_t) + 1];
    const struct capture_options options = { .string_max = 32, .wine = true };

    touch(str_of(call->name));
    MUST(call->arg_count <= CALL_ARGS_MAX);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        touch(str_of(call->args[i].name));
        touch(str_of(call->args[i].size));
        touch(str_of(call->args[i].type->name));
        touch(str_of(call->args[i].type->to_name));
    }
    shape_of(call, &shape);
    fuzz_sum += (unsigned)capture_compile(call, &options, room);
    fuzz_sum += (unsigned)capture_compile_block(call, room);
    fuzz_sum += handle_parameters(call) + call_code_args(call) +
                call_gives_handles(call) + call_is_win32k(call);
}

/* `p` as text and back again. */
static void check_again(const struct prototypes *p)
{
    size_t most = p->set.count * PROTOTYPE_ROOM + 1;
    struct buf b = { malloc(most), 0, most, false };
    struct prototypes again = { 0 };
    struct err e = { 0 };

    MUST(b.p != NULL);
    for (size_t i = 0; i < p->set.count; i++) {
        prototype_print(&b, &p->set.rows[i]);
    }
    MUST(!b.cut);
    MUST(prototypes_read(&again, buf_str(&b), STR("f.h"), &e));
    MUST(again.set.count == p->set.count && again.passed_over == 0);
    for (size_t i = 0; i < p->set.count; i++) {
        MUST(prototype_same(&p->set.rows[i], &again.set.rows[i]));
    }
    prototypes_close(&again);
    free(b.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    str text = { size > 0 ? (const char *)bytes : "", size };
    struct prototypes p = { 0 };
    struct err e = { 0 };

    if (!prototypes_read(&p, text, STR("f.h"), &e)) {
        check_error(&e, text);
        return 0;
    }
    for (size_t i = 0; i < p.set.count; i++) {
        use(&p.set.rows[i]);
        MUST(call_set_find(&p.set, str_of(p.set.rows[i].name)) ==
             &p.set.rows[i]);
    }
    check_again(&p);
    prototypes_close(&p);
    return 0;
}
