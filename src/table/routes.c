/* SPDX-License-Identifier: MIT */
/* The table of routes: one row a next hop of a route, in the order of the kernel. */
#include "base/buf.h"
#include "base/hash.h"
#include "derive/address.h"
#include "table/cells.h"
#include "table/route_names.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static const struct route *get_route(const struct view *view, uint32_t row)
{
    return &view->snapshot->routes[row];
}

/* What only rtnetlink tells is unknown of the rest. */
static bool is_told(const struct view *view, uint32_t row)
{
    return get_route(view, row)->has & ROUTE_HAS_TYPE;
}

/* --- where it leads --- */

static struct value get_family(const struct view *view, uint32_t row)
{
    return value_name(socket_family_name(get_route(view, row)->family));
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_route(view, row)->netns);
}

static struct value name_or_number(const struct view *view, const char *name, uint32_t number)
{
    if (name)
        return value_name(name);
    buf_reset(view->scratch);
    buf_uint(view->scratch, number);
    return cell_scratch(view, 0);
}

static struct value get_table(const struct view *view, uint32_t row)
{
    uint32_t table = get_route(view, row)->table;

    return is_told(view, row) && table ? name_or_number(view, route_table_name(table), table)
                                       : value_none();
}

static unsigned int bits_of(const struct route *route)
{
    return route->family == AF_INET ? 32 : 128;
}

/* "default", "10.0.0.0/8", "10.0.0.9", as ip-route(8) writes them. */
static struct value get_destination(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    if (route->dst_bits == 0)
        return value_name("default");
    buf_reset(view->scratch);
    buf_address(view->scratch, route->family, route->dst.bytes);
    if (route->dst_bits != bits_of(route)) {
        buf_byte(view->scratch, '/');
        buf_uint(view->scratch, route->dst_bits);
    }
    return cell_scratch(view, 0);
}

static struct value get_address(bool known, unsigned int family, const union address *address)
{
    if (!known || !address_is_inet(family))
        return value_none();
    return (struct value){.type = VALUE_ADDRESS, .address = {address->bytes, (uint8_t)family}};
}

static struct value get_dst(const struct view *view, uint32_t row)
{
    return get_address(true, get_route(view, row)->family, &get_route(view, row)->dst);
}

static struct value get_dst_bits(const struct view *view, uint32_t row)
{
    return value_uint(get_route(view, row)->dst_bits);
}

static struct value get_src(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    return get_address(route->src_bits > 0, route->family, &route->src);
}

static struct value get_src_bits(const struct view *view, uint32_t row)
{
    return cell_number(get_route(view, row)->src_bits > 0, get_route(view, row)->src_bits);
}

static struct value get_gateway(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    return get_address(route->has & ROUTE_HAS_GATEWAY, route->gateway_family, &route->gateway);
}

static struct value get_source(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    return get_address(route->has & ROUTE_HAS_SOURCE, route->family, &route->source);
}

static struct value get_iface(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);
    const struct interface *interface =
        snapshot_interface(view->snapshot, route->netns, route->ifindex);

    if (!route->ifindex)
        return value_none();
    return interface ? cell_string(view, interface->name)
                     : name_or_number(view, NULL, route->ifindex);
}

static struct value get_metric(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    return cell_number(route->has & ROUTE_HAS_METRIC, route->priority);
}

/* --- what kind of route it is --- */

#define NAME_COLUMN(name)                                                                          \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        uint8_t number = get_route(view, row)->name;                                               \
        return is_told(view, row) ? name_or_number(view, route_##name##_name(number), number)      \
                                  : value_none();                                                  \
    }

NAME_COLUMN(type)
NAME_COLUMN(scope)
NAME_COLUMN(protocol)

static struct value get_tos(const struct view *view, uint32_t row)
{
    return cell_number(get_route(view, row)->tos > 0, get_route(view, row)->tos);
}

/* As route(8) shows them; of IPv4 they follow from the rest, and the kernel has no others. */
static struct value get_rtf(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    if (route->has & ROUTE_HAS_USE)
        return value_uint(route->proc_flags);
    return cell_number(route->family == AF_INET && is_told(view, row), route_rtf_bits(route));
}

static struct value get_flags(const struct view *view, uint32_t row)
{
    buf_reset(view->scratch);
    route_put_letters(view->scratch, get_route(view, row));
    return view->scratch->length ? cell_scratch(view, 0) : value_none();
}

