# SPDX-License-Identifier: MIT
"""In a quiet namespace: the same sockets and owners as ss, lsof and /proc/net; and counts that agree with the rows."""
import collections
import ipaddress
import json
import re
import shutil
import struct
from contextlib import contextmanager
from pathlib import Path

import truth
from live import mksock, netns, nwho, nwho_json, run, run_tests, skip, test
from truth import PROC

SOURCES = truth.all_sources()
SITUATION = """
listening -- listening family=6 -- listening-dual -- listening-v6only -- unaccepted pending=3 -- bound-inactive
-- syn-sent -- syn-recv -- established many=5 -- established family=6 -- unread -- unsent -- v4-mapped
-- fin-wait-1 -- fin-wait-2 -- time-wait -- close-wait -- last-ack -- closing -- fin-wait-2 orphan=1 -- last-ack orphan=1
-- udp many=4 -- udp family=6 -- udp-connected -- udplite -- raw -- raw family=6
-- unix-listening -- unix-abstract -- unix-connected many=3 -- unix-pair -- unix-bound -- unix-dgram
-- unix-dgram-connected -- unix-unbound -- packet -- packet iface=lo -- netlink
-- shared-fork children=3 -- dup count=3 -- scm-received -- shared-threads -- listening process=own -- udp uid=65534
""".split()
SS_STATES = {"LISTEN": "listening", "UNCONN": "unconnected", "ESTAB": "established", "SYN-SENT": "syn-sent",
             "SYN-RECV": "syn-recv", "FIN-WAIT-1": "fin-wait-1", "FIN-WAIT-2": "fin-wait-2", "TIME-WAIT": "time-wait",
             "CLOSE-WAIT": "close-wait", "LAST-ACK": "last-ack", "CLOSING": "closing"}
# Of /proc/net/tcp and the others like it.
PROC_STATES = [None, "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "unconnected",
               "close-wait", "last-ack", "listening", "closing", "syn-recv"]


@contextmanager
def quiet():
    """A namespace in which nothing happens but what mksock has made."""
    with netns() as ns, mksock(ns, *SITUATION):
        yield ns


def rows_of(ns, sources):
    return nwho_json(ns, "ls", "-a", "--sources", sources)["rows"]


def owners(row):
    return frozenset((owner["pid"], owner["fd"]) for owner in row["owners"] or ())


# --- ss ---

def ss_line(line):
    """(identity, state, owners) of a line of `ss -Hanpe`. raw sockets are told by their owners alone."""
    kind, state = line.split(None, 2)[:2]
    held = frozenset((int(pid), int(fd)) for pid, fd in re.findall(r",pid=(\d+),fd=(\d+)\)", line))
    if kind.startswith("u_"):
        identity = ("inode", int(line.split()[5]))
    else:
        cookie = re.search(r" sk:([0-9a-f]+)", line)
        identity = ("cookie", int(cookie[1], 16)) if cookie else (kind, held)
    return identity, SS_STATES[state], held


@test
def the_same_sockets_and_owners_as_ss():
    if not shutil.which("ss"):
        skip("no ss")
    with quiet() as ns:
        lines = ns.run(["ss", "-H", "-O", "-tuwx0anpe"]).out.splitlines()
        want = collections.Counter(ss_line(line) for line in lines)
        assert len(want) > 60, len(want)
        for sources in SOURCES[:-1]:
            found = collections.Counter()
            for row in rows_of(ns, sources):
                # Debian's ss does not ask for bound sockets, and -tuwx0 not for the others.
                if row["state"] == "bound-inactive" or row["proto"] not in ("tcp", "udp", "raw", "unix", "packet"):
                    continue
                state = row["state"]
                if row["proto"] == "unix":
                    identity = ("inode", row["inode"])
                else:
                    identity = ("cookie", row["cookie"]) if row["cookie"] else (row["proto"], owners(row))
                found[identity, state, owners(row)] += 1
            assert found == want, (sources, "nwho:", found - want, "ss:", want - found)


@test
def the_same_holders_as_lsof():
    if not shutil.which("lsof"):
        skip("no lsof")
    with quiet() as ns:
        want, pid, fd = set(), None, None
        for line in ns.run(["lsof", "-nP", "-i", "-FpfdP"], expect=(0, 1)).out.splitlines():
            if line[0] == "p":
                pid = int(line[1:])
            elif line[0] == "f":
                fd = int(line[1:])
            elif line[0] == "d":
                inode = int(line[1:])
            elif line[0] == "P":
                want.add((line[1:].lower(), inode, pid, fd))
        assert len(want) > 40, len(want)
        for sources in SOURCES:
            found = {(row["proto"], row["inode"], pid, fd) for row in rows_of(ns, sources) for pid, fd in owners(row)
                     if row["proto"] in ("tcp", "udp", "udplite") and row["state"] != "bound-inactive"}
            assert found == want, (sources, "nwho:", found - want, "lsof:", want - found)


