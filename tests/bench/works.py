# SPDX-License-Identifier: MIT
"""What the bench measures: situations, the commands that are run in each, and the goals between them."""
import os
from dataclasses import dataclass, field

NWHO = "nwho"           # replaced by the path of the program that was built
BARE_DUMP = "bare_dump"  # likewise
# Debug option of nwho: only these sources.
WITHOUT_BPF = ["--sources=sock_diag,proc_net,proc_fd"]
NO_OWNERS = ["-o", "proto,state,recv_q,send_q,local,peer"]


@dataclass
class Goal:
    """OURS takes at most RATIO times the wall time of THEIRS (and MEMORY times its peak memory)."""
    work: str
    ours: str    # names of commands
    theirs: str
    ratio: float
    memory: float = None
    stretch: bool = False  # not promised: missing it is no failure
    same_rows: bool = True  # both show the same number of TCP and UDP sockets


@dataclass
class Situation:
    """Sockets that are made once; then all commands are run in turn."""
    title: str
    sockets: dict        # of manysocks
    commands: dict       # name: words; {port} is a port with one listener
    goals: list
    only_once: list = field(default_factory=list)  # commands that take a minute or more, also not run to count rows


@dataclass
class Pace:
    """Connections of a loop that opens and closes them, with and without commands that watch."""
    title: str
    seconds: float       # of each run
    watchers: dict       # name: words
    counted: set         # names of those beside which `nwho top` counts
    goals: list          # (name, at least this part of the pace without), ...
    stretch: float       # the same, not promised


def fill_to(total):
    """How many processes are missing until the machine has TOTAL; at least two."""
    return max(2, total - sum(name.isdigit() for name in os.listdir("/proc")))


def tcp(scale):
    count = scale(200000)
    return Situation(
        f"{count} TCP sockets in 12 processes", {"tcp": count, "processes": 12},
        {"nwho ls": [NWHO, "ls", "tcp", "-n"],
         "ss -p": ["ss", "-tanp"],
         "nwho ls -o": [NWHO, "ls", "tcp", "-n", *NO_OWNERS],
         "ss": ["ss", "-tan"],
         "bare dump": [BARE_DUMP],
         "nwho ls --json": [NWHO, "ls", "tcp", "-n", "--json"],
         "nwho ls --csv": [NWHO, "ls", "tcp", "-n", "--csv"]},
        [Goal("TCP with owners", "nwho ls", "ss -p", 0.05, memory=1.0),
         Goal("TCP without owners", "nwho ls -o", "ss", 0.8),
         Goal("TCP without owners", "nwho ls -o", "bare dump", 1.2, stretch=True),
         Goal("JSON against text", "nwho ls --json", "nwho ls", 2.0),
         Goal("CSV against text", "nwho ls --csv", "nwho ls", 2.0)])


def processes(scale):
    count = scale(2000)
    return Situation(
        f"{count} processes with 25 descriptors each",
        {"processes": count, "fds": 25, "tcp": 8 * count, "udp": 3 * count, "listeners": count},
        {"nwho ls": [NWHO, "ls", "-t", "-u", "-n"],
         "nwho ls, no BPF": [NWHO, "ls", "-t", "-u", "-n", *WITHOUT_BPF],
         "ss -p": ["ss", "-tunap"],
         "nwho :PORT": [NWHO, ":{port}"],
         "ss sport": ["ss", "-tlnp", "sport = :{port}"]},
        [Goal("all with owners", "nwho ls", "ss -p", 0.3),
         Goal("all with owners, by /proc", "nwho ls, no BPF", "ss -p", 0.6),
         Goal("one listener", "nwho :PORT", "ss sport", 0.15, same_rows=False)])


def udp(scale):
    count = scale(100000)
    return Situation(
        f"{count} UDP sockets in 12 processes", {"udp": count, "processes": 12},
        {"nwho ls": [NWHO, "ls", "udp", "-n"],
         "ss -p": ["ss", "-uanp"],
         "netstat": ["netstat", "-uanp"]},
        [Goal("UDP with owners", "nwho ls", "ss -p", 0.1),
         Goal("UDP with owners", "nwho ls", "netstat", 0.04)])


