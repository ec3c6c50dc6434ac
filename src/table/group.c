/* SPDX-License-Identifier: MIT */
/* Groups: rows with equal keys are found by a hash of the keys' values. */
#include "table/group.h"

#include "base/format.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "derive/address.h"
#include "table/cells.h"

#include <stdlib.h>
#include <sys/socket.h>

/* --- the keys --- */

/* Short words for the columns that people count by. */
static const char *const others[][2] = {
    {"peer", "peer_addr"},   {"raddr", "peer_addr"}, {"dst", "peer_addr"},
    {"local", "local_addr"}, {"src", "local_addr"},  {"sport", "local_port"},
    {"dport", "peer_port"},  {"proc", "process"},    {"port", "local_port"},
};

static const char *column_name(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strcmp(word, others[i][0]) == 0)
            return others[i][1];
    return word;
}

#define BITS_V4 32
#define BITS_V6 128
#define NETWORK_V6 64 /* bits of what is one network of IPv6, as a /24 usually is of IPv4 */

static int parse_bits(const char *text, unsigned int limit, uint8_t *ret_bits, struct buf *error)
{
    uint64_t bits;

    if (units_parse(text, strlen(text), UNIT_NONE, &bits, NULL) < 0 || bits == 0 || bits > limit) {
        buf_printf(error, "a prefix%s has 1 to %u bits, not \"", limit == BITS_V4 ? " of IPv4" : "",
                   limit);
        buf_puts(error, text);
        buf_byte(error, '"');
        return -EINVAL;
    }
    *ret_bits = (uint8_t)bits;
    return 0;
}

/*
 * "24/56": of IPv4 and of IPv6. One alone belongs to the family that it suits: "24" to IPv4, and
 * IPv6 is counted by its usual networks; "56" to IPv6, and IPv4 is counted by address.
 */
static int parse_prefix(char *text, struct group_key *key, struct buf *error)
{
    char *second = strchr(text, '/');
    int r;

    if (key->column->kind != KIND_ADDRESS) {
        buf_printf(error, "only an address can be counted by prefix, and %s is none",
                   key->column->name);
        return -EINVAL;
    }
    if (second) {
        *second++ = '\0';
        r = parse_bits(text, BITS_V4, &key->bits_v4, error);
        return r < 0 ? r : parse_bits(second, BITS_V6, &key->bits_v6, error);
    }
    r = parse_bits(text, BITS_V6, &key->bits_v6, error);
    if (r == 0 && key->bits_v6 <= BITS_V4) {
        key->bits_v4 = key->bits_v6;
        key->bits_v6 = NETWORK_V6;
    }
    return r;
}

int group_plan_key(struct group_plan *plan, const struct column *column, char *prefix,
                   struct buf *error)
{
    struct group_key *key = &plan->keys[plan->key_count];
    int r;

    if (plan->key_count == GROUP_KEYS_MAX) {
        buf_printf(error, "at most %d keys can be counted by", GROUP_KEYS_MAX);
        return -EINVAL;
    }
    *key = (struct group_key){.column = column, .bits_v4 = BITS_V4, .bits_v6 = BITS_V6};
    r = prefix ? parse_prefix(prefix, key, error) : 0;
    if (r == 0)
        plan->key_count++;
    return r;
}

/* A column that is a list is known, but nothing to count by. */
static int unknown_key(const struct table *table, const char *word, bool suggest, struct buf *error)
{
    struct suggestion best = suggestion_for(word);
    const char *column = table_suggest_column(table, word);

    if (column)
        suggestion_try(&best, column);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        suggestion_try(&best, others[i][0]);
    if (!*word) {
        buf_puts(error, "a column is missing before or behind a comma");
        return -EINVAL;
    }
    buf_printf(error, "%s cannot be counted by \"", table->name);
    buf_puts(error, word);
    buf_byte(error, '"');
    if (suggest && best.name)
        buf_printf(error, ": did you mean %s?", best.name);
    else
        buf_printf(error, " (nwho columns %s lists what they have)", table->name);
    return -EINVAL;
}

static int parse_key(const struct table *table, char *word, struct group_plan *plan,
                     struct buf *error)
{
    char *prefix = strchr(word, '/');
    const struct column *column;

    if (prefix)
        *prefix++ = '\0';
    column = table_column(table, column_name(word));
    if (column && column->kind != KIND_LIST)
        return group_plan_key(plan, column, prefix, error);
    return unknown_key(table, word, column == NULL, error);
}

/* --- the table of groups --- */

static unsigned int bits_of(const struct group_key *key, unsigned int family)
{
    return family == AF_INET ? key->bits_v4 : key->bits_v6;
}

