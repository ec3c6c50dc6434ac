/* SPDX-License-Identifier: MIT */
/* Merge: the ticks of ten minutes become one chunk of each kind, and rows of the coarse tables.
 * Connections, of which each is a row, become several where they are many. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/vec.h"
#include "store/schema.h"
#include "store/sums.h"
#include "store/write.h"

#include <inttypes.h>
#include <stdio.h>

/* A row has 150 bytes. Larger chunks would be hardly smaller in the file. */
#define MERGED_ROWS_MAX 16384

/* How a row that is there takes in another: "rx_bytes = rx_bytes + excluded.rx_bytes". */
static void put_combination(struct buf *out, const struct measure *measure)
{
    const char *name = measure->name;

    switch ((enum measure_op)measure->op) {
    case MEASURE_SUM:
    case MEASURE_TICKS:
        buf_printf(out, "%s = %s + excluded.%s", name, name, name);
        break;
    case MEASURE_LAST:
        buf_printf(out, "%s = excluded.%s", name, name);
        break;
    case MEASURE_MIN:
    case MEASURE_MIN_RATE:
        buf_printf(out, "%s = min(%s, excluded.%s)", name, name, name);
        break;
    case MEASURE_MAX:
    case MEASURE_MAX_RATE:
        buf_printf(out, "%s = max(%s, excluded.%s)", name, name, name);
        break;
    }
}

static void put_insert(struct buf *out, enum chunk_kind kind, enum coarse coarse)
{
    const struct layout *layout = &layouts[kind];

    buf_puts(out, "INSERT INTO ");
    coarse_put_table(kind, coarse, out);
    buf_puts(out, " VALUES(?");
    for (uint32_t i = 0; i < coarse_keys(kind, coarse) + layout->measure_count; i++)
        buf_puts(out, ", ?");
    buf_puts(out, ") ON CONFLICT DO UPDATE SET ");
    for (uint32_t i = 0; i < layout->measure_count; i++) {
        buf_puts(out, i ? ", " : "");
        put_combination(out, &layout->measures[i]);
    }
}

/* The minutes, or hours, of a chunk. */
struct periods {
    struct period {
        uint64_t time_s; /* its begin */
        uint64_t measured_ns, ticks, accounting;
        struct sums sums;
    } * items;
    uint32_t count, capacity;
    uint32_t *of_tick; /* index into items */
};

static void periods_done(struct periods *periods)
{
    for (uint32_t i = 0; i < periods->count; i++)
        sums_done(&periods->items[i].sums);
    free(periods->items);
    free(periods->of_tick);
}

static int find_period(struct periods *periods, enum chunk_kind kind, uint64_t time_s,
                       uint32_t *ret_index)
{
    uint32_t i = 0;
    int r = 0;

    while (i < periods->count && periods->items[i].time_s != time_s)
        i++;
    if (i == periods->count)
        r = VEC_RESERVE(&periods->items, &periods->capacity, i, 1);
    if (r < 0)
        return r;
    if (i == periods->count)
        periods->items[periods->count++] =
            (struct period){.time_s = time_s, .sums = {.kind = kind, .with_rates = true}};
    *ret_index = i;
    return 0;
}

/* A tick belongs to the period that it ended in. */
static int find_periods(const struct chunk *chunk, uint32_t seconds, struct periods *periods)
{
    int r = 0;

    periods->of_tick = calloc(chunk->tick_count, sizeof(*periods->of_tick));
    if (!periods->of_tick)
        return -ENOMEM;
    for (uint32_t i = 0; i < chunk->tick_count && r == 0; i++) {
        const struct chunk_tick *tick = &chunk->ticks[i];
        uint64_t ended_s = tick->time_ns ? (tick->time_ns - 1) / SECOND_NS : 0;
        struct period *period;

        r = find_period(periods, chunk->kind, ended_s - ended_s % seconds, &periods->of_tick[i]);
        if (r < 0)
            break;
        period = &periods->items[periods->of_tick[i]];
        period->measured_ns += tick->length_ns;
        period->ticks++;
        if (!period->accounting || tick->accounting < period->accounting)
            period->accounting = tick->accounting;
    }
    return r;
}

static int sum_up(const struct chunk *chunk, struct periods *periods)
{
    uint32_t tick = tick_column(chunk->kind);
    int r = 0;

    for (uint32_t i = 0, end, next; i < chunk->row_count && r == 0; i = end)
        for (end = i + chunk_run(chunk, i); i < end && r == 0; i = next) {
            uint32_t period = periods->of_tick[chunk_row(chunk, i)[tick]];

            next = i + 1;
            while (next < end && periods->of_tick[chunk_row(chunk, next)[tick]] == period)
                next++;
            r = sums_add_rows(&periods->items[period].sums, chunk_row(chunk, i), chunk, i,
                              next - i);
        }
    return r;
}

static int write_span(struct store *store, enum chunk_kind kind, enum coarse coarse,
                      const struct period *period)
{
    static const char text[] =
        "INSERT INTO span VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " measured_ns = measured_ns + excluded.measured_ns, ticks = ticks + excluded.ticks,"
        " accounting = min(accounting, excluded.accounting),"
        " numbers = max(numbers, excluded.numbers)";
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_ADD_SPAN, text, &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, coarse);
    sql_bind(statement, 2, kind);
    sql_bind(statement, 3, period->time_s);
    sql_bind(statement, 4, period->measured_ns);
    sql_bind(statement, 5, period->ticks);
    sql_bind(statement, 6, period->accounting);
    sql_bind(statement, 7, (uint64_t)period->sums.count * sums_width(&period->sums));
    return sql_run(statement);
}

