# SPDX-License-Identifier: MIT
"""The doctor and TCP: each fault is made and found, with the guilty process; the same load without the fault is fine."""
from doctor import CLOSE_WAIT, drop, evidence, findings, program
from live import netns, run_tests, skip, test, wait_for
from truth import has_bpf

ACCEPT = """
import socket, sys
server = socket.socket()
server.bind(("127.0.0.1", 7000))
server.listen(5)
clients = []
for _ in range(50):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    clients.append(client)
    if sys.argv[1] == "accept":
        clients.append(server.accept()[0])
print("ready", flush=True)
sys.stdin.read()
"""

# A queue that never gets empty, of a process that accepts all the time, but slowly.
SLOW = """
import socket, threading, time
server = socket.socket()
server.bind(("127.0.0.1", 7000))
server.listen(5)
def ask():
    while True:
        with socket.create_connection(server.getsockname()) as client:
            client.recv(1)
for _ in range(8):
    threading.Thread(target=ask, daemon=True).start()
print("ready", flush=True)
while True:
    time.sleep(0.02)
    server.accept()[0].close()
"""

UNREAD = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", 7000))
if os.fork() == 0:
    client = socket.create_connection(server.getsockname())
    client.setblocking(False)
    for _ in range(1000):
        try:
            client.send(b"x" * 65536)
        except BlockingIOError:
            if sys.argv[1] == "stop":
                break
            client.setblocking(True)
    print("ready", flush=True)
    sys.stdin.read()
else:
    served = server.accept()[0]
    while sys.argv[1] == "read" and served.recv(1 << 20):
        pass
    sys.stdin.read()
"""

# Ten connections full of data, which somebody reads.
SEND = """
import os, socket, sys, threading
family = socket.AF_INET6 if sys.argv[1] == "mapped" else socket.AF_INET
server = socket.create_server(("127.0.0.1", 7000))
def take():
    served = server.accept()[0]
    while served.recv(1 << 16):
        pass
def send(client):
    while True:
        client.sendall(b"x" * 4000)
if os.fork() == 0:
    for _ in range(9):
        threading.Thread(target=take).start()
    take()
for _ in range(10):
    client = socket.socket(family, socket.SOCK_STREAM)
    client.connect(("::ffff:127.0.0.1" if sys.argv[1] == "mapped" else "127.0.0.1", 7000))
    threading.Thread(target=send, args=[client], daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


@test
def close_wait_of_a_process_that_does_not_close():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "leak") as leak:
        rows = findings(ns, "close-wait")
        assert [(row["check"], row["severity"], row["pid"]) for row in rows] == [("close-wait", "warn", leak.pid)], rows
        assert evidence(rows[0], "sockets in close-wait")["after"] == 120, rows
        assert str(leak.pid) in rows[0]["cause"], rows


@test
def close_wait_crit_by_share_of_descriptors():
    with netns() as ns, program(ns, "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n" + CLOSE_WAIT,
                                "200", "7000", "leak") as leak:
        rows = findings(ns, "close-wait")
        assert [(row["severity"], row["pid"]) for row in rows] == [("crit", leak.pid)], rows


@test
def no_close_wait_where_both_sides_close():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "close"):
        assert findings(ns, "close-wait") == []


@test
def accept_queue_of_a_process_that_does_not_accept():
    with netns() as ns, program(ns, ACCEPT, "sleep") as deaf:
        rows = findings(ns, "accept-queue")
        assert [(row["check"], row["pid"], row["local"]) for row in rows] == [("accept-queue", deaf.pid, "127.0.0.1:7000")], rows
        assert rows[0]["severity"] in ("warn", "crit") and "not accepted a single connection" in rows[0]["cause"], rows
        assert evidence(rows[0], "accept queue")["after"] == 6, rows
        # Those that wait for an answer ask again, and are thrown away again.
        wait_for(lambda: evidence(findings(ns, "accept-queue")[0], "TcpExtListenOverflows")["rate"] > 0)


