/* SPDX-License-Identifier: MIT */
/* Filter language: what collectors need not bring. Too much is allowed, too little never. */
#include "model/match_list.h"
#include "table/filter_tree.h"

#include <string.h>
#include <sys/socket.h>

/* Sockets that a part of the filter can accept. */
struct bounds {
    uint32_t protos, states;
    uint64_t families;
};

static const struct bounds nothing;
static const struct bounds unbounded = {.protos = ~0u, .states = ~0u, .families = ~0ull};

/* The protocols of these address families. */
static uint32_t protos_of_families(uint64_t families)
{
    const uint64_t inet = 1ull << AF_INET | 1ull << AF_INET6;
    uint32_t protos = families & inet ? PROTO_INET_ALL : 0;

    protos |= families & (1ull << AF_UNIX) ? PROTO_BIT(PROTO_UNIX) : 0;
    protos |= families & (1ull << AF_PACKET) ? PROTO_BIT(PROTO_PACKET) : 0;
    protos |= families & (1ull << AF_NETLINK) ? PROTO_BIT(PROTO_NETLINK) : 0;
    protos |= families & (1ull << AF_VSOCK) ? PROTO_BIT(PROTO_VSOCK) : 0;
    return protos;
}

static struct bounds families_only(uint64_t families)
{
    struct bounds bounds = unbounded;

    bounds.families = families;
    bounds.protos = protos_of_families(families);
    return bounds;
}

/* A condition on a column, when it holds. */
static struct bounds field_bounds(const struct filter_node *node)
{
    struct bounds bounds = unbounded;

    if (node->kind == FILTER_TRUE && node->flag) {
        bounds.protos = node->flag->protos;
        bounds.states = node->flag->states;
    } else if (node->column && !node->owner_column &&
               (strcmp(node->column->name, "path") == 0 ||
                strcmp(node->column->name, "peer_path") == 0)) {
        bounds.protos = PROTO_BIT(PROTO_UNIX);
    }
    return bounds;
}

static struct bounds leaf_bounds(const struct filter_node *node, bool negated)
{
    struct bounds bounds = unbounded;
    uint64_t mask = negated ? ~node->mask : node->mask;

    switch (node->kind) {
    case FILTER_PROTO:
        bounds.protos = (uint32_t)mask;
        return bounds;
    case FILTER_STATE:
        bounds.states = (uint32_t)mask;
        return bounds;
    case FILTER_FAMILY:
        return families_only(mask);
    default:
        break;
    }
    if (negated)
        return unbounded;
    switch (node->kind) {
    case FILTER_PORT:
        bounds.protos = PROTO_INET_ALL | PROTO_BIT(PROTO_VSOCK);
        return bounds;
    case FILTER_SCOPE:
        return families_only(1ull << AF_INET | 1ull << AF_INET6);
    case FILTER_PREFIX:
        return families_only(1ull << AF_INET6 |
                             (node->prefix.family == AF_INET ? 1ull << AF_INET : 0));
    default:
        return field_bounds(node);
    }
}

static bool is_join(const struct filter_node *node)
{
    return node->kind == FILTER_AND || node->kind == FILTER_OR;
}

/* By de Morgan a negation wanders down to the leaves, where it is exact. */
static bool is_and(const struct filter_node *node, bool negated)
{
    return (node->kind == FILTER_AND) != negated;
}

static struct bounds bounds_of(const struct filter_node *node, bool negated)
{
    bool all = is_and(node, negated);
    struct bounds bounds = all ? unbounded : nothing;

    if (node->kind == FILTER_ALL)
        return negated ? nothing : unbounded;
    if (node->kind == FILTER_NOT)
        return bounds_of(node->child, !negated);
    if (!is_join(node))
        return leaf_bounds(node, negated);
    for (const struct filter_node *child = node->child; child; child = child->next) {
        struct bounds one = bounds_of(child, negated);

        bounds.protos = all ? bounds.protos & one.protos : bounds.protos | one.protos;
        bounds.states = all ? bounds.states & one.states : bounds.states | one.states;
        bounds.families = all ? bounds.families & one.families : bounds.families | one.families;
    }
    return bounds;
}

