/* SPDX-License-Identifier: MIT */
/* Drives the interactive screen with made-up rows, which are the same each time: for tests of the
 * terminal. See README.md here. */
#include "base/buf.h"
#include "out/color.h"
#include "tui/tui.h"

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#define ROWS_MAX 1000

struct demo_row {
    uint32_t pid, sockets;
    const char *user, *process, *unit, *local, *peer;
    uint64_t rx, tx; /* bytes/s that it has most of the time */
    bool gone, sick;
};

struct demo {
    struct snapshot snapshot; /* empty: the view must have one */
    struct view view;
    struct buf scratch;
    struct arena arena;
    struct query query;
    uint32_t step; /* number of the reading */
    uint32_t zero; /* reading since which totals are counted */
    uint32_t rows;
    bool empty, noisy;
    uint32_t window;
    uint32_t doomed; /* pid; 0: none */
    struct tui_interface interfaces[3];
};

static struct demo_row rows[ROWS_MAX] = {
    {1203, 40, "www-data", "nginx", "nginx.service", "192.0.2.10:443", "198.51.100.7:50211",
     1250000, 33000000, false, false},
    {877, 3, "backup", "rsync", "backup.service", "192.0.2.10:41772", "203.0.113.9:873", 8000,
     9100000, false, false},
    {4410, 1, "alice", "curl", "session-4.scope", "192.0.2.10:55512", "203.0.113.80:443", 2600000,
     31000, true, false},
    {646, 12, "shop", "java", "shop.service", "192.0.2.10:53788", "198.51.100.20:5432", 410000,
     220000, false, true},
    {2210, 2, "bob", "\345\275\251\350\211\262\343\201\256\345\220\215\345\211\215", "",
     "[2001:db8::5]:22", "[2001:db8::77]:50022", 12000, 90000, false, false},
    {31337, 1, "nobody", "\033[31mevil\r\n\033]0;x\007\342\200\256txt\377", "x\\y", "192.0.2.10:9",
     "203.0.113.66:31337", 77, 0, false, false},
    {1, 5, "root", "systemd", "init.scope", "0.0.0.0:22", "198.51.100.3:60000", 0, 0, false, false},
};

static const struct demo *demo_of(const struct view *view)
{
    return view->resolve_context;
}

/* A pattern, so that sparklines show something. */
static uint64_t wave(const struct demo *demo, uint32_t row, uint64_t rate)
{
    static const uint32_t eighths[] = {8, 6, 7, 3, 1, 4, 5, 8, 2, 6};

    return rate * eighths[(demo->step + row) % ARRAY_SIZE(eighths)] / 8;
}

static struct value text(const char *string)
{
    return *string ? value_bytes(string, strlen(string)) : value_none();
}

static struct value get_pid(const struct view *view, uint32_t row)
{
    (void)view;
    return value_uint(rows[row].pid);
}

static struct value get_sockets(const struct view *view, uint32_t row)
{
    (void)view;
    return value_uint(rows[row].sockets);
}

#define TEXT_GETTER(member)                                                                        \
    static struct value get_##member(const struct view *view, uint32_t row)                        \
    {                                                                                              \
        (void)view;                                                                                \
        return text(rows[row].member);                                                             \
    }
TEXT_GETTER(user)
TEXT_GETTER(process)
TEXT_GETTER(unit)
TEXT_GETTER(local)
TEXT_GETTER(peer)

static struct value get_rx_rate(const struct view *view, uint32_t row)
{
    return value_uint(wave(demo_of(view), row, rows[row].rx));
}

static struct value get_tx_rate(const struct view *view, uint32_t row)
{
    return value_uint(wave(demo_of(view), row, rows[row].tx));
}

static struct value get_rx_bytes(const struct view *view, uint32_t row)
{
    return value_uint(rows[row].rx * (demo_of(view)->step - demo_of(view)->zero));
}

