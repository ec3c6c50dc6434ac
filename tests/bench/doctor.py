# SPDX-License-Identifier: MIT
"""What the doctor costs the machine that it looks at, and whether it says so itself."""
import re
import statistics
import subprocess

from goals import report, verdict
from live import BUILD, netns
from traffic import running

LOADS = [(10000, 500, 0.030), (200000, 500, 1.0)]  # TCP sockets, processes, seconds of CPU
PRINTED_APART = 0.2  # the summary may differ from what the kernel counts by this part, and by 10 ms
RUNS = 7
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1}
DOCTOR = [BUILD / "nwho", "doctor"]


def look(ns, window, words=()):
    """(seconds of CPU, KiB) of one run; the findings are of the whole machine, and not asked about."""
    done = subprocess.run([str(word) for word in (BUILD / "tests/bench/measure", f"/run/netns/{ns.name}", *DOCTOR,
                                                  "--window", window, *words)], text=True, capture_output=True, check=True)
    _, cpu, peak, _, status = map(int, done.stdout.split())
    if status > 1:
        raise RuntimeError(f"nwho doctor: exit status {status}")
    return cpu / 1e6, peak


def printed(ns, window):
    """Seconds of CPU by the last line of the text."""
    text = ns.run([*DOCTOR, "--window", window], expect=None).out
    found = re.search(r"([\d.]+)(us|ms|s) of CPU", text)
    if not found:
        raise RuntimeError(f"no cost in: {text[-200:]}")
    return float(found[1]) * UNITS[found[2]]


def lines_of(sockets, processes, limit, args):
    """Rows of the table: work, measured, goal, met."""
    runs = 1 if args.short else args.runs or RUNS
    window = 0.1 if args.short else 3
    with netns() as ns, running(ns, [BUILD / "tests/helpers/manysocks", f"tcp={sockets}", f"processes={processes}"]):
        whole = [look(ns, window) for _ in range(runs)]
        one = [look(ns, window, ["resets"]) for _ in range(runs)]
        said = statistics.median(printed(ns, window) for _ in range(runs))
    cpu = statistics.median(run[0] for run in whole)
    what = f"{sockets} sockets, {processes} processes"
    return [[f"{what}: CPU", f"{cpu * 1000:.0f} ms", f"<= {limit * 1000:.0f} ms", verdict(cpu <= limit)],
            [f"{what}: CPU as it says", f"{said * 1000:.0f} ms", f"as measured, by {PRINTED_APART:.0%}",
             verdict(abs(said - cpu) <= PRINTED_APART * cpu + 0.010)],
            [f"{what}: peak memory", f"{max(run[1] for run in whole) / 1024:.0f} MiB", "-", "-"],
            [f"{what}: CPU of one check without sockets", f"{statistics.median(run[0] for run in one) * 1000:.0f} ms", "-", "-"]]


def bench(args):
    """Prints the table; gives whether all goals are met. Short: only whether it runs, and says what it costs."""
    if args.short:
        lines_of(20, 2, 1, args)
        print("doctor: ok", flush=True)
        return True
    lines = [line for sockets, processes, limit in LOADS for line in lines_of(int(sockets * args.scale), processes, limit, args)]
    return report("doctor: all checks, a window of 3 s", lines, args.markdown)
