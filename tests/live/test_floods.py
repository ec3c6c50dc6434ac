# SPDX-License-Identifier: MIT
"""nwho events and nwho serve under a flood of connections. It runs alone: a flood is in the numbers of all who look at this machine."""
import shutil
import signal
import sys
from collections import Counter

from following import follow, following, needs_bpf, play
from links import track
from live import BUILD, netns, run_tests, skip, test, wait_for
from recorder import directory
from served import served

OPENED = "nwho_process_connections_opened_total"


@test
def of_thousands_none_is_lost():
    script = """
server = listener()
for i in range(5000):
    c, s = pair(server); c.send(b"x"); s.recv(1); reset(c); s.close()
"""
    with netns() as ns:
        needs_bpf(ns)
        document, _ = follow(ns, script, "--summary")
        assert Counter(row["event"] for row in document["rows"]) == {"opened": 5000, "accepted": 5000, "closed": 10000}
        assert document["lost"] == 0 and document["complete"]
        assert {row["pid"] for row in document["rows"]} == {document["rows"][0]["pid"]}
        assert len({row["cookie"] for row in document["rows"]}) == 10000
        summary = {row["what"]: row for row in document["summary"]}
        assert summary["opened"]["count"] == summary["accepted"]["count"] == 5000, summary
        assert summary["reset"]["count"] == 10000 and summary["reset"]["rx_bytes"] == summary["reset"]["tx_bytes"] == 5000, summary
        durations = sorted(row["duration_us"] for row in document["rows"] if row["duration_us"] is not None)
        assert abs(summary["reset"]["duration_median_us"] - durations[4999]) <= durations[4999] * 0.07 + 1
        assert summary["reset"]["duration_max_us"] == durations[-1]


@test
def what_is_lost_is_counted_and_said():
    """A reader that stands still does not stop the kernel: what has no room is lost, and the rest is whole."""
    script = """
server = listener()
for i in range(18000):
    c, s = pair(server); reset(c); s.close()
"""
    with netns() as ns:
        needs_bpf(ns)
        with following(ns) as follower:
            follower.child.send_signal(signal.SIGSTOP)
            play(ns, script, timeout=100)
            follower.child.send_signal(signal.SIGCONT)
            document = follower.finish()
        assert document["lost"] > 0 and not document["complete"], (document["lost"], len(document["rows"]))
        assert document["lost"] + len(document["rows"]) == 4 * 18000
        assert follower.child.returncode == 3 and "lost" in follower.err, follower.err
        assert [warning["effect"] for warning in document["warnings"]] == ["incomplete"], document["warnings"]


@test
def events_of_tracking_that_were_lost_are_said():
    with netns() as ns:
        track(ns)
        many = "import socket\nfor port in range(1, 60001): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))"
        with following(ns, "-N", ns.name, "event new", words=("nat", "--events")) as follower:
            follower.child.send_signal(signal.SIGSTOP)
            ns.run([sys.executable, "-c", many])
            follower.child.send_signal(signal.SIGCONT)
            document = follower.finish()
        assert document["lost"] > 0 and not document["complete"] and 0 < len(document["rows"]) < 60000, len(document["rows"])
        assert follower.child.returncode == 3 and "events were lost" in follower.err, follower.err


@test
def metrics_count_also_what_the_history_has_no_room_for():
    """It keeps 20,000 events of a tick. What the recorder had no time to take is counted as lost."""
    times = 6000
    with directory() as place, netns() as ns, served(place, "--every", "5") as server:
        if server.values("nwho_build_info", "accounting") != {("bpf",): 1}:
            skip("connections are not followed without BPF")
        program = place / "flood-of-a-test"
        shutil.copy(BUILD / "tests/helpers/mktraffic", program)
        ns.run([program, "short-connections", f"times={times}"])

        def all_are_accounted_for():
            opened = server.values(OPENED, "network_connection_direction", process_executable_name=program.name)
            lost = server.values("nwho_events_lost_total")[()]
            assert set(opened) <= {("inbound",), ("outbound",)} and max(opened.values(), default=0) <= 2 * times, opened
            return 4 * times - lost <= sum(opened.values()) and (lost or sum(opened.values()) == 4 * times)

        try:
            wait_for(all_are_accounted_for, what="all of them")
        except AssertionError as error:
            known = [server.values(name) for name in ("nwho_events_lost_total", "nwho_process_groups", "nwho_process_groups_folded_total")]
            raise AssertionError(f"{error}: {server.values(OPENED, 'process_executable_name')}, {known}") from None


run_tests()
