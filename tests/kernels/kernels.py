# SPDX-License-Identifier: MIT
"""Kernels to boot: packages of the distribution, unpacked below build-tools/kernels and never installed.

A kernel is a directory with `vmlinuz` and `lib/modules/RELEASE`.
"""
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


class CannotRun(Exception):
    """Why there is nothing to boot, and what to do."""


@dataclass
class Kernel:
    """An unpacked kernel."""
    name: str  # as it was asked for, for example 6.1
    directory: Path

    @property
    def image(self):
        return self.directory / "vmlinuz"

    @property
    def release(self):
        return next(iter(sorted((self.directory / "lib/modules").iterdir()))).name

    @property
    def modules(self):
        return self.directory / "lib/modules" / self.release


def _newest(package):
    """The package of a kernel that PACKAGE, which has nothing itself, depends on; None: it is not known."""
    done = subprocess.run(["apt-cache", "depends", package], capture_output=True, text=True, check=False)
    found = re.search(r"Depends: (linux-image-\S+)", done.stdout)
    return found and found[1]


def packages(source):
    """Version -> package that brings its newest kernel; packaging/packages has the names."""
    found = {}
    for line in (source / "packaging/packages").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 5 and cells[3] == "kernel" and not line.startswith("#"):
            found[cells[4].removeprefix("version:")] = cells[0]
    return found


def _unpack(package, directory):
    """The kernel and what it loads for networking; the rest of its modules would be most of the space."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["apt-get", "-qq", "download", package], cwd=scratch, stderr=subprocess.DEVNULL, check=True)
        archive, = Path(scratch).glob("*.deb")
        parts = Path(scratch) / "parts"
        parts.mkdir()
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as reader:
            subprocess.run(["tar", "-x", "-C", parts, "--wildcards", "./boot/vmlinuz-*", "./lib/modules/*/modules.*",
                            *(f"./lib/modules/*/kernel/{name}" for name in ("net", "drivers/net/*.ko*", "lib",
                                                                            "crypto", "arch/x86/crypto"))],
                           stdin=reader.stdout, check=True)
        next((parts / "boot").glob("vmlinuz-*")).rename(parts / "vmlinuz")
        directory.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", parts, directory], check=True)


def find(name, source):
    """The kernel NAME: a version of packaging/packages, or a directory."""
    if Path(name).is_dir():
        kernel = Kernel(Path(name).name, Path(name))
        if not kernel.image.is_file() or not (kernel.directory / "lib/modules").is_dir():
            raise CannotRun(f"{name} needs the files vmlinuz and lib/modules/RELEASE")
        return kernel
    known = packages(source)
    if name not in known:
        raise CannotRun(f"unknown kernel '{name}': {', '.join(known)}, or a directory with vmlinuz and lib/modules")
    package = _newest(known[name])
    if package is None:
        raise CannotRun(f"apt knows no {known[name]}: give a directory with vmlinuz and lib/modules")
    directory = source / "build-tools/kernels" / package.removeprefix("linux-image-")
    if not (directory / "vmlinuz").is_file():
        print(f"# unpacking {package}", flush=True)
        try:
            _unpack(package, directory)
        except (subprocess.CalledProcessError, ValueError) as error:
            raise CannotRun(f"cannot unpack {package}: {error}") from error
    return Kernel(name, directory)
