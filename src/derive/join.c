/* SPDX-License-Identifier: MIT */
/* Join: descriptors to sockets by inode, and for sockets without one the reason. */
#include "derive/join.h"

#include "base/buf.h"
#include "derive/address.h"
#include "derive/listeners.h"
#include "derive/served.h"
#include "model/request.h"

#include <sys/socket.h>

static bool has_unix(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        if (snapshot->sockets[i].family == AF_UNIX)
            return true;
    return false;
}

/*
 * Makes by_inode, where holders or the peers of unix sockets are to be found by it. Sockets with
 * inode 0 (time-wait, orphans, un-accepted) are never in it. *ret_shared: several sockets have one
 * inode.
 */
static int index_inodes(const struct snapshot *snapshot, struct join *join, bool *ret_shared)
{
    int r = 0;

    *ret_shared = false;
    if (!snapshot->holders_count && !has_unix(snapshot))
        return 0;
    r = map_reserve(&join->by_inode, snapshot->sockets_count);
    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++)
        if (snapshot->sockets[i].inode) {
            uint32_t before = join->by_inode.count;

            r = map_set(&join->by_inode, snapshot->sockets[i].inode, i);
            *ret_shared |= join->by_inode.count == before;
        }
    return r;
}

/* Holders of sockets that are in the snapshot, counted by socket. */
static uint32_t count_holders(const struct snapshot *snapshot, struct join *join)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < snapshot->holders_count; i++) {
        uint32_t socket = map_get(&join->by_inode, snapshot->holders[i].inode);

        if (socket != MAP_NONE) {
            join->sockets[socket].holder_count++;
            total++;
        }
    }
    return total;
}

static int compare_holders(const void *a, const void *b, void *context)
{
    const struct snapshot *snapshot = context;
    const struct holder *x = &snapshot->holders[*(const uint32_t *)a];
    const struct holder *y = &snapshot->holders[*(const uint32_t *)b];
    uint32_t x_pid = snapshot->processes[x->process].pid,
             y_pid = snapshot->processes[y->process].pid;

    if (x_pid != y_pid)
        return x_pid < y_pid ? -1 : 1;
    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    return (x->fd > y->fd) - (x->fd < y->fd);
}

/* Fills join->order: a counting sort by socket, then each socket's few holders by pid. */
static int order_holders(const struct snapshot *snapshot, struct join *join)
{
    uint32_t at = 0;

    join->order_count = count_holders(snapshot, join);
    join->order = calloc(join->order_count ? join->order_count : 1, sizeof(*join->order));
    if (!join->order)
        return -ENOMEM;
    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        join->sockets[i].first_holder = at;
        at += join->sockets[i].holder_count;
        join->sockets[i].holder_count = 0;
    }
    for (uint32_t i = 0; i < snapshot->holders_count; i++) {
        uint32_t index = map_get(&join->by_inode, snapshot->holders[i].inode);

        if (index != MAP_NONE) {
            struct socket_join *socket = &join->sockets[index];

            join->order[socket->first_holder + socket->holder_count++] = i;
        }
    }
    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        if (join->sockets[i].holder_count > 1)
            qsort_r(join->order + join->sockets[i].first_holder, join->sockets[i].holder_count,
                    sizeof(*join->order), compare_holders, (void *)(uintptr_t)snapshot);
    return 0;
}

/* Several sockets may have one inode: an MPTCP socket and its subflows. They have the same holders.
 */
static void share_holders(const struct snapshot *snapshot, struct join *join)
{
    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        uint32_t main =
            snapshot->sockets[i].inode ? map_get(&join->by_inode, snapshot->sockets[i].inode) : i;

        if (main != i) { /* each that has an inode is in the index, or another one is */
            join->sockets[i].first_holder = join->sockets[main].first_holder;
            join->sockets[i].holder_count = join->sockets[main].holder_count;
        }
    }
}

/* Fills join->order_sockets. Of several sockets that share their holders the last one counts, which
 * is the one that by_inode found. */
static int keep_sockets_of_holders(const struct snapshot *snapshot, struct join *join)
{
    join->order_sockets = calloc(join->order_count + 1, sizeof(*join->order_sockets));
    if (!join->order_sockets)
        return -ENOMEM;
    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        for (uint32_t k = 0; k < join->sockets[i].holder_count; k++)
            join->order_sockets[join->sockets[i].first_holder + k] = i;
    return 0;
}

