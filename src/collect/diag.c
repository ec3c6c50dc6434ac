/* SPDX-License-Identifier: MIT */
/* sock_diag dumps: asking again, taking back what a failed dump brought, saying what is missing. */
#include "collect/diag.h"

#include "collect/netns.h"

#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#define DUMP_TRIES 4

/* That many sockets fit into the first datagram of an answer (a page), whatever their names. */
#define ONE_DATAGRAM 16

/* Bits of the kernel's sk_shutdown (include/net/sock.h). */
#define SHUTDOWN_RECEIVE 1
#define SHUTDOWN_SEND 2

/* Where the arrays of the snapshot ended, to take back what came after. */
struct mark {
    uint32_t sockets, memories, packets, waiting;
};

static struct mark snapshot_mark(const struct snapshot *snapshot)
{
    return (struct mark){.sockets = snapshot->sockets_count,
                         .memories = snapshot->memories_count,
                         .packets = snapshot->packets_count,
                         .waiting = snapshot->unix_waiting_count};
}

static void take_back(struct snapshot *snapshot, struct mark mark)
{
    snapshot->sockets_count = mark.sockets;
    snapshot->memories_count = mark.memories;
    snapshot->packets_count = mark.packets;
    snapshot->unix_waiting_count = mark.waiting;
}

uint32_t diag_states(const struct request *request, enum socket_proto proto)
{
    uint32_t states = request->states;

    if (request->needs & NEED_LISTENERS)
        states |= STATE_BIT(STATE_LISTENING);
    if (request->needs & NEED_SYN_QUEUE)
        states |= STATE_BIT(STATE_SYN_RECV);
    /* The other end of a unix socket may be in a state that was not asked for. */
    if (proto == PROTO_UNIX && request->needs & NEED_UNIX_PEER)
        states = STATE_ALL;
    return states;
}

int diag_add_socket(struct diag_reader *reader, const struct diag_identity *identity,
                    struct socket **ret_socket)
{
    struct snapshot *snapshot = reader->collection->snapshot;
    uint64_t cookie = (uint64_t)identity->cookie[1] << 32 | identity->cookie[0];
    struct socket *socket;

    *ret_socket = NULL;
    /* A netlink socket with groups is in two of the kernel's lists, and is told of twice. */
    if (map_get(&reader->seen, cookie) != MAP_NONE &&
        (identity->proto != PROTO_NETLINK || !reader->collection->request->verbatim))
        return 0;
    socket = snapshot_add_socket(snapshot);
    if (!socket || map_set(&reader->seen, cookie, snapshot->sockets_count - 1) < 0)
        return -ENOMEM;
    socket->netns = reader->netns;
    socket->proto = (uint8_t)identity->proto;
    socket->family = identity->family;
    socket->type = identity->type;
    socket->inode = identity->inode;
    socket->cookie = cookie;
    socket->has = SOCKET_HAS_INODE | SOCKET_HAS_COOKIE;
    *ret_socket = socket;
    return 0;
}

int diag_memory(struct snapshot *snapshot, struct socket *socket, const struct nlattr *attribute)
{
    uint32_t values[SK_MEMINFO_VARS];
    struct socket_memory *memory;
    size_t length = netlink_copy(attribute, values, sizeof(values));

    if (length < SK_MEMINFO_BACKLOG * sizeof(values[0]))
        return 0;
    if (length >= (SK_MEMINFO_DROPS + 1) * sizeof(values[0])) {
        socket->drops = values[SK_MEMINFO_DROPS];
        socket->has |= SOCKET_HAS_DROPS;
    }
    memory = snapshot_add_memory(snapshot, socket);
    if (!memory)
        return -ENOMEM;
    *memory = (struct socket_memory){
        .receive = values[SK_MEMINFO_RMEM_ALLOC],
        .receive_limit = values[SK_MEMINFO_RCVBUF],
        .send = values[SK_MEMINFO_WMEM_ALLOC],
        .send_limit = values[SK_MEMINFO_SNDBUF],
        .forward = values[SK_MEMINFO_FWD_ALLOC],
        .write_queue = values[SK_MEMINFO_WMEM_QUEUED],
        .option = values[SK_MEMINFO_OPTMEM],
        .backlog = values[SK_MEMINFO_BACKLOG],
    };
    return 0;
}

void diag_memory_queues(struct socket *socket, const struct nlattr *attribute)
{
    uint32_t values[SK_MEMINFO_WMEM_ALLOC + 1];

    if (netlink_copy(attribute, values, sizeof(values)) < sizeof(values))
        return;
    socket->recv_q = values[SK_MEMINFO_RMEM_ALLOC];
    socket->send_q = values[SK_MEMINFO_WMEM_ALLOC];
    socket->has |= SOCKET_HAS_QUEUES;
}

uint16_t diag_shutdown_flags(uint8_t shutdown)
{
    return (uint16_t)((shutdown & SHUTDOWN_RECEIVE ? SOCKET_SHUT_RECEIVE : 0) |
                      (shutdown & SHUTDOWN_SEND ? SOCKET_SHUT_SEND : 0));
}

void diag_shutdown(struct socket *socket, uint8_t shutdown)
{
    socket->has |= SOCKET_HAS_SHUTDOWN;
    socket->flags |= diag_shutdown_flags(shutdown);
}

/* Context of the dump callback: tells our own lack of memory from the kernel's. */
struct dump {
    struct diag_reader reader;
    const struct diag_source *source;
    bool is_trial; /* nothing is taken of the answer */
    bool no_memory;
};

