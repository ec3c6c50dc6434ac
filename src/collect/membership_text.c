/* SPDX-License-Identifier: MIT */
/* Parsers of /proc/net/igmp, igmp6 and dev_mcast. */
#include "collect/membership_text.h"

#include "base/cleanup.h"
#include "collect/proc_file.h"
#include "collect/proc_hex.h"

#include <string.h>
#include <sys/socket.h>

#define TICK_MS 10 /* the kernel tells clock_t, which are 1/100 s on every machine */

static const char *next_line(const char *text)
{
    const char *end = strchr(text, '\n');

    return end ? end + 1 : text + strlen(text);
}

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \t");
}

/* A decimal number with blanks before it. */
static bool read_number(const char **at, uint32_t *ret_number)
{
    uint64_t number;

    skip_blanks(at);
    if (!proc_parse_number(at, &number) || number > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

/* A word with blanks before it. */
static bool read_word(const char **at, const char **ret_word, size_t *ret_length)
{
    skip_blanks(at);
    *ret_word = *at;
    *ret_length = strcspn(*at, " \t\n");
    *at += *ret_length;
    return *ret_length > 0;
}

/* Hexadecimal bytes with blanks before them and behind: how many. */
static size_t read_bytes(const char **at, uint8_t *to, size_t size)
{
    size_t count;

    skip_blanks(at);
    count = proc_hex_bytes(at, to, size);
    return **at == ' ' || **at == '\t' || **at == '\n' || **at == '\0' ? count : 0;
}

static bool read_hex(const char **at, uint32_t *ret_number)
{
    uint8_t bytes[4];

    if (read_bytes(at, bytes, sizeof(bytes)) != sizeof(bytes))
        return false;
    *ret_number =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

/* --- igmp: a line for the interface, then one for each of its groups --- */

/* "1\tlo        :     1      V3" */
static bool read_igmp_interface(const char *at, struct membership_item *item)
{
    uint32_t count;

    *item = (struct membership_item){.membership = {.family = AF_INET, .length = 4}};
    if (!read_number(&at, &item->membership.ifindex) ||
        !read_word(&at, &item->iface, &item->iface_length))
        return false;
    if (item->iface[item->iface_length - 1] == ':') { /* a name of ten bytes or more */
        item->iface_length--;
    } else {
        skip_blanks(&at);
        if (*at++ != ':')
            return false;
    }
    return read_number(&at, &count) && read_word(&at, &item->querier, &item->querier_length);
}

/* "\t\t\t\t010000E0     1 0:00000000\t\t0": the address as a number of this machine */
static bool read_igmp_group(const char *at, struct membership_item *item)
{
    struct membership *membership = &item->membership;
    uint32_t address, running, timer;

    if (!read_hex(&at, &address) || !read_number(&at, &membership->users) ||
        !read_number(&at, &running) || *at++ != ':' || !read_hex(&at, &timer))
        return false;
    memcpy(membership->group.bytes, &address, sizeof(address));
    membership->has = running ? MEMBERSHIP_HAS_TIMER : 0;
    membership->timer_ms = running ? timer * TICK_MS : 0;
    return true;
}

int membership_parse_igmp(const char *text, membership_item_fn *fn, void *context)
{
    struct membership_item item = {.iface = NULL};
    int r = 0;

    for (; r == 0 && *text; text = next_line(text)) {
        if (*text != '\t') {
            if (!read_igmp_interface(text, &item))
                item.iface = NULL;
        } else if (item.iface && read_igmp_group(text, &item)) {
            r = fn(context, &item);
        }
    }
    return r;
}

/* --- one line for each group of each interface --- */

/* "4    eth0            " at the beginning of a line */
static bool read_interface(const char **at, struct membership_item *item)
{
    return read_number(at, &item->membership.ifindex) &&
           read_word(at, &item->iface, &item->iface_length);
}

/* "... ff020000000000000000000000000001     1 0000000C 0" */
static bool read_igmp6(const char *at, struct membership_item *item)
{
    struct membership *membership = &item->membership;
    uint32_t timer;

    *item = (struct membership_item){.membership = {.family = AF_INET6, .length = 16}};
    if (!read_interface(&at, item) || read_bytes(&at, membership->group.bytes, 16) != 16 ||
        !read_number(&at, &membership->users) || !read_hex(&at, &membership->flags) ||
        !read_number(&at, &timer))
        return false;
    membership->has = timer ? MEMBERSHIP_HAS_TIMER : 0;
    membership->timer_ms = timer * TICK_MS;
    return true;
}

/* "... 1     0     333300000001": addresses longer than 16 bytes are cut */
static bool read_dev(const char *at, struct membership_item *item)
{
    struct membership *membership = &item->membership;
    uint8_t bytes[32] = {0};
    size_t length;

    *item = (struct membership_item){.membership = {.family = AF_PACKET}};
    if (!read_interface(&at, item) || !read_number(&at, &membership->users) ||
        !read_number(&at, &membership->global))
        return false;
    length = read_bytes(&at, bytes, sizeof(bytes));
    if (length > sizeof(membership->group))
        length = sizeof(membership->group);
    memcpy(&membership->group, bytes, length);
    membership->length = (uint16_t)length;
    return length > 0;
}

static int parse_lines(const char *text, bool (*read)(const char *at, struct membership_item *item),
                       membership_item_fn *fn, void *context)
{
    int r = 0;

    for (; r == 0 && *text; text = next_line(text)) {
        struct membership_item item;

        if (read(text, &item))
            r = fn(context, &item);
    }
    return r;
}

int membership_parse_igmp6(const char *text, membership_item_fn *fn, void *context)
{
    return parse_lines(text, read_igmp6, fn, context);
}

int membership_parse_dev(const char *text, membership_item_fn *fn, void *context)
{
    return parse_lines(text, read_dev, fn, context);
}
