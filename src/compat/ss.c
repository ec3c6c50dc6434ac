/* SPDX-License-Identifier: MIT */
/* ss(8) of iproute2 6.1: the same output and exit status. */
#include "collect/destroy.h"
#include "collect/inet_diag_dump.h"
#include "compat/moment.h"
#include "compat/personality.h"
#include "compat/ss_events.h"
#include "compat/ss_files.h"
#include "compat/ss_row.h"
#include "compat/ss_select.h"
#include "compat/ss_unix_file.h"

#include <fcntl.h>
#include <sys/socket.h>

#define EXIT_FOLLOWED 255 /* -E ends only when it fails */

/* The tables in the order in which ss shows them, with what each is made of. */
struct shown_table {
    uint32_t tables; /* SS_TABLE_BIT()s */
    enum socket_proto proto;
    int family; /* that has to be asked for; AF_INET: or AF_INET6 */
};

static const struct shown_table shown_tables[] = {
    {SS_TABLE_BIT(SS_TABLE_NETLINK), PROTO_NETLINK, AF_NETLINK},
    {SS_TABLE_BIT(SS_TABLE_PACKET_DGRAM) | SS_TABLE_BIT(SS_TABLE_PACKET_RAW), PROTO_PACKET,
     AF_PACKET},
    {SS_TABLE_BIT(SS_TABLE_UNIX_DGRAM) | SS_TABLE_BIT(SS_TABLE_UNIX_STREAM) |
         SS_TABLE_BIT(SS_TABLE_UNIX_SEQPACKET),
     PROTO_UNIX, AF_UNIX},
    {SS_TABLE_BIT(SS_TABLE_RAW), PROTO_RAW, AF_INET},
    {SS_TABLE_BIT(SS_TABLE_UDP), PROTO_UDP, AF_INET},
    {SS_TABLE_BIT(SS_TABLE_TCP), PROTO_TCP, AF_INET},
    {SS_TABLE_BIT(SS_TABLE_DCCP), PROTO_DCCP, AF_INET},
    {SS_TABLE_BIT(SS_TABLE_SCTP), PROTO_SCTP, AF_INET},
    {SS_TABLE_BIT(SS_TABLE_VSOCK_STREAM) | SS_TABLE_BIT(SS_TABLE_VSOCK_DGRAM), PROTO_VSOCK,
     AF_VSOCK},
    {SS_TABLE_BIT(SS_TABLE_MPTCP), PROTO_MPTCP, AF_INET},
};

#define INET_FAMILIES (SS_FAMILY_BIT(AF_INET) | SS_FAMILY_BIT(AF_INET6))

static bool is_shown(const struct ss_selection *selection, const struct shown_table *table)
{
    uint64_t families = table->family == AF_INET ? INET_FAMILIES : SS_FAMILY_BIT(table->family);

    if (!(selection->tables & table->tables) || !(selection->families & families))
        return false;
    /* These have no other state, and are not even asked for. */
    return (table->family != AF_PACKET && table->family != AF_NETLINK) ||
           selection->states & STATE_BIT(STATE_UNCONNECTED);
}

/* The kernel's tables: one dump each, whatever types of socket are shown of it. */
static void narrow_request(const struct ss_options *options, struct request *request)
{
    const struct ss_selection *selection = &options->selection;

    request->protos = 0;
    for (size_t i = 0; i < ARRAY_SIZE(shown_tables); i++)
        if (is_shown(selection, &shown_tables[i]))
            request->protos |= PROTO_BIT(shown_tables[i].proto);
    request->states = selection->states;
    request->families = (uint32_t)(selection->families & INET_FAMILIES);
    request->verbatim = true;
    if (!options->numeric)
        request->needs |= NEED_PORT_NAMES | NEED_PORT_RANGE;
    /* No column: that of cgroups would look for owners too. */
    if (options->details || options->cgroup)
        request->needs |= NEED_SOCKET_CGROUP;
    if (options->details)
        request->needs |= NEED_UNIX_DETAILS;
    if (options->details || options->bpf)
        request->needs |= NEED_PACKET_DETAILS;
    if (options->tcp_info)
        request->needs |= NEED_CONGESTION;
    if (options->tos)
        request->needs |= NEED_IP_OPTIONS;
}

