# SPDX-License-Identifier: MIT
"""nwho events: every connection with its process, its bytes and how it ended, against what the programs know themselves."""
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime

from counting import assert_exact, counting, make
from following import PREAMBLE, closed, follow, following, needs_bpf, play
from live import BUILD, KERNEL, PATIENCE, SOURCE, netns, nwho, run_tests, skip, test, wait_for


@test
def every_end_has_its_verdict():
    script = """
server = listener()
def note(c, s, verdict, by, rx, tx):
    me = c.getsockname()[1]
    fact(c, verdict=verdict, by=by, rx=rx, tx=tx)
    return me
c, s = pair(server); note(c, s, "ok", "us", 70, 3000)
c.sendall(b"x" * 3000); take(s, 3000); s.sendall(b"y" * 70); take(c, 70); c.close(); ended(s)
c, s = pair(server); note(c, s, "ok", "peer", 9, 0)
s.sendall(b"z" * 9); s.close(); ended(c)
c, s = pair(server); note(c, s, "ok", "us", 500000, 4)
c.sendall(b"more"); c.shutdown(socket.SHUT_WR); take(s, 4)
if os.fork() == 0:
    s.sendall(b"m" * 500000); os._exit(0)
s.close(); ended(c); os.wait()
c, s = pair(server); note(c, s, "reset", "us", 0, 5)
c.sendall(b"12345"); take(s, 5); reset(c); ended(s)
c, s = pair(server); note(c, s, "reset", "peer", 0, 0)
reset(s); ended(c)
c, s = pair(server); note(c, s, "reset", "peer", 0, 6)
c.sendall(b"unread"); s.close(); ended(c)
c, s = pair(server); note(c, s, "reset", "us", 6, 0)
s.sendall(b"unread"); select.select([c], [], []); c.close(); ended(s)
six = listener(socket.AF_INET6, "::1")
c, s = pair(six); note(c, s, "ok", "us", 0, 1)
c.sendall(b"6"); take(s, 1); c.close(); ended(s)
c = socket.socket(); c.bind(("127.0.0.1", 0)); me = c.getsockname()[1]
try:
    c.connect(("127.0.0.1", 1))
except ConnectionRefusedError:
    facts.append({"port": me, "pid": os.getpid(), "ppid": os.getppid(), "verdict": "refused", "by": "peer", "rx": 0, "tx": 0})
lone = listener()
c = socket.create_connection(lone.getsockname()); note(c, None, "reset", "peer", 0, 0)
lone.close(); ended(c)                                  # never accepted
"""
    with netns() as ns:
        needs_bpf(ns)
        document, facts = follow(ns, script)
        while len({fact["port"] for fact in facts}) < len(facts):  # one that was left by a reset connection was the next one's
            document, facts = follow(ns, script)
        rows = closed(document)
        for want in facts:
            row = rows[want["port"]]
            assert (row["verdict"], row["ended_by"]) == (want["verdict"], want["by"]), (want, row)
            assert (row["rx_bytes"], row["tx_bytes"]) == (want["rx"], want["tx"]), (want, row)
            assert (row["pid"], row["ppid"]) == (want["pid"], want["ppid"]), (want, row)
            assert row["process"].startswith("python") and row["user"] == "root" and row["direction"] == "out", row
            assert row["duration_us"] is not None and row["owner_source"] == "user", row
        # Both ends are here, and agree.
        kinds = Counter(row["event"] for row in document["rows"])
        assert kinds["opened"] == kinds["accepted"] == len(facts) - 1, kinds
        assert kinds["closed"] == 2 * len(facts) - 1, kinds
        assert document["complete"] and document["lost"] == 0, document["warnings"]
        ends = {(row["local_port"], row["peer_port"]): row for row in document["rows"] if row["event"] == "closed"}
        for (local, peer), row in ends.items():
            other = ends.get((peer, local))
            assert row["verdict"] == "refused" or (other["rx_bytes"], other["tx_bytes"]) == (row["tx_bytes"], row["rx_bytes"])


