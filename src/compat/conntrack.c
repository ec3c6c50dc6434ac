/* SPDX-License-Identifier: MIT */
/* conntrack of conntrack-tools 1.4.7. */
#include "compat/conntrack.h"

#include "compat/personality.h"
#include "compat/say.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>

static const char help_text[] =
    "conntrack, as nwho shows it: the table of tracked connections\n"
    "\n"
    "usage: conntrack -L [TABLE] [FILTER] [-o FORMAT[,...]] [-z]   list\n"
    "       conntrack -G [TABLE] ENTRY                             one of them\n"
    "       conntrack -D [TABLE] [FILTER]                          remove those that match\n"
    "       conntrack -I [TABLE] ENTRY -t SECONDS                  make one; -A: unless it exists\n"
    "       conntrack -U [FILTER] [-t SECONDS] [-m MARK[/MASK]]    change those that match\n"
    "       conntrack -E [TABLE] [FILTER] [-e EVENTS] [-b BYTES]   as it happens\n"
    "       conntrack -F [TABLE]   empty it     -C [TABLE]   count     -S [TABLE]   statistics\n"
    "\n"
    "tables: conntrack (this unless another is named), expect, dying, unconfirmed\n"
    "formats: extended, id, ktimestamp, timestamp, labels, userspace, xml, save, json\n"
    "\n"
    "  -s --src  -d --dst ADDRESS[/BITS]      first direction (--mask-src, --mask-dst)\n"
    "  -r --reply-src  -q --reply-dst ADDRESS the other one\n"
    "  -p --proto PROTOCOL                    behind it, as it has them:\n"
    "       --sport --dport --reply-port-src --reply-port-dst PORT   --state STATE\n"
    "       --icmp-type --icmp-code --icmp-id NUMBER (--icmpv6-...)\n"
    "       --srckey --dstkey --reply-key-src --reply-key-dst KEY\n"
    "       --orig-vtag --reply-vtag TAG   --role client|server\n"
    "  -f --family ipv4|ipv6\n"
    "  -n --src-nat  -g --dst-nat  -j --any-nat [ADDRESS[:PORT]]\n"
    "  -m --mark MARK[/MASK]   -u --status WORD[,...]   -t --timeout SECONDS\n"
    "  -w --zone  --orig-zone  --reply-zone NUMBER\n"
    "  -l --label  --label-add  --label-del NAME[,...]\n"
    "  -e --event-mask NEW,UPDATES,DESTROY,ALL   -b --buffer-size BYTES\n"
    "  --tuple-src --tuple-dst ADDRESS        of an expectation (--tuple-port-src, "
    "--mask-port-src)\n";

static const char version_text[] = "conntrack v1.4.7 (conntrack-tools)\n";

void conntrack_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_line("conntrack", format, args);
    va_end(args);
}

int conntrack_failed(int error)
{
    if (error == -EPERM)
        conntrack_say("only root, or who has CAP_NET_ADMIN, may do this");
    else if (error == -ENOENT)
        conntrack_say("there is no such entry");
    else if (error == -EEXIST)
        conntrack_say("there is such an entry already; -U changes it");
    else
        conntrack_say("%s", strerror(-error));
    return CONNTRACK_FAILED;
}

/* --- lists --- */

struct lister {
    struct conntrack_writer *writer;
    struct snapshot strings; /* of the entry that is read */
    bool counts;             /* and writes nothing */
};

static int take_entry(void *context, uint16_t type, const void *payload, size_t length)
{
    struct lister *lister = context;
    struct conntrack entry;
    struct conntrack_row row = {.entry = &entry, .strings = &lister->strings};
    int r = conntrack_read(&lister->strings, payload, length, &entry);

    (void)type;
    if (r == 0 && conntrack_matches(lister->writer->options, &entry, &lister->strings))
        conntrack_write(lister->writer, &row);
    return r;
}

static int take_expectation(void *context, uint16_t type, const void *payload, size_t length)
{
    struct lister *lister = context;
    struct conntrack_expectation expectation;
    struct conntrack_row row = {.strings = &lister->strings};
    int r = conntrack_read_expectation(&lister->strings, payload, length, &expectation);

    (void)type;
    if (r < 0)
        return r;
    gettimeofday(&row.came, NULL);
    if (lister->counts)
        lister->writer->shown++;
    else
        conntrack_write_expectation(lister->writer, &expectation, &row);
    return 0;
}

