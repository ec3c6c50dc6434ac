/* SPDX-License-Identifier: MIT */
/* Tests of the journal that a killed recorder leaves: what is damaged in it is said.
 */
#include "store_damage.h"

#define TICKS 9
#define HEADER_BYTES 32
#define FRAME_BYTES (24 + 4096)

/* A recorder that lives, and the files of one that was killed when they were copied. */
struct copy {
    struct place *place;
    char path[96], journal[112];
    off_t length;
};

static void add_ticks(struct place *place, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct snapshot tick;

        tick_begin(&tick, i);
        for (uint32_t j = 0; j < 30; j++) {
            char name[64];

            snprintf(name, sizeof(name), "program-with-a-name-of-some-length-%u", j);
            tick_flow(&tick, tick_process(&tick, 100 + j, name), (uint32_t)(i * 7 + j),
                      (i * 7919 + j * 104729) % 100003, 1);
        }
        tick_write(place, &tick);
    }
}

static void copy_file(const char *from, const char *to)
{
    CLEANUP_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC);
    CLEANUP_CLOSE int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char bytes[65536];
    ssize_t length;

    assert_true(in >= 0 && out >= 0);
    while ((length = read(in, bytes, sizeof(bytes))) > 0)
        assert_int_equal(write(out, bytes, (size_t)length), length);
    assert_int_equal(length, 0);
}

static void copy_again(struct copy *copy)
{
    char from[112], shared[112];

    snprintf(from, sizeof(from), "%s-wal", copy->place->path);
    snprintf(shared, sizeof(shared), "%s-shm", copy->path);
    copy_file(copy->place->path, copy->path);
    copy_file(from, copy->journal);
    unlink(shared);
    copy->length = length_of(copy->journal);
}

static struct copy make_copy(struct place *place)
{
    struct copy copy = {.place = place};

    snprintf(copy.path, sizeof(copy.path), "%s/killed.db", place->directory);
    snprintf(copy.journal, sizeof(copy.journal), "%s-wal", copy.path);
    copy_again(&copy);
    return copy;
}

/* Of a recorder that was killed in its first minutes, so that all is in the journal. */
static struct copy make_killed(struct place *place)
{
    struct copy copy;

    place_open(place, NULL);
    add_ticks(place, 1, TICKS);
    copy = make_copy(place);
    assert_true(copy.length > 40 * FRAME_BYTES);
    return copy;
}

/* Where the frame begins: from 0 on, of the last ones from -1 down. */
static off_t frame_of(const struct copy *copy, int number)
{
    off_t count = (copy->length - HEADER_BYTES) / FRAME_BYTES;

    return HEADER_BYTES + (number < 0 ? count + number : number) * FRAME_BYTES;
}

static bool is_in_head(const struct copy *copy, off_t byte)
{
    static const int heads[] = {0, 1, 20, -2, -1};

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (byte >= frame_of(copy, heads[i]) && byte < frame_of(copy, heads[i]) + 24)
            return true;
    return byte < HEADER_BYTES;
}

static void check_flip(const struct copy *copy, off_t byte, unsigned int bit)
{
    struct said said;

    flip(copy->journal, byte, bit);
    said = ask(copy->path, STORE_FINE);
    if (said.error != -EBADMSG && (said.error || !said.incomplete))
        fail_msg("byte %jd, bit %u of the journal: error %d, nothing said", (intmax_t)byte, bit,
                 said.error);
    flip(copy->journal, byte, bit);
}

/* Each bit of the journal's header and of the headers of some frames, the last ones too, and bits
 * of all pages. NWHO_FULL=1: thousands. */
static void each_flipped_bit_is_told(void **state)
{
    struct copy copy = make_killed(*state);
    struct said whole = ask(copy.path, STORE_FINE);
    bool full = getenv("NWHO_FULL");
    unsigned int flips = 0;

    assert_true(whole.error == 0 && !whole.incomplete);
    assert_int_equal(whole.measured_ns, TICKS * TICK_NS);
    for (off_t byte = 0; byte < copy.length; byte++) {
        unsigned int first = (unsigned int)byte % (full ? 1 : 3);

        if (is_in_head(&copy, byte))
            for (unsigned int bit = first; bit < 8; bit += full ? 1 : 3, flips++)
                check_flip(&copy, byte, bit);
        else if (byte % (full ? 251 : 2039) == 0 && ++flips)
            check_flip(&copy, byte, (unsigned int)byte % 8);
    }
    whole = ask(copy.path, STORE_FINE);
    assert_int_equal(whole.measured_ns, TICKS * TICK_NS);
    print_message("%u flipped bits of the journal were told\n", flips);
    assert_true(flips > 300);
}

