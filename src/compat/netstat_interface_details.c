/* SPDX-License-Identifier: MIT */
/* netstat -ie: one paragraph an interface. */
#include "compat/netstat_interfaces.h"

#include "base/format.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *const address_names[ADDRESS_MAX] = {
    [ADDRESS_IFINDEX] = "ifindex",     [ADDRESS_ADDRESS] = "address", [ADDRESS_PREFIX] = "prefix",
    [ADDRESS_BROADCAST] = "broadcast", [ADDRESS_PEER] = "peer",       [ADDRESS_LABEL] = "label",
    [ADDRESS_SCOPE] = "scope_bits",
};

static void put_heading(struct netstat *netstat, const char *name, uint64_t flags, uint64_t mtu)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {
        {IFF_UP, "UP"},
        {IFF_BROADCAST, "BROADCAST"},
        {IFF_DEBUG, "DEBUG"},
        {IFF_LOOPBACK, "LOOPBACK"},
        {IFF_POINTOPOINT, "POINTOPOINT"},
        {IFF_NOTRAILERS, "NOTRAILERS"},
        {IFF_RUNNING, "RUNNING"},
        {IFF_NOARP, "NOARP"},
        {IFF_PROMISC, "PROMISC"},
        {IFF_ALLMULTI, "ALLMULTI"},
        {IFF_SLAVE, "SLAVE"},
        {IFF_MASTER, "MASTER"},
        {IFF_MULTICAST, "MULTICAST"},
        {IFF_DYNAMIC, "DYNAMIC"},
    };
    struct buf *out = &netstat->out;
    const char *comma = "";

    netstat_escaped(netstat, name, strlen(name), 0);
    buf_printf(out, ": flags=%d<", (int16_t)flags); /* ifreq has a short in its place */
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (flags & words[i].bit) {
            buf_puts(out, comma);
            buf_puts(out, words[i].word);
            comma = ",";
        }
    buf_printf(out, ">  mtu %u\n", (unsigned int)mtu);
}

static void put_dotted(struct buf *out, const char *title, const struct value *address)
{
    static const uint8_t none[4];

    buf_puts(out, title);
    buf_address(out, AF_INET, address->type == VALUE_ADDRESS ? address->address.bytes : none);
}

static void put_inet(struct netstat *netstat, const struct grid *grid, uint32_t row, uint64_t flags)
{
    struct value address = grid_cell(grid, row, ADDRESS_ADDRESS);
    uint64_t prefix = netstat_cell_uint(grid, row, ADDRESS_PREFIX);
    uint32_t mask = htonl(prefix ? UINT32_MAX << (32 - prefix) : 0);
    struct buf *out = &netstat->out;

    put_dotted(out, "        inet ", &address);
    buf_puts(out, "  netmask ");
    buf_address(out, AF_INET, (const uint8_t *)&mask);
    if (flags & IFF_BROADCAST) {
        address = grid_cell(grid, row, ADDRESS_BROADCAST);
        put_dotted(out, "  broadcast ", &address);
    }
    if (flags & IFF_POINTOPOINT) {
        address = grid_cell(grid, row, ADDRESS_PEER);
        put_dotted(out, "  destination ", &address);
    }
    buf_byte(out, '\n');
}

/* The kernel's IPV6_ADDR_* bits: 0x10 host, 0x20 link, 0x40 site, 0x80 IPv4-compatible. */
static void put_inet6(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    struct value address = grid_cell(grid, row, ADDRESS_ADDRESS);
    uint64_t scope = netstat_cell_uint(grid, row, ADDRESS_SCOPE);
    const char *word = "";
    char text[INET6_ADDRSTRLEN];

    if (!inet_ntop(AF_INET6, address.address.bytes, text, sizeof(text)))
        return;
    switch (scope & 0x70) {
    case 0:
        word = "global";
        break;
    case 0x10:
        word = "host";
        break;
    case 0x20:
        word = "link";
        break;
    case 0x40:
        word = "site";
        break;
    default:
        break;
    }
    buf_printf(&netstat->out, "        inet6 %s  prefixlen %u  scopeid 0x%x<%s%s>\n", text,
               (unsigned int)netstat_cell_uint(grid, row, ADDRESS_PREFIX), (unsigned int)scope,
               scope & 0x80 ? "compat," : "", word);
}

static bool has_label(const struct grid *grid, uint32_t row, const char *name)
{
    struct value label = grid_cell(grid, row, ADDRESS_LABEL);

    return label.type == VALUE_STRING && label.string.length == strlen(name) &&
           memcmp(label.string.bytes, name, label.string.length) == 0;
}

/* Of IPv4 the first address of this name; of IPv6, where there are no aliases, all. */
static void put_addresses(struct netstat *netstat, const struct grid *grid,
                          const struct netstat_interface *entry, uint64_t ifindex, uint64_t flags)
{
    bool inet_done = false;

    for (uint32_t row = 0; row < grid->row_count; row++) {
        struct value address = grid_cell(grid, row, ADDRESS_ADDRESS);

        if (netstat_cell_uint(grid, row, ADDRESS_IFINDEX) != ifindex)
            continue;
        if (address.address.family == AF_INET6) {
            if (!entry->is_alias)
                put_inet6(netstat, grid, row);
        } else if (!inet_done && has_label(grid, row, entry->name)) {
            put_inet(netstat, grid, row, flags);
            inet_done = true;
        }
    }
}

