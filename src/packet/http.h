/* SPDX-License-Identifier: MIT */
/* HTTP/1: the first line of requests and responses. */
#pragma once

#include "packet/packet.h"

/* "HTTP: GET / HTTP/1.1"; with -v all lines of text. What begins as neither is only "HTTP". */
void http_dissect(struct packet *packet, uint32_t at, uint32_t length);
