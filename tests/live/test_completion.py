# SPDX-License-Identifier: MIT
"""The completion for bash offers what the program knows."""
import json
import os
import shutil
import subprocess

import live
from live import BUILD, SOURCE, run_tests, test

ASK = r"""
source "$1"
shift
compopt() { :; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
_nwho
printf '%s\n' "${COMPREPLY[@]}"
"""


def offered(*words):
    """What is offered for the last of WORDS."""
    if not shutil.which("bash"):
        live.skip("there is no bash")
    run = subprocess.run(["bash", "-c", ASK, "bash", SOURCE / "completions/nwho.bash", "nwho", *words], check=True,
                         env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"}, capture_output=True, text=True)
    assert run.stderr == "", run.stderr
    return set(run.stdout.split())


@test
def commands_come_first():
    commands = live.run([f"{BUILD}/nwho", "help", "command-names"]).out.split()
    assert offered("") == set(commands) - {"TARGET"} and {"ls", "ports", "ps", "count", "kill", "help"} <= set(commands)
    assert offered("po") == {"ports"}
    assert {"filters", "states", "exit-codes", "ls"} <= offered("help", "")
    assert {"process", "peer"} <= offered("top", "--by", "") and "top_peer" in offered("top", "-o", "")
    assert offered("--limit", "5", "-t", "po") == {"ports"}
    assert offered("--color", "=", "never", "ps", "--sort", "fds") == {"fds"}


@test
def options_are_those_of_the_command():
    assert offered("ls", "--lim") == {"--limit"}
    assert offered("kill", "--dry") == {"--dry-run"}
    assert offered("ls", "--dry") == set()
    assert {"-t", "--tcp"} <= offered("ls", "-")


@test
def columns_are_those_of_the_table():
    assert offered("ls", "-o", "pid,proto") == {"pid,proto", "pid,protocol"}
    assert offered("ls", "-o", "+rtt_") == {"+rtt_us"}
    assert offered("ls", "--json", "=", "rtt_") == {"rtt_us"}
    assert offered("ps", "--sort", "fd") == {"fds", "fd_limit"}
    assert offered("ps", "--threads", "-o", "tid") == {"tid"}
    assert offered("sniff", "-o", "+uni") == {"+unit"} and {"port", "process", "unit"} <= offered("sniff", "-i", "lo", "")
    assert "lo" in offered("sniff", "-i", "") and offered("sniff", "port", "53", "and", "proc") == {"process"}
    assert offered("count", "close") == set() and offered("count", "proc") == {"process"}
    tables = {row["table"] for row in json.loads(live.run([f"{BUILD}/nwho", "columns", "--json=table"]).out)["rows"]}
    assert offered("columns", "") == tables and {"sockets", "processes", "threads", "owners"} <= tables


@test
def words_of_filters_follow():
    assert {"sport", "exposed", "close-wait", "rtt_us"} <= offered("ls", "")
    assert offered("ls", "user", "roo") == {"root"}
    assert offered("ls", "dev", "l") >= {"lo"}
    assert offered("ls", "--color", "al") == {"always"}


@test
def other_tables_have_their_own_words():
    assert offered("stats", "TcpExtListenO") == {"TcpExtListenOverflows"}
    assert offered("stats", "del") == {"delta"} and offered("stats", "-o", "mean") == {"meaning"}
    assert offered("if", "l") >= {"lo", "lower"} and "sport" not in offered("if", "")
    assert offered("routes", "dest") == {"destination"} and offered("groups", "own") == {"owners", "owner_note"}
    assert "--delta" in offered("stats", "--d") and "--delta" not in offered("routes", "--d")


run_tests(needs_root=False)
