/* SPDX-License-Identifier: MIT */
/* sar: samples, and what two of them have to do with each other. */
#include "compat/sar.h"

#include "base/vec.h"

void sar_sample_clear(struct sar_sample *sample)
{
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++)
        sample->blocks[id].count = 0;
}

void sar_sample_done(struct sar_sample *sample)
{
    for (uint32_t i = 0; i < SAR_REPORT_MAX; i++)
        free(sample->blocks[i].rows);
}

struct sar_row *sar_block_add(struct sar_block *block)
{
    if (VEC_RESERVE(&block->rows, &block->capacity, block->count, 1) < 0)
        return NULL;
    block->rows[block->count] = (struct sar_row){.full_duplex = false};
    return &block->rows[block->count++];
}

static const struct sar_row *find(const struct sar_block *block, const char *name)
{
    for (uint32_t i = 0; i < block->count; i++)
        if (strcmp(block->rows[i].name, name) == 0)
            return &block->rows[i];
    return NULL;
}

/* A counter of 64 bits that is less than before has begun again, unless it was about to wrap. */
static bool began_again(const struct sar_report *report, const struct sar_row *before,
                        const struct sar_row *row)
{
    for (uint32_t i = 0; i < report->column_count; i++)
        if (row->values[i] < before->values[i] && before->values[i] <= UINT64_MAX / 2)
            return true;
    return false;
}

const struct sar_row *sar_row_before(const struct sar_report *report, const struct sar_row *row,
                                     const struct sar_block *before)
{
    const struct sar_row *found = find(before, row->name);

    if (found && report->rows == SAR_OF_INTERFACES && began_again(report, found, row))
        return NULL;
    return found;
}

uint64_t sar_counted(const struct sar_report *report, uint64_t before, uint64_t now)
{
    return report->rows == SAR_OF_CPUS ? (uint32_t)(now - before) : now - before;
}

void sar_sample_accumulate(struct sar_sample *sample, const struct sar_sample *before)
{
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++)
        for (uint32_t i = 0; i < sample->blocks[id].count; i++) {
            struct sar_row *row = &sample->blocks[id].rows[i];
            const struct sar_row *earlier = find(&before->blocks[id], row->name);

            for (uint32_t column = 0; earlier && column < sar_reports[id].column_count; column++)
                if (sar_reports[id].columns[column].unit != SAR_NOW)
                    row->values[column] += earlier->values[column];
        }
}

void sar_sample_add_up(struct sar_sample *sample, const struct sar_sample *before, bool shown)
{
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++)
        for (uint32_t i = 0; i < sample->blocks[id].count; i++) {
            struct sar_row *row = &sample->blocks[id].rows[i];
            const struct sar_row *earlier = find(&before->blocks[id], row->name);

            for (uint32_t column = 0; column < sar_reports[id].column_count; column++)
                row->sums[column] =
                    (shown ? row->values[column] : 0) + (earlier ? earlier->sums[column] : 0);
        }
}
