# SPDX-License-Identifier: MIT
"""The command `nwho doctor`: several faults at once, ordinary users, exit codes, plug-ins, recordings, and what it refuses."""
import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager

from doctor import NWHO, findings, program
from live import BUILD, mksock, netns, nwho, nwho_json, run_tests, skip, test, wait_for

MKSOCK = BUILD / "tests/helpers/mksock"

UNREAD = """
import socket, time
reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reader.bind(("127.0.0.1", 5140))
reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
while True:
    writer.sendto(b"x" * 500, reader.getsockname())
    time.sleep(0.01)
"""

SHORT = ["--window", "0.2"]


@contextmanager
def leak(ns, **options):
    """A process with so many connections in close-wait that it is a warning; gives its pid."""
    with mksock(ns, "close-wait", "many=110", **options) as facts:
        yield next(fact["pid"] for fact in facts if fact["role"] == "subject")


def doctor(ns, *args, **options):
    return nwho(ns, "doctor", "-N", ns.name, *SHORT, *args, **options)


@test
def two_faults_at_once():
    """Each has its own culprit, and the worse one comes first, whatever the order of the checks."""
    limits = {"udp-drops.datagrams": "5 10"}
    with netns() as ns, leak(ns) as leaking, program(ns, UNREAD) as unread:
        rows = wait_for(lambda: [rows for rows in [findings(ns, limits=limits)] if len(rows) == 2], what="both faults")[0]
        assert [(row["check"], row["severity"], row["pid"]) for row in rows] == [
            ("udp-drops", "crit", unread.pid), ("close-wait", "warn", leaking)], rows


@test
def output_options():
    """Text is sorted and limited as rows are; what it leaves out counts for the exit code all the same."""
    with netns() as ns, leak(ns), mksock(ns, "bound-inactive", "port=9000"):
        heads = lambda *words: re.findall(r"^[A-Z]+ ([a-z-]+):", doctor(ns, *words, expect=1).out, re.M)
        assert heads() == ["close-wait", "port-conflict"]
        assert heads("--sort", "check:desc") == ["port-conflict", "close-wait"]
        limited = doctor(ns, "--limit", "1", "--sort", "check:desc", expect=1).out
        assert "INFO port-conflict:" in limited and "\n... and 1 more\n" in limited and "WARN" not in limited, limited
        assert "OK " in limited and "skipped" not in limited, limited
        table = doctor(ns, "-o", "check,severity", "--sort", "check:desc", expect=1).out
        assert [line.split() for line in table.splitlines()] == [["CHECK", "SEVERITY"], ["port-conflict", "info"], ["close-wait", "warn"]]
        assert doctor(ns, "-H", "-o", "check", "--limit", "1", expect=1).out == "close-wait\n"
        csv = doctor(ns, "--csv", "-o", "severity,check", expect=1).out
        assert csv.splitlines() == ["severity,check", "warn,close-wait", "info,port-conflict"], csv
        rows = [json.loads(line) for line in doctor(ns, "--jsonl", "--sort", "check:desc", expect=1).out.splitlines()]
        assert [row["check"] for row in rows] == ["port-conflict", "close-wait"] and rows[0]["evidence"], rows
        assert not doctor(ns, "-q", expect=1).out


@contextmanager
def for_everybody():
    """Copies of the programs where any user may run them."""
    with tempfile.TemporaryDirectory(prefix="nwho-doctor-") as directory:
        os.chmod(directory, 0o755)
        yield [shutil.copy(file, directory) for file in (NWHO, MKSOCK)]


@test
def an_ordinary_user_is_told_what_was_left_out():
    environment = {**os.environ, "HOME": "/nonexistent"}
    with netns() as ns, for_everybody() as (own_nwho, own_mksock):
        if ns.run([own_nwho, "--version"], expect=None, user="nobody").rc != 0:
            skip("this user cannot run the program")
        # Other namespaces are hidden from it: what it finds is right, what it does not find it does not know.
        quiet = ns.run([own_nwho, "doctor", *SHORT, "--nagios"], expect=3, user="nobody", env=environment)
        assert quiet.out.startswith("NWHO UNKNOWN - ") and "run as root" in quiet.err, quiet
        with leak(ns, user="nobody", program=own_mksock) as leaking:
            found = json.loads(ns.run([own_nwho, "doctor", *SHORT, "--json"], expect=3, user="nobody", env=environment).out)
            assert [(row["check"], row["pid"]) for row in found["rows"]] == [("close-wait", leaking)], found
            assert not found["complete"] and any("root" in note["text"] for note in found["warnings"]), found
            checks = {check["check"]: check for check in found["checks"]}
            assert checks["close-wait"]["findings"] == 1 and checks["mem"]["skipped"] and not checks["stuck"]["skipped"], found
            text = ns.run([own_nwho, "doctor", *SHORT], expect=3, user="nobody", env=environment).out
            assert f"({leaking})" in text and re.search(r"^  skipped mem: only the first network namespace", text, re.M), text
            line = ns.run([own_nwho, "doctor", *SHORT, "--nagios"], expect=1, user="nobody", env=environment).out
            assert line.startswith("NWHO WARNING - close-wait "), line


