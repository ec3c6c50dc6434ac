/* SPDX-License-Identifier: MIT */
/* What a glance at the machine reads. In one object, as to load two would take half as long again.
 */
/*
 * Each type that relocation looks for is searched among all that the kernel has, for a third of a
 * millisecond; it remembers 31 of them, by a hash of their names. Of those that share a place only
 * one is remembered. Therefore some are read through others that they are part of, or have the same
 * form: socket_alloc, tcp_timewait_sock, hlist_head, and fdtable in files_struct.
 */
#include "tasks.bpf.h"
#include "tcp_table.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
