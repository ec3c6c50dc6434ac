/* SPDX-License-Identifier: MIT */
/* tcpdump 4.99: packets one after the other, until the file ends or a signal comes. */
#include "compat/say.h"
#include "compat/tcpdump.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

/* SIGINT, SIGTERM and those for users, and SIGHUP unless nohup(1) wants it ignored, come by a
 * descriptor. */
static int open_signals(void)
{
    struct sigaction hangup = {0};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_DFL)
        sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- counts --- */

/* What stands before, between and behind them. */
struct counts_form {
    const char *begin, *between, *end;
};

static const struct counts_form in_lines = {"", "\n", "\n"};
static const struct counts_form in_one_line = {TCPDUMP_TOOL ": ", ", ", "\n"};

static void put_count(struct buf *text, uint32_t count, const char *what)
{
    buf_printf(text, "%u packet%s%s", count, count == 1 ? "" : "s", what);
}

static void say_counts(const struct tcpdump *tcpdump, const struct counts_form *form)
{
    struct buf text = BUF_SINK(STDERR_FILENO);
    struct capture_counts counts;

    if (capture_read_counts(tcpdump->capture, &counts) < 0)
        return;
    buf_puts(&text, form->begin);
    put_count(&text, tcpdump->number, " captured");
    buf_puts(&text, form->between);
    put_count(&text, counts.received, " received by filter");
    buf_puts(&text, form->between);
    put_count(&text, counts.dropped, " dropped by kernel");
    if (counts.dropped_by_interface) {
        buf_puts(&text, form->between);
        put_count(&text, counts.dropped_by_interface, " dropped by interface");
    }
    buf_puts(&text, form->end);
    (void)buf_flush(&text);
    buf_done(&text);
}

/* --- packets --- */

/* What a signal asks for; true: the end. SIGUSR2 wants to read what is written. */
static bool take_signal(const struct tcpdump *tcpdump, int signals)
{
    struct signalfd_siginfo signal;

    if (read(signals, &signal, sizeof(signal)) != sizeof(signal))
        return errno != EINTR && errno != EAGAIN; /* which one came will not be known */
    if (signal.ssi_signo == SIGUSR1)
        say_counts(tcpdump, &in_one_line);
    else if (signal.ssi_signo != SIGUSR2)
        return true;
    else if (tcpdump->writer)
        (void)packet_writer_flush(tcpdump->writer); /* an error comes again */
    return false;
}

/* Waits so long, or until packets may be there; true: a signal wants the end. */
static bool wait_for_packets(const struct tcpdump *tcpdump, int signals, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
                           {.fd = capture_fd(tcpdump->capture), .events = POLLIN}};

    return poll(fds, ARRAY_SIZE(fds), timeout_ms) > 0 && fds[0].revents &&
           take_signal(tcpdump, signals);
}

/* 0, PACKET_WRITER_FULL, or what failed at the writing of it. */
static int take_packet(struct tcpdump *tcpdump, struct packet *packet, int link_type,
                       const struct captured *captured)
{
    const struct tcpdump_options *options = tcpdump->options;
    int r = 0;

    if (tcpdump->writer)
        r = packet_writer_put(tcpdump->writer, captured, NULL);
    if (r == 0 && tcpdump->writer && options->packet_buffered)
        r = packet_writer_flush(tcpdump->writer);
    if (r != 0)
        return r;
    tcpdump->number++;
    if (options->only_count || (tcpdump->writer && !options->print))
        return 0;
    line_put(&tcpdump->line, packet, link_type, captured, tcpdump->number);
    if (options->line_buffered)
        (void)buf_flush(&tcpdump->out);
    return tcpdump->out.error;
}

/* When no packets wait, what there is of them can be read. */
static int idle(struct tcpdump *tcpdump, int signals, bool *ret_stop)
{
    int r = buf_flush(&tcpdump->out), timeout_ms = -1;

    if (r == 0 && tcpdump->writer) {
        r = packet_writer_flush(tcpdump->writer);
        timeout_ms = packet_writer_wait_ms(tcpdump->writer);
    }
    if (r < 0)
        return r;
    *ret_stop = wait_for_packets(tcpdump, signals, timeout_ms);
    return tcpdump->writer && !*ret_stop ? packet_writer_tick(tcpdump->writer) : 0;
}

struct follow {
    struct tcpdump *tcpdump;
    struct packet packet;
    int link_type;
    int signals;
    uint32_t last; /* the number of the last packet that is wanted */
    int result;    /* of take_packet() */
    bool end;
};

static bool on_packet(void *context, const struct captured *captured)
{
    struct follow *follow = context;

    follow->result = take_packet(follow->tcpdump, &follow->packet, follow->link_type, captured);
    return follow->result == 0;
}

/* The packets that are there, or a wait. The result is that of take_packet(). */
static int step(struct follow *follow, char error[CAPTURE_ERROR_SIZE])
{
    struct tcpdump *tcpdump = follow->tcpdump;
    bool stop = false;
    int r = capture_read(tcpdump->capture, follow->last - tcpdump->number, on_packet, follow,
                         &follow->end, error);

    if (r < 0)
        return r;
    *error = '\0';
    if (follow->result != 0)
        return follow->result;
    if (tcpdump->live && r > 0)
        stop = take_signal(tcpdump, follow->signals);
    r = tcpdump->live && r == 0 ? idle(tcpdump, follow->signals, &stop) : 0;
    if (stop) {
        follow->end = true;
        /* A line may stand on the terminal, as the interrupt's ^C does. */
        if (!tcpdump->writer)
            buf_byte(&tcpdump->out, '\n');
    }
    return r;
}

