# SPDX-License-Identifier: MIT
"""Answers of the kernel that are cut in the middle: retried until they are exact, or exit status 3 with a note."""
from faults import LS, Truth, inject, inject_everywhere, quiet_machine, run
from live import BUILD, run_tests, skip, test

DIAG = ["--sources", "sock_diag,proc_net,proc_fd"]
ONLY_DIAG = ["--sources", "sock_diag,proc_fd"]
BPF = ["--sources", "bpf,sock_diag,proc_net,proc_fd"]


def cut(ns, call, errors, sources, step=1):
    truth = Truth(ns)
    for error in errors:
        count = inject_everywhere(ns, f"{call}:{error}", [*LS, *sources], truth.check_rows, step)
        print(f"# {call} {error}: {count} places", flush=True)
        assert count > 3 or step > 1, "the fault was hardly met"


@test
def sock_diag_answers_end_early_once():
    with quiet_machine() as ns:
        cut(ns, "recvmsg", ["error=ENOBUFS", "error=ENOMEM", "error=EINTR", "error=EAGAIN", "retval=0"], DIAG, 3)


@test
def sock_diag_answers_end_early_without_a_fallback():
    with quiet_machine() as ns:
        cut(ns, "recvmsg", ["error=ENOBUFS", "retval=0"], ONLY_DIAG, 2)


@test
def sock_diag_answers_never_come_whole():
    with quiet_machine() as ns:
        for sources in (DIAG, ONLY_DIAG):
            truth = Truth(ns)
            for error in ("ENOBUFS", "ENOMEM", "EIO"):
                for when in ("1+", "2+", "3+2", "4+3"):
                    result, _ = inject(ns, [f"recvmsg:error={error}:when={when}"], [*LS, *sources])
                    truth.check_rows(result)


@test
def requests_are_refused_once():
    with quiet_machine() as ns:
        cut(ns, "sendto", ["error=ENOBUFS", "error=ENOMEM", "error=ECONNREFUSED"], DIAG)


@test
def sockets_are_refused_once():
    with quiet_machine() as ns:
        cut(ns, "socket", ["error=ENOBUFS", "error=EMFILE", "error=EPERM", "error=EPROTONOSUPPORT"], DIAG)
        cut(ns, "socket", ["error=EMFILE", "error=EPERM"], ONLY_DIAG)


@test
def files_of_sockets_end_early():
    with quiet_machine() as ns:
        sources = ["--sources", "proc_net,proc_fd"]
        truth = Truth(ns)
        for error in ("EIO", "ENOMEM", "EINTR"):
            inject_everywhere(ns, f"read:error={error}", [*LS, *sources], truth.check_owners, 3)


@test
def bpf_iterators_end_early():
    with quiet_machine() as ns:
        if "bpf iter" not in run(ns, [BUILD / "nwho", *LS, *BPF, "--explain"]).err:
            skip("no BPF here")
        truth = Truth(ns)
        for fault in ("read:error=EIO", "read:error=ENOMEM", "read:error=EAGAIN", "read:error=EINTR", "bpf:error=EPERM",
                      "bpf:error=ENOMEM", "bpf:error=EINVAL", "bpf:error=E2BIG"):
            count = inject_everywhere(ns, fault, [*LS, *BPF], truth.check_owners, 5)
            print(f"# {fault}: {count} places", flush=True)


run_tests()
