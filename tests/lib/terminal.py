# SPDX-License-Identifier: MIT
"""A terminal for tests: a program in a pane of a tmux server of its own, keys, and what the screen shows.

    with terminal([PROGRAM, "-c"], size=(80, 24)) as screen:
        screen.keys("w", "Enter")
        screen.until("window 10s")

Nothing waits for a time: what is expected is asked for again and again, of whole frames. The server is gone at the end, whatever happens.
"""
import atexit
import contextlib
import difflib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from live import PATIENCE, SOURCE

GOLDEN = SOURCE / "tests" / "tty" / "golden"
_directories = []


class Terminal:
    """One pane. It runs a shell that writes down what stty says before and after the program, and its exit status."""

    def __init__(self, directory, size):
        self.directory, self.size = Path(directory), size

    def tmux(self, *words, check=True):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TMUX")}
        environment.update(TMUX_TMPDIR=str(self.directory), LC_ALL="C.UTF-8")
        done = subprocess.run(["tmux", "-L", "nwho", "-f", "/dev/null", *map(str, words)], env=environment, check=check,
                              capture_output=True, timeout=PATIENCE)
        return done.stdout.decode("utf-8", "replace")

    def start(self, shell_command):
        width, height = self.size
        self.tmux("new-session", "-d", "-x", width, "-y", height, shell_command)
        self.tmux("set", "-g", "remain-on-exit", "on")

    def stop(self):
        self.tmux("kill-server", check=False)

    # --- what is done ---

    def keys(self, *names):
        """Keys by tmux's names: a, Enter, Up, C-l."""
        for name in names:
            self.tmux("send-keys", name)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def resize(self, width, height):
        self.tmux("resize-window", "-x", width, "-y", height)

    def kill(self, signal_name):
        """Sends a signal to the program (not to the shell around it)."""
        os.kill(self.pid(), getattr(__import__("signal"), signal_name))

    # --- what is seen ---

    def pid(self):
        return int((self.directory / "pid").read_text())

    def text(self, *options):
        """A whole frame: while one is drawn the program has another title (NWHO_TEST_FRAMES)."""
        deadline = time.monotonic() + PATIENCE
        while True:
            title, *lines = self.tmux("display-message", "-p", "#{pane_title}", ";", "capture-pane", "-p", *options).split("\n")
            if title != "nwho: drawing" or time.monotonic() > deadline:
                return "\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n"

    def flag(self, name):
        """A variable of tmux: alternate_on, cursor_flag, mouse_any_flag, pane_width."""
        return self.tmux("display-message", "-p", "#{%s}" % name).strip()

    def until(self, condition, what=None):
        """Waits until CONDITION (a part of the screen, or a function of its text) holds; gives the text."""
        holds = condition if callable(condition) else lambda text: condition in text
        deadline = time.monotonic() + PATIENCE
        while True:
            text = self.text()
            if holds(text):
                return text
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {PATIENCE} s: {what or condition!r}; the screen shows:\n{text}")
            time.sleep(0.01)

    def until_golden(self, name):
        """Waits until the screen is what golden/NAME.txt has. NWHO_UPDATE_GOLDEN=1 writes that file instead."""
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("NWHO_UPDATE_GOLDEN"):
            path.write_text(self.settled(), encoding="utf-8")
            return
        expected = path.read_text(encoding="utf-8")
        try:
            self.until(lambda text: text == expected, what=path.name)
        except AssertionError:
            difference = difflib.unified_diff(expected.splitlines(), self.text().splitlines(), str(path), "screen", lineterm="")
            raise AssertionError("\n".join(difference)) from None

    def settled(self):
        """Only for writing golden files: the screen after half a second in which it did not change."""
        before, since = None, time.monotonic()
        while time.monotonic() - since < 0.5:
            text = self.text()
            if text != before:
                before, since = text, time.monotonic()
            time.sleep(0.05)
        return before

    def left(self):
        """Waits until the program has ended; gives its exit status (128 + signal) and checks that the terminal is as before."""
        status, deadline = self.directory / "status", time.monotonic() + PATIENCE
        while not status.exists() or not status.read_text().endswith("\n"):
            assert time.monotonic() < deadline, f"it has not ended; the screen shows:\n{self.text()}"
            time.sleep(0.01)
        self.check_restored()
        assert (self.directory / "before").read_text() == (self.directory / "after").read_text(), "stty has changed"
        return int(status.read_text())

    def check_restored(self):
        state = {name: self.flag(name) for name in ("alternate_on", "cursor_flag", "mouse_any_flag", "keypad_cursor_flag")}
        expected = {"alternate_on": "0", "cursor_flag": "1", "mouse_any_flag": "0", "keypad_cursor_flag": "0"}
        assert state == expected, state


def script_for(directory, command, environment):
    """The shell that runs COMMAND: `exec` keeps the pid that it wrote down."""
    words = " ".join(shlex.quote(str(word)) for word in command)
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
    at = shlex.quote(str(directory))
    return (f"cd {at}; trap : INT QUIT; stty -g >before; "
            f"(sh -c 'echo $$ >pid; exec \"$@\"' sh env {settings} {words}); "
            f"s=$?; stty -g >after; echo $s >status; cat")


@contextlib.contextmanager
def terminal(command, size=(80, 24), shell=False, **environment):
    """A pane that runs COMMAND; SHELL: an interactive shell, into which COMMAND is typed."""
    directory = tempfile.mkdtemp(prefix="nwho-tty-")
    _directories.append(directory)
    screen = Terminal(directory, size)
    variables = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TZ": "UTC", "NWHO_TEST_FRAMES": "1", **environment}
    try:
        if shell:
            settings = [f"{key}={value}" for key, value in {**variables, "PS1": "ready: ", "ENV": "/dev/null"}.items()]
            screen.start(shlex.join(["env", *settings, "sh", "-i"]))
            screen.until("ready:")
            screen.type(shlex.join(map(str, command)))
            screen.keys("Enter")
        else:
            screen.start(shlex.join(["sh", "-c", script_for(directory, command, variables)]))
        yield screen
    finally:
        _remove(screen)


def _remove(screen):
    screen.stop()
    deadline = time.monotonic() + PATIENCE
    while screen.directory.exists() and time.monotonic() < deadline:  # the shell may still write its last file
        shutil.rmtree(screen.directory, ignore_errors=True)
    if str(screen.directory) in _directories:
        _directories.remove(str(screen.directory))


@atexit.register
def _remove_all():
    for directory in list(_directories):
        _remove(Terminal(directory, (80, 24)))
