# SPDX-License-Identifier: MIT
"""Interfaces, namespaces, processes and control groups that come and go while they are read: what stays is there once, nothing is held.

NWHO_FULL=1 reads more often.
"""
import contextlib
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import live
from faults import FULL, quiet_machine, run
from live import BUILD, netns, run_tests, skip, test, wait_for

PROGRAM = BUILD / "nwho"
BPF = ["--sources", "bpf,sock_diag,proc_net,proc_fd"]
PROC = ["--sources", "sock_diag,proc_net,proc_fd"]


@contextlib.contextmanager
def going_on(ns, command):
    """COMMAND runs until the block ends, and has not ended by itself."""
    with ns.popen(command) as child:
        try:
            yield child
            assert child.poll() is None, f"{command[0]} ended"
        finally:
            child.terminate()
            child.wait(live.PATIENCE)


# --- interfaces ---

CHURN = """
while :; do
    ip -batch - <<END
link add churn0 type veth peer name churn1
link set churn0 up
link del churn0
END
done
"""


@test
def links_that_stay_are_there_once_while_others_come_and_go():
    """The kernel says that its answer was interrupted, and it is asked again; or exit status 3."""
    pairs, times = 150, 500 if FULL else 30
    stay = [f"stay{i}" for i in range(2 * pairs)] + ["lo"]
    with netns() as ns:
        batch = "".join(f"link add stay{2 * i} type veth peer name stay{2 * i + 1}\\n" for i in range(pairs))
        ns.run(["sh", "-c", f'printf "{batch}" | ip -batch -'])
        incomplete = 0
        with going_on(ns, ["sh", "-c", CHURN]):
            for number in range(times):
                args = (["if"], ["if", "-N", ns.name])[number % 2]
                result = run(None if number % 2 else ns, [PROGRAM, *args, "-o", "iface", "--csv", "-H"])
                names = result.out.split()
                assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
                assert result.rc in (0, 3) and (result.rc == 0 or "nwho: " in result.err), result
                missing = set(stay) - set(names)
                assert result.rc == 3 or not missing, f"missing: {sorted(missing)[:5]}: {result.err}"
                incomplete += result.rc == 3
        print(f"# {times} readings, {incomplete} said to be incomplete", flush=True)
        assert incomplete <= times / 10, f"{incomplete} of {times} readings were not done"


# --- namespaces ---

@contextlib.contextmanager
def watching(*args):
    """A command that goes on, and what it wrote."""
    with tempfile.TemporaryFile() as out, subprocess.Popen([PROGRAM, *args], stdout=out, stderr=subprocess.DEVNULL) as child:
        try:
            yield child, out
        finally:
            child.terminate()
            child.wait(live.PATIENCE)
        assert child.returncode in (0, 1, 3), child.returncode


@test
def a_namespace_that_is_deleted_is_really_gone():
    """Its end of a device goes with it: nobody who looks at all namespaces keeps it alive."""
    commands = (["ls", "-tl", "--all-netns", "--watch=0.2", "--json", *BPF], ["ls", "-tl", "--all-netns", "--watch=0.2", "--json", *PROC],
                ["top", "--batch", "-d", "0.1", "--all-netns"], ["if", "--all-netns", "--watch=0.05"], ["events", "--all-netns"])
    with netns() as ns, contextlib.ExitStack() as stack:
        watchers = [stack.enter_context(watching(*command)) for command in commands]
        for number in range(20 if FULL else 5):
            with netns(inside=ns) as doomed:
                ns.run(["ip", "link", "add", f"here{number}", "type", "veth", "peer", "name", "there", "netns", doomed.name])
                with live.mksock(doomed, "listening"):
                    for child, out in watchers[:2]:  # both have seen it
                        end = os.fstat(out.fileno()).st_size
                        wait_for(lambda out=out, end=end: seen_since(out, end, doomed.name.encode()), what="the namespace is seen")
            wait_for(lambda: ns.run(["ip", "link", "show", f"here{number}"], None).rc != 0, what="the namespace is freed")
        for child, _ in watchers:
            assert child.poll() is None, child.args