@test
def accept_queue_of_a_process_that_is_slow():
    """Whether one is full at a moment is chance: nobody may be told that this one does not accept."""
    with netns() as ns, program(ns, SLOW) as slow:
        rows = wait_for(lambda: findings(ns, "accept-queue", limits={"accept-queue.filled": "200"}), what="a queue")
        assert [row["pid"] for row in rows if row["pid"]] == [slow.pid], rows
        assert "not accepted a single connection" not in rows[0]["cause"], rows


@test
def no_accept_queue_where_connections_are_accepted():
    with netns() as ns, program(ns, ACCEPT, "accept"):
        assert findings(ns, "accept-queue") == []


@test
def stuck_on_both_sides():
    with netns() as ns, program(ns, UNREAD, "stop") as deaf:
        wait_for(lambda: len(findings(ns, "stuck", limits={"stuck.since": "300ms 1h"})) == 2, what="both sides")
        rows = findings(ns, "stuck", limits={"stuck.since": "300ms 1h"})
        unread = next(row for row in rows if "to read" in row["what"])
        assert unread["pid"] == deaf.pid and unread["severity"] == "warn", rows
        assert findings(ns, "stuck", limits={"stuck.since": "1h 2h"}) == []
        wait_for(lambda: {row["severity"] for row in findings(ns, "stuck", limits={"stuck.since": "300ms 1s"})} == {"crit"})


@test
def bpf_leaves_out_only_connections_that_are_well():
    """A namespace as small as this is read without BPF, unless it is asked for."""
    with netns() as ns, program(ns, UNREAD, "stop") as deaf:
        def unread():
            rows = findings(ns, limits={"stuck.since": "300ms 1h"}, options=["--sources", "bpf,sock_diag,proc_net,proc_fd"])
            return [row["pid"] for row in rows if row["check"] == "stuck" and "to read" in row["what"]]

        assert wait_for(unread, what="who is stuck") == [deaf.pid]


@test
def bpf_reads_the_table_that_a_namespace_has_of_its_own():
    """The others share one, which is read for all of them at once."""
    if not has_bpf():
        skip("without BPF there is no such table to read")
    with netns("net.ipv4.tcp_child_ehash_entries=1024") as parent, netns(inside=parent) as ns, program(ns, UNREAD, "stop") as deaf:
        size = int(ns.run(["cat", "/proc/sys/net/ipv4/tcp_ehash_entries"]).out)
        assert size == 1024, size

        def unread():
            rows = findings(ns, "stuck", limits={"stuck.since": "300ms 1h"}, options=["--sources", "bpf"])
            return [row["pid"] for row in rows if "to read" in row["what"]]

        assert wait_for(unread, what="who is stuck") == [deaf.pid]


@test
def not_stuck_where_data_is_read():
    with netns() as ns, program(ns, UNREAD, "read"):
        assert findings(ns, "stuck", limits={"stuck.since": "0 1h"}) == []


def lose(ns, percent):
    """So much of what comes to port 7000. Segments are small, so that there are many."""
    ns.run(["ip", "link", "set", "lo", "mtu", "1500"])
    drop(ns, f"tcp dport 7000 tcp flags & syn == 0 numgen random mod 100 < {percent}")


@test
def segments_that_are_lost():
    for family in ("plain", "mapped"):
        with netns() as ns:
            lose(ns, 4)
            with program(ns, SEND, family) as sender:
                limits = {"retrans.segments": "300", "retrans.share": "10 500"}
                row = wait_for(lambda limits=limits: findings(ns, "retrans", limits=limits), what="losses")[0]
                assert (row["check"], row["severity"], row["pid"], row["peer"]) == ("retrans", "warn", sender.pid, "127.0.0.0/24"), row
                assert evidence(row, "lost segments, in permille of those with new data")["after"] >= 10, row
                assert evidence(row, "TcpRetransSegs")["rate"] > 0, row


@test
def no_losses_where_nothing_is_lost():
    with netns() as ns:
        lose(ns, 0)
        with program(ns, SEND, "plain"):
            assert findings(ns, "retrans", limits={"retrans.segments": "100"}) == []


run_tests()
