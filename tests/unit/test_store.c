/* SPDX-License-Identifier: MIT */
/* Tests of the store: what goes in comes out, from every tier. */
#include "store_fixture.h"

#define ALL_TIME(ticks) .since_ns = BEGIN_NS - TICK_NS, .until_ns = BEGIN_NS + (ticks)*TICK_NS

static const struct flow *find_flow(const struct snapshot *snapshot, const char *comm,
                                    const char *peer)
{
    struct in_addr address = {0};

    if (peer)
        assert_int_equal(inet_pton(AF_INET, peer, &address), 1);
    for (uint32_t i = 0; i < snapshot->flows_count; i++) {
        const struct flow *flow = &snapshot->flows[i];

        if (strcmp(snapshot_string(snapshot, flow->comm, NULL), comm) != 0)
            continue;
        if (peer ? memcmp(&flow->peer, &address, 4) == 0 && flow->family
                 : (flow->flags & FLOW_FOLDED) != 0)
            return flow;
    }
    return NULL;
}

static void sums_of_flows_come_back(void **state)
{
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};
    const struct snapshot *past;
    const struct flow *flow;

    place_open(place, NULL);
    for (unsigned int i = 0; i < 3; i++) {
        struct snapshot tick;
        uint32_t nginx, curl;

        tick_begin(&tick, i);
        nginx = tick_process(&tick, 100, "nginx");
        curl = tick_process(&tick, 200, "curl");
        tick_flow(&tick, nginx, 1, 1000, 5);
        tick_flow(&tick, nginx, 2, 10, 7);
        tick_flow(&tick, curl, 1, 3, 0);
        tick_flow(&tick, curl, 3, 0, 0);
        tick_write(place, &tick);
    }
    place_ask(place, (struct store_question){ALL_TIME(3), .parts = STORE_PEERS}, &answers);
    assert_int_equal(answers.count, 1);
    past = &answers.items[0].snapshot;
    assert_int_equal(answers.items[0].measured_ns, 3 * TICK_NS);
    assert_int_equal(past->window_ns[FLOW_10S], 3 * TICK_NS);
    assert_int_equal(past->accounting, ACCOUNTING_BPF);
    assert_int_equal(past->flows_count, 3);
    flow = find_flow(past, "nginx", "10.0.0.1");
    assert_non_null(flow);
    assert_int_equal(flow->total.rx_bytes, 3000);
    assert_int_equal(flow->window[FLOW_LAST].tx_bytes, 15);
    assert_int_equal(flow->peer_port, 443);
    assert_int_equal(flow->local_port, 0);
    assert_int_equal(flow->pid, 100);
    assert_int_equal(flow->uid, 33);
    assert_string_equal(snapshot_string(past, past->processes[flow->process - 1].cgroup, NULL),
                        "/system.slice/a.service");
    assert_string_equal(snapshot_string(past, past->processes[flow->process - 1].exe, NULL),
                        "/usr/bin/nginx");
    assert_int_equal(past->netns[flow->netns].flags & NETNS_INIT, NETNS_INIT);
    assert_int_equal(find_flow(past, "curl", "10.0.0.1")->total.rx_bytes, 9);
}

/* Twelve peers, of which ten are told apart; the sums stay exact. */
static void small_peers_become_one(void **state)
{
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};
    const struct snapshot *past;
    struct snapshot tick;
    uint32_t process;

    place_open(place, NULL);
    tick_begin(&tick, 0);
    process = tick_process(&tick, 100, "nginx");
    for (uint32_t i = 1; i <= 12; i++)
        tick_flow(&tick, process, i, i * 100, i);
    tick_write(place, &tick);
    place_ask(place, (struct store_question){ALL_TIME(1), .parts = STORE_PEERS}, &answers);
    past = &answers.items[0].snapshot;
    assert_int_equal(past->flows_count, 11);
    assert_null(find_flow(past, "nginx", "10.0.0.2"));
    assert_non_null(find_flow(past, "nginx", "10.0.0.3"));
    assert_int_equal(find_flow(past, "nginx", NULL)->total.rx_bytes, 300);
    assert_int_equal(find_flow(past, "nginx", NULL)->sockets, 2);
    assert_int_equal(sum_of(past).rx_bytes, 7800);
    assert_int_equal(sum_of(past).tx_bytes, 78);
}

