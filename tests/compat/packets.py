# SPDX-License-Identifier: MIT
"""Packets made by hand, of all kinds that nwho dissects: right ones, odd ones and broken ones. The same ones each time."""
import ipaddress
import random
import struct

ETHERNET, NULL, RAW, SLL, SLL2 = 1, 0, 101, 113, 276  # LINKTYPE_ of pcap files
MACS = bytes.fromhex("02000000000202000000000a")
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def address(text):
    return ipaddress.ip_address(text).packed


A4, B4 = address("192.0.2.1"), address("198.51.100.7")
A6, B6 = address("2001:db8::1"), address("2001:db8:0:7::2")
MULTICAST6 = address("ff02::1")


# --- layers ---

def ethernet(payload, kind=0x0800, macs=MACS):
    return macs + struct.pack("!H", kind) + payload


def vlan(payload, tag, kind=0x0800, outer=0x8100):
    return ethernet(struct.pack("!HH", tag, kind) + payload, outer)


def ipv4(payload, protocol, source=A4, to=B4, options=b"", ttl=64, tos=0, ident=7, fragment=0x4000, length=None,
         header=None, bad=False, version=4):
    options += bytes(-len(options) % 4)
    size = 20 + len(options)
    whole = struct.pack("!BBHHHBBH4s4s", version << 4 | (size // 4 if header is None else header), tos,
                        size + len(payload) if length is None else length, ident, fragment, ttl, protocol, 0, source,
                        to) + options
    total = checksum(whole) ^ (0x1234 if bad else 0)
    return whole[:10] + struct.pack("!H", total) + whole[12:] + payload


def ipv6(payload, following, source=A6, to=B6, hops=64, traffic=0, length=None, version=6):
    return struct.pack("!IHBB16s16s", version << 28 | traffic, len(payload) if length is None else length, following,
                       hops, source, to) + payload


def pseudo(protocol, payload, source, to):
    if len(source) == 4:
        return struct.pack("!4s4sBBH", source, to, 0, protocol, len(payload))
    return struct.pack("!16s16sII", source, to, len(payload), protocol)


def summed(protocol, payload, at, source, to, bad=False):
    total = checksum(pseudo(protocol, payload, source, to) + payload) ^ (0x0101 if bad else 0)
    return payload[:at] + struct.pack("!H", total) + payload[at + 2:]


def tcp(payload=b"", flags=0x10, sport=1025, dport=9, seq=1000, ack=2000, options=b"", window=512, urgent=0, header=None,
        bad=False, source=A4, to=B4):
    options += bytes(-len(options) % 4)
    size = 5 + len(options) // 4 if header is None else header
    whole = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, size << 4, flags, window, 0,
                        urgent) + options + payload
    return summed(TCP, whole, 16, source, to, bad)


def udp(payload=b"", sport=1025, dport=9, length=None, bad=False, none=False, source=A4, to=B4):
    whole = struct.pack("!HHHH", sport, dport, 8 + len(payload) if length is None else length, 0) + payload
    return whole if none else summed(UDP, whole, 6, source, to, bad)


def icmp(kind, code=0, rest=b"", bad=False):
    whole = struct.pack("!BBH", kind, code, 0) + rest
    return whole[:2] + struct.pack("!H", checksum(whole) ^ (1 if bad else 0)) + whole[4:]


def icmp6(kind, code=0, rest=b"", bad=False, source=A6, to=B6):
    return summed(ICMP6, struct.pack("!BBH", kind, code, 0) + rest, 2, source, to, bad)


def v4(payload, protocol, **fields):
    return ethernet(ipv4(payload, protocol, **fields))


def v6(payload, following, **fields):
    return ethernet(ipv6(payload, following, **fields), 0x86dd)


def tcp4(*args, **fields):
    return v4(tcp(*args, **fields), TCP)


def tcp6(*args, **fields):
    return v6(tcp(*args, source=A6, to=B6, **fields), TCP)


def udp4(*args, **fields):
    return v4(udp(*args, **fields), UDP)


def udp6(*args, **fields):
    return v6(udp(*args, source=A6, to=B6, **fields), UDP)


def option(kind, value=b""):
    return bytes([kind, 2 + len(value)]) + value


# --- of each protocol ---

