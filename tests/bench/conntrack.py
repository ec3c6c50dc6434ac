# SPDX-License-Identifier: MIT
"""What it costs to list tracked connections: nwho nat, which names their processes, and nwho conntrack, against
conntrack. Most entries are forwarded ones that were loaded; a hundredth is of sockets in the same namespace."""
import contextlib
import os
import shutil
import statistics
import subprocess
import tempfile

from goals import report, verdict
from live import BUILD, netns
from traffic import running

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
ENTRIES = 100000
RUNS = 9
TRACK = "add table ip t\nadd chain ip t in { type filter hook input priority 0; }\nadd rule ip t in ct state new accept\n"
GOALS = {"nwho nat -N": 0.6, "nwho conntrack -L": 0.6}


def entry(number):
    """As -o save has it."""
    net, port = divmod(number, 50000)
    client, port = f"10.{net + 1}.0.1", port + 10000
    return (f"-A -t 90000 -u SEEN_REPLY,ASSURED -s {client} -d 192.0.2.1 -r 192.0.2.1 -q {client} -p tcp --sport {port} "
            f"--dport 443 --reply-port-src 443 --reply-port-dst {port} --state ESTABLISHED\n")


@contextlib.contextmanager
def table(count):
    """A namespace with so many entries, loaded at once."""
    own = count // 100
    with netns() as ns, tempfile.NamedTemporaryFile("w") as file:
        file.write(TRACK)
        file.flush()
        ns.run(["nft", "-f", file.name])
        file.seek(0)
        file.truncate()
        file.writelines(entry(number) for number in range(count - own))
        file.flush()
        with running(ns, [BUILD / "tests/helpers/manysocks", f"tcp={own * 2}", "processes=4"]):
            ns.run(["conntrack", "-R", file.name])
            yield ns


def cost(ns, words):
    """(seconds of CPU, KiB) of one run."""
    done = subprocess.run([str(word) for word in (BUILD / "tests/bench/measure", f"/run/netns/{ns.name}", *words)],
                          text=True, capture_output=True, check=True)
    _, cpu, peak, _, status = map(int, done.stdout.split())
    if status != 0:
        raise RuntimeError(f"{words}: exit status {status}")
    return cpu / 1e6, peak


def lines_of(count, runs):
    """Rows of the table: work, measured, goal, met."""
    with table(count) as ns:
        commands = {"conntrack -L": ["conntrack", "-L"],
                    "nwho conntrack -L": [BUILD / "nwho", "conntrack", "-L"],
                    "nwho nat -N": [BUILD / "nwho", "nat", "-N", ns.name],
                    "nwho nat": [BUILD / "nwho", "nat"]}
        costs = {name: [] for name in commands}
        for _ in range(runs):
            for name, words in commands.items():
                costs[name].append(cost(ns, words))
    medians = {name: statistics.median(run[0] for run in of) for name, of in costs.items()}
    lines = []
    for name, seconds in medians.items():
        ratio, goal = seconds / medians["conntrack -L"], GOALS.get(name)
        lines.append([f"{name}: CPU", f"{seconds * 1000:.0f} ms, {ratio:.2f}x", f"<= {goal}x" if goal else "-",
                      verdict(ratio <= goal, stretch=True) if goal else "-"])
        lines.append([f"{name}: peak memory", f"{max(run[1] for run in costs[name]) / 1024:.0f} MiB", "-", "-"])
    return lines


def bench(args):
    """Prints the table; gives whether all goals are met. Short: only whether it runs."""
    missing = [name for name in ("conntrack", "nft") if not shutil.which(name, path=PATH)]
    if missing:
        print(f"conntrack: not measured: no {missing[0]}", flush=True)
        return True
    if args.short:
        lines_of(200, 1)
        print("conntrack: ok", flush=True)
        return True
    count = int(ENTRIES * args.scale)
    return report(f"conntrack: {count} tracked connections", lines_of(count, args.runs or RUNS), args.markdown)