/* A process that has ended keeps its name; what belongs to nobody is nobody's. */
static void flows_without_a_process_come_back(void **state)
{
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};
    const struct snapshot *past;
    struct snapshot tick;
    uint32_t process;

    place_open(place, NULL);
    tick_begin(&tick, 0);
    process = tick_process(&tick, 100, "curl");
    tick_flow(&tick, process, 1, 5, 0);
    tick_write(place, &tick);
    tick_begin(&tick, 1);
    process = tick_process(&tick, 1, "init");
    *tick_flow(&tick, process, 1, 7, 0) = (struct flow){.id = 1,
                                                        .pid = 100,
                                                        .start_ticks = 100,
                                                        .comm = text_of(&tick, "worker"),
                                                        .flags = FLOW_EXITED | FLOW_FOLDED,
                                                        .sockets = 3,
                                                        .window[FLOW_LAST] = {7, 0}};
    *tick_flow(&tick, process, 1, 0, 0) =
        (struct flow){.id = 2, .flags = FLOW_OTHER, .window[FLOW_LAST] = {0, 11}};
    tick_write(place, &tick);
    place_ask(place, (struct store_question){ALL_TIME(2), .parts = STORE_PROCESSES}, &answers);
    past = &answers.items[0].snapshot;
    assert_int_equal(past->flows_count, 2);
    assert_int_equal(find_flow(past, "curl", NULL)->total.rx_bytes, 12);
    assert_int_equal(find_flow(past, "", NULL)->total.tx_bytes, 11);
    assert_int_equal(find_flow(past, "", NULL)->flags & FLOW_OTHER, FLOW_OTHER);
    assert_int_equal(find_flow(past, "", NULL)->process, 0);
}

/* What was before a process began stays that of the one before it, whatever comes later. */
static void the_past_keeps_its_processes(void **state)
{
    static const uint32_t pids[] = {100, 200, 300, 200};
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};

    place_open(place, NULL);
    for (unsigned int i = 0; i < ARRAY_SIZE(pids); i++) {
        struct snapshot tick;

        tick_begin(&tick, i);
        tick_flow(&tick, tick_process(&tick, pids[i], "curl"), 1, 5, 0);
        tick_write(place, &tick);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(pids); i++) {
        place_ask(place, (struct store_question){ALL_TIME(i), .parts = STORE_PROCESSES}, &answers);
        assert_int_equal(find_flow(&answers.items[i].snapshot, "curl", NULL)->pid,
                         i < 3 ? pids[i] : 300);
    }
}

/* Who listens serves; a port that the kernel chose for a client does not. */
static void directions_are_known(void **state)
{
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};
    const struct snapshot *past;
    const struct flow *flow;
    struct snapshot tick;
    struct socket *socket;
    uint32_t process;

    place_open(place, NULL);
    tick_begin(&tick, 0);
    process = tick_process(&tick, 100, "sshd");
    socket = snapshot_add_socket(&tick);
    *socket = (struct socket){.inode = 7,
                              .proto = PROTO_TCP,
                              .family = AF_INET,
                              .local_port = 22,
                              .state = STATE_LISTENING,
                              .recv_q = 2,
                              .send_q = 128,
                              .has = SOCKET_HAS_INODE | SOCKET_HAS_QUEUES | SOCKET_HAS_BACKLOG};
    assert_int_equal(snapshot_add_holder(&tick, (struct holder){.inode = 7, .process = process}),
                     0);
    flow = tick_flow(&tick, process, 1, 9, 0);
    tick.flows[0].local_port = 22;
    tick.flows[0].peer_port = 50000;
    tick_flow(&tick, process, 2, 8, 0);
    tick_write(place, &tick);
    place_ask(
        place,
        (struct store_question){ALL_TIME(1), .parts = STORE_PEERS | STORE_LISTENERS | STORE_STATES},
        &answers);
    past = &answers.items[0].snapshot;
    flow = find_flow(past, "sshd", "10.0.0.1");
    assert_int_equal(flow->local_port, 22);
    assert_int_equal(flow->peer_port, 0);
    assert_int_equal(find_flow(past, "sshd", "10.0.0.2")->peer_port, 443);
    assert_int_equal(past->sockets_count, 1);
    assert_int_equal(past->sockets[0].state, STATE_LISTENING);
    assert_int_equal(past->sockets[0].recv_q, 2);
    assert_int_equal(past->sockets[0].send_q, 128);
    assert_int_equal(past->sockets[0].local_port, 22);
    assert_int_equal(past->holders_count, 1);
    assert_int_equal(past->processes[past->holders[0].process].pid, 100);
    assert_int_equal(answers.items[0].state_count, 1);
    assert_int_equal(answers.items[0].states[0].state, STATE_LISTENING);
    assert_int_equal(answers.items[0].states[0].max, 1);
}

