/* SPDX-License-Identifier: MIT */
/* Every hashed TCP socket of all network namespaces, in one walk over the table that they share. */
/*
 * iter/tcp goes through that table once for each namespace, and locks each bucket and each socket.
 * Here each element of an array stands for a stretch of the table, and some of them together are
 * read as the kernel itself looks a connection up: under RCU alone. A chain ends with the number of
 * its bucket; where that is another one a socket has moved meanwhile, and the walk is to be done
 * again.
 *
 * Nothing is promised of a socket that is read so: it may be just now another one. And it has no
 * cookie unless somebody has asked for it before.
 */
#pragma once

#include "socket.bpf.h"

static __always_inline bool count_state(void);

#define COUNT_STATE() count_state()
#include "tcp.bpf.h"

/* Of a whole part; a walk that takes more steps is given up. */
#define STEPS_MAX (1 << 16)

/* Of so many buckets the sockets are looked for together. */
#define BLOCK 512
#define LOOKED_AT_ONCE 8

/* LISTENING_NULLS_BASE of the kernel: what the ends of chains of listeners begin with. */
#define LISTENING_BASE (1u << 29)

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, TABLE_STRETCHES);
    __type(key, __u32);
    __type(value, __u64);
} stretches SEC(".maps");

/* Buckets that follow each other, those that are still to be read. */
struct buckets {
    __u64 left;
    __u64 head; /* address of the next one's */
    __u64 size;
    __u64 end; /* that its chain has */
};

struct chain {
    __u64 node; /* address of the next one in it, or an odd number at its end */
    __u64 end;  /* that it should have */
};

/*
 * Not on the stack, where the verifier would follow it through one step after the other. A loaded
 * program has one reader.
 */
static struct {
    struct buckets now, next;
    struct chain chain;         /* in which it is */
    struct chain chains[BLOCK]; /* of the block, but for empty ones */
    __u32 found, taken;         /* of these */
    __u32 number;               /* of this part */
    __u32 attempt;              /* how many parts were begun */
    __u64 signless;             /* those of the parts before */
} walk;

/* Shared with the program that reads. */
struct table_counts counts;

/* Where its buffer is full the kernel begins a part again. */
static __always_inline void begin_part(__u32 number)
{
    walk.attempt++;
    if (number != walk.number)
        walk.signless = filter.signless;
    walk.number = number;
    filter.signless = walk.signless;
}

/* What the part before has counted stays, but for one that is read again. */
static __always_inline void begin_counting(struct counted_netns *netns)
{
    bool again = netns->stretch == walk.number;

#pragma unroll
    for (int i = 0; i < 16; i++) {
        if (!again)
            netns->states[i] += netns->latest[i];
        netns->latest[i] = 0;
    }
    netns->stretch = walk.number;
    netns->attempt = walk.attempt;
}

static __always_inline bool count_state(void)
{
    __u32 inode = record.head.netns;
    struct counted_netns *netns = &counts.netns[inode % COUNTED_MAX];

    if (netns->inode != inode) {
        if (netns->inode)
            return false;
        netns->inode = inode;
    }
    if (netns->attempt != walk.attempt)
        begin_counting(netns);
    netns->latest[record.head.state & 15]++;
    return true;
}

/* Of an IPv6 address the end, which is all of one that stands for IPv4. */
static __always_inline void count_route(const struct sock_common *skc)
{
    __u32 local = skc->skc_rcv_saddr, peer = skc->skc_daddr, port = skc->skc_dport, hash;

    if (!port)
        return;
    if (skc->skc_family == AF_INET6 && bpf_core_field_exists(skc->skc_v6_daddr)) {
        local = skc->skc_v6_rcv_saddr.in6_u.u6_addr32[3];
        peer = skc->skc_v6_daddr.in6_u.u6_addr32[3];
    }
    hash = (local * 0x9e3779b1u ^ peer) * 0x85ebca6bu ^ port;
    hash = (hash * 0xc2b2ae35u ^ record.head.netns) * 0x27d4eb2fu;
    counts.routes[hash >> 20]++;
}

/* How heads of chains are read: what does not change is made once. */
struct reading {
    __u32 type;
    const void *zero; /* of two pointers the verifier allows the difference, which is a number */
};

static __always_inline struct reading begin_reading(void)
{
    __u32 type = bpf_core_type_id_kernel(struct hlist_head);

    PIN(type);
    return (struct reading){type, bpf_rdonly_cast(0, type)};
}

static __always_inline __u64 address_of(struct reading reading, const void *pointer)
{
    return pointer - reading.zero;
}

static __always_inline void take(struct seq_file *seq, struct sock_common *skc)
{
    if (!begin_record(skc, skc->skc_net.net))
        return;
    if (filter.with_routes)
        count_route(skc);
    switch (skc->skc_state) {
    case TCP_TIME_WAIT:
        take_timewait(seq, FOR_READING(struct tcp_timewait_sock, skc));
        break;
    case TCP_NEW_SYN_RECV:
        take_request(seq, FOR_READING(struct inet_request_sock, skc));
        break;
    default:
        take_sock(seq, FOR_READING(struct tcp_sock, skc), FROM_TABLE);
    }
}

static __always_inline __u64 first_of(struct reading reading, __u64 head)
{
    const struct hlist_head *at = bpf_rdonly_cast((const void *)head, reading.type);

    return address_of(reading, at->first);
}

/* Most are empty. */
static __always_inline void find_chain(struct reading reading, __u64 head, __u64 end)
{
    __u64 node = first_of(reading, head);

    if (node == end)
        return;
    walk.chains[walk.found & (BLOCK - 1)] = (struct chain){node, end};
    walk.found++;
}

