/* SPDX-License-Identifier: MIT */
/* Counts the packets of interfaces by size and protocol, from when it is opened until it is closed.
 */
#pragma once

#include "base/cleanup.h"
#include "model/snapshot.h"

#include <stdbool.h>

struct packet_counts;

/*
 * Begins to count on some interfaces of a snapshot that has them whole (NEED_LINKS). By BPF where
 * it is there and `bpf` wants it: then nothing is lost; else by packet sockets, and the kernel
 * tells how much they lost. 0; -EPERM: without CAP_NET_RAW nobody may; or another -errno.
 */
int packet_counts_open(struct snapshot *snapshot, const uint32_t *interfaces, uint32_t count,
                       bool bpf, struct packet_counts **ret_counts) MUST_CHECK;
void packet_counts_close(struct packet_counts *counts);
