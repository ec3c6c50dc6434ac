/* SPDX-License-Identifier: MIT */
/* Fuzzing of the records of connections that come through a ring buffer, which is made here as the
 * kernel makes it: what becomes of them is shown. */
#include "bpf/event_stream.h"
#include "collect/event_backend.h"
#include "fuzz.h"

#include <linux/bpf.h>

#define RING_SIZE ((size_t)4096)
#define PAGE_SIZE ((size_t)4096)

/* What is mapped of a ring buffer: a page with the producer's position, and the data twice. */
struct mapped {
    _Alignas(8) char produced[PAGE_SIZE];
    _Alignas(8) char data[2 * RING_SIZE];
};

/* Puts in a record; the first byte says how it is. Returns how much of the input it took. */
static size_t put_record(struct mapped *mapped, unsigned long *at, const uint8_t *data, size_t size)
{
    uint32_t length = data[0] & 4 ? sizeof(struct event_record) / 2 : sizeof(struct event_record);
    uint32_t head[2] = {length, 0};
    size_t taken = size - 1 < length ? size - 1 : length;

    if (data[0] & 1)
        head[0] |= BPF_RINGBUF_BUSY_BIT;
    if (data[0] & 2)
        head[0] |= BPF_RINGBUF_DISCARD_BIT;
    if (*at + sizeof(head) + length > RING_SIZE)
        return size;
    memcpy(mapped->data + *at, head, sizeof(head));
    memcpy(mapped->data + *at + sizeof(head), data + 1, taken);
    *at += (sizeof(head) + length + 7) & ~7ul;
    return 1 + taken;
}

static void check_events(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->events_count; i++) {
        const struct event *event = &snapshot->events[i];

        CHECK(event->kind < EVENT_KIND_MAX && event->verdict < EVENT_VERDICT_MAX);
        CHECK(event->owned_by < EVENT_OWNER_KIND_MAX && event->direction < EVENT_DIRECTION_MAX);
        CHECK(event->ended_by < EVENT_SIDE_MAX && event->netns < snapshot->netns_count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct request request = {.netns_scope = NETNS_SCOPE_ALL};
    CLEANUP_FREE struct mapped *mapped = calloc(1, sizeof(*mapped));
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    unsigned long consumed = 0, produced = 0;
    struct event_stream stream = {.ring = {-1, RING_SIZE, PAGE_SIZE, &consumed, NULL}};
    struct event_source source = {
        .context = &stream, .request = &request, .known_ns = event_now_ns()};
    bool more = false;
    int r;

    CHECK(mapped && snapshot_init(&snapshot) == 0);
    while (size > 0) {
        size_t taken = put_record(mapped, &produced, data, size);

        data += taken;
        size -= taken;
    }
    memcpy(mapped->produced, &produced, sizeof(produced));
    stream.ring.produced = (const unsigned long *)(const void *)mapped;
    r = event_backend_bpf.read(&source, &snapshot, 20, &more);
    CHECK(r == 0 || r == -EBADMSG);
    CHECK(consumed <= produced && snapshot.events_count <= 20);
    check_events(&snapshot);
    fuzz_show(&snapshot);
    return 0;
}
