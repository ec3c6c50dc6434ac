/* SPDX-License-Identifier: MIT */
/* Advice that stands behind many messages, in the same words. */
#pragma once

/* A literal, to be joined to others. */
#define RUN_AS_ROOT " (run as root: sudo nwho ...)"
