/* SPDX-License-Identifier: MIT */
/* Tracked connections: names of their states, and which sockets they may be of. */
#include "model/conntrack.h"

#include "base/cleanup.h"

#include <netinet/in.h>
#include <stddef.h>

static const char *const tcp_names[] = {
    [CONNTRACK_TCP_NONE] = "none",         [CONNTRACK_TCP_SYN_SENT] = "syn-sent",
    [CONNTRACK_TCP_SYN_RECV] = "syn-recv", [CONNTRACK_TCP_ESTABLISHED] = "established",
    [CONNTRACK_TCP_FIN_WAIT] = "fin-wait", [CONNTRACK_TCP_CLOSE_WAIT] = "close-wait",
    [CONNTRACK_TCP_LAST_ACK] = "last-ack", [CONNTRACK_TCP_TIME_WAIT] = "time-wait",
    [CONNTRACK_TCP_CLOSE] = "closed",      [CONNTRACK_TCP_SYN_SENT2] = "syn-sent",
};

/* The kernel's enum sctp_conntrack. */
static const char *const sctp_names[] = {
    "none",          "closed",        "cookie-wait",       "cookie-echoed",  "established",
    "shutdown-sent", "shutdown-recd", "shutdown-ack-sent", "heartbeat-sent",
};

/* The kernel's enum ct_dccp_states. */
static const char *const dccp_names[] = {
    "none", "request", "respond", "partopen", "established", "close-req", "closing", "time-wait",
};

const char *conntrack_state_name(const struct conntrack *entry)
{
    static const struct {
        uint8_t protocol;
        uint8_t count;
        const char *const *names;
    } protocols[] = {
        {IPPROTO_TCP, ARRAY_SIZE(tcp_names), tcp_names},
        {IPPROTO_SCTP, ARRAY_SIZE(sctp_names), sctp_names},
        {IPPROTO_DCCP, ARRAY_SIZE(dccp_names), dccp_names},
    };

    if (!(entry->has & CONNTRACK_HAS_STATE))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
        if (protocols[i].protocol == entry->protocol)
            return entry->state < protocols[i].count ? protocols[i].names[entry->state] : "unknown";
    return NULL;
}

unsigned int conntrack_proto(const struct conntrack *entry)
{
    switch (entry->protocol) {
    case IPPROTO_TCP:
        return PROTO_TCP;
    case IPPROTO_UDP:
        return PROTO_UDP;
    case IPPROTO_UDPLITE:
        return PROTO_UDPLITE;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return PROTO_ICMP;
    case IPPROTO_SCTP:
        return PROTO_SCTP;
    case IPPROTO_DCCP:
        return PROTO_DCCP;
    default:
        return PROTO_UNKNOWN;
    }
}
