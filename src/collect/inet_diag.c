/* SPDX-License-Identifier: MIT */
/* Internet sockets by sock_diag (inet_diag). */
/*
 * A dump under churn misses or repeats sockets and the kernel does not say so: it goes on where it
 * left off by counting, each time that a part is full. Therefore each table that does not fit into
 * one part is read twice and united by cookie, and a third time where the two differ.
 */
#include "collect/inet_bytecode.h"
#include "collect/inet_diag_dump.h"
#include "collect/inet_diag_message.h"
#include "collect/netns.h"
#include "collect/protocols.h"
#include "collect/sockstat.h"
#include "netlink/netlink.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define DUMP_TRIES 4
#define REQUEST_SIZE 2048

/* So many sockets that are passed by take as long as the request that tells to do that once. */
#define WAITING_MANY 256

struct inet_source {
    enum socket_proto proto;
    int protocol; /* IPPROTO_* */
    const char *name;
};

/* Protocols without a sock_diag module answer ENOENT; ping sockets have none at all. */
static const struct inet_source inet_sources[] = {
    {PROTO_TCP, IPPROTO_TCP, "tcp"},
    {PROTO_UDP, IPPROTO_UDP, "udp"},
    {PROTO_UDPLITE, IPPROTO_UDPLITE, "udplite"},
    {PROTO_RAW, IPPROTO_RAW, "raw"},
    {PROTO_MPTCP, IPPROTO_MPTCP, "mptcp"},
    {PROTO_SCTP, IPPROTO_SCTP, "sctp"},
    {PROTO_DCCP, IPPROTO_DCCP, "dccp"},
};

/* One dump under way. */
struct inet_dump {
    struct collection *collection;
    const struct inet_source *source;
    struct netlink netlink;
    uint32_t netns;
    uint32_t states;
    const struct port_set *helper_ports; /* conditions do not hold: what only helps others; or NULL
                                          */
    bool enrich_only;                    /* another source has the table; only details are wanted */
    bool as_it_comes;                    /* once, and nothing is taken of it */
    uint32_t added;
    bool in_parts;  /* the kernel had to go on where it left off */
    bool no_memory; /* ours, not the kernel's */
};

/* One bit for each port. */
struct port_set {
    uint32_t words[(UINT16_MAX + 1) / 32];
};

static bool port_set_has(const struct port_set *set, uint16_t port)
{
    return set->words[port / 32] & 1u << port % 32;
}

static int add_message(struct inet_dump *dump, uint16_t type, const void *payload, size_t length)
{
    struct collection *collection = dump->collection;
    struct snapshot *snapshot = collection->snapshot;
    const struct inet_diag_msg *message = payload;
    struct socket *socket;
    uint64_t cookie;
    uint32_t known;
    int r;

    if ((type != SOCK_DIAG_BY_FAMILY && type != TCPDIAG_GETSOCK) || length < sizeof(*message))
        return 0;
    cookie = (uint64_t)message->id.idiag_cookie[1] << 32 | message->id.idiag_cookie[0];
    known = map_get(&collection->by_cookie, cookie);
    if (known != MAP_NONE)
        return inet_diag_details(snapshot, known, payload, length);
    if (dump->enrich_only && inet_diag_is_minisocket(message))
        return 0;
    if (dump->helper_ports && !port_set_has(dump->helper_ports, ntohs(message->id.idiag_sport)))
        return 0;
    socket = snapshot_add_socket(snapshot);
    if (!socket)
        return -ENOMEM;
    socket->netns = dump->netns;
    socket->proto = (uint8_t)dump->source->proto;
    inet_diag_fill(socket, message);
    dump->added++;
    r = map_set(&collection->by_cookie, cookie, snapshot->sockets_count - 1);
    if (r < 0)
        return r;
    return inet_diag_details(snapshot, snapshot->sockets_count - 1, payload, length);
}

static int on_message(void *context, uint16_t type, const void *payload, size_t length)
{
    struct inet_dump *dump = context;
    int r = dump->as_it_comes ? 0 : add_message(dump, type, payload, length);

    dump->no_memory = r == -ENOMEM;
    return r;
}

