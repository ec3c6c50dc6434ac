/* SPDX-License-Identifier: MIT */
/* netstat -g: multicast groups. */
#include "compat/netstat.h"

#include "base/format.h"

#include <string.h>
#include <sys/socket.h>

enum group_column { GROUP_IFACE, GROUP_ADDRESS, GROUP_USERS, GROUP_MAX };

static const char *const column_names[GROUP_MAX] = {
    [GROUP_IFACE] = "iface",
    [GROUP_ADDRESS] = "group",
    [GROUP_USERS] = "users",
};

static void put_row(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    struct value iface = grid_cell(grid, row, GROUP_IFACE), users, group;
    struct buf *out = &netstat->out;
    char text[FORMAT_ADDRESS_MAX];
    const char *name = NULL;

    netstat_escaped(netstat, iface.type == VALUE_STRING ? iface.string.bytes : "",
                    iface.type == VALUE_STRING ? iface.string.length : 0, 15);
    buf_byte(out, ' ');
    users = grid_cell(grid, row, GROUP_USERS);
    netstat_number_left(out, users.type == VALUE_UINT ? users.uint : 0, 6);
    buf_byte(out, ' ');
    group = grid_cell(grid, row, GROUP_ADDRESS);
    if (!netstat->options.numeric_hosts)
        name = host_name(&netstat->names, group.address.family, group.address.bytes);
    if (name)
        buf_puts(out, name);
    else
        buf_put(out, text,
                (size_t)(format_address(text, group.address.family, group.address.bytes) - text));
    buf_byte(out, '\n');
}

static void put_family(struct netstat *netstat, const struct grid *grid, unsigned int family)
{
    for (uint32_t row = 0; row < grid->row_count; row++) {
        struct value group = grid_cell(grid, row, GROUP_ADDRESS);

        if (group.type == VALUE_ADDRESS && group.address.family == family)
            put_row(netstat, grid, row);
    }
}

static int put_groups(struct netstat *netstat, const struct grid *grid)
{
    buf_puts(&netstat->out, "IPv6/IPv4 Group Memberships\n");
    buf_puts(&netstat->out, "Interface       RefCnt Group\n");
    buf_puts(&netstat->out, "--------------- ------ ---------------------\n");
    if (netstat->options.families & NETSTAT_INET)
        put_family(netstat, grid, AF_INET);
    if (netstat->options.families & NETSTAT_INET6)
        put_family(netstat, grid, AF_INET6);
    return 0;
}

int netstat_groups(struct netstat *netstat)
{
    struct query query = {.table = &table_groups, .as_found = true};

    return netstat_table(netstat, &query, column_names, GROUP_MAX, put_groups);
}
