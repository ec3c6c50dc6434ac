/* SPDX-License-Identifier: MIT */
/* Names that ss(8) shows in place of numbers: ports, hosts, protocols. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "model/socket.h"

#include <stdbool.h>

/* Answers are kept: a name server or a file is asked once. */
struct ss_names {
    struct arena arena;
    struct map ports; /* protocol and port -> index into texts; of no name: 0 */
    struct map hosts; /* hash of the address -> the same */
    const char **texts;
    uint32_t text_count, text_capacity;
    uint32_t ephemeral_low, ephemeral_high; /* ports that are never named; 0: not read yet */
};

void ss_names_done(struct ss_names *names);

/* The service of a port, or NULL. `protocol` is "tcp" or "udp", or NULL: of any. */
const char *ss_service_name(struct ss_names *names, const char *protocol, uint16_t port);

/* Whether the kernel may have chosen this port (ip_local_port_range). */
bool ss_port_is_ephemeral(struct ss_names *names, uint32_t port);

/* The name of a host, or NULL. May take as long as a name server. */
const char *ss_host_name(struct ss_names *names, unsigned int family, const union address *address);

/* The words for numbers of /etc/protocols, of ETH_P_* and of NETLINK_*; NULL: it has none. */
const char *ss_ip_protocol_name(uint16_t protocol);
const char *ss_link_protocol_name(uint16_t protocol);
const char *ss_netlink_family_name(uint16_t protocol);

/* The numbers of the words above. -EINVAL: it is none. */
int ss_link_protocol_parse(const char *name, uint16_t *ret_protocol) MUST_CHECK;
int ss_netlink_family_parse(const char *name, uint32_t *ret_protocol) MUST_CHECK;
