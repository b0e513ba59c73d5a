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
 * version 10 (include/wine/afd.h). A connection that is only begun (pending, or
 * of a socket that does not block) counts as made when a later call shows it:
 * a poll that says so, what is sent or received at once, a question for the
 * peer, the completion port that its end goes to.
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
    AFD_RECEIVE = 0x12017,
    AFD_SEND = 0x1201f,
    AFD_POLL = 0x12024,
    AFD_GET_ADDRESS = 0x1202f,
    AFD_GET_REMOTE_ADDRESS = 0x1203f,
    AFD_ENUM_NETWORK_EVENTS = 0x1208b,
    AFD_WINE_RECVMSG = 0x120334,
    AFD_WINE_SENDMSG = 0x120338,
    AFD_WINE_CREATE = 0x120320,
    AFD_WINE_ACCEPT = 0x120324,
    AFD_WINE_ACCEPT_INTO = 0x120328,
    AFD_WINE_CONNECT = 0x12032c,
    AFD_WINE_GET_PEER = 0x120360,
    AFD_WINE_GET_INFO = 0x120368,
};

/* AFD_CONNECT of Wine, the same for both widths */
#define WINE_CONNECT_ADDRESS 8

/* AFD_POLL_HANDLE_INFO.PollEvents, and the index of each bit's status */
#define BIT_CONNECT 6
#define EVENT_SEND 0x004
#define EVENT_BROKEN 0x038 /* disconnected, aborted, closed */
#define EVENT_CONNECT (1u << BIT_CONNECT)
#define EVENT_CONNECT_FAILED 0x100

