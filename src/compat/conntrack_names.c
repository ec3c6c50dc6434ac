/* SPDX-License-Identifier: MIT */
/* conntrack: its spellings of protocols, states and statuses. */
#include "compat/conntrack.h"

#include "base/units.h"

#include <netinet/in.h>
#include <strings.h>

static const struct {
    const char *word;
    uint8_t protocol;
} protocols[] = {
    {"tcp", IPPROTO_TCP},       {"udp", IPPROTO_UDP},         {"icmp", IPPROTO_ICMP},
    {"icmpv6", IPPROTO_ICMPV6}, {"sctp", IPPROTO_SCTP},       {"gre", IPPROTO_GRE},
    {"dccp", IPPROTO_DCCP},     {"udplite", IPPROTO_UDPLITE},
};

/* The last one is of an option only: the kernel calls the same number by another name. */
static const char *const tcp_states[] = {
    "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
    "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2",
};
static const char *const sctp_states[] = {
    "NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED",  "ESTABLISHED",
    "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED",
};
static const char *const dccp_states[] = {
    "NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT",
};

#define TCP_LISTEN_STATE 9

const struct conntrack_status_word conntrack_status_words[] = {
    {"EXPECTED", CONNTRACK_EXPECTED}, {"SEEN_REPLY", CONNTRACK_SEEN_REPLY},
    {"ASSURED", CONNTRACK_ASSURED},   {"FIXED_TIMEOUT", CONNTRACK_FIXED_TIMEOUT},
    {"OFFLOAD", CONNTRACK_OFFLOAD},   {NULL, 0},
};

const char *conntrack_protocol_word(unsigned int protocol)
{
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
        if (protocols[i].protocol == protocol)
            return protocols[i].word;
    return NULL;
}

int conntrack_protocol_parse(const char *text, uint8_t *ret_protocol)
{
    uint64_t number;

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
        if (strcasecmp(protocols[i].word, text) == 0) {
            *ret_protocol = protocols[i].protocol;
            return 0;
        }
    if (units_parse(text, strlen(text), UNIT_NONE, &number, NULL) < 0 || number >= IPPROTO_MAX ||
        number > UINT8_MAX)
        return -EINVAL;
    *ret_protocol = (uint8_t)number;
    return 0;
}

bool conntrack_has_ports(unsigned int protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
           protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

bool conntrack_is_icmp(unsigned int protocol)
{
    return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static const char *const *states_of(unsigned int protocol, size_t *ret_count)
{
    switch (protocol) {
    case IPPROTO_TCP:
        *ret_count = ARRAY_SIZE(tcp_states);
        return tcp_states;
    case IPPROTO_SCTP:
        *ret_count = ARRAY_SIZE(sctp_states);
        return sctp_states;
    case IPPROTO_DCCP:
        *ret_count = ARRAY_SIZE(dccp_states);
        return dccp_states;
    default:
        *ret_count = 0;
        return NULL;
    }
}

const char *conntrack_state_word(unsigned int protocol, unsigned int state)
{
    size_t count;
    const char *const *words = states_of(protocol, &count);

    return state < count ? words[state] : NULL;
}

int conntrack_state_parse(unsigned int protocol, const char *text, uint8_t *ret_state)
{
    size_t count;
    const char *const *words = states_of(protocol, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], text) == 0) {
            *ret_state = (uint8_t)i;
            return 0;
        }
    if (protocol != IPPROTO_TCP || strcmp(text, "LISTEN") != 0)
        return -EINVAL;
    *ret_state = TCP_LISTEN_STATE;
    return 0;
}
