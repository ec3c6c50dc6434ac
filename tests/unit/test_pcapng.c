/* SPDX-License-Identifier: MIT */
/* Files of pcapng: what is written is read, and what others write, in either byte order. */
#include "savefile/pcapng.h"
#include "savefile/pcapng_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

static const struct packet_interface ethernet = {"eth0", "netns web", .link_type = 1,
                                                 .snapshot_length = 262144, .nanoseconds = true};
static const struct packet_interface raw = {"tun0", NULL, .link_type = 12, .snapshot_length = 96,
                                            .nanoseconds = false};
static const struct packet_note known = {0, PACKET_OUT, 1187, 1190, "nginx[1187]"};

static struct captured packet(const char *bytes)
{
    return (struct captured){(const uint8_t *)bytes, (uint32_t)strlen(bytes), 1500, 1700000000,
                             123456};
}

static struct pcapng_reader *open_bytes(const void *bytes, size_t size,
                                        const struct pcapng_names *names)
{
    static const struct pcapng_names none;
    struct pcapng_reader *reader = NULL;

    assert_int_equal(pcapng_reader_open_bytes(bytes, size, names ? names : &none, &reader), 0);
    return reader;
}

static void take_name(void *context, unsigned int family, const uint8_t *address, const char *name)
{
    buf_address(context, family, address);
    buf_printf(context, "=%s ", name);
}

static void put_all(struct buf *file)
{
    static const uint8_t v4[] = {192, 0, 2, 1}, v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    struct captured first = packet("first"), second = packet("second!!");
    struct packet_counts counts = {10, 2, 3};

    pcapng_put_section(file, "nwho");
    pcapng_put_interface(file, &ethernet);
    pcapng_put_packet(file, &ethernet, &first, &known);
    pcapng_put_name(file, AF_INET, v4, "web.example");
    pcapng_put_interface(file, &raw);
    pcapng_put_name(file, AF_INET6, v6, "db.example");
    pcapng_put_packet(file, &raw, &second, &(struct packet_note){.interface = 1});
    pcapng_put_statistics(file, 0, &ethernet, 1700000001000000000, &counts);
}

static void what_is_written_is_read(void **state)
{
    struct buf file = BUF_INIT, names = BUF_INIT;
    struct pcapng_names teller = {take_name, &names};
    struct pcapng_reader *reader;
    struct captured captured;
    struct packet_note note;

    (void)state;
    put_all(&file);
    assert_true(pcapng_begins((const uint8_t *)file.data, file.length));
    reader = open_bytes(file.data, file.length, &teller);
    assert_int_equal(pcapng_reader_next(reader, &captured, &note), 1);
    assert_memory_equal(captured.bytes, "first", 5);
    assert_int_equal(captured.captured, 5);
    assert_int_equal(captured.length, 1500);
    assert_int_equal(captured.seconds, 1700000000);
    assert_int_equal(captured.fraction, 123456);
    assert_int_equal(note.direction, PACKET_OUT);
    assert_int_equal(note.pid, 1187);
    assert_int_equal(note.tid, 1190);
    assert_string_equal(note.comment, "nginx[1187]");
    assert_int_equal(pcapng_reader_next(reader, &captured, &note), 1);
    assert_memory_equal(captured.bytes, "second!!", 8);
    assert_int_equal(captured.fraction, 123456000);
    assert_int_equal(note.interface, 1);
    assert_int_equal(note.pid, 0);
    assert_null(note.comment);
    assert_int_equal(pcapng_reader_next(reader, &captured, &note), 0);
    assert_null(pcapng_reader_problem(reader));
    assert_string_equal(buf_string(&names), "192.0.2.1=web.example 2001:db8::1=db.example ");
    assert_int_equal(pcapng_reader_interface_count(reader), 2);
    assert_string_equal(pcapng_reader_interface(reader, 0)->name, "eth0");
    assert_string_equal(pcapng_reader_interface(reader, 0)->description, "netns web");
    assert_int_equal(pcapng_reader_interface(reader, 1)->link_type, 12);
    assert_int_equal(pcapng_reader_counts(reader, 0)->received, 10);
    assert_int_equal(pcapng_reader_counts(reader, 0)->dropped_by_interface, 2);
    assert_int_equal(pcapng_reader_counts(reader, 0)->dropped_by_kernel, 3);
    pcapng_reader_close(reader);
    buf_done(&file);
    buf_done(&names);
}

