/* SPDX-License-Identifier: MIT */
/* Fuzzing of quantities: what is read is written so that it is read again as nearly the same. */
#include "base/units.h"
#include "fuzz.h"

static const enum unit units[] = {
    UNIT_NONE,         UNIT_COUNT,        UNIT_BYTES,   UNIT_BYTES_PER_SECOND, UNIT_BITS_PER_SECOND,
    UNIT_MICROSECONDS, UNIT_MILLISECONDS, UNIT_SECONDS,
};

/* The short form has two or three digits, so that it is off by a twentieth at most. What is more
 * than 64 bits of the smallest unit stands for them. */
static void check_written(enum unit unit, uint64_t number)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    uint64_t again, off;
    size_t length = units_write(&out, unit, number);
    int r = units_parse(out.data, out.length, unit, &again, NULL);

    CHECK(length == out.length && length > 0);
    CHECK(text_is_clean(out.data, out.length));
    CHECK(r == 0 || (r == -ERANGE && number > UINT64_MAX / 20 * 19));
    if (r < 0 || number > UINT64_MAX / 1000000)
        return;
    off = again > number ? again - number : number - again;
    CHECK(off <= number / 20 + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = NULL;
    uint64_t number = 0;
    enum unit unit;
    bool more;
    int r;

    if (size < 1)
        return 0;
    unit = units[fuzz_choose(&data, &size, ARRAY_SIZE(units))];
    text = fuzz_bytes(data, size);
    r = units_parse(text, size, unit, &number, &more);
    CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
    if (r == 0)
        check_written(unit, number);
    if (size >= sizeof(number)) {
        memcpy(&number, data, sizeof(number));
        check_written(unit, number);
    }
    return 0;
}
