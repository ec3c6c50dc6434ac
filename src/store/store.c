/* SPDX-License-Identifier: MIT */
/* Store: opening and closing. One process writes, others read or leave notes beside it. */
#include "store/store.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/vec.h"
#include "store/loss.h"
#include "store/page_sums.h"
#include "store/schema.h"
#include "store/write.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define FILE_MODE 0640
#define BUSY_MS 5000

static const struct store_limits defaults = {
    .bytes = STORE_DEFAULT_BYTES,
    .fine_s = 2 * 86400,
    .minute_s = 14 * 86400,
    .hour_s = 400 * 86400,
    .peers = STORE_DEFAULT_PEERS,
};

static struct store_limits limits_of(const struct store_limits *wanted)
{
    struct store_limits limits = wanted ? *wanted : defaults;

    limits.bytes = limits.bytes ? limits.bytes : defaults.bytes;
    limits.fine_s = limits.fine_s ? limits.fine_s : defaults.fine_s;
    limits.minute_s = limits.minute_s ? limits.minute_s : defaults.minute_s;
    limits.hour_s = limits.hour_s ? limits.hour_s : defaults.hour_s;
    limits.peers = limits.peers ? limits.peers : defaults.peers;
    return limits;
}

static void close_file(struct store *store)
{
    for (unsigned int i = 0; i < STATEMENT_MAX; i++)
        sql_finalize(&store->statements[i]);
    memset(store->statements, 0, sizeof(store->statements));
    sqlite3_close(store->db);
    store->db = NULL;
}

static void free_store(struct store *store)
{
    close_file(store);
    codec_done(&store->codec);
    dictionaries_done(&store->names);
    baselines_done(store);
    ring_done(&store->ring);
    buf_done(&store->bytes);
    free(store->path);
    cleanup_close(&store->lock_fd);
    free(store);
}

static void cleanup_store(struct store **store)
{
    if (*store)
        free_store(*store);
}

static struct store *take_store(struct store **store)
{
    struct store *taken = *store;

    *store = NULL;
    return taken;
}

static int make_store(struct store **ret_store)
{
    struct store *store = calloc(1, sizeof(*store));
    int r;

    if (!store)
        return -ENOMEM;
    store->lock_fd = -1;
    store->bytes = BUF_INIT;
    store->names.key = BUF_INIT;
    r = codec_init(&store->codec);
    if (r < 0)
        free_store(store);
    else
        *ret_store = store;
    return r;
}

static int say(struct buf *problem, const char *path, int error)
{
    const char *reason = error == -EBADMSG           ? "no history of nwho, or damaged"
                         : error == -EPROTONOSUPPORT ? "made by a newer nwho"
                         : error == -ENOENT          ? "there is no such file or directory"
                                                     : strerror(-error);

    buf_printf(problem, "history %s: %s", path, reason);
    return error;
}

static int open_file(struct store *store, const char *path, int flags)
{
    int result, r = page_sums_register();

    if (r < 0)
        return r;
    result = sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, PAGE_SUMS_LAYER);
    if (result != SQLITE_OK)
        return sql_error(store->db, result);
    sqlite3_extended_result_codes(store->db, 1);
    return sql_error(store->db, sqlite3_busy_timeout(store->db, BUSY_MS));
}

/* --- the writer --- */

/* The lock is on a file of its own: POSIX locks of SQLite's are lost by opening it again. */
static int open_lock(const char *path, int flags)
{
    CLEANUP(buf_done) struct buf name = BUF_INIT;
    int fd;

    buf_printf(&name, "%s.lock", path);
    buf_string(&name);
    if (name.error)
        return name.error;
    fd = open(name.data, flags | O_CLOEXEC, FILE_MODE);
    return fd < 0 ? -errno : fd;
}

static int pid_of_lock(int fd)
{
    char text[16] = "";

    return pread(fd, text, sizeof(text) - 1, 0) < 0 ? 0 : (int)strtol(text, NULL, 10);
}

static int lock(struct store *store, const char *path, int *ret_pid)
{
    char text[16];

    store->lock_fd = open_lock(path, O_RDWR | O_CREAT);
    if (store->lock_fd < 0)
        return store->lock_fd;
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        int error = errno == EWOULDBLOCK ? -EBUSY : -errno;

        *ret_pid = pid_of_lock(store->lock_fd);
        return error;
    }
    snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(store->lock_fd, 0) < 0 ||
        pwrite(store->lock_fd, text, strlen(text), 0) != (ssize_t)strlen(text))
        return errno ? -errno : -EIO;
    return 0;
}

int store_writer(const char *path, int *ret_pid, uint64_t *ret_since_ns)
{
    CLEANUP_CLOSE int fd = open_lock(path, O_RDONLY);
    struct stat status;

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK || fstat(fd, &status) < 0)
        return -errno;
    *ret_pid = pid_of_lock(fd);
    *ret_since_ns = (uint64_t)status.st_mtim.tv_sec * SECOND_NS + (uint64_t)status.st_mtim.tv_nsec;
    return 1;
}

