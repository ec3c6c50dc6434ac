# SPDX-License-Identifier: MIT
"""nwho top: what a process says that it sent and received is what is shown of it, in every form."""
import csv
import json
import re
import signal
import subprocess
import sys

from documents import documents, top
from live import BUILD, PATIENCE, netns, nwho, nwho_json, run_tests, skip, test
from talker import talker


# On each line of its input a client sends two bytes and resets the connection, of which the server then reads.
RESETTING = """
import socket, struct, sys
server = socket.create_server(("127.0.0.1", 7001))
for _ in sys.stdin:
    client = socket.create_connection(("127.0.0.1", 7001))
    served, _ = server.accept()
    client.sendall(b"ab")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    try:
        served.recv(10)
    except ConnectionResetError:
        pass
    served.close()
    print("done", flush=True)
"""


def total(rows, column):
    return sum(row[column] for row in rows)


def moved(rows):
    """Both ways: the socket of one may have been read before that of the other."""
    return min(total(rows, "rx_bytes"), total(rows, "tx_bytes"))


@test
def bytes_are_those_that_were_sent():
    with netns() as ns, talker(ns) as me:
        with top(ns, f"pid {me.pid}") as shown:
            level = shown.read()["accounting"]
            me.say("tcp", 1000003)
            rows = shown.until(lambda rows: rows and moved(rows) >= 1000003)["rows"]
            assert len(rows) == 1 and rows[0]["pid"] == me.pid, rows
            assert rows[0]["rx_bytes"] == rows[0]["tx_bytes"] == 1000003, rows
            assert rows[0]["sockets"] == 2 and rows[0]["connections"] == 2, rows
            assert {"time", "process", "user", "rx_rate", "tx_rate_10s", "top_peer", "flags"} <= set(rows[0])
            if level != "bpf":
                skip("UDP is not counted without BPF")
            me.say("udp", 4321)
            rows = shown.until(lambda rows: moved(rows) > 1000003)["rows"]
            assert rows[0]["rx_bytes"] == rows[0]["tx_bytes"] == 1000003 + 4321, rows
            assert rows[0]["sockets"] == 3, rows


@test
def without_bpf_tcp_is_exact():
    with netns() as ns, talker(ns) as me:
        with top(ns, f"pid {me.pid}", "--sources", "sock_diag,proc_net,proc_fd") as shown:
            assert shown.read()["accounting"] == "tcp_info"
            me.say("tcp", 100001)
            rows = shown.until(lambda rows: rows and moved(rows) >= 100001)["rows"]
            assert rows[0]["rx_bytes"] == rows[0]["tx_bytes"] == 100001, rows


@test
def every_grouping_adds_up():
    with netns() as ns, talker(ns) as me:
        runs = {}
        for by in ("process", "thread", "conn", "peer", "peer/8", "container", "unit", "user", "iface", "proto", "port",
                   "netns", "user,port"):
            with top(ns, f"pid {me.pid}", "--by", by) as shown:
                shown.read()
                me.say("tcp", 70000)
                runs[by] = shown.until(lambda rows: moved(rows) >= 70000)["rows"]
            assert total(runs[by], "rx_bytes") == total(runs[by], "tx_bytes") == 70000, (by, runs[by])
    assert [row["service_port"] for row in runs["port"]] == [5555], runs["port"]
    assert {row["top_pid"] for row in runs["user"]} == {me.pid}
    ends = {(row["local_port"], row["peer_port"]) for row in runs["conn"] if row["local_port"]}
    assert ends == {(5555, me.port), (me.port, 5555)}, runs["conn"]
    assert [row["iface"] for row in runs["iface"]] == ["lo"], runs["iface"]
    assert runs["peer/8"][0]["peer_addr"] == "127.0.0.0/8", runs["peer/8"]


