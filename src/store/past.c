/* SPDX-License-Identifier: MIT */
/* Past: sums become flows, interfaces, counters, sockets and events of a snapshot. */
#include "store/past.h"

#include "base/vec.h"
#include "store/known.h"

#include <endian.h>
#include <sys/socket.h>
#include <unistd.h>

void past_begin(struct past *past, uint64_t since_ns, uint64_t until_ns)
{
    *past = (struct past){
        .since_ns = since_ns, .until_ns = until_ns, .connections = {.kind = CHUNK_CONNECTIONS}};
    for (unsigned int i = 0; i < CHUNK_KIND_MAX; i++)
        past->sums[i].kind = i;
}

void past_done(struct past *past)
{
    for (unsigned int i = 0; i < CHUNK_KIND_MAX; i++)
        sums_done(&past->sums[i]);
    chunk_done(&past->connections);
}

/* The measure of a row of sums that is made of this column of the chunk in this way. */
static uint64_t find_measure(enum chunk_kind kind, const uint64_t *row, unsigned int column,
                             enum measure_op op)
{
    const struct layout *layout = &layouts[kind];

    for (unsigned int i = 0; i < layout->measure_count; i++)
        if (layout->measures[i].column == column && layout->measures[i].op == op)
            return row[key_count(kind) + i];
    return 0;
}

/* --- flows --- */

static int add_endpoint(struct known *known, uint64_t id, struct flow *flow)
{
    const struct known_endpoint *endpoint;
    uint32_t index;
    int r;

    if (id == 0) {
        flow->flags |= FLOW_FOLDED;
        return 0;
    }
    r = known_endpoint(known, id, &index);
    if (r < 0)
        return r;
    endpoint = &known->endpoints[index];
    flow->proto = endpoint->proto;
    flow->family = endpoint->family;
    flow->peer = endpoint->address;
    if (endpoint->direction == ENDPOINT_IN)
        flow->local_port = endpoint->port;
    else
        flow->peer_port = endpoint->port;
    return endpoint->interface ? known_ifindex(known, flow->netns, endpoint->interface,
                                               &flow->ifindex)
                               : 0;
}

static void add_owner(const struct known *known, uint32_t at, struct flow *flow)
{
    const struct known_process *owner = &known->processes[at];
    const struct process *process;

    flow->netns = owner->netns;
    flow->flags |= owner->kind == PROCESS_OTHER ? FLOW_OTHER : 0;
    flow->process = owner->process;
    if (!owner->process)
        return;
    process = &known->snapshot->processes[owner->process - 1];
    flow->pid = process->pid;
    flow->uid = process->uid;
    flow->comm = process->comm;
    flow->start_ticks = process->start_ticks;
}

static int add_flow(struct known *known, const struct past *past, const uint64_t *row)
{
    const uint64_t *sum = row + key_count(CHUNK_FLOWS);
    struct flow flow = {
        .id = known->snapshot->flows_count + 1,
        .total = {sum[0], sum[1]},
        .wire = {sum[2], sum[3], sum[4], sum[5]},
        .sockets = (uint32_t)find_measure(CHUNK_FLOWS, row, FLOWS_SOCKETS, MEASURE_MAX),
        .first_ns = past->since_ns,
        .last_ns = past->until_ns,
    };
    struct flow *added;
    uint32_t process;
    int r = known_process(known, row[FLOWS_PROCESS], &process);

    if (r < 0)
        return r;
    add_owner(known, process, &flow);
    r = add_endpoint(known, row[FLOWS_ENDPOINT], &flow);
    if (r < 0)
        return r;
    for (unsigned int i = 0; i < FLOW_WINDOW_MAX; i++)
        flow.window[i] = flow.total;
    flow.wire_last = flow.wire;
    added = snapshot_add_flow(known->snapshot);
    if (!added)
        return -ENOMEM;
    *added = flow;
    return 0;
}

/* --- interfaces, counters, states --- */

