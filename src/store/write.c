/* SPDX-License-Identifier: MIT */
/* Write: one tick, all of it or nothing. */
#include "store/write.h"

#include "base/buf.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

/* A difference of the clocks that is no drift. */
#define CLOCK_JUMP_NS SECOND_NS
/* The clock is not trusted at once after a larger one. */
#define LARGE_JUMP_NS (3600 * SECOND_NS)
#define HOLD_NS (86400 * SECOND_NS)
#define SYNC_NS (60 * SECOND_NS)

static int (*const writers[CHUNK_KIND_MAX])(struct store *store, const struct snapshot *now,
                                            struct chunk *chunk) = {
    [CHUNK_FLOWS] = write_flows,         [CHUNK_INTERFACES] = write_interfaces,
    [CHUNK_COUNTERS] = write_counters,   [CHUNK_STATES] = write_states,
    [CHUNK_LISTENERS] = write_listeners, [CHUNK_CONNECTIONS] = write_connections,
};

static void find_times(const struct chunk *chunk, uint64_t *ret_since, uint64_t *ret_until)
{
    *ret_since = *ret_until = chunk->ticks[0].time_ns;
    for (uint32_t i = 1; i < chunk->tick_count; i++) {
        if (chunk->ticks[i].time_ns < *ret_since)
            *ret_since = chunk->ticks[i].time_ns;
        if (chunk->ticks[i].time_ns > *ret_until)
            *ret_until = chunk->ticks[i].time_ns;
    }
}

int write_chunk(struct store *store, struct chunk *chunk, bool merged)
{
    static const char text[] =
        "INSERT INTO chunk(kind, merged, since_ns, until_ns, ticks, rows, data)"
        " VALUES(?, ?, ?, ?, ?, ?, ?)";
    sqlite3_stmt *statement;
    uint64_t since, until;
    int r;

    buf_renew(&store->bytes);
    r = codec_write(&store->codec, chunk, &store->bytes);
    if (r == 0)
        r = sql_prepare(store, STATEMENT_ADD_CHUNK, text, &statement);
    if (r != 0)
        return r;
    find_times(chunk, &since, &until);
    sql_bind(statement, 1, chunk->kind);
    sql_bind(statement, 2, merged);
    sql_bind(statement, 3, since);
    sql_bind(statement, 4, until);
    sql_bind(statement, 5, chunk->tick_count);
    sql_bind(statement, 6, chunk->row_count);
    sqlite3_bind_blob64(statement, 7, store->bytes.data, store->bytes.length, SQLITE_STATIC);
    return sql_run(statement);
}

static int write_kind(struct store *store, const struct snapshot *now, enum chunk_kind kind)
{
    CLEANUP(chunk_done) struct chunk chunk = {.kind = kind};
    int r;

    map_clear(&store->ring.rows);
    r = writers[kind](store, now, &chunk);
    if (r < 0 || !chunk.tick_count)
        return r;
    r = ring_cut(store, now, &chunk);
    return r < 0 ? r : write_chunk(store, &chunk, false);
}

static int note_losses(struct store *store, const struct snapshot *now)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;

    if (!store->lost_ticks)
        return 0;
    buf_printf(&text, "%" PRIu64 " %s not written since ", store->lost_ticks,
               store->lost_ticks == 1 ? "tick was" : "ticks were");
    buf_utc(&text, store->lost_since, 3);
    buf_printf(&text, ": %s", strerror(-store->lost_error));
    return store_note(store, now->time_ns, STORE_GAP, buf_string(&text));
}

/* How much the wall clock was set forward since the last tick. */
static int64_t clock_jump(const struct store *store, const struct snapshot *now)
{
    return store->boot_ns
               ? (int64_t)(now->time_ns - store->time_ns) - (int64_t)(now->boot_ns - store->boot_ns)
               : 0;
}

static int note_clock(struct store *store, const struct snapshot *now)
{
    int64_t jump = clock_jump(store, now);
    uint64_t size = (uint64_t)(jump < 0 ? -jump : jump);
    char text[80];

    if (size < CLOCK_JUMP_NS)
        return 0;
    snprintf(text, sizeof(text), "the clock was set %s by %" PRIu64 ".%03" PRIu64 " s",
             jump < 0 ? "back" : "forward", size / SECOND_NS, size % SECOND_NS / MILLISECOND_NS);
    return store_note(store, now->time_ns, STORE_CLOCK, text);
}

