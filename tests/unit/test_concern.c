/* SPDX-License-Identifier: MIT */
/* Which findings concern which sockets. */
#include "derive/health/concern.h"
#include "doctor_fixture.h"

struct expected {
    uint32_t process, socket;
    bool is_kept; /* when socket 0, which process 0 holds, was asked for */
};

static void subjects_are_compared(void **state)
{
    static const struct expected all[] = {
        {0, HEALTH_NONE, true},
        {0, 1, true}, /* an example of the process's sockets */
        {1, HEALTH_NONE, false},
        {1, 0, false},
        {HEALTH_NONE, 0, true},
        {HEALTH_NONE, 1, false},
        {HEALTH_NONE, HEALTH_NONE, false},
    };
    const uint32_t asked = 0;
    struct patient patient;
    struct join join;
    uint32_t process;

    (void)state;
    patient_begin(&patient);
    assert_int_equal(snapshot_add_process(&patient.now, 200, &process), 0);
    patient_socket(&patient, &patient.now, 1, STATE_ESTABLISHED);
    patient_socket(&patient, &patient.now, 2, STATE_ESTABLISHED);
    assert_int_equal(join_make(&patient.now, NEED_OWNERS, &join), 0);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct finding finding = {.subject = SUBJECT_NONE};
        struct findings findings = {.items = &finding, .count = 1};

        finding.subject.process = all[i].process;
        finding.subject.socket = all[i].socket;
        assert_int_equal(findings_keep_concerned(&findings, &patient.now, &join, &asked, 1), 0);
        assert_int_equal(findings.count, all[i].is_kept);
    }
    join_done(&join);
    patient_end(&patient);
}

static void an_interface_concerns_who_uses_it(void **state)
{
    static const uint8_t addresses[][4] = {{10, 0, 0, 1}, {10, 0, 1, 1}};
    static const struct {
        uint8_t local[4];
        uint32_t bound;   /* ifindex */
        uint32_t subject; /* index of the interface */
        bool is_kept;
    } all[] = {
        {{10, 0, 0, 1}, 0, 0, true},  {{10, 0, 0, 1}, 0, 1, false}, {{10, 0, 1, 1}, 0, 1, true},
        {{0, 0, 0, 0}, 0, 0, false},  {{0, 0, 0, 0}, 8, 1, true},   {{10, 0, 0, 1}, 8, 0, false},
        {{10, 0, 0, 2}, 0, 0, false},
    };
    const uint32_t asked = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct finding finding = {.subject = SUBJECT_NONE};
        struct findings findings = {.items = &finding, .count = 1};
        struct patient patient;
        struct socket *socket;
        struct join join;

        patient_begin(&patient);
        socket = patient_socket(&patient, &patient.now, 1, STATE_ESTABLISHED);
        memcpy(socket->local.bytes, all[i].local, 4);
        socket->ifindex = all[i].bound;
        for (uint32_t j = 0; j < ARRAY_SIZE(addresses); j++) {
            struct link_address *address = snapshot_add_link_address(&patient.now);

            assert_int_equal(snapshot_add_interface(&patient.now, 0, 7 + j, "eth"), 0);
            assert_non_null(address);
            address->ifindex = 7 + j;
            address->family = AF_INET;
            memcpy(address->address.bytes, addresses[j], 4);
        }
        assert_int_equal(join_make(&patient.now, NEED_OWNERS, &join), 0);
        finding.subject.interface = all[i].subject;
        assert_int_equal(findings_keep_concerned(&findings, &patient.now, &join, &asked, 1), 0);
        assert_int_equal(findings.count, all[i].is_kept);
        join_done(&join);
        patient_end(&patient);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects_are_compared),
        cmocka_unit_test(an_interface_concerns_who_uses_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