# --- /proc/net ---

def proc_address(text):
    """Words in the order of the machine's bytes, in hexadecimal, and the port."""
    digits, port = text.split(":")
    words = [int(digits[at:at + 8], 16) for at in range(0, len(digits), 8)]
    address = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    if address.version == 6 and address.ipv4_mapped:
        return f"::ffff:{address.ipv4_mapped}", int(port, 16) or None
    return str(address), int(port, 16) or None


def proc_files(ns, name):
    """Lines of a file in /proc/net without the header; none where the kernel has no such file."""
    result = ns.run(["cat", f"/proc/net/{name}"], expect=(0, 1))
    return [line.split() for line in result.out.splitlines()[1:]]


def proc_inet(ns):
    for proto in ("tcp", "udp", "udplite", "raw"):
        for name in (proto, proto + "6"):
            for words in proc_files(ns, name):
                (address, port), (peer, peer_port) = proc_address(words[1]), proc_address(words[2])
                if ipaddress.ip_address(peer).is_unspecified and not peer_port:
                    peer = None
                yield (proto, PROC_STATES[int(words[3], 16)], address, None if proto == "raw" else port, peer, peer_port,
                       int(words[9]) or None)


@test
def the_same_internet_sockets_as_proc_net():
    with quiet() as ns:
        want = collections.Counter(proc_inet(ns))
        assert len(want) > 40, len(want)
        for sources in SOURCES:
            found = collections.Counter(
                (row["proto"], row["state"], row["local_addr"], row["local_port"], row["peer_addr"], row["peer_port"],
                 row["inode"]) for row in rows_of(ns, sources)
                if row["proto"] in ("tcp", "udp", "udplite", "raw") and row["state"] != "bound-inactive")
            assert found == want, (sources, "nwho:", found - want, "/proc:", want - found)


def proc_others(ns):
    want = {("unix", int(words[6])) for words in proc_files(ns, "unix")}
    want |= {("packet", int(words[8])) for words in proc_files(ns, "packet")}
    # Only the kernel's and those of an owner who stays: one of a program that has just ended can be left for a moment, and
    # an nwho of another test, which looks at all namespaces, only passes through.
    return want | {("netlink", int(words[9])) for words in proc_files(ns, "netlink") if words[2] == "0" or ns.owns(words[2])}


@test
def the_same_other_sockets_as_proc_net():
    with quiet() as ns:
        want = proc_others(ns)
        assert {proto for proto, _ in want} == {"unix", "packet", "netlink"}, want
        for sources in SOURCES:
            found = {(row["proto"], row["inode"]) for row in rows_of(ns, sources)
                     if row["proto"] in ("unix", "packet") or (row["proto"] == "netlink" and
                                                               (row["owner_note"] == "kernel" or row["pid"] and ns.owns(row["pid"])))}
            assert found == want, (sources, "nwho:", found - want, "/proc:", want - found)


@test
def owners_are_what_proc_pid_fd_says():
    with quiet() as ns:
        pids = {int(pid) for pid in run(["ip", "netns", "pids", ns.name]).out.split() if ns.owns(pid)}
        want = collections.defaultdict(set)
        for pid in pids:
            for link in Path(f"/proc/{pid}/fd").iterdir():
                target = str(link.readlink())
                if target.startswith("socket:["):
                    want[int(target[8:-1])].add((pid, int(link.name)))
        for sources in SOURCES:
            rows = {row["inode"]: row for row in rows_of(ns, sources) if row["inode"]}
            # Who is not of this test only passes through, and looks at all namespaces.
            found = {inode: owners(row) for inode, row in rows.items() if pids & {pid for pid, _ in owners(row)}}
            # /proc/net/tcp leaves out what is only bound.
            absent = {inode for inode in want if inode not in rows} if sources == PROC else set()
            assert len(absent) <= 1 and len(found) > 60, (sources, absent)
            expected = {inode: held for inode, held in want.items() if inode not in absent}
            assert found == expected, (sources, "nwho:", found.items() - expected.items(), "/proc:", expected.items() - found.items())


# --- the program with itself ---

def host(value):
    """An IPv4 host counts as one, also where an IPv6 socket talks to it."""
    return value.removeprefix("::ffff:") if isinstance(value, str) else value


