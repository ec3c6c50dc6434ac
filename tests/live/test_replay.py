# SPDX-License-Identifier: MIT
"""--record and --replay: a recording answers what the live answer said, and a damaged one is an error."""
import contextlib
import os
import re
import stat
import tempfile

import truth
from live import BUILD, Skip, mksock, netns, nwho, nwho_json, run, run_tests, test

SITUATION = ("listening -- established -- unaccepted -- time-wait -- udp -- mptcp-established -- raw -- unix-pair --"
             " unix-strange-path -- unix-abstract-nul -- packet -- netlink -- shared-fork -- dup -- shared-threads --"
             " private-table -- strange-comm -- deleted-exe -- empty-cmdline -- fin-wait-2 orphan=1").split()


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="nwho-replay-") as path:
        os.chmod(path, 0o755)
        yield path


@test
def a_recording_gives_the_same_answer():
    with netns() as ns, directory() as path, mksock(ns, *SITUATION):
        for number, sources in enumerate(truth.all_sources()):
            file = f"{path}/{number}"
            for options in (["--json=all"], ["--csv", "-o", "all"], [], ["--jsonl"], ["-o", "+rtt_us,cc,timer_ms,unit"]):
                live = nwho(ns, "ls", "-a", "--threads", "--sources", sources, "--record", file, *options)
                replayed = nwho(None, "ls", "-a", "--threads", "--replay", file, *options)
                assert replayed.out == live.out, (sources, options)
                assert replayed.err == live.err, (sources, options)
                assert os.stat(file).st_mode & 0o777 == 0o600
        assert sorted(os.listdir(path)) == sorted(str(number) for number, _ in enumerate(truth.all_sources())), os.listdir(path)


@test
def a_recording_is_nobody_elses_file():
    """Not one that stands where it is put together either, whatever its mode or its owner."""
    with netns() as ns, directory() as path:
        file = f"{path}/snapshot"
        for name in (file, f"{file}.part"):
            with open(name, "w", encoding="utf-8"):
                os.chmod(name, 0o666)
        nwho(ns, "ls", "--record", file, expect=(0, 1))
        assert os.stat(file).st_mode & 0o777 == 0o600
        assert sorted(os.listdir(path)) == ["snapshot", "snapshot.part"] and os.stat(f"{file}.part").st_size == 0


@test
def a_recording_has_more_than_is_asked_and_counts_no_more():
    with netns() as ns, directory() as path, mksock(ns, *SITUATION):
        for options in ([], ["-u"], ["-4"], ["-a"], ["-x"]):
            ps = ["ps", *options, "-o", "pid,sockets", "process", "mksock"]  # a recorder may look in at any time
            live = nwho(ns, *ps, expect=(0, 1)).out
            assert nwho(ns, *ps, "--record", f"{path}/ps", expect=(0, 1)).out == live
            assert nwho(None, *ps, "--replay", f"{path}/ps", expect=(0, 1)).out == live


@test
def users_are_those_of_the_machine_that_was_recorded():
    """Where it is replayed, the same id is somebody else."""
    with netns() as ns, directory() as path, mksock(ns, "listening"):
        file, passwd = f"{path}/snapshot", f"{path}/passwd"
        nwho(ns, "ls", "--record", file)
        with open(passwd, "w", encoding="utf-8") as stream:
            stream.write("elsewhere:x:0:0::/root:/bin/sh\n")
        elsewhere = ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/passwd && shift && exec "$@"', "sh", passwd]
        for words in ([], ["user", "root"], ["uid", "0"]):
            command = [*elsewhere, f"{BUILD}/nwho", "ls", "--replay", file, "-o", "user", "-H", *words]
            assert run(command).out == "root\n", words
        run([*elsewhere, f"{BUILD}/nwho", "ls", "--replay", file, "user", "elsewhere"], expect=1)


@test
def a_recording_is_explained_as_it_was_live():
    with netns() as ns, directory() as path, mksock(ns, "shared-threads", "--", "listening") as facts:
        nwho(ns, "--record", f"{path}/file")
        for fact in facts[:2]:
            for words in ([f":{fact['local_port']}"], ["ls", f":{fact['local_port']}"]):
                live, then = (re.sub("(started|accept|syn|unit|cgroup|fds).*", "", nwho(ns, *words, *options).out)
                              for options in ([], ["--replay", f"{path}/file"]))
                assert live == then, (live, then)


@test
def names_of_cgroups_are_missed_only_where_they_are_asked_for():
    without = ["unshare", "--mount", "sh", "-c", 'umount -l -a -t cgroup2; exec "$@"', "sh", f"{BUILD}/nwho"]
    missing = "no cgroup2 file system"
    with netns() as ns, directory() as path, mksock(ns, "listening") as facts:
        target = f":{facts[0]['local_port']}"
        if missing not in ns.run([*without, "ls", "-o", "cgroup"]).err:
            raise Skip("this kernel does not tell the cgroup of a socket")
        for words in ([target], ["mksock"], [str(facts[0]["pid"])], ["ls"], ["ps"], ["ls", "-o", "unit,container"], []):
            assert missing not in ns.run([*without, *words]).err, words
            assert missing not in ns.run([*without, *words, "--record", f"{path}/file"]).err, words
            assert missing not in nwho(ns, *words, "--replay", f"{path}/file").err, words
        for words in (["ls", "-o", "+cgroup"], ["ls", "cgroup ~ /"], ["count", "cgroup"]):
            assert missing in nwho(ns, *words, "--replay", f"{path}/file").err, words


