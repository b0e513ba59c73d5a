/* SPDX-License-Identifier: MIT */
/*
 * socket.c - sockets: what NtDeviceIoControlFile hands to AFD.
 *
 * Addresses are told as text, "127.0.0.1:80" and "[::1]:443". Windows hands
 * them over as a sockaddr, or in TDI's form (count, length, family, the rest
 * of the sockaddr), depending on the transport: both are known by what is in
 * them. Wine has control codes of its own for what Windows does by several.
 *
 * What a receive has filled hangs off its input buffer, so it is told there:
 * once the call has returned, out of what was copied then.
 */
#include "decode/families/socket.h"

#include "decode/build.h"
#include "decode/families/families.h"
#include "decode/walk.h"
#include "tables/fields.h"

#include <string.h>

#include "base/banned.h"

#define AF_UNIX 1u
#define AF_INET 2u
#define AF_INET6 23u
#define SOCKADDR_IN 16u
#define SOCKADDR_IN6 28u

/* Buffers of one call that are copied. */
#define BUFFERS 4u

#define AFD_RECEIVE 0x12017u
#define AFD_RECEIVE_DATAGRAM 0x1201bu
#define AFD_SEND 0x1201fu
#define AFD_SEND_DATAGRAM 0x12023u
#define WINE_RECVMSG 0x120334u
#define WINE_SENDMSG 0x120338u

/* --- Addresses -------------------------------------------------------- */

static uint32_t big16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static void spell_ip4(struct buf *b, const uint8_t *p)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            buf_add_char(b, '.');
        }
        buf_add_dec(b, p[i]);
    }
}

static void add_group(struct buf *b, uint32_t value)
{
    char digits[8];
    struct buf hex = BUF_OVER(digits);

    buf_add_hex(&hex, value);
    buf_add(b, str_slice(buf_str(&hex), 2, hex.size));
}

/* As RFC 5952 has it: the longest run of two or more zeros is "::". */
static void spell_ip6(struct buf *b, const uint8_t *p)
{
    int best = -1;
    int best_count = 1;

    for (int i = 0; i < 8; i++) {
        int count = 0;

        while (i + count < 8 && big16(p + 2 * (i + count)) == 0) {
            count++;
        }
        if (count > best_count) {
            best = i;
            best_count = count;
        }
    }
    if (best == 0 && best_count == 5 && big16(p + 10) == 0xffff) {
        buf_add(b, STR("::ffff:"));
        spell_ip4(b, p + 12);
        return;
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            buf_add(b, STR("::"));
            i += best_count - 1;
            continue;
        }
        if (i > 0 && i != best + best_count) {
            buf_add_char(b, ':');
        }
        add_group(b, big16(p + 2 * i));
    }
}

static void tell_spelled(const struct tell *t, const struct buf *b)
{
    const struct sink_text text = {
        .kind = TEXT_WTF8,
        .p = b->p,
        .size = b->size,
        .cut = b->cut,
    };

    t->sink->ops->text(t->sink, &text);
}

/* A family, and what follows it in a sockaddr. */
static bool tell_family(const struct tell *t, uint32_t family,
                        const uint8_t *rest, size_t size)
{
    char room[128];
    struct buf b = BUF_OVER(room);
    uint32_t scope;

    if (family == AF_INET && size >= 6) {
        spell_ip4(&b, rest + 2);
        buf_add_char(&b, ':');
        buf_add_dec(&b, big16(rest));
        tell_spelled(t, &b);
        return true;
    }
    if (family == AF_INET6 && size >= 22) {
        buf_add_char(&b, '[');
        spell_ip6(&b, rest + 6);
        if (size >= 26) {
            scope = rest[22] | (uint32_t)rest[23] << 8 |
                    (uint32_t)rest[24] << 16 | (uint32_t)rest[25] << 24;
            if (scope != 0) {
                buf_add_char(&b, '%');
                buf_add_dec(&b, scope);
            }
        }
        buf_add(&b, STR("]:"));
        buf_add_dec(&b, big16(rest));
        tell_spelled(t, &b);
        return true;
    }
    if (family == AF_UNIX && size > 0) {
        const struct sink_text text = {
            .kind = TEXT_WTF8,
            .p = rest,
            .size = strnlen((const char *)rest, size),
        };

        t->sink->ops->text(t->sink, &text);
        return true;
    }
    return false;
}

