/* SPDX-License-Identifier: MIT */
/* Lines of the files in /proc/net: strict parsers, one line to one socket. */
#pragma once

#include "base/cleanup.h"
#include "model/socket.h"

#include <stddef.h>

/* The path is borrowed from the line; NULL when the socket has none. */
struct proc_row {
    struct socket socket;
    const char *path;
    size_t path_length;
    uint64_t kernel_address; /* hashed or 0, as the kernel prints it */
    uint8_t unix_state;      /* unix: enum socket_state of include/uapi/linux/net.h */
};

/*
 * Each reads one line of `length` bytes without its newline into *ret_row, whose socket.proto and
 * socket.family are set. Facts that the file does not tell stay unknown. -EINVAL: the line is none
 * of the kernel's; the row is then undefined.
 */
typedef int proc_line_fn(const char *line, size_t length, struct proc_row *ret_row);

int proc_line_inet(const char *line, size_t length, struct proc_row *ret_row) MUST_CHECK;
int proc_line_unix(const char *line, size_t length, struct proc_row *ret_row) MUST_CHECK;
int proc_line_packet(const char *line, size_t length, struct proc_row *ret_row) MUST_CHECK;
int proc_line_netlink(const char *line, size_t length, struct proc_row *ret_row) MUST_CHECK;
