/* SPDX-License-Identifier: MIT */
/* States of TCP as netstat and lsof spell them. */
#include "compat/tcp_state.h"

#include "base/cleanup.h"
#include "model/socket.h"

#include <strings.h>

static const char *const names[STATE_MAX] = {
    [STATE_ESTABLISHED] = "ESTABLISHED", [STATE_SYN_SENT] = "SYN_SENT",
    [STATE_SYN_RECV] = "SYN_RECV",       [STATE_FIN_WAIT_1] = "FIN_WAIT1",
    [STATE_FIN_WAIT_2] = "FIN_WAIT2",    [STATE_TIME_WAIT] = "TIME_WAIT",
    [STATE_UNCONNECTED] = "CLOSE",       [STATE_CLOSE_WAIT] = "CLOSE_WAIT",
    [STATE_LAST_ACK] = "LAST_ACK",       [STATE_LISTENING] = "LISTEN",
    [STATE_CLOSING] = "CLOSING",
};

const char *tcp_state_name(unsigned int state)
{
    return state < STATE_MAX ? names[state] : NULL;
}

unsigned int tcp_state_parse(const char *name)
{
    for (unsigned int i = 0; i < STATE_MAX; i++)
        if (names[i] && strcasecmp(names[i], name) == 0)
            return i;
    return 0;
}
