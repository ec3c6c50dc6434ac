/* SPDX-License-Identifier: MIT */
/* Fuzzing of /proc/net/{ipv6_route,if_inet6,igmp,igmp6,dev_mcast}. */
#include "collect/addresses.h"
#include "collect/membership_text.h"
#include "collect/route_message.h"
#include "fuzz.h"

static int add_membership(void *context, const struct membership_item *item)
{
    struct snapshot *snapshot = context;
    struct membership *membership = snapshot_add_membership(snapshot);

    CHECK(membership);
    *membership = item->membership;
    CHECK(membership->length <= sizeof(membership->group));
    CHECK(snapshot_intern(snapshot, item->iface, item->iface_length, &membership->iface) == 0);
    if (item->querier)
        CHECK(snapshot_intern(snapshot, item->querier, item->querier_length,
                              &membership->querier) == 0);
    return 0;
}

static void read_addresses(struct snapshot *snapshot, char *text)
{
    const char *line;

    while ((line = strsep(&text, "\n")))
        CHECK(address_read_line(snapshot, 0, line) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static membership_parse_fn *const parsers[] = {membership_parse_igmp, membership_parse_igmp6,
                                                   membership_parse_dev};
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP_FREE char *text = NULL;
    size_t file;

    if (size < 1)
        return 0;
    file = fuzz_choose(&data, &size, ARRAY_SIZE(parsers) + 2);
    text = fuzz_text(data, size);
    fuzz_snapshot(&snapshot);
    CHECK(snapshot_add_interface(&snapshot, 0, 1, "lo") == 0);
    if (file < ARRAY_SIZE(parsers))
        CHECK(parsers[file](text, add_membership, &snapshot) == 0);
    else if (file == ARRAY_SIZE(parsers))
        CHECK(route_add_use(&snapshot, 0, 0, text) == 0);
    else
        read_addresses(&snapshot, text);
    fuzz_show(&snapshot);
    return 0;
}