static bool is_connected(const struct socket *socket)
{
    return socket->state != STATE_LISTENING && socket->state != STATE_UNCONNECTED &&
           socket->state != STATE_BOUND_INACTIVE && socket->state != STATE_UNKNOWN;
}

static enum socket_direction direction_of(const struct socket *socket, uint32_t listener)
{
    if (socket->state == STATE_LISTENING)
        return DIRECTION_LISTEN;
    if (!is_connected(socket) || !address_is_inet(socket->family))
        return DIRECTION_UNKNOWN;
    if (address_scope(socket->family, &socket->peer) == SCOPE_LOOPBACK ||
        memcmp(&socket->peer, &socket->local, sizeof(socket->peer)) == 0)
        return DIRECTION_LOCAL;
    return listener != JOIN_NONE ? DIRECTION_IN : DIRECTION_OUT;
}

static int join_listeners(const struct snapshot *snapshot, struct join *join)
{
    struct listeners listeners;
    int r = listeners_make(snapshot, &listeners);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        const struct socket *socket = &snapshot->sockets[i];
        struct socket_join *joined = &join->sockets[i];

        joined->listener = JOIN_NONE;
        if (is_connected(socket) && socket->family != AF_UNIX)
            joined->listener = listeners_find(snapshot, &listeners, socket);
        joined->direction = (uint8_t)direction_of(socket, joined->listener);
        if (socket->state == STATE_SYN_RECV && joined->listener != JOIN_NONE)
            join->sockets[joined->listener].syn_queue++;
    }
    listeners_done(&listeners);
    return 0;
}

/* By permission; -EXDEV says that they are in another pid namespace. */
bool join_owners_hidden(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->notes_count; i++)
        if (snapshot->notes[i].effect == NOTE_OWNERS && snapshot->notes[i].error != -EXDEV)
            return true;
    return false;
}

/* A full socket with inode 0 belongs to no struct socket: it was closed (orphan), or nobody
 * accepted it yet. */
static enum owner_reason reason_without_inode(const struct socket *socket,
                                              const struct socket_join *joined)
{
    if (socket->state == STATE_TIME_WAIT)
        return OWNER_TIME_WAIT;
    if (socket->state == STATE_SYN_RECV)
        return OWNER_HANDSHAKE;
    if (socket->state == STATE_ESTABLISHED || socket->state == STATE_CLOSE_WAIT)
        return joined->listener != JOIN_NONE ? OWNER_ACCEPT_QUEUE : OWNER_KERNEL;
    return OWNER_ORPHAN;
}

static enum owner_reason reason_of(const struct snapshot *snapshot, const struct socket *socket,
                                   const struct socket_join *joined, bool hidden)
{
    if (joined->holder_count)
        return OWNER_FOUND;
    if (socket->flags & SOCKET_KERNEL)
        return OWNER_KERNEL;
    if (socket->has & SOCKET_HAS_INODE && socket->inode == 0 && socket->family != AF_UNIX)
        return reason_without_inode(socket, joined);
    if (!snapshot->owners_known)
        return OWNER_UNKNOWN;
    if (socket->inode == 0)
        return socket->family == AF_UNIX ? OWNER_ACCEPT_QUEUE : OWNER_KERNEL;
    if (hidden)
        return OWNER_NO_PERMISSION;
    if (!snapshot->pidns_is_init)
        return OWNER_OTHER_PIDNS;
    if (socket->has & SOCKET_HAS_FILE)
        return socket->flags & SOCKET_FILE ? OWNER_IN_FLIGHT : OWNER_KERNEL;
    return OWNER_KERNEL_OR_IN_FLIGHT;
}

static void find_reasons(const struct snapshot *snapshot, struct join *join)
{
    bool hidden = join_owners_hidden(snapshot);

    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        join->sockets[i].reason =
            (uint8_t)reason_of(snapshot, &snapshot->sockets[i], &join->sockets[i], hidden);
}

static void count_socket(struct process_join *process, const struct socket *socket)
{
    process->sockets++;
    process->listening += socket->state == STATE_LISTENING;
    process->established += socket->state == STATE_ESTABLISHED;
    process->close_wait += socket->state == STATE_CLOSE_WAIT;
}

/* A process that holds a socket by several descriptors has it once: its holders stand side by side.
 */
