# SPDX-License-Identifier: MIT
"""The doctor and the beginning and end of connections: SYN queues, requests without an answer, the other side's leaks."""
import json
import os
import tempfile

from doctor import drop, evidence, findings, pair, program
from live import netns, nwho, run_tests, test, wait_for

# Clients on 127.0.0.2 whose handshake stays half done, and those on 127.0.0.1 who come all the time.
SYN = """
import socket, sys, threading, time
server = socket.create_server(("127.0.0.1", 7000), backlog=16)
def accept():
    while True:
        server.accept()[0].close()
threading.Thread(target=accept, daemon=True).start()
pending = []
def connect(address, block):
    client = socket.socket()
    client.bind((address, 0))
    client.setblocking(block)
    client.connect_ex(server.getsockname())
    return client
for _ in range(int(sys.argv[1])):
    pending.append(connect("127.0.0.2", False))
print("ready", flush=True)
while sys.argv[2] == "clients":
    connect("127.0.0.1", True).close()
    time.sleep(0.005)
sys.stdin.read()
"""

CONNECT = """
import socket, sys
server = socket.create_server(("127.0.0.1", 7000), backlog=64)
clients = []
for _ in range(int(sys.argv[1])):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    clients.append(client)
print("ready", flush=True)
sys.stdin.read()
"""

# Always one connection under way to port 7000 of each of the addresses.
INSIST = """
import socket, sys, time
clients = {}
def connect(number):
    clients[number] = socket.socket(socket.AF_INET6 if ":" in sys.argv[number] else socket.AF_INET)
    clients[number].setblocking(False)
    clients[number].connect_ex((sys.argv[number], 7000))
for number in range(1, len(sys.argv)):
    connect(number)
print("ready", flush=True)
while True:
    time.sleep(0.05)
    for number, client in list(clients.items()):
        if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            client.close()
            connect(number)
"""

# A socket of IPv6 that serves IPv4 too, as those of Java do.
FIN_WAIT2 = """
import socket, sys
server = socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)
kept = []
for _ in range(int(sys.argv[1])):
    client = socket.create_connection(("127.0.0.1", 7000))
    served = server.accept()[0]
    client.close()
    if sys.argv[2] == "leak":
        kept.append(served)
    else:
        served.close()
print("ready", flush=True)
sys.stdin.read()
"""


def half_open(ns):
    """What is answered to clients on 127.0.0.2 gets lost."""
    drop(ns, "ip daddr 127.0.0.2 tcp sport 7000")


@test
def syn_flood_is_an_attack_where_no_cookie_comes_back():
    with netns("net.ipv4.tcp_syncookies=1") as ns:
        half_open(ns)
        with program(ns, SYN, "200", "quiet") as server:
            row = wait_for(lambda: findings(ns, "syn-flood", window=1.2), what="a flood")[0]
            assert (row["check"], row["severity"], row["pid"], row["local"]) == ("syn-flood", "crit", server.pid, "127.0.0.1:7000"), row
            assert "SYN flood" in row["cause"], row
            assert evidence(row, "TcpExtSyncookiesSent")["rate"] >= 5 and evidence(row, "TcpExtSyncookiesRecv")["rate"] == 0, row
            assert evidence(row, "SYN queue")["after"] > 16, row


@test
def syn_flood_is_an_overload_where_cookies_come_back():
    with netns("net.ipv4.tcp_syncookies=1") as ns:
        half_open(ns)
        with program(ns, SYN, "17", "clients") as server:
            def overloaded():
                """Once clients come all the time: the first window may have begun before them."""
                rows = findings(ns, "syn-flood")
                return rows if rows and evidence(rows[0], "TcpExtSyncookiesRecv")["rate"] >= 5 else None

            row = wait_for(overloaded, what="an overload")[0]
            assert (row["severity"], row["pid"]) == ("crit", server.pid), row
            assert "no attack" in row["cause"], row


@test
def syn_flood_without_cookies():
    with netns("net.ipv4.tcp_syncookies=0") as ns:
        half_open(ns)
        with program(ns, SYN, "200", "quiet") as server:
            row = wait_for(lambda: findings(ns, "syn-flood", window=1.2), what="a flood")[0]
            assert (row["severity"], row["pid"]) == ("crit", server.pid), row
            assert "tcp_syncookies is 0" in row["cause"], row
            assert evidence(row, "TcpExtTCPReqQFullDrop")["rate"] >= 5, row


@test
def no_syn_flood_where_clients_answer():
    with netns("net.ipv4.tcp_syncookies=1") as ns, program(ns, SYN, "200", "clients"):
        assert findings(ns, "syn-flood") == []


