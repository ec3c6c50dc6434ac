/* SPDX-License-Identifier: MIT */
/* Fuzzing of the stream of records that BPF iterators write: how it is cut, and what holders become
 * of it. */
#include "bpf/iterators.h"
#include "collect/bpf_pass.h"
#include "fuzz.h"

struct reading {
    struct bpf_pass pass;
    const char *bytes;
    size_t size, at;
};

static int take(void *context, const struct record *record)
{
    struct reading *reading = context;
    const char *end = reading->bytes + reading->at + record->head->size;

    CHECK((const char *)record->head == reading->bytes + reading->at);
    reading->at += record->head->size;
    CHECK(reading->at <= reading->size);
    CHECK(!record->socket || (const char *)(record->socket + 1) <= end);
    CHECK(!record->owner || (const char *)(record->owner + 1) == end);
    return record->owner ? bpf_pass_add_holder(&reading->pass, record) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP_FREE char *bytes = fuzz_bytes(data, size);
    static const struct request request = {.needs = ~UINT64_C(0), .protos = PROTO_ALL};
    struct collection collection = {.snapshot = &snapshot, .request = &request, .own_netns = -1};
    struct reading reading = {.bytes = bytes, .size = size};
    size_t used = 0;
    int r;

    CHECK(snapshot_init(&snapshot) == 0);
    bpf_pass_init(&reading.pass, &collection);
    r = record_split(bytes, size, take, &reading, &used);
    CHECK(r == 0 || r == -EBADMSG);
    CHECK(r < 0 || (used == reading.at && size - used < RECORD_SIZE_MAX));
    bpf_pass_done(&reading.pass);
    fuzz_show(&snapshot);
    return 0;
}
