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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_of_flows_come_back, place_make, place_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
