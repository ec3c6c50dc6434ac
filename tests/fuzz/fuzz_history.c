/* SPDX-License-Identifier: MIT */
/* Fuzzing of history files: a good one is damaged, or changed by somebody who speaks SQL, and then
 * read, and written on. */
/*
 * An input that begins with '0' is pieces of (place, length, value) that are put into the file, one
 * with '1' is the file, and one with '2' is lines of SQL. Whatever the file is: what opens it says
 * why it cannot, and what is read of it can be shown.
 */
#include "base/clock.h"
#include "fuzz.h"
#include "model/snapshot.h"
#include "store/store.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGIN_NS (UINT64_C(1764547200) * SECOND_NS) /* 2025-12-01T00:00:00Z */
#define TICK_NS (60 * SECOND_NS)
#define TICKS 8
#define FILE_MAX ((size_t)1 << 20)
#define SQL_STEPS_MAX 20000 /* thousands of instructions of SQLite's machine */
#define TEXT_MAX 65536

static char directory[64], path[96];

/* --- a good file --- */

static uint32_t intern(struct snapshot *snapshot, const char *text)
{
    uint32_t string;

    CHECK(snapshot_intern(snapshot, text, strlen(text), &string) == 0);
    return string;
}

static void add_flow(struct snapshot *snapshot, uint32_t process, uint64_t number)
{
    struct flow *flow = snapshot_add_flow(snapshot);

    CHECK(flow);
    *flow = (struct flow){
        .id = snapshot->flows_count,
        .process = process + 1,
        .pid = 100,
        .comm = snapshot->processes[process].comm,
        .window[FLOW_LAST] = {number * 7919, number},
        .sockets = 1,
        .proto = PROTO_TCP,
        .family = AF_INET,
        .peer_port = 443,
        .peer = {{10, 0, 0, (uint8_t)number}},
    };
}

static void add_listener(struct snapshot *snapshot)
{
    struct socket *socket = snapshot_add_socket(snapshot);

    CHECK(socket);
    *socket = (struct socket){.proto = PROTO_TCP,
                              .family = AF_INET,
                              .state = STATE_LISTENING,
                              .local_port = 8080,
                              .inode = 4711};
}

static void make_tick(struct snapshot *snapshot, uint64_t number)
{
    uint32_t process;

    fuzz_snapshot(snapshot);
    snapshot->time_ns = BEGIN_NS + number * TICK_NS;
    snapshot->boot_ns = number * TICK_NS;
    snapshot->clock_ticks = 100;
    snapshot->accounting = ACCOUNTING_BPF;
    snapshot->window_ns[FLOW_LAST] = TICK_NS;
    snapshot->netns[0].flags = NETNS_INIT | NETNS_SELF | NETNS_READ;
    CHECK(snapshot_add_interface(snapshot, 0, 1, "lo") == 0);
    CHECK(snapshot_add_process(snapshot, 100, &process) == 0);
    snapshot->processes[process] = (struct process){
        .pid = 100,
        .has = PROCESS_HAS_UID | PROCESS_HAS_COMM | PROCESS_HAS_EXE | PROCESS_HAS_NETNS,
        .comm = intern(snapshot, "nginx"),
        .exe = intern(snapshot, "/usr/sbin/nginx"),
    };
    for (uint64_t i = 0; i < 3; i++)
        add_flow(snapshot, process, number + i);
    add_listener(snapshot);
}

static void write_ticks(struct store *store, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct snapshot tick = {0};

        make_tick(&tick, i);
        CHECK(store_add(store, &tick, NULL) <= 0);
        snapshot_done(&tick);
    }
}

static struct store *open_file(void)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    int pid, r = store_open(path, NULL, &store, &pid, &problem);

    CHECK((r == 0) == (store != NULL));
    CHECK(r == 0 || problem.length > 0);
    CHECK(text_is_clean(buf_string(&problem), problem.length));
    return store;
}

/* Also what was set aside. */
static void remove_files(void)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;

    CHECK(dir);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            CHECK(unlinkat(dirfd(dir), entry->d_name, 0) == 0);
    closedir(dir);
}

static void remove_directory(void)
{
    remove_files();
    rmdir(directory);
}

