/* SPDX-License-Identifier: MIT */
/* Socket record: what BPF tells of a socket, as a socket of the snapshot. */
#pragma once

#include "bpf/iterators.h"
#include "model/snapshot.h"

/* `tick_ns`: of the kernel's timers. */
void socket_record_fill(const struct record *record, uint32_t netns, uint32_t tick_ns,
                        struct socket *socket);

/* What is asked for (enum need) of how far its data got and the memory that it takes. 0 or -ENOMEM.
 */
int socket_record_add_details(struct snapshot *snapshot, uint64_t needs,
                              const struct record_tcp *from, uint32_t tick_ns,
                              struct socket *socket) MUST_CHECK;
