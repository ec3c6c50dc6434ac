# SPDX-License-Identifier: MIT
"""What keys do, step by step."""
import re

from live import BUILD, run_tests, test
from terminal import terminal

DEMO = BUILD / "tests" / "helpers" / "tui_demo"


def demo(*options, **more):
    return terminal([DEMO, *options], **more)


def selected(text):
    """The line of the selected row."""
    return next((line for line in text.splitlines() if line.startswith(">")), "")


def order(text):
    return re.findall(r"^[> ][x! ] *(\d+) ", text, re.M)


@test
def quits_and_says_so():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("q")
        assert screen.left() == 0
        screen.until("left with 0")


@test
def keys_of_the_past_are_refused_in_the_present():
    with demo() as screen:
        screen.until("7 rows")
        for key in "[]{}()tnp+-":
            screen.keys(key)
            screen.until("this is the present")
            screen.keys("u")
            screen.until("rates in")


@test
def selection_follows_its_row():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("Down")
        pid = selected(screen.until(lambda text: "877" in selected(text))).split()[1]
        for _ in range(8):  # its rate changes, and so does its place
            screen.keys("R")
        screen.keys("r")
        screen.until(lambda text: selected(text).split()[1:2] == [pid] and "▲TX Mbit/s" in text)
        screen.keys("g")
        screen.until(lambda text: text.splitlines().index(selected(text)) == 6, "the first row")


@test
def the_first_place_is_kept_until_a_row_is_chosen():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("r")
        screen.until(lambda text: "▲" in text and text.splitlines()[6].startswith(">"))


@test
def frozen_order_stays():
    with demo() as screen:
        before = order(screen.until(lambda text: "7 rows" in text and len(order(text)) == 7))
        screen.keys("f")
        screen.until("FROZEN")
        screen.keys("r")
        screen.until(lambda text: "▲" in text and order(text) == before)
        screen.keys("f")
        screen.until(lambda text: "FROZEN" not in text and order(text) != before)


@test
def sorts_by_columns_beside():
    with demo() as screen:
        screen.until("▼TX Mbit/s")
        screen.keys("<")
        screen.until("▼RX Mbit/s")
        screen.keys("<", "<", "<", "<", "<")
        text = screen.until("▲PID")
        assert order(text) == sorted(order(text), key=int), text
        screen.keys("r")
        screen.until("▼PID")


@test
def unknown_column_is_answered():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("s")
        screen.type("proces")
        screen.keys("Enter")
        screen.until("there is no such column: process?")
        screen.type("s")
        screen.keys("Enter")
        screen.until("▲PROCESS")


@test
def wrong_filter_leaves_the_old_one():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("/")
        screen.type("process = rsync")
        screen.keys("Enter")
        screen.until("1 row")
        screen.keys("/", "C-u")
        screen.type("process = ")
        screen.keys("Enter")
        screen.until("^")
        screen.keys("Escape")
        screen.until(lambda text: "filter: process = rsync" in text and "1 row" in text and "^" not in text)
        screen.keys("/", "C-u", "Enter")
        screen.until("7 rows")


@test
def line_is_edited():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("/")
        screen.type("prcess = rsyn xx")
        screen.keys("C-w", "BSpace", "Home", "Right", "Right")
        screen.type("o")
        screen.keys("End", "Left", "DC")
        screen.type("nc彩")
        screen.keys("BSpace", "Enter")
        screen.until("filter: process = rsync\n")
        screen.until("1 row")


@test
def what_is_typed_takes_the_place_of_the_old_filter():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("/")
        screen.type("process = rsync")
        screen.keys("Enter", "/")
        screen.type("process = java")
        screen.keys("Enter")
        screen.until("filter: process = java\n")
        screen.keys("/", "Home", "Right", "End")
        screen.type(" or pid 1")
        screen.keys("Enter")
        screen.until("filter: process = java or pid 1\n")
        screen.keys("/", "BSpace", "Enter")
        screen.until("7 rows")


