/* SPDX-License-Identifier: MIT */
/* What a view needs from the collectors: made by the planner, read by the collectors. */
#pragma once

#include "model/socket.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Each column names the facts that it needs; a collector runs only when one of its facts is asked
 * for. */
enum need {
    NEED_SOCKETS = 1ull << 0,
    NEED_TCP_INFO = 1ull << 1,
    NEED_MEMORY = 1ull << 2,
    NEED_OWNERS = 1ull << 3,       /* which process holds which socket, with comm */
    NEED_THREADS = 1ull << 4,      /* names and descriptor tables of the threads of owners */
    NEED_PROCESS_STAT = 1ull << 5, /* start time, parent, number of threads */
    NEED_EXE = 1ull << 6,
    NEED_CMDLINE = 1ull << 7,
    NEED_CGROUP = 1ull << 8, /* of processes */
    NEED_USER = 1ull << 9,   /* uid of processes */
    NEED_FDS = 1ull << 10,   /* open descriptors and their limit */
    NEED_INTERFACES = 1ull << 11,
    NEED_SOCKET_CGROUP = 1ull << 12, /* paths of the cgroup ids of sockets */
    NEED_LISTENERS = 1ull << 13,     /* listening sockets too, for direction and accept queue */
    NEED_SYN_QUEUE = 1ull << 14,     /* syn-recv sockets too, counted at their listener */
    NEED_ALL_PROCESSES = 1ull << 15, /* also processes without sockets */
    NEED_UNIX_PEER = 1ull << 16,     /* the socket at the other end, with its owner */
    NEED_PROCESS_NETNS = 1ull << 17,
    NEED_EXACT_DETAILS = 1ull << 18, /* what only sock_diag tells: cc, shutdown, v6only */
    NEED_USER_NAMES = 1ull << 19,    /* for recordings; else they are looked up when shown */
    NEED_HELD = 1ull << 20,          /* whether any process holds the socket: the search for owners
                                      may stop when each has one */
    NEED_PORT_NAMES = 1ull << 21,    /* names of the processes after which netlink port ids are
                                      called */
    NEED_LINKS = 1ull << 22,         /* every interface with its state and counters */
    NEED_LINK_DETAILS = 1ull << 23,  /* speed, and what the queueing discipline counts */
    NEED_COUNTERS = 1ull << 24,      /* of the protocols, from /proc/net */
    NEED_ROUTES = 1ull << 25,
    NEED_ROUTE_USE = 1ull << 26,      /* what only /proc/net/ipv6_route tells of them */
    NEED_MEMBERSHIPS = 1ull << 27,    /* multicast groups */
    NEED_MEMBERS = 1ull << 28,        /* and which sockets joined them */
    NEED_REFERENCES = 1ull << 29,     /* of unix sockets: only /proc/net/unix tells */
    NEED_ADDRESSES = 1ull << 31,      /* of interfaces */
    NEED_TCP_FILE = 1ull << 30,       /* what only /proc/net/tcp tells: the user of a half-open
                                       connection, and how often it has timed out */
    NEED_FD_FLAGS = 1ull << 32,       /* open(2) flags of descriptors */
    NEED_IP_OPTIONS = 1ull << 33,     /* type of service, traffic class, class of cgroup, and other
                                         options of internet sockets */
    NEED_CONGESTION = 1ull << 34,     /* what the congestion control keeps for itself */
    NEED_PACKET_DETAILS = 1ull << 35, /* rings, fanout and filter of packet sockets */
    NEED_UNIX_DETAILS = 1ull << 36, /* the file of a unix socket, and every connection that waits */
    NEED_DESCRIPTORS = 1ull << 37,  /* the socket of each descriptor, kept by the join */
    NEED_FLOWS = 1ull << 38,        /* traffic, from request.accounting */
    NEED_EVENTS = 1ull << 39,       /* what happens to connections: collect/events.h */
    NEED_PACKET_COUNTS = 1ull << 40, /* from request.packet_counts */
    NEED_WIRE = 1ull << 41,          /* packets of flows: counting them costs each one something */
    NEED_FORWARDED = 1ull << 42,     /* of NEED_COUNTERS those of packets passed on for others */
    NEED_WINDOW = 1ull << 43,        /* of flows: what was counted between two readings */
    NEED_PORT_RANGE = 1ull << 44,    /* ports that the kernel chooses from, of each namespace */
    NEED_SETTINGS = 1ull << 45,      /* of the kernel, from /proc/sys */
    NEED_PEERS = 1ull << 46,         /* flows of unconnected sockets by peer: telling them apart
                                        costs each call something */
    NEED_TCP_PROGRESS = 1ull << 47, /* of NEED_TCP_INFO what BPF tells as well: windows, losses, how
                                       far the data got and when */
    NEED_SERVED = 1ull << 48,       /* of flows: what the connections of each listener moved */
    NEED_NEXT_HOPS = 1ull << 49,    /* of connections that nobody answers */
    NEED_ENDS = 1ull << 50,         /* of flows: protocol, addresses and ports. Free but of what was
                                       recorded, which is much larger with them */
    NEED_STATE_COUNTS = 1ull << 51, /* how many TCP sockets are in each state: those that do not
                                       listen may be counted instead of listed (netns.counted) */
    NEED_CONNTRACK = 1ull << 52,    /* tracked connections, with NAT. Only when asked for: reading
                                       them may load a module of the kernel */
    NEED_SUSPECTS = 1ull << 53,     /* of NEED_ALL_PROCESSES at least those whose program may be
                                       deleted or posing (NEED_EXE), and those that may have nearly
                                       as many descriptors as they may (NEED_FDS) */
};

