/* SPDX-License-Identifier: MIT */
/* The name of an address, as the system's resolver has it. */
#pragma once

#include <stdint.h>

#define HOST_NAME_SIZE 1025 /* NI_MAXHOST, with its NUL */

/*
 * May ask a name server, and take its time. 0, or an error of getnameinfo(3): EAI_NONAME where it
 * has none; EAI_SYSTEM: errno says more.
 */
int host_look_up(unsigned int family, const uint8_t *bytes, char name[HOST_NAME_SIZE]);