static int write_sums(struct store *store, enum coarse coarse, const struct period *period)
{
    enum chunk_kind kind = period->sums.kind;
    uint32_t keys = coarse_keys(kind, coarse), skipped = key_count(kind) - keys;
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    sqlite3_stmt *statement;
    int r;

    put_insert(&text, kind, coarse);
    buf_string(&text);
    if (text.error)
        return text.error;
    r = sql_prepare(store, STATEMENT_COARSE + COARSE_MAX * kind + coarse, text.data, &statement);
    for (uint32_t i = 0; i < period->sums.count && r == 0; i++) {
        const uint64_t *row = sums_row(&period->sums, i);
        int at = 1;

        sql_bind(statement, at++, period->time_s);
        for (uint32_t j = 0; j < sums_width(&period->sums); j++)
            if (j < keys || j >= keys + skipped)
                sql_bind(statement, at++, row[j]);
        r = sql_run(statement);
    }
    return r < 0 ? r : write_span(store, kind, coarse, period);
}

static int write_coarse(struct store *store, const struct chunk *chunk, enum coarse coarse)
{
    CLEANUP(periods_done) struct periods periods = {0};
    int r = find_periods(chunk, coarse_seconds[coarse], &periods);

    if (r == 0)
        r = sum_up(chunk, &periods);
    for (uint32_t i = 0; i < periods.count && r == 0; i++)
        r = write_sums(store, coarse, &periods.items[i]);
    return r;
}

/* Processes as a whole: their highest rate is not the sum of those of their peers. */
static void forget_endpoints(struct chunk *chunk)
{
    for (uint32_t i = 0; i < chunk->row_count; i++)
        chunk_row(chunk, i)[FLOWS_ENDPOINT] = 0;
    chunk_fold(chunk);
}

/* What is made of ticks that are not merged yet. */
struct merge {
    struct chunk chunk;
    uint32_t broken; /* ticks that cannot be read */
};

static void merge_done(struct merge *merge)
{
    chunk_done(&merge->chunk);
}

/* Connections are in no coarse table: it does not matter how many chunks they are in. */
static bool is_full(const struct chunk *chunk, uint64_t more)
{
    return chunk->kind == CHUNK_CONNECTIONS && chunk->tick_count &&
           chunk->row_count + more > MERGED_ROWS_MAX;
}

static int write_piece(struct store *store, struct chunk *chunk)
{
    int r = write_chunk(store, chunk, true);

    chunk_clear(chunk);
    return r;
}

static int add_fresh(struct store *store, sqlite3_stmt *statement, struct merge *merge)
{
    CLEANUP(chunk_done) struct chunk tick = {.kind = merge->chunk.kind};
    int r =
        is_full(&merge->chunk, sql_column(statement, 0)) ? write_piece(store, &merge->chunk) : 0;

    if (r == 0)
        r = codec_read(&store->codec, sqlite3_column_blob(statement, 1),
                       (size_t)sqlite3_column_bytes(statement, 1), &tick);
    if (r == -EBADMSG) {
        merge->broken++;
        return 0;
    }
    return r < 0 ? r : chunk_append(&merge->chunk, &tick);
}

static int note_broken(struct store *store, const struct merge *merge)
{
    char lost[80];

    if (!merge->broken)
        return 0;
    snprintf(lost, sizeof(lost), "%" PRIu32 " ticks of kind '%s' were damaged in the file",
             merge->broken, layouts[merge->chunk.kind].name);
    return store_note(store, clock_ns(CLOCK_REALTIME), STORE_LOST, lost);
}

static int read_fresh(struct store *store, struct merge *merge)
{
    static const char text[] =
        "SELECT rows, data FROM chunk WHERE merged = 0 AND kind = ? ORDER BY id";
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_FRESH_CHUNKS, text, &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, merge->chunk.kind);
    while ((r = sql_step(statement)) > 0) {
        r = add_fresh(store, statement, merge);
        if (r < 0)
            break;
    }
    sqlite3_reset(statement);
    return r < 0 ? r : note_broken(store, merge);
}

/* A tick with as many connections as a merged chunk has is one already. */
static int keep_large_ticks(struct store *store)
{
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_KEEP_LARGE,
                        "UPDATE chunk SET merged = 1 WHERE merged = 0 AND kind = ? AND rows > ?",
                        &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, CHUNK_CONNECTIONS);
    sql_bind(statement, 2, MERGED_ROWS_MAX);
    return sql_run(statement);
}

static int merge_kind(struct store *store, enum chunk_kind kind)
{
    CLEANUP(merge_done) struct merge merge = {.chunk.kind = kind};
    struct chunk *chunk = &merge.chunk;
    int r = read_fresh(store, &merge);

    if (r < 0 || !chunk->tick_count)
        return r;
    r = write_chunk(store, chunk, true);
    if (r == 0 && coarse_has(kind, COARSE_HOUR))
        r = write_coarse(store, chunk, COARSE_HOUR);
    if (r == 0 && kind == CHUNK_FLOWS)
        forget_endpoints(chunk);
    if (r == 0 && coarse_has(kind, COARSE_MINUTE))
        r = write_coarse(store, chunk, COARSE_MINUTE);
    if (r == 0 && coarse_has(kind, COARSE_PROCESS_HOUR))
        r = write_coarse(store, chunk, COARSE_PROCESS_HOUR);
    return r;
}

int merge_ticks(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    int r = keep_large_ticks(store);

    for (unsigned int kind = 0; kind < CHUNK_KIND_MAX && r == 0; kind++)
        r = merge_kind(store, kind);
    if (r == 0)
        r = sql_prepare(store, STATEMENT_DROP_FRESH, "DELETE FROM chunk WHERE merged = 0",
                        &statement);
    return r < 0 ? r : sql_run(statement);
}
