/* SPDX-License-Identifier: MIT */
/* iftop 1.0pre4: what its parts share. */
#pragma once

#include "base/buf.h"
#include "compat/host_names.h"
#include "compat/traffic_reader.h"

#define IFTOP_FAILED 1 /* exit status */
#define IFTOP_ALL_LINES UINT32_MAX

enum iftop_show {
    IFTOP_SHOW_SCREEN,
    IFTOP_SHOW_TEXT,
    IFTOP_SHOW_HELP,
};

enum iftop_order {
    IFTOP_BY_2S,
    IFTOP_BY_10S,
    IFTOP_BY_40S,
    IFTOP_BY_SOURCE,
    IFTOP_BY_DESTINATION,
};

/* A network that -F or -G names: what it sends is "sent". */
struct iftop_net {
    uint8_t address[16];
    unsigned int bits;
    bool given;
};

struct iftop_options {
    enum iftop_show show;
    enum iftop_order order;
    const char *interface; /* NULL: the first that is up */
    const char *filter;    /* NULL: none */
    uint32_t seconds;      /* one report after so many; 0: again and again */
    uint32_t lines;
    bool ports, numeric_hosts, numeric_ports, bytes, link_local;
    struct iftop_net net, net6;
};

extern const char iftop_help[];

/* 0; -EINVAL, with what is wrong said on stderr. */
int iftop_options_parse(int argc, char **argv, struct iftop_options *ret_options) MUST_CHECK;

/* --- pairs: what two hosts have sent each other --- */

enum iftop_window {
    IFTOP_2S,
    IFTOP_10S,
    IFTOP_40S,
    IFTOP_WINDOW_MAX,
};

struct iftop_pair {
    union address local, peer;
    struct traffic total;
    struct traffic window[IFTOP_WINDOW_MAX];
    uint16_t local_port, peer_port; /* 0: not shown */
    uint8_t family, proto;
};

struct iftop_pairs {
    struct iftop_pair *pairs;
    uint32_t count, capacity;
    struct map index;
    struct traffic total; /* since the beginning, also of pairs that have gone */
    struct traffic window[IFTOP_WINDOW_MAX];
    uint64_t window_ns[IFTOP_WINDOW_MAX];
    double peak_rx, peak_tx, peak; /* bytes a second, mean of two seconds */
    bool has_unconnected;          /* datagrams whose other end is not known */
};

void iftop_pairs_done(struct iftop_pairs *pairs);

/* Adds the traffic since the reading before. 0 or -ENOMEM. */
int iftop_pairs_add(struct iftop_pairs *pairs, const struct traffic_reader *reader,
                    const struct traffic_devices *devices, const struct iftop_options *options)
    MUST_CHECK;

/* Bytes a second. */
double iftop_rate(const struct iftop_pairs *pairs, enum iftop_window window, uint64_t bytes);

/* --- layout --- */

struct iftop_layout {
    const struct iftop_options *options;
    struct host_names names;
    struct buf scratch;
    bool terminal;
};

/* A report. 0 or -ENOMEM. */
int iftop_write(struct iftop_layout *layout, const struct iftop_pairs *pairs, struct buf *out)
    MUST_CHECK;

/* "1.53Mb", "509KB": K is 1024. `number`: bytes (a second). At most 10 characters. */
void iftop_number(char *text, size_t size, double number, bool bytes);
