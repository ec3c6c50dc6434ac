# SPDX-License-Identifier: MIT
"""nwho why-busy: who is in the way of bind(), also where no other tool shows an owner; the same as bind() itself says."""
import json
import re
import socket
import subprocess
import sys
import tempfile

from live import BUILD, mksock, netns, nwho, run_tests, test

PORTS = {"listening": 5001, "bound-inactive": 5002, "udp": 5004, "established": 5005, "listening-dual": 5006,
         "listening-v6only": 5007, "unaccepted": 5008}


def situation():
    return [word for name, port in PORTS.items() for word in ["--", name, f"port={port}"]][1:]


def attempts(out):
    """What the program says that bind() does: without and with SO_REUSEADDR, for both, v4 and v6."""
    found = re.findall(r"^(bind\(\) to \S+(?: \(v[^)]+\))?|  with SO_REUSEADDR) +(works|fails: .*)$", out, re.MULTILINE)
    assert len(found) == 6, out
    return [result == "works" for _, result in found]


def really(ns, proto, port):
    """The same by bind() in the namespace."""
    script = """if True:
        import socket, sys
        both, four, six = (socket.AF_INET6, "::", 0), (socket.AF_INET, "0.0.0.0", 0), (socket.AF_INET6, "::", 1)
        for family, address, only in (both, four, six):
            for reuse in (0, 1):
                s = socket.socket(family, int(sys.argv[1]))
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
                try:
                    s.bind((address, int(sys.argv[2])))
                    print("works")
                except OSError:
                    print("fails")
                s.close()
    """
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    out = ns.run([sys.executable, "-c", script, int(kind), port]).out
    return [word == "works" for word in out.split()]


@test
def it_says_what_bind_says_and_who_it_is():
    with netns() as ns, mksock(ns, *situation()) as facts:
        for name, port in PORTS.items():
            proto = "udp" if name == "udp" else "tcp"
            out = nwho(ns, "why-busy", f"{proto}/{port}").out
            assert attempts(out) == really(ns, proto, port), (name, out)
            for fact in facts:
                if fact["local_port"] == port:
                    assert fact["state"] in out, (fact, out)
                    if fact["holders"]:
                        assert f"mksock({fact['pid']}) fd {fact['fd']}" in out, (fact, out)


@test
def each_cause_is_told_from_the_others():
    with netns() as ns, mksock(ns, *situation()) as facts:
        pid = facts[0]["pid"]
        for name, words in {"listening": "listens here", "bound-inactive": "neither listens nor is connected",
                            "udp": "is bound here and receives", "established": "is a connection that uses the port",
                            "unaccepted": f"(accept-queue of mksock({pid}))"}.items():
            proto = "udp" if name == "udp" else "tcp"
            assert words in nwho(ns, "why-busy", f"{proto}/{PORTS[name]}").out, name
        out = nwho(ns, "why-busy", f"tcp/{PORTS['bound-inactive']}").out
        assert f"Free it: kill {pid}\n" in out, out


@test
def a_time_wait_connection_holds_the_port():
    """The server closed first, without SO_REUSEADDR."""
    script = """if True:
        import socket, sys
        server = socket.socket()
        server.bind(("127.0.0.1", 5003))
        server.listen()
        client = socket.create_connection(("127.0.0.1", 5003))
        accepted = server.accept()[0]
        accepted.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        client.close()
        assert accepted.recv(1) == b""
        accepted.close()
        server.close()
        print("closed", flush=True)
        sys.stdin.read()
    """
    with netns() as ns:
        with ns.popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"closed\n"
            out = nwho(ns, "why-busy", "tcp/5003").out
            assert attempts(out) == really(ns, "tcp", 5003) == [False, False, False, False, True, True], out
            seconds, = re.findall(r"time-wait .*\n.* for (\d+) s more", out)
            assert 1 <= int(seconds) <= 61, out
            child.stdin.close()


@test
def a_free_port_is_free():
    with netns() as ns, mksock(ns, *situation()):
        for port, proto in ((5999, "tcp"), (5999, "udp"), (5001, "udp"), (5004, "tcp")):
            out = nwho(ns, "why-busy", f"{proto}/{port}", expect=1).out
            assert attempts(out) == really(ns, proto, port) == [True] * 6, out
            assert f"no socket uses {proto} port {port}" in out, out


