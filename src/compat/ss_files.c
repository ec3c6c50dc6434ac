/* SPDX-License-Identifier: MIT */
/* Files that environment variables of ss(8) put in the place of the kernel's. */
#include "compat/ss_files.h"

#include "base/cleanup.h"

#include <stdio.h>

#define ROOT "PROC_ROOT"

/* A variable of the first file of a protocol makes ss read both from files. */
static const struct {
    const char *variable;
    const char *name;
    enum socket_proto proto;
    bool decides;
} tables[SS_NET_FILES_MAX] = {
    {"PROC_NET_TCP", "tcp", PROTO_TCP, true},
    {"PROC_NET_TCP6", "tcp6", PROTO_TCP, false},
    {"PROC_NET_UDP", "udp", PROTO_UDP, true},
    {"PROC_NET_UDP6", "udp6", PROTO_UDP, false},
    {"PROC_NET_RAW", "raw", PROTO_RAW, true},
    {"PROC_NET_RAW6", "raw6", PROTO_RAW, false},
    {"PROC_NET_UNIX", "unix", PROTO_UNIX, true},
    {"PROC_NET_PACKET", "packet", PROTO_PACKET, true},
    {"PROC_NET_NETLINK", "netlink", PROTO_NETLINK, true},
};

/* There is no such file, and with these variables the kernel is not asked either. */
static const struct {
    const char *variable;
    enum socket_proto proto;
} fileless[] = {
    {"PROC_NET_DCCP", PROTO_DCCP},
    {"PROC_NET_SCTP", PROTO_SCTP},
    {"PROC_NET_MPTCP", PROTO_MPTCP},
};

const struct request_files *ss_files_find(struct ss_files *files, uint32_t *protos)
{
    const char *root = getenv(ROOT);
    struct request_files *found = &files->files;

    *found = (struct request_files){
        .net = files->net, .tcp_dump = getenv("TCPDIAG_FILE"), .tcp_dump_name = "TCPDIAG_FILE"};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        const char *path = getenv(tables[i].variable);

        if (path)
            files->net[found->net_count++] = (struct net_file){tables[i].name, path};
        if (root || (path && tables[i].decides))
            found->protos |= PROTO_BIT(tables[i].proto);
    }
    for (size_t i = 0; i < ARRAY_SIZE(fileless); i++)
        if (root || getenv(fileless[i].variable))
            *protos &= ~PROTO_BIT(fileless[i].proto);
    if (found->tcp_dump)
        found->protos |= PROTO_BIT(PROTO_TCP);
    if (root)
        found->proc = *root ? root : "/";
    return root || found->protos ? found : NULL;
}

void ss_file_path(const char *variable, const char *name, char *path, size_t size)
{
    const char *file = getenv(variable), *root = getenv(ROOT);

    if (file)
        snprintf(path, size, "%s", file);
    else
        snprintf(path, size, "%s/%s", root ? root : "/proc", name);
}
