# SPDX-License-Identifier: MIT
"""`nwho top` of the past in a terminal: ten minutes of a made-up history, which are the same each time."""
import contextlib
import json
import re
import shlex
import subprocess
import tempfile

from live import BUILD, PATIENCE, run_tests, test
from terminal import terminal

NWHO = BUILD / "nwho"
SPAN = ("--since", "2025-12-01 00:00", "--until", "2025-12-01 00:10")
COLOR = re.compile(r"\x1b\[[0-9;]*\b(3[0-7]|38;)")
NAMED = ["unshare", "--uts", "sh", "-c", 'until [ "$(uname -n)" = web1 ]; do echo web1 >/proc/sys/kernel/hostname; done; exec "$@"', "sh"]


@contextlib.contextmanager
def store():
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as place:
        subprocess.run([*NAMED, BUILD / "tests/helpers/history_scene", f"{place}/h.db"], check=True, timeout=PATIENCE)
        yield f"{place}/h.db"


@contextlib.contextmanager
def replay(*words, size=(80, 24), span=SPAN, **environment):
    """A paused replay, at its beginning; the screen, and the file."""
    with store() as path, terminal([*NAMED, NWHO, "top", *span, "--store", path, *words], size, **environment) as screen:
        screen.until("PLAY")
        screen.keys("Space", "(")
        screen.until(lambda text: "PAUSED" in text and (size[0] < 60 or re.search(r"00:00:00  \d rows?", text)))
        yield screen, path


def at(time):
    return lambda text: f"2025-12-01 {time} " in text


def golden(name, *keys, **more):
    with replay(**more) as (screen, _):
        for number, key in enumerate(keys, 1):
            before = screen.text()
            if key.startswith("="):
                screen.type(key[1:])
            else:
                screen.keys(key)
            if number < len(keys):  # columns stay as wide as they were in a frame that was drawn
                screen.until(lambda text, before=before: text != before)
        screen.until_golden(name)


@test
def screen_at_80x24():
    golden("replay_80x24", "}", "]", "]")


@test
def wide_screen():
    golden("replay_130x30", "}", "}", size=(130, 30))


@test
def smallest():
    golden("replay_20x5", "]", size=(20, 5))


@test
def narrow():
    golden("replay_56x20", "}", size=(56, 20))


@test
def a_locale_without_utf8():
    golden("replay_c_locale", "}", "]", LC_ALL="C")


@test
def a_gap():
    golden("replay_gap", "t", "=00:05:30", "Enter")


@test
def peers_of_a_process():
    golden("replay_peers", "}", "Enter")


@test
def help_of_the_past():
    golden("replay_help", "?", size=(90, 66))


@test
def no_colour_where_none_is_wanted():
    for wanted, environment in ((True, {}), (False, {"NO_COLOR": "1"})):
        with replay(**environment) as (screen, _):
            assert bool(COLOR.search(screen.text("-e"))) == wanted


@test
def plays_and_stops_at_the_end():
    with replay() as (screen, _):
        screen.keys("+", "+", "+", "+", "+", "+")
        screen.until("200x")
        screen.keys("Space")
        screen.until(lambda text: "PAUSED" in text and "this is the end" in text and at("00:09:50")(text))
        screen.keys("Space")
        screen.until("this is the end")
        screen.keys("-")
        screen.until(lambda text: "PAUSED" in text and "100x" in text)
        screen.keys("(", "Space")
        screen.until(lambda text: "this is the end" in text and at("00:09:50")(text))
        screen.keys("q")
        assert screen.left() == 0


@test
def goes_back_and_forth():
    with replay() as (screen, _):
        screen.keys("[")
        screen.until("this is the beginning")
        steps = (("]", "00:00:10"), ("n", "00:00:20"), ("[", "00:00:10"), ("p", "00:00:00"), ("}", "00:01:40"), ("N", "00:03:20"),
                 ("{", "00:01:40"), ("P", "00:00:00"), (")", "00:09:50"), ("^", "00:00:00"), ("$", "00:09:50"))
        for key, time in steps:
            screen.keys(key)
            screen.until(at(time))
        screen.keys("]")
        screen.until("this is the end")


@test
def back_shows_what_forward_showed():
    with replay() as (screen, _):
        seen = {}
        for number in range(12):
            seen[number] = screen.until(at(f"00:{number // 6:02}:{number % 6}0"))
            screen.keys("]")
        for number in range(11, -1, -1):
            screen.until(at(f"00:0{(number + 1) // 6}:{(number + 1) % 6}0"))
            screen.keys("[")
            frame = seen[number].split()  # columns are as wide as what they have had
            screen.until(lambda text, frame=frame: text.split() == frame, what=f"piece {number} as before")


