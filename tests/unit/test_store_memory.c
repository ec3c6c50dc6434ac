/* SPDX-License-Identifier: MIT */
/* Tests of a store for which there is no more memory: it says so, loses at most its tick, and never
 * takes a good file for a damaged one. */
#include "failing_memory.h"

#include "store_disk.h"

#define STEP 23 /* SQLite asks for memory hundreds of times; NWHO_FULL=1: each */

static const struct store_limits with_ring = {.ring_s = 60};

/* --- SQLite --- */

/* Where it has all the memory that it wants, each allocation of nwho itself can be tried. */
static bool sqlite_is_spared;
static sqlite3_mem_methods sqlite_usual;

static void *sqlite_malloc(int size)
{
    long left = memory.left;
    void *found;

    if (!sqlite_is_spared)
        return sqlite_usual.xMalloc(size);
    memory.left = -1;
    found = sqlite_usual.xMalloc(size);
    memory.left = left;
    return found;
}

static void *sqlite_realloc(void *old, int size)
{
    long left = memory.left;
    void *found;

    if (!sqlite_is_spared)
        return sqlite_usual.xRealloc(old, size);
    memory.left = -1;
    found = sqlite_usual.xRealloc(old, size);
    memory.left = left;
    return found;
}

/* Before SQLite does anything. Of the disk only the way is wanted in which it need not sync. */
static int prepare(void **state)
{
    static sqlite3_mem_methods methods;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_usual) != SQLITE_OK)
        return -1;
    methods = sqlite_usual;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK ? disk_register(state) : -1;
}

static int spare_sqlite(void **state)
{
    sqlite_is_spared = true;
    memory.step = 1;
    return place_make(state);
}

static int spare_nobody(void **state)
{
    sqlite_is_spared = false;
    memory.step = getenv("NWHO_FULL") ? 1 : STEP;
    return place_make(state);
}

/* --- ticks --- */

static void make_seconds(struct seconds *seconds, uint64_t number)
{
    for (unsigned int i = 1; i < 10; i++) {
        uint64_t length_ns = (number - 1) * TICK_NS + i * SECOND_NS;

        assert_int_equal(seconds_add_flow(seconds, 1 + i % 3, (struct traffic){i % 2, 0}), 0);
        assert_int_equal(seconds_end_flows(seconds, BEGIN_NS + length_ns + MILLISECOND_NS,
                                           1000 * SECOND_NS + length_ns),
                         0);
    }
}

/* What is told is there, whatever memory there is to write it. */
static int add(struct store *store, uint64_t number)
{
    struct seconds seconds = {0};
    struct snapshot tick;
    long left = memory.left;
    int r;

    memory.left = -1;
    tick_everything(&tick, number);
    make_seconds(&seconds, number);
    memory.left = left;
    r = store_add(store, &tick, &seconds);
    memory.left = -1;
    snapshot_done(&tick);
    seconds_done(&seconds);
    return r;
}

static int open_again(struct place *place, const struct store_limits *limits)
{
    struct buf problem = BUF_INIT;
    int pid, r = store_open(place->path, limits, &place->store, &pid, &problem);

    buf_done(&problem);
    return r;
}

static void opening(void **state)
{
    struct place *place = *state;
    int r = 0;

    FOR_EACH_FAILURE(r == -ENOMEM || r == 0)
    {
        place_close(place);
        r = open_again(place, NULL);
    }
    assert_int_equal(r, 0);
    check_nothing_is_set_aside(place);
}

/* What the file has, asked while there is memory. */
static uint64_t bytes_in_file(struct place *place, enum store_tier tier)
{
    CLEANUP_ANSWERS struct answers answers = {0};

    place_ask(place,
              (struct store_question){.since_ns = BEGIN_NS,
                                      .until_ns = BEGIN_NS + 3600 * SECOND_NS,
                                      .tier = tier,
                                      .parts = STORE_PROCESSES},
              &answers);
    return sum_of(&answers.items[0].snapshot).rx_bytes;
}

static void adding(void **state)
{
    struct place *place = *state;
    uint64_t number = 1, added = 0;
    int r = 0;

    place_open(place, NULL);
    FOR_EACH_FAILURE(r == -ENOMEM || r == 0)
    {
        r = add(place->store, number++);
        added += r == 0;
    }
    assert_int_equal(r, 0);
    assert_true(added > 0 && added < number);
    check_nothing_is_set_aside(place);
    assert_true(bytes_in_file(place, STORE_FINE) > 0);
}

/* Nothing is known in memory yet when a tick comes for which there is too little of it: it is lost,
 * and only it. In another round a tick is there already, and a mark for which seconds are written.
 */
