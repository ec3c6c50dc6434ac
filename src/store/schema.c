/* SPDX-License-Identifier: MIT */
/* Schema: tables as they are written in SQL, and those of sums as their columns say. */
#include "store/schema.h"

#include "base/buf.h"
#include "store/page_sums.h"
#include "store/sql.h"

#include <inttypes.h>

/*
 * Times are seconds since 1970, of `chunk`, `note` and `span` nanoseconds. A chunk has one tick
 * (merged 0) or those of ten minutes, where connections are many some of these; store/chunk.h says
 * what is in it. The names of enums are texts and addresses are readable, for people who ask with
 * sqlite3(1).
 */
static const char first_schema[] =
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, merged INTEGER NOT NULL,"
    " since_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL, ticks INTEGER NOT NULL,"
    " rows INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE INDEX chunk_time ON chunk(merged, since_ns, until_ns, kind);"
    "CREATE TABLE span(coarse INTEGER, kind INTEGER, time INTEGER, measured_ns INTEGER NOT NULL,"
    " ticks INTEGER NOT NULL, accounting INTEGER NOT NULL, numbers INTEGER NOT NULL,"
    " PRIMARY KEY(coarse, kind, time)) WITHOUT ROWID;"
    "CREATE TABLE note(id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL,"
    " text TEXT NOT NULL);"
    "CREATE INDEX note_time ON note(time_ns);"
    "CREATE TABLE netns(id INTEGER PRIMARY KEY, inode INTEGER NOT NULL, name TEXT NOT NULL,"
    " initial INTEGER NOT NULL, UNIQUE(inode, name, initial));"
    "CREATE TABLE process(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, comm TEXT NOT NULL,"
    " exe TEXT NOT NULL, uid INTEGER NOT NULL, cgroup TEXT NOT NULL, netns INTEGER NOT NULL,"
    " pid INTEGER NOT NULL DEFAULT 0, start_ticks INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE(comm, exe, uid, cgroup, netns, kind));"
    "CREATE TABLE instance(process INTEGER, pid INTEGER, start_ticks INTEGER,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY(process, pid, start_ticks)) WITHOUT ROWID;"
    "CREATE TABLE endpoint(id INTEGER PRIMARY KEY, proto TEXT NOT NULL, address TEXT NOT NULL,"
    " port INTEGER NOT NULL, direction TEXT NOT NULL, interface TEXT NOT NULL,"
    " UNIQUE(address, port, proto, direction, interface));"
    "CREATE TABLE interface(id INTEGER PRIMARY KEY, netns INTEGER NOT NULL, name TEXT NOT NULL,"
    " UNIQUE(netns, name));"
    "CREATE TABLE counter(id INTEGER PRIMARY KEY, netns INTEGER NOT NULL, name TEXT NOT NULL,"
    " grp TEXT NOT NULL, label TEXT NOT NULL, cpu INTEGER NOT NULL, source INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, UNIQUE(name, netns, cpu, source, grp, label, flags));"
    "CREATE VIEW processes AS SELECT datetime(time, 'unixepoch') AS utc, comm, exe, uid, cgroup,"
    " rx_bytes, tx_bytes, rx_max, tx_max FROM flow_minute JOIN process ON process = process.id;"
    "CREATE VIEW peers AS SELECT datetime(time, 'unixepoch') AS utc, comm, exe, uid, cgroup,"
    " proto, address, port, direction, interface, rx_bytes, tx_bytes, rx_max, tx_max"
    " FROM flow_hour JOIN process ON process = process.id"
    " LEFT JOIN endpoint ON endpoint = endpoint.id;";

const uint32_t coarse_seconds[COARSE_MAX] = {
    [COARSE_MINUTE] = 60,
    [COARSE_HOUR] = 3600,
    [COARSE_PROCESS_HOUR] = 3600,
};

static const char *const coarse_names[COARSE_MAX] = {
    [COARSE_MINUTE] = "minute",
    [COARSE_HOUR] = "hour",
    [COARSE_PROCESS_HOUR] = "process_hour",
};

bool coarse_has(enum chunk_kind kind, enum coarse coarse)
{
    if (coarse == COARSE_PROCESS_HOUR)
        return kind == CHUNK_FLOWS;
    return coarse == COARSE_MINUTE ? layouts[kind].has_minutes : layouts[kind].has_hours;
}

void coarse_put_table(enum chunk_kind kind, enum coarse coarse, struct buf *out)
{
    buf_printf(out, "%s_%s", layouts[kind].name, coarse_names[coarse]);
}

uint32_t coarse_keys(enum chunk_kind kind, enum coarse coarse)
{
    return kind == CHUNK_FLOWS && coarse != COARSE_HOUR ? 1 : key_count(kind);
}

static void put_coarse_table(struct buf *out, enum chunk_kind kind, enum coarse coarse)
{
    const struct layout *layout = &layouts[kind];
    uint32_t keys = coarse_keys(kind, coarse);

    buf_puts(out, "CREATE TABLE ");
    coarse_put_table(kind, coarse, out);
    buf_puts(out, "(time INTEGER");
    for (uint32_t i = 0; i < keys; i++)
        buf_printf(out, ", %s INTEGER", layout->key_names[i]);
    for (uint32_t i = 0; i < layout->measure_count; i++)
        buf_printf(out, ", %s INTEGER NOT NULL", layout->measures[i].name);
    buf_puts(out, ", PRIMARY KEY(time");
    for (uint32_t i = 0; i < keys; i++)
        buf_printf(out, ", %s", layout->key_names[i]);
    buf_puts(out, ")) WITHOUT ROWID;");
}

