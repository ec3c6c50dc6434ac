# SPDX-License-Identifier: MIT
"""Tracked connections: whom they belong to, in the namespaces of client, server and router, and whom a socket talks to
behind NAT. Every connection is made by a process that the test knows."""
import contextlib
import datetime
import json
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time

from following import following, needs_bpf
from links import ip, nft, pair, track
from live import PATIENCE, netns, nwho, nwho_json, run_tests, test, wait_for

CLIENT, SERVER = "10.77.1.2", "10.77.2.2"
INSIDE, OUTSIDE = "10.77.1.1", "10.77.2.1"  # the router's
CLIENT6, SERVER6, INSIDE6, OUTSIDE6 = "fd77:1::2", "fd77:2::2", "fd77:1::1", "fd77:2::1"

# Takes one connection of TCP, and answers each datagram.
SERVE = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listener = socket.create_server((sys.argv[1], 8080), family=family)
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind(("" if family == socket.AF_INET else "::", 5300))
print("ready", flush=True)
connection, peer = listener.accept()
print(peer[0], peer[1], flush=True)
while True:
    data, peer = udp.recvfrom(100)
    udp.sendto(data, peer)
"""

# Connects to an address and port; for each line on its input it sends a datagram to the one at 5300.
ASK = """
import socket, sys
tcp = socket.create_connection((sys.argv[1], int(sys.argv[2])))
if len(sys.argv) > 3:
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
udp = socket.socket(tcp.family, socket.SOCK_DGRAM)
udp.connect((sys.argv[1], 5300))
print(tcp.getsockname()[1], udp.getsockname()[1], flush=True)
for line in sys.stdin:
    udp.send(b"x")
    udp.recv(100)
    print("answered", flush=True)
