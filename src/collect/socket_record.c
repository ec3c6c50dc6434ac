/* SPDX-License-Identifier: MIT */
/* Socket record: what BPF tells of a socket, as a socket of the snapshot. */
#include "collect/socket_record.h"

#include "collect/diag.h"

#include <string.h>
#include <time.h>

static uint32_t timer_ms(const struct record_socket *from, uint32_t tick_ns)
{
    if (!from->timer || from->timer_jiffies <= 0)
        return 0;
    return (uint32_t)((uint64_t)from->timer_jiffies * tick_ns / 1000000);
}

static void fill_socket(const struct record *record, uint32_t netns, uint32_t tick_ns,
                        struct socket *socket)
{
    const struct record_head *head = record->head;
    const struct record_socket *from = record->socket;

    *socket = (struct socket){
        .cookie = head->cookie,
        .cgroup_id = from->cgroup_id,
        .has = from->has,
        .flags = from->flags | diag_shutdown_flags(from->shutdown),
        .inode = head->inode,
        .netns = netns,
        .uid = from->uid,
        .mark = from->mark,
        .ifindex = from->ifindex,
        .recv_q = from->recv_q,
        .send_q = from->send_q,
        .timer_ms = timer_ms(from, tick_ns),
        .drops = from->drops,
        .local_port = head->local_port,
        .peer_port = from->peer_port,
        .proto = head->proto,
        .family = head->family,
        .type = from->type,
        .state = head->state,
        .timer = from->timer,
        .retransmits = from->retransmits,
    };
    memcpy(socket->local.bytes, from->local, sizeof(from->local));
    memcpy(socket->peer.bytes, from->peer, sizeof(from->peer));
}

static uint32_t ticks_ms(uint32_t ticks, uint32_t tick_ns)
{
    return (uint32_t)((uint64_t)ticks * tick_ns / 1000000);
}

/* A listener has no data of its own. */
static int add_progress(struct snapshot *snapshot, const struct record_tcp *from, uint32_t tick_ns,
                        struct socket *socket)
{
    struct tcp_details *tcp;

    if (socket->state == STATE_LISTENING)
        return 0;
    tcp = snapshot_add_tcp(snapshot, socket);
    if (!tcp)
        return -ENOMEM;
    *tcp = (struct tcp_details){
        .known = TCP_INFO_RCV_WND,
        .bytes_acked = from->bytes_acked,
        .bytes_received = from->bytes_received,
        .bytes_retrans = from->bytes_retrans,
        .total_retrans = from->total_retrans,
        .data_segs_out = from->data_segs_out,
        .unacked = from->unacked,
        .lost = from->lost,
        .mss = from->mss,
        .pmtu = from->pmtu,
        .snd_wnd = from->snd_wnd,
        .rcv_wnd = from->rcv_wnd,
        .last_data_sent_ms = ticks_ms(from->data_sent_jiffies, tick_ns),
        .last_data_recv_ms = ticks_ms(from->data_recv_jiffies, tick_ns),
        .last_ack_recv_ms = ticks_ms(from->ack_recv_jiffies, tick_ns),
    };
    return 0;
}

static int add_memory(struct snapshot *snapshot, const struct record_tcp *from,
                      struct socket *socket)
{
    struct socket_memory *memory = snapshot_add_memory(snapshot, socket);

    if (!memory)
        return -ENOMEM;
    *memory = (struct socket_memory){
        .receive = from->receive,
        .receive_limit = from->receive_limit,
        .send = from->send,
        .send_limit = from->send_limit,
        .forward = from->forward,
        .write_queue = from->write_queue,
        .option = from->option,
        .backlog = from->backlog,
    };
    return 0;
}

/* What is asked for (enum need). */
static int add_details(struct snapshot *snapshot, uint64_t needs, const struct record_tcp *from,
                       uint32_t tick_ns, struct socket *socket)
{
    int r = needs & NEED_TCP_PROGRESS ? add_progress(snapshot, from, tick_ns, socket) : 0;

    return r == 0 && needs & NEED_MEMORY ? add_memory(snapshot, from, socket) : r;
}

/* The kernel's tick (1/CONFIG_HZ) is the resolution of its coarse clock. */
uint32_t socket_records_tick(void)
{
    struct timespec tick;

    return clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0 ? (uint32_t)tick.tv_nsec : 4000000;
}

int socket_records_add(const struct socket_records *records, uint32_t netns,
                       const struct record *record)
{
    struct collection *collection = records->collection;
    struct snapshot *snapshot = collection->snapshot;
    uint64_t cookie = record->head->cookie;
    uint32_t index = cookie ? map_get(&collection->by_cookie, cookie) : MAP_NONE;
    bool is_new = index == MAP_NONE;
    int r = 0;

    if (is_new && !snapshot_add_socket(snapshot))
        return -ENOMEM;
    if (is_new)
        index = snapshot->sockets_count - 1;
    fill_socket(record, netns, records->tick_ns, &snapshot->sockets[index]);
    if (record->tcp)
        r = add_details(snapshot, collection->request->needs, record->tcp, records->tick_ns,
                        &snapshot->sockets[index]);
    if (r == 0 && is_new && cookie && !records->unindexed)
        r = map_set(&collection->by_cookie, cookie, index);
    return r;
}

void socket_records_set_idle(const struct socket_records *records, struct iterator_filter *filter)
{
    uint64_t nanoseconds = (uint64_t)records->collection->request->idle_ms * 1000000;

    filter->idle_ticks = (uint32_t)(nanoseconds / records->tick_ns);
}

void socket_records_count(const struct socket_records *records, uint32_t netns,
                          const struct record *record)
{
    socket_records_count_many(records, netns, record->head->state, 1);
}

void socket_records_count_many(const struct socket_records *records, uint32_t netns,
                               unsigned int state, uint32_t count)
{
    struct snapshot *snapshot = records->collection->snapshot;

    if (state >= STATE_MAX)
        return;
    snapshot->netns[netns].counted[state] += count;
    snapshot->counted += count;
}

void socket_records_forget_counted(const struct socket_records *records)
{
    struct snapshot *snapshot = records->collection->snapshot;

    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        memset(snapshot->netns[i].counted, 0, sizeof(snapshot->netns[i].counted));
    snapshot->counted = 0;
}
