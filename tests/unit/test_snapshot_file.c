/* SPDX-License-Identifier: MIT */
/* Tests of snapshot files: what is written is read again. */
#include "snapshot_fixture.h"

#include "base/crc32.h"

static void checksums_are_the_known_ones(void **state)
{
    struct crc32 crc;

    (void)state;
    crc32_init(&crc);
    assert_int_equal(crc32_add(&crc, 0, "123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_add(&crc, crc32_add(&crc, 0, "12345678", 8), "9", 1), 0xcbf43926);
    assert_int_equal(crc32_add(&crc, crc32_add(&crc, 0, "1", 1), "23456789", 8), 0xcbf43926);
    assert_int_equal(crc32_add(&crc, 0, "", 0), 0);
}

/* A field that was added to a struct and not to the tables shows here. */
static void every_field_is_described(void **state)
{
    /* By the rules of 64-bit machines; a test on one of them is enough. */
    const uint16_t padding[SECTION_MAX] = {[SECTION_TCP] = 5,
                                           /* netns.counted: recordings list every socket */
                                           [SECTION_NETNS] = STATE_MAX * sizeof(uint32_t),
                                           [SECTION_CGROUPS] = 4,
                                           [SECTION_SETTINGS] = 4,
                                           [SECTION_CONNTRACKS] = 7,
                                           [SECTION_FLOWS] = 2};

    (void)state;
    for (unsigned int s = 1; s < SECTION_MAX; s++) {
        unsigned int described = 0;

        for (unsigned int i = 0; i < snapshot_sections[s].field_count; i++)
            described += snapshot_sections[s].fields[i].width;
        if (sizeof(void *) == 8 && described + padding[s] != snapshot_sections[s].size)
            fail_msg("src/model/snapshot_fields.c: section '%s' describes %u of %u bytes",
                     snapshot_sections[s].name, described, snapshot_sections[s].size);
    }
    /* All before it is described, but signless, counted and busiest_route: recordings leave no
       socket out. */
    assert_int_equal(offsetof(struct snapshot, strings), 92 + 3 * sizeof(uint32_t));
}

static void what_is_written_is_read(void **state)
{
    CLEANUP(snapshot_done) struct snapshot sample, copy;
    CLEANUP_CLOSE int fd = new_file();
    struct snapshot_file_error error;
    size_t length;

    (void)state;
    make_sample(&sample);
    assert_int_equal(snapshot_write(&sample, fd), 0);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(snapshot_read(fd, &copy, &error), 0);
    assert_string_equal(error.text, "");
    assert_true(is_same(&sample, &copy));
    assert_int_equal(map_get(&copy.process_index, 4242), 1);
    assert_int_equal(snapshot_cgroup_path(&copy, sample.cgroups[0].id), sample.cgroups[0].path);
    assert_int_equal(snapshot_cgroup_path(&copy, sample.cgroups[0].id + 1), 0);
    assert_memory_equal(snapshot_string(&copy, copy.sockets[0].path, &length), "a\0b\n", 5);
    assert_int_equal(length, 4);
    assert_int_equal(intern(&copy, "cubic", 5), sample.tcp_infos[0].congestion);
    assert_int_equal(snapshot_add_netns(&copy, 1, &(uint32_t){0}), 0);
    snapshot_done(&copy);
}

static void pipes_work(void **state)
{
    CLEANUP(snapshot_done) struct snapshot sample, copy;
    struct snapshot_file_error error;
    int ends[2];

    (void)state;
    make_sample(&sample);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(snapshot_write(&sample, ends[1]), 0); /* fits into the pipe's buffer */
    close(ends[1]);
    assert_int_equal(snapshot_read(ends[0], &copy, &error), 0);
    close(ends[0]);
    assert_true(is_same(&sample, &copy));
}

static void large_arrays_come_back(void **state)
{
    CLEANUP(snapshot_done) struct snapshot sample, copy;
    struct snapshot_file_error error;
    CLEANUP_CLOSE int fd = new_file();

    (void)state;
    make_sample(&sample);
    for (uint32_t i = 0; i < 100003; i++) {
        struct socket *socket = snapshot_add_socket(&sample);

        socket->cookie = i * UINT64_C(0x100000001);
        socket->local.words[3] = ~i;
        assert_int_equal(snapshot_add_holder(&sample, (struct holder){.inode = i, .fd = -1}), 0);
    }
    assert_int_equal(snapshot_write(&sample, fd), 0);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(snapshot_read(fd, &copy, &error), 0);
    assert_true(is_same(&sample, &copy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_the_known_ones), cmocka_unit_test(every_field_is_described),
        cmocka_unit_test(what_is_written_is_read),      cmocka_unit_test(pipes_work),
        cmocka_unit_test(large_arrays_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
