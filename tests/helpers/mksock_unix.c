/* SPDX-License-Identifier: MIT */
/* mksock: unix domain sockets with every kind of name. */
#include "mksock.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct unix_name {
    struct sockaddr_un addr;
    socklen_t length;
};

static int unix_type(struct mk *mk)
{
    const char *type = mk_option(mk, "type", "stream");
    if (strcmp(type, "dgram") == 0)
        return SOCK_DGRAM;
    return strcmp(type, "seqpacket") == 0 ? SOCK_SEQPACKET : SOCK_STREAM;
}

static int64_t inode_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_ino : -1;
}

/* path= or abstract= with \xNN escapes; without both a file name of our own under dir=. */
static int unix_name(struct mk *mk, struct unix_name *ret_name)
{
    const char *path = mk_option(mk, "path", NULL);
    const char *abstract = mk_option(mk, "abstract", NULL);
    const char *dir = mk_option(mk, "dir", "/tmp");
    struct mk_bytes bytes = {0};
    char own[MK_NAME_BYTES];
    size_t skip = abstract ? 1 : 0;
    (void)snprintf(own, sizeof(own), "%s/mksock-%d-%zu-%zu", dir, getpid(), mk->group, mk->index);
    if (mk_unescape(abstract ? abstract : path ? path : own, &bytes) < 0)
        return mk_fail(mk, "a name has at most %d bytes, escapes are \\xNN", MK_NAME_BYTES);
    if (bytes.length + skip > sizeof(ret_name->addr.sun_path))
        return mk_fail(mk, "a unix name has at most 108 bytes");
    memset(ret_name, 0, sizeof(*ret_name));
    ret_name->addr.sun_family = AF_UNIX;
    memcpy(ret_name->addr.sun_path + skip, bytes.data, bytes.length);
    ret_name->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + skip + bytes.length);
    return 0;
}

static int bind_unix(struct mk *mk, int fd, struct unix_name *ret_name)
{
    char path[sizeof(ret_name->addr.sun_path) + 1] = "";
    if (unix_name(mk, ret_name) < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&ret_name->addr, ret_name->length) < 0)
        return mk_fail_errno(mk, "bind");
    memcpy(path, ret_name->addr.sun_path, sizeof(ret_name->addr.sun_path));
    return path[0] ? mk_remember_path(mk, path) : 0;
}

static int unix_socket(struct mk *mk, int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    return fd < 0 ? mk_fail_errno(mk, "socket") : fd;
}

/* peer 0: the kernel names no inode for it; -1: there is no peer. */
static int report_unix(struct mk *mk, int fd, const char *role, int64_t peer_inode)
{
    struct mk_truth truth;
    if (mk_truth_from_fd(mk, fd, role, &truth) < 0)
        return -1;
    truth.peer_inode = peer_inode;
    mk_truth_print(mk, &truth);
    return 0;
}

static int report_listener(struct mk *mk, int fd, const char *role, int64_t pending)
{
    struct mk_truth truth;
    if (mk_truth_from_fd(mk, fd, role, &truth) < 0)
        return -1;
    truth.recv_q = pending;
    truth.backlog = mk_number(mk, "backlog", 128);
    truth.send_q = truth.backlog;
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_listener(struct mk *mk, struct unix_name *ret_name)
{
    int fd = unix_socket(mk, unix_type(mk));
    if (fd < 0 || bind_unix(mk, fd, ret_name) < 0)
        return -1;
    if (listen(fd, (int)mk_number(mk, "backlog", 128)) < 0)
        return mk_fail_errno(mk, "listen");
    return fd;
}

static int connect_to(struct mk *mk, int type, const struct unix_name *name)
{
    int fd = unix_socket(mk, type);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&name->addr, name->length) < 0)
        return mk_fail_errno(mk, "connect");
    return fd;
}

static int make_unix_listening(struct mk *mk)
{
    struct unix_name name;
    int64_t pending = mk_number(mk, "pending", 0);
    int listener = make_listener(mk, &name);
    if (listener < 0)
        return -1;
    for (int64_t i = 0; i < pending; i++) {
        int client = connect_to(mk, unix_type(mk), &name);
        if (client < 0 || report_unix(mk, client, "client", 0) < 0)
            return -1;
    }
    return report_listener(mk, listener, "subject", pending);
}

static int make_unix_strange(struct mk *mk)
{
    (void)snprintf(mk->own_name, sizeof(mk->own_name),
                   "%s/mksock-%d-%zu-%zu a\\x0ab\\x1b[31mc\\xff\\x5c\"d",
                   mk_option(mk, "dir", "/tmp"), getpid(), mk->group, mk->index);
    mk_default(mk, "path", mk->own_name);
    return make_unix_listening(mk);
}