#define STATUS_DEVICE_NOT_READY 0xc00000a3
#define NT_CONTEXT 3 /* ApcContext of NtDeviceIoControlFile */

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
    } else if (s->begun) {
        buf_add(b, STR(" connecting "));
        buf_add(b, str_of(s->peer));
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
    const struct memory *m = &call->before;
    enum nt_width w = call->width;
    uint64_t at = call->args[CREATE_EA] +
                  nt_offset(NT_FILE_FULL_EA_INFORMATION_EaName, w);
    char found[sizeof(packet)];
    uint32_t family;
    uint32_t type;
    uint32_t protocol;

    *out = (struct socket){ .type = 0 };
    if (!is_afd(name) || !(call->arg_mask & 1u << CREATE_EA) ||
        call->args[CREATE_EA] == 0 || call->stub->arg_count <= CREATE_EA ||
        memory_read(m, at, found, sizeof(found)) != sizeof(found) ||
        memcmp(found, packet, sizeof(found)) != 0) {
        return false;
    }
    at += sizeof(packet);  // the value, behind the name and its zero
    if (!nt_read32(m, w, at, NT_AFD_OPEN_PACKET_AddressFamily, &family) ||
        !nt_read32(m, w, at, NT_AFD_OPEN_PACKET_SocketType, &type) ||
        !nt_read32(m, w, at, NT_AFD_OPEN_PACKET_Protocol, &protocol)) {
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
    other.begun = false;
    other.has_port = false;
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

    if (!nt_read32(&call->before, call->width, in, NT_AFD_ACCEPT_INFO_Sequence,
                   &number) ||
        !nt_read(&call->before, call->width, in,
                 NT_AFD_ACCEPT_INFO_AcceptHandle, &news->accepted)) {
        return false;
    }
    news->other = accepted_by(&news->socket);
    if (number == news->socket.waiting) {
        memcpy(news->other.peer, news->socket.waiting_peer, SOCKET_TEXT);
    }
    return true;
}

bool socket_attempted(struct socket *s, enum socket_attempt attempt)
{
    if (!s->begun || attempt == ATTEMPT_OPEN) {
        return false;
    }
    s->begun = false;
    s->connected = attempt == ATTEMPT_DONE;
    return true;
}

bool socket_polled(const struct call *call, uint32_t i, uint64_t *handle,
                   enum socket_attempt *attempt)
{
    const struct memory *m = &call->after;
    enum nt_width w = call->width;
    uint64_t out = call->args[CONTROL_OUT];
    uint64_t entry = out + nt_offset(NT_AFD_POLL_INFO_Handles, w) +
                     (uint64_t)i * nt_size(NT_AFD_POLL_HANDLE_INFO, w);
    uint32_t count;
    uint32_t events;
    uint32_t status;

    if (!(call->arg_mask & 1u << CONTROL_CODE) ||
        !(call->arg_mask & 1u << CONTROL_OUT) ||
        (uint32_t)call->args[CONTROL_CODE] != AFD_POLL ||
        (uint32_t)call->result != 0 ||
        !nt_read32(m, w, out, NT_AFD_POLL_INFO_NumberOfHandles, &count) ||
        i >= count ||
        !nt_read(m, w, entry, NT_AFD_POLL_HANDLE_INFO_Handle, handle) ||
        !nt_read32(m, w, entry, NT_AFD_POLL_HANDLE_INFO_PollEvents, &events) ||
        !nt_read32(m, w, entry, NT_AFD_POLL_HANDLE_INFO_Status, &status)) {
        return false;
    }
    *attempt = ATTEMPT_OPEN;
    if (events & EVENT_CONNECT_FAILED) {
        *attempt = ATTEMPT_FAILED;
    } else if (status == 0 && (events & (EVENT_SEND | EVENT_CONNECT)) &&
               !(events & EVENT_BROKEN)) {
        *attempt = ATTEMPT_DONE;
    }
    return true;
}

/* What WSAEnumNetworkEvents was told. */
static enum socket_attempt network_events(const struct call *call, uint64_t out)
{
    const enum nt_field list = NT_AFD_ENUM_NETWORK_EVENTS_INFO_EventStatus;
    uint64_t at = out + nt_offset(list, call->width);
    uint32_t events;
    uint32_t status;

    if (!nt_read32(&call->after, call->width, out,
                   NT_AFD_ENUM_NETWORK_EVENTS_INFO_PollEvents, &events) ||
        !memory_u32(&call->after, at + 4 * BIT_CONNECT, &status)) {
        return ATTEMPT_OPEN;
    }
    if (events & EVENT_CONNECT_FAILED) {
        return ATTEMPT_FAILED;
    }
    if (!(events & EVENT_CONNECT)) {
        return ATTEMPT_OPEN;
    }
    return status == 0 ? ATTEMPT_DONE : ATTEMPT_FAILED;
}

/* A socket that does not block says no, and connects. */
static bool begins(const struct call *call)
{
    uint32_t code = (uint32_t)call->args[CONTROL_CODE];

    return (code == AFD_CONNECT || code == AFD_WINE_CONNECT) &&
           (uint32_t)call->result == STATUS_DEVICE_NOT_READY;
}

/* CONNECT, with the address at `at`. */
static bool connect_to(const struct call *call, uint64_t at, struct socket *s)
{
    bool wildcard;

    if (!read_address(&call->before, at, s->peer, &wildcard)) {
        return false;
    }
    s->connected = (uint32_t)call->result == 0;
    s->begun = !s->connected;
    s->context = call->arg_mask & 1u << NT_CONTEXT ? call->args[NT_CONTEXT] : 0;
    return true;
}

bool socket_learn(const struct call *call, const struct thing *thing,
                  struct socket_news *news)
{
    const uint32_t needed =
        1u << CONTROL_CODE | 1u << CONTROL_IN | 1u << CONTROL_OUT;
    uint64_t in = call->args[CONTROL_IN];
    uint64_t out = call->args[CONTROL_OUT];
    enum nt_width w = call->width;
    struct socket *s = &news->socket;
    uint32_t handle;
    bool wildcard;

    memset(news, 0, sizeof(*news));
    if ((call->arg_mask & needed) != needed ||
        ((int32_t)call->result < 0 && !begins(call)) ||
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
                     read_address(&call->before,
                                  in + nt_offset(NT_AFD_BIND_INFO_Address, w),
                                  s->local, &s->wildcard);
        break;
    case AFD_GET_ADDRESS:
        news->same = read_address(&call->after, out, s->local, &s->wildcard);
        break;
    case AFD_START_LISTEN:
        s->type = TYPE_STREAM;
        news->same = true;
        break;
    case AFD_CONNECT:
        news->same = connect_to(
            call, in + nt_offset(NT_AFD_CONNECT_JOIN_INFO_RemoteAddress, w), s);
        break;
    case AFD_WINE_CONNECT:
        news->same = connect_to(call, in + WINE_CONNECT_ADDRESS, s);
        break;
    case AFD_SEND:
    case AFD_RECEIVE:
    case AFD_WINE_SENDMSG:
    case AFD_WINE_RECVMSG:
        news->same =
            (uint32_t)call->result == 0 && socket_attempted(s, ATTEMPT_DONE);
        break;
    case AFD_ENUM_NETWORK_EVENTS:
        news->same = socket_attempted(s, network_events(call, out));
        break;
    case AFD_GET_REMOTE_ADDRESS:
    case AFD_WINE_GET_PEER:
        news->same = read_address(&call->after, out, s->peer, &wildcard);
        s->connected |= news->same;
        s->begun &= !news->same;
        break;
    case AFD_WAIT_FOR_LISTEN:
        news->same =
            nt_read32(&call->after, w, out,
                      NT_AFD_LISTEN_RESPONSE_INFO_Sequence, &s->waiting) &&
            read_address(
                &call->after,
                out + nt_offset(NT_AFD_LISTEN_RESPONSE_INFO_RemoteAddress, w),
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
