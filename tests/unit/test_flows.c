/* SPDX-License-Identifier: MIT */
/* Tests of the table of flows and of the groups that add them up, on a hand-made minute of traffic.
 */
#include "filter_fixture.h"

#include "out/csv.h"
#include "out/json.h"
#include "out/text.h"
#include "table/flow_cells.h"
#include "table/flow_groups.h"

static struct machine machine;

#define SECOND UINT64_C(1000000000)

struct made {
    uint32_t pid, tid;
    const char *comm, *local;
    unsigned int local_port;
    const char *peer;
    unsigned int peer_port;
    unsigned int proto;
    uint64_t cookie;
    struct traffic last, total;
    uint32_t flags, sockets;
};

static void add_flow(const struct made *made, uint64_t id)
{
    uint32_t comm = machine_text(&machine, made->comm);
    uint32_t process = made->pid ? map_get(&machine.snapshot.process_index, made->pid) : MAP_NONE;
    struct flow *flow = snapshot_add_flow(&machine.snapshot);

    assert_non_null(flow);
    *flow = (struct flow){
        .id = id,
        .cookie = made->cookie,
        .pid = made->pid,
        .tid = made->tid,
        .comm = comm,
        .uid = made->pid,
        .process = process == MAP_NONE ? 0 : process + 1,
        .start_ticks = made->pid,
        .proto = (uint8_t)made->proto,
        .local_port = (uint16_t)made->local_port,
        .peer_port = (uint16_t)made->peer_port,
        .flags = made->flags,
        .sockets = made->sockets,
        .total = made->total,
        .window = {made->last, made->last, made->last, made->total},
        .rx_calls = 1,
        .tx_calls = 2,
        .first_ns = 40 * SECOND,
        .last_ns = (90 + id) * SECOND,
    };
    if (made->local)
        machine_address(made->local, &flow->local, &flow->family);
    if (made->peer)
        machine_address(made->peer, &flow->peer, &flow->family);
}

/* Two threads on one connection, a closed one, a process that has ended, what is folded, what has
 * no room, and datagrams without a peer. */
static const struct made flows[] = {
    {100,
     100,
     "nginx",
     "10.0.0.1",
     443,
     "10.0.0.9",
     50312,
     PROTO_TCP,
     11,
     {1000, 9},
     {2000, 20},
     0,
     1},
    {100,
     101,
     "wor\033ker",
     "10.0.0.1",
     443,
     "10.0.0.9",
     50312,
     PROTO_TCP,
     11,
     {500, 0},
     {500, 1},
     0,
     1},
    {100,
     100,
     "nginx",
     "10.0.0.1",
     443,
     "10.0.1.7",
     40000,
     PROTO_TCP,
     12,
     {1, 0},
     {7000, 7},
     FLOW_CLOSED,
     1},
    {100,
     0,
     "nginx",
     NULL,
     0,
     NULL,
     0,
     PROTO_TCP,
     0,
     {0, 0},
     {100, 200},
     FLOW_CLOSED | FLOW_FOLDED,
     3},
    {200,
     200,
     "a,\"b\"\n",
     "fd00::1",
     1024,
     "2606:4700::1",
     80,
     PROTO_TCP,
     13,
     {0, 3},
     {0, 30},
     FLOW_EXITED | FLOW_CLOSED,
     1},
    {0, 0, "", NULL, 0, NULL, 0, 0, 0, {4, 4}, {4, 4}, FLOW_OTHER, 0},
    {300,
     300,
     "dns",
     "0.0.0.0",
     53,
     "0.0.0.0",
     0,
     PROTO_UDP,
     14,
     {0, 0},
     {60, 60},
     FLOW_SPLICED,
     1},
};

