/* SPDX-License-Identifier: MIT */
/* Tests of power cuts: whatever the disk has kept, what it was told to keep is there, and the next
 * recorder goes on. */
#include "store_cut.h"

#define FLOWS 20  /* of each tick */
#define MINUTE 6u /* ticks between two that wait for the disk */
#define LIVES 12  /* of recorders, one after the other with the same files */
#define CUTS 5    /* of each */

/* What a recorder had done when so many changes were made. */
struct moment {
    size_t changes;
    uint32_t begun, written, durable; /* ticks */
};

struct life {
    struct place *place;
    char copy[96];
    struct moment moments[256];
    uint32_t moment_count;
    uint64_t chance;
};

struct tally {
    uint32_t cuts, told, most, empty, kinds[CUT_KIND_MAX];
    uint64_t lost;
};

static void remember(struct life *life, struct moment moment)
{
    assert_true(life->moment_count < ARRAY_SIZE(life->moments));
    moment.changes = disk.count;
    life->moments[life->moment_count++] = moment;
}

static struct moment moment_of(const struct life *life, size_t changes)
{
    uint32_t i = life->moment_count - 1;

    while (i > 0 && life->moments[i].changes > changes)
        i--;
    return life->moments[i];
}

/* --- the recorder --- */

static void make_tick(uint32_t number, struct snapshot *tick)
{
    tick_begin(tick, number);
    for (uint32_t i = 0; i < FLOWS; i++) {
        char name[32];

        snprintf(name, sizeof(name), "p%u", number % 7 ? i % 5 : number + i);
        tick_flow(tick, tick_process(tick, 100 + i, name), number * 7 + i, 1, number);
    }
}

static void write_number(struct store *store, uint32_t number)
{
    struct snapshot tick;

    make_tick(number, &tick);
    assert_int_equal(store_add(store, &tick, NULL), 0);
    snapshot_done(&tick);
}

/* What happens beside the recorder. */
static void disturb(struct life *life)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *other = NULL;

    switch (draw(&life->chance, 12)) {
    case 0:
        place_sql(life->place, "PRAGMA wal_checkpoint(PASSIVE)");
        break;
    case 1:
        assert_int_equal(store_open_to_note(life->place->path, &other, &problem), 0);
        assert_int_equal(store_note(other, BEGIN_NS, STORE_MARK, "a mark"), 0);
        store_close(other);
        break;
    default:
        break;
    }
}

static void live(struct life *life, uint32_t known)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct moment now = {.begun = known, .written = known, .durable = known};
    uint32_t ticks = 1 + draw(&life->chance, 40);
    int pid;

    life->moment_count = 0;
    disk_begin(life->place->path);
    remember(life, now);
    assert_int_equal(store_open(life->place->path, NULL, &life->place->store, &pid, &problem), 0);
    assert_null(strstr(buf_string(&problem), "broken-"));
    for (uint32_t number = known + 1; number <= known + ticks; number++) {
        now.begun = number;
        remember(life, now);
        write_number(life->place->store, number);
        now.written = number;
        if (number == known + 1 || number % MINUTE == 0)
            now.durable = number;
        remember(life, now);
        disturb(life);
    }
    if (draw(&life->chance, 4) == 0)
        place_close(life->place);
    disk_stop();
    place_close(life->place);
}

/* --- after the cut --- */

struct found {
    int error;
    uint32_t ticks;
    bool told;
};

static struct found look(const char *path, enum store_tier tier)
{
    CLEANUP_ANSWERS struct answers answers = {0};
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    const struct store_question question = {.since_ns = BEGIN_NS,
                                            .until_ns = BEGIN_NS + 100000 * TICK_NS,
                                            .tier = tier,
                                            .parts = STORE_PROCESSES | STORE_NOTES};
    struct store *reader = NULL;
    struct found found = {.error = store_open_to_read(path, &reader, &problem)};
    struct traffic sum;

    if (found.error < 0) {
        assert_true(problem.length > 0);
        return found;
    }
    found.error = store_read(reader, &question, keep_answer, &answers);
    assert_int_equal(found.error, 0);
    found.ticks = (uint32_t)(answers.items[0].measured_ns / TICK_NS);
    sum = sum_of(&answers.items[0].snapshot);
    assert_int_equal(sum.rx_bytes, found.ticks * FLOWS);
    assert_int_equal(sum.tx_bytes, (uint64_t)FLOWS * found.ticks * (found.ticks + 1) / 2);
    for (uint32_t i = 0; i < answers.items[0].snapshot.notes_count; i++)
        found.told |= answers.items[0].snapshot.notes[i].effect == NOTE_INCOMPLETE;
    store_close(reader);
    return found;
}

/* The files after the cut, and what SQLite had in shared memory: it may be there or not. */
static void lay(struct life *life, const struct cut *cut, const char *path)
{
    char from[112], to[112];
    struct image shared = {0};

    snprintf(from, sizeof(from), "%s-shm", life->place->path);
    snprintf(to, sizeof(to), "%s-shm", path);
    if (draw(&life->chance, 3) == 0)
        image_load(from, &shared);
    disk_lay(cut, path);
    image_lay(&shared, to);
    image_done(&shared);
}

static int64_t count_gaps(const struct life *life)
{
    struct place copy = *life->place;

    snprintf(copy.path, sizeof(copy.path), "%s", life->copy);
    return place_number(&copy, "SELECT count(*) FROM note WHERE kind = 'gap'");
}

