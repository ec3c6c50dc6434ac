/* SPDX-License-Identifier: MIT */
/* Settings of the kernel that checks ask for, by /proc/sys: those of each namespace in it, those of
 * the machine once. */
#include "collect/netns.h"
#include "collect/proc_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char *const netns_settings[] = {
    "net.core.somaxconn",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_orphan_retries",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.netfilter.nf_conntrack_buckets",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
};

/* Most of those of /proc/sys/net are shown in the first namespace of the machine alone. */
static const char *const machine_settings[] = {
    "fs.file-nr",
    "net.core.netdev_budget",
    "net.core.netdev_budget_usecs",
    "net.core.netdev_max_backlog",
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.wmem_max",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_mem",
    "net.ipv4.udp_mem",
};

static int add_setting(struct snapshot *snapshot, uint32_t netns, uint32_t flags, const char *name,
                       const char *text, size_t length)
{
    struct setting setting = {.netns = netns, .flags = flags};
    struct setting *added;
    int r = snapshot_intern(snapshot, name, strlen(name), &setting.name);

    if (r == 0)
        r = snapshot_intern(snapshot, text, length, &setting.text);
    if (r < 0)
        return r;
    while (setting.count < SETTING_NUMBERS &&
           proc_parse_number(&text, &setting.numbers[setting.count])) {
        setting.count++;
        text += strspn(text, " \t");
    }
    added = snapshot_add_setting(snapshot);
    if (!added)
        return -ENOMEM;
    *added = setting;
    return 0;
}

/* A module that is not loaded, or an older kernel, lacks some of them; the check that wants one
 * says what is missing then. */
static int read_setting(struct snapshot *snapshot, uint32_t netns, uint32_t flags, const char *name)
{
    CLEANUP_FREE char *all = NULL;
    char path[96], text[1024];
    int end = snprintf(path, sizeof(path), "/proc/sys/%s", name);
    size_t length;
    int r;

    for (int i = (int)strlen("/proc/sys/"); i < end; i++)
        if (path[i] == '.')
            path[i] = '/';
    /* The kernel clears as much memory as is asked for. */
    r = proc_read(AT_FDCWD, path, text, sizeof(text), &length);
    if (r == 0 && length == sizeof(text) - 1)
        r = proc_read_all(AT_FDCWD, path, &all);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    return add_setting(snapshot, netns, flags, name, all ? all : text,
                       strcspn(all ? all : text, "\n"));
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(netns_settings) && r == 0; i++)
        r = read_setting(collection->snapshot, netns, 0, netns_settings[i]);
    return r;
}

static int read_machine(struct collection *collection, uint32_t netns)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(machine_settings) && r == 0; i++)
        r = read_setting(collection->snapshot, netns, SETTING_MACHINE, machine_settings[i]);
    return r;
}

static int collect_settings(struct collection *collection)
{
    int r = netns_for_first(collection, read_machine);

    if (r == 0)
        r = netns_for_each(collection, read_namespace);
    snapshot_source(collection->snapshot, "settings", "/proc/sys");
    return r;
}

const struct collector collector_settings = {
    .name = "settings",
    .provides = NEED_SETTINGS,
    .collect = collect_settings,
};
