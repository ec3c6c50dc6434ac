/* SPDX-License-Identifier: MIT */
/* The kernel's structures: only the fields that are read (CO-RE). */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    int counter;
} atomic_t;

typedef struct refcount_struct {
    atomic_t refs;
} refcount_t;

typedef struct {
    __u32 val;
} kuid_t;

struct ns_common {
    unsigned int inum;
};

struct hlist_nulls_node {
    struct hlist_nulls_node *next; /* odd: the end of a chain */
};

struct hlist_nulls_head {
    struct hlist_nulls_node *first;
};

/* Of established and other connections it is a head alone. */
struct inet_ehash_bucket;

struct inet_listen_hashbucket {
    struct hlist_nulls_head nulls_head;
};

/* The tables of TCP. Namespaces share them, but for those that were given some of their own. */
struct inet_hashinfo {
    struct inet_ehash_bucket *ehash;
    unsigned int ehash_mask;
    unsigned int lhash2_mask;
    struct inet_listen_hashbucket *lhash2;
};

struct net {
    struct ns_common ns;
    struct {
        struct {
            struct inet_hashinfo *hashinfo;
        } tcp_death_row;
    } ipv4;
};

struct nsproxy {
    struct net *net_ns;
};

struct pid_namespace {
    struct ns_common ns;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[0];
};

typedef struct {
    struct net *net;
} possible_net_t;

struct in6_addr {
    union {
        __be32 u6_addr32[4];
    } in6_u;
};

struct hlist_node {
    struct hlist_node **pprev;
};

struct timer_list {
    struct hlist_node entry;
    unsigned long expires;
};

struct inode {
    unsigned long i_ino;
};

struct path {
    struct dentry *dentry;
};

struct file {
    struct inode *f_inode;
    struct path f_path;
};

struct kernfs_node {
    __u64 id;
};

struct cgroup {
    struct kernfs_node *kn;
};

/* Since 5.15; older kernels pack the pointer into an integer, and the cgroup is not told. */
struct sock_cgroup_data {
    struct cgroup *cgroup;
};

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    volatile unsigned char skc_state;
    unsigned char skc_reuseport : 1;
    unsigned char skc_ipv6only : 1;
    int skc_bound_dev_if;
    unsigned long skc_flags;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
    struct {
        long long counter;
    } skc_cookie;
    struct hlist_nulls_node skc_nulls_node;
};

/* Since 6.18: the receive drops of udp and raw sockets. */
struct numa_drop_counters {
    atomic_t drops0;
    atomic_t drops1;
};

struct sock {
    struct sock_common __sk_common;
    atomic_t sk_drops;
    struct {
        atomic_t rmem_alloc;
        int len;
    } sk_backlog;
    int sk_rcvbuf;
    int sk_sndbuf;
    int sk_forward_alloc;
    int sk_wmem_queued;
    atomic_t sk_omem_alloc;
    struct socket *sk_socket;
    refcount_t sk_wmem_alloc;
    struct timer_list sk_timer;
    struct timer_list tcp_retransmit_timer; /* since 6.19 */
    __u32 sk_mark;
    kuid_t sk_uid;
    __u16 sk_protocol;
    __u16 sk_type;
    __u8 sk_kern_sock : 1;
    __u8 sk_shutdown;
    int sk_rx_dst_ifindex;
    int sk_err;
    __u32 sk_ack_backlog;
    __u32 sk_max_ack_backlog;
    unsigned long sk_ino; /* since 6.17 */
    struct sock_cgroup_data sk_cgrp_data;
    struct numa_drop_counters *sk_drop_counters;
};

struct socket {
    enum { SOCKET_IS_CONNECTED = 3 } state; /* socket_state of <linux/net.h>: SS_CONNECTED */
    short type;
    struct file *file;
    struct sock *sk;
};

/* Where every socket with a file is. */
struct socket_alloc {
    struct socket socket;
    struct inode vfs_inode;
};

struct packet_sock {
    int ifindex;
};

struct inet_sock {
    struct sock sk;
    __be16 inet_sport;
    unsigned long inet_flags; /* since 6.6 */
};

struct inet_connection_sock {
    struct inet_sock icsk_inet;
    struct timer_list icsk_retransmit_timer; /* its `expires` is the timeout since 6.18 */
    struct timer_list icsk_keepalive_timer;  /* since 6.19; before that sk_timer */
    unsigned long icsk_timeout;              /* before 6.18 */
    __u8 icsk_retransmits;
    __u8 icsk_pending;
    __u8 icsk_probes_out;
    const struct tcp_ulp_ops *icsk_ulp_ops;
    struct {
        __u32 lrcvtime; /* in kernel ticks, the low 32 bits */
    } icsk_ack;
    __u32 icsk_pmtu_cookie;
};