@test
def a_culprit_that_is_hidden_is_named_all_the_same():
    with netns() as ns, for_everybody() as (own_nwho, _), mksock(ns, "bound-inactive", "port=9000"):
        result = ns.run([own_nwho, "doctor", *SHORT, "port-conflict"], expect=None, user="nobody", env={**os.environ, "HOME": "/nonexistent"})
        if result.rc == 126:
            skip("this user cannot run the program")
        assert result.rc == 3 and result.out.startswith("INFO port-conflict: the process has port 9000 bound"), result


@test
def the_exit_code_is_that_of_the_worst():
    with netns() as ns, leak(ns):
        doctor(ns, expect=1)
        doctor(ns, "--fail-on", "crit")
        doctor(ns, "-q", "close-wait", expect=1)
        doctor(ns, "stuck")
    with netns() as ns, mksock(ns, "bound-inactive", "port=9000"):
        assert doctor(ns).out.startswith("INFO port-conflict:")
        doctor(ns, "--fail-on", "info", expect=1)
        assert doctor(ns, "--nagios").out.startswith("NWHO OK - ")


def plugin_line(result):
    """The state and the performance data of the one line."""
    found = re.fullmatch(r"NWHO (\w+) - [^|\n]+ \|((?: '[a-z0-9-]+'=\d+)+)\n", result.out)
    assert found, result
    return found[1], dict(re.findall(r"'([a-z0-9-]+)'=(\d+)", found[2]))


@test
def a_plugin_says_one_line():
    with netns() as ns:
        state, counts = plugin_line(doctor(ns, "--nagios"))
        assert state == "OK" and set(counts.values()) == {"0"}, counts
        assert list(counts) == [line.split()[0] for line in doctor(ns, "--list").out.splitlines()], counts
        with leak(ns):
            state, counts = plugin_line(doctor(ns, "--nagios", expect=1))
            assert state == "WARNING" and counts["close-wait"] == "1", counts
            with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
                file.write("close-wait.sockets = 10 100\n")
                file.flush()
                assert plugin_line(doctor(ns, "--nagios", expect=2, env={"NWHO_CONFIG": file.name}))[0] == "CRITICAL"
        for failure in (["nosuch"], ["--replay", "/nonexistent"], ["--bad"], ["close-wait", "--window"], ["--fail-on", "a|b"]):
            for words in (["--nagios", *failure], [*failure, "--nagios"]):
                result = nwho(ns, "doctor", *words, expect=3)
                assert re.fullmatch(r"NWHO UNKNOWN - [^|\n]+\n", result.out) and result.err, result


@test
def a_recording_is_examined_as_well():
    with netns() as ns, leak(ns) as leaking, tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "moment.nwho")
        doctor(ns, "--record", path, expect=1)
        rows = nwho_json(ns, "doctor", "--replay", path, expect=1)["rows"]
        assert [(row["check"], row["pid"]) for row in rows] == [("close-wait", leaking)], rows
        assert "a recording is one moment" in nwho(ns, "doctor", "--replay", path, expect=1).out


@test
def checks_that_are_named():
    with netns() as ns, leak(ns):
        assert len(json.loads(doctor(ns, "close-wait", "stuck", "close-wait", "--json", expect=1).out)["rows"]) == 1
        assert doctor(ns, "--list", "stuck", "close-wait").out.split()[0] == "stuck"
        assert nwho(None, "doctor", "--help").out.count("--explain") == 2  # an example, and the option
        assert "OK   1 check fine (stuck)" in doctor(ns, "stuck").out
        assert doctor(ns, "close-wait", "--watch", "--times", "2", expect=1).out.count("CLOSE-WAIT") >= 2


@test
def what_makes_no_sense_is_refused():
    for words, reason in ((["nosuch"], "no check is called"), (["--explain", "nosuch"], "no check is called"),
                          (["--list", "nosuch"], "no check is called"), (["--explain", "stuck", "mem"], "one check"),
                          (["--window", "0"], "--window"), (["--fail-on", "ok"], "--fail-on"),
                          (["--bad"], "--bad"), (["pid = 1"], "not a filter"), (["close-wiat"], "did you mean close-wait?"),
                          (["--list", "--json"], "--list is text"), (["--explain", "mem", "--limit", "1"], "--explain is text"),
                          (["--list", "--explain", "mem"], "one of"), (["--watch=1", "--window", "2"], "the same here"),
                          (["--watch", "--record", "/nonexistent"], "--record"), (["--sort", "nosuch"], "nosuch"), (["-N", "nosuch"], "nosuch"), (["-o", "nosuch"], "nosuch")):
        result = nwho(None, "doctor", *words, expect=2)
        assert reason in result.err and not result.out, result
    for words in (["--json"], ["--watch"], ["-o", "check"], ["--csv"], ["--limit", "1"], ["--sort", "check"]):
        assert "--nagios is one line" in nwho(None, "doctor", "--nagios", *words, expect=3).err
    for words in (["-q"], ["--fail-on", "crit"]):
        assert "of its own" in nwho(None, "doctor", "--nagios", *words, expect=3).err
    for line, reason in (("nosuch.limit = 1", "no such key"), ("stuck.since", "missing"), ("stuck.since = x", "not a value")):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(line + "\n")
            file.flush()
            assert reason in nwho(None, "doctor", expect=2, env={"NWHO_CONFIG": file.name}).err


run_tests()
