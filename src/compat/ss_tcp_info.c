/* SPDX-License-Identifier: MIT */
/* The numbers of TCP that ss(8) -i shows, in its order. */
#include "compat/ss_details.h"
#include "table/cells.h"

#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <string.h>

/* What the kernel writes for "unlimited", and ss leaves out. */
#define NO_SSTHRESH 0xffff
#define INITIAL_RTO 3000000 /* us */
#define VEGAS_NO_RTT 0x7fffffff

#define USUAL_REORDERING 3

/* As "%g". */
static void put_g(struct buf *text, const char *name, double number)
{
    buf_printf(text, " %s:%g", name, number);
}

/* A number that is left out when it is 0. */
static void put_number(struct buf *text, const char *name, uint64_t number)
{
    if (number)
        buf_printf(text, " %s:%llu", name, (unsigned long long)number);
}

static void put_rate(const struct ss_writer *writer, struct buf *text, double bits)
{
    static const struct {
        double unit;
        const char *letter;
    } units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};

    for (size_t i = 0; !writer->options->numeric && i < ARRAY_SIZE(units); i++)
        if (bits > units[i].unit) {
            buf_printf(text, "%.3g%sbps", bits / units[i].unit, units[i].letter);
            return;
        }
    if (writer->options->numeric)
        buf_printf(text, "%.0fbps", bits);
    else
        buf_printf(text, "%gbps", bits);
}

static void put_options(const struct ss_writer *writer, struct buf *text,
                        const struct tcp_details *tcp)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = {
        {TCPI_OPT_TIMESTAMPS, " ts"},    {TCPI_OPT_SACK, " sack"},         {TCPI_OPT_ECN, " ecn"},
        {TCPI_OPT_ECN_SEEN, " ecnseen"}, {TCPI_OPT_SYN_DATA, " fastopen"},
    };

    for (size_t i = 0; writer->options->timer && i < ARRAY_SIZE(names); i++)
        if (tcp->options & names[i].bit)
            buf_puts(text, names[i].name);
}

static void put_basics(struct buf *text, const struct tcp_details *tcp)
{
    if (tcp->options & TCPI_OPT_WSCALE)
        buf_printf(text, " wscale:%u,%u", tcp->wscale_send, tcp->wscale_receive);
    if (tcp->rto_us && tcp->rto_us != INITIAL_RTO)
        put_g(text, "rto", tcp->rto_us / 1000.0);
    put_number(text, "backoff", tcp->backoff);
    if (tcp->rtt_us)
        buf_printf(text, " rtt:%g/%g", tcp->rtt_us / 1000.0, tcp->rttvar_us / 1000.0);
    if (tcp->ato_us)
        put_g(text, "ato", tcp->ato_us / 1000.0);
    put_number(text, "mss", tcp->mss);
    put_number(text, "pmtu", tcp->pmtu);
    put_number(text, "rcvmss", tcp->rcv_mss);
    put_number(text, "advmss", tcp->advmss);
    put_number(text, "cwnd", tcp->cwnd);
    if (tcp->ssthresh < NO_SSTHRESH)
        put_number(text, "ssthresh", tcp->ssthresh);
    put_number(text, "bytes_sent", tcp->bytes_sent);
    put_number(text, "bytes_retrans", tcp->bytes_retrans);
    put_number(text, "bytes_acked", tcp->bytes_acked);
    put_number(text, "bytes_received", tcp->bytes_received);
    put_number(text, "segs_out", tcp->segs_out);
    put_number(text, "segs_in", tcp->segs_in);
    put_number(text, "data_segs_out", tcp->data_segs_out);
    put_number(text, "data_segs_in", tcp->data_segs_in);
}

static void put_dctcp(struct buf *text, const uint32_t *info)
{
    uint16_t halves[2];

    memcpy(halves, info, sizeof(halves));
    if (halves[0])
        buf_printf(text, " dctcp:(ce_state:%u,alpha:%u,ab_ecn:%u,ab_tot:%u)", halves[1], info[1],
                   info[2], info[3]);
    else
        buf_puts(text, " dctcp:fallback_mode");
}

/* Gains are in 1/256. */
static void put_bbr(const struct ss_writer *writer, struct buf *text, const uint32_t *info)
{
    uint64_t bytes = (uint64_t)info[1] << 32 | info[0];

    buf_puts(text, " bbr:(bw:");
    put_rate(writer, text, (double)bytes * 8.0);
    buf_printf(text, ",mrtt:%g", info[2] / 1000.0);
    if (info[3])
        buf_printf(text, ",pacing_gain:%g", info[3] / 256.0);
    if (info[4])
        buf_printf(text, ",cwnd_gain:%g", info[4] / 256.0);
    buf_byte(text, ')');
}

