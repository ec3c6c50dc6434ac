/* SPDX-License-Identifier: MIT */
/* Which sockets joined a multicast group: each is asked, through a descriptor of its own process.
 */
/*
 * No file and no netlink message tells who joined. The kernel answers MCAST_MSFILTER only to a
 * member, and pidfd_getfd(2) (since 5.6) lends us the descriptor to ask with, for some
 * microseconds: the one way that needs no BPF and guesses nothing.
 */
#include "base/vec.h"
#include "collect/source.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Socket number `inode` is a member of membership number `membership`. */
struct joined {
    uint32_t inode;
    uint32_t membership;
    uint32_t turn; /* in which it was asked */
};

struct search {
    struct snapshot *snapshot;
    struct map sockets; /* inode -> index of the socket */
    struct map asked;   /* inodes that were asked, or whose process did not let us */
    struct joined *joined;
    uint32_t joined_count, joined_capacity;
    uint32_t *found; /* members so far, by membership */
    int pidfd;
    uint32_t process; /* that it is of */
    int error;        /* why some could not be asked; 0 none */
};

static void search_done(struct search *search)
{
    map_done(&search->sockets);
    map_done(&search->asked);
    free(search->joined);
    free(search->found);
    if (search->pidfd >= 0)
        close(search->pidfd);
}

static int begin_search(struct search *search)
{
    const struct snapshot *snapshot = search->snapshot;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++)
        if (snapshot->sockets[i].inode)
            r = map_set(&search->sockets, snapshot->sockets[i].inode, i);
    if (r == 0 && !(search->found = calloc(snapshot->memberships_count, sizeof(*search->found))))
        r = -ENOMEM;
    return r;
}

/* Nobody else can have joined: the kernel counts one user for each socket. */
static bool is_complete(const struct search *search, uint32_t membership)
{
    return search->found[membership] >= search->snapshot->memberships[membership].users;
}

/* 1 a member, 0 not, or -errno. */
static int is_member(int fd, const struct membership *membership)
{
    struct group_filter filter = {.gf_interface = membership->ifindex};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&filter.gf_group;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&filter.gf_group;
    socklen_t length = sizeof(filter);
    int level = membership->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;

    filter.gf_group.ss_family = membership->family;
    if (membership->family == AF_INET)
        memcpy(&v4->sin_addr, &membership->group, sizeof(v4->sin_addr));
    else
        memcpy(&v6->sin6_addr, &membership->group, sizeof(v6->sin6_addr));
    if (getsockopt(fd, level, MCAST_MSFILTER, &filter, &length) == 0)
        return 1;
    return errno == EADDRNOTAVAIL ? 0 : -errno;
}

static int add_joined(struct search *search, uint32_t inode, uint32_t membership)
{
    int r = VEC_RESERVE(&search->joined, &search->joined_capacity, search->joined_count, 1);

    if (r < 0)
        return r;
    search->joined[search->joined_count] =
        (struct joined){.inode = inode, .membership = membership, .turn = search->joined_count};
    search->joined_count++;

    search->found[membership]++;
    return 0;
}

/* What decides which groups a socket can have joined. */
struct candidate {
    uint32_t inode;
    uint32_t netns; /* index into snapshot.netns */
    unsigned int family;
};

/* IPv6 sockets can be members of IPv4 groups too, not the other way round. */
static int ask_socket(struct search *search, int fd, const struct candidate *candidate)
{
    const struct snapshot *snapshot = search->snapshot;
    int r = 0, answer;

    for (uint32_t i = 0; i < snapshot->memberships_count && r == 0; i++) {
        const struct membership *membership = &snapshot->memberships[i];

        if (is_complete(search, i) || membership->netns != candidate->netns ||
            membership->family == AF_PACKET ||
            (membership->family == AF_INET6 && candidate->family != AF_INET6))
            continue;
        answer = is_member(fd, membership);
        if (answer == 1)
            r = add_joined(search, candidate->inode, i);
        else if (answer < 0 && answer != -ENOPROTOOPT) /* raw IPv6 sockets join no IPv4 groups */
            search->error = answer;
    }
    return r;
}