/* Details of sockets; those of TCP that only sock_diag tells. */
#define NEED_DETAILS_OF_DIAG                                                                       \
    (NEED_TCP_INFO | NEED_EXACT_DETAILS | NEED_IP_OPTIONS | NEED_CONGESTION)
#define NEED_DETAILS (NEED_DETAILS_OF_DIAG | NEED_TCP_PROGRESS | NEED_MEMORY)

enum match_op {
    MATCH_ANY, /* true: a condition that the kernel cannot check */
    MATCH_AND,
    MATCH_OR,
    MATCH_NOT,
    MATCH_LOCAL_PORT, /* low <= port <= high */
    MATCH_PEER_PORT,
    MATCH_LOCAL_ADDR, /* prefix */
    MATCH_PEER_ADDR,
    MATCH_AUTOBOUND, /* the kernel chose the local port */
};

/* A condition, as a tree; children are indexes into request.matches. It may accept
 * too much, never too little. */
struct match {
    enum match_op op;
    uint32_t left, right; /* AND, OR; NOT uses left */
    uint16_t low, high;   /* ports, host order */
    uint8_t family;       /* AF_INET, AF_INET6 */
    uint8_t prefix;       /* bits */
    union address address;
};

enum netns_scope {
    NETNS_SCOPE_SELF,
    NETNS_SCOPE_ALL,
    NETNS_SCOPE_LISTED, /* request.netns_inodes */
};

/* Sources that may be used; a debug option and the tests switch them off one by one. */
enum source_bit {
    SOURCE_BPF = 1u << 0,
    SOURCE_SOCK_DIAG = 1u << 1,
    SOURCE_PROC_NET = 1u << 2,
    SOURCE_PROC_FD = 1u << 3,
    SOURCE_ALL = (1u << 4) - 1,
};

/* Families that a request may choose among; of others it has all or none, by their protocols. */
#define FAMILY_BIT(family) (1u << (family))
#define FAMILY_INET (FAMILY_BIT(AF_INET) | FAMILY_BIT(AF_INET6))

struct accounting;
struct packet_counts;
struct programs;

/* A file in the place of one below /proc. */
struct replaced_file {
    const char *name; /* below /proc: "net/tcp" */
    const char *path;
};

/* Files that are read instead of asking this machine. Everything is borrowed. */
struct request_files {
    const char *proc;                     /* a tree like /proc; NULL: /proc */
    const struct replaced_file *replaced; /* in the place of those in that tree */
    uint32_t replaced_count;
    uint32_t protos;           /* PROTO_BIT()s that come from files alone */
    const char *tcp_dump;      /* what sock_diag answered about TCP, as it was; NULL: none */
    const char *tcp_dump_name; /* what messages call that file */
};

/* Whether sockets or processes are not those of this machine. */
static inline bool request_files_stand_for_machine(const struct request_files *files)
{
    return files && (files->proc || files->protos);
}

struct request {
    uint64_t needs;                /* enum need */
    struct accounting *accounting; /* borrowed: what counts traffic between the readings; NULL: it
                                      is not counted */
    struct packet_counts *packet_counts; /* borrowed: what counts packets; NULL: nothing does */
    struct programs *programs; /* borrowed: stay loaded between readings; NULL: each loads its own
                                */
    uint32_t protos;           /* PROTO_BIT()s */
    uint32_t states;           /* STATE_BIT()s */
    uint32_t signs;       /* enum socket_sign: established connections of TCP without any of these
                             may be left out; 0: all are wanted */
    uint32_t idle_ms;     /* for SIGN_IDLE */
    uint32_t fd_permille; /* of the limit: who has less descriptors is no suspect */
    bool passing;         /* sockets may be looked at in passing: nothing is promised of a single
                             one, as what seems wrong with it is read again */
    uint32_t families;    /* FAMILY_BIT()s */
    uint32_t sources;     /* enum source_bit */
    bool verbatim;        /* all that sock_diag tells, in its order, also the socket that asks;
                             and of owners what /proc/PID/fd tells, without that of threads */
    bool prefer_bpf;      /* use BPF whatever the size of the machine (debug option) */
    bool flows_once;      /* of flows only FLOW_LAST is wanted: those that end are told once */
    bool held_only;       /* sockets that no process holds are of no interest */
    bool rows_by_owner; /* which rows there are depends on owners: without them rows are missing */
    bool rows_by_conntrack; /* the same of tracked connections */
    enum netns_scope netns_scope;
    uint32_t *netns_inodes; /* borrowed */
    uint32_t netns_count;
    const struct match *matches; /* borrowed; the last one is the root; NULL: everything */
    uint32_t match_count;
    const uint32_t *pids; /* borrowed: only these processes are of interest as owners (and sockets
                             only those they hold); NULL: all */
    uint32_t pid_count;
    const union address *route_to;     /* borrowed: also ask which way the kernel would take there;
                                          NULL: do not */
    uint8_t route_family;              /* of it */
    const struct request_files *files; /* borrowed; NULL: this machine is asked */
};

/* Every socket of the own namespace, by any source. */
#define REQUEST_ALL                                                                                \
    ((struct request){                                                                             \
        .protos = PROTO_ALL, .states = STATE_ALL, .families = FAMILY_INET, .sources = SOURCE_ALL})

static inline bool request_wants_family(const struct request *request, unsigned int family)
{
    return (family != AF_INET && family != AF_INET6) || request->families & FAMILY_BIT(family);
}
