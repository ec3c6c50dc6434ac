# SPDX-License-Identifier: MIT
"""--watch and events on a terminal: no line is wider, no frame higher, and no column moves."""
import contextlib
import re
import subprocess
import sys

from following import needs_bpf
from live import BUILD, netns, run_tests, test
from terminal import terminal

ADDRESS = "2001:db8:1111:2222:3333:4444:5555:6666"
LISTENERS = f"""
import socket, sys
sockets = [socket.socket(socket.AF_INET6) for _ in range(30)]
for each in sockets:
    each.bind(("{ADDRESS}", 0))
    each.listen()
print("ready", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def listeners(ns):
    ns.run(["ip", "address", "add", f"{ADDRESS}/128", "dev", "lo", "nodad"])
    with ns.popen([sys.executable, "-c", LISTENERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == b"ready\n"
            yield child
        finally:
            child.kill()


@test
def rows_are_as_wide_as_the_terminal():
    with netns() as ns, listeners(ns) as child, \
            terminal([*ns.prefix(), BUILD / "nwho", "ls", "--watch=0.1"]) as screen:
        frame = re.compile(rf"\S+ \S+\n  PROTO +STATE +LOCAL +PEER +OWNER\n(  tcp +listening +\[{ADDRESS}\]:\d+ +\*:\* +"
                           r"python3\(?…\n){20}\.\.\. 10 more\n")
        screen.until(frame.fullmatch)
        screen.keys("?")
        screen.until(lambda text: text.endswith("... 10 more\nq, Ctrl-C: quit   ?: hide this\n"))
        screen.keys("?")
        screen.until(frame.fullmatch)
        screen.resize(110, 24)
        screen.until(lambda text: f"python3({child.pid})" in text and "RECV-Q  SEND-Q" in text and "... 10 more" in text)
        screen.resize(65, 10)
        screen.until(lambda text: "LOCAL\n" in text and text.endswith("... 24 more\n") and len(text.splitlines()) == 9)
        screen.keys("q")
        assert screen.left() == 0


@test
def interfaces_have_least_and_most():
    with netns() as ns:
        for words in ([], ["lo"]):
            with terminal([*ns.prefix(), BUILD / "nwho", "if", *words, "--watch=0.1"], size=(130, 30)) as screen:
                screen.until("Min" if words else re.compile(r"RX-AVG +RX-MIN +RX-MAX +RX-SINCE").search)
                screen.keys("?")
                screen.until("q, Ctrl-C: quit")
                screen.keys("q")
                assert screen.left() == 0


# Accepted by the kernel alone; then one that nobody listens for.
CONNECTIONS = """
import os, socket
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
client = socket.socket()
client.connect(server.getsockname())
socket.socket().connect_ex(("127.0.0.1", 1))
print(os.getpid(), server.getsockname()[1], client.getsockname()[1], flush=True)
"""


@test
def events_stay_below_their_headings():
    with netns() as ns:
        needs_bpf(ns)
        with terminal([*ns.prefix(), BUILD / "nwho", "events"]) as screen:
            screen.until(re.compile(r"TIME +EVENT +VERDICT +PROCESS +PEER\n").fullmatch)
            pid, server, client = ns.run([sys.executable, "-c", CONNECTIONS]).out.split()
            text = screen.until(lambda text: "refused" in text and f":{client}" in text)
            heading, *rows = text.splitlines()
            accepted = next(row for row in rows if "accepted" in row)
            assert re.search(rf"python3\({pid}\) listener +127\.0\.0\.1:{client}$", accepted), text
            for title, words in (("EVENT", "opened|accepted|closed"), ("VERDICT", "-|ok|refused|reset"), ("PEER", "127")):
                at = heading.index(title)
                assert all(row[at - 1] == " " and re.match(words, row[at:]) for row in rows), text
            assert all(len(line) <= 80 for line in text.splitlines()), text
            screen.keys("C-c")
            assert screen.left() == 0
        with terminal([*ns.prefix(), BUILD / "nwho", "events", "--retrans"], size=(220, 24)) as screen:
            heading = screen.until("RETRANS")
            assert len(heading) > 120 and heading.index("VERDICT") - heading.index("EVENT") == len("retransmitted") + 2, heading
            screen.keys("C-c")
            assert screen.left() == 1


run_tests()
