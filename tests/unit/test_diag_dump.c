/* SPDX-License-Identifier: MIT */
/* Kept answers of sock_diag: whole ones, cut ones, spoiled ones. */
#include "collect/inet_diag_dump.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SOCKETS 3

struct dump {
    _Alignas(8) char bytes[4096];
    size_t length;
};

static void put_message(struct dump *dump, uint16_t type, const void *payload, size_t length)
{
    struct nlmsghdr header = {.nlmsg_len = (uint32_t)(sizeof(header) + length), .nlmsg_type = type};

    assert_true(dump->length + NLMSG_ALIGN(sizeof(header) + length) <= sizeof(dump->bytes));
    memcpy(dump->bytes + dump->length, &header, sizeof(header));
    if (length)
        memcpy(dump->bytes + dump->length + sizeof(header), payload, length);
    dump->length += NLMSG_ALIGN(sizeof(header) + length);
}

/* A listener, with the name of its congestion control. */
static void put_socket(struct dump *dump, uint8_t family, uint16_t port)
{
    struct {
        struct inet_diag_msg message;
        struct nlattr attribute;
        char name[8];
    } body = {
        .message = {.idiag_family = family, .idiag_state = STATE_LISTENING, .idiag_inode = 7},
        .attribute = {.nla_len = NLA_HDRLEN + 6, .nla_type = INET_DIAG_CONG},
        .name = "cubic",
    };

    body.message.id.idiag_sport = (uint16_t)(port << 8 | port >> 8);
    put_message(dump, SOCK_DIAG_BY_FAMILY, &body, sizeof(body));
}

static struct dump usual_dump(void)
{
    struct dump dump = {.length = 0};
    int status = 0;

    for (uint16_t i = 0; i < SOCKETS; i++)
        put_socket(&dump, i == 2 ? AF_INET6 : AF_INET, (uint16_t)(80 + i));
    put_message(&dump, NLMSG_DONE, &status, sizeof(status));
    return dump;
}

/* Reads a copy of its own size, so that the sanitizer sees a read behind it. */
static void read_dump(const char *bytes, size_t length, struct snapshot *ret_snapshot)
{
    struct request request = {.protos = PROTO_BIT(PROTO_TCP)};
    struct collection collection = {.snapshot = ret_snapshot, .request = &request};
    char *copy = malloc(length ? length : 1);
    FILE *file;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    assert_int_equal(snapshot_init(ret_snapshot), 0);
    file = length ? fmemopen(copy, length, "r") : fopen("/dev/null", "re");
    assert_non_null(file);
    assert_int_equal(inet_diag_read_stream(&collection, file, "A_FILE"), 0);
    fclose(file);
    free(copy);
}

/* How many sockets there are; *ret_notes: what is said. */
static uint32_t count_sockets(const struct dump *dump, size_t length, uint32_t *ret_notes)
{
    struct snapshot snapshot;
    uint32_t count;

    read_dump(dump->bytes, length, &snapshot);
    count = snapshot.sockets_count;
    *ret_notes = snapshot.notes_count;
    assert_int_equal(snapshot.incomplete, snapshot.notes_count > 0);
    for (uint32_t i = 0; i < snapshot.notes_count; i++)
        assert_non_null(strstr(snapshot_string(&snapshot, snapshot.notes[i].text, NULL), "A_FILE"));
    snapshot_done(&snapshot);
    return count;
}

static void a_whole_answer(void **state)
{
    struct dump dump = usual_dump();
    struct snapshot snapshot;

    (void)state;
    read_dump(dump.bytes, dump.length, &snapshot);
    assert_int_equal(snapshot.sockets_count, SOCKETS);
    assert_int_equal(snapshot.notes_count, 0);
    assert_int_equal(snapshot.sockets[0].proto, PROTO_TCP);
    assert_int_equal(snapshot.sockets[1].local_port, 81);
    assert_int_equal(snapshot.sockets[2].family, AF_INET6);
    assert_int_equal(snapshot.tcp_infos_count, SOCKETS);
    assert_string_equal(snapshot_string(&snapshot, snapshot.tcp_infos[0].congestion, NULL),
                        "cubic");
    snapshot_done(&snapshot);
}

