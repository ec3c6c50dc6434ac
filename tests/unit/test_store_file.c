/* SPDX-License-Identifier: MIT */
/* Tests of files that are damaged, foreign, newer, or in use. */
#include "store_fixture.h"

#include "store/sql.h"

#define TICKS 130

static void write_ticks(struct place *place, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct snapshot tick;
        uint32_t process;

        tick_begin(&tick, i + 1);
        process = tick_process(&tick, 100, "nginx");
        for (uint32_t j = 0; j < 9; j++)
            tick_flow(&tick, process, (uint32_t)(i * 7 + j * 31), i * 7919 + j, 1);
        tick_write(place, &tick);
    }
}

static void make_file(struct place *place)
{
    place_open(place, NULL);
    write_ticks(place, 0, TICKS);
    place_close(place);
}

/* What opening says: of a reader, then of a writer. */
static void check_refused(struct place *place, int error, const char *words)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    int pid;

    assert_int_equal(store_open_to_read(place->path, &store, &problem), error);
    assert_non_null(strstr(buf_string(&problem), words));
    assert_non_null(strstr(buf_string(&problem), place->path));
    buf_reset(&problem);
    assert_int_equal(store_open(place->path, NULL, &store, &pid, &problem), error);
    assert_non_null(strstr(buf_string(&problem), words));
    assert_null(store);
}

static void a_newer_schema_is_refused(void **state)
{
    make_file(*state);
    place_sql(*state, "PRAGMA user_version = 99");
    check_refused(*state, -EPROTONOSUPPORT, "newer nwho");
}

static uint64_t sum_of_hours(struct place *place, enum store_tier tier)
{
    CLEANUP(answers_done) struct answers answers = {0};
    struct store_question question = {.since_ns = BEGIN_NS,
                                      .until_ns = BEGIN_NS + 2 * 3600 * SECOND_NS,
                                      .tier = tier,
                                      .parts = STORE_PROCESSES};

    place_ask(place, question, &answers);
    return sum_of(&answers.items[0].snapshot).rx_bytes;
}

/* A file without hours of processes is read as it is; a writer makes them of what there is. */
static void an_older_schema_is_brought_up(void **state)
{
    struct place *place = *state;
    uint64_t sum;

    place_open(place, NULL);
    write_ticks(place, 0, 1000);
    sum = sum_of_hours(place, STORE_FINE);
    place_close(place);
    place_sql(place, "CREATE TABLE kept AS SELECT * FROM flow_process_hour;"
                     "CREATE TABLE kept_span AS SELECT * FROM span WHERE coarse = 2;"
                     "DROP TABLE host; DROP TABLE second; DROP TABLE ring; DROP TABLE "
                     "flow_process_hour; DELETE FROM span WHERE coarse = 2;"
                     "DELETE FROM flow_minute WHERE time < 1764547200 + 1000;"
                     "PRAGMA user_version = 1");
    assert_int_equal(sum_of_hours(place, STORE_HOUR), sum);
    place_open(place, NULL);
    place_close(place);
    place_sql(place, "CREATE TABLE t(same CHECK (same));"
                     "INSERT INTO t SELECT count(*) = 3 FROM flow_process_hour;"
                     "INSERT INTO t SELECT h.rx_bytes = k.rx_bytes AND h.tx_bytes = k.tx_bytes"
                     " FROM flow_process_hour h JOIN kept k USING(time, process);"
                     "INSERT INTO t SELECT count(*) = 0 FROM (SELECT * FROM flow_process_hour"
                     " WHERE time > 1764547200 EXCEPT SELECT * FROM kept);"
                     "INSERT INTO t SELECT count(*) = 3 FROM span JOIN kept_span"
                     " USING(coarse, kind, time, measured_ns, ticks, accounting)");
    assert_int_equal(sum_of_hours(place, STORE_HOUR), sum);
    assert_int_equal(sum_of_hours(place, STORE_MINUTE), sum);
}

static void a_foreign_database_is_refused(void **state)
{
    place_sql(*state, "CREATE TABLE t(a)");
    check_refused(*state, -EBADMSG, "no history of nwho");
}

