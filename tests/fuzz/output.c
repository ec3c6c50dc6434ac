/* SPDX-License-Identifier: MIT */
/* Whether what nwho writes is what it promises: readers of JSON and of escaped text, written apart
 * from the writers. */
#include "derive/join.h"
#include "fuzz.h"
#include "out/csv.h"
#include "out/json.h"
#include "out/text.h"

#include <stdio.h>

bool fuzz_shows = true;

_Noreturn void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

void *fuzz_bytes(const uint8_t *data, size_t size)
{
    void *bytes = malloc(size ? size : 1);

    CHECK(bytes);
    memcpy(bytes, data, size);
    return bytes;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

void fuzz_snapshot(struct snapshot *ret_snapshot)
{
    uint32_t netns;

    CHECK(snapshot_init(ret_snapshot) == 0);
    CHECK(snapshot_add_netns(ret_snapshot, 1, &netns) == 0);
}

/* --- text --- */

/* Controls, and what would change the direction of text or be invisible. */
static bool is_hidden(uint32_t character)
{
    static const uint32_t hidden[][2] = {
        {0, 0x1f}, {0x7f, 0x9f}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0xd800, 0xdfff}};

    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
        if (character >= hidden[i][0] && character <= hidden[i][1])
            return true;
    return false;
}

/* Length of the character at the front; 0: none that may be shown. */
static size_t character_length(const char *text, size_t length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t sizes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t size = sizes[*bytes >> 4];
    uint32_t character = size == 1 ? *bytes : *bytes & (0x7fu >> size);

    if (size == 0 || size > length || *bytes > 0xf7)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if (bytes[i] >> 6 != 2)
            return 0;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    return character < least[size] || character > 0x10ffff || is_hidden(character) ? 0 : size;
}

bool text_is_clean(const char *text, size_t length)
{
    size_t size;

    for (; length > 0; text += size, length -= size) {
        size = *text == '\n' ? 1 : character_length(text, length);
        if (size == 0)
            return false;
    }
    return true;
}

bool text_unescape(const char *text, size_t length, struct buf *ret_bytes)
{
    static const char forms[] = "n\nt\tr\re\033\\\\";
    const char *end = length ? text + length : text, *form;
    unsigned int byte;
    char digits[3] = "";

    while (text != end) {
        if (*text != '\\') {
            buf_byte(ret_bytes, *text++);
            continue;
        }
        if (++text == end)
            return false;
        if (*text == 'x' && end - text > 2) {
            memcpy(digits, text + 1, 2);
            if (sscanf(digits, "%2x", &byte) != 1)
                return false;
            buf_byte(ret_bytes, (char)byte);
            text += 3;
            continue;
        }
        form = *text ? strchr(forms, *text) : NULL;
        if (!form || (form - forms) % 2 != 0)
            return false;
        buf_byte(ret_bytes, form[1]);
        text++;
    }
    return true;
}

/* --- JSON: each returns what follows, or NULL --- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n'))
        at++;
    return at;
}

bool json_read_string(const char **at, const char *end, struct buf *ret_content)
{
    static const char forms[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    const char *text = *at, *form;
    size_t size;

    if (text == end || *text++ != '"')
        return false;
    while (text < end && *text != '"') {
        size = character_length(text, (size_t)(end - text));
        if (size == 0)
            return false;
        if (*text != '\\') {
            buf_put(ret_content, text, size);
            text += size;
            continue;
        }
        form = end - text > 1 && text[1] ? strchr(forms, text[1]) : NULL;
        if (!form || (form - forms) % 2 != 0)
            return false;
        buf_byte(ret_content, form[1]);
        text += 2;
    }
    *at = text + 1;
    return text < end;
}

static const char *read_string(const char *at, const char *end)
{
    struct buf content = BUF_INIT;
    bool read = json_read_string(&at, end, &content);

    buf_done(&content);
    return read ? at : NULL;
}

static const char *read_digits(const char *at, const char *end)
{
    const char *start = at;

    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > start ? at : NULL;
}

static const char *read_number(const char *at, const char *end)
{
    at += *at == '-';
    if (at < end && *at == '0')
        at++;
    else
        at = read_digits(at, end);
    if (at && at < end && *at == '.')
        at = read_digits(at + 1, end);
    return at;
}

static const char *read_value(const char *at, const char *end);

/* What stands between brackets; the members of an object have a name. */
static const char *read_members(const char *at, const char *end, char close)
{
    at = skip_blanks(at + 1, end);
    if (at < end && *at == close)
        return at + 1;
    while (at && at < end) {
        if (close == '}') {
            at = read_string(at, end);
            if (!at || at == end || *at++ != ':')
                return NULL;
        }
        at = read_value(at, end);
        if (!at || at == end || (*at != ',' && *at != close))
            return NULL;
        if (*at++ == close)
            return at;
        at = skip_blanks(at, end);
    }
    return NULL;
}

/* And the blanks on both sides of it. */
static const char *read_value(const char *at, const char *end)
{
    static const char *const words[] = {"true", "false", "null"};

    at = skip_blanks(at, end);
    if (at == end)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t length = strlen(words[i]);

        if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0)
            return skip_blanks(at + length, end);
    }
    if (*at == '"')
        at = read_string(at, end);
    else if (*at == '{' || *at == '[')
        at = read_members(at, end, *at == '{' ? '}' : ']');
    else
        at = read_number(at, end);
    return at ? skip_blanks(at, end) : NULL;
}

bool json_is_valid(const char *text, size_t length)
{
    return read_value(text, text + length) == text + length;
}

/* --- what a grid looks like --- */

static void check_lines(const struct buf *out)
{
    const char *at = out->data, *end = at + out->length, *line_end;

    for (; at < end; at = line_end + 1) {
        line_end = memchr(at, '\n', (size_t)(end - at));
        CHECK(line_end);
        CHECK(json_is_valid(at, (size_t)(line_end - at)));
    }
}

void fuzz_show_grid(const struct grid *grid)
{
    const struct text_options options = {.width = 100};
    CLEANUP(buf_done) struct buf out = BUF_INIT;

    if (!fuzz_shows)
        return;
    CHECK(json_write(grid, &out) == 0);
    CHECK(json_is_valid(out.data, out.length));
    buf_reset(&out);
    CHECK(jsonl_write(grid, NULL, &out) == 0);
    check_lines(&out);
    buf_reset(&out);
    CHECK(csv_write(grid, false, &out) == 0);
    CHECK(text_is_clean(out.data, out.length));
    buf_reset(&out);
    CHECK(text_write(grid, &options, &out) == 0);
    CHECK(text_is_clean(out.data, out.length));
}

static void show_table(const struct table *table, const struct view *view)
{
    struct query query = {.table = table, .column_count = table->column_count};
    CLEANUP(grid_done) struct grid grid = {0};

    CHECK(table->column_count <= QUERY_COLUMNS_MAX);
    if (table->row_count(view) == 0)
        return;
    for (uint32_t i = 0; i < table->column_count; i++)
        query.columns[i] = &table->columns[i];
    CHECK(query_run(&query, view, &grid) == 0);
    fuzz_show_grid(&grid);
}

void fuzz_show(const struct snapshot *snapshot)
{
    CLEANUP(buf_done) struct buf scratch = BUF_INIT;
    CLEANUP(join_done) struct join join = {0};
    struct view view = {.snapshot = snapshot, .join = &join, .scratch = &scratch};

    if (!fuzz_shows)
        return;
    CHECK(join_make(snapshot, ~UINT64_C(0), &join) == 0);
    for (uint32_t i = 0; i < table_count; i++)
        show_table(tables[i], &view);
}
