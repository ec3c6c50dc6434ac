# SPDX-License-Identifier: MIT
"""Each program of BPF by itself: it loads on every kernel since the one that it is said to need, or says that it cannot."""
from live import BUILD, KERNEL, run, run_tests, test

# Those that are not here load since 6.1.
SINCE = {
    "glance": (6, 2),  # casts of pointers
    "traffic_calls": (6, 3),  # tracepoints of sending and receiving
    "events_use": (6, 3),  # the same tracepoints
    "traffic_packets": (6, 2),  # the same casts
    "traffic_peers": (6, 2),
    "packet_owners": (6, 2),
}
# Not any more since:
UNTIL = {
    "traffic_calls_by_functions": (6, 5),  # inet_sendpage
}


@test
def programs_load():
    told = dict(line.split(" ", 1) for line in run([BUILD / "tests/helpers/bpf_programs"]).out.splitlines())
    assert len(told) > 10, told
    print("#", ", ".join(f"{name}: {what}" for name, what in told.items()), flush=True)
    for name, what in told.items():
        since, until = SINCE.get(name, (0, 0)), UNTIL.get(name, (99, 0))
        assert (what == "ok") == (since <= KERNEL < until), f"{name} {what}, expected from Linux {since} to {until}"


run_tests()
