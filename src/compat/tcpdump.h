/* SPDX-License-Identifier: MIT */
/* tcpdump 4.99: its command line, and one run of it. */
#pragma once

#include "collect/capture.h"
#include "compat/host_names.h"
#include "packet/line.h"
#include "savefile/writer.h"

#define TCPDUMP_TOOL "tcpdump"
#define TCPDUMP_FAILED 1

struct tcpdump_options {
    struct packet_options packet;
    struct line_options line;
    struct capture_request capture;
    struct rotation_options rotation;
    const char *read_file;   /* NULL: from an interface */
    const char *list_file;   /* of names of files to be read, NULL: none */
    const char *command;     /* run on each finished file */
    const char *time_type;   /* as it was named, NULL: the usual one */
    const char *write_file;  /* NULL: packets become text */
    const char *filter_file; /* NULL: the expression is on the command line */
    const char *user;        /* to become after all is opened, NULL: stay */
    char **words;            /* of the expression */
    char *expression;        /* of tcpdump_read_expression(); to be freed */
    uint32_t count;          /* of packets, 0: all */
    unsigned int filter_form;
    bool plain_filter; /* its program is not optimized */
    bool line_buffered;
    bool packet_buffered; /* what is written is so at once */
    bool print;           /* even what is written */
    bool only_count;
    bool list_interfaces, list_link_types, list_time_types;
    bool short_names; /* of hosts: without their domain */
    bool help, version;
};

/* 0, or the exit status of wrong usage, as was said on stderr. */
int tcpdump_parse(int argc, char **argv, struct tcpdump_options *ret_options);

/* Sets `expression`; the same result. */
int tcpdump_read_expression(struct tcpdump_options *options);
void tcpdump_options_done(struct tcpdump_options *options);

struct tcpdump {
    struct tcpdump_options *options;
    struct capture *capture;
    struct packet_writer *writer; /* NULL: nothing is written */
    struct host_names names;
    struct tcp_flows *flows;
    struct line line;
    struct buf out;
    char *default_interface; /* to be freed */
    uint32_t number;         /* of packets */
    bool live;
};

/* --- where packets come from and go --- */

/* Opens an interface, or a file, says so, and sets the filter; 0 or the exit status. */
int tcpdump_open_source(struct tcpdump *tcpdump);
/* In the place of one that was read before. */
int tcpdump_open_file(struct tcpdump *tcpdump, const char *path);

/* Sets the interface that is captured from when none is named. */
int tcpdump_choose_interface(struct tcpdump *tcpdump);

/* Opens what is written, if anything is, and becomes the user who was asked for. */
int tcpdump_open_destination(struct tcpdump *tcpdump);

/* Says what is wrong with the file that is written. */
int tcpdump_fail_writing(const char *file, int error);

/* Until the end, a signal or an error; the exit status. Closes the writer. */
int tcpdump_read_packets(struct tcpdump *tcpdump);

/* The same of all the files that a file names. */
int tcpdump_read_listed(struct tcpdump *tcpdump);

/* Says what is wrong, which may have several lines. Returns TCPDUMP_FAILED. */
int tcpdump_fail(const char *error);
