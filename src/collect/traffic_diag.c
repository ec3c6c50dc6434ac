/* SPDX-License-Identifier: MIT */
/* Traffic without BPF: differences of what tcp_info says, and the last word on each connection. */
/*
 * The kernel tells every listener of a multicast group which sockets it destroys, with their
 * counters (since 4.3, without privilege, in the own network namespace): connections that end
 * between two readings are counted to the last byte. Who had those that also began between them is
 * not known.
 */
#include "base/vec.h"
#include "collect/collect.h"
#include "collect/inet_diag_message.h"
#include "collect/traffic_source.h"

#include <linux/inet_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SOURCE "sock_diag tcp_info"
#define RECEIVE_BUFFER (4 * 1024 * 1024)
#define CLOSED_MAX 262144 /* kept between two readings: the screen may be paused for hours */
#define LOSSES_MAX 64     /* in one reading: it has an end, whatever comes */
#define NEEDS (NEED_SOCKETS | NEED_TCP_INFO | NEED_OWNERS)

/* A connection, as the last reading saw it. */
struct known {
    struct flow_report facts; /* bytes: all since it began */
    bool seen;                /* by the reading that is being done */
};

struct diag_state {
    struct known *known;
    uint32_t known_count, known_capacity;
    struct map by_cookie;   /* -> index of known */
    struct snapshot closed; /* sockets that were destroyed since the last reading */
    struct map holders;     /* inode -> index of the first holder, while a reading is done */
    uint32_t netns;         /* inode of the own namespace: that of the closed ones */
    int fd;                 /* joined to the multicast groups; -1: could not be */
    bool lost;              /* some were destroyed that could not be told of */
};

/* --- the last word --- */

static int take_closed(void *context, const struct nlmsghdr *message)
{
    struct diag_state *state = context;
    const void *payload = NLMSG_DATA(message);
    size_t length = NLMSG_PAYLOAD(message, 0);
    struct socket *socket;

    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || length < sizeof(struct inet_diag_msg))
        return 0;
    if (state->closed.sockets_count >= CLOSED_MAX) {
        state->lost = true;
        return 0;
    }
    socket = snapshot_add_socket(&state->closed);
    if (!socket)
        return -ENOMEM;
    socket->proto = PROTO_TCP;
    inet_diag_fill(socket, payload);
    return inet_diag_details(&state->closed, state->closed.sockets_count - 1, payload, length);
}

static int drain(void *context)
{
    struct diag_state *state = context;
    unsigned int losses = 0;
    int r = 0;

    while (r == 0 && state->fd >= 0 && losses < LOSSES_MAX) {
        r = netlink_hear(state->fd, MSG_DONTWAIT, take_closed, state);
        if (r == -ENOBUFS) {
            state->lost = true;
            losses++;
            r = 0;
        }
    }
    return r == -EAGAIN ? 0 : r;
}

/* --- differences --- */

/*
 * What a FIN of the peer adds to bytes_received is no payload. One that was destroyed has had it,
 * unless it was reset, which is not told.
 */
static bool has_fin(const struct socket *socket)
{
    return socket->state == STATE_CLOSE_WAIT || socket->state == STATE_LAST_ACK ||
           socket->state == STATE_CLOSING || socket->state == STATE_BOUND_INACTIVE;
}

static bool payload_of(const struct snapshot *snapshot, const struct socket *socket,
                       struct traffic *ret_bytes)
{
    const struct tcp_details *tcp = snapshot_tcp(snapshot, socket);
    struct traffic bytes;

    if (!tcp_payload_sent(tcp, &bytes.tx_bytes) || !tcp_payload_received(tcp, &bytes.rx_bytes))
        return false;
    if (has_fin(socket) && bytes.rx_bytes)
        bytes.rx_bytes--;
    *ret_bytes = bytes;
    return true;
}

static int find_known(struct diag_state *state, const struct flow_report *facts,
                      struct known **ret_known)
{
    uint32_t index = map_get(&state->by_cookie, facts->cookie);
    int r;

