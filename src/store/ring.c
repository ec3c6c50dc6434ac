/* SPDX-License-Identifier: MIT */
/* Ring: cuts ticks into seconds, keeps them as bytes, and writes them around marks and findings. */
#include "base/clock.h"
#include "base/vec.h"
#include "derive/health/finding_log.h"
#include "store/write.h"

#include <stdio.h>

static void free_piece(struct ring_piece *piece)
{
    free(piece->data);
    *piece = (struct ring_piece){0};
}

void ring_empty(struct ring *ring)
{
    for (uint32_t i = 0; i < ring->count; i++)
        free_piece(&ring->pieces[i]);
    ring->count = 0;
}

void ring_done(struct ring *ring)
{
    ring_empty(ring);
    map_done(&ring->rows);
    free(ring->pieces);
    *ring = (struct ring){0};
}

int ring_begin(struct store *store)
{
    struct ring *ring = &store->ring;
    int r = sql_run_text(store, "DELETE FROM ring");

    ring->length_ns = store->limits.ring_s * SECOND_NS;
    return r < 0 ? r : sql_number(store, "SELECT max(id) FROM note", &ring->last_note);
}

int ring_know(struct ring *ring, uint64_t key, uint32_t row)
{
    return ring->seconds ? map_set(&ring->rows, key, row) : 0;
}

/* --- cutting --- */

#define NO_PART UINT32_MAX

/* Each row of a tick becomes one of each second in which it counted; what no second has counted is
 * of the last one, which ends with the tick. */
struct cut {
    const struct ring *ring;
    struct chunk left; /* the tick, less what is in the parts */
    struct chunk parts;
    uint32_t *part_of; /* row of the tick -> that of the running second */
    uint32_t second;   /* the running one */
};

static void cut_done(struct cut *cut)
{
    chunk_done(&cut->left);
    chunk_done(&cut->parts);
    free(cut->part_of);
}

static int add_part(struct cut *cut, uint32_t row, uint64_t **ret_part)
{
    enum chunk_kind kind = cut->left.kind;
    const uint64_t *whole = chunk_row(&cut->left, row);
    uint32_t number = cut->part_of[row];
    uint64_t *part;

    if (number != NO_PART) {
        *ret_part = chunk_row(&cut->parts, number);
        return 0;
    }
    part = chunk_add_row(&cut->parts);
    if (!part)
        return -ENOMEM;
    memcpy(part, whole, key_count(kind) * sizeof(*part));
    part[tick_column(kind)] = cut->second;
    part[level_column(kind)] = whole[level_column(kind)];
    cut->part_of[row] = cut->parts.row_count - 1;
    *ret_part = part;
    return 0;
}

/* Never more than the tick has: what a socket was ahead of its calls is in an earlier one. */
static int give(struct cut *cut, uint64_t key, const uint64_t *values, uint32_t count)
{
    uint32_t row = map_get(&cut->ring->rows, key), first = first_sum(cut->left.kind);
    uint64_t *left, *part = NULL;
    int r = 0;

    if (row == MAP_NONE)
        return 0;
    left = chunk_row(&cut->left, row) + first;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        uint64_t value = values[i] < left[i] ? values[i] : left[i];

        if (!value)
            continue;
        r = part ? 0 : add_part(cut, row, &part);
        if (r < 0)
            break;
        part[first + i] += value;
        left[i] -= value;
    }
    return r;
}

static int give_samples(struct cut *cut, uint32_t from, uint32_t to)
{
    const struct seconds *seconds = cut->ring->seconds;
    int r = 0;

    for (uint32_t i = from; i < to && r == 0; i++) {
        if (cut->left.kind == CHUNK_FLOWS) {
            const struct flow_sample *sample = &seconds->flows[i];

            r = give(cut, ring_key_of_flow(sample->flow),
                     (uint64_t[]){sample->rx_bytes, sample->tx_bytes}, 2);
        } else {
            const struct link_sample *sample = &seconds->links[i];
            uint64_t values[LINK_STATS];

            memcpy(values, &sample->more, sizeof(values));
            r = give(cut, ring_key_of_link(sample->netns, sample->ifindex), values, LINK_STATS);
        }
    }
    return r;
}

static int give_rest(struct cut *cut)
{
    uint32_t first = first_sum(cut->left.kind), count = level_column(cut->left.kind) - first;
    int r = 0;

    for (uint32_t i = 0; i < cut->left.row_count && r == 0; i++) {
        uint64_t values[CHUNK_COLUMNS_MAX], *left = chunk_row(&cut->left, i) + first, *part;
        uint64_t any = 0;

        memcpy(values, left, count * sizeof(*left));
        for (uint32_t j = 0; j < count; j++)
            any |= values[j];
        r = any ? add_part(cut, i, &part) : 0;
        for (uint32_t j = 0; any && j < count && r == 0; j++)
            part[first + j] += values[j];
    }
    return r;
}

