/* SPDX-License-Identifier: MIT */
/* conntrack: whether an entry is one that was asked for. */
#include "compat/conntrack.h"

static bool same_address(const union address *one, const union address *other)
{
    return memcmp(one, other, sizeof(*one)) == 0;
}

static bool within(const union address *address, const union address *wanted,
                   const union address *mask)
{
    for (size_t i = 0; i < sizeof(address->bytes); i++)
        if ((address->bytes[i] ^ wanted->bytes[i]) & mask->bytes[i])
            return false;
    return true;
}

bool conntrack_has_src_nat(const struct conntrack *entry)
{
    return entry->status & CONNTRACK_SRC_NAT && !same_address(&entry->orig.src, &entry->reply.dst);
}

bool conntrack_has_dst_nat(const struct conntrack *entry)
{
    return entry->status & CONNTRACK_DST_NAT && !same_address(&entry->orig.dst, &entry->reply.src);
}

static bool src_nat_matches(const struct conntrack_nat *nat, const struct conntrack *entry)
{
    bool port = entry->status & CONNTRACK_SRC_NAT && entry->orig.src_port != entry->reply.dst_port;

    if (!nat->has_address)
        return conntrack_has_src_nat(entry) || port;
    return conntrack_has_src_nat(entry) && same_address(&nat->address, &entry->reply.dst) &&
           (!nat->port || nat->port == entry->reply.dst_port);
}

static bool dst_nat_matches(const struct conntrack_nat *nat, const struct conntrack *entry)
{
    bool port = entry->status & CONNTRACK_DST_NAT && entry->orig.dst_port != entry->reply.src_port;

    if (!nat->has_address)
        return conntrack_has_dst_nat(entry) || port;
    return conntrack_has_dst_nat(entry) && same_address(&nat->address, &entry->reply.src) &&
           (!nat->port || nat->port == entry->reply.src_port);
}

static bool nat_matches(const struct conntrack_options *options, const struct conntrack *entry)
{
    if (conntrack_given(options, OPTION_SRC_NAT) && !src_nat_matches(&options->src_nat, entry))
        return false;
    if (conntrack_given(options, OPTION_DST_NAT) && !dst_nat_matches(&options->dst_nat, entry))
        return false;
    return !conntrack_given(options, OPTION_ANY_NAT) || src_nat_matches(&options->any_nat, entry) ||
           dst_nat_matches(&options->any_nat, entry);
}

static bool addresses_match(const struct conntrack_options *options, const struct conntrack *entry)
{
    const struct conntrack *wanted = &options->wanted;
    const struct {
        enum conntrack_option option;
        const union address *is, *wanted;
    } reply[] = {
        {OPTION_REPLY_SRC, &entry->reply.src, &wanted->reply.src},
        {OPTION_REPLY_DST, &entry->reply.dst, &wanted->reply.dst},
    };

    if (wanted->family && wanted->family != entry->family)
        return false;
    if (conntrack_given(options, OPTION_SRC) &&
        !within(&entry->orig.src, &wanted->orig.src, &options->src_mask))
        return false;
    if (conntrack_given(options, OPTION_DST) &&
        !within(&entry->orig.dst, &wanted->orig.dst, &options->dst_mask))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(reply); i++)
        if (conntrack_given(options, reply[i].option) &&
            !same_address(reply[i].is, reply[i].wanted))
            return false;
    return true;
}

/* All that is a number and has to be equal. */
static bool numbers_match(const struct conntrack_options *options, const struct conntrack *entry)
{
    const struct conntrack *wanted = &options->wanted;
    const struct {
        enum conntrack_option option;
        uint32_t is, wanted;
    } numbers[] = {
        {OPTION_PROTOCOL, entry->protocol, wanted->protocol},
        {OPTION_SRC_PORT, entry->orig.src_port, wanted->orig.src_port},
        {OPTION_DST_PORT, entry->orig.dst_port, wanted->orig.dst_port},
        {OPTION_REPLY_SRC_PORT, entry->reply.src_port, wanted->reply.src_port},
        {OPTION_REPLY_DST_PORT, entry->reply.dst_port, wanted->reply.dst_port},
        {OPTION_ICMP_TYPE, entry->orig.icmp_type, wanted->orig.icmp_type},
        {OPTION_ICMP_CODE, entry->orig.icmp_code, wanted->orig.icmp_code},
        {OPTION_ICMP_ID, entry->orig.icmp_id, wanted->orig.icmp_id},
        {OPTION_ZONE, entry->zone, wanted->zone},
        {OPTION_ORIG_ZONE, entry->orig_zone, wanted->orig_zone},
        {OPTION_REPLY_ZONE, entry->reply_zone, wanted->reply_zone},
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (conntrack_given(options, numbers[i].option) && numbers[i].is != numbers[i].wanted)
            return false;
    return true;
}

static bool status_matches(const struct conntrack_options *options, const struct conntrack *entry)
{
    if ((entry->status & options->wanted.status) != options->wanted.status ||
        (options->unreplied && entry->status & CONNTRACK_SEEN_REPLY))
        return false;
    for (size_t i = 0; options->unset && conntrack_status_words[i].word; i++)
        if (entry->status & conntrack_status_words[i].bits)
            return false;
    return true;
}

static bool labels_match(const struct conntrack_options *options, const struct conntrack *entry,
                         const struct snapshot *strings)
{
    struct conntrack_labels labels = conntrack_entry_labels(entry, strings);

    for (size_t i = 0; i < sizeof(labels.bytes); i++)
        if (options->labels.bytes[i] & ~labels.bytes[i])
            return false;
    return true;
}

/* What -U is told of mark, status and state is what they will be. */
bool conntrack_matches(const struct conntrack_options *options, const struct conntrack *entry,
                       const struct snapshot *strings)
{
    if (!options->given)
        return true;
    if (!numbers_match(options, entry) || !addresses_match(options, entry) ||
        !nat_matches(options, entry) || !labels_match(options, entry, strings))
        return false;
    if (options->command == CONNTRACK_UPDATE)
        return true;
    if (conntrack_given(options, OPTION_MARK) &&
        (entry->mark & options->mark_mask) != options->wanted.mark)
        return false;
    if (conntrack_given(options, OPTION_STATE) &&
        (!(entry->has & CONNTRACK_HAS_STATE) || entry->state != options->wanted.state))
        return false;
    return status_matches(options, entry);
}