static void a_foreign_file_is_refused_and_stays(void **state)
{
    struct place *place = *state;
    static const char text[] = "Dear diary, this is no database but a text of some length. It goes "
                               "on for more than a hundred bytes, and nobody may move it.";
    CLEANUP_CLOSE int fd = open(place->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char again[sizeof(text)];

    assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
    check_refused(place, -EBADMSG, "no history of nwho");
    assert_int_equal(pread(fd, again, sizeof(again), 0), sizeof(again));
    assert_memory_equal(text, again, sizeof(text));
}

static void a_missing_directory_is_said(void **state)
{
    struct place *place = *state;

    snprintf(place->path, sizeof(place->path), "%s/none/history.db", place->directory);
    check_refused(place, -ENOENT, "no such file or directory");
}

static void the_second_writer_is_refused(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *second = NULL;
    int pid = 0;

    place_open(place, NULL);
    assert_int_equal(store_open(place->path, NULL, &second, &pid, &problem), -EBUSY);
    assert_int_equal(pid, getpid());
    assert_non_null(strstr(buf_string(&problem), "another process"));
    place_close(place);
    place_open(place, NULL);
}

static void others_may_not_read_it(void **state)
{
    struct place *place = *state;
    struct stat status;

    place_open(place, NULL);
    write_ticks(place, 0, 1);
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0137, 0);
}

/* Sums as they are read from a file, and what is said of them. */
static uint64_t read_sum(struct place *place, enum store_tier tier, uint32_t *ret_notes)
{
    CLEANUP(answers_done) struct answers answers = {0};
    uint64_t sum;

    place_ask(place,
              (struct store_question){.since_ns = BEGIN_NS,
                                      .until_ns = BEGIN_NS + (TICKS + 1) * TICK_NS,
                                      .tier = tier,
                                      .parts = STORE_PROCESSES},
              &answers);
    sum = sum_of(&answers.items[0].snapshot).rx_bytes;
    *ret_notes = 0;
    for (uint32_t i = 0; i < answers.items[0].snapshot.notes_count; i++)
        *ret_notes += answers.items[0].snapshot.notes[i].effect == NOTE_INCOMPLETE;
    return sum;
}

static void a_broken_chunk_is_skipped_and_said(void **state)
{
    struct place *place = *state;
    uint64_t whole, rest;
    uint32_t notes;

    make_file(place);
    whole = read_sum(place, STORE_FINE, &notes);
    assert_int_equal(notes, 0);
    place_sql(place, "UPDATE chunk SET data = zeroblob(length(data)) WHERE id ="
                     " (SELECT min(id) FROM chunk WHERE kind = 0 AND merged = 1)");
    rest = read_sum(place, STORE_FINE, &notes);
    assert_in_range(rest, 1, whole - 1);
    assert_int_equal(notes, 1);
    assert_int_equal(read_sum(place, STORE_MINUTE, &notes), whole);
    assert_int_equal(notes, 0);
}

static void write_connections(struct place *place, uint64_t number, uint32_t count)
{
    struct snapshot tick;

    tick_begin(&tick, number);
    for (uint32_t i = 0; i < count; i++)
        *snapshot_add_event(&tick) = (struct event){.time_ns = tick.boot_ns - SECOND_NS,
                                                    .has = EVENT_HAS_BYTES,
                                                    .rx_bytes = number * 100000 + i,
                                                    .kind = EVENT_CLOSED,
                                                    .proto = PROTO_TCP,
                                                    .family = AF_INET};
    tick_write(place, &tick);
}

static void check_connections(struct place *place, uint32_t count, uint64_t bytes)
{
    CLEANUP(answers_done) struct answers answers = {0};
    const struct snapshot *past;

    place_ask(
        place,
        (struct store_question){.since_ns = 1, .until_ns = INT64_MAX, .parts = STORE_CONNECTIONS},
        &answers);
    past = &answers.items[0].snapshot;
    assert_int_equal(past->events_count, count);
    for (uint32_t i = 0; i < past->events_count; i++)
        bytes -= past->events[i].rx_bytes;
    assert_int_equal(bytes, 0);
}

/* A chunk of all that came in ten minutes would take a hundred megabytes to make: a tick that is
 * large stays what it is, and small ones become few. */
static void many_connections_are_merged_in_parts(void **state)
{
    static const uint32_t counts[] = {5, 9000, 7, 6000, 6000, 8, 20000, 1};
    struct place *place = *state;
    uint32_t count = 0;
    uint64_t bytes = 0;

    place_open(place, NULL);
    for (uint32_t i = 0; i < ARRAY_SIZE(counts); i++) {
        write_connections(place, i, counts[i]);
        count += counts[i];
        bytes += (uint64_t)counts[i] * (counts[i] - 1) / 2 + (uint64_t)counts[i] * i * 100000;
    }
    check_connections(place, count, bytes);
    assert_int_equal(place_number(place, "SELECT count(*) FROM chunk WHERE merged"), 0);
    write_connections(place, 60, 0); /* the next ten minutes begin */
    check_connections(place, count, bytes);
    assert_int_equal(
        place_number(place, "SELECT count(*) FROM chunk WHERE kind = 5 AND NOT merged"), 0);
    /* 20000 as they were; 5 + 9000 + 7 + 6000; 6000 + 8 + 1 */
    assert_int_equal(place_number(place, "SELECT count(*) FROM chunk WHERE kind = 5"), 3);
    assert_int_equal(
        place_number(place, "SELECT max(rows) FROM chunk WHERE kind = 5 AND ticks > 1"), 15012);
    assert_int_equal(place_number(place, "SELECT sum(ticks) FROM chunk WHERE kind = 5"),
                     ARRAY_SIZE(counts));
}

