# SPDX-License-Identifier: MIT
"""The API of nwho serve: its documents are those of the commands, and whoever asks can do nothing but ask."""
import difflib
import fcntl
import functools
import json
import os
import re
import shlex
import signal
import struct
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

from live import mksock, netns, nwho, run_tests, test, wait_for
from recorder import directory
from served import served

CLIENTS = 100
BUSY = (503, 504)
RETRY = 9  # seconds: after ten it is asked for again
PENDING_BYTE = 0x40000000  # of SQLite's file format: whoever begins to read a file locks it for a moment
HOSTILE = ["--store=/etc/passwd", "-w", "--watch", "--record=/x", "--help", "--svg=/x", "--", "-", "$(id)", "'", "\x1b[31m", "\udcff"]
_ended = ExitStack()
OUTSIDE = ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/sockets/", "/api/v1/../v1/sockets", "/api/v1/%73ockets", "/api/v1/ls",
           "/page/", "/page/index.html", "/page/../../etc/passwd", "/page/%2e%2e/etc/passwd", "//etc/passwd"]


def ask(server, name, expect=200, **parameters):
    """Again where it was too much at once for a slow machine."""
    path = f"/api/v1/{name}?{urlencode(parameters, errors='surrogateescape')}"
    status, head, body = wait_for(lambda: (got := server.get(path))[0] not in BUSY and got, what=path)
    assert status == expect, (name, parameters, status, body)
    return head, body


def document(server, name, **parameters):
    return json.loads(ask(server, name, **parameters)[1])


def error(server, name, expect=400, **parameters):
    head, body = ask(server, name, expect, **parameters)
    assert "Content-Type: application/json\r\n" in head, head
    return json.loads(body)


@functools.cache
def elsewhere():
    """Another namespace with a socket."""
    ns = _ended.enter_context(netns())
    _ended.enter_context(mksock(ns, "unread"))
    return ns


@functools.cache
def api():
    """A recorder in a namespace with sockets, asked over a unix socket: (namespace, store, server)."""
    place, ns = _ended.enter_context(directory()), _ended.enter_context(netns())
    for situation in (["listening"], ["established"], ["bound-inactive", "port=9000"]):
        _ended.enter_context(mksock(ns, *situation))
    server = _ended.enter_context(served(place, ns=ns, listen=f"unix:{place}/s"))
    wait_for(lambda: document(server, "history")["measured_s"] > 0, what="a history")
    return ns, place / "h.db", server


def same_past(store, server):
    """A time that is over is told alike each time, to the byte; so does the command that the answer names."""
    until = time.time()
    wait_for(lambda: document(server, "status")["last"] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(until + 1)), what="the next tick")
    span = {"since": f"@{until - 30:.0f}", "until": f"@{until:.3f}"}
    cases = [
        ({}, []),
        ({"by": "iface"}, ["--by", "iface"]),
        ({"every": "10", "by": "process"}, ["--every", "10", "--by", "process"]),
        ({"filter": "not process nothing", "sort": "process", "limit": "3", "columns": "process,rx_bytes"},
         ["not process nothing", "--sort", "process", "--limit", "3", "-o", "process,rx_bytes"]),
    ]
    for parameters, words in cases:
        for form, content in (("json", "application/json"), ("csv", "text/csv; charset=utf-8; header=present")):
            head, body = ask(server, "history", format=form, **span, **parameters)
            times = ["--since", span["since"], "--until", span["until"]]
            said = nwho(None, "history", *times, *words, f"--{form}", "--store", store, expect=(0, 1)).out
            assert body == said, (parameters, form, *difflib.unified_diff(body.splitlines(), said.splitlines(), lineterm="", n=0))
            assert f"Content-Type: {content}\r\n" in head, head
            assert ('Content-Disposition: attachment; filename="nwho-history.csv"\r\n' in head) == (form == "csv"), head
    program, *shown = shlex.split(re.search(r"Nwho-Command: (.*)\r\n", head)[1])
    assert program == "nwho" and body == nwho(None, *shown, "--store", store, expect=(0, 1)).out, shown