static struct value get_tx_bytes(const struct view *view, uint32_t row)
{
    return value_uint(rows[row].tx * (demo_of(view)->step - demo_of(view)->zero));
}

static const struct column columns[] = {
    {.name = "pid", .title = "PID", .kind = KIND_ID, .get = get_pid},
    {.name = "user", .title = "USER", .kind = KIND_TEXT, .flags = COLUMN_MINOR, .get = get_user},
    {.name = "process", .title = "PROCESS", .kind = KIND_TEXT, .get = get_process},
    {.name = "unit", .title = "UNIT", .kind = KIND_TEXT, .flags = COLUMN_MINOR, .get = get_unit},
    {.name = "connections", .title = "CONN", .kind = KIND_COUNT, .get = get_sockets},
    {.name = "rx_rate", .title = "RX/S", .kind = KIND_BYTES_PER_SECOND, .get = get_rx_rate},
    {.name = "tx_rate", .title = "TX/S", .kind = KIND_BYTES_PER_SECOND, .get = get_tx_rate},
    {.name = "rx_bytes", .title = "RX", .kind = KIND_BYTES, .get = get_rx_bytes},
    {.name = "tx_bytes", .title = "TX", .kind = KIND_BYTES, .get = get_tx_bytes},
    {.name = "local", .title = "LOCAL", .kind = KIND_ENDPOINT, .get = get_local},
    {.name = "peer", .title = "PEER", .kind = KIND_ENDPOINT, .get = get_peer},
};

static uint32_t row_count(const struct view *view)
{
    return demo_of(view)->empty ? 0 : demo_of(view)->rows;
}

static uint64_t row_identity(const struct view *view, uint32_t row)
{
    (void)view;
    return rows[row].pid;
}

static const struct table demo_table = {
    .name = "traffic",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = row_count,
    .identity = row_identity,
};

static const struct tui_choice groupings[] = {
    {"process", "processes", NULL, 1},
    {"conn", "connections, and sockets without one", NULL, 1},
    {"peer", "addresses of other ends", NULL, 1},
    {"user", "users", NULL, 1},
};

/* The columns of each grouping. */
static const char *const shown[][10] = {
    {"pid", "user", "process", "unit", "connections", "rx_rate", "tx_rate", "rx_bytes", "tx_bytes",
     "peer"},
    {"local", "peer", "pid", "process", "rx_rate", "tx_rate", "rx_bytes", "tx_bytes"},
    {"peer", "rx_rate", "tx_rate", "rx_bytes", "tx_bytes", "process"},
    {"user", "connections", "rx_rate", "tx_rate", "rx_bytes", "tx_bytes", "process"},
};

static const struct tui_choice windows[] = {
    {.name = "2s", .help = "the last 2 seconds"},
    {.name = "10s", .help = "the last 10 seconds"},
    {.name = "60s", .help = "the last minute"},
    {.name = "total", .help = "since it is counted"},
};

/* --- what the screen calls --- */

static int refresh(void *context)
{
    struct demo *demo = context;

    demo->step++;
    for (size_t i = 0; i < ARRAY_SIZE(demo->interfaces); i++) {
        struct tui_interface *interface = &demo->interfaces[i];

        interface->known = demo->step > 1;
        interface->rx = wave(demo, (uint32_t)i, UINT64_C(10500000) >> (i * 5));
        interface->tx = wave(demo, (uint32_t)i + 3, UINT64_C(43000000) >> (i * 5));
        interface->rx_packets = interface->rx / 900;
        interface->tx_packets = interface->tx / 1400;
        interface->parts_known = interface->unowned_known = interface->known;
        interface->named = 972;
        interface->headers = 7;
        interface->forwarded = i ? 0 : 14;
        interface->unowned = 7;
    }
    if (demo->noisy)
        fprintf(stderr, "nwho: reading %u went wrong\n", demo->step);
    return 0;
}

