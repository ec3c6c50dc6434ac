/* SPDX-License-Identifier: MIT */
/* netstat: internet sockets. */
#include "compat/netstat.h"

#include "base/escape.h"
#include "base/format.h"
#include "compat/tcp_state.h"
#include "derive/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define ENDPOINT_WIDTH 23
#define ENDPOINT_MAX 22 /* of address and port together, without the colon; -W lifts it */
#define PORT_MAX 18     /* as much of a port's name stays when that is too long */
#define PROGRAM_MAX 19

/* A file of /proc/net, of which the real tool reads one after the other. */
static const struct section {
    const char *name;
    const char *proto;  /* in the words of the columns */
    const char *family; /* as above */
    enum host_service service;
    enum socket_proto bit;
} sections[] = {
    {"tcp", "tcp", "inet", HOST_SERVICE_TCP, PROTO_TCP},
    {"tcp6", "tcp", "inet6", HOST_SERVICE_TCP, PROTO_TCP},
    {"udp", "udp", "inet", HOST_SERVICE_UDP, PROTO_UDP},
    {"udp6", "udp", "inet6", HOST_SERVICE_UDP, PROTO_UDP},
    {"udpl", "udplite", "inet", HOST_SERVICE_UDP, PROTO_UDPLITE},
    {"udpl6", "udplite", "inet6", HOST_SERVICE_UDP, PROTO_UDPLITE},
    {"raw", "raw", "inet", HOST_SERVICE_RAW, PROTO_RAW},
    {"raw6", "raw", "inet6", HOST_SERVICE_RAW, PROTO_RAW},
};
#define SECTION_NONE UINT8_MAX

/* --- pieces --- */

void netstat_left(struct buf *out, const char *text, size_t length, size_t width)
{
    buf_put(out, text, length);
    if (length < width)
        buf_pad(out, width - length);
}

void netstat_number(struct buf *out, uint64_t number, size_t width)
{
    char digits[FORMAT_UINT_MAX];
    size_t length = (size_t)(format_uint(digits, number) - digits);

    if (length < width)
        buf_pad(out, width - length);
    buf_put(out, digits, length);
}

void netstat_number_left(struct buf *out, uint64_t number, size_t width)
{
    char digits[FORMAT_UINT_MAX];

    netstat_left(out, digits, (size_t)(format_uint(digits, number) - digits), width);
}

/* --- both ends --- */

static size_t write_address(char *at, const struct value *address)
{
    unsigned int family = address->address.family;
    const uint8_t *bytes = address->address.bytes;
    union address copy;

    if (family == AF_INET6) {
        memcpy(copy.bytes, bytes, sizeof(copy.bytes));
        if (address_is_mapped(AF_INET6, &copy))
            return (size_t)(format_address(at, AF_INET, bytes + 12) - at);
        /* Of an address with only its last 32 bits set, inet_ntop() makes another text. */
        if (!copy.words[0] && !copy.words[1] && !copy.words[2])
            return inet_ntop(AF_INET6, bytes, at, INET6_ADDRSTRLEN) ? strlen(at) : 0;
    }
    return (size_t)(format_address(at, family, bytes) - at);
}

static bool is_any(const struct value *address)
{
    static const uint8_t zeros[16];

    return address->type != VALUE_ADDRESS ||
           memcmp(address->address.bytes, zeros, address->address.family == AF_INET ? 4 : 16) == 0;
}

struct text {
    const char *bytes;
    size_t length;
};

static struct text host_text(struct netstat *netstat, const struct section *section,
                             const struct value *address, char *number)
{
    bool inet6 = section->family[4] == '6';
    const char *name = NULL;

    if (is_any(address))
        name = !inet6 ? "0.0.0.0" : netstat->options.numeric_hosts ? "::" : "[::]";
    else if (!netstat->options.numeric_hosts)
        name = host_name(&netstat->names, address->address.family, address->address.bytes);
    if (name)
        return (struct text){name, strlen(name)};
    return (struct text){number, write_address(number, address)};
}

static struct text port_text(struct netstat *netstat, const struct section *section, uint16_t port,
                             char *number)
{
    const char *name = NULL;

    if (port == 0)
        name = "*";
    else if (!netstat->options.numeric_ports)
        name = host_service(&netstat->names, section->service, port);
    if (name)
        return (struct text){name, strlen(name)};
    return (struct text){number, (size_t)(format_uint(number, port) - number)};
}

static void put_endpoint(struct netstat *netstat, const struct section *section,
                         const struct value *address, uint16_t port)
{
    char host_number[INET6_ADDRSTRLEN], port_number[FORMAT_UINT_MAX];
    struct text host = host_text(netstat, section, address, host_number);
    struct text service = port_text(netstat, section, port, port_number);
    size_t width;

    if (!netstat->options.wide && host.length + service.length > ENDPOINT_MAX) {
        if (service.length > PORT_MAX)
            service.length = PORT_MAX;
        if (host.length > ENDPOINT_MAX - service.length)
            host.length = ENDPOINT_MAX - service.length;
    }
    width = host.length + 1 + service.length;
    buf_put(&netstat->out, host.bytes, host.length);
    buf_byte(&netstat->out, ':');
    buf_put(&netstat->out, service.bytes, service.length);
    buf_pad(&netstat->out, width < ENDPOINT_WIDTH ? ENDPOINT_WIDTH - width + 1 : 1);
}

