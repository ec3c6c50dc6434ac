/* SPDX-License-Identifier: MIT */
/* Events of the table of tracked connections, by ctnetlink's groups, with whose they are. */
/*
 * An event has no socket, only addresses. Whose those are is known from what BPF tells of flows as
 * for captured packets, from one look at the machine in the beginning, or the kernel is asked for
 * that one socket. It is remembered beside the entry, since the socket is gone long before that.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"
#include "collect/bpf_error.h"
#include "collect/collect.h"
#include "collect/conntrack_message.h"
#include "collect/event_backend.h"
#include "collect/netns.h"
#include "collect/packet_owners.h"
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

/* When more are remembered, all are forgotten: events were lost, or the kernel's table is huge. */
#define KNOWN_MAX (1u << 19)

enum role { CLIENT, SERVER, ROLE_MAX };

/* A namespace whose table is listened to. */
struct post {
    int fd;
    uint32_t netns; /* inode */
    uint32_t place; /* of packet_owners */
    bool there;     /* it was seen by the last look */
};

struct known_end {
    struct packet_end end;
    uint32_t netns; /* inode: where its socket is; 0: nowhere */
    bool looked;
};

/* An entry, whose events tell its number. */
struct known_entry {
    uint64_t start_ns; /* CLOCK_BOOTTIME when it was told to be new; 0: it was there before */
    uint32_t netns;    /* inode */
    uint32_t id;
    struct known_end ends[ROLE_MAX];
};

struct home {
    uint8_t family, bytes[16]; /* an address */
    uint32_t netns;            /* inode of a namespace that has it */
    uint32_t next;             /* with the same hash; MAP_NONE */
};

/* What was heard besides the entry, which is in the snapshot at the same index. */
struct heard {
    uint32_t netns; /* inode */
    uint8_t kind;   /* enum tracked_kind */
    bool by_program;
};

struct watch {
    struct event_source *source;
    struct packet_owners *owners;
    int epoll;
    struct post *posts;
    uint32_t post_count, post_capacity;
    struct known_entry *known;
    uint32_t known_count, known_capacity;
    uint32_t *unused; /* indexes into known */
    uint32_t unused_count, unused_capacity;
    struct map by_id; /* hash -> index into known */
    struct home *homes;
    uint32_t home_count, home_capacity;
    struct map by_address; /* hash -> index into homes */
    struct heard *heard;
    uint32_t heard_count, heard_capacity;
    uint64_t read_ns; /* CLOCK_BOOTTIME of the reading before */
    uint64_t lost;
    int error; /* why the last post could not be opened */
};

/* --- what is remembered --- */

static uint64_t hash_id(uint32_t netns, uint32_t id)
{
    return hash_number(hash_number(HASH_INIT, netns), id);
}

static void forget_all(struct watch *watch)
{
    map_clear(&watch->by_id);
    watch->known_count = watch->unused_count = 0;
}

/* NULL without memory. Valid until the next call. */
static struct known_entry *know(struct watch *watch, uint32_t netns, uint32_t id)
{
    uint64_t hash = hash_id(netns, id);
    uint32_t at = map_get(&watch->by_id, hash);

    if (at != MAP_NONE && watch->known[at].netns == netns && watch->known[at].id == id)
        return &watch->known[at];
    if (watch->unused_count) {
        at = watch->unused[--watch->unused_count];
    } else {
        if (watch->known_count == KNOWN_MAX)
            forget_all(watch);
        if (VEC_RESERVE(&watch->known, &watch->known_capacity, watch->known_count, 1) < 0)
            return NULL;
        at = watch->known_count++;
    }
    if (map_set(&watch->by_id, hash, at) < 0)
        return NULL;
    watch->known[at] = (struct known_entry){.netns = netns, .id = id};
    return &watch->known[at];
}

static int forget(struct watch *watch, uint32_t netns, uint32_t id)
{
    uint64_t hash = hash_id(netns, id);
    uint32_t at = map_get(&watch->by_id, hash);
    int r = VEC_RESERVE(&watch->unused, &watch->unused_capacity, watch->unused_count, 1);

    if (r < 0 || at == MAP_NONE)
        return r;
    map_remove(&watch->by_id, hash);
    watch->unused[watch->unused_count++] = at;
    return 0;
}

/* --- namespaces --- */

static uint64_t hash_address(unsigned int family, const uint8_t *bytes)
{
    return hash_bytes(hash_number(HASH_INIT, family), bytes, family == AF_INET ? 4 : 16);
}

