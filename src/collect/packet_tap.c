/* SPDX-License-Identifier: MIT */
/* A packet socket with a ring (TPACKET_V3, since 3.2): the first bytes of each packet. */
#include "collect/packet_tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SNAP 192 /* bytes of each packet: headers of link and network, and extensions */
#define BLOCK_SIZE (256u * 1024)
#define BLOCK_COUNT 32u
#define BLOCK_MS 20 /* a block is handed over after so long, also when it is not full */

struct packet_tap {
    int fd, end; /* `end` becomes readable when the thread is to end */
    char *ring;  /* mapped; NULL: not yet */
    uint32_t mtu;
    bool ethernet, has_thread;
    pthread_t thread;
    pthread_mutex_t lock; /* of the sums */
    struct packet_sums sums[2];
    uint64_t lost;
    uint32_t block; /* the next one, of the thread */
};

static void add(struct packet_sum *sum, uint32_t size)
{
    sum->packets++;
    sum->bytes += size;
}

void packet_sums_add(struct packet_sums sums[2], const struct packet_seen *seen, uint32_t mtu)
{
    struct packet_sums *mine = &sums[seen->sent];
    struct packet_class class =
        packet_classify(&seen->bytes, seen->ethernet, seen->type, seen->header);
    uint32_t size = seen->size > class.header ? seen->size - class.header : 0;

    class.protocols |= 1u << CLASS_TOTAL | (uint32_t)seen->broadcast << CLASS_BROADCAST;
    for (uint32_t i = 0; i < CLASS_MAX; i++)
        if (class.protocols & 1u << i)
            add(&mine->protocols[i], seen->size);
    add(&mine->sizes[packet_bracket(size, mtu)], seen->size);
}

/* --- the thread --- */

