/* SPDX-License-Identifier: MIT */
/* lsof: sockets by the processes that hold them, one line a descriptor. */
#include "compat/lsof.h"
#include "compat/personality.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: lsof [OPTION...]    the sockets of processes, as lsof 4.95 lists them (nwho)\n"
    "\n"
    "Which sockets (any of them; all of them with -a):\n"
    "  -i[4|6]             Internet sockets\n"
    "  -i [46][PROTOCOL][@HOST][:PORTS]\n"
    "                      those with such an end: tcp@10.0.0.1:22,80-90\n"
    "  -U                  unix sockets\n"
    "  -s TCP:STATE,...    only in these states; ^STATE: not in this one\n"
    "Whose (together with -a; ^ in front leaves out):\n"
    "  -c NAME | /REGEX/[bix]   -p PIDS   -u USERS   -g [GROUPS]   -d DESCRIPTORS\n"
    "  -K                  threads too; -K i: never\n"
    "What is shown:\n"
    "  -n -P -l            numbers instead of names of hosts, ports, users\n"
    "  -R -g +L +fg +fG    parent, process group, links, flags of open(2)\n"
    "  -T[qs]              state (s), queues (q), nothing\n"
    "  -E, +E              who holds the other end; and these sockets too\n"
    "  +c WIDTH   -o   -s  width of names (0: all), offset only, size only\n"
    "How:\n"
    "  -t                  only process ids\n"
    "  -F[FIELDS][0]       one field a line, for programs; -F ? lists them\n"
    "  -J, -j              JSON, JSON lines\n"
    "  -r[SEC][cN][mFORMAT], +r   again and again; +r: until nothing is found\n"
    "  -V                  say what was not found      -Q   then end with 0 all the same\n"
    "  -h, -v              this text, the version\n";

static void write_list(struct lsof_list *list)
{
    static void (*const writers[])(struct lsof_list * list) = {
        [LSOF_COLUMNS] = lsof_write_columns, [LSOF_FIELDS] = lsof_write_fields,
        [LSOF_TERSE] = lsof_write_terse,     [LSOF_JSON] = lsof_write_json,
        [LSOF_JSON_LINES] = lsof_write_json,
    };

    writers[list->options->form](list);
}

/* Closes each listing of -r. */
static void write_marker(const struct lsof_options *options, struct buf *out)
{
    /* By a pointer: the compiler cannot check a format that the user gives. */
    size_t (*const format_time)(char *, size_t, const char *, const struct tm *) = strftime;
    time_t now = time(NULL);
    char text[256] = "";
    struct tm local;

    if (options->marker && localtime_r(&now, &local) &&
        format_time(text, sizeof(text), options->marker, &local) == 0)
        text[0] = '\0';
    if (options->form == LSOF_FIELDS)
        buf_byte(out, 'm');
    else if (!options->marker)
        buf_puts(out, "=======");
    buf_puts(out, text);
    if (options->form == LSOF_FIELDS && options->fields_nul)
        buf_byte(out, '\0');
    buf_byte(out, '\n');
}

/* Without -a all files of these processes belong to the answer. */
static int refuse_processes(void)
{
    return lsof_error("without -a, -p, -c, -u and -g add all files of these processes, and nwho "
                      "lists sockets only: use -a, or the real lsof");
}

/* One listing. 0 or an exit status; *ret_selected: how many lines it has. */
static int list_once(struct lsof_options *options, struct lsof_names *names, struct buf *out,
                     uint32_t *ret_selected)
{
    struct lsof_list list = {.options = options, .names = names, .out = out};
    bool whole_processes = false;
    int r = lsof_read(&list), status = 1;

    if (r == 0)
        r = lsof_look_at_processes(&list, &whole_processes);
    if (r < 0) {
        lsof_error("the machine could not be read: %s", strerror(-r));
    } else if (whole_processes && !options->and) {
        refuse_processes();
    } else {
        write_list(&list);
        *ret_selected = list.selected;
        if (options->repeat_s && (list.selected || !options->repeat_until_empty))
            write_marker(options, out);
        status = lsof_verdict(&list);
        if (!moment_check(&list.moment, &names->hosts, "lsof", false) || list.incomplete)
            status = 1;
    }
    lsof_list_done(&list);
    return status;
}

/* Lists once, or with -r until a condition or a signal ends it. */
static int list_all(struct lsof_options *options, struct lsof_names *names, struct buf *out)
{
    uint32_t selected = 0, done = 0;
    bool ever = false;
    int status;

    for (;;) {
        status = list_once(options, names, out, &selected);
        ever |= selected > 0;
        done++;
        if (buf_flush(out) < 0 || !options->repeat_s)
            break;
        if (options->repeat_count && done >= options->repeat_count)
            break;
        if (options->repeat_until_empty && !selected)
            return ever ? 0 : 1;
        sleep(options->repeat_s);
    }
    return status;
}

/*
 * What of the command line asks for files that are no sockets; NULL: nothing (but for processes,
 * which are looked for first). Without -a each kind of selection adds files of its own.
 */
static const char *other_files(const struct lsof_options *options)
{
    uint32_t select = options->select;

    if (select & LSOF_SELECT_OTHER)
        return "names of files, -N, +d, +D and +m ask for files that are no sockets";
    if (!(select & LSOF_SELECT_SOCKETS))
        return select ? "without -i or -U all files are asked for: add one of them, and -a"
                      : "without -i or -U all files are asked for: add one of them";
    if (options->and)
        return NULL;
    if (select & LSOF_SELECT_TASK)
        return "without -a, -K adds all files of processes with threads";
    if (select & LSOF_SELECT_LINKS)
        return "without -a, +L with a number adds all files with few links";
    if (select & LSOF_SELECT_FD && options->fds_of_files)
        return "without -a, -d adds these descriptors of all processes, whatever they are";
    return NULL;
}

static int run_options(struct lsof_options *options)
{
    struct lsof_names names = {0};
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int status = list_all(options, &names, &out);

    if (buf_flush(&out) < 0 && out.error != -EPIPE) {
        lsof_error("cannot write: %s", strerror(-out.error));
        status = 1;
    }
    buf_done(&out);
    host_names_done(&names.hosts);
    return status;
}

/* What lsof says about itself goes to stderr. */
static bool answer(const struct lsof_options *options)
{
    struct buf out = BUF_SINK(STDERR_FILENO);

    if (options->help)
        buf_puts(&out, help);
    else if (options->version)
        buf_puts(&out, "lsof of nwho " NWHO_VERSION ", which stands in for the network part of "
                       "lsof 4.95.0\n");
    else if (options->field_help)
        lsof_write_field_help(&out);
    (void)buf_flush(&out);
    buf_done(&out);
    return options->help || options->version || options->field_help;
}

static int run(int argc, char **argv)
{
    struct lsof_options options;
    int r = lsof_options_parse(argc, argv, &options), status = 1;

    if (r == -ENOMEM) {
        lsof_error("out of memory");
    } else if (r == 0 && answer(&options)) {
        status = 0;
    } else if (r == 0 && other_files(&options)) {
        lsof_error("%s; nwho lists sockets only, the real lsof has the rest",
                   other_files(&options));
    } else if (r == 0) {
        status = run_options(&options);
    }
    lsof_options_done(&options);
    return status;
}

const struct personality personality_lsof = {
    .name = "lsof",
    .summary = "sockets by process (the network part of lsof 4.95)",
    .run = run,
};