static long find_one(__u32 index, const struct buckets *block)
{
    find_chain(begin_reading(), block->head + index * block->size, block->end + 2 * index);
    return 0;
}

/* In one step, which is faster. */
static long find_some(__u32 index, const struct buckets *block)
{
    struct reading reading = begin_reading();
    __u64 head = block->head + index * LOOKED_AT_ONCE * block->size;
    __u64 end = block->end + 2 * index * LOOKED_AT_ONCE;

#pragma unroll
    for (__u64 i = 0; i < LOOKED_AT_ONCE; i++)
        find_chain(reading, head + i * block->size, end + 2 * i);
    return 0;
}

/* A read whose result nobody waits for. */
#define TOUCH(field) ((void)*(volatile typeof(field) *)&(field))

/*
 * What is looked at lies in nine places of memory, most likely in no cache, and each would be
 * waited for. Here nothing depends on what is read, so that those of several sockets come at once.
 */
static long touch(__u32 index, const void *context)
{
    const struct sock_common *skc = FOR_READING(
        struct sock_common, walk.chains[index & (BLOCK - 1)].node -
                                bpf_core_field_offset(struct sock_common, skc_nulls_node));
    const struct tcp_sock *tp = FOR_READING(struct tcp_sock, skc);

    (void)context;
    TOUCH(skc->skc_nulls_node.next);
    TOUCH(skc->skc_state);
    /* Of most, which are in time-wait, the state is behind what all have. To ask first what this
     * one is would be to wait; the others are longer. */
    TOUCH(FOR_READING(struct inet_timewait_sock, skc)->tw_substate);
    if (!filter.signs)
        return 0;
    if (filter.signs & SIGN_WAITING)
        TOUCH(tp->inet_conn.icsk_inet.sk.sk_socket);
    if (filter.signs & SIGN_IDLE)
        TOUCH(tp->lsndtime);
    TOUCH(tp->inet_conn.icsk_pending);
    TOUCH(tp->snd_wnd);
    TOUCH(tp->snd_una);
    TOUCH(tp->bytes_retrans);
    return 0;
}

static __always_inline void find_chains(struct buckets *now)
{
    __u64 count = now->left < BLOCK ? now->left : BLOCK, rest = count % LOOKED_AT_ONCE;
    struct buckets block = *now;

    walk.found = walk.taken = 0;
    bpf_loop(rest, find_one, &block, 0);
    block.head += rest * block.size;
    block.end += 2 * rest;
    bpf_loop(count / LOOKED_AT_ONCE, find_some, &block, 0);
    bpf_loop(walk.found, touch, 0, 0);
    now->left -= count;
    now->head += count * now->size;
    now->end += 2 * count;
}

/* False: there is none any more. */
static __always_inline bool take_chain(void)
{
    if (walk.chain.node != walk.chain.end)
        filter.torn++;
    walk.chain.node = walk.chain.end;
    if (walk.taken < walk.found) {
        walk.chain = walk.chains[walk.taken++ & (BLOCK - 1)];
        return true;
    }
    if (!walk.now.left) {
        walk.now = walk.next;
        walk.next.left = 0;
    }
    if (!walk.now.left)
        return false;
    find_chains(&walk.now);
    return true;
}

/* A block, the next chain of it, or the next socket of that. 1 ends the walk. */
static long take_step(__u32 index, struct seq_file **seq)
{
    struct reading reading = begin_reading();
    struct sock_common *skc;

    (void)index;
    if (walk.chain.node & 1)
        return !take_chain();
    skc = FOR_READING(struct sock_common,
                      walk.chain.node - bpf_core_field_offset(struct sock_common, skc_nulls_node));
    walk.chain.node = address_of(reading, skc->skc_nulls_node.next);
    take(*seq, skc);
    return 0;
}

/* From stretch `number` on a part of a table; the numbers at its ends begin with `base`. */
static __always_inline struct buckets stretch(__u32 number, __u32 last, __u64 head, __u64 size,
                                              __u64 base)
{
    __u64 count = (__u64)last + 1, first = number * count / TABLE_STRETCHES;

    return (struct buckets){
        .left = ((__u64)number + filter.together) * count / TABLE_STRETCHES - first,
        .head = head + first * size,
        .size = size,
        .end = (base + first) * 2 + 1,
    };
}

/* Of the namespace of the process that reads. */
static __always_inline const struct inet_hashinfo *find_table(void)
{
    const struct task_struct *task = FOR_READING(struct task_struct, bpf_get_current_task());

    return task->nsproxy->net_ns->ipv4.tcp_death_row.hashinfo;
}

SEC("iter/bpf_map_elem")
int walk_tcp_table(struct bpf_iter__bpf_map_elem *ctx)
{
    const struct inet_hashinfo *table = find_table();
    struct reading reading = begin_reading();
    struct seq_file *seq = ctx->meta->seq;
    const __u32 *number = ctx->key;

    if (!number || *number & (filter.together - 1))
        return 0;
    begin_part(*number);
    walk.now = stretch(*number, table->ehash_mask, address_of(reading, table->ehash),
                       sizeof(struct hlist_head), 0);
    walk.next = stretch(*number, table->lhash2_mask,
                        address_of(reading, table->lhash2) +
                            bpf_core_field_offset(struct inet_listen_hashbucket, nulls_head),
                        bpf_core_type_size(struct inet_listen_hashbucket), LISTENING_BASE);
    walk.chain = (struct chain){1, 1};
    walk.found = walk.taken = 0;
    if (bpf_loop(STEPS_MAX, take_step, &seq, 0) == STEPS_MAX)
        filter.torn++;
    return 0;
}
