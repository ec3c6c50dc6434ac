# SPDX-License-Identifier: MIT
"""Which programs of BPF a process holds."""
import contextlib
import json
from pathlib import Path

from live import run


def program_facts(pid, name):
    """What the kernel says of each: the values of `NAME:`, such as prog_id."""
    values = set()
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            values |= {line.split()[1] for line in info.read_text().splitlines() if line.startswith(name + ":")}
    return values


def programs(pid):
    """Their names, by bpftool. What has ended meanwhile has none."""
    told = (run(["bpftool", "--json", "prog", "show", "id", number], expect=None) for number in program_facts(pid, "prog_id"))
    return {json.loads(result.out)["name"] for result in told if result.rc == 0}
