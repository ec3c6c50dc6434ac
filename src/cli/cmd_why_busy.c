/* SPDX-License-Identifier: MIT */
/* nwho why-busy: why bind() to a port fails, also where no other tool shows an owner. */
#include "cli/session.h"

#include "base/escape.h"
#include "collect/netns.h"
#include "table/cells.h"
#include "table/socket_text.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct port {
    unsigned int proto; /* PROTO_TCP or PROTO_UDP */
    uint16_t number;
};

static int parse_number(const char *text, const char *proto, uint16_t *ret_number)
{
    const struct servent *service;
    char *end;
    unsigned long number;

    if (*text < '0' || *text > '9') {
        service = getservbyname(text, proto);
        if (service)
            *ret_number = ntohs((uint16_t)service->s_port);
        return service ? 0 : -EINVAL;
    }
    number = strtoul(text, &end, 10);
    if (*end || number == 0 || number > 65535)
        return -EINVAL;
    *ret_number = (uint16_t)number;
    return 0;
}

/* "tcp/9000", "9000/udp", ":9000", "9000", "http" (tcp). -EPROTONOSUPPORT: neither tcp nor udp. */
static int parse_port(const char *word, struct port *ret_port)
{
    size_t length = strcspn(word, "/");
    const char *behind = word[length] ? word + length + 1 : NULL;
    char before[64];
    const char *number = before;

    ret_port->proto = PROTO_TCP;
    if (length >= sizeof(before))
        return -EINVAL;
    memcpy(before, word, length);
    before[length] = '\0';
    if (behind && socket_proto_parse(before, &ret_port->proto) == 0)
        number = behind;
    else if (behind && socket_proto_parse(behind, &ret_port->proto) < 0)
        return -EINVAL;
    else if (!behind && *before == ':')
        number++;
    if (ret_port->proto != PROTO_TCP && ret_port->proto != PROTO_UDP)
        return -EPROTONOSUPPORT;
    return parse_number(number, socket_proto_name(ret_port->proto), &ret_port->number);
}

/*
 * What bind() itself says, for the wildcard of a family. The socket is closed at once, nothing
 * listens. *ret_tried: whether there was a socket to try it with; the error is else that of
 * socket().
 */
static int try_bind(struct port port, int family, bool reuse, bool v6only, bool *ret_tried)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(port.number)};
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6, .sin6_port = htons(port.number)};
    int type = port.proto == PROTO_UDP ? SOCK_DGRAM : SOCK_STREAM, on = 1, only = v6only;
    CLEANUP_CLOSE int fd = socket(family, type | SOCK_CLOEXEC, 0);
    int r;

    *ret_tried = fd >= 0;
    if (fd < 0)
        return -errno;
    if (reuse)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    r = family == AF_INET ? bind(fd, (struct sockaddr *)&inet, sizeof(inet))
                          : bind(fd, (struct sockaddr *)&inet6, sizeof(inet6));
    return r < 0 ? -errno : 0;
}

static void put_result(struct buf *out, int error, bool tried)
{
    if (error == 0)
        buf_puts(out, "works");
    else if (error == -EAFNOSUPPORT)
        buf_puts(out, "is not possible: the kernel has no such family");
    else if (!tried)
        buf_printf(out, "was not tried: there was no socket for it: %s", strerror(-error));
    else if (error == -EACCES)
        buf_puts(out, "fails: Permission denied (a port below "
                      "net.ipv4.ip_unprivileged_port_start takes CAP_NET_BIND_SERVICE)");
    else
        buf_printf(out, "fails: %s", strerror(-error));
    buf_byte(out, '\n');
}

/* --- what bind() says --- */

struct trial {
    struct session *session;
    struct port port;
    struct buf *out;
    uint32_t namespaces; /* in which it was tried */
    bool busy;
    int untried; /* the error, where there was no socket to try with; 0: all were tried */
};