@test
def a_reset_connection_keeps_its_port():
    """The kernel gives the port back before the bytes are read that nobody asked for any more."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with netns() as ns, ns.popen([sys.executable, "-c", RESETTING], **pipes) as program, \
            top(ns, f"pid {program.pid}", "--by", "port") as shown:
        if shown.read()["accounting"] != "bpf":
            skip("without BPF what a reset connection had is not known")
        for _ in range(5):
            program.stdin.write(b"\n")
            program.stdin.flush()
            assert program.stdout.readline() == b"done\n"
        rows = shown.until(lambda rows: total(rows, "rx_bytes") >= 10)["rows"]
        assert [(row["service_port"], row["rx_bytes"], row["tx_bytes"]) for row in rows] == [(7001, 10, 10)], rows


@test
def filters_choose_flows():
    with netns() as ns, talker(ns) as me:
        with top(ns, "pid", me.pid, "and", "sport", "5555", "dst", "127.0.0.0/8") as shown:
            shown.read()
            me.say("tcp", 5000)
            rows = shown.until(lambda rows: rows and rows[0]["rx_bytes"] >= 5000)["rows"]
            assert rows[0]["tx_bytes"] == 0 and rows[0]["sockets"] == 1, rows
        assert nwho_json(ns, "top", "pid", me.pid, "sport 1", "-d", "0.1", expect=1)["rows"] == []


@test
def the_last_interval_has_the_rate():
    with netns() as ns, talker(ns) as me:
        with top(ns, f"pid {me.pid}") as shown:
            shown.read()
            me.say("tcp", 500000)
            rows = shown.until(lambda rows: rows and rows[0]["rx_bytes"] == 500000)["rows"]
            assert rows[0]["rx_rate_60s"] > 0, rows
            rows = shown.until(lambda rows: rows[0]["rx_rate"] == 0)["rows"]
            assert rows[0]["rx_bytes"] == 500000 and rows[0]["rx_rate_60s"] > 0, rows


@test
def blocks_of_text():
    line = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  (exact: BPF|TCP only: tcp_info)  rx \d\S*bit, \S+ in all  tx .*")
    with netns() as ns, talker(ns) as me:
        with ns.popen([BUILD / "nwho", "top", "--batch", "-n", "2000", "-d", "0.1", f"pid {me.pid}"],
                      stdout=subprocess.PIPE, text=True) as child:
            first = child.stdout.readline()
            assert line.fullmatch(first.rstrip()), first
            me.say("tcp", 100000)
            text = ""
            while "python" not in text:
                text = child.stdout.readline()
                assert text
            assert text.split()[0] == str(me.pid) and "bit" in text, text
            child.send_signal(signal.SIGINT)
            child.stdout.read()
            assert child.wait(PATIENCE) == 0
        out = nwho(ns, "top", "-n", "2", "-d", "0.1", "--csv", "pid 0", expect=1).out
        assert len(out.splitlines()) == 1 and "rx_rate" in next(csv.reader(out.splitlines())), out
        blocks = nwho(ns, "top", "-n", "3", "-d", "0.1", "pid 0", expect=1).out.strip("\n").split("\n\n")
        assert len(blocks) == 3, blocks


@test
def own_connections_without_privilege():
    with netns() as ns, talker(ns) as me:
        with top(ns, "sport 5555", "--by", "conn", user="nobody") as shown:
            assert shown.read()["accounting"] == "tcp_info"
            me.say("tcp", 123456)
            rows = shown.until(lambda rows: rows and rows[0]["rx_bytes"] >= 123456)["rows"]
            assert rows[0]["rx_bytes"] == 123456 and rows[0]["peer_port"] == me.port, rows
            assert rows[0]["rx_calls"] is None and rows[0]["pid"] is None, rows


@test
def lists_have_what_is_counted():
    with netns() as ns, talker(ns) as me:
        with documents(ns, "ps", "--json=pid,rx_rate,rx_bytes", "--watch=0.1", f"pid {me.pid}") as shown:
            assert shown.read()["rows"][0]["rx_rate"] is None
            me.say("tcp", 40000)
            rows = shown.until(lambda rows: rows[0]["rx_bytes"] and rows[0]["rx_bytes"] >= 40000)["rows"]
            assert rows[0]["rx_bytes"] == 40000, rows
            shown.until(lambda rows: rows[0]["rx_rate"] == 0)


PARTS = ("named", "headers", "forwarded", "unowned")

# Sends to itself, but reads nothing of it after the first byte.
SICK = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 5555))
client = socket.create_connection(("127.0.0.1", 5555))
server, _ = listener.accept()
client.setblocking(False)
print("ready", flush=True)
sys.stdin.readline()
client.send(b"x")
server.recv(1)
try:
    while True:
        client.send(b"x" * 65536)
except BlockingIOError:
    pass
print("done", flush=True)
sys.stdin.read()
"""