/* Cut anywhere, a file gives the packets that are whole, and says that it is cut. */
static void a_file_that_is_cut(void **state)
{
    struct buf file = BUF_INIT;
    uint32_t most = 0;

    (void)state;
    put_all(&file);
    for (size_t size = 0; size <= file.length; size++) {
        struct pcapng_reader *reader = open_bytes(file.data, size, NULL);
        struct captured captured;
        struct packet_note note;
        uint32_t count = 0, block = 0;
        size_t whole = 0;

        while (pcapng_reader_next(reader, &captured, &note) > 0)
            count++;
        assert_true(count >= most);
        most = count;
        while (whole < size && size - whole >= 8) { /* where blocks end */
            memcpy(&block, file.data + whole + 4, sizeof(block));
            if (block > size - whole)
                break;
            whole += block;
        }
        assert_int_equal(pcapng_reader_problem(reader) == NULL, whole == size);
        pcapng_reader_close(reader);
    }
    assert_int_equal(most, 2);
    buf_done(&file);
}

/* By hand, most significant byte first: an interface whose times are halves of a second and begin
 * later, a block and an option of kinds unknown, an old packet, and a second section. */
static const uint8_t foreign[] =
    "\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x1c"
    "\0\0\0\1\0\0\0\x28\0\x65\0\0\0\0\0\4\0\x09\0\1\x81\0\0\0\0\x0e\0\x08\0\0\0\0\0\0\0\x64"
    "\0\0\0\x28"
    "\x40\0\x0b\xad\0\0\0\x10\0\0\0\0\0\0\0\x10"
    "\0\0\0\2\0\0\0\x24\0\0\0\7\0\0\0\0\0\0\0\5\0\0\0\3\0\0\0\x09"
    "abc\0\0\0\0\x24"
    "\0\0\0\6\0\0\0\x38\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\2\0\0\0\2xy\0\0"
    "\x0b\xb8\0\1z\0\0\0\0\2\0\4\0\0\0\1\0\0\0\0\0\0\0\x38"
    "\0\0\0\3\0\0\0\x14\0\0\0\x32"
    "long\0\0\0\x14"
    "\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x1c"
    "\0\0\0\6\0\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\x20";

static void a_file_of_others(void **state)
{
    struct pcapng_reader *reader = open_bytes(foreign, sizeof(foreign) - 1, NULL);
    struct captured captured;
    struct packet_note note;

    (void)state;
    assert_int_equal(pcapng_reader_next(reader, &captured, &note), 1);
    assert_int_equal(pcapng_reader_interface(reader, 0)->link_type, 12);
    assert_int_equal(captured.seconds, 102);
    assert_int_equal(captured.fraction, 500000000);
    assert_int_equal(captured.length, 9);
    assert_memory_equal(captured.bytes, "abc", 3);
    assert_int_equal(pcapng_reader_next(reader, &captured, &note), 1);
    assert_int_equal(captured.seconds, 102);
    assert_int_equal(captured.fraction, 0);
    assert_int_equal(note.direction, PACKET_IN);
    assert_int_equal(pcapng_reader_next(reader, &captured, &note), 1);
    assert_int_equal(captured.captured, 4);
    assert_int_equal(captured.length, 50);
    assert_int_equal(pcapng_reader_next(reader, &captured, &note), 0);
    assert_non_null(strstr(pcapng_reader_problem(reader), "an interface that is not there"));
    pcapng_reader_close(reader);
}

static void files_that_are_none(void **state)
{
    static const char *const files[] = {"", "\x0a\x0d\x0d", "no file of packets at all"};
    struct captured captured;
    struct packet_note note;

    (void)state;
    for (uint32_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct pcapng_reader *reader = open_bytes(files[i], strlen(files[i]), NULL);

        assert_int_equal(pcapng_reader_next(reader, &captured, &note), 0);
        assert_int_equal(pcapng_reader_problem(reader) == NULL, i == 0);
        pcapng_reader_close(reader);
    }
}

/* By a pipe the same comes, in whatever pieces. */
static void a_file_from_a_pipe(void **state)
{
    static const struct pcapng_names none;
    struct buf file = BUF_INIT;
    struct pcapng_reader *reader;
    struct captured captured = packet(""), got;
    struct packet_note note;
    int ends[2];
    char large[3000];

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    captured = packet(large);
    pcapng_put_section(&file, NULL);
    pcapng_put_interface(&file, &ethernet);
    for (uint32_t i = 0; i < 20; i++)
        pcapng_put_packet(&file, &ethernet, &captured, &known);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], file.data, file.length), (ssize_t)file.length);
    close(ends[1]);
    assert_int_equal(pcapng_reader_open(ends[0], &none, &reader), 0);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(pcapng_reader_next(reader, &got, &note), 1);
        assert_int_equal(got.captured, sizeof(large) - 1);
        assert_memory_equal(got.bytes, large, sizeof(large) - 1);
    }
    assert_int_equal(pcapng_reader_next(reader, &got, &note), 0);
    assert_null(pcapng_reader_problem(reader));
    pcapng_reader_close(reader);
    buf_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(a_file_that_is_cut),
        cmocka_unit_test(a_file_of_others),        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(a_file_from_a_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
