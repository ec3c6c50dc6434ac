/* SPDX-License-Identifier: MIT */
/* Reads the configuration: lines "KEY = WORDS", and comments behind #. */
#include "cli/config.h"

#include "base/buf.h"
#include "base/suggest.h"
#include "base/user_path.h"
#include "base/vec.h"
#include "cli/command.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 512
#define BLANKS " \t="

struct reader {
    struct arena *arena;
    struct config config;
    const char *path; /* and line: where it is, for messages */
    uint32_t line;
    struct buf *error;
};

static int refuse(const struct reader *reader, const char *what, const char *word)
{
    buf_printf(reader->error, "%s:%u: %s: %s", reader->path, reader->line, what, word);
    return -EINVAL;
}

static int no_memory(const struct reader *reader)
{
    buf_puts(reader->error, "out of memory");
    return -ENOMEM;
}

/* --- keys that are no thresholds --- */

/* What follows on the line is what they add. */
static int take_allowed(struct reader *reader, const char *key, char *rest)
{
    struct config *config = &reader->config;
    uint32_t before = config->allowed_count;
    char *word;

    while ((word = strtok_r(NULL, BLANKS, &rest))) {
        struct allowed_listener allowed;

        word = arena_copy(reader->arena, word, strlen(word));
        if (!word ||
            VEC_RESERVE(&config->allowed, &config->allowed_capacity, config->allowed_count, 1) < 0)
            return no_memory(reader);
        if (allowed_parse(word, &allowed) < 0)
            return refuse(reader, "no listener like tcp/443, tcp/10.0.0.1:5432 or udp/53@named",
                          word);
        config->allowed[config->allowed_count++] = allowed;
    }
    return config->allowed_count > before ? 0 : refuse(reader, "the value is missing", key);
}

/* The only word of the line. */
static int take_word(struct reader *reader, const char *key, char *rest, const char **ret_word)
{
    const char *word = strtok_r(NULL, BLANKS, &rest);

    if (!word)
        return refuse(reader, "the value is missing", key);
    if (strtok_r(NULL, BLANKS, &rest))
        return refuse(reader, "more than one value", key);
    *ret_word = arena_copy(reader->arena, word, strlen(word));
    return *ret_word ? 0 : no_memory(reader);
}

static int take_baseline(struct reader *reader, const char *key, char *rest)
{
    const char *word;
    int r = take_word(reader, key, rest, &word);

    if (r < 0)
        return r;
    if (*word != '/' && strcmp(word, "off") != 0)
        return refuse(reader, "neither a path from / on nor off", word);
    reader->config.baseline = word;
    return 0;
}

static int take_server(struct reader *reader, const char *key, char *rest)
{
    return take_word(reader, key, rest, &reader->config.fleet_server);
}

static int take_token_file(struct reader *reader, const char *key, char *rest)
{
    return take_word(reader, key, rest, &reader->config.fleet_token_file);
}

static const struct {
    const char *name;
    int (*take)(struct reader *reader, const char *key, char *rest);
} keys[] = {
    {"exposed.allow", take_allowed},
    {"exposed.baseline", take_baseline},
    {"fleet.server", take_server},
    {"fleet.token-file", take_token_file},
};

/* --- thresholds --- */

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

static int refuse_value(const struct reader *reader, const char *key, const char *word)
{
    buf_printf(reader->error,
               "%s:%u: not a value of %s: %s (nwho doctor --explain %.*s shows the usual ones)",
               reader->path, reader->line, key, word, (int)strcspn(key, "."), key);
    return -EINVAL;
}

static int take_threshold(const struct reader *reader, const char *key, enum unit unit,
                          struct limit *limit, char *rest)
{
    const char *warn = strtok_r(NULL, BLANKS, &rest), *crit = strtok_r(NULL, BLANKS, &rest);

    if (!warn)
        return refuse(reader, "the value is missing", key);
    if (strtok_r(NULL, BLANKS, &rest))
        return refuse(reader, "more than two values", key);
    if (parse_limit(warn, unit, &limit->warn) < 0)
        return refuse_value(reader, key, warn);
    if (crit && parse_limit(crit, unit, &limit->crit) < 0)
        return refuse_value(reader, key, crit);
    return 0;
}

