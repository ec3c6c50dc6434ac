/* SPDX-License-Identifier: MIT */
/* The filter expression of ss(8): read from words or a file into a tree, evaluated on sockets. */
#pragma once

#include "base/arena.h"
#include "compat/ss_names.h"
#include "compat/ss_options.h"
#include "model/request.h"

#include <stdio.h>

enum ss_filter_kind {
    SS_FILTER_LIST,
    SS_FILTER_NOT,
    SS_FILTER_LOCAL,
    SS_FILTER_PEER,
    SS_FILTER_LOCAL_FROM, /* port >= */
    SS_FILTER_LOCAL_TO,   /* port <= */
    SS_FILTER_PEER_FROM,
    SS_FILTER_PEER_TO,
    SS_FILTER_DEVICE,
    SS_FILTER_MARK,
    SS_FILTER_CGROUP,
    SS_FILTER_AUTOBOUND,
};

/* One end of a socket, as far as it is named; a host name may stand for several. */
struct ss_end {
    const struct ss_end *next;
    int family;          /* AF_UNSPEC: only a port */
    unsigned int bits;   /* of the address that must be equal; 0: any */
    int64_t port;        /* or interface, netlink port id; SS_ANY_PORT */
    const char *pattern; /* of a unix path */
    union address address;
};

#define SS_ANY_PORT (-1)

struct ss_filter_node {
    enum ss_filter_kind kind;
    const struct ss_filter_node *inner; /* LIST: its first term; NOT: what must not be */
    struct ss_filter_node *next;        /* of a list */
    bool is_or;                         /* how it is joined to all those before it in the list */
    const struct ss_end *end;
    uint32_t number, mask; /* of an interface, or a mark */
    uint64_t cgroup;
};

struct ss_filter {
    struct arena arena;
    const struct ss_filter_node *root; /* NULL: everything */
    bool offloaded;                    /* the kernel sees all of it too, in its own way */
};

/* What kind of operand a word is, by the keyword before it. */
enum ss_operand {
    SS_OPERAND_HOST,
    SS_OPERAND_PORT,
    SS_OPERAND_DEVICE,
    SS_OPERAND_MARK,
    SS_OPERAND_CGROUP,
};

/*
 * Reads the words of `options` and then its filter file. The families that are named change the
 * selection. 0; or 1 when all has been said and *ret_status is the exit status.
 */
int ss_filter_parse(struct ss_filter *filter, struct ss_options *options, int *ret_status)
    MUST_CHECK;
void ss_filter_done(struct ss_filter *filter);

/* Fills what the operand says into `node`. -EINVAL: it is none, which has been said. */
int ss_operand_parse(struct ss_filter *filter, struct ss_selection *selection,
                     enum ss_operand operand, const char *word, struct ss_filter_node *node)
    MUST_CHECK;

/* Gives the kernel what it can decide. 0 or -ENOMEM. */
int ss_filter_push_down(struct ss_filter *filter, struct request *request) MUST_CHECK;

/* `path` is the name of a unix socket as ss shows it, else NULL. */
bool ss_filter_accepts(const struct ss_filter *filter, struct ss_names *names,
                       const struct socket *socket, const char *path);
