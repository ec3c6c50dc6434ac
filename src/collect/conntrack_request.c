/* SPDX-License-Identifier: MIT */
/* Puts together a request to ctnetlink. */
#include "collect/conntrack_request.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#define REQUEST_SIZE offsetof(struct conntrack_request, error)

void conntrack_request_start(struct conntrack_request *request, uint8_t subsystem, uint8_t message,
                             uint8_t family)
{
    *request = (struct conntrack_request){
        .header = {.nlmsg_type = (uint16_t)(subsystem << 8 | message),
                   .nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg))},
        .body = {.nfgen_family = family, .version = NFNETLINK_V0},
    };
}

void conntrack_request_put(struct conntrack_request *request, uint16_t type, const void *data,
                           size_t length)
{
    if (request->error == 0)
        request->error = netlink_add(&request->header, REQUEST_SIZE, type, data, length);
}

void conntrack_request_u8(struct conntrack_request *request, uint16_t type, uint8_t number)
{
    conntrack_request_put(request, type, &number, sizeof(number));
}

void conntrack_request_u16(struct conntrack_request *request, uint16_t type, uint16_t number)
{
    uint16_t sent = htons(number);

    conntrack_request_put(request, type, &sent, sizeof(sent));
}

void conntrack_request_u32(struct conntrack_request *request, uint16_t type, uint32_t number)
{
    uint32_t sent = htonl(number);

    conntrack_request_put(request, type, &sent, sizeof(sent));
}

uint32_t conntrack_request_open(struct conntrack_request *request, uint16_t type)
{
    uint32_t mark = 0;

    if (request->error == 0)
        request->error = netlink_nest(&request->header, REQUEST_SIZE, type, &mark);
    return mark;
}

void conntrack_request_close(struct conntrack_request *request, uint32_t mark)
{
    if (request->error == 0)
        netlink_nest_end(&request->header, mark);
}

static void put_protocol(struct conntrack_request *request, const struct conntrack_tuple *tuple,
                         uint8_t protocol)
{
    uint32_t mark = conntrack_request_open(request, CTA_TUPLE_PROTO);
    bool v6 = protocol == IPPROTO_ICMPV6;

    conntrack_request_u8(request, CTA_PROTO_NUM, protocol);
    if (v6 || protocol == IPPROTO_ICMP) {
        conntrack_request_u8(request, v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE,
                             tuple->icmp_type);
        conntrack_request_u8(request, v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE,
                             tuple->icmp_code);
        conntrack_request_u16(request, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID,
                              tuple->icmp_id);
    } else {
        conntrack_request_u16(request, CTA_PROTO_SRC_PORT, tuple->src_port);
        conntrack_request_u16(request, CTA_PROTO_DST_PORT, tuple->dst_port);
    }
    conntrack_request_close(request, mark);
}

void conntrack_request_tuple(struct conntrack_request *request, uint16_t type,
                             const struct conntrack_tuple *tuple, uint8_t protocol,
                             const uint16_t *zone)
{
    uint32_t outer = conntrack_request_open(request, type);
    uint32_t inner = conntrack_request_open(request, CTA_TUPLE_IP);
    bool v6 = request->body.nfgen_family == AF_INET6;
    size_t length = v6 ? 16 : 4;

    conntrack_request_put(request, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, tuple->src.bytes, length);
    conntrack_request_put(request, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, tuple->dst.bytes, length);
    conntrack_request_close(request, inner);
    put_protocol(request, tuple, protocol);
    if (zone)
        conntrack_request_u16(request, CTA_TUPLE_ZONE, *zone);
    conntrack_request_close(request, outer);
}

void conntrack_request_entry(struct conntrack_request *request, const struct conntrack *entry)
{
    conntrack_request_tuple(request, CTA_TUPLE_ORIG, &entry->orig, entry->protocol,
                            entry->has & CONNTRACK_HAS_ORIG_ZONE ? &entry->orig_zone : NULL);
    if (entry->has & CONNTRACK_HAS_ZONE)
        conntrack_request_u16(request, CTA_ZONE, entry->zone);
    if (entry->has & CONNTRACK_HAS_ID)
        conntrack_request_u32(request, CTA_ID, entry->id);
}

int conntrack_request_send(struct netlink *netlink, struct conntrack_request *request,
                           netlink_message_fn *fn, void *context)
{
    return request->error ? request->error : netlink_query(netlink, &request->header, fn, context);
}

int conntrack_request_dump(struct netlink *netlink, struct conntrack_request *request,
                           netlink_message_fn *fn, void *context, bool *ret_interrupted)
{
    return request->error ? request->error
                          : netlink_dump(netlink, &request->header, fn, context, ret_interrupted);
}
