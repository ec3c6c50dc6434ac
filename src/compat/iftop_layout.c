/* SPDX-License-Identifier: MIT */
/* iftop -t: the lines of a report. */
#include "compat/iftop.h"

#include "base/escape.h"
#include "derive/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LINE 92
#define NUMBER_MAX 32

void iftop_number(char *text, size_t size, double number, bool bytes)
{
    static const char *const units[2][4] = {{"b", "Kb", "Mb", "Gb"}, {"B", "KB", "MB", "GB"}};
    unsigned int unit = 0;

    if (!bytes)
        number *= 8;
    for (; number >= 1000 && unit < 3; unit++)
        number /= 1024;
    if (number >= 100 || unit == 0)
        snprintf(text, size, "%4.0f%s", number, units[bytes][unit]);
    else
        snprintf(text, size, number < 10 ? "%4.2f%s" : "%4.1f%s", number, units[bytes][unit]);
}

static void put_number(struct buf *out, double number, bool bytes)
{
    char text[NUMBER_MAX];

    iftop_number(text, sizeof(text), number, bytes);
    buf_printf(out, " %10s", text);
}

static void put_rule(struct buf *out, char byte)
{
    for (int i = 0; i < LINE; i++)
        buf_byte(out, byte);
    buf_byte(out, '\n');
}

/* --- hosts --- */

static enum host_service service_of(unsigned int proto)
{
    return proto == PROTO_TCP || proto == PROTO_MPTCP ? HOST_SERVICE_TCP : HOST_SERVICE_UDP;
}

static void put_port(struct iftop_layout *layout, const struct iftop_pair *pair, uint16_t port)
{
    const char *name = layout->options->numeric_ports
                           ? NULL
                           : host_service(&layout->names, service_of(pair->proto), port);

    buf_byte(&layout->scratch, ':');
    if (name)
        buf_puts(&layout->scratch, name);
    else if (port)
        buf_uint(&layout->scratch, port);
    else
        buf_byte(&layout->scratch, '*');
}

/* The scratch: a name or an address, with -P a port. */
static void write_host(struct iftop_layout *layout, const struct iftop_pair *pair,
                       const union address *address, uint16_t port)
{
    struct buf *text = &layout->scratch;
    bool any = address_is_any(pair->family, address);
    const char *name = layout->options->numeric_hosts || any
                           ? NULL
                           : host_name(&layout->names, pair->family, address->bytes);
    bool brackets = layout->options->ports && pair->family == AF_INET6 && !name && !any;

    buf_reset(text);
    if (brackets)
        buf_byte(text, '[');
    if (any)
        buf_byte(text, '*');
    else if (name && layout->terminal)
        escape_text(text, name, strlen(name));
    else if (name)
        buf_puts(text, name);
    else
        buf_address(text, pair->family, address->bytes);
    if (brackets)
        buf_byte(text, ']');
    if (layout->options->ports)
        put_port(layout, pair, port);
}

/* --- order --- */

/* What decides it. */
struct place {
    char *text; /* owned; NULL: by number */
    uint64_t bytes;
    uint32_t index;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int by_text = x->text && y->text ? strcmp(x->text, y->text) : 0;

    if (by_text)
        return by_text;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int place_pair(struct iftop_layout *layout, const struct iftop_pair *pair,
                      struct place *place)
{
    enum iftop_order order = layout->options->order;
    bool by_name = order == IFTOP_BY_SOURCE || order == IFTOP_BY_DESTINATION;
    const struct traffic *window = &pair->window[by_name ? IFTOP_10S : (enum iftop_window)order];

