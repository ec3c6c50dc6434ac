/* SPDX-License-Identifier: MIT */
/* Network namespaces: lists them and takes the collectors through those that are asked for. */
#include "collect/netns.h"

#include "base/advice.h"
#include "collect/netns_scan.h"
#include "collect/tasks.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct discovery {
    struct collection *collection;
    struct map by_inode; /* inode -> index into snapshot.netns */
};

static void discovery_done(struct discovery *discovery)
{
    map_done(&discovery->by_inode);
}

static bool is_wanted(const struct request *request, uint32_t inode, uint32_t own)
{
    if (request->netns_scope == NETNS_SCOPE_ALL)
        return true;
    if (request->netns_scope == NETNS_SCOPE_SELF)
        return inode == own;
    for (uint32_t i = 0; i < request->netns_count; i++)
        if (request->netns_inodes[i] == inode)
            return true;
    return false;
}

/* Adds a namespace, or returns the known one; marks it when it is to be read. */
static int add_netns(struct discovery *discovery, uint32_t inode, uint32_t *ret_index)
{
    struct snapshot *snapshot = discovery->collection->snapshot;
    uint32_t index = map_get(&discovery->by_inode, inode);
    int r = 0;

    if (index == MAP_NONE) {
        r = snapshot_add_netns(snapshot, inode, &index);
        if (r == 0)
            r = map_set(&discovery->by_inode, inode, index);
        if (r < 0)
            return r;
        if (is_wanted(discovery->collection->request, inode, snapshot->netns[0].inode))
            snapshot->netns[index].flags |= NETNS_READ;
    }
    *ret_index = index;
    return 0;
}

/* Takes over what a place tells about a namespace, unless another place has told it before. */
static int add_sighting(void *context, const struct netns_sighting *sighting)
{
    struct discovery *discovery = context;
    struct snapshot *snapshot = discovery->collection->snapshot;
    struct netns *netns;
    uint32_t index;
    int r = 0;

    if (map_get(&discovery->by_inode, sighting->inode) == MAP_NONE &&
        !is_wanted(discovery->collection->request, sighting->inode, snapshot->netns[0].inode))
        return 0;
    r = add_netns(discovery, sighting->inode, &index);
    if (r < 0)
        return r;
    netns = &snapshot->netns[index];
    if (!netns->pid)
        netns->pid = sighting->pid;
    if (!netns->path && sighting->path)
        r = snapshot_intern(snapshot, sighting->path, strlen(sighting->path), &netns->path);
    if (r == 0 && !netns->name && sighting->name)
        r = snapshot_intern(snapshot, sighting->name, strlen(sighting->name), &netns->name);
    return r;
}

/* The own namespace comes first; without /proc its inode is not known and stays 0. */
static int add_own(struct discovery *discovery)
{
    struct collection *collection = discovery->collection;
    struct stat status = {0};
    uint32_t index;
    int r;

    if (collection->own_netns < 0)
        collection->own_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (collection->own_netns >= 0 && fstat(collection->own_netns, &status) < 0)
        status.st_ino = 0;
    r = snapshot_add_netns(collection->snapshot, (uint32_t)status.st_ino, &index);
    if (r == 0)
        r = map_set(&discovery->by_inode, status.st_ino, index);
    if (r < 0)
        return r;
    collection->snapshot->netns[index].flags |= NETNS_SELF;
    if (is_wanted(collection->request, (uint32_t)status.st_ino, (uint32_t)status.st_ino))
        collection->snapshot->netns[index].flags |= NETNS_READ;
    return 0;
}

static int add_init(struct discovery *discovery)
{
    struct netns *netns;
    uint32_t inode, pid, index;
    int r;

    if (netns_initial(&inode, &pid) < 0)
        return 0;
    r = add_netns(discovery, inode, &index);
    if (r < 0)
        return r;
    netns = &discovery->collection->snapshot->netns[index];
    netns->flags |= NETNS_INIT;
    netns->pid = pid;
    return 0;
}

/*
 * How many of the namespaces asked for have not been seen in a place by which they can be entered.
 */
