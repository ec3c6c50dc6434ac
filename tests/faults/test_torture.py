# SPDX-License-Identifier: MIT
"""Each command with one of its calls failing, or all from one on: no crash, no hang, and no wrong answer with exit status 0 or 1.

See tests/lib/torture.py: NWHO_FULL=1 tries every call (minutes), else some are drawn, others with another NWHO_SEED. What
is asked of a recording or of a history stands still, so the answer must be the very same. Allocations and calls inside the
libraries fail with those of the program. What is left out, and why:
- allocations inside glibc where users are looked up (the last word of LIVE and PAST): glibc 2.36 dies of a lack of memory in its name
  service switch, and nothing that calls it can help that;
- what goes on until it is told to end, or writes files: that is in test_torture_more.py;
- ss -xa: without sock_diag it reads /proc/net/unix, which knows no peers; it says so, and ends with 0, as ss does;
- what glibc does inside itself, as the reads of a FILE: those calls cannot be replaced.
"""
import contextlib
import itertools
import shutil
import tempfile
from pathlib import Path

from faults import quiet_machine, run
from live import BUILD, run_tests, test
from made_history import BEGIN, MINUTE, TIME, history
from torture import check_exact, check_live, check_live_details, check_none, check_old, torture

BPF = ["--sources", "bpf,sock_diag,proc_net,proc_fd"]
PROC = ["--sources", "sock_diag,proc_net,proc_fd"]
PLAIN = ["--sources", "proc_net,proc_fd"]
FILES = ("read", "write", "open", "directory", "map")

# Those that can be asked of a recording, with a recording of each.
RECORDED = [
    ["ls", "-a", "--json"], ["ls", "-a", "-o", "all"], ["ls", "--csv", "--sort", "peer"], ["ls", "--jsonl", "-t"], [],
    ["127.64.0.0"], ["ports"], ["ports", "--json"], ["ps"], ["ps", "--threads", "-a"], ["count", "state,process"],
    ["count", "peer/24", "--json"], ["if", "-o", "all"], ["stats", "-a", "--json"], ["routes", "-a"], ["groups", "-a", "--json"],
    ["nat"], ["why-busy", "tcp/9"], ["doctor", "--window", "0.1", "--json"],
    ["top", "--batch", "-n", "1", "-d", "0.1", "--json"],
]

COLUMNS = "proto,state,local_addr,local_port,peer,path,inode,owners,user,exe,unit,cgroup,skmem_bytes,cc,iface"
FILTER = "not netlink"  # of which the program has some itself

# Those that read the machine, and whether only calls of the program itself fail: glibc cannot look up users without memory.
LIVE = [
    (["ls", "-a", FILTER, *BPF], False), (["ls", "-a", FILTER, *PROC], False), (["ls", "-a", FILTER, *PLAIN], False),
    (["ls", "-a", FILTER, "--jsonl", "-o", COLUMNS, *PROC], True), (["count", "state,process", "-t", *PROC], False),
    (["ports", *PROC], False), (["127.64.0.0", *PROC], True), (["stats", "-a", "source snmp6"], False),
    (["if", "-o", "iface,state,qdisc,flags,address"], False),
    (["routes", "-a", "-o", "destination,table,iface,type,flags"], False),
    (["groups", "-a", "-o", "iface,address,users"], False), (["kill", "--dry-run", "dst", "127.0.0.0/8"], False),
    (["ps", "-t", "-o", "pid,process,sockets,established"], False),
]


@contextlib.contextmanager
def recordings():
    """Gives a function that gives the words by which a command answers from its recording."""
    with quiet_machine() as ns, tempfile.TemporaryDirectory() as directory:
        made = {}

        def recorded(args):
            name = " ".join(args)
            if name not in made:
                made[name] = Path(directory) / str(len(made))
                result = run(ns, [BUILD / "nwho", *args, "--record", made[name]])
                assert result.rc in (0, 1), result
            return [*args, "--replay", made[name]]

        yield recorded


