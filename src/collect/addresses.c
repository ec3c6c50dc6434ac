/* SPDX-License-Identifier: MIT */
/* Addresses of the interfaces: IPv4 by rtnetlink; IPv6 by /proc/net/if_inet6, which knows scopes.
 */
#include "collect/addresses.h"

#include "collect/netns.h"
#include "collect/proc_file.h"
#include "collect/proc_hex.h"
#include "netlink/netlink.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define DUMP_TRIES 3

struct address_reader {
    struct snapshot *snapshot;
    uint32_t netns;
    bool no_memory;
};

static int add_inet(struct snapshot *snapshot, uint32_t netns, const struct ifaddrmsg *message,
                    size_t length)
{
    const struct nlattr *attributes[IFA_BROADCAST + 1];
    struct link_address address = {.netns = netns,
                                   .ifindex = message->ifa_index,
                                   .prefix = message->ifa_prefixlen,
                                   .scope = message->ifa_scope,
                                   .family = AF_INET};
    struct link_address *added;
    int r = 0;

    netlink_attributes((const char *)message + NLMSG_ALIGN(sizeof(*message)),
                       length - sizeof(*message), attributes, ARRAY_SIZE(attributes));
    netlink_copy(attributes[IFA_LOCAL], &address.address, 4);
    netlink_copy(attributes[IFA_ADDRESS], &address.peer, 4);
    netlink_copy(attributes[IFA_BROADCAST], &address.broadcast, 4);
    if (attributes[IFA_LABEL])
        r = snapshot_intern(
            snapshot, netlink_data(attributes[IFA_LABEL]),
            strnlen(netlink_data(attributes[IFA_LABEL]), netlink_length(attributes[IFA_LABEL])),
            &address.label);
    added = r == 0 ? snapshot_add_link_address(snapshot) : NULL;
    if (!added)
        return -ENOMEM;
    *added = address;
    return 0;
}

int address_read(struct snapshot *snapshot, uint32_t netns, const void *payload, size_t length)
{
    const struct ifaddrmsg *message = payload;

    if (length < sizeof(*message) ||
        (message->ifa_family == AF_INET && message->ifa_prefixlen > 32))
        return -EBADMSG;
    return message->ifa_family == AF_INET ? add_inet(snapshot, netns, message, length) : 0;
}

static int on_message(void *context, uint16_t type, const void *payload, size_t length)
{
    struct address_reader *reader = context;
    int r;

    if (type != RTM_NEWADDR)
        return 0;
    r = address_read(reader->snapshot, reader->netns, payload, length);
    reader->no_memory = r == -ENOMEM;
    return r;
}

static int dump_once(struct address_reader *reader, bool *ret_interrupted)
{
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg body;
    } request = {
        .header = {.nlmsg_type = RTM_GETADDR, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg))},
        .body = {.ifa_family = AF_INET}};
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_ROUTE, &netlink);

    return r < 0 ? r : netlink_dump(&netlink, &request.header, on_message, reader, ret_interrupted);
}

static int read_inet(struct address_reader *reader)
{
    uint32_t mark = reader->snapshot->link_addresses_count;
    bool interrupted = true;
    int r = 0;

    for (int try = 0; try < DUMP_TRIES && (r < 0 || interrupted); try++) {
        reader->snapshot->link_addresses_count = mark;
        r = dump_once(reader, &interrupted);
        if (reader->no_memory)
            return -ENOMEM;
    }
    if (r < 0)
        snapshot_note(reader->snapshot, NOTE_DETAIL, "rtnetlink", r,
                      "IPv4 addresses of interfaces are missing");
    return 0;
}

/* A blank and a hexadecimal number of at most four bytes, all of its digits. */
static bool next_hex(const char **at, uint32_t *ret_number)
{
    uint32_t number = 0;
    uint8_t digit;
    int digits = 0;

    *at += strspn(*at, " ");
    for (; digits < 8 && proc_hex_digit(**at, &digit); digits++, ++*at)
        number = number << 4 | digit;
    *ret_number = number;
    return digits > 0;
}

int address_read_line(struct snapshot *snapshot, uint32_t netns, const char *line)
{
    struct link_address address = {.netns = netns, .family = AF_INET6};
    struct link_address *added;

    if (proc_hex_bytes(&line, address.address.bytes, 16) != 16 ||
        !next_hex(&line, &address.ifindex) || !next_hex(&line, &address.prefix) ||
        !next_hex(&line, &address.scope))
        return 0;
    address.peer = address.address;
    added = snapshot_add_link_address(snapshot);
    if (!added)
        return -ENOMEM;
    *added = address;
    return 0;
}

static int read_inet6(struct address_reader *reader)
{
    CLEANUP_FREE char *text = NULL;
    int r = proc_read_all(AT_FDCWD, "/proc/thread-self/net/if_inet6", &text);
    char *rest = text, *line;

    if (r == -ENOMEM || r == -ENOENT) /* no IPv6 */
        return r == -ENOMEM ? r : 0;
    if (r < 0) {
        snapshot_note(reader->snapshot, NOTE_DETAIL, "proc_net", r,
                      "IPv6 addresses of interfaces are missing");
        return 0;
    }
    r = 0;
    while (r == 0 && (line = strsep(&rest, "\n")))
        r = address_read_line(reader->snapshot, reader->netns, line);
    return r;
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    struct address_reader reader = {.snapshot = collection->snapshot, .netns = netns};
    int r = read_inet(&reader);

    return r < 0 ? r : read_inet6(&reader);
}

static int collect_addresses(struct collection *collection)
{
    return netns_for_each(collection, read_namespace);
}

const struct collector collector_addresses = {
    .name = "addresses",
    .provides = NEED_ADDRESSES,
    .collect = collect_addresses,
};
