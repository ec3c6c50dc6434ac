/* SPDX-License-Identifier: MIT */
/* nwho help: the first screen, commands and topics. */
#include "cli/help_lists.h"
#include "cli/help_topics.h"
#include "cli/paragraph.h"
#include "cli/session.h"

#include "base/suggest.h"
#include "compat/personality.h"
#include "derive/health/check.h"
#include "table/filter.h"

#include <stdio.h>
#include <string.h>

/* --- topics --- */

static void put_all_commands(struct buf *out);
static void put_topic_names(struct buf *out);

/* Those that every nwho has; others are in help_topics[]. */
static const struct topic {
    const char *name;
    bool is_list; /* for programs */
    void (*put)(struct buf *out);
} topics[] = {
    {"commands", false, put_all_commands},           {"filters", false, help_put_filters},
    {"command-names", true, help_put_command_names}, {"option-names", true, help_put_option_names},
    {"topic-names", true, put_topic_names},          {"words", true, help_put_words},
};

/* The name of a topic for people; NULL: there are no more. */
static const char *topic_name(size_t at)
{
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
        if (!topics[i].is_list && at-- == 0)
            return topics[i].name;
    return at < help_topic_count ? help_topics[at].name : NULL;
}

static void put_topic_names(struct buf *out)
{
    for (size_t i = 0; topic_name(i); i++)
        buf_printf(out, "%s\n", topic_name(i));
}

static const struct help_topic *find_more(const char *name)
{
    for (uint32_t i = 0; i < help_topic_count; i++)
        if (strcmp(name, help_topics[i].name) == 0)
            return &help_topics[i];
    return NULL;
}

/* Whether there is one of this name, which is put then. */
static bool put_topic(const char *name, struct buf *out)
{
    const struct help_topic *more = find_more(name);

    for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
        if (strcmp(name, topics[i].name) == 0) {
            topics[i].put(out);
            return true;
        }
    if (!more)
        return false;
    help_put_topic(more, out);
    return true;
}

/* --- commands --- */

#define FIRST_SCREEN_WIDTH 80 /* and 24 lines */

static const char *const most_wanted[] = {
    "", "TARGET", "ports", "ls", "top", "doctor", "count", "events", "why-busy", "history",
};

static void put_line(struct buf *out, const char *name, const char *summary)
{
    buf_printf(out, "  nwho %-9s  %s\n", name, summary);
}

