# SPDX-License-Identifier: MIT
"""The compatibility harness: one command line after the other, the real tool and ours, byte by byte. See README.md.

    tests/compat/test_ss.py                        the whole matrix, as a test
    tests/compat/test_ss.py -v 'ss -tan'           the differences of one command line (of the matrix or not)
    tests/compat/test_ss.py -k 'ss -t'             only lines that contain this; prints those that differ
    tests/compat/test_ss.py --update               write not_yet_ss.txt anew
"""
import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
# pylint: disable=wrong-import-position
import live  # noqa: E402
from answers import finish_line, mask, run_line, show_diff, start_line  # noqa: E402
from scene import Scenes  # noqa: E402

OUTPUTS = {"pipe": None, "80": 80, "200": 200}
# Netlink sockets come in the order of a hash of their ids, which are pids: one attempt of four is in vain for that alone.
ATTEMPTS = 12     # a difference is one when it is there each time
SHOWN = 12        # differences that the test prints in full
EXPLAINED_PART = 0.03
SHARE = int(os.environ.get("NWHO_COMPAT_SHARE", "1"))  # 4: each fourth line only, which is enough for the sanitizers
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
SLEEPS = re.compile(r"^lsof .*[-+]r ?\d|^netstat .*-\w*c\b")
# The releases whose bytes are the measure: those of Debian 12.
RELEASES = {"ss": (["ss", "-V"], "iproute2-6.1."), "netstat": (["netstat", "-V"], "net-tools 2.10"),
            "lsof": (["lsof", "-v"], "revision: 4.95."),
            "sar": (["sar", "-V"], "sysstat version 12.6.1\n"),
            "tcpdump": (["tcpdump", "--version"], "tcpdump version 4.99.3\n"),
            "conntrack": (["conntrack", "-V"], "conntrack v1.4.7 ")}


@dataclass(frozen=True)
class Case:
    """One comparison: a command line, where its output goes, and in which scene."""
    line: str
    output: str
    strange: bool = False

    def label(self):
        return self.output + (" strange" if self.strange else "")

    def __str__(self):
        return f"{self.label()}: {self.line}"


@dataclass
class Verdict:
    """What came of a case: empty when identical, else the differences."""
    case: Case
    difference: str = ""
    crash: bool = False


@dataclass
class Explained:
    """An entry of explained.txt."""
    label: str
    pattern: str
    reason: str
    cases: list = field(default_factory=list)

    def covers(self, case):
        return fnmatchcase(case.label(), self.label) and fnmatchcase(case.line, self.pattern)


# --- the files ---

def read_matrix(tool):
    """The cases of matrix_TOOL.txt. A line `#: pipe 80 200 strange` says where those below it are compared."""
    cases, outputs, strange = [], ["pipe"], False
    for line in (HERE / f"matrix_{tool}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#:"):
            words = line[2:].split()
            strange = "strange" in words
            outputs = [word for word in words if word in OUTPUTS]
            assert outputs and len(outputs) + strange == len(words), f"matrix_{tool}.txt: {line}"
        elif line.strip() and not line.startswith("#"):
            cases += [Case(line.strip(), output, strange) for output in outputs]
    doubles = {str(case) for case in cases if cases.count(case) > 1}
    assert not doubles, f"matrix_{tool}.txt: twice: {sorted(doubles)}"
    return cases


def read_not_yet(tool):
    """Labels of cases that do not match yet."""
    path = HERE / f"not_yet_{tool}.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {line for line in lines if line.strip() and not line.startswith("#")}


def write_not_yet(tool, verdicts, explained):
    differing = [str(verdict.case) for verdict in verdicts if verdict.difference and
                 not any(entry.covers(verdict.case) for entry in explained)]
    path = HERE / f"not_yet_{tool}.txt"
    path.unlink(missing_ok=True)
    if differing:
        path.write_text("# Comparisons that do not match yet; written by --update, and only ever gets shorter.\n" +
                        "\n".join(differing) + "\n", encoding="utf-8")
    print(f"{path.name}: {len(differing)}")


