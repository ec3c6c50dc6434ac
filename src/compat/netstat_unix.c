/* SPDX-License-Identifier: MIT */
/* netstat: unix sockets. */
#include "compat/netstat.h"

#include <string.h>

static const char *type_of(const struct grid *grid, uint32_t row)
{
    static const char *const words[][2] = {{"stream", "STREAM"},
                                           {"dgram", "DGRAM"},
                                           {"raw", "RAW"},
                                           {"rdm", "RDM"},
                                           {"seqpacket", "SEQPACKET"}};
    struct value type = grid_cell(grid, row, NETSTAT_TYPE);

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (value_is_text(&type, words[i][0]))
            return words[i][1];
    return "UNKNOWN";
}

/* A socket without an inode has no file: a connection that waits to be accepted, or one that its
 * process has closed. */
static const char *state_of(const struct grid *grid, uint32_t row, bool listening)
{
    struct value state = grid_cell(grid, row, NETSTAT_STATE);
    bool file = netstat_cell_uint(grid, row, NETSTAT_INODE) != 0;

    if (listening)
        return "LISTENING";
    if (value_is_text(&state, "established"))
        return file ? "CONNECTED" : "CONNECTING";
    return file ? "" : "DISCONNECTING";
}

/* Names end at their first blank, as a reader of words sees them. */
static void put_path(struct netstat *netstat, const struct grid *grid, uint32_t row)
{
    static const char blanks[] = " \t\n\v\f\r";
    struct value path = grid_cell(grid, row, NETSTAT_PATH);
    const char *at = path.string.bytes, *end;
    size_t length = 0;

    buf_byte(&netstat->out, ' ');
    if (path.type == VALUE_STRING) {
        end = at + path.string.length;
        while (at < end && *at && strchr(blanks, *at))
            at++;
        while (at + length < end && at[length] && !strchr(blanks, at[length]))
            length++;
    }
    netstat_escaped(netstat, at, length, 0);
    buf_byte(&netstat->out, '\n');
}

static void put_row(struct netstat *netstat, const struct grid *grid, uint32_t row, bool listening)
{
    const char *type = type_of(grid, row), *state = state_of(grid, row, listening);
    struct buf *out = &netstat->out;

    netstat_left(out, "unix", 4, 6);
    netstat_number_left(out, netstat_cell_uint(grid, row, NETSTAT_REFERENCES), 6);
    buf_byte(out, ' ');
    buf_puts(out, listening ? "[ ACC ]     " : "[ ]         ");
    netstat_left(out, type, strlen(type), 10);
    buf_byte(out, ' ');
    netstat_left(out, state, strlen(state), 13);
    buf_byte(out, ' ');
    netstat_number_left(out, netstat_cell_uint(grid, row, NETSTAT_INODE), 8);
    if (netstat->options.programs)
        netstat_program(netstat, grid, row);
    put_path(netstat, grid, row);
}

int netstat_unix(struct netstat *netstat, const struct grid *grid)
{
    struct buf *out = &netstat->out;

    buf_printf(out, "Active UNIX domain sockets %s\n", netstat_which(&netstat->options));
    buf_puts(out, "Proto RefCnt Flags       Type       State         I-Node  ");
    if (netstat->options.programs)
        buf_puts(out, " PID/Program name    ");
    buf_puts(out, " Path\n");
    for (uint32_t row = 0; row < grid->row_count; row++) {
        struct value proto = grid_cell(grid, row, NETSTAT_PROTO);
        struct value state = grid_cell(grid, row, NETSTAT_STATE);
        bool listening = value_is_text(&state, "listening");

        if (value_is_text(&proto, "unix") &&
            (netstat->options.all || listening == netstat->options.listening))
            put_row(netstat, grid, row, listening);
    }
    return 0;
}
