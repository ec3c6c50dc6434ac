/* SPDX-License-Identifier: MIT */
/* Tests of a store for which there is no more memory: it says so, loses at most its tick, and never
 * takes a good file for a damaged one. */
#include "failing_memory.h"

#include "store_fixture.h"

#define STEP 5 /* SQLite asks for memory hundreds of times */

static void make_tick(struct snapshot *tick, uint64_t number)
{
    uint32_t process;

    tick_begin(tick, number);
    process = tick_process(tick, 100, "nginx");
    for (uint32_t i = 0; i < 4; i++)
        tick_flow(tick, process, i, number * 1000 + i, i);
    assert_int_equal(snapshot_add_interface(tick, 0, 1, "lo"), 0);
    assert_non_null(snapshot_add_counter(tick));
    *snapshot_add_socket(tick) =
        (struct socket){.proto = PROTO_TCP, .family = AF_INET, .state = STATE_LISTENING};
}

static int open_again(struct place *place)
{
    struct buf problem = BUF_INIT;
    int pid, r = store_open(place->path, NULL, &place->store, &pid, &problem);

    buf_done(&problem);
    return r;
}

static void opening(void **state)
{
    struct place *place = *state;
    int r = 0;

    memory.step = STEP;
    FOR_EACH_FAILURE(r == -ENOMEM || r == 0)
    {
        place_close(place);
        r = open_again(place);
    }
    assert_int_equal(r, 0);
    check_nothing_is_set_aside(place);
}

static void adding(void **state)
{
    struct place *place = *state;
    struct answers answers = {0};
    uint64_t number = 1, added = 0;
    int r = 0;

    place_open(place, NULL);
    memory.step = STEP;
    FOR_EACH_FAILURE(r == -ENOMEM || r == 0)
    {
        struct snapshot tick;
        long left = memory.left;

        memory.left = -1; /* what is told is there */
        make_tick(&tick, number++);
        memory.left = left;
        r = store_add(place->store, &tick, NULL);
        memory.left = -1;
        added += r == 0;
        snapshot_done(&tick);
    }
    assert_int_equal(r, 0);
    assert_true(added > 0 && added < number);
    check_nothing_is_set_aside(place);
    place_ask(place,
              (struct store_question){.since_ns = BEGIN_NS,
                                      .until_ns = BEGIN_NS + number * TICK_NS,
                                      .tier = STORE_FINE,
                                      .parts = STORE_PROCESSES},
              &answers);
    assert_true(sum_of(&answers.items[0].snapshot).rx_bytes > 0);
    answers_done(&answers);
}

static int count_answer(struct store_answer *answer, void *context)
{
    unsigned int *count = context;

    (void)answer;
    ++*count;
    return 0;
}

static int read_all(const struct place *place, enum store_tier tier, unsigned int *ret_count)
{
    const struct store_question question = {.since_ns = BEGIN_NS,
                                            .until_ns = BEGIN_NS + 2 * 3600 * SECOND_NS,
                                            .every_ns = 3600 * SECOND_NS,
                                            .tier = tier,
                                            .parts = ~0u};
    struct buf problem = BUF_INIT;
    struct store *store = NULL;
    int r = store_open_to_read(place->path, &store, &problem);

    if (r == 0)
        r = store_read(store, &question, count_answer, ret_count);
    store_close(store);
    buf_done(&problem);
    return r;
}

static void reading(void **state)
{
    struct place *place = *state;
    int r = 0;

    place_open(place, NULL);
    for (uint64_t number = 1; number < 70; number++) {
        struct snapshot tick;

        make_tick(&tick, number);
        tick_write(place, &tick);
    }
    place_close(place);
    memory.step = STEP;
    for (enum store_tier tier = STORE_FINE; tier < STORE_TIER_MAX; tier++) {
        unsigned int count = 0;

        FOR_EACH_FAILURE(r == -ENOMEM || r == 0)
        {
            count = 0;
            r = read_all(place, tier, &count);
        }
        assert_int_equal(r, 0);
        assert_int_equal(count, 2);
    }
    check_nothing_is_set_aside(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opening, place_make, place_remove),
        cmocka_unit_test_setup_teardown(adding, place_make, place_remove),
        cmocka_unit_test_setup_teardown(reading, place_make, place_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
