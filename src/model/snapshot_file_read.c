/* SPDX-License-Identifier: MIT */
/* Snapshot file: the reader. It trusts nothing: neither lengths nor what is in the fields. */
#include "base/buf.h"
#include "model/snapshot_file.h"
#include "model/snapshot_file_format.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define READ_BYTES ((size_t)256 * 1024)

/* An element in the file is at least this part of ours, so that a small file cannot ask for much
 * memory. */
#define MEMORY_PER_FILE_BYTE 16

struct reader {
    const uint8_t *at;
    size_t left;
    struct crc32 crc;
    struct snapshot *snapshot;
    uint8_t *string_starts; /* one bit for each offset of the pool; NULL: no strings seen */
    uint32_t seen;          /* bits of enum section_id */
    struct snapshot_file_error *error;
};

/* A section as it stands in the file; pointers into the file. */
struct stored {
    unsigned int number; /* 1 for the first one */
    uint32_t count;
    uint16_t field_count;
    uint8_t name_length;
    const char *name;
    const uint8_t *fields;
    const uint8_t *data;
    size_t row_width;            /* bytes of one element */
    const struct section *known; /* NULL: unknown, or the strings */
};

PRINTF_LIKE(3, 4)
static int fail(struct snapshot_file_error *error, int result, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return result;
}

static int fail_memory(struct snapshot_file_error *error)
{
    return fail(error, -ENOMEM, "not enough memory to read this snapshot");
}

static uint32_t number_at(const uint8_t *bytes, size_t width)
{
    uint32_t number = 0;

    for (size_t i = 0; i < width; i++)
        number |= (uint32_t)bytes[i] << (8 * i);
    return number;
}

/* The next bytes, or NULL when there are not that many. */
static const uint8_t *take(struct reader *reader, size_t count)
{
    const uint8_t *taken = reader->at;

    if (count > reader->left)
        return NULL;
    reader->at += count;
    reader->left -= count;
    return taken;
}

static bool is_named(const struct stored *stored, const char *name)
{
    return strlen(name) == stored->name_length && memcmp(name, stored->name, strlen(name)) == 0;
}

static const struct section *find_section(const struct stored *stored)
{
    for (unsigned int i = 0; i < SECTION_MAX; i++)
        if (is_named(stored, snapshot_sections[i].name))
            return &snapshot_sections[i];
    return NULL;
}

/* Head, field descriptions and data of a section; false when the file ends before. */
static bool take_section(struct reader *reader, struct stored *stored)
{
    const uint8_t *head = take(reader, 7);

    if (!head)
        return false;
    stored->count = number_at(head, 4);
    stored->field_count = (uint16_t)number_at(head + 4, 2);
    stored->name_length = head[6];
    stored->name = (const char *)take(reader, stored->name_length);
    if (!stored->name)
        return false;
    stored->fields = reader->at;
    for (unsigned int i = 0; i < stored->field_count; i++) {
        const uint8_t *field = take(reader, 2);

        if (!field || !take(reader, field[1]))
            return false;
        stored->row_width += field[0];
    }
    if (stored->row_width && stored->count > reader->left / stored->row_width)
        return false;
    stored->data = take(reader, stored->count * stored->row_width);
    return true;
}

/* Takes a section and compares its checksum; nothing in it has been used before that. */
static int take_checked_section(struct reader *reader, struct stored *stored)
{
    const uint8_t *start = reader->at, *sum;

    if (!take_section(reader, stored))
        return fail(reader->error, -EBADMSG, "damaged: it ends in the middle of section %u",
                    stored->number);
    sum = take(reader, 4);
    if (!sum)
        return fail(reader->error, -EBADMSG, "damaged: it ends in the middle of section %u",
                    stored->number);
    stored->known = find_section(stored);
    if (crc32_add(&reader->crc, 0, start, (size_t)(sum - start)) == number_at(sum, 4))
        return 0;
    if (stored->known || is_named(stored, STRINGS_SECTION))
        return fail(reader->error, -EBADMSG, "damaged: section '%.*s' does not match its checksum",
                    stored->name_length, stored->name);
    return fail(reader->error, -EBADMSG, "damaged: section %u does not match its checksum",
                stored->number);
}

