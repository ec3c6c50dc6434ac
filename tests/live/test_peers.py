# SPDX-License-Identifier: MIT
"""What unconnected UDP sockets exchange with each of their peers, to the byte, and only where somebody asks for it."""
import contextlib
import json
import subprocess
import sys
from tempfile import TemporaryFile

from counting import PEER, assert_exact, counting, make, objects, sums
from documents import Documents, top
from links import ip, pair
from live import BUILD, KERNEL, PATIENCE, netns, run_tests, skip, test, wait_for
from loaded import program_facts

SOCK_ADDR = "18"  # BPF_PROG_TYPE_CGROUP_SOCK_ADDR


def needs_hooks():
    """What takes the casts of the programs at the hooks; all else holds without them."""
    if KERNEL < (6, 2):
        skip("peers of unconnected sockets are told since Linux 6.2")


def by_peer(flows, cookie):
    """{port: (rx, tx)} of a socket: 0 is what it has without a peer."""
    return {flow["peer_port"]: (flow["rx"], flow["tx"]) for flow in flows if flow["cookie"] == cookie}


@test
def every_call_with_an_address():
    needs_hooks()
    for family in ("family=4", "family=6"):
        with netns() as ns, counting(ns, "peers") as counter:
            truth = make(ns, "udp-peers", family)
            flows = counter.read()
            assert_exact(truth, flows)
            ports = {flow["cookie"]: flow["local_port"] for flow in flows}
            (hub, _), *peers = sorted(sums(truth, "cookie").items(), key=lambda item: -item[1][0])
            expected = {ports[peer[0]]: (tx - 1000, rx) for peer, (rx, tx) in peers}
            assert len(expected) == 10 and by_peer(flows, *hub) == {0: (10000, 0), **expected}, flows
            for peer, moved in peers:
                assert by_peer(flows, *peer) == {ports[hub[0]]: moved}, flows
            assert {flow["peer"] for flow in flows if flow["flags"] & PEER} == {"127.0.0.1" if "4" in family else "::1"}
            assert not any(flow["rx_last"] or flow["tx_last"] for flow in counter.read())


@test
def io_uring():
    needs_hooks()
    with netns() as ns, counting(ns, "peers") as counter:
        truth = make(ns, "io-uring-peers")
        flows = counter.read()
        assert_exact(truth, flows)
        assert len(flows) == 2 and all(flow["flags"] & PEER and flow["peer_port"] for flow in flows), flows


@test
def sums_of_sockets_stay():
    for situation in ("udp", "udp-unconnected", "udp-many-at-once", "udp-peek-and-cut", "udp-segments", "udplite",
                      "multicast", "raw", "ping", "io-uring", "tcp", "threads", "fork-after-accept"):
        with netns() as ns:
            ns.run(["sh", "-c", "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range"])
            with counting(ns, "peers") as counter:
                assert_exact(make(ns, situation), counter.read())


@test
def nothing_is_lost_when_it_begins_and_ends():
    with netns() as ns, counting(ns) as counter, TemporaryFile() as output:
        for _ in range(5):
            process = ns.popen([BUILD / "tests/helpers/mktraffic", "udp-unconnected"], stdout=output)
            while process.poll() is None:
                counter.read(b"p")
            assert process.returncode == 0
        output.seek(0)
        flows = counter.read()
        assert_exact(objects(output.read().decode()), flows)


# Waits at "::" and 0.0.0.0, each with a port of its own, and answers each datagram with twice the bytes
# and one more. For each line on its input it tells what it had with whom.
SERVER = """
import json, select, socket, sys
sockets = [socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)]
for port, one in enumerate(sockets):
    one.bind(("", 5300 + port))
truth = {}
print("ready", flush=True)
while True:
    ready = select.select([sys.stdin, *sockets], [], [])[0]
    if sys.stdin in ready:
        if not sys.stdin.readline():
            break
        print(json.dumps(truth), flush=True)
        ready.remove(sys.stdin)
    for one in ready:
        data, peer = one.recvfrom(65536)
        moved = truth.setdefault(peer[0].removeprefix("::ffff:"), [0, 0])
        moved[0] += len(data)
        moved[1] += one.sendto(data + data + b"!", peer)
"""

