# SPDX-License-Identifier: MIT
"""Sockets in every situation that mksock can make: each row is compared field by field with the truth."""
import functools
import os

import truth
from live import KERNEL, mksock, netns, nwho, run_tests, skip, test
from truth import ALL_COLUMNS, BPF, COLUMNS, DIAG, PROC

# Beside one of each situation: the same with options.
VARIANTS = [
    *("listening established udp udp-connected udplite raw time-wait close-wait mptcp-established "
      "bound-inactive unaccepted syn-sent syn-recv").split(),
]
OPTIONS = {
    "family=6": VARIANTS + ["ping"],
    "dev=lo": ["listening", "established", "udp", "raw", "bound-inactive"],
    "mark=4711": ["listening", "established", "udp"],
    "cc=reno": ["listening", "established"],
    "uid=65534": ["listening", "udp", "unix-abstract"],
    "orphan=1": ["fin-wait-1", "fin-wait-2", "last-ack", "closing"],
    "keep-listener=1": ["established", "close-wait"],
}
# Not on every kernel; mksock says so.
RARE = {"sctp-listening", "dccp-listening", "mptcp-listening", "mptcp-established", "udplite", "udplite-connected",
        "vsock-listening"}
LAST_COLUMNS = ["path", "owners", "owner_note"]  # in text, where blanks do not matter
# Older kernels have them in no table that can be read.
DIAG_HAS_BOUND = KERNEL >= (6, 8)
PING = "net.ipv4.ping_group_range=0 2147483647"


@functools.cache
def command_line():
    """All situations and variants as one command line of mksock."""
    absent = {name for name in RARE if not truth.is_supported(name)}
    groups = [[name] for name in truth.situations()]
    groups += [[name, option] for option, names in OPTIONS.items() for name in names]
    groups = [group for group in groups if group[0] not in absent]
    words = [word for group in groups for word in ["--", *group]]
    return words[1:]


# --- what a source cannot know ---

def not_told_by_sock_diag(fact, column):
    """Unknown to every source that lists the socket, so that the row says null."""
    if fact["proto"] in ("raw", "icmp"):  # from /proc/net, raw only on kernels without raw_diag
        return column in ("cookie", "mark", "v6only", "iface")
    if column in ("cc", "v6only") and fact["proto"] == "mptcp":
        return column == "cc" or fact["state"] != "listening"
    if column == "cc":  # inet_diag says it only of what has a tcp_info
        return fact["state"] == "bound-inactive"
    return column == "uid" and fact["proto"] in ("netlink", "vsock")


def not_told_without_bpf(fact, column):
    return not_told_by_sock_diag(fact, column) or (column == "v6only" and fact["state"] != "listening")


def not_told_by_proc(fact, column):
    """What no line in /proc/net has."""
    if column in ("cookie", "mark", "cc", "v6only", "shutdown", "backlog", "peer_inode", "timer"):
        return column != "timer" or fact["proto"] != "tcp"
    if column == "iface":
        return fact["proto"] != "packet"
    if column == "send_q":
        return fact["state"] == "listening" or fact["family"] in ("unix", "packet")
    if column in ("recv_q", "uid"):
        return fact["family"] in ("unix", "netlink", "packet")
    return column == "type" and fact["proto"] == "netlink"


UNKNOWN = {BPF: not_told_by_sock_diag, DIAG: not_told_without_bpf, PROC: not_told_by_proc}


def is_listed(fact, sources):
    """False for what is in no table of the kernel that these sources read."""
    if fact["proto"] == "vsock":  # in no file
        return sources != PROC and os.path.exists("/sys/module/vsock_diag")
    if not fact["in_tables"] or (fact["state"] == "bound-inactive" and sources == DIAG and not DIAG_HAS_BOUND):
        return False
    # /proc/net/tcp leaves out bound sockets and those whose file is another socket's.
    return sources != PROC or not (fact["state"] == "bound-inactive" or fact["role"] == "subflow")


def wanted(fact, sources):
    """The truth as these sources can tell it."""
    want = truth.expected(fact)
    if fact["proto"] == "packet":
        del want["recv_q"]  # everything that happens on lo comes in; see the_queue_of_a_quiet_packet_socket
    if fact["situation"] == "scm-in-flight":
        want.pop("owner_note", None)  # depends on what may be seen of other processes, see test_owners.py
    if sources == PROC:
        if fact["proto"] == "mptcp":
            want["proto"] = b"tcp"
        if want.get("path") and (b"\n" in want["path"] or b"\0" in want["path"]):
            del want["path"]  # the kernel writes it as it is, and NUL as @
    return want