    place->bytes = window->rx_bytes + window->tx_bytes;
    if (!by_name)
        return 0;
    if (order == IFTOP_BY_SOURCE)
        write_host(layout, pair, &pair->local, pair->local_port);
    else
        write_host(layout, pair, &pair->peer, pair->peer_port);
    place->text = strdup(buf_string(&layout->scratch));
    return place->text ? 0 : -ENOMEM;
}

static void free_places(struct place *places, uint32_t count)
{
    for (uint32_t i = 0; places && i < count; i++)
        free(places[i].text);
    free(places);
}

/* --- lines --- */

static void put_line(const struct iftop_layout *layout, const struct iftop_pairs *pairs,
                     const struct iftop_pair *pair, bool sent, struct buf *out)
{
    for (uint32_t i = 0; i < IFTOP_WINDOW_MAX; i++) {
        const struct traffic *window = &pair->window[i];

        put_number(out, iftop_rate(pairs, i, sent ? window->tx_bytes : window->rx_bytes),
                   layout->options->bytes);
    }
    put_number(out, (double)(sent ? pair->total.tx_bytes : pair->total.rx_bytes), true);
    buf_byte(out, '\n');
}

static void put_pair(struct iftop_layout *layout, const struct iftop_pairs *pairs,
                     const struct iftop_pair *pair, uint32_t number, struct buf *out)
{
    write_host(layout, pair, &pair->local, pair->local_port);
    buf_printf(out, "%4u %-40s =>", number, buf_string(&layout->scratch));
    put_line(layout, pairs, pair, true, out);
    write_host(layout, pair, &pair->peer, pair->peer_port);
    buf_printf(out, "     %-40s <=", buf_string(&layout->scratch));
    put_line(layout, pairs, pair, false, out);
}

static int put_pairs(struct iftop_layout *layout, const struct iftop_pairs *pairs, struct buf *out)
{
    struct place *places = calloc((size_t)pairs->count + 1, sizeof(*places));
    int r = places ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < pairs->count && r == 0; i++) {
        places[i].index = i;
        r = place_pair(layout, &pairs->pairs[i], &places[i]);
    }
    if (r == 0)
        qsort(places, pairs->count, sizeof(*places), compare_places);
    for (uint32_t i = 0; i < pairs->count && i < layout->options->lines && r == 0; i++)
        put_pair(layout, pairs, &pairs->pairs[places[i].index], i + 1, out);
    free_places(places, pairs->count);
    return r;
}

static void put_rates(const struct iftop_layout *layout, const struct iftop_pairs *pairs,
                      const char *label, bool sent, bool received, struct buf *out)
{
    buf_printf(out, "%-48s", label);
    for (uint32_t i = 0; i < IFTOP_WINDOW_MAX; i++) {
        const struct traffic *window = &pairs->window[i];
        uint64_t bytes = (sent ? window->tx_bytes : 0) + (received ? window->rx_bytes : 0);

        put_number(out, iftop_rate(pairs, i, bytes), layout->options->bytes);
    }
    buf_byte(out, '\n');
}

static void put_sums(const struct iftop_layout *layout, const struct iftop_pairs *pairs,
                     struct buf *out)
{
    bool bytes = layout->options->bytes;

    put_rates(layout, pairs, "Total send rate:", true, false, out);
    put_rates(layout, pairs, "Total receive rate:", false, true, out);
    put_rates(layout, pairs, "Total send and receive rate:", true, true, out);
    put_rule(out, '-');
    buf_printf(out, "%-48s", "Peak rate (sent/received/total):");
    put_number(out, pairs->peak_tx, bytes);
    put_number(out, pairs->peak_rx, bytes);
    put_number(out, pairs->peak, bytes);
    buf_printf(out, "\n%-48s", "Cumulative (sent/received/total):");
    put_number(out, (double)pairs->total.tx_bytes, true);
    put_number(out, (double)pairs->total.rx_bytes, true);
    put_number(out, (double)(pairs->total.tx_bytes + pairs->total.rx_bytes), true);
    buf_byte(out, '\n');
}

int iftop_write(struct iftop_layout *layout, const struct iftop_pairs *pairs, struct buf *out)
{
    int r;

    buf_printf(out, "   # %-40s %13s %10s %10s %10s\n", "Host name (port/service if enabled)",
               "last 2s", "last 10s", "last 40s", "cumulative");
    put_rule(out, '-');
    r = put_pairs(layout, pairs, out);
    put_rule(out, '-');
    put_sums(layout, pairs, out);
    put_rule(out, '=');
    buf_byte(out, '\n');
    return r < 0 ? r : layout->scratch.error;
}