/* `older`: for those who read the answer later, also what others have taken the place of. */
static uint8_t wanted_extensions(const struct request *request, bool older)
{
    uint8_t extensions = 0;

    if (request->needs & (NEED_TCP_INFO | NEED_TCP_PROGRESS))
        extensions |= 1u << (INET_DIAG_INFO - 1);
    if (request->needs & NEED_MEMORY)
        extensions |= 1u << (INET_DIAG_SKMEMINFO - 1) | (older ? 1u << (INET_DIAG_MEMINFO - 1) : 0);
    if (request->needs & NEED_EXACT_DETAILS)
        extensions |= 1u << (INET_DIAG_CONG - 1) | 1u << (INET_DIAG_SHUTDOWN - 1);
    if (request->needs & NEED_IP_OPTIONS)
        extensions |= 1u << (INET_DIAG_TOS - 1) | 1u << (INET_DIAG_TCLASS - 1);
    if (request->needs & NEED_CONGESTION)
        extensions |= 1u << (INET_DIAG_VEGASINFO - 1);
    return extensions;
}

static void put_head(struct nlmsghdr *header, uint16_t type, const void *body, size_t length)
{
    header->nlmsg_type = type;
    header->nlmsg_len = (uint32_t)NLMSG_LENGTH(length);
    memcpy(NLMSG_DATA(header), body, length);
}

/* Of both families at once only the older request asks, which is for TCP. */
static void put_body(const struct inet_dump *dump, uint8_t family, struct nlmsghdr *header)
{
    uint8_t extensions = wanted_extensions(dump->collection->request, dump->as_it_comes);

    if (family == AF_UNSPEC)
        put_head(header, TCPDIAG_GETSOCK,
                 &(struct inet_diag_req){.idiag_ext = extensions, .idiag_states = dump->states},
                 sizeof(struct inet_diag_req));
    else
        put_head(header, SOCK_DIAG_BY_FAMILY,
                 &(struct inet_diag_req_v2){
                     .sdiag_family = family,
                     .sdiag_protocol = dump->source->protocol > UINT8_MAX
                                           ? IPPROTO_TCP
                                           : (uint8_t)dump->source->protocol,
                     .idiag_ext = extensions,
                     .idiag_states = dump->states,
                 },
                 sizeof(struct inet_diag_req_v2));
}

/* AF_UNSPEC: of both. */
static int build_request(const struct inet_dump *dump, uint8_t family, struct nlmsghdr *header)
{
    const struct request *request = dump->collection->request;
    char code[REQUEST_SIZE / 2];
    int length = 0, r = 0;

    put_body(dump, family, header);
    if (!dump->helper_ports)
        length = inet_bytecode(request->matches, request->match_count, code, sizeof(code));
    if (length > 0)
        r = netlink_add(header, REQUEST_SIZE, INET_DIAG_REQ_BYTECODE, code, (size_t)length);
    /* Numbers above 255 (mptcp) do not fit into sdiag_protocol. */
    if (r == 0 && dump->source->protocol > UINT8_MAX) {
        uint32_t protocol = (uint32_t)dump->source->protocol;

        r = netlink_add(header, REQUEST_SIZE, INET_DIAG_REQ_PROTOCOL, &protocol, sizeof(protocol));
    }
    return r;
}

/* Whether the source can be done without: the kernel has no such protocol or no diag module for it.
 */
static bool source_is_absent(int error)
{
    return error == -ENOENT || error == -EINVAL || error == -EPROTONOSUPPORT ||
           error == -EAFNOSUPPORT;
}

/* One family of one protocol. A dump that failed on the way is done again: what it brought so far
 * is united with the next try by cookie, so nothing is double. */
static int dump_family(struct inet_dump *dump, uint8_t family)
{
    char request[REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
    bool interrupted = true;
    int r = 0;

    for (int try = 0; try < DUMP_TRIES && (r < 0 || interrupted); try++) {
        memset(request, 0, sizeof(request));
        r = build_request(dump, family, (struct nlmsghdr *)request);
        if (r == 0 && try > 0)
            r = netlink_reopen(&dump->netlink, NETLINK_SOCK_DIAG);
        if (r == 0)
            r = netlink_dump(&dump->netlink, (struct nlmsghdr *)request, on_message, dump,
                             &interrupted);
        dump->in_parts |= dump->netlink.parts > 1;
        if (dump->as_it_comes || dump->no_memory || source_is_absent(r) || r == -EPERM ||
            r == -EACCES)
            break;
    }
    return r;
}

/* Whether most of the table is not wanted: then to look through it is what takes the time. */
static bool is_mostly_waiting(const struct inet_dump *dump)
{
    const struct request *request = dump->collection->request;
    struct sockstat sockstat;

    return dump->source->proto == PROTO_TCP && !(dump->states & STATE_BIT(STATE_TIME_WAIT)) &&
           dump->states & ~STATE_BIT(STATE_LISTENING) && !request->verbatim && !dump->as_it_comes &&
           request->families == FAMILY_INET && sockstat_read(&sockstat) == 0 &&
           sockstat.tcp_waiting >= WAITING_MANY;
}

/*
 * Both families in one walk over the table. The first part of the first dump on a socket is small,
 * because the kernel does not know yet how much we can receive: that is told by one of nothing.
 */
static int dump_at_once(struct inet_dump *dump)
{
    const uint32_t states = dump->states;
    int r;

    dump->states = 0;
    r = dump_family(dump, AF_UNSPEC);
    dump->states = states;
    return r < 0 ? r : dump_family(dump, AF_UNSPEC);
}

/* For the same reason the family with fewer sockets comes first. */
static int dump_families(struct inet_dump *dump)
{
    static const uint8_t fewer_first[] = {AF_INET6, AF_INET}, usual[] = {AF_INET, AF_INET6};
    const struct request *request = dump->collection->request;
    const uint8_t *order = request->verbatim ? usual : fewer_first;
    int r = is_mostly_waiting(dump) ? dump_at_once(dump) : -EOPNOTSUPP;

    if (r == 0 || dump->no_memory)
        return r;
    r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(fewer_first) && r == 0; i++)
        if (request->families & 1u << order[i])
            r = dump_family(dump, order[i]);
    return r;
}

