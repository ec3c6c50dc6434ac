# SPDX-License-Identifier: MIT
"""--watch marks what is new, changed and gone, in every format; driven by what it has shown, never by time."""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from contextlib import contextmanager, suppress

from live import BUILD, PATIENCE, mksock, netns, nwho, run_tests, test, wait_for


class Watch:
    """A running --watch whose refreshes are read one by one."""

    def __init__(self, child, end):
        self.child, self.end, self.rest = child, end, b""

    def refresh(self):
        """The lines of the next refresh; None when there is none any more."""
        lines, deadline = [], time.monotonic() + PATIENCE
        while True:
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                lines.append(line.decode())
                if self.end(lines):
                    return lines
            assert select.select([self.child.stdout], [], [], deadline - time.monotonic())[0], lines
            chunk = self.child.stdout.read1(65536)
            if not chunk:
                assert not lines and not self.rest, (lines, self.rest)
                return None
            self.rest += chunk

    def until(self, condition):
        """Reads refreshes until CONDITION(parsed refresh); gives all that were read."""
        seen, deadline = [], time.monotonic() + PATIENCE
        while not seen or not condition(seen[-1]):
            assert time.monotonic() < deadline, seen[-3:]
            seen.append(self.parse())
        return seen

    def parse(self):
        return json.loads("\n".join(self.refresh()))["rows"]


@contextmanager
def watch(ns, *args, end=lambda lines: lines[-1] == "]}", interval="0.05"):
    with ns.popen([BUILD / "nwho", *args, f"--watch={interval}"], stdout=subprocess.PIPE,
                  stderr=subprocess.PIPE) as child:
        try:
            yield Watch(child, end)
        finally:
            child.send_signal(signal.SIGINT)
            child.stdout.read()
            child.wait(PATIENCE)