"""

NAT = """
add table inet t
add chain inet t pre { type nat hook prerouting priority -100; }
add chain inet t post { type nat hook postrouting priority 100; }
add rule inet t pre ip daddr 10.77.1.1 tcp dport 80 dnat ip to 10.77.2.2:8080
add rule inet t pre ip daddr 10.77.1.1 udp dport 5300 dnat ip to 10.77.2.2
add rule inet t pre ip6 daddr fd77:1::1 tcp dport 80 dnat ip6 to [fd77:2::2]:8080
add rule inet t pre ip6 daddr fd77:1::1 udp dport 5300 dnat ip6 to fd77:2::2
add rule inet t post oifname "v2" masquerade
"""


@contextlib.contextmanager
def process(ns, program, *args):
    with ns.popen([sys.executable, "-c", program, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()
            child.wait(PATIENCE)


def words(child):
    return child.stdout.readline().decode().split()


@contextlib.contextmanager
def lab():
    """A client and a server with a router between them, which hides each from the other."""
    with netns() as client, netns("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1") as router, netns() as server:
        router.run(["sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct"])
        pair(client, "v1", router, "v1")
        pair(router, "v2", server, "v2")
        for ns, device, addresses in ((client, "v1", (CLIENT, CLIENT6)), (router, "v1", (INSIDE, INSIDE6)),
                                      (router, "v2", (OUTSIDE, OUTSIDE6)), (server, "v2", (SERVER, SERVER6))):
            ns.add_address(f"{addresses[0]}/24", device)
            ns.add_address(f"{addresses[1]}/64", device)
        ip(client, f"route add default via {INSIDE}")
        ip(client, f"-6 route add default via {INSIDE6}")
        nft(router, NAT)
        yield client, router, server


def three(namespaces):
    return [word for ns in namespaces for word in ("-N", ns.name)]


def entries(ns, *args, namespaces=(), expect=0):
    return json.loads(nwho(ns, "nat", *three(namespaces), *args, "--json", expect=expect).out)["rows"]


def ends(row):
    """How a row sees itself and its peer, before and after NAT."""
    return [(row[f"{name}_addr"], row[f"{name}_port"]) for name in ("local", "peer", "nat_local", "nat_peer")]


def check_joined(namespaces, client_ip, server_ip, inside, outside):
    client, router, server = namespaces
    with process(server, SERVE, server_ip) as serving:
        assert words(serving) == ["ready"]
        with process(client, ASK, inside, "80") as asking:
            tcp, udp = map(int, words(asking))
            peer, public = words(serving)
            assert peer == outside
            asking.stdin.write(b"\n")
            asking.stdin.flush()
            assert words(asking) == ["answered"]
            client_end = (client_ip, tcp)
            truth = [client_end, (inside, 80), (outside, int(public)), (server_ip, 8080)]

            # Seen from the router's table, with the sockets of both others.
            rows = entries(router, "tcp", namespaces=namespaces)
            assert [ends(row) for row in rows] == [truth], rows
            row = rows[0]
            assert (row["role"], row["state"], row["pid"], row["netns"], row["socket_netns"]) == (
                "both", "established", asking.pid, router.name, client.name), row
            assert {(owner["role"], owner["pid"]) for owner in row["owners"]} == {
                ("client", asking.pid), ("server", serving.pid)}, row
            assert set(row["flags"].split()) == {"assured", "snat", "dnat"} and row["orig_packets"] >= 2, row

            # Only one end is read: it sees itself.
            row, = entries(router, "tcp", namespaces=(router, server))
            assert ends(row) == [truth[3], truth[2], truth[1], truth[0]], row
            assert (row["role"], row["pid"], row["socket_netns"]) == ("server", serving.pid, server.name), row
            row, = entries(router, "tcp", namespaces=(router,))
            assert (row["role"], row["pid"], row["owner_note"], ends(row)) == ("none", None, "forwarded", truth), row

            # Datagrams: a connected client, and a server that is bound to all.
            row, = entries(router, "udp", namespaces=namespaces)
            assert ends(row)[0] == (client_ip, udp) and ends(row)[3] == (server_ip, 5300), row
            assert {(owner["role"], owner["pid"]) for owner in row["owners"]} == {
                ("client", asking.pid), ("server", serving.pid)}, row

            check_filters(namespaces, asking, serving, tcp)
            check_sockets(namespaces, truth)
            check_recording(namespaces)


def check_filters(namespaces, asking, serving, port):
    router = namespaces[1]
    for words_, count in ((f"pid {serving.pid} tcp", 1), (f"pid {asking.pid} state established", 1), ("dport 80", 1),
                          (f"sport {port}", 1), ("nat_peer_port = 8080", 1), ("role = both", 2), ("role = none", 0),
                          ("flags ~ dnat udp", 1), ("left > 1h", 1), ("will_forget", 0)):
        rows = entries(router, words_, namespaces=namespaces, expect=0 if count else 1)
        assert len(rows) == count, (words_, rows)
    groups = entries(router, "--by", "process,proto", namespaces=namespaces)
    assert sorted((row["proto"], row["count"], row["of_limit"]) for row in groups) == [("tcp", 1, 0), ("udp", 1, 0)], groups
    text = nwho(router, "nat", *three(namespaces), "tcp", "-H").out
    assert f"({asking.pid}) fd 3 > " in text and f"({serving.pid}) fd 5" in text, text


def check_sockets(namespaces, truth):
    """What `nwho ls` says of both sockets."""
    columns = "local_addr,nat_peer_addr,nat_peer_port,tracked,tracked_s"
    rows = nwho_json(namespaces[1], "ls", *three(namespaces), "tcp", "established", "-o", columns)["rows"]
    assert {row["local_addr"]: (row["nat_peer_addr"], row["nat_peer_port"]) for row in rows} == {
        truth[0][0]: truth[3], truth[3][0]: truth[0]}, rows
    assert all(row["tracked"] and row["tracked_s"] > 3600 for row in rows), rows
    # Of one namespace alone nothing is tracked here.
    row, = nwho_json(namespaces[0], "ls", "tcp", "established", "-o", columns)["rows"]
    assert (row["tracked"], row["nat_peer_addr"], row["tracked_s"]) == (False, None, None), row


def check_recording(namespaces):
    with tempfile.NamedTemporaryFile() as file:
        live = nwho(namespaces[1], "nat", *three(namespaces), "--record", file.name, "--json=netns,local,nat_peer,owners")
        again = nwho(None, "nat", "--replay", file.name, "--json=netns,local,nat_peer,owners")
        assert json.loads(live.out)["rows"] == json.loads(again.out)["rows"] != [], again.out


@test
def joined_in_all_three_namespaces():
    with lab() as namespaces:
        check_joined(namespaces, CLIENT, SERVER, INSIDE, OUTSIDE)


@test
def joined_in_ipv6():
    with lab() as namespaces:
        check_joined(namespaces, CLIENT6, SERVER6, INSIDE6, OUTSIDE6)


@test
def no_process_is_guessed():
    """Two namespaces have the address of a server of datagrams, and a client that was closed has no owner."""
    with lab() as (client, router, server), netns() as twin:
        twin.add_address(f"{SERVER}/24")
        with process(server, SERVE, SERVER) as serving, process(twin, SERVE, SERVER) as other:
            assert words(serving) == words(other) == ["ready"]
            with process(client, ASK, INSIDE, "80") as asking:
                words(asking)
                asking.stdin.write(b"\n")
                asking.stdin.flush()
                assert words(asking) == ["answered"]
                udp, = entries(router, "udp", namespaces=(router, server, twin))
                assert (udp["role"], udp["owner_note"], udp["owners"]) == ("none", "2 candidates", []), udp
                tcp, = entries(router, "tcp", namespaces=(router, server, twin))
                assert tcp["pid"] == serving.pid, tcp  # all of its values tell which
            udp, = entries(router, "udp", namespaces=(client, router))
            assert (udp["role"], udp["owner_note"]) == ("none", "no socket"), udp


# Connects to itself, with all that is tracked.
@contextlib.contextmanager
def idle(seconds, *words_of_client):
    """A namespace with one idle connection, which the kernel forgets after so long; and the client."""
    with netns() as ns:
        track(ns)
        ns.run(["sh", "-c", f"echo {seconds} > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established"])
        with process(ns, SERVE, "127.0.0.1") as serving:
            assert words(serving) == ["ready"]
            with process(ns, ASK, "127.0.0.1", "8080", *words_of_client) as asking:
                words(asking)
                yield ns, asking


@test
def forgotten_while_idle():
    assert any(will_be_forgotten(seconds) for seconds in (2, 10, 30)), "two seconds are few on a busy machine, thirty are not"


def will_be_forgotten(seconds):
    """Whether it was seen before it was forgotten."""
    with idle(seconds) as (ns, asking):
        seen = []

        def is_over():
            seen.extend(entries(ns, "tcp will_forget", namespaces=(ns,), expect=None))
            return seen or not entries(ns, "tcp", namespaces=(ns,), expect=None)

        wait_for(is_over, what="a connection that will be forgotten")
        if not seen:
            return False
        row = seen[0]
        assert row["role"] == "both" and row["timeout_s"] < seconds and row["pid"] == asking.pid, row
        wait_for(lambda: not entries(ns, "tcp", namespaces=(ns,), expect=None), what="it is forgotten")
        rows = nwho_json(ns, "ls", "tcp", "established", "-o", "tracked")["rows"]
        assert [row["tracked"] for row in rows] == [False, False], rows
    return True


@test
def keepalive_keeps():
    # It speaks each second, and the kernel's timers are late: of two seconds less than one may be left.
    with idle(4, "keepalive") as (ns, _):
        wait_for(lambda: entries(ns, "tcp", "idle_s > 4", namespaces=(ns,), expect=None), what="it is idle")
        row, = entries(ns, "tcp", namespaces=(ns,))
        assert row["timeout_s"] >= 1 and not row["will_forget"], row


@test
def nothing_tracked():
    with netns() as ns, process(ns, SERVE, "127.0.0.1") as serving:
        assert words(serving) == ["ready"]
        with process(ns, ASK, "127.0.0.1", "8080") as asking:
            words(asking)
            assert entries(ns, namespaces=(ns,), expect=1) == []
            rows = nwho_json(ns, "ls", "established", "-o", "tracked,nat_peer_addr")["rows"]
            assert {(row["tracked"], row["nat_peer_addr"]) for row in rows} == {(False, None)}, rows
            count = ns.run(["cat", "/proc/sys/net/netfilter/nf_conntrack_count"]).out.strip()
            assert count == "0", count  # asking began nothing


@test
def without_privilege():
    with netns() as ns:
        track(ns)
        with process(ns, SERVE, "127.0.0.1") as serving:
            assert words(serving) == ["ready"]
            with process(ns, ASK, "127.0.0.1", "8080") as asking:
                words(asking)
                done = nwho(ns, "nat", user="nobody", expect=3)
                assert "incomplete: tracked connections are missing: only CAP_NET_ADMIN may read them" in done.err, done
                done = nwho(ns, "ls", "established", "-o", "local,nat_peer_addr,tracked", "-H", user="nobody")
                assert "what tracked connections tell of sockets (NAT) is missing" in done.err, done
                assert {tuple(line.split()[1:]) for line in done.out.splitlines()} == {("-", "-")}, done.out


# --- what happens ---

# Answers one connection, and each datagram; a second connection stays until the client ends it.
ANSWER = """
import socket, sys, threading
listener = socket.create_server((sys.argv[1], 8080))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((sys.argv[1], 5300))
def echo():
    while True:
        udp.sendto(*udp.recvfrom(100))
