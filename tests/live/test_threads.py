# SPDX-License-Identifier: MIT
"""Threads: which ones share a socket, what they are called, and which has descriptors of its own."""
import json
import re

import truth
from live import mksock, netns, nwho, run_tests, test
from truth import PROC

SOURCES = truth.all_sources()
NAME = "a) b\\x0a\\x1b[1m\\xff"  # as mksock takes it: 11 bytes
SHOWN = r"a) b\n\e[1m\xff"


def threads_of(facts):
    """tid -> (name, whether it has descriptors of its own) of mksock's process."""
    found = {facts[0]["pid"]: (b"mksock", False)}
    for fact in facts:
        private = any("tid" in holder for holder in fact["holders"])
        for thread in fact["threads"]:
            found[thread["tid"]] = (truth.unescape(thread["process"]), private)
    return found



@test
def ps_lists_every_thread_by_name_and_tid():
    groups = ["shared-threads", "threads=4", "--", "shared-threads", "threads=1", f"name={NAME}"]
    with netns() as ns, mksock(ns, *groups) as facts:
        want = threads_of(facts)
        assert len(want) == 6 and (b"a) b\n\x1b[1m\xff", False) in want.values(), want
        for sources in SOURCES:
            out = nwho(ns, "ps", "--threads", "--csv", "-H", "--sources", sources, "-o",
                       "pid,process,tid,private,thread").out
            rows = [line.split(",", 4) for line in out.splitlines()]
            assert {int(row[2]) for row in rows} == set(want), out
            assert {(row[0], row[1], row[3]) for row in rows} == {(str(facts[0]["pid"]), "mksock", "false")}, out
        document = json.loads(nwho(ns, "ps", "--threads", "--json").out)
        assert document["table"] == "threads"
        assert {row["tid"]: truth.unescape(row["thread"]) for row in document["rows"]} == {
            tid: name for tid, (name, _) in want.items()}, document


@test
def the_text_forms_say_who_shares_a_socket():
    with netns() as ns, mksock(ns, "shared-threads", "threads=3", f"name={NAME}") as facts:
        pid, port = facts[0]["pid"], facts[0]["local_port"]
        for sources in SOURCES:
            out = nwho(ns, "ls", "-H", "--threads", "-o", "owner", "--sources", sources).out
            assert out == f"mksock({pid}) fd {facts[0]['fd']} shared by 4 threads\n", out
            out = nwho(ns, f":{port}", "--threads", "--sources", sources).out
            line, = [line for line in out.splitlines() if f"mksock({pid})," in line]
            for tid, (name, _) in threads_of(facts).items():
                assert f"{SHOWN if name != b'mksock' else 'mksock'}({tid})" in line, (out, tid)
        assert "shared by" not in nwho(ns, "ls").out
        assert f"{SHOWN}(" not in nwho(ns, f":{port}").out


@test
def the_threads_of_every_owner_stand_under_its_name():
    with netns() as ns, mksock(ns, "shared-fork", "children=2", "--", "shared-threads", "threads=2", "name=worker") as facts:
        pids = sorted(holder["pid"] for holder in facts[0]["holders"])
        assert len(pids) == 3, facts
        for sources in SOURCES:
            out = nwho(ns, "mksock", "--threads", "--sources", sources).out
            told = re.findall(r"^  (?:threads  |         ) (mksock\(\d+\)): (.*)$", out, re.MULTILINE)
            assert [name for name, _ in told] == [f"mksock({pid})" for pid in pids], out
            for pid, (name, threads) in zip(pids, told):
                others = {thread["tid"] for thread in facts[1]["threads"]} if pid == facts[1]["pid"] else set()
                assert set(threads.split(", ")) == {name} | {f"worker({tid})" for tid in others}, out
            assert all(block.count("  threads ") < 2 for block in out.split("\n\n")), out
        out = nwho(ns, str(facts[1]["pid"]), "--threads").out
        assert out.count(f"mksock({facts[1]['pid']}): ") == 1, out
        assert re.search(r"^  threads   3$", nwho(ns, str(facts[1]["pid"])).out, re.MULTILINE)