def check(facts, rows, sources):
    """Every fact has its row, with the truth or null in each field; gives the rows that belong to no fact."""
    found, used, wrong = truth.index(rows), set(), []
    for fact in facts:
        row = truth.find(found, fact)
        if (row is not None) != is_listed(fact, sources):
            wrong.append(f"{truth.title(fact)}: {'missing' if row is None else 'unexpected'}")
        if row is None:
            continue
        used.add(id(row))
        want = {column: value for column, value in wanted(fact, sources).items()
                if row.get(column) is not None or not UNKNOWN[sources](fact, column)}
        wrong += [f"{truth.title(fact)}: {line}" for line in truth.differences(want, row)]
    assert not wrong, "\n".join([f"{sources}: {len(wrong)} differences", *wrong])
    return [row for row in rows if id(row) not in used]


def check_all(sources, read):
    """READ(namespace) gives the rows; they must be the facts, and beside them only what the kernel has made."""
    if sources not in truth.all_sources():
        skip("no BPF here")
    with netns(PING) as ns, mksock(ns, *command_line()) as facts:
        assert len(facts) > 100, len(facts)
        subflows = {fact["inode"] for fact in facts if fact["proto"] == "mptcp"}  # of listeners: the same inode
        for row in check(facts, read(ns), sources):
            passes_by = row.get("process") == b"nwho"  # of another test, which looks at all namespaces
            assert row["inode"] in subflows or (row["proto"] == b"netlink" and (passes_by or not row.get("owners"))), row


def json_rows(sources):
    return lambda ns: truth.rows_of_json(
        nwho(ns, "ls", "-a", "--sources", sources, "--json=" + ",".join(ALL_COLUMNS)).out)


def csv_rows(sources):
    return lambda ns: truth.rows_of_csv(
        nwho(ns, "ls", "-a", "--sources", sources, "--csv", "-o", ",".join(ALL_COLUMNS)).out)


def text_rows(sources):
    """One run for each column that may contain blanks, so that it can stand last; the rows are put together again."""
    identity = ["cookie", "inode", "proto", "local_addr", "local_port", "peer_addr", "peer_port"]

    def read(ns):
        rows = {}
        for last in LAST_COLUMNS:
            columns = (COLUMNS if last == LAST_COLUMNS[0] else identity) + [last]
            out = nwho(ns, "ls", "-a", "-H", "--exact", "--sources", sources, "-o", ",".join(columns)).out
            for row in truth.rows_of_text(out, columns):
                rows.setdefault(tuple(row[name] for name in identity), {}).update(row)
        return list(rows.values())
    return read


for name, sources in (("bpf", BPF), ("sock_diag", DIAG), ("proc", PROC)):
    for form, reader in (("json", json_rows), ("csv", csv_rows), ("text", text_rows)):
        function = functools.partial(check_all, sources, reader(sources))
        function.__name__ = f"every_situation_by_{name}_in_{form}"
        test(function)


@test
def the_queue_of_a_quiet_packet_socket_is_exact():
    with netns() as ns, mksock(ns, "packet") as facts:
        for sources in truth.all_sources()[:-1]:
            row, = truth.rows_of_json(nwho(ns, "ls", "-0", "--sources", sources, "--json").out)
            assert row["recv_q"] == facts[0]["recv_q"] == 0, row


@test
def the_end_of_sockets_without_an_address_is_told():
    groups = ["packet", "iface=lo", "--", "netlink", "--", "unix-unbound", "--", "raw", "addr=127.0.0.1"]
    with netns() as ns, mksock(ns, *groups) as facts:
        out = nwho(ns, "ls", "-aH", "-o", "inode,local,peer").out
        ends = {int(line.split()[0]): line.split()[1:] for line in out.splitlines()}
        packet, netlink, unix, raw = (ends[fact["inode"]] for fact in facts)
        assert packet == ["all:lo", "*"], packet
        assert netlink == [f"route:{facts[1]['local_port']}", "*"], netlink
        assert unix == [f"#{facts[2]['inode']}", "*"], unix
        assert raw == ["127.0.0.1:253", "*:*"], raw


@test
def a_link_local_address_has_its_interface():
    with netns() as ns:
        ns.run(["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"])
        ns.run(["ip", "link", "set", "v0", "up"])
        ns.add_address("fe80::7/64", "v0")
        with mksock(ns, "udp", "family=6", "addr=fe80::7", "iface=v0") as facts:
            assert facts[0]["iface"] == "v0" and facts[0]["local_addr"] == "fe80::7", facts
            for sources in truth.all_sources()[:-1]:
                rows = json_rows(sources)(ns)
                check(facts, rows, sources)
            assert nwho(ns, "ls", "-uH", "-o", "local").out == f"[fe80::7]%v0:{facts[0]['local_port']}\n"


run_tests()
