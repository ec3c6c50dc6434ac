/* SPDX-License-Identifier: MIT */
/* Which rare protocols have no socket: asking sock_diag for them costs a walk, or loads a module.
 */
#pragma once

#include <stdint.h>

/* What /proc/net/protocols of this thread's network namespace says. PROTO_BIT()s. */
struct protocols {
    uint32_t absent; /* not in this kernel, or its module is not loaded */
    uint32_t unused; /* no socket of it in this namespace */
};

/* Nothing is absent or unused when the file cannot be read. */
struct protocols protocols_read(void);
