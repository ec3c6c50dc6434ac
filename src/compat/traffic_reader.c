/* SPDX-License-Identifier: MIT */
/* Readings of traffic: accounting that lives over many moments. */
#include "compat/traffic_reader.h"

#include "base/clock.h"
#include "collect/accounting.h"
#include "compat/say.h"
#include "table/filter.h"

#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int traffic_parse_number(const char *text, uint32_t *ret_number)
{
    uint64_t number = 0;

    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > INT32_MAX)
            return -EINVAL;
    }
    *ret_number = (uint32_t)number;
    return 0;
}

/* In a capture "src" and "dst" are the ends of a packet, here those of a connection. */
static bool has_direction(const char *filter)
{
    static const char *const words[] = {"src", "dst", "inbound", "outbound"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strstr(filter, words[i]))
            return true;
    return false;
}

static int compile_filter(struct traffic_reader *reader, const char *text)
{
    struct filter_error error = {.length = 0};
    struct filter *filter;
    int r;

    if (has_direction(text)) {
        say(reader->tool, "filter \"%s\": of a packet's direction nothing is known", text);
        return -EINVAL;
    }
    r = filter_compile(&table_flows, text, &reader->arena, &filter, &error);
    if (r == 0)
        reader->query.filter = filter;
    else
        say(reader->tool, "filter \"%s\": %s", text,
            r == -ENOMEM ? strerror(ENOMEM) : error.message);
    return r;
}

int traffic_open(struct traffic_reader *reader, const char *tool, const char *filter,
                 uint64_t more_needs)
{
    CLEANUP(moment_done) struct moment widest;
    int r = 0;

    *reader = (struct traffic_reader){
        .tool = tool,
        .query = {.table = &table_flows, .as_found = true},
        /* The interface of an unconnected socket is known by its peer. */
        .more_needs = NEED_FLOWS | NEED_LINKS | NEED_ADDRESSES | NEED_PEERS | more_needs,
    };
    if (filter && *filter)
        r = compile_filter(reader, filter);
    if (r < 0)
        return r;
    moment_init(&widest);
    widest.request.needs = reader->more_needs;
    r = accounting_open(&widest.request, &reader->accounting);
    if (r < 0)
        say(tool, "%s", strerror(-r));
    return r;
}

static void forget(struct traffic_reader *reader)
{
    if (!reader->taken)
        return;
    grid_done(&reader->grid);
    moment_done(&reader->moment);
    reader->taken = false;
}

void traffic_done(struct traffic_reader *reader)
{
    forget(reader);
    accounting_close(reader->accounting);
    if (reader->query.filter)
        filter_done((struct filter *)(uintptr_t)reader->query.filter);
    arena_done(&reader->arena);
}

/* How it is counted, and what cannot be. False: nothing is. */
static bool say_how(struct traffic_reader *reader)
{
    const struct host_names none = {.count = 0};
    uint32_t level = reader->moment.snapshot.accounting;

    if (reader->said)
        return true;
    reader->said = true;
    (void)!moment_check(&reader->moment, &none, reader->tool, false);
    if (level == ACCOUNTING_TCP_INFO)
        say(reader->tool, "TCP only, by the counters of connections: counting calls, also "
                          "of UDP, needs root and Linux 6.3, or a kernel whose functions BPF "
                          "may follow");
    if (level == ACCOUNTING_INTERFACES)
        say(reader->tool, "nothing here counts the traffic of processes");
    return level != ACCOUNTING_INTERFACES;
}

int traffic_take(struct traffic_reader *reader)
{
    struct moment *moment = &reader->moment;
    int r;

    forget(reader);
    moment_init(moment);
    moment->request.needs = reader->more_needs | accounting_needs(reader->accounting);
    moment->request.accounting = reader->accounting;
    r = moment_take(moment, &reader->query);
    if (r == 0)
        r = query_run(&reader->query, &moment->view, &reader->grid);
    if (r < 0) {
        moment_done(moment);
        say(reader->tool, "%s", strerror(-r));
        return r;
    }
    reader->taken = true;
    return say_how(reader) ? 0 : -EOPNOTSUPP;
}

