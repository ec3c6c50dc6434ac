/* SPDX-License-Identifier: MIT */
/* What kind of packet it is: one answer for the BPF program and for the packet socket. */
#pragma once

#include <linux/types.h>
#include <stdbool.h>

#ifdef __bpf__
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PACKET_INLINE static __always_inline
#define PACKET_UNROLL _Pragma("unroll")

struct packet_bytes {
    struct __sk_buff *skb;
};

PACKET_INLINE bool packet_load(const struct packet_bytes *packet, __u32 at, void *to, __u32 size)
{
    return bpf_skb_load_bytes(packet->skb, at, to, size) == 0;
}
#else
#include <string.h>

#define PACKET_INLINE static inline
#define PACKET_UNROLL

/* The beginning of a packet. */
struct packet_bytes {
    const unsigned char *bytes;
    __u32 length;
};

PACKET_INLINE bool packet_load(const struct packet_bytes *packet, __u32 at, void *to, __u32 size)
{
    if (at > packet->length || size > packet->length - at)
        return false;
    memcpy(to, packet->bytes + at, size);
    return true;
}
#endif

/* In the order of enum packet_protocol. */
enum {
    CLASS_TOTAL,
    CLASS_IPV4,
    CLASS_IPV6,
    CLASS_TCP,
    CLASS_UDP,
    CLASS_ICMP,
    CLASS_OTHER_IP,
    CLASS_NON_IP,
    CLASS_BROADCAST,
    CLASS_MAX,
};

enum {
    CLASS_BRACKETS = 21, /* the last one is of packets above the MTU */
    CLASS_VLANS_MAX = 4, /* tags within the packet */
    CLASS_EXTENSIONS_MAX = 8,
};

struct packet_sum {
    __u64 packets, bytes;
};

/* Of one direction. */
struct packet_sums {
    struct packet_sum protocols[CLASS_MAX];
    struct packet_sum sizes[CLASS_BRACKETS];
};

/* What the counting shares with the program. */
struct packet_state {
    __u32 mtu;                  /* set before the program is attached */
    __u32 ethernet;             /* packets begin with an Ethernet header */
    struct packet_sums sums[2]; /* received, sent */
};

struct packet_class {
    __u32 protocols; /* bits by CLASS_*, without total and broadcast */
    __u32 header;    /* bytes before the network's header */
};

PACKET_INLINE __u16 packet_word(const unsigned char bytes[2])
{
    return (__u16)(bytes[0] << 8 | bytes[1]);
}

/* The type behind an Ethernet header and its VLAN tags; 0: it is cut. */
PACKET_INLINE __u16 packet_ethernet(const struct packet_bytes *packet, __u32 *header)
{
    unsigned char type[2];
    __u32 at = 12;

    PACKET_UNROLL
    for (int i = 0; i <= CLASS_VLANS_MAX; i++) {
        __u16 word;

        if (!packet_load(packet, at, type, 2))
            return 0;
        word = packet_word(type);
        *header = at + 2;
        if (word != 0x8100 && word != 0x88a8 && word != 0x9100)
            return word;
        at += 4;
    }
    return 0;
}

PACKET_INLINE __u32 packet_transport(__u8 protocol)
{
    switch (protocol) {
    case 6:
        return 1u << CLASS_TCP;
    case 17:
        return 1u << CLASS_UDP;
    case 1:
    case 58:
        return 1u << CLASS_ICMP;
    default:
        return 1u << CLASS_OTHER_IP;
    }
}

/* Extension headers with a length in units of eight bytes: hop by hop, routing, destination,
 * mobility, HIP, shim6. */
PACKET_INLINE bool packet_is_extension(__u8 next)
{
    return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

/* The protocol behind the extension headers of IPv6; that of a later fragment is in its own. */
PACKET_INLINE __u8 packet_ipv6(const struct packet_bytes *packet, __u32 at)
{
    unsigned char head[4];
    __u8 next;

    if (!packet_load(packet, at + 6, &next, 1))
        return 59;
    at += 40;
    PACKET_UNROLL
    for (int i = 0; i < CLASS_EXTENSIONS_MAX; i++) {
        bool is_fragment = next == 44, is_authentication = next == 51;

        if (!packet_is_extension(next) && !is_fragment && !is_authentication)
            return next;
        if (!packet_load(packet, at, head, 4))
            return next;
        next = head[0];
        if (is_fragment && packet_word(head + 2) & 0xfff8)
            return next;
        if (is_fragment)
            at += 8;
        else
            at += is_authentication ? (head[1] + 2u) * 4 : (head[1] + 1u) * 8;
    }
    return next;
}

/* `type` (ETH_P_*, host order) and `header` are those of a link without Ethernet header. */
PACKET_INLINE struct packet_class packet_classify(const struct packet_bytes *packet, bool ethernet,
                                                  __u16 type, __u32 header)
{
    struct packet_class class = {.header = header};
    __u8 protocol = 255;

    if (ethernet)
        type = packet_ethernet(packet, &class.header);
    if (type == 0x0800) {
        if (!packet_load(packet, class.header + 9, &protocol, 1))
            protocol = 255;
        class.protocols = 1u << CLASS_IPV4 | packet_transport(protocol);
    } else if (type == 0x86dd) {
        class.protocols = 1u << CLASS_IPV6 | packet_transport(packet_ipv6(packet, class.header));
    } else {
        class.protocols = 1u << CLASS_NON_IP;
    }
    return class;
}

/* The bracket of a packet that is `size` bytes long without the header of the link. */
PACKET_INLINE __u32 packet_bracket(__u32 size, __u32 mtu)
{
    if (size > mtu)
        return CLASS_BRACKETS - 1;
    return size ? (__u32)((__u64)(size - 1) * (CLASS_BRACKETS - 1) / mtu) : 0;
}