struct tcp_sock {
    struct inet_connection_sock inet_conn;
    __u32 copied_seq;
    __u32 rcv_nxt;
    __u32 snd_una;
    __u32 write_seq;
    __u32 lsndtime; /* in kernel ticks, the low 32 bits */
    __u64 bytes_received;
    __u64 bytes_acked;
    __u64 bytes_sent;
    __u64 bytes_retrans;
    bool is_mptcp;
    __u32 srtt_us; /* times 8 */
    __u32 total_retrans;
    __u32 data_segs_out;
    __u32 packets_out;
    __u32 lost_out;
    __u32 mss_cache;
    __u32 snd_wnd;
    __u32 rcv_wnd;
    __u32 rcv_tstamp; /* as lsndtime: of the last acknowledgement */
};

struct request_sock {
    struct sock_common __req_common;
    __u8 num_retrans;
    struct timer_list rsk_timer;
};

struct inet_request_sock {
    struct request_sock req;
    __u32 ir_mark;
};

struct tcp_request_sock {
    struct inet_request_sock req;
};

struct inet_timewait_sock {
    struct sock_common __tw_common;
    __u32 tw_mark;
    unsigned char tw_substate;
    struct timer_list tw_timer;
};

struct tcp_timewait_sock {
    struct inet_timewait_sock tw_sk;
};

struct udp_sock {
    struct inet_sock inet;
    int forward_deficit;
};

struct net_device {
    unsigned short hard_header_len;
};

struct sk_buff {
    struct net_device *dev;
    struct sock *sk;
    __u16 transport_header;
    __u16 network_header;
};

struct bpf_sock_addr_kern {
    struct sock *sk;
};

struct cred {
    kuid_t euid;
};

/* Of cgroup v2. */
struct css_set {
    struct cgroup *dfl_cgrp;
};

struct mm_struct {
    struct file *exe_file;
};

struct fdtable {
    unsigned int max_fds;
};

struct files_struct {
    struct fdtable *fdt;
    struct fdtable fdtab; /* the first one */
};

struct rlimit {
    unsigned long rlim_cur;
};

struct signal_struct {
    struct rlimit rlim[16];
};

struct task_struct {
    int pid;
    int tgid;
    struct mm_struct *mm;
    struct files_struct *files;
    struct signal_struct *signal;
    __u64 start_boottime;
    struct pid *thread_pid;
    struct nsproxy *nsproxy;
    unsigned int flags;
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    const struct cred *cred;
    struct css_set *cgroups;
    char comm[16];
};

#pragma clang attribute pop

/* Nothing but this pointer, which heads of any list are. */
struct hlist_head {
    struct hlist_node *first;
};

/* Of functions that are not inlined, so that their types are found once: not every program calls
 * all of them. */
#define UNUSED __attribute__((unused))

/* The kernel's own form of a program's argument (since 6.2). */
extern void *bpf_cast_to_kern_ctx(void *argument) __ksym;

/*
 * A pointer for reading only (since 6.2). For each pointer that is read through one that it trusts,
 * the verifier goes through the names of all types of the kernel, up to four times: a millisecond
 * each. Those that come from this one it does not trust.
 */
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;

#ifdef WITHOUT_CASTS /* for kernels before 6.2, whose verifiers look at no names */
#define FOR_READING(type, pointer) ((type *)(pointer))
#else
#define FOR_READING(type, pointer)                                                                 \
    ((type *)bpf_rdonly_cast((const void *)(pointer), bpf_core_type_id_kernel(type)))
#endif

/* The programs' arguments: their layout is fixed by the verifier, so they are not relocated. */

struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

struct bpf_iter__task_file {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    __u32 fd;
    struct file *file;
};

struct bpf_iter__tcp {
    struct bpf_iter_meta *meta;
    struct sock_common *sk_common;
    __u32 uid;
};

struct bpf_iter__bpf_map_elem {
    struct bpf_iter_meta *meta;
    struct bpf_map *map;
    void *key;
    void *value;
};

struct bpf_iter__udp {
    struct bpf_iter_meta *meta;
    struct udp_sock *udp_sk;
    __u32 uid;
    int bucket;
};
