/* SPDX-License-Identifier: MIT */
/* Fuzzing of rtnetlink's answers: one datagram of links, queueing disciplines, addresses, routes,
 * neighbours. */
#include "collect/addresses.h"
#include "collect/link.h"
#include "collect/next_hops.h"
#include "collect/route_message.h"
#include "fuzz.h"
#include "netlink/netlink.h"

/* As an entry of a table, and as the answer to the question for the way to an address. */
static int read_route(struct snapshot *snapshot, const void *payload, size_t length)
{
    struct next_hop hop = {.address_family = AF_INET}, *added;
    int r = next_hop_read_route(&hop, payload, length);

    CHECK(r == 0 || r == -EBADMSG);
    added = snapshot_add_next_hop(snapshot);
    CHECK(added);
    *added = hop;
    return route_read(snapshot, 0, payload, length);
}

static int add(void *context, uint16_t type, const void *payload, size_t length)
{
    struct snapshot *snapshot = context;
    int r = 0;

    if (type == RTM_NEWLINK)
        r = link_add(snapshot, 0, true, payload, length);
    else if (type == RTM_NEWADDR)
        r = address_read(snapshot, 0, payload, length);
    else if (type == RTM_NEWROUTE)
        r = read_route(snapshot, payload, length);
    else if (type == RTM_NEWNEIGH)
        r = next_hop_read_neighbour(snapshot, 0, payload, length);
    else if (type == RTM_NEWQDISC)
        link_read_qdisc(snapshot, 0, payload, length);
    CHECK(r == 0 || r == -EBADMSG);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP_FREE void *datagram = fuzz_bytes(data, size);
    struct netlink_answer answer = {.fn = add, .context = &snapshot};

    fuzz_snapshot(&snapshot);
    (void)!netlink_read(&answer, datagram, size);
    fuzz_show(&snapshot);
    return 0;
}
