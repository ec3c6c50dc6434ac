/* SPDX-License-Identifier: MIT */
/* nwho sniff: captures in namespaces, and files. */
#include "cli/sniff.h"

#include "base/advice.h"
#include "collect/bpf_error.h"
#include "collect/collect.h"
#include "collect/netns.h"
#include "packet/tcp_flows.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define LINK_SLL2 276 /* DLT_LINUX_SLL2: packets of all interfaces have it */

/* What a user may be shown at once; a reader of a pipe too. */
#define TIMEOUT_MS 100

static bool is_any(const char *interface)
{
    return strncmp(interface, "any", 3) == 0;
}

static int make_source(struct sniff *sniff, struct sniff_source *source, const char *interface,
                       char error[CAPTURE_ERROR_SIZE])
{
    struct capture_request request = sniff->options->capture;
    int r;

    request.interface = interface;
    request.timeout_ms = TIMEOUT_MS;
    request.wanted_only = true;
    if (request.link_type < 0 && is_any(interface))
        request.link_type = LINK_SLL2;
    r = capture_open_live(&request, &source->capture, error);
    if (r < 0)
        return r;
    source->interface = interface;
    source->names = if_nameindex();
    return 0;
}

int sniff_finish_source(struct sniff *sniff, struct sniff_source *source,
                        char error[CAPTURE_ERROR_SIZE])
{
    source->link_type = capture_link_type(source->capture);
    source->flows = tcp_flows_new();
    if (!source->flows)
        return command_error("out of memory");
    if (capture_set_filter(source->capture, sniff->filter.packets, !sniff->options->plain_filter,
                           error) < 0)
        return command_error("sniff: \"%s\": %s (nwho help sniff)", sniff->filter.packets, error);
    return sniff_open_parts(sniff, source, error);
}

/* --- namespaces --- */

struct opening {
    struct sniff *sniff;
    const struct snapshot *snapshot;
    bool several; /* namespaces */
    uint32_t failed;
    bool denied; /* one of these for want of privilege */
    int result;  /* EXIT_ERROR: something was said that ends all */
    char error[CAPTURE_ERROR_SIZE];
};

/* NULL without memory. */
static const char *name_of(struct sniff *sniff, const struct snapshot *snapshot, uint32_t netns)
{
    struct buf text = BUF_INIT;
    const char *name;

    snapshot_put_netns(snapshot, netns, &text);
    name = arena_copy(&sniff->session.arena, text.data, text.length);
    buf_done(&text);
    return name;
}

/* In the namespace. */
static int open_inside(void *context, uint32_t netns)
{
    struct opening *opening = context;
    struct sniff *sniff = opening->sniff;
    struct sniff_source *source = &sniff->sources[sniff->source_count];
    const char *interface = sniff->options->capture.interface;
    int r;

    *source = (struct sniff_source){.capture = NULL};
    r = sniff->owners ? packet_owners_add_place(sniff->owners, &source->place) : 0;
    if (r == 0)
        r = make_source(sniff, source, interface, opening->error);
    if (r < 0) {
        opening->failed++;
        opening->denied |= r == -EPERM;
        return 0;
    }
    sniff->source_count++;
    source->netns = name_of(sniff, opening->snapshot, netns);
    source->labelled = opening->several;
    opening->result = sniff_finish_source(sniff, source, opening->error);
    return opening->result ? -ECANCELED : 0;
}

static uint32_t count_read(const struct snapshot *snapshot)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        count += (snapshot->netns[i].flags & NETNS_READ) != 0;
    return count;
}

/* libpcap's errors may have two lines: "INTERFACE: REASON", "(REASON)". */
static void join_lines(char *error)
{
    char *end = strchr(error, '\n');
    size_t length = end ? strlen(end + 1) : 0; /* with brackets */
    bool again = length > 2 && (size_t)(end - error) >= length - 2 &&
                 strncmp(end + 2, end - (length - 2), length - 2) == 0;

    if (again)
        *end = '\0';
    for (; (end = strchr(error, '\n')); *end = ' ')
        ;
}

