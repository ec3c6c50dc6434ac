# SPDX-License-Identifier: MIT
"""The doctor and the beginning and end of connections: SYN queues, requests without an answer, the other side's leaks."""
from doctor import drop, evidence, findings, program
from live import netns, run_tests, test, wait_for

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
            row = wait_for(lambda: findings(ns, "syn-flood"), what="an overload")[0]
            assert (row["severity"], row["pid"]) == ("crit", server.pid), row
            assert "no attack" in row["cause"], row
            assert evidence(row, "TcpExtSyncookiesRecv")["rate"] >= 5, row


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


@test
def no_syn_sent_where_connections_are_answered():
    with netns() as ns, program(ns, CONNECT, "40"):
        assert findings(ns, "syn-sent", limits={"syn-sent.again": "0", "syn-sent.sockets": "1"}) == []


@test
def fin_wait2_names_who_does_not_close():
    with netns() as ns, program(ns, FIN_WAIT2, "120", "leak") as leak:
        limits = {"fin-wait2.sockets": "100"}
        row = findings(ns, "fin-wait2", limits=limits)[0]
        assert (row["check"], row["severity"], row["pid"]) == ("fin-wait2", "warn", leak.pid), row
        assert (row["peer"], row["peer_port"]) == ("127.0.0.1", 7000), row
        assert evidence(row, "sockets in fin-wait-2 at both ends")["after"] == 120, row
        assert findings(ns, "fin-wait2") == []


@test
def no_fin_wait2_where_both_sides_close():
    with netns() as ns, program(ns, FIN_WAIT2, "120", "close"):
        assert findings(ns, "fin-wait2", limits={"fin-wait2.sockets": "1"}) == []


run_tests()
