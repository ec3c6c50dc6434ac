/* SPDX-License-Identifier: MIT */
/* What the old tools say on stderr. */
#include "compat/say.h"

#include "base/escape.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void say_line(const char *tool, const char *format, va_list args)
{
    struct buf line = BUF_SINK(STDERR_FILENO);
    static const char no_memory[] = ": no memory to say what is wrong\n";
    char text[1024];

    vsnprintf(text, sizeof(text), format, args);
    buf_puts(&line, tool);
    buf_puts(&line, ": ");
    escape_text(&line, text, strlen(text));
    buf_byte(&line, '\n');
    if (buf_flush(&line) == -ENOMEM) {
        (void)!write(STDERR_FILENO, tool, strlen(tool));
        (void)!write(STDERR_FILENO, no_memory, sizeof(no_memory) - 1);
    }
    buf_done(&line);
}

void say(const char *tool, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_line(tool, format, args);
    va_end(args);
}
