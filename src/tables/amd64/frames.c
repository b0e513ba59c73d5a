/* SPDX-License-Identifier: MIT */
/*
 * frames.c - the words that tell what a frame of frames.h is about.
 */
#include "tables/amd64/frames.h"

#include "base/compiler.h"

#include "base/banned.h"

static const struct frame_row rows[FRAME_COUNT] = {
    [FRAME_THREAD_START] = {
        .function = "LdrInitializeThunk",
        .from_rcx = 1,
        .count = 2,
        .offset = { CONTEXT_AT_RCX, CONTEXT_AT_RDX },
    },
    [FRAME_APC] = {
        .function = "KiUserApcDispatcher",
        .count = 7,
        .offset = {
            CONTEXT_AT_P1HOME,
            CONTEXT_AT_P2HOME,
            CONTEXT_AT_P3HOME,
            CONTEXT_AT_P4HOME,
            CONTEXT_AT_RIP,
            CONTEXT_AT_RSP,
            CONTEXT_AT_RAX,
        },
    },
    [FRAME_EXCEPTION] = {
        .function = "KiUserExceptionDispatcher",
        .count = 8,
        .offset = {
            FRAME_EXCEPTION_RECORD + EXCEPTION_AT_CODE,
            FRAME_EXCEPTION_RECORD + EXCEPTION_AT_NESTED,
            FRAME_EXCEPTION_RECORD + EXCEPTION_AT_ADDRESS,
            FRAME_EXCEPTION_RECORD + EXCEPTION_AT_COUNT,
            FRAME_EXCEPTION_RECORD + EXCEPTION_AT_PARAMETERS,
            FRAME_EXCEPTION_RECORD + EXCEPTION_AT_PARAMETERS + 8,
            CONTEXT_AT_RIP,
            CONTEXT_AT_RSP,
        },
    },
    [FRAME_CALLBACK] = {
        .function = "KiUserCallbackDispatcher",
        .count = 2,
        .offset = { FRAME_CALLBACK_INPUT, FRAME_CALLBACK_LENGTH },
    },
    [FRAME_RAISE] = {
        .function = "KiRaiseUserExceptionDispatcher",
    },
};

const struct frame_row *frame_row(enum frame_kind kind)
{
    return &rows[kind];
}
