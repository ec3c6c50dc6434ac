/* SPDX-License-Identifier: MIT */
/* nwho: who on this machine is talking to the network? */
/*
 * The map of the program: main() finds the command and parses its options; the command
 * (cmd_NAME.c) makes a query; the session (session*.c, show.c) collects what the query needs
 * (collect/ -> model/snapshot.h), joins it (derive/), selects rows (table/) and writes them (out/).
 * Under the name of an old tool a personality (compat/) does all of that its own way.
 */
#include "cli/command.h"

#include "base/advice.h"
#include "base/escape.h"
#include "base/suggest.h"
#include "cli/least.h"
#include "cli/session.h"
#include "compat/personality.h"
#include "table/filter.h"

#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <malloc.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>

const struct command *command_find(const char *name)
{
    for (uint32_t i = 0; i < command_table_count; i++)
        if (strcmp(command_table[i]->name, name) == 0)
            return command_table[i];
    return NULL;
}

void command_say(struct buf *line)
{
    static const char no_memory[] = "nwho: out of memory\n";

    line->fd = STDERR_FILENO;
    if (buf_flush(line) == -ENOMEM)
        (void)!write(STDERR_FILENO, no_memory, sizeof(no_memory) - 1);
    buf_done(line);
}

int command_error(const char *format, ...)
{
    struct buf line = BUF_SINK(STDERR_FILENO);
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_puts(&line, "nwho: ");
    escape_text(&line, text, strlen(text));
    buf_byte(&line, '\n');
    command_say(&line);
    return EXIT_ERROR;
}

/* Words of filters are no mistyped commands: "port" is not "ports". */
static bool is_filter_word(const char *word)
{
    const char *known, *help;
    uint32_t states;
    unsigned int proto;

    for (uint32_t i = 0; filter_keyword(i, &known); i++)
        if (strcmp(word, known) == 0)
            return true;
    for (uint32_t i = 0; filter_flag_help(i, &known, &help); i++)
        if (strcmp(word, known) == 0)
            return true;
    return socket_proto_parse(word, &proto) == 0 || socket_state_parse(word, &states) == 0 ||
           table_column(&table_sockets, word);
}

/* A word that could be a mistyped command rather than the name of a process is answered with the
 * command. */
static const char *similar_command(const char *word)
{
    static const char *const synonyms[][2] = {
        {"list", "ls"},      {"show", "ls"},      {"sockets", "ls"},      {"connections", "ls"},
        {"conns", "ls"},     {"listen", "ports"}, {"listening", "ports"}, {"listeners", "ports"},
        {"processes", "ps"}, {"group", "count"},  {"trace", "events"},    {"log", "events"},
    };
    struct suggestion best = suggestion_for(word);

    for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++)
        if (strcmp(word, synonyms[i][0]) == 0)
            return synonyms[i][1];
    if (is_filter_word(word))
        return NULL;
    for (uint32_t i = 0; i < command_table_count; i++)
        suggestion_try(&best, command_table[i]->name);
    return best.name && *best.name ? best.name : NULL;
}

static bool is_word(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz-")] == '\0';
}

static void hint_command(const char *word)
{
    const char *similar = is_word(word) ? similar_command(word) : NULL;

    if (!command_of_target)
        command_error("\"%s\" is no command of this small nwho (nwho help lists them)", word);
    else if (similar)
        command_error("\"%s\" is no command; did you mean nwho %s? It is taken for a target", word,
                      similar);
}

/*
 * The command that the first word names; options may stand before it. A first word that names none
 * is a target to be explained. The name is taken out of argv[1..]. NULL: there is nothing to run.
 */
static const struct command *choose(int *argc, char **argv)
{
    uint32_t count = *argc > 0 ? (uint32_t)*argc - 1 : 0, at = options_first_word(argv + 1, count);
    const struct command *command;

    if (at == count)
        return command_alone;
    command = *argv[at + 1] ? command_find(argv[at + 1]) : NULL;
    if (!command || !*command->name) {
        hint_command(argv[at + 1]);
        return command_of_target;
    }
    memmove(&argv[at + 1], &argv[at + 2], sizeof(*argv) * (count - at));
    --*argc;
    return command;
}

static int print_version(void)
{
    printf("nwho %s\n", NWHO_VERSION);
    return EXIT_FOUND;
}

/* ": nwho top, events and history have it" */
static void put_commands_with(const char *option, struct buf *out)
{
    const char *last = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < command_table_count; i++) {
        const struct command *command = command_table[i];

        if (!*command->name || !options_find_name(option, strcspn(option, "="), command->options))
            continue;
        if (last)
            buf_printf(out, "%s%s", count > 1 ? ", " : ": nwho ", last);
        last = command->name;
        count++;
    }
    if (last)
        buf_printf(out, "%s%s%s it", count > 1 ? " and " : ": nwho ", last,
                   count > 1 ? " have" : " has");
}

static int refuse_options(const struct command *command, const struct options *options, char **argv,
                          uint32_t count, const char *reason)
{
    struct buf elsewhere = BUF_INIT;

    if (options->elsewhere)
        put_commands_with(options->elsewhere, &elsewhere);
    command_error("%s%s%s%s (nwho help%s%s)", command->name, *command->name ? ": " : "", reason,
                  buf_string(&elsewhere), *command->name ? " " : "", command->name);
    buf_done(&elsewhere);
    return command->refused ? command->refused(options, argv, count, reason) : EXIT_ERROR;
}

