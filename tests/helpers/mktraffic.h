/* SPDX-License-Identifier: MIT */
/* mktraffic: what its situations share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Ends the program and all it started; `what` failed as errno says. */
_Noreturn void fail(const char *what);

/* Ends the program: this kernel cannot do it. */
_Noreturn void skip(const char *what);

/* Remembers what the calling thread moved by the socket; `n` is what a call returned. */
void sent(int fd, ssize_t n);
void received(int fd, ssize_t n);

/* AF_INET or AF_INET6, as the command line has it. */
int family(void);

/* How often a situation with many of something does it. */
unsigned int times(void);

/* The loopback address and a port; returns its length. */
socklen_t loopback(struct sockaddr_storage *ret_address, unsigned int port);

struct pair {
    int client, server;
};

int listener(int protocol, bool reuseport);
int connect_to(int listening, int protocol);
struct pair stream_pair(int protocol);
struct pair datagram_pair(int protocol);

/* Sends and receives so many bytes by send(2) and recv(2). */
void send_bytes(int fd, size_t count);
void receive_bytes(int fd, size_t count);

/* Receives until the other end is done. */
void receive_all(int fd);

/* `count` bytes there and back. */
void exchange(struct pair pair, size_t count);

/* Runs `work` in a process of its own, and in the end waits for all of them. */
pid_t start(void (*work)(void *argument), void *argument);
void wait_for_all(void);

struct situation {
    const char *name;
    void (*make)(void);
};

extern const struct situation stream_situations[], datagram_situations[], process_situations[],
    other_situations[];