/* A sockaddr, or an address as TDI has it; false: neither. */
static bool socket_address(const struct tell *t, uint64_t address,
                           uint64_t said)
{
    uint8_t bytes[128];
    size_t size =
        memory_read(t->memory, address, bytes,
                    said < sizeof(bytes) ? (size_t)said : sizeof(bytes));
    uint32_t family;

    if (size < 2) {
        return false;
    }
    family = bytes[0] | (uint32_t)bytes[1] << 8;
    if (family != AF_UNIX && tell_family(t, family, bytes + 2, size - 2)) {
        return true;
    }
    /* TDI: LONG count = 1, USHORT length, USHORT family. */
    if (size >= 10 && family == 1 && bytes[2] == 0 && bytes[3] == 0) {
        uint32_t length = bytes[4] | (uint32_t)bytes[5] << 8;

        family = bytes[6] | (uint32_t)bytes[7] << 8;
        if (length <= size - 8 && tell_family(t, family, bytes + 8, length)) {
            return true;
        }
    }
    return size > 2 && bytes[1] == 0 && bytes[0] == AF_UNIX &&
           tell_family(t, AF_UNIX, bytes + 2, size - 2);
}

static void tell_address(const struct tell *t, const char *name,
                         uint64_t address, uint64_t said)
{
    tell_open(t, name);
    if (socket_address(t, address, said)) {
        return;
    }
    if (said == 0 || address == 0) {
        tell_pointer(t, said == 0 ? 0 : address);
    } else {
        tell_data(t, address, said);
    }
}

/* --- Buffers ---------------------------------------------------------- */

/* The memory as it was at the return, of a call that has filled outputs. */
static bool returned(const struct tell *t, struct tell *out)
{
    if (t->after || !t->call || !t->call->returned ||
        t->call->after.count == 0) {
        return t->after;
    }
    *out = *t;
    out->memory = &t->call->after;
    out->after = true;
    return true;
}

/* What the receive has put into its buffers, in bytes. */
static uint64_t received(const struct tell *t)
{
    uint64_t block;
    uint64_t bytes;

    if (tell_arg(t, "IoStatusBlock", &block) &&
        nt_information_read(t->memory, t->width, block, &bytes)) {
        return bytes;
    }
    return 0;
}

/* `count` WSABUFs at `address`; `limit`: bytes in them that mean something,
 * 0 if it is not known that there are any. */
static void tell_buffers(const struct tell *t, const struct tell *bytes,
                         uint64_t address, uint64_t count, uint64_t limit)
{
    if (!tell_there(t, address)) {
        tell_pointer(t, address);
        return;
    }
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = address + i * nt_size(NT_WSABUF, t->width);
        uint32_t size;
        uint64_t buffer;
        uint64_t shown;

        if (tell_more(t, i) || !tell_read32(t, at, NT_WSABUF_len, &size) ||
            !tell_read(t, at, NT_WSABUF_buf, &buffer)) {
            t->sink->ops->more(t->sink);
            break;
        }
        shown = size < limit ? size : limit;
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        tell_open(t, "len");
        tell_number(t, size);
        tell_open(t, "buf");
        if (shown > 0 && tell_there(bytes, buffer)) {
            tell_data(bytes, buffer, shown);
        } else {
            tell_pointer(t, buffer);
        }
        t->sink->ops->end(t->sink, GROUP_STRUCT);
        limit -= shown;
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
}

/* Where things are in the structures that send and receive. */
struct transfer {
    const char *type;
    bool sends;
    bool size_by_pointer;
    uint8_t size;
    uint8_t array;  // pointer to the WSABUFs
    uint8_t count;
    uint8_t flags;         // 0: none
    uint8_t tdi;           // more flags, of a receive; 0: none
    uint8_t address;       // pointer; ADDRESS_NONE
    uint8_t address_size;  // u32, or pointer to one
    enum nt_width width;   // of its pointers
};

