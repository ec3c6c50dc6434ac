/* SPDX-License-Identifier: MIT */
/* What the old tools say on stderr. */
#pragma once

#include "base/buf.h"

#include <stdarg.h>

/* One line behind the name of the tool, escaped: parts of it are of others. */
void say(const char *tool, const char *format, ...) PRINTF_LIKE(2, 3);
void say_line(const char *tool, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