/* The local ports of the TCP sockets that were found in this namespace. */
static void add_found_ports(const struct inet_dump *dump, struct port_set *set)
{
    const struct snapshot *snapshot = dump->collection->snapshot;

    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        const struct socket *socket = &snapshot->sockets[i];

        if (socket->proto == PROTO_TCP && socket->netns == dump->netns)
            set->words[socket->local_port / 32] |= 1u << socket->local_port % 32;
    }
}

/*
 * Listeners and half-open connections that only the join needs (direction, SYN queue), where the
 * question itself leaves them out. They have the local port of the sockets that they help.
 */
static int dump_helpers(struct inet_dump *dump)
{
    const struct request *request = dump->collection->request;
    struct port_set found = {{0}};
    uint32_t states = 0;
    int r = 0;

    if (request->needs & NEED_LISTENERS)
        states |= STATE_BIT(STATE_LISTENING);
    if (request->needs & NEED_SYN_QUEUE)
        states |= STATE_BIT(STATE_SYN_RECV);
    if (request->match_count == 0)
        states &= ~dump->states;
    if (dump->source->proto == PROTO_TCP && states) {
        struct inet_dump helpers = *dump;

        helpers.states = states;
        helpers.helper_ports = &found;
        add_found_ports(dump, &found);
        r = dump_families(&helpers);
        dump->no_memory = helpers.no_memory;
    }
    return r;
}

static int dump_source(struct inet_dump *dump)
{
    int r = dump_families(dump);

    if (r < 0 || dump->enrich_only)
        return r;
    for (int pass = 2; pass <= 3 && r == 0 && dump->in_parts && (pass == 2 || dump->added);
         pass++) {
        dump->added = 0;
        r = dump_families(dump);
    }
    return r < 0 ? r : dump_helpers(dump);
}

/*
 * Nothing of this namespace came: another source reads the protocol, unless it has been read in
 * another namespace. What is known from elsewhere only lacks its details then.
 */
static void note_failure(struct inet_dump *dump, int error, bool got_rows)
{
    struct collection *collection = dump->collection;

    if (dump->enrich_only)
        snapshot_note(collection->snapshot, NOTE_DETAIL, "sock_diag", error,
                      "details of %s sockets are missing", dump->source->name);
    else if (got_rows)
        snapshot_note(collection->snapshot, NOTE_INCOMPLETE, "sock_diag", error,
                      "the dump of %s sockets was cut: rows may be missing", dump->source->name);
    else
        collection->failures[dump->source->proto] = error;
}

static int collect_source(struct collection *collection, const struct inet_source *source,
                          uint32_t netns)
{
    struct snapshot *snapshot = collection->snapshot;
    struct inet_dump dump = {
        .collection = collection,
        .source = source,
        .netns = netns,
        .netlink = NETLINK_INIT,
        .states = collection->request->states & STATE_ALL,
        .enrich_only = (collection->protos_done & PROTO_BIT(source->proto)) != 0,
    };
    uint32_t before = snapshot->sockets_count;
    int r = netlink_open(NETLINK_SOCK_DIAG, &dump.netlink);
    bool got_rows;

    if (r == 0)
        r = dump_source(&dump);
    netlink_close(&dump.netlink);
    if (dump.no_memory)
        return -ENOMEM;
    got_rows = r == 0 || snapshot->sockets_count > before;
    if (r < 0)
        note_failure(&dump, r, got_rows);
    if (dump.enrich_only || !got_rows)
        return 0;
    snapshot_source(snapshot, source->name,
                    dump.in_parts ? "sock_diag, dumps united by cookie" : "sock_diag, in one part");
    collection->protos_read |= PROTO_BIT(source->proto);
    return 0;
}