static void put_first_screen(struct buf *out)
{
    struct buf names = BUF_INIT;

    buf_puts(out, "nwho: who on this machine is talking to the network?\n\n"
                  "usage: nwho [COMMAND] [OPTIONS] [FILTER]\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(most_wanted); i++)
        if (command_find(most_wanted[i])) /* a small nwho has not all of them */
            put_line(out, most_wanted[i], command_find(most_wanted[i])->summary);
    buf_puts(out,
             "\nA FILTER of any of them: established dst 10.0.0.0/8 and not process nginx\n"
             "\n  nwho help COMMAND   options and examples of a command\n"
             "  nwho help commands  every command, and the old tools that it can stand in for\n"
             "  nwho help TOPIC     ");
    for (size_t i = 0; topic_name(i); i++)
        buf_printf(&names, "%s%s", i ? " " : "", topic_name(i));
    paragraph_put(out, buf_string(&names), names.length, 22, FIRST_SCREEN_WIDTH);
    buf_puts(out, "  man nwho            all of it\n");
    if (!out->error)
        out->error = names.error;
    buf_done(&names);
}

static void put_all_commands(struct buf *out)
{
    for (uint32_t i = 0; i < command_table_count; i++)
        put_line(out, command_table[i]->name, command_table[i]->summary);
    buf_puts(out, "\nIn the place of an old tool, with its own options and output:\n");
    for (uint32_t i = 0; personality_table[i]; i++)
        put_line(out, personality_table[i]->name, personality_table[i]->summary);
    buf_puts(out, "\nnwho help COMMAND shows options and examples of one.\n");
}

static void put_options(uint32_t groups, struct buf *out)
{
    for (uint32_t i = 0; i < option_count; i++) {
        const struct option_info *option = &option_table[i];
        const char *argument = option->argument ? option->argument : "";
        char name[64], letter[4] = "  ";

        if (!(option->groups & groups))
            continue;
        /* Of a name that two options have, a command knows the first. */
        if (groups != ~0u &&
            options_find_name(option->name, strlen(option->name), groups) != option)
            continue;
        if (option->letter && options_find_letter(option->letter, groups) == option)
            snprintf(letter, sizeof(letter), "-%c", option->letter);
        snprintf(name, sizeof(name), "--%s%s%s", option->name,
                 *argument && strncmp(argument, "[=", 2) != 0 ? " " : "", argument);
        buf_printf(out, "  %s %-22s %s\n", letter, name, option->help);
    }
}

static void put_examples(const struct command *command, struct buf *out)
{
    if (!command->examples)
        return;
    buf_printf(out, "\nExamples:\n");
    for (const char *const *example = command->examples; example[0]; example += 2)
        buf_printf(out, "  %s\n      %s\n", example[0], example[1]);
}

static void put_command(const struct command *command, struct buf *out)
{
    buf_printf(out, "nwho %s%s%s: %s\n", command->name,
               *command->name && *command->arguments ? " " : "", command->arguments,
               command->summary);
    put_examples(command, out);
    buf_printf(out, "\nOptions:\n");
    put_options(command->options, out);
}

static int run_personality_help(const struct personality *personality)
{
    char *argv[] = {(char *)(uintptr_t)personality->name, (char *)(uintptr_t) "-h", NULL};

    return personality->run(2, argv);
}

/* --- what is asked for --- */

/* Of a word that is no command and no topic: where it is explained. */
static const char *where_explained(const char *word)
{
    const char *known, *help;
    unsigned int proto;
    uint32_t states;

    if (check_find(word) != HEALTH_NONE)
        return "a check of the doctor: nwho doctor --explain NAME";
    if (socket_state_parse(word, &states) == 0)
        return find_more("states") ? "a state: nwho help states"
                                   : "a word of filters: nwho help filters";
    if (table_column(&table_sockets, word))
        return "a column: nwho columns sockets";
    for (uint32_t i = 0; filter_keyword(i, &known); i++)
        if (strcmp(word, known) == 0)
            return "a word of filters: nwho help filters";
    for (uint32_t i = 0; filter_flag_help(i, &known, &help); i++)
        if (strcmp(word, known) == 0)
            return "a word of filters: nwho help filters";
    return socket_proto_parse(word, &proto) == 0 ? "a protocol: nwho help filters" : NULL;
}

static int refuse_word(const char *word)
{
    struct suggestion best = suggestion_for(word);
    const char *where = where_explained(word);

    if (where)
        return command_error("there is no help \"%s\"; it is %s", word, where);
    for (uint32_t i = 0; i < command_table_count; i++)
        suggestion_try(&best, command_table[i]->name);
    for (uint32_t i = 0; personality_table[i]; i++)
        suggestion_try(&best, personality_table[i]->name);
    for (size_t i = 0; topic_name(i); i++)
        suggestion_try(&best, topic_name(i));
    if (best.name && *best.name)
        return command_error("there is no help \"%s\"; did you mean nwho help %s?", word,
                             best.name);
    return command_error("there is no help \"%s\"; nwho help lists commands and topics", word);
}

/* "exit codes" is the topic "exit-codes". */
static void put_words(struct buf *word, const struct options *options)
{
    for (uint32_t i = 0; i < options->word_count; i++) {
        buf_puts(word, i ? "-" : "");
        buf_puts(word, options->words[i]);
    }
}

/* Some words are both a command and a topic. */
static bool put_word(const char *word, struct buf *out)
{
    const struct command *command = command_find(word);
    bool is_topic = put_topic(word, out);

    if (command) {
        buf_puts(out, is_topic ? "\n" : "");
        put_command(command, out);
    }
    return command || is_topic;
}

static int show_help(const char *word, struct buf *out)
{
    if (!*word)
        put_first_screen(out);
    else if (!put_word(word, out))
        return personality_find(word) ? run_personality_help(personality_find(word))
                                      : refuse_word(word);
    if (out->error)
        return command_error("cannot write the output: %s", strerror(-out->error));
    fwrite(out->data, 1, out->length, stdout);
    return EXIT_FOUND;
}

static int run_help(struct options *options)
{
    struct buf word = BUF_INIT, out = BUF_INIT;
    int result;

    if (options->word_count > 1 && command_find(options->words[0]))
        return command_error("help takes one command: nwho help %s", options->words[0]);
    put_words(&word, options);
    result = word.error ? command_error("%s", strerror(-word.error))
                        : show_help(buf_string(&word), &out);
    buf_done(&word);
    buf_done(&out);
    return result;
}

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND|TOPIC]",
    .summary = "the most wanted commands; a command, or a topic",
    .options = 0,
    .run = run_help,
};
