# SPDX-License-Identifier: MIT
"""What nwho serve tells Prometheus: exact numbers, bounded labels; and who may ask, however he asks."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import openmetrics
from live import BUILD, PATIENCE, netns, nwho, run_tests, skip, test, wait_for
from recorder import directory
from served import served
from talker import named_talker
from truth import unescape

BYTES = "nwho_process_network_io_bytes_total"
OPENED = "nwho_process_connections_opened_total"
HELD = "nwho_process_connections"
GROUPS_MAX = 100
CONNECTIONS_MAX = 128
LABELS = {"process_executable_name", "process_owner", "service", "network_transport", "network_io_direction", "server_port",
          "network_connection_direction", "network_connection_state", "network_interface_name", "netns", "collector", "check",
          "severity", "version", "accounting", "join", "le"}

# Each program of a directory moves some bytes; the names are bytes.
RUN_ALL = """
import os, subprocess, sys
for name in os.listdir(os.fsencode(sys.argv[1])):
    subprocess.run([os.fsencode(sys.argv[1]) + b"/" + name, "udp", "family=4"], check=True, stdout=subprocess.DEVNULL)
"""

# Each is at most 15 bytes, so that a process which has ended is still called so.
HOSTILE = [b'"}\n# EOF\n', b"a\\b\\\\n\"", b"x{y=\"z\"} 1", b"_other", b"\xff\xfe\x80", b"\x1b[31m", "\u00e9\u202e".encode(), b" ", b"\\"]


def needs_bpf(server):
    (accounting,), = server.values("nwho_build_info", "accounting")
    if accounting != "bpf":
        skip(f"not counted by BPF here: {accounting}")


@test
def numbers_are_exact_and_never_go_back():
    with directory() as place, netns() as ns, served(place) as server, ExitStack() as stack:
        needs_bpf(server)
        name = f"t{os.getpid()}"
        labels = {"process_executable_name": name, "process_owner": "root"}
        one = stack.enter_context(named_talker(ns, place, name))
        wait_for(lambda: server.values("nwho_listen_queue_limit", "server_port", **labels) == {("5555",): 128}, what="listener")
        assert set(server.values(BYTES, "network_transport", **labels).values()) == {0}

        def moved(transport):
            found = server.values(BYTES, "network_io_direction", network_transport=transport, **labels)
            return found.get(("receive",)), found.get(("transmit",))

        one.say("tcp", 123456)
        one.say("udp", 777)
        one.say("short", 1000)
        wait_for(lambda: (moved("tcp"), moved("udp")) == ((124456, 124456), (777, 777)), what="bytes")
        wait_for(lambda: server.values(OPENED, "network_connection_direction", **labels) == {("inbound",): 2, ("outbound",): 2}, what="2 opened")
        held = {("tcp", "established"): 2, ("udp", "unconnected"): 1}
        wait_for(lambda: server.values(HELD, "network_transport", "network_connection_state", **labels) == held, what=f"{held}")
        ended = server.values("nwho_tcp_rtt_seconds_count")[()]
        stack.close()
        wait_for(lambda: server.values("nwho_process_tcp_rtt_seconds_count", **labels) == {(): 4}, what="4 ends")
        assert 0 < server.values("nwho_process_tcp_rtt_seconds_sum", **labels)[()] < 4
        assert not server.values("nwho_process_tcp_retransmitted_segments_total", **labels)  # no segment was sent again
        buckets = list(server.values("nwho_tcp_rtt_seconds_bucket", "le").values())
        assert len(buckets) == 8 and buckets == sorted(buckets) and buckets[-1] >= ended + 2, (buckets, ended)
        lo = {"network_interface_name": "lo", "netns": ns.name, "network_io_direction": "receive"}

        def packets():  # the last ones may come late
            return json.loads(ns.run(["ip", "-j", "-s", "link", "show", "lo"]).out)[0]["stats64"]["rx"]["packets"]

        wait_for(lambda: set(server.values("nwho_network_packets_total", **lo).values()) == {packets()}, what="packets of lo")
        wait_for(lambda: not server.values("nwho_listen_queue_limit", **labels), what="its end")
        assert (moved("tcp"), moved("udp")) == ((124456, 124456), (777, 777))
        with named_talker(ns, place, name) as again:
            again.say("udp", 100)
            wait_for(lambda: moved("udp") == (877, 877), what="going on")
        begun = server.values("nwho_start_time_seconds")
    with directory() as place, netns() as ns, served(place) as server, named_talker(ns, place, name) as one:
        one.say("udp", 5)
        wait_for(lambda: moved("udp") == (5, 5), what="a new beginning")
        assert server.values("nwho_start_time_seconds")[()] > begun[()]


def names_of(samples):
    return {(name, tuple(sorted(has.items()))) for _, _, name, has, _, _ in samples}


def make_named(place, names):
    """A program under each of the names, which moves some bytes."""
    place.mkdir()
    shutil.copy(BUILD / "tests/helpers/mktraffic", place / "0")
    for name in names:
        os.link(place / "0", os.fsencode(place) + b"/" + name)


def run_until(server, ns, place, condition):
    """All programs in PLACE, again after two ticks as long as the CONDITION does not hold: while neighbours have more flows
    than the kernel has room for, those of others are counted without a name."""
    def durations():
        return server.values("nwho_collector_duration_seconds", "collector")

    def holds():
        ns.run([sys.executable, "-c", RUN_ALL, place])
        for _ in range(2):
            before = durations()
            wait_for(lambda before=before: durations() != before, what="another tick")
        return condition()

    wait_for(holds, what=f"what {place.name} shows")


def programs(samples):
    return {unescape(has["process_executable_name"]) for _, _, name, has, _, _ in samples if name == BYTES}


@test
def hostile_names_are_bounded_and_parsed_by_others():
    with directory() as place, netns() as ns, served(place) as server:
        needs_bpf(server)
        first = server.samples()
        make_named(place / "hostile", HOSTILE)
        run_until(server, ns, place / "hostile", lambda: set(HOSTILE) <= programs(server.samples()))
        make_named(place / "many", [f"p{i}".encode() for i in range(GROUPS_MAX + 20)])
        run_until(server, ns, place / "many", lambda: sum(server.values("nwho_process_groups_folded_total").values()) >= 20)
        samples = server.samples()
        groups = {tuple(sorted(has.items())) for _, _, name, has, value, _ in samples if name == BYTES}
        assert len({tuple(pair for pair in group if pair[0] in ("process_executable_name", "process_owner", "service"))
                    for group in groups}) <= GROUPS_MAX + 1
        assert sum(server.values("nwho_process_groups").values()) == GROUPS_MAX
        assert server.values(BYTES, "process_executable_name", "process_owner")["_other", None] > 0
        assert set(HOSTILE) <= programs(samples)
        wait_for(lambda: names_of(server.samples()) == names_of(openmetrics.samples(server.get()[2], "text")), what="the same in both forms")
        before = {(name, tuple(sorted(has.items()))): value for _, kind, name, has, value, _ in first if kind == "counter"}
        after = {(name, tuple(sorted(has.items()))): value for _, _, name, has, value, _ in samples}
        assert all(after[key] >= value for key, value in before.items())
        assert len(samples) < 5000
        assert {key for _, _, _, has, _, _ in samples for key in has} <= LABELS
        status, head, text = server.get()
        assert status == 200 and "text/plain; version=0.0.4" in head
        assert not openmetrics.check(text)
        assert not [name for _, _, name, _, _, _ in samples if name.endswith("_created")]


def status_of(answer):
    return int(answer.split()[1]) if answer else None


def hostile_requests_are_refused(server):
    host = b"Host: localhost\r\n"
    cases = [
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\n\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /metrics HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", 421),
        (b"GET /nothing HTTP/1.1\r\nConnection: close\r\n" + host + b"\r\n", 404),
        (b"GET /metrics/../metrics HTTP/1.1\r\nConnection: close\r\n" + host + b"\r\n", 404),
        (b"GET /%6detrics HTTP/1.1\r\nConnection: close\r\n" + host + b"\r\n", 404),
        (b"DELETE /metrics HTTP/1.1\r\n" + host + b"\r\n", 405),
        (b"GET /metrics HTTP/1.1\r\nContent-Length: 3\r\n" + host + b"\r\nabc", 413),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
        (b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 100 + host + b"\r\n", 431),
        (b"GET /metrics HTTP/1.1\r\na: " + b"b" * 300000, 431),
    ]
    for request, expected in cases:
        with server.connect() as client:
            client.sendall(request)
            if expected == 421:
                client.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert status_of(answer) == expected, (request[:80], answer[:200])
        head, _, body = answer.partition(b"\r\n\r\n")
        assert body.count(b"\n") == 1 and f"Content-Length: {len(body)}".encode() in head, answer
    status, head, body = server.get(method="HEAD")
    assert status == 200 and not body and int(re.search(r"Content-Length: (\d+)", head)[1]) > 1000, head
    one = b"GET /x HTTP/1.1\r\n" + host + b"\r\n"
    several = server.raw(one * 3 + b"HEAD /metrics HTTP/1.1\r\nConnection: close\r\n" + host + b"\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", several) == [b"404", b"404", b"404", b"200"], several


def slow_clients_keep_nobody_out(server):
    with ExitStack() as stack:
        for i in range(3 * CONNECTIONS_MAX):
            client = stack.enter_context(closing(server.connect()))
            client.sendall(b"GET /metrics HT" if i % 2 else b"")
            if i % CONNECTIONS_MAX == 0:
                assert server.get()[0] == 200
        assert server.get()[0] == 200
        silent = [stack.enter_context(closing(server.connect())) for _ in range(8)]  # take nothing of what they ask for
        for client in silent:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        assert server.get()[0] == 200
        assert server.child.poll() is None
        ticks = server.values("nwho_collector_success", "collector")
        assert ticks[("snapshot",)] in (0, 1)


def descriptors(pid):
    names = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            names.append(os.readlink(file))
    return names


def who_answers_can_do_nothing_else(server):
    _recorder, _asking, answering, _reading = server.processes()
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{answering}/status").read_text().splitlines())
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == 0, status
    assert status["Uid"].split() == ["65534"] * 4 and not status["Groups"].strip(), status
    own = ["/dev/null"] * 3 + ["socket"] * 3  # those of clients are closed one by one
    wait_for(lambda: sorted(name.split(":")[0] for name in descriptors(answering)) == own, what="only its own descriptors")
    os.kill(answering, signal.SIGKILL)
    assert "the process that serves metrics has ended" in server.child.stderr.readline()
    assert server.child.poll() is None


@test
def hostile_clients_get_nothing_and_disturb_nobody():
    with directory() as place, served(place) as server:
        hostile_requests_are_refused(server)
        slow_clients_keep_nobody_out(server)
        who_answers_can_do_nothing_else(server)


@test
def numbers_are_of_the_last_tick_unless_the_recorder_has_no_time():
    with directory() as place, served(place) as server:
        def durations():
            return server.values("nwho_collector_duration_seconds", "collector")

        def are_told_while_it_stands():
            """Where the machine is slow the last tick may be ten seconds old, and then there are none."""
            first = durations()
            wait_for(lambda: durations() != first, what="those of another tick")
            server.child.send_signal(signal.SIGSTOP)
            try:
                status, _head, body = server.get()
            finally:
                server.child.send_signal(signal.SIGCONT)
            return status == 200 and "nwho_collector_duration_seconds{" in body

        wait_for(are_told_while_it_stands, what="numbers of a recorder that has no time")
        stopped = durations()
        wait_for(lambda: durations() != stopped, what="newer ones")


@test
def other_machines_need_a_token():
    with directory() as place, netns() as ns:
        def refused(*options, token=None, mode=0o600):
            if token is not None:
                (place / "token").write_text(token)
                (place / "token").chmod(mode)
                options += ("--token-file", place / "token")
            result = ns.run([BUILD / "nwho", "serve", "--foreground", "--store", place / "h.db", *options], expect=2)
            assert result.err.count("\n") == 1 and not result.out, result
            return result.err

        assert "--token-file" in refused("--listen", "0.0.0.0:9477")
        assert "--token-file" in refused("--listen", "[::]:9477")
        assert "16" in refused("--listen", "0.0.0.0:9477", token="short\n")
        assert "blanks" in refused("--listen", "0.0.0.0:9477", token="0123456789abcdef 0123456789abcdef\n")
        assert "others" in refused("--listen", "0.0.0.0:9477", token="0123456789abcdef\n", mode=0o604)
        assert "no/such" in refused("--token-file", "no/such")
        assert "ADDR:PORT" in refused("--listen", "example.org:80")
        (place / "token").write_text("0123456789abcdef\n")
        (place / "token").chmod(0o600)
        with served(place, "--token-file", place / "token", "--host", "a.example,b.example", listen="0.0.0.0:0") as server:
            assert server.get()[0] == 401
            assert "WWW-Authenticate: Bearer" in server.get()[1]
            assert server.get(Authorization="Bearer 0123456789abcdeX")[0] == 401
            wait_for(lambda: server.get(Authorization="Bearer 0123456789abcdef")[0] == 200, what="numbers")
            assert server.get(Authorization="Bearer 0123456789abcdef", Host="b.example:80")[0] == 200
            assert server.get(Authorization="Bearer 0123456789abcdef", Host="c.example")[0] == 421


@test
def a_unix_socket_is_for_its_owner_and_is_removed():
    with directory() as place:
        path = place / "metrics.sock"
        with served(place, listen=f"unix:{path}") as server:
            assert path.stat().st_mode & 0o777 == 0o660
            assert server.get(Host="proxy.example")[0] == 200
            second = nwho(None, "serve", "--foreground", "--store", place / "2.db", "--listen", f"unix:{path}", expect=2)
            assert "in use" in second.err and second.err.count("\n") == 1, second.err
        assert not path.exists()
        with closing(socket.socket(socket.AF_UNIX)) as stale:
            stale.bind(os.fspath(path))
        with served(place, listen=f"unix:{path}") as server:
            assert server.get()[0] == 200


@test
def without_the_usual_place_it_still_records():
    with directory() as place, netns() as ns:
        command = [BUILD / "nwho", "serve", "--foreground", "--every", "1", "--store"]
        with ns.popen([*command, place / "1.db"], stdout=subprocess.PIPE, text=True) as first:
            first.stdout.readline()
            assert first.stdout.readline() == "nwho: metrics at http://127.0.0.1:9477/metrics\n"
            with ns.popen([*command, place / "2.db"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as second:
                assert "nothing is served at 127.0.0.1:9477" in second.stderr.readline()
                assert "recording into" in second.stdout.readline()
                second.terminate()
            first.terminate()


run_tests()