int traffic_wait(struct traffic_reader *reader, uint64_t until_ns)
{
    uint64_t now_ns;
    int r = 0;

    while (r == 0 && (now_ns = clock_ns(CLOCK_MONOTONIC)) < until_ns) {
        uint64_t left_ms = (until_ns - now_ns + MILLISECOND_NS - 1) / MILLISECOND_NS;
        struct pollfd wait = {.fd = accounting_fd(reader->accounting), .events = POLLIN};
        int ready = poll(&wait, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);

        if (ready < 0 && errno != EINTR)
            r = -errno;
        else if (ready > 0)
            r = accounting_drain(reader->accounting);
    }
    if (r < 0)
        say(reader->tool, "%s", strerror(-r));
    return r;
}

/* --- interfaces --- */

static bool is_own(const struct snapshot *snapshot, uint32_t netns)
{
    return netns < snapshot->netns_count && snapshot->netns[netns].flags & NETNS_SELF;
}

static bool is_named(const struct snapshot *snapshot, const struct traffic_devices *devices,
                     const struct interface *interface)
{
    const char *name = snapshot_string(snapshot, interface->name, NULL);

    for (uint32_t i = 0; i < devices->count; i++)
        if (strcmp(devices->names[i], name) == 0)
            return true;
    return false;
}

static bool suits(const struct snapshot *snapshot, const struct traffic_devices *devices,
                  const struct interface *interface)
{
    bool named = is_named(snapshot, devices, interface);

    if (devices->count && !named)
        return false;
    if (devices->all || !(interface->has & INTERFACE_HAS_LINK))
        return true;
    if (interface->flags & IFF_LOOPBACK)
        return named && devices->loopback;
    return (interface->flags & IFF_UP) != 0;
}

int traffic_interfaces(const struct traffic_reader *reader, const struct traffic_devices *devices,
                       uint32_t **ret_indexes, uint32_t *ret_count)
{
    const struct snapshot *snapshot = &reader->moment.snapshot;
    uint32_t *indexes = calloc((size_t)snapshot->interfaces_count + 1, sizeof(*indexes));
    uint32_t count = 0;

    if (!indexes)
        return -ENOMEM;
    for (uint32_t i = 0; i < snapshot->interfaces_count; i++) {
        const struct interface *interface = &snapshot->interfaces[i];
        uint32_t at = count;

        if (!is_own(snapshot, interface->netns) || !suits(snapshot, devices, interface))
            continue;
        for (; at > 0 && snapshot->interfaces[indexes[at - 1]].ifindex < interface->ifindex; at--)
            indexes[at] = indexes[at - 1];
        indexes[at] = i;
        count++;
    }
    *ret_indexes = indexes;
    *ret_count = count;
    return 0;
}

static uint32_t rank_of(const struct link_address *address)
{
    const uint8_t *bytes = address->address.bytes;

    if (address->family == AF_INET)
        return 0;
    return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80 ? 2 : 1;
}

const struct link_address *traffic_address(const struct snapshot *snapshot,
                                           const struct interface *interface, uint32_t *at)
{
    const uint32_t count = snapshot->link_addresses_count;

    while (*at < 3 * count) {
        const struct link_address *address = &snapshot->link_addresses[*at % count];
        uint32_t rank = *at / count;

        ++*at;
        if (address->netns == interface->netns && address->ifindex == interface->ifindex &&
            rank_of(address) == rank)
            return address;
    }
    return NULL;
}

const struct flow *traffic_flow(const struct traffic_reader *reader,
                                const struct traffic_devices *devices, uint32_t row)
{
    const struct snapshot *snapshot = &reader->moment.snapshot;
    const struct flow *flow = &snapshot->flows[reader->grid.rows[row]];
    const struct interface *interface;

    if (flow->flags & FLOW_OTHER)
        return devices->count ? NULL : flow;
    if (!is_own(snapshot, flow->netns))
        return NULL;
    interface = flow->ifindex ? snapshot_interface(snapshot, flow->netns, flow->ifindex) : NULL;
    if (!interface) /* it may have gone, or a datagram socket receives by any */
        return devices->count ? NULL : flow;
    if (devices->count && !is_named(snapshot, devices, interface))
        return NULL;
    return interface->flags & IFF_LOOPBACK && !devices->all && !devices->count ? NULL : flow;
}