/* A network is not to be taken for a host of the same address: "192.0.2.0/24". */
struct value group_key_cell(const struct view *view, uint32_t row, uint32_t n)
{
    struct value key = view->group->rows[row].keys[n];
    unsigned int prefix;
    char *at;

    if (key.type != VALUE_ADDRESS)
        return key;
    prefix = bits_of(&view->group->plan->keys[n], key.address.family);
    if (prefix == (key.address.family == AF_INET ? BITS_V4 : BITS_V6))
        return key;
    buf_reset(view->scratch);
    at = buf_reserve(view->scratch, FORMAT_ADDRESS_MAX);
    if (!at)
        return value_none();
    at = format_address(at, key.address.family, key.address.bytes);
    view->scratch->length = (size_t)(at - view->scratch->data);
    buf_byte(view->scratch, '/');
    buf_uint(view->scratch, prefix);
    return cell_scratch(view, 0);
}

#define KEY_GETTER(n)                                                                              \
    static struct value get_key_##n(const struct view *view, uint32_t row)                         \
    {                                                                                              \
        return group_key_cell(view, row, n);                                                       \
    }

KEY_GETTER(0)
KEY_GETTER(1)
KEY_GETTER(2)
KEY_GETTER(3)
KEY_GETTER(4)
KEY_GETTER(5)
KEY_GETTER(6)
KEY_GETTER(7)

static struct value get_count(const struct view *view, uint32_t row)
{
    return value_uint(view->group->rows[row].count);
}

static struct value get_share(const struct view *view, uint32_t row)
{
    uint64_t total = view->group->total;

    return value_uint(total ? (view->group->rows[row].count * 100 + total / 2) / total : 0);
}

uint32_t group_rows(const struct view *view)
{
    return view->group->row_count;
}

static uint64_t hash_value(uint64_t hash, const struct value *value)
{
    uint64_t number = value->type == VALUE_BOOL ? value->boolean : value->uint;
    const void *bytes = &number;
    size_t length = value->type == VALUE_NONE ? 0 : sizeof(number);

    if (value->type == VALUE_STRING) {
        bytes = value->string.bytes;
        length = value->string.length;
    } else if (value->type == VALUE_ADDRESS) {
        bytes = value->address.bytes;
        length = value->address.family == AF_INET ? 4 : 16;
    }
    return hash_bytes(hash_number(hash, value->type), bytes, length);
}

static uint64_t hash_keys(const struct group_plan *plan, const struct value *keys)
{
    uint64_t hash = HASH_INIT;

    for (uint32_t i = 0; i < plan->key_count; i++)
        hash = hash_value(hash, &keys[i]);
    return hash;
}

uint64_t group_identity(const struct view *view, uint32_t row)
{
    return hash_keys(view->group->plan, view->group->rows[row].keys);
}

int group_plan(const struct table *table, const char *words, struct group_plan *ret_plan,
               struct buf *error)
{
    struct value (*const getters[GROUP_KEYS_MAX])(const struct view *, uint32_t) = {
        get_key_0, get_key_1, get_key_2, get_key_3, get_key_4, get_key_5, get_key_6, get_key_7,
    };
    const uint32_t shown = COLUMN_TEXT | COLUMN_MACHINE;
    CLEANUP_FREE char *copy = strdup(words);
    char *rest = copy, *word;
    int r = copy ? 0 : -ENOMEM;

    *ret_plan = (struct group_plan){
        .table = {.name = "counts", .help = "Counted rows", .needs = table->needs}};
    while (r == 0 && (word = strsep(&rest, ","))) {
        r = parse_key(table, word, ret_plan, error);
        if (r == 0) {
            uint32_t n = ret_plan->key_count - 1;

            ret_plan->columns[n] = *ret_plan->keys[n].column;
            ret_plan->columns[n].flags = shown | COLUMN_KEY;
            ret_plan->columns[n].get = getters[n];
        }
    }
    ret_plan->columns[ret_plan->key_count] = (struct column){
        "count", "COUNT", "Rows with these values", KIND_COUNT, shown, 0, get_count};
    ret_plan->columns[ret_plan->key_count + 1] = (struct column){
        "share", "%", "Share of all rows counted, in percent", KIND_COUNT, shown, 0, get_share};
    ret_plan->table.columns = ret_plan->columns;
    ret_plan->table.column_count = ret_plan->key_count + 2;
    ret_plan->table.row_count = group_rows;
    ret_plan->table.identity = group_identity;
    return r;
}

/* --- counting --- */

/* Clears the bits behind the prefix; an IPv4-mapped address counts as the IPv4 address that it is.
 */
