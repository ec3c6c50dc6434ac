/* SPDX-License-Identifier: MIT */
/* Packet sockets by sock_diag (packet_diag, since 3.7). */
#include "collect/diag.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

/* The queues of these sockets are only told as part of the memory figures. */
static size_t fill_request(const struct collection *collection, union diag_request *request)
{
    request->packet = (struct packet_diag_req){
        .sdiag_family = AF_PACKET,
        .pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MEMINFO,
    };
    if (collection->request->needs & NEED_PACKET_DETAILS)
        request->packet.pdiag_show |=
            PACKET_SHOW_RING_CFG | PACKET_SHOW_FANOUT | PACKET_SHOW_FILTER;
    return sizeof(request->packet);
}

static bool add_ring(struct packet_ring *ring, const struct nlattr *attribute)
{
    struct packet_diag_ring sent;

    if (netlink_copy(attribute, &sent, sizeof(sent)) < sizeof(sent))
        return false;
    *ring = (struct packet_ring){
        .block_size = sent.pdr_block_size,
        .blocks = sent.pdr_block_nr,
        .frame_size = sent.pdr_frame_size,
        .frames = sent.pdr_frame_nr,
        .timeout_ms = sent.pdr_retire_tmo,
        .private_size = sent.pdr_sizeof_priv,
        .features = sent.pdr_features,
    };
    return true;
}

static int add_details(struct snapshot *snapshot, const struct socket *socket,
                       const struct packet_diag_info *info, const struct nlattr *const *attributes)
{
    const struct nlattr *filter = attributes[PACKET_DIAG_FILTER];
    struct packet_details *packet = snapshot_add_packet(snapshot, socket);

    if (!packet)
        return -ENOMEM;
    packet->version = info->pdi_version;
    packet->copy_threshold = info->pdi_copy_thresh;
    packet->flags = info->pdi_flags;
    if (add_ring(&packet->receive, attributes[PACKET_DIAG_RX_RING]))
        packet->has |= PACKET_HAS_RECEIVE_RING;
    if (add_ring(&packet->send, attributes[PACKET_DIAG_TX_RING]))
        packet->has |= PACKET_HAS_SEND_RING;
    if (netlink_copy(attributes[PACKET_DIAG_FANOUT], &packet->fanout, sizeof(packet->fanout)) ==
        sizeof(packet->fanout))
        packet->has |= PACKET_HAS_FANOUT;
    return filter ? snapshot_intern(snapshot, netlink_data(filter), netlink_length(filter),
                                    &packet->filter)
                  : 0;
}

static int add_attributes(struct diag_reader *reader, struct socket *socket, const void *bytes,
                          size_t length)
{
    const struct nlattr *attributes[PACKET_DIAG_MAX + 1];
    const struct request *request = reader->collection->request;
    struct packet_diag_info info;
    int r = 0;

    netlink_attributes(bytes, length, attributes, ARRAY_SIZE(attributes));
    netlink_copy(attributes[PACKET_DIAG_INFO], &info, sizeof(info));
    /* -1: its device is gone. */
    socket->ifindex = info.pdi_index == UINT32_MAX ? 0 : info.pdi_index;
    if (netlink_copy(attributes[PACKET_DIAG_UID], &socket->uid, sizeof(socket->uid)) ==
        sizeof(socket->uid))
        socket->has |= SOCKET_HAS_UID;
    diag_memory_queues(socket, attributes[PACKET_DIAG_MEMINFO]);
    if (request->needs & NEED_PACKET_DETAILS)
        r = add_details(reader->collection->snapshot, socket, &info, attributes);
    if (r < 0 || !(request->needs & NEED_MEMORY))
        return r;
    return diag_memory(reader->collection->snapshot, socket, attributes[PACKET_DIAG_MEMINFO]);
}

/* These sockets have no states: the kernel leaves all of them in CLOSE. */
static int add_socket(struct diag_reader *reader, const void *payload, size_t length)
{
    const struct packet_diag_msg *message = payload;
    struct diag_identity identity = {.proto = PROTO_PACKET, .family = AF_PACKET};
    struct socket *socket;
    int r;

    if (length < sizeof(*message))
        return -EBADMSG;
    if (!(reader->states & STATE_BIT(STATE_UNCONNECTED)))
        return 0;
    identity.type = message->pdiag_type;
    identity.inode = message->pdiag_ino;
    identity.cookie = message->pdiag_cookie;
    r = diag_add_socket(reader, &identity, &socket);
    if (r < 0 || !socket)
        return r;
    socket->state = STATE_UNCONNECTED;
    socket->protocol = message->pdiag_num;
    return add_attributes(reader, socket, (const char *)payload + NLMSG_ALIGN(sizeof(*message)),
                          length - sizeof(*message));
}

const struct diag_source diag_source_packet = {
    .name = "packet_diag",
    .fact = "packet",
    .proto = PROTO_PACKET,
    .fill = fill_request,
    .add = add_socket,
};

static int collect_packet(struct collection *collection)
{
    return diag_collect(collection, &diag_source_packet);
}

const struct collector collector_packet_diag = {
    .name = "packet_diag",
    .provides = NEED_SOCKETS,
    .source = SOURCE_SOCK_DIAG,
    .collect = collect_packet,
};
