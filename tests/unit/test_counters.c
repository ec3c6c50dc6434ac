/* SPDX-License-Identifier: MIT */
/* Tests of counters: the parsers of their files, what they count in between, their meanings. */
#include "base/buf.h"
#include "collect/counter_text.h"
#include "derive/rates.h"
#include "table/counter_meanings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* "group.label=value" with ":cpu" and the letters of its flags, one after the other. */
static int write_item(void *context, const struct counter_item *item)
{
    struct buf *out = context;

    if (out->length)
        buf_byte(out, ' ');
    buf_put(out, item->group, item->group_length);
    buf_byte(out, '.');
    buf_put(out, item->label, item->label_length);
    buf_byte(out, '=');
    if (item->flags & COUNTER_NEGATIVE)
        buf_int(out, (int64_t)item->value);
    else
        buf_uint(out, item->value);
    if (item->cpu)
        buf_printf(out, ":%u", item->cpu - 1);
    buf_puts(out, item->flags & COUNTER_GAUGE ? "g" : "");
    buf_puts(out, item->flags & COUNTER_WRAPS ? "w" : "");
    return 0;
}

static void expect(counter_parse_fn *parse, const char *text, const char *expected)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT;

    assert_int_equal(parse(text, write_item, &out), 0);
    assert_string_equal(buf_string(&out), expected);
}

static void pairs_of_lines(void **state)
{
    (void)state;
    expect(counter_parse_pairs,
           "Ip: Forwarding InReceives\nIp: 2 6987\nTcp: MaxConn ActiveOpens\nTcp: -1 204\n",
           "Ip.Forwarding=2g Ip.InReceives=6987 Tcp.MaxConn=-1g Tcp.ActiveOpens=204");
    expect(counter_parse_pairs, "TcpExt: TW\nTcpExt: 18446744073709551615\n",
           "TcpExt.TW=18446744073709551615");
    expect(counter_parse_pairs, "Udp: A B C\nUdp: 1 2\n", "Udp.A=1 Udp.B=2");
    expect(counter_parse_pairs, "Udp: A\nUdp: 1 2 3\n", "Udp.A=1");
    expect(counter_parse_pairs, "Ip: A B\nIp: x 2\n", "Ip.B=2");
    expect(counter_parse_pairs, "Ip: A\nTcp: 1\n", "");
    expect(counter_parse_pairs, "Ip: A", "");
    expect(counter_parse_pairs, "", "");
    expect(counter_parse_pairs, "\n\n", "");
    expect(counter_parse_pairs, "Ip: A\nIp: 18446744073709551616\n", "");
}

static void names_and_values(void **state)
{
    (void)state;
    expect(counter_parse_names,
           "Ip6InReceives                   \t7\nIcmp6OutType135\t3\nUdpLite6InErrors 0\n"
           "SctpCurrEstab\t5\nXfrmInError 1\n",
           "Ip6.InReceives=7 Icmp6.OutType135=3 UdpLite6.InErrors=0 Sctp.CurrEstab=5g "
           "Xfrm.InError=1");
    expect(counter_parse_names, "Other 4\nIp6\nIp6 8\nIp6InOctets many\n", ".Other=4 .Ip6=8");
}

static void sockstat(void **state)
{
    (void)state;
    expect(counter_parse_sockstat,
           "sockets: used 16\nTCP: inuse 1 orphan 0 mem 3\nFRAG6: inuse 0\n",
           "sockets.used=16g TCP.inuse=1g TCP.orphan=0g TCP.mem=3g FRAG6.inuse=0g");
    expect(counter_parse_sockstat, "TCP inuse 1\nUDP: inuse\nRAW: inuse x mem 2\n", "RAW.mem=2g");
}

static void conntrack(void **state)
{
    (void)state;
    expect(counter_parse_conntrack,
           "entries  new insert_failed drop early_drop\n"
           "00000007  00000009 00000001 0000000a ffffffff\n"
           "00000007  00000009 00000002 00000001 00000001\n",
           "Conntrack.InsertFailed=3w Conntrack.Drop=11w Conntrack.EarlyDrop=4294967296w");
    expect(counter_parse_conntrack, "drop insert_failed\n0000000g 00000001\n00000001\n",
           "Conntrack.Drop=1w Conntrack.InsertFailed=1w");
    expect(counter_parse_conntrack, "", "");
}

/* The sums come first; a line without the CPU's number has that of the line. */
static void softnet(void **state)
{
    (void)state;
    expect(counter_parse_softnet, "0000000a 00000001 00000002\nffffffff 00000000 00000001\n",
           "Softnet.Processed=4294967305w Softnet.Dropped=1w Softnet.TimeSqueeze=3w "
           "Softnet.Processed=10:0w Softnet.Dropped=1:0w Softnet.TimeSqueeze=2:0w "
           "Softnet.Processed=4294967295:1w Softnet.Dropped=0:1w Softnet.TimeSqueeze=1:1w");
    expect(counter_parse_softnet, "1 2 3 0 0 0 0 0 0 4 5 6 7 8 9\n",
           "Softnet.Processed=1w Softnet.Dropped=2w Softnet.TimeSqueeze=3w Softnet.ReceivedRps=4w "
           "Softnet.FlowLimit=5w Softnet.Backlog=6g Softnet.InputQueue=8g Softnet.ProcessQueue=9g "
           "Softnet.Processed=1:7w Softnet.Dropped=2:7w Softnet.TimeSqueeze=3:7w "
           "Softnet.ReceivedRps=4:7w Softnet.FlowLimit=5:7w Softnet.Backlog=6:7g "
           "Softnet.InputQueue=8:7g Softnet.ProcessQueue=9:7g");
    expect(counter_parse_softnet, "", "");
    expect(counter_parse_softnet, "123456789\n", "");
}

