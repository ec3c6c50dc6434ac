/* SPDX-License-Identifier: MIT */
/* Tests of the ring: the seconds of a tick are written around events, once, and are its parts. */
#include "store_fixture.h"

#define RING_S 20
#define RX 1000 /* of the first flow in each tick */

static const struct store_limits with_ring = {.ring_s = RING_S};

/* So much of the flow with this id in the second of a tick, 1 to 9. */
static void sample(struct seconds *seconds, uint64_t id, uint64_t rx)
{
    assert_int_equal(seconds_add_flow(seconds, id, (struct traffic){rx, 0}), 0);
}

static void sample_link(struct seconds *seconds, uint64_t rx)
{
    const struct link_sample sample = {
        .netns = 4026531840U, .ifindex = 2, .more = {.rx_bytes = rx}};

    assert_int_equal(seconds_add_link(seconds, &sample), 0);
}

static void end_second(struct seconds *seconds, uint64_t tick, unsigned int second)
{
    uint64_t length_ns = (tick - 1) * TICK_NS + second * SECOND_NS;

    /* As late as whoever wakes up is. */
    assert_int_equal(seconds_end_flows(seconds, BEGIN_NS + length_ns + 3 * MILLISECOND_NS,
                                       1000 * SECOND_NS + length_ns),
                     0);
    assert_int_equal(seconds_end_links(seconds, BEGIN_NS + length_ns + 3 * MILLISECOND_NS,
                                       1000 * SECOND_NS + length_ns),
                     0);
}

/* Of flow 1: 100 bytes in second 2, 4 GiB and 1 in second 5, the rest of the tick nowhere. Of flow
 * 2: more in second 7 than the tick has. The interface: 30 in second 4, 70 later. */
#define MUCH ((UINT64_C(1) << 32) + 1)

static void write_one(struct place *place, uint64_t number)
{
    struct seconds seconds = {0};
    struct snapshot tick;
    uint32_t process;

    tick_begin(&tick, number);
    process = tick_process(&tick, 100, "nginx");
    tick_flow(&tick, process, 1, RX + MUCH, 5);
    tick_flow(&tick, process, 2, 50, 0);
    assert_int_equal(snapshot_add_interface(&tick, 0, 2, "eth0"), 0);
    tick.interfaces[0].has = INTERFACE_HAS_STATS;
    tick.interfaces[0].stats.rx_bytes = 5000 + number * 100;
    for (unsigned int i = 1; i < 10 && number; i++) {
        if (i == 2)
            sample(&seconds, 1, 100);
        if (i == 5)
            sample(&seconds, 1, MUCH);
        if (i == 7)
            sample(&seconds, 2, 60);
        if (i == 8)
            sample(&seconds, 77, 1000); /* of what the tick does not have */
        if (i == 4)
            sample_link(&seconds, 30);
        end_second(&seconds, number, i);
    }
    assert_int_equal(store_add(place->store, &tick, &seconds), 0);
    snapshot_done(&tick);
    seconds_done(&seconds);
}

static void write_ticks(struct place *place, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        write_one(place, i);
}

/* After the tick with this number, and before the next. */
static void note(struct place *place, uint64_t tick, enum store_note_kind kind, const char *text)
{
    uint64_t time_ns = BEGIN_NS + tick * TICK_NS + 4 * SECOND_NS;

    assert_int_equal(store_note(place->store, time_ns, kind, text), 0);
}

static int64_t ticks_in_seconds(const struct place *place)
{
    return place_number(place, "SELECT count(*) FROM second WHERE kind = 0");
}

static void ask_seconds(struct place *place, uint64_t from_s, uint64_t to_s,
                        struct answers *answers)
{
    place_ask(place,
              (struct store_question){.since_ns = BEGIN_NS + from_s * SECOND_NS,
                                      .until_ns = BEGIN_NS + to_s * SECOND_NS,
                                      .every_ns = SECOND_NS,
                                      .parts = STORE_PEERS | STORE_INTERFACES},
              answers);
}

