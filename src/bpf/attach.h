/* SPDX-License-Identifier: MIT */
/* Attaches programs of BPF: what comes of it is a link, which goes with its descriptor. */
#pragma once

#include "base/cleanup.h"

#include <linux/bpf.h>

/* Each: a descriptor, or -errno as the kernel gave it. */
int attach_tracing(int prog_fd) MUST_CHECK;

/* To the cgroup of everything; -EXDEV where only a part of it can be seen. */
int attach_to_root_cgroup(int prog_fd, enum bpf_attach_type type) MUST_CHECK;