/* With several namespaces each is named. */
static void put_netns(struct session *session, struct buf *out, uint32_t netns)
{
    struct value name = netns_label(&session->now->view, netns);

    if (session->request.netns_scope != NETNS_SCOPE_ALL && session->request.netns_count < 2)
        return;
    buf_puts(out, "netns ");
    if (name.type == VALUE_STRING)
        escape_text(out, name.string.bytes, name.string.length);
    buf_byte(out, '\n');
}

static int try_in_namespace(void *context, uint32_t netns)
{
    static const struct {
        int family;
        bool reuse, v6only;
        const char *text;
    } attempts[] = {
        {AF_INET6, false, false, "bind() to [::] (v4+v6)"},
        {AF_INET6, true, false, "  with SO_REUSEADDR"},
        {AF_INET, false, false, "bind() to 0.0.0.0"},
        {AF_INET, true, false, "  with SO_REUSEADDR"},
        {AF_INET6, false, true, "bind() to [::] (v6 only)"},
        {AF_INET6, true, true, "  with SO_REUSEADDR"},
    };
    struct trial *trial = context;

    put_netns(trial->session, trial->out, netns);
    for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
        bool tried;
        int r = try_bind(trial->port, attempts[i].family, attempts[i].reuse, attempts[i].v6only,
                         &tried);

        buf_printf(trial->out, "%-24s ", attempts[i].text);
        put_result(trial->out, r, tried);
        trial->busy |= tried && r == -EADDRINUSE;
        if (!tried && r != -EAFNOSUPPORT)
            trial->untried = r;
    }
    trial->namespaces++;
    return 0;
}

/*
 * *ret_busy is left alone where it could not be tried: then the table alone must tell. What could
 * only be tried in part, and says nothing, is incomplete.
 */
static int put_attempts(struct session *session, struct port port, struct buf *out, bool *ret_busy)
{
    struct trial trial = {.session = session, .port = port, .out = out};
    int r;

    if (session->options->replay) {
        buf_puts(out, "bind() was not tried: this is a recording\n");
        return 0;
    }
    r = netns_visit(&session->now->snapshot, try_in_namespace, &trial);
    if (r < 0)
        return command_error("cannot come back from a network namespace: %s", strerror(-r));
    if (trial.namespaces && (trial.busy || !trial.untried))
        *ret_busy = trial.busy;
    else if (trial.untried && !*ret_busy)
        snapshot_note(&session->now->snapshot, NOTE_INCOMPLETE, "socket", trial.untried,
                      "whether the port can be bound was not tried to the end");
    if (!trial.namespaces)
        buf_puts(out, "bind() was not tried: the network namespace could not be entered\n");
    return 0;
}

/* --- who is in the way --- */

/* In what way; in the order in which they are told. */
enum way {
    WAY_LISTENS,
    WAY_BOUND,
    WAY_RECEIVES,
    WAY_CONNECTED_DATAGRAM,
    WAY_CONNECTION,
    WAY_TIME_WAIT,
    WAY_MAX,
};

static enum way way_of(const struct socket *socket)
{
    switch (socket->state) {
    case STATE_LISTENING:
        return WAY_LISTENS;
    case STATE_BOUND_INACTIVE:
        return WAY_BOUND;
    case STATE_UNCONNECTED:
        return WAY_RECEIVES;
    case STATE_TIME_WAIT:
        return WAY_TIME_WAIT;
    default:
        return socket->proto == PROTO_UDP ? WAY_CONNECTED_DATAGRAM : WAY_CONNECTION;
    }
}