static uint32_t count_of(const struct store_answer *answer, enum socket_state state)
{
    for (uint32_t i = 0; i < answer->state_count; i++)
        if (answer->states[i].proto == PROTO_TCP && answer->states[i].state == state)
            return answer->states[i].last;
    return 0;
}

/* With and without others that are listed. */
static void sockets_that_are_only_counted_are_there(void **state)
{
    struct place *place = *state;

    place_open(place, NULL);
    for (uint32_t listed = 0; listed < 2; listed++) {
        CLEANUP_ANSWERS struct answers answers = {0};
        struct snapshot tick;

        tick_begin(&tick, listed);
        tick.netns[0].counted[STATE_TIME_WAIT] = tick.counted = 5;
        if (listed)
            *snapshot_add_socket(&tick) =
                (struct socket){.proto = PROTO_TCP, .state = STATE_TIME_WAIT};
        tick_write(place, &tick);
        place_ask(place, (struct store_question){ALL_TIME(2), .parts = STORE_STATES}, &answers);
        assert_int_equal(answers.items[0].state_count, 1);
        assert_int_equal(count_of(&answers.items[0], STATE_TIME_WAIT), 5 + listed);
    }
}

static void add_counters(struct snapshot *tick, uint64_t number)
{
    const struct counter counters[] = {
        {.value = number * 3, .name = text_of(tick, "TcpRetransSegs")},
        {.value = 40 + number, .name = text_of(tick, "TCPinuse"), .flags = COUNTER_GAUGE},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(counters); i++)
        *snapshot_add_counter(tick) = counters[i];
    assert_int_equal(snapshot_add_interface(tick, 0, 2, "eth0"), 0);
    tick->interfaces[0].has = INTERFACE_HAS_STATS | INTERFACE_HAS_SPEED;
    tick->interfaces[0].speed_mbit = 1000;
    tick->interfaces[0].stats.rx_bytes = 1000000 + number * 100;
    tick->interfaces[0].stats.rx_otherhost_dropped = number;
}

#define ABSENT UINT64_MAX

static uint64_t counted(const struct snapshot *past, const char *name, uint32_t cpu)
{
    for (uint32_t i = 0; i < past->counters_count; i++)
        if (strcmp(snapshot_string(past, past->counters[i].name, NULL), name) == 0 &&
            past->counters[i].cpu == cpu)
            return past->counters[i].value;
    return ABSENT;
}

/* The first tick has nothing to compare with: its time is not measured. */
static void counters_are_differences(void **state)
{
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};
    const struct snapshot *past;

    place_open(place, NULL);
    for (unsigned int i = 0; i < 4; i++) {
        struct snapshot tick;

        tick_begin(&tick, i);
        add_counters(&tick, i);
        tick_write(place, &tick);
    }
    place_ask(place,
              (struct store_question){ALL_TIME(4), .parts = STORE_INTERFACES | STORE_COUNTERS},
              &answers);
    past = &answers.items[0].snapshot;
    assert_int_equal(answers.items[0].interface_measured_ns, 3 * TICK_NS);
    assert_int_equal(past->interfaces_count, 1);
    assert_string_equal(snapshot_string(past, past->interfaces[0].name, NULL), "eth0");
    assert_int_equal(past->interfaces[0].stats.rx_bytes, 300);
    assert_int_equal(past->interfaces[0].stats.rx_otherhost_dropped, 3);
    assert_int_equal(past->interfaces[0].speed_mbit, 1000);
    assert_int_equal(past->counters_count, 2);
    assert_int_equal(counted(past, "TcpRetransSegs", 0), 9);
    assert_int_equal(counted(past, "TCPinuse", 0), 43);
}

