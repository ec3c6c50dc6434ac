# SPDX-License-Identifier: MIT
"""What was recorded comes back: who moved how much with whom, and when. Truth is what the programs counted themselves."""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from pathlib import Path

from live import BUILD, KERNEL, PATIENCE, netns, nwho, run_tests, test, wait_for
from loaded import programs
from page_sums import put_sums
from recorder import ask, directory, is_recording, recorder, rows
from talker import talker

# Sends N bytes to each of so many addresses of 127.1.0.0/24, the first gets most, and ends.
SCATTER = """
import socket, sys
end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
    end.sendto(bytes(int(sys.argv[2]) - i), (f"127.1.0.{i + 1}", 9))
"""


def sums(found, *keys):
    total = {}
    for row in found:
        key = tuple(row[name] for name in keys)
        rx, tx = total.get(key, (0, 0))
        total[key] = rx + row["rx_bytes"], tx + row["tx_bytes"]
    return total


def are_there(found, expected):
    """Both ways: a tick may have been read between them."""
    return min(sum(row["rx_bytes"] for row in found), sum(row["tx_bytes"] for row in found)) >= expected


def assert_table_is_walked(pid):
    """The recorder counts connections by one walk over the kernel's table: without that it is right, but takes more."""
    if KERNEL >= (6, 2) and shutil.which("bpftool"):
        wait_for(lambda: "walk_tcp_table" in programs(pid), what="program that walks the table of TCP")


@test
def bytes_come_back_with_process_and_peer():
    with directory() as place, netns() as ns, recorder(place / "h.db", exact=True) as child:
        store = place / "h.db"
        with talker(ns) as one:
            for size in (1000, 123456):
                one.say("tcp", size)
            one.say("udp", 777)
            expected = 1000 + 123456 + 777
            about = f"netns {ns.name}"

            def is_there():
                return sums(rows(store, about), "process", "pid") == {("python3", one.pid): (expected, expected)}

            wait_for(is_there, what=f"{expected} bytes of process {one.pid}")
            assert child.poll() is None
            assert_table_is_walked(child.pid)
            peers = rows(store, about, "--by", "peer")
            # recv(2) asks for no address, and then the kernel tells none.
            assert sums(peers, "peer_addr") == {("127.0.0.1",): (124456, expected), (None,): (777, 0)}, peers
            ports = sums(rows(store, about, "--by", "port"), "proto", "service_port")
            assert ports == {("tcp", 5555): (124456, 124456), ("udp", 5556): (777, 777)}, ports
            assert sums(rows(store, about, "dst", "127.0.0.1", "and", "udp"), "process") == {("python3",): (0, 777)}
            assert rows(store, about, "dst", "203.0.113.9") == []
            assert sums(rows(store, "--by", "netns", about), "netns")[(ns.name,)] == (expected, expected)


@test
def time_is_right_within_a_tick():
    with directory() as place, netns() as ns, recorder(place / "h.db", exact=True), talker(ns) as one:
        store, about = place / "h.db", f"netns {ns.name}"
        before = time.time()
        one.say("tcp", 5000)
        wait_for(lambda: are_there(rows(store, about), 5000), what="5000 bytes")
        shown = time.time()

        def moved(since, until):
            return sum(row["rx_bytes"] for row in rows(store, about, "--since", f"@{since:.6f}", "--until", f"@{until:.6f}"))

        # What moves while a tick is read may still be of that tick, which is one second late at most.
        first = int(before) - 1
        assert moved(before - 60, first) == 0
        assert moved(first, shown) == 5000
        wait_for(lambda: time.time() > shown + 2, what="later")
        assert moved(shown, time.time()) == 0
        assert sum(row["rx_bytes"] for row in rows(store, about, "--at", f"@{first - 4}")) == 5000
        assert rows(store, about, "--at", f"@{first - 59}") == []
        series = rows(store, about, "--since", f"@{first - 2}", "--until", f"@{int(shown) + 1}", "--every", "1")
        assert sum(row["rx_bytes"] for row in series) == 5000, series
        assert len(series) <= 2, series


@test
def peers_that_are_not_told_apart_are_in_the_sum():
    with directory() as place, netns() as ns, recorder(place / "h.db", "--peers", "3", exact=True):
        store, about = place / "h.db", f"netns {ns.name} and process python3"
        ns.run([sys.executable, "-c", SCATTER, 20, 5000])
        expected = sum(5000 - i for i in range(20))
        found = wait_for(lambda: sum(row["tx_bytes"] for row in rows(store, about)) >= expected and
                         rows(store, about, "--by", "peer"), what="all that was sent")
        assert sum(row["tx_bytes"] for row in found) == expected, found
        named = {row["peer_addr"]: row["tx_bytes"] for row in found if row["peer_addr"]}
        assert named == {f"127.1.0.{i + 1}": 5000 - i for i in range(3)}, found