static int on_message(void *context, uint16_t type, const void *payload, size_t length)
{
    struct dump *dump = context;
    int r;

    if (type != SOCK_DIAG_BY_FAMILY)
        return 0;
    r = dump->is_trial ? 0 : dump->source->add(&dump->reader, payload, length);
    dump->no_memory = r == -ENOMEM;
    return r;
}

static int dump_once(struct dump *dump, bool *ret_interrupted)
{
    struct {
        struct nlmsghdr header;
        union diag_request body;
    } request = {.header.nlmsg_type = SOCK_DIAG_BY_FAMILY};
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    struct sockaddr_nl address = {0};
    socklen_t length = sizeof(address);
    int r = netlink_open(NETLINK_SOCK_DIAG, &netlink);

    if (r < 0)
        return r;
    if (getsockname(netlink.fd, (struct sockaddr *)&address, &length) == 0)
        dump->reader.port = address.nl_pid;
    request.header.nlmsg_len =
        (uint32_t)NLMSG_LENGTH(dump->source->fill(dump->reader.collection, &request.body));
    return netlink_dump(&netlink, &request.header, on_message, dump, ret_interrupted);
}

int diag_try(const struct request *request, const struct diag_source *source)
{
    struct collection collection = {.request = request};
    struct dump dump = {.reader = {.collection = &collection}, .source = source, .is_trial = true};
    bool interrupted;

    return dump_once(&dump, &interrupted);
}

/* The kernel has no such source, or does not let us use it. */
static bool is_absent(int error)
{
    switch (error) {
    case -ENOENT:
    case -EPROTONOSUPPORT:
    case -EAFNOSUPPORT:
    case -ESOCKTNOSUPPORT:
    case -EOPNOTSUPP:
    case -ENOSYS:
    case -EINVAL:
    case -EPERM:
    case -EACCES:
        return true;
    default:
        return false;
    }
}

static void note_result(struct snapshot *snapshot, const struct diag_source *source, int error,
                        bool interrupted)
{
    if (error < 0)
        snapshot_note(snapshot, NOTE_INCOMPLETE, source->name, error,
                      "%s sockets may be missing: the kernel's answer was cut short in %d tries",
                      source->fact, DUMP_TRIES);
    else if (interrupted)
        snapshot_note(snapshot, NOTE_INFO, source->name, 0,
                      "the %s sockets changed while being read", source->fact);
}

/* The socket that asks is among the answers: each further one would bring another. */
static bool is_self_shown(const struct dump *dump)
{
    return dump->source->proto == PROTO_NETLINK && dump->reader.collection->request->verbatim;
}

/*
 * Asks until there is a whole answer, and unites all of them by cookie: also what one that was cut
 * short has brought are sockets. The kernel goes on from a position in its table, so that an answer
 * of more than one datagram can leave out sockets, or bring them twice, when others come and go
 * meanwhile, and it does not say so: then two whole answers are wanted.
 * *ret_interrupted: every answer was marked as inconsistent by the kernel.
 */
static int dump_united(struct dump *dump, bool *ret_interrupted)
{
    struct snapshot *snapshot = dump->reader.collection->snapshot;
    uint32_t before = snapshot->sockets_count;
    unsigned int whole = 0, marked = 0;
    int r = -EIO;

    for (int try = 0; try < DUMP_TRIES && whole < 2; try++) {
        bool interrupted = false;

        if (is_self_shown(dump))
            snapshot->sockets_count = before;
        r = dump_once(dump, &interrupted);
        if (dump->no_memory || is_absent(r))
            return r;
        marked += r == 0 && interrupted;
        whole += r == 0 && !interrupted;
        if (whole && (snapshot->sockets_count - before <= ONE_DATAGRAM || is_self_shown(dump)))
            break;
    }
    *ret_interrupted = whole == 0 && marked > 0;
    return whole || marked ? 0 : r;
}

static void dump_done(struct dump *dump)
{
    map_done(&dump->reader.seen);
}

/*
 * Reads one namespace, in which the calling thread is. -EPROTONOSUPPORT: the source does not work
 * here (a note says so); -ENOMEM; else 0.
 */
static int read_namespace(struct collection *collection, uint32_t netns)
{
    const struct diag_source *source = *(const struct diag_source **)collection->context;
    struct snapshot *snapshot = collection->snapshot;
    uint32_t before = snapshot->sockets_count;
    CLEANUP(dump_done)
    struct dump dump = {
        .source = source,
        .reader = {.collection = collection,
                   .netns = netns,
                   .states = diag_states(collection->request, source->proto)},
    };
    bool interrupted = false;
    int r = dump_united(&dump, &interrupted);

    if (dump.no_memory)
        return -ENOMEM;
    if (is_absent(r) || (r < 0 && snapshot->sockets_count == before)) {
        collection->failures[source->proto] = r;
        return -EPROTONOSUPPORT;
    }
    note_result(snapshot, source, r, interrupted);
    return 0;
}

int diag_collect(struct collection *collection, const struct diag_source *source)
{
    struct mark mark = snapshot_mark(collection->snapshot);
    int r;

    if (!collection_protos(collection,
                           PROTO_BIT(source->proto) & ~collection_file_protos(collection)))
        return 0;
    collection->context = &source;
    r = netns_for_each(collection, read_namespace);
    collection->context = NULL;
    if (r == 0) {
        collection->protos_done |= PROTO_BIT(source->proto);
        snapshot_source(collection->snapshot, source->fact, "sock_diag");
        return 0;
    }
    if (r == -ENOMEM)
        return r;
    take_back(collection->snapshot, mark);
    if (r != -EPROTONOSUPPORT)
        snapshot_note(collection->snapshot, NOTE_INCOMPLETE, source->name, r,
                      "%s sockets are missing", source->fact);
    return 0;
}
