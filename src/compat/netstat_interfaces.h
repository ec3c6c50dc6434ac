/* SPDX-License-Identifier: MIT */
/* netstat -i: the columns of an interface, and the long form. */
#pragma once

#include "compat/netstat.h"

#include <net/if.h>

enum link_column {
    LINK_IFACE,
    LINK_IFINDEX,
    LINK_FLAGS,
    LINK_MTU,
    LINK_RX_PACKETS,
    LINK_RX_ERRORS,
    LINK_RX_DROPPED,
    LINK_RX_MISSED,
    LINK_RX_OVERRUNS,
    LINK_TX_PACKETS,
    LINK_TX_ERRORS,
    LINK_TX_DROPPED,
    LINK_TX_OVERRUNS,
    LINK_SHORT_MAX, /* from here on only in the long form */
    LINK_TYPE = LINK_SHORT_MAX,
    LINK_ADDRESS,
    LINK_QUEUE_LENGTH,
    LINK_RX_BYTES,
    LINK_TX_BYTES,
    LINK_RX_LENGTH, /* these four are one number of /proc/net/dev */
    LINK_RX_OVER,
    LINK_RX_CRC,
    LINK_RX_FRAME,
    LINK_TX_ABORTED, /* and these */
    LINK_TX_CARRIER,
    LINK_TX_HEARTBEAT,
    LINK_TX_WINDOW,
    LINK_COLLISIONS,
    LINK_MAX,
};

enum address_column {
    ADDRESS_IFINDEX,
    ADDRESS_ADDRESS,
    ADDRESS_PREFIX,
    ADDRESS_BROADCAST,
    ADDRESS_PEER,
    ADDRESS_LABEL,
    ADDRESS_SCOPE,
    ADDRESS_MAX,
};

/* An interface, or an alias: the label of IPv4 addresses of an interface. */
struct netstat_interface {
    uint32_t row; /* of the interface */
    bool is_alias;
    char name[IFNAMSIZ];
};

/* The addresses of all interfaces; `query` holds their columns as long as the grid is used. */
int netstat_interface_addresses(const struct view *view, struct query *query,
                                struct grid *ret_addresses) MUST_CHECK;

void netstat_interface_details(struct netstat *netstat, const struct grid *links,
                               const struct grid *addresses, const struct netstat_interface *entry);