static const char *advice(enum way way)
{
    static const char *const texts[WAY_MAX] = {
        [WAY_LISTENS] = "listens here: stop that service, or use another port or address",
        [WAY_BOUND] = "is bound here, but neither listens nor is connected: ss -l, netstat and "
                      "lsof -i do not show it",
        [WAY_RECEIVES] = "is bound here and receives: stop that service, or use another port or "
                         "address",
        [WAY_CONNECTED_DATAGRAM] =
            "is connected and keeps the port until it is closed: use another "
            "port or address",
        [WAY_CONNECTION] =
            "is a connection that uses the port: a server that sets SO_REUSEADDR can "
            "bind beside it, if the one before did too",
        [WAY_TIME_WAIT] = "is a closed connection that waits for stray packets: a server that sets "
                          "SO_REUSEADDR can bind, if the one before did too",
    };

    return texts[way];
}

/* Sockets that differ only in their peer and descriptor are told as one. */
struct alike {
    uint32_t row; /* of the first */
    uint32_t count;
};

struct telling {
    struct session *session;
    struct buf *out;
    struct buf pids;     /* that would have to end */
    uint32_t last_pid;   /* of them */
    uint32_t count;      /* sockets of this way */
    uint32_t longest_ms; /* until the last timer fires */
};

static const struct process *main_owner(struct session *session, uint32_t row)
{
    const struct frame *now = session->now;

    if (!now->join.sockets[row].holder_count)
        return NULL;
    return &now->snapshot.processes[join_holder(&now->snapshot, &now->join, row, 0)->process];
}

static bool is_alike(struct session *session, uint32_t a, uint32_t b)
{
    const struct frame *now = session->now;
    const struct socket *x = &now->snapshot.sockets[a], *y = &now->snapshot.sockets[b];

    return x->netns == y->netns && x->proto == y->proto && x->state == y->state &&
           x->family == y->family && x->ifindex == y->ifindex &&
           memcmp(&x->local, &y->local, sizeof(x->local)) == 0 &&
           main_owner(session, a) == main_owner(session, b) &&
           now->join.sockets[a].reason == now->join.sockets[b].reason;
}

static void put_value(struct buf *out, struct value value)
{
    if (value.type == VALUE_STRING)
        escape_text(out, value.string.bytes, value.string.length);
}

/* "tcp 10.0.0.1:80  established  nginx(1187) fd 9", or "...:80  100 x established  nginx(1187)" */
static void put_alike(struct telling *telling, const struct alike *alike)
{
    const struct view *view = &telling->session->now->view;
    const struct socket *socket = &view->snapshot->sockets[alike->row];
    const struct process *owner = main_owner(telling->session, alike->row);
    struct buf *out = telling->out;

    buf_puts(out, socket_proto_name(socket->proto));
    buf_byte(out, ' ');
    put_value(out, socket_local_text(view, alike->row));
    buf_puts(out, "  ");
    if (alike->count > 1)
        buf_printf(out, "%u x ", alike->count);
    buf_printf(out, "%s  ", socket_state_name(socket->state));
    if (alike->count > 1 && owner) {
        put_value(out, cell_string(view, owner->comm));
        buf_printf(out, "(%u)", owner->pid);
    } else {
        put_value(out, socket_owner_text(view, alike->row));
    }
    buf_byte(out, '\n');
    if (owner && owner->pid != telling->last_pid) {
        buf_printf(&telling->pids, " %u", owner->pid);
        telling->last_pid = owner->pid;
    }
}

static void put_advice(struct telling *telling, enum way way)
{
    struct buf *out = telling->out;

    buf_printf(out, "  %s%s", telling->count > 1 ? "each " : "", advice(way));
    if (way == WAY_TIME_WAIT)
        buf_printf(out, "; the last one waits for %u s more", telling->longest_ms / 1000 + 1);
    if (way == WAY_BOUND && telling->pids.length)
        buf_printf(out, ". Free it: kill%s", buf_string(&telling->pids));
    buf_byte(out, '\n');
}

