#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files that ss is told to read instead of the kernel, broken in every way: no crash, a clear word, the same exit status."""
import contextlib
import os
import random
import shutil
import struct
from pathlib import Path

from compat import PATH, environment_of, links
from answers import run_line
from live import run_tests, test
from scene import Scenes

TABLES = {"tcp": "-tan", "tcp6": "-6tan", "udp": "-uan", "udp6": "-6uan", "raw": "-wan", "raw6": "-6wan", "unix": "-xan",
          "packet": "-0an", "netlink": "-f netlink", "sockstat": "-s", "sockstat6": "-s", "snmp": "-s"}


@contextlib.contextmanager
def stage():
    """(scene, a function that runs a line with ours, and one that does with the real tool)."""
    with links() as first, Scenes() as scenes:
        place = scenes.current()
        with place.inside():
            yield (place, lambda line: run_line(line, None, environment_of(place, f"{first}:{PATH}")),
                   lambda line: run_line(line, None, environment_of(place, PATH)))


def check(name, ours, theirs, word):
    """No crash, a WORD about it on stderr, and what the real tool does unless that one crashes."""
    text = ours.err.decode("utf-8", "replace")
    assert not ours.crashed() and ours.rc in (0, 1, 255), f"{name}: exit status {ours.rc}\n{text}"
    assert word is None or word in text, f"{name}: {word} is not in what it says: {text!r}"
    assert len(text.partition("Usage:")[0].splitlines()) < 20, f"{name}: says too much\n{text[:500]}"
    if not theirs.crashed():
        assert ours.rc == theirs.rc, f"{name}: exit status {ours.rc}, theirs is {theirs.rc}"


def header(length, kind=20):
    return struct.pack("=IHHII", length, kind, 0, 0, 0)


def messages(dump):
    """Where the messages of a dump begin."""
    at = 0
    while at + 16 <= len(dump):
        yield at
        at += (struct.unpack_from("=I", dump, at)[0] + 3) & ~3 or 16


def broken_dumps(dump):
    """(name, bytes, whether a message is due)."""
    chance = random.Random(3)
    second = list(messages(dump))[1]
    yield "empty", b"", True
    yield "one byte", b"x", True
    yield "random", chance.randbytes(4096), True
    yield "header without message", header(100), True
    yield "length 0", header(0) * 8, True
    yield "length 15", header(15) * 8, True
    yield "length of 4 GiB", header(0xffffffff) + bytes(1000), True
    yield "short message", header(20) + bytes(4), True
    yield "error message cut", header(16, 2), True
    for cut in (second + 3, second + 16, second + 40, second + 87, len(dump) - 1):
        yield f"cut at {cut}", dump[:cut], None
    for number in range(40):
        spoiled = bytearray(dump)
        for _ in range(1 + number % 8):
            spoiled[chance.randrange(len(spoiled))] = chance.choice((0, 1, 0x7f, 0xff, chance.randrange(256)))
        yield f"spoiled {number}", bytes(spoiled), None


@test
def tcpdiag_file_is_broken():
    with stage() as (place, ours, theirs):
        file = Path(place.variables["DIR"]) / "broken"
        for name, data, told in broken_dumps(Path(place.variables["DUMP"]).read_bytes()):
            file.write_bytes(data)
            for options in ("-tan", "-tanpeim"):
                line = f"TCPDIAG_FILE=$DIR/broken ss {options}"
                check(f"{name}: {options}", ours(line), theirs(line), "TCPDIAG_FILE" if told else None)


@test
def tcpdiag_file_cannot_be_read():
    with stage() as (place, ours, theirs):
        for name in ("$DIR/none", "$DIR", "$DIR/listen.sock", "/proc/self/mem"):
            line = f"TCPDIAG_FILE={name} ss -tan"
            check(name, ours(line), theirs(line), "TCPDIAG_FILE")
        os.chmod(place.variables["DUMP"], 0o600)
        check("no permission", ours("TCPDIAG_FILE=$DUMP $NOBODY ss -tan"),
              theirs("TCPDIAG_FILE=$DUMP $NOBODY ss -tan"), "TCPDIAG_FILE")


# --- /proc trees ---

def broken_tables(text):
    """(name, bytes) of a broken file of /proc/net, made from a good one."""
    lines = text.splitlines(keepends=True)
    head, rows = lines[0], lines[1:]
    yield "empty", b""
    yield "header only", head
    yield "no newline", head + (rows[0].rstrip(b"\n") if rows else b"")
    yield "cut line", head + (rows[0][:20] if rows else b"")
    yield "blank lines", head + b"\n\n \n"
    yield "words", head + b"all these are words and no numbers at all : : :\n"
    yield "long line", head + b"x" * 100000 + b"\n" + b"".join(rows)
    yield "zero bytes", head + bytes(500) + b"\n" + b"".join(rows)
    yield "bytes", head + bytes(range(128, 256)) * 4 + b"\n"
    yield "numbers too large", head + b"".join(row.replace(b"0", b"9" * 40) for row in rows[:3])
    yield "negative numbers", head + b"".join(row.replace(b" 0", b" -1") for row in rows[:3])
    yield "letters", head + b"".join(row.replace(b"0", b"g") for row in rows[:3])
    yield "address too long", head + b"".join(row.replace(b":", b"00000000000000000000000000:FFFFF") for row in rows[:3])


@test
def proc_root_has_broken_lines():
    with stage() as (place, ours, theirs):
        for table, options in TABLES.items():
            file = Path(place.variables["TREE"]) / "net" / table
            good = file.read_bytes()
            for name, data in broken_tables(good):
                file.write_bytes(data)
                line = f"PROC_ROOT=$TREE ss {options}"
                check(f"{table}: {name}", ours(line), theirs(line), None)
            file.write_bytes(good)


@test
def proc_root_lacks_files():
    with stage() as (place, ours, theirs):
        for options in ("-tan", "-uan", "-wan", "-xan", "-0an", "-s", "-tanp"):
            check(f"no tree: {options}", *(run(f"PROC_ROOT=/nonexistent ss {options}") for run in (ours, theirs)), None)
        net = Path(place.variables["TREE"]) / "net"
        for table, options in TABLES.items():
            (net / table).unlink()
            check(f"no {table}", *(run(f"PROC_ROOT=$TREE ss {options}") for run in (ours, theirs)), None)
            (net / table).mkdir()
            check(f"{table} is a directory", *(run(f"PROC_ROOT=$TREE ss {options}") for run in (ours, theirs)), None)
        shutil.rmtree(net)
        check("no net", *(run("PROC_ROOT=$TREE ss -an") for run in (ours, theirs)), None)


@test
def filter_file_is_broken():
    with stage() as (place, ours, theirs):
        file = Path(place.variables["DIR"]) / "filter"
        for data in (b"", b"sport = :22\0 or", b"\\", b"(" * 5000, b"not " * 5000, b"\xff\xfe\n", b"sport = " + b"9" * 5000,
                     b"src " + b"1" * 100000):
            file.write_bytes(data)
            one, other = (run("ss -tan -F $DIR/filter") for run in (ours, theirs))
            check(repr(data[:20]), one, other, None)


run_tests()
