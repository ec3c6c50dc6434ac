/* SPDX-License-Identifier: MIT */
/* Events of the table of tracked connections, by ctnetlink's groups, with whose they are. */
/*
 * An event has no socket, only addresses. Whose those are is known from what BPF tells of flows as
 * for captured packets, from one look at the machine in the beginning, or the kernel is asked for
 * that one socket. It is remembered beside the entry, since the socket is gone long before that.
 */
#include "base/clock.h"
#include "base/vec.h"
#include "collect/bpf_error.h"
#include "collect/collect.h"
#include "collect/conntrack_message.h"
#include "collect/conntrack_watch.h"
#include "collect/event_backend.h"
#include "collect/netns.h"
#include "collect/proc_file.h"
#include "netlink/multicast.h"

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define SOURCE "ctnetlink events"
#define RECEIVE_BUFFER (8 << 20)
#define SYSCTL "/proc/sys/net/netfilter/nf_conntrack_"

/* New namespaces and addresses are looked for so often, and for at most a twentieth of the time. */
#define SCAN_NS SECOND_NS
#define SCAN_SHARE 20

/* An entry is told of before its first packet has passed by all that tells whose it is. */
#define SETTLE_NS (2 * MILLISECOND_NS)

/* --- namespaces --- */

/* What the calling thread's namespace says of a setting; -1: nothing. */
static long read_setting(const char *path)
{
    char text[32];
    size_t length;

    return proc_read(AT_FDCWD, path, text, sizeof(text), &length) < 0 ? -1 : strtol(text, NULL, 10);
}

/* What is not told here, and why. */
static void note_settings(struct snapshot *notes)
{
    static const struct {
        const char *path;
        long value;
        enum note_effect effect;
        const char *text;
    } lacks[] = {
        {SYSCTL "events", -1, NOTE_INFO,
         "in some namespaces nothing is tracked (nf_conntrack is not loaded)"},
        {SYSCTL "events", 0, NOTE_DETAIL,
         "in some namespaces nothing is told: net.netfilter.nf_conntrack_events is 0"},
        {SYSCTL "events", 2, NOTE_INFO,
         "entries that are older than whoever listens first have no events: "
         "net.netfilter.nf_conntrack_events is 2"},
        {SYSCTL "acct", 0, NOTE_INFO, "bytes and packets need net.netfilter.nf_conntrack_acct=1"},
        {SYSCTL "timestamp", 0, NOTE_INFO,
         "events have the time when they were read, and how long an entry lasted is only known of "
         "new ones: net.netfilter.nf_conntrack_timestamp=1 makes both exact"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(lacks); i++)
        if (read_setting(lacks[i].path) == lacks[i].value)
            snapshot_note(notes, lacks[i].effect, SOURCE, 0, "%s", lacks[i].text);
}

/* Opens a post in the calling thread's namespace. */
static int listen_here(struct watch *watch, struct post *post)
{
    const uint32_t groups = NETLINK_GROUP(NFNLGRP_CONNTRACK_NEW) |
                            NETLINK_GROUP(NFNLGRP_CONNTRACK_UPDATE) |
                            NETLINK_GROUP(NFNLGRP_CONNTRACK_DESTROY);
    struct epoll_event wanted = {.events = EPOLLIN};
    CLEANUP_CLOSE int fd = -1;
    int r = netlink_join(NETLINK_NETFILTER, groups, RECEIVE_BUFFER, &fd);

    if (r == 0)
        r = packet_owners_add_place(watch->owners, &post->place);
    if (r < 0)
        return r;
    if (epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &wanted) < 0) {
        packet_owners_drop_place(watch->owners, post->place);
        return -errno;
    }
    post->fd = TAKE_FD(fd);
    return 0;
}

struct visit {
    struct watch *watch;
    const struct snapshot *snapshot; /* whose namespaces are visited */
};