static int add_home(struct watch *watch, uint32_t netns, const struct link_address *address)
{
    uint64_t hash = hash_address(address->family, address->address.bytes);
    struct home home = {.family = (uint8_t)address->family,
                        .netns = netns,
                        .next = map_get(&watch->by_address, hash)};
    int r = VEC_RESERVE(&watch->homes, &watch->home_capacity, watch->home_count, 1);

    memcpy(home.bytes, address->address.bytes, sizeof(home.bytes));
    if (r == 0)
        r = map_set(&watch->by_address, hash, watch->home_count);
    if (r == 0)
        watch->homes[watch->home_count++] = home;
    return r;
}

static int take_addresses(struct watch *watch, const struct snapshot *snapshot)
{
    int r = 0;

    map_clear(&watch->by_address);
    watch->home_count = 0;
    for (uint32_t i = 0; i < snapshot->link_addresses_count && r == 0; i++) {
        const struct link_address *address = &snapshot->link_addresses[i];

        if (address->netns < snapshot->netns_count)
            r = add_home(watch, snapshot->netns[address->netns].inode, address);
    }
    return r;
}

static const struct post *find_post(const struct watch *watch, uint32_t netns)
{
    for (uint32_t i = 0; i < watch->post_count; i++)
        if (watch->posts[i].netns == netns)
            return &watch->posts[i];
    return NULL;
}

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
         "how long an entry lasted is only known of new ones, as they are told: "
         "net.netfilter.nf_conntrack_timestamp=1 makes it exact"},
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
        r = take_addresses(watch, &snapshot);
    if (r == 0 && request.netns_scope == NETNS_SCOPE_ALL)
        r = take_namespaces(watch, &snapshot);
    snapshot_done(&snapshot);
    took = (event_now_ns() - began) * SCAN_SHARE;
    watch->source->next_ns = event_now_ns() + (took > SCAN_NS ? took : SCAN_NS);
    return r;
}

/* --- whose an end is --- */

/* An end that is looked for: what its packets have as it sends them, and behind NAT. */
struct wanted {
    struct packet_ends ends, wire;
    uint64_t since_ns; /* CLOCK_BOOTTIME: a socket that was gone before is another one */
};

static uint16_t port_of(const struct conntrack_tuple *tuple, uint16_t port)
{
    return tuple->icmp_id ? tuple->icmp_id : port;
}

static struct wanted want(const struct conntrack *entry, enum role role, uint64_t since_ns)
{
    const struct conntrack_tuple *own = role == CLIENT ? &entry->orig : &entry->reply;
    const struct conntrack_tuple *other = role == CLIENT ? &entry->reply : &entry->orig;
    struct packet_ends ends = {.family = entry->family,
                               .proto = entry->protocol,
                               .icmp_type = own->icmp_type,
                               .icmp_code = own->icmp_code};
    struct wanted wanted = {.ends = ends, .wire = ends, .since_ns = since_ns};

    wanted.ends.source_port = port_of(own, own->src_port);
    wanted.ends.target_port = port_of(own, own->dst_port);
    wanted.wire.source_port = port_of(other, other->dst_port);
    wanted.wire.target_port = port_of(other, other->src_port);
    memcpy(wanted.ends.source, &own->src, sizeof(wanted.ends.source));
    memcpy(wanted.ends.target, &own->dst, sizeof(wanted.ends.target));
    memcpy(wanted.wire.source, &other->dst, sizeof(wanted.wire.source));
    memcpy(wanted.wire.target, &other->src, sizeof(wanted.wire.target));
    return wanted;
}

/* Such addresses mean another thing in each namespace, or on each link. */
static bool is_confined(const struct packet_ends *ends)
{
    const struct in6_addr *v6 = (const struct in6_addr *)ends->source;

    return ends->family == AF_INET ? ends->source[0] == 127
                                   : IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_LINKLOCAL(v6);
}

static struct known_end look_at(struct watch *watch, const struct post *post,
                                const struct packet_ends *ends, uint64_t since_ns)
{
    struct known_end found = {.netns = post->netns, .looked = true};

    packet_owners_find_sender(watch->owners, post->place, ends, since_ns, &found.end);
    return found;
}

/* In which namespaces it may be: by a flow that was told, or by its address. */
typedef bool has_fn(const struct watch *watch, const struct post *post,
                    const struct packet_ends *ends);

static bool has_flow(const struct watch *watch, const struct post *post,
                     const struct packet_ends *ends)
{
    return packet_owners_knows_sender(watch->owners, post->place, ends);
}