def assert_parts_add_up(interface):
    for way in ("rx", "tx"):
        for when in ("window", "since"):
            parts = [interface[f"{way}_{part}_{when}"] for part in PARTS]
            known = [part for part in parts if part is not None]
            assert sum(known) == interface[f"{way}_{when}"] or (
                parts[-1] is None and sum(known) <= interface[f"{way}_{when}"]
            ), (way, when, interface)


def received(ns, iface):
    return json.loads(ns.run(["ip", "-j", "-s", "link", "show", iface]).out)[0]["stats64"]["rx"]["bytes"]


def find_lo(ns, document):
    """The interface lo of NS; without BPF no other namespace is read."""
    return next(i for i in document["interfaces"] if i["iface"] == "lo" and (i["netns"] == ns.name or document["accounting"] != "bpf"))


@test
def bytes_of_interfaces_are_made_of_parts():
    with netns("net.ipv4.ip_forward=1") as ns, talker(ns) as me, top(ns, f"pid {me.pid}") as shown:
        lo = find_lo(ns, shown.read())
        before = received(ns, "lo") - lo["rx_since"]
        shown.child.send_signal(signal.SIGSTOP)  # between two readings all that comes is read as well
        me.say("tcp", 300000)
        shown.child.send_signal(signal.SIGCONT)
        since = received(ns, "lo") - before
        for _ in range(200):
            document = shown.read()
            for interface in document["interfaces"]:
                if interface["rx_since"] is not None:
                    assert_parts_add_up(interface)
            lo = find_lo(ns, document)
            if lo["rx_since"] >= since and lo["rx_named_since"] >= 300000:  # it may have stopped between reading the two
                break
        assert lo["rx_since"] == since and lo["rx_named_since"] == 300000, (lo, since)
        assert lo["rx_forwarded_since"] == lo["tx_forwarded_since"] == 0 and lo["stacked"] is False, lo


@test
def sick_sockets_say_why():
    with netns() as ns, ns.popen([sys.executable, "-c", SICK], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        with documents(ns, "top", "--json=local_port,peer_port,sick", "-n", "100000", "-d", "0.1", "--by", "conn", "pid", child.pid, "sick") as shown:
            assert shown.read()["rows"] == []
            child.stdin.write(b"go\n")
            child.stdin.flush()
            assert child.stdout.readline() == b"done\n"
            rows = shown.until(lambda rows: len(rows) == 2)["rows"]
            assert {(row["local_port"] == 5555, row["sick"]) for row in rows} == {(True, "unread"), (False, "peer-full")}, rows
        child.stdin.close()
        child.wait(PATIENCE)


@test
def conditions_on_sums_are_about_the_rows_shown():
    with netns() as ns, talker(ns) as me:
        for by, count in (("process", 1), ("conn", 0), ("port", 1)):
            with top(ns, f"pid {me.pid} and not bytes < 100000", "--by", by) as shown, top(ns, f"pid {me.pid}", "--by", by) as all_of:
                shown.read()
                all_of.read()
                me.say("tcp", 70000)  # both ends, 140000 together
                moment = all_of.until(lambda rows: total(rows, "rx_bytes") == 70000)["time"]
                document = shown.read()
                while document["time"] <= moment:  # those that nobody has read yet
                    document = shown.read()
                rows = document["rows"]
                assert len(rows) == count and total(rows, "bytes" if "bytes" in (rows or [{}])[0] else "rx_bytes") == count * 70000, (by, rows)
        assert "by 'and'" in nwho(ns, "top", "tcp or bytes > 5", expect=2).err


@test
def usage():
    with netns() as ns:
        for args, said in ((["--by", "proces"], "did you mean process?"), (["-d", "0"], "--delay needs seconds"),
                           (["-o", "nothing"], "nwho columns traffic"), (["rx_rate > soon"], "a rate such as")):
            assert said in nwho(ns, "top", *args, expect=2).err, args


run_tests()
