# SPDX-License-Identifier: MIT
"""The completion of bash, zsh and fish offers what the program knows."""
import json
import os
import shutil
import re
import subprocess
import tempfile

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


# A shell in a terminal that zsh makes for it; what is offered goes to a file, and #END on the terminal.
ZSH = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "FPATH=$2/completions:\$FPATH; OUT=$3; source $4"
zpty -n -w z "$1"$'\t'
zpty -r z all "*#END*"
"""
ZSH_INSIDE = r"""
autoload -Uz compinit
compinit -D -u
compadd_and_tell() {
    local -a offered
    if [[ ${argv[1,(i)-(-|)]} != *-[OAD]* ]]; then
        builtin compadd -O offered "$@"
        print -rl -- $offered >>$OUT
    fi
    builtin compadd "$@"
}
tell() {
    compadd() { compadd_and_tell "$@" }
    _main_complete
    print '#END'
}
zle -C tell list-choices tell
bindkey '^I' tell
"""

# What each shell offers for the last word of a line, of all that it could: what it begins with, and what must be there.
LINES = (
    ("nwho po", {"ports"}),
    ("nwho ls --lim", {"--limit"}),
    ("nwho ls --json=rtt", {"rtt_us", "rttvar_us"}),
    ("nwho ps -o pid,fd", {"fds", "fd_limit"}),
    ("nwho ls spo", {"sport"}),
    ("nwho count proc", {"process"}),
    ("nwho stats TcpExtListenO", {"TcpExtListenOverflows"}),
    ("nwho doctor clo", {"close-wait"}),
    ("nwho doctor --explain clo", {"close-wait"}),
    ("nwho fleet ", {"top", "doctor", "ports", "history"}),
    ("nwho history --by ", {"process", "peer", "iface", "state"}),
    ("nwho if --by ", {"size", "proto"}),
    ("nwho help fil", {"filters", "files"}),
    ("nwho columns sock", {"sockets"}),
)


def environment(home):
    return {"PATH": f"{BUILD}:{os.environ['PATH']}", "HOME": home, "TERM": "xterm", "LC_ALL": "C.UTF-8"}


def zsh_offers(line):
    with tempfile.TemporaryDirectory() as home:
        with open(f"{home}/inside", "w", encoding="ascii") as file:
            file.write(ZSH_INSIDE)
        live.run(["zsh", "-f", "-c", ZSH, "zsh", line, SOURCE, f"{home}/offered", f"{home}/inside"], cwd=home, env=environment(home))
        with open(f"{home}/offered", encoding="utf-8") as file:
            return {word for word in file.read().split("\n") if word}


def fish_offers(line):
    with tempfile.TemporaryDirectory() as home:
        script = f"source {SOURCE}/completions/nwho.fish; complete -C'{line}'"
        rows = live.run(["fish", "--no-config", "-c", script], env=environment(home)).out.splitlines()
    # It gives the whole word, with what is before the last comma or "=".
    return {re.sub(r".*[,=]", "", row.split("\t")[0]) for row in rows}


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


def the_lines_of(shell, offers):
    if not shutil.which(shell):
        live.skip(f"there is no {shell}")
    for line, expected in LINES:
        assert offers(line) >= expected, (line, offers(line))
        begun = re.split(r"[ ,=]", line)[-1]
        assert {word for word in offers(line) if not word.startswith(begun)} == set(), line


@test
def bash_knows_the_lines():
    the_lines_of("bash", lambda line: {re.sub(".*,", "", word) for word in offered(*line.replace("=", " = ").split(" ")[1:])})


@test
def zsh_knows_the_lines():
    the_lines_of("zsh", zsh_offers)


@test
def fish_knows_the_lines():
    the_lines_of("fish", fish_offers)


@test
def every_option_of_every_command_is_offered():
    for command in live.run([f"{BUILD}/nwho", "help", "command-names"]).out.split():
        if command == "TARGET":
            continue
        told = live.run([f"{BUILD}/nwho", "help", command]).out.split("\nOptions:\n", 1)[1]
        options = set(re.findall(r"^  (?:-.|  ) (--[a-z0-9-]+)", told, re.M))
        assert options == {word for word in offered(command, "--") if word.startswith("--")}, command
        if shutil.which("fish"):
            assert fish_offers(f"nwho {command} --") >= options, command


@test
def what_top_and_history_go_by_is_offered():
    """The program says what it takes; the shells have that as lists of their own."""
    for command, pattern in (("top", r'by "\?": (.*)'), ("history", r"--by (.*)")):
        said = live.run([f"{BUILD}/nwho", command, "--by", "?"], expect=2).err
        words = set(re.findall(r"\w+", re.search(pattern, said)[1])) - {"or"}
        assert words == offered(command, "--by", ""), (said, offered(command, "--by", ""))


run_tests(needs_root=False)
