/* SPDX-License-Identifier: MIT */
/* netstat -r: routes. */
#include "compat/netstat.h"

#include "base/format.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/ipv6_route.h>
#include <linux/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum route_column {
    ROUTE_FAMILY,
    ROUTE_TABLE,
    ROUTE_TYPE,
    ROUTE_HOP,
    ROUTE_DST,
    ROUTE_PREFIX,
    ROUTE_GATEWAY,
    ROUTE_METRIC,
    ROUTE_ADVMSS,
    ROUTE_WINDOW,
    ROUTE_IRTT,
    ROUTE_IFACE,
    ROUTE_LINE, /* from here on only for IPv6 */
    ROUTE_RTF,
    ROUTE_REFS,
    ROUTE_USE,
    ROUTE_COLUMN_MAX,
};

static const char *const column_names[ROUTE_COLUMN_MAX] = {
    [ROUTE_FAMILY] = "family",   [ROUTE_TABLE] = "table",   [ROUTE_TYPE] = "type",
    [ROUTE_HOP] = "hop",         [ROUTE_DST] = "dst",       [ROUTE_PREFIX] = "prefix",
    [ROUTE_GATEWAY] = "gateway", [ROUTE_METRIC] = "metric", [ROUTE_ADVMSS] = "advmss",
    [ROUTE_WINDOW] = "window",   [ROUTE_IRTT] = "irtt_ms",  [ROUTE_IFACE] = "iface",
    [ROUTE_LINE] = "proc_line",  [ROUTE_RTF] = "rtf_flags", [ROUTE_REFS] = "refs",
    [ROUTE_USE] = "use",
};

#define NAME_MAX_LENGTH 15

/* The columns behind those that every form has. */
enum form { FORM_METRIC = 1, FORM_WINDOW = 2, FORM_BOTH = 3 };

static enum form form_of(const struct netstat_options *options)
{
    static const enum form forms[] = {FORM_WINDOW, FORM_METRIC, FORM_BOTH};

    return options->extend < ARRAY_SIZE(forms) ? forms[options->extend] : 0;
}

static bool is_word(const struct grid *grid, uint32_t row, enum route_column column,
                    const char *word)
{
    struct value value = grid_cell(grid, row, column);

    return value_is_text(&value, word);
}

/* --- IPv4 --- */

static void put_name(struct netstat *netstat, const char *name, const uint8_t *bytes)
{
    char text[INET_ADDRSTRLEN];
    size_t length;

    if (!name) {
        length = (size_t)(format_address(text, AF_INET, bytes) - text);
        name = text;
    } else {
        length = strlen(name);
    }
    if (length > NAME_MAX_LENGTH)
        length = NAME_MAX_LENGTH;
    netstat_left(&netstat->out, name, length, NAME_MAX_LENGTH);
    buf_byte(&netstat->out, ' ');
}

/* The name of a host where the route leads to one, else that of a network. */
static void put_destination(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    static const uint8_t zeros[4];
    struct value dst = grid_cell(grid, row, ROUTE_DST);
    const uint8_t *bytes = dst.type == VALUE_ADDRESS ? dst.address.bytes : zeros;
    const char *name = NULL;

    if (!netstat->options.numeric_hosts) {
        if (memcmp(bytes, zeros, sizeof(zeros)) == 0)
            name = "default";
        else if (netstat_cell_uint(grid, row, ROUTE_PREFIX) == 32)
            name = host_name(&netstat->names, AF_INET, bytes);
        else
            name = host_network(&netstat->names, bytes);
    }
    put_name(netstat, name, bytes);
}

static void put_gateway(struct netstat *netstat, const struct value *gateway, bool reject)
{
    static const uint8_t zeros[4];
    const char *name = NULL;

    if (reject || gateway->type != VALUE_ADDRESS || gateway->address.family != AF_INET) {
        put_name(netstat, reject ? "-" : NULL, zeros);
        return;
    }
    if (!netstat->options.numeric_hosts)
        name = host_name(&netstat->names, AF_INET, gateway->address.bytes);
    put_name(netstat, name, gateway->address.bytes);
}

