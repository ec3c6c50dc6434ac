/* SPDX-License-Identifier: MIT */
/* Facility: how a source is tried, without a look at what it tells. */
#pragma once

#include "base/buf.h"
#include "collect/facilities.h"

/* Sources under trial. The texts are of the one that is tried now; empty: the usual ones. */
struct probing {
    const struct request *request;
    struct facilities found;
    struct buf detail, lacks, fix;
};

/* It may work, but there is nothing that it could tell of. */
#define PROBE_UNUSED 1

enum { PROBE_ITERATOR_TCP, PROBE_ITERATOR_UDP, PROBE_ITERATOR_GLANCE };
enum { PROBE_TRAFFIC_PACKETS, PROBE_TRAFFIC_PEERS };

/* 0: it works; PROBE_UNUSED; -errno: it does not. -ENOMEM ends everything. */
typedef int probe_fn(struct probing *probing, unsigned int argument);

probe_fn probe_inet_diag, probe_diag, probe_proc_net; /* argument: PROTO_* */
probe_fn probe_iterator, probe_descriptors, probe_calls, probe_traffic, probe_packet_owners;
probe_fn probe_proc_fd, probe_kcmp, probe_setns, probe_cgroup2;
probe_fn probe_seccomp, probe_landlock;
probe_fn probe_link, probe_counters, probe_conntrack;
probe_fn probe_events; /* argument: enum source_bit */
#if !HAVE_BPF
/* Why none of them works. */
int facility_no_bpf(struct probing *probing);
#endif
probe_fn probe_capture, probe_packet_socket;