static const struct field *find_field(const struct section *section, const uint8_t *name,
                                      size_t length)
{
    for (unsigned int i = 0; i < section->field_count; i++)
        if (strlen(section->fields[i].name) == length &&
            memcmp(section->fields[i].name, name, length) == 0)
            return &section->fields[i];
    return NULL;
}

static int load_columns(struct reader *reader, const struct stored *stored, char *elements)
{
    const struct section *section = stored->known;
    const uint8_t *described = stored->fields, *data = stored->data;

    for (unsigned int i = 0; i < stored->field_count; i++) {
        size_t width = described[0];
        const struct field *field = find_field(section, described + 2, described[1]);

        if (field && field->width != width)
            return fail(reader->error, -EPROTONOSUPPORT,
                        "field '%s' of section '%s' has %zu bytes, this nwho knows it with %u",
                        field->name, section->name, width, field->width);
        for (uint32_t row = 0; field && row < stored->count; row++)
            field_copy(field, elements + row * (size_t)section->size + field->offset,
                       data + row * width);
        data += stored->count * width;
        described += 2 + described[1];
    }
    return 0;
}

/* Makes the array of a section in the snapshot: zeroed, with room for exactly these elements. */
static char *make_array(struct snapshot *snapshot, const struct section *section, uint32_t count)
{
    /* NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI): none of the table has size 0 */
    char *elements = calloc(count, section->size);
    char *count_at = (char *)snapshot + section->count;

    if (!elements)
        return NULL;
    memcpy((char *)snapshot + section->array, &elements, sizeof(elements));
    memcpy(count_at, &count, sizeof(count));
    memcpy(count_at + sizeof(count), &count, sizeof(count)); /* the capacity: SNAPSHOT_ARRAY() */
    return elements;
}

static int load_section(struct reader *reader, const struct stored *stored)
{
    const struct section *section = stored->known;
    uint32_t bit = 1u << (section - snapshot_sections);
    char *elements = (char *)reader->snapshot;

    if (reader->seen & bit)
        return fail(reader->error, -EBADMSG, "damaged: section '%s' is there twice", section->name);
    reader->seen |= bit;
    if (section->array) {
        if (stored->count == 0)
            return 0;
        if (stored->row_width * MEMORY_PER_FILE_BYTE < section->size)
            return fail(reader->error, -EBADMSG, "damaged: section '%s' has too few fields",
                        section->name);
        elements = make_array(reader->snapshot, section, stored->count);
        if (!elements)
            return fail_memory(reader->error);
    } else if (stored->count != 1) {
        return fail(reader->error, -EBADMSG, "damaged: section '%s' has %" PRIu32 " elements",
                    section->name, stored->count);
    }
    return load_columns(reader, stored, elements);
}

/* Interning them in their order gives every string the offset it had; only a pool that was not
 * made this way, with a string twice, does not come out the same. */
static int load_strings(struct reader *reader, const struct stored *stored)
{
    const uint8_t *at = stored->data, *end = at + stored->count;
    uint32_t offset, expected;

    if (reader->string_starts || stored->row_width != 1)
        return fail(reader->error, -EBADMSG, "damaged: section 'strings' is malformed");
    reader->string_starts = calloc(stored->count / 8 + 1, 1);
    if (!reader->string_starts)
        return fail_memory(reader->error);
    while (at < end) {
        uint32_t length = end - at >= 5 ? number_at(at, 4) : UINT32_MAX;
        bool is_first = at == stored->data;

        expected = (uint32_t)(at - stored->data) + 4;
        if ((uint64_t)length + 5 > (uint64_t)(end - at) || at[4 + length] != '\0' ||
            is_first != (length == 0))
            return fail(reader->error, -EBADMSG, "damaged: the string at %" PRIu32 " is malformed",
                        expected);
        if (snapshot_intern(reader->snapshot, (const char *)at + 4, length, &offset) < 0)
            return fail_memory(reader->error);
        if (!is_first && offset != expected)
            return fail(reader->error, -EBADMSG,
                        "damaged: the string at %" PRIu32 " is there twice", expected);
        reader->string_starts[expected / 8] |= (uint8_t)(1u << (expected % 8));
        at += (size_t)length + 5;
    }
    return 0;
}