def same_present(ns, server):
    cases = [
        ("sockets", {}, ["ls"]),
        ("sockets", {"filter": "state established", "columns": "local,peer,owner", "sort": "local_port"},
         ["ls", "state established", "-o", "local,peer,owner", "--sort", "local_port"]),
        ("processes", {"filter": "process mksock", "sort": "pid"}, ["ps", "process mksock", "--sort", "pid"]),
        ("ports", {"limit": "1"}, ["ports", "--limit", "1"]),
        ("count", {"by": "state"}, ["count", "state"]),
        ("count", {"by": "state,process", "filter": "tcp"}, ["count", "state,process", "tcp"]),
    ]
    for name, parameters, words in cases:
        found, expected = same_rows(ns, server, name, parameters, words)
        assert found["table"] == expected["table"] and found["complete"] == expected["complete"], found
    assert ask(server, name, format="csv", **parameters)[1] == nwho(ns, *words, "--csv").out


def same_without_time_wait(ns, server):
    """What is over is left out where that is asked for, and only there."""
    with mksock(ns, "time-wait"):
        for parameters, words in (({}, ["ls"]), ({"netns": "all", "filter": f"netns {ns.name}"}, ["ls", "--all-netns", f"netns {ns.name}"])):
            without, _ = same_rows(ns, server, "sockets", {**parameters, "time_wait": "no"}, [*words, "--no-time-wait"])
            with_all, _ = same_rows(ns, server, "sockets", parameters, words)
            assert [row for row in with_all["rows"] if row["state"] != "time-wait"] == without["rows"] != with_all["rows"], (without, with_all)
        assert document(server, "sockets", time_wait="no", filter="state time-wait")["rows"] == []
        same_rows(ns, server, "count", {"by": "state", "time_wait": "no"}, ["count", "state", "--no-time-wait"])
    assert "time_wait=no" in error(server, "sockets", time_wait="yes")["error"]


def same_rows(ns, server, name, parameters, words):
    expected = json.loads(nwho(ns, *words, "--json").out)
    found = wait_for(lambda: (got := document(server, name, **parameters))["rows"] == expected["rows"] and got, what=f"{name} {parameters}")
    assert found["rows"], found
    return found, expected


def same_everywhere(ns, server):
    """Beside what is in the own namespace; of the many there only those of this test are the same twice."""
    both, words = f"netns {ns.name} or netns {elsewhere().name}", ["--all-netns"]
    for name, command, parameters in (("sockets", ["ls"], {"filter": both}), ("sockets", ["ls"], {"filter": f"netns {elsewhere().name}"}),
                                      ("ports", ["ports"], {"filter": both}), ("processes", ["ps"], {"filter": both}),
                                      ("count", ["count", "netns,state"], {"by": "netns,state", "filter": both})):
        same_rows(ns, server, name, {**parameters, "netns": "all"}, [*command, parameters["filter"], *words])
    head, body = ask(server, "sockets", netns="all", filter=both)
    assert {row["netns"] for row in json.loads(body)["rows"]} == {ns.name, elsewhere().name}
    assert re.search(r"Nwho-Command: nwho ls --all-netns --json -- '.*'\r\n", head), head
    assert {row["netns"] for row in document(server, "sockets")["rows"]} == {ns.name}


def same_findings(ns, server):
    """With all their texts and whose they are, as far as they are of this test."""
    wait_for(lambda: server.get("/api/v1/doctor")[0] == 200, what="a look of the doctor")
    found = document(server, "doctor")
    own = json.loads(nwho(ns, "doctor", "--json", "--window", "0.1", expect=(0, 1, 3)).out)
    assert found["table"] == "findings" and {check["check"] for check in found["checks"]} == {check["check"] for check in own["checks"]}
    rows, expected = ([row for row in one["rows"] if row["netns"] == ns.name] for one in (found, own))
    assert rows == expected and [row["check"] for row in rows] == ["port-conflict"], (rows, expected)
    row, = rows
    assert row["cause"] and row["fix"] and row["avoid"] and row["next"] and row["evidence"] and row["user"] == "root", row
    head, *lines = ask(server, "doctor", format="csv")[1].splitlines()
    assert head == ",".join(row) and any(row["what"] in line and row["cause"] in line for line in lines), head


