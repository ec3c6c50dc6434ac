/* SPDX-License-Identifier: MIT */
/* Tests of plain files: what was added is in them, and one that was not finished is not there. */
#include "failing_memory.h"

#include "store/plain.h"
#include "store_disk.h"

#define MEMORY_STEP 7 /* SQLite asks often; NWHO_FULL=1: each time */

static const struct plain_column columns[] = {
    {"name", PLAIN_TEXT}, {"bytes", PLAIN_INTEGER}, {"share", PLAIN_REAL}, {"empty", PLAIN_TEXT}};

static void make_row(const char *name, int64_t bytes, struct plain_value row[4])
{
    row[0] = (struct plain_value){.type = PLAIN_TEXT, .text = {name, strlen(name)}};
    row[1] = (struct plain_value){.type = PLAIN_INTEGER, .integer = bytes};
    row[2] = (struct plain_value){.type = PLAIN_REAL, .real = 0.25};
    row[3] = (struct plain_value){.type = PLAIN_NULL};
}

/* Of two tables, one of which is told the second row twice. */
static int fill(struct plain *plain, int64_t ids[3])
{
    struct plain_value rows[2][4];
    uint32_t table, other;
    int r = plain_table(plain, "flows", columns, ARRAY_SIZE(columns), NULL, &other);

    make_row("nginx", 5, rows[0]);
    make_row("sshd", INT64_MAX, rows[1]);
    if (r == 0)
        r = plain_table(plain, "names", columns, ARRAY_SIZE(columns), "name", &table);
    for (unsigned int i = 0; i < 3 && r == 0; i++)
        r = plain_find(plain, table, rows[i != 0], &ids[i]);
    if (r == 0)
        r = plain_add(plain, other, rows[0]);
    return r < 0 ? r : plain_commit(plain);
}

static int make_file(const struct place *place)
{
    struct plain *plain = NULL;
    int64_t ids[3];
    int r = plain_create(place->path, &plain);

    if (r == 0)
        r = fill(plain, ids);
    plain_close(plain);
    return r;
}

static bool is_there(const struct place *place)
{
    return access(place->path, F_OK) == 0;
}

/* Without checksums of pages, as others read it. */
static int64_t number_of(const struct place *place, const char *query)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return database_number(db, query);
}

static void what_was_added_is_there(void **state)
{
    const struct place *place = *state;
    struct plain *plain;
    struct stat status;
    int64_t ids[3];

    assert_int_equal(plain_create(place->path, &plain), 0);
    assert_int_equal(fill(plain, ids), 0);
    plain_close(plain);
    assert_true(ids[0] != ids[1] && ids[1] == ids[2]);
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(number_of(place, "SELECT count(*) FROM names"), 2);
    assert_int_equal(number_of(place, "SELECT count(*) FROM flows"), 1);
    assert_int_equal(number_of(place, "SELECT bytes FROM names WHERE name = 'sshd'"), INT64_MAX);
    assert_int_equal(number_of(place, "SELECT id FROM names WHERE share = 0.25 AND empty IS NULL"
                                      " AND name = 'sshd'"),
                     ids[1]);
    assert_int_equal(number_of(place, "SELECT count(*) FROM sqlite_master WHERE type = 'index'"
                                      " AND name = 'names_name'"),
                     1);
}

static void a_file_that_is_there_stays(void **state)
{
    const struct place *place = *state;
    struct plain *plain;

    assert_int_equal(make_file(place), 0);
    assert_int_equal(plain_create(place->path, &plain), -EEXIST);
    assert_int_equal(number_of(place, "SELECT count(*) FROM names"), 2);
}

static void what_is_not_finished_is_removed(void **state)
{
    const struct place *place = *state;
    struct plain *plain;
    uint32_t table;

    assert_int_equal(plain_create(place->path, &plain), 0);
    assert_int_equal(plain_table(plain, "names", columns, ARRAY_SIZE(columns), NULL, &table), 0);
    assert_true(is_there(place));
    /* Of a table there is one. */
    assert_true(plain_table(plain, "names", columns, ARRAY_SIZE(columns), NULL, &table) < 0);
    plain_close(plain);
    assert_false(is_there(place));
}

static void more_tables_than_there_are_handles_for_are_refused(void **state)
{
    const struct place *place = *state;
    struct plain *plain;
    uint32_t table, count = 0;
    int r;

    assert_int_equal(plain_create(place->path, &plain), 0);
    do {
        char name[16];

        snprintf(name, sizeof(name), "t%u", count);
        r = plain_table(plain, name, columns, ARRAY_SIZE(columns), NULL, &table);
    } while (r == 0 && ++count < 1000);
    assert_int_equal(r, -E2BIG);
    assert_true(count >= 8);
    plain_close(plain);
}

static void without_memory_there_is_no_file(void **state)
{
    const struct place *place = *state;
    int r = 0;

    memory.step = getenv("NWHO_FULL") ? 1 : MEMORY_STEP;
    FOR_EACH_FAILURE((r == -ENOMEM && !is_there(place)) || r == 0)
    {
        unlink(place->path);
        r = make_file(place);
    }
    assert_int_equal(r, 0);
    assert_int_equal(number_of(place, "SELECT count(*) FROM names"), 2);
}

static void when_the_disk_fails_there_is_no_file(void **state)
{
    const struct place *place = *state;
    uint32_t failed = 0;

    disk.forgets = true;
    disk_begin(place->path);
    for (uint32_t call = 1, left = 0; !left; call++) {
        int r;

        disk.until_failure = call;
        r = make_file(place);
        left = disk.until_failure;
        disk.until_failure = 0;
        assert_true(r <= 0);
        assert_int_equal(is_there(place), r == 0);
        unlink(place->path);
        failed += r != 0;
    }
    disk_stop();
    disk_forget();
    assert_true(failed > 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_added_is_there),
        TEST(a_file_that_is_there_stays),
        TEST(what_is_not_finished_is_removed),
        TEST(more_tables_than_there_are_handles_for_are_refused),
        TEST(without_memory_there_is_no_file),
        TEST(when_the_disk_fails_there_is_no_file),
    };

    return cmocka_run_group_tests(tests, disk_register, NULL);
}
