/* SPDX-License-Identifier: MIT */
/* The end of every inet socket that a process had, with the process that closed it. */
#include "traffic.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, TRAFFIC_RING_SIZE);
} ring SEC(".maps");

SEC("cgroup/sock_release")
int tell_close(struct bpf_sock *ctx)
{
    struct traffic_close record = {0};

    record.cookie = bpf_get_socket_cookie(ctx);
    record.proto = inet_proto(ctx->type, ctx->protocol);
    fill_user(&record.user, bpf_get_current_task_btf());
    tell(&ring, &record, sizeof(record));
    return 1;
}
