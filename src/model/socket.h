/* SPDX-License-Identifier: MIT */
/* A socket as one collector saw it: raw facts, no interpretation. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum socket_proto {
    PROTO_UNKNOWN,
    PROTO_TCP,
    PROTO_UDP,
    PROTO_UDPLITE,
    PROTO_RAW,
    PROTO_ICMP, /* ping socket: SOCK_DGRAM with IPPROTO_ICMP or IPPROTO_ICMPV6 */
    PROTO_SCTP,
    PROTO_DCCP,
    PROTO_MPTCP,
    PROTO_UNIX,
    PROTO_PACKET,
    PROTO_NETLINK,
    PROTO_VSOCK,
    PROTO_MAX,
};

#define PROTO_BIT(proto) (1u << (proto))
#define PROTO_ALL ((1u << PROTO_MAX) - 2)
#define PROTO_INET_ALL                                                                             \
    (PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE) |                      \
     PROTO_BIT(PROTO_RAW) | PROTO_BIT(PROTO_ICMP) | PROTO_BIT(PROTO_SCTP) |                        \
     PROTO_BIT(PROTO_DCCP) | PROTO_BIT(PROTO_MPTCP))

/* The numbers are the kernel's (include/net/tcp_states.h), so that a state is also a bit of
 * sock_diag's idiag_states. */
enum socket_state {
    STATE_UNKNOWN,
    STATE_ESTABLISHED,
    STATE_SYN_SENT,
    STATE_SYN_RECV, /* sock_diag shows TCP_NEW_SYN_RECV (12) as this one */
    STATE_FIN_WAIT_1,
    STATE_FIN_WAIT_2,
    STATE_TIME_WAIT,
    STATE_UNCONNECTED, /* the kernel's CLOSE */
    STATE_CLOSE_WAIT,
    STATE_LAST_ACK,
    STATE_LISTENING,
    STATE_CLOSING,
    STATE_NEW_SYN_RECV_UNUSED,
    STATE_BOUND_INACTIVE, /* bound, neither listening nor connected; sock_diag shows it since 6.8 */
    STATE_MAX,
};

#define STATE_BIT(state) (1u << (state))
#define STATE_ALL ((1u << STATE_MAX) - 2)

/* Both sides have agreed, and something may still come from the other one. */
#define STATE_CONNECTED                                                                            \
    (STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_FIN_WAIT_1) |    \
     STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK))

/* What makes an established connection worth a look. A source that cannot tell brings them all. */
enum socket_sign {
    SIGN_TROUBLE = 1u << 0, /* something was sent again, or waits as a window is closed */
    SIGN_IDLE = 1u << 1,    /* no timer runs, and no data went for request.idle_ms */
    SIGN_PUBLIC = 1u << 2,  /* the other side may be in the internet */
    SIGN_WAITING = 1u << 3, /* nobody has accepted it yet */
};

/* Kernel timer of a TCP socket (idiag_timer). */
enum socket_timer {
    TIMER_OFF,
    TIMER_RETRANSMIT, /* "on" in ss(8) */
    TIMER_KEEPALIVE,
    TIMER_TIMEWAIT,
    TIMER_PERSIST,
    TIMER_DELACK, /* since 6.18 */
    TIMER_MAX,
};

/* 16 bytes in network order; an IPv4 address is in the first four. Which it is, the socket's family
 * says. */
union address {
    uint8_t bytes[16];
    uint32_t words[4];
};

/* Which facts are known. A field without its bit is unknown, and is shown so, never as 0. */
enum socket_has {
    SOCKET_HAS_COOKIE = 1u << 0,
    SOCKET_HAS_UID = 1u << 1,
    SOCKET_HAS_QUEUES = 1u << 2,
    SOCKET_HAS_MARK = 1u << 3, /* only told with CAP_NET_ADMIN */
    SOCKET_HAS_CGROUP = 1u << 4,
    SOCKET_HAS_TIMER = 1u << 5,
    SOCKET_HAS_V6ONLY = 1u << 6,
    SOCKET_HAS_SHUTDOWN = 1u << 7,
    SOCKET_HAS_PEER_INODE = 1u << 8,
    SOCKET_HAS_DROPS = 1u << 9,
    SOCKET_HAS_FILE = 1u << 10,    /* SOCKET_FILE below was looked at (BPF only) */
    SOCKET_HAS_BACKLOG = 1u << 11, /* listening: recv_q is the accept queue, send_q its limit */
    SOCKET_HAS_INODE = 1u << 12,   /* known to be `inode`, which may be 0: no struct socket is
                                      attached */
    SOCKET_HAS_TOS = 1u << 13,     /* inet_options has it */
    SOCKET_HAS_TCLASS = 1u << 14,  /* the same */
    SOCKET_HAS_CLASS_ID = 1u << 15,
};

