/* SPDX-License-Identifier: MIT */
/* Names of the kernel's numbers in routes. */
#pragma once

#include "base/buf.h"
#include "model/route.h"

/* NULL for a number without a name. */
const char *route_table_name(uint32_t table);
const char *route_type_name(uint8_t type);
const char *route_scope_name(uint8_t scope);
const char *route_protocol_name(uint8_t protocol);

/* The RTF_* bits that /proc/net/route shows of an IPv4 route. */
uint32_t route_rtf_bits(const struct route *route);

/* The letters of route(8) and netstat(8): "UG". */
void route_put_letters(struct buf *out, const struct route *route);

/* RTNH_F_* as words, separated by commas. */
void route_put_hop_flags(struct buf *out, uint32_t flags);
