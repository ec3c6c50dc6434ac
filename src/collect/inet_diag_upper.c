/* SPDX-License-Identifier: MIT */
/* What inet_diag tells of congestion controls, and of what lies above TCP: TLS, MPTCP. */
#include "collect/inet_diag_message.h"
#include "netlink/netlink.h"

#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/tls.h>
#include <string.h>

/* --- congestion control --- */

int inet_diag_congestion(struct snapshot *snapshot, uint32_t index,
                         const struct nlattr *const *attributes)
{
    static const struct {
        int attribute;
        enum congestion_kind kind;
    } kinds[] = {
        {INET_DIAG_VEGASINFO, CONGESTION_VEGAS},
        {INET_DIAG_DCTCPINFO, CONGESTION_DCTCP},
        {INET_DIAG_BBRINFO, CONGESTION_BBR},
    };
    struct tcp_details *tcp;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!attributes[kinds[i].attribute])
            continue;
        tcp = inet_diag_tcp(snapshot, &snapshot->sockets[index]);
        if (!tcp)
            return -ENOMEM;
        tcp->congestion_kind = (uint8_t)kinds[i].kind;
        netlink_copy(attributes[kinds[i].attribute], tcp->congestion_info,
                     sizeof(tcp->congestion_info));
    }
    return 0;
}

/* --- above TCP --- */

static bool copy(struct upper_layer *upper, const struct nlattr *const *attributes, unsigned int at,
                 void *to, size_t size)
{
    if (!attributes[at] || netlink_copy(attributes[at], to, size) < size)
        return false;
    upper->present |= 1u << at;
    return true;
}

static void fill_tls(struct upper_layer *upper, const struct nlattr *info)
{
    const struct nlattr *attributes[TLS_INFO_MAX + 1];

    upper->kind = UPPER_TLS;
    netlink_attributes(netlink_data(info), netlink_length(info), attributes,
                       ARRAY_SIZE(attributes));
    copy(upper, attributes, TLS_INFO_VERSION, &upper->version, sizeof(upper->version));
    copy(upper, attributes, TLS_INFO_CIPHER, &upper->cipher, sizeof(upper->cipher));
    copy(upper, attributes, TLS_INFO_TXCONF, &upper->send_mode, sizeof(upper->send_mode));
    copy(upper, attributes, TLS_INFO_RXCONF, &upper->receive_mode, sizeof(upper->receive_mode));
}

static void fill_subflow(struct upper_layer *upper, const struct nlattr *info)
{
    const struct nlattr *attributes[MPTCP_SUBFLOW_ATTR_MAX + 1];
    uint16_t length = 0;
    const struct {
        unsigned int attribute;
        void *to;
        size_t size;
    } fields[] = {
        {MPTCP_SUBFLOW_ATTR_TOKEN_REM, &upper->token, 4},
        {MPTCP_SUBFLOW_ATTR_TOKEN_LOC, &upper->token_local, 4},
        {MPTCP_SUBFLOW_ATTR_MAP_SEQ, &upper->map_sequence, 8},
        {MPTCP_SUBFLOW_ATTR_MAP_SFSEQ, &upper->map_subflow_sequence, 4},
        {MPTCP_SUBFLOW_ATTR_SSN_OFFSET, &upper->map_offset, 4},
        {MPTCP_SUBFLOW_ATTR_MAP_DATALEN, &length, 2},
        {MPTCP_SUBFLOW_ATTR_FLAGS, &upper->flags, 4},
        {MPTCP_SUBFLOW_ATTR_ID_REM, &upper->id, 1},
        {MPTCP_SUBFLOW_ATTR_ID_LOC, &upper->id_local, 1},
    };

    upper->kind = UPPER_SUBFLOW;
    netlink_attributes(netlink_data(info), netlink_length(info), attributes,
                       ARRAY_SIZE(attributes));
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        copy(upper, attributes, fields[i].attribute, fields[i].to, fields[i].size);
    upper->map_length = length;
}

int inet_diag_upper(struct snapshot *snapshot, struct tcp_details *tcp, const struct nlattr *info)
{
    const struct nlattr *nested[INET_ULP_INFO_MAX + 1];
    const struct nlattr *name;
    struct upper_layer *upper;

    netlink_attributes(netlink_data(info), netlink_length(info), nested, ARRAY_SIZE(nested));
    if (nested[INET_ULP_INFO_TLS] || nested[INET_ULP_INFO_MPTCP]) {
        upper = snapshot_add_upper(snapshot, tcp);
        if (!upper)
            return -ENOMEM;
        if (nested[INET_ULP_INFO_TLS])
            fill_tls(upper, nested[INET_ULP_INFO_TLS]);
        else
            fill_subflow(upper, nested[INET_ULP_INFO_MPTCP]);
    }
    name = nested[INET_ULP_INFO_NAME];
    return name ? snapshot_intern(snapshot, netlink_data(name),
                                  strnlen(netlink_data(name), netlink_length(name)), &tcp->ulp)
                : 0;
}

int inet_diag_mptcp(struct snapshot *snapshot, uint32_t index, const struct nlattr *info)
{
    struct socket *socket = &snapshot->sockets[index];
    struct mptcp_info sent;
    struct tcp_details *tcp;
    struct upper_layer *upper;

    if (!info || socket->tcp)
        return 0;
    netlink_copy(info, &sent, sizeof(sent));
    tcp = snapshot_add_tcp(snapshot, socket);
    upper = tcp ? snapshot_add_upper(snapshot, tcp) : NULL;
    if (!upper)
        return -ENOMEM;
    *upper = (struct upper_layer){
        .kind = UPPER_MPTCP,
        .write_sequence = sent.mptcpi_write_seq,
        .unacknowledged = sent.mptcpi_snd_una,
        .next_receive = sent.mptcpi_rcv_nxt,
        .flags = sent.mptcpi_flags,
        .token = sent.mptcpi_token,
        .subflows = sent.mptcpi_subflows,
        .addresses_sent = sent.mptcpi_add_addr_signal,
        .addresses_accepted = sent.mptcpi_add_addr_accepted,
        .subflows_limit = sent.mptcpi_subflows_max,
        .addresses_sent_limit = sent.mptcpi_add_addr_signal_max,
        .addresses_accepted_limit = sent.mptcpi_add_addr_accepted_max,
    };
    return 0;
}
