/* SPDX-License-Identifier: MIT */
/* Tests of the checksums of pages: each bit of the file is looked after, and the rest is read. */
#include "store/schema.h"
#include "store_damage.h"

#define TICKS 130
#define PAGE_BYTES 4096

static void make_file(struct place *place)
{
    place_open(place, NULL);
    for (uint64_t i = 0; i < TICKS; i++) {
        struct snapshot tick;

        tick_begin(&tick, i + 1);
        for (uint32_t j = 0; j < 40; j++) {
            char name[64];

            snprintf(name, sizeof(name), "program-with-a-name-of-some-length-%u", j);
            tick_flow(&tick, tick_process(&tick, 100 + j, name), (uint32_t)(i * 7 + j),
                      (i * 7919 + j * 104729) % 100003, 1);
        }
        tick_write(place, &tick);
    }
    place_close(place);
}

/* Also of pages that no question reads, and of what SQLite never looks at. */
static void a_flipped_bit_changes_nothing_unsaid(void **state)
{
    struct place *place = *state;
    static const enum store_tier tiers[] = {STORE_FINE, STORE_MINUTE, STORE_HOUR};
    struct said whole[ARRAY_SIZE(tiers)];
    unsigned int told = 0, read = 0, asked = 0;

    make_file(place);
    for (size_t i = 0; i < ARRAY_SIZE(tiers); i++) {
        whole[i] = ask(place->path, tiers[i]);
        assert_int_equal(whole[i].error, 0);
        assert_false(whole[i].incomplete);
    }
    /* A prime distance, so that all places of a page come. NWHO_FULL=1: more than 10,000 bits. */
    for (off_t byte = 0; byte < length_of(place->path); byte += getenv("NWHO_FULL") ? 61 : 2039) {
        unsigned int bit = (unsigned int)byte % 8;

        flip(place->path, byte, bit);
        for (size_t i = 0; i < ARRAY_SIZE(tiers); i++) {
            struct said said = ask(place->path, tiers[i]);

            assert_true(said.error == 0 || said.error == -EBADMSG);
            assert_true(is_same(&said, &whole[i]) || said.error || said.incomplete);
            asked++;
            told += said.error || said.incomplete;
            read += said.error == 0 && said.incomplete && said.rx_bytes > 0;
        }
        flip(place->path, byte, bit);
    }
    print_message("%u of %u answers after a flipped bit were not the same, and said so\n", told,
                  asked);
    assert_true(told > 50 && read > 20);
}

static void each_byte_of_the_head_is_looked_after(void **state)
{
    struct place *place = *state;

    make_file(place);
    for (off_t byte = 0; byte < 100; byte++)
        for (unsigned int bit = 0; bit < 8; bit += 3) {
            struct said said;

            flip(place->path, byte, bit);
            said = ask(place->path, STORE_FINE);
            assert_true(said.error == -EBADMSG || said.error == -EPROTONOSUPPORT);
            flip(place->path, byte, bit);
        }
    assert_int_equal(ask(place->path, STORE_FINE).error, 0);
}

/* The number of the first page of a table or an index. */
static int64_t root_of(const struct place *place, const char *name)
{
    char query[128];

    snprintf(query, sizeof(query), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", name);
    return place_number(place, query);
}

static void damage_page(const struct place *place, int64_t number)
{
    flip(place->path, (number - 1) * PAGE_BYTES + PAGE_BYTES / 2, 3);
}

static void names_that_are_damaged_are_none(void **state)
{
    struct place *place = *state;
    struct said whole, said;

    make_file(place);
    whole = ask(place->path, STORE_MINUTE);
    damage_page(place, root_of(place, "process"));
    said = ask(place->path, STORE_MINUTE);
    assert_int_equal(said.error, 0);
    assert_true(said.incomplete);
    assert_int_equal(said.rx_bytes, whole.rx_bytes);
    assert_int_equal(whole.unnamed, 0);
    assert_true(said.unnamed > 0);
}

static void a_damaged_index_costs_nothing(void **state)
{
    struct place *place = *state;
    struct said whole, said;

    make_file(place);
    whole = ask(place->path, STORE_FINE);
    damage_page(place, root_of(place, "chunk_time"));
    said = ask(place->path, STORE_FINE);
    assert_true(is_same(&said, &whole));
    assert_true(said.doubted && !said.incomplete);
}

/* A leaf of the table in the middle of the hour; what comes after it is there. */
static void minutes_behind_a_damaged_page_are_read(void **state)
{
    struct place *place = *state;
    struct said whole = {0}, said;
    uint64_t most = 0;

    make_file(place);
    whole = ask(place->path, STORE_MINUTE);
    for (off_t page = 2; page <= length_of(place->path) / PAGE_BYTES; page++) {
        damage_page(place, page);
        said = ask(place->path, STORE_MINUTE);
        if (said.error == 0 && said.incomplete && said.rx_bytes < whole.rx_bytes &&
            said.rx_bytes > most)
            most = said.rx_bytes;
        damage_page(place, page);
    }
    assert_true(most > whole.rx_bytes / 2);
}

static void a_page_in_the_place_of_another_is_found(void **state)
{
    struct place *place = *state;
    CLEANUP_CLOSE int fd = -1;
    uint8_t page[PAGE_BYTES];
    int64_t from, to;

    make_file(place);
    from = root_of(place, "flow_hour");
    to = root_of(place, "flow_minute");
    fd = open(place->path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, page, PAGE_BYTES, (from - 1) * PAGE_BYTES), PAGE_BYTES);
    assert_int_equal(pwrite(fd, page, PAGE_BYTES, (to - 1) * PAGE_BYTES), PAGE_BYTES);
    assert_true(ask(place->path, STORE_MINUTE).incomplete);
}

