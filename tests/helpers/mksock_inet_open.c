/* SPDX-License-Identifier: MIT */
/* mksock: opens inet sockets with the options every inet situation understands. */
#include "mksock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* family=4|6; else the address decides; else 4. */
int mk_inet_family(struct mk *mk)
{
    const char *addr = mk_option(mk, "addr", NULL);
    int64_t family = mk_number(mk, "family", 0);
    if (family == 0)
        return addr && strchr(addr, ':') ? AF_INET6 : AF_INET;
    return family == 6 ? AF_INET6 : AF_INET;
}

socklen_t mk_inet_length(const struct sockaddr_storage *addr)
{
    return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* The scope of link-local addresses comes from iface=. */
int mk_inet_address(struct mk *mk, const char *addr_key, const char *port_key,
                    struct sockaddr_storage *ret_addr)
{
    int family = mk_inet_family(mk);
    const char *text = mk_option(mk, addr_key, family == AF_INET6 ? "::1" : "127.0.0.1");
    const char *iface = mk_option(mk, "iface", NULL);
    in_port_t port = htons((uint16_t)mk_number(mk, port_key, 0));
    void *bytes;
    memset(ret_addr, 0, sizeof(*ret_addr));
    ret_addr->ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_addr;
        in6->sin6_port = port;
        in6->sin6_scope_id = iface ? if_nametoindex(iface) : 0;
        bytes = &in6->sin6_addr;
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)ret_addr;
        in->sin_port = port;
        bytes = &in->sin_addr;
    }
    if (inet_pton(family, text, bytes) != 1)
        return mk_fail(mk, "'%s' is no address of this family", text);
    return 0;
}

static int set_number(struct mk *mk, int fd, const char *key, int level, int name)
{
    if (!mk_option(mk, key, NULL))
        return 0;
    int value = (int)mk_number(mk, key, 0);
    if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
        return mk_fail_errno(mk, key);
    return 0;
}

static int set_text(struct mk *mk, int fd, const char *key, int level, int name)
{
    const char *value = mk_option(mk, key, NULL);
    if (!value)
        return 0;
    if (setsockopt(fd, level, name, value, (socklen_t)strlen(value)) < 0)
        return mk_fail_errno(mk, key);
    return 0;
}

static int set_common(struct mk *mk, int fd, int family)
{
    bool v6 = family == AF_INET6;
    if (set_text(mk, fd, "dev", SOL_SOCKET, SO_BINDTODEVICE) < 0 ||
        set_number(mk, fd, "mark", SOL_SOCKET, SO_MARK) < 0 ||
        set_number(mk, fd, "reuseaddr", SOL_SOCKET, SO_REUSEADDR) < 0 ||
        set_number(mk, fd, "reuseport", SOL_SOCKET, SO_REUSEPORT) < 0)
        return -1;
    if (set_number(mk, fd, "tos", v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS) < 0)
        return -1;
    return v6 ? set_number(mk, fd, "v6only", IPPROTO_IPV6, IPV6_V6ONLY) : 0;
}

int mk_inet_socket(struct mk *mk, int type, int protocol)
{
    int family = mk_inet_family(mk);
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return mk_fail_socket(mk, "socket");
    if (set_common(mk, fd, family) < 0)
        return -1;
    if (protocol == IPPROTO_TCP && type == SOCK_STREAM &&
        set_text(mk, fd, "cc", IPPROTO_TCP, TCP_CONGESTION) < 0)
        return -1;
    return fd;
}

int mk_inet_bind(struct mk *mk, int fd)
{
    struct sockaddr_storage addr;
    if (mk_inet_address(mk, "addr", "port", &addr) < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&addr, mk_inet_length(&addr)) < 0)
        return mk_fail_errno(mk, "bind");
    return 0;
}

/*
 * Lets a socket lose every incoming segment, silently: a peer that does not answer, on loopback,
 * without firewall or clock (and without privilege, unless the kernel is a hardened one). A filter
 * that returns 0 drops before TCP sees anything.
 */
