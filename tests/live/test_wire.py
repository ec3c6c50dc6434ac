# SPDX-License-Identifier: MIT
"""Packets of sockets, with all their headers: against the counters of the interface, and those of TCP."""
import functools
import json
import struct
import subprocess
import sys
from contextlib import contextmanager, suppress

from counting import FOLDED, counting, make
from documents import top
from links import ip, pair
from live import netns, nwho_json, run_tests, skip, test, wait_for

ATTEMPTS = 5
WIRE = ("rx_wire", "tx_wire", "rx_packets", "tx_packets")
COLUMNS = "rx_wire_bytes,tx_wire_bytes,rx_packets,tx_packets,rx_wire_rate,tx_wire_rate,rx_packet_rate,tx_packet_rate"

# Serves TCP and UDP of one port until its standard input ends: what comes goes back.
ECHO = """
import select, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listener = socket.create_server((sys.argv[1], 7000), family=family)
datagrams = socket.socket(family, socket.SOCK_DGRAM)
datagrams.bind((sys.argv[1], 7000))
print("ready", flush=True)
ends = [listener, datagrams, sys.stdin]
while True:
    for end in select.select(ends, [], [])[0]:
        if end is sys.stdin:
            sys.exit()
        elif end is listener:
            ends.append(listener.accept()[0])
        elif end is datagrams:
            data, peer = datagrams.recvfrom(65536)
            datagrams.sendto(data, peer)
        else:
            data = end.recv(65536)
            if data:
                end.sendall(data)
            else:
                ends.remove(end)
                end.close()
"""

# "tcp N M": a connection on which M times N bytes go there and back; "udp N M": as many datagrams; "open N M": a connection
# that stays, and "info 0 0" what TCP knows of it.
CLIENT = """
import select, socket, sys

def there_and_back(end, size):
    out, left = memoryview(bytes(size)), size
    while left:  # who only sent would wait for ever for one that echoes
        readable, writable, _ = select.select([end], [end] if out else [], [])
        if writable:
            out = out[end.send(out, socket.MSG_DONTWAIT):]
        if readable:
            left -= len(end.recv(65536))

family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
kept = None
for line in sys.stdin:
    kind, size, times = line.split()
    if kind == "info":
        print(kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256).hex(), flush=True)
        continue
    end = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    end.connect((sys.argv[1], 7000))
    for _ in range(int(times)):
        there_and_back(end, int(size))
    if kind == "open":
        kept = end
    else:
        if kind == "tcp":
            end.shutdown(socket.SHUT_WR)
            assert not end.recv(1)
        end.close()
    print("done", flush=True)
"""


