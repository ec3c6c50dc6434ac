/* SPDX-License-Identifier: MIT */
/* Packets from an interface or from a file, by libpcap. */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "model/captured.h"

#include <stdbool.h>

#define CAPTURE_ERROR_SIZE 256
#define CAPTURE_LENGTH_MAX 262144

struct capture;

enum capture_direction { CAPTURE_BOTH, CAPTURE_IN, CAPTURE_OUT };

struct capture_request {
    const char *interface;
    uint32_t snapshot_length;
    uint32_t timeout_ms;  /* until packets that came are handed out */
    uint32_t buffer_size; /* in bytes, 0: as it is usually */
    enum capture_direction direction;
    bool promiscuous;
    bool nanoseconds;
    bool immediate;   /* packets are handed out one by one */
    bool wanted_only; /* what is not handed out is not counted as received either */
    bool monitor;     /* of a wireless interface: all that is in the air */
    int link_type;    /* DLT_ of pcap, -1: the usual one */
    int time_type;    /* of capture_time_type_by_name(), 0: the usual one */
};

struct capture_counts {
    uint32_t received, dropped, dropped_by_interface;
};

/* Each: 0, or -EINVAL and what is wrong. A file that is "-" is the standard input. */
int capture_open_file(const char *path, bool nanoseconds, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;
int capture_open_live(const struct capture_request *request, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;
/* No packets: for filters. */
int capture_open_none(int link_type, uint32_t snapshot_length, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;
void capture_close(struct capture *capture);
static inline void capture_closep(struct capture **capture)
{
    capture_close(*capture);
}

int capture_link_type(const struct capture *capture);
uint32_t capture_snapshot_length(const struct capture *capture);

/* "EN10MB" and "Ethernet"; NULL when it has no name. */
const char *capture_link_name(int link_type, const char **ret_description);
int capture_link_by_name(const char *name);      /* -1: there is none */
int capture_time_type_by_name(const char *name); /* the same */

/* The usual time stamps are there instead of those that were asked for. */
bool capture_time_type_refused(const struct capture *capture);

/* The expression of pcap-filter(7), "" for all. Applied to what capture_read() gives. */
int capture_set_filter(struct capture *capture, const char *expression, bool optimize,
                       char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;

/* Whether the filter, which has been set, takes a packet that came from elsewhere. */
bool capture_matches(const struct capture *capture, const struct captured *packet);

/* The program of the filter: `form` 1 as text, 2 as C, 3 as numbers. */
void capture_put_filter(struct buf *out, const struct capture *capture, unsigned int form);

/* Takes a packet, valid until it returns. False: no more of them for now. */
typedef bool capture_fn(void *context, const struct captured *packet);

/*
 * Gives what there is to `fn`, `max` packets or fewer, however many there are. 1: some; 0: none;
 * -EIO: an error, perhaps after some. *ret_end: the file ended.
 */
int capture_read(struct capture *capture, uint32_t max, capture_fn *fn, void *context,
                 bool *ret_end, char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;

/* What to wait for by poll(2): -1 for a file. */
int capture_fd(const struct capture *capture);

int capture_read_counts(struct capture *capture, struct capture_counts *ret_counts) MUST_CHECK;

/* --- interfaces --- */

/* The one that is captured from when none is named; to be freed. */
int capture_default_interface(char **ret_name, char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;

/* Lines "1.eth0 [Up, Running]" of the interfaces that can be captured from. */
int capture_put_interfaces(struct buf *out, char error[CAPTURE_ERROR_SIZE]) MUST_CHECK;

/* Lines "  EN10MB (Ethernet)" of types of links and "  host (Host)" of time stamps. */
void capture_put_link_types(struct buf *out, const struct capture *capture);
int capture_put_time_types(struct buf *out, const char *interface, char error[CAPTURE_ERROR_SIZE])
    MUST_CHECK;
