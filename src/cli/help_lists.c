/* SPDX-License-Identifier: MIT */
/* Topics of nwho help that are put together from the tables of the program. */
#include "cli/help_lists.h"

#include "cli/command.h"
#include "table/filter.h"

void help_put_filters(struct buf *out)
{
    const char *word, *help;

    buf_printf(
        out,
        "Conditions of a filter; beside each other they mean and, not before and before or.\n\n"
        "  tcp, udp, unix ...             protocol:");
    for (unsigned int i = PROTO_UNKNOWN + 1; i < PROTO_MAX; i++)
        buf_printf(out, " %s", socket_proto_name(i));
    buf_printf(out, "\n  state S[,S], exclude S         state:");
    for (unsigned int i = STATE_ESTABLISHED; i < STATE_MAX; i++)
        if (i != STATE_NEW_SYN_RECV_UNUSED)
            buf_printf(out, " %s", socket_state_name(i));
    buf_printf(
        out,
        "\n  src|dst|host|net ADDRESS       own, other or either address: 10.0.0.9, 10.0.0.0/8, "
        "[fd00::1]:443, a name,\n"
        "                                 loopback, private, public, multicast\n"
        "  sport|dport|port PORT          own, other or either port: :443, 1024-2048, https; "
        "= != < > <= >=\n"
        "  COLUMN = TEXT, COLUMN ~ REGEX  any column of `nwho columns`: process = nginx, exe ~ "
        "^/tmp/, unit = ssh*\n"
        "  COLUMN > QUANTITY              rtt > 100ms, recv_q > 64K, idle > 2h, pacing_rate < "
        "10Mbit\n"
        "  pid 1203, pid 1203+            a process; with its children\n"
        "  :443 tcp/443 10.0.0.0/8 /run/x.sock %%user @container @abstract NAME    as nwho "
        "TARGET\n\n"
        "Flags:\n");
    for (uint32_t i = 0; filter_flag_help(i, &word, &help); i++)
        buf_printf(out, "  %-12s %s\n", word, help);
    buf_printf(out, "\nOther words for columns:\n");
    for (uint32_t i = 0; filter_alias_help(i, &word, &help); i++)
        buf_printf(out, "  %-12s %s\n", word, help);
}

void help_put_command_names(struct buf *out)
{
    for (uint32_t i = 0; i < command_table_count; i++)
        if (*command_table[i]->name)
            buf_printf(out, "%s\n", command_table[i]->name);
}

void help_put_option_names(struct buf *out)
{
    for (uint32_t i = 0; i < option_count; i++)
        buf_printf(out, "--%s\n", option_table[i].name);
}

void help_put_words(struct buf *out)
{
    const char *word, *help;

    for (uint32_t i = 0; filter_keyword(i, &word); i++)
        buf_printf(out, "%s\n", word);
    for (uint32_t i = 0; filter_flag_help(i, &word, &help); i++)
        buf_printf(out, "%s\n", word);
    for (unsigned int i = PROTO_UNKNOWN + 1; i < PROTO_MAX; i++)
        buf_printf(out, "%s\n", socket_proto_name(i));
    for (unsigned int i = STATE_ESTABLISHED; i < STATE_MAX; i++)
        if (i != STATE_NEW_SYN_RECV_UNUSED)
            buf_printf(out, "%s\n", socket_state_name(i));
}
