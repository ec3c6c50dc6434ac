/* SPDX-License-Identifier: MIT */
/* Reader: pieces of the time, from the coarse tables and from chunks. */
#include "store/reader.h"

#include "base/clock.h"
#include "base/vec.h"

#define NO_PIECE UINT32_MAX

void reader_done(struct reader *reader)
{
    for (uint32_t i = 0; i < reader->open_count; i++)
        past_done(&reader->open[i]);
    for (unsigned int i = 0; i < CHUNK_KIND_MAX; i++)
        sql_finalize(&reader->statements[i]);
    sql_finalize(&reader->span);
    free(reader->open);
    free(reader->piece_of_tick);
}

int reader_open_piece(struct reader *reader, uint64_t number, struct past **ret_past)
{
    int r = 0;

    while (r == 0 && number - reader->first >= reader->open_count) {
        uint64_t since =
            reader->question.since_ns + (reader->first + reader->open_count) * reader->every_ns;
        uint64_t until = since + reader->every_ns;
        struct past *past;

        r = VEC_RESERVE(&reader->open, &reader->open_capacity, reader->open_count, 1);
        if (r < 0)
            return r;
        past = &reader->open[reader->open_count++];
        if (until > reader->question.until_ns)
            until = reader->question.until_ns;
        past_begin(past, since, until);
        if (reader->uses_coarse)
            r = reader_add_coarse(reader, past);
    }
    if (r == 0)
        *ret_past = &reader->open[number - reader->first];
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

static int answer_first(struct reader *reader)
{
    CLEANUP(store_answer_done) struct store_answer answer = {0};
    struct past *past;
    int r = reader_open_piece(reader, reader->first, &past);

    if (r == 0)
        r = past_answer(reader->store, past, reader->question.parts, &answer);
    if (r < 0)
        return r;
    answer.tier = !reader->uses_coarse              ? STORE_FINE
                  : reader->coarse == COARSE_MINUTE ? STORE_MINUTE
                                                    : STORE_HOUR;
    note_doubts(reader, &answer);
    past_done(past);
    reader->open_count--;
    reader->first++;
    memmove(reader->open, reader->open + 1, reader->open_count * sizeof(*reader->open));
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

static void put_select(const struct reader *reader, enum chunk_kind kind, struct buf *out)
{
    const struct layout *layout = &layouts[kind];
    uint32_t keys = coarse_keys(kind, reader->coarse);

    buf_puts(out, "SELECT ");
    for (uint32_t i = 0; i < key_count(kind); i++)
        buf_printf(out, i < keys ? "%s, " : "0, ", layout->key_names[i]);
    for (uint32_t i = 0; i + layout->rate_count < layout->measure_count; i++)
        buf_printf(out, "%s%s", i ? ", " : "", layout->measures[i].name);
    buf_puts(out, " FROM ");
    coarse_put_table(kind, reader->coarse, out);
    buf_puts(out, " WHERE time >= ? AND time < ? ORDER BY time");
}

static int prepare(struct reader *reader, enum chunk_kind kind)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;

    put_select(reader, kind, &text);
    buf_string(&text);
    return text.error ? text.error
                      : sql_prepare_once(reader->store, text.data, &reader->statements[kind]);
}

static void bind_times(const struct reader *reader, sqlite3_stmt *statement, int index,
                       const struct past *past)
{
    uint64_t length = coarse_seconds[reader->coarse] * SECOND_NS;

    sql_bind(statement, index, past->since_ns / length * coarse_seconds[reader->coarse]);
    sql_bind(statement, index + 1, past->until_ns / SECOND_NS);
}

static int add_rows(struct reader *reader, struct past *past, enum chunk_kind kind)
{
    uint64_t row[KEYS_MAX + MEASURES_MAX];
    sqlite3_stmt *statement;
    int r = reader->statements[kind] ? 0 : prepare(reader, kind);

    if (r < 0)
        return r;
    statement = reader->statements[kind];
    bind_times(reader, statement, 1, past);
    while ((r = sql_step(statement)) > 0) {
        for (int i = 0; i < sqlite3_column_count(statement); i++)
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

static int add_span(struct reader *reader, struct past *past, enum chunk_kind kind)
{
    static const char text[] = "SELECT sum(measured_ns), sum(ticks), min(accounting) FROM span"
                               " WHERE coarse = ? AND kind = ? AND time >= ? AND time < ?";
    int r = reader->span ? 0 : sql_prepare_once(reader->store, text, &reader->span);

    if (r < 0)
        return r;
    sql_bind(reader->span, 1, reader->coarse);
    sql_bind(reader->span, 2, kind);
    bind_times(reader, reader->span, 3, past);
    r = sql_step(reader->span);
    if (r > 0) {
        past->measured_ns[kind] += sql_column(reader->span, 0);
        past->ticks[kind] += sql_column(reader->span, 1);
        add_accounting(past, sql_column(reader->span, 2));
        sqlite3_reset(reader->span);
    }
    return r < 0 ? r : 0;
}

/* What cannot be read of a damaged table does not keep the rest from being answered. */
int reader_add_coarse(struct reader *reader, struct past *past)
{
    int r = 0;

    for (unsigned int kind = 0; kind < CHUNK_KIND_MAX && r == 0; kind++) {
        if (!(reader->kinds & 1u << kind) || !coarse_has(kind, reader->coarse))
            continue;
        r = add_rows(reader, past, kind);
        if (r == 0)
            r = add_span(reader, past, kind);
        if (r == -EBADMSG) {
            reader->broken++;
            r = 0;
        }
    }
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
    return sums_add_rows(&reader->open[piece].sums[chunk->kind], keys, chunk, first, count);
}

static int add_connection(struct reader *reader, const struct chunk *chunk, uint32_t row,
                          uint32_t piece)
{
    uint64_t *added = chunk_add_row(&reader->open[piece].connections);

    if (!added)
        return -ENOMEM;
    memcpy(added, chunk_row(chunk, row), layouts[CHUNK_CONNECTIONS].width * sizeof(*added));
    added[CONNECTIONS_TICK] = chunk->ticks[added[CONNECTIONS_TICK]].time_ns;
    return 0;
}

static int add_chunk(struct reader *reader, const struct chunk *chunk)
{
    uint32_t tick = tick_column(chunk->kind);
    int r = find_pieces(reader, chunk);

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
        r = codec_read(&reader->store->codec, sqlite3_column_blob(statement, 0),
                       (size_t)sqlite3_column_bytes(statement, 0), &chunk);
        sqlite3_reset(statement);
    }
    if (r == -EBADMSG) {
        reader->broken++;
        return 0;
    }
    return r < 0 ? r : add_chunk(reader, &chunk);
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
