/* SPDX-License-Identifier: MIT */
/* Trends: what each row was in equal pieces of the time that it is about. */
#include "table/trends.h"

#include "base/clock.h"
#include "base/graph.h"
#include "base/rate.h"
#include "base/vec.h"
#include "table/cells.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 48

void trends_done(struct trends *trends)
{
    map_done(&trends->index);
    free(trends->values);
    free(trends->measured);
    *trends = (struct trends){0};
}

int trends_add(struct trends *trends, uint64_t identity, uint32_t piece, uint64_t value)
{
    uint32_t row = map_get(&trends->index, identity);
    size_t size = trends->pieces * sizeof(*trends->values);
    int r;

    if (row == MAP_NONE) {
        row = trends->count;
        r = vec_reserve((void **)&trends->values, &trends->capacity, row, 1, size);
        if (r == 0)
            r = map_set(&trends->index, identity, row);
        if (r < 0)
            return r;
        memset(&trends->values[(size_t)row * trends->pieces], 0, size);
        trends->count++;
    }
    trends->values[(size_t)row * trends->pieces + piece] += value;
    return 0;
}

int trends_measured(struct trends *trends, uint32_t piece, uint64_t ns)
{
    if (!trends->measured)
        trends->measured = calloc(trends->pieces, sizeof(*trends->measured));
    if (!trends->measured)
        return -ENOMEM;
    trends->measured[piece] = ns;
    return 0;
}

const uint64_t *trends_get(const struct trends *trends, uint64_t identity)
{
    uint32_t row = map_get(&trends->index, identity);

    return row == MAP_NONE ? NULL : &trends->values[(size_t)row * trends->pieces];
}

/* Several pieces in a column are one: a second of what was measured of them. */
static struct value get_trend(const struct view *view, uint32_t row)
{
    const struct trends *trends = view->trends;
    uint64_t sums[COLUMNS_MAX] = {0}, measured[COLUMNS_MAX] = {0};
    uint32_t columns = trends->pieces < COLUMNS_MAX ? trends->pieces : COLUMNS_MAX;
    const uint64_t *values = trends_get(trends, trends->identity(view, row));

    for (uint32_t i = 0; i < trends->pieces; i++) {
        uint64_t column = (uint64_t)i * columns / trends->pieces;

        sums[column] += values ? values[i] : 0;
        measured[column] += trends->measured ? trends->measured[i] : SECOND_NS;
    }
    for (uint32_t i = 0; i < columns; i++)
        sums[i] = measured[i] ? per_second(sums[i], measured[i], 0.999) : GRAPH_UNKNOWN;
    buf_reset(view->scratch);
    graph_spark(view->scratch, sums, columns, columns, trends->utf8);
    return cell_scratch(view, 0);
}

const struct column column_trend = {
    .name = "trend",
    .title = "TREND",
    .help = "Both ways a second, in each piece of the time (--every); ?: not measured",
    .kind = KIND_TEXT,
    .flags = COLUMN_TEXT | COLUMN_COMPOSED,
    .get = get_trend,
};
