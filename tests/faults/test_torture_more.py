# SPDX-License-Identifier: MIT
"""Torture (see test_torture.py) of what writes files, of what goes on until it is told to end, and of the other old tools.

Where packets are read only calls of the program itself fail: without memory libpcap's scanner ends the program, and its compiler
crashes (1.10.3).
"""
import contextlib
import itertools
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import links
from faults import FULL, quiet_machine, run
from live import BUILD, Result, netns, run_tests, skip, test
from made_history import BEGIN, MERGED, MINUTE, PROCESSES, TIME, history
from torture import check_exact, check_failure, check_lives, check_live, check_none, check_old, need_injector, run_failing, torture

PROC = ["--sources", "sock_diag,proc_net,proc_fd"]
BPF = ["--sources", "bpf,sock_diag,proc_net,proc_fd"]
FILTER = "not netlink"  # of which the program has some itself
FILES = ("read", "write", "open", "sync")
LASTING = ("memory", "read", "write", "receive", "send", "open", "map", "bpf") if FULL else ("memory", "read", "receive")

sys.path.append(str(Path(__file__).resolve().parents[1] / "compat"))
import packets  # noqa: E402  pylint: disable=wrong-import-position


@contextlib.contextmanager
def places():
    """Gives a function that gives the path of a file that is not there yet."""
    numbers = itertools.count()
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as directory:
        yield lambda: Path(directory) / str(next(numbers))


@test
def what_is_kept_is_counted():
    """Of a program that gives nothing back, and of one that leaves a file open."""
    need_injector()
    assert run_failing(["bash", "-c", "a=1"], "memory")[1].blocks > 10
    assert run_failing([sys.executable, "-c", "import os; os.open('/dev/null', 0)"], "memory")[1].files == 2


# --- what writes files ---

@test
def a_database_is_whole_or_not_there():
    with history() as (store, _), places() as place:
        def prepare():
            return "--store", shutil.copy(store, place()), "-o", place()

        def look(result, words):
            if result.rc != 0:
                assert not words[-1].exists(), "a part of the file is left"
                return ""
            with contextlib.closing(sqlite3.connect(words[-1])) as database:
                return "\n".join(database.iterdump())

        args = ["export", *MINUTE, "--format", "sqlite"]
        check_none(torture(args, check_exact, ("memory",), 3, own=True, prepare=prepare, look=look))
        check_none(torture([*args, "--by", "interface"], check_exact, ("memory", *FILES), 3, prepare=prepare, look=look))  # of no user


TICKS = 4  # of which the first is merged


@test
def ticks_are_whole_or_not_there():
    """In a file that is begun by the writer, as by the recorder's first ticks. What failed is a gap: those around it stay."""
    maker = BUILD / "tests/helpers/history_maker"
    if not maker.exists():
        skip("built without history")
    with places() as place:
        def look(result, words):
            if result.rc and not words[0].exists():
                return ""
            shown = run(None, [BUILD / "nwho", "history", "--store", words[0], *MINUTE, "--csv", "-H", "-o", "rx_bytes", "--sort", "rx_bytes:desc"])
            check_lives(shown)
            received = [int(line) for line in shown.out.splitlines()]
            ticks = received[0] // (PROCESSES * 100) if received else 0
            assert received == ([(PROCESSES - number) * 100 * ticks for number in range(PROCESSES)] if ticks else []), f"ticks are not whole: {received}"
            assert shown.rc in (0, 1) or result.rc, f"the history cannot be read: {shown.err}"
            return f"{ticks} ticks"

        def check(result, truth):
            assert result.rc == truth.rc and result.out == truth.out or result.rc == 1 and "history_maker: " in result.err, "a tick is missing"

        check_none(torture([], check, ("memory", *FILES), 2, prepare=lambda: (place(), MERGED - 20, TICKS), look=look, program=maker, right=(0,)))


@test
def a_recording_is_whole_or_not_there():
    args = ["ls", "-a", FILTER, "--csv", "-o", "proto,state,local,peer,owners", *PROC]
    with quiet_machine(tcp=40, udp=10) as ns, places() as place:
        def look(result, words):
            replay = run(None, [BUILD / "nwho", *args, "--replay", words[-1]])
            if result.rc in (2, 3):
                assert not words[-1].exists() or replay.rc in (0, 3), "what is left cannot be replayed"
                return ""
            assert replay.out == result.out, "the recording says something else"
            return ""

        for kinds in (("memory",), FILES):  # one at a time: another one's search for the name of a user is a socket here
            check_none(torture(args, check_live, kinds, 2, own=kinds != FILES, ns=ns, prepare=lambda: ("--record", place()), look=look, workers=1))


@contextlib.contextmanager
def file_of_packets():
    with places() as place:
        path = place()
        packets.write(path, packets.ETHERNET, itertools.islice(packets.ethernet_packets(), 0, 400, 8))
        yield path, place


@test
def packets_of_a_file():
    with file_of_packets() as (path, _):
        for args in (["tcpdump", "-n", "-r", path], ["tcpdump", "-nvvX", "-r", path], ["sniff", "--json", "-r", path],
                     ["sniff", "-r", path, "--stats"]):
            check_none(torture(args, check_old, ("memory", *FILES), 2, own=True))


