/* SPDX-License-Identifier: MIT */
/* Fuzzing of the reader of snapshot files. The checksums of an input are made right first, else
 * nothing behind them would be reached. */
#include "base/crc32.h"
#include "fuzz.h"
#include "model/snapshot_file.h"

#include <sys/mman.h>

#define HEAD_BYTES 24

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

/* Written and read again it must come back. */
static void check_accepted(const struct snapshot *snapshot)
{
    CLEANUP_CLOSE int fd = memfd_create("snapshot", MFD_CLOEXEC);
    struct snapshot_file_error error;
    struct snapshot copy;

    CHECK(snapshot_write(snapshot, fd) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(snapshot_read(fd, &copy, &error) == 0);
    CHECK(copy.sockets_count == snapshot->sockets_count);
    CHECK(copy.strings.length == snapshot->strings.length);
    snapshot_done(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE uint8_t *bytes = fuzz_bytes(data, size);
    struct snapshot_file_error error;
    struct snapshot snapshot;

    mend_checksums(bytes, size);
    if (snapshot_parse(bytes, size, &snapshot, &error) < 0)
        return 0;
    check_accepted(&snapshot);
    fuzz_show(&snapshot);
    snapshot_done(&snapshot);
    return 0;
}
