/* SPDX-License-Identifier: MIT */
/* nwho why-busy: why bind() to a port fails, also where no other tool shows an owner. */
#include "cli/session.h"

#include "base/escape.h"
#include "table/socket_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct port {
    unsigned int proto; /* PROTO_TCP or PROTO_UDP */
    uint16_t number;
};

/* "tcp/9000", "9000/udp", ":9000", "9000" (tcp). */
static int parse_port(const char *word, struct port *ret_port)
{
    bool named = strncmp(word, "tcp/", 4) == 0 || strncmp(word, "udp/", 4) == 0;
    char *end;
    unsigned long number;

    *ret_port = (struct port){.proto = *word == 'u' ? PROTO_UDP : PROTO_TCP};
    if (named)
        word += 4;
    else if (*word == ':')
        word++;
    if (*word < '0' || *word > '9')
        return -EINVAL;
    number = strtoul(word, &end, 10);
    if (!named && strcmp(end, "/udp") == 0)
        ret_port->proto = PROTO_UDP;
    else if (*end && (named || strcmp(end, "/tcp") != 0))
        return -EINVAL;
    if (number == 0 || number > 65535)
        return -EINVAL;
    ret_port->number = (uint16_t)number;
    return 0;
}

/* What bind() itself says, for the wildcard of a family. The socket is closed at once, nothing
 * listens. */
static int try_bind(struct port port, int family, bool reuse)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(port.number)};
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6, .sin6_port = htons(port.number)};
    int type = port.proto == PROTO_UDP ? SOCK_DGRAM : SOCK_STREAM, on = 1;
    CLEANUP_CLOSE int fd = socket(family, type | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return -errno;
    if (reuse)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    r = family == AF_INET ? bind(fd, (struct sockaddr *)&inet, sizeof(inet))
                          : bind(fd, (struct sockaddr *)&inet6, sizeof(inet6));
    return r < 0 ? -errno : 0;
}

static const char *bind_result(int error)
{
    switch (error) {
    case 0:
        return "works";
    case -EADDRINUSE:
        return "fails: Address already in use";
    case -EACCES:
        return "fails: Permission denied (a port below net.ipv4.ip_unprivileged_port_start takes "
               "CAP_NET_BIND_SERVICE)";
    case -EAFNOSUPPORT:
        return "is not possible: the kernel has no such family";
    default:
        return strerror(-error);
    }
}

/* Why a socket is in the way, and what frees the port. */
static void put_reason(struct session *session, struct buf *out, const struct socket *socket,
                       uint32_t row)
{
    const struct socket_join *joined = &session->now->join.sockets[row];

    switch (socket->state) {
    case STATE_LISTENING:
        buf_puts(out, "listens here: stop that service, or use another port or address\n");
        return;
    case STATE_BOUND_INACTIVE:
        buf_puts(out, "is bound here, but neither listens nor is connected: ss -l, netstat and "
                      "lsof -i do not show it. ");
        break;
    case STATE_UNCONNECTED:
        buf_puts(out, "is bound here and receives\n");
        return;
    case STATE_TIME_WAIT:
        buf_printf(out, "is a closed connection that waits for stray packets, for %u s more: ",
                   socket->timer_ms / 1000 + 1);
        buf_puts(out, "a server that sets SO_REUSEADDR can bind, if the one before did too\n");
        return;
    default:
        buf_puts(out, "is a connection that uses the port: a server that sets SO_REUSEADDR can "
                      "bind beside it, if the one before did too\n");
        return;
    }
    if (joined->holder_count) {
        const struct holder *holder =
            join_holder(&session->now->snapshot, &session->now->join, row, 0);

        buf_printf(out, "Free it: kill %u", session->now->snapshot.processes[holder->process].pid);
    }
    buf_byte(out, '\n');
}

static int put_sockets(struct session *session, const struct grid *grid, struct buf *out)
{
    const struct view *view = &session->now->view;

    for (uint32_t i = 0; i < grid->row_count; i++) {
        const struct socket *socket = &view->snapshot->sockets[grid->rows[i]];
        struct value local = socket_local_text(view, grid->rows[i]), owner;

        buf_puts(out, socket_proto_name(socket->proto));
        buf_byte(out, ' ');
        escape_text(out, local.string.bytes, local.string.length);
        buf_printf(out, "  %s  ", socket_state_name(socket->state));
        owner = socket_owner_text(view, grid->rows[i]);
        if (owner.type == VALUE_STRING)
            escape_text(out, owner.string.bytes, owner.string.length);
        buf_puts(out, "\n  ");
        put_reason(session, out, socket, grid->rows[i]);
    }
    return out->error;
}

static bool put_attempts(struct port port, struct buf *out)
{
    static const struct {
        int family;
        bool reuse;
        const char *text;
    } attempts[] = {
        {AF_INET, false, "bind() to 0.0.0.0"},
        {AF_INET, true, "  with SO_REUSEADDR"},
        {AF_INET6, false, "bind() to [::] (v6 only)"},
        {AF_INET6, true, "  with SO_REUSEADDR"},
    };
    bool busy = false;

    for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
        int r = try_bind(port, attempts[i].family, attempts[i].reuse);

        buf_printf(out, "%-24s %s\n", attempts[i].text, bind_result(r));
        busy |= r == -EADDRINUSE;
    }
    return busy;
}

static int show_text(struct session *session, const struct grid *grid, struct port port)
{
    const struct options *options = session->options;
    struct buf out = BUF_INIT;
    bool busy = grid->row_count > 0;
    int r;

    /* Only here can bind() be tried; elsewhere the table alone must tell. */
    if (!options->replay && session->request.netns_scope == NETNS_SCOPE_SELF)
        busy = put_attempts(port, &out);
    if (grid->row_count)
        buf_byte(&out, '\n');
    r = put_sockets(session, grid, &out);
    if (r == 0 && grid->row_count == 0)
        buf_printf(&out, "\nno socket uses %s port %u%s\n", socket_proto_name(port.proto),
                   port.number,
                   busy ? " that can be seen from here: it may be held by the kernel, or by a "
                          "socket that is being closed"
                        : "");
    if (options->quiet)
        buf_reset(&out);
    r = session_output(session, &out);
    session_notes(session);
    return r ? r : session_exit(session, busy);
}

static int run_query(struct session *session, struct query *query, struct port port)
{
    struct grid grid;
    int r = session_take(session);

    if (r != 0)
        return r;
    if (query_run(query, &session->now->view, &grid) < 0)
        return command_error("out of memory");
    r = show_text(session, &grid, port);
    grid_done(&grid);
    return r;
}

static int run_why_busy(struct options *options)
{
    struct session session;
    struct query query = {.table = &table_sockets};
    struct port port = {.number = 0};
    char text[64];
    int r = session_begin(&session, options);

    if (r == 0 && (options->word_count != 1 || parse_port(options->words[0], &port) < 0))
        r = command_error("why-busy needs one port: nwho why-busy tcp/9000");
    snprintf(text, sizeof(text), "%s and sport :%u",
             port.proto == PROTO_UDP ? "udp" : "(tcp or mptcp)", port.number);
    if (r == 0)
        r = session_own_filter(&session, &query, text);
    if (r == 0)
        r = session_columns(&session, &query, NULL);
    if (r == 0 && options->format != FORMAT_TEXT)
        r = session_show(&session, &query);
    else if (r == 0 && (r = session_plan(&session, &query)) == 0)
        r = run_query(&session, &query, port);
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
