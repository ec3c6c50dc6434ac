/* SPDX-License-Identifier: MIT */
/* Shared by BPF and program: the filter that goes in, the records that come out. */
#pragma once

#include <linux/types.h>

/*
 * Both sides are compiled for the same machine, so the layout is fixed by the order below; sizes
 * are asserted, there is no padding that a compiler chose. Numbers are in host order, addresses in
 * network order.
 */

/* What a record has behind its head, in this order. */
enum record_part {
    RECORD_SOCKET = 1 << 0,
    RECORD_OWNER = 1 << 1,
    RECORD_TCP = 1 << 2,
};

/*
 * Alone: a socket that an open file refers to was passed by, and its details are left to the walk
 * over descriptors.
 */
struct record_head {
    __u64 cookie; /* SO_COOKIE; 0: a minisocket that was never given one */
    __u32 netns;  /* inode of the network namespace */
    __u32 inode;  /* of the sockfs file; 0: none */
    __u16 size;   /* of the whole record in bytes */
    __u8 parts;   /* enum record_part */
    __u8 proto;   /* enum socket_proto */
    __u8 family;  /* AF_* */
    __u8 state;   /* enum socket_state */
    __u16 local_port;
};

struct record_socket {
    __u64 cgroup_id;     /* cgroup2 id; 0: unknown */
    __s64 timer_jiffies; /* until the timer fires, in kernel ticks; negative when it is overdue */
    __u32 uid;
    __u32 mark;
    __u32 ifindex;
    __u32 recv_q; /* as sock_diag computes it: bytes, or the length of the accept queue */
    __u32 send_q; /* bytes, or the limit of the accept queue */
    __u32 drops;
    __u32 flags; /* enum socket_flag: the same bits as struct socket */
    __u32 has;   /* enum socket_has */
    __u16 peer_port;
    __u8 type;
    __u8 timer; /* enum socket_timer */
    __u8 retransmits;
    __u8 shutdown; /* bit 0 receive, bit 1 send, as the kernel has it */
    __u8 reserved[2];
    __u8 local[16]; /* IPv4: the first four bytes */
    __u8 peer[16];
};

struct record_owner {
    __u32 tgid; /* process id in the initial pid namespace */
    __u32 tid; /* 0: the descriptor table of the process; else the thread that has one of its own */
    __s32 fd;
    __u32 euid;
    char comm[16]; /* of the process, not of the thread; NUL-terminated, raw bytes */
};

/* How far the data of a connection got, and the memory that it takes. */
struct record_tcp {
    __u64 bytes_acked; /* the numbers have the names of struct tcp_details */
    __u64 bytes_received;
    __u64 bytes_retrans;
    __u32 total_retrans;
    __u32 data_segs_out;
    __u32 unacked;
    __u32 lost;
    __u32 mss;
    __u32 pmtu;
    __u32 snd_wnd;
    __u32 rcv_wnd;
    __u32 data_sent_jiffies; /* so long ago */
    __u32 data_recv_jiffies;
    __u32 ack_recv_jiffies;
    __u32 receive; /* and these those of struct socket_memory */
    __u32 receive_limit;
    __u32 send;
    __u32 send_limit;
    __u32 forward;
    __u32 write_queue;
    __u32 option;
    __u32 backlog;
    __u32 reserved;
};

/* A process. It has no head. */
struct record_task {
    __u64 fd_limit;
    __u64 program;   /* a number that all have who run the same file; 0: a thread of the kernel */
    __u32 pid;       /* in the initial pid namespace */
    __u32 netns;     /* inode of the network namespace; 0: it has ended */
    __u32 fd_places; /* of its table: it has not more descriptors */
    __u32 reserved;
    char comm[16]; /* NUL-terminated, raw bytes */
};

_Static_assert(sizeof(struct record_task) == 48, "record_task has padding");
_Static_assert(sizeof(struct record_head) == 24, "record_head has padding");
_Static_assert(sizeof(struct record_socket) == 88, "record_socket has padding");
_Static_assert(sizeof(struct record_owner) == 32, "record_owner has padding");
_Static_assert(sizeof(struct record_tcp) == 104, "record_tcp has padding");