/* The round trip time that vegas has is thought better than the kernel's. */
static uint32_t rtt_of(const struct tcp_details *tcp)
{
    const uint32_t *vegas = tcp->congestion_info;

    if (tcp->congestion_kind == CONGESTION_VEGAS && vegas[0] && vegas[2] &&
        vegas[2] != VEGAS_NO_RTT)
        return vegas[2];
    return tcp->rtt_us;
}

static void put_rates(const struct ss_writer *writer, struct buf *text,
                      const struct tcp_details *tcp)
{
    uint32_t rtt = rtt_of(tcp);

    if (rtt && tcp->mss && tcp->cwnd) {
        buf_puts(text, " send ");
        put_rate(writer, text, (double)tcp->cwnd * tcp->mss * 8000000.0 / rtt);
    }
    put_number(text, "lastsnd", tcp->last_data_sent_ms);
    put_number(text, "lastrcv", tcp->last_data_recv_ms);
    put_number(text, "lastack", tcp->last_ack_recv_ms);
    if (tcp->pacing_rate && tcp->pacing_rate != UINT64_MAX) {
        buf_puts(text, " pacing_rate ");
        put_rate(writer, text, (double)tcp->pacing_rate * 8.0);
        if (tcp->max_pacing_rate && tcp->max_pacing_rate != UINT64_MAX) {
            buf_byte(text, '/');
            put_rate(writer, text, (double)tcp->max_pacing_rate * 8.0);
        }
    }
    if (tcp->delivery_rate) {
        buf_puts(text, " delivery_rate ");
        put_rate(writer, text, (double)tcp->delivery_rate * 8.0);
    }
    put_number(text, "delivered", tcp->delivered);
    put_number(text, "delivered_ce", tcp->delivered_ce);
    if (tcp->app_limited)
        buf_puts(text, " app_limited");
}

/* How long of the busy time something held it up. */
static void put_limited(struct buf *text, const char *name, uint64_t limited_us, uint64_t busy_us)
{
    if (limited_us)
        buf_printf(text, " %s:%llums(%.1f%%)", name, (unsigned long long)(limited_us / 1000),
                   100.0 * (double)limited_us / (double)busy_us);
}

static void put_losses(struct buf *text, const struct tcp_details *tcp)
{
    if (tcp->busy_us) {
        buf_printf(text, " busy:%llums", (unsigned long long)(tcp->busy_us / 1000));
        put_limited(text, "rwnd_limited", tcp->rwnd_limited_us, tcp->busy_us);
        put_limited(text, "sndbuf_limited", tcp->sndbuf_limited_us, tcp->busy_us);
    }
    put_number(text, "unacked", tcp->unacked);
    if (tcp->retrans_out || tcp->total_retrans)
        buf_printf(text, " retrans:%u/%u", tcp->retrans_out, tcp->total_retrans);
    put_number(text, "lost", tcp->lost);
    if (!tcp->of_listener)
        put_number(text, "sacked", tcp->sacked);
    put_number(text, "dsack_dups", tcp->dsack_dups);
    put_number(text, "fackets", tcp->fackets);
    if (tcp->reordering != USUAL_REORDERING)
        buf_printf(text, " reordering:%d", (int)tcp->reordering);
    put_number(text, "reord_seen", tcp->reord_seen);
    if (tcp->rcv_rtt_us)
        put_g(text, "rcv_rtt", tcp->rcv_rtt_us / 1000.0);
    put_number(text, "rcv_space", tcp->rcv_space);
    put_number(text, "rcv_ssthresh", tcp->rcv_ssthresh);
    put_number(text, "notsent", tcp->notsent_bytes);
    if (tcp->min_rtt_us && tcp->min_rtt_us != UINT32_MAX)
        put_g(text, "minrtt", tcp->min_rtt_us / 1000.0);
    put_number(text, "rcv_ooopack", tcp->rcv_ooopack);
    put_number(text, "snd_wnd", tcp->snd_wnd);
}

static void put_tcp(struct ss_writer *writer, const struct tcp_details *tcp)
{
    struct buf *text = ss_layout_text(&writer->layout);
    size_t length;
    const char *name = snapshot_string(writer->view->snapshot, tcp->congestion, &length);

    put_options(writer, text, tcp);
    if (length) {
        buf_byte(text, ' ');
        ss_layout_foreign(&writer->layout, name, length);
    }
    put_basics(text, tcp);
    if (tcp->congestion_kind == CONGESTION_DCTCP)
        put_dctcp(text, tcp->congestion_info);
    if (tcp->congestion_kind == CONGESTION_BBR)
        put_bbr(writer, text, tcp->congestion_info);
    put_rates(writer, text, tcp);
    put_losses(text, tcp);
}

void ss_tcp_info(struct ss_writer *writer, const struct socket *socket)
{
    const struct tcp_details *tcp = snapshot_tcp(writer->view->snapshot, socket);

    if (!tcp)
        return;
    if (tcp->known || tcp->of_listener)
        put_tcp(writer, tcp);
    ss_upper_layer(writer, tcp);
}
