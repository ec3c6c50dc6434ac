/* SPDX-License-Identifier: MIT */
/* What the static libraries of a distribution on glibc call, and musl does not have. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Checked by the compiler of those libraries, as far as it could; no header declares them. */
int __fprintf_chk(FILE *file, int flag, const char *format, ...);
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
void *__memset_chk(void *to, int byte, size_t size, size_t room);
int fcntl64(int fd, int command, ...); /* NOLINT(readability-redundant-declaration): not of musl */

/* Of what SQLite traces for those who work on it: a library does not print. */
int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
    (void)file;
    (void)flag;
    (void)format;
    return 0;
}

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room)
{
    if (size > room)
        __builtin_trap();
    return memcpy(to, from, size);
}

void *__memset_chk(void *to, int byte, size_t size, size_t room)
{
    if (size > room)
        __builtin_trap();
    return memset(to, byte, size);
}

/* Of SQLite: locks, and flags of descriptors. */
int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return fcntl(fd, command, argument);
}
