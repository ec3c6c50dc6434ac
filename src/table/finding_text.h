/* SPDX-License-Identifier: MIT */
/* The words of a finding: texts of its check, with the facts of its subject in their fields. */
#pragma once

#include "derive/health/check.h"
#include "table/table.h"

/* Which texts of an advice. */
enum advice_part {
    ADVICE_FIX,
    ADVICE_AVOID,
    ADVICE_NEXT,
    ADVICE_PART_MAX,
};

/* The texts of a part, up to the first NULL. */
const char *const *finding_advice(const struct finding *finding, enum advice_part part,
                                  uint32_t *ret_count);

/* Appends the text, which is in the language already, with its fields replaced (struct advice);
 * names from outside are as they are. */
void finding_expand(const struct view *view, const struct finding *finding, const char *text,
                    translation *translate, struct buf *out);
