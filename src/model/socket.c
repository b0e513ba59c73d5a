/* SPDX-License-Identifier: MIT */
/*
 * socket.c - what calls say of sockets: their kind, their addresses.
 *
 * A socket is a file of \Device\Afd. Windows gives its kind in extended
 * attributes at the creation, Wine in a control code of its own; addresses
 * come with control codes in both, in different structures. A buffer that
 * holds something else than an address where one is looked for tells nothing.
 *
 * Layouts: Windows as System Informer's ntafd.h describes them, Wine as of
 * version 10 (include/wine/afd.h). A connection that is only begun
 * (STATUS_PENDING) counts as made: nothing tells of its end.
 *
 * Touches only what it is given; cannot fail otherwise than it says.
 */
#include "model/world.h"

#include <string.h>

#include "base/banned.h"

/* Parameters of NtDeviceIoControlFile, and of NtCreateFile */
#define CONTROL_CODE 5
#define CONTROL_IN 6
#define CONTROL_OUT 8
#define CREATE_EA 9

enum afd_code {
    AFD_BIND = 0x12003,
    AFD_CONNECT = 0x12007,
    AFD_START_LISTEN = 0x1200b,
    AFD_WAIT_FOR_LISTEN = 0x1200c,
    AFD_ACCEPT = 0x12010,
    AFD_GET_ADDRESS = 0x1202f,
    AFD_GET_REMOTE_ADDRESS = 0x1203f,
    AFD_WINE_CREATE = 0x120320,
    AFD_WINE_ACCEPT = 0x120324,
    AFD_WINE_ACCEPT_INTO = 0x120328,
    AFD_WINE_CONNECT = 0x12032c,
    AFD_WINE_GET_PEER = 0x120360,
    AFD_WINE_GET_INFO = 0x120368,
};

/* Where addresses and handles stand in the buffers. */
#define BIND_ADDRESS 4
#define CONNECT_ADDRESS 24
#define WAIT_ADDRESS 4 /* behind the number of the connection */
#define ACCEPT_NUMBER 4
#define ACCEPT_HANDLE 8
#define WINE_CONNECT_ADDRESS 8

/* FILE_FULL_EA_INFORMATION, and AFD_OPEN_PACKET behind its name */
#define EA_NAME 8
#define EA_PACKET 24
#define PACKET_FAMILY 8
#define PACKET_TYPE 12
#define PACKET_PROTOCOL 16

#define FAMILY_UNIX 1
#define FAMILY_IPV4 2
#define FAMILY_IPV6 23
#define TYPE_STREAM 1
#define TYPE_DATAGRAM 2
#define TYPE_RAW 3
#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ICMPV6 58