#define ADDRESS_NONE 0xff

/* Windows' structures, by the width of the process; ABSENT: it has none. */
#define ABSENT NT_FIELD_COUNT

static const struct {
    const char *type;
    bool sends;
    bool size_by_pointer;
    enum nt_field all;
    enum nt_field array;
    enum nt_field count;
    enum nt_field flags;
    enum nt_field tdi;
    enum nt_field address;
    enum nt_field address_size;
} windows_transfers[] = {
    { "AFD_RECV_INFO", false, false, NT_AFD_RECV_INFO,
      NT_AFD_RECV_INFO_BufferArray, NT_AFD_RECV_INFO_BufferCount,
      NT_AFD_RECV_INFO_AfdFlags, NT_AFD_RECV_INFO_TdiFlags, ABSENT, ABSENT },
    { "AFD_SEND_INFO", true, false, NT_AFD_SEND_INFO,
      NT_AFD_SEND_INFO_BufferArray, NT_AFD_SEND_INFO_BufferCount,
      NT_AFD_SEND_INFO_AfdFlags, NT_AFD_SEND_INFO_TdiFlags, ABSENT, ABSENT },
    { "AFD_RECV_DATAGRAM_INFO", false, true, NT_AFD_RECV_DATAGRAM_INFO,
      NT_AFD_RECV_DATAGRAM_INFO_BufferArray,
      NT_AFD_RECV_DATAGRAM_INFO_BufferCount, NT_AFD_RECV_DATAGRAM_INFO_AfdFlags,
      NT_AFD_RECV_DATAGRAM_INFO_TdiFlags, NT_AFD_RECV_DATAGRAM_INFO_Address,
      NT_AFD_RECV_DATAGRAM_INFO_AddressLength },
    { "AFD_SEND_DATAGRAM_INFO", true, false, NT_AFD_SEND_DATAGRAM_INFO,
      NT_AFD_SEND_DATAGRAM_INFO_BufferArray,
      NT_AFD_SEND_DATAGRAM_INFO_BufferCount, NT_AFD_SEND_DATAGRAM_INFO_AfdFlags,
      ABSENT, NT_AFD_SEND_DATAGRAM_INFO_Address,
      NT_AFD_SEND_DATAGRAM_INFO_AddressLength },
};

/* Wine's, the same for both widths. */
static const struct transfer wine_transfers[] = {
    { "AFD_RECVMSG", false, true, 48, 40, 36, 0, 0, 8, 16, NT_64 },
    { "AFD_SENDMSG", true, false, 32, 24, 20, 12, 0, 0, 8, NT_64 },
};

#define WINDOWS_TRANSFERS COUNT_OF(windows_transfers)

static uint8_t place_or(enum nt_field field, enum nt_width width, uint8_t none)
{
    return field == ABSENT ? none : (uint8_t)nt_offset(field, width);
}

/* Number `i` of all, first Windows'. False: there are no more. */
static bool transfer_at(size_t i, enum nt_width w, struct transfer *out)
{
    if (i >= WINDOWS_TRANSFERS) {
        i -= WINDOWS_TRANSFERS;
        if (i >= COUNT_OF(wine_transfers)) {
            return false;
        }
        *out = wine_transfers[i];
        return true;
    }
    *out = (struct transfer){
        .type = windows_transfers[i].type,
        .sends = windows_transfers[i].sends,
        .size_by_pointer = windows_transfers[i].size_by_pointer,
        .size = (uint8_t)nt_size(windows_transfers[i].all, w),
        .array = place_or(windows_transfers[i].array, w, 0),
        .count = place_or(windows_transfers[i].count, w, 0),
        .flags = place_or(windows_transfers[i].flags, w, 0),
        .tdi = place_or(windows_transfers[i].tdi, w, 0),
        .address = place_or(windows_transfers[i].address, w, ADDRESS_NONE),
        .address_size = place_or(windows_transfers[i].address_size, w, 0),
        .width = w,
    };
    return true;
}

