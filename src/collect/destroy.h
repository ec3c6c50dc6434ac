/* SPDX-License-Identifier: MIT */
/* Destroys sockets without touching their processes (SOCK_DESTROY, kernel 4.9 with
 * CONFIG_INET_DIAG_DESTROY). */
#pragma once

#include "base/cleanup.h"
#include "model/snapshot.h"

/*
 * Destroys the sockets with these numbers; what is destroyed is exactly the socket that was seen,
 * by its cookie. ret_errors[i] is 0 or -errno of sockets[i] (-ENOENT: it was gone already;
 * -EOPNOTSUPP: not this protocol, or not this kernel). 0, or -errno when no request could be sent
 * at all.
 */
int destroy_sockets(struct snapshot *snapshot, const uint32_t *sockets, uint32_t count,
                    int *ret_errors) MUST_CHECK;
