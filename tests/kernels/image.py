# SPDX-License-Identifier: MIT
"""The root of the virtual machine, as an archive that its kernel unpacks into memory (initramfs).

It has busybox, Python, the programs that tests call, with their shared libraries, nwho with the helpers, the tests, and
the modules of the kernel that are named here. Everything is copied from this machine; the kernel alone is another.
"""
import functools
import lzma
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

# What tests call; busybox has the others. Those that are missing here are missing there.
PROGRAMS = ["ip", "ss", "nsenter", "unshare", "setpriv", "prlimit", "strace", "netstat", "lsof", "nft", "tc", "mount",
            "sysctl", "conntrack", "env", "bash", "tcpdump"]

# What a network and a reader of it load by themselves; what these need comes along.
MODULES = ("inet_diag tcp_diag udp_diag raw_diag unix_diag af_packet_diag netlink_diag mptcp_diag vsock_diag sctp_diag "
           "sctp vsock vsock_loopback veth dummy bridge ifb tun macvlan ipvlan vxlan 8021q "
           "nf_conntrack nf_conntrack_netlink nf_tables nft_ct nft_nat nft_masq nft_chain_nat nft_reject nft_reject_inet "
           "nft_reject_ipv4 nft_limit nft_log nft_counter nf_nat sch_tbf sch_netem sch_ingress cls_u32 cls_bpf "
           "act_mirred act_gact act_police").split()

# Parts of Python's library that nothing here asks for.
NOT_NEEDED = {"test", "idlelib", "lib2to3", "tkinter", "ensurepip", "dist-packages", "site-packages", "pydoc_data",
              "turtledemo", "distutils", "unittest"}


@functools.cache
def _libraries(path):
    """The shared libraries of a program, and its loader."""
    told = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return sorted(set(re.findall(r"(/\S+) \(0x", told)))


class Root:
    """A directory that becomes the archive."""

    def __init__(self, directory):
        self.directory = Path(directory)

    def put(self, source, target=None):
        """Copy the file SOURCE to its own place, or to TARGET, with the libraries that it is linked to."""
        goal = self.directory / str(target or source).lstrip("/")
        if goal.exists():
            return
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, goal)
        if os.access(source, os.X_OK) or ".so" in goal.name:
            for library in _libraries(str(source)):
                self.put(library)

    def write(self, target, text):
        goal = self.directory / target.lstrip("/")
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_text(text)

    def put_program(self, path, target):
        """The same without what only a debugger reads."""
        self.put(path, target)
        subprocess.run(["strip", self.directory / target.lstrip("/")], check=True)

    def put_python(self):
        self.put(os.path.realpath(sys.executable), "/usr/bin/python3")
        library = Path(sysconfig.get_path("stdlib"))
        for parent, directories, files in os.walk(library):
            directories[:] = [name for name in directories if name not in NOT_NEEDED and not name.startswith("config-")]
            for name in files:
                self.put(Path(parent) / name)

    def put_modules(self, kernel):
        """MODULES and what they need, and the tables that modprobe reads."""
        release = kernel.release
        found = {re.sub(r"\.ko.*", "", path.name).replace("-", "_"): path for path in kernel.modules.rglob("*.ko*")}
        wanted, seen = [name for name in MODULES if name in found], set()
        while wanted:
            name = wanted.pop()
            seen.add(name)
            goal = self.directory / "lib/modules" / release / f"{name}.ko"
            goal.parent.mkdir(parents=True, exist_ok=True)
            goal.write_bytes(_module(found[name]))
            needs = re.findall(rb"\0depends=([^\0]*)\0", goal.read_bytes())
            wanted += [need for text in needs for need in text.decode().replace("-", "_").split(",")
                       if need in found and need not in seen]
        for name in ("modules.builtin", "modules.order"):
            shutil.copy2(kernel.modules / name, self.directory / "lib/modules" / release)
        subprocess.run(["busybox", "depmod", "-b", self.directory, release], check=True)

    def pack(self, archive):
        names = subprocess.run(["find", "."], cwd=self.directory, capture_output=True, check=True).stdout
        with open(archive, "wb") as out:
            subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=self.directory, input=names,
                           stdout=out, check=True)


def _module(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout
    return data


def make(directory, kernel, source, build, jobs):
    """Fill DIRECTORY, and give the path of the archive made of it. JOBS: text that the guest reads."""
    root = Root(directory / "root")
    root.put(shutil.which("busybox"), "/bin/busybox")
    for name in PROGRAMS:
        path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if path:
            root.put(os.path.realpath(path), f"/usr/bin/{name}")
    root.put_python()
    root.put_modules(kernel)
    root.put_program(build / "nwho", "/nwho/build/nwho")
    for path in [*(build / "tests/helpers").iterdir(), *(build / "tests/unit").glob("test_*")]:
        if path.is_file() and os.access(path, os.X_OK):
            root.put_program(path, f"/nwho/build/{path.relative_to(build)}")
    for part in ("live", "faults", "lib", "kernels"):
        for path in (source / "tests" / part).iterdir():
            if path.is_file():
                root.put(path, f"/nwho/tests/{part}/{path.name}")
    root.put(source / "tests/kernels/init", "/init")
    root.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    root.write("/etc/group", "root:x:0:\nnogroup:x:65534:\n")
    root.write("/nwho/jobs", jobs)
    archive = directory / "initramfs"
    root.pack(archive)
    shutil.rmtree(root.directory)
    return archive
