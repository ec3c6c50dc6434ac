# SPDX-License-Identifier: MIT
"""What accounting costs: those whose traffic is counted (the same load, without and with it in turn), and itself."""
import select
import statistics
import subprocess
import sys
from contextlib import contextmanager

from goals import report, verdict
from live import BUILD, netns

DATAGRAMS, CONNECTIONS = 50000, 5000  # of one run
PACKETS = ["-o", "+rx_wire_bytes,tx_wire_bytes"]  # counts packets, too
NOBODY = "10.92.0.2"  # is sent to, and receives nothing
ROUNDS = 9
ACTIVE = 2000  # connections that send a byte each second, beside those that are silent
REFRESHES = 20
SCREENS = [(10000, 500, 0.01), (200000, 500, 0.10)]  # TCP sockets, processes, part of a processor
MEMORY = 64 * 1024  # KiB
START = 0.3  # seconds

TALKERS = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", 0), backlog=4096)
ends = []
for _ in range(int(sys.argv[1])):
    client = socket.create_connection(server.getsockname())
    ends.append((client, server.accept()[0]))
print("ready", flush=True)
while True:
    for client, served in ends:
        client.send(b"x")
        served.recv(1)
    time.sleep(1)
"""


def can_count(ns):
    """Whether BPF counts here; nothing else counts datagrams."""
    return '"accounting":"bpf"' in ns.run([BUILD / "nwho", "top", "--json", "-n", "1", "-d", "0.1"], expect=None).out


@contextmanager
def counting(ns, *words):
    """The program counts, as it does for a reader of its screen."""
    process = ns.popen([BUILD / "nwho", "top", "--batch", "-d", "1", "--jsonl", "--all-netns", *words],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        while not select.select([process.stdout], [], [], 0.2)[0]:
            ns.run([BUILD / "tests/bench/load", "udp", "64"])  # so that there is a row, once it counts
        if not process.stdout.readline():
            raise RuntimeError("nwho top ended")
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextmanager
def load(ns, kind, count, *words):
    """Gives a function that has the load made, by the same process each time, and gives what it printed."""
    process = ns.popen([BUILD / "tests/bench/load", kind, count, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       text=True)

    def measure():
        process.stdin.write("\n")
        process.stdin.flush()
        return tuple(map(float, process.stdout.readline().split()))
    try:
        process.stdout.readline()  # warm
        yield measure
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def pairs(ns, kind, count, rounds, words=(), counted=()):
    """(without, with) of each round; each is what the load printed. Without is the mean of before and after."""
    found = []
    for _ in range(rounds):
        with load(ns, kind, count, *words) as measure:
            before = measure()
            with counting(ns, *counted):
                after = measure()
            found.append((tuple(map(statistics.mean, zip(before, measure()))), after))
    return found


def added(found):
    return statistics.median(sum(after) - sum(before) for before, after in found)


def kept(found, index):
    return statistics.median(before[index] / after[index] for before, after in found)


@contextmanager
def sending(ns):
    """Gives words for a load that only sends: what loopback would do in the same call, receiving, is not in it."""
    with netns() as other:
        ns.run(["ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", other.name])
        other.run(["ip", "link", "set", "veth0", "up"])
        ns.run(["ip", "link", "set", "veth0", "up"])
        ns.add_address("10.92.0.1/24", "veth0")
        ns.run(["ip", "neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:02", "dev", "veth0"])
        yield [NOBODY]


def datagrams(ns, count, rounds, counted=()):
    """The pairs of small datagrams that are only sent, and of those that go over loopback."""
    with sending(ns) as words:
        sent = pairs(ns, "udp", count, rounds, words, counted)
    return sent, pairs(ns, "udp", count, rounds, counted=counted)


def lines_of(calls, packets, connections):
    """Rows of the table: work, measured, goal, met."""
    lines = []
    for (sent, both), what, limit, stretch in ((calls, "", 200, False), (calls, ", stretch", 120, True),
                                               (packets, ", packets counted too", 300, False)):
        for found, name, ends in ((sent, "send", 1), (both, "send and its receive", 2)):
            cost = added(found)
            lines.append([f"CPU added to a small UDP {name}{what}", f"{cost:.0f} ns", f"<= {ends * limit} ns",
                          verdict(cost <= ends * limit, stretch)])
    for name, index in (("CPU", 0), ("clock", 1)):
        for limit, stretch in ((0.85, False), (0.93, True)):
            ratio = kept(connections, index)
            lines.append([f"connections per second, by {name}" + (", stretch" if stretch else ""), f"{ratio:.2f}x",
                          f">= {limit}x", verdict(ratio >= limit, stretch)])
    return lines


@contextmanager
def running(ns, words):
    """A helper that says when it is ready and ends with its standard input, or is ended."""
    process = ns.popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if "ready\n" not in iter(process.stdout.readline, ""):
            raise RuntimeError(f"{words[0]} did not get ready")
        yield process
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()
        process.stdout.close()


def screen(ns, refreshes, delay):
    """(seconds, seconds of CPU, KiB) of so many refreshes."""
    words = [BUILD / "nwho", "top", "--batch", "-n", refreshes, "-d", delay]
    done = subprocess.run([str(word) for word in (BUILD / "tests/bench/measure", f"/run/netns/{ns.name}", *words)],
                          text=True, capture_output=True, check=True)
    wall, cpu, peak, _, status = map(int, done.stdout.split())
    if status > 1:  # 1: none of them talked meanwhile
        raise RuntimeError(f"nwho top: exit status {status}")
    return wall / 1e6, cpu / 1e6, peak


def screens(scale):
    """Rows of the table: what the rows of top cost, refresh by refresh, and how soon the first ones are there."""
    lines = []
    for sockets, processes, limit in SCREENS:
        with netns() as ns, running(ns, [sys.executable, "-c", TALKERS, ACTIVE]), \
                running(ns, [BUILD / "tests/helpers/manysocks", f"tcp={int(sockets * scale)}", f"processes={processes}"]):
            start = statistics.median(screen(ns, 1, 0.1)[0] for _ in range(5))
            _, first, _ = screen(ns, 1, 1)
            _, cpu, peak = screen(ns, 1 + REFRESHES, 1)
        what = f"{sockets} sockets, {processes} processes, {ACTIVE} connections that talk"
        share = (cpu - first) / REFRESHES
        lines += [[f"{what}: CPU of top", f"{share:.1%}", f"<= {limit:.0%}", verdict(share <= limit)],
                  [f"{what}: peak memory", f"{peak / 1024:.0f} MiB", f"<= {MEMORY // 1024} MiB", verdict(peak <= MEMORY)],
                  [f"{what}: first rows after", f"{start:.2f} s", f"<= {START} s", verdict(start <= START)]]
    return lines


def bench(args):
    """Prints the table; gives whether all goals are met. Short: only whether it runs."""
    rounds = 1 if args.short else args.runs or ROUNDS
    with netns() as ns:
        if not can_count(ns):
            print("traffic: skipped, BPF does not count here", flush=True)
            return True
        count = 256 if args.short else DATAGRAMS
        calls = datagrams(ns, count, rounds)
        packets = datagrams(ns, count, rounds, PACKETS)
        connections = pairs(ns, "connect", 256 if args.short else CONNECTIONS, rounds)
    if args.short:
        print("traffic: ok", flush=True)
        return True
    return report(f"traffic: accounting, {rounds} pairs of runs", lines_of(calls, packets, connections) +
                  screens(args.scale), args.markdown)
