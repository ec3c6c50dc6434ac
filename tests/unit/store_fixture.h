/* SPDX-License-Identifier: MIT */
/* A store in a directory of its own, and a machine whose ticks are written to it. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "store/page_sums.h"
#include "store/store.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define BEGIN_NS (UINT64_C(1764547200) * SECOND_NS) /* 2025-12-01T00:00:00Z */
#define TICK_NS (10 * SECOND_NS)

struct place {
    char directory[64];
    char path[96];
    struct store *store;
};

static inline int remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int place_make(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    if (!place)
        return -1;
    snprintf(place->directory, sizeof(place->directory), "/tmp/nwho-store-XXXXXX");
    if (!mkdtemp(place->directory)) {
        free(place);
        return -1;
    }
    snprintf(place->path, sizeof(place->path), "%s/history.db", place->directory);
    *state = place;
    return 0;
}

static inline int place_remove(void **state)
{
    struct place *place = *state;

    store_close(place->store);
    nftw(place->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(place);
    return 0;
}

static inline void place_open(struct place *place, const struct store_limits *limits)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    int pid;

    assert_int_equal(store_open(place->path, limits, &place->store, &pid, &problem), 0);
    assert_string_equal(buf_string(&problem), "");
}

static inline void place_close(struct place *place)
{
    store_close(place->store);
    place->store = NULL;
}

/* For SQL, with checksums of pages as nwho itself writes them. */
static inline sqlite3 *place_database(const struct place *place)
{
    sqlite3 *db;

    assert_int_equal(page_sums_register(), 0);
    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     PAGE_SUMS_LAYER),
                     SQLITE_OK);
    return db;
}

