/* SPDX-License-Identifier: MIT */
/* Reader: what the tables of minutes and hours have of a piece. */
#include "base/clock.h"
#include "store/reader.h"

/* Of one table, whose rows begin in this time. */
struct stretch {
    enum chunk_kind kind;
    enum coarse coarse;
    uint64_t since_s, until_s;
};

static void put_select(const struct stretch *stretch, struct buf *out)
{
    const struct layout *layout = &layouts[stretch->kind];
    uint32_t keys = coarse_keys(stretch->kind, stretch->coarse);

    buf_puts(out, "SELECT ");
    for (uint32_t i = 0; i < key_count(stretch->kind); i++)
        buf_printf(out, i < keys ? "%s, " : "0, ", layout->key_names[i]);
    for (uint32_t i = 0; i + layout->rate_count < layout->measure_count; i++)
        buf_printf(out, "%s%s", i ? ", " : "", layout->measures[i].name);
    buf_puts(out, ", time FROM ");
    coarse_put_table(stretch->kind, stretch->coarse, out);
    buf_puts(out, " WHERE time >= ? AND time < ? ORDER BY time");
}

static int prepare(struct reader *reader, const struct stretch *stretch,
                   sqlite3_stmt **ret_statement)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    sqlite3_stmt **statement = &reader->statements[stretch->kind][stretch->coarse];
    int r = 0;

    if (!*statement) {
        put_select(stretch, &text);
        buf_string(&text);
        r = text.error ? text.error : sql_prepare_once(reader->store, text.data, statement);
    }
    *ret_statement = *statement;
    return r;
}

/* Adds the rows, and tells the time of the last one that could be read. */
static int add_rows(struct reader *reader, struct past *past, const struct stretch *stretch,
                    uint64_t *ret_last_s)
{
    uint64_t row[KEYS_MAX + MEASURES_MAX];
    enum chunk_kind kind = stretch->kind;
    sqlite3_stmt *statement;
    int columns, r = prepare(reader, stretch, &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, stretch->since_s);
    sql_bind(statement, 2, stretch->until_s);
    columns = sqlite3_column_count(statement) - 1;
    while ((r = sql_step(statement)) > 0) {
        for (int i = 0; i < columns; i++)
            row[i] = sql_column(statement, i);
        if (reader_folds(reader, kind))
            row[FLOWS_ENDPOINT] = 0;
        *ret_last_s = sql_column(statement, columns);
        r = sums_add(&past->sums[kind], row, row + key_count(kind));
        if (r < 0)
            break;
    }
    sqlite3_reset(statement);
    return r;
}

static int add_span(struct reader *reader, struct past *past, const struct stretch *stretch)
{
    static const char text[] = "SELECT sum(measured_ns), sum(ticks), min(accounting) FROM span"
                               " WHERE coarse = ? AND kind = ? AND time >= ? AND time < ?";
    int r = reader->span ? 0 : sql_prepare_once(reader->store, text, &reader->span);

    if (r < 0)
        return r;
    sql_bind(reader->span, 1, stretch->coarse);
    sql_bind(reader->span, 2, stretch->kind);
    sql_bind(reader->span, 3, stretch->since_s);
    sql_bind(reader->span, 4, stretch->until_s);
    r = sql_step(reader->span);
    if (r > 0) {
        past->measured_ns[stretch->kind] += sql_column(reader->span, 0);
        past->ticks[stretch->kind] += sql_column(reader->span, 1);
        past_add_accounting(past, sql_column(reader->span, 2));
        sqlite3_reset(reader->span);
    }
    return r < 0 ? r : 0;
}

/*
 * What cannot be read of a damaged table does not keep the rest from being answered: it goes on
 * with the minute or hour behind, again and again until that can be read.
 */
static int add_whole_rows(struct reader *reader, struct past *past, struct stretch rest)
{
    bool broken = false;
    int r = 0;

    while (rest.since_s < rest.until_s) {
        uint64_t last_s = rest.since_s;

        r = add_rows(reader, past, &rest, &last_s);
        if (r != -EBADMSG)
            break;
        broken = true;
        rest.since_s = last_s + coarse_seconds[rest.coarse];
    }
    reader->broken += broken;
    return r == -EBADMSG ? 0 : r;
}

/* Likewise, each minute or hour alone where the whole cannot be read. */
static int add_whole_span(struct reader *reader, struct past *past, struct stretch rest)
{
    uint64_t until_s = rest.until_s;
    int r = add_span(reader, past, &rest);

    if (r != -EBADMSG)
        return r;
    reader->broken++;
    for (r = 0; rest.since_s < until_s && (r == 0 || r == -EBADMSG);
         rest.since_s += coarse_seconds[rest.coarse]) {
        rest.until_s = rest.since_s + coarse_seconds[rest.coarse];
        r = add_span(reader, past, &rest);
    }
    return r == -EBADMSG ? 0 : r;
}

static int add_stretch(struct reader *reader, struct past *past, const struct stretch *stretch)
{
    int r;

    if (stretch->since_s >= stretch->until_s)
        return 0;
    r = add_whole_rows(reader, past, *stretch);
    return r < 0 ? r : add_whole_span(reader, past, *stretch);
}

/* The table that has the hours of the kind, with as few rows as tell enough apart. */
static enum coarse hours_of(const struct reader *reader, enum chunk_kind kind)
{
    return reader_folds(reader, kind) && schema_has(reader->store->version, COARSE_PROCESS_HOUR)
               ? COARSE_PROCESS_HOUR
               : COARSE_HOUR;
}

/* Hours that lie in the time as a whole stand for their minutes, where both tell the same. */
static int add_kind(struct reader *reader, struct past *past, enum chunk_kind kind)
{
    enum coarse hours = hours_of(reader, kind);
    enum coarse coarse = reader->coarse == COARSE_HOUR ? hours : reader->coarse;
    uint64_t hour = coarse_seconds[COARSE_HOUR];
    uint64_t since = past->since_ns / SECOND_NS, until = past->until_ns / SECOND_NS;
    uint64_t first = (since + hour - 1) / hour * hour, last = until / hour * hour;
    int r;

    if (first < reader->hours_s)
        first = reader->hours_s;
    if (first >= last || coarse_keys(kind, hours) != coarse_keys(kind, coarse))
        first = last = until;
    r = add_stretch(reader, past, &(struct stretch){kind, coarse, since, first});
    if (r == 0)
        r = add_stretch(reader, past, &(struct stretch){kind, hours, first, last});
    if (r == 0)
        r = add_stretch(reader, past, &(struct stretch){kind, coarse, last, until});
    return r;
}

int reader_add_coarse(struct reader *reader, struct past *past)
{
    int r = 0;

    for (unsigned int kind = 0; kind < CHUNK_KIND_MAX && r == 0; kind++)
        if (reader->kinds & 1u << kind && coarse_has(kind, reader->coarse))
            r = add_kind(reader, past, kind);
    return r;
}
