# SPDX-License-Identifier: MIT
"""Screens as text, compared with golden files; made-up rows, so that they are the same each time."""
from live import BUILD, run_tests, test
from terminal import terminal

DEMO = BUILD / "tests" / "helpers" / "tui_demo"


def golden(name, *keys, options=(), size=(80, 24), first="rows", **environment):
    """The screen after KEYS; a string that begins with "=" is typed as text."""
    with terminal([DEMO, *options], size, **environment) as screen:
        screen.until(first)
        for key in keys:
            if key.startswith("="):
                screen.type(key[1:])
            else:
                screen.keys(key)
        screen.until_golden(name)
        if name != "help":
            screen.keys("Escape", "C-l", "q")


@test
def table_at_80x24():
    golden("table_80x24", "R", "R")


@test
def wide_table_has_bars():
    golden("table_130x30", *"RRRRRR", size=(130, 30))


@test
def largest():
    golden("table_300x100", *"RRR", options=["-n", "200"], size=(300, 100))


@test
def smallest():
    golden("table_20x5", "R", size=(20, 5), first="nwho")


@test
def narrow_table_has_rates():
    golden("table_56x20", "R", size=(56, 20), first="nginx")


@test
def ascii_only():
    golden("table_ascii", *"RRRRRR", options=["-a"], size=(130, 24))


@test
def a_locale_without_utf8():
    golden("table_c_locale", *"RRR", LC_ALL="C")


@test
def no_traffic_yet():
    golden("empty", options=["-e"])


@test
def nothing_passes_the_filter():
    golden("empty_filter", "/", "=pid 4", "Enter")


@test
def error_in_a_filter_has_a_caret():
    golden("filter_error", "/", "=pid 1203 and prozess = x", "Enter")


@test
def error_far_to_the_right():
    golden("filter_error_right", "/", "=pid 1203 or pid 877 or pid 4410 or pid 646 or pid 2210 or prozess = x", "Enter")


@test
def filtered():
    golden("filtered", "/", "=user = www-data or process = rsync", "Enter")


@test
def sort_prompt():
    golden("sort_prompt", "s")


@test
def sorted_by_name():
    golden("sorted", "s", "=user", "Enter")


@test
def opened_row():
    golden("opened", "R", "R", "R", "Enter")


@test
def by_connection():
    golden("connections", "2")


@test
def scrolled_to_the_right():
    golden("scrolled_right", "Right", "Right", "Right")


@test
def last_rows():
    golden("last_rows", "End", options=["-n", "100"])


@test
def paused_and_frozen():
    golden("paused", "f", " ", "z")


@test
def bytes_and_bits():
    golden("units", "R", "u", "U")


@test
def question_before_killing():
    golden("confirm", "Down", "k")


@test
def killed():
    golden("killed", "R", "Down", "k", "y")


@test
def help_of_all_keys():
    golden("help", "?", size=(90, 60))


@test
def help_scrolls():
    golden("help_scrolled", "?", "PPage", "NPage", size=(60, 20), first="nwho")


run_tests(needs_root=False)
