# SPDX-License-Identifier: MIT
"""nwho selfcheck: sources agree also while sockets come and go; what is hidden from one of them, and what is missing, is said."""
import contextlib
import csv
import io
import json
import os
import subprocess

import live
from faults import SANITIZED, inject, quiet_machine
from live import mksock, netns, nwho, run_tests, skip, test

HIDING = live.BUILD / "tests/faults/libhiding.so"
RUNS = 40 if os.environ.get("NWHO_FULL") else 4
TELLERS = ("bpf", "netlink", "proc")


def check(ns, *args, **options):
    """The document of one selfcheck of the namespace alone: others may be busy, or be tested."""
    result = nwho(ns, "selfcheck", "-N", f"/run/netns/{ns.name}", *args, "--json", expect=(0, 3), **options)
    document = json.loads(result.out)
    rows = document["rows"]
    at_fault = [row for row in rows if row["result"] in ("missing", "differs")]
    assert (result.rc == 3) == (not document["complete"]) == bool(at_fault), (result.rc, at_fault)
    return rows


def of_kind(rows, kind):
    return {row["name"]: row for row in rows if row["kind"] == kind}


def assert_agree(rows):
    assert not of_kind(rows, "difference"), of_kind(rows, "difference")
    for row in of_kind(rows, "comparison").values():
        assert row["differing"] == 0 and row["result"] in ("agrees", "alone"), row


def has_bpf(rows):
    return of_kind(rows, "source")["bpf iter/task_file"]["result"] == "works"


@test
def quiet_namespace_agrees():
    with quiet_machine() as ns:
        rows = check(ns)
        assert_agree(rows)
        compared = of_kind(rows, "comparison")
        for name, least in (("tcp", 410), ("udp", 50), ("unix", 60), ("owners", 500)):
            told = {row for row in (compared[name][teller] for teller in TELLERS) if row is not None}
            assert len(told) == 1 and min(told) >= least, compared[name]
            alone = name == "owners" and not has_bpf(rows)
            assert compared[name]["passing"] == 0 and compared[name]["result"] == ("alone" if alone else "agrees"), compared[name]
        assert (compared["tcp"]["bpf"] is not None) == has_bpf(rows)