static int set_up(void **state)
{
    uint32_t index;

    (void)state;
    machine = (struct machine){.scratch = BUF_INIT};
    assert_int_equal(snapshot_init(&machine.snapshot), 0);
    assert_int_equal(snapshot_add_netns(&machine.snapshot, 4026531840, &index), 0);
    machine.snapshot.boot_ns = 100 * SECOND;
    machine.snapshot.time_ns = UINT64_C(1767323045) * SECOND + 250000000;
    machine.snapshot.accounting = ACCOUNTING_BPF;
    machine.snapshot.window_ns[FLOW_LAST] = SECOND;
    machine.snapshot.window_ns[FLOW_2S] = 2 * SECOND;
    machine.snapshot.window_ns[FLOW_10S] = 10 * SECOND;
    machine_process(&machine, 100, 1, "nginx", "/system.slice/nginx.service");
    machine_process(&machine, 300, 1, "named", "/system.slice/named.service");
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
        add_flow(&flows[i], i + 1);
    assert_int_equal(join_make(&machine.snapshot, NEED_FLOWS, &machine.join), 0);
    machine.view = (struct view){.snapshot = &machine.snapshot,
                                 .join = &machine.join,
                                 .names = NULL,
                                 .scratch = &machine.scratch};
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

/* One question: what `top FILTER --by BY -o COLUMNS --sort rate:desc,bytes:desc` would answer. */
struct answer {
    struct arena arena;
    struct filter *filter, *groups_filter;
    struct group_plan plan;
    struct group group;
    struct query rows, groups;
    struct grid grid;
};

static void put_columns(struct query *query, const char *names)
{
    char *copy = strdup(names), *rest = copy, *name;

    assert_non_null(copy);
    while ((name = strsep(&rest, ","))) {
        const struct column *column = table_column(query->table, name);

        if (!column)
            print_error("no column %s\n", name);
        assert_non_null(column);
        query->columns[query->column_count++] = column;
    }
    free(copy);
}

static void ask(struct answer *answer, const char *by, const char *filter, const char *columns)
{
    struct filter_error error = {{0}, 0, 0};
    struct buf text = BUF_INIT;
    struct grid rows;

    *answer = (struct answer){.rows = {.table = &table_flows}};
    if (flow_group_plan(by, &answer->plan, &text) != 0)
        print_error("%s\n", buf_string(&text));
    assert_non_null(answer->plan.table.columns);
    if (filter_compile(&table_flows, filter, &answer->arena, &answer->filter, &error) != 0)
        print_error("%s: %s\n", filter, error.message);
    assert_non_null(answer->filter);
    answer->rows.filter = answer->filter;
    assert_int_equal(filter_split(answer->filter, &answer->plan.table, &answer->arena,
                                  &answer->groups_filter, &error),
                     0);
    answer->groups.table = &answer->plan.table;
    answer->groups.filter = answer->groups_filter;
    put_columns(&answer->groups, columns);
    answer->groups.sort[0] = (struct sort_key){table_column(&answer->plan.table, "rate"), true};
    answer->groups.sort[1] = (struct sort_key){table_column(&answer->plan.table, "bytes"), true};
    answer->groups.sort_count = 2;
    assert_int_equal(query_run(&answer->rows, &machine.view, &rows), 0);
    assert_int_equal(group_make(&answer->plan, &rows, &answer->group), 0);
    grid_done(&rows);
    machine.view.group = &answer->group;
    assert_int_equal(query_run(&answer->groups, &machine.view, &answer->grid), 0);
    buf_done(&text);
}

static void answer_done(struct answer *answer)
{
    grid_done(&answer->grid);
    group_done(&answer->group);
    group_plan_done(&answer->plan);
    filter_done(answer->filter);
    arena_done(&answer->arena);
    machine.view.group = NULL;
}

static void expect(const char *by, const char *filter, const char *columns, const char *csv)
{
    struct answer answer;
    struct buf out = BUF_INIT;

    ask(&answer, by, filter, columns);
    assert_int_equal(csv_write(&answer.grid, true, &out), 0);
    assert_string_equal(buf_string(&out), csv);
    buf_done(&out);
    answer_done(&answer);
}

static void test_processes(void **state)
{
    (void)state;
    /* 3 of nginx's sockets were folded, and two of its flows share one. */
    expect("process", "", "pid,process,connections,sockets,rx_rate,tx_rate,rx_bytes,tx_bytes,flags",
           "100,nginx,1,5,1501,9,9600,228,folded\n"
           ",,0,,4,4,4,4,other\n"
           "200,\"a,\"\"b\"\"\\n\",0,1,0,3,0,30,\"closed,exited\"\n"
           "300,named,1,1,0,0,60,60,spliced\n");
    expect("process", "", "rate,bytes,rx_rate_2s,rx_rate_10s,rx_rate_60s,rx_calls,tx_calls",
           "1510,9828,751,150,,4,8\n8,8,2,0,,1,2\n3,30,0,0,,1,2\n0,120,0,0,,1,2\n");
    expect("process", "pid 100", "uid,unit,top_peer,age_s,last_s",
           "100,nginx.service,10.0.0.9:50312,60,6\n");
}

static void test_groupings(void **state)
{
    (void)state;
    expect("thread", "pid 100", "pid,tid,thread,rx_rate",
           "100,100,nginx,1001\n100,101,wor\\eker,500\n100,,nginx,0\n");
    expect("conn", "process nginx", "cookie,local,peer,rx_rate,connections,flags",
           "11,10.0.0.1:443,10.0.0.9:50312,1500,1,\n12,10.0.0.1:443,10.0.1.7:40000,1,0,closed\n"
           ",,,0,0,\"closed,folded\"\n");
    expect("peer/16", "tcp", "peer_addr,connections,sockets,rx_rate,top_process",
           "10.0.0.0/16,1,2,1501,nginx\n2606:4700::/64,0,1,0,\"a,\"\"b\"\"\\n\"\n,0,3,0,nginx\n");
    expect("unit", "not unit nginx", "unit,rate", ",11\nnamed.service,0\n");
    expect("user", "", "uid,user,rate", "100,100,1510\n,,8\n200,200,3\n300,300,0\n");
    expect("port", "", "proto,service_port,rate",
           "tcp,443,1510\n,,8\ntcp,80,3\ntcp,,0\nudp,53,0\n");
    expect("netns", "", "netns,rate", "4026531840,1521\n");
    expect("user,port", "port 443", "uid,proto,service_port,rx_rate", "100,tcp,443,1501\n");
}

static void test_filters(void **state)
{
    (void)state;
    /* What is added up is asked of the rows that are shown. */
    expect("process", "rx_rate > 1500", "pid,rx_rate", "100,1501\n");
    expect("process", "rx_rate > 10Kbit", "pid,rx_rate", "100,1501\n");
    expect("thread", "rx_rate > 400", "tid,rx_rate", "100,1001\n101,500\n");
    expect("process", "peer 10.0.0.0/24 and (rx_rate > 2000 or tx_bytes > 20)",
           "pid,rx_rate,tx_bytes", "100,1500,21\n");
    expect("process", "pid 100,200 and not (rx_rate or connections)", "pid", "200\n");
    expect("process", "pid 100 (rx_rate > 1500 and tcp)", "pid,rx_rate", "100,1501\n");
    expect("process", "peer 10.0.1.0/24", "pid,rx_bytes", "100,7000\n");
    expect("process", "dport 80", "pid", "200\n");
    expect("process", "named", "pid", "300\n");
    expect("process", "flags ~ exited", "pid", "200\n");
    expect("process", "udp and sport 53", "pid", "300\n");
    expect("process", "not pid >= 0", "flags", "other\n");
}

static void sums_and_rows_are_joined_by_and(void **state)
{
    static const char *const wrong[] = {"tcp or rx_rate > 5", "not (tcp and rx_rate > 5)",
                                        "udp and (pid 1 or bytes)"};
    struct group_plan plan;
    struct buf text = BUF_INIT;

    (void)state;
    assert_int_equal(flow_group_plan("process", &plan, &text), 0);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct arena arena = {0};
        struct filter *filter = NULL, *groups = NULL;
        struct filter_error error;

        assert_int_equal(filter_compile(&table_flows, wrong[i], &arena, &filter, &error), 0);
        assert_int_equal(filter_split(filter, &plan.table, &arena, &groups, &error), -EINVAL);
        assert_non_null(strstr(error.message, "by 'and'"));
        filter_done(filter);
        arena_done(&arena);
    }
    group_plan_done(&plan);
    buf_done(&text);
}

