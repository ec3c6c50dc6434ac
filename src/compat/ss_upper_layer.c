/* SPDX-License-Identifier: MIT */
/* What ss(8) -i shows of what lies above TCP: TLS in the kernel, MPTCP. */
#include "compat/ss_details.h"

#include <linux/mptcp.h>
#include <linux/tls.h>

static void put_tls_mode(struct buf *text, const char *name, unsigned int mode)
{
    static const char *const modes[] = {NULL, "none", "sw", "hw", "hw-record"};

    if (mode > 0 && mode < ARRAY_SIZE(modes))
        buf_printf(text, " %s: %s", name, modes[mode]);
    else
        buf_printf(text, " %s: unknown(%u)", name, mode);
}

static void put_tls(struct buf *text, const struct upper_layer *tls)
{
    if (tls->present & 1u << TLS_INFO_VERSION) {
        if (tls->version == TLS_1_2_VERSION || tls->version == TLS_1_3_VERSION)
            buf_printf(text, " version: 1.%u", (tls->version & 0xffu) - 1);
        else
            buf_printf(text, " version: unknown(%u)", tls->version);
    }
    if (tls->present & 1u << TLS_INFO_CIPHER) {
        if (tls->cipher == TLS_CIPHER_AES_GCM_128)
            buf_puts(text, " cipher: aes-gcm-128");
        else if (tls->cipher == TLS_CIPHER_AES_GCM_256)
            buf_puts(text, " cipher: aes-gcm-256");
    }
    if (tls->present & 1u << TLS_INFO_RXCONF)
        put_tls_mode(text, "rxconf", tls->receive_mode);
    if (tls->present & 1u << TLS_INFO_TXCONF)
        put_tls_mode(text, "txconf", tls->send_mode);
}

/* Capital letters for what the peer said. */
static void put_subflow_flags(struct buf *text, uint32_t flags)
{
    static const char letters[] = "MmJjBbecv";

    buf_puts(text, " flags:");
    for (size_t i = 0; i < sizeof(letters) - 1; i++)
        if (flags & 1u << i)
            buf_byte(text, letters[i]);
}

static void put_subflow(struct buf *text, const struct upper_layer *subflow)
{
    uint32_t present = subflow->present;

    if (present & 1u << MPTCP_SUBFLOW_ATTR_FLAGS)
        put_subflow_flags(text, subflow->flags);
    if (present & (1u << MPTCP_SUBFLOW_ATTR_TOKEN_REM | 1u << MPTCP_SUBFLOW_ATTR_TOKEN_LOC))
        buf_printf(text, " token:%04x(id:%u)/%04x(id:%u)", subflow->token, subflow->id,
                   subflow->token_local, subflow->id_local);
    if (present & 1u << MPTCP_SUBFLOW_ATTR_MAP_SEQ)
        buf_printf(text, " seq:%llx", (unsigned long long)subflow->map_sequence);
    if (present & 1u << MPTCP_SUBFLOW_ATTR_MAP_SFSEQ)
        buf_printf(text, " sfseq:%x", subflow->map_subflow_sequence);
    if (present & 1u << MPTCP_SUBFLOW_ATTR_SSN_OFFSET)
        buf_printf(text, " ssnoff:%x", subflow->map_offset);
    if (present & 1u << MPTCP_SUBFLOW_ATTR_MAP_DATALEN)
        buf_printf(text, " maplen:%x", subflow->map_length);
}

static void put_mptcp(struct buf *text, const struct upper_layer *mptcp)
{
    const struct {
        const char *name;
        uint8_t number;
    } numbers[] = {
        {"subflows", mptcp->subflows},
        {"add_addr_signal", mptcp->addresses_sent},
        {"add_addr_accepted", mptcp->addresses_accepted},
        {"subflows_max", mptcp->subflows_limit},
        {"add_addr_signal_max", mptcp->addresses_sent_limit},
        {"add_addr_accepted_max", mptcp->addresses_accepted_limit},
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (numbers[i].number)
            buf_printf(text, " %s:%u", numbers[i].name, numbers[i].number);
    if (mptcp->flags & MPTCP_INFO_FLAG_FALLBACK)
        buf_puts(text, " fallback");
    if (mptcp->flags & MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED)
        buf_puts(text, " remote_key");
    if (mptcp->token)
        buf_printf(text, " token:%x", mptcp->token);
    if (mptcp->write_sequence)
        buf_printf(text, " write_seq:%llx", (unsigned long long)mptcp->write_sequence);
    if (mptcp->unacknowledged)
        buf_printf(text, " snd_una:%llx", (unsigned long long)mptcp->unacknowledged);
    if (mptcp->next_receive)
        buf_printf(text, " rcv_nxt:%llx", (unsigned long long)mptcp->next_receive);
}

void ss_upper_layer(struct ss_writer *writer, const struct tcp_details *tcp)
{
    const struct upper_layer *upper = snapshot_upper(writer->view->snapshot, tcp);
    struct buf *text = ss_layout_text(&writer->layout);
    size_t length;
    const char *name = snapshot_string(writer->view->snapshot, tcp->ulp, &length);

    if (length) {
        buf_puts(text, " tcp-ulp-");
        ss_layout_foreign(&writer->layout, name, length);
    }
    if (!upper)
        return;
    switch (upper->kind) {
    case UPPER_TLS:
        put_tls(text, upper);
        break;
    case UPPER_SUBFLOW:
        put_subflow(text, upper);
        break;
    case UPPER_MPTCP:
        put_mptcp(text, upper);
        break;
    default:
        break;
    }
}
