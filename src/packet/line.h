/* SPDX-License-Identifier: MIT */
/* The line of a packet: number, time, text, and its bytes. */
#pragma once

#include "model/captured.h"
#include "packet/packet.h"

enum line_time {
    LINE_TIME_CLOCK, /* 12:34:56.123456 */
    LINE_TIME_NONE,
    LINE_TIME_UNIX,       /* 1700000000.123456 */
    LINE_TIME_SINCE_LAST, /* 00:00:00.000123 */
    LINE_TIME_DATE,       /* 2026-01-02 12:34:56.123456 */
    LINE_TIME_SINCE_FIRST,
};

/* How much of a packet's bytes: 0, what is behind the link's header, or all. */
struct line_options {
    enum line_time time;
    bool nanoseconds;
    bool number;
    unsigned int hex, hex_ascii, ascii;
};

/* Lines follow each other; all else than the options is zero at the beginning. */
struct line {
    struct line_options options;
    const char *remark;        /* behind the text of the next packet; NULL: none */
    int64_t reference_seconds; /* what times are since */
    uint32_t reference_fraction;
    bool referenced;
    int64_t clock_minute; /* whose text `clock` is: a minute's is the same but for its seconds */
    char clock[32];
    uint32_t clock_length;
};

void line_put(struct line *line, struct packet *packet, int link_type,
              const struct captured *captured, uint32_t number);