static uint32_t count_missing(const struct discovery *discovery)
{
    const struct request *request = discovery->collection->request;
    const struct netns *all = discovery->collection->snapshot->netns;
    uint32_t count = 0;

    if (request->netns_scope != NETNS_SCOPE_LISTED)
        return 0;
    for (uint32_t i = 0; i < request->netns_count; i++) {
        uint32_t index = map_get(&discovery->by_inode, request->netns_inodes[i]);

        count += index == MAP_NONE ||
                 (!all[index].path && !all[index].pid && !(all[index].flags & NETNS_SELF));
    }
    return count;
}

static void note_missing(const struct discovery *discovery, struct netns_unseen unseen)
{
    const struct request *request = discovery->collection->request;
    struct snapshot *snapshot = discovery->collection->snapshot;
    uint32_t missing = count_missing(discovery);

    if (unseen.error && (request->netns_scope == NETNS_SCOPE_ALL || missing))
        snapshot_note(snapshot, NOTE_INCOMPLETE, "netns", unseen.error,
                      "not every place that shows network namespaces could be read: sockets may be "
                      "missing");
    if (unseen.hidden && (request->netns_scope == NETNS_SCOPE_ALL || missing))
        snapshot_note(snapshot, NOTE_INCOMPLETE, "netns", -EACCES,
                      "the network namespace of %u process%s is hidden, sockets in it may be "
                      "missing: needs CAP_SYS_PTRACE" RUN_AS_ROOT,
                      unseen.hidden, unseen.hidden == 1 ? "" : "es");
    if (missing)
        snapshot_note(snapshot, NOTE_INCOMPLETE, "netns", -ENOENT,
                      "%u of the network namespaces asked for are not there (any more)", missing);
}

static int scan_processes(struct discovery *discovery, struct netns_unseen *unseen)
{
    int r = tasks_read(discovery->collection, add_sighting, discovery);

    return r == -EOPNOTSUPP ? netns_scan_processes(add_sighting, discovery, unseen) : r;
}

/*
 * The cheap places first; the processes are only looked through when something asked for is still
 * missing.
 */
int netns_discover(struct collection *collection)
{
    CLEANUP(discovery_done) struct discovery discovery = {.collection = collection};
    const struct request *request = collection->request;
    struct netns_unseen unseen = {0};
    int r = add_own(&discovery);

    if (r < 0)
        return r;
    r = add_init(&discovery);
    if (r == 0)
        r = netns_scan_names(add_sighting, &discovery, &unseen);
    if (r == 0 && request->netns_scope != NETNS_SCOPE_SELF)
        r = netns_scan_mounts(add_sighting, &discovery, &unseen);
    if (r == 0 && (request->netns_scope == NETNS_SCOPE_ALL || count_missing(&discovery)))
        r = scan_processes(&discovery, &unseen);
    if (r == 0)
        note_missing(&discovery, unseen);
    return r;
}

static bool is_gone(int error)
{
    return error == -ENOENT || error == -ESRCH || error == -ENOTDIR;
}

/* Opens a namespace by one path, if that still leads to it. */
static int open_path(const char *path, uint32_t inode, int *ret_fd)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if ((uint32_t)status.st_ino != inode)
        return -ENOENT;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int open_of_process(uint32_t pid, uint32_t inode, int *ret_fd)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
    return open_path(path, inode, ret_fd);
}

/* "name" or "net:[inode]" */
static const char *netns_label(const struct snapshot *snapshot, const struct netns *netns,
                               char *buffer, size_t size)
{
    if (netns->name)
        snprintf(buffer, size, "%s", snapshot_string(snapshot, netns->name, NULL));
    else
        snprintf(buffer, size, "net:[%u]", netns->inode);
    return buffer;
}

/* Those that could not be entered for one reason. */
struct left_out {
    uint32_t first, count;
    int error;
};

static void leave_out(struct left_out *left_out, uint32_t index, int error)
{
    if (!left_out->count++)
        left_out->first = index;
    left_out->error = error;
}