static bool is_string(const struct reader *reader, uint32_t offset)
{
    if (offset == 0)
        return true;
    return reader->string_starts && offset < reader->snapshot->strings.length &&
           (reader->string_starts[offset / 8] >> (offset % 8) & 1);
}

/* The fields that are checked are 1, 2 or 4 bytes wide. */
static uint32_t value_of(const struct field *field, const char *element)
{
    uint32_t number;
    uint16_t half;

    if (field->width == sizeof(number)) {
        memcpy(&number, element + field->offset, sizeof(number));
        return number;
    }
    if (field->width == sizeof(half)) {
        memcpy(&half, element + field->offset, sizeof(half));
        return half;
    }
    return *(const uint8_t *)(element + field->offset);
}

static bool is_valid(const struct reader *reader, const struct field *field, const char *element)
{
    uint32_t value = value_of(field, element), count = 0;

    if (field->kind == FIELD_INDEX || field->kind == FIELD_NUMBER_OF)
        count = section_count(reader->snapshot, &snapshot_sections[field->limit]);
    switch (field->kind) {
    case FIELD_STRING:
        return is_string(reader, value);
    case FIELD_ENUM:
        return value < field->limit;
    case FIELD_INDEX:
        return value < count;
    case FIELD_NUMBER_OF:
        return value <= count;
    default:
        return true;
    }
}

static bool is_meaningful(const struct section *section, const struct field *field,
                          const char *element)
{
    uint32_t has;

    if (field->only_with == 0)
        return true;
    memcpy(&has, element + section->has_offset, sizeof(has));
    return has & field->only_with;
}

static int check_field(struct reader *reader, const struct section *section,
                       const struct field *field)
{
    const char *element = section_elements(reader->snapshot, section);
    uint32_t count = section_count(reader->snapshot, section);

    if (field->kind == FIELD_NUMBER || field->kind == FIELD_BYTES)
        return 0;
    for (uint32_t i = 0; i < count; i++, element += section->size)
        if (is_meaningful(section, field, element) && !is_valid(reader, field, element))
            return fail(reader->error, -EBADMSG,
                        "damaged: field '%s' of element %" PRIu32
                        " in section '%s' is out of range",
                        field->name, i, section->name);
    return 0;
}

static int check_everything(struct reader *reader)
{
    int r = 0;

    if (!(reader->seen & 1u << SECTION_SNAPSHOT))
        return fail(reader->error, -EBADMSG, "damaged: section 'snapshot' is missing");
    for (unsigned int s = 0; s < SECTION_MAX; s++)
        for (unsigned int f = 0; r == 0 && f < snapshot_sections[s].field_count; f++)
            r = check_field(reader, &snapshot_sections[s], &snapshot_sections[s].fields[f]);
    return r;
}

/* The maps are not stored. Of two elements with one key the first is found. */
static int index_key(struct map *map, uint64_t key, uint32_t index)
{
    return map_get(map, key) == MAP_NONE ? map_set(map, key, index) : 0;
}

static int make_indexes(struct snapshot *snapshot)
{
    int r = map_reserve(&snapshot->process_index, snapshot->processes_count);

    if (r == 0)
        r = map_reserve(&snapshot->cgroup_index, snapshot->cgroups_count);
    for (uint32_t i = 0; r == 0 && i < snapshot->processes_count; i++)
        r = index_key(&snapshot->process_index, snapshot->processes[i].pid, i);
    for (uint32_t i = 0; r == 0 && i < snapshot->cgroups_count; i++)
        r = index_key(&snapshot->cgroup_index, snapshot->cgroups[i].id, i);
    return r;
}

