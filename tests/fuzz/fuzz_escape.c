/* SPDX-License-Identifier: MIT */
/* Fuzzing of the one place through which bytes of others reach an output: nothing but clean text
 * comes out, and the bytes can be had back. */
#include "../unit/fake_grid.h"
#include "base/escape.h"
#include "fuzz.h"

/* What all forms are, once their own quoting is taken off. */
static void check_content(const struct buf *content, const char *bytes, size_t size)
{
    CLEANUP(buf_done) struct buf back = BUF_INIT;

    CHECK(text_is_clean(content->data, content->length));
    CHECK(!content->length || !memchr(content->data, '\n', content->length));
    CHECK(text_unescape(content->data, content->length, &back));
    CHECK(back.length == size && (size == 0 || memcmp(back.data, bytes, size) == 0));
}

static void check_text(const char *bytes, size_t size)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    size_t columns = escape_text(&out, bytes, size), fits, taken;

    check_content(&out, bytes, size);
    for (size_t width = 0; width < 20; width++) {
        fits = escape_fit(out.data, out.length, width, &taken);
        CHECK(fits <= out.length && taken <= width);
        CHECK(text_is_clean(out.data, fits));
    }
    CHECK(escape_fit(out.data, out.length, columns, &taken) == out.length && taken == columns);
}

static void check_json(const char *bytes, size_t size)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT, content = BUF_INIT;
    const char *at;

    escape_json(&out, bytes, size);
    at = out.data;
    CHECK(json_read_string(&at, out.data + out.length, &content));
    CHECK(at == out.data + out.length);
    check_content(&content, bytes, size);
}

static void check_csv(const char *bytes, size_t size)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT, content = BUF_INIT;
    bool quoted;

    escape_csv(&out, bytes, size);
    quoted = out.length && out.data[0] == '"';
    for (size_t i = quoted; i < out.length - quoted; i++) {
        CHECK(quoted || (out.data[i] != ',' && out.data[i] != '"'));
        if (out.data[i] == '"')
            CHECK(out.data[++i] == '"');
        buf_byte(&content, out.data[i]);
    }
    check_content(&content, bytes, size);
}

static void check_parts(const char *bytes, size_t size)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT;

    escape_part(&out, bytes, size, ",;()");
    check_content(&out, bytes, size);
    CHECK(!out.length || !memchr(out.data, ';', out.length));
    if (escape_is_plain(bytes, size))
        CHECK(text_is_clean(bytes, size) && !memchr(bytes, '\\', size) &&
              !memchr(bytes, '"', size));
}

/* The writers with these bytes in each cell that may have any. */
static void check_grid(const char *bytes, size_t size)
{
    const uint8_t address[16] = {0x20, 1, 0xd, 0xb8};
    struct fake_row row;
    struct fake fake;

    for (int i = 0; i < FAKE_COLUMNS; i++)
        row.cells[i] = value_bytes(bytes, size);
    row.cells[1] = row.cells[4] = row.cells[6] = value_uint(size);
    row.cells[3] = fake_address(address, AF_INET6);
    row.cells[5] = value_bool(true);
    row.cells[7] = fake_list(0, (uint32_t)size % 4);
    CHECK(fake_init(&fake, &row, 1, FAKE_COLUMNS) == 0);
    fuzz_show_grid(&fake.grid);
    fake_done(&fake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *bytes = fuzz_bytes(data, size);

    check_text(bytes, size);
    check_json(bytes, size);
    check_csv(bytes, size);
    check_parts(bytes, size);
    check_grid(bytes, size);
    return 0;
}