int mk_drop_input(struct mk *mk, int fd, bool drop)
{
    struct sock_filter nothing[] = {{.code = BPF_RET | BPF_K, .k = 0}};
    struct sock_fprog program = {.len = 1, .filter = nothing};
    int unused = 0;
    int rc = drop ? setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))
                  : setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
    return rc < 0 ? mk_fail_errno(mk, "socket filter") : 0;
}

int mk_tcp_listener(struct mk *mk, int protocol, int backlog)
{
    int fd = mk_inet_socket(mk, SOCK_STREAM, protocol);
    if (fd < 0 || mk_inet_bind(mk, fd) < 0)
        return -1;
    if (listen(fd, backlog) < 0)
        return mk_fail_errno(mk, "listen");
    return fd;
}

/* A listener on :: is reached over loopback; over IPv4 when peer-family=4 asks for mapped ones. */
int mk_listener_address(struct mk *mk, int listener, struct sockaddr_storage *ret_addr)
{
    socklen_t length = sizeof(*ret_addr);
    memset(ret_addr, 0, sizeof(*ret_addr)); /* the kernel fills the part that it has */
    if (getsockname(listener, (struct sockaddr *)ret_addr, &length) < 0)
        return mk_fail_errno(mk, "getsockname");
    if (ret_addr->ss_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret_addr;
        if (in->sin_addr.s_addr == htonl(INADDR_ANY))
            in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return 0;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_addr;
    if (mk_number(mk, "peer-family", 6) == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = in6->sin6_port};
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        memset(ret_addr, 0, sizeof(*ret_addr));
        memcpy(ret_addr, &in, sizeof(in));
    } else if (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)) {
        in6->sin6_addr = in6addr_loopback;
    }
    return 0;
}

static int open_client(struct mk *mk, int family, int protocol)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return mk_fail_socket(mk, "socket");
    if (set_common(mk, fd, family) < 0)
        return -1;
    if (protocol == IPPROTO_TCP && set_text(mk, fd, "cc", IPPROTO_TCP, TCP_CONGESTION) < 0)
        return -1;
    return fd;
}

int mk_tcp_pair(struct mk *mk, int protocol, struct mk_pair *ret_pair)
{
    struct sockaddr_storage addr;
    struct mk_pair pair = {-1, -1, -1};
    pair.listener = mk_tcp_listener(mk, protocol, 16);
    if (pair.listener < 0 || mk_listener_address(mk, pair.listener, &addr) < 0)
        return -1;
    pair.client = open_client(mk, addr.ss_family, protocol);
    if (pair.client < 0)
        return -1;
    if (connect(pair.client, (struct sockaddr *)&addr, mk_inet_length(&addr)) < 0)
        return mk_fail_errno(mk, "connect");
    pair.server = accept4(pair.listener, NULL, NULL, SOCK_CLOEXEC);
    if (pair.server < 0)
        return mk_fail_errno(mk, "accept");
    if (mk_number(mk, "keep-listener", 0) == 0) {
        (void)close(pair.listener);
        pair.listener = -1;
    }
    *ret_pair = pair;
    return 0;
}

int mk_names(struct mk *mk, int fd, struct sockaddr_storage *ret_local,
             struct sockaddr_storage *ret_peer)
{
    socklen_t length = sizeof(*ret_local);
    memset(ret_local, 0, sizeof(*ret_local));
    memset(ret_peer, 0, sizeof(*ret_peer));
    if (getsockname(fd, (struct sockaddr *)ret_local, &length) < 0)
        return mk_fail_errno(mk, "getsockname");
    length = sizeof(*ret_peer);
    if (getpeername(fd, (struct sockaddr *)ret_peer, &length) < 0)
        return mk_fail_errno(mk, "getpeername");
    return 0;
}
