/* SPDX-License-Identifier: MIT */
/* Reads the configuration: lines "CHECK.THRESHOLD = WARN [CRIT]", and comments behind #. */
#include "cli/config.h"

#include "cli/command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 4096
#define LINE_SIZE 512

/* Where a line is, for messages. */
struct place {
    const char *path;
    uint32_t line;
};

static int refuse(const struct place *place, const char *what, const char *word)
{
    return command_error("%s:%u: %s: %s", place->path, place->line, what, word);
}

/* "off": there is no such finding. */
static int parse_limit(const char *word, enum unit unit, uint64_t *ret_value)
{
    if (strcmp(word, "off") == 0) {
        *ret_value = LIMIT_NEVER;
        return 0;
    }
    return units_parse(word, strlen(word), unit, ret_value, NULL);
}

static const struct threshold *find_threshold(const char *name, uint32_t *ret_index)
{
    const char *dot = strchr(name, '.');

    for (uint32_t i = 0; dot && i < check_count; i++) {
        const struct check *check = checks[i];

        if (strlen(check->name) != (size_t)(dot - name) ||
            memcmp(check->name, name, (size_t)(dot - name)) != 0)
            continue;
        for (uint32_t j = 0; j < CHECK_LIMITS_MAX && check->thresholds[j].name; j++)
            if (strcmp(check->thresholds[j].name, dot + 1) == 0) {
                *ret_index = i * CHECK_LIMITS_MAX + j;
                return &check->thresholds[j];
            }
    }
    return NULL;
}

static int take_line(struct config *config, const struct place *place, char *line)
{
    char *rest = NULL, *name = strtok_r(line, " \t=", &rest);
    char *warn = strtok_r(NULL, " \t=", &rest), *crit = strtok_r(NULL, " \t", &rest);
    const struct threshold *threshold;
    struct limit limit;
    uint32_t index;

    if (!name)
        return 0;
    threshold = find_threshold(name, &index);
    if (!threshold)
        return refuse(
            place, "no such threshold (nwho doctor --explain CHECK lists those of a check)", name);
    if (!warn)
        return refuse(place, "the value is missing", name);
    if (strtok_r(NULL, " \t", &rest))
        return refuse(place, "more than two values", name);
    limit = (struct limit){.crit = config->limits[index].crit};
    if (parse_limit(warn, threshold->unit, &limit.warn) < 0)
        return refuse(place, "not a value of this threshold", warn);
    if (crit && parse_limit(crit, threshold->unit, &limit.crit) < 0)
        return refuse(place, "not a value of this threshold", crit);
    config->limits[index] = limit;
    return 0;
}

/* A file that is not there says nothing, unless it was asked for. */
static int read_file(struct config *config, const char *path, bool wanted)
{
    struct place place = {.path = path};
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    int r = 0;

    if (!file)
        return wanted || errno != ENOENT
                   ? command_error("cannot read the configuration %s: %s", path, strerror(errno))
                   : 0;
    while (r == 0 && fgets(line, sizeof(line), file)) {
        place.line++;
        if (!strchr(line, '\n') && !feof(file))
            r = refuse(&place, "the line is too long", "");
        line[strcspn(line, "#\r\n")] = '\0';
        if (r == 0)
            r = take_line(config, &place, line);
    }
    fclose(file);
    return r;
}

static int read_users_file(struct config *config)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char path[PATH_SIZE];
    int length;

    if (base && *base == '/')
        length = snprintf(path, sizeof(path), "%s/nwho/nwho.conf", base);
    else if (home && *home == '/')
        length = snprintf(path, sizeof(path), "%s/.config/nwho/nwho.conf", home);
    else
        return 0;
    return length > 0 && (size_t)length < sizeof(path) ? read_file(config, path, false) : 0;
}

int config_read(struct arena *arena, struct config *ret_config)
{
    const char *named = getenv("NWHO_CONFIG");
    struct config config;
    int r;

    config.limits = arena_alloc(arena, check_count * CHECK_LIMITS_MAX * sizeof(*config.limits));
    if (!config.limits)
        return command_error("out of memory");
    for (uint32_t i = 0; i < check_count; i++)
        for (uint32_t j = 0; j < CHECK_LIMITS_MAX; j++)
            config.limits[i * CHECK_LIMITS_MAX + j] = checks[i]->thresholds[j].usual;
    if (named && *named) {
        r = read_file(&config, named, true);
    } else {
        r = read_file(&config, "/etc/nwho/nwho.conf", false);
        if (r == 0)
            r = read_users_file(&config);
    }
    if (r == 0)
        *ret_config = config;
    return r;
}