static struct value get_hop_flags(const struct view *view, uint32_t row)
{
    buf_reset(view->scratch);
    route_put_hop_flags(view->scratch, get_route(view, row)->hop_flags);
    return view->scratch->length ? cell_scratch(view, 0) : value_none();
}

static struct value get_hop(const struct view *view, uint32_t row)
{
    return cell_number(get_route(view, row)->hop > 0, get_route(view, row)->hop);
}

static struct value get_hops(const struct view *view, uint32_t row)
{
    return cell_number(is_told(view, row), get_route(view, row)->hops);
}

static struct value get_weight(const struct view *view, uint32_t row)
{
    return cell_number(get_route(view, row)->hops > 1, get_route(view, row)->weight);
}

static struct value get_nexthop_id(const struct view *view, uint32_t row)
{
    return cell_number(get_route(view, row)->nexthop_id > 0, get_route(view, row)->nexthop_id);
}

static struct value get_expires(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    return cell_number(route->has & ROUTE_HAS_EXPIRES, route->expires_s);
}

/* Of IPv4 the kernel counts neither since 3.6; netstat shows 0. */
static struct value get_refs(const struct view *view, uint32_t row)
{
    return cell_number(get_route(view, row)->has & ROUTE_HAS_USE, get_route(view, row)->refs);
}

static struct value get_use(const struct view *view, uint32_t row)
{
    return cell_number(get_route(view, row)->has & ROUTE_HAS_USE, get_route(view, row)->use);
}

static struct value get_proc_line(const struct view *view, uint32_t row)
{
    return cell_number(get_route(view, row)->proc_line > 0, get_route(view, row)->proc_line);
}

static struct value get_cached(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    return value_bool(route->rtm_flags & RTM_F_CLONED && !(route->flags & ROUTE_ANSWER));
}

static struct value get_internal(const struct view *view, uint32_t row)
{
    return value_bool(!is_told(view, row) && !(get_route(view, row)->flags & ROUTE_ANSWER));
}

static struct value get_answer(const struct view *view, uint32_t row)
{
    return value_bool(get_route(view, row)->flags & ROUTE_ANSWER);
}

static struct value get_chosen(const struct view *view, uint32_t row)
{
    return value_bool(get_route(view, row)->flags & ROUTE_CHOSEN);
}

/* What a program is told that sends there, and what that means. */
static struct value get_error(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);

    if (route->error == 0)
        return value_none();
    if (route->has & ROUTE_HAS_TYPE && route->type == RTN_BLACKHOLE)
        return value_name("a route of type blackhole drops it (Invalid argument)");
    if (route->has & ROUTE_HAS_TYPE && route->type == RTN_UNREACHABLE)
        return value_name("a route of type unreachable refuses it (No route to host)");
    if (route->has & ROUTE_HAS_TYPE && route->type == RTN_PROHIBIT)
        return value_name("a route of type prohibit refuses it (Permission denied)");
    if (route->error == -ENETUNREACH)
        return value_name("no route leads there (Network is unreachable)");
    if (route->error == -EINVAL)
        return value_name("a policy rule drops it, or it is no address to send to "
                          "(Invalid argument)");
    return value_name(strerror(-route->error));
}

/* --- metrics --- */

static struct value metric(const struct view *view, uint32_t row, unsigned int number)
{
    const struct route *route = get_route(view, row);

    return cell_number(route->metrics & 1u << number, route->metric[number]);
}

#define METRIC_COLUMN(name, number)                                                                \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return metric(view, row, number);                                                          \
    }

METRIC_COLUMN(mtu, RTAX_MTU)
METRIC_COLUMN(advmss, RTAX_ADVMSS)
METRIC_COLUMN(window, RTAX_WINDOW)
METRIC_COLUMN(ssthresh, RTAX_SSTHRESH)
METRIC_COLUMN(cwnd, RTAX_CWND)
METRIC_COLUMN(initcwnd, RTAX_INITCWND)
METRIC_COLUMN(initrwnd, RTAX_INITRWND)
METRIC_COLUMN(reordering, RTAX_REORDERING)
METRIC_COLUMN(hoplimit, RTAX_HOPLIMIT)
METRIC_COLUMN(rto_min, RTAX_RTO_MIN)
METRIC_COLUMN(quickack, RTAX_QUICKACK)
METRIC_COLUMN(features, RTAX_FEATURES)

