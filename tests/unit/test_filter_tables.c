/* SPDX-License-Identifier: MIT */
/* Tests of the filter language for the tables that are not about sockets: counters, routes, groups.
 */
#include "filter_fixture.h"

static struct machine machine;

static struct route *add_route(const char *dst, unsigned int bits, const char *gateway,
                               uint32_t ifindex, uint32_t table)
{
    struct route *route = snapshot_add_route(&machine.snapshot);

    assert_non_null(route);
    machine_address(dst, &route->dst, &route->family);
    route->dst_bits = (uint8_t)bits;
    route->ifindex = ifindex;
    route->table = table;
    route->type = 1;
    route->has = ROUTE_HAS_TYPE;
    if (gateway) {
        machine_address(gateway, &route->gateway, &route->gateway_family);
        route->has |= ROUTE_HAS_GATEWAY;
    }
    return route;
}

static void add_counter(const char *name, uint64_t value)
{
    uint32_t string = machine_text(&machine, name);
    struct counter *counter = snapshot_add_counter(&machine.snapshot);

    assert_non_null(counter);
    *counter = (struct counter){.name = string, .value = value};
}

static void add_group(const char *address, uint32_t ifindex, const char *iface)
{
    uint32_t string = machine_text(&machine, iface);
    struct membership *membership = snapshot_add_membership(&machine.snapshot);
    uint8_t family;

    assert_non_null(membership);
    machine_address(address, &membership->group, &family);
    membership->family = family;
    membership->ifindex = ifindex;
    membership->iface = string;
    membership->users = 1;
}

static int set_up(void **state)
{
    uint32_t index;

    (void)state;
    machine = (struct machine){.scratch = BUF_INIT};
    assert_int_equal(snapshot_init(&machine.snapshot), 0);
    assert_int_equal(snapshot_add_netns(&machine.snapshot, 4026531840, &index), 0);
    assert_int_equal(snapshot_add_interface(&machine.snapshot, 0, 1, "lo"), 0);
    assert_int_equal(snapshot_add_interface(&machine.snapshot, 0, 2, "eth0"), 0);
    machine.snapshot.interfaces[1].has = INTERFACE_HAS_LINK | INTERFACE_HAS_SPEED;
    machine.snapshot.interfaces[1].speed_mbit = 10000;
    add_counter("TcpRetransSegs", 3);
    add_counter("TcpExtTCPLostRetransmit", 0);
    add_counter("UdpInErrors", UINT64_C(1) << 40);
    add_route("10.0.0.0", 8, NULL, 2, 254);
    add_route("0.0.0.0", 0, "10.0.0.1", 2, 254)->priority = 100;
    machine.snapshot.routes[1].has |= ROUTE_HAS_METRIC;
    add_route("127.0.0.0", 8, NULL, 1, 255);
    add_route("fd00::", 64, "fe80::1", 2, 100);
    add_group("224.0.0.1", 1, "lo");
    add_group("224.0.0.251", 2, "eth0");
    add_group("ff02::fb", 2, "eth0");
    machine_process(&machine, 7, 1, "avahi-daemon", "");
    assert_int_equal(snapshot_add_group_member(
                         &machine.snapshot, (struct group_member){.membership = 1, .process = 0}),
                     0);
    machine.view = (struct view){.snapshot = &machine.snapshot, .scratch = &machine.scratch};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    snapshot_done(&machine.snapshot);
    buf_done(&machine.scratch);
    return 0;
}

static void expect(const struct table *table, const char *text, const char *rows)
{
    struct arena arena = {0};
    struct filter *filter = NULL;
    struct filter_error error = {{0}, 0, 0};
    char found[64] = "";

    if (filter_compile(table, text, &arena, &filter, &error) < 0)
        fail_msg("%s: %s", text, error.message);
    for (uint32_t row = 0; row < table->row_count(&machine.view); row++)
        if (filter_accepts(filter, &machine.view, row))
            snprintf(found + strlen(found), sizeof(found) - strlen(found), "%u", row);
    if (strcmp(found, rows) != 0)
        fail_msg("%s: rows %s, expected %s", text, found, rows);
    filter_done(filter);
    arena_done(&arena);
}

static void parts_of_names(void **state)
{
    (void)state;
    expect(&table_counters, "retrans", "01");
    expect(&table_counters, "RETRANSS", "0");
    expect(&table_counters, "tcp", "01");
    expect(&table_counters, "udp", "2");
    expect(&table_counters, "listen or udp", "2");
    expect(&table_counters, "established", "");
    expect(&table_counters, "state", "");
    expect(&table_counters, "port or segs", "0");
    expect(&table_counters, "tcp*segs", "0");
    expect(&table_counters, "'ext'", "1");
    expect(&table_counters, "not tcp", "2");
    expect(&table_counters, "value > 1M", "2");
    expect(&table_counters, "retrans value = 0", "1");
    expect(&table_counters, "counter = UdpInErrors", "2");
    expect(&table_counters, "counter ~ /^Tcp[RE]/", "01");
    expect(&table_counters, "delta != 0", ""); /* not known */
}

static void routes_by_address(void **state)
{
    (void)state;
    expect(&table_routes, "10.0.0.0/8", "01");
    expect(&table_routes, "dst 10.0.0.0/8", "0");
    expect(&table_routes, "gateway 10.0.0.1", "1");
    expect(&table_routes, "host 10.0.0.1", "1");
    expect(&table_routes, "default", "1");
    expect(&table_routes, "eth0", "013");
    expect(&table_routes, "dev lo", "2");
    expect(&table_routes, "local", "2");
    expect(&table_routes, "table = 100", "3");
    expect(&table_routes, "inet6", "3");
    expect(&table_routes, "family inet and prefix >= 8", "02");
    expect(&table_routes, "metric = 100", "1");
    expect(&table_routes, "unicast and not default", "023");
    expect(&table_routes, "fd00::/16", "3");
}

static void groups_and_their_owners(void **state)
{
    (void)state;
    expect(&table_groups, "224.0.0.0/24", "01");
    expect(&table_groups, "group = 224.0.0.251", "1");
    expect(&table_groups, "ff02::*", "2");
    expect(&table_groups, "eth0 inet", "1");
    expect(&table_groups, "process avahi-daemon", "1");
    expect(&table_groups, "pid = 7", "1");
    expect(&table_groups, "pid != 7", "02");
    expect(&table_groups, "owners > 0", "1");
}

static void speeds_of_interfaces(void **state)
{
    (void)state;
    expect(&table_interfaces, "eth*", "1");
    expect(&table_interfaces, "speed_bits = 10Gbit", "1");
    expect(&table_interfaces, "speed_bits >= 10G", "1");
    expect(&table_interfaces, "speed_bits > 10000Mbit/s", "");
    expect(&table_interfaces, "speed_bits = 10000000000", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_names),
        cmocka_unit_test(routes_by_address),
        cmocka_unit_test(groups_and_their_owners),
        cmocka_unit_test(speeds_of_interfaces),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