@test
def packets_into_a_file():
    with file_of_packets() as (path, place):
        for args in (["tcpdump", "-r", path], ["sniff", "--pcapng", "-r", path]):
            def look(result, words):
                return words[-1].read_bytes().hex() if result.rc == 0 else ""

            check_none(torture(args, check_old, ("memory", *FILES), 2, own=True, prepare=lambda: ("-w", place()), look=look))


# --- what goes on until it is told to end ---

WATCHED = [["ls", "-a", FILTER, "--watch=0.01", "--times=2", *PROC], ["count", "state", "-t", "--json", "--watch=0.01", "--times=2", *BPF],
           ["events", "--for", "0.05"], ["nat", "--events", "--for", "0.05"], ["top", "--batch", "-n", "2", "-d", "0.05"],
           ["if", "--watch=0.01", "--times=2", "-o", "iface,state,mtu"], ["doctor", "--window", "0.05", "stuck", "close-wait"]]


def check_told(result, truth):
    """What is seen in a while may differ; that it failed is said, and no status but its own is given."""
    if result.rc not in (0, 1):
        check_failure(result, truth)


@test
def what_goes_on_for_a_while():
    with quiet_machine() as ns:
        for args in WATCHED:
            check_none(torture(args, check_told, LASTING, 1, ns=ns, right=(0, 1, 3)))


@test
def sniffing_until_it_is_told_to_end():
    with netns() as ns:
        for args in (["sniff", "-i", "lo"], ["tcpdump", "-n", "-i", "lo"]):
            def check(result, truth):
                assert result.rc in (0, 1, 2), "unknown exit status"

            check_none(torture(args, check, LASTING, 1, own=True, ns=ns, seconds=0.6, workers=4))


@test
def the_recorder_until_it_is_told_to_end():
    """Whatever fails, its history can be read, and it ends when it is asked to. What it said that it could not keep may be called missing."""
    with netns() as ns, places() as place:
        def look(result, words):
            if not words[-1].exists():
                return ""
            shown = run(None, [BUILD / "nwho", "history", "--store", words[-1], "--json", "--since", "-1h"])
            check_lives(shown)
            missing = shown.rc == 3 and "not in the history" in result.err
            assert shown.rc in (0, 1) or missing or result.rc == 2, f"the history cannot be read: {shown.err}"
            return ""

        args = ["serve", "--foreground", "--every", "1", "--listen", "127.0.0.1:0"]

        def check(result, _truth):
            assert result.rc in (0, 2), "unknown exit status"

        for kinds in (("memory",), (*LASTING[1:], "sync")):
            check_none(torture(args, check, kinds, 1, own=FULL and kinds == ("memory",), ns=ns, prepare=lambda: ("--store", place()),
                               look=look, seconds=1.3, workers=4))


# --- the other old tools ---

@contextlib.contextmanager
def tracked():
    """Entries of datagrams, which stay for half a minute."""
    with netns("net.netfilter.nf_conntrack_udp_timeout=3000") as ns:
        links.track(ns)
        ns.run([sys.executable, "-c", "import socket\nfor port in range(1, 200): "
                "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))"])
        yield ns


def without_timeouts(result):
    return Result(result.rc, re.sub(r"-t \d+ ", "", result.out), result.err)


def check_entries(result, truth):
    check_old(without_timeouts(result), without_timeouts(truth))


@test
def tracked_connections():
    with tracked() as ns:
        for args in (["conntrack", "-L", "-o", "save"], ["conntrack", "-C"], ["conntrack", "-S"],
                     ["conntrack", "-L", "-p", "udp", "--dport", "7", "-o", "save"]):
            check_none(torture(args, check_entries, ("memory", "receive", "send", "open", "write"), 2, ns=ns))


@test
def sar_of_the_past_and_of_now():
    with history() as (store, _), places() as place:
        args = ["sar", "-n", "DEV", "-n", "EDEV", "-n", "TCP", "-e", "00:03:20"]
        check_none(torture(args, check_old, ("memory", *FILES), 2, prepare=lambda: ("-f", shutil.copy(store, place()))))

    def check(result, _truth):
        assert result.rc in (0, 1, 2), "unknown exit status"

    with netns() as ns:
        check_none(torture(["sar", "-n", "DEV", "1", "1"], check, ("memory", "read", "receive"), 1, ns=ns, workers=4))


# --- other hosts ---

SUCCESS = {"status": "success", "data": {"resultType": "vector", "result": [
    {"metric": {"instance": f"host{i}", "process_executable_name": "a", "server_port": "80"}, "value": [BEGIN, str(i)]} for i in range(20)]}}


class Answers(BaseHTTPRequestHandler):
    """The same to each question."""

    def log_message(self, *_words):  # pylint: disable=arguments-differ
        pass

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(SUCCESS).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@test
def other_hosts():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        if run(None, [BUILD / "nwho", "fleet", "ports", "--server", url]).rc not in (0, 1, 3):
            skip("built without libcurl")
        # What libcurl does without memory is its own affair.
        check_none(torture(["fleet", "ports", "--server", url, "--csv"], check_live, ("memory", "read", "write"), 4, own=True, right=(0, 1, 3)))
    finally:
        server.shutdown()
        server.server_close()


run_tests()