static void each_flow_is_in_one_group(void **state)
{
    struct answer answer;

    (void)state;
    ask(&answer, "process", "", "pid");
    for (uint32_t flow = 0; flow < machine.snapshot.flows_count; flow++) {
        int groups = 0;

        for (uint32_t group = 0; group < answer.group.row_count; group++)
            groups += group_has(&answer.group, group, &machine.view, flow);
        assert_int_equal(groups, 1);
    }
    answer_done(&answer);
}

/* A socket that listens tells which side serves, also of connections that are over. */
static void test_service_port(void **state)
{
    struct socket *socket =
        machine_inet(&machine, PROTO_TCP, STATE_LISTENING, "0.0.0.0", 1024, "0.0.0.0", 0);

    (void)state;
    socket->cookie = 99;
    machine.snapshot.netns[0].flags |= NETNS_READ;
    join_done(&machine.join);
    assert_int_equal(join_make(&machine.snapshot, NEED_FLOWS, &machine.join), 0);
    expect("port", "pid 200", "service_port", "1024\n");
    expect("port", "cookie 11", "service_port", "50312\n");
}

/* Of processes that have ended long ago only the name is left, and the user. */
static void ended_ones_keep_their_name(void **state)
{
    struct snapshot *snapshot = &machine.snapshot;
    struct view view = machine.view;
    struct flow *flow;

    (void)state;
    flow = snapshot_add_flow(snapshot);
    assert_non_null(flow);
    flow->flags = FLOW_FOLDED | FLOW_EXITED;
    flow->uid = 33;
    assert_int_equal(snapshot_intern(snapshot, "curl", 4, &flow->comm), 0);
    assert_memory_equal(flow_process(&view, snapshot->flows_count - 1).string.bytes, "curl", 4);
    assert_int_equal(flow_uid(&view, snapshot->flows_count - 1).uint, 33);
    snapshot->flows_count--;
}

