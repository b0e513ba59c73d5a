/* SPDX-License-Identifier: MIT */
/*
 * machine.c - what we run on, by name.
 *
 * Touches nothing; where the system does not tell, nothing is added.
 */
#include "platform/posix/posix.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/banned.h"

void os_machine_name(struct buf *b)
{
    struct utsname u;

    if (uname(&u) == 0) {
        posix_add_text(b, u.nodename, strlen(u.nodename));
    }
}

void os_system_name(struct buf *b)
{
    struct utsname u;

    if (uname(&u) == 0) {
        buf_addf(b, "%s %s %s", u.sysname, u.release, u.machine);
    }
}
