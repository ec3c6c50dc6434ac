/* SPDX-License-Identifier: MIT */
/* Facilities: how each source but those of BPF is tried. */
#include "collect/facility.h"

#include "base/confine_command.h"
#include "collect/capture.h"
#include "collect/collect.h"
#include "collect/conntrack_usage.h"
#include "collect/diag.h"
#include "collect/events.h"
#include "collect/inet_diag_dump.h"
#include "collect/protocols.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/kcmp.h>
#include <linux/vm_sockets.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#define CGROUP2_MAGIC 0x63677270
#define LINK_ETHERNET 1 /* DLT_EN10MB */

/* --- sockets --- */

static int found_by_netlink(struct probing *probing, int result, unsigned int proto)
{
    if (result == 0)
        probing->found.netlink_protos |= PROTO_BIT(proto);
    return result;
}

static int has_no_sockets(struct probing *probing, unsigned int proto)
{
    buf_printf(&probing->detail, "this kernel has no sockets of %s, or its module is not loaded",
               socket_proto_name(proto));
    return PROBE_UNUSED;
}

int probe_inet_diag(struct probing *probing, unsigned int proto)
{
    if (protocols_read().absent & PROTO_BIT(proto) & ~PROTO_BIT(PROTO_RAW))
        return has_no_sockets(probing, proto);
    return found_by_netlink(probing, inet_diag_try(proto), proto);
}

static bool has_family(int family)
{
    CLEANUP_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 || errno != EAFNOSUPPORT;
}

int probe_diag(struct probing *probing, unsigned int proto)
{
    static const struct diag_source *const sources[] = {&diag_source_unix, &diag_source_packet,
                                                        &diag_source_netlink, &diag_source_vsock};

    if (proto == PROTO_VSOCK && !has_family(AF_VSOCK))
        return has_no_sockets(probing, proto);
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
        if (sources[i]->proto == proto)
            return found_by_netlink(probing, diag_try(probing->request, sources[i]), proto);
    return -ENOENT;
}

int probe_proc_net(struct probing *probing, unsigned int unused)
{
    (void)unused;
    probing->found.proc_protos = proc_net_protos();
    if (probing->found.proc_protos)
        return 0;
    buf_puts(&probing->lacks, "a mount of /proc");
    buf_puts(&probing->fix, "mount -t proc proc /proc");
    return -ENOENT;
}

/* --- what other collectors bring --- */

/* Reads what `needs` say by one kind of source. */
static int read_part(const struct probing *probing, uint64_t needs, uint32_t sources,
                     struct snapshot *ret_snapshot)
{
    struct request request = *probing->request;
    int r = snapshot_init(ret_snapshot);

    request.needs = needs;
    request.sources = sources;
    return r < 0 ? r : collect(ret_snapshot, &request);
}

/* What is said of namespaces concerns another source. */
static const struct note *find_note(const struct snapshot *snapshot, enum note_effect effect)
{
    for (uint32_t i = 0; i < snapshot->notes_count; i++)
        if (snapshot->notes[i].effect == effect &&
            strcmp(snapshot_string(snapshot, snapshot->notes[i].source, NULL), "netns") != 0)
            return &snapshot->notes[i];
    return NULL;
}

/* A part that says what is missing: why it is. */
static int take_note(struct probing *probing, const struct snapshot *snapshot,
                     const struct note *note)
{
    if (!note)
        return 0;
    buf_puts(&probing->detail, snapshot_string(snapshot, note->text, NULL));
    return note->error ? note->error : -EACCES;
}

int probe_proc_fd(struct probing *probing, unsigned int unused)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    int r = read_part(probing, NEED_SOCKETS | NEED_OWNERS,
                      SOURCE_SOCK_DIAG | SOURCE_PROC_NET | SOURCE_PROC_FD, &snapshot);

    (void)unused;
    return r < 0 ? r : take_note(probing, &snapshot, find_note(&snapshot, NOTE_OWNERS));
}

static int probe_part(struct probing *probing, uint64_t needs)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    int r = read_part(probing, needs, SOURCE_ALL, &snapshot);
    const struct note *note = NULL;

    if (r < 0)
        return r;
    note = find_note(&snapshot, NOTE_INCOMPLETE);
    return take_note(probing, &snapshot, note ? note : find_note(&snapshot, NOTE_DETAIL));
}

