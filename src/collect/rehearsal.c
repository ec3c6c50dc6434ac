/* SPDX-License-Identifier: MIT */
/* Traffic of our own over the loopback device, and what was told of it. */
#include "collect/rehearsal.h"

#include "model/socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>

#define TEST_BYTES 7
#define TEST_HEADERS (ETH_HLEN + 20 + 8) /* IPv4 and UDP */

/* The datagram that was sent, and what was counted of its socket. */
struct canary {
    uint64_t cookie;
    uint64_t bytes; /* that are to be counted */
    uint32_t pid, tid;
    unsigned int seen, wrong;
};

static int check_canary(void *context, const struct traffic_key *key,
                        const struct traffic_flow *flow)
{
    struct canary *canary = context;
    const struct traffic_sums *sums = &flow->sums;

    if (key->cookie != canary->cookie)
        return 0;
    canary->seen++;
    if (sums->rx_bytes != canary->bytes || sums->tx_bytes != canary->bytes || sums->rx_count != 1 ||
        sums->tx_count != 1 || flow->user.pid != canary->pid || flow->user.tid != canary->tid ||
        flow->socket.proto != PROTO_UDP || flow->socket.family != AF_INET)
        canary->wrong++;
    return 0;
}

/* Sends something to itself. 0, -errno, or -ENETDOWN where even that is not possible. */
static int send_canary(int fd, struct canary *canary)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 1};
    socklen_t size = sizeof(own), cookie_size = sizeof(canary->cookie);
    char bytes[TEST_BYTES] = "canary";

    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &canary->cookie, &cookie_size) < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&own, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &size) < 0 ||
        connect(fd, (struct sockaddr *)&own, size) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        send(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) ||
        recv(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return -ENETDOWN;
    return 0;
}

static int rehearse(struct traffic_program *program, struct canary canary)
{
    CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool made;
    int r = fd < 0 ? -errno : send_canary(fd, &canary);

    if (r < 0 && r != -ENETDOWN)
        return r;
    made = r == 0;
    r = traffic_take_flows(program, check_canary, &canary);
    if (r == 0 && made && (canary.seen != 1 || canary.wrong))
        r = -EBADMSG;
    return r;
}

int rehearse_calls(struct traffic_program *calls)
{
    return rehearse(
        calls,
        (struct canary){.bytes = TEST_BYTES, .pid = (uint32_t)getpid(), .tid = (uint32_t)gettid()});
}

int rehearse_packets(struct traffic_program *packets)
{
    return rehearse(packets, (struct canary){.bytes = TEST_HEADERS + TEST_BYTES});
}
