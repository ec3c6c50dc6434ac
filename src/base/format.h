/* SPDX-License-Identifier: MIT */
/* Numbers and internet addresses as text, by hand: a large output has millions of them. */
#pragma once

#include <stdint.h>

#define FORMAT_UINT_MAX 20
#define FORMAT_ADDRESS_MAX 45

/* Each writes at most that many bytes, without a NUL, and returns their end. */
char *format_uint(char *at, uint64_t number);

/*
 * An address in network order; `family` is AF_INET or AF_INET6. IPv6 in the form of RFC 5952, an
 * IPv4-mapped one as ::ffff:1.2.3.4.
 */
char *format_address(char *at, unsigned int family, const uint8_t *bytes);
