/* SPDX-License-Identifier: MIT */
/* The table of multicast groups: one row a group of an interface, in the order of the kernel. */
#include "base/buf.h"
#include "base/hash.h"
#include "table/cells.h"

#include <sys/socket.h>

static const struct membership *get_membership(const struct view *view, uint32_t row)
{
    return &view->snapshot->memberships[row];
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_membership(view, row)->netns);
}

static struct value get_iface(const struct view *view, uint32_t row)
{
    return cell_string(view, get_membership(view, row)->iface);
}

static struct value get_ifindex(const struct view *view, uint32_t row)
{
    return value_uint(get_membership(view, row)->ifindex);
}

static struct value get_family(const struct view *view, uint32_t row)
{
    return value_name(socket_family_name(get_membership(view, row)->family));
}

static struct value get_group(const struct view *view, uint32_t row)
{
    const struct membership *membership = get_membership(view, row);

    if (membership->family != AF_INET && membership->family != AF_INET6)
        return value_none();
    return (struct value){.type = VALUE_ADDRESS,
                          .address = {membership->group.bytes, (uint8_t)membership->family}};
}

static struct value get_address(const struct view *view, uint32_t row)
{
    const struct membership *membership = get_membership(view, row);

    buf_reset(view->scratch);
    if (membership->family != AF_PACKET) {
        buf_address(view->scratch, membership->family, membership->group.bytes);
        return cell_scratch(view, 0);
    }
    for (unsigned int i = 0; i < membership->length && i < sizeof(membership->group); i++)
        buf_printf(view->scratch, i ? ":%02x" : "%02x", membership->group.bytes[i]);
    return cell_scratch(view, 0);
}

static struct value get_users(const struct view *view, uint32_t row)
{
    return value_uint(get_membership(view, row)->users);
}

static struct value get_static(const struct view *view, uint32_t row)
{
    const struct membership *membership = get_membership(view, row);

    return cell_number(membership->family == AF_PACKET, membership->global);
}

static struct value get_timer(const struct view *view, uint32_t row)
{
    const struct membership *membership = get_membership(view, row);

    return cell_number(membership->has & MEMBERSHIP_HAS_TIMER, membership->timer_ms);
}

static struct value get_querier(const struct view *view, uint32_t row)
{
    return cell_string(view, get_membership(view, row)->querier);
}

/* --- who joined --- */

/* The members of a membership stand together, in its order. */
static uint32_t find_members(const struct snapshot *snapshot, uint32_t row, uint32_t *ret_count)
{
    uint32_t low = 0, high = snapshot->group_members_count, first;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (snapshot->group_members[middle].membership < row)
            low = middle + 1;
        else
            high = middle;
    }
    first = low;
    while (low < snapshot->group_members_count && snapshot->group_members[low].membership == row)
        low++;
    *ret_count = low - first;
    return first;
}

static struct value get_owners(const struct view *view, uint32_t row)
{
    struct value value = {.type = VALUE_LIST, .list = {.table = &table_members}};

    value.list.first = find_members(view->snapshot, row, &value.list.count);
    return value.list.count || get_membership(view, row)->has & MEMBERSHIP_HAS_MEMBERS
               ? value
               : value_none();
}

/* What is known of those that joined and are no sockets that we see. */
static struct value get_owner_note(const struct view *view, uint32_t row)
{
    const struct membership *membership = get_membership(view, row);
    uint32_t members = 0;

