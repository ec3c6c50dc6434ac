/* SPDX-License-Identifier: MIT */
/* Reads the machine for lsof: a query of the table of descriptors, and its grid as rows. */
#include "compat/lsof.h"

#include "base/vec.h"
#include "derive/address.h"

#include <string.h>
#include <sys/socket.h>

/* The columns that are asked for; some only when something shows them. */
enum column_index {
    COLUMN_PID,
    COLUMN_COMMAND,
    COLUMN_UID,
    COLUMN_FD,
    COLUMN_PROTO,
    COLUMN_FAMILY,
    COLUMN_STATE,
    COLUMN_INODE,
    COLUMN_LOCAL_ADDR,
    COLUMN_LOCAL_PORT,
    COLUMN_PEER_ADDR,
    COLUMN_PEER_PORT,
    COLUMN_TID,
    COLUMN_ALWAYS, /* up to here */
    COLUMN_RECV_Q = COLUMN_ALWAYS,
    COLUMN_SEND_Q,
    COLUMN_PPID,
    COLUMN_PGID,
    COLUMN_TYPE,
    COLUMN_PATH,
    COLUMN_KERNEL_ADDRESS,
    COLUMN_FLAGS,
    COLUMN_THREADS,
    COLUMN_MAX,
};

static const char *const column_names[COLUMN_MAX] = {
    [COLUMN_PID] = "pid",
    [COLUMN_COMMAND] = "process",
    [COLUMN_UID] = "uid",
    [COLUMN_FD] = "fd",
    [COLUMN_PROTO] = "proto",
    [COLUMN_FAMILY] = "family",
    [COLUMN_STATE] = "state",
    [COLUMN_INODE] = "inode",
    [COLUMN_LOCAL_ADDR] = "local_addr",
    [COLUMN_LOCAL_PORT] = "local_port",
    [COLUMN_PEER_ADDR] = "peer_addr",
    [COLUMN_PEER_PORT] = "peer_port",
    [COLUMN_TID] = "tid",
    [COLUMN_RECV_Q] = "recv_q",
    [COLUMN_SEND_Q] = "send_q",
    [COLUMN_PPID] = "ppid",
    [COLUMN_PGID] = "pgid",
    [COLUMN_TYPE] = "type",
    [COLUMN_PATH] = "path",
    [COLUMN_KERNEL_ADDRESS] = "kernel_address",
    [COLUMN_FLAGS] = "fd_flags",
    [COLUMN_THREADS] = "thread_list",
};

/* A query and where its columns stand. */
struct reading {
    struct lsof_list *list;
    struct query query;
    uint32_t place[COLUMN_MAX]; /* UINT32_MAX: not asked for */
    struct match matches[64];
};

static bool is_wanted(const struct lsof_options *options, enum column_index index)
{
    switch (index) {
    case COLUMN_RECV_Q:
    case COLUMN_SEND_Q:
        return options->queues;
    case COLUMN_PPID:
        return options->show_ppid || lsof_shows(options, 'R');
    case COLUMN_PGID:
        return options->show_pgid || options->pgids.count || lsof_shows(options, 'g');
    case COLUMN_TYPE:
    case COLUMN_PATH:
    case COLUMN_KERNEL_ADDRESS:
        return (options->select & LSOF_SELECT_UNIX) != 0;
    case COLUMN_FLAGS:
        return options->flags || (options->form == LSOF_FIELDS && lsof_shows(options, 'G'));
    case COLUMN_THREADS:
        return options->show_tasks;
    default:
        return index < COLUMN_ALWAYS;
    }
}

static void make_query(struct reading *reading)
{
    struct query *query = &reading->query;

    query->table = &table_descriptors;
    for (uint32_t i = 0; i < COLUMN_MAX; i++) {
        reading->place[i] = UINT32_MAX;
        if (!is_wanted(reading->list->options, i))
            continue;
        reading->place[i] = query->column_count;
        query->columns[query->column_count++] = table_column(query->table, column_names[i]);
    }
}

static uint32_t add_match(struct reading *reading, struct request *request, struct match match)
{
    reading->matches[request->match_count] = match;
    return request->match_count++;
}

