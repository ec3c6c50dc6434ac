/* SPDX-License-Identifier: MIT */
/* Fuzzing of the reader of snapshot files. The checksums of an input are made right first, else
 * nothing behind them would be reached. */
#include "base/buf.h"
#include "base/crc32.h"
#include "model/snapshot_file.h"

#include <stdio.h>
#include <sys/mman.h>

#define HEAD_BYTES 24

/* For libFuzzer: clang -fsanitize=fuzzer,address -DFUZZ_LIBRARY -Isrc, with the files of src/base
 * and src/model. Without it: the program changes a sample by chance, always in the same way. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void store(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static uint32_t load(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The end of the section that begins at `at`, without its checksum; `end` when it is cut. */
static uint8_t *section_end(uint8_t *at, uint8_t *end)
{
    uint32_t count = load(at), fields = at[4] | (uint32_t)at[5] << 8;
    uint64_t width = 0;

    at += 7;
    if (end - at < at[-1])
        return end;
    at += at[-1];
    for (; fields > 0; fields--) {
        if (end - at < 2 || end - at < 2 + at[1])
            return end;
        width += at[0];
        at += 2 + at[1];
    }
    return (uint64_t)(end - at) < count * width ? end : at + count * width;
}

static void mend_checksums(uint8_t *bytes, size_t length)
{
    uint8_t *at = bytes + HEAD_BYTES, *end = bytes + length;
    struct crc32 crc;

    if (length < HEAD_BYTES)
        return;
    crc32_init(&crc);
    store(at - 4, crc32_add(&crc, 0, bytes, HEAD_BYTES - 4));
    while (end - at > 7) {
        uint8_t *sum = section_end(at, end);

        if (end - sum < 4)
            return;
        store(sum, crc32_add(&crc, 0, at, (size_t)(sum - at)));
        at = sum + 4;
    }
}

/* Writes the snapshot and reads it again: it must come back. Ends the process when it does not. */
static void check_accepted(const struct snapshot *snapshot)
{
    CLEANUP_CLOSE int fd = memfd_create("snapshot", MFD_CLOEXEC);
    struct snapshot_file_error error;
    struct snapshot copy;

    if (snapshot_write(snapshot, fd) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
        snapshot_read(fd, &copy, &error) < 0 || copy.sockets_count != snapshot->sockets_count ||
        copy.strings.length != snapshot->strings.length)
        abort();
    snapshot_done(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE uint8_t *bytes = malloc(size + 1);
    struct snapshot_file_error error;
    struct snapshot snapshot;

    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    mend_checksums(bytes, size);
    if (snapshot_parse(bytes, size, &snapshot, &error) < 0)
        return 0;
    check_accepted(&snapshot);
    snapshot_done(&snapshot);
    return 0;
}

#ifndef FUZZ_LIBRARY
#define ROUNDS 8000

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A file with one of everything. */
static int make_sample(struct buf *buf)
{
    CLEANUP_CLOSE int fd = memfd_create("sample", MFD_CLOEXEC);
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct socket *socket;
    uint32_t index;
    ssize_t length;

    if (snapshot_init(&snapshot) < 0 || snapshot_add_netns(&snapshot, 4026531840, &index) < 0 ||
        snapshot_add_process(&snapshot, 1, &index) < 0)
        return -ENOMEM;
    socket = snapshot_add_socket(&snapshot);
    if (!socket || !snapshot_add_tcp(&snapshot, socket) || !snapshot_add_memory(&snapshot, socket))
        return -ENOMEM;
    if (snapshot_add_holder(&snapshot, (struct holder){.inode = 1}) < 0 ||
        snapshot_add_thread(&snapshot, (struct thread){.tid = 1}) < 0 ||
        snapshot_add_interface(&snapshot, 0, 1, "lo") < 0 ||
        snapshot_add_cgroup(&snapshot, 1, "/a") < 0)
        return -ENOMEM;
    snapshot_note(&snapshot, NOTE_INFO, "source", 0, "text");
    snapshot_source(&snapshot, "tcp", "source");
    if (snapshot_write(&snapshot, fd) < 0 || !buf_reserve(buf, (size_t)1 << 16))
        return -ENOMEM;
    length = pread(fd, buf->data, buf->capacity, 0);
    buf->length = length > 0 ? (size_t)length : 0;
    return length > 0 ? 0 : -EIO;
}

/* One to four bytes set, or a piece cut out or copied elsewhere. */
static size_t mutate(uint8_t *bytes, size_t length, uint64_t *state)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};

    for (uint64_t count = 1 + next_random(state) % 4; count > 0; count--) {
        uint64_t value = next_random(state);

        bytes[next_random(state) % length] =
            value % 3 ? (uint8_t)(value >> 8) : edges[(value >> 8) % sizeof(edges)];
    }
    if (next_random(state) % 8 == 0) {
        size_t from = next_random(state) % length, to = next_random(state) % length;
        size_t rest = length - (from > to ? from : to);

        memmove(bytes + to, bytes + from, rest);
        return to < from ? length - (from - to) : length;
    }
    return length;
}

int main(void)
{
    CLEANUP(buf_done) struct buf sample = BUF_INIT;
    CLEANUP_FREE uint8_t *bytes = NULL;
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    if (make_sample(&sample) < 0)
        return 1;
    bytes = malloc(sample.length);
    if (!bytes)
        return 1;
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(bytes, sample.data, sample.length);
        LLVMFuzzerTestOneInput(bytes, mutate(bytes, sample.length, &state));
    }
    printf("%d changed snapshot files read\n", ROUNDS);
    return 0;
}
#endif
