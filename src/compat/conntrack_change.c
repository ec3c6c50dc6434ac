/* SPDX-License-Identifier: MIT */
/* conntrack: entries are made, changed, removed, and asked for one by one. */
#include "compat/conntrack.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* --- one entry --- */

/* The type of ICMP that answers another; 0 where the kernel tracks none. */
static uint8_t answer_of(uint8_t protocol, uint8_t type)
{
    static const uint8_t pairs[][3] = {
        {IPPROTO_ICMP, 8, 0},   {IPPROTO_ICMP, 13, 14},     {IPPROTO_ICMP, 15, 16},
        {IPPROTO_ICMP, 17, 18}, {IPPROTO_ICMPV6, 128, 129}, {IPPROTO_ICMPV6, 139, 140},
    };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        if (pairs[i][0] != protocol)
            continue;
        if (pairs[i][1] == type)
            return pairs[i][2];
        if (pairs[i][2] == type)
            return pairs[i][1];
    }
    return 0;
}

/* One direction from the other, as far as it was not said. */
static struct conntrack make_entry(const struct conntrack_options *options)
{
    struct conntrack entry = options->wanted;

    if (!conntrack_given(options, OPTION_SRC)) {
        entry.orig.src = entry.reply.dst;
        entry.orig.dst = entry.reply.src;
    }
    if (!conntrack_given(options, OPTION_SRC_PORT)) {
        entry.orig.src_port = entry.reply.dst_port;
        entry.orig.dst_port = entry.reply.src_port;
    }
    if (!conntrack_given(options, OPTION_REPLY_SRC))
        entry.reply.src = entry.orig.dst;
    if (!conntrack_given(options, OPTION_REPLY_DST))
        entry.reply.dst = entry.orig.src;
    if (!conntrack_given(options, OPTION_REPLY_SRC_PORT))
        entry.reply.src_port = entry.orig.dst_port;
    if (!conntrack_given(options, OPTION_REPLY_DST_PORT))
        entry.reply.dst_port = entry.orig.src_port;
    entry.reply.icmp_type = answer_of(entry.protocol, entry.orig.icmp_type);
    entry.reply.icmp_code = entry.orig.icmp_code;
    entry.reply.icmp_id = entry.orig.icmp_id;
    return entry;
}

/* --- what is sent --- */

static void put_state(struct conntrack_request *request, const struct conntrack_options *options)
{
    const struct conntrack *wanted = &options->wanted;
    uint32_t outer, inner;

    if (!conntrack_given(options, OPTION_STATE))
        return;
    outer = conntrack_request_open(request, CTA_PROTOINFO);
    if (wanted->protocol == IPPROTO_TCP) {
        inner = conntrack_request_open(request, CTA_PROTOINFO_TCP);
        conntrack_request_u8(request, CTA_PROTOINFO_TCP_STATE, wanted->state);
    } else if (wanted->protocol == IPPROTO_SCTP) {
        inner = conntrack_request_open(request, CTA_PROTOINFO_SCTP);
        conntrack_request_u8(request, CTA_PROTOINFO_SCTP_STATE, wanted->state);
        conntrack_request_u32(request, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, wanted->orig_tag);
        conntrack_request_u32(request, CTA_PROTOINFO_SCTP_VTAG_REPLY, wanted->reply_tag);
    } else {
        inner = conntrack_request_open(request, CTA_PROTOINFO_DCCP);
        conntrack_request_u8(request, CTA_PROTOINFO_DCCP_STATE, wanted->state);
        conntrack_request_u8(request, CTA_PROTOINFO_DCCP_ROLE, options->role);
    }
    conntrack_request_close(request, inner);
    conntrack_request_close(request, outer);
}

