/* SPDX-License-Identifier: MIT */
/* Fuzzing of ctnetlink's answers: one datagram of entries, joined and shown; each is read as an
 * expectation, too. */
#include "collect/conntrack_message.h"
#include "fuzz.h"
#include "netlink/netlink.h"

static int add(void *context, uint16_t type, const void *payload, size_t length)
{
    struct snapshot *snapshot = context;
    struct conntrack_expectation expectation;
    struct conntrack entry, *added;
    int r = conntrack_read_expectation(snapshot, payload, length, &expectation);

    (void)type;
    (void)conntrack_message_time(payload, length);
    CHECK(r == 0 || r == -EBADMSG);
    r = conntrack_read(snapshot, payload, length, &entry);
    CHECK(r == 0 || r == -EBADMSG);
    if (r < 0)
        return 0;
    added = snapshot_add_conntrack(snapshot);
    CHECK(added);
    *added = entry;
    return 0;
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
