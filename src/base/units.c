/* SPDX-License-Identifier: MIT */
/* Units: short forms of numbers, and the way back, in integers all the way. */
#include "base/units.h"

#include <strings.h>

static const char prefixes[] = "KMGTPE";

/* "1.2M", "12M": a number that was scaled by its prefix; `prefix` 0 is none. */
static void put_scaled(struct buf *buf, uint64_t whole, uint64_t tenths, size_t prefix)
{
    if (prefix > 0 && tenths < 100) {
        buf_uint(buf, tenths / 10);
        buf_byte(buf, '.');
        buf_uint(buf, tenths % 10);
    } else {
        buf_uint(buf, whole);
    }
    if (prefix > 0)
        buf_byte(buf, prefixes[prefix - 1]);
}

size_t units_write_bytes(struct buf *buf, uint64_t bytes)
{
    size_t start = buf->length, prefix = 0;
    uint64_t whole = bytes, rest = 0, tenths; /* rest: of 1024 */

    for (; whole >= 1024; whole >>= 10) {
        rest = whole & 1023;
        prefix++;
    }
    tenths = whole * 10 + (rest * 10 + 512) / 1024;
    whole += rest >= 512;
    if (whole == 1024) {
        tenths = 10;
        prefix++;
    }
    put_scaled(buf, whole, tenths, prefix);
    return buf->length - start;
}

/* "4.1ms", "42ms": `thousandths` of the unit, less than 1,000,000. */
static void write_decimal(struct buf *buf, uint64_t thousandths, const char *unit)
{
    uint64_t tenths = (thousandths + 50) / 100;

    if (tenths < 100 && tenths % 10) {
        buf_uint(buf, tenths / 10);
        buf_byte(buf, '.');
        buf_uint(buf, tenths % 10);
    } else {
        buf_uint(buf, tenths < 100 ? tenths / 10 : (thousandths + 500) / 1000);
    }
    buf_puts(buf, unit);
}

/* "3h12m", "3h": two units that follow each other. */
static void write_pair(struct buf *buf, uint64_t total, uint64_t ratio, const char *units)
{
    buf_uint(buf, total / ratio);
    buf_byte(buf, units[0]);
    if (total % ratio) {
        buf_uint(buf, total % ratio);
        buf_byte(buf, units[1]);
    }
}

static void write_seconds(struct buf *buf, uint64_t seconds)
{
    uint64_t minutes = seconds / 60 + (seconds % 60 >= 30);
    uint64_t hours = seconds / 3600 + (seconds % 3600 >= 1800);

    if (seconds < 3600)
        write_pair(buf, seconds, 60, "ms");
    else if (minutes < (uint64_t)24 * 60)
        write_pair(buf, minutes, 60, "hm");
    else
        write_pair(buf, hours, 24, "dh");
}

size_t units_write_duration(struct buf *buf, uint64_t microseconds)
{
    size_t start = buf->length;
    uint64_t seconds = microseconds / 1000000 + (microseconds % 1000000 >= 500000);

    if (microseconds == 0) {
        buf_byte(buf, '0');
    } else if (microseconds < 1000) {
        buf_uint(buf, microseconds);
        buf_puts(buf, "us");
    } else if (microseconds < 999500) {
        write_decimal(buf, microseconds, "ms");
    } else if (seconds < 60) {
        write_decimal(buf, (microseconds + 500) / 1000, "s");
    } else {
        write_seconds(buf, seconds);
    }
    return buf->length - start;
}

static uint64_t times(uint64_t number, uint64_t factor)
{
    uint64_t product;

    return __builtin_mul_overflow(number, factor, &product) ? UINT64_MAX : product;
}

/* "10Gbit", "2500Mbit": speeds of links are round numbers. */
static void write_bits(struct buf *buf, uint64_t number)
{
    size_t prefix = 0;

    for (; number && number % 1000 == 0 && prefixes[prefix]; prefix++)
        number /= 1000;
    buf_uint(buf, number);
    if (prefix > 0)
        buf_byte(buf, prefixes[prefix - 1]);
    buf_puts(buf, "bit");
}

