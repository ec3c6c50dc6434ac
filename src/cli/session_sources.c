/* SPDX-License-Identifier: MIT */
/* A session: which namespaces of which machine it reads, and by which sources. */
#include "cli/session.h"

#include "base/advice.h"
#include "collect/collect.h"
#include "collect/netns.h"
#include "derive/container.h"

static int parse_sources(const char *list, uint32_t *ret_sources)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } names[] = {{"bpf", SOURCE_BPF},
                 {"sock_diag", SOURCE_SOCK_DIAG},
                 {"proc_net", SOURCE_PROC_NET},
                 {"proc_fd", SOURCE_PROC_FD}};
    uint32_t sources = 0;

    do {
        size_t length = strcspn(list, ","), i = 0;

        while (i < ARRAY_SIZE(names) &&
               !(strlen(names[i].name) == length && strncmp(names[i].name, list, length) == 0))
            i++;
        if (i == ARRAY_SIZE(names))
            return command_error("--sources: \"%.*s\" is none of bpf, sock_diag, proc_net, proc_fd",
                                 (int)length, list);
        sources |= names[i].bit;
        list += length + (list[length] == ',');
    } while (*list);
    *ret_sources = sources;
    return 0;
}

static const char *netns_problem(int error)
{
    switch (error) {
    case -ENOENT:
        return "there is no such name in /run/netns, and no such path; nwho ls --all-netns -o "
               "netns,owner shows all";
    case -ESRCH:
        return "there is no such process, and no namespace with that inode";
    case -EACCES:
        return "its processes, or some that may be in it, do not show their namespace to you: that "
               "takes CAP_SYS_PTRACE";
    default:
        return "it is no network namespace";
    }
}

int session_netns_error(const char *name, int error)
{
    return command_error("network namespace \"%s\": %s", name, netns_problem(error));
}

/* What --container says, as some process is in it. */
static int find_container(const char *id, uint32_t *ret_inode)
{
    struct request request = {.needs = NEED_ALL_PROCESSES | NEED_CGROUP | NEED_PROCESS_NETNS,
                              .sources = SOURCE_ALL};
    CLEANUP(snapshot_done) struct snapshot snapshot;
    uint32_t netns = 0;
    int r = snapshot_init(&snapshot);

    if (r == 0)
        r = collect(&snapshot, &request);
    if (r < 0)
        return command_error("cannot read the processes: %s", strerror(-r));
    r = container_netns(&snapshot, id, &netns);
    if (r == -EEXIST)
        return command_error("\"%s\" is the beginning of several containers: write more of it", id);
    if (r < 0)
        return command_error("no process of a container \"%s\" is visible here%s", id,
                             geteuid() == 0 ? "" : RUN_AS_ROOT);
    *ret_inode = snapshot.netns[netns].inode;
    return 0;
}

static int add_namespaces(struct session *session)
{
    const struct options *options = session->options;
    struct request *request = &session->request;
    uint32_t count = options->namespace_count + (options->container != NULL);
    uint32_t *inodes = arena_alloc(&session->arena, (count + 1) * sizeof(*inodes));

    if (!inodes)
        return command_error("out of memory");
    for (uint32_t i = 0; i < options->namespace_count; i++) {
        int r = netns_parse(options->namespaces[i], &inodes[i]);

        if (r < 0)
            return session_netns_error(options->namespaces[i], r);
    }
    if (options->container && find_container(options->container, &inodes[count - 1]))
        return EXIT_ERROR;
    request->netns_scope = options->all_netns ? NETNS_SCOPE_ALL
                           : count            ? NETNS_SCOPE_LISTED
                                              : NETNS_SCOPE_SELF;
    request->netns_inodes = inodes;
    request->netns_count = count;
    return 0;
}

int session_sources(struct session *session)
{
    const struct options *options = session->options;

    if (options->sources) {
        if (parse_sources(options->sources, &session->request.sources) != 0)
            return EXIT_ERROR;
        session->request.prefer_bpf = session->request.sources & SOURCE_BPF;
    }
    if (options->replay && (options->namespace_count || options->container))
        return command_error(
            "-N and --container choose what to read; with --replay use the filter: netns NAME");
    return options->replay ? 0 : add_namespaces(session);
}
