/* SPDX-License-Identifier: MIT */
/* Hexadecimal bytes in lines of /proc/net. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool proc_hex_digit(char c, uint8_t *ret_digit)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

    if (!found)
        return false;
    *ret_digit = (uint8_t)(found - digits);
    return true;
}

/*
 * As many pairs of digits as there are at *text, `size` at most, into `to`; moves *text behind
 * them. Returns how many bytes that are.
 */
static inline size_t proc_hex_bytes(const char **text, uint8_t *to, size_t size)
{
    size_t count = 0;
    uint8_t high, low;

    for (; count < size; count++, *text += 2) {
        if (!proc_hex_digit((*text)[0], &high) || !proc_hex_digit((*text)[1], &low))
            break;
        to[count] = (uint8_t)(high << 4 | low);
    }
    return count;
}
