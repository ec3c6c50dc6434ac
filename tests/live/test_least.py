# SPDX-License-Identifier: MIT
"""Least privilege: commands keep of root's capabilities what they need, and cannot do what reading never does."""
import contextlib
import errno
import os
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import live
from faults import SANITIZED, quiet_machine
from live import BUILD, mksock, netns, nwho, nwho_json, run_tests, skip, test, wait_for

TRYING = BUILD / "tests/faults/libtrying.so"
NUMBERS = {"chown": 0, "dac_override": 1, "dac_read_search": 2, "fowner": 3, "kill": 5, "net_bind_service": 10, "net_admin": 12,
           "net_raw": 13, "sys_ptrace": 19, "sys_admin": 21, "sys_resource": 24, "perfmon": 38, "bpf": 39}
READS = ("dac_read_search", "net_admin", "sys_ptrace", "sys_admin", "sys_resource", "perfmon", "bpf")
FILES = ("chown", "dac_override", "dac_read_search", "fowner")
WATCHING = {  # what runs long enough to be looked at -> what it keeps
    ("ls", "-a", "--watch=0.2"): READS,
    ("ports", "--watch=0.2"): READS,
    ("ps", "--watch=0.2"): READS,
    ("count", "state", "-t", "--watch=0.2"): READS,
    ("stats", "--watch=0.2"): READS,
    ("routes", "--watch=0.2"): READS,
    ("if", "--watch=0.2"): (*READS, "net_raw"),
    ("nat", "--watch=0.2"): READS,
    ("doctor", "--watch=0.2"): READS,
    ("top", "--batch", "-d", "0.2"): (*READS, *FILES, "kill"),
    ("--watch=0.2",): READS,
}


def mask(names):
    return sum(1 << NUMBERS[name] for name in set(names))


def status_of(pid):
    """The fields of /proc/PID/status; {} when it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines())
    return {}


def has_filters(ns):
    row, = nwho_json(ns, "selfcheck", "-N", f"/run/netns/{ns.name}", "name = seccomp", expect=(0, 3))["rows"]
    return row["result"] == "works"


@contextlib.contextmanager
def running(ns, *args):
    """The program after its first output; it goes on."""
    child = ns.popen([BUILD / "nwho", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert os.read(child.stdout.fileno(), 1), args
        yield child
    finally:
        child.kill()
        child.communicate()


@test
def commands_keep_what_they_need():
    own = int(status_of("self")["CapEff"], 16)
    with netns() as ns, mksock(ns, "listening"):
        filters = has_filters(ns)
        for args, kept in WATCHING.items():
            with running(ns, *args) as child:
                status = status_of(child.pid)
                assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == own & mask(kept), (args, status["CapEff"])
                assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == ("2" if filters else "0"), (args, status)


@test
def answer_is_written_without_any_capability():
    with quiet_machine() as ns:
        child = ns.popen([BUILD / "nwho", "ls", "-a", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            assert os.read(child.stdout.fileno(), 1) == b"{"  # the rest waits for room in the pipe
            status = status_of(child.pid)
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, status["CapEff"]
        finally:
            child.kill()
            child.communicate()


def tried(ns, *args, **options):
    """What came of each thing that the preloaded library tried: names of errors, None for none."""
    if not TRYING.exists():
        skip("there is no library to preload")
    if SANITIZED:
        skip("the sanitizer must come first")
    with tempfile.TemporaryDirectory() as directory:
        result = nwho(ns, *[word.replace("DIRECTORY", directory) for word in args],
                      env={"LD_PRELOAD": str(TRYING), "TRY_FILE": f"{directory}/file"}, **options)
        assert result.out
        return {what: errno.errorcode.get(int(number)) for what, number in re.findall(r"^tried (\S+) (\d+)$", result.err, re.M)}


@test
def refused_things_are_refused():
    with netns() as ns, mksock(ns, "listening"):
        if not has_filters(ns):
            skip("this kernel does not filter system calls")
        refused = {"execve": "EPERM", "ptrace": "EPERM", "mount": "EPERM", "module": "EPERM", "setuid": "EPERM",
                   "write": "EACCES", "truncate": "EPERM", "read": None}
        for args in (["ls", "-a"], ["ports"], ["ps"], ["count", "state"], ["stats"], ["routes"], ["columns"], ["ls", "-a", "--watch=0.1", "--times", "1"]):
            assert tried(ns, *args) == refused, args
        assert tried(ns, "doctor", "--window", "0.1", expect=(0, 1)) == refused
        writes = {**refused, "write": None, "truncate": None}
        assert tried(ns, "ls", "-a", "--record", "DIRECTORY/recording") == writes


@contextlib.contextmanager
def copy_of_the_program():
    """One that a user may run, where bits of the file count."""
    with tempfile.TemporaryDirectory(dir=BUILD) as directory:
        if os.statvfs(directory).f_flag & os.ST_NOSUID:
            skip("the build is on a file system without set-user-ID")
        os.chmod(directory, 0o755)
        yield Path(shutil.copy(BUILD / "nwho", directory))


def assert_refuses(ns, program):
    result = ns.run([program, "ls"], 2, user="nobody")
    assert result.out == "" and len(result.err.splitlines()) == 1 and "will not run with a set-user-ID" in result.err, result


@test
def borrowed_privileges_are_refused():
    if SANITIZED:
        skip("a program with such bits does not hear of the sanitizer's options")
    with netns() as ns, copy_of_the_program() as program:
        if ns.run([program, "--version"], None, user="nobody").rc != 0:
            skip("others cannot reach the build")
        for mode in (0o4755, 0o2755):
            os.chmod(program, mode)
            assert_refuses(ns, program)
        os.chmod(program, 0o755)
        capability = struct.pack("<IIIII", 0x02000001, 1 << NUMBERS["net_raw"], 0, 0, 0)  # cap_net_raw=ep
        os.setxattr(program, "security.capability", capability)
        assert_refuses(ns, program)
        os.removexattr(program, "security.capability")
        assert ns.run([program, "columns", "sockets"], user="nobody").out
        ns.run(["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=+net_admin", "--ambient-caps=+net_admin", program,
                "columns", "sockets"])  # what somebody hands over is no bit of a file


run_tests()