/* The facts that the options ask for, by the columns that have them. */
static int add_columns(const struct ss_options *options, struct query *query)
{
    const struct {
        bool wanted;
        const char *column;
    } columns[] = {
        {true, "iface"},
        {options->processes || options->threads, "pid"},
        {options->threads, "tid"},
        {options->memory, "skmem_bytes"},
        {options->tcp_info, "rtt_us"},
        {options->tcp_info, "cc"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        const struct column *column = table_column(query->table, columns[i].column);

        if (!columns[i].wanted)
            continue;
        if (!column)
            return -ENOENT;
        query->columns[query->column_count++] = column;
    }
    return 0;
}

/* Packet sockets are shown whatever their type is. */
static bool is_type_shown(const struct ss_selection *selection, const struct socket *socket)
{
    enum ss_table table;

    switch (socket->family) {
    case AF_UNIX:
        table = socket->type == SOCK_STREAM      ? SS_TABLE_UNIX_STREAM
                : socket->type == SOCK_SEQPACKET ? SS_TABLE_UNIX_SEQPACKET
                                                 : SS_TABLE_UNIX_DGRAM;
        break;
    case AF_VSOCK:
        table = socket->type == SOCK_STREAM ? SS_TABLE_VSOCK_STREAM : SS_TABLE_VSOCK_DGRAM;
        break;
    default:
        return true;
    }
    return (selection->tables & SS_TABLE_BIT(table)) != 0;
}

/* Of the families that were named, sock_diag is only asked for the last; files are read for all. */
static bool is_family_asked(const struct ss_selection *selection, const struct socket *socket)
{
    bool preferred =
        selection->preferred_family == AF_INET || selection->preferred_family == AF_INET6;

    return !preferred || socket->family == selection->preferred_family ||
           !(socket->has & SOCKET_HAS_COOKIE);
}

/* For a file of unix sockets more states are asked for than are shown. */
static bool is_state_shown(const struct ss_selection *selection, const struct socket *socket)
{
    return socket->proto == PROTO_NETLINK || socket->proto == PROTO_PACKET ||
           selection->states & STATE_BIT(ss_shown_state(socket));
}

/* Names of unix sockets are compared as they are shown. */
static bool is_accepted(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *path = writer->view->scratch;
    const char *name;
    size_t length;

    if (!writer->filter->root)
        return true;
    if (socket->family != AF_UNIX)
        return ss_filter_accepts(writer->filter, writer->names, socket, NULL);
    name = snapshot_string(writer->view->snapshot, socket->path, &length);
    if (!(socket->has & SOCKET_HAS_COOKIE))
        length = ss_unix_file_name(name, length);
    buf_reset(path);
    if (socket->flags & SOCKET_ABSTRACT)
        buf_byte(path, '@');
    for (size_t i = 0; i < length; i++)
        buf_byte(path, name[i] ? name[i] : '@');
    buf_byte(path, '\0');
    return ss_filter_accepts(writer->filter, writer->names, socket,
                             path->length > 1 ? path->data : NULL);
}

/* Rows stand in the order of the kernel, but for the families: IPv4 is asked for first. */
static void put_rows(struct ss_writer *writer, const struct grid *grid, enum socket_proto proto,
                     int family)
{
    const struct ss_selection *selection = &writer->options->selection;

    for (uint32_t i = 0; i < grid->row_count; i++) {
        const struct socket *socket = &writer->view->snapshot->sockets[grid->rows[i]];

        if (socket->proto == proto && (family == AF_UNSPEC || socket->family == family) &&
            is_type_shown(selection, socket) &&
            (family == AF_UNSPEC ||
             (is_family_asked(selection, socket) && is_state_shown(selection, socket))) &&
            is_accepted(writer, socket))
            ss_row(writer, grid->rows[i]);
    }
}

static int put_unix_file(struct ss_writer *writer, const struct grid *grid)
{
    const struct snapshot *snapshot = writer->view->snapshot;
    CLEANUP_FREE uint32_t *rows = calloc(grid->row_count + 1u, sizeof(*rows));
    uint32_t count = 0;

    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < grid->row_count; i++) {
        const struct socket *socket = &snapshot->sockets[grid->rows[i]];

        if (socket->proto == PROTO_UNIX && is_type_shown(&writer->options->selection, socket) &&
            is_state_shown(&writer->options->selection, socket))
            rows[count++] = grid->rows[i];
    }
    ss_unix_file_sort(snapshot, rows, count);
    for (uint32_t i = 0; i < count; i++)
        if (is_accepted(writer, &snapshot->sockets[rows[i]]))
            ss_row(writer, rows[i]);
    return 0;
}

