/* SPDX-License-Identifier: MIT */
/* What the BPF sources share. */
#include "collect/bpf_pass.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Inode of the first pid namespace (PROC_PID_INIT_INO in the kernel since 3.8). */
#define INIT_PID_NAMESPACE 0xEFFFFFFCu

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
}

/*
 * The second field of a line "key value ..." or the part behind the slash of /proc/loadavg's
 * "running/all". Files of /proc are read whole in one read.
 */
static uint64_t number_in_file(const char *path, const char *behind)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[512];
    const char *at;
    ssize_t length;

    length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    at = strstr(text, behind);
    return at ? strtoull(at + strlen(behind), NULL, 10) : 0;
}

/*
 * Measured on two cores with a 6.18 kernel: loading and checking takes BPF_LOAD_US once, and 0.5 us
 * a descriptor. /proc takes about 25 us a process and 4 us a socket, and does not know the sockets
 * of other namespaces. Threads are counted, because the kernel has that number at hand; most are
 * kernel threads on an idle machine, and cost less, so that the sum is an upper bound.
 */
#define BPF_LOAD_US 12000
#define PROC_US_PER_TASK 25
#define PROC_US_PER_SOCKET 4

bool bpf_pays(const struct collection *collection)
{
    const struct request *request = collection->request;
    uint64_t tasks, sockets;

    if (request->prefer_bpf || request->netns_scope == NETNS_SCOPE_ALL)
        return true;
    if (request->pids && request->pid_count <= 4)
        return false;
    tasks = number_in_file("/proc/loadavg", "/");
    sockets = number_in_file("/proc/net/sockstat", "sockets: used ");
    return tasks * PROC_US_PER_TASK + sockets * PROC_US_PER_SOCKET > BPF_LOAD_US;
}

/* Process ids in records are those of the first pid namespace. */
static bool pids_are_ours(void)
{
    struct stat status;

    return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == INIT_PID_NAMESPACE;
}

int bpf_give_up(struct collection *collection, const char *source, int error, const char *what)
{
    if (error == -ENOMEM)
        return -ENOMEM;
    snapshot_note(collection->snapshot, NOTE_INFO, source, error, "%s%s%s", what, error ? ": " : "",
                  error ? strerror(-error) : "");
    return 0;
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
    if (request->match_count)
        take_ports(filter, request, request->match_count - 1);
}

int bpf_pass_open(struct bpf_pass *pass, enum iterator_kind kind, uint32_t protos,
                  struct iterator *ret_iterator)
{
    int r = iterator_open(kind, ret_iterator);

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

    if (!pids_are_ours())
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

int bpf_pass_walk_descriptors(struct bpf_pass *pass, struct iterator *iterator,
                              iterator_record_fn *fn)
{
    const struct request *request = pass->collection->request;
    int r = 0;

    if (!request->pids)
        return iterator_walk(iterator, 0, fn, pass);
    for (uint32_t i = 0; i < request->pid_count && (r == 0 || r == -ESRCH); i++) {
        iterator->filter->tgid = request->pids[i];
        r = iterator_walk(iterator, request->pids[i], fn, pass);
        if (r == -EINVAL)
            r = iterator_walk(iterator, 0, fn, pass);
    }
    return r == -ESRCH ? 0 : r;
}

int bpf_pass_netns(struct bpf_pass *pass, uint32_t inode, uint32_t *ret_netns)
{
    struct snapshot *snapshot = pass->collection->snapshot;
    uint32_t index;
    int r = 0;

    if (!pass->netns_index.count)
        for (uint32_t i = 0; i < snapshot->netns_count && r == 0; i++)
            r = map_set(&pass->netns_index, snapshot->netns[i].inode, i);
    if (r < 0)
        return r;
    index = map_get(&pass->netns_index, inode);
    if (index == MAP_NONE && pass->collection->request->netns_scope != NETNS_SCOPE_ALL)
        return -ENOENT;
    if (index == MAP_NONE) { /* only descriptors refer to it, so that nobody could find it before */
        r = snapshot_add_netns(snapshot, inode, &index);
        if (r == 0)
            r = map_set(&pass->netns_index, inode, index);
        if (r < 0)
            return r;
        snapshot->netns[index].flags |= NETNS_READ;
    }
    if (!(snapshot->netns[index].flags & NETNS_READ))
        return -ENOENT;
    *ret_netns = index;
    return 0;
}

static int add_process(struct snapshot *snapshot, const struct record_owner *owner,
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
    int r;

    if (owner->tgid != pass->last_tgid) {
        r = add_process(snapshot, owner, &pass->last_process);
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

void bpf_owners_finish(struct bpf_pass *pass)
{
    struct snapshot *snapshot = pass->collection->snapshot;

    pass->collection->owners_done = true;
    snapshot->owners_known = 1;
    snapshot->pidns_is_init = 1;
    snapshot_source(snapshot, "owners", BPF_SOURCE);
}
