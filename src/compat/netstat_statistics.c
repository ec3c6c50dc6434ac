/* SPDX-License-Identifier: MIT */
/* netstat -s: the counters of the protocols. */
#include "compat/netstat_statistics.h"

#include "compat/netstat.h"

#include <string.h>

enum counter_column { COLUMN_GROUP, COLUMN_LABEL, COLUMN_VALUE, COLUMN_SOURCE, COLUMN_MAX };

static const char *const column_names[COLUMN_MAX] = {
    [COLUMN_GROUP] = "group",
    [COLUMN_LABEL] = "label",
    [COLUMN_VALUE] = "value",
    [COLUMN_SOURCE] = "source",
};

/* Groups with a wording of their own, and the protocol that asks for them. Others always come. */
static const struct known_group {
    const char *name;
    enum socket_proto proto;
} known_groups[] = {
    {"Ip", PROTO_RAW},   {"Icmp", PROTO_RAW},  {"Tcp", PROTO_TCP},   {"TcpExt", PROTO_TCP},
    {"Udp", PROTO_UDP},  {"Ip6", PROTO_RAW},   {"Icmp6", PROTO_RAW}, {"Udp6", PROTO_UDP},
    {"Tcp6", PROTO_TCP}, {"Sctp", PROTO_SCTP},
};

/* In which histogram the lines are: counters without words are indented like those before. */
enum histogram { HISTOGRAM_NONE, HISTOGRAM_INPUT, HISTOGRAM_OUTPUT };

struct printer {
    struct netstat *netstat;
    const struct grid *grid;
    struct value group; /* that the rows are in now; VALUE_NONE: none yet */
    bool shown;         /* it is one that was asked for */
    enum histogram histogram;
};

static bool same(const struct value *a, const struct value *b)
{
    return a->type == VALUE_STRING && b->type == VALUE_STRING &&
           a->string.length == b->string.length &&
           memcmp(a->string.bytes, b->string.bytes, a->string.length) == 0;
}

static size_t indent(const struct printer *printer)
{
    return printer->histogram == HISTOGRAM_NONE ? 4 : 8;
}

/* Within one histogram the title of the other is indented as its lines are. */
static void enter(struct printer *printer, enum histogram histogram)
{
    static const char *const titles[] = {[HISTOGRAM_INPUT] = "ICMP input histogram:\n",
                                         [HISTOGRAM_OUTPUT] = "ICMP output histogram:\n"};

    if (histogram != HISTOGRAM_NONE && histogram != printer->histogram) {
        buf_pad(&printer->netstat->out, indent(printer));
        buf_puts(&printer->netstat->out, titles[histogram]);
    }
    printer->histogram = histogram;
}

static void put_words(struct printer *printer, const char *text, uint64_t number)
{
    const char *place = strchr(text, '%');
    struct buf *out = &printer->netstat->out;

    buf_pad(out, indent(printer));
    buf_put(out, text, (size_t)(place - text));
    buf_uint(out, number);
    buf_puts(out, place + 1);
    buf_byte(out, '\n');
}

static void put_line(struct printer *printer, const struct netstat_line *line, uint64_t number)
{
    switch (line->show) {
    case NETSTAT_LINE_HIDDEN:
        return;
    case NETSTAT_LINE_INPUT:
        enter(printer, HISTOGRAM_INPUT);
        break;
    case NETSTAT_LINE_OUTPUT:
        enter(printer, HISTOGRAM_OUTPUT);
        break;
    case NETSTAT_LINE_NONZERO:
        if (number == 0)
            return;
        enter(printer, HISTOGRAM_NONE);
        break;
    default:
        enter(printer, HISTOGRAM_NONE);
        break;
    }
    if (number || line->show == NETSTAT_LINE_ALWAYS)
        put_words(printer, line->text, number);
}

