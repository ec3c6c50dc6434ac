/* SPDX-License-Identifier: MIT */
/* Who holds which socket now: for whom nothing tells of packets. */
#include "collect/packet_holders.h"

#include "base/clock.h"
#include "base/vec.h"
#include "collect/collect.h"
#include "collect/packet_sockets.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Reading the machine is dear: sockets younger than this may stay unknown. */
#define READ_EVERY_NS SECOND_NS

void packet_holders_done(struct packet_holders *holders)
{
    map_done(&holders->by_cookie);
    map_done(&holders->by_pid);
    free(holders->known);
    free(holders->processes);
    arena_done(&holders->arena);
}

/* The same process has one address, however often the machine is read. NULL without memory. */
static const struct packet_process *keep_process(struct packet_holders *holders,
                                                 const struct packet_process *found)
{
    uint32_t index = map_get(&holders->by_pid, found->pid);
    struct packet_process *process;

    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): copy_process() clears the padding */
    if (index != MAP_NONE && memcmp(holders->known[index], found, sizeof(*found)) == 0)
        return holders->known[index];
    process = arena_alloc(&holders->arena, sizeof(*process));
    if (!process ||
        VEC_RESERVE(&holders->known, &holders->known_capacity, holders->known_count, 1) < 0 ||
        map_set(&holders->by_pid, found->pid, holders->known_count) < 0)
        return NULL;
    memcpy(process, found, sizeof(*process));
    holders->known[holders->known_count++] = process;
    return process;
}

static const struct packet_process *copy_process(struct packet_holders *holders,
                                                 const struct snapshot *snapshot, uint32_t index)
{
    const struct process *from = &snapshot->processes[index];
    struct packet_process process;
    const char *comm;
    size_t length;

    memset(&process, 0, sizeof(process)); /* padding is compared too */
    process.pid = from->pid;
    process.ppid = from->ppid;
    process.uid = from->uid;
    comm = snapshot_string(snapshot, from->comm, &length);
    memcpy(process.comm, comm, length < sizeof(process.comm) ? length : sizeof(process.comm));
    return keep_process(holders, &process);
}

/* The holder of an inode; the second one makes it unknown which of them it is. */
static int map_holders(const struct snapshot *snapshot, struct map *by_inode, uint32_t unknown)
{
    int r = 0;

    for (uint32_t i = 0; i < snapshot->holders_count && r == 0; i++) {
        const struct holder *holder = &snapshot->holders[i];
        uint32_t known = map_get(by_inode, holder->inode);

        r = map_set(by_inode, holder->inode,
                    known == MAP_NONE || known == holder->process ? holder->process : unknown);
    }
    return r;
}

static int take_sockets(struct packet_holders *holders, const struct snapshot *snapshot)
{
    uint32_t unknown = snapshot->processes_count;
    struct map by_inode = {.slots = NULL};
    int r = map_holders(snapshot, &by_inode, unknown);

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];
        uint32_t index = map_get(&by_inode, socket->inode);
        const struct packet_process *process;

        if (index >= unknown || !(socket->has & SOCKET_HAS_COOKIE))
            continue;
        process = copy_process(holders, snapshot, index);
        r = process ? VEC_RESERVE(&holders->processes, &holders->capacity, holders->count, 1)
                    : -ENOMEM;
        if (r == 0)
            r = map_set(&holders->by_cookie, socket->cookie, holders->count);
        if (r == 0)
            holders->processes[holders->count++] = process;
    }
    map_done(&by_inode);
    return r;
}

/* An IPv4 connection of an IPv6 socket has packets of IPv4. */
static void copy_address(uint8_t to[16], const union address *from, bool mapped,
                         unsigned int family)
{
    if (mapped)
        memcpy(to, from->bytes + 12, 4);
    else
        memcpy(to, from->bytes, family == AF_INET ? 4 : 16);
}

static int add_flow(struct packet_sockets *flows, const struct snapshot *snapshot,
                    const struct socket *socket)
{
    bool v6 = socket->family == AF_INET6;
    bool mapped = v6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)socket->peer.bytes);
    struct packet_flow_key key = {.netns = snapshot->netns[socket->netns].inode,
                                  .local_port = socket->local_port,
                                  .peer_port = socket->peer_port,
                                  .family = v6 && !mapped ? AF_INET6 : AF_INET};

    if ((!v6 && socket->family != AF_INET) || !socket->peer_port ||
        !(socket->has & SOCKET_HAS_COOKIE))
        return 0;
    key.proto = socket->proto == PROTO_TCP   ? IPPROTO_TCP
                : socket->proto == PROTO_UDP ? IPPROTO_UDP
                                             : IPPROTO_UDPLITE;
    copy_address(key.local, &socket->local, mapped, key.family);
    copy_address(key.peer, &socket->peer, mapped, key.family);
    return packet_sockets_learn(flows, &key, socket->cookie);
}

static int add_flows(struct packet_sockets *flows, const struct snapshot *snapshot)
{
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++)
        r = add_flow(flows, snapshot, &snapshot->sockets[i]);
    return r;
}

void packet_holders_read(struct packet_holders *holders, struct packet_sockets *flows)
{
    struct request request = REQUEST_ALL;
    struct snapshot snapshot;

    request.needs = NEED_SOCKETS | NEED_OWNERS | NEED_EXACT_DETAILS | NEED_USER;
    request.protos = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE);
    request.netns_scope = NETNS_SCOPE_ALL;
    request.sources = SOURCE_ALL & ~(uint32_t)SOURCE_BPF;
    if (snapshot_init(&snapshot) < 0)
        return;
    map_clear(&holders->by_cookie);
    holders->count = 0;
    if (collect(&snapshot, &request) == 0) {
        (void)!take_sockets(holders, &snapshot);
        if (flows)
            (void)!add_flows(flows, &snapshot);
    }
    snapshot_done(&snapshot);
    holders->read_ns = clock_ns(CLOCK_MONOTONIC);
}

const struct packet_process *packet_holders_known(const struct packet_holders *holders,
                                                  uint64_t cookie)
{
    uint32_t index = map_get(&holders->by_cookie, cookie);

    return index == MAP_NONE ? NULL : holders->processes[index];
}

const struct packet_process *packet_holders_find(struct packet_holders *holders, uint64_t cookie)
{
    const struct packet_process *known = packet_holders_known(holders, cookie);
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (known || (holders->read_ns && now - holders->read_ns <= READ_EVERY_NS))
        return known;
    packet_holders_read(holders, NULL);
    return packet_holders_known(holders, cookie);
}
