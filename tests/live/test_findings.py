# SPDX-License-Identifier: MIT
"""What the doctor finds, where it was not asked: on the overview, and of the targets that it concerns."""
import json
import tempfile

from doctor import CLOSE_WAIT, FLOOD, pair, program
from live import mksock, netns, nwho, nwho_json, run_tests, test, wait_for

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
        text = nwho(ns).out
        assert "window_ms" not in nwho_json(ns), "it waits for a second reading"
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


def configuration(**limits):
    """The environment with a configuration: stuck_since="1s"; and its file, which ends with it. Without a baseline."""
    file = tempfile.NamedTemporaryFile("w", suffix=".conf")
    for name, value in {"exposed_baseline": "off", **limits}.items():
        file.write(f"{name.replace('_', '.')} = {value}\n")
    file.flush()
    return {"NWHO_CONFIG": file.name}, file


def checks(ns, *words, **options):
    return {row["check"] for row in json.loads(nwho(ns, *words, "--json", **options).out)["findings"]}


@test
def what_others_reach_concerns_its_port_and_its_process():
    usual, file = configuration()
    allowed, other = configuration(exposed_allow="tcp/6379")
    with netns() as ns, file, other:
        ns.add_address("203.0.113.7/24")
        with mksock(ns, "listening", "port=6379", "addr=0.0.0.0") as facts, mksock(ns, "listening", "port=7000", "addr=127.0.0.1"):
            for words in ([], [":6379"], [str(facts[0]["pid"])]):
                assert "exposed" in checks(ns, *words, env=usual), words
                assert "WARN exposed: mksock" in nwho(ns, *words, env=usual).out, words
                assert "exposed" not in checks(ns, *words, env=allowed), words
            assert "exposed" not in checks(ns, ":7000", env=usual)


@test
def what_an_interface_loses_concerns_who_uses_it():
    environment, file = configuration(nic_packets="100")
    with netns() as ns, netns() as other, file:
        pair(ns, other, mtu=1000)
        ns.add_address("10.78.0.1/24")  # of lo
        with program(ns, FLOOD, "10.77.0.2", "1300", "10.77.0.1") as flood, mksock(ns, "listening", "port=7000", "addr=10.77.0.1"), \
                mksock(ns, "listening", "port=7001", "addr=10.78.0.1"):
            wait_for(lambda: "nic" in checks(ns, "-d", "0.5", env=environment), what="losses")
            assert "CRIT nic: v0 " in nwho(ns, "-d", "0.5", env=environment).out
            for target in (str(flood.pid), ":7000", "src 10.77.0.1"):
                assert "nic" in checks(ns, target, "-d", "0.5", env=environment), target
                assert "nic: v0 " in nwho(ns, target, "-d", "0.5", env=environment).out, target
            assert "nic" not in checks(ns, ":7001", "-d", "0.5", env=environment)
            assert "nic" not in checks(ns, ":7000", env=environment), "one reading tells no losses"


@test
def a_wrong_line_of_the_configuration_costs_only_the_findings():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "leak"), tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
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