@test
def a_device_is_written_to_and_not_replaced():
    with netns() as ns, directory() as path:
        os.mknod(f"{path}/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        nwho(ns, "ls", "--record", f"{path}/null", expect=1)
        assert stat.S_ISCHR(os.stat(f"{path}/null").st_mode) and os.listdir(path) == ["null"]
        assert "Is a directory" in nwho(ns, "ls", "--record", path, expect=2).err


@test
def one_recording_answers_every_question():
    """Whatever was asked when it was made."""
    with netns() as ns, directory() as path, mksock(ns, *SITUATION) as facts:
        file = f"{path}/snapshot"
        nwho(ns, "count", "state", "tcp", "sport", ":1", "--record", file, expect=1)
        listener = next(fact for fact in facts if fact["situation"] == "listening")
        want = {fact["inode"]: sorted((h["pid"], h["fd"]) for h in fact["holders"])
                for fact in facts if fact["in_tables"] and fact["inode"]}
        rows = nwho_json(None, "ls", "-a", "--replay", file)["rows"]
        found = {row["inode"]: [(owner["pid"], owner["fd"]) for owner in row["owners"]] for row in rows}
        assert {inode: found[inode] for inode in want} == want
        row, = nwho_json(None, "ls", "sport", f":{listener['local_port']}", "--replay", file)["rows"]
        assert row["inode"] == listener["inode"], row
        out = nwho(None, f":{listener['local_port']}", "--replay", file, "--threads").out
        assert f"mksock({listener['pid']}) fd {listener['fd']}" in out and listener["exe"] in out, out
        assert f"mksock({listener['pid']})" in nwho(None, str(listener["pid"]), "--replay", file).out
        for args, needle in ((["--replay", file], "mksock"), (["ps", "--replay", file], "mksock"),
                             (["ps", "--threads", "--replay", file], "worker-0"), (["ports", "--replay", file], "mksock"),
                             (["count", "state", "--replay", file], "listening"),
                             (["why-busy", str(listener["local_port"]), "--replay", file], "listens here")):
            assert needle in nwho(None, *args).out, args
        assert "bind() was not tried: this is a recording" in nwho(None, "why-busy", "1", "--replay", file, expect=1).out
        result = nwho(None, "kill", "-y", "listen", "--replay", file, expect=2)
        assert result.out == "" and "cannot be destroyed" in result.err


@test
def a_recording_of_the_past_does_not_change():
    with netns() as ns, directory() as path:
        file = f"{path}/snapshot"
        with mksock(ns, *SITUATION) as facts:
            live = nwho(ns, "ls", "-a", "--json=all", "--record", file).out
            assert facts
        assert nwho(ns, "ls", "-a", "--json=all", "--replay", file).out == live
        assert nwho(ns, "ls", "-H", expect=(0, 1)).out.count("listening") == 0
        # Recording a replay gives the same recording.
        nwho(None, "ls", "--replay", file, "--record", f"{path}/again")
        assert nwho(None, "ls", "-a", "--json=all", "--replay", f"{path}/again").out == live


def assert_refused(file, ns=None, **options):
    result = nwho(ns, "ls", "-a", "--replay", file, expect=2, **options)
    assert result.out == "" and re.fullmatch(r"nwho: [^\n]+: [^\n]+\n", result.err), (file, result)
    return result.err


@test
def damaged_recordings_are_refused():
    with netns() as ns, directory() as path, mksock(ns, "listening", "--", "established"):
        file = f"{path}/snapshot"
        nwho(ns, "ls", "--record", file)
        with open(file, "rb") as stream:
            good = stream.read()

        def refused(content):
            with open(f"{path}/bad", "wb") as stream:
                stream.write(content)
            return assert_refused(f"{path}/bad")

        for length in [*range(0, 64, 7), *range(64, len(good), max(1, len(good) // 23)), len(good) - 1]:
            refused(good[:length])
        for at in range(0, len(good), max(1, len(good) // 40)):
            refused(good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1:])
        refused(good + b"x")
        refused(b"\0" * 4096)
        refused(b'{"schema":"nwho/1"}\n')
        refused(os.urandom(5000))


@test
def what_is_no_readable_file_is_refused():
    with netns() as ns, directory() as path, mksock(ns, "listening"):
        file = f"{path}/snapshot"
        nwho(ns, "ls", "--record", file)
        assert "No such file" in assert_refused(f"{path}/absent")
        assert_refused(path)
        assert_refused("/dev/null")
        assert_refused("/dev/zero")
        assert_refused("/proc/self/mem")
        if ns.run([BUILD / "nwho", "--version"], expect=None, user="nobody").rc == 0:
            assert "Permission denied" in assert_refused(file, ns=ns, user="nobody")
        for bad in (f"{path}/no/such/dir", path, "/proc/x"):
            result = nwho(ns, "ls", "--record", bad, expect=2)
            assert result.out == "" and result.err.startswith(f"nwho: cannot record to {bad}: "), result
            assert result.err.count("\n") == 1, result
        result = nwho(None, "ls", "--replay", file, "-N", ns.name, expect=2)
        assert result.out == "" and result.err.count("\n") == 1, result


run_tests()