/* Of another program: there is no telling whether they are whole. */
static void pages_without_a_checksum_are_read_and_said(void **state)
{
    static const uint8_t none[8];
    struct place *place = *state;
    CLEANUP_CLOSE int fd = -1;
    struct said whole, said;

    make_file(place);
    whole = ask(place->path, STORE_FINE);
    fd = open(place->path, O_RDWR | O_CLOEXEC);
    for (off_t end = PAGE_BYTES; end <= length_of(place->path); end += PAGE_BYTES)
        assert_int_equal(pwrite(fd, none, sizeof(none), end - 8), sizeof(none));
    said = ask(place->path, STORE_FINE);
    assert_true(is_same(&said, &whole));
    assert_true(said.doubted && !said.incomplete);
}

/* Notes of what the writer says of its file. */
static bool is_noted(const struct place *place, const char *words)
{
    char query[128];

    snprintf(query, sizeof(query), "SELECT count(*) FROM note WHERE text LIKE '%%%s%%'", words);
    return place_number(place, query) == 1;
}

static void add_tick_of(struct place *place, uint64_t number, const char *name)
{
    struct snapshot tick;

    tick_begin(&tick, number);
    tick_flow(&tick, tick_process(&tick, 7, name), 1, 4711, 1);
    tick_write(place, &tick);
}

/* Another one writes a note: what the writer has in memory of the file counts no more. */
static void make_it_read_again(const struct place *place)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *other = NULL;

    assert_int_equal(store_open_to_note(place->path, &other, &problem), 0);
    assert_int_equal(store_note(other, BEGIN_NS, STORE_MARK, "a mark"), 0);
    store_close(other);
}

static void a_writer_that_meets_damage_begins_anew_and_loses_no_tick(void **state)
{
    struct place *place = *state;
    int64_t page;

    make_file(place);
    page = root_of(place, "sqlite_autoindex_process_1");
    place_open(place, NULL);
    damage_page(place, page);
    make_it_read_again(place);
    add_tick_of(place, TICKS + 1, "new");
    assert_true(is_noted(place, "broken-"));
    assert_int_equal(place_number(place, "SELECT count(*) FROM chunk"), 1);
    add_tick_of(place, TICKS + 2, "newer");
    place_close(place);
    assert_int_equal(ask(place->path, STORE_FINE).error, 0);
}

/* It has a checksum of its own. */
static void a_damaged_chunk_is_no_reason_to_begin_anew(void **state)
{
    struct place *place = *state;
    struct said whole, said;
    off_t page = 2, pages;

    make_file(place);
    pages = length_of(place->path) / PAGE_BYTES;
    whole = ask(place->path, STORE_FINE);
    for (; page <= pages; page++) {
        CLEANUP_CLOSE int fd = open(place->path, O_RDONLY | O_CLOEXEC);
        uint8_t first;

        assert_int_equal(pread(fd, &first, 1, (page - 1) * PAGE_BYTES), 1);
        damage_page(place, page);
        said = ask(place->path, STORE_FINE);
        if (first == 0 && said.incomplete && said.rx_bytes < whole.rx_bytes)
            break;
        damage_page(place, page);
    }
    assert_true(page <= pages);
    place_open(place, NULL);
    add_tick_of(place, TICKS + 1, "new");
    place_close(place);
    said = ask(place->path, STORE_FINE);
    assert_true(said.error == 0 && said.incomplete);
    assert_int_equal(said.measured_ns % TICK_NS, 0);
    assert_true(said.rx_bytes > 4711 && said.rx_bytes < whole.rx_bytes);
}

