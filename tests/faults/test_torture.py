# SPDX-License-Identifier: MIT
"""Each command with one of its calls failing, or all from one on: no crash, no hang, and no wrong answer with exit status 0 or 1.

See tests/lib/torture.py: NWHO_FULL=1 tries every call, else some are drawn. What is asked of a recording or of a history
stands still, so the answer must be the very same.
"""
import contextlib
import tempfile
from pathlib import Path

from faults import quiet_machine, run
from live import BUILD, run_tests, test
from torture import check_exact, torture

# Those that can be asked of a recording, with a recording of each.
RECORDED = [["ls", "-a", "--json"]]


@contextlib.contextmanager
def recordings():
    """Gives a function that gives the words by which a command answers from its recording."""
    with quiet_machine() as ns, tempfile.TemporaryDirectory() as directory:
        made = {}

        def recorded(args):
            name = " ".join(args)
            if name not in made:
                made[name] = Path(directory) / str(len(made))
                result = run(ns, [BUILD / "nwho", *args, "--record", made[name]])
                assert result.rc in (0, 1), result
            return [*args, "--replay", made[name]]

        yield recorded


@test
def recorded_without_memory():
    with recordings() as recorded:
        for args in RECORDED:
            torture(recorded(args), check_exact)


run_tests()
