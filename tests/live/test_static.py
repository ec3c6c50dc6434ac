# SPDX-License-Identifier: MIT
"""nwho-lite, the static program for small boxes: ./dev static makes it no larger than it may be, it says what nwho says, it
needs nothing but /proc, and it is the netstat -p that busybox has not. Those that NWHO_FULL=1 makes are examined too."""
import functools
import json
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import live
from live import BUILD, SOURCE, mksock, netns, run, run_tests, skip, test
from truth import has_bpf

LITE = SOURCE / "build-static-lite/nwho-lite"
PACKED = LITE.with_name("nwho-lite-packed")
# Of other processors, and what runs them here: three have 32 bits, s390x is big-endian.
FOREIGN = {"arm64": ["qemu-aarch64"], "armhf": ["qemu-arm"], "mipsel": ["qemu-mipsel"], "s390x": ["qemu-s390x"],
           "i386": [] if os.uname().machine == "x86_64" else ["qemu-i386"]}
WHOLE = SOURCE / "build-static/nwho"
PROGRAM_INTERPRETER = 3  # the segment that names the dynamic loader
FULL = bool(os.environ.get("NWHO_FULL"))
SITUATION = "listening -- established -- udp -- udp-connected -- unix-listening".split()
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}
SMALL_BOX = """set -e
mount -t tmpfs none "$1"
mkdir "$1/proc" "$1/bin"
mount --bind /proc "$1/proc"
cp "$2" "$1/bin/netstat"
cp "$3" "$1/bin/busybox"
shift 3
exec chroot "$@"
"""


def programs():
    """Those that there are, with the words before them to run them here."""
    found = [([], LITE), ([], WHOLE)]
    found += [(emulator, SOURCE / f"build-static-{name}/nwho-lite") for name, emulator in FOREIGN.items()]
    found += [(emulator, path.with_name(f"{path.name}-packed")) for emulator, path in found]
    return [[*emulator, path] for emulator, path in found if path.exists() and all(map(shutil.which, emulator))]


def of_this_processor():
    """Those that ask this kernel: an emulator of user mode knows no sock_diag."""
    return [program[0] for program in programs() if len(program) == 1]


@functools.cache
def make():
    """The programs, as ./dev makes them; it fails when one is too large."""
    if not shutil.which("musl-gcc") and "musl" not in run(["ldd", "/bin/sh"], None).out:
        skip("there is no musl here")
    run([SOURCE / "dev", "static", *([] if FULL else ["lite"])], timeout=800 if not FULL else 1500)


def packed():
    """Half of the program, which unpacks itself."""
    return PACKED if PACKED.exists() else skip("programs of this processor are not packed")


def segments(path):
    """The types of an ELF file's segments."""
    data = Path(path).read_bytes()
    assert data[:4] == b"\x7fELF", f"{path}: no ELF file"
    order = "<" if data[5] == 1 else ">"
    word, at, sizes = ("I", 28, 42) if data[4] == 1 else ("Q", 32, 54)
    start, = struct.unpack_from(order + word, data, at)
    size, count = struct.unpack_from(order + "HH", data, sizes)
    return {struct.unpack_from(order + "I", data, start + i * size)[0] for i in range(count)}


def table(text):
    """The rows of netstat as words, without their headings."""
    return sorted(line.split() for line in text.splitlines() if line.startswith(("tcp", "udp")))


@test
def is_made_without_a_library():
    make()
    for *_, path in programs():
        assert PROGRAM_INTERPRETER not in segments(path), f"{path} wants a dynamic loader"


@test
def answers_of_a_recording_are_the_same_bytes():
    make()
    with netns() as ns, tempfile.TemporaryDirectory() as directory:
        recording = Path(directory) / "recording"
        with mksock(ns, *SITUATION):
            live.nwho(ns, "ls", "-a", "--record", recording)
        for words in (["ls", "-a"], ["ports"], ["ps", "-a"], ["ls", "state established"], ["count", "state,process"]):
            for form in (["--json"], ["--csv"], ["--exact"]):
                question = [*words, "--replay", recording, *form]
                expected = run([BUILD / "nwho", *question], env=ENVIRONMENT)
                assert expected.out
                for program in programs():
                    answer = run([*program, *question], env=ENVIRONMENT)
                    assert answer == expected, f"{program} {question}: {answer} instead of {expected}"


@test
def recordings_are_the_same_for_all():
    """Whoever made them: the order of bytes and the size of a word are of the file, not of the machine."""
    make()
    with netns() as ns, tempfile.TemporaryDirectory() as directory, mksock(ns, *SITUATION):
        for number, program in enumerate(programs()):
            recording = Path(directory) / str(number)
            ns.run([*program, "ls", "-a", "--sources", "proc_net,proc_fd", "--record", recording], env=ENVIRONMENT)
            question = ["ls", "-a", "--json", "--replay", recording]
            expected = run([BUILD / "nwho", *question], env=ENVIRONMENT)
            assert len(json.loads(expected.out)["rows"]) > 3, expected
            for other in programs():
                answer = run([*other, *question], env=ENVIRONMENT)
                assert answer == expected, f"{other}, recorded by {program}: {answer} instead of {expected}"


