/* SPDX-License-Identifier: MIT */
/* What packets added up to: as text, or as JSON. */
#include "cli/packet_statistics.h"

#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"
#include "model/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#define SHOWN 10 /* of each kind, in text */
#define MICROSECOND_NS 1000

static const uint8_t *address_of(const struct packet_ends *ends, unsigned int end)
{
    return end == 0 ? ends->source : ends->target;
}

static uint16_t port_of(const struct packet_ends *ends, unsigned int end)
{
    return end == 0 ? ends->source_port : ends->target_port;
}

/* --- text --- */

static void pad_to(struct buf *out, size_t begin, size_t width)
{
    size_t length = out->length - begin;

    buf_pad(out, length < width ? width - length : 0);
}

/* In as many columns, at the right. */
static void put_right(struct buf *out, struct buf *cell, size_t width)
{
    buf_pad(out, cell->length < width ? width - cell->length : 0);
    buf_put(out, cell->data, cell->length);
    buf_puts(out, "  ");
    buf_reset(cell);
}

static void put_times(struct buf *out, struct buf *cell, const struct packet_sum *sum)
{
    time_t seconds = (time_t)(sum->first_ns / SECOND_NS);
    struct tm local;
    char clock[16];

    if (localtime_r(&seconds, &local) && strftime(clock, sizeof(clock), "%T", &local))
        buf_printf(cell, "%s.%06u", clock,
                   (unsigned int)(sum->first_ns % SECOND_NS / MICROSECOND_NS));
    put_right(out, cell, 15);
    units_write_duration(cell, (sum->last_ns - sum->first_ns) / MICROSECOND_NS);
    put_right(out, cell, 8);
}

static void put_bytes(struct buf *out, struct buf *cell, uint64_t bytes)
{
    units_write_bytes(cell, bytes);
    put_right(out, cell, 8);
}

static void put_packets(struct buf *out, struct buf *cell, uint64_t packets)
{
    buf_uint(cell, packets);
    put_right(out, cell, 8);
}

static void put_process(struct buf *out, const struct talking_process *process)
{
    escape_text(out, process->name, strlen(process->name));
    buf_printf(out, "[%u]", process->pid);
}

static void put_end(struct buf *out, const struct conversations *all,
                    const struct conversation *conversation, unsigned int end)
{
    const struct packet_ends *ends = &conversation->ends;
    const struct talking_process *process =
        conversations_process(all, conversation->processes[end]);

    if (packet_proto_has_ports(ends->proto)) {
        buf_host(out, ends->family, address_of(ends, end));
        buf_printf(out, ":%u", port_of(ends, end));
    } else {
        buf_address(out, ends->family, address_of(ends, end));
    }
    if (process) {
        buf_byte(out, ' ');
        put_process(out, process);
    }
}

static void put_conversation(struct buf *out, struct buf *cell, const struct conversations *all,
                             const struct conversation *conversation)
{
    const struct packet_sum *sum = &conversation->sum;
    const char *proto = packet_proto_name(conversation->ends.proto);
    size_t begin;

    put_bytes(out, cell, sum->bytes[0]);
    put_bytes(out, cell, sum->bytes[1]);
    put_packets(out, cell, packet_sum_packets(sum));
    put_times(out, cell, sum);
    begin = out->length;
    if (proto)
        buf_puts(out, proto);
    else
        buf_uint(out, conversation->ends.proto);
    pad_to(out, begin, 7);
    put_end(out, all, conversation, 0);
    buf_puts(out, " > ");
    put_end(out, all, conversation, 1);
    buf_byte(out, '\n');
}

static void put_talker(struct buf *out, struct buf *cell, const struct talking_process *process)
{
    put_bytes(out, cell, process->sum.bytes[0]);
    put_bytes(out, cell, process->sum.bytes[1]);
    put_packets(out, cell, packet_sum_packets(&process->sum));
    put_times(out, cell, &process->sum);
    put_process(out, process);
    buf_byte(out, '\n');
}

static void put_headline(struct buf *out, uint32_t count, const char *one, const char *many)
{
    buf_printf(out, "\n%u %s", count, count == 1 ? one : many);
    if (count > SHOWN)
        buf_printf(out, ", the %u with most bytes", SHOWN);
    buf_puts(out, "\n    sent  received   packets            first  duration\n");
}

static void put_losses(struct buf *out, const struct packet_losses *losses,
                       const struct packet_rest *rest)
{
    if (rest->packets)
        buf_printf(out, "\n%llu packets (%llu bytes) of no conversation\n",
                   (unsigned long long)rest->packets, (unsigned long long)rest->bytes);
    if (!losses->live)
        return;
    buf_printf(out, "\ndropped: %llu by the kernel, %llu by the interface, %llu by nwho\n",
               (unsigned long long)losses->by_kernel, (unsigned long long)losses->by_interface,
               (unsigned long long)losses->by_us);
}

