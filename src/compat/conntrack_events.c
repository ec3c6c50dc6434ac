/* SPDX-License-Identifier: MIT */
/* conntrack -E: events as the kernel tells them, until it is interrupted. */
#include "compat/conntrack.h"

#include "netlink/multicast.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

struct follower {
    struct conntrack_writer *writer;
    struct snapshot strings; /* of the message that is being read */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* The first one is remembered; a second one ends it where it is: at output that nobody reads. */
static sigset_t catch_signals(void)
{
    static const int caught[] = {SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESETHAND};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
        sigaddset(&set, caught[i]);
        sigaction(caught[i], &action, NULL);
    }
    return set;
}

static enum conntrack_event event_of(const struct nlmsghdr *message)
{
    static const uint8_t events[] = {
        [TRACKED_NEW] = CONNTRACK_EVENT_NEW,
        [TRACKED_CHANGED] = CONNTRACK_EVENT_UPDATE,
        [TRACKED_FORGOTTEN] = CONNTRACK_EVENT_DESTROY,
        [TRACKED_KIND_MAX] = CONNTRACK_EVENT_NONE,
    };

    return events[conntrack_message_kind(message)];
}

static int write_event(struct follower *follower, const struct nlmsghdr *message,
                       const struct conntrack_row *row)
{
    const struct conntrack_options *options = follower->writer->options;
    struct conntrack_expectation expectation;
    struct conntrack entry;
    int r;

    if (options->list == CONNTRACK_EXPECTATIONS) {
        r = conntrack_read_expectation(&follower->strings, NLMSG_DATA(message),
                                       NLMSG_PAYLOAD(message, 0), &expectation);
        if (r == 0)
            conntrack_write_expectation(follower->writer, &expectation, row);
        return r;
    }
    r = conntrack_read(&follower->strings, NLMSG_DATA(message), NLMSG_PAYLOAD(message, 0), &entry);
    if (r == 0 && conntrack_matches(options, &entry, &follower->strings)) {
        struct conntrack_row of_entry = *row;

        of_entry.entry = &entry;
        conntrack_write(follower->writer, &of_entry);
    }
    return r;
}

static int take_event(void *context, const struct nlmsghdr *message)
{
    struct follower *follower = context;
    struct conntrack_row row = {.event = event_of(message), .port_id = message->nlmsg_pid};
    int r;

    if (row.event == CONNTRACK_EVENT_NONE)
        return 0;
    r = snapshot_init(&follower->strings);
    if (r < 0)
        return r;
    gettimeofday(&row.came, NULL);
    row.strings = &follower->strings;
    follower->writer->now_s = (uint64_t)row.came.tv_sec;
    r = write_event(follower, message, &row);
    snapshot_done(&follower->strings);
    return r == -EBADMSG ? 0 : r;
}

static uint32_t groups_of(const struct conntrack_options *options)
{
    static const uint8_t entries[] = {
        [CONNTRACK_EVENT_NEW] = NFNLGRP_CONNTRACK_NEW,
        [CONNTRACK_EVENT_UPDATE] = NFNLGRP_CONNTRACK_UPDATE,
        [CONNTRACK_EVENT_DESTROY] = NFNLGRP_CONNTRACK_DESTROY,
    };
    uint32_t groups = 0;

    if (options->list == CONNTRACK_EXPECTATIONS)
        return NETLINK_GROUP(NFNLGRP_CONNTRACK_EXP_NEW) |
               NETLINK_GROUP(NFNLGRP_CONNTRACK_EXP_UPDATE) |
               NETLINK_GROUP(NFNLGRP_CONNTRACK_EXP_DESTROY);
    for (unsigned int i = CONNTRACK_EVENT_NEW; i <= CONNTRACK_EVENT_DESTROY; i++)
        if (!options->events || options->events & 1u << i)
            groups |= NETLINK_GROUP(entries[i]);
    return groups;
}

/* All that waits; or what came before it was interrupted, since there may be more at all times. */
static int take_events(struct follower *follower, int fd)
{
    int r = 0;

    while (r == 0 && !interrupted) {
        r = netlink_hear(fd, MSG_DONTWAIT, take_event, follower);
        if (r == -ENOBUFS) {
            conntrack_say("events were lost: they came faster than they could be taken "
                          "(-b makes the buffer larger)");
            r = -EAGAIN; /* poll() knows what waits */
        }
    }
    return r == -EAGAIN ? buf_flush(&follower->writer->out) : r;
}

/* Signals come at all times but between the last look for one and the waiting. */
static int follow(struct follower *follower, int fd, const sigset_t *signals)
{
    struct pollfd post = {.fd = fd, .events = POLLIN};
    sigset_t unblocked;
    int r = 0;

    while (r == 0 && !interrupted) {
        r = take_events(follower, fd);
        sigprocmask(SIG_BLOCK, signals, &unblocked);
        if (r == 0 && !interrupted)
            (void)ppoll(&post, 1, NULL, &unblocked);
        sigprocmask(SIG_SETMASK, &unblocked, NULL);
    }
    return r;
}

int conntrack_run_events(struct conntrack_writer *writer)
{
    const struct conntrack_options *options = writer->options;
    struct follower follower = {.writer = writer};
    CLEANUP_CLOSE int fd = -1;
    sigset_t signals = catch_signals();
    uint32_t size = options->buffer_size < INT32_MAX ? options->buffer_size : INT32_MAX;
    int r = netlink_join(NETLINK_NETFILTER, groups_of(options), (int)size, &fd);

    if (r == 0)
        r = follow(&follower, fd, &signals);
    if (r < 0)
        return r == -EPIPE ? 0 : conntrack_failed(r);
    r = conntrack_write_end(writer);
    conntrack_sum_up(writer->shown, options->list == CONNTRACK_EXPECTATIONS
                                        ? "expectation events have been shown"
                                        : "flow events have been shown");
    return r < 0 ? CONNTRACK_FAILED : 0;
}
