/* SPDX-License-Identifier: MIT */
/* Tables, families and states of ss(8): words and defaults. */
#include "compat/ss_select.h"

#include "model/socket.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define BIT(table) SS_TABLE_BIT(SS_TABLE_##table)
#define FAMILY(family) SS_FAMILY_BIT(AF_##family)

#define ESTABLISHED STATE_BIT(STATE_ESTABLISHED)
#define CLOSED STATE_BIT(STATE_UNCONNECTED)

#define INET_FAMILIES (FAMILY(INET) | FAMILY(INET6))
#define INET_TABLES (BIT(UDP) | BIT(DCCP) | BIT(TCP) | BIT(MPTCP) | BIT(SCTP) | BIT(RAW))
#define UNIX_TABLES (BIT(UNIX_DGRAM) | BIT(UNIX_STREAM) | BIT(UNIX_SEQPACKET))
#define PACKET_TABLES (BIT(PACKET_DGRAM) | BIT(PACKET_RAW))
#define VSOCK_TABLES (BIT(VSOCK_STREAM) | BIT(VSOCK_DGRAM))

/* What a table takes for granted. */
struct table_defaults {
    uint64_t families;
    uint32_t states;
};

static const struct table_defaults tables[SS_TABLE_MAX] = {
    [SS_TABLE_TCP] = {INET_FAMILIES, SS_STATES_CONNECTED},
    [SS_TABLE_MPTCP] = {INET_FAMILIES, SS_STATES_CONNECTED},
    [SS_TABLE_DCCP] = {INET_FAMILIES, SS_STATES_CONNECTED},
    [SS_TABLE_SCTP] = {INET_FAMILIES, SS_STATES_CONNECTED},
    [SS_TABLE_UDP] = {INET_FAMILIES, ESTABLISHED},
    [SS_TABLE_RAW] = {INET_FAMILIES, ESTABLISHED},
    [SS_TABLE_UNIX_DGRAM] = {FAMILY(UNIX), CLOSED},
    [SS_TABLE_UNIX_STREAM] = {FAMILY(UNIX), SS_STATES_CONNECTED},
    [SS_TABLE_UNIX_SEQPACKET] = {FAMILY(UNIX), SS_STATES_CONNECTED},
    [SS_TABLE_PACKET_DGRAM] = {FAMILY(PACKET), CLOSED},
    [SS_TABLE_PACKET_RAW] = {FAMILY(PACKET), CLOSED},
    [SS_TABLE_NETLINK] = {FAMILY(NETLINK), CLOSED},
    [SS_TABLE_VSOCK_STREAM] = {FAMILY(VSOCK), SS_STATES_CONNECTED},
    [SS_TABLE_VSOCK_DGRAM] = {FAMILY(VSOCK), CLOSED},
    [SS_TABLE_TIPC] = {FAMILY(TIPC), SS_STATES_CONNECTED},
    [SS_TABLE_XDP] = {FAMILY(XDP), CLOSED},
};

struct family_defaults {
    const char *name;
    int family;
    uint32_t tables, states;
};

static const struct family_defaults families[] = {
    {"inet", AF_INET, INET_TABLES, SS_STATES_CONNECTED},
    {"inet6", AF_INET6, INET_TABLES, SS_STATES_CONNECTED},
    {"link", AF_PACKET, PACKET_TABLES, CLOSED},
    {"unix", AF_UNIX, UNIX_TABLES, SS_STATES_CONNECTED},
    {"netlink", AF_NETLINK, BIT(NETLINK), CLOSED},
    {"vsock", AF_VSOCK, VSOCK_TABLES, SS_STATES_CONNECTED},
    {"tipc", AF_TIPC, BIT(TIPC), SS_STATES_CONNECTED},
    {"xdp", AF_XDP, BIT(XDP), CLOSED},
};

struct table_word {
    const char *word;
    uint32_t tables;
};

