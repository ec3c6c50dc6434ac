# SPDX-License-Identifier: MIT
"""Processes that live between two readings: their bytes are those of their control group and user."""
import contextlib
import json
import os
import re
import signal
import subprocess

from cgroups import control_group
from documents import top
from live import BUILD, PATIENCE, netns, run_tests, skip, test, wait_for
from talker import talker


def about(ns):
    return f"netns {ns.name} and not process nwho"


@contextlib.contextmanager
def readers(ns, *questions, expect=(0, 1)):
    """One `nwho top` for each question, about the namespace but for what they send as a test; each has read once."""
    with contextlib.ExitStack() as stack:
        shown = [stack.enter_context(top(ns, about(ns), *question, expect=expect)) for question in questions]
        if any(one.read()["accounting"] != "bpf" for one in shown):
            skip("processes that have ended are not known without BPF")
        yield shown


@contextlib.contextmanager
def unread(shown):
    """While the block runs nobody reads."""
    stop([one.child for one in shown])
    yield
    for one in shown:
        one.child.send_signal(signal.SIGCONT)


def stop(children):
    for child in children:
        child.send_signal(signal.SIGSTOP)
    for child in children:
        wait_for(lambda: os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT), what="stopped")


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
                # Their sockets are told apart no more where others on the machine have very many: folded.
                assert {row["flags"] for row in document["rows"]} <= {"closed,exited", "exited,folded"}, document


@test
def a_group_that_is_gone_keeps_the_name_that_was_read():
    with netns() as ns, control_group() as unit, readers(ns, ("--by", "unit")) as [shown]:
        sent = send(ns, unit)
        assert sums(answer(shown, sent), "unit") == {(unit.unit,): sent}
        with unread([shown]):
            sent += send(ns, unit)
            unit.remove()
        assert sums(answer(shown, sent), "unit") == {(unit.unit,): sent}


def doubts(document):
    return [(warning["effect"], warning["text"]) for warning in document["warnings"] if "ended before" in warning["text"]]


@test
def a_group_that_nobody_saw_is_unknown_and_that_is_said():
    with netns() as ns, readers(ns, ("--by", "unit")) as [shown], control_group() as unit:
        with unread([shown]):
            sent = send(ns, unit)
            unit.remove()
        document = answer(shown, sent)
        assert sums(document, "unit") == {(None,): sent}, document
        [(effect, text)] = doubts(document)
        assert effect == "detail" and document["complete"], document
        assert re.fullmatch(r"1 process ended before its control group could be read: \S+ have no name here", text), text


UNJUDGED = r"3 processes ended before their command line could be read: \S+ may belong here or not"


@test
def they_are_children_of_their_parents():
    with netns() as ns, control_group() as unit, readers(ns, ("pid", f"{os.getpid()}+")) as [shown]:
        with unread([shown]):
            sent = sum(send(ns, unit) for _ in range(3))
        document = answer(shown, sent)
        assert sum(sums(document, "pid").values()) == sent and document["complete"], document


@test
def a_filter_that_asks_for_more_is_incomplete():
    with netns() as ns, control_group() as unit, readers(ns, ()) as [whole], \
            readers(ns, ("cmdline", "~", "mktraffic"), expect=(3,)) as [shown]:
        assert shown.read()["complete"]
        with unread([shown, whole]):
            sent = sum(send(ns, unit) for _ in range(3))
        assert not doubts(answer(whole, sent))
        document = next(document for document in (shown.read() for _ in range(200)) if doubts(document))
        [(effect, text)] = doubts(document)
        assert effect == "incomplete" and not document["complete"] and re.fullmatch(UNJUDGED, text), document


@test
def it_is_said_beside_blocks_of_text():
    with netns() as ns, control_group() as unit:
        with readers(ns, ()):
            pass  # or it is skipped
        command = [BUILD / "nwho", "top", "--batch", "-n", "2000", "-d", "0.1", about(ns), "cmdline", "~", "mktraffic"]
        with ns.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            assert "exact: BPF" in child.stdout.readline()
            stop([child])
            for _ in range(3):
                send(ns, unit)
            child.send_signal(signal.SIGCONT)
            line = next(line for line in child.stderr if "ended before" in line)
            assert re.fullmatch(f"nwho: incomplete: {UNJUDGED} \\[accounting\\]\n", line), line
            child.send_signal(signal.SIGINT)
            child.stdout.read()
            child.stderr.read()
            assert child.wait(PATIENCE) == 3


@test
def what_was_read_in_time_is_judged():
    with netns() as ns, talker(ns) as me, top(ns, about(ns), "cmdline", "~", "5555") as shown:
        assert shown.read()["rows"] == []
        me.say("tcp", 12345)
        document = answer(shown, 12345)
        assert sums(document, "pid") == {(me.pid,): 12345} and document["complete"] and not doubts(document), document


run_tests()
