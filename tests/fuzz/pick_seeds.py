#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes seeds of what ./dev fuzz found: pick_seeds.py BUILD [TARGET...]

Of the small inputs in BUILD/corpus those that reach edges which no seed does, most edges first, become seeds. Each is named
reached-FUNCTION-HASH after the function that most of these edges are in. Seeds of such names that reach nothing that the
others do not are removed; those whose name says more stay. What changed is for you to look at, and to commit."""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SIZE_MAX = 4096
PICKED_MAX = 10  # a run for each target, so that the tests which replay them stay short
EDGES_MIN = 2  # one edge more is mostly another byte of the same table


def run(build, target, *words):
    program = build / "tests/fuzz" / f"fuzz_{target}"
    done = subprocess.run([program, "-close_fd_mask=3", "-timeout=100", "-malloc_limit_mb=64", "-rss_limit_mb=1024", *words],
                          cwd=HERE, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        sys.exit(f"pick_seeds: {target} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stderr


def edges_by_input(build, target, seeds, scratch):
    """What libFuzzer notes of each input when it merges; its features are edges, and eight ranges of how often each was taken.
    It writes to the directory that comes first, whose inputs run first: theirs are the edges that are reached only once."""
    control, copy = scratch / "control", scratch / "seeds"
    shutil.copytree(seeds, copy)
    evolved = build / "corpus" / target
    said = run(build, target, "-merge=1", "-set_cover_merge=1", f"-merge_control_file={control}", copy, *([evolved] if evolved.is_dir() else []))
    counters = int(re.search(r"\((\d+) inline 8-bit counters\)", said)[1])
    lines = control.read_text().splitlines()
    paths = [seeds / Path(line).name if Path(line).parent == copy else Path(line) for line in lines[2:2 + int(lines[0])]]
    edges = {}
    for line in lines[2 + len(paths):]:
        kind, number, *features = line.split()
        if kind == "FT":
            edges[paths[int(number)]] = {int(feature) // 8 for feature in features if int(feature) < 8 * counters}
    return edges


def pick(edges, candidates, reached):
    """The standard greedy cover; `reached` grows by what the picked ones reach."""
    picked = []
    while candidates and len(picked) < PICKED_MAX:
        best = max(candidates, key=lambda path: (len(edges[path] - reached), -path.stat().st_size))
        if len(edges[best] - reached) < EDGES_MIN:
            break
        candidates.remove(best)
        picked.append(best)
        reached |= edges[best]
    return picked


def functions(build, target, *directories):
    """How many edges of each function of the program inputs reach."""
    said = run(build, target, "-runs=0", "-print_coverage=1", *directories)
    return {name: int(count) for count, name in re.findall(r"^COVERED_FUNC: hits: \d+ edges: (\d+)/\d+ (\w+) \S*src/", said, re.M)}


def seed_name(build, target, seeds, path, before, scratch):
    alone = Path(tempfile.mkdtemp(dir=scratch))
    (alone / "input").write_bytes(path.read_bytes())
    gain = {name: count - before.get(name, 0) for name, count in functions(build, target, seeds, alone).items()}
    most = max(gain, key=gain.get, default=None)
    digest = hashlib.sha1(path.read_bytes()).hexdigest()[:8]
    return f"reached-{most}-{digest}" if most and gain[most] > 0 else f"reached-{digest}"


def superfluous(edges, seeds, picked):
    """Seeds that were picked once, and reach nothing that others do not. The best of them are kept first."""
    old = [path for path in edges if path.parent == seeds]
    unnamed = [path for path in old if path.name.startswith("reached-")]
    kept = set().union(*(edges[path] for path in old + picked if path not in unnamed))
    unnamed.sort(key=lambda path: (-len(edges[path] - kept), path.stat().st_size))
    left = []
    for path in unnamed:
        if edges[path] <= kept:
            left.append(path)
        kept |= edges[path]
    return left


def renew(build, target, scratch):
    seeds = HERE / "corpus" / target
    edges = edges_by_input(build, target, seeds, scratch)
    reached = set().union(*(reach for path, reach in edges.items() if path.parent == seeds))
    before = len(reached)
    candidates = [path for path in edges if path.parent != seeds and path.stat().st_size < SIZE_MAX]
    picked = pick(edges, candidates, reached)
    known = functions(build, target, seeds) if picked else {}
    new = {path: seed_name(build, target, seeds, path, known, scratch) for path in picked}
    gone = superfluous(edges, seeds, picked)
    for path, name in new.items():
        (seeds / name).write_bytes(path.read_bytes())
    for path in gone:
        path.unlink()
    print(f"{target}: {before} edges by seeds, {len(reached)} now, {len(set().union(*edges.values()))} by all {len(edges)} inputs; "
          f"{len(new)} seeds more, {len(gone)} less", flush=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = Path(sys.argv[1]).resolve()
    for target in sys.argv[2:] or sorted(os.listdir(build / "corpus")):
        with tempfile.TemporaryDirectory() as scratch:
            renew(build, target, Path(scratch))


main()
