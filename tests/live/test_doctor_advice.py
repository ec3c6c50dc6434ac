# SPDX-License-Identifier: MIT
"""The doctor's advice: the commands that it names are such that work."""
import re
import shlex

from live import netns, nwho, run_tests, test

# What stands for the facts of a finding, and what takes too long for a test.
FACTS = {"local": ":80", "port": "80", "peer": "10.0.0.9", "peer_port": "443", "pid": "1", "iface": "lo"}
SHORTER = [(r"-d \d+", "-d 0.1"), (r"--for \d+", "--for 0.1"), (r" --watch", ""), (r"^(nwho doctor.*)", r"\1 --window 0.1"),
           (r"^(nwho events(?!.*--for).*)", r"\1 --for 0.1"), (r"^nwho top", "nwho top --batch -n 1 -d 0.1")]


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
                command = command.replace("{in}", f" -N {ns.name}")
                command = re.sub(r"\{(\w+)\}", lambda field: FACTS[field[1]], command)
                for long, short in SHORTER:
                    command = re.sub(long, short, command)
                words = shlex.split(command)
                done = nwho(None, *words[1:], expect=None) if words[0] == "nwho" else None
                if done and done.rc not in {0, 1}:
                    failed.append(f"{name}: {command}: {done.err}")
        assert not failed, "\n".join(failed)


run_tests()
