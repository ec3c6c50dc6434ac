/* SPDX-License-Identifier: MIT */
/* nwho help: written from the tables of commands and options. */
#include "cli/help_states.h"
#include "cli/session.h"

#include "compat/personality.h"
#include "table/filter.h"
#include "tui/keys.h"

#include <stdio.h>
#include <string.h>

static void print_options(uint32_t groups)
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
        printf("  %s %-22s %s\n", letter, name, option->help);
    }
}

static void print_examples(const struct command *command)
{
    if (!command->examples)
        return;
    printf("\nExamples:\n");
    for (const char *const *example = command->examples; example[0]; example += 2)
        printf("  %s\n      %s\n", example[0], example[1]);
}

static void print_command(const struct command *command)
{
    printf("nwho %s%s%s: %s\n", command->name, *command->name && *command->arguments ? " " : "",
           command->arguments, command->summary);
    print_examples(command);
    printf("\nOptions:\n");
    print_options(command->options);
}

static int print_all(void)
{
    printf("nwho: who on this machine is talking to the network?\n\nusage: nwho [COMMAND] "
           "[OPTIONS] [FILTER]\n\n");
    for (uint32_t i = 0; i < command_table_count; i++) {
        const struct command *command = command_table[i];
        char usage[64];

        snprintf(usage, sizeof(usage), "%s%s%s", command->name, *command->name ? " " : "",
                 command->arguments);
        printf("  nwho %-28s %s\n", usage, command->summary);
    }
    printf("\nAs an old tool, with its own options:");
    for (uint32_t i = 0; personality_table[i]; i++)
        printf("%s nwho %s", i ? "," : "", personality_table[i]->name);
    printf(
        "\n\nFilters: state established sport :443 | dst 10.0.0.0/8 and not process nginx | 'rtt "
        "> 100ms' |\n"
        "  pid 1203 | user www-data | unit ssh.service | container web | listen | exposed | "
        "unowned\n"
        "  (not before and before or; words beside each other mean and)\n\n"
        "Exit codes: 0 found, 1 nothing matched, 2 error, 3 incomplete: rows may be missing\n\n"
        "nwho help COMMAND shows its options and examples, nwho help filters all words of a "
        "filter;\nnwho columns lists all columns; man nwho has the rest.\n");
    return EXIT_FOUND;
}

/* --- topics: words that name no command. "filters", "keys" and "states" are for people, the others
 * are for completion and for the check of the documentation: one name a line. --- */

static int print_filters(void)
{
    const char *word, *help;

    printf("Conditions of a filter; beside each other they mean and, not before and before or.\n\n"
           "  tcp, udp, unix ...             protocol:");
    for (unsigned int i = PROTO_UNKNOWN + 1; i < PROTO_MAX; i++)
        printf(" %s", socket_proto_name(i));
    printf("\n  state S[,S], exclude S         state:");
    for (unsigned int i = STATE_ESTABLISHED; i < STATE_MAX; i++)
        if (i != STATE_NEW_SYN_RECV_UNUSED)
            printf(" %s", socket_state_name(i));
    printf("\n  src|dst|host|net ADDRESS       own, other or either address: 10.0.0.9, 10.0.0.0/8, "
           "[fd00::1]:443, a name,\n"
           "                                 loopback, private, public, multicast\n"
           "  sport|dport|port PORT          own, other or either port: :443, 1024-2048, https; "
           "= != < > <= >=\n"
           "  COLUMN = TEXT, COLUMN ~ REGEX  any column of `nwho columns`: process = nginx, exe ~ "
           "^/tmp/, unit = ssh*\n"
           "  COLUMN > QUANTITY              rtt > 100ms, recv_q > 64K, idle > 2h, pacing_rate < "
           "10Mbit\n"
           "  pid 1203, pid 1203+            a process; with its children\n"
           "  :443 tcp/443 10.0.0.0/8 /run/x.sock %%user @container @abstract NAME    as nwho "
           "TARGET\n\n"
           "Flags:\n");
    for (uint32_t i = 0; filter_flag_help(i, &word, &help); i++)
        printf("  %-12s %s\n", word, help);
    printf("\nOther words for columns:\n");
    for (uint32_t i = 0; filter_alias_help(i, &word, &help); i++)
        printf("  %-12s %s\n", word, help);
    return EXIT_FOUND;
}

static int print_commands(void)
{
    for (uint32_t i = 0; i < command_table_count; i++)
        if (*command_table[i]->name)
            printf("%s\n", command_table[i]->name);
    return EXIT_FOUND;
}

static int print_option_names(void)
{
    for (uint32_t i = 0; i < option_count; i++)
        printf("--%s\n", option_table[i].name);
    return EXIT_FOUND;
}

static int print_words(void)
{
    const char *word, *help;

    for (uint32_t i = 0; filter_keyword(i, &word); i++)
        printf("%s\n", word);
    for (uint32_t i = 0; filter_flag_help(i, &word, &help); i++)
        printf("%s\n", word);
    for (unsigned int i = PROTO_UNKNOWN + 1; i < PROTO_MAX; i++)
        printf("%s\n", socket_proto_name(i));
    for (unsigned int i = STATE_ESTABLISHED; i < STATE_MAX; i++)
        if (i != STATE_NEW_SYN_RECV_UNUSED)
            printf("%s\n", socket_state_name(i));
    return EXIT_FOUND;
}

static int print_keys(void)
{
    printf("Keys of the screen of nwho top:\n");
    for (const struct tui_binding *binding = tui_bindings; binding->name; binding++)
        printf("  %-16s %s\n", binding->name, binding->help);
    return EXIT_FOUND;
}

static int print_states(void)
{
    struct buf out = BUF_INIT;
    int result = EXIT_FOUND;

    help_put_states(&out);
    if (out.error)
        result = command_error("cannot write the output: %s", strerror(-out.error));
    else
        fwrite(out.data, 1, out.length, stdout);
    buf_done(&out);
    return result;
}

static const struct topic {
    const char *name;
    int (*print)(void); /* gives the exit code */
} topics[] = {
    {"filters", print_filters},      {"keys", print_keys},
    {"states", print_states},        {"commands", print_commands},
    {"options", print_option_names}, {"words", print_words},
};

static const struct topic *find_topic(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
        if (strcmp(word, topics[i].name) == 0)
            return &topics[i];
    return NULL;
}

static int print_personality(const struct personality *personality)
{
    char *argv[] = {(char *)(uintptr_t)personality->name, (char *)(uintptr_t) "-h", NULL};

    return personality->run(2, argv);
}

static int run_help(struct options *options)
{
    const struct command *command = &command_overview;
    const char *word = options->word_count ? options->words[0] : NULL;

    if (!word || find_topic(word))
        return (word ? find_topic(word)->print : print_all)();
    if (personality_find(word))
        return print_personality(personality_find(word));
    command = strcmp(word, "TARGET") == 0 ? &command_explain : command_find(word);
    if (!command)
        return command_error("there is no command \"%s\" (nwho help lists them)", word);
    print_command(command);
    return EXIT_FOUND;
}

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND|filters|keys|states]",
    .summary = "this help; options and examples of a command; the words of a filter; the keys of "
               "top; the states of TCP",
    .options = 0,
    .run = run_help,
};
