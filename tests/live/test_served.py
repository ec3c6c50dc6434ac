# SPDX-License-Identifier: MIT
"""The traffic of a listener in `ports`: that of its connections, each byte once."""
import contextlib
import csv
import io
import json
import signal
import subprocess
import sys

from documents import documents
from live import BUILD, PATIENCE, netns, run_tests, test

SOURCES = ((), ("--sources", "sock_diag,proc_net,proc_fd"))

# Each listener has a process, and each connection a child of it. "open ADDRESS PORT N" and "short ..." send N
# bytes through a connection that stays or ends; what comes back, 8 bytes, is the pid of the listener's process.
SERVER = """
import os, signal, socket, sys

def receive(connection, worker):
    while True:
        data = b""
        while not data.endswith(b"!"):
            data = connection.recv(65536)
            if not data:
                os._exit(0)
        connection.sendall(b"%08d" % worker)

def serve(listener, keeps):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.write(1, b"ready\\n")
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            worker = os.getppid()
            if not keeps:
                listener.close()
            receive(connection, worker)
        connection.close()

workers = []
for address, port, keeps in (("0.0.0.0", 7001, True), ("127.0.0.1", 7001, True), ("::", 7002, False),
                             ("127.0.0.1", 7003, True), ("127.0.0.1", 7003, True)):
    pid = os.fork()
    if pid == 0:
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
        listener.listen(64)
        serve(listener, keeps)
    workers.append(pid)
kept = []
for line in sys.stdin:
    how, address, port, count = line.split()
    connection = socket.create_connection((address, int(port)))
    connection.sendall(b"x" * (int(count) - 1) + b"!")
    worker = connection.recv(8, socket.MSG_WAITALL)
    if how == "open":
        kept.append(connection)
    else: # the kernel tells those who listen to ends a little later
        ends = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) # NETLINK_SOCK_DIAG
        ends.bind((0, 0b101)) # SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        connection.close()
        while int.from_bytes(ends.recv(65536)[20:22], "big") != int(port): # inet_diag_msg.id.idiag_sport
            pass
    print(int(worker), flush=True)
for pid in workers:
    os.kill(pid, signal.SIGKILL)
"""


@contextlib.contextmanager
def server(ns):
    """Gives a function that sends, and returns the pid of the process of the listener."""
    with ns.popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        for _ in range(5):
            assert child.stdout.readline() == "ready\n"

        def send(*words):
            print(*words, file=child.stdin, flush=True)
            return int(child.stdout.readline())

        yield send
        child.stdin.close()
        child.wait(PATIENCE)


def counted(ns, send, said, *args):
    """What `nwho ARGS -d` prints about what is sent meanwhile, and the pids that were told."""
    command = [BUILD / "nwho", *args, "-d", "600", "--explain"]
    with ns.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert any("counting for" in line for line in child.stderr)
            pids = [send(*words) for words in said]
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=PATIENCE)
            assert child.returncode == 0, (out, err)
        finally:
            child.kill()
    return out, pids


def traffic(rows):
    return {(row["local_addr"], int(row["local_port"])): tuple(int(row[name]) for name in ("rx_bytes", "tx_bytes", "rx_since", "tx_since")) for row in rows}


SAID = (("open", "127.0.0.1", 7001, 1000), ("short", "127.0.0.2", 7001, 20000), ("open", "127.0.0.2", 7001, 3000),
        ("open", "127.0.0.1", 7002, 400), ("short", "::1", 7002, 50000))
TOLD = {("0.0.0.0", 7001): (23000, 16) * 2, ("127.0.0.1", 7001): (1000, 8) * 2, ("::", 7002): (50400, 16) * 2}


@test
def each_listener_has_what_its_connections_moved():
    columns = "-o", "local_addr,local_port,rx_bytes,tx_bytes,rx_since,tx_since,rx_rate,tx_rate"
    with netns() as ns, server(ns) as send:
        send("open", "127.0.0.1", 7001, 4711)  # before
        for sources in SOURCES:
            out, _ = counted(ns, send, SAID, "ports", "port 7001,7002", *columns, "--json", *sources)
            rows = json.loads(out)["rows"]
            assert traffic(rows) == TOLD, out
            assert all(row["rx_rate"] > 0 for row in rows), out
            out, _ = counted(ns, send, SAID, "ports", "port 7001,7002", *columns, "--csv", *sources)
            assert traffic(csv.DictReader(io.StringIO(out))) == TOLD, out
            out, _ = counted(ns, send, SAID, "ports", "src 0.0.0.0 sport 7001", *columns, "--json", *sources)
            assert traffic(json.loads(out)["rows"]) == {("0.0.0.0", 7001): TOLD["0.0.0.0", 7001]}, out
            out, _ = counted(ns, send, SAID, "ports", "sport 7002", *sources)
            assert {"49K", "16"} <= set(out.splitlines()[1].split()), out


@test
def listeners_that_share_a_port_have_the_sum_once():
    said = [("open", "127.0.0.1", 7003, 1000 + n) for n in range(16)]
    with netns() as ns, server(ns) as send:
        for sources in SOURCES:
            out, pids = counted(ns, send, said, "ports", "sport 7003", "--json", *sources)
            of_pid = {}
            for pid, (*_, count) in zip(pids, said):
                of_pid[pid] = of_pid.get(pid, 0) + count
            # Each is also held by children of its process, whose pids may be lower ones when pids have begun anew.
            shown = {next((owner["pid"] for owner in row["owners"] if owner["pid"] in of_pid), None): row["rx_since"]
                     for row in json.loads(out)["rows"]}
            assert len(shown) == 2 and {pid: count for pid, count in shown.items() if count} == of_pid, (of_pid, out)


@test
def bytes_of_connections_with_rows_are_theirs():
    with netns() as ns, server(ns) as send:
        for sources in SOURCES:
            out, _ = counted(ns, send, [("open", "127.0.0.1", 7001, 1234)], "ls", "sport 7001", "--json", *sources)
            assert sorted(row["rx_since"] for row in json.loads(out)["rows"] if row["rx_since"]) == [1234], out


@test
def again_and_again():
    with netns() as ns, server(ns) as send:
        for sources in SOURCES:
            with documents(ns, "ports", "sport 7002", "-o", "+rx_rate,rx_since", "--watch=0.1", "--json", *sources) as shown:
                shown.read()
                send("open", "127.0.0.1", 7002, 77777)
                shown.until(lambda rows: sum(row["rx_since"] or 0 for row in rows if row["change"] != "gone") == 77777)
                shown.until(lambda rows: sum(row["rx_rate"] or 0 for row in rows if row["change"] != "gone") == 0)


run_tests()