/* "name", or "name and 3 more" */
static const char *left_out_label(const struct snapshot *snapshot, const struct left_out *left_out,
                                  char *buffer, size_t size)
{
    char label[128];

    netns_label(snapshot, &snapshot->netns[left_out->first], label, sizeof(label));
    snprintf(buffer, size, "%s", label);
    if (left_out->count > 1)
        snprintf(buffer, size, "%s and %u more", label, left_out->count - 1);
    return buffer;
}

/* `before` and `after`: the sentence around the label. */
static void note_left_out(struct snapshot *snapshot, enum note_effect effect,
                          const struct left_out *left_out, const char *before, const char *after)
{
    char label[160];

    if (left_out->count)
        snapshot_note(snapshot, effect, "netns", left_out->error, "%s %s %s", before,
                      left_out_label(snapshot, left_out, label, sizeof(label)), after);
}

/* A look for all namespaces in /proc, because one is not where it was. */
struct search {
    struct snapshot *snapshot;
    struct map lost; /* inode -> index, of those that were not seen yet */
    uint32_t inode;  /* this one is to be opened */
    int fd;          /* -1: not yet */
};

static void search_done(struct search *search)
{
    map_done(&search->lost);
}

/* The first process that is seen is the oldest, which most likely stays. */
static int take_sighting(void *context, const struct netns_sighting *sighting)
{
    struct search *search = context;
    uint32_t index = map_get(&search->lost, sighting->inode);

    if (sighting->inode == search->inode && search->fd < 0)
        (void)open_of_process(sighting->pid, search->inode, &search->fd);
    if (index != MAP_NONE) {
        search->snapshot->netns[index].pid = sighting->pid;
        map_remove(&search->lost, sighting->inode);
    }
    return 0;
}

/* Whatever was seen nowhere; what has a path is asked for there first. */
static void mark_gone(const struct search *search)
{
    struct snapshot *snapshot = search->snapshot;
    struct left_out ended = {.error = -ENOENT}, unreachable = {.error = -ENOENT};

    for (uint32_t i = 0; i < snapshot->netns_count; i++) {
        struct netns *netns = &snapshot->netns[i];

        if (netns->flags & (NETNS_GONE | NETNS_SELF) || !(netns->flags & NETNS_READ) ||
            map_get(&search->lost, netns->inode) == MAP_NONE ||
            (netns->path && netns->inode != search->inode))
            continue;
        netns->flags |= NETNS_GONE;
        leave_out(netns->pid || netns->path ? &ended : &unreachable, i, -ENOENT);
    }
    note_left_out(snapshot, NOTE_INFO, &ended, "namespace", "ended while it was being read");
    note_left_out(snapshot, NOTE_INFO, &unreachable, "namespace",
                  "has no process and no name: only sockets with a descriptor are "
                  "shown of it");
}

/*
 * Who was seen in it may have been there for a moment only, as we are: then others may still be.
 * Where one has ended others may have, too: whatever is nowhere is not searched for again, as that
 * takes a look at all processes.
 */
static int search_netns(struct snapshot *snapshot, uint32_t inode, int *ret_fd)
{
    CLEANUP(search_done)
    struct search search = {.snapshot = snapshot, .inode = inode, .fd = -1};
    struct netns_unseen unseen = {0};
    int r = map_reserve(&search.lost, snapshot->netns_count);

    for (uint32_t i = 0; i < snapshot->netns_count && r == 0; i++)
        r = map_set(&search.lost, snapshot->netns[i].inode, i);
    if (r == 0)
        r = netns_scan_processes(take_sighting, &search, &unseen);
    if (r == 0 && !unseen.error)
        mark_gone(&search);
    if (search.fd < 0)
        return r < 0 ? r : -ENOENT;
    *ret_fd = search.fd;
    return 0;
}

static int open_netns(struct snapshot *snapshot, const struct netns *netns, int *ret_fd)
{
    int r = -ENOENT;

    if (netns->flags & NETNS_GONE)
        return r;
    if (netns->path)
        r = open_path(snapshot_string(snapshot, netns->path, NULL), netns->inode, ret_fd);
    if (r < 0 && netns->pid)
        r = open_of_process(netns->pid, netns->inode, ret_fd);
    return is_gone(r) ? search_netns(snapshot, netns->inode, ret_fd) : r;
}

