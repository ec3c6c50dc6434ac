/* SPDX-License-Identifier: MIT */
/* Read: which tier answers a question, and how far the store reaches. */
#include "base/clock.h"
#include "store/reader.h"

#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS (3600 * SECOND_NS)

/* SQLite's numbers are signed; and it may be rounded up. */
#define LATEST_NS (INT64_MAX - HOUR_NS)

static unsigned int kinds_of(unsigned int parts)
{
    unsigned int kinds = 0;

    kinds |= parts & (STORE_PROCESSES | STORE_PEERS) ? 1u << CHUNK_FLOWS : 0;
    kinds |= parts & STORE_INTERFACES ? 1u << CHUNK_INTERFACES : 0;
    kinds |= parts & STORE_COUNTERS ? 1u << CHUNK_COUNTERS : 0;
    kinds |= parts & STORE_STATES ? 1u << CHUNK_STATES : 0;
    kinds |= parts & STORE_LISTENERS ? 1u << CHUNK_LISTENERS : 0;
    kinds |= parts & STORE_CONNECTIONS ? 1u << CHUNK_CONNECTIONS : 0;
    return kinds;
}

/* By kind, so that the index finds it: there is a row of each minute. */
#define FIRST_SPAN(coarse)                                                                         \
    "SELECT min((SELECT min(time) FROM span WHERE coarse = " coarse " AND kind = column1))"        \
    " * 1000000000 FROM (VALUES (0), (1), (2), (3), (4), (5))"

/* Where a page of the index is damaged the table has it, too. */
static int find_time(struct store *store, const char *const texts[2], uint64_t *ret_ns)
{
    int64_t time_ns = 0;
    int r = sql_number(store, texts[0], &time_ns);

    if (r == -EBADMSG && texts[1])
        r = sql_number(store, texts[1], &time_ns);
    *ret_ns = (uint64_t)time_ns;
    return r;
}

/* Fills what can be read; -EBADMSG: something of it is damaged. */
static int find_times(struct store *store, struct store_extent *extent)
{
    static const char *const texts[STORE_TIER_MAX][2] = {
        [STORE_ANY] = {"SELECT max(until_ns) FROM chunk",
                       "SELECT max(until_ns) FROM chunk NOT INDEXED"},
        [STORE_FINE] = {"SELECT min(since_ns) FROM chunk",
                        "SELECT min(since_ns) FROM chunk NOT INDEXED"},
        [STORE_MINUTE] = {FIRST_SPAN("0")},
        [STORE_HOUR] = {FIRST_SPAN("1")},
    };
    int result = find_time(store, texts[STORE_ANY], &extent->until_ns);

    for (unsigned int i = STORE_FINE; i < STORE_TIER_MAX; i++) {
        uint64_t since;
        int r = find_time(store, texts[i], &since);

        result = r < 0 && (result == 0 || r != -EBADMSG) ? r : result;
        extent->since_ns[i] = since;
        if (since && (!extent->since_ns[STORE_ANY] || since < extent->since_ns[STORE_ANY]))
            extent->since_ns[STORE_ANY] = since;
    }
    return result;
}

int store_extent(struct store *store, struct store_extent *ret_extent)
{
    struct store_extent extent = {0};
    int64_t pages = 0, page_bytes = 0;
    int r = find_times(store, &extent);

    if (r == 0)
        r = sql_number(store, "PRAGMA page_count", &pages);
    if (r == 0)
        r = sql_number(store, "PRAGMA page_size", &page_bytes);
    if (r < 0)
        return r;
    extent.bytes = (uint64_t)(pages * page_bytes);
    *ret_extent = extent;
    return 0;
}

bool store_reaches(const struct store_extent *extent, enum store_tier tier, uint64_t since_ns)
{
    uint64_t first = extent->since_ns[tier];

    return first &&
           (first <= since_ns + MINUTE_NS || first <= extent->since_ns[STORE_ANY] + HOUR_NS);
}