static void join_again(void)
{
    join_done(&machine.join);
    assert_int_equal(join_make(&machine.snapshot, NEED_FLOWS, &machine.join), 0);
}

/* What a row stands for, said in the language, finds the same flows. */
static void assert_conditions_find_their_rows(const char *by)
{
    struct answer all, one;

    ask(&all, by, "", "bytes");
    for (uint32_t row = 0; row < all.grid.row_count; row++) {
        uint64_t bytes = grid_cell(&all.grid, row, 0).uint;
        struct buf condition = BUF_INIT;

        assert_true(flow_group_condition(&machine.view, all.grid.rows[row], &condition));
        ask(&one, by, buf_string(&condition), "bytes");
        if (one.grid.row_count != 1 || grid_cell(&one.grid, 0, 0).uint != bytes)
            print_error("by %s: %s: %u rows\n", by, buf_string(&condition), one.grid.row_count);
        assert_int_equal(one.grid.row_count, 1);
        assert_int_equal(grid_cell(&one.grid, 0, 0).uint, bytes);
        answer_done(&one);
        machine.view.group = &all.group;
        buf_done(&condition);
    }
    answer_done(&all);
}

/* They are as many rows as there were programs and users; what is nobody's is one more. */
static void ended_ones_are_told_apart(void **state)
{
    static const struct {
        const char *comm;
        uint32_t uid, flags;
        uint64_t bytes;
    } ended[] = {
        {"curl", 33, FLOW_EXITED, 10},
        {"wget", 33, FLOW_EXITED, 200},
        {"curl", 0, FLOW_EXITED, 30},
        {"curl", 33, FLOW_EXITED, 5},
        {"", 0, 0, 1000},
        {"", 0, 0, 2000},
    };
    uint32_t count = machine.snapshot.flows_count;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ended); i++) {
        add_flow(&(struct made){.comm = ended[i].comm,
                                .total = {ended[i].bytes, 0},
                                .flags = ended[i].flags | FLOW_FOLDED},
                 1000 + i);
        machine.snapshot.flows[count + i].uid = ended[i].uid;
    }
    join_again();
    expect(
        "process", "not pid >= 0", "pid,process,uid,rx_bytes,flags",
        ",,,4,other\n,,,3000,folded\n,wget,33,200,\"exited,folded\"\n,curl,0,30,\"exited,folded\"\n"
        ",curl,33,15,\"exited,folded\"\n");
    assert_conditions_find_their_rows("process");
    machine.snapshot.flows_count = count;
    join_again();
}