static int write_tick(struct store *store, const struct snapshot *now)
{
    int r = note_losses(store, now);

    if (r == 0)
        r = note_clock(store, now);
    if (r == 0 && !store->has_host)
        r = write_host(store, now);
    for (unsigned int kind = 0; kind < CHUNK_KIND_MAX && r == 0; kind++)
        r = write_kind(store, now, kind);
    return r < 0 ? r : ring_write(store, now);
}

/*
 * The first tick of a minute waits until the disk has it and all before it (10 ms, and a quarter of
 * a tick's CPU time), the others do not. Between transactions.
 */
static int choose_sync(struct store *store, const struct snapshot *now)
{
    bool wait = store->time_ns / SYNC_NS != now->time_ns / SYNC_NS;
    int r = 0;

    if (wait != store->waits)
        r = sql_run_text(store, wait ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (r == 0)
        store->waits = wait;
    return r;
}

static int in_transaction(struct store *store, const struct snapshot *now)
{
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_BEGIN, "BEGIN IMMEDIATE", &statement);

    if (r == 0)
        r = sql_run(statement);
    if (r == 0)
        r = write_tick(store, now);
    if (r == 0)
        r = sql_prepare(store, STATEMENT_COMMIT, "COMMIT", &statement);
    if (r == 0)
        r = sql_run(statement);
    return r;
}

/* SQLite may have rolled back by itself. Names that were new are not in the file now. */
static void forget(struct store *store, const struct snapshot *now, int error)
{
    if (store->db && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    dictionaries_done(&store->names);
    ring_empty(&store->ring);
    if (!store->lost_ticks++)
        store->lost_since = now->time_ns;
    store->lost_error = error;
}

/*
 * A transaction whose sync has failed is in the journal, and a shorter one in its place leaves its
 * end there, which looks like one that is damaged. After a checkpoint the journal begins anew,
 * unless a reader needs it. Where this fails, too, the tick is tried all the same.
 */
static void leave_failure(struct store *store)
{
    int result = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    (void)result;
}

static int add_tick(struct store *store, const struct snapshot *now)
{
    bool new_slot = store->slot != now->time_ns / SLOT_NS;
    int r = 0;

    baselines_begin(store);
    if (!sqlite3_get_autocommit(store->db)) /* there was no memory to end the last tick */
        r = sql_run_text(store, "ROLLBACK");
    if (r == 0 && store->lost_ticks)
        leave_failure(store);
    if (r == 0 && (new_slot || store->lost_ticks))
        r = retention_apply(store, now);
    if (r == 0)
        r = choose_sync(store, now);
    return r < 0 ? r : in_transaction(store, now);
}

/* To look at all of a file takes time: what this does not mend is not looked at at each tick. */
static int mend(struct store *store, const struct snapshot *now)
{
    if (store->db && now->boot_ns < store->mend_ns)
        return -EBADMSG;
    store->mend_ns = now->boot_ns + SLOT_NS;
    return store_mend(store);
}

int store_add(struct store *store, const struct snapshot *now, const struct seconds *seconds)
{
    int r;

    store->ring.seconds = store->ring.length_ns ? seconds : NULL;
    if (clock_jump(store, now) > (int64_t)LARGE_JUMP_NS)
        store->hold_until_ns = now->boot_ns + HOLD_NS;
    r = store->db ? add_tick(store, now) : -EBADMSG;
    if (r == -EBADMSG) {
        r = mend(store, now);
        if (r == 0)
            r = add_tick(store, now);
    }
    if (r < 0) {
        forget(store, now, r);
        return r;
    }
    baselines_keep(store, now);
    store->lost_ticks = 0;
    store->has_host = true;
    store->time_ns = now->time_ns;
    store->boot_ns = now->boot_ns;
    store->slot = now->time_ns / SLOT_NS;
    return 0;
}
