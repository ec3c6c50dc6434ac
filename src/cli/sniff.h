/* SPDX-License-Identifier: MIT */
/* nwho sniff: packets with the processes at their ends. */
#pragma once

#include "cli/session.h"
#include "collect/capture.h"
#include "collect/packet_owners.h"
#include "collect/packet_processes.h"
#include "compat/tcpdump.h"
#include "derive/conversations.h"
#include "packet/facts.h"
#include "packet/flow.h"
#include "packet/tcp_flows.h"
#include "savefile/pcapng_reader.h"
#include "savefile/writer.h"
#include "table/captured.h"
#include "table/packet_filter.h"
#include "table/query.h"

#include <net/if.h>

/* An interface of one namespace, or a file. */
struct sniff_source {
    struct capture *capture;
    struct tcp_flows *flows;
    struct if_nameindex *names; /* of the namespace's interfaces; NULL: unknown */
    struct capture **parts;     /* one for each part of the filter: what it takes */
    const char *netns;          /* name of the namespace, or its inode; NULL: unknown */
    bool labelled;              /* there are several: lines begin with it */
    const char *interface;      /* NULL: a file */
    uint32_t place;             /* of packet_owners_find() */
    int link_type;
    bool ended;
};

/* A packet that waits until it is known whose it is. */
struct sniff_waiting {
    struct captured packet; /* its bytes are in the batch's */
    size_t at;              /* there */
    uint32_t source;
};

struct sniff_batch {
    struct sniff_waiting *packets;
    uint32_t count, capacity;
    struct buf bytes;
};

/* Of owners, by their number, as long as that is valid: each is put together once. */
struct sniff_texts {
    struct buf text;
    size_t *at; /* there; SIZE_MAX: not yet */
    uint32_t count, capacity;
};

struct sniff {
    struct session session;
    struct tcpdump_options *options;
    struct sniff_source *sources;
    uint32_t source_count;
    struct packet_owners *owners; /* NULL: packets of a file, or nobody asks whose they are */
    struct packet_filter filter;
    struct query columns;               /* of processes, to be shown */
    struct packet_processes processes;  /* what is known of them */
    uint32_t told;                      /* how many of packet_owners_told() are among them */
    struct captured_processes captured; /* those of the packet that is looked at */
    struct view view;                   /* of it */
    struct map noted_processes;         /* of a file: hash of pid and name -> index */
    const struct packet_process **noted_list;
    uint32_t noted_count, noted_capacity;
    struct sniff_batch young, old; /* the older ones are shown next */
    uint64_t turned_ns;            /* CLOCK_MONOTONIC, when they were exchanged */
    struct line line;
    struct packet packet;
    struct packet_facts facts; /* of the packet, for JSON */
    struct packet_options dissection;
    const struct sniff_source *current; /* whose packet is being shown */
    struct buf out, remark;
    struct sniff_texts texts;
    uint32_t shown;
    uint64_t lost;                       /* that were said */
    struct packet_writer *writer;        /* NULL: nothing is written */
    struct conversations *conversations; /* NULL: nothing is added up */
    struct pcapng_reader *reader;        /* of a file of pcapng; NULL: libpcap reads */
    const struct packet_note *noted;     /* of the packet of such a file */
    int failed;                          /* the error of writing */
    bool full;                           /* the last file is */
    sigset_t unblocked;
};