static void zero(const struct copy *copy, off_t begin, size_t count)
{
    CLEANUP_CLOSE int fd = open(copy->journal, O_WRONLY | O_CLOEXEC);
    uint8_t zeros[4096] = {0};

    assert_int_equal(pwrite(fd, zeros, count, begin), count);
}

/* What is more than a bit is told, but where it looks as what a power cut leaves: that is at most
 * the last tick. */
static void more_damage_is_told(void **state)
{
    struct copy copy = make_killed(*state);
    struct said whole = ask(copy.path, STORE_FINE);
    unsigned int frames = (unsigned int)((copy.length - HEADER_BYTES) / FRAME_BYTES), told = 0;

    for (unsigned int i = 0; i < frames; i++) {
        struct said said;

        copy_again(&copy);
        zero(&copy, frame_of(&copy, (int)i) + (i % 2 ? 24 : 12), 2048);
        said = ask(copy.path, STORE_FINE);
        assert_true(said.error == -EBADMSG || said.incomplete ||
                    (said.error == 0 && said.measured_ns >= whole.measured_ns - TICK_NS));
        told += said.error || said.incomplete;
    }
    assert_true(told >= frames - 1);
    copy_again(&copy);
    zero(&copy, 0, HEADER_BYTES);
    assert_int_equal(ask(copy.path, STORE_FINE).error, -EBADMSG);
}

static void what_is_before_the_damage_is_read(void **state)
{
    struct copy copy = make_killed(*state);
    struct said said;

    flip(copy.journal, frame_of(&copy, -20) + 500, 2);
    said = ask(copy.path, STORE_FINE);
    assert_true(said.error == 0 && said.incomplete);
    assert_true(said.measured_ns > 0 && said.measured_ns < TICKS * TICK_NS);
}

/* Whatever was being written when the power was cut: the transactions before are there. */
static void a_torn_end_is_no_damage(void **state)
{
    struct copy copy = make_killed(*state);
    uint64_t last = TICKS * TICK_NS;

    for (off_t length = copy.length; length > copy.length / 3 * 2; length -= 1511) {
        struct said said;

        assert_int_equal(truncate(copy.journal, length), 0);
        said = ask(copy.path, STORE_FINE);
        assert_int_equal(said.error, 0);
        assert_false(said.incomplete);
        assert_true(said.measured_ns <= last && said.measured_ns % TICK_NS == 0);
        last = said.measured_ns;
    }
    assert_true(last < TICKS * TICK_NS && last > 0);
}

/* The journal has begun anew, and is not yet as long as it was. */
static void what_an_earlier_journal_left_is_no_damage(void **state)
{
    struct place *place = *state;
    struct copy copy = make_killed(place);
    off_t length = copy.length;
    struct said said;

    place_sql(place, "PRAGMA wal_checkpoint(RESTART)");
    add_ticks(place, TICKS + 1, 2);
    copy_again(&copy);
    assert_int_equal(copy.length, length);
    said = ask(copy.path, STORE_FINE);
    assert_int_equal(said.measured_ns, (TICKS + 2) * TICK_NS);
    assert_false(said.incomplete);
    flip(copy.journal, frame_of(&copy, -1) + 9, 1);
    assert_false(ask(copy.path, STORE_FINE).incomplete);
    flip(copy.journal, 20, 1);
    said = ask(copy.path, STORE_FINE);
    assert_int_equal(said.measured_ns, TICKS * TICK_NS);
    assert_true(said.incomplete);
}

/* The next recorder. */
static struct store *open_copy(const struct copy *copy, struct buf *problem)
{
    struct store *store = NULL;
    int pid;

    assert_int_equal(store_open(copy->path, NULL, &store, &pid, problem), 0);
    return store;
}

static void the_next_recorder_notes_what_is_lost(void **state)
{
    struct copy copy = make_killed(*state);
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store;
    struct said said;

    zero(&copy, frame_of(&copy, -20), 4096);
    assert_true(ask(copy.path, STORE_FINE).incomplete);
    store = open_copy(&copy, &problem);
    assert_non_null(strstr(buf_string(&problem), "killed.db-wal"));
    said = ask(copy.path, STORE_FINE);
    assert_true(said.error == 0 && said.measured_ns > 0 && !said.incomplete);
    store_close(store);
    said = ask(copy.path, STORE_FINE);
    assert_true(said.error == 0 && said.measured_ns > 0 && !said.incomplete);
    snprintf(copy.place->path, sizeof(copy.place->path), "%s", copy.path);
    assert_int_equal(place_number(copy.place, "SELECT count(*) FROM note WHERE kind = 'lost'"
                                              " AND text LIKE '%journal%'"),
                     1);
}

