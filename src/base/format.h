/* SPDX-License-Identifier: MIT */
/* Numbers, times and internet addresses as text, by hand: a large output has millions of them. */
#pragma once

#include <stdint.h>
#include <time.h>

#define FORMAT_UINT_MAX 20
#define FORMAT_ADDRESS_MAX 45
#define FORMAT_UTC_MAX 30

/* Each writes at most that many bytes, without a NUL, and returns their end. */
char *format_uint(char *at, uint64_t number);

/* "03:04:05.678", with 1 to 9 digits of the second's fraction, which is that of `time_ns`. */
char *format_clock(char *at, const struct tm *tm, uint64_t time_ns, unsigned int digits);

/* A time since 1970 in UTC as RFC 3339 has it: "2026-01-02T03:04:05.678Z". */
char *format_utc(char *at, uint64_t time_ns, unsigned int digits);

/*
 * An address in network order; `family` is AF_INET or AF_INET6. IPv6 in the form of RFC 5952, an
 * IPv4-mapped one as ::ffff:1.2.3.4.
 */
char *format_address(char *at, unsigned int family, const uint8_t *bytes);
