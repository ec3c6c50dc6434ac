/* SPDX-License-Identifier: MIT */
/* The table of tracked connections: one row an entry of a namespace's table (nf_conntrack). */
#include "base/hash.h"
#include "derive/join.h"
#include "table/cells.h"
#include "table/nat_columns.h"

#define TEXT COLUMN_TEXT
#define MACHINE COLUMN_MACHINE
#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define COMPOSED (COLUMN_TEXT | COLUMN_COMPOSED)
#define COUNTER (COLUMN_MACHINE | COLUMN_COUNTER)
#define OWNERS NEED_OWNERS

/* name, title, help, kind, flags, needs, getter */
static const struct column columns[] = {
    {"proto", "PROTO", "Protocol", KIND_NAME, SHOWN, 0, nat_proto},
    {"family", "FAMILY", "Address family", KIND_NAME, MACHINE, 0, nat_family},
    {"state", "STATE",
     "State as the kernel follows it; fin-wait: one side has closed; closed: by a reset", KIND_NAME,
     SHOWN, 0, nat_state},
    {"timeout_s", "LEFT", "Time until it is forgotten, if no packet comes", KIND_SECONDS, SHOWN, 0,
     nat_timeout},
    {"idle_s", "IDLE", "Time since data went through its socket, of TCP", KIND_SECONDS, SHOWN,
     NEED_TCP_INFO, nat_idle},
    NAT_SIDE_COLUMNS,
    {"role", "ROLE", "Which end is a socket that was read: client, server, both, none", KIND_NAME,
     MACHINE, 0, nat_role},
    {"owner", "OWNER",
     "Processes that hold its socket (client > server where both are here), or why there is none",
     KIND_TEXT, COMPOSED | COLUMN_OWNER, OWNERS | NEED_LISTENERS, nat_owner},
    {"note", "NOTE", "That it will be forgotten before its idle socket says anything", KIND_TEXT,
     COMPOSED, NEED_TCP_INFO, nat_note},
    {"will_forget", "FORGETS",
     "Established, idle for longer than it has left, and no keepalive comes before", KIND_BOOL,
     MACHINE, NEED_TCP_INFO, nat_forgets},
    {"pid", "PID", "Main owner of its socket, the client's first", KIND_ID, MACHINE, OWNERS,
     nat_pid},
    {"process", "PROCESS", "Name of the main owner", KIND_TEXT, MACHINE, OWNERS, nat_process},
    {"unit", "UNIT", "systemd unit of the main owner", KIND_TEXT, 0, OWNERS | NEED_CGROUP,
     nat_unit},
    {"container", "CONTAINER", "Container of the main owner", KIND_TEXT, 0, OWNERS | NEED_CGROUP,
     nat_container},
    {"owners", "OWNERS", "All holders of its sockets, with the end that they have", KIND_LIST,
     MACHINE, OWNERS | NEED_USER, nat_owners},
    {"owner_note", "OWNER-NOTE",
     "Why there is no owner: forwarded for others; no socket (any more); candidates: namespaces "
     "that have the same address",
     KIND_TEXT, MACHINE, NEED_HELD | NEED_LISTENERS, nat_owner_note},
    {"socket_netns", "SOCKET-NETNS", "Network namespace of its socket", KIND_TEXT, MACHINE, 0,
     nat_socket_netns},
    {"cookie", "COOKIE", "Cookie of its socket (SO_COOKIE)", KIND_ID, MACHINE, 0, nat_cookie},
    {"flags", "FLAGS",
     "unreplied; assured: kept when the table is full; snat, dnat; expected: by a helper's word; "
     "helper; fixed-timeout; offload, hw-offload: its packets go a short way; dying",
     KIND_TEXT, SHOWN | COLUMN_MINOR, 0, nat_flags},
    {"orig_packets", "ORIG-PKTS", "Packets of the side that began (nf_conntrack_acct)", KIND_COUNT,
     COUNTER, 0, nat_orig_packets},
    {"orig_bytes", "ORIG", "Their bytes, with all headers of IP", KIND_BYTES, COUNTER, 0,
     nat_orig_bytes},
    {"reply_packets", "REPLY-PKTS", "Packets of the other side", KIND_COUNT, COUNTER, 0,
     nat_reply_packets},
    {"reply_bytes", "REPLY", "Their bytes, with all headers of IP", KIND_BYTES, COUNTER, 0,
     nat_reply_bytes},
    {"age_s", "AGE", "Time since it began (nf_conntrack_timestamp)", KIND_SECONDS, MACHINE, 0,
     nat_age},
    NAT_ENTRY_COLUMNS,
    {"use", "USE", "References in the kernel", KIND_COUNT, 0, 0, nat_use},
    {"netns", "NETNS", "Network namespace whose table it is in: its name, init, or its inode",
     KIND_TEXT, MACHINE | COLUMN_KEY, 0, nat_netns},
};

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->conntracks_count;
}

static uint32_t row_netns(const struct view *view, uint32_t row)
{
    return view->snapshot->conntracks[row].netns;
}

/* Those with sockets first, then by protocol and by the port that was asked for: the kernel's order
 * is that of its hash. */
static uint64_t order(const struct view *view, uint32_t row)
{
    const struct conntrack *entry = &view->snapshot->conntracks[row];
    const struct nat_end *ends = view->join->nat.entries[row].ends;
    bool none = ends[NAT_CLIENT].reason != NAT_FOUND && ends[NAT_SERVER].reason != NAT_FOUND;

    return (uint64_t)none << 40 | (uint64_t)entry->protocol << 32 |
           (uint64_t)entry->orig.dst_port << 16 | entry->orig.src_port;
}

static uint64_t identity(const struct view *view, uint32_t row)
{
    const struct conntrack *entry = &view->snapshot->conntracks[row];

    return hash_number(hash_number(HASH_INIT, view->snapshot->netns[entry->netns].inode),
                       entry->id) |
           1;
}

static void prefetch(const struct view *view, uint32_t row)
{
    const char *entry = (const char *)&view->snapshot->conntracks[row];

    for (size_t at = 0; at < sizeof(struct conntrack); at += 64)
        __builtin_prefetch(entry + at);
    __builtin_prefetch(&view->join->nat.entries[row]);
}

const struct table table_nat = {
    .name = "nat",
    .help = "Tracked connections (conntrack) with NAT, and the processes at their ends",
    .needs = NEED_CONNTRACK | NEED_SOCKETS | NEED_ADDRESSES,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .hint = "only what a rule of nftables or iptables asks to track has an entry",
    .owners = &table_nat_owners,
    .row_count = row_count,
    .netns = row_netns,
    .prefetch = prefetch,
    .order = order,
    .identity = identity,
};