/* What stands behind the end of an answer is another one: that of the second family. */
static void the_first_end_is_the_end(void **state)
{
    struct dump dump = usual_dump();
    uint32_t notes;

    (void)state;
    put_socket(&dump, AF_INET6, 99);
    assert_int_equal(count_sockets(&dump, dump.length, &notes), SOCKETS);
    assert_int_equal(notes, 0);
}

static void every_cut_is_told(void **state)
{
    struct dump dump = usual_dump();
    const size_t each =
        (dump.length - NLMSG_ALIGN(sizeof(struct nlmsghdr) + sizeof(int))) / SOCKETS;
    uint32_t notes;

    (void)state;
    for (size_t cut = 0; cut < dump.length; cut++) {
        assert_int_equal(count_sockets(&dump, cut, &notes), cut / each);
        assert_int_equal(notes, 1);
    }
}

static void errors_and_strangers(void **state)
{
    struct dump refused = {.length = 0}, cut = {.length = 0}, strange = {.length = 0};
    static const char zeros[100];
    int error = -EPERM;
    uint32_t notes;

    (void)state;
    put_message(&refused, NLMSG_ERROR, &error, sizeof(error));
    assert_int_equal(count_sockets(&refused, refused.length, &notes), 0);
    assert_int_equal(notes, 1);
    put_message(&cut, NLMSG_ERROR, NULL, 0);
    assert_int_equal(count_sockets(&cut, cut.length, &notes), 0);
    assert_int_equal(notes, 1);
    put_message(&strange, NLMSG_NOOP, NULL, 0);
    put_message(&strange, SOCK_DIAG_BY_FAMILY, &error, sizeof(error));
    put_message(&strange, SOCK_DIAG_BY_FAMILY + 1, zeros, sizeof(zeros));
    put_socket(&strange, AF_UNIX, 1);
    put_socket(&strange, AF_INET, 2);
    put_message(&strange, NLMSG_DONE, NULL, 0);
    assert_int_equal(count_sockets(&strange, strange.length, &notes), 1);
    assert_int_equal(notes, 1);
}

/* No length is believed. */
static void lengths_that_cannot_be(void **state)
{
    static const uint32_t lengths[] = {0, 1, 15, 65536 + 17, UINT32_MAX - 3, UINT32_MAX};
    struct dump dump = usual_dump();
    uint32_t notes;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        memcpy(dump.bytes, &lengths[i], sizeof(lengths[i]));
        assert_int_equal(count_sockets(&dump, dump.length, &notes), 0);
        assert_int_equal(notes, 1);
    }
}

/* Every byte changed in some ways: whatever comes of it, no byte outside is read. */
static void spoiled_bytes_are_survived(void **state)
{
    static const char bytes[] = {'\0', '\1', '\x7f', '\x80', '\xff'};
    uint32_t notes;

    (void)state;
    for (size_t at = 0; at < usual_dump().length * sizeof(bytes); at++) {
        struct dump dump = usual_dump();

        dump.bytes[at / sizeof(bytes)] = bytes[at % sizeof(bytes)];
        assert_in_range(count_sockets(&dump, dump.length, &notes), 0, SOCKETS);
    }
}

static void a_file_that_is_not_there(void **state)
{
    struct request_files files = {
        .protos = PROTO_BIT(PROTO_TCP), .tcp_dump = "/nonexistent/dump", .tcp_dump_name = "A_FILE"};
    struct request request = {.protos = PROTO_ALL, .files = &files};
    struct snapshot snapshot;
    struct collection collection = {.snapshot = &snapshot, .request = &request};

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    assert_int_equal(inet_diag_read_dump(&collection), 0);
    assert_int_equal(collection.protos_done, PROTO_BIT(PROTO_TCP));
    assert_int_equal(snapshot.notes_count, 1);
    assert_int_equal(snapshot.notes[0].error, -ENOENT);
    snapshot_done(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer),           cmocka_unit_test(the_first_end_is_the_end),
        cmocka_unit_test(every_cut_is_told),        cmocka_unit_test(errors_and_strangers),
        cmocka_unit_test(lengths_that_cannot_be),   cmocka_unit_test(spoiled_bytes_are_survived),
        cmocka_unit_test(a_file_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
