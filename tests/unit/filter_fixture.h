/* SPDX-License-Identifier: MIT */
/* A small hand-made machine for the tests of the filter language. */
#pragma once

#include "derive/join.h"
#include "derive/names.h"
#include "table/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct machine {
    struct snapshot snapshot;
    struct join join;
    struct names names;
    struct buf scratch;
    struct view view;
};

static inline uint32_t machine_text(struct machine *machine, const char *text)
{
    uint32_t string = 0;

    assert_int_equal(snapshot_intern(&machine->snapshot, text, strlen(text), &string), 0);
    return string;
}

/* "10.0.0.1", "fd00::1"; the family follows. */
static inline void machine_address(const char *text, union address *address, uint8_t *family)
{
    *family = strchr(text, ':') ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(*family, text, address->bytes), 1);
}

static inline struct socket *machine_inet(struct machine *machine, unsigned int proto,
                                          unsigned int state, const char *local,
                                          unsigned int local_port, const char *peer,
                                          unsigned int peer_port)
{
    struct socket *socket = snapshot_add_socket(&machine->snapshot);

    assert_non_null(socket);
    machine_address(local, &socket->local, &socket->family);
    machine_address(peer, &socket->peer, &socket->family);
    socket->proto = (uint8_t)proto;
    socket->state = (uint8_t)state;
    socket->local_port = (uint16_t)local_port;
    socket->peer_port = (uint16_t)peer_port;
    socket->has = SOCKET_HAS_QUEUES | SOCKET_HAS_INODE | SOCKET_HAS_TIMER | SOCKET_HAS_UID;
    socket->inode = 1000 + machine->snapshot.sockets_count - 1;
    return socket;
}

static inline struct socket *machine_other(struct machine *machine, unsigned int proto,
                                           unsigned int state, const char *path)
{
    uint32_t string = machine_text(machine, path);
    struct socket *socket = snapshot_add_socket(&machine->snapshot);

    assert_non_null(socket);
    socket->proto = (uint8_t)proto;
    socket->family = proto == PROTO_UNIX ? AF_UNIX : AF_NETLINK;
    socket->state = (uint8_t)state;
    socket->path = string;
    socket->has = SOCKET_HAS_QUEUES | SOCKET_HAS_INODE;
    socket->inode = 1000 + machine->snapshot.sockets_count - 1;
    return socket;
}

static inline void machine_process(struct machine *machine, uint32_t pid, uint32_t ppid,
                                   const char *comm, const char *cgroup)
{
    uint32_t comm_string = machine_text(machine, comm);
    uint32_t cgroup_string = machine_text(machine, cgroup);
    uint32_t index = 0;
    struct process *process;

    assert_int_equal(snapshot_add_process(&machine->snapshot, pid, &index), 0);
    process = &machine->snapshot.processes[index];
    process->ppid = ppid;
    process->comm = comm_string;
    process->cgroup = cgroup_string;
    process->has = PROCESS_HAS_PPID | PROCESS_HAS_COMM | PROCESS_HAS_CGROUP | PROCESS_HAS_UID;
}

static inline void machine_holds(struct machine *machine, uint32_t pid, uint32_t socket, int fd)
{
    uint32_t index = map_get(&machine->snapshot.process_index, pid);
    struct holder holder = {.inode = 1000 + socket, .fd = fd};

    assert_int_not_equal(index, MAP_NONE);
    holder.process = index;
    assert_int_equal(snapshot_add_holder(&machine->snapshot, holder), 0);
}

static inline void machine_tcp(struct machine *machine, uint32_t socket, struct tcp_details details)
{
    struct tcp_details *tcp =
        snapshot_add_tcp(&machine->snapshot, &machine->snapshot.sockets[socket]);

    assert_non_null(tcp);
    *tcp = details;
    tcp->known = 1000;
}

