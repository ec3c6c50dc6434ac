/* SPDX-License-Identifier: MIT */
/* Fuzzing of the answers of a server of metrics: what it may say of other hosts. */
#include "derive/join.h"
#include "fleet/fetch.h"
#include "fuzz.h"
#include "table/query.h"

static const struct {
    const struct table *table;
    struct fleet_question question;
} asked[] = {
    {&table_fleet_top, {.subject = FLEET_TOP, .by = FLEET_BY_PROCESS, .window_ns = 1000000000}},
    {&table_fleet_ports, {.subject = FLEET_PORTS}},
    {&table_fleet_findings, {.subject = FLEET_DOCTOR}},
    {&table_fleet_history,
     {.subject = FLEET_HISTORY, .until_ns = 1000000000, .every_ns = 1000000000}},
};

/* What the server answers, to whatever it is asked. */
static const char *said;
static size_t said_size;

/* In the place of those of src/fleet/fetch.c, which use the network. */

int fetcher_open(struct fetcher *fetcher, const struct fleet_server *server, struct buf *problem)
{
    *fetcher = (struct fetcher){.server = server};
    return fleet_libraries_load(&fetcher->libraries, problem);
}

void fetcher_close(struct fetcher *fetcher)
{
    *fetcher = (struct fetcher){0};
}

int fetcher_ask(struct fetcher *fetcher, const char *path, const char *form, json_t **ret_document,
                struct buf *problem)
{
    CHECK(*path == '/' && *form);
    *ret_document = fetcher->libraries.json_loadb(said, said_size, 0, NULL);
    if (*ret_document)
        return 0;
    buf_puts(problem, "no JSON");
    return -EPROTO;
}

static void show(const struct table *table, const struct snapshot *snapshot,
                 const struct fleet *fleet)
{
    CLEANUP(buf_done) struct buf scratch = BUF_INIT;
    CLEANUP(join_done) struct join join = {0};
    CLEANUP(grid_done) struct grid grid = {0};
    struct view view = {.snapshot = snapshot, .join = &join, .scratch = &scratch, .fleet = fleet};
    struct query query = {.table = table};

    CHECK(join_make(snapshot, 0, &join) == 0);
    CHECK(table->row_count(&view) == fleet->count);
    for (uint32_t i = 0; i < table->column_count; i++)
        query.columns[query.column_count++] = &table->columns[i];
    CHECK(query_run(&query, &view, &grid) == 0);
    fuzz_show_grid(&grid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fleet_server server = {.url = "http://server.example"};
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    CLEANUP_FREE char *bytes = NULL;
    struct fleet fleet = {0};
    size_t choice;
    int r;

    if (size < 1)
        return 0;
    choice = fuzz_choose(&data, &size, ARRAY_SIZE(asked));
    said = bytes = fuzz_bytes(data, size);
    said_size = size;
    fuzz_snapshot(&snapshot);
    r = fleet_ask(&server, &asked[choice].question, &snapshot, &fleet, &problem);
    CHECK(r == 0 || (r < 0 && problem.length > 0));
    if (r == 0)
        show(asked[choice].table, &snapshot, &fleet);
    fleet_done(&fleet);
    return 0;
}
