/* SPDX-License-Identifier: MIT */
/* Counts the packets of each socket, with all their headers. */
/*
 * The hooks of the root cgroup (since 4.10) see what IP hands to a socket and takes from it: each
 * packet once, whatever devices it passes. Who runs meanwhile is nobody in particular.
 */
#include "traffic_count.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum {
    TCP_DATA_OFFSET = 12, /* in its header */
    UDP_HEADER = 8,
    IPV6_NEXT_HEADER = 6,
    IPV6_FIRST_OPTION = 42, /* behind the hop-by-hop header */
    IPV6_JUMBO = 0xc2,
    JUMBO_HEADER = 8,
};

static __always_inline void describe(struct traffic_flow *flow, const struct count *count)
{
    fill_socket(&flow->socket, (struct inet_sock *)count->sk);
}

static __always_inline __u8 byte_at(struct __sk_buff *skb, __u32 offset)
{
    __u8 byte = 0;

    bpf_skb_load_bytes(skb, offset, &byte, 1);
    return byte;
}

/* BIG TCP says how long it is by a header that goes when the packet is cut up. */
static __always_inline bool is_jumbo(struct __sk_buff *skb)
{
    return byte_at(skb, 0) >> 4 == 6 && byte_at(skb, IPV6_NEXT_HEADER) == 0 &&
           byte_at(skb, IPV6_FIRST_OPTION) == IPV6_JUMBO;
}

/* On the wire a packet that is larger than the link takes (GSO, GRO) is several. */
static __always_inline void add_segments(struct __sk_buff *skb, const struct sk_buff *kernel,
                                         struct count *count)
{
    __u32 ip = (__u16)(kernel->transport_header - kernel->network_header);
    __u32 header =
        ip + (count->sk->sk_protocol == IP_PROTO_TCP ? (byte_at(skb, ip + TCP_DATA_OFFSET) >> 4) * 4
                                                     : UDP_HEADER);

    if (is_jumbo(skb)) {
        count->bytes -= JUMBO_HEADER;
        header -= JUMBO_HEADER;
    }
    if (count->bytes <= header)
        return;
    count->number = (count->bytes - header + skb->gso_size - 1) / skb->gso_size;
    count->bytes += (__u64)(count->number - 1) * header;
}

static __always_inline void count_packet(struct __sk_buff *skb, bool sent)
{
    const struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);
    struct count count = {.bytes = skb->len, .number = 1, .sent = sent};
    struct sock *sk = kernel->sk;

    if (!sk)
        return;
    count.sk = sk;
    count.key.cookie = socket_cookie(sk) ?: bpf_get_socket_cookie(skb);
    count.key.tid = sk->__sk_common.skc_net.net->ns.inum;
    if (skb->gso_size)
        add_segments(skb, kernel, &count);
    count.bytes += (__u64)count.number * kernel->dev->hard_header_len;
    count_flow(&count, describe);
}

SEC("cgroup_skb/egress")
int count_sent(struct __sk_buff *skb)
{
    count_packet(skb, true);
    return 1;
}

SEC("cgroup_skb/ingress")
int count_received(struct __sk_buff *skb)
{
    count_packet(skb, false);
    return 1;
}