/* The sockets; their numbers are what the tests expect. */
static inline void machine_sockets(struct machine *machine)
{
    struct snapshot *snapshot = &machine->snapshot;

    static const struct {
        unsigned int proto, state;
        const char *local;
        unsigned int local_port;
        const char *peer;
        unsigned int peer_port;
    } sockets[] = {
        {PROTO_TCP, STATE_LISTENING, "0.0.0.0", 22, "0.0.0.0", 0},
        {PROTO_TCP, STATE_ESTABLISHED, "10.0.0.1", 443, "10.0.0.9", 50312},
        {PROTO_TCP, STATE_ESTABLISHED, "::ffff:10.0.0.1", 443, "::ffff:10.1.2.3", 36266},
        {PROTO_TCP, STATE_CLOSE_WAIT, "fd00::1", 1024, "2606:4700::1", 80},
        {PROTO_UDP, STATE_UNCONNECTED, "127.0.0.1", 53, "0.0.0.0", 0},
        {PROTO_UDP, STATE_ESTABLISHED, "192.168.1.5", 40000, "8.8.8.8", 53},
        {PROTO_UNIX, STATE_LISTENING, "/run/x.sock", 0, NULL, 0},
        {PROTO_UNIX, STATE_ESTABLISHED, "name", 0, NULL, 0}, /* abstract */
        {PROTO_TCP, STATE_TIME_WAIT, "10.0.0.1", 22, "10.0.0.9", 50313},
        {PROTO_NETLINK, STATE_UNCONNECTED, "", 0, NULL, 0},
        {PROTO_TCP, STATE_LISTENING, "::1", 8080, "::", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
        if (sockets[i].peer)
            machine_inet(machine, sockets[i].proto, sockets[i].state, sockets[i].local,
                         sockets[i].local_port, sockets[i].peer, sockets[i].peer_port);
        else
            machine_other(machine, sockets[i].proto, sockets[i].state, sockets[i].local);
    }
    snapshot->sockets[7].flags |= SOCKET_ABSTRACT;
    snapshot->sockets[7].peer_inode = 1006;
    snapshot->sockets[8].inode = 0;
    snapshot->sockets[1].send_q = 70000;
    snapshot->sockets[2].recv_q = 65536;
    snapshot->sockets[2].timer = TIMER_KEEPALIVE;
    snapshot->sockets[3].mark = 0x1234;
    snapshot->sockets[3].has |= SOCKET_HAS_MARK;
    snapshot->sockets[0].ifindex = 2;
    machine_tcp(
        machine, 1,
        (struct tcp_details){.rtt_us = 150000, .last_data_sent_ms = 500, .cwnd = 10, .snd_wnd = 9});
    machine_tcp(machine, 2,
                (struct tcp_details){.rtt_us = 900,
                                     .last_data_sent_ms = 8000000,
                                     .last_data_recv_ms = 7300000,
                                     .snd_wnd = 1,
                                     .rcv_wnd = 1,
                                     .delivery_rate = 1250000});
}

static inline void machine_make(struct machine *machine)
{
    memset(machine, 0, sizeof(*machine));
    assert_int_equal(snapshot_init(&machine->snapshot), 0);
    machine->snapshot.owners_known = 1;
    machine_sockets(machine);
    assert_int_equal(snapshot_add_interface(&machine->snapshot, 0, 2, "eth0"), 0);
    machine_process(machine, 100, 1, "sshd", "/system.slice/ssh.service");
    machine_process(machine, 200, 1, "nginx", "/system.slice/nginx.service");
    machine_process(machine, 201, 200, "worker", "/system.slice/nginx.service");
    machine_process(machine, 300, 1, "php-fpm8.2", "/system.slice/php.service");
    machine_process(machine, 400, 1, "systemd-resolve", "/system.slice/systemd-resolved.service");
    machine_holds(machine, 100, 0, 3);
    machine_holds(machine, 200, 1, 7);
    machine_holds(machine, 201, 1, 8);
    machine_holds(machine, 201, 2, 9);
    machine_holds(machine, 300, 3, 4);
    machine_holds(machine, 400, 4, 5);
    assert_int_equal(join_make(&machine->snapshot, 0, &machine->join), 0);
    machine->scratch = BUF_INIT;
    machine->view = (struct view){
        .snapshot = &machine->snapshot,
        .join = &machine->join,
        .names = &machine->names,
        .scratch = &machine->scratch,
    };
}

static inline void machine_done(struct machine *machine)
{
    names_done(&machine->names);
    buf_done(&machine->scratch);
    join_done(&machine->join);
    snapshot_done(&machine->snapshot);
}