/* Options of an internet socket in socket.inet_options. */
enum inet_option_bits {
    INET_TOS_SHIFT = 0,    /* IP_TOS (INET_DIAG_TOS, since 3.2) */
    INET_TCLASS_SHIFT = 8, /* IPV6_TCLASS (INET_DIAG_TCLASS, since 3.2) */
    INET_FLAGS_SHIFT = 16, /* 11 flags in the order of struct inet_diag_sockopt (since 5.10) */
    INET_FLAGS_KNOWN = 1u << 31,
};

enum socket_flag {
    SOCKET_V6ONLY = 1u << 0,
    SOCKET_FILE = 1u << 1, /* an open file refers to it: a descriptor somewhere, or one in flight */
    SOCKET_KERNEL = 1u << 2,       /* made by the kernel for itself */
    SOCKET_SHUT_RECEIVE = 1u << 3, /* receiving half is shut down */
    SOCKET_SHUT_SEND = 1u << 4,
    SOCKET_REPLY_ONLY = 1u << 5, /* time-wait or syn-recv minisocket: has no struct sock */
    SOCKET_ABSTRACT = 1u << 7,   /* unix: path is an abstract name, without its leading NUL */
};

struct socket {
    union {
        uint64_t cookie; /* SO_COOKIE, idiag_cookie; unique while the machine is up; since 2.6
                            (inet_diag) */
        uint64_t kernel_address; /* without SOCKET_HAS_COOKIE, of files that are read instead of
                                    the machine: as /proc/net shows it (hashed) */
    };
    uint64_t cgroup_id; /* cgroup2 id = inode of its directory; INET_DIAG_CGROUP_ID since 5.8 */
    uint32_t inode;     /* of the sockfs file; 0: none (time-wait, syn-recv, orphan, un-accepted) */
    uint32_t netns;     /* index into snapshot.netns */
    uint32_t uid;       /* who made it (sk_uid), not who holds it */
    uint32_t mark;      /* SO_MARK */
    uint32_t ifindex;   /* bound device; 0 none */
    uint32_t recv_q;    /* bytes not read yet; listening: connections not accepted yet */
    uint32_t send_q; /* bytes not acknowledged yet (tcp), not sent yet (others); listening: limit */
    uint32_t timer_ms; /* until the timer fires */
    union {
        uint32_t peer_inode; /* unix: of the socket at the other end; 0 none */
        uint32_t class_id;   /* internet, when asked for: of net_cls, or the priority
                                (INET_DIAG_CLASS_ID, since 4.9) */
    };
    uint32_t path; /* unix: string of its name; 0 unnamed */
    union {
        uint32_t references;   /* unix, when asked for: how many hold the kernel's socket */
        uint32_t inet_options; /* internet, when asked for: enum inet_option_bits */
    };
    uint32_t drops;      /* datagrams thrown away for want of receive buffer (SK_MEMINFO_DROPS,
                            since 4.6) */
    uint32_t tcp;        /* 1 + index into snapshot.tcp_infos; 0: not asked or not known */
    uint32_t memory;     /* 1 + index into snapshot.memories; 0: as above */
    uint16_t has;        /* enum socket_has */
    uint16_t flags;      /* enum socket_flag */
    uint16_t protocol;   /* raw: IP protocol; packet: ETH_P_*; netlink: NETLINK_* family; else 0 */
    uint16_t local_port; /* host order; netlink: unused */
    uint16_t peer_port;
    uint8_t proto;       /* enum socket_proto */
    uint8_t family;      /* AF_INET, AF_INET6, AF_UNIX, AF_PACKET, AF_NETLINK, AF_VSOCK */
    uint8_t type;        /* SOCK_STREAM ...; 0 unknown */
    uint8_t state;       /* enum socket_state */
    uint8_t timer;       /* enum socket_timer */
    uint8_t retransmits; /* of the segment that waits now (idiag_retrans) */
    union address local; /* unix: words[0..1] = address in the kernel, low half first, as
                            /proc/net/unix shows it (hashed), when asked for, words[2] = inode of
                            the first connection that waits at a listener; vsock: words[0] = CID,
                            words[1] = port; netlink: words[0] = port id, words[1] = groups */
    union address peer;  /* unix, when asked for: words[0] and words[1] = inode and device of the
                            file that its path is (UNIX_DIAG_VFS, since 3.3); 0 none */
};

