# SPDX-License-Identifier: MIT
"""The terminal: kinds of it, sizes, colours, and that it is given back whatever happens."""
import re
import signal

from live import BUILD, run, run_tests, test
from terminal import terminal

DEMO = BUILD / "tests" / "helpers" / "tui_demo"
COLOR = re.compile(r"\x1b\[[0-9;]*\b(3[0-7]|38;)")


def ends_by(number, name):
    with terminal([DEMO, "-c"]) as screen:
        screen.until("7 rows")
        assert screen.flag("alternate_on") == "1" and screen.flag("cursor_flag") == "0"
        screen.kill(name)
        status = screen.left()
        assert status == 128 + number, (name, status)


@test
def given_back_after_sigterm():
    ends_by(signal.SIGTERM, "SIGTERM")


@test
def given_back_after_sigint():
    ends_by(signal.SIGINT, "SIGINT")


@test
def given_back_after_sighup():
    ends_by(signal.SIGHUP, "SIGHUP")


@test
def given_back_after_sigquit():
    ends_by(signal.SIGQUIT, "SIGQUIT")


@test
def given_back_after_a_crash():
    for name in ("SIGSEGV", "SIGABRT", "SIGBUS"):
        with terminal([DEMO, "-c"]) as screen:
            screen.until("7 rows")
            screen.keys("m")
            screen.until("mouse on")
            screen.kill(name)
            assert screen.left() != 0, name


@test
def given_back_after_control_c():
    with terminal([DEMO]) as screen:
        screen.until("7 rows")
        screen.keys("C-c")
        assert screen.left() == 128 + signal.SIGINT


@test
def stops_and_goes_on():
    with terminal([DEMO, "-c"], shell=True) as screen:
        for _ in range(2):
            screen.until("7 rows")
            screen.keys("Down", "C-z")
            screen.until("Stopped")
            screen.check_restored()
            screen.resize(100, 20)
            screen.type("clear; fg")
            screen.keys("Enter")
            text = screen.until("7 rows")
            assert len(text.splitlines()) == 20 or screen.until(lambda text: len(text.splitlines()) == 20)
        screen.keys("q")
        screen.until("left with 0")
        screen.check_restored()


@test
def any_size():
    with terminal([DEMO, "-c", "-n", "50", "-d", "20"]) as screen:
        screen.until("50 rows")
        for width, height in ((20, 5), (300, 100), (1, 1), (2, 2), (20, 3), (10, 4), (300, 5), (20, 100), (80, 24)):
            screen.resize(width, height)
            if width >= 20:
                screen.until(lambda text, height=height: len(text.splitlines()) == height and "nwho" in text)
        screen.keys("?")
        screen.until("Keys")
        for width, height in ((20, 5), (1, 1), (80, 24)):
            screen.resize(width, height)
        screen.keys("q", "/")
        screen.type("process = x and prozess = y")
        screen.keys("Enter")
        for width, height in ((20, 5), (1, 1), (3, 2), (80, 24)):
            screen.resize(width, height)
        screen.until("^~~~~~~")
        screen.keys("Escape", "q")
        assert screen.left() == 0


@test
def a_storm_of_resizes():
    """A window that is drawn larger by hand sends hundreds of signals."""
    with terminal([DEMO, "-c", "-n", "50", "-d", "20"]) as screen:
        screen.until("50 rows")
        for number in range(300):
            screen.kill("SIGWINCH")
            if number % 50 == 0:
                screen.resize(60 + number // 10, 12 + number // 50)
        screen.resize(80, 24)
        screen.until(lambda text: len(text.splitlines()) == 24 and "50 rows" in text)
        screen.keys("q")
        assert screen.left() == 0


@test
def resized_screen_is_as_a_new_one():
    with terminal([DEMO], (33, 9)) as screen:
        screen.until("nwho")
        screen.keys("R", "R")
        screen.resize(80, 24)
        screen.until_golden("table_80x24")


@test
def terminals_that_cannot():
    for name, reason in (("dumb", "cannot move its cursor"), ("no-such-terminal", "is not known here"),
                         ("", "TERM is not set")):
        with terminal([DEMO], TERM=name) as screen:
            screen.until(reason)
            assert screen.left() == 1


@test
def not_a_terminal():
    result = run([DEMO], expect=1)
    assert "is no terminal" in result.err and not result.out.startswith("\x1b"), result


@test
def vt100_has_no_colors():
    with terminal([DEMO, "-c"], TERM="vt100") as screen:
        screen.until("7 rows")
        assert not COLOR.search(screen.text("-e"))
        screen.keys("R", "Down", "q")
        assert screen.left() == 0


@test
def colors_and_none():
    with terminal([DEMO, "-c"]) as screen:
        screen.until("7 rows")
        assert COLOR.search(screen.text("-e"))
    with terminal([DEMO, "-c"], NO_COLOR="1") as screen:
        screen.until("7 rows")
        text = screen.text("-e")
        assert not COLOR.search(text) and re.search(r"\x1b\[(0;)?7m", text), text


@test
def what_is_gone_is_dim():
    with terminal([DEMO]) as screen:
        screen.until("7 rows")
        line = next(line for line in screen.text("-e").splitlines() if "curl" in line)
        assert "\x1b[2m" in line, repr(line)


@test
def hostile_names_do_nothing():
    with terminal([DEMO, "-c"], (200, 30)) as screen:
        screen.until("7 rows")
        screen.until(r"\e[31mevil\r\n\e]0;x\x07\xe2\x80\xaetxt\xff")
        assert screen.flag("pane_title") != "x"
        screen.keys("s")
        screen.type("process")
        screen.keys("Enter", "Home", "Enter")
        screen.until(lambda text: text.count(r"\e[31mevil\r\n") == 2 and "by conn" in text)


run_tests(needs_root=False)