/* The namespace of a socket, by its descriptor (SIOCGSKNS, since 4.10, takes CAP_NET_ADMIN). */
static bool find_netns(struct search *search, int fd, uint32_t *ret_netns)
{
    const struct snapshot *snapshot = search->snapshot;
    CLEANUP_CLOSE int netns = ioctl(fd, SIOCGSKNS);
    struct stat status;

    if (netns < 0 || fstat(netns, &status) < 0) {
        search->error = -errno;
        return false;
    }
    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        if (snapshot->netns[i].inode == (uint32_t)status.st_ino) {
            *ret_netns = i;
            return true;
        }
    return false;
}

/* A socket that no table has: UDP that was never bound. False: it can have joined nothing. */
static bool identify(struct search *search, int fd, struct candidate *candidate)
{
    int domain = 0, type = 0;
    socklen_t length = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 ||
        (domain != AF_INET && domain != AF_INET6) ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type == SOCK_STREAM)
        return false;
    candidate->family = (unsigned int)domain;
    return find_netns(search, fd, &candidate->netns);
}

/* Lends the descriptor of a holder; the same number may be another file by now. 0 or -errno. */
static int borrow(struct search *search, const struct holder *holder, int *ret_fd)
{
    uint32_t pid = search->snapshot->processes[holder->process].pid;
    CLEANUP_CLOSE int fd = -1;
    struct stat status;

    if (search->pidfd < 0 || search->process != holder->process) {
        if (search->pidfd >= 0)
            close(search->pidfd);
        search->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        search->process = holder->process;
    }
    if (search->pidfd < 0)
        return -errno;
    fd = (int)syscall(SYS_pidfd_getfd, search->pidfd, holder->fd, 0);
    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if ((uint32_t)status.st_ino != holder->inode)
        return -ESRCH;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static bool can_join(const struct socket *socket)
{
    const uint32_t protos = PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE) | PROTO_BIT(PROTO_RAW) |
                            PROTO_BIT(PROTO_ICMP);

    return PROTO_BIT(socket->proto) & protos;
}

/*
 * Asks the socket of a holder: those that tables have, or (`unlisted`) the others. A thread with a
 * descriptor table of its own is not asked: its pidfd would be that of the process.
 */
static int ask_holder(struct search *search, const struct holder *holder, bool unlisted)
{
    const struct snapshot *snapshot = search->snapshot;
    struct candidate candidate = {.inode = holder->inode};
    uint32_t index = map_get(&search->sockets, holder->inode);
    CLEANUP_CLOSE int fd = -1;
    int r;

    if ((index == MAP_NONE) != unlisted || map_get(&search->asked, holder->inode) != MAP_NONE ||
        (!unlisted && !can_join(&snapshot->sockets[index])))
        return 0;
    r = holder->tid ? -EOPNOTSUPP : borrow(search, holder, &fd);
    if (r < 0) {
        search->error = r == -ESRCH || r == -EBADF ? search->error : r;
        return 0;
    }
    r = map_set(&search->asked, holder->inode, 1);
    if (r == 0 && !unlisted) {
        candidate.netns = snapshot->sockets[index].netns;
        candidate.family = snapshot->sockets[index].family;
    }
    if (r < 0 || (unlisted && !identify(search, fd, &candidate)))
        return r;
    return ask_socket(search, fd, &candidate);
}

static int ask_holders(struct search *search, bool unlisted)
{
    int r = 0;

    for (uint32_t i = 0; i < search->snapshot->holders_count && r == 0; i++)
        r = ask_holder(search, &search->snapshot->holders[i], unlisted);
    return r;
}