/* Called inside of each namespace; one that does not work is missing, and that is said. */
static int visit_namespace(void *context, uint32_t netns)
{
    struct visit *visit = context;
    struct watch *watch = visit->watch;
    struct post post = {.netns = visit->snapshot->netns[netns].inode, .there = true};
    int r;

    for (uint32_t i = 0; i < watch->post_count; i++)
        if (watch->posts[i].netns == post.netns) {
            watch->posts[i].there = true;
            return 0;
        }
    r = VEC_RESERVE(&watch->posts, &watch->post_capacity, watch->post_count, 1);
    if (r < 0)
        return r;
    note_settings(&watch->source->known);
    r = listen_here(watch, &post);
    if (r == 0) {
        watch->posts[watch->post_count++] = post;
        return 0;
    }
    watch->error = r;
    snapshot_note(&watch->source->known, NOTE_INCOMPLETE, SOURCE, r,
                  "what is tracked in some namespaces is not told");
    return r == -ENOMEM ? r : 0;
}

static void drop_post(struct watch *watch, uint32_t at)
{
    close(watch->posts[at].fd);
    packet_owners_drop_place(watch->owners, watch->posts[at].place);
    watch->posts[at] = watch->posts[--watch->post_count];
}

/* A post keeps its namespace alive: that goes with the last of its processes and names. */
static int take_namespaces(struct watch *watch, struct snapshot *snapshot)
{
    struct visit visit = {.watch = watch, .snapshot = snapshot};
    int r;

    for (uint32_t i = 0; i < watch->post_count; i++)
        watch->posts[i].there = false;
    r = netns_visit(snapshot, visit_namespace, &visit);
    for (uint32_t i = watch->post_count; r == 0 && i-- > 0;)
        if (!watch->posts[i].there)
            drop_post(watch, i);
    return r;
}

/* Which namespaces there are now, and whose addresses are whose. */
static int scan(struct watch *watch)
{
    struct request request = *watch->source->request;
    uint64_t began = event_now_ns(), took;
    struct snapshot snapshot;
    int r = snapshot_init(&snapshot);

    if (r < 0)
        return r;
    request.needs = NEED_ADDRESSES;
    request.match_count = 0;
    request.pids = NULL;
    r = collect(&snapshot, &request);
    if (r == 0)
        r = conntrack_take_addresses(watch, &snapshot);
    if (r == 0 && request.netns_scope == NETNS_SCOPE_ALL)
        r = take_namespaces(watch, &snapshot);
    snapshot_done(&snapshot);
    took = (event_now_ns() - began) * SCAN_SHARE;
    watch->source->next_ns = event_now_ns() + (took > SCAN_NS ? took : SCAN_NS);
    return r;
}

/* --- messages into facts --- */

struct reading {
    struct watch *watch;
    struct snapshot *snapshot;
    const struct post *post;
    uint32_t netns; /* index into snapshot.netns */
};

/* When a message's event happened. Before Linux 6.14 the kernel tells it of an end alone, which it
 * may have noticed later. */
static uint64_t time_of(const struct nlmsghdr *message, const struct conntrack *entry)
{
    uint64_t time_ns = conntrack_message_time(NLMSG_DATA(message), NLMSG_PAYLOAD(message, 0));

    return time_ns ? time_ns : entry->has & CONNTRACK_HAS_STOP ? entry->stop_ns : 0;
}

static int take_message(void *context, const struct nlmsghdr *message)
{
    struct reading *reading = context;
    struct watch *watch = reading->watch;
    struct heard heard = {.netns = reading->post->netns,
                          .kind = conntrack_message_kind(message),
                          .by_program = message->nlmsg_pid};
    struct conntrack entry, *added;
    int r;

    if (heard.kind == TRACKED_KIND_MAX)
        return 0;
    r = conntrack_read(reading->snapshot, NLMSG_DATA(message), NLMSG_PAYLOAD(message, 0), &entry);
    if (r == -EBADMSG)
        return 0;
    if (r == 0)
        r = VEC_RESERVE(&watch->heard, &watch->heard_capacity, watch->heard_count, 1);
    added = r == 0 ? snapshot_add_conntrack(reading->snapshot) : NULL;
    if (!added)
        return -ENOMEM;
    entry.netns = reading->netns;
    *added = entry;
    heard.time_ns = time_of(message, &entry);
    watch->heard[watch->heard_count++] = heard;
    return 0;
}

/* All that one namespace has to tell, until there are `limit` events. */
static int read_post(struct reading *reading, uint32_t limit)
{
    bool overflowed = false; /* twice in a row is enough for once: there is an end, whatever comes
                              */
    int r = 0;

    while (r == 0 && reading->watch->heard_count < limit) {
        r = netlink_hear(reading->post->fd, MSG_DONTWAIT, take_message, reading);
        if (r == -ENOBUFS) {
            reading->watch->lost++;
            r = overflowed ? -EAGAIN : 0;
            overflowed = true;
        } else {
            overflowed = false;
        }
    }
    return r == -EAGAIN ? 0 : r;
}

