/* SPDX-License-Identifier: MIT */
/* Reader: pieces of the time, from the coarse tables and from chunks. */
#include "store/reader.h"

#include "base/clock.h"
#include "base/vec.h"

#define NO_PIECE UINT32_MAX
#define ROWS_AT_ONCE 512

/* Of those that something is known of. */
static struct past *open_piece(const struct reader *reader, uint32_t number)
{
    return &reader->open[reader->open_begin + number];
}

void reader_done(struct reader *reader)
{
    for (uint32_t i = 0; i < reader->open_count; i++)
        past_done(open_piece(reader, i));
    for (unsigned int i = 0; i < CHUNK_KIND_MAX * COARSE_MAX; i++)
        sql_finalize(&reader->statements[i / COARSE_MAX][i % COARSE_MAX]);
    sql_finalize(&reader->span);
    free(reader->open);
    free(reader->piece_of_tick);
}

/* Takes the place of those that were answered. */
static void move_open(struct reader *reader)
{
    if (reader->open_begin <= reader->open_count)
        return;
    memcpy(reader->open, open_piece(reader, 0), reader->open_count * sizeof(*reader->open));
    reader->open_begin = 0;
}

int reader_open_piece(struct reader *reader, uint64_t number, struct past **ret_past)
{
    int r = 0;

    move_open(reader);
    while (r == 0 && number - reader->first >= reader->open_count) {
        uint64_t since =
            reader->question.since_ns + (reader->first + reader->open_count) * reader->every_ns;
        uint64_t until = since + reader->every_ns;
        struct past *past;

        r = VEC_RESERVE(&reader->open, &reader->open_capacity,
                        reader->open_begin + reader->open_count, 1);
        if (r < 0)
            return r;
        past = &reader->open[reader->open_begin + reader->open_count++];
        if (until > reader->question.until_ns)
            until = reader->question.until_ns;
        past_begin(past, since, until);
        if (reader->uses_coarse)
            r = reader_add_coarse(reader, past);
    }
    if (r == 0)
        *ret_past = open_piece(reader, (uint32_t)(number - reader->first));
    return r;
}

static void note_doubts(const struct reader *reader, struct store_answer *answer)
{
    uint64_t length = answer->until_ns - answer->since_ns;

    if (reader->broken)
        snapshot_note(&answer->snapshot, NOTE_INCOMPLETE, "history", -EBADMSG,
                      "%u parts of the file are damaged: what they had is missing", reader->broken);
    if (reader->kinds & 1u << CHUNK_FLOWS && answer->measured_ns < length / 100 * 98)
        snapshot_note(&answer->snapshot, NOTE_INFO, "history", 0,
                      "traffic was measured in %.1f%% of this time",
                      100.0 * (double)answer->measured_ns / (double)length);
}

static bool is_measured(const struct past *past)
{
    uint64_t measured_ns = 0;

    for (unsigned int kind = 0; kind < CHUNK_KIND_MAX; kind++)
        measured_ns |= past->measured_ns[kind];
    return measured_ns;
}

/* The first piece is answered. */
static void drop_first(struct reader *reader)
{
    past_done(open_piece(reader, 0));
    reader->first++;
    reader->open_begin++;
    if (--reader->open_count == 0)
        reader->open_begin = 0;
}

static int answer_first(struct reader *reader)
{
    CLEANUP(store_answer_done) struct store_answer answer = {0};
    struct past *past;
    int r = reader_open_piece(reader, reader->first, &past);

    if (r == 0 && reader->question.only_measured && !is_measured(past)) {
        drop_first(reader);
        return 0;
    }
    if (r == 0)
        r = past_answer(reader->store, past, reader->question.parts, &answer);
    if (r < 0)
        return r;
    answer.tier = !reader->uses_coarse              ? STORE_FINE
                  : reader->coarse == COARSE_MINUTE ? STORE_MINUTE
                                                    : STORE_HOUR;
    note_doubts(reader, &answer);
    drop_first(reader);
    return reader->take(&answer, reader->context);
}

