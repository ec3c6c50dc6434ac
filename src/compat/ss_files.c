/* SPDX-License-Identifier: MIT */
/* Files that environment variables of ss(8) put in the place of the kernel's. */
#include "compat/ss_files.h"

#include "base/cleanup.h"

/* The variable of the first file of a protocol makes ss read both from files. */
static const struct {
    const char *variable;
    const char *name;
    uint32_t protos; /* PROTO_BIT()s that only files bring because of it */
} replaceable[SS_FILES_MAX] = {
    {"PROC_NET_TCP", "net/tcp", PROTO_BIT(PROTO_TCP)},
    {"PROC_NET_TCP6", "net/tcp6", 0},
    {"PROC_NET_UDP", "net/udp", PROTO_BIT(PROTO_UDP)},
    {"PROC_NET_UDP6", "net/udp6", 0},
    {"PROC_NET_RAW", "net/raw", PROTO_BIT(PROTO_RAW)},
    {"PROC_NET_RAW6", "net/raw6", 0},
    {"PROC_NET_UNIX", "net/unix", PROTO_BIT(PROTO_UNIX)},
    {"PROC_NET_PACKET", "net/packet", PROTO_BIT(PROTO_PACKET)},
    {"PROC_NET_NETLINK", "net/netlink", PROTO_BIT(PROTO_NETLINK)},
    {"PROC_NET_SOCKSTAT", "net/sockstat", 0},
    {"PROC_NET_SOCKSTAT6", "net/sockstat6", 0},
    {"PROC_NET_SNMP", "net/snmp", 0},
    {"PROC_IP_LOCAL_PORT_RANGE", "sys/net/ipv4/ip_local_port_range", 0},
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
    const char *root = getenv("PROC_ROOT");
    struct request_files *found = &files->files;

    *found = (struct request_files){.replaced = files->replaced,
                                    .tcp_dump = getenv("TCPDIAG_FILE"),
                                    .tcp_dump_name = "TCPDIAG_FILE"};
    for (size_t i = 0; i < ARRAY_SIZE(replaceable); i++) {
        const char *path = getenv(replaceable[i].variable);

        if (path)
            files->replaced[found->replaced_count++] =
                (struct replaced_file){replaceable[i].name, path};
        if (root || path)
            found->protos |= replaceable[i].protos;
    }
    for (size_t i = 0; i < ARRAY_SIZE(fileless); i++)
        if (root || getenv(fileless[i].variable))
            *protos &= ~PROTO_BIT(fileless[i].proto);
    if (found->tcp_dump)
        found->protos |= PROTO_BIT(PROTO_TCP);
    if (root)
        found->proc = *root ? root : "/";
    return found;
}
