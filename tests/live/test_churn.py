# SPDX-License-Identifier: MIT
"""Long-lived connections beside others that come and go: no dump misses one of them or shows it twice.

NWHO_FULL=1: 10,000 long-lived connections and 200 dumps in all. Without it fewer, so that it stays short. NWHO_LONG is how
many of them, NWHO_DUMPS how many dumps in each of the four cases, each by a program of its own, and NWHO_WATCHED how many
more by one program that watches: where the machine is emulated, to start it takes longer than a dump.
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
DUMPS = int(os.environ.get("NWHO_DUMPS", 50 if FULL else 6))
WATCHED = int(os.environ.get("NWHO_WATCHED", 2))
TOLD = 50  # after so many dumps it says how many were wrong
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
    """What a reader did to the long-lived sockets TRUTH, over several dumps."""

    def __init__(self, name, truth):
        self.name, self.truth = name, truth
        self.dumps = self.bad = self.missed = self.doubled = self.ownerless = 0
        self.right = set()  # lines of a dump that was right, one of each socket

    def add(self, rows):
        """Gives whether nothing is wrong with this dump."""
        seen = Counter(row for row in rows if row in self.truth)
        missed, doubled = len(self.truth) - len(seen), sum(seen.values()) - len(seen)
        self.dumps += 1
        self.bad += missed + doubled > 0
        self.missed += missed
        self.doubled += doubled
        return missed + doubled == 0

    def add_lines(self, lines):
        """The same of nwho's lines: what --watch says of the change, the row, the process."""
        others = [line for line in lines if line not in self.right]
        if self.right and len(set(lines)) == len(others) + len(self.right) == len(lines) and \
                not any(row_of(line)[0] in self.truth for line in others):
            self.dumps += 1  # the slow way would tell the same
            return
        rows = [row_of(line) for line in lines]
        ownerless = sum(1 for row, pid in rows if row in self.truth and not pid)
        self.ownerless += ownerless
        self.right = set()
        if self.add(row for row, _ in rows) and not ownerless:
            self.right = {line for line in lines if row_of(line)[0] in self.truth}

    def __str__(self):
        return f"{self.name}: {self.bad} of {self.dumps} dumps wrong ({self.missed} missed, {self.doubled} double)"


def row_of(line):
    """The row and the process of a line. What is gone is no row of this dump."""
    change, _, row = line.partition(",")
    row, _, pid = row.rpartition(",")
    return (None if change == "gone" else row), pid


PIPE_SIZE = 1 << 20  # a dump fits in: who writes it need not wait for who reads it
COLUMNS = "local_addr,local_port,peer_addr,peer_port,pid"


def dump(ns, sources):
    """The lines of one dump, with no change."""
    lines = nwho(ns, "ls", "tcp", "--csv", "-H", "-o", COLUMNS, "--sources", sources).out.splitlines()
    return ["," + line for line in lines]


def watched_dumps(ns, sources):
    """The lines of one dump after the other, as fast as they come. Each begins with a header."""
    watcher = ns.popen([live.BUILD / "nwho", "ls", "tcp", "--csv", "-o", COLUMNS, "--sources", sources, "--watch=0.01",
                        f"--times={WATCHED}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                       pipesize=PIPE_SIZE, bufsize=PIPE_SIZE)
    lines, header = [], watcher.stdout.readline()
    assert header == f"change,{COLUMNS}\n", header
    for line in watcher.stdout:
        if line == header:
            yield lines
            lines = []
        else:
            lines.append(line[:-1])
    yield lines
    watcher.stdout.close()
    assert watcher.wait(live.PATIENCE) == 0


def dumps(ns, sources):
    for _ in range(DUMPS):
        yield dump(ns, sources)
    if WATCHED:
        yield from watched_dumps(ns, sources)


def used_sources(ns, sources):
    return nwho(ns, "ls", "tcp", "-o", "pid", "--explain", "--sources", sources, expect=(0, 1)).err


def other_rows(ns, command):
    """Rows of ss or netstat, whose addresses stand in the words behind the numbers of the queues."""
    for line in ns.run(command).out.splitlines():
        words = [word for word in line.split() if word.count(":") == 1]
        if len(words) == 2:
            yield ",".join(words).replace(":", ",")


def dump_and_compare(ns, sources, source):
    with churn(ns) as truth:
        tally = Tally("nwho by " + source, truth)
        if source not in used_sources(ns, sources):  # of what has no sockets no source is asked
            skip(f"{source} cannot be used here")
        for lines in dumps(ns, sources):
            tally.add_lines(lines)
            if tally.dumps % TOLD == 0 or tally.dumps == DUMPS + WATCHED:
                print(f"# {tally}, {tally.ownerless} without owner", flush=True)
        for command in (["ss", "-Htan"], ["netstat", "-tan"]):
            other = Tally(command[0], truth)
            for _ in range(OTHERS):
                other.add(other_rows(ns, command))
            print(f"# {other}", flush=True)
    assert tally.dumps == DUMPS + WATCHED, str(tally)
    assert tally.bad == 0, str(tally)
    assert tally.ownerless == 0, f"{tally.ownerless} rows without owner"


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