/* Whether some join is of nobody yet. */
static bool any_left(const struct search *search)
{
    const struct snapshot *snapshot = search->snapshot;

    for (uint32_t m = 0; m < snapshot->memberships_count; m++) {
        const struct membership *membership = &snapshot->memberships[m];

        if (membership->family != AF_PACKET && !membership_is_of_kernel(membership) &&
            !is_complete(search, m))
            return true;
    }
    return false;
}

/* --- the rows --- */

/* Which descriptors lead to a socket, in the order of the snapshot. */
struct holders {
    struct map first; /* inode -> index of a holder */
    uint32_t *next;   /* by holder: the next one of this inode, or MAP_NONE */
};

static void holders_done(struct holders *holders)
{
    map_done(&holders->first);
    free(holders->next);
}

static int index_holders(const struct snapshot *snapshot, struct holders *holders)
{
    int r = 0;

    holders->next = calloc(snapshot->holders_count + 1u, sizeof(*holders->next));
    if (!holders->next)
        return -ENOMEM;
    for (uint32_t i = snapshot->holders_count; i-- > 0 && r == 0;) {
        holders->next[i] = map_get(&holders->first, snapshot->holders[i].inode);
        r = map_set(&holders->first, snapshot->holders[i].inode, i);
    }
    return r;
}

static int by_membership(const void *a, const void *b)
{
    const struct joined *x = a, *y = b;

    if (x->membership != y->membership)
        return x->membership < y->membership ? -1 : 1;
    return (x->turn > y->turn) - (x->turn < y->turn);
}

/* Every holder of a member is one, membership after membership. */
static int add_members(struct search *search)
{
    struct snapshot *snapshot = search->snapshot;
    CLEANUP(holders_done) struct holders holders = {.next = NULL};
    int r = search->joined_count ? index_holders(snapshot, &holders) : 0;

    if (search->joined_count)
        qsort(search->joined, search->joined_count, sizeof(*search->joined), by_membership);
    for (uint32_t i = 0; i < search->joined_count && r == 0; i++) {
        const struct joined *joined = &search->joined[i];
        uint32_t h = map_get(&holders.first, joined->inode);

        for (; h != MAP_NONE && r == 0; h = holders.next[h])
            r = snapshot_add_group_member(
                snapshot, (struct group_member){.membership = joined->membership,
                                                .process = snapshot->holders[h].process,
                                                .inode = joined->inode,
                                                .fd = snapshot->holders[h].fd});
    }
    return r;
}

/* A process that hides its descriptors may have joined any group. */
static bool hides_owners(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->notes_count; i++)
        if (snapshot->notes[i].effect == NOTE_OWNERS)
            return true;
    return !snapshot->owners_known;
}

static void finish(struct search *search)
{
    struct snapshot *snapshot = search->snapshot;
    bool whole = search->error == 0 && !hides_owners(snapshot);

    for (uint32_t i = 0; i < snapshot->memberships_count; i++)
        if (whole && snapshot->memberships[i].family != AF_PACKET)
            snapshot->memberships[i].has |= MEMBERSHIP_HAS_MEMBERS;
    if (search->error)
        snapshot_note(snapshot, NOTE_DETAIL, "pidfd_getfd", search->error,
                      "who joined multicast groups is not known of every socket: needs "
                      "CAP_SYS_PTRACE, and Linux 5.6");
}

static int collect_group_members(struct collection *collection)
{
    CLEANUP(search_done)
    struct search search = {.snapshot = collection->snapshot, .pidfd = -1};
    const struct snapshot *snapshot = collection->snapshot;
    int r;

    if (!snapshot->memberships_count)
        return 0;
    r = begin_search(&search);
    if (r == 0)
        r = ask_holders(&search, false);
    if (r == 0 && any_left(&search))
        r = ask_holders(&search, true);
    if (r == 0)
        r = add_members(&search);
    if (r == 0)
        finish(&search);
    return r;
}

const struct collector collector_group_members = {
    .name = "group members",
    .provides = NEED_MEMBERS,
    .collect = collect_group_members,
};