# From each address some datagrams, each waiting for its answer.
CLIENT = """
import socket, sys
server, *sources = sys.argv[1:]
for number, source in enumerate(sources):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    port = 5301 if ":" in server or number % 2 else 5300
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.bind((source, 0))
        for size in range(1, 20):
            one.sendto(b"x" * (size * (number + 1)), (server, port))
            assert len(one.recvfrom(65536)[0]) == 2 * size * (number + 1) + 1
"""


@contextlib.contextmanager
def server(ns):
    with ns.popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        yield child
        child.stdin.close()
        child.wait(PATIENCE)


def tell(child):
    child.stdin.write("\n")
    child.stdin.flush()
    return {peer: tuple(moved) for peer, moved in json.loads(child.stdout.readline()).items()}


@contextlib.contextmanager
def clients(ns):
    """Namespaces with cables to NS; gives a function that lets all their addresses send."""
    with netns() as one, netns() as other:
        for number, far in enumerate((one, other)):
            pair(ns, f"near{number}", far, "far")
            for device_ns, device, end in ((ns, f"near{number}", 1), (far, "far", 2)):
                device_ns.add_address(f"10.9.{number}.{end}/24", device)
                device_ns.add_address(f"fd09:{number}::{end}/64", device)
            for end in range(3, 8):
                far.add_address(f"10.9.{number}.{end}/24", "far")
                far.add_address(f"fd09:{number}::{end}/64", "far")

        def send():
            for number, far in enumerate((one, other)):
                for net in (f"10.9.{number}.", f"fd09:{number}::"):
                    far.run([sys.executable, "-c", CLIENT, net + "1", *(f"{net}{end}" for end in range(2, 8))])
        yield send


def rows_by_peer(document):
    return {row["peer_addr"]: (row["rx_bytes"], row["tx_bytes"]) for row in document["rows"]}


def has(tx):
    return lambda rows: sum(row["tx_bytes"] for row in rows) >= tx


@test
def top_by_peer_is_what_the_server_counted():
    needs_hooks()
    with netns() as ns, clients(ns) as send, server(ns) as child:
        with top(ns, "--by", "peer", f"pid {child.pid}") as peers, top(ns, f"pid {child.pid}") as processes, \
                top(ns, "--by", "conn", f"pid {child.pid}") as conns:
            for shown in (peers, processes, conns):
                level = shown.read()["accounting"]
            if level != "bpf":
                skip("UDP is not counted without BPF")
            send()
            truth = tell(child)
            rx, tx = (sum(moved[way] for moved in truth.values()) for way in (0, 1))
            assert len(truth) == 24 and rx
            document = peers.until(has(tx))
            if any("more peers" in note["text"] for note in document["warnings"]):
                skip("others on this machine have so many peers that there is no room")
            assert rows_by_peer(document) == truth, document
            (row,) = processes.until(has(tx))["rows"]
            assert (row["rx_bytes"], row["tx_bytes"], row["connections"]) == (rx, tx, 2), row
            rows = conns.until(has(tx))["rows"]
            assert sum(row["rx_bytes"] for row in rows) == rx and len(rows) == 24, rows
            assert {row["peer_addr"].removeprefix("::ffff:") for row in rows} == truth.keys(), rows
            assert all(row["peer_port"] and row["local_port"] in (5300, 5301) for row in rows), rows
        with top(ns, f"pid {child.pid}", "dst 10.9.1.5") as filtered:
            filtered.read()
            send()
            (row,) = filtered.until(has(truth["10.9.1.5"][1]))["rows"]
            assert (row["rx_bytes"], row["tx_bytes"]) == truth["10.9.1.5"], row
        near = [moved for peer, moved in truth.items() if peer.startswith(("10.9.1.", "fd09:1:"))]
        rx, tx = (sum(moved[way] for moved in near) for way in (0, 1))
        with top(ns, f"pid {child.pid}", 'iface = "near1"') as filtered:
            filtered.read()
            send()
            (row,) = filtered.until(has(tx))["rows"]
            assert (row["rx_bytes"], row["tx_bytes"]) == (rx, tx), row


