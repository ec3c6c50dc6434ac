/* SPDX-License-Identifier: MIT */
/* Which rare protocols have no socket, by /proc/net/protocols. */
#include "collect/protocols.h"

#include "base/cleanup.h"
#include "collect/kernel_release.h"
#include "collect/proc_file.h"
#include "model/socket.h"

#include <fcntl.h>
#include <string.h>

#define FILE_SIZE ((size_t)16 * 1024)

struct rare_protocol {
    const char *name; /* as the kernel names it there */
    enum socket_proto proto;
    enum {
        NOT_COUNTED, /* as sock_diag shows them */
        COUNTED,
        COUNTED_LATELY, /* since 6.3; before the count is always 0 */
    } count;
};

/*
 * SCTP is counted by other rules: presence says enough. Of TCP the count leaves bound sockets out,
 * and it is never rare.
 */
static const struct rare_protocol rare_protocols[] = {
    {"UDP-Lite", PROTO_UDPLITE, COUNTED},
    {"UDPLITEv6", PROTO_UDPLITE, COUNTED},
    {"RAW", PROTO_RAW, COUNTED},
    {"RAWv6", PROTO_RAW, COUNTED},
    {"MPTCP", PROTO_MPTCP, COUNTED_LATELY},
    {"MPTCPv6", PROTO_MPTCP, COUNTED_LATELY},
    {"SCTP", PROTO_SCTP, NOT_COUNTED},
    {"SCTPv6", PROTO_SCTP, NOT_COUNTED},
    {"DCCP", PROTO_DCCP, NOT_COUNTED},
    {"DCCPv6", PROTO_DCCP, NOT_COUNTED},
};

static bool is_counted(const struct rare_protocol *rare)
{
    return rare->count == COUNTED ||
           (rare->count == COUNTED_LATELY && kernel_release() >= LINUX(6, 3));
}

/* "RAW       1152      0      -1   NI ...": the name, the size of a socket, how many there are. */
static void read_line(const char *line, struct protocols *protocols)
{
    size_t length = strcspn(line, " ");
    const char *at = line + length;
    uint64_t size, sockets;
    bool counts;

    at += strspn(at, " ");
    counts = proc_parse_number(&at, &size);
    at += strspn(at, " ");
    counts = counts && proc_parse_number(&at, &sockets);
    for (size_t i = 0; i < ARRAY_SIZE(rare_protocols); i++) {
        const struct rare_protocol *rare = &rare_protocols[i];

        if (strlen(rare->name) != length || memcmp(rare->name, line, length) != 0)
            continue;
        protocols->absent &= ~PROTO_BIT(rare->proto);
        if (!is_counted(rare) || !counts || sockets > 0)
            protocols->unused &= ~PROTO_BIT(rare->proto);
    }
}

struct protocols protocols_read(void)
{
    struct protocols protocols = {0};
    CLEANUP_FREE char *text = malloc(FILE_SIZE);
    size_t length;
    char *rest = text, *line;

    if (!text ||
        proc_read(AT_FDCWD, "/proc/thread-self/net/protocols", text, FILE_SIZE, &length) < 0 ||
        length == FILE_SIZE - 1 || strncmp(text, "protocol ", 9) != 0)
        return protocols;
    for (size_t i = 0; i < ARRAY_SIZE(rare_protocols); i++)
        protocols.absent |= PROTO_BIT(rare_protocols[i].proto);
    protocols.unused = protocols.absent;
    while ((line = strsep(&rest, "\n")))
        read_line(line, &protocols);
    protocols.unused &= ~protocols.absent;
    return protocols;
}
