/* SPDX-License-Identifier: MIT */
/* Names of the few vendors of MAC addresses that tcpdump knows. */
#pragma once

#include <stdint.h>

const char *vendor_name(uint32_t oui, const char *unknown);
