/* SPDX-License-Identifier: MIT */
/* The command line of netstat. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What is to be shown. Only one of those that are not NETSTAT_SHOW_SOCKETS can be asked for. */
enum netstat_show {
    NETSTAT_SHOW_SOCKETS,
    NETSTAT_SHOW_ROUTES,
    NETSTAT_SHOW_INTERFACES,
    NETSTAT_SHOW_STATISTICS,
    NETSTAT_SHOW_MASQUERADE,
    NETSTAT_SHOW_VERSION,
    NETSTAT_SHOW_HELP,
};

/* Address families, also those that Linux has lost: they are told apart until none is found. */
enum netstat_family {
    NETSTAT_INET = 1u << 0,
    NETSTAT_INET6 = 1u << 1,
    NETSTAT_UNIX = 1u << 2,
    NETSTAT_IPX = 1u << 3,
    NETSTAT_AX25 = 1u << 4,
    NETSTAT_X25 = 1u << 5,
    NETSTAT_NETROM = 1u << 6,
    NETSTAT_ROSE = 1u << 7,
    NETSTAT_DDP = 1u << 8,
    NETSTAT_ECONET = 1u << 9,
    NETSTAT_BLUETOOTH = 1u << 10,
};

#define NETSTAT_FAMILIES_MAX 32

struct netstat_options {
    enum netstat_show show;
    uint32_t families; /* enum netstat_family, as they were asked for and what follows */
    enum netstat_family named[NETSTAT_FAMILIES_MAX]; /* one after the other, also repeated */
    uint32_t named_families;
    uint32_t protos;   /* PROTO_BIT()s of the internet; 0 without them */
    bool named_protos; /* they were asked for by name: one that is missing is an error */
    bool everything;   /* nothing was asked for: the internet and unix */
    bool groups;
    bool all, listening, wide, programs, timers, verbose, continuous, symbolic;
    bool cache, fib; /* of routes; none of both is fib */
    bool numeric_hosts, numeric_ports, numeric_users;
    uint32_t extend; /* how often -e was given */
};

/* As messages call it. */
const char *netstat_family_name(enum netstat_family family);

/*
 * argv as main() gets it. 0; or the exit status + 1 where the command line ends it (it has been
 * said why on stderr).
 */
int netstat_options_parse(int argc, char **argv, struct netstat_options *ret_options);
