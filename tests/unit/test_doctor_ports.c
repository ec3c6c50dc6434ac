/* SPDX-License-Identifier: MIT */
/* Checks of limits of ports, time-wait and orphans, and of connections that are broken off or on
 * which nothing gets through, on hand-made snapshots: the borders of their thresholds. */
#include "doctor_fixture.h"

/* So many connections to one destination out of ports 1000 to 1099, and as many to another. */
static enum severity ports_at(uint32_t count, const char *reserved, bool by_route)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_port_range(&patient, 1000, 1099);
    patient_setting(&patient, "net.ipv4.ip_local_reserved_ports", 0, 0, reserved);
    for (uint32_t i = 0; i < 2 * count; i++) {
        struct socket *socket = patient_socket(&patient, &patient.now, 1 + i, STATE_ESTABLISHED);

        socket->local_port = (uint16_t)(1000 + i / 2);
        socket->peer_port = (uint16_t)(80 + i % 2);
    }
    for (uint32_t i = 0; i < 500; i++) /* those who come in are no part of it */
        patient_socket(&patient, &patient.now, 5000 + i, STATE_ESTABLISHED)->local_port = 999;
    if (by_route) { /* as a glance can count them: else all connections together are suspect */
        patient_counter(&patient, "SockTCPInuse", 500 + 2 * count, 500 + 2 * count);
        patient.now.busiest_route = count;
    }
    severity = patient_examine(&patient, "ports", &found);
    assert_int_equal(found, severity == SEVERITY_OK ? 0 : 2);
    patient_end(&patient);
    return severity;
}

static enum severity ports(uint32_t count, const char *reserved)
{
    enum severity severity = ports_at(count, reserved, false);

    assert_int_equal(ports_at(count, reserved, true), severity);
    return severity;
}

static void ports_have_borders(void **state)
{
    (void)state;
    assert_int_equal(ports(79, ""), SEVERITY_OK);
    assert_int_equal(ports(80, ""), SEVERITY_WARN);
    assert_int_equal(ports(94, "1-999,1100-2000"), SEVERITY_WARN);
    assert_int_equal(ports(95, ""), SEVERITY_CRIT);
    assert_int_equal(ports(39, "900-1048,1049"), SEVERITY_OK);
    assert_int_equal(ports(40, "900-1048,1049"), SEVERITY_WARN);
    assert_int_equal(ports(40, "1050-1099"), SEVERITY_WARN);
    assert_int_equal(ports(79, "nonsense"), SEVERITY_OK);
}

/* All ports are in time-wait, on loopback or not, for so long yet. */
static enum severity time_wait(uint64_t reuse, uint64_t timestamps, uint8_t network,
                               uint32_t left_ms)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_port_range(&patient, 1000, 1099);
    patient_setting(&patient, "net.ipv4.tcp_tw_reuse", reuse, 0, "");
    patient_setting(&patient, "net.ipv4.tcp_timestamps", timestamps, 0, "");
    for (uint32_t i = 0; i < 100; i++) {
        struct socket *socket = patient_socket(&patient, &patient.now, 1 + i, STATE_TIME_WAIT);

        socket->local_port = (uint16_t)(1000 + i);
        socket->local.bytes[0] = socket->peer.bytes[0] = network;
        socket->timer_ms = left_ms;
    }
    severity = patient_examine(&patient, "ports", &found);
    patient_end(&patient);
    return severity;
}

static void time_wait_may_be_taken_again(void **state)
{
    (void)state;
    assert_int_equal(time_wait(0, 1, 127, 1), SEVERITY_CRIT);
    assert_int_equal(time_wait(1, 1, 10, 59000), SEVERITY_OK);
    assert_int_equal(time_wait(1, 1, 10, 59001), SEVERITY_CRIT);
    assert_int_equal(time_wait(1, 0, 10, 1), SEVERITY_CRIT);
    assert_int_equal(time_wait(2, 1, 10, 1), SEVERITY_CRIT);
    assert_int_equal(time_wait(2, 1, 127, 59000), SEVERITY_OK);
}

static void ports_need_the_range(void **state)
{
    struct patient patient;
    uint32_t found;

    (void)state;
    patient_begin(&patient);
    patient_socket(&patient, &patient.now, 1, STATE_ESTABLISHED)->local_port = 40000;
    assert_int_equal(patient_examine(&patient, "ports", &found), SEVERITY_OK);
    patient_end(&patient);
}

/* So many orphans at both ends, of a thousand. */
static enum severity orphans(uint64_t before, uint64_t now, uint64_t aborts)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_setting(&patient, "net.ipv4.tcp_max_orphans", 1000, 0, "1000");
    patient_counter(&patient, "SockTCPOrphan", before, now);
    patient_counter(&patient, "TcpExtTCPAbortOnMemory", 9, 9 + aborts);
    severity = patient_examine(&patient, "orphans", &found);
    patient_end(&patient);
    return severity;
}

