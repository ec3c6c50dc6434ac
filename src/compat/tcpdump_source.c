/* SPDX-License-Identifier: MIT */
/* tcpdump 4.99: where packets come from and where they go. */
#include "compat/say.h"
#include "compat/tcpdump.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#define LINK_ETHERNET 1
#define LINK_SLL2 276 /* DLT_LINUX_SLL2: what packets of all interfaces have */

/* --- the source --- */

static void put_link(struct buf *text, int link_type)
{
    const char *description, *name = capture_link_name(link_type, &description);

    if (name)
        buf_printf(text, ", link-type %s (%s)", name, description);
    else
        buf_printf(text, ", link-type %d", link_type);
}

static void say_file(const struct tcpdump *tcpdump, const char *path)
{
    struct buf text = BUF_SINK(STDERR_FILENO);
    int link_type = capture_link_type(tcpdump->capture);

    buf_printf(&text, "reading from file %s", path);
    put_link(&text, link_type);
    buf_printf(&text, ", snapshot length %u\n", capture_snapshot_length(tcpdump->capture));
    if (link_type == LINK_SLL2)
        buf_puts(&text, "Warning: interface names might be incorrect\n");
    (void)buf_flush(&text);
    buf_done(&text);
}

static void say_interface(const struct tcpdump *tcpdump)
{
    const struct tcpdump_options *options = tcpdump->options;
    struct buf text = BUF_SINK(STDERR_FILENO);

    buf_puts(&text, TCPDUMP_TOOL ": ");
    if (options->packet.verbose == 0 && !options->write_file)
        buf_puts(&text, "verbose output suppressed, use -v[v]... for full protocol decode\n");
    buf_printf(&text, "listening on %s", options->capture.interface);
    put_link(&text, capture_link_type(tcpdump->capture));
    buf_printf(&text, ", snapshot length %u bytes\n", capture_snapshot_length(tcpdump->capture));
    (void)buf_flush(&text);
    buf_done(&text);
}

static void say_link_type(int link_type)
{
    const char *description;

    say(TCPDUMP_TOOL, "data link type %s", capture_link_name(link_type, &description));
}

int tcpdump_choose_interface(struct tcpdump *tcpdump)
{
    struct capture_request *request = &tcpdump->options->capture;
    char error[CAPTURE_ERROR_SIZE];

    if (request->interface)
        return 0;
    if (capture_default_interface(&tcpdump->default_interface, error) < 0)
        return tcpdump_fail(error);
    request->interface = tcpdump->default_interface;
    return 0;
}

static int open_interface(struct tcpdump *tcpdump)
{
    struct capture_request *request = &tcpdump->options->capture;
    bool seen = !tcpdump->options->write_file || tcpdump->options->print;
    char error[CAPTURE_ERROR_SIZE];

    if (tcpdump_choose_interface(tcpdump) != 0)
        return TCPDUMP_FAILED;
    if (request->link_type < 0 && strncmp(request->interface, "any", 3) == 0)
        request->link_type = LINK_SLL2;
    request->timeout_ms =
        seen && (isatty(STDOUT_FILENO) || tcpdump->options->line_buffered) ? 100 : 1000;
    if (capture_open_live(request, &tcpdump->capture, error) < 0)
        return tcpdump_fail(error);
    if (capture_time_type_refused(tcpdump->capture))
        say(TCPDUMP_TOOL,
            "WARNING: When trying to set timestamp type '%s' on %s: That type of time stamp is "
            "not supported by that device",
            tcpdump->options->time_type, request->interface);
    if (request->link_type >= 0)
        say_link_type(request->link_type);
    return 0;
}

static int set_filter(struct tcpdump *tcpdump)
{
    struct tcpdump_options *options = tcpdump->options;
    char error[CAPTURE_ERROR_SIZE];

    if (!options->expression && tcpdump_read_expression(options) != 0)
        return TCPDUMP_FAILED;
    return capture_set_filter(tcpdump->capture, options->expression, !options->plain_filter,
                              error) < 0
               ? tcpdump_fail(error)
               : 0;
}

