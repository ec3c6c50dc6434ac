#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds of the fuzz targets that are the kernel's own answers, out of a network namespace made for it.

Run as root in a built tree: PYTHONPATH=tests/lib tests/fuzz/make_corpus.py. What is written by hand beside them stays.
Nothing of this machine is in them: only sockets of mksock, one veth pair, and addresses for documentation.
"""
import contextlib
import os
import re
import socket
import struct
import sys
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER = 0, 4, 12
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
SOCK_DIAG_BY_FAMILY, RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_GETQDISC = 20, 18, 22, 26, 30, 38
CONNTRACK_GET = 0x101
AF_VSOCK = 40
MESSAGES_MAX = 3  # of one seed


def save(target, name, data):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data)


# --- netlink ---

def messages(protocol, message_type, body):
    """The messages of a dump, without sequence and port."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as asked:
        asked.bind((0, 0))
        asked.send(struct.pack("=IHHII", 16 + len(body), message_type, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body)
        found = []
        while True:
            data = asked.recv(65536)
            while data:
                length, kind, flags = struct.unpack_from("=IHH", data)
                if kind in (2, 3):  # error, done
                    return found
                found.append(struct.pack("=IHHII", length, kind, flags, 0, 0) + data[16:length] + bytes(-length % 4))
                data = data[(length + 3) & ~3:]


DONE = struct.pack("=IHHIIi", 20, 3, 2, 0, 0, 0)


def save_dump(target, name, prefix, found):
    if found:
        save(target, name, prefix + b"".join(found[:MESSAGES_MAX]) + DONE)


def dump_sockets():
    extensions = 0xff
    for name, prefix, family, protocol in (("tcp4", b"0", 2, 6), ("tcp6", b"0", 10, 6), ("udp", b"2", 2, 17),
                                           ("raw", b"3", 2, 255), ("sctp", b"5", 2, 132), ("mptcp", b"6", 2, 6)):
        id_part = bytes(48)
        body = struct.pack("=BBBBI", family, 255 if name == "mptcp" else protocol, extensions, 0, 0xffffffff) + id_part
        if name == "mptcp":
            body += struct.pack("=HHI", 8, 2, 262)  # INET_DIAG_REQ_PROTOCOL
        found = messages(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, body)
        if prefix == b"0":
            save_dump("inet_diag", name, prefix, found)
        else:
            for number, message in enumerate(found[:2]):
                save("inet_diag", f"{name}{number}", prefix + message[16:])
    for name, prefix, body in (("unix", b"0", struct.pack("=BBHIIIII", 1, 0, 0, 0xffffffff, 0, 0x7f, 0, 0)),
                               ("packet", b"1", struct.pack("=BBHIIII", 17, 0, 0, 0, 0x7f, 0, 0)),
                               ("netlink", b"2", struct.pack("=BBHIIII", 16, 255, 0, 0, 0x7f, 0, 0)),
                               ("vsock", b"3", struct.pack("=BBHIIII", AF_VSOCK, 0, 0, 0xffffffff, 0, 0, 0))):
        save_dump("diag", name, prefix, messages(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, body))


def dump_network():
    for name, kind, body in (("links", RTM_GETLINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0)),
                             ("addresses", RTM_GETADDR, bytes(8)), ("routes4", RTM_GETROUTE, b"\x02" + bytes(11)),
                             ("routes6", RTM_GETROUTE, b"\x0a" + bytes(11)), ("qdiscs", RTM_GETQDISC, bytes(20)),
                             ("neighbours", RTM_GETNEIGH, bytes(12))):
        save_dump("rtnetlink", name, b"", messages(NETLINK_ROUTE, kind, body))


def dump_conntrack():
    """Tracked connections of TCP, UDP and ICMP, of both families; the rules are those of main()."""
    with contextlib.ExitStack() as stack:
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            listener = stack.enter_context(socket.create_server((address, 0), family=family))
            stack.enter_context(socket.create_connection(listener.getsockname()[:2]))
            datagrams = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            datagrams.sendto(b"x", (address, 9))
        raw = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
        raw.sendto(struct.pack("!BBHHH", 8, 0, 0xb2ff, 0x4500, 0), ("127.0.0.1", 0))
        for number, message in enumerate(messages(NETLINK_NETFILTER, CONNTRACK_GET, bytes(4))):
            save("conntrack", f"entry{number}", message + DONE)


# --- files ---

def lines(path, count, skip=0):
    with contextlib.suppress(OSError):
        return b"".join(Path(path).read_bytes().splitlines(keepends=True)[skip:skip + count])
    return b""


def copy_files():
    for number, name in enumerate(("tcp", "tcp6", "udp", "raw6", "unix", "packet", "netlink")):
        save("proc_net", name, str(number).encode() + lines(f"/proc/net/{name}", 8))
    for number, names in enumerate((("snmp", "netstat"), ("snmp6",), ("sockstat", "sockstat6"), ("softnet_stat",))):
        for name in names:
            text = lines(f"/proc/net/{name}", 14 if name != "softnet_stat" else 2)
            if name in ("snmp", "netstat"):  # short seeds are fast ones
                text = b"".join(b" ".join(line.split()[:9]) + b"\n" for line in text.splitlines())
            if name == "softnet_stat":  # is of the whole machine
                text = re.sub(rb"0[0-9a-f]{7}", b"000000ff", text)
            save("counters", name, str(number).encode() + text)
    for number, name in enumerate(("igmp", "igmp6", "dev_mcast", "ipv6_route", "if_inet6")):
        save("network", name, str(number).encode() + lines(f"/proc/net/{name}", 10))
    stat = Path("/proc/self/stat").read_bytes()
    save("process", "stat", b"0" + re.sub(rb"\d{4,}", b"4711", stat))
    save("process", "limits", b"3" + lines("/proc/self/limits", 20))
    mount = [line for line in lines("/proc/self/mountinfo", 1000).splitlines() if b" - cgroup2 " in line]
    save("process", "mount", b"4" + b"".join(mount[:1]))