@contextmanager
def connection(ns, port):
    """Connects to a listener that does not accept: its queue grows by one."""
    script = ("import socket, sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
              "print(flush=True)\nsys.stdin.read()\n")
    with ns.popen([sys.executable, "-c", script, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"\n"
        yield
        child.stdin.close()
        child.wait(PATIENCE)


def changes(rows, key="cookie"):
    return {row[key]: row["change"] for row in rows}


@test
def json_tells_new_changed_and_gone():
    with netns() as ns, mksock(ns, "listening") as facts:
        stays = facts[0]["cookie"]
        with watch(ns, "ls", "--json=cookie,state,recv_q,pid,owners") as view:
            assert changes(view.parse()) == {stays: None}
            with mksock(ns, "established", "--", "udp") as more:
                added = {fact["cookie"] for fact in more}
                seen = view.until(lambda rows: added <= set(changes(rows)))
                first = [next(i for i, rows in enumerate(seen) if cookie in changes(rows)) for cookie in added]
                for cookie, at in zip(added, first):
                    assert changes(seen[at])[cookie] == "new", seen[at]
                view.until(lambda rows: changes(rows) == dict.fromkeys(added | {stays}))
                with connection(ns, facts[0]["local_port"]):
                    rows = view.until(lambda rows: changes(rows)[stays] == "changed")[-1]
                    listener, = [row for row in rows if row["cookie"] == stays]
                    assert listener["recv_q"] == 1, listener
                    assert changes(view.parse())[stays] is None
            # Gone rows are told once, with what was known of them.
            gone, refreshes = {}, []
            while set(gone) < added:
                rows = view.parse()
                refreshes.append(rows)
                for row in rows:
                    if row["change"] == "gone" and row["cookie"] in added:
                        assert row["cookie"] not in gone, "gone twice"
                        gone[row["cookie"]] = row
            assert {row["pid"] for row in gone.values()} <= {more[0]["pid"], None}, gone
            assert not added & set(changes(view.parse()))


@test
def text_and_csv_mark_the_same():
    with netns() as ns, mksock(ns, "listening"):
        with watch(ns, "ls", "-H", "-o", "cookie,state", end=lambda lines: len(lines) > 1 and lines[-1] == "") as text, \
                watch(ns, "ls", "--csv", "-H", "-o", "cookie,state,owner_note", "udp or ! udp", interval="0.07",
                      end=lambda lines: True) as table:
            title, line, _ = text.refresh()
            assert time.strptime(title, "%Y-%m-%d %H:%M:%S")
            assert line.startswith("  "), line
            assert table.refresh()[0].startswith(","), "an empty field"
            with mksock(ns, "udp") as more:
                cookie = str(more[0]["cookie"])
                find = marks_of(text, cookie)
                assert find("+")[0] == "+ " + cookie, find
                assert marks_of(table, cookie, csv=True)("new")
                assert find(" ")
            assert find("-")[0].startswith("- " + cookie)
            assert marks_of(table, cookie, csv=True)("gone")


def marks_of(view, cookie, csv=False):
    """Gives a function that reads until the line of COOKIE has the mark."""
    def find(mark):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in view.refresh():
                if csv and line.startswith(f"{mark},{cookie},"):
                    return line.split(",")
                if not csv and line[:1] == mark and line[2:].split(None, 1)[:1] == [cookie]:
                    return [line[:2] + cookie]
        raise AssertionError(f"no mark {mark!r} at {cookie}")
    return find


@test
def the_number_of_refreshes_can_be_limited():
    with netns() as ns, mksock(ns, "listening"):
        out = nwho(ns, "ls", "--json=cookie", "--watch=0.05", "--times", "3").out
        assert out.count('"schema"') == 3 and out.count('{"change":null,"cookie":') == 3, out
        out = nwho(ns, "ls", "--jsonl", "-o", "cookie", "--watch=0.05", "--times", "2").out
        assert [set(json.loads(line)) for line in out.splitlines()] == [{"change", "cookie"}] * 2, out
        table = nwho(ns, "ls", "--csv", "-o", "cookie", "--watch=0.05", "--times", "2").out
        assert table.splitlines()[0::2] == ["change,cookie"] * 2, table
        assert nwho(ns, "ls", "-q", "--watch=0.05", "--times", "2").out == ""
        nwho(ns, "ls", "udp", "--watch=0.05", "--times", "2", expect=1)


@test
def groups_processes_and_listeners_are_watched_too():
    with netns() as ns, mksock(ns, "listening") as facts:
        with watch(ns, "count", "state", "--json") as groups, watch(ns, "ps", "--json") as processes, \
                watch(ns, "ports", "--json") as ports:
            assert changes(groups.parse(), "state") == {"listening": None}
            assert changes(processes.parse(), "pid") == {facts[0]["pid"]: None}
            assert len(ports.parse()) == 1
            with mksock(ns, "listening", "--", "udp") as more:
                pid = more[0]["pid"]
                groups.until(lambda rows: changes(rows, "state").get("unconnected") == "new")
                processes.until(lambda rows: changes(rows, "pid").get(pid) == "new")
                ports.until(lambda rows: changes(rows, "local_port").get(more[0]["local_port"]) == "new")
                groups.until(lambda rows: all(change is None for change in changes(rows, "state").values()))
            groups.until(lambda rows: changes(rows, "state").get("unconnected") == "gone")
            processes.until(lambda rows: changes(rows, "pid").get(pid) == "gone")
            ports.until(lambda rows: changes(rows, "local_port").get(more[0]["local_port"]) == "gone")


@test
def an_interrupt_ends_it_in_order():
    for number, fill in ((signal.SIGINT, "listening"), (signal.SIGTERM, None)):
        with netns() as ns:
            if fill:
                with mksock(ns, fill):
                    assert interrupted(ns, number) == 0
            else:
                assert interrupted(ns, number) == 1


def interrupted(ns, number):
    """Exit status after a signal in the middle of a long wait."""
    with ns.popen([BUILD / "nwho", "ls", "--json", "--watch=3600"], stdout=subprocess.PIPE) as child:
        while child.stdout.readline() not in (b"]}\n", b'"rows":[]}\n'):
            pass
        wait_for(lambda: sleeping(child.pid), what="it waits")
        child.send_signal(number)
        assert child.stdout.read() == b""
        return child.wait(PATIENCE)


def blocked_in_write(pid):
    with open(f"/proc/{pid}/wchan", encoding="ascii") as wchan:
        return "pipe" in wchan.read()


@contextmanager
def full_pipe(ns):
    """It watches, has more to write than a pipe holds, and nobody reads."""
    words = [BUILD / "nwho", "ls", "--json=all", "--watch=3600"]
    with many_listeners(ns), ns.popen(words, stdout=subprocess.PIPE) as child:
        wait_for(lambda: blocked_in_write(child.pid), what="the pipe is full")
        yield child


@contextmanager
def many_listeners(ns):
    with ns.popen([BUILD / "tests/helpers/manysocks", "listeners=300"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                  text=True) as helper:
        assert "ready\n" in iter(helper.stdout.readline, "")
        yield
        helper.stdin.close()


@test
def an_interrupt_does_not_cut_what_is_read():
    with netns() as ns, full_pipe(ns) as child:
        child.send_signal(signal.SIGINT)
        assert len(json.loads(child.stdout.read())["rows"]) == 300
        assert child.wait(PATIENCE) == 0


def sleeping(pid):
    with open(f"/proc/{pid}/wchan", encoding="ascii") as wchan, \
            open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return "nanosleep" in wchan.read() or stat.read().rpartition(")")[2].split()[0] == "S"


# Leads a session on the terminal that is its standard input, runs the words as a job with a process group of its own (in the
# background when the first word says so), and tells on standard error what becomes of it, and whether the terminal waits for
# whole lines then.
LEADER = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    if sys.argv[1] == "fg":
        os.tcsetpgrp(0, os.getpid())
    for number in signal.SIGTTOU, signal.SIGINT, signal.SIGQUIT: # the last two are ignored by what runs in the background
        signal.signal(number, signal.SIG_DFL)
    os.execv(sys.argv[2], sys.argv[2:])
print("pid", child, file=sys.stderr, flush=True)
while True:
    status = os.waitpid(child, os.WUNTRACED)[1]
    lines = bool(termios.tcgetattr(0)[3] & termios.ICANON and termios.tcgetattr(0)[3] & termios.ECHO)
    print("stopped" if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status), lines, file=sys.stderr, flush=True)
    if not os.WIFSTOPPED(status):
        break
    os.kill(child, signal.SIGCONT)
"""


@contextmanager
def job(ns, where, *args):
    """nwho with ARGS on a terminal: its process id, the terminal, and what LEADER tells, line by line."""
    master, slave = pty.openpty()
    with ns.popen([sys.executable, "-c", LEADER, where, BUILD / "nwho", *args], stdin=slave, stdout=slave,
                  stderr=subprocess.PIPE, start_new_session=True) as leader, open(master, "r+b", buffering=0) as terminal:
        drain = threading.Thread(target=read_away, args=(terminal,))
        drain.start()
        try:
            word, pid = leader.stderr.readline().decode().split()
            assert word == "pid"
            yield int(pid), terminal, slave, leader.stderr
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
            raise
        finally:
            leader.stderr.read() # it ends with its job
            leader.wait(PATIENCE)
            os.close(slave)
            drain.join()


def read_away(terminal):
    with suppress(OSError):  # EIO: nobody has the other end open any more
        while terminal.read(4096):
            pass


def gives_keys(slave):
    return not termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO)


@test
def q_ends_it_on_a_terminal():
    for key in b"q", b"Q", b"x\x1b[Aq":
        with netns() as ns, mksock(ns, "listening"), job(ns, "fg", "ls", "--watch=3600") as (_, terminal, slave, told):
            wait_for(lambda: gives_keys(slave), what="keys are read")
            terminal.write(key)
            assert told.readline() == b"0 True\n"


@test
def the_terminal_is_put_back_whatever_ends_it():
    for number, status in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, -signal.SIGHUP), (signal.SIGQUIT, -signal.SIGQUIT)):
        with netns() as ns, mksock(ns, "listening"), job(ns, "fg", "ls", "--watch=3600") as (pid, _, slave, told):
            wait_for(lambda: gives_keys(slave), what="keys are read")
            os.kill(pid, number)
            assert told.readline() == f"{int(status)} True\n".encode(), number
    with netns() as ns, mksock(ns, "listening"), job(ns, "fg", "ls", "--watch=0.05", "--times", "3") as (_, _, _, told):
        assert told.readline() == b"0 True\n"


@test
def a_stopped_one_gives_the_terminal_back_and_takes_it_again():
    with netns() as ns, mksock(ns, "listening"), job(ns, "fg", "ls", "--watch=3600") as (_, terminal, slave, told):
        for _ in range(2):
            wait_for(lambda: gives_keys(slave), what="keys are read")
            terminal.write(b"\x1a")
            assert told.readline() == b"stopped True\n"
        wait_for(lambda: gives_keys(slave), what="keys are read again")
        terminal.write(b"q")
        assert told.readline() == b"0 True\n"


@test
def in_the_background_the_terminal_is_left_alone():
    with netns() as ns, mksock(ns, "listening"), job(ns, "bg", "ls", "--watch=0.05", "--times", "3") as (_, _, _, told):
        assert told.readline() == b"0 True\n"


@test
def a_reader_that_goes_away_ends_it():
    with netns() as ns, mksock(ns, "listening"):
        with ns.popen([BUILD / "nwho", "ls", "--watch=0.05"], stdout=subprocess.PIPE) as child:
            child.stdout.readline()
            child.stdout.close()
            child.wait(PATIENCE)


run_tests()
