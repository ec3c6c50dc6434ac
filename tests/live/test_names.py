# SPDX-License-Identifier: MIT
"""Names that come from outside: one line a row, no raw control byte, columns stay aligned, the bytes can be recovered."""
import csv
import io
import json
import os
import subprocess
import unicodedata
from contextlib import ExitStack

import truth
from live import PATIENCE, mksock, netns, nwho, nwho_json, run_tests, test
from truth import unescape

SOURCES = truth.all_sources()[:-1]  # /proc/net/unix cannot tell such paths

# As mksock takes them. A name of a process has 15 bytes at most.
COMMS = [r"a) R 1\x0a\x1b[31m\xff", "fifteen_bytes_x", "", " ", r"\x0a", r"\x09tab", r"back\x5cslash", 'quo"te', "a,b;c(1,2)",
         r"\xc3\xa9t\xc3\xa9", r"\xe6\x97\xa5\xe6\x9c\xac", r"\xe2\x80\xaertl", r"\xc2\x9b31m", r"\xed\xa0\x80", r"\x7f\x01",
         "-", "null", "<b>&amp;"]
PATHS = [r"a b", r"new\x0aline", r"\x1b]0;x\x07", r"\xff\xfe", r"tab\x09", r"back\x5cslash", r"quo\x22te", "com,ma", " ",
         r"\xe6\x97\xa5", r"\xe2\x80\x8bzero", "-", r"trailing ", r"\xc2\x85"]
ABSTRACT = [r"\x00", r"\x00\x00\x00", r"\x00a\x00b", r"\x00new\x0aline\x1b[2J", r"\x00 ", r"\x00@x"]
# Columns of the terminal that a character takes: 2 for wide ones, 0 for those that join the one before.
WIDE = "WF"


def groups_of(directory):
    """One process a comm, then one listener a path."""
    for comm in COMMS:
        yield ["listening", f"comm={comm}"]
    for path in PATHS:
        yield ["unix-listening", f"path={directory}/{path}"]
    for path in ABSTRACT:
        yield ["unix-listening", f"path={path}-{os.getpid()}"]


def hostile(stack, ns):
    """Starts all of them; gives the facts."""
    directory = f"/tmp/nwho-names-{os.getpid()}"
    os.mkdir(directory)
    stack.callback(os.rmdir, directory)
    words = [word for group in groups_of(directory) for word in ["--", *group]]
    facts = stack.enter_context(mksock(ns, *words[1:]))
    assert len(facts) == len(COMMS) + len(PATHS) + len(ABSTRACT)
    return facts


