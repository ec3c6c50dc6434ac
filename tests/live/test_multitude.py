# SPDX-License-Identifier: MIT
"""Very many namespaces and threads: all are shown, with few descriptors, and no more is searched for each of them.

NWHO_FULL=1: 4,096 namespaces, 300 processes with 90 threads each.
"""
import contextlib
import json
import re
import subprocess
import tempfile
from pathlib import Path

import live
from faults import ENVIRONMENT, FULL
from live import BUILD, netns, run_tests, skip, test

PROGRAM = BUILD / "nwho"
NAMESPACES, NAMELESS = (4096, 1024) if FULL else (40, 20)
PROCESSES, THREADS = (300, 90) if FULL else (5, 20)
DESCRIPTORS = 128  # that nwho may have
PATIENCE = live.PATIENCE * (10 if FULL else 1)
BPF = ["--sources", "bpf,sock_diag,proc_net,proc_fd"]
PROC = ["--sources", "sock_diag,proc_net,proc_fd"]


@contextlib.contextmanager
def helper(command):
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            line = child.stdout.readline()
            while line not in (b"ready\n", b""):
                line = child.stdout.readline()
            assert line, f"{command[0]} is not ready"
            yield child
        finally:
            child.kill()


def manynetns(count, named):
    return helper([BUILD / "tests/helpers/manynetns", count, named])


def asked(place, *args, before=(), descriptors=DESCRIPTORS):
    """Where the names are that the helper made."""
    done = subprocess.run(["nsenter", "-m", "-t", str(place.pid), f"--wd={live.SOURCE}", *before, "prlimit", f"--nofile={descriptors}", PROGRAM, *args],
                          stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=PATIENCE, check=False, text=True)
    assert done.returncode in (0, 1), (args, done.returncode, done.stderr[-2000:])
    return done


@test
def each_of_many_namespaces_is_shown():
    with manynetns(NAMESPACES, NAMESPACES) as place:
        for sources in (BPF, PROC):
            rows = asked(place, "ls", "-tl", f"pid = {place.pid} and sport = :7000", "--all-netns", "-H", "-o", "netns", *sources).stdout.split()
            assert len(rows) == len(set(rows)) == NAMESPACES, (sources, len(rows))
        names = asked(place, "if", "--all-netns", "-H", "-o", "netns").stdout.split()
        assert {f"many{i}" for i in range(NAMESPACES)} <= set(names)


@test
def namespaces_without_an_entrance_are_searched_for_once():
    """Only descriptors keep them: BPF shows what is in them, and /proc is not gone through again for each."""
    with manynetns(NAMELESS, 0) as place, tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        done = asked(place, "ls", f"pid = {place.pid}", "--all-netns", "-H", "-o", "inode", "--explain", *BPF,
                     before=["strace", "-f", "-o", log, "-e", "trace=openat"])
        if "iter/task_file" not in done.stderr:
            skip("no BPF here")
        assert len(done.stdout.split()) == NAMELESS, done
        searches = len(re.findall(r'"/proc", .*O_DIRECTORY', log.read_text(errors="replace")))
        # Those of others that end meanwhile are searched for, too.
        assert searches < NAMELESS, f"{searches} searches for {NAMELESS} namespaces"


@test
def events_of_many_namespaces_take_more_descriptors():
    """One for each: more than a program has at first, but not more than it may have."""
    with manynetns(NAMESPACES, NAMESPACES) as place:
        for command in (["events"], ["nat", "--events"]):
            done = asked(place, *command, "--for", "0.1", "--all-netns", *PROC, descriptors=f"{min(NAMESPACES, 1024)}:{4 * NAMESPACES + 200}")
            assert "open files" not in done.stderr, done


@test
def each_of_many_threads_is_counted():
    with netns() as ns, helper([*ns.prefix(), BUILD / "tests/helpers/manysocks", f"listeners={PROCESSES}", f"processes={PROCESSES}", f"threads={THREADS}"]):
        for sources in (BPF, PROC):
            done = ns.run(["prlimit", f"--nofile={DESCRIPTORS}", PROGRAM, "ls", "-tl", "--threads", "--json=pid,owners", *sources], env=ENVIRONMENT, timeout=PATIENCE)
            owners = [owner for row in json.loads(done.out)["rows"] for owner in row["owners"]]
            assert len({owner["pid"] for owner in owners}) == PROCESSES, (sources, len(owners))
            assert {owner["threads"] for owner in owners} == {THREADS + 1}, sources


run_tests()
