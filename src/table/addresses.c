/* SPDX-License-Identifier: MIT */
/* The table of addresses: one row an address of an interface. */
#include "table/cells.h"

#include <sys/socket.h>

static const struct link_address *get_link_address(const struct view *view, uint32_t row)
{
    return &view->snapshot->link_addresses[row];
}

static struct value get_iface(const struct view *view, uint32_t row)
{
    const struct link_address *address = get_link_address(view, row);
    const struct interface *interface =
        snapshot_interface(view->snapshot, address->netns, address->ifindex);

    return interface ? cell_string(view, interface->name) : value_none();
}

static struct value get_ifindex(const struct view *view, uint32_t row)
{
    return value_uint(get_link_address(view, row)->ifindex);
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_link_address(view, row)->netns);
}

static struct value get_family(const struct view *view, uint32_t row)
{
    return value_name(socket_family_name(get_link_address(view, row)->family));
}

static struct value address_value(const struct link_address *of, const union address *address)
{
    return (struct value){.type = VALUE_ADDRESS, .address = {address->bytes, (uint8_t)of->family}};
}

static struct value get_address(const struct view *view, uint32_t row)
{
    const struct link_address *address = get_link_address(view, row);

    return address_value(address, &address->address);
}

static struct value get_broadcast(const struct view *view, uint32_t row)
{
    const struct link_address *address = get_link_address(view, row);

    return address->broadcast.words[0] ? address_value(address, &address->broadcast) : value_none();
}

static struct value get_peer(const struct view *view, uint32_t row)
{
    const struct link_address *address = get_link_address(view, row);

    return address_value(address, &address->peer);
}

static struct value get_prefix(const struct view *view, uint32_t row)
{
    return value_uint(get_link_address(view, row)->prefix);
}

static struct value get_label(const struct view *view, uint32_t row)
{
    return cell_string(view, get_link_address(view, row)->label);
}

static struct value get_scope_bits(const struct view *view, uint32_t row)
{
    return value_uint(get_link_address(view, row)->scope);
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define MACHINE COLUMN_MACHINE

static const struct column columns[] = {
    {"iface", "IFACE", "Interface that has it", KIND_TEXT, SHOWN | COLUMN_KEY, NEED_LINKS,
     get_iface},
    {"family", "FAMILY", "inet, inet6", KIND_NAME, SHOWN, 0, get_family},
    {"address", "ADDRESS", "The address", KIND_ADDRESS, SHOWN | COLUMN_KEY, 0, get_address},
    {"prefix", "PREFIX", "Number of its bits that are those of the network", KIND_COUNT, SHOWN, 0,
     get_prefix},
    {"broadcast", "BROADCAST", "Broadcast address of the network (IPv4)", KIND_ADDRESS, SHOWN, 0,
     get_broadcast},
    {"peer", "PEER", "Other end of a point-to-point link; else the address itself", KIND_ADDRESS,
     MACHINE, 0, get_peer},
    {"label", "LABEL", "Name of the interface, or of its alias (IPv4)", KIND_TEXT, MACHINE, 0,
     get_label},
    {"scope_bits", "SCOPE", "Scope, as the number that the kernel has for it", KIND_HEX, 0, 0,
     get_scope_bits},
    {"ifindex", "INDEX", "Number of the interface in its namespace", KIND_ID, MACHINE, 0,
     get_ifindex},
    {"netns", "NETNS", "Network namespace", KIND_TEXT, MACHINE | COLUMN_KEY, 0, get_netns},
};

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->link_addresses_count;
}

const struct table table_addresses = {
    .name = "addresses",
    .help = "Addresses of the interfaces",
    .needs = NEED_ADDRESSES,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = row_count,
};
