/* SPDX-License-Identifier: MIT */
/* Help of nwho-lite is about commands and filters: in place of cli/help_topics.c, help_states.c and
 * tui/keys.c. */
#include "cli/help_topics.h"

const struct help_topic help_topics[1] = {{.name = NULL}};
const uint32_t help_topic_count = 0;

void help_put_topic(const struct help_topic *topic, struct buf *out)
{
    (void)topic;
    (void)out;
}
