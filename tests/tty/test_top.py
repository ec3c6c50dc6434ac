# SPDX-License-Identifier: MIT
"""The real `nwho top` in a terminal: rows of a process that talks, and what keys do with them."""
import contextlib
import re
import subprocess
import sys

from live import BUILD, netns, run_tests, skip, test
from terminal import terminal

NWHO = BUILD / "nwho"
TALKER = """
import socket, sys, threading, time
def receive(connection):
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(8)
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
threading.Thread(target=receive, args=(server,), daemon=True).start()
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
while True:
    datagrams.sendto(b"x" * 100, ("127.0.0.1", 9))
    try:
        client.sendall(b"y" * 1000)
    except OSError:
        print("reset", flush=True)
        break
    time.sleep(0.02)
sys.stdin.read()
"""


@contextlib.contextmanager
def talker(ns):
    with ns.popen([sys.executable, "-c", TALKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == b"ready\n"
            yield child
        finally:
            child.kill()
            child.stdin.close()


@contextlib.contextmanager
def top(ns, *args, user=None, **more):
    """A running nwho top; it counts where BPF does, else the test is skipped."""
    with terminal([*ns.prefix(user), NWHO, "top", "-d", "0.1", *args], (110, 30), **more) as screen:
        screen.until("? help")
        yield screen


def needs_bpf(screen):
    if "exact: BPF" not in screen.text():
        skip("traffic is not counted by BPF here")


def row_of(pid):
    return lambda text: re.search(rf"^>?[ x!]* *{pid} ", text, re.M)


@test
def rows_and_what_keys_do():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}") as screen:
        needs_bpf(screen)
        screen.until(row_of(child.pid))
        screen.until(rf"filter: pid {child.pid}")
        for number, name in enumerate(("process", "thread", "conn", "peer", "container", "unit", "user", "iface", "port"), 1):
            screen.keys(str(number))
            text = screen.until(f"by {name}")
            assert re.search(r"\d+ rows?", text), text
        screen.keys("b", "b", "w", "w", "w")
        screen.until(lambda text: "by process" in text and "window total  sort bytes" in text)
        screen.keys("w", "Down", "Enter")
        screen.until(lambda text: f"in python3({child.pid})" in text or f"({child.pid})" in text)
        screen.until(lambda text: "by conn" in text and "udp" in text and text.count("tcp") >= 2)
        screen.keys("c")
        screen.until("nwho top --by conn 'pid = ")
        screen.keys("BSpace", "z")
        screen.until("totals are counted from now on")
        screen.keys("q")
        assert screen.left() == 0


@test
def every_column_sorts():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}") as screen:
        needs_bpf(screen)
        screen.until(row_of(child.pid))
        seen = {"rate"}
        while "pid" not in seen:  # at the right end it begins again at the left one
            screen.keys(">")
            text = screen.until(lambda text: re.search(r"sort (\S+)", text)[1] not in seen)
            seen.add(re.search(r"sort (\S+)", text)[1])
        screen.keys("<")
        screen.until(lambda text: "sort pid" not in text)


@test
def wrong_filter_has_a_caret():
    with netns() as ns, top(ns) as screen:
        screen.keys("/")
        screen.type("prozess = x")
        screen.keys("Enter")
        screen.until("^~~~~~~ unknown word")
        screen.keys("Escape", "q")
        assert screen.left() == 0


@test
def sockets_of_a_row_are_destroyed():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid} and tcp") as screen:
        needs_bpf(screen)
        screen.until(row_of(child.pid))
        screen.keys("k")
        screen.until(re.compile(r"destroy \d sockets\? No process is ended. \[y/N\]").search)
        screen.keys("n")
        screen.until("nothing was destroyed")
        screen.keys("k", "y")
        text = screen.until("destroyed")
        if "not the others" in text:
            skip("this kernel destroys no sockets")
        assert child.stdout.readline() == b"reset\n"
        screen.keys("q")
        assert screen.left() == 0


@test
def what_has_exited_stays_for_a_while():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}") as screen:
        needs_bpf(screen)
        screen.until(row_of(child.pid))
        child.kill()
        screen.until(re.compile(rf"^>x *{child.pid} .*(closed|exited)", re.M).search)


@test
def nothing_yet():
    with netns() as ns, top(ns, "pid 999999999") as screen:
        screen.until("No traffic that the filter lets pass.")


@test
def ordinary_user():
    with netns() as ns, top(ns, user="nobody") as screen:
        screen.until(lambda text: "TCP only" in text or "interfaces only" in text)
        screen.keys("q")
        assert screen.left() == 0


@test
def terminals_that_cannot_get_blocks():
    with netns() as ns, terminal([*ns.prefix(), NWHO, "top", "-n", "1", "-d", "0.1"], TERM="dumb") as screen:
        screen.until("cannot move its cursor: shown in plain blocks")
        screen.left()


@test
def ends_after_n_readings():
    with netns() as ns, terminal([*ns.prefix(), NWHO, "top", "-n", "3", "-d", "0.1"]) as screen:
        assert screen.left() == 0


run_tests()
