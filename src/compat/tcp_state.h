/* SPDX-License-Identifier: MIT */
/* States of TCP as netstat and lsof spell them: SYN_SENT, FIN_WAIT1. */
#pragma once

#include <stdint.h>

/* Of an enum socket_state; NULL for those that these tools do not know. */
const char *tcp_state_name(unsigned int state);

/* The state of a name in any case; 0 (STATE_UNKNOWN) for none. */
unsigned int tcp_state_parse(const char *name);