static void tell_peer(const struct tell *t, const struct transfer *x,
                      uint64_t address)
{
    struct tell late;
    uint64_t pointer;
    uint64_t where;
    uint32_t size = 0;
    bool there;

    if (!nt_pointer_read(t->memory, x->width, address + x->address, &pointer) ||
        pointer == 0) {
        return;
    }
    if (x->sends) {
        if (memory_u32(t->memory, address + x->address_size, &size)) {
            tell_address(t, "Address", pointer, size);
        }
        return;
    }
    tell_open(t, "Address");
    late = *t;
    there = returned(t, &late) &&
            nt_pointer_read(t->memory, x->width, address + x->address_size,
                            &where) &&
            memory_u32(late.memory, where, &size);
    if (!there || !socket_address(&late, pointer, size)) {
        tell_pointer(t, pointer);
    }
}

static bool tell_transfer(const struct tell *t, const struct transfer *x,
                          uint64_t address, uint64_t said)
{
    struct tell late = *t;
    uint64_t array;
    uint32_t count;
    uint32_t flags;
    uint64_t limit = 0;

    if (said < x->size ||
        !nt_pointer_read(t->memory, x->width, address + x->array, &array) ||
        !memory_u32(t->memory, address + x->count, &count)) {
        return false;
    }
    if (x->sends) {
        limit = TELL_ANY;
    } else if (returned(t, &late)) {
        limit = received(&late);
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_open(t, "BufferArray");
    tell_buffers(t, &late, array, count, limit);
    if (x->flags && memory_u32(t->memory, address + x->flags, &flags) &&
        (flags != 0 || t->options->verbose)) {
        tell_open(t, "AfdFlags");
        tell_hex(t, flags);
    }
    if (x->tdi && memory_u32(t->memory, address + x->tdi, &flags) &&
        (flags != 0 || t->options->verbose)) {
        tell_open(t, "TdiFlags");
        if (x->sends) {
            tell_hex(t, flags);
        } else {
            tell_by_set(t, flags, "AFD_RECEIVE_FLAGS");
        }
    }
    if (x->address != ADDRESS_NONE) {
        tell_peer(t, x, address);
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

/* --- Structures with an address in them ------------------------------- */

static bool tell_bind(const struct tell *t, uint64_t address, uint64_t said)
{
    uint32_t at = nt_offset(NT_AFD_BIND_INFO_Address, t->width);
    uint32_t share;

    if (said <= at ||
        !tell_read32(t, address, NT_AFD_BIND_INFO_ShareAccess, &share)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_open(t, "ShareAccess");
    tell_number(t, share);
    tell_address(t, "Address", address + at, said - at);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static bool tell_join(const struct tell *t, uint64_t address, uint64_t said)
{
    uint32_t at = nt_offset(NT_AFD_CONNECT_JOIN_INFO_RemoteAddress, t->width);

    if (said <= at) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_address(t, "RemoteAddress", address + at, said - at);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static bool tell_wine_connect(const struct tell *t, uint64_t address,
                              uint64_t said)
{
    uint32_t length;
    uint32_t synchronous;

    if (said < 8 || !memory_u32(t->memory, address, &length) ||
        !memory_u32(t->memory, address + 4, &synchronous)) {
        return false;
    }
    said -= 8;
    if (length < said) {
        /* What follows the address is sent with the connect. */
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        tell_address(t, "addr", address + 8, length);
        tell_open(t, "data");
        tell_data(t, address + 8 + length, said - length);
    } else {
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        tell_address(t, "addr", address + 8, said);
    }
    if (t->options->verbose) {
        tell_open(t, "synchronous");
        tell_number(t, synchronous);
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static bool tell_listened(const struct tell *t, uint64_t address, uint64_t said)
{
    uint32_t at =
        nt_offset(NT_AFD_LISTEN_RESPONSE_INFO_RemoteAddress, t->width);
    uint32_t sequence;

    if (said <= at ||
        !tell_read32(t, address, NT_AFD_LISTEN_RESPONSE_INFO_Sequence,
                     &sequence)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_open(t, "Sequence");
    tell_number(t, sequence);
    tell_address(t, "RemoteAddress", address + at, said - at);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static bool tell_poll(const struct tell *t, uint64_t address, uint64_t said,
                      bool output)
{
    uint32_t head = nt_offset(NT_AFD_POLL_INFO_Handles, t->width);
    uint32_t each = nt_size(NT_AFD_POLL_HANDLE_INFO, t->width);
    uint64_t timeout;
    uint32_t count;

    if (said < head ||
        !tell_read(t, address, NT_AFD_POLL_INFO_Timeout, &timeout) ||
        !tell_read32(t, address, NT_AFD_POLL_INFO_NumberOfHandles, &count)) {
        return false;
    }
    said -= head;
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    if (!output) {
        tell_open(t, "Timeout");
        tell_timeout(t, (int64_t)timeout);
    }
    tell_open(t, "Handles");
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = address + head + i * each;
        uint64_t handle;
        uint32_t events;
        uint32_t status;

        if (tell_more(t, i) || (i + 1) * each > said ||
            !tell_read(t, at, NT_AFD_POLL_HANDLE_INFO_Handle, &handle) ||
            !tell_read32(t, at, NT_AFD_POLL_HANDLE_INFO_PollEvents, &events)) {
            t->sink->ops->more(t->sink);
            break;
        }
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        tell_open(t, "Handle");
        tell_handle(t, handle,
                    t->call && t->call->handles
                        ? handles_find(t->call->handles, handle)
                        : NULL);
        tell_open(t, "PollEvents");
        tell_by_set(t, events, "AFD_POLL_FLAGS");
        if (output &&
            tell_read32(t, at, NT_AFD_POLL_HANDLE_INFO_Status, &status)) {
            tell_open(t, "Status");
            t->sink->ops->status(t->sink, status);
        }
        t->sink->ops->end(t->sink, GROUP_STRUCT);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

/* What they are by the name of their type. */
static const struct {
    const char *type;
    bool (*tell)(const struct tell *t, uint64_t address, uint64_t said);
} told[] = {
    { "AFD_BIND_INFO", tell_bind },
    { "AFD_CONNECT", tell_wine_connect },
    { "AFD_CONNECT_JOIN_INFO", tell_join },
    { "AFD_LISTEN_RESPONSE_INFO", tell_listened },
    { "SOCKADDR", socket_address },
};

bool socket_tell(const struct tell *t, const char *type, uint64_t address,
                 uint64_t said, bool output)
{
    struct transfer x;

    for (size_t i = 0; i < COUNT_OF(told); i++) {
        if (strcmp(type, told[i].type) == 0) {
            return told[i].tell(t, address, said);
        }
    }
    for (size_t i = 0; transfer_at(i, t->width, &x); i++) {
        if (strcmp(type, x.type) == 0) {
            return tell_transfer(t, &x, address, said);
        }
    }
    return strcmp(type, "AFD_POLL_INFO") == 0 &&
           tell_poll(t, address, said, output);
}

/* --- Building --------------------------------------------------------- */

static void only_for(struct capture_op *op, int code, uint32_t value)
{
    op->test = 1;
    op->test_from = (uint8_t)code;
    op->test_value = value;
}

/* The WSABUFs that piece `input` points to, and what they point to. */
static void build_buffers(struct build *b, const struct transfer *x, int input,
                          int code, uint32_t value, enum capture_when when,
                          int block)
{
    uint32_t each = build_size(b, NT_WSABUF);
    uint32_t length = build_offset(b, NT_WSABUF_len);
    uint32_t buffer = build_offset(b, NT_WSABUF_buf);
    struct capture_op op =
        build_op_field(build_at_piece(input, x->array, when), CAPTURE_FIELD32,
                       input, x->count, each);
    int array;

    only_for(&op, code, value);
    op.most = each * (TELL_ELEMENTS + 1);
    array = build_op(b, op);
    for (uint16_t i = 0; array != BUILD_FULL && i < BUFFERS; i++) {
        op = build_op_field(
            build_at_piece(array, (uint16_t)(i * each + buffer), when),
            CAPTURE_FIELD32, array, (uint16_t)(i * each + length), 1);
        only_for(&op, code, value);
        op.most = b->bytes_most;
        if (block >= 0) {
            op.limit.unit = CAPTURE_FIELD64;
            op.limit.from = (uint8_t)(CAPTURE_PIECE + block);
            op.limit.offset = build_offset(b, NT_IO_STATUS_BLOCK_Information);
            op.limit.scale = 1;
        }
        (void)build_op(b, op);
    }
}

static void build_peer(struct build *b, const struct transfer *x, int input,
                       int code, uint32_t value, enum capture_when when)
{
    struct capture_op op;

    if (x->size_by_pointer) {
        op = build_op_bytes(build_at_piece(input, x->address_size, when), 4);
        only_for(&op, code, value);
        (void)build_op(b, op);
    }
    op = build_op_bytes(build_at_piece(input, x->address, when), 128);
    if (!x->size_by_pointer) {
        op = build_op_field(build_at_piece(input, x->address, when),
                            CAPTURE_FIELD32, input, x->address_size, 1);
        op.most = 128;
    }
    only_for(&op, code, value);
    (void)build_op(b, op);
}

static const struct {
    uint32_t code;
    uint8_t transfer;
    bool wine;
    bool windows;
} codes[] = {
    { AFD_RECEIVE, 0, true, true },
    { AFD_SEND, 1, false, true },
    { AFD_RECEIVE_DATAGRAM, 2, false, true },
    { AFD_SEND_DATAGRAM, 3, false, true },
    { WINE_RECVMSG, 4, true, false },
    { WINE_SENDMSG, 5, true, false },
};

static bool wanted(const struct build *b, size_t i)
{
    return b->options->wine ? codes[i].wine : codes[i].windows;
}

void socket_build(struct build *b, int input, int code)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        uint32_t each = build_size(b, NT_WSABUF);
        struct transfer x;

        if (!wanted(b, i) || !transfer_at(codes[i].transfer, b->width, &x)) {
            continue;
        }
        if (!x.sends) {
            /* A receive that is still going on shows how large they are. */
            struct capture_op op =
                build_op_field(build_at_piece(input, x.array, CAPTURE_ALWAYS),
                               CAPTURE_FIELD32, input, x.count, each);

            only_for(&op, code, codes[i].code);
            op.most = each * (TELL_ELEMENTS + 1);
            (void)build_op(b, op);
            continue;
        }
        build_buffers(b, &x, input, code, codes[i].code, CAPTURE_ALWAYS, -1);
        if (x.address != ADDRESS_NONE) {
            build_peer(b, &x, input, code, codes[i].code, CAPTURE_ALWAYS);
        }
    }
}

void socket_build_return(struct build *b, int input, int code, int block)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct capture_op op;
        struct transfer x;
        int piece;

        if (!wanted(b, i) || !transfer_at(codes[i].transfer, b->width, &x) ||
            x.sends) {
            continue;
        }
        op = build_op_bytes(build_at_arg(input, CAPTURE_FILLED), x.size);
        only_for(&op, code, codes[i].code);
        piece = build_op(b, op);
        if (piece == BUILD_FULL) {
            return;
        }
        build_buffers(b, &x, piece, code, codes[i].code, CAPTURE_FILLED, block);
        if (x.address != ADDRESS_NONE) {
            build_peer(b, &x, piece, code, codes[i].code, CAPTURE_FILLED);
        }
    }
}

/* --- Rows ------------------------------------------------------------- */

static const struct family_type types[] = {
    TYPE_ENDS(AFD_POLL_INFO, ARRAY, Handles, "NumberOfHandles"),
};

const struct family family_socket = {
    .name = "socket",
    .types = types,
    .type_count = COUNT_OF(types),
};