/* Pages have no checksums: with them hardly anything that is damaged would be read. */
static void begin_without_sums(void)
{
    sqlite3 *db;

    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL", NULL,
                       NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static size_t make_file(uint8_t *bytes)
{
    CLEANUP_CLOSE int fd = -1;
    struct store *store;
    ssize_t size;

    /* Nothing of it is worth a disk. */
    snprintf(directory, sizeof(directory), "%s/nwho-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(directory));
    CHECK(atexit(remove_directory) == 0);
    snprintf(path, sizeof(path), "%s/history.db", directory);
    begin_without_sums();
    store = open_file();
    CHECK(store);
    write_ticks(store, 1, TICKS);
    CHECK(store_note(store, BEGIN_NS + TICK_NS, STORE_MARK, "a mark") == 0);
    store_close(store);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    size = fd < 0 ? -1 : read(fd, bytes, FILE_MAX);
    CHECK(size > 0 && (size_t)size < FILE_MAX);
    return (size_t)size;
}

static void put_file(const uint8_t *bytes, size_t size)
{
    CLEANUP_CLOSE int fd = -1;

    remove_files();
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
}

/* --- what becomes of it --- */

struct piece {
    uint8_t place[3];
    uint8_t length; /* from 200 on: the file ends there */
    uint8_t value;
};

static size_t damage(uint8_t *bytes, size_t size, const uint8_t *data, size_t data_size)
{
    struct piece piece;

    for (; data_size >= sizeof(piece); data += sizeof(piece), data_size -= sizeof(piece)) {
        size_t place, length;

        memcpy(&piece, data, sizeof(piece));
        place = (piece.place[0] | (size_t)piece.place[1] << 8 | (size_t)piece.place[2] << 16) %
                (size + 1);
        length = piece.length < size - place ? piece.length : size - place;
        if (piece.length >= 200)
            size = place;
        else
            memset(bytes + place, piece.value, length);
    }
    return size;
}

static int stop(void *context)
{
    int *steps = context;

    return --*steps < 0;
}

/* Other files stay as they are. */
static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    static const char *const pragmas[] = {"user_version", "writable_schema", "application_id",
                                          "encoding", "legacy_alter_table"};

    (void)context;
    (void)second;
    (void)database;
    (void)trigger;
    if (action == SQLITE_ATTACH || action == SQLITE_DETACH)
        return SQLITE_DENY;
    if (action != SQLITE_PRAGMA)
        return SQLITE_OK;
    for (size_t i = 0; i < ARRAY_SIZE(pragmas); i++)
        if (strcasecmp(first, pragmas[i]) == 0)
            return SQLITE_OK;
    return SQLITE_DENY;
}

/* What of it is no SQL does nothing. */
static void change(char *text)
{
    sqlite3 *db;
    int steps = SQL_STEPS_MAX;
    const char *line;

    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, TEXT_MAX);
    sqlite3_progress_handler(db, 1000, stop, &steps);
    sqlite3_set_authorizer(db, authorize, NULL);
    while ((line = strsep(&text, "\n")))
        (void)sqlite3_exec(db, line, NULL, NULL, NULL);
    sqlite3_close(db);
}

/* --- reading --- */

static int show(struct store_answer *answer, void *context)
{
    unsigned int *left = context;

    CHECK(answer->since_ns <= answer->until_ns);
    for (uint32_t i = 0; i < answer->note_count; i++)
        CHECK(answer->notes[i].kind <= STORE_NOTE_KIND_MAX);
    fuzz_show(&answer->snapshot);
    return --*left == 0 ? 1 : 0;
}

static void ask(struct store *store, uint64_t every_ns, enum store_tier tier)
{
    const struct store_question question = {.since_ns = BEGIN_NS,
                                            .until_ns = BEGIN_NS + (TICKS + 1) * TICK_NS,
                                            .every_ns = every_ns,
                                            .tier = tier,
                                            .parts = ~0u};
    unsigned int left = 2;

    CHECK(store_read(store, &question, show, &left) <= 1);
}

static void read_file(void)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    struct store_extent extent;
    struct store_host host;
    int r = store_open_to_read(path, &store, &problem);

    CHECK((r == 0) == (store != NULL) && (r == 0 || problem.length > 0));
    CHECK(text_is_clean(buf_string(&problem), problem.length));
    if (r < 0)
        return;
    if (store_extent(store, &extent) == 0)
        (void)store_reaches(&extent, STORE_MINUTE, BEGIN_NS);
    (void)!store_host(store, BEGIN_NS, &host);
    ask(store, 5 * TICK_NS, STORE_FINE);
    ask(store, 0, STORE_MINUTE);
    ask(store, 0, STORE_HOUR);
    store_close(store);
}

static void write_on(void)
{
    struct store *store = open_file();

    if (!store)
        return;
    write_ticks(store, TICKS + 1, 2);
    store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t good[FILE_MAX], bytes[FILE_MAX];
    static size_t good_size;
    CLEANUP_FREE char *text = NULL;
    size_t choice;

    if (!good_size)
        good_size = make_file(good);
    if (size < 1)
        return 0;
    choice = fuzz_choose(&data, &size, 3);
    memcpy(bytes, good, good_size);
    if (choice == 1)
        put_file(data, size);
    else
        put_file(bytes, choice == 0 ? damage(bytes, good_size, data, size) : good_size);
    if (choice == 2) {
        text = fuzz_text(data, size);
        change(text);
    }
    read_file();
    if (size % 4 == 0)
        write_on();
    return 0;
}