static void put_endpoints(struct netstat *netstat, const struct section *section,
                          const struct grid *grid, uint32_t row)
{
    enum netstat_column local_port =
        section->bit == PROTO_RAW ? NETSTAT_PROTOCOL : NETSTAT_LOCAL_PORT;
    struct value local = grid_cell(grid, row, NETSTAT_LOCAL_ADDR);
    struct value peer = grid_cell(grid, row, NETSTAT_PEER_ADDR);

    put_endpoint(netstat, section, &local, (uint16_t)netstat_cell_uint(grid, row, local_port));
    put_endpoint(netstat, section, &peer,
                 (uint16_t)netstat_cell_uint(grid, row, NETSTAT_PEER_PORT));
}

/* --- the rest of a row --- */

/* STATE_UNKNOWN where the cell has none that netstat knows. */
static unsigned int state_of(const struct grid *grid, uint32_t row)
{
    struct value state = grid_cell(grid, row, NETSTAT_STATE);

    for (unsigned int i = STATE_UNKNOWN + 1; i < STATE_MAX; i++)
        if (value_is_text(&state, socket_state_name(i)))
            return tcp_state_name(i) ? i : STATE_UNKNOWN;
    return STATE_UNKNOWN;
}

/* A raw socket's state is its number; of datagrams only the connected ones have a word. */
static void put_state(struct buf *out, const struct section *section, unsigned int state)
{
    const char *text = state == STATE_UNKNOWN ? "UNKNOWN" : tcp_state_name(state);

    if (section->bit == PROTO_RAW) {
        netstat_number_left(out, state, 11);
        return;
    }
    if (section->bit != PROTO_TCP && state == STATE_UNCONNECTED)
        text = "";
    netstat_left(out, text, strlen(text), 11);
}

static void put_user(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    uint32_t uid = (uint32_t)netstat_cell_uint(grid, row, NETSTAT_UID);
    const char *name = netstat->options.numeric_users ? NULL : host_user(&netstat->names, uid);

    buf_byte(&netstat->out, ' ');
    if (name)
        netstat_left(&netstat->out, name, strlen(name), 10);
    else
        netstat_number_left(&netstat->out, uid, 10);
    buf_byte(&netstat->out, ' ');
    netstat_number_left(&netstat->out, netstat_cell_uint(grid, row, NETSTAT_INODE), 10);
}

void netstat_escaped(struct netstat *netstat, const char *text, size_t length, size_t width)
{
    size_t columns = length;

    if (netstat->terminal)
        columns = escape_text(&netstat->out, text, length);
    else
        buf_put(&netstat->out, text, length);
    if (columns < width)
        buf_pad(&netstat->out, width - columns);
}

/*
 * The process's first word, of a path only what is behind the last slash; 19 bytes of both. An
 * owner without any word (it has cleared them) has its number and a slash.
 */
void netstat_program(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    struct value pid = grid_cell(grid, row, NETSTAT_PID);
    struct value argv0 = grid_cell(grid, row, NETSTAT_ARGV0);
    struct text word = {"", 0};
    char text[PROGRAM_MAX + 1];
    const char *slash;
    size_t length;

    buf_byte(&netstat->out, ' ');
    if (pid.type != VALUE_UINT) {
        netstat_left(&netstat->out, "-", 1, PROGRAM_MAX + 1);
        return;
    }
    if (argv0.type == VALUE_STRING)
        word = (struct text){argv0.string.bytes, argv0.string.length};
    if (word.length && *word.bytes == '/') {
        slash = memrchr(word.bytes, '/', word.length);
        word = (struct text){slash + 1, (size_t)(word.bytes + word.length - slash - 1)};
    }
    length = (size_t)snprintf(text, sizeof(text), "%u/", (unsigned int)pid.uint);
    if (word.length > PROGRAM_MAX - length)
        word.length = PROGRAM_MAX - length;
    memcpy(text + length, word.bytes, word.length);
    netstat_escaped(netstat, text, length + word.length, PROGRAM_MAX + 1);
}

