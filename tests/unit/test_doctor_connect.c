/* SPDX-License-Identifier: MIT */
/* Checks of how connections begin and end, on hand-made snapshots: the borders of their thresholds.
 */
#include "doctor_fixture.h"

#include <linux/neighbour.h>

/* So many requests beyond the queue in three seconds; so many cookies were sent and came back. */
static enum severity syn_flood(uint64_t beyond, uint64_t sent, uint64_t received)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_counter(&patient, sent ? "TcpExtTCPReqQFullDoCookies" : "TcpExtTCPReqQFullDrop", 1000,
                    1000 + beyond);
    patient_counter(&patient, "TcpExtSyncookiesSent", 5000, 5000 + sent);
    patient_counter(&patient, "TcpExtSyncookiesRecv", 5000, 5000 + received);
    severity = patient_examine(&patient, "syn-flood", &found);
    patient_end(&patient);
    return severity;
}

static void syn_flood_has_borders(void **state)
{
    (void)state;
    assert_int_equal(syn_flood(0, 0, 0), SEVERITY_OK);
    assert_int_equal(syn_flood(0, 100, 100), SEVERITY_OK);
    assert_int_equal(syn_flood(1, 1, 0), SEVERITY_WARN);
    assert_int_equal(syn_flood(12, 12, 12), SEVERITY_WARN);
    assert_int_equal(syn_flood(13, 13, 0), SEVERITY_CRIT);
    assert_int_equal(syn_flood(13, 0, 0), SEVERITY_CRIT);
}

/* So many requests to one destination, each sent again so often; `others` have one of their own. */
static enum severity syn_sent(uint32_t count, uint32_t others, uint8_t again)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    for (uint32_t i = 0; i < count + others; i++) {
        struct socket *socket = patient_socket(&patient, &patient.now, 1 + i, STATE_SYN_SENT);

        socket->retransmits = again;
        socket->peer.bytes[3] = (uint8_t)(i < count ? 0 : i);
    }
    severity = patient_examine(&patient, "syn-sent", &found);
    patient_end(&patient);
    return severity;
}

static void syn_sent_has_borders(void **state)
{
    (void)state;
    assert_int_equal(syn_sent(3, 0, 1), SEVERITY_OK);
    assert_int_equal(syn_sent(2, 50, 2), SEVERITY_OK);
    assert_int_equal(syn_sent(3, 0, 2), SEVERITY_WARN);
    assert_int_equal(syn_sent(99, 0, 6), SEVERITY_WARN);
    assert_int_equal(syn_sent(100, 0, 2), SEVERITY_CRIT);
}

/* So many young requests to as many destinations, by way of one neighbour in this state. */
static enum severity next_hop(uint32_t count, uint32_t nud, uint32_t bound)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    for (uint32_t i = 0; i < count; i++) {
        struct socket *socket = patient_socket(&patient, &patient.now, 1 + i, STATE_SYN_SENT);
        struct next_hop *hop = snapshot_add_next_hop(&patient.now);

        assert_non_null(hop);
        socket->retransmits = 1;
        socket->ifindex = bound;
        socket->peer.bytes[3] = (uint8_t)i;
        *hop = (struct next_hop){.destination = socket->peer,
                                 .ifindex = 2,
                                 .state = nud,
                                 .family = AF_INET,
                                 .address_family = AF_INET};
    }
    severity = patient_examine(&patient, "syn-sent", &found);
    assert_true(found <= 1);
    patient_end(&patient);
    return severity;
}

static void next_hops_have_borders(void **state)
{
    (void)state;
    assert_int_equal(next_hop(2, NUD_INCOMPLETE, 0), SEVERITY_OK);
    assert_int_equal(next_hop(3, NUD_INCOMPLETE, 0), SEVERITY_WARN);
    assert_int_equal(next_hop(3, NUD_FAILED, 0), SEVERITY_WARN);
    assert_int_equal(next_hop(100, NUD_FAILED, 0), SEVERITY_CRIT);
    assert_int_equal(next_hop(100, NUD_FAILED, 7), SEVERITY_OK); /* may go another way */
    assert_int_equal(next_hop(100, NUD_REACHABLE, 0), SEVERITY_OK);
    assert_int_equal(next_hop(100, 0, 0), SEVERITY_OK);
}

/* So many in fin-wait-2, of which so many were before. */
static enum severity fin_wait2(uint32_t count, uint32_t before)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    for (uint32_t i = 0; i < count; i++) {
        patient_socket(&patient, &patient.now, 1 + i, STATE_FIN_WAIT_2);
        patient_socket(&patient, &patient.before, 1 + i,
                       i < before ? STATE_FIN_WAIT_2 : STATE_ESTABLISHED);
    }
    severity = patient_examine(&patient, "fin-wait2", &found);
    patient_end(&patient);
    return severity;
}

static void fin_wait2_has_borders(void **state)
{
    (void)state;
    assert_int_equal(fin_wait2(999, 999), SEVERITY_OK);
    assert_int_equal(fin_wait2(5000, 999), SEVERITY_OK);
    assert_int_equal(fin_wait2(1000, 1000), SEVERITY_WARN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syn_flood_has_borders),
        cmocka_unit_test(syn_sent_has_borders),
        cmocka_unit_test(next_hops_have_borders),
        cmocka_unit_test(fin_wait2_has_borders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
