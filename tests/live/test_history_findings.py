# SPDX-License-Identifier: MIT
"""The recorder's doctor: what it finds is a note of the history, once, with the guilty process."""
from contextlib import contextmanager

from doctor import CLOSE_WAIT, program
from live import netns, nwho, run_tests, test, wait_for
from recorder import ask, directory, recorder


@contextmanager
def recording(*lines):
    """A recorder whose configuration has these lines; yields its store."""
    with directory() as place:
        (place / "nwho.conf").write_text("\n".join(("exposed.baseline = off", *lines, "")))
        with recorder(place / "h.db", env={"NWHO_CONFIG": str(place / "nwho.conf")}):
            yield place / "h.db"


def notes_of(store, about):
    """Findings that the history names, of a namespace or a process."""
    return [note for note in ask(store)["notes"] if note["kind"] == "finding" and about in note["text"]]


@test
def a_finding_is_noted_once_and_of_the_healthy_nothing():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "leak") as sick, \
         program(ns, CLOSE_WAIT, "120", "7001", "close"), recording() as store:
        note, = wait_for(lambda: notes_of(store, ns.name), what="what the doctor finds")
        assert (note["severity"], note["check"]) == ("warn", "close-wait"), note
        assert note["what"].startswith(f"python3({sick.pid}) keeps 120 connections in close-wait"), note
        assert note["text"] == f"warn close-wait: {note['what']}", note
        text = nwho(None, "history", "--store", store, expect=(0, 1)).out
        assert f"  finding  {note['text']}\n" in text, text


@test
def a_wrong_configuration_does_not_end_recording():
    with recording("close-wait.sockets = many") as store:
        note, = notes_of(store, "nwho.conf")
        assert note["text"].startswith("the doctor does not look: ") and "many" in note["text"], note
        assert "severity" not in note, note


run_tests()