/* Comes back. Where it cannot, nothing more is read: it would be taken for another namespace's. */
static int leave(struct collection *collection, int result)
{
    struct snapshot *snapshot = collection->snapshot;
    int error;

    if (setns(collection->own_netns, CLONE_NEWNET) == 0)
        return result;
    error = -errno;
    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        snapshot->netns[i].flags &= ~(uint32_t)NETNS_READ;
    snapshot_note(snapshot, NOTE_INCOMPLETE, "netns", error,
                  "rows are missing: the way back to the own namespace failed");
    return error;
}

/*
 * Goes in, calls fn, comes back. *ret_entered is the reason why it could not go in. Not coming
 * back is an error that ends everything.
 */
static int visit(struct collection *collection, uint32_t index,
                 int (*fn)(struct collection *collection, uint32_t netns), int *ret_entered)
{
    const struct netns *netns = &collection->snapshot->netns[index];
    CLEANUP_CLOSE int fd = -1;
    int r;

    *ret_entered = 0;
    if (netns->flags & NETNS_SELF)
        return fn(collection, index);
    *ret_entered =
        collection->own_netns < 0 ? -EPERM : open_netns(collection->snapshot, netns, &fd);
    if (*ret_entered == 0 && setns(fd, CLONE_NEWNET) < 0)
        *ret_entered = -errno;
    if (*ret_entered < 0)
        return 0;
    r = fn(collection, index);
    return leave(collection, r);
}

/* Of many together one note: thousands may end at once. */
struct not_entered {
    struct left_out forbidden, failed;
};

/* search_netns() has told those that are gone. */
static void sort_out(uint32_t index, int error, struct not_entered *not_entered)
{
    if (error == -EPERM || error == -EACCES)
        leave_out(&not_entered->forbidden, index, error);
    else if (!is_gone(error))
        leave_out(&not_entered->failed, index, error);
}

static void note_not_entered(struct snapshot *snapshot, const struct not_entered *not_entered)
{
    note_left_out(snapshot, NOTE_INCOMPLETE, &not_entered->failed, "what is in namespace",
                  "is missing: it could not be entered");
    note_left_out(snapshot, NOTE_INCOMPLETE, &not_entered->forbidden, "what is in namespace",
                  "is not shown: needs CAP_SYS_ADMIN" RUN_AS_ROOT);
}

int netns_for_each(struct collection *collection,
                   int (*fn)(struct collection *collection, uint32_t netns))
{
    struct snapshot *snapshot = collection->snapshot;
    struct not_entered not_entered = {0};
    int r = 0;

    for (uint32_t i = 0; i < snapshot->netns_count && r >= 0; i++) {
        int entered;

        if (!(snapshot->netns[i].flags & NETNS_READ))
            continue;
        r = visit(collection, i, fn, &entered);
        if (entered < 0)
            sort_out(i, entered, &not_entered);
    }
    note_not_entered(snapshot, &not_entered);
    return r < 0 ? r : 0;
}

int netns_for_first(struct collection *collection,
                    int (*fn)(struct collection *collection, uint32_t netns))
{
    const struct snapshot *snapshot = collection->snapshot;
    uint32_t first = 0;
    int r, entered;

    while (first < snapshot->netns_count && !(snapshot->netns[first].flags & NETNS_INIT))
        first++;
    if (first == snapshot->netns_count)
        return fn(collection, 0);
    r = visit(collection, first, fn, &entered);
    return entered < 0 ? fn(collection, 0) : r;
}

struct visitor {
    int (*fn)(void *context, uint32_t netns);
    void *context;
};

static int call_visitor(struct collection *collection, uint32_t netns)
{
    const struct visitor *visitor = collection->context;

    return visitor->fn(visitor->context, netns);
}

int netns_visit(struct snapshot *snapshot, int (*fn)(void *context, uint32_t netns), void *context)
{
    struct visitor visitor = {fn, context};
    CLEANUP_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    struct collection collection = {.snapshot = snapshot, .own_netns = own, .context = &visitor};

    return netns_for_each(&collection, call_visitor);
}