/* What is wanted, and what is shown of processes. 0 or EXIT_ERROR after a line on stderr. */
int sniff_read_filter(struct sniff *sniff) MUST_CHECK;
int sniff_open_parts(const struct sniff *sniff, struct sniff_source *source,
                     char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;
void sniff_close_filter(struct sniff *sniff);
/* Reads of processes what is to be known of them, as long as they are there. 0 or -ENOMEM. */
int sniff_look_at_processes(struct sniff *sniff) MUST_CHECK;
/* Whether the packet is wanted, which libpcap has taken. */
bool sniff_wants(struct sniff *sniff, const struct sniff_source *source,
                 const struct captured *captured, const struct packet_owner *owner);
/* A column of a process, valid until the next one. */
struct value sniff_value(struct sniff *sniff, const struct column *column,
                         const struct packet_process *process);

/* Opens a capture in each namespace. 0 or EXIT_ERROR after a line on stderr. */
int sniff_open(struct sniff *sniff) MUST_CHECK;
int sniff_open_file(struct sniff *sniff) MUST_CHECK;
void sniff_close(struct sniff *sniff);

/* Until the end, a signal or an error; the exit code. */
int sniff_run(struct sniff *sniff);

/* --- packets that are written: by -w --- */

int sniff_open_writer(struct sniff *sniff) MUST_CHECK; /* 0, or EXIT_ERROR after a line */
/* The last source is new; the same result. */
int sniff_write_source(struct sniff *sniff) MUST_CHECK;
void sniff_write(struct sniff *sniff, const struct sniff_source *source,
                 const struct captured *captured, const struct packet_flow *flow,
                 const struct packet_owner *owner);
/* False: nothing that was asked for says whose packets are, as a file of pcap does not. */
bool sniff_wants_owners(const struct sniff *sniff);
void sniff_write_unowned(struct sniff *sniff, const struct captured *captured);
/* When no packets wait, they can be read; and files follow each other. */
void sniff_write_idle(struct sniff *sniff);
/* The error of writing was said: EXIT_ERROR, else 0. */
int sniff_close_writer(struct sniff *sniff);

/* --- packets that are added up: by --stats --- */

void sniff_add_up(struct sniff *sniff, const struct captured *captured,
                  const struct packet_flow *flow, const struct packet_owner *owner);
/* 0 or -errno: it could not be written. */
int sniff_put_statistics(struct sniff *sniff) MUST_CHECK;

/* --- a file of pcapng --- */

/* Reads it; 0, EXIT_ERROR after a line, or the error of writing. */
int sniff_read_pcapng(struct sniff *sniff);
/* 1: `fd` is of such a file, and is the reader's from now on; 0: it is none. */
int sniff_take_pcapng(struct sniff *sniff, int fd) MUST_CHECK;

/* What a capture of any kind has: 0, or EXIT_ERROR after a line. */
int sniff_finish_source(struct sniff *sniff, struct sniff_source *source,
                        char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;
bool sniff_is_full(const struct sniff *sniff);
static inline bool sniff_is_live(const struct sniff *sniff)
{
    return !sniff->options->read_file;
}
/* One line on what is wrong with the file that is read; some of libpcap's have its name already.
 * Returns EXIT_ERROR. */
int sniff_file_error(const struct sniff *sniff, const char *error);

uint64_t sniff_time_of(const struct sniff *sniff, const struct captured *captured);

/* Whose a packet of a file is, by what is noted of it. 0 or -ENOMEM. */
int sniff_read_note(struct sniff *sniff, const struct packet_note *note,
                    struct packet_owner *ret_owner) MUST_CHECK;

/* Shows one packet. */
void sniff_show(struct sniff *sniff, const struct sniff_source *source,
                const struct captured *captured);

void sniff_put_json(struct sniff *sniff, const struct sniff_source *source,
                    const struct captured *captured, const struct packet_flow *flow,
                    const struct packet_owner *owner);

/* ,"dns":{...} and the like: what the packet says. */
void sniff_put_facts(struct buf *out, const struct packet_facts *facts,
                     const struct packet_flow *flow);

/* Each ,"KEY": and a value. */
void sniff_put_key(struct buf *out, const char *key);
void sniff_put_text(struct buf *out, const char *key, const char *text, size_t length);
void sniff_put_number(struct buf *out, const char *key, uint64_t number);

/* By enum packet_end_kind. */
extern const char *const packet_end_words[];

/* By enum packet_transit. */
extern const char *const packet_transit_words[];

/* "curl[12] > nginx[1187]", "closed port"; nothing where nothing is to be said. */
void sniff_put_owner(struct sniff *sniff, const struct packet_owner *owner, struct buf *out);

/* The same behind two spaces, until the next call. */
const char *sniff_owner_text(struct sniff *sniff, const struct packet_owner *owner);
