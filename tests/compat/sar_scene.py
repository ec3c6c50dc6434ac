# SPDX-License-Identifier: MIT
"""What the tests of sar share: a namespace in which things move when they are told to, and what of its lines may differ."""
import contextlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import answers
from live import netns

LOCALES = ("en_US", "de_DE")
TIME = re.compile(rb"\d\d:\d\d:\d\d")
SOCKETS = re.compile(rb"( totsck .*\n.{11}(?:\x1b\[[\d;]+m)?)[ \d]{10}")
SOFTNET = re.compile(rb"( total/s .*\n)((?:.+\n)+)")
NUMBER = re.compile(rb"\d+(\.\d+)?[BkM%]?")

# What moves: `first` and `second` come on stdin. tap devices have a speed, and are the only ones that are busy.
MOVER = """
import fcntl, socket, struct, subprocess, sys
def ioctl(fd, number, name, rest):
    fcntl.ioctl(fd, number, struct.pack("16s", name.encode()) + rest + bytes(24 - len(rest)))
def tap(name, duplex):
    fd = open("/dev/net/tun", "r+b", buffering=0)
    ioctl(fd, 0x400454ca, name, struct.pack("H", 0x1002))
    settings = struct.pack("IIIHBBBBBBIIHBBIII", 2, 0, 0, 10, duplex, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    memory = __import__("ctypes").create_string_buffer(settings)
    ioctl(udp, 0x8946, name, struct.pack("P", __import__("ctypes").addressof(memory)))
    for setting in (["addrgenmode", "none"], ["up"]):  # in this order, as else the kernel announces an address
        subprocess.run(["ip", "link", "set", name, *setting], check=True)
    return fd
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); receiver.bind(("127.0.0.1", 5001))
listener = socket.create_server(("127.0.0.1", 5002))
fast, slow = tap("fast0", 1), tap("slow0", int(sys.argv[1]))
frame = bytes.fromhex("020000000001020000000002") + b"\\x88\\xb5" + bytes(1386)
print("ready", flush=True)
kept = []
for number, line in enumerate(sys.stdin, 1):
    for _ in range(40 * number):
        udp.sendto(bytes(3000), ("127.0.0.1", 5001)); receiver.recv(4000)
        udp6.sendto(b"x", ("::1", 5003))
    for _ in range(10 * number):
        client = socket.create_connection(("127.0.0.1", 5002)); served, _ = listener.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); client.close(); served.close()
    kept.append(socket.create_connection(("127.0.0.1", 5002)))
    for _ in range(690):
        fast.write(frame)
    for _ in range(490):
        slow.write(frame)
    if line == "first\\n":
        subprocess.run("ip link add late0 type veth peer name late1; ip link del early0", shell=True, check=True)
    else:
        subprocess.run("ip link del late0", shell=True, check=True)
    print("done", flush=True)
"""


# --- a namespace in which things move when they are told to ---

@contextlib.contextmanager
def place_with_mover(half_duplex=True):
    with netns("net.ipv6.conf.default.accept_ra=0", "net.ipv6.conf.default.router_solicitations=0",
               "net.ipv6.conf.all.disable_ipv6=0",
               "net.ipv6.conf.default.mldv2_unsolicited_report_interval=1") as ns:
        ns.run(["ip", "link", "set", "lo", "mtu", "1500"])
        ns.run("ip link add early0 type veth peer name early1".split())
        mover = ns.popen(["nice", "-n", "-10", sys.executable, "-c", MOVER, str(int(not half_duplex))],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert mover.stdout.readline() == "ready\n"
        yield ns, mover


def move(mover, word):
    mover.stdin.write(word + "\n")
    mover.stdin.flush()
    assert mover.stdout.readline() == "done\n"


# --- comparing ---

def without_softnet(text):
    """What processors did is of the whole machine."""
    return SOFTNET.sub(lambda found: found[1] + re.sub(rb" +[\d.]+", b" n", found[2]), text)


def without_moments(text):
    """The same with what only depends on the moment masked: on a busy machine a sample comes in the next second, and while
    nwho asks for interfaces the others count its sockets."""
    text = TIME.sub(lambda found: re.sub(rb"\d", b"d", found[0]), text)
    return SOCKETS.sub(rb"\1       all", without_softnet(text))


def is_near(one, other):
    """Whether two lines differ only in numbers, and in these by less than a tenth: rates of another interval."""
    pieces = [answers.PIECE.findall(re.sub(rb"(\d),(\d)", rb"\1.\2", line)) for line in (one, other)]
    pairs = [(left, right) for left, right in zip(*pieces) if left != right and (left.strip() or right.strip())]
    return len(pieces[0]) == len(pieces[1]) and all(
        NUMBER.fullmatch(left) and NUMBER.fullmatch(right) and left[-1:].isdigit() == right[-1:].isdigit() and
        abs(value(left) - value(right)) < value(left) / 10 for left, right in pairs)


def value(number):
    return float(number.rstrip(b"BkM%"))


def forgive(theirs, ours):
    """OURS with the lines of THEIRS that it is near to."""
    lines = [text.splitlines(keepends=True) for text in (theirs, ours)]
    if len(lines[0]) != len(lines[1]):
        return ours
    return b"".join(one if is_near(one, other) else other for one, other in zip(*lines))


@contextlib.contextmanager
def locale_directory():
    """Locales that few machines have; without their sources "" ."""
    with tempfile.TemporaryDirectory(prefix="nwho-locales-") as name:
        making = [subprocess.Popen(["localedef", "-i", locale, "-f", "UTF-8", f"{name}/{locale}.UTF-8"],
                                   stderr=subprocess.PIPE) for locale in LOCALES]
        said = [process.communicate()[1] for process in making]
        if not all(Path(name, f"{locale}.UTF-8").exists() for locale in LOCALES):
            print(f"# no sources of locales: {said[0]}", flush=True)
        yield name
