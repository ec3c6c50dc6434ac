#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets nwho watch a namespace in which everything comes and goes, and looks at what becomes of nwho.

soak.py [MINUTES]. Needs root. Exit status: 0 all is as promised, 1 it is not, 2 it could not be tried.
"""
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]
from live import BUILD, PATIENCE, netns, nwho, wait_for  # noqa: E402  pylint: disable=wrong-import-position

GROWTH_PART, GROWTH_KB = 0.01, 256  # memory may grow by so much after the warm-up, whichever is more
KEPT = 3 * 2  # descriptors of the iterators, a program and its map each, that stay when a reading has needed them
WARM_UP_PART, LAST_PART = 0.4, 0.3  # of the time: first nothing is compared, then as much as at the end
WATCHERS = {  # name: its words; {interval} in seconds
    "ls": "ls -a --watch={interval} --json",
    "ls-all-netns": "ls --all-netns --watch={interval} --json",
    "top": "top --batch -d {interval} --json -n 1000000000",
    "if": "if --watch={interval} --json",
    "events": "events --json",
}


# --- one nwho that goes on ---

@dataclass
class Sample:
    memory: int  # KiB, anonymous
    fds: int
    threads: int
    cpu: float  # seconds so far
    zombies: int


class Watcher:
    """A process of nwho whose output is read, and parsed, as it comes."""

    def __init__(self, ns, name, interval):
        words = WATCHERS[name].format(interval=interval).split()
        self.name, self.netns, self.samples, self.bpf = name, ns.name, [], set()
        self.documents, self.last, self.broken, self.incomplete = 0, None, [], 0
        self.errors = tempfile.TemporaryFile()
        self.child = ns.popen([BUILD / "nwho", *words], stdout=subprocess.PIPE, stderr=self.errors)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        lines = []
        for line in self.child.stdout:
            lines.append(line)
            if line.endswith(b"]}\n"):
                self.take(b"".join(lines))
                lines = []
        if lines:
            self.broken.append(b"".join(lines)[-200:])

    def take(self, text):
        try:
            document = json.loads(text)
        except ValueError:
            self.broken.append(text[-200:])
            return
        self.documents += 1
        self.incomplete += not document["complete"]
        self.last = document

    def sample(self):
        process = Path(f"/proc/{self.child.pid}")
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
        times = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        children = (process / f"task/{self.child.pid}/children").read_text().split()
        self.samples.append(Sample(int(status["RssAnon"].split()[0]), len(os.listdir(process / "fd")),
                                   int(status["Threads"]), sum(map(int, times)) / os.sysconf("SC_CLK_TCK"),
                                   sum(is_zombie(child) for child in children)))
        self.bpf |= bpf_objects(process)

    def stop(self):
        self.child.send_signal(signal.SIGINT)
        self.child.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")


class EventWatcher(Watcher):
    """The one document of `events` is too long to be kept: its rows are taken one by one."""

    def __init__(self, *args):
        self.counts = {"opened": 0, "accepted": 0, "closed": 0}
        self.frame = b""  # all but the rows
        super().__init__(*args)

    def read(self):
        for line in self.child.stdout:
            self.documents = 1
            if line.startswith(b'{"time"'):
                self.take_row(line)
            else:
                self.frame += line
        try:
            self.last = json.loads(self.frame)
        except ValueError:
            self.broken.append(self.frame[-200:])

    def take_row(self, line):
        try:
            row = json.loads(line.rstrip(b",\n"))
        except ValueError:
            self.broken.append(line[-200:])
            return
        if row["process"] == "soak-load":
            self.counts[row["event"]] += 1


def is_zombie(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


# --- what BPF has loaded ---

def bpf_objects(process):
    """Programs, maps and links that a process holds: "prog 7"."""
    found = set()
    for fdinfo in (process / "fdinfo").iterdir():
        with contextlib.suppress(OSError):
            fields = dict(line.split(":\t", 1) for line in fdinfo.read_text().splitlines() if ":\t" in line)
            kind = "link" if "link_id" in fields else "prog" if "prog_id" in fields else "map"
            if f"{kind}_id" in fields:
                found.add(f"{kind} {fields[f'{kind}_id']}")
    return found


def bpf_loaded():
    loaded = set()
    for kind in ("prog", "map", "link"):
        done = subprocess.run(["bpftool", "-j", kind, "list"], capture_output=True, check=False)
        if done.returncode == 0:
            loaded |= {f"{kind} {item['id']}" for item in json.loads(done.stdout)}
    return loaded


# --- the verdict ---

def part(samples, begin, end):
    chosen = samples[int(len(samples) * begin):int(len(samples) * end)]
    return chosen or samples[-1:]


def judge_growth(watcher, growth_kb):
    """The row of the table, and what is wrong. A reading that is on has files open, hence the least is compared with the most."""
    early = part(watcher.samples, WARM_UP_PART, WARM_UP_PART + LAST_PART)
    late = part(watcher.samples, 1 - LAST_PART, 1)
    before, after = (statistics.median(sample.memory for sample in samples) for samples in (early, late))
    fds, threads = ((max(getattr(sample, what) for sample in early), min(getattr(sample, what) for sample in late))
                    for what in ("fds", "threads"))
    wrong = []
    if after - before > max(before * GROWTH_PART, growth_kb):
        wrong.append(f"memory grew from {before:.0f} to {after:.0f} KiB")
    if fds[1] > fds[0] + KEPT:
        wrong.append(f"descriptors grew from {fds[0]} to {fds[1]}")
    if threads[1] > threads[0]:
        wrong.append(f"threads grew from {threads[0]} to {threads[1]}")
    if any(sample.zombies for sample in late):
        wrong.append("has zombies")
    return f"{before:9.0f} {after:9.0f} {after - before:+7.0f} {fds[0]:5} {fds[1]:5} {threads[1]:7}", wrong


def judge_output(watcher):
    wrong = [f"broken output: {text!r}" for text in watcher.broken[:3]]
    if watcher.child.returncode not in (0, 1):
        wrong.append(f"exit status {watcher.child.returncode}")
    if not watcher.documents:
        wrong.append("said nothing")
    if watcher.incomplete:
        wrong.append(f"{watcher.incomplete} of {watcher.documents} documents are incomplete: {watcher.last['warnings']}")
    return wrong


def judge_events(watcher, facts):
    count = facts["connections"]
    wanted = {"opened": count, "accepted": count, "closed": 2 * count}
    wrong = []
    if "bpf" in watcher.last["sources"]["events"] and watcher.counts != wanted:
        wrong.append(f"events are lost: {watcher.counts} instead of {wanted}")
    if watcher.last["lost"] or not watcher.last["complete"]:
        wrong.append(f"said to have lost {watcher.last['lost']}: {watcher.last['warnings']}")
    return wrong


def bytes_of(document, process, netns):
    """Another run may be on, in another namespace."""
    return [sum(row[column] for row in document["rows"] if (row["process"], row["netns"]) == (process, netns))
            for column in ("rx_bytes", "tx_bytes")]


def judge_traffic(watcher, facts):
    if watcher.last.get("accounting") != "bpf":
        return []
    moved = bytes_of(watcher.last, "soak-load", watcher.netns)
    return [] if moved == [facts["bytes"]] * 2 else [f"bytes {moved} instead of {facts['bytes']}"]


def report(watchers, verdicts, seconds):
    """As remarks of TAP, for which the short form is run."""
    print(f"# {'':14} {'KiB warm':>9} {'KiB end':>9} {'growth':>7} {'fds':>5} {'end':>4}  {'threads':>7} {'cpu %':>6} {'documents':>9}")
    for watcher in watchers:
        print(f"# {watcher.name:14} {verdicts[watcher.name]} {watcher.samples[-1].cpu / seconds * 100:6.1f} {watcher.documents:9}")


# --- the run ---

def record_and_replay(ns, directory):
    """One reading that is kept, and read again. What is wrong with it."""
    recording = Path(directory) / "recording"
    nwho(ns, "ls", "-a", "-q", "--record", recording, expect=(0, 1))
    document = json.loads(nwho(ns, "ls", "-a", "--replay", recording, "--json", expect=(0, 1)).out)
    return [] if document["complete"] else [f"recording is incomplete: {document['warnings']}"]


def watch(ns, watchers, seconds, interval):
    """Samples until the time is over. What is wrong with recordings."""
    wrong, end = [], time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as directory:
        while time.monotonic() < end and not wrong:
            for watcher in watchers:
                assert watcher.child.poll() is None, f"{watcher.name} ended: {watcher.stop()}"
                watcher.sample()
            wrong = record_and_replay(ns, directory)
            time.sleep(interval)
    return wrong


def wait_for_the_end(watchers, facts):
    """Until what the load did last has been told; if it never is, that is judged. A row has its newline when the next one comes."""
    by_name = {watcher.name: watcher for watcher in watchers}
    with contextlib.suppress(AssertionError):
        wait_for(lambda: not by_name["events"].bpf or
                 sum(by_name["events"].counts.values()) >= 4 * facts["connections"] - 1)
        wait_for(lambda: not judge_traffic(by_name["top"], facts))


def soak(seconds, interval, growth_kb=GROWTH_KB):
    """Everything that is wrong, after a table on standard output."""
    with netns() as ns, contextlib.ExitStack() as stack:
        watchers = [(EventWatcher if name == "events" else Watcher)(ns, name, interval) for name in WATCHERS]
        for watcher in watchers:
            wait_for(lambda: watcher.documents, what=f"output of {watcher.name}")
        load = stack.enter_context(ns.popen([sys.executable, HERE / "load.py"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE))
        began = time.monotonic()
        wrong = watch(ns, watchers, seconds, interval)
        load.stdin.close()
        facts = json.loads(load.stdout.readline())
        wait_for_the_end(watchers, facts)
        lasted = time.monotonic() - began
        rows = {}
        for watcher in watchers:
            said = watcher.stop()
            rows[watcher.name], found = judge_growth(watcher, growth_kb)
            found += judge_output(watcher)
            if watcher.name == "events":
                found += judge_events(watcher, facts)
            if watcher.name == "top":
                found += judge_traffic(watcher, facts)
            wrong += [f"{watcher.name}: {what}" for what in found] + ([f"{watcher.name} said: {said}"] if found and said else [])
        held = set().union(*(watcher.bpf for watcher in watchers))
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not held & bpf_loaded())  # the kernel frees them a little later
        wrong += [f"left in the kernel: bpf {what}" for what in sorted(held & bpf_loaded())]
        print(f"# {lasted:.0f} s of {facts}, {len(held)} BPF objects")
        report(watchers, rows, lasted)
    return wrong


def main():
    if os.geteuid() != 0:
        print("soak: needs root", file=sys.stderr)
        return 2
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    wrong = soak(minutes * 60, 1)
    for what in wrong:
        print(f"WRONG: {what}")
    print("soak: all is as promised" if not wrong else "soak: it is not as promised")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
