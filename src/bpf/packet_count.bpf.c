/* SPDX-License-Identifier: MIT */
/* Counts the packets that a packet socket would be given, and lets none of them through. */
#include "bpf/packet_class.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum {
    PACKET_BROADCAST = 1, /* of linux/if_packet.h */
    PACKET_OUTGOING = 4,
};

struct packet_state state;

static __always_inline void add(struct packet_sum *sum, __u32 size)
{
    __sync_fetch_and_add(&sum->packets, 1);
    __sync_fetch_and_add(&sum->bytes, size);
}

static __always_inline bool is_broadcast(const struct packet_bytes *packet)
{
    __u32 high = 0;
    __u16 low = 0;

    if (packet->skb->pkt_type == PACKET_BROADCAST)
        return true;
    return state.ethernet && packet_load(packet, 0, &high, 4) && packet_load(packet, 4, &low, 2) &&
           high == 0xffffffff && low == 0xffff;
}

SEC("socket")
int count_packet(struct __sk_buff *skb)
{
    struct packet_bytes packet = {.skb = skb};
    struct packet_class class =
        packet_classify(&packet, state.ethernet, bpf_ntohs((__u16)skb->protocol), 0);
    struct packet_sums *sums = &state.sums[skb->pkt_type == PACKET_OUTGOING];
    __u32 size = skb->len;
    __u64 bracket;

    class.protocols |= 1u << CLASS_TOTAL | (__u32)is_broadcast(&packet) << CLASS_BROADCAST;
#pragma unroll
    for (int i = 0; i < CLASS_MAX; i++)
        if (class.protocols & 1u << i)
            add(&sums->protocols[i], size);
    bracket = packet_bracket(size > class.header ? size - class.header : 0, state.mtu);
    asm volatile("" : "+r"(bracket)); /* one register, which the check below is seen to bound */
    if (bracket < CLASS_BRACKETS)
        add(&sums->sizes[bracket], size);
    return 0;
}
