/* SPDX-License-Identifier: MIT */
/* Filter language: is this row wanted? Sockets are read without columns where that is the same. */
#include "table/filter_tree.h"

#include "derive/address.h"
#include "derive/port_range.h"
#include "table/cells.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct row {
    const struct filter *filter;
    const struct view *view;
    const struct socket *socket; /* NULL: ask the columns */
    uint64_t unknown;            /* enum need: facts that conditions are not known of ... */
    bool assumed;                /* ... and then taken to be this */
    uint32_t index;
};

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static struct value column_value(const struct row *row, const struct filter_node *node)
{
    return node->column->get(row->view, row->index);
}

/* Only these have ports in the fields of struct socket. */
static bool has_ports(const struct socket *socket)
{
    const uint32_t without = PROTO_BIT(PROTO_RAW) | PROTO_BIT(PROTO_ICMP);

    return address_is_inet(socket->family) && !(PROTO_BIT(socket->proto) & without);
}

static bool port_of(const struct row *row, const struct filter_node *node, uint64_t *ret_port)
{
    struct value value;

    if (row->socket && has_ports(row->socket)) {
        *ret_port = node->peer ? row->socket->peer_port : row->socket->local_port;
        return true;
    }
    value = column_value(row, node);
    *ret_port = value.uint;
    return value.type == VALUE_UINT;
}

static bool test_port(const struct row *row, const struct filter_node *node)
{
    uint64_t port;

    return port_of(row, node, &port) && node->port.low <= port && port <= node->port.high;
}

/* The address of a row: its bytes, and the family; 0 when there is none. */
static unsigned int address_of(const struct row *row, const struct filter_node *node,
                               const uint8_t **ret_bytes)
{
    struct value value;

    if (row->socket) {
        *ret_bytes = node->peer ? row->socket->peer.bytes : row->socket->local.bytes;
        return address_is_inet(row->socket->family) ? row->socket->family : 0;
    }
    value = column_value(row, node);
    if (value.type != VALUE_ADDRESS)
        return 0;
    *ret_bytes = value.address.bytes;
    return value.address.family;
}

static bool test_prefix(const struct row *row, const struct filter_node *node)
{
    const uint8_t *bytes = NULL;
    unsigned int family = address_of(row, node, &bytes);

    if (family == AF_INET6 && node->prefix.family == AF_INET &&
        memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        bytes += sizeof(mapped_prefix);
        family = AF_INET;
    }
    return family == node->prefix.family &&
           address_in_prefix(bytes, node->prefix.address.bytes, node->prefix.bits);
}

static bool test_scope(const struct row *row, const struct filter_node *node)
{
    const uint8_t *bytes = NULL;
    unsigned int family = address_of(row, node, &bytes);
    union address address = {0};

    if (!bytes || !address_is_inet(family))
        return false;
    memcpy(address.bytes, bytes, family == AF_INET ? 4 : 16);
    return (node->mask >> address_scope(family, &address)) & 1;
}

/* The bit of a name in a mask; for rows that are known by their columns only. */
static uint64_t bit_of_name(enum filter_kind kind, const struct value *value)
{
    static const unsigned int families[] = {AF_INET,   AF_INET6,   AF_UNIX,
                                            AF_PACKET, AF_NETLINK, AF_VSOCK};
    unsigned int proto;
    uint32_t states;
    char name[24];

    if (value->type != VALUE_STRING || value->string.length >= sizeof(name))
        return 0;
    memcpy(name, value->string.bytes, value->string.length);
    name[value->string.length] = '\0';
    if (kind == FILTER_PROTO)
        return socket_proto_parse(name, &proto) == 0 ? PROTO_BIT(proto) : STATE_BIT(0);
    if (kind == FILTER_STATE)
        return socket_state_parse(name, &states) == 0 ? states : STATE_BIT(STATE_UNKNOWN);
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (strcmp(name, socket_family_name(families[i])) == 0)
            return 1ull << families[i];
    return 0;
}

static bool test_mask(const struct row *row, const struct filter_node *node)
{
    struct value value;

    if (row->socket && node->kind == FILTER_PROTO)
        return (node->mask >> row->socket->proto) & 1;
    if (row->socket && node->kind == FILTER_STATE)
        return (node->mask >> row->socket->state) & 1;
    if (row->socket)
        return row->socket->family < 64 && ((node->mask >> row->socket->family) & 1);
    value = column_value(row, node);
    return (node->mask & bit_of_name(node->kind, &value)) != 0;
}

