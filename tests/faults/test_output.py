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
            ["help"], ["help", "commands"], ["help", "ls"], ["help", "privileges"], ["help", "filters"], ["help", "states"], ["ls", "--help"], ["--version"], ["ls", "--watch=9", "--times=2"]]
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
def a_full_disk_is_an_error_of_the_old_tools_too():
    with quiet_machine() as ns:
        for tool, *args in (["netstat", "-tan"], ["netstat", "-s"], ["netstat", "-V"], ["netstat", "-h"], ["lsof", "-nPi"],
                            ["ss", "-tan"], ["ss", "-s"], ["ss", "-V"], ["ss", "-h"], ["ss", "-f", "help"]):
            result = run(ns, with_descriptors(">/dev/full", [PROGRAM, tool, *args]))
            assert result.rc == 1 and result.err.startswith(tool + ": ") and "No space" in result.err, (tool, args, result)


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
                                      env=ENVIRONMENT, timeout=live.PATIENCE, restore_signals=not ignored)
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


def on_terminal(ns, *args):
    """What a command writes on a terminal of 80 columns."""
    with terminal() as (master, slave):
        child = subprocess.Popen([*ns.prefix(), PROGRAM, *args, "--no-pager"], stdin=slave, stdout=slave,
                                 stderr=subprocess.DEVNULL, env={**ENVIRONMENT, "TERM": "xterm", "NO_COLOR": "1"})
        seen = b""
        while child.poll() is None or select.select([master], [], [], 0)[0]:
            if select.select([master], [], [], 0.05)[0]:
                seen += os.read(master, 65536)
        return seen.decode().replace("\r\n", "\n").splitlines()


@test
def on_a_narrow_terminal_owners_and_addresses_are_whole():
    """The further pids of an owner give way, then blanks; then lines are longer."""
    with netns() as ns, live.mksock(ns, "shared-fork", "children=9", "--", "established") as facts:
        holders = sorted(holder["pid"] for holder in facts[0]["holders"])
        for state in ("listening", "established"):
            lines = on_terminal(ns, "ls", f"state {state}")
            whole = run(ns, [PROGRAM, "ls", f"state {state}"]).out.splitlines()
            assert len(lines) == len(whole) == (2 if state == "listening" else 3), lines
            for line, full in zip(lines, whole):
                assert len(line) <= 80, lines
                assert line.split()[:6] == full.split()[:6], (line, full)
            assert all(re.search(rf" mksock\({holders[0]}[,)]", line) for line in lines[1:]), lines
        assert len(whole[1]) > 80 and re.match("PROTO STATE +RECV-Q SEND-Q ", lines[0]), lines


CLEAR = "\033[H\033[2J"


@contextlib.contextmanager
def watch_on_terminal(ns, *args):
    """Gives a function that gives the lines of the next whole screen."""
    with terminal() as (master, slave):
        watch = subprocess.Popen([*ns.prefix(), PROGRAM, *args, "--watch=0.05"], stdin=slave, stdout=slave,
                                 stderr=subprocess.DEVNULL, env={**ENVIRONMENT, "TERM": "xterm", "NO_COLOR": "1"})
        seen = ""

        def screen():
            nonlocal seen
            while seen.count(CLEAR) < 2:
                assert select.select([master], [], [], live.PATIENCE)[0], seen
                seen += os.read(master, 65536).decode()
            _, shown, rest = seen.split(CLEAR, 2)
            seen = CLEAR + rest
            return shown.replace("\r\n", "\n").splitlines()

        try:
            yield screen
        finally:
            watch.send_signal(signal.SIGINT)
            live.wait_for(lambda: drain(master) or watch.poll() is not None)


@test
def a_watch_stays_on_the_screen_and_shows_what_changes():
    with quiet_machine() as ns, watch_on_terminal(ns, "ls", "tcp", "-o", "proto,local,owner") as screen:
        lines = screen()
        assert len(lines) == 23 and lines[1].split()[0] == "PROTO", lines
        assert lines[-1] == "... 390 more" and len(lines) - 3 + 390 == 410, lines[-1]
        with live.mksock(ns, "established") as facts:
            end = f"127.0.0.1:{facts[0]['local_port']} "
            live.wait_for(lambda: any(line.startswith("+ tcp") and end in line for line in screen()))
        live.wait_for(lambda: any(line.startswith("- tcp") and end in line for line in screen()))


@test
def lines_that_are_too_long_take_the_room_of_several():
    with quiet_machine() as ns, watch_on_terminal(ns, "ls", "tcp", "-o", "+rtt_us,cwnd,mss,cc,inode,cookie") as screen:
        lines = screen()
        assert sum((len(line) + 79) // 80 for line in lines) <= 23 and len(lines) > 5, lines
        assert re.fullmatch(r"\.\.\. \d+ more", lines[-1]), lines


@test
def a_watch_whose_reader_sleeps_is_ended_by_a_signal():
    with quiet_machine() as ns:
        for number in (signal.SIGINT, signal.SIGTERM):
            watch = subprocess.Popen([*ns.prefix(), PROGRAM, "ls", "--json=all", "--watch=0.01"], stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, env=ENVIRONMENT)
            path = Path(f"/proc/{watch.pid}/wchan")
            live.wait_for(lambda: "pipe_write" in path.read_text(), what="the pipe is full")
            watch.send_signal(number)
            live.wait_for(lambda: watch.poll() is not None)
            watch.stdout.close()
            assert watch.returncode == 3, watch.returncode  # the document is cut


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