@test
def recorded_without_memory():
    with recordings() as recorded:
        check_none([text for args in RECORDED for text in torture(recorded(args), check_exact, sample=2)])


@test
def recorded_without_input_and_output():
    with recordings() as recorded:
        check_none([text for args in RECORDED for text in torture(recorded(args), check_exact, FILES, 1)])


@test
def read_now_without_memory():
    with quiet_machine() as ns:
        check_none([text for args, own in LIVE for text in torture(args, check_live_details, own=own, ns=ns)])


# Of a store that stands still. A copy is read each time, for a reader may have to mend its file first. Without names of users
# also the allocations of libraries fail.
NO_USERS = ("-o", "process,exe,rx_bytes,tx_bytes")
PAST = [
    (["history", *TIME], True), (["history", *TIME, *NO_USERS], False),
    (["history", *TIME, "--every", "10m", "--by", "iface", "--json"], False), (["history", "--at", f"@{BEGIN + 60}", "--csv", *NO_USERS], False),
    (["history", *TIME, "--by", "peer,port", "--jsonl"], False), (["top", "--batch", "-n", "1", *TIME, *NO_USERS], False),
    (["export", *MINUTE, "--format", "openmetrics"], True), (["export", *MINUTE, "--format", "jsonl"], True), (["export", *MINUTE, "--format", "csv"], True),
]


@contextlib.contextmanager
def copies():
    """Gives a function that makes a copy of a history for a run."""
    numbers = itertools.count()
    with history() as (store, directory):
        def copy():
            path = directory / f"{next(numbers)}.db"
            shutil.copy(store, path)
            return "--store", path

        yield copy


@test
def the_past_without_memory():
    with copies() as copy:
        check_none([text for args, own in PAST for text in torture(args, check_exact, own=own, prepare=copy)])


@test
def the_past_without_input_and_output():
    with copies() as copy:
        check_none([text for args, _ in PAST for text in torture(args, check_exact, (*FILES, "sync"), 1, prepare=copy)])


@test
def a_note_is_written_or_said_to_have_failed():
    with copies() as copy:
        made = []

        def prepare():
            made.append(copy())
            return made[-1]

        check_none(torture(["mark", "torture"], check_exact, ("memory", *FILES, "sync"), 2, prepare=prepare))


# Of no source at all.
PURE = [["columns"], ["columns", "--json"], ["help"], ["help", "ls"], ["help", "time"], ["help", "states"], ["--version"], ["doctor", "--list"]]


@test
def what_reads_nothing():
    check_none([text for args in PURE for text in torture(args, check_exact, ("memory", "write"), 2)])


@test
def a_wrong_word_is_told():
    for args in (["ls", "state", "no-such"], ["ps", FILTER], ["columns", "no-such"]):
        check_none(torture(args, check_exact, right=(2,)))


# The old tools are asked for a little that stands still, lsof for no names of users. Their exit statuses are their own.
OLD = [
    ["ss", "-tan"], ["ss", "-tlnpi"], ["netstat", "-tan"], ["netstat", "-tulpn"], ["netstat", "-rn"],
    ["netstat", "-i"], ["lsof", "-nPli"],
]


@test
def old_tools():
    with quiet_machine() as ns:
        check_none([text for args in OLD for text in torture(args, check_old, ("memory", "read", "receive"), 1, ns=ns)])


@test
def read_now_without_input_and_output():
    with quiet_machine() as ns:
        check_none([text for args, own in LIVE
                    for text in torture(args, check_live, (*FILES, "receive", "send", "bpf"), 1, own=own, ns=ns)])


@test
def what_tries_to_bind():
    """One at a time: what it tries would be in the way of another one. A socket() that fails is its answer (test_sources.py)."""
    with quiet_machine() as ns:
        check_none(torture(["why-busy", "tcp/9"], check_live, ("memory", "read", "write", "receive", "send"), 1, ns=ns, workers=1))


run_tests()