@test
def answers_are_those_of_the_commands():
    ns, store, server = api()
    same_past(store, server)
    same_present(ns, server)
    same_without_time_wait(ns, server)
    same_everywhere(ns, server)
    same_findings(ns, server)
    status = document(server, "status")
    assert status["recording"] and status["pid"] == server.child.pid and status["store"] == str(store), status
    assert set(status) == set(json.loads(nwho(None, "serve", "--status", "--json", "--store", store).out))


def wrong_questions(store, server):
    said = nwho(None, "history", "rtt >", "--store", store, expect=2).err.splitlines()
    assert error(server, "history", filter="rtt >") == {"error": said[0].removeprefix("nwho: "), "detail": said[1:]}
    assert error(server, "history", since="5m")["error"] in nwho(None, "history", "--since", "5m", "--store", store, expect=2).err
    assert '"nothing"' in error(server, "sockets", nothing=1)["error"]
    assert '"store"' in error(server, "history", store="/etc/passwd")["error"]
    assert '"by"' in error(server, "count")["error"]
    wait_for(lambda: server.get("/api/v1/sockets?%6cimit=x")[0] == 400, what="a snapshot for a wrong limit")
    assert '"xml"' in error(server, "ports", format="xml")["error"]
    assert "filter=netns NAME" in error(server, "sockets", netns="blue")["error"]
    assert '"netns"' in error(server, "history", netns="all")["error"]
    assert '"since"' in error(server, "doctor", since="-1h")["error"]
    for query in ("limit=1&limit=2", "filter=%zz", "filter=%0", "filter=%00"):
        assert server.get(f"/api/v1/sockets?{query}")[0] == 400, query
    for path in OUTSIDE:
        status, _head, body = server.get(path)
        assert status == 404 and "passwd" not in body, path
    assert server.get("/api/v1/sockets", method="POST")[0] == 405
    assert server.get("/api/v1/sockets", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    status, head, body = server.get("/api/v1/count?by=state", method="HEAD")
    assert status == 200 and not body and int(re.search(r"Content-Length: (\d+)", head)[1]) > 100, head


def no_value_is_an_option(ns, store, server):
    """It stays a part of the filter, or the value of its own option: which the command refuses, or finds nothing by (the history is of other tests, too)."""
    files = sorted(store.parent.iterdir())
    for value in HOSTILE:
        for name, parameter in (("history", "filter"), ("history", "since"), ("history", "by"), ("sockets", "filter"), ("sockets", "columns"),
                                ("sockets", "limit"), ("count", "by"), ("history", "every"), ("ports", "format")):
            more = {"by": "state"} if name == "count" and parameter != "by" else {}
            status, _head, body = server.get(f"/api/v1/{name}?{urlencode({parameter: value, **more}, errors='surrogateescape')}")
            assert status == 400 and json.loads(body)["error"] or (
                status == 200 and parameter == "filter" and ns.name not in [row["netns"] for row in json.loads(body)["rows"]]), (
                name, parameter, value, status, body)
    assert sorted(store.parent.iterdir()) == files and not Path("/x").exists()


@test
def whoever_asks_wrongly_is_told_and_gets_no_further():
    ns, store, server = api()
    wrong_questions(store, server)
    no_value_is_an_option(ns, store, server)


def is_confined(pid):
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return status["Seccomp"] == "2" and status["NoNewPrivs"] == "1" and not any(
        int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))


