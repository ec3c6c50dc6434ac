/* SPDX-License-Identifier: MIT */
/* What ss(8) shows of a socket behind its columns: timer, details, memory, TCP's numbers. */
#pragma once

#include "compat/ss_row.h"

/* Everything that the options ask for, of the socket in row `row`; into the field under way. */
void ss_details(struct ss_writer *writer, uint32_t row);

/* Of sockets that are no internet sockets. */
void ss_details_unix(struct ss_writer *writer, uint32_t row);
void ss_details_packet(struct ss_writer *writer, uint32_t row);
void ss_details_netlink(struct ss_writer *writer, uint32_t row);

/* " uid:... ino:... sk:..." and what else every socket may have. */
void ss_details_socket(struct ss_writer *writer, const struct socket *socket);

/* " <->", with a dash for what is shut down. Nothing when that is not known. */
void ss_details_shutdown(struct ss_writer *writer, const struct socket *socket);

/* " skmem:(...)". Nothing when that is not known. */
void ss_details_memory(struct ss_writer *writer, const struct socket *socket);

/* A line of its own, or with -O a blank. */
void ss_details_line(struct ss_writer *writer);

/* The numbers of a TCP or MPTCP socket, and of what lies above it. */
void ss_tcp_info(struct ss_writer *writer, const struct socket *socket);
void ss_upper_layer(struct ss_writer *writer, const struct tcp_details *tcp);
