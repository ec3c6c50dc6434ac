/* SPDX-License-Identifier: MIT */
/* Reader: pieces of the time, from the coarse tables and from chunks. */
#include "store/reader.h"

#include "base/clock.h"
#include "base/vec.h"
#include "store/page_sums.h"

#include <inttypes.h>
#include <stdio.h>

#define NO_PIECE UINT32_MAX
#define ROWS_AT_ONCE 512

/* From which part on, in percent, it is said that peers are missing. */
#define PEERLESS_NOTED 50

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
    for (unsigned int i = 0; i < CHUNK_KIND_MAX; i++)
        map_done(&reader->seconds[i]);
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

/* The piece with this number, with what the coarse tables have of it. */
static int piece_of(struct reader *reader, uint64_t number, struct past **ret_past)
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

/* What has no checksum may be damaged, too. */
static void note_unsummed(struct snapshot *snapshot, const struct page_faults *faults)
{
    if (faults->unsummed)
        snapshot_note(snapshot, NOTE_INFO, "history", 0,
                      "pages of the file have no checksum: another program wrote them, or they are "
                      "damaged");
}

static void note_journal(const struct store *store, struct snapshot *snapshot)
{
    if (store->journal_lost)
        snapshot_note(snapshot, NOTE_INCOMPLETE, "history", -EBADMSG,
                      "the journal of the file (-wal) is damaged: what was recorded last, before "
                      "the recorder ended, is missing");
}

/* Pages that are named can be looked for. */
static void note_damage(const struct reader *reader, struct snapshot *snapshot)
{
    struct page_faults faults = page_sums_faults(reader->store->db);
    char page[32] = "";

    if (faults.first)
        snprintf(page, sizeof(page), " (page %" PRIu32 ")", faults.first);
    if (reader->broken)
        snapshot_note(snapshot, NOTE_INCOMPLETE, "history", -EBADMSG,
                      "%u parts of the file are damaged%s: what they had is missing",
                      reader->broken, page);
    else if (faults.damaged)
        snapshot_note(snapshot, NOTE_INFO, "history", -EBADMSG,
                      "the file is damaged%s: nothing of this answer is missing", page);
    note_journal(reader->store, snapshot);
    note_unsummed(snapshot, &faults);
}

/* Of which part of the bytes nobody knows the peer any more. Percent. */
static unsigned int peerless_part(const struct snapshot *snapshot)
{
    double all = 0, peerless = 0;

    for (uint32_t i = 0; i < snapshot->flows_count; i++) {
        const struct flow *flow = &snapshot->flows[i];
        double bytes = (double)flow->total.rx_bytes + (double)flow->total.tx_bytes;

        all += bytes;
        peerless += flow->flags & FLOW_FOLDED ? bytes : 0;
    }
    return all > 0 ? (unsigned int)(100 * peerless / all) : 0;
}

