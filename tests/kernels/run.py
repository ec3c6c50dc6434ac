# SPDX-License-Identifier: MIT
"""./dev test-kernels: the tests under other kernels, each in a virtual machine without a network; TAP.

    ./dev test-kernels [KERNEL...] [--only JOB,JOB] [--list]

KERNEL is a version of packaging/packages (all of them, without one), or a directory with vmlinuz and lib/modules. The
machine is emulated in software, which needs nothing from this machine and makes it some twenty times slower.
NWHO_FULL=1: the long form, a thousand dumps beside churn.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import image
import kernels

SOURCE = Path(os.environ.get("NWHO_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("NWHO_BUILD", SOURCE / "build"))
FULL = bool(os.environ.get("NWHO_FULL"))
PATIENCE = "600"  # see tests/lib/live.py: a second of this machine is many there
# See tests/live/test_churn.py.
CHURN_SIZES = {"NWHO_LONG": os.environ.get("NWHO_LONG", "5000" if FULL else "300"),
               "NWHO_DUMPS": os.environ.get("NWHO_DUMPS", "5" if FULL else "3"),
               "NWHO_WATCHED": os.environ.get("NWHO_WATCHED", "245" if FULL else "3")}
SILENCE = 1800  # seconds without a line after which a guest is given up
MEMORY = "2048"  # MiB
EMULATOR = "qemu-system-x86_64"


def python(path, *names):
    return ["python3", f"tests/{path}", *names]


# Other formats tell nothing more of a kernel.
TRUTH = [*(f"every_situation_by_{source}_in_json" for source in ("bpf", "sock_diag", "proc")),
         "the_queue_of_a_quiet_packet_socket_is_exact", "a_link_local_address_has_its_interface"]
# Where a dump is most likely to be wrong.
CHURN = ["by_bpf_from_a_small_table", "by_sock_diag_from_a_small_table"]

# Name: stage (guest.py), command. Those of stage `bare` come first: what a kernel has loaded stays.
JOBS = {
    "bare": ("bare", python("kernels/test_bare.py")),
    "programs": ("usual", python("kernels/test_programs.py")),
    "bpf": ("usual", ["build/tests/unit/test_bpf_live"]),
    "truth": ("usual", python("live/test_truth.py", *TRUTH)),
    **{name: ("usual", python(f"live/test_{name}.py"))
       for name in ("owners", "netns", "traffic", "events", "ended", "peers", "top", "threads", "why_busy", "sick",
                    "served", "network", "doctor_command", "layers")},
    **{name: ("usual", python(f"faults/test_{name}.py")) for name in ("sources", "privilege")},
    "churn": ("usual", python("live/test_churn.py", *([] if FULL else CHURN))),
}


def jobs_text(names):
    environment = {"NWHO_SOURCE": "/nwho", "NWHO_BUILD": "/nwho/build", "PYTHONPATH": "/nwho/tests/lib",
                   "NWHO_PATIENCE": PATIENCE, "CMOCKA_MESSAGE_OUTPUT": "TAP", **CHURN_SIZES}
    return json.dumps([{"name": name, "stage": JOBS[name][0], "command": JOBS[name][1], "environment": environment}
                       for name in names])


class Tap:
    """Counts results, and prints them as one stream."""

    def __init__(self):
        self.count = self.failed = 0

    def result(self, good, title):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {title}", flush=True)


class Guest:
    """One virtual machine, and what it said."""

    def __init__(self, kernel, archive, log):
        self.child = subprocess.Popen(
            ["nice", EMULATOR, "-accel", "tcg,thread=multi", "-smp", str(min(2, os.cpu_count())), "-m", MEMORY,
             "-nodefaults", "-display", "none", "-nic", "none", "-no-reboot", "-kernel", str(kernel.image),
             "-initrd", str(archive), "-append", "console=ttyS0 panic=-1 mitigations=off quiet",
             "-serial", f"file:{log}", "-serial", "stdio"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)

    def lines(self):
        """Each line of the second serial port; ends with the machine, or when it is silent for too long."""
        def give_up(*_):
            self.child.kill()
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(SILENCE)
        for line in self.child.stdout:
            signal.alarm(SILENCE)
            yield line.decode(errors="backslashreplace").rstrip("\r\n")
        signal.alarm(0)

    def end(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


class Reader:
    """Makes results of the lines of a guest."""

    def __init__(self, tap, name):
        self.tap, self.name = tap, name
        self.job, self.results, self.planned, self.ended = None, 0, None, False

    def line(self, line):
        mark = re.match(r"@(kernel|job|done|end) ?(.*)", line)
        if mark:
            getattr(self, "on_" + mark[1])(*mark[2].split())
            return
        told = re.match(r"(not )?ok \d+ (?:- )?(.*)", line)
        skipped = told and "# SKIP" in line  # cmocka says "not ok" of these
        plan = re.match(r"1\.\.(\d+)( # SKIP.*)?$", line)
        if told and self.job:
            self.results += 1
            self.tap.result(not told[1] or skipped, f"{self.name} {self.job}: {told[2]}")
        elif plan and self.job:
            self.planned = int(plan[1])
        elif line:
            print(line if line.startswith("#") else "# " + line, flush=True)

    def on_kernel(self, release):
        print(f"# {self.name}: Linux {release} runs", flush=True)

    def on_job(self, name):
        self.job, self.results, self.planned = name, 0, None

    def on_done(self, name, status, seconds):
        """A program whose plan, results and status do not agree has failed, whatever it said."""
        good = status == "0" and self.planned == self.results and self.results > 0
        self.tap.result(good, f"{self.name} {name}: {self.results} of {self.planned} results, status {status}, "
                              f"{seconds} s")
        self.job = None

    def on_end(self):
        self.ended = True


def test_kernel(tap, kernel, names):
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nwho-kernel-") as scratch:
        scratch = Path(scratch)
        archive = image.make(scratch, kernel, SOURCE, BUILD, jobs_text(names))
        log, reader = scratch / "console", Reader(tap, kernel.name)
        guest = Guest(kernel, archive, log)
        try:
            for line in guest.lines():
                reader.line(line)
        finally:
            guest.end()
        console = log.read_text(errors="backslashreplace") if log.exists() else ""
        trouble = re.findall(r".*(?:BUG:|Kernel panic|Oops|WARNING:|segfault).*", console)
        if not reader.ended or trouble:
            print("\n".join("# console: " + line for line in console.splitlines()[-60:]))
        tap.result(reader.ended, f"{kernel.name}: ran to its end in {time.monotonic() - begin:.0f} s"
                                 + ("" if reader.ended or not reader.job else f", stopped in {reader.job}"))
        tap.result(not trouble, f"{kernel.name}: no complaint of the kernel or crash of a program")


def parse():
    parser = argparse.ArgumentParser(prog="./dev test-kernels", description="Run tests under other kernels.")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help="a version, or a directory of vmlinuz and lib/")
    parser.add_argument("--only", metavar="JOB,...", help="these jobs alone")
    parser.add_argument("--list", action="store_true", help="name kernels and jobs, and end")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(JOBS)
    unknown = [name for name in names if name not in JOBS]
    if unknown:
        parser.error(f"unknown job '{unknown[0]}': {', '.join(JOBS)}")
    return options, [name for name in JOBS if name in names]


def main():
    options, names = parse()
    if options.list:
        print("kernels:", *kernels.packages(SOURCE))
        print("jobs:", *JOBS)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tap = Tap()
    print("TAP version 13")
    try:
        for name in options.kernels or kernels.packages(SOURCE):
            test_kernel(tap, kernels.find(name, SOURCE), names)
    except (kernels.CannotRun, FileNotFoundError) as error:
        print(f"test-kernels: {error}", file=sys.stderr)
        return 2
    print(f"1..{tap.count}")
    print(f"# {tap.count - tap.failed} passed, {tap.failed} failed")
    return 1 if tap.failed else 0


sys.exit(main())
