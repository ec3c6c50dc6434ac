/* SPDX-License-Identifier: MIT */
/* What was found, for those who show it. */
#include "derive/health/finding.h"

#include <stdlib.h>

void finding_say(const struct finding *finding, translation *translate, struct buf *out)
{
    for (uint32_t i = 0; i < finding->phrase_count; i++)
        phrase_put(out, &finding->phrases[i], translate);
}

void findings_done(struct findings *findings)
{
    arena_done(&findings->arena);
    free(findings->items);
    free(findings->evidence);
    *findings = (struct findings){0};
}

enum severity findings_worst(const struct findings *findings)
{
    return findings->count ? findings->items[0].severity : SEVERITY_OK;
}

const char *severity_name(unsigned int severity)
{
    static const char *const names[SEVERITY_MAX] = {"ok", "info", "warn", "crit"};

    return severity < SEVERITY_MAX ? names[severity] : "unknown";
}