/* -1, 0, 1: the value against the wanted number, which may be a little more than its integer. */
static int compare_number(const struct value *value, const struct filter_node *node,
                          bool *ret_known)
{
    uint64_t number;

    *ret_known = true;
    switch (value->type) {
    case VALUE_UINT:
        number = value->uint;
        break;
    case VALUE_INT:
        if (value->integer < 0)
            return -1;
        number = (uint64_t)value->integer;
        break;
    case VALUE_LIST:
        number = value->list.count;
        break;
    default:
        *ret_known = false;
        return 0;
    }
    if (number == node->number.number)
        return node->number.more ? -1 : 0;
    return number < node->number.number ? -1 : 1;
}

static bool value_in_order(const struct value *value, const struct filter_node *node)
{
    bool known;
    int order = compare_number(value, node, &known);

    if (!known)
        return false;
    switch (node->number.op) {
    case FILTER_OP_NE:
        return order != 0;
    case FILTER_OP_LT:
        return order < 0;
    case FILTER_OP_LE:
        return order <= 0;
    case FILTER_OP_GT:
        return order > 0;
    case FILTER_OP_GE:
        return order >= 0;
    default:
        return order == 0;
    }
}

static bool value_is_true(const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL:
        return value->boolean;
    case VALUE_UINT:
        return value->uint != 0;
    case VALUE_INT:
        return value->integer != 0;
    case VALUE_LIST:
        return value->list.count != 0;
    case VALUE_STRING:
        return value->string.length != 0;
    case VALUE_ADDRESS:
        return true;
    case VALUE_NONE:
        break;
    }
    return false;
}

/*
 * Up from this process to the wanted one. A chain cannot be longer than there are processes: pids
 * may be used again while they are read.
 */
static bool descends_from(const struct snapshot *snapshot, uint64_t pid, uint32_t wanted)
{
    for (uint32_t steps = 0; pid && steps <= snapshot->processes_count; steps++) {
        uint32_t index;

        if (pid == wanted)
            return true;
        index = map_get(&snapshot->process_index, pid);
        if (index == MAP_NONE || !(snapshot->processes[index].has & PROCESS_HAS_PPID))
            return false;
        pid = snapshot->processes[index].ppid;
    }
    return false;
}

static bool is_user(const struct row *row, uint32_t uid, const struct value *value)
{
    const char *name = cell_user_name(row->view, uid);
    char digits[16];

    if (!name) {
        snprintf(digits, sizeof(digits), "%u", uid);
        name = digits;
    }
    return value->type == VALUE_STRING && strlen(name) == value->string.length &&
           memcmp(name, value->string.bytes, value->string.length) == 0;
}

static bool test_value(const struct row *row, const struct filter_node *node,
                       const struct value *value)
{
    switch (node->kind) {
    case FILTER_NUMBER:
        return value_in_order(value, node);
    case FILTER_TEXT:
        return filter_pattern_matches(&node->pattern, value);
    case FILTER_USER:
        return is_user(row, node->uid, value);
    case FILTER_CHILD_OF:
        return value->type == VALUE_UINT &&
               descends_from(row->view->snapshot, value->uint, node->pid);
    default:
        return value_is_true(value);
    }
}

static bool is_assumed(const struct row *row, const struct filter_node *node)
{
    uint64_t facts = node->kind == FILTER_CHILD_OF ? NEED_PROCESS_STAT
                     : node->column                ? node->column->needs
                                                   : 0;

    return row->unknown & facts && row->assumed;
}

/* The row's own value, or that of any of its owners. */
static bool test_field(const struct row *row, const struct filter_node *node)
{
    struct value value, list;

    if (node->column) {
        value = column_value(row, node);
        if (test_value(row, node, &value))
            return true;
    }
    if (!node->owner_column)
        return is_assumed(row, node);
    list = node->owners->get(row->view, row->index);
    for (uint32_t i = 0; list.type == VALUE_LIST && i < list.list.count; i++) {
        value = node->owner_column->get(row->view, list.list.first + i);
        if (test_value(row, node, &value))
            return true;
    }
    return false;
}

static bool test_mark(const struct row *row, const struct filter_node *node)
{
    struct value value = column_value(row, node);

    return value.type == VALUE_UINT && ((uint32_t)value.uint & node->mark.mask) == node->mark.value;
}

/*
 * A name that the kernel made up for a unix socket: five hexadecimal digits in the abstract name
 * space. Unnamed ones count, too.
 */
static bool unix_autobound(const struct row *row)
{
    size_t length;
    const char *path = snapshot_string(row->view->snapshot, row->socket->path, &length);

    if (length == 0)
        return true;
    return (row->socket->flags & SOCKET_ABSTRACT) && length == 5 &&
           strspn(path, "0123456789abcdef") == 5;
}

