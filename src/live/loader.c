/* SPDX-License-Identifier: MIT */
/*
 * loader.c - the lists of a process' loader, as winnt's and phnt's headers have
 * them for x64.
 */
#include "live/loader.h"

#include <string.h>

#include "base/banned.h"

#define PEB_LDR 0x18
#define LDR_LOAD_ORDER 0x10 /* a list's head */
/* What is kept of a module, its link of that list first. */
#define ENTRY_BYTES 0x68
#define ENTRY_BASE 0x30
#define ENTRY_SIZE_OF_IMAGE 0x40
#define ENTRY_PATH 0x48 /* UNICODE_STRING */
#define ENTRY_NAME 0x58 /* the same */
/* No process has more, and no image is larger. */
#define ENTRIES_MOST 8192
#define IMAGE_MOST ((uint64_t)1 << 30)
#define UNITS_MOST 260

static uint64_t u64_in(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static uint64_t ldr_of(const struct os_process *p)
{
    uint64_t peb = os_process_peb(p);
    uint64_t ldr = 0;

    return peb != 0 && os_read(p, peb + PEB_LDR, &ldr, sizeof(ldr)) ? ldr : 0;
}

/* The text whose UNICODE_STRING is at `at` of an entry; empty: it is too long,
 * or cannot be read. */
static str text_of(const struct os_process *p, const uint8_t *at, struct buf *b)
{
    uint16_t units[UNITS_MOST];
    uint16_t bytes;

    memcpy(&bytes, at, sizeof(bytes));
    if (bytes > 0 && bytes <= sizeof(units) &&
        os_read(p, u64_in(at + 8), units, bytes)) {
        os_to_utf8(b, (struct str16){ units, bytes / 2 });
    }
    return buf_str(b);
}

static void tell(const struct os_process *p, const uint8_t *entry,
                 void (*each)(void *ctx, const struct loaded *l), void *ctx)
{
    char room[2][3 * UNITS_MOST];
    struct buf name = BUF_OVER(room[0]), path = BUF_OVER(room[1]);
    uint32_t size;
    struct loaded l = { .base = u64_in(entry + ENTRY_BASE) };

    memcpy(&size, entry + ENTRY_SIZE_OF_IMAGE, sizeof(size));
    if (l.base == 0 || size == 0 || size > IMAGE_MOST) {
        return;
    }
    l.size = size;
    l.name = text_of(p, entry + ENTRY_NAME, &name);
    l.path = text_of(p, entry + ENTRY_PATH, &path);
    if (l.name.size > 0) {
        each(ctx, &l);
    }
}

bool loader_each(const struct os_process *p,
                 void (*each)(void *ctx, const struct loaded *l), void *ctx)
{
    uint64_t ldr = ldr_of(p);
    uint64_t head = ldr + LDR_LOAD_ORDER;
    uint64_t at = 0;
    uint8_t entry[ENTRY_BYTES];

    if (ldr == 0 || !os_read(p, head, &at, sizeof(at))) {
        return false;
    }
    for (int i = 0; i < ENTRIES_MOST && at != head; i++) {
        if (!os_read(p, at, entry, sizeof(entry))) {
            return false;
        }
        tell(p, entry, each, ctx);
        at = u64_in(entry);
    }
    return true;
}