static uint8_t list_message(const struct conntrack_options *options)
{
    if (options->list == CONNTRACK_DYING_TABLE)
        return IPCTNL_MSG_CT_GET_DYING;
    if (options->list == CONNTRACK_UNCONFIRMED)
        return IPCTNL_MSG_CT_GET_UNCONFIRMED;
    return conntrack_given(options, OPTION_ZERO) ? IPCTNL_MSG_CT_GET_CTRZERO : IPCTNL_MSG_CT_GET;
}

static int dump(struct lister *lister)
{
    const struct conntrack_options *options = lister->writer->options;
    bool expected = options->list == CONNTRACK_EXPECTATIONS;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    struct conntrack_request request;
    int r = netlink_open(NETLINK_NETFILTER, &netlink);

    if (expected)
        conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_GET,
                                options->wanted.family);
    else
        conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, list_message(options),
                                options->wanted.family);
    return r < 0 ? r
                 : conntrack_request_dump(&netlink, &request,
                                          expected ? take_expectation : take_entry, lister, NULL);
}

static int list(struct conntrack_writer *writer, bool counts)
{
    struct lister lister = {.writer = writer, .counts = counts};
    int r = snapshot_init(&lister.strings);

    if (r == 0)
        r = dump(&lister);
    snapshot_done(&lister.strings);
    return r;
}

static int run_list(struct conntrack_writer *writer)
{
    int r = list(writer, false), end;

    if (r < 0)
        return conntrack_failed(r);
    end = conntrack_write_end(writer);
    conntrack_sum_up(writer->shown, writer->options->list == CONNTRACK_EXPECTATIONS
                                        ? "expectations have been shown"
                                        : "flow entries have been shown");
    return end < 0 ? CONNTRACK_FAILED : 0;
}

/* --- numbers --- */

static uint32_t number_of(const struct nlattr *attribute)
{
    uint32_t number;

    netlink_copy(attribute, &number, sizeof(number));
    return ntohl(number);
}

static int take_count(void *context, uint16_t type, const void *payload, size_t length)
{
    struct conntrack_writer *writer = context;
    const struct nlattr *attributes[CTA_STATS_GLOBAL_ENTRIES + 1];

    (void)type;
    if (length < sizeof(struct nfgenmsg))
        return -EBADMSG;
    netlink_attributes((const char *)payload + sizeof(struct nfgenmsg),
                       length - sizeof(struct nfgenmsg), attributes, ARRAY_SIZE(attributes));
    writer->shown = number_of(attributes[CTA_STATS_GLOBAL_ENTRIES]);
    return 0;
}

static int run_count(struct conntrack_writer *writer)
{
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    struct conntrack_request request;
    int r;

    if (writer->options->list == CONNTRACK_EXPECTATIONS) {
        r = list(writer, true);
    } else {
        conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS,
                                AF_UNSPEC);
        r = netlink_open(NETLINK_NETFILTER, &netlink);
        if (r == 0)
            r = conntrack_request_send(&netlink, &request, take_count, writer);
    }
    if (r < 0)
        return conntrack_failed(r);
    buf_uint(&writer->out, writer->shown);
    buf_byte(&writer->out, '\n');
    return buf_flush(&writer->out) < 0 ? CONNTRACK_FAILED : 0;
}

static int take_statistics(void *context, uint16_t type, const void *payload, size_t length)
{
    static const char *const of_entries[] = {
        [CTA_STATS_SEARCHED] = "searched",
        [CTA_STATS_FOUND] = "found",
        [CTA_STATS_NEW] = "new",
        [CTA_STATS_INVALID] = "invalid",
        [CTA_STATS_IGNORE] = "ignore",
        [CTA_STATS_DELETE] = "delete",
        [CTA_STATS_DELETE_LIST] = "delete_list",
        [CTA_STATS_INSERT] = "insert",
        [CTA_STATS_INSERT_FAILED] = "insert_failed",
        [CTA_STATS_DROP] = "drop",
        [CTA_STATS_EARLY_DROP] = "early_drop",
        [CTA_STATS_ERROR] = "error",
        [CTA_STATS_SEARCH_RESTART] = "search_restart",
        [CTA_STATS_CLASH_RESOLVE] = "clash_resolve",
        [CTA_STATS_CHAIN_TOOLONG] = "chaintoolong",
    };
    static const char *const of_expectations[ARRAY_SIZE(of_entries)] = {
        [CTA_STATS_EXP_NEW] = "expect_new",
        [CTA_STATS_EXP_CREATE] = "expect_create",
        [CTA_STATS_EXP_DELETE] = "expect_delete",
    };
    struct conntrack_writer *writer = context;
    const struct nlattr *attributes[ARRAY_SIZE(of_entries)];
    bool expected = writer->options->list == CONNTRACK_EXPECTATIONS;
    const char *const *words = expected ? of_expectations : of_entries;
    struct nfgenmsg message;

    (void)type;
    if (length < sizeof(message))
        return -EBADMSG;
    memcpy(&message, payload, sizeof(message));
    netlink_attributes((const char *)payload + sizeof(message), length - sizeof(message),
                       attributes, ARRAY_SIZE(attributes));
    buf_printf(&writer->out, "cpu=%-4u\t", (unsigned int)ntohs(message.res_id));
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
        if (attributes[i] && words[i])
            buf_printf(&writer->out, "%s=%u ", words[i], number_of(attributes[i]));
    buf_byte(&writer->out, '\n');
    return 0;
}

