/* SPDX-License-Identifier: MIT */
/* Every hashed TCP socket of the reader's network namespace, minisockets too. */
#include "tcp.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* What the casts return is no pointer that the verifier trusts, which makes it quick to check. */
SEC("iter/tcp")
int walk_tcp(struct bpf_iter__tcp *ctx)
{
    struct seq_file *seq = ctx->meta->seq;
    struct sock_common *skc = ctx->sk_common;
    struct tcp_timewait_sock *timewait;
    struct tcp_request_sock *request;
    struct tcp_sock *tp;

    if (!skc || !begin_record(skc, 0))
        return 0;
    tp = bpf_skc_to_tcp_sock(skc);
    if (tp) {
        take_sock(seq, tp, FROM_ITERATOR);
        return 0;
    }
    timewait = bpf_skc_to_tcp_timewait_sock(skc);
    if (timewait) {
        take_timewait(seq, timewait);
        return 0;
    }
    request = bpf_skc_to_tcp_request_sock(skc);
    if (request)
        take_request(seq, &request->req);
    return 0;
}
