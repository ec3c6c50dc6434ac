/* SPDX-License-Identifier: MIT */
/* Names of protocols, states, timers, families and types, and the way back. */
#include "model/flow.h"
#include "model/process.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static const char *const proto_names[PROTO_MAX] = {
    [PROTO_UNKNOWN] = "unknown", [PROTO_TCP] = "tcp",       [PROTO_UDP] = "udp",
    [PROTO_UDPLITE] = "udplite", [PROTO_RAW] = "raw",       [PROTO_ICMP] = "icmp",
    [PROTO_SCTP] = "sctp",       [PROTO_DCCP] = "dccp",     [PROTO_MPTCP] = "mptcp",
    [PROTO_UNIX] = "unix",       [PROTO_PACKET] = "packet", [PROTO_NETLINK] = "netlink",
    [PROTO_VSOCK] = "vsock",
};

static const char *const state_names[STATE_MAX] = {
    [STATE_UNKNOWN] = "unknown",
    [STATE_ESTABLISHED] = "established",
    [STATE_SYN_SENT] = "syn-sent",
    [STATE_SYN_RECV] = "syn-recv",
    [STATE_FIN_WAIT_1] = "fin-wait-1",
    [STATE_FIN_WAIT_2] = "fin-wait-2",
    [STATE_TIME_WAIT] = "time-wait",
    [STATE_UNCONNECTED] = "unconnected",
    [STATE_CLOSE_WAIT] = "close-wait",
    [STATE_LAST_ACK] = "last-ack",
    [STATE_LISTENING] = "listening",
    [STATE_CLOSING] = "closing",
    [STATE_NEW_SYN_RECV_UNUSED] = "unknown",
    [STATE_BOUND_INACTIVE] = "bound-inactive",
};

static const char *const timer_names[TIMER_MAX] = {
    [TIMER_OFF] = "off",           [TIMER_RETRANSMIT] = "on",   [TIMER_KEEPALIVE] = "keepalive",
    [TIMER_TIMEWAIT] = "timewait", [TIMER_PERSIST] = "persist", [TIMER_DELACK] = "delack",
};

const char *socket_proto_name(unsigned int proto)
{
    return proto < PROTO_MAX ? proto_names[proto] : "unknown";
}

const char *socket_state_name(unsigned int state)
{
    return state < STATE_MAX ? state_names[state] : "unknown";
}

const char *socket_timer_name(unsigned int timer)
{
    return timer < TIMER_MAX ? timer_names[timer] : "unknown";
}

const char *socket_family_name(unsigned int family)
{
    switch (family) {
    case AF_INET:
        return "inet";
    case AF_INET6:
        return "inet6";
    case AF_UNIX:
        return "unix";
    case AF_PACKET:
        return "packet";
    case AF_NETLINK:
        return "netlink";
    case AF_VSOCK:
        return "vsock";
    default:
        return "unknown";
    }
}

const char *socket_type_name(unsigned int type)
{
    static const char *const names[] = {
        [SOCK_STREAM] = "stream",       [SOCK_DGRAM] = "dgram", [SOCK_RAW] = "raw",
        [SOCK_SEQPACKET] = "seqpacket", [SOCK_DCCP] = "dccp",
    };

    return type < ARRAY_SIZE(names) && names[type] ? names[type] : "unknown";
}

int socket_proto_parse(const char *name, unsigned int *ret_proto)
{
    for (unsigned int i = PROTO_UNKNOWN + 1; i < PROTO_MAX; i++)
        if (strcasecmp(name, proto_names[i]) == 0) {
            *ret_proto = i;
            return 0;
        }
    return -EINVAL;
}

/* netstat(8) and lsof(8) write states in capitals and with underscores: "CLOSE_WAIT". */
static bool is_same_state(const char *word, const char *name)
{
    for (; *word && *name; word++, name++) {
        int letter = *word == '_' ? '-' : tolower((unsigned char)*word);

        if (letter != *name)
            return false;
    }
    return *word == *name;
}

int socket_state_parse(const char *name, uint32_t *ret_states)
{
    const uint32_t small = STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_TIME_WAIT);
    const uint32_t idle =
        STATE_BIT(STATE_LISTENING) | STATE_BIT(STATE_UNCONNECTED) | STATE_BIT(STATE_BOUND_INACTIVE);
    const struct {
        const char *name;
        uint32_t states;
    } others[] = {
        {"estab", STATE_BIT(STATE_ESTABLISHED)},
        {"syn-rcv", STATE_BIT(STATE_SYN_RECV)},
        {"timewait", STATE_BIT(STATE_TIME_WAIT)},
        {"fin-wait", STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_FIN_WAIT_2)},
        {"fin-wait1", STATE_BIT(STATE_FIN_WAIT_1)},
        {"fin-wait2", STATE_BIT(STATE_FIN_WAIT_2)},
        {"close", STATE_BIT(STATE_UNCONNECTED)},
        {"closed", STATE_BIT(STATE_UNCONNECTED)},
        {"unconn", STATE_BIT(STATE_UNCONNECTED)},
        {"listen", STATE_BIT(STATE_LISTENING)},
        {"all", STATE_ALL},
        {"connected", STATE_ALL & ~idle},
        {"synchronized", STATE_ALL & ~idle & ~STATE_BIT(STATE_SYN_SENT)},
        {"bucket", small},
        {"big", STATE_ALL & ~small},
    };

    for (unsigned int i = STATE_ESTABLISHED; i < STATE_MAX; i++)
        if (i != STATE_NEW_SYN_RECV_UNUSED && is_same_state(name, state_names[i])) {
            *ret_states = STATE_BIT(i);
            return 0;
        }
    for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
        if (is_same_state(name, others[i].name)) {
            *ret_states = others[i].states;
            return 0;
        }
    return -EINVAL;
}

const char *accounting_level_name(unsigned int level)
{
    static const char *const names[ACCOUNTING_LEVEL_MAX] = {
        [ACCOUNTING_NONE] = "none",
        [ACCOUNTING_INTERFACES] = "interfaces",
        [ACCOUNTING_TCP_INFO] = "tcp_info",
        [ACCOUNTING_BPF] = "bpf",
    };

    return level < ACCOUNTING_LEVEL_MAX ? names[level] : "unknown";
}

const char *accounting_level_label(unsigned int level)
{
    static const char *const labels[ACCOUNTING_LEVEL_MAX] = {
        [ACCOUNTING_NONE] = "not counted",
        [ACCOUNTING_INTERFACES] = "interfaces only",
        [ACCOUNTING_TCP_INFO] = "TCP only: tcp_info",
        [ACCOUNTING_BPF] = "exact: BPF",
    };

    return level < ACCOUNTING_LEVEL_MAX ? labels[level] : "unknown";
}

bool process_poses_as_kernel(const char *comm)
{
    static const char *const threads[] = {"kworker/",   "ksoftirqd/", "kthreadd", "kswapd",
                                          "khugepaged", "migration/", "rcu_"};

    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        if (strncmp(comm, threads[i], strlen(threads[i])) == 0)
            return true;
    return false;
}
