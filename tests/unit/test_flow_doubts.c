/* SPDX-License-Identifier: MIT */
/* Doubts about traffic whose process ended before it was looked at: only where a fact decides. */
#include "filter_fixture.h"

#include "table/flow_doubts.h"
#include "table/flow_groups.h"

static struct machine machine;

/* Bytes are what they are told apart by. */
static const struct flow flows[] = {
    {.pid = 100, .process = 1, .cgroup_id = 1, .total = {.rx_bytes = 1}},
    {.pid = 200, .process = 2, .cgroup_id = 77, .total = {20, 0}, .flags = FLOW_EXITED},
    {.pid = 201, .process = 3, .cgroup_id = 78, .total = {0, 300}, .flags = FLOW_EXITED},
    {.pid = 201, .process = 3, .cgroup_id = 78, .total = {100, 0}, .flags = FLOW_EXITED},
    {.pid = 202, .process = 4, .total = {5000, 0}, .flags = FLOW_EXITED},
    {.cgroup_id = 78, .total = {60000, 0}, .flags = FLOW_EXITED | FLOW_FOLDED},
    {.pid = 203, .process = 5, .cgroup_id = 78, .flags = FLOW_EXITED},
};

static void add_process(uint32_t pid, const char *comm)
{
    uint32_t name = machine_text(&machine, comm), index;

    assert_int_equal(snapshot_add_process(&machine.snapshot, pid, &index), 0);
    machine.snapshot.processes[index].comm = name;
    machine.snapshot.processes[index].has = PROCESS_HAS_COMM;
    machine.snapshot.processes[index].flags = PROCESS_GONE;
}

static void add_flow(const struct flow *made, const char *comm, uint64_t id)
{
    uint32_t name = machine_text(&machine, comm);
    struct flow *flow = snapshot_add_flow(&machine.snapshot);

    assert_non_null(flow);
    *flow = *made;
    flow->id = flow->cookie = id;
    flow->comm = name;
}

static int set_up(void **state)
{
    struct process *known;

    (void)state;
    machine = (struct machine){.scratch = BUF_INIT};
    assert_int_equal(snapshot_init(&machine.snapshot), 0);
    machine_process(&machine, 100, 1, "nginx", "/system.slice/nginx.service");
    add_process(200, "curl");
    add_process(201, "curl");
    machine_process(&machine, 202, 1, "named", "/system.slice/named.service");
    known = &machine.snapshot.processes[3];
    known->has |= PROCESS_HAS_EXE | PROCESS_HAS_CMDLINE;
    known->flags = PROCESS_GONE;
    add_process(203, "silent");
    machine_process(&machine, 1, 0, "init", "/");
    machine.snapshot.processes[2].ppid = 9999; /* which has ended as well */
    machine.snapshot.processes[2].has |= PROCESS_HAS_PPID;
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
        add_flow(&flows[i], flows[i].pid ? "curl" : "wget", i + 1);
    assert_int_equal(snapshot_add_cgroup(&machine.snapshot, 1, "/"), 0);
    assert_int_equal(snapshot_add_cgroup(&machine.snapshot, 77, "/system.slice/a.service"), 0);
    assert_int_equal(join_make(&machine.snapshot, NEED_FLOWS, &machine.join), 0);
    machine.view = (struct view){
        .snapshot = &machine.snapshot, .join = &machine.join, .scratch = &machine.scratch};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    join_done(&machine.join);
    snapshot_done(&machine.snapshot);
    buf_done(&machine.scratch);
    return 0;
}

static struct flow_doubts find(const char *filter, const char *by)
{
    struct filter_error error = {{0}, 0, 0};
    struct group_plan plan = {.key_count = 0};
    struct query rows = {.table = &table_flows};
    struct filter *compiled = NULL;
    struct flow_doubts doubts;
    struct buf text = BUF_INIT;
    struct arena arena = {0};