/* The kernel keeps eighths of a millisecond of one and quarters of the other. */
static struct value get_irtt(const struct view *view, uint32_t row)
{
    struct value value = metric(view, row, RTAX_RTT);

    return value.type == VALUE_UINT ? value_uint(value.uint / 8) : value;
}

static struct value get_rttvar(const struct view *view, uint32_t row)
{
    struct value value = metric(view, row, RTAX_RTTVAR);

    return value.type == VALUE_UINT ? value_uint(value.uint / 4) : value;
}

static struct value get_mtu_locked(const struct view *view, uint32_t row)
{
    return value_bool(get_route(view, row)->locked & 1u << RTAX_MTU);
}

static struct value get_cc(const struct view *view, uint32_t row)
{
    return cell_string(view, get_route(view, row)->congestion);
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define MACHINE COLUMN_MACHINE

static const struct column columns[] = {
    {"destination", "DESTINATION", "Where it leads: default, a network, or an address", KIND_TEXT,
     SHOWN, 0, get_destination},
    {"gateway", "GATEWAY", "The next router; none: the destination is on the link", KIND_ADDRESS,
     SHOWN, 0, get_gateway},
    {"iface", "IFACE", "Interface by which it leaves", KIND_TEXT, SHOWN, 0, get_iface},
    {"source", "SOURCE", "Address that packets get as their own, where the route says so",
     KIND_ADDRESS, SHOWN, 0, get_source},
    {"metric", "METRIC", "Of several routes to a network the one with the lowest is taken",
     KIND_COUNT, SHOWN, 0, get_metric},
    {"table", "TABLE", "Routing table: main, local, default, or a number", KIND_TEXT, SHOWN, 0,
     get_table},
    {"type", "TYPE", "unicast, local, broadcast, multicast, blackhole, unreachable, prohibit",
     KIND_NAME, SHOWN, 0, get_type},
    {"scope", "SCOPE", "How far it leads: global, link, host", KIND_NAME, SHOWN, 0, get_scope},
    {"protocol", "PROTO", "Who made it: kernel, boot, static, ra, dhcp, bird", KIND_NAME, SHOWN, 0,
     get_protocol},
    {"family", "FAMILY", "Address family: inet, inet6", KIND_NAME, MACHINE, 0, get_family},
    {"netns", "NETNS", "Network namespace", KIND_TEXT, MACHINE, 0, get_netns},
    {"dst", "DST", "Address of the network that it leads to", KIND_ADDRESS, MACHINE, 0, get_dst},
    {"prefix", "PREFIX", "Number of bits of that address that count", KIND_COUNT, MACHINE, 0,
     get_dst_bits},
    {"src", "SRC", "Network that packets must come from (IPv6)", KIND_ADDRESS, MACHINE, 0, get_src},
    {"src_prefix", "SRC-PREFIX", "Number of bits of that address that count", KIND_COUNT, 0, 0,
     get_src_bits},
    {"tos", "TOS", "Type of service that packets must have", KIND_HEX, 0, 0, get_tos},
    {"flags", "FLAGS", "Letters of route(8): U up, G gateway, H host, ! reject, D A e !n",
     KIND_TEXT, MACHINE, NEED_ROUTE_USE, get_flags},
    {"rtf_flags", "RTF", "The same as the kernel's RTF_ bits", KIND_HEX, 0, NEED_ROUTE_USE,
     get_rtf},
    {"mtu", "MTU", "Largest packet, where it is not that of the interface", KIND_COUNT, MACHINE, 0,
     get_mtu},
    {"mtu_locked", "LOCKED", "The MTU is not changed by what routers say", KIND_BOOL, MACHINE, 0,
     get_mtu_locked},
    {"advmss", "ADVMSS", "Segment size that TCP tells its peers", KIND_COUNT, MACHINE, 0,
     get_advmss},
    {"window", "WINDOW", "Largest receive window of TCP", KIND_COUNT, MACHINE, 0, get_window},
    {"irtt_ms", "IRTT", "Round trip time to begin with", KIND_MILLISECONDS, MACHINE, 0, get_irtt},
    {"rttvar_ms", "RTTVAR", "Variation of it to begin with", KIND_MILLISECONDS, 0, 0, get_rttvar},
    {"rto_min_ms", "RTO-MIN", "Shortest retransmission timeout of TCP", KIND_MILLISECONDS, MACHINE,
     0, get_rto_min},
    {"initcwnd", "INITCWND", "Congestion window to begin with, in segments", KIND_COUNT, MACHINE, 0,
     get_initcwnd},
    {"initrwnd", "INITRWND", "Receive window to begin with, in segments", KIND_COUNT, MACHINE, 0,
     get_initrwnd},
    {"cwnd", "CWND", "Largest congestion window (when locked)", KIND_COUNT, 0, 0, get_cwnd},
    {"ssthresh", "SSTHRESH", "Slow start threshold to begin with", KIND_COUNT, 0, 0, get_ssthresh},
    {"reordering", "REORDER", "How far packets may come out of order", KIND_COUNT, 0, 0,
     get_reordering},
    {"hoplimit", "HOPLIMIT", "TTL or hop limit to begin with", KIND_COUNT, 0, 0, get_hoplimit},
    {"quickack", "QUICKACK", "Acknowledge at once", KIND_COUNT, 0, 0, get_quickack},
    {"features", "FEATURES", "The kernel's RTAX_FEATURE_ bits", KIND_HEX, 0, 0, get_features},
    {"cc", "CC", "Congestion control of connections by it", KIND_NAME, MACHINE, 0, get_cc},
    {"hop", "HOP", "Number of this next hop", KIND_COUNT, MACHINE, 0, get_hop},
    {"hops", "HOPS", "How many next hops the route has; there is a row for each", KIND_COUNT,
     MACHINE, 0, get_hops},
    {"weight", "WEIGHT", "Share of this next hop", KIND_COUNT, MACHINE, 0, get_weight},
    {"hop_flags", "HOP-FLAGS", "onlink, linkdown, dead, pervasive, offload, trap, unresolved",
     KIND_TEXT, MACHINE, 0, get_hop_flags},
    {"nexthop_id", "NHID", "Number of its nexthop object", KIND_ID, 0, 0, get_nexthop_id},
    {"expires_s", "EXPIRES", "Time until it goes", KIND_SECONDS, MACHINE, 0, get_expires},
    {"refs", "REFS", "References to it (IPv6)", KIND_COUNT, 0, NEED_ROUTE_USE, get_refs},
    {"use", "USE", "How often it was looked up (IPv6)", KIND_COUNT, 0, NEED_ROUTE_USE, get_use},
    {"proc_line", "LINE", "Number of its line in /proc/net/ipv6_route", KIND_COUNT, 0,
     NEED_ROUTE_USE, get_proc_line},
    {"cached", "CACHED", "Not made but learned, such as the MTU of a path", KIND_BOOL, MACHINE, 0,
     get_cached},
    {"internal", "INTERNAL", "Only in /proc/net/ipv6_route: the kernel's own last entry", KIND_BOOL,
     0, NEED_ROUTE_USE, get_internal},
    {"answer", "ANSWER", "In no table: the way to the address that was asked for", KIND_BOOL, 0, 0,
     get_answer},
    {"chosen", "CHOSEN", "The route that this answer comes from", KIND_BOOL, 0, 0, get_chosen},
    {"error", "ERROR", "Why there is no way to the address that was asked for", KIND_TEXT, 0, 0,
     get_error},
};

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->routes_count;
}

