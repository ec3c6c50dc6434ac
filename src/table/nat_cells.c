/* SPDX-License-Identifier: MIT */
/* What is known of a tracked connection: its addresses before and after NAT, and how it is kept. */
#include "table/nat_cells.h"

#include "derive/address.h"
#include "derive/join.h"
#include "table/cells.h"

#include <netinet/in.h>

static const struct conntrack *get_entry(const struct view *view, uint32_t row)
{
    return &view->snapshot->conntracks[row];
}

/* --- the entry --- */

struct value nat_proto(const struct view *view, uint32_t row)
{
    const struct conntrack *entry = get_entry(view, row);
    unsigned int proto = conntrack_proto(entry);

    if (proto != PROTO_UNKNOWN)
        return value_name(socket_proto_name(proto));
    if (entry->protocol == IPPROTO_GRE)
        return value_name("gre");
    buf_reset(view->scratch);
    buf_uint(view->scratch, entry->protocol);
    return cell_scratch(view, 0);
}

struct value nat_family(const struct view *view, uint32_t row)
{
    return value_name(socket_family_name(get_entry(view, row)->family));
}

struct value nat_state(const struct view *view, uint32_t row)
{
    const char *name = conntrack_state_name(get_entry(view, row));

    return name ? value_name(name) : value_none();
}

struct value nat_flags(const struct view *view, uint32_t row)
{
    static const struct {
        uint32_t mask, is;
        const char *word;
    } words[] = {
        {CONNTRACK_SEEN_REPLY, 0, "unreplied"},
        {CONNTRACK_ASSURED, CONNTRACK_ASSURED, "assured"},
        {CONNTRACK_SRC_NAT, CONNTRACK_SRC_NAT, "snat"},
        {CONNTRACK_DST_NAT, CONNTRACK_DST_NAT, "dnat"},
        {CONNTRACK_EXPECTED, CONNTRACK_EXPECTED, "expected"},
        {CONNTRACK_HELPER, CONNTRACK_HELPER, "helper"},
        {CONNTRACK_FIXED_TIMEOUT, CONNTRACK_FIXED_TIMEOUT, "fixed-timeout"},
        {CONNTRACK_OFFLOAD, CONNTRACK_OFFLOAD, "offload"},
        {CONNTRACK_HW_OFFLOAD, CONNTRACK_HW_OFFLOAD, "hw-offload"},
        {CONNTRACK_DYING, CONNTRACK_DYING, "dying"},
    };
    uint32_t status = get_entry(view, row)->status;

    buf_reset(view->scratch);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if ((status & words[i].mask) == words[i].is) {
            if (view->scratch->length)
                buf_byte(view->scratch, ' ');
            buf_puts(view->scratch, words[i].word);
        }
    return view->scratch->length ? cell_scratch(view, 0) : value_none();
}

struct value nat_age(const struct view *view, uint32_t row)
{
    const struct conntrack *entry = get_entry(view, row);
    uint64_t now_ns = view->snapshot->time_ns;

    return cell_number(entry->has & CONNTRACK_HAS_START && entry->start_ns <= now_ns,
                       (now_ns - entry->start_ns) / UINT64_C(1000000000));
}

/* A number that is known with a bit of enum conntrack_has. */
#define NUMBER(name, bit, member)                                                                  \
    struct value nat_##name(const struct view *view, uint32_t row)                                 \
    {                                                                                              \
        const struct conntrack *entry = get_entry(view, row);                                      \
        return cell_number(entry->has & (bit), entry->member);                                     \
    }

NUMBER(timeout, CONNTRACK_HAS_TIMEOUT, timeout_s)
NUMBER(orig_packets, CONNTRACK_HAS_COUNTERS, orig_packets)
NUMBER(orig_bytes, CONNTRACK_HAS_COUNTERS, orig_bytes)
NUMBER(reply_packets, CONNTRACK_HAS_COUNTERS, reply_packets)
NUMBER(reply_bytes, CONNTRACK_HAS_COUNTERS, reply_bytes)
NUMBER(mark, CONNTRACK_HAS_MARK, mark)
NUMBER(zone, CONNTRACK_HAS_ZONE, zone)
NUMBER(id, CONNTRACK_HAS_ID, id)
NUMBER(use, CONNTRACK_HAS_USE, use)

struct value nat_helper(const struct view *view, uint32_t row)
{
    return cell_string(view, get_entry(view, row)->helper);
}

struct value nat_security(const struct view *view, uint32_t row)
{
    return cell_string(view, get_entry(view, row)->security);
}

