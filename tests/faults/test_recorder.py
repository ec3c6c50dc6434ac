# SPDX-License-Identifier: MIT
"""nwho serve while the clock is set, processes cannot be made, descriptors run out, and interfaces go and come back."""
import contextlib
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import links
from faults import ENVIRONMENT, FULL, SANITIZED, run
from live import BUILD, PATIENCE, netns, nwho, run_tests, skip, test, wait_for
from recorder import directory, needs_bpf
from served import served

PROGRAM = BUILD / "nwho"
CLOCK = BUILD / "tests/faults/libshifted_clock.so"
DAY_NS = 86400 * 10**9


@contextlib.contextmanager
def recording(store, *words, env=None, ns=None, options=()):
    """WORDS before the command. It ends as it should."""
    command = [*(ns.prefix() if ns else []), *words, PROGRAM, "serve", "--foreground", "--every", "1", "--listen", "none", "--store", store, *options]
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}) as child:
        try:
            yield child
        finally:
            child.terminate()
            child.wait(PATIENCE)
        assert child.returncode == 0, child.stderr.read()


def ask(store, *words):
    result = nwho(None, "history", "--store", store, "--json", *words, expect=None)
    return json.loads(result.out) if result.rc in (0, 1, 3) else {"rows": [], "measured_s": 0}


# --- the clock of the day ---

TALK = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
for line in sys.stdin:
    with socket.create_connection(server.getsockname()) as client:
        other = server.accept()[0]
        client.sendall(b"x" * int(line)); client.shutdown(1)
        while other.recv(65536): pass
        other.close()
    print("moved", flush=True)