static void put_nat(struct conntrack_request *request, uint16_t type,
                    const struct conntrack_nat *nat)
{
    bool v6 = request->body.nfgen_family == AF_INET6;
    size_t length = v6 ? 16 : 4;
    uint32_t outer, inner;
    uint16_t port = htons(nat->port);

    if (!nat->has_address)
        return;
    outer = conntrack_request_open(request, type);
    conntrack_request_put(request, v6 ? CTA_NAT_V6_MINIP : CTA_NAT_V4_MINIP, nat->address.bytes,
                          length);
    conntrack_request_put(request, v6 ? CTA_NAT_V6_MAXIP : CTA_NAT_V4_MAXIP, nat->address.bytes,
                          length);
    if (nat->port) {
        inner = conntrack_request_open(request, CTA_NAT_PROTO);
        conntrack_request_put(request, CTA_PROTONAT_PORT_MIN, &port, sizeof(port));
        conntrack_request_put(request, CTA_PROTONAT_PORT_MAX, &port, sizeof(port));
        conntrack_request_close(request, inner);
    }
    conntrack_request_close(request, outer);
}

static bool any_label(const struct conntrack_labels *labels)
{
    static const struct conntrack_labels none;

    return memcmp(labels, &none, sizeof(none)) != 0;
}

static void put_labels(struct conntrack_request *request, const struct conntrack_options *options,
                       const struct conntrack_labels *before)
{
    struct conntrack_labels labels = *before, mask;

    memset(&mask, 0xff, sizeof(mask));
    for (size_t i = 0; i < sizeof(labels.bytes); i++) {
        if (options->delete_all_labels)
            labels.bytes[i] = 0;
        labels.bytes[i] &= (uint8_t)~options->delete_labels.bytes[i];
        labels.bytes[i] |= options->add_labels.bytes[i];
    }
    conntrack_request_put(request, CTA_LABELS, labels.bytes, sizeof(labels.bytes));
    conntrack_request_put(request, CTA_LABELS_MASK, mask.bytes, sizeof(mask.bytes));
}

static void put_changes(struct conntrack_request *request, const struct conntrack_options *options,
                        uint32_t status, uint32_t mark)
{
    if (conntrack_given(options, OPTION_TIMEOUT))
        conntrack_request_u32(request, CTA_TIMEOUT, options->wanted.timeout_s);
    if (conntrack_given(options, OPTION_STATUS))
        conntrack_request_u32(request, CTA_STATUS, status | options->wanted.status);
    if (conntrack_given(options, OPTION_MARK))
        conntrack_request_u32(request, CTA_MARK,
                              (mark & ~options->mark_mask) ^ options->wanted.mark);
    put_state(request, options);
}

/* --- create --- */

static void put_new(struct conntrack_request *request, const struct conntrack_options *options,
                    const struct conntrack *entry)
{
    const struct conntrack_labels none = {.bytes = {0}};

    conntrack_request_tuple(request, CTA_TUPLE_ORIG, &entry->orig, entry->protocol,
                            conntrack_given(options, OPTION_ORIG_ZONE) ? &entry->orig_zone : NULL);
    conntrack_request_tuple(request, CTA_TUPLE_REPLY, &entry->reply, entry->protocol,
                            conntrack_given(options, OPTION_REPLY_ZONE) ? &entry->reply_zone
                                                                        : NULL);
    if (conntrack_given(options, OPTION_ZONE))
        conntrack_request_u16(request, CTA_ZONE, entry->zone);
    put_changes(request, options, CONNTRACK_CONFIRMED, 0);
    put_nat(request, CTA_NAT_SRC, &options->src_nat);
    put_nat(request, CTA_NAT_DST, &options->dst_nat);
    if (any_label(&options->add_labels))
        put_labels(request, options, &none);
}

int conntrack_run_create(struct conntrack_writer *writer)
{
    const struct conntrack_options *options = writer->options;
    struct conntrack entry = make_entry(options);
    struct conntrack_request request;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    bool adds = options->command == CONNTRACK_ADD;
    int r = netlink_open(NETLINK_NETFILTER, &netlink);

    conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, entry.family);
    request.header.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
    put_new(&request, options, &entry);
    if (r == 0)
        r = conntrack_request_send(&netlink, &request, NULL, NULL);
    if (r < 0 && !(adds && r == -EEXIST))
        return conntrack_failed(r);
    conntrack_sum_up(r == 0,
                     adds ? "flow entries have been added" : "flow entries have been created");
    return 0;
}

/* --- one that is shown --- */

