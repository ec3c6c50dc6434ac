# SPDX-License-Identifier: MIT
"""--watch on a terminal: no line is wider, and no frame higher."""
import contextlib
import re
import subprocess
import sys

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
        screen.resize(110, 24)
        screen.until(lambda text: f"python3({child.pid})" in text and "RECV-Q  SEND-Q" in text and "... 10 more" in text)
        screen.resize(65, 10)
        screen.until(lambda text: "LOCAL\n" in text and text.endswith("... 24 more\n") and len(text.splitlines()) == 9)
        screen.keys("q")
        assert screen.left() == 0


run_tests()
