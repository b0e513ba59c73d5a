/* SPDX-License-Identifier: MIT */
/*
 * sockets - a program that connects to itself over loopback, IPv4 and IPv6:
 * bind, listen, connect, accept, send, receive, and the datagrams of UDP. The
 * trace tells addresses, ports and data, and names each socket by them.
 *
 * What Windows and Wine say to the driver for one function of Winsock is not
 * the same; the lines expected here are what a user looks for in both.
 */
#define DECODED
#include <winsock2.h>

#include <ws2tcpip.h>

#include "nt.h"

static const char hello[] = "hello, socket";

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static bool have_ipv6;

static union address loopback(int family, int *size)
{
    union address a;

    memset(&a, 0, sizeof a);
    a.any.sa_family = (ADDRESS_FAMILY)family;
    *size = sizeof a.in;
    if (family == AF_INET) {
        a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        a.in6.sin6_addr.s6_addr[15] = 1;
        *size = sizeof a.in6;
    }
    return a;
}

/* "127.0.0.1:80", "[::1]:80" */
static const char *text_of(const union address *a, char room[64])
{
    unsigned port = ntohs(a->in.sin_port);

    snprintf(room, 64,
             a->any.sa_family == AF_INET ? "127.0.0.1:%u" : "[::1]:%u", port);
    return room;
}

static unsigned long long handle_of(SOCKET s)
{
    return (unsigned long long)s;
}

static void stream(DWORD tid, int family)
{
    int size, peer_size = sizeof(union address);
    union address at = loopback(family, &size), from, peer;
    SOCKET listening = socket(family, SOCK_STREAM, IPPROTO_TCP);
    SOCKET client = socket(family, SOCK_STREAM, IPPROTO_TCP), server;
    char here[64], there[64], got[64];
    int got_size;

    CHECK(listening != INVALID_SOCKET && client != INVALID_SOCKET);
    CHECK(bind(listening, &at.any, size) == 0);
    CHECK(getsockname(listening, &at.any, &size) == 0);
    text_of(&at, here);
    CHECK(listen(listening, 1) == 0);
    CHECK(connect(client, &at.any, size) == 0);
    server = accept(listening, &peer.any, &peer_size);
    CHECK(server != INVALID_SOCKET);
    peer_size = sizeof from;
    CHECK(getsockname(client, &from.any, &peer_size) == 0);
    CHECK(from.in.sin_port == peer.in.sin_port);
    text_of(&from, there);
    CHECK(send(client, hello, sizeof hello, 0) == sizeof hello);
    got_size = recv(server, got, sizeof got, 0);
    CHECK(got_size == sizeof hello && memcmp(got, hello, sizeof hello) == 0);

    /* The port is the system's choice: asked for 0, told afterwards. */
    expect("SEQ", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<TCP>, *IOCTL_AFD_*BIND*%s*",
           handle_of(listening), family == AF_INET ? "127.0.0.1:0" : "[::1]:0");
    expect("SEQ", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<TCP %s>, *IOCTL_AFD_*"
           "LISTEN*",
           handle_of(listening), here);
    expect("SEQ", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<TCP*>, *IOCTL_AFD_*CONNECT*"
           "%s*",
           handle_of(client), here);
    expect("SEQ", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<TCP*%s>, *b\"hello, "
           "socket\\x00\"*",
           handle_of(client), here);
    expect("SEQ", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<TCP*>, *b\"hello, "
           "socket\\x00\"*",
           handle_of(server));
    closesocket(client);
    expect("SEQ", tid, "NtClose(Handle=0x%llx<TCP*%s>) = 0", handle_of(client),
           here);
    closesocket(server);
    closesocket(listening);
}

/* A socket that does not block, as most programs have them. */
static void nonblocking(DWORD tid)
{
    int size;
    union address at = loopback(AF_INET, &size);
    SOCKET listening = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    SOCKET client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    char here[64];
    u_long one = 1;
    fd_set writable;

    CHECK(bind(listening, &at.any, size) == 0);
    CHECK(getsockname(listening, &at.any, &size) == 0);
    CHECK(listen(listening, 1) == 0);
    text_of(&at, here);
    CHECK(ioctlsocket(client, FIONBIO, &one) == 0);
    if (connect(client, &at.any, size) != 0) {
        CHECK(WSAGetLastError() == WSAEWOULDBLOCK);
    }
    FD_ZERO(&writable);
    FD_SET(client, &writable);
    CHECK(select(0, NULL, &writable, NULL, NULL) == 1);
    CHECK(send(client, hello, sizeof hello, 0) == sizeof hello);
    expect("SEQ", tid, "NtDeviceIoControlFile(*0x%llx<TCP* connecting %s>*",
           handle_of(client), here);
    expect("SEQ", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<TCP* peer %s>, *b\"hello, "
           "socket\\x00\"*",
           handle_of(client), here);
    closesocket(client);
    closesocket(listening);
}

static void datagrams(DWORD tid, int family)
{
    int size;
    union address at = loopback(family, &size);
    SOCKET a = socket(family, SOCK_DGRAM, IPPROTO_UDP);
    char here[64], got[64];

    CHECK(a != INVALID_SOCKET && bind(a, &at.any, size) == 0);
    CHECK(getsockname(a, &at.any, &size) == 0);
    text_of(&at, here);
    CHECK(sendto(a, hello, sizeof hello, 0, &at.any, size) == sizeof hello);
    CHECK(recv(a, got, sizeof got, 0) == sizeof hello);
    expect("SEQ", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<UDP %s>, *b\"hello, "
           "socket\\x00\"*%s*",
           handle_of(a), here, here);
    expect("SEQ", tid,
           "NtDeviceIoControlFile(FileHandle=0x%llx<UDP %s>, *b\"hello, "
           "socket\\x00\"*",
           handle_of(a), here);
    closesocket(a);
}

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    WSADATA data;
    SOCKET six;
    int size;
    union address at;

    target_begin();
    CHECK(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    at = loopback(AF_INET6, &size);
    six = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    have_ipv6 = six != INVALID_SOCKET && bind(six, &at.any, size) == 0;
    closesocket(six);

    stream(tid, AF_INET);
    nonblocking(tid);
    datagrams(tid, AF_INET);
    if (have_ipv6) {
        stream(tid, AF_INET6);
        datagrams(tid, AF_INET6);
    } else {
        printf("skipped: no IPv6 here\n");
    }
    WSACleanup();
    return target_end();
}
