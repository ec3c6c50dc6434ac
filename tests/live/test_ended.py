# SPDX-License-Identifier: MIT
"""Processes that live between two readings: their bytes are those of their control group and user."""
import contextlib
import json
import os
import signal

from cgroups import control_group
from documents import top
from live import BUILD, netns, run_tests, skip, test, wait_for


@contextlib.contextmanager
def readers(ns, *questions):
    """One `nwho top` for each question, about the namespace but for what they send as a test; each has read once."""
    with contextlib.ExitStack() as stack:
        about = f"netns {ns.name} and not process nwho"
        shown = [stack.enter_context(top(ns, about, *question)) for question in questions]
        if any(one.read()["accounting"] != "bpf" for one in shown):
            skip("processes that have ended are not known without BPF")
        yield shown


@contextlib.contextmanager
def unread(shown):
    """While the block runs nobody reads."""
    for one in shown:
        one.child.send_signal(signal.SIGSTOP)
    for one in shown:
        wait_for(lambda: os.waitid(os.P_PID, one.child.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT), what="stopped")
    yield
    for one in shown:
        one.child.send_signal(signal.SIGCONT)


def send(ns, group, user=None):
    """A process in GROUP sends to itself and exits; how many bytes it received."""
    command = [BUILD / "tests/helpers/mktraffic", "udp", "family=4"]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", "--clear-groups", *command]
    rows = [json.loads(line) for line in ns.run(group.inside(command)).out.splitlines()]
    return sum(row["rx"] for row in rows)


def sums(document, *keys):
    return {tuple(row[key] for key in keys): row["rx_bytes"] for row in document["rows"]}


def answer(one, sent):
    """The document in which everything that was sent is counted."""
    return one.until(lambda rows: sum(row["rx_bytes"] for row in rows) >= sent)


@test
def their_bytes_are_those_of_their_group():
    with netns() as ns, control_group() as unit, control_group() as other, control_group(container=True) as box:
        groups = (unit, other, box)
        questions = [("--by", "unit"), ("--by", "container"), ("--by", "user"), ("unit", unit.unit),
                     ("unit", unit.unit.removesuffix(".service")), ("cgroup", other.path), ("container", box.container)]
        with readers(ns, *questions) as shown:
            with unread(shown):
                sent = {group: sum(send(ns, group, user=12345) for _ in range(20)) for group in groups}
            by_unit, by_container, by_user, *filtered = shown
            whole = sum(sent.values())
            assert sums(answer(by_unit, whole), "unit") == {(group.unit,): sent[group] for group in groups}
            assert sums(answer(by_container, whole), "container") == {
                (box.container,): sent[box], (None,): sent[unit] + sent[other]}
            assert sums(answer(by_user, whole), "uid") == {(12345,): whole}
            for one, group in zip(filtered, (unit, unit, other, box)):
                document = answer(one, sent[group])
                assert sum(sums(document, "pid").values()) == sent[group], (one, document)
                assert {row["flags"] for row in document["rows"]} == {"closed,exited"}, document


@test
def a_group_that_is_gone_keeps_the_name_that_was_read():
    with netns() as ns, control_group() as unit, readers(ns, ("--by", "unit")) as [shown]:
        sent = send(ns, unit)
        assert sums(answer(shown, sent), "unit") == {(unit.unit,): sent}
        with unread([shown]):
            sent += send(ns, unit)
            unit.remove()
        assert sums(answer(shown, sent), "unit") == {(unit.unit,): sent}


run_tests()