def width(text):
    """Terminal columns of a text."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in WIDE else 1 for c in text)


def assert_harmless(out):
    """Nothing that a terminal or a reader of lines would take for a command."""
    for character in out:
        category = unicodedata.category(character)
        assert character == "\n" or category not in ("Cc", "Cf", "Cs", "Zl", "Zp"), (hex(ord(character)), out)


def names_of(facts):
    """inode -> (name of the process, path or None), as bytes."""
    wanted = [(fact["inode"], truth.expected(fact)) for fact in facts]
    return {inode: (want["process"], want.get("path")) for inode, want in wanted}


@test
def every_format_keeps_the_bytes():
    with netns() as ns, ExitStack() as stack:
        want = names_of(hostile(stack, ns))
        for sources in SOURCES:
            options = ["ls", "-a", "-o", "inode,process,path", "--sources", sources]
            document = nwho(ns, *options, "--json").out
            assert_harmless(document)
            rows = truth.rows_of_json(document)
            assert {row["inode"]: (row["process"], row["path"]) for row in rows if row["inode"] in want} == want

            lines = nwho(ns, *options, "--jsonl").out
            assert_harmless(lines)
            found = [json.loads(line) for line in lines.splitlines()]
            assert {row["inode"]: row["process"] and unescape(row["process"]) for row in found if row["inode"] in want} == {
                inode: process or "" for inode, (process, _) in want.items()}

            table = nwho(ns, *options, "--csv").out
            assert_harmless(table)
            rows = truth.rows_of_csv(table)
            assert len(table.splitlines()) == 1 + len(rows)
            assert {row["inode"]: (row["process"], row["path"]) for row in rows if row["inode"] in want} == want


@test
def text_is_one_aligned_line_a_row():
    with netns() as ns, ExitStack() as stack:
        want = names_of(hostile(stack, ns))
        for sources in SOURCES:
            out = nwho(ns, "ls", "-ltx", "-o", "process,path,inode", "--sources", sources).out
            assert_harmless(out)
            header, *lines = out.splitlines()
            assert len(lines) == len(want), out
            # The last column is a number that ends where its title ends.
            assert {width(line) for line in lines} == {width(header)}, out
            found = {}
            for line in lines:
                name, path, inode = split_columns(line, header, ("PROCESS", "PATH", "INODE"))
                found[int(inode)] = (b"" if name == '""' else unescape(name), path)
            for inode, (process, path) in want.items():
                name, shown = found[inode]
                assert name == process.rstrip(b" "), (process, name)
                assert (unescape(shown) == path.rstrip(b" ")) if path else shown == "-", (path, shown)


def split_columns(line, header, titles):
    """Cells of a line by the terminal columns where the titles begin; the last is whatever is left."""
    starts = [header.index(title) for title in titles]
    cells, at, cell = [], 0, ""
    for character in line:
        if len(cells) + 1 < len(starts) - 1 and at == starts[len(cells) + 1]:
            cells.append(cell.rstrip(" "))
            cell = ""
        cell += character
        at += width(character)
    path, inode = cell.rsplit(None, 1) if " " in cell.strip() else ("", cell)
    return [*cells, path.rstrip(" "), inode]


@test
def every_command_escapes_what_it_shows():
    with netns() as ns, ExitStack() as stack:
        facts = hostile(stack, ns)
        for args in (["ls", "-a"], ["ports"], ["ps", "-a"], ["ps", "--threads"], ["count", "process,path", "-a"], [],
                     ["ls", "-a", "--color", "always"], ["ls", "-a", "--explain"]):
            result = nwho(ns, *args)
            plain = result.out
            if "always" in args:
                for sequence in ("\x1b[0m", "\x1b[1m", "\x1b[m"):
                    plain = plain.replace(sequence, "")
                assert "\x1b[31m" not in plain and "\x1b[2J" not in plain
                continue
            assert_harmless(plain + result.err)
        for fact in facts[:len(COMMS)]:
            for args in ([str(fact["pid"])], [f":{fact['local_port']}"], ["why-busy", f"tcp/{fact['local_port']}"]):
                assert_harmless(nwho(ns, *args).out)


@test
def strange_words_of_the_user_are_escaped_in_errors():
    with netns() as ns:
        for args in (["ls", "-o", "a\x1b[31m\nb"], ["ls", "state", "\x1b[31m"], ["ls", "--sort", "\x07"], ["count", "\x1b"],
                     ["ls", "-N", "\x1b\n"], ["why-busy", "\n\x1b"], ["columns", "\x9b"], ["ls", "--\x1b"], ["ls", "-\x1b"],
                     ["ls", "--replay", "/tmp/\x1b[31m\n"], ["ls", "--color", "\x1b"], ["ls", "--sources", "\n"],
                     ["ls", "--limit", "\x1b"], ["help", "\x1b\n"]):
            result = nwho(ns, *args, expect=2)
            assert result.out == "", args
            assert_harmless(result.err)
            assert result.err.endswith("\n") and result.err.count("\n") in (1, 3), (args, result.err)


@test
def an_interface_may_have_a_strange_name():
    with netns() as ns:
        name = 'v"\\,\x7f;é'
        ns.run(["ip", "link", "add", name, "type", "veth"])
        with mksock(ns, "listening", f"dev={name}") as facts:
            row, = nwho_json(ns, "ls")["rows"]
            assert unescape(row["iface"]) == name.encode(), row
            assert row["inode"] == facts[0]["inode"]
            assert_harmless(nwho(ns, "ls").out)
            assert_harmless(nwho(ns, "why-busy", f"tcp/{facts[0]['local_port']}").out)
            fields = list(csv.reader(io.StringIO(nwho(ns, "ls", "--csv", "-H", "-o", "iface").out)))
            assert unescape(fields[0][0]) == name.encode(), fields


@test
def names_of_hosts_are_asked_of_sockets_that_have_an_address():
    with netns() as ns, mksock(ns, "established", "--", "unix-pair", "--", "packet", "--", "netlink"):
        lines = nwho(ns, "ls", "-a", "-r", "process mksock").out.splitlines()
        assert len(lines) == len(nwho(ns, "ls", "-a", "process mksock").out.splitlines()) == 7, lines


@test
def a_long_command_line_is_cut_and_does_no_harm():
    """What is shown is the beginning, unchanged."""
    words = ["x" * 9000, "", "a\nb\x1b[0m", " ", "é", "-" * 5000]
    script = "import socket, sys\ns = socket.create_server(('127.0.0.1', 0))\nprint('ready', flush=True)\nsys.stdin.read()"
    with netns() as ns:
        with ns.popen(["python3", "-c", script, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            try:
                assert child.stdout.readline() == b"ready\n"
                with open(f"/proc/{child.pid}/cmdline", "rb") as file:
                    want = file.read().removesuffix(b"\0").replace(b"\0", b" ")
                row, = nwho_json(ns, "ls", "-o", "cmdline,pid")["rows"]
                assert row["pid"] == child.pid
                assert want.startswith(unescape(row["cmdline"])) and len(unescape(row["cmdline"])) >= 4000, len(row["cmdline"])
                assert_harmless(nwho(ns, "ls", "-o", "cmdline").out)
            finally:
                child.stdin.close()
                child.wait(PATIENCE)


@test
def a_name_forges_no_owner_in_csv():
    with netns() as ns, mksock(ns, "listening", "comm=x;nginx(1,3)") as facts:
        for sources in SOURCES:
            out = nwho(ns, "ls", "--csv", "-H", "-o", "owners", "--sources", sources).out
            (cell,), = csv.reader(io.StringIO(out))
            assert cell == rf"x\x3bnginx\x281\x2c3\x29({facts[0]['pid']},{facts[0]['fd']})", cell


run_tests()
