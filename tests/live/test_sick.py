# SPDX-License-Identifier: MIT
"""Marks of sick rows: lists, columns, the flag `sick` and the doctor mean the same; healthy twins have none."""
import csv
import io
import json

from doctor import findings, program
from live import netns, nwho, run_tests, test, wait_for

# Arguments: "sick" or "healthy". Ports: 7001 close-wait, 7002 a full accept queue, 7003 nobody reads.
PROGRAM = """
import os, socket, sys
sick = sys.argv[1] == "sick"
kept = []
def pair(server):
    client = socket.create_connection(server.getsockname())
    served = server.accept()[0]
    kept.extend((client, served))
    return client, served
def wait(server):
    client, _ = pair(server)
    client.setblocking(False)
    try:
        while sick:
            client.send(b"x" * 65536)
    except BlockingIOError:
        pass
pages = socket.create_server(("127.0.0.1", 7001))
for _ in range(3):
    client, served = pair(pages)
    if sick:
        client.close()
queue = socket.socket()
queue.bind(("127.0.0.1", 7002))
queue.listen(1)
for _ in range(4 if sick else 1):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(queue.getsockname())
    kept.append(client)
wait(socket.create_server(("127.0.0.1", 7003)))
print("ready", flush=True)
sys.stdin.read()
"""
TWIN = PROGRAM.replace("700", "800")
SERVED = (7001, 7002, 7003, 8001, 8002, 8003)


def rows(ns, *words):
    return json.loads(nwho(ns, *words, expect=(0, 1)).out)["rows"]


def ills(ns):
    """(state, local port, peer port) -> words, of all TCP sockets that have any."""
    return {(row["state"], row["local_port"], row["peer_port"]): row["sick"]
            for row in rows(ns, "ls", "tcp", "--json=state,local_port,peer_port,sick") if row["sick"]}


def words_of(found):
    """What is wrong at each port of a server, without the ports of clients."""
    return {(port, word) for (_, local, peer), words in found.items() for port in (local, peer)
            if port in SERVED for word in words.split(",")}


def settled(ns):
    """The ills, once they are all there: what was written is on its way for a while."""
    expected = {(7001, "close-wait"), (7002, "queue-full"), (7003, "peer-full"), (7003, "unread")}
    wait_for(lambda: expected <= words_of(ills(ns)), what="everything that is to be sick is")
    return ills(ns)


@test
def columns_lists_and_the_flag_agree():
    with netns() as ns, program(ns, PROGRAM, "sick") as sick, program(ns, TWIN, "healthy"):
        found = settled(ns)
        assert all(port < 8000 for port, _ in words_of(found)), found
        chosen = rows(ns, "ls", "tcp", "sick", "--json=state,local_port,peer_port,sick")
        assert {(row["state"], row["local_port"], row["peer_port"]): row["sick"] for row in chosen} == found, (chosen, found)
        table = csv.DictReader(io.StringIO(nwho(ns, "ls", "tcp", "sick ~ unread", "--csv", "-o", "sick,local_port").out))
        assert [(row["sick"], row["local_port"]) for row in table] == [("unread", "7003")]
        assert [row["local_port"] for row in rows(ns, "ports", "sick", "--json=local_port")] == [7002]
        assert [row["pid"] for row in rows(ns, "ps", "sick", "--json=pid")] == [sick.pid]
        assert rows(ns, "ps", "sick", "--json=sick")[0]["sick"].split(",")[:3] == ["close-wait", "peer-full", "unread"]


@test
def text_marks_sick_rows_only():
    with netns() as ns, program(ns, PROGRAM, "sick") as sick, program(ns, TWIN, "healthy") as healthy:
        settled(ns)
        lines = nwho(ns, "ls", "-t").out.splitlines()
        assert lines[0].split()[-1] == "SICK", lines[0]
        marked = [line.split() for line in lines[1:] if not line.endswith(" -")]
        assert {line[1] for line in marked if line[-1] == "close-wait"} == {"close-wait"}, marked
        assert [line[-1] for line in marked if line[1] == "listening"] == ["queue-full"], marked
        assert any(line[-1] == "peer-full" for line in marked), marked
        ports = nwho(ns, "ports").out.splitlines()
        assert [line.split()[-1] for line in ports if ":7002" in line] == ["queue-full"], ports
        processes = {line.split()[0]: line.split()[-1] for line in nwho(ns, "ps").out.splitlines()}
        assert processes["PID"] == "SICK" and processes[str(healthy.pid)] == "-", processes
        assert "close-wait" in processes[str(sick.pid)], processes
        assert "\033[31mclose-wait\033[0m" in nwho(ns, "ls", "-t", "--color=always").out


@test
def healthy_rows_have_no_marks():
    with netns() as ns, program(ns, TWIN, "healthy"):
        for command in (["ls"], ["ports"], ["ps"]):
            assert "SICK" not in nwho(ns, *command).out, command
        assert nwho(ns, "ls", "-o", "local,sick").out.splitlines()[0].split() == ["LOCAL", "SICK"]
        assert not ills(ns)
        for command in ("ls", "ports", "ps"):
            assert not rows(ns, command, "sick", "--json"), command


@test
def what_the_doctor_finds_is_marked():
    limits = {"close-wait.sockets": "3 1000", "stuck.since": "1ms 60s"}
    with netns() as ns, program(ns, PROGRAM, "sick"):
        marked = words_of(settled(ns))
        of_check = {"close-wait": {"close-wait"}, "accept-queue": {"queue-full"}, "stuck": {"peer-full", "unread"}}
        found = findings(ns, *of_check, limits=limits)
        assert {row["check"] for row in found} == set(of_check), found
        for row in found:
            ports = {int(row["local"].rpartition(":")[2]), row["peer_port"]}
            assert {word for port, word in marked if port in ports} & of_check[row["check"]], (row, marked)


run_tests()
