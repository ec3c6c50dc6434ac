/* SPDX-License-Identifier: MIT */
/* Snapshot files as nwho writes none: those of other versions are read, all else is refused. */
#include "sanitized.h"
#include "snapshot_fixture.h"

#include "base/crc32.h"

#include <stdio.h>

#define HEAD_BYTES 24

/* With a sanitizer the whole takes half a minute; 7 comes to each bit of some byte. */
#ifdef IS_SANITIZED
#define BITS_STEP 7
#else
#define BITS_STEP 1
#endif

static void assert_refused(const struct buf *file, int expected, const char *message)
{
    struct snapshot untouched = {.time_ns = 7};
    struct snapshot_file_error error;

    assert_int_equal(snapshot_parse(file->data, file->length, &untouched, &error), expected);
    assert_string_equal(error.text, message);
    assert_int_equal(untouched.time_ns, 7);
}

/* Files made by hand, with right checksums. */
static void put_le(struct buf *buf, uint64_t number, size_t width)
{
    for (size_t i = 0; i < width; i++)
        buf_byte(buf, (char)(number >> (8 * i)));
}

static void put_sum(struct buf *buf, size_t start)
{
    struct crc32 crc;

    crc32_init(&crc);
    put_le(buf, crc32_add(&crc, 0, buf->data + start, buf->length - start), 4);
}

static void put_head(struct buf *buf, uint16_t version, uint32_t sections)
{
    buf_puts(buf, "nwho-snapshot\n");
    put_le(buf, version, 2);
    put_le(buf, sections, 4);
    put_sum(buf, 0);
    assert_int_equal(buf->length, HEAD_BYTES);
}

struct hand_field {
    const char *name;
    uint8_t width;
};

static void put_hand_section(struct buf *buf, const char *name, uint32_t count,
                             const struct hand_field *fields, uint16_t field_count,
                             const void *data, size_t length)
{
    size_t start = buf->length;

    put_le(buf, count, 4);
    put_le(buf, field_count, 2);
    put_le(buf, strlen(name), 1);
    buf_puts(buf, name);
    for (unsigned int i = 0; i < field_count; i++) {
        put_le(buf, fields[i].width, 1);
        put_le(buf, strlen(fields[i].name), 1);
        buf_puts(buf, fields[i].name);
    }
    buf_put(buf, data, length);
    put_sum(buf, start);
}

static void put_moment(struct buf *buf)
{
    const struct hand_field fields[] = {{"time_ns", 8}};

    put_hand_section(buf, "snapshot", 1, fields, 1, "\1\0\0\0\0\0\0\0", 8);
}

static struct buf sample_file(void)
{
    CLEANUP(snapshot_done) struct snapshot sample;

    make_sample(&sample);
    return file_of(&sample);
}