/* One without room for checksums, as older releases made it. */
static void an_older_file_goes_on_without(void **state)
{
    struct place *place = *state;
    struct said whole, said;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    make_file(place);
    whole = ask(place->path, STORE_FINE);
    assert_int_equal(whole.error, 0);
    assert_false(whole.incomplete);
    assert_int_equal(place_number(place, "PRAGMA user_version"), SCHEMA_WITH_SUMS - 1);
    place_open(place, NULL);
    place_close(place);
    assert_int_equal(place_number(place, "PRAGMA user_version"), SCHEMA_WITH_SUMS - 1);
    said = ask(place->path, STORE_FINE);
    assert_true(is_same(&said, &whole));
}

static int read_bytes(sqlite3 *db, int64_t page, int first, int count, uint8_t *to)
{
    sqlite3_file *file = NULL;

    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file), SQLITE_OK);
    return file->pMethods->xRead(file, to, count, (page - 1) * PAGE_BYTES + first);
}

/* SQLite may be built so that it reads what is long without its own memory of pages. */
static void a_part_of_a_page_is_looked_at_as_a_whole(void **state)
{
    struct place *place = *state;
    uint8_t page[PAGE_BYTES], part[PAGE_BYTES];
    sqlite3 *db;

    make_file(place);
    db = place_database(place);
    assert_int_equal(sqlite3_exec(db, "SELECT count(*) FROM chunk", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(read_bytes(db, 3, 0, PAGE_BYTES, page), SQLITE_OK);
    assert_int_equal(read_bytes(db, 3, 4, 1000, part), SQLITE_OK);
    assert_memory_equal(part, page + 4, 1000);
    assert_int_equal(read_bytes(db, 3, PAGE_BYTES - 10, 20, part), SQLITE_CORRUPT);
    assert_int_equal(read_bytes(db, 100000, 4, 1000, part), SQLITE_IOERR_SHORT_READ);
    flip(place->path, 2 * PAGE_BYTES + 3000, 4);
    assert_int_equal(read_bytes(db, 3, 4, 1000, part), SQLITE_CORRUPT);
    sqlite3_close(db);
}

/* What SQLite asks of the system besides files is what it would have without the layer. */
static void the_layer_passes_on_what_is_no_file(void **state)
{
    const struct place *place = *state;
    sqlite3_vfs *layer, *usual = sqlite3_vfs_find(NULL);
    double days = 0, days_before = 0;
    sqlite3_int64 now = 0, before = 0;
    char bytes[2][16] = {0};
    uint64_t begin_ns;
    int found = -1;

    assert_int_equal(page_sums_register(), 0);
    layer = sqlite3_vfs_find(PAGE_SUMS_LAYER);
    assert_int_equal(usual->xCurrentTimeInt64(usual, &before), SQLITE_OK);
    assert_int_equal(usual->xCurrentTime(usual, &days_before), SQLITE_OK);
    assert_int_equal(layer->xCurrentTimeInt64(layer, &now), SQLITE_OK);
    assert_int_equal(layer->xCurrentTime(layer, &days), SQLITE_OK);
    assert_true(now >= before && now - before < 3600 * 1000);
    assert_true(days >= days_before && days - days_before < 1.0 / 24);
    layer->xRandomness(layer, sizeof(bytes[0]), bytes[0]);
    layer->xRandomness(layer, sizeof(bytes[1]), bytes[1]);
    assert_memory_not_equal(bytes[0], bytes[1], sizeof(bytes[0]));
    begin_ns = clock_ns(CLOCK_MONOTONIC);
    assert_true(layer->xSleep(layer, 2000) >= 2000);
    assert_true(clock_ns(CLOCK_MONOTONIC) - begin_ns >= 2 * MILLISECOND_NS);
    assert_int_equal(layer->xAccess(layer, place->directory, SQLITE_ACCESS_EXISTS, &found),
                     SQLITE_OK);
    assert_int_equal(found, 1);
    assert_int_equal(layer->xDelete(layer, place->path, 0), SQLITE_IOERR_DELETE_NOENT);
    assert_int_equal(layer->xGetLastError(layer, 0, NULL), ENOENT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flipped_bit_changes_nothing_unsaid),
        TEST(each_byte_of_the_head_is_looked_after),
        TEST(names_that_are_damaged_are_none),
        TEST(a_damaged_index_costs_nothing),
        TEST(minutes_behind_a_damaged_page_are_read),
        TEST(a_page_in_the_place_of_another_is_found),
        TEST(pages_without_a_checksum_are_read_and_said),
        TEST(a_writer_that_meets_damage_begins_anew_and_loses_no_tick),
        TEST(a_damaged_chunk_is_no_reason_to_begin_anew),
        TEST(an_older_file_goes_on_without),
        TEST(a_part_of_a_page_is_looked_at_as_a_whole),
        TEST(the_layer_passes_on_what_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
