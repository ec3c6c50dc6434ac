/* SPDX-License-Identifier: MIT */
/* Checks of the doctor about the machine, on hand-made snapshots: the borders of their thresholds.
 */
#include "doctor_fixture.h"

static void set_setting(struct snapshot *snapshot, const char *name, uint64_t first,
                        uint64_t second, uint64_t third)
{
    struct setting *setting = snapshot_add_setting(snapshot);

    assert_non_null(setting);
    assert_int_equal(snapshot_intern(snapshot, name, strlen(name), &setting->name), 0);
    *setting = (struct setting){.name = setting->name,
                                .numbers = {first, second, third},
                                .count = 3,
                                .flags = SETTING_MACHINE};
}

/* So many descriptors of a thousand at both ends, of a process with a listener that so many wait at
 * (at most 10 may); and so many of a thousand files of the machine. */
static enum severity fd_limit(uint32_t before, uint32_t now, uint32_t waiting, uint64_t files)
{
    struct patient patient;
    struct snapshot *const both[] = {&patient.before, &patient.now};
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    for (int i = 0; i < 2; i++) {
        struct socket *socket = patient_socket(&patient, both[i], 1, STATE_LISTENING);

        both[i]->processes[0].has = PROCESS_HAS_FDS | PROCESS_HAS_FD_LIMIT;
        both[i]->processes[0].fds = i ? now : before;
        both[i]->processes[0].fd_limit = 1000;
        socket->has |= SOCKET_HAS_BACKLOG;
        socket->recv_q = waiting;
        socket->send_q = 10;
    }
    set_setting(&patient.now, "fs.file-nr", files, 0, 1000);
    severity = patient_examine(&patient, "fd-limit", &found);
    assert_true(found <= 1);
    patient_end(&patient);
    return severity;
}

static void fd_limit_has_borders(void **state)
{
    (void)state;
    assert_int_equal(fd_limit(0, 0, 0, 0), SEVERITY_OK);
    assert_int_equal(fd_limit(849, 849, 11, 0), SEVERITY_OK);
    assert_int_equal(fd_limit(850, 850, 0, 0), SEVERITY_WARN);
    assert_int_equal(fd_limit(10, 990, 0, 0), SEVERITY_OK); /* for a moment */
    assert_int_equal(fd_limit(990, 10, 0, 0), SEVERITY_OK);
    assert_int_equal(fd_limit(950, 950, 0, 0), SEVERITY_CRIT);
    assert_int_equal(fd_limit(1000, 1000, 0, 0), SEVERITY_CRIT);
    assert_int_equal(fd_limit(1001, 1001, 0, 0), SEVERITY_OK); /* lowered on purpose */
    assert_int_equal(fd_limit(1, 1, 0, 699), SEVERITY_OK);
    assert_int_equal(fd_limit(1, 1, 0, 700), SEVERITY_WARN);
    assert_int_equal(fd_limit(1, 1, 0, 900), SEVERITY_CRIT);
}

/* So many pages, where saving begins at 10000 and all is used at 20000. */
static enum severity mem(uint64_t pages)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    set_setting(&patient.now, "net.ipv4.tcp_mem", 5000, 10000, 20000);
    patient_counter(&patient, "SockTCPMem", 0, pages);
    severity = patient_examine(&patient, "mem", &found);
    patient_end(&patient);
    return severity;
}

static void mem_has_borders(void **state)
{
    (void)state;
    assert_int_equal(mem(0), SEVERITY_OK);
    assert_int_equal(mem(9999), SEVERITY_OK);
    assert_int_equal(mem(10000), SEVERITY_WARN);
    assert_int_equal(mem(17999), SEVERITY_WARN);
    assert_int_equal(mem(18000), SEVERITY_CRIT);
}

/* What the processors keep ready is nothing, however small the limits are. */
static void little_memory_is_nothing(void **state)
{
    struct patient patient;
    uint32_t found;

    (void)state;
    patient_begin(&patient);
    set_setting(&patient.now, "net.ipv4.udp_mem", 5, 10, 20);
    patient_counter(&patient, "SockUDPMem", 2047, 2047);
    assert_int_equal(patient_examine(&patient, "mem", &found), SEVERITY_OK);
    patient.now.counters[0].value = 2048;
    assert_int_equal(patient_examine(&patient, "mem", &found), SEVERITY_CRIT);
    patient_end(&patient);
}

static enum severity rp_filter(const char *counter, uint64_t count)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_counter(&patient, counter, 1000000, 1000000 + count);
    severity = patient_examine(&patient, "rp-filter", &found);
    patient_end(&patient);
    return severity;
}

static void rp_filter_has_borders(void **state)
{
    static const char *const counters[] = {"TcpExtIPReversePathFilter", "TcpInCsumErrors",
                                           "IpInAddrErrors", "IpOutNoRoutes"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        assert_int_equal(rp_filter(counters[i], 27), SEVERITY_OK);
        assert_int_equal(rp_filter(counters[i], 28), i < 3 ? SEVERITY_WARN : SEVERITY_INFO);
    }
}

static void set_program(struct snapshot *snapshot, const char *exe, uint32_t flags,
                        const char *comm)
{
    struct process *process = &snapshot->processes[0];

    process->has = PROCESS_HAS_EXE | PROCESS_HAS_COMM;
    process->flags = flags;
    assert_int_equal(snapshot_intern(snapshot, exe, strlen(exe), &process->exe), 0);
    assert_int_equal(snapshot_intern(snapshot, comm, strlen(comm), &process->comm), 0);
}

/* A program of a process with a socket, by its path, what is known of it, and its name. */
static enum severity deleted_exe(const char *exe, uint32_t flags, const char *comm)
{
    struct patient patient;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    patient_socket(&patient, &patient.now, 1, STATE_LISTENING);
    set_program(&patient.before, exe, flags, comm);
    set_program(&patient.now, exe, flags, comm);
    severity = patient_examine(&patient, "deleted-exe", &found);
    patient_end(&patient);
    return severity;
}

static void programs_that_hide(void **state)
{
    (void)state;
    assert_int_equal(deleted_exe("/usr/bin/nginx", 0, "nginx"), SEVERITY_OK);
    assert_int_equal(deleted_exe("/tmp/x", 0, "x"), SEVERITY_OK);
    assert_int_equal(deleted_exe("/tmp/x", PROCESS_EXE_DELETED, "x"), SEVERITY_CRIT);
    assert_int_equal(deleted_exe("/usr/bin/nginx", PROCESS_EXE_DELETED, "nginx"), SEVERITY_WARN);
    assert_int_equal(
        deleted_exe("/usr/bin/nginx", PROCESS_EXE_DELETED | PROCESS_EXE_REPLACED, "nginx"),
        SEVERITY_INFO);
    assert_int_equal(deleted_exe("/memfd:x", PROCESS_EXE_MEMFD, "x"), SEVERITY_CRIT);
    assert_int_equal(deleted_exe("/memfd:runc_cloned:/proc/self/exe", PROCESS_EXE_MEMFD, "runc"),
                     SEVERITY_OK);
    assert_int_equal(deleted_exe("/usr/bin/x", 0, "kworker/0:1"), SEVERITY_CRIT);
    assert_int_equal(deleted_exe("", 0, "kworker/0:1"), SEVERITY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fd_limit_has_borders),     cmocka_unit_test(mem_has_borders),
        cmocka_unit_test(little_memory_is_nothing), cmocka_unit_test(rp_filter_has_borders),
        cmocka_unit_test(programs_that_hide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