@test
def the_port_can_be_written_in_every_form():
    with netns() as ns, mksock(ns, "listening", "port=5001", "--", "udp", "port=5004", "--", "listening", "port=80") as facts:
        for word, fact in (("tcp/5001", facts[0]), ("5001/tcp", facts[0]), (":5001", facts[0]), ("5001", facts[0]),
                           ("udp/5004", facts[1]), ("5004/udp", facts[1]),
                           ("http", facts[2]), ("tcp/http", facts[2])):
            row, = json.loads(nwho(ns, "why-busy", word, "--json").out)["rows"]
            assert (row["inode"], row["pid"]) == (fact["inode"], fact["pid"]), row
        assert nwho(ns, "why-busy", "-q", "5001").out == ""
        for word in ("0", "65536", "tcp/", "tcp/x", "sctp/1", "-1", "+1", "1 ", "", " 1", "tcp/ 1", "tcp/-1", "tcp/1/udp", "tcp/1/tcp", "99999999999999999999"):
            result = nwho(ns, "why-busy", "--", word, expect=2)
            assert result.out == "" and result.err.count("\n") == 1, (word, result)
        nwho(ns, "why-busy", expect=2)
        nwho(ns, "why-busy", "1", "2", expect=2)


@test
def bind_is_tried_in_the_namespace_that_is_asked_for():
    with netns() as ns, netns() as other, mksock(ns, "listening", "port=5001") as facts:
        out = nwho(other, "why-busy", "-N", ns.name, "5001").out
        assert attempts(out) == really(ns, "tcp", 5001) == [False] * 4 + [True] * 2, out
        assert f"mksock({facts[0]['pid']}) fd" in out and "netns" not in out, out
        out = nwho(other, "why-busy", "5001", expect=1).out
        assert "no socket uses" in out and attempts(out) == [True] * 6, out
        out = nwho(other, "why-busy", "-N", ns.name, "-N", other.name, "5001").out
        first, second = sorted((f"netns {ns.name}\n", f"netns {other.name}\n"), key=out.index)
        parts = dict(zip((first, second), out.split(first)[1].split("\n\n")[0].split(second)))
        assert attempts(parts[f"netns {ns.name}\n"]) == [False] * 4 + [True] * 2, out
        assert attempts(parts[f"netns {other.name}\n"]) == [True] * 6, out


@test
def what_was_not_tried_is_said():
    with netns() as ns, netns() as other, mksock(ns, "listening", "port=5001"), \
            tempfile.TemporaryDirectory() as directory:
        nwho(ns, "ls", "-q", "--record", f"{directory}/recording")
        out = nwho(None, "why-busy", "--replay", f"{directory}/recording", "5001").out
        assert out.startswith("bind() was not tried: this is a recording\n") and "listens here" in out, out
        if other.run([BUILD / "nwho", "--version"], expect=None, user="nobody").rc == 0:
            out = nwho(other, "why-busy", "-N", ns.name, "5001", user="nobody", expect=3).out
            assert out.startswith("bind() was not tried: the network namespace could not be entered\n"), out


CONNECTIONS = """if True:
    import socket, sys
    server = socket.create_server(("127.0.0.1", 5005))
    clients = [socket.create_connection(("127.0.0.1", 5005)) for _ in range(20)]
    accepted = [server.accept()[0] for _ in clients]
    datagrams = []
    for i in range(3):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 5005))
        s.connect(("127.0.0.1", 6000 + i))
        datagrams.append(s)
    print("ready", flush=True)
    sys.stdin.read()
"""


@test
def connections_are_told_together():
    with netns() as ns:
        with ns.popen([sys.executable, "-c", CONNECTIONS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"ready\n"
            out = nwho(ns, "why-busy", "tcp/5005").out
            comm = open(f"/proc/{child.pid}/comm", encoding="utf-8").read().strip()
            assert re.search(r"\n\ntcp 127\.0\.0\.1:5005  listening  \S+ fd \d+\n  listens here: .*\n"
                             rf"tcp 127\.0\.0\.1:5005  20 x established  {re.escape(comm)}\({child.pid}\)\n"
                             r"  each is a connection that uses the port: .*\n$", out), out
            out = nwho(ns, "why-busy", "udp/5005").out
            told = out.split("\n\n")[1]
            assert f"  3 x established  {comm}({child.pid})\n" in told and "keeps the port" in told, out
            assert "SO_REUSEADDR" not in told, out
            child.stdin.close()


run_tests()
