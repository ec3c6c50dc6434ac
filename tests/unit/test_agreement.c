/* SPDX-License-Identifier: MIT */
/* Agreement on hand-made readings: what passes is no difference, what stays is one. */
#include "derive/agreement_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#define TCP_BIT PROTO_BIT(PROTO_TCP)

/* Two namespaces, of which the first was read; what each teller brings is added by the tests. */
struct round {
    struct snapshot snapshots[TELLERS];
};

static void begin(struct round *round)
{
    for (unsigned int teller = 0; teller < TELLERS; teller++) {
        struct snapshot *snapshot = &round->snapshots[teller];
        uint32_t netns;

        assert_int_equal(snapshot_init(snapshot), 0);
        assert_int_equal(snapshot_add_netns(snapshot, 4026531840u, &netns), 0);
        assert_int_equal(snapshot_add_netns(snapshot, 4026531841u, &netns), 0);
        snapshot->netns[0].flags |= NETNS_READ;
        snapshot_source(snapshot, "tcp", "a test");
    }
}

static void end(struct round *round)
{
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        snapshot_done(&round->snapshots[teller]);
}

static struct agreement_reading reading_of(const struct round *round)
{
    struct agreement_reading reading;

    for (unsigned int teller = 0; teller < TELLERS; teller++) {
        reading.snapshots[teller] = &round->snapshots[teller];
        reading.protos[teller] = TCP_BIT;
    }
    return reading;
}

/* /proc tells no cookie. */
static void add(struct round *round, enum teller teller, uint16_t port, uint32_t inode,
                uint64_t cookie)
{
    struct socket *socket = snapshot_add_socket(&round->snapshots[teller]);

    assert_non_null(socket);
    socket->proto = PROTO_TCP;
    socket->family = AF_INET;
    socket->state = inode ? STATE_LISTENING : STATE_TIME_WAIT;
    socket->local_port = port;
    socket->inode = inode;
    if (teller != TELLER_PROC) {
        socket->cookie = cookie;
        socket->has |= SOCKET_HAS_COOKIE;
    }
}

static void add_to_all(struct round *round, uint16_t port, uint32_t inode, uint64_t cookie)
{
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        add(round, teller, port, inode, cookie);
}

static void add_holder(struct round *round, enum teller teller, uint32_t inode, uint32_t pid)
{
    struct snapshot *snapshot = &round->snapshots[teller];
    uint32_t process;

    snapshot_source(snapshot, "owners", "a test");
    assert_int_equal(snapshot_add_process(snapshot, pid, &process), 0);
    if (inode)
        assert_int_equal(
            snapshot_add_holder(snapshot, (struct holder){.inode = inode, .process = process}), 0);
}

static void take(struct agreement *agreement, const struct round *round)
{
    struct agreement_reading reading = reading_of(round);

    assert_int_equal(agreement_add(agreement, &reading), 0);
}

/* The rows after the last round; its snapshots get the texts. */
static struct selfcheck rows_of(const struct agreement *agreement, struct round *round)
{
    struct selfcheck rows = {.rows = NULL};
    struct agreement_reading reading = reading_of(round);

    assert_int_equal(agreement_write(agreement, &reading, &round->snapshots[0], &rows), 0);
    return rows;
}

static void equal_readings_agree(void **state)
{
    struct agreement *agreement = agreement_new();
    struct selfcheck rows;
    struct round round;

    (void)state;
    begin(&round);
    add_to_all(&round, 80, 7, 70);
    add_to_all(&round, 81, 0, 71);
    add(&round, TELLER_PROC, 80, 7, 0); /* told twice */
    round.snapshots[TELLER_PROC].sockets[0].netns = 0;
    take(agreement, &round);
    assert_true(agreement_is_settled(agreement));
    rows = rows_of(agreement, &round);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].result, SELFCHECK_AGREES);
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        assert_int_equal(rows.rows[0].counts[teller], 2);
    selfcheck_done(&rows);
    agreement_free(agreement);
    end(&round);
}

/* A listener that /proc lacks in both rounds; one that netlink lacks in the first alone; a port
 * that another socket has in the second. */
