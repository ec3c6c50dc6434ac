# SPDX-License-Identifier: MIT
"""The real `nwho top` in a terminal: rows of a process that talks, and what keys do with them."""
import contextlib
import re
import signal
import subprocess
import sys

from live import BUILD, PATIENCE, netns, run_tests, skip, test
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
        screen.keys("b", "b", "b", "w", "w", "w")
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
def control_groups_without_names_are_told_where_rows_are_by_them():
    note = "cgroups have no names"
    with netns() as ns, talker(ns) as child, terminal(["ip", "netns", "exec", ns.name, NWHO, "top", "-d", "0.1"], (110, 60)) as screen:
        screen.until("? help")
        needs_bpf(screen)
        screen.until(row_of(child.pid))
        assert note not in screen.text()
        screen.keys("?")
        screen.until(lambda text: "Keys" in text)
        screen.keys("PgDn", "PgDn", "PgDn")
        screen.until(lambda text: "What is missing" in text and note in text)
        screen.keys("q")
        screen.until(row_of(child.pid))
        screen.keys("6")
        screen.until(lambda text: "by unit" in text and note in text)
        screen.keys("1")
        screen.until(lambda text: "by process" in text and note not in text)
        screen.keys("q")
        assert screen.left() == 0


@test
def processes_that_ended_unread_are_told():
    with netns() as ns, top(ns, f"netns {ns.name} and not process nwho and cmdline ~ mktraffic") as screen:
        needs_bpf(screen)
        assert "ended before" not in screen.text()

        def another_one(text):
            ns.run([BUILD / "tests/helpers/mktraffic", "udp", "family=4"])
            return re.search(r"process(es)? ended before (its|their) command line could be read: \S+ may belong", text)

        screen.until(another_one)


@test
def peers_are_told_apart_where_they_are_shown():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}") as screen:
        needs_bpf(screen)
        screen.until(row_of(child.pid))
        screen.keys("4")
        screen.until(lambda text: "by peer" in text and text.count("127.0.0.1 ") == 1 and "2 rows" in text)
        screen.keys("3")
        screen.until(lambda text: "by conn" in text and re.search(r"udp.* 127\.0\.0\.1:9 ", text))
        screen.keys("q")
        assert screen.left() == 0


@test
def keys_take_no_reading_of_a_moment():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}", "-d", "60") as screen:
        needs_bpf(screen)
        screen.until(re.compile(rf"^> *{child.pid} .* [1-9]\d*\.\d ", re.M).search)
        row = re.search(rf"^> *{child.pid} .*", screen.text(), re.M)[0]
        screen.keys("Space")
        screen.until("paused")
        screen.keys("Space")
        assert row in screen.until("goes on")


@test
def the_command_line_has_all_that_was_chosen():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}", "--all-netns", "--bytes") as screen:
        screen.keys("c")
        screen.until(f"nwho top --by process --all-netns --bytes 'pid {child.pid}'")
        screen.keys("u", "w", "r", "c")
        screen.until(f"nwho top --by process --all-netns -o +rx_rate_10s,tx_rate_10s --sort rate 'pid {child.pid}'")
        screen.keys("s", "Enter", "w", "w", "c")
        screen.until(f"nwho top --by process --all-netns --batch --sort bytes:desc 'pid {child.pid}'")


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
        text = screen.until("destroy 2 sockets? [y/N] No process is ended.")
        for line in text.splitlines()[-3:-1]:
            assert re.fullmatch(rf"tcp 127.0.0.1:\d+ - 127.0.0.1:\d+  python3\({child.pid}\)  netns {ns.name}", line), text
        screen.keys("n")
        screen.until("nothing was done")
        screen.keys("k", "y")
        text = screen.until("destroyed")
        if "not the others" in text:
            skip("this kernel destroys no sockets")
        assert child.stdout.readline() == b"reset\n"
        screen.keys("q")
        assert screen.left() == 0


@test
def a_process_is_ended():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}") as screen:
        needs_bpf(screen)
        screen.until(row_of(child.pid))
        screen.keys("Down")
        screen.until("python3 -c")
        screen.keys("K")
        screen.until(f"end python3({child.pid})? [y/N] By SIGTERM.")
        screen.keys("y")
        screen.until(f"SIGTERM was sent to python3({child.pid})")
        assert child.wait(PATIENCE) == -signal.SIGTERM
        screen.until(re.compile(rf"^>x *{child.pid} ", re.M).search)
        screen.keys("K")
        screen.until(f"python3({child.pid}) has ended")


@test
def filter_is_about_what_is_shown():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}") as screen:
        needs_bpf(screen)
        screen.until(row_of(child.pid))
        screen.keys("/", "C-u")
        screen.type(f"pid {child.pid} and connections >= 3 and tcp")
        screen.keys("Enter")
        screen.until("No traffic that the filter lets pass")
        screen.keys("/", "C-u")
        screen.type(f"pid {child.pid} and connections >= 3")
        screen.keys("Enter")
        screen.until(row_of(child.pid))
        screen.keys("/", "End")
        screen.type(" or udp")
        screen.keys("Enter")
        screen.until("joined with the rest by 'and'")


@test
def interfaces_of_every_namespace():
    with netns() as here, netns() as ns, talker(ns) as child, top(here, f"pid {child.pid}", "--by", "iface") as screen:
        needs_bpf(screen)
        screen.until(re.compile(rf"^>? +lo +{ns.name[:6]}", re.M).search)
        screen.keys("l")  # of a socket without address it is not known
        screen.until(lambda text: "no lo" in text and not re.search(r"^>? +lo ", text, re.M))


@test
def end_of_a_long_name_is_seen():
    with netns() as here, netns() as ns, top(here, "-N", ns.name, "tcp") as screen:
        screen.until(re.compile(rf"^lo \S*{ns.name[-4:]} ", re.M).search)


@test
def bytes_of_an_interface_are_made_of_parts():
    with netns() as ns, talker(ns) as child, top(ns, f"pid {child.pid}") as screen:
        needs_bpf(screen)
        text = screen.until(re.compile(r"^lo .* [1-9][\d.]*% +[\d.]+% +0\.0% +[\d.]+% +\d+ +\d+$", re.M).search)
        parts = [float(part) for part in re.search(r"^lo .*", text, re.M)[0].replace("%", "").split()[-6:-2]]
        assert abs(sum(parts) - 100) < 0.3, text


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
