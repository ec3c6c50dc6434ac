# SPDX-License-Identifier: MIT
"""The short form of ./dev soak: some seconds, in which nothing may be lost, left behind, or grow much."""
from live import run_tests, test
from soak import soak


@test
def nothing_grows_and_nothing_is_lost():
    wrong = soak(10, 0.25, growth_kb=65536)  # it has not yet met all that it keeps for a minute
    assert not wrong, "\n".join(wrong)


run_tests()