/* "own or other port of this range" for each address, joined by OR. */
static void push_ports(struct reading *reading, struct request *request)
{
    const struct lsof_options *options = reading->list->options;
    uint32_t before = UINT32_MAX;

    if (options->address_count > ARRAY_SIZE(reading->matches) / 4)
        return;
    for (uint32_t i = 0; i < options->address_count; i++)
        if (options->addresses[i].any_port || options->addresses[i].high > UINT16_MAX)
            return;
    for (uint32_t i = 0; i < options->address_count; i++) {
        struct match port = {.op = MATCH_LOCAL_PORT,
                             .low = (uint16_t)options->addresses[i].low,
                             .high = (uint16_t)options->addresses[i].high};
        struct match either = {.op = MATCH_OR};

        either.left = add_match(reading, request, port);
        port.op = MATCH_PEER_PORT;
        either.right = add_match(reading, request, port);
        either.left = add_match(reading, request, either);
        either.right = before;
        before = before == UINT32_MAX ? either.left : add_match(reading, request, either);
    }
    request->matches = reading->matches;
}

/* Only these processes are of interest: -a -p. */
static int push_pids(struct lsof_list *list, struct request *request)
{
    const struct lsof_ids *ids = &list->options->pids;
    uint32_t *pids = arena_alloc(&list->arena, (ids->count + 1u) * sizeof(*pids));

    if (!pids)
        return -ENOMEM;
    request->pids = pids;
    for (uint32_t i = 0; i < ids->count; i++)
        if (!ids->items[i].exclude)
            pids[request->pid_count++] = ids->items[i].id;
    return 0;
}

/* What the selection lets the collectors leave out. */
static int narrow(struct reading *reading, struct request *request)
{
    const struct lsof_options *options = reading->list->options;
    uint32_t sockets = options->select & LSOF_SELECT_SOCKETS;
    /* Those without sockets too: they are found or not, and without -a listed with all files. */
    uint32_t of_processes = LSOF_SELECT_COMMAND | LSOF_SELECT_PID | LSOF_SELECT_PGID |
                            (options->and ? 0u : LSOF_SELECT_UID);

    request->protos = 0;
    if (sockets & (LSOF_SELECT_INET | LSOF_SELECT_ADDRESS))
        request->protos |= PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE);
    if (options->state_count && sockets) /* states count as found in all that there is */
        request->protos |= PROTO_BIT(PROTO_TCP);
    if (sockets & LSOF_SELECT_UNIX)
        request->protos |= PROTO_BIT(PROTO_UNIX);
    request->states &= ~STATE_BIT(STATE_BOUND_INACTIVE);
    if (sockets == LSOF_SELECT_INET && !(options->ipv4 && options->ipv6))
        request->families = 1u << (options->ipv4 ? AF_INET : AF_INET6);
    if (sockets == LSOF_SELECT_ADDRESS)
        push_ports(reading, request);
    if (options->select & of_processes)
        request->needs |= NEED_ALL_PROCESSES;
    if (options->and &&options->select & LSOF_SELECT_PID && !options->endpoints)
        return push_pids(reading->list, request);
    return 0;
}

static uint64_t number(const struct reading *reading, uint32_t row, enum column_index index)
{
    struct value value = value_none();

    if (reading->place[index] != UINT32_MAX)
        value = grid_cell(&reading->list->grid, row, reading->place[index]);
    return value.type == VALUE_UINT ? value.uint : 0;
}

static struct value cell(const struct reading *reading, uint32_t row, enum column_index index)
{
    return reading->place[index] == UINT32_MAX
               ? value_none()
               : grid_cell(&reading->list->grid, row, reading->place[index]);
}

static const char *name_of(const struct reading *reading, uint32_t row, enum column_index index)
{
    struct value value = cell(reading, row, index);

    return value.type == VALUE_STRING ? value.string.bytes : "unknown";
}

static void fill_address(const struct reading *reading, uint32_t row, enum column_index index,
                         union address *ret_address)
{
    struct value value = cell(reading, row, index);

    if (value.type == VALUE_ADDRESS)
        memcpy(ret_address->bytes, value.address.bytes, value.address.family == AF_INET ? 4 : 16);
}

static uint8_t family_of(const char *name)
{
    if (strcmp(name, "inet") == 0)
        return AF_INET;
    return strcmp(name, "inet6") == 0 ? AF_INET6 : AF_UNIX;
}

static uint8_t type_of(const char *name)
{
    if (strcmp(name, "stream") == 0)
        return SOCK_STREAM;
    return strcmp(name, "dgram") == 0 ? SOCK_DGRAM : SOCK_SEQPACKET;
}

static int fill_unix(const struct reading *reading, uint32_t row, struct lsof_file *file)
{
    struct value path = cell(reading, row, COLUMN_PATH);

    file->type = type_of(name_of(reading, row, COLUMN_TYPE));
    if (path.type != VALUE_STRING)
        return 0;
    file->path = arena_copy(&reading->list->arena, path.string.bytes, path.string.length);
    file->path_length = path.string.length;
    return file->path ? 0 : -ENOMEM;
}