struct shower {
    struct conntrack_writer *writer;
    struct snapshot *strings;
};

static int show(void *context, uint16_t type, const void *payload, size_t length)
{
    const struct shower *shower = context;
    struct conntrack entry;
    struct conntrack_row row = {.entry = &entry, .strings = shower->strings};
    int r = conntrack_read(shower->strings, payload, length, &entry);

    (void)type;
    if (r == 0)
        conntrack_write(shower->writer, &row);
    return r;
}

int conntrack_run_get(struct conntrack_writer *writer)
{
    const struct conntrack_options *options = writer->options;
    struct conntrack entry = make_entry(options);
    bool by_reply = !conntrack_given(options, OPTION_SRC);
    CLEANUP(snapshot_done) struct snapshot strings;
    struct shower shower = {.writer = writer, .strings = &strings};
    struct conntrack_request request;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = snapshot_init(&strings);

    conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, entry.family);
    conntrack_request_tuple(&request, by_reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG,
                            by_reply ? &entry.reply : &entry.orig, entry.protocol, NULL);
    if (r == 0)
        r = netlink_open(NETLINK_NETFILTER, &netlink);
    if (r == 0)
        r = conntrack_request_send(&netlink, &request, show, &shower);
    if (r < 0)
        return conntrack_failed(r);
    r = conntrack_write_end(writer);
    conntrack_sum_up(writer->shown, "flow entries have been shown");
    return r < 0 ? CONNTRACK_FAILED : 0;
}

/* --- those that match --- */

/* A dump, beside which each match is changed by another socket. */
struct changer {
    struct conntrack_writer *writer;
    struct snapshot strings;
    struct netlink other;
    bool failed; /* some of them could not be changed, which was said */
};

static void changer_done(struct changer *changer)
{
    snapshot_done(&changer->strings);
    netlink_close(&changer->other);
}

static int delete_one(struct changer *changer, const struct conntrack *entry)
{
    struct conntrack_row row = {.entry = entry, .strings = &changer->strings};
    struct conntrack_request request;
    int r;

    conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, entry->family);
    conntrack_request_entry(&request, entry);
    r = conntrack_request_send(&changer->other, &request, NULL, NULL);
    if (r == 0)
        conntrack_write(changer->writer, &row);
    return r;
}

static int update_one(struct changer *changer, const struct conntrack *entry)
{
    const struct conntrack_options *options = changer->writer->options;
    struct conntrack_labels labels = conntrack_entry_labels(entry, &changer->strings);
    struct shower shower = {.writer = changer->writer, .strings = &changer->strings};
    struct conntrack_request request;
    int r;

    conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, entry->family);
    conntrack_request_entry(&request, entry);
    put_changes(&request, options, entry->status, entry->mark);
    if (any_label(&options->add_labels) || conntrack_given(options, OPTION_LABEL_DEL))
        put_labels(&request, options, &labels);
    r = conntrack_request_send(&changer->other, &request, NULL, NULL);
    conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, entry->family);
    conntrack_request_entry(&request, entry);
    if (r == 0)
        r = conntrack_request_send(&changer->other, &request, show, &shower);
    return r;
}

static int change(void *context, uint16_t type, const void *payload, size_t length)
{
    struct changer *changer = context;
    const struct conntrack_options *options = changer->writer->options;
    struct conntrack entry;
    int r = conntrack_read(&changer->strings, payload, length, &entry);

    (void)type;
    if (r < 0 || !conntrack_matches(options, &entry, &changer->strings))
        return r;
    r = options->command == CONNTRACK_DELETE ? delete_one(changer, &entry)
                                             : update_one(changer, &entry);
    if (r < 0 && r != -ENOENT) { /* -ENOENT: over in the meantime */
        conntrack_say("the kernel refuses it of one entry: %s", strerror(-r));
        changer->failed = true;
    }
    return 0;
}

