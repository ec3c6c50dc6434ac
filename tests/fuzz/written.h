/* SPDX-License-Identifier: MIT */
/* Bytes of others in all the places of each output format where there may be any. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

enum written {
    WRITTEN_JSON,
    WRITTEN_JSONL,
    WRITTEN_CSV,
    WRITTEN_METRICS, /* of Prometheus 0.0.4 */
    WRITTEN_OPENMETRICS,
    WRITTEN_SVG,
    WRITTEN_PCAPNG,
    WRITTEN_MAX,
};

/* The ends of their files: "json", ... */
extern const char *const written_names[WRITTEN_MAX];

/* What of a C string there is in pcapng: bytes up to the first NUL, and this many at most. */
#define WRITTEN_COMMENT_MAX 1024

/* One document. */
void write_bytes(enum written format, const char *bytes, size_t size, struct buf *out);
