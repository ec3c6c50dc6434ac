# SPDX-License-Identifier: MIT
"""What the fault tests share: a quiet machine to ask about, faults injected by strace, and what an answer may be.

An answer under a fault is right when it is exact, or when it says that it is not: never a crash, never a row twice,
never a part with exit status 0. NWHO_FULL=1 tries every place of a fault instead of some.
"""
import contextlib
import os
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import live
from live import Result, netns

FULL = bool(os.environ.get("NWHO_FULL"))
SANITIZED = b"__asan_init" in (live.BUILD / "nwho").read_bytes()
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": "detect_leaks=0"}  # which strace does not let it do

COLUMNS = "proto,state,local_addr,local_port,peer_addr,peer_port,path,inode"
OWNERS = ",pid,fd"
LS = ["ls", "-a", "tcp or udp or unix", "--csv", "-H", "-o", COLUMNS + OWNERS]


@contextlib.contextmanager
def quiet_machine(tcp=400, udp=50):
    """A namespace with more sockets than one datagram of an answer holds, which nobody touches meanwhile."""
    with netns() as ns:
        helper = ns.popen([live.BUILD / "tests/helpers/manysocks", f"tcp={tcp}", f"udp={udp}", "listeners=10", "processes=2"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for line in helper.stdout:
            if line.strip() == b"ready":
                break
        try:
            with live.mksock(ns, "unix-pair", "many=30"):
                yield ns
        finally:
            helper.stdin.close()
            helper.wait(live.PATIENCE)
            helper.stdout.close()


def run(ns, command, timeout=live.PATIENCE, **options):
    """Run COMMAND in NS with any exit status."""
    prefix = ns.prefix() if ns else []
    done = subprocess.run([str(word) for word in [*prefix, *command]], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout, check=False, **{"env": ENVIRONMENT, **options})
    return Result(done.returncode, *(part.decode("utf-8", "surrogateescape") for part in (done.stdout, done.stderr)))


def inject(ns, faults, args, **options):
    """Run the program with FAULTS like "recvmsg:error=EIO:when=3"; gives its Result and how many were met."""
    calls = ",".join(sorted({fault.split(":")[0] for fault in faults}))
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        result = run(ns, ["strace", "-f", "--seccomp-bpf", "-o", log, "-e", f"trace={calls}",
                          *(word for fault in faults for word in ("-e", "inject=" + fault)), live.BUILD / "nwho",
                          *args], **options)
        return result, log.read_text(errors="replace").count("(INJECTED)")


def count_calls(ns, call, args):
    """How often the program makes the system call CALL."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        run(ns, ["strace", "-f", "--seccomp-bpf", "-o", log, "-e", f"trace={call}", live.BUILD / "nwho", *args])
        return log.read_text(errors="replace").count(call + "(")


def places(step):
    """The numbers 1, 2, ... of calls at which a fault is tried: each, or in the short form every STEP-th."""
    at = 1
    while True:
        yield at
        at += 1 if FULL else step


def inject_everywhere(ns, fault, args, check, step=1, also=()):
    """CHECK the answer with FAULT at one call after the other, as long as there are that many. Gives their number."""
    count = 0
    for place in places(step):
        result, met = inject(ns, [f"{fault}:when={place}", *also], args)
        if not met:
            return count
        count += 1
        try:
            check(result)
        except AssertionError as error:
            raise AssertionError(f"{fault}:when={place} nwho {' '.join(args)}: {error}\nexit status {result.rc}\n"
                                 f"{result.err[-1500:]}") from error
    return count


# --- what an answer may be ---

def rows_of(result):
    return Counter(result.out.splitlines())


def without_owners(rows):
    return Counter({",".join(row.split(",")[:-2]): count for row, count in rows.items()})


def check_alive(result):
    """Whether there is an answer to look at; never a crash."""
    if any(words in result.err for words in ("error while loading shared libraries", "does not work under ptrace")):
        return False  # the fault met the loader, or the sanitizer reading its options
    assert result.rc in (0, 1, 2, 3), "crashed"
    assert not re.search("AddressSanitizer|runtime error|LeakSanitizer", result.err), "sanitizer"
    assert result.rc != 2 or result.err.startswith("nwho: "), "exit status 2 without a word"
    return True


def is_part(rows, truth):
    """Whether ROWS have nothing that is not in TRUTH, and nothing twice."""
    return not rows - truth


class Truth:
    """The whole answer, and what a fault may make of it."""

    def __init__(self, ns):
        result = run(ns, [live.BUILD / "nwho", *LS])
        assert result.rc == 0 and not result.err, result.err
        self.rows = rows_of(result)
        self.sockets = without_owners(self.rows)

    def check_rows(self, result):
        """The rows are exact, or the exit status is 3 and a note says what is missing."""
        check_alive(result)
        rows = without_owners(rows_of(result))
        if result.rc == 3:
            assert "nwho: " in result.err, "nothing said"
            assert is_part(rows, self.sockets), f"strange rows {list(rows - self.sockets)[:5]}"
        else:
            assert result.rc == 0, "failed"
            assert rows == self.sockets, (f"not exact: missing {list(self.sockets - rows)[:5]}, "
                                          f"too many {list(rows - self.sockets)[:5]}")

    def check_owners(self, result):
        """The rows are exact, the owners too or a note says that some are missing; or it failed, and says so."""
        if not check_alive(result) or result.rc == 2:
            return
        self.check_rows(result)
        rows = rows_of(result)
        if result.rc == 0 and rows != self.rows:
            assert "nwho: " in result.err, "owners are missing and nothing is said"
            for row in rows - self.rows:
                assert row.endswith(",,"), f"wrong owner in {row}"
