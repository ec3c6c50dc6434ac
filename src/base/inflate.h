/* SPDX-License-Identifier: MIT */
/* Raw DEFLATE (RFC 1951) back into bytes, for what is packed in the program itself. */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

/* Exactly `size` bytes; anything else is -EBADMSG, and then `bytes` may be partly written. */
int inflate_into(const uint8_t *packed, size_t packed_size, uint8_t *bytes, size_t size) MUST_CHECK;
