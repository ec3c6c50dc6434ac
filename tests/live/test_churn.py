# SPDX-License-Identifier: MIT
"""Long-lived connections beside others that come and go: no dump misses one of them or shows it twice.

NWHO_FULL=1: 10,000 long-lived connections and 200 dumps in all. Without it fewer, so that it stays short. NWHO_LONG is how
many of them, NWHO_DUMPS how many dumps in each of the four cases.
"""
import contextlib
import json
import os
import subprocess
from collections import Counter

import live
from live import netns, nwho, run_tests, skip, test

FULL = bool(os.environ.get("NWHO_FULL"))
LONG = int(os.environ.get("NWHO_LONG", 10000 if FULL else 2000))
DUMPS = int(os.environ.get("NWHO_DUMPS", 50 if FULL else 8))
OTHERS = 10 if FULL else 3  # dumps of ss and netstat, for the figure beside

BPF = "bpf,sock_diag,proc_net,proc_fd"
NO_BPF = "sock_diag,proc_net,proc_fd"


@contextlib.contextmanager
def small_table():
    """A namespace whose TCP table has 512 buckets, as on a small machine: many sockets stand in each."""
    with netns("net.ipv4.tcp_child_ehash_entries=512") as parent, netns(inside=parent) as ns:
        entries = ns.run(["cat", "/proc/sys/net/ipv4/tcp_ehash_entries"]).out.strip()
        assert entries == "512", entries  # negative: shared with other namespaces
        yield ns


@contextlib.contextmanager
def churn(ns):
    """Runs the helper; gives the long-lived sockets as "local,port,peer,port", and says how fast it was."""
    helper = ns.popen([live.BUILD / "tests/helpers/churn", f"long={LONG}", "threads=2"], stdin=subprocess.PIPE,
                      stdout=subprocess.PIPE, text=True)
    connections = json.loads(helper.stdout.readline())["connections"]
    assert helper.stdout.readline() == "ready\n"
    try:
        yield {f"{c[i]},{c[i + 1]},{c[2 - i]},{c[3 - i]}" for c in connections for i in (0, 2)}
    finally:
        helper.stdin.close()
        done = json.loads(helper.stdout.readline())
        helper.wait(live.PATIENCE)
        helper.stdout.close()
        print(f"# {LONG} long-lived connections, {done['connects'] / done['seconds']:.0f} connects/s", flush=True)


class Tally:
    """What a reader did to the long-lived sockets, over several dumps."""

    def __init__(self, name):
        self.name = name
        self.dumps = self.bad = self.missed = self.doubled = 0

    def add(self, truth, rows):
        seen = Counter(row for row in rows if row in truth)
        missed, doubled = len(truth) - len(seen), sum(seen.values()) - len(seen)
        self.dumps += 1
        self.bad += missed + doubled > 0
        self.missed += missed
        self.doubled += doubled

    def __str__(self):
        return f"{self.name}: {self.bad} of {self.dumps} dumps wrong ({self.missed} missed, {self.doubled} double)"


def nwho_rows(ns, sources):
    out = nwho(ns, "ls", "tcp", "--csv", "-H", "-o", "local_addr,local_port,peer_addr,peer_port,pid", "--sources",
               sources).out
    return [line.rpartition(",") for line in out.splitlines()]


def used_sources(ns, sources):
    return nwho(ns, "ls", "tcp", "-o", "pid", "--explain", "--sources", sources, expect=(0, 1)).err


def other_rows(ns, command):
    """Rows of ss or netstat, whose addresses stand in the words behind the numbers of the queues."""
    for line in ns.run(command).out.splitlines():
        words = [word for word in line.split() if word.count(":") == 1]
        if len(words) == 2:
            yield ",".join(words).replace(":", ",")


def dump_and_compare(ns, sources, source):
    tally, ownerless = Tally("nwho by " + source), 0
    with churn(ns) as truth:
        if source not in used_sources(ns, sources):  # of what has no sockets no source is asked
            skip(f"{source} cannot be used here")
        for _ in range(DUMPS):
            rows = nwho_rows(ns, sources)
            tally.add(truth, (row[0] for row in rows))
            ownerless += sum(1 for row in rows if row[0] in truth and not row[2])
        print(f"# {tally}, {ownerless} without owner", flush=True)
        for command in (["ss", "-Htan"], ["netstat", "-tan"]):
            other = Tally(command[0])
            for _ in range(OTHERS):
                other.add(truth, other_rows(ns, command))
            print(f"# {other}", flush=True)
    assert tally.bad == 0, str(tally)
    assert ownerless == 0, f"{ownerless} rows without owner"


@test
def by_bpf():
    with netns() as ns:
        dump_and_compare(ns, BPF, "bpf iter/tcp")


@test
def by_sock_diag():
    with netns() as ns:
        dump_and_compare(ns, NO_BPF, "sock_diag")


@test
def by_bpf_from_a_small_table():
    with small_table() as ns:
        dump_and_compare(ns, BPF, "bpf iter/tcp")


@test
def by_sock_diag_from_a_small_table():
    with small_table() as ns:
        dump_and_compare(ns, NO_BPF, "sock_diag")


run_tests()