/* SQLite would create it with a mode that lets everybody read. Its other files get the same. */
static int create(const char *path)
{
    CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

    return fd < 0 ? -errno : 0;
}

static int check_whole(struct store *store)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int r = sql_prepare_once(store, "PRAGMA quick_check(1)", &statement);

    if (r == 0)
        r = sql_step(statement);
    if (r < 0)
        return r;
    return r > 0 && strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0 ? 0
                                                                                       : -EBADMSG;
}

static int begin_file(struct store *store)
{
    int r = page_sums_begin(store->db);

    return r < 0 ? r : sql_run_text(store, "PRAGMA auto_vacuum = INCREMENTAL");
}

/* synchronous=NORMAL: a tick does not wait for the disk; store_add() says which ones do. */
static int open_to_write(struct store *store, const char *path)
{
    int keep = 1;
    int r = create(path);

    if (r == 0)
        r = open_file(store, path, SQLITE_OPEN_READWRITE);
    if (r == 0)
        r = schema_check(store);
    if (r == 0)
        r = store->version ? loss_check(store) : begin_file(store);
    if (r == 0)
        r = sql_run_text(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                "PRAGMA journal_size_limit = 4194304");
    if (r == 0)
        page_sums_forgive(store->db);
    if (r == 0 && store->version)
        r = check_whole(store);
    if (r == 0 && store->version < schema_newest(store))
        r = schema_make(store);
    if (r == 0) /* who may only read can do so also when nobody writes */
        sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    return r;
}

static int set_aside(const char *path, struct buf *problem)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    CLEANUP(buf_done) struct buf from = BUF_INIT, to = BUF_INIT;
    uint64_t now = clock_ns(CLOCK_REALTIME) / SECOND_NS;

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        buf_reset(&from);
        buf_reset(&to);
        buf_printf(&from, "%s%s", path, suffixes[i]);
        buf_printf(&to, "%s.broken-%" PRIu64 "%s", path, now, suffixes[i]);
        buf_string(&from);
        buf_string(&to);
        if (from.error || to.error)
            return -ENOMEM;
        if (rename(from.data, to.data) < 0 && (i == 0 || errno != ENOENT))
            return -errno;
    }
    buf_printf(problem,
               "history %s was damaged: it is now %s.broken-%" PRIu64 ", and a new one was begun",
               path, path, now);
    return 0;
}

/* A file that SQLite takes for one of another program is not ours to move. 1, 0 or -errno. */
static int is_ours(const char *path)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t head[72] = {0};
    ssize_t length = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);

    if (length < 0)
        return -errno;
    return length == (ssize_t)sizeof(head) && memcmp(head, "SQLite format 3", 16) == 0 &&
           ((uint32_t)head[68] << 24 | (uint32_t)head[69] << 16 | (uint32_t)head[70] << 8 |
            head[71]) == SCHEMA_APPLICATION;
}

/* 0 or what the disk answers: SQLite's check calls a page damaged that could not be read. */
static int read_through(const char *path)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    char bytes[16384];
    ssize_t length;

    if (fd < 0)
        return -errno;
    do
        length = read(fd, bytes, sizeof(bytes));
    while (length > 0 || (length < 0 && errno == EINTR));
    return length < 0 ? -errno : 0;
}

/* What is damaged is so twice, and can be read: a disk that fails for a while damages nothing. */
static int open_or_begin_anew(struct store *store, const char *path, struct buf *problem)
{
    int r = open_to_write(store, path), ours;

    if (r != -EBADMSG)
        return r;
    ours = read_through(path);
    if (ours == 0)
        ours = is_ours(path);
    if (ours <= 0)
        return ours < 0 ? ours : r;
    close_file(store);
    r = open_to_write(store, path);
    if (r != -EBADMSG)
        return r;
    close_file(store);
    r = set_aside(path, problem);
    return r < 0 ? r : open_to_write(store, path);
}

/* What the journal has comes on top: 4 MiB, more only while a reader keeps it from being emptied.
 */
static int limit_size(struct store *store)
{
    char text[64];
    int64_t page_bytes;
    int r = sql_number(store, "PRAGMA page_size", &page_bytes);

    if (r < 0)
        return r;
    snprintf(text, sizeof(text), "PRAGMA max_page_count = %" PRIu64,
             store->limits.bytes / (uint64_t)page_bytes);
    return sql_run_text(store, text);
}

/* Until now nobody has recorded. */
static int note_pause(struct store *store, uint64_t last_ns, uint64_t now_ns)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;

    if (!last_ns || now_ns < last_ns + SECOND_NS)
        return 0;
    buf_puts(&text, "nothing was recorded since ");
    buf_utc(&text, last_ns, 0);
    return store_note(store, now_ns, STORE_GAP, buf_string(&text));
}

/* Where the last recorder ended. Clocks of another boot say nothing, so there is no boot_ns. */
static int find_last(struct store *store)
{
    uint64_t now_ns = clock_ns(CLOCK_REALTIME);
    int64_t since = 0, last = 0;
    int r = sql_number(store, "SELECT max(until_ns) FROM chunk WHERE merged = 0", &since);

    if (r == 0)
        r = sql_number(store, "SELECT max(until_ns) FROM chunk", &last);
    if (r < 0)
        return r;
    store->slot = (uint64_t)since / SLOT_NS;
    r = note_pause(store, (uint64_t)last, now_ns);
    return r < 0 ? r : store_note(store, now_ns, STORE_STARTED, "");
}

