/* SPDX-License-Identifier: MIT */
/* What the BPF sources share. */
#include "collect/bpf_pass.h"

#include "collect/bpf_error.h"
#include "collect/proc_file.h"
#include "collect/programs.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * Ports mean something only here; of the others a condition on ports is not checked by the kernel.
 */
#define WITH_PORTS                                                                                 \
    (PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE) |                      \
     PROTO_BIT(PROTO_SCTP) | PROTO_BIT(PROTO_DCCP) | PROTO_BIT(PROTO_MPTCP))

void bpf_pass_init(struct bpf_pass *pass, struct collection *collection)
{
    *pass = (struct bpf_pass){.collection = collection};
}

void bpf_pass_done(struct bpf_pass *pass)
{
    map_done(&pass->netns_index);
    map_done(&pass->wanted);
}

void bpf_give_up(struct collection *collection, const char *source, int error, const char *what)
{
    snapshot_note(collection->snapshot, NOTE_INFO, source, error, "%s: %s", what,
                  bpf_error_text(error));
}

static struct port_range narrow(struct port_range range, const struct match *match)
{
    return (struct port_range){
        .low = match->low > range.low ? match->low : range.low,
        .high = match->high < range.high ? match->high : range.high,
    };
}

static bool is_port_match(const struct match *match)
{
    return match->op == MATCH_LOCAL_PORT || match->op == MATCH_PEER_PORT;
}

/* "local or peer port P", which is what a bare port means. */
static bool is_either_port(const struct request *request, const struct match *match)
{
    const struct match *left = &request->matches[match->left],
                       *right = &request->matches[match->right];

    return match->op == MATCH_OR && is_port_match(left) && is_port_match(right) &&
           left->op != right->op && left->low == right->low && left->high == right->high;
}

/*
 * Takes the conditions on ports that hold for every socket wanted: those that only ANDs lie above.
 * What is not taken is checked later.
 */
static void take_ports(struct iterator_filter *filter, const struct request *request,
                       uint32_t index)
{
    const struct match *match = &request->matches[index];

    switch (match->op) {
    case MATCH_AND:
        take_ports(filter, request, match->left);
        take_ports(filter, request, match->right);
        break;
    case MATCH_LOCAL_PORT:
        filter->local = narrow(filter->local, match);
        break;
    case MATCH_PEER_PORT:
        filter->peer = narrow(filter->peer, match);
        break;
    case MATCH_OR:
        if (is_either_port(request, match))
            filter->either = narrow(filter->either, &request->matches[match->left]);
        break;
    default:
        break;
    }
}

/* The inode of the only namespace to be read, or 0. */
static uint32_t single_netns(const struct snapshot *snapshot)
{
    uint32_t inode = 0;

    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        if (snapshot->netns[i].flags & NETNS_READ) {
            if (inode)
                return 0;
            inode = snapshot->netns[i].inode;
        }
    return inode;
}

static void set_filter(struct iterator_filter *filter, const struct collection *collection,
                       uint32_t protos)
{
    const struct request *request = collection->request;

    *filter = ITERATOR_FILTER_ALL;
    filter->protos = protos;
    filter->families = request->families ? request->families : UINT32_MAX;
    filter->states = request->states;
    if (request->needs & NEED_LISTENERS)
        filter->states |= STATE_BIT(STATE_LISTENING);
    if (request->needs & NEED_SYN_QUEUE)
        filter->states |= STATE_BIT(STATE_SYN_RECV);
    if (request->netns_scope != NETNS_SCOPE_ALL)
        filter->netns = single_netns(collection->snapshot);
    filter->with_ports = WITH_PORTS;
    /* Where all of tcp_info is asked for, sock_diag brings these with it. */
    filter->details =
        request->needs & (NEED_TCP_PROGRESS | NEED_MEMORY) && !(request->needs & NEED_TCP_INFO);
    filter->signs = request->signs;
    if (request->needs & NEED_STATE_COUNTS)
        filter->brief_states = ~STATE_BIT(STATE_LISTENING);
    if (request->match_count)
        take_ports(filter, request, request->match_count - 1);
}

int bpf_pass_open(struct bpf_pass *pass, enum iterator_kind kind, uint32_t protos,
                  struct iterator *ret_iterator)
{
    struct programs *programs = pass->collection->request->programs;
    int r =
        programs ? programs_open(programs, kind, ret_iterator) : iterator_open(kind, ret_iterator);

    if (r == 0)
        set_filter(ret_iterator->filter, pass->collection, protos);
    return r;
}

