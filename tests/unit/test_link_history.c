/* SPDX-License-Identifier: MIT */
/* History of interfaces on hand-made readings: sums, extremes, and what begins anew. */
#include "derive/link_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define NETNS 4026531840u

/* What is read, and what is known of it. */
struct reading {
    struct snapshot snapshot;
    struct rates rates;
    struct link_history links;
    bool is_used;
};

struct watch {
    struct reading before, now;
};

struct link {
    uint32_t ifindex;
    const char *name, *address;
    uint64_t rx, tx;
};

static void reading_done(struct reading *reading)
{
    if (!reading->is_used)
        return;
    link_history_done(&reading->links);
    rates_done(&reading->rates);
    snapshot_done(&reading->snapshot);
    reading->is_used = false;
}

static void add_link(struct snapshot *snapshot, const struct link *link)
{
    struct interface *interface;
    uint32_t address;

    assert_int_equal(snapshot_intern(snapshot, link->address, strlen(link->address), &address), 0);
    assert_int_equal(snapshot_add_interface(snapshot, 0, link->ifindex, link->name), 0);
    interface = &snapshot->interfaces[snapshot->interfaces_count - 1];
    interface->has = INTERFACE_HAS_STATS;
    interface->address = address;
    interface->stats.rx_bytes = link->rx;
    interface->stats.tx_bytes = link->tx;
}

/* The next reading, of interfaces up to one without a name. */
static void take(struct watch *watch, uint64_t seconds, uint32_t inode, const struct link *links)
{
    struct reading *now = &watch->now;
    uint32_t netns;

    reading_done(&watch->before);
    watch->before = watch->now;
    *now = (struct reading){.is_used = true};
    assert_int_equal(snapshot_init(&now->snapshot), 0);
    assert_int_equal(snapshot_add_netns(&now->snapshot, inode, &netns), 0);
    now->snapshot.boot_ns = seconds * SECOND;
    for (; links->name; links++)
        add_link(&now->snapshot, links);
    if (watch->before.is_used)
        assert_int_equal(rates_make(&now->snapshot, &watch->before.snapshot, NULL, &now->rates), 0);
    assert_int_equal(
        link_history_make(&now->snapshot, &now->rates, &watch->before.links, &now->links), 0);
}

#define TAKE(watch, seconds, ...)                                                                  \
    take(watch, seconds, NETNS, (const struct link[]){__VA_ARGS__, {.name = NULL}})

static void end(struct watch *watch)
{
    reading_done(&watch->before);
    reading_done(&watch->now);
}

static const struct link_past *past(const struct watch *watch, uint32_t interface)
{
    return link_history_past(&watch->now.links, interface);
}

static uint64_t rx_since(const struct watch *watch, uint32_t interface)
{
    assert_non_null(past(watch, interface));
    return watch->now.snapshot.interfaces[interface].stats.rx_bytes -
           past(watch, interface)->first.rx_bytes;
}

static void rates_have_a_mean_and_extremes(void **state)
{
    struct watch watch = {.now = {.is_used = false}};

    (void)state;
    TAKE(&watch, 10, {2, "eth0", "02:00:00:00:00:01", 1000, 70});
    assert_null(past(&watch, 0));
    TAKE(&watch, 12, {2, "eth0", "02:00:00:00:00:01", 5000, 70});
    assert_int_equal(past(&watch, 0)->rx.least, 2000);
    assert_int_equal(past(&watch, 0)->rx.most, 2000);
    TAKE(&watch, 13, {2, "eth0", "02:00:00:00:00:01", 5500, 100});
    TAKE(&watch, 16, {2, "eth0", "02:00:00:00:00:01", 17500, 100});
    assert_int_equal(past(&watch, 0)->rx.least, 500);
    assert_int_equal(past(&watch, 0)->rx.most, 4000);
    assert_int_equal(past(&watch, 0)->tx.least, 0);
    assert_int_equal(past(&watch, 0)->tx.most, 30);
    assert_int_equal(rx_since(&watch, 0), 16500);
    assert_int_equal(link_history_mean(past(&watch, 0), &watch.now.snapshot, 1000, 17500), 2750);
    end(&watch);
}