int reader_answer(struct reader *reader, uint64_t time_ns)
{
    int r = 0;

    while (r == 0 && reader->first < reader->count) {
        uint64_t until = reader->question.since_ns + (reader->first + 1) * reader->every_ns;

        if (until > reader->question.until_ns)
            until = reader->question.until_ns;
        if (until >= time_ns)
            break;
        r = answer_first(reader);
    }
    return r;
}

/* --- the coarse tables --- */

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
    buf_puts(out, " FROM ");
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

static int add_rows(struct reader *reader, struct past *past, const struct stretch *stretch)
{
    uint64_t row[KEYS_MAX + MEASURES_MAX];
    enum chunk_kind kind = stretch->kind;
    sqlite3_stmt *statement;
    int columns, r = prepare(reader, stretch, &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, stretch->since_s);
    sql_bind(statement, 2, stretch->until_s);
    columns = sqlite3_column_count(statement);
    while ((r = sql_step(statement)) > 0) {
        for (int i = 0; i < columns; i++)
            row[i] = sql_column(statement, i);
        if (reader_folds(reader, kind))
            row[FLOWS_ENDPOINT] = 0;
        r = sums_add(&past->sums[kind], row, row + key_count(kind));
        if (r < 0)
            break;
    }
    sqlite3_reset(statement);
    return r;
}

static void add_accounting(struct past *past, uint64_t accounting)
{
    if (accounting && (!past->accounting || accounting < past->accounting))
        past->accounting = accounting;
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
        add_accounting(past, sql_column(reader->span, 2));
        sqlite3_reset(reader->span);
    }
    return r < 0 ? r : 0;
}