# --- packets ---

SEEDS_OF_A_DISSECTOR = 6


def dump_packets():
    """The headers that fuzz_dissect.c has itself are left out; the byte before says what is shown: -v, -e, TLS and QUIC."""
    sys.path.insert(0, str(CORPUS.parent.parent / "compat"))
    import packets

    hello = bytes.fromhex("16030100500100004c0303") + bytes(32) + bytes.fromhex(
        "000002130101000021000000100000e0000b6578616d706c652e636f6d0010000500030268320000")
    quic = bytes.fromhex("c00000000108f0f1f2f3f4f5f6f704a0a1a2a300") + bytes(30)
    frames, behind = list(packets.ethernet_packets()), {}
    for number, kind, skip in ((6, 0x0800, 54), (8, 0x0800, 42), (10, 0x0800, 34), (11, 0x86dd, 54), (12, 0x86dd, 54), (4, 0x0806, 14), (7, 0x86dd, 54)):
        protocol = {6: 6, 8: 17, 10: 1, 11: 58, 12: 0, 7: 6}.get(number)
        skip = {6: 34, 8: 34}.get(number, skip)
        behind[number] = [frame[skip:] for frame in frames if frame[12:14] == kind.to_bytes(2, "big") and len(frame) > skip and
                          (protocol is None or frame[{0x0800: 23, 0x86dd: 20}[kind]] == protocol)]
    behind |= {0: list(packets.link_packets()), 1: [b"\2\0\0\0" + frame[14:] for frame in behind[8][:9]], 5: [frame[14:] for frame in packets.ipv4_packets()],
               2: [packets.sll(frame) for frame in packets.link_packets() if len(frame) > 14], 3: [packets.sll2(frame) for frame in packets.link_packets() if len(frame) > 14],
               13: [packets.extension(17, b"\0\1" + bytes(20)), packets.extension(6, b"\4\0\0\0\0\0" + bytes(16))], 14: list(packets.dns_messages()), 9: [packets.udp(b"x")],
               15: list(packets.dns_messages())[5:], 16: [len(data).to_bytes(2, "big") + data for data in packets.dns_messages()],
               17: [frame[54:] for frame in packets.http_packets()], 18: [hello], 19: [quic]}
    for number, seeds in behind.items():
        for count, seed in enumerate(seeds[::max(1, len(seeds) // SEEDS_OF_A_DISSECTOR)]):
            save("dissect", f"{number:02}-{count}", bytes([ord("0") + number, (2, 8, 13, 1)[count % 4]]) + seed)


def main():
    if sys.argv[1:] == ["--inside"]:
        dump_sockets()
        dump_network()
        dump_conntrack()
        copy_files()
        return
    dump_packets()
    from live import BUILD, mksock, netns, run  # needs root

    with netns() as ns, contextlib.ExitStack() as stack:
        for command in ("link add seed0 type veth peer name seed1", "link set seed0 address 02:00:00:00:00:01 up",
                        "link set seed1 address 02:00:00:00:00:02 up", "address add 192.0.2.1/24 dev seed0",
                        "address add 2001:db8::1/64 dev seed0 nodad", "neighbour add 192.0.2.9 dev seed0 lladdr 02:00:00:00:00:09",
                        "route add 198.51.100.0/24 via 192.0.2.9",
                        "route add 203.0.113.0/24 nexthop via 192.0.2.7 nexthop via 192.0.2.8",
                        "route add 2001:db8:1::/48 via 2001:db8::9 metric 77"):
            ns.run(["ip", *command.split()])
        ns.run(["nft", "add table inet t; add chain inet t in { type filter hook input priority 0; };"
                       "add rule inet t in ct state new accept"])
        for setting in ("acct", "timestamp"):
            ns.run(["sh", "-c", f"echo 1 > /proc/sys/net/netfilter/nf_conntrack_{setting}"])
        for situation in (("listening", "port=8080"), ("listening-v6only",), ("listening-dual",), ("established", "recvq=100", "keepalive=7200"), ("time-wait",),
                          ("mptcp-established",), ("udp-connected",), ("raw",), ("sctp-listening",),
                          ("unix-abstract-nul",), ("unix-connected", "abstract=seed"), ("packet", "iface=lo"),
                          ("netlink", "groups=1"), ("vsock-listening",)):
            with contextlib.suppress(Exception):  # a kernel without SCTP has no such seed
                stack.enter_context(mksock(ns, *situation))
        ns.run([sys.executable, __file__, "--inside"], env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    save("snapshot", "everything", run([BUILD / "tests/fuzz/make_snapshot"]).out.encode("utf-8", "surrogateescape"))


main()