@test
def sockets_that_come_and_go_are_no_difference():
    with netns() as ns:
        helper = ns.popen([live.BUILD / "tests/helpers/churn", "long=500", "threads=2"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True)
        helper.stdout.readline()
        assert helper.stdout.readline() == "ready\n"
        passing = 0
        try:
            for _ in range(RUNS):
                rows = check(ns)
                assert_agree(rows)
                passing += of_kind(rows, "comparison")["tcp"]["passing"]
        finally:
            helper.stdin.close()
            helper.stdout.read()
            helper.wait(live.PATIENCE)
            helper.stdout.close()
        assert passing > 0, "nothing came or went: the test shows nothing"


@contextlib.contextmanager
def listener():
    """A namespace with a listener, and what is known of it."""
    if not HIDING.exists():
        skip("there is no library to preload")
    if SANITIZED:
        skip("the sanitizer must come first")
    with netns() as ns, mksock(ns, "listening") as facts:
        yield ns, facts[0]


def differences(ns, **variables):
    rows = check(ns, env={"LD_PRELOAD": str(HIDING), **variables})
    return has_bpf(rows), list(of_kind(rows, "difference").values())


@test
def hidden_from_proc():
    with listener() as (ns, fact):
        bpf, (row,) = differences(ns, HIDE_LINE=f":{fact['local_port']:04X} 00000000:0000 0A")
        assert row["name"].startswith(f"tcp {fact['local_addr']}:{fact['local_port']} listening inode {fact['inode']} "), row
        assert [row[teller] for teller in TELLERS] == [1 if bpf else None, 1, 0], row
        assert ("bpf and netlink tell" if bpf else "netlink tells") in row["detail"] and "/proc does not" in row["detail"], row


@test
def hidden_from_netlink():
    with listener() as (ns, fact):
        bpf, (row,) = differences(ns, HIDE_PORT=str(fact["local_port"]))
        assert f":{fact['local_port']} " in row["name"], row
        assert [row[teller] for teller in TELLERS] == [1 if bpf else None, 0, 1], row


@test
def hidden_owner():
    with listener() as (ns, fact):
        bpf, rows = differences(ns, HIDE_LINK=f"socket:[{fact['inode']}]")
        if not bpf:
            skip("only /proc tells of owners here")
        row, = rows
        assert row["name"] == f"process mksock({fact['pid']}) with the socket of inode {fact['inode']}", row
        assert [row[teller] for teller in TELLERS] == [1, None, 0], row


@test
def hidden_thing_is_said_in_text():
    with listener() as (ns, fact):
        result = nwho(ns, "selfcheck", "-N", f"/run/netns/{ns.name}", expect=3,
                      env={"LD_PRELOAD": str(HIDING), "HIDE_PORT": str(fact["local_port"])})
        assert result.out.startswith("what each source tells of\n"), result.out
        assert "\ndifferences that stay\n" in result.out and "something hides it" in result.out, result.out
        assert "1 difference between sources stayed" in result.err, result.err
        result = nwho(ns, "selfcheck", "-N", f"/run/netns/{ns.name}", expect=(0, 3))
        assert "\ndifferences that stay: none\n" in result.out, result.out


def missing(result):
    rows = of_kind(json.loads(result.out)["rows"], "source")
    for row in rows.values():
        assert (row["result"] == "missing") == bool(row["lacks"]), row
    return {name: row for name, row in rows.items() if row["result"] == "missing"}


@test
def without_a_source():
    with netns() as ns:
        args = ["selfcheck", "-N", f"/run/netns/{ns.name}", "--json"]
        built = has_bpf(check(ns))
        result, _ = inject(ns, ["bpf:error=ENOSYS:when=1+"], args)
        found = missing(result)
        for name in ("bpf iter/tcp", "bpf calls", "bpf events", "bpf owners"):
            assert ("CONFIG_" if built else "in this build") in found[name]["lacks"], found[name]
            assert found[name]["fix"], found[name]
        assert "tcp_diag" not in found
        result, met = inject(ns, ["socket:error=EPROTONOSUPPORT:when=1+"], args)
        found = missing(result)
        assert met and result.rc == 3
        assert found["tcp_diag"]["lacks"] == "CONFIG_INET_TCP_DIAG" and found["tcp_diag"]["fix"] == "modprobe tcp_diag"
        assert "/proc/net/tcp is read" in found["tcp_diag"]["detail"], found["tcp_diag"]


@test
def an_older_kernel_is_what_is_missing():
    """A kernel that says that it is 2.6, and has no BPF."""
    strace = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=bpf", "-e", "inject=bpf:error=ENOSYS:when=1+"]
    with netns() as ns:
        if not has_bpf(check(ns)):
            skip("no BPF")
        result = ns.run(["setarch", "--uname-2.6", *strace, live.BUILD / "nwho", "selfcheck", "-N", f"/run/netns/{ns.name}", "--json"],
                        expect=3)
        found = missing(result)
        for name, release in (("bpf iter/tcp", "5.14"), ("bpf packets", "6.2"), ("bpf owners", "6.2")):
            assert found[name]["lacks"].startswith(f"Linux {release} (this is 2.6"), found[name]
            assert found[name]["fix"] == f"a kernel since Linux {release}", found[name]


@test
def as_a_user():
    with netns() as ns, mksock(ns, "listening"):
        rows = check(ns, user="nobody")
        sources = of_kind(rows, "source")
        assert_agree(rows)
        for name, capability in (("bpf iter/tcp", "CAP_BPF"), ("setns", "CAP_SYS_ADMIN"), ("packet sockets", "CAP_NET_RAW")):
            row = sources[name]
            assert row["result"] == "missing", row
            if "in this build" not in row["lacks"]:
                assert capability in row["lacks"] and row["fix"] == "sudo nwho selfcheck", row
        assert sources["/proc/PID/fd"]["result"] == "missing" and sources["tcp_diag"]["result"] == "works", sources
        tcp = of_kind(rows, "comparison")["tcp"]
        assert tcp["bpf"] is None and tcp["netlink"] == tcp["proc"] == 1, tcp


@test
def without_mounts():
    with netns() as ns:
        hide = 'mount -t tmpfs none /sys/fs/cgroup && mount -t proc -o hidepid=2 proc /proc && exec "$@"'
        result = ns.run(["unshare", "-m", "sh", "-c", hide, "sh", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                         live.BUILD / "nwho", "selfcheck", "--json"], expect=3)
        found = missing(result)
        assert "cgroup2" in found["cgroup2"]["lacks"] and "mount -t cgroup2" in found["cgroup2"]["fix"], found["cgroup2"]
        assert "hidepid=" in found["/proc/PID/fd"]["detail"], found["/proc/PID/fd"]


@test
def every_format_and_exit_code():
    with netns() as ns:
        place = ["-N", f"/run/netns/{ns.name}"]
        rows = check(ns)
        table = nwho(ns, "selfcheck", *place, "--csv", expect=(0, 3))
        assert [row["name"] for row in csv.DictReader(io.StringIO(table.out))] == [row["name"] for row in rows]
        lines = nwho(ns, "selfcheck", *place, "kind = source", "--jsonl", expect=(0, 3)).out.splitlines()
        assert [json.loads(line)["name"] for line in lines] == list(of_kind(rows, "source"))
        assert nwho(ns, "selfcheck", *place, "-q", expect=(0, 3)).out == ""
        assert "no column" in nwho(ns, "selfcheck", *place, "-o", "nothing", expect=2).err
        assert "no --record" in nwho(ns, "selfcheck", "--replay", "/dev/null", expect=2).err
        off = nwho(ns, "selfcheck", *place, "--sources", "sock_diag", "name", "=", "tcp", "--json", expect=(0, 3))
        row, = json.loads(off.out)["rows"]
        assert row["bpf"] is None and row["proc"] is None and row["netlink"] == 0 and row["result"] == "alone", row


run_tests()