/* A tick that cannot be read is not merged; the others are, and the loss is noted. */
static void a_broken_tick_is_noted(void **state)
{
    struct place *place = *state;
    CLEANUP(answers_done) struct answers answers = {0};

    place_open(place, NULL);
    write_ticks(place, 0, 30);
    place_sql(place, "UPDATE chunk SET data = x'00' WHERE id = 3");
    write_ticks(place, 30, 60);
    place_ask(place,
              (struct store_question){
                  .since_ns = 1, .until_ns = INT64_MAX, .parts = STORE_PROCESSES | STORE_NOTES},
              &answers);
    assert_int_equal(answers.items[0].measured_ns, 89 * TICK_NS);
    for (uint32_t i = 0; i < answers.items[0].note_count; i++)
        if (answers.items[0].notes[i].kind == STORE_LOST)
            return;
    fail();
}

static off_t length_of(const struct place *place)
{
    struct stat status;

    assert_int_equal(stat(place->path, &status), 0);
    return status.st_size;
}

/* A writer sets it aside and goes on; the old one is still there. */
static void check_begun_anew(struct place *place)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    CLEANUP(buf_done) struct buf aside = BUF_INIT;
    const char *at;
    int pid;

    assert_int_equal(store_open(place->path, NULL, &place->store, &pid, &problem), 0);
    at = strstr(buf_string(&problem), ": it is now ");
    assert_non_null(at);
    at += strlen(": it is now ");
    buf_put(&aside, at, strcspn(at, ","));
    assert_int_equal(access(buf_string(&aside), F_OK), 0);
    write_ticks(place, 0, 3);
    place_close(place);
}

static void a_truncated_file_is_set_aside(void **state)
{
    struct place *place = *state;

    make_file(place);
    assert_int_equal(truncate(place->path, length_of(place) / 2 / 4096 * 4096), 0);
    check_begun_anew(place);
}

static void zero_pages(const struct place *place, off_t first, off_t step)
{
    static const char zeros[4096];
    CLEANUP_CLOSE int fd = open(place->path, O_RDWR | O_CLOEXEC);

    for (off_t at = first * 4096; at < length_of(place); at += step * 4096)
        assert_int_equal(pwrite(fd, zeros, sizeof(zeros), at), sizeof(zeros));
}

/* Whatever page is gone: a reader gets an answer or an error, a writer goes on. */
static void zeroed_pages_end_nobody(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    off_t pages;

    make_file(place);
    pages = length_of(place) / 4096;
    for (off_t page = 1; page < pages; page += 3) {
        CLEANUP(answers_done) struct answers answers = {0};
        struct store_question question = {
            .since_ns = 1, .until_ns = INT64_MAX, .parts = STORE_PEERS | STORE_NOTES};
        struct store *store = NULL;
        int r;

        unlink(place->path);
        make_file(place);
        zero_pages(place, page, pages);
        buf_reset(&problem);
        r = store_open_to_read(place->path, &store, &problem);
        if (r == 0)
            r = store_read(store, &question, keep_answer, &answers);
        assert_true(r == 0 || r == -EBADMSG);
        store_close(store);
    }
    zero_pages(place, 1, 2);
    check_begun_anew(place);
}

static void a_torn_page_is_found(void **state)
{
    struct place *place = *state;
    static const char zeros[2048];
    uint32_t notes;
    uint64_t whole;

    make_file(place);
    whole = read_sum(place, STORE_FINE, &notes);
    /* Behind the pages that tables begin with. */
    for (off_t at = 4096 * 37 + 2048; at < length_of(place); at += 4096 * 3) {
        CLEANUP_CLOSE int fd = open(place->path, O_RDWR | O_CLOEXEC);

        assert_int_equal(pwrite(fd, zeros, sizeof(zeros), at), sizeof(zeros));
    }
    assert_true(read_sum(place, STORE_FINE, &notes) < whole);
    assert_int_equal(notes, 1);
}

static void one_without_host_is_read_too(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *reader = NULL;
    struct store_host host;
    uint64_t whole;
    uint32_t notes;

    make_file(place);
    whole = read_sum(place, STORE_FINE, &notes);
    place_sql(place, "DROP TABLE host; DROP TABLE second; DROP TABLE ring;"
                     "PRAGMA user_version = 2");
    assert_int_equal(read_sum(place, STORE_FINE, &notes), whole);
    assert_int_equal(store_open_to_read(place->path, &reader, &problem), 0);
    assert_int_equal(store_host(reader, BEGIN_NS, &host), 0);
    assert_int_equal(host.netns, 0);
    store_close(reader);
    place_open(place, NULL);
    place_close(place);
    place_sql(place, "SELECT name FROM host");
    assert_int_equal(read_sum(place, STORE_FINE, &notes), whole);
}

