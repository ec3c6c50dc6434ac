# SPDX-License-Identifier: MIT
"""The harness itself: namespaces are separate and leave nothing behind, and waiting and failing work."""
import os
import subprocess
import sys

import live
from live import netns, run_tests, test, wait_for


@test
def a_namespace_is_separate_and_goes():
    with netns("net.ipv4.tcp_fin_timeout=7") as ns:
        path = f"/run/netns/{ns.name}"
        assert os.stat(path).st_ino == ns.inode() != os.stat("/proc/self/ns/net").st_ino
        assert ns.run(["cat", "/proc/sys/net/ipv4/tcp_fin_timeout"]).out == "7\n"
        assert "lo " in ns.run(["ip", "-br", "link"]).out
        assert ns.run(["id", "-un"], user="nobody").out == "nobody\n"
    assert not os.path.exists(path)


@test
def a_namespace_goes_after_a_failure_with_its_processes():
    try:
        with netns() as ns:
            sleeper = ns.popen(["sleep", "600"])
            raise KeyError
    except KeyError:
        pass
    assert sleeper.wait(live.PATIENCE) != 0
    assert not os.path.exists(f"/run/netns/{ns.name}")


@test
def a_namespace_goes_after_a_signal():
    script = ("from live import *\n@test\ndef t():\n    with netns() as ns:\n"
              "        print(ns.name, flush=True)\n        ns.run(['sleep', '600'])\nrun_tests()\n")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "1..1\n"
        name = child.stdout.readline().strip()
        assert os.path.exists(f"/run/netns/{name}")
        child.terminate()
        assert child.wait(live.PATIENCE) == 143
    assert not os.path.exists(f"/run/netns/{name}")


@test
def an_unexpected_exit_status_fails():
    try:
        live.run(["false"])
    except AssertionError as error:
        assert "exit status 1, expected 0" in str(error)
    else:
        raise AssertionError("accepted")
    assert live.run(["false"], expect=(1, 3)).rc == 1


@test
def a_state_that_does_not_come_fails():
    assert wait_for(lambda: 5) == 5
    try:
        wait_for(lambda: False, timeout=0.05, what="never")
    except AssertionError as error:
        assert "never" in str(error)
    else:
        raise AssertionError("accepted")


run_tests()
