/* SPDX-License-Identifier: MIT */
/* States of TCP as the old tools spell them. */
#include "compat/tcp_state.h"

#include "base/cleanup.h"
#include "model/socket.h"

#include <strings.h>

struct spelling {
    const char *name; /* of netstat and lsof */
    const char *ss;
};

static const struct spelling spellings[STATE_MAX] = {
    [STATE_UNKNOWN] = {NULL, "UNKNOWN"},
    [STATE_ESTABLISHED] = {"ESTABLISHED", "ESTAB"},
    [STATE_SYN_SENT] = {"SYN_SENT", "SYN-SENT"},
    [STATE_SYN_RECV] = {"SYN_RECV", "SYN-RECV"},
    [STATE_FIN_WAIT_1] = {"FIN_WAIT1", "FIN-WAIT-1"},
    [STATE_FIN_WAIT_2] = {"FIN_WAIT2", "FIN-WAIT-2"},
    [STATE_TIME_WAIT] = {"TIME_WAIT", "TIME-WAIT"},
    [STATE_UNCONNECTED] = {"CLOSE", "UNCONN"},
    [STATE_CLOSE_WAIT] = {"CLOSE_WAIT", "CLOSE-WAIT"},
    [STATE_LAST_ACK] = {"LAST_ACK", "LAST-ACK"},
    [STATE_LISTENING] = {"LISTEN", "LISTEN"},
    [STATE_CLOSING] = {"CLOSING", "CLOSING"},
};

const char *tcp_state_name(unsigned int state)
{
    return state < STATE_MAX ? spellings[state].name : NULL;
}

const char *tcp_state_ss_name(unsigned int state)
{
    const char *name = state < STATE_MAX ? spellings[state].ss : NULL;

    return name ? name : spellings[STATE_UNCONNECTED].ss;
}

unsigned int tcp_state_parse(const char *name)
{
    for (unsigned int i = 0; i < STATE_MAX; i++)
        if (spellings[i].name && strcasecmp(spellings[i].name, name) == 0)
            return i;
    return 0;
}