/* The socket that the walk has to show, and what was shown. */
struct canary {
    int fd;
    uint64_t cookie;
    uint32_t inode;
    unsigned int seen, wrong;
};

static int check_canary(void *context, const struct record *record)
{
    struct canary *canary = context;
    const struct record_head *head = record->head;
    const struct record_owner *owner = record->owner;

    if (!owner || owner->fd != canary->fd)
        return 0;
    canary->seen++;
    if (head->cookie != canary->cookie || head->inode != canary->inode ||
        owner->tgid != (uint32_t)getpid() || head->proto != PROTO_UDP || head->family != AF_INET)
        canary->wrong++;
    return 0;
}

static int make_canary(struct canary *canary)
{
    socklen_t size = sizeof(canary->cookie);
    struct stat status;

    canary->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (canary->fd < 0)
        return -errno;
    if (getsockopt(canary->fd, SOL_SOCKET, SO_COOKIE, &canary->cookie, &size) < 0 ||
        fstat(canary->fd, &status) < 0)
        return -errno;
    canary->inode = (uint32_t)status.st_ino;
    return 0;
}

/*
 * Walks over our own descriptors with an open filter. -EBADMSG: the program runs, but tells
 * something else than the truth.
 */
static int test_descriptors(struct iterator *iterator)
{
    struct iterator_filter kept = *iterator->filter;
    struct canary canary = {.fd = -1};
    int r = make_canary(&canary);

    *iterator->filter = ITERATOR_FILTER_ALL;
    iterator->filter->tgid = (uint32_t)getpid();
    if (r == 0)
        r = iterator_walk(iterator, (uint32_t)getpid(), check_canary, &canary);
    if (r == -EINVAL) /* before 6.1 a walk cannot be bound to one process */
        r = iterator_walk(iterator, 0, check_canary, &canary);
    if (canary.fd >= 0)
        close(canary.fd);
    *iterator->filter = kept;
    if (r == 0 && (canary.seen != 1 || canary.wrong))
        r = -EBADMSG;
    return r;
}

int bpf_pass_open_descriptors(struct bpf_pass *pass, uint32_t protos, struct iterator *ret_iterator)
{
    struct iterator opened = ITERATOR_INIT;
    int r;

    /* Process ids in records are those of the first pid namespace. */
    if (proc_pid_namespace() != PIDNS_FIRST)
        return -EXDEV;
    r = bpf_pass_open(pass, ITERATOR_TASK_FILE, protos, &opened);
    if (r == 0)
        r = test_descriptors(&opened);
    if (r < 0) {
        iterator_close(&opened);
        return r;
    }
    *ret_iterator = opened;
    return 0;
}

static int ignore_record(void *context, const struct record *record)
{
    (void)context;
    (void)record;
    return 0;
}

/*
 * Some hardened kernels leave process 1 out of the walk. A process always has descriptors, so that
 * a walk bound to it that comes across none says so.
 */
static bool process_1_is_hidden(struct iterator *iterator)
{
    struct iterator_filter kept = *iterator->filter;
    bool hidden;

    iterator->filter->protos = 0;
    iterator->filter->tgid = 1;
    iterator->filter->descriptors = 0;
    hidden =
        iterator_walk(iterator, 1, ignore_record, NULL) == 0 && iterator->filter->descriptors == 0;
    *iterator->filter = kept;
    return hidden;
}

int bpf_pass_walk_descriptors(struct bpf_pass *pass, struct iterator *iterator,
                              iterator_record_fn *fn)
{
    const struct request *request = pass->collection->request;
    int r = 0;

    if (!request->pids) {
        pass->process_1_hidden = process_1_is_hidden(iterator);
        return iterator_walk(iterator, 0, fn, pass);
    }
    for (uint32_t i = 0; i < request->pid_count && (r == 0 || r == -ESRCH); i++) {
        iterator->filter->tgid = request->pids[i];
        r = iterator_walk(iterator, request->pids[i], fn, pass);
        if (r == -EINVAL)
            r = iterator_walk(iterator, 0, fn, pass);
    }
    return r == -ESRCH ? 0 : r;
}

static int index_netns(struct bpf_pass *pass)
{
    const struct snapshot *snapshot = pass->collection->snapshot;
    int r = 0;

    if (!pass->netns_index.count)
        for (uint32_t i = 0; i < snapshot->netns_count && r == 0; i++)
            r = map_set(&pass->netns_index, snapshot->netns[i].inode, i);
    return r;
}

