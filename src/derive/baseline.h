/* SPDX-License-Identifier: MIT */
/* Baseline: the listeners of an earlier moment, in a file that people can read. Pure. */
#pragma once

#include "model/snapshot.h"

/* The columns of the file, which is CSV. Lines that begin with # say nothing. */
#define BASELINE_COLUMNS "proto,local_addr,local_port,process,unit,netns"

/*
 * Makes a snapshot of nothing but these listeners. Processes have no pid, namespaces are known by
 * name. 0; -EBADMSG and the number of the line that is wrong; or -ENOMEM.
 */
int baseline_parse(const char *text, struct snapshot *ret_snapshot, uint32_t *ret_line) MUST_CHECK;

/* Where a socket listens: the same number for the same protocol, address and port in a namespace
 * of the same name, at whatever moment. */
uint64_t baseline_place(const struct snapshot *snapshot, const struct socket *socket);