def read_explained(tool):
    """Entries of explained.txt: `TOOL LABEL COMMAND-PATTERN`, then the reason on lines that begin with blanks."""
    entries = []
    for line in (HERE / "explained.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace():
            entries[-1][1].reason = f"{entries[-1][1].reason} {line.strip()}".strip()
        else:
            match = re.fullmatch(r"(\w+) +(.*?): +(.*)", line)
            assert match, f"explained.txt: {line}"
            entries.append((match[1], Explained(match[2], match[3], "")))
    assert all(entry.reason for _, entry in entries), "explained.txt: an entry without a reason"
    return [entry for name, entry in entries if name == tool]


# --- comparing ---

@contextlib.contextmanager
def links():
    """A directory in which the old names are nwho."""
    with tempfile.TemporaryDirectory(prefix="nwho-links-") as name:
        os.chmod(name, 0o755)  # for lines that run as another user
        for tool in RELEASES:
            (Path(name) / tool).symlink_to(live.BUILD / "nwho")
        yield name


def environment_of(place, path):
    keep = {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}
    return {**keep, **place.variables, "PATH": path, "LC_ALL": "C", "HOME": "/root", "TERM": "xterm"}


def differences(case, place, ours_first):
    """A Verdict from one attempt; None if the real tool contradicts itself so much that it proves nothing."""
    width = OUTPUTS[case.output]
    answers = (start_line(case.line, width, environment_of(place, path)) for path in (PATH, ours_first))
    if SLEEPS.search(case.line):  # beside each other; all else runs one after the other, so that none sees the other
        answers = list(answers)
    theirs, ours = (finish_line(*answer) for answer in answers)
    if ours.crashed():
        return Verdict(case, f"crash, exit status {ours.rc}\n{ours.err.decode('utf-8', 'replace')[:3000]}", True)
    said = ""
    if ours.rc != theirs.rc:
        said = f"exit status {ours.rc}, theirs is {theirs.rc}\n"
    elif ours.is_silent_failure() and not theirs.is_silent_failure():
        said = "it fails without a word, theirs says why\n"
    if ours.out == theirs.out:
        return Verdict(case, said)
    again = run_line(case.line, width, environment_of(place, PATH))
    masked = mask(theirs.out, again.out, ours.out)
    if masked is None:
        return None
    if masked[0] == masked[1]:
        return Verdict(case, said)
    if said:
        said += ours.err.decode("utf-8", "replace")[:500]
    return Verdict(case, said + show_diff(*masked, limit=None))


def compare(case, scenes, ours_first, attempts):
    """The Verdict on a case: a difference has to be there in every attempt."""
    verdict = None
    for _ in range(attempts):
        place = scenes.current()
        with place.inside():
            verdict = differences(case, place, ours_first) or verdict
        if verdict and (verdict.crash or not verdict.difference):
            return verdict
    return verdict or Verdict(case, f"the real tool gives another number of lines each time ({attempts} attempts)")


def compare_all(cases, known=(), scenes_of=Scenes):
    """Verdicts of all cases. One attempt is enough for those KNOWN to differ. SCENES_OF makes what is compared in."""
    verdicts = []
    with links() as first:
        for strange in (False, True):
            with scenes_of(strange) as scenes:
                verdicts += [compare(case, scenes, f"{first}:{PATH}", 1 if str(case) in known else ATTEMPTS)
                             for case in cases if case.strange == strange]
    order = {case: number for number, case in enumerate(cases)}
    return sorted(verdicts, key=lambda verdict: order[verdict.case])


# --- judging ---

def stale_lines(tool, verdicts, not_yet, explained):
    return [f"STALE in not_yet_{tool}.txt, not in the matrix: {line}"
            for line in sorted(not_yet - {str(verdict.case) for verdict in verdicts})] + \
           [f"STALE in explained.txt, matches nothing: {entry.label}: {entry.pattern}"
            for entry in explained if not entry.cases]


def judge(tool, verdicts, not_yet, explained, whole=True):
    """Prints the sum; gives the faults as texts. WHOLE: no line of the matrix is left out."""
    faults, shown, identical, counted = [], 0, 0, {"explained": 0, "not yet": 0}
    for verdict in verdicts:
        entries = [entry for entry in explained if entry.covers(verdict.case)]
        known = str(verdict.case) in not_yet
        for entry in entries:
            entry.cases.append(verdict.case)
        identical += not verdict.difference
        if verdict.crash:
            faults.append(f"CRASH {verdict.case}\n{verdict.difference}")
        elif verdict.difference and not entries and not known:
            shown += 1
            faults.append(f"DIFFERENT {verdict.case}\n{verdict.difference[:3000] if shown <= SHOWN else '...'}")
        elif verdict.difference:
            counted["explained" if entries else "not yet"] += 1
        elif entries:
            faults.append(f"STALE in explained.txt, it is identical: {verdict.case}")
        elif known:
            faults.append(f"STALE in not_yet_{tool}.txt, it is identical now (--update): {verdict.case}")
    if whole:
        faults += stale_lines(tool, verdicts, not_yet, explained)
        if counted["explained"] > EXPLAINED_PART * len(verdicts):
            faults.append(f"{counted['explained']} of {len(verdicts)} are explained: more than {EXPLAINED_PART:.0%}")
    print(f"# {tool}: {identical} of {len(verdicts)} identical ({counted['explained']} explained, "
          f"{counted['not yet']} not yet)", flush=True)
    return faults


def check_releases(tools):
    for tool in tools:
        command, wanted = RELEASES[tool]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": PATH}, check=False)
        except FileNotFoundError:
            live.skip(f"no {tool}")
        if wanted not in done.stdout + done.stderr:
            live.skip(f"this {tool} is not {wanted}*")


def run_matrix(tool, scenes_of=Scenes):
    check_releases([tool] if tool in RELEASES else RELEASES)
    not_yet, explained = read_not_yet(tool), read_explained(tool)
    cases = read_matrix(tool)[::SHARE]
    faults = judge(tool, compare_all(cases, not_yet, scenes_of), not_yet, explained, SHARE == 1)
    assert not faults, "\n".join(faults)


def show_some(tool, cases, scenes_of):
    verdicts = compare_all(cases, scenes_of=scenes_of)
    for verdict in verdicts:
        print(f"== {verdict.case}\n{verdict.difference or 'identical'}", flush=True)
    print(f"{tool}: {sum(not verdict.difference for verdict in verdicts)} of {len(verdicts)} identical")
    return any(verdict.difference for verdict in verdicts)


def main(tool, scenes_of=Scenes):
    """As a test without arguments; see the top for the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-v", metavar="LINE", action="append", help="show the differences of this command line")
    parser.add_argument("-k", metavar="PART", help="show the differences of the lines of the matrix that contain PART")
    parser.add_argument("-o", metavar="OUTPUT", choices=OUTPUTS, help="only this output: pipe, 80 or 200")
    parser.add_argument("--strange", action="store_true", help="-v in the scene with strange names")
    parser.add_argument("--update", action="store_true", help=f"write not_yet_{tool}.txt anew")
    args = parser.parse_args()
    if not (args.v or args.k or args.update):
        def the_same_bytes():
            run_matrix(tool, scenes_of)
        live.test(the_same_bytes)
        live.run_tests()
    if args.update:
        write_not_yet(tool, compare_all(read_matrix(tool), read_not_yet(tool), scenes_of), read_explained(tool))
        return
    if args.v:
        cases = [Case(line, output, args.strange) for line in args.v for output in OUTPUTS]
    else:
        cases = [case for case in read_matrix(tool) if args.k in case.line]
    sys.exit(show_some(tool, [case for case in cases if args.o in (None, case.output)], scenes_of))
