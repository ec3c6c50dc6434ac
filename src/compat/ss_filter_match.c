/* SPDX-License-Identifier: MIT */
/* ss(8)'s filter expression on sockets, and as conditions for the kernel. */
/*
 * Where the kernel can decide all of an expression it is decided twice, by the kernel and by the
 * real tool, in ways that differ in small things: both must accept. So do we, and our own check
 * knows both ways, because a source need not use what is pushed down.
 */
#include "compat/ss_filter.h"

#include "derive/address.h"
#include "model/match_list.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/socket.h>

#define MAPPED_BITS 96
#define VSOCK_PORT_RESERVED 1023

/* --- what is compared --- */

struct subject {
    struct ss_names *names;
    const struct socket *socket;
    const char *path;
    bool as_kernel;
};

static bool is_inet(const struct socket *socket)
{
    return socket->family == AF_INET || socket->family == AF_INET6;
}

/* The first word of an address means something else in every family. */
static const union address *address_of(const struct socket *socket, bool peer, union address *room)
{
    if (is_inet(socket))
        return peer ? &socket->peer : &socket->local;
    *room = (union address){0};
    if (socket->family == AF_VSOCK)
        room->words[0] = peer ? socket->peer.words[0] : socket->local.words[0];
    else if (!peer)
        room->words[0] = socket->protocol;
    return room;
}

static int64_t port_of(const struct socket *socket, bool peer)
{
    switch (socket->family) {
    case AF_INET:
    case AF_INET6:
        if (peer)
            return socket->peer_port;
        return socket->proto == PROTO_RAW ? socket->protocol : socket->local_port;
    case AF_PACKET:
        return peer ? 0 : socket->ifindex;
    case AF_NETLINK:
        return peer ? -1 : (int32_t)socket->local.words[0];
    case AF_VSOCK:
        return peer ? (int32_t)socket->peer.words[1] : (int32_t)socket->local.words[1];
    default:
        return 0;
    }
}

/* --- ends --- */

static bool has_prefix(const uint8_t *bytes, const uint8_t *wanted, unsigned int bits)
{
    unsigned int rest = bits % 8;

    if (memcmp(bytes, wanted, bits / 8) != 0)
        return false;
    return !rest || (bytes[bits / 8] ^ wanted[bits / 8]) >> (8 - rest) == 0;
}

/* An IPv4 address is also meant where it is mapped into IPv6. */
static bool matches_address(const struct subject *subject, const struct ss_end *end, bool peer)
{
    union address room;
    const union address *address = address_of(subject->socket, peer, &room);
    bool mapped = end->family == AF_INET && subject->socket->family == AF_INET6 &&
                  address_is_mapped(AF_INET6, address) &&
                  has_prefix(address->bytes + MAPPED_BITS / 8, end->address.bytes, end->bits);

    if (subject->as_kernel && end->family != AF_UNSPEC && end->family != subject->socket->family)
        return mapped;
    return mapped || has_prefix(address->bytes, end->address.bytes, end->bits);
}

static bool matches_end(const struct subject *subject, const struct ss_end *end, bool peer)
{
    if (end->family == AF_UNIX)
        return subject->socket->family == AF_UNIX &&
               fnmatch(end->pattern, peer || !subject->path ? "" : subject->path, FNM_CASEFOLD) ==
                   0;
    if (end->port != SS_ANY_PORT && end->port != port_of(subject->socket, peer))
        return false;
    if (!end->bits && !subject->as_kernel)
        return true;
    for (; end; end = end->next)
        if (matches_address(subject, end, peer))
            return true;
    return false;
}

static int64_t wanted_port(const struct subject *subject, const struct ss_end *end)
{
    return subject->as_kernel ? (uint16_t)end->port : end->port;
}

/* --- the others --- */

/* An automatic name of a unix socket: five hexadecimal digits in the abstract name space. */
static bool is_automatic_name(const char *path)
{
    return !path ||
           (path[0] == '@' && strlen(path) == 6 && strspn(path + 1, "0123456789abcdef") == 5);
}

