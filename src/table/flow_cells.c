/* SPDX-License-Identifier: MIT */
/* What is known of a flow: who, where, how much. */
#include "table/flow_cells.h"

#include "base/clock.h"
#include "base/rate.h"
#include "derive/address.h"
#include "derive/join.h"
#include "table/cells.h"

#include <sys/socket.h>

static const struct flow *get_flow(const struct view *view, uint32_t row)
{
    return &view->snapshot->flows[row];
}

/* --- who --- */

struct value flow_pid(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return cell_number(flow->pid, flow->pid);
}

struct value flow_tid(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return cell_number(flow->tid, flow->tid);
}

/* Those that have ended long ago are counted by name, without their pids. */
static bool has_process(const struct flow *flow)
{
    return flow->pid || flow->flags & FLOW_EXITED;
}

/* What is left of a process that ended before it was looked at is the name of its thread. */
struct value flow_process(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);
    struct value name = flow->process ? process_comm(view, flow->process - 1) : value_none();

    return name.type == VALUE_NONE && has_process(flow) ? cell_string(view, flow->comm) : name;
}

struct value flow_thread(const struct view *view, uint32_t row)
{
    return cell_string(view, get_flow(view, row)->comm);
}

struct value flow_uid(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return cell_number(has_process(flow), flow->uid);
}

struct value flow_user(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return cell_user(view, has_process(flow), flow->uid);
}

/* A string. A process that has ended may have left the number of its control group only. */
static uint32_t cgroup_of(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);
    uint32_t path = flow->process ? view->snapshot->processes[flow->process - 1].cgroup : 0;

    return path ? path : snapshot_process_cgroup(view->snapshot, flow->cgroup_id);
}

struct value flow_cgroup(const struct view *view, uint32_t row)
{
    return cell_string(view, cgroup_of(view, row));
}

struct value flow_unit(const struct view *view, uint32_t row)
{
    return cell_unit(view, cgroup_of(view, row));
}

struct value flow_container(const struct view *view, uint32_t row)
{
    return cell_container(view, cgroup_of(view, row));
}

struct value flow_exe(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return flow->process ? process_exe(view, flow->process - 1) : value_none();
}

struct value flow_cmdline(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return flow->process ? process_cmdline(view, flow->process - 1) : value_none();
}

/* --- where --- */

struct value flow_proto(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return flow->proto ? value_name(socket_proto_name(flow->proto)) : value_none();
}

struct value flow_family(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return flow->family ? value_name(socket_family_name(flow->family)) : value_none();
}

static struct value address_value(const struct flow *flow, const union address *address)
{
    if (!address_is_inet(flow->family))
        return value_none();
    return (struct value){.type = VALUE_ADDRESS, .address = {address->bytes, flow->family}};
}

struct value flow_local_addr(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return address_value(flow, &flow->local);
}

/* An unconnected socket has no other end. */
static bool has_peer(const struct flow *flow)
{
    return flow->peer_port || !address_is_any(flow->family, &flow->peer);
}

struct value flow_peer_addr(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return has_peer(flow) ? address_value(flow, &flow->peer) : value_none();
}

struct value flow_local_port(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return cell_number(flow->local_port, flow->local_port);
}

struct value flow_peer_port(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return cell_number(flow->peer_port, flow->peer_port);
}

struct value flow_service_port_cell(const struct view *view, uint32_t row)
{
    uint16_t port = flow_service_port(view->snapshot, &view->join->flows, get_flow(view, row));

    return cell_number(port, port);
}

static void put_address(const struct view *view, struct buf *text, const struct flow *flow,
                        const union address *address)
{
    struct value value = address_value(flow, address);
    const char *name = view->resolve ? view->resolve(view->resolve_context, &value) : NULL;

    if (address_is_any(flow->family, address))
        buf_byte(text, '*');
    else if (name)
        buf_puts(text, name);
    else
        buf_host(text, flow->family, address->bytes);
}

static struct value end_text(const struct view *view, const struct flow *flow,
                             const union address *address, uint16_t port)
{
    struct buf *text = view->scratch;

    if (!address_is_inet(flow->family))
        return value_none();
    buf_reset(text);
    put_address(view, text, flow, address);
    buf_byte(text, ':');
    if (port)
        buf_uint(text, port);
    else
        buf_byte(text, '*');
    return cell_scratch(view, 0);
}