def seen_since(out, begin, name):
    begin = max(begin, os.fstat(out.fileno()).st_size - (1 << 22))  # of a large machine the last
    return name in os.pread(out.fileno(), 1 << 22, begin)


NAMESPACES = """
while :; do
    ip netns add nwho-gone-$$ && ip netns exec nwho-gone-$$ true
    ip netns del nwho-gone-$$
done
"""


@test
def namespaces_that_go_while_they_are_read_end_nothing():
    times = 200 if FULL else 20
    with quiet_machine() as ns, live.mksock(ns, "listening") as facts:
        port = facts[0]["local_port"]
        churn = subprocess.Popen(["sh", "-c", NAMESPACES], stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            for number in range(times):
                sources = (BPF, PROC)[number % 2]
                began = time.monotonic()
                result = run(None, [PROGRAM, "ls", "-tl", f"sport = :{port} and netns {ns.name}", "--all-netns", "-H", "-o", "pid", *sources])
                assert result.rc in (0, 3) and result.out.split() == [str(facts[0]["pid"])], result
                assert time.monotonic() - began < live.PATIENCE / 2
        finally:
            os.killpg(churn.pid, signal.SIGKILL)
            churn.wait()
            subprocess.run(["ip", "netns", "del", f"nwho-gone-{churn.pid}"], stderr=subprocess.DEVNULL, check=False)


# --- processes ---

# Processes that live for a moment: each is named after the port that it listens on, so that a wrong owner is seen.
SHORT = """
import ctypes, os, socket, sys, time
prctl, number = ctypes.CDLL(None).prctl, 0
print("ready", flush=True)
while True:
    number += 1
    port = 2000 + number % 60000
    if os.fork() == 0:
        prctl(15, b"s%d" % port, 0, 0, 0)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
            time.sleep((0.0003, 0.002, 0.001)[number % 3])
            os._exit(0)
    if number % 8 == 0:
        os.wait()
    while number % 8 == 0:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            break
"""


@test
def pids_that_are_given_again_never_have_the_sockets_of_others():
    """400 pids in all: each comes again within a second."""
    times = 400 if FULL else 40
    with netns() as ns:
        script = (f'echo 400 > /proc/sys/kernel/pid_max && [ "$(cat /proc/sys/kernel/pid_max)" = 400 ] || exit 77\n'
                  f'{sys.executable} -c "$1" & forker=$!\nwhile read -r words; do "$0" $words || :; echo end; done\nkill $forker')
        before = Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii")
        release = tuple(map(int, re.findall(r"\d+", Path("/proc/sys/kernel/osrelease").read_text(encoding="ascii"))[:2]))
        if release < (6, 14):
            skip("pid_max is of the whole machine before Linux 6.14")
        with ns.popen(["unshare", "-pfm", "--mount-proc", "--kill-child", "sh", "-c", script, PROGRAM, SHORT], stdin=subprocess.PIPE,
                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as shell:
            assert shell.stdout.readline() == "ready\n", "no pid_max of its own"
            tally = {}
            for sources in (BPF, PROC):
                rows = wrong = ownerless = 0
                for _ in range(times // 2):
                    shell.stdin.write(" ".join(["ls", "-tl", "--csv", "-H", "-o", "local_port,process,pid,owner_note", *sources]) + "\n")
                    shell.stdin.flush()
                    for local_port, process, pid, note in csv.reader(iter(shell.stdout.readline, "end\n")):
                        rows += 1
                        ownerless += not pid
                        assert pid or note, f"no owner of port {local_port}, and no reason"
                        # A process that has not been renamed yet has no socket yet.
                        wrong += bool(process) and process != f"s{local_port}"
                tally[sources[1]] = (rows, wrong, ownerless)
            shell.stdin.close()
            shell.wait(live.PATIENCE)
        assert Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii") == before
        for sources, (rows, wrong, ownerless) in tally.items():
            print(f"# {sources}: {rows} rows, {wrong} with a wrong owner, {ownerless} without one", flush=True)
            assert rows and not wrong, f"{wrong} of {rows} rows have a wrong owner"


@test
def processes_of_a_moment_have_an_owner_by_bpf():
    """One walk has socket and process together; 99.9 % of them, and the others a reason. In the short form there are some hundred."""
    wanted, times = (3000, 3000) if FULL else (0, 60)
    ask = [PROGRAM, "ls", "-tl", "--csv", "-H", "-o", "local_port,process,pid,owner_note", *BPF]
    with netns() as ns, ns.popen([sys.executable, "-c", SHORT], stdout=subprocess.PIPE, text=True) as forker:
        assert forker.stdout.readline() == "ready\n"
        if "iter/task_file" not in run(ns, [*ask, "--explain"]).err:
            skip("no BPF here")
        rows, lists = [], 0
        while lists < times and (not wanted or len(rows) < wanted):
            rows += csv.reader(run(ns, ask).out.splitlines())
            lists += 1
        forker.kill()
    ownerless = [row for row in rows if not row[2]]
    print(f"# {lists} lists, {len(rows)} rows, {len(ownerless)} without an owner", flush=True)
    assert len(rows) > max(20, wanted - 1) and len(ownerless) <= max(1, len(rows) / 1000), ownerless
    assert all(note for *_, note in ownerless), ownerless
    # One that has not been renamed yet has no socket yet.
    assert all(process == f"s{port}" for port, process, pid, _ in rows if pid), rows


@test
def command_lines_are_read_for_those_who_ask():
    """To read one may wait for the process: a list of sockets does not."""
    with quiet_machine() as ns, tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        for args, wanted in ((["ls", "-t"], False), (["ports"], False), (["count", "state"], False), (["ls", "-tl", "-o", "cmdline"], True)):
            for sources in (BPF, PROC):
                run(ns, ["strace", "-f", "-o", log, "-e", "trace=openat,open", PROGRAM, *args, *sources])
                assert ('cmdline"' in log.read_text(errors="replace")) == wanted, (args, sources)


@test
def a_stopped_process_is_read_like_others():
    with netns() as ns, live.mksock(ns, "listening") as facts:
        stop = ["kill", "-STOP", str(facts[0]["pid"])]
        subprocess.run(stop, check=True)
        try:
            for sources in (BPF, PROC):
                result = run(ns, [PROGRAM, "ls", "-tl", "-H", "-o", "pid,cmdline", *sources])
                assert result.rc == 0 and result.out.startswith(str(facts[0]["pid"])), result
        finally:
            subprocess.run(["kill", "-CONT", str(facts[0]["pid"])], check=True)


# --- control groups ---

@test
def without_control_groups_nobody_gets_those_of_others():
    """In a namespace of its own, behind an empty directory, and where nothing is mounted: the path is right or unknown."""
    places = {"all of it": [], "a namespace": ["unshare", "-C"],
              "empty": ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"', "sh"],
              "nothing": ["unshare", "-m", "sh", "-c", 'umount -l /sys/fs/cgroup/* /sys/fs/cgroup 2>/dev/null; exec "$@"', "sh"]}
    with netns() as ns, live.mksock(ns, "listening") as facts:
        pid = facts[0]["pid"]
        for place, words in places.items():
            truth = {line.partition(":")[2].partition(":")[2] for line in
                     run(ns, [*words, "cat", f"/proc/{pid}/cgroup"]).out.splitlines()}
            for sources in (BPF, PROC):
                result = run(ns, [*words, PROGRAM, "ls", "-tl", "--json=pid,cgroup,unit,container", *sources])
                assert result.rc in (0, 3), (place, result)
                row, = json.loads(result.out)["rows"]
                assert row["pid"] == pid and (row["cgroup"] is None or row["cgroup"] in truth), (place, sources, row, truth)
            top = run(ns, [*words, PROGRAM, "top", "--batch", "-n", "1", "-d", "0.1", "--by", "unit", "--json"])
            assert top.rc in (0, 1, 3), (place, top)
            json.loads(top.out)


run_tests()
