/* SPDX-License-Identifier: MIT */
/* Parses one message of ctnetlink. Its numbers are in network order. */
#include "collect/conntrack_message.h"

#include "netlink/netlink.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(last) ((last) + 1)

#define TIMESTAMP_EVENT 27 /* CTA_TIMESTAMP_EVENT, which headers before 6.14 have not */

/* The attributes within an attribute; none of one that is not there. */
static void nested(const struct nlattr *attribute, const struct nlattr **ret_attributes,
                   size_t count)
{
    netlink_attributes(attribute ? netlink_data(attribute) : NULL,
                       attribute ? netlink_length(attribute) : 0, ret_attributes, count);
}

/* Bytes of a number; 0 where they are not all there. A hundred thousand entries have millions. */
#define GET(name, type, from_network)                                                              \
    static inline type name(const struct nlattr *attribute)                                        \
    {                                                                                              \
        type number = 0;                                                                           \
                                                                                                   \
        if (attribute && netlink_length(attribute) >= sizeof(number))                              \
            memcpy(&number, netlink_data(attribute), sizeof(number));                              \
        return from_network(number);                                                               \
    }

GET(get_u8, uint8_t, )
GET(get_u16, uint16_t, ntohs)
GET(get_u32, uint32_t, ntohl)
GET(get_u64, uint64_t, be64toh)

static bool read_addresses(const struct nlattr *ip, uint8_t family, struct conntrack_tuple *tuple)
{
    const struct nlattr *attributes[COUNT(CTA_IP_V6_DST)];
    bool v6 = family == AF_INET6;
    const struct nlattr *src, *dst;
    size_t length = v6 ? 16 : 4;

    nested(ip, attributes, ARRAY_SIZE(attributes));
    src = attributes[v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC];
    dst = attributes[v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST];
    if (!src || !dst || netlink_length(src) != length || netlink_length(dst) != length)
        return false;
    memcpy(&tuple->src, netlink_data(src), length);
    memcpy(&tuple->dst, netlink_data(dst), length);
    return true;
}

static void read_protocol(const struct nlattr *proto, struct conntrack_tuple *tuple,
                          uint8_t *ret_protocol)
{
    const struct nlattr *attributes[COUNT(CTA_PROTO_ICMPV6_CODE)];
    bool v6;

    nested(proto, attributes, ARRAY_SIZE(attributes));
    *ret_protocol = get_u8(attributes[CTA_PROTO_NUM]);
    tuple->src_port = get_u16(attributes[CTA_PROTO_SRC_PORT]);
    tuple->dst_port = get_u16(attributes[CTA_PROTO_DST_PORT]);
    if (attributes[CTA_PROTO_SRC_PORT])
        return;
    v6 = attributes[CTA_PROTO_ICMPV6_ID];
    tuple->icmp_id = get_u16(attributes[v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID]);
    tuple->icmp_type = get_u8(attributes[v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE]);
    tuple->icmp_code = get_u8(attributes[v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE]);
}

static bool read_tuple(const struct nlattr *attribute, uint8_t family,
                       struct conntrack_tuple *tuple, uint8_t *ret_protocol,
                       const struct nlattr **ret_zone)
{
    const struct nlattr *attributes[COUNT(CTA_TUPLE_ZONE)];

    nested(attribute, attributes, ARRAY_SIZE(attributes));
    read_protocol(attributes[CTA_TUPLE_PROTO], tuple, ret_protocol);
    *ret_zone = attributes[CTA_TUPLE_ZONE];
    return read_addresses(attributes[CTA_TUPLE_IP], family, tuple);
}

static bool read_directions(const struct nlattr *const *attributes, struct conntrack *entry)
{
    const struct nlattr *orig_zone, *reply_zone;

    if (!read_tuple(attributes[CTA_TUPLE_ORIG], entry->family, &entry->orig, &entry->protocol,
                    &orig_zone) ||
        !read_tuple(attributes[CTA_TUPLE_REPLY], entry->family, &entry->reply, &entry->protocol,
                    &reply_zone))
        return false;
    entry->orig_zone = get_u16(orig_zone);
    entry->reply_zone = get_u16(reply_zone);
    entry->has |=
        (orig_zone ? CONNTRACK_HAS_ORIG_ZONE : 0u) | (reply_zone ? CONNTRACK_HAS_REPLY_ZONE : 0u);
    return true;
}

