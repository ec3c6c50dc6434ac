# SPDX-License-Identifier: MIT
"""A kernel without sock_diag (its modules are not there) and without a mounted cgroup2: rows stay, the rest is said.

Only for the virtual machine: it looks at everything, and asserts that nothing was loaded.
"""
import json
import os
import subprocess
from collections import Counter

import truth
from live import BUILD, mksock, nwho, run, run_tests, test

# Situations whose facts come from descriptors alone: the helper, too, has no sock_diag here.
SITUATIONS = ["listening", "--", "listening", "family=6", "--", "established", "--", "close-wait", "--", "udp", "--",
              "udp", "family=6", "--", "udp-connected", "--", "unix-listening", "--", "unix-pair", "--", "shared-fork"]
UNIX = "sudo modprobe unix_diag"  # what is said of unix sockets, which BPF does not tell of
COLUMNS = "proto,family,state,local_addr,local_port,peer_addr,peer_port,inode,pid,fd,owners,owner_note"
BPF = "bpf,sock_diag,proc_net,proc_fd"
ROWS = ["ls", "-a", "tcp or udp or unix", "--csv", "-H", "-o",
        "proto,state,local_addr,local_port,peer_addr,peer_port,path,inode,pid,fd"]


class Machine:
    """The whole of it, in place of a namespace."""

    @staticmethod
    def popen(command, _user, **options):
        return subprocess.Popen([str(word) for word in command], **options)


BARE = Machine()


def rows(*words):
    result = nwho(None, *ROWS, *words)
    return Counter(result.out.splitlines()), result.err


@test
def nothing_is_loaded():
    loaded = [name for name in os.listdir("/sys/module") if name.endswith("_diag")]
    assert not loaded, loaded
    assert not os.path.ismount("/sys/fs/cgroup")


def check_rows(words, source, notes):
    """Whether `nwho ls` under WORDS tells the truth from SOURCE, and says NOTES on stderr, in that order."""
    command = [*words, BUILD / "nwho", "ls", "-a", "tcp or udp or unix", "--json=" + COLUMNS]
    with mksock(BARE, *SITUATIONS) as facts:
        result = run(command)
        found = truth.index(truth.rows_of_json(result.out))
        for fact in facts:
            row = truth.find(found, fact)
            assert row, f"missing: {truth.title(fact)}"
            wrong = truth.differences(truth.expected(fact), row)
            assert not wrong, (truth.title(fact), wrong)
        document = json.loads(result.out)
        assert source in document["sources"]["tcp"] and source in document["sources"]["udp"], document["sources"]
        lines = result.err.splitlines()
        assert len(lines) == len(notes) and all(note in line for note, line in zip(notes, lines)), lines


@test
def without_sock_diag_it_is_bpf():
    check_rows([], "bpf iter", [UNIX])


@test
def without_both_it_is_files():
    refused = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=bpf", "-e", "inject=bpf:error=EPERM"]
    check_rows(refused, "/proc/net", ["modprobe -a tcp_diag udp_diag"])


@test
def hidden_types_cost_nothing():
    """The kernel itself relocates our programs: no file of its types is read."""
    check_rows(["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel && exec "$@"', "sh"], "bpf iter", [UNIX])


@test
def an_ordinary_user_has_files_alone():
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    with mksock(BARE, "listening") as facts:
        result = run([*user, BUILD / "nwho", "ls", "-tl", "--json=local_port,pid,owner_note"])
        row, = json.loads(result.out)["rows"]
        assert row == {"local_port": facts[0]["local_port"], "pid": None, "owner_note": "no permission"}, row
        assert "modprobe" in result.err and "no permission" not in result.err, result.err


@test
def sources_have_the_same_rows():
    with mksock(BARE, *SITUATIONS):
        by_bpf, _ = rows("--sources", BPF)
        by_files, _ = rows("--sources", "proc_net,proc_fd")
        assert by_bpf == by_files, (by_bpf - by_files, by_files - by_bpf)


@test
def every_command_answers_and_says_what_is_missing():
    with mksock(BARE, *SITUATIONS):
        for words, statuses in ((["ports"], {0}), (["ps"], {0}), (["count", "state"], {0}), (["doctor"], {0, 1}),
                                (["if"], {0}), (["stats"], {0}), (["routes"], {0}), (["groups"], {0}), ([], {0, 1}),
                                (["top", "--batch", "-n", "1"], {0, 1}), (["ls", "--all-netns"], {0}),
                                (["ss", "-tan"], {0}), (["netstat", "-tunap"], {0}), (["lsof", "-nPi"], {0})):
            result = nwho(None, *words, expect=None)
            assert result.rc in statuses, (words, result)
            others = [line for line in result.err.splitlines() if UNIX not in line]
            assert not any("/proc/net" in line for line in others), (words, result.err)  # BPF has them


run_tests()
