/* SPDX-License-Identifier: MIT */
/* Options of lsof: single letters behind - or +, whose values may be left out. */
#include "compat/lsof.h"

#include "base/vec.h"
#include "compat/say.h"

#include <ctype.h>
#include <string.h>

#define NAME_WIDTH 15 /* of a process: TASK_COMM_LEN without its NUL */

/* Where reading is: words may hold several letters. */
struct reader {
    char **argv;
    int at;        /* word */
    size_t offset; /* in that word; 0: it has not been begun */
    char prefix;   /* '-' or '+' */
    int before;    /* of the last value, to give it back */
    size_t before_offset;
};

int lsof_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_line("lsof", format, args);
    va_end(args);
    return -EINVAL;
}

/* The next letter; 0 when the options are over. */
static int next_letter(struct reader *reader)
{
    const char *word = reader->argv[reader->at];

    if (reader->offset && word[reader->offset] == '\0') {
        reader->at++;
        reader->offset = 0;
        word = reader->argv[reader->at];
    }
    if (reader->offset == 0) {
        if (!word || (word[0] != '-' && word[0] != '+') || word[1] == '\0')
            return 0;
        if (strcmp(word, "--") == 0 || strcmp(word, "++") == 0) {
            reader->at++;
            return 0;
        }
        reader->prefix = word[0];
        reader->offset = 1;
    }
    return (unsigned char)word[reader->offset++];
}

/* The rest of the word, else the next word; NULL when there is neither. */
static const char *take_value(struct reader *reader)
{
    const char *word = reader->argv[reader->at];

    reader->before = reader->at;
    reader->before_offset = reader->offset;
    if (word[reader->offset] == '\0') {
        word = reader->argv[reader->at + 1];
        if (!word)
            return NULL;
        reader->at++;
        reader->offset = strlen(word);
        return word;
    }
    word += reader->offset;
    reader->offset += strlen(word);
    return word;
}

static void give_back(struct reader *reader)
{
    reader->at = reader->before;
    reader->offset = reader->before_offset;
}

/* The same for an option whose value may be left out: another option is none. */
static const char *take_optional(struct reader *reader)
{
    const char *value = take_value(reader);

    if (value && *value != '-' && *value != '+')
        return value;
    give_back(reader);
    return NULL;
}

/* A decimal number, whose word may go on with other letters. False: there is none. */
static bool take_number(struct reader *reader, uint32_t *ret_number)
{
    const char *value = take_value(reader);
    size_t digits = value ? strspn(value, "0123456789") : 0;

    if (digits == 0 || digits > 9) {
        give_back(reader);
        return false;
    }
    *ret_number = (uint32_t)strtoul(value, NULL, 10);
    reader->offset -= strlen(value) - digits;
    return true;
}

/* --- one function for each option that has a value --- */

static int set_command(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_value(reader);
    char *end;

    if (!value || (reader->prefix == '-' && (*value == '-' || *value == '+')))
        return lsof_error("-c: which command?");
    if (reader->prefix == '-')
        return lsof_parse_command(options, value);
    options->command_width = (uint32_t)strtoul(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end || options->command_width > NAME_WIDTH)
        return lsof_error("+c %s: not a width", value);
    return 0;
}

static int set_fds(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_value(reader);

    if (!value || *value == '-' || *value == '+')
        return lsof_error("%cd: a value is missing", reader->prefix);
    if (reader->prefix == '-')
        return lsof_parse_fds(options, value);
    options->select |= LSOF_SELECT_OTHER;
    return 0;
}

static int set_directory(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_value(reader);

    if (!value)
        return lsof_error("%cD: a value is missing", reader->prefix);
    if (reader->prefix == '-')
        return lsof_error("-D: there is no cache of devices");
    options->select |= LSOF_SELECT_OTHER;
    return 0;
}

static int set_endpoints(struct lsof_options *options, struct reader *reader)
{
    options->endpoints = true;
    options->endpoint_files = reader->prefix == '+';
    return 0;
}

/* Only what every file has is of use for sockets: the flags it was opened with. */
static int set_file_info(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_optional(reader);

    for (; value && *value; value++) {
        if (*value != 'g' && *value != 'G')
            return lsof_error("%cf: unknown letter %c (g, G)", reader->prefix, *value);
        options->flags = reader->prefix == '+' ? (uint32_t)*value : 0;
    }
    return 0;
}