static void read_counters(const struct nlattr *attribute, uint64_t *packets, uint64_t *bytes)
{
    const struct nlattr *attributes[COUNT(CTA_COUNTERS_BYTES)];

    nested(attribute, attributes, ARRAY_SIZE(attributes));
    *packets = get_u64(attributes[CTA_COUNTERS_PACKETS]);
    *bytes = get_u64(attributes[CTA_COUNTERS_BYTES]);
}

/* TCP, SCTP and DCCP have their state as the first attribute of their own. */
static void read_state(const struct nlattr *attribute, struct conntrack *entry)
{
    const struct nlattr *of_protocol[COUNT(CTA_PROTOINFO_SCTP)], *attributes[4];

    _Static_assert(CTA_PROTOINFO_TCP_STATE == 1 && CTA_PROTOINFO_SCTP_STATE == 1 &&
                       CTA_PROTOINFO_DCCP_STATE == 1,
                   "the state has the same number in each");
    nested(attribute, of_protocol, ARRAY_SIZE(of_protocol));
    for (size_t i = CTA_PROTOINFO_TCP; i < ARRAY_SIZE(of_protocol); i++) {
        if (!of_protocol[i])
            continue;
        nested(of_protocol[i], attributes, ARRAY_SIZE(attributes));
        if (attributes[1]) {
            entry->state = get_u8(attributes[1]);
            entry->has |= CONNTRACK_HAS_STATE;
        }
    }
    if (of_protocol[CTA_PROTOINFO_SCTP]) {
        entry->orig_tag = get_u32(attributes[CTA_PROTOINFO_SCTP_VTAG_ORIGINAL]);
        entry->reply_tag = get_u32(attributes[CTA_PROTOINFO_SCTP_VTAG_REPLY]);
        entry->has |= CONNTRACK_HAS_TAGS;
    }
}

static void read_times(const struct nlattr *attribute, struct conntrack *entry)
{
    const struct nlattr *attributes[COUNT(CTA_TIMESTAMP_STOP)];

    if (!attribute)
        return;
    nested(attribute, attributes, ARRAY_SIZE(attributes));
    entry->start_ns = get_u64(attributes[CTA_TIMESTAMP_START]);
    entry->stop_ns = get_u64(attributes[CTA_TIMESTAMP_STOP]);
    entry->has |= entry->start_ns ? CONNTRACK_HAS_START : 0;
    entry->has |= entry->stop_ns ? CONNTRACK_HAS_STOP : 0;
}

/* Of an attribute that is a C string. */
static int intern_text(struct snapshot *snapshot, const struct nlattr *text, uint32_t *ret_string)
{
    if (!text)
        return 0;
    return snapshot_intern(snapshot, netlink_data(text),
                           strnlen(netlink_data(text), netlink_length(text)), ret_string);
}

static int read_texts(struct snapshot *snapshot, const struct nlattr *const *attributes,
                      struct conntrack *entry)
{
    const struct nlattr *inner[COUNT(CTA_HELP_INFO)], *labels = attributes[CTA_LABELS];
    int r;

    if (!attributes[CTA_HELP] && !attributes[CTA_SECCTX] && !labels) /* mostly so */
        return 0;
    nested(attributes[CTA_HELP], inner, ARRAY_SIZE(inner));
    r = intern_text(snapshot, inner[CTA_HELP_NAME], &entry->helper);
    nested(attributes[CTA_SECCTX], inner, ARRAY_SIZE(inner));
    if (r == 0)
        r = intern_text(snapshot, inner[CTA_SECCTX_NAME], &entry->security);
    if (r == 0 && labels)
        r = snapshot_intern(snapshot, netlink_data(labels), netlink_length(labels), &entry->labels);
    return r;
}