@test
def silence_and_no_way_are_told_apart():
    """Packets vanish behind a pair of devices: a handshake and an established connection time out; without a neighbour no way."""
    script = """
server = ("192.0.2.2", int(sys.argv[1]))
c = socket.create_connection(server, source_address=("192.0.2.1", 0))
c.setsockopt(socket.IPPROTO_TCP, 18, 500)               # TCP_USER_TIMEOUT, ms
fact(c, verdict="timed-out")
print("connected", flush=True)
sys.stdin.readline()
c.send(b"into the void")
void = socket.socket(); void.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
void.bind(("192.0.2.1", 0)); void.setblocking(False); void.connect_ex(("192.0.2.3", 9))
fact(void, verdict="timed-out")
gone = socket.socket(); gone.bind(("192.0.2.1", 0)); gone.setblocking(False); gone.connect_ex(("192.0.2.4", 9))
fact(gone, verdict="unreachable")
quitter = socket.socket(); quitter.bind(("192.0.2.1", 0)); quitter.setblocking(False); quitter.connect_ex(("192.0.2.3", 9))
fact(quitter, verdict="aborted")
quitter.close()
waiting = [c, void, gone]
poll = select.poll()
for sock in waiting:
    poll.register(sock, select.POLLERR)
while waiting:
    for fd, _ in poll.poll():
        waiting = [sock for sock in waiting if sock.fileno() != fd]
        poll.unregister(fd)
"""
    serve = "server = listener(host='192.0.2.2'); print(server.getsockname()[1], flush=True); s = server.accept(); sys.stdin.readline()"
    with netns() as ns, netns() as other:
        needs_bpf(ns)
        ns.run(["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", other.name])
        for space, device, address in ((ns, "v0", "192.0.2.1/24"), (other, "v1", "192.0.2.2/24")):
            space.run(["ip", "addr", "add", address, "dev", device])
            space.run(["ip", "link", "set", device, "up"])
        mac = other.run(["cat", "/sys/class/net/v1/address"], expect=None).out.strip()
        mac = mac or json.loads(other.run(["ip", "-j", "link", "show", "v1"]).out)[0]["address"]
        for host in ("192.0.2.2", "192.0.2.3"):
            ns.run(["ip", "neigh", "replace", host, "lladdr", mac, "dev", "v0", "nud", "permanent"])
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        server = other.popen([sys.executable, "-c", PREAMBLE + serve], **pipes)
        port = server.stdout.readline().strip()
        with following(ns, "--retrans") as follower:
            client = ns.popen([sys.executable, "-c", PREAMBLE + script + "\nprint(json.dumps(facts))", port], **pipes)
            assert client.stdout.readline() == "connected\n"
            other.run(["ip", "addr", "flush", "dev", "v1"])
            out, _ = client.communicate("\n", timeout=PATIENCE)
            document = follower.finish()
        server.communicate("\n")
        rows = closed(document)
        for want in json.loads(out):
            row = rows[want["port"]]
            assert row["verdict"] == want["verdict"] and row["pid"] == want["pid"], (want, row)
        timed_out = json.loads(out)[0]
        assert rows[timed_out["port"]]["retrans"] > 0
        again = Counter(row["local_port"] for row in document["rows"] if row["event"] == "retransmitted")
        # The kernel also counts those that no packet could be sent for, and tells only of the others.
        assert 0 < again[timed_out["port"]] <= rows[timed_out["port"]]["retrans"], (again, rows[timed_out["port"]])


