/* SPDX-License-Identifier: MIT */
/* The totals of ss -s. */
#pragma once

/* Prints them; what cannot be read counts as 0. 0, or -errno of writing or -ENOMEM. */
int ss_summary(void);
