/* SPDX-License-Identifier: MIT */
/* Shared parts of mksock, the test helper that makes sockets in exact situations. */
#pragma once

#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#define MK_MAX_OPTIONS 32
#define MK_MAX_HOLDERS 256
#define MK_NAME_BYTES 128
#define MK_WAIT_MS 10000
#define MK_TCP_BOUND_INACTIVE 13 /* pseudo-state of sock_diag since Linux 6.8 */
#define MK_EXIT_UNSUPPORTED 77   /* the kernel lacks this kind of socket */

struct mk_option {
    char key[24];
    const char *value;
    bool used;
};

/* A child process; it ends when its control pipe closes, or by SIGTERM when that is -1. */
struct mk_process {
    pid_t pid;
    int control;
};

/* Things that outlive a situation and must go when mksock ends. */
struct mk_cleanup {
    char **paths;
    size_t path_count;
    struct mk_process *children;
    size_t child_count;
};

/* One run of one situation. */
struct mk {
    const char *situation;
    struct mk_option options[MK_MAX_OPTIONS];
    size_t option_count;
    size_t group; /* place among the situations of the command line */
    size_t index; /* 0..many-1; both make names unique */
    char own_name[MK_NAME_BYTES];
    FILE *out;
    struct mk_cleanup *cleanup;
    bool repeating; /* inside of many=: a process of its own makes just one */
    bool unsupported;
    char error[256];
};

struct mk_situation {
    const char *name;
    const char *help;
    int (*make)(struct mk *mk);
};

struct mk_holder {
    pid_t pid;
    pid_t tid; /* 0 unless the thread has a descriptor table of its own */
    int fd;
};

struct mk_thread {
    pid_t tid;
    char name[16];
};

/* A name of bytes: unix path, comm. May contain NUL. */
struct mk_bytes {
    char data[MK_NAME_BYTES];
    size_t length;
    bool present;
};

/* Everything known about one socket. -1 and NULL mean "not known or not meant to be compared". */
struct mk_truth {
    const char *role;
    const char *proto;
    const char *family;
    const char *type;
    const char *state;
    const char *timer;
    const char *owner_note;
    struct sockaddr_storage local;
    struct sockaddr_storage peer;
    bool has_local;
    bool has_peer;
    struct mk_bytes path;
    struct mk_bytes peer_path;
    char iface[16];
    char cc[16];
    bool has_cookie;
    uint64_t cookie;
    int64_t inode;
    int64_t peer_inode;
    int64_t uid;
    int64_t recv_q;
    int64_t send_q;
    int64_t backlog;
    int64_t v6only;
    int64_t mark;
    int64_t tos;
    int64_t ip_protocol;
    int64_t packet_protocol;
    int64_t netlink_protocol;
    int64_t netlink_groups;
    int64_t queue_pid; /* whose accept queue the socket waits in */
    bool in_tables;    /* false: the kernel lists it nowhere, only a descriptor leads to it */
    int shutdown;      /* bit 0 receive, bit 1 send; -1 unknown */
    struct mk_holder holders[MK_MAX_HOLDERS];
    size_t holder_count;
    const struct mk_thread *threads;
    size_t thread_count;
};

/* One connection: both ends and the listener that made it (closed unless asked for). */
struct mk_pair {
    int listener;
    int client;
    int server;
};