static inline void place_sql(const struct place *place, const char *text)
{
    sqlite3 *db = place_database(place);

    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* The first column of the first row; closes the database. */
static inline int64_t database_number(sqlite3 *db, const char *query)
{
    sqlite3_stmt *statement;
    int64_t number;

    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static inline int64_t place_number(const struct place *place, const char *query)
{
    return database_number(place_database(place), query);
}

static inline uint32_t text_of(struct snapshot *snapshot, const char *text)
{
    uint32_t string;

    assert_int_equal(snapshot_intern(snapshot, text, strlen(text), &string), 0);
    return string;
}

/* The tick with this number: time, one namespace, accounting by BPF of ten seconds. */
static inline void tick_begin(struct snapshot *snapshot, uint64_t number)
{
    uint32_t netns;

    assert_int_equal(snapshot_init(snapshot), 0);
    snapshot->time_ns = BEGIN_NS + number * TICK_NS;
    snapshot->boot_ns = 1000 * SECOND_NS + number * TICK_NS;
    snapshot->clock_ticks = 100;
    snapshot->accounting = ACCOUNTING_BPF;
    snapshot->window_ns[FLOW_LAST] = TICK_NS;
    assert_int_equal(snapshot_add_netns(snapshot, 4026531840, &netns), 0);
    snapshot->netns[netns].flags = NETNS_INIT | NETNS_SELF | NETNS_READ;
}

static inline uint32_t tick_process(struct snapshot *snapshot, uint32_t pid, const char *comm)
{
    char exe[96];
    uint32_t index, comm_string = text_of(snapshot, comm), exe_string;

    snprintf(exe, sizeof(exe), "/usr/bin/%s", comm);
    exe_string = text_of(snapshot, exe);
    assert_int_equal(snapshot_add_process(snapshot, pid, &index), 0);
    snapshot->processes[index] = (struct process){
        .pid = pid,
        .start_ticks = pid,
        .has = PROCESS_HAS_UID | PROCESS_HAS_START | PROCESS_HAS_EXE | PROCESS_HAS_COMM |
               PROCESS_HAS_NETNS | PROCESS_HAS_CGROUP,
        .uid = 33,
        .comm = comm_string,
        .exe = exe_string,
        .cgroup = text_of(snapshot, "/system.slice/a.service"),
    };
    return index;
}

/* Traffic of a process with a peer at 10.0.x.y, port 443. */
static inline struct flow *tick_flow(struct snapshot *snapshot, uint32_t process, uint32_t peer,
                                     uint64_t rx, uint64_t tx)
{
    struct flow *flow = snapshot_add_flow(snapshot);

    assert_non_null(flow);
    *flow = (struct flow){
        .id = snapshot->flows_count,
        .process = process + 1,
        .pid = snapshot->processes[process].pid,
        .start_ticks = snapshot->processes[process].start_ticks,
        .uid = 33,
        .comm = snapshot->processes[process].comm,
        .window[FLOW_LAST] = {rx, tx},
        .sockets = 1,
        .proto = PROTO_TCP,
        .family = AF_INET,
        .local_port = 40000,
        .peer_port = 443,
        .peer = {{10, 0, (uint8_t)(peer >> 8), (uint8_t)peer}},
    };
    return flow;
}

/* All kinds of facts that a history has. Peers are more than are told apart, and each tick has one
 * that is new. */
#define EVERYTHING_FLOWS 12 /* of a byte received, each */

static inline void tick_everything(struct snapshot *tick, uint64_t number)
{
    uint32_t process, comm;

    tick_begin(tick, number);
    comm = text_of(tick, "nginx");
    process = tick_process(tick, 100, "nginx");
    for (uint32_t i = 0; i < EVERYTHING_FLOWS; i++)
        tick_flow(tick, process, (uint32_t)number + i, 1, i);
    assert_int_equal(snapshot_add_interface(tick, 0, 1, "lo"), 0);
    tick->interfaces[0].has = INTERFACE_HAS_STATS;
    tick->interfaces[0].stats.rx_bytes = number * 1000;
    *snapshot_add_counter(tick) =
        (struct counter){.value = number * 3, .name = text_of(tick, "TcpRetransSegs")};
    *snapshot_add_counter(tick) = (struct counter){
        .value = 40 + number, .name = text_of(tick, "TCPinuse"), .flags = COUNTER_GAUGE};
    *snapshot_add_socket(tick) =
        (struct socket){.inode = 7,
                        .proto = PROTO_TCP,
                        .family = AF_INET,
                        .local_port = 22,
                        .state = STATE_LISTENING,
                        .has = SOCKET_HAS_INODE | SOCKET_HAS_QUEUES | SOCKET_HAS_BACKLOG};
    assert_int_equal(snapshot_add_holder(tick, (struct holder){.inode = 7, .process = process}), 0);
    *snapshot_add_event(tick) = (struct event){.time_ns = tick->boot_ns,
                                               .has = EVENT_HAS_PROCESS | EVENT_HAS_BYTES,
                                               .pid = 100,
                                               .comm = comm,
                                               .kind = EVENT_CLOSED,
                                               .proto = PROTO_TCP,
                                               .family = AF_INET};
}

static inline void place_remove_files(const struct place *place)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        char name[112];

        snprintf(name, sizeof(name), "%s%s", place->path, suffixes[i]);
        unlink(name);
    }
}

static inline void tick_write(struct place *place, struct snapshot *snapshot)
{
    assert_int_equal(store_add(place->store, snapshot, NULL), 0);
    snapshot_done(snapshot);
}

/* Answers are kept one after the other. */
struct answers {
    struct store_answer items[64];
    unsigned int count;
};

static inline int keep_answer(struct store_answer *answer, void *context)
{
    struct answers *answers = context;

    assert_true(answers->count < ARRAY_SIZE(answers->items));
    store_answer_take(answer, &answers->items[answers->count++]);
    return 0;
}

static inline void answers_done(struct answers *answers)
{
    for (unsigned int i = 0; i < answers->count; i++)
        store_answer_done(&answers->items[i]);
    answers->count = 0;
}

#define CLEANUP_ANSWERS CLEANUP(answers_done)

/* A file that was set aside would stand beside it. */
static inline void check_nothing_is_set_aside(const struct place *place)
{
    DIR *dir = opendir(place->directory);
    const struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        assert_null(strstr(entry->d_name, "broken"));
    closedir(dir);
}

static inline void place_ask(struct place *place, struct store_question question,
                             struct answers *answers)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *reader = NULL;

    assert_int_equal(store_open_to_read(place->path, &reader, &problem), 0);
    assert_int_equal(store_read(reader, &question, keep_answer, answers), 0);
    store_close(reader);
}

static inline struct traffic sum_of(const struct snapshot *snapshot)
{
    struct traffic sum = {0};

    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        traffic_add(&sum, snapshot->flows[i].total);
    return sum;
}
