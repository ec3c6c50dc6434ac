# SPDX-License-Identifier: MIT
"""What accounting costs those whose traffic is counted: the same load, without and with it in turn."""
import statistics
import subprocess
from contextlib import contextmanager

from live import BUILD, netns

LOADS = {"udp": 100000, "connect": 5000}  # operations of one run
ROUNDS = 9


@contextmanager
def counting(ns):
    """The program counts, as it does for a reader of its screen."""
    process = ns.popen([BUILD / "nwho", "top", "--batch", "-d", "1", "--jsonl", "--all-netns"],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        ns.run([BUILD / "tests/bench/load", "udp", "64"])  # so that there is a row
        if not process.stdout.readline():
            raise RuntimeError("nwho top ended")
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def load(ns, kind, count):
    return tuple(map(float, ns.run([BUILD / "tests/bench/load", kind, count]).out.split()))


def pairs(ns, kind, count, rounds):
    """(without, with) of each round; each is what the load printed."""
    found = []
    for _ in range(rounds):
        without = load(ns, kind, count)
        with counting(ns):
            found.append((without, load(ns, kind, count)))
    return found


def added(found, index):
    return statistics.median(after[index] - before[index] for before, after in found)


def kept(found, index):
    return statistics.median(before[index] / after[index] for before, after in found)


def verdict(good, stretch):
    return "yes" if good else "not yet" if stretch else "NO"


def lines_of(datagrams, connections):
    """Rows of the table: work, measured, goal, met."""
    lines = []
    for name, index in (("send", 0), ("receive", 1)):
        for limit, stretch in ((200, False), (120, True)):
            cost = added(datagrams, index)
            lines.append([f"CPU added to a small UDP {name}" + (", stretch" if stretch else ""), f"{cost:.0f} ns",
                          f"<= {limit} ns", verdict(cost <= limit, stretch)])
    for name, index in (("CPU", 0), ("clock", 1)):
        for limit, stretch in ((0.85, False), (0.93, True)):
            ratio = kept(connections, index)
            lines.append([f"connections per second, by {name}" + (", stretch" if stretch else ""), f"{ratio:.2f}x",
                          f">= {limit}x", verdict(ratio >= limit, stretch)])
    return lines


def bench(args):
    """Prints the table; gives whether all goals are met. Short: only whether it runs."""
    rounds = 1 if args.short else args.runs or ROUNDS
    with netns() as ns:
        found = {kind: pairs(ns, kind, 256 if args.short else count, rounds) for kind, count in LOADS.items()}
    if args.short:
        print("traffic: ok", flush=True)
        return True
    lines = lines_of(found["udp"], found["connect"])
    print(f"\n{'### ' if args.markdown else '== '}traffic: accounting, {rounds} pairs of runs\n")
    for line in [["work", "nwho top", "goal", "met"], *([["---"] * 4] if args.markdown else []), *lines]:
        print("| " + " | ".join(line) + " |" if args.markdown else "   ".join(line))
    return not any(line[-1] == "NO" for line in lines)
