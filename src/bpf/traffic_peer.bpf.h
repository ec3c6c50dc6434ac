/* SPDX-License-Identifier: MIT */
/* Maps of the peers of unconnected UDP sockets: made by one program, counted into by another. */
#pragma once

#include "traffic.bpf.h"

#define PEER_FLOWS(size)                                                                           \
    struct {                                                                                       \
        __uint(type, BPF_MAP_TYPE_HASH);                                                           \
        __uint(max_entries, size);                                                                 \
        __uint(key_size, sizeof(struct traffic_peer_key));                                         \
        __uint(value_size, sizeof(struct traffic_flow));                                           \
    }

/* A thread that ended in the middle of a call is forgotten some day. */
#define PEER_CALLERS(size)                                                                         \
    struct {                                                                                       \
        __uint(type, BPF_MAP_TYPE_LRU_HASH);                                                       \
        __uint(max_entries, size);                                                                 \
        __uint(key_size, sizeof(__u64));                                                           \
        __uint(value_size, sizeof(struct traffic_caller));                                         \
    }
