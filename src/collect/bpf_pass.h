/* SPDX-License-Identifier: MIT */
/* What the BPF sources share: whether to use them, and records into facts. */
#pragma once

#include "bpf/iterators.h"
#include "collect/source.h"

#define BPF_SOURCE "bpf iter/task_file"

/* One reading of the machine by iterators. */
struct bpf_pass {
    struct collection *collection;
    struct map netns_index; /* inode -> index into snapshot.netns */
    uint32_t last_tgid;     /* records come in runs of one process */
    uint32_t last_process;
    struct map wanted; /* inodes of the sockets found, when only they matter */
    bool only_wanted;
    bool process_1_hidden; /* by the kernel, even from root */
};

/*
 * Whether BPF is the cheaper source here for sockets, owners or both, or the better one for what is
 * asked. A small machine is read faster in other ways than a program is loaded.
 */
bool bpf_pays(const struct collection *collection, bool sockets, bool owners);

/* The same for UDP sockets alone, which sock_diag reads as fast. */
bool bpf_pays_for_udp(const struct collection *collection);

/* Zeroed but for what it borrows. bpf_pass_done() frees. */
void bpf_pass_init(struct bpf_pass *pass, struct collection *collection);
void bpf_pass_done(struct bpf_pass *pass);

/*
 * Loads an iterator and sets its filter to what the request wants of `protos`. 0, or -errno after a
 * note.
 */
int bpf_pass_open(struct bpf_pass *pass, enum iterator_kind kind, uint32_t protos,
                  struct iterator *ret_iterator) MUST_CHECK;

/*
 * The same for the walk over descriptors, which is trusted only after it has shown a socket made
 * for the purpose, exactly once and with its true cookie, inode, process and descriptor.
 */
int bpf_pass_open_descriptors(struct bpf_pass *pass, uint32_t protos, struct iterator *ret_iterator)
    MUST_CHECK;

/*
 * Walks the descriptors of all processes, or of those that the request names. `fn` gets the pass as
 * its context. 0 or -errno.
 */
int bpf_pass_walk_descriptors(struct bpf_pass *pass, struct iterator *iterator,
                              iterator_record_fn *fn) MUST_CHECK;

/*
 * The namespace of a record, if it was known before: 0 and its index, -ENOENT also when it was not
 * asked for, or -ENOMEM.
 */
int bpf_pass_known_netns(struct bpf_pass *pass, uint32_t inode, uint32_t *ret_netns) MUST_CHECK;

/* The same; one that is not known is added where all are asked for. */
int bpf_pass_netns(struct bpf_pass *pass, uint32_t inode, uint32_t *ret_netns) MUST_CHECK;

/* Adds the process of a record with its name and user. 0 or -ENOMEM. */
int bpf_pass_add_process(struct snapshot *snapshot, const struct record_owner *owner,
                         uint32_t *ret_index) MUST_CHECK;

/* Adds the holder that a record tells of, and its process. 0 or -ENOMEM. */
int bpf_pass_add_holder(struct bpf_pass *pass, const struct record *record) MUST_CHECK;

/* Whose holders are of interest when the request asks for owners. */
uint32_t bpf_holder_protos(const struct request *request);

/*
 * Says that every descriptor was searched, and notes when sockets have no holder because the kernel
 * hides a process. 0 or -ENOMEM.
 */
int bpf_owners_finish(struct bpf_pass *pass) MUST_CHECK;

/*
 * Leaves a note that a source is not used, and why. Also want of memory is no end: it may be the
 * kernel's, which counts programs and maps, and the next source needs less.
 */
void bpf_give_up(struct collection *collection, const char *source, int error, const char *what);