static void bytes_are_in_their_seconds(void **state)
{
    static const uint64_t expected[10] = {0, 100, 0, 0, MUCH, 0, 50, 0, 0, RX - 100};
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};

    place_open(place, &with_ring);
    write_ticks(place, 0, 3);
    note(place, 2, STORE_MARK, "deployed");
    write_ticks(place, 3, 4);
    ask_seconds(place, 20, 30, &answers);
    assert_int_equal(answers.count, 10);
    for (unsigned int i = 0; i < 10; i++) {
        const struct store_answer *answer = &answers.items[i];

        assert_int_equal(sum_of(&answer->snapshot).rx_bytes, expected[i]);
        assert_int_equal(sum_of(&answer->snapshot).tx_bytes, i == 9 ? 5 : 0);
        assert_int_equal(answer->measured_ns, SECOND_NS);
        assert_int_equal(answer->coarsest_ns, SECOND_NS);
        assert_int_equal(answer->interface_measured_ns, SECOND_NS);
        assert_int_equal(answer->snapshot.interfaces_count, 1);
        assert_int_equal(answer->snapshot.interfaces[0].stats.rx_bytes, i == 3   ? 30
                                                                        : i == 9 ? 70
                                                                                 : 0);
    }
    assert_int_equal(answers.items[1].snapshot.flows[0].peer_port, 443);
    assert_int_equal(answers.items[1].snapshot.flows[0].pid, 100);
}

/* Whole ticks and their seconds beside each other: nothing is there twice. */
static void sums_are_those_of_ticks(void **state)
{
    struct place *place = *state;
    struct traffic all = {0};
    uint64_t measured_ns = 0, link_bytes = 0;

    place_open(place, &with_ring);
    write_ticks(place, 0, 4);
    note(place, 3, STORE_MARK, "x");
    write_ticks(place, 4, 12);
    for (uint64_t i = 0; i < 11; i++) { /* the first tick is of the ten seconds before */
        CLEANUP_ANSWERS struct answers answers = {0};

        ask_seconds(place, i * 10, i * 10 + 10, &answers);
        for (unsigned int j = 0; j < answers.count; j++) {
            struct snapshot *snapshot = &answers.items[j].snapshot;

            traffic_add(&all, sum_of(snapshot));
            measured_ns += answers.items[j].measured_ns;
            for (uint32_t k = 0; k < snapshot->interfaces_count; k++)
                link_bytes += snapshot->interfaces[k].stats.rx_bytes;
        }
    }
    assert_int_equal(all.rx_bytes, 11 * (RX + MUCH + 50));
    assert_int_equal(all.tx_bytes, 11 * 5);
    assert_int_equal(link_bytes, 11 * 100);
    assert_int_equal(measured_ns, 11 * TICK_NS);
}

/* The ring is 20 s long: from 14 s to 54 s, which lie in five ticks. */
static void time_before_and_after_is_kept(void **state)
{
    struct place *place = *state;
    struct store_ring ring;

    place_open(place, &with_ring);
    write_ticks(place, 0, 4);
    assert_int_equal(ticks_in_seconds(place), 0);
    assert_false(store_wants_seconds(place->store));
    note(place, 3, STORE_MARK, "deployed");
    write_ticks(place, 4, 5);
    assert_true(store_wants_seconds(place->store));
    assert_int_equal(ticks_in_seconds(place), 3);
    write_ticks(place, 5, 12);
    assert_false(store_wants_seconds(place->store));
    assert_int_equal(ticks_in_seconds(place), 5);
    assert_int_equal(
        place_number(place, "SELECT min(tick_ns) / 1000000000 - 1764547200 FROM second"), 20);
    assert_int_equal(
        place_number(place, "SELECT max(tick_ns) / 1000000000 - 1764547200 FROM second"), 60);
    assert_int_equal(store_ring(place->store, &ring), 0);
    assert_int_equal(ring.length_s, RING_S);
    assert_string_equal(ring.why, "mark: deployed");
    assert_int_equal(ring.flushed_ns, BEGIN_NS + 60 * SECOND_NS);
    assert_true(ring.bytes > 0 && ring.rows > 0);
    assert_true(ring.since_ns > BEGIN_NS + 70 * SECOND_NS);
}

