#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tcpdump 4.99.3 and ours on the same files: every line, what is said on stderr, and the exit status.

    tests/compat/test_tcpdump.py                   as a test
    tests/compat/test_tcpdump.py -nnv FILE...      what differs in these files
"""
import difflib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import packets
from compat import PATH, SHARE, check_releases
from live import BUILD, PATIENCE, netns, run_tests, test, wait_for

# Each is what one packet may look like.
OPTIONS = ["-nn", "-nnv", "-nnvv", "-nnvvv", "-nne", "-nnq", "-nnqq", "-nnqe", "-nnev", "-nnt", "-nntt", "-nnttt", "-nntttt", "-nnttttt", "-nnS",
           "-nn#", "-nnx", "-nnxx", "-nnX", "-nnXX", "-nnA", "-nnAA", "-nnvK", "--nano -nn", "--micro -nntt", "-nnvxS", "-c 7 -nn", "--count"]
EXPRESSIONS = ["", "port 80 or port 443", "ip6 and not icmp6", "tcp[tcpflags] & tcp-syn != 0", "vlan", "arp", "host 192.0.2.1 and udp port 53", "less 60"]
USES = ["-d", "-d port 80", "-dd ip6 and tcp", "-ddd udp", "-O -d port 80 or icmp", "-d -y RAW host 192.0.2.1", "-c 0 -r x", "-Q sideways", "-tttttt -r x",
        "-y NOSUCH", "-s 999999", "-s -1", "-r /nonexistent", "-r /dev/null", "-i nosuch0 -nn"]


def answer(program, words, **options):
    environment = {"PATH": PATH, "TZ": "Europe/Berlin", "LC_ALL": "C", **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    done = subprocess.run([*program, *words], stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=PATIENCE, check=False, **options)
    return done.stdout, done.stderr, done.returncode


def differences(words):
    """What differs of one command line, as text; empty: nothing."""
    theirs, ours = (answer(program, words) for program in (["tcpdump"], [BUILD / "nwho", "tcpdump"]))
    if theirs == ours:
        return ""
    shown = [f"{' '.join(words)}\nexit status {theirs[2]} and {ours[2]}"]
    for number in (1, 0):
        lines = [part[number].decode("utf-8", "backslashreplace").splitlines() for part in (theirs, ours)]
        shown += list(difflib.unified_diff(*lines, "tcpdump", "nwho tcpdump", lineterm="", n=0))[:20]
    return "\n".join(line[:300] for line in shown)


def compare_all(lines):
    found = list(filter(None, map(differences, lines)))
    assert not found, f"{len(found)} of {len(lines)} differ\n" + "\n\n".join(found[:4])


def make_files(directory):
    """The corpus: whole, cut anywhere, cut at a snapshot length, damaged, and behind each header of a link."""
    frames = list(packets.ethernet_packets())
    assert len(frames) > 2000
    typed = [frame for frame in frames if len(frame) > 14 and frame[12:14] != b"\0\1"]  # 1 is IPX where frames are cooked
    families = {b"\x08\0": b"\2\0\0\0", b"\x86\xdd": b"\0\0\0\x1e"}
    for name, link, content, more in (
            ("ethernet", packets.ETHERNET, frames, {}),
            ("cut", packets.ETHERNET, [(frame[:14 + number * 7 % max(1, len(frame) - 13)], len(frame)) for number, frame in enumerate(frames)], {}),
            ("snapped", packets.ETHERNET, [(frame, len(frame)) for frame in frames], {"snaplen": 68}),
            ("damaged", packets.ETHERNET, packets.damaged(frames, 3000, 1), {}),
            ("nano", packets.ETHERNET, frames[::20], {"nanoseconds": True}),
            ("null", packets.NULL, [families.get(frame[12:14], b"\7\0\0\1") + frame[14:] for frame in typed[::3] if frame[12:14] in families], {}),
            ("raw", packets.RAW, [frame[14:] for frame in typed[::3]], {}),
            ("sll", packets.SLL, [packets.sll(frame, number % 6, (6, 4)[number % 2]) for number, frame in enumerate(typed[::2])], {}),
            ("sll2", packets.SLL2, [packets.sll2(frame, number % 6, (6, 4)[number % 2], number % 3) for number, frame in enumerate(typed[1::2])], {}),
            ("times", packets.ETHERNET, frames[:9], {"start": 0x7ffffff0}),
            ("lengths", packets.ETHERNET, [(b"", 0), (b"", 60), (frames[0], 10), (frames[0], 0), (frames[0], 300000)], {})):
        packets.write(f"{directory}/{name}.pcap", link, content, **more)
    return sorted(map(str, Path(directory).iterdir()))


@test
def the_same_lines():
    check_releases(["tcpdump"])
    with tempfile.TemporaryDirectory(prefix="nwho-packets-") as directory:
        files = make_files(directory)
        compare_all([["-r", file, *options.split()] for file in files for options in OPTIONS][::SHARE])
        compare_all([["-nn", "-r", files[2], *expression.split()] for expression in EXPRESSIONS])
        program = Path(directory) / "filter"
        program.write_text("port 80 # the old one\nor\nport 8080", encoding="ascii")
        compare_all([["-nn", "-r", files[2], "-F", str(program)], ["-nn", "-r", files[2], "-F", "/nonexistent"]])


@test
def the_same_answers_without_packets():
    check_releases(["tcpdump"])
    compare_all([use.split() for use in USES])


@test
def the_same_lines_of_real_traffic():
    check_releases(["tcpdump"])
    talk = """