"""


@test
def a_clock_that_is_set_loses_no_byte_and_makes_no_rate():
    """An hour forth and two back, over the end of the 32-bit seconds, and home: the bytes are those that were sent, once."""
    if not FULL:
        skip("it takes a machine that has time: NWHO_FULL=1")
    if SANITIZED:
        skip("the sanitizer has to be loaded first")
    if not CLOCK.exists():
        skip("the C library is not glibc")
    with directory() as place, netns() as ns, tempfile.NamedTemporaryFile() as shift:
        def set_clock(nanoseconds):
            os.pwrite(shift.fileno(), struct.pack("=q", nanoseconds), 0)

        set_clock(0)
        store, name = place / "h.db", f"talk{os.getpid()}"
        program = place / name
        program.symlink_to(sys.executable)
        now, sent = time.time(), 0
        with recording(store, ns=ns, env={"LD_PRELOAD": str(CLOCK), "CLOCK_SHIFT": shift.name}), \
                ns.popen([program, "-c", TALK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as talker:
            wait_for(lambda: store.exists() and ask(store, "--since", "-1h")["measured_s"] > 0, what="recording")
            needs_bpf(ask(store, "--since", "-1h"))
            for hours in (0, 1, -1, 24 * 365 * 13, 0):
                set_clock(hours * 3600 * 10**9)
                begun = time.time()
                for _ in range(2):
                    talker.stdin.write("50000\n")
                    talker.stdin.flush()
                    talker.stdout.readline()
                    sent += 50000
                    at = begun + hours * 3600
                    wait_for(lambda at=at, sent=sent: moved(store, name, at - 60, at + 3600) or hours == 0, what="a tick")
            wait_for(lambda: moved(store, name, now - 7200, now + 86400 * 365 * 14) == sent, what=f"all of {sent} bytes")
            talker.stdin.close()
        for row in ask(store, "--since", f"@{now - 7200:.0f}", "--until", f"@{now + 86400 * 365 * 14:.0f}", "--every", "1h")["rows"]:
            assert 0 <= (row["tx_rate"] or 0) <= sent, row


def moved(store, name, since, until):
    rows = ask(store, "--since", f"@{since:.0f}", "--until", f"@{until:.0f}", "process", "=", name)["rows"]
    return sum(row["tx_bytes"] for row in rows)


# --- processes and descriptors ---

def without_processes(store, when, options):
    """Exit status and text of a recorder for whom fork() fails from WHEN on, and whether it recorded before it was ended."""
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3,fork,vfork", "-e",
               f"inject=clone,clone3,fork,vfork:error=EAGAIN:when={when}", PROGRAM, "serve", "--foreground", "--every", "1",
               "--store", store, *options]
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=ENVIRONMENT, start_new_session=True) as child:
        def measured():
            return store.exists() and ask(store, "--since", "-1h")["measured_s"] > 0

        try:
            wait_for(lambda: child.poll() is not None or measured(), what="a recording, or an end")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            said = child.communicate(timeout=PATIENCE)[1]
        return child.returncode, said, measured()


@test
def where_no_process_can_be_made_it_says_so_or_goes_on():
    with directory() as place:
        for number, options in enumerate((["--listen", "none"], ["--listen", "127.0.0.1:0"])):
            for when in ("1+", "2+", "3+"):
                status, said, measured = without_processes(place / f"{number}{when[0]}.db", when, options)
                assert status in (0, 2, 128 + signal.SIGTERM, -signal.SIGTERM), (status, said)
                assert said.startswith("nwho: ") if status == 2 else measured, (status, said)


@test
def without_descriptors_what_is_missing_is_noted_and_then_it_goes_on():
    with directory() as place, netns() as ns:
        store = place / "h.db"
        with recording(store, ns=ns) as child:
            wait_for(lambda: store.exists() and ask(store, "--since", "-1h")["measured_s"] > 0, what="recording")
            limits = run(None, ["prlimit", "--pid", child.pid, "--nofile", "--raw", "--noheadings", "-o", "SOFT,HARD"]).out.split()
            lowered = len(os.listdir(f"/proc/{child.pid}/fd"))
            run(None, ["prlimit", "--pid", str(child.pid), f"--nofile={lowered}:{limits[1]}"])
            measured = ask(store, "--since", "-1h")["measured_s"]
            time_of_want = time.monotonic() + 3
            wait_for(lambda: time.monotonic() > time_of_want)
            assert child.poll() is None, "it ended"
            run(None, ["prlimit", "--pid", str(child.pid), f"--nofile={limits[0]}:{limits[1]}"])
            wait_for(lambda: ask(store, "--since", "-1h")["measured_s"] >= measured + 2, what="it goes on")


# --- interfaces ---

SEND = "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor _ in range(int(sys.argv[1])): s.sendto(b'x' * 1000, ('192.0.2.2', 9))"


@test
def an_interface_that_goes_and_comes_back_counts_both_lives():
    """What it counts begins at nothing again: neither is the fall a sum, nor is what it had counted added once more."""
    with directory() as place, netns() as ns, netns() as peer:
        store = place / "h.db"

        def make(bytes_before):
            links.pair(ns, "gone0", peer, "gone1")
            links.ip(ns, "addr add 192.0.2.1/24 dev gone0")
            mac = peer.run(["cat", "/sys/class/net/gone1/address"], None).out.strip() or re.search(
                r"link/ether (\S+)", peer.run(["ip", "link", "show", "gone1"]).out)[1]
            links.ip(ns, f"neigh replace 192.0.2.2 lladdr {mac} dev gone0")
            wait_for(lambda: sent() is not None and sent() >= bytes_before, what="the interface is recorded")

        def sent():
            rows = ask(store, "--since", "-10m", "--by", "iface", "iface", "=", "gone0")["rows"]
            return rows[0]["tx_bytes"] if rows else None

        with recording(store, ns=ns) as child:
            total = 0
            for count in (300, 20, 500):
                make(total)
                wait_for(lambda: has_two_ticks(store), what="ticks with it")
                ns.run([sys.executable, "-c", SEND, str(count)])
                total += count * 1042
                wait_for(lambda total=total: (sent() or 0) >= total, what=f"{total} bytes")
                assert sent() == total, (sent(), total)
                links.ip(ns, "link del gone0")
                assert child.poll() is None


def has_two_ticks(store):
    measured = ask(store, "--since", "-10m")["measured_s"]
    return wait_for(lambda: ask(store, "--since", "-10m")["measured_s"] >= measured + 2)


run_tests()
