/* SPDX-License-Identifier: MIT */
/* Fuzzing of the interactive screen: keys, the mouse and sizes of the terminal, as they may come.
 */
#include "derive/join.h"
#include "fuzz.h"
#include "no_terminal.h"
#include "tui/screen.h"

#define EVENTS_MAX 30
#define PIECES 100 /* of the past */

static const struct tui_choice groupings[] = {{"iface", "interfaces", NULL, 1},
                                              {"conn", "connections", NULL, 1}};
static const struct tui_choice windows[] = {{.name = "2s", .help = "2 seconds"},
                                            {.name = "total", .help = "all"}};

/* Interfaces, one of which has a name that nobody should have. */
struct source {
    struct snapshot snapshot;
    struct join join;
    struct view view;
    struct buf scratch;
    struct arena arena;
    struct query query;
    uint32_t step;
};

static int refresh(void *context)
{
    ((struct source *)context)->step++;
    return 0;
}

static void status(void *context, struct tui_status *ret_status)
{
    static const struct tui_interface interface = {.name = "a\033[7m",
                                                   .netns = "n\t",
                                                   .identity = 1,
                                                   .known = true,
                                                   .rx = 12345,
                                                   .tx = UINT64_MAX,
                                                   .parts_known = true,
                                                   .unowned_known = true,
                                                   .named = UINT64_MAX,
                                                   .headers = 1,
                                                   .unowned = 77};

    (void)context;
    *ret_status = (struct tui_status){
        .host = "h\n\377", .accounting = "exact", .interfaces = &interface, .interface_count = 1};
}

static int show(void *context, uint64_t piece, struct tui_status *ret_status)
{
    CHECK(piece < PIECES);
    ((struct source *)context)->step = (uint32_t)piece;
    status(context, ret_status);
    return 0;
}

static int find(void *context, const char *text, uint64_t *ret_piece, struct buf *problem)
{
    size_t length = strlen(text);

    (void)context;
    if (length == 0) {
        buf_puts(problem, "no time\033");
        return -EINVAL;
    }
    *ret_piece = text[0] == '9' ? UINT64_MAX : length % PIECES;
    return 0;
}

static const struct tui_replay past = {.since_ns = UINT64_C(1764547200000000000),
                                       .until_ns = UINT64_C(1764548200000000000),
                                       .every_ns = UINT64_C(10000000000),
                                       .count = PIECES,
                                       .first = 3,
                                       .show = show,
                                       .find = find};

static int check(void *context, uint32_t grouping, const char *filter,
                 struct filter_error *ret_error)
{
    struct source *source = context;
    struct filter *compiled = NULL;
    int r = filter_compile(&table_interfaces, filter, &source->arena, &compiled, ret_error);

    (void)grouping;
    filter_done(compiled);
    return r;
}

static int answer(void *context, const struct tui_question *question, struct tui_answer *ret_answer)
{
    struct source *source = context;
    struct query *query = &source->query;
    const struct column *sort = table_column(&table_interfaces, question->sort);
    struct filter_error error;
    struct filter *filter = NULL;
    int r;

    CHECK(question->grouping < ARRAY_SIZE(groupings) && question->window < ARRAY_SIZE(windows));
    r = filter_compile(&table_interfaces, question->filter, &source->arena, &filter, &error);
    CHECK(r == 0); /* check() has let it pass */
    *query = (struct query){.table = &table_interfaces, .filter = filter};
    query->column_count = question->grouping ? 3 : table_interfaces.column_count;
    for (uint32_t i = 0; i < query->column_count; i++)
        query->columns[i] = &table_interfaces.columns[i];
    query->sort[0] = (struct sort_key){sort, question->descending};
    query->sort_count = sort != NULL;
    r = query_run(query, &source->view, &ret_answer->grid);
    filter_done(filter);
    ret_answer->sort = sort;
    ret_answer->descending = question->descending;
    return r;
}

static void row_facts(void *context, const struct grid *grid, uint32_t row, struct tui_row *ret_row)
{
    const struct source *source = context;
    uint32_t at = grid->rows[row];

    *ret_row = (struct tui_row){
        .identity = at + 1, .rx = source->step * UINT64_C(1000), .tx = at, .gone = at == 2};
}

static int condition(void *context, uint32_t grouping, const struct grid *grid, uint32_t row,
                     struct buf *condition_out, struct buf *title)
{
    (void)context;
    if (grouping == 1)
        return -ENOTSUP;
    buf_printf(condition_out, "ifindex = %u", grid->rows[row] + 1);
    buf_puts(title, "x");
    return 0;
}

static void command(void *context, const struct tui_question *question, struct buf *line)
{
    (void)context;
    buf_printf(line, "nwho top '%s'", question->filter);
}