/*
 * Where fields end in the kernel's struct tcp_info (include/uapi/linux/tcp.h), which only grows: a
 * field is known when so many bytes were there. The installed header may be older than the kernel.
 */
enum tcp_info_end {
    TCP_INFO_FIRST = 104,          /* up to tcpi_total_retrans, which every kernel has */
    TCP_INFO_PACING_RATE = 112,    /* since 3.15 */
    TCP_INFO_BYTES_ACKED = 128,    /* since 4.1 */
    TCP_INFO_BYTES_RECEIVED = 136, /* since 4.1 */
    TCP_INFO_SEGS_OUT = 140,       /* since 4.2 */
    TCP_INFO_SEGS_IN = 144,        /* since 4.2 */
    TCP_INFO_NOTSENT_BYTES = 148,  /* since 4.6 */
    TCP_INFO_MIN_RTT = 152,        /* since 4.6 */
    TCP_INFO_DELIVERY_RATE = 168,  /* since 4.9 */
    TCP_INFO_BYTES_SENT = 208,     /* since 4.19 */
    TCP_INFO_BYTES_RETRANS = 216,  /* since 4.19 */
    TCP_INFO_SND_WND = 232,        /* since 5.4 */
    TCP_INFO_RCV_WND = 236,        /* since 6.2 */
};

/* Of which congestion control are the numbers that it keeps for itself (union tcp_cc_info). */
enum congestion_kind {
    CONGESTION_UNKNOWN,
    CONGESTION_VEGAS, /* struct tcpvegas_info */
    CONGESTION_DCTCP, /* struct tcp_dctcp_info, since 4.1 */
    CONGESTION_BBR,   /* struct tcp_bbr_info, since 4.9 */
};

/*
 * The part of the kernel's struct tcp_info that is shown (INET_DIAG_INFO, or by BPF), by the names
 * that it has there.
 */
struct tcp_details {
    uint32_t known; /* bytes of the kernel's struct tcp_info that were there: enum tcp_info_end */
    uint32_t rtt_us, rttvar_us, min_rtt_us, rto_us, ato_us;
    uint32_t cwnd, ssthresh;                     /* segments */
    uint32_t mss, rcv_mss, advmss, pmtu;         /* bytes */
    uint32_t reordering;                         /* segments, as the next ones */
    uint32_t unacked, sacked, lost, retrans_out; /* now */
    uint32_t total_retrans;                      /* since it began */
    uint32_t last_data_sent_ms, last_data_recv_ms, last_ack_recv_ms;   /* how long ago */
    uint32_t snd_wnd, rcv_wnd, notsent_bytes, rcv_space, rcv_ssthresh; /* bytes */
    uint32_t rcv_rtt_us;
    uint32_t fackets, delivered_ce;                          /* segments */
    uint32_t segs_out, segs_in, data_segs_out, data_segs_in; /* since it began, as the next ones */
    uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retrans;
    uint64_t pacing_rate, max_pacing_rate, delivery_rate; /* bytes/s */
    uint64_t busy_us, rwnd_limited_us, sndbuf_limited_us; /* since it began */
    uint32_t dsack_dups, delivered, reord_seen, rcv_ooopack;
    uint8_t backoff;                     /* doublings of the timeout */
    uint8_t options;                     /* TCPI_OPT_* */
    uint8_t wscale_send, wscale_receive; /* bits */
    uint8_t app_limited;                 /* 1: the delivery rate is */
    uint8_t of_listener; /* 1: the kernel's numbers of a listener, which mean little; known is 0 */
    uint8_t congestion_kind; /* enum congestion_kind, of the numbers below */
    uint32_t congestion_info[5];
    uint32_t upper;      /* 1 + index into snapshot.upper_layers; 0 none */
    uint32_t congestion; /* string: name of the congestion control; 0 unknown */
    uint32_t ulp;        /* string: tls, mptcp; 0 none */
};