static void test_identity(void **state)
{
    struct answer answer;
    uint64_t nginx, ended;

    (void)state;
    ask(&answer, "process", "", "pid");
    nginx = answer.plan.table.identity(&machine.view, answer.grid.rows[0]);
    ended = answer.plan.table.identity(&machine.view, answer.grid.rows[2]);
    assert_true(nginx != ended && nginx && ended);
    answer_done(&answer);
    /* The greatest flow is another one, and the order of rows too. */
    machine.snapshot.flows[4].window[FLOW_LAST].rx_bytes = 100000;
    machine.snapshot.flows[2].window[FLOW_10S].rx_bytes = 100000;
    ask(&answer, "process", "", "pid");
    assert_true(answer.plan.table.identity(&machine.view, answer.grid.rows[0]) == ended);
    assert_true(answer.plan.table.identity(&machine.view, answer.grid.rows[1]) == nginx);
    answer_done(&answer);
    /* The same pid, given to another process. */
    machine.snapshot.flows[4].start_ticks++;
    ask(&answer, "process", "", "pid");
    assert_true(answer.plan.table.identity(&machine.view, answer.grid.rows[0]) != ended);
    answer_done(&answer);
}

static void test_conditions(void **state)
{
    static const char *const words[] = {"process",   "thread", "peer", "peer/16",
                                        "container", "unit",   "user", "user,port",
                                        "netns",     "iface",  "port"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        assert_conditions_find_their_rows(words[i]);
}

static void test_words(void **state)
{
    static const struct {
        const char *words, *error;
    } cases[] = {
        {"proces", "traffic cannot be shown by \"proces\": did you mean process?"},
        {"", "traffic cannot be shown by \"\": process thread conn peer container unit user iface "
             "port netns proto"},
        {"unit/24", "only an address can be counted by prefix, and unit is none"},
    };
    const char *word, *help;
    struct group_plan plan;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf error = BUF_INIT;

        assert_int_equal(flow_group_plan(cases[i].words, &plan, &error), -EINVAL);
        assert_string_equal(buf_string(&error), cases[i].error);
        buf_done(&error);
    }
    for (uint32_t i = 0; flow_grouping(i, &word, &help); i++) {
        struct buf error = BUF_INIT;

        assert_int_equal(flow_group_plan(word, &plan, &error), 0);
        group_plan_done(&plan);
        buf_done(&error);
    }
}

static void test_sums(void **state)
{
    struct answer answer;

    (void)state;
    ask(&answer, "peer", "", "bytes");
    assert_int_equal(group_sum(&answer.group, "rx_bytes").number, 9664);
    assert_int_equal(group_sum(&answer.group, "rx_rate").number, 1505);
    assert_false(group_sum(&answer.group, "nothing").known);
    answer_done(&answer);
    ask(&answer, "peer", "port 1", "bytes");
    assert_false(group_sum(&answer.group, "rx_bytes").known);
    answer_done(&answer);
}

/* Sums of the flows of a socket and of a process, for the tables of these. */
static void test_join(void **state)
{
    const struct flow_join *join = &machine.join.flows;

    (void)state;
    assert_int_equal(join->socket_count, 4);
    assert_int_equal(join->sockets[0].total.rx_bytes, 2500);
    assert_int_equal(join->processes[0].total.rx_bytes, 9600);
    assert_int_equal(join->processes[0].last.tx_bytes, 9);
    assert_int_equal(flow_socket(join, &machine.snapshot.flows[0]), FLOW_JOIN_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_processes),
        TEST(test_groupings),
        TEST(test_filters),
        TEST(sums_and_rows_are_joined_by_and),
        TEST(each_flow_is_in_one_group),
        TEST(test_service_port),
        TEST(ended_ones_keep_their_name),
        TEST(ended_ones_are_told_apart),
        TEST(test_identity),
        TEST(test_conditions),
        TEST(test_words),
        TEST(test_sums),
        TEST(test_join),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
