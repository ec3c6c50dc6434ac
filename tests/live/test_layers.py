# SPDX-License-Identifier: MIT
"""Traffic through veth, bridge and NAT: processes in all namespaces to the byte, interfaces add up, nothing counts twice."""
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager

from documents import documents, top
from links import ip, pair
from live import PATIENCE, netns, run_tests, skip, test

PORT = 7000
REPLY = 10  # one byte of so many goes back
SHARES = ("named", "headers", "forwarded", "unowned")

SERVER = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)  # what is not read yet is not named yet
print("ready", flush=True)
while True:
    end = listener.accept()[0]
    left = int.from_bytes(end.recv(8, socket.MSG_WAITALL), "big")
    reply = left // int(sys.argv[3])
    while left:
        left -= len(end.recv(min(left, 1 << 20)))
    end.sendall(bytes(reply))
    end.close()
"""

# A line with a number: a connection that sends so many bytes after its first 8. A call is counted when it returns: many of them.
CLIENT = """
import socket, sys
for line in sys.stdin:
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as end:
        end.sendall(int(line).to_bytes(8, "big"))
        for at in range(0, int(line), 1 << 18):
            end.sendall(bytes(min(1 << 18, int(line) - at)))
        while end.recv(1 << 20):
            pass
    print("done", flush=True)
"""

# Frames of an experimental protocol, sent past all of TCP/IP. A line with a number: so many.
FRAMES = """
import socket, sys
end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
end.bind((sys.argv[1], 0x88b5))
for line in sys.stdin:
    for _ in range(int(line)):
        end.send(b"\\xff" * 6 + b"\\2\\0\\0\\0\\0\\1" + b"\\x88\\xb5" + bytes(1000))
    print("done", flush=True)
"""


class Worker:
    """A process that does a line's work, and says when it is done."""

    def __init__(self, child):
        self.child, self.pid = child, child.pid

    def say(self, number):
        self.child.stdin.write(f"{number}\n".encode())
        self.child.stdin.flush()
        assert self.child.stdout.readline() == b"done\n"