/* The protocols of which another source would leave out something that is asked for. */
static uint32_t lacking_details(const struct request *request)
{
    uint32_t tcp = request->needs & NEED_DETAILS_OF_DIAG ? PROTO_BIT(PROTO_TCP) : 0;

    return tcp | (request->needs & NEED_DETAILS ? ~PROTO_BIT(PROTO_TCP) : 0);
}

/* The kernel has one table for all namespaces, and looks through all of it for each. */
static uint32_t empty_protos(const struct request *request)
{
    struct sockstat sockstat;

    if (sockstat_read(&sockstat) < 0 || sockstat.tcp > 0)
        return 0;
    if (sockstat.used == 0)
        return PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP);
    return request->states & STATE_BIT(STATE_BOUND_INACTIVE) ? 0 : PROTO_BIT(PROTO_TCP);
}

static int collect_netns(struct collection *collection, uint32_t netns)
{
    const struct request *request = collection->request;
    uint32_t wanted = request->protos & ~(collection->protos_done & ~lacking_details(request));
    struct protocols protocols = {0};
    int r = 0;

    wanted &= ~collection_file_protos(collection);
    if (request->needs & NEED_TCP_FILE && request->sources & SOURCE_PROC_NET)
        wanted &= ~PROTO_BIT(PROTO_TCP);
    if (wanted & ~(PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP)))
        protocols = protocols_read();
    if (wanted)
        protocols.unused |= empty_protos(request);
    for (size_t i = 0; i < ARRAY_SIZE(inet_sources) && r == 0; i++) {
        uint32_t bit = wanted & PROTO_BIT(inet_sources[i].proto);

        if (bit & protocols.absent)
            collection->failures[inet_sources[i].proto] = -ENOENT;
        else if (bit & protocols.unused)
            collection->protos_unused |= bit;
        else if (bit)
            r = collect_source(collection, &inet_sources[i], netns);
    }
    return r;
}

/* Another source would bring once more what was read in the other namespaces. */
static void note_unread_namespace(struct collection *collection, const struct inet_source *source)
{
    int error = collection->failures[source->proto];

    if (error < 0 && collection->protos_read & PROTO_BIT(source->proto))
        snapshot_note(collection->snapshot, NOTE_INCOMPLETE, "sock_diag", error,
                      "%s sockets of some network namespace are missing", source->name);
}

static int collect_inet_diag(struct collection *collection)
{
    int r;

    collection->protos_read = 0;
    collection->protos_unused = 0;
    r = inet_diag_read_dump(collection);
    if (r == 0)
        r = netns_for_each(collection, collect_netns);
    for (size_t i = 0; i < ARRAY_SIZE(inet_sources); i++) {
        note_unread_namespace(collection, &inet_sources[i]);
        if (collection->failures[inet_sources[i].proto] == 0)
            collection->protos_read |= collection->protos_unused & PROTO_BIT(inet_sources[i].proto);
    }
    collection->protos_done |= collection->protos_read;
    return r;
}

int inet_diag_try(enum socket_proto proto)
{
    const struct request request = {.families = FAMILY_BIT(AF_INET)};
    struct collection collection = {.request = &request};
    struct inet_dump dump = {
        .collection = &collection,
        .netlink = NETLINK_INIT,
        .as_it_comes = true,
    };
    int r = -EPROTONOSUPPORT;

    for (size_t i = 0; i < ARRAY_SIZE(inet_sources); i++)
        if (inet_sources[i].proto == proto)
            dump.source = &inet_sources[i];
    if (dump.source)
        r = netlink_open(NETLINK_SOCK_DIAG, &dump.netlink);
    if (r == 0)
        r = dump_families(&dump);
    netlink_close(&dump.netlink);
    return r;
}

int inet_diag_write_dump(const struct request *request, struct buf *out)
{
    struct collection collection = {.request = request};
    struct inet_dump dump = {
        .collection = &collection,
        .source = &inet_sources[0],
        .netlink = NETLINK_INIT,
        .states = request->states,
        .as_it_comes = true,
    };
    int r = netlink_open(NETLINK_SOCK_DIAG, &dump.netlink);

    if (r == 0) {
        dump.netlink.copy = out;
        r = dump_families(&dump);
    }
    netlink_close(&dump.netlink);
    return r < 0 ? r : buf_flush(out);
}

const struct collector collector_inet_diag = {
    .name = "sock_diag (inet)",
    .provides = NEED_SOCKETS,
    .source = SOURCE_SOCK_DIAG,
    .collect = collect_inet_diag,
};
