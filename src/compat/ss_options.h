/* SPDX-License-Identifier: MIT */
/* The command line of ss(8) 6.1. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The tables that ss knows; a protocol and sometimes a type of socket. */
enum ss_table {
    SS_TABLE_TCP,
    SS_TABLE_MPTCP,
    SS_TABLE_DCCP,
    SS_TABLE_UDP,
    SS_TABLE_RAW,
    SS_TABLE_UNIX_DGRAM,
    SS_TABLE_UNIX_STREAM,
    SS_TABLE_UNIX_SEQPACKET,
    SS_TABLE_PACKET_DGRAM,
    SS_TABLE_PACKET_RAW,
    SS_TABLE_NETLINK,
    SS_TABLE_SCTP,
    SS_TABLE_VSOCK_STREAM,
    SS_TABLE_VSOCK_DGRAM,
    SS_TABLE_TIPC,
    SS_TABLE_XDP,
    SS_TABLE_MAX,
};

#define SS_TABLE_BIT(table) (1u << (table))
#define SS_FAMILY_BIT(family) (UINT64_C(1) << (family))

/* The states ss 6.1 knows: it has no word for bound sockets, and so never shows them. */
#define SS_STATES_ALL ((1u << 12) - 1)

#define SS_EXIT_FAILED 1
#define SS_EXIT_USAGE 255 /* a command line that is not understood */

/* What is shown; the filter expression may change the families. */
struct ss_selection {
    uint32_t tables;      /* SS_TABLE_BIT()s */
    uint32_t states;      /* of the kernel */
    uint64_t families;    /* SS_FAMILY_BIT()s */
    int preferred_family; /* the last that was named; AF_UNSPEC */
};

struct ss_options {
    struct ss_selection selection;
    bool numeric, resolve, header, oneline, processes, threads, timer, memory, tcp_info, tos,
        cgroup, inet_options, bpf, events, kill, summary;
    unsigned int details;
    bool nothing_named;    /* neither table nor family: the usual tables are shown */
    const char *dump_file; /* of -D; NULL */
    FILE *filter_file;     /* owned by the process: of -F; NULL */
    char **words;          /* the filter expression */
    int word_count;
};

/* 0 to go on; else 1, and the exit status is *ret_status: everything has been said. */
int ss_options_parse(int argc, char **argv, struct ss_options *ret_options, int *ret_status)
    MUST_CHECK;

/* What a command line that cannot be understood is answered with; returns the exit status. */
int ss_usage(void);

/* "ss: ..." on standard error. */
void ss_complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* Says that `family` is wanted, as -f does. */
void ss_select_family(struct ss_selection *selection, int family);