@contextmanager
def worker(ns, script, *args):
    with ns.popen([sys.executable, "-c", script, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        yield Worker(child)
        child.stdin.close()
        child.wait(PATIENCE)


@contextmanager
def server(ns, address):
    with ns.popen([sys.executable, "-c", SERVER, address, PORT, REPLY], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        try:
            yield child.pid
        finally:
            child.terminate()


@contextmanager
def container():
    """(container, router, outside): what the container sends goes over a bridge of the router, and on by NAT."""
    with netns() as box, netns("net.ipv4.ip_forward=1") as router, netns() as outside:
        pair(box, "eth0", router, "port0")
        ip(router, "link add br0 type bridge")
        ip(router, "link set br0 addrgenmode none")
        ip(router, "link set port0 master br0")
        ip(router, "link set br0 up")
        pair(router, "out0", outside, "eth0")
        for ns, address, device in ((box, "10.66.1.2/24", "eth0"), (router, "10.66.1.1/24", "br0"),
                                    (router, "10.66.2.1/24", "out0"), (outside, "10.66.2.2/24", "eth0")):
            ns.add_address(address, device)
        ip(box, "route add default via 10.66.1.1")
        if shutil.which("nft"):
            router.run(["nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; };"
                               'add rule ip nat out oifname "out0" masquerade'])
        else:
            ip(outside, "route add 10.66.1.0/24 via 10.66.2.1")
        yield box, router, outside


class Shares:
    """`nwho if` that runs; adds up what the interfaces had."""

    def __init__(self, shown):
        self.shown, self.total, self.since = shown, {}, {}

    def read(self):
        for row in self.shown.read()["rows"]:
            if row["rx_named_rate"] is None:
                continue
            for way in ("rx", "tx"):
                key = (row["netns"], row["iface"], way)
                self.since[key] = row[f"{way}_since"]
                total = self.total.setdefault(key, Counter())
                for share in SHARES:
                    total[share] += row[f"{way}_{share}_rate"]
                total["all"] += row[f"{way}_rate"]

    def until(self, key, least):
        for _ in range(200):
            self.read()
            if self.since.get(key, 0) >= least:
                self.read()  # what was still to be named
                return
        raise AssertionError((key, self.since))

    def part(self, ns, iface, way, *shares):
        total = self.total[ns.name, iface, way]
        return sum(total[share] for share in shares) / total["all"]


@contextmanager
def shares(*namespaces):
    columns = [f"{way}_{share}_rate" for way in ("rx", "tx") for share in SHARES]
    words = ["if", f"--json=netns,iface,rx_rate,tx_rate,rx_since,tx_since,{','.join(columns)}", "--watch=0.1"]
    with documents(namespaces[0], *words, *(f"-N{ns.name}" for ns in namespaces)) as shown:
        document = shown.read()
        if document.get("accounting") != "bpf":
            skip("no accounting by BPF")
        yield Shares(shown)


def bytes_of(rows, pid):
    found = [row for row in rows if row["pid"] == pid]
    return (sum(row["rx_bytes"] for row in found), sum(row["tx_bytes"] for row in found))


def need_bpf(document):
    if document["accounting"] != "bpf":
        skip("no accounting by BPF")


def assert_named(seen, ns, iface, way):
    """Payload and its headers are nearly everything."""
    assert abs(seen.part(ns, iface, way, "named", "headers") - 1) <= 0.05, (ns.name, iface, way, seen.total)


@test
def a_container_behind_a_bridge_and_nat():
    size = 3000001
    with container() as (box, router, outside), server(outside, "10.66.2.2") as served, \
            worker(box, CLIENT, "10.66.2.2", PORT) as client:
        names = f"(netns {box.name} or netns {router.name} or netns {outside.name}) and not process nwho"
        with top(router, "--all-netns", names) as shown, top(router, "--all-netns", "--by", "iface,netns", names) as by_iface:
            need_bpf(shown.read())
            by_iface.read()
            client.say(size)
            there = (size // REPLY, size + 8)
            rows = shown.until(lambda rows: bytes_of(rows, client.pid) >= there and sum(bytes_of(rows, served)))["rows"]
            assert bytes_of(rows, client.pid) == there and bytes_of(rows, served) == there[::-1], rows
            assert {row["pid"] for row in rows} == {client.pid, served}, rows
            rows = by_iface.until(lambda rows: len(rows) >= 2 and sum(row["tx_bytes"] for row in rows) >= sum(there))["rows"]
            assert sum(row["tx_bytes"] for row in rows) == sum(row["rx_bytes"] for row in rows) == sum(there), rows
            assert {(row["netns"], row["iface"]) for row in rows} == {(box.name, "eth0"), (outside.name, "eth0")}, rows


@test
def a_router_forwards_and_the_ends_are_named():
    size = 20000000
    with container() as (box, router, outside), server(outside, "10.66.2.2"), \
            worker(box, CLIENT, "10.66.2.2", PORT) as client, shares(box, router, outside) as seen:
        client.say(size)
        client.say(size)
        seen.until((outside.name, "eth0", "rx"), 2 * size)
        for iface in ("port0", "br0", "out0"):
            for way in ("rx", "tx"):
                assert seen.part(router, iface, way, "forwarded") >= 0.95, (iface, way, seen.total)
                assert seen.part(router, iface, way, "named") == 0, (iface, way, seen.total)
        assert_named(seen, box, "eth0", "tx")  # not the replies: one call, which returns after a reading that has its bytes
        assert_named(seen, outside, "eth0", "rx")
        for ns in (box, outside):
            for way in ("rx", "tx"):
                assert seen.part(ns, "eth0", way, "forwarded") == 0, (ns.name, way, seen.total)
        for key, total in seen.total.items():
            assert abs(sum(total[share] for share in SHARES) - total["all"]) <= 0.05 * total["all"], (key, total)


@test
def packets_larger_than_64_kibibytes():
    size = 30000000
    with netns() as one, netns() as other:
        pair(one, "big0", other, "big1")
        for ns, device, address in ((one, "big0", "fd66::1/64"), (other, "big1", "fd66::2/64")):
            if ns.run(["ip", "link", "set", device, "gso_max_size", "185000", "gro_max_size", "185000"], None).rc != 0:
                skip("no BIG TCP: this ip or this kernel does not know larger packets")
            ns.add_address(address, device)
        with server(other, "fd66::2") as served, worker(one, CLIENT, "fd66::2", PORT) as client, \
                shares(one, other) as seen, top(one, "--all-netns", f"netns {one.name} or netns {other.name}") as shown:
            shown.read()
            client.say(size)
            there = (size // REPLY, size + 8)
            rows = shown.until(lambda rows: bytes_of(rows, client.pid) >= there and sum(bytes_of(rows, served)))["rows"]
            assert bytes_of(rows, client.pid) == there and bytes_of(rows, served) == there[::-1], rows
            seen.until((other.name, "big1", "rx"), size)
            assert_named(seen, one, "big0", "tx")
            assert_named(seen, other, "big1", "rx")


@test
def frames_of_packet_sockets_have_a_sender_and_no_receiver():
    size = 2000 * 1014
    with netns() as one, netns() as other:
        pair(one, "raw0", other, "raw1")
        with worker(one, FRAMES, "raw0") as sender, shares(one, other) as seen, \
                top(one, "--all-netns", "--by", "conn", "-o", "+iface", f"proto packet and netns {one.name}") as shown:
            need_bpf(shown.read())
            sender.say(2000)
            seen.until((other.name, "raw1", "rx"), size)
            (row,) = shown.until(lambda rows: bytes_of(rows, sender.pid)[1] >= size)["rows"]
            assert (row["proto"], row["iface"], row["rx_bytes"], row["tx_bytes"]) == ("packet", "raw0", 0, size), row
            assert seen.part(one, "raw0", "tx", "named") > 0.99 < seen.part(other, "raw1", "rx", "unowned"), seen.total


@test
def interfaces_come_change_and_go():
    size = 1000000
    with netns() as one, netns() as other, netns() as third:
        words = ["if", "--json=netns,iface,ifindex,rx_rate,tx_rate,rx_since,tx_since,rx_bytes", "--watch=0.1"]
        names = [f"-N{ns.name}" for ns in (one, other, third)]
        with documents(one, *words, *names) as shown, top(one, "--all-netns", f"netns {one.name}") as counted:
            need_bpf(counted.read())

            def row_of(rows, ns, iface):
                return next((row for row in rows if (row["netns"], row["iface"]) == (ns.name, iface)), None)

            def until_there(ns, iface):
                return row_of(shown.until(lambda rows: row_of(rows, ns, iface))["rows"], ns, iface)

            def until_gone(ns, iface):
                shown.until(lambda rows: not row_of(rows, ns, iface))

            pair(one, "new0", other, "new1")
            assert until_there(one, "new0")["rx_rate"] is None or until_there(one, "new0")["rx_since"] < 10000
            one.add_address("10.66.3.1/24", "new0")
            other.add_address("10.66.3.2/24", "new1")
            with server(other, "10.66.3.2"), worker(one, CLIENT, "10.66.3.2", PORT) as client:
                client.say(size)
                shown.until(lambda rows: row_of(rows, other, "new1")["rx_since"] >= size)
                ip(one, "link set new0 down")
                ip(one, "link set new0 name renamed0")
                ip(one, "link set renamed0 up")
                assert until_there(one, "renamed0")["tx_since"] >= size
                client.say(size)
                last = shown.until(lambda rows: row_of(rows, one, "renamed0")["tx_since"] >= 2 * size)["rows"]
                assert row_of(last, one, "renamed0")["tx_since"] < 2.2 * size and not row_of(last, one, "new0"), last
                rows = counted.until(lambda rows: bytes_of(rows, client.pid) >= (2 * size // REPLY, 2 * size + 16))["rows"]
                assert bytes_of(rows, client.pid) == (2 * size // REPLY, 2 * size + 16), rows
            ip(other, f"link set new1 netns {third.name}")
            until_gone(other, "new1")
            moved = until_there(third, "new1")
            assert moved["rx_bytes"] >= 2 * size, moved
            assert (moved["rx_since"] or 0) < 10000 and (moved["rx_rate"] or 0) < 100000, moved
            ip(one, "link del renamed0")
            until_gone(one, "renamed0")
            until_gone(third, "new1")
            pair(one, "renamed0", other, "new1")
            again = until_there(one, "renamed0")
            assert (again["tx_since"] or 0) < 10000 and (again["tx_rate"] or 0) < 100000, again


run_tests()