/* Interfaces are there also while they count nothing. */
static int begin_second(struct cut *cut, const struct chunk_tick *tick)
{
    uint64_t *part;
    int r = chunk_add_tick(&cut->parts, *tick);

    cut->second = cut->parts.tick_count - 1;
    memset(cut->part_of, 0xff, cut->left.row_count * sizeof(*cut->part_of));
    for (uint32_t i = 0; cut->left.kind == CHUNK_INTERFACES && i < cut->left.row_count && r == 0;
         i++)
        r = add_part(cut, i, &part);
    return r;
}

static int cut_tick(struct cut *cut, const struct snapshot *now, const struct second *seconds,
                    uint32_t count)
{
    const struct chunk_tick *tick = cut->left.ticks;
    uint64_t begin_ns = now->boot_ns - tick->length_ns;
    struct chunk_tick part = *tick;
    uint32_t from = 0;
    int r = 0;

    for (uint32_t i = 0; i < count && r == 0; i++) {
        part.time_ns = on_time(seconds[i].time_ns);
        part.length_ns = seconds[i].boot_ns - begin_ns;
        begin_ns = seconds[i].boot_ns;
        r = begin_second(cut, &part);
        if (r == 0)
            r = give_samples(cut, from, seconds[i].end);
        from = seconds[i].end;
    }
    part.time_ns = on_time(now->time_ns);
    part.length_ns = now->boot_ns - begin_ns;
    if (r == 0)
        r = begin_second(cut, &part);
    return r < 0 ? r : give_rest(cut);
}

static int keep_piece(struct store *store, struct cut *cut, uint64_t tick_ns)
{
    struct ring *ring = &store->ring;
    struct ring_piece piece = {.tick_ns = tick_ns,
                               .since_ns = cut->parts.ticks[0].time_ns,
                               .kind = cut->parts.kind,
                               .rows = cut->parts.row_count};
    int r;

    buf_renew(&store->bytes);
    r = codec_write(&store->codec, &cut->parts, &store->bytes);
    if (r == 0)
        r = VEC_RESERVE(&ring->pieces, &ring->capacity, ring->count, 1);
    if (r < 0)
        return r;
    piece.data = malloc(store->bytes.length);
    if (!piece.data)
        return -ENOMEM;
    memcpy(piece.data, store->bytes.data, store->bytes.length);
    piece.length = (uint32_t)store->bytes.length;
    ring->pieces[ring->count++] = piece;
    return 0;
}

/* Whether the seconds lie in the time that the tick is about. */
static bool fits(const struct second *seconds, uint32_t count, const struct snapshot *now,
                 const struct chunk *tick)
{
    return count && seconds[0].boot_ns > now->boot_ns - tick->ticks[0].length_ns &&
           seconds[count - 1].boot_ns < now->boot_ns;
}

int ring_cut(struct store *store, const struct snapshot *now, const struct chunk *tick)
{
    CLEANUP(cut_done)
    struct cut cut = {.ring = &store->ring, .left.kind = tick->kind, .parts.kind = tick->kind};
    const struct seconds *seconds = store->ring.seconds;
    bool flows = tick->kind == CHUNK_FLOWS;
    const struct second *items;
    uint32_t count;
    int r;

    if (!seconds || (!flows && tick->kind != CHUNK_INTERFACES))
        return 0;
    if (store->lost_ticks) /* this one is also about those, whose seconds are lost */
        return 0;
    items = flows ? seconds->of_flows : seconds->of_links;
    count = flows ? seconds->of_flows_count : seconds->of_links_count;
    if (!fits(items, count, now, tick))
        return 0;
    cut.part_of = calloc(tick->row_count + 1u, sizeof(*cut.part_of));
    r = cut.part_of ? chunk_append(&cut.left, tick) : -ENOMEM;
    if (r == 0)
        r = cut_tick(&cut, now, items, count);
    return r < 0 ? r : keep_piece(store, &cut, now->time_ns);
}

/* --- writing --- */

static bool is_reason(const char *kind, const char *text, size_t length)
{
    struct finding_note finding;

    if (strcmp(kind, store_note_kind_name(STORE_MARK)) == 0)
        return true;
    return finding_note_parse(text, length, &finding) &&
           (strncmp(finding.severity, "warn", finding.severity_length) == 0 ||
            strncmp(finding.severity, "crit", finding.severity_length) == 0);
}

