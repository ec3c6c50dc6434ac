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

int flow_interfaces(struct snapshot *snapshot)
{
    CLEANUP(map_done) struct map index = {0};
    int r = index_addresses(snapshot, &index);

    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++)
        if (!snapshot->flows[i].ifindex && snapshot->flows[i].family)
            snapshot->flows[i].ifindex = find_interface(&index, &snapshot->flows[i]);
    return r;
}
