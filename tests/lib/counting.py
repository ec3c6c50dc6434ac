# SPDX-License-Identifier: MIT
"""Accounting without anything on top, and what those counted themselves who made the traffic."""
import json
import subprocess
from collections import defaultdict
from contextlib import contextmanager, suppress

from live import BUILD, PATIENCE, skip, wait_for

CLOSED, FOLDED, SPLICED, PEER = 1, 4, 16, 32  # enum flow_flag
BPF = 3  # enum accounting_level


class Counter:
    """Accounting that runs; read() gives the flows of one namespace. With "wire" also packets are counted, with
    "peers" unconnected sockets by peer."""

    def __init__(self, ns, *options):
        self.ns = ns
        self.process = subprocess.Popen([BUILD / "tests/helpers/flows", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"
        self.level, self.wire, self.notes = None, False, []

    def read(self, word=b""):
        """WORD: b"p" begins or ends with peers."""
        self.process.stdin.write(word + b"\n")
        self.process.stdin.flush()
        rows = [json.loads(line) for line in iter(self.process.stdout.readline, b"end\n")]
        self.level, self.wire = rows[0]["accounting"], rows[0]["wire"]
        self.notes = [row["text"] for row in rows if "note" in row]
        if self.level != BPF:
            skip(f"no accounting by BPF: {self.notes}")
        return [row for row in rows if row.get("netns") == self.ns.inode()]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(PATIENCE) == 0


@contextmanager
def counting(ns, *options):
    counter = Counter(ns, *options)
    try:
        yield counter
    finally:
        counter.close()


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def make(ns, situation, *options):
    """What the helper counted: of each (cookie, pid, tid) the bytes."""
    rows = objects(ns.run([BUILD / "tests/helpers/mktraffic", situation, *options], timeout=PATIENCE).out)
    if rows and "skip" in rows[-1]:
        skip(rows[-1]["skip"])
    return rows


def sums(rows, *keys):
    total = defaultdict(lambda: [0, 0])
    for row in rows:
        entry = total[tuple(row[key] for key in keys)]
        entry[0] += row["rx"]
        entry[1] += row["tx"]
    return {key: tuple(entry) for key, entry in total.items() if any(entry)}


def compared(truth, flows, keys):
    """What each of KEYS has in truth, and what was counted of it, where they differ; and the keys that were used."""
    keys = keys or ("cookie", "pid", "tid")
    if any(flow["flags"] & FOLDED for flow in flows):
        keys = ()  # neighbours have so many flows that what has ended is not listed any more: sums remain
    expected, counted = sums(truth, *keys), sums(flows, *keys)
    return {key: (expected.get(key), counted.get(key)) for key in expected.keys() | counted.keys()
            if expected.get(key) != counted.get(key)}, keys


def assert_exact(truth, flows, *keys):
    wrong, keys = compared(truth, flows, keys)
    assert not wrong, f"(truth, counted) of {keys}: {wrong}"


def is_short(truth, flows, *keys):
    """Whether something of TRUTH is not counted yet."""
    wrong, _ = compared(truth, flows, keys)
    return any(expected and (not counted or counted[0] < expected[0] or counted[1] < expected[1])
               for expected, counted in wrong.values())


def read_to_the_end(counter, truth, *keys):
    """Flows that are exact, of sockets with bytes that no call told (splice) and that were closed.

    Those bytes are told when TCP is done with the socket. It waits for packets of the other end then, which are
    delivered a little after the process has ended when the machine is slow.
    """
    flows = []

    def nothing_is_missing():
        flows[:] = counter.read()
        return not is_short(truth, flows, *keys)

    with suppress(AssertionError):
        wait_for(nothing_is_missing)
    assert_exact(truth, flows, *keys)
    return flows


@contextmanager
def waiting(ns, situation):
    """A situation that waits; gives a function that lets it go on to its end, and returns the truth."""
    process = ns.popen([BUILD / "tests/helpers/mktraffic", situation], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def finish():
        process.stdin.write(b"\n")
        process.stdin.flush()
        rows = objects(process.stdout.read().decode())
        assert process.wait(PATIENCE) == 0
        return rows

    assert b"ready" in process.stdout.readline()
    try:
        yield finish
    finally:
        process.stdin.close()
        process.stdout.close()
