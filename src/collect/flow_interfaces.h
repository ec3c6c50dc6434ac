/* SPDX-License-Identifier: MIT */
/* By which interface a flow goes, where its socket does not say. */
#pragma once

#include "base/cleanup.h"
#include "model/snapshot.h"

/*
 * Gives each flow without an interface the one that has its own address; what stays on the machine
 * goes by lo. From the addresses in the snapshot. 0 or -ENOMEM.
 */
int flow_interfaces(struct snapshot *snapshot) MUST_CHECK;
