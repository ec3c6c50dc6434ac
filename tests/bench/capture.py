# SPDX-License-Identifier: MIT
"""What it costs to capture a packet: nwho tcpdump, and nwho sniff, which names its process, against tcpdump in the same
mode. The same datagrams for each in turn; CPU of the program, in the kernel too, from when it listens until it has ended."""
import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

from goals import report, verdict
from live import BUILD, PATIENCE, netns, wait_for

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
DATAGRAMS = 60000
RUNS = 5
NWHO = BUILD / "nwho"
PCAPNG = "nwho sniff --pcapng"  # with a process for each packet: tcpdump has no such mode
MODES = {  # the first of each is what the others are compared with
    "as text": {"tcpdump": ["tcpdump", "-i", "lo", "-nn"], "nwho tcpdump": [NWHO, "tcpdump", "-i", "lo", "-nn"],
                "nwho sniff": [NWHO, "sniff", "-i", "lo", "-nn"]},
    "-w FILE": {"tcpdump": ["tcpdump", "-i", "lo", "-Z", "root", "-w"], "nwho tcpdump": [NWHO, "tcpdump", "-i", "lo", "-w"],
                "nwho sniff": [NWHO, "sniff", "-i", "lo", "-w"],
                PCAPNG: [NWHO, "sniff", "--pcapng", "-i", "lo", "-w"]},
}
# Twenty at once, then a pause: so that nobody who keeps up loses any. Ten sockets, a hundred bytes each.
SEND = """
import socket, sys, time
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(10)]
for client in clients:
    client.connect(server.getsockname())
for i in range(int(sys.argv[1]) // 20):
    for client in clients:
        client.send(bytes(100))
        client.send(bytes(100))
    for _ in range(20):
        server.recv(200)
    if i % 5 == 0:
        time.sleep(0.001)
"""


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def listens(ns):
    return len(ns.run(["cat", "/proc/net/packet"]).out.splitlines()) > 1


def number(text, pattern):
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError(f"no {pattern} in {text!r}")
    return int(found[1])


def cost(ns, words, count):
    """(microseconds of CPU a packet, packets that were dropped, milliseconds of CPU until it listened) of one capture."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, tempfile.TemporaryFile("w+") as told, open(os.devnull, "wb") as nothing:
        file = [f"{folder}/packets"] if words[-1] == "-w" else []
        # It ends by itself: at Ctrl-C the last packets would still be in the kernel's buffer.
        child = ns.popen([*words, *file, "-c", str(count)], stdin=subprocess.DEVNULL, stdout=nothing, stderr=told)
        try:
            wait_for(lambda: listens(ns), what=f"{words[0]} listens")
            before = cpu_ns(child.pid)
            ns.run([sys.executable, "-c", SEND, str(count)])
            with contextlib.suppress(AssertionError):
                wait_for(lambda: os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG), what="its end")
            os.kill(child.pid, signal.SIGINT)  # some were dropped; not by Popen, which would wait for it
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            after = cpu_ns(child.pid)
            child.wait(PATIENCE)
        finally:
            child.kill()
        told.seek(0)
        text = told.read()
        captured = number(text, r"(\d+) (?:packets )?(?:captured|shown)")
        dropped = number(text, r"(\d+)(?: packets)? dropped")
        if captured + dropped < count:
            raise RuntimeError(f"{words}: of {count} packets {captured} were captured, {dropped} dropped")
        return (after - before) / 1000 / captured, dropped, before / 1e6


def lines_of(count, runs):
    """Rows of the table: work, measured, goal, met."""
    lines = []
    with netns() as ns:
        for mode, programs in MODES.items():
            costs = {name: [] for name in programs}
            for _ in range(runs):
                for name, words in programs.items():
                    costs[name].append(cost(ns, words, count))
            base = statistics.median(run[0] for run in costs["tcpdump"])
            base_drops = sum(run[1] for run in costs["tcpdump"])
            for name, of in costs.items():
                each, drops = statistics.median(run[0] for run in of), sum(run[1] for run in of)
                ours = name not in ("tcpdump", PCAPNG)
                lines.append([f"{name} {mode}: CPU a packet", f"{each:.2f} us, {each / base:.2f}x", "<= 1.0x" if ours else "-",
                              verdict(each <= base, stretch=True) if ours else "-"])
                lines.append([f"{name} {mode}: dropped", str(drops), "0, where tcpdump has none" if name != "tcpdump" else "-",
                              verdict(not drops or base_drops, stretch=True) if name != "tcpdump" else "-"])
                lines.append([f"{name} {mode}: CPU until it listens", f"{statistics.median(run[2] for run in of):.0f} ms", "-", "-"])
    return lines


def bench(args):
    """Prints the table; gives whether all goals are met. Short: only whether it runs."""
    if not shutil.which("tcpdump", path=PATH):
        print("capture: not measured: no tcpdump", flush=True)
        return True
    if args.short:
        lines_of(200, 1)
        print("capture: ok", flush=True)
        return True
    count = int(DATAGRAMS * args.scale)
    return report(f"capture: {count} datagrams over loopback", lines_of(count, args.runs or RUNS), args.markdown)
