/* SPDX-License-Identifier: MIT */
/* What only /proc/net/ipv6_route tells of IPv6 routes: flags, references, use. */
#include "collect/proc_hex.h"
#include "collect/route_message.h"

#include <string.h>
#include <sys/socket.h>

/* The lines stand in the order of the dump; so far ahead a route is looked for when they do not. */
#define LOOK_AHEAD 1024

/* `bytes` bytes, two digits each, with a blank or the end behind them. */
static bool read_bytes(const char **at, uint8_t *to, size_t bytes)
{
    if (proc_hex_bytes(at, to, bytes) < bytes || (**at && **at != ' '))
        return false;
    *at += strspn(*at, " ");
    return true;
}

static bool read_u32(const char **at, uint32_t *ret_number)
{
    uint8_t bytes[4];

    if (!read_bytes(at, bytes, sizeof(bytes)))
        return false;
    *ret_number =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

bool route_parse_line(const char *line, struct route_line *ret_line)
{
    struct route_line parsed = {.metric = 0};

    if (!read_bytes(&line, parsed.dst.bytes, 16) || !read_bytes(&line, &parsed.dst_bits, 1) ||
        !read_bytes(&line, parsed.src.bytes, 16) || !read_bytes(&line, &parsed.src_bits, 1) ||
        !read_bytes(&line, parsed.gateway.bytes, 16) || !read_u32(&line, &parsed.metric) ||
        !read_u32(&line, &parsed.refs) || !read_u32(&line, &parsed.use) ||
        !read_u32(&line, &parsed.flags))
        return false;
    parsed.iface = line;
    parsed.iface_length = strcspn(line, " \n");
    *ret_line = parsed;
    return parsed.iface_length > 0;
}

static uint32_t find_ifindex(const struct snapshot *snapshot, uint32_t netns,
                             const struct route_line *line)
{
    for (uint32_t i = 0; i < snapshot->interfaces_count; i++) {
        const struct interface *interface = &snapshot->interfaces[i];
        size_t length;
        const char *name = snapshot_string(snapshot, interface->name, &length);

        if (interface->netns == netns && length == line->iface_length &&
            memcmp(name, line->iface, length) == 0)
            return interface->ifindex;
    }
    return 0;
}

/* The kernel shows a reject route at lo, which the message may leave out. */
static bool is_line_of(const struct route *route, const struct route_line *line, uint32_t ifindex)
{
    return route->family == AF_INET6 && !(route->has & ROUTE_HAS_USE) &&
           route->dst_bits == line->dst_bits && route->src_bits == line->src_bits &&
           route->priority == line->metric && (route->ifindex == ifindex || !route->ifindex) &&
           memcmp(&route->dst, &line->dst, sizeof(line->dst)) == 0 &&
           memcmp(&route->src, &line->src, sizeof(line->src)) == 0 &&
           memcmp(&route->gateway, &line->gateway, sizeof(line->gateway)) == 0;
}

/* From `cursor` on, around the end. */
static struct route *find_route(struct snapshot *snapshot, uint32_t first, uint32_t *cursor,
                                const struct route_line *line, uint32_t ifindex)
{
    uint32_t count = snapshot->routes_count - first;

    for (uint32_t i = 0; i < count && i < LOOK_AHEAD; i++) {
        uint32_t at = (*cursor + i) % count;

        if (is_line_of(&snapshot->routes[first + at], line, ifindex)) {
            *cursor = at + 1;
            return &snapshot->routes[first + at];
        }
    }
    return NULL;
}

/* The kernel's own last entry ("null") is in no message. */
static struct route *add_route(struct snapshot *snapshot, uint32_t netns,
                               const struct route_line *line, uint32_t ifindex)
{
    struct route *route = snapshot_add_route(snapshot);

    if (!route)
        return NULL;
    *route = (struct route){
        .dst = line->dst,
        .src = line->src,
        .gateway = line->gateway,
        .netns = netns,
        .has = ROUTE_HAS_METRIC,
        .priority = line->metric,
        .ifindex = ifindex,
        .family = AF_INET6,
        .gateway_family = AF_INET6,
        .dst_bits = line->dst_bits,
        .src_bits = line->src_bits,
    };
    return route;
}

static int take_line(struct snapshot *snapshot, uint32_t netns, const uint32_t range[2],
                     uint32_t *cursor, const struct route_line *line, uint32_t number)
{
    uint32_t ifindex = find_ifindex(snapshot, netns, line), all = snapshot->routes_count;
    struct route *route;

    snapshot->routes_count = range[1]; /* not those that were made of lines */
    route = find_route(snapshot, range[0], cursor, line, ifindex);
    snapshot->routes_count = all;
    if (!route)
        route = add_route(snapshot, netns, line, ifindex);
    if (!route)
        return -ENOMEM;
    route->has |= ROUTE_HAS_USE;
    route->refs = line->refs;
    route->use = line->use;
    route->proc_flags = line->flags;
    route->proc_line = number;
    return 0;
}

int route_add_use(struct snapshot *snapshot, uint32_t netns, uint32_t first, const char *text)
{
    const uint32_t range[2] = {first, snapshot->routes_count};
    uint32_t cursor = 0, number = 0;
    int r = 0;

    while (r == 0 && *text) {
        struct route_line line;
        const char *end = strchr(text, '\n');

        number++;
        if (route_parse_line(text, &line))
            r = take_line(snapshot, netns, range, &cursor, &line, number);
        text = end ? end + 1 : text + strlen(text);
    }
    return r;
}
