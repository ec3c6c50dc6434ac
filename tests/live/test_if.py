# SPDX-License-Identifier: MIT
"""nwho if: what is counted while it runs, against packets of known number and size, and interfaces that change meanwhile."""
import contextlib
import json
import re
import signal
import subprocess
import sys

from live import BUILD, PATIENCE, netns, nwho, nwho_json, run_tests, skip, test, wait_for

FRAME = 14  # header of Ethernet
UDP = 20 + 8

SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
for line in sys.stdin:
    size, count = map(int, line.split())
    for _ in range(count):
        s.sendto(bytes(size), (sys.argv[2], 9))
    print("sent", flush=True)
"""


@contextlib.contextmanager
def pair():
    """Two namespaces with a veth between them that sends nothing by itself: 10.77.0.1 and .2."""
    quiet = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    with netns(*quiet) as left, netns(*quiet) as right:
        if left.run(["ip", "link", "add", "v0", "address", "02:77:00:00:00:01", "type", "veth", "peer", "name", "v1", "address",
                     "02:77:00:00:00:02", "netns", right.name], None).rc != 0:
            skip("this kernel has no veth devices")
        for ns, device, address, peer, link in ((left, "v0", "10.77.0.1", "10.77.0.2", "02:77:00:00:00:02"),
                                                (right, "v1", "10.77.0.2", "10.77.0.1", "02:77:00:00:00:01")):
            ns.run(["ip", "addr", "add", f"{address}/24", "dev", device])
            ns.run(["ip", "link", "set", device, "up"])
            ns.run(["ip", "neigh", "replace", peer, "lladdr", link, "dev", device, "nud", "permanent"])
        yield left, right


@contextlib.contextmanager
def sender(ns, source, target):
    """A function that sends so many UDP packets of a size, and returns when they are sent."""
    with ns.popen([sys.executable, "-c", SEND, source, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        def send(size, count):
            child.stdin.write(f"{size} {count}\n".encode())
            child.stdin.flush()
            assert child.stdout.readline() == b"sent\n"
        yield send
        child.stdin.close()
        child.wait(PATIENCE)


class Watch:
    """A running `nwho if --watch --jsonl`, of which rows are waited for."""

    def __init__(self, child):
        self.child = child

    def row(self, wanted):
        while True:
            line = self.child.stdout.readline()
            assert line, self.child.stderr.read().decode()
            row = json.loads(line)
            if wanted(row):
                return row

    def begun(self):
        return self.row(lambda row: row.get("rx_rate", 0) is not None and row.get("change") != "new")


@contextlib.contextmanager
def watch(ns, *args):
    with ns.popen([BUILD / "nwho", "if", *args, "--watch=0.05", "--jsonl"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            yield Watch(child)
        finally:
            child.send_signal(signal.SIGINT)
            child.stdout.read()
            child.wait(PATIENCE)


def udp_traffic(send_out, send_in):
    """What is sent both ways: (size of the payload, packets). The answers to closed ports are let out by nobody."""
    for size, count in ((0, 5), (47, 3), (48, 2), (1472, 4)):
        send_out(size, count)
    for size, count in ((200, 7), (1472, 1)):
        send_in(size, count)


def no_answers(*namespaces):
    """Somebody listens at the port and does not read: else ICMP would come back."""
    sockets = contextlib.ExitStack()
    for ns, address in namespaces:
        script = f"import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('{address}', 9))\n" \
                 "print('ready', flush=True)\nsys.stdin.read()\n"
        child = sockets.enter_context(ns.popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        sockets.callback(child.stdin.close)
        assert child.stdout.readline() == b"ready\n"
    return sockets


# --- since the first reading ---

@test
def sums_are_what_was_sent():
    with pair() as (left, right), no_answers((right, "10.77.0.2")), sender(left, "10.77.0.1", "10.77.0.2") as send, \
            watch(left, "v0") as view:
        first = view.begun()
        assert first["tx_since"] == 0 and first["tx_rate_max"] == 0, first
        send(1000, 50)
        row = view.row(lambda row: row["tx_since"] >= 50 * (1000 + UDP + FRAME))
        assert row["tx_since"] == 50 * (1000 + UDP + FRAME) and row["rx_since"] == 0, row
        assert row["tx_rate_max"] >= row["tx_rate_avg"] > 0 and row["tx_rate_min"] == 0, row


@test
def another_interface_of_that_index_brings_no_bytes():
    with netns("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1") as ns:
        def make(address):
            if ns.run(["ip", "link", "add", "d7", "index", "77", "address", address, "type", "veth", "peer", "name", "d8"], None).rc != 0:
                skip("this kernel has no veth devices")
            ns.run(["ip", "addr", "add", "10.78.0.1/24", "dev", "d7"])
            for device in ("d7", "d8"):
                ns.run(["ip", "link", "set", device, "up"])
            ns.run(["ip", "neigh", "replace", "10.78.0.2", "lladdr", "02:78:00:00:00:99", "dev", "d7", "nud", "permanent"])

        make("02:78:00:00:00:01")
        with watch(ns, "d7") as view:
            with sender(ns, "10.78.0.1", "10.78.0.2") as send:
                view.begun()
                send(100, 10)
                view.row(lambda row: row["tx_since"] == 10 * (100 + UDP + FRAME))
            view.child.send_signal(signal.SIGSTOP)  # it does not see that there was none for a while
            ns.run(["ip", "link", "del", "d7"])
            make("02:78:00:00:00:02")
            with sender(ns, "10.78.0.1", "10.78.0.2") as send:
                send(1000, 100)  # more than the other one ever had
                view.child.send_signal(signal.SIGCONT)
                row = view.row(lambda row: row["tx_packets"] >= 100 and row["change"] != "gone")
                assert row["tx_since"] is None and row["tx_rate"] is None, row
                row = view.row(lambda row: row["tx_since"] is not None)
                assert (row["tx_since"], row["tx_rate_max"]) == (0, 0), row
                send(1, 1)
                assert view.row(lambda row: row["tx_since"])["tx_since"] == 1 + UDP + FRAME


@test
def renamed_it_goes_on_and_moved_it_begins_anew():
    with pair() as (left, right), no_answers((right, "10.77.0.2")), sender(left, "10.77.0.1", "10.77.0.2") as send, \
            watch(left, "-N", left.name, "-N", right.name, "address 02:77:00:00:00:01") as view:
        view.begun()
        send(10, 1)
        view.row(lambda row: row["tx_since"] == 10 + UDP + FRAME)
        left.run(["ip", "link", "set", "v0", "down"])
        left.run(["ip", "link", "set", "v0", "name", "blue"])
        row = view.row(lambda row: row["iface"] == "blue" and row["change"] != "gone")
        assert row["tx_since"] == 10 + UDP + FRAME, row
        left.run(["ip", "link", "set", "blue", "netns", right.name])
        row = view.row(lambda row: row["netns"] == right.name)
        assert row["change"] == "new" and row["tx_since"] is None and row["tx_packets"] == 1, row
        row = view.row(lambda row: row["netns"] == right.name and row["tx_since"] is not None)
        assert row["tx_since"] == 0 and row["tx_rate_max"] == 0, row


@test
def one_reading_has_rates():
    with netns() as ns:
        row = nwho_json(ns, "if", "lo", "-d", "0.05")["rows"][0]
        assert row["rx_rate"] == 0 and row["rx_since"] == 0
        lines = nwho(ns, "if", "-d", "0.05").out.splitlines()
        assert lines[0].split() == ["IFACE", "STATE", "RX/S", "TX/S", "RX-PPS", "TX-PPS", "UTIL%", "ERRORS", "DROPS"]
        assert max(map(len, nwho(ns, "if").out.splitlines())) <= 80
        assert "-d ends" in nwho(ns, "if", "-d", "1", "--watch", expect=2).err


@test
def screen_of_one():
    with pair() as (left, right), no_answers((right, "10.77.0.2")):
        out = nwho(left, "if", "v0", "--watch=0.05", "--times", "2", env={"LC_ALL": "C.UTF-8"}).out
        second = out.split("\n\n")[1]
        assert re.search(r"^v0  up  speed \S+  mtu 1500  veth  used % (-|0)$", second, re.M), second
        assert len(re.findall(r"Ttl   0bit +0$", second, re.M)) == 2 and "queue noqueue: drops 0" in second
        assert max(map(len, second.splitlines())) <= 80
        assert out.split("\n\n")[0].count("Curr             -") == 2, out
        for words in ["--watch=0.05"], ["--by", "size"]:
            assert "'v9' was taken for the name of an interface (nwho if lists them)" in nwho(left, "if", "v9", *words, expect=2).err


@test
def shares_of_what_goes_by():
    """A process sends: its payload is named, headers and the rest make up what the interface counts."""
    with pair() as (left, right), no_answers((right, "10.77.0.2")), sender(left, "10.77.0.1", "10.77.0.2") as send:
        columns = "iface,tx_rate,tx_named_rate,tx_headers_rate,tx_forwarded_rate,tx_unowned_rate"
        with watch(left, "v0", "-o", columns) as view:
            view.row(lambda row: row["tx_rate"] is not None)
            if nwho_json(left, "top", "-d", "0.01", expect=(0, 1))["accounting"] != "bpf":
                skip("UDP is not accounted for here")
            seen = []

            def are_named():
                """One reading is of the interface and then of the flows: what passes between these is in the next one."""
                send(1000, 200)
                seen.append(view.row(lambda row: row["tx_rate"]))
                return seen[-1]["tx_named_rate"] > 0.8 * seen[-1]["tx_rate"] and seen[-1]["tx_headers_rate"] > 0

            try:
                wait_for(are_named, what="what is sent is named")
            except AssertionError as error:
                raise AssertionError(f"{error}: {seen[-3:]}") from None


# --- packets by size and protocol ---

def exact_packets(*sources):
    with pair() as (left, right), no_answers((left, "10.77.0.1"), (right, "10.77.0.2")), \
            sender(left, "10.77.0.1", "10.77.0.2") as send_out, sender(right, "10.77.0.2", "10.77.0.1") as send_in, \
            watch(left, "v0", "--by", "size", "--exact", *sources) as sizes, \
            watch(left, "v0", "--by", "proto", "--exact", *sources) as protocols:
        sizes.row(lambda row: row["size_min"] == 0)
        protocols.row(lambda row: row["protocol"] == "total")
        udp_traffic(send_out, send_in)
        total = protocols.row(lambda row: row["protocol"] == "total" and row["packets"] >= 22)
        bytes_out = 14 * (UDP + FRAME) + 3 * 47 + 2 * 48 + 4 * 1472
        bytes_in = 8 * (UDP + FRAME) + 7 * 200 + 1472
        assert (total["tx_packets"], total["tx_bytes"], total["rx_packets"], total["rx_bytes"]) == (14, bytes_out, 8, bytes_in), total
        rows = {}
        while len(rows) < 8:
            row = protocols.row(lambda row: row["protocol"] != "total")
            rows[row["protocol"]] = row
        assert rows["udp"]["packets"] == rows["ipv4"]["packets"] == 22 and rows["udp"]["bytes"] == bytes_out + bytes_in
        assert [name for name, row in rows.items() if row["packets"]] == ["ipv4", "udp"], rows
        row = sizes.row(lambda row: row["size_max"] == 1500 and row["packets"] == 5)
        assert (row["tx_packets"], row["rx_packets"], row["tx_bytes"]) == (4, 1, 4 * 1514), row
        brackets = {}
        while len(brackets) < 21:
            row = sizes.row(lambda row: True)
            brackets[row["size_min"]] = (row["tx_packets"], row["rx_packets"])
            assert row["lost"] == 0 and row["source"] == ("packet socket" if sources else row["source"])
        assert {size: packets for size, packets in brackets.items() if packets != (0, 0)} == {
            0: (8, 0), 76: (2, 0), 226: (0, 7), 1426: (4, 1)}, brackets


@test
def packets_are_counted_to_the_byte():
    exact_packets()


@test
def packets_are_counted_to_the_byte_by_a_packet_socket():
    exact_packets("--sources", "sock_diag,proc_net,proc_fd")


@test
def who_may_count_and_what():
    with netns() as ns:
        assert "CAP_NET_RAW" in nwho(ns, "if", "lo", "--by", "size", expect=2, user="nobody").err
        assert "neither size nor proto" in nwho(ns, "if", "lo", "--by", "colour", expect=2).err
        assert "needs the name" in nwho(ns, "if", "--by", "proto", expect=2).err
        table = nwho(ns, "if", "lo", "--by", "proto", "-d", "0.05", "tcp", "--csv", "-o", "protocol,packets").out
        assert table.splitlines() == ["protocol,packets", "tcp,0"]
        assert len(nwho(ns, "if", "lo", "--by", "size", "-d", "0.05").out.splitlines()) == 22


run_tests()
