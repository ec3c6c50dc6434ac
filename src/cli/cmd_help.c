/* SPDX-License-Identifier: MIT */
/* nwho help: written from the tables of commands and options. */
#include "cli/session.h"

#include "base/suggest.h"

#include <stdio.h>

static void print_options(uint32_t groups)
{
    for (uint32_t i = 0; i < option_count; i++) {
        const struct option_info *option = &option_table[i];
        const char *argument = option->argument ? option->argument : "";
        char name[64], letter[4] = "  ";

        if (!(option->groups & groups))
            continue;
        if (option->letter)
            snprintf(letter, sizeof(letter), "-%c", option->letter);
        snprintf(name, sizeof(name), "--%s%s%s", option->name,
                 *argument && *argument != '[' ? " " : "", argument);
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

static void print_all(void)
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
    printf("\nFilters: state established sport :443 | dst 10.0.0.0/8 and not process nginx | 'rtt "
           "> 100ms' |\n"
           "  pid 1203 | user www-data | unit ssh.service | container web | listen | exposed | "
           "unowned\n"
           "  (not before and before or; words beside each other mean and)\n\n"
           "Exit codes: 0 found, 1 nothing matched, 2 error, 3 incomplete: rows may be missing\n\n"
           "nwho help COMMAND shows its options and examples; nwho columns lists all columns; man "
           "nwho has the rest.\n");
}

/* For shell completion and the check of the documentation: one name a line. */
static int print_names(const char *what)
{
    for (uint32_t i = 0; strcmp(what, "commands") == 0 && i < command_table_count; i++)
        if (*command_table[i]->name)
            printf("%s\n", command_table[i]->name);
    for (uint32_t i = 0; strcmp(what, "options") == 0 && i < option_count; i++)
        printf("--%s\n", option_table[i].name);
    return EXIT_FOUND;
}

static int run_help(struct options *options)
{
    const struct command *command = &command_overview;
    const char *word = options->word_count ? options->words[0] : NULL;

    if (word && (strcmp(word, "commands") == 0 || strcmp(word, "options") == 0))
        return print_names(word);
    if (!word) {
        print_all();
        return EXIT_FOUND;
    }
    command = strcmp(word, "TARGET") == 0 ? &command_explain : command_find(word);
    if (!command)
        return command_error("there is no command \"%s\" (nwho help lists them)", word);
    print_command(command);
    return EXIT_FOUND;
}

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "this help, or options and examples of a command",
    .options = 0,
    .run = run_help,
};