static int read_posts(struct watch *watch, struct snapshot *snapshot, uint32_t limit)
{
    int r = 0;

    watch->heard_count = 0;
    for (uint32_t i = 0; i < watch->post_count && r == 0; i++) {
        struct reading reading = {.watch = watch, .snapshot = snapshot, .post = &watch->posts[i]};

        r = event_source_netns(watch->source, snapshot, reading.post->netns, &reading.netns);
        if (r == 0)
            r = read_post(&reading, limit);
    }
    return r;
}

static const uint8_t owned_by[PACKET_END_MAX] = {
    [PACKET_END_PROCESS] = EVENT_OWNED_BY_USER,
    [PACKET_END_LISTENER] = EVENT_OWNED_BY_LISTENER,
    [PACKET_END_TIME_WAIT] = EVENT_OWNED_BY_USER,
    [PACKET_END_KERNEL] = EVENT_OWNED_BY_KERNEL,
};

static int fill_process(struct snapshot *snapshot, struct event *event,
                        const struct packet_process *process)
{
    int r = snapshot_intern(snapshot, process->comm, strnlen(process->comm, sizeof(process->comm)),
                            &event->comm);

    event->has |= EVENT_HAS_PROCESS | EVENT_HAS_UID;
    event->pid = process->pid;
    event->uid = process->uid;
    event->ppid = process->ppid;
    event->cgroup_id = process->cgroup_id;
    if (r == 0 && process->ppid && process->parent[0]) {
        event->has |= EVENT_HAS_PARENT;
        r = snapshot_intern(snapshot, process->parent,
                            strnlen(process->parent, sizeof(process->parent)), &event->parent);
    }
    return r;
}

/* How it ended, as far as the entry says. */
static enum event_verdict judge(const struct conntrack *entry, const struct heard *heard)
{
    if (heard->kind != TRACKED_FORGOTTEN)
        return EVENT_NO_VERDICT;
    if (heard->by_program)
        return EVENT_ABORTED;
    if (!(entry->status & CONNTRACK_SEEN_REPLY))
        return EVENT_TIMED_OUT;
    if (entry->protocol != IPPROTO_TCP || !(entry->has & CONNTRACK_HAS_STATE))
        return EVENT_NO_VERDICT;
    if (entry->state == CONNTRACK_TCP_CLOSE)
        return EVENT_RESET;
    return entry->state == CONNTRACK_TCP_TIME_WAIT || entry->state == CONNTRACK_TCP_LAST_ACK
               ? EVENT_CLOSED_NORMALLY
               : EVENT_TIMED_OUT;
}

static int add_end(struct watch *watch, struct snapshot *snapshot, const struct heard *heard,
                   const struct event *common, const struct known_end *known)
{
    struct event *event = snapshot_add_event(snapshot);
    uint32_t netns = common->netns;
    int r = 0;

    if (!event)
        return -ENOMEM;
    *event = *common;
    event->end = known->end.kind;
    event->cookie = known->end.cookie;
    event->owned_by = owned_by[known->end.kind];
    if (known->netns && known->netns != heard->netns)
        r = event_source_netns(watch->source, snapshot, known->netns, &netns);
    event->netns = r == 0 ? netns : common->netns;
    if (known->end.process)
        r = fill_process(snapshot, event, known->end.process);
    else if (known->end.kind != PACKET_END_KERNEL)
        event->owned_by = EVENT_UNOWNED;
    return r == -ENOENT ? 0 : r;
}

/* By the clock of events. The snapshot knows one moment by both. */
static uint64_t boottime_of(const struct snapshot *snapshot, const struct heard *heard)
{
    return heard->time_ns ? snapshot->boot_ns - (snapshot->time_ns - heard->time_ns)
                          : snapshot->boot_ns;
}