@test
def who_accepts_is_who_uses_it():
    """Workers that share a listener, a child that serves what its parent accepted, and one that only closes."""
    script = """
server = listener()
def worker(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid
def serve():
    s, peer = server.accept(); s.sendall(b"served"); s.close()
def only_close():
    s, peer = server.accept(); s.close()
for work, source in ((serve, "user"), (only_close, "closer")):
    pid = worker(work)
    c = socket.create_connection(server.getsockname())
    facts.append({"peer": c.getsockname()[1], "pid": pid, "ppid": os.getpid(), "source": source})
    ended(c); os.waitpid(pid, 0)
c, s = pair(server)
pid = worker(lambda: s.sendall(b"by the child"))
facts.append({"peer": c.getsockname()[1], "pid": pid, "ppid": os.getpid(), "source": "user"})
os.waitpid(pid, 0); s.close(); ended(c)
lone = listener()
c = socket.create_connection(lone.getsockname())
facts.append({"peer": c.getsockname()[1], "pid": os.getpid(), "ppid": os.getppid(), "source": "listener"})
lone.close(); ended(c)
"""
    with netns() as ns:
        needs_bpf(ns)
        document, facts = follow(ns, script)
        rows = {row["peer_port"]: row for row in document["rows"] if row["event"] == "closed" and row["direction"] == "in"}
        for want in facts:
            if want["source"] == "user" and KERNEL < (6, 3):  # who uses it is not told there
                continue
            row = rows[want["peer"]]
            assert (row["pid"], row["ppid"], row["owner_source"]) == (want["pid"], want["ppid"], want["source"]), (want, row)


@test
def each_listener_has_its_connections():
    """Also where a port does not tell listeners apart; none of the connections is used before it is closed."""
    script = """
def serve(host, port, **options):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    up, down = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        sock = socket.socket(family)
        for name in options:
            sock.setsockopt(socket.SOL_SOCKET, getattr(socket, name), options[name])
        sock.bind((host, port))
        sock.listen(64)
        os.write(up[1], b"x")
        os.read(down[0], 1)
        os._exit(0)
    os.read(up[0], 1)
    return pid, down[1]
def connect(host, port):
    client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    client.connect((host, port))
    fact(client)
    reset(client)
    return client
anyone = [serve("0.0.0.0", 4001), serve("::", 4002), serve("127.0.0.1", 4003, SO_BINDTODEVICE=b"lo")]
addresses = [serve("127.0.0.1", 4004), serve("127.0.0.2", 4004)]
shared = [serve("127.0.0.1", 4005, SO_REUSEPORT=1) for _ in range(3)]
for host, port, servers in (("127.0.0.1", 4001, anyone[:1]), ("127.0.0.9", 4001, anyone[:1]), ("::1", 4002, anyone[1:2]),
                            ("127.0.0.1", 4002, anyone[1:2]), ("127.0.0.1", 4003, anyone[2:]), ("127.0.0.1", 4004, addresses[:1]),
                            ("127.0.0.2", 4004, addresses[1:]), *[("127.0.0.1", 4005, shared)] * 20):
    connect(host, port)
    facts[-1].update(servers=[pid for pid, _ in servers], at=[host, port])
for pid, fd in anyone + addresses + shared:
    os.write(fd, b"x")
    os.waitpid(pid, 0)
"""
    with netns() as ns:
        needs_bpf(ns)
        document, facts = follow(ns, script, "-o", "+owner")
    # A client that has reset its connection leaves its port to the next, to another listener.
    accepted = {(row["local_port"], row["peer_port"]): row for row in document["rows"] if row["event"] == "accepted"}
    for one in facts:
        row = accepted[one["at"][1], one["port"]]
        assert row["pid"] in one["servers"] and row["owner_source"] == "listener", (one, row)
        assert row["owner"] == f"{row['process']}({row['pid']}) listener", row
    many = {row["pid"] for (port, _), row in accepted.items() if port == 4005}
    assert len(many) > 1, many


