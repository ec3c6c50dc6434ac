/* SPDX-License-Identifier: MIT */
/* A file that is written in whole packets: what is there of it can be read at any time. */
#pragma once

#include "base/buf.h"

enum packet_format { PACKET_FORMAT_PCAP, PACKET_FORMAT_PCAPNG };

struct output {
    int fd; /* owned, -1: none is open */
    enum packet_format format;
    struct buf buffer; /* packets, or blocks, that are not yet written */
    uint64_t written;  /* bytes before them */
    int error;         /* that ended the writing */
};

#define OUTPUT_NONE ((struct output){.fd = -1, .buffer = {.fd = -1}})

void output_begin(struct output *output, enum packet_format format, int fd);

/* After something was put into the buffer; writes it when that is much. 0, or the error. */
int output_added(struct output *output) MUST_CHECK;
int output_flush(struct output *output);

/* Closes the file. The error of writing, the first one. */
int output_end(struct output *output);
void output_done(struct output *output);

static inline uint64_t output_size(const struct output *output)
{
    return output->written + output->buffer.length;
}
