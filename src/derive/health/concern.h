/* SPDX-License-Identifier: MIT */
/* Whom findings concern. Pure. */
#pragma once

#include "derive/health/finding.h"
#include "derive/join.h"

/*
 * Drops the findings that are about none of these sockets (indexes into snapshot.sockets), none of
 * the processes that hold them and none of the interfaces that they are bound to or have an address
 * of. 0 or -ENOMEM.
 */
int findings_keep_concerned(struct findings *findings, const struct snapshot *snapshot,
                            const struct join *join, const uint32_t *sockets, uint32_t count)
    MUST_CHECK;