def udp200k(scale):
    count = scale(200000)
    return Situation(
        f"{count} UDP sockets in 12 processes", {"udp": count, "processes": 12},
        {"nwho ls": [NWHO, "ls", "udp", "-n"],
         "netstat": ["netstat", "-uanp"]},
        [Goal("UDP with owners", "nwho ls", "netstat", 0.01)], only_once=["netstat"])


def threads(scale):
    count = scale(10000)
    return Situation(
        f"100 threads that share {count} sockets", {"tcp": count, "processes": 1, "threads": 99},
        {"nwho ls --threads": [NWHO, "ls", "tcp", "-n", "--threads"],
         "ss -pT": ["ss", "-tanpT"]},
        [Goal("TCP with threads", "nwho ls --threads", "ss -pT", 0.05, same_rows=False)])


def small(_scale):
    return Situation(
        "a small machine: 100 processes, 50 sockets",
        {"tcp": 30, "udp": 10, "listeners": 10, "processes": fill_to(100)},
        {"nwho ls": [NWHO, "ls"],
         "ss -p": ["ss", "-tunap"],
         "nwho --version": [NWHO, "--version"],
         "ss -V": ["ss", "-V"]},
        [Goal("nwho ls with owners", "nwho ls", "ss -p", 1.0),
         Goal("start-up", "nwho --version", "ss -V", 2.0, same_rows=False)])


def old_tools(scale):
    count = scale(200000)
    return Situation(
        f"under the old names: {count} TCP sockets in 12 processes", {"tcp": count, "processes": 12},
        {"nwho ss": [NWHO, "ss", "-tanp"],
         "ss": ["ss", "-tanp"],
         "nwho netstat": [NWHO, "netstat", "-tanp"],
         "netstat": ["netstat", "-tanp"]},
        [Goal("ss -tanp", "nwho ss", "ss", 0.1),
         Goal("netstat -tanp", "nwho netstat", "netstat", 0.1)])


def lsof(scale):
    count = scale(20000)
    return Situation(
        f"under the old names: {count} TCP sockets in 4 processes", {"tcp": count, "processes": 4},
        {"nwho lsof": [NWHO, "lsof", "-nPi"],
         "lsof": ["lsof", "-nPi"]},
        [Goal("lsof -nPi", "nwho lsof", "lsof", 0.1)])


def small_old_tools(_scale):
    return Situation(
        "under the old names: a small machine: 100 processes, 50 sockets",
        {"tcp": 30, "udp": 10, "listeners": 10, "processes": fill_to(100)},
        {"nwho ss": [NWHO, "ss", "-tunap"],
         "ss": ["ss", "-tunap"],
         "nwho netstat": [NWHO, "netstat", "-tunap"],
         "netstat": ["netstat", "-tunap"],
         "nwho lsof": [NWHO, "lsof", "-nPi"],
         "lsof": ["lsof", "-nPi"]},
        [Goal("ss -tunap", "nwho ss", "ss", 1.0),
         Goal("netstat -tunap", "nwho netstat", "netstat", 1.0),
         Goal("lsof -nPi", "nwho lsof", "lsof", 1.0)])


def events(scale):
    return Pace(
        "connections a second of a loop that opens and closes them, with events on", 2.0 if scale(1000) >= 1000 else 0.2,
        {"nwho events": [NWHO, "events", "--json"],
         "nwho events, nwho top": [NWHO, "events", "--json"],
         "nwho events, filtered": [NWHO, "events", "--json", "process", "nobody-has-this-name"]},
        {"nwho events, nwho top"},
        [("nwho events", 0.85), ("nwho events, nwho top", 0.85), ("nwho events, filtered", 0.85)], 0.93)


WORKS = {"tcp": tcp, "processes": processes, "udp": udp, "udp200k": udp200k, "threads": threads, "small": small,
         "old_tools": old_tools, "lsof": lsof, "small_old_tools": small_old_tools,
         "events": events}
