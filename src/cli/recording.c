/* SPDX-License-Identifier: MIT */
/* Recordings: reads wide, writes whole, and leaves of a recording what was asked for. */
#include "cli/recording.h"

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/replace_file.h"
#include "model/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* All but what only files of /proc/net tell: that would cost what sock_diag tells more. Sockets are
 * listed, not counted; counting packets or peers costs everybody, and the table of tracked
 * connections may be huge. */
void recording_widen(struct request *request)
{
    const uint64_t dear = NEED_WIRE | NEED_PEERS | NEED_CONNTRACK;

    request->needs = (request->needs & dear) |
                     ~(uint64_t)(NEED_TCP_FILE | NEED_REFERENCES | NEED_STATE_COUNTS | dear);
    request->protos = PROTO_ALL;
    request->states = STATE_ALL;
    request->families = FAMILY_INET;
    request->match_count = 0;
    request->pids = NULL;
}

/* `nwho ps` would count those of other protocols. */
static void drop_sockets(struct snapshot *snapshot, const struct request *request)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        const struct socket *socket = &snapshot->sockets[i];

        if (request->protos & PROTO_BIT(socket->proto) &&
            request_wants_family(request, socket->family))
            snapshot_move_socket(snapshot, i, kept++);
    }
    snapshot->sockets_count = kept;
}

/* Threads and namespaces of processes are shown wherever they are known. */
static void drop_process_facts(struct snapshot *snapshot, uint64_t needs)
{
    for (uint32_t i = 0; !(needs & NEED_PROCESS_NETNS) && i < snapshot->processes_count; i++)
        snapshot->processes[i].has &= ~(unsigned int)PROCESS_HAS_NETNS;
    if (!(needs & NEED_THREADS))
        snapshot->threads_count = 0;
}

/* What could not be recorded is told to those who ask for it. */
static void drop_notes(struct snapshot *snapshot, uint64_t needs)
{
    static const struct {
        const char *source;
        uint64_t need;
    } sources[] = {{"cgroup2", NEED_SOCKET_CGROUP},
                   {"ip_local_port_range", NEED_PORT_RANGE},
                   {"passwd", NEED_USER_NAMES},
                   {"ctnetlink", NEED_CONNTRACK},
                   {"pidfd_getfd", NEED_MEMBERS}};
    uint32_t kept = 0;

    for (uint32_t i = 0; i < snapshot->notes_count; i++) {
        size_t length, k = 0;
        const char *source = snapshot_string(snapshot, snapshot->notes[i].source, &length);

        while (k < ARRAY_SIZE(sources) && !(length == strlen(sources[k].source) &&
                                            memcmp(source, sources[k].source, length) == 0))
            k++;
        if (k == ARRAY_SIZE(sources) || snapshot->notes[i].effect != NOTE_DETAIL ||
            needs & sources[k].need)
            snapshot->notes[kept++] = snapshot->notes[i];
    }
    snapshot->notes_count = kept;
}

void recording_narrow(struct snapshot *snapshot, const struct request *request)
{
    drop_sockets(snapshot, request);
    drop_process_facts(snapshot, request->needs);
    drop_notes(snapshot, request->needs);
}

static int write_snapshot(const void *snapshot, int fd)
{
    return snapshot_write(snapshot, fd);
}

int recording_write(const char *path, const struct snapshot *snapshot)
{
    int r = replace_file(path, write_snapshot, snapshot);

    return r < 0 ? command_error("cannot record to %s: %s", path, strerror(-r)) : 0;
}

int recording_read(const char *path, struct snapshot *ret)
{
    struct snapshot_file_error error = {{0}};
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return command_error("%s: %s", path, strerror(errno));
    r = snapshot_read(fd, ret, &error);
    if (r < 0)
        return command_error("%s: %s", path, error.text[0] ? error.text : strerror(-r));
    return 0;
}
