/* SPDX-License-Identifier: MIT */
/* Packets from an interface or from a file, by libpcap. */
#include "collect/capture.h"

#include "collect/pcap_library.h"

#include <linux/if_packet.h>
#include <stdio.h>
#include <sys/socket.h>

#define READ_MAX 1024 /* packets that are given without a look at anything else */
#define NEXT_BYTES 256
#define CACHE_LINE 64

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* since 4.20 */
#endif

struct capture {
    struct pcap_library library;
    pcap_t *pcap;
    struct bpf_program filter;
    bool filtered;
    bool has_packets;
    bool time_type_refused;
};

_Static_assert(CAPTURE_ERROR_SIZE == PCAP_ERRBUF_SIZE, "libpcap writes its errors there");

static int fail(char error[CAPTURE_ERROR_SIZE], const char *text)
{
    snprintf(error, CAPTURE_ERROR_SIZE, "%s", text);
    return -EINVAL;
}

static int take(const struct pcap_library *library, pcap_t *pcap, bool has_packets,
                struct capture **ret_capture, char error[CAPTURE_ERROR_SIZE])
{
    struct capture *capture = calloc(1, sizeof(*capture));

    if (!capture) {
        library->pcap_close(pcap);
        return fail(error, strerror(ENOMEM));
    }
    capture->library = *library;
    capture->pcap = pcap;
    capture->has_packets = has_packets;
    *ret_capture = capture;
    return 0;
}

int capture_open_file(const char *path, bool nanoseconds, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE])
{
    struct pcap_library library;
    pcap_t *pcap;

    if (pcap_library_load(&library, error) < 0)
        return -EINVAL;
    pcap = library.pcap_open_offline_with_tstamp_precision(
        path, nanoseconds ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO, error);
    return pcap ? take(&library, pcap, true, ret_capture, error) : -EINVAL;
}

int capture_open_none(int link_type, uint32_t snapshot_length, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE])
{
    struct pcap_library library;
    pcap_t *pcap;

    if (pcap_library_load(&library, error) < 0)
        return -EINVAL;
    pcap = library.pcap_open_dead(link_type, (int)snapshot_length);
    return pcap ? take(&library, pcap, false, ret_capture, error) : fail(error, strerror(ENOMEM));
}

static int say_status(const struct pcap_library *library, char error[CAPTURE_ERROR_SIZE],
                      const char *interface, int status, const char *reason)
{
    snprintf(error, CAPTURE_ERROR_SIZE, "%.80s: %s%s%.120s%s", interface,
             library->pcap_statustostr(status), *reason ? "\n(" : "", reason, *reason ? ")" : "");
    return status == PCAP_ERROR_PERM_DENIED ? -EPERM : -EINVAL;
}

static int set_monitor(const struct pcap_library *library, pcap_t *pcap, const char *interface,
                       char error[CAPTURE_ERROR_SIZE])
{
    int status = library->pcap_can_set_rfmon(pcap);

    if (status <= 0)
        return say_status(library, error, interface, status ? status : PCAP_ERROR_RFMON_NOTSUP, "");
    library->pcap_set_rfmon(pcap, 1);
    return 0;
}

/* Before it is activated. */
static int prepare(const struct pcap_library *library, pcap_t *pcap,
                   const struct capture_request *request, char error[CAPTURE_ERROR_SIZE])
{
    library->pcap_set_snaplen(pcap, (int)request->snapshot_length);
    library->pcap_set_promisc(pcap, request->promiscuous);
    library->pcap_set_timeout(pcap, (int)request->timeout_ms);
    library->pcap_set_immediate_mode(pcap, request->immediate);
    if (request->buffer_size)
        library->pcap_set_buffer_size(pcap, (int)request->buffer_size);
    if (request->nanoseconds &&
        library->pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO) != 0)
        return fail(error, "nanoseconds are not available");
    return request->monitor ? set_monitor(library, pcap, request->interface, error) : 0;
}

