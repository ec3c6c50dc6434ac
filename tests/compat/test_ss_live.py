#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ss -K and ss -E: what changes sockets, and what waits for them to change, beside the real tool in the same namespace."""
import contextlib
import itertools
import os
import re
import select
import subprocess
import sys

from compat import PATH, check_releases, links
from live import PATIENCE, netns, run_tests, skip, test, wait_for

# Runs in the namespace: a connection for each line it reads ("ADDRESS CLIENT-PORT"), until the next line.
PEERS = """
import socket, sys
open_ones = {}
for line in sys.stdin:
    for one in open_ones.values():
        for end in one:
            end.close()
    open_ones = {}
    host, port = line.split()
    listener = socket.create_server((host, 7777), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    client = socket.create_connection((host, 7777), source_address=(host, int(port)))
    server, _ = listener.accept()
    for end in (client, server):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
    open_ones[port] = (listener, client, server)
    print("ready", flush=True)
"""


class Peers:
    """Makes connections in the namespace; a closed one goes at once, by a reset."""

    def __init__(self, ns):
        self.child = ns.popen([sys.executable, "-c", PEERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def connect(self, host, port):
        self.child.stdin.write(f"{host} {port}\n")
        self.child.stdin.flush()
        assert self.child.stdout.readline() == "ready\n"


@contextlib.contextmanager
def stage():
    check_releases(["ss"])
    with netns() as ns, links() as first:
        environments = [{"PATH": path, "LC_ALL": "C"} for path in (PATH, f"{first}:{PATH}")]
        yield ns, Peers(ns), environments


def ss(ns, environment, line):
    return subprocess.run([*ns.prefix(), "sh", "-c", f"ss {line}"], capture_output=True, env=environment, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL, check=False)


@test
def the_same_sockets_are_closed():
    lines = ["-K dport = :7777", "-tK sport = :7777", "-tKn", "-4tKn", "-6tKn", "-tKH dst {host}", "-tKp sport = :4000", "-K dport = :1",
             "-uK", "-xK", "-tlK", "-tKn state established", "-tK src 10.1.1.1"]
    with stage() as (ns, peers, environments):
        killed = 0
        for host in ("127.0.0.1", "::1"):
            for line in lines:
                done = []
                for environment in environments:
                    peers.connect(host, 4000)
                    result = ss(ns, environment, line.format(host=f"[{host}]" if ":" in host else host))
                    left = ss(ns, environments[0], "-Htan").stdout
                    done.append((result.returncode, result.stdout.replace(b"pid", b""), sorted(left.splitlines())))
                if line == lines[0] and done[0][1].count(b":7777") == 0:
                    skip("this kernel closes no sockets for others (CONFIG_INET_DIAG_DESTROY)")
                killed += len(done[0][2]) < 3
                assert done[0] == done[1], (host, line, done)
        assert killed >= 10, killed


@test
def who_may_not_close_sees_the_same():
    with stage() as (ns, peers, environments):
        done = []
        for environment in environments:
            peers.connect("127.0.0.1", 4000)
            result = subprocess.run([*ns.prefix("nobody"), "sh", "-c", "ss -tKn"], capture_output=True, env=environment, timeout=PATIENCE,
                                    stdin=subprocess.DEVNULL, check=False)
            done.append((result.returncode, result.stdout, len(ss(ns, environments[0], "-Htn").stdout.splitlines())))
        assert done[0] == done[1] and done[0][2] == 2, done


# --- events ---

class Listener:
    """ss -E under way."""

    def __init__(self, ns, environment, line):
        self.out = b""
        # The real tool writes only when its buffer is full; ours, under a sanitizer, wants no library in front of it.
        by_line = ["stdbuf", "-oL"] if environment["PATH"] == PATH else []
        self.child = ns.popen([*by_line, "ss", *line.split()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=environment)

    def read(self):
        while select.select([self.child.stdout], [], [], 0)[0]:
            part = os.read(self.child.stdout.fileno(), 65536)
            assert part, f"ss -E ended: {self.child.wait()}"
            self.out += part
        return self.out

    def has(self, text):
        return text in self.read() and self.out.endswith(b"\n")


def events(ns, peers, environments, line, host):
    """What both have written when the same connections have gone."""
    listeners = [Listener(ns, environment, line) for environment in environments]
    # Both listen, in columns as wide as these connections make them, when each has told of three.
    ports = itertools.cycle(range(20000, 20100))

    def both_have_seen_three():
        peers.connect(host, next(ports))
        return all([len(set(re.findall(rb":200\d\d", listener.read()))) > 2 for listener in listeners])

    wait_for(both_have_seen_three)
    for number in range(5):
        peers.connect(host, 21000 + number)
    # Of the last connection that goes the first event says that all before it have been told.
    try:
        wait_for(lambda: all([listener.has(b":21003") for listener in listeners]))
    except AssertionError as error:
        raise AssertionError(f"{line}: {[listener.out for listener in listeners]}") from error
    for listener in listeners:
        listener.child.kill()
        listener.child.wait()
        listener.child.stdout.close()
    rows = [listener.out.splitlines() for listener in listeners]
    assert line.count("H") or rows[0][0].replace(b" ", b"") == rows[1][0].replace(b" ", b""), rows
    return [[row for row in part if re.search(rb":2100[0-2]\b", row)] for part in rows]


@test
def the_same_events_are_told():
    with stage() as (ns, peers, environments):
        for line, host in (("-Etn", "127.0.0.1"), ("-Et", "127.0.0.1"), ("-Etnoe", "127.0.0.1"), ("-Etn -6", "::1"),
                           ("-EtnH", "127.0.0.1"), ("-Etn sport = :7777", "127.0.0.1")):
            theirs, ours = events(ns, peers, environments, line, host)
            assert len(theirs) >= 3 and theirs == ours, (line, theirs, ours)


run_tests()
