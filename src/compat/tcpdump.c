/* SPDX-License-Identifier: MIT */
/* tcpdump 4.99: one run of it. */
#include "compat/tcpdump.h"

#include "base/escape.h"
#include "compat/personality.h"
#include "compat/say.h"
#include "packet/tcp_flows.h"

#include <net/if.h>

int tcpdump_fail(const char *error)
{
    struct buf text = BUF_SINK(STDERR_FILENO);

    buf_puts(&text, TCPDUMP_TOOL ": ");
    for (const char *at = error; *at;) {
        size_t length = strcspn(at, "\n");

        escape_text(&text, at, length);
        buf_byte(&text, '\n');
        at += length + (at[length] != '\0');
    }
    (void)buf_flush(&text);
    buf_done(&text);
    return TCPDUMP_FAILED;
}

/* --- names --- */

static bool put_host(void *names, struct buf *out, unsigned int family, const uint8_t *address)
{
    struct tcpdump *tcpdump = names;
    const char *name = host_name(&tcpdump->names, family, address);

    if (name)
        buf_put(out, name, tcpdump->options->short_names ? strcspn(name, ".") : strlen(name));
    return name;
}

static bool put_service(void *names, struct buf *out, bool is_tcp, uint16_t port)
{
    struct tcpdump *tcpdump = names;
    const char *name =
        host_service(&tcpdump->names, is_tcp ? HOST_SERVICE_TCP : HOST_SERVICE_UDP, port);

    if (name)
        buf_puts(out, name);
    return name;
}

static bool put_interface(void *names, struct buf *out, uint32_t index)
{
    char name[IF_NAMESIZE];

    (void)names;
    if (!if_indextoname(index, name))
        return false;
    buf_puts(out, name);
    return true;
}

/* --- what is asked for --- */

static int run_capture(struct tcpdump *tcpdump)
{
    int r;

    tcpdump->flows = tcp_flows_new();
    if (!tcpdump->flows)
        return tcpdump_fail(strerror(ENOMEM));
    if (tcpdump->options->list_file)
        return tcpdump_read_listed(tcpdump);
    r = tcpdump_open_source(tcpdump);
    if (r != 0)
        return r;
    if (tcpdump->options->filter_form) {
        capture_put_filter(&tcpdump->out, tcpdump->capture, tcpdump->options->filter_form);
        return 0;
    }
    r = tcpdump_open_destination(tcpdump);
    return r != 0 ? r : tcpdump_read_packets(tcpdump);
}

static int list_interfaces(struct buf *out)
{
    char error[CAPTURE_ERROR_SIZE];

    return capture_put_interfaces(out, error) < 0 ? tcpdump_fail(error) : 0;
}

/* These are written on stderr, as the tool does. */
static int list_types(struct tcpdump *tcpdump, bool of_times)
{
    const struct capture_request *request = &tcpdump->options->capture;
    struct buf list = BUF_SINK(STDERR_FILENO);
    char error[CAPTURE_ERROR_SIZE];
    int r;

    if (tcpdump_choose_interface(tcpdump) != 0)
        return TCPDUMP_FAILED;
    if (of_times) {
        buf_printf(&list, "Time stamp types for %s (use option -j to set):\n", request->interface);
        r = capture_put_time_types(&list, request->interface, error);
    } else {
        buf_printf(&list, "Data link types for %s %s(use option -y to set):\n", request->interface,
                   request->monitor ? "when in monitor mode " : "");
        r = capture_open_live(request, &tcpdump->capture, error);
        if (r == 0)
            capture_put_link_types(&list, tcpdump->capture);
    }
    if (r == 0)
        (void)buf_flush(&list);
    buf_done(&list);
    return r == 0 ? 0 : tcpdump_fail(error);
}

static const char help[] =
    "tcpdump, as nwho prints packets\n"
    "\n"
    "usage: tcpdump [-AdDehIJKlLnNOpqStUvxX#] [-B KIB] [-c COUNT] [--count] [-F FILE]\n"
    "               [-i INTERFACE] [--immediate-mode] [-j TIME-TYPE] [-Q in|out|inout]\n"
    "               [-r FILE | -V FILE] [-s LENGTH] [-T TYPE]\n"
    "               [-w FILE [-C MEGABYTES] [-G SECONDS] [-W FILES] [-z COMMAND] [--print]]\n"
    "               [-y LINK-TYPE] [-Z USER] [--micro | --nano] [EXPRESSION]\n"
    "\n"
    "Details: man nwho-tcpdump; the expression: man pcap-filter\n";

static int run_options(struct tcpdump *tcpdump)
{
    const struct tcpdump_options *options = tcpdump->options;

    if (options->help || options->version) {
        buf_puts(&tcpdump->out, options->help ? help : "tcpdump of nwho " NWHO_VERSION "\n");
        return 0;
    }
    if (options->list_interfaces)
        return list_interfaces(&tcpdump->out);
    if ((options->list_link_types || options->list_time_types) && !options->read_file)
        return list_types(tcpdump, options->list_time_types);
    return run_capture(tcpdump);
}

static int run(int argc, char **argv)
{
    struct tcpdump_options options;
    struct tcpdump tcpdump = {.options = &options, .out = BUF_SINK(STDOUT_FILENO)};
    int r = tcpdump_parse(argc, argv, &options);

    if (r != 0)
        return r;
    options.packet.names = &tcpdump;
    options.packet.put_host = put_host;
    options.packet.put_service = put_service;
    options.packet.put_interface = put_interface;
    tcpdump.line.options = options.line;
    r = run_options(&tcpdump);
    (void)buf_flush(&tcpdump.out);
    if (tcpdump.out.error && tcpdump.out.error != -EPIPE)
        r = tcpdump_fail(strerror(-tcpdump.out.error));
    packet_writer_free(tcpdump.writer);
    capture_close(tcpdump.capture);
    tcp_flows_free(tcpdump.flows);
    host_names_done(&tcpdump.names);
    buf_done(&tcpdump.out);
    free(tcpdump.default_interface);
    tcpdump_options_done(&options);
    return r;
}

const struct personality personality_tcpdump = {
    .name = TCPDUMP_TOOL,
    .summary = "packets as text",
    .run = run,
};
