/* SPDX-License-Identifier: MIT */
/* Writes the seed of fuzz_snapshot: a snapshot file with one of everything, to standard output. */
#include "model/snapshot_file.h"

#include <stdio.h>
#include <sys/socket.h>

static bool add_socket(struct snapshot *snapshot)
{
    struct socket *socket = snapshot_add_socket(snapshot);
    struct tcp_details *tcp = socket ? snapshot_add_tcp(snapshot, socket) : NULL;
    uint32_t index;

    if (!tcp || !snapshot_add_upper(snapshot, tcp) || !snapshot_add_memory(snapshot, socket) ||
        !snapshot_add_packet(snapshot, socket) || snapshot_add_waiting(snapshot, socket, 7) < 0)
        return false;
    socket->proto = PROTO_TCP;
    socket->family = AF_INET;
    socket->state = STATE_ESTABLISHED;
    socket->inode = 1;
    return snapshot_intern(snapshot, "/run/\033x", 7, &socket->path) == 0 &&
           snapshot_add_process(snapshot, 1, &index) == 0 &&
           snapshot_add_holder(snapshot, (struct holder){.inode = 1}) == 0 &&
           snapshot_add_fd_flags(snapshot, (struct fd_flags){.holder = 0}) == 0 &&
           snapshot_add_thread(snapshot, (struct thread){.tid = 1}) == 0;
}

static bool add_network(struct snapshot *snapshot)
{
    struct route *route = snapshot_add_route(snapshot);
    struct link_address *address = snapshot_add_link_address(snapshot);
    struct membership *membership = snapshot_add_membership(snapshot);
    struct conntrack *conntrack = snapshot_add_conntrack(snapshot);

    if (!route || !address || !membership || !conntrack || !snapshot_add_counter(snapshot))
        return false;
    route->family = address->family = membership->family = conntrack->family = AF_INET6;
    return snapshot_add_interface(snapshot, 0, 1, "lo") == 0 &&
           snapshot_add_group_member(snapshot, (struct group_member){.fd = 3}) == 0 &&
           snapshot_add_packet_size(snapshot, (struct packet_count){0}) == 0 &&
           snapshot_add_packet_protocol(snapshot, (struct packet_count){0}) == 0;
}

static bool add_traffic(struct snapshot *snapshot)
{
    struct flow *flow = snapshot_add_flow(snapshot);
    struct event *event = snapshot_add_event(snapshot);

    if (!flow || !event)
        return false;
    flow->id = 1;
    flow->process = flow->sockets = 1;
    flow->family = event->family = AF_INET;
    return snapshot_add_cgroup(snapshot, 1, "/system.slice/a.service") == 0 &&
           snapshot_add_user(snapshot, 1, "daemon") == 0;
}

int main(void)
{
    struct snapshot snapshot;
    uint32_t netns;
    bool made = snapshot_init(&snapshot) == 0 && snapshot_add_netns(&snapshot, 1, &netns) == 0 &&
                add_socket(&snapshot) && add_network(&snapshot) && add_traffic(&snapshot);

    snapshot_note(&snapshot, NOTE_INFO, "source", 0, "text");
    snapshot_source(&snapshot, "tcp", "source");
    return made && snapshot_write(&snapshot, STDOUT_FILENO) == 0 ? 0 : 1;
}