import socket, sys
family, host = (socket.AF_INET, "127.0.0.1") if sys.argv[1] == "4" else (socket.AF_INET6, "::1")
server = socket.create_server((host, 8080), family=family)
client = socket.create_connection((host, 8080))
peer = server.accept()[0]
client.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
peer.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n" + b"x" * 200000)
left = 200019
while left: left -= len(client.recv(left))
client.close(); peer.close()
datagram = socket.socket(family, socket.SOCK_DGRAM)
datagram.sendto(b"nobody listens", (host, 9))
"""
    with netns() as ns, tempfile.TemporaryDirectory(prefix="nwho-packets-") as directory:
        os.chmod(directory, 0o777)
        for device in ("lo", "any"):
            file = Path(directory) / f"{device}.pcap"
            capture = ns.popen(["tcpdump", "-Z", "root", "-U", "-i", device, "-w", file], stderr=subprocess.PIPE, text=True)
            assert any("listening on" in line for line in iter(capture.stderr.readline, ""))
            for family in "46":
                ns.run([sys.executable, "-c", talk, family])
            wait_for(lambda: b"nobody listens" in file.read_bytes()[-400:])  # pylint: disable=cell-var-from-loop
            capture.send_signal(signal.SIGINT)
            capture.communicate(timeout=PATIENCE)
            compare_all([["-r", str(file), *options.split()] for options in OPTIONS])


def until_listening(process):
    for line in iter(process.stderr.readline, ""):
        yield line
        if "listening on" in line:
            return


def without_time(line):
    return line.partition(" ")[2]


@test
def the_same_lines_live():
    """Both capture what is sent; then each is interrupted, and says how many packets there were."""
    check_releases(["tcpdump"])
    send = "import socket\nwith socket.socket(type=socket.SOCK_DGRAM) as s: s.sendto(b'live', ('127.0.0.1', 9))"
    with netns() as ns, tempfile.TemporaryDirectory(prefix="nwho-packets-") as directory:
        for words in ("-i lo", "-i any", "-i lo -p -Q in -s 60 -e", "-i lo udp port 9"):
            both = [ns.popen([*program, "-Z", "root", "-nn", "-l", *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                    for program in (["tcpdump"], [BUILD / "nwho", "tcpdump"])]
            said = [list(until_listening(each)) for each in both]
            ns.run([sys.executable, "-c", send])
            packets = 1 if words.endswith("udp port 9") else 2  # nobody listens: ICMP answers
            shown = [[each.stdout.readline() for _ in range(packets)] for each in both]
            for each in both:
                each.send_signal(signal.SIGINT)
            for lines, each, text in zip(shown, both, said):
                out, err = each.communicate(timeout=PATIENCE)
                lines += out.splitlines(keepends=True)
                text += err.splitlines(keepends=True)
                assert each.returncode == 0, (words, each.returncode, err)
            assert list(map(without_time, shown[0])) == list(map(without_time, shown[1])), (words, shown)
            assert said[0] == said[1], (words, said)
        file = Path(directory) / "written.pcap"
        ours = ns.popen([BUILD / "nwho", "tcpdump", "-U", "-i", "lo", "-w", file], stderr=subprocess.PIPE, text=True)
        assert "listening on lo" in ours.stderr.readline()
        ns.run([sys.executable, "-c", send])
        wait_for(lambda: b"live" in file.read_bytes())
        ours.send_signal(signal.SIGTERM)
        assert "packets captured" in ours.communicate(timeout=PATIENCE)[1]
        assert b"127.0.0.1.9: UDP, length 4" in answer(["tcpdump"], ["-nn", "-r", str(file)])[0]


if sys.argv[1:] and sys.argv[1].startswith("-"):
    print("\n".join(filter(None, (differences(["-r", file, sys.argv[1]]) for file in sys.argv[2:]))) or "identical")
    sys.exit()
run_tests()
