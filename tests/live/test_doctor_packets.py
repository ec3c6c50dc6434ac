# SPDX-License-Identifier: MIT
"""The doctor and packets: lost in receive buffers, queues and interfaces, or refused by the kernel's tables."""
import tempfile

from doctor import FLOOD, evidence, findings, pair, program
from live import netns, run_tests, test, wait_for

DATAGRAMS = """
import socket, sys, threading, time
reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
reader.bind(("127.0.0.1", 5140))
def send():
    while True:
        writer.sendto(b"x" * 500, reader.getsockname())
        time.sleep(0.01)
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
threading.Thread(target=send, daemon=True).start()
print("ready", flush=True)
while sys.argv[1] == "read":
    reader.recv(1000)
sys.stdin.read()
"""

# The socket has a filter that lets nothing pass (SO_ATTACH_FILTER): a single BPF_RET.
REFUSE = """
import ctypes, struct
code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
reader.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", 1, ctypes.addressof(code)))
"""

# Datagrams with this checksum, put together by hand; 0 is none.
CHECKSUMS = """
import socket, struct, sys, time
reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reader.bind(("127.0.0.1", 5140))
writer = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 29, 1, 0, 64, socket.IPPROTO_UDP, 0, bytes((127, 0, 0, 1)), bytes((127, 0, 0, 1)))
packet += struct.pack("!HHHH", 4242, 5140, 9, int(sys.argv[1])) + b"x"
print("ready", flush=True)
while True:
    writer.sendto(packet, ("127.0.0.1", 0))
    time.sleep(0.002)
"""

TRACKED = """
import socket, sys
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def send(number):
    try:
        writer.sendto(b"x", (f"127.0.{number // 60000}.1", 1 + number % 60000))
    except PermissionError:
        pass  # the table is full
count = int(sys.argv[1])
for number in range(count):
    send(number)
print("ready", flush=True)
while len(sys.argv) > 2:
    send(count)
    count += 1
sys.stdin.read()
"""