static bool test_port_range(const struct row *row, const struct filter_node *node)
{
    uint64_t port;

    return port_of(row, node, &port) &&
           port_range_has(row->view->snapshot, row->filter->table->netns(row->view, row->index),
                          port);
}

/* The rules of ss(8). */
static bool test_autobound(const struct row *row, const struct filter_node *node)
{
    switch (row->socket ? row->socket->family : AF_UNSPEC) {
    case AF_UNIX:
        return unix_autobound(row);
    case AF_PACKET:
        return row->socket->protocol == 0 && row->socket->ifindex == 0;
    case AF_NETLINK:
        return (int32_t)row->socket->local.words[0] < 0;
    case AF_VSOCK:
        return row->socket->local.words[1] > 1023;
    default:
        return test_port_range(row, node);
    }
}

static bool test_node(const struct row *row, const struct filter_node *node);

static bool test_children(const struct row *row, const struct filter_node *node)
{
    bool any = node->kind == FILTER_OR;

    for (const struct filter_node *child = node->child; child; child = child->next)
        if (test_node(row, child) == any)
            return any;
    return !any;
}

static bool test_opposite(const struct row *row, const struct filter_node *node)
{
    struct row opposite = *row;

    opposite.assumed = !row->assumed;
    return !test_node(&opposite, node);
}

static bool test_node(const struct row *row, const struct filter_node *node)
{
    switch (node->kind) {
    case FILTER_ALL:
        return true;
    case FILTER_AND:
    case FILTER_OR:
        return test_children(row, node);
    case FILTER_NOT:
        return test_opposite(row, node->child);
    case FILTER_PROTO:
    case FILTER_STATE:
    case FILTER_FAMILY:
        return test_mask(row, node);
    case FILTER_SCOPE:
        return test_scope(row, node);
    case FILTER_PORT:
        return test_port(row, node);
    case FILTER_PREFIX:
        return test_prefix(row, node);
    case FILTER_MARK:
        return test_mark(row, node);
    case FILTER_AUTOBOUND:
        return test_autobound(row, node);
    default:
        return test_field(row, node);
    }
}

static struct row row_of(const struct filter *filter, const struct view *view, uint32_t index)
{
    return (struct row){.filter = filter,
                        .view = view,
                        .socket = filter->sockets ? &view->snapshot->sockets[index] : NULL,
                        .index = index};
}

bool filter_accepts(const struct filter *filter, const struct view *view, uint32_t row)
{
    struct row it = row_of(filter, view, row);

    return test_node(&it, filter->root);
}

bool filter_decides(const struct filter *filter, const struct view *view, uint32_t row,
                    uint64_t unknown)
{
    struct row it = row_of(filter, view, row);
    bool least, most;

    it.unknown = unknown;
    least = test_node(&it, filter->root);
    it.assumed = true;
    most = test_node(&it, filter->root);
    return least == most;
}

uint64_t filter_needs(const struct filter *filter)
{
    return filter->needs;
}

static bool mentions(const struct filter_node *node, const char *column)
{
    if (node->column && strcmp(node->column->name, column) == 0)
        return true;
    for (const struct filter_node *child = node->child; child; child = child->next)
        if (mentions(child, column))
            return true;
    return false;
}

bool filter_mentions(const struct filter *filter, const char *column)
{
    return mentions(filter->root, column);
}

static bool wants(const struct filter_node *node, const char *column, const struct value *value)
{
    if (node->kind == FILTER_TEXT)
        return node->column && strcmp(node->column->name, column) == 0 &&
               filter_pattern_matches(&node->pattern, value);
    for (const struct filter_node *child = node->kind == FILTER_NOT ? NULL : node->child; child;
         child = child->next)
        if (wants(child, column, value))
            return true;
    return false;
}

bool filter_wants(const struct filter *filter, const char *column, const char *text)
{
    struct value value = value_name(text);

    return wants(filter->root, column, &value);
}

bool filter_is_names(const struct filter *filter)
{
    return filter->names;
}

bool filter_is_name(const struct filter *filter)
{
    return filter->is_name;
}

bool filter_hint(const struct filter *filter, struct buf *line)
{
    const char *words_are = filter->table->words_are;

    if (filter->guess) {
        buf_printf(line, "'%s' was taken for %s", filter->guess,
                   words_are ? words_are : "the name of a process, unit or container");
        if (filter->near_guess)
            buf_printf(line, "; did you mean '%s'?", filter->near_guess);
    } else if (filter->word) {
        buf_printf(line, "%s: %s", filter->word->name, filter->word->help);
    } else if (filter->table->hint) {
        buf_puts(line, filter->table->hint);
    }
    return line->length > 0;
}
