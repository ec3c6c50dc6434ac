/* SPDX-License-Identifier: MIT */
/* Present: a message is one byte. */
#include "serve/present.h"

#include <unistd.h>

int present_send(int channel, enum present present, int memory)
{
    const unsigned char message = (unsigned char)present;

    return passing_send(channel, &message, sizeof(message), memory);
}

int present_receive(int channel, enum present *ret_present, int *ret_memory)
{
    CLEANUP_CLOSE int memory = -1;
    unsigned char message = PRESENT_MAX;
    int r = passing_receive(channel, &message, sizeof(message), &memory);

    if (r < 0)
        return r;
    if (message >= PRESENT_MAX)
        return -EBADMSG;
    *ret_present = message;
    *ret_memory = TAKE_FD(memory);
    return 0;
}
