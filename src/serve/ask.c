/* SPDX-License-Identifier: MIT */
/* Ask: one message a question, and one an answer. */
#include "serve/ask.h"

#include "serve/passing.h"

#include <poll.h>
#include <stddef.h>
#include <string.h>

/* Who answers clients takes what comes at once, unless it is at its end. */
#define REPLY_MS 1000

int ask_send(int channel, uint32_t id, const struct question *question)
{
    struct ask_request request = {.id = id, .length = (uint32_t)question->words.length};

    if (question->words.length > sizeof(request.words))
        return -EMSGSIZE;
    memcpy(request.words, question->words.data, question->words.length);
    return passing_send(channel, &request, offsetof(struct ask_request, words) + request.length,
                        -1);
}

int ask_receive(int channel, struct ask_request *ret_request)
{
    CLEANUP_CLOSE int memory = -1;
    int r = passing_receive(channel, ret_request, sizeof(*ret_request), &memory);

    if (r < 0)
        return r;
    if ((size_t)r < offsetof(struct ask_request, words) ||
        (size_t)r != offsetof(struct ask_request, words) + ret_request->length)
        return -EBADMSG;
    return 0;
}

int ask_reply(int channel, const struct ask_reply *reply, int memory)
{
    const size_t size = offsetof(struct ask_reply, text) + strlen(reply->text) + 1;
    struct pollfd room = {.fd = channel, .events = POLLOUT};
    int r;

    while ((r = passing_send(channel, reply, size, memory)) == -EAGAIN)
        if (poll(&room, 1, REPLY_MS) <= 0)
            return -ETIMEDOUT;
    return r;
}

int ask_take_reply(int channel, struct ask_reply *ret_reply, int *ret_memory)
{
    int r = passing_receive(channel, ret_reply, sizeof(*ret_reply), ret_memory);

    if (r < 0)
        return r;
    if ((size_t)r <= offsetof(struct ask_reply, text) ||
        (ret_reply->status == 200 && *ret_memory < 0)) {
        if (*ret_memory >= 0)
            close(*ret_memory);
        *ret_memory = -1;
        return -EBADMSG;
    }
    ((char *)ret_reply)[r - 1] = '\0';
    return 0;
}
