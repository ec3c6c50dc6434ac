# SPDX-License-Identifier: MIT
"""In the virtual machine: runs the jobs that run.py wrote down, and passes on what they say, between marks.

`@job NAME`, what it says, `@done NAME STATUS SECONDS`; at the end `@end`. Nothing else may begin with @.
"""
import json
import os
import subprocess
import time
from pathlib import Path

HOME = Path("/nwho")


def say(*words):
    print(*words, flush=True)


def prepare(stage):
    """A kernel begins without modules and control groups: what stage `bare` has; the others have all of it."""
    modprobe = Path("/proc/sys/kernel/modprobe")
    if stage == "bare":
        modprobe.write_text("/nowhere\n")
        return
    modprobe.write_text("/sbin/modprobe\n")
    if not os.path.ismount("/sys/fs/cgroup"):
        subprocess.run(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"], check=True)


def run(job):
    prepare(job["stage"])
    begin = time.monotonic()
    say("@job", job["name"])
    with subprocess.Popen(job["command"], cwd=HOME, env={**os.environ, **job["environment"]}, text=True,
                          errors="backslashreplace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        for line in child.stdout:
            say(line.rstrip("\n").replace("@", "(at)", 1) if line.startswith("@") else line.rstrip("\n"))
    say("@done", job["name"], child.returncode, f"{time.monotonic() - begin:.0f}")


def main():
    say("@kernel", os.uname().release)
    for job in json.loads((HOME / "jobs").read_text()):
        run(job)
    say("@end")


main()
