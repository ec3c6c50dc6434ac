/* SPDX-License-Identifier: MIT */
/* Facilities: a table of all sources, each with how it is tried and what it takes. */
#include "collect/facilities.h"

#include "base/buf.h"
#include "base/confine_command.h"
#include "collect/facility.h"
#include "collect/kernel_release.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

#define READS_KERNEL (CAPABILITY(CAP_BPF) | CAPABILITY(CAP_PERFMON))
#define HOOKS_CGROUPS (READS_KERNEL | CAPABILITY(CAP_NET_ADMIN))

/* Before 5.8 it stood for both, and it still does. */
#define STANDS_FOR_BPF CAP_SYS_ADMIN

struct facility {
    const char *part, *name;
    const char *use;       /* what it is for */
    const char *instead;   /* what becomes of that without it */
    const char *option;    /* what the kernel needs for it */
    const char *module;    /* which may bring it; NULL: none */
    uint64_t capabilities; /* CAPABILITY()s: all are needed; 0: anybody may */
    int (*probe)(struct probing *probing, unsigned int argument);
    unsigned int argument;
    unsigned int since; /* LINUX(): older kernels have it not; 0: any that has the option may */
};

static const struct facility facilities[] = {
    {"sockets", "tcp_diag", "TCP sockets with all details (sock_diag)", "/proc/net/tcp is read",
     "CONFIG_INET_TCP_DIAG", "tcp_diag", 0, probe_inet_diag, PROTO_TCP, 0},
    {"sockets", "udp_diag", "UDP sockets (sock_diag)", "/proc/net/udp is read",
     "CONFIG_INET_UDP_DIAG", "udp_diag", 0, probe_inet_diag, PROTO_UDP, 0},
    {"sockets", "raw_diag", "raw sockets (sock_diag)", "/proc/net/raw is read",
     "CONFIG_INET_RAW_DIAG", "raw_diag", 0, probe_inet_diag, PROTO_RAW, 0},
    {"sockets", "udplite_diag", "UDP-Lite sockets (sock_diag)", "/proc/net/udplite is read",
     "CONFIG_INET_UDP_DIAG", "udp_diag", 0, probe_inet_diag, PROTO_UDPLITE, 0},
    {"sockets", "mptcp_diag", "MPTCP connections (sock_diag)", "only what carries them is shown",
     "CONFIG_INET_MPTCP_DIAG", "mptcp_diag", 0, probe_inet_diag, PROTO_MPTCP, 0},
    {"sockets", "sctp_diag", "SCTP associations (sock_diag)", "they are not shown",
     "CONFIG_INET_SCTP_DIAG", "sctp_diag", 0, probe_inet_diag, PROTO_SCTP, 0},
    {"sockets", "unix_diag", "unix sockets with their peers (sock_diag)",
     "/proc/net/unix is read, without peers", "CONFIG_UNIX_DIAG", "unix_diag", 0, probe_diag,
     PROTO_UNIX, 0},
    {"sockets", "packet_diag", "packet sockets (sock_diag)", "/proc/net/packet is read",
     "CONFIG_PACKET_DIAG", "af_packet_diag", 0, probe_diag, PROTO_PACKET, 0},
    {"sockets", "netlink_diag", "netlink sockets (sock_diag)", "/proc/net/netlink is read",
     "CONFIG_NETLINK_DIAG", "netlink_diag", 0, probe_diag, PROTO_NETLINK, 0},
    {"sockets", "vsock_diag", "sockets between virtual machines (sock_diag)", "they are not shown",
     "CONFIG_VSOCKETS_DIAG", "vsock_diag", 0, probe_diag, PROTO_VSOCK, 0},
    {"sockets", "/proc/net", "sockets, where sock_diag has nothing", "sock_diag alone is asked",
     "CONFIG_PROC_FS", NULL, 0, probe_proc_net, 0, 0},
    {"sockets", "bpf iter/tcp", "TCP sockets, exact while they come and go", "sock_diag is asked",
     "CONFIG_BPF_SYSCALL, CONFIG_DEBUG_INFO_BTF", NULL, READS_KERNEL, probe_iterator,
     PROBE_ITERATOR_TCP, LINUX(5, 14)},
    {"sockets", "bpf iter/udp", "UDP sockets, where there are many", "sock_diag is asked",
     "CONFIG_BPF_SYSCALL, CONFIG_DEBUG_INFO_BTF", NULL, READS_KERNEL, probe_iterator,
     PROBE_ITERATOR_UDP, LINUX(5, 14)},
    {"sockets", "bpf tcp table", "connections of all namespaces in one walk",
     "namespaces are read one by one", "CONFIG_BPF_SYSCALL, CONFIG_DEBUG_INFO_BTF", NULL,
     READS_KERNEL, probe_iterator, PROBE_ITERATOR_GLANCE, LINUX(6, 2)},
    {"owners", "bpf iter/task_file", "who holds which socket, in one pass",
     "/proc/PID/fd is searched", "CONFIG_BPF_SYSCALL, CONFIG_DEBUG_INFO_BTF", NULL, READS_KERNEL,
     probe_descriptors, 0, LINUX(5, 14)},
    {"owners", "/proc/PID/fd", "who holds which socket, without BPF", "owners of others are hidden",
     "CONFIG_PROC_FS", NULL, CAPABILITY(CAP_SYS_PTRACE) | CAPABILITY(CAP_DAC_READ_SEARCH),
     probe_proc_fd, 0, 0},
    {"owners", "kcmp", "threads with a descriptor table of their own",
     "what only they hold has no owner", "CONFIG_KCMP", NULL, CAPABILITY(CAP_SYS_PTRACE),
     probe_kcmp, 0, 0},
    {"namespaces", "setns", "sockets of other network namespaces", "only the own one is read",
     "CONFIG_NET_NS", NULL, CAPABILITY(CAP_SYS_ADMIN), probe_setns, 0, 0},
    {"processes", "cgroup2", "unit and container of sockets and processes",
     "cgroups of sockets have no names", "CONFIG_CGROUPS", NULL, 0, probe_cgroup2, 0, 0},
    {"interfaces", "rtnetlink", "interfaces, addresses and routes", "they are not shown",
     "CONFIG_NET", NULL, 0, probe_link, 0, 0},
    {"interfaces", "/proc/net/snmp", "counters of the protocols", "they are not shown",
     "CONFIG_PROC_FS", NULL, 0, probe_counters, 0, 0},
    {"traffic", "bpf calls", "bytes of every process, by each call",
     "only TCP is counted, by its own counters",
     "CONFIG_DEBUG_INFO_BTF, Linux 6.3 or CONFIG_FUNCTION_TRACER", NULL, READS_KERNEL, probe_calls,
     0, 0},
    {"traffic", "bpf packets", "packets and bytes on the wire of every socket",
     "only payload is counted", "CONFIG_CGROUP_BPF", NULL, HOOKS_CGROUPS, probe_traffic,
     PROBE_TRAFFIC_PACKETS, LINUX(6, 2)},
    {"traffic", "bpf peers", "peers of UDP sockets that are not connected",
     "such a socket is one row", "CONFIG_CGROUP_BPF", NULL, HOOKS_CGROUPS, probe_traffic,
     PROBE_TRAFFIC_PEERS, LINUX(6, 2)},
    {"events", "bpf events", "connections that open, fail and end, as it happens",
     "only ends are told, by sock_diag", "CONFIG_DEBUG_INFO_BTF", NULL, READS_KERNEL, probe_events,
     SOURCE_BPF, LINUX(5, 14)},
    {"events", "sock_diag groups", "connections that end, as it happens",
     "nothing is told without BPF", "CONFIG_INET_DIAG", "inet_diag", 0, probe_events,
     SOURCE_SOCK_DIAG, LINUX(4, 3)},
    {"packets", "libpcap", "packets and their filters", "packets are not shown", NULL, NULL, 0,
     probe_capture, 0, 0},
    {"packets", "packet sockets", "packets of interfaces", "only files of packets are read",
     "CONFIG_PACKET", "af_packet", CAPABILITY(CAP_NET_RAW), probe_packet_socket, 0, 0},
    {"packets", "bpf owners", "whose each packet is", "descriptors are searched",
     "CONFIG_CGROUP_BPF, CONFIG_DEBUG_INFO_BTF", NULL, HOOKS_CGROUPS, probe_packet_owners, 0,
     LINUX(6, 2)},
    {"conntrack", "ctnetlink", "tracked connections, NAT", "they are not shown",
     "CONFIG_NF_CT_NETLINK", "nf_conntrack_netlink", CAPABILITY(CAP_NET_ADMIN), probe_conntrack, 0,
     0},
    {"privileges", "seccomp", "system calls that nwho never needs fail",
     "only capabilities are given up", "CONFIG_SECCOMP_FILTER", NULL, 0, probe_seccomp, 0, 0},
    {"privileges", "landlock", "processes of nwho serve open no file that is not theirs",
     "only system calls are limited", "CONFIG_SECURITY_LANDLOCK", NULL, 0, probe_landlock, 0,
     LINUX(5, 13)},
};