static void counters_that_go_back_begin_anew(void **state)
{
    struct watch watch = {.now = {.is_used = false}};

    (void)state;
    TAKE(&watch, 1, {2, "eth0", "02:00:00:00:00:01", 1000, 0});
    TAKE(&watch, 2, {2, "eth0", "02:00:00:00:00:01", 9000, 0});
    TAKE(&watch, 3, {2, "eth0", "02:00:00:00:00:01", 300, 0});
    assert_null(past(&watch, 0));
    TAKE(&watch, 4, {2, "eth0", "02:00:00:00:00:01", 500, 0});
    assert_int_equal(rx_since(&watch, 0), 200);
    assert_int_equal(past(&watch, 0)->rx.most, 200);
    end(&watch);
}

/* Its counters are larger than those of the one before, and yet nothing of it was watched. */
static void another_with_the_same_index_begins_anew(void **state)
{
    struct watch watch = {.now = {.is_used = false}};

    (void)state;
    TAKE(&watch, 1, {2, "veth0", "02:00:00:00:00:01", 1000, 0}, {3, "tun0", "", 1000, 0});
    TAKE(&watch, 2, {2, "veth0", "02:00:00:00:00:02", 80000, 0}, {3, "tun1", "", 80000, 0});
    assert_false(watch.now.rates.interfaces[0].known);
    assert_false(watch.now.rates.interfaces[1].known);
    assert_null(past(&watch, 0));
    assert_null(past(&watch, 1));
    TAKE(&watch, 3, {2, "veth0", "02:00:00:00:00:02", 80001, 0}, {3, "tun1", "", 80002, 0});
    assert_int_equal(rx_since(&watch, 0), 1);
    assert_int_equal(rx_since(&watch, 1), 2);
    end(&watch);
}

static void renamed_it_is_the_same(void **state)
{
    struct watch watch = {.now = {.is_used = false}};

    (void)state;
    TAKE(&watch, 1, {2, "veth0", "02:00:00:00:00:01", 1000, 0});
    TAKE(&watch, 2, {2, "blue", "02:00:00:00:00:01", 1100, 0});
    assert_int_equal(rx_since(&watch, 0), 100);
    /* An address of zeros says nothing. */
    TAKE(&watch, 3, {1, "lo", "00:00:00:00:00:00", 1, 0});
    TAKE(&watch, 4, {1, "lo2", "00:00:00:00:00:00", 2, 0});
    assert_null(past(&watch, 0));
    TAKE(&watch, 5, {1, "lo2", "00:00:00:00:00:00", 4, 0});
    assert_int_equal(rx_since(&watch, 0), 2);
    end(&watch);
}

static void places_in_the_reading_do_not_matter(void **state)
{
    struct watch watch = {.now = {.is_used = false}};

    (void)state;
    TAKE(&watch, 1, {1, "lo", "", 5, 0}, {2, "a", "02:00:00:00:00:0a", 10, 0},
         {3, "b", "02:00:00:00:00:0b", 20, 0});
    TAKE(&watch, 2, {3, "b", "02:00:00:00:00:0b", 23, 0}, {1, "lo", "", 6, 0});
    assert_int_equal(rx_since(&watch, 0), 3);
    assert_int_equal(rx_since(&watch, 1), 1);
    /* Away for a reading: what it did meanwhile was not watched. */
    TAKE(&watch, 3, {2, "a", "02:00:00:00:00:0a", 90, 0});
    assert_null(past(&watch, 0));
    end(&watch);
}

static void in_another_namespace_it_begins_anew(void **state)
{
    struct watch watch = {.now = {.is_used = false}};

    (void)state;
    TAKE(&watch, 1, {2, "a", "02:00:00:00:00:0a", 10, 0});
    take(&watch, 2, NETNS + 1,
         (const struct link[]){{2, "a", "02:00:00:00:00:0a", 30, 0}, {.name = NULL}});
    assert_null(past(&watch, 0));
    end(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_have_a_mean_and_extremes),
        cmocka_unit_test(counters_that_go_back_begin_anew),
        cmocka_unit_test(another_with_the_same_index_begins_anew),
        cmocka_unit_test(renamed_it_is_the_same),
        cmocka_unit_test(places_in_the_reading_do_not_matter),
        cmocka_unit_test(in_another_namespace_it_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