/* What is 0 has no name in the file; what comes later has counted since the tick before, if that
 * had its file, too. */
static void counters_begin_at_0(void **state)
{
    static const struct {
        const char *name;
        enum counter_source source;
        uint32_t cpu;
        uint64_t values[6], counted;
    } counters[] = {
        {"TcpRetransSegs", COUNTER_SNMP, 0, {0, 0, 7, 7, 0, 4}, 11},
        {"IcmpMsgInType3", COUNTER_SNMP, 0, {ABSENT, ABSENT, 3, 3, 5, 5}, 5},
        {"TcpOutRsts", COUNTER_SNMP, 0, {0, 0, 0, 0, 0, 0}, ABSENT},
        {"TcpExtTCPTimeouts", COUNTER_NETSTAT, 0, {5, ABSENT, 9, 10, ABSENT, ABSENT}, 1},
        {"dropped", COUNTER_SOFTNET, 1, {1, 1, 1, 1, 1, 1}, ABSENT},
        {"dropped", COUNTER_SOFTNET, 2, {ABSENT, 100, 130, ABSENT, 200, 210}, 40},
    };
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};

    place_open(place, NULL);
    for (unsigned int i = 0; i < ARRAY_SIZE(counters->values); i++) {
        struct snapshot tick;

        tick_begin(&tick, i);
        for (unsigned int j = 0; j < ARRAY_SIZE(counters); j++)
            if (counters[j].values[i] != ABSENT)
                *snapshot_add_counter(&tick) =
                    (struct counter){.value = counters[j].values[i],
                                     .name = text_of(&tick, counters[j].name),
                                     .source = counters[j].source,
                                     .cpu = counters[j].cpu};
        tick_write(place, &tick);
    }
    place_ask(place, (struct store_question){ALL_TIME(6), .parts = STORE_COUNTERS}, &answers);
    for (unsigned int j = 0; j < ARRAY_SIZE(counters); j++)
        assert_int_equal(counted(&answers.items[0].snapshot, counters[j].name, counters[j].cpu),
                         counters[j].counted);
    assert_int_equal(place_number(place, "SELECT count(*) FROM counter"), 5);
}

static bool says(const struct snapshot *past, const char *words)
{
    for (uint32_t i = 0; i < past->notes_count; i++)
        if (strstr(snapshot_string(past, past->notes[i].text, NULL), words))
            return true;
    return false;
}

/* As it is where more connections end in a tick than are listed. */
static void that_peers_are_missing_is_said(void **state)
{
    struct place *place = *state;
    struct snapshot tick;
    uint32_t nginx;

    place_open(place, NULL);
    for (unsigned int i = 0; i < 2; i++) {
        tick_begin(&tick, i);
        nginx = tick_process(&tick, 100, "nginx");
        tick_flow(&tick, nginx, 1, 100, 0);
        tick_flow(&tick, nginx, 2, i ? 900 : 10, 0)->flags = FLOW_FOLDED;
        tick_write(place, &tick);
    }
    for (unsigned int i = 0; i < 2; i++) {
        CLEANUP_ANSWERS struct answers answers = {0};

        place_ask(place,
                  (struct store_question){.since_ns = BEGIN_NS + i * TICK_NS - TICK_NS,
                                          .until_ns = BEGIN_NS + i * TICK_NS,
                                          .parts = STORE_PEERS},
                  &answers);
        assert_int_equal(says(&answers.items[0].snapshot, "of 90% of the bytes no peer was kept"),
                         i == 1);
        assert_int_equal(says(&answers.items[0].snapshot, "no peer was kept"), i == 1);
    }
}

