/* SPDX-License-Identifier: MIT */
/* States of TCP as netstat and lsof (SYN_SENT, FIN_WAIT1) and ss (SYN-SENT, FIN-WAIT-1) spell them.
 */
#pragma once

#include <stdint.h>

/* Of an enum socket_state; NULL for those that these tools do not know. */
const char *tcp_state_name(unsigned int state);

/* In the words of ss, which has one for every state: it takes those it does not know for UNCONN. */
const char *tcp_state_ss_name(unsigned int state);

/* The state of a name of netstat in any case; 0 (STATE_UNKNOWN) for none. */
unsigned int tcp_state_parse(const char *name);