static int add_interface(struct known *known, const struct past *past, const uint64_t *row)
{
    struct interface *interface;
    uint32_t index;
    int r = known_interface(known, row[INTERFACES_ID], &index);

    (void)past;
    if (r < 0)
        return r;
    interface = &known->snapshot->interfaces[index];
    memcpy(&interface->stats, row + key_count(CHUNK_INTERFACES), sizeof(interface->stats));
    interface->speed_mbit =
        (uint32_t)find_measure(CHUNK_INTERFACES, row, INTERFACES_SPEED, MEASURE_LAST);
    interface->has = INTERFACE_HAS_STATS | INTERFACE_HAS_NOHANDLER | INTERFACE_HAS_OTHERHOST;
    interface->has |= interface->speed_mbit ? INTERFACE_HAS_SPEED : 0;
    return 0;
}

static int add_counter(struct known *known, const struct past *past, const uint64_t *row)
{
    struct counter *counter;
    uint32_t index;
    int r = known_counter(known, row[COUNTERS_ID], &index);

    (void)past;
    if (r < 0)
        return r;
    counter = &known->snapshot->counters[index];
    counter->value = find_measure(CHUNK_COUNTERS, row, COUNTERS_VALUE,
                                  counter->flags & COUNTER_GAUGE ? MEASURE_LAST : MEASURE_SUM);
    return 0;
}

static int add_state(struct known *known, const struct past *past, struct store_answer *answer,
                     const uint64_t *row)
{
    struct state_count state = {
        .sum = find_measure(CHUNK_STATES, row, STATES_COUNT, MEASURE_SUM),
        .ticks = (uint32_t)past->ticks[CHUNK_STATES],
        .min = (uint32_t)find_measure(CHUNK_STATES, row, STATES_COUNT, MEASURE_MIN),
        .max = (uint32_t)find_measure(CHUNK_STATES, row, STATES_COUNT, MEASURE_MAX),
        .last = (uint32_t)find_measure(CHUNK_STATES, row, STATES_COUNT, MEASURE_LAST),
        .proto = (uint8_t)row[STATES_PROTO],
        .state = (uint8_t)row[STATES_STATE],
    };
    int r = known_netns(known, row[STATES_NETNS], &state.netns);

    if (find_measure(CHUNK_STATES, row, STATES_TICK, MEASURE_TICKS) < state.ticks)
        state.min = 0;
    if (r == 0)
        r = VEC_RESERVE(&answer->states, &answer->state_capacity, answer->state_count, 1);
    if (r == 0)
        answer->states[answer->state_count++] = state;
    return r;
}

/* --- those that listen, and connections --- */

static int add_listener(struct known *known, const struct past *past, const uint64_t *row)
{
    struct snapshot *snapshot = known->snapshot;
    const struct known_endpoint *endpoint;
    uint32_t at = 0, process = 0, netns = 0;
    struct socket *socket;
    int r = known_endpoint(known, row[LISTENERS_ENDPOINT], &at);

    (void)past;
    if (r == 0)
        r = known_netns(known, row[LISTENERS_NETNS], &netns);
    if (r == 0 && row[LISTENERS_PROCESS])
        r = known_process(known, row[LISTENERS_PROCESS], &process);
    if (r < 0)
        return r;
    socket = snapshot_add_socket(snapshot);
    if (!socket)
        return -ENOMEM;
    endpoint = &known->endpoints[at];
    *socket = (struct socket){
        .netns = netns,
        .inode = snapshot->sockets_count,
        .proto = endpoint->proto,
        .family = endpoint->family,
        .local = endpoint->address,
        .local_port = endpoint->port,
        .type = endpoint->proto == PROTO_TCP ? SOCK_STREAM : SOCK_DGRAM,
        .state = endpoint->proto == PROTO_TCP ? STATE_LISTENING : STATE_UNCONNECTED,
        .recv_q = (uint32_t)find_measure(CHUNK_LISTENERS, row, LISTENERS_WAITING, MEASURE_MAX),
        .send_q = (uint32_t)find_measure(CHUNK_LISTENERS, row, LISTENERS_LIMIT, MEASURE_LAST),
        .has = SOCKET_HAS_INODE | SOCKET_HAS_QUEUES,
    };
    socket->has |= socket->send_q ? SOCKET_HAS_BACKLOG : 0;
    if (!row[LISTENERS_PROCESS] || !known->processes[process].process)
        return 0;
    return snapshot_add_holder(snapshot,
                               (struct holder){.inode = socket->inode,
                                               .process = known->processes[process].process - 1,
                                               .fd = -1});
}

