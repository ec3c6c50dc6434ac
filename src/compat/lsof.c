/* SPDX-License-Identifier: MIT */
/* lsof: sockets by the processes that hold them, one line a descriptor. */
#include "compat/lsof.h"
#include "compat/personality.h"

#include <string.h>

static void write_list(struct lsof_list *list)
{
    switch (list->options->form) {
    case LSOF_TERSE:
        lsof_write_terse(list);
        break;
    default:
        lsof_write_columns(list);
        break;
    }
}

/* One listing: its exit status. */
static int list_once(struct lsof_options *options, struct lsof_names *names, struct buf *out)
{
    struct lsof_list list = {.options = options, .names = names, .out = out};
    int r = lsof_read(&list), status = 1;

    if (r < 0) {
        lsof_error("the machine could not be read: %s", strerror(-r));
    } else {
        write_list(&list);
        status = lsof_verdict(&list);
    }
    lsof_list_done(&list);
    return status;
}

/*
 * Whether sockets alone can answer: without -a each kind of selection adds files of its own, and
 * those of a process are not only sockets.
 */
static bool needs_other_files(const struct lsof_options *options)
{
    uint32_t sockets = options->select & LSOF_SELECT_SOCKETS;

    if (options->select & LSOF_SELECT_OTHER)
        return true;
    return options->and ? !sockets : !sockets || options->select != sockets;
}

static int run_options(struct lsof_options *options)
{
    struct lsof_names *names = lsof_names_new();
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int status;

    if (!names)
        return lsof_error("out of memory") ? 1 : 0;
    status = list_once(options, names, &out);
    if (buf_flush(&out) < 0 && out.error != -EPIPE)
        status = lsof_error("cannot write: %s", strerror(-out.error)) ? 1 : 0;
    buf_done(&out);
    lsof_names_free(names);
    return status;
}

static int run(int argc, char **argv)
{
    struct lsof_options options;
    int r = lsof_options_parse(argc, argv, &options), status = 1;

    if (r == 0 && needs_other_files(&options))
        lsof_error("this selection asks for files that are no sockets, which nwho does not list: "
                   "use the real lsof, or select sockets (-i, -U; with -a and -p, -c, -u, ...)");
    else if (r == 0)
        status = run_options(&options);
    lsof_options_done(&options);
    return status;
}

const struct personality personality_lsof = {
    .name = "lsof",
    .summary = "sockets by process (the network part of lsof 4.95)",
    .run = run,
};