struct value flow_local(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return end_text(view, flow, &flow->local, flow->local_port);
}

struct value flow_peer(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return end_text(view, flow, &flow->peer, flow->peer_port);
}

struct value flow_iface(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);
    const struct interface *interface =
        flow->ifindex ? snapshot_interface(view->snapshot, flow->netns, flow->ifindex) : NULL;

    if (interface)
        return cell_string(view, interface->name);
    if (!flow->ifindex)
        return value_none();
    buf_reset(view->scratch);
    buf_uint(view->scratch, flow->ifindex);
    return cell_scratch(view, 0);
}

struct value flow_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_flow(view, row)->netns);
}

struct value flow_netns_inode(const struct view *view, uint32_t row)
{
    uint32_t netns = get_flow(view, row)->netns;

    if (netns >= view->snapshot->netns_count)
        return value_none();
    return value_uint(view->snapshot->netns[netns].inode);
}

struct value flow_cookie(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return cell_number(flow->cookie, flow->cookie);
}

/* --- how it is --- */

#define ANY_FLAGS ((uint64_t)FLOW_OTHER | FLOW_SPLICED | FLOW_FOLDED)

struct value flow_flag_bits(const struct view *view, uint32_t row)
{
    return value_uint(get_flow(view, row)->flags ^ ANY_FLAGS);
}

struct value flow_flag_words(const struct view *view, uint64_t bits)
{
    static const struct {
        uint32_t flag;
        const char *word;
    } words[] = {{FLOW_CLOSED, "closed"},
                 {FLOW_EXITED, "exited"},
                 {FLOW_FOLDED, "folded"},
                 {FLOW_OTHER, "other"},
                 {FLOW_SPLICED, "spliced"}};
    uint64_t flags = bits ^ ANY_FLAGS;

    buf_reset(view->scratch);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (flags & words[i].flag) {
            if (view->scratch->length)
                buf_byte(view->scratch, ',');
            buf_puts(view->scratch, words[i].word);
        }
    return view->scratch->length ? cell_scratch(view, 0) : value_none();
}

struct value flow_flags(const struct view *view, uint32_t row)
{
    return flow_flag_words(view, get_flow(view, row)->flags ^ ANY_FLAGS);
}

/* All holders of the socket, where the process that uses it is not the only one. */
struct value flow_holders(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);
    uint32_t socket = flow_socket(&view->join->flows, flow);
    const struct socket_join *joined;

    if (socket == FLOW_JOIN_NONE)
        return value_none();
    joined = &view->join->sockets[socket];
    for (uint32_t i = 0; i < joined->holder_count; i++)
        if (join_holder(view->snapshot, view->join, socket, i)->process + 1 != flow->process)
            return (struct value){
                .type = VALUE_LIST,
                .list = {&table_owners, joined->first_holder, joined->holder_count}};
    return value_none();
}

struct value flow_sockets(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return cell_number(!(flow->flags & FLOW_OTHER), flow->sockets);
}

struct value flow_connections(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return value_uint(flow->flags & (FLOW_CLOSED | FLOW_FOLDED | FLOW_OTHER) ? 0 : flow->sockets);
}

/* --- how much --- */

struct value flow_rx_bytes(const struct view *view, uint32_t row)
{
    return value_uint(get_flow(view, row)->total.rx_bytes);
}

struct value flow_tx_bytes(const struct view *view, uint32_t row)
{
    return value_uint(get_flow(view, row)->total.tx_bytes);
}

struct value flow_bytes(const struct view *view, uint32_t row)
{
    const struct flow *flow = get_flow(view, row);

    return value_uint(flow->total.rx_bytes + flow->total.tx_bytes);
}

/* Only where calls are seen they are known. */
struct value flow_rx_calls(const struct view *view, uint32_t row)
{
    return cell_number(view->snapshot->accounting == ACCOUNTING_BPF, get_flow(view, row)->rx_calls);
}

struct value flow_tx_calls(const struct view *view, uint32_t row)
{
    return cell_number(view->snapshot->accounting == ACCOUNTING_BPF, get_flow(view, row)->tx_calls);
}