static uint64_t row_identity(const struct view *view, uint32_t row)
{
    const struct route *route = get_route(view, row);
    const uint32_t numbers[] = {
        view->snapshot->netns[route->netns].inode,
        route->table,
        route->priority,
        route->ifindex,
        (uint32_t)route->family << 16 | (uint32_t)route->dst_bits << 8 | route->src_bits,
        (uint32_t)route->type << 16 | (uint32_t)route->tos << 8 | (route->flags & ROUTE_ANSWER)};
    uint64_t hash = hash_numbers(HASH_INIT, numbers, ARRAY_SIZE(numbers));

    hash = hash_bytes(hash, &route->dst, sizeof(route->dst));
    hash = hash_bytes(hash, &route->src, sizeof(route->src));
    hash = hash_bytes(hash, &route->gateway, sizeof(route->gateway));
    return hash ? hash : 1;
}

static const char *const words[] = {"iface", "destination", "table", "type", "protocol", NULL};

const struct table table_routes = {
    .name = "routes",
    .help = "Routes: one row a next hop",
    .needs = NEED_ROUTES,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "an interface, a destination, a table, a type or a protocol",
    .addresses = {"gateway", "dst"},
    .row_count = row_count,
    .identity = row_identity,
    .hint = "nwho routes ADDRESS shows the way to an address, by whatever entry",
};
