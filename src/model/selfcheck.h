/* SPDX-License-Identifier: MIT */
/* Selfcheck: whether the sources agree on this machine, which of them work, and what the others
 * lack. */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>

/* Who tells of sockets and their owners, independently of the others. */
enum teller {
    TELLER_BPF,
    TELLER_NETLINK, /* sock_diag */
    TELLER_PROC,
    TELLERS,
};

enum selfcheck_kind {
    SELFCHECK_COMPARISON, /* of all that is of one sort: sockets of a protocol, owners */
    SELFCHECK_DIFFERENCE, /* one thing of which not every teller tells */
    SELFCHECK_SOURCE,     /* one source of facts */
    SELFCHECK_KINDS,
};

enum selfcheck_result {
    SELFCHECK_AGREES,
    SELFCHECK_DIFFERS,
    SELFCHECK_ALONE, /* only one tells: there is nothing to compare with */
    SELFCHECK_WORKS,
    SELFCHECK_UNUSED,  /* it may work, but has nothing to tell here */
    SELFCHECK_MISSING, /* it does not work */
    SELFCHECK_RESULTS,
};

/* Texts are strings of the snapshot; 0: none. */
struct selfcheck_row {
    uint64_t counts[TELLERS]; /* how many each tells of; of a difference 1 or 0 */
    uint64_t passing;         /* came or went between the readings */
    uint64_t differing;       /* stayed, and are not told of by every teller */
    uint32_t tellers;         /* 1u << enum teller: who could tell */
    uint32_t kind;            /* enum selfcheck_kind */
    uint32_t result;          /* enum selfcheck_result */
    uint32_t part;            /* what it is about: "sockets", "traffic", ... */
    uint32_t name;
    uint32_t detail;
    uint32_t lacks; /* of what is missing: option of the kernel, capability, mount, library */
    uint32_t fix;   /* a command, or what to do */
};

/* Owned by whoever asked: selfcheck_done(). */
struct selfcheck {
    struct selfcheck_row *rows;
    uint32_t count, capacity;
};

void selfcheck_done(struct selfcheck *selfcheck);

/* A zeroed row, valid until the next one is added. NULL: no memory. */
struct selfcheck_row *selfcheck_add(struct selfcheck *selfcheck);

/* How many rows have this result. */
uint32_t selfcheck_count(const struct selfcheck *selfcheck, enum selfcheck_result result);

/* "agrees", "differs", ...; "comparison", ...; "bpf", "netlink", "/proc". */
const char *selfcheck_result_name(unsigned int result);
const char *selfcheck_kind_name(unsigned int kind);
const char *teller_name(unsigned int teller);
