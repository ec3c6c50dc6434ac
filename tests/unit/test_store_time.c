/* SPDX-License-Identifier: MIT */
/* Tests of the store over hours and months: tiers, series, retention, clocks. */
#include "store_fixture.h"

#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS (3600 * SECOND_NS)
#define DAY_NS (24 * HOUR_NS)

/* Traffic of two processes with three peers, some of it only now and then; and an interface. */
static void write_tick(struct place *place, uint64_t number, uint64_t time_ns)
{
    struct snapshot tick;
    uint32_t nginx, curl;

    tick_begin(&tick, number);
    tick.time_ns = time_ns;
    nginx = tick_process(&tick, 100, "nginx");
    curl = tick_process(&tick, 200, "curl");
    tick_flow(&tick, nginx, 1, 1000 + number, 5);
    tick_flow(&tick, nginx, 2, number % 7 ? 0 : 100, 0);
    tick_flow(&tick, curl, 3, number % 90 ? 0 : 30000, number % 3);
    assert_int_equal(snapshot_add_interface(&tick, 0, 2, "eth0"), 0);
    tick.interfaces[0].has = INTERFACE_HAS_STATS;
    tick.interfaces[0].stats.rx_bytes = number * 2000;
    tick_write(place, &tick);
}

static void write_ticks(struct place *place, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++)
        write_tick(place, i, BEGIN_NS + (i + 1) * TICK_NS);
}

static struct traffic sum_of_tier(struct place *place, enum store_tier tier, unsigned int parts,
                                  uint64_t since_ns, uint64_t until_ns)
{
    CLEANUP(answers_done) struct answers answers = {0};
    struct traffic sum;

    place_ask(place,
              (struct store_question){
                  .since_ns = since_ns, .until_ns = until_ns, .tier = tier, .parts = parts},
              &answers);
    assert_int_equal(answers.count, 1);
    sum = sum_of(&answers.items[0].snapshot);
    return sum;
}

static void tiers_agree(void **state)
{
    struct place *place = *state;
    struct traffic fine, coarse;

    place_open(place, NULL);
    write_ticks(place, 0, 900);
    fine = sum_of_tier(place, STORE_FINE, STORE_PEERS, BEGIN_NS, BEGIN_NS + 3 * HOUR_NS);
    for (unsigned int tier = STORE_ANY; tier < STORE_TIER_MAX; tier++)
        for (unsigned int parts = STORE_PROCESSES; parts <= STORE_PEERS; parts <<= 1) {
            coarse = sum_of_tier(place, tier, parts, BEGIN_NS, BEGIN_NS + 3 * HOUR_NS);
            assert_int_equal(coarse.rx_bytes, fine.rx_bytes);
            assert_int_equal(coarse.tx_bytes, fine.tx_bytes);
        }
    fine = sum_of_tier(place, STORE_FINE, STORE_PEERS, BEGIN_NS + 7 * MINUTE_NS,
                       BEGIN_NS + 81 * MINUTE_NS);
    coarse = sum_of_tier(place, STORE_MINUTE, STORE_PROCESSES, BEGIN_NS + 7 * MINUTE_NS,
                         BEGIN_NS + 81 * MINUTE_NS);
    assert_int_equal(fine.rx_bytes, coarse.rx_bytes);
    fine = sum_of_tier(place, STORE_FINE, STORE_PEERS, BEGIN_NS + HOUR_NS, BEGIN_NS + 2 * HOUR_NS);
    coarse =
        sum_of_tier(place, STORE_HOUR, STORE_PEERS, BEGIN_NS + HOUR_NS, BEGIN_NS + 2 * HOUR_NS);
    assert_int_equal(fine.rx_bytes, coarse.rx_bytes);
}

/* What is known of each process: from minutes, and hours in their place, as from all ticks. */
static void check_same_as_fine(struct place *place, uint64_t since_ns, uint64_t until_ns)
{
    CLEANUP(answers_done) struct answers answers = {0};
    struct store_question question = {.since_ns = since_ns,
                                      .until_ns = until_ns,
                                      .tier = STORE_FINE,
                                      .parts = STORE_PROCESSES | STORE_INTERFACES};
    const struct store_answer *fine = &answers.items[0], *coarse = &answers.items[1];

    place_ask(place, question, &answers);
    question.tier = STORE_MINUTE;
    place_ask(place, question, &answers);
    assert_int_equal(coarse->measured_ns, fine->measured_ns);
    assert_int_equal(coarse->interface_measured_ns, fine->interface_measured_ns);
    assert_int_equal(coarse->snapshot.interfaces[0].stats.rx_bytes,
                     fine->snapshot.interfaces[0].stats.rx_bytes);
    assert_int_equal(fine->snapshot.flows_count, 2);
    assert_int_equal(coarse->snapshot.flows_count, 2);
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t j = 0; j < 2; j++) {
            const struct flow *one = &fine->snapshot.flows[i], *other = &coarse->snapshot.flows[j];

            if (one->pid != other->pid)
                continue;
            assert_int_equal(other->total.rx_bytes, one->total.rx_bytes);
            assert_int_equal(other->total.tx_bytes, one->total.tx_bytes);
            assert_int_equal(other->wire.rx_packets, one->wire.rx_packets);
        }
}