/* --- lines --- */

static int refuse_key(const struct reader *reader, const char *key)
{
    struct suggestion best = suggestion_for(key);

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        suggestion_try(&best, keys[i].name);
    for (uint32_t i = 0; i < check_count; i++)
        for (uint32_t j = 0; j < CHECK_LIMITS_MAX && checks[i]->thresholds[j].name; j++) {
            char name[64]; /* copied, as the nearest one has to stay */
            int length = snprintf(name, sizeof(name), "%s.%s", checks[i]->name,
                                  checks[i]->thresholds[j].name);
            const char *copy = arena_copy(reader->arena, name, (size_t)length);

            if (copy)
                suggestion_try(&best, copy);
        }
    if (!best.name)
        return refuse(reader, "no such key (nwho doctor --explain CHECK lists those of a check)",
                      key);
    buf_printf(reader->error, "%s:%u: no such key: %s: did you mean %s?", reader->path,
               reader->line, key, best.name);
    return -EINVAL;
}

static int take_line(struct reader *reader, char *line)
{
    char *rest = NULL, *key = strtok_r(line, BLANKS, &rest);
    const struct threshold *threshold;
    uint32_t index;

    if (!key)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strcmp(keys[i].name, key) == 0)
            return keys[i].take(reader, key, rest);
    threshold = find_threshold(key, &index);
    return threshold
               ? take_threshold(reader, key, threshold->unit, &reader->config.limits[index], rest)
               : refuse_key(reader, key);
}

static int unreadable(const struct reader *reader, int error)
{
    buf_printf(reader->error, "cannot read the configuration %s: %s", reader->path,
               strerror(error));
    return -error;
}

/* A file that is not there says nothing, unless it was asked for; one that may not be read is left
 * out. */
static int refuse_file(const struct reader *reader, bool wanted)
{
    if (!wanted && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (!wanted && errno == EACCES) {
        command_error("the configuration %s is left out: %s", reader->path, strerror(errno));
        return 0;
    }
    return unreadable(reader, errno);
}

static int read_file(struct reader *reader, const char *path, bool wanted)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    int r = 0;

    reader->path = path;
    reader->line = 0;
    if (!file)
        return refuse_file(reader, wanted);
    while (r == 0 && fgets(line, sizeof(line), file)) {
        reader->line++;
        if (!strchr(line, '\n') && !feof(file))
            r = refuse(reader, "the line is too long", "");
        line[strcspn(line, "#\r\n")] = '\0';
        if (r == 0)
            r = take_line(reader, line);
    }
    if (r == 0 && ferror(file))
        r = unreadable(reader, errno);
    fclose(file);
    return r;
}

static struct limit *usual_limits(struct arena *arena)
{
    struct limit *limits = arena_alloc(arena, check_count * CHECK_LIMITS_MAX * sizeof(*limits));

    for (uint32_t i = 0; limits && i < check_count; i++)
        for (uint32_t j = 0; j < CHECK_LIMITS_MAX; j++)
            limits[i * CHECK_LIMITS_MAX + j] = checks[i]->thresholds[j].usual;
    return limits;
}

int config_read(struct arena *arena, struct config *ret_config, struct buf *error)
{
    char path[PATH_MAX];
    const char *named = getenv("NWHO_CONFIG");
    struct reader reader = {.arena = arena, .config.limits = usual_limits(arena), .error = error};
    int r;

    if (!reader.config.limits)
        return no_memory(&reader);
    if (named && *named) {
        r = read_file(&reader, named, true);
    } else {
        r = read_file(&reader, "/etc/nwho/nwho.conf", false);
        if (r == 0 && user_path("XDG_CONFIG_HOME", ".config", "nwho.conf", path, sizeof(path)))
            r = read_file(&reader, path, false);
    }
    if (r == 0)
        *ret_config = reader.config;
    else
        config_done(&reader.config);
    return r;
}

int config_require(struct arena *arena, struct config *ret_config)
{
    struct buf error CLEANUP(buf_done) = BUF_INIT;

    return config_read(arena, ret_config, &error) < 0 ? command_error("%s", buf_string(&error)) : 0;
}

void config_done(struct config *config)
{
    free(config->allowed);
    config->allowed = NULL;
}
