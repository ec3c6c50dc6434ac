/* SPDX-License-Identifier: MIT */
/* Netlink sockets by sock_diag (netlink_diag, since 3.10). */
#include "collect/diag.h"
#include "collect/fd_table.h"

#include <fcntl.h>
#include <sys/socket.h>

/* ndiag_state: 0 unconnected, 1 connect() was called. */
#define NETLINK_CONNECTED 1

/* The queues of these sockets are only told as part of the memory figures. */
static size_t fill_request(const struct collection *collection, union diag_request *request)
{
    (void)collection;
    request->netlink = (struct netlink_diag_req){
        .sdiag_family = AF_NETLINK,
        .sdiag_protocol = NDIAG_PROTO_ALL,
        .ndiag_show = NDIAG_SHOW_MEMINFO | NDIAG_SHOW_GROUPS,
    };
    return sizeof(request->netlink);
}

static int add_attributes(struct diag_reader *reader, struct socket *socket, const void *bytes,
                          size_t length)
{
    const struct nlattr *attributes[NETLINK_DIAG_MAX + 1];
    unsigned long groups;

    netlink_attributes(bytes, length, attributes, ARRAY_SIZE(attributes));
    /* A bitmap of all groups, in the kernel's longs; the first 32 are what bind() can name. */
    netlink_copy(attributes[NETLINK_DIAG_GROUPS], &groups, sizeof(groups));
    socket->local.words[1] = (uint32_t)groups;
    diag_memory_queues(socket, attributes[NETLINK_DIAG_MEMINFO]);
    if (!(reader->collection->request->needs & NEED_MEMORY))
        return 0;
    return diag_memory(reader->collection->snapshot, socket, attributes[NETLINK_DIAG_MEMINFO]);
}

/*
 * The socket that asks is left out: it exists only because we look. Port id 0 is the kernel's end;
 * users' sockets get one by bind() or the first send.
 */
static int add_socket(struct diag_reader *reader, const void *payload, size_t length)
{
    const struct netlink_diag_msg *message = payload;
    unsigned int state = STATE_UNCONNECTED;
    struct diag_identity identity = {.proto = PROTO_NETLINK, .family = AF_NETLINK};
    struct socket *socket;
    int r;

    if (length < sizeof(*message))
        return -EBADMSG;
    if (message->ndiag_state == NETLINK_CONNECTED)
        state = STATE_ESTABLISHED;
    if (!(reader->states & STATE_BIT(state)))
        return 0;
    if (message->ndiag_protocol == NETLINK_SOCK_DIAG && message->ndiag_portid != 0 &&
        message->ndiag_portid == reader->port && !reader->collection->request->verbatim)
        return 0;
    identity.type = message->ndiag_type;
    identity.inode = message->ndiag_ino;
    identity.cookie = message->ndiag_cookie;
    r = diag_add_socket(reader, &identity, &socket);
    if (r < 0 || !socket)
        return r;
    socket->state = (uint8_t)state;
    socket->protocol = message->ndiag_protocol;
    socket->local.words[0] = message->ndiag_portid;
    socket->peer.words[0] = message->ndiag_dst_portid;
    socket->peer.words[1] = message->ndiag_dst_group;
    if (message->ndiag_portid == 0)
        socket->flags |= SOCKET_KERNEL;
    return add_attributes(reader, socket, (const char *)payload + NLMSG_ALIGN(sizeof(*message)),
                          length - sizeof(*message));
}

const struct diag_source diag_source_netlink = {
    .name = "netlink_diag",
    .fact = "netlink",
    .proto = PROTO_NETLINK,
    .fill = fill_request,
    .add = add_socket,
};

int netlink_name_ports(struct collection *collection)
{
    CLEANUP_CLOSE int proc = open(collection_proc(collection), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct snapshot *snapshot = collection->snapshot;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0 && proc >= 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];
        uint32_t port = socket->local.words[0], index;

        if (socket->proto == PROTO_NETLINK && port > 0 && port <= INT32_MAX &&
            map_get(&snapshot->process_index, port) == MAP_NONE)
            r = process_add_named(snapshot, proc, port, &index);
    }
    return r;
}

static int collect_netlink(struct collection *collection)
{
    int r = diag_collect(collection, &diag_source_netlink);

    return r == 0 && collection->request->needs & NEED_PORT_NAMES ? netlink_name_ports(collection)
                                                                  : r;
}

const struct collector collector_netlink_diag = {
    .name = "netlink_diag",
    .provides = NEED_SOCKETS,
    .source = SOURCE_SOCK_DIAG,
    .collect = collect_netlink,
};