static int load_head(struct reader *reader, uint32_t *ret_sections)
{
    const uint8_t *start = reader->at, *head;
    uint32_t version;

    if (reader->left < SNAPSHOT_MAGIC_LENGTH ||
        memcmp(start, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LENGTH) != 0)
        return fail(reader->error, -EBADMSG, "this is no snapshot file of nwho");
    take(reader, SNAPSHOT_MAGIC_LENGTH);
    head = take(reader, 10);
    if (!head)
        return fail(reader->error, -EBADMSG, "damaged: it ends in the middle of its head");
    if (crc32_add(&reader->crc, 0, start, (size_t)(head + 6 - start)) != number_at(head + 6, 4))
        return fail(reader->error, -EBADMSG, "damaged: the head does not match its checksum");
    version = number_at(head, 2);
    if (version > SNAPSHOT_FILE_VERSION)
        return fail(reader->error, -EPROTONOSUPPORT,
                    "written by a newer nwho: format %" PRIu32 ", this one reads up to format %d",
                    version, SNAPSHOT_FILE_VERSION);
    *ret_sections = number_at(head + 2, 4);
    return 0;
}

static int load_sections(struct reader *reader)
{
    uint32_t sections = 0;
    int r = load_head(reader, &sections);

    for (uint32_t i = 0; r == 0 && i < sections; i++) {
        struct stored stored = {.number = i + 1};

        r = take_checked_section(reader, &stored);
        if (r == 0 && stored.known)
            r = load_section(reader, &stored);
        else if (r == 0 && is_named(&stored, STRINGS_SECTION))
            r = load_strings(reader, &stored);
    }
    if (r == 0 && reader->left > 0)
        return fail(reader->error, -EBADMSG, "damaged: there is something behind its end");
    return r;
}

int snapshot_parse(const void *bytes, size_t length, struct snapshot *ret,
                   struct snapshot_file_error *ret_error)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    struct reader reader = {.at = bytes, .left = length, .snapshot = &snapshot, .error = ret_error};
    int r;

    ret_error->text[0] = '\0';
    if (snapshot_init(&snapshot) < 0)
        return fail_memory(ret_error);
    crc32_init(&reader.crc);
    r = load_sections(&reader);
    if (r == 0)
        r = check_everything(&reader);
    free(reader.string_starts);
    if (r < 0)
        return r;
    if (make_indexes(&snapshot) < 0)
        return fail_memory(ret_error);
    *ret = snapshot;
    snapshot = (struct snapshot){0};
    return 0;
}

/* Reads up to the end; what is no snapshot (an endless device, say) is left after its first bytes.
 */
static int read_input(int fd, struct buf *buf, struct snapshot_file_error *error)
{
    for (;;) {
        char *at = buf_reserve(buf, READ_BYTES);
        size_t known;
        ssize_t count;

        if (!at)
            return fail_memory(error);
        count = read(fd, at, READ_BYTES);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail(error, -errno, "cannot be read: %s", strerror(errno));
        if (count == 0)
            return 0;
        buf->length += (size_t)count;
        known = buf->length < SNAPSHOT_MAGIC_LENGTH ? buf->length : SNAPSHOT_MAGIC_LENGTH;
        if (memcmp(buf->data, SNAPSHOT_MAGIC, known) != 0)
            return fail(error, -EBADMSG, "this is no snapshot file of nwho");
        if ((uint64_t)buf->length > SNAPSHOT_FILE_MAX_BYTES)
            return fail(error, -EFBIG, "larger than 4 GiB");
    }
}

int snapshot_read(int fd, struct snapshot *ret, struct snapshot_file_error *ret_error)
{
    CLEANUP(buf_done) struct buf buf = BUF_INIT;
    int r;

    ret_error->text[0] = '\0';
    r = read_input(fd, &buf, ret_error);
    if (r < 0)
        return r;
    if (buf.length == 0)
        return fail(ret_error, -EBADMSG, "empty");
    return snapshot_parse(buf.data, buf.length, ret, ret_error);
}
