/* SPDX-License-Identifier: MIT */
/*
 * keys.c - keys to choices. Touches nothing but what it is given.
 */
#include "top/keys.h"

#include "base/banned.h"

#define ESCAPE 0x1b
/* A key where a terminal makes no signal of it. */
#define CTRL_C 3

static void choose(struct keys *k, enum counts_by by)
{
    k->by = by;
    k->help = false;
}

static void sort(struct keys *k, int order)
{
    k->order = (enum counts_order)((order + COUNTS_ORDERS) % COUNTS_ORDERS);
    k->help = false;
}

enum keys_ask keys_press(struct keys *k, uint32_t key)
{
    if (key >= '1' && key < '1' + COUNTS_ORDERS) {
        sort(k, (int)key - '1');
        return KEYS_DRAW;
    }
    switch (key) {
    case 'c':
        choose(k, COUNTS_BY_CALL);
        break;
    case 'f':
        choose(k, COUNTS_BY_FILE);
        break;
    case 't':
        choose(k, COUNTS_BY_THREAD);
        break;
    case 'p':
        choose(k, COUNTS_BY_PROCESS);
        break;
    case 's':
        sort(k, (int)k->order + 1);
        break;
    case 'S':
        sort(k, (int)k->order - 1);
        break;
    case 'r':
        k->reverse = !k->reverse;
        break;
    case ' ':
        k->paused = !k->paused;
        break;
    case 'h':
    case '?':
        k->help = !k->help;
        break;
    case ESCAPE:
        k->help = false;
        break;
    case 'q':
    case CTRL_C:
        return KEYS_QUIT;
    default:
        return KEYS_NOTHING;
    }
    return KEYS_DRAW;
}

const char *keys_help(size_t line)
{
    static const char *const lines[] = {
        "c f t p   by call, by file (or key, socket, whatever has a name),",
        "          by thread, by process",
        "s S       sort by the next column, by the one before",
        "1 ... 9   sort by that column: calls, errors, time and waits of the",
        "          last interval; calls, errors, time and waits so far; name",
        "r         the other way round",
        "space     stand still, and go on; counting goes on meanwhile",
        "h ?       this, and back",
        "q         quit: the program runs on, untraced",
        "Ctrl-C    the same, with exit status 130",
        "",
        "Times are those of calls that have returned, added up over threads:",
        "more than 100 % where several work, or where a long one has just",
        "come back. Calls whose purpose is to wait count as waits alone.",
    };

    return line < COUNT_OF(lines) ? lines[line] : NULL;
}

bool keys_order_find(str word, enum counts_order *out)
{
    static const struct {
        const char *word;
        enum counts_order order;
    } rows[] = {
        { "rate", ORDER_RATE },           { "error-rate", ORDER_ERROR_RATE },
        { "time-rate", ORDER_TIME_RATE }, { "wait-rate", ORDER_WAIT_RATE },
        { "calls", ORDER_CALLS },         { "errors", ORDER_ERRORS },
        { "time", ORDER_TIME },           { "waits", ORDER_WAITS },
        { "name", ORDER_NAME },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_is(word, rows[i].word)) {
            *out = rows[i].order;
            return true;
        }
    }
    return false;
}
