/* SPDX-License-Identifier: MIT */
/* Checks of the doctor on hand-made snapshots: the borders of their thresholds. */
#include "doctor_fixture.h"

/* So many in close-wait, each since so many milliseconds. */
static enum severity close_wait(uint32_t count, uint32_t age_ms, uint32_t fd_limit)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient.now.processes[0].has = PROCESS_HAS_FD_LIMIT | PROCESS_HAS_FDS;
    patient.now.processes[0].fd_limit = fd_limit;
    for (uint32_t i = 0; i < count; i++) {
        struct socket *socket = patient_socket(&patient, &patient.now, 1 + i, STATE_CLOSE_WAIT);

        patient_tcp(&patient.now, socket)->last_ack_recv_ms = age_ms;
    }
    severity = patient_examine(&patient, "close-wait", &found);
    assert_true(found <= 1);
    patient_end(&patient);
    return severity;
}

static void close_wait_has_borders(void **state)
{
    (void)state;
    assert_int_equal(close_wait(0, 0, 1024), SEVERITY_OK);
    assert_int_equal(close_wait(99, 1000, 1024), SEVERITY_OK);
    assert_int_equal(close_wait(100, 1000, 1024), SEVERITY_WARN);
    assert_int_equal(close_wait(1000, 1000, 65536), SEVERITY_CRIT);
    assert_int_equal(close_wait(50, 1000, 100), SEVERITY_CRIT);
    assert_int_equal(close_wait(1, 299999, 1024), SEVERITY_OK);
    assert_int_equal(close_wait(1, 300000, 1024), SEVERITY_INFO);
    assert_int_equal(close_wait(10, 300000, 1024), SEVERITY_WARN);
}

/* A queue of 10 with so many waiting at both ends, so many of them the same, and so many overflows
 * meanwhile. */
static enum severity accept_queue(uint32_t before, uint32_t now, uint32_t same, uint64_t overflows)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    for (int i = 0; i < 2; i++) {
        struct socket *socket =
            patient_socket(&patient, i ? &patient.now : &patient.before, 1, STATE_LISTENING);

        socket->has |= SOCKET_HAS_BACKLOG;
        socket->recv_q = i ? now : before;
        socket->send_q = 10;
        for (uint32_t j = 0; j < same; j++) {
            socket = patient_socket(&patient, i ? &patient.now : &patient.before, 2 + j,
                                    STATE_ESTABLISHED);
            socket->inode = 0;
        }
    }
    patient_counter(&patient, "TcpExtListenOverflows", 1000, 1000 + overflows);
    severity = patient_examine(&patient, "accept-queue", &found);
    patient_end(&patient);
    return severity;
}

static void accept_queue_has_borders(void **state)
{
    (void)state;
    assert_int_equal(accept_queue(0, 0, 0, 0), SEVERITY_OK);
    assert_int_equal(accept_queue(6, 6, 6, 0), SEVERITY_OK);
    assert_int_equal(accept_queue(7, 7, 7, 0), SEVERITY_WARN);
    assert_int_equal(accept_queue(7, 7, 6, 0), SEVERITY_INFO); /* it goes on */
    assert_int_equal(accept_queue(0, 11, 0, 0), SEVERITY_OK);  /* a burst, within the window */
    assert_int_equal(accept_queue(11, 11, 0, 3), SEVERITY_WARN);
    assert_int_equal(accept_queue(11, 11, 0, 15), SEVERITY_CRIT);
    assert_int_equal(accept_queue(0, 0, 0, 3), SEVERITY_WARN); /* of an unknown listener */
}

/* Data to send, or to read, since so many milliseconds; so many bytes of it went meanwhile. */
static enum severity stuck(bool sends, uint32_t since_ms, uint64_t went)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    for (int i = 0; i < 2; i++) {
        struct snapshot *snapshot = i ? &patient.now : &patient.before;
        struct socket *socket = patient_socket(&patient, snapshot, 1, STATE_ESTABLISHED);
        struct tcp_details *tcp = patient_tcp(snapshot, socket);

        socket->timer = sends ? TIMER_PERSIST : TIMER_OFF;
        socket->send_q = sends ? 1000 : 0;
        socket->recv_q = sends ? 0 : 1000;
        tcp->rcv_wnd = sends ? 65535 : 0;
        tcp->last_data_sent_ms = tcp->last_data_recv_ms = since_ms;
        tcp->bytes_acked = tcp->bytes_received = i ? 5000 + went : 5000;
    }
    severity = patient_examine(&patient, "stuck", &found);
    assert_true(found <= 1);
    patient_end(&patient);
    return severity;
}

static void stuck_has_borders(void **state)
{
    (void)state;
    for (int sends = 0; sends < 2; sends++) {
        assert_int_equal(stuck(sends, 9999, 0), SEVERITY_OK);
        assert_int_equal(stuck(sends, 10000, 0), SEVERITY_WARN);
        assert_int_equal(stuck(sends, 59999, 0), SEVERITY_WARN);
        assert_int_equal(stuck(sends, 60000, 0), SEVERITY_CRIT);
        assert_int_equal(stuck(sends, 60000, 1), SEVERITY_OK);
    }
}

/* So many segments of a thousand were sent again, so many of those needlessly. */
static enum severity retrans(uint64_t sent, uint64_t again, uint64_t needless)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_counter(&patient, "TcpExtTCPOrigDataSent", 500, 500 + sent);
    patient_counter(&patient, "TcpRetransSegs", 1000000, 1000000 + again);
    patient_counter(&patient, "TcpExtTCPDSACKRecv", 7, 7 + needless);
    severity = patient_examine(&patient, "retrans", &found);
    patient_end(&patient);
    return severity;
}

static void retrans_has_borders(void **state)
{
    (void)state;
    assert_int_equal(retrans(0, 0, 0), SEVERITY_OK);
    assert_int_equal(retrans(999, 999, 0), SEVERITY_OK);
    assert_int_equal(retrans(1000, 9, 0), SEVERITY_OK);
    assert_int_equal(retrans(1000, 10, 0), SEVERITY_WARN);
    assert_int_equal(retrans(1000, 60, 55), SEVERITY_OK);
    assert_int_equal(retrans(1000, 50, 0), SEVERITY_CRIT);
}

/* Text that a check composes is plain, and each has theory, advice and usable limits. */
static void checks_are_complete(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < check_count; i++) {
        const struct check *check = checks[i];

        assert_int_equal(check_find(check->name), i);
        assert_true(*check->title && *check->theory && *check->sources && check->needs);
        assert_true(check->advice_count > 0);
        for (uint32_t j = 0; j < check->advice_count; j++)
            assert_true(check->advice[j].cause && check->advice[j].fix[0] &&
                        check->advice[j].next[0]);
        for (uint32_t j = 0; j < CHECK_LIMITS_MAX && check->thresholds[j].name; j++)
            assert_true(check->thresholds[j].help && check->thresholds[j].source &&
                        check->thresholds[j].usual.warn <= check->thresholds[j].usual.crit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_wait_has_borders), cmocka_unit_test(accept_queue_has_borders),
        cmocka_unit_test(stuck_has_borders),      cmocka_unit_test(retrans_has_borders),
        cmocka_unit_test(checks_are_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