int store_open(const char *path, const struct store_limits *limits, struct store **ret_store,
               int *ret_pid, struct buf *problem)
{
    CLEANUP(cleanup_store) struct store *store = NULL;
    int pid = 0, r = make_store(&store);

    if (r == 0) {
        store->limits = limits_of(limits);
        r = lock(store, path, &pid);
    }
    if (r == -EBUSY) {
        *ret_pid = pid;
        buf_printf(problem, "history %s is written by another process already (pid %d)", path, pid);
        return r;
    }
    if (r == 0)
        r = open_or_begin_anew(store, path, problem);
    if (r == 0)
        r = limit_size(store);
    if (r == 0)
        r = find_last(store);
    if (r == 0)
        r = loss_note(store, path, problem);
    if (r == 0)
        r = ring_begin(store);
    if (r == 0 && !(store->path = strdup(sqlite3_db_filename(store->db, "main"))))
        r = -ENOMEM;
    if (r < 0)
        return say(problem, path, r);
    *ret_store = take_store(&store);
    return 0;
}

/* What was known of the file may not be true of the new one. */
int store_mend(struct store *store)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    int r;

    close_file(store);
    dictionaries_done(&store->names);
    baselines_done(store);
    ring_empty(&store->ring);
    store->waits = store->has_host = store->has_fresh = false;
    r = open_or_begin_anew(store, store->path, &problem);
    if (r == 0)
        r = limit_size(store);
    if (r == 0)
        r = problem.length
                ? store_note(store, clock_ns(CLOCK_REALTIME), STORE_LOST, buf_string(&problem))
                : loss_note(store, store->path, &problem);
    if (r == 0)
        r = ring_begin(store);
    if (r < 0)
        close_file(store);
    return r;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->lock_fd >= 0) {
        int r = store_note(store, clock_ns(CLOCK_REALTIME), STORE_STOPPED, "");

        (void)r; /* the next one that starts says so, too */
    }
    free_store(store);
}

/* --- those beside it --- */

/* What the writer has not put into the file itself. */
static bool has_wal(const char *path)
{
    CLEANUP(buf_done) struct buf name = BUF_INIT;
    struct stat found;

    buf_printf(&name, "%s-wal", path);
    return stat(buf_string(&name), &found) == 0 && found.st_size > 0;
}

/* Without the files that SQLite keeps beside it, for those who may only read: nobody writes. */
static int open_unchanging(struct store *store, const char *path)
{
    CLEANUP(buf_done) struct buf uri = BUF_INIT;
    int result;

    sqlite3_close(store->db);
    store->db = NULL;
    buf_puts(&uri, "file:");
    for (const char *at = path; *at; at++)
        buf_printf(&uri, strchr("%?#", *at) ? "%%%02x" : "%c", (unsigned char)*at);
    buf_puts(&uri, "?immutable=1");
    result = sqlite3_open_v2(buf_string(&uri), &store->db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                             PAGE_SUMS_LAYER);
    return result == SQLITE_OK ? 0 : sql_error(store->db, result);
}

static int open_beside(const char *path, int flags, struct store **ret_store, struct buf *problem)
{
    CLEANUP(cleanup_store) struct store *store = NULL;
    int r = access(path, flags == SQLITE_OPEN_READONLY ? R_OK : R_OK | W_OK) < 0 ? -errno : 0;

    if (r == 0)
        r = make_store(&store);
    if (r == 0)
        r = open_file(store, path, flags);
    if (r == 0)
        r = schema_check(store);
    if (store && (r == -EROFS || r == -EACCES) && flags == SQLITE_OPEN_READONLY && !has_wal(path)) {
        r = open_unchanging(store, path);
        if (r == 0)
            r = schema_check(store);
    }
    if (r == 0)
        r = store->version ? loss_find(store, path, flags, problem) : -EBADMSG;
    if (r != 0)
        return say(problem, path, r);
    *ret_store = take_store(&store);
    return 0;
}

int store_open_to_read(const char *path, struct store **ret_store, struct buf *problem)
{
    return open_beside(path, SQLITE_OPEN_READONLY, ret_store, problem);
}

int store_open_to_note(const char *path, struct store **ret_store, struct buf *problem)
{
    return open_beside(path, SQLITE_OPEN_READWRITE, ret_store, problem);
}

int store_note(struct store *store, uint64_t time_ns, enum store_note_kind kind, const char *text)
{
    const char *name = store_note_kind_name(kind);
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_ADD_NOTE,
                        "INSERT INTO note(time_ns, kind, text) VALUES(?, ?, ?)", &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, time_ns);
    sql_bind_text(statement, 2, name, strlen(name));
    sql_bind_text(statement, 3, text, strlen(text));
    return sql_run(statement);
}
