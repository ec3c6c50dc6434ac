/* SPDX-License-Identifier: MIT */
/* Fuzzing of sock_diag's answers about unix, packet, netlink and vsock sockets: one datagram. */
#include "collect/diag.h"
#include "fuzz.h"

#include <linux/sock_diag.h>

static const struct diag_source *const sources[] = {&diag_source_unix, &diag_source_packet,
                                                    &diag_source_netlink, &diag_source_vsock};

struct reading {
    struct diag_reader reader;
    const struct diag_source *source;
};

static int add(void *context, uint16_t type, const void *payload, size_t length)
{
    struct reading *reading = context;
    int r =
        type == SOCK_DIAG_BY_FAMILY ? reading->source->add(&reading->reader, payload, length) : 0;

    CHECK(r == 0 || r == -EBADMSG);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct request request = {
        .needs = ~UINT64_C(0), .protos = PROTO_ALL, .states = STATE_ALL};
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP_FREE void *datagram = NULL;
    struct collection collection = {.snapshot = &snapshot, .request = &request, .own_netns = -1};
    struct reading reading = {.reader = {.collection = &collection, .states = STATE_ALL}};
    struct netlink_answer answer = {.fn = add, .context = &reading};
    int r;

    if (size < 2)
        return 0;
    reading.source = sources[fuzz_choose(&data, &size, ARRAY_SIZE(sources))];
    datagram = fuzz_bytes(data, size);
    fuzz_snapshot(&snapshot);
    r = netlink_read(&answer, datagram, size);
    CHECK(r <= 0);
    map_done(&reading.reader.seen);
    fuzz_show(&snapshot);
    return 0;
}