static void what_stays_is_a_difference(void **state)
{
    struct agreement *agreement = agreement_new();
    struct agreement_result result;
    struct agreement_difference difference;
    struct selfcheck rows;
    struct round first, second;

    (void)state;
    begin(&first);
    add(&first, TELLER_BPF, 80, 7, 70);
    add(&first, TELLER_NETLINK, 80, 7, 70);
    add(&first, TELLER_BPF, 81, 8, 71);
    add(&first, TELLER_PROC, 81, 8, 0);
    add(&first, TELLER_NETLINK, 82, 0, 72);
    take(agreement, &first);
    assert_false(agreement_is_settled(agreement));
    begin(&second);
    add(&second, TELLER_BPF, 80, 7, 70);
    add(&second, TELLER_NETLINK, 80, 7, 70);
    add_to_all(&second, 81, 8, 71);
    add(&second, TELLER_NETLINK, 82, 0, 73);
    take(agreement, &second);
    assert_false(agreement_is_settled(agreement));
    agreement_result(agreement, PROTO_TCP, &result);
    assert_int_equal(result.counts[TELLER_NETLINK], 3);
    assert_int_equal(result.counts[TELLER_PROC], 1);
    assert_int_equal(result.differing, 1);
    assert_int_equal(result.passing, 2);
    assert_int_equal(agreement_count(agreement), 1);
    difference = agreement_difference(agreement, 0);
    assert_int_equal(difference.tells, 1u << TELLER_BPF | 1u << TELLER_NETLINK);
    assert_int_equal(difference.silent, 1u << TELLER_PROC);
    assert_int_equal(second.snapshots[difference.teller].sockets[difference.index].local_port, 80);
    rows = rows_of(agreement, &second);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].result, SELFCHECK_DIFFERS);
    assert_int_equal(rows.rows[0].differing, 1);
    assert_int_equal(rows.rows[0].passing, 2);
    assert_int_equal(rows.rows[1].kind, SELFCHECK_DIFFERENCE);
    assert_int_equal(rows.rows[1].counts[TELLER_BPF], 1);
    assert_int_equal(rows.rows[1].counts[TELLER_PROC], 0);
    assert_non_null(
        strstr(snapshot_string(&second.snapshots[0], rows.rows[1].name, NULL), ":80 listening"));
    selfcheck_done(&rows);
    agreement_free(agreement);
    end(&first);
    end(&second);
}

/* Between two readings it lost its inode: with its ends it is told of. */
static void another_state_is_no_difference(void **state)
{
    struct agreement *agreement = agreement_new();
    struct round round;

    (void)state;
    begin(&round);
    add(&round, TELLER_BPF, 80, 7, 70);
    add(&round, TELLER_NETLINK, 80, 7, 70);
    add(&round, TELLER_PROC, 80, 7, 0);
    add(&round, TELLER_PROC, 80, 0, 0);
    take(agreement, &round);
    assert_true(agreement_is_settled(agreement));
    agreement_free(agreement);
    end(&round);
}

/* Of namespaces that were not read, and of protocols that a teller does not bring, it is no
 * witness. */
static void who_cannot_tell_is_not_asked(void **state)
{
    struct agreement *agreement = agreement_new();
    struct agreement_reading reading;
    struct selfcheck rows = {.rows = NULL};
    struct round round;

    (void)state;
    begin(&round);
    add(&round, TELLER_BPF, 80, 7, 70);
    add(&round, TELLER_NETLINK, 80, 7, 70);
    add(&round, TELLER_BPF, 81, 8, 71);
    round.snapshots[TELLER_BPF].sockets[1].netns = 1;
    reading = reading_of(&round);
    reading.protos[TELLER_PROC] = 0;
    assert_int_equal(agreement_add(agreement, &reading), 0);
    assert_true(agreement_is_settled(agreement));
    assert_int_equal(agreement_write(agreement, &reading, &round.snapshots[0], &rows), 0);
    assert_int_equal(rows.rows[0].tellers, 1u << TELLER_BPF | 1u << TELLER_NETLINK);
    selfcheck_done(&rows);
    agreement_free(agreement);
    end(&round);
}

