/* SPDX-License-Identifier: MIT */
/* Value: one cell of a table, typed; "unknown" is a type of its own and never 0. */
#pragma once

#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
    VALUE_NONE, /* unknown or not applicable: "-" in text, null in JSON, empty in CSV */
    VALUE_UINT,
    VALUE_INT,
    VALUE_BOOL,
    VALUE_STRING,  /* bytes from outside: outputs escape them */
    VALUE_ADDRESS, /* IPv4 or IPv6 address */
    VALUE_LIST,    /* rows of a table inside the cell, e.g. the owners of a socket */
};

struct value {
    enum value_type type;
    union {
        uint64_t uint;
        int64_t integer;
        bool boolean;
        struct {
            const char *bytes;
            uint32_t length;
        } string;
        struct {
            const uint8_t *bytes; /* 4 or 16, network order */
            uint8_t family;       /* AF_INET or AF_INET6 */
        } address;
        struct {
            const struct table *table;
            uint32_t first, count; /* rows of that table */
        } list;
    };
};

/* What a number means: decides unit, alignment, text form, and the type in JSON. */
enum value_kind {
    KIND_TEXT,
    KIND_NAME,     /* a word out of a fixed set: state, protocol */
    KIND_ENDPOINT, /* address and port, or path: never cut */
    KIND_ADDRESS,
    KIND_PORT,
    KIND_ID, /* a number that is a name: pid, inode; never scaled */
    KIND_COUNT,
    KIND_BYTES,
    KIND_BYTES_PER_SECOND,
    KIND_BITS_PER_SECOND,
    KIND_MICROSECONDS,
    KIND_MILLISECONDS,
    KIND_SECONDS,
    KIND_BOOL,
    KIND_HEX,
    KIND_LIST,
    KIND_MAX,
};

struct value_kind_info {
    const char *name; /* as `nwho columns` shows it */
    const char *unit; /* "" or "bytes", "us", ... : the unit of the number in JSON and CSV, and of a
                         bare number in a filter */
    bool right;       /* aligned to the right in text */
    bool number;
};

const struct value_kind_info *value_kind_info(enum value_kind kind);

/* What a number of this kind counts. */
enum unit value_kind_unit(enum value_kind kind);

static inline struct value value_none(void)
{
    return (struct value){.type = VALUE_NONE};
}

static inline struct value value_uint(uint64_t number)
{
    return (struct value){.type = VALUE_UINT, .uint = number};
}

static inline struct value value_bool(bool boolean)
{
    return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}

static inline struct value value_bytes(const char *bytes, size_t length)
{
    return (struct value){.type = VALUE_STRING,
                          .string = {.bytes = bytes, .length = (uint32_t)length}};
}

/* A C string that lives as long as the program (a name out of a table). */
struct value value_name(const char *name);

/* Whether it is that text. */
bool value_is_text(const struct value *value, const char *text);

/* -1, 0, 1. Unknown sorts last; values of different types sort by type. */
int value_compare(const struct value *a, const struct value *b);