@test
def descriptors_of_one_thread_are_its_own():
    """The socket is not in /proc/PID/fd; it is in the table of one thread, which does not share the others."""
    groups = ["shared-threads", "threads=2", "--", "private-table", "name=loner"]
    with netns() as ns, mksock(ns, *groups) as facts:
        shared, private = facts
        pid, tid = private["pid"], private["tid"]
        for sources in SOURCES:
            rows = json.loads(nwho(ns, "ls", "--threads", "--sources", sources,
                                   "--json=inode,pid,tid,fd,owners,owner_note").out)["rows"]
            found = {row.pop("inode"): row for row in rows}
            owners = [{"pid": pid, "process": "mksock", "fd": private["fd"], "user": "root", "threads": 4}]
            assert found[private["inode"]] == {"pid": pid, "tid": tid, "fd": private["fd"], "owners": owners,
                                               "owner_note": None}, (sources, rows)
            assert found[shared["inode"]]["tid"] is None and found[shared["inode"]]["pid"] == pid, (sources, rows)

            lines = nwho(ns, "ls", "-H", "--threads", "-o", "inode,owner", "--sources", sources).out.splitlines()
            texts = dict(line.split(None, 1) for line in lines)
            assert texts[str(private["inode"])] == f"mksock({pid}) fd {private['fd']} tid {tid}", texts
            assert texts[str(shared["inode"])] == f"mksock({pid}) fd {shared['fd']} shared by 3 threads", texts
            out = nwho(ns, f":{private['local_port']}", "--threads", "--sources", sources).out
            assert f"loner({tid}, own descriptors)" in out, out

        out = nwho(ns, "ps", "--threads", "-H", "-o", "private,tid").out
        assert sorted(out.split()[1::2]) == sorted(map(str, threads_of(facts))), out
        assert re.findall(r"yes\s+(\d+)", out) == [str(tid)], out


@test
def the_threads_of_a_socket_are_a_column():
    with netns() as ns, mksock(ns, "shared-threads", "threads=2", f"name={NAME}", "--", "private-table", "name=loner") as facts:
        shared, private = facts
        pid, tid = shared["pid"], private["tid"]
        for sources in SOURCES:
            rows = json.loads(nwho(ns, "ls", "--threads", "--sources", sources, "--json").out)["rows"]
            found = {row["inode"]: {thread["tid"]: (thread["pid"], thread["private"]) for thread in row["threads"]} for row in rows}
            assert found[private["inode"]] == {tid: (pid, True)}, rows
            assert found[shared["inode"]] == {tid: (pid, True), pid: (pid, False),
                                              **{thread["tid"]: (pid, False) for thread in shared["threads"]}}, rows
        out = nwho(ns, "ls", "--threads", "inode", private["inode"]).out
        assert out.split("\n")[0].endswith("THREADS") and f"loner({tid})" in out, out
        assert "THREADS" not in nwho(ns, "ls").out and "threads" not in json.loads(nwho(ns, "ls", "--json").out)["rows"][0]
        assert nwho(ns, "ls", "-H", "-o", "threads", "inode", private["inode"]).out == f"loner({tid})\n"
        assert len(json.loads(nwho(ns, "ls", "--json", "threads > 3").out)["rows"]) == 2
        nwho(ns, "ls", "threads > 4", expect=1)


@test
def a_private_table_is_found_without_asking_for_threads():
    with netns() as ns, mksock(ns, "private-table") as facts:
        for sources in SOURCES:
            row, = json.loads(nwho(ns, "ls", "--sources", sources, "--json").out)["rows"]
            assert (row["pid"], row["fd"]) == (facts[0]["pid"], facts[0]["fd"]), (sources, row)
            if sources != PROC:
                assert row["cookie"] == facts[0]["cookie"], row


run_tests()
