/* SPDX-License-Identifier: MIT */
/* The byte stream of the BPF iterators: whole, cut and malformed records. */
#include "bpf/iterators.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#define STREAM_RECORDS 5

struct stream {
    _Alignas(8) char bytes[STREAM_RECORDS * RECORD_SIZE_MAX];
    size_t length;
};

struct seen {
    unsigned int count, sockets, owners, tcps;
    uint64_t cookies;
    int result;
};

static void add(struct stream *stream, uint8_t parts, uint64_t cookie)
{
    struct record_head head = {.cookie = cookie, .parts = parts, .size = sizeof(head)};
    size_t at = stream->length;

    if (parts & RECORD_SOCKET)
        head.size += sizeof(struct record_socket);
    if (parts & RECORD_OWNER)
        head.size += sizeof(struct record_owner);
    if (parts & RECORD_TCP)
        head.size += sizeof(struct record_tcp);
    memset(stream->bytes + at, 0, head.size);
    memcpy(stream->bytes + at, &head, sizeof(head));
    if (parts & RECORD_OWNER) {
        struct record_owner owner = {.tgid = 7, .fd = 3, .comm = "name"};
        size_t behind = parts & RECORD_TCP ? sizeof(struct record_tcp) : 0;

        memcpy(stream->bytes + at + head.size - behind - sizeof(owner), &owner, sizeof(owner));
    }
    if (parts & RECORD_TCP) {
        struct record_tcp tcp = {.mss = 1448};

        memcpy(stream->bytes + at + head.size - sizeof(tcp), &tcp, sizeof(tcp));
    }
    stream->length += head.size;
}

static struct stream make_stream(void)
{
    struct stream stream = {.length = 0};

    add(&stream, 0, 1);
    add(&stream, RECORD_SOCKET, 2);
    add(&stream, RECORD_OWNER, 4);
    add(&stream, RECORD_SOCKET | RECORD_OWNER, 8);
    add(&stream, RECORD_SOCKET | RECORD_OWNER | RECORD_TCP, 16);
    return stream;
}

static int see(void *context, const struct record *record)
{
    struct seen *seen = context;

    seen->count++;
    seen->cookies += record->head->cookie;
    seen->sockets += record->socket != NULL;
    if (record->owner) {
        seen->owners++;
        assert_int_equal(record->owner->tgid, 7);
        assert_int_equal(record->owner->fd, 3);
        assert_string_equal(record->owner->comm, "name");
    }
    if (record->tcp) {
        seen->tcps++;
        assert_int_equal(record->tcp->mss, 1448);
    }
    return seen->result;
}

static void test_every_kind(void **state)
{
    struct stream stream = make_stream();
    struct seen seen = {0};
    size_t used = 0;

    (void)state;
    assert_int_equal(record_split(stream.bytes, stream.length, see, &seen, &used), 0);
    assert_int_equal(used, stream.length);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.sockets, 3);
    assert_int_equal(seen.owners, 3);
    assert_int_equal(seen.tcps, 1);
    assert_int_equal(seen.cookies, 31);
}

/* Cut anywhere, the whole records are used and the rest is left for the next read. */
static void test_cut_anywhere(void **state)
{
    struct stream stream = make_stream();

    (void)state;
    for (size_t cut = 0; cut <= stream.length; cut++) {
        struct seen seen = {0};
        _Alignas(8) char rest[sizeof(stream.bytes)];
        size_t first = 0, second = 0;

        assert_int_equal(record_split(stream.bytes, cut, see, &seen, &first), 0);
        assert_true(first <= cut);
        memcpy(rest, stream.bytes + first, stream.length - first);
        assert_int_equal(record_split(rest, stream.length - first, see, &seen, &second), 0);
        assert_int_equal(first + second, stream.length);
        assert_int_equal(seen.cookies, 31);
    }
}

static void test_wrong_size(void **state)
{
    static const uint16_t sizes[] = {0, 8, 23, 25, 32, 65528, 65535};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct stream stream = make_stream();
        struct record_head *head = (struct record_head *)stream.bytes;
        struct seen seen = {0};
        size_t used = 77;

        head->size = sizes[i];
        assert_int_equal(record_split(stream.bytes, stream.length, see, &seen, &used), -EBADMSG);
        assert_int_equal(used, 77);
        assert_int_equal(seen.count, 0);
    }
}

static void test_unknown_part(void **state)
{
    struct stream stream = make_stream();
    struct seen seen = {0};
    size_t used = 0;

    (void)state;
    ((struct record_head *)stream.bytes)->parts = 0x80;
    assert_int_equal(record_split(stream.bytes, stream.length, see, &seen, &used), -EBADMSG);
}

static void test_callback_ends_it(void **state)
{
    struct stream stream = make_stream();
    struct seen seen = {.result = -ENOMEM};
    size_t used = 0;

    (void)state;
    assert_int_equal(record_split(stream.bytes, stream.length, see, &seen, &used), -ENOMEM);
    assert_int_equal(seen.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),       cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_wrong_size),       cmocka_unit_test(test_unknown_part),
        cmocka_unit_test(test_callback_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
