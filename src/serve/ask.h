/* SPDX-License-Identifier: MIT */
/* Ask: what goes between the process that answers and the one that asks nwho itself. */
#pragma once

#include "serve/question.h"

#define ASK_TEXT_MAX 2048

/* To the asker; only so much of the words as there are. */
struct ask_request {
    uint32_t id, length;
    char words[QUESTION_MAX];
};

/* From it, with the document as sealed memory where the status is 200. */
struct ask_reply {
    uint32_t id, status;
    uint64_t length;         /* of the document */
    char text[ASK_TEXT_MAX]; /* why not, as the command says it; "": the status says it */
};

/* Never waits. 0; -EAGAIN: too much is asked already; -EPIPE: nobody is there; or -errno. */
int ask_send(int channel, uint32_t id, const struct question *question) MUST_CHECK;

/* The words are as they came: question_check() judges them. 0; -EAGAIN, -EPIPE; -EBADMSG. */
int ask_receive(int channel, struct ask_request *ret_request) MUST_CHECK;

/* Waits for a moment where the other side has not taken those before. 0 or -errno. */
int ask_reply(int channel, const struct ask_reply *reply, int memory) MUST_CHECK;

/* *ret_memory: -1: there is no document. */
int ask_take_reply(int channel, struct ask_reply *ret_reply, int *ret_memory) MUST_CHECK;