struct builder {
    struct arena *arena;
    struct match_list list;
    /* Sockets without ports may be wanted: the kernel gives a raw one its protocol as port. */
    bool portless;
};

static uint32_t port_match(struct builder *builder, const struct filter_node *node)
{
    struct match match = {.op = node->peer ? MATCH_PEER_PORT : MATCH_LOCAL_PORT};

    if (node->port.low > UINT16_MAX)
        return MATCH_EVERYTHING;
    match.low = (uint16_t)node->port.low;
    match.high = node->port.high > UINT16_MAX ? UINT16_MAX : (uint16_t)node->port.high;
    return match_list_add(&builder->list, match);
}

/* An IPv4 prefix, and the same as ::ffff:a.b.c.d. */
static uint32_t prefix_match(struct builder *builder, const struct filter_node *node)
{
    struct match match = {.op = node->peer ? MATCH_PEER_ADDR : MATCH_LOCAL_ADDR};
    uint32_t plain, mapped;

    match.family = node->prefix.family;
    match.prefix = node->prefix.bits;
    match.address = node->prefix.address;
    plain = match_list_add(&builder->list, match);
    if (match.family != AF_INET)
        return plain;
    match.family = AF_INET6;
    match.prefix = (uint8_t)(96 + node->prefix.bits);
    match.address = (union address){.bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(match.address.bytes + 12, node->prefix.address.bytes, 4);
    mapped = match_list_add(&builder->list, match);
    return match_list_add(&builder->list,
                          (struct match){.op = MATCH_OR, .left = plain, .right = mapped});
}

static uint32_t leaf_match(struct builder *builder, const struct filter_node *node, bool negated)
{
    uint32_t index;

    if (node->kind == FILTER_PREFIX)
        index = prefix_match(builder, node);
    else if (node->kind == FILTER_PORT && !(negated && builder->portless))
        index = port_match(builder, node);
    else
        return MATCH_EVERYTHING;
    if (index == MATCH_EVERYTHING || !negated)
        return index;
    return match_list_add(&builder->list, (struct match){.op = MATCH_NOT, .left = index});
}

static uint32_t build(struct builder *builder, const struct filter_node *node, bool negated);

/* Joins the conditions pairwise, so that the tree is flat. */
static uint32_t join_matches(struct builder *builder, enum match_op op, uint32_t *items,
                             uint32_t count)
{
    while (count > 1) {
        uint32_t kept = 0;

        for (uint32_t i = 0; i + 1 < count; i += 2)
            items[kept++] = match_list_add(
                &builder->list, (struct match){.op = op, .left = items[i], .right = items[i + 1]});
        if (count % 2)
            items[kept++] = items[count - 1];
        count = kept;
    }
    return count ? items[0] : MATCH_EVERYTHING;
}

static uint32_t build_join(struct builder *builder, const struct filter_node *node, bool negated)
{
    bool all = is_and(node, negated);
    uint32_t start = builder->list.count, count = 0, *items;

    for (const struct filter_node *child = node->child; child; child = child->next)
        count++;
    items = arena_alloc(builder->arena, count * sizeof(*items));
    if (!items) {
        builder->list.full = true;
        return MATCH_EVERYTHING;
    }
    count = 0;
    for (const struct filter_node *child = node->child; child && !builder->list.full;
         child = child->next) {
        uint32_t index = build(builder, child, negated);

        if (index != MATCH_EVERYTHING) {
            items[count++] = index;
        } else if (!all) {
            /* One way in that nobody can check: everything may come in. */
            builder->list.count = start;
            return MATCH_EVERYTHING;
        }
    }
    return join_matches(builder, all ? MATCH_AND : MATCH_OR, items, count);
}

static uint32_t build(struct builder *builder, const struct filter_node *node, bool negated)
{
    if (node->kind == FILTER_NOT)
        return build(builder, node->child, !negated);
    if (is_join(node))
        return build_join(builder, node, negated);
    return leaf_match(builder, node, negated);
}

static int push_matches(const struct filter *filter, struct arena *arena, struct request *request)
{
    const uint32_t portless = PROTO_BIT(PROTO_RAW) | PROTO_BIT(PROTO_ICMP);
    struct builder builder = {.arena = arena, .portless = (request->protos & portless) != 0};
    uint32_t root;

    if (match_list_init(&builder.list, arena) < 0)
        return -ENOMEM;
    root = build(&builder, filter->root, false);
    match_list_push(&builder.list, root, request);
    return 0;
}

static bool is_pid(const struct filter_node *node)
{
    const struct column *column = node->column ? node->column : node->owner_column;

    return node->kind == FILTER_NUMBER && node->number.op == FILTER_OP_EQ && !node->number.more &&
           node->number.number <= UINT32_MAX && strcmp(column->name, "pid") == 0;
}

/* Every accepted row belongs to a process that is named: `pid N` on every path. */
static bool pids_implied(const struct filter_node *node, bool negated)
{
    bool all = is_and(node, negated);

    if (node->kind == FILTER_NOT)
        return pids_implied(node->child, !negated);
    if (!is_join(node))
        return !negated && is_pid(node);
    for (const struct filter_node *child = node->child; child; child = child->next)
        if (pids_implied(child, negated) == all)
            return all;
    return !all;
}

/* A condition that other processes, or sockets of other processes, decide as well. */
static bool looks_elsewhere(const struct filter *filter, const struct filter_node *node)
{
    const uint64_t others =
        NEED_OWNERS | NEED_HELD | NEED_LISTENERS | NEED_SYN_QUEUE | NEED_UNIX_PEER;
    uint64_t needs =
        (node->column ? node->column->needs : 0) | (node->owner_column ? NEED_OWNERS : 0);

    return node->kind == FILTER_CHILD_OF || (filter->sockets && (needs & others));
}

struct pids {
    uint32_t *pids; /* NULL: only count */
    uint32_t count;
};

/*
 * Every pid that is named, negated or not. False when other conditions would not see what they need
 * if only these were read.
 */
static bool collect_pids(const struct filter *filter, const struct filter_node *node,
                         struct pids *pids)
{
    if (is_pid(node)) {
        if (pids->pids)
            pids->pids[pids->count] = (uint32_t)node->number.number;
        pids->count++;
        return true;
    }
    if (!node->child)
        return !looks_elsewhere(filter, node);
    for (const struct filter_node *child = node->child; child; child = child->next)
        if (!collect_pids(filter, child, pids))
            return false;
    return true;
}

static int push_pids(const struct filter *filter, struct arena *arena, struct request *request)
{
    struct pids pids = {0};

    if (!pids_implied(filter->root, false) || !collect_pids(filter, filter->root, &pids))
        return 0;
    pids.pids = arena_alloc(arena, pids.count * sizeof(*pids.pids));
    if (!pids.pids)
        return -ENOMEM;
    pids.count = 0;
    collect_pids(filter, filter->root, &pids);
    request->pids = pids.pids;
    request->pid_count = pids.count;
    return 0;
}

int filter_push_down(const struct filter *filter, struct arena *arena, struct request *request)
{
    struct bounds bounds;
    int r = 0;

    if (filter->sockets) {
        bounds = bounds_of(filter->root, false);
        request->protos &= bounds.protos;
        request->states &= bounds.states;
        request->families &= (uint32_t)bounds.families;
        r = push_matches(filter, arena, request);
    }
    if (r == 0 &&
        (filter->sockets || filter->table == &table_processes || filter->table == &table_threads))
        r = push_pids(filter, arena, request);
    return r;
}
