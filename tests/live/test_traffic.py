# SPDX-License-Identifier: MIT
"""Traffic is counted to the byte, for the thread that made it: against what the programs counted themselves."""
import json
import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from counting import (BPF, CLOSED, FOLDED, SPLICED, assert_exact, counting, is_short, make, objects, read_to_the_end,
                      waiting)
from live import BUILD, PATIENCE, netns, run, run_tests, skip, test, wait_for
from loaded import program_facts

def check(situation, *options, keys=(), closed=True):
    with netns() as ns:
        ns.run(["sh", "-c", "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range"])
        with counting(ns) as counter:
            truth = make(ns, situation, *options)
            assert truth
            flows = read_to_the_end(counter, truth, *keys) if keys else counter.read()
            assert_exact(truth, flows, *keys)
            assert not closed or all(flow["flags"] & (CLOSED | FOLDED) for flow in flows), flows
            assert not any(flow["rx_last"] or flow["tx_last"] for flow in counter.read())
            return flows


def of_both_families(situation, *options, **more):
    for family in ("family=4", "family=6"):
        check(situation, family, *options, **more)


def tests_of(*situations, **more):
    """One test for each situation."""
    for situation in situations:
        def in_both_families(situation=situation):
            of_both_families(situation, **more)
        in_both_families.__name__ = situation.replace("-", "_")
        test(in_both_families)


tests_of("tcp", "tcp-every-call", "tcp-peek", "tcp-sendfile", "tcp-zerocopy-send", "tcp-unread", "tcp-to-the-end",
         "tcp-bulk", "udp", "udp-unconnected", "udp-many-at-once", "udp-peek-and-cut", "udp-segments",
         "udp-timestamps", "udplite", "raw", "ping", "io-uring", "mptcp")
tests_of("threads", "short-threads", "fork-after-accept", "prefork", "reuseport", "passed-descriptor", "inherited", "idle-child",
         "exit-after-send", "turns")
tests_of("tcp-splice", "tcp-only-splice", "tcp-zerocopy-receive", keys=("cookie", "pid"))


@test
def multicast():
    flows = check("multicast", "family=4")
    assert sum(flow["rx"] for flow in flows) == 2 * 333 and sum(flow["tx"] for flow in flows) == 333


@test
def facts_of_a_flow():
    flows = [flow for flow in check("udp", "family=6") if not flow["flags"] & FOLDED]
    for flow in flows:
        assert flow["proto"] == "udp" and flow["family"] == 10 and flow["comm"] == "mktraffic" and flow["uid"] == 0
        assert flow["local"] == flow["peer"] == "::1" and flow["local_port"] and flow["peer_port"]
        assert flow["cgroup"]
    assert {flow["local_port"] for flow in flows} == {flow["peer_port"] for flow in flows}


@test
def thousands_of_short_connections():
    with netns() as ns, counting(ns) as counter:
        truth = make(ns, "short-connections", "times=3000")
        flows = counter.read()
        assert len({row["cookie"] for row in truth}) == 12000
        assert_exact(truth, flows)
        assert not any("lost" in note for note in counter.notes), counter.notes


def read_until(process, counter):
    """Readings one after the other while PROCESS lasts; gives how many."""
    readings = 0
    while process.poll() is None:
        counter.read()
        readings += 1
    assert process.returncode == 0
    return readings


def read_often(situation, times):
    """Whether there were readings while it lasted, after which all is there."""
    with netns() as ns, counting(ns) as counter, TemporaryFile() as output:
        process = ns.popen([BUILD / "tests/helpers/mktraffic", situation, f"times={times}"], stdout=output)
        readings = read_until(process, counter)
        output.seek(0)
        assert_exact(objects(output.read().decode()), counter.read())
    return readings > 3


@test
def nothing_is_lost_between_readings():
    for situation, times in (("turns", 3000), ("short-connections", 2000)):
        while not read_often(situation, times):
            times *= 2


@contextmanager
def crowd(ns, sockets):
    """A neighbour that has so many sockets."""
    process = ns.popen([BUILD / "tests/helpers/manysocks", f"tcp={sockets}", "processes=20"], stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, text=True)
    try:
        assert "ready\n" in iter(process.stdout.readline, "")
        yield
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@test
def short_processes_beside_a_crowd_of_sockets():
    with netns() as other, crowd(other, 200000 if os.environ.get("NWHO_FULL") else 20000), netns() as ns, \
            counting(ns) as counter:
        truth = [row for _ in range(30) for row in make(ns, "exit-after-send")]
        flows = counter.read()
        assert len({row["pid"] for row in truth}) >= 30
        assert_exact(truth, flows)
        assert all(flow["comm"] == "mktraffic" for flow in flows), flows
        assert not any("lost" in note for note in counter.notes), counter.notes


@test
def sockets_older_than_the_counting():
    with netns() as ns, waiting(ns, "older") as finish, counting(ns) as counter:
        counter.read()
        read_to_the_end(counter, finish(), "cookie", "pid")


