/* SPDX-License-Identifier: MIT */
/* Reconciliation on hand-made snapshots: the shares add up, and each is what it says. */
#include "derive/rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND UINT64_C(1000000000)

struct machine {
    struct snapshot before, now;
    struct rates rates;
};

static void add_link(struct snapshot *snapshot, uint32_t ifindex, const char *name, uint64_t bytes,
                     uint64_t packets)
{
    struct interface *interface;

    assert_int_equal(snapshot_add_interface(snapshot, 0, ifindex, name), 0);
    interface = &snapshot->interfaces[snapshot->interfaces_count - 1];
    interface->has = INTERFACE_HAS_STATS;
    interface->type = ifindex == 1 ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
    interface->stats = (struct link_stats){
        .rx_bytes = bytes, .tx_bytes = bytes, .rx_packets = packets, .tx_packets = packets};
}

static void add_forwarded(struct snapshot *snapshot, uint64_t packets)
{
    struct counter *counter = snapshot_add_counter(snapshot);

    assert_non_null(counter);
    assert_int_equal(snapshot_intern(snapshot, "IpForwDatagrams", 15, &counter->name), 0);
    counter->value = packets;
}

static void begin(struct snapshot *snapshot, uint64_t time_ns, uint64_t bytes, uint64_t packets,
                  uint64_t forwarded)
{
    uint32_t netns;

    assert_int_equal(snapshot_init(snapshot), 0);
    assert_int_equal(snapshot_add_netns(snapshot, 4026531840u, &netns), 0);
    snapshot->boot_ns = time_ns;
    snapshot->accounting = ACCOUNTING_BPF;
    add_link(snapshot, 1, "lo", bytes, packets);
    add_link(snapshot, 2, "eth0", bytes, packets);
    add_forwarded(snapshot, forwarded);
}

static void add_flow(struct snapshot *snapshot, uint32_t ifindex, uint64_t rx, uint64_t tx)
{
    struct flow *flow = snapshot_add_flow(snapshot);

    assert_non_null(flow);
    flow->family = AF_INET;
    flow->proto = PROTO_TCP;
    flow->ifindex = ifindex;
    flow->window[FLOW_LAST] = (struct traffic){rx, tx};
}

static void compare(struct machine *machine)
{
    assert_int_equal(rates_make(&machine->now, &machine->before, NULL, &machine->rates), 0);
}

static void end(struct machine *machine)
{
    rates_done(&machine->rates);
    snapshot_done(&machine->before);
    snapshot_done(&machine->now);
}

static void assert_sum(const struct interface_shares *shares, uint64_t bytes)
{
    assert_int_equal(shares->named + shares->headers + shares->forwarded + shares->unowned, bytes);
}

static void shares_add_up(void **state)
{
    struct machine machine = {0};
    const struct interface_rate *rates;

    (void)state;
    begin(&machine.before, SECOND, 0, 0, 0);
    begin(&machine.now, 2 * SECOND, 100000, 100, 0);
    add_flow(&machine.now, 2, 90000, 0);
    add_flow(&machine.now, 1, 40000, 40000);
    compare(&machine);
    rates = machine.rates.interfaces;
    assert_true(rates[1].shares_known);
    assert_int_equal(rates[1].rx_shares.named, 90000);
    assert_int_equal(rates[1].rx_shares.headers, 100 * 66);
    assert_int_equal(rates[1].rx_shares.forwarded, 0);
    assert_int_equal(rates[1].rx_shares.unowned, 100000 - 90000 - 6600);
    assert_int_equal(rates[1].tx_shares.named, 0);
    assert_int_equal(rates[1].tx_shares.headers, 6600); /* acknowledgements */
    assert_int_equal(rates[0].rx_shares.named, 40000);
    assert_sum(&rates[1].rx_shares, 100000);
    assert_sum(&rates[1].tx_shares, 100000);
    assert_sum(&rates[0].rx_shares, 100000);
    end(&machine);
}

static void without_flows_nothing_is_a_header(void **state)
{
    struct machine machine = {0};

    (void)state;
    begin(&machine.before, SECOND, 0, 0, 0);
    begin(&machine.now, 2 * SECOND, 9800, 100, 0);
    compare(&machine);
    assert_int_equal(machine.rates.interfaces[1].rx_shares.unowned, 9800);
    assert_int_equal(machine.rates.interfaces[1].rx_shares.headers, 0);
    end(&machine);
}