/* Of a kept answer of the kernel everything is shown. */
static int put_table(struct ss_writer *writer, const struct request_files *files,
                     const struct grid *grid, const struct shown_table *table)
{
    bool is_file = files->protos & PROTO_BIT(table->proto);

    if (is_file && table->proto == PROTO_UNIX)
        return put_unix_file(writer, grid);
    if (table->family != AF_INET || (is_file && table->proto == PROTO_TCP && files->tcp_dump)) {
        put_rows(writer, grid, table->proto, AF_UNSPEC);
    } else {
        put_rows(writer, grid, table->proto, AF_INET);
        put_rows(writer, grid, table->proto, AF_INET6);
    }
    return 0;
}

static int print(struct ss_writer *writer, const struct request_files *files,
                 const struct grid *grid)
{
    const struct ss_options *options = writer->options;
    int r = 0;

    ss_layout_init(&writer->layout);
    writer->layout.columns[SS_COLUMN_NETID].hidden = ss_is_one_bit(options->selection.tables);
    writer->layout.columns[SS_COLUMN_STATE].hidden = ss_is_one_bit(options->selection.states);
    if (options->header)
        ss_layout_header(&writer->layout);
    for (size_t i = 0; i < ARRAY_SIZE(shown_tables) && r == 0; i++)
        if (is_shown(&options->selection, &shown_tables[i]))
            r = put_table(writer, files, grid, &shown_tables[i]);
    if (r == 0)
        r = ss_layout_finish(&writer->layout);
    ss_layout_done(&writer->layout);
    return r;
}

static bool is_killed(const struct moment *moment, const struct socket *socket)
{
    const struct request_files *files = moment->request.files;

    return (socket->family == AF_INET || socket->family == AF_INET6) &&
           !(files->protos & PROTO_BIT(socket->proto));
}

/* -K shows what it closes: what the kernel does not close goes from the grid. */
static int kill_sockets(struct ss_writer *writer, struct moment *moment, struct grid *grid)
{
    CLEANUP_FREE uint32_t *rows = calloc(grid->row_count + 1u, sizeof(*rows));
    CLEANUP_FREE int *errors = calloc(grid->row_count + 1u, sizeof(*errors));
    uint32_t others = 0, count = 0;
    int r;

    if (!rows || !errors)
        return -ENOMEM;
    for (uint32_t i = 0; i < grid->row_count; i++) {
        const struct socket *socket = &moment->snapshot.sockets[grid->rows[i]];

        if (!is_killed(moment, socket))
            grid->rows[others++] = grid->rows[i];
        else if (is_family_asked(&writer->options->selection, socket) &&
                 is_accepted(writer, socket))
            rows[count++] = grid->rows[i];
    }
    r = destroy_sockets(&moment->snapshot, rows, count, errors);
    grid->row_count = others;
    for (uint32_t i = 0; r == 0 && i < count; i++)
        if (errors[i] == 0)
            grid->rows[grid->row_count++] = rows[i];
    return r;
}

/* What every row of a unix socket lacks then looks like an answer: that it has no other end. */
static void complain_of_peers(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->notes_count; i++)
        if (strcmp(snapshot_string(snapshot, snapshot->notes[i].source, NULL), NOTE_SOURCE_UNIX) ==
            0)
            ss_complain("%s", snapshot_string(snapshot, snapshot->notes[i].text, NULL));
}

/*
 * 0; 1: something is missing, which has been said; or -errno. What is wrong with files that the
 * environment names is said, and no more: the real tool ends with 0.
 */
static int answer(const struct ss_options *options, const struct ss_filter *filter,
                  struct moment *moment, struct grid *grid)
{
    const struct request_files *files = moment->request.files;
    struct ss_names names = {.snapshot = &moment->snapshot};
    struct ss_writer writer = {
        .options = options, .filter = filter, .view = &moment->view, .names = &names};
    int r = options->kill ? kill_sockets(&writer, moment, grid) : 0;
    bool owners = options->processes && files->proc;

