/* SPDX-License-Identifier: MIT */
/* Where nwho is built without libcurl or jansson: no server is asked. */
#include "fleet/fleet.h"

#include <errno.h>

int fleet_works(struct buf *problem)
{
    buf_puts(problem, "this nwho is built without libcurl or jansson");
    return -EOPNOTSUPP;
}

int fleet_ask(const struct fleet_server *server, const struct fleet_question *question,
              struct snapshot *snapshot, struct fleet *ret_fleet, struct buf *problem)
{
    (void)server;
    (void)question;
    (void)snapshot;
    (void)ret_fleet;
    return fleet_works(problem);
}

void fleet_done(struct fleet *fleet)
{
    (void)fleet;
}