/*
 * What goes out and is not wanted is dropped by libpcap, after it took the place of others. On the
 * loopback device that is each packet, which is there a second time when it comes in.
 */
static void leave_out_sent(const struct pcap_library *library, pcap_t *pcap,
                           const struct capture_request *request)
{
    bool twice = request->direction == CAPTURE_BOTH && strcmp(request->interface, "lo") == 0;
    int fd = library->pcap_get_selectable_fd(pcap), on = 1;

    if (request->wanted_only && (twice || request->direction == CAPTURE_IN))
        (void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
}

static int activate(const struct pcap_library *library, pcap_t *pcap,
                    const struct capture_request *request, char error[CAPTURE_ERROR_SIZE])
{
    static const pcap_direction_t directions[] = {
        [CAPTURE_BOTH] = PCAP_D_INOUT, [CAPTURE_IN] = PCAP_D_IN, [CAPTURE_OUT] = PCAP_D_OUT};
    int status;

    if (prepare(library, pcap, request, error) < 0)
        return -EINVAL;
    status = library->pcap_activate(pcap);
    if (status < 0)
        return say_status(library, error, request->interface, status, library->pcap_geterr(pcap));
    if ((request->direction != CAPTURE_BOTH &&
         library->pcap_setdirection(pcap, directions[request->direction]) != 0) ||
        (request->link_type >= 0 && library->pcap_set_datalink(pcap, request->link_type) != 0))
        return fail(error, library->pcap_geterr(pcap));
    leave_out_sent(library, pcap, request);
    return library->pcap_setnonblock(pcap, 1, error) == 0 ? 0 : -EINVAL;
}

int capture_open_live(const struct capture_request *request, struct capture **ret_capture,
                      char error[CAPTURE_ERROR_SIZE])
{
    struct pcap_library library;
    pcap_t *pcap;
    bool refused;
    int r;

    if (pcap_library_load(&library, error) < 0)
        return -EINVAL;
    pcap = library.pcap_create(request->interface, error);
    if (!pcap)
        return -EINVAL;
    refused =
        request->time_type != 0 && library.pcap_set_tstamp_type(pcap, request->time_type) != 0;
    r = activate(&library, pcap, request, error);
    if (r < 0) {
        library.pcap_close(pcap);
        return r;
    }
    r = take(&library, pcap, true, ret_capture, error);
    if (r == 0)
        (*ret_capture)->time_type_refused = refused;
    return r;
}

void capture_close(struct capture *capture)
{
    if (!capture)
        return;
    if (capture->filtered)
        capture->library.pcap_freecode(&capture->filter);
    capture->library.pcap_close(capture->pcap);
    free(capture);
}

int capture_link_type(const struct capture *capture)
{
    return capture->library.pcap_datalink(capture->pcap);
}

uint32_t capture_snapshot_length(const struct capture *capture)
{
    return (uint32_t)capture->library.pcap_snapshot(capture->pcap);
}

const char *capture_link_name(int link_type, const char **ret_description)
{
    struct pcap_library library;
    char error[CAPTURE_ERROR_SIZE];

    *ret_description = NULL;
    if (pcap_library_load(&library, error) < 0)
        return NULL;
    *ret_description = library.pcap_datalink_val_to_description(link_type);
    return library.pcap_datalink_val_to_name(link_type);
}

int capture_link_by_name(const char *name)
{
    struct pcap_library library;
    char error[CAPTURE_ERROR_SIZE];

    return pcap_library_load(&library, error) < 0 ? -1 : library.pcap_datalink_name_to_val(name);
}

int capture_set_filter(struct capture *capture, const char *expression, bool optimize,
                       char error[CAPTURE_ERROR_SIZE])
{
    const struct pcap_library *library = &capture->library;

    if (library->pcap_compile(capture->pcap, &capture->filter, expression, optimize, 0) != 0)
        return fail(error, library->pcap_geterr(capture->pcap));
    capture->filtered = true;
    if (!capture->has_packets || library->pcap_setfilter(capture->pcap, &capture->filter) == 0)
        return 0;
    return fail(error, library->pcap_geterr(capture->pcap));
}

bool capture_matches(const struct capture *capture, const struct captured *packet)
{
    struct pcap_pkthdr header = {.caplen = packet->captured, .len = packet->length};

    return capture->library.pcap_offline_filter(&capture->filter, &header, packet->bytes) != 0;
}

void capture_put_filter(struct buf *out, const struct capture *capture, unsigned int form)
{
    const struct pcap_library *library = &capture->library;
    const struct bpf_program *filter = &capture->filter;

    if (form > 2)
        buf_printf(out, "%u\n", filter->bf_len);
    for (uint32_t i = 0; i < filter->bf_len; i++) {
        const struct bpf_insn *insn = &filter->bf_insns[i];

        if (form > 2)
            buf_printf(out, "%u %u %u %u\n", insn->code, insn->jt, insn->jf, insn->k);
        else if (form > 1)
            buf_printf(out, "{ 0x%x, %u, %u, 0x%08x },\n", insn->code, insn->jt, insn->jf, insn->k);
        else
            buf_printf(out, "%s\n", library->bpf_image(insn, (int)i));
    }
}

/* Those to whom packets are given. */
struct reading {
    struct capture *capture;
    capture_fn *fn;
    void *context;
    bool any;
};

/* The next packet stands behind this one, mostly: its bytes come from another processor. */
static void expect_next(const u_char *bytes, uint32_t size)
{
    for (uint32_t at = 0; at < NEXT_BYTES; at += CACHE_LINE)
        __builtin_prefetch(bytes + size + at);
}

static void give(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct reading *reading = (void *)context;
    const struct captured packet = {.bytes = bytes,
                                    .captured = header->caplen,
                                    .length = header->len,
                                    .seconds = header->ts.tv_sec,
                                    .fraction = (uint32_t)header->ts.tv_usec};

    expect_next(bytes, header->caplen);
    reading->any = true;
    if (!reading->fn(reading->context, &packet))
        reading->capture->library.pcap_breakloop(reading->capture->pcap);
}

int capture_read(struct capture *capture, uint32_t max, capture_fn *fn, void *context,
                 bool *ret_end, char error[CAPTURE_ERROR_SIZE])
{
    const struct pcap_library *library = &capture->library;
    struct reading reading = {capture, fn, context, false};
    int r = library->pcap_dispatch(capture->pcap, (int)(max < READ_MAX ? max : READ_MAX), give,
                                   (u_char *)&reading);

    *ret_end = r == 0 && library->pcap_file(capture->pcap);
    if (r >= 0 || r == PCAP_ERROR_BREAK)
        return reading.any;
    fail(error, library->pcap_geterr(capture->pcap));
    return -EIO;
}

int capture_fd(const struct capture *capture)
{
    const struct pcap_library *library = &capture->library;

    return library->pcap_file(capture->pcap) ? -1 : library->pcap_get_selectable_fd(capture->pcap);
}

int capture_read_counts(struct capture *capture, struct capture_counts *ret_counts)
{
    struct pcap_stat counts = {0};

    if (capture->library.pcap_stats(capture->pcap, &counts) != 0)
        return -EIO;
    *ret_counts = (struct capture_counts){counts.ps_recv, counts.ps_drop, counts.ps_ifdrop};
    return 0;
}

/* --- interfaces --- */

int capture_default_interface(char **ret_name, char error[CAPTURE_ERROR_SIZE])
{
    struct pcap_library library;
    pcap_if_t *interfaces;
    char *name;

    if (pcap_library_load(&library, error) < 0 || library.pcap_findalldevs(&interfaces, error) != 0)
        return -EINVAL;
    if (!interfaces)
        return fail(error, "no interfaces available for capture");
    name = strdup(interfaces->name);
    library.pcap_freealldevs(interfaces);
    if (!name)
        return fail(error, strerror(ENOMEM));
    *ret_name = name;
    return 0;
}

static void put_flags(struct buf *out, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } names[] = {{PCAP_IF_UP, "Up"},
                 {PCAP_IF_RUNNING, "Running"},
                 {PCAP_IF_LOOPBACK, "Loopback"},
                 {PCAP_IF_WIRELESS, "Wireless"}};
    bool wireless = flags & PCAP_IF_WIRELESS, any = false;

    for (uint32_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!(flags & names[i].flag))
            continue;
        buf_puts(out, any ? ", " : "");
        buf_puts(out, names[i].name);
        any = true;
    }
    buf_puts(out, any ? "" : "none");
    switch (flags & PCAP_IF_CONNECTION_STATUS) {
    case PCAP_IF_CONNECTION_STATUS_UNKNOWN:
        buf_puts(out, wireless ? ", Association status unknown" : ", Connection status unknown");
        break;
    case PCAP_IF_CONNECTION_STATUS_CONNECTED:
        buf_puts(out, wireless ? ", Associated" : ", Connected");
        break;
    case PCAP_IF_CONNECTION_STATUS_DISCONNECTED:
        buf_puts(out, wireless ? ", Not associated" : ", Disconnected");
        break;
    default:
        break;
    }
}