/* The next recorder says that there is a gap, writes three ticks and is told to end. */
static void go_on(const struct life *life, uint32_t known)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    struct found fine, minutes;
    int64_t gaps;
    int pid;

    assert_int_equal(store_open(life->copy, NULL, &store, &pid, &problem), 0);
    assert_null(strstr(buf_string(&problem), "broken-"));
    gaps = count_gaps(life);
    assert_true(gaps >= (known > 0));
    for (uint32_t number = known + 1; number <= known + 3; number++)
        write_number(store, number);
    store_close(store);
    fine = look(life->copy, STORE_FINE);
    minutes = look(life->copy, STORE_MINUTE);
    assert_true(fine.error == 0 && !fine.told && fine.ticks == known + 3);
    assert_true(minutes.error == 0 && !minutes.told && minutes.ticks == known + 3);
}

/* How many ticks there are afterwards. */
static uint32_t check_cut(struct life *life, const struct cut *cut, struct tally *tally)
{
    struct moment moment = moment_of(life, cut->at);
    struct found found;

    lay(life, cut, life->copy);
    found = look(life->copy, STORE_FINE);
    tally->cuts++;
    tally->kinds[cut->kind]++;
    /* Before anything was promised there may be no history yet. */
    assert_true(found.error == 0 || !moment.durable);
    tally->empty += found.error != 0;
    if (found.ticks < moment.durable || found.ticks > moment.begun)
        fail_msg("cut %u of kind %d at change %zu of %zu: %u ticks, of %u to %u", tally->cuts,
                 cut->kind, cut->at, disk.count, found.ticks, moment.durable, moment.begun);
    tally->told += found.told;
    if (moment.written > found.ticks) {
        tally->lost += moment.written - found.ticks;
        if (moment.written - found.ticks > tally->most)
            tally->most = moment.written - found.ticks;
    }
    assert_true(tally->most < MINUTE);
    go_on(life, found.ticks);
    return found.ticks;
}

static struct cut make_cut(struct life *life)
{
    struct cut cut = {
        .kind = (enum cut_kind)draw(&life->chance, CUT_KIND_MAX),
        .at = draw(&life->chance, (uint32_t)disk.count + 1),
        .share = 10 + draw(&life->chance, 90),
        .chance = &life->chance,
    };

    cut.first = draw(&life->chance, (uint32_t)cut.at + 1);
    return cut;
}

/* Each recorder begins with what a cut has left of the one before. */
static void make_lives(struct place *place, uint64_t seed, uint32_t lives, struct tally *tally)
{
    struct life *life = calloc(1, sizeof(*life));
    uint32_t known = 0;

    assert_non_null(life);
    *life = (struct life){.place = place, .chance = seed};
    snprintf(life->copy, sizeof(life->copy), "%s/copy.db", place->directory);
    for (uint32_t i = 0; i < lives; i++) {
        struct cut cut;

        live(life, known);
        for (uint32_t j = 1; j < CUTS; j++) {
            cut = make_cut(life);
            check_cut(life, &cut, tally);
        }
        cut = make_cut(life);
        {
            uint64_t chance = life->chance;

            known = check_cut(life, &cut, tally);
            life->chance = chance;
        }
        lay(life, &cut, place->path);
        disk_forget();
    }
    free(life);
}

/* NWHO_FULL=1: a thousand of them; NWHO_SEED=N: other ones. */
static void a_power_cut_takes_no_tick_that_the_disk_was_told_to_keep(void **state)
{
    const char *seed = getenv("NWHO_SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    uint32_t rounds = getenv("NWHO_FULL") ? 17 : 1;
    struct tally tally = {0};

    for (uint32_t i = 0; i < rounds; i++) {
        place_make(state);
        make_lives(*state, first + i, LIVES, &tally);
        place_remove(state);
    }
    print_message("%u power cuts: up to %u ticks lost, %.1f on average; of %u the reader said that "
                  "some are missing, %u were before there was a history\n",
                  tally.cuts, tally.most, (double)tally.lost / tally.cuts, tally.told, tally.empty);
    for (unsigned int i = 0; i < CUT_KIND_MAX; i++)
        assert_true(tally.kinds[i] > 0);
    assert_true(tally.lost > 0);
}

/* The transaction is in the journal, but for SQLite it is not: shorter ones take its place. */
static void a_tick_whose_sync_failed_leaves_no_trace(void **state)
{
    struct place *place = *state;
    struct cut nothing = {.kind = CUT_KEPT};
    struct snapshot tick;
    char copy[96];

    snprintf(copy, sizeof(copy), "%s/copy.db", place->directory);
    disk_begin(place->path);
    place_open(place, NULL);
    for (uint32_t number = 1; number < MINUTE; number++)
        write_number(place->store, number);
    disk.fails = 1;
    tick_begin(&tick, MINUTE);
    for (uint32_t i = 0; i < 2000; i++) {
        char name[80];

        snprintf(name, sizeof(name), "a-new-program-of-this-tick-whose-number-is-%u", i);
        tick_flow(&tick, tick_process(&tick, 1000 + i, name), i, 1, 1);
    }
    assert_int_equal(store_add(place->store, &tick, NULL), -EIO);
    assert_int_equal(disk.fails, 0);
    snapshot_done(&tick);
    for (uint32_t number = MINUTE; number < MINUTE + 5; number++) {
        struct found found;

        write_number(place->store, number);
        nothing.at = disk.count;
        disk_lay(&nothing, copy);
        found = look(copy, STORE_FINE);
        assert_true(found.error == 0 && !found.told && found.ticks == number);
    }
    disk_stop();
    disk_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_takes_no_tick_that_the_disk_was_told_to_keep),
        cmocka_unit_test_setup_teardown(a_tick_whose_sync_failed_leaves_no_trace, place_make,
                                        place_remove),
    };

    return cmocka_run_group_tests(tests, disk_register, NULL);
}