static void fill_inet(const struct reading *reading, uint32_t row, struct lsof_file *file)
{
    fill_address(reading, row, COLUMN_LOCAL_ADDR, &file->local);
    fill_address(reading, row, COLUMN_PEER_ADDR, &file->peer);
    file->local_port = (uint16_t)number(reading, row, COLUMN_LOCAL_PORT);
    file->peer_port = (uint16_t)number(reading, row, COLUMN_PEER_PORT);
}

static void fill_threads(const struct reading *reading, uint32_t row, struct lsof_file *file)
{
    struct value threads = cell(reading, row, COLUMN_THREADS);

    if (threads.type != VALUE_LIST)
        return;
    file->first_thread = threads.list.first;
    file->thread_count = threads.list.count;
    file->has_tasks = threads.list.count > 1;
}

static int fill_file(const struct reading *reading, uint32_t row, struct lsof_file *file)
{
    struct value command = cell(reading, row, COLUMN_COMMAND);
    unsigned int proto = PROTO_UNKNOWN;

    *file = (struct lsof_file){
        .pid = (uint32_t)number(reading, row, COLUMN_PID),
        .ppid = (uint32_t)number(reading, row, COLUMN_PPID),
        .pgid = (uint32_t)number(reading, row, COLUMN_PGID),
        .uid = (uint32_t)number(reading, row, COLUMN_UID),
        .fd = (int32_t)number(reading, row, COLUMN_FD),
        .inode = (uint32_t)number(reading, row, COLUMN_INODE),
        .recv_q = (uint32_t)number(reading, row, COLUMN_RECV_Q),
        .send_q = (uint32_t)number(reading, row, COLUMN_SEND_Q),
        .tid = (uint32_t)number(reading, row, COLUMN_TID),
        .kernel_address = number(reading, row, COLUMN_KERNEL_ADDRESS),
        .flags = (uint32_t)number(reading, row, COLUMN_FLAGS),
        .family = family_of(name_of(reading, row, COLUMN_FAMILY)),
        .command = command.type == VALUE_STRING ? command.string.bytes : "",
        .command_length = command.type == VALUE_STRING ? command.string.length : 0,
    };
    if (socket_proto_parse(name_of(reading, row, COLUMN_PROTO), &proto) == 0)
        file->proto = (uint8_t)proto;
    if (socket_state_parse(name_of(reading, row, COLUMN_STATE), &file->state) < 0)
        file->state = 0;
    fill_threads(reading, row, file);
    if (file->state == STATE_BIT(STATE_LISTENING)) /* /proc/net/tcp has no limit of the queue */
        file->send_q = 0;
    if (file->family == AF_UNIX)
        return fill_unix(reading, row, file);
    fill_inet(reading, row, file);
    return 0;
}

/*
 * A TCP socket that is neither connected nor listening is in none of the files that lsof reads: to
 * it this is no Internet socket. And without -K it does not look into the descriptor tables that
 * threads have of their own.
 */
static bool is_listed(const struct lsof_list *list, const struct lsof_file *file)
{
    if (file->tid && !list->options->show_tasks)
        return false;
    return file->proto != PROTO_TCP ||
           !(file->state & (STATE_BIT(STATE_UNCONNECTED) | STATE_BIT(STATE_BOUND_INACTIVE)));
}

static int take_rows(struct reading *reading)
{
    struct lsof_list *list = reading->list;
    int r = VEC_RESERVE(&list->files, &list->capacity, 0, list->grid.row_count + 1);

    for (uint32_t row = 0; row < list->grid.row_count && r == 0; row++) {
        grid_approach(&list->grid, row);
        r = fill_file(reading, row, &list->files[list->count]);
        list->count += r == 0 && is_listed(list, &list->files[list->count]);
    }
    return r;
}

int lsof_read(struct lsof_list *list)
{
    struct reading reading = {.list = list};
    int r;

    moment_init(&list->moment);
    make_query(&reading);
    r = narrow(&reading, &list->moment.request);
    if (r == 0)
        r = moment_take(&list->moment, &reading.query);
    if (r == 0)
        r = query_run(&reading.query, &list->moment.view, &list->grid);
    if (r == 0)
        r = take_rows(&reading);
    if (r == 0 && list->options->show_tasks)
        r = lsof_add_tasks(list);
    if (r == 0)
        lsof_select(list);
    if (r == 0 && list->options->endpoints)
        r = lsof_find_endpoints(list);
    return r;
}

void lsof_list_done(struct lsof_list *list)
{
    free(list->files);
    grid_done(&list->grid);
    moment_done(&list->moment);
    arena_done(&list->arena);
}