#define RECORD_SIZE_MAX                                                                            \
    (sizeof(struct record_head) + sizeof(struct record_socket) + sizeof(struct record_owner) +     \
     sizeof(struct record_tcp))

/*
 * A range of ports, both ends included; low 0 and high 65535 is every socket, also those that have
 * no port.
 */
struct port_range {
    __u16 low;
    __u16 high;
};

/*
 * Which sockets are wanted. It lies in the program's .bss, so that one loaded program answers many
 * questions.
 */
struct iterator_filter {
    __u32 protos; /* PROTO_BIT()s */
    /* task_file: PROTO_BIT()s that get a socket part; the others only an owner part */
    __u32 full_protos;
    /* STATE_BIT()s; for records with a socket part only: a state may change between two walks */
    __u32 states;
    __u32 families; /* 1u << AF_INET, 1u << AF_INET6; for the inet protocols only */
    __u32 netns;    /* inode; 0: every namespace */
    __u32 tgid;     /* task_file: descriptors of this process only; 0: all */
    /* tcp: 1: sockets with an open file get a head only, because task_file brings the rest */
    __u32 brief;
    __u32 details;     /* 1: TCP sockets whole with record_tcp too, where they have one */
    __u32 unconnected; /* task_file: 1: what is connected is passed by */
    struct port_range local;
    struct port_range peer;   /* listening sockets pass this one and the next */
    struct port_range either; /* local or peer */
    __u64 descriptors;        /* task_file counts here how many it has looked at */
    __u32 with_ports;         /* PROTO_BIT()s that the ranges are about; the others pass */
    /* enum socket_sign: of TCP what is established and has none of these is passed by; 0: nothing
     */
    __u32 signs;
    __u32 idle_ticks;   /* for SIGN_IDLE */
    __u32 brief_states; /* tcp: STATE_BIT()s of which each gets a head only, to be counted;
                           tcp_table counts them itself, where it has room for their namespace */
    __u64 signless;     /* tcp counts here how many it has passed by as they have no sign */
    __u32 torn;         /* tcp_table counts here the chains that changed under it */
    __u32 with_routes;  /* tcp_table: 1: table_counts.routes too */
    __u32 together;     /* tcp_table: so many stretches give their records at once, a power of 2 */
};

/* tcp_table: the sockets of a namespace that are counted. */
struct counted_netns {
    __u32 inode;            /* 0: the place is free */
    __u32 stretch, attempt; /* of the last socket */
    __u32 reserved;
    __u32 states[16]; /* by enum socket_state */
    __u32 latest[16]; /* of the last stretch, not yet in `states` */
};

/* Namespaces, of which each has one place (its inode modulo this): who comes late gets heads. */
#define COUNTED_MAX 64

/*
 * Sockets by what they have in common: namespace, both addresses and the remote port, as far as a
 * hash tells. At most as many have the same as the fullest one has.
 */
#define ROUTES_MAX 4096

/* What tcp_table has counted. To be cleared before each walk. */
struct table_counts {
    struct counted_netns netns[COUNTED_MAX];
    __u32 routes[ROUTES_MAX];
};

/*
 * tcp_table: the records of one of so many stretches must have room in a buffer of 32 KiB. Those
 * of several together mostly have, and that many are read faster.
 */
#define TABLE_STRETCHES 4096
#define STRETCHES_TOGETHER 8

#define PORT_RANGE_ALL                                                                             \
    {                                                                                              \
        0, 65535                                                                                   \
    }

#define ITERATOR_FILTER_ALL                                                                        \
    ((struct iterator_filter){.protos = ~0u,                                                       \
                              .states = ~0u,                                                       \
                              .families = ~0u,                                                     \
                              .together = STRETCHES_TOGETHER,                                      \
                              .local = PORT_RANGE_ALL,                                             \
                              .peer = PORT_RANGE_ALL,                                              \
                              .either = PORT_RANGE_ALL})