/* Both ends of the entry at this index. */
static int add_ends(struct watch *watch, struct snapshot *snapshot, uint32_t i)
{
    const struct conntrack *entry = &snapshot->conntracks[i];
    const struct heard *heard = &watch->heard[i];
    struct known_entry *known = conntrack_know(watch, heard->netns, entry->id);
    struct event common = {.time_ns = boottime_of(snapshot, heard),
                           .kind = heard->kind,
                           .netns = entry->netns,
                           .family = entry->family,
                           .proto = (uint8_t)conntrack_proto(entry),
                           .verdict = (uint8_t)judge(entry, heard)};
    int r = known ? 0 : -ENOMEM;

    if (r < 0)
        return r;
    if (heard->kind == TRACKED_NEW) /* the number may have been another's, whose end was lost */
        *known = (struct known_entry){
            .netns = known->netns, .id = known->id, .start_ns = common.time_ns};
    conntrack_find_ends(watch, entry, heard, known);
    common.start_ns = known->start_ns;
    common.has = known->start_ns ? EVENT_HAS_START : 0;
    for (enum conntrack_role role = 0; role < CONNTRACK_ROLE_MAX && r == 0; role++)
        r = add_end(watch, snapshot, heard, &common, &known->ends[role]);
    if (r == 0 && heard->kind == TRACKED_FORGOTTEN)
        r = conntrack_forget(watch, heard->netns, entry->id);
    return r;
}

static void settle(void)
{
    const struct timespec wait = {.tv_nsec = SETTLE_NS};

    nanosleep(&wait, NULL);
}

static void note_lost_owners(struct watch *watch)
{
    if (packet_owners_lost(watch->owners))
        snapshot_note(&watch->source->known, NOTE_OWNERS, "bpf cgroup_skb", 0,
                      "some processes are not told: packets came faster than whose they are could "
                      "be taken");
}

static int read_events(struct event_source *source, struct snapshot *snapshot, uint32_t limit,
                       bool *ret_more)
{
    struct watch *watch = source->context;
    int r = read_posts(watch, snapshot, limit);

    if (r == 0 && watch->heard_count)
        settle();
    if (r == 0)
        r = packet_owners_update(watch->owners);
    for (uint32_t i = 0; i < watch->heard_count && r == 0; i++)
        r = add_ends(watch, snapshot, i);
    if (r < 0)
        return r;
    note_lost_owners(watch);
    watch->read_ns = snapshot->boot_ns;
    *ret_more = watch->heard_count >= limit;
    return *ret_more || event_now_ns() < source->next_ns ? 0 : scan(watch);
}

/* --- the source --- */

static int open_owners(struct watch *watch)
{
    struct event_source *source = watch->source;
    int why = 0;
    int r = packet_owners_open(source->request->sources & SOURCE_BPF, &watch->owners, &why);

    if (r == 0 && why < 0)
        snapshot_note(&source->known, NOTE_OWNERS, "bpf cgroup_skb", why,
                      "without BPF processes are only known of sockets that are there when they "
                      "are asked about%s%s",
                      why == -ECANCELED ? "" : ": ", why == -ECANCELED ? "" : bpf_error_text(why));
    return r;
}

static int open_events(struct event_source *source)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    struct visit visit = {.watch = watch, .snapshot = &source->known};
    int r;

    if (!watch)
        return -ENOMEM;
    source->context = watch;
    watch->source = source;
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    r = watch->epoll < 0 ? -errno : open_owners(watch);
    if (r == 0)
        r = netns_visit(&source->known, visit_namespace, &visit);
    if (r == 0 && !watch->post_count)
        r = watch->error ? watch->error : -ENOENT;
    if (r < 0)
        return r;
    packet_owners_learn(watch->owners);
    watch->read_ns = clock_ns(CLOCK_BOOTTIME);
    source->fd = watch->epoll;
    return scan(watch);
}

static uint64_t count_lost(const struct event_source *source)
{
    return ((const struct watch *)source->context)->lost;
}

static void close_events(struct event_source *source)
{
    struct watch *watch = source->context;

    if (!watch)
        return;
    while (watch->post_count)
        drop_post(watch, watch->post_count - 1);
    packet_owners_close(watch->owners);
    if (watch->epoll >= 0)
        close(watch->epoll);
    map_done(&watch->by_id);
    map_done(&watch->by_address);
    free(watch->posts);
    free(watch->known);
    free(watch->unused);
    free(watch->homes);
    free(watch->heard);
    free(watch);
}

const struct event_backend event_backend_conntrack = {
    .name = SOURCE,
    .source = SOURCE_ALL,
    .open = open_events,
    .read = read_events,
    .lost = count_lost,
    .close = close_events,
};
