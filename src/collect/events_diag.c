/* SPDX-License-Identifier: MIT */
/* Events without BPF: the kernel tells when a TCP socket is destroyed (sock_diag, since 4.3). */
/*
 * Whose it was is known of those that were there when all were last looked at, once a second. How
 * it ended is not told.
 */
#include "base/vec.h"
#include "collect/collect.h"
#include "collect/event_backend.h"
#include "collect/inet_diag_message.h"
#include "collect/netns.h"

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define RECEIVE_BUFFER (8 << 20)

/* Owners are looked for so often, and for at most a twentieth of the time. */
#define SEARCH_NS UINT64_C(1000000000)
#define SEARCH_SHARE 20

/* Whose a socket is. */
struct known_owner {
    uint64_t cookie;
    uint32_t has; /* enum event_has */
    uint32_t pid, ppid, uid;
    char comm[16], parent[16];
};

struct owner_list {
    struct known_owner *items;
    uint32_t count, capacity;
    struct map by_cookie;
};

struct listening_post {
    int fd;
    uint32_t netns; /* inode */
};

struct destroy_source {
    struct event_source *source;
    int epoll;
    struct listening_post *posts;
    uint32_t post_count, post_capacity;
    struct owner_list owners; /* of sockets that were there at the last search */
    uint64_t lost;
};

static void owner_list_done(struct owner_list *list)
{
    free(list->items);
    map_done(&list->by_cookie);
    *list = (struct owner_list){0};
}

/* --- who holds what --- */

static const struct known_owner *find_owner(const struct owner_list *list, uint64_t cookie)
{
    uint32_t index = map_get(&list->by_cookie, cookie);

    return index == MAP_NONE ? NULL : &list->items[index];
}

static int add_owner(struct owner_list *list, const struct known_owner *owner)
{
    int r = VEC_RESERVE(&list->items, &list->capacity, list->count, 1);

    if (r == 0)
        r = map_set(&list->by_cookie, owner->cookie, list->count);
    if (r == 0)
        list->items[list->count++] = *owner;
    return r;
}

/* The name of a process, without its newline. "" when it is gone. */
static void read_comm(uint32_t pid, char comm[16])
{
    char path[32], text[32] = "";
    CLEANUP_CLOSE int fd = -1;
    ssize_t length;

    memset(comm, 0, 16);
    snprintf(path, sizeof(path), "/proc/%u/comm", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, sizeof(text));
    while (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0)
        memcpy(comm, text, (size_t)length < 15 ? (size_t)length : 15);
}

static void describe_owner(const struct snapshot *snapshot, const struct process *process,
                           struct known_owner *owner)
{
    size_t length;
    const char *comm = snapshot_string(snapshot, process->comm, &length);

    owner->pid = process->pid;
    owner->has = EVENT_HAS_PROCESS;
    memcpy(owner->comm, comm, length < sizeof(owner->comm) ? length : sizeof(owner->comm));
    if (process->has & PROCESS_HAS_UID) {
        owner->uid = process->uid;
        owner->has |= EVENT_HAS_UID;
    }
    if (process->has & PROCESS_HAS_PPID && process->ppid) {
        owner->ppid = process->ppid;
        owner->has |= EVENT_HAS_PARENT;
        read_comm(process->ppid, owner->parent);
    }
}

/* Those of this search; a socket that its process has closed meanwhile keeps the one of before. */
static int list_owners(const struct snapshot *snapshot, const struct owner_list *before,
                       struct owner_list *list)
{
    CLEANUP(map_done) struct map holders = {0};
    int r = 0;

    for (uint32_t i = snapshot->holders_count; i-- > 0 && r == 0;)
        r = map_set(&holders, snapshot->holders[i].inode, snapshot->holders[i].process);
    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];
        uint32_t process = socket->inode ? map_get(&holders, socket->inode) : MAP_NONE;
        const struct known_owner *known = find_owner(before, socket->cookie);
        struct known_owner owner = {.cookie = socket->cookie};

        if (known && (process == MAP_NONE || known->pid == snapshot->processes[process].pid))
            r = add_owner(list, known);
        else if (process != MAP_NONE)
            describe_owner(snapshot, &snapshot->processes[process], &owner);
        if (owner.has && r == 0)
            r = add_owner(list, &owner);
    }
    return r;
}