/* Retransmissions that go on are counted in the second number, probes in the third. */
static void put_timer(struct buf *out, const struct grid *grid, uint32_t row)
{
    static const struct {
        const char *column, *shown;
        bool probes;
    } timers[] = {{"on", "on", false},
                  {"keepalive", "keepalive", true},
                  {"timewait", "timewait", false},
                  {"persist", "probe", true}};
    struct value timer = grid_cell(grid, row, NETSTAT_TIMER);
    unsigned int hundredths = (unsigned int)(netstat_cell_uint(grid, row, NETSTAT_TIMER_MS) / 10);
    unsigned int tries = (unsigned int)netstat_cell_uint(grid, row, NETSTAT_TRIES);

    for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
        if (value_is_text(&timer, timers[i].column)) {
            buf_printf(out, " %s (%u.%02u/%u/%u)", timers[i].shown, hundredths / 100,
                       hundredths % 100, timers[i].probes ? 0 : tries,
                       timers[i].probes ? tries : 0);
            return;
        }
    buf_puts(out, " off (0.00/0/0)");
}

static void put_row(struct netstat *netstat, const struct section *section, const struct grid *grid,
                    uint32_t row)
{
    unsigned int state = state_of(grid, row);
    struct buf *out = &netstat->out;

    netstat_left(out, section->name, strlen(section->name), 5);
    buf_byte(out, ' ');
    netstat_number(out, netstat_cell_uint(grid, row, NETSTAT_RECV_Q), 6);
    buf_byte(out, ' ');
    /* /proc/net/tcp has no limit of the accept queue in its place. */
    netstat_number(out,
                   section->bit == PROTO_TCP && state == STATE_LISTENING
                       ? 0
                       : netstat_cell_uint(grid, row, NETSTAT_SEND_Q),
                   6);
    buf_byte(out, ' ');
    put_endpoints(netstat, section, grid, row);
    put_state(out, section, state);
    if (netstat->options.extend)
        put_user(netstat, grid, row);
    if (netstat->options.programs)
        netstat_program(netstat, grid, row);
    if (netstat->options.timers)
        put_timer(out, grid, row);
    buf_byte(out, '\n');
    if (netstat->terminal && !netstat->options.numeric_hosts)
        (void)buf_flush(out); /* the next name may take its time */
}

/* --- which rows --- */

/* TCP is told by the other port, the others by the other address: not by the state. */
static bool is_shown(const struct netstat_options *options, const struct section *section,
                     const struct grid *grid, uint32_t row)
{
    struct value peer;

    if (options->all)
        return true;
    if (section->bit == PROTO_TCP)
        return (netstat_cell_uint(grid, row, NETSTAT_PEER_PORT) == 0) == options->listening;
    peer = grid_cell(grid, row, NETSTAT_PEER_ADDR);
    return is_any(&peer) == options->listening;
}

static uint8_t section_of(const struct netstat_options *options, const struct grid *grid,
                          uint32_t row)
{
    struct value proto = grid_cell(grid, row, NETSTAT_PROTO);
    struct value family = grid_cell(grid, row, NETSTAT_FAMILY);

    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        if (value_is_text(&proto, sections[i].proto) && value_is_text(&family, sections[i].family))
            return is_shown(options, &sections[i], grid, row) ? (uint8_t)i : SECTION_NONE;
    return SECTION_NONE;
}

static void put_headings(struct netstat *netstat)
{
    struct buf *out = &netstat->out;

    buf_printf(out, "Active Internet connections %s\n", netstat_which(&netstat->options));
    buf_puts(out, "Proto Recv-Q Send-Q Local Address           Foreign Address         ");
    buf_puts(out, "State      ");
    if (netstat->options.extend)
        buf_puts(out, " User       Inode     ");
    if (netstat->options.programs)
        buf_puts(out, " PID/Program name    ");
    if (netstat->options.timers)
        buf_puts(out, " Timer");
    buf_byte(out, '\n');
}

/* SCTP, which few kernels have, stands behind TCP: without it the rest is not shown. */
static int check_sctp(const struct netstat_options *options, const struct snapshot *snapshot)
{
    if (!options->named_protos || !(options->protos & PROTO_BIT(PROTO_SCTP)) ||
        !(options->families & NETSTAT_INET))
        return 0;
    for (uint32_t i = 0; i < snapshot->sources_count; i++)
        if (strcmp(snapshot_string(snapshot, snapshot->sources[i].fact, NULL), "sctp") == 0)
            return 0;
    netstat_no_support("SCTP");
    return NETSTAT_FAILED;
}

int netstat_inet(struct netstat *netstat, const struct grid *grid)
{
    CLEANUP_FREE uint8_t *of_row = malloc(grid->row_count + 1u);
    int status = 0;

    if (!of_row)
        return NETSTAT_FAILED;
    for (uint32_t row = 0; row < grid->row_count; row++)
        of_row[row] = section_of(&netstat->options, grid, row);
    put_headings(netstat);
    for (uint8_t i = 0; i < ARRAY_SIZE(sections) && status == 0; i++) {
        if (sections[i].bit == PROTO_UDP)
            status = check_sctp(&netstat->options, grid->view->snapshot);
        for (uint32_t row = 0; row < grid->row_count && status == 0; row++)
            if (of_row[row] == i)
                put_row(netstat, &sections[i], grid, row);
    }
    return status;
}