static void say_failure(const struct tcpdump *tcpdump, int r, const char *error)
{
    struct buf text = BUF_INIT;

    if (*error) {
        buf_printf(&text, "%s%s", r == -EIO ? "pcap_loop: " : "", error);
        (void)tcpdump_fail(buf_string(&text));
    } else if (tcpdump->writer && !tcpdump->out.error) {
        (void)tcpdump_fail_writing(packet_writer_file(tcpdump->writer), r);
    } else {
        (void)tcpdump_fail(strerror(-r));
    }
    buf_done(&text);
}

/* Until the file ends, or what is to be read of it; the result is that of take_packet(). */
static int follow(struct tcpdump *tcpdump, int signals)
{
    const struct tcpdump_options *options = tcpdump->options;
    struct follow follow = {
        .tcpdump = tcpdump, .link_type = capture_link_type(tcpdump->capture), .signals = signals};
    char error[CAPTURE_ERROR_SIZE] = "";
    int r = 0;

    follow.packet =
        (struct packet){.options = &options->packet, .flows = tcpdump->flows, .out = &tcpdump->out};
    follow.last = options->count ? tcpdump->number + options->count : UINT32_MAX;
    while (r == 0 && !follow.end && tcpdump->number != follow.last)
        r = step(&follow, error);
    if (r < 0 && r != -EPIPE)
        say_failure(tcpdump, r, error);
    return r;
}

static void say_full(uint32_t files)
{
    struct buf text = BUF_SINK(STDERR_FILENO);

    buf_printf(&text, "Maximum file limit reached: %u\n", files);
    (void)buf_flush(&text);
    buf_done(&text);
}

/* What is still to be written and said; `r` is the result of follow(). */
static int finish(struct tcpdump *tcpdump, int r)
{
    int closed;

    if (tcpdump->options->only_count && !tcpdump->live && r == 0)
        put_count(&tcpdump->out, tcpdump->number, "\n");
    (void)buf_flush(&tcpdump->out);
    if (r == PACKET_WRITER_FULL)
        say_full(tcpdump->options->rotation.files);
    if (tcpdump->writer && packet_writer_command_error(tcpdump->writer) < 0)
        say(TCPDUMP_TOOL, "-z %s: %s", tcpdump->options->command,
            strerror(-packet_writer_command_error(tcpdump->writer)));
    closed = tcpdump->writer ? packet_writer_close(tcpdump->writer) : 0;
    if (r >= 0 && closed < 0) {
        r = closed;
        (void)tcpdump_fail_writing(packet_writer_file(tcpdump->writer), r);
    }
    if (tcpdump->live)
        say_counts(tcpdump, &in_lines);
    return r < 0 && r != -EPIPE ? TCPDUMP_FAILED : 0;
}

int tcpdump_read_packets(struct tcpdump *tcpdump)
{
    CLEANUP_CLOSE int signals = tcpdump->live ? open_signals() : -1;

    return finish(tcpdump, follow(tcpdump, signals));
}

/* --- files that a file names --- */

/* One of them, the first of which opens what is written. `ret_end`: no more are wanted. */
static int read_one(struct tcpdump *tcpdump, const char *path, bool first, bool *ret_end)
{
    const struct tcpdump_options *options = tcpdump->options;
    int r = tcpdump_open_file(tcpdump, path);

    if (r != 0)
        return r;
    *ret_end = options->filter_form;
    if (options->filter_form)
        capture_put_filter(&tcpdump->out, tcpdump->capture, options->filter_form);
    else if (first)
        r = tcpdump_open_destination(tcpdump);
    if (r != 0 || *ret_end)
        return r;
    r = follow(tcpdump, -1);
    *ret_end = r != 0;
    return r < 0 ? TCPDUMP_FAILED : 0;
}

static int read_lines(struct tcpdump *tcpdump, FILE *list)
{
    CLEANUP_FREE char *line = NULL;
    size_t size = 0;
    uint32_t count = 0;
    bool end = false;
    int r = 0;

    while (r == 0 && !end && getline(&line, &size, list) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        r = read_one(tcpdump, line, count++ == 0, &end);
    }
    if (count == 0) {
        say(TCPDUMP_TOOL, "Nothing in %s", tcpdump->options->list_file);
        return TCPDUMP_FAILED;
    }
    if (r != 0 || tcpdump->options->filter_form)
        return r;
    return finish(tcpdump, end ? PACKET_WRITER_FULL : 0);
}

int tcpdump_read_listed(struct tcpdump *tcpdump)
{
    const char *path = tcpdump->options->list_file;
    FILE *list = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    int r;

    if (!list) {
        say(TCPDUMP_TOOL, "Unable to open file: %s", strerror(errno));
        return TCPDUMP_FAILED;
    }
    r = read_lines(tcpdump, list);
    if (list != stdin)
        (void)fclose(list);
    return r;
}