static void status(void *context, struct tui_status *ret_status)
{
    struct demo *demo = context;

    *ret_status = (struct tui_status){
        .host = "web1",
        .time_ns = (UINT64_C(1790000000) + demo->step) * 1000000000,
        .accounting = "exact (BPF)",
        .reconcile = "named 97.2%  kernel 1.1%  forwarded 1.4%  unowned 0.3%",
        .exact = true,
        .interfaces = demo->interfaces,
        .interface_count = ARRAY_SIZE(demo->interfaces),
    };
}

static int check(void *context, uint32_t grouping, const char *filter,
                 struct filter_error *ret_error)
{
    struct demo *demo = context;
    struct filter *compiled = NULL;
    int r = filter_compile(&demo_table, filter, &demo->arena, &compiled, ret_error);

    (void)grouping;
    if (r == 0)
        filter_done(compiled);
    return r;
}

static void choose_columns(struct query *query, const struct tui_question *question)
{
    const char *sort = *question->sort ? question->sort : "tx_rate";

    *query = (struct query){.table = &demo_table};
    for (size_t i = 0; i < 10 && shown[question->grouping][i]; i++)
        query->columns[query->column_count++] =
            table_column(&demo_table, shown[question->grouping][i]);
    query->sort[0].column = table_column(&demo_table, sort);
    query->sort[0].descending = *question->sort ? question->descending : true;
    query->sort_count = query->sort[0].column != NULL;
}

static int answer(void *context, const struct tui_question *question, struct tui_answer *ret_answer)
{
    struct demo *demo = context;
    struct filter_error error;
    struct filter *filter = NULL;
    struct buf both = BUF_INIT;
    int r;

    if (*question->within)
        buf_printf(&both, "(%s)", question->within);
    if (*question->filter)
        buf_printf(&both, "%s(%s)", both.length ? " and " : "", question->filter);
    r = filter_compile(&demo_table, buf_string(&both), &demo->arena, &filter, &error);
    buf_done(&both);
    if (r < 0)
        return r;
    choose_columns(&demo->query, question);
    demo->window = question->window;
    demo->query.filter = filter;
    r = query_run(&demo->query, &demo->view, &ret_answer->grid);
    filter_done(filter);
    ret_answer->sort = demo->query.sort[0].column;
    ret_answer->descending = demo->query.sort[0].descending;
    return r;
}

static void row_facts(void *context, const struct grid *grid, uint32_t row, struct tui_row *ret_row)
{
    const struct demo *demo = context;
    uint32_t at = grid->rows[row];

    *ret_row = (struct tui_row){
        .identity = rows[at].pid,
        .rx = wave(demo, at, rows[at].rx),
        .tx = wave(demo, at, rows[at].tx),
        .gone = rows[at].gone,
        .sick = rows[at].sick,
    };
}

static int condition(void *context, uint32_t grouping, const struct grid *grid, uint32_t row,
                     struct buf *condition_out, struct buf *title)
{
    const struct demo_row *facts = &rows[grid->rows[row]];

    (void)context;
    (void)grouping;
    buf_printf(condition_out, "pid = %u", facts->pid);
    buf_printf(title, "%s(%u)", facts->process, facts->pid);
    return 0;
}

static void command(void *context, const struct tui_question *question, struct buf *line)
{
    (void)context;
    buf_printf(line, "nwho top --by %s", groupings[question->grouping].name);
    if (*question->filter)
        buf_printf(line, " '%s'", question->filter);
}

static int ask(void *context, enum tui_deed deed, const struct grid *grid, uint32_t row,
               struct buf *message)
{
    const struct demo_row *facts = &rows[grid->rows[row]];
    struct demo *demo = context;

    demo->doomed = facts->pid;
    buf_printf(message, "%s  %s\n", facts->process, facts->peer);
    if (deed == TUI_TERMINATE)
        buf_printf(message, "end pid %u? [y/N]", demo->doomed);
    else
        buf_printf(message, "destroy the sockets of pid %u? [y/N]", demo->doomed);
    return 0;
}

