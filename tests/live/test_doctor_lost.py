# SPDX-License-Identifier: MIT
"""The doctor and connections on which nothing gets through: remotes that are gone, large segments, data nobody takes."""
from doctor import drop, evidence, findings, program
from live import netns, run_tests, test, wait_for

# So many connections, on which a little goes each way; then "data" or "close" on demand.
TALK = """
import resource, socket, sys
count, keepalive = int(sys.argv[1]), sys.argv[2:] == ["keepalive"]
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
server = socket.create_server(("127.0.0.1", 7000), backlog=64)
clients, served = [], []
for _ in range(count):
    client = socket.create_connection(server.getsockname())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, keepalive)
    served.append(server.accept()[0])
    served[-1].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, keepalive)
    client.send(b"request")
    assert served[-1].recv(100) == b"request"
    clients.append(client)
print("ready", flush=True)
for line in sys.stdin:
    command, size = line.split()
    for client in clients:
        client.send(b"x" * int(size))
        if command == "close":
            client.close()
    print("done", flush=True)
"""


@test
def half_open_without_keepalive():
    with netns() as ns, program(ns, TALK, "20") as silent:
        limits = {"half-open.idle": "200ms"}
        row = wait_for(lambda: findings(ns, "half-open", limits=limits), what="silence")[0]
        assert (row["check"], row["severity"], row["pid"]) == ("half-open", "warn", silent.pid), row
        assert evidence(row, "silent connections, in permille of descriptors")["after"] == 40 * 1000 // 128, row
        assert "keepalive" in row["cause"], row
        assert findings(ns, "half-open") == []


@test
def no_half_open_with_keepalive():
    with netns() as ns, program(ns, TALK, "20", "keepalive"):
        assert findings(ns, "half-open", limits={"half-open.idle": "0"}) == []


@test
def half_open_to_a_remote_that_is_gone():
    with netns() as ns, program(ns, TALK, "5") as client:
        drop(ns, "tcp dport 7000")
        client("data 100")
        limits = {"half-open.tries": "3"}
        row = wait_for(lambda: findings(ns, "half-open", limits=limits), what="tries")[0]
        assert (row["severity"], row["pid"], row["peer"]) == ("warn", client.pid, "127.0.0.1"), row
        assert evidence(row, "connections without an answer")["after"] >= 3 and "acknowledges nothing" in row["cause"], row
        assert findings(ns, "pmtu") == []


@test
def no_half_open_where_data_is_acknowledged():
    with netns() as ns, program(ns, TALK, "5") as client:
        client("data 100")
        assert findings(ns, "half-open", limits={"half-open.tries": "1"}) == []


def small_link(ns):
    """As if behind a router with a smaller link, whose messages get lost."""
    ns.run(["ip", "link", "set", "lo", "mtu", "1500"])
    drop(ns, "meta length > 1300")


@test
def pmtu_of_a_black_hole():
    with netns() as ns:
        small_link(ns)
        with program(ns, TALK, "3") as client:
            client("data 20000")
            limits = {"pmtu.since": "200ms 1h"}
            row = wait_for(lambda: findings(ns, "pmtu", limits=limits), what="a black hole")[0]
            assert (row["check"], row["severity"], row["pid"], row["peer"]) == ("pmtu", "warn", client.pid, "127.0.0.1"), row
            assert evidence(row, "pmtu")["after"] == 1500 and evidence(row, "mss")["after"] > 1400, row
            assert findings(ns, "half-open", limits={"half-open.tries": "2"}) == []


@test
def pmtu_is_worse_where_the_remote_is_alive():
    with netns() as ns:
        small_link(ns)
        with program(ns, TALK, "1") as client, program(ns, TALK.replace("7000", "7001"), "1") as other:
            client("data 20000")

            def worst():
                other("data 10")
                return [row["severity"] for row in findings(ns, "pmtu", limits={"pmtu.since": "100ms 300ms"})] == ["crit"]

            wait_for(worst, what="a black hole")


@test
def no_pmtu_where_segments_fit():
    with netns() as ns:
        small_link(ns)
        ns.run(["ip", "link", "set", "lo", "mtu", "1300"])
        with program(ns, TALK, "3") as client:
            client("data 20000")
            assert findings(ns, "pmtu", limits={"pmtu.since": "0"}) == []


@test
def orphans_to_a_remote_that_is_gone():
    with netns() as ns, program(ns, TALK, "30") as client:
        drop(ns, "tcp dport 7000")
        client("close 5000")
        rows = findings(ns, "orphans", limits={"orphans.sockets": "30", "orphans.share": "0"})
        machine, remote = (next(row for row in rows if (row["peer"] is None) == of_machine) for of_machine in (True, False))
        assert (remote["check"], remote["severity"], remote["peer"]) == ("orphans", "warn", "127.0.0.1"), rows
        assert evidence(remote, "orphans to this remote at both ends")["after"] == 30, rows
        assert evidence(remote, "send_q of them")["after"] >= 30 * 5000, rows
        assert machine["netns"] is None and evidence(machine, "SockTCPOrphan")["after"] >= 30, rows
        assert findings(ns, "orphans") == []


@test
def no_orphans_where_the_remote_takes_the_data():
    with netns() as ns, program(ns, TALK, "30") as client:
        client("close 5000")
        assert findings(ns, "orphans", limits={"orphans.sockets": "1"}) == []


run_tests()