static int make_unix_abstract(struct mk *mk)
{
    (void)snprintf(mk->own_name, sizeof(mk->own_name), "mksock-%d-%zu-%zu", getpid(), mk->group,
                   mk->index);
    mk_default(mk, "abstract", mk->own_name);
    return make_unix_listening(mk);
}

static int make_unix_abstract_nul(struct mk *mk)
{
    (void)snprintf(mk->own_name, sizeof(mk->own_name),
                   "mksock\\x00%d-%zu-%zu\\x00\\x0aline \\x1b[0m", getpid(), mk->group, mk->index);
    mk_default(mk, "abstract", mk->own_name);
    return make_unix_listening(mk);
}

static int write_bytes(struct mk *mk, int fd, int64_t bytes)
{
    char data[4096] = {0};
    if (bytes > (int64_t)sizeof(data))
        return mk_fail(mk, "recvq= is at most %zu", sizeof(data));
    if (bytes > 0 && send(fd, data, (size_t)bytes, MSG_NOSIGNAL) != bytes)
        return mk_fail_errno(mk, "send");
    return 0;
}

static int report_two(struct mk *mk, int first, int second, const char *second_role)
{
    if (write_bytes(mk, second, mk_number(mk, "recvq", 0)) < 0 ||
        report_unix(mk, first, "subject", inode_of(second)) < 0)
        return -1;
    return report_unix(mk, second, second_role, inode_of(first));
}

static int make_unix_connected(struct mk *mk)
{
    struct unix_name name;
    int listener = make_listener(mk, &name);
    if (listener < 0)
        return -1;
    int client = connect_to(mk, unix_type(mk), &name);
    if (client < 0)
        return -1;
    int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (server < 0)
        return mk_fail_errno(mk, "accept");
    if (report_listener(mk, listener, "listener", 0) < 0)
        return -1;
    return report_two(mk, client, server, "server");
}

static int make_unix_pair(struct mk *mk)
{
    int pair[2];
    if (socketpair(AF_UNIX, unix_type(mk) | SOCK_CLOEXEC, 0, pair) < 0)
        return mk_fail_errno(mk, "socketpair");
    return report_two(mk, pair[0], pair[1], "peer");
}

static int make_unix_bound(struct mk *mk)
{
    struct unix_name name;
    int fd = unix_socket(mk, unix_type(mk));
    if (fd < 0 || bind_unix(mk, fd, &name) < 0)
        return -1;
    return report_unix(mk, fd, "subject", -1);
}

static int make_unix_dgram(struct mk *mk)
{
    mk_default(mk, "type", "dgram");
    return make_unix_bound(mk);
}

static int make_unix_unbound(struct mk *mk)
{
    int fd = unix_socket(mk, unix_type(mk));
    return fd < 0 ? -1 : report_unix(mk, fd, "subject", -1);
}

/* One way, as to a log daemon: the receiver has no peer. */
static int make_unix_dgram_connected(struct mk *mk)
{
    struct unix_name name;
    int receiver = unix_socket(mk, SOCK_DGRAM);
    if (receiver < 0 || bind_unix(mk, receiver, &name) < 0)
        return -1;
    int sender = connect_to(mk, SOCK_DGRAM, &name);
    if (sender < 0 || write_bytes(mk, sender, mk_number(mk, "recvq", 0)) < 0 ||
        report_unix(mk, sender, "subject", inode_of(receiver)) < 0)
        return -1;
    return report_unix(mk, receiver, "receiver", -1);
}

const struct mk_situation mk_unix_situations[] = {
    {"unix-listening",
     "type=stream|seqpacket path= abstract= dir= backlog= pending=", make_unix_listening},
    {"unix-strange-path", "listening on a path with blank, newline, ESC, invalid UTF-8",
     make_unix_strange},
    {"unix-abstract", "listening on an abstract name", make_unix_abstract},
    {"unix-abstract-nul", "abstract name with NULs, newline, ESC", make_unix_abstract_nul},
    {"unix-connected",
     "listener, client, server; type= path= abstract= recvq=", make_unix_connected},
    {"unix-pair", "unnamed socketpair; type=stream|dgram|seqpacket recvq=", make_unix_pair},
    {"unix-bound", "bound, not listening; type=", make_unix_bound},
    {"unix-dgram", "datagram socket with a name", make_unix_dgram},
    {"unix-dgram-connected",
     "nameless datagram sender and its receiver; recvq=", make_unix_dgram_connected},
    {"unix-unbound", "no name, no peer; type=", make_unix_unbound},
    {NULL, NULL, NULL},
};
