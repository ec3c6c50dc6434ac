# SPDX-License-Identifier: MIT
"""Control groups (cgroup v2) of a test's own, and programs that run in them."""
import contextlib
import hashlib
import itertools
import os
from pathlib import Path

from live import skip, wait_for


def _mount():
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text(encoding="ascii").splitlines()]
    found = [words[4] for words in mounts if words[words.index("-") + 1] == "cgroup2" and words[3] == "/"]
    if not found:
        skip("no cgroup2 file system is mounted whole")
    return Path(found[0])


_counter = itertools.count()


class ControlGroup:
    """A directory below the root: its path as in /proc/PID/cgroup, the unit and the container that it stands for."""

    def __init__(self, container):
        digest = hashlib.sha256(f"{os.getpid()} {next(_counter)}".encode()).hexdigest()
        self.unit = f"docker-{digest}.scope" if container else f"nwho-test-{digest[:8]}.service"
        self.container = digest[:12] if container else None
        self.path = f"/{self.unit}"
        self.directory = _mount() / self.unit
        self.procs = self.directory / "cgroup.procs"

    def inside(self, command):
        """COMMAND as one that enters the group first."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', self.procs, *command]

    def remove(self):
        """Who has ended leaves it a little later."""
        wait_for(lambda: not self.procs.read_text(encoding="ascii"), what=f"nobody in {self.path}")
        self.directory.rmdir()


@contextlib.contextmanager
def control_group(container=False):
    """A new group, of a systemd unit or of a container; the block may remove it."""
    group = ControlGroup(container)
    try:
        group.directory.mkdir()
    except OSError as error:
        skip(f"no control group can be made: {error}")
    try:
        yield group
    finally:
        if group.directory.exists():
            group.remove()
