#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files of pcapng that we write: our reader, tcpdump and tshark find the same packets in them, and what is noted of each."""
import shutil
import subprocess
import tempfile

import packets
from compat import check_releases
from live import BUILD, PATIENCE, run_tests, skip, test

TOOL = BUILD / "tests/helpers/pcapng_tool"
DIRECTIONS = ["0x00000000", "0x00000001", "0x00000002"]


def output(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def make(directory):
    """The corpus, cut anywhere, as pcap and as pcapng."""
    frames = list(packets.ethernet_packets())
    content = [(frame[:14 + number * 7 % max(1, len(frame) - 13)], len(frame)) for number, frame in enumerate(frames)]
    packets.write(f"{directory}/a.pcap", packets.ETHERNET, content, nanoseconds=True)
    output(TOOL, "write", f"{directory}/a.pcap", f"{directory}/a.pcapng")
    return content


def noted(number):
    return f"eth{number % 2}", number % 3, f"nginx[{number}]" if number % 5 else ""


@test
def our_reader():
    with tempfile.TemporaryDirectory(prefix="nwho-pcapng-") as directory:
        content = make(directory)
        lines = output(TOOL, "read", f"{directory}/a.pcapng").splitlines()
        assert lines.pop() == f"{(len(content) + 199) // 200} names, 2 interfaces"  # each once
        assert len(lines) == len(content) > 2000
        for number, (line, (frame, length)) in enumerate(zip(lines, content), 1):
            interface, direction, comment = noted(number)
            assert line.split("\t")[1:] == list(map(str, (len(frame), length, interface, direction, number, number + 1, comment))), line


@test
def tcpdump_reads_it():
    check_releases(["tcpdump"])
    with tempfile.TemporaryDirectory(prefix="nwho-pcapng-") as directory:
        make(directory)
        plain, ours = (output("tcpdump", "-nn", "-tt", "--nano", "-xx", "-r", f"{directory}/a.{kind}") for kind in ("pcap", "pcapng"))
        assert plain and plain == ours


@test
def tshark_reads_it():
    if not shutil.which("tshark"):
        skip("tshark is not installed: whether it reads what we write was NOT tested")
    with tempfile.TemporaryDirectory(prefix="nwho-pcapng-") as directory:
        content = make(directory)
        fields = "frame.time_epoch frame.cap_len frame.len frame.interface_name frame.packet_flags frame.comment".split()
        show = ["tshark", "-n", "-T", "fields", *(word for field in fields for word in ("-e", field))]
        times = output(*show[:5], "frame.time_epoch", "-r", f"{directory}/a.pcap").split()
        lines = output(*show, "-r", f"{directory}/a.pcapng").splitlines()
        assert len(lines) == len(content)
        for number, (line, time, (frame, length)) in enumerate(zip(lines, times, content), 1):
            interface, direction, comment = noted(number)
            flags = DIRECTIONS[direction] if direction else ""
            assert line.split("\t") == [time, str(len(frame)), str(length), interface, flags, comment], (number, line)


run_tests(needs_root=False)