threading.Thread(target=echo, daemon=True).start()
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    try:
        while connection.recv(100):
            connection.sendall(b"y" * 1000)
    except ConnectionResetError:
        pass
    connection.close()
"""

# A connection that is closed, one that is reset, and a datagram with its answer; each prints its port, and then it ends.
CALL = """
import socket, struct, sys
def call():
    tcp = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    tcp.sendall(b"x")
    assert tcp.recv(1000, socket.MSG_WAITALL)
    return tcp
first = call()
first.shutdown(socket.SHUT_WR)
assert not first.recv(1)
second = call()
second.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect((sys.argv[1], 5300))
udp.send(b"x")
udp.recv(100)
print(first.getsockname()[1], second.getsockname()[1], udp.getsockname()[1], flush=True)
"""


# Connects again and again, and closes nothing.
KEEP_CALLING = """
import socket, sys, time
kept = []
while True:
    kept.append(socket.create_connection((sys.argv[1], 8080)))
    time.sleep(0.2)
"""


def forget_soon(ns):
    """Entries that are over go in a second, with all that they can tell."""
    timeouts = [f"tcp_timeout_{state}" for state in ("fin_wait", "close_wait", "last_ack", "time_wait", "close")]
    for name, value in [*((name, 1) for name in (*timeouts, "udp_timeout", "udp_timeout_stream")), ("timestamp", 1), ("acct", 1)]:
        ns.run(["sh", "-c", f"echo {value} > /proc/sys/net/netfilter/nf_conntrack_{name}"])


def watching(ns, *args, namespaces=()):
    return following(ns, *three(namespaces), *args, words=("nat", "--events"))


def forgotten(ns):
    """Nothing is tracked any more. Reading the table makes the kernel drop what is over; else that may take minutes."""
    wait_for(lambda: not entries(ns, namespaces=(ns,), expect=None), what="all is forgotten")


def story(document, port):
    return [row for row in document["rows"] if port in (row["local_port"], row["nat_peer_port"])]


def holders(row):
    return {owner["role"]: owner["pid"] for owner in row["owners"]}


@test
def events_of_both_ends_through_a_router():
    """The client has ended long before its entries are forgotten."""
    with lab() as namespaces:
        client, router, server = namespaces
        needs_bpf(router)
        forget_soon(router)
        with process(server, ANSWER, SERVER) as serving, watching(router, namespaces=namespaces) as follower:
            assert words(serving) == ["ready"]
            with process(client, CALL, INSIDE, "80") as calling:
                ports = list(map(int, words(calling)))
                calling.wait(PATIENCE)
            forgotten(router)
            document = follower.finish()
        assert document["complete"] and document["lost"] == 0, document["warnings"]
        closed, reset, udp = (story(document, port) for port in ports)
        both = {"client": calling.pid, "server": serving.pid}
        for rows in (closed, reset, udp):
            assert [row["event"] for row in (rows[0], rows[-1])] == ["new", "forgotten"], rows
            assert all(row["event"] == "changed" for row in rows[1:-1]), rows
            assert all(row["netns"] == router.name and row["role"] == "both" for row in rows[1:]), rows
            assert holders(rows[0])["client"] == calling.pid and all(holders(row) == both for row in rows[1:]), rows
            last = rows[-1]
            assert last["orig_packets"] and last["reply_bytes"] and last["duration_us"] > 0, last
            assert (last["nat_peer_addr"], last["nat_local_addr"]) == (SERVER, OUTSIDE), last
            assert {owner["netns"] for owner in last["owners"]} == {client.name, server.name}, last
        assert (closed[-1]["verdict"], closed[-1]["state"]) == ("ok", "time-wait"), closed[-1]
        assert (reset[-1]["verdict"], reset[-1]["state"]) == ("reset", "closed"), reset[-1]
        assert udp[-1]["verdict"] is None and closed[0]["state"] == "syn-sent", udp
        assert closed[-1]["reply_bytes"] > 1000, closed[-1]


@test
def events_of_what_was_there_before():
    """An idle connection, and its process, are known from the beginning; and conntrack -D is no end of the connection's own."""
    with netns() as ns:
        track(ns)
        forget_soon(ns)
        ns.run(["sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_events"])  # also of entries that nobody heard of
        with process(ns, SERVE, "127.0.0.1") as serving:
            assert words(serving) == ["ready"]
            # The first waits in the listener's queue behind the second: only one is accepted.
            with process(ns, ASK, "127.0.0.1", "8080") as asking, process(ns, ASK, "127.0.0.1", "8080") as other:
                port, udp = map(int, words(asking))
                deleted = int(words(other)[0])
                with watching(ns, "tcp", namespaces=(ns,)) as follower:
                    nwho(ns, "conntrack", "-D", "-p", "tcp", "--sport", str(deleted))
                    asking.stdin.close()
                    asking.wait(PATIENCE)
                    wait_for(lambda: not entries(ns, f"tcp sport {port}", namespaces=(ns,), expect=None), what="forgotten")
                    document = follower.finish()
        row, = story(document, deleted)
        assert (row["event"], row["verdict"], row["state"]) == ("forgotten", "aborted", "established"), row
        assert holders(row)["client"] == other.pid and row["duration_us"] is not None, row
        rows = story(document, port)
        assert rows and all(row["pid"] == asking.pid for row in rows) and rows[-1]["event"] == "forgotten", rows
        assert {row["proto"] for row in document["rows"]} == {"tcp"} and udp, document


