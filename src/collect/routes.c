/* SPDX-License-Identifier: MIT */
/* Routes by rtnetlink: every table of both families, and the way to one address. */
#include "collect/netns.h"
#include "collect/proc_file.h"
#include "collect/route_message.h"
#include "netlink/netlink.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define DUMP_TRIES 3

struct route_request {
    struct nlmsghdr header;
    struct rtmsg route;
    char attributes[64];
};

struct route_dump {
    struct snapshot *snapshot;
    uint32_t netns;
    uint32_t flags; /* enum route_flag, for what is added */
};

static struct route_request make_request(uint8_t family)
{
    return (struct route_request){
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg))},
        .route = {.rtm_family = family},
    };
}

static int add_route(void *context, uint16_t type, const void *payload, size_t length)
{
    struct route_dump *dump = context;
    uint32_t first = dump->snapshot->routes_count;
    int r;

    if (type != RTM_NEWROUTE)
        return 0;
    r = route_read(dump->snapshot, dump->netns, payload, length);
    for (uint32_t i = first; i < dump->snapshot->routes_count; i++)
        dump->snapshot->routes[i].flags |= dump->flags;
    return r;
}

static int dump_once(struct route_dump *dump, uint8_t family, bool *ret_interrupted)
{
    struct route_request request = make_request(family);
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_ROUTE, &netlink);

    if (r == 0)
        r = netlink_dump(&netlink, &request.header, add_route, dump, ret_interrupted);
    return r;
}

static int dump_family(struct route_dump *dump, uint8_t family)
{
    struct snapshot *snapshot = dump->snapshot;
    uint32_t mark = snapshot->routes_count;
    bool interrupted = true;
    int r = 0;

    for (int try = 0; try < DUMP_TRIES && (r < 0 || interrupted); try++) {
        snapshot->routes_count = mark;
        r = dump_once(dump, family, &interrupted);
        if (r == -ENOMEM)
            return r;
    }
    if (r < 0 && !(family == AF_INET6 && (r == -EOPNOTSUPP || r == -EAFNOSUPPORT)))
        snapshot_note(snapshot, NOTE_INCOMPLETE, "rtnetlink", r, "routes of IPv%d are missing",
                      family == AF_INET6 ? 6 : 4);
    else if (r == 0 && interrupted)
        snapshot_note(snapshot, NOTE_INFO, "rtnetlink", 0, "the routes changed while being read");
    return 0;
}

/* --- what only files tell --- */

/*
 * The kernel makes the main table of IPv4 with the first route, and keeps it: until then
 * /proc/net/route has not even a heading. A dump is empty in both cases.
 */
static void look_for_main_table(struct snapshot *snapshot, uint32_t netns, uint32_t first)
{
    char heading[16];
    size_t length;

    for (uint32_t i = first; i < snapshot->routes_count; i++)
        if (snapshot->routes[i].table == RT_TABLE_MAIN)
            return;
    if (proc_read(AT_FDCWD, "/proc/thread-self/net/route", heading, sizeof(heading), &length) ==
            0 &&
        length == 0)
        snapshot->netns[netns].flags |= NETNS_NO_MAIN_TABLE;
}

static int read_use(struct snapshot *snapshot, uint32_t netns, uint32_t first)
{
    CLEANUP_FREE char *text = NULL;
    int r = proc_read_all(AT_FDCWD, "/proc/thread-self/net/ipv6_route", &text);

    if (r == -ENOMEM)
        return r;
    if (r < 0 && r != -ENOENT)
        snapshot_note(snapshot, NOTE_INCOMPLETE, "proc_net", r,
                      "flags and use of IPv6 routes, and the kernel's own, are missing");
    return r < 0 ? 0 : route_add_use(snapshot, netns, first, text);
}

/* --- the way to an address --- */

static int ask(struct netlink *netlink, const struct request *request, uint32_t flags,
               struct route_dump *dump)
{
    struct route_request message = make_request(request->route_family);
    size_t length = request->route_family == AF_INET ? 4 : 16;
    int r;

    message.route.rtm_dst_len = (uint8_t)(length * 8);
    message.route.rtm_flags = RTM_F_LOOKUP_TABLE | flags;
    r = netlink_add(&message.header, sizeof(message), RTA_DST, request->route_to->bytes, length);
    return r < 0 ? r : netlink_query(netlink, &message.header, add_route, dump);
}

/* The type of routes that fail a lookup with this error (negative errno); RTN_UNSPEC: none. */
static uint8_t refusing_type(int error)
{
    switch (error) {
    case -EINVAL:
        return RTN_BLACKHOLE;
    case -EHOSTUNREACH:
        return RTN_UNREACHABLE;
    case -EACCES:
        return RTN_PROHIBIT;
    default:
        return RTN_UNSPEC;
    }
}

static bool leads_to(const struct route *route, const union address *address)
{
    unsigned int bytes = route->dst_bits / 8, rest = route->dst_bits % 8;

    return memcmp(route->dst.bytes, address->bytes, bytes) == 0 &&
           (rest == 0 || (route->dst.bytes[bytes] ^ address->bytes[bytes]) >> (8 - rest) == 0);
}