size_t units_write_bit_rate(struct buf *buf, uint64_t bytes)
{
    size_t start = buf->length, prefix = 0;
    uint64_t bits = times(bytes, 8), scale = 1, whole, tenths;

    while (bits / scale >= 1000 && prefix < sizeof(prefixes) - 1) {
        scale *= 1000;
        prefix++;
    }
    /* 999.6K is 1.0M */
    if (prefix > 0 && prefix < sizeof(prefixes) - 1 &&
        bits / scale + (bits % scale >= scale / 2) >= 1000) {
        scale *= 1000;
        prefix++;
    }
    whole = bits / scale + (bits % scale >= (scale + 1) / 2 && scale > 1);
    tenths = prefix > 0 ? bits / (scale / 10) + (bits % (scale / 10) >= scale / 20) : 0;
    put_scaled(buf, whole, tenths, prefix);
    buf_puts(buf, "bit");
    return buf->length - start;
}

size_t units_write(struct buf *buf, enum unit unit, uint64_t number)
{
    size_t start = buf->length;

    switch (unit) {
    case UNIT_NONE:
    case UNIT_COUNT:
        buf_uint(buf, number);
        break;
    case UNIT_BYTES:
        units_write_bytes(buf, number);
        break;
    case UNIT_BYTES_PER_SECOND:
        units_write_bytes(buf, number);
        buf_puts(buf, "/s");
        break;
    case UNIT_BITS_PER_SECOND:
        write_bits(buf, number);
        break;
    case UNIT_MICROSECONDS:
        units_write_duration(buf, number);
        break;
    case UNIT_MILLISECONDS:
        units_write_duration(buf, times(number, 1000));
        break;
    case UNIT_SECONDS:
        units_write_duration(buf, times(number, 1000000));
        break;
    }
    return buf->length - start;
}

static bool word_is(const char *word, size_t length, const char *other)
{
    return strlen(other) == length && strncasecmp(word, other, length) == 0;
}

static bool is_duration(enum unit unit)
{
    return unit == UNIT_MICROSECONDS || unit == UNIT_MILLISECONDS || unit == UNIT_SECONDS;
}

/* How many of the finest parts (below) one unit of its own makes. */
static uint64_t parts_in(enum unit unit)
{
    static const uint64_t parts[] = {
        [UNIT_NONE] = 1,
        [UNIT_COUNT] = 1,
        [UNIT_BYTES] = 1,
        [UNIT_BYTES_PER_SECOND] = 8,
        [UNIT_BITS_PER_SECOND] = 1,
        [UNIT_MICROSECONDS] = 1000,
        [UNIT_MILLISECONDS] = 1000000,
        [UNIT_SECONDS] = 1000000000,
    };

    return parts[unit];
}

