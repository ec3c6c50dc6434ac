#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nethogs -t and iftop -t: totals to the byte, the lines of the real tools, and what their screens become."""
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

from live import BUILD, PATIENCE, netns, run, run_tests, skip, test, wait_for

NWHO = BUILD / "nwho"
HERE, THERE = "10.91.0.1", "10.91.0.2"
SENT, RECEIVED, DATAGRAM = 123457, 54321, 1000  # six digits are all that nethogs prints

PEER = f"""
import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("{THERE}", 5002))
listener = socket.socket(); listener.bind(("{THERE}", 5001)); listener.listen()
print("ready", flush=True)
tcp, _ = listener.accept()
while data := tcp.recv(1 << 16):
    if data.endswith(b"."):
        tcp.sendall(b"y" * {RECEIVED})
"""

SENDER = f"""
import socket, sys
tcp = socket.create_connection(("{THERE}", 5001))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.connect(("{THERE}", 5002))
print("ready", flush=True)
for line in sys.stdin:
    tcp.sendall(b"x" * ({SENT} - 1) + b".")
    left = {RECEIVED}
    while left:
        left -= len(tcp.recv(left))
    udp.send(b"z" * {DATAGRAM})
    print("done", flush=True)
"""


class Talk:
    """A process that sends and receives known bytes each time it is asked."""

    def __init__(self, ns, user):
        self.ns = ns
        self.process = ns.popen([sys.executable, "-c", SENDER], user, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True)
        assert self.process.stdout.readline() == "ready\n"

    def once(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def pid(self):
        return self.process.pid


@contextmanager
def talking(user=None):
    """Two namespaces with a cable between them; gives the near one and what talks in it."""
    with netns() as near, netns() as far:
        run(["ip", "link", "add", "near0", "netns", near.name, "type", "veth", "peer", "name", "far0", "netns",
             far.name])
        for ns, device, address in ((near, "near0", HERE), (far, "far0", THERE)):
            ns.run(["sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"])
            ns.run(["ip", "link", "set", device, "up"])
            ns.add_address(address + "/24", device)
        wait_for(lambda: "LOWER_UP" in near.run(["ip", "link", "show", "near0"]).out, what="cable")
        peer = far.popen([sys.executable, "-c", PEER], stdout=subprocess.PIPE, text=True)
        assert peer.stdout.readline() == "ready\n"
        yield near, Talk(near, user)


@contextmanager
def lines_of(ns, *words, user=None):
    """The lines that nwho prints, one by one, and a function that gives its stderr."""
    process = ns.popen([NWHO, *words], user, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def error():
        process.terminate()
        return process.stderr.read()

    yield iter(process.stdout.readline, ""), error
    process.terminate()


def block(lines):
    """The rows of the next block of nethogs, as {(name, pid, uid): (sent, received)}."""
    rows = {}
    for line in lines:
        if line == "Refreshing:\n":
            break
    for line in lines:
        if line == "\n":
            return rows
        name, sent, received = line.rstrip("\n").split("\t")
        rows[tuple(name.rsplit("/", 2))] = (sent, received)
    raise AssertionError("the output ended")


def totals_are_exact(user, *options):
    with talking(user) as (ns, talk), lines_of(ns, "nethogs", "-t", "-v", "2", *options, user=user) as (lines, error):
        # The empty line that ends a block is the first of the next one.
        block(lines)
        talk.once()
        talk.once()
        key = next(key for key in iter(lambda: [row for row in block(lines) if row[1] == str(talk.pid())], None) if key)[0]
        seen = block(lines)
        said = error()
        datagrams = 2 * DATAGRAM if "-C" in options and "TCP only" not in said else 0
        assert key[0] == sys.executable, key
        assert seen[key] == (str(2 * SENT + datagrams), str(2 * RECEIVED)), (seen, said)
        assert seen["unknown TCP", "0", "0"] == ("0", "0"), seen
        assert ("unknown UDP", "0", "0") in seen or "-C" not in options


@test
def nethogs_counts_to_the_byte():
    totals_are_exact(None)
    totals_are_exact(None, "-C")


@test
def nethogs_of_an_ordinary_user():
    if run([*(["setpriv", "--reuid=65534", "--clear-groups"]), sys.executable, "-c", ""], expect=None).rc != 0:
        skip("nobody cannot run this python")
    totals_are_exact("nobody")


@test
def nethogs_of_some_devices_and_processes():
    with talking() as (ns, talk):
        for words, there in ((["near0"], True), (["-P", str(talk.pid())], True), (["-P", "1"], False),
                             (["-a", "lo"], False), (["-f", "port 5001"], True), (["-f", "port 5009"], False)):
            with lines_of(ns, "nethogs", "-t", "-v", "2", "-b", *words) as (lines, error):
                block(lines)
                talk.once()
                block(lines)
                rows = block(lines)
                name = (sys.executable.rsplit("/", 1)[1], str(talk.pid()), "0")
                assert (name in rows) == there, (words, rows, error())


def units(text):
    return float(re.match(r"[\d.]+", text)[0]) * 1024 ** "BKMG".index(text[len(re.match(r"[\d.]+", text)[0])])


@test
def iftop_counts_and_ends():
    with talking() as (ns, talk):
        process = ns.popen([NWHO, "iftop", "-t", "-n", "-N", "-P", "-B", "-s", "3", "-f", "tcp"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "Listening on near0\n"
        talk.once()
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        pair = [line.split() for line in out.splitlines() if "=>" in line or "<=" in line]
        assert len(pair) == 2 and pair[0][:1] == ["1"] and pair[1][0] == f"{THERE}:5001", out
        assert pair[0][1].startswith(HERE + ":") and pair[0][-1] == "121KB" and pair[1][-1] == "53.0KB", out
        assert re.search(r"^Cumulative .*: +121KB +53.0KB +174KB$", out, re.M), out
        # A line before them says what could not be counted, if anything.
        assert re.search(rf"^interface: near0\nIP address is: {HERE}\nMAC address is: ", err, re.M), err


@test
def iftop_ends_where_nothing_is_sent():
    with netns() as ns:
        out = ns.run([NWHO, "iftop", "-t", "-s", "1", "-i", "lo"]).out
        assert out.startswith("Listening on lo\n   # Host name ") and out.endswith("=\n\n"), out
        assert ns.run([NWHO, "iftop", "-t", "-s", "1", "-i", "none0"], expect=1).out == ""


def masked(text):
    """Amounts and ids without their digits; the width of the columns stays."""
    text = re.sub(r"(?m)^(Unknown connection:.*|.*/0)\t\S+\t\S+$", r"\1\tN\tN", text)
    return re.sub(r" +[\d.]+[KMG]?[bB](?= |$)", lambda found: "N".rjust(len(found[0])), text, flags=re.M)


def together(ns, talk, lines):
    """What the real tools and nwho print, all at the same time, while something is sent: [(words, real, own)]."""
    with open("/dev/zero", "rb") as keys:  # at the end of its input iftop stops to read packets
        started = [ns.popen([*program, *words], stdin=keys, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                   for words in lines for program in ([], [NWHO])]
        while any(process.poll() is None for process in started):
            talk.once()
            subprocess.run(["sleep", "0.1"], check=True)
    texts = [process.communicate()[0] for process in started]
    return zip(lines, map(masked, texts[::2]), map(masked, texts[1::2]))


@test
def lines_of_the_real_nethogs():
    if not shutil.which("nethogs"):
        skip("there is no nethogs here")
    lines = [["nethogs", "-t", "-c", "4", *words] for words in ([], ["-v", "2", "-C"], ["-s", "-v", "1", "near0"], ["-a", "-v", "3"])]
    with talking() as (ns, talk):
        for words, real, own in together(ns, talk, lines):
            real, own = real.split("\nRefreshing:\n"), own.split("\nRefreshing:\n")
            if str(talk.pid()) not in real[-1]:
                skip("the real nethogs did not find the process")
            assert len(real) == len(own) == 5 and (real[0], real[-1]) == (own[0], own[-1]), (words, real, own)
            assert str(talk.pid()) in own[-1]


@test
def lines_of_the_real_iftop():
    if not shutil.which("iftop"):
        skip("there is no iftop here")
    lines = [["iftop", "-t", "-s", "4", "-i", "near0", "-f", "tcp", *words]
             for words in (["-n", "-N", "-P"], ["-n", "-B"], ["-n", "-P", "-o", "source"], ["-n", "-L", "0"], ["-n", "-F", THERE + "/32"])]
    with talking() as (ns, talk):
        for words, real, own in together(ns, talk, lines):
            assert real == own, (words, real, own)


@test
def screens_are_those_of_nwho():
    with netns() as ns:
        assert "Incoming" in ns.run(["timeout", "1.5", NWHO, "nload", "-t", "200", "lo"], expect=124).out
        absent = [f'nload: there is no device "{name}" (nwho if lists them)' for name in ("gone", "absent")]
        for devices, status in (["gone", "absent"], 1), (["gone", "lo", "absent"], 124):
            result = ns.run(["timeout", "1.5", NWHO, "nload", "-t", "200", *devices], expect=status)
            assert result.err.splitlines() == absent and ("lo" in result.out) == ("lo" in devices), result
        assert "only -N NAME" in run([NWHO, "-t", "iftop", "-h"], expect=2).err
        assert run([NWHO, "-N", ns.name, "iftop", "-h"]).out == run([NWHO, "help", "iftop"]).out
        assert "IFACE" in ns.run(["timeout", "1.5", NWHO, "iptraf-ng", "-d", "lo"], expect=124).out
        assert "PROCESS" in ns.run([NWHO, "nethogs", "-c", "1"], expect={0, 1}).out
        for words in (["nethogs", "-Z"], ["nethogs", "-d", "x"], ["iftop", "-o", "x"], ["iftop", "x"], ["nload", "-t", "1"],
                      ["iptraf-ng", "-l", "lo"]):
            result = ns.run([NWHO, *words], expect=1)
            assert not result.out and result.err.startswith(words[0] + ": "), (words, result)
        for tool in ("nethogs", "iftop", "nload", "iptraf-ng"):
            assert "nwho" in ns.run([NWHO, tool, "-h"]).out
        assert ns.run([NWHO, "nethogs", "-V"]).out == " version 0.8.7-2\n"


run_tests()