/*
 * The fine one for short times and short pieces, and wherever peers are told apart, as long as it
 * reaches back so far; then that of minutes, which knows no peers.
 */
static enum store_tier choose_tier(const struct store_question *question,
                                   const struct store_extent *extent)
{
    uint64_t length = question->until_ns - question->since_ns;
    bool peers = question->parts & (STORE_PEERS | STORE_LISTENERS);

    if (question->parts & STORE_CONNECTIONS || question->parts == STORE_NOTES ||
        question->every_ns % MINUTE_NS || !extent->since_ns[STORE_HOUR])
        return STORE_FINE;
    if ((peers || length <= HOUR_NS) && store_reaches(extent, STORE_FINE, question->since_ns))
        return STORE_FINE;
    if (!peers &&
        (store_reaches(extent, STORE_MINUTE, question->since_ns) || question->every_ns % HOUR_NS))
        return STORE_MINUTE;
    return STORE_HOUR;
}

static uint64_t round_up(uint64_t number, uint64_t to)
{
    return (number + to - 1) / to * to;
}

/* Where pieces are long it does not matter: seconds are parts of ticks. */
static bool reads_seconds(const struct reader *reader)
{
    const struct store_question *question = &reader->question;
    uint64_t step =
        question->every_ns ? question->every_ns : question->until_ns - question->since_ns;

    return !reader->uses_coarse && step < MINUTE_NS &&
           reader->store->version >= SCHEMA_WITH_SECONDS;
}

static int begin(struct store *store, const struct store_question *question, struct reader *reader)
{
    struct store_extent extent = {0};
    enum store_tier tier = question->tier;
    int r = find_times(store, &extent);

    if (r < 0 && r != -EBADMSG)
        return r;
    reader->broken += r < 0;
    reader->store = store;
    reader->question = *question;
    if (reader->question.until_ns > LATEST_NS)
        reader->question.until_ns = LATEST_NS;
    reader->kinds = kinds_of(question->parts);
    reader->hours_s =
        extent.since_ns[STORE_HOUR] ? extent.since_ns[STORE_HOUR] / SECOND_NS : UINT64_MAX;
    if (tier == STORE_ANY)
        tier = choose_tier(question, &extent);
    if (tier == STORE_MINUTE && question->parts & STORE_PEERS)
        tier = STORE_HOUR;
    reader->uses_coarse = tier == STORE_MINUTE || tier == STORE_HOUR;
    if (reader->uses_coarse) {
        uint64_t step = tier == STORE_MINUTE ? MINUTE_NS : HOUR_NS;

        reader->coarse = tier == STORE_MINUTE ? COARSE_MINUTE : COARSE_HOUR;
        reader->question.since_ns -= reader->question.since_ns % step;
        reader->question.until_ns = round_up(reader->question.until_ns, step);
        reader->question.every_ns = round_up(reader->question.every_ns, step);
    }
    reader->late_ns = reads_seconds(reader) ? ON_TIME_NS : 0;
    reader->every_ns = reader->question.every_ns
                           ? reader->question.every_ns
                           : reader->question.until_ns - reader->question.since_ns;
    reader->count = (reader->question.until_ns - reader->question.since_ns + reader->every_ns - 1) /
                    reader->every_ns;
    return 0;
}

/* One transaction: what the writer merges or deletes meanwhile does not matter. */
int store_read(struct store *store, const struct store_question *question,
               int (*take)(struct store_answer *answer, void *context), void *context)
{
    CLEANUP(reader_done) struct reader reader = {.take = take, .context = context};
    int r;

    if (question->until_ns <= question->since_ns)
        return -EINVAL;
    r = sql_run_text(store, "BEGIN");
    if (r < 0)
        return r;
    r = begin(store, question, &reader);
    if (r == 0)
        r = reader_add_chunks(&reader);
    if (r == 0)
        r = reader_answer(&reader, UINT64_MAX);
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    store->broken += reader.broken;
    return r;
}

uint32_t store_broken_parts(const struct store *store)
{
    return store->broken + store->journal_lost;
}
