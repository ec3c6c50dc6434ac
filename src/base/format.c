/* SPDX-License-Identifier: MIT */
/* Numbers and internet addresses as text. */
#include "base/format.h"

#include <string.h>
#include <sys/socket.h>

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

char *format_uint(char *at, uint64_t number)
{
    unsigned int digits = 1;
    char *end, *p;

    for (uint64_t rest = number; rest >= 10; rest /= 10)
        digits++;
    end = at + digits;
    for (p = end; number >= 100; number /= 100) {
        p -= 2;
        memcpy(p, &digit_pairs[number % 100 * 2], 2);
    }
    if (number >= 10)
        memcpy(p - 2, &digit_pairs[number * 2], 2);
    else
        p[-1] = (char)('0' + number);
    return end;
}

/* The last `digits` of a number, with zeros in front. */
static char *put_padded(char *at, uint64_t number, unsigned int digits)
{
    for (char *p = at + digits; p > at; number /= 10)
        *--p = (char)('0' + number % 10);
    return at + digits;
}

char *format_clock(char *at, const struct tm *tm, uint64_t time_ns, unsigned int digits)
{
    uint64_t fraction = time_ns % 1000000000;

    for (unsigned int i = digits; i < 9; i++)
        fraction /= 10;
    at = put_padded(at, (unsigned int)tm->tm_hour, 2);
    *at++ = ':';
    at = put_padded(at, (unsigned int)tm->tm_min, 2);
    *at++ = ':';
    at = put_padded(at, (unsigned int)tm->tm_sec, 2);
    *at++ = '.';
    return put_padded(at, fraction, digits);
}

char *format_utc(char *at, uint64_t time_ns, unsigned int digits)
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm tm = {0};

    gmtime_r(&seconds, &tm); /* no time of 64 bits is too large */
    at = put_padded(at, (unsigned int)tm.tm_year + 1900, 4);
    *at++ = '-';
    at = put_padded(at, (unsigned int)tm.tm_mon + 1, 2);
    *at++ = '-';
    at = put_padded(at, (unsigned int)tm.tm_mday, 2);
    *at++ = 'T';
    at = format_clock(at, &tm, time_ns, digits);
    *at++ = 'Z';
    return at;
}

static char *format_octet(char *at, unsigned int octet)
{
    if (octet >= 100) {
        *at++ = (char)('0' + octet / 100);
        octet %= 100;
        *at++ = (char)('0' + octet / 10);
        octet %= 10;
    } else if (octet >= 10) {
        *at++ = (char)('0' + octet / 10);
        octet %= 10;
    }
    *at++ = (char)('0' + octet);
    return at;
}

static char *format_ipv4(char *at, const uint8_t *bytes)
{
    for (int i = 0; i < 4; i++) {
        at = format_octet(at, bytes[i]);
        *at++ = '.';
    }
    return at - 1;
}

static char *format_group(char *at, const uint8_t *bytes)
{
    unsigned int group = (unsigned int)bytes[0] << 8 | bytes[1];

    for (int shift = group > 0xfff  ? 12
                     : group > 0xff ? 8
                     : group > 0xf  ? 4
                                    : 0;
         shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[group >> shift & 15];
    return at;
}

/* The longest run of two or more zero groups, the first of equal ones; its length, or 0. */
static int find_zeros(const uint8_t *bytes, int *ret_first)
{
    int best = 1, run = 0;

    for (int i = 0; i < 8; i++) {
        run = bytes[2 * i] || bytes[2 * i + 1] ? 0 : run + 1;
        if (run > best) {
            best = run;
            *ret_first = i + 1 - run;
        }
    }
    return best > 1 ? best : 0;
}

static char *format_ipv6(char *at, const uint8_t *bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    int first = 8, zeros;

    if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        memcpy(at, "::ffff:", 7);
        return format_ipv4(at + 7, bytes + 12);
    }
    zeros = find_zeros(bytes, &first);
    for (int i = 0; i < 8; i++) {
        if (i == first) {
            *at++ = ':';
            i += zeros - 1;
            if (i == 7)
                *at++ = ':';
            continue;
        }
        if (i > 0)
            *at++ = ':';
        at = format_group(at, bytes + 2 * i);
    }
    return at;
}

char *format_address(char *at, unsigned int family, const uint8_t *bytes)
{
    return family == AF_INET ? format_ipv4(at, bytes) : format_ipv6(at, bytes);
}