/* Whoever changed them: a page's checksum says nothing of it. */
static void ends_that_mean_nothing_are_unknown(void **state)
{
    static const struct {
        const char *change;
        uint32_t notes;
    } cases[] = {
        {"UPDATE endpoint SET address = 'home' || id", 1},
        {"UPDATE endpoint SET address = 'fe80::home' || id", 1},
        {"UPDATE endpoint SET address = '', port = id", 0},
        {"UPDATE endpoint SET direction = 'sideways'", 0},
        {"UPDATE endpoint SET proto = 'pigeon'", 0},
        {"DELETE FROM endpoint", 0},
        {"DELETE FROM process", 0},
        {"DELETE FROM netns", 0},
    };
    struct place *place = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_ANSWERS struct answers answers = {0};
        const struct store_question question = {.since_ns = BEGIN_NS,
                                                .until_ns = BEGIN_NS + 3600 * SECOND_NS,
                                                .tier = STORE_FINE,
                                                .parts = ~0u};
        const struct snapshot *past;
        uint32_t notes = 0;

        place_open(place, NULL);
        for (uint64_t number = 1; number < 4; number++) {
            struct snapshot tick;

            tick_everything(&tick, number);
            tick_write(place, &tick);
        }
        place_close(place);
        place_sql(place, cases[i].change);
        place_ask(place, question, &answers);
        past = &answers.items[0].snapshot;
        for (uint32_t j = 0; j < past->notes_count; j++)
            notes += past->notes[j].effect == NOTE_INCOMPLETE;
        assert_int_equal(sum_of(past).rx_bytes, 3 * EVERYTHING_FLOWS);
        assert_int_equal(notes, cases[i].notes);
        place_remove_files(place);
    }
}

static void a_time_that_ends_before_it_begins_is_refused(void **state)
{
    const struct store_question question = {
        .since_ns = BEGIN_NS, .until_ns = BEGIN_NS, .parts = STORE_PROCESSES};
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct answers answers = {0};
    struct store *reader = NULL;

    make_file(place);
    assert_int_equal(store_open_to_read(place->path, &reader, &problem), 0);
    assert_int_equal(store_read(reader, &question, keep_answer, &answers), -EINVAL);
    assert_int_equal(answers.count, 0);
    store_close(reader);
}

static void what_sqlite_says_is_an_error_of_the_system(void **state)
{
    static const struct {
        int result, error;
    } cases[] = {
        {SQLITE_OK, 0},
        {SQLITE_ROW, 0},
        {SQLITE_DONE, 0},
        {SQLITE_NOMEM, -ENOMEM},
        {SQLITE_FULL, -ENOSPC},
        {SQLITE_BUSY_SNAPSHOT, -EBUSY},
        {SQLITE_LOCKED, -EBUSY},
        {SQLITE_READONLY_DIRECTORY, -EROFS},
        {SQLITE_PERM, -EACCES},
        {SQLITE_AUTH, -EACCES},
        {SQLITE_CORRUPT, -EBADMSG},
        {SQLITE_NOTADB, -EBADMSG},
        {SQLITE_SCHEMA, -EBADMSG},
        {SQLITE_TOOBIG, -EFBIG},
        {SQLITE_IOERR_READ, -EIO},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(sql_error(NULL, cases[i].result), cases[i].error);
    assert_string_equal(store_failure(-EBADMSG), "the file of the history is damaged");
    assert_string_equal(store_failure(-ENOSPC), strerror(ENOSPC));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_sqlite_says_is_an_error_of_the_system),
        TEST(ends_that_mean_nothing_are_unknown),
        TEST(a_time_that_ends_before_it_begins_is_refused),
        TEST(a_newer_schema_is_refused),
        TEST(an_older_schema_is_brought_up),
        TEST(one_without_host_is_read_too),
        TEST(a_foreign_database_is_refused),
        TEST(a_foreign_file_is_refused_and_stays),
        TEST(a_missing_directory_is_said),
        TEST(the_second_writer_is_refused),
        TEST(others_may_not_read_it),
        TEST(a_broken_chunk_is_skipped_and_said),
        TEST(many_connections_are_merged_in_parts),
        TEST(a_broken_tick_is_noted),
        TEST(a_truncated_file_is_set_aside),
        TEST(zeroed_pages_end_nobody),
        TEST(a_torn_page_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