int probe_link(struct probing *probing, unsigned int unused)
{
    (void)unused;
    return probe_part(probing, NEED_LINKS | NEED_LINK_DETAILS | NEED_ADDRESSES | NEED_ROUTES);
}

int probe_counters(struct probing *probing, unsigned int unused)
{
    (void)unused;
    return probe_part(probing, NEED_COUNTERS);
}

/* Where nothing is tracked nothing is asked: it might load modules. */
int probe_conntrack(struct probing *probing, unsigned int unused)
{
    uint64_t entries;
    int r = conntrack_entries(&entries);

    (void)unused;
    if (r == 0 && entries > 0)
        return probe_part(probing, NEED_CONNTRACK);
    buf_puts(&probing->detail, r == 0 ? "no connection is tracked in this namespace"
                                      : "connections are not tracked here: nf_conntrack is not "
                                        "loaded");
    return PROBE_UNUSED;
}

/* --- the kernel --- */

int probe_kcmp(struct probing *probing, unsigned int unused)
{
    (void)probing;
    (void)unused;
    return syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILES, 0, 0) < 0 ? -errno : 0;
}

/* Into where we are. */
int probe_setns(struct probing *probing, unsigned int unused)
{
    CLEANUP_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    (void)unused;
    if (own < 0) {
        buf_puts(&probing->lacks, "a mount of /proc");
        buf_puts(&probing->fix, "mount -t proc proc /proc");
        return -errno;
    }
    if (setns(own, CLONE_NEWNET) < 0)
        return -errno;
    probing->found.enters_namespaces = true;
    return 0;
}

static bool is_cgroup2(const char *path)
{
    struct statfs system;

    return statfs(path, &system) == 0 && system.f_type == CGROUP2_MAGIC;
}

int probe_cgroup2(struct probing *probing, unsigned int unused)
{
    bool is_v1 = access("/sys/fs/cgroup/memory", F_OK) == 0;

    (void)unused;
    if (is_cgroup2("/sys/fs/cgroup") || is_cgroup2("/sys/fs/cgroup/unified"))
        return 0;
    buf_puts(&probing->lacks, "a mount of cgroup2 below /sys/fs/cgroup");
    buf_printf(&probing->fix, "mkdir -p %s; mount -t cgroup2 none %s",
               is_v1 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup",
               is_v1 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup");
    return -ENOENT;
}

int probe_events(struct probing *probing, unsigned int source)
{
    struct event_source *events = NULL;
    struct request request = *probing->request;
    int r;

#if !HAVE_BPF
    if (source == SOURCE_BPF)
        return facility_no_bpf(probing);
#endif
    request.sources = source;
    r = event_source_open(&request, EVENTS_OF_SOCKETS, &events);
    event_source_close(events);
    return r;
}

int probe_capture(struct probing *probing, unsigned int unused)
{
    char error[CAPTURE_ERROR_SIZE] = "";
    struct capture *capture = NULL;
    int r = capture_open_none(LINK_ETHERNET, 96, &capture, error);

    (void)unused;
    capture_close(capture);
    if (r == 0)
        return 0;
    buf_puts(&probing->lacks, error);
    buf_puts(&probing->fix, "install libpcap (Debian: libpcap0.8), or build with its headers");
    return r;
}

int probe_packet_socket(struct probing *probing, unsigned int unused)
{
    CLEANUP_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0));

    (void)probing;
    (void)unused;
    return fd < 0 ? -errno : 0;
}

int probe_seccomp(struct probing *probing, unsigned int unused)
{
    (void)probing;
    (void)unused;
    return confine_tries_calls();
}

int probe_landlock(struct probing *probing, unsigned int unused)
{
    int r = confine_tries_files();

    (void)unused;
    if (r == -EOPNOTSUPP) {
        buf_puts(&probing->lacks, "landlock, which this kernel has, among its security modules");
        buf_puts(&probing->fix, "boot with landlock in the list of lsm=");
    }
    return r;
}