static void orphans_have_borders(void **state)
{
    (void)state;
    assert_int_equal(orphans(249, 249, 0), SEVERITY_OK);
    assert_int_equal(orphans(100, 900, 0), SEVERITY_OK); /* a burst, within the window */
    assert_int_equal(orphans(250, 300, 0), SEVERITY_WARN);
    assert_int_equal(orphans(600, 500, 0), SEVERITY_CRIT);
    assert_int_equal(orphans(0, 0, 1), SEVERITY_WARN);
    assert_int_equal(orphans(0, 0, 13), SEVERITY_CRIT);
}

/* Of so many connections opened in three seconds so many were refused or broken off. */
static enum severity resets(const char *counter, uint64_t count, uint64_t opened, uint64_t embryos)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_counter(&patient, counter, 70000, 70000 + count);
    patient_counter(&patient, "TcpActiveOpens", 1, 1 + opened);
    patient_counter(&patient, "TcpExtEmbryonicRsts", 5, 5 + embryos);
    severity = patient_examine(&patient, "resets", &found);
    patient_end(&patient);
    return severity;
}

static void resets_have_borders(void **state)
{
    static const char *const counters[] = {"TcpAttemptFails", "TcpOutRsts", "TcpEstabResets",
                                           "TcpExtTCPAbortOnClose", "TcpExtTCPAbortOnData"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        assert_int_equal(resets(counters[i], 14, 14, 0), SEVERITY_OK);
        assert_int_equal(resets(counters[i], 15, 15, 0), SEVERITY_WARN);
        assert_int_equal(resets(counters[i], 199, 1000, 0), SEVERITY_OK);
        assert_int_equal(resets(counters[i], 300, 1000, 0), SEVERITY_WARN);
    }
    assert_int_equal(resets("TcpAttemptFails", 300, 1000, 290), SEVERITY_OK);
    assert_int_equal(resets("TcpExtTCPAbortOnTimeout", 300, 1000, 0), SEVERITY_OK);
    /* All connections of a process that has ended. */
    assert_int_equal(resets("TcpExtTCPAbortOnClose", 300, 300, 0), SEVERITY_WARN);
    assert_int_equal(resets("TcpExtTCPAbortOnClose", 331, 300, 0), SEVERITY_WARN);
    assert_int_equal(resets("TcpExtTCPAbortOnClose", 332, 300, 0), SEVERITY_INFO);
    assert_int_equal(resets("TcpEstabResets", 332, 300, 0), SEVERITY_INFO);
}

/* So many connections without time-wait in the three seconds. */
static enum severity tw_overflow(uint64_t count)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_counter(&patient, "TcpExtTCPTimeWaitOverflow", 1000, 1000 + count);
    severity = patient_examine(&patient, "tw-overflow", &found);
    patient_end(&patient);
    return severity;
}

static void tw_overflow_has_borders(void **state)
{
    (void)state;
    assert_int_equal(tw_overflow(0), SEVERITY_OK);
    assert_int_equal(tw_overflow(1), SEVERITY_WARN);
}

/* A port that was in one state and is in another; 0: it was not there. */
static enum severity bound(enum socket_state before, enum socket_state now, uint16_t port)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_port_range(&patient, 1000, 1099);
    if (before)
        patient_socket(&patient, &patient.before, 1, before)->local_port = port;
    patient_socket(&patient, &patient.now, 1, now)->local_port = port;
    severity = patient_examine(&patient, "port-conflict", &found);
    patient_end(&patient);
    return severity;
}

/* Two listeners of two processes; `which` is what the second has of its own. */
enum difference {
    NOTHING,
    ADDRESS,
    PORT,
    DEVICE,
    NETNS,
    UNKNOWN_PROGRAM,
};

static enum severity listeners(const char *program, enum difference which, uint32_t *ret_found)
{
    struct patient patient;
    struct snapshot *now = &patient.now;
    enum severity severity;
    uint32_t index;

    patient_begin(&patient);
    assert_int_equal(snapshot_add_netns(now, 4026532000u, &index), 0);
    assert_int_equal(snapshot_add_process(now, 101, &index), 0);
    assert_int_equal(snapshot_intern(now, "/usr/bin/a", 10, &now->processes[0].exe), 0);
    assert_int_equal(snapshot_intern(now, program, strlen(program), &now->processes[1].exe), 0);
    now->processes[0].has = PROCESS_HAS_EXE;
    now->processes[1].has = which == UNKNOWN_PROGRAM ? 0 : PROCESS_HAS_EXE;
    for (uint32_t i = 0; i < 3; i++) { /* the last one is another thread of the second */
        struct socket *socket = patient_socket(&patient, now, 1 + i, STATE_LISTENING);

        now->holders[i].process = i > 0;
        socket->local.bytes[3] = i > 0 && which == ADDRESS;
        socket->local_port += i > 0 && which == PORT;
        socket->ifindex = i > 0 && which == DEVICE;
        socket->netns = i > 0 && which == NETNS;
    }
    severity = patient_examine(&patient, "port-conflict", ret_found);
    patient_end(&patient);
    return severity;
}

