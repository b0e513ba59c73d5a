/* SPDX-License-Identifier: MIT */
/*
 * socket.h - what io.c hands on to socket.c: the buffers of AFD's control
 * codes.
 */
#ifndef DECODE_FAMILIES_SOCKET_H
#define DECODE_FAMILIES_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

struct build;
struct tell;

/* `type` as in ioctls.def. False: it is none of AFD's. */
bool socket_tell(const struct tell *t, const char *type, uint64_t address,
                 uint64_t said, bool output);
/* `input`: the piece that is the input buffer, `code`: the argument that is the
 * control code. */
void socket_build(struct build *b, int input, int code);
/* `block`: the piece that is the IO_STATUS_BLOCK. */
void socket_build_return(struct build *b, int input, int code, int block);

#endif