static void hours_stand_for_their_minutes(void **state)
{
    static const uint64_t minutes[][2] = {{0, 240}, {60, 180}, {7, 235}, {61, 119}, {59, 121}};
    /* Sums of hours go before those of minutes. */
    const struct store_limits limits = {.hour_s = 5400, .minute_s = 86400};
    struct place *place = *state;

    place_open(place, &limits);
    write_ticks(place, 0, 4 * 360 + 60);
    for (size_t i = 0; i < ARRAY_SIZE(minutes); i++)
        check_same_as_fine(place, BEGIN_NS + minutes[i][0] * MINUTE_NS,
                           BEGIN_NS + minutes[i][1] * MINUTE_NS);
}

static void check_series(struct place *place, enum store_tier tier, uint64_t every_ns,
                         unsigned int pieces)
{
    CLEANUP(answers_done) struct answers answers = {0};
    struct traffic sum = {0},
                   whole = sum_of_tier(place, tier, STORE_PROCESSES, BEGIN_NS, BEGIN_NS + HOUR_NS);

    place_ask(place,
              (struct store_question){.since_ns = BEGIN_NS,
                                      .until_ns = BEGIN_NS + HOUR_NS,
                                      .every_ns = every_ns,
                                      .tier = tier,
                                      .parts = STORE_PROCESSES | STORE_INTERFACES},
              &answers);
    assert_int_equal(answers.count, pieces);
    for (unsigned int i = 0; i < pieces; i++) {
        const struct store_answer *answer = &answers.items[i];

        assert_int_equal(answer->since_ns, BEGIN_NS + i * every_ns);
        assert_int_equal(answer->measured_ns, answer->until_ns - answer->since_ns);
        traffic_add(&sum, sum_of(&answer->snapshot));
        if (i > 0)
            assert_int_equal(answer->snapshot.interfaces[0].stats.rx_bytes,
                             (answer->until_ns - answer->since_ns) / TICK_NS * 2000);
    }
    assert_int_equal(answers.items[pieces - 1].until_ns, BEGIN_NS + HOUR_NS);
    assert_int_equal(sum.rx_bytes, whole.rx_bytes);
}

static void a_series_is_the_whole(void **state)
{
    struct place *place = *state;

    place_open(place, NULL);
    write_ticks(place, 0, 363);
    check_series(place, STORE_FINE, 5 * MINUTE_NS, 12);
    check_series(place, STORE_FINE, 7 * MINUTE_NS, 9);
    check_series(place, STORE_MINUTE, 5 * MINUTE_NS, 12);
    check_series(place, STORE_ANY, 20 * MINUTE_NS, 3);
    check_series(place, STORE_HOUR, HOUR_NS, 1);
}

/* Nothing, and nothing measured, are not the same. */
static void gaps_are_not_measured(void **state)
{
    struct place *place = *state;
    CLEANUP(answers_done) struct answers answers = {0};

    place_open(place, NULL);
    write_ticks(place, 0, 30);
    place_close(place);
    place_open(place, NULL);
    write_ticks(place, 120, 30);
    place_ask(place,
              (struct store_question){.since_ns = BEGIN_NS,
                                      .until_ns = BEGIN_NS + 25 * MINUTE_NS,
                                      .every_ns = 5 * MINUTE_NS,
                                      .parts = STORE_PROCESSES},
              &answers);
    assert_int_equal(answers.count, 5);
    assert_int_equal(answers.items[0].measured_ns, 5 * MINUTE_NS);
    assert_int_equal(answers.items[1].measured_ns, 0);
    assert_int_equal(answers.items[1].snapshot.window_ns[FLOW_LAST], 0);
    assert_int_equal(answers.items[1].snapshot.notes_count, 1);
    assert_int_equal(answers.items[4].measured_ns, 5 * MINUTE_NS);
}

/* A month, one tick in a quarter of an hour: each tier keeps what it is to keep. */
static void old_things_go(void **state)
{
    const struct store_limits limits = {.fine_s = 86400, .minute_s = 7 * 86400};
    struct place *place = *state;
    struct store_extent extent;
    uint64_t now_ns = BEGIN_NS;

    place_open(place, &limits);
    for (uint64_t i = 0; i < 31 * 96; i++) {
        now_ns = BEGIN_NS + (i + 1) * 15 * MINUTE_NS;
        write_tick(place, i * 90, now_ns);
    }
    assert_int_equal(store_extent(place->store, &extent), 0);
    assert_int_equal(extent.until_ns, now_ns);
    assert_in_range(extent.since_ns[STORE_FINE], now_ns - DAY_NS - 40 * MINUTE_NS,
                    now_ns - DAY_NS + 40 * MINUTE_NS);
    assert_in_range(extent.since_ns[STORE_MINUTE], now_ns - 7 * DAY_NS - 40 * MINUTE_NS,
                    now_ns - 7 * DAY_NS + 40 * MINUTE_NS);
    assert_int_equal(extent.since_ns[STORE_HOUR], BEGIN_NS);
}

