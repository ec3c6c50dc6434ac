# SPDX-License-Identifier: MIT
"""Where the output goes cannot take it, goes away, or was never there; and an interrupted --watch."""
import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import termios
from pathlib import Path

import live
from faults import ENVIRONMENT, quiet_machine, run
from live import BUILD, netns, run_tests, test

PROGRAM = BUILD / "nwho"
COMMANDS = [["ls", "-a"], ["ls", "-a", "--json"], ["ls", "--jsonl"], ["ls", "--csv"], ["ls", "-o", "all"],
            ["count", "state"], ["ps"], ["ports"], [], ["manysocks"], ["127.64.0.0"], ["columns"], ["columns", "--json"],
            ["help"], ["help", "ls"], ["help", "filters"], ["ls", "--help"], ["--version"], ["ls", "--watch=9", "--times=2"]]
NOTES = ("may not be read even by this root",)  # where even root may not read process 1


def check_refused(result, args):
    lines = [line for line in result.err.splitlines() if not any(note in line for note in NOTES)]
    assert result.rc == 2, f"nwho {args}: exit status {result.rc}: {result.err}"
    assert len(lines) == 1 and lines[0].startswith("nwho: ") and "output" in lines[0], f"nwho {args}: {result.err}"


def with_descriptors(redirections, command):
    return ["sh", "-c", f'exec "$@" {redirections}', "sh", *command]


@test
def a_full_disk_is_an_error():
    with quiet_machine() as ns:
        for args in COMMANDS:
            check_refused(run(ns, with_descriptors(">/dev/full", [PROGRAM, *args])), args)


@test
def a_closed_output_is_an_error():
    with quiet_machine() as ns:
        for args in COMMANDS:
            check_refused(run(ns, with_descriptors(">&-", [PROGRAM, *args])), args)
        assert run(ns, with_descriptors(">&-", [PROGRAM, "ls", "-q"])).rc == 0  # which has nothing to say


@test
def closed_descriptors_are_not_taken_by_files():
    with quiet_machine() as ns, tempfile.TemporaryDirectory() as directory:
        for redirections in ("<&-", "2>&-", "<&- 2>&-"):
            result = run(ns, with_descriptors(redirections, [PROGRAM, "ls", "tcp", "-H"]))
            assert result.rc == 0 and len(result.out.splitlines()) == 410, redirections
        path = Path(directory) / "recording"
        run(ns, with_descriptors("<&- >&- 2>&-", [PROGRAM, "ls", "--strict", "--explain", "--record", path]))
        result = run(None, [PROGRAM, "ls", "tcp", "-H", "--replay", path])
        assert len(result.out.splitlines()) == 410, result.err


@test
def a_reader_that_goes_away_is_no_error():
    with quiet_machine() as ns:
        for args in COMMANDS:
            for ignored in (False, True):
                reading, writing = os.pipe()
                os.close(reading)
                done = subprocess.run([*ns.prefix(), PROGRAM, *args], stdout=writing, stderr=subprocess.PIPE, check=False,
                                      env=ENVIRONMENT, timeout=60, restore_signals=not ignored)
                os.close(writing)
                lines = [line for line in done.stderr.decode().splitlines() if not any(note in line for note in NOTES)]
                assert not lines, f"nwho {args}: {lines}"
                assert done.returncode in ((0, 1) if ignored else (0, 1, -signal.SIGPIPE)), f"nwho {args}: {done.returncode}"


@contextlib.contextmanager
def terminal():
    """A terminal and what is read from it."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    try:
        yield master, slave
    finally:
        os.close(master)
        os.close(slave)


def read_until(master, pattern):
    seen = b""
    while not re.search(pattern, seen):
        seen += os.read(master, 65536)
    return seen


def drain(master):
    """Takes what waits, so that the writer does not."""
    while select.select([master], [], [], 0)[0]:
        os.read(master, 65536)


@test
def an_interrupted_watch_ends_at_once_and_leaves_the_terminal_as_it_was():
    with netns() as ns, live.mksock(ns, "listening"), terminal() as (master, slave):
        for number in (signal.SIGINT, signal.SIGTERM):
            for interval in ("0.01", "3600"):
                before = termios.tcgetattr(slave)
                watch = subprocess.Popen([*ns.prefix(), PROGRAM, "ls", f"--watch={interval}"], stdin=slave, stdout=slave,
                                         stderr=subprocess.PIPE, env={**ENVIRONMENT, "TERM": "xterm"})
                seen = read_until(master, rb"listening")
                watch.send_signal(number)
                live.wait_for(lambda: drain(master) or watch.poll() is not None)
                watch.stderr.close()
                assert watch.returncode == 0, watch.returncode
                assert termios.tcgetattr(slave) == before
                assert seen.count(b"\033[?1049h") == seen.count(b"\033[?1049l")
                assert b"\033[?25l" not in seen


@test
def a_watch_ends_with_its_reader():
    with netns() as ns, live.mksock(ns, "listening"):
        for ignored in (False, True):
            watch = subprocess.Popen([*ns.prefix(), PROGRAM, "ls", "--watch=0.05"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, env=ENVIRONMENT, restore_signals=not ignored)
            assert watch.stdout.readline()
            watch.stdout.close()
            live.wait_for(lambda: watch.poll() is not None)
            assert watch.returncode in (0, -signal.SIGPIPE), watch.returncode
            lines = [line for line in watch.stderr.read().decode().splitlines() if not any(note in line for note in NOTES)]
            watch.stderr.close()
            assert not lines, lines


run_tests()