static void connections_come_back(void **state)
{
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};
    struct snapshot tick;
    const struct event *event;
    uint32_t comm, path;

    place_open(place, NULL);
    tick_begin(&tick, 0);
    comm = text_of(&tick, "curl");
    assert_int_equal(snapshot_add_cgroup(&tick, 77, "/system.slice/a.service"), 0);
    *snapshot_add_event(&tick) =
        (struct event){.time_ns = tick.boot_ns - 3 * SECOND_NS,
                       .start_ns = tick.boot_ns - 5 * SECOND_NS,
                       .rx_bytes = 700,
                       .tx_bytes = 80,
                       .has = EVENT_HAS_PROCESS | EVENT_HAS_BYTES | EVENT_HAS_START | EVENT_HAS_UID,
                       .pid = 9,
                       .uid = 1000,
                       .comm = comm,
                       .cgroup_id = 77,
                       .local_port = 40001,
                       .peer_port = 80,
                       .kind = EVENT_CLOSED,
                       .verdict = EVENT_RESET,
                       .direction = EVENT_OUT,
                       .ended_by = EVENT_SIDE_PEER,
                       .proto = PROTO_TCP,
                       .family = AF_INET,
                       .peer = {{192, 0, 2, 1}},
                       .local = {{10, 0, 0, 1}}};
    tick_write(place, &tick);
    place_ask(place, (struct store_question){ALL_TIME(1), .parts = STORE_CONNECTIONS}, &answers);
    assert_int_equal(answers.items[0].snapshot.events_count, 1);
    event = &answers.items[0].snapshot.events[0];
    assert_int_equal(event->time_ns, BEGIN_NS - 3 * SECOND_NS);
    assert_int_equal(event->start_ns, BEGIN_NS - 5 * SECOND_NS);
    assert_int_equal(event->rx_bytes, 700);
    assert_int_equal(event->pid, 9);
    assert_int_equal(event->uid, 1000);
    assert_int_equal(event->verdict, EVENT_RESET);
    assert_int_equal(event->ended_by, EVENT_SIDE_PEER);
    assert_int_equal(event->peer_port, 80);
    assert_int_equal(event->peer.bytes[0], 192);
    assert_int_equal(event->local.bytes[3], 1);
    assert_string_equal(snapshot_string(&answers.items[0].snapshot, event->comm, NULL), "curl");
    path = snapshot_cgroup_path(&answers.items[0].snapshot, event->cgroup_id);
    assert_string_equal(snapshot_string(&answers.items[0].snapshot, path, NULL),
                        "/system.slice/a.service");
}

static void notes_come_back(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    CLEANUP_ANSWERS struct answers answers = {0};
    const struct store_answer *answer;
    struct store *beside;

    place_open(place, NULL);
    assert_int_equal(store_open_to_note(place->path, &beside, &problem), 0);
    assert_int_equal(store_note(beside, BEGIN_NS + 15 * SECOND_NS, STORE_MARK, "deployed v2"), 0);
    store_close(beside);
    place_ask(place, (struct store_question){ALL_TIME(1), .parts = STORE_NOTES}, &answers);
    answer = &answers.items[0];
    assert_int_equal(answer->note_count, 0); /* it was later than what was asked for */
    answers_done(&answers);
    place_ask(place, (struct store_question){ALL_TIME(2), .parts = STORE_NOTES}, &answers);
    assert_int_equal(answer->note_count, 1);
    assert_int_equal(answer->notes[0].kind, STORE_MARK);
    assert_string_equal(snapshot_string(&answer->snapshot, answer->notes[0].text, NULL),
                        "deployed v2");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sums_of_flows_come_back),
        TEST(small_peers_become_one),
        TEST(flows_without_a_process_come_back),
        TEST(the_past_keeps_its_processes),
        TEST(directions_are_known),
        TEST(sockets_that_are_only_counted_are_there),
        TEST(counters_are_differences),
        TEST(counters_begin_at_0),
        TEST(that_peers_are_missing_is_said),
        TEST(connections_come_back),
        TEST(notes_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
