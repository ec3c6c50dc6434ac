/* SPDX-License-Identifier: MIT */
/* Fuzzing of rtnetlink's answers: one datagram of links, queueing disciplines, addresses, routes.
 */
#include "collect/addresses.h"
#include "collect/link.h"
#include "collect/route_message.h"
#include "fuzz.h"
#include "netlink/netlink.h"

static int add(void *context, uint16_t type, const void *payload, size_t length)
{
    struct snapshot *snapshot = context;
    int r = 0;

    if (type == RTM_NEWLINK)
        r = link_add(snapshot, 0, true, payload, length);
    else if (type == RTM_NEWADDR)
        r = address_read(snapshot, 0, payload, length);
    else if (type == RTM_NEWROUTE)
        r = route_read(snapshot, 0, payload, length);
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