static void count_by_process(const struct snapshot *snapshot, struct join *join)
{
    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        uint32_t last = JOIN_NONE;

        for (uint32_t k = 0; k < join->sockets[i].holder_count; k++) {
            uint32_t process = join_holder(snapshot, join, i, k)->process;

            if (process != last)
                count_socket(&join->processes[process], &snapshot->sockets[i]);
            last = process;
        }
    }
    for (uint32_t i = snapshot->threads_count; i-- > 0;) {
        struct process_join *process = &join->processes[snapshot->threads[i].process];

        process->first_thread = i;
        process->thread_count++;
        process->sharing_threads += !snapshot->threads[i].private_files;
    }
}

int join_make(const struct snapshot *snapshot, uint64_t needs, struct join *ret_join)
{
    struct join join = {0};
    bool shared = false;
    int r;

    join.sockets = calloc(snapshot->sockets_count + 1, sizeof(*join.sockets));
    join.processes = calloc(snapshot->processes_count + 1, sizeof(*join.processes));
    r = join.sockets && join.processes ? index_inodes(snapshot, &join, &shared) : -ENOMEM;
    if (r == 0)
        r = order_holders(snapshot, &join);
    if (r == 0) {
        if (shared)
            share_holders(snapshot, &join);
        /* From here on only the peers of unix sockets are looked up by inode. */
        if (!has_unix(snapshot))
            map_done(&join.by_inode);
        r = join_listeners(snapshot, &join);
    }
    if (r == 0 && needs & NEED_DESCRIPTORS)
        r = keep_sockets_of_holders(snapshot, &join);
    if (r == 0)
        r = flow_join_make(snapshot, &join.flows);
    if (r == 0 && needs & NEED_SERVED)
        r = served_make(snapshot, &join, &join.served);
    if (r == 0 && needs & NEED_CONNTRACK)
        r = nat_make(snapshot, &join, &join.nat);
    if (r < 0) {
        join_done(&join);
        return r;
    }
    find_reasons(snapshot, &join);
    count_by_process(snapshot, &join);
    *ret_join = join;
    return 0;
}

void join_done(struct join *join)
{
    free(join->sockets);
    free(join->processes);
    free(join->order);
    free(join->order_sockets);
    map_done(&join->by_inode);
    flow_join_done(&join->flows);
    free(join->served);
    nat_done(&join->nat);
    *join = (struct join){0};
}

const struct holder *join_holder(const struct snapshot *snapshot, const struct join *join,
                                 uint32_t socket, uint32_t position)
{
    return &snapshot->holders[join->order[join->sockets[socket].first_holder + position]];
}

static void put_listener(const struct snapshot *snapshot, const struct join *join,
                         uint32_t listener, struct buf *text)
{
    const struct process *process;
    const char *comm;
    size_t length;

    if (listener == JOIN_NONE || !join->sockets[listener].holder_count)
        return;
    process = &snapshot->processes[join_holder(snapshot, join, listener, 0)->process];
    comm = snapshot_string(snapshot, process->comm, &length);
    buf_puts(text, " of ");
    buf_put(text, comm, length);
    buf_byte(text, '(');
    buf_uint(text, process->pid);
    buf_byte(text, ')');
}

void join_owner_note(const struct snapshot *snapshot, const struct join *join, uint32_t socket,
                     struct buf *text)
{
    static const char *const words[OWNER_REASON_MAX] = {
        [OWNER_FOUND] = "",
        [OWNER_UNKNOWN] = "",
        [OWNER_TIME_WAIT] = "time-wait",
        [OWNER_ACCEPT_QUEUE] = "accept-queue",
        [OWNER_HANDSHAKE] = "handshake",
        [OWNER_ORPHAN] = "orphan",
        [OWNER_KERNEL] = "kernel",
        [OWNER_IN_FLIGHT] = "in flight over a unix socket",
        [OWNER_NO_PERMISSION] = "no permission",
        [OWNER_OTHER_PIDNS] = "other pid namespace",
        [OWNER_KERNEL_OR_IN_FLIGHT] = "closed meanwhile, kernel, or in flight over a unix socket",
    };
    const struct socket_join *joined = &join->sockets[socket];

    buf_puts(text, words[joined->reason]);
    if (joined->reason == OWNER_ACCEPT_QUEUE || joined->reason == OWNER_HANDSHAKE)
        put_listener(snapshot, join, joined->listener, text);
}

const char *socket_direction_name(unsigned int direction)
{
    static const char *const names[] = {
        [DIRECTION_UNKNOWN] = "unknown", [DIRECTION_LISTEN] = "listen", [DIRECTION_IN] = "in",
        [DIRECTION_OUT] = "out",         [DIRECTION_LOCAL] = "local",
    };

    return direction < ARRAY_SIZE(names) ? names[direction] : "unknown";
}
