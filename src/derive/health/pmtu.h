/* SPDX-License-Identifier: MIT */
/* Path MTU: whether a connection stands still as its large segments are lost on the way. */
#pragma once

#include "model/snapshot.h"

/* Its full segments are not acknowledged, however often they are sent; those before were small. */
bool pmtu_is_black_hole(const struct snapshot *snapshot, const struct socket *socket);