    assert_int_equal(flow_group_plan(by, &plan, &text), 0);
    if (filter_compile(&table_flows, filter, &arena, &compiled, &error) != 0)
        fail_msg("%s: %s", filter, error.message);
    rows.filter = compiled;
    assert_int_equal(flow_doubts_find(&machine.view, &rows, &plan, &doubts), 0);
    filter_done(compiled);
    group_plan_done(&plan);
    arena_done(&arena);
    buf_done(&text);
    return doubts;
}

static void only_what_decides_is_doubtful(void **state)
{
    static const struct {
        const char *filter;
        uint64_t bytes;
        uint32_t processes;
    } cases[] = {
        {"", 0, 0},
        {"process curl", 0, 0},
        {"pid 100 or pid 201", 0, 0},
        {"cmdline ~ x", 60420, 3},
        {"not cmdline ~ x", 60420, 3},
        {"cmdline != x", 60420, 3},
        {"exe ~ x and pid 201", 400, 1},
        {"exe ~ x or process curl", 60000, 1},
        {"not (exe ~ x or process curl)", 60000, 1},
        {"exe ~ x and pid 100", 0, 0},
        {"exe ~ x and pid 202", 0, 0},
        {"unit = a.service", 60400, 2},
        {"unit = a.service and process curl", 400, 1},
        {"cgroup = /system.slice/named.service and pid 202", 0, 0},
        {"nginx", 60400, 2},
        {"curl", 60000, 1},
        {"pid 1+", 60420, 3},
        {"pid 201+", 60020, 2},
        {"pid 5+", 60420, 3},
        {"pid 5+ and pid 202", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_doubts doubts = find(cases[i].filter, "process");

        if (doubts.unmatched.bytes != cases[i].bytes ||
            doubts.unmatched.processes != cases[i].processes)
            fail_msg("%s: %u processes, %llu bytes", cases[i].filter, doubts.unmatched.processes,
                     (unsigned long long)doubts.unmatched.bytes);
        assert_int_equal(doubts.unnamed.processes, 0);
    }
}

static void keys_without_a_value_are_doubtful(void **state)
{
    struct flow_doubts doubts = find("", "unit,user");

    (void)state;
    assert_int_equal(doubts.unnamed.bytes, 60400);
    doubts = find("process curl", "container");
    assert_int_equal(doubts.unnamed.bytes, 400);
    assert_int_equal(doubts.unmatched.bytes, 0);
    /* What may be here or not is not told twice. */
    doubts = find("unit = a.service", "unit");
    assert_int_equal(doubts.unmatched.bytes, 60400);
    assert_int_equal(doubts.unnamed.bytes, 0);
    /* In the root of cgroup v2 it may be anywhere in v1. */
    machine.snapshot.flows[1].cgroup_id = 1;
    assert_int_equal(find("pid 200", "unit").unnamed.bytes, 0);
    machine.snapshot.cgroup_v1 = 1;
    assert_int_equal(find("pid 200", "unit").unnamed.bytes, 20);
}

static void expect_texts(const char *filter, const char *by, const char *unmatched,
                         const char *unnamed)
{
    struct flow_doubts doubts = find(filter, by);
    struct buf text = BUF_INIT;

    flow_doubts_write_unmatched(&doubts, &text);
    assert_string_equal(buf_string(&text), unmatched);
    buf_reset(&text);
    flow_doubts_write_unnamed(&doubts, &text);
    assert_string_equal(buf_string(&text), unnamed);
    buf_done(&text);
}

static void doubts_are_said(void **state)
{
    (void)state;
    expect_texts("", "process", "", "");
    expect_texts("cmdline ~ x and pid 201", "process",
                 "1 process ended before its command line could be read: 400 may belong here or "
                 "not",
                 "");
    expect_texts("(cmdline ~ x or exe ~ x or unit = b) and process curl", "process",
                 "2 processes ended before their program or command line or control group could "
                 "be read: 420 may belong here or not",
                 "");
    expect_texts("", "unit", "",
                 "at least 2 processes ended before their control group could be read: 59K have "
                 "no name here");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_decides_is_doubtful),
        TEST(keys_without_a_value_are_doubtful),
        TEST(doubts_are_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
