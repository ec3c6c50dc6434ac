/* SPDX-License-Identifier: MIT */
/* Puts together a request to ctnetlink. */
#pragma once

#include "model/conntrack.h"
#include "netlink/netlink.h"

#include <linux/netfilter/nfnetlink.h>

/* As it is sent. Errors stick: what has no room leaves `error`, which conntrack_request_send() and
 * conntrack_request_dump() return. */
struct conntrack_request {
    struct nlmsghdr header;
    struct nfgenmsg body;
    char attributes[1024];
    int error; /* behind what is sent */
};

/* `subsystem` is NFNL_SUBSYS_CTNETLINK or NFNL_SUBSYS_CTNETLINK_EXP, `message` IPCTNL_MSG_*;
 * family AF_UNSPEC: of each. */
void conntrack_request_start(struct conntrack_request *request, uint8_t subsystem, uint8_t message,
                             uint8_t family);

/* Numbers are in the order of this machine. */
void conntrack_request_put(struct conntrack_request *request, uint16_t type, const void *data,
                           size_t length);
void conntrack_request_u8(struct conntrack_request *request, uint16_t type, uint8_t number);
void conntrack_request_u16(struct conntrack_request *request, uint16_t type, uint16_t number);
void conntrack_request_u32(struct conntrack_request *request, uint16_t type, uint32_t number);

/* What is put between the two is within an attribute; the result is for the end. */
uint32_t conntrack_request_open(struct conntrack_request *request, uint16_t type);
void conntrack_request_close(struct conntrack_request *request, uint32_t mark);

/* One direction, in the family of the request. `zone`: its own, NULL none. */
void conntrack_request_tuple(struct conntrack_request *request, uint16_t type,
                             const struct conntrack_tuple *tuple, uint8_t protocol,
                             const uint16_t *zone);

/* Of an entry that the kernel told: first direction, zones, and the number that nothing else has.
 */
void conntrack_request_entry(struct conntrack_request *request, const struct conntrack *entry);

/* As netlink_query() and netlink_dump(). NLM_F_CREATE and the like are in the header. */
int conntrack_request_send(struct netlink *netlink, struct conntrack_request *request,
                           netlink_message_fn *fn, void *context) MUST_CHECK;
int conntrack_request_dump(struct netlink *netlink, struct conntrack_request *request,
                           netlink_message_fn *fn, void *context, bool *ret_interrupted) MUST_CHECK;