static void put_mask(struct netstat *netstat, uint64_t prefix)
{
    uint32_t mask = htonl(prefix ? UINT32_MAX << (32 - prefix) : 0);

    put_name(netstat, NULL, (const uint8_t *)&mask);
}

/* Nothing is counted any more: Ref and Use are 0. MSS is what TCP is told and the two headers. */
static void put_numbers(struct netstat *netstat, const struct grid *grid, uint32_t row,
                        const char *iface)
{
    size_t length = strlen(iface);
    unsigned int mss = (unsigned int)netstat_cell_uint(grid, row, ROUTE_ADVMSS);
    unsigned int window = (unsigned int)netstat_cell_uint(grid, row, ROUTE_WINDOW);
    unsigned int irtt = (unsigned int)netstat_cell_uint(grid, row, ROUTE_IRTT);
    int metric = (int)netstat_cell_uint(grid, row, ROUTE_METRIC);
    struct buf *out = &netstat->out;

    mss += mss ? 40 : 0;
    switch (form_of(&netstat->options)) {
    case FORM_METRIC:
        buf_printf(out, "%-6d 0        0 ", metric);
        netstat_escaped(netstat, iface, length, 0);
        buf_byte(out, '\n');
        break;
    case FORM_WINDOW:
        buf_printf(out, "%5u %-5u %6u ", mss, window, irtt);
        netstat_escaped(netstat, iface, length, 0);
        buf_byte(out, '\n');
        break;
    default:
        buf_printf(out, "%-6d 0        0 ", metric);
        netstat_escaped(netstat, iface, length < 6 ? length : 6, 6);
        buf_printf(out, "   %-5u %-6u %u\n", mss, window, irtt);
    }
}

static void put_rejected(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    int metric = (int)netstat_cell_uint(grid, row, ROUTE_METRIC);
    struct buf *out = &netstat->out;

    switch (form_of(&netstat->options)) {
    case FORM_METRIC:
        buf_printf(out, "%-6d -        0 -\n", metric);
        break;
    case FORM_WINDOW:
        buf_puts(out, "    - -          - -\n");
        break;
    default:
        buf_printf(out, "%-6d -        0 -        -     -      -\n", metric);
    }
}

static void put_inet(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    bool reject =
        is_word(grid, row, ROUTE_TYPE, "unreachable") || is_word(grid, row, ROUTE_TYPE, "prohibit");
    struct value gateway = grid_cell(grid, row, ROUTE_GATEWAY);
    uint64_t prefix = netstat_cell_uint(grid, row, ROUTE_PREFIX);
    struct value iface;
    char flags[8], name[IFNAMSIZ] = "*";

    put_destination(netstat, grid, row);
    put_gateway(netstat, &gateway, reject);
    put_mask(netstat, prefix);
    snprintf(flags, sizeof(flags), "%s%s%s", reject ? "!" : "U",
             gateway.type == VALUE_ADDRESS ? "G" : "", /* also one of IPv6 */
             prefix == 32 ? "H" : "");
    buf_printf(&netstat->out, "%-5s ", flags);
    iface = grid_cell(grid, row, ROUTE_IFACE);
    if (iface.type == VALUE_STRING)
        snprintf(name, sizeof(name), "%.*s", (int)iface.string.length, iface.string.bytes);
    if (reject)
        put_rejected(netstat, grid, row);
    else
        put_numbers(netstat, grid, row, name);
}

/* /proc/net/route has the main table without broadcasts, and of several next hops the first. */
static bool is_inet_shown(const struct grid *grid, uint32_t row)
{
    return is_word(grid, row, ROUTE_FAMILY, "inet") && is_word(grid, row, ROUTE_TABLE, "main") &&
           netstat_cell_uint(grid, row, ROUTE_HOP) <= 1 &&
           !is_word(grid, row, ROUTE_TYPE, "broadcast") &&
           !is_word(grid, row, ROUTE_TYPE, "multicast");
}

