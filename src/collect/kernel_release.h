/* SPDX-License-Identifier: MIT */
/* Which Linux runs here. */
#pragma once

/* Numbers that compare as releases do: LINUX(6, 1). */
#define LINUX(major, minor) ((unsigned int)(major) << 16 | (unsigned int)(minor))
#define LINUX_MAJOR(release) ((release) >> 16)
#define LINUX_MINOR(release) ((release)&0xffff)

/* 0: uname(2) tells no such numbers. */
unsigned int kernel_release(void);
