/* SPDX-License-Identifier: MIT */
/* A snapshot with one of everything, and its file. */
#pragma once

#include "base/buf.h"
#include "model/snapshot_fields.h"
#include "model/snapshot_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

static inline void *elements_of(const struct snapshot *snapshot, const struct section *section)
{
    void *elements = (void *)snapshot;

    if (section->array)
        memcpy(&elements, (const char *)snapshot + section->array, sizeof(elements));
    return elements;
}

static inline uint32_t count_of(const struct snapshot *snapshot, const struct section *section)
{
    uint32_t count = 1;

    if (section->array)
        memcpy(&count, (const char *)snapshot + section->count, sizeof(count));
    return count;
}

/* A different value in every byte of every number; in the others one that is valid. */
static inline void fill_element(const struct section *section, char *element, uint8_t *pattern)
{
    for (unsigned int i = 0; i < section->field_count; i++) {
        const struct field *field = &section->fields[i];

        if (field->kind == FIELD_NUMBER || field->kind == FIELD_BYTES)
            for (unsigned int at = 0; at < field->width; at++)
                element[field->offset + at] = (char)++*pattern;
        else if (field->kind == FIELD_ENUM)
            element[field->offset] = (char)(field->limit - 1);
    }
}

static inline uint32_t intern(struct snapshot *snapshot, const char *bytes, size_t length)
{
    uint32_t string;

    assert_int_equal(snapshot_intern(snapshot, bytes, length, &string), 0);
    return string;
}

/* Two namespaces, two sockets, two processes, and one of everything else. */
static inline void make_sample(struct snapshot *ret)
{
    uint32_t index;
    uint8_t pattern = 0;
    struct socket *socket;

    assert_int_equal(snapshot_init(ret), 0);
    ret->host = intern(ret, "host", 4);
    assert_int_equal(snapshot_add_netns(ret, 4026531840, &index), 0);
    assert_int_equal(snapshot_add_netns(ret, 4026532000, &index), 0);
    assert_int_equal(snapshot_add_process(ret, 1, &index), 0);
    assert_int_equal(snapshot_add_process(ret, 4242, &index), 0);
    socket = snapshot_add_socket(ret);
    socket->path = intern(ret, "a\0b\n", 4);
    assert_non_null(snapshot_add_tcp(ret, socket));
    assert_non_null(snapshot_add_memory(ret, socket));
    snapshot_add_socket(ret)->netns = 1;
    ret->tcp_infos[0].congestion = intern(ret, "cubic", 5);
    assert_int_equal(snapshot_add_holder(ret, (struct holder){.process = 1}), 0);
    assert_int_equal(snapshot_add_fd_flags(ret, (struct fd_flags){0}), 0);
    assert_int_equal(snapshot_add_thread(ret, (struct thread){.process = 1}), 0);
    assert_int_equal(snapshot_add_interface(ret, 1, 2, "eth0"), 0);
    assert_non_null(snapshot_add_counter(ret));
    assert_non_null(snapshot_add_setting(ret));
    assert_non_null(snapshot_add_flow(ret));
    assert_non_null(snapshot_add_route(ret));
    assert_non_null(snapshot_add_link_address(ret));
    assert_non_null(snapshot_add_next_hop(ret));
    assert_non_null(snapshot_add_conntrack(ret));
    assert_non_null(snapshot_add_membership(ret));
    assert_int_equal(snapshot_add_group_member(ret, (struct group_member){.process = 1}), 0);
    assert_int_equal(snapshot_add_cgroup(ret, 77, "/system.slice/a.service"), 0);
    assert_int_equal(snapshot_add_user(ret, 33, "www-data"), 0);
    snapshot_note(ret, NOTE_OWNERS, "proc", -EACCES, "owners are hidden");
    snapshot_source(ret, "tcp", "sock_diag");
    for (unsigned int s = 0; s < SECTION_MAX; s++) {
        const struct section *section = &snapshot_sections[s];
        char *element = elements_of(ret, section);

        for (uint32_t i = 0; i < count_of(ret, section); i++, element += section->size)
            fill_element(section, element, &pattern);
    }
    ret->processes[0].netns = 1;
    ret->processes[0].has |= PROCESS_HAS_NETNS;
    ret->processes[0].pid = 1;
    ret->processes[1].pid = 4242;
}

static inline int new_file(void)
{
    int fd = memfd_create("snapshot", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* The file of a snapshot as bytes; the caller ends the buffer. */
static inline struct buf file_of(const struct snapshot *snapshot)
{
    struct buf buf = BUF_INIT;
    CLEANUP_CLOSE int fd = new_file();
    off_t length;

    assert_int_equal(snapshot_write(snapshot, fd), 0);
    length = lseek(fd, 0, SEEK_END);
    assert_non_null(buf_reserve(&buf, (size_t)length));
    assert_int_equal(pread(fd, buf.data, (size_t)length, 0), length);
    buf.length = (size_t)length;
    return buf;
}

/* All fields of one element; between them is what no one has written. */
static inline bool same_fields(const struct section *section, const char *a, const char *b)
{
    for (unsigned int i = 0; i < section->field_count; i++) {
        const struct field *field = &section->fields[i];

        if (memcmp(a + field->offset, b + field->offset, field->width) != 0)
            return false;
    }
    return true;
}

static inline bool is_same(const struct snapshot *a, const struct snapshot *b)
{
    if (a->strings.length != b->strings.length ||
        memcmp(a->strings.bytes, b->strings.bytes, a->strings.length) != 0)
        return false;
    if (memcmp(a, b, offsetof(struct snapshot, strings)) != 0)
        return false;
    for (unsigned int s = 1; s < SECTION_MAX; s++) {
        const struct section *section = &snapshot_sections[s];
        uint32_t count = count_of(a, section);
        const char *of_a = elements_of(a, section), *of_b = elements_of(b, section);

        if (count != count_of(b, section))
            return false;
        for (size_t at = 0; at < (size_t)count * section->size; at += section->size)
            if (!same_fields(section, of_a + at, of_b + at))
                return false;
    }
    return true;
}
