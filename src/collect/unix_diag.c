/* SPDX-License-Identifier: MIT */
/* Unix sockets by sock_diag (unix_diag, since 3.3). */
#include "collect/diag.h"

#include <string.h>
#include <sys/socket.h>

static size_t fill_request(const struct collection *collection, union diag_request *request)
{
    request->unix_socket = (struct unix_diag_req){
        .sdiag_family = AF_UNIX,
        .udiag_states = diag_states(collection->request, PROTO_UNIX),
        .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID,
    };
    if (collection->request->needs & NEED_UNIX_PEER)
        request->unix_socket.udiag_show |= UDIAG_SHOW_ICONS;
    if (collection->request->needs & NEED_UNIX_DETAILS)
        request->unix_socket.udiag_show |= UDIAG_SHOW_ICONS | UDIAG_SHOW_VFS;
    if (collection->request->needs & NEED_MEMORY)
        request->unix_socket.udiag_show |= UDIAG_SHOW_MEMINFO;
    return sizeof(request->unix_socket);
}

/*
 * An abstract name begins with a NUL, is as long as it is said to be and may contain anything; a
 * path ends at its first NUL.
 */
static int add_name(struct snapshot *snapshot, struct socket *socket,
                    const struct nlattr *attribute)
{
    const char *name = attribute ? netlink_data(attribute) : NULL;
    size_t length = attribute ? netlink_length(attribute) : 0;

    if (length == 0)
        return 0;
    if (*name == '\0') {
        socket->flags |= SOCKET_ABSTRACT;
        return snapshot_intern(snapshot, name + 1, length - 1, &socket->path);
    }
    return snapshot_intern(snapshot, name, strnlen(name, length), &socket->path);
}

static void add_queues(struct socket *socket, const struct nlattr *attribute)
{
    struct unix_diag_rqlen queues;

    if (netlink_copy(attribute, &queues, sizeof(queues)) < sizeof(queues))
        return;
    socket->recv_q = queues.udiag_rqueue;
    socket->send_q = queues.udiag_wqueue;
    socket->has |= SOCKET_HAS_QUEUES;
    if (socket->state == STATE_LISTENING)
        socket->has |= SOCKET_HAS_BACKLOG;
}

/* What only few ask for: the file of the path, and all connections that wait. */
static int add_details(struct snapshot *snapshot, struct socket *socket,
                       const struct nlattr *const *attributes)
{
    const struct nlattr *waiting = attributes[UNIX_DIAG_ICONS];
    struct unix_diag_vfs file;
    uint32_t inode;
    int r = 0;

    if (netlink_copy(attributes[UNIX_DIAG_VFS], &file, sizeof(file)) == sizeof(file)) {
        socket->peer.words[0] = file.udiag_vfs_ino;
        socket->peer.words[1] = file.udiag_vfs_dev;
    }
    for (size_t at = 0; waiting && r == 0 && at + sizeof(inode) <= netlink_length(waiting);
         at += sizeof(inode)) {
        memcpy(&inode, (const char *)netlink_data(waiting) + at, sizeof(inode));
        r = snapshot_add_waiting(snapshot, socket, inode);
    }
    return r;
}

static int add_attributes(struct diag_reader *reader, struct socket *socket, const void *bytes,
                          size_t length)
{
    const struct nlattr *attributes[UNIX_DIAG_MAX + 1];
    struct snapshot *snapshot = reader->collection->snapshot;
    uint8_t shutdown;
    int r;

    netlink_attributes(bytes, length, attributes, ARRAY_SIZE(attributes));
    add_queues(socket, attributes[UNIX_DIAG_RQLEN]);
    if (netlink_copy(attributes[UNIX_DIAG_SHUTDOWN], &shutdown, sizeof(shutdown)) > 0)
        diag_shutdown(socket, shutdown);
    /*
     * Without a peer there is no attribute; with one that nobody has accepted yet its inode is 0.
     */
    netlink_copy(attributes[UNIX_DIAG_PEER], &socket->peer_inode, sizeof(socket->peer_inode));
    socket->has |= SOCKET_HAS_PEER_INODE;
    netlink_copy(attributes[UNIX_DIAG_ICONS], &socket->local.words[2], sizeof(uint32_t));
    /* Since 5.3. */
    if (netlink_copy(attributes[UNIX_DIAG_UID], &socket->uid, sizeof(socket->uid)) ==
        sizeof(socket->uid))
        socket->has |= SOCKET_HAS_UID;
    r = add_name(snapshot, socket, attributes[UNIX_DIAG_NAME]);
    if (r == 0 && reader->collection->request->needs & NEED_UNIX_DETAILS)
        r = add_details(snapshot, socket, attributes);
    if (r == 0)
        r = diag_memory(snapshot, socket, attributes[UNIX_DIAG_MEMINFO]);
    return r;
}

/*
 * The kernel keeps TCP's numbers here too: 1 connected (also datagram sockets, since 5.15), 7
 * unconnected, 10 listening.
 */
static int add_socket(struct diag_reader *reader, const void *payload, size_t length)
{
    const struct unix_diag_msg *message = payload;
    struct diag_identity identity = {.proto = PROTO_UNIX, .family = AF_UNIX};
    struct socket *socket;
    int r;

    if (length < sizeof(*message))
        return -EBADMSG;
    identity.type = message->udiag_type;
    identity.inode = message->udiag_ino;
    identity.cookie = message->udiag_cookie;
    r = diag_add_socket(reader, &identity, &socket);
    if (r < 0 || !socket)
        return r;
    socket->state = message->udiag_state < STATE_MAX ? message->udiag_state : STATE_UNKNOWN;
    return add_attributes(reader, socket, (const char *)payload + NLMSG_ALIGN(sizeof(*message)),
                          length - sizeof(*message));
}

const struct diag_source diag_source_unix = {
    .name = "unix_diag",
    .fact = "unix",
    .proto = PROTO_UNIX,
    .fill = fill_request,
    .add = add_socket,
};

/* How many refer to a socket it does not tell: then the file is read instead. */
static int collect_unix(struct collection *collection)
{
    const struct request *request = collection->request;

    if (request->needs & NEED_REFERENCES && request->sources & SOURCE_PROC_NET)
        return 0;
    return diag_collect(collection, &diag_source_unix);
}

const struct collector collector_unix_diag = {
    .name = "unix_diag",
    .provides = NEED_SOCKETS,
    .source = SOURCE_SOCK_DIAG,
    .collect = collect_unix,
};
