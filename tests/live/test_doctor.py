# SPDX-License-Identifier: MIT
"""The doctor and TCP: each fault is made and found, with the guilty process; the same load without the fault is fine."""
from doctor import evidence, findings, program
from live import netns, run_tests, test, wait_for

CLOSE_WAIT = """
import socket, sys
server = socket.create_server(("127.0.0.1", 7000), backlog=256)
kept = []
for _ in range(int(sys.argv[1])):
    client = socket.create_connection(server.getsockname())
    served = server.accept()[0]
    client.close()
    if sys.argv[2] == "leak":
        kept.append(served)
    else:
        served.recv(1)
        served.close()
print("ready", flush=True)
sys.stdin.read()
"""

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

UNREAD = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", 7000))
if os.fork() == 0:
    client = socket.create_connection(server.getsockname())
    client.setblocking(False)
    try:
        while sys.argv[1] == "stop":
            client.send(b"x" * 65536)
    except BlockingIOError:
        pass
    print("ready", flush=True)
    sys.stdin.read()
else:
    served = server.accept()[0]
    sys.stdin.read()
"""


@test
def close_wait_of_a_process_that_does_not_close():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "leak") as leak:
        rows = findings(ns, "close-wait")
        assert [(row["check"], row["severity"], row["pid"]) for row in rows] == [("close-wait", "warn", leak.pid)], rows
        assert evidence(rows[0], "sockets in close-wait")["after"] == 120, rows
        assert str(leak.pid) in rows[0]["cause"], rows


@test
def close_wait_crit_by_share_of_descriptors():
    with netns() as ns, program(ns, "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n" + CLOSE_WAIT,
                                "200", "leak") as leak:
        rows = findings(ns, "close-wait")
        assert [(row["severity"], row["pid"]) for row in rows] == [("crit", leak.pid)], rows


@test
def no_close_wait_where_both_sides_close():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "close"):
        assert findings(ns, "close-wait") == []


@test
def accept_queue_of_a_process_that_does_not_accept():
    with netns() as ns, program(ns, ACCEPT, "sleep") as deaf:
        rows = findings(ns, "accept-queue")
        assert [(row["check"], row["pid"], row["local"]) for row in rows] == [("accept-queue", deaf.pid, "127.0.0.1:7000")], rows
        assert evidence(rows[0], "accept queue")["after"] == 6, rows
        # Those that wait for an answer ask again, and are thrown away again.
        wait_for(lambda: evidence(findings(ns, "accept-queue")[0], "TcpExtListenOverflows")["rate"] > 0)


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
def not_stuck_where_nothing_is_sent():
    with netns() as ns, program(ns, UNREAD, "wait"):
        assert findings(ns, "stuck", limits={"stuck.since": "0 1h"}) == []


run_tests()
