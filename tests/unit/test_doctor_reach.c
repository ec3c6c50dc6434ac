/* SPDX-License-Identifier: MIT */
/* Checks of the doctor about who reaches whom, on hand-made snapshots: the borders of their
 * thresholds. */
#include "doctor_fixture.h"

struct program {
    const char *exe, *cmdline, *cgroup;
    uint32_t flags; /* enum process_flag */
    uint32_t tty;
};

static uint32_t intern(struct snapshot *snapshot, const char *text)
{
    uint32_t string;

    assert_int_equal(snapshot_intern(snapshot, text, strlen(text), &string), 0);
    return string;
}

/* What is said of a program with a connection to this address. */
static enum severity unknown_outbound_to(const struct program *program, const uint8_t peer[4],
                                         enum socket_state state)
{
    struct patient patient;
    struct process *process;
    struct socket *socket;
    enum severity severity;
    uint32_t found;

    patient_begin(&patient);
    process = &patient.now.processes[0];
    process->has = PROCESS_HAS_EXE | PROCESS_HAS_CMDLINE | PROCESS_HAS_CGROUP | PROCESS_HAS_TTY;
    process->exe = intern(&patient.now, program->exe);
    process->cmdline = intern(&patient.now, program->cmdline);
    process->cgroup = intern(&patient.now, program->cgroup);
    process->flags = program->flags;
    process->tty = program->tty;
    socket = patient_socket(&patient, &patient.now, 1, state);
    memcpy(socket->peer.bytes, peer, 4);
    severity = patient_examine(&patient, "unknown-outbound", &found);
    assert_int_equal(found, severity == SEVERITY_OK ? 0 : 1);
    patient_end(&patient);
    return severity;
}

static enum severity unknown_outbound(struct program program)
{
    static const uint8_t internet[4] = {198, 51, 100, 1};

    if (!program.cmdline)
        program.cmdline = program.exe;
    if (!program.cgroup)
        program.cgroup = "/";
    return unknown_outbound_to(&program, internet, STATE_ESTABLISHED);
}

static void unknown_outbound_has_borders(void **state)
{
    const uint32_t tty = 34816;

    (void)state;
    assert_int_equal(unknown_outbound((struct program){.exe = "/usr/bin/curl"}), SEVERITY_OK);
    assert_int_equal(unknown_outbound((struct program){.exe = "/home/a/x"}), SEVERITY_INFO);
    assert_int_equal(unknown_outbound((struct program){.exe = "/home/a/x", .tty = tty}),
                     SEVERITY_OK);
    assert_int_equal(unknown_outbound((struct program){.exe = "/tmp/x", .tty = tty}),
                     SEVERITY_INFO);
    assert_int_equal(unknown_outbound((struct program){.exe = "/tmp/x"}), SEVERITY_WARN);
    assert_int_equal(unknown_outbound((struct program){.exe = "/tmpx/x"}), SEVERITY_OK);
    assert_int_equal(
        unknown_outbound((struct program){.exe = "/tmp/x", .cgroup = "/system.slice/x.service"}),
        SEVERITY_INFO);
    assert_int_equal(unknown_outbound((struct program){.exe = "/tmp/x", .cgroup = "/user.slice"}),
                     SEVERITY_WARN);
    assert_int_equal(unknown_outbound((struct program){
                         .exe = "/var/tmp/x", .flags = PROCESS_EXE_DELETED, .tty = tty}),
                     SEVERITY_WARN);
    assert_int_equal(unknown_outbound((struct program){
                         .exe = "/usr/bin/x", .flags = PROCESS_EXE_DELETED | PROCESS_EXE_REPLACED}),
                     SEVERITY_OK);
    assert_int_equal(unknown_outbound((struct program){
                         .exe = "/memfd:x", .flags = PROCESS_EXE_MEMFD, .tty = tty}),
                     SEVERITY_WARN);
    assert_int_equal(unknown_outbound((struct program){.exe = "/memfd:runc_cloned:/proc/self/exe",
                                                       .flags = PROCESS_EXE_MEMFD}),
                     SEVERITY_OK);
}

static void scripts_count_as_programs(void **state)
{
    const uint32_t tty = 34816;

    (void)state;
    assert_int_equal(unknown_outbound((struct program){
                         .exe = "/usr/bin/python3.11", "python3 -u /tmp/x.py", .tty = tty}),
                     SEVERITY_INFO);
    assert_int_equal(unknown_outbound((struct program){.exe = "/usr/bin/bash",
                                                       .cmdline = "bash /dev/shm/x a b"}),
                     SEVERITY_WARN);
    assert_int_equal(
        unknown_outbound((struct program){.exe = "/usr/bin/bash", .cmdline = "bash -c /tmp/x"}),
        SEVERITY_OK);
    assert_int_equal(unknown_outbound((struct program){.exe = "/usr/bin/perl",
                                                       .cmdline = "perl /usr/bin/x /tmp/y"}),
                     SEVERITY_OK);
    assert_int_equal(
        unknown_outbound((struct program){.exe = "/usr/bin/cat", .cmdline = "cat /tmp/x"}),
        SEVERITY_OK);
    assert_int_equal(
        unknown_outbound((struct program){.exe = "/usr/bin/shred", .cmdline = "shred /tmp/x"}),
        SEVERITY_OK);
    assert_int_equal(unknown_outbound((struct program){.exe = "/usr/bin/sh", .cmdline = ""}),
                     SEVERITY_OK);
}

static void only_connections_to_the_internet_count(void **state)
{
    static const uint8_t internet[4] = {198, 51, 100, 1}, inside[4] = {10, 0, 0, 1},
                         loopback[4] = {127, 0, 0, 1};
    static const struct program program = {.exe = "/tmp/x", .cmdline = "/tmp/x", .cgroup = "/"};

    (void)state;
    assert_int_equal(unknown_outbound_to(&program, internet, STATE_ESTABLISHED), SEVERITY_WARN);
    assert_int_equal(unknown_outbound_to(&program, internet, STATE_SYN_SENT), SEVERITY_OK);
    assert_int_equal(unknown_outbound_to(&program, inside, STATE_ESTABLISHED), SEVERITY_OK);
    assert_int_equal(unknown_outbound_to(&program, loopback, STATE_ESTABLISHED), SEVERITY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_outbound_has_borders),
        cmocka_unit_test(scripts_count_as_programs),
        cmocka_unit_test(only_connections_to_the_internet_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
