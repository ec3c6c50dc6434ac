# SPDX-License-Identifier: MIT
"""A day of history: 200 processes, 2,000 peers, 8,000 pairs of them, of which about 1,740 have traffic in a tick of 10 s.
And what the recorder takes of a machine."""
import json
import os
import resource
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from goals import report, verdict
from live import BUILD, netns
from traffic import ACTIVE, TALKERS, running

PROGRAM = BUILD / "tests/bench/history"
TICKS = 8640
BEGIN = 1764547200  # as in the program
DAY, WINDOW = (0, 86400), (36000, 36600)
FINE, MINUTE, HOUR = 1, 2, 3    # enum store_tier
PROCESSES, PEERS = 1, 2         # enum store_part
QUESTIONS = [  # what, tier, parts, time, seconds allowed
    ("processes of the day, from minutes", MINUTE, PROCESSES, DAY, 0.1),
    ("processes of the day, exact", FINE, PROCESSES, DAY, 0.6),
    ("processes and peers of the day, exact", FINE, PEERS, DAY, 0.6),
    ("processes and peers of the day, from hours", HOUR, PEERS, DAY, None),
    ("processes and peers of 10 minutes", FINE, PEERS, WINDOW, 0.02),
]


def cpu_of_run(*words, **variables):
    """Seconds of CPU of a program, and of the kernel for it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **variables})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ask(path, tier, parts, times):
    return cpu_of_run(PROGRAM, "ask", path, tier, parts, *times, 0)


def write(path, ticks, packets):
    words = [PROGRAM, "write", path, 10, ticks, int(packets)]
    return json.loads(subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout)


def chunks(path):
    """(rows, bytes) of the fine tier."""
    with sqlite3.connect(path) as file:
        return file.execute("SELECT sum(rows), sum(length(data)) FROM chunk WHERE merged = 1").fetchone()


def lines_of(directory, packets, ticks, runs):
    """Rows of the table: work, measured, goal, met."""
    path = os.path.join(directory, f"packets{packets}.db")
    cost, (rows, size) = write(path, ticks, packets), chunks(path)
    what = "with packets" if packets else "bytes only"
    day = size * TICKS / ticks
    lines = [[f"{what}: bytes of a row", f"{size / rows:.1f} of {rows} rows", "<= 10", verdict(size / rows <= 10)],
             [f"{what}: a day", f"{day / 1e6:.0f} MB", "<= 55 MB", verdict(day <= 55e6)],
             [f"{what}: a tick, median of CPU", f"{cost['cpu_median_us'] / 1000:.2f} ms", "<= 1 ms",
              verdict(cost["cpu_median_us"] <= 1000)],
             [f"{what}: all ticks, part of one CPU", f"{cost['cpu_sum_us'] / ticks / 1e7:.3%}", "<= 0.5%",
              verdict(cost["cpu_sum_us"] / ticks / 1e7 <= 0.005)]]
    for name, tier, parts, times, limit in QUESTIONS:
        took = statistics.median(ask(path, tier, parts, times) for _ in range(runs))
        lines.append([f"{what}: {name}", f"{took * 1000:.0f} ms of CPU", f"<= {limit * 1000:.0f} ms" if limit else "-",
                      verdict(took <= limit) if limit else "-"])
    return lines


def cpu_of(pid):
    """Seconds of CPU that a process has taken: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def record(ns, path, every, ticks):
    """(part of one CPU, KiB at most) of the recorder, once it has begun."""
    with ns.popen([BUILD / "nwho", "serve", "--foreground", "--every", every, "--store", path],
                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            # In the middle between two ticks, when the first one is done.
            time.sleep(2 * every - (time.time() + every / 2) % every)
            before, begin = cpu_of(process.pid), time.monotonic()
            time.sleep(every * ticks)
            share = (cpu_of(process.pid) - before) / (time.monotonic() - begin)
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        finally:
            process.terminate()
    return share, peak


def recorder_lines(directory, sockets, processes, every, ticks):
    """Rows of the table."""
    with netns() as ns, running(ns, [sys.executable, "-c", TALKERS, ACTIVE]), \
            running(ns, [BUILD / "tests/helpers/manysocks", f"tcp={sockets}", f"processes={processes}"]):
        share, peak = record(ns, os.path.join(directory, "recorder.db"), every, ticks)
    what = f"recorder at {sockets} sockets, {processes} processes, {ACTIVE} connections that talk, each {every} s"
    return [[f"{what}: CPU", f"{share:.2%}", "<= 0.5%", verdict(share <= 0.005)],
            [f"{what}: peak memory", f"{peak / 1024:.0f} MiB", "<= 40 MiB", verdict(peak <= 40 * 1024)]]


# --- interfaces, beside sar ---

SADC, SAR = "/usr/lib/sysstat/sadc", "sar"
YEAR_HOURS = 365 * 24


def sysstat_day(path, ticks):
    """A file of sadc with so many samples of today, a second apart: one sample again and again, with other times."""
    sizes = []
    for count in (2, 3):
        path.unlink(missing_ok=True)
        subprocess.run([SADC, "1", str(count), path], check=True)
        sizes.append(path.stat().st_size)
    length, data = sizes[1] - sizes[0], path.read_bytes()
    first = len(data) - 3 * length
    uptime_cs, seconds = struct.unpack_from("QQ", data, first)
    seconds -= seconds % 86400
    with path.open("wb", buffering=1 << 20) as file:
        file.write(data[:first])
        for i in range(ticks):
            file.write(struct.pack("QQ", uptime_cs + 100 * i, seconds + i) + data[first + 16:first + length])


def by_interface(path, seconds, length):
    """nwho history of the last so many SECONDS of LENGTH."""
    end = BEGIN + length
    return cpu_of_run(BUILD / "nwho", "history", "--store", path, "--by", "iface", "--since", f"@{end - seconds}", "--until", f"@{end}")


def make_machine(path, ticks, seconds):
    subprocess.run([PROGRAM, "machine", path, str(ticks), str(seconds)], check=True)


def lines_beside_sar(directory, ticks, hours, runs):
    """Rows of the table; runs of both in turn."""
    ours, year, theirs = (Path(directory, name) for name in ("day.db", "year.db", "day.sa"))
    make_machine(ours, ticks, 1)
    make_machine(year, hours, 3600)
    took = min(by_interface(year, hours * 3600, hours * 3600) for _ in range(runs))
    lines = [["interfaces of a year, from hours", f"{took * 1000:.0f} ms of CPU", "<= 1000 ms", verdict(took <= 1)]]
    if not Path(SADC).exists():
        return lines
    sysstat_day(theirs, ticks)
    last = time.strftime("%H:%M:%S", time.gmtime(ticks - 600))
    for what, seconds, words, limit in (("a day at 1 s", ticks, [], 0.1), ("its last 10 minutes", 600, ["-s", last], 0.02)):
        pairs = [(by_interface(ours, seconds, ticks), cpu_of_run(SAR, "-n", "DEV", "-f", theirs, *words, TZ="UTC"))
                 for _ in range(runs)]
        one, other = (min(column) for column in zip(*pairs))
        lines.append([f"interfaces of {what}, beside sar -n DEV -f", f"{one * 1000:.0f} ms of CPU, sar {other * 1000:.0f} ms",
                      f"<= {limit}x", verdict(one <= limit * other)])
    return lines


def bench(args):
    """Prints the table; gives whether all goals are met. Short: only whether it runs."""
    if not PROGRAM.exists():
        print("history: skipped, built without SQLite", flush=True)
        return True
    with tempfile.TemporaryDirectory() as directory:
        if args.short:
            lines_of(directory, False, 130, 1)
            recorder_lines(directory, 100, 2, 1, 1)
            lines_beside_sar(directory, 1300, 30, 1)
            print("history: ok", flush=True)
            return True
        lines = [line for packets in (False, True) for line in lines_of(directory, packets, TICKS, args.runs or 5)]
        lines += recorder_lines(directory, 10000, 500, 10, 6)
        lines += lines_beside_sar(directory, 86400, YEAR_HOURS, args.runs or 5)
    return report("history: a day of 15 million rows, 10 peers of each process told apart", lines, args.markdown)