def link_packets():
    inner = ipv4(tcp(), TCP)
    yield vlan(inner, 7)
    yield vlan(inner, 0xf007, outer=0x88a8)
    yield vlan(struct.pack("!HH", 9, 0x86dd) + ipv6(udp(b"x", source=A6, to=B6), UDP), 0x2005, 0x8100, 0x9100)
    yield vlan(inner, 7, outer=0x9200)
    yield ethernet(b"\x00\x07\x08")[:16] + b""
    yield ethernet(struct.pack("!H", 5), 0x8100)
    for kind in (0x88b7, 0x1234, 0x9999, 0x88b5, 0x6007):
        yield ethernet(bytes(range(40)), kind)
    yield ethernet(bytes(range(33)), 0xfffe)
    yield vlan(bytes(20), 7, 0x1234)
    yield ethernet(b"", 0x0800)
    yield ethernet(b"")[:10]
    yield ethernet(b"\x45", 0x0800)
    for control in (b"\x03", b"\xaf\x81\x01\x02", b"\xbf", b"\xaf\x81", b"\xaf\x00", b"\xf3ab", b"\x63", b"\x0f", b"\x6f", b"\x87xx",
                    b"\x01\x02", b"\x05\x03", b"\x09\x05", b"\x0d\x05", b"\x02\x04data", b"\x00\x01"):
        for access in (b"\x04\x04", b"\xf4\x05", b"\x7e\x7f", b"\x10\x22", b"\x00\x01"):
            frame = access + control
            yield ethernet(frame, len(frame))
    for frame in (b"\xaa\xaa\x03\0\0\0\x08\x00" + inner, b"\xaa\xaa\x03\0\0\0\x12\x34abcdef", b"\xaa\xaa\x03\0\0\xf8\x86\xdd" +
                  ipv6(b"", 59), b"\xaa\xaa\x03\x11\x22\x33\x00\x01hello", b"\xaa\xaa\x03\0\0", b"\x06\x06\x03" + inner, b"\x04", b"\x04\x04",
                  b"\xaa\xaa\x03\0\0\0\x08\x06" + b"\0" * 3):
        yield ethernet(frame, len(frame))
        yield ethernet(frame + b"padding", len(frame))
        yield ethernet(frame, 0x8870)
        yield ethernet(frame, 1400)


def arp(operation, hardware=1, protocol=0x0800, sizes=(6, 4), ends=None):
    ends = ends or (MACS[6:], A4, bytes(6), B4)
    return ethernet(struct.pack("!HHBBH", hardware, protocol, *sizes, operation) + b"".join(ends), 0x0806)


def arp_packets():
    for operation in (1, 2, 3, 4, 8, 9, 10, 11, 0, 65535):
        for hardware in (1, 6, 32, 99):
            yield arp(operation, hardware)
    yield arp(1, ends=(MACS[6:], A4, MACS[:6], B4))
    yield arp(1, protocol=0x1000)
    for operation in (1, 2, 3, 4, 8, 9):
        yield arp(operation, protocol=0x86dd, sizes=(6, 16), ends=(MACS[6:], A6, bytes(6), B6))
        yield arp(operation, sizes=(0, 4), ends=(A4, B4))
        yield arp(operation, sizes=(8, 4), ends=(bytes(range(8)), A4, bytes(range(8)), B4))
        yield arp(operation, sizes=(6, 8), ends=(MACS[6:], A4 + B4, bytes(6), A4 + B4))
        yield arp(operation, sizes=(1, 4), ends=(b"\7", A4, b"\1", B4))
        yield arp(operation) + b"padding behind it"
        yield arp(operation, sizes=(200, 4))


def ipv4_packets():
    for protocol in list(range(0, 260 - 4, 7)) + [59, 61, 63, 99, 253, 254, 255]:
        if protocol in (2, 4, 6, 8, 9, 17, 33, 41, 46, 47, 50, 51, 55, 77, 88, 89, 103, 108, 112, 113, 132):
            continue
        yield v4(b"payload", protocol)
        yield v4(b"later", protocol, fragment=0x2005)
    for tos in (0, 1, 2, 3, 0xb8, 0xff):
        yield v4(udp(b"tos"), UDP, tos=tos, ttl=tos % 3)
    for fragment in (0, 0x2000, 0x4000, 0x8000, 0xe000, 0x6000, 0x2001, 0x1fff, 0x0064):
        for protocol, payload in ((UDP, udp(b"x" * 64)), (TCP, tcp(b"y" * 30)), (ICMP, icmp(8, 0, bytes(40))), (200, bytes(20))):
            yield v4(payload, protocol, fragment=fragment)
    yield v4(tcp(), TCP, bad=True)
    yield v4(tcp(), TCP, length=0)
    yield v4(tcp(), TCP, length=10)
    yield v4(tcp(), TCP, length=30)
    yield v4(tcp(), TCP, length=1500)
    yield v4(tcp(), TCP) + b"trailer of the frame"
    for header in (0, 3, 4, 6, 15):
        yield v4(tcp(), TCP, header=header)
    for version in (0, 5, 6, 15):
        yield v4(tcp(), TCP, version=version)
    for inner in (ipv4(udp(b"inner"), UDP), ipv4(tcp(), TCP, bad=True)):
        yield v4(inner, 4)
        yield v4(ipv4(inner, 4), 4)
    yield v4(ipv6(udp(b"6 in 4", source=A6, to=B6), UDP), 41)
    yield v4(b"", 59)
    yield v4(b"\x60", 4)
    yield v4(icmp6(128, 0, b"1234"), ICMP6)
    hops = A4 + B4 + A4
    times = struct.pack("!III", 1, 2, 3)
    for options in (b"\1\1\1\0", b"\0", option(7, b"\4" + hops), option(7, b"\10" + hops), option(131, b"\4" + hops), option(137, b"\20" + hops),
                    option(7, b"\5" + hops), option(7, b"\4" + hops[:6]), option(7), option(7, b"\3"), option(68, b"\5\0" + times),
                    option(68, b"\11\0" + times), option(68, b"\5\1" + hops[:4] + times[:4]), option(68, b"\15\x21" + hops[:4] + times[:4]),
                    option(68, b"\5\3" + hops[:4] + times[:4]), option(68, b"\5\2" + times), option(68, b"\1\0" + times),
                    option(68, b"\5\1" + times), option(68), option(68, b"\5"), option(148, b"\0\0"), option(148, b"\0\1"), option(148, b"\1"),
                    option(130, bytes(9)), option(82, bytes(10)), option(99, b"ab"), b"\x07\x01", b"\x07\x00", b"\x44\x28\x05\x00", b"\x07",
                    b"\1" + option(148, b"\0\0") + option(7, b"\4" + A4)):
        yield v4(udp(b"options"), UDP, options=options)
        yield v4(tcp(b"options", source=A4), TCP, options=options)


