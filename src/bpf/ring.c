/* SPDX-License-Identifier: MIT */
/* Ring buffer of BPF: positions in two mapped pages, data that is mapped twice in a row. */
#include "bpf/ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>

int ring_open(int map_fd, size_t size, struct ring *ret_ring)
{
    struct ring ring = {.map_fd = map_fd, .size = size};
    void *consumed, *produced;

    ring.page_size = (size_t)sysconf(_SC_PAGESIZE);
    consumed = mmap(NULL, ring.page_size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (consumed == MAP_FAILED)
        return -errno;
    /* The second copy of the data makes a record that wraps around contiguous. */
    produced =
        mmap(NULL, ring.page_size + 2 * size, PROT_READ, MAP_SHARED, map_fd, (off_t)ring.page_size);
    if (produced == MAP_FAILED) {
        int error = errno;

        munmap(consumed, ring.page_size);
        return -error;
    }
    ring.consumed = consumed;
    ring.produced = produced;
    *ret_ring = ring;
    return 0;
}

void ring_close(struct ring *ring)
{
    if (ring->consumed)
        munmap(ring->consumed, ring->page_size);
    if (ring->produced)
        munmap((void *)ring->produced, ring->page_size + 2 * ring->size);
    *ring = RING_INIT;
}

int ring_read(struct ring *ring, ring_record_fn *fn, void *context)
{
    const char *data = (const char *)ring->produced + ring->page_size;
    unsigned long at = *ring->consumed;
    int r = 0;

    while (r == 0 && at < __atomic_load_n(ring->produced, __ATOMIC_ACQUIRE)) {
        const char *head = data + (at & (ring->size - 1));
        uint32_t length = __atomic_load_n((const uint32_t *)(const void *)head, __ATOMIC_ACQUIRE);
        uint32_t size = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

        if (length & BPF_RINGBUF_BUSY_BIT) /* is being written; its wakeup comes after it */
            break;
        if (!(length & BPF_RINGBUF_DISCARD_BIT))
            r = fn(context, head + BPF_RINGBUF_HDR_SZ, size);
        at += (size + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
        __atomic_store_n(ring->consumed, at, __ATOMIC_RELEASE);
    }
    return r;
}
