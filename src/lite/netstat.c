/* SPDX-License-Identifier: MIT */
/* netstat of nwho-lite has the tables of sockets: in place of compat/netstat_routes.c,
 * netstat_interfaces.c, netstat_groups.c and netstat_statistics.c. */
#include "compat/netstat.h"

static int refuse(const char *option)
{
    netstat_say("%s: this nwho was built with the tables of sockets only", option);
    return NETSTAT_FAILED;
}

int netstat_routes(struct netstat *netstat)
{
    (void)netstat;
    return refuse("-r");
}

int netstat_interfaces(struct netstat *netstat)
{
    (void)netstat;
    return refuse("-i");
}

int netstat_groups(struct netstat *netstat)
{
    (void)netstat;
    return refuse("-g");
}

int netstat_statistics(struct netstat *netstat)
{
    (void)netstat;
    return refuse("-s");
}