static void put_inet_table(struct netstat *netstat, const struct grid *grid)
{
    static const char *const headings[] = {
        "", "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n",
        "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n",
        ("Destination     Gateway         Genmask         Flags Metric Ref    Use Iface    MSS   "
         "Window irtt\n")};
    enum form form = form_of(&netstat->options);

    buf_puts(&netstat->out, "Kernel IP routing table\n");
    buf_puts(&netstat->out, headings[form]);
    for (uint32_t row = 0; row < grid->row_count && form; row++)
        if (is_inet_shown(grid, row))
            put_inet(netstat, grid, row);
}

/* The cache of IPv4 is gone since Linux 3.6. */
static void put_inet_cache(struct netstat *netstat)
{
    static const char *const headings[] = {
        "", "Source          Destination     Gateway         Flags Metric Ref    Use Iface\n",
        "Source          Destination     Gateway         Flags   MSS Window  irtt Iface\n",
        ("Source          Destination     Gateway         Flags Metric Ref    Use Iface    MSS   "
         "Window irtt  TOS HHRef HHUptod     SpecDst\n")};

    buf_puts(&netstat->out, "Kernel IP routing cache\n");
    buf_puts(&netstat->out, headings[form_of(&netstat->options)]);
}

/* --- IPv6 --- */

/* Without names the wildcard has brackets, and other addresses those of the names. */
static size_t write_inet6(struct netstat *netstat, const struct value *address, char *text,
                          size_t size)
{
    static const uint8_t zeros[16];
    const uint8_t *bytes = address->type == VALUE_ADDRESS && address->address.family == AF_INET6
                               ? address->address.bytes
                               : zeros;
    const char *name = NULL;

    if (!netstat->options.numeric_hosts)
        name = memcmp(bytes, zeros, sizeof(zeros)) == 0
                   ? "[::]"
                   : host_name(&netstat->names, AF_INET6, bytes);
    if (name)
        snprintf(text, size, "%s", name);
    else if (!inet_ntop(AF_INET6, bytes, text, (socklen_t)size))
        *text = '\0';
    return strlen(text);
}

static void put_inet6_flags(struct buf *out, uint64_t flags)
{
    static const struct {
        uint32_t bit;
        char letter;
    } letters[] = {
        {RTF_UP, 'U'},      {RTF_REJECT, '!'},   {RTF_GATEWAY, 'G'},   {RTF_HOST, 'H'},
        {RTF_DEFAULT, 'D'}, {RTF_ADDRCONF, 'A'}, {RTF_CACHE, 'C'},     {RTF_ALLONLINK, 'a'},
        {RTF_EXPIRES, 'e'}, {RTF_MODIFIED, 'm'}, {RTF_NONEXTHOP, 'n'}, {RTF_FLOW, 'f'},
    };
    char text[ARRAY_SIZE(letters)];
    size_t length = 0;

    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (flags & letters[i].bit)
            text[length++] = letters[i].letter;
    netstat_left(out, text, length, 4);
}

static void put_inet6(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    struct value dst = grid_cell(grid, row, ROUTE_DST), gateway, cell;
    struct buf *out = &netstat->out;
    char text[1100];
    size_t length = write_inet6(netstat, &dst, text, sizeof(text) - 8);

    length += (size_t)snprintf(text + length, 8, "/%u",
                               (unsigned int)netstat_cell_uint(grid, row, ROUTE_PREFIX));
    netstat_left(out, text, length, 30);
    buf_byte(out, ' ');
    gateway = grid_cell(grid, row, ROUTE_GATEWAY);
    netstat_left(out, text, write_inet6(netstat, &gateway, text, sizeof(text)), 26);
    buf_byte(out, ' ');
    put_inet6_flags(out, netstat_cell_uint(grid, row, ROUTE_RTF));
    buf_printf(out, " %-3d %-1d %6d ", (int)netstat_cell_uint(grid, row, ROUTE_METRIC),
               (int)netstat_cell_uint(grid, row, ROUTE_REFS),
               (int)netstat_cell_uint(grid, row, ROUTE_USE));
    cell = grid_cell(grid, row, ROUTE_IFACE);
    if (cell.type == VALUE_STRING)
        netstat_escaped(netstat, cell.string.bytes, cell.string.length, 0);
    buf_byte(out, '\n');
}