static int set_fields(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_optional(reader);

    return lsof_parse_fields(options, value ? value : "");
}

static int set_groups(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_value(reader);
    bool included = false;
    int r = 0;

    options->show_pgid = true;
    if (value && (isdigit((unsigned char)*value) || *value == '^'))
        r = lsof_parse_ids(&options->pgids, value, &included);
    else
        give_back(reader);
    options->select |= included ? LSOF_SELECT_PGID : 0u;
    return r;
}

static int set_inet(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_optional(reader);

    return lsof_parse_inet(options, value ? value : "");
}

static int set_tasks(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_optional(reader);

    if (value && strcmp(value, "i") != 0)
        return lsof_error("-K %s: only i may follow", value);
    options->show_tasks = !value;
    options->select &= ~(uint32_t)LSOF_SELECT_TASK;
    options->select |= value ? 0u : LSOF_SELECT_TASK;
    return 0;
}

static int set_links(struct lsof_options *options, struct reader *reader)
{
    uint32_t number;
    bool limited = take_number(reader, &number);

    if (limited && reader->prefix == '-')
        return lsof_error("-L: no number may follow");
    if (limited && number)
        options->select |= LSOF_SELECT_LINKS;
    options->show_links = reader->prefix == '+';
    return 0;
}

static int set_offset(struct lsof_options *options, struct reader *reader)
{
    uint32_t digits;

    if (!take_number(reader, &digits)) {
        options->size = LSOF_OFFSET;
        options->offset_asked = true;
    }
    return 0;
}

static int set_pids(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_value(reader);
    bool included = false;
    int r;

    if (!value || *value == '-' || *value == '+')
        return lsof_error("-p: which process?");
    r = lsof_parse_ids(&options->pids, value, &included);
    options->select |= included ? LSOF_SELECT_PID : 0u;
    return r;
}

/* See set_repeat(). */
static void repeat_as_option(struct lsof_options *options, const struct reader *reader)
{
    const char *word = reader->argv[reader->at], *count = strrchr(word, 'c');

    if (!count || word[reader->offset] == 'm')
        return;
    if (reader->prefix == '-')
        options->repeat_command = count + 1;
    else
        options->command_width = options->repeat_count;
}

/*
 * [SECONDS][cCOUNT][mFORMAT]. lsof reads cCOUNT without a format once more, as an option of its
 * own: behind -r it is a command that is looked for and usually not found, behind +r a width.
 */
static int set_repeat(struct lsof_options *options, struct reader *reader)
{
    const char *value;

    options->repeat_until_empty = reader->prefix == '+';
    options->repeat_s = 15;
    take_number(reader, &options->repeat_s);
    if (reader->argv[reader->at] && reader->argv[reader->at][reader->offset] == 'c') {
        reader->offset++;
        if (!take_number(reader, &options->repeat_count) || !options->repeat_count)
            return lsof_error("-r: c wants a number of listings behind it");
        repeat_as_option(options, reader);
    }
    if (reader->argv[reader->at] && reader->argv[reader->at][reader->offset] == 'm') {
        reader->offset++;
        value = take_value(reader);
        if (!value || !*value)
            return lsof_error("-r: m wants a format behind it");
        options->marker = value;
    }
    return 0;
}

static int set_size(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_value(reader);

    if (value && strchr(value, ':'))
        return lsof_parse_states(options, value);
    give_back(reader);
    options->size = LSOF_SIZE;
    options->size_asked = true;
    return 0;
}

static int set_timeout(struct lsof_options *options, struct reader *reader)
{
    uint32_t seconds;

    (void)options;
    if (take_number(reader, &seconds) && seconds < 2)
        return lsof_error("-S %u: at least 2 seconds", seconds);
    return 0;
}

/* Every letter has to be known. */
static int set_info(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_optional(reader);

    options->state = options->queues = options->socket_options = false;
    for (; value && *value; value++) {
        if (!strchr("fqs", *value))
            return lsof_error("-T: unknown letter %c (f, q, s)", *value);
        options->state |= *value == 's';
        options->queues |= *value == 'q';
        options->socket_options |= *value == 'f';
    }
    return 0;
}

static int set_users(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_value(reader);

    if (!value || *value == '-' || *value == '+')
        return lsof_error("-u: which user?");
    return lsof_parse_users(options, value);
}