@test
def counts_agree_with_the_rows():
    with quiet() as ns:
        for sources in SOURCES:
            rows = [row for row in rows_of(ns, sources) if row["proto"] != "netlink"]  # some are our own
            for keys in (["state"], ["proto", "state"], ["process", "state"], ["local_port"], ["peer_addr"], ["pid", "family"],
                         ["owner_note"]):
                want = collections.Counter(tuple(host(row[key]) for key in keys) for row in rows)
                groups = nwho_json(ns, "count", ",".join(keys), "-a", "--sources", sources, "not", "netlink")["rows"]
                found = {tuple(group[key] for key in keys): group["count"] for group in groups}
                assert len(found) == len(groups), groups
                assert found == want, (sources, keys, found, want)
                counts = [group["count"] for group in groups]
                assert counts == sorted(counts, reverse=True), groups
                table = nwho(ns, "count", ",".join(keys), "-a", "--csv", "-H", "--sources", sources, "not",
                             "netlink").out
                assert len(table.splitlines()) == len(groups)


@test
def networks_are_counted_by_prefix():
    with netns() as ns:
        for address in ("10.9.0.1/16", "10.9.1.1/16", "fd00:1::1/64", "fd00:1:0:1::1/64"):
            ns.add_address(address)
        groups = ("established addr=10.9.0.1 many=3 -- established addr=10.9.1.1 -- established family=6 addr=fd00:1::1"
                  " -- established family=6 addr=fd00:1:0:1::1").split()
        with mksock(ns, *groups):
            rows = nwho_json(ns, "ls", "established")["rows"]
            for key, v4, v6 in (("peer/24", 24, 64), ("peer/16", 16, 64), ("peer/64", 32, 64), ("peer/48", 32, 48),
                                ("peer/8/16", 8, 16)):
                want = collections.Counter(
                    str(ipaddress.ip_network(f"{row['peer_addr']}/{v4 if '.' in row['peer_addr'] else v6}",
                                             strict=False).network_address) for row in rows)
                groups = nwho_json(ns, "count", key, "established")["rows"]
                found = {next(iter(group.values())).split("/")[0]: group["count"] for group in groups}
                assert found == want, (key, found, want)


@test
def processes_have_the_sockets_that_are_listed():
    with quiet() as ns:
        for sources in SOURCES:
            want = collections.defaultdict(collections.Counter)
            for row in nwho_json(ns, "ls", "--sources", sources)["rows"]:
                for pid in {pid for pid, _ in owners(row)}:
                    want[pid]["sockets"] += 1
                    want[pid][row["state"]] += 1
            for row in nwho_json(ns, "ps", "--sources", sources)["rows"]:
                count = want.pop(row["pid"])
                assert (row["sockets"], row["listening"], row["established"], row["close_wait"]) == (
                    count["sockets"], count["listening"], count["established"], count["close-wait"]), (sources, row, count)
            assert not want, (sources, want)


@test
def listeners_are_those_that_listen():
    with quiet() as ns:
        for sources in SOURCES:
            rows = nwho_json(ns, "ls", "--sources", sources)["rows"]
            want = {row["inode"] for row in rows if row["state"] in ("listening", "unconnected") and row["proto"] != "raw"}
            ports = {row["inode"] for row in nwho_json(ns, "ports", "--sources", sources, "-o", "inode")["rows"]}
            listed = {row["inode"] for row in nwho_json(ns, "ls", "-tul", "--sources", sources)["rows"]}
            assert ports == listed == want, (sources, ports ^ want, listed ^ want)
        out = json.loads(nwho(ns, "ports", "--exposed", "--json").out)["rows"]
        assert out and all(ipaddress.ip_address(row["local_addr"]).is_unspecified for row in out), out


@test
def who_leaves_time_wait_out_gets_all_others():
    """Where there are many of these, sock_diag is asked for both families at once."""
    columns = "proto,family,state,local_addr,local_port,peer_addr,peer_port,cookie,inode,pid,fd,rtt_us,cc"
    many = "time-wait many=300 -- established many=90 -- established family=6 many=3".split()
    with netns() as ns, mksock(ns, *SITUATION, "--", *many):
        for sources in SOURCES:
            words = ("ls", "-a", "-t", "--sources", sources, "--sort", "cookie", "-o", columns)
            want = [row for row in nwho_json(ns, *words)["rows"] if row["state"] != "time-wait"]
            found = nwho_json(ns, *words, "--no-time-wait")["rows"]
            assert len(want) > 180 and found == want, (sources, [row for row in want if row not in found], [row for row in found if row not in want])


run_tests()