@test
def spliced_bytes_of_a_closed_socket_are_told_when_tcp_is_done_with_it():
    """Each end says that it is done, and that is lost: the process is gone, its sockets live on."""
    rules = "type filter hook output priority 0; }; add rule inet t out tcp flags & fin == fin drop"
    with netns() as ns, waiting(ns, "older") as finish, counting(ns) as counter:
        if ns.run(["nft", f"add table inet t; add chain inet t out {{ {rules}"], None).rc != 0:
            skip("no nft")
        counter.read()
        truth = finish()
        assert is_short(truth, counter.read(), "cookie", "pid")
        ns.run(["nft", "flush ruleset"])
        flows = read_to_the_end(counter, truth, "cookie", "pid")
        assert any(flow["flags"] & SPLICED for flow in flows), flows


@test
def splicing_is_seen_while_it_lives():
    with netns() as ns, counting(ns) as counter, waiting(ns, "long-splice") as finish:
        wait_for(lambda: any(flow["rx"] == 6000 and flow["flags"] & SPLICED for flow in counter.read()),
                 what="6000 spliced bytes")
        read_to_the_end(counter, finish(), "cookie", "pid")


@test
def a_long_call_is_seen_while_it_lasts():
    """Half of it was taken in, and it has not returned; before that nothing was counted of it."""
    with netns() as ns, counting(ns) as counter, waiting(ns, "long-send") as finish:
        def sender():
            return next((flow for flow in counter.read() if flow["tx"] >= 20 << 20), None)
        flow = wait_for(sender, what="half of the bytes")
        assert flow["tx"] < 40 << 20 and flow["tx_calls"] == 0 and flow["comm"] == "mktraffic", flow
        truth = finish()
        assert flow["pid"] == next(row["pid"] for row in truth if row["tx"])
        flows = counter.read()
        assert_exact(truth, flows)
        assert not any(flow["flags"] & SPLICED for flow in flows), flows


@test
def of_an_older_call_only_the_rest_counts():
    """Half of it was taken in when counting begins, and some is on its way."""
    with netns() as ns, waiting(ns, "long-send") as finish, counting(ns) as counter:
        finish()
        flows = counter.read()
        assert sum(flow["rx"] for flow in flows) == 20 << 20, flows
        assert 19 << 20 < sum(flow["tx"] for flow in flows) <= 20 << 20, flows


@test
def spliced_bytes_of_a_shared_socket_are_nobodys():
    with netns() as ns, counting(ns) as counter, waiting(ns, "shared-splice") as finish:
        def nobodys():
            return [flow for flow in counter.read() if flow["pid"] == 0 and flow["flags"] & SPLICED]
        flow, = wait_for(nobodys, what="bytes of nobody")
        assert flow["rx"] == 3000, flow
        truth = finish()
        flows = read_to_the_end(counter, truth, "cookie")
        child = next(row["pid"] for row in truth if row["rx"] == 3000)
        assert sum(flow["rx"] for flow in flows if flow["pid"] == child) == 100, flows
        told = [re.match(r"(\d+) bytes were spliced by one of several", note) for note in counter.notes]
        assert any(note and int(note[1]) >= 3000 for note in told), counter.notes  # of the whole machine


@test
def sockets_that_end_while_the_counting_begins_are_over():
    with netns() as ns, ns.popen([BUILD / "tests/helpers/mktraffic", "short-datagrams"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE) as process:
        assert b"ready" in process.stdout.readline()
        with counting(ns) as counter:
            wait_for(lambda: any(flow["flags"] & (CLOSED | FOLDED) for flow in counter.read()), what="sockets that were closed")
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert b"ready" in process.stdout.readline()
            open_still = [flow for flow in counter.read() if not flow["flags"] & (CLOSED | FOLDED)]
            assert not open_still, open_still
            process.communicate(b"\n", timeout=PATIENCE)
            assert process.returncode == 0


@test
def inside_a_pid_namespace_its_ids_count():
    script = ('mkfifo "$1/go" && "$2/flows" < "$1/go" | { exec 3> "$1/go"; read ready; "$2/mktraffic" threads > "$1/truth"; '
              'echo >&3; exec 3>&-; cat; }')
    with netns() as ns, TemporaryDirectory() as directory:
        out = ns.run(["unshare", "--pid", "--fork", "sh", "-c", script, "sh", directory, BUILD / "tests/helpers"]).out
        rows = [json.loads(line) for line in out.splitlines() if line != "end"]
        if rows[0]["accounting"] != BPF:
            skip("no accounting by BPF")
        truth = objects(Path(directory, "truth").read_text(encoding="ascii"))
        assert max(row["pid"] for row in truth) < 100
        assert_exact(truth, [row for row in rows if row.get("netns") == ns.inode()])


@test
def killed_it_leaves_nothing_in_the_kernel():
    process = subprocess.Popen([BUILD / "tests/helpers/flows", "wire"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        programs = program_facts(process.pid, "prog_id")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    if not programs:
        skip("no program of BPF is loaded")
    for program in programs:
        wait_for(lambda number=program: run(["bpftool", "prog", "show", "id", number], expect=None).rc != 0,
                 what=f"end of program {program}")


run_tests()
