/* SPDX-License-Identifier: MIT */
/* Types of links as files name them: a few differ from what libpcap calls DLT_. */
#pragma once

#include <stdint.h>

uint16_t link_type_to_file(int link_type);
int link_type_from_file(uint16_t number);