/* mksock.c: options and errors. What fails is -1, for the compiler and its analyzer to see. */
#define mk_fail(mk, ...) (mk_say(mk, __VA_ARGS__), -1)
#define mk_fail_errno(mk, what) (mk_say_errno(mk, what), -1)
#define mk_fail_socket(mk, what) (mk_say_socket(mk, what), -1)
void mk_say(struct mk *mk, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mk_say_errno(struct mk *mk, const char *what);
void mk_say_socket(struct mk *mk, const char *what);
const char *mk_option(struct mk *mk, const char *key, const char *fallback);
int64_t mk_number(struct mk *mk, const char *key, int64_t fallback);
void mk_default(struct mk *mk, const char *key, const char *value);
int mk_unescape(const char *text, struct mk_bytes *ret_bytes);
int mk_remember_path(struct mk *mk, const char *path);
int mk_remember_child(struct mk *mk, pid_t pid, int control);
void mk_clean_up(struct mk_cleanup *cleanup);
void mk_wait_end_of_input(void);

/* mksock_truth.c: what is true about a socket, as JSON. */
void mk_truth_init(struct mk_truth *truth, const char *role);
int mk_truth_from_fd(struct mk *mk, int fd, const char *role, struct mk_truth *ret_truth);
void mk_truth_from_diag(const struct inet_diag_msg *msg, const char *role,
                        struct mk_truth *ret_truth);
void mk_truth_add_holder(struct mk_truth *truth, pid_t pid, pid_t tid, int fd);
void mk_truth_print(struct mk *mk, const struct mk_truth *truth);
int mk_report(struct mk *mk, int fd, const char *role);
int mk_report_state(struct mk *mk, int fd, const char *role, const char *state);
int mk_report_timer(struct mk *mk, int fd, const char *role, const char *timer);
const char *mk_state_name(int state);

/* mksock_wait.c: asking the kernel, waiting for a state. */
int mk_tcp_state(int fd);
int mk_diag_find(int protocol, const struct sockaddr_storage *local,
                 const struct sockaddr_storage *peer, struct inet_diag_msg *ret_msg);
int mk_unix_state(int64_t inode, uint64_t cookie);
int mk_wait_state(struct mk *mk, int fd, int state);
int mk_wait_timer(struct mk *mk, int fd, int timer);
int mk_wait_probed(struct mk *mk, int fd);
int mk_wait_diag(struct mk *mk, const struct sockaddr_storage *local,
                 const struct sockaddr_storage *peer, int state, struct inet_diag_msg *ret_msg);
int mk_wait_pending(struct mk *mk, int listener, unsigned pending);
int mk_wait_input(struct mk *mk, int fd, int bytes);
int mk_wait_output(struct mk *mk, int fd, int bytes);
bool mk_tick(unsigned *tick);

/* mksock_inet_open.c: making sockets with the options that all inet situations share. */
int mk_inet_family(struct mk *mk);
int mk_inet_socket(struct mk *mk, int type, int protocol);
int mk_inet_address(struct mk *mk, const char *addr_key, const char *port_key,
                    struct sockaddr_storage *ret_addr);
int mk_inet_bind(struct mk *mk, int fd);
socklen_t mk_inet_length(const struct sockaddr_storage *addr);
int mk_drop_input(struct mk *mk, int fd, bool drop);
int mk_tcp_listener(struct mk *mk, int protocol, int backlog);
int mk_listener_address(struct mk *mk, int listener, struct sockaddr_storage *ret_addr);
int mk_tcp_pair(struct mk *mk, int protocol, struct mk_pair *ret_pair);
int mk_tcp_fill(struct mk *mk, struct mk_pair *pair);
int mk_tcp_write(struct mk *mk, int fd, int64_t bytes);
int mk_names(struct mk *mk, int fd, struct sockaddr_storage *ret_local,
             struct sockaddr_storage *ret_peer);

/* mksock_child.c: other processes that hold descriptors. */
struct mk_child_result {
    int fd;
    int error;
};
typedef int (*mk_child_function)(void *context, struct mk_child_result *result);
int mk_keep_only(const int *keep, size_t count);
pid_t mk_child(struct mk *mk, const int *keep, size_t count, mk_child_function function,
               void *context, struct mk_child_result *ret_result);
int mk_send_fd(int over, int fd);
int mk_recv_fd(int over);
int mk_run_in_process(struct mk *mk, const struct mk_situation *situation);
bool mk_wants_process(struct mk *mk);

/* The tables of situations, each ends with a NULL name. */
extern const struct mk_situation mk_tcp_situations[];
extern const struct mk_situation mk_tcp_close_situations[];
extern const struct mk_situation mk_inet_situations[];
extern const struct mk_situation mk_unix_situations[];
extern const struct mk_situation mk_other_situations[];
extern const struct mk_situation mk_owner_situations[];
const struct mk_situation *mk_find_situation(const char *name);
int mk_make(struct mk *mk, const struct mk_situation *situation);