/* A process that /proc does not show is one, unless /proc says that it hides some. */
static void hidden_owners(void **state)
{
    (void)state;
    for (unsigned int says = 0; says < 2; says++) {
        struct agreement *agreement = agreement_new();
        struct round round;

        begin(&round);
        add_to_all(&round, 80, 7, 70);
        add_holder(&round, TELLER_BPF, 7, 100);
        add_holder(&round, TELLER_BPF, 7, 101);
        add_holder(&round, TELLER_BPF, 9, 101); /* of no socket that was told of */
        add_holder(&round, TELLER_PROC, 7, 100);
        if (says)
            snapshot_note(&round.snapshots[TELLER_PROC], NOTE_OWNERS, "a test", 0, "some");
        take(agreement, &round);
        assert_int_equal(agreement_is_settled(agreement), says);
        agreement_free(agreement);
        end(&round);
    }
}

static void assert_row(const struct selfcheck *rows, const struct round *round, uint32_t index,
                       const char *name, const char *detail)
{
    const struct snapshot *texts = &round->snapshots[0];

    assert_true(index < rows->count);
    assert_string_equal(snapshot_string(texts, rows->rows[index].name, NULL), name);
    assert_string_equal(snapshot_string(texts, rows->rows[index].detail, NULL), detail);
}

/* Who tells, who does not, and what that hints at. */
static void words(void **state)
{
    struct agreement *agreement = agreement_new();
    struct agreement_reading reading;
    struct socket *forged;
    struct selfcheck rows;
    struct round round;

    (void)state;
    begin(&round);
    add(&round, TELLER_BPF, 80, 7, 70);
    add(&round, TELLER_PROC, 80, 7, 0);
    add(&round, TELLER_PROC, 0, 8, 0);
    forged = &round.snapshots[TELLER_PROC].sockets[1];
    forged->proto = PROTO_UNIX;
    forged->family = AF_UNIX;
    assert_int_equal(snapshot_intern(&round.snapshots[TELLER_PROC], "/a", 2, &forged->path), 0);
    add_holder(&round, TELLER_BPF, 7, 100);
    add_holder(&round, TELLER_PROC, 0, 100);
    reading = reading_of(&round);
    for (unsigned int teller = 0; teller < TELLERS; teller++) {
        snapshot_source(&round.snapshots[teller], "unix", "a test");
        reading.protos[teller] |= PROTO_BIT(PROTO_UNIX);
    }
    assert_int_equal(agreement_add(agreement, &reading), 0);
    assert_int_equal(agreement_add(agreement, &reading), 0);
    rows = rows_of(agreement, &round);
    assert_int_equal(rows.count, 6);
    assert_row(&rows, &round, 0, "tcp", "");
    assert_row(&rows, &round, 1, "unix", "");
    assert_row(&rows, &round, 2, "owners", "");
    assert_row(&rows, &round, 3, "tcp 0.0.0.0:80 listening inode 7 in namespace 4026531840",
               "bpf and /proc tell of it in each of 2 readings, netlink does not: something hides "
               "it, as a rootkit does, or the kernel has a fault");
    assert_row(&rows, &round, 4, "unix listening /a inode 8 in namespace 4026531840",
               "/proc tells of it in each of 2 readings, bpf and netlink do not: a name with a "
               "line break in it can forge such a line of /proc/net/unix");
    assert_row(&rows, &round, 5, "process (100) with the socket of inode 7",
               "bpf tells of it in each of 2 readings, /proc does not: something hides it in "
               "/proc, as a rootkit or a preloaded library does, or the kernel has a fault");
    selfcheck_done(&rows);
    agreement_free(agreement);
    end(&round);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_readings_agree),
        cmocka_unit_test(what_stays_is_a_difference),
        cmocka_unit_test(another_state_is_no_difference),
        cmocka_unit_test(who_cannot_tell_is_not_asked),
        cmocka_unit_test(hidden_owners),
        cmocka_unit_test(words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