@test
def what_was_there_before_has_its_holder():
    script = """
server = listener(); c, s = pair(server)
fact(c); fact(s)
print("ready", flush=True)
sys.stdin.readline()
c.close(); ended(s)
late, s = pair(server); fact(late); s.close(); ended(late)
"""
    with netns() as ns:
        needs_bpf(ns)
        child = ns.popen([sys.executable, "-c", PREAMBLE + script + "\nprint(json.dumps(facts))"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        with following(ns) as follower:
            facts = json.loads(child.communicate("\n", timeout=PATIENCE)[0])
            rows = [row for row in follower.finish()["rows"] if row["event"] == "closed"]
        client, server, late = (fact["port"] for fact in facts)
        old = [row for row in rows if {row["local_port"], row["peer_port"]} == {client, server}]
        assert len(old) == 2 and all(row["pid"] == facts[0]["pid"] and row["duration_us"] is None for row in old), rows
        assert {row["owner_source"] for row in old} <= {"holder", "user", "closer"}, old
        new = [row for row in rows if late in (row["local_port"], row["peer_port"])]
        assert len(new) == 2 and all(row["pid"] == facts[0]["pid"] and row["duration_us"] is not None for row in new), rows


@test
def short_lived_processes_are_all_named():
    script = """
server = listener()
port = server.getsockname()[1]
command = f"exec 3<>/dev/tcp/127.0.0.1/{port}; echo $$ >&3"
for i in range(200):
    pid = os.spawnlp(os.P_NOWAIT, "bash", "bash", "-c", command)
    s, peer = server.accept()
    said = int(s.makefile().readline())
    assert said == pid
    facts.append({"port": peer[1], "pid": pid})
    s.close(); os.waitpid(pid, 0)
facts.append(os.getpid())
"""
    with netns() as ns:
        needs_bpf(ns)
        document, facts = follow(ns, script, "process", "bash")
        # The kernel may give a port twice, in a scene that lasts for seconds.
        rows, parent = {(row["local_port"], row["pid"]): row for row in document["rows"] if row["event"] == "closed"}, facts.pop()
        assert len(rows) == len(facts) == 200, len(rows)
        for want in facts:
            row = rows[want["port"], want["pid"]]
            assert (row["process"], row["ppid"]) == ("bash", parent), (want, row)
            assert row["tx_bytes"] == len(f"{want['pid']}\n"), row


@test
def filters_forms_and_limits():
    script = """
server = listener()
for i in range(3):
    c, s = pair(server); c.close(); ended(s)
with __import__("contextlib").suppress(OSError):
    socket.create_connection(("127.0.0.1", 1))
"""
    with netns() as ns:
        needs_bpf(ns)
        document, _ = follow(ns, script, "refused")
        assert [row["verdict"] for row in document["rows"]] == ["refused"], document
        document, _ = follow(ns, script, "process", "python3", "or", "process", os.path.basename(sys.executable), "and",
                             "dport", "1", "duration < 10s")
        assert {row["verdict"] for row in document["rows"] if row["peer_port"] == 1} == {"refused"}, document
        with following(ns, "-n", "4") as follower:
            play(ns, script)
            assert len(follower.finish(stop=False)["rows"]) == 4 and follower.child.returncode == 0
        assert json.loads(nwho(ns, "events", "--for", "0.05", "--json", expect=1).out)["rows"] == []
        assert nwho(ns, "events", "--for", "0.05", "--csv", "-o", "event,verdict", expect=1).out == "event,verdict\n"
        assert nwho(ns, "events", "--for", "0.05", "--sort", "pid", expect=2).err
        child = ns.popen([BUILD / "nwho", "events", "-H", "-o", "process,event,verdict"], stdout=subprocess.PIPE)
        try:
            wait_for(lambda: play(ns, script) == [] and select.select([child.stdout], [], [], 0.2)[0], what="a line of text")
            assert child.stdout.readline().split()[1:] in ([b"opened", b"-"], [b"accepted", b"-"])
            child.stdout.close()  # as `| head` does
            child.wait(PATIENCE)
        finally:
            child.kill()
            child.wait()


@test
def hostile_names_are_escaped():
    script = r"""
open("/proc/self/comm", "wb").write(b"\x1b[31m\xffred")
server = listener(); c, s = pair(server); c.close(); ended(s)
if os.fork() == 0:
    open("/proc/self/comm", "wb").write(b"child")
    c, s = pair(server); c.close(); ended(s); os._exit(0)
os.wait()
"""
    with netns() as ns:
        needs_bpf(ns)
        document, _ = follow(ns, script)
        names = {(row["process"], row["parent"]) for row in document["rows"] if row["direction"] == "out"}
        assert ("child", r"\e[31m\xffred") in names, names
        assert r"\e[31m\xffred" in {name for name, _ in names}, names
        child = ns.popen([BUILD / "nwho", "events", "-n", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(lambda: play(ns, script) == [] and child.poll() is not None, what="two events")
        out, err = child.communicate()
        assert b"\x1b" not in out + err and b"\xff" not in out + err and rb"\e[31m" in out, out


@test
def namespaces():
    script = "server = listener(); c, s = pair(server); fact(c); c.close(); ended(s)"
    with netns() as ns, netns() as other:
        needs_bpf(ns)
        with following(ns) as here, following(None, "-N", other.name) as there, following(None, "--all-netns") as everywhere:
            ours, theirs = play(ns, script)[0]["port"], play(other, script)[0]["port"]
            for follower, want in ((here, {ns.name}), (there, {other.name})):
                assert {row["netns"] for row in follower.finish()["rows"]} == want
            names = {(row["netns"], row["local_port"]) for row in everywhere.finish()["rows"]}
            assert {(ns.name, ours), (other.name, theirs)} <= names, names


@test
def the_unit_for_log_pipelines_writes_a_line_for_each():
    script = "server = listener(); c, s = pair(server); fact(c); c.close(); ended(s)"
    unit = (SOURCE / "packaging/log-pipelines/nwho-events.service").read_text()
    program, *words = next(line for line in unit.splitlines() if line.startswith("ExecStart=")).split("=", 1)[1].split()
    assert program == "/usr/bin/nwho"
    with netns() as ns:
        needs_bpf(ns)
        with subprocess.Popen([BUILD / "nwho", *words, f"netns {ns.name}"], stdout=subprocess.PIPE, text=True) as child:
            try:
                port = wait_for(lambda: (facts := play(ns, script)) and select.select([child.stdout], [], [], 0.2)[0] and facts,
                                what="a line")[0]["port"]
                row = json.loads(child.stdout.readline())
                while (row["event"], row["local_port"]) != ("closed", port):
                    row = json.loads(child.stdout.readline())
            finally:
                child.terminate()
        datetime.strptime(row["time"], "%Y-%m-%dT%H:%M:%S.%fZ")  # as fluent-bit-parsers.conf has it
        assert row["netns"] == ns.name and row["process"] and row["duration_us"] is not None, row
        assert "--since" in nwho(ns, "events", "--follow", "--since", "-1h", expect=2).err


@test
def inside_a_pid_namespace_its_ids_count():
    outer = """
import json, signal, subprocess, sys
child = subprocess.Popen([sys.argv[1], "events", "--json"], stdout=subprocess.PIPE)
head = b""
while b'"rows":[' not in head:
    head += child.stdout.read1(65536)
facts = subprocess.run([sys.executable, "-c", sys.argv[2]], stdout=subprocess.PIPE, check=True).stdout
child.send_signal(signal.SIGINT)
print(json.dumps([json.loads(facts), json.loads(head + child.communicate()[0])]))
"""
    inner = PREAMBLE + """
server = listener(); c, s = pair(server); fact(c); c.close(); ended(s)
print(json.dumps(facts))
"""
    with netns() as ns:
        needs_bpf(ns)
        words = ["unshare", "--pid", "--fork", sys.executable, "-c", outer, BUILD / "nwho", inner]
        (fact,), document = json.loads(ns.run(words).out)
        assert fact["ppid"] == 1 and "bpf" in document["sources"]["events"], (fact, document)
        assert len(document["rows"]) == 4, document
        assert {(row["pid"], row["ppid"]) for row in document["rows"]} == {(fact["pid"], 1)}, (fact, document)


@test
def accounting_beside_it_counts_the_same():
    """Both have programs of their own at the same places of the kernel."""
    times = 3000
    with netns() as ns:
        needs_bpf(ns)
        with following(ns) as follower, counting(ns) as counter:
            truth = make(ns, "short-connections", f"times={times}")
            document = follower.finish()
            assert_exact(truth, counter.read())
            assert not any("lost" in note for note in counter.notes), counter.notes
        assert document["complete"] and document["lost"] == 0, document["lost"]
        # Each of two processes makes so many; a listener of each is closed, too, which is no event.
        assert Counter(row["event"] for row in document["rows"]) == {"opened": 2 * times, "accepted": 2 * times, "closed": 4 * times}
        of_events = Counter()
        for row in document["rows"]:
            if row["event"] == "closed":
                of_events[row["pid"], "rx"] += row["rx_bytes"]
                of_events[row["pid"], "tx"] += row["tx_bytes"]
        of_truth = Counter()
        for row in truth:
            of_truth[row["pid"], "rx"] += row["rx"]
            of_truth[row["pid"], "tx"] += row["tx"]
        assert of_events == of_truth


@test
def at_full_speed_none_is_lost_with_accounting_on():
    """Two processors full of short connections: about 20000 a second. NWHO_FULL=1."""
    if not os.environ.get("NWHO_FULL"):
        skip("takes a minute; NWHO_FULL=1 runs it")
    each, rounds = 20000, 4  # of two processes
    with netns() as ns, counting(ns) as counter, tempfile.TemporaryFile() as output:
        child = ns.popen([BUILD / "nwho", "events", "--csv", "-o", "event"], stdout=output, stderr=subprocess.PIPE)
        wait_for(lambda: output.seek(0, os.SEEK_END), what="the header")
        begin = time.monotonic()
        for _ in range(rounds):
            ns.run([BUILD / "tests/helpers/mktraffic", "short-connections", f"times={each}"])
            counter.read()
        seconds = time.monotonic() - begin
        child.send_signal(signal.SIGINT)
        err = child.communicate(timeout=PATIENCE)[1]
        output.seek(0)
        events = Counter(output.read().split())
        print(f"# {2 * each * rounds / seconds:.0f} connections a second", file=sys.stderr)
        assert child.returncode == 0, err
        many = 2 * each * rounds
        assert events == {b"event": 1, b"opened": many, b"accepted": many, b"closed": 2 * many}, events
        assert not any("lost" in note for note in counter.notes), counter.notes


@test
def ports_that_the_kernel_chose():
    script = "server = listener(); c, s = pair(server); fact(c); s.close(); ended(c)"
    for words in ((), ("--sources", "sock_diag,proc_fd")):
        with netns("net.ipv4.ip_local_port_range=2000 2100") as ns:
            with following(ns, *words, "autobound", "event", "closed") as follower:
                port = play(ns, script)[0]["port"]
                follower.read_until(f'"local_port":{port},'.encode())
            with following(ns, *words, "not", "autobound") as follower:
                play(ns, script)
                assert not follower.finish()["rows"], words


@test
def without_bpf_the_ends_are_told():
    """As an ordinary user; and with owners, where they can be looked for."""
    script = """
server = listener(); c, s = pair(server); c.sendall(b"x" * 1000); take(s, 1000); fact(c)
time.sleep(float(sys.argv[1])); c.close(); ended(s)
"""
    with netns() as ns:
        with following(ns, user="nobody") as follower:
            port = play(ns, script, "0")[0]["port"]
            follower.read_until(f'"local_port":{port}'.encode())
            document = follower.finish()
        row = closed(document)[port]
        assert (row["event"], row["verdict"], row["tx_bytes"], row["rx_bytes"]) == ("closed", None, 1000, 0), row
        assert "without BPF" in follower.err and document["warnings"][0]["effect"] == "owners", follower.err
        assert nwho(ns, "events", "--for", "0.01", "--strict", "-q", user="nobody", expect=3)
        with following(ns, "--sources", "sock_diag,proc_fd") as follower:
            for seconds in (1.2, 2.5, 5, 10, 20):  # the search comes once a second, later where it takes long
                fact = play(ns, script, str(seconds))[0]
                follower.read_until(f'"local_port":{fact["port"]},'.encode())
                if f'"pid":{fact["pid"]},' in follower.bytes.decode() and f'"ppid":{fact["ppid"]},' in follower.bytes.decode():
                    break
            row = closed(follower.finish())[fact["port"]]
        assert (row["pid"], row["ppid"], row["owner_source"]) == (fact["pid"], fact["ppid"], "holder"), row


run_tests()
