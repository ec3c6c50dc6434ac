# SPDX-License-Identifier: MIT
"""How much throughput a TCP stream over veth keeps beside a program that watches it."""
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from contextlib import contextmanager

from goals import report, verdict
from live import BUILD, netns, wait_for

SECONDS = 1  # of each stream; what else the machine does changes faster than long streams could tell
ROUNDS = 25
KEPT = 0.98  # at least this part of the throughput without a watcher
OURS = "nwho top"
WATCHERS = {  # only ours has a goal; the program that does nothing shows how far such measurements can be trusted
    OURS: [BUILD / "nwho", "top", "--batch", "-d", "1"],
    "one that does nothing": ["sh", "-c", "echo ready; exec sleep infinity"],
    "nethogs": ["stdbuf", "-oL", "nethogs", "-t", "-d", "1", "veth0"],
    "iftop": ["stdbuf", "-oL", "iftop", "-t", "-n", "-i", "veth0"],
}
PROGRAMS = ("iperf3", "nethogs", "iftop", "stdbuf")


def stream(ns, *words):
    """Bits a second of one connection. The server takes one at a time, and may still be busy with the end of the last."""
    def received():
        return json.loads(ns.run(["iperf3", "-c", "10.91.0.2", "-J", *words], None).out).get("end", {}).get("sum_received")

    return wait_for(received, what="a stream of iperf3")["bits_per_second"]


@contextmanager
def peer():
    """A namespace with a server of iperf3 at the other end of its veth0."""
    with netns() as ns, netns() as other:
        ns.run(["ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", other.name])
        for side, address in ((ns, "10.91.0.1/24"), (other, "10.91.0.2/24")):
            side.run(["ip", "link", "set", "veth0", "up"])
            side.add_address(address, "veth0")
        other.popen(["iperf3", "-s"], stdout=subprocess.DEVNULL)
        wait_for(lambda: other.run(["ss", "-Hltn", "sport", "=", ":5201"]).out, what="a listener of iperf3")
        yield ns


@contextmanager
def watching(ns, words):
    """The program watches: it has told of something that was sent for it."""
    with tempfile.TemporaryFile() as told:
        process = ns.popen(words, stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.DEVNULL)
        try:
            while not os.fstat(told.fileno()).st_size:
                if process.poll() is not None:
                    raise RuntimeError(f"{words[0]} ended")
                stream(ns, "-n", "1M")
            yield
        finally:
            process.kill()
            process.wait()


def ratios(seconds, rounds):
    """By the watcher's name: throughput beside it, as part of the mean of those just before and after it."""
    found = {name: [] for name in WATCHERS}
    with peer() as ns:
        before = stream(ns, "-t", seconds)
        for _ in range(rounds):
            for name, words in WATCHERS.items():
                with watching(ns, words):
                    beside = stream(ns, "-t", seconds)
                after = stream(ns, "-t", seconds)
                found[name].append(2 * beside / (before + after))
                before = after
    return {name: statistics.median(parts) for name, parts in found.items()}


def line_of(name, ratio):
    goal = [f">= {KEPT}x", verdict(ratio >= KEPT)] if name == OURS else ["-", "-"]
    return [f"throughput of iperf3 over veth, beside {name}", f"{ratio:.3f}x", *goal]


def bench(args):
    """Prints the table; gives whether the goal is met. Short: only whether it runs."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        print(f"streams: skipped, there is no {' '.join(missing)}", flush=True)
        return args.short
    rounds = 1 if args.short else args.runs or ROUNDS
    found = ratios(SECONDS, rounds)
    if args.short:
        print("streams: ok", flush=True)
        return True
    return report(f"streams: one TCP stream, {rounds} pairs of runs of {SECONDS} s",
                  [line_of(name, ratio) for name, ratio in found.items()], args.markdown)
