/* SPDX-License-Identifier: MIT */
/* ss -E: sockets as the kernel tells that they are gone. */
#include "compat/ss_events.h"

#include "collect/inet_diag_message.h"
#include "compat/moment.h"
#include "compat/ss_files.h"
#include "compat/ss_row.h"
#include "compat/ss_select.h"
#include "derive/join.h"
#include "netlink/multicast.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct follower {
    struct ss_writer writer; /* its view is that of the event */
    bool header;             /* still to be shown, with the first event, whatever it is */
};

int ss_events_groups(const struct ss_selection *selection, uint32_t *ret_groups)
{
    uint32_t groups = 0;
    bool ipv4 = selection->families & SS_FAMILY_BIT(AF_INET);
    bool ipv6 = selection->families & SS_FAMILY_BIT(AF_INET6);

    if (selection->tables & SS_TABLE_BIT(SS_TABLE_TCP))
        groups |= (ipv4 ? NETLINK_GROUP(SKNLGRP_INET_TCP_DESTROY) : 0) |
                  (ipv6 ? NETLINK_GROUP(SKNLGRP_INET6_TCP_DESTROY) : 0);
    if (selection->tables & SS_TABLE_BIT(SS_TABLE_UDP))
        groups |= (ipv4 ? NETLINK_GROUP(SKNLGRP_INET_UDP_DESTROY) : 0) |
                  (ipv6 ? NETLINK_GROUP(SKNLGRP_INET6_UDP_DESTROY) : 0);
    if (!groups)
        return -EINVAL;
    *ret_groups = groups;
    return 0;
}

/* The protocol is not in the message itself, but in an attribute of one byte. */
static unsigned int proto_of(const void *payload, size_t length)
{
    const struct nlattr *attributes[INET_DIAG_PROTOCOL + 1];
    const size_t fixed = NLMSG_ALIGN(sizeof(struct inet_diag_msg));
    uint8_t protocol = 0;

    if (length < fixed)
        return PROTO_TCP;
    netlink_attributes((const char *)payload + fixed, length - fixed, attributes,
                       ARRAY_SIZE(attributes));
    netlink_copy(attributes[INET_DIAG_PROTOCOL], &protocol, sizeof(protocol));
    return protocol == IPPROTO_UDP ? PROTO_UDP : PROTO_TCP;
}

/* Each event is written at once, in columns that only grow. */
static int put_event(struct follower *follower, const struct view *view)
{
    struct ss_writer *writer = &follower->writer;

    writer->view = view;
    if (follower->header)
        ss_layout_header(&writer->layout);
    follower->header = false;
    if (ss_filter_accepts(writer->filter, writer->names, &view->snapshot->sockets[0], NULL))
        ss_row(writer, 0);
    return ss_layout_finish(&writer->layout);
}

static int take_event(void *context, const struct nlmsghdr *message)
{
    struct follower *follower = context;
    const void *payload = NLMSG_DATA(message);
    size_t length = NLMSG_PAYLOAD(message, 0);
    struct snapshot snapshot;
    struct join join;
    struct socket *socket;
    struct buf scratch = BUF_INIT;
    int r;

    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || length < sizeof(struct inet_diag_msg) ||
        snapshot_init(&snapshot) < 0)
        return 0;
    socket = snapshot_add_socket(&snapshot);
    r = socket ? 0 : -ENOMEM;
    if (r == 0) {
        socket->proto = (uint8_t)proto_of(payload, length);
        inet_diag_fill(socket, payload);
        r = inet_diag_details(&snapshot, 0, payload, length);
    }
    if (r == 0)
        r = join_make(&snapshot, 0, &join);
    if (r == 0) {
        struct view view = {.snapshot = &snapshot, .join = &join, .scratch = &scratch};

        r = put_event(follower, &view);
        join_done(&join);
    }
    buf_done(&scratch);
    snapshot_done(&snapshot);
    return r;
}

/* Until it is interrupted. */
static int follow(struct follower *follower, uint32_t groups)
{
    CLEANUP_CLOSE int fd = -1;
    int r = netlink_join(NETLINK_SOCK_DIAG, groups, 0, &fd);

    while (r == 0) {
        r = netlink_hear(fd, 0, take_event, follower);
        if (r == -ENOBUFS) {
            ss_complain("more sockets went than could be told: events are missing");
            r = 0;
        }
    }
    return r;
}

/* What is shown of a socket and no event tells: names of interfaces, the range of ports. */
static int take_surroundings(struct moment *moment)
{
    const struct query query = {.table = &table_interfaces};
    struct ss_files files;

    moment->request.files = ss_files_find(&files, &moment->request.protos);
    moment->request.needs = NEED_PORT_RANGE;
    return moment_take(moment, &query);
}

int ss_events(const struct ss_options *options, const struct ss_filter *filter, uint32_t groups)
{
    struct moment moment;
    struct ss_names names = {.snapshot = &moment.snapshot};
    struct follower follower = {
        .writer = {.options = options, .filter = filter, .names = &names},
        .header = options->header,
    };
    struct ss_layout *layout = &follower.writer.layout;
    int r;

    moment_init(&moment);
    ss_layout_init(layout);
    layout->columns[SS_COLUMN_NETID].hidden = ss_is_one_bit(options->selection.tables);
    layout->columns[SS_COLUMN_STATE].hidden = ss_is_one_bit(options->selection.states);
    r = take_surroundings(&moment);
    if (r == 0)
        r = follow(&follower, groups);
    ss_layout_done(layout);
    ss_names_done(&names);
    moment_done(&moment);
    return r;
}