/* A file system that is never asked for: what is listed here is in none. */
static int set_exempt(struct lsof_options *options, struct reader *reader)
{
    const char *value = take_value(reader);

    (void)options;
    if (!value)
        return lsof_error("%ce: a value is missing", reader->prefix);
    return lsof_check_mounted(value);
}

static int set_mount_file(struct lsof_options *options, struct reader *reader)
{
    (void)reader;
    options->select |= LSOF_SELECT_OTHER;
    return 0;
}

static int set_cross_over(struct lsof_options *options, struct reader *reader)
{
    take_optional(reader);
    return options->select & LSOF_SELECT_OTHER ? 0 : lsof_error("-x is only of use with +d or +D");
}

static int set_context(struct lsof_options *options, struct reader *reader)
{
    (void)options;
    (void)reader;
    return lsof_error("-Z: SELinux contexts are not shown");
}

static const struct {
    char letter;
    int (*set)(struct lsof_options *options, struct reader *reader);
} with_value[] = {
    {'c', set_command}, {'d', set_fds},       {'D', set_directory}, {'E', set_endpoints},
    {'e', set_exempt},  {'f', set_file_info}, {'F', set_fields},    {'g', set_groups},
    {'i', set_inet},    {'K', set_tasks},     {'L', set_links},     {'m', set_mount_file},
    {'o', set_offset},  {'p', set_pids},      {'r', set_repeat},    {'s', set_size},
    {'S', set_timeout}, {'T', set_info},      {'u', set_users},     {'x', set_cross_over},
    {'Z', set_context},
};

static bool set_flag(struct lsof_options *options, int letter)
{
    switch (letter) {
    case 'a':
        options->and = true;
        return true;
    case '?':
    case 'h':
        options->help = true;
        return true;
    case 'j':
        options->form = LSOF_JSON_LINES;
        return true;
    case 'J':
        options->form = LSOF_JSON;
        return true;
    case 'l':
        options->numeric_users = true;
        return true;
    case 'n':
        options->numeric_hosts = true;
        return true;
    case 'N':
        options->select |= LSOF_SELECT_OTHER;
        return true;
    case 'P':
        options->numeric_ports = true;
        return true;
    case 'Q':
        options->allow_missing = true;
        return true;
    case 'R':
        options->show_ppid = true;
        return true;
    case 't':
        options->terse = true;
        return true;
    case 'U':
        options->select |= LSOF_SELECT_UNIX;
        return true;
    case 'v':
        options->version = true;
        return true;
    case 'V':
        options->verbose = true;
        return true;
    case 'X':
        options->no_inet = true;
        return true;
    default:
        return strchr("bMOw", letter); /* nothing here can block, or warns */
    }
}

static int set_option(struct lsof_options *options, struct reader *reader, int letter)
{
    for (size_t i = 0; i < ARRAY_SIZE(with_value); i++)
        if (with_value[i].letter == letter)
            return with_value[i].set(options, reader);
    return set_flag(options, letter) ? 0 : lsof_error("-%c: no such option (lsof -h)", letter);
}

static int check(const struct lsof_options *options)
{
    if (options->and &&!options->select)
        return lsof_error("-a: nothing was selected that could be combined");
    if (options->offset_asked && options->size_asked)
        return lsof_error("-o and -s contradict each other");
    if (options->terse && options->form == LSOF_FIELDS)
        return lsof_error("-t and -F contradict each other");
    if (options->no_inet && options->select & (LSOF_SELECT_INET | LSOF_SELECT_ADDRESS))
        return lsof_error("-i and -X contradict each other");
    return 0;
}

int lsof_options_parse(int argc, char **argv, struct lsof_options *options)
{
    struct reader reader = {.argv = argv, .at = argc > 0};
    int letter, r = 0;

    *options = (struct lsof_options){.state = true, .command_width = 9};
    while (r == 0 && (letter = next_letter(&reader)) != 0)
        r = set_option(options, &reader, letter);
    if (r == 0 && argv[reader.at])
        options->select |= LSOF_SELECT_OTHER;
    if (r == 0 && options->form >= LSOF_JSON && !options->fields)
        r = lsof_parse_fields(options, "");
    if (r == 0)
        r = check(options);
    if (r == 0 && options->terse)
        options->form = LSOF_TERSE;
    return r;
}