@test
def short_processes_are_there():
    with directory() as place, netns() as ns, recorder(place / "h.db", exact=True):
        store, about = place / "h.db", f"netns {ns.name}"
        expected = 0
        for _ in range(20):
            out = ns.run([BUILD / "tests/helpers/mktraffic", "udp", "family=4"]).out
            expected += sum(json.loads(line)["rx"] for line in out.splitlines())
        wait_for(lambda: are_there(rows(store, about), expected), what=f"{expected} bytes")
        found = rows(store, about)
        assert sums(found, "process") == {("mktraffic",): (expected, expected)}, found


def kinds_of(store, *without):
    """Of all notes. What the doctor finds is of the neighbours."""
    return [note["kind"] for note in ask(store)["notes"] if note["kind"] not in ("finding", *without)]


@test
def marks_starts_and_ends_are_told():
    with directory() as place:
        store = place / "h.db"
        with recorder(store):
            nwho(None, "mark", "--store", store, "deployed", "v2 \x1b[31m")
            assert [note["text"] for note in ask(store)["notes"] if note["kind"] == "mark"] == ["deployed v2 \\e[31m"]
        assert kinds_of(store) == ["started", "mark", "stopped"]
        text = nwho(None, "history", "--store", store, expect=(0, 1)).out
        assert "mark     deployed v2 \\e[31m\n" in text and "\x1b" not in text
        with recorder(store) as child:
            child.kill()
            child.wait()
        with recorder(store):
            assert kinds_of(store, "gap") == ["started", "mark", "stopped", "started", "started"]


@test
def losses_that_follow_each_other_are_one_line():
    with directory() as place:
        store = place / "h.db"
        with recorder(store):
            pass
        last = int((time.time() - 10) * 1e9)
        noted = [("lost", "30 events"), ("lost", "12 events"), ("lost", "1 event"), ("mark", "x"), ("lost", "1 event")]
        with contextlib.closing(sqlite3.connect(store)) as file, file:
            file.execute("DELETE FROM note")
            file.executemany("INSERT INTO note(time_ns, kind, text) VALUES(?, ?, ?)",
                             [(last + i * 10**9, *note) for i, note in enumerate(noted)])
        put_sums(store)
        moments = [time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last // 10**9 + i)) for i in range(len(noted))]
        text = nwho(None, "history", "--store", store, expect=(0, 1)).out
        assert text.partition("\n\n")[2].splitlines() == [
            f"{moments[0]}  lost     42 events (2 times, until {moments[1]})", f"{moments[2]}  lost     1 event",
            f"{moments[3]}  mark     x", f"{moments[4]}  lost     1 event"], text
        assert [note["text"] for note in ask(store)["notes"]] == [words for _, words in noted]


@test
def a_second_recorder_is_refused():
    with directory() as place, recorder(place / "h.db") as first:
        second = nwho(None, "serve", "--foreground", "--listen", "none", "--store", place / "h.db", expect=2)
        assert f"process {first.pid}" in second.err and second.err.count("\n") == 1, second.err


@test
def a_killed_recorder_leaves_what_it_had():
    with directory() as place, netns() as ns, talker(ns) as one:
        store, about, moved = place / "h.db", f"netns {ns.name}", 0
        for _ in range(3):
            with recorder(store, exact=True) as child:
                one.say("tcp", 1000)
                moved += 1000
                wait_for(lambda: are_there(rows(store, about), moved), what=f"{moved} bytes")
                child.kill()
                child.wait()
        assert sum(row["rx_bytes"] for row in rows(store, about)) == moved


@test
def in_the_background_it_says_when_it_records():
    with directory() as place:
        store, since = place / "h.db", time.time()
        result = nwho(None, "serve", "--every", "1", "--listen", "none", "--store", store)
        assert result.out.startswith(f"nwho: recording into {store}; process ") and not result.err, result
        wait_for(lambda: is_recording(store, since))
        pid = int(result.out.partition("; process ")[2].partition(",")[0])
        assert f"process {pid}" in nwho(None, "serve", "--listen", "none", "--store", store, expect=2).err
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text())
        assert ask(store)["notes"][-1]["kind"] == "stopped"


@test
def status_and_stop():
    with directory() as place:
        store = place / "h.db"
        assert "nobody records" in nwho(None, "serve", "--store", store, "--status", expect=1).out
        with recorder(store) as child:
            status = nwho(None, "serve", "--store", store, "--status").out
            assert f"recorded by process {child.pid} since " in status and "every tick" in status, status
            assert nwho(None, "serve", "--store", store, "--stop").out == ""
            assert child.wait(PATIENCE) == 0
            assert ask(store)["notes"][-1]["kind"] == "stopped"
        assert "nobody records" in nwho(None, "serve", "--store", store, "--stop", expect=1).err
        assert nwho(None, "serve", "--store", store, "--status", expect=1).out.startswith(f"{store}: nobody records")


