# SPDX-License-Identifier: MIT
"""The doctor and programs that talk to the internet from where none is installed."""
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from doctor import evidence, findings, program
from links import ip, pair
from live import netns, nwho_json, run_tests, skip, test

INSTALLED = "/usr/bin/python3"  # the one that runs this may be in somebody's home

SERVER = """
import socket, sys
server = socket.create_server(("0.0.0.0", 443))
print("ready", flush=True)
kept = []
while True:
    kept.append(server.accept())
"""

# A process of a session of its own, with a terminal of its own or without, and a connection to the address.
CLIENT = """
import fcntl, os, pty, socket, sys, termios
os.setsid()
if sys.argv[1] == "terminal":
    kept, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
if sys.argv[3:] == ["removed"]:
    os.unlink(os.readlink("/proc/self/exe"))
client = socket.create_connection((sys.argv[2], 443))
print("ready", flush=True)
sys.stdin.read()
"""

# As above, by a copy of the interpreter that is in memory alone.
FROM_MEMORY = """
import os, sys
fd = os.memfd_create("hidden", 0)
os.sendfile(fd, os.open("/proc/self/exe", os.O_RDONLY), 0, 1 << 30)
os.execve(fd, ["python3", *sys.argv[1:]], os.environ)
"""


@contextmanager
def internet():
    """A namespace that reaches 198.51.100.1 in another one, and 10.99.0.1 in there, where a server listens."""
    if not os.path.exists(INSTALLED):
        skip(f"there is no {INSTALLED}")
    with netns() as ns, netns() as far:
        pair(ns, "near", far, "far")
        for address in ("198.51.100.1/24", "10.99.0.1/24"):
            ip(far, f"address add {address} dev far")
        for address in ("198.51.100.2/24", "10.99.0.2/24"):
            ip(ns, f"address add {address} dev near")
        with program(far, SERVER):
            yield ns


@contextmanager
def interpreter_in(directory):
    """A copy of this interpreter in a new directory there."""
    with tempfile.TemporaryDirectory(prefix="nwho-doctor-", dir=directory) as made:
        yield shutil.copy(os.path.realpath(INSTALLED), Path(made) / "fetched")


def client_of(ns, *words, interpreter=INSTALLED, source=CLIENT):
    return program(ns, source, *words, interpreter=interpreter)


def found(ns, process):
    """Severity and points of what the doctor says of the process, and of nobody else."""
    rows = findings(ns, "unknown-outbound")
    assert all((row["check"], row["pid"]) == ("unknown-outbound", process.pid) for row in rows), rows
    return [(row["severity"], evidence(row, "points of suspicion")["after"], row["peer"], row["peer_port"]) for row in rows]


@test
def a_program_in_a_directory_for_temporary_files():
    with internet() as ns, interpreter_in("/tmp") as path:
        with client_of(ns, "terminal", "198.51.100.1", interpreter=path) as client:
            assert found(ns, client) == [("info", 2, "198.51.100.1", 443)]
        with client_of(ns, "terminal", "10.99.0.1", interpreter=path) as client:
            assert found(ns, client) == []
        with client_of(ns, "none", "198.51.100.1", interpreter=path) as client:
            owned = nwho_json(ns, "ls", "pid", client.pid, "-o", "unit,container")["rows"][0]
            supervised = owned["unit"] or owned["container"]
            assert found(ns, client) == [("info", 2, "198.51.100.1", 443) if supervised else ("warn", 3, "198.51.100.1", 443)]
        with client_of(ns, "terminal", "198.51.100.1", "removed", interpreter=path) as client:
            assert found(ns, client) == [("warn", 3, "198.51.100.1", 443)]


@test
def a_script_in_a_directory_for_temporary_files():
    with internet() as ns, tempfile.NamedTemporaryFile("w", suffix=".py", dir="/var/tmp") as script:
        script.write(CLIENT)
        script.flush()
        with client_of(ns, script.name, "terminal", "198.51.100.1", source=None) as client:
            assert found(ns, client) == [("info", 2, "198.51.100.1", 443)]


@test
def a_program_in_memory_alone():
    with internet() as ns, client_of(ns, "-c", CLIENT, "terminal", "198.51.100.1", source=FROM_MEMORY) as client:
        assert found(ns, client) == [("warn", 3, "198.51.100.1", 443)]


@test
def programs_that_are_installed_or_at_a_terminal():
    with internet() as ns, interpreter_in("/root") as path:
        for terminal in ("terminal", "none"):
            with client_of(ns, terminal, "198.51.100.1") as client:
                assert found(ns, client) == []
        with client_of(ns, "terminal", "198.51.100.1", interpreter=path) as client:
            assert found(ns, client) == []


run_tests()
