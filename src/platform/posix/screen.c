/* SPDX-License-Identifier: MIT */
/*
 * screen.c - there is none: what is drawn on one is a program that is traced, and
 * none is here.
 */
#include "platform/posix/posix.h"

#include "base/banned.h"

bool os_screen_open(bool forced)
{
    (void)forced;
    return false;
}

void os_screen_close(void)
{
}

void os_screen_size(uint32_t *columns, uint32_t *rows)
{
    *columns = 80;
    *rows = 24;
}

uint32_t os_screen_key(void)
{
    return 0;
}