int bpf_pass_known_netns(struct bpf_pass *pass, uint32_t inode, uint32_t *ret_netns)
{
    const struct snapshot *snapshot = pass->collection->snapshot;
    int r = index_netns(pass);
    uint32_t index = map_get(&pass->netns_index, inode);

    if (r < 0)
        return r;
    if (index == MAP_NONE || !(snapshot->netns[index].flags & NETNS_READ))
        return -ENOENT;
    *ret_netns = index;
    return 0;
}

/* Only descriptors refer to one that nobody could find before. */
int bpf_pass_netns(struct bpf_pass *pass, uint32_t inode, uint32_t *ret_netns)
{
    struct snapshot *snapshot = pass->collection->snapshot;
    int r = bpf_pass_known_netns(pass, inode, ret_netns);
    uint32_t index;

    if (r != -ENOENT || pass->collection->request->netns_scope != NETNS_SCOPE_ALL ||
        map_get(&pass->netns_index, inode) != MAP_NONE)
        return r;
    r = snapshot_add_netns(snapshot, inode, &index);
    if (r == 0)
        r = map_set(&pass->netns_index, inode, index);
    if (r < 0)
        return r;
    snapshot->netns[index].flags |= NETNS_READ;
    *ret_netns = index;
    return 0;
}

int bpf_pass_add_process(struct snapshot *snapshot, const struct record_owner *owner,
                         uint32_t *ret_index)
{
    struct process *process;
    uint32_t comm;
    int r = snapshot_add_process(snapshot, owner->tgid, ret_index);

    if (r < 0)
        return r;
    r = snapshot_intern(snapshot, owner->comm, strnlen(owner->comm, sizeof(owner->comm)), &comm);
    if (r < 0)
        return r;
    process = &snapshot->processes[*ret_index];
    process->comm = comm;
    process->uid = owner->euid;
    process->has |= PROCESS_HAS_COMM | PROCESS_HAS_UID;
    return 0;
}

int bpf_pass_add_holder(struct bpf_pass *pass, const struct record *record)
{
    struct snapshot *snapshot = pass->collection->snapshot;
    const struct record_owner *owner = record->owner;
    const struct request *request = pass->collection->request;
    int r;

    if (owner->tid && request->verbatim && !(request->needs & NEED_THREADS))
        return 0;
    if (owner->tgid != pass->last_tgid) {
        r = bpf_pass_add_process(snapshot, owner, &pass->last_process);
        if (r < 0)
            return r;
        pass->last_tgid = owner->tgid;
    }
    return snapshot_add_holder(snapshot, (struct holder){.inode = record->head->inode,
                                                         .process = pass->last_process,
                                                         .tid = owner->tid,
                                                         .fd = owner->fd});
}

/* MPTCP: the descriptor is of the connection, the TCP sockets that carry it share its inode. */
uint32_t bpf_holder_protos(const struct request *request)
{
    return request->protos | (request->protos & PROTO_BIT(PROTO_TCP) ? PROTO_BIT(PROTO_MPTCP) : 0);
}

/* Sockets with a file that nobody was seen to hold. */
static int count_unheld(const struct snapshot *snapshot, uint32_t *ret_count)
{
    CLEANUP(map_done) struct map held = {0};
    uint32_t count = 0;
    int r = map_reserve(&held, snapshot->holders_count);

    for (uint32_t i = 0; i < snapshot->holders_count && r == 0; i++)
        r = map_set(&held, snapshot->holders[i].inode, 1);
    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];

        count += socket->inode && !(socket->flags & SOCKET_KERNEL) &&
                 map_get(&held, socket->inode) == MAP_NONE;
    }
    if (r == 0)
        *ret_count = count;
    return r;
}

int bpf_owners_finish(struct bpf_pass *pass)
{
    struct snapshot *snapshot = pass->collection->snapshot;
    uint32_t unheld = 0;
    int r = pass->process_1_hidden ? count_unheld(snapshot, &unheld) : 0;

    if (r < 0)
        return r;
    if (unheld)
        snapshot_note(snapshot, NOTE_OWNERS, BPF_SOURCE, -EACCES,
                      "this kernel hides the descriptors of process 1, even from root: sockets "
                      "that it holds have no owner");
    pass->collection->owners_done = true;
    snapshot->owners_known = 1;
    snapshot->pidns_is_init = 1;
    snapshot_source(snapshot, "owners", BPF_SOURCE);
    return 0;
}