static void explain(void *context, const struct grid *grid, uint32_t row, struct buf *line)
{
    (void)context;
    if (rows[grid->rows[row]].sick)
        buf_puts(line, "sick: data waits to be read, and the process does not");
}

static void act(void *context, struct buf *message)
{
    struct demo *demo = context;

    for (uint32_t i = 0; i < demo->rows; i++)
        if (rows[i].pid == demo->doomed) {
            rows[i].gone = true;
            rows[i].rx = rows[i].tx = 0;
            buf_printf(message, "%u sockets destroyed, no process ended", rows[i].sockets);
        }
}

static int zero(void *context)
{
    struct demo *demo = context;

    demo->zero = demo->step;
    return 0;
}

/* --- */

static void add_rows(struct demo *demo, uint32_t count)
{
    demo->rows = 7;
    for (uint32_t i = demo->rows; i < count && i < ROWS_MAX; i++) {
        rows[i] = rows[i % 7];
        rows[i].pid = 5000 + i;
        rows[i].gone = rows[i].sick = false;
        rows[i].rx = rows[i].tx = 7 * (uint64_t)(ROWS_MAX - i);
        demo->rows++;
    }
}

static int parse(struct demo *demo, struct tui_settings *settings, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "ab:cd:en:ox")) >= 0) {
        switch (option) {
        case 'a':
            settings->dumb_glyphs = true;
            break;
        case 'b':
            settings->grouping = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'c':
            settings->color = color_decide(&(struct color_inputs){
                .is_terminal = true, .no_color = getenv("NO_COLOR"), .term = getenv("TERM")});
            break;
        case 'd':
            settings->interval_ms = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'e':
            demo->empty = true;
            break;
        case 'n':
            add_rows(demo, (uint32_t)strtoul(optarg, NULL, 10));
            break;
        case 'o':
            demo->noisy = true;
            break;
        default:
            return -EINVAL;
        }
    }
    return 0;
}

static int run(struct demo *demo, struct tui_settings *settings)
{
    const struct tui_source source = {
        .context = demo,
        .groupings = groupings,
        .windows = windows,
        .grouping_count = ARRAY_SIZE(groupings),
        .window_count = ARRAY_SIZE(windows),
        .fd = -1,
        .refresh = refresh,
        .status = status,
        .answer = answer,
        .row = row_facts,
        .check = check,
        .condition = condition,
        .command = command,
        .explain = explain,
        .ask = ask,
        .act = act,
        .zero = zero,
    };
    struct buf reason = BUF_INIT;
    int number = 0, r = tui_check(&reason);

    if (r < 0)
        fprintf(stderr, "tui_demo: %s\n", buf_string(&reason));
    buf_done(&reason);
    if (r == 0)
        r = tui_run(&source, settings, &number);
    if (r == 0 && number)
        raise(number);
    printf("left with %d\n", r);
    return r < 0;
}

int main(int argc, char **argv)
{
    struct demo demo = {.scratch = BUF_INIT,
                        .interfaces = {{.name = "eth0", .identity = 1},
                                       {.name = "ppp\033[7m", .identity = 2, .drops = 12},
                                       {.name = "lo", .identity = 3, .loopback = true}}};
    struct tui_settings settings = {.interval_ms = 0};
    int r;

    setlocale(LC_CTYPE, "");
    add_rows(&demo, 0);
    if (parse(&demo, &settings, argc, argv) < 0 || snapshot_init(&demo.snapshot) < 0)
        return 2;
    demo.view = (struct view){
        .snapshot = &demo.snapshot, .scratch = &demo.scratch, .resolve_context = &demo};
    r = run(&demo, &settings);
    snapshot_done(&demo.snapshot);
    arena_done(&demo.arena);
    buf_done(&demo.scratch);
    return r;
}