static uint64_t seconds_since(const struct view *view, uint64_t ns)
{
    return view->snapshot->boot_ns > ns ? (view->snapshot->boot_ns - ns) / SECOND_NS : 0;
}

struct value flow_age(const struct view *view, uint32_t row)
{
    return value_uint(seconds_since(view, get_flow(view, row)->first_ns));
}

struct value flow_idle(const struct view *view, uint32_t row)
{
    return value_uint(seconds_since(view, get_flow(view, row)->last_ns));
}

/* Rounded to the nearest. A window that has not begun has no rate. */
static struct value rate_of(const struct view *view, enum flow_window window, uint64_t bytes)
{
    uint64_t ns = view->snapshot->window_ns[window];

    return ns ? value_uint(per_second(bytes, ns, 0.5)) : value_none();
}

#define WINDOW(suffix, which)                                                                      \
    struct value flow_rate_##suffix(const struct view *view, uint64_t bytes)                       \
    {                                                                                              \
        return rate_of(view, which, bytes);                                                        \
    }                                                                                              \
    struct value flow_rx_##suffix(const struct view *view, uint32_t row)                           \
    {                                                                                              \
        return value_uint(get_flow(view, row)->window[which].rx_bytes);                            \
    }                                                                                              \
    struct value flow_tx_##suffix(const struct view *view, uint32_t row)                           \
    {                                                                                              \
        return value_uint(get_flow(view, row)->window[which].tx_bytes);                            \
    }

#define RATES(suffix, which)                                                                       \
    struct value flow_rx_rate##suffix(const struct view *view, uint32_t row)                       \
    {                                                                                              \
        return rate_of(view, which, get_flow(view, row)->window[which].rx_bytes);                  \
    }                                                                                              \
    struct value flow_tx_rate##suffix(const struct view *view, uint32_t row)                       \
    {                                                                                              \
        return rate_of(view, which, get_flow(view, row)->window[which].tx_bytes);                  \
    }

WINDOW(last, FLOW_LAST)
WINDOW(2s, FLOW_2S)
WINDOW(10s, FLOW_10S)
WINDOW(40s, FLOW_40S)
WINDOW(60s, FLOW_60S)
RATES(, FLOW_LAST)
RATES(_2s, FLOW_2S)
RATES(_10s, FLOW_10S)
RATES(_40s, FLOW_40S)
RATES(_60s, FLOW_60S)

/* Known as long as packets are counted. */
#define WIRE(name, field)                                                                          \
    struct value flow_##name(const struct view *view, uint32_t row)                                \
    {                                                                                              \
        return cell_number(view->snapshot->wire_ns > 0, get_flow(view, row)->wire.field);          \
    }                                                                                              \
    struct value flow_##name##_last(const struct view *view, uint32_t row)                         \
    {                                                                                              \
        return cell_number(view->snapshot->wire_ns > 0, get_flow(view, row)->wire_last.field);     \
    }

#define WIRE_RATE(name, field)                                                                     \
    struct value flow_##name(const struct view *view, uint32_t row)                                \
    {                                                                                              \
        uint64_t last = get_flow(view, row)->wire_last.field;                                      \
                                                                                                   \
        return view->snapshot->wire_ns ? rate_of(view, FLOW_LAST, last) : value_none();            \
    }

WIRE(rx_wire_bytes, rx_bytes)
WIRE(tx_wire_bytes, tx_bytes)
WIRE(rx_packets, rx_packets)
WIRE(tx_packets, tx_packets)
WIRE_RATE(rx_wire_rate, rx_bytes)
WIRE_RATE(tx_wire_rate, tx_bytes)
WIRE_RATE(rx_packet_rate, rx_packets)
WIRE_RATE(tx_packet_rate, tx_packets)

struct value flow_last(const struct view *view, uint32_t row)
{
    const struct traffic *last = &get_flow(view, row)->window[FLOW_LAST];

    return value_uint(last->rx_bytes + last->tx_bytes);
}

struct value flow_rate(const struct view *view, uint32_t row)
{
    return rate_of(view, FLOW_LAST, flow_last(view, row).uint);
}
