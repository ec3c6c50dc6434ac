/* SPDX-License-Identifier: MIT */
/* What the sock_diag sources but inet_diag share: a dump with its retries, notes and way back. */
#pragma once

#include "collect/source.h"
#include "netlink/netlink.h"

#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets_diag.h>

union diag_request {
    struct unix_diag_req unix_socket;
    struct packet_diag_req packet;
    struct netlink_diag_req netlink;
    struct vsock_diag_req vsock;
};

/* One dump of one namespace under way. */
struct diag_reader {
    struct collection *collection;
    uint32_t netns;
    uint32_t port; /* port id of the netlink socket that asks */
    uint32_t states;
    struct map seen; /* cookie -> index of the socket, of this namespace */
};

/* What every message tells. */
struct diag_identity {
    enum socket_proto proto;
    uint8_t family;
    uint8_t type;
    uint32_t inode;
    const uint32_t *cookie; /* two words, the lower one first */
};

struct diag_source {
    const char *name; /* of the kernel's module */
    const char *fact; /* name of the protocol */
    enum socket_proto proto;

    /* Fills the zeroed request and returns its size. */
    size_t (*fill)(const struct collection *collection, union diag_request *request);

    /* Adds the socket of one message. -EBADMSG for a message that is too short, -ENOMEM, or 0. */
    int (*add)(struct diag_reader *reader, const void *payload, size_t length);
};

/* The states to be read: those asked for, and those that other facts need. */
uint32_t diag_states(const struct request *request, enum socket_proto proto);

/* Reads all namespaces, or takes everything back and leaves it to the fallback. 0 or -ENOMEM. */
int diag_collect(struct collection *collection, const struct diag_source *source) MUST_CHECK;

/* Asks once and takes nothing of the answer: whether this source works. 0 or -errno. */
int diag_try(const struct request *request, const struct diag_source *source) MUST_CHECK;

/*
 * A new socket with what every source knows. 0 with *ret_socket NULL when the dump has brought it
 * before; -ENOMEM.
 */
int diag_add_socket(struct diag_reader *reader, const struct diag_identity *identity,
                    struct socket **ret_socket) MUST_CHECK;

/*
 * Takes the memory figures of a *_DIAG_MEMINFO attribute (NULL: none), and the drops among them. 0
 * or -ENOMEM.
 */
int diag_memory(struct snapshot *snapshot, struct socket *socket, const struct nlattr *attribute)
    MUST_CHECK;

/*
 * Takes recv_q and send_q from the same attribute: bytes allocated for what waits to be read and
 * to be sent.
 */
void diag_memory_queues(struct socket *socket, const struct nlattr *attribute);

/* The kernel's sk_shutdown bits as flags of a socket, and the same taken. */
uint16_t diag_shutdown_flags(uint8_t shutdown);
void diag_shutdown(struct socket *socket, uint8_t shutdown);

/*
 * Adds the processes after which port ids of netlink sockets are called. The kernel gives a socket
 * the pid of its process as port id, unless another socket has it: so the id hints at the process,
 * whoever holds the socket. 0 or -ENOMEM.
 */
int netlink_name_ports(struct collection *collection) MUST_CHECK;

/* For the unit tests: the sources themselves. */
extern const struct diag_source diag_source_unix;
extern const struct diag_source diag_source_packet;
extern const struct diag_source diag_source_netlink;
extern const struct diag_source diag_source_vsock;
