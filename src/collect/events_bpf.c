/* SPDX-License-Identifier: MIT */
/* Events by BPF: what the kernel tells of every TCP connection, as it happens. */
#include "bpf/event_stream.h"
#include "collect/event_backend.h"
#include "collect/proc_file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SELF_TEST_MS 2000

/* --- records into facts --- */

struct reading {
    struct event_source *source;
    struct snapshot *snapshot;
};

static int intern_comm(struct snapshot *snapshot, const char comm[16], uint32_t *ret_string)
{
    return snapshot_intern(snapshot, comm, strnlen(comm, 16), ret_string);
}

static int fill_owner(struct snapshot *snapshot, struct event *event,
                      const struct event_record *record)
{
    static const uint8_t kinds[EVENT_OWNER_FROM_MAX] = {
        [EVENT_OWNER_LISTENER] = EVENT_OWNED_BY_LISTENER,
        [EVENT_OWNER_HOLDER] = EVENT_OWNED_BY_HOLDER,
        [EVENT_OWNER_CLOSE] = EVENT_OWNED_BY_CLOSER,
        [EVENT_OWNER_USE] = EVENT_OWNED_BY_USER,
    };
    const struct event_owner *owner = &record->owner;
    int r;

    if (record->flags & EVENT_BY_KERNEL) {
        event->owned_by = EVENT_OWNED_BY_KERNEL;
        return 0;
    }
    if (!owner->tgid || record->from >= EVENT_OWNER_FROM_MAX)
        return 0;
    event->owned_by = kinds[record->from];
    event->pid = owner->tgid;
    event->ppid = owner->ppid;
    event->uid = owner->euid;
    event->has |= EVENT_HAS_PROCESS | EVENT_HAS_UID;
    r = intern_comm(snapshot, owner->comm, &event->comm);
    if (r == 0 && owner->ppid) {
        event->has |= EVENT_HAS_PARENT;
        r = intern_comm(snapshot, owner->parent, &event->parent);
    }
    return r;
}

static void fill_known(struct event *event, const struct event_record *record)
{
    event->has |= EVENT_HAS_BYTES | EVENT_HAS_RETRANSMITS;
    event->has |= record->start_ns ? EVENT_HAS_START : 0;
    event->has |= record->handshake_us ? EVENT_HAS_HANDSHAKE : 0;
    event->has |= record->rtt_us ? EVENT_HAS_RTT : 0;
    event->start_ns = record->start_ns;
    event->rx_bytes = record->rx_bytes;
    event->tx_bytes = record->tx_bytes;
    event->handshake_us = record->handshake_us;
    event->rtt_us = record->rtt_us;
    event->retransmits = record->retransmits;
}

static void fill_kind(struct event *event, const struct event_record *record)
{
    bool in = record->role == EVENT_ROLE_PASSIVE;

    event->direction = in                                  ? EVENT_IN
                       : record->role == EVENT_ROLE_ACTIVE ? EVENT_OUT
                                                           : EVENT_DIRECTION_UNKNOWN;
    switch (record->kind) {
    case EVENT_RECORD_ESTABLISHED:
        event->kind = in ? EVENT_ACCEPTED : EVENT_OPENED;
        break;
    case EVENT_RECORD_RETRANSMITTED:
        event->kind = EVENT_RETRANSMITTED;
        break;
    default:
        event->kind = EVENT_CLOSED;
        event->error = (uint32_t)record->error;
        event->has |= EVENT_HAS_ERROR;
        event_judge(event, record->old_state, record->flags & EVENT_CLOSING);
    }
}