@test
def events_of_a_namespace_that_comes_later():
    with netns() as outside, following(outside, words=("nat", "--events", "netns ~ ^nwho")) as follower, netns() as ns:
        track(ns)
        ask = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"

        def told():
            ns.run([sys.executable, "-c", ask])
            with contextlib.suppress(AssertionError):
                follower.read_until(f'"netns":"{ns.name}"'.encode(), patience=0.3)
                return True
            return False
        wait_for(told, what="an event of the new namespace")


@test
def events_have_the_time_of_the_kernel():
    """Not that of a reader who comes late."""
    with netns() as ns:
        track(ns)
        ns.run(["sysctl", "-qw", "net.netfilter.nf_conntrack_timestamp=1"])
        with watching(ns, namespaces=(ns,)) as follower:
            follower.child.send_signal(signal.SIGSTOP)
            began = time.time()
            ns.run("conntrack -I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 5 --dport 6 -t 500".split())
            ns.run("conntrack -D -p udp -s 10.9.0.1".split())
            ended = time.time()
            wait_for(lambda: time.time() > ended + 0.1, what="the reader is late")
            follower.child.send_signal(signal.SIGCONT)
            document = follower.finish()
    told = {row["event"]: datetime.datetime.fromisoformat(row["time"]).timestamp() for row in document["rows"]}
    kernel = tuple(map(int, re.match(r"(\d+)\.(\d+)", platform.release()).groups()))
    # Before 6.14 the kernel only tells the time of an end.
    for event in ("new", "forgotten") if kernel >= (6, 14) else ("forgotten",):
        assert began - 0.01 <= told[event] <= ended + 0.01, (event, began, told, ended)


@test
def events_without_bpf_or_privilege():
    with netns() as ns:
        track(ns)
        with process(ns, SERVE, "127.0.0.1") as serving, watching(ns, "--sources", "sock_diag,proc_fd", namespaces=(ns,)) as follower:
            assert words(serving) == ["ready"]
            # The machine is looked at once a second, and knows who is there then.
            with process(ns, KEEP_CALLING, "127.0.0.1") as calling:
                follower.read_until(f'"role":"client","pid":{calling.pid},'.encode())
            document = follower.finish()
            assert any("without BPF" in warning["text"] for warning in document["warnings"]), document["warnings"]
        done = nwho(ns, "nat", "--events", user="nobody", expect=2)
        assert "only CAP_NET_ADMIN" in done.err and not done.out, done


run_tests()
