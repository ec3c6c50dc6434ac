# SPDX-License-Identifier: MIT
"""The doctor's advice: the commands that it names are such that work."""
import re

from doctor import run_command
from live import netns, nwho, run_tests, test

# What stands for the facts of a finding.
FACTS = {"LOCAL": ":80", "PORT": "80", "PEER": "10.0.0.9", "PEER_PORT": "443", "PID": "1", "IFACE": "lo"}


def commands(check):
    """Those behind "next", each in one line."""
    found, is_next = [], False
    for line in nwho(None, "doctor", "--explain", check).out.splitlines():
        label, text = line[:10].strip(), line[10:]
        is_next = label == "next" or (is_next and not label and bool(text))
        if is_next and re.match(r"(nwho|cat|ip|tc|ethtool|readlink|systemctl) ", text):
            found.append(text)
        elif is_next:
            found[-1] += " " + text
    return found


@test
def commands_of_advice_work():
    with netns() as ns:
        names = [line.split()[0] for line in nwho(None, "doctor", "--list").out.splitlines()]
        assert "close-wait" in names
        failed = []
        for name in names:
            asked = commands(name)
            assert asked, name
            for command in asked:
                command = re.sub(r"\b[A-Z_]{3,}\b", lambda field: FACTS.get(field[0], field[0]), command)
                done = run_command(ns, command)
                if done.rc not in {0, 1}:
                    failed.append(f"{name}: {command}: {done.err}")
        assert not failed, "\n".join(failed)


run_tests()