static void every_flipped_bit_is_found(void **state)
{
    CLEANUP(buf_done) struct buf file = sample_file();
    struct snapshot_file_error error;
    struct snapshot copy;

    (void)state;
    for (size_t bit = 0; bit < file.length * 8; bit += BITS_STEP) {
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        if (snapshot_parse(file.data, file.length, &copy, &error) == 0)
            fail_msg("bit %zu of %zu bytes can be flipped", bit, file.length);
        assert_string_not_equal(error.text, "");
        file.data[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static void every_truncation_is_found(void **state)
{
    CLEANUP(buf_done) struct buf file = sample_file();
    struct snapshot_file_error error;
    struct snapshot copy;

    (void)state;
    for (size_t length = 0; length < file.length; length++) {
        /* A copy of its own, so that a sanitizer sees any byte read behind the end. */
        CLEANUP_FREE char *cut = malloc(length + 1);

        memcpy(cut, file.data, length);
        assert_int_equal(snapshot_parse(cut, length, &copy, &error), -EBADMSG);
        assert_string_not_equal(error.text, "");
    }
    buf_byte(&file, 'x');
    assert_refused(&file, -EBADMSG, "damaged: there is something behind its end");
}

static void messages_say_what_is_wrong(void **state)
{
    char middle[64];
    CLEANUP(buf_done) struct buf file = sample_file();
    CLEANUP(buf_done) struct buf newer = BUF_INIT;

    (void)state;
    file.data[file.length - 1] ^= 1;
    assert_refused(&file, -EBADMSG, "damaged: section 'sources' does not match its checksum");
    file.length--;
    snprintf(middle, sizeof(middle), "damaged: it ends in the middle of section %d",
             SECTION_MAX + 1); /* the strings are the last one */
    assert_refused(&file, -EBADMSG, middle);
    file.data[16] ^= 1;
    assert_refused(&file, -EBADMSG, "damaged: the head does not match its checksum");
    file.data[0] ^= 1;
    assert_refused(&file, -EBADMSG, "this is no snapshot file of nwho");
    put_head(&newer, 2, 0);
    assert_refused(&newer, -EPROTONOSUPPORT,
                   "written by a newer nwho: format 2, this one reads up to format 1");
}

static void assert_sample_refused(struct snapshot *sample, const char *message)
{
    CLEANUP(buf_done) struct buf file = file_of(sample);

    assert_refused(&file, -EBADMSG, message);
}

static void values_out_of_range_are_refused(void **state)
{
    CLEANUP(snapshot_done) struct snapshot sample;

    (void)state;
    make_sample(&sample);
    sample.sockets[1].netns = 2;
    assert_sample_refused(
        &sample, "damaged: field 'netns' of element 1 in section 'sockets' is out of range");
    sample.sockets[1].netns = 1;
    sample.sockets[0].tcp = 2;
    assert_sample_refused(&sample,
                          "damaged: field 'tcp' of element 0 in section 'sockets' is out of range");
    sample.sockets[0].tcp = 1;
    sample.sockets[0].state = STATE_MAX;
    assert_sample_refused(
        &sample, "damaged: field 'state' of element 0 in section 'sockets' is out of range");
    sample.sockets[0].state = 1;
    sample.holders[0].process = UINT32_MAX;
    assert_sample_refused(
        &sample, "damaged: field 'process' of element 0 in section 'holders' is out of range");
    sample.holders[0].process = 0;
    sample.counters[0].source = 0x600; /* whose low byte alone would do */
    assert_sample_refused(
        &sample, "damaged: field 'source' of element 0 in section 'counters' is out of range");
    sample.counters[0].source = COUNTER_SNMP;
    for (uint32_t offset = 1; offset < 4; offset++) { /* in the length, not at a string */
        sample.host = offset;
        assert_sample_refused(
            &sample, "damaged: field 'host' of element 0 in section 'snapshot' is out of range");
    }
    sample.host = sample.strings.length;
    assert_sample_refused(
        &sample, "damaged: field 'host' of element 0 in section 'snapshot' is out of range");
    sample.host = 0;
    sample.processes[0].netns = 9;
    assert_sample_refused(
        &sample, "damaged: field 'netns' of element 0 in section 'processes' is out of range");
}

/* The namespace of a process counts only where it is known. */
static void unknown_namespace_needs_no_index(void **state)
{
    CLEANUP(snapshot_done) struct snapshot sample, copy;
    CLEANUP(buf_done) struct buf file = BUF_INIT;
    struct snapshot_file_error error;
    uint32_t index;

    (void)state;
    assert_int_equal(snapshot_init(&sample), 0);
    assert_int_equal(snapshot_add_process(&sample, 1, &index), 0);
    file = file_of(&sample);
    assert_int_equal(snapshot_parse(file.data, file.length, &copy, &error), 0);
    assert_true(is_same(&sample, &copy));
}

/* A file of another version of nwho: unknown parts are skipped, absent ones are zero. */
static void other_versions_can_be_read(void **state)
{
    const struct hand_field strange[] = {{"x", 3}, {"", 0}};
    const struct hand_field holder[] = {{"new", 12}, {"inode", 4}, {"new", 1}};
    CLEANUP(snapshot_done) struct snapshot copy = {0};
    CLEANUP(buf_done) struct buf file = BUF_INIT;
    struct snapshot_file_error error;
    const char data[2 * 17] = {[24] = 5, [28] = 6};
    uint32_t index;

    (void)state;
    put_head(&file, 1, 4);
    put_hand_section(&file, "strange", 2, strange, 2, "abcdef", 6);
    put_hand_section(&file, "holders", 2, holder, 3, data, sizeof(data));
    put_hand_section(&file, "", 0, NULL, 0, NULL, 0);
    put_moment(&file);
    assert_refused(&file, -EBADMSG,
                   "damaged: field 'process' of element 0 in section 'holders' is out of range");
    buf_reset(&file);
    put_head(&file, 1, 5);
    put_hand_section(&file, "strange", 2, strange, 2, "abcdef", 6);
    put_hand_section(&file, "holders", 2, holder, 3, data, sizeof(data));
    put_hand_section(&file, "", 0, NULL, 0, NULL, 0);
    put_hand_section(&file, "processes", 1, holder, 1, data, 12);
    put_moment(&file);
    assert_int_equal(snapshot_parse(file.data, file.length, &copy, &error), 0);
    assert_int_equal(copy.time_ns, 1);
    assert_int_equal(copy.boot_ns, 0);
    assert_int_equal(copy.holders_count, 2);
    assert_int_equal(copy.holders[0].inode, 5);
    assert_int_equal(copy.holders[1].inode, 6);
    assert_int_equal(copy.holders[1].fd, 0);
    assert_int_equal(snapshot_add_process(&copy, 99, &index), 0);
    assert_int_equal(index, 1);
}

static void crafted_files_are_refused(void **state)
{
    const struct hand_field narrow[] = {{"time_ns", 4}}, byte[] = {{"bytes", 1}},
                            none[] = {{"", 0}};
    CLEANUP(buf_done) struct buf file = BUF_INIT;

    (void)state;
    put_head(&file, 1, 0);
    assert_refused(&file, -EBADMSG, "damaged: section 'snapshot' is missing");
    buf_reset(&file);
    put_head(&file, 1, 2);
    put_moment(&file);
    put_moment(&file);
    assert_refused(&file, -EBADMSG, "damaged: section 'snapshot' is there twice");
    buf_reset(&file);
    put_head(&file, 1, 1);
    put_hand_section(&file, "snapshot", 1, narrow, 1, "1234", 4);
    assert_refused(&file, -EPROTONOSUPPORT,
                   "field 'time_ns' of section 'snapshot' has 4 bytes, this nwho knows it with 8");
    buf_reset(&file);
    put_head(&file, 1, 1);
    put_hand_section(&file, "snapshot", UINT32_MAX, none, 1, NULL, 0);
    assert_refused(&file, -EBADMSG, "damaged: section 'snapshot' has 4294967295 elements");
    buf_reset(&file);
    put_head(&file, 1, 1);
    put_hand_section(&file, "sockets", UINT32_MAX, none, 1, NULL, 0);
    assert_refused(&file, -EBADMSG, "damaged: section 'sockets' has too few fields");
    buf_reset(&file);
    put_head(&file, 1, 1);
    put_hand_section(&file, "sockets", UINT32_MAX, narrow, 1, NULL, 0);
    assert_refused(&file, -EBADMSG, "damaged: it ends in the middle of section 1");
    buf_reset(&file);
    put_head(&file, 1, 1);
    put_hand_section(&file, "strings", 12, byte, 1, "\0\0\0\0\0\xff\xff\xff\xff..", 12);
    assert_refused(&file, -EBADMSG, "damaged: the string at 9 is malformed");
    buf_reset(&file);
    put_head(&file, 1, 1);
    put_hand_section(&file, "strings", 17, byte, 1, "\0\0\0\0\0\1\0\0\0a\0\1\0\0\0a", 17);
    assert_refused(&file, -EBADMSG, "damaged: the string at 15 is there twice");
    buf_reset(&file);
    put_head(&file, 1, 2);
    put_hand_section(&file, "strings", 0, byte, 1, NULL, 0);
    put_hand_section(&file, "strings", 0, byte, 1, NULL, 0);
    assert_refused(&file, -EBADMSG, "damaged: section 'strings' is malformed");
}

static void assert_unreadable(const char *path, int expected, const char *message)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct snapshot_file_error error;
    struct snapshot copy;

    assert_int_equal(snapshot_read(fd, &copy, &error), expected);
    assert_string_equal(error.text, message);
}

static void other_inputs_are_refused(void **state)
{
    CLEANUP(snapshot_done) struct snapshot sample;
    CLEANUP_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_unreadable("/dev/null", -EBADMSG, "empty");
    assert_unreadable("/dev/zero", -EBADMSG, "this is no snapshot file of nwho");
    assert_unreadable("/", -EISDIR, "cannot be read: Is a directory");
    make_sample(&sample);
    assert_int_equal(snapshot_write(&sample, full), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(messages_say_what_is_wrong),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(unknown_namespace_needs_no_index),
        cmocka_unit_test(other_versions_can_be_read),
        cmocka_unit_test(crafted_files_are_refused),
        cmocka_unit_test(other_inputs_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
