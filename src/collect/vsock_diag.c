/* SPDX-License-Identifier: MIT */
/* Sockets between virtual machines and their host by sock_diag (vsock_diag, since 4.15). */
#include "collect/diag.h"

#include <sys/socket.h>

static size_t fill_request(const struct collection *collection, union diag_request *request)
{
    request->vsock = (struct vsock_diag_req){
        .sdiag_family = AF_VSOCK,
        .vdiag_states = diag_states(collection->request, PROTO_VSOCK),
    };
    return sizeof(request->vsock);
}

/* There are no attributes: neither queues nor a uid are told. */
static int add_socket(struct diag_reader *reader, const void *payload, size_t length)
{
    const struct vsock_diag_msg *message = payload;
    struct diag_identity identity = {.proto = PROTO_VSOCK, .family = AF_VSOCK};
    struct socket *socket;
    int r;

    if (length < sizeof(*message))
        return -EBADMSG;
    identity.type = message->vdiag_type;
    identity.inode = message->vdiag_ino;
    identity.cookie = message->vdiag_cookie;
    r = diag_add_socket(reader, &identity, &socket);
    if (r < 0 || !socket)
        return r;
    socket->state = message->vdiag_state < STATE_MAX ? message->vdiag_state : STATE_UNKNOWN;
    socket->local.words[0] = message->vdiag_src_cid;
    socket->local.words[1] = message->vdiag_src_port;
    socket->peer.words[0] = message->vdiag_dst_cid;
    socket->peer.words[1] = message->vdiag_dst_port;
    diag_shutdown(socket, message->vdiag_shutdown);
    return 0;
}

const struct diag_source diag_source_vsock = {
    .name = "vsock_diag",
    .fact = "vsock",
    .proto = PROTO_VSOCK,
    .fill = fill_request,
    .add = add_socket,
};

static int collect_vsock(struct collection *collection)
{
    return diag_collect(collection, &diag_source_vsock);
}

const struct collector collector_vsock_diag = {
    .name = "vsock_diag",
    .provides = NEED_SOCKETS,
    .source = SOURCE_SOCK_DIAG,
    .collect = collect_vsock,
};