    if (membership->family == AF_PACKET)
        return value_name("link layer: for the groups of addresses, or a packet socket");
    find_members(view->snapshot, row, &members);
    if (members)
        return value_none();
    if (membership_is_of_kernel(membership))
        return value_name("kernel");
    if (!(membership->has & MEMBERSHIP_HAS_MEMBERS))
        return value_name("not known: some processes do not let their sockets be asked");
    return value_name("kernel, or a process that is not visible here");
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

static const struct column columns[] = {
    {"iface", "IFACE", "Interface that listens to the group", KIND_TEXT, SHOWN | COLUMN_KEY, 0,
     get_iface},
    {"family", "FAMILY", "inet, inet6, or packet: an address of the link layer", KIND_NAME, SHOWN,
     0, get_family},
    {"address", "GROUP", "Address of the group, also of the link layer", KIND_TEXT,
     SHOWN | COLUMN_KEY, 0, get_address},
    {"group", "GROUP", "The same, only of IPv4 and IPv6", KIND_ADDRESS, 0, 0, get_group},
    {"users", "USERS", "How often it was joined, by sockets and by the kernel itself", KIND_COUNT,
     SHOWN, 0, get_users},
    {"owners", "JOINED-BY", "Processes whose sockets joined", KIND_LIST, SHOWN,
     NEED_SOCKETS | NEED_OWNERS | NEED_MEMBERS | NEED_USER, get_owners},
    {"owner_note", "NOTE", "Why there is no such process", KIND_TEXT, SHOWN,
     NEED_SOCKETS | NEED_OWNERS | NEED_MEMBERS, get_owner_note},
    {"timer_ms", "TIMER", "Time until it is reported to the routers", KIND_MILLISECONDS,
     COLUMN_MACHINE, 0, get_timer},
    {"querier", "IGMP", "Version of IGMP that is spoken there: V1, V2, V3", KIND_NAME,
     COLUMN_MACHINE, 0, get_querier},
    {"static", "STATIC", "Link layer: joined by hand (ip maddress add)", KIND_COUNT, COLUMN_MACHINE,
     0, get_static},
    {"ifindex", "INDEX", "Number of the interface in its namespace", KIND_ID, COLUMN_MACHINE, 0,
     get_ifindex},
    {"netns", "NETNS", "Network namespace", KIND_TEXT, COLUMN_MACHINE | COLUMN_KEY, 0, get_netns},
};

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->memberships_count;
}

static uint64_t row_identity(const struct view *view, uint32_t row)
{
    const struct membership *membership = get_membership(view, row);
    uint64_t hash = hash_number(HASH_INIT, view->snapshot->netns[membership->netns].inode);

    hash = hash_number(hash, membership->ifindex);
    hash = hash_number(hash, membership->family);
    hash = hash_bytes(hash, membership->group.bytes, sizeof(membership->group.bytes));
    return hash ? hash : 1;
}

static const char *const words[] = {"iface", "address", NULL};

const struct table table_groups = {
    .name = "groups",
    .help = "Multicast groups, and who joined them",
    .needs = NEED_MEMBERSHIPS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "an interface or the address of a group",
    .addresses = {"group", "group"},
    .owners = &table_members,
    .row_count = row_count,
    .identity = row_identity,
};

/* --- the rows of the lists --- */

static const struct group_member *get_member(const struct view *view, uint32_t row)
{
    return &view->snapshot->group_members[row];
}

#define PROCESS_COLUMN(name)                                                                       \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return process_##name(view, get_member(view, row)->process);                               \
    }

PROCESS_COLUMN(pid)
PROCESS_COLUMN(comm)
PROCESS_COLUMN(user)
PROCESS_COLUMN(unit)
PROCESS_COLUMN(container)

static struct value get_fd(const struct view *view, uint32_t row)
{
    return value_uint((uint64_t)get_member(view, row)->fd);
}

static struct value get_inode(const struct view *view, uint32_t row)
{
    return value_uint(get_member(view, row)->inode);
}

static const struct column member_columns[] = {
    {"pid", "PID", "Process id", KIND_ID, SHOWN | COLUMN_KEY, 0, get_pid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, SHOWN, 0, get_comm},
    {"fd", "FD", "Descriptor of the socket", KIND_ID, SHOWN | COLUMN_KEY, 0, get_fd},
    {"inode", "INODE", "Inode of the socket", KIND_ID, COLUMN_MACHINE, 0, get_inode},
    {"user", "USER", "User of the process", KIND_TEXT, COLUMN_MACHINE, NEED_USER, get_user},
    {"unit", "UNIT", "systemd unit", KIND_TEXT, 0, NEED_CGROUP, get_unit},
    {"container", "CONTAINER", "Container", KIND_TEXT, 0, NEED_CGROUP, get_container},
};

static uint32_t member_count(const struct view *view)
{
    return view->snapshot->group_members_count;
}

const struct table table_members = {
    .name = "members",
    .help = "Members of a multicast group: the elements of the owners column of groups",
    .needs = NEED_MEMBERSHIPS | NEED_SOCKETS | NEED_OWNERS | NEED_MEMBERS,
    .columns = member_columns,
    .column_count = ARRAY_SIZE(member_columns),
    .row_count = member_count,
};
