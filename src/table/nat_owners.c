/* SPDX-License-Identifier: MIT */
/* Who has the ends of a tracked connection, and what that tells of sockets. */
#include "derive/address.h"
#include "derive/join.h"
#include "table/cells.h"
#include "table/nat_cells.h"
#include "table/socket_text.h"

static const struct nat_entry *get_joined(const struct view *view, uint32_t row)
{
    return &view->join->nat.entries[row];
}

static bool is_found(const struct nat_entry *entry, enum nat_role role)
{
    return entry->ends[role].reason == NAT_FOUND;
}

/* The socket of the client, else of the server; NAT_NONE. */
static uint32_t main_socket(const struct view *view, uint32_t row)
{
    const struct nat_entry *entry = get_joined(view, row);

    return entry->ends[is_found(entry, NAT_CLIENT) ? NAT_CLIENT : NAT_SERVER].socket;
}

/* --- processes --- */

static const struct holder *main_holder(const struct view *view, uint32_t row)
{
    uint32_t socket = main_socket(view, row);

    return socket != NAT_NONE && view->join->sockets[socket].holder_count
               ? join_holder(view->snapshot, view->join, socket, 0)
               : NULL;
}

#define OWNER_COLUMN(name, fact)                                                                   \
    struct value nat_##name(const struct view *view, uint32_t row)                                 \
    {                                                                                              \
        const struct holder *holder = main_holder(view, row);                                      \
        return holder ? process_##fact(view, holder->process) : value_none();                      \
    }

OWNER_COLUMN(pid, pid)
OWNER_COLUMN(process, comm)
OWNER_COLUMN(unit, unit)
OWNER_COLUMN(container, container)

struct value nat_owners(const struct view *view, uint32_t row)
{
    const struct nat_entry *entry = get_joined(view, row);

    if (!view->snapshot->owners_known)
        return value_none();
    return (struct value){.type = VALUE_LIST,
                          .list = {&table_nat_owners, entry->first_holder, entry->holder_count}};
}

/* Why neither end is a socket of this machine, into scratch. */
static void put_reason(const struct view *view, uint32_t row)
{
    const struct nat_end *ends = get_joined(view, row)->ends;

    for (uint32_t role = 0; role < NAT_ROLE_MAX; role++)
        if (ends[role].reason == NAT_AMBIGUOUS) {
            buf_uint(view->scratch, ends[role].candidates);
            buf_puts(view->scratch, " candidates");
            return;
        }
    buf_puts(view->scratch,
             ends[NAT_CLIENT].reason == NAT_ELSEWHERE && ends[NAT_SERVER].reason == NAT_ELSEWHERE
                 ? "forwarded"
                 : "no socket");
}

struct value nat_owner_note(const struct view *view, uint32_t row)
{
    uint32_t socket = main_socket(view, row);

    if (socket != NAT_NONE)
        return socket_owner_note(view, socket);
    buf_reset(view->scratch);
    put_reason(view, row);
    return cell_scratch(view, 0);
}

/* "curl(12) fd 5 > nginx(34) fd 7": who asks whom. */
struct value nat_owner(const struct view *view, uint32_t row)
{
    const struct nat_entry *entry = get_joined(view, row);
    struct buf *text = view->scratch;

    buf_reset(text);
    for (uint32_t role = 0; role < NAT_ROLE_MAX; role++) {
        size_t start = text->length;

        if (!is_found(entry, role))
            continue;
        if (start)
            buf_puts(text, " > ");
        if (!socket_put_owner(view, text, entry->ends[role].socket))
            text->length = start;
    }
    if (!is_found(entry, NAT_CLIENT) && !is_found(entry, NAT_SERVER)) {
        buf_byte(text, '(');
        put_reason(view, row);
        buf_byte(text, ')');
    }
    return text->length ? cell_scratch(view, 0) : value_none();
}

struct value nat_socket_netns(const struct view *view, uint32_t row)
{
    uint32_t socket = main_socket(view, row);

    return socket == NAT_NONE ? value_none()
                              : netns_label(view, view->snapshot->sockets[socket].netns);
}

struct value nat_cookie(const struct view *view, uint32_t row)
{
    uint32_t socket = main_socket(view, row);
    const struct socket *found = socket == NAT_NONE ? NULL : &view->snapshot->sockets[socket];

    return cell_number(found && found->has & SOCKET_HAS_COOKIE, found ? found->cookie : 0);
}

/* --- idle connections --- */

struct value nat_idle(const struct view *view, uint32_t row)
{
    uint64_t ms = 0;
    bool known = nat_idle_ms(view->snapshot, main_socket(view, row), &ms);

    return cell_number(known, ms / 1000);
}

static bool forgets(const struct view *view, uint32_t row)
{
    return nat_will_forget(view->snapshot, &view->snapshot->conntracks[row],
                           main_socket(view, row));
}