static uint32_t u16_network(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* As RFC 5952 has it: the longest run of zero groups, from two on, is "::". */
static void add_ipv6(struct buf *b, const uint8_t *a)
{
    uint32_t best = 8;
    uint32_t best_size = 1;

    for (uint32_t i = 0; i < 8;) {
        uint32_t from = i;

        while (i < 8 && u16_network(a + 2 * i) == 0) {
            i++;
        }
        if (i - from > best_size) {
            best = from;
            best_size = i - from;
        }
        i += i == from;
    }
    for (uint32_t i = 0; i < 8; i++) {
        if (i == best) {
            buf_add(b, STR("::"));
            i += best_size - 1;
            continue;
        }
        if (i > 0 && i != best + best_size) {
            buf_add_char(b, ':');
        }
        buf_addf(b, "%x", (unsigned)u16_network(a + 2 * i));
    }
}

/* Writes the address at `at` to `text`; false if there is none. */
static bool read_address(const struct memory *m, uint64_t at,
                         char text[SOCKET_TEXT], bool *wildcard)
{
    struct buf b = { text, 0, SOCKET_TEXT - 1, false };
    uint8_t a[28] = { 0 };
    size_t size = memory_read(m, at, a, sizeof(a));
    uint32_t family = u16_at(a);

    *wildcard = false;
    if (family == FAMILY_IPV4 && size >= 8) {
        for (int i = 4; i < 8; i++) {
            if (i > 4) {
                buf_add_char(&b, '.');
            }
            buf_add_dec(&b, a[i]);
        }
        *wildcard = u32_at(a + 4) == 0;
    } else if (family == FAMILY_IPV6 && size >= 28) {
        buf_add_char(&b, '[');
        add_ipv6(&b, a + 8);
        if (u32_at(a + 24) != 0) {
            buf_add_char(&b, '%');
            buf_add_dec(&b, u32_at(a + 24));
        }
        buf_add_char(&b, ']');
        *wildcard = u64_at(a + 8) == 0 && u64_at(a + 16) == 0;
    } else {
        return false;
    }
    buf_add_char(&b, ':');
    buf_add_dec(&b, u16_network(a + 2));
    text[b.size] = 0;
    return true;
}

static str kind(const struct socket *s)
{
    if (s->unix_family) {
        return STR("UNIX");
    }
    switch (s->protocol) {
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        return STR("ICMP");
    case PROTOCOL_TCP:
        return STR("TCP");
    case PROTOCOL_UDP:
        return STR("UDP");
    default:
        break;
    }
    switch (s->type) {
    case TYPE_STREAM:
        return STR("TCP");
    case TYPE_DATAGRAM:
        return STR("UDP");
    case TYPE_RAW:
        return STR("RAW");
    default:
        return STR("socket");
    }
}

str socket_name(const struct socket *s, struct buf *b)
{
    buf_add(b, kind(s));
    if (s->local[0]) {
        buf_add_char(b, ' ');
        buf_add(b, str_of(s->local));
    }
    if (s->connected) {
        buf_add(b, STR(" peer "));
        buf_add(b, s->peer[0] ? str_of(s->peer) : STR("?"));
    }
    return buf_str(b);
}

static bool is_afd(str name)
{
    str afd = STR("\\Device\\Afd");

    return str_eq_nocase(str_slice(name, 0, afd.size), afd) &&
           (name.size == afd.size || name.p[afd.size] == '\\');
}

static void set_kind(struct socket *s, uint32_t family, uint32_t type,
                     uint32_t protocol)
{
    s->unix_family = family == FAMILY_UNIX;
    s->type = type;
    s->protocol = family == FAMILY_IPV4 || family == FAMILY_IPV6 ? protocol : 0;
}

bool socket_created(const struct call *call, str name, struct socket *out)
{
    static const char packet[] = "AfdOpenPacketXX";
    uint64_t ea = call->args[CREATE_EA];
    char found[sizeof(packet)];
    uint32_t family;
    uint32_t type;
    uint32_t protocol;

    *out = (struct socket){ .type = 0 };
    if (!is_afd(name) || !(call->arg_mask & 1u << CREATE_EA) || ea == 0 ||
        call->stub->arg_count <= CREATE_EA ||
        memory_read(&call->before, ea + EA_NAME, found, sizeof(found)) !=
            sizeof(found) ||
        memcmp(found, packet, sizeof(found)) != 0 ||
        !memory_u32(&call->before, ea + EA_PACKET + PACKET_FAMILY, &family) ||
        !memory_u32(&call->before, ea + EA_PACKET + PACKET_TYPE, &type) ||
        !memory_u32(&call->before, ea + EA_PACKET + PACKET_PROTOCOL,
                    &protocol)) {
        return false;
    }
    set_kind(out, family, type, protocol);
    return true;
}

/* What a connection that `s` has accepted is. */
static struct socket accepted_by(const struct socket *s)
{
    struct socket other = *s;

    if (s->wildcard) {
        other.local[0] = 0;
    }
    other.wildcard = false;
    other.connected = true;
    other.peer[0] = 0;
    other.waiting = 0;
    other.waiting_peer[0] = 0;
    return other;
}

/* family, type, protocol, one after the other */
static bool read_kind(const struct memory *m, uint64_t at, struct socket *s)
{
    uint32_t family;
    uint32_t type;
    uint32_t protocol;

    if (!memory_u32(m, at, &family) || !memory_u32(m, at + 4, &type) ||
        !memory_u32(m, at + 8, &protocol)) {
        return false;
    }
    set_kind(s, family, type, protocol);
    return true;
}

/* ACCEPT: the handle that takes the connection, and who is at its end. */
static bool read_accept(const struct call *call, uint64_t in,
                        struct socket_news *news)
{
    uint32_t number;

    if (!memory_u32(&call->before, in + ACCEPT_NUMBER, &number) ||
        !memory_u64(&call->before, in + ACCEPT_HANDLE, &news->accepted)) {
        return false;
    }
    news->other = accepted_by(&news->socket);
    if (number == news->socket.waiting) {
        memcpy(news->other.peer, news->socket.waiting_peer, SOCKET_TEXT);
    }
    return true;
}

bool socket_learn(const struct call *call, const struct thing *thing,
                  struct socket_news *news)
{
    const uint32_t needed =
        1u << CONTROL_CODE | 1u << CONTROL_IN | 1u << CONTROL_OUT;
    uint64_t in = call->args[CONTROL_IN];
    uint64_t out = call->args[CONTROL_OUT];
    struct socket *s = &news->socket;
    uint32_t handle;
    bool wildcard;

    memset(news, 0, sizeof(*news));
    if ((call->arg_mask & needed) != needed ||
        (thing && !thing->socket && !is_afd(thing->object.name))) {
        return false;
    }
    if (thing && thing->socket) {
        *s = *thing->socket;
    }
    switch ((uint32_t)call->args[CONTROL_CODE]) {
    case AFD_WINE_CREATE:
        *s = (struct socket){ .type = 0 };
        news->same = read_kind(&call->before, in, s);
        break;
    case AFD_WINE_GET_INFO:
        news->same = read_kind(&call->after, out, s);
        break;
    case AFD_BIND:
        /* What comes back has the port that was chosen. */
        news->same = read_address(&call->after, out, s->local, &s->wildcard) ||
                     read_address(&call->before, in + BIND_ADDRESS, s->local,
                                  &s->wildcard);
        break;
    case AFD_GET_ADDRESS:
        news->same = read_address(&call->after, out, s->local, &s->wildcard);
        break;
    case AFD_START_LISTEN:
        s->type = TYPE_STREAM;
        news->same = true;
        break;
    case AFD_CONNECT:
        news->same = read_address(&call->before, in + CONNECT_ADDRESS, s->peer,
                                  &wildcard);
        s->connected |= news->same;
        break;
    case AFD_WINE_CONNECT:
        news->same = read_address(&call->before, in + WINE_CONNECT_ADDRESS,
                                  s->peer, &wildcard);
        s->connected |= news->same;
        break;
    case AFD_GET_REMOTE_ADDRESS:
    case AFD_WINE_GET_PEER:
        news->same = read_address(&call->after, out, s->peer, &wildcard);
        s->connected |= news->same;
        break;
    case AFD_WAIT_FOR_LISTEN:
        news->same = memory_u32(&call->after, out, &s->waiting) &&
                     read_address(&call->after, out + WAIT_ADDRESS,
                                  s->waiting_peer, &wildcard);
        break;
    case AFD_ACCEPT:
        return thing && thing->socket && read_accept(call, in, news);
    case AFD_WINE_ACCEPT:
        if (thing && thing->socket && memory_u32(&call->after, out, &handle)) {
            news->accepted = handle;
            news->made = true;
            news->other = accepted_by(s);
        }
        return news->accepted != 0;
    case AFD_WINE_ACCEPT_INTO:
        if (thing && thing->socket && memory_u32(&call->before, in, &handle)) {
            news->accepted = handle;
            news->other = accepted_by(s);
        }
        return news->accepted != 0;
    default:
        break;
    }
    return news->same;
}