static bool is_autobound(const struct subject *subject)
{
    const struct socket *socket = subject->socket;
    int64_t port = port_of(socket, false);

    switch (socket->family) {
    case AF_UNIX:
        return is_automatic_name(subject->path);
    case AF_PACKET:
        return port == 0 && socket->protocol == 0;
    case AF_NETLINK:
        return port < 0;
    case AF_VSOCK:
        return port > VSOCK_PORT_RESERVED;
    default:
        return ss_port_is_ephemeral(subject->names, (uint32_t)port);
    }
}

static bool accepts_leaf(const struct subject *subject, const struct ss_filter_node *node)
{
    const struct socket *socket = subject->socket;

    switch (node->kind) {
    case SS_FILTER_LOCAL:
    case SS_FILTER_PEER:
        return matches_end(subject, node->end, node->kind == SS_FILTER_PEER);
    case SS_FILTER_LOCAL_FROM:
    case SS_FILTER_PEER_FROM:
        return port_of(socket, node->kind == SS_FILTER_PEER_FROM) >=
               wanted_port(subject, node->end);
    case SS_FILTER_LOCAL_TO:
    case SS_FILTER_PEER_TO:
        return port_of(socket, node->kind == SS_FILTER_PEER_TO) <= wanted_port(subject, node->end);
    case SS_FILTER_DEVICE:
        return (is_inet(socket) ? socket->ifindex : 0) == node->number;
    case SS_FILTER_MARK:
        return (socket->mark & node->mask) == node->number;
    case SS_FILTER_CGROUP:
        return socket->cgroup_id == node->cgroup;
    default:
        return is_autobound(subject);
    }
}

/* From left to right, as far as a term can still change what those before it say. */
static bool accepts(const struct subject *subject, const struct ss_filter_node *node)
{
    const struct ss_filter_node *term = node->inner;
    bool accepted;

    if (node->kind == SS_FILTER_NOT)
        return !accepts(subject, term);
    if (node->kind != SS_FILTER_LIST)
        return accepts_leaf(subject, node);
    accepted = accepts(subject, term);
    while ((term = term->next))
        if (accepted != term->is_or)
            accepted = accepts(subject, term);
    return accepted;
}

/* The kernel knows no interfaces here, and who chose a port only it knows. */
static bool is_offloaded(const struct ss_filter_node *node)
{
    const struct ss_filter_node *term = node->inner;

    if (node->kind == SS_FILTER_NOT)
        return is_offloaded(term);
    if (node->kind != SS_FILTER_LIST)
        return node->kind != SS_FILTER_DEVICE && node->kind != SS_FILTER_AUTOBOUND;
    while (term && is_offloaded(term))
        term = term->next;
    return !term;
}

bool ss_filter_accepts(const struct ss_filter *filter, struct ss_names *names,
                       const struct socket *socket, const char *path)
{
    struct subject subject = {.names = names, .socket = socket, .path = path};

    if (!filter->root)
        return true;
    if (!accepts(&subject, filter->root))
        return false;
    if (!filter->offloaded || !is_inet(socket) || !(socket->has & SOCKET_HAS_COOKIE))
        return true;
    subject.as_kernel = true;
    return accepts(&subject, filter->root);
}

/* --- conditions for the kernel --- */

static uint32_t join_matches(struct match_list *list, enum match_op op, uint32_t left,
                             uint32_t right)
{
    return match_list_add(list, (struct match){.op = op, .left = left, .right = right});
}

static uint32_t port_match(struct match_list *list, int64_t low, int64_t high, bool peer)
{
    if (low < 0 || low > UINT16_MAX || high < low || high > UINT16_MAX)
        return MATCH_EVERYTHING;
    return match_list_add(list, (struct match){.op = peer ? MATCH_PEER_PORT : MATCH_LOCAL_PORT,
                                               .low = (uint16_t)low,
                                               .high = (uint16_t)high});
}