@test
def iftop_shows_the_pairs():
    needs_hooks()
    told = []

    def is_shown(seconds):
        with netns() as ns, clients(ns) as send, server(ns) as child:
            iftop = [BUILD / "nwho", "iftop", "-t", "-n", "-N", "-B", "-i", "near1", "-s", str(seconds)]
            with ns.popen(iftop, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as shown:
                assert shown.stdout.readline() == "Listening on near1\n"
                send()
                truth, (text, said) = tell(child), shown.communicate()
            if "UDP" in said:
                skip("UDP is not counted without BPF")
            others = [peer for peer in truth if not peer.startswith(("10.9.1.", "fd09:1::"))]
            assert len(others) < len(truth) and not set(others) & set(text.split()), (others, text)
            told.append((text, said))
            return set(truth) - set(others) <= set(text.split())

    is_there = any(is_shown(seconds) for seconds in (3, 10, 30))
    if not is_there and all("more peers" in said for _, said in told[-1:]):
        skip("others on this machine have so many peers that there is no room")
    assert is_there, f"three seconds are few on a busy machine, thirty are not: {told[-1]}"


def has_hooks(process):
    """Whether it has programs at the hooks of calls with an address."""
    kinds = program_facts(process, "prog_type")
    if not kinds:
        skip("no accounting by BPF")
    return SOCK_ADDR in kinds


@test
def only_where_somebody_asks():
    needs_hooks()
    with netns() as ns:
        for words, asked in (([], False), (["--by", "port"], False), (["--by", "peer"], True), (["--by", "conn"], True),
                             (["dst 10.0.0.1"], True), (["dport 53"], True), (["sport 53"], False)):
            with top(ns, *words) as shown:
                shown.read()
                assert has_hooks(shown.child.pid) == asked, words


@test
def without_the_right_to_hooks_all_is_without_a_peer():
    drop = ["setpriv", "--bounding-set=-net_admin,-sys_admin"]
    with netns() as ns, server(ns) as child:
        words = [BUILD / "nwho", "top", "--json", "--by", "peer", "-d", "0.1", "-n", "100000", f"pid {child.pid}"]
        with ns.popen([*drop, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as shown:
            document = Documents(shown).read()
            if document["accounting"] != "bpf":
                skip("UDP is not counted without BPF")
            assert any("have no peers" in note["text"] for note in document["warnings"]), document["warnings"]
            ns.run([sys.executable, "-c", CLIENT, "127.0.0.1", "127.0.0.2"])
            truth = tell(child)
            assert rows_by_peer(Documents(shown).until(has(truth["127.0.0.2"][1]))) == {None: truth["127.0.0.2"]}
            shown.terminate()


# More than there is room for; nobody is there.
MANY = """
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
for line in sys.stdin:
    for number in range(int(line)):
        one.sendto(b"x" * 5, (f"127.1.{number // 250}.{number % 250 + 1}", 9))
    print("done", flush=True)
"""


@test
def more_peers_than_there_is_room_for():
    needs_hooks()
    with netns() as ns, ns.popen([sys.executable, "-c", MANY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        with top(ns, "--by", "peer", "-d", "1", f"pid {child.pid}") as shown:
            if shown.read()["accounting"] != "bpf":
                skip("UDP is not counted without BPF")
            child.stdin.write(b"10000\n")
            child.stdin.flush()
            child.stdout.readline()
            document = shown.until(has(50000))
        rows = rows_by_peer(document)
        assert sum(tx for _, tx in rows.values()) == 50000
        rest = rows.pop(None)  # other peers of this machine have room as well
        assert 4000 < len(rows) <= 8192 and set(rows.values()) == {(0, 5)}, (len(rows), rest)
        assert rest == (0, 50000 - 5 * len(rows)), (len(rows), rest)
        assert any("more peers" in note["text"] for note in document["warnings"]), document["warnings"]
        child.stdin.close()


run_tests()