    if (index == MAP_NONE) {
        index = state->known_count;
        r = VEC_RESERVE(&state->known, &state->known_capacity, index, 1);
        if (r == 0)
            r = map_set(&state->by_cookie, facts->cookie, index);
        if (r < 0)
            return r;
        state->known[index] = (struct known){.facts = *facts};
        state->known[index].facts.bytes = (struct traffic){0};
        state->known_count++;
    }
    *ret_known = &state->known[index];
    return 0;
}

/* The first holder by pid stands for all: which of them sent is not told. */
static void take_owner(const struct diag_state *state, const struct snapshot *snapshot,
                       const struct socket *socket, struct flow_report *facts)
{
    uint32_t index = socket->inode ? map_get(&state->holders, socket->inode) : MAP_NONE;
    const struct process *process;
    const char *comm;
    size_t length;

    if (index == MAP_NONE)
        return;
    process = &snapshot->processes[snapshot->holders[index].process];
    facts->pid = facts->tid = process->pid;
    facts->start_ticks = process->has & PROCESS_HAS_START ? process->start_ticks : 0;
    comm = snapshot_string(snapshot, process->comm, &length);
    memcpy(facts->comm, comm, length < sizeof(facts->comm) ? length : sizeof(facts->comm));
}

static struct flow_report facts_of(const struct socket *socket, uint32_t netns)
{
    return (struct flow_report){
        .cookie = socket->cookie,
        .cgroup_id = socket->cgroup_id,
        .uid = socket->uid,
        .netns = netns,
        .ifindex = socket->ifindex,
        .local_port = socket->local_port,
        .peer_port = socket->peer_port,
        .proto = socket->proto,
        .family = socket->family,
        .local = socket->local,
        .peer = socket->peer,
    };
}

/* NULL table: only remembers. A counter never goes back; where it does it is left as it was. */
static int report_socket(struct diag_state *state, struct flow_table *table,
                         const struct snapshot *snapshot, const struct socket *socket,
                         uint32_t netns)
{
    struct flow_report facts = facts_of(socket, netns);
    struct traffic bytes;
    struct known *known;
    int r;

    if (socket->proto != PROTO_TCP || !socket->cookie || socket->state == STATE_LISTENING ||
        !payload_of(snapshot, socket, &bytes))
        return 0;
    r = find_known(state, &facts, &known);
    if (r < 0)
        return r;
    known->seen = true;
    if (!known->facts.pid)
        take_owner(state, snapshot, socket, &known->facts);
    facts = known->facts;
    if (bytes.rx_bytes > facts.bytes.rx_bytes)
        known->facts.bytes.rx_bytes = bytes.rx_bytes;
    if (bytes.tx_bytes > facts.bytes.tx_bytes)
        known->facts.bytes.tx_bytes = bytes.tx_bytes;
    facts.bytes.rx_bytes = known->facts.bytes.rx_bytes - facts.bytes.rx_bytes;
    facts.bytes.tx_bytes = known->facts.bytes.tx_bytes - facts.bytes.tx_bytes;
    if (!table || (!facts.bytes.rx_bytes && !facts.bytes.tx_bytes))
        return 0;
    return flow_table_report(table, &facts);
}

/* The first by pid of the holders of each socket. */
static int index_holders(struct diag_state *state, const struct snapshot *snapshot)
{
    int r = 0;

    map_clear(&state->holders);
    for (uint32_t i = 0; i < snapshot->holders_count && r == 0; i++) {
        const struct holder *holder = &snapshot->holders[i];
        uint32_t other = map_get(&state->holders, holder->inode);

        if (other == MAP_NONE || snapshot->processes[holder->process].pid <
                                     snapshot->processes[snapshot->holders[other].process].pid)
            r = map_set(&state->holders, holder->inode, i);
    }
    return r;
}

static int report_all(struct diag_state *state, struct flow_table *table,
                      const struct snapshot *snapshot)
{
    int r = index_holders(state, snapshot);

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];

        r = report_socket(state, table, snapshot, socket, snapshot->netns[socket->netns].inode);
    }
    return r;
}

