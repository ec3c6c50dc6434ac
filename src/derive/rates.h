/* SPDX-License-Identifier: MIT */
/* Rates: what the byte counters of two snapshots say about the time between them. Pure. */
#pragma once

#include "model/snapshot.h"

struct socket_rate {
    bool known;      /* the socket was there before, and both times its counters */
    uint64_t rx, tx; /* payload, bytes/s */
};

struct rates {
    struct socket_rate *sockets; /* one for each socket of `now`; NULL: nothing to compare with */
};

/* Sockets are matched by cookie; a counter that went back makes the rate unknown. 0 or -ENOMEM. */
int rates_make(const struct snapshot *now, const struct snapshot *before, struct rates *ret_rates)
    MUST_CHECK;
void rates_done(struct rates *rates);

/* Payload sent since the connection began, without what was sent again; false when unknown. */
bool tcp_payload_sent(const struct tcp_details *tcp, uint64_t *ret_bytes);

/* Payload received since then. */
bool tcp_payload_received(const struct tcp_details *tcp, uint64_t *ret_bytes);
