/* SPDX-License-Identifier: MIT */
/* Tests of a disk one of whose calls fails: what was written is there, what is read is right or
 * said to be incomplete, and no good file is taken for a damaged one. */
#include "store_disk.h"

#define TICKS 70 /* more than are merged at once */

static int add(struct store *store, uint64_t number)
{
    struct snapshot tick;
    int r;

    tick_everything(&tick, number);
    r = store_add(store, &tick, NULL);
    snapshot_done(&tick);
    return r;
}

static void make_history(struct place *place)
{
    place_open(place, NULL);
    for (uint64_t number = 1; number <= TICKS; number++)
        assert_int_equal(add(place->store, number), 0);
    place_close(place);
}

/* Fails the next call, the one after it, ... until one is beyond the last; NWHO_FULL=1: each. */
#define FOR_EACH_CALL(call, step)                                                                  \
    for (uint32_t call = 1, missed = 0; !missed; missed = disk.until_failure,                      \
                  disk.until_failure = 0, call += getenv("NWHO_FULL") ? 1 : (step))

struct heard {
    int error;
    uint64_t rx_bytes, interface_bytes, measured_ns;
    uint32_t answers;
    bool told;
};

static int hear(struct store_answer *answer, void *context)
{
    struct heard *heard = context;

    heard->answers++;
    heard->rx_bytes += sum_of(&answer->snapshot).rx_bytes;
    heard->measured_ns += answer->measured_ns;
    for (uint32_t i = 0; i < answer->snapshot.interfaces_count; i++)
        heard->interface_bytes += answer->snapshot.interfaces[i].stats.rx_bytes;
    for (uint32_t i = 0; i < answer->snapshot.notes_count; i++)
        heard->told |= answer->snapshot.notes[i].effect == NOTE_INCOMPLETE;
    return 0;
}

static struct heard listen_to(const struct place *place, enum store_tier tier)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    const struct store_question question = {.since_ns = BEGIN_NS,
                                            .until_ns = BEGIN_NS + 2 * 3600 * SECOND_NS,
                                            .every_ns = 3600 * SECOND_NS,
                                            .tier = tier,
                                            .parts = ~0u};
    struct store *store = NULL;
    struct heard heard = {.error = store_open_to_read(place->path, &store, &problem)};

    if (heard.error == 0)
        heard.error = store_read(store, &question, hear, &heard);
    else
        assert_true(problem.length > 0);
    store_close(store);
    return heard;
}

static bool is_right(const struct heard *heard, const struct heard *truth)
{
    return heard->rx_bytes == truth->rx_bytes && heard->interface_bytes == truth->interface_bytes &&
           heard->measured_ns == truth->measured_ns && heard->answers == truth->answers;
}

static void what_cannot_be_read_is_said(void **state)
{
    struct place *place = *state;
    unsigned int failed = 0;

    make_history(place);
    disk.forgets = true;
    disk_begin(place->path);
    for (enum store_tier tier = STORE_ANY; tier < STORE_TIER_MAX; tier++) {
        struct heard truth = listen_to(place, tier);

        assert_true(truth.error == 0 && !truth.told && truth.rx_bytes > 0 && truth.answers > 0);
        FOR_EACH_CALL(call, 2)
        {
            struct heard heard;

            disk.until_failure = call;
            heard = listen_to(place, tier);
            if (!heard.error && !heard.told && !is_right(&heard, &truth))
                fail_msg("tier %d, call %u: another answer, and nothing said", (int)tier, call);
            failed += heard.error || heard.told;
        }
    }
    disk_stop();
    disk_forget();
    assert_true(failed > 10);
}

static void who_cannot_begin_says_so(void **state)
{
    struct place *place = *state;
    struct heard truth;
    unsigned int failed = 0;

    make_history(place);
    truth = listen_to(place, STORE_FINE);
    disk.forgets = true;
    disk_begin(place->path);
    FOR_EACH_CALL(call, 2)
    {
        CLEANUP(buf_done) struct buf problem = BUF_INIT;
        struct store *store = NULL;
        int pid, r;

        disk.until_failure = call;
        r = store_open(place->path, NULL, &store, &pid, &problem);
        assert_true(r == 0 || problem.length > 0);
        failed += r != 0;
        store_close(store);
    }
    disk_stop();
    disk_forget();
    assert_true(failed > 10);
    check_nothing_is_set_aside(place);
    {
        struct heard heard = listen_to(place, STORE_FINE);

        assert_true(heard.error == 0 && !heard.told && is_right(&heard, &truth));
    }
}

static void a_new_file_is_begun_later(void **state)
{
    struct place *place = *state;
    unsigned int failed = 0;

    disk.forgets = true;
    disk_begin(place->path);
    FOR_EACH_CALL(call, 2)
    {
        CLEANUP(buf_done) struct buf problem = BUF_INIT;
        struct store *store = NULL;
        int pid;

        disk.until_failure = call;
        if (store_open(place->path, NULL, &store, &pid, &problem) < 0) {
            failed++;
            disk.until_failure = 0;
            assert_int_equal(store_open(place->path, NULL, &store, &pid, &problem), 0);
        }
        if (add(store, 1) < 0) {
            failed++;
            assert_int_equal(add(store, 2), 0);
        }
        store_close(store);
        place_remove_files(place);
    }
    disk_stop();
    disk_forget();
    assert_true(failed > 10);
    check_nothing_is_set_aside(place);
}

/* What is said to be written is there, and nothing else. */
static void ticks_are_written_or_lost(void **state)
{
    struct place *place = *state;
    uint64_t number = 0, written = 0;
    struct heard heard;

    disk.forgets = true;
    disk_begin(place->path);
    place_open(place, NULL);
    FOR_EACH_CALL(call, 3)
    {
        disk.until_failure = call;
        for (uint32_t i = 0; i < 8; i++)
            written += add(place->store, ++number) == 0;
    }
    place_close(place);
    disk_stop();
    disk_forget();
    assert_true(written < number && written > number / 2);
    check_nothing_is_set_aside(place);
    heard = listen_to(place, STORE_FINE);
    assert_true(heard.error == 0 && !heard.told);
    assert_int_equal(heard.rx_bytes, written * EVERYTHING_FLOWS);
    assert_int_equal(heard.measured_ns, written * TICK_NS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_read_is_said),
        TEST(who_cannot_begin_says_so),
        TEST(a_new_file_is_begun_later),
        TEST(ticks_are_written_or_lost),
    };

    return cmocka_run_group_tests(tests, disk_register, NULL);
}