static int open_all(struct sniff *sniff, struct snapshot *snapshot)
{
    struct opening opening = {
        .sniff = sniff, .snapshot = snapshot, .several = count_read(snapshot) > 1};
    int r;

    sniff->sources = calloc(snapshot->netns_count + 1, sizeof(*sniff->sources));
    if (!sniff->sources)
        return command_error("out of memory");
    r = netns_visit(snapshot, open_inside, &opening);
    if (opening.result)
        return opening.result;
    if (r < 0)
        return command_error("sniff: %s", strerror(-r));
    if (sniff->owners)
        packet_owners_narrow(sniff->owners);
    join_lines(opening.error);
    if (!sniff->source_count)
        return command_error("sniff: %s%s",
                             opening.failed ? opening.error : "no namespace could be entered",
                             opening.denied && geteuid() != 0 ? RUN_AS_ROOT : "");
    if (opening.failed)
        command_error("incomplete: %u namespaces have no capture: %s", opening.failed,
                      opening.error);
    return 0;
}

/* --- whose they are --- */

static int open_owners(struct sniff *sniff)
{
    int why,
        r = packet_owners_open(sniff->session.request.sources & SOURCE_BPF, &sniff->owners, &why);

    if (r < 0)
        return command_error("out of memory");
    if (why < 0)
        command_error("incomplete: without BPF packets of short connections have no process, nor "
                      "have those behind NAT%s%s",
                      why == -ECANCELED ? "" : ": ", why == -ECANCELED ? "" : bpf_error_text(why));
    return 0;
}

static int choose_interface(struct sniff *sniff)
{
    struct capture_request *request = &sniff->options->capture;
    char error[CAPTURE_ERROR_SIZE], *name;

    if (request->interface)
        return 0;
    if (sniff->session.request.netns_scope != NETNS_SCOPE_SELF) {
        request->interface = "any";
        return 0;
    }
    if (capture_default_interface(&name, error) < 0)
        return command_error("sniff: %s", error);
    request->interface = arena_copy(&sniff->session.arena, name, strlen(name));
    free(name);
    return request->interface ? 0 : command_error("out of memory");
}

/* Sockets of the kernel stay what they are opened as, so the namespaces are only needed here. */
int sniff_open(struct sniff *sniff)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct request request = sniff->session.request;
    int r = snapshot_init(&snapshot);

    request.needs = 0; /* the list of namespaces alone */
    if (r == 0)
        r = collect(&snapshot, &request);
    if (r < 0)
        return command_error("out of memory");
    r = choose_interface(sniff);
    if (r == 0 && sniff_wants_owners(sniff))
        r = open_owners(sniff);
    return r == 0 ? open_all(sniff, &snapshot) : r;
}

int sniff_file_error(const struct sniff *sniff, const char *error)
{
    const char *file = sniff->options->read_file;

    if (strncmp(error, file, strlen(file)) == 0)
        return command_error("sniff: %s", error);
    return command_error("sniff: %s: %s", file, error);
}

int sniff_open_file(struct sniff *sniff)
{
    CLEANUP_CLOSE int fd = open(sniff->options->read_file, O_RDONLY | O_CLOEXEC);
    char error[CAPTURE_ERROR_SIZE];
    int r = fd < 0 ? 0 : sniff_take_pcapng(sniff, fd);

    if (r == 1)
        (void)TAKE_FD(fd);
    if (r != 0)
        return r < 0 ? command_error("sniff: %s", strerror(-r)) : 0;
    sniff->sources = calloc(1, sizeof(*sniff->sources));
    if (!sniff->sources)
        return command_error("out of memory");
    if (capture_open_file(sniff->options->read_file, sniff->options->capture.nanoseconds,
                          &sniff->sources[0].capture, error) < 0)
        return sniff_file_error(sniff, error);
    sniff->source_count = 1;
    return sniff_finish_source(sniff, &sniff->sources[0], error);
}

void sniff_close(struct sniff *sniff)
{
    for (uint32_t i = 0; i < sniff->source_count; i++) {
        capture_close(sniff->sources[i].capture);
        tcp_flows_free(sniff->sources[i].flows);
        if (sniff->sources[i].names)
            if_freenameindex(sniff->sources[i].names);
        for (uint32_t part = 0; sniff->sources[i].parts && part < sniff->filter.part_count; part++)
            capture_close(sniff->sources[i].parts[part]);
        free(sniff->sources[i].parts);
    }
    sniff_close_filter(sniff);
    free(sniff->sources);
    free(sniff->young.packets);
    free(sniff->old.packets);
    buf_done(&sniff->young.bytes);
    buf_done(&sniff->old.bytes);
    buf_done(&sniff->out);
    buf_done(&sniff->remark);
    buf_done(&sniff->texts.text);
    free(sniff->texts.at);
    packet_facts_done(&sniff->facts);
    packet_owners_close(sniff->owners);
    packet_writer_free(sniff->writer);
    conversations_free(sniff->conversations);
    pcapng_reader_close(sniff->reader);
}
