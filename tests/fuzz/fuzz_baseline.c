/* SPDX-License-Identifier: MIT */
/* Fuzzing of the file of a baseline: what was read is written and read again, and is the same. */
#include "derive/baseline.h"
#include "derive/join.h"
#include "fuzz.h"
#include "out/csv.h"
#include "table/query.h"

/* As `nwho ports --save-baseline` writes it. */
static void write_baseline(const struct snapshot *snapshot, struct buf *out)
{
    CLEANUP(buf_done) struct buf scratch = BUF_INIT;
    struct view view = {.snapshot = snapshot, .scratch = &scratch};
    struct query query = {.table = &table_sockets};
    CLEANUP(join_done) struct join join;
    CLEANUP(grid_done) struct grid grid;
    char columns[] = BASELINE_COLUMNS, *rest = columns, *name;

    while ((name = strsep(&rest, ",")))
        query.columns[query.column_count++] = table_column(query.table, name);
    CHECK(join_make(snapshot, NEED_SOCKETS | NEED_OWNERS, &join) == 0);
    view.join = &join;
    CHECK(query_run(&query, &view, &grid) == 0);
    CHECK(grid.row_count == snapshot->sockets_count);
    CHECK(csv_write(&grid, false, out) == 0);
    CHECK(text_is_clean(out->data, out->length));
}

/* Of all listeners, in whatever order. */
static uint64_t places_of(const struct snapshot *snapshot)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        sum += baseline_place(snapshot, &snapshot->sockets[i]);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = fuzz_text(data, size);
    CLEANUP(buf_done) struct buf once = BUF_INIT, twice = BUF_INIT;
    CLEANUP(snapshot_done) struct snapshot first = {0}, second = {0};
    uint32_t line = 0;
    int r = baseline_parse(text, &first, &line);

    CHECK(r == 0 || (r == -EBADMSG && line > 0));
    if (r < 0)
        return 0;
    write_baseline(&first, &once);
    CHECK(baseline_parse(buf_string(&once), &second, &line) == 0);
    CHECK(second.sockets_count == first.sockets_count);
    CHECK(places_of(&first) == places_of(&second));
    write_baseline(&second, &twice);
    CHECK(strcmp(buf_string(&once), buf_string(&twice)) == 0);
    return 0;
}
