/* SPDX-License-Identifier: MIT */
/* TLS: what a client says before all is encrypted. */
#pragma once

#include "packet/packet.h"

/* ": TLS ClientHello, SNI example.com, ALPN h2 http/1.1", or nothing when it is none. */
void tls_dissect(struct packet *packet, uint32_t at, uint32_t length);
