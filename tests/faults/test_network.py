# SPDX-License-Identifier: MIT
"""Counters, interfaces, routes and groups: with any call failing, an answer is whole or says that it is not."""
from faults import FULL, check_alive, inject_everywhere, quiet_machine, run
from live import BUILD, run_tests, test

QUESTIONS = (["stats", "-a", "-H", "-o", "counter,value", "source snmp6 or source sockstat6"],
             ["if", "-H", "-o", "iface,state,mtu,flags,qdisc"],
             ["routes", "-H", "-o", "destination,table,iface,type,flags"],
             ["groups", "-a", "-H", "-o", "iface,address,users"])


def whole_or_told(ns, calls, errors):
    for args in QUESTIONS:
        whole = run(ns, [BUILD / "nwho", *args])
        assert whole.rc == 0 and whole.out and not whole.err, whole

        def check(result, whole=whole):
            if not check_alive(result) or result.rc in (2, 127):
                return
            assert result.out == whole.out or "nwho: " in result.err, "another answer, and nothing is said"
            assert result.rc == 3 or result.out.count("\n") == whole.out.count("\n"), "rows are missing"

        for call in calls:
            for error in errors:
                inject_everywhere(ns, f"{call}:error={error}", args, check, 1 if FULL else 3)


@test
def messages_that_do_not_come():
    with quiet_machine() as ns:
        whole_or_told(ns, ("socket", "sendto", "recvmsg"), ("EPERM", "ENOBUFS"))


@test
def files_that_cannot_be_read():
    with quiet_machine() as ns:
        whole_or_told(ns, ("openat", "read"), ("EACCES", "EIO"))


run_tests()
