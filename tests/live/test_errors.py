# SPDX-License-Identifier: MIT
"""Bad usage: exit 2, nothing on stdout, one clear line on stderr (filters: the line, the text and a caret); exit codes."""
import json
import os
import re
import subprocess

import truth
from live import BUILD, PATIENCE, mksock, netns, nwho, run_tests, test

USAGE = {
    # words: what must be in the line
    "ls --no-such-option": "--no-such-option",
    "ls --jsno": "did you mean --json?",
    "ls -Z": "-Z",
    "ls -tZ": "-Z",
    "ls --tcp=1": "--tcp takes no argument",
    "ls --limit": "--limit needs an argument",
    "ls --limit x": '"x"',
    "ls --limit -1": '"-1"',
    "ls --limit 99999999999": '"99999999999"',
    "ls --watch=0": '"0"',
    "routes to": "an address is missing",
    "routes to nowhere": "one address is wanted",
    "routes to 127.0.0.1 127.0.0.2": "one address is wanted",
    "ls --watch=x": '"x"',
    "ls --watch=nan": '"nan"',
    "ls --times x": '"x"',
    "ls --color maybe": '"maybe"',
    "ls --sources sock_diag,x": '"x"',
    "ls --sources=": '""',
    "events --sources proc_net": "events are told by bpf and sock_diag",
    "events --sources proc_net,proc_fd --retrans": "leave out --sources",
    "ls -N": "--netns needs an argument",
    "ls -N no-such-namespace": "no-such-namespace",
    "ls -N 4194305": "4194305",
    "ls --container no-such-container": "no-such-container",
    "ls -o": "needs an argument",
    "ls -o ,": "names no column",
    "ls -o stat": "did you mean state?",
    "ls -o +stat": "did you mean state?",
    "ls --json=stat": "did you mean state?",
    "ls --csv -o zzzzzzzz": "nwho columns sockets",
    "ls --sort stat": "did you mean state?",
    "ls --sort state:up": '"up"',
    "ps -o local_port": "local_port",
    "ps --exposed": "--exposed",
    "ports --yes": "--yes",
    "columns socket": "did you mean sockets?",
    "columns sockets processes": "one table at most",
    "help lss": "lss",
    "count": "nwho count",
    "count stat": "state",
    "count peer/129": "129",
    "ls --json --csv": "one form only",
    "ls --jsonl --json=pid": "one form only",
    "ls -o pid --json=stat": "--json: ",
    "ls --json=pid -o stat": "-o: ",
    "why-busy sctp/80": "tcp and udp only, not for sctp",
    "why-busy no-such-service": "\"no-such-service\" is no port",
    "count foo": "nwho columns sockets",
    "count sprot": "did you mean sport?",
    "ls -o foo": "nwho columns sockets",
    "ls -o prcess": "did you mean process?",
    "ls -o RECV-Q": "did you mean recv_q?",
    "ls --sort foo": "nwho columns sockets",
    "ls --sort rttt": "did you mean rtt?",
    "kill -x foo": "not unix, packet or netlink",
    "kill unix foo": "not unix, packet or netlink",
    "kill /run/x": "not unix, packet or netlink",
    "count peer/x": '"x"',
    "count state/24": "state",
    "kill": "needs a filter",
    "why-busy": "needs one port",
    "ls --since -1h": ": nwho top, events, history, export and fleet have it",
    "ls --batch=1": "nwho top has it",
    "ls --times 2": "--times ends --watch",
    "count state,": "a column is missing",
    "help kill ls": "one command: nwho help kill",
    "columns zzzz": "sockets processes",
    "fleet zzzz": "nwho fleet top, doctor, ports or history",
    "why-busy tcp/99999": "is no port",
    "ls --replay /no/such/file": "/no/such/file",
    "--no-such-option": "--no-such-option",
    "--limit 3": "for one table",
    "-o state": "for one table",
    "--sort count": "for one table",
}
# filter: the word that the caret points at, and what the line says
FILTERS = {
    "stat established": ("stat", "did you mean 'state'?"),
    "tcp stat established": ("stat", "did you mean 'state'?"),
    "proto tpc": ("tpc", "did you mean 'tcp'?"),
    "rtt >": ("", "a duration such as"),
    "tcp sport": ("", "a port is expected"),
    "state foo": ("foo", "unknown state"),
    "state established,lisening": ("established,lisening", "did you mean 'listening'?"),
    "(tcp": ("(", "not closed"),
    "tcp)": (")", "not opened"),
    "pid 1 or": ("or", "condition is expected"),
    "not": ("not", "condition is expected"),
    "and tcp": ("and", "condition is expected"),
    "sport :99999": (":99999", "a number up to 65535"),
    "%": ("%", "a name is expected"),
    "dst 1.2.3.4/33": ("1.2.3.4/33", "no prefix length"),
    "dst 1.2.3": ("1.2.3", ""),
    "rtt > 5kg": ("5kg", "no value for rtt_us"),
    "pid x": ("x", ""),
    "process": ("", "text is expected"),
    "process ~ /(/": ("/(/", "bad regular expression"),
    "'open": ("'open", "not closed"),
    "process \u00e9tat (": ("(", "not closed"),
}


def assert_usage_error(result, words):
    assert result.rc == 2 and result.out == "", (words, result)
    assert re.fullmatch(r"nwho: [^\n]+\n", result.err), (words, result)


