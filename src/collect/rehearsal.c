/* SPDX-License-Identifier: MIT */
/* Traffic of our own over the loopback device, and what was told of it. */
#include "collect/rehearsal.h"

#include "base/clock.h"
#include "model/socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define PATIENCE_MS 2000

/* --- a datagram --- */

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

/* --- a connection --- */

/* A connection of our own over the loopback device, and what was told of it. */
struct rehearsal {
    int listener, client, server;
    uint64_t cookies[3]; /* of them */
    struct sockaddr_in address;
    unsigned int seen; /* bits: listens, client and server established, client and server closed */
    unsigned int wrong;
};

#define REHEARSAL_INIT ((struct rehearsal){.listener = -1, .client = -1, .server = -1})
#define REHEARSAL_WHOLE 31u

static void rehearsal_done(struct rehearsal *rehearsal)
{
    const int fds[] = {rehearsal->listener, rehearsal->client, rehearsal->server};

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof(cookie);

    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

/* A listener that nobody outside can reach: on the loopback address, or bound to its device, which
 * may be down. */
static int make_listener(struct rehearsal *rehearsal)
{
    struct sockaddr_in *address = &rehearsal->address;
    socklen_t size = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    rehearsal->listener = fd;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)address, size) < 0) {
        address->sin_addr.s_addr = htonl(INADDR_ANY);
        if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0 ||
            bind(fd, (struct sockaddr *)address, size) < 0)
            return -errno;
    }
    if (listen(fd, 1) < 0 || getsockname(fd, (struct sockaddr *)address, &size) < 0)
        return -errno;
    rehearsal->cookies[0] = cookie_of(fd);
    return 0;
}

static bool is_ready(int fd, short what)
{
    struct pollfd wait = {.fd = fd, .events = what};

    return poll(&wait, 1, PATIENCE_MS) == 1;
}

/* Five bytes there, three back, and a reset, which leaves nothing behind. False: there is no
 * loopback device here, or nothing passes it. */
static bool play(struct rehearsal *rehearsal)
{
    const struct linger reset = {.l_onoff = 1};
    char bytes[8];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    rehearsal->client = fd;
    if (fd < 0 || rehearsal->address.sin_addr.s_addr != htonl(INADDR_LOOPBACK))
        return false;
    if (connect(fd, (struct sockaddr *)&rehearsal->address, sizeof(rehearsal->address)) < 0 &&
        errno != EINPROGRESS)
        return false;
    rehearsal->cookies[1] = cookie_of(fd);
    if (!is_ready(rehearsal->listener, POLLIN))
        return false;
    rehearsal->server = accept4(rehearsal->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    rehearsal->cookies[2] = cookie_of(rehearsal->server);
    if (send(fd, "nwho", 5, 0) != 5 || !is_ready(rehearsal->server, POLLIN) ||
        recv(rehearsal->server, bytes, sizeof(bytes), 0) != 5 ||
        send(rehearsal->server, bytes, 3, 0) != 3 || !is_ready(fd, POLLIN) ||
        recv(fd, bytes, sizeof(bytes), 0) != 3)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    rehearsal->client = -1;
    return true;
}

static bool is_ours(const struct event_record *record, uint8_t from)
{
    return record->owner.pid == (uint32_t)getpid() && record->owner.ppid == (uint32_t)getppid() &&
           record->owner.euid == geteuid() && record->from == from && record->family == AF_INET;
}

static bool has_bytes(const struct event_record *record, uint64_t rx, uint64_t tx)
{
    return record->rx_bytes == rx && record->tx_bytes == tx;
}

static bool check_client(const struct rehearsal *rehearsal, const struct event_record *record)
{
    bool end = record->kind == EVENT_RECORD_CLOSED;

    return is_ours(record, EVENT_OWNER_USE) &&
           record->peer_port == ntohs(rehearsal->address.sin_port) &&
           memcmp(record->peer, &rehearsal->address.sin_addr, 4) == 0 &&
           has_bytes(record, end ? 3 : 0, end ? 5 : 0) && (!end || record->flags & EVENT_CLOSING);
}

static bool check_server(const struct rehearsal *rehearsal, const struct event_record *record,
                         bool with_use)
{
    bool end = record->kind == EVENT_RECORD_CLOSED;

    return is_ours(record, end && with_use ? EVENT_OWNER_USE : EVENT_OWNER_LISTENER) &&
           record->local_port == ntohs(rehearsal->address.sin_port) &&
           has_bytes(record, end ? 5 : 0, end ? 3 : 0) && (!end || record->error == ECONNRESET);
}

struct check {
    struct rehearsal *rehearsal;
    const struct event_stream *stream;
};

static int check_record(void *context, const struct event_record *record)
{
    const struct check *check = context;
    struct rehearsal *rehearsal = check->rehearsal;
    bool end = record->kind == EVENT_RECORD_CLOSED, right;

    if (record->cookie == rehearsal->cookies[0]) {
        rehearsal->seen |= 1u;
        right = is_ours(record, EVENT_OWNER_LISTENER) &&
                record->local_port == ntohs(rehearsal->address.sin_port);
    } else if (record->cookie == rehearsal->cookies[1]) {
        rehearsal->seen |= end ? 8u : 2u;
        right = check_client(rehearsal, record);
    } else if (record->cookie == rehearsal->cookies[2]) {
        rehearsal->seen |= end ? 16u : 4u;
        right = check_server(rehearsal, record, check->stream->with_use);
    } else {
        return 0;
    }
    rehearsal->wrong += !right;
    return 0;
}

int rehearse_events(struct event_stream *stream)
{
    CLEANUP(rehearsal_done) struct rehearsal rehearsal = REHEARSAL_INIT;
    struct check check = {.rehearsal = &rehearsal, .stream = stream};
    uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + PATIENCE_MS * UINT64_C(1000000);
    unsigned int wanted;
    int r;

    stream->control->test_pid = (uint32_t)getpid();
    r = make_listener(&rehearsal);
    if (r < 0)
        return r;
    wanted = play(&rehearsal) ? REHEARSAL_WHOLE : 1u;
    do {
        r = event_stream_read(stream, UINT32_MAX, check_record, &check);
        if (r == 0)
            usleep(200);
    } while (r >= 0 && (rehearsal.seen & wanted) != wanted && clock_ns(CLOCK_MONOTONIC) < deadline);
    stream->control->test_pid = 0;
    if (r < 0)
        return r;
    return (rehearsal.seen & wanted) == wanted && !rehearsal.wrong ? 0 : -EBADMSG;
}
