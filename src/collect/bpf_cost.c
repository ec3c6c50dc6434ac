/* SPDX-License-Identifier: MIT */
/* Whether BPF is worth loading: what the machine has, times what each source takes for it. */
#include "collect/bpf_pass.h"
#include "collect/programs.h"
#include "collect/sockstat.h"

#include <fcntl.h>
#include <string.h>

/*
 * Microseconds, measured on two cores with a 6.18 kernel (which searches its types for every
 * program that is loaded; the programs need no library that would add to it: through libbpf it is
 * 30 ms and 13 MB). A pass over the descriptors then takes 0.5 to 0.8 a descriptor, iter/tcp 0.6 to
 * 0.9 a socket.
 */
#define LOAD_DESCRIPTORS 7500
#define LOAD_TCP 7000

/* /proc/PID/fd: 20 for a process without descriptors to 75, and 5 a socket. */
#define PROC_PER_TASK 30
#define PROC_PER_SOCKET 5

/*
 * sock_diag has to read everything twice: 2 a socket, and half of a microsecond more than iter/tcp.
 */
#define DIAG_MORE_PER_1000_SOCKETS 400

/* Of a socket that only BPF can leave out. */
#define DIAG_SIGNLESS 2

/* Below this many UDP sockets sock_diag is done before the program is loaded. */
#define UDP_SOCKETS 20000

/* Of the whole machine: "0.10 0.20 0.30 2/345 6789". 0 when unknown. */
static uint64_t count_tasks(void)
{
    CLEANUP_CLOSE int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    char text[128];
    const char *at;
    ssize_t length;

    length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    at = strchr(text, '/');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* Of what is not loaded already. */
static uint64_t time_to_load(const struct request *request, bool sockets, bool owners)
{
    bool descriptors = owners && !programs_have(request->programs, ITERATOR_TASK_FILE);
    bool tcp = sockets && !programs_have(request->programs, ITERATOR_TCP);

    return (descriptors ? LOAD_DESCRIPTORS : 0u) + (tcp ? LOAD_TCP : 0u);
}

/*
 * What the other sources would take more. Tasks are all threads, kernel threads too: the kernel has
 * that number at hand, while processes would have to be counted in /proc. A search for owners
 * that is loaded runs whatever reads the sockets.
 */
static uint64_t time_saved(const struct request *request, bool sockets, bool owners)
{
    struct sockstat sockstat = {0};
    uint64_t saved = 0;

    if (sockstat_read(&sockstat) < 0)
        return 0;
    if (owners && !request->pids && !programs_have(request->programs, ITERATOR_TASK_FILE))
        saved = count_tasks() * PROC_PER_TASK + sockstat.used * PROC_PER_SOCKET;
    if (sockets)
        saved += request->signs ? sockstat.used * DIAG_SIGNLESS
                                : sockstat.used * DIAG_MORE_PER_1000_SOCKETS / 1000;
    return saved;
}

bool bpf_pays(const struct collection *collection, bool sockets, bool owners)
{
    const struct request *request = collection->request;

    if (request->prefer_bpf || request->netns_scope == NETNS_SCOPE_ALL)
        return true;
    /* With CAP_BPF and CAP_PERFMON an ordinary user sees all owners; without, it fails at once. */
    if (owners && geteuid() != 0)
        return true;
    /* sock_diag checks ports and addresses in the kernel, and then sends little. */
    if (sockets && request->match_count)
        return false;
    if (owners && !sockets && !request->pids &&
        programs_have(request->programs, ITERATOR_TASK_FILE))
        return true;
    return time_saved(request, sockets, owners) > time_to_load(request, sockets, owners);
}

bool bpf_pays_for_udp(const struct collection *collection)
{
    struct sockstat sockstat;

    return collection->request->prefer_bpf ||
           (sockstat_read(&sockstat) == 0 && sockstat.udp > UDP_SOCKETS);
}
