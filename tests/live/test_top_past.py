# SPDX-License-Identifier: MIT
"""`nwho top` of the past as text and documents: what `nwho history` has of the same times, and what processes really moved."""
import calendar
import json
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from live import BUILD, PATIENCE, netns, nwho, run_tests, test, wait_for
from recorder import directory, recorder, rows
from talker import talker

SPAN = ("--since", "2025-12-01 00:00", "--until", "2025-12-01 00:10")
PIECES = 60
GAP = range(30, 41)  # pieces
NGINX = re.compile(r"^1203 |^ +1203 ", re.M)


@contextmanager
def scene():
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as place:
        subprocess.run([BUILD / "tests/helpers/history_scene", f"{place}/h.db"], check=True, timeout=PATIENCE)
        yield f"{place}/h.db"


def top(*words, expect=(0,)):
    return nwho(None, "top", *words, env={"TZ": "UTC"}, expect=expect)


def documents(*words, **more):
    """The documents of --json, one after the other."""
    text, found, decoder = top(*words, "--json", **more).out, [], json.JSONDecoder()
    while text.strip():
        document, end = decoder.raw_decode(text.lstrip())
        found.append(document)
        text = text.lstrip()[end:]
    return found


def amounts(rows):
    return {row["pid"]: (row["rx_bytes"], row["tx_bytes"], row["rx_rate"], row["tx_rate"]) for row in rows}


@test
def each_piece_is_a_document():
    with scene() as path:
        found = documents(*SPAN, "--store", path)
        assert len(found) == PIECES
        for number, document in enumerate(found):
            seconds = (number + 1) * 10
            assert document["time"].startswith(f"2025-12-01T00:{seconds // 60:02}:{seconds % 60:02}.000"), document["time"]
            assert document["measured_s"] == (0 if number in GAP else 10), document
            assert bool(document["rows"]) == (number not in GAP), document
            assert {note["text"] for note in document["notes"]} == ({"deployed v2"} if number == 7 else set()), document
        # Of twelve wholly measured pieces the sums are those that one answer has.
        parts = [row for document in found[:12] for row in document["rows"]]
        whole = json.loads(nwho(None, "history", "--store", path, "--json", "--since", "@1764547200.5", "--until", "@1764547320.5").out)
        for pid, (rx, tx, _, _) in amounts(whole["rows"]).items():
            assert rx == sum(row["rx_bytes"] for row in parts if row["pid"] == pid)
            assert tx == sum(row["tx_bytes"] for row in parts if row["pid"] == pid)


@test
def the_forms_of_asking_are_one():
    with scene() as path:
        rest = ("--store", path, "--limit", "2")
        expected = top(*SPAN, *rest).out
        assert len(NGINX.findall(expected)) == PIECES - len(GAP), expected
        for words in (("--replay", *SPAN), (*SPAN, "--replay"), ("--replay", "--batch", *SPAN), ("-d", "10", *SPAN), ("--every", "10s", *SPAN)):
            assert top(*words, *rest).out == expected, words
        assert amounts(documents("process", "curl", *SPAN, "--store", path, "--every", "5m")[0]["rows"]).keys() == {4410}


@test
def formats_and_ends():
    with scene() as path:
        rest = (*SPAN, "--store", path)
        lines = top(*rest, "--csv", "--by", "user").out.splitlines()
        assert [line for line in lines if line.startswith("time,")] == lines[:1]
        assert {line.split(",")[1] for line in lines[1:]} == {"root", "nobody"}, lines
        rows = [json.loads(line) for line in top(*rest, "--jsonl", "-n", "5").out.splitlines()]
        assert {row["time"] for row in rows} == {f"2025-12-01T00:00:{second}0.000Z" for second in range(1, 6)}, rows
        assert len(documents(*rest, "-n", "3")) == 3
        assert top(*rest, "-q").out == ""
        assert top(*rest, "-q", "pid", "1", expect=(1,)).out == ""


@test
def gaps_and_notes_are_lines():
    with scene() as path:
        text = top(*SPAN, "--store", path).out
        assert text.count("not measured") == 1, text
        assert "\n2025-12-01 00:05:00 to 2025-12-01 00:06:50  not measured\n\n2025-12-01 00:06:50 to " in text, text
        assert "\n2025-12-01 00:01:15  mark     deployed v2\n" in text, text
        finer = top(*SPAN, "--store", path, "-d", "2").out  # a reading has five pieces: that is no gap
        assert finer.count("2025-12-01 00:05:00 to 2025-12-01 00:06:50  not measured\n") == finer.count("not measured") == 1, finer
        assert len(NGINX.findall(finer)) == PIECES - len(GAP), finer


@test
def what_cannot_be_is_said_in_one_line():
    with scene() as path:
        cases = [
            (("--replay", "--store", "/nonexistent/h.db"), "nwho serve records one"),
            (("--since", "-1h", "--replay", path), "--replay FILE is one recording"),
            (("--since", "-1h", "--record", "x"), "--record"),
            (("--since", "-1h", "--store", path, "--by", "conn"), "not recorded one by one"),
            (("--since", "-1h", "--store", path, "-d", "0.5"), "a second or more"),
            (("--since", "25:00"), "is no time"),
            (("--since", "5m"), "write -5m"),
            (("--replay", "/nonexistent.snapshot"), "/nonexistent.snapshot"),
        ]
        for words, part in cases:
            result = top(*words, expect=(2,))
            assert part in result.err and result.err.count("\n") == 1 and not result.out, (words, result)
        assert "needs an argument" in nwho(None, "ls", "--replay", expect=2).err


@test
def a_recording_is_still_replayed():
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as place:
        path = Path(place) / "snapshot"
        top("-d", "0.1", "-n", "1", "--record", path, "--json", expect=(0, 1, 3))
        for words in (("--replay", path), (f"--replay={path}",)):
            assert json.loads(top(*words, "--json", expect=(0, 1, 3)).out)["table"] == "traffic"


@test
def bytes_are_in_the_piece_in_which_they_moved():
    with directory() as place, netns() as ns, recorder(place / "h.db", exact=True), talker(ns) as one:
        store, about, sent, moved = place / "h.db", f"netns {ns.name}", [], 0
        for size in (1000, 20000, 300000):
            before, moved = time.time(), moved + size
            one.say("tcp", size)
            wait_for(lambda: sum(row["rx_bytes"] for row in rows(store, about)) == moved, what=f"{moved} bytes")
            sent.append((int(before), int(time.time()) + 1, size))
            wait_for(lambda: time.time() > sent[-1][1] + 1, what="another piece")
        found = {}
        for document in documents(about, "--store", store, "--since", f"@{sent[0][0] - 1}", "-d", "1"):
            end = calendar.timegm(time.strptime(document["time"][:19], "%Y-%m-%dT%H:%M:%S"))
            found[end] = sum(row["rx_bytes"] for row in document["rows"])
        assert sum(found.values()) == moved, found
        for first, last, size in sent:
            assert sum(found[end] for end in range(first, last + 1)) == size, (first, last, size, found)


run_tests()