static int change_matching(struct conntrack_writer *writer, const char *what)
{
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    CLEANUP(changer_done) struct changer changer = {.writer = writer, .other = NETLINK_INIT};
    struct conntrack_request request;
    int r = snapshot_init(&changer.strings), end;

    if (r == 0)
        r = netlink_open(NETLINK_NETFILTER, &changer.other);
    if (r == 0)
        r = netlink_open(NETLINK_NETFILTER, &netlink);
    conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET,
                            writer->options->wanted.family);
    if (r == 0)
        r = conntrack_request_dump(&netlink, &request, change, &changer, NULL);
    end = conntrack_write_end(writer);
    if (r < 0)
        return conntrack_failed(r);
    conntrack_sum_up(writer->shown, what);
    return end < 0 || !writer->shown || changer.failed ? CONNTRACK_FAILED : 0;
}

int conntrack_run_delete(struct conntrack_writer *writer)
{
    return change_matching(writer, "flow entries have been deleted");
}

int conntrack_run_update(struct conntrack_writer *writer)
{
    return change_matching(writer, "flow entries have been updated");
}

int conntrack_run_flush(struct conntrack_writer *writer)
{
    bool expected = writer->options->list == CONNTRACK_EXPECTATIONS;
    struct conntrack_request request;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_NETFILTER, &netlink);

    if (expected)
        conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_DELETE,
                                AF_UNSPEC);
    else
        conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE,
                                writer->options->wanted.family);
    if (r == 0)
        r = conntrack_request_send(&netlink, &request, NULL, NULL);
    if (r < 0)
        return conntrack_failed(r);
    conntrack_say(expected ? "expectations are gone" : "the table is empty now");
    return 0;
}

/* --- expectations --- */

static int show_expectation(void *context, uint16_t type, const void *payload, size_t length)
{
    const struct shower *shower = context;
    struct conntrack_expectation expectation;
    struct conntrack_row row = {.strings = shower->strings};
    int r = conntrack_read_expectation(shower->strings, payload, length, &expectation);

    (void)type;
    if (r == 0)
        conntrack_write_expectation(shower->writer, &expectation, &row);
    return r;
}

/* Of one that is there the tuple is its own; of a new one --src and the like are its master's. */
static void put_expectation(struct conntrack_request *request,
                            const struct conntrack_options *options)
{
    const struct conntrack *wanted = &options->wanted;
    struct conntrack_tuple mask = options->expected_mask;

    if (options->command != CONNTRACK_CREATE) {
        conntrack_request_tuple(request, CTA_EXPECT_TUPLE, &wanted->orig, wanted->protocol, NULL);
        return;
    }
    mask.src = options->src_mask;
    mask.dst = options->dst_mask;
    conntrack_request_tuple(request, CTA_EXPECT_MASTER, &wanted->orig, wanted->protocol, NULL);
    conntrack_request_tuple(request, CTA_EXPECT_TUPLE, &options->expected, wanted->protocol, NULL);
    conntrack_request_tuple(request, CTA_EXPECT_MASK, &mask, wanted->protocol, NULL);
    conntrack_request_u32(request, CTA_EXPECT_TIMEOUT, wanted->timeout_s);
}

int conntrack_run_expectation(struct conntrack_writer *writer)
{
    static const uint8_t messages[CONNTRACK_COMMAND_MAX] = {
        [CONNTRACK_CREATE] = IPCTNL_MSG_EXP_NEW,
        [CONNTRACK_GET] = IPCTNL_MSG_EXP_GET,
        [CONNTRACK_DELETE] = IPCTNL_MSG_EXP_DELETE,
    };
    const struct conntrack_options *options = writer->options;
    CLEANUP(snapshot_done) struct snapshot strings;
    struct shower shower = {.writer = writer, .strings = &strings};
    struct conntrack_request request;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = snapshot_init(&strings);

    conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK_EXP, messages[options->command],
                            options->wanted.family);
    if (options->command == CONNTRACK_CREATE)
        request.header.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
    put_expectation(&request, options);
    if (r == 0)
        r = netlink_open(NETLINK_NETFILTER, &netlink);
    if (r == 0)
        r = conntrack_request_send(&netlink, &request, show_expectation, &shower);
    if (r < 0)
        return conntrack_failed(r);
    r = options->command == CONNTRACK_GET ? conntrack_write_end(writer) : 0;
    return r < 0 ? CONNTRACK_FAILED : 0;
}