static int run_statistics(struct conntrack_writer *writer)
{
    bool expected = writer->options->list == CONNTRACK_EXPECTATIONS;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    struct conntrack_request request;
    int r = netlink_open(NETLINK_NETFILTER, &netlink);

    conntrack_request_start(&request, expected ? NFNL_SUBSYS_CTNETLINK_EXP : NFNL_SUBSYS_CTNETLINK,
                            expected ? IPCTNL_MSG_EXP_GET_STATS_CPU : IPCTNL_MSG_CT_GET_STATS_CPU,
                            AF_UNSPEC);
    if (r == 0)
        r = conntrack_request_dump(&netlink, &request, take_statistics, writer, NULL);
    if (r < 0)
        return conntrack_failed(r);
    return buf_flush(&writer->out) < 0 ? CONNTRACK_FAILED : 0;
}

/* --- the command --- */

static int put_constant(struct conntrack_writer *writer, const char *text)
{
    buf_puts(&writer->out, text);
    return buf_flush(&writer->out) < 0 ? CONNTRACK_FAILED : 0;
}

static int run_command(struct conntrack_writer *writer)
{
    static int (*const commands[CONNTRACK_COMMAND_MAX])(struct conntrack_writer * writer) = {
        [CONNTRACK_LIST] = run_list,
        [CONNTRACK_GET] = conntrack_run_get,
        [CONNTRACK_DELETE] = conntrack_run_delete,
        [CONNTRACK_CREATE] = conntrack_run_create,
        [CONNTRACK_ADD] = conntrack_run_create,
        [CONNTRACK_UPDATE] = conntrack_run_update,
        [CONNTRACK_EVENTS] = conntrack_run_events,
        [CONNTRACK_FLUSH] = conntrack_run_flush,
        [CONNTRACK_COUNT] = run_count,
        [CONNTRACK_STATISTICS] = run_statistics,
    };
    const struct conntrack_options *options = writer->options;
    bool one = options->command == CONNTRACK_GET || options->command == CONNTRACK_CREATE ||
               options->command == CONNTRACK_DELETE;

    if (options->command == CONNTRACK_HELP)
        return put_constant(writer, help_text);
    if (options->command == CONNTRACK_VERSION)
        return put_constant(writer, version_text);
    if (options->output & OUTPUT_LABELS)
        conntrack_label_names_read(&writer->labels);
    if (options->list == CONNTRACK_EXPECTATIONS && one)
        return conntrack_run_expectation(writer);
    return commands[options->command](writer);
}

static int run(int argc, char **argv)
{
    struct conntrack_options options;
    struct conntrack_writer writer = {.out = BUF_SINK(STDOUT_FILENO), .options = &options};
    int status = conntrack_options_parse(argc, argv, &writer.labels, &options);

    writer.now_s = (uint64_t)time(NULL);
    if (status == 0)
        status = run_command(&writer);
    if (writer.out.error && writer.out.error != -EPIPE) {
        conntrack_say("the output is not whole: %s", strerror(-writer.out.error));
        status = CONNTRACK_FAILED;
    }
    conntrack_label_names_done(&writer.labels);
    buf_done(&writer.out);
    return status;
}

const struct personality personality_conntrack = {
    .name = "conntrack",
    .summary = "tracked connections, as conntrack of conntrack-tools 1.4",
    .run = run,
};