/*
 * The kernel tells the error only, and its kind of route: the most exact of these is the one that
 * it came from. Several when tables have the same; none when it is a policy rule that refuses.
 */
static void mark_refusing(struct route *routes, uint32_t count, struct route *answer)
{
    uint8_t type = refusing_type(answer->error);
    int bits = -1;

    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < count; i++) {
            struct route *route = &routes[i];

            if (route->type != type || !(route->has & ROUTE_HAS_TYPE) || route->src_bits ||
                route->family != answer->family || route->dst_bits < bits ||
                !leads_to(route, &answer->dst))
                continue;
            bits = route->dst_bits;
            if (round == 0)
                continue;
            route->flags |= ROUTE_CHOSEN;
            answer->has |= ROUTE_HAS_TYPE;
            answer->type = type;
            answer->table = route->table;
            answer->scope = route->scope;
            answer->protocol = route->protocol;
        }
}

/* An answer without a way: there is none, and this is why. */
static int add_failure(struct route_dump *dump, const struct request *request, uint32_t first,
                       int error)
{
    struct route *route = snapshot_add_route(dump->snapshot), *routes = dump->snapshot->routes;

    if (!route)
        return -ENOMEM;
    *route = (struct route){
        .dst = *request->route_to,
        .netns = dump->netns,
        .flags = ROUTE_ANSWER,
        .error = error,
        .family = request->route_family,
        .dst_bits = request->route_family == AF_INET ? 32 : 128,
    };
    mark_refusing(&routes[first], dump->snapshot->routes_count - 1 - first, route);
    return 0;
}

/* Without policy rules the kernel keeps the tables local and main in one, and calls it main. */
static bool is_same_table(uint32_t of_route, uint32_t of_match)
{
    return of_route == of_match || (of_route == RT_TABLE_LOCAL && of_match == RT_TABLE_MAIN);
}

static bool is_same_route(const struct route *a, const struct route *b)
{
    return a->family == b->family && a->netns == b->netns && is_same_table(a->table, b->table) &&
           a->dst_bits == b->dst_bits && a->src_bits == b->src_bits && a->priority == b->priority &&
           a->tos == b->tos && a->type == b->type &&
           memcmp(&a->dst, &b->dst, sizeof(a->dst)) == 0 &&
           memcmp(&a->src, &b->src, sizeof(a->src)) == 0;
}

/*
 * The entry of the table that the answer came from, as the kernel itself tells (since 4.13); of
 * several next hops the one that the answer has.
 */
static int mark_chosen(struct netlink *netlink, const struct request *request,
                       struct route_dump *dump, uint32_t first)
{
    struct snapshot *snapshot = dump->snapshot;
    uint32_t answer = snapshot->routes_count - 1, end = snapshot->routes_count;
    int r = ask(netlink, request, RTM_F_FIB_MATCH, dump);
    const struct route *match = &snapshot->routes[end];
    struct route *way = &snapshot->routes[answer];

    for (uint32_t i = first; r == 0 && snapshot->routes_count > end && i < answer; i++) {
        struct route *route = &snapshot->routes[i];

        if (is_same_route(route, match) && !(route->rtm_flags & RTM_F_CLONED) &&
            (route->hops < 2 ||
             (route->ifindex == way->ifindex && memcmp(&route->gateway, &way->gateway, 16) == 0))) {
            route->flags |= ROUTE_CHOSEN;
            way->table = route->table;
        }
    }
    snapshot->routes_count = end;
    return r == -ENOMEM ? r : 0;
}

static int find_way(struct collection *collection, uint32_t netns, uint32_t first)
{
    const struct request *request = collection->request;
    struct route_dump dump = {
        .snapshot = collection->snapshot, .netns = netns, .flags = ROUTE_ANSWER};
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_ROUTE, &netlink);

    if (r == 0)
        r = ask(&netlink, request, 0, &dump);
    if (r == 0)
        return mark_chosen(&netlink, request, &dump, first);
    return r == -ENOMEM ? r : add_failure(&dump, request, first, r);
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    struct snapshot *snapshot = collection->snapshot;
    struct route_dump dump = {.snapshot = snapshot, .netns = netns};
    uint32_t first = snapshot->routes_count, first6;
    int r = dump_family(&dump, AF_INET);

    look_for_main_table(snapshot, netns, first);
    first6 = snapshot->routes_count;
    if (r == 0)
        r = dump_family(&dump, AF_INET6);
    if (r == 0 && collection->request->needs & NEED_ROUTE_USE)
        r = read_use(snapshot, netns, first6);
    if (r == 0 && collection->request->route_to)
        r = find_way(collection, netns, first);
    return r;
}

static int collect_routes(struct collection *collection)
{
    snapshot_source(collection->snapshot, "routes",
                    collection->request->needs & NEED_ROUTE_USE
                        ? "rtnetlink, and /proc/net/ipv6_route"
                        : "rtnetlink");
    return netns_for_each(collection, read_namespace);
}

const struct collector collector_routes = {
    .name = "routes",
    .provides = NEED_ROUTES,
    .collect = collect_routes,
};