/* Connections that this reading did not see any more have ended. */
static int forget(struct diag_state *state, struct flow_table *table, uint64_t now_ns)
{
    uint32_t kept = 0;
    int r = 0;

    map_clear(&state->by_cookie);
    for (uint32_t i = 0; i < state->known_count && r == 0; i++) {
        if (!state->known[i].seen) {
            flow_table_close(table, state->known[i].facts.cookie, now_ns);
            continue;
        }
        state->known[kept] = state->known[i];
        state->known[kept].seen = false;
        r = map_set(&state->by_cookie, state->known[kept].facts.cookie, kept);
        kept++;
    }
    state->known_count = kept;
    return r;
}

static int report_closed(struct diag_state *state, struct flow_table *table)
{
    const struct snapshot *closed = &state->closed;
    int r = 0;

    for (uint32_t i = 0; i < closed->sockets_count && r == 0; i++) {
        uint32_t index;

        r = report_socket(state, table, closed, &closed->sockets[i], state->netns);
        index = map_get(&state->by_cookie, closed->sockets[i].cookie);
        if (index != MAP_NONE)
            state->known[index].seen = false; /* and is forgotten with those that were not found */
    }
    snapshot_done(&state->closed);
    return r < 0 ? r : snapshot_init(&state->closed);
}

static int read_traffic(void *context, struct flow_table *table, struct collection *collection,
                        uint64_t now_ns)
{
    struct diag_state *state = context;
    struct snapshot *snapshot = collection->snapshot;
    int r = drain(state);

    if (r == 0)
        r = report_all(state, table, snapshot);
    if (r == 0)
        r = report_closed(state, table);
    if (r == 0)
        r = forget(state, table, now_ns);
    snapshot_note(snapshot, NOTE_INFO, SOURCE, 0,
                  "only TCP is counted; UDP and other traffic is in the interface's counters");
    if (state->fd < 0 || state->lost)
        snapshot_note(snapshot, NOTE_DETAIL, SOURCE, 0,
                      "bytes of connections that ended between two readings may be missing");
    return r;
}

/* --- beginning and end --- */

static void close_state(void *context)
{
    struct diag_state *state = context;

    if (!state)
        return;
    if (state->fd >= 0)
        close(state->fd);
    map_done(&state->by_cookie);
    map_done(&state->holders);
    snapshot_done(&state->closed);
    free(state->known);
    free(state);
}

/* What the connections that are there have sent and received before now. */
static int take_baseline(struct diag_state *state, const struct request *request)
{
    struct request all = *request;
    CLEANUP(snapshot_done) struct snapshot snapshot;
    int r = snapshot_init(&snapshot);

    all.needs = NEEDS;
    all.accounting = NULL;
    all.protos = PROTO_BIT(PROTO_TCP);
    all.states = STATE_ALL;
    all.match_count = 0;
    all.pids = NULL;
    if (r == 0)
        r = collect(&snapshot, &all);
    if (r < 0)
        return r;
    state->netns = snapshot.netns_count ? snapshot.netns[0].inode : 0;
    r = report_all(state, NULL, &snapshot);
    for (uint32_t i = 0; i < state->known_count; i++)
        state->known[i].seen = false;
    return r;
}

static int open_state(const struct request *request, uint64_t now_ns, void **ret_state, char *why,
                      size_t size)
{
    struct diag_state *state = calloc(1, sizeof(*state));
    int r = -ENOMEM;

    (void)now_ns;
    if (state) {
        state->fd = -1;
        r = snapshot_init(&state->closed);
    }
    if (r == 0) {
        if (netlink_join(NETLINK_SOCK_DIAG, TCP_DESTROY_GROUPS, RECEIVE_BUFFER, &state->fd) < 0)
            state->fd = -1; /* then what ends between two readings is missing */
        r = take_baseline(state, request);
    }
    if (r < 0) {
        snprintf(why, size, "cannot read connections: %s", strerror(-r));
        close_state(state);
        return r;
    }
    *ret_state = state;
    return 0;
}

static int state_fd(const void *context)
{
    const struct diag_state *state = context;

    return state->fd;
}

const struct traffic_source traffic_source_diag = {
    .name = SOURCE,
    .level = ACCOUNTING_TCP_INFO,
    .source = SOURCE_SOCK_DIAG,
    .needs = NEEDS,
    .open = open_state,
    .close = close_state,
    .fd = state_fd,
    .drain = drain,
    .read = read_traffic,
};
