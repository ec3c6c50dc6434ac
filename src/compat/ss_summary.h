/* SPDX-License-Identifier: MIT */
/* The totals of ss -s. */
#pragma once

/* Prints them. 0 or -errno of writing; what cannot be read counts as 0. */
int ss_summary(void);
