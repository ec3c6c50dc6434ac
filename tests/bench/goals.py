# SPDX-License-Identifier: MIT
"""The tables of works that measure the load beside the program."""


def verdict(good, stretch=False):
    return "yes" if good else "not yet" if stretch else "NO"


def report(title, lines, markdown):
    """Prints rows of (work, measured, goal, met); gives whether all goals are met."""
    print(f"\n{'### ' if markdown else '== '}{title}\n")
    for line in [["work", "measured", "goal", "met"], *([["---"] * 4] if markdown else []), *lines]:
        print("| " + " | ".join(line) + " |" if markdown else "   ".join(line))
    return all(line[-1] != "NO" for line in lines)