static void apply_prefix(struct value *value, const struct group_key *key, uint8_t *bytes)
{
    union address whole = {{0}};
    unsigned int length = value->address.family == AF_INET ? 4 : 16;

    memcpy(whole.bytes, value->address.bytes, length);
    if (address_is_mapped(value->address.family, &whole)) {
        memmove(whole.bytes, whole.bytes + 12, 4);
        value->address.family = AF_INET;
        length = 4;
    }
    for (unsigned int bit = bits_of(key, value->address.family); bit < length * 8; bit++)
        whole.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    memcpy(bytes, whole.bytes, 16);
    value->address.bytes = bytes;
}

/* Evaluates the keys of one row; texts are copied into `texts`, because a getter's text lives only
 * until the next one. */
static int take_keys(const struct group_plan *plan, const struct view *view, uint32_t row,
                     struct arena *texts, struct value *keys)
{
    for (uint32_t i = 0; i < plan->key_count; i++) {
        keys[i] = plan->keys[i].column->get(view, row);
        if (keys[i].type == VALUE_STRING) {
            keys[i].string.bytes = arena_copy(texts, keys[i].string.bytes, keys[i].string.length);
            if (!keys[i].string.bytes)
                return -ENOMEM;
        } else if (keys[i].type == VALUE_ADDRESS) {
            uint8_t *bytes = arena_alloc(texts, 16);

            if (!bytes)
                return -ENOMEM;
            apply_prefix(&keys[i], &plan->keys[i], bytes);
        }
    }
    return 0;
}

static bool same_keys(const struct group_plan *plan, const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < plan->key_count; i++)
        if (value_compare(&a[i], &b[i]) != 0)
            return false;
    return true;
}

static int add_group(struct group *group, const struct value *keys)
{
    int r = VEC_RESERVE(&group->rows, &group->row_capacity, group->row_count, 1);
    struct group_row *row;

    if (r < 0)
        return r;
    row = &group->rows[group->row_count];
    *row = (struct group_row){.count = 0};
    memcpy(row->keys, keys, sizeof(*keys) * group->plan->key_count);
    r = group_new_numbers(group, row);
    if (r == 0)
        group->row_count++;
    return r;
}

/* The group of these keys, which is made when it is new. */
static int find_group(struct group *group, struct map *index, const struct value *keys,
                      struct group_row **ret_row)
{
    uint64_t hash = hash_keys(group->plan, keys);
    uint32_t found;
    int r;

    while ((found = map_get(index, hash)) != MAP_NONE &&
           !same_keys(group->plan, group->rows[found].keys, keys))
        hash++;
    if (found == MAP_NONE) {
        found = group->row_count;
        r = map_set(index, hash, found);
        if (r == 0)
            r = add_group(group, keys);
        if (r < 0)
            return r;
    }
    *ret_row = &group->rows[found];
    return 0;
}

static int count_row(struct group *group, struct map *index, const struct view *view, uint32_t row,
                     const struct value *keys)
{
    struct group_row *to;
    int r = find_group(group, index, keys, &to);

    if (r < 0)
        return r;
    group->total++;
    to->count++;
    return group->plan->added_count ? group_add(group, view, row, to) : 0;
}

static int compare_groups(const void *a, const void *b, void *context)
{
    const struct group_row *x = a, *y = b;
    const struct group_plan *plan = context;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    for (uint32_t i = 0; i < plan->key_count; i++) {
        int order = value_compare(&x->keys[i], &y->keys[i]);

        if (order)
            return order;
    }
    return 0;
}

int group_make(const struct group_plan *plan, const struct grid *grid, struct group *group)
{
    CLEANUP(map_done) struct map index = {0};
    struct value keys[GROUP_KEYS_MAX];
    int r = 0;

    group->plan = plan;
    for (uint32_t i = 0; i < grid->row_count && r == 0; i++) {
        r = take_keys(plan, grid->view, grid->rows[i], &group->arena, keys);
        if (r == 0)
            r = count_row(group, &index, grid->view, grid->rows[i], keys);
    }
    if (r == 0 && group->row_count)
        qsort_r(group->rows, group->row_count, sizeof(*group->rows), compare_groups,
                (void *)(uintptr_t)plan);
    return r;
}

int group_has(const struct group *group, uint32_t group_row, const struct view *view, uint32_t row)
{
    struct value keys[GROUP_KEYS_MAX];
    struct arena texts = {0};
    int r = take_keys(group->plan, view, row, &texts, keys);

    if (r == 0)
        r = same_keys(group->plan, group->rows[group_row].keys, keys);
    arena_done(&texts);
    return r;
}

void group_done(struct group *group)
{
    free(group->rows);
    free(group->numbers);
    map_done(&group->seen);
    arena_done(&group->arena);
    *group = (struct group){0};
}
