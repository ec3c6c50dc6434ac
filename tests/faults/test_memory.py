# SPDX-License-Identifier: MIT
"""Every allocation fails once, and everything from each one on: no crash, and no wrong answer with exit status 0.

NWHO_FULL=1 tries every allocation, else every seventh or so.
"""
import os
import tempfile

from faults import ENVIRONMENT, FULL, SANITIZED, check_alive, quiet_machine, run
from live import BUILD, run_tests, skip, test

LIBRARY = BUILD / "tests/faults/libfailing_malloc.so"
BPF = ["--sources", "bpf,sock_diag,proc_net,proc_fd"]
PROC = ["--sources", "sock_diag,proc_net,proc_fd"]
FILES = ["--sources", "proc_net,proc_fd"]
COLUMNS = "proto,state,local_addr,local_port,peer,path,inode,owners,user,exe,unit,cgroup,skmem_bytes,cc,iface"
FILTER = "not netlink"  # of which the program has some itself


def with_failure(ns, args, **when):
    """The Result, and whether an allocation failed."""
    with tempfile.TemporaryFile() as report:
        variables = {name: str(value) for name, value in when.items()}
        result = run(ns, ["env", f"LD_PRELOAD={LIBRARY}", BUILD / "nwho", *args], pass_fds=[report.fileno()],
                     env={**ENVIRONMENT, **variables, "FAIL_REPORT": str(report.fileno())})
        return result, os.fstat(report.fileno()).st_size > 0


def torture(ns, args, step, **also):
    """ALSO: FAIL_OWN=1 where users are looked up, for which glibc cannot do without memory."""
    if not LIBRARY.exists():
        skip("the C library is not glibc")
    if SANITIZED:
        skip("the sanitizer has an allocator of its own")
    truth = run(ns, [BUILD / "nwho", *args])
    assert truth.rc == 0, truth.err
    tries = 0
    for kind in ("FAIL_AT", "FAIL_FROM"):
        at, failed = 1, True
        while failed:
            result, failed = with_failure(ns, args, **{kind: at}, **also)
            where = f"{kind}={at} nwho {' '.join(args)}: exit status {result.rc}: {result.err[-500:]}"
            # env and the loader allocate too, and say so in words of their own.
            if not (result.rc in (125, 126, 127) and result.err):
                check_result(result, truth, where)
            at += 1 if FULL else step
            tries += 1
    print(f"# {args[:3]}: {tries} tries", flush=True)


def without_ages(text):
    return [line for line in text.splitlines() if not line.startswith("  started ")]


def check_result(result, truth, where):
    try:
        check_alive(result)
    except AssertionError as error:
        raise AssertionError(f"{error}: {where}") from error
    if "are read from /proc/net" in result.err or "details of " in result.err:
        return  # says itself that details are missing
    if result.rc in (0, 1):
        assert without_ages(result.out) == without_ages(truth.out), f"another answer: {where}"
        assert result.rc == 0, f"nothing found: {where}"


@test
def sockets_by_bpf():
    with quiet_machine() as ns:
        torture(ns, ["ls", "-a", FILTER, *BPF], 7)


@test
def sockets_by_sock_diag():
    with quiet_machine() as ns:
        torture(ns, ["ls", "-a", FILTER, *PROC], 7)


@test
def sockets_by_files():
    with quiet_machine() as ns:
        torture(ns, ["ls", "-a", FILTER, *FILES], 7)


@test
def json_of_everything():
    with quiet_machine() as ns:
        torture(ns, ["ls", "-a", FILTER, "--jsonl", "-o", COLUMNS, *PROC], 11, FAIL_OWN=1)


@test
def counting():
    with quiet_machine() as ns:
        torture(ns, ["count", "state,process", "-t", *PROC], 5)


@test
def listeners():
    with quiet_machine() as ns:
        torture(ns, ["ports", *PROC], 5)


@test
def explaining():
    with quiet_machine() as ns:
        torture(ns, ["127.64.0.0", *PROC], 5, FAIL_OWN=1)


@test
def what_is_no_socket():
    with quiet_machine() as ns:
        torture(ns, ["stats", "-a", "source snmp6"], 11)
        torture(ns, ["if", "-o", "iface,state,qdisc,flags,address"], 11)
        torture(ns, ["routes", "-a", "-o", "destination,table,iface,type,flags"], 11)
        torture(ns, ["groups", "-a", "-o", "iface,address,users"], 11)


run_tests()
