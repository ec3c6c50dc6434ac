# SPDX-License-Identifier: MIT
"""The doctor and many short connections: local ports and time-wait run out, connections are refused or broken off."""
from doctor import CONNECT, evidence, findings, pair, program
from live import netns, run_tests, test, wait_for

# A client that connects all the time, and a server that lets it down in some way.
SERVE = """
import socket, struct, sys, threading, time
how = sys.argv[1]
server = socket.create_server(("127.0.0.1", 7000), backlog=256)
def serve():
    while True:
        served = server.accept()[0]
        if how != "unread":
            served.recv(100)
        if how == "linger":
            served.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        served.close()
threading.Thread(target=serve, daemon=True).start()
print("ready", flush=True)
while True:
    client = socket.socket()
    if client.connect_ex(("127.0.0.1", 7001 if how == "refuse" else 7000)) == 0:
        client.send(b"request")
        try:
            client.recv(1)
        except ConnectionResetError:
            pass
    client.close()
    time.sleep(0.002)
"""

# Clients of an address, and a server that breaks all connections off; for two namespaces.
ASK = """
import socket, time
print("ready", flush=True)
while True:
    client = socket.socket()
    try:
        client.connect(("10.77.0.1", 7000))
        client.recv(1)
    except OSError:
        pass
    client.close()
    time.sleep(0.002)
"""
BREAK = """
import socket, struct
server = socket.create_server(("10.77.0.1", 7000), backlog=256)
print("ready", flush=True)
while True:
    served = server.accept()[0]
    served.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    served.close()
"""

RANGE = "net.ipv4.ip_local_port_range=40000 40099"


@test
def ports_run_out_by_connections_that_are_over():
    with netns(RANGE, "net.ipv4.tcp_tw_reuse=0") as ns, program(ns, CONNECT, "90", "close", "7000"):
        row = findings(ns, "ports")[0]
        assert (row["check"], row["severity"], row["peer"], row["peer_port"]) == ("ports", "warn", "127.0.0.1", 7000), row
        assert (evidence(row, "local ports taken")["after"], evidence(row, "local ports taken")["threshold"]) == (90, 100), row
        assert evidence(row, "connections that are over")["after"] == 90 and "time-wait" in row["cause"], row


@test
def ports_that_are_taken_again_do_not_run_out():
    """On loopback, by default."""
    with netns(RANGE) as ns, program(ns, CONNECT, "90", "close", "7000"):
        wait_for(lambda: findings(ns, "ports") == [], what="a second of time-wait")


@test
def ports_run_out_by_open_connections():
    with netns(RANGE, "net.ipv4.ip_local_reserved_ports=40000-40049,40050,50000") as ns, program(ns, CONNECT, "48", "keep", "7000") as pool:
        row = findings(ns, "ports")[0]
        assert (row["severity"], row["pid"], row["peer_port"]) == ("crit", pool.pid, 7000), row
        assert evidence(row, "local ports taken")["threshold"] == 49 and "pool" in row["fix"][0], row


@test
def ports_are_enough_for_each_destination():
    """More connections than ports, but to several destinations."""
    with netns(RANGE, "net.ipv4.tcp_tw_reuse=0") as ns, program(ns, CONNECT, "70", "close", "7000", "7001", "7002"):
        assert findings(ns, "ports") == []


@test
def tw_overflow_where_there_may_be_few():
    with netns("net.ipv4.tcp_max_tw_buckets=20") as ns, program(ns, SERVE, "serve"):
        row = wait_for(lambda: findings(ns, "tw-overflow"), what="an overflow")[0]
        assert (row["check"], row["severity"]) == ("tw-overflow", "warn"), row
        assert evidence(row, "TcpExtTCPTimeWaitOverflow")["rate"] >= 1, row
        assert (evidence(row, "SockTCPTw")["after"], evidence(row, "SockTCPTw")["threshold"]) == (20, 20), row


@test
def no_tw_overflow_and_no_resets_of_a_server_that_serves():
    with netns() as ns, program(ns, SERVE, "serve"):
        assert findings(ns, "tw-overflow", "resets", window=1) == []


def resets(how, counter, words):
    """What is said of a server of this kind."""
    with netns() as ns, program(ns, SERVE, how):
        rows = findings(ns, "resets", window=1)
        assert [(row["check"], row["severity"]) for row in rows] == [("resets", "warn")], rows
        assert words in rows[0]["cause"] and evidence(rows[0], counter)["rate"] >= 5, rows


@test
def resets_of_requests_that_are_refused():
    resets("refuse", "TcpAttemptFails", "refused")


@test
def resets_by_data_that_is_not_read():
    resets("unread", "TcpExtTCPAbortOnClose", "data unread")


@test
def resets_by_linger():
    resets("linger", "TcpExtTCPAbortOnData", "SO_LINGER")


@test
def resets_are_told_from_the_side_that_is_looked_at():
    with netns() as ns, netns() as other:
        pair(ns, other)

        def causes():
            return [wait_for(lambda one=one: findings(one, "resets"), what="resets")[0]["cause"] for one in (ns, other)]

        with program(other, ASK):
            here, there = causes()
            assert "ports here that nobody listens at" in here and "refused" in there, (here, there)
            with program(ns, BREAK):
                here, there = wait_for(lambda: [found for found in [causes()] if "refused" not in found[1]], what="a server")[0]
                assert "programs here break off" in here and "the other sides break off" in there, (here, there)


run_tests()