/* What cannot be read of a damaged table does not keep the rest from being answered. */
static int add_stretch(struct reader *reader, struct past *past, const struct stretch *stretch)
{
    int r;

    if (stretch->since_s >= stretch->until_s)
        return 0;
    r = add_rows(reader, past, stretch);
    if (r == 0)
        r = add_span(reader, past, stretch);
    if (r == -EBADMSG) {
        reader->broken++;
        r = 0;
    }
    return r;
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

/* --- chunks --- */

static int find_pieces(struct reader *reader, const struct chunk *chunk)
{
    const struct store_question *question = &reader->question;
    int r = VEC_RESERVE(&reader->piece_of_tick, &reader->ticks_capacity, 0, chunk->tick_count + 1);

    for (uint32_t i = 0; i < chunk->tick_count && r == 0; i++) {
        const struct chunk_tick *tick = &chunk->ticks[i];
        struct past *past;
        uint64_t piece;

        reader->piece_of_tick[i] = NO_PIECE;
        if (tick->time_ns <= question->since_ns || tick->time_ns > question->until_ns)
            continue;
        piece = (tick->time_ns - question->since_ns - 1) / reader->every_ns;
        if (piece < reader->first)
            continue;
        r = reader_open_piece(reader, piece, &past);
        if (r < 0)
            break;
        reader->piece_of_tick[i] = (uint32_t)(piece - reader->first);
        past->measured_ns[chunk->kind] += tick->length_ns;
        past->ticks[chunk->kind]++;
        if (tick->time_ns > past->last_ns)
            past->last_ns = tick->time_ns;
        add_accounting(past, tick->accounting);
    }
    return r;
}

static int add_run(struct reader *reader, const struct chunk *chunk, uint32_t first, uint32_t count,
                   uint32_t piece)
{
    uint64_t keys[KEYS_MAX];

    memcpy(keys, chunk_row(chunk, first), key_count(chunk->kind) * sizeof(*keys));
    if (reader_folds(reader, chunk->kind))
        keys[FLOWS_ENDPOINT] = 0;
    return sums_add_rows(&open_piece(reader, piece)->sums[chunk->kind], keys, chunk, first, count);
}

static int add_connection(struct reader *reader, const struct chunk *chunk, uint32_t row,
                          uint32_t piece)
{
    uint64_t *added = chunk_add_row(&open_piece(reader, piece)->connections);

    if (!added)
        return -ENOMEM;
    memcpy(added, chunk_row(chunk, row), layouts[CHUNK_CONNECTIONS].width * sizeof(*added));
    added[CONNECTIONS_TICK] = chunk->ticks[added[CONNECTIONS_TICK]].time_ns;
    return 0;
}

static int add_chunk_rows(struct reader *reader, const struct chunk *chunk)
{
    uint32_t tick = tick_column(chunk->kind);
    int r = 0;

    for (uint32_t i = 0, next; i < chunk->row_count && r == 0; i = next) {
        uint32_t piece = reader->piece_of_tick[chunk_row(chunk, i)[tick]];

        next = i + 1;
        while (chunk->kind != CHUNK_CONNECTIONS && next < chunk->row_count &&
               chunk_same_keys(chunk, i, next) &&
               reader->piece_of_tick[chunk_row(chunk, next)[tick]] == piece)
            next++;
        if (piece == NO_PIECE)
            continue;
        r = chunk->kind == CHUNK_CONNECTIONS ? add_connection(reader, chunk, i, piece)
                                             : add_run(reader, chunk, i, next - i, piece);
    }
    return r;
}

/* Few rows at a time stay in the processor's cache. */
static int add_chunk(struct reader *reader, struct chunk *chunk)
{
    int r = find_pieces(reader, chunk);

    while (r == 0) {
        r = codec_next(&reader->store->codec, chunk, ROWS_AT_ONCE);
        if (r <= 0)
            return r;
        r = add_chunk_rows(reader, chunk);
    }
    return r;
}

struct listed {
    uint64_t id, since_ns;
    uint32_t kind;
};

static int read_chunk(struct reader *reader, const struct listed *listed)
{
    CLEANUP(chunk_done) struct chunk chunk = {.kind = listed->kind};
    sqlite3_stmt *statement;
    int r = sql_prepare(reader->store, STATEMENT_READ_CHUNK, "SELECT data FROM chunk WHERE id = ?",
                        &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, listed->id);
    r = sql_step(statement);
    if (r > 0) {
        r = codec_begin(&reader->store->codec, sqlite3_column_blob(statement, 0),
                        (size_t)sqlite3_column_bytes(statement, 0), &chunk);
        sqlite3_reset(statement);
        if (r == 0)
            r = add_chunk(reader, &chunk);
    }
    if (r == -EBADMSG) {
        reader->broken++;
        return 0;
    }
    return r;
}

static int list_chunks(struct reader *reader, struct listed **ret_listed, uint32_t *ret_count)
{
    static const char text[] = "SELECT id, since_ns, kind FROM chunk WHERE merged IN (0, ?) AND"
                               " since_ns <= ? AND until_ns > ? ORDER BY since_ns, id";
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    uint32_t capacity = 0;
    int r = sql_prepare_once(reader->store, text, &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, !reader->uses_coarse);
    sql_bind(statement, 2, reader->question.until_ns);
    sql_bind(statement, 3, reader->question.since_ns);
    while ((r = sql_step(statement)) > 0) {
        struct listed listed = {.id = sql_column(statement, 0),
                                .since_ns = sql_column(statement, 1),
                                .kind = (uint32_t)sql_column(statement, 2)};

        if (listed.kind >= CHUNK_KIND_MAX || !(reader->kinds & 1u << listed.kind))
            continue;
        r = VEC_RESERVE(ret_listed, &capacity, *ret_count, 1);
        if (r < 0)
            return r;
        (*ret_listed)[(*ret_count)++] = listed;
    }
    if (r == -EBADMSG) {
        reader->broken++;
        r = 0;
    }
    return r;
}

int reader_add_chunks(struct reader *reader)
{
    CLEANUP_FREE struct listed *listed = NULL;
    uint32_t count = 0;
    int r = list_chunks(reader, &listed, &count);

    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = reader_answer(reader, listed[i].since_ns);
        if (r == 0)
            r = read_chunk(reader, &listed[i]);
    }
    return r;
}