static int search_owners(struct destroy_source *destroy)
{
    struct request request = *destroy->source->request;
    CLEANUP(snapshot_done) struct snapshot snapshot;
    CLEANUP(owner_list_done) struct owner_list found = {0}, before = destroy->owners;
    uint64_t began = event_now_ns(), took;
    int r = snapshot_init(&snapshot);

    destroy->owners = (struct owner_list){0};
    request.needs = NEED_SOCKETS | NEED_OWNERS | NEED_USER | NEED_PROCESS_STAT;
    request.protos = PROTO_BIT(PROTO_TCP);
    request.states = STATE_ALL & ~STATE_BIT(STATE_LISTENING) & ~STATE_BIT(STATE_TIME_WAIT);
    request.match_count = 0;
    request.pids = NULL;
    if (r == 0)
        r = collect(&snapshot, &request);
    if (r == 0)
        r = list_owners(&snapshot, &before, &found);
    if (r < 0)
        return r;
    destroy->owners = found;
    found = (struct owner_list){0};
    took = (event_now_ns() - began) * SEARCH_SHARE;
    destroy->source->next_ns = event_now_ns() + (took > SEARCH_NS ? took : SEARCH_NS);
    return 0;
}

/* --- messages into facts --- */

struct reading {
    struct destroy_source *destroy;
    struct snapshot *snapshot;
    uint32_t netns; /* index into snapshot.netns */
};

static int fill_owner(const struct reading *reading, struct event *event)
{
    const struct known_owner *owner = find_owner(&reading->destroy->owners, event->cookie);
    int r;

    if (!owner)
        return 0;
    event->owned_by = EVENT_OWNED_BY_HOLDER;
    event->has |= owner->has;
    event->pid = owner->pid;
    event->ppid = owner->ppid;
    if (owner->has & EVENT_HAS_UID)
        event->uid = owner->uid;
    r = snapshot_intern(reading->snapshot, owner->comm, strnlen(owner->comm, 16), &event->comm);
    if (r == 0)
        r = snapshot_intern(reading->snapshot, owner->parent, strnlen(owner->parent, 16),
                            &event->parent);
    return r;
}

static void fill_details(struct event *event, const struct tcp_details *tcp)
{
    if (!tcp)
        return;
    if (tcp->known >= TCP_INFO_BYTES_RETRANS) {
        /* The end of the stream counts as a byte, and nothing here tells whether it came. */
        event->rx_bytes = tcp->data_segs_in ? tcp->bytes_received : 0;
        event->tx_bytes = tcp->bytes_sent - tcp->bytes_retrans;
        event->has |= EVENT_HAS_BYTES;
    }
    event->rtt_us = tcp->rtt_us;
    event->retransmits = tcp->total_retrans;
    event->has |= EVENT_HAS_RETRANSMITS | (tcp->rtt_us ? EVENT_HAS_RTT : 0);
}

static int add_event(const struct reading *reading, const struct socket *socket)
{
    struct snapshot *snapshot = reading->snapshot;
    struct event *event = snapshot_add_event(snapshot);

    if (!event)
        return -ENOMEM;
    event->kind = EVENT_CLOSED;
    event->time_ns = snapshot->boot_ns;
    event->cookie = socket->cookie;
    event->netns = reading->netns;
    event->proto = PROTO_TCP;
    event->family = socket->family;
    event->local_port = socket->local_port;
    event->peer_port = socket->peer_port;
    event->local = socket->local;
    event->peer = socket->peer;
    event->uid = socket->uid;
    event->has = EVENT_HAS_UID;
    fill_details(event, snapshot_tcp(snapshot, socket));
    return fill_owner(reading, event);
}

