/* SPDX-License-Identifier: MIT */
/* Names of numbers in packets. */
#include "packet/names.h"

#include <string.h>

const struct number_name ether_type_names[] = {
    {0x0800, "IPv4"},
    {0x8847, "MPLS unicast"},
    {0x8848, "MPLS multicast"},
    {0x86dd, "IPv6"},
    {0x8100, "802.1Q"},
    {0x9100, "802.1Q-9100"},
    {0x88a8, "802.1Q-QinQ"},
    {0x9200, "802.1Q-9200"},
    {0x88e5, "802.1AE MACsec"},
    {0x0200, "PUP"},
    {0x0806, "ARP"},
    {0x8035, "Reverse ARP"},
    {0x0600, "NS"},
    {0x0500, "Sprite"},
    {0x1000, "Trail"},
    {0x6001, "MOP DL"},
    {0x6002, "MOP RC"},
    {0x6003, "DN"},
    {0x6004, "LAT"},
    {0x6007, "SCA"},
    {0x6558, "TEB"},
    {0x8038, "Lanbridge"},
    {0x803c, "DEC DNS"},
    {0x803e, "DEC DTS"},
    {0x805b, "VEXP"},
    {0x805c, "VPROD"},
    {0x809b, "Appletalk"},
    {0x80f3, "Appletalk ARP"},
    {0x8137, "IPX"},
    {0x880b, "PPP"},
    {0x8808, "MPCP"},
    {0x8809, "Slow Protocols"},
    {0x8863, "PPPoE D"},
    {0x8864, "PPPoE S"},
    {0x888e, "EAPOL"},
    {0x8899, "Realtek protocols"},
    {0x886f, "MS NLB heartbeat"},
    {0x8870, "Jumbo"},
    {0x894f, "NSH"},
    {0x9000, "Loopback"},
    {0xfefe, "OSI"},
    {0x00fe, "GRE-OSI"},
    {0xabcd, "CFM (old)"},
    {0x8902, "CFM"},
    {0x893a, "IEEE1905.1"},
    {0x88cc, "LLDP"},
    {0x88ca, "TIPC"},
    {0x0707, "GeoNet (old)"},
    {0x8947, "GeoNet"},
    {0x1111, "CALM FAST"},
    {0x88a2, "AoE"},
    {0x88f7, "PTP"},
    {0xd28b, "Arista Vendor Specific Protocol"},
    {0, NULL},
};

const struct number_name ip_protocol_names[] = {
    {0, "Options"},
    {1, "ICMP"},
    {2, "IGMP"},
    {4, "IPIP"},
    {6, "TCP"},
    {8, "EGP"},
    {9, "IGRP"},
    {17, "UDP"},
    {33, "DCCP"},
    {41, "IPv6"},
    {43, "Routing"},
    {44, "Fragment"},
    {46, "RSVP"},
    {47, "GRE"},
    {50, "ESP"},
    {51, "AH"},
    {55, "Mobile IP"},
    {58, "ICMPv6"},
    {62, "Mobile IP (old)"},
    {88, "EIGRP"},
    {89, "OSPF"},
    {103, "PIM"},
    {108, "Compressed IP"},
    {112, "VRRP"},
    {113, "PGM"},
    {132, "SCTP"},
    {135, "Mobility"},
    {143, "Ethernet"},
    {0, NULL},
};

static const char *const short_names[256] = {
    "hopopt",
    "icmp",
    "igmp",
    "ggp",
    "ipencap",
    "st",
    "tcp",
    "cbt",
    "egp",
    "igp",
    "bbn-rcc-mon",
    "nvp-ii",
    "pup",
    "argus",
    "emcon",
    "xnet",
    "chaos",
    "udp",
    "mux",
    "dcn-meas",
    "hmp",
    "prm",
    "xns-idp",
    "trunk-1",
    "trunk-2",
    "leaf-1",
    "leaf-2",
    "rdp",
    "irtp",
    "iso-tp4",
    "netblt",
    "mfe-nsp",
    "merit-inp",
    "dccp",
    "3pc",
    "idpr",
    "xtp",
    "ddp",
    "idpr-cmtp",
    "tp++",
    "il",
    "ipv6",
    "sdrp",
    "ipv6-route",
    "ipv6-frag",
    "idrp",
    "rsvp",
    "gre",
    "dsr",
    "bna",
    "esp",
    "ah",
    "i-nlsp",
    "swipe",
    "narp",
    "mobile",
    "tlsp",
    "skip",
    "ipv6-icmp",
    "ipv6-nonxt",
    "ipv6-opts",
    NULL,
    "cftp",
    NULL,
    "sat-expak",
    "kryptolan",
    "rvd",
    "ippc",
    NULL,
    "sat-mon",
    "visa",
    "ipcv",
    "cpnx",
    "rspf",
    "wsn",
    "pvp",
    "br-sat-mon",
    "sun-nd",
    "wb-mon",
    "wb-expak",
    "iso-ip",
    "vmtp",
    "secure-vmtp",
    "vines",
    "ttp",
    "nsfnet-igp",
    "dgp",
    "tcf",
    "eigrp",
    "ospf",
    "sprite-rpc",
    "larp",
    "mtp",
    "ax.25",
    "ipip",
    "micp",
    "scc-sp",
    "etherip",
    "encap",
    NULL,
    "gmtp",
    "ifmp",
    "pnni",
    "pim",
    "aris",
    "scps",
    "qnx",
    "a/n",
    "ipcomp",
    "snp",
    "compaq-peer",
    "ipx-in-ip",
    "vrrp",
    "pgm",
    NULL,
    "l2tp",
    "ddx",
    "iatp",
    "stp",
    "srp",
    "uti",
    "smp",
    "sm",
    "ptp",
    "isis",
    "fire",
    "crtp",
    "crudp",
    "sscopmce",
    "iplt",
    "sps",
    "pipe",
    "sctp",
    "fc",
    "rsvp-e2e-ignore",
    "mobility-header",
    "udplite",
    "mpls-in-ip",
    "manet",
    "hip",
    "shim6",
    "wesp",
    "rohc",
    [253] = "exptest-253",
    [254] = "exptest-254",
    [255] = "reserved",
};

const char *ip_protocol_short_name(uint8_t protocol)
{
    return short_names[protocol];
}

const char *number_name(const struct number_name *names, uint32_t number, const char *unknown)
{
    for (; names->name; names++)
        if (names->number == number)
            return names->name;
    return unknown;
}

void packet_put_name(struct packet *packet, const struct number_name *names, uint32_t number,
                     const char *unknown)
{
    const char *name = number_name(names, number, NULL);

    if (name) {
        packet_puts(packet, name);
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    packet_printf(packet, unknown, number);
#pragma GCC diagnostic pop
}

void packet_put_flags(struct packet *packet, const struct number_name *names, uint32_t flags,
                      const char *between)
{
    bool any = false;

    for (; names->name; names++) {
        if ((flags & names->number) != names->number)
            continue;
        if (any)
            packet_puts(packet, between);
        packet_puts(packet, names->name);
        any = true;
    }
    if (!any)
        packet_puts(packet, "none");
}
