/* SPDX-License-Identifier: MIT */
/* Retention: what is too old goes, and the oldest of what is too much. */
#include "base/buf.h"
#include "base/clock.h"
#include "store/page_sums.h"
#include "store/schema.h"
#include "store/write.h"

#include <inttypes.h>

/* A sixteenth stays free for the ticks until this is done again. */
#define ROOM 16
/* The file is made smaller when an eighth of it is empty. */
#define EMPTY 8
#define DAY_S 86400

PRINTF_LIKE(2, 3)
static int run(struct store *store, const char *format, ...)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    buf_string(&text);
    return text.error ? text.error : sql_run_text(store, text.data);
}

static int drop_chunks(struct store *store, uint64_t before_s)
{
    return run(store, "DELETE FROM chunk WHERE merged = 1 AND until_ns < %" PRIu64,
               before_s * SECOND_NS);
}

static int drop_coarse(struct store *store, enum coarse coarse, uint64_t before_s)
{
    int r = 0;

    for (unsigned int kind = 0; kind < CHUNK_KIND_MAX && r == 0; kind++) {
        CLEANUP(buf_done) struct buf table = BUF_INIT;

        if (!coarse_has(kind, coarse))
            continue;
        coarse_put_table(kind, coarse, &table);
        r = run(store, "DELETE FROM %s WHERE time < %" PRIu64, buf_string(&table), before_s);
    }
    return r < 0 ? r
                 : run(store, "DELETE FROM span WHERE coarse = %d AND time < %" PRIu64, coarse,
                       before_s);
}

static int drop_minutes(struct store *store, uint64_t before_s)
{
    return drop_coarse(store, COARSE_MINUTE, before_s);
}

static int drop_hours(struct store *store, uint64_t before_s)
{
    int r = drop_coarse(store, COARSE_HOUR, before_s);

    return r < 0 ? r : drop_coarse(store, COARSE_PROCESS_HOUR, before_s);
}

static int drop_seconds(struct store *store, uint64_t before_s)
{
    return run(store, "DELETE FROM second WHERE until_ns < %" PRIu64, before_s * SECOND_NS);
}

static uint64_t ago(uint64_t now_s, uint64_t length_s)
{
    return now_s > length_s ? now_s - length_s : 0;
}

static int drop_old(struct store *store, uint64_t now_s)
{
    const struct store_limits *limits = &store->limits;
    int r = drop_chunks(store, ago(now_s, limits->fine_s));

    if (r == 0)
        r = drop_minutes(store, ago(now_s, limits->minute_s));
    if (r == 0)
        r = drop_seconds(store, ago(now_s, limits->minute_s));
    if (r == 0)
        r = drop_hours(store, ago(now_s, limits->hour_s));
    if (r == 0)
        r = run(store, "DELETE FROM note WHERE time_ns < %" PRIu64,
                ago(now_s, limits->hour_s) * SECOND_NS);
    return r < 0 ? r
                 : run(store, "DELETE FROM instance WHERE last < %" PRIu64,
                       ago(now_s, limits->fine_s + DAY_S));
}

/*
 * What a chunk of flows or listeners has is in the hours, too, which are kept longer; those of
 * connections have processes that were seen lately. Ticks that are not merged are in no hour.
 */
static int drop_names(struct store *store)
{
    if (store->has_fresh)
        return 0;
    dictionaries_done(&store->names);
    return sql_run_text(store,
                        "DELETE FROM endpoint WHERE id NOT IN (SELECT endpoint FROM flow_hour)"
                        " AND id NOT IN (SELECT endpoint FROM listener_hour);"
                        "DELETE FROM process WHERE id NOT IN (SELECT process FROM flow_hour)"
                        " AND id NOT IN (SELECT process FROM listener_hour)"
                        " AND id NOT IN (SELECT process FROM instance)");
}

static int drop_hours_and_names(struct store *store, uint64_t before_s)
{
    int r = drop_hours(store, before_s);

    return r < 0 ? r : drop_names(store);
}

/* --- size --- */

static int count_pages(struct store *store, int64_t *ret_all, int64_t *ret_free)
{
    int r = sql_number(store, "PRAGMA page_count", ret_all);

    return r < 0 ? r : sql_number(store, "PRAGMA freelist_count", ret_free);
}

