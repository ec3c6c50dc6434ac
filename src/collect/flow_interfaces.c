/* SPDX-License-Identifier: MIT */
/* By which interface a flow goes: found by its own address. */
#include "collect/flow_interfaces.h"

#include "base/hash.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define LOOPBACK 1 /* lo has this number in every namespace */

/* An IPv4-mapped address is the IPv4 address in it. */
static void plain_address(unsigned int family, const union address *address, uint8_t *ret_plain)
{
    struct in6_addr whole;

    memset(ret_plain, 0, 16);
    if (family == AF_INET) {
        memcpy(ret_plain, address->bytes, 4);
        return;
    }
    memcpy(&whole, address->bytes, sizeof(whole));
    if (IN6_IS_ADDR_V4MAPPED(&whole))
        memcpy(ret_plain, address->bytes + 12, 4);
    else
        memcpy(ret_plain, address->bytes, 16);
}

static uint32_t plain_family(const struct flow *flow)
{
    struct in6_addr peer;

    memcpy(&peer, flow->peer.bytes, sizeof(peer));
    return flow->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer) ? AF_INET : flow->family;
}

/* Two addresses with one key would be a wonder; then the flows of one are shown at the other. */
static uint64_t address_key(uint32_t netns, const uint8_t *address)
{
    return hash_bytes(HASH_INIT ^ netns, address, 16);
}

static int index_addresses(const struct snapshot *snapshot, struct map *ret_index)
{
    uint8_t plain[16];
    int r = 0;

    for (uint32_t i = 0; i < snapshot->link_addresses_count && r == 0; i++) {
        const struct link_address *address = &snapshot->link_addresses[i];

        plain_address(address->family, &address->address, plain);
        r = map_set(ret_index, address_key(address->netns, plain), address->ifindex);
    }
    return r;
}

static bool is_loopback(const uint8_t *plain)
{
    static const uint8_t ipv6[16] = {[15] = 1}, none[12] = {0};

    return memcmp(plain, ipv6, sizeof(ipv6)) == 0 ||
           (plain[0] == IN_LOOPBACKNET && memcmp(plain + 4, none, sizeof(none)) == 0);
}

static uint32_t find_interface(const struct map *index, const struct flow *flow)
{
    uint8_t local[16], peer[16];
    uint32_t own, other;

    plain_address(flow->family, &flow->local, local);
    plain_address(flow->family, &flow->peer, peer);
    own = map_get(index, address_key(flow->netns, local));
    other = map_get(index, address_key(flow->netns, peer));
    if (other != MAP_NONE || is_loopback(local))
        return LOOPBACK;
    return own == MAP_NONE ? 0 : own;
}

/* Whether the first bits are those of the network that is reached by this address. */
static bool is_near(const struct link_address *address, const uint8_t *plain)
{
    uint32_t whole = address->prefix / 8, rest = address->prefix % 8;
    uint8_t own[16];

    plain_address(address->family, &address->peer, own);
    return memcmp(own, plain, whole) == 0 &&
           (!rest || !((own[whole] ^ plain[whole]) & (0xff00 >> rest & 0xff)));
}

/*
 * A socket without an address of its own reaches its peer by the interface whose network that is
 * in, or by the only one there is. What routes say otherwise is not looked at.
 */
static uint32_t find_way(const struct snapshot *snapshot, const struct flow *flow)
{
    uint32_t near = 0, longest = 0, only = 0;
    bool is_only = true;
    uint8_t peer[16];

    plain_address(flow->family, &flow->peer, peer);
    for (uint32_t i = 0; i < snapshot->link_addresses_count; i++) {
        const struct link_address *address = &snapshot->link_addresses[i];

        if (address->netns != flow->netns)
            continue;
        if (address->family == plain_family(flow) && address->prefix > longest &&
            is_near(address, peer)) {
            longest = address->prefix;
            near = address->ifindex;
        }
        if (address->ifindex == LOOPBACK)
            continue;
        is_only = is_only && (!only || only == address->ifindex);
        only = address->ifindex;
    }
    return near || !is_only ? near : only;
}

int flow_interfaces(struct snapshot *snapshot)
{
    CLEANUP(map_done) struct map index = {0};
    int r = index_addresses(snapshot, &index);

    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++) {
        struct flow *flow = &snapshot->flows[i];

        if (!flow->ifindex && flow->family)
            flow->ifindex = find_interface(&index, flow);
        if (!flow->ifindex && flow->flags & FLOW_PEER)
            flow->ifindex = find_way(snapshot, flow);
    }
    return r;
}
