/* SPDX-License-Identifier: MIT */
/* ss -E: sockets as the kernel tells that they are gone. */
#include "compat/ss_events.h"

#include "collect/inet_diag_message.h"
#include "compat/moment.h"
#include "compat/ss_files.h"
#include "compat/ss_row.h"
#include "compat/ss_select.h"
#include "derive/join.h"
#include "netlink/netlink.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_SIZE 16384
#define GROUP_BIT(group) (1u << ((group)-1))

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
        groups |= (ipv4 ? GROUP_BIT(SKNLGRP_INET_TCP_DESTROY) : 0) |
                  (ipv6 ? GROUP_BIT(SKNLGRP_INET6_TCP_DESTROY) : 0);
    if (selection->tables & SS_TABLE_BIT(SS_TABLE_UDP))
        groups |= (ipv4 ? GROUP_BIT(SKNLGRP_INET_UDP_DESTROY) : 0) |
                  (ipv6 ? GROUP_BIT(SKNLGRP_INET6_UDP_DESTROY) : 0);
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

static int take_event(struct follower *follower, const void *payload, size_t length)
{
    struct snapshot snapshot;
    struct join join;
    struct socket *socket;
    struct buf scratch = BUF_INIT;
    int r;

    if (length < sizeof(struct inet_diag_msg) || snapshot_init(&snapshot) < 0)
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

static int take_messages(struct follower *follower, const char *bytes, size_t length)
{
    const struct nlmsghdr *header = (const struct nlmsghdr *)bytes;
    unsigned int rest = (unsigned int)length;
    int r = 0;

    for (; r == 0 && NLMSG_OK(header, rest); header = NLMSG_NEXT(header, rest))
        if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY)
            r = take_event(follower, NLMSG_DATA(header), NLMSG_PAYLOAD(header, 0));
    return r;
}

/* Until it is interrupted. */
static int follow(struct follower *follower, uint32_t groups)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    CLEANUP_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    _Alignas(struct nlmsghdr) char bytes[MESSAGE_SIZE];
    int r = 0;

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    while (r == 0) {
        ssize_t length = recv(fd, bytes, sizeof(bytes), 0);

        if (length >= 0)
            r = take_messages(follower, bytes, (size_t)length);
        else if (errno == ENOBUFS)
            ss_complain("more sockets went than could be told: events are missing");
        else if (errno != EINTR)
            r = -errno;
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
