/* SPDX-License-Identifier: MIT */
/* netstat -i: interfaces. */
#include "compat/netstat_interfaces.h"

#include "base/map.h"

#include <string.h>

static const char *const column_names[LINK_MAX] = {
    [LINK_IFACE] = "iface",
    [LINK_IFINDEX] = "ifindex",
    [LINK_FLAGS] = "flag_bits",
    [LINK_MTU] = "mtu",
    [LINK_RX_PACKETS] = "rx_packets",
    [LINK_RX_ERRORS] = "rx_errors",
    [LINK_RX_DROPPED] = "rx_dropped",
    [LINK_RX_MISSED] = "rx_missed",
    [LINK_RX_OVERRUNS] = "rx_overruns",
    [LINK_TX_PACKETS] = "tx_packets",
    [LINK_TX_ERRORS] = "tx_errors",
    [LINK_TX_DROPPED] = "tx_dropped",
    [LINK_TX_OVERRUNS] = "tx_overruns",
    [LINK_TYPE] = "link_type",
    [LINK_ADDRESS] = "address",
    [LINK_QUEUE_LENGTH] = "tx_queue_length",
    [LINK_RX_BYTES] = "rx_bytes",
    [LINK_TX_BYTES] = "tx_bytes",
    [LINK_RX_LENGTH] = "rx_length_errors",
    [LINK_RX_OVER] = "rx_over_errors",
    [LINK_RX_CRC] = "rx_crc_errors",
    [LINK_RX_FRAME] = "rx_frame_errors",
    [LINK_TX_ABORTED] = "tx_aborted_errors",
    [LINK_TX_CARRIER] = "tx_carrier_errors",
    [LINK_TX_HEARTBEAT] = "tx_heartbeat_errors",
    [LINK_TX_WINDOW] = "tx_window_errors",
    [LINK_COLLISIONS] = "collisions",
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/*
 * Names in their order, where numbers count by their value: eth9 comes before eth10, and a digit
 * before anything else. Of numbers that differ only in zeros each comes before the other.
 */
int netstat_compare_names(const char *a, const char *b)
{
    size_t at = 0;

    while (a[at] == b[at] && a[at])
        at++;
    if (a[at] == b[at])
        return 0;
    if (!is_digit(a[at]))
        return (signed char)a[at] - (signed char)b[at];
    if (!is_digit(b[at]))
        return -1;
    while (at > 0 && is_digit(a[at - 1]))
        at--;
    return strtoul(a + at, NULL, 10) > strtoul(b + at, NULL, 10) ? 1 : -1;
}

/* --- interfaces and their aliases --- */

/* What a list of entries is made from. Names are stored once, so that their places tell them apart.
 */
struct making {
    const struct grid *links, *addresses;
    struct netstat_interface *entries;
    uint32_t count;
    struct map rows;  /* number of an interface -> row of it */
    struct map names; /* place of a name that has an entry -> 1 */
};

static void making_done(struct making *making)
{
    map_done(&making->rows);
    map_done(&making->names);
}

static int add_entry(struct making *making, uint32_t row, const struct value *name, bool is_alias)
{
    uint64_t place = (uintptr_t)name->string.bytes;
    struct netstat_interface *entry = &making->entries[making->count];

    if (map_get(&making->names, place) != MAP_NONE || name->string.length >= sizeof(entry->name))
        return 0;
    entry->row = row;
    entry->is_alias = is_alias;
    memcpy(entry->name, name->string.bytes, name->string.length);
    entry->name[name->string.length] = '\0';
    making->count++;
    return map_set(&making->names, place, 1);
}

static int add_links(struct making *making)
{
    int r = 0;

    for (uint32_t row = 0; row < making->links->row_count && r == 0; row++) {
        struct value name = grid_cell(making->links, row, LINK_IFACE);

        if (name.type != VALUE_STRING)
            continue;
        r = map_set(&making->rows, netstat_cell_uint(making->links, row, LINK_IFINDEX), row);
        if (r == 0)
            r = add_entry(making, row, &name, false);
    }
    return r;
}

/* "eth0:1" of an address of eth0 names an alias. Other labels name nothing that ioctl() finds. */
static int add_aliases(struct making *making)
{
    int r = 0;

    for (uint32_t i = 0; i < making->addresses->row_count && r == 0; i++) {
        struct value label = grid_cell(making->addresses, i, ADDRESS_LABEL);
        uint32_t row =
            map_get(&making->rows, netstat_cell_uint(making->addresses, i, ADDRESS_IFINDEX));
        struct value iface;

        if (label.type != VALUE_STRING || row == MAP_NONE)
            continue;
        iface = grid_cell(making->links, row, LINK_IFACE);
        if (label.string.length > iface.string.length &&
            memcmp(label.string.bytes, iface.string.bytes, iface.string.length) == 0 &&
            label.string.bytes[iface.string.length] == ':')
            r = add_entry(making, row, &label, true);
    }
    return r;
}

/* Each behind the last one that is less: the order is also that of the real tool where the
 * comparison is none. */
static void sort_entries(struct netstat_interface *entries, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct netstat_interface entry = entries[i];
        uint32_t at = i;

        for (; at > 0 && netstat_compare_names(entry.name, entries[at - 1].name) <= 0; at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* One entry for each interface and each name of an alias. */
static int make_entries(const struct grid *links, const struct grid *addresses,
                        struct netstat_interface **ret_entries, uint32_t *ret_count)
{
    CLEANUP(making_done) struct making making = {.links = links, .addresses = addresses};
    int r;

    making.entries =
        calloc((size_t)links->row_count + addresses->row_count + 1, sizeof(*making.entries));
    if (!making.entries)
        return -ENOMEM;
    r = add_links(&making);
    if (r == 0)
        r = add_aliases(&making);
    if (r < 0) {
        free(making.entries);
        return r;
    }
    sort_entries(making.entries, making.count);
    *ret_entries = making.entries;
    *ret_count = making.count;
    return 0;
}

static void put_flags(struct buf *out, uint64_t flags)
{
    static const struct {
        uint32_t bit;
        char letter;
    } letters[] = {
        {IFF_ALLMULTI, 'A'},  {IFF_BROADCAST, 'B'},   {IFF_DEBUG, 'D'},   {IFF_LOOPBACK, 'L'},
        {IFF_MULTICAST, 'M'}, {IFF_DYNAMIC, 'd'},     {IFF_PROMISC, 'P'}, {IFF_NOTRAILERS, 'N'},
        {IFF_NOARP, 'O'},     {IFF_POINTOPOINT, 'P'}, {IFF_SLAVE, 's'},   {IFF_MASTER, 'm'},
        {IFF_RUNNING, 'R'},   {IFF_UP, 'U'},
    };

    if ((flags & UINT16_MAX) == 0)
        buf_puts(out, "[NO FLAGS]");
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (flags & letters[i].bit)
            buf_byte(out, letters[i].letter);
}

static void put_counters(struct buf *out, const struct grid *grid, uint32_t row)
{
    static const uint8_t widths[] = {
        [LINK_RX_PACKETS] = 8, [LINK_RX_ERRORS] = 6,  [LINK_RX_DROPPED] = 6, [LINK_TX_PACKETS] = 8,
        [LINK_TX_ERRORS] = 6,  [LINK_TX_DROPPED] = 6, [LINK_TX_OVERRUNS] = 6};

    for (uint32_t column = LINK_RX_PACKETS; column < LINK_SHORT_MAX; column++) {
        uint64_t number = netstat_cell_uint(grid, row, column);

        if (column == LINK_RX_MISSED)
            continue;
        if (column == LINK_RX_DROPPED) /* /proc/net/dev counts both in one */
            number += netstat_cell_uint(grid, row, LINK_RX_MISSED);
        if (column == LINK_RX_OVERRUNS)
            netstat_number_left(out, number, 6);
        else
            netstat_number(out, number, widths[column]);
        buf_byte(out, ' ');
    }
}

static void put_row(struct netstat *netstat, const struct grid *grid,
                    const struct netstat_interface *entry)
{
    struct buf *out = &netstat->out;

    netstat_escaped(netstat, entry->name, strlen(entry->name), 15);
    buf_byte(out, ' ');
    netstat_number(out, netstat_cell_uint(grid, entry->row, LINK_MTU), 5);
    buf_byte(out, ' ');
    if (entry->is_alias)
        buf_puts(out, "     - no statistics available -                        ");
    else
        put_counters(out, grid, entry->row);
    put_flags(out, netstat_cell_uint(grid, entry->row, LINK_FLAGS));
    buf_byte(out, '\n');
}

static int put_entries(struct netstat *netstat, const struct grid *links,
                       const struct grid *addresses)
{
    CLEANUP_FREE struct netstat_interface *entries = NULL;
    bool whole = netstat->options.extend > 0;
    uint32_t count = 0;
    int r = make_entries(links, addresses, &entries, &count);

    if (r == 0 && !whole) {
        buf_puts(&netstat->out, "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR ");
        buf_puts(&netstat->out, "   TX-OK TX-ERR TX-DRP TX-OVR Flg\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!netstat->options.all &&
            !(netstat_cell_uint(links, entries[i].row, LINK_FLAGS) & IFF_UP))
            continue;
        if (whole)
            netstat_interface_details(netstat, links, addresses, &entries[i]);
        else
            put_row(netstat, links, &entries[i]);
    }
    return r;
}

static int put_interfaces(struct netstat *netstat, const struct grid *grid)
{
    struct query query;
    struct grid addresses;
    int r;

    buf_puts(&netstat->out, "Kernel Interface table\n");
    r = netstat_interface_addresses(grid->view, &query, &addresses);
    if (r == 0) {
        r = put_entries(netstat, grid, &addresses);
        grid_done(&addresses);
    }
    if (r < 0)
        netstat->out.error = r; /* sticks: the output is not whole */
    return r < 0 ? NETSTAT_FAILED : 0;
}

int netstat_interfaces(struct netstat *netstat)
{
    struct query query = {.table = &table_interfaces, .as_found = true};

    netstat->more_needs = NEED_ADDRESSES; /* aliases are labels of addresses */
    return netstat_table(netstat, &query, column_names,
                         netstat->options.extend ? LINK_MAX : LINK_SHORT_MAX, put_interfaces);
}