/* Nanoseconds of a unit of time, 0 when it is none. */
static uint64_t time_scale(const char *word, size_t length)
{
    static const struct {
        const char *word;
        uint64_t scale;
    } units[] = {
        {"ns", 1},
        {"us", 1000},
        {"\xc2\xb5s", 1000}, /* micro sign */
        {"ms", 1000000},
        {"s", 1000000000},
        {"sec", 1000000000},
        {"seconds", 1000000000},
        {"m", 60 * UINT64_C(1000000000)},
        {"min", 60 * UINT64_C(1000000000)},
        {"minutes", 60 * UINT64_C(1000000000)},
        {"h", 3600 * UINT64_C(1000000000)},
        {"hours", 3600 * UINT64_C(1000000000)},
        {"d", 86400 * UINT64_C(1000000000)},
        {"days", 86400 * UINT64_C(1000000000)},
        {"w", 7 * 86400 * UINT64_C(1000000000)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (word_is(word, length, units[i].word))
            return units[i].scale;
    }
    return 0;
}

static uint64_t power(uint64_t base, size_t exponent)
{
    uint64_t result = 1;

    while (exponent-- > 0)
        result *= base;
    return result;
}

/* The power of a prefix letter, 0 when `c` is none. */
static size_t prefix_power(char c)
{
    for (size_t i = 0; prefixes[i]; i++) {
        if (prefixes[i] == c || (prefixes[i] | 0x20) == c)
            return i + 1;
    }
    return 0;
}

/* Bits (for a rate) or bytes of what stands behind the prefix: "", "B", "bit"; 0: none. */
static uint64_t byte_scale(const char *word, size_t length, size_t exponent, bool binary, bool rate)
{
    uint64_t byte = rate ? 8 : 1, thousand = binary ? 1024 : 1000;

    if (length == 0)
        return power(1024, exponent) * byte;
    if (rate && (word_is(word, length, "bit") || (length == 1 && *word == 'b')))
        return power(thousand, exponent);
    if (word_is(word, length, "b") || word_is(word, length, "bytes"))
        return power(thousand, exponent) * byte;
    return 0;
}

/* "10Mbit/s", "1MB/s", "10Mbps": a rate is one a second anyway. */
static size_t without_per_second(const char *word, size_t length)
{
    if (length >= 2 && word_is(word + length - 2, 2, "/s"))
        return length - 2;
    if (length >= 3 && word_is(word + length - 3, 3, "bps"))
        return length - 2;
    return length;
}

/* Scale of "", "K", "KB", "KiB", "Kbit" and the like in parts_in(); 0 when it is none. */
static uint64_t size_scale(const char *word, size_t length, enum unit unit)
{
    bool rate = unit == UNIT_BYTES_PER_SECOND || unit == UNIT_BITS_PER_SECOND, binary;
    size_t exponent;

    if (unit == UNIT_NONE)
        return length == 0;
    if (rate)
        length = without_per_second(word, length);
    exponent = length > 0 ? prefix_power(*word) : 0;
    word += exponent > 0;
    length -= exponent > 0;
    if (unit == UNIT_BITS_PER_SECOND && length == 0)
        return power(1000, exponent);
    if (unit == UNIT_COUNT)
        return length == 0 ? power(1000, exponent) : 0;
    binary = exponent > 0 && length > 0 && (*word | 0x20) == 'i';
    return byte_scale(word + binary, length - binary, exponent, binary, rate);
}

#define DIVISOR_MAX UINT64_C(1000000000) /* products of two such numbers fit into 64 bits */

/* whole + fraction / divisor */
struct decimal {
    uint64_t whole, fraction;
    uint64_t divisor; /* 10 to the number of digits in `fraction`, DIVISOR_MAX at most */
    bool more;        /* and a little more, by digits behind those */
    size_t length;    /* in bytes */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits behind the point. */
static void parse_fraction(const char *text, size_t length, struct decimal *decimal)
{
    for (; decimal->length < length && is_digit(text[decimal->length]); decimal->length++) {
        uint64_t digit = (uint64_t)(text[decimal->length] - '0');

        if (decimal->divisor == DIVISOR_MAX) {
            decimal->more |= digit != 0;
            continue;
        }
        decimal->fraction = decimal->fraction * 10 + digit;
        decimal->divisor *= 10;
    }
}

/* -EINVAL: no number; -ERANGE: more than 64 bits. */
static int parse_decimal(const char *text, size_t length, struct decimal *ret_decimal)
{
    struct decimal decimal = {.divisor = 1};

    for (; decimal.length < length && is_digit(text[decimal.length]); decimal.length++)
        if (__builtin_mul_overflow(decimal.whole, 10, &decimal.whole) ||
            __builtin_add_overflow(decimal.whole, (uint64_t)(text[decimal.length] - '0'),
                                   &decimal.whole))
            return -ERANGE;
    if (decimal.length == 0)
        return -EINVAL;
    if (decimal.length < length && text[decimal.length] == '.') {
        decimal.length++;
        parse_fraction(text, length, &decimal);
        if (decimal.divisor == 1)
            return -EINVAL; /* "1." */
    }
    *ret_decimal = decimal;
    return 0;
}

/* Length of the word in front of the next digit. */
static size_t unit_length(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && !is_digit(text[n]))
        n++;
    return n;
}

/* number + parts / parts_in(unit) units, and a little more. */
struct quantity {
    uint64_t number, parts;
    bool more;
};

/*
 * Adds `decimal` times `scale` parts, of which a unit has `unit_parts`. Of these two one divides
 * the other, and `unit_parts` is DIVISOR_MAX at most: no product of the fraction overflows. False:
 * more than 64 bits.
 */
static bool add_decimal(struct quantity *sum, const struct decimal *decimal, uint64_t scale,
                        uint64_t unit_parts)
{
    uint64_t number, rest, parts = 0, carry;

    if (scale < unit_parts) {
        number = decimal->whole / (unit_parts / scale);
        parts = decimal->whole % (unit_parts / scale) * scale;
        rest = decimal->fraction * scale;
    } else {
        uint64_t units = scale / unit_parts;

        rest = decimal->fraction * (units % decimal->divisor);
        if (__builtin_mul_overflow(decimal->whole, units, &number) ||
            __builtin_add_overflow(
                number, decimal->fraction * (units / decimal->divisor) + rest / decimal->divisor,
                &number))
            return false;
        rest = rest % decimal->divisor * unit_parts;
    }
    parts += sum->parts + rest / decimal->divisor;
    carry = parts / unit_parts;
    sum->parts = parts % unit_parts;
    sum->more |= decimal->more || rest % decimal->divisor != 0;
    return !__builtin_add_overflow(sum->number, number, &sum->number) &&
           !__builtin_add_overflow(sum->number, carry, &sum->number);
}

/* The digits behind "0x". */
static int parse_hex(const char *text, size_t length, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (length == 0)
        return -EINVAL;
    for (size_t i = 0; i < length; i++) {
        char low = text[i] | 0x20;

        if (!is_digit(text[i]) && (low < 'a' || low > 'f'))
            return -EINVAL;
        if (number >> 60)
            return -ERANGE;
        number = number << 4 | (uint64_t)(is_digit(text[i]) ? text[i] - '0' : low - 'a' + 10);
    }
    *ret_number = number;
    return 0;
}

/* "2h30m": pairs of a number and a unit; of other units there is one pair. */
static int parse_pairs(const char *text, size_t length, enum unit unit, struct quantity *sum)
{
    size_t at = 0;

    do {
        struct decimal decimal;
        uint64_t scale;
        size_t word;
        int error = parse_decimal(text + at, length - at, &decimal);

        if (error < 0)
            return error;
        at += decimal.length;
        word = unit_length(text + at, length - at);
        if (word == 0 && is_duration(unit))
            scale = at == decimal.length ? parts_in(unit) : 0;
        else
            scale =
                is_duration(unit) ? time_scale(text + at, word) : size_scale(text + at, word, unit);
        at += word;
        if (scale == 0 || (at < length && !is_duration(unit)))
            return -EINVAL;
        if (!add_decimal(sum, &decimal, scale, parts_in(unit)))
            return -ERANGE;
    } while (at < length);
    return 0;
}

int units_parse(const char *text, size_t length, enum unit unit, uint64_t *ret_number,
                bool *ret_more)
{
    struct quantity sum = {0};
    int r;

    if (length >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x')
        r = parse_hex(text + 2, length - 2, &sum.number);
    else
        r = parse_pairs(text, length, unit, &sum);
    if (r < 0)
        return r;
    *ret_number = sum.number;
    if (ret_more)
        *ret_more = sum.more || sum.parts != 0;
    return 0;
}