/* Sockets that never had a peer are told of, too. */
static int take_message(void *context, const struct nlmsghdr *message)
{
    const struct reading *reading = context;
    const void *payload = NLMSG_DATA(message);
    size_t length = NLMSG_PAYLOAD(message, 0);
    struct snapshot *snapshot = reading->snapshot;
    struct socket *socket;
    int r;

    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || length < sizeof(struct inet_diag_msg))
        return 0;
    socket = snapshot_add_socket(snapshot);
    if (!socket)
        return -ENOMEM;
    socket->proto = PROTO_TCP;
    inet_diag_fill(socket, payload);
    r = inet_diag_details(snapshot, snapshot->sockets_count - 1, payload, length);
    if (r == 0 && snapshot->sockets[snapshot->sockets_count - 1].peer_port)
        r = add_event(reading, &snapshot->sockets[snapshot->sockets_count - 1]);
    snapshot->sockets_count = 0; /* only a help to decode it */
    snapshot->tcp_infos_count = 0;
    snapshot->memories_count = 0;
    return r;
}

/* All that one socket has to tell, until there are `end` events. */
static int read_post(struct reading *reading, int fd, uint32_t end)
{
    bool overflowed = false; /* twice in a row is enough for once: there is an end, whatever comes
                              */
    int r = 0;

    while (r == 0 && reading->snapshot->events_count < end) {
        r = netlink_hear(fd, MSG_DONTWAIT, take_message, reading);
        if (r == -ENOBUFS) {
            reading->destroy->lost++;
            r = overflowed ? -EAGAIN : 0;
            overflowed = true;
        } else {
            overflowed = false;
        }
    }
    return r == -EAGAIN ? 0 : r;
}

static int read_events(struct event_source *source, struct snapshot *snapshot, uint32_t limit,
                       bool *ret_more)
{
    struct destroy_source *destroy = source->context;
    uint32_t end = snapshot->events_count + limit;
    int r = 0;

    for (uint32_t i = 0; i < destroy->post_count && r == 0; i++) {
        struct reading reading = {.destroy = destroy, .snapshot = snapshot};

        r = event_source_netns(source, snapshot, destroy->posts[i].netns, &reading.netns);
        if (r == 0)
            r = read_post(&reading, destroy->posts[i].fd, end);
    }
    if (r < 0)
        return r;
    *ret_more = snapshot->events_count >= end;
    return *ret_more || event_now_ns() < source->next_ns ? 0 : search_owners(destroy);
}

/* --- the source --- */

/* Called inside of each namespace. */
static int open_post(void *context, uint32_t netns)
{
    struct destroy_source *destroy = context;
    struct epoll_event wanted = {.events = EPOLLIN};
    CLEANUP_CLOSE int fd = -1;
    int r = netlink_join(NETLINK_SOCK_DIAG, TCP_DESTROY_GROUPS, RECEIVE_BUFFER, &fd);

    if (r < 0)
        return r;
    if (epoll_ctl(destroy->epoll, EPOLL_CTL_ADD, fd, &wanted) < 0)
        return -errno;
    r = VEC_RESERVE(&destroy->posts, &destroy->post_capacity, destroy->post_count, 1);
    if (r == 0)
        destroy->posts[destroy->post_count++] = (struct listening_post){
            .fd = TAKE_FD(fd), .netns = destroy->source->known.netns[netns].inode};
    return r;
}

static int open_events(struct event_source *source)
{
    struct destroy_source *destroy = calloc(1, sizeof(*destroy));
    int r;

    if (!destroy)
        return -ENOMEM;
    source->context = destroy;
    destroy->source = source;
    destroy->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (destroy->epoll < 0)
        return -errno;
    r = netns_visit(&source->known, open_post, destroy);
    if (r == 0 && !destroy->post_count)
        r = -ENOENT;
    if (r == 0)
        r = search_owners(destroy);
    source->fd = destroy->epoll;
    return r;
}

static uint64_t count_lost(const struct event_source *source)
{
    return ((const struct destroy_source *)source->context)->lost;
}

static void close_events(struct event_source *source)
{
    struct destroy_source *destroy = source->context;

    if (!destroy)
        return;
    for (uint32_t i = 0; i < destroy->post_count; i++)
        close(destroy->posts[i].fd);
    if (destroy->epoll >= 0)
        close(destroy->epoll);
    free(destroy->posts);
    owner_list_done(&destroy->owners);
    free(destroy);
}

const struct event_backend event_backend_diag = {
    .name = "sock_diag destroy",
    .source = SOURCE_SOCK_DIAG,
    .open = open_events,
    .read = read_events,
    .lost = count_lost,
    .close = close_events,
};