static void put_way(struct session *session, const struct grid *grid, enum way way, struct buf *out)
{
    struct telling telling = {.session = session, .out = out, .pids = BUF_INIT};
    struct alike alike = {0};

    for (uint32_t i = 0; i < grid->row_count; i++) {
        const struct socket *socket = &session->now->snapshot.sockets[grid->rows[i]];

        if (way_of(socket) != way)
            continue;
        telling.count++;
        if (socket->timer_ms > telling.longest_ms)
            telling.longest_ms = socket->timer_ms;
        if (alike.count && is_alike(session, alike.row, grid->rows[i])) {
            alike.count++;
            continue;
        }
        if (alike.count)
            put_alike(&telling, &alike);
        alike = (struct alike){.row = grid->rows[i], .count = 1};
    }
    if (alike.count) {
        put_alike(&telling, &alike);
        put_advice(&telling, way);
    }
    if (telling.pids.error && !out->error)
        out->error = telling.pids.error;
    buf_done(&telling.pids);
}

static int show_text(struct session *session, const struct grid *grid, struct port port)
{
    const struct options *options = session->options;
    struct buf out = BUF_INIT;
    bool busy = grid->row_count > 0;
    int r = put_attempts(session, port, &out, &busy);

    if (grid->row_count)
        buf_byte(&out, '\n');
    for (unsigned int way = 0; way < WAY_MAX; way++)
        put_way(session, grid, way, &out);
    if (grid->row_count == 0)
        buf_printf(&out, "\nno socket uses %s port %u%s\n", socket_proto_name(port.proto),
                   port.number,
                   busy ? " that can be seen from here: it may be held by the kernel, or by a "
                          "socket that is being closed"
                        : "");
    if (options->quiet)
        buf_reset(&out);
    if (r == 0)
        r = session_output(session, &out);
    buf_done(&out);
    session_notes(session);
    if (r == 0 && !busy)
        session_hint_netns(session);
    return r ? r : session_exit(session, busy);
}

/* Rows that are alike stand side by side. */
static int answer(struct session *session, struct query *query, struct port port)
{
    static const char *const keys[] = {"netns", "proto", "state", "local", "pid", "owner_note"};
    struct grid grid;
    int r;

    query->sort_count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        query->sort[query->sort_count++].column = table_column(query->table, keys[i]);
    r = session_plan(session, query);
    if (r == 0)
        r = session_select(session, query, &grid);
    if (r != 0)
        return r;
    r = show_text(session, &grid, port);
    grid_done(&grid);
    return r;
}

static int take_port(const struct options *options, struct port *ret_port)
{
    int r = options->word_count == 1 ? parse_port(options->words[0], ret_port) : -EINVAL;

    if (r == -EPROTONOSUPPORT)
        return command_error("why-busy tries bind() for tcp and udp only, not for %s",
                             socket_proto_name(ret_port->proto));
    if (r < 0 && options->word_count == 1)
        return command_error("why-busy: \"%s\" is no port: nwho why-busy 9000, tcp/9000 or udp/53",
                             options->words[0]);
    return r < 0 ? command_error("why-busy needs one port: nwho why-busy tcp/9000") : 0;
}

static int run_why_busy(struct options *options)
{
    struct session session;
    struct query query = {.table = &table_sockets};
    struct port port = {.number = 0};
    char text[64];
    int r = session_begin(&session, options);

    if (r == 0)
        r = take_port(options, &port);
    snprintf(text, sizeof(text), "%s and sport :%u",
             port.proto == PROTO_UDP ? "udp" : "(tcp or mptcp)", port.number);
    if (r == 0)
        r = session_own_filter(&session, &query, text);
    if (r == 0)
        r = session_columns(&session, &query, NULL);
    if (r == 0 && options->format != FORMAT_TEXT)
        r = session_show(&session, &query);
    else if (r == 0)
        r = answer(&session, &query, port);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho why-busy tcp/9000",
    "who is in the way, what bind() says, and how to free the port",
    NULL,
};

const struct command command_why_busy = {
    .name = "why-busy",
    .arguments = "PROTO/PORT",
    .summary = "why bind() fails, even where no other tool shows an owner",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT,
    .run = run_why_busy,
};