static void overlapping_events_are_kept_once(void **state)
{
    struct place *place = *state;

    place_open(place, &with_ring);
    write_ticks(place, 0, 4);
    note(place, 3, STORE_MARK, "one");
    write_ticks(place, 4, 5);
    note(place, 4, STORE_MARK, "two");
    note(place, 4, STORE_MARK, "three");
    write_ticks(place, 5, 12);
    assert_int_equal(ticks_in_seconds(place), 6);
    assert_int_equal(place_number(place, "SELECT count(*) = count(DISTINCT tick_ns) FROM second"
                                         " WHERE kind = 0"),
                     1);
}

static void only_what_begins_and_is_bad_is_a_reason(void **state)
{
    static const char *const none[] = {"info close-wait: x", "over close-wait: x",
                                       "the doctor does not look: x"};
    struct place *place = *state;

    place_open(place, &with_ring);
    write_ticks(place, 0, 3);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        note(place, 2, STORE_FINDING, none[i]);
    note(place, 2, STORE_LOST, "3 events");
    write_ticks(place, 3, 5);
    assert_int_equal(ticks_in_seconds(place), 0);
    note(place, 4, STORE_FINDING, "crit close-wait: java(1) keeps");
    write_ticks(place, 5, 6);
    assert_int_equal(ticks_in_seconds(place), 3);
}

static void without_a_ring_there_is_nothing(void **state)
{
    struct place *place = *state;
    struct store_ring ring;

    place_open(place, NULL);
    write_ticks(place, 0, 3);
    note(place, 2, STORE_MARK, "x");
    write_ticks(place, 3, 5);
    assert_int_equal(place_number(place, "SELECT count(*) FROM second"), 0);
    assert_int_equal(store_ring(place->store, &ring), 0);
    assert_int_equal(ring.length_s, 0);
}

/* The tick is there whole, and answers instead. */
static void broken_seconds_are_skipped_and_said(void **state)
{
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};

    place_open(place, &with_ring);
    write_ticks(place, 0, 3);
    note(place, 2, STORE_MARK, "x");
    write_ticks(place, 3, 4);
    place_close(place);
    place_sql(place, "UPDATE second SET data = zeroblob(length(data))"
                     " WHERE kind = 0 AND tick_ns / 1000000000 = 1764547200 + 30");
    ask_seconds(place, 20, 30, &answers);
    assert_int_equal(answers.count, 10);
    assert_int_equal(answers.items[4].measured_ns, 0);
    assert_int_equal(answers.items[4].snapshot.interfaces_count, 1);
    assert_int_equal(sum_of(&answers.items[9].snapshot).rx_bytes, RX + MUCH + 50);
    assert_int_equal(answers.items[9].coarsest_ns, TICK_NS);
    assert_true(answers.items[9].snapshot.incomplete);
}

/* Two days after the ticks are gone, they are still there; after two weeks no more. */
static void seconds_are_kept_as_long_as_minutes(void **state)
{
    static const struct store_limits limits = {
        .ring_s = RING_S, .fine_s = 600, .minute_s = 3600, .hour_s = 7200};
    struct place *place = *state;
    CLEANUP_ANSWERS struct answers answers = {0};

    place_open(place, &limits);
    write_ticks(place, 0, 3);
    note(place, 2, STORE_MARK, "x");
    write_ticks(place, 3, 130);
    assert_int_equal(place_number(place, "SELECT count(*) FROM chunk"
                                         " WHERE since_ns / 1000000000 < 1764547200 + 100"),
                     0);
    ask_seconds(place, 20, 30, &answers);
    assert_int_equal(sum_of(&answers.items[4].snapshot).rx_bytes, MUCH);
    write_ticks(place, 130, 500);
    assert_int_equal(ticks_in_seconds(place), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_are_in_their_seconds),
        TEST(sums_are_those_of_ticks),
        TEST(time_before_and_after_is_kept),
        TEST(overlapping_events_are_kept_once),
        TEST(only_what_begins_and_is_bad_is_a_reason),
        TEST(without_a_ring_there_is_nothing),
        TEST(broken_seconds_are_skipped_and_said),
        TEST(seconds_are_kept_as_long_as_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
