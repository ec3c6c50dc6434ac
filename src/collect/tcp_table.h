/* SPDX-License-Identifier: MIT */
/* TCP sockets of all network namespaces, by one walk over the table that they share (BPF). */
#pragma once

#include "collect/bpf_pass.h"
#include "collect/socket_record.h"

/*
 * Whether the request is content with what that walk tells: it locks nothing, so that a socket may
 * come with facts of another one that has its place now, without a cookie that nobody has asked for
 * yet, and without its cgroup. Who counts states is, too: those that listen are known by their
 * descriptors before.
 */
bool tcp_table_suits(const struct request *request);

/*
 * Adds the sockets, and says how many were passed by. 0, or -errno, and nothing was added: also
 * where the kernel or its tables do not allow it.
 */
int tcp_table_read(struct bpf_pass *pass, const struct socket_records *records) MUST_CHECK;