struct value nat_forgets(const struct view *view, uint32_t row)
{
    return value_bool(forgets(view, row));
}

struct value nat_note(const struct view *view, uint32_t row)
{
    struct buf *text = view->scratch;
    uint64_t idle_ms = 0;

    if (!forgets(view, row) || !nat_idle_ms(view->snapshot, main_socket(view, row), &idle_ms))
        return value_none();
    buf_reset(text);
    buf_puts(text, "forgotten in ");
    units_write_duration(text, (uint64_t)view->snapshot->conntracks[row].timeout_s * 1000000);
    buf_puts(text, ", idle for ");
    units_write_duration(text, idle_ms * 1000);
    return cell_scratch(view, 0);
}

/* --- of sockets --- */

/* What is known of a socket by its entry, or NULL. */
static const struct nat_socket *tracked(const struct view *view, uint32_t socket)
{
    const struct nat_socket *sockets = view->join->nat.sockets;

    return sockets && sockets[socket].entry != NAT_NONE ? &sockets[socket] : NULL;
}

static const struct conntrack *entry_of(const struct view *view, const struct nat_socket *of)
{
    return &view->snapshot->conntracks[of->entry];
}

struct value socket_nat_peer_addr(const struct view *view, uint32_t row)
{
    const struct nat_socket *of = tracked(view, row);
    const struct conntrack *entry = of ? entry_of(view, of) : NULL;

    if (!entry || !address_is_inet(entry->family))
        return value_none();
    return (struct value){
        .type = VALUE_ADDRESS,
        .address = {nat_sight(entry, of->role).nat_peer.address->bytes, entry->family}};
}

struct value socket_nat_peer_port(const struct view *view, uint32_t row)
{
    const struct nat_socket *of = tracked(view, row);

    return of ? value_uint(nat_sight(entry_of(view, of), of->role).nat_peer.port) : value_none();
}

/* Of what has a peer, where the table of its namespace could be read. */
struct value socket_tracked(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    if (tracked(view, row))
        return value_bool(true);
    if (!socket->peer_port || !address_is_inet(socket->family) ||
        !(view->snapshot->netns[socket->netns].flags & NETNS_HAS_CONNTRACK))
        return value_none();
    return value_bool(false);
}

struct value socket_tracked_left(const struct view *view, uint32_t row)
{
    const struct nat_socket *of = tracked(view, row);
    const struct conntrack *entry = of ? entry_of(view, of) : NULL;

    return cell_number(entry && entry->has & CONNTRACK_HAS_TIMEOUT, entry ? entry->timeout_s : 0);
}

/* --- the rows of the lists --- */

static const struct nat_holder *get_row(const struct view *view, uint32_t row)
{
    return &view->join->nat.holders[row];
}

static struct value get_role(const struct view *view, uint32_t row)
{
    return value_name(get_row(view, row)->role == NAT_CLIENT ? "client" : "server");
}

#define PROCESS_COLUMN(name)                                                                       \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return process_##name(view, view_holder(view, get_row(view, row)->order)->process);        \
    }

PROCESS_COLUMN(pid)
PROCESS_COLUMN(comm)
PROCESS_COLUMN(user)
PROCESS_COLUMN(exe)
PROCESS_COLUMN(cmdline)
PROCESS_COLUMN(unit)
PROCESS_COLUMN(container)

static struct value get_fd(const struct view *view, uint32_t row)
{
    return holder_fd(view, get_row(view, row)->order);
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

static const struct column columns[] = {
    {"role", "ROLE", "client or server: which end it has", KIND_NAME, SHOWN, 0, get_role},
    {"pid", "PID", "Process id", KIND_ID, SHOWN | COLUMN_KEY, 0, get_pid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, SHOWN, 0, get_comm},
    {"fd", "FD", "Descriptor", KIND_ID, SHOWN | COLUMN_KEY, 0, get_fd},
    {"user", "USER", "User of the process", KIND_TEXT, COLUMN_MACHINE, NEED_USER, get_user},
    {"exe", "EXE", "Program file", KIND_TEXT, 0, NEED_EXE, get_exe},
    {"cmdline", "CMDLINE", "Command line", KIND_TEXT, 0, NEED_CMDLINE, get_cmdline},
    {"unit", "UNIT", "systemd unit", KIND_TEXT, 0, NEED_CGROUP, get_unit},
    {"container", "CONTAINER", "Container", KIND_TEXT, 0, NEED_CGROUP, get_container},
};

static uint32_t row_count(const struct view *view)
{
    return view->join->nat.holder_count;
}

const struct table table_nat_owners = {
    .name = "nat_owners",
    .help = "Holders of a tracked connection's sockets: the elements of the owners column of nat",
    .needs = NEED_CONNTRACK | NEED_SOCKETS | NEED_OWNERS | NEED_ADDRESSES,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = row_count,
};