static void take_address(const uint64_t *row, union address *address)
{
    uint64_t halves[2] = {htobe64(row[0]), htobe64(row[1])};

    memcpy(address, halves, sizeof(halves));
}

static uint8_t word(const uint64_t *row, unsigned int number, unsigned int limit)
{
    uint8_t value = (uint8_t)(row[CONNECTIONS_WORDS] >> (8 * number));

    return value < limit ? value : 0;
}

/* Events name a control group by an id, which the store has not: that of its path is one. */
static int name_cgroup(struct snapshot *snapshot, const struct process *process, uint64_t *ret_id)
{
    uint32_t path = process->cgroup;

    *ret_id = path;
    if (!path || map_get(&snapshot->cgroup_index, path) != MAP_NONE)
        return 0;
    return snapshot_add_cgroup(snapshot, path, snapshot_string(snapshot, path, NULL));
}

/* Who it was of. */
static int fill_owner(const struct known *known, const struct known_process *owner,
                      struct event *event)
{
    const struct process *process;

    event->netns = owner->netns;
    if (!owner->process)
        return 0;
    process = &known->snapshot->processes[owner->process - 1];
    event->comm = process->comm;
    event->uid = process->uid;
    return name_cgroup(known->snapshot, process, &event->cgroup_id);
}

static int add_connection(struct known *known, const uint64_t *row)
{
    uint64_t time_ns = row[CONNECTIONS_TICK] - (uint64_t)unzigzag(row[CONNECTIONS_BEFORE_NS]);
    struct event event = {
        .time_ns = time_ns,
        .start_ns = time_ns - row[CONNECTIONS_DURATION_NS],
        .rx_bytes = row[CONNECTIONS_RX_BYTES],
        .tx_bytes = row[CONNECTIONS_TX_BYTES],
        .has = (uint32_t)row[CONNECTIONS_HAS] & ~(uint32_t)EVENT_HAS_PARENT,
        .handshake_us = (uint32_t)row[CONNECTIONS_HANDSHAKE_US],
        .rtt_us = (uint32_t)row[CONNECTIONS_RTT_US],
        .retransmits = (uint32_t)row[CONNECTIONS_RETRANSMITS],
        .error = (uint32_t)row[CONNECTIONS_ERROR],
        .local_port = (uint16_t)row[CONNECTIONS_LOCAL_PORT],
        .peer_port = (uint16_t)row[CONNECTIONS_PEER_PORT],
        .proto = word(row, 0, PROTO_MAX),
        .kind = word(row, 1, EVENT_KIND_MAX),
        .verdict = word(row, 2, EVENT_VERDICT_MAX),
        .ended_by = word(row, 3, EVENT_SIDE_MAX),
        .direction = word(row, 4, EVENT_DIRECTION_MAX),
        .owned_by = word(row, 5, EVENT_OWNER_KIND_MAX),
        .family = word(row, 6, UINT8_MAX),
    };
    struct event *added;
    uint32_t at;
    int r = known_process(known, row[CONNECTIONS_PROCESS], &at);

    if (r == 0)
        r = fill_owner(known, &known->processes[at], &event);
    if (r < 0)
        return r;
    event.pid = (uint32_t)row[CONNECTIONS_PID];
    take_address(&row[CONNECTIONS_PEER_HIGH], &event.peer);
    take_address(&row[CONNECTIONS_LOCAL_HIGH], &event.local);
    added = snapshot_add_event(known->snapshot);
    if (!added)
        return -ENOMEM;
    *added = event;
    return 0;
}

static int compare_events(const void *a, const void *b)
{
    const struct event *left = a, *right = b;

    return left->time_ns < right->time_ns ? -1 : left->time_ns > right->time_ns;
}

static int add_connections(struct known *known, const struct past *past)
{
    struct snapshot *snapshot = known->snapshot;
    int r = 0;

    for (uint32_t i = 0; i < past->connections.row_count && r == 0; i++)
        r = add_connection(known, chunk_row(&past->connections, i));
    if (snapshot->events_count)
        qsort(snapshot->events, snapshot->events_count, sizeof(*snapshot->events), compare_events);
    return r;
}

/* --- the whole --- */