int tcpdump_open_file(struct tcpdump *tcpdump, const char *path)
{
    int link_type = tcpdump->capture ? capture_link_type(tcpdump->capture) : -1;
    char error[CAPTURE_ERROR_SIZE];

    capture_close(tcpdump->capture);
    tcpdump->capture = NULL;
    if (capture_open_file(path, tcpdump->options->line.nanoseconds, &tcpdump->capture, error) < 0)
        return tcpdump_fail(error);
    if (tcpdump->writer && capture_link_type(tcpdump->capture) != link_type) {
        say(TCPDUMP_TOOL, "%s: new dlt does not match original", path);
        return TCPDUMP_FAILED;
    }
    say_file(tcpdump, path);
    return set_filter(tcpdump);
}

/* A filter is compiled, and nothing is captured. */
static int open_nothing(struct tcpdump *tcpdump)
{
    const struct capture_request *request = &tcpdump->options->capture;
    int link_type = request->link_type;
    char error[CAPTURE_ERROR_SIZE];

    if (link_type < 0)
        say("Warning", "assuming Ethernet");
    return capture_open_none(link_type < 0 ? LINK_ETHERNET : link_type, request->snapshot_length,
                             &tcpdump->capture, error) < 0
               ? tcpdump_fail(error)
               : 0;
}

int tcpdump_open_source(struct tcpdump *tcpdump)
{
    const struct tcpdump_options *options = tcpdump->options;
    int r;

    if (options->read_file)
        return tcpdump_open_file(tcpdump, options->read_file);
    tcpdump->live = !options->filter_form || options->capture.interface;
    r = tcpdump->live ? open_interface(tcpdump) : open_nothing(tcpdump);
    return r != 0 ? r : set_filter(tcpdump);
}

/* --- the destination --- */

int tcpdump_fail_writing(const char *file, int error)
{
    struct buf text = BUF_INIT;

    buf_printf(&text, "%s: %s", file, strerror(-error));
    (void)tcpdump_fail(buf_string(&text));
    buf_done(&text);
    return TCPDUMP_FAILED;
}

static int open_writer(struct tcpdump *tcpdump)
{
    const struct tcpdump_options *options = tcpdump->options;
    const struct packet_writer_request request = {
        .path = options->write_file, .rotation = options->rotation, .command = options->command};
    const struct packet_interface interface = {.link_type = capture_link_type(tcpdump->capture),
                                               .snapshot_length =
                                                   capture_snapshot_length(tcpdump->capture),
                                               .nanoseconds = options->line.nanoseconds};
    struct buf file = BUF_INIT;
    int r = packet_writer_open(&request, &interface, &tcpdump->writer, &file);

    if (r < 0)
        (void)tcpdump_fail_writing(buf_string(&file), r);
    buf_done(&file);
    return r < 0 ? TCPDUMP_FAILED : 0;
}

static int change_user(const struct tcpdump *tcpdump, const struct passwd *user)
{
    int r =
        tcpdump->writer ? packet_writer_delegate(tcpdump->writer, user->pw_uid, user->pw_gid) : 0;

    if (r < 0)
        return r;
    if (initgroups(user->pw_name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
        setuid(user->pw_uid) < 0)
        return -errno;
    return 0;
}

/* The files that are written are that user's, and go on to be made in a directory that is not. */
static int become_user(const struct tcpdump *tcpdump, const char *name)
{
    const struct passwd *user = getpwnam(name);
    char error[CAPTURE_ERROR_SIZE];
    int r;

    if (!user) {
        snprintf(error, sizeof(error), "Couldn't find user '%.32s'", name);
        return tcpdump_fail(error);
    }
    if (user->pw_uid == geteuid())
        return 0;
    r = change_user(tcpdump, user);
    if (r == 0)
        return 0;
    snprintf(error, sizeof(error), "Couldn't change to '%.32s' uid=%lu gid=%lu: %s", name,
             (unsigned long)user->pw_uid, (unsigned long)user->pw_gid, strerror(-r));
    return tcpdump_fail(error);
}

int tcpdump_open_destination(struct tcpdump *tcpdump)
{
    const struct tcpdump_options *options = tcpdump->options;

    if (options->write_file && open_writer(tcpdump) != 0)
        return TCPDUMP_FAILED;
    if (options->user && geteuid() == 0 && become_user(tcpdump, options->user) != 0)
        return TCPDUMP_FAILED;
    if (tcpdump->live)
        say_interface(tcpdump);
    return 0;
}