/* Each tick has other peers, as a machine on the internet has. */
static void the_size_stays_below_its_limit(void **state)
{
    const struct store_limits limits = {.bytes = 2 << 20};
    struct place *place = *state;
    struct store_extent extent;
    struct stat status;

    place_open(place, &limits);
    for (uint64_t i = 0; i < 2500; i++) {
        struct snapshot tick;
        uint32_t process;

        tick_begin(&tick, i);
        tick.time_ns = BEGIN_NS + (i + 1) * MINUTE_NS;
        tick.boot_ns = (i + 1) * MINUTE_NS;
        process = tick_process(&tick, 100, "nginx");
        for (uint32_t j = 0; j < 12; j++)
            tick_flow(&tick, process, (uint32_t)(i * 12 + j), i * 7919 % 65536, j);
        tick_write(place, &tick);
        assert_int_equal(stat(place->path, &status), 0);
        assert_true(status.st_size <= 2 << 20);
    }
    assert_int_equal(store_extent(place->store, &extent), 0);
    assert_true(extent.since_ns[STORE_HOUR] > BEGIN_NS);
    assert_true(extent.since_ns[STORE_FINE] && extent.since_ns[STORE_MINUTE]);
    assert_in_range(extent.bytes, 1 << 20, 2 << 20);
}

static unsigned int count_notes(struct place *place, uint64_t since_ns, uint64_t until_ns,
                                enum store_note_kind kind)
{
    CLEANUP(answers_done) struct answers answers = {0};
    unsigned int count = 0;

    place_ask(
        place,
        (struct store_question){.since_ns = since_ns, .until_ns = until_ns, .parts = STORE_NOTES},
        &answers);
    for (uint32_t i = 0; i < answers.items[0].note_count; i++)
        count += answers.items[0].notes[i].kind == kind;
    return count;
}

/* An hour forward, and back: nothing is lost, and both are said. */
static void the_clock_may_be_set(void **state)
{
    struct place *place = *state;
    struct traffic sum;
    uint64_t expected = 0;

    place_open(place, NULL);
    for (uint64_t i = 0; i < 180; i++) {
        uint64_t jump = i >= 60 && i < 120 ? HOUR_NS : 0;

        write_tick(place, i, BEGIN_NS + (i + 1) * TICK_NS + jump);
        expected += 1000 + i + (i % 7 ? 0 : 100) + (i % 90 ? 0 : 30000);
    }
    sum = sum_of_tier(place, STORE_FINE, STORE_PEERS, BEGIN_NS, BEGIN_NS + 2 * HOUR_NS);
    assert_int_equal(sum.rx_bytes, expected);
    sum = sum_of_tier(place, STORE_MINUTE, STORE_PROCESSES, BEGIN_NS, BEGIN_NS + 2 * HOUR_NS);
    assert_int_equal(sum.rx_bytes, expected);
    assert_int_equal(count_notes(place, BEGIN_NS, BEGIN_NS + 2 * HOUR_NS, STORE_CLOCK), 2);
}

/* A clock that is set years forward makes nothing old at once. */
static void a_wrong_clock_deletes_nothing(void **state)
{
    struct place *place = *state;
    struct traffic before, after;

    place_open(place, NULL);
    write_ticks(place, 0, 100);
    before = sum_of_tier(place, STORE_FINE, STORE_PEERS, BEGIN_NS, BEGIN_NS + HOUR_NS);
    for (uint64_t i = 100; i < 250; i++)
        write_tick(place, i, BEGIN_NS + 1500 * DAY_NS + i * TICK_NS);
    after = sum_of_tier(place, STORE_FINE, STORE_PEERS, BEGIN_NS, BEGIN_NS + HOUR_NS);
    assert_int_equal(before.rx_bytes, after.rx_bytes);
}

/* A question about a year is not one about each tick of the last days. */
static void a_year_is_answered_from_hours(void **state)
{
    CLEANUP_ANSWERS struct answers answers = {0};
    const struct store_limits limits = {.fine_s = 3600, .minute_s = 3600};
    struct place *place = *state;

    place_open(place, &limits);
    write_ticks(place, 0, 1500);
    place_ask(place,
              (struct store_question){.since_ns = BEGIN_NS - 365 * 24 * HOUR_NS,
                                      .until_ns = BEGIN_NS + 5 * HOUR_NS,
                                      .parts = STORE_INTERFACES},
              &answers);
    assert_int_equal(answers.count, 1);
    assert_int_equal(answers.items[0].tier, STORE_HOUR);
    assert_int_equal(answers.items[0].snapshot.interfaces[0].stats.rx_bytes, 1499 * 2000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tiers_agree),
        TEST(a_year_is_answered_from_hours),
        TEST(hours_stand_for_their_minutes),
        TEST(a_series_is_the_whole),
        TEST(gaps_are_not_measured),
        TEST(old_things_go),
        TEST(the_size_stays_below_its_limit),
        TEST(the_clock_may_be_set),
        TEST(a_wrong_clock_deletes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
