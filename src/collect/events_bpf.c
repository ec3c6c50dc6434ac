/* SPDX-License-Identifier: MIT */
/* Events by BPF: what the kernel tells of every TCP connection, as it happens. */
#include "bpf/event_stream.h"
#include "collect/event_backend.h"
#include "collect/proc_file.h"
#include "collect/rehearsal.h"

#include <string.h>
#include <sys/stat.h>

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
    if (!owner->pid || record->from >= EVENT_OWNER_FROM_MAX)
        return 0;
    event->owned_by = kinds[record->from];
    event->pid = owner->pid;
    event->ppid = owner->ppid;
    event->uid = owner->euid;
    event->cgroup_id = owner->cgroup_id;
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

static uint32_t own_netns(void)
{
    struct stat status;

    return stat("/proc/self/ns/net", &status) == 0 ? (uint32_t)status.st_ino : 0;
}

/* --- the source --- */

static int open_events(struct event_source *source)
{
    const struct event_control told = {.netns = own_netns(), .pidns = proc_pidns_inode()};
    struct event_stream *stream = calloc(1, sizeof(*stream));
    int r;

    if (!stream)
        return -ENOMEM;
    *stream = EVENT_STREAM_INIT;
    source->context = stream;
    r = event_stream_open(stream, &told, source->retransmits);
    if (r == 0)
        r = rehearse_events(stream);
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