static const struct table_word table_words[] = {
    {"all", SS_TABLE_BIT(SS_TABLE_MAX) - 1 - BIT(TIPC)},
    {"inet", INET_TABLES},
    {"tcp", BIT(TCP)},
    {"udp", BIT(UDP)},
    {"raw", BIT(RAW)},
    {"dccp", BIT(DCCP)},
    {"sctp", BIT(SCTP)},
    {"mptcp", BIT(MPTCP)},
    {"unix", UNIX_TABLES},
    {"unix_stream", BIT(UNIX_STREAM)},
    {"u_str", BIT(UNIX_STREAM)},
    {"unix_dgram", BIT(UNIX_DGRAM)},
    {"u_dgr", BIT(UNIX_DGRAM)},
    {"unix_seqpacket", BIT(UNIX_SEQPACKET)},
    {"u_seq", BIT(UNIX_SEQPACKET)},
    {"packet", PACKET_TABLES},
    {"packet_raw", BIT(PACKET_RAW)},
    {"p_raw", BIT(PACKET_RAW)},
    {"packet_dgram", BIT(PACKET_DGRAM)},
    {"p_dgr", BIT(PACKET_DGRAM)},
    {"netlink", BIT(NETLINK)},
    {"vsock", VSOCK_TABLES},
    {"vsock_stream", BIT(VSOCK_STREAM)},
    {"v_str", BIT(VSOCK_STREAM)},
    {"vsock_dgram", BIT(VSOCK_DGRAM)},
    {"v_dgr", BIT(VSOCK_DGRAM)},
    {"tipc", BIT(TIPC)},
    {"xdp", BIT(XDP)},
};

int ss_family_parse(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (strcmp(families[i].name, name) == 0)
            return families[i].family;
    return -EINVAL;
}

void ss_select_table(struct ss_selection *selection, enum ss_table table, bool wanted)
{
    if (wanted) {
        selection->tables |= SS_TABLE_BIT(table);
        selection->states |= tables[table].states;
    } else {
        selection->tables &= ~SS_TABLE_BIT(table);
    }
}

void ss_select_family(struct ss_selection *selection, int family)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (families[i].family == family)
            selection->states |= families[i].states;
    selection->families |= SS_FAMILY_BIT(family);
    selection->preferred_family = family;
}

int ss_tables_parse(struct ss_selection *selection, const char *name)
{
    bool wanted = *name != '!';
    const char *word = name + !wanted;

    for (size_t i = 0; i < ARRAY_SIZE(table_words); i++) {
        if (strcmp(table_words[i].word, word) != 0)
            continue;
        for (unsigned int table = 0; table < SS_TABLE_MAX; table++)
            if (table_words[i].tables & SS_TABLE_BIT(table))
                ss_select_table(selection, (enum ss_table)table, wanted);
        return 0;
    }
    return -EINVAL;
}

void ss_selection_complete(struct ss_selection *selection)
{
    for (unsigned int table = 0; table < SS_TABLE_MAX; table++)
        if (selection->tables & SS_TABLE_BIT(table) &&
            !(selection->families & tables[table].families))
            selection->families |= tables[table].families;
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (selection->families & SS_FAMILY_BIT(families[i].family) &&
            !(selection->tables & families[i].tables))
            selection->tables |= families[i].tables;
}

/* --- states --- */

/* Beside the names of states, these of what socket_state_parse() knows. */
static const struct {
    const char *word;
    bool unknown; /* a state that is none is meant too: as real as the others when all is excluded
                   */
} state_words[] = {
    {"syn-rcv", false},  {"closed", false},      {"close", false},  {"all", true},
    {"connected", true}, {"synchronized", true}, {"bucket", false}, {"big", true},
};

/* False: it is no word. */
static bool find_state_word(const char *word, bool *ret_unknown)
{
    *ret_unknown = false;
    for (unsigned int state = STATE_ESTABLISHED; state <= STATE_CLOSING; state++)
        if (strcasecmp(socket_state_name(state), word) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(state_words); i++)
        if (strcasecmp(state_words[i].word, word) == 0) {
            *ret_unknown = state_words[i].unknown;
            return true;
        }
    return false;
}

int ss_states_parse(const char *name, uint32_t *ret_states)
{
    uint32_t states;
    bool unknown;

    if (!find_state_word(name, &unknown) || socket_state_parse(name, &states) < 0)
        return -EINVAL;
    *ret_states = (states & SS_STATES_ALL) | (unknown ? STATE_BIT(STATE_UNKNOWN) : 0);
    return 0;
}
