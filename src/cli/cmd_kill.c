/* SPDX-License-Identifier: MIT */
/* nwho kill: destroys sockets, and leaves their processes alone. */
#include "cli/session.h"

#include "base/advice.h"
#include "collect/destroy.h"

#include <stdio.h>

/* Asks on the terminal. Anything but a yes is a no. */
static bool confirm(uint32_t count)
{
    char answer[16] = "";

    fprintf(stderr, "destroy %u socket%s? [y/N] ", count, count == 1 ? "" : "s");
    if (!fgets(answer, sizeof(answer), stdin))
        return false;
    return answer[0] == 'y' || answer[0] == 'Y';
}

static const char *reason(int error)
{
    switch (error) {
    case -EPERM:
    case -EACCES:
        return "not permitted: it takes CAP_NET_ADMIN" RUN_AS_ROOT;
    case -ENODATA:
        return "without its cookie, which only sock_diag and BPF tell, another one could be hit";
    case -EOPNOTSUPP:
        return "the kernel cannot destroy this kind (it can destroy tcp, udp, raw with "
               "CONFIG_INET_DIAG_DESTROY, but not what is only bound)";
    default:
        return strerror(-error);
    }
}

static uint32_t count_errors(const int *errors, uint32_t count, int error)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++)
        found += errors[i] == error;
    return found;
}

/* Says how many were destroyed, and for the others each reason once. One end of a local connection
 * that is destroyed takes the other with it, so that to be gone already is no failure. */
static int report(const struct options *options, const int *errors, uint32_t count)
{
    uint32_t destroyed = count_errors(errors, count, 0);
    uint32_t gone = count_errors(errors, count, -ENOENT);
    FILE *out = options->format == FORMAT_TEXT ? stdout : stderr; /* behind JSON it would be none */

    if (!options->quiet) {
        fprintf(out, "%u socket%s destroyed", destroyed, destroyed == 1 ? "" : "s");
        if (gone)
            fprintf(out, ", %u gone already", gone);
        fprintf(out, ", no process ended\n");
    }
    for (uint32_t i = 0; i < count; i++)
        if (errors[i] && errors[i] != -ENOENT && !count_errors(errors, i, errors[i]))
            command_error("%u not destroyed: %s", count_errors(errors, count, errors[i]),
                          reason(errors[i]));
    return destroyed + gone == count ? EXIT_FOUND : EXIT_ERROR;
}

static int destroy_rows(struct session *session, const struct grid *grid)
{
    CLEANUP_FREE int *errors = calloc(grid->row_count + 1u, sizeof(*errors));
    int r = errors ? 0 : -ENOMEM;

    if (r == 0)
        r = destroy_sockets(&session->now->snapshot, grid->rows, grid->row_count, errors);
    if (r < 0)
        return command_error("cannot destroy sockets: %s", strerror(-r));
    return report(session->options, errors, grid->row_count);
}

static int show_and_destroy(struct session *session, const struct grid *grid)
{
    const struct options *options = session->options;
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int r = options->quiet ? 0 : session_write(session, grid, &out);

    if (r == 0)
        r = buf_flush(&out);
    if (r < 0)
        r = command_error("cannot show the sockets: %s", strerror(-r));
    buf_done(&out);
    session_notes(session);
    if (r == 0)
        r = session_check(session);
    if (r == 0 && grid->row_count == 0)
        session_hint(session);
    if (r != 0 || grid->row_count == 0 || options->dry_run)
        return r ? r : session_exit(session, grid->row_count);
    if (!options->yes && !isatty(STDIN_FILENO))
        return command_error(
            "kill asks before it destroys, and there is no terminal to ask on: use -y");
    if (!options->yes && !confirm(grid->row_count))
        return command_error("nothing was destroyed");
    return destroy_rows(session, grid);
}

/* An empty word, as of an unset variable in a script, must not mean everything. */
static bool has_filter(const struct options *options)
{
    for (uint32_t i = 0; i < options->word_count; i++)
        if (options->words[i][strspn(options->words[i], " \t\n")])
            return true;
    return false;
}

/*
 * What is asked for and can never be destroyed is said; what is found besides is destroyed. The
 * request has been narrowed by the filter.
 */
static int check_kinds(const struct session *session)
{
    const struct options *options = session->options;
    bool others =
        options->all || options->protos & (PROTO_BIT(PROTO_UNIX) | PROTO_BIT(PROTO_PACKET));

    if (!(session->request.protos & PROTO_INET_ALL))
        return command_error("these sockets cannot be destroyed: the kernel destroys tcp, udp and "
                             "raw ones only, not unix, packet or netlink");
    if (others && !options->quiet)
        command_error("only tcp, udp and raw sockets can be destroyed: others are left out");
    return 0;
}

static int run_kill(struct options *options)
{
    struct session session;
    struct query query = {.table = &table_sockets};
    struct grid grid = {0};
    int r = session_begin(&session, options);

    if (r == 0 && !has_filter(options))
        r = command_error("kill needs a filter: nwho kill dst 10.0.0.9 dport :5432");
    if (r == 0 && options->replay)
        r = command_error("what is in a recording cannot be destroyed");
    if (r == 0)
        r = session_filter(&session, &query, "(tcp or udp or udplite or raw)");
    if (r == 0)
        r = session_columns(&session, &query, NULL);
    if (r == 0)
        r = session_plan(&session, &query);
    if (r == 0)
        r = check_kinds(&session);
    if (r == 0)
        r = session_select(&session, &query, &grid);
    if (r == 0)
        r = show_and_destroy(&session, &grid);
    grid_done(&grid);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho kill --dry-run process java close-wait",
    "what would be destroyed",
    "nwho kill dst 10.0.0.9 dport :5432",
    "asks, then destroys the connections to one server",
    NULL,
};

const struct command command_kill = {
    .name = "kill",
    .arguments = "FILTER",
    .summary = "destroy sockets, not processes (ss -K); asks first",
    .examples = examples,
    .options = OPTIONS_SOCKETS | OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_KILL,
    .run = run_kill,
};