static int add_notes(struct store *store, const struct past *past, struct store_answer *answer)
{
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_READ_NOTES,
                        "SELECT time_ns, kind, text FROM note"
                        " WHERE time_ns > ? AND time_ns <= ? ORDER BY time_ns, id",
                        &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, past->since_ns);
    sql_bind(statement, 2, past->until_ns);
    while ((r = sql_step(statement)) > 0) {
        struct store_note note = {.time_ns = sql_column(statement, 0), .kind = STORE_NOTE_KIND_MAX};
        const char *kind = (const char *)sqlite3_column_text(statement, 1);
        const char *text = (const char *)sqlite3_column_text(statement, 2);

        for (unsigned int i = 0; kind && i < STORE_NOTE_KIND_MAX; i++)
            if (strcmp(kind, store_note_kind_name(i)) == 0)
                note.kind = i;
        r = snapshot_intern(&answer->snapshot, text ? text : "",
                            (size_t)sqlite3_column_bytes(statement, 2), &note.text);
        if (r == 0)
            r = VEC_RESERVE(&answer->notes, &answer->note_capacity, answer->note_count, 1);
        if (r < 0)
            return r;
        answer->notes[answer->note_count++] = note;
    }
    return r;
}

static int (*const adders[CHUNK_KIND_MAX])(struct known *known, const struct past *past,
                                           const uint64_t *row) = {
    [CHUNK_FLOWS] = add_flow,
    [CHUNK_INTERFACES] = add_interface,
    [CHUNK_COUNTERS] = add_counter,
    [CHUNK_LISTENERS] = add_listener,
};

static int add_kind(struct known *known, const struct past *past, enum chunk_kind kind,
                    struct store_answer *answer)
{
    const struct sums *sums = &past->sums[kind];
    int r = kind == CHUNK_FLOWS ? snapshot_reserve_flows(known->snapshot, sums->count) : 0;

    for (uint32_t i = 0; i < sums->count && r == 0; i++)
        r = kind == CHUNK_STATES ? add_state(known, past, answer, sums_row(sums, i))
                                 : adders[kind](known, past, sums_row(sums, i));
    return r;
}

static int begin_answer(const struct past *past, const struct store_host *host,
                        struct store_answer *answer)
{
    struct snapshot *snapshot = &answer->snapshot;
    int r = snapshot_init(snapshot);

    if (r == 0)
        r = snapshot_intern(snapshot, host->machine.nodename, strlen(host->machine.nodename),
                            &snapshot->host);
    answer->since_ns = past->since_ns;
    answer->until_ns = past->until_ns;
    answer->measured_ns = past->measured_ns[CHUNK_FLOWS];
    answer->interface_measured_ns = past->measured_ns[CHUNK_INTERFACES]
                                        ? past->measured_ns[CHUNK_INTERFACES]
                                        : past->measured_ns[CHUNK_COUNTERS];
    answer->coarsest_ns = past->coarsest_ns;
    answer->last_ns = past->last_ns ? past->last_ns : past->until_ns;
    snapshot->time_ns = past->until_ns;
    snapshot->boot_ns = past->until_ns;
    snapshot->accounting = (uint32_t)(past->accounting % ACCOUNTING_LEVEL_MAX);
    for (unsigned int i = 0; i < FLOW_WINDOW_MAX; i++)
        snapshot->window_ns[i] = answer->measured_ns;
    return r;
}

/* What of it is damaged does not keep the rest from being answered. */
static int forgive(int result, uint32_t *broken)
{
    if (result != -EBADMSG)
        return result;
    ++*broken;
    return 0;
}

int past_answer(struct store *store, const struct past *past, unsigned int parts,
                struct store_answer *answer, uint32_t *broken)
{
    CLEANUP(known_done)
    struct known known = {.store = store, .snapshot = &answer->snapshot};
    struct store_host host = {0};
    int r = forgive(store_host(store, past->until_ns, &host), broken);

    if (r == 0)
        r = begin_answer(past, &host, answer);
    known.own_netns = host.netns;
    for (unsigned int kind = 0; kind < CHUNK_KIND_MAX && r == 0; kind++)
        r = add_kind(&known, past, kind, answer);
    if (r == 0)
        r = add_connections(&known, past);
    if (r == 0 && parts & STORE_NOTES)
        r = forgive(add_notes(store, past, answer), broken);
    *broken += known.broken;
    return r;
}