# Datagrams from both addresses at once, from the same port, or from ports a step apart. Both have to run at the same
# time, whatever else the machine does.
CLASH = """
import os, socket, sys, threading
os.nice(-15)
both = threading.Barrier(2)
def send(address, first):
    for port in range(first, 65536 - 2, 2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((address, port))
            both.wait()
            try:
                sender.sendto(b"x", ("10.77.0.2", 9))
            except PermissionError:
                pass  # it was thrown away
for number, address in enumerate(sys.argv[2:]):
    threading.Thread(target=send, args=(address, 1024 + number * int(sys.argv[1])), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


def refused(row):
    """Connections that were refused, or pushed out others, in a second."""
    return evidence(row, "ConntrackDrop")["rate"] + evidence(row, "ConntrackEarlyDrop")["rate"]


@test
def datagrams_that_nobody_reads():
    with netns() as ns, program(ns, DATAGRAMS, "sleep") as deaf:
        rows = wait_for(lambda: findings(ns, "udp-drops"), what="drops")
        assert [(row["check"], row["severity"], row["pid"], row["local"]) for row in rows] == [
            ("udp-drops", "warn", deaf.pid, "127.0.0.1:5140")], rows
        lost = evidence(rows[0], "drops of the socket")
        assert lost["after"] > lost["before"] and lost["rate"] >= lost["threshold"] == 10, rows
        assert findings(ns, "udp-drops", limits={"udp-drops.datagrams": "1 2"})[0]["severity"] == "crit"


@test
def no_drops_where_datagrams_are_read():
    with netns() as ns, program(ns, DATAGRAMS, "read"):
        assert findings(ns, "udp-drops", limits={"udp-drops.datagrams": "1 2"}) == []


@test
def no_drops_where_a_filter_refuses_datagrams():
    with netns() as ns, program(ns, DATAGRAMS.replace("def send", REFUSE + "def send"), "read"):
        assert findings(ns, "udp-drops", limits={"udp-drops.datagrams": "1 2"}) == []


@test
def an_interface_whose_other_end_takes_less():
    with netns() as ns, netns() as other:
        pair(ns, other, mtu=1000)
        with program(ns, FLOOD, "10.77.0.2", "1300"):
            few = {"nic.packets": "100"}
            rows = wait_for(lambda: findings(ns, "nic", limits=few), what="losses")
            assert [(row["check"], row["severity"], row["iface"]) for row in rows] == [("nic", "crit", "v0")], rows
            assert evidence(rows[0], "tx_dropped")["rate"] > 0, rows


@test
def no_losses_where_both_ends_take_the_same():
    with netns() as ns, netns() as other:
        pair(ns, other)
        with program(ns, FLOOD, "10.77.0.2", "1300"):
            assert findings(ns, "nic", limits={"nic.packets": "100"}) == []


def limit_rate(ns, rate):
    ns.run(["tc", "qdisc", "add", "dev", "v0", "root", "tbf", "rate", rate, "burst", "4kb", "limit", "4kb"])


@test
def a_queue_that_is_limited():
    with netns() as ns, netns() as other:
        pair(ns, other)
        limit_rate(ns, "1mbit")
        with program(ns, FLOOD, "10.77.0.2", "1300"):
            rows = wait_for(lambda: [row for row in findings(ns, "drops") if row["iface"]], what="drops of the queue")
            assert [(row["check"], row["severity"], row["iface"]) for row in rows] == [("drops", "crit", "v0")], rows
            assert evidence(rows[0], "drops of the queueing discipline")["rate"] >= 10, rows


@test
def no_drops_of_a_queue_that_is_wide_enough():
    with netns() as ns, netns() as other:
        pair(ns, other)
        limit_rate(ns, "1gbit")
        with program(ns, FLOOD, "10.77.0.2", "100"):
            assert [row for row in findings(ns, "drops") if row["iface"]] == []


@test
def packets_from_the_wrong_side():
    # With this setting the question for the hardware address comes from the right side.
    with netns("net.ipv4.conf.all.rp_filter=1") as ns, netns("net.ipv4.conf.all.arp_announce=2") as other:
        pair(ns, other)
        other.run(["ip", "address", "add", "10.88.0.1/32", "dev", "lo"])
        with program(other, FLOOD, "10.77.0.1", "100", "10.88.0.1"):
            rows = wait_for(lambda: findings(ns, "rp-filter"), what="packets of the wrong side")
            assert [(row["check"], row["severity"]) for row in rows] == [("rp-filter", "warn")], rows
            assert evidence(rows[0], "TcpExtIPReversePathFilter")["rate"] >= 10, rows
            assert evidence(rows[0], "net.ipv4.conf.all.rp_filter")["after"] == 1, rows


@test
def no_packets_from_the_wrong_side_where_the_way_back_is_the_same():
    with netns("net.ipv4.conf.all.rp_filter=1") as ns, netns() as other:
        pair(ns, other)
        with program(other, FLOOD, "10.77.0.1", "100", "10.77.0.2"):
            assert findings(ns, "rp-filter") == []


@test
def packets_for_others():
    with netns() as ns, netns() as other:
        pair(ns, other)
        other.run(["ip", "route", "add", "10.66.0.0/16", "via", "10.77.0.1"])
        with program(other, FLOOD, "10.66.0.1", "100"):
            rows = wait_for(lambda: findings(ns, "rp-filter"), what="packets for others")
            assert [row["evidence"][0]["counter"] for row in rows] == ["IpInAddrErrors"], rows


@test
def packets_without_a_route():
    with netns() as ns, program(ns, FLOOD, "10.99.0.1", "100"):
        rows = wait_for(lambda: findings(ns, "rp-filter"), what="packets without a route")
        assert [row["evidence"][0]["counter"] for row in rows] == ["IpOutNoRoutes"], rows


@test
def packets_with_a_wrong_checksum():
    with netns() as ns, program(ns, CHECKSUMS, "1"):
        rows = wait_for(lambda: findings(ns, "rp-filter"), what="wrong checksums")
        assert [row["evidence"][0]["counter"] for row in rows] == ["UdpInCsumErrors"], rows
    with netns() as ns, program(ns, CHECKSUMS, "0"):
        assert findings(ns, "rp-filter") == []


def track(ns):
    """Connections are tracked; datagrams vanish when they come in, so that nothing answers them."""
    ns.run(["nft", "add table ip t; add chain ip t out { type filter hook output priority 0; }; add rule ip t out ct state new accept;"
                   "add chain ip t in { type filter hook input priority 0; }; add rule ip t in meta l4proto udp drop"])
    ns.run(["sh", "-c", "echo 600 > /proc/sys/net/netfilter/nf_conntrack_udp_timeout"])


@test
def a_table_of_connections_that_fills_up():
    with netns() as ns:
        track(ns)
        with program(ns, TRACKED, "2000"):
            rows = findings(ns, "conntrack", limits={"conntrack.filled": "1 1000"})
            assert [(row["check"], row["severity"]) for row in rows] == [("conntrack", "warn")], rows
            assert evidence(rows[0], "nf_conntrack_count")["after"] >= 2000, rows
            assert findings(ns, "conntrack") == []


@test
def a_table_of_connections_that_is_full():
    """Its size is of the machine, so that it is really filled."""
    with netns() as ns:
        track(ns)
        most = int(ns.run(["cat", "/proc/sys/net/netfilter/nf_conntrack_max"]).out)
        with program(ns, TRACKED, str(most + 1000), "again"):
            rows = findings(ns, "conntrack")
            assert [(row["check"], row["severity"]) for row in rows] == [("conntrack", "crit")], rows
            assert evidence(rows[0], "nf_conntrack_count")["after"] > most * 0.9, rows
            wait_for(lambda: refused(findings(ns, "conntrack")[0]) > 0, what="refused connections")


def translate(ns, other):
    """Two addresses become one, and what is sent by them takes its time between that and being put into the table."""
    pair(ns, other)
    for address in ("10.77.1.1", "10.77.1.2"):
        ns.run(["ip", "address", "add", f"{address}/32", "dev", "v0"])
    other.run(["ip", "route", "add", "10.77.1.0/24", "dev", "v0"])
    rules = ["add table ip faulty", "add chain ip faulty nat { type nat hook postrouting priority 100; }",
             "add rule ip faulty nat ip saddr 10.77.1.0/24 snat to 10.77.0.1",
             "add chain ip faulty slow { type filter hook postrouting priority 200; }",
             *["add rule ip faulty slow fib daddr type broadcast counter"] * 1000]
    with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
        file.write("\n".join(rules))
        file.flush()
        ns.run(["nft", "-f", file.name])


@test
def flows_that_get_the_same_place():
    """The table is nearly empty: what is dropped for that reason is not told as a full one."""
    limits = {"conntrack.failed": "1"}
    with netns() as ns, netns() as other:
        translate(ns, other)
        with program(ns, CLASH, "0", "10.77.1.1", "10.77.1.2"):
            rows = wait_for(lambda: findings(ns, "conntrack", limits=limits), what="a clash")
            assert [(row["check"], row["severity"]) for row in rows] == [("conntrack", "warn")], rows
            assert "NAT gave two senders the same port" in rows[0]["cause"], rows
            failed = evidence(rows[0], "ConntrackInsertFailed")
            assert failed["after"] > failed["before"] and evidence(rows[0], "ConntrackDrop")["rate"] >= failed["rate"], rows


@test
def flows_that_have_places_of_their_own():
    with netns() as ns, netns() as other:
        translate(ns, other)
        with program(ns, CLASH, "1", "10.77.1.1", "10.77.1.2"):
            wait_for(lambda: int(ns.run(["cat", "/proc/sys/net/netfilter/nf_conntrack_count"]).out) > 100, what="flows")
            assert findings(ns, "conntrack", limits={"conntrack.failed": "1"}) == []


run_tests()