/* Each address of a host; 0 bits of a family still mean the family. */
static uint32_t address_match(struct match_list *list, const struct ss_end *end, bool peer)
{
    uint32_t all = MATCH_EVERYTHING;

    if (end->family == AF_UNSPEC)
        return MATCH_EVERYTHING;
    for (; end && !list->full; end = end->next) {
        uint32_t one =
            match_list_add(list, (struct match){.op = peer ? MATCH_PEER_ADDR : MATCH_LOCAL_ADDR,
                                                .family = (uint8_t)end->family,
                                                .prefix = (uint8_t)end->bits,
                                                .address = end->address});

        all = all == MATCH_EVERYTHING ? one : join_matches(list, MATCH_OR, all, one);
    }
    return all;
}

static uint32_t end_match(struct match_list *list, const struct ss_end *end, bool peer)
{
    uint32_t address, port;

    if (end->family != AF_UNSPEC && end->family != AF_INET && end->family != AF_INET6)
        return MATCH_EVERYTHING;
    if (end->port != SS_ANY_PORT && (end->port < 0 || end->port > UINT16_MAX))
        return MATCH_EVERYTHING;
    address = address_match(list, end, peer);
    port = port_match(list, end->port, end->port, peer);
    if (address == MATCH_EVERYTHING || port == MATCH_EVERYTHING)
        return address == MATCH_EVERYTHING ? port : address;
    return join_matches(list, MATCH_AND, address, port);
}

static uint32_t leaf_match(struct match_list *list, const struct ss_filter_node *node)
{
    switch (node->kind) {
    case SS_FILTER_LOCAL:
    case SS_FILTER_PEER:
        return end_match(list, node->end, node->kind == SS_FILTER_PEER);
    case SS_FILTER_LOCAL_FROM:
    case SS_FILTER_PEER_FROM:
        return port_match(list, node->end->port, UINT16_MAX, node->kind == SS_FILTER_PEER_FROM);
    case SS_FILTER_LOCAL_TO:
    case SS_FILTER_PEER_TO:
        return port_match(list, 0, node->end->port, node->kind == SS_FILTER_PEER_TO);
    case SS_FILTER_AUTOBOUND:
        return match_list_add(list, (struct match){.op = MATCH_AUTOBOUND});
    default:
        return MATCH_EVERYTHING;
    }
}

static uint32_t join_term(struct match_list *list, uint32_t before, uint32_t term, bool is_or,
                          bool exact)
{
    if (before != MATCH_EVERYTHING && term != MATCH_EVERYTHING)
        return join_matches(list, is_or ? MATCH_OR : MATCH_AND, before, term);
    if (exact || is_or)
        return MATCH_EVERYTHING;
    return before == MATCH_EVERYTHING ? term : before;
}

/* `exact`: below a negation, where too much would become too little. */
static uint32_t build(struct match_list *list, const struct ss_filter_node *node, bool exact)
{
    const struct ss_filter_node *term = node->inner;
    uint32_t all;

    if (list->full)
        return MATCH_EVERYTHING;
    if (node->kind == SS_FILTER_NOT) {
        all = build(list, term, true);
        return all == MATCH_EVERYTHING ? all : join_matches(list, MATCH_NOT, all, 0);
    }
    if (node->kind != SS_FILTER_LIST)
        return leaf_match(list, node);
    all = build(list, term, exact);
    while ((term = term->next) && !list->full)
        all = join_term(list, all, build(list, term, exact), term->is_or, exact);
    return all;
}

int ss_filter_push_down(struct ss_filter *filter, struct request *request)
{
    struct match_list list;
    uint32_t root;

    if (!filter->root)
        return 0;
    filter->offloaded = is_offloaded(filter->root);
    if (match_list_init(&list, &filter->arena) < 0)
        return -ENOMEM;
    root = build(&list, filter->root, false);
    match_list_push(&list, root, request);
    request->needs |= NEED_PORT_RANGE;
    return 0;
}