static void a_router_forwards(void **state)
{
    struct machine machine = {0};
    const struct interface_shares *shares;

    (void)state;
    begin(&machine.before, SECOND, 0, 0, 500);
    begin(&machine.now, 2 * SECOND, 1500000, 1000, 1480);
    add_flow(&machine.now, 2, 15000, 0);
    compare(&machine);
    shares = &machine.rates.interfaces[1].rx_shares;
    assert_int_equal(shares->named, 15000);
    assert_int_equal(shares->headers, 20 * 66);
    assert_int_equal(shares->forwarded, 1500000 - 15000 - 20 * 66);
    assert_int_equal(shares->unowned, 0);
    shares = &machine.rates.interfaces[0].rx_shares; /* lo: nothing is passed on through it */
    assert_int_equal(shares->forwarded, 0);
    assert_sum(shares, 1500000);
    end(&machine);
}

/* A large socket buffer was filled: what was handed over is sent in the seconds after. */
static void what_waits_in_sockets_is_named_later(void **state)
{
    struct machine machine = {0};
    struct rates earlier;
    const struct interface_shares *shares;

    (void)state;
    begin(&machine.before, SECOND, 0, 0, 0);
    begin(&machine.now, 2 * SECOND, 1000, 10, 0);
    add_flow(&machine.now, 2, 0, 5000);
    compare(&machine);
    shares = &machine.rates.interfaces[1].tx_shares;
    assert_int_equal(shares->named, 1000);
    assert_int_equal(shares->headers, 0);
    assert_int_equal(shares->unowned, 0);
    assert_int_equal(shares->ahead, 4000);

    snapshot_done(&machine.before);
    machine.before = machine.now;
    earlier = machine.rates;
    begin(&machine.now, 3 * SECOND, 6000, 15, 0);
    assert_int_equal(rates_make(&machine.now, &machine.before, &earlier, &machine.rates), 0);
    shares = &machine.rates.interfaces[1].tx_shares;
    assert_int_equal(shares->named, 4000);
    assert_int_equal(shares->headers, 5 * 66);
    assert_int_equal(shares->unowned, 5000 - 4000 - 5 * 66);
    assert_int_equal(shares->ahead, 0);
    rates_done(&earlier);
    end(&machine);
}

static void without_accounting_there_are_no_shares(void **state)
{
    struct machine machine = {0};

    (void)state;
    begin(&machine.before, SECOND, 0, 0, 0);
    begin(&machine.now, 2 * SECOND, 1000, 10, 0);
    machine.before.accounting = machine.now.accounting = ACCOUNTING_INTERFACES;
    compare(&machine);
    assert_true(machine.rates.interfaces[1].known);
    assert_false(machine.rates.interfaces[1].shares_known);
    end(&machine);
}

static void unbound_flows_are_named_where_bytes_are_left(void **state)
{
    struct machine machine = {0};
    const struct interface_rate *rates;

    (void)state;
    begin(&machine.before, SECOND, 0, 0, 0);
    begin(&machine.now, 2 * SECOND, 100000, 10, 0);
    add_flow(&machine.now, 1, 90000, 0); /* of lo 9200 are left beside the headers */
    add_flow(&machine.now, 0, 54000, 0);
    compare(&machine);
    rates = machine.rates.interfaces;
    assert_in_range(rates[1].rx_shares.named, 49000, 50000);
    assert_in_range(rates[0].rx_shares.named, 94000, 95000);
    assert_in_range(rates[0].rx_shares.named - 90000 + rates[1].rx_shares.named, 53999, 54000);
    assert_int_equal(rates[1].rx_shares.headers, 10 * 66);
    assert_int_equal(rates[1].tx_shares.named, 0);
    assert_sum(&rates[0].rx_shares, 100000);
    assert_sum(&rates[1].rx_shares, 100000);
    end(&machine);
}

static void unbound_flows_name_no_more_than_there_is(void **state)
{
    struct machine machine = {0};

    (void)state;
    begin(&machine.before, SECOND, 0, 0, 0);
    begin(&machine.now, 2 * SECOND, 5000, 10, 0);
    add_flow(&machine.now, 0, UINT32_MAX, UINT32_MAX);
    compare(&machine);
    assert_int_equal(machine.rates.interfaces[1].rx_shares.named, 5000);
    assert_int_equal(machine.rates.interfaces[1].rx_shares.unowned, 0);
    assert_sum(&machine.rates.interfaces[1].tx_shares, 5000);
    end(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_add_up),
        cmocka_unit_test(without_flows_nothing_is_a_header),
        cmocka_unit_test(a_router_forwards),
        cmocka_unit_test(what_waits_in_sockets_is_named_later),
        cmocka_unit_test(without_accounting_there_are_no_shares),
        cmocka_unit_test(unbound_flows_are_named_where_bytes_are_left),
        cmocka_unit_test(unbound_flows_name_no_more_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