static int is_too_large(struct store *store, bool *ret_large)
{
    int64_t pages, empty, page_bytes;
    int r = count_pages(store, &pages, &empty);

    if (r == 0)
        r = sql_number(store, "PRAGMA page_size", &page_bytes);
    if (r == 0)
        *ret_large =
            (uint64_t)((pages - empty) * page_bytes) > store->limits.bytes / ROOM * (ROOM - 1);
    return r;
}

/*
 * What a tier takes, about: a number of a row takes three bytes, a name with its index 160. The
 * names of endpoints are those that hours have.
 */
static const struct tier {
    const char *bytes, *first;
    uint64_t step_s; /* how much of it goes at once */
    int (*drop)(struct store *store, uint64_t before_s);
} tiers[] = {
    {"SELECT sum(length(data)) FROM chunk WHERE merged = 1",
     "SELECT min(until_ns) / 1000000000 FROM chunk WHERE merged = 1", SLOT_NS / SECOND_NS,
     drop_chunks},
    {"SELECT sum(length(data)) FROM second", "SELECT min(until_ns) / 1000000000 FROM second",
     SLOT_NS / SECOND_NS, drop_seconds},
    {"SELECT sum(numbers) * 3 FROM span WHERE coarse = 0",
     "SELECT min(time) FROM span WHERE coarse = 0", 3600, drop_minutes},
    {"SELECT sum(numbers) * 3 + (SELECT count(*) FROM endpoint) * 160 FROM span WHERE coarse = 1",
     "SELECT min(time) FROM span WHERE coarse = 1", 86400, drop_hours_and_names},
};

/* The one that takes most: so none takes the place of all others. */
static int find_largest(struct store *store, const struct tier **ret_tier)
{
    int64_t most = 0;
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(tiers) && r == 0; i++) {
        int64_t bytes = 0;

        r = sql_number(store, tiers[i].bytes, &bytes);
        if (bytes > most) {
            most = bytes;
            *ret_tier = &tiers[i];
        }
    }
    return r;
}

static int drop_oldest(struct store *store, const struct tier *tier)
{
    int64_t first = 0;
    uint64_t before;
    int r = sql_number(store, tier->first, &first);

    before = (uint64_t)first / tier->step_s * tier->step_s + tier->step_s;
    return r < 0 ? r : tier->drop(store, before);
}

static int drop_much(struct store *store)
{
    bool large = false;
    int r = is_too_large(store, &large);

    while (r == 0 && large) {
        const struct tier *tier = NULL;

        r = find_largest(store, &tier);
        if (r < 0 || !tier)
            return r;
        r = drop_oldest(store, tier);
        if (r == 0)
            r = is_too_large(store, &large);
    }
    return r;
}

/* A page that is damaged would get a right checksum where it is moved to. */
static int give_back(struct store *store)
{
    int64_t pages, empty;
    int r = count_pages(store, &pages, &empty);

    if (r < 0 || page_sums_faults(store->db).damaged || empty <= pages / EMPTY)
        return r;
    return run(store, "PRAGMA incremental_vacuum(%" PRId64 ")", empty - pages / EMPTY);
}

static int drop_all(struct store *store, const struct snapshot *now)
{
    uint64_t now_s = now->time_ns / SECOND_NS;
    int r = now->boot_ns < store->hold_until_ns ? 0 : drop_old(store, now_s);

    if (r == 0 && now_s / DAY_S != store->swept_day)
        r = drop_names(store);
    if (r == 0)
        r = drop_much(store);
    store->swept_day = now_s / DAY_S;
    return r < 0 ? r : give_back(store);
}

static int in_transaction(struct store *store, const struct snapshot *now,
                          int (*work)(struct store *store, const struct snapshot *now))
{
    int r = sql_run_text(store, "BEGIN IMMEDIATE");

    if (r == 0)
        r = work(store, now);
    if (r == 0)
        r = sql_run_text(store, "COMMIT");
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

static int merge(struct store *store, const struct snapshot *now)
{
    (void)now;
    return merge_ticks(store);
}

/* To merge takes room, which may be what is missing: then it is done the next time. */
int retention_apply(struct store *store, const struct snapshot *now)
{
    int r = in_transaction(store, now, merge);

    store->has_fresh = r < 0;
    if (r < 0 && r != -ENOSPC)
        return r;
    return in_transaction(store, now, drop_all);
}