@test
def jumps_to_a_time():
    with replay() as (screen, _):
        for text, time in (("00:03:07", "00:03:00"), ("2025-12-01 00:09", "00:09:00"), ("2025-12-01T00:10:00Z", "00:09:50")):
            screen.keys("t")
            screen.until("go to:")
            screen.type(text)
            screen.keys("Enter")
            screen.until(at(time))
        for text, problem in (("25:00", "is no time"), ("12:00", "it is played from 2025-12-01 00:00:00 to"), ("5m", "write -5m")):
            screen.keys("t")
            screen.type(text)
            screen.keys("Enter")
            screen.until(problem)
            screen.keys("Escape")
            screen.until(lambda text: "go to:" not in text and at("00:09:50")(text))


@test
def marks_are_seen_when_their_time_passes():
    mark = "2025-12-01 00:01:15 mark: deployed v2"
    with replay() as (screen, _):
        screen.keys("t")
        screen.type("00:01:00")
        screen.keys("Enter")
        assert mark not in screen.until(at("00:01:00"))
        screen.keys("]")
        screen.until(lambda text: at("00:01:10")(text) and mark in text)
        screen.keys("}")
        assert mark not in screen.until(at("00:02:50"))


@test
def what_was_not_measured_is_said():
    with replay() as (screen, _):
        screen.keys("t")
        screen.type("00:05")
        screen.keys("Enter")
        for _ in range(11):
            screen.until(lambda text: "not measured from 2025-12-01 00:05:00 to 2025-12-01 00:06:50" in text and "Not measured." in text)
            screen.keys("]")
        screen.until(lambda text: at("00:06:50")(text) and "ot measured" not in text and "nginx" in text)


@test
def one_reading_for_many_pieces_is_no_gap():
    with replay("-d", "2") as (screen, _):
        screen.keys("]")
        screen.until("readings were that far apart")


@test
def groups_filters_and_levels():
    with replay() as (screen, _):
        screen.keys("}")
        screen.until(at("00:01:40"))
        for number, name in ((4, "peer"), (5, "container"), (6, "unit"), (7, "user"), (8, "iface"), (9, "port"), (1, "process")):
            screen.keys(str(number))
            screen.until(f"by {name} ")
        for number, name in ((2, "thread"), (3, "conn")):
            screen.keys(str(number))
            screen.until(lambda text, name=name: f"by {name}: {name}" in text and "recorded one by one" in text and "  by process" in text)
        screen.keys("b")
        screen.until("by peer")
        screen.keys("1", "/")
        screen.type("process rsync or process curl")
        screen.keys("Enter")
        screen.until("2 rows")
        screen.keys("Enter")
        text = screen.until("in curl(4410)")
        assert "198.51.100.7" in text and "198.51.100.8" in text and "198.51.100.9" not in text, text
        screen.keys("Enter")
        screen.until(lambda text: "in curl(4410) > 198.51.100.7" in text and "by process" in text)
        screen.keys("BSpace", "BSpace")
        screen.until(lambda text: " in curl" not in text and "2 rows" in text)
        screen.keys("s")
        screen.type("pid")
        screen.keys("Enter")
        screen.until(lambda text: text.index(" 877 ") < text.index(" 4410 "))


@test
def what_only_the_present_has_is_refused():
    with replay() as (screen, _):
        for key in "kKzR":
            screen.keys(key)
            screen.until("this is the past")
            screen.keys("u")
            screen.until("rates in")


@test
def windows_and_the_command_line_that_shows_the_same():
    with replay(size=(200, 24)) as (screen, path):
        screen.keys("}", "]", "]")
        screen.until(at("00:02:00"))
        for window, since in (("10s", "00:02:00"), ("60s", "00:01:10"), ("total", "00:00:00")):
            screen.until(f"window {window} ")
            screen.keys("c")
            command = re.search(r"nwho history .*", screen.until("nwho history "))[0]
            assert f"--since '2025-12-01 {since}.500' --until '2025-12-01 00:02:10.500'" in command, command
            out = subprocess.run([NWHO, *shlex.split(command)[1:], "--json"], env={"TZ": "UTC"}, check=True, capture_output=True).stdout
            rows = {row["pid"]: row for row in json.loads(out)["rows"]}
            shown = re.findall(r"^[> ] +(\d+) .* ([\d.]+[KM]?) +([\d.]+[KM]?)$", screen.text(), re.M)
            assert {int(pid) for pid, _, _ in shown} == set(rows), (shown, rows)
            for pid, rx, tx in shown:
                for text, exact in ((rx, rows[int(pid)]["rx_bytes"]), (tx, rows[int(pid)]["tx_bytes"])):
                    number = float(text.rstrip("KM")) * {"K": 1024, "M": 1 << 20}.get(text[-1], 1)
                    assert abs(number - exact) <= exact * 0.06, (window, pid, text, exact)
            screen.keys("w")


@test
def without_a_history_it_says_so():
    with terminal([NWHO, "top", "--replay", "--store", "/nonexistent/h.db"], (120, 24)) as screen:
        screen.until("nwho: there is no history: /nonexistent/h.db does not exist. nwho serve records one")
        assert screen.left() == 2


run_tests()
