/* SPDX-License-Identifier: MIT */
/* Fuzzing of chunks: what is read is written so that it is read again as the same. The input is
 * what the checksum and zstd protect. */
#include "fuzz.h"
#include "store/chunk.h"

static void check_again(struct codec *codec, struct chunk *chunk)
{
    CLEANUP(buf_done) struct buf bytes = BUF_INIT;
    CLEANUP(chunk_done) struct chunk again = {.kind = chunk->kind};
    size_t row_bytes = layouts[chunk->kind].width * sizeof(*chunk->rows);

    CHECK(codec_write(codec, chunk, &bytes) == 0);
    CHECK(codec_read(codec, bytes.data, bytes.length, &again) == 0);
    CHECK(again.tick_count == chunk->tick_count && again.row_count == chunk->row_count);
    CHECK(!again.row_count || memcmp(again.rows, chunk->rows, again.row_count * row_bytes) == 0);
    CHECK(!again.tick_count ||
          memcmp(again.ticks, chunk->ticks, again.tick_count * sizeof(*again.ticks)) == 0);
    chunk_fold(chunk);
    CHECK(chunk->row_count <= again.row_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(codec_done) struct codec codec = {.raw = BUF_INIT};
    CLEANUP(buf_done) struct buf bytes = BUF_INIT;
    CLEANUP(chunk_done) struct chunk chunk = {0};
    int r;

    if (size < 1 || codec_init(&codec) < 0)
        return 0;
    chunk.kind = data[0] % CHUNK_KIND_MAX;
    CHECK(codec_wrap(&codec, data, size, &bytes) == 0);
    r = codec_read(&codec, bytes.data, bytes.length, &chunk);
    CHECK(r == 0 || r == -EBADMSG);
    if (r == 0)
        check_again(&codec, &chunk);
    chunk_clear(&chunk);
    r = codec_read(&codec, data, size, &chunk);
    CHECK(r == 0 || r == -EBADMSG);
    return 0;
}
