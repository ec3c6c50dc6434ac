/* SPDX-License-Identifier: MIT */
/* Filter language: text patterns (exact, glob, regular expression). */
#include "table/filter_tree.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COMM_MAX 15 /* bytes of a process name that the kernel keeps (TASK_COMM_LEN - 1) */

/* --- what an expression costs --- */

/*
 * libc makes a copy of what is repeated for each time ("x{9}" nine, "x+" two), also of copies in
 * it: a few letters would take all memory. Counted is what that comes to.
 */
#define REGEX_COST_MAX 20000
#define REGEX_DEPTH_MAX 50

struct regex_group {
    uint64_t before, last; /* the cost of all up to the last part, and of that */
};

/* Behind a part: how often libc has it; moves behind what says so. */
static uint64_t read_repetition(const char **at)
{
    uint64_t least = 0, most = 0, *number = &least;

    if (*(*at)++ == '+')
        return 2;
    for (; **at == ',' || (**at >= '0' && **at <= '9'); (*at)++)
        if (**at == ',')
            number = &most;
        else if (*number <= REGEX_COST_MAX)
            *number = *number * 10 + (uint64_t)(**at - '0');
    return (least > most ? least : most) + 1;
}

/* Behind the set that begins there: its first character may be ']'. */
static const char *skip_set(const char *at)
{
    at += at[1] == '^' ? 2 : 1;
    at = *at ? strchr(at + 1, ']') : NULL;
    return at ? at + 1 : "";
}

/* One character, set or parenthesis; false: it is too deep. What does not match is for regcomp() to
 * say. */
static bool read_part(const char **at, struct regex_group *groups, uint32_t *depth)
{
    struct regex_group *group = &groups[*depth];

    if (**at == '(' && *depth + 1 == REGEX_DEPTH_MAX)
        return false;
    if (**at == '(') {
        groups[++*depth] = (struct regex_group){0};
        ++*at;
        return true;
    }
    if (**at == ')' && *depth > 0) {
        uint64_t inside = group->before + group->last;

        group = &groups[--*depth];
        group->before += group->last;
        group->last = inside + 1;
        ++*at;
        return true;
    }
    group->before += group->last;
    group->last = 1;
    if (**at == '[')
        *at = skip_set(*at);
    else
        *at += **at == '\\' && (*at)[1] ? 2 : 1;
    return true;
}

static bool costs_too_much(const char *text)
{
    struct regex_group groups[REGEX_DEPTH_MAX] = {0};
    uint32_t depth = 0;

    while (*text) {
        struct regex_group *group = &groups[depth];

        if (*text == '{' || *text == '+')
            group->last *= read_repetition(&text);
        else if (!read_part(&text, groups, &depth))
            return true;
        if (groups[depth].before + groups[depth].last > REGEX_COST_MAX)
            return true;
    }
    return false;
}

static int add_regex(struct filter_parser *parser, const struct filter_word *word, const char *text,
                     bool icase, const regex_t **ret_regex)
{
    struct filter_regex *regex = arena_alloc(parser->arena, sizeof(*regex));
    char reason[100];
    int r;

    if (!regex) {
        filter_fail_memory(parser);
        return -ENOMEM;
    }
    if (costs_too_much(text)) {
        filter_fail(parser, word, "regular expression '%.60s' is too large", text);
        return -EINVAL;
    }
    r = regcomp(&regex->regex, text, REG_EXTENDED | REG_NOSUB | (icase ? REG_ICASE : 0));
    if (r == REG_ESPACE) {
        filter_fail_memory(parser);
        return -ENOMEM;
    }
    if (r != 0) {
        regerror(r, &regex->regex, reason, sizeof(reason));
        filter_fail(parser, word, "bad regular expression '%.60s': %s", text, reason);
        return -EINVAL;
    }
    regex->next = parser->filter->regexes;
    parser->filter->regexes = regex;
    *ret_regex = &regex->regex;
    return 0;
}

struct filter_node *filter_text(struct filter_parser *parser, const struct filter_word *word,
                                const char *text, const struct filter_node *field)
{
    struct filter_node *node = filter_field_node(parser, FILTER_TEXT, field);
    const struct column *column = field->column ? field->column : field->owner_column;
    struct filter_pattern *pattern;

    if (!node)
        return NULL;
    pattern = &node->pattern;
    pattern->text = text;
    pattern->length = pattern->comm_length = (uint32_t)strlen(text);
    if (word->token == TOKEN_REGEX) {
        pattern->kind = PATTERN_REGEX;
        return add_regex(parser, word, text, word->icase, &pattern->regex) == 0 ? node : NULL;
    }
    if (strcmp(column->name, "process") == 0 && pattern->length > COMM_MAX)
        pattern->comm_length = COMM_MAX;
    pattern->unit = strcmp(column->name, "unit") == 0;
    if (word->token != TOKEN_QUOTED && strpbrk(text, "*?["))
        pattern->kind = PATTERN_GLOB;
    return node;
}

/* strcasestr() for what is no C string. */
static bool has_part(const struct filter_pattern *pattern, const char *bytes, size_t length)
{
    for (size_t i = 0; i + pattern->length <= length; i++)
        if (strncasecmp(bytes + i, pattern->text, pattern->length) == 0)
            return true;
    return false;
}

static bool is_text(const struct filter_pattern *pattern, const char *bytes, size_t length)
{
    return length == pattern->length && memcmp(bytes, pattern->text, length) == 0;
}

static bool matches_exactly(const struct filter_pattern *pattern, const char *bytes, size_t length)
{
    const size_t suffix = strlen(".service");

    if (is_text(pattern, bytes, length))
        return true;
    if (pattern->part)
        return has_part(pattern, bytes, length);
    if (pattern->comm_length < pattern->length)
        return length == pattern->comm_length && memcmp(bytes, pattern->text, length) == 0;
    return pattern->unit && length > suffix &&
           memcmp(bytes + length - suffix, ".service", suffix) == 0 &&
           is_text(pattern, bytes, length - suffix);
}

/*
 * fnmatch() and regexec() want a C string; a NUL inside (names of abstract sockets) is an '@', as
 * ss(8) shows it.
 */
static bool matches_string(const struct filter_pattern *pattern, const char *bytes, size_t length)
{
    char small[512];
    CLEANUP_FREE char *large = NULL;
    char *text = small;

    if (pattern->kind == PATTERN_EXACT)
        return matches_exactly(pattern, bytes, length);
    if (length >= sizeof(small)) {
        large = malloc(length + 1);
        if (!large)
            return false;
        text = large;
    }
    for (size_t i = 0; i < length; i++)
        text[i] = bytes[i];
    text[length] = '\0';
    for (char *nul = memchr(text, '\0', length); nul;
         nul = memchr(nul, '\0', length - (size_t)(nul - text)))
        *nul = '@';
    if (pattern->kind == PATTERN_REGEX)
        return regexec(pattern->regex, text, 0, NULL, 0) == 0;
    return fnmatch(pattern->text, text, pattern->part ? FNM_CASEFOLD : 0) == 0;
}

bool filter_pattern_matches(const struct filter_pattern *pattern, const struct value *value)
{
    char digits[24];
    int length;

    switch (value->type) {
    case VALUE_STRING:
        return matches_string(pattern, value->string.bytes, value->string.length);
    case VALUE_UINT:
        length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value->uint);
        return matches_string(pattern, digits, (size_t)length);
    default:
        return false;
    }
}