/* Of notes that are new, whoever wrote them. */
static int look_for_reasons(struct store *store)
{
    static const char text[] = "SELECT id, time_ns, kind, text FROM note WHERE id > ?"
                               " AND kind IN ('mark', 'finding') ORDER BY id";
    struct ring *ring = &store->ring;
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_RING_NOTES, text, &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, (uint64_t)ring->last_note);
    while ((r = sql_step(statement)) > 0) {
        uint64_t time_ns = sql_column(statement, 1);
        const char *kind = (const char *)sqlite3_column_text(statement, 2);
        const char *why = (const char *)sqlite3_column_text(statement, 3);

        ring->last_note = sqlite3_column_int64(statement, 0);
        if (!kind || !why || !is_reason(kind, why, strlen(why)))
            continue;
        ring->since_ns = time_ns > ring->length_ns ? time_ns - ring->length_ns : 0;
        ring->until_ns = time_ns + ring->length_ns;
        snprintf(ring->why, sizeof(ring->why), "%s: %s", kind, why);
    }
    return r;
}

static int write_piece(struct store *store, struct ring_piece *piece)
{
    static const char text[] = "INSERT OR IGNORE INTO second(kind, tick_ns, since_ns, until_ns,"
                               " rows, data) VALUES(?, ?, ?, ?, ?, ?)";
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_ADD_SECONDS, text, &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, piece->kind);
    sql_bind(statement, 2, piece->tick_ns);
    sql_bind(statement, 3, piece->since_ns);
    sql_bind(statement, 4, on_time(piece->tick_ns));
    sql_bind(statement, 5, piece->rows);
    sqlite3_bind_blob64(statement, 6, piece->data, piece->length, SQLITE_STATIC);
    piece->written = true;
    return sql_run(statement);
}

static int flush(struct store *store, const struct snapshot *now)
{
    struct ring *ring = &store->ring;
    int r = 0;

    for (uint32_t i = 0; i < ring->count && r == 0; i++) {
        struct ring_piece *piece = &ring->pieces[i];

        if (piece->written || piece->tick_ns <= ring->since_ns || piece->since_ns > ring->until_ns)
            continue;
        r = write_piece(store, piece);
        ring->flushed_ns = now->time_ns;
    }
    return r;
}

/* A mark that the next tick finds may be as old as this one. */
static void drop_old(struct ring *ring, const struct snapshot *now, uint64_t last_ns)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < ring->count; i++) {
        struct ring_piece *piece = &ring->pieces[i];

        if (piece->tick_ns + ring->length_ns > last_ns && piece->tick_ns <= now->time_ns)
            ring->pieces[kept++] = *piece;
        else
            free_piece(piece);
    }
    ring->count = kept;
}

static int write_state(struct store *store)
{
    const struct ring *ring = &store->ring;
    uint64_t rows = 0, bytes = 0;
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_RING_STATE,
                        "INSERT OR REPLACE INTO ring VALUES(1, ?, ?, ?, ?, ?, ?)", &statement);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < ring->count; i++) {
        rows += ring->pieces[i].rows;
        bytes += ring->pieces[i].length;
    }
    sql_bind(statement, 1, ring->length_ns / SECOND_NS);
    sql_bind(statement, 2, ring->count ? ring->pieces[0].since_ns : 0);
    sql_bind(statement, 3, rows);
    sql_bind(statement, 4, bytes);
    sql_bind(statement, 5, ring->flushed_ns);
    sql_bind_text(statement, 6, ring->why, strlen(ring->why));
    return sql_run(statement);
}

int ring_write(struct store *store, const struct snapshot *now)
{
    int r;

    if (!store->ring.length_ns)
        return 0;
    r = look_for_reasons(store);
    if (r == 0)
        r = flush(store, now);
    drop_old(&store->ring, now, store->time_ns);
    return r < 0 ? r : write_state(store);
}

bool store_wants_seconds(const struct store *store)
{
    return store->ring.until_ns > store->time_ns;
}

int store_ring(struct store *store, struct store_ring *ret_ring)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    const unsigned char *why;
    int r;

    *ret_ring = (struct store_ring){.length_s = 0};
    if (store->version < SCHEMA_WITH_SECONDS)
        return 0;
    r = sql_prepare_once(store, "SELECT length_s, since_ns, rows, bytes, flushed_ns, why FROM ring",
                         &statement);
    if (r == 0)
        r = sql_step(statement);
    if (r <= 0)
        return r;
    ret_ring->length_s = (uint32_t)sql_column(statement, 0);
    ret_ring->since_ns = sql_column(statement, 1);
    ret_ring->rows = sql_column(statement, 2);
    ret_ring->bytes = sql_column(statement, 3);
    ret_ring->flushed_ns = sql_column(statement, 4);
    why = sqlite3_column_text(statement, 5);
    snprintf(ret_ring->why, sizeof(ret_ring->why), "%s", why ? (const char *)why : "");
    return 0;
}