@test
def a_usage_error_is_one_clear_line():
    for line, needle in USAGE.items():
        result = nwho(None, *line.split(), expect=None)
        assert_usage_error(result, line)
        assert needle in result.err, (line, needle, result.err)


@test
def a_filter_error_shows_the_place():
    for text, (word, needle) in FILTERS.items():
        results = []
        for command in ("ls", "ports -tl6", "count state", "kill -y"):
            for words in ([text], text.split(" ")):
                result = nwho(None, *command.split(), *words, expect=None)
                assert result.rc == 2 and result.out == "", (command, text, result)
                results.append(result.err)
        assert len(set(results)) == 1, (text, set(results))
        message, shown, caret = results[0].removesuffix("\n").split("\n")
        assert message.startswith("nwho: filter: ") and needle in message, (text, message)
        assert shown == "  " + text, (text, shown)
        assert re.fullmatch(r" +\^~*", caret), (text, caret)
        at = caret.index("^")
        assert shown[at:].startswith(word[:1]) and text[at - 2:at - 2 + caret.count("~") + 1] == word, (text, caret)


@test
def the_same_holds_on_every_source_and_output():
    for options in (["--json"], ["--csv"], ["--jsonl"], ["-q"], ["--watch", "--times", "1"], ["--all-netns"]):
        assert_usage_error(nwho(None, "ls", *options, "-o", "no_such_column", expect=None), options)
        result = nwho(None, "ls", *options, "state", "foo", expect=None)
        assert (result.rc, result.out, result.err.count("\n")) == (2, "", 3), (options, result)


@test
def nothing_is_waited_for_that_cannot_come():
    for command in (["events"], ["nat", "--events"]):
        result = nwho(None, *command, "verdict", "nosuch", expect=2)
        assert result.out == "" and "unknown verdict 'nosuch': it is one of ok" in result.err, (command, result)


@test
def a_namespace_that_is_none_is_told_in_the_same_words():
    for name, reason in (("nosuch", "no such name"), ("4999999", "no such process"), ("/etc/hosts", "it is no network namespace")):
        result = nwho(None, "ls", "-N", name, expect=2)
        assert_usage_error(result, name)
        assert reason in result.err and nwho(None, "-N", name, "ss", expect=2) == result, (name, result)


@test
def the_exit_code_tells_found_from_nothing():
    with netns() as ns, mksock(ns, "listening", "--", "time-wait") as facts:
        port = facts[0]["local_port"]
        for sources in truth.all_sources():
            options = ["--sources", sources]
            for command in (["ls"], ["ports"], ["count", "state"], ["kill", "--dry-run"]):
                nwho(ns, *command, *options, "sport", f":{port}", expect=0)
                nwho(ns, *command, *options, "sport", ":1", expect=1)
                result = nwho(ns, *command, *options, "-q", "sport", ":1", expect=1)
                assert result.out == "", (command, result)
            nwho(ns, "ps", *options, expect=0)
            nwho(ns, "ps", *options, "process", "nobody-has-this-name", expect=1)
            nwho(ns, f":{port}", *options, expect=0)
            result = nwho(ns, ":1", *options, expect=1)
            assert result.out == "" and ":1" in result.err, result
        for args in (["--version"], ["help"], ["help", "ls"], ["ls", "--help"], ["columns"], ["columns", "sockets"]):
            result = nwho(ns, *args)
            assert result.out and result.err == "", args


@test
def rows_without_a_match_are_still_a_valid_document():
    with netns() as ns:
        document = json.loads(nwho(ns, "ls", "tcp", "--json", expect=1).out)
        assert document["rows"] == [] and document["complete"] is True and document["schema"] == "nwho/1"
        assert nwho(ns, "ls", "tcp", "--jsonl", expect=1).out == ""
        assert nwho(ns, "ls", "tcp", "--csv", "-o", "pid", expect=1).out == "pid\n"
        assert nwho(ns, "ls", "tcp", "-o", "pid", expect=1).out == "PID\n"
        assert nwho(ns, "ls", "tcp", "-H", expect=1).out == ""


@test
def no_source_at_all_is_incomplete_not_empty():
    """Without a source for them, sockets may be missing: exit 3, and JSON says so."""
    with netns() as ns, mksock(ns, "listening"):
        result = nwho(ns, "ls", "--sources", "proc_fd", "--json", expect=3)
        document = json.loads(result.out)
        assert document["complete"] is False and document["warnings"], document
        assert result.err.count("\n") >= 1, result


@test
def output_that_cannot_be_written_is_an_error():
    with netns() as ns, mksock(ns, "listening", "many=50"):
        with open("/dev/full", "wb") as full:
            for options in ([], ["--json"], ["--csv"], ["--jsonl"], ["--watch=0.05"]):
                with ns.popen([BUILD / "nwho", "ls", *options], stdout=full, stderr=subprocess.PIPE) as child:
                    err = child.stderr.read().decode()
                    assert child.wait(PATIENCE) == 2 and "cannot write the output" in err, (options, err)
        reader, writer = os.pipe()
        os.close(reader)
        with ns.popen([BUILD / "nwho", "ls"], stdout=writer, stderr=subprocess.PIPE) as child:
            os.close(writer)
            assert b"cannot write" not in child.stderr.read(), "| head is no error"
            child.wait(PATIENCE)


run_tests()
