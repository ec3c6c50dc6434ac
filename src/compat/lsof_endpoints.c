/* SPDX-License-Identifier: MIT */
/* lsof -E and +E: who on this machine holds the other end of a socket. */
#include "base/hash.h"
#include "compat/lsof.h"

#include "derive/address.h"

#include <string.h>
#include <sys/socket.h>

/* Files by what the other end knows of them. */
struct ends {
    struct lsof_list *list;
    struct map first;  /* key of a file -> the last one with it */
    uint32_t *next;    /* for each file: the one before it with the same key; MAP_NONE */
    struct map peers;  /* unix: inode -> inode of the other end */
    bool *is_endpoint; /* for each file: a selected one leads to it */
};

static void ends_done(struct ends *ends)
{
    map_done(&ends->first);
    map_done(&ends->peers);
    free(ends->next);
    free(ends->is_endpoint);
}

static uint64_t add_to_key(uint64_t key, const union address *address, uint16_t port)
{
    return hash_number(hash_bytes(key, address->bytes, sizeof(address->bytes)), port);
}

/* Of a socket with these two ends. */
static uint64_t inet_key(uint8_t proto, const union address *local, uint16_t local_port,
                         const union address *peer, uint16_t peer_port)
{
    return add_to_key(add_to_key(proto, local, local_port), peer, peer_port) | (uint64_t)1 << 63;
}

static bool is_connected(const struct lsof_file *file)
{
    return file->family != AF_UNIX && file->state == STATE_BIT(STATE_ESTABLISHED);
}

static uint64_t own_key(const struct lsof_file *file)
{
    if (file->family == AF_UNIX)
        return file->inode;
    return inet_key(file->proto, &file->local, file->local_port, &file->peer, file->peer_port);
}

static int index_files(struct ends *ends)
{
    struct lsof_list *list = ends->list;
    int r = 0;

    ends->next = calloc(list->count + 1, sizeof(*ends->next));
    ends->is_endpoint = calloc(list->count + 1, sizeof(*ends->is_endpoint));
    if (!ends->next || !ends->is_endpoint)
        return -ENOMEM;
    for (uint32_t i = 0; i < list->count && r == 0; i++) {
        ends->next[i] = map_get(&ends->first, own_key(&list->files[i]));
        r = map_set(&ends->first, own_key(&list->files[i]), i);
    }
    return r;
}

/*
 * What each says of its own peer, for a listener the first that waits at it, then the other way
 * round for those that have none: a datagram socket that others send to has the first of them for a
 * peer.
 */
static int add_peers(struct ends *ends, const struct grid *grid, bool reverse)
{
    int r = 0;

    for (uint32_t row = 0; row < grid->row_count && r == 0; row++) {
        struct value own = grid_cell(grid, row, 0), peer = grid_cell(grid, row, 1);

        if (peer.type != VALUE_UINT)
            peer = grid_cell(grid, row, 2);
        if (own.type != VALUE_UINT || peer.type != VALUE_UINT)
            continue;
        if (!reverse)
            r = map_set(&ends->peers, own.uint, (uint32_t)peer.uint);
        else if (grid_cell(grid, row, 1).type == VALUE_UINT &&
                 map_get(&ends->peers, peer.uint) == MAP_NONE)
            r = map_set(&ends->peers, peer.uint, (uint32_t)own.uint);
    }
    return r;
}

/* Only sock_diag tells the other end of a unix socket. */
static int read_unix_peers(struct ends *ends)
{
    struct query query = {.table = &table_sockets, .column_count = 3};
    struct moment moment;
    struct grid grid = {0};
    int r;

    query.columns[0] = table_column(query.table, "inode");
    query.columns[1] = table_column(query.table, "peer_inode");
    query.columns[2] = table_column(query.table, "waiting_inode");
    moment_init(&moment);
    moment.request.protos = PROTO_BIT(PROTO_UNIX);
    r = moment_take(&moment, &query);
    if (r == 0)
        r = query_run(&query, &moment.view, &grid);
    if (r == 0)
        r = add_peers(ends, &grid, false);
    if (r == 0)
        r = add_peers(ends, &grid, true);
    if (r == 0)
        ends->list->incomplete |= !moment_check(&moment, &ends->list->names->hosts, "lsof", false);
    grid_done(&grid);
    moment_done(&moment);
    return r;
}

/* The key of the file's other end; 0: it has none. */
static uint64_t other_key(const struct ends *ends, const struct lsof_file *file)
{
    uint32_t peer;

    if (file->family != AF_UNIX)
        return is_connected(file) ? inet_key(file->proto, &file->peer, file->peer_port,
                                             &file->local, file->local_port)
                                  : 0;
    peer = map_get(&ends->peers, file->inode);
    return peer == MAP_NONE ? 0 : peer;
}

/* Cut to what +c says, also where columns are not: +c 0 leaves nothing. */
static void put_endpoint(const struct ends *ends, const struct lsof_file *other, struct buf *text)
{
    uint32_t limit = ends->list->options->command_width, length = other->command_length;

    if (text->length)
        buf_byte(text, ' ');
    buf_printf(text, "%u,%.*s,%du", other->pid, (int)(length > limit ? limit : length),
               other->command, other->fd);
}

static int find_endpoint(struct ends *ends, struct lsof_file *file)
{
    struct buf *scratch = &ends->list->moment.scratch;
    uint64_t key = other_key(ends, file);

    if (!key)
        return 0;
    buf_reset(scratch);
    if (file->family == AF_UNIX)
        buf_printf(scratch, "->INO=%u", (uint32_t)key);
    for (uint32_t at = map_get(&ends->first, key); at != MAP_NONE; at = ends->next[at]) {
        const struct lsof_file *other = &ends->list->files[at];

        if (other->tid || (file->family != AF_UNIX && !is_connected(other)))
            continue;
        put_endpoint(ends, other, scratch);
        ends->is_endpoint[at] |= file->selected;
    }
    if (!scratch->length)
        return 0;
    file->endpoint = arena_copy(&ends->list->arena, scratch->data, scratch->length);
    return file->endpoint ? 0 : -ENOMEM;
}

static void select_endpoints(struct ends *ends)
{
    struct lsof_list *list = ends->list;

    for (uint32_t i = 0; i < list->count; i++)
        if (ends->is_endpoint[i] && !list->files[i].selected) {
            list->files[i].selected = true;
            list->selected++;
        }
}

int lsof_find_endpoints(struct lsof_list *list)
{
    CLEANUP(ends_done) struct ends ends = {.list = list};
    int r = index_files(&ends);

    if (r == 0 && list->options->select & LSOF_SELECT_UNIX)
        r = read_unix_peers(&ends);
    for (uint32_t i = 0; i < list->count && r == 0; i++)
        r = find_endpoint(&ends, &list->files[i]);
    if (r == 0 && list->options->endpoint_files)
        select_endpoints(&ends);
    return r;
}
