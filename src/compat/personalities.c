/* SPDX-License-Identifier: MIT */
/* The old tools that nwho stands in for. */
#include "compat/personality.h"

const struct personality *const personality_table[] = {&personality_ss,
                                                       &personality_netstat,
                                                       &personality_lsof,
                                                       &personality_nethogs,
                                                       &personality_iftop,
                                                       &personality_nload,
                                                       &personality_iptraf,
                                                       &personality_sar,
                                                       &personality_tcpdump,
                                                       &personality_conntrack,
                                                       NULL};
