/* SPDX-License-Identifier: MIT */
/* Checks of the doctor about packets, on hand-made snapshots: the borders of their thresholds. */
#include "doctor_fixture.h"

/* One UDP socket that refused so many datagrams in the three seconds, and so many for want of room
 * in the namespace. */
static enum severity udp_drops(uint32_t before, uint32_t now, uint64_t no_room)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    for (int i = 0; i < 2; i++) {
        struct socket *socket =
            patient_socket(&patient, i ? &patient.now : &patient.before, 1, STATE_UNCONNECTED);

        socket->proto = PROTO_UDP;
        socket->has |= SOCKET_HAS_DROPS;
        socket->drops = i ? now : before;
    }
    patient_counter(&patient, "UdpRcvbufErrors", 5000, 5000 + no_room);
    severity = patient_examine(&patient, "udp-drops", &found);
    assert_true(found <= 1);
    patient_end(&patient);
    return severity;
}

static void udp_drops_has_borders(void **state)
{
    (void)state;
    assert_int_equal(udp_drops(100000, 100000, 0), SEVERITY_OK);
    assert_int_equal(udp_drops(5, 5 + 27, 27), SEVERITY_OK);
    assert_int_equal(udp_drops(5, 5 + 28, 28), SEVERITY_WARN);
    assert_int_equal(udp_drops(UINT32_MAX, 2999, 3000), SEVERITY_CRIT);
    assert_int_equal(udp_drops(5, 3005, 27), SEVERITY_OK); /* by a filter of its own */
    assert_int_equal(udp_drops(5, 5, 27), SEVERITY_OK);
    assert_int_equal(udp_drops(5, 5, 28), SEVERITY_WARN);
}

static struct interface *add_interface(struct snapshot *snapshot)
{
    struct interface *interface;

    assert_int_equal(snapshot_add_interface(snapshot, 0, 2, "eth0"), 0);
    interface = &snapshot->interfaces[snapshot->interfaces_count - 1];
    interface->has = INTERFACE_HAS_STATS | INTERFACE_HAS_QDISC;
    interface->stats.rx_packets = interface->stats.rx_errors = 1000;
    interface->stats.rx_dropped = interface->queue.drops = 1000;
    return interface;
}

/* So many packets in three seconds, of which the others are those that went wrong. */
static enum severity nic(uint64_t packets, uint64_t damaged, uint64_t lost)
{
    struct patient patient;
    struct interface *now;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    add_interface(&patient.before);
    now = add_interface(&patient.now);
    now->stats.rx_packets += packets - damaged - lost;
    now->stats.rx_errors += damaged;
    now->stats.rx_dropped += lost;
    severity = patient_examine(&patient, "nic", &found);
    patient_end(&patient);
    return severity;
}

static void nic_has_borders(void **state)
{
    (void)state;
    assert_int_equal(nic(0, 0, 0), SEVERITY_OK);
    assert_int_equal(nic(999, 999, 0), SEVERITY_OK);
    assert_int_equal(nic(1000, 9, 0), SEVERITY_OK);
    assert_int_equal(nic(1000, 10, 0), SEVERITY_WARN);
    assert_int_equal(nic(1000, 100, 0), SEVERITY_CRIT);
    assert_int_equal(nic(1000, 0, 19), SEVERITY_OK);
    assert_int_equal(nic(1000, 0, 20), SEVERITY_WARN);
    assert_int_equal(nic(1000, 0, 200), SEVERITY_CRIT);
}

static void a_link_that_is_full_is_worth_to_know(void **state)
{
    struct patient patient;
    struct interface *now;
    uint32_t found;

    (void)state;
    patient_begin(&patient);
    add_interface(&patient.before);
    now = add_interface(&patient.now);
    now->has |= INTERFACE_HAS_SPEED;
    now->speed_mbit = 1000;
    now->stats.tx_bytes = 3 * UINT64_C(112400000);
    assert_int_equal(patient_examine(&patient, "nic", &found), SEVERITY_OK);
    now->stats.tx_bytes = 3 * UINT64_C(112500000);
    assert_int_equal(patient_examine(&patient, "nic", &found), SEVERITY_INFO);
    patient_end(&patient);
}

