/* SPDX-License-Identifier: MIT */
/* Ports that the kernel chooses for sockets which do not choose one themselves. */
#pragma once

#include "model/snapshot.h"

/*
 * Whether a port is one of those of its namespace (an index into snapshot.netns). Where their range
 * was not read that of our own namespace counts, and else, as for ss(8), that of Linux 2.2.
 */
bool port_range_has(const struct snapshot *snapshot, uint32_t netns, uint64_t port);
