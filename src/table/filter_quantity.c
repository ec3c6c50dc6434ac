/* SPDX-License-Identifier: MIT */
/* Filter language: quantities ("200ms", "64K", "10Mbit") in the unit of a column. */
#include "table/filter_tree.h"

#include <string.h>
#include <strings.h>

/* One `unit` is numerator/denominator of the base unit of its group. */
struct unit {
    const char *name;
    uint64_t numerator, denominator;
};

#define KI 1024ULL

static const struct unit durations[] = {
    /* base: ns */
    {"ns", 1, 1},
    {"us", 1000, 1},
    {"ms", 1000000, 1},
    {"s", 1000000000, 1},
    {"sec", 1000000000, 1},
    {"m", 60000000000, 1},
    {"min", 60000000000, 1},
    {"h", 3600000000000, 1},
    {"d", 86400000000000, 1},
    {"w", 604800000000000, 1},
};

/* As GNU tools have it: K is 1024, KiB is 1024, KB is 1000. */
static const struct unit bytes[] = {
    {"b", 1, 1},
    {"k", KI, 1},
    {"kib", KI, 1},
    {"kb", 1000, 1},
    {"m", KI *KI, 1},
    {"mib", KI *KI, 1},
    {"mb", 1000000, 1},
    {"g", KI *KI *KI, 1},
    {"gib", KI *KI *KI, 1},
    {"gb", 1000000000, 1},
    {"t", KI *KI *KI *KI, 1},
    {"tib", KI *KI *KI *KI, 1},
    {"tb", 1000000000000, 1},
};

static const struct unit bits[] = {
    /* base: bytes */
    {"bit", 1, 8},          {"kbit", 125, 1},          {"mbit", 125000, 1},
    {"gbit", 125000000, 1}, {"tbit", 125000000000, 1}, {"bps", 1, 8},
    {"kbps", 125, 1},       {"mbps", 125000, 1},       {"gbps", 125000000, 1},
};

static const struct unit counts[] = {
    {"k", 1000, 1},
    {"m", 1000000, 1},
    {"g", 1000000000, 1},
};

static bool find_unit(const struct unit *units, size_t count, const char *name,
                      struct unit *ret_unit)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(units[i].name, name) == 0) {
            *ret_unit = units[i];
            return true;
        }
    return false;
}

static bool duration_unit(const char *name, uint64_t base_ns, struct unit *ret_unit)
{
    if (!*name)
        return true;
    if (!find_unit(durations, ARRAY_SIZE(durations), name, ret_unit))
        return false;
    ret_unit->denominator = base_ns;
    return true;
}

/* "10Mbit/s", "1MB/s": the "/s" says nothing new. */
static bool rate_unit(const char *name, struct unit *ret_unit)
{
    size_t length = strlen(name);
    char plain[8];

    if (length > 2 && strcasecmp(name + length - 2, "/s") == 0)
        length -= 2;
    if (length >= sizeof(plain))
        return false;
    memcpy(plain, name, length);
    plain[length] = '\0';
    return !*plain || find_unit(bits, ARRAY_SIZE(bits), plain, ret_unit) ||
           find_unit(bytes, ARRAY_SIZE(bytes), plain, ret_unit);
}

/* The unit `name` in units of a column of this kind; a bare number is in the column's own. */
static bool unit_of(const char *name, enum value_kind kind, struct unit *ret_unit)
{
    *ret_unit = (struct unit){.numerator = 1, .denominator = 1};
    switch (kind) {
    case KIND_MICROSECONDS:
        return duration_unit(name, 1000, ret_unit);
    case KIND_MILLISECONDS:
        return duration_unit(name, 1000000, ret_unit);
    case KIND_SECONDS:
        return duration_unit(name, 1000000000, ret_unit);
    case KIND_BYTES:
        return !*name || find_unit(bytes, ARRAY_SIZE(bytes), name, ret_unit);
    case KIND_BYTES_PER_SECOND:
        return rate_unit(name, ret_unit);
    case KIND_COUNT:
    case KIND_LIST:
        return !*name || find_unit(counts, ARRAY_SIZE(counts), name, ret_unit);
    default:
        return !*name;
    }
}

/* Digits into a number; false when they do not fit. */
static bool add_digit(uint64_t *number, char digit, unsigned int base)
{
    unsigned int value =
        digit <= '9' ? (unsigned int)(digit - '0') : (unsigned int)((digit | 0x20) - 'a' + 10);

    return !__builtin_mul_overflow(*number, base, number) &&
           !__builtin_add_overflow(*number, value, number);
}

static int read_hex(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        bool hex =
            (*text >= '0' && *text <= '9') || ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'f');

        if (!hex || !add_digit(&number, *text, 16))
            return -EINVAL;
    }
    *ret_number = number;
    return 0;
}

/*
 * Digits with at most nine behind the point; `ret_scale` is the power of ten they are too large by.
 */
static const char *read_decimal(const char *text, uint64_t *ret_digits, uint64_t *ret_scale)
{
    const char *at = text;

    *ret_digits = 0;
    *ret_scale = 1;
    for (; *at >= '0' && *at <= '9'; at++)
        if (!add_digit(ret_digits, *at, 10))
            return NULL;
    if (at == text)
        return NULL;
    if (*at != '.')
        return at;
    for (at++; *at >= '0' && *at <= '9'; at++) {
        if (*ret_scale >= 1000000000 || !add_digit(ret_digits, *at, 10))
            return NULL;
        *ret_scale *= 10;
    }
    return *ret_scale == 1 ? NULL : at; /* "1." */
}

int filter_quantity(const char *text, enum value_kind kind, uint64_t *ret_number, bool *ret_more)
{
    uint64_t digits, scale;
    const char *rest;
    struct unit unit;
    unsigned __int128 product, divisor;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        *ret_more = false;
        return read_hex(text + 2, ret_number);
    }
    rest = read_decimal(text, &digits, &scale);
    if (!rest || !unit_of(rest, kind, &unit))
        return -EINVAL;
    product = (unsigned __int128)digits * unit.numerator;
    divisor = (unsigned __int128)scale * unit.denominator;
    if (product / divisor > UINT64_MAX)
        return -EINVAL;
    *ret_number = (uint64_t)(product / divisor);
    *ret_more = product % divisor != 0;
    return 0;
}