@test
def shows_what_nwho_shows():
    make()
    columns = "proto,state,local_addr,local_port,peer_addr,peer_port,inode,pid,process,fd,user"
    with netns() as ns, mksock(ns, *SITUATION):
        question = ["ls", "tcp or udp or unix", "--csv", "-o", columns, "--sort", "proto,local_addr,local_port,peer_port,inode"]
        expected = live.nwho(ns, *question).out
        assert expected.count("\n") > 3
        inet = ["ls", "tcp or udp", *question[2:]]
        expected_inet = live.nwho(ns, *inet).out
        for program in of_this_processor():
            for sources in ("bpf,sock_diag,proc_net,proc_fd", "sock_diag,proc_fd"):
                answer = ns.run([program, *question, "--sources", sources], env=ENVIRONMENT)
                assert answer.out == expected, f"{program} {sources}: {answer} instead of {expected}"
            answer = ns.run([program, *inet, "--sources", "proc_net,proc_fd"], env=ENVIRONMENT)
            assert answer.out == expected_inet and "/proc/net" in answer.err, f"{program}: {answer}"


@test
def bpf_tells_the_same():
    make()
    if not has_bpf():
        skip("BPF is not here")
    columns = "proto,state,local_addr,local_port,peer_addr,peer_port,inode,pid,process,fd,user"
    with netns() as ns, mksock(ns, *SITUATION):
        question = ["ls", "tcp or udp", "--json", "-o", columns, "--sort", "proto,local_addr,local_port,peer_port,inode", "--sources", "bpf"]
        expected = json.loads(live.nwho(ns, *question).out)
        assert len(expected["rows"]) > 3 and expected["sources"]["tcp"].startswith("bpf"), expected
        for program in (LITE, packed()):
            answer = json.loads(ns.run([program, *question], env=ENVIRONMENT).out)
            assert [answer[key] for key in ("rows", "sources")] == [expected[key] for key in ("rows", "sources")], f"{program}: {answer}"


@test
def packed_is_the_same_process():
    """Nothing else is begun: the file, its name and its arguments are what others see of it."""
    make()
    question = [packed(), "ls", "--watch=1000", "--sources", "proc_net"]
    process = subprocess.Popen(question, stdout=subprocess.PIPE)
    try:
        assert process.stdout.read(1), "it has shown nothing"
        proc = Path("/proc", str(process.pid))
        assert os.readlink(proc / "exe") == str(packed())
        assert (proc / "comm").read_text() == packed().name[:15] + "\n"
        assert (proc / "cmdline").read_bytes().split(b"\0")[:-1] == [os.fsencode(word) for word in question]
        writable = [line for line in (proc / "maps").read_text().splitlines() if "wx" in line.split()[1]]
        assert not writable, writable
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@test
def packed_that_cannot_be_unpacked_says_why():
    make()
    with tempfile.TemporaryDirectory() as directory:
        damaged = Path(directory) / "nwho"
        shutil.copy(packed(), damaged)
        stream = packed().with_name("packed_program.lzma").read_bytes()
        data = damaged.read_bytes()
        damaged.write_bytes(data.replace(stream[:64], b"\1" + stream[1:64]))
        assert "the file is damaged" in run([damaged, "--version"], 2).err
    limit = 800 << 10  # enough for what the file itself wants
    answer = run(["prlimit", f"--as={limit}", packed(), "--version"], 2)
    assert "no memory" in answer.err and answer.err.count("\n") == 1, answer


@test
def old_tools_are_the_same():
    make()
    with netns() as ns, mksock(ns, *SITUATION):
        for words in (["netstat", "-antup"], ["netstat", "-anxp"], ["ss", "-tunap"], ["lsof", "-nP", "-i"]):
            expected = live.nwho(ns, *words, expect=None)
            for program in of_this_processor():
                answer = ns.run([program, *words], None, env=ENVIRONMENT)
                assert answer == expected, f"{program} {words}: {answer} instead of {expected}"


@test
def is_netstat_where_there_is_only_busybox():
    make()
    busybox = shutil.which("busybox") or skip("busybox is not installed")
    if PROGRAM_INTERPRETER in segments(busybox):
        skip("this busybox is not static")
    with netns() as ns, mksock(ns, *SITUATION) as facts, \
            tempfile.TemporaryDirectory() as root:
        inside = ["unshare", "--mount", "sh", "-c", SMALL_BOX, "sh", root, PACKED if PACKED.exists() else LITE, busybox, root]
        expected = table(ns.run([*inside, "/bin/busybox", "netstat", "-tuna"]).out)
        assert expected and table(ns.run([*inside, "/bin/netstat", "-tuna"]).out) == expected
        with_owners = table(ns.run([*inside, "/bin/netstat", "-tunap"]).out)
        assert [row[:len(plain)] for row, plain in zip(with_owners, expected)] == expected, with_owners
        owner = f"{facts[0]['pid']}/mksock"
        assert owner in {row[-1] for row in with_owners}, f"{owner} is not in {with_owners}"


@test
def says_what_it_is_without():
    make()
    for words, reason in ((["netstat", "-r"], "sockets only"), (["ss", "-s"], "without the counters"),
                          (["ls", "process ~ x"], "regular expressions"), (["ls", "-o", "+rx_rate"], "counting traffic"),
                          (["ports", "--diff"], "without baselines"), (["top"], "no command of this small nwho")):
        answer = run([LITE, *words], (1, 2))
        assert reason in answer.err and not answer.out, f"{words}: {answer}"


run_tests()
