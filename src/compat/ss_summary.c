/* SPDX-License-Identifier: MIT */
/* The totals of ss -s: what /proc/net says about how many sockets there are. */
#include "compat/ss_summary.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "compat/ss_files.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct totals {
    int sockets, tcp_allocated, tcp_orphans, tcp_time_wait, tcp_established;
    int tcp[2], udp[2], raw[2], fragments[2]; /* IPv4, IPv6 */
};

static FILE *open_file(const char *variable, const char *name)
{
    char path[PATH_MAX];

    ss_file_path(variable, name, path, sizeof(path));
    return fopen(path, "re");
}

/* The number behind " name " in a line, or what there was. */
static void take_number(const char *line, const char *name, int *number)
{
    const char *at = strstr(line, name);

    if (at)
        *number = (int)strtol(at + strlen(name), NULL, 10);
}

static void read_line(const char *line, struct totals *totals)
{
    const struct {
        const char *title;
        int *number;
    } uses[] = {
        {"TCP:", &totals->tcp[0]},        {"TCP6:", &totals->tcp[1]},
        {"UDP:", &totals->udp[0]},        {"UDP6:", &totals->udp[1]},
        {"RAW:", &totals->raw[0]},        {"RAW6:", &totals->raw[1]},
        {"FRAG:", &totals->fragments[0]}, {"FRAG6:", &totals->fragments[1]},
        {"sockets:", &totals->sockets},
    };

    for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
        size_t length = strlen(uses[i].title);

        if (strncmp(line, uses[i].title, length) != 0)
            continue;
        take_number(line, uses[i].number == &totals->sockets ? " used " : " inuse ",
                    uses[i].number);
    }
    if (strncmp(line, "TCP:", 4) != 0)
        return;
    take_number(line, " orphan ", &totals->tcp_orphans);
    take_number(line, " tw ", &totals->tcp_time_wait);
    take_number(line, " alloc ", &totals->tcp_allocated);
}

static void read_file(const char *variable, const char *name, struct totals *totals)
{
    FILE *file = open_file(variable, name);
    char line[1024];

    if (!file)
        return;
    while (fgets(line, sizeof(line), file))
        read_line(line, totals);
    fclose(file);
}

/* Two lines begin with "Tcp:": names, then numbers in the same order. */
static void read_established(struct totals *totals)
{
    FILE *file = open_file("PROC_NET_SNMP", "net/snmp");
    char names[1024] = "", line[1024];

    if (!file)
        return;
    while (fgets(line, sizeof(line), file)) {
        const char *name = names, *number = line, *wanted = strstr(names, " CurrEstab");

        if (strncmp(line, "Tcp:", 4) != 0)
            continue;
        if (!*names) {
            memcpy(names, line, sizeof(names));
            continue;
        }
        for (; wanted && name && name < wanted && number; name = strchr(name + 1, ' '))
            number = strchr(number + 1, ' ');
        if (wanted && number)
            totals->tcp_established = (int)strtol(number, NULL, 10);
        break;
    }
    fclose(file);
}

static void put_row(struct buf *out, const char *title, int ipv4, int ipv6)
{
    buf_printf(out, "%s\t  %-9d %-9d %-9d\n", title, ipv4 + ipv6, ipv4, ipv6);
}

int ss_summary(void)
{
    struct totals totals = {0};
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int r;

    read_file("PROC_NET_SOCKSTAT", "net/sockstat", &totals);
    read_file("PROC_NET_SOCKSTAT6", "net/sockstat6", &totals);
    read_established(&totals);
    buf_printf(&out, "Total: %d\n", totals.sockets);
    buf_printf(&out, "TCP:   %d (estab %d, closed %d, orphaned %d, timewait %d)\n\n",
               totals.tcp_allocated + totals.tcp_time_wait, totals.tcp_established,
               totals.tcp_allocated - (totals.tcp[0] + totals.tcp[1] - totals.tcp_time_wait),
               totals.tcp_orphans, totals.tcp_time_wait);
    buf_puts(&out, "Transport Total     IP        IPv6\n");
    put_row(&out, "RAW", totals.raw[0], totals.raw[1]);
    put_row(&out, "UDP", totals.udp[0], totals.udp[1]);
    put_row(&out, "TCP", totals.tcp[0], totals.tcp[1]);
    put_row(&out, "INET", totals.raw[0] + totals.udp[0] + totals.tcp[0],
            totals.raw[1] + totals.udp[1] + totals.tcp[1]);
    put_row(&out, "FRAG", totals.fragments[0], totals.fragments[1]);
    buf_byte(&out, '\n');
    r = buf_flush(&out);
    buf_done(&out);
    return r;
}