@contextmanager
def readers_wait(store):
    """Nobody can begin to read the history; who does already, and who writes, is not disturbed. SQLite waits for five seconds."""
    with open(store, "r+b") as file:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, PENDING_BYTE, 1, 0))
        yield


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ask_all_at_once(server, paths):
    """So many clients; each is answered, or told why not. Gives how long the longest tick was meanwhile, in seconds."""
    since = time.time()
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda i: server.get(paths[i % len(paths)]), range(CLIENTS)))
    told = Counter(status for status, _head, _body in answers)
    assert set(told) <= {200, *BUSY}, told  # 504: it waited for fifteen seconds, on a slow machine
    for status, _head, body in answers:
        assert ("rows" if status == 200 else "error") in json.loads(body)
    for path in paths:
        wait_for(lambda path=path: server.get(path)[0] == 200, what=path)
    past = wait_for(lambda: (got := document(server, "history", since=f"@{since:.3f}"))["measured_s"] > 2 and got, what="two more ticks")
    # What else is lost are events of connections, which other processes of this machine make.
    assert "gap" not in [note["kind"] for note in past["notes"]], past
    return past["coarsest_s"]


@test
def many_at_once_delay_no_tick():
    """Others on this machine may: then they all ask again."""
    _ns, _store, server = api()
    paths = [f"/api/v1/{name}" for name in ("sockets", "history?by=peer", "count?by=state", "processes")]
    wait_for(lambda: ask_all_at_once(server, paths) < 5, what="ticks in time")
    assert server.values("nwho_history_dropped_samples_total") == {(): 0}


@test
def a_snapshot_that_fails_is_tried_again():
    _ns, _store, server = api()

    def killed():
        """How long the answer takes when who reads the machine for it is killed; None: it was faster, or there is a snapshot
        still, or it took more than is waited for."""
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(server.get, "/api/v1/sockets")
            while not answer.done():
                for reader in children(server.processes()[3]):
                    began = time.monotonic()
                    with suppress(ProcessLookupError):
                        os.kill(reader, signal.SIGKILL)
                    return time.monotonic() - began if answer.result()[0] == 200 else None
        return None

    wait_for(lambda: (took := killed()) and took < RETRY, what="an answer by another process that reads")
    old = server.processes()[3]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: (now := server.processes()[3:]) and now[0] != old, what="another process that has it read")
    assert server.get("/api/v1/ports")[0] == 200


@test
def the_page_is_in_the_program():
    _ns, _store, server = api()
    _status, head, _body = server.get("/", method="HEAD")
    tag = re.search(r"ETag: (.*)\r\n", head)[1]
    assert "Content-Encoding: gzip\r\n" in head and "Content-Type: text/html; charset=utf-8\r\n" in head, head
    policy = re.search(r"Content-Security-Policy: (.*)\r\n", head)[1]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy, policy
    status, head, body = server.get("/", **{"If-None-Match": tag})
    assert status == 304 and not body and f"ETag: {tag}\r\n" in head, head
    assert server.get("/", method="HEAD", **{"If-None-Match": '"x"'})[0] == 200


@test
def a_child_that_ends_badly_is_an_error_and_the_next_one_answers():
    _ns, store, server = api()
    _recorder, asking, answering, *_others = server.processes()
    assert is_confined(asking) and is_confined(answering)
    assert not any(os.readlink(file).startswith(str(store)) for pid in (asking, answering) for file in Path(f"/proc/{pid}/fd").iterdir())
    for end, status in ((signal.SIGKILL, 500), (signal.SIGXCPU, 504)):
        with readers_wait(store), ThreadPoolExecutor(1) as pool:
            answer = pool.submit(server.get, "/api/v1/history")
            child, = wait_for(lambda: children(asking), what="a child")
            wait_for(lambda child=child: any(os.readlink(file) == str(store) for file in Path(f"/proc/{child}/fd").iterdir()), what="its store")
            assert is_confined(child)
            os.kill(child, end)
            assert answer.result()[0] == status and json.loads(answer.result()[2])["error"]
        assert document(server, "history")["rows"] is not None
    os.kill(asking, signal.SIGKILL)
    wait_for(lambda: server.get("/api/v1/history")[0] == 503, what="its end to be told")
    assert server.get()[0] == 200 and server.child.poll() is None


with _ended:
    run_tests()