static int refuse(void *context, const struct counter_item *item)
{
    (void)context;
    (void)item;
    return -ENOMEM;
}

static void errors_of_the_receiver_end_it(void **state)
{
    (void)state;
    assert_int_equal(counter_parse_pairs("A: b\nA: 1\n", refuse, NULL), -ENOMEM);
    assert_int_equal(counter_parse_names("b 1\n", refuse, NULL), -ENOMEM);
    assert_int_equal(counter_parse_sockstat("A: b 1\n", refuse, NULL), -ENOMEM);
    assert_int_equal(counter_parse_softnet("1 2\n", refuse, NULL), -ENOMEM);
}

/* --- what is counted between two readings --- */

static void add(struct snapshot *snapshot, const char *name, uint64_t value, uint16_t flags,
                uint32_t cpu)
{
    struct counter *counter;
    uint32_t string;

    assert_int_equal(snapshot_intern(snapshot, name, strlen(name), &string), 0);
    counter = snapshot_add_counter(snapshot);
    assert_non_null(counter);
    *counter = (struct counter){.value = value, .name = string, .flags = flags, .cpu = cpu};
}

static void make(struct snapshot *snapshot, uint64_t seconds)
{
    uint32_t index;

    assert_int_equal(snapshot_init(snapshot), 0);
    assert_int_equal(snapshot_add_netns(snapshot, 4026531840, &index), 0);
    snapshot->boot_ns = seconds * UINT64_C(1000000000);
}

static void deltas_and_rates(void **state)
{
    CLEANUP(snapshot_done) struct snapshot before, now;
    CLEANUP(rates_done) struct rates rates = {0};

    (void)state;
    make(&before, 100);
    add(&before, "Grows", 10, 0, 0);
    add(&before, "Falls", 10, 0, 0);
    add(&before, "Gauge", 10, COUNTER_GAUGE, 0);
    add(&before, "Wraps", UINT32_MAX, COUNTER_WRAPS, 1);
    add(&before, "Wraps", 5, COUNTER_WRAPS, 2);
    make(&now, 104);
    add(&now, "New", 3, 0, 0);
    add(&now, "Wraps", 15, COUNTER_WRAPS, 2);
    add(&now, "Wraps", 3, COUNTER_WRAPS, 1);
    add(&now, "Gauge", 4, COUNTER_GAUGE, 0);
    add(&now, "Falls", 9, 0, 0);
    add(&now, "Grows", 20, 0, 0);
    assert_int_equal(rates_make(&now, &before, NULL, &rates), 0);
    assert_false(rates.counters[0].known);
    assert_true(rates.counters[1].known);
    assert_int_equal(rates.counters[1].delta, 10);
    assert_int_equal(rates.counters[2].delta, 4);
    assert_int_equal(rates.counters[2].rate, 1);
    assert_true(rates.counters[3].known);
    assert_int_equal(rates.counters[3].delta, -6);
    assert_int_equal(rates.counters[3].rate, -2);
    assert_false(rates.counters[4].known);
    assert_int_equal(rates.counters[5].delta, 10);
    assert_int_equal(rates.counters[5].rate, 3);
}

static void rates_of_interfaces(void **state)
{
    CLEANUP(snapshot_done) struct snapshot before, now;
    CLEANUP(rates_done) struct rates rates = {0};

    (void)state;
    make(&before, 10);
    make(&now, 12);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(snapshot_add_interface(&before, 0, i, "x"), 0);
        assert_int_equal(snapshot_add_interface(&now, 0, i, "x"), 0);
        before.interfaces[i - 1].has = now.interfaces[i - 1].has = INTERFACE_HAS_STATS;
        before.interfaces[i - 1].stats.rx_bytes = 1000;
        now.interfaces[i - 1].stats.rx_bytes = 3000;
        now.interfaces[i - 1].stats.tx_packets = 5;
    }
    now.interfaces[1].stats.rx_bytes = 999; /* made anew */
    now.interfaces[2].has = 0;
    assert_int_equal(rates_make(&now, &before, NULL, &rates), 0);
    assert_true(rates.interfaces[0].known);
    assert_int_equal(rates.interfaces[0].rx, 1000);
    assert_int_equal(rates.interfaces[0].tx, 0);
    assert_int_equal(rates.interfaces[0].tx_packets, 3);
    assert_false(rates.interfaces[1].known);
    assert_false(rates.interfaces[2].known);
}

static void meanings_are_sorted_and_found(void **state)
{
    const char *name, *last = "";
    size_t count = 0;

    (void)state;
    for (; counter_meaning_at(count, &name); count++, last = name) {
        const char *text = counter_meaning(name, strlen(name));

        assert_true(strcmp(last, name) < 0);
        assert_non_null(text);
        assert_true(*text && text[strlen(text) - 1] != '.');
    }
    assert_true(count >= 120);
    assert_null(counter_meaning("Tcp", 3));
    assert_null(counter_meaning("TcpInSegsAndMore", 16));
    assert_null(counter_meaning("", 0));
    assert_non_null(counter_meaning("TcpInSegs, cut", 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_lines),
        cmocka_unit_test(names_and_values),
        cmocka_unit_test(sockstat),
        cmocka_unit_test(softnet),
        cmocka_unit_test(conntrack),
        cmocka_unit_test(errors_of_the_receiver_end_it),
        cmocka_unit_test(deltas_and_rates),
        cmocka_unit_test(rates_of_interfaces),
        cmocka_unit_test(meanings_are_sorted_and_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
