/* SPDX-License-Identifier: MIT */
/* Names that ss(8) shows in place of numbers: ports, hosts, protocols. */
#pragma once

#include "compat/host_names.h"
#include "model/snapshot.h"

#include <stdbool.h>

struct ss_names {
    const struct snapshot *snapshot; /* borrowed: interfaces, ports that the kernel chooses */
    struct host_names hosts;
};

void ss_names_done(struct ss_names *names);

/* The service of a port or the name of an IP protocol, or NULL. */
const char *ss_service_name(struct ss_names *names, enum host_service service, uint16_t port);

/* Whether the kernel may have chosen this port: it is never named then. */
bool ss_port_is_ephemeral(const struct ss_names *names, uint32_t port);

/* The name of a host, or NULL. May take as long as a name server. */
const char *ss_host_name(struct ss_names *names, unsigned int family, const union address *address);

/* The words for numbers of ETH_P_* and of NETLINK_*; NULL: it has none. */
const char *ss_link_protocol_name(uint16_t protocol);
const char *ss_netlink_family_name(uint16_t protocol);

/* The numbers of the words above. -EINVAL: it is none. */
int ss_link_protocol_parse(const char *name, uint16_t *ret_protocol) MUST_CHECK;
int ss_netlink_family_parse(const char *name, uint32_t *ret_protocol) MUST_CHECK;