static bool is_broadcast(const struct packet_tap *tap, const struct sockaddr_ll *from,
                         const struct packet_bytes *bytes)
{
    static const unsigned char all[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return from->sll_pkttype == PACKET_BROADCAST ||
           (tap->ethernet && bytes->length >= ETH_ALEN && memcmp(bytes->bytes, all, ETH_ALEN) == 0);
}

static void count_packet(struct packet_tap *tap, const struct tpacket3_hdr *packet)
{
    const char *start = (const char *)packet;
    struct sockaddr_ll from;
    struct packet_seen seen = {
        .bytes = {(const unsigned char *)start + packet->tp_mac, packet->tp_snaplen},
        .size = packet->tp_len,
        .header = packet->tp_net > packet->tp_mac ? (uint32_t)(packet->tp_net - packet->tp_mac) : 0,
        .ethernet = tap->ethernet,
    };

    memcpy(&from, start + TPACKET_ALIGN(sizeof(*packet)), sizeof(from));
    seen.type = ntohs(from.sll_protocol);
    seen.sent = from.sll_pkttype == PACKET_OUTGOING;
    seen.broadcast = is_broadcast(tap, &from, &seen.bytes);
    packet_sums_add(tap->sums, &seen, tap->mtu);
}

/* True when the kernel had handed it over. */
static bool count_block(struct packet_tap *tap)
{
    struct tpacket_block_desc *block = (void *)(tap->ring + (size_t)tap->block * BLOCK_SIZE);
    uint32_t *status = &block->hdr.bh1.block_status;
    const char *packet;

    if (!(__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
        return false;
    packet = (const char *)block + block->hdr.bh1.offset_to_first_pkt;
    pthread_mutex_lock(&tap->lock);
    for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
        const struct tpacket3_hdr *header = (const void *)packet;

        count_packet(tap, header);
        packet += header->tp_next_offset;
    }
    pthread_mutex_unlock(&tap->lock);
    __atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    tap->block = (tap->block + 1) % BLOCK_COUNT;
    return true;
}

/* A link that goes down is told as an error, which is over when it was read. */
static void clear_error(int fd)
{
    int error;
    socklen_t length = sizeof(error);

    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
}

static void *count_until_end(void *context)
{
    struct packet_tap *tap = context;
    struct pollfd awaited[2] = {{.fd = tap->fd, .events = POLLIN},
                                {.fd = tap->end, .events = POLLIN}};

    while (!awaited[1].revents) {
        if (count_block(tap))
            continue;
        if (poll(awaited, 2, -1) > 0 && awaited[0].revents & POLLERR)
            clear_error(tap->fd);
    }
    return NULL;
}

/* Signals are for the thread that shows. */
static int start_thread(struct packet_tap *tap)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    r = pthread_create(&tap->thread, NULL, count_until_end, tap);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    tap->has_thread = r == 0;
    return -r;
}

/* --- the socket --- */

static int set_up(struct packet_tap *tap)
{
    struct sock_filter snap = BPF_STMT(BPF_RET | BPF_K, SNAP);
    struct sock_fprog program = {.len = 1, .filter = &snap};
    int version = TPACKET_V3;
    struct tpacket_req3 ring = {
        .tp_block_size = BLOCK_SIZE,
        .tp_block_nr = BLOCK_COUNT,
        .tp_frame_size = 2048,
        .tp_frame_nr = BLOCK_SIZE / 2048 * BLOCK_COUNT,
        .tp_retire_blk_tov = BLOCK_MS,
    };
    void *mapped;

    if (setsockopt(tap->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
        setsockopt(tap->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
        setsockopt(tap->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0)
        return -errno;
    mapped = mmap(NULL, (size_t)BLOCK_SIZE * BLOCK_COUNT, PROT_READ | PROT_WRITE, MAP_SHARED,
                  tap->fd, 0);
    if (mapped == MAP_FAILED)
        return -errno;
    tap->ring = mapped;
    return 0;
}

/* From here on it sees packets: a socket without a protocol sees none. */
static int begin(struct packet_tap *tap, uint32_t ifindex)
{
    struct sockaddr_ll link = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex};

    return bind(tap->fd, (struct sockaddr *)&link, sizeof(link)) < 0 ? -errno : 0;
}

int packet_tap_open(uint32_t ifindex, uint32_t mtu, bool ethernet, struct packet_tap **ret_tap)
{
    struct packet_tap *tap = calloc(1, sizeof(*tap));
    int r = 0;

    if (!tap)
        return -ENOMEM;
    tap->mtu = mtu;
    tap->ethernet = ethernet;
    pthread_mutex_init(&tap->lock, NULL);
    tap->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (tap->fd < 0)
        r = -errno;
    tap->end = eventfd(0, EFD_CLOEXEC);
    if (r == 0 && tap->end < 0)
        r = -errno;
    if (r == 0)
        r = set_up(tap);
    if (r == 0)
        r = begin(tap, ifindex);
    if (r == 0)
        r = start_thread(tap);
    if (r < 0)
        packet_tap_close(tap);
    else
        *ret_tap = tap;
    return r;
}

void packet_tap_close(struct packet_tap *tap)
{
    const uint64_t one = 1;

    if (!tap)
        return;
    if (tap->has_thread && write(tap->end, &one, sizeof(one)) == sizeof(one))
        pthread_join(tap->thread, NULL);
    if (tap->ring)
        munmap(tap->ring, (size_t)BLOCK_SIZE * BLOCK_COUNT);
    if (tap->fd >= 0)
        close(tap->fd);
    if (tap->end >= 0)
        close(tap->end);
    pthread_mutex_destroy(&tap->lock);
    free(tap);
}

/* A block that is not full is handed over after a while: until then its packets wait. */
static void wait_for_blocks(void)
{
    (void)poll(NULL, 0, 3 * BLOCK_MS);
}

void packet_tap_read(struct packet_tap *tap, struct packet_sums ret_sums[2], uint64_t *ret_lost)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t length = sizeof(stats);

    wait_for_blocks();
    if (getsockopt(tap->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0)
        tap->lost += stats.tp_drops; /* reading sets it to zero */
    pthread_mutex_lock(&tap->lock);
    memcpy(ret_sums, tap->sums, sizeof(tap->sums));
    pthread_mutex_unlock(&tap->lock);
    *ret_lost = tap->lost;
}