def extension(following, rest):
    rest += bytes(-(len(rest) + 2) % 8)
    return bytes([following, (len(rest) + 2) // 8 - 1]) + rest


def ipv6_packets():
    inner = udp(b"behind headers", source=A6, to=B6)
    pads = (b"\1\4" + bytes(4), b"\0" * 6, b"\5\2\0\0\1\0", b"\5\2\0\1\1\0", b"\5\3\0\0\0\0", b"\xc2\4\0\1\0\0", b"\xc2\4\0\0\1\0", b"\xc2\3\0\0\1\0",
            b"\xc9\x10" + A6 + b"\1\2\0\0", b"\xc9\x12" + A6 + b"\0\0\1\0", b"\xc9\x05" + bytes(5), b"\x1e\2ab\1\0", b"\1\x20", b"\x1e\xff", b"\1",
            b"\xc9\x14" + A6 + b"\x77\2ab\0\0", b"\xc2\4\0\1\0\0\xc2\4\0\1\0\0")
    for options in pads:
        for kind in (0, 60):
            yield v6(extension(UDP, options) + inner, kind)
            yield v6(extension(UDP, options) + inner, kind, length=0)
    for kind in (0, 60, 43, 44):
        yield v6(extension(0, b"\1\4") + extension(UDP, b"\1\4") + inner, kind)
        yield v6(bytes([UDP]), kind)
        yield v6(bytes([UDP, 200]) + bytes(6) + inner, kind)
        yield v6(extension(60, b"\1\4") + extension(kind, b"\1\4") + extension(TCP, b"\1\4") + tcp(source=A6, to=B6), 60)
    for routing in (b"\0\1" + bytes(4) + MULTICAST6, b"\0\0" + bytes(4), b"\2\1\0\0\0\1" + A6, b"\2\0" + bytes(4) + A6 + B6, b"\4\1\1\0\0\7" + A6 + B6,
                    b"\4\0\0\7\0\0" + A6, b"\4\0\0\0\0\0" + bytes(8), b"\3\0" + bytes(4), b"\0\1" + bytes(4) + bytes(8), b"\2\0\0\0\0\0" + bytes(8)):
        yield v6(extension(UDP, routing) + inner, 43)
        yield v6(extension(TCP, routing) + tcp(source=A6, to=B6, flags=2), 43)
    for offset in (0, 1, 8, 9, 0xfff8):
        for following, payload in ((UDP, inner), (TCP, tcp(source=A6, to=B6)), (ICMP6, icmp6(128, 0, bytes(12)))):
            yield v6(struct.pack("!BBHI", following, 0, offset, 77) + payload, 44)
    yield v6(struct.pack("!BBHI", 59, 0, 0, 77), 44)
    yield v6(extension(44, b"\1\4") + struct.pack("!BBHI", UDP, 0, 8, 77) + inner, 0)
    for traffic in (0x0ff00000, 0x000fffff, 0x01234567, 0x00200000):
        yield v6(inner, UDP, traffic=traffic)
    for length in (0, 1, 7, 8, 2000):
        yield v6(inner, UDP, length=length)
        yield v6(icmp6(128, 0, bytes(12)), ICMP6, length=length)
    for version in (0, 4, 7):
        yield v6(inner, UDP, version=version)
    yield v6(b"", 59)
    yield v6(icmp(8, 0, bytes(8)), ICMP)
    yield v6(ipv6(inner, UDP), 41)
    yield v6(ipv4(udp(b"4 in 6"), UDP), 4)
    yield v6(ethernet(ipv4(udp(b"ether"), UDP)), 143)
    for following in (61, 63, 99, 140, 253, 255):
        yield v6(b"unknown", following)


def tcp_option_values():
    key = bytes(range(8))
    yield from (b"", b"\0", b"\1\1", option(2, b"\5\xb4"), option(3, b"\7"), option(4), option(5, bytes(8)), option(5, struct.pack("!IIII", 2100, 2200, 2300, 2400)),
                option(5, b"abc"), option(5), option(6, key[:4]), option(7, key[:4]), option(8, key), option(11, key[:4]), option(12, key[:4]),
                option(13, key[:4]), option(19, bytes(16)), option(20, b"\1\2"), option(28, b"\0\x20"), option(28, b"\x80\x21"), option(29, b"\1\2"),
                option(29, b"\1\2" + key), option(29, b"\1"), option(29), option(34), option(34, key), option(34, key[:3]), option(34, bytes(18)),
                option(254, b"\xf9\x89"), option(254, b"\xf9\x89" + key), option(254, b"\x12\x34ab"), option(254, b"\1"), option(253, b"ab"), option(99),
                option(99, key), option(2, b"\1"), option(2, b"\1\2\3"), option(3, b"\1\2"), option(8, key + b"\1"), option(8, b"\1"), option(4, b"\1"),
                b"\2\0", b"\2\1", b"\2\x28\5\xb4", b"\5\x22" + bytes(30), b"\1\2\4\5\xb4", b"\1\1\1\2", option(2, b"\5\xb4") + option(4) + option(8, key) + b"\1" + option(3, b"\7"),
                b"\1\1" + option(8, key), b"\1\1" + option(5, bytes(16)) + b"\1\1" + option(8, key))


def mptcp_option_values():
    key = bytes(range(0xa0, 0xa8))
    for sub in (b"\x00\x81", b"\x01\x01", b"\x02\x00"):
        for rest in (b"", key, key + key, key + key + b"\0\1", key[:3]):
            yield sub + rest
    for rest in (b"\x10\1" + key, b"\x11\2" + key + key[:4], b"\x10\0" + key + key + key[:4], b"\x11\2"):
        yield rest
    for bits in range(32):
        for size in (0, 4, 8, 10, 12, 14, 18, 20, 22, 24, 26):
            if size in (10, 14, 18, 22, 26) or bits % 3 == 0:
                yield bytes([0x20, bits]) + (key * 4)[:size]
    for echo in (0x30, 0x31, 0x34, 0x36, 0x3f):
        for size in (4, 6, 12, 14, 16, 18, 24, 26, 5):
            yield bytes([echo, 5]) + (key * 4)[:size]
    yield from (b"\x40\1", b"\x40\1\2\3", b"\x40", b"\x50", b"\x51\7", b"\x51\7\1", b"\x60\0" + key, b"\x60\0", b"\x70\0" + key, b"\x80\0", b"\xf0\0abc", b"")


def tcp_packets():
    for flags in list(range(64)) + [0x40, 0x80, 0xc2, 0xff]:
        yield tcp4(b"data" * (flags % 3), flags=flags, seq=5000 + flags, urgent=flags)
    for number, options in enumerate(tcp_option_values()):
        yield tcp4(flags=2, options=options, sport=2000 + number)
        yield tcp4(b"data", flags=0x10, options=options, sport=2000 + number)
        yield tcp6(b"data", flags=0x12, options=options, sport=2000 + number)
    for number, value in enumerate(mptcp_option_values()):
        yield tcp4(flags=(2, 0x12, 0x10)[number % 3], options=option(30, value), sport=2500 + number)
        yield tcp4(flags=(0x10, 2, 0x12)[number % 3], options=option(30, value) + option(4), sport=2500 + number)
    for header in (0, 4, 6, 15):
        yield tcp4(b"header", header=header)
        yield tcp6(header=header)
    yield tcp4(bad=True)
    yield tcp6(bad=True)
    for text in (b"", b"why", b"a reason that is longer than thirty bytes", b"\x1b[31m\xff\x80\n"):
        yield tcp4(text, flags=4)
        yield tcp6(text, flags=0x14)


def tcp_conversations():
    for number, make in enumerate((tcp4, tcp6)):
        for port in (80, 8080, 443):
            ours, theirs = 0xfffffff0 + port, 77777
            port_a = 40000 + number
            yield make(flags=2, sport=port_a, dport=port, seq=ours, ack=0)
            yield make(flags=0x12, sport=port, dport=port_a, seq=theirs, ack=ours + 1)
            yield make(flags=0x10, sport=port_a, dport=port, seq=ours + 1, ack=theirs + 1)
            yield make(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", flags=0x18, sport=port_a, dport=port, seq=ours + 1, ack=theirs + 1)
            yield make(b"HTTP/1.1 200 OK\r\n\r\nbody", flags=0x18, sport=port, dport=port_a, seq=theirs + 1, ack=ours + 38)
            sack = option(5, struct.pack("!II", (ours + 38) & 0xffffffff, (ours + 48) & 0xffffffff))
            yield make(flags=0x10, sport=port, dport=port_a, seq=theirs + 24, ack=ours + 38, options=b"\1\1" + sack)
            yield make(flags=0x11, sport=port_a, dport=port, seq=ours + 38, ack=theirs + 24)
            yield make(flags=0x14, sport=port, dport=port_a, seq=theirs + 24, ack=ours + 39)
            yield make(flags=2, sport=port_a, dport=port, seq=1, ack=0)
            yield make(flags=0x12, sport=port, dport=port_a, seq=2, ack=2)
            yield make(b"x", flags=0x18, sport=port_a, dport=port, seq=2, ack=3)
    yield tcp4(flags=0x10, sport=7, dport=7, seq=100, ack=200)
    yield v4(tcp(flags=0x10, sport=7, dport=7, seq=200, ack=110, source=B4, to=A4), TCP, source=B4, to=A4)


def http_packets():
    for text in (b"GET /index.html HTTP/1.0\n", b"POST /x HTTP/1.1\r\nA: b\r\n\r\n{}", b"get / HTTP/1.1\r\n", b"HTTP/1.0 404 Not Found\r\n\r\n",
                 b"HTTP/1.1 20 x\r\n", b"HTTP/1.1 2000 x\r\n", b"HTTP/1.1\r\n", b"NONSENSE / HTTP/1.1\r\n", b"\x16\x03\x01", b"GET", b"GET ", b" GET /\r\n",
                 b"GET / no line end", b"GET / cr\rmid\r\n", b"GET /\x00\r\n", b"GET /\ttab\r\n", b"GET /\xff\r\n", b"GET / end\r", b"", b"\r\n",
                 b"A" * 200 + b" x", b"OPTIONS * HTTP/1.1\r\nX: \x1b[2J\r\n", b"PROPFIND / HTTP/1.1\r\n\r\n", b"VERSION-CONTROL / HTTP/1.1\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"<html>\nline\nline", b"word 304"):
        yield tcp4(text, flags=0x18, dport=80)
        yield tcp6(text, flags=0x18, sport=8080)


def udp_packets():
    for payload in (b"", b"x", bytes(100)):
        yield udp4(payload)
        yield udp6(payload)
        yield udp4(payload, none=True)
        yield udp6(payload, none=True)
        yield udp4(payload, bad=True)
        yield udp6(payload, bad=True)
    for length in (0, 1, 7, 8, 12, 100, 65535):
        yield udp4(b"length", length=length)
        yield udp6(b"length", length=length)
        yield v4(udp(b"length", length=length), UDP, fragment=0x2000)
    for size in range(8):
        yield v4(udp()[:size], UDP)
        yield v6(udp()[:size], UDP)
    for size in range(20):
        yield v4(tcp()[:size], TCP)
        yield v6(tcp()[:size], TCP)


# --- ICMP ---

def quoted(protocol=UDP, options=b"", size=None):
    payload = udp(b"quoted") if protocol == UDP else tcp(b"quoted")
    whole = ipv4(payload, protocol, options=options)
    return whole if size is None else whole[:size]


def icmp_packets():
    for kind in range(0, 44):
        for code in (0, 1, 5):
            yield v4(icmp(kind, code, bytes([0, 1, 2, 3]) + bytes(range(40))), ICMP)
    for code in range(18):
        for quote in (quoted(), quoted(TCP), quoted(99), quoted(options=b"\1\1\1\0"), quoted(size=28), quoted(size=20), quoted(size=12), b""):
            yield v4(icmp(3, code, b"\0\0\5\xdc" + quote), ICMP)
    yield v4(icmp(3, 4, bytes(4) + quoted()), ICMP)
    for kind in (4, 11, 12):
        for code in range(3):
            yield v4(icmp(kind, code, b"\x14\0\0\0" + quoted()), ICMP)
    for code in range(5):
        yield v4(icmp(5, code, A4 + quoted()), ICMP)
    for lifetime in (30, 90, 4000):
        for count, size in ((0, 2), (1, 2), (3, 2), (9, 2), (1, 3)):
            yield v4(icmp(9, 0, struct.pack("!BBH", count, size, lifetime) + (A4 + b"\0\0\0\1") * 3), ICMP)
    yield v4(icmp(14, 0, struct.pack("!HHIII", 7, 8, 1, 3600000, 86399999)), ICMP)
    yield v4(icmp(14, 0, struct.pack("!HHIII", 7, 8, 0x80000001, 0xffffffff, 0)), ICMP)
    yield v4(icmp(8, 0, bytes(20), bad=True), ICMP)
    yield v4(icmp(3, 3, bytes(4) + quoted(), bad=True), ICMP)
    for size in range(12):
        for kind in (0, 3, 5, 9, 11, 12, 13, 14, 18, 40):
            yield v4(icmp(kind, 0, bytes(20))[:size], ICMP)
    objects = struct.pack("!HBBI", 8, 1, 1, 0x12345178) + struct.pack("!HBB", 9, 2, 3) + b"iface" + struct.pack("!HBB", 4, 7, 1) + bytes(3)
    for version in (0x20, 0x10):
        for length in (0, 32):
            for right in (True, False):
                rest = bytes([version, 0, 0, 0]) + objects
                total = checksum(rest)
                rest = rest[:2] + struct.pack("!H", total if right else total ^ 5) + rest[4:]
                quote = quoted(size=28).ljust(128, b"\0")
                for kind in (3, 11, 12, 5):
                    yield v4(icmp(kind, 1, bytes([0, length, 0, 0]) + quote + rest), ICMP)
    yield v4(icmp(11, 0, b"\0\x20\0\0" + quoted(size=28).ljust(128, b"\0") + b"\x20\0\0\0\0\0\0\0\0"), ICMP)
    nested = ipv4(icmp(3, 1, bytes(4) + ipv4(icmp(11, 0, bytes(4) + quoted()), ICMP)), ICMP)
    yield v4(icmp(3, 3, bytes(4) + nested), ICMP)


def quoted6(following=UDP, before=b"", size=None):
    payload = udp(b"quoted", source=A6, to=B6)
    whole = ipv6(before + payload, following if not before else before[0] * 0 + following)
    return whole if size is None else whole[:size]


def neighbor_options():
    prefix = struct.pack("!BBIII16s", 64, 0xc0, 3600, 0xffffffff, 0, A6)
    yield from (b"", option8(1, MACS[:6]), option8(2, MACS[:6]), option8(2, bytes(14)), option8(3, prefix), option8(3, prefix + bytes(8)), option8(3, bytes(6)),
                option8(5, struct.pack("!HI", 0, 1500)), option8(5, bytes(14)), option8(4, bytes(6) + quoted6()), option8(7, struct.pack("!HI", 0, 30000)),
                option8(8, struct.pack("!HHH", 0, 5, 600)), option8(24, struct.pack("!BBI", 0, 8, 100)), option8(24, struct.pack("!BBI", 64, 0x18, 100) + A6[:8]),
                option8(24, struct.pack("!BBI", 128, 0x10, 0xffffffff) + A6), option8(24, struct.pack("!BBI", 128, 0, 1) + bytes(24)),
                option8(25, struct.pack("!HI", 0, 300) + A6), option8(25, struct.pack("!HI", 0, 300) + A6 + B6), option8(25, struct.pack("!HI", 0, 300)),
                option8(31, struct.pack("!HI", 0, 300) + b"\7example\3com\0\3lan\0"), option8(31, struct.pack("!HI", 0, 300) + b"\7examp"),
                option8(31, struct.pack("!HI", 0, 300) + b"\xc0\x00"), option8(99, b"unknown"), option8(99, b"unknown") + option8(1, MACS[:6]), b"\1\0", b"\1", b"\1\x09" + bytes(6),
                option8(1, MACS[:6]) + option8(5, struct.pack("!HI", 0, 1500)) + option8(3, prefix))


def option8(kind, value):
    value += bytes(-(len(value) + 2) % 8)
    return bytes([kind, (len(value) + 2) // 8]) + value


def icmp6_packets():
    for kind in list(range(0, 8)) + list(range(127, 163)) + [200, 201, 255]:
        if kind in (138, 139, 140, 155):
            continue
        for code in (0, 1, 9):
            yield v6(icmp6(kind, code, b"\0\0\0\7" + bytes(range(60))), ICMP6)
    for code in range(7):
        for quote in (quoted6(), quoted6(TCP), quoted6(0, bytes([UDP, 0, 1, 4, 0, 0, 0, 0])), quoted6(44, bytes([TCP, 0, 0, 0, 0, 0, 0, 1])),
                      quoted6(44, bytes([TCP, 0, 0, 8, 0, 0, 0, 1])), quoted6(51, bytes([UDP, 1]) + bytes(10)), quoted6(59), quoted6(size=41), quoted6(size=20), b""):
            yield v6(icmp6(1, code, bytes(4) + quote), ICMP6)
    for kind in (2, 3, 4):
        for code in range(5):
            for size in (None, 39, 3):
                yield v6(icmp6(kind, code, b"\0\0\5\0" + quoted6(size=size)), ICMP6)
    for options in neighbor_options():
        yield v6(icmp6(133, 0, bytes(4) + options), ICMP6)
        yield v6(icmp6(134, 0, struct.pack("!BBHII", 64, 0xc8, 1800, 1, 2) + options), ICMP6)
        yield v6(icmp6(135, 0, bytes(4) + B6 + options), ICMP6)
        yield v6(icmp6(136, 0, b"\xe0\0\0\0" + B6 + options), ICMP6)
        yield v6(icmp6(137, 0, bytes(4) + A6 + B6 + options), ICMP6)
        yield v6(icmp6(147, 0, b"\0\7\xc0\0" + options), ICMP6)
    for flags in (0, 0x80, 0x60, 0x1a, 0x10, 0xff):
        yield v6(icmp6(134, 0, struct.pack("!BBHII", 0, flags, 0, 0, 0)), ICMP6)
        yield v6(icmp6(136, 0, bytes([flags]) + bytes(3) + B6), ICMP6)
    for length in range(0, 36, 2):
        for kind in (130, 131, 132, 143, 135, 137):
            yield v6(icmp6(kind, 0, (b"\0\1\0\1" + MULTICAST6 + bytes(range(20)))[:length]), ICMP6)
    for delay, flags, interval, count, sources in ((1, 0, 5, 0, b""), (0x8123, 0x0a, 0x9f, 1, A6), (9, 7, 1, 2, A6 + B6), (9, 7, 1, 9, A6)):
        yield v6(icmp6(130, 0, struct.pack("!HH16sBBH", delay, 0, MULTICAST6, flags, interval, count) + sources), ICMP6)
    for kind in range(8):
        group = struct.pack("!BBH16s", kind, 0, 1, MULTICAST6) + A6
        yield v6(icmp6(143, 0, struct.pack("!HH", 0, 2) + group + group), ICMP6)
        yield v6(icmp6(143, 0, struct.pack("!HH", 0, 3) + group + struct.pack("!BBH16s", kind, 0, 50, MULTICAST6)), ICMP6)
    yield v6(icmp6(128, 0, b"\1\2\3\4", bad=True), ICMP6)
    yield v6(b"", ICMP6)
    yield v6(icmp6(145, 0, b"\0\7\0\0" + A6 + B6), ICMP6)
    yield v6(icmp6(145, 0, b"\0\7\0\0" + A6 + B6[:5]), ICMP6)


# --- DNS ---

def name(text):
    return b"".join(bytes([len(part)]) + part for part in text.split(b".") if part) + b"\0"


def record(owner, kind, data, group=1, ttl=3661):
    return owner + struct.pack("!HHIH", kind, group, ttl, len(data)) + data


def message(flags=0x0100, questions=(), answers=(), authorities=(), additions=(), counts=None, ident=4660):
    counts = counts or (len(questions), len(answers), len(authorities), len(additions))
    return struct.pack("!HHHHHH", ident, flags, *counts) + b"".join((*questions, *answers, *authorities, *additions))


def question(text=b"www.example.com", kind=1, group=1):
    return name(text) + struct.pack("!HH", kind, group)


def record_data():
    pointer = b"\xc0\x0c"
    yield from ((1, A4), (1, A4[:3]), (28, B6), (28, B6[:15]), (2, pointer), (5, name(b"cname.example.")), (12, b"\4host" + pointer), (39, pointer),
                (6, pointer + name(b"admin.example") + struct.pack("!IIIII", 1, 2, 3, 4, 5)), (6, pointer + pointer + bytes(10)), (6, pointer),
                (15, b"\0\x0a" + pointer), (15, b"\0"), (16, b"\5hello\6wor\x1bld"), (16, b"\x20short"), (16, b""), (33, struct.pack("!HHH", 1, 2, 443) + pointer),
                (33, b"\0\1"), (38, b"\0" + A6), (38, b"\x40" + A6[8:] + pointer), (38, b"\x80" + pointer), (38, b"\xff" + A6), (38, b""), (256, b"\0\1\0\2https://x/"),
                (256, b"\0\1"), (104, b"unspec\x07"), (250, name(b"hmac") + bytes(6) + struct.pack("!HH", 300, 4) + b"macs" + struct.pack("!HHH", 7, 8, 0)),
                (250, name(b"hmac") + bytes(3)), (13, b"\3cpu\2os"), (43, bytes(10)), (46, bytes(30)), (48, bytes(8)), (65, b"\0\1\0"), (255, b""), (12345, b"x"))


def edns_options():
    for code, values in ((3, (b"", b"nsid\xff")), (5, (bytes([0, 1, 3, 8, 13, 15, 200, 253]),)), (6, (b"\1\2\3\4\5",)), (7, (b"\1\2",)),
                         (8, (b"\0\1\x18\0" + A4[:3], b"\0\2\x38\0" + A6[:7], b"\0\1\x18\0" + A4, b"\0\3\0\0", b"\0\1\x30\0" + A4 + b"x", b"\0\1", b"\0\1\0\x21", b"\0\2\x80\x80" + A6)),
                         (9, (b"\0\0\1\0", b"\0")), (10, (bytes(8), bytes(range(24)), bytes(12), bytes(44), b"abc")), (11, (b"\0\x65", b"", b"\0")), (12, (bytes(30), b"")),
                         (13, (name(b"chain.example"),)), (14, (b"\0\1\0\2", b"\0")), (1, (b"ab",)), (16, (b"\0\1",)), (4711, (b"zz",))):
        for value in values:
            yield struct.pack("!HH", code, len(value)) + value
    yield struct.pack("!HH", 3, 99) + b"short"
    yield b"\0"
    yield b"\0\3\0"


def dns_messages():
    owner = b"\xc0\x0c"
    asked = question()
    for kind in (1, 2, 28, 255, 251, 65, 64, 99, 257, 65535):
        yield message(questions=[question(kind=kind)])
    for group in (1, 3, 4, 255, 2, 0x8001, 0x8003):
        yield message(questions=[question(group=group)])
        yield message(0x8180, [question(group=group)], [record(owner, 1, A4, group)])
    for operation in range(16):
        for bits in (0, 0x0100, 0x0030, 0x06cf):
            yield message(operation << 11 | bits, [asked])
        yield message(0x8000 | operation << 11, [asked])
    for code in range(16):
        yield message(0x8180 | code, [asked])
    for high in (1, 2, 16, 255):
        yield message(0x8180 | 7, [asked], [], [], [record(b"\0", 41, b"", 4096, high << 24)])
    for bits in (0x0400, 0x0200, 0x0020, 0x0080, 0x06b0):
        yield message(0x8000 | bits, [asked], [record(owner, 1, A4)])
    for kind, data in record_data():
        yield message(0x8180, [asked], [record(owner, kind, data)])
        yield message(0x8580, [asked], [record(owner, kind, data), record(owner, 1, A4, ttl=0)], [record(owner, kind, data)], [record(owner, kind, data)])
        yield message(0x8180, [], [record(name(b"x.y"), kind, data, ttl=99999999)])
    for data in edns_options():
        yield message(0x0120, [asked], additions=[record(b"\0", 41, data, 1232, 0x8000)])
        yield message(0x8180, [asked], additions=[record(b"\0", 41, data + b"\0\3\0\0", 1232, 0)])
    for text in (b"\0", b"\x3f" + b"a" * 63 + b"\0", (b"\x3f" + b"b" * 63) * 5 + b"\0", b"\xc0\x0c", b"\xc0\xff", b"\xc0", b"\x80abc", b"\x41\x0bab\0", b"\x41\0" + bytes(32) + b"\0", b"\x42abc\0",
                 b"\x41\x04\xf0\0", b"\4abc", b"\x05a\x00\x1b\xff.\0", b"\3abc\xc0\x0c", b"\x3f" + b"c" * 63 + b"\xc0\x0c", b"", b"\3a\\b\0", b"\x01a\x41\x09\xff\x80\0"):
        for tail in (b"\0\1\0\1", b""):
            yield message(questions=[text + tail])
            yield message(0x8180, [asked], [text + tail + struct.pack("!IH", 5, 4) + A4])
            yield message(0x8180, [text + tail], [record(owner, 1, A4)])
    for counts in ((0, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 2, 3), (0, 3, 0, 0), (5, 5, 5, 5), (65535, 65535, 65535, 65535)):
        for flags in (0x0100, 0x8180, 0x0900, 0x8980):
            yield message(flags, [asked], [record(owner, 1, A4)], counts=counts)
            yield message(flags, [asked, asked], [record(owner, 28, B6)] * 2, [record(owner, 2, owner)], [record(owner, 1, A4)] * 2, counts=counts)
    for size in (0, 1, 5, 11, 12, 13, 20, 28, 33):
        yield message(0x8180, [asked], [record(owner, 1, A4)])[:size]


def dns_packets():
    for number, data in enumerate(dns_messages()):
        yield udp4(data, sport=53, dport=1025) if number % 2 else udp6(data, dport=53)
        if number % 3 == 0:
            yield tcp4(struct.pack("!H", len(data)) + data, flags=0x18, dport=53)
            yield udp6(data, sport=5353, dport=5353)
    for data in (b"", b"\0", b"\0\1", b"\0\5abc", struct.pack("!H", 12) + bytes(12), struct.pack("!H", 11) + bytes(11)):
        yield tcp4(data, flags=0x18, sport=53)


# --- all ---

def ethernet_packets():
    for make in (link_packets, arp_packets, ipv4_packets, ipv6_packets, tcp_packets, tcp_conversations, http_packets, udp_packets, icmp_packets, icmp6_packets,
                 dns_packets):
        yield from make()


def damaged(packets, count, seed):
    """Some of them with changed bytes, which stay what is dissected: neither ports nor protocols change."""
    chance = random.Random(seed)
    packets = [packet for packet in packets if len(packet) > 60]
    for _ in range(count):
        packet = bytearray(chance.choice(packets))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(42, len(packet))
            packet[at] = chance.choice((0, 1, 0xff, 0x7f, 0xc0, chance.randrange(256)))
        yield bytes(packet)


def sll(packet, direction=0, size=6):
    return struct.pack("!HHH8sH", direction, 1, size, b"\2\0\0\0\0\x0a\0\0", struct.unpack("!H", packet[12:14])[0]) + packet[14:]


def sll2(packet, direction=0, size=6, interface=1):
    return struct.pack("!HHIHBB8s", struct.unpack("!H", packet[12:14])[0], 0, interface, 1, direction, size, b"\2\0\0\0\0\x0a\0\0") + packet[14:]


def write(path, link, packets, snaplen=262144, nanoseconds=False, start=1700000000):
    """A pcap file; PACKETS may be pairs of bytes and the length they had."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d if nanoseconds else 0xa1b2c3d4, 2, 4, 0, 0, snaplen, link))
        for number, packet in enumerate(packets):
            data, length = packet if isinstance(packet, tuple) else (packet, len(packet))
            data = data[:snaplen]
            fraction = number * 7919 % 1000000 * (1000 if nanoseconds else 1)
            out.write(struct.pack("<IIII", start + number * 37, fraction, len(data), length) + data)
