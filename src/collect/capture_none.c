/* SPDX-License-Identifier: MIT */
/* Where nwho is built without libpcap: there are no packets. */
#include "collect/capture.h"

#include <stdio.h>

static int refuse(char error[CAPTURE_ERROR_SIZE])
{
    snprintf(error, CAPTURE_ERROR_SIZE, "this nwho is built without libpcap");
    return -EINVAL;
}

int capture_open_file(const char *path, bool nanoseconds, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE])
{
    (void)path;
    (void)nanoseconds;
    (void)ret_capture;
    return refuse(error);
}

int capture_open_live(const struct capture_request *request, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE])
{
    (void)request;
    (void)ret_capture;
    return refuse(error);
}

int capture_open_none(int link_type, uint32_t snapshot_length, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE])
{
    (void)link_type;
    (void)snapshot_length;
    (void)ret_capture;
    return refuse(error);
}

void capture_close(struct capture *capture)
{
    (void)capture;
}

int capture_link_type(const struct capture *capture)
{
    (void)capture;
    return -1;
}

uint32_t capture_snapshot_length(const struct capture *capture)
{
    (void)capture;
    return 0;
}

const char *capture_link_name(int link_type, const char **ret_description)
{
    (void)link_type;
    *ret_description = NULL;
    return NULL;
}

int capture_link_by_name(const char *name)
{
    (void)name;
    return -1;
}

int capture_set_filter(struct capture *capture, const char *expression, bool optimize,
                       char error[CAPTURE_ERROR_SIZE])
{
    (void)capture;
    (void)expression;
    (void)optimize;
    return refuse(error);
}

bool capture_matches(const struct capture *capture, const struct captured *packet)
{
    (void)capture;
    (void)packet;
    return false;
}

void capture_put_filter(struct buf *out, const struct capture *capture, unsigned int form)
{
    (void)out;
    (void)capture;
    (void)form;
}

int capture_read(struct capture *capture, uint32_t max, capture_fn *fn, void *context,
                 bool *ret_end, char error[CAPTURE_ERROR_SIZE])
{
    (void)capture;
    (void)max;
    (void)fn;
    (void)context;
    (void)ret_end;
    return refuse(error);
}

int capture_fd(const struct capture *capture)
{
    (void)capture;
    return -1;
}

int capture_read_counts(struct capture *capture, struct capture_counts *ret_counts)
{
    (void)capture;
    (void)ret_counts;
    return -EINVAL;
}

int capture_default_interface(char **ret_name, char error[CAPTURE_ERROR_SIZE])
{
    (void)ret_name;
    return refuse(error);
}

int capture_put_interfaces(struct buf *out, char error[CAPTURE_ERROR_SIZE])
{
    (void)out;
    return refuse(error);
}

void capture_put_link_types(struct buf *out, const struct capture *capture)
{
    (void)out;
    (void)capture;
}

int capture_time_type_by_name(const char *name)
{
    (void)name;
    return -1;
}

bool capture_time_type_refused(const struct capture *capture)
{
    (void)capture;
    return false;
}

int capture_put_time_types(struct buf *out, const char *interface, char error[CAPTURE_ERROR_SIZE])
{
    (void)out;
    (void)interface;
    return refuse(error);
}
