#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where there are many tasks nwho reads by BPF, which it does not on a small machine: the same bytes also then."""
import contextlib
import subprocess
import sys

from compat import Case, check_releases, compare_all, live
from live import nwho, skip, test

TASKS = 800  # see bpf_pays()
CROWD = f"""
import sys, threading
threading.stack_size(65536)
for _ in range({TASKS}):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print(flush=True)
sys.stdin.read()
"""
LINES = ["lsof -nPi", "lsof -nPi -R", "lsof -nP -i TCP -F", "lsof -nP -a -i -p $PID_MULTI", "lsof -nP -a -i -p ^$PID_MULTI",
         "lsof -nP -i :8000,22", "lsof -U", "ss -tanp", "ss -tulnpe", "ss -tanp sport = :8000", "ss -xap",
         "netstat -tanp", "netstat -tulnp", "netstat -anp"]


@contextlib.contextmanager
def crowd():
    with subprocess.Popen([sys.executable, "-c", CROWD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield
        process.stdin.close()


@test
def the_same_in_a_crowd():
    check_releases(["ss", "netstat", "lsof"])
    with crowd():
        with live.netns() as ns:
            if "iter/" not in nwho(ns, "ls", "tcp", "--explain", expect=(0, 1)).err:
                skip("no BPF here, or this machine is too small for it")
        different = [f"{verdict.case}\n{verdict.difference}" for verdict in
                     compare_all([Case(line, "pipe", False) for line in LINES]) if verdict.difference]
    assert not different, "\n".join(different)


live.run_tests()