static bool has_address(const struct watch *watch, const struct post *post,
                        const struct packet_ends *ends)
{
    uint32_t at = map_get(&watch->by_address, hash_address(ends->family, ends->source));

    for (; at != MAP_NONE; at = watch->homes[at].next)
        if (watch->homes[at].netns == post->netns && watch->homes[at].family == ends->family &&
            memcmp(watch->homes[at].bytes, ends->source, ends->family == AF_INET ? 4 : 16) == 0)
            return true;
    return false;
}

/* Where only one of the other namespaces may have it; where several do, it is not known whose it
 * is. False: none does. */
static bool find_elsewhere(struct watch *watch, const struct post *home,
                           const struct wanted *wanted, has_fn *has, struct known_end *ret_end)
{
    const struct post *only = NULL;

    for (uint32_t i = 0; i < watch->post_count; i++) {
        const struct post *post = &watch->posts[i];

        if (post == home || !has(watch, post, &wanted->ends))
            continue;
        if (only) {
            *ret_end = (struct known_end){.end.kind = PACKET_END_UNKNOWN, .looked = true};
            return true;
        }
        only = post;
    }
    if (only)
        *ret_end = look_at(watch, only, &wanted->ends, wanted->since_ns);
    return only;
}

/* In the namespace of the entry, also behind its NAT; where that is a router, in the others. */
static struct known_end find_end(struct watch *watch, const struct post *home,
                                 const struct wanted *wanted)
{
    bool confined = is_confined(&wanted->ends);
    struct known_end found;

    if (!has_flow(watch, home, &wanted->ends)) {
        if (has_flow(watch, home, &wanted->wire))
            return look_at(watch, home, &wanted->wire, wanted->since_ns);
        if (!confined && find_elsewhere(watch, home, wanted, has_flow, &found))
            return found;
    }
    found = look_at(watch, home, &wanted->ends, wanted->since_ns);
    if (found.end.kind != PACKET_END_ELSEWHERE)
        return found;
    found.netns = 0;
    if (!confined)
        find_elsewhere(watch, home, wanted, has_address, &found);
    return found;
}

/* A listener may give way to who took the connection; what is gone stays whose it was. */
static bool is_settled(const struct known_end *known)
{
    return known->looked &&
           (known->end.kind == PACKET_END_ELSEWHERE || known->end.kind == PACKET_END_KERNEL ||
            (known->end.process && known->end.kind != PACKET_END_LISTENER));
}

static void find_ends(struct watch *watch, const struct conntrack *entry, const struct heard *heard,
                      struct known_entry *known)
{
    const struct post *home = find_post(watch, heard->netns);
    uint64_t since = heard->kind == TRACKED_NEW ? watch->read_ns : 0;

    for (enum role role = 0; home && role < ROLE_MAX; role++) {
        struct known_end *end = &known->ends[role];
        struct wanted wanted = want(entry, role, since);
        struct known_end found;

        if (is_settled(end))
            continue;
        found = find_end(watch, home, &wanted);
        if (!end->looked || found.end.process || !end->end.process)
            *end = found;
    }
}

/* --- messages into facts --- */

struct reading {
    struct watch *watch;
    struct snapshot *snapshot;
    const struct post *post;
    uint32_t netns; /* index into snapshot.netns */
};

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
    watch->heard[watch->heard_count++] = heard;
    return 0;
}

/* All that one namespace has to tell, until there are `limit` events. */
static int read_post(struct reading *reading, uint32_t limit)
{
    int r = 0;

    while (r == 0 && reading->watch->heard_count < limit) {
        r = netlink_hear(reading->post->fd, MSG_DONTWAIT, take_message, reading);
        if (r == -ENOBUFS) {
            reading->watch->lost++;
            r = 0;
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

/* Both ends of the entry at this index. */
static int add_ends(struct watch *watch, struct snapshot *snapshot, uint32_t i)
{
    const struct conntrack *entry = &snapshot->conntracks[i];
    const struct heard *heard = &watch->heard[i];
    struct known_entry *known = know(watch, heard->netns, entry->id);
    struct event common = {.time_ns = snapshot->boot_ns,
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
            .netns = known->netns, .id = known->id, .start_ns = snapshot->boot_ns};
    find_ends(watch, entry, heard, known);
    common.start_ns = known->start_ns;
    common.has = known->start_ns ? EVENT_HAS_START : 0;
    for (enum role role = 0; role < ROLE_MAX && r == 0; role++)
        r = add_end(watch, snapshot, heard, &common, &known->ends[role]);
    if (r == 0 && heard->kind == TRACKED_FORGOTTEN)
        r = forget(watch, heard->netns, entry->id);
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