static void put_inet6_table(struct netstat *netstat, const struct grid *grid, bool cache)
{
    buf_printf(&netstat->out, "Kernel IPv6 routing %s\n", cache ? "cache" : "table");
    buf_puts(&netstat->out, "Destination                    Next Hop                   ");
    buf_puts(&netstat->out, "Flag Met Ref  Use If\n");
    for (uint32_t row = 0; row < grid->row_count; row++)
        if (is_word(grid, row, ROUTE_FAMILY, "inet6") && netstat_cell_uint(grid, row, ROUTE_LINE) &&
            !(netstat_cell_uint(grid, row, ROUTE_RTF) & RTF_CACHE) == !cache)
            put_inet6(netstat, grid, row);
}

/* --- both, and the families that few kernels have --- */

/* The real tool fails at a file without a heading, and shows nothing more. */
static bool has_main_table(const struct grid *grid)
{
    const struct snapshot *snapshot = grid->view->snapshot;

    return !snapshot->netns_count || !(snapshot->netns[0].flags & NETNS_NO_MAIN_TABLE);
}

static int put_inet_both(struct netstat *netstat, const struct grid *grid)
{
    if (netstat->options.fib || !netstat->options.cache) {
        put_inet_table(netstat, grid);
        if (!has_main_table(grid)) {
            netstat_say("no IPv4 route was ever set up here");
            return NETSTAT_FAILED;
        }
    }
    if (netstat->options.cache)
        put_inet_cache(netstat);
    return 0;
}

static int put_inet6_both(struct netstat *netstat, const struct grid *grid)
{
    if (netstat->options.fib || !netstat->options.cache)
        put_inet6_table(netstat, grid, false);
    if (netstat->options.cache)
        put_inet6_table(netstat, grid, true);
    return 0;
}

static int show_inet(struct netstat *netstat)
{
    struct query query = {.table = &table_routes, .as_found = true};

    return netstat_table(netstat, &query, column_names, ROUTE_LINE, put_inet_both);
}

static int show_inet6(struct netstat *netstat)
{
    struct query query = {.table = &table_routes, .as_found = true, .sort_count = 1};

    query.sort[0].column = table_column(query.table, column_names[ROUTE_LINE]);
    return netstat_table(netstat, &query, column_names, ROUTE_COLUMN_MAX, put_inet6_both);
}

static int show_other(struct netstat *netstat, enum netstat_family family)
{
    static const struct {
        enum netstat_family family;
        const char *text;
    } others[] = {
        {NETSTAT_IPX,
         "IPX routing not in file /proc/net/ipx/route or /proc/net/ipx_route found.\n"},
        {NETSTAT_AX25, "AX.25 not configured in this system.\n"},
        {NETSTAT_NETROM, "NET/ROM not configured in this system.\n"},
        {NETSTAT_X25, "X.25 not configured in this system.\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (others[i].family == family)
            buf_puts(&netstat->out, others[i].text);
    if (family == NETSTAT_ROSE || family == NETSTAT_DDP)
        netstat_no_support(netstat_family_name(family));
    if (family != NETSTAT_UNIX && family != NETSTAT_ECONET)
        return NETSTAT_FAILED;
    netstat_say("no routes of the family %s", netstat_family_name(family));
    return NETSTAT_USAGE;
}

/* One family after the other, up to one that fails. -N means -n here. */
int netstat_routes(struct netstat *netstat)
{
    struct netstat_options *options = &netstat->options;
    int status = 0;

    options->numeric_hosts |= options->symbolic;
    if (options->named_families == 0)
        return show_inet(netstat);
    for (uint32_t i = 0; i < options->named_families && status == 0; i++)
        if (options->named[i] == NETSTAT_INET)
            status = show_inet(netstat);
        else if (options->named[i] == NETSTAT_INET6)
            status = show_inet6(netstat);
        else
            status = show_other(netstat, options->named[i]);
    return status;
}