static void port_conflict_has_borders(void **state)
{
    uint32_t found;

    (void)state;
    assert_int_equal(bound(STATE_BOUND_INACTIVE, STATE_BOUND_INACTIVE, 999), SEVERITY_INFO);
    assert_int_equal(bound(STATE_BOUND_INACTIVE, STATE_BOUND_INACTIVE, 1000), SEVERITY_OK);
    assert_int_equal(bound(STATE_BOUND_INACTIVE, STATE_BOUND_INACTIVE, 1099), SEVERITY_OK);
    assert_int_equal(bound(STATE_BOUND_INACTIVE, STATE_BOUND_INACTIVE, 1100), SEVERITY_INFO);
    assert_int_equal(bound(0, STATE_BOUND_INACTIVE, 999), SEVERITY_OK);
    assert_int_equal(bound(STATE_BOUND_INACTIVE, STATE_LISTENING, 999), SEVERITY_OK);
    assert_int_equal(listeners("/usr/bin/b", NOTHING, &found), SEVERITY_WARN);
    assert_int_equal(found, 1);
    assert_int_equal(listeners("/usr/bin/a", NOTHING, &found), SEVERITY_OK);
    for (unsigned int which = ADDRESS; which <= UNKNOWN_PROGRAM; which++)
        assert_int_equal(listeners("/usr/bin/b", (enum difference)which, &found), SEVERITY_OK);
}

/* So many connections without keepalive, silent for so long, of a hundred descriptors. */
static enum severity silent(uint32_t count, uint32_t milliseconds, enum socket_timer timer)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient.now.processes[0].has = PROCESS_HAS_FD_LIMIT;
    patient.now.processes[0].fd_limit = 100;
    for (uint32_t i = 0; i < count; i++) {
        struct socket *socket = patient_socket(&patient, &patient.now, 1 + i, STATE_ESTABLISHED);
        struct tcp_details *tcp = patient_tcp(&patient.now, socket);

        socket->timer = (uint8_t)timer;
        tcp->last_data_sent_ms = milliseconds;
        tcp->last_data_recv_ms = milliseconds * 2;
    }
    severity = patient_examine(&patient, "half-open", &found);
    patient_end(&patient);
    return severity;
}

/* A connection that has sent full segments again and again; `acked` bytes of so many were
 * acknowledged before. */
static enum severity hang(uint32_t count, const char *check, uint64_t acked, uint32_t mss)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    for (uint32_t i = 0; i < count; i++) {
        struct socket *socket = patient_socket(&patient, &patient.now, 1 + i, STATE_ESTABLISHED);
        struct tcp_details *tcp = patient_tcp(&patient.now, socket);

        socket->timer = TIMER_RETRANSMIT;
        socket->retransmits = 6;
        socket->send_q = 10000;
        tcp->mss = mss;
        tcp->pmtu = 1500;
        tcp->unacked = tcp->lost = 5;
        tcp->total_retrans = 6;
        tcp->data_segs_out = 21; /* ten were acknowledged */
        tcp->bytes_acked = acked;
        tcp->last_ack_recv_ms = 3000;
    }
    severity = patient_examine(&patient, check, &found);
    patient_end(&patient);
    return severity;
}

static void silence_has_borders(void **state)
{
    (void)state;
    assert_int_equal(silent(19, 7200000, TIMER_OFF), SEVERITY_OK);
    assert_int_equal(silent(20, 7199999, TIMER_OFF), SEVERITY_OK);
    assert_int_equal(silent(20, 7200000, TIMER_KEEPALIVE), SEVERITY_OK);
    assert_int_equal(silent(20, 7200000, TIMER_OFF), SEVERITY_WARN);
    assert_int_equal(silent(50, 7200000, TIMER_OFF), SEVERITY_CRIT);
}

static void black_holes_and_dead_remotes(void **state)
{
    (void)state;
    assert_int_equal(hang(1, "pmtu", 500, 1448), SEVERITY_WARN);
    assert_int_equal(hang(1, "pmtu", 1, 1448), SEVERITY_OK);         /* not even small ones pass */
    assert_int_equal(hang(1, "pmtu", 1 + 14480, 1448), SEVERITY_OK); /* full ones did */
    assert_int_equal(hang(1, "pmtu", 3620, 1448), SEVERITY_WARN);
    assert_int_equal(hang(1, "pmtu", 3621, 1448), SEVERITY_OK); /* not small on average */
    assert_int_equal(hang(1, "pmtu", 500, 1300), SEVERITY_OK);  /* not full */
    assert_int_equal(hang(3, "half-open", 500, 1448), SEVERITY_OK);
    assert_int_equal(hang(2, "half-open", 1 + 14480, 1448), SEVERITY_OK);
    assert_int_equal(hang(3, "half-open", 1 + 14480, 1448), SEVERITY_WARN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_have_borders),           cmocka_unit_test(ports_need_the_range),
        cmocka_unit_test(time_wait_may_be_taken_again), cmocka_unit_test(orphans_have_borders),
        cmocka_unit_test(resets_have_borders),          cmocka_unit_test(silence_has_borders),
        cmocka_unit_test(black_holes_and_dead_remotes), cmocka_unit_test(port_conflict_has_borders),
        cmocka_unit_test(tw_overflow_has_borders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
