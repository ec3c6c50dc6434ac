/* SPDX-License-Identifier: MIT */
/* Every hashed TCP socket of all network namespaces, in one walk over the table that they share. */
/*
 * iter/tcp goes through that table once for each namespace, and locks each bucket and each socket.
 * Here each element of an array stands for a stretch of the table, which is read as the kernel
 * itself looks a connection up: under RCU alone. A chain ends with the number of its bucket; where
 * that is another one a socket has moved meanwhile, and the walk is to be done again.
 *
 * Nothing is promised of a socket that is read so: it may be just now another one. And it has no
 * cookie unless somebody has asked for it before.
 */
#pragma once

#include "tcp.bpf.h"

/* Of a whole element; a walk that takes more steps is given up. */
#define STEPS_MAX (1 << 16)

#define PASSED_AT_ONCE 8

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
    __u64 end; /* that the chain of the one before has */
};

/*
 * Not on the stack, where the verifier would follow it through one step after the other. A loaded
 * program has one reader.
 */
static struct {
    struct buckets now, next;
    __u64 node;     /* address in the chain of the last bucket, or an odd number at its end */
    __u64 signless; /* those of the parts before */
    __u32 number;   /* of this part */
} walk;

/* Where its buffer is full the kernel begins a part again. */
static __always_inline void begin_part(__u32 number)
{
    if (number != walk.number)
        walk.signless = filter.signless;
    walk.number = number;
    filter.signless = walk.signless;
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

/* Most buckets are empty: several at once are passed by faster. */
static __always_inline bool pass_empty(struct reading reading, struct buckets *now)
{
    __u64 differs = 0;

    if (now->left < PASSED_AT_ONCE)
        return false;
#pragma unroll
    for (__u64 i = 0; i < PASSED_AT_ONCE; i++)
        differs |= first_of(reading, now->head + i * now->size) ^ (now->end + 2 * i + 2);
    if (differs)
        return false;
    now->left -= PASSED_AT_ONCE;
    now->head += PASSED_AT_ONCE * now->size;
    now->end += 2 * PASSED_AT_ONCE;
    walk.node = now->end;
    return true;
}

static __always_inline bool take_bucket(struct reading reading)
{
    struct buckets *now = &walk.now;

    if (walk.node != now->end)
        filter.torn++;
    if (!now->left) {
        walk.now = walk.next;
        walk.next.left = 0;
        walk.node = now->end;
        return now->left;
    }
    if (pass_empty(reading, now))
        return true;
    now->left--;
    now->end += 2;
    walk.node = first_of(reading, now->head);
    now->head += now->size;
    return true;
}

/* A bucket, or a socket. 1 ends the walk. */
static long take_step(__u32 index, struct seq_file **seq)
{
    struct reading reading = begin_reading();
    struct sock_common *skc;

    (void)index;
    if (walk.node & 1)
        return !take_bucket(reading);
    skc = FOR_READING(struct sock_common,
                      walk.node - bpf_core_field_offset(struct sock_common, skc_nulls_node));
    walk.node = address_of(reading, skc->skc_nulls_node.next);
    take(*seq, skc);
    return 0;
}

/* The part `number` of a table with as many buckets; the numbers at the ends begin with `base`. */
static __always_inline struct buckets stretch(__u32 number, __u32 last, __u64 head, __u64 size,
                                              __u64 base)
{
    __u64 count = (__u64)last + 1, first = number * count / TABLE_STRETCHES;

    return (struct buckets){
        .left = (number + 1ull) * count / TABLE_STRETCHES - first,
        .head = head + first * size,
        .size = size,
        .end = (base + first) * 2 - 1,
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

    if (!number)
        return 0;
    begin_part(*number);
    walk.now = stretch(*number, table->ehash_mask, address_of(reading, table->ehash),
                       sizeof(struct hlist_head), 0);
    walk.next = stretch(*number, table->lhash2_mask,
                        address_of(reading, table->lhash2) +
                            bpf_core_field_offset(struct inet_listen_hashbucket, nulls_head),
                        bpf_core_type_size(struct inet_listen_hashbucket), LISTENING_BASE);
    walk.node = walk.now.end;
    if (bpf_loop(STEPS_MAX, take_step, &seq, 0) == STEPS_MAX)
        filter.torn++;
    return 0;
}
