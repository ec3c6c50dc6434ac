/* SPDX-License-Identifier: MIT */
/* Rehearsals: a source is trusted when it has told rightly what was done for it to see. */
#pragma once

#include "bpf/event_stream.h"
#include "bpf/traffic.h"

/*
 * Sends a datagram to itself, which has to come back once and from the right thread. Takes all that
 * was counted until now. Without a loopback device nothing is shown, and nothing shown to be wrong.
 * 0, -errno, or -EBADMSG: it is not to be trusted.
 */
int rehearse_calls(struct traffic_program *calls) MUST_CHECK;

/* The same of its packets. */
int rehearse_packets(struct traffic_program *packets) MUST_CHECK;

/* A connection to itself, from listen(2) to its end. What else was told until now is taken too. */
int rehearse_events(struct event_stream *stream) MUST_CHECK;