static int run_command(const struct command *command, char **argv, uint32_t count)
{
    struct options options = {0};
    struct buf error = BUF_INIT;
    int r;

    if (command->run_words)
        return command->run_words((int)count + 1, argv - 1);
    r = options_parse(argv, count, command->options, &options, &error);
    if (r < 0)
        r = refuse_options(command, &options, argv, count, buf_string(&error));
    buf_done(&error);
    if (r != 0)
        return r;
    if (options.version)
        return print_version();
    if (options.help) {
        options.words = (char *[]){(char *)(uintptr_t)command->name};
        options.word_count = *command->name != '\0';
        return command_help.run(&options);
    }
    least_keep(command->name, &options);
    return command->run(&options);
}

/* An old tool that is meant: by the name nwho was started under, or by its first word, which stands
 * at `*ret_at`. */
static const struct personality *choose_personality(int argc, char **argv, int *ret_at)
{
    const char *slash = strrchr(argv[0], '/');
    const struct personality *personality = personality_find(slash ? slash + 1 : argv[0]);
    uint32_t count = (uint32_t)argc - 1, at;

    *ret_at = 0;
    if (personality || argc < 2)
        return personality;
    at = options_first_word(argv + 1, count);
    *ret_at = (int)at + 1;
    return at < count ? personality_find(argv[at + 1]) : NULL;
}

/* A name, a pid or a path. */
static int enter_netns(const char *name)
{
    bool is_pid = *name && name[strspn(name, "0123456789")] == '\0';
    CLEANUP_CLOSE int fd = -1;
    char path[PATH_MAX];

    if (is_pid)
        snprintf(path, sizeof(path), "/proc/%s/ns/net", name);
    else
        snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && setns(fd, CLONE_NEWNET) == 0)
        return 0;
    if (errno == ENOENT || errno == EINVAL)
        return session_netns_error(name, is_pid ? -ESRCH : -errno);
    return command_error("cannot enter the network namespace \"%s\": %s%s", name, strerror(errno),
                         errno == EPERM || errno == EACCES ? RUN_AS_ROOT : "");
}

/* Old tools know one namespace, their own: before the name of one only -N is an option. */
static int take_options_before(const char *tool, char **argv, uint32_t count)
{
    struct options options = {.watch_ms = 1000};
    struct buf error = BUF_INIT;
    bool is_netns = strncmp(argv[0], "-N", 2) == 0 || strncmp(argv[0], "--netns", 7) == 0;
    int r = options_parse(argv, count, OPTIONS_SOURCE, &options, &error);

    buf_done(&error);
    if (r < 0 || !is_netns || count > 2 || options.namespace_count != 1)
        return command_error("before \"%s\" only -N NAME can stand: it has options of its own",
                             tool);
    return enter_netns(options.namespaces[0]);
}

/* argv[0] is not looked at. */
static int run_words(int argc, char **argv)
{
    const struct command *command = choose(&argc, argv);

    if (!command)
        return EXIT_ERROR;
    return run_command(command, argv + 1, argc > 0 ? (uint32_t)argc - 1 : 0);
}

/* Runs the words that an old tool's command line became. */
static int run_instead(struct handover *handover)
{
    char *words[HANDOVER_WORDS_MAX + 2] = {(char *)(uintptr_t) "nwho"};

    if (handover->error)
        return command_error("%s", strerror(-handover->error));
    memcpy(words + 1, handover->words, sizeof(handover->words));
    return run_words((int)handover->count + 1, words);
}

/* The name of the tool is argv[at]. */
static int run_personality(const struct personality *personality, int argc, char **argv, int at)
{
    CLEANUP(handover_done) struct handover handover = {.count = 0};
    enum handover_result result;

    if (at > 1 && take_options_before(argv[at], argv + 1, (uint32_t)at - 1) != 0)
        return EXIT_ERROR;
    argc -= at;
    argv += at;
    result = personality->hand_over ? personality->hand_over(argc, argv, &handover) : HANDOVER_NONE;

    if (result == HANDOVER_FAILED)
        return EXIT_NOTHING;
    if (result == HANDOVER_WORDS && command_find(handover.words[0]))
        return run_instead(&handover);
    least_keep(personality->name, NULL);
    return personality->run(argc, argv);
}

/*
 * Nothing that is opened later takes the place of a standard descriptor that the caller has closed:
 * a descriptor is put there whose use fails as before.
 */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* What printf() could not write is only known now. */
static int finish(int result)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE || result == EXIT_ERROR)
        return result;
    return command_error("cannot write the output: %s", strerror(errno));
}

int command_run_line(int argc, char **argv)
{
    return finish(run_words(argc, argv));
}

/* Without the widths of letters columns would not stand below each other. 0 or -ENOMEM. */
static int choose_locale(void)
{
    errno = 0;
    if (!setlocale(LC_CTYPE, "") && (errno == ENOMEM || !setlocale(LC_CTYPE, "C.UTF-8")))
        return errno == ENOMEM ? -ENOMEM : 0;
    return 0;
}

int main(int argc, char **argv)
{
    const struct personality *personality;
    int at = 0;

    fill_standard_descriptors();
    if (least_begin() != 0)
        return EXIT_ERROR;
    personality = argc > 0 ? choose_personality(argc, argv, &at) : NULL;
    if (!personality && argc == 2 &&
        (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0))
        return finish(print_version());
#ifdef M_MMAP_THRESHOLD
    /* Keeps the large arrays out of the heap: they grow without a copy and go back when freed. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
#endif
    if (choose_locale() < 0)
        return finish(command_error("%s", strerror(ENOMEM)));
    if (personality)
        return finish(run_personality(personality, argc, argv, at));
    return command_run_line(argc, argv);
}
