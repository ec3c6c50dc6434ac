/* SPDX-License-Identifier: MIT */
/* Quantity: numbers of bytes as the screen shows them. */
#include "tui/quantity.h"

#include "base/units.h"

#include <inttypes.h>

static const char prefixes[] = "KMGTPE";

#define POWER_MAX (sizeof(prefixes) - 1)

static uint64_t times_eight(uint64_t bytes)
{
    return bytes > UINT64_MAX / 8 ? UINT64_MAX : bytes * 8;
}

struct quantity_scale quantity_scale(uint64_t largest, bool bits)
{
    struct quantity_scale scale = {.bits = bits};
    uint64_t step = bits ? 1000 : 1024;

    if (bits)
        largest = times_eight(largest);
    for (; largest >= step && scale.power < POWER_MAX; largest /= step)
        scale.power++;
    return scale;
}

void quantity_unit(struct buf *out, struct quantity_scale scale)
{
    if (scale.power)
        buf_byte(out, prefixes[scale.power - 1]);
    if (scale.power && !scale.bits)
        buf_byte(out, 'i');
    buf_puts(out, scale.bits ? "bit/s" : "B/s");
}

void quantity_scaled(struct buf *out, struct quantity_scale scale, uint64_t bytes)
{
    uint64_t number = scale.bits ? times_eight(bytes) : bytes, divisor = 1, tenths;

    for (uint32_t i = 0; i < scale.power; i++)
        divisor *= scale.bits ? 1000 : 1024;
    if (divisor == 1 || number == 0) {
        buf_uint(out, number);
        return;
    }
    tenths = number / divisor * 10 + (number % divisor * 10 + divisor / 2) / divisor;
    if (tenths == 0)
        buf_puts(out, "<0.1");
    else
        buf_printf(out, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
}

static void put_bits(struct buf *out, uint64_t bytes)
{
    struct quantity_scale scale = quantity_scale(bytes, true);

    quantity_scaled(out, scale, bytes);
    if (scale.power)
        buf_byte(out, prefixes[scale.power - 1]);
    buf_puts(out, "bit");
}

void quantity_rate(struct buf *out, uint64_t bytes, bool bits)
{
    if (bits)
        put_bits(out, bytes);
    else
        units_write_bytes(out, bytes);
    buf_puts(out, "/s");
}

void quantity_total(struct buf *out, uint64_t bytes, bool bits)
{
    if (bits)
        put_bits(out, bytes);
    else
        units_write_bytes(out, bytes);
}
