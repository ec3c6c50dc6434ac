/* SPDX-License-Identifier: MIT */
/* Names of the kernel's numbers in routes, as ip-route(8) has them. */
#include "table/route_names.h"

#include <linux/ipv6_route.h>
#include <linux/route.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

struct name {
    uint32_t number;
    const char *name;
};

static const char *find_name(const struct name *names, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number)
            return names[i].name;
    return NULL;
}

const char *route_table_name(uint32_t table)
{
    static const struct name names[] = {
        {RT_TABLE_MAIN, "main"}, {RT_TABLE_LOCAL, "local"}, {RT_TABLE_DEFAULT, "default"}};

    return find_name(names, ARRAY_SIZE(names), table);
}

const char *route_type_name(uint8_t type)
{
    static const struct name names[] = {
        {RTN_UNICAST, "unicast"},
        {RTN_LOCAL, "local"},
        {RTN_BROADCAST, "broadcast"},
        {RTN_ANYCAST, "anycast"},
        {RTN_MULTICAST, "multicast"},
        {RTN_BLACKHOLE, "blackhole"},
        {RTN_UNREACHABLE, "unreachable"},
        {RTN_PROHIBIT, "prohibit"},
        {RTN_THROW, "throw"},
        {RTN_NAT, "nat"},
    };

    return find_name(names, ARRAY_SIZE(names), type);
}

const char *route_scope_name(uint8_t scope)
{
    static const struct name names[] = {{RT_SCOPE_UNIVERSE, "global"},
                                        {RT_SCOPE_SITE, "site"},
                                        {RT_SCOPE_LINK, "link"},
                                        {RT_SCOPE_HOST, "host"},
                                        {RT_SCOPE_NOWHERE, "nowhere"}};

    return find_name(names, ARRAY_SIZE(names), scope);
}

const char *route_protocol_name(uint8_t protocol)
{
    static const struct name names[] = {
        {RTPROT_UNSPEC, "unspec"},
        {RTPROT_REDIRECT, "redirect"},
        {RTPROT_KERNEL, "kernel"},
        {RTPROT_BOOT, "boot"},
        {RTPROT_STATIC, "static"},
        {RTPROT_GATED, "gated"},
        {RTPROT_RA, "ra"},
        {RTPROT_MRT, "mrt"},
        {RTPROT_ZEBRA, "zebra"},
        {RTPROT_BIRD, "bird"},
        {RTPROT_DNROUTED, "dnrouted"},
        {RTPROT_XORP, "xorp"},
        {RTPROT_NTK, "ntk"},
        {RTPROT_DHCP, "dhcp"},
        {18, "keepalived"},
        {RTPROT_BABEL, "babel"},
        {99, "openr"},
        {186, "bgp"},
        {187, "isis"},
        {188, "ospf"},
        {189, "rip"},
        {192, "eigrp"},
    };

    return find_name(names, ARRAY_SIZE(names), protocol);
}

uint32_t route_rtf_bits(const struct route *route)
{
    uint32_t bits = RTF_UP;

    if (route->type == RTN_UNREACHABLE || route->type == RTN_PROHIBIT)
        bits |= RTF_REJECT;
    if (route->has & ROUTE_HAS_GATEWAY)
        bits |= RTF_GATEWAY;
    if (route->dst_bits == 32)
        bits |= RTF_HOST;
    return bits;
}

void route_put_letters(struct buf *out, const struct route *route)
{
    static const struct {
        uint32_t bit;
        const char *letters;
    } letters[] = {
        {RTF_UP, "U"},        {RTF_GATEWAY, "G"},   {RTF_HOST, "H"},    {RTF_DEFAULT, "D"},
        {RTF_ADDRCONF, "A"},  {RTF_CACHE, "C"},     {RTF_EXPIRES, "e"}, {RTF_MODIFIED, "M"},
        {RTF_ALLONLINK, "a"}, {RTF_NONEXTHOP, "n"}, {RTF_REJECT, "!"},
    };
    uint32_t bits = route->has & ROUTE_HAS_USE ? route->proc_flags
                    : route->family == AF_INET && route->has & ROUTE_HAS_TYPE
                        ? route_rtf_bits(route)
                        : 0;

    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (bits & letters[i].bit)
            buf_puts(out, letters[i].letters);
}

void route_put_hop_flags(struct buf *out, uint32_t flags)
{
    static const struct name names[] = {
        {RTNH_F_DEAD, "dead"},         {RTNH_F_PERVASIVE, "pervasive"},
        {RTNH_F_ONLINK, "onlink"},     {RTNH_F_OFFLOAD, "offload"},
        {RTNH_F_LINKDOWN, "linkdown"}, {RTNH_F_UNRESOLVED, "unresolved"},
        {RTNH_F_TRAP, "trap"},
    };
    size_t start = out->length;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (flags & names[i].number) {
            if (out->length > start)
                buf_byte(out, ',');
            buf_puts(out, names[i].name);
        }
}