enum upper_layer_kind {
    UPPER_UNKNOWN,
    UPPER_TLS,     /* of a TCP socket (INET_ULP_INFO_TLS, since 5.4) */
    UPPER_SUBFLOW, /* of a TCP socket (INET_ULP_INFO_MPTCP, since 5.6) */
    UPPER_MPTCP,   /* of an MPTCP socket (struct mptcp_info, since 5.9) */
};

/* What lies above TCP; only told with CAP_NET_ADMIN. */
struct upper_layer {
    uint64_t map_sequence;                                 /* subflow */
    uint64_t write_sequence, unacknowledged, next_receive; /* mptcp */
    uint32_t kind;                                         /* enum upper_layer_kind */
    uint32_t present;            /* 1u << attribute, of those that were told */
    uint32_t flags;              /* subflow, mptcp: the kernel's */
    uint32_t token, token_local; /* subflow: of the peer, ours; mptcp: ours */
    uint32_t map_subflow_sequence, map_offset, map_length; /* subflow */
    uint16_t version, cipher, send_mode, receive_mode;     /* tls: TLS_*_VERSION, TLS_CIPHER_*,
                                                              TLS_CONF_* */
    uint8_t id, id_local; /* subflow: address ids of peer and ours */
    uint8_t subflows, addresses_sent, addresses_accepted; /* mptcp: how many, and at most */
    uint8_t subflows_limit, addresses_sent_limit, addresses_accepted_limit;
};

/* A ring of a packet socket (struct packet_diag_ring). */
struct packet_ring {
    uint32_t block_size, blocks, frame_size, frames, timeout_ms, private_size, features;
};

/* What only packet sockets have (packet_diag, since 3.7). In the order of the sockets. */
struct packet_details {
    uint32_t socket;                         /* index into snapshot.sockets */
    uint32_t version, copy_threshold, flags; /* TPACKET_V*, PACKET_COPY_THRESH, PDI_* */
    uint32_t has;                            /* enum packet_details_has */
    uint32_t fanout;                         /* id, and the type in the upper half */
    uint32_t filter;                         /* string: struct sock_filter, as many as there are */
    struct packet_ring receive, send;
};

enum packet_details_has {
    PACKET_HAS_RECEIVE_RING = 1u << 0,
    PACKET_HAS_SEND_RING = 1u << 1,
    PACKET_HAS_FANOUT = 1u << 2,
};

/* A connection that waits to be accepted by a unix socket (UNIX_DIAG_ICONS, since 3.3). In the
 * order of the sockets. */
struct unix_waiting {
    uint32_t socket; /* index into snapshot.sockets: the listener */
    uint32_t inode;
};

/* Socket memory in bytes (SK_MEMINFO_*, INET_DIAG_SKMEMINFO since 3.7, UNIX_DIAG_MEMINFO). */
struct socket_memory {
    uint32_t receive, receive_limit, send, send_limit, forward, write_queue, option, backlog;
};

/* The names of ss(8) in long form; "unknown" for what is not in the enum. */
const char *socket_proto_name(unsigned int proto);
const char *socket_state_name(unsigned int state);
const char *socket_timer_name(unsigned int timer);
const char *socket_family_name(unsigned int family);
const char *socket_type_name(unsigned int type);

/* Number of a name, also in ss(8)'s other spellings ("estab", "syn-rcv", "closed"); -EINVAL when
 * unknown. */
int socket_proto_parse(const char *name, unsigned int *ret_proto);

/* A set of states from a name: one state, also as netstat(8) and lsof(8) write it, or a group of
 * ss(8): all connected synchronized bucket big. -EINVAL when unknown. */
int socket_state_parse(const char *name, uint32_t *ret_states);