class Talker:
    def __init__(self, child):
        self.child, self.pid = child, child.pid

    def say(self, *words):
        self.child.stdin.write(" ".join(map(str, words)) + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().strip()


@contextmanager
def conversation(one, other, address):
    """A talker in ONE, and who answers in OTHER."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with other.popen([sys.executable, "-c", ECHO, address], **pipes) as echo, \
            one.popen([sys.executable, "-c", CLIENT, address], **pipes) as client:
        assert echo.stdout.readline() == "ready\n"
        yield Talker(client)


@contextmanager
def linked(*options):
    """Two namespaces, whose ends know each other's address: nothing but what is asked for passes the link."""
    with netns("net.ipv4.tcp_sack=0") as one, netns("net.ipv4.tcp_sack=0") as other:  # headers have one length
        pair(one, "wire0", other, "wire1")
        for ns, device, number in ((one, "wire0", 1), (other, "wire1", 2)):
            for option in ("arp off", *options):  # without it IPv6 tells routers which groups it joins
                ip(ns, f"link set {device} {option}")
            ns.add_address(f"10.66.4.{number}/24", device)
            ns.add_address(f"fd64::{number}/64", device)
        for ns, device, number, far, peer in ((one, "wire0", 2, other, "wire1"), (other, "wire1", 1, one, "wire0")):
            mac = json.loads(far.run(["ip", "-j", "link", "show", peer]).out)[0]["address"]
            for address in (f"10.66.4.{number}", f"fd64::{number}"):
                ip(ns, f"neigh replace {address} lladdr {mac} dev {device} nud permanent")
        yield one, other


def of_interface(ns, device):
    stats = json.loads(ns.run(["ip", "-j", "-s", "link", "show", device]).out)[0]["stats64"]
    return {"rx_wire": stats["rx"]["bytes"], "tx_wire": stats["tx"]["bytes"], "rx_packets": stats["rx"]["packets"],
            "tx_packets": stats["tx"]["packets"]}


def of_flows(flows):
    return {name: sum(flow[name] for flow in flows) for name in WIRE}


class Crowded(Exception):
    """Neighbours have so many flows that those of this test are not listed one by one any more."""


def listed(counter):
    flows = counter.read()
    if any(flow["flags"] & FOLDED for flow in flows):
        raise Crowded
    return flows


def test_when_listed(function):
    """A test that is begun again where neighbours have too many flows, which they do not have for long."""
    @functools.wraps(function)
    def several_times():
        for _ in range(ATTEMPTS):
            with suppress(Crowded):
                return function()
        skip("neighbours have so many flows that these are not listed, again and again")
    return test(several_times)


def need_packets(counter):
    flows = counter.read()
    if not counter.wire:
        skip(f"packets cannot be counted: {counter.notes}")
    return flows


def wait_until_equal(counter, ns, device, before, about):
    """The flows, once they have what has passed the device: the last packets may be on their way still."""
    seen = {}

    def is_equal():
        flows, after = listed(counter), of_interface(ns, device)
        seen.update(flows=flows, since={name: after[name] - before[name] for name in WIRE})
        return of_flows(flows) == seen["since"]

    try:
        wait_for(is_equal, what="packets of flows as those of their device")
    except AssertionError as error:
        raise AssertionError(f"{error}: {about}, {device}: {seen}") from None
    return seen["flows"]


@test_when_listed
def sockets_have_what_their_interface_counts():
    """Handshakes and ends too, of two protocols and families, where no packet is cut up later."""
    with linked("gso_max_segs 1") as (one, other), counting(one, "wire") as here, counting(other, "wire") as there:
        need_packets(here)
        need_packets(there)
        before = {one: of_interface(one, "wire0"), other: of_interface(other, "wire1")}
        clients = set()
        for address in ("10.66.4.2", "fd64::2"):
            with conversation(one, other, address) as client:
                clients.add(client.pid)
                for words in (("tcp", 1, 1), ("tcp", 100000, 20), ("udp", 1000, 50), ("udp", 0, 0)):
                    assert client.say(*words) == "done"
                for ns, counter, device in ((one, here, "wire0"), (other, there, "wire1")):
                    flows = wait_until_equal(counter, ns, device, before[ns], address)
                    if ns is one:
                        assert {flow["pid"] for flow in flows} == clients, (address, clients, flows)


def segments(client):
    """(bytes sent, segments sent, segments received) as TCP counts them; what is sent again, too."""
    info = bytes.fromhex(client.say("info", 0, 0))
    return struct.unpack_from("Q", info, 200) + struct.unpack_from("II", info, 136)


def dropped(one, other):
    """Packets that the kernel had no room for between the two ends of a wire: at its devices, or on the whole machine."""
    with open("/proc/net/softnet_stat", encoding="ascii") as file:
        count = sum(int(line.split()[1], 16) for line in file)
    for ns, device in ((one, "wire0"), (other, "wire1")):
        stats = json.loads(ns.run(["ip", "-j", "-s", "link", "show", device]).out)[0]["stats64"]
        count += sum(stats[way][why] for way in ("rx", "tx") for why in ("dropped", "errors"))
    return count


def assert_segments(client, headers, family, here, there, lost):
    """What CLIENT sent and received, once no packet is on its way, is what TCP says; and the other end got the same, unless
    LOST() says that something was."""
    seen = {}

    def agrees():
        known = segments(client)
        flow = next(flow for flow in listed(here) if flow["pid"] == client.pid)
        arrived = sum(row["rx_wire"] for row in listed(there) if row["family"] == family)
        if segments(client) != known:  # an acknowledgement came late
            return False
        sent, segments_out, segments_in = known
        assert flow["tx"] == flow["rx"] == 9000000, flow
        assert flow["tx_packets"] == segments_out, (flow, known)
        assert flow["rx_packets"] >= segments_in, (flow, known)  # TCP does not count what its backlog has no room for
        assert flow["tx_wire"] == sent + segments_out * headers + 8, (flow, known)  # a SYN has more options
        assert flow["rx_wire"] >= 9000000 + segments_in * headers + 8, (flow, known)
        seen.update(arrived=arrived, sent=flow["tx_wire"])
        return arrived == flow["tx_wire"] or (arrived < flow["tx_wire"] and lost())

    try:
        wait_for(agrees, what="a moment without packets")
    except AssertionError as error:
        raise AssertionError(f"{error}: {seen}, retransmissions and more: {segments(client)}") from error


@test_when_listed
def a_large_packet_counts_as_what_it_is_cut_into():
    """TCP knows how many segments it sent, however they passed the interface."""
    with linked() as (one, other), counting(one, "wire") as here, counting(other, "wire") as there:
        need_packets(here)
        need_packets(there)
        for address, family, headers in (("10.66.4.2", 2, 14 + 20 + 32), ("fd64::2", 10, 14 + 40 + 32)):
            with conversation(one, other, address) as client:
                before = dropped(one, other)
                client.say("open", 3000000, 3)
                assert_segments(client, headers, family, here, there, lambda: dropped(one, other) > before)


@test_when_listed
def packets_larger_than_64_kibibytes_count_the_same():
    with linked("gso_max_size 185000 gro_max_size 185000") as (one, other), counting(one, "wire") as here, \
            counting(other, "wire") as there, conversation(one, other, "fd64::2") as client:
        need_packets(here)
        need_packets(there)
        before = dropped(one, other)
        client.say("open", 3000000, 3)
        assert_segments(client, 14 + 40 + 32, 10, here, there, lambda: dropped(one, other) > before)


@test
def segments_of_a_datagram_count_each():
    """Five calls of 30500 bytes, in segments of 1000."""
    with netns() as ns, counting(ns, "wire") as counter:
        need_packets(counter)
        make(ns, "udp-segments")
        flows = [flow for flow in counter.read() if flow["proto"] == "udp"]
        sender, receiver = sorted(flows, key=lambda flow: flow["rx"])
        assert sender["tx"] == receiver["rx"] == 5 * 30500, flows
        assert sender["tx_packets"] == receiver["rx_packets"] == 5 * 31, flows
        assert sender["tx_wire"] == receiver["rx_wire"] == 5 * (30500 + 31 * (14 + 20 + 8)), flows


@test
def what_nobody_uses_is_counted_and_nobodys():
    with linked() as (one, other), counting(other, "wire") as counter:
        need_packets(counter)
        with conversation(one, other, "10.66.4.2") as client:
            client.say("tcp", 10, 1)
        ip(one, "neigh replace 10.66.4.9 lladdr 02:00:00:00:00:01 dev wire0 nud permanent")
        one.run([sys.executable, "-c", "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                 "s.connect(('10.66.4.2', 9)); s.send(b'x' * 100)"])

        def answered():
            """The handshake by the listener, and that there is no such port by the kernel."""
            nobody = [flow for flow in counter.read() if not flow["pid"]]
            listener = any(flow["local_port"] == 7000 and flow["rx_packets"] >= 2 for flow in nobody)
            return nobody if listener and any(flow["tx_packets"] == 1 and flow["tx_wire"] > 100 for flow in nobody) else None
        nobody = wait_for(answered, what="packets of nobody")
        assert all(flow["rx"] == flow["tx"] == 0 for flow in nobody), nobody


@test
def columns_show_them():
    with linked() as (one, other), conversation(one, other, "10.66.4.2") as client:
        with top(one, f"pid {client.pid}", "-o", f"pid,tx_bytes,{COLUMNS}") as shown:
            document = shown.read()
            client.say("open", 100000, 1)
            rows = shown.until(lambda rows: rows and rows[0]["tx_bytes"] == 100000)["rows"]
            if document["accounting"] != "bpf":
                assert all(rows[0][name] is None for name in COLUMNS.split(",")), rows
                skip("no accounting by BPF")
            rows = shown.until(lambda rows: rows[0]["rx_packets"] > 4)["rows"]
            assert rows[0]["tx_wire_bytes"] > 100000 + 66 * rows[0]["tx_packets"], rows
            shown.until(lambda rows: rows[0]["tx_wire_rate"] == rows[0]["rx_packet_rate"] == 0)
        with top(one, f"pid {client.pid}", "--sort", "tx_packets:desc", "-o", "pid,rx_packets") as shown:
            shown.read()
            client.say("open", 1000, 1)
            shown.until(lambda rows: rows and rows[0]["rx_packets"] > 2)


@test
def without_bpf_they_are_unknown_and_it_is_said():
    with netns() as ns:
        document = nwho_json(ns, "top", "-d", "0.1", "-o", "pid,rx_wire_bytes", "--sources", "sock_diag,proc_net", expect=(0, 1))
        assert any("wire bytes" in warning["text"] for warning in document["warnings"]), document


run_tests()
