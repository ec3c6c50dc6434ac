# SPDX-License-Identifier: MIT
"""Without a source: the next one brings the same rows and owners, and one note says what it cannot see."""
import socket

import live
from faults import COLUMNS, LS, Truth, inject, quiet_machine, rows_of, run
from live import BUILD, run_tests, test
from torture import LIBRARY, need_injector

REFUSALS = ("EPERM", "EACCES", "EPROTONOSUPPORT", "EAFNOSUPPORT")


def check_same(truth, result, hint, what):
    """Whether the answer is TRUTH's with one note that has the HINT, or without a note when HINT is None."""
    lines = result.err.splitlines()
    assert result.rc == 0, f"{what}: {result.rc} {lines}"
    missing, strange = truth.rows - rows_of(result), rows_of(result) - truth.rows
    assert not missing and not strange, f"{what}: missing {list(missing)[:3]}, strange {list(strange)[:3]}"
    assert (len(lines) == 1 and hint in lines[0]) if hint else not lines, f"{what}: {lines}"


@test
def every_set_of_sources_gives_the_same_rows():
    with quiet_machine() as ns:
        truth = Truth(ns)
        for sockets, hint in (("sock_diag,proc_net", None), ("sock_diag", None), ("bpf,sock_diag", None),
                              ("bpf,proc_net", "bpf"), ("proc_net", "/proc/net")):
            sources = sockets + ",proc_fd"
            result = run(ns, [BUILD / "nwho", *LS, "--sources", sources])
            if hint == "bpf":  # where BPF does not work, TCP and UDP come from files
                hint = "/proc/net" if result.err else None
            check_same(truth, result, hint, sources)


@test
def without_owners_sources_the_rows_stay():
    with quiet_machine() as ns:
        truth = Truth(ns)
        result = run(ns, [BUILD / "nwho", *LS, "--sources", "sock_diag"])
        truth.check_rows(result)


@test
def sock_diag_is_refused():
    with quiet_machine() as ns:
        truth = Truth(ns)
        for error in REFUSALS:
            for bpf in ((), ("bpf:error=EPERM:when=1+",)):
                result, met = inject(ns, [f"socket:error={error}:when=1+", *bpf], LS)
                assert met
                check_same(truth, result, "/proc/net", (error, bpf))


@test
def one_family_is_missing():
    """A kernel may have sock_diag without unix_diag, packet_diag and the like: files stand in, or it is said what is missing."""
    need_injector()
    with quiet_machine() as ns, live.mksock(ns, "unix-connected", "--", "packet"):
        args = ["ls", "-a", "not netlink", "--csv", "-H", "-o", COLUMNS, "--sources", "sock_diag,proc_net,proc_fd"]
        whole = run(ns, [BUILD / "nwho", *args])
        assert whole.rc == 0, whole
        for family in (socket.AF_UNIX, socket.AF_PACKET, socket.AF_INET, socket.AF_INET6):
            result = run(ns, ["env", f"LD_PRELOAD={LIBRARY}", f"MISSING_FAMILY={family.value}", BUILD / "nwho", *args])
            missing, strange = rows_of(whole) - rows_of(result), rows_of(result) - rows_of(whole)
            assert not strange and (not missing or result.rc == 3), (family, result.rc, list(missing)[:3], list(strange)[:3])
            assert result.err or family == socket.AF_PACKET, f"{family}: nothing is said"
            print(f"# {family.name}: {result.rc} {result.err.strip()}", flush=True)


@test
def unix_sockets_without_other_ends_are_told():
    with quiet_machine() as ns:
        whole = run(ns, [BUILD / "nwho", "ss", "-xa"])
        assert whole.rc == 0 and not whole.err, whole
        for args in (["ss", "-xa"], ["ss", "-a"], ["ls", "-x"]):
            for error in REFUSALS:
                result, met = inject(ns, [f"socket:error={error}:when=1+"], args)
                told = [line for line in result.err.splitlines() if "other ends" in line]
                assert met and len(told) == 1 and "unix" in told[0] and result.rc in (0, 1), (args, error, result)
        files = run(ns, ["env", "PROC_NET_UNIX=/proc/net/unix", BUILD / "nwho", "ss", "-xa"])
        assert files.rc == 0 and not files.err, files  # whoever names the file knows what is in it


@test
def what_could_not_be_tried_is_no_answer():
    with quiet_machine() as ns:
        assert run(ns, [BUILD / "nwho", "why-busy", "tcp/9"]).rc == 1
        for error in ("EMFILE", "EPERM", "ENOMEM"):
            result, met = inject(ns, [f"socket:error={error}:when=1+"], ["why-busy", "tcp/9"])
            assert met and result.rc == 3 and "was not tried" in result.out and "not tried to the end" in result.err, result
        listing, met = inject(ns, ["socket:error=EAFNOSUPPORT:when=1+"], ["why-busy", "tcp/9"])
        assert met and listing.rc == 1 and "no such family" in listing.out, listing


@test
def bpf_is_refused():
    with quiet_machine() as ns:
        truth = Truth(ns)
        for error in ("EPERM", "ENOSYS", "EINVAL", "ENOMEM"):
            result, _ = inject(ns, [f"bpf:error={error}:when=1+"], [*LS, "--sources", "bpf,sock_diag,proc_net,proc_fd"])
            check_same(truth, result, None, error)


@test
def no_btf_and_no_locked_memory():
    with quiet_machine() as ns:
        truth = Truth(ns)
        hide = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel && exec "$@"', "sh"]
        for words in (hide, ["prlimit", "--memlock=0"]):
            result = run(ns, [*words, BUILD / "nwho", *LS, "--sources", "bpf,sock_diag,proc_net,proc_fd"])
            check_same(truth, result, None, words)


run_tests()
