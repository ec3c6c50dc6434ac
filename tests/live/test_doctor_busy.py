# SPDX-License-Identifier: MIT
"""The doctor and machines that are well, quiet or busy: it finds nothing wrong.

NWHO_FULL=1: fifty times where it is quiet, and each load alone, for the usual window.
"""
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from shutil import which

from doctor import FULL, findings, pair
from live import BUILD, netns, run_tests, test, wait_for

WINDOW = 3 if FULL else 1
WEB = BUILD / "tests/helpers/web"
LOAD = BUILD / "tests/bench/load"

# Where wrk is not installed: clients who ask one after the other, by connections that they keep or not.
ASK = """
import socket, sys
request = b"GET / HTTP/1.1\\r\\nHost: x\\r\\n" + (b"Connection: close\\r\\n" if sys.argv[1] == "close" else b"") + b"\\r\\n"
clients = [None] * 50
while True:
    for number, client in enumerate(clients):
        client = client or socket.create_connection(("127.0.0.1", 8080))
        client.send(request)
        while len(client.recv(4096)) and sys.argv[1] == "close":
            pass
        clients[number] = client if sys.argv[1] == "keep" else client.close()
"""

# A file's worth of data, again and again, to whoever connects; and who takes it.
SEND = """
import socket
server = socket.create_server(("", 9000))
print("ready", flush=True)
served = server.accept()[0]
while True:
    served.sendall(b"x" * (1 << 20))
"""
TAKE = """
import socket
taken = socket.create_connection(("10.77.0.1", 9000))
while taken.recv(1 << 20):
    pass
"""


def count(ns, name):
    """A counter of the namespace: "Tcp PassiveOpens"."""
    protocol, counter = name.split()
    names, values = [line.split() for line in ns.run(["cat", "/proc/thread-self/net/snmp"]).out.splitlines()
                     if line.startswith(protocol + ":")]
    return int(values[names.index(counter)])


def start(ns, *command):
    """A program that works until its namespace goes."""
    return ns.popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def server(ns, *command):
    assert start(ns, *command).stdout.readline() == b"ready\n"


def ask(ns, how):
    """Clients of a web server, as many requests as it takes."""
    if which("wrk"):
        headers = ["-H", "Connection: close"] if how == "close" else []
        start(ns, "wrk", "-t1", "-c50", "-d600", *headers, "http://127.0.0.1:8080/")
    else:
        print("# no wrk here: clients of this test")
        start(ns, sys.executable, "-c", ASK, how)


def kept_connections(ns, _other):
    server(ns, WEB, "8080")
    ask(ns, "keep")
    return "Tcp InSegs", 1000


def short_connections(ns, _other):
    server(ns, WEB, "8080")
    ask(ns, "close")
    return "Tcp PassiveOpens", 500


def process_for_each_connection(ns, _other):
    server(ns, WEB, "8080", "fork")
    ask(ns, "close")
    return "Tcp PassiveOpens", 50


def connections_in_a_row(ns, _other):
    """As many as one processor can, and thousands in time-wait."""
    start(ns, LOAD, "connect", "100000000")
    return "Tcp PassiveOpens", 1000


def datagrams(ns, _other):
    """Each is read before the receive buffer is full."""
    start(ns, LOAD, "udp", "10000000000")
    return "Udp InDatagrams", 1000


def transfer(ns, other):
    pair(ns, other)
    server(ns, sys.executable, "-c", SEND)
    start(other, sys.executable, "-c", TAKE)
    return "Tcp OutSegs", 1000


LOADS = (kept_connections, short_connections, process_for_each_connection, connections_in_a_row, datagrams, transfer)


@contextmanager
def loaded(load):
    """A namespace in which that goes on; gives a function that waits until so much of it has happened since."""
    with netns() as ns, netns() as other:
        counter, least = load(ns, other)

        def work():
            before = count(ns, counter)
            wait_for(lambda: count(ns, counter) >= before + least, what=f"{least} of {counter}")

        work()
        yield ns, work


def wrong(ns, work):
    """What the doctor finds, beside what is only to know."""
    found = [row for row in findings(ns, window=WINDOW) if row["severity"] != "info"]
    work()  # the load still goes on
    return found


@test
def nothing_is_wrong_where_it_is_busy():
    for loads in [[load] for load in LOADS] if FULL else [LOADS]:
        with ExitStack() as stack, ThreadPoolExecutor() as pool:
            places = [stack.enter_context(loaded(load)) for load in loads]
            found = list(pool.map(lambda place: wrong(*place), places))
            assert not any(found), found


@test
def nothing_is_wrong_where_it_is_quiet():
    with netns() as ns, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: findings(ns, window=0.3), range(50 if FULL else 4)))
        assert not any(found), found


run_tests()
