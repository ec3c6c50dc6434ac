/* SPDX-License-Identifier: MIT */
/* Reads what the doctor goes by. */
#include "cli/rules.h"

#include "cli/baseline.h"
#include "cli/command.h"

#include <string.h>

/* Where none was saved, or it is somebody else's, there is none. */
static int read_baseline(struct rules *rules, struct buf *error)
{
    struct baseline_file file;
    int r = baseline_find(NULL, &rules->config, &file);

    if (r == 0)
        r = baseline_load(&file, &rules->baseline, error);
    rules->has_baseline = r == 0;
    if (r == -EBADMSG)
        return r;
    if (r < 0 && r != -ENOENT)
        command_error("the baseline %s is left out: %s", file.path, strerror(-r));
    return 0;
}

int rules_read(struct rules *rules, struct arena *arena, bool of_recording, struct buf *error)
{
    int r;

    *rules = (struct rules){.has_baseline = false};
    r = config_read(arena, &rules->config, error);
    if (r == 0 && !of_recording)
        r = read_baseline(rules, error);
    if (r < 0)
        config_done(&rules->config);
    return r;
}

void rules_done(struct rules *rules)
{
    if (rules->has_baseline)
        snapshot_done(&rules->baseline);
    config_done(&rules->config);
}

struct health_plan rules_plan(const struct rules *rules, const uint32_t *chosen, uint32_t count)
{
    return (struct health_plan){
        .chosen = chosen,
        .chosen_count = count,
        .limits = rules->config.limits,
        .allowed = rules->config.allowed,
        .allowed_count = rules->config.allowed_count,
        .baseline = rules->has_baseline ? &rules->baseline : NULL,
    };
}
