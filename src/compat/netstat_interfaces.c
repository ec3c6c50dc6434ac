/* SPDX-License-Identifier: MIT */
/* netstat -i: interfaces. */
#include "compat/netstat_interfaces.h"

#include <net/if.h>
#include <string.h>

static const char *const column_names[LINK_MAX] = {
    [LINK_IFACE] = "iface",
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
    [LINK_IFINDEX] = "ifindex",
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

static void copy_name(const struct grid *grid, uint32_t row, char name[IFNAMSIZ])
{
    struct value value = grid_cell(grid, row, LINK_IFACE);
    size_t length = value.type == VALUE_STRING ? value.string.length : 0;

    if (length >= IFNAMSIZ)
        length = IFNAMSIZ - 1;
    if (length)
        memcpy(name, value.string.bytes, length);
    name[length] = '\0';
}

/* Each behind the last one that is less: the order is also that of the real tool where the
 * comparison is none. */
static void sort_rows(const struct grid *grid, uint32_t *rows)
{
    for (uint32_t count = 0; count < grid->row_count; count++) {
        uint32_t at = count;
        char name[IFNAMSIZ], other[IFNAMSIZ];

        copy_name(grid, count, name);
        for (; at > 0; at--) {
            copy_name(grid, rows[at - 1], other);
            if (netstat_compare_names(name, other) > 0)
                break;
            rows[at] = rows[at - 1];
        }
        rows[at] = count;
    }
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

static void put_row(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    static const uint8_t widths[] = {
        [LINK_RX_PACKETS] = 8, [LINK_RX_ERRORS] = 6,  [LINK_RX_DROPPED] = 6, [LINK_TX_PACKETS] = 8,
        [LINK_TX_ERRORS] = 6,  [LINK_TX_DROPPED] = 6, [LINK_TX_OVERRUNS] = 6};
    struct buf *out = &netstat->out;
    char name[IFNAMSIZ];

    copy_name(grid, row, name);
    netstat_escaped(netstat, name, strlen(name), 15);
    buf_byte(out, ' ');
    netstat_number(out, netstat_cell_uint(grid, row, LINK_MTU), 5);
    buf_byte(out, ' ');
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
    put_flags(out, netstat_cell_uint(grid, row, LINK_FLAGS));
    buf_byte(out, '\n');
}

static void put_short(struct netstat *netstat, const struct grid *grid, const uint32_t *rows,
                      uint32_t count)
{
    buf_puts(&netstat->out, "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR ");
    buf_puts(&netstat->out, "   TX-OK TX-ERR TX-DRP TX-OVR Flg\n");
    for (uint32_t i = 0; i < count; i++)
        put_row(netstat, grid, rows[i]);
}

static void put_long(struct netstat *netstat, const struct grid *grid, const uint32_t *rows,
                     uint32_t count)
{
    struct query query;
    struct grid addresses;
    char name[IFNAMSIZ];
    int r = netstat_interface_addresses(grid->view, &query, &addresses);

    if (r < 0) {
        netstat->out.error = r; /* sticks: the output is not whole */
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        copy_name(grid, rows[i], name);
        netstat_interface_details(netstat, grid, rows[i], &addresses, name);
    }
    grid_done(&addresses);
}

static void put_interfaces(struct netstat *netstat, const struct grid *grid)
{
    CLEANUP_FREE uint32_t *rows = calloc(grid->row_count + 1u, sizeof(*rows));
    uint32_t count = 0;

    buf_puts(&netstat->out, "Kernel Interface table\n");
    if (!rows) {
        netstat->out.error = -ENOMEM;
        return;
    }
    sort_rows(grid, rows);
    for (uint32_t i = 0; i < grid->row_count; i++)
        if (netstat->options.all || netstat_cell_uint(grid, rows[i], LINK_FLAGS) & IFF_UP)
            rows[count++] = rows[i];
    if (netstat->options.extend)
        put_long(netstat, grid, rows, count);
    else
        put_short(netstat, grid, rows, count);
}

int netstat_interfaces(struct netstat *netstat)
{
    struct query query = {.table = &table_interfaces, .as_found = true};
    bool whole = netstat->options.extend > 0;

    netstat->more_needs = whole ? NEED_ADDRESSES : 0;
    return netstat_table(netstat, &query, column_names, whole ? LINK_MAX : LINK_SHORT_MAX,
                         put_interfaces);
}