static void put_first_schema(struct buf *out)
{
    for (unsigned int kind = 0; kind < CHUNK_KIND_MAX; kind++)
        for (unsigned int coarse = 0; coarse <= COARSE_HOUR; coarse++)
            if (coarse_has(kind, coarse))
                put_coarse_table(out, kind, coarse);
    buf_puts(out, first_schema);
}

/* Hours of processes out of rows of another table of flows. */
static void put_process_hours_of(struct buf *out, const char *table, const char *condition)
{
    static const char *const combinations[] = {
        [MEASURE_SUM] = "sum",   [MEASURE_LAST] = "max",     [MEASURE_MIN] = "min",
        [MEASURE_MAX] = "max",   [MEASURE_MIN_RATE] = "min", [MEASURE_MAX_RATE] = "max",
        [MEASURE_TICKS] = "sum",
    };
    const struct layout *layout = &layouts[CHUNK_FLOWS];

    buf_puts(out, "INSERT OR IGNORE INTO flow_process_hour SELECT time / 3600 * 3600, process");
    for (uint32_t i = 0; i < layout->measure_count; i++)
        buf_printf(out, ", %s(%s)", combinations[layout->measures[i].op], layout->measures[i].name);
    buf_printf(out, " FROM %s%s GROUP BY time / 3600, process;", table, condition);
}

/* Hours that the minutes do not have whole are taken from those of peers. */
static void put_process_hours(struct buf *out)
{
    put_coarse_table(out, CHUNK_FLOWS, COARSE_PROCESS_HOUR);
    put_process_hours_of(out, "flow_hour",
                         " WHERE time < coalesce((SELECT min(time) FROM flow_minute), time + 1)");
    put_process_hours_of(out, "flow_minute", "");
    buf_printf(out,
               "INSERT INTO span SELECT %d, kind, time, measured_ns, ticks, accounting, 0"
               " FROM span WHERE coarse = %d AND kind = %d;",
               COARSE_PROCESS_HOUR, COARSE_HOUR, CHUNK_FLOWS);
}

/* Which machine was recorded, from that time on; its `netns` is the one that nwho was started in.
 */
static void put_host(struct buf *out)
{
    buf_puts(out, "CREATE TABLE host(time_ns INTEGER NOT NULL, system TEXT NOT NULL,"
                  " release TEXT NOT NULL, name TEXT NOT NULL, machine TEXT NOT NULL,"
                  " cpus INTEGER NOT NULL, netns INTEGER NOT NULL);");
}

/*
 * Seconds around an event: a chunk of the parts of one tick, `tick_ns`, of which it stands for the
 * rows. The ring is what the recorder has of them in memory: one row.
 */
static void put_seconds(struct buf *out)
{
    buf_puts(out, "CREATE TABLE second(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
                  " tick_ns INTEGER NOT NULL, since_ns INTEGER NOT NULL,"
                  " until_ns INTEGER NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL,"
                  " UNIQUE(kind, tick_ns));"
                  "CREATE INDEX second_time ON second(since_ns, until_ns);"
                  "CREATE TABLE ring(id INTEGER PRIMARY KEY, length_s INTEGER NOT NULL,"
                  " since_ns INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,"
                  " flushed_ns INTEGER NOT NULL, why TEXT NOT NULL);");
}

/* The tables are the same. */
static void put_sums(struct buf *out)
{
    (void)out;
}

/* From the version that is its index to the next one. */
static void (*const steps[SCHEMA_VERSION])(struct buf *out) = {put_first_schema, put_process_hours,
                                                               put_host, put_seconds, put_sums};

int schema_check(struct store *store)
{
    int64_t application, version, tables;
    int r = sql_number(store, "PRAGMA application_id", &application);

    if (r == 0)
        r = sql_number(store, "PRAGMA user_version", &version);
    if (r == 0)
        r = sql_number(store, "SELECT count(*) FROM sqlite_schema", &tables);
    if (r != 0)
        return r;
    if (application == 0 && version == 0 && tables == 0) {
        store->version = 0;
        return 0;
    }
    if (application != SCHEMA_APPLICATION || version < 1)
        return -EBADMSG;
    if (version > SCHEMA_VERSION)
        return -EPROTONOSUPPORT;
    store->version = version;
    return 0;
}

int64_t schema_newest(struct store *store)
{
    return page_sums_used(store->db) ? SCHEMA_VERSION : SCHEMA_WITH_SUMS - 1;
}

int schema_make(struct store *store)
{
    int64_t newest = schema_newest(store);
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    int r;

    buf_puts(&text, "BEGIN IMMEDIATE;");
    for (int64_t i = store->version; i < newest; i++)
        steps[i](&text);
    buf_printf(&text, "PRAGMA application_id = %d; PRAGMA user_version = %" PRId64 "; COMMIT",
               SCHEMA_APPLICATION, newest);
    buf_string(&text);
    if (text.error)
        return text.error;
    r = sql_run_text(store, text.data);
    if (r == 0)
        store->version = newest;
    if (r < 0 && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}
