/* SPDX-License-Identifier: MIT */
/* Tests of a history for users who may not do everything: read where nothing may be written, move
 * nothing, and know where theirs is. */
#include "store_fixture.h"

#include <unistd.h>

#define TICKS 9
#define NOBODY 65534

/* Root may do everything; others are nobody already. */
static void become_nobody(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(NOBODY), 0);
}

static void become_oneself(void)
{
    assert_int_equal(seteuid(getuid()), 0);
}

static int let_go(void **state)
{
    const struct place *place = *state;

    become_oneself();
    chmod(place->directory, 0700);
    return place_remove(state);
}

static void name_of(const struct place *place, const char *suffix, char name[112])
{
    snprintf(name, 112, "%s%s", place->path, suffix);
}

/* Nobody records, and the journal is gone or as it was. */
static void make_file(struct place *place, bool with_journal, mode_t mode)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};

    place_open(place, NULL);
    for (uint64_t number = 1; number <= TICKS; number++) {
        struct snapshot tick;

        tick_everything(&tick, number);
        tick_write(place, &tick);
    }
    place_close(place);
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        char name[112];

        name_of(place, suffixes[i], name);
        if (i && !with_journal)
            unlink(name);
        else
            assert_int_equal(chmod(name, mode), 0);
    }
    assert_int_equal(chmod(place->directory, 0555), 0);
}

static uint64_t bytes_of(struct place *place)
{
    CLEANUP_ANSWERS struct answers answers = {0};

    place_ask(place,
              (struct store_question){.since_ns = BEGIN_NS,
                                      .until_ns = BEGIN_NS + 3600 * SECOND_NS,
                                      .parts = STORE_PROCESSES},
              &answers);
    return sum_of(&answers.items[0].snapshot).rx_bytes;
}

/* A name means nothing to SQLite, whatever is in it. */
static void who_may_write_nothing_reads(void **state)
{
    static const char *const names[] = {"history.db", "a%20b?mode=rw#c.db"};
    struct place *place = *state;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(chmod(place->directory, 0700), 0);
        snprintf(place->path, sizeof(place->path), "%s/%s", place->directory, names[i]);
        make_file(place, false, 0444);
        become_nobody();
        assert_int_equal(bytes_of(place), TICKS * EVERYTHING_FLOWS);
        become_oneself();
    }
}

/* What is in a journal that may not be opened would be missing. */
static void what_a_journal_has_is_not_left_out(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    char name[112];

    make_file(place, true, 0444);
    name_of(place, "-shm", name);
    assert_int_equal(chmod(place->directory, 0755), 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(chmod(place->directory, 0555), 0);
    become_nobody();
    assert_true(store_open_to_read(place->path, &store, &problem) < 0);
    become_oneself();
    assert_null(store);
    assert_non_null(strstr(buf_string(&problem), place->path));
}

static void who_may_not_read_is_told(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;

    make_file(place, false, 0);
    become_nobody();
    assert_int_equal(store_open_to_read(place->path, &store, &problem), -EACCES);
    assert_int_equal(store_open_to_note(place->path, &store, &problem), -EACCES);
    become_oneself();
    assert_null(store);
    assert_non_null(strstr(buf_string(&problem), strerror(EACCES)));
}

static void who_may_not_write_records_nothing(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    uint64_t since_ns;
    int pid;

    make_file(place, true, 0444);
    become_nobody();
    assert_int_equal(store_open(place->path, NULL, &store, &pid, &problem), -EACCES);
    assert_int_equal(store_writer(place->path, &pid, &since_ns), 0);
    become_oneself();
    assert_null(store);
    assert_non_null(strstr(buf_string(&problem), strerror(EACCES)));
}

/* A damaged file that cannot be set aside stays where it is, whole as it was. */
static void what_cannot_be_set_aside_stays(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    struct stat status, after;
    int pid, r;

    make_file(place, true, 0666);
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(truncate(place->path, status.st_size / 2 / 4096 * 4096), 0);
    assert_int_equal(stat(place->path, &status), 0);
    become_nobody();
    r = store_open(place->path, NULL, &store, &pid, &problem);
    become_oneself();
    assert_int_equal(r, -EACCES);
    assert_null(store);
    assert_non_null(strstr(buf_string(&problem), place->path));
    assert_int_equal(stat(place->path, &after), 0);
    assert_true(after.st_ino == status.st_ino && after.st_size == status.st_size);
    check_nothing_is_set_aside(place);
}

static void each_user_has_a_history(void **state)
{
    char path[128];

    (void)state;
    assert_int_equal(setenv("XDG_STATE_HOME", "/nowhere/state", true), 0);
    if (getuid() == 0) {
        assert_true(store_usual_path(true, path, sizeof(path)));
        assert_string_equal(path, "/var/lib/nwho/history.db");
        assert_false(store_usual_path(true, path, 8));
    }
    become_nobody();
    assert_true(store_usual_path(true, path, sizeof(path)));
    assert_string_equal(path, "/nowhere/state/nwho/history.db");
    if (access("/var/lib/nwho/history.db", R_OK) < 0) {
        assert_true(store_usual_path(false, path, sizeof(path)));
        assert_string_equal(path, "/nowhere/state/nwho/history.db");
    }
    assert_false(store_usual_path(true, path, 8));
    become_oneself();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, let_go)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_may_write_nothing_reads),    TEST(what_a_journal_has_is_not_left_out),
        TEST(who_may_not_read_is_told),       TEST(who_may_not_write_records_nothing),
        TEST(what_cannot_be_set_aside_stays), cmocka_unit_test(each_user_has_a_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