static void explain(void *context, const struct grid *grid, uint32_t row, struct buf *line)
{
    (void)context;
    buf_printf(line, "row\033 %u", grid->rows[row]);
}

static int ask(void *context, enum tui_deed deed, const struct grid *grid, uint32_t row,
               struct buf *message)
{
    (void)context;
    buf_printf(message, "row %u\n\033[7m\ndo %d to it?", grid->rows[row], (int)deed);
    return 0;
}

static void act(void *context, struct buf *message)
{
    (void)context;
    buf_puts(message, "done");
}

static void source_open(struct source *source)
{
    *source = (struct source){.scratch = BUF_INIT};
    fuzz_snapshot(&source->snapshot);
    CHECK(snapshot_add_interface(&source->snapshot, 0, 1, "lo") == 0);
    CHECK(snapshot_add_interface(&source->snapshot, 0, 2, "e\033[31m\303\244") == 0);
    CHECK(snapshot_add_interface(&source->snapshot, 0, 3, "\345\275\251\350\211\262") == 0);
    CHECK(join_make(&source->snapshot, 0, &source->join) == 0);
    source->view = (struct view){
        .snapshot = &source->snapshot, .join = &source->join, .scratch = &source->scratch};
}

static void source_close(struct source *source)
{
    join_done(&source->join);
    snapshot_done(&source->snapshot);
    buf_done(&source->scratch);
    arena_done(&source->arena);
}

static void resize(struct tui *tui, int rows, int columns)
{
    tui->terminal.rows = rows;
    tui->terminal.columns = columns;
    no_terminal(rows, columns);
    list_forget_widths(&tui->list);
}

/* One event of two bytes or more; returns how many it took. */
static size_t play(struct tui *tui, const uint8_t *data, size_t size)
{
    struct terminal_mouse mouse = {.row = data[1] % 32, .column = data[1]};
    uint32_t key = data[1];
    int r = 0;

    switch (data[0]) {
    case 'r':
        if (tui->source->replay && !tui->paused)
            playing_advance(tui);
        r = tui_refresh(tui);
        break;
    case 's':
        resize(tui, data[1] % 60 + 1, size > 2 ? data[2] + 1 : 1);
        return size > 2 ? 3 : 2;
    case 'k': /* one that is no character */
        key = TUI_KEY_NONE + data[1] % (TUI_KEY_END_OF_INPUT - TUI_KEY_NONE + 1);
        r = tui_key(tui, key, &mouse);
        break;
    case 'm':
        mouse.what = data[1] % (MOUSE_WHEEL_DOWN + 1);
        mouse.column = size > 2 ? data[2] : 0;
        r = tui_key(tui, TUI_KEY_MOUSE, &mouse);
        break;
    case 'u':
        r = tui_key(tui, key << 8 | (size > 2 ? data[2] : 0), &mouse);
        break;
    default:
        r = tui_key(tui, data[0], &mouse);
        CHECK(r == 0);
        return 1;
    }
    CHECK(r == 0);
    return 2;
}

static void check_state(const struct tui *tui)
{
    CHECK(tui->level < LEVELS_MAX);
    CHECK(tui->playing.piece < PIECES);
    CHECK(tui_question(tui).grouping < ARRAY_SIZE(groupings));
    CHECK(text_is_clean(tui->message.data ? tui->message.data : "", tui->message.length));
    CHECK(tui->prompt.cursor <= tui->prompt.length && tui->prompt.length < TUI_FILTER_MAX);
    CHECK(!tui->list.count || tui->list.selected < tui->list.count);
}

static void tui_end(struct tui *tui)
{
    if (tui->answered)
        grid_done(&tui->answer.grid);
    list_done(&tui->list);
    series_done(&tui->series);
    series_done(&tui->rx);
    series_done(&tui->tx);
    buf_done(&tui->question);
    buf_done(&tui->message);
}

/* Input that begins with a zero is about the past. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source data_source;
    const struct tui_source source = {
        .context = &data_source,
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
        .replay = size && data[0] == 0 ? &past : NULL,
    };
    struct tui_settings settings = {.interval_ms = 0};
    struct tui tui = {
        .source = &source, .settings = &settings, .question = BUF_INIT, .message = BUF_INIT};

    source_open(&data_source);
    if (source.replay)
        playing_begin(&tui);
    tui.terminal.utf8 = tui.terminal.glyphs = true;
    resize(&tui, 24, 80);
    CHECK(tui_refresh(&tui) == 0);
    for (int i = 0; i < EVENTS_MAX && size >= 2 && !tui.quit; i++) {
        size_t taken = play(&tui, data, size);

        data += taken;
        size -= taken;
        if (source.replay && tui.wants_reading)
            CHECK(tui_refresh(&tui) == 0);
        check_state(&tui);
        tui_draw(&tui);
    }
    tui_end(&tui);
    source_close(&data_source);
    return 0;
}