static int add_event(void *context, const struct event_record *record)
{
    struct reading *reading = context;
    struct event *event;
    uint32_t netns;
    int r = event_source_netns(reading->source, reading->snapshot, record->netns, &netns);

    if (r == -ENOENT || record->kind == EVENT_RECORD_LISTENS)
        return 0;
    event = r < 0 ? NULL : snapshot_add_event(reading->snapshot);
    if (!event)
        return -ENOMEM;
    event->time_ns = record->time_ns;
    event->cookie = record->cookie;
    event->netns = netns;
    event->proto = PROTO_TCP;
    event->family = record->family;
    event->local_port = record->local_port;
    event->peer_port = record->peer_port;
    memcpy(event->local.bytes, record->local, sizeof(event->local));
    memcpy(event->peer.bytes, record->peer, sizeof(event->peer));
    fill_known(event, record);
    fill_kind(event, record);
    return fill_owner(reading->snapshot, event, record);
}

static int read_events(struct event_source *source, struct snapshot *snapshot, uint32_t limit,
                       bool *ret_more)
{
    struct reading reading = {.source = source, .snapshot = snapshot};
    int r = event_stream_read(source->context, limit, add_event, &reading);

    if (r < 0)
        return r;
    *ret_more = (uint32_t)r == limit;
    return 0;
}

/* --- the test before it is trusted --- */

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

    return poll(&wait, 1, SELF_TEST_MS) == 1;
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
    return record->owner.tgid == (uint32_t)getpid() && record->owner.ppid == (uint32_t)getppid() &&
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

/* What is not ours is older than the watching, and not told. */
static int rehearse(struct event_stream *stream)
{
    CLEANUP(rehearsal_done) struct rehearsal rehearsal = REHEARSAL_INIT;
    struct check check = {.rehearsal = &rehearsal, .stream = stream};
    uint64_t deadline = event_now_ns() + SELF_TEST_MS * UINT64_C(1000000);
    unsigned int wanted;
    int r;

    stream->control->test_tgid = (uint32_t)getpid();
    r = make_listener(&rehearsal);
    if (r < 0)
        return r;
    wanted = play(&rehearsal) ? REHEARSAL_WHOLE : 1u;
    do {
        r = event_stream_read(stream, UINT32_MAX, check_record, &check);
        if (r == 0)
            usleep(200);
    } while (r >= 0 && (rehearsal.seen & wanted) != wanted && event_now_ns() < deadline);
    stream->control->test_tgid = 0;
    if (r < 0)
        return r;
    return (rehearsal.seen & wanted) == wanted && !rehearsal.wrong ? 0 : -EBADMSG;
}

static uint32_t own_netns(void)
{
    struct stat status;

    return stat("/proc/self/ns/net", &status) == 0 ? (uint32_t)status.st_ino : 0;
}

/* --- the source --- */

static int open_events(struct event_source *source)
{
    struct event_stream *stream = calloc(1, sizeof(*stream));
    int r;

    if (!stream)
        return -ENOMEM;
    *stream = EVENT_STREAM_INIT;
    source->context = stream;
    /* Process ids in records are those of the first pid namespace. */
    if (proc_pid_namespace() != PIDNS_FIRST)
        return -EXDEV;
    r = event_stream_open(stream, own_netns(), source->retransmits);
    if (r == 0)
        r = rehearse(stream);
    if (r < 0)
        return r;
    stream->control->netns = event_source_single_netns(source);
    stream->control->lost = 0;
    source->fd = stream->ring.map_fd;
    r = event_stream_take_holders(stream);
    if (r < 0)
        snapshot_note(&source->known, NOTE_OWNERS, "bpf iter/task_file", r,
                      "connections and listeners that are there already have no process until it "
                      "uses them");
    return 0;
}

static uint64_t count_lost(const struct event_source *source)
{
    return event_stream_lost(source->context);
}

static void close_events(struct event_source *source)
{
    struct event_stream *stream = source->context;

    if (stream)
        event_stream_close(stream);
    free(stream);
}

const struct event_backend event_backend_bpf = {
    .name = "bpf tp_btf/inet_sock_set_state",
    .source = SOURCE_BPF,
    .open = open_events,
    .read = read_events,
    .lost = count_lost,
    .close = close_events,
};