    if (r == 0)
        r = print(&writer, files, grid);
    complain_of_peers(&moment->snapshot);
    if (r == 0 && !moment_check(moment, &names.hosts, "ss", owners) &&
        !request_files_stand_for_machine(files))
        r = 1;
    ss_names_done(&names);
    return r;
}

/* Which files the environment names. Datagram sockets of a file are not in the state they show. */
static void add_files(struct ss_files *files, struct request *request)
{
    request->files = ss_files_find(files, &request->protos);
    if (request->files->protos & PROTO_BIT(PROTO_UNIX) &&
        request->states & STATE_BIT(STATE_ESTABLISHED))
        request->states |= STATE_BIT(STATE_UNCONNECTED);
}

static int show(const struct ss_options *options, struct ss_filter *filter)
{
    struct query query = {.table = &table_sockets, .as_found = true};
    struct ss_files files;
    struct moment moment;
    struct grid grid;
    int r;

    moment_init(&moment);
    narrow_request(options, &moment.request);
    add_files(&files, &moment.request);
    r = add_columns(options, &query);
    if (r == 0)
        r = ss_filter_push_down(filter, &moment.request);
    if (r == 0)
        r = moment_take(&moment, &query);
    if (r == 0)
        r = query_run(&query, &moment.view, &grid);
    if (r == 0) {
        r = answer(options, filter, &moment, &grid);
        grid_done(&grid);
    }
    moment_done(&moment);
    return r;
}

static int write_dump(const struct ss_options *options, struct buf *out)
{
    struct query query = {.table = &table_sockets};
    struct moment moment;
    int preferred = options->selection.preferred_family, r;

    moment_init(&moment);
    narrow_request(options, &moment.request);
    if (preferred == AF_INET || preferred == AF_INET6)
        moment.request.families = 1u << preferred;
    r = add_columns(options, &query);
    if (r == 0)
        r = query_plan(&query, &moment.arena, &moment.request);
    if (r == 0)
        r = inet_diag_write_dump(&moment.request, out);
    moment_done(&moment);
    return r;
}

/* -D: no expression counts, and nothing is an error. */
static int dump(const struct ss_options *options)
{
    const char *name = options->dump_file;
    CLEANUP_CLOSE int fd = -1;
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int r = 0;

    if (!(options->selection.tables & SS_TABLE_BIT(SS_TABLE_TCP))) {
        ss_complain("-D writes TCP sockets, of which there are none in what was asked for");
        return 0;
    }
    if (*name != '-') {
        fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        r = fd < 0 ? -errno : 0;
        out.fd = fd;
    }
    if (r == 0)
        r = write_dump(options, &out);
    if (r < 0 && r != -EPIPE)
        ss_complain("-D %s: %s", name, strerror(-r));
    buf_done(&out);
    return 0;
}

/* What leaves nothing to show is told, and is no error. */
static bool is_empty(const struct ss_selection *selection)
{
    if (!selection->tables)
        ss_complain("no socket tables to show with such filter.");
    else if (!selection->families)
        ss_complain("no families to show with such filter.");
    else if (!selection->states)
        ss_complain("no socket states to show with such filter.");
    else
        return false;
    return true;
}

static int run(int argc, char **argv)
{
    struct ss_options options;
    struct ss_filter filter;
    uint32_t groups = 0;
    int status, r;

    if (ss_options_parse(argc, argv, &options, &status) != 0)
        return status;
    if (options.dump_file)
        return dump(&options);
    if (is_empty(&options.selection))
        return 0;
    if (ss_filter_parse(&filter, &options, &status) != 0)
        return status;
    if (options.events && ss_events_groups(&options.selection, &groups) < 0)
        r = -EOPNOTSUPP;
    else
        r = options.events ? ss_events(&options, &filter, groups) : show(&options, &filter);
    ss_filter_done(&filter);
    if (r == 0 || r == -EPIPE)
        return 0;
    if (r < 0)
        ss_complain("%s", strerror(-r));
    return options.events ? EXIT_FOLLOWED : SS_EXIT_FAILED;
}

const struct personality personality_ss = {
    .name = "ss",
    .summary = "sockets, as ss(8) of iproute2 6.1 shows them",
    .run = run,
};
