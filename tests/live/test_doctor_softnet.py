# SPDX-License-Identifier: MIT
"""The doctor and the backlog of a processor. It is the machine's: this test runs alone."""
import os

from doctor import evidence, findings, pair, program
from live import netns, run, run_tests, skip, test, wait_for

# Datagrams from one processor, as many as it can; a large send buffer lets them pile up at the other one.
FLOOD = """
import os, socket, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
writer.setsockopt(socket.SOL_SOCKET, 32, 1 << 23)  # SO_SNDBUFFORCE
writer.connect(("10.77.0.2", 9))
print("ready", flush=True)
while True:
    for _ in range(20):
        writer.send(b"x")
    if len(sys.argv) > 2:
        time.sleep(0.01)
"""


def slow_receiver(ns, other, processor):
    """What comes to the other namespace is handed to one processor, and passes a thousand rules there."""
    pair(ns, other)
    rules = ";".join(["add rule ip t in udp sport 1 accept"] * 1000 + ["add rule ip t in meta l4proto udp drop"])
    other.run(["nft", f"add table ip t; add chain ip t in {{ type filter hook input priority 0; }}; {rules}"])
    # `ip netns exec` shows the interfaces of the namespace in /sys.
    run(["ip", "netns", "exec", other.name, "sh", "-c", f"echo {1 << processor:x} > /sys/class/net/v0/queues/rx-0/rps_cpus"])


@test
def a_processor_that_cannot_pass_on_what_comes():
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        skip("needs two processors")
    with netns() as ns, netns() as other:
        slow_receiver(ns, other, processors[1])
        with program(ns, FLOOD, str(processors[0]), "slowly"):
            assert findings(ns, "drops") == []
        with program(ns, FLOOD, str(processors[0])):
            row = wait_for(lambda: findings(ns, "drops"), what="drops of a processor")[0]
            assert row["check"] == "drops" and row["severity"] in ("warn", "crit"), row
            assert f"processor {processors[1]} " in row["what"], row
            assert evidence(row, "SoftnetDropped")["rate"] >= 10, row


run_tests()
