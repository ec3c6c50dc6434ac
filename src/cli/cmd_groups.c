/* SPDX-License-Identifier: MIT */
/* nwho groups: multicast groups and who joined them. */
#include "cli/session.h"

#include "model/socket.h"

static const char *own_filter(const struct options *options)
{
    const char *family = options_family(options);

    return family || options->all ? family : "not family packet";
}

static int run_groups(struct options *options)
{
    struct query query = {.table = &table_groups};
    struct options all = *options;

    all.families = 0; /* an IPv6 socket may join an IPv4 group */
    all.protos = PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE) | PROTO_BIT(PROTO_RAW) |
                 PROTO_BIT(PROTO_ICMP); /* the sockets that join */
    return session_answer(&all, &query, own_filter(options), NULL);
}

static const char *const examples[] = {
    "nwho groups",
    "every group of every interface, and the processes that joined",
    "nwho groups eth0 -4",
    "IPv4 groups of one interface",
    "nwho groups 224.0.0.251",
    "who listens to multicast DNS",
    "nwho groups process avahi-daemon",
    "the groups of one program",
    NULL,
};

const struct command command_groups = {
    .name = "groups",
    .arguments = "[FILTER]",
    .summary = "multicast groups, and who joined (netstat -g, ip maddress)",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_GROUPS,
    .run = run_groups,
};