/* The kernel's words are in the order of the processor; the lowest bit of the first is label 0. */
struct value nat_labels(const struct view *view, uint32_t row)
{
    size_t length;
    const char *bytes = snapshot_string(view->snapshot, get_entry(view, row)->labels, &length);
    uint32_t word;

    buf_reset(view->scratch);
    for (size_t bit = 0; bit / 32 * sizeof(word) + sizeof(word) <= length; bit++) {
        memcpy(&word, bytes + bit / 32 * sizeof(word), sizeof(word));
        if (!(word >> bit % 32 & 1))
            continue;
        if (view->scratch->length)
            buf_byte(view->scratch, ',');
        buf_uint(view->scratch, bit);
    }
    return view->scratch->length ? cell_scratch(view, 0) : value_none();
}

struct value nat_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_entry(view, row)->netns);
}

/* --- its ends --- */

bool nat_is_found(const struct view *view, uint32_t row, enum nat_role role)
{
    const uint32_t with_socket =
        1u << PACKET_END_PROCESS | 1u << PACKET_END_LISTENER | 1u << PACKET_END_TIME_WAIT;
    const struct nat_entry *entries = view->join->nat.entries;

    if (entries)
        return entries[row].ends[role].reason == NAT_FOUND;
    return with_socket >> view->snapshot->events[row * NAT_ROLE_MAX + role].end & 1;
}

struct value nat_role(const struct view *view, uint32_t row)
{
    static const char *const names[] = {"none", "client", "server", "both"};

    return value_name(
        names[nat_is_found(view, row, NAT_CLIENT) | nat_is_found(view, row, NAT_SERVER) << 1]);
}

static struct nat_sight sight_of(const struct view *view, uint32_t row)
{
    const struct nat_entry *entries = view->join->nat.entries;
    bool serves = entries
                      ? entries[row].ends[NAT_SERVER].reason == NAT_FOUND &&
                            entries[row].ends[NAT_CLIENT].reason != NAT_FOUND
                      : nat_is_found(view, row, NAT_SERVER) && !nat_is_found(view, row, NAT_CLIENT);

    return nat_sight(get_entry(view, row), serves ? NAT_SERVER : NAT_CLIENT);
}

static struct value address_value(const struct view *view, uint32_t row, struct nat_side side)
{
    unsigned int family = get_entry(view, row)->family;

    if (!address_is_inet(family)) /* a recording may have anything */
        return value_none();
    return (struct value){.type = VALUE_ADDRESS, .address = {side.address->bytes, (uint8_t)family}};
}

static struct value end_text(const struct view *view, uint32_t row, struct nat_side side)
{
    struct value address = address_value(view, row, side);
    const char *name = view->resolve ? view->resolve(view->resolve_context, &address) : NULL;
    struct buf *text = view->scratch;

    if (address.type == VALUE_NONE)
        return address;
    buf_reset(text);
    if (name)
        buf_puts(text, name);
    else
        buf_host(text, address.address.family, side.address->bytes);
    if (side.port) {
        buf_byte(text, ':');
        buf_uint(text, side.port);
    }
    return cell_scratch(view, 0);
}

#define SIDE(name, member)                                                                         \
    struct value nat_##name##_addr(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return address_value(view, row, sight_of(view, row).member);                               \
    }                                                                                              \
                                                                                                   \
    struct value nat_##name##_port(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        struct nat_side side = sight_of(view, row).member;                                         \
        return cell_number(side.port, side.port);                                                  \
    }

SIDE(local, local)
SIDE(peer, peer)
SIDE(seen_local, nat_local)
SIDE(true_peer, nat_peer)

struct value nat_local(const struct view *view, uint32_t row)
{
    return end_text(view, row, sight_of(view, row).local);
}

struct value nat_peer(const struct view *view, uint32_t row)
{
    return end_text(view, row, sight_of(view, row).peer);
}

/* Nothing where NAT did not change it. */
static struct value changed_text(const struct view *view, uint32_t row, struct nat_side before,
                                 struct nat_side after)
{
    bool same = memcmp(before.address, after.address, sizeof(*after.address)) == 0 &&
                (before.port == after.port || !before.port || !after.port);

    return same ? value_none() : end_text(view, row, after);
}

struct value nat_seen_local(const struct view *view, uint32_t row)
{
    struct nat_sight sight = sight_of(view, row);

    return changed_text(view, row, sight.local, sight.nat_local);
}

struct value nat_true_peer(const struct view *view, uint32_t row)
{
    struct nat_sight sight = sight_of(view, row);

    return changed_text(view, row, sight.peer, sight.nat_peer);
}