static void read_numbers(const struct nlattr *const *attributes, struct conntrack *entry)
{
    const struct {
        unsigned int attribute;
        enum conntrack_has has;
        uint32_t *number;
    } numbers[] = {
        {CTA_TIMEOUT, CONNTRACK_HAS_TIMEOUT, &entry->timeout_s},
        {CTA_MARK, CONNTRACK_HAS_MARK, &entry->mark},
        {CTA_USE, CONNTRACK_HAS_USE, &entry->use},
        {CTA_ID, CONNTRACK_HAS_ID, &entry->id},
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (attributes[numbers[i].attribute]) {
            *numbers[i].number = get_u32(attributes[numbers[i].attribute]);
            entry->has |= numbers[i].has;
        }
    entry->status = get_u32(attributes[CTA_STATUS]);
    if (attributes[CTA_ZONE]) {
        entry->zone = get_u16(attributes[CTA_ZONE]);
        entry->has |= CONNTRACK_HAS_ZONE;
    }
    if (attributes[CTA_COUNTERS_ORIG]) {
        read_counters(attributes[CTA_COUNTERS_ORIG], &entry->orig_packets, &entry->orig_bytes);
        read_counters(attributes[CTA_COUNTERS_REPLY], &entry->reply_packets, &entry->reply_bytes);
        entry->has |= CONNTRACK_HAS_COUNTERS;
    }
}

/* Its attributes and family; false: it is of neither that is known here. */
static bool open_message(const void *payload, size_t length, const struct nlattr **attributes,
                         size_t count, uint8_t *ret_family)
{
    struct nfgenmsg message;

    if (length < sizeof(message))
        return false;
    memcpy(&message, payload, sizeof(message));
    *ret_family = message.nfgen_family;
    netlink_attributes((const char *)payload + NLMSG_ALIGN(sizeof(message)),
                       length - sizeof(message), attributes, count);
    return message.nfgen_family == AF_INET || message.nfgen_family == AF_INET6;
}

int conntrack_read(struct snapshot *snapshot, const void *payload, size_t length,
                   struct conntrack *ret_entry)
{
    const struct nlattr *attributes[COUNT(CTA_LABELS)];
    struct conntrack entry = {.netns = 0};
    int r;

    if (!open_message(payload, length, attributes, ARRAY_SIZE(attributes), &entry.family) ||
        !read_directions(attributes, &entry))
        return -EBADMSG;
    read_numbers(attributes, &entry);
    read_state(attributes[CTA_PROTOINFO], &entry);
    read_times(attributes[CTA_TIMESTAMP], &entry);
    r = read_texts(snapshot, attributes, &entry);
    if (r == 0)
        *ret_entry = entry;
    return r;
}

int conntrack_read_expectation(struct snapshot *snapshot, const void *payload, size_t length,
                               struct conntrack_expectation *ret_expectation)
{
    const struct nlattr *attributes[COUNT(CTA_EXPECT_FN)], *zone;
    struct conntrack_expectation expectation = {.timeout_s = 0};
    uint8_t other;
    int r;

    if (!open_message(payload, length, attributes, ARRAY_SIZE(attributes), &expectation.family) ||
        !read_tuple(attributes[CTA_EXPECT_TUPLE], expectation.family, &expectation.tuple,
                    &expectation.protocol, &zone) ||
        !read_tuple(attributes[CTA_EXPECT_MASK], expectation.family, &expectation.mask, &other,
                    &zone) ||
        !read_tuple(attributes[CTA_EXPECT_MASTER], expectation.family, &expectation.master, &other,
                    &zone))
        return -EBADMSG;
    expectation.timeout_s = get_u32(attributes[CTA_EXPECT_TIMEOUT]);
    expectation.class = get_u32(attributes[CTA_EXPECT_CLASS]);
    expectation.zone = get_u16(attributes[CTA_EXPECT_ZONE]);
    r = intern_text(snapshot, attributes[CTA_EXPECT_HELP_NAME], &expectation.helper);
    if (r == 0)
        *ret_expectation = expectation;
    return r;
}

enum tracked_kind conntrack_message_kind(const struct nlmsghdr *message)
{
    switch (NFNL_MSG_TYPE(message->nlmsg_type)) {
    case IPCTNL_MSG_CT_DELETE:
        return TRACKED_FORGOTTEN;
    case IPCTNL_MSG_CT_NEW:
        return message->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL) ? TRACKED_NEW : TRACKED_CHANGED;
    default:
        return TRACKED_KIND_MAX;
    }
}

uint64_t conntrack_message_time(const void *payload, size_t length)
{
    const struct nlattr *attributes[COUNT(TIMESTAMP_EVENT)];
    uint8_t family;

    return open_message(payload, length, attributes, ARRAY_SIZE(attributes), &family)
               ? get_u64(attributes[TIMESTAMP_EVENT])
               : 0;
}