@test
def opens_and_goes_back():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("Down", "Enter")
        screen.until("in rsync(877)")
        screen.until("by conn")
        screen.keys("1")
        screen.until("by process")
        screen.keys("Enter")
        screen.until("in rsync(877) > rsync(877)")
        screen.keys("BSpace", "BSpace")
        text = screen.until(lambda text: "7 rows" in text and " in rsync" not in text)
        assert "877" in selected(text), text
        screen.keys("Escape")
        screen.until("q quits")


@test
def groupings_windows_and_the_command_line():
    with demo() as screen:
        screen.until("by process")
        screen.keys("b")
        screen.until("by conn")
        screen.keys("4")
        screen.until("by user")
        screen.keys("9")
        screen.until("there are 4 groupings")
        screen.keys("w", "w")
        screen.until("window 60s")
        screen.keys("c")
        screen.until("nwho top --by user")


@test
def kill_asks_and_any_other_key_is_a_no():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("k")
        screen.until("destroy the sockets of pid 1203? [y/N]")
        screen.keys("n")
        screen.until("nothing was done")
        screen.keys("k", "Y")
        screen.until("40 sockets destroyed, no process ended")
        screen.until(lambda text: re.search(r"^.x +1203", text, re.M))


@test
def question_names_what_it_is_about():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("Down", "k")
        text = screen.until("destroy the sockets of pid 877? [y/N]")
        assert text.splitlines()[-2] == "rsync  203.0.113.9:873", text
        screen.keys("n", "K")
        screen.until("end pid 877? [y/N]")
        screen.keys("Escape")
        screen.until("nothing was done")


@test
def sick_rows_say_why():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("Down", "Down", "Down")
        screen.until(lambda text: selected(text).startswith(">!") and "sick: data waits" in text.splitlines()[-1])
        screen.keys("g")
        screen.until("? help")


@test
def loopback_has_a_switch():
    with demo() as screen:
        screen.until(lambda text: re.search("^lo ", text, re.M))
        screen.keys("l")
        screen.until(lambda text: "no lo" in text and not re.search("^lo ", text, re.M))
        screen.keys("l")
        screen.until(lambda text: "no lo" not in text and re.search("^lo ", text, re.M))


@test
def pause_stops_the_clock():
    with demo("-d", "20") as screen:
        screen.until("7 rows")
        screen.keys(" ")
        text = screen.until("PAUSED")
        clock = re.search(r"\d\d:\d\d:\d\d", text)[0]
        screen.keys("Down", "w", "f")
        assert clock in screen.until("FROZEN")
        screen.keys(" ")
        screen.until(lambda text: "PAUSED" not in text and clock not in text)


@test
def refreshes_by_itself():
    with demo("-d", "20") as screen:
        first = re.search(r"\d\d:\d\d:\d\d", screen.until("7 rows"))[0]
        screen.until(lambda text: first not in text)


@test
def errors_are_messages_and_tear_nothing():
    with demo("-o") as screen:
        screen.until("nwho: reading 1 went wrong")
        screen.keys("R")
        text = screen.until("nwho: reading 2 went wrong")
        assert text.splitlines()[-1].startswith("nwho: reading 2") and text.count("wrong") == 1, text
        screen.keys("Down")
        screen.until("? help")


@test
def mouse_selects_and_sorts():
    with demo(TERM="xterm-256color") as screen:
        screen.until("7 rows")
        assert screen.flag("mouse_any_flag") == "0"
        screen.keys("m")
        screen.until("mouse on")
        assert screen.flag("mouse_any_flag") == "1"
        screen.type("\x1b[<0;10;9M\x1b[<0;10;9m" if screen.flag("mouse_sgr_flag") == "1" else "\x1b[M *)\x1b[M#*)")
        screen.until(lambda text: text.splitlines()[8].startswith(">"))
        screen.keys("m")
        screen.until("mouse off")
        screen.keys("m")
        screen.until("mouse on")
        screen.keys("q")
        assert screen.left() == 0


@test
def help_comes_and_goes():
    with demo() as screen:
        screen.until("7 rows")
        screen.keys("?")
        screen.until("rates in bits or bytes")
        screen.keys("q")
        screen.until("7 rows")


run_tests(needs_root=False)
