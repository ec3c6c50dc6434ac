# SPDX-License-Identifier: MIT
"""ss, netstat and lsof of nwho: with any call failing, a listing is whole, or the exit status is 1 and stderr says why."""
import re
from collections import Counter

from faults import FULL, check_alive, inject_everywhere, quiet_machine, run
from live import BUILD, run_tests, test

LINES = (["ss", "-tuxan"], ["ss", "-tanp"], ["ss", "-xane"], ["ss", "-tlp"], ["netstat", "-tuxan"], ["netstat", "-rn"], ["netstat", "-6rn"], ["netstat", "-i", "-a"], ["netstat", "-gn"],
         ["lsof", "-nPl", "-i", "-U"])
NUMBERS = re.compile(r"^lo .*")  # the counters of lo may move


def shown(result):
    """The rows, also in another order: another source may have answered."""
    return Counter(NUMBERS.sub("lo", line) for line in result.out.splitlines())


def whole_or_told(ns, calls, errors):
    for line in LINES:
        whole = run(ns, [BUILD / "nwho", *line])
        assert whole.rc == 0 and whole.out, whole

        def check(result, line=line, whole=whole):
            if not check_alive(result) or result.rc == 127:
                return
            if shown(whole) - shown(result):
                assert result.rc == 1, f"rows are missing: {list((shown(whole) - shown(result)))[:3]}"
                assert f"{line[0]}: " in result.err, "nothing is said"

        for call in calls:
            for error in errors:
                inject_everywhere(ns, f"{call}:error={error}", line, check, 1 if FULL else 3)


@test
def messages_that_do_not_come():
    with quiet_machine() as ns:
        whole_or_told(ns, ("socket", "recvmsg"), ("ENOBUFS",))


@test
def files_that_cannot_be_read():
    with quiet_machine() as ns:
        whole_or_told(ns, ("openat", "read"), ("EIO",))


run_tests()
