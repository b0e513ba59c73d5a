/* SPDX-License-Identifier: MIT */
/*
 * nts_example FILE - writes a small trace file, the same each time: that of
 * docs/trace-format.md, which tests/nts-example takes apart.
 *
 * One thread closes two handles and writes two bytes to a file. Only the
 * STREAM and what must be there; nothing is deflated.
 */
#include "record/about.h"
#include "record/chunks.h"
#include "record/ops.h"
#include "wire/journal.h"

#include <stdio.h>
#include <string.h>

#define THREAD 1
#define STACK 0x800000
#define NTDLL 0x180000000
#define PROGRAM 0x140001000

struct example {
    struct ops ops;
    uint8_t bytes[4096];
    uint8_t *end;
};

static void add_entry(struct example *x, uint64_t time, uint16_t number,
                      uint64_t rsp, uint64_t caller, uint64_t first)
{
    struct record_entry r = {
        .head = { ENTRY_SIZE, RECORD_ENTRY, 0, number, time },
        .rsp = rsp,
        .stack_base = STACK,
        .caller = caller,
        .args = { first, 0, 0, 0 },
    };

    x->end = ops_record(&x->ops, x->end, THREAD, (const uint8_t *)&r);
}

static void add_return(struct example *x, uint64_t time, uint64_t rip,
                       uint64_t rsp, uint64_t rax)
{
    struct record_return r = {
        .head = { RETURN_SIZE, RECORD_RETURN, 0, 0, time },
        .rip = rip,
        .rsp = rsp,
        .rax = rax,
        .stack_base = STACK,
    };

    x->end = ops_record(&x->ops, x->end, THREAD, (const uint8_t *)&r);
}

static void add_data(struct example *x, uint64_t time, uint16_t number,
                     uint64_t rsp, uint64_t address, const char *text)
{
    uint64_t room[(DATA_BYTES + 8) / 8] = { 0 };
    struct record_data r = {
        .head = { sizeof(room), RECORD_DATA, 0, number, time },
        .rsp = rsp,
        .address = address,
        .length = (uint32_t)strlen(text),
        .op = 0x10000,
    };

    memcpy(room, &r, sizeof(r));
    memcpy((uint8_t *)room + DATA_BYTES, text, strlen(text));
    x->end = ops_record(&x->ops, x->end, THREAD, (const uint8_t *)room);
}

/* The calls: NtClose(0x4c), NtClose(0x50), and NtWriteFile(0x54), which has
 * data; then what the model was told, and how far it went. */
static void add_calls(struct example *x)
{
    x->end = ops_thread_open(x->end, 0, THREAD, 36, 0, 1000);
    add_entry(x, 2000, 0xf, 0x7ff000, PROGRAM + 0x20, 0x4c);
    add_return(x, 2600, NTDLL + 0x1f4, 0x7ff000, 0);
    add_entry(x, 3000, 0xf, 0x7ff000, PROGRAM + 0x20, 0x50);
    add_return(x, 3500, NTDLL + 0x1f4, 0x7ff000, 0xc0000008);
    add_data(x, 4000, 8, 0x7fefc0, 0x7ff100, "hi");
    add_entry(x, 4010, 8, 0x7fefc0, PROGRAM + 0x60, 0x54);
    add_return(x, 9000, NTDLL + 0x114, 0x7fefc0, 0);
    x->end = ops_bound(&x->ops, x->end, THREAD, 10000);
    x->end = ops_ran(&x->ops, x->end, 10000);
}

/* The process, before there is anything of it. */
static void add_process(struct example *x)
{
    char room[512];
    struct buf b = BUF_OVER(room);
    struct journal_process p = {
        .head.time = 900, .pid = 32, .build = 19045, .width = 8
    };
    struct journal_clock c = { .head.time = 500,
                               .hz = 1000000,
                               .wall_ns = INT64_C(1795341240000000000) };
    const struct journal_stub_row rows[] = {
        { 0x100, 8, JOURNAL_STUB_PATCHED, STR("NtWriteFile") },
        { 0x1e0, 0xf, JOURNAL_STUB_PATCHED, STR("NtClose") },
    };

    journal_clock(&b, &c);
    x->end = ops_carry(x->end, OP_CLOCK, 0, b.p, b.size);
    b.size = 0;
    journal_process(&b, &p, STR("demo.exe"), STR("demo"));
    x->end = ops_carry(x->end, OP_PROCESS, 0, b.p, b.size);
    b.size = 0;
    journal_stubs(&b, 950, NTDLL, 1, STR("ntdll.dll"), rows, 2);
    x->end = ops_carry(x->end, OP_JOURNAL, 0, b.p, b.size);
}

static bool write_all(struct chunk_writer *w, struct example *x, struct err *e)
{
    struct chunk_head info = { .kind = CHUNK_INFO };
    struct chunk_head head = { .kind = CHUNK_STREAM };
    struct chunk_head end = { .kind = CHUNK_END };

    if (!chunks_write(w, &info, "program demo.exe\n", 17, false, e)) {
        return false;
    }
    ops_begin(&x->ops);
    x->end = x->bytes;
    add_process(x);
    if (!chunks_write(w, &head, x->bytes, (size_t)(x->end - x->bytes), false,
                      e)) {
        return false;
    }
    ops_begin(&x->ops);
    x->end = x->bytes;
    add_calls(x);
    head.calls = 3;
    head.first = 2000;
    head.last = 9000;
    return chunks_write(w, &head, x->bytes, (size_t)(x->end - x->bytes), false,
                        e) &&
           chunks_write(w, &end, "ended the program's\n", 20, false, e);
}

int main(int argc, char **argv)
{
    static struct example x;
    struct chunk_writer w;
    struct err e = { 0 };
    bool ok;

    if (argc != 2) {
        fprintf(stderr, "usage: nts_example FILE\n");
        return 2;
    }
    ok = chunks_create(&w, str_of(argv[1]), &e) && write_all(&w, &x, &e);
    ok = chunks_finish(&w, &e) && ok;
    if (!ok) {
        fprintf(stderr, "nts_example: %s\n", e.text);
    }
    return !ok;
}