static void put_hardware(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    static const struct {
        unsigned int type;
        const char *name, *title;
    } types[] = {
        {ARPHRD_ETHER, "ether", "Ethernet"},
        {ARPHRD_LOOPBACK, "loop", "Local Loopback"},
        {ARPHRD_PPP, "ppp", "Point-to-Point Protocol"},
        {ARPHRD_TUNNEL, "tunnel", "IPIP Tunnel"},
        {ARPHRD_SIT, "sit", "IPv6-in-IPv4"},
    };
    struct value address = grid_cell(grid, row, LINK_ADDRESS);
    uint64_t type = netstat_cell_uint(grid, row, LINK_TYPE);
    const char *title = "UNSPEC";
    struct buf *out = &netstat->out;
    size_t i = 0;

    while (i < ARRAY_SIZE(types) && types[i].type != type)
        i++;
    buf_puts(out, "        ");
    if (i < ARRAY_SIZE(types)) {
        buf_puts(out, types[i].name);
        title = types[i].title;
    } else {
        buf_puts(out, "unspec 00-00-00-00-00-00-00-00-00-00-00-00-00-00-00-00");
    }
    if (type == ARPHRD_ETHER && address.type == VALUE_STRING) {
        buf_byte(out, ' ');
        buf_put(out, address.string.bytes, address.string.length);
    } else if (type == ARPHRD_ETHER) {
        buf_puts(out, " 00:00:00:00:00:00");
    }
    buf_printf(out, "  txqueuelen %u  (%s)\n",
               (unsigned int)netstat_cell_uint(grid, row, LINK_QUEUE_LENGTH), title);
}

/* "12153  bytes 452756825 (431.7 MiB)": cut, not rounded. */
static void put_traffic(struct buf *out, const char *title, uint64_t packets, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned int unit = 0;
    uint64_t tenths;

    while (unit + 1 < ARRAY_SIZE(units) && bytes > UINT64_C(1) << (10 * (unit + 1)))
        unit++;
    tenths = (bytes >> (10 * unit)) * 10 +
             (unit ? ((bytes & ((UINT64_C(1) << (10 * unit)) - 1)) >> (10 * (unit - 1))) * 10 / 1024
                   : 0);
    buf_printf(out, "        %s packets %llu  bytes %llu (%llu.%llu %s)\n", title,
               (unsigned long long)packets, (unsigned long long)bytes,
               (unsigned long long)tenths / 10, (unsigned long long)tenths % 10, units[unit]);
}

static unsigned long long sum(const struct grid *grid, uint32_t row, uint32_t first, uint32_t last)
{
    unsigned long long total = 0;

    for (uint32_t column = first; column <= last; column++)
        total += netstat_cell_uint(grid, row, column);
    return total;
}

static void put_counters(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    struct buf *out = &netstat->out;

    put_traffic(out, "RX", netstat_cell_uint(grid, row, LINK_RX_PACKETS),
                netstat_cell_uint(grid, row, LINK_RX_BYTES));
    buf_printf(out, "        RX errors %llu  dropped %llu  overruns %llu  frame %llu\n",
               sum(grid, row, LINK_RX_ERRORS, LINK_RX_ERRORS),
               sum(grid, row, LINK_RX_DROPPED, LINK_RX_MISSED),
               sum(grid, row, LINK_RX_OVERRUNS, LINK_RX_OVERRUNS),
               sum(grid, row, LINK_RX_LENGTH, LINK_RX_FRAME));
    put_traffic(out, "TX", netstat_cell_uint(grid, row, LINK_TX_PACKETS),
                netstat_cell_uint(grid, row, LINK_TX_BYTES));
    buf_printf(out, "        TX errors %llu  dropped %llu overruns %llu  carrier %llu  ",
               sum(grid, row, LINK_TX_ERRORS, LINK_TX_ERRORS),
               sum(grid, row, LINK_TX_DROPPED, LINK_TX_DROPPED),
               sum(grid, row, LINK_TX_OVERRUNS, LINK_TX_OVERRUNS),
               sum(grid, row, LINK_TX_ABORTED, LINK_TX_WINDOW));
    buf_printf(out, "collisions %llu\n", sum(grid, row, LINK_COLLISIONS, LINK_COLLISIONS));
}

int netstat_interface_addresses(const struct view *view, struct query *query,
                                struct grid *ret_addresses)
{
    *query = (struct query){.table = &table_addresses, .as_found = true};
    query->column_count = ADDRESS_MAX;
    for (uint32_t i = 0; i < ADDRESS_MAX; i++)
        query->columns[i] = table_column(query->table, address_names[i]);
    return query_run(query, view, ret_addresses);
}

void netstat_interface_details(struct netstat *netstat, const struct grid *links,
                               const struct grid *addresses, const struct netstat_interface *entry)
{
    uint64_t flags = netstat_cell_uint(links, entry->row, LINK_FLAGS);

    put_heading(netstat, entry->name, flags, netstat_cell_uint(links, entry->row, LINK_MTU));
    put_addresses(netstat, addresses, entry, netstat_cell_uint(links, entry->row, LINK_IFINDEX),
                  flags);
    put_hardware(netstat, links, entry->row);
    if (!entry->is_alias)
        put_counters(netstat, links, entry->row);
    buf_byte(&netstat->out, '\n');
}
