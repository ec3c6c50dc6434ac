/* SPDX-License-Identifier: MIT */
/* Facilities: which of the sources work on this machine, and what the others lack. */
#pragma once

#include "model/request.h"
#include "model/selfcheck.h"
#include "model/snapshot.h"

/* What was found out beside the rows. */
struct facilities {
    uint32_t bpf_protos;     /* PROTO_BIT()s that iterators tell of */
    uint32_t netlink_protos; /* PROTO_BIT()s that sock_diag can tell of */
    uint32_t proc_protos;    /* the same of /proc/net */
    bool enters_namespaces;  /* those of others can be read */
};

/*
 * Tries every source once: asks for nothing, or for what is there, and changes nothing; what it
 * loads or attaches is gone when it returns. Adds a row for each, whose texts are made in
 * `snapshot`. `request` says of which namespaces. 0 or -ENOMEM.
 */
int facilities_find(const struct request *request, struct snapshot *snapshot,
                    struct selfcheck *selfcheck, struct facilities *ret_facilities) MUST_CHECK;

/* A row about a source that is tried elsewhere. Texts may be NULL. 0 or -ENOMEM. */
struct facility_row {
    enum selfcheck_result result;
    const char *part, *name, *detail, *lacks, *fix;
};

int facility_write(struct snapshot *snapshot, struct selfcheck *selfcheck,
                   const struct facility_row *row) MUST_CHECK;