/* The pages of the journal are in the file already, but it has not begun anew. */
static void a_journal_that_does_not_fit_the_file_is_set_aside(void **state)
{
    /* Frames and bytes of them: in the middle and at the end, in pages and in checksums. */
    static const struct {
        int frame, byte;
    } damages[] = {{-20, 500}, {-20, 17}, {-1, 500}, {-1, 17}, {-2, 700}, {-2, 20}};
    struct place *place = *state;
    struct copy copy = make_killed(place);

    place_sql(place, "PRAGMA wal_checkpoint(PASSIVE)");
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        CLEANUP(buf_done) struct buf problem = BUF_INIT;
        struct store *store = NULL;
        struct said said;

        copy_again(&copy);
        said = ask(copy.path, STORE_FINE);
        assert_true(said.measured_ns == TICKS * TICK_NS && !said.incomplete);
        flip(copy.journal, frame_of(&copy, damages[i].frame) + damages[i].byte, 2);
        said = ask(copy.path, STORE_FINE);
        assert_true(said.error == -EBADMSG || said.incomplete);
        assert_int_equal(store_open_to_note(copy.path, &store, &problem), -EBADMSG);
        buf_reset(&problem);
        store_close(open_copy(&copy, &problem));
        assert_non_null(strstr(buf_string(&problem), "broken-"));
        said = ask(copy.path, STORE_FINE);
        assert_true(said.error == 0 && said.measured_ns == 0 && !said.incomplete);
    }
}

/* The first reader has gone through the journal for all that come while it has it open. */
static void others_beside_a_reader_are_told_too(void **state)
{
    struct copy copy = make_killed(*state);
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *first = NULL;

    flip(copy.journal, frame_of(&copy, -20) + 500, 2);
    assert_int_equal(store_open_to_read(copy.path, &first, &problem), 0);
    assert_true(ask(copy.path, STORE_FINE).incomplete);
    store_close(open_copy(&copy, &problem));
    assert_non_null(strstr(buf_string(&problem), "killed.db-wal"));
    store_close(first);
}

/* `nwho mark` takes the place of what was forgotten. */
static void who_leaves_a_note_says_what_is_lost(void **state)
{
    struct copy copy = make_killed(*state);
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    struct said said;

    zero(&copy, frame_of(&copy, -20), 4096);
    assert_int_equal(store_open_to_note(copy.path, &store, &problem), 0);
    assert_int_equal(store_note(store, BEGIN_NS + SECOND_NS, STORE_MARK, "a mark"), 0);
    store_close(store);
    said = ask(copy.path, STORE_FINE);
    assert_true(said.error == 0 && !said.incomplete);
    snprintf(copy.place->path, sizeof(copy.place->path), "%s", copy.path);
    assert_int_equal(place_number(copy.place, "SELECT count(*) FROM note WHERE kind = 'lost'"), 1);
}

/* A page goes from the journal into the file when that is written, and gets a checksum there. */
static void a_damaged_page_does_not_go_into_the_file(void **state)
{
    struct place *place = *state;
    struct copy copy = make_killed(place);
    struct said whole = ask(place->path, STORE_FINE), said;
    sqlite3 *db = place_database(place);
    char journal[112];

    snprintf(journal, sizeof(journal), "%s-wal", place->path);
    flip(journal, frame_of(&copy, -1) + 700, 5);
    assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
                     SQLITE_CORRUPT);
    flip(journal, frame_of(&copy, -1) + 700, 5);
    sqlite3_close(db);
    place_close(place);
    said = ask(place->path, STORE_FINE);
    assert_true(is_same(&said, &whole));
}

/* Pages that have no room in memory until their transaction ends are written more than once. */
static void pages_that_are_replaced_are_read_as_they_are(void **state)
{
    static const char text[] =
        "PRAGMA journal_mode = WAL; PRAGMA cache_size = 5; CREATE TABLE t(a INTEGER, b TEXT);"
        "BEGIN;"
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300)"
        " INSERT INTO t SELECT n, printf('%0500d', n) FROM c;"
        "UPDATE t SET a = a + 1; UPDATE t SET b = b || 'x'; UPDATE t SET a = a - 1;"
        "COMMIT; UPDATE t SET a = a + 2;";
    struct place *place = *state;

    place_sql(place, text);
    assert_int_equal(place_number(place, "SELECT sum(a) FROM t"), 300 * 301 / 2 + 600);
    assert_int_equal(place_number(place, "SELECT count(*) FROM t WHERE length(b) = 501"), 300);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_flipped_bit_is_told),
        TEST(more_damage_is_told),
        TEST(what_is_before_the_damage_is_read),
        TEST(a_torn_end_is_no_damage),
        TEST(what_an_earlier_journal_left_is_no_damage),
        TEST(the_next_recorder_notes_what_is_lost),
        TEST(a_journal_that_does_not_fit_the_file_is_set_aside),
        TEST(others_beside_a_reader_are_told_too),
        TEST(who_leaves_a_note_says_what_is_lost),
        TEST(a_damaged_page_does_not_go_into_the_file),
        TEST(pages_that_are_replaced_are_read_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