void packet_statistics_put_text(struct buf *out, struct conversations *conversations,
                                const struct packet_losses *losses)
{
    struct buf cell = BUF_INIT, text = BUF_INIT;
    const struct talking_process *processes;
    const struct conversation *all;
    uint32_t count;

    all = conversations_all(conversations, &count);
    put_headline(&text, count, "conversation", "conversations");
    for (uint32_t i = 0; i < count && i < SHOWN; i++)
        put_conversation(&text, &cell, conversations, &all[i]);
    processes = conversations_processes(conversations, &count);
    if (count)
        put_headline(&text, count, "process", "processes");
    for (uint32_t i = 0; i < count && i < SHOWN; i++)
        put_talker(&text, &cell, &processes[i]);
    put_losses(&text, losses, conversations_rest(conversations));
    buf_put(out, text.data, text.length);
    if (!all || !processes || text.error || cell.error)
        out->error = -ENOMEM;
    buf_done(&cell);
    buf_done(&text);
}

/* --- JSON --- */

static void put_number(struct buf *out, const char *key, uint64_t number)
{
    buf_printf(out, "\"%s\":%llu", key, (unsigned long long)number);
}

static void put_sum(struct buf *out, const struct packet_sum *sum)
{
    put_number(out, "tx_packets", sum->packets[0]);
    buf_byte(out, ',');
    put_number(out, "rx_packets", sum->packets[1]);
    buf_byte(out, ',');
    put_number(out, "tx_bytes", sum->bytes[0]);
    buf_byte(out, ',');
    put_number(out, "rx_bytes", sum->bytes[1]);
    buf_puts(out, ",\"first\":\"");
    buf_utc(out, sum->first_ns, 6);
    buf_puts(out, "\",\"last\":\"");
    buf_utc(out, sum->last_ns, 6);
    buf_puts(out, "\",");
    put_number(out, "duration_us", (sum->last_ns - sum->first_ns) / MICROSECOND_NS);
}

static const char *const end_names[2] = {"src", "dst"};

void packet_ends_put_json(struct buf *out, const struct packet_ends *ends)
{
    const char *proto = packet_proto_name(ends->proto);

    if (proto)
        buf_printf(out, "\"proto\":\"%s\"", proto);
    else
        buf_printf(out, "\"proto\":\"%u\"", ends->proto);
    buf_printf(out, ",\"family\":\"%s\"", socket_family_name(ends->family));
    for (unsigned int end = 0; end < 2; end++) {
        buf_printf(out, ",\"%s_addr\":\"", end_names[end]);
        buf_address(out, ends->family, address_of(ends, end));
        buf_byte(out, '"');
        if (packet_proto_has_ports(ends->proto) && !ends->is_short)
            buf_printf(out, ",\"%s_port\":%u", end_names[end], port_of(ends, end));
    }
}

static void put_process_of(struct buf *out, const struct conversations *all,
                           const struct conversation *conversation, unsigned int end)
{
    const struct talking_process *process =
        conversations_process(all, conversation->processes[end]);

    if (!process)
        return;
    buf_printf(out, ",\"%s_pid\":%u,\"%s_process\":", end_names[end], process->pid, end_names[end]);
    escape_json(out, process->name, strlen(process->name));
}

static void put_conversation_json(struct buf *out, const struct conversations *all,
                                  const struct conversation *conversation)
{
    buf_byte(out, '{');
    packet_ends_put_json(out, &conversation->ends);
    put_process_of(out, all, conversation, 0);
    put_process_of(out, all, conversation, 1);
    buf_byte(out, ',');
    put_sum(out, &conversation->sum);
    buf_byte(out, '}');
}

static void put_process_json(struct buf *out, const struct talking_process *process)
{
    buf_byte(out, '{');
    put_number(out, "pid", process->pid);
    buf_puts(out, ",\"process\":");
    escape_json(out, process->name, strlen(process->name));
    buf_byte(out, ',');
    put_sum(out, &process->sum);
    buf_byte(out, '}');
}

static void put_losses_json(struct buf *out, const struct packet_losses *losses,
                            const struct packet_rest *rest)
{
    put_number(out, "other_packets", rest->packets);
    buf_byte(out, ',');
    put_number(out, "other_bytes", rest->bytes);
    if (!losses->live)
        return;
    buf_byte(out, ',');
    put_number(out, "dropped_by_kernel", losses->by_kernel);
    buf_byte(out, ',');
    put_number(out, "dropped_by_interface", losses->by_interface);
    buf_byte(out, ',');
    put_number(out, "dropped_by_nwho", losses->by_us);
}

void packet_statistics_put_json(struct buf *out, struct conversations *conversations,
                                const struct packet_losses *losses)
{
    const struct talking_process *processes;
    const struct conversation *all;
    uint32_t count;

    all = conversations_all(conversations, &count);
    buf_puts(out, "{\"schema\":\"nwho/1\",\"conversations\":[");
    for (uint32_t i = 0; i < count; i++) {
        buf_puts(out, i ? "," : "");
        put_conversation_json(out, conversations, &all[i]);
    }
    processes = conversations_processes(conversations, &count);
    buf_puts(out, "],\"processes\":[");
    for (uint32_t i = 0; i < count; i++) {
        buf_puts(out, i ? "," : "");
        put_process_json(out, &processes[i]);
    }
    buf_puts(out, "],");
    put_losses_json(out, losses, conversations_rest(conversations));
    buf_puts(out, "}\n");
    if (!all || !processes)
        out->error = -ENOMEM;
}