/* What is not known by its words is shown by its name, in one piece where the file has it so. */
static void put_plain(struct printer *printer, const struct value *label, bool whole,
                      uint64_t number)
{
    struct buf *out = &printer->netstat->out;

    if (number == 0)
        return;
    buf_pad(out, indent(printer));
    if (whole)
        buf_put(out, printer->group.string.bytes, printer->group.string.length);
    buf_put(out, label->string.bytes, label->string.length);
    buf_puts(out, ": ");
    buf_uint(out, number);
    buf_byte(out, '\n');
}

static void begin_group(struct printer *printer, const struct value *group)
{
    struct buf *out = &printer->netstat->out;

    printer->group = *group;
    printer->shown = true;
    for (size_t i = 0; i < ARRAY_SIZE(known_groups); i++)
        if (value_is_text(group, known_groups[i].name)) {
            printer->histogram = HISTOGRAM_NONE;
            printer->shown = printer->netstat->options.protos & PROTO_BIT(known_groups[i].proto);
        }
    if (!printer->shown)
        return;
    buf_put(out, group->string.bytes, group->string.length);
    buf_puts(out, ":\n");
}

static void put_counter(struct printer *printer, uint32_t row, bool whole)
{
    struct value group = grid_cell(printer->grid, row, COLUMN_GROUP);
    struct value label = grid_cell(printer->grid, row, COLUMN_LABEL);
    struct value value = grid_cell(printer->grid, row, COLUMN_VALUE);
    const struct netstat_line *line;
    uint64_t number = value.type == VALUE_INT ? (uint64_t)value.integer : value.uint;

    if (group.type != VALUE_STRING || label.type != VALUE_STRING)
        return;
    if (!same(&group, &printer->group))
        begin_group(printer, &group);
    if (!printer->shown)
        return;
    line = netstat_line_of(group.string.bytes, group.string.length, label.string.bytes,
                           label.string.length);
    if (line)
        put_line(printer, line, number);
    else
        put_plain(printer, &label, whole, number);
}

/* The counters of one file; `only`: one group of it, NULL all. */
static void put_file(struct printer *printer, const char *source, const char *only, bool whole)
{
    printer->group = value_none();
    for (uint32_t row = 0; row < printer->grid->row_count; row++) {
        struct value of = grid_cell(printer->grid, row, COLUMN_SOURCE);
        struct value group = grid_cell(printer->grid, row, COLUMN_GROUP);

        if (value_is_text(&of, source) && (!only || value_is_text(&group, only)))
            put_counter(printer, row, whole);
    }
}

static int put_statistics(struct netstat *netstat, const struct grid *grid)
{
    struct printer printer = {.netstat = netstat, .grid = grid};

    if (netstat->options.families & NETSTAT_INET6 && netstat->options.named_families) {
        put_file(&printer, "snmp6", NULL, true);
        if (netstat->options.protos & PROTO_BIT(PROTO_TCP))
            put_file(&printer, "snmp", "Tcp", false);
        return 0;
    }
    put_file(&printer, "snmp", NULL, false);
    put_file(&printer, "netstat", NULL, false);
    if (netstat->options.protos & PROTO_BIT(PROTO_SCTP))
        put_file(&printer, "sctp/snmp", NULL, true);
    return 0;
}

/* One family, not a list of them. */
static bool is_supported(struct netstat *netstat)
{
    const struct netstat_options *options = &netstat->options;

    if (options->named_families == 0 ||
        (options->named_families == 1 &&
         (options->named[0] == NETSTAT_INET || options->named[0] == NETSTAT_INET6)))
        return true;
    buf_puts(&netstat->out, "netstat: No statistics support for specified address family: ");
    for (uint32_t i = 0; i < options->named_families; i++) {
        buf_puts(&netstat->out, i ? "," : "");
        buf_puts(&netstat->out, netstat_family_name(options->named[i]));
    }
    buf_byte(&netstat->out, '\n');
    return false;
}

int netstat_statistics(struct netstat *netstat)
{
    struct query query = {.table = &table_counters, .as_found = true};

    if (!is_supported(netstat))
        return NETSTAT_FAILED;
    return netstat_table(netstat, &query, column_names, COLUMN_MAX, put_statistics);
}
