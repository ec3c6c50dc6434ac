# SPDX-License-Identifier: MIT
"""What an ordinary user, capabilities, hidepid and namespaces let be seen: rows are right, and one note says what is hidden."""
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from faults import run
from live import BUILD, mksock, netns, run_tests, skip, test

COLUMNS = "local_port,pid,owner_note"
USER = 1234


LISTEN = """
import ctypes, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
if sys.argv[1] == "secret":
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody may look into it
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def listener_of_the_user(ns, kind="open"):
    """A process of the user that listens; gives its facts."""
    child = ns.popen([*as_user(), "/usr/bin/python3", "-c", LISTEN, kind], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, text=True)
    try:
        yield {"local_port": int(child.stdout.readline()), "pid": child.pid}
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


@contextlib.contextmanager
def world():
    """A namespace with a socket of root and one of the user, and a program that the user may run."""
    with tempfile.TemporaryDirectory() as directory, netns() as ns:
        os.chmod(directory, 0o755)
        program = Path(shutil.copy(BUILD / "nwho", directory))
        with mksock(ns, "listening") as others, listener_of_the_user(ns) as own:
            yield ns, program, others[0], own


def as_user(*capabilities):
    """The words before a command to run it as the user, with only these CAPABILITIES."""
    wanted = "".join(f",+{name}" for name in capabilities)
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", f"--inh-caps=-all{wanted}",
            f"--ambient-caps=-all{wanted}"]


def ask(ns, words, program, *args):
    result = run(ns, [*words, program, "ls", "-tl", f"--json={COLUMNS}", *args])
    assert result.rc in (0, 3), result
    return result, {row["local_port"]: row for row in json.loads(result.out)["rows"]}


def check_hidden(ns, words, program, sockets, reason, hint, hidden, *args):
    """Whether the owners of the sockets with the port in HIDDEN are hidden for REASON, and one note has the HINT."""
    result, rows = ask(ns, words, program, *args)
    lines = result.err.splitlines()
    assert set(rows) == {fact["local_port"] for fact in sockets}, rows
    for fact in sockets:
        row = rows[fact["local_port"]]
        if fact["local_port"] in hidden:
            assert row["pid"] is None and row["owner_note"] == reason, row
        else:
            assert row["pid"] == fact["pid"] and not row["owner_note"], row
    assert result.rc == 0
    assert (len(lines) == 1 and hint in lines[0]) if hidden else not lines, lines
    strict, _ = ask(ns, words, program, "--strict", *args)
    assert strict.rc == (3 if hidden else 0), strict.err


@test
def an_ordinary_user_sees_his_own():
    with world() as (ns, program, other, own):
        for sources in ("bpf,sock_diag,proc_net,proc_fd", "sock_diag,proc_fd"):
            check_hidden(ns, as_user(), program, (other, own), "no permission", "sudo nwho", {other["local_port"]},
                         "--sources", sources)
        check_hidden(ns, as_user(), program, (other, own), "no permission", "sudo nwho", {other["local_port"]})


@test
def capabilities_one_by_one():
    with world() as (ns, program, other, own):
        for names, sees_all in (((), False), (("net_admin",), False), (("sys_ptrace",), False), (("bpf",), False),
                                (("perfmon",), False), (("sys_ptrace", "dac_read_search"), True)):
            check_hidden(ns, as_user(*names), program, (other, own), "no permission", "sudo nwho",
                         set() if sees_all else {other["local_port"]})


@test
def bpf_and_perfmon_show_all_owners():
    with world() as (ns, program, other, own):
        words = as_user("bpf", "perfmon")
        if "bpf iter" not in run(ns, [*words, program, "ls", "--explain"]).err:
            skip("no BPF here")
        check_hidden(ns, words, program, (other, own), "", "", set())
        for mode in (1, 2):
            check_hidden(ns, [*proc_mount(f"hidepid={mode}"), *words], program, (other, own), "", "", set())


def proc_mount(options):
    """The words before a command to run it with a new /proc, in a mount namespace of its own."""
    return ["unshare", "-m", "sh", "-c", f'mount -t proc -o {options} proc /proc && exec "$@"', "sh"]


@test
def hidepid_hides_owners_and_no_sockets():
    with world() as (ns, program, other, own):
        for mode in (1, 2):
            check_hidden(ns, [*proc_mount(f"hidepid={mode}"), *as_user()], program, (other, own), "no permission",
                         "hidepid=", {other["local_port"]})


@test
def another_pid_namespace():
    with world() as (ns, program, other, own):
        both = {other["local_port"], own["local_port"]}
        for sources in ("bpf,sock_diag,proc_fd", "sock_diag,proc_fd"):
            check_hidden(ns, ["unshare", "-pf", "--mount-proc"], program, (other, own), "other pid namespace",
                         "outside of the container", both, "--sources", sources)


@test
def a_user_namespace():
    with world() as (ns, program, other, own):
        if run(ns, [*as_user(), "unshare", "-Ur", "true"]).rc:
            skip("no user namespaces for ordinary users")
        # Also processes of his own are outside of the namespace in which he is root.
        check_hidden(ns, [*as_user(), "unshare", "-Ur"], program, (other, own), "no permission", "even by this root",
                     {other["local_port"], own["local_port"]})


@test
def namespaces_of_hidden_processes_may_have_more_rows():
    """He may enter every namespace, and does not see which there are."""
    with world() as (ns, program, _, _):
        for scope in (["--all-netns"], ["-N", ns.name]):
            result = run(ns, [*as_user("sys_admin"), program, "ls", "-t", "-H", "-o", "pid", *scope])
            hidden = scope == ["--all-netns"]
            assert result.rc == (3 if hidden else 0), result
            assert ("is hidden, sockets in it may be missing" in result.err) == hidden, result


@test
def a_process_that_cannot_be_read():
    with world() as (ns, program, other, own):
        with listener_of_the_user(ns, "secret") as secret:
            hidden = {other["local_port"], secret["local_port"]}
            check_hidden(ns, as_user(), program, (other, own, secret), "no permission", "sudo nwho", hidden)


run_tests()
