# SPDX-License-Identifier: MIT
"""The search for owners and namespaces meets errors: what is missing is said, and --strict makes it exit status 3."""
from faults import FULL, LS, SANITIZED, Truth, check_alive, count_calls, inject, inject_everywhere, quiet_machine, rows_of, run
from live import BUILD, run_tests, skip, test

PROC = ["--sources", "sock_diag,proc_net,proc_fd"]
TRIES = 3  # places of one fault in the short form
ERRORS = ("EMFILE", "ENOMEM", "EIO", "EACCES") if FULL else ("EMFILE", "EACCES")


def try_calls(ns, calls, args, check, errors=ERRORS):
    for call in calls:
        step = max(1, count_calls(ns, call, args) // TRIES)
        for error in errors:
            inject_everywhere(ns, f"{call}:error={error}", args, check, step)


@test
def searching_descriptors():
    with quiet_machine() as ns:
        truth = Truth(ns)
        try_calls(ns, ("openat", "getdents64", "readlinkat"), [*LS, *PROC], truth.check_owners)


@test
def searching_descriptors_strictly():
    with quiet_machine() as ns:
        truth = Truth(ns)

        def check(result):
            truth.check_owners(result)
            assert result.rc in (2, 3, 127) or rows_of(result) == truth.rows, "exit status 0, and owners are missing"

        try_calls(ns, ("openat", "getdents64", "readlinkat"), [*LS, *PROC, "--strict"], check)


@test
def names_and_threads_and_facts():
    """Whatever is missing of an answer, something says so (but for what is only not for us)."""
    with quiet_machine() as ns:
        for args in (["ls", "-tl", "--threads", "-H", "-o", "inode,owner,tid,exe,cmdline,unit"],
                     ["ps", "-H", "-o", "pid,process,exe,cmdline,user,fds,fd_limit"],
                     ["ps", "--threads", "-H", "-o", "pid,tid,thread"]):
            args = [*args, *PROC]
            whole = run(ns, [BUILD / "nwho", *args])
            assert whole.rc == 0, whole

            def check(result, whole=whole):
                if check_alive(result) and result.rc != 2 and result.out != whole.out:
                    assert "nwho: " in result.err, "not the same, and nothing is said"
                    assert result.rc == 3 or len(result.out.splitlines()) == len(whole.out.splitlines()), "rows are missing"

            try_calls(ns, ("openat", "getdents64", "newfstatat", "readlinkat", "read"), args, check, ("EMFILE", "EIO"))


@test
def searching_always_fails():
    with quiet_machine() as ns:
        truth = Truth(ns)
        for call in ("getdents64", "readlinkat"):
            for error in ERRORS:
                result, _ = inject(ns, [f"{call}:error={error}:when=1+"], [*LS, *PROC])
                truth.check_owners(result)


@test
def finding_a_namespace():
    with quiet_machine() as ns:
        truth = Truth(ns)

        def check(result):
            if result.rc != 2 or "network namespace" not in result.err:
                truth.check_owners(result)

        try_calls(None, ("openat", "newfstatat", "setns"), [*LS, *PROC, "-N", ns.name], check)


@test
def finding_all_namespaces():
    with quiet_machine() as ns:
        truth = Truth(ns)
        args = [*LS[:2], f"({LS[2]}) and netns {ns.name}", *LS[3:], *PROC, "--all-netns"]

        def check(result):
            if result.rc == 1:
                raise AssertionError("nothing found")
            truth.check_owners(result)

        try_calls(None, ("openat", "newfstatat", "setns", "getdents64"), args, check)


@test
def few_descriptors():
    with quiet_machine() as ns:
        truth = Truth(ns)
        for limit in range(3, 33) if FULL else (3, 4, 5, 6, 8, 16, 32):
            for sources in (PROC, ["--sources", "bpf,sock_diag,proc_net,proc_fd"]):
                truth.check_owners(run(ns, ["prlimit", f"--nofile={limit}", BUILD / "nwho", *LS, *sources]))
        ps = ["ps", "-H", "-o", "pid,process,sockets", *PROC]
        whole = run(ns, [BUILD / "nwho", *ps])
        for limit in range(3, 33) if FULL else (3, 4, 5, 6, 8, 16, 32):
            result = run(ns, ["prlimit", f"--nofile={limit}", BUILD / "nwho", *ps])
            assert result.rc in (2, 3, 127) or result.out == whole.out, f"processes are missing: {limit}: {result}"


@test
def little_memory():
    if SANITIZED:
        skip("the sanitizer needs terabytes of address space")
    with quiet_machine() as ns:
        truth = Truth(ns)
        for sources in (PROC, ["--sources", "bpf,sock_diag,proc_net,proc_fd"]):
            for kilobytes in range(2500, 9000, 50 if FULL else 900):
                result = run(ns, ["prlimit", f"--as={kilobytes * 1024}", BUILD / "nwho", *LS, *sources])
                if result.rc == 127 or (result.rc == -11 and not result.out + result.err):
                    continue  # not even the loader could start
                truth.check_owners(result)


run_tests()