@test
def syn_sent_without_an_answer():
    with netns() as ns:
        drop(ns, "tcp dport 7000")
        with program(ns, CONNECT, "4") as client:
            row = wait_for(lambda: findings(ns, "syn-sent"), what="requests that were sent again")[0]
            assert (row["check"], row["severity"], row["pid"]) == ("syn-sent", "warn", client.pid), row
            assert (row["peer"], row["peer_port"]) == ("127.0.0.1", 7000) and "firewall" in row["cause"], row
            assert evidence(row, "sockets in syn-sent")["after"] == 4, row


@test
def syn_sent_to_a_full_accept_queue():
    with netns() as ns, program(ns, CONNECT, "80"):
        row = wait_for(lambda: findings(ns, "syn-sent"), what="requests that were sent again")[0]
        assert row["peer_port"] == 7000 and "accept queue" in row["cause"] and "full" in row["cause"], row


def unanswered(ns):
    """The finding about a next hop that is not found, when no connection fails and is made anew while owners are read."""
    rows = wait_for(lambda: [row for row in findings(ns, "syn-sent") if "ARP" in row["cause"] and row["pid"]],
                    what="requests that do not get out")
    assert len(rows) == 1, rows
    return rows[0]


@test
def syn_sent_where_nobody_has_the_address():
    with netns() as ns, netns() as other:
        pair(ns, other)
        for one, address in ((ns, "fd77::1"), (other, "fd77::2")):
            one.run(["ip", "address", "add", f"{address}/64", "dev", "v0", "nodad"])
        ns.run(["ip", "route", "add", "10.88.0.0/16", "via", "10.77.0.9"])
        for hop, addresses in (("10.77.0.9", ["10.77.0.9"] * 4), ("10.77.0.9", [f"10.88.0.{i}" for i in range(1, 5)]),
                               ("10.77.0.9", ["::ffff:10.77.0.9"] * 4), ("fd77::9", ["fd77::9"] * 4)):
            with program(ns, INSIST, *addresses) as client:
                row = unanswered(ns)
                assert (row["check"], row["severity"], row["pid"], row["iface"]) == ("syn-sent", "warn", client.pid, "v0"), row
                assert (row["peer"], row["peer_port"]) == (hop, None) and f"way of {hop}," in row["what"], row
                assert evidence(row, "sockets in syn-sent")["after"] >= 3, row
                assert evidence(row, "state of the next hop (NUD_*)")["after"] in (0x01, 0x20), row


@test
def syn_sent_where_packets_leave():
    with netns() as ns, netns() as other:
        pair(ns, other)
        drop(other, "tcp dport 7000")
        with program(ns, INSIST, *["10.77.0.2"] * 4) as client:
            row = wait_for(lambda: findings(ns, "syn-sent"), what="requests that were sent again")[0]
            assert (row["pid"], row["peer"], row["peer_port"]) == (client.pid, "10.77.0.2", 7000), row
            assert "next hop that is there" in row["what"] and "firewall" in row["cause"], row
            assert evidence(row, "state of the next hop (NUD_*)")["after"] in (0x02, 0x04, 0x08, 0x10), row
            with tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, "moment.nwho")
                nwho(ns, "doctor", "-N", ns.name, "--window", "0.1", "--record", path, expect=1)
                replayed = json.loads(nwho(ns, "doctor", "--replay", path, "syn-sent", "--json", expect=1).out)["rows"]
                assert [evidence(row, "state of the next hop (NUD_*)")["after"] > 0 for row in replayed] == [True], replayed


@test
def no_syn_sent_where_connections_are_answered():
    with netns() as ns, program(ns, CONNECT, "40"):
        assert findings(ns, "syn-sent", limits={"syn-sent.again": "0", "syn-sent.sockets": "1"}) == []


@test
def fin_wait2_names_who_does_not_close():
    with netns() as ns, program(ns, FIN_WAIT2, "120", "leak") as leak:
        limits = {"fin-wait2.sockets": "100"}
        row = wait_for(lambda: findings(ns, "fin-wait2", limits=limits), what="that they are there at both ends of a window")[0]
        assert (row["check"], row["severity"], row["pid"]) == ("fin-wait2", "warn", leak.pid), row
        assert (row["peer"], row["peer_port"]) == ("127.0.0.1", 7000), row
        assert evidence(row, "sockets in fin-wait-2 at both ends")["after"] == 120, row
        assert findings(ns, "fin-wait2") == []


@test
def no_fin_wait2_where_both_sides_close():
    with netns() as ns, program(ns, FIN_WAIT2, "120", "close"):
        assert findings(ns, "fin-wait2", limits={"fin-wait2.sockets": "1"}) == []


run_tests()
