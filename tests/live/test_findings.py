# SPDX-License-Identifier: MIT
"""What the doctor finds, where it was not asked: on the overview, and of the targets that it concerns."""
import json
import tempfile
import time

from doctor import CLOSE_WAIT, program
from live import netns, nwho, run_tests, test

# Datagrams that come, and that nobody reads unless told so.
DATAGRAMS = """
import socket, sys, threading, time
reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
reader.bind(("127.0.0.1", 5140))
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def send():
    while True:
        writer.sendto(b"x" * 500, reader.getsockname())
        time.sleep(0.01)
threading.Thread(target=send, daemon=True).start()
print("ready", flush=True)
while sys.argv[1] == "read":
    reader.recv(1000)
sys.stdin.read()
"""


def found(ns, *words):
    """(check, pid) of the findings of a document."""
    document = json.loads(nwho(ns, *words, "--json").out)
    return [(row["check"], row["pid"]) for row in document["findings"]]


@test
def the_overview_says_what_is_wrong():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "leak") as leak:
        assert found(ns) == [("close-wait", leak.pid)]
        begin = time.monotonic()
        text = nwho(ns).out
        assert time.monotonic() - begin < 2, "it waits for a second reading"
        section = text[text.index("FINDINGS (nwho doctor)\n"):text.index("SICK")]
        assert "WARN close-wait:" in section and f"({leak.pid}) keeps 120 connections" in section, text
        assert "(nwho doctor close-wait)" in " ".join(section.split()), text


@test
def a_healthy_machine_has_no_findings():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "close") as healthy:
        assert found(ns) == [] and found(ns, ":7000") == []
        for words in ([], [":7000"], [str(healthy.pid)]):
            assert "FINDINGS" not in nwho(ns, *words).out, words


@test
def targets_have_what_concerns_them():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "leak") as leak, program(ns, CLOSE_WAIT, "120", "7001", "close") as healthy:
        for target in (":7000", str(leak.pid)):
            assert found(ns, target) == [("close-wait", leak.pid)], target
            assert f"({leak.pid}) keeps 120 connections in close-wait" in " ".join(nwho(ns, target).out.split()), target
        for target in (":7001", str(healthy.pid)):
            assert found(ns, target) == [], target
            assert "FINDINGS" not in nwho(ns, target).out, target


@test
def what_takes_a_window_shows_with_one():
    with netns() as ns, program(ns, DATAGRAMS, "stop") as stopped:
        assert found(ns) == [] and found(ns, ":5140") == []
        assert ("udp-drops", stopped.pid) in found(ns, "-d", "1")
        assert ("udp-drops", stopped.pid) in found(ns, ":5140", "-d", "1")
        assert "udp-drops:" in nwho(ns, "-d", "1").out
        assert "udp-drops:" in nwho(ns, "--watch=0.5", "--times", "3").out
    with netns() as ns, program(ns, DATAGRAMS, "read"):
        assert found(ns, "-d", "1") == []


@test
def a_wrong_line_of_the_configuration_costs_only_the_findings():
    with netns() as ns, program(ns, CLOSE_WAIT, "7000", "leak"), tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        for line, reason in (("close-wait.socket = 1", "did you mean close-wait.sockets?"),
                             ("close-wait.sockets = many", "nwho doctor --explain close-wait")):
            file.truncate(0)
            file.seek(0)
            file.write(f"# a comment\n{line}\n")
            file.flush()
            environment = {"NWHO_CONFIG": file.name}
            for words, shown in (([], "LISTENERS"), ([":7000"], "listening"), (["-d", "0.1"], "TALKERS")):
                done = nwho(ns, *words, env=environment)
                assert shown in done.out and "FINDINGS" not in done.out, done
                said = [line for line in done.err.splitlines() if file.name in line]
                assert len(said) == 1 and "what the doctor finds is missing" in said[0], done
                assert f"{file.name}:2: " in said[0] and reason in said[0], done
            done = nwho(ns, "--json", env=environment)
            document = json.loads(done.out)
            assert "findings" not in document and document["complete"], document
            assert any(file.name in warning["text"] for warning in document["warnings"]), document["warnings"]
            for words in (["doctor"], ["ports", "--diff"]):
                done = nwho(ns, *words, expect=2, env=environment)
                assert not done.out and done.err.startswith(f"nwho: {file.name}:2: ") and reason in done.err, done


run_tests()