static void note_doubts(const struct reader *reader, struct store_answer *answer)
{
    uint64_t length = answer->until_ns - answer->since_ns;
    unsigned int peerless =
        reader->question.parts & STORE_PEERS ? peerless_part(&answer->snapshot) : 0;

    note_damage(reader, &answer->snapshot);
    if (reader->kinds & 1u << CHUNK_FLOWS && answer->measured_ns < length / 100 * 98)
        snapshot_note(&answer->snapshot, NOTE_INFO, "history", 0,
                      "traffic was measured in %.1f%% of this time",
                      100.0 * (double)answer->measured_ns / (double)length);
    if (peerless >= PEERLESS_NOTED)
        snapshot_note(&answer->snapshot, NOTE_INFO, "history", 0,
                      "of %u%% of the bytes no peer was kept: only of those with most traffic of "
                      "each process, and not where thousands of connections ended in a tick",
                      peerless);
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
    int r = piece_of(reader, reader->first, &past);

    if (r == 0 && reader->question.only_measured && !is_measured(past)) {
        drop_first(reader);
        return 0;
    }
    if (r == 0)
        r = past_answer(reader->store, past, reader->question.parts, &answer, &reader->broken);
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

/* --- chunks --- */

/* Whether its seconds stand for it. */
static bool is_replaced(const struct reader *reader, const struct chunk *chunk, uint32_t tick)
{
    return !chunk->of_seconds &&
           map_get(&reader->seconds[chunk->kind], chunk->ticks[tick].time_ns) != MAP_NONE;
}

static int find_pieces(struct reader *reader, const struct chunk *chunk)
{
    const struct store_question *question = &reader->question;
    int r = VEC_RESERVE(&reader->piece_of_tick, &reader->ticks_capacity, 0, chunk->tick_count + 1);

    for (uint32_t i = 0; i < chunk->tick_count && r == 0; i++) {
        const struct chunk_tick *tick = &chunk->ticks[i];
        uint64_t piece, time_ns = reader->late_ns ? on_time(tick->time_ns) : tick->time_ns;
        struct past *past;

        reader->piece_of_tick[i] = NO_PIECE;
        if (time_ns <= question->since_ns || time_ns > question->until_ns ||
            is_replaced(reader, chunk, i))
            continue;
        piece = (time_ns - question->since_ns - 1) / reader->every_ns;
        if (piece < reader->first)
            continue;
        r = piece_of(reader, piece, &past);
        if (r != 0)
            break;
        reader->piece_of_tick[i] = (uint32_t)(piece - reader->first);
        past->measured_ns[chunk->kind] += tick->length_ns;
        past->ticks[chunk->kind]++;
        if (time_ns > past->last_ns)
            past->last_ns = time_ns;
        if (tick->length_ns > past->coarsest_ns)
            past->coarsest_ns = tick->length_ns;
        past_add_accounting(past, tick->accounting);
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
    bool of_seconds;
};

static int codec_of(struct reader *reader, sqlite3_stmt *statement, struct chunk *chunk)
{
    return codec_begin(&reader->store->codec, sqlite3_column_blob(statement, 0),
                       (size_t)sqlite3_column_bytes(statement, 0), chunk);
}

static int read_chunk(struct reader *reader, const struct listed *listed)
{
    CLEANUP(chunk_done)
    struct chunk chunk = {.kind = listed->kind, .of_seconds = listed->of_seconds};
    sqlite3_stmt *statement;
    int r = listed->of_seconds ? sql_prepare(reader->store, STATEMENT_READ_SECONDS,
                                             "SELECT data FROM second WHERE id = ?", &statement)
                               : sql_prepare(reader->store, STATEMENT_READ_CHUNK,
                                             "SELECT data FROM chunk WHERE id = ?", &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, listed->id);
    r = sql_step(statement);
    if (r > 0) {
        r = codec_of(reader, statement, &chunk);
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

struct list {
    struct listed *items;
    uint32_t count, capacity;
};

static void list_done(struct list *list)
{
    free(list->items);
}

static int add_listed(struct reader *reader, struct list *list, struct listed listed)
{
    int r;

    if (listed.kind >= CHUNK_KIND_MAX || !(reader->kinds & 1u << listed.kind))
        return 0;
    r = VEC_RESERVE(&list->items, &list->capacity, list->count, 1);
    if (r == 0)
        list->items[list->count++] = listed;
    return r;
}

static int list_chunks_by(struct reader *reader, const char *text, struct list *list)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int r = sql_prepare_once(reader->store, text, &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, !reader->uses_coarse);
    sql_bind(statement, 2, reader->question.until_ns + reader->late_ns);
    sql_bind(statement, 3, reader->question.since_ns);
    while ((r = sql_step(statement)) > 0) {
        r = add_listed(reader, list,
                       (struct listed){.id = sql_column(statement, 0),
                                       .since_ns = sql_column(statement, 1) - reader->late_ns,
                                       .kind = (uint32_t)sql_column(statement, 2)});
        if (r < 0)
            return r;
    }
    return r;
}

/* Only what is whole stands for its tick. */
static int add_seconds(struct reader *reader, struct list *list, sqlite3_stmt *statement)
{
    struct listed listed = {.id = sql_column(statement, 1),
                            .since_ns = sql_column(statement, 2),
                            .kind = (uint32_t)sql_column(statement, 3),
                            .of_seconds = true};
    CLEANUP(chunk_done) struct chunk chunk = {.kind = listed.kind};
    int r;

    if (listed.kind != CHUNK_FLOWS && listed.kind != CHUNK_INTERFACES)
        return 0;
    r = codec_of(reader, statement, &chunk);
    if (r == 0)
        r = map_set(&reader->seconds[listed.kind], sql_column(statement, 4), 0);
    if (r == 0)
        r = add_listed(reader, list, listed);
    if (r != -EBADMSG)
        return r;
    reader->broken++;
    return 0;
}

/* Each row is in the table, too, where a page of the index is damaged. */
static int list_chunks(struct reader *reader, struct list *list)
{
#define LIST_OF(table)                                                                             \
    "SELECT id, since_ns, kind FROM " table " WHERE merged IN (0, ?) AND since_ns <= ? AND"        \
    " until_ns > ? ORDER BY since_ns, id"
    int r = list_chunks_by(reader, LIST_OF("chunk"), list);

    if (r != -EBADMSG)
        return r;
    list->count = 0;
    return list_chunks_by(reader, LIST_OF("chunk NOT INDEXED"), list);
}

static int list_seconds(struct reader *reader, struct list *list)
{
    static const char text[] = "SELECT data, id, since_ns, kind, tick_ns FROM second"
                               " WHERE since_ns <= ? AND until_ns > ?";
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int r = reader->late_ns ? sql_prepare_once(reader->store, text, &statement) : 0;

    if (r < 0 || !statement)
        return r;
    sql_bind(statement, 1, reader->question.until_ns);
    sql_bind(statement, 2, reader->question.since_ns);
    while ((r = sql_step(statement)) > 0) {
        r = add_seconds(reader, list, statement);
        if (r < 0)
            return r;
    }
    return r;
}

/* What cannot be listed does not keep the rest from being answered. */
static int list_all(struct reader *reader, struct list *list)
{
    int (*const lists[])(struct reader *, struct list *) = {list_chunks, list_seconds};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(lists) && r == 0; i++) {
        r = lists[i](reader, list);
        if (r == -EBADMSG) {
            reader->broken++;
            r = 0;
        }
    }
    return r;
}

static int compare_listed(const void *a, const void *b)
{
    const struct listed *left = a, *right = b;

    if (left->since_ns != right->since_ns)
        return left->since_ns < right->since_ns ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

int reader_add_chunks(struct reader *reader)
{
    CLEANUP(list_done) struct list list = {0};
    int r = list_all(reader, &list);

    if (r == 0 && list.count)
        qsort(list.items, list.count, sizeof(*list.items), compare_listed);
    for (uint32_t i = 0; i < list.count && r == 0; i++) {
        r = reader_answer(reader, list.items[i].since_ns);
        if (r == 0)
            r = read_chunk(reader, &list.items[i]);
    }
    return r;
}
