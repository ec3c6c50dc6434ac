/* SPDX-License-Identifier: MIT */
/* Values: kinds and order. */
#include "table/value.h"

#include <string.h>
#include <sys/socket.h>

static const struct value_kind_info kinds[KIND_MAX] = {
    [KIND_TEXT] = {"text", "", false, false},
    [KIND_NAME] = {"name", "", false, false},
    [KIND_ENDPOINT] = {"endpoint", "", false, false},
    [KIND_ADDRESS] = {"address", "", false, false},
    [KIND_PORT] = {"port", "", true, true},
    [KIND_ID] = {"id", "", true, true},
    [KIND_COUNT] = {"count", "", true, true},
    [KIND_BYTES] = {"bytes", "bytes", true, true},
    [KIND_BYTES_PER_SECOND] = {"rate", "bytes/s", true, true},
    [KIND_BITS_PER_SECOND] = {"bit rate", "bit/s", true, true},
    [KIND_MICROSECONDS] = {"duration", "us", true, true},
    [KIND_MILLISECONDS] = {"duration", "ms", true, true},
    [KIND_SECONDS] = {"duration", "s", true, true},
    [KIND_BOOL] = {"bool", "", false, false},
    [KIND_HEX] = {"hex", "", true, true},
    [KIND_LIST] = {"list", "", false, false},
};

const struct value_kind_info *value_kind_info(enum value_kind kind)
{
    return &kinds[kind < KIND_MAX ? kind : KIND_TEXT];
}

enum unit value_kind_unit(enum value_kind kind)
{
    switch (kind) {
    case KIND_COUNT:
    case KIND_LIST:
        return UNIT_COUNT;
    case KIND_BYTES:
        return UNIT_BYTES;
    case KIND_BYTES_PER_SECOND:
        return UNIT_BYTES_PER_SECOND;
    case KIND_BITS_PER_SECOND:
        return UNIT_BITS_PER_SECOND;
    case KIND_MICROSECONDS:
        return UNIT_MICROSECONDS;
    case KIND_MILLISECONDS:
        return UNIT_MILLISECONDS;
    case KIND_SECONDS:
        return UNIT_SECONDS;
    default:
        return UNIT_NONE;
    }
}

struct value value_name(const char *name)
{
    return value_bytes(name, strlen(name));
}

bool value_is_text(const struct value *value, const char *text)
{
    size_t length = strlen(text);

    return value->type == VALUE_STRING && value->string.length == length &&
           memcmp(value->string.bytes, text, length) == 0;
}

static int compare_bytes(const void *a, size_t a_length, const void *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_address(const struct value *a, const struct value *b)
{
    size_t length = a->address.family == b->address.family && a->address.family == AF_INET ? 4 : 16;

    if (a->address.family != b->address.family)
        return a->address.family < b->address.family ? -1 : 1;
    return memcmp(a->address.bytes, b->address.bytes, length);
}

int value_compare(const struct value *a, const struct value *b)
{
    if (a->type != b->type) {
        if (a->type == VALUE_NONE || b->type == VALUE_NONE)
            return a->type == VALUE_NONE ? 1 : -1;
        return a->type < b->type ? -1 : 1;
    }
    switch (a->type) {
    case VALUE_UINT:
        return (a->uint > b->uint) - (a->uint < b->uint);
    case VALUE_INT:
        return (a->integer > b->integer) - (a->integer < b->integer);
    case VALUE_BOOL:
        return a->boolean - b->boolean;
    case VALUE_STRING:
        return compare_bytes(a->string.bytes, a->string.length, b->string.bytes, b->string.length);
    case VALUE_ADDRESS:
        return compare_address(a, b);
    case VALUE_LIST:
        return (a->list.count > b->list.count) - (a->list.count < b->list.count);
    case VALUE_NONE:
        break;
    }
    return 0;
}
