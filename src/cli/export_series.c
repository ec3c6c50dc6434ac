/* SPDX-License-Identifier: MIT */
/* Series: few bytes for each number, as OpenMetrics wants all of one series together. */
#include "cli/export_series.h"

#include "base/hash.h"
#include "base/vec.h"

#include <stdlib.h>

void export_series_done(struct export_series *series)
{
    for (uint32_t i = 0; i < series->count; i++) {
        free(series->items[i].labels);
        buf_done(&series->items[i].numbers);
    }
    free(series->items);
    free(series->pieces);
    map_done(&series->index);
    *series = (struct export_series){0};
}

int export_series_piece(struct export_series *series, uint64_t since_ns, uint64_t until_ns,
                        bool measured)
{
    int r = VEC_RESERVE(&series->pieces, &series->piece_capacity, series->piece_count, 1);

    if (r == 0)
        series->pieces[series->piece_count++] = (struct export_piece){since_ns, until_ns, measured};
    return r;
}

/* --- in --- */

static void put_number(struct buf *out, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        buf_byte(out, (char)(number | 0x80));
    buf_byte(out, (char)number);
}

static void end_number(struct one_series *one)
{
    if (!one->open)
        return;
    put_number(&one->numbers, one->open - one->last);
    put_number(&one->numbers, one->number);
    one->last = one->open;
    one->open = 0;
    one->number = 0;
}

static int make_series(struct export_series *series, enum metric metric, const char *labels,
                       uint64_t hash, struct one_series **ret_one)
{
    struct one_series one = {.metric = metric, .labels = strdup(labels), .numbers = BUF_INIT};
    int r = one.labels ? VEC_RESERVE(&series->items, &series->capacity, series->count, 1) : -ENOMEM;

    if (r == 0)
        r = map_set(&series->index, hash, series->count);
    if (r < 0) {
        free(one.labels);
        return r;
    }
    series->items[series->count] = one;
    *ret_one = &series->items[series->count++];
    return 0;
}

static int find_series(struct export_series *series, enum metric metric, const char *labels,
                       struct one_series **ret_one)
{
    uint64_t hash = hash_bytes(hash_number(HASH_INIT, metric), labels, strlen(labels));
    uint32_t at;

    while ((at = map_get(&series->index, hash)) != MAP_NONE) {
        struct one_series *one = &series->items[at];

        if (one->metric == metric && strcmp(one->labels, labels) == 0) {
            *ret_one = one;
            return 0;
        }
        hash++;
    }
    return make_series(series, metric, labels, hash, ret_one);
}

int export_series_add(struct export_series *series, enum metric metric, const char *labels,
                      uint64_t number)
{
    struct one_series *one;
    int r = find_series(series, metric, labels, &one);

    if (r < 0)
        return r;
    if (one->open != series->piece_count)
        end_number(one);
    one->open = series->piece_count;
    one->number += number;
    return one->numbers.error;
}

/* --- out --- */

static uint64_t take_number(const char **at)
{
    uint64_t number = 0;
    unsigned int shift = 0;
    unsigned char byte;

    do {
        byte = (unsigned char)*(*at)++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return number;
}

/* From the piece of its first number to that of its last one. */
static void write_one(const struct export_series *series, const struct one_series *one,
                      struct buf *out)
{
    bool gauge = metric_families[one->metric].type == METRIC_GAUGE;
    const char *at = one->numbers.data, *end = at + one->numbers.length;
    uint32_t piece = (uint32_t)take_number(&at) - 1, next = piece;
    uint64_t sum = 0;
    bool begun = false;

    for (; piece < one->last; piece++) {
        const struct export_piece *times = &series->pieces[piece];
        uint64_t number = 0;

        if (piece == next) {
            number = take_number(&at);
            next += at < end ? (uint32_t)take_number(&at) : 0;
        }
        if (!times->measured) {
            begun = false;
            continue;
        }
        if (!gauge && !begun)
            openmetrics_sample(one->metric, one->labels, sum, times->since_ns, out);
        begun = true;
        sum = gauge ? number : sum + number;
        openmetrics_sample(one->metric, one->labels, sum, times->until_ns, out);
    }
}

void export_series_write(struct export_series *series, enum metric metric, struct buf *out)
{
    bool any = false;

    for (uint32_t i = 0; i < series->count && !out->error; i++) {
        struct one_series *one = &series->items[i];

        if (one->metric != metric)
            continue;
        end_number(one);
        if (one->numbers.error) {
            out->error = one->numbers.error;
            return;
        }
        if (!any)
            openmetrics_family(metric, METRIC_OPENMETRICS, out);
        any = true;
        write_one(series, one, out);
    }
}