@test
def what_cannot_be_read_or_written_is_said():
    with directory() as place:
        foreign = place / "foreign.db"
        foreign.write_text("nothing of the kind" * 1000)
        cases = [
            (("history", "--store", place / "none.db"), "nwho serve records one"),
            (("history", "--store", foreign), str(foreign)),
            (("history", "--store", place), str(place)),
            (("history", "--since", "25:00"), "is no time"),
            (("history", "--since", "5m"), "write -5m"),
            (("history", "--since", "yesterday", "14:00"), "in quotes"),
            (("history", "--since", "-1h", "--until", "-2h"), "--until"),
            (("history", "--at", "-1h", "--since", "-2h"), "--at"),
            (("history", "--by", "conn"), "not recorded"),
            (("serve", "--foreground", "--listen", "none", "--store", place / "no/such/h.db"), "no/such"),
            (("serve", "--foreground", "--listen", "none", "--store", "/proc/nwho.db"), "/proc/nwho.db"),
            (("serve", "--every", "0"), "--every"),
            (("mark", "--store", place / "none.db", "x"), "none.db"),
            (("mark",), "noted"),
        ]
        for words, part in cases:
            result = nwho(None, *words, expect=2)
            assert part in result.err and result.err.count("\n") == 1 and not result.out, (words, result)
        assert foreign.read_text() == "nothing of the kind" * 1000


@test
def text_has_a_trend_and_a_chart():
    with directory() as place, netns() as ns, recorder(place / "h.db", exact=True), talker(ns) as one:
        store, about = place / "h.db", f"netns {ns.name}"
        one.say("tcp", 50000)
        wait_for(lambda: rows(store, about))
        chart = place / "chart.svg"
        text = nwho(None, "history", "--store", store, about, "--since", "-1m", "--every", "5", "--svg", chart).out
        title, header, row = text.splitlines()[:3]
        assert " to " in title and "measured" in title, text
        assert header.split()[-1] == "TREND" and "python3" in row and "\u2588" in row, text
        drawn = chart.read_text()
        assert drawn.startswith("<svg") and "python3" in drawn and "polyline" in drawn


@test
def states_and_connections_are_there():
    with directory() as place, netns() as ns, recorder(place / "h.db", exact=True), talker(ns) as one:
        store, about = place / "h.db", f"netns {ns.name}"

        def of_namespace(*words):
            return [row for row in rows(store, "--by", "state", *words) if row["netns"] == ns.name]

        def most():
            return {(row["proto"], row["state"]): row["most"] for row in of_namespace() if row["proto"] in ("tcp", "udp")}

        expected = {("tcp", "established"): 2, ("tcp", "listening"): 1, ("udp", "unconnected"): 1}
        wait_for(lambda: most() == expected, what=f"{expected}")
        assert all(row["least"] <= row["mean"] <= row["most"] for row in of_namespace()), of_namespace()
        sizes = iter(range(4321, 9999))

        def closed():
            """Both ends of a connection; where neighbours open many at once, some are not in the list, and that is said."""
            one.say("short", next(sizes))
            document = json.loads(nwho(None, "events", "--store", store, "--since", "-1m", about, "event", "closed", "--json",
                                       expect=(0, 1, 3)).out)
            ends = {}
            for row in document["rows"]:
                ends.setdefault(row["rx_bytes"] + row["tx_bytes"], []).append(row)
            return next((pair for pair in ends.values() if len(pair) == 2), None)

        pair = wait_for(closed, what="both ends of a connection that was closed")
        assert {row["verdict"] for row in pair} == {"ok"}, pair
        assert sorted(bool(row["rx_bytes"]) for row in pair) == [False, True], pair
        assert {row["pid"] for row in pair} == {one.pid} and {row["peer_addr"] for row in pair} == {"127.0.0.1"}, pair


@test
def interfaces_have_what_they_counted():
    with directory() as place, netns() as ns, recorder(place / "h.db"), talker(ns) as one:
        store = place / "h.db"
        one.say("tcp", 100000)

        def counted():
            found = [row for row in rows(store, "--by", "iface") if row["netns"] == ns.name and row["iface"] == "lo"]
            return found and found[0]["rx_bytes"] > 100000 and found[0]

        row = wait_for(counted, what="the bytes of lo")
        assert row["rx_bytes"] < 200000 and row["rx_rate"] > 0, row


run_tests()