static void a_tick_without_memory_is_lost_alone(void **state)
{
    struct place *place = *state;

    for (uint64_t before = 0; before < 2; before++) {
        unsigned int lost = 0;
        int r = 0;

        FOR_EACH_FAILURE(r == -ENOMEM)
        {
            long left = memory.left;
            uint64_t number = 1;

            memory.left = -1;
            place_open(place, &with_ring);
            if (before) {
                assert_int_equal(add(place->store, number), 0);
                assert_int_equal(
                    store_note(place->store, BEGIN_NS + ++number * TICK_NS, STORE_MARK, "deployed"),
                    0);
            }
            memory.left = left;
            r = add(place->store, number);
            assert_int_equal(add(place->store, number + 1), 0);
            lost += r < 0;
            assert_int_equal(bytes_in_file(place, STORE_FINE),
                             (before + (r == 0) + 1) * EVERYTHING_FLOWS);
            assert_int_equal(
                place_number(place, "SELECT count(*) FROM note WHERE text LIKE '%not written%'"),
                r < 0);
            place_close(place);
            place_remove_files(place);
        }
        assert_int_equal(r, 0);
#ifndef IS_SANITIZED
        assert_true(lost > 10);
#else
        (void)lost;
#endif
    }
    check_nothing_is_set_aside(place);
}

/* --- merging --- */

#define MERGED 59 /* ticks: the next one begins another ten minutes */

static void copy_image(const struct image *image, const char *path)
{
    CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, image->bytes, image->length), image->length);
}

static void what_could_not_be_merged_is_merged_later(void **state)
{
    struct place *place = *state;
    struct image image = {0};
    int r = 0;

    place_open(place, NULL);
    for (uint64_t number = 1; number <= MERGED; number++)
        assert_int_equal(add(place->store, number), 0);
    place_close(place);
    image_load(place->path, &image);
    memory.step = getenv("NWHO_FULL") ? 1 : 4;
    FOR_EACH_FAILURE(r == -ENOMEM)
    {
        long left = memory.left;

        memory.left = -1;
        place_remove_files(place);
        copy_image(&image, place->path);
        place_open(place, NULL);
        memory.left = left;
        r = add(place->store, MERGED + 1);
        assert_int_equal(add(place->store, MERGED + 2), 0);
        assert_int_equal(place_number(place, "SELECT count(*) FROM chunk WHERE merged = 1"
                                             " AND kind = 0"),
                         1);
        assert_int_equal(bytes_in_file(place, STORE_MINUTE),
                         (MERGED + 1 + (r == 0)) * EVERYTHING_FLOWS);
        place_close(place);
    }
    assert_int_equal(r, 0);
    image_done(&image);
    check_nothing_is_set_aside(place);
}

/* --- reading --- */

static int count_answer(struct store_answer *answer, void *context)
{
    unsigned int *count = context;

    (void)answer;
    ++*count;
    return 0;
}

static int read_all(const struct place *place, const struct store_question *question,
                    unsigned int *ret_count)
{
    struct buf problem = BUF_INIT;
    struct store *store = NULL;
    int r = store_open_to_read(place->path, &store, &problem);

    if (r == 0)
        r = store_read(store, question, count_answer, ret_count);
    store_close(store);
    buf_done(&problem);
    return r;
}

static void try_reading(const struct place *place, const struct store_question *question,
                        unsigned int answers)
{
    unsigned int count = 0;
    int r = 0;

    FOR_EACH_FAILURE(r == -ENOMEM || r == 0)
    {
        count = 0;
        r = read_all(place, question, &count);
    }
    assert_int_equal(r, 0);
    assert_int_equal(count, answers);
}

static void reading(void **state)
{
    struct place *place = *state;

    place_open(place, &with_ring);
    for (uint64_t number = 1; number < 70; number++) {
        if (number == 65)
            assert_int_equal(
                store_note(place->store, BEGIN_NS + 64 * TICK_NS, STORE_MARK, "deployed"), 0);
        assert_int_equal(add(place->store, number), 0);
    }
    place_close(place);
    for (enum store_tier tier = STORE_FINE; tier < STORE_TIER_MAX; tier++)
        try_reading(place,
                    &(struct store_question){.since_ns = BEGIN_NS,
                                             .until_ns = BEGIN_NS + 2 * 3600 * SECOND_NS,
                                             .every_ns = 3600 * SECOND_NS,
                                             .tier = tier,
                                             .parts = ~0u},
                    2);
    try_reading(place,
                &(struct store_question){.since_ns = BEGIN_NS + 65 * TICK_NS,
                                         .until_ns = BEGIN_NS + 67 * TICK_NS,
                                         .every_ns = SECOND_NS,
                                         .parts = ~0u},
                20);
    check_nothing_is_set_aside(place);
}

#define EACH(function) cmocka_unit_test_setup_teardown(function, spare_sqlite, place_remove)
#define SOME(function) cmocka_unit_test_setup_teardown(function, spare_nobody, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOME(opening),
        SOME(adding),
        SOME(reading),
        EACH(opening),
        EACH(reading),
        EACH(a_tick_without_memory_is_lost_alone),
        EACH(what_could_not_be_merged_is_merged_later),
    };

    return cmocka_run_group_tests(tests, prepare, NULL);
}
