/* SPDX-License-Identifier: MIT */
/* Parses the words of the command line by the table of options. */
#include "cli/options.h"

#include "base/suggest.h"

#include <errno.h>

struct parser {
    char **argv;
    uint32_t count, at;
    uint32_t groups;
    struct options *options;
    struct buf *error;
};

static bool argument_is_optional(const struct option_info *option)
{
    return option->argument && option->argument[0] == '[';
}

/* Whether a word behind the option is its argument, when nothing is attached. */
static bool takes_word(const struct option_info *option, const char *word)
{
    if (!option->argument || !word)
        return false;
    return option->argument[0] != '[' || (option->argument[1] != '=' && word[0] != '-');
}

const struct option_info *options_find_name(const char *name, size_t length, uint32_t groups)
{
    for (uint32_t i = 0; i < option_count; i++) {
        const struct option_info *option = &option_table[i];

        if (option->groups & groups && strlen(option->name) == length &&
            strncmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

const struct option_info *options_find_letter(char letter, uint32_t groups)
{
    const struct option_info *found = NULL;

    for (uint32_t i = 0; i < option_count; i++)
        if (option_table[i].letter == letter && option_table[i].groups & groups &&
            (!found || (groups == ~0u && !option_table[i].argument)))
            found = &option_table[i];
    return found;
}

static int unknown_letter(char letter, struct buf *error)
{
    buf_puts(error, "unknown option \"-");
    buf_byte(error, letter);
    buf_byte(error, '"');
    return -EINVAL;
}

/* What other commands have is no slip of the pen: who calls can say which these are. */
static int unknown_long(struct parser *parser, const char *word, size_t length)
{
    struct suggestion best = suggestion_for(word);

    if (options_find_name(word, length, ~0u))
        parser->options->elsewhere = word;
    for (uint32_t i = 0; i < option_count && !parser->options->elsewhere; i++)
        if (option_table[i].groups & parser->groups)
            suggestion_try(&best, option_table[i].name);
    buf_puts(parser->error, "unknown option \"--");
    buf_puts(parser->error, word);
    buf_byte(parser->error, '"');
    if (best.name)
        buf_printf(parser->error, ": did you mean --%s?", best.name);
    return -EINVAL;
}

/* The argument of an option that has none attached: the next word, or nothing. */
static int next_argument(struct parser *parser, const struct option_info *option,
                         const char **ret_argument)
{
    const char *next = parser->at + 1 < parser->count ? parser->argv[parser->at + 1] : NULL;

    if (!takes_word(option, next)) {
        if (!option->argument || argument_is_optional(option))
            return 0;
        buf_printf(parser->error, "--%s needs an argument: %s", option->name, option->argument);
        return -EINVAL;
    }
    parser->at++;
    *ret_argument = next;
    return 0;
}

static bool is_number(const char *word)
{
    return *word && word[strspn(word, "0123456789.")] == '\0';
}

/*
 * Behind --watch a number is rather the seconds than what it would be: the word after an option
 * that needs none.
 */
static int apply(struct parser *parser, const struct option_info *option, const char *argument)
{
    const char *next = parser->at + 1 < parser->count ? parser->argv[parser->at + 1] : "";

    if (argument || !option->argument || strcmp(option->argument, "[=SEC]") != 0 ||
        !is_number(next))
        return option->apply(parser->options, argument, parser->error);
    buf_printf(parser->error, "--%s %.20s: seconds are attached, --%s=%.20s or -%c%.20s",
               option->name, next, option->name, next, option->letter, next);
    return -EINVAL;
}

static int parse_long(struct parser *parser, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct option_info *option = options_find_name(word, length, parser->groups);
    const char *argument = equals ? equals + 1 : NULL;
    int r = 0;

    if (!option)
        return unknown_long(parser, word, length);
    if (equals && !option->argument) {
        buf_printf(parser->error, "--%s takes no argument", option->name);
        return -EINVAL;
    }
    if (!equals)
        r = next_argument(parser, option, &argument);
    return r < 0 ? r : apply(parser, option, argument);
}

/* What is attached to a letter: "-Nblue", "-N=blue". */
static const char *attached_argument(const struct option_info *option, const char *rest)
{
    if (!option->argument || !*rest)
        return NULL;
    return *rest == '=' ? rest + 1 : rest;
}

/* "-tlp" is three options. */
static int parse_letters(struct parser *parser, const char *letters)
{
    int r = 0;

    for (; *letters && r == 0; letters++) {
        const struct option_info *option = options_find_letter(*letters, parser->groups);
        const char *argument;

        if (!option)
            return unknown_letter(*letters, parser->error);
        argument = attached_argument(option, letters + 1);
        if (argument)
            return apply(parser, option, argument);
        r = next_argument(parser, option, &argument);
        if (r == 0)
            r = apply(parser, option, argument);
    }
    return r;
}

int options_parse(char **argv, uint32_t count, uint32_t groups, struct options *ret_options,
                  struct buf *error)
{
    struct parser parser = {
        .argv = argv, .count = count, .groups = groups, .options = ret_options, .error = error};
    uint32_t words = 0;
    int r = 0;

    for (; parser.at < count && r == 0; parser.at++) {
        char *word = argv[parser.at];

        if (strcmp(word, "--") == 0) {
            while (++parser.at < count)
                argv[words++] = argv[parser.at];
            break;
        }
        if (word[0] == '-' && word[1] == '-')
            r = parse_long(&parser, word + 2);
        else if (word[0] == '-' && word[1])
            r = parse_letters(&parser, word + 1);
        else
            argv[words++] = word;
    }
    ret_options->words = argv;
    ret_options->word_count = words;
    if (r == 0 && groups & OPTIONS_WATCH && ret_options->watch_count && !ret_options->watch) {
        buf_puts(error, "--times ends --watch: it needs that, too");
        r = -EINVAL;
    }
    return r;
}

/* The first letter with an argument has it attached, or is the last one: "-tN blue", "-Nblue". */
static bool letters_take_next(const char *letters, const char *next)
{
    for (; *letters; letters++) {
        const struct option_info *option = options_find_letter(*letters, ~0u);

        if (option && option->argument)
            return takes_word(option, next) && !letters[1];
    }
    return false;
}

/* Whether the word is an option that takes the next word as its argument. */
static bool takes_next(const char *word, const char *next)
{
    const struct option_info *option;

    if (word[1] != '-')
        return letters_take_next(word + 1, next);
    option = options_find_name(word + 2, strlen(word + 2), ~0u);
    return option && takes_word(option, next);
}

uint32_t options_first_word(char **argv, uint32_t count)
{
    uint32_t at = 0;

    while (at < count && argv[at][0] == '-' && argv[at][1] && strcmp(argv[at], "--") != 0)
        at += takes_next(argv[at], at + 1 < count ? argv[at + 1] : NULL) ? 2 : 1;
    return at < count ? at : count;
}
