/* SPDX-License-Identifier: MIT */
/* nwho sniff: tcpdump's command line and lines, with the processes at both ends. */
#include "cli/sniff.h"

#include "base/confine_command.h"
#include "cli/interrupts.h"
#include "compat/personality.h"

#include <linux/capability.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* --- options --- */

/* Of tcpdump's options and ours, which of both may stand anywhere before the expression. */
struct words {
    char **tcpdump, **own;
    int tcpdump_count;
    uint32_t own_count;
};

static const struct option_info *own_option(const char *word)
{
    if (word[0] == '-' && (word[1] == 'N' || word[1] == 'o'))
        return options_find_letter(word[1], OPTIONS_SNIFF);
    if (strncmp(word, "--", 2) != 0)
        return NULL;
    return options_find_name(word + 2, strcspn(word + 2, "="), OPTIONS_SNIFF);
}

static void part_words(int argc, char **argv, struct words *words)
{
    words->tcpdump[words->tcpdump_count++] = argv[0];
    for (int i = 1; i < argc; i++) {
        const struct option_info *option = own_option(argv[i]);
        bool attached = strchr(argv[i], '=') || (argv[i][1] != '-' && argv[i][2]);

        if (strcmp(argv[i], "--") == 0) {
            while (i < argc)
                words->tcpdump[words->tcpdump_count++] = argv[i++];
        } else if (option) {
            words->own[words->own_count++] = argv[i];
            if (option->argument && !attached && i + 1 < argc)
                words->own[words->own_count++] = argv[++i];
        } else {
            words->tcpdump[words->tcpdump_count++] = argv[i];
        }
    }
}

/* --- privileges --- */

/*
 * All is open: what reads packets needs none of them. /proc/PID/exe of others needs one; so does
 * the search for descriptors, and another one in namespaces, where nothing tells whose packets are.
 */
static void drop_privileges(const struct sniff *sniff)
{
    bool searches = sniff->owners && !packet_owners_by_bpf(sniff->owners);
    uint64_t kept = 0;

    if (sniff->owners && (searches || sniff->processes.needs & NEED_EXE))
        kept |= CAPABILITY(CAP_SYS_PTRACE);
    if (searches)
        kept |= CAPABILITY(CAP_SYS_ADMIN);
    confine_capabilities_to(kept);
}

/* --- names --- */

static bool put_interface(void *context, struct buf *out, uint32_t index)
{
    const struct sniff *sniff = context;

    for (const struct if_nameindex *at = sniff->current->names; at && at->if_index; at++)
        if (at->if_index == index) {
            buf_puts(out, at->if_name);
            return true;
        }
    buf_printf(out, "if%u", index);
    return true;
}

/* --- the command --- */

static void say_listening(const struct sniff *sniff)
{
    const char *description, *name;

    name = capture_link_name(sniff->sources[0].link_type, &description);
    if (sniff->source_count > 1)
        command_error("listening on %s in %u namespaces", sniff->sources[0].interface,
                      sniff->source_count);
    else
        command_error("listening on %s, %s (%s)", sniff->sources[0].interface,
                      name ? name : "unknown link", name ? description : "?");
}

static int capture_and_show(struct sniff *sniff)
{
    int r = sniff->options->read_file ? sniff_open_file(sniff) : sniff_open(sniff);

    if (r == 0 && sniff->options->write_file && !sniff->reader)
        r = sniff_open_writer(sniff);
    if (r == 0 && sniff->session.options->packet_statistics &&
        conversations_new(&sniff->conversations) < 0)
        r = command_error("out of memory");
    if (r != 0)
        return r;
    if (sniff_is_live(sniff))
        drop_privileges(sniff);
    sniff->dissection = sniff->options->packet;
    sniff->dissection.numeric = sniff->dissection.own_lines = true;
    sniff->dissection.names = sniff;
    sniff->dissection.put_interface = put_interface;
    sniff->packet = (struct packet){.options = &sniff->dissection, .out = &sniff->out};
    sniff->line.options = sniff->options->line;
    sniff->out = BUF_SINK(STDOUT_FILENO);
    if (sniff_is_live(sniff))
        say_listening(sniff);
    return sniff_run(sniff);
}

static int run_session(struct sniff *sniff, const struct options *options)
{
    int r = session_begin(&sniff->session, options);

    if (r == 0 && tcpdump_read_expression(sniff->options) != 0)
        r = EXIT_ERROR;
    if (r == 0)
        r = sniff_read_filter(sniff);
    if (r == 0) {
        interrupts_catch(&sniff->unblocked);
        signal(SIGPIPE, SIG_IGN);
        r = capture_and_show(sniff);
    }
    sniff_close(sniff);
    session_end(&sniff->session);
    return r;
}

/* What has nothing to do with whose packets are. */
static bool is_tcpdumps(const struct tcpdump_options *options)
{
    return options->help || options->version || options->list_interfaces ||
           options->list_link_types || options->list_time_types || options->filter_form ||
           options->only_count || options->list_file;
}

static int run_parted(struct words *words)
{
    struct tcpdump_options packets;
    struct sniff sniff = {.options = &packets,
                          .out = BUF_INIT,
                          .facts = {.texts = BUF_INIT},
                          .texts = {.text = BUF_INIT}};
    struct options options = {0};
    struct buf error = BUF_INIT;
    int r = options_parse(words->own, words->own_count, OPTIONS_SNIFF, &options, &error);

    if (r < 0)
        r = command_error("sniff: %s (nwho help sniff)", buf_string(&error));
    buf_done(&error);
    if (r == 0 && options.help) {
        options.words = (char *[]){(char *)(uintptr_t)command_sniff.name};
        options.word_count = 1;
        return command_help.run(&options);
    }
    if (r != 0 || tcpdump_parse(words->tcpdump_count, words->tcpdump, &packets) != 0)
        return EXIT_ERROR;
    r = is_tcpdumps(&packets) ? personality_tcpdump.run(words->tcpdump_count, words->tcpdump)
                              : run_session(&sniff, &options);
    tcpdump_options_done(&packets);
    return r;
}

static int run_sniff(int argc, char **argv)
{
    size_t size = ((size_t)argc + 1) * sizeof(char *);
    CLEANUP_FREE char **tcpdump = calloc(1, size), **own = calloc(1, size);
    struct words words = {.tcpdump = tcpdump, .own = own};

    if (!tcpdump || !own)
        return command_error("out of memory");
    part_words(argc, argv, &words);
    return run_parted(&words);
}

static const char *const examples[] = {
    "nwho sniff -i any port 443",
    "packets to and from port 443, each with the process that sent or gets it",
    "nwho sniff -i lo tcp",
    "on the loopback device both processes are shown: curl[12] > nginx[1187]",
    "nwho sniff -i any process nginx and port 443",
    "of these packets those of one program; pid, unit, user, container are such words too",
    "nwho sniff -i any --children -o +unit,user unit cron.service",
    "packets of a service and of what it starts, with unit and user of each process",
    "nwho sniff -N web -c 10",
    "ten packets of a namespace",
    NULL,
};

const struct command command_sniff = {
    .name = "sniff",
    .arguments = "[TCPDUMP OPTIONS] [EXPRESSION]",
    .summary = "packets with the processes they are of (tcpdump)",
    .examples = examples,
    .options = OPTIONS_SNIFF,
    .run_words = run_sniff,
};