void capture_put_link_types(struct buf *out, const struct capture *capture)
{
    const struct pcap_library *library = &capture->library;
    int *types, count = library->pcap_list_datalinks(capture->pcap, &types);

    for (int i = 0; i < count; i++) {
        const char *name = library->pcap_datalink_val_to_name(types[i]);

        if (name)
            buf_printf(out, "  %s (%s)\n", name,
                       library->pcap_datalink_val_to_description(types[i]));
        else
            buf_printf(out, "  DLT %d\n", types[i]);
    }
    if (count > 0)
        library->pcap_free_datalinks(types);
}

int capture_time_type_by_name(const char *name)
{
    struct pcap_library library;
    char error[CAPTURE_ERROR_SIZE];

    return pcap_library_load(&library, error) < 0 ? -1 : library.pcap_tstamp_type_name_to_val(name);
}

bool capture_time_type_refused(const struct capture *capture)
{
    return capture->time_type_refused;
}

int capture_put_time_types(struct buf *out, const char *interface, char error[CAPTURE_ERROR_SIZE])
{
    struct pcap_library library;
    pcap_t *pcap;
    int *types, count;

    if (pcap_library_load(&library, error) < 0)
        return -EINVAL;
    pcap = library.pcap_create(interface, error);
    if (!pcap)
        return -EINVAL;
    count = library.pcap_list_tstamp_types(pcap, &types);
    for (int i = 0; i < count; i++)
        buf_printf(out, "  %s (%s)\n", library.pcap_tstamp_type_val_to_name(types[i]),
                   library.pcap_tstamp_type_val_to_description(types[i]));
    if (count > 0)
        library.pcap_free_tstamp_types(types);
    library.pcap_close(pcap);
    return 0;
}

int capture_put_interfaces(struct buf *out, char error[CAPTURE_ERROR_SIZE])
{
    struct pcap_library library;
    pcap_if_t *interfaces;
    uint32_t number = 0;

    if (pcap_library_load(&library, error) < 0 || library.pcap_findalldevs(&interfaces, error) != 0)
        return -EINVAL;
    for (const pcap_if_t *at = interfaces; at; at = at->next) {
        buf_printf(out, "%u.%s", ++number, at->name);
        if (at->description)
            buf_printf(out, " (%s)", at->description);
        if (at->flags) {
            buf_puts(out, " [");
            put_flags(out, at->flags);
            buf_byte(out, ']');
        }
        buf_byte(out, '\n');
    }
    library.pcap_freealldevs(interfaces);
    return 0;
}