/* The queue of an interface threw so many away in three seconds, and sent the others. */
static enum severity queue_drops(uint64_t packets, uint32_t dropped)
{
    struct patient patient;
    struct interface *now;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    add_interface(&patient.before);
    now = add_interface(&patient.now);
    now->stats.tx_packets += packets - dropped;
    now->queue.drops += dropped;
    severity = patient_examine(&patient, "drops", &found);
    patient_end(&patient);
    return severity;
}

/* A counter of one processor. */
static void add_processor(struct patient *patient, const char *name, uint32_t before, uint32_t now)
{
    patient_counter(patient, name, before, now);
    patient->before.counters[patient->before.counters_count - 1].cpu = 2;
    patient->now.counters[patient->now.counters_count - 1].cpu = 2;
    patient->before.counters[patient->before.counters_count - 1].source = COUNTER_SOFTNET;
    patient->now.counters[patient->now.counters_count - 1].source = COUNTER_SOFTNET;
    patient->now.counters[patient->now.counters_count - 1].flags = COUNTER_WRAPS;
}

static enum severity processor(uint32_t dropped, uint32_t squeezed)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    add_processor(&patient, "SoftnetDropped", UINT32_MAX, UINT32_MAX + dropped);
    add_processor(&patient, "SoftnetTimeSqueeze", 100, 100 + squeezed);
    severity = patient_examine(&patient, "drops", &found);
    patient_end(&patient);
    return severity;
}

static void drops_has_borders(void **state)
{
    (void)state;
    assert_int_equal(queue_drops(0, 0), SEVERITY_OK);
    assert_int_equal(queue_drops(2800, 27), SEVERITY_OK);
    assert_int_equal(queue_drops(2800, 28), SEVERITY_WARN);
    assert_int_equal(queue_drops(2801, 28), SEVERITY_OK);
    assert_int_equal(queue_drops(280, 28), SEVERITY_CRIT);
    assert_int_equal(processor(0, 0), SEVERITY_OK);
    assert_int_equal(processor(27, 297), SEVERITY_OK);
    assert_int_equal(processor(28, 0), SEVERITY_WARN);
    assert_int_equal(processor(2998, 0), SEVERITY_CRIT);
    assert_int_equal(processor(0, 298), SEVERITY_INFO);
}

static void add_setting(struct snapshot *snapshot, const char *name, uint64_t number)
{
    struct setting *setting = snapshot_add_setting(snapshot);

    assert_non_null(setting);
    assert_int_equal(snapshot_intern(snapshot, name, strlen(name), &setting->name), 0);
    setting->numbers[0] = number;
    setting->count = 1;
}

/* A table for a thousand with so many entries, and what it refused in three seconds. */
static enum severity conntrack(uint64_t entries, uint64_t dropped, uint64_t failed)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    add_setting(&patient.now, "net.netfilter.nf_conntrack_max", 1000);
    add_setting(&patient.now, "net.netfilter.nf_conntrack_count", entries);
    patient_counter(&patient, "ConntrackDrop", 77, 77 + dropped);
    patient_counter(&patient, "ConntrackInsertFailed", 77, 77 + failed);
    severity = patient_examine(&patient, "conntrack", &found);
    assert_true(found <= 1);
    patient_end(&patient);
    return severity;
}

static void conntrack_has_borders(void **state)
{
    (void)state;
    assert_int_equal(conntrack(749, 0, 27), SEVERITY_OK);
    assert_int_equal(conntrack(750, 0, 0), SEVERITY_WARN);
    assert_int_equal(conntrack(900, 0, 0), SEVERITY_CRIT);
    assert_int_equal(conntrack(1, 1, 0), SEVERITY_CRIT);
    assert_int_equal(conntrack(1, 0, 28), SEVERITY_WARN);
    assert_int_equal(conntrack(1, 27, 27), SEVERITY_OK); /* what failed is dropped as well */
    assert_int_equal(conntrack(1, 28, 28), SEVERITY_WARN);
    assert_int_equal(conntrack(1, 28, 27), SEVERITY_CRIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_drops_has_borders),
        cmocka_unit_test(nic_has_borders),
        cmocka_unit_test(a_link_that_is_full_is_worth_to_know),
        cmocka_unit_test(drops_has_borders),
        cmocka_unit_test(conntrack_has_borders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