/* --- what is lacking --- */

static const struct {
    unsigned int capability;
    const char *name;
} capability_names[] = {
    {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
    {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
    {CAP_NET_RAW, "CAP_NET_RAW"},
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
    {CAP_PERFMON, "CAP_PERFMON"},
    {CAP_BPF, "CAP_BPF"},
};

static uint64_t own_capabilities(void)
{
    uint64_t own = confine_capabilities();

    return own & CAPABILITY(STANDS_FOR_BPF) ? own | READS_KERNEL : own;
}

static void put_capabilities(struct buf *out, uint64_t capabilities)
{
    const char *separator = "";

    for (size_t i = 0; i < ARRAY_SIZE(capability_names); i++)
        if (capabilities & CAPABILITY(capability_names[i].capability)) {
            buf_printf(out, "%s%s", separator, capability_names[i].name);
            separator = ", ";
        }
}

/* The mode in brackets is the one in force; none is when there is no such file. */
static bool is_locked_down(void)
{
    CLEANUP_CLOSE int fd = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);
    char text[128];
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (length < 0)
        return false;
    text[length] = '\0';
    return strstr(text, "[confidentiality]");
}

static bool is_bpf(const struct facility *facility)
{
    return facility->capabilities & CAPABILITY(CAP_BPF);
}

/* Whoever has all that it takes is refused by something above the kernel's usual rules. */
static void explain_refusal(const struct facility *facility, struct probing *probing)
{
    uint64_t missing = facility->capabilities & ~own_capabilities();

    if (missing) {
        put_capabilities(&probing->lacks, missing);
        buf_puts(&probing->fix, geteuid() ? "sudo nwho selfcheck"
                                          : "run it outside of the container, or give it these "
                                            "capabilities");
    } else if (is_bpf(facility) && is_locked_down()) {
        buf_puts(&probing->lacks, "a kernel that is not locked down");
        buf_puts(&probing->fix, "boot with lockdown=integrity");
    } else {
        buf_puts(&probing->lacks, "permission: a seccomp filter or a security module refuses it");
        buf_puts(&probing->fix, "run it outside of the container, or let its profile allow this");
    }
}

static bool is_absent(int error)
{
    return error == -ENOENT || error == -EINVAL || error == -ENOSYS || error == -ESRCH ||
           error == -EPROTONOSUPPORT || error == -EAFNOSUPPORT || error == -EOPNOTSUPP ||
           error == -ESOCKTNOSUPPORT;
}

/* Asked when it is not there: some have what is newer than they are. */
static bool explain_age(const struct facility *facility, struct probing *probing)
{
    unsigned int here = kernel_release(), since = facility->since;

    if (!here || here >= since)
        return false;
    buf_printf(&probing->lacks, "Linux %u.%u (this is %u.%u)", LINUX_MAJOR(since),
               LINUX_MINOR(since), LINUX_MAJOR(here), LINUX_MINOR(here));
    buf_printf(&probing->fix, "a kernel since Linux %u.%u", LINUX_MAJOR(since), LINUX_MINOR(since));
    return true;
}

static void explain_absence(const struct facility *facility, struct probing *probing)
{
    if (explain_age(facility, probing))
        return;
    if (is_bpf(facility) && access("/sys/fs", F_OK) == 0 &&
        access("/sys/kernel/btf/vmlinux", F_OK) < 0)
        buf_puts(&probing->lacks, "CONFIG_DEBUG_INFO_BTF (no /sys/kernel/btf/vmlinux)");
    else
        buf_puts(&probing->lacks, facility->option ? facility->option : "");
    if (facility->module)
        buf_printf(&probing->fix, "modprobe %s", facility->module);
    else
        buf_printf(&probing->fix, "a kernel with %s", facility->option ? facility->option : "it");
}

static void explain(const struct facility *facility, int error, struct probing *probing)
{
    if (probing->lacks.length)
        return; /* the probe has said it */
    if (error == -EPERM || error == -EACCES) {
        explain_refusal(facility, probing);
    } else if (is_absent(error)) {
        explain_absence(facility, probing);
    } else if (error == -EXDEV) {
        buf_puts(&probing->lacks, "the machine's first pid namespace and root of cgroups");
        buf_puts(&probing->fix, "run it outside of the container");
    } else if (error == -EBADMSG) {
        buf_puts(&probing->lacks, "the truth: what it tells of our own sockets is wrong");
        buf_puts(&probing->fix, "report it with the version of the kernel (uname -r)");
    } else {
        buf_printf(&probing->lacks, "%s", strerror(-error));
    }
}

/* --- rows --- */

static int set_string(struct snapshot *snapshot, const char *text, uint32_t *ret_string)
{
    return text && *text ? snapshot_intern(snapshot, text, strlen(text), ret_string) : 0;
}

int facility_write(struct snapshot *snapshot, struct selfcheck *selfcheck,
                   const struct facility_row *from)
{
    struct selfcheck_row *row = selfcheck_add(selfcheck);
    int r;

    if (!row)
        return -ENOMEM;
    row->kind = SELFCHECK_SOURCE;
    row->result = from->result;
    r = set_string(snapshot, from->part, &row->part);
    if (r == 0)
        r = set_string(snapshot, from->name, &row->name);
    if (r == 0)
        r = set_string(snapshot, from->detail, &row->detail);
    if (r == 0)
        r = set_string(snapshot, from->lacks, &row->lacks);
    return r == 0 ? set_string(snapshot, from->fix, &row->fix) : r;
}

static void probing_reset(struct probing *probing)
{
    buf_reset(&probing->detail);
    buf_reset(&probing->lacks);
    buf_reset(&probing->fix);
}

static void probing_done(struct probing *probing)
{
    buf_done(&probing->detail);
    buf_done(&probing->lacks);
    buf_done(&probing->fix);
}

static const char *detail_of(const struct facility *facility, enum selfcheck_result result,
                             struct probing *probing)
{
    if (probing->detail.length)
        return buf_string(&probing->detail);
    if (result != SELFCHECK_MISSING)
        return facility->use;
    buf_printf(&probing->detail, "for %s; without it %s", facility->use, facility->instead);
    return buf_string(&probing->detail);
}

static int try_facility(const struct facility *facility, struct probing *probing,
                        struct snapshot *snapshot, struct selfcheck *selfcheck)
{
    struct facility_row row = {.part = facility->part, .name = facility->name};
    int r;

    probing_reset(probing);
    r = facility->probe(probing, facility->argument);
    if (r == -ENOMEM)
        return r;
    row.result = r == PROBE_UNUSED ? SELFCHECK_UNUSED : r < 0 ? SELFCHECK_MISSING : SELFCHECK_WORKS;
    if (r < 0)
        explain(facility, r, probing);
    row.detail = detail_of(facility, row.result, probing);
    row.lacks = buf_string(&probing->lacks);
    row.fix = buf_string(&probing->fix);
    return facility_write(snapshot, selfcheck, &row);
}

int facilities_find(const struct request *request, struct snapshot *snapshot,
                    struct selfcheck *selfcheck, struct facilities *ret_facilities)
{
    CLEANUP(probing_done)
    struct probing probing = {
        .request = request, .detail = BUF_INIT, .lacks = BUF_INIT, .fix = BUF_INIT};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(facilities) && r == 0; i++)
        r = try_facility(&facilities[i], &probing, snapshot, selfcheck);
    *ret_facilities = probing.found;
    return r;
}
